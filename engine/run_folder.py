"""A run folder: who holds it, what it was asked to do, and the checkpoints from which it goes on.

``configuration.json`` is written once, and before it ``pins.json`` and ``source/``, see `hebbarium.training.pins`.
``checkpoints/<block>`` holds the state after that many blocks; the last
two are kept, so that a damaged one has one before it. ``blocks/<stage>/<block>`` holds the responses of a block,
``snapshots/<samples>`` what the results show of the weights, ``accuracies/<samples>`` what was measured on the way.
``scratch/`` holds private files of running blocks. Each of these files says which one it is, and of which run, so that
one that was moved or copied over another is not taken for it.

Whatever a checkpoint builds upon is on the disk before the checkpoint is; see `hebbarium.engine.resumption` for what
happens where a part of it is missing all the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import block_file
from hebbarium.engine.contract import Arrays
from hebbarium.files import folder_names, plain_files, whole_files
from hebbarium.files.errors import FileNotWritten, RunFolderError

CONFIGURATION, PINS, SOURCE = "configuration.json", "pins.json", "source"
CHECKPOINTS, BLOCKS, SNAPSHOTS, ACCURACIES = "checkpoints", "blocks", "snapshots", "accuracies"
_LOCK, _SCRATCH = "lock", "scratch"
_PART = "run.part"
"""Array of a block file that says what the file is; what was written before there was one is taken as it is."""
_KEPT = 2
_log = logging.getLogger("hebbarium")
_MOST_RESPONSES = 2**31  # of a block: a thousand samples of two million neurons
_GRACE = 1.0  # seconds


class Misplaced(block_file.BlockFileError):
    """A block file is whole, and another than its name says."""

    def __init__(self, file: Path, what: str) -> None:
        super().__init__(f"{file}: {what}")
        self.what = what


class KeptRun:
    """What a run has kept in its folder so far: to be read, also while another process works in it.

    Files are written whole, so that each is there or not; which ones may change between two calls.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def configuration(self) -> dict[str, Any]:
        """What the run was asked to do."""
        return configuration(self.path)

    @property
    def begun(self) -> str:
        """What tells the run from others: the digest of what it began with; empty where nothing was kept."""
        return _begun(self.path)

    def responses_file(self, stage: str, block: int) -> Path:
        """Where the responses of a block are kept."""
        return self.path / BLOCKS / stage / f"{block:06d}"

    def snapshot_file(self, samples_seen: int) -> Path:
        """Where a snapshot is kept."""
        return self.path / SNAPSHOTS / f"{samples_seen:09d}"

    def accuracies_file(self, samples_seen: int) -> Path:
        """Where accuracies measured on the way are kept."""
        return self.path / ACCURACIES / f"{samples_seen:09d}"

    def read_responses(self, stage: str, block: int) -> NDArray[Any] | None:
        """Responses of a block, or None if they are not there, not whole, or no responses."""
        try:
            stored = read(self.path, self.responses_file(stage, block))
            shape = tuple(map(int, stored["shape"]))
            if len(shape) != 2 or not 0 <= shape[0] * shape[1] <= _MOST_RESPONSES:
                return None
            if "values" in stored:
                return stored["values"].reshape(shape) if stored["values"].dtype.kind == "f" else None
            counts = np.zeros(shape, np.uint16)
            counts[stored["sample"], stored["neuron"]] = stored["count"]
        except (block_file.BlockFileError, KeyError, IndexError, ValueError, TypeError):
            return None
        return counts

    def snapshots(self, up_to: int) -> dict[int, Arrays]:
        """Snapshots by samples seen."""
        return {n: read(self.path, f) for n, f in _numbered(self.path / SNAPSHOTS).items() if n <= up_to}

    def accuracies(self, up_to: int) -> dict[int, dict[str, float]]:
        """Accuracies by samples seen, by readout."""
        stored = {n: read(self.path, f) for n, f in _numbered(self.path / ACCURACIES).items() if n <= up_to}
        return {seen: {name: float(value[0]) for name, value in a.items()} for seen, a in stored.items()}


