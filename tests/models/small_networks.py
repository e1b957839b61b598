"""Small winner-take-all networks that fire and learn within a few short images, and how to run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from brian2 import hertz, ms
from numpy.typing import NDArray

from hebbarium.engine import devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, BlockResult, Spikes, Structure
from hebbarium.models.synaptic_scaling import SynapticScaling

PIXELS, NEURONS, CAPACITY = 64, 8, 6
EVERYONE = ("input", "excitatory", "inhibitory")
#: target norms under which the small network fires as eagerly as the whole one
TARGETS = {"L1": 28.0, "L2": 4.0, "Lp": 2.1, "none": 9.0}


def small_model(**changes: Any) -> SynapticScaling:
    """64 inputs, 8 neurons, presentations of 60 ms, learning fast enough to show within six images."""
    norm = changes.get("norm", "L2")
    settings: dict[str, Any] = {
        "pixels": PIXELS, "neurons": NEURONS, "t_train": 60 * ms, "t_test": 60 * ms, "tau_p": 20 * ms,
        "w_t": TARGETS[norm], "a_plus": 0.02, "a_minus": 0.01,
        # strengths at which eight neurons compete: each inhibits the others as a hundred would together
        "inhibition": "each", "gain": 0.7 * ms, "w_ei": 25 * ms, "w_ie": 5 * ms, "total_rate": 7291 * hertz,
    }
    if norm == "Lp":
        settings["p_norm"] = 3.0
    return SynapticScaling(**(settings | changes))


def images(count: int = CAPACITY) -> NDArray[np.uint8]:
    """Blobs at different places: `count` images of 8 x 8 pixels."""
    generator = np.random.default_rng(8)
    side = round(PIXELS**0.5)
    row, column = np.mgrid[:side, :side]
    centres = generator.uniform(1, side - 2, (count, 2))
    blobs = [np.exp(-((row - r) ** 2 + (column - c) ** 2) / 8) for r, c in centres]
    return np.round(255 * np.array(blobs)).astype(np.uint8).reshape(count, PIXELS)


def first_state(model: SynapticScaling, phase: str) -> dict[str, NDArray[Any]]:
    """The state before the first image, weights drawn from a fixed seed."""
    return dict(initial_state(model, phase, model.initial_state(np.random.default_rng(3))))


def run_images(
    model: SynapticScaling, device: str, scratch: Path, *, phase: str = "train", precision: str = "float64",
    count: int = CAPACITY, state: dict[str, NDArray[Any]] | None = None, seed: int = 5,
) -> BlockResult:
    """Present `count` images and record everyone's spikes."""
    program = devices.program(Structure(model, phase, precision, device, CAPACITY, EVERYONE), scratch)
    return program.run(Block(
        first_state(model, phase) if state is None else state,
        model.encode(images(count)), model.run_time_values(), seed,
    ))


def in_order(spikes: Spikes) -> list[tuple[int, int]]:
    """Spikes as twins list them, by step and neuron."""
    return sorted(zip(spikes.step.tolist(), spikes.neuron.tolist(), strict=True))
