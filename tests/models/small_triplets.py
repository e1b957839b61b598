"""Small networks of Diehl & Cook that fire and learn within a few short images, and how to run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from brian2 import hertz, ms, mV
from numpy.typing import NDArray

from hebbarium.engine import devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, BlockResult, Structure
from hebbarium.models.diehl_cook import DiehlCook

PIXELS, NEURONS, CAPACITY = 64, 8, 6
EVERYONE = ("input", "excitatory", "inhibitory")


def small_model(**changes: Any) -> DiehlCook:
    """64 inputs, 8 neurons, presentations of 50 ms and 15 ms of rest, learning fast enough to show in six of them."""
    settings: dict[str, Any] = {
        "pixels": PIXELS, "neurons": NEURONS, "delays": "uniform", "t_shown": 50 * ms, "t_rest": 15 * ms, "w_t": 14.0,
        "rate_step": 150 * hertz, "a_plus": 0.1, "a_minus": 0.02, "theta_plus": 2 * mV, "tau_theta": 300 * ms,
        "w_max": 0.6,
    }
    return DiehlCook(**(settings | changes))


def images(count: int = CAPACITY) -> NDArray[np.uint8]:
    """Blobs at different places, `count` images of 8 x 8 pixels; the third is too dim to evoke five spikes."""
    generator = np.random.default_rng(8)
    row, column = np.mgrid[:8, :8]
    centres = generator.uniform(1, 6, (count, 2))
    blobs = np.array([np.exp(-((row - r) ** 2 + (column - c) ** 2) / 8) for r, c in centres])
    blobs[2:3] *= 0.35
    return np.round(255 * blobs).astype(np.uint8).reshape(count, PIXELS)


def first_state(model: DiehlCook, phase: str = "train") -> dict[str, NDArray[Any]]:
    """The state before the first image, weights and delays drawn from a fixed seed."""
    return dict(initial_state(model, phase, model.initial_state(np.random.default_rng(3))))


def run_images(
    model: DiehlCook, device: str, scratch: Path, *, phase: str = "train", precision: str = "float64",
    shown: NDArray[np.uint8] | None = None, state: dict[str, NDArray[Any]] | None = None, seed: int = 5,
) -> BlockResult:
    """As many presentations as there are images, everyone's spikes recorded."""
    pictures = images() if shown is None else shown
    program = devices.program(Structure(model, phase, precision, device, CAPACITY, EVERYONE), scratch)
    begin = first_state(model, phase) if state is None else state
    return program.run(Block(begin, model.encode(pictures), model.run_time_values(), seed))
