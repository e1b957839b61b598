"""Spikes that come with the samples: input neurons fire when they say, whatever network they drive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.models import given_spikes
from tests.models import input_spikes, small_symmetric_networks
from tests.models.small_networks import PIXELS

SAMPLES, MOST, STEPS = 6, 5, 60


def rows(seed: int = 4) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Samples as rows of bytes, and as a raster ``(samples, steps of 0.1 ms, neurons)``; the last one is empty."""
    generator = np.random.default_rng(seed)
    raster = np.zeros((SAMPLES, 10 * STEPS, PIXELS), bool)
    pairs = np.zeros((SAMPLES, 200, 2), "<u4")
    for sample in range(SAMPLES - 1):
        neuron = generator.permutation(np.repeat(np.arange(PIXELS), MOST))[:120]
        time = generator.integers(0, 10 * STEPS, 120)
        raster[sample, time, neuron] = True
        pairs[sample, 40:160, 0], pairs[sample, 40:160, 1] = 100 * time + 30, neuron + 1
    return pairs.reshape(SAMPLES, -1).view(np.uint8), raster


def by_step(raster: NDArray[np.bool_], each: int) -> NDArray[np.bool_]:
    """The raster in steps of so many."""
    return np.asarray(raster.reshape(SAMPLES, -1, each, PIXELS).any(axis=2))


def test_each_neuron_is_due_at_its_spikes_in_order() -> None:
    bytes_, raster = rows()
    wanted = by_step(raster, 10)
    due = given_spikes.due(bytes_, PIXELS, MOST, 1e-3, STEPS).reshape(SAMPLES, PIXELS, MOST + 1)
    for sample, neuron in np.ndindex(SAMPLES, PIXELS):
        times = np.flatnonzero(wanted[sample, :, neuron]).tolist()
        assert due[sample, neuron].tolist() == times + [given_spikes.NEVER] * (MOST + 1 - len(times))


def test_what_a_network_cannot_be_given_is_refused() -> None:
    bytes_, raster = rows()
    with pytest.raises(ValueError, match=f"expected {PIXELS - 1} neurons and 60 ms"):
        given_spikes.due(bytes_, PIXELS - 1, MOST, 1e-3, STEPS)
    with pytest.raises(ValueError, match="expected 64 neurons and 30 ms, as long as inputs are shown"):
        given_spikes.due(bytes_, PIXELS, MOST, 1e-3, 30)
    most = int(by_step(raster, 10).sum(axis=1).max())
    with pytest.raises(ValueError, match=f"n_given={most - 1}: a neuron fires {most} times in a sample"):
        given_spikes.due(bytes_, PIXELS, most - 1, 1e-3, STEPS)


@input_spikes.SHOWN_ON_DEVICES
def test_input_neurons_fire_as_they_are_told(networks: Any, device: str, tmp_path: Path) -> None:
    """Also where a controller shows samples again, and with both ways of telling which sample is shown."""
    make: Callable[..., Any] = networks.small_model
    model = make(encoder="given", n_given=MOST)
    bytes_, raster = rows()
    fired, shown = input_spikes.fired(networks, model, bytes_, device, tmp_path)
    if networks is small_symmetric_networks:
        assert len(np.unique(shown)) < SAMPLES
    wanted = by_step(raster, round(float(model.dt) * 1e4))
    assert np.array_equal(fired[:, : wanted.shape[1]], wanted[shown])
    assert not fired[:, wanted.shape[1] :].any()
    assert wanted.any(axis=(1, 2)).tolist() == [True] * (SAMPLES - 1) + [False]
    presented = np.bincount(shown, minlength=SAMPLES)
    assert model.input_spikes("train", bytes_, presented) >= fired.sum()
