"""Options of the dense device: which there are, and how long they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brian2 import Network, NeuronGroup, device, get_device, ms, set_device
from brian2.devices.device import reset_device

import dense_pathways

CHOSEN: dict[str, Any] = {"keep_indices": False, "fast_random": True}
DEFAULT = (True, False)


@pytest.fixture(autouse=True)
def runtime() -> Iterator[None]:
    yield
    device.reinit()
    set_device("runtime")


def options() -> tuple[bool, bool]:
    return get_device().keep_indices, get_device().fast_random


def test_options_outlast_a_new_start() -> None:
    set_device(dense_pathways.NAME, build_on_run=False, **CHOSEN)
    for again in ({}, {"build_on_run": False}, {"directory": "elsewhere"}):
        device.reinit()
        device.activate(**again)
        assert options() == (False, True)
    device.reinit()
    device.activate(fast_random=False)
    assert options() == (False, False)
    device.activate()
    assert options() == (False, False)


def test_options_outlast_another_device() -> None:
    set_device(dense_pathways.NAME, build_on_run=False, **CHOSEN)
    set_device("runtime")
    reset_device()
    assert options() == (False, True)
    reset_device(dense_pathways.NAME)
    assert options() == (False, True)


def test_a_device_set_anew_has_the_options_it_is_given() -> None:
    for _ in range(2):
        set_device(dense_pathways.NAME, build_on_run=False, **CHOSEN)
        assert options() == (False, True)
        set_device(dense_pathways.NAME, build_on_run=False)
        assert options() == DEFAULT
        reset_device()
        assert options() == (False, True)
        device.reinit()
        set_device("runtime")
    set_device(dense_pathways.NAME, keep_indices=False)
    assert options() == (False, False)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(TypeError, match=r"unknown option fastrandom; expected keep_indices, fast_random.*directory"):
        set_device(dense_pathways.NAME, fastrandom=True)
    set_device(dense_pathways.NAME, build_on_run=False)
    with pytest.raises(TypeError, match="unknown option keep_index"):
        device.activate(keep_index=False)
    with pytest.raises(TypeError, match="fast_random is 'no'; expected True or False"):
        device.activate(fast_random="no")


def test_an_option_that_comes_too_late_is_refused(tmp_path: Path) -> None:
    set_device(dense_pathways.NAME, build_on_run=False)
    group = NeuronGroup(2, "v : 1")
    Network(group).run(1 * ms)
    with pytest.raises(TypeError, match="fast_random=True comes too late"):
        device.build(directory=str(tmp_path), run=False, compile=False, fast_random=True)
    device.build(directory=str(tmp_path), run=False, compile=False, with_output=False, fast_random=False)
    assert (tmp_path / "main.cpp").exists()


def test_options_of_the_device_do_not_disturb_an_automatic_build(tmp_path: Path) -> None:
    set_device(dense_pathways.NAME, directory=str(tmp_path), compile=False, run=False, **CHOSEN)
    device.reinit()
    device.activate(directory=str(tmp_path), compile=False, run=False)
    group = NeuronGroup(2, "v : 1", threshold="rand() < 0.5", reset="", name="group")
    Network(group).run(1 * ms)
    # its number is another where an earlier test had a group of that name
    (thresholder,) = (tmp_path / "code_objects").glob("group*_spike_thresholder_codeobject*.cpp")
    assert "_dense_random::generator" in thresholder.read_text()
