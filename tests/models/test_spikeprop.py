"""SpikeProp: spike times and gradients against the potential in closed form and finite differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hebbarium.analysis import figures
from hebbarium.engine import streams
from hebbarium.ledger.claims import OPEN
from hebbarium.models.spikeprop import GRADIENT, OUTPUT_ONLY, PERTURBATION, RANDOM_FEEDBACK, SpikeProp
from hebbarium.protocols import spikeprop
from hebbarium.record import results
from hebbarium.studies.xor_in_times import PATTERNS, XORInTimes
from hebbarium.training import experiments
from hebbarium.training.experiments import Observation
from tests.oracles import spikeprop as oracle

SEED = 3
INPUTS = np.array([[*(6.0 * late for late in pattern), 0.0] for pattern, _ in PATTERNS])
WANTED = np.array([wanted for _, wanted in PATTERNS])
KIND = np.array([1.0, 1.0, 1.0, 1.0, -1.0])


def weights(model: SpikeProp) -> dict[str, np.ndarray]:
    """First weights: ``(input, hidden, terminal)`` and ``(hidden, terminal)``, as `observe` draws them."""
    return shaped(model.initial_state(streams.generator(SEED, streams.INITIAL_WEIGHTS)))


def shaped(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    shapes = {"to_hidden.w": (3, 5, 16), "to_output.w": (5, 16), "to_output.b": (5, 16)}
    return {name: state[name].reshape(shape) for name, shape in shapes.items() if name in state}


def times(hidden: np.ndarray, output: np.ndarray) -> np.ndarray:
    return np.array([oracle.output_time(oracle.hidden_times(given, hidden), output) for given in INPUTS])


def observed(model: SpikeProp, cycles: int, scratch: Path, device: str = "numpy") -> Observation:
    given = XORInTimes(cycles).inputs(model, SEED)
    return experiments.observe(model, given, scratch=scratch, seed=SEED, device=device)


# every tenth weight has a difference of its own: each takes four solutions of the whole network
def sampled(w: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(int(k) for k in np.unravel_index(n, w.shape)) for n in range(3, w.size, 10)]


@pytest.mark.parametrize("rule", [GRADIENT, RANDOM_FEEDBACK, OUTPUT_ONLY])
def test_weights_follow_differences_of_exact_spike_times(rule: str, tmp_path: Path) -> None:
    model = SpikeProp(rule=rule, slope_least=1e-6)
    first = weights(model)
    result = observed(model, 3, tmp_path)
    last = shaped(result.state)
    found = XORInTimes(3).times(model, result)
    hidden, output = first["to_hidden.w"], first["to_output.w"]
    np.testing.assert_allclose(found[0], times(hidden, output), atol=1e-9)
    np.testing.assert_allclose(found[2], times(last["to_hidden.w"], last["to_output.w"]), atol=1e-9)
    assert np.abs(found[2] - found[0]).min() > 1e-3

    late = found[0] - WANTED  # what half the squared error changes with each spike
    layers = {"to_output.w": output} | ({"to_hidden.w": hidden} if rule != OUTPUT_ONLY else {})
    for name, w in layers.items():
        for place in sampled(w):
            if name == "to_output.w":
                change = late @ oracle.difference(lambda moved: times(hidden, moved), w, place)
            elif rule == GRADIENT:
                change = late @ oracle.difference(lambda moved: times(moved, output), w, place)
            else:
                change = fed_back(hidden, output, first["to_output.b"], place, late)
            kind = KIND[place[0]] if name == "to_output.w" else 1.0
            expected = kind * max(kind * (w[place] - model.eta * change), 0)
            assert abs(last[name][place] - expected) < 1e-9 * model.eta * max(1, abs(change)), (name, place)
    if rule == OUTPUT_ONLY:
        np.testing.assert_array_equal(last["to_hidden.w"], hidden)
    assert (last["to_output.w"] * KIND[:, np.newaxis] >= 0).all()


def fed_back(hidden: np.ndarray, output: np.ndarray, b: np.ndarray, place: tuple[int, ...], late: np.ndarray) -> float:
    """Change of half the squared error with a hidden weight, if errors came back through ``b``."""
    total = 0.0
    for given, error in zip(INPUTS, late, strict=True):
        spikes = oracle.hidden_times(given, hidden)
        since = oracle.output_time(spikes, output) - spikes[:, np.newaxis] - oracle.DELAYS
        earlier = (b * oracle.rise(since)).sum(axis=1) / (output * oracle.rise(since)).sum()
        moved = oracle.difference(lambda w, given=given: oracle.hidden_times(given, w), hidden, place)  # type: ignore[misc]
        total += float(error * (earlier @ moved))
    return total


def test_a_perturbation_stays_if_the_error_of_its_cycle_is_less(tmp_path: Path) -> None:
    model, cycles = SpikeProp(rule=PERTURBATION, steps=120, sigma=0.02), 7
    result = observed(model, cycles, tmp_path)
    errors = XORInTimes(cycles).errors(model, result)
    assert len(set(errors.round(6))) > 3
    assert errors[-1] == pytest.approx(errors[:-1].min(), rel=1e-12)
    np.testing.assert_allclose(result.state["critic.least"], errors.min())
    last = shaped(result.state)
    assert (last["to_hidden.w"] >= 0).all()
    assert (last["to_output.w"] * KIND[:, np.newaxis] >= 0).all()
    moved = np.flatnonzero(errors[1:-1] < errors[0])
    assert bool(moved.size) == bool(np.any(last["to_hidden.w"] != weights(model)["to_hidden.w"]))


def test_a_sample_is_answered_by_when_the_output_spiked() -> None:
    model, experiment = SpikeProp(), XORInTimes(3)
    near = np.array([[20.0, 12, 12, 20], [16.4, 10, 10, 16], [16.2, 9.7, 10, 16]])
    spikes = np.ones((12, 1))
    result = Observation({}, {"output": spikes, "output.t_spike": near.reshape(12, 1) * 1e-3})
    measured = {name: one.value for name, one in experiment.measures(model, result).items()}
    assert measured["squared_error_before"] == pytest.approx(40)
    assert measured["cycles_needed"] == 1
    assert measured["furthest"] == pytest.approx(0.3)
    far = Observation({}, {"output": spikes, "output.t_spike": np.full((12, 1), 12e-3)})
    assert "cycles_needed" not in experiment.measures(model, far)

    tree = xr.DataTree.from_dict({
        f"raster/{name}": group for name, group in experiment.groups(model, result)["raster"].items()
    } | {"measures": results.measures([("cycles_needed", 1.0, "1", "")])})  # fmt: skip
    drawn = figures.taught_times({"gradient": tree}, {f"{number}": 10.0 for number in range(4)})
    assert drawn.axes[0].lines[1].get_ydata() == pytest.approx(near[:, 0])
    steps = figures.learned_by({"gradient": [tree, tree]}, "cycles_needed", 3, "Cycle").axes[0].lines[0]
    assert np.asarray(steps.get_ydata()).tolist() == [0, 1, 2, 2]


def test_nothing_is_claimed_of_networks_that_were_not_run() -> None:
    assert {verdict.verdict for verdict in spikeprop.PAPER.claims.judge([])} == {OPEN}  # type: ignore[union-attr]


@pytest.mark.long
def test_xor_is_learned_within_250_cycles(tmp_path: Path) -> None:
    model = SpikeProp()
    measured = XORInTimes(250).measures(model, observed(model, 250, tmp_path, "dense"))
    assert measured["squared_error_before"].value > 30
    assert measured["cycles_needed"].value < 250
