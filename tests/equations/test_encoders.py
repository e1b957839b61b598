"""Input spikes are independent Bernoulli trials of probability lambda*dt at every step (Eq. 1).

Each check is a sum of squares that is chi-square distributed if the encoder is right. With the seeds fixed a
check passes always or never; a right encoder with another seed would fail one in 100,000 times a check.
"""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, SpikeMonitor, ms, seed
from numpy.typing import NDArray

from hebbarium.engine import devices, inspection
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Structure
from hebbarium.engine.runtime import runtime_device
from hebbarium.models.synaptic_scaling import SynapticScaling

FALSE_ALARMS = 1e-5
# Hz; at 1000 Hz every step has a spike
RATES = np.repeat([0.0, 1.0, 9.3, 20.0, 63.75, 150.0, 400.0, 1000.0], 8)
STEPS = 50
ENCODERS = ["geometric", "bernoulli"]

Raster = NDArray[np.bool_]


def model_of(encoder: str) -> SynapticScaling:
    return SynapticScaling(pixels=len(RATES), neurons=2, encoder=encoder, t_train=STEPS * ms, tau_p=20 * ms)


def compiled_raster(encoder: str, folder: Path, block_seed: int, samples: int = 600) -> Raster:
    """Spikes ``(steps, inputs)`` of a compiled program."""
    model = model_of(encoder)
    program = devices.program(Structure(model, "respond", "float64", "dense", 600, ("input",)), folder)
    state = initial_state(model, "respond", model.initial_state(np.random.default_rng(0)))
    inputs = {"rates": np.tile(RATES, (samples, 1))}
    spikes = program.run(Block(state, inputs, model.run_time_values(), block_seed)).spikes["input"]
    return raster(spikes.step, spikes.neuron, samples * STEPS)


def interpreted_raster(encoder: str, samples: int = 80) -> Raster:
    """Spikes of the input population alone, in Brian2's runtime with NumPy."""
    model = model_of(encoder)
    with runtime_device("numpy", "float64"):
        network = model.build("respond", {"rates": np.tile(RATES, (samples, 1))})
        monitor = SpikeMonitor(network["input"])
        alone = Network(network["input"], monitor)
        for full, symbol in inspection.run_time_variables(alone, set(model.run_time_values())).items():
            dict(inspection.arrays(alone))[full].set_value(model.run_time_values()[symbol])
        seed(6)
        alone.run(samples * STEPS * ms)
        return raster(np.rint(np.asarray(monitor.t / ms)).astype(int), np.asarray(monitor.i), samples * STEPS)


def raster(step: NDArray[Any], neuron: NDArray[Any], steps: int) -> Raster:
    spikes = np.zeros((steps, len(RATES)), bool)
    spikes[step, neuron] = True
    assert spikes.sum() == len(step), "an input fired twice in one step"
    return spikes


def quantile(freedom: int, probability: float) -> float:
    """Chi-square quantile by Wilson and Hilferty's cube, good to a few per mille here."""
    z = NormalDist().inv_cdf(probability)
    spread = 2 / (9 * freedom)
    return float(freedom * (1 - spread + z * spread**0.5) ** 3)


def assert_chance(squares: NDArray[np.float64], what: str) -> None:
    """The sum of squared standard normal deviates lies within both tails."""
    freedom, total = squares.size, float(squares.sum())
    low, high = quantile(freedom, FALSE_ALARMS / 2), quantile(freedom, 1 - FALSE_ALARMS / 2)
    found = f"{what}: chi-square {total:.1f} with {freedom} degrees of freedom"
    assert low < total < high, f"{found}, expected {low:.1f} to {high:.1f}"


def assert_bernoulli(spikes: Raster) -> None:
    """Rates, counts a window, steps of a sample, correlations in time and between inputs."""
    p = RATES * 1e-3
    assert not spikes[:, p == 0].any(), "inputs of rate zero fire"
    assert spikes[:, p == 1].all(), "inputs of 1000 Hz miss a step of 1 ms"
    spikes, p = spikes[:, (p > 0) & (p < 1)], p[(p > 0) & (p < 1)]
    steps, inputs = spikes.shape
    variance = p * (1 - p)

    assert_chance((spikes.sum(axis=0) - steps * p) ** 2 / (steps * variance), "rates")

    # Counts in windows vary as binomial numbers do: neither more regular nor more bursty. Few and rare counts
    # are no normal deviates, so that windows are long enough for five spikes.
    busy = p >= 0.02
    window = 250
    counts = spikes[:, busy].reshape(-1, window, busy.sum()).sum(axis=1)
    assert_chance((counts - window * p[busy]) ** 2 / (window * variance[busy]), "counts a window")

    # The switch to the next image leaves no mark on any step of a sample.
    by_step = spikes.reshape(-1, STEPS, inputs).sum(axis=(0, 2))
    trials = steps / STEPS
    assert_chance((by_step - trials * p.sum()) ** 2 / (trials * variance.sum()), "steps of a sample")

    # Correlations at lags, and between inputs at the same step and the next: each is N(0, 1/steps).
    z = (spikes[:, busy] - p[busy]) / np.sqrt(variance[busy])
    lags = [np.mean(z[lag:] * z[:-lag], axis=0) ** 2 * (steps - lag) for lag in (1, 2, 3, 5, 10, STEPS)]
    assert_chance(np.concatenate(lags), "correlations in time")
    upper = np.triu_indices(z.shape[1], 1)
    assert_chance(((z.T @ z)[upper] ** 2) / steps, "correlations between inputs")
    apart = ~np.eye(z.shape[1], dtype=bool)
    assert_chance(((z[1:].T @ z[:-1])[apart] ** 2) / (steps - 1), "correlations between inputs, a step apart")


