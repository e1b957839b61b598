"""Every encoder against its statistics, its decoder against what went in, and what is refused.

Seeds are fixed, so that each check passes always or never. Bounds are four standard errors unless they say otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.analysis import decoders
from hebbarium.engine import devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Structure
from hebbarium.models.encoded_inputs import ENCODINGS, EncodedInputs
from hebbarium.studies import encodings
from hebbarium.studies.encodings import Encoding, levels_of, model_of, spikes_of
from hebbarium.training.parameters import SettingError

EACH, TRIALS = 150, 10
LEVELS = np.repeat([0.0, 0.1, 0.25, 0.5, 0.8, 1.0], EACH)[np.newaxis]
P_WHITE = 0.06375
BY_RATE = ("geometric", "bernoulli", "modulated")


def encoded(
    encoder: str, trials: int = TRIALS, levels: NDArray[np.float64] = LEVELS, **changes: str
) -> decoders.Raster:
    return spikes_of(model_of(encoder, changes), np.repeat(levels, trials, axis=0), seed=3)


def by_level(values: NDArray[Any]) -> NDArray[np.float64]:
    """Of each level's neurons, the mean over these and over trials."""
    return np.asarray(values.reshape(-1, 6, EACH).mean(axis=(0, 2)))


@pytest.fixture(scope="module")
def rasters() -> Mapping[str, decoders.Raster]:
    """Of all encoders, levels shown several times."""
    return {encoder: encoded(encoder) for encoder in ENCODINGS}


@pytest.mark.parametrize("encoder", BY_RATE)
@pytest.mark.long
def test_counts_are_binomial(encoder: str, rasters: Mapping[str, decoders.Raster]) -> None:
    raster = rasters[encoder]
    steps, p = raster.shape[1], P_WHITE * np.unique(LEVELS)
    counts = by_level(raster.sum(axis=1))
    assert (np.abs(counts - steps * p) <= 4 * np.sqrt(steps * p * (1 - p) / (EACH * TRIALS))).all()
    fano = np.nanmean(decoders.fano_factor(raster).reshape(6, EACH)[1:], axis=1)
    # a modulated neuron's probability at a step has the mean square 3/2 p**2
    expected = 1 - (1.5 if encoder == "modulated" else 1) * p[1:]
    np.testing.assert_allclose(fano, expected, atol=4 * np.sqrt(2 / (EACH * TRIALS)))


def test_a_modulated_rate_shows_in_the_histogram(rasters: Mapping[str, decoders.Raster]) -> None:
    model, steps = Encoding(), 5
    within = (np.arange(350) + 0.0) * 1e-3
    true = 63.75 * (1 + np.sin(2 * np.pi * within / float(model.t_code)))
    binned = true.reshape(-1, steps).mean(axis=1)

    def correlated(encoder: str) -> float:
        white = decoders.histogram(rasters[encoder], 1e-3, steps)[:, -EACH:].mean(axis=1)
        return float(np.corrcoef(white, binned)[0, 1])

    assert correlated("modulated") > 0.99
    assert abs(correlated("geometric")) < 4 / np.sqrt(len(binned))


def test_the_first_spike_is_the_only_one_and_earlier_the_brighter(rasters: Mapping[str, decoders.Raster]) -> None:
    raster = rasters["latency"]
    assert (raster.sum(axis=1) == (LEVELS > 0)).all()
    grey = np.linspace(1 / 255, 1, 255)[np.newaxis]
    times = decoders.first_spikes(encoded("latency", 1, grey))[0]
    assert (np.diff(times) <= 0).all()
    assert times[-1] == 0
    assert np.array_equal(times, np.floor((255 - np.arange(1, 256)) / 255 * 50))


@pytest.mark.parametrize("t_code", ["10*ms", "50*ms", "350*ms"])
def test_the_error_of_times_is_less_than_a_step_of_the_code(t_code: str) -> None:
    """Eq. 11: I_max/t_max, t_max in steps."""
    grey = np.random.default_rng(5).random((1, 500))
    for encoder in ("latency", "phase"):
        model = model_of(encoder, {"t_code": t_code})
        error = levels_of(model, spikes_of(model, grey, 1)) - grey
        assert error.min() > -1e-9
        assert error.max() < 1 / model.code_steps
        assert error.max() > 0.9 / model.code_steps


def test_a_phase_has_one_spike_a_cycle(rasters: Mapping[str, decoders.Raster]) -> None:
    raster = rasters["phase"]
    cycles = raster.reshape(TRIALS, 7, 50, -1).sum(axis=2)
    assert (cycles == (LEVELS > 0)).all()
    np.testing.assert_allclose(decoders.vector_strength(raster, 50)[:, EACH:], 1)
    assert np.nanmean(decoders.vector_strength(rasters["geometric"], 50)[:, -EACH:]) < 0.5


