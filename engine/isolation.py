"""Brian2's global state, set aside while a network of ours is built or run, and given back as it was.

Besides documented things this takes from Brian2's private parts: the active device and the stack of earlier ones, the
attributes of a device, and the register of instances that names are made unique by.
"""

from __future__ import annotations

import copy
import importlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from brian2 import prefs
from brian2.core.tracking import InstanceFollower, InstanceTrackerSet
from numpy.typing import NDArray

from hebbarium.engine import parse_keys

# The module: as an attribute of its package this name is the active device.
devices: Any = importlib.import_module("brian2.devices.device")
# A process has one active device, one set of preferences, one register of names.
_turn = threading.RLock()
# Random numbers that Cython has drawn ahead, in memory of its own: ours, while the user's are set aside.
_ahead: dict[str, NDArray[Any]] = {}


@contextmanager
def active(name: str, **options: Any) -> Iterator[None]:
    """A device as if this were a new process; afterwards all is as it was found, whatever happened.

    Threads take turns. What was built meanwhile keeps working where it does not ask for the active device.

    Parameters
    ----------
    name : str
        One of ``brian2.devices.device.all_devices``.
    options
        Given to the device when it is activated.
    """
    with _turn, _preferences(), _names(), _random(), parse_keys.quick(), _device(devices.all_devices[name], options):
        yield


def preferences() -> dict[str, str]:
    """What the user prefers of generated code, by name."""
    with _turn:
        return {key: repr(prefs[key]) for key in sorted(prefs) if key.startswith(("codegen.", "core.", "devices."))}


@contextmanager
def _preferences() -> Iterator[None]:
    before = {key: copy.copy(prefs[key]) for key in prefs}
    try:
        yield
    finally:
        for key, value in before.items():
            if prefs[key] is not value and prefs[key] != value:
                prefs[key] = value


@contextmanager
def _names() -> Iterator[None]:
    """Names begin anew: neither do a program's depend on what else there is, nor others on what was built."""
    before = InstanceFollower.instance_sets
    InstanceFollower.instance_sets = defaultdict(InstanceTrackerSet)
    try:
        yield
    finally:
        InstanceFollower.instance_sets = before


@contextmanager
def _random() -> Iterator[None]:
    runtime = devices.all_devices["runtime"]
    before = runtime.get_random_state()
    buffers = {name: getattr(runtime, name) for name in ("rand_buffer", "randn_buffer")}
    for name, buffer in buffers.items():
        buffer[:] = _ahead.get(name, 0)
    try:
        yield
    finally:
        _ahead.update({name: np.array(buffer) for name, buffer in buffers.items()})
        runtime.set_random_state(before)


@contextmanager
def _device(device: Any, options: dict[str, Any]) -> Iterator[None]:
    before = devices.active_device, list(devices.previous_devices)
    attributes = dict(vars(device))
    try:
        device.reinit()  # gives a compiled device new attributes, and leaves the runtime one as it is
        devices.active_device = device
        device.activate(**options)
        yield
    finally:
        vars(device).clear()
        vars(device).update(attributes)
        devices.active_device, devices.previous_devices[:] = before