def assert_intervals_are_geometric(spikes: Raster) -> None:
    """Intervals between spikes, ten of one rate together."""
    for rate in (20.0, 63.75, 150.0, 400.0):
        p = rate * 1e-3
        intervals = np.concatenate([np.diff(np.flatnonzero(s)) for s in spikes[:, rate == RATES].T])
        edges = np.unique(np.round(np.log1p(-np.linspace(0, 0.95, 12)) / np.log1p(-p)))
        survival = (1 - p) ** edges
        expected = len(intervals) * np.append(survival[:-1] - survival[1:], survival[-1])
        found = np.histogram(intervals, np.append(edges + 0.5, np.inf))[0]
        # a multinomial's squares have one degree of freedom less than cells; the largest cell makes up for it
        assert_chance((found - expected)[1:] ** 2 / expected[1:], f"intervals at {rate} Hz")


@pytest.mark.long
@pytest.mark.parametrize("encoder", ENCODERS)
def test_compiled_inputs_are_poisson(encoder: str, tmp_path: Path) -> None:
    spikes = compiled_raster(encoder, tmp_path, block_seed=1)
    assert_bernoulli(spikes)
    assert_intervals_are_geometric(spikes)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ENCODERS)
def test_streams_of_two_seeds_are_independent(encoder: str, tmp_path: Path) -> None:
    first, again, second = (compiled_raster(encoder, tmp_path, s) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    p = RATES * 1e-3
    busy = (p >= 0.02) & (p < 1)
    a, b = ((s[:, busy] - p[busy]) / np.sqrt(p[busy] * (1 - p[busy])) for s in (first, second))
    assert_chance((a.T @ b).ravel() ** 2 / len(a), "correlations between seeds")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_interpreted_inputs_are_poisson(encoder: str) -> None:
    assert_bernoulli(interpreted_raster(encoder))


def test_the_checks_notice_other_trains() -> None:
    """Negative controls: even intervals, bursts, copies of a neighbour, a higher rate."""
    generator = np.random.default_rng(2)
    steps = 30000
    good = generator.random((steps, len(RATES))) < RATES * 1e-3
    assert_bernoulli(good)
    p = RATES * 1e-3
    even = (np.arange(steps)[:, None] * p + generator.random(len(p))) % 1 < p
    with pytest.raises(AssertionError, match="rates"):
        assert_bernoulli(even)
    swings = np.where((p < 1) & (np.arange(steps)[:, None] // 250 % 2 > 0), 2 * p, p * (p == 1))
    bursts = generator.random((steps, len(p))) < swings
    with pytest.raises(AssertionError, match="counts a window"):
        assert_bernoulli(bursts)
    copied = good.copy()
    copied[:, 33] = copied[:, 32]
    with pytest.raises(AssertionError, match="between inputs"):
        assert_bernoulli(copied)
    faster = generator.random((steps, len(RATES))) < np.minimum(RATES * 1.1, 1000) * 1e-3
    with pytest.raises(AssertionError, match="rates"):
        assert_bernoulli(faster)


def test_pixels_become_rates() -> None:
    image = np.zeros((3, 784), np.uint8)
    image[0, :4], image[1, 5:9] = (255, 51, 0, 204), (255, 255, 51, 0)
    summed = SynapticScaling(total_rate=5000 * Hz).encode(image)["rates"]
    np.testing.assert_allclose(summed.sum(axis=1), [5000, 5000, 0], rtol=1e-12)
    np.testing.assert_allclose(summed[0, :4] / summed[0, 0], [1, 0.2, 0, 0.8])
    peak = SynapticScaling(rate_coding="peak", max_rate=63.75 * Hz).encode(image)["rates"]
    np.testing.assert_allclose(peak[0, :4], [63.75, 12.75, 0, 51])
    binary = SynapticScaling(rate_coding="binary", total_rate=5000 * Hz).encode(image)["rates"]
    np.testing.assert_allclose(binary[1, 4:9], np.array([0, 1, 1, 1, 0]) * 5000 / 3)
    assert not np.isnan(binary).any()
