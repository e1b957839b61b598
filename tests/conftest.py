"""What all tests share: one folder of compiled programs, and a quiet Brian2."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator

import pytest

from hebbarium.training import checkpoints

# At its usual level Brian2 records every line of generated code, which would be shown for each failing test.
logging.getLogger("brian2").setLevel(logging.WARNING)


class Garbage:
    """Leaves what is there to stay out of every collection of garbage to come.

    Brian2 asks for a collection at each run, and remembers all code that it has parsed: after some hundred tests that
    is millions of objects to look through.
    """

    def __init__(self) -> None:
        self.looked_through = False
        gc.callbacks.append(self.notice)

    def notice(self, phase: str, about: dict[str, int]) -> None:
        """Called before and after each collection."""
        self.looked_through |= about["generation"] == 2

    def keep(self) -> None:
        gc.collect()
        gc.freeze()
        self.looked_through = False


_garbage = Garbage()


def pytest_collection_finish() -> None:
    """Keep what was imported."""
    _garbage.keep()


def pytest_runtest_logfinish() -> None:
    """Keep what a test in this folder has left, if collections of all there is were made in it.

    Where networks are built outside `hebbarium.engine.isolation`, as in the tests of `dense_pathways`, what is kept by
    mistake would be seen: Brian2 numbers the names of objects by those still alive.
    """
    if _garbage.looked_through:
        _garbage.keep()


@pytest.fixture(scope="session", autouse=True)
def every_block() -> None:
    """Runs of these tests take less time than there is between two checkpoints: they keep one of each block."""
    checkpoints.EVERY = 0.0


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[None]:
    """Keep compiled programs together, so that each is compiled once.

    HEBBARIUM_CACHE names the folder and keeps it for the next run of the tests; without it the folder lasts
    as long as this one. Either way all processes of pytest-xdist share it.
    """
    if os.environ.get("HEBBARIUM_CACHE"):
        yield
        return
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEBBARIUM_CACHE", str(shared / "compiled-programs"))
        yield
