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


def pytest_collection_finish() -> None:
    """Leave what was imported out of every collection of garbage to come: Brian2 asks for one at each run."""
    gc.collect()
    gc.freeze()


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
