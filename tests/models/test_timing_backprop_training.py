"""Timing-based backpropagation in training: Adam, batches, several layers, devices, and runs that are stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbarium.datasets import by_name as datasets
from hebbarium.engine import anatomy, run_folder
from hebbarium.files.errors import Stopped
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division
from hebbarium.training.schedule import Schedule
from hebbarium.training.training import resume, train
from tests.engine.equal_runs import assert_same_bits
from tests.models.timing_networks import CLASSES, PIXELS, Labels, Levels, Small, options_of, random_weights
from tests.oracles import timing_backprop as oracle
from tests.oracles.timing_backprop import Floats
from tests.training.test_supervised_runs import stop_after


def samples(count: int) -> tuple[Levels, Labels]:
    """The first of some images, of which some pixels are the same, and labels."""
    draw = np.random.default_rng(3)
    levels = draw.integers(0, 256, (40, PIXELS)).astype(np.uint8)
    levels[:, 1] = levels[:, 2]
    return levels[:count], draw.integers(0, CLASSES, 40)[:count]


# -- Adam --------------------------------------------------------------------------------------------------------
ADAM = {"eta": 0.05, "beta_1": 0.9, "penalty": 0.5, "least_active": 0.6, "sigma": 0.1}


@pytest.fixture(scope="module")
def learning(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The program of the tests in test_timing_backprop.py, so that it is compiled once for both."""
    return Small.build(tmp_path_factory.mktemp("program"))


def by_oracle(small: Small, weights: list[Floats], count: int) -> list[Floats]:
    """Weights after so many samples in batches of four, the last one as large as it is."""
    levels, labels = samples(count)
    moments = [(np.zeros(w.shape), np.zeros(w.shape)) for w in weights]
    weights = [w.copy() for w in weights]
    for step, first in enumerate(range(0, count, 4), start=1):
        batch = slice(first, first + 4)
        gradients = small.gradients(weights, levels[batch], labels[batch])
        for k, gradient in enumerate(gradients):
            weights[k], *moment = oracle.adam(
                weights[k], gradient, *moments[k], step, small.model.eta, (small.model.beta_1, small.model.beta_2)
            )
            moments[k] = (moment[0], moment[1])
    return weights


def assert_learned(small: Small, shown: Mapping[str, Any], first: list[Floats], count: int) -> None:
    for ours, expected, before in zip(
        small.arrays(shown, "w"), by_oracle(small, first, count), first, strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)
        assert np.abs(expected - before).max() > 0.1, "hardly anything was learned"


@pytest.mark.parametrize("count", [12, 11, 9])
def test_weights_after_three_batches_are_the_oracles(learning: Small, count: int) -> None:
    """A last batch of fewer samples is the mean of these, and has flags of these."""
    small, first = learning.changed(**ADAM), random_weights(4, (PIXELS, 5, CLASSES), 1.5)
    shown = small.show(first, *samples(count))
    assert_learned(small, shown.state, first, count)
    assert shown.state["hidden_1.batches"].tolist() == [3] * 5
    assert shown.state["hidden_1.n_batch"].tolist() == [(count - 1) % 4 + 1] * 5
    assert 0 < shown.state["hidden_1.dead"].astype(bool).sum() < 5, "all or none have a flag"


def test_weights_after_five_batches_in_two_blocks_are_the_oracles(learning: Small) -> None:
    small, first = learning.changed(**ADAM), random_weights(4, (PIXELS, 5, CLASSES), 1.5)
    levels, labels = samples(20)
    state = small.show(first, levels[:8], labels[:8]).state
    state = small.show(state, levels[8:], labels[8:]).state
    assert_learned(small, state, first, 20)


def test_answers_of_a_block_are_those_before_each_step(learning: Small) -> None:
    small, first = learning.changed(**ADAM), random_weights(4, (PIXELS, 5, CLASSES), 1.5)
    levels, labels = samples(11)
    shown = small.show(first, levels, labels)
    for batch in range(3):
        weights = by_oracle(small, first, 4 * batch) if batch else first
        traces = small.traces(weights, levels[4 * batch : 4 * batch + 4])
        there = shown.potentials[4 * batch : 4 * batch + 4]
        np.testing.assert_allclose(there, [t.v_out for t in traces], rtol=0, atol=1e-10)
        np.testing.assert_array_equal(shown.counts[0][4 * batch : 4 * batch + 4], [t.counts[0] for t in traces])


