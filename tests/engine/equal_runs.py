"""Two runs that should have come to the same, and what one of them said on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hebbarium.engine import run_folder
from hebbarium.files.errors import Stopped
from hebbarium.record import results
from hebbarium.training.progress import QuietReporter


class Told(QuietReporter):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.stages: list[tuple[str, int, int]] = []

    def stage(self, title: str, total: int, done: int = 0) -> None:
        self.stages.append((title, total, done))

    def message(self, text: str) -> None:
        self.messages.append(text)


class StoppedAfter(QuietReporter):
    """Stops a run after a number of blocks."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks

    def advance(self, samples: int, note: str = "") -> None:
        self.blocks -= 1
        if not self.blocks:
            raise Stopped("for a test")


def assert_same_bits(one: Path, other: Path) -> None:
    """All state, readouts and predictions are equal; wall time is not compared."""
    first, second = run_folder.last_checkpoint(one), run_folder.last_checkpoint(other)
    assert first is not None
    assert second is not None
    assert first[0] == second[0]
    assert set(first[1]) == set(second[1])
    for name in first[1]:
        if name != "run.seconds":
            np.testing.assert_array_equal(first[1][name], second[1][name], err_msg=name)
    with results.open_run(one) as a, results.open_run(other) as b:
        assert a.attrs["complete"] == b.attrs["complete"] == 1
        assert set(a.groups) == set(b.groups)
        for group in a.groups:
            assert set(a[group].data_vars) == set(b[group].data_vars)
            for variable in a[group].data_vars:
                path = f"{group}/{variable}"
                np.testing.assert_array_equal(results.array(a, path), results.array(b, path), err_msg=path)
