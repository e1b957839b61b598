"""The model against its twin in plain NumPy: spikes, desires, errors, weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbarium.engine import anatomy
from hebbarium.models.desire_backprop import DesireBackprop
from tests.models.desire_networks import (
    ETA,
    GivenMasks,
    first_state,
    masks,
    run_samples,
    samples,
    settings_of,
    small_model,
    twin,
    weights,
)
from tests.oracles.desire_backprop import Network, Sample

CASES: dict[str, tuple[type[DesireBackprop], dict[str, Any]]] = {
    "code": (DesireBackprop, {"reading": "code"}),
    "paper": (DesireBackprop, {"reading": "paper"}),
    "code, dropout": (GivenMasks, {"reading": "code", "p_hidden": 0.3, "p_input": 0.1}),
    "paper, dropout": (GivenMasks, {"reading": "paper", "p_hidden": 0.3, "p_input": 0.1}),
}


def learn(network: Network, model: DesireBackprop, count: int) -> list[Sample]:
    """Show the twin the samples that the model is shown."""
    images, labels = samples(count)
    drawn = list(masks(model, count).values()) if isinstance(model, GivenMasks) else None
    return [
        network.learn(images[k], int(labels[k]), ETA, None if drawn is None else [mask[k] for mask in drawn])
        for k in range(count)
    ]


def assert_alive(model: DesireBackprop, shown: list[Sample]) -> None:
    """Every layer fires, and has desires of each kind, in a good part of the samples."""
    for layer in range(1, len(model.layers) + 2):
        spikes = np.array([s.spikes[layer].sum() for s in shown])
        desires = np.concatenate([s.desires[layer - 1] for s in shown])
        assert (spikes > 3).mean() > 0.5, f"layer {layer} is all but silent"
        assert all((desires == d).mean() > 0.02 for d in (-1, 0, 1)), f"layer {layer} has desires of one kind"


@pytest.mark.long
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_network_is_its_twin_over_400_samples(
    case: tuple[type[DesireBackprop], dict[str, Any]], tmp_path: Path
) -> None:
    model = small_model(case[0], **case[1])
    result = run_samples(model, "dense", tmp_path, 400, record=("input", *model.hidden))
    network = twin(model)
    shown = learn(network, model, 400)
    assert_alive(model, shown)
    for layer, (name, size) in enumerate(anatomy.populations(model).items()):
        counted = result.spikes[name].counts(400, model.steps, size)
        np.testing.assert_array_equal(counted, [s.spikes[layer].sum(axis=0) for s in shown], err_msg=name)
    for ours, expected, first in zip(
        weights(model, result.state), network.weights, weights(model, first_state(model)), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)
        assert np.abs(expected - first).max() > 0.1, "hardly anything was learned"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_network_is_its_twin(case: tuple[type[DesireBackprop], dict[str, Any]], tmp_path: Path) -> None:
    model = small_model(case[0], **case[1])
    result = run_samples(model, "numpy", tmp_path, 12)
    network = twin(model)
    last = learn(network, model, 12)[-1]
    for ours, expected in zip(weights(model, result.state), network.weights, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)
    for layer, name in enumerate((*model.hidden, "output")):
        # of the lowest hidden layer only neurons that fired, and so can learn, are asked
        asked = last.spikes[1].any(axis=0) if layer == 0 else np.ones(len(last.desires[layer]), bool)
        np.testing.assert_array_equal(result.state[f"{name}.desire"], last.desires[layer] * asked)
        np.testing.assert_allclose(result.state[f"{name}.error"], last.errors[layer] * asked, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "changes",
    [{"theta_out": 0.35}, {"theta_hid": 0.06}, {"beta_r": 0.7}, {"beta_p": 0.7}, {"theta_p": 1.1}, {"margin": 3}],
    ids=str,
)
def test_a_twin_with_another_setting_is_noticed(changes: dict[str, Any]) -> None:
    model = small_model()
    network, other = twin(model), twin(model)
    other.settings = dataclasses.replace(settings_of(model), **changes)
    learn(network, model, 12)
    learn(other, model, 12)
    assert any(np.abs(a - b).max() > 1e-9 for a, b in zip(network.weights, other.weights, strict=True))
