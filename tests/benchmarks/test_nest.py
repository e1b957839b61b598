"""Why the network in NEST fires more often: its spikes travel for a step."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.usual_brian2 import UsualTraining
from hebbarium.datasets import by_name as datasets


@pytest.mark.long
def test_inhibition_that_comes_some_steps_later_lets_more_neurons_fire() -> None:
    """The usual Brian2 network, to whose inhibition a delay is given that NEST cannot do without."""
    images, neurons = datasets.load("mnist-embedded").train_images[:150], 100
    weights = np.random.default_rng(0).random(784 * neurons)
    untrained: dict[str, NDArray[np.floating]] = {"plastic.w": weights, "excitatory.theta": np.zeros(neurons)}
    usual = UsualTraining(neurons, images, untrained)
    for image in images[:120]:
        usual.present(image)
    state: dict[str, NDArray[np.floating]] = {
        "plastic.w": np.array(usual.plastic.w), "excitatory.theta": np.array(usual.excitatory.theta_)
    }  # fmt: skip
    spikes = []
    for steps in (0, 1, 2):
        late = UsualTraining(neurons, images, state)
        for pathway in late.lateral:
            pathway.delay = steps * late.model.dt
        spikes.append(np.mean([late.present(image) for image in images[120:]]))
    assert spikes[1] > 1.5 * spikes[0]
    assert spikes[2] > spikes[1]
