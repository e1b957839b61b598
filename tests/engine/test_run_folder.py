"""A run folder belongs to one process at a time, and leads nowhere else, whoever made it."""

from __future__ import annotations

import fcntl
import os
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.engine import block_file, cache, run_folder
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import BuildFailed, RunFolderError

ARRAYS = {"w": np.arange(3.0)}


@pytest.fixture
def held(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", {"model": "a model"})


def test_a_folder_in_use_is_refused(held: RunFolder) -> None:
    with held, pytest.raises(RunFolderError, match="another process is working in it"):
        RunFolder.open(held.path)
    with RunFolder.open(held.path):
        pass


def test_a_lock_that_is_about_to_go_is_waited_for(held: RunFolder) -> None:
    held.__exit__()
    with open(held.path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        going = threading.Timer(0.2, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        going.start()
        with RunFolder.open(held.path) as folder:
            assert not going.is_alive()
            assert folder.path == held.path


def test_a_folder_whose_run_never_began_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "run"
    (path / "scratch").mkdir(parents=True)
    (path / "lock").touch()
    (path / ".configuration.json.4000000.tmp").write_text('{"mod')
    with pytest.raises(RunFolderError, match="cut off before its run began; train again"):
        RunFolder.open(path)
    with RunFolder.create(path, {"model": "a model"}) as folder:
        assert folder.configuration == {"model": "a model"}
    assert sorted(file.name for file in path.iterdir()) == ["configuration.json", "lock"]


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "configuration.json", "checkpoints"])
def test_a_folder_that_holds_something_is_not_taken(name: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("precious")
    with pytest.raises(RunFolderError, match="exists already; nothing in it was touched"):
        RunFolder.create(tmp_path / "run", {})
    assert (tmp_path / "run" / name).read_text() == "precious"
    assert [file.name for file in (tmp_path / "run").iterdir()] == [name]


def test_who_reads_keeps_out_who_writes(held: RunFolder) -> None:
    with held, pytest.raises(RunFolderError, match="another process"), run_folder.reading(held.path):
        pass
    with run_folder.reading(held.path), run_folder.reading(held.path) as scratch:
        assert scratch.is_dir()
        with pytest.raises(RunFolderError, match="another process"):
            RunFolder.open(held.path)
    assert not scratch.exists()


def test_reading_leaves_no_trace(held: RunFolder) -> None:
    held.__exit__()
    (held.path / "lock").unlink()
    before = held.path.stat().st_mtime_ns
    with run_folder.reading(held.path):
        pass
    assert held.path.stat().st_mtime_ns == before


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_lock_that_is_no_plain_file_is_refused(kind: str, held: RunFolder, tmp_path: Path) -> None:
    held.__exit__()
    victim, lock = tmp_path / "victim", held.path / "lock"
    victim.write_text("precious")
    lock.unlink()
    if kind == "link":
        lock.symlink_to(victim)
    else:
        os.mkfifo(lock)
    with pytest.raises(RunFolderError, match=r"is a link|is no plain file"):
        RunFolder.open(held.path)
    with run_folder.reading(held.path):
        pass
    assert victim.read_text() == "precious"


def test_a_lock_keeps_what_it_holds(held: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held.__exit__()
    (held.path / "lock").write_text("precious")
    with RunFolder.open(held.path):
        pass
    assert (held.path / "lock").read_text() == "precious"
    monkeypatch.setenv("HEBBARIUM_CACHE", str(tmp_path / "cache"))
    (cache.folder() / "locks").mkdir(parents=True)
    (cache.folder() / "locks" / "name").symlink_to(held.path / "lock")
    with pytest.raises(BuildFailed, match="symbolic"), cache.locked("name"):
        pass
    assert (held.path / "lock").read_text() == "precious"


@pytest.mark.parametrize("folder", ["checkpoints", "blocks", "blocks/train", "blocks/train/excitatory", "snapshots"])
def test_nothing_is_written_or_deleted_through_a_linked_folder(folder: str, held: RunFolder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("000000", "000001", "000002", "2024 letter"):
        (elsewhere / name).write_text("precious")
    (held.path / folder).parent.mkdir(parents=True, exist_ok=True)
    (held.path / folder).symlink_to(elsewhere)
    write: dict[str, Callable[[], None]] = {
        "blocks": lambda: held.write_responses("train/excitatory", 0, np.ones((1, 1), np.uint16)),
        "snapshots": lambda: held.write_snapshot(3, ARRAYS),
        "checkpoints": lambda: held.write_checkpoint(3, ARRAYS),
    }
    with held, pytest.raises(RunFolderError, match="is a link, and a run writes and deletes only in its own folder"):
        write[folder.split("/")[0]]()
    held.drop_intermediate()
    assert sorted(file.name for file in elsewhere.iterdir()) == ["000000", "000001", "000002", "2024 letter"]
    assert {file.read_text() for file in elsewhere.iterdir()} == {"precious"}


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64])
def test_responses_are_read_as_they_were_and_once(
    kind: type[np.generic], held: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = np.array([[0, 3, 0], [7, 0, 1]]).astype(kind)
    reads: list[Path] = []
    read = run_folder.read

    def counted(path: Path, file: Path) -> dict[str, NDArray[Any]]:
        reads.append(file)
        return read(path, file)

    monkeypatch.setattr(run_folder, "read", counted)
    with held:
        held.write_responses("train/excitatory", 0, responses)
        again = held.read_responses("train/excitatory", 0)
        assert again is not None
        assert again.dtype == responses.dtype
        np.testing.assert_array_equal(again, responses)
        assert held.read_responses("train/excitatory", 1) is None
    assert reads == [held.responses_file("train/excitatory", block) for block in (0, 1)]


def test_scratch_that_is_a_link_is_refused(held: RunFolder, tmp_path: Path) -> None:
    held.__exit__()
    (held.path / "scratch").symlink_to(tmp_path)
    with pytest.raises(RunFolderError, match="scratch: is a link"):
        RunFolder.open(held.path)


def test_a_linked_file_is_replaced_and_not_written_through(held: RunFolder, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (held.path / "checkpoints").mkdir()
    for name in ("000001", f".000001.{os.getpid()}.tmp"):
        (held.path / "checkpoints" / name).symlink_to(victim)
    with held:
        held.write_checkpoint(1, ARRAYS)
        found = run_folder.last_checkpoint(held.path)
    assert victim.read_text() == "precious"
    assert found is not None
    np.testing.assert_array_equal(found[1]["w"], ARRAYS["w"])


def test_a_pipe_is_not_waited_for(held: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    held.__exit__()
    with held:
        held.write_checkpoint(1, ARRAYS)
        os.mkfifo(held.path / "checkpoints" / "000002")
        found = run_folder.last_checkpoint(held.path)
        assert "000002: is damaged" in caplog.text
        assert found is not None
        assert found[0] == 1
        (held.path / "configuration.json").unlink()
        os.mkfifo(held.path / "configuration.json")
        with pytest.raises(RunFolderError, match="not a plain file"):
            run_folder.configuration(held.path)


@pytest.mark.parametrize("kind", [b"O", b"<f99", b"\xff", b"3"])
def test_a_crafted_block_file_is_a_damaged_one(kind: bytes, tmp_path: Path) -> None:
    parts = block_file.pack({"w": np.zeros(1)})
    parts[4:6] = [len(kind).to_bytes(4, "little"), kind]
    crc = 0
    for part in parts[:-1]:
        crc = zlib.crc32(part, crc)
    (tmp_path / "file").write_bytes(b"".join([*map(bytes, parts[:-1]), crc.to_bytes(4, "little")]))
    with pytest.raises(block_file.BlockFileError):
        block_file.read(tmp_path / "file")
