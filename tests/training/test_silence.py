"""Networks in which no neuron fires, or hardly any, say so."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training import silence
from hebbarium.training.silence import Silence

MODEL = SynapticScaling(neurons=20)


def said(counts: NDArray[np.integer], classes: int = 10) -> str:
    firing = Silence(MODEL, "excitatory", classes)
    for block in np.array_split(counts, 3):
        firing.add(block)
    return firing.warning("testing")


def firing(neurons: int, images: int, of: int = 30) -> NDArray[np.uint16]:
    """Responses of 20 neurons, of which some fire, to images, of which some evoke a spike."""
    counts = np.zeros((of, 20), np.uint16)
    counts[np.arange(images), np.arange(images) % neurons] = 3
    return counts


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (firing(20, 30), ""),
        (firing(5, 30), ""),
        (firing(20, 15), ""),
        (firing(20, 0), "testing: no neuron fired, of 20 in 'excitatory'"),
        (firing(20, 14), "14 of 20 neurons of 'excitatory' fired, and 16 of 30 images evoked no spike"),
        (firing(4, 30), "nearly silent, 4 of 20 neurons of 'excitatory' fired, and 0 of 30 images"),
        (firing(20, 0, of=0), ""),
    ],
)
def test_what_is_said_depends_on_what_fires(counts: NDArray[np.uint16], says: str) -> None:
    assert (says in said(counts)) if says else said(counts) == ""


def test_a_network_needs_no_more_neurons_than_it_has_or_classes_than_there_are() -> None:
    assert said(firing(9, 30), classes=26)
    assert not said(firing(10, 30), classes=26)
    assert not said(firing(1, 30), classes=2)


def test_every_population_that_answers_is_asked() -> None:
    model = SymmetricSTDP(neurons=20)
    counts = {"excitatory": firing(20, 30), "classes": np.zeros((30, 10), int)}
    (warning,) = silence.warnings(model, counts, 10, "testing")
    assert "no neuron fired, of 10 in 'classes'" in warning
    assert silence.warnings(DesireBackprop(), {"output": np.ones((30, 10), int)}, 10, "testing") == []


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (MODEL, ("total_rate", "v_thresh", "w_t", "dt")),
        (SymmetricSTDP(), ("rate_step", "v_thresh", "theta_init", "beta")),
        (DesireBackprop(), ("white", "theta_p")),
    ],
)
def test_the_advice_names_the_model_s_own_parameters(model: SynapticScaling, shown: tuple[str, ...]) -> None:
    text = silence.advice(model)
    assert f"`hebbarium describe {model.name}`" in text
    assert all(f" {symbol}" in text for symbol in shown)
