"""Timing-based backpropagation where it is at its limits: tangents, ends, two spikes in a step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import kHz, ms

from hebbarium.engine import dense
from hebbarium.engine.contract import Structure
from hebbarium.models.timing_backprop import TimingBackprop
from hebbarium.protocols import timing_backprop as protocol
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run_settings import RunSettings
from tests.engine.equal_runs import Told
from tests.models.timing_networks import (
    CAPACITY,
    PIXELS,
    ROUNDING,
    Batch,
    Programs,
    Small,
    assert_is_the_oracle,
    busy,
    least_slope,
    options_of,
    random_weights,
    small_model,
    touching,
)
from tests.oracles import timing_backprop as oracle


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture
def small(request: pytest.FixtureRequest, programs: Programs) -> Small:
    """The program of a case."""
    return programs[getattr(request, "param", "the paper's")]


# -- tangents ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("margin", [1e-2, 1e-4, 1e-6, 1e-8])
def test_a_spike_near_a_tangent(small: Small, margin: float) -> None:
    batch = busy(small)
    weights = [w.copy() for w in batch.weights]
    column = np.array([3.0, 0.5, 0.5, 0.0, 0.2, 0.1])
    weights[0][:, 0] = touching(small, column, batch.levels[0], margin)
    near = Batch(weights, batch.levels, batch.labels, {"sigma": 0.1})
    _, traces = assert_is_the_oracle(small, near)
    slope = traces[0].layers[0].slopes[0]
    assert len(slope) == 1
    assert 0 < slope[0] < 5 * np.sqrt(margin)
    below = [weights[0].copy(), weights[1]]
    below[0][:, 0] = touching(small, column, batch.levels[0], -margin)
    shown, _ = assert_is_the_oracle(small, Batch(below, batch.levels, batch.labels, {"sigma": 0.1}))
    assert shown.counts[0][0, 0] == 0


def test_tangents_are_counted_and_gradients_stay_finite(small: Small) -> None:
    """Below `slope_bound` a slope is taken for it; a floor above leaves nothing to count."""
    batch = busy(small)
    weights = [w.copy() for w in batch.weights]
    weights[0][:, 0] = touching(small, np.array([3.0, 0.5, 0.5, 0.0, 0.2, 0.1]), batch.levels[0], 1e-6)
    levels, labels = batch.levels[:1], batch.labels[:1]
    slope = least_slope(small.traces(weights, levels))
    assert slope < 0.1
    exact = small.show(weights, levels, labels)
    bound = small.changed(slope_bound=0.1).show(weights, levels, labels)
    floor = small.changed(slope_bound=0.1, slope_floor=0.1).show(weights, levels, labels)
    assert (exact.tangent, bound.tangent, floor.tangent) == (0, 1, 0)
    for a, b in zip(bound.gradients, floor.gradients, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(exact.gradients[0][:, 0]).max() > 2 * np.abs(bound.gradients[0][:, 0]).max()
    # as near as numbers go: whether it fires is rounding's, and nothing is infinite
    for margin in np.arange(-8, 9) * ROUNDING:
        weights[0][:, 0] = touching(small, np.array([3.0, 0.5, 0.5, 0.0, 0.2, 0.1]), levels[0], float(margin))
        shown = small.show(weights, levels, labels)
        assert all(np.isfinite(g).all() for g in shown.gradients)
        assert shown.counts[0][0, 0] in (0, 1)
        assert shown.tangent <= shown.counts[0].sum()


# -- the end of a sample -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "small",
    ["the paper's", "no leak", *(pytest.param(name, marks=pytest.mark.long) for name in ("early end", "late end"))],
    indirect=True,
)
@pytest.mark.parametrize("apart", [1e-4, 1e-8, 1e-12])
def test_spikes_close_to_the_end(small: Small, apart: float) -> None:
    """One input at 0; the threshold is what V comes to just before t_out, or just after."""
    options = options_of(small.model)
    levels, labels = np.array([[255, 0, 0, 0, 0, 0]], np.uint8), np.array([1])
    weights = [np.zeros((PIXELS, 5)), random_weights(2, (5, 3))[0]]
    weights[0][0] = [1.0, 0.5, 0.2, -1.0, 0.0]
    for sign, spikes in ((-1, 1), (1, 0)):
        t = options.t_out + sign * apart
        a = np.exp(-t / 6.4)
        v = t if options.leak == "none" else 6.4 * (a - a**2)
        batch = Batch(weights, levels, labels, {"v_thresh": float(v), "tau_i": 6.4, "penalty": 0.0})
        shown, _ = assert_is_the_oracle(small, batch)
        assert shown.counts[0].sum() == spikes
        assert (np.abs(shown.gradients[0][0, 0]) > 1e-3) == bool(spikes)


def test_inputs_in_every_step_and_none_at_the_end() -> None:
    levels = np.arange(256, dtype=np.uint8)[np.newaxis]
    for t_out, refine, fires in ((1.0, 1, 255), (0.5, 2, 128), (1.5, 2, 256)):
        model = small_model(pixels=256, t_out=t_out, refine=refine)
        due = model.encode(levels)["latencies"][0].astype(np.float64)
        assert (due > 0).sum() == fires == model.input_spikes("train", levels, np.ones(1, int))
        step = (due[due > 0] - 1) * float(model.dt / ms)
        np.testing.assert_allclose(step, (255 - levels[0][due > 0]) / 255, rtol=0, atol=1e-15)
        assert step.max() < t_out


# -- two spikes in a step ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("small", ["the paper's", "no leak", "double reset", "one spike"], indirect=True)
@pytest.mark.parametrize("where", ["found in the next step", "followed by inhibition", "in the last step"])
def test_two_spikes_in_a_step_are_counted(small: Small, where: str) -> None:
    """Whether the second one is found a step later or never."""
    weights = [np.zeros((PIXELS, 5)), random_weights(2, (5, 3))[0]]
    levels = np.array([[255, 254, 0, 0, 0, 0]], np.uint8)
    weights[0][0, 1] = 300.0  # V rises by 1.2 in a step
    if where == "followed by inhibition":
        weights[0][1, 1] = -500.0
    elif where == "in the last step":
        levels[0, :2] = [1, 0]
    there = small.changed(v_thresh=0.5)
    shown, traces = there.show(weights, levels, np.array([0])), there.traces(weights, levels)
    if small.model.spikes == "one":  # the second one is not wanted
        assert (shown.late, int(shown.counts[0].sum())) == (0, 1)
        return
    if small.model.reset == "double":
        assert shown.late == 0
        assert not there.crowded(traces)
        return
    assert there.crowded(traces)
    assert shown.late > 0
    assert all(np.isfinite(g).all() for g in shown.gradients)
    if where != "found in the next step":
        assert shown.counts[0].sum() < traces[0].counts[0].sum()


def test_neurons_bounded_in_their_spikes_go_on_silently(small: Small) -> None:
    weights = [np.full((PIXELS, 5), 60.0), random_weights(2, (5, 3))[0]]
    shown = small.show(weights, np.full((1, PIXELS), 255, np.uint8), np.array([0]))
    assert (shown.counts[0] == 24).all()


# -- flags -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("least", "flagged"), [(0.25, False), (0.26, True), (0.5, True), (1.0, True)])
def test_flags_of_neurons_that_fire_in_few_samples(small: Small, least: float, flagged: bool) -> None:
    """A neuron that fires in one sample of four."""
    weights = [np.zeros((PIXELS, 5)), np.zeros((5, 3))]
    weights[0][0, 0] = 6.0
    levels = np.zeros((4, PIXELS), np.uint8)
    levels[2, 0] = 255
    batch = Batch(weights, levels, np.zeros(4, int), {"least_active": least, "penalty": 0.5})
    shown, _ = assert_is_the_oracle(small, batch)
    assert shown.state["hidden_1.active"].tolist() == [0.25, 0, 0, 0, 0]
    assert shown.state["hidden_1.dead"].tolist() == [0.1 * flagged, *[0.1] * 4]


def test_a_part_of_a_batch_is_not_missed_by_rounding() -> None:
    """0.07 of 100 samples is 7.000000000000001 by the product."""
    assert 0.07 * 100 > 7
    namespace: dict[str, Any] = {"penalty": 1.0, "n_active": 7, "least_active": 0.07, "n_samples": 100, "n_neurons": 1}
    exec(small_model().dead.strip(), {"hair": 1e-3}, namespace)
    assert namespace["dead"] == 0
    namespace["n_active"] = 6
    exec(small_model().dead.strip(), {"hair": 1e-3}, namespace)
    assert namespace["dead"] == 1


# -- Algorithm 1 -------------------------------------------------------------------------------------------------
def test_algorithm_1_as_printed_is_not_the_model_and_corrected_it_is(small: Small) -> None:
    """Lines 19 and 20 swap z and its square."""
    batch = busy(small)
    shown, options = small.show(batch.weights, batch.levels, batch.labels), options_of(small.model)
    hidden, output = batch.weights
    for sample, v in zip(small.latencies(batch.levels), shown.potentials, strict=True):
        right, printed = (oracle.algorithm_1(sample, hidden, output, options, as_printed=p) for p in (False, True))
        np.testing.assert_allclose(v, right, rtol=1e-9, atol=1e-10)
        if shown.counts[0].any() and np.abs(v).max() > 0:
            assert np.abs(printed - v).max() > 0.1 * np.abs(v).max()


# -- what is compiled, and what cannot be ------------------------------------------------------------------------
LEARNING = {"gather", "change"}
MEMORY = {"store", "keep", "recall", "next"}


@pytest.mark.parametrize("changes", [{}, {"leak": "none", "reset": "double", "spikes": "one"}], ids=str)
@pytest.mark.parametrize(
    ("phase", "layers"),
    [("train", (5,)), pytest.param("train", (5, 4), marks=pytest.mark.long), ("test", (5,))],
)
def test_every_pathway_is_dense(phase: str, layers: tuple[int, ...], changes: dict[str, Any]) -> None:
    model = small_model(layers=layers, **changes)
    made = dense.generated(Structure(model, phase, "float32", "dense", CAPACITY))
    assert {name for name, (is_dense, _) in made.items() if not is_dense} == set()
    expected = {f"to_{name}_transmit" for name in (*model.hidden, "output")}
    if phase == "train":
        expected |= {f"to_{name}_{what}" for name in (*model.hidden, "output") for what in LEARNING}
        expected |= {f"memory_{k}_{what}" for k in range(1, 1 + len(layers)) for what in MEMORY} | {"softmax_pre"}
    assert made.keys() >= expected, made.keys()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ()}, "layers"),
        ({"layers": (5, 0)}, "layers"),
        ({"t_out": 0.5 * ms}, r"t_out=.*expected two or more whole time steps.*t_black/255"),
        ({"t_out": 1 / 255 * ms}, "t_out"),
        ({"t_out": 0 * ms}, "t_out"),
        ({"t_black": -1 * ms}, "t_black"),
        ({"spikes": "few"}, "spikes=few.*one of many, one"),
        ({"leak": "some"}, "leak=some.*one of leaky, none"),
        ({"reset": "none"}, "reset=none.*one of potential, double"),
        ({"reset_path": "open"}, "reset_path=open.*one of kept, cut"),
        ({"most": 0}, "most"),
        ({"refine": 0}, "refine"),
        ({"batch": 0}, "batch"),
        ({"tau_i": 0 * ms}, "tau_i"),
        ({"tau_i": 0.8}, "tau_i=0.8: expected ms"),
        ({"tau_i": 1e4 * ms}, r"tau_i=.*expected tau_i <= 1000\*t_black/refine with leak=leaky"),
        ({"tau_i": 500 * ms, "refine": 4}, r"expected tau_i <= 1000\*t_black/refine"),
        ({"tau_i": 1e-5 * ms}, r"expected tau_i >= 0.0002\*t_black/refine"),
        ({"v_thresh": 0.0}, "v_thresh"),
        ({"least_active": 1.1}, "least_active"),
        ({"penalty": -0.1}, "penalty"),
        ({"sigma": -0.1}, "sigma"),
        ({"beta_1": 1.0}, "beta_1"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"slope_floor": -1 * kHz}, "slope_floor"),
        ({"slope_bound": 0 * kHz}, "slope_bound"),
        ({"w_sd": -1.0}, "w_sd"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimingBackprop(**changes)


def test_without_a_leak_no_time_constant_is_too_long() -> None:
    assert TimingBackprop(tau_i=1e9 * ms, leak="none").leak == "none"


# -- what is told of a run ---------------------------------------------------------------------------------------
def test_tangents_of_every_layer_are_kept_and_told(tmp_path: Path) -> None:
    """Each spike is one, with a bound so large."""
    changes = {"layers": "6,5", "slope_bound": "1e6*kHz", "w_mean": "1", "w_sd": "1"}
    settings = RunSettings(model="timing_backprop", changes=changes, images=20, test_images=10, device="numpy")
    reporter = Told()
    run = training.train(settings, tmp_path / "run", reporter)
    with results.open_run(run) as tree:
        states = {name: tree[f"state/{name}"].to_dataset() for name in ("hidden_1", "hidden_2")}
        told = {name: float(state["n_tangent"].isel(samples_seen=-1).sum()) for name, state in states.items()}
        tangent, _ = protocol.measure(tree, settings)["tangent"]
    assert min(told.values()) > 0
    assert tangent == pytest.approx(sum(told.values()) / 20 * 1e6)
    for name, number in told.items():
        assert any(f"training: {number:,.0f} in '{name}', n_tangent: " in text for text in reporter.messages), name
