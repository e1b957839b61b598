"""ReSuMe, SPAN and pairs of spikes: what a synapse does, against sums over spikes written down apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from brian2 import ms

from hebbarium.models.pair_stdp import PairSTDP
from hebbarium.models.spike_train_learning import LEARNS, SPAN, STEP, WANTED, ReSuMe, SpikeTrainLearner
from hebbarium.protocols import pair_stdp
from hebbarium.protocols.pair_stdp import Pairs, Trains
from hebbarium.studies.spike_train_target import SpikeTrainTarget, furthest
from hebbarium.training import experiments
from hebbarium.training.experiments import Observation


def observed(model: SpikeTrainLearner, experiment: SpikeTrainTarget, scratch: Path, device: str) -> Observation:
    return experiments.observe(model, experiment.inputs(model, 3), scratch=scratch, seed=3, device=device)


# -- pairs of spikes ---------------------------------------------------------------------------------------------
def test_a_pair_changes_the_weight_by_eq_10_with_its_sign(tmp_path: Path) -> None:
    model, pairs = PairSTDP(neurons=21, tau_minus=30 * ms), Pairs()
    result = experiments.observe(model, pairs.inputs(model, 0), scratch=tmp_path, device="numpy")
    interval = np.arange(21) - 10.0  # t_pre - t_post in ms
    expected = np.where(interval < 0, 0.01 * np.exp(interval / 20), -0.0105 * np.exp(-interval / 30))
    expected[10] = 0  # spikes of one step do not pair
    np.testing.assert_allclose(pairs.changes(result), expected, rtol=1e-12, atol=1e-16)
    as_printed = np.where(interval < 0, 0.01 * np.exp(interval / 20), -0.0105 * np.exp(interval / 30))
    assert abs(as_printed[20]) > abs(as_printed[11])  # the slip: it would grow with the interval
    assert abs(pairs.changes(result)[20]) < abs(pairs.changes(result)[11])


def test_of_trains_the_changes_of_all_pairs_add_up(tmp_path: Path) -> None:
    model, trains = PairSTDP(neurons=3), Trains(rate=100.0, seconds=0.1)
    result = experiments.observe(model, trains.inputs(model, 1), scratch=tmp_path, device="numpy")
    assert trains.measures(model, result)["error"].value < 1e-12
    assert np.ptp(result.state["synapses.w"]) > 0
    assert any("lacks a minus sign" in slip for slip in model.slips)
    assert pair_stdp.PAPER.tables == ("Fig. 13", "trains")


# -- ReSuMe and SPAN ---------------------------------------------------------------------------------------------
SMALL = {"inputs_": 20, "pattern_steps": 300}
BRIEF = SpikeTrainTarget((10.0, 20.0), 2)


def weights(model: SpikeTrainLearner) -> tuple[np.ndarray, np.ndarray]:
    """When inputs spike and first weights, as `observe` draws them for seed 3."""
    from hebbarium.engine import streams

    drawn = model.initial_state(streams.generator(3, streams.INITIAL_WEIGHTS))
    return drawn["input.spike_step"], drawn["synapses.w"]


def trained(model: SpikeTrainLearner, experiment: SpikeTrainTarget) -> tuple[np.ndarray, list[int]]:
    """Weights after all patterns, and steps at which the neuron spikes: the rules by plain NumPy."""
    when, w = weights(model)
    given = experiment.inputs(model, 3)
    dt, w, fired = 0.1, w.copy() * 1e3, []
    v = i_syn = f_d = g_d = f_o = g_o = 0.0
    x, f, g = np.zeros(len(w)), np.zeros(len(w)), np.zeros(len(w))
    resume, eta = isinstance(model, ReSuMe), float(model.eta) * 1e3  # type: ignore[attr-defined]
    tau_m, tau_s, tau = 10.0, 2.0, 5.0
    for k, (step, wanted, learns) in enumerate(zip(given[STEP], given[WANTED], given[LEARNS], strict=True)):
        # exact for one step: i decays, v follows it; an alpha kernel is the same with equal time constants
        through = tau_s / (tau_s - tau_m) * (np.exp(-dt / tau_s) - np.exp(-dt / tau_m))
        v, i_syn = v * np.exp(-dt / tau_m) + i_syn * through, i_syn * np.exp(-dt / tau_s)
        decay = np.exp(-dt / tau)
        x = x * decay
        f, g = (f + g * dt / tau) * decay, g * decay
        f_d, g_d = (f_d + g_d * dt / tau) * decay, g_d * decay
        f_o, g_o = (f_o + g_o * dt / tau) * decay, g_o * decay
        spikes, out = np.abs(step - when) < 0.5, v > 15
        i_syn += w[spikes].sum()
        if resume:
            w = w + learns * eta * (0.02 + x) * wanted - learns * eta * (0.02 + x) * out
        else:
            w = w + learns * eta * (f_d - f_o) * f * dt / tau
        if out:
            fired.append(k)
            v, g_o = 0.0, g_o + np.e
        g_d += np.e * wanted
        x, g = x + spikes, g + np.e * spikes
    return w * 1e-3, fired


@pytest.mark.parametrize("kind", [ReSuMe, SPAN])
def test_rules_do_what_is_written(kind: type[SpikeTrainLearner], tmp_path: Path) -> None:
    model = kind(**SMALL, w_first=kind().w_first * 10)
    result = observed(model, BRIEF, tmp_path, "numpy")
    w, fired = trained(model, BRIEF)
    assert np.flatnonzero(result.answers["output"][:, 0]).tolist() == fired
    assert 2 <= len(fired) < 60
    np.testing.assert_allclose(result.state["synapses.w"], w, rtol=1e-9, atol=1e-15)
    assert np.abs(w - weights(model)[1]).max() > 1e-5


def test_distances_are_of_as_many_spikes_as_are_wanted() -> None:
    assert furthest([10.5, 19.0], [10.0, 20.0]) == 1.0
    assert np.isnan(furthest([10.0], [10.0, 20.0]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ReSuMe, pytest.param(SPAN, marks=pytest.mark.long)])
def test_a_spike_train_is_learned_to_within_two_milliseconds(kind: type[SpikeTrainLearner], tmp_path: Path) -> None:
    model, experiment = kind(), SpikeTrainTarget((33.0, 66.0, 99.0, 132.0, 165.0), 300)
    result = experiments.observe(model, experiment.inputs(model, 10), scratch=tmp_path, seed=10)
    measured = experiment.measures(model, result)
    assert measured["spikes_before"].value == 0
    assert measured["spikes"].value == 5
    assert measured["furthest"].value <= 2
