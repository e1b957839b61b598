"""When checkpoints of a run are written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hebbarium.engine import run_folder
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import RunFolderError, Stopped
from hebbarium.training import checkpoints
from hebbarium.training.checkpoints import Checkpoints


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("hebbarium.training.checkpoints.time.monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoints, "EVERY", 2.0)
    return now


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", {})


def numbers(folder: RunFolder) -> list[int]:
    return sorted(run_folder.checkpoints(folder.path))


def aged(folder: RunFolder) -> None:
    for file in run_folder.checkpoints(folder.path).values():
        os.utime(file, (0, 0))


def test_what_is_new_is_not_taken_from_who_reads_it(folder: RunFolder, clock: list[float]) -> None:
    with folder, Checkpoints(folder) as kept:
        for block in range(1, 5):
            kept.of_block(block, {"w": np.arange(block)})
        assert numbers(folder) == [1, 2, 3, 4]
        aged(folder)
        kept.of_block(5, {"w": np.arange(5)})
        assert numbers(folder) == [4, 5]


def test_the_last_two_of_those_that_were_due_are_kept(folder: RunFolder, clock: list[float]) -> None:
    with folder, Checkpoints(folder) as kept:
        for block in range(1, 9):
            clock[0] += 0.7
            kept.of_block(block, {"w": np.arange(block)})
            aged(folder)
            if block == 2:
                assert numbers(folder) == [1, 2]
        assert numbers(folder) == [3, 6]
        kept.of_block(9, {"w": np.arange(9)})
        assert numbers(folder) == [3, 6]
    assert numbers(folder) == [6, 9]


def test_a_run_that_is_stopped_loses_no_block(folder: RunFolder, clock: list[float]) -> None:
    with folder, pytest.raises(Stopped), Checkpoints(folder) as kept:  # noqa: PT012
        kept.of_block(1, {"w": np.arange(1)})
        clock[0] += 2
        kept.of_block(2, {"w": np.arange(2)})
        clock[0] += 1
        kept.of_block(3, {"w": np.arange(3)})
        raise Stopped("by a signal")
    assert numbers(folder)[-2:] == [2, 3]


def test_where_the_folder_failed_its_error_is_what_is_told(folder: RunFolder, clock: list[float]) -> None:
    with folder, pytest.raises(RunFolderError, match="full"), Checkpoints(folder) as kept:  # noqa: PT012
        kept.of_block(1, {"w": np.arange(1)})
        clock[0] += 2
        kept.of_block(2, {"w": np.arange(2)})
        kept.of_block(3, {"w": np.arange(3)})
        raise RunFolderError("the disk is full")
    assert numbers(folder) == [1, 2]
