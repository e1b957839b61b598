"""A run folder: who holds it, what it was asked to do, and the checkpoints from which it goes on.

``configuration.json`` is written once. ``checkpoints/<block>`` holds the state after that many blocks; the last
two are kept, so that a damaged one has one before it. ``blocks/<stage>/<block>`` holds the responses of a block,
``snapshots/<block>`` what the results show of the weights. ``scratch/`` holds private files of running blocks.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from engine import block_file, folder_names
from engine.contract import Arrays
from engine.errors import RunFolderError

CONFIGURATION = "configuration.json"
_KEPT = 2
_GRACE = 1.0  # seconds


class RunFolder:
    """One run on disk, locked while this object is open.

    Use `create` or `open`, in a ``with`` statement.
    """

    def __init__(self, path: Path, lock: IO[str]) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, path: Path, configuration: Mapping[str, Any]) -> RunFolder:
        """A new run. Raises `RunFolderError` if something is there already or cannot be written."""
        folder_names.refuse(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
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
        temporary = path / f".{CONFIGURATION}.tmp"
        try:
            temporary.write_text(json.dumps(dict(configuration), indent=1) + "\n")
            os.replace(temporary, path / CONFIGURATION)
        except OSError as error:
            raise RunFolderError(f"{path}: cannot be written ({error.strerror})") from error
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run. Raises `RunFolderError` if it is none or is in use."""
        if not (path / CONFIGURATION).is_file():
            raise RunFolderError(f"{path}: is not a run folder (it holds no {CONFIGURATION})")
        return cls._locked(path)

    @classmethod
    def _locked(cls, path: Path) -> RunFolder:
        try:
            lock = open(path / "lock", "w")  # noqa: SIM115 - held open as long as the run
        except OSError as error:
            raise RunFolderError(f"{path}: cannot be written ({error.strerror})") from error
        # What a killed process had just forked holds its lock a moment longer, until it becomes another program.
        patience = time.monotonic() + _GRACE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() < patience:
                    time.sleep(0.02)
                    continue
                lock.close()
                raise RunFolderError(
                    f"{path}: another process is working in it; wait for it or choose another --out"
                ) from error
        folder = cls(path, lock)
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
        return self.path / "scratch"

    @property
    def configuration(self) -> dict[str, Any]:
        """What the run was asked to do."""
        return configuration(self.path)

    # -- checkpoints -----------------------------------------------------------------------------------
    def write_checkpoint(self, blocks: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """State after ``blocks`` blocks; older checkpoints than the last two go."""
        folder = self.path / "checkpoints"
        self._write(folder / f"{blocks:06d}", arrays, durable=True)
        for old in sorted(folder.glob("[0-9]*"))[:-_KEPT]:
            old.unlink()

    def last_checkpoint(self) -> tuple[int, Arrays] | None:
        """The latest checkpoint that is whole: number of blocks and arrays."""
        return last_checkpoint(self.path)

    # -- responses and snapshots -----------------------------------------------------------------------
    def write_counts(self, stage: str, block: int, counts: NDArray[np.uint16]) -> None:
        """Spike counts ``(samples, neurons)`` of a block, kept sparse."""
        sample, neuron = np.nonzero(counts)
        self._write(
            self.path / "blocks" / stage / f"{block:06d}",
            {
                "shape": np.array(counts.shape, np.int64),
                "sample": sample.astype(np.int32),
                "neuron": neuron.astype(np.int32),
                "count": counts[sample, neuron],
            },
        )

    def read_counts(self, stage: str, block: int) -> NDArray[np.uint16] | None:
        """Spike counts of a block, or None if they are not there or not whole."""
        try:
            stored = block_file.read(self.path / "blocks" / stage / f"{block:06d}")
        except block_file.BlockFileError:
            return None
        counts = np.zeros(tuple(stored["shape"]), np.uint16)
        counts[stored["sample"], stored["neuron"]] = stored["count"]
        return counts

    def write_snapshot(self, samples_seen: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What the results show of weights and thresholds after so many samples."""
        self._write(self.path / "snapshots" / f"{samples_seen:09d}", arrays)

    def snapshots(self, up_to: int) -> dict[int, Arrays]:
        """Snapshots by samples seen."""
        files = sorted((self.path / "snapshots").glob("[0-9]*"))
        return {int(f.name): block_file.read(f) for f in files if int(f.name) <= up_to}

    def write_accuracies(self, samples_seen: int, accuracies: Mapping[str, float]) -> None:
        """Accuracy by readout after so many samples, measured while training went on."""
        self._write(
            self.path / "accuracies" / f"{samples_seen:09d}",
            {name: np.array([value]) for name, value in accuracies.items()},
        )

    def accuracies(self, up_to: int) -> dict[int, dict[str, float]]:
        """Accuracies by samples seen, by readout."""
        files = sorted((self.path / "accuracies").glob("[0-9]*"))
        stored = {int(f.name): block_file.read(f) for f in files if int(f.name) <= up_to}
        return {seen: {name: float(value[0]) for name, value in a.items()} for seen, a in stored.items()}

    def drop_intermediate(self) -> None:
        """Delete what the result file holds as well."""
        for name in ("blocks", "snapshots", "accuracies"):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _write(self, path: Path, arrays: Mapping[str, NDArray[Any]], durable: bool = False) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            block_file.write(path, arrays, durable)
        except OSError as error:
            raise RunFolderError(
                f"{path}: cannot be written ({error.strerror}); the run can be resumed from its last checkpoint once"
                f" there is room: `hebbarium resume {self.path}`"
            ) from error


def configuration(path: Path) -> dict[str, Any]:
    """What a run was asked to do. Raises `RunFolderError`."""
    try:
        return dict(json.loads((path / CONFIGURATION).read_text()))
    except (OSError, ValueError) as error:
        raise RunFolderError(
            f"{path}: is not a run folder, or its {CONFIGURATION} is damaged ({error})"
        ) from error


def last_checkpoint(path: Path) -> tuple[int, Arrays] | None:
    """The latest whole checkpoint of a run folder; a damaged one is passed over with a warning."""
    for file in sorted((path / "checkpoints").glob("[0-9]*"), reverse=True):
        with contextlib.suppress(block_file.BlockFileError):
            return int(file.name), block_file.read(file)
        warnings.warn(f"{file}: damaged; going back to the checkpoint before it", stacklevel=2)
    return None
