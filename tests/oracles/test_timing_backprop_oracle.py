"""The oracle of timing-based backpropagation, held against what does not share its derivation.

Spike times: against a fine Euler integration of Eqs. 2 to 4 and against Algorithm 1's loops. Gradients: against finite
differences of the loss, and against implicit differentiation of all spike times at once, whose Jacobian is taken by
complex steps through potentials that go from event to event.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import timing_backprop as oracle
from tests.oracles.timing_backprop import Floats, Options, Trace

NONE = np.nan
MODES = [
    Options(),
    Options(tau_i=0.4),
    Options(tau_i=6.4),
    Options(most=1),
    Options(most=2, t_out=0.8),
    Options(leak="none"),
    Options(leak="none", most=1),
    Options(double_reset=True),
    Options(double_reset=True, leak="none"),
    Options(v_thresh=0.6, penalty=0.5, sigma=0.1, least_share=0.8),
]
"""Those in which the gradient is that of the loss."""
CUT = [
    Options(reset_path=False),
    Options(reset_path=False, leak="none"),
    Options(reset_path=False, most=2, penalty=0.5, least_share=0.9),
    Options(floor=1.5),
    Options(floor=0.7, reset_path=False),
    Options(floor=2.0, double_reset=True),
]
"""Those in which it is not."""


def network(seed: int, sizes: Sequence[int], scale: float = 1.0) -> list[Floats]:
    """Weights that make neurons of all hidden layers fire, and leave some probability to every class."""
    draw = np.random.default_rng(seed)
    return [scale / (1 + 3 * k) * draw.normal(1.2, 2.0, shape) for k, shape in enumerate(itertools.pairwise(sizes))]


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Floats], Floats, NDArray[np.int64]]:
    """Weights, latencies on a coarse grid, so that many are the same, with silent inputs and empty samples; labels."""
    hidden = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    sizes = [draw(st.integers(1, 4)), *hidden, draw(st.integers(2, 3))]
    samples = draw(st.integers(1, 3))
    times = st.one_of(st.integers(0, 17).map(lambda k: k / 16), st.sampled_from([NONE, np.inf]))
    latencies = [draw(st.lists(times, min_size=sizes[0], max_size=sizes[0])) for _ in range(samples)]
    labels = draw(st.lists(st.integers(0, sizes[-1] - 1), min_size=samples, max_size=samples))
    weights = network(draw(st.integers(0, 2**32 - 1)), sizes, draw(st.sampled_from([0.5, 1.0, 3.0])))
    return weights, np.array(latencies, float), np.array(labels)


def pattern(traces: Sequence[Trace]) -> list[object]:
    """Which neuron fires how often between which inputs, of all samples."""
    return [(layer.sources.tolist(), [a.tolist() for a in layer.arrivals]) for t in traces for layer in t.layers]


def assert_is_the_slope(
    weights: list[Floats],
    latencies: Floats,
    labels: NDArray[np.int64],
    options: Options,
    directions: list[list[Floats]],
) -> int:
    """Hold the gradient against central differences in directions; returns in how many it was possible.

    Steps are halved until two differences agree, as a near-tangent spike bends the loss sharply; how far they are
    apart is what the gradient may be off by. A direction in which spikes come or go does not count.
    """
    def run(there: list[Floats]) -> list[Trace]:
        return [oracle.forward(sample, there, options) for sample in latencies]

    gradient, compared = oracle.gradients(latencies, labels, weights, options), 0
    here = pattern(run(weights))
    for direction in directions:

        def difference(step: float, along: list[Floats] = direction) -> float | None:
            sides = [run([w + by * d for w, d in zip(weights, along, strict=True)]) for by in (step, -step)]
            if any(pattern(side) != here for side in sides):
                return None
            above, below = (oracle.loss_of(side, labels, options) for side in sides)
            return (above - below) / (2 * step)

        slope = sum(float((g * d).sum()) for g, d in zip(gradient, direction, strict=True))
        for step in (1e-4, 1e-5, 1e-6):
            coarse, fine = difference(step), difference(step / 2)
            if coarse is None or fine is None or abs(coarse - fine) > 1e-5 * max(1.0, abs(fine)):
                continue
            assert slope == pytest.approx(fine, abs=abs(coarse - fine) + 1e-8, rel=1e-7)
            compared += 1
            break
    return compared


def each_weight(weights: Sequence[Floats]) -> list[list[Floats]]:
    """All directions along one weight."""
    directions = []
    for k, w in enumerate(weights):
        for index in np.ndindex(*w.shape):
            direction = [np.zeros(other.shape) for other in weights]
            direction[k][index] = 1
            directions.append(direction)
    return directions


@pytest.mark.parametrize("options", MODES)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(batch=batches(), seed=st.integers(0, 2**32 - 1))
def test_gradient_is_that_of_the_loss(
    options: Options, batch: tuple[list[Floats], Floats, NDArray[np.int64]], seed: int
) -> None:
    weights, latencies, labels = batch
    draw = np.random.default_rng(seed)
    directions = [[draw.normal(size=w.shape) for w in weights] for _ in range(2)]
    assume(assert_is_the_slope(weights, latencies, labels, options, directions))


BUSY = np.array([[0.0, 0.1, 0.1, NONE, 0.35], [0.05, 0.2, 0.7, 0.2, np.inf], [NONE] * 5, [0.6, 0.3, 0.3, 0.3, 1.0]])
"""Five inputs: simultaneous, silent, an empty sample, one at the very end."""
LABELS = np.array([0, 2, 1, 1])


@pytest.mark.parametrize("options", MODES)
@pytest.mark.parametrize("hidden", [(4,), (4, 3)])
def test_gradient_of_each_weight(options: Options, hidden: tuple[int, ...]) -> None:
    weights = network(2, (5, *hidden, 3), 2.0)
    counts = np.concatenate([c for x in BUSY for c in oracle.forward(x, weights, options).counts])
    assert counts.max() == min(options.most, counts.max())
    assert (counts == 0).any()
    assert counts.max() > 1 or options.most == 1
    compared = assert_is_the_slope(weights, BUSY, LABELS, options, each_weight(weights))
    assert compared >= sum(w.size for w in weights) - 2


def potential(
    at: complex, since: complex, old: Sequence[tuple[complex, complex]], new: Sequence[tuple[complex, complex]],
    options: Options,
) -> complex:  # fmt: skip
    """V at a time after a reset, from event to event; events are (time, weight), ``old`` those before the reset."""
    def elapse(v: complex, i: complex, duration: complex) -> tuple[complex, complex]:
        if options.leak == "none":
            return v + i * duration, i
        tau_i, tau_v = options.tau_i, options.tau_v
        v = v * np.exp(-duration / tau_v) + i * tau_i * tau_v / (tau_i - tau_v) * (
            np.exp(-duration / tau_i) - np.exp(-duration / tau_v)
        )
        return v, i * np.exp(-duration / tau_i)

    v, i, t = 0j, 0j, 0j
    for time, weight in old:
        i = elapse(0, i, time - t)[1] + weight
        t = time
    v, i = 0j, elapse(0, i, since - t)[1] * (not options.double_reset)
    t = since
    for time, weight in new:
        v, i = elapse(v, i, time - t)
        t, i = time, i + weight
    return elapse(v, i, at - t)[0]


def by_implicit_differentiation(
    latencies: Floats, labels: NDArray[np.int64], weights: list[Floats], options: Options
) -> Floats:
    """Gradient of the loss by all weights, flat: spike times are the roots of one system of equations."""
    traces = [oracle.forward(sample, weights, options) for sample in latencies]
    flags = oracle.flags(traces, options)
    flat = np.concatenate([w.ravel() for w in weights])
    total = np.zeros(len(flat))
    for trace, label in zip(traces, labels, strict=True):
        total += _of_sample(trace, label, flat, [w.shape for w in weights], flags, options) / len(labels)
    return total


def _of_sample(
    trace: Trace, label: int, flat: Floats, shapes: list[tuple[int, ...]], flags: list[Floats], options: Options
) -> Floats:
    hidden = trace.layers[:-1]
    starts: list[list[int]] = []  # where each neuron's spikes stand in the vector of all
    n = 0
    for layer in hidden:
        starts.append([])
        for count in layer.counts:
            starts[-1].append(n)
            n += int(count)
    spikes = np.concatenate([np.zeros(0), *(times for layer in hidden for times in layer.spikes)])
    slopes = np.concatenate([np.zeros(0), *(s for layer in hidden for s in layer.slopes)])

    def evaluate(times: NDArray[np.complex128], values: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Potentials at spikes, then those at the end of all layers."""
        at_spikes = np.zeros(n, complex)
        at_end: list[complex] = []
        split = np.split(values, np.cumsum([a * b for a, b in shapes])[:-1])
        last = times if options.reset_path else spikes
        for k, layer in enumerate(trace.layers):
            w = split[k].reshape(shapes[k])
            if k == 0:
                inputs = list(layer.times.astype(complex))
            else:
                inputs = [times[starts[k - 1][j] + m] for j, m in zip(layer.sources, layer.orders, strict=True)]
            for j in range(shapes[k][1]):
                events = [(t, w[source, j]) for t, source in zip(inputs, layer.sources, strict=True)]
                since, before = 0j, 0
                for m, arrived in enumerate(layer.arrivals[j]):
                    here = starts[k][j] + m
                    at_spikes[here] = potential(times[here], since, events[:before], events[before:arrived], options)
                    since, before = last[here], int(arrived)
                at_end.append(potential(options.t_out, since, events[:before], events[before:], options))
        return np.concatenate([at_spikes, at_end])

    def jacobian(columns: int, of_times: bool) -> Floats:
        step = 1e-30j
        derivatives = []
        for c in range(columns):
            times, values = spikes.astype(complex), flat.astype(complex)
            (times if of_times else values)[c] += step
            derivatives.append(evaluate(times, values).imag / step.imag)
        return np.array(derivatives).reshape(columns, n + sum(b for _, b in shapes)).T

    by_times, by_weights = jacobian(n, True), jacobian(len(flat), False)
    of_system = by_times[:n].copy()
    np.testing.assert_allclose(np.diag(of_system), slopes, rtol=1e-9, atol=1e-9)
    np.fill_diagonal(of_system, np.maximum(slopes, options.floor))
    times_by_weights = -np.linalg.solve(of_system, by_weights[:n]) if n else np.zeros((0, len(flat)))
    end_by_weights = by_weights[n:] + by_times[n:] @ times_by_weights
    v = trace.v_out
    softmax = np.exp(v) / np.exp(v).sum()
    softmax[label] -= 1
    of_output = softmax + 2 * options.sigma * v / len(v)
    of_hidden = [-options.penalty / len(mark) * mark for mark in flags]
    return np.concatenate([*of_hidden, of_output]) @ end_by_weights