class RunFolder(KeptRun):
    """One run on disk, locked while this object is open.

    Use `create` or `open`, in a ``with`` statement.
    """

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        super().__init__(path)
        self._lock = lock
        self._waiting: list[Path] = []  # files that are not on the disk for certain
        self._waits = threading.Lock()

    @classmethod
    def create(
        cls, path: Path, configuration: Mapping[str, Any], beside: Mapping[str, bytes] | None = None
    ) -> RunFolder:
        """A new run. Raises `RunFolderError` if something is there already or cannot be written.

        Parameters
        ----------
        beside : mapping, optional
            Files to be kept, `PINS` first and others in `SOURCE`; they are there before the configuration is.
        """
        folder_names.refuse(path)
        for above in path.absolute().parents:
            if (above / CONFIGURATION).is_file() and (above / _LOCK).exists():
                raise RunFolderError(f"{path}: lies in {above}, which is a run of its own; choose another --out")
        try:
            whole_files.make_folder(path.parent)
            if not is_unbegun(path):
                path.mkdir()
            whole_files.sync_folder(path.parent)
        except FileExistsError as error:
            raise RunFolderError(
                f"{path}: exists already; nothing in it was touched. Choose another --out, or go on with"
                f" `hebbarium resume {path}`"
            ) from error
        except OSError as error:
            raise RunFolderError(
                f"{path}: cannot be created ({error.strerror}); choose another --out"
            ) from error
        folder = cls._locked(path)
        if (path / CONFIGURATION).exists():  # of another process, a moment ago
            folder.__exit__()
            raise RunFolderError(f"{path}: exists already; nothing in it was touched. Choose another --out")
        try:
            for name, content in (beside or {}).items():
                folder._refuse_links(path / name)
                whole_files.make_folder((path / name).parent)
                whole_files.write(path / name, [content])
            whole_files.write(path / CONFIGURATION, json.dumps(dict(configuration), indent=1) + "\n")
        except FileNotWritten as error:
            raise RunFolderError(str(error)) from error
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run. Raises `RunFolderError` if it is none or is in use."""
        _refuse_other_folders(path)
        folder = cls._locked(path)
        whole_files.clear_temporaries(path, below=True)
        whole_files.sync_folder(path.parent)  # a process may have been killed before it had done so
        return folder

    @classmethod
    def _locked(cls, path: Path) -> RunFolder:
        try:
            lock = plain_files.lock(path / _LOCK)
        except OSError as error:
            there = path / _LOCK
            if os.path.lexists(there) and (there.is_symlink() or not there.is_file()):
                what = "a link" if there.is_symlink() else "no plain file"
                raise RunFolderError(f"{there}: is {what}, expected a file of the run; remove it") from error
            raise RunFolderError(f"{path}: cannot be written ({error.strerror})") from error
        _hold(lock, fcntl.LOCK_EX, path)
        folder = cls(path, lock)
        folder._refuse_links(folder.scratch / "a file")
        shutil.rmtree(folder.scratch, ignore_errors=True)  # what a killed process left
        return folder

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._lock.close()

    @property
    def scratch(self) -> Path:
        """Folder for private files of blocks."""
        return self.path / _SCRATCH

    # -- checkpoints -----------------------------------------------------------------------------------
    def write_checkpoint(self, blocks: int, arrays: Mapping[str, NDArray[Any]], stays: float = 0.0) -> None:
        """State after ``blocks`` blocks, once all that was written before is on the disk.

        Older checkpoints than the last two go, once they are ``stays`` seconds old: somebody may be reading them.
        Later ones stay: of a run that is trained again they are what there is, until it has come as far.
        """
        self.sync()
        self._write(self.path / CHECKPOINTS / f"{blocks:06d}", arrays, durable=True)
        earlier = [file for number, file in checkpoints(self.path).items() if number < blocks]
        for file in earlier[: 1 - _KEPT]:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime >= stays:
                    file.unlink()

    # -- responses and snapshots -----------------------------------------------------------------------
    def sync(self) -> None:
        """Wait until what was written is on the disk. Raises `RunFolderError`."""
        with self._waits:
            files, self._waiting = self._waiting, []
        try:
            whole_files.sync(files, within=self.path)
        except OSError as error:
            raise unwritten(self.path, error, self.path) from error

    def write_responses(self, stage: str, block: int, responses: NDArray[Any]) -> None:
        """Responses ``(samples, neurons)`` of a block. Spike counts, of 16 bits, are kept sparse."""
        arrays: Arrays = {"shape": np.array(responses.shape, np.int64)}
        if responses.dtype == np.uint16:
            sample, neuron = np.nonzero(responses)
            arrays |= {"sample": sample.astype(np.int32), "neuron": neuron.astype(np.int32)}
            arrays["count"] = responses[sample, neuron]
        else:
            arrays["values"] = responses
        self._write(self.responses_file(stage, block), arrays)

    def write_snapshot(self, samples_seen: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What the results show of weights and thresholds after so many samples."""
        self._write(self.snapshot_file(samples_seen), arrays)

    def write_accuracies(self, samples_seen: int, accuracies: Mapping[str, float]) -> None:
        """Accuracy by readout after so many samples, measured while training went on."""
        self._write(
            self.accuracies_file(samples_seen),
            {name: np.array([value]) for name, value in accuracies.items()},
        )

    def drop_intermediate(self) -> None:
        """Delete what the result file holds as well."""
        for name in (BLOCKS, SNAPSHOTS, ACCURACIES):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _write(self, path: Path, arrays: Mapping[str, NDArray[Any]], durable: bool = False) -> None:
        self._refuse_links(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            block_file.write(path, {**arrays, _PART: _part(self.path, path)}, durable)
        except OSError as error:
            raise unwritten(path, error, self.path) from error
        if not durable:
            with self._waits:
                self._waiting.append(path)

    def _refuse_links(self, path: Path) -> None:
        """Raise `RunFolderError` if a file of this run would lie, and others be deleted, somewhere else."""
        for folder in path.parents[: len(path.relative_to(self.path).parts) - 1]:
            if folder.is_symlink():
                raise RunFolderError(
                    f"{folder}: is a link, and a run writes and deletes only in its own folder; put the folder"
                    " itself in its place"
                )


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Path]:
    """Keep others from working in a run while it is read; it need not be writable.

    Yields
    ------
    Path
        A folder elsewhere for private files of blocks.

    Raises
    ------
    RunFolderError
        It is no run folder, or another process is working in it.
    """
    _refuse_other_folders(path)
    with contextlib.ExitStack() as stack:
        # without a lock that can be opened nobody is working in it who could be waited for
        with contextlib.suppress(OSError):
            _hold(stack.enter_context(plain_files.lock(path / _LOCK, existing=True)), fcntl.LOCK_SH, path)
        yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hebbarium-")))


