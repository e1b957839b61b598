"""Small networks of timing-based backpropagation: one batch through a compiled program, and the same by the oracle."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import kHz, ms
from hypothesis import strategies as st
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.contract import Arrays, Block, Program, Structure
from hebbarium.models.timing_backprop import LEVELS, TimingBackprop
from tests.oracles import timing_backprop as oracle
from tests.oracles.timing_backprop import Floats, Options, Trace

Levels = NDArray[np.uint8]
Labels = NDArray[np.int64]
PIXELS, CLASSES, BATCH = 6, 3, 4
CAPACITY = 12
ROUNDING = float(np.finfo(float).eps)
UNITS = {"t_out": ms, "t_black": ms, "tau_i": ms, "slope_floor": kHz, "slope_bound": kHz}


def small_model(**changes: Any) -> TimingBackprop:
    """Six pixels, five hidden neurons, three classes, batches of four. Times in ms and slopes in kHz are plain numbers.

    The mean of gradients keeps nothing and weights stay, so that `mean` is the last batch's gradient.
    """
    settings: dict[str, Any] = {
        "pixels": PIXELS, "layers": (5,), "classes": CLASSES, "batch": BATCH, "eta": 0.0, "beta_1": 0.0,
    }  # fmt: skip
    units = {name: value * UNITS.get(name, 1) for name, value in changes.items() if name in UNITS}
    return TimingBackprop(**(settings | changes | units))


def options_of(model: TimingBackprop) -> Options:
    """What the model says, for the oracle."""
    return Options(
        tau_i=float(model.tau_i / ms), v_thresh=model.v_thresh, t_out=float(model.t_out / ms),
        most=1 if model.spikes == "one" else model.most, leak="none" if model.leak == "none" else "leaky",
        double_reset=model.reset == "double", reset_path=model.reset_path == "kept",
        floor=float(model.slope_floor / kHz), penalty=model.penalty, sigma=model.sigma,
        least_share=model.least_active,
    )  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What a program made of samples.

    Parameters
    ----------
    gradients : list of array
        ``(inputs, neurons)`` a layer, of the last batch.
    counts : list of array
        ``(samples, neurons)`` spikes of each hidden layer.
    potentials : array
        ``(samples, classes)`` of the output at the end of each sample.
    late, tangent : int
        Spikes of all hidden neurons that were counted as such.
    state : dict
        All state after the last presentation.
    """

    gradients: list[Floats]
    counts: list[NDArray[np.integer]]
    potentials: Floats
    late: int
    tangent: int
    state: Arrays


@dataclass(frozen=True)
class Small:
    """A program that learns, whose quantities may be changed from run to run."""

    model: TimingBackprop
    program: Program

    @classmethod
    def build(cls, scratch: Path, device: str = "dense", phase: str = "train", **changes: Any) -> Small:
        """Compile it, in double precision, with hidden spikes recorded."""
        model = small_model(**changes)
        structure = Structure(model, phase, "float64", device, CAPACITY, model.hidden, measures=model.measures(False))
        return cls(model, devices.program(structure, scratch))

    def changed(self, **quantities: float) -> Small:
        """The same program with other quantities."""
        return Small(self.model.replace(**{k: v * UNITS.get(k, 1) for k, v in quantities.items()}), self.program)

    def first_state(self, weights: Sequence[Floats]) -> Arrays:
        """State before the first batch."""
        drawn = {p.variable: w.ravel() for p, w in zip(anatomy.projections(self.model), weights, strict=True)}
        return dict(anatomy.initial_state(self.model, self.program.structure.phase, drawn))

    def show(self, weights: Sequence[Floats] | Arrays, levels: Levels, labels: Labels) -> Shown:
        """Show it samples in one block, from new weights or from a state."""
        model, phase = self.model, self.program.structure.phase
        state = weights if isinstance(weights, dict) else self.first_state(weights)
        given = model.all_inputs(phase, levels, labels)
        answers = presentations.show(self.program, Block(state, given, model.run_time_values(), 1))
        late, tangent = (
            int(sum(answers.state[f"{name}.{counter}"].sum() for name in model.hidden)) if phase == "train" else 0
            for counter in ("n_late", "n_tangent")
        )
        return Shown(
            self.arrays(answers.state, "mean") if phase == "train" else [],
            [answers.counts[name] for name in model.hidden],
            np.asarray(answers.values["output.v"]),
            late,
            tangent,
            dict(answers.state),
        )

    def arrays(self, state: Mapping[str, NDArray[Any]], variable: str) -> list[Floats]:
        """A variable of all weights, ``(inputs, neurons)`` a layer."""
        return [
            np.asarray(state[f"{p.variable.partition('.')[0]}.{variable}"], float).reshape(p.shape)
            for p in anatomy.projections(self.model)
        ]

    def latencies(self, levels: Levels) -> Floats:
        """For the oracle, ``(samples, pixels)``, in ms."""
        return (LEVELS - levels.astype(float)) / LEVELS

    def traces(self, weights: Sequence[Floats], levels: Levels) -> list[Trace]:
        """What the oracle makes of each sample."""
        return [oracle.forward(sample, weights, options_of(self.model)) for sample in self.latencies(levels)]

    def gradients(self, weights: Sequence[Floats], levels: Levels, labels: Labels) -> list[Floats]:
        """The oracle's of one batch."""
        return oracle.gradients(self.latencies(levels), labels, weights, options_of(self.model))

    def crowded(self, traces: Sequence[Trace]) -> bool:
        """Whether a neuron fires twice within a step of the program, which it does not promise to find in time."""
        dt = float(self.model.dt / ms)
        spikes = [times for t in traces for layer in t.layers[:-1] for times in layer.spikes]
        return any((np.diff(np.floor(times / dt)) == 0).any() for times in spikes)


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
"""What is compiled in, by name."""