@pytest.mark.parametrize("options", MODES + CUT)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(batch=batches())
def test_gradient_by_implicit_differentiation(
    options: Options, batch: tuple[list[Floats], Floats, NDArray[np.int64]]
) -> None:
    weights, latencies, labels = batch
    traces = [oracle.forward(sample, weights, options) for sample in latencies]
    slopes = [s for t in traces for layer in t.layers for of_neuron in layer.slopes for s in of_neuron]
    assume(min(slopes, default=1) > 1e-4)  # at a tangent the system is singular
    expected = by_implicit_differentiation(latencies, labels, weights, options)
    gradient = np.concatenate([g.ravel() for g in oracle.gradients(latencies, labels, weights, options)])
    np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max(initial=1))


@pytest.mark.parametrize("cut", [{"reset_path": False}, {"floor": 4.0}])
def test_what_is_cut_makes_a_difference(cut: dict[str, float]) -> None:
    weights, exact = network(2, (5, 4, 3), 3.0), Options()
    other = dataclasses.replace(exact, **cut)  # type: ignore[arg-type]
    assert oracle.loss(BUSY, LABELS, weights, exact) == oracle.loss(BUSY, LABELS, weights, other)
    first, second = (oracle.gradients(BUSY, LABELS, weights, o) for o in (exact, other))
    assert np.abs(first[0] - second[0]).max() > 1e-2 * np.abs(first[0]).max()
    np.testing.assert_array_equal(first[-1], second[-1])  # outputs have no spikes