# -- two hidden layers -------------------------------------------------------------------------------------------
TWO: dict[str, Any] = {"layers": (5, 4), "sigma": 0.1, "penalty": 0.0}
REFINED = (1, 4, 16)


class Layered(dict[int, Small]):
    """Two hidden layers, by the steps of one level of brightness; each compiled when it is first needed."""

    def __init__(self, scratch: Path) -> None:
        super().__init__()
        self.scratch = scratch

    def __missing__(self, refine: int) -> Small:
        self[refine] = Small.build(self.scratch, refine=refine, **TWO)
        return self[refine]


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Layered:
    return Layered(tmp_path_factory.mktemp("layers"))


def deep_weights(seed: int) -> list[Floats]:
    first, second, last = random_weights(seed, (PIXELS, 5, 4, CLASSES), 1.5)
    return [first, 3 * second, 3 * last]


@pytest.mark.long
def test_two_hidden_layers_are_the_oracles_as_steps_become_smaller(layered: Layered) -> None:
    """What shares a step, an arrival and a crossing, is off; the fewer do, the nearer it comes; others are exact."""
    levels, labels = samples(4)
    far: dict[int, list[float]] = {refine: [] for refine in REFINED}
    alike = 0
    for seed in range(12):
        weights = deep_weights(seed)
        if not sum(t.counts[1].sum() for t in layered[1].traces(weights, levels)):
            continue  # the upper layer does not fire, and there is no gradient
        for refine in REFINED:
            small = layered[refine]
            shown, traces = small.show(weights, levels, labels), small.traces(weights, levels)
            same = all(
                np.array_equal(counts, [t.counts[k] for t in traces]) for k, counts in enumerate(shown.counts)
            )
            expected = small.gradients(weights, levels, labels)
            apart = max(np.abs(a - b).max() for a, b in zip(shown.gradients, expected, strict=True))
            far[refine].append(apart / max(np.abs(g).max() for g in expected))
            if not meet(small, traces):
                assert same
                assert apart < 1e-9 * max(1.0, *(np.abs(g).max() for g in expected))
                alike += 1
    exact = {refine: sum(apart < 1e-9 for apart in values) for refine, values in far.items()}
    assert exact[1] < exact[4] <= exact[16], exact
    mean = {refine: float(np.mean(np.minimum(values, 1))) for refine, values in far.items()}
    assert mean[1] > mean[4] > mean[16], mean
    assert alike >= 6
    assert len(far[1]) > 6


def meet(small: Small, traces: list[oracle.Trace]) -> bool:
    """Whether an arrival and a crossing of a neuron above the first layer share a step, or two crossings do."""
    dt = options_of(small.model).t_out / small.model.sample_steps("train")
    for trace in traces:
        layer = trace.layers[1]
        arrivals = set(np.floor(layer.times / dt).astype(int).tolist())
        if any(arrivals & set(np.floor(times / dt).astype(int).tolist()) for times in layer.spikes):
            return True
    return small.crowded(traces)


@pytest.mark.long
def test_gradients_of_two_hidden_layers_are_those_of_the_programs_own_loss(layered: Layered) -> None:
    """By central differences, where no spike comes or goes."""
    small = layered[4]
    levels, labels = samples(4)
    draw, compared = np.random.default_rng(1), 0

    def loss(weights: list[Floats]) -> tuple[float, list[Any]]:
        shown = small.show(weights, levels, labels)
        v = shown.potentials
        entropy = np.log(np.exp(v).sum(axis=1)) - v[np.arange(len(v)), labels]
        return float((entropy + small.model.sigma * (v**2).mean(axis=1)).mean()), [c.tolist() for c in shown.counts]

    for seed in range(3):
        weights = deep_weights(seed)
        gradients = small.show(weights, levels, labels).gradients
        for _ in range(6):
            direction = [draw.normal(size=w.shape) for w in weights]
            sides = [loss([w + by * d for w, d in zip(weights, direction, strict=True)]) for by in (1e-6, -1e-6)]
            if sides[0][1] != sides[1][1]:
                continue
            difference = (sides[0][0] - sides[1][0]) / 2e-6
            expected = sum(float((g * d).sum()) for g, d in zip(gradients, direction, strict=True))
            assert difference == pytest.approx(expected, rel=1e-5, abs=1e-7)
            assert abs(expected) > 1e-3
            compared += 1
    assert compared >= 12