def is_in_use(path: Path) -> bool:
    """Whether another process works in a run folder at this moment."""
    try:
        with plain_files.lock(path / _LOCK, existing=True) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # nobody has locked it yet
    return False


def _refuse_other_folders(path: Path) -> None:
    if not (path / CONFIGURATION).is_file():
        if is_unbegun(path):
            raise RunFolderError(f"{path}: was cut off before its run began; train again: --out {path}")
        if not path.exists():
            raise RunFolderError(f"{path}: is not a run folder (there is none); train it first: --out {path}")
        raise RunFolderError(f"{path}: is not a run folder (it holds no {CONFIGURATION})")


def _hold(lock: IO[bytes], how: int, path: Path) -> None:
    # What a killed process had just forked holds its lock a moment longer, until it becomes another program.
    patience = time.monotonic() + _GRACE
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() < patience:
                time.sleep(0.02)
                continue
            lock.close()
            raise RunFolderError(
                f"{path}: another process is working in it; wait for it or choose another --out"
            ) from error


def is_unbegun(path: Path) -> bool:
    """Whether a folder is empty, or all that it holds is what a run leaves that never wrote its configuration."""
    if not path.is_dir() or path.is_symlink():
        return False
    names = {entry.name for entry in path.iterdir()}
    known = {_LOCK, _SCRATCH, PINS, *([SOURCE] if PINS in names else [])}
    return all(name in known or name.startswith((f".{CONFIGURATION}.", f".{PINS}.")) for name in names)


def configuration(path: Path) -> dict[str, Any]:
    """What a run was asked to do. Raises `RunFolderError`."""
    if not os.path.lexists(path / CONFIGURATION):
        _refuse_other_folders(path)
    try:
        stored = json.loads(plain_files.read(path / CONFIGURATION))
        if not isinstance(stored, dict):
            raise ValueError("expected names and values")
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(
            f"{path}: is not a run folder, or its {CONFIGURATION} is damaged ({error})"
        ) from error
    return stored


def checkpoints(path: Path) -> dict[int, Path]:
    """The checkpoints of a run folder, whole or not, by the number of blocks they come after."""
    return _numbered(path / CHECKPOINTS)


def read(run: Path, file: Path) -> Arrays:
    """Arrays of a file of a run. Raises `BlockFileError`, and `Misplaced` if it is another's."""
    arrays = block_file.read(file)
    part = arrays.pop(_PART, None)
    if part is not None and not np.array_equal(part, _part(run, file)):
        name, _, begun = bytes(part).decode(errors="replace").partition("\n")
        of = "this run" if begun == _begun(run) else "another run"
        raise Misplaced(file, f"holds {name} of {of}")
    return arrays


def problem(run: Path, file: Path) -> str:
    """What is wrong with a file of a run, in words; empty if nothing is."""
    try:
        read(run, file)
    except block_file.BlockFileError as error:
        return in_words(error, file)
    return ""


def in_words(error: block_file.BlockFileError, file: Path) -> str:
    """What `read` found wrong with a file."""
    if isinstance(error, Misplaced):
        return error.what
    return "is damaged" if file.exists() else "is missing"


def _part(run: Path, file: Path) -> NDArray[np.uint8]:
    return np.frombuffer(f"{file.relative_to(run).as_posix()}\n{_begun(run)}".encode(), np.uint8)


def _begun(run: Path) -> str:
    return str(configuration(run).get("pins", ""))


def last_checkpoint(path: Path) -> tuple[int, Arrays] | None:
    """The latest whole checkpoint of a run folder; a damaged one is passed over, and named in the log."""
    for blocks, file in reversed(checkpoints(path).items()):
        try:
            return blocks, read(path, file)
        except block_file.BlockFileError as error:
            _log.warning("%s: %s; the checkpoint before it is taken", file, in_words(error, file))
    return None


def unwritten(path: Path, error: OSError, run: Path) -> RunFolderError:
    """What to say when a file of a run could not be written."""
    reason = error.reason if isinstance(error, FileNotWritten) else error.strerror
    return RunFolderError(
        f"{path}: cannot be written ({reason}); once it can, the run goes on from its last checkpoint:"
        f" `hebbarium resume {run}`"
    )


def _numbered(folder: Path) -> dict[int, Path]:
    return {int(file.name): file for file in sorted(folder.glob("[0-9]*")) if file.name.isdecimal()}