def test_a_double_reset_has_no_reset_path() -> None:
    weights, with_it = network(2, (5, 4, 3), 3.0), Options(double_reset=True)
    without = dataclasses.replace(with_it, reset_path=False)
    for a, b in zip(*(oracle.gradients(BUSY, LABELS, weights, o) for o in (with_it, without)), strict=True):
        np.testing.assert_array_equal(a, b)


def euler(latencies: Floats, w: Floats, options: Options, steps: int) -> tuple[list[list[float]], Floats]:
    """Eqs. 2 to 4 of one layer in many small steps: spike times of each neuron, potentials at the end."""
    dt = options.t_out / steps
    v, i = np.zeros(w.shape[1]), np.zeros(w.shape[1])
    arrives = np.where(np.isfinite(latencies), latencies / dt, -1).round().astype(int)
    times: list[list[float]] = [[] for _ in v]
    leaky = options.leak == "leaky"
    for step in range(steps):
        i += w[arrives == step].sum(axis=0)
        v, i = v + dt * (i - leaky * v / options.tau_v), i - dt * leaky * i / options.tau_i
        for j in np.flatnonzero(v >= options.v_thresh):
            if len(times[j]) < options.most:
                times[j].append((step + 1) * dt)
                v[j], i[j] = 0, 0 if options.double_reset else i[j]
    return times, v


