"""A quiet Brian2, and the dense device for networks that are generated and mostly not compiled."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from brian2 import defaultclock, device, ms, set_device

import dense_pathways

# At its usual level Brian2 records every line of generated code, which would be shown for each failing test.
logging.getLogger("brian2").setLevel(logging.WARNING)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of slow tests come first: none is begun when other processes have nothing left to do."""
    here = Path(__file__).parent
    own = [k for k, item in enumerate(items) if item.path.is_relative_to(here)]
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    for k, item in zip(own, sorted((items[k] for k in own), key=lambda item: -slow[item.path]), strict=True):
        items[k] = item


def pytest_collection_finish() -> None:
    """Leave what was imported out of every collection of garbage to come: Brian2 asks for one at each run."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def dense() -> Iterator[None]:
    """The dense device, without lists of indices that nothing reads."""
    set_device(dense_pathways.NAME, build_on_run=False)
    device.reinit()
    device.activate(build_on_run=False, keep_indices=False)
    defaultclock.dt = 1 * ms
    yield
    defaultclock.dt = 0.1 * ms
    device.reinit()
    set_device("runtime")
