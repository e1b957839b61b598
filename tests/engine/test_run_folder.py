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