@pytest.mark.parametrize("options", [o for o in MODES if o.t_out == 1])
def test_spike_times_are_those_of_small_steps(options: Options) -> None:
    w = network(2, (5, 6), 2.0)[0]
    fired = 0
    for latencies in BUSY:
        trace = oracle.forward(latencies, [w, np.ones((6, 1))], options)
        times, v = euler(latencies, w, options, 20_000)
        assert [len(t) for t in times] == trace.counts[0].tolist()
        for expected, exact in zip(times, trace.layers[0].spikes, strict=True):
            np.testing.assert_allclose(exact, expected, atol=2e-3)
        np.testing.assert_allclose(trace.v_hidden[0], v, atol=2e-2)
        fired += int(trace.counts[0].sum())
    assert fired > 4


def test_a_spike_by_hand() -> None:
    """Weight 6 at t = 0: A = B = 4.8 (Eqs. 16, 17), z = (4.8 - sqrt(4.8^2 - 4 * 4.8)) / 2 (Eq. 19)."""
    options = Options(most=1)
    z = (4.8 - np.sqrt(4.8**2 - 4 * 4.8)) / 2
    layer = oracle.forward(np.zeros(1), [np.full((1, 1), 6.0), np.ones((1, 1))], options).layers[0]
    np.testing.assert_allclose(layer.spikes[0], [0.8 * np.log(z)], rtol=1e-14)
    np.testing.assert_allclose(layer.currents[0], [6 / z], rtol=1e-14)
    np.testing.assert_allclose(layer.slopes[0], [6 / z - 1 / 0.4], rtol=1e-13)


def test_a_spike_at_the_end_is_none() -> None:
    weights = [np.full((1, 1), 6.0), np.ones((1, 1))]
    first = float(oracle.forward(np.zeros(1), weights).layers[0].spikes[0][0])
    at_it = oracle.forward(np.zeros(1), weights, Options(t_out=first))
    after = oracle.forward(np.zeros(1), weights, Options(t_out=np.nextafter(first, 1)))
    assert (at_it.counts[0].tolist(), after.counts[0].tolist()) == ([0], [1])


