"""Small networks that are told the classes of a few images, at a rate of learning that falls from one to the next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, BlockResult, Structure
from hebbarium.models.contract import Arrays, Model
from tests.models.small_networks import CAPACITY, images

CLASSES = 3
LABELS = np.array([0, 1, 2, 0, 1, 2][:CAPACITY])


def first_weights(model: Model) -> Arrays:
    """What a model draws, from a fixed seed."""
    return dict(model.initial_state(np.random.default_rng(3)))


def show(
    model: Model, populations: tuple[str, ...], learning_rates: NDArray[np.float64], device: str, folder: Path,
    phase: str = "train", labels: NDArray[np.integer] = LABELS,
) -> BlockResult:
    """Show the images to a network in double precision, with the spikes of some populations."""
    program = devices.program(Structure(model, phase, "float64", device, CAPACITY, populations), folder)
    inputs = model.inputs(phase, images(), labels)
    if phase == "train":
        inputs["learning_rates"] = learning_rates
    first = initial_state(model, phase, first_weights(model))
    return program.run(Block(dict(first), inputs, model.run_time_values(), 5))
