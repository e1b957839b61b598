"""A quiet Brian2, and the dense device for networks that are generated and mostly not compiled."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from brian2 import defaultclock, device, ms, set_device

import dense_pathways

# At its usual level Brian2 records every line of generated code, which would be shown for each failing test.
logging.getLogger("brian2").setLevel(logging.WARNING)


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
