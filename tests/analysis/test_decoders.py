"""Decoders and statistics of spike trains, on rasters whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.analysis import decoders

DT = 1e-3


def raster(steps: int, *trains: tuple[int, ...]) -> NDArray[np.bool_]:
    """One presentation; the steps at which each neuron fires."""
    made = np.zeros((1, steps, len(trains)), bool)
    for neuron, train in enumerate(trains):
        made[0, list(train), neuron] = True
    return made


def random_raster(p: NDArray[np.float64], samples: int, steps: int) -> NDArray[np.bool_]:
    return np.random.default_rng(1).random((samples, steps, len(p))) < p


def test_rates_and_histogram() -> None:
    trials = np.concatenate([raster(10, (0, 1), (7,)), raster(10, (1,), ())])
    assert decoders.rates(trials, DT).tolist() == [[200, 100], [100, 0]]
    assert decoders.histogram(trials, DT, 5).tolist() == [[300, 0], [0, 100]]
    assert decoders.histogram(trials, DT, 6).shape == (1, 2)
    with pytest.raises(ValueError, match="bins of 11 steps: a presentation has 10"):
        decoders.histogram(trials, DT, 11)


def test_levels_by_rate() -> None:
    assert decoders.from_rate(raster(10, (0, 1), (), (3,)), 0.4).tolist() == [[0.5, 0, 0.25]]
    assert decoders.from_rate(raster(10, tuple(range(10))), 0.4).tolist() == [[1]]


def test_levels_by_latency() -> None:
    spikes = raster(10, (0,), (3, 4), (), (5,), (9,))
    np.testing.assert_allclose(decoders.from_latency(spikes, 5), [[1, 0.4, 0, 0, 0]])
    assert decoders.first_spikes(spikes).tolist() == [[0, 3, 10, 5, 9]]


def test_levels_by_phase() -> None:
    spikes = raster(20, (0, 5, 10, 15), (1, 6, 11, 16), (), (4, 9, 14), (4, 5, 14, 15), (0, 2, 5, 10), (2, 3))
    np.testing.assert_allclose(decoders.from_phase(spikes, 5), [[1, 0.8, 0, 0.2, 0, 1, 0]], atol=1e-9)
    np.testing.assert_allclose(decoders.from_phase(spikes[:, :4], 5), [[1, 0.8, 0, 0, 0, 1, 0.6]], atol=1e-9)
    strength = decoders.vector_strength(spikes, 5)[0]
    np.testing.assert_allclose(strength[[0, 1, 3]], 1)
    assert np.isnan(strength[2])
    np.testing.assert_allclose(strength[4], np.cos(np.pi / 5))


def test_levels_by_population() -> None:
    levels = np.array([[0.0, 0.3, 0.5, 0.85, 1.0]])
    p = 0.1 * decoders.tuning(levels, 4, 0.2).ravel()
    found = decoders.from_population(random_raster(p, 1, 20_000), 4, 0.2, 0.1)
    np.testing.assert_allclose(found, levels, atol=0.02)
    # four neurons that are tuned to 0, 1/3, 2/3 and 1: the first alone, the inner two alike, the outer two alike
    few = raster(30, (1, 5), (), (), (), (), (4,), (3,), (), (2,), (), (), (9,))
    np.testing.assert_allclose(decoders.from_population(few, 4, 0.2, 0.1), [[0, 0.5, 0.5]], atol=0.011)


def test_levels_by_synchrony_pass_over_spikes_that_are_alone() -> None:
    generator = np.random.default_rng(4)
    copied = 0.8 * np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 8)
    mother = np.zeros((1, 40_000, 1), bool)
    mother[0, ::10] = True
    copies = mother & (generator.random((1, 40_000, 40)) < copied)
    decoded = decoders.from_synchrony(copies, 0.8)
    np.testing.assert_allclose(decoded, copied[np.newaxis] / 0.8, atol=5 * np.sqrt(0.25 / 4000) / 0.8)
    alone = copies | (~mother & (generator.random(copies.shape) < 0.02))
    assert np.array_equal(decoders.from_synchrony(alone, 0.8), decoded)
    assert not np.array_equal(decoders.from_rate(alone, 0.08), decoders.from_rate(copies, 0.08))
    assert decoders.from_synchrony(raster(5, (), ()), 0.5).tolist() == [[0, 0]]


def test_statistics_of_independent_trains() -> None:
    p = np.array([0.1, 0.3])
    spikes = random_raster(p, 4000, 50)
    np.testing.assert_allclose(decoders.fano_factor(spikes), 1 - p, atol=0.1)
    assert abs(decoders.correlation(spikes)[0, 1]) < 0.01
    assert np.isnan(decoders.fano_factor(np.concatenate([raster(5, ()), raster(5, ())]))).all()


def test_error_and_information() -> None:
    levels = np.repeat([0.05, 0.3, 0.55, 0.8], 1000)
    assert decoders.error(levels, levels) == 0
    assert decoders.error(levels, levels + 0.1) == pytest.approx(0.1)
    assert decoders.information(levels, levels, 8) == pytest.approx(2)
    assert decoders.information(levels, np.where(levels < 0.5, 0, 1), 8) == pytest.approx(1)
    by_chance = np.random.default_rng(3).permutation(levels)
    assert decoders.information(levels, by_chance, 8) < 9 / (2 * 4000 * np.log(2)) * 4


def test_one_spike_is_lost_or_added_where_it_can_be() -> None:
    generator = np.random.default_rng(2)
    spikes = np.tile(raster(6, (0, 3), (), (0, 1, 2, 3, 4, 5), (2,)), (500, 1, 1))
    counts = spikes[0].sum(axis=0)
    lost = decoders.with_one_lost(spikes, generator)
    assert (lost.sum(axis=1) == np.maximum(counts - 1, 0)).all()
    assert not (lost & ~spikes).any()
    assert 150 < lost[:, 0, 0].sum() < 350  # either of two spikes
    added = decoders.with_one_added(spikes, generator)
    assert (added.sum(axis=1) == np.minimum(counts + 1, 6)).all()
    assert not (spikes & ~added).any()
    assert (added[:, :, 1].sum(axis=0) > 40).all()  # any of six steps