# -- devices -----------------------------------------------------------------------------------------------------
def assert_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_allclose(array, other[name], rtol=1e-12, atol=1e-12, err_msg=name)


def after_two_batches(small: Small) -> Mapping[str, Any]:
    """All state, the second batch being of one sample."""
    first = random_weights(4, (PIXELS, 5, CLASSES), 1.5)
    shown = small.changed(**ADAM).show(first, *samples(5))
    assert shown.counts[0].max() > 2
    return shown.state


@pytest.mark.slow
def test_numpy_is_the_dense_program(learning: Small, tmp_path: Path) -> None:
    assert_alike(after_two_batches(learning), after_two_batches(Small.build(tmp_path, "numpy")))


@pytest.mark.long
def test_standalone_is_the_dense_program(learning: Small, tmp_path: Path) -> None:
    assert_alike(after_two_batches(learning), after_two_batches(Small.build(tmp_path, "cpp")))


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # of neurons without current
@pytest.mark.parametrize("changes", [{"leak": "none"}, {"leak": "none", "reset": "double"}, {"reset": "double"}])
def test_numpy_is_the_oracle_in_other_modes(changes: dict[str, Any], tmp_path: Path) -> None:
    """A short sample: 51 steps."""
    small = Small.build(tmp_path, "numpy", t_out=0.2, **changes).changed(v_thresh=0.1, penalty=0.5, sigma=0.1)
    levels, labels = samples(2)
    levels[0, :] = [255, 255, 240, 230, 220, 0]
    levels[1, :] = [250, 210, 0, 255, 211, 230]
    weights = random_weights(4, (PIXELS, 5, CLASSES), 1.5)
    shown, traces = small.show(weights, levels, labels), small.traces(weights, levels)
    np.testing.assert_array_equal(shown.counts[0], [t.counts[0] for t in traces])
    assert shown.counts[0].max() > 1
    for ours, expected in zip(shown.gradients, small.gradients(weights, levels, labels), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-11)
        assert np.abs(expected).max() > 1e-3


# -- runs --------------------------------------------------------------------------------------------------------
RUN = RunSettings(
    model="timing_backprop", dataset="mnist-embedded", images=11, test_images=6, epochs=2, block=4, seed=1,
    changes={"layers": "6", "batch": "4", "eta": "0.05", "t_black": "0.1*ms", "t_out": "0.1*ms", "tau_i": "0.08*ms",
             "v_thresh": "0.05"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("block", "sizes"), [(4, [4, 4, 3]), (8, [8, 3]), (3, [4, 4, 3]), (100, [11])], ids=lambda value: str(value)
)
def test_batches_never_cross_a_pass(block: int, sizes: list[int]) -> None:
    settings = dataclasses.replace(RUN, block=block)
    schedule = Schedule.of(settings, settings.make_model(), Division.of(settings, datasets.load("mnist-embedded")))
    assert [len(part) for part in schedule.blocks] == sizes * 2
    for epoch in range(2):
        of_pass = schedule.blocks[epoch * len(sizes) : (epoch + 1) * len(sizes)]
        assert len(np.unique(np.concatenate(of_pass))) == 11
    assert all(len(np.unique(part)) == 1 for part in schedule.epochs)


@pytest.mark.long
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """In the middle of the first pass, at its end after a batch that is not full, and in the second."""
    whole = train(RUN, tmp_path / "whole")
    out = tmp_path / "stopped"
    for block in (1, 3, 4):
        with pytest.MonkeyPatch.context() as patch:
            stop_after(block, patch)
            with pytest.raises(Stopped):
                train(RUN, out) if block == 1 else resume(out)
        assert run_folder.last_checkpoint(out)[0] == block  # type: ignore[index]
    resume(out)
    assert_same_bits(out, whole)
    ended = Run.open(whole)
    for projection in anatomy.projections(ended.model):
        mean = ended.state[projection.variable.replace(".w", ".mean")]
        assert np.abs(mean).max() > 1e-4, "nothing was learned"
    assert ended.state["output.batches"].tolist() == [6] * 10
    assert ended.state["output.n_batch"].tolist() == [3] * 10
