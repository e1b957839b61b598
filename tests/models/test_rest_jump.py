"""Jumping over the rest of a presentation changes no spike of a trained network (Hao et al., Section 3).

In double precision: in single precision the two ways of letting a potential decay round differently, which moves a
spike or two in a thousand images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbarium.catalogue.registry import find
from hebbarium.datasets import by_name as datasets
from hebbarium.engine import devices, presentations, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, Spikes, Structure
from hebbarium.models.contract import Model
from hebbarium.training import parameters
from hebbarium.training.responses import frozen_state

IMAGES = 1000


def trained(model: Model, scratch: Path, images: int) -> Arrays:
    """State after a pass through some of the digits that come with the project."""
    digits = datasets.load("mnist-embedded")
    program = devices.program(Structure(model, "train", "float32", "dense", 1000), scratch)
    state = initial_state(model, "train", model.initial_state(streams.generator(0, streams.INITIAL_WEIGHTS)))
    for start in range(0, images, 1000):
        shown = slice(start, start + 1000)
        inputs = model.inputs("train", digits.train_images[shown], digits.train_labels[shown])
        state = presentations.show(program, Block(state, inputs, model.run_time_values(), start)).state
    return state


def spikes_of(model: Model, state: Arrays, scratch: Path) -> Spikes:
    """Hidden spikes in a thousand presentations of test digits, as steps of their presentations."""
    digits = datasets.load("mnist-embedded")
    structure = Structure(model, "test", "float64", "dense", 1000)
    inputs = model.inputs("test", digits.test_images[:IMAGES], np.zeros(IMAGES, int))
    block = Block(frozen_state(model, "test", state), inputs, model.run_time_values(), 7)
    found = devices.program(structure, scratch).run(block).spikes["excitatory"]
    steps = structure.sample_steps
    return Spikes(found.step // steps * 1000 + found.step % steps, found.neuron)


@pytest.mark.long
def test_no_spike_changes_in_a_thousand_images(tmp_path: Path) -> None:
    full = parameters.apply(find("symmetric_stdp"), {"neurons": "100"})
    jump = full.replace(rest="jump")
    assert (jump.sample_steps("test"), full.sample_steps("test")) == (750, 1000)
    state = trained(jump, tmp_path, 2000)
    jumped, simulated = spikes_of(jump, state, tmp_path), spikes_of(full, state, tmp_path)
    assert len(jumped.step) > 5 * IMAGES
    np.testing.assert_array_equal(jumped.step, simulated.step)
    np.testing.assert_array_equal(jumped.neuron, simulated.neuron)
