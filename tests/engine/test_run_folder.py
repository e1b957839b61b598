"""A run folder belongs to one process at a time."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from engine.errors import RunFolderError
from engine.run_folder import RunFolder


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