def test_a_population_is_tuned(rasters: Mapping[str, decoders.Raster]) -> None:
    raster, model = rasters["population"], Encoding()
    p = P_WHITE * decoders.tuning(np.unique(LEVELS), model.n_tuned, model.width)
    counts = raster.reshape(TRIALS, 350, 6, EACH, model.n_tuned).mean(axis=(0, 1, 3))
    often = p > 1e-3  # rarer ones are no normal deviates
    assert (np.abs(counts - p) <= 4 * np.sqrt(p * (1 - p) / (350 * EACH * TRIALS)))[often].all()
    assert (counts[~often] < 2e-3).all()
    found = levels_of(model.replace(encoder="population"), raster)
    np.testing.assert_allclose(by_level(found), np.unique(LEVELS), atol=0.02)


@pytest.mark.parametrize("copied", [0.2, 0.9])
def test_copies_of_one_train_are_correlated(copied: float, rasters: Mapping[str, decoders.Raster]) -> None:
    """Copied with p from a mother that fires with q at a step: p*q of each, correlation p*(1 - q)/(1 - p*q)."""
    raster = encoded("synchrony", 20, np.ones((1, 12)), copied=str(copied), max_rate="100*Hz")
    p, q = copied, 0.1 / copied
    n = raster.shape[0] * raster.shape[1]
    assert abs(raster.mean() - 0.1) < 4 * np.sqrt(p**2 * q * (1 - q) / n + p * (1 - p) * q / (12 * n))
    pairs = decoders.correlation(raster)[np.triu_indices(12, 1)]
    assert abs(pairs.mean() - p * (1 - q) / (1 - p * q)) < 4 / np.sqrt(n)
    independent = decoders.correlation(rasters["geometric"][:, :, -12:])
    assert abs(independent[np.triu_indices(12, 1)].mean()) < 4 / np.sqrt(350 * TRIALS)


def test_copies_have_their_own_rates(rasters: Mapping[str, decoders.Raster]) -> None:
    counts = by_level(rasters["synchrony"].sum(axis=1)) / 350
    q = P_WHITE / 0.5
    p = 0.5 * np.unique(LEVELS)
    # neurons of a level share the mother: their covariance is p**2*q*(1 - q)
    variance = (p * q * (1 - p * q) + (EACH - 1) * p**2 * q * (1 - q)) / EACH
    assert (np.abs(counts - p * q) <= 4 * np.sqrt(variance / (350 * TRIALS))).all()
    found = levels_of(model_of("synchrony"), rasters["synchrony"])
    np.testing.assert_allclose(by_level(found)[:-1], np.unique(LEVELS)[:-1], atol=0.03)
    assert by_level(found)[-1] > 0.9  # what chance makes more than white counts as white


@pytest.mark.parametrize("encoder", ENCODINGS)
def test_expected_spikes(encoder: str) -> None:
    """What is said of the input's spikes before it runs is what comes."""
    images = np.array([[0, 30, 60, 255, 128, 200], [0, 0, 0, 9, 10, 0], [0, 0, 0, 0, 0, 0]], np.uint8)
    model = model_of(encoder, {"pixels": "6", "t_code": "100*ms", "n_tuned": "3"})
    expected = model.input_spikes("test", images, np.array([4, 4, 4]))
    found = spikes_given(model, np.repeat(images, 4, axis=0)).sum()
    if encoder in ("latency", "phase"):
        assert found == expected
    else:
        assert 0 < abs(found - expected) < 5 * np.sqrt(expected / (0.5 if encoder == "synchrony" else 1) * 3)