def test_flags_and_penalty() -> None:
    """Two neurons, ten samples: one fires once, the other never; a share of 0.1 is one sample."""
    weights = [np.array([[6.0, 0.1]]), np.zeros((2, 2))]
    latencies = np.full((10, 1), NONE)
    latencies[3] = 0.0
    traces = [oracle.forward(x, weights) for x in latencies]
    assert oracle.flags(traces)[0].tolist() == [0, 1]
    assert oracle.flags(traces, Options(least_share=0.11))[0].tolist() == [1, 1]
    value = oracle.loss(latencies, np.zeros(10, int), weights)
    v = traces[3].v_hidden[0][1]
    assert value == pytest.approx(np.log(2) + 0.01 * (9 * 1 + (1 - v)) / 10 / 2, rel=1e-12)
    assert oracle.gradients(latencies, np.zeros(10, int), weights)[0][0, 1] < 0


@pytest.mark.parametrize("n_1", [1, 3, 64])
def test_algorithm_1_is_right_once_corrected(n_1: int) -> None:
    hidden, output = network(2, (5, 7, 3), 3.0)
    for options in (Options(), Options(tau_i=0.4), Options(tau_i=6.4)):
        apart = []
        for latencies in BUSY:
            exact = oracle.forward(latencies, [hidden, output], options).v_out
            right, printed = (
                oracle.algorithm_1(latencies, hidden, output, options, as_printed=p, n_1=n_1) for p in (False, True)
            )
            np.testing.assert_allclose(right, exact, rtol=1e-9, atol=1e-9)
            apart.append(np.abs(printed - exact).max() / (1 + np.abs(exact).max()))
        assert max(apart) > 0.1


def test_algorithm_1_bounds_spikes() -> None:
    hidden, output = network(2, (5, 7, 3), 3.0)
    for most in (1, 2):
        exact = oracle.forward(BUSY[0], [hidden, output], Options(most=most)).v_out
        looped = oracle.algorithm_1(BUSY[0], hidden, output, as_printed=False, n_1=1, n_2=most)
        np.testing.assert_allclose(looped, exact, rtol=1e-9)


GRADIENTS = np.array([[0.3, -4.0, 0.0], [-0.1, -2.0, 1e-9], [0.7, 5.0, -1e-7], [0.0, 1e-3, 2e-8]])
OF_PYTORCH = np.array([
    [0.9000000033333332, -1.90000000025, 0.5],
    [0.8599781479280808, -1.806782036663685, 0.49508450688385525],
    [0.7890257503390989, -1.806400969439532, 0.5490464324313371],
    [0.7309058637562146, -1.806097493112524, 0.5820253197513177],
])  # fmt: skip
"""Weights after each step of ``torch.optim.Adam([w], lr=0.1)`` of PyTorch 2.13.0 in double precision, from
(1, -2, 0.5), when ``w.grad`` is set to the rows of `GRADIENTS`. The last weight tells where epsilon is added."""


def test_adam_is_that_of_pytorch() -> None:
    w, first, second = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3)
    for step, (gradient, expected) in enumerate(zip(GRADIENTS, OF_PYTORCH, strict=True), start=1):
        w, first, second = oracle.adam(w, gradient, first, second, step, rate=0.1)
        np.testing.assert_allclose(w, expected, rtol=1e-13)


def test_adam_by_hand() -> None:
    """Gradients 2 and -1, rate 0.001: m = 0.2, 0.08; v = 0.004, 0.004996 (Kingma & Ba, Algorithm 1)."""
    w, first, second = oracle.adam(np.array([1.0]), np.array([2.0]), np.zeros(1), np.zeros(1), 1)
    np.testing.assert_allclose(w, [1 - 0.001 * 2 / (2 + 1e-8)], rtol=1e-15)
    w2, first, second = oracle.adam(w, np.array([-1.0]), first, second, 2)
    np.testing.assert_allclose([first[0], second[0]], [0.08, 0.004996], rtol=1e-12)
    change = 0.001 * (0.08 / 0.19) / (np.sqrt(0.004996 / 0.001999) + 1e-8)
    np.testing.assert_allclose(w2, w - change, rtol=1e-14)


def test_bad_input_is_refused() -> None:
    weights = network(2, (5, 4, 3))
    with pytest.raises(ValueError, match="latencies"):
        oracle.forward(np.full(5, -0.1), weights)
    with pytest.raises(ValueError, match="do not follow"):
        oracle.forward(np.zeros(4), weights)
