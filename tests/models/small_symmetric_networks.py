"""Small networks with a controller and a class layer that fire and learn within a few short images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from brian2 import hertz, ms, mV
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, BlockResult, Structure
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.training import parameters
from tests.models.small_networks import PIXELS, images

__all__ = ["CAPACITY", "NEURONS", "PIXELS", "first_state", "images", "labels", "run_images", "small_model", "trained"]

NEURONS, CAPACITY = 8, 6

#: what makes eight neurons share the images, and some images take more than one presentation
_SETTINGS: dict[str, Any] = {
    "pixels": PIXELS, "neurons": NEURONS, "t_shown": 60 * ms, "t_rest": 20 * ms, "t_settle": 10 * ms,
    "rate_step": 100 * hertz, "w_ie": 4.0, "beta": 0.3, "a_plus": 0.01, "a_plus_class": 0.1, "beta_class": 0.3,
    "theta_plus": 0.5 * mV, "tau_theta": 2e3 * ms, "n_least": 9.0, "intensity_most": 5.0, "rest": "full",
}  # fmt: skip
_FOR_LAYERS: dict[int, dict[str, Any]] = {
    0: {"beta_class": 0.01},
    1: {},
    2: {"tau_ge": 4 * ms, "w_ie": 1.0, "beta": 0.5, "n_least": 14.0},
}


_TRAINED: dict[tuple[str, ...], BlockResult] = {}
"""What came of training on NumPy, by the model's parameters: many tests begin with one of a few networks."""


def small_model(**changes: Any) -> SymmetricSTDP:
    """64 inputs, 8 hidden neurons a layer, 60 ms of presentation and 20 ms of rest."""
    return SymmetricSTDP(**(_SETTINGS | _FOR_LAYERS[changes.get("hidden", 1)] | changes))


def labels(count: int = CAPACITY) -> NDArray[np.int64]:
    """A class for each image."""
    return np.arange(count) * 3 % 10


def first_state(model: SymmetricSTDP, phase: str) -> dict[str, NDArray[Any]]:
    """The state before the first image, weights drawn from a fixed seed."""
    return dict(initial_state(model, phase, model.initial_state(np.random.default_rng(3))))


def trained(model: SymmetricSTDP, scratch: Path) -> dict[str, NDArray[Any]]:
    """Weights and thresholds after some presentations, as training hands them on."""
    key = tuple(parameters.table(model).values())
    if key not in _TRAINED:
        _TRAINED[key] = run_images(model, "numpy", scratch)
    state = model.handed_on(_TRAINED[key].state)
    return {k: v for k, v in state.items() if k.endswith((".w", ".theta"))}


def run_images(
    model: SymmetricSTDP, device: str, scratch: Path, *, phase: str = "train", precision: str = "float64",
    count: int = CAPACITY, state: dict[str, NDArray[Any]] | None = None, seed: int = 5,
    pictures: NDArray[np.uint8] | None = None,
) -> BlockResult:
    """Run `count` presentations and record everyone's spikes; ``state`` replaces parts of the first one."""
    everyone = tuple(anatomy.of(model, phase).populations)
    program = devices.program(Structure(model, phase, precision, device, CAPACITY, everyone), scratch)
    begin = first_state(model, phase)
    begin |= {k: v for k, v in (state or {}).items() if k in begin}
    shown = images(count) if pictures is None else pictures
    return program.run(Block(begin, model.inputs(phase, shown, labels(len(shown))), model.run_time_values(), seed))