class Programs(dict[str, Small]):
    """Programs of `CASES`, each compiled when it is first needed."""

    def __init__(self, scratch: Path) -> None:
        super().__init__()
        self.scratch = scratch

    def __missing__(self, name: str) -> Small:
        self[name] = Small.build(self.scratch, **CASES[name])
        return self[name]


def least_slope(traces: Sequence[Trace]) -> float:
    """The least slope of all spikes, in kHz."""
    slopes = [s for t in traces for layer in t.layers[:-1] for of_neuron in layer.slopes for s in of_neuron]
    return float(min(slopes, default=np.inf))


def greatest_potential(small: Small, column: Floats, levels: NDArray[np.integer]) -> float:
    """The greatest potential of a neuron that never fires, with these weights, in one sample.

    Between two inputs V is a parabola of exp(-t/tau_I) (Eq. 14), whose vertex is at A = 2 B/z.
    """
    options = options_of(small.model)
    times = small.latencies(np.asarray(levels))
    order = np.argsort(times, kind="stable")
    order = order[times[order] < options.t_out]
    ends = [*times[order][1:], options.t_out]
    v = i = greatest = 0.0
    for source, start, end in zip(order, times[order], ends, strict=False):
        i += column[source]
        if options.leak == "none":
            v += i * (end - start)
            greatest = max(greatest, v)
            continue
        a, b = options.tau_i * i, options.tau_i * i - v  # V = a x - b x**2 with x = exp(-(t - start)/tau_I)
        last = np.exp((start - end) / options.tau_i)
        for x in (last, a / (2 * b) if b > 0 else last):
            if last <= x <= 1:
                greatest = max(greatest, a * x - b * x**2)
        v, i = a * last - b * last**2, i * last
    return greatest


def touching(small: Small, column: Floats, levels: NDArray[np.integer], margin: float) -> Floats:
    """The neuron's weights, scaled so that V exceeds the threshold by this part in this sample, if it never fires."""
    greatest = greatest_potential(small, column, levels)
    return column * (small.model.v_thresh * (1 + margin) / greatest) if greatest > 0 else column


@dataclass(frozen=True)
class Batch:
    """Samples, weights and quantities of one example."""

    weights: list[Floats]
    levels: Levels
    labels: Labels
    quantities: dict[str, float]


def random_weights(seed: int, sizes: Sequence[int], scale: float = 1.0) -> list[Floats]:
    """Weights that make neurons of all hidden layers fire, and leave some probability to every class."""
    draw = np.random.default_rng(seed)
    return [scale / (1 + 3 * k) * draw.normal(1.2, 2.0, shape) for k, shape in enumerate(itertools.pairwise(sizes))]


@st.composite
def batches(draw: st.DrawFn, small: Small, margins: tuple[float, ...] = ()) -> Batch:
    """One batch, seldom full, with simultaneous inputs, black pixels, empty images and neurons that never fire.

    Parameters
    ----------
    margins : tuple of float
        One hidden neuron exceeds the threshold by one of these in one of the samples.
    """
    model = small.model
    samples = draw(st.integers(1, model.batch))
    level = st.one_of(st.integers(0, 255), st.sampled_from([0, 0, 96, 160, 200, 255]))
    image = st.one_of(st.lists(level, min_size=model.pixels, max_size=model.pixels), st.just([0] * model.pixels))
    levels = np.array(draw(st.lists(image, min_size=samples, max_size=samples)), np.uint8)
    labels = np.array(draw(st.lists(st.integers(0, model.classes - 1), min_size=samples, max_size=samples)))
    quantities = {
        "tau_i": draw(st.sampled_from([0.8, 0.4, 6.4])),
        "v_thresh": draw(st.sampled_from([1.0, 0.6])),
        "penalty": draw(st.sampled_from([0.0, 0.5])),
        "least_active": draw(st.sampled_from([1.0, 0.1, 0.6])),
        "sigma": draw(st.sampled_from([0.0, 0.1])),
        "slope_floor": draw(st.sampled_from([0.0, 0.0, 1.5])),
    }
    sizes = (model.pixels, *model.layers, model.classes)
    weights = random_weights(draw(st.integers(0, 2**32 - 1)), sizes, draw(st.sampled_from([0.5, 1.0, 3.0])))
    if margins:
        neuron, sample = draw(st.integers(0, model.layers[0] - 1)), draw(st.integers(0, samples - 1))
        there = small.changed(**quantities)
        weights[0][:, neuron] = touching(there, weights[0][:, neuron], levels[sample], draw(st.sampled_from(margins)))
    return Batch(weights, levels, labels, quantities)


CONDITIONING = 3000
"""Epsilons over the square of the least slope, below one kHz, that gradients may differ by, in parts of the largest.

Time goes through up to 765 steps, each with one rounding, so that a spike's time is off by a few hundred times the
machine epsilon over its slope. The gradient is divided by that slope, which is off by as much over the slope again. Of
some thousand examples the worst needed 1,900.
"""


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


def busy(small: Small, scale: float = 4.0) -> Batch:
    """Many spikes, simultaneous inputs, an empty image, one that is all white, and a neuron that never fires."""
    levels = np.array([[255, 200, 200, 0, 90, 200], [0] * 6, [255] * 6, [128, 60, 60, 60, 10, 1]], np.uint8)
    model = small.model
    weights = random_weights(4, (model.pixels, *model.layers, model.classes), scale)
    weights[0][:, 2] = -np.abs(weights[0][:, 2])
    return Batch(weights, levels, np.array([0, 1, 2, 1]), {"penalty": 0.5, "least_active": 1.0, "sigma": 0.1})
