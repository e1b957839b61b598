"""Timing-based backpropagation in double precision: spikes, potentials and gradients of a batch are the oracle's.

By how much the two may differ: time goes through up to 765 steps, each with one rounding, so that a spike's time is
off by a few hundred times the machine epsilon over its slope; the gradient is divided by that slope, which is off by as
much over the slope again. Hence `assert_gradient`: 1e-9, or 3000 epsilon over the square of the least slope (below one
kHz), of the largest gradient. Of some thousand examples the worst needed 1,900.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import kHz, ms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hebbarium.engine import dense
from hebbarium.engine.contract import Structure
from hebbarium.models.timing_backprop import TimingBackprop
from tests.models.timing_networks import (
    CAPACITY,
    PIXELS,
    ROUNDING,
    Batch,
    Shown,
    Small,
    batches,
    least_slope,
    options_of,
    random_weights,
    small_model,
    touching,
)
from tests.oracles import timing_backprop as oracle
from tests.oracles.timing_backprop import Floats, Trace

CASES: dict[str, dict[str, Any]] = {
    "the paper's": {},
    "one spike": {"spikes": "one"},
    "no leak": {"leak": "none"},
    "double reset": {"reset": "double"},
    "path cut": {"reset_path": "cut"},
    "at most two": {"most": 2},
    "early end": {"t_out": 0.5, "refine": 2},
    "late end": {"t_out": 1.5, "refine": 2},
    "no leak, double reset, early end": {"leak": "none", "reset": "double", "t_out": 0.5, "refine": 2},
    "no leak, path cut, late end": {"leak": "none", "reset_path": "cut", "t_out": 1.5, "refine": 2},
}
MARGINS = (1e-2, 1e-4, 1e-6)
"""Parts by which V exceeds the threshold near a tangent."""
CONDITIONING = 3000


@pytest.fixture(scope="module")
def programs() -> dict[str, Small]:
    """Compiled as they are needed."""
    return {}


@pytest.fixture
def small(
    request: pytest.FixtureRequest, programs: dict[str, Small], tmp_path_factory: pytest.TempPathFactory
) -> Small:
    """The program of a case, compiled once."""
    name = getattr(request, "param", "the paper's")
    if name not in programs:
        programs[name] = Small.build(tmp_path_factory.mktemp("program"), **CASES[name])
    return programs[name]


each_case = pytest.mark.parametrize("small", CASES, indirect=True)


def assert_gradient(ours: list[Floats], expected: list[Floats], traces: list[Trace], floor: float) -> None:
    """Each weight's, within what rounding explains; see above."""
    largest = max(float(np.abs(g).max()) for g in expected)
    slope = max(min(least_slope(traces), 1.0), floor, 1e-300)
    bound = max(1e-9, CONDITIONING * ROUNDING * largest / min(slope, least_slope(traces), 1.0) ** 2)
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=bound)


def assert_is_the_oracle(small: Small, batch: Batch) -> tuple[Shown, list[Trace]]:
    """Spikes, potentials and gradient of a batch; unless a neuron fires twice in a step, which has to be counted."""
    there = small.changed(**batch.quantities)
    shown, traces = there.show(batch.weights, batch.levels, batch.labels), there.traces(batch.weights, batch.levels)
    if there.crowded(traces):
        assert shown.late > 0
        return shown, traces
    assert shown.late == 0
    np.testing.assert_array_equal(shown.counts[0], [t.counts[0] for t in traces])
    apart = 1e-10 * max(1.0, 1e-3 / least_slope(traces))
    np.testing.assert_allclose(shown.potentials, [t.v_out for t in traces], rtol=apart, atol=apart)
    expected = there.gradients(batch.weights, batch.levels, batch.labels)
    assert_gradient(shown.gradients, expected, traces, options_of(there.model).floor)
    return shown, traces


# -- random networks ---------------------------------------------------------------------------------------------
@pytest.mark.slow
@each_case
@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_gradients_are_the_oracles(small: Small, data: st.DataObject) -> None:
    assert_is_the_oracle(small, data.draw(batches(small)))


@pytest.mark.slow
@each_case
@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_gradients_near_tangents_are_the_oracles(small: Small, data: st.DataObject) -> None:
    assert_is_the_oracle(small, data.draw(batches(small, MARGINS)))


def busy(small: Small, scale: float = 1.5) -> Batch:
    """Many spikes, simultaneous inputs, an empty image, one that is all white, and a neuron that never fires."""
    levels = np.array([[255, 200, 200, 0, 90, 200], [0] * 6, [255] * 6, [128, 60, 60, 60, 10, 1]], np.uint8)
    model = small.model
    weights = random_weights(4, (model.pixels, *model.layers, model.classes), scale)
    weights[0][:, 2] = -np.abs(weights[0][:, 2])
    return Batch(weights, levels, np.array([0, 1, 2, 1]), {"penalty": 0.5, "least_active": 1.0, "sigma": 0.1})


@each_case
def test_a_busy_batch(small: Small) -> None:
    shown, traces = assert_is_the_oracle(small, busy(small))
    counts = shown.counts[0]
    assert not counts[1].any() or small.model.t_out > 1.2 * ms, "black pixels fire at 1 ms only"
    assert not counts[:, 2].any()
    assert counts.max() >= (1 if small.model.spikes == "one" else 2)
    for gradient in shown.gradients:
        assert np.abs(gradient).max() > 1e-3
    # without its flags the silent neuron would have no gradient
    assert np.abs(shown.gradients[0][:, 2]).max() > 1e-3
    assert least_slope(traces) > 0


@each_case
def test_what_is_compared_is_not_indifferent(small: Small) -> None:
    """A wrong reading of each mode is further off than the bound."""
    batch = busy(small)
    there = small.changed(**batch.quantities)
    ours = there.show(batch.weights, batch.levels, batch.labels).gradients
    latencies, options = there.latencies(batch.levels), options_of(there.model)
    others = {
        "tau_i": options.tau_i * 1.001, "v_thresh": 1.001, "penalty": 0.501, "sigma": 0.101, "least_share": 0.3,
        "reset_path": not options.reset_path, "floor": 10.0, "double_reset": not options.double_reset,
        "most": 1 if options.most > 1 else 3, "leak": "none" if options.leak == "leaky" else "leaky",
    }  # fmt: skip
    indifferent = set()
    for name, value in others.items():
        other = Small(there.model, there.program)
        gradients = oracle.gradients(latencies, batch.labels, batch.weights, _replaced(other, name, value))
        if max(np.abs(a - b).max() for a, b in zip(ours, gradients, strict=True)) < 1e-7:
            indifferent.add(name)
    allowed = {"tau_i"} if options.leak == "none" else set()
    if options.double_reset or options.most == 1:
        allowed |= {"reset_path"}  # nothing passes through a reset, or hardly anything comes after it
    assert indifferent <= allowed


def _replaced(small: Small, name: str, value: Any) -> oracle.Options:
    return oracle.Options(**{**vars(options_of(small.model)), name: value})


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
@pytest.mark.parametrize("small", ["the paper's", "no leak", "early end", "late end"], indirect=True)
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
        due = model.encode(levels)["latencies"][0]
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
@pytest.mark.parametrize(("phase", "layers"), [("train", (5,)), ("train", (5, 4)), ("test", (5,))])
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