def spikes_given(model: EncodedInputs, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Spikes of an image model's own inputs, ``(samples,)``."""
    program = devices.program(Structure(model, "test", "float64", "numpy", len(images)), Path())
    block = Block(initial_state(model, "test", {}), model.encode(images), model.run_time_values(), 7)
    return np.bincount(program.run(block).spikes["input"].step // 350, minlength=len(images))


def test_white_is_the_brightest_pixel_of_an_image() -> None:
    dark = np.array([[0, 20, 40], [0, 0, 0]], np.uint8)
    model = model_of("latency", {"pixels": "3"})
    assert model.encode(dark)["whites"].tolist() == [[pytest.approx(63.75 * 40 / 255)], [0]]
    assert spikes_given(model, dark).tolist() == [2, 0]


def test_a_seed_is_a_draw() -> None:
    model, levels = model_of("synchrony"), np.full((2, 30), 0.5)
    first, again, other = (spikes_of(model, levels, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_measures() -> None:
    levels = np.random.default_rng(3).random((3, 100))
    by_rate, by_time = (encodings.measure(model_of(encoder), levels, 2) for encoder in ("geometric", "latency"))
    assert by_time.spikes == 100
    assert by_rate.spikes > 10 * by_time.spikes
    assert by_time.time <= 0.05 < by_rate.time
    assert by_time.errors[-1] < 1 / 50 < by_rate.errors[-1]
    # the only spike is all there is; of twenty, one is little
    assert by_time.lost == pytest.approx(np.sqrt(np.mean(levels**2)))
    assert by_rate.lost < 1.2 * by_rate.errors[-1]
    rows = encodings.rows(by_time, "own", 2, "hebbarium encode")
    assert {row.setting for row in rows} == {"encoder=latency"}
    assert {row.measure: row.value for row in rows}["spikes_a_sample"] == 100
    assert "| latency | 100.0 |" in encodings.table([by_rate, by_time])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"max_rate": "-5*Hz"}, "max_rate=-5"),
        ({"max_rate": "2000*Hz"}, "max_rate"),
        ({"t_code": "0.5*ms"}, "t_code=0.5"),
        ({"t_code": "10.5*ms"}, "t_code/dt a whole number"),
        ({"n_tuned": "1"}, "n_tuned=1"),
        ({"width": "0"}, "width=0"),
        ({"copied": "0"}, "copied=0"),
        ({"copied": "1.5"}, "copied=1.5"),
        ({"t_code": "5*mV"}, "t_code"),
    ],
)
def test_wrong_parameters_are_refused_by_name(changes: Mapping[str, str], said: str) -> None:
    with pytest.raises((ValueError, SettingError), match=said.replace("*", r"\*")):
        model_of("latency", changes)


def test_a_cycle_has_to_fit_into_a_presentation() -> None:
    with pytest.raises(ValueError, match="t_code <= t_shown"):
        model_of("phase", {"t_code": "400*ms"})


def test_first_spikes_after_a_presentation_are_not_heard() -> None:
    images = np.arange(256, dtype=np.uint8)[np.newaxis]
    model = model_of("latency", {"pixels": "256", "t_code": "700*ms"})
    heard = np.floor((255 - np.arange(256)) / 255 * 700) < 350
    assert spikes_given(model, images).tolist() == [heard.sum()]
    assert model.input_spikes("test", images, np.array([1])) == heard.sum() == 128


def test_unknown_encoders_are_refused() -> None:
    with pytest.raises(SettingError, match=r"encoder.*expected.*geometric"):
        model_of("morse")


def test_rates_that_cannot_be_had_are_refused() -> None:
    with pytest.raises(ValueError, match=r"copied=0.05: the mother train would fire 1.27 times a step"):
        spikes_of(model_of("synchrony", {"copied": "0.05"}), LEVELS, 1)
    with pytest.raises(ValueError, match=r"encoder=modulated: a white neuron would fire 1.2 times a step"):
        spikes_of(model_of("modulated", {"max_rate": "600*Hz"}), LEVELS, 1)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([[0.5, -0.1]], "level 2 of sample 1 is -0.1; expected 0"),
        ([[0.5], [1.1]], "level 1 of sample 2 is 1.1"),
        ([[float("nan")]], "level 1 of sample 1 is nan"),
        ([0.5], "levels of shape"),
        ([[]], "levels of shape"),
    ],
)
def test_wrong_levels_are_refused_by_name(levels: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        spikes_of(model_of("latency"), np.array(levels, float), 1)


@pytest.mark.long
def test_a_compiled_program_does_the_same() -> None:
    """Times to the bit; of what is random, the statistics: one number that all neurons share above all."""
    model = model_of("latency")
    assert np.array_equal(spikes_of(model, LEVELS, 1, "dense"), spikes_of(model, LEVELS, 1))
    mother = model_of("synchrony", {"copied": "0.9", "max_rate": "100*Hz"})
    raster = spikes_of(mother, np.ones((200, 12)), 1, "dense")
    n = raster.shape[0] * raster.shape[1]
    assert abs(raster.mean() - 0.1) < 4 * np.sqrt(0.1 * 0.9 / n)  # all but alike: as one neuron's
    pairs = decoders.correlation(raster)[np.triu_indices(12, 1)]
    assert abs(pairs.mean() - 0.9 * (1 - 0.1 / 0.9) / (1 - 0.1)) < 4 / np.sqrt(n)


def test_what_differs_from_the_usual_is_in_a_row() -> None:
    one = encodings.measure(model_of("phase", {"t_code": "70*ms"}), LEVELS[:, ::10], 1)
    (setting,) = {row.setting for row in encodings.rows(dataclasses.replace(one), "own", 1, "hebbarium encode")}
    assert setting == "encoder=phase t_code=70*ms"
