"""The benchmark of timing-based backpropagation beside PyTorch; the other side is held against the oracle."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import comparison, timing
from benchmarks.desire import TORCH_PYTHON, first_weights
from benchmarks.worker import ROOT, Measurement, WorkerFailed
from hebbarium.datasets import by_name as datasets
from hebbarium.models.timing_backprop import TimingBackprop
from tests.oracles import timing_backprop as oracle

SOURCE = (ROOT / "benchmarks" / "pytorch_timing.py").read_text()


@pytest.mark.skipif(not os.environ.get(TORCH_PYTHON), reason=f"{TORCH_PYTHON} names no Python that has PyTorch")
@pytest.mark.parametrize("samples", [24, 104])
def test_the_other_side_has_the_oracles_gradient(tmp_path: Path, samples: int) -> None:
    """Of a batch with an empty and a full image, in parts; then that of the 4 samples after one step of Adam."""
    digits = datasets.load("mnist-embedded")
    images, labels = digits.train_images[:samples].copy(), digits.train_labels[:samples].astype(np.int64)
    images[3], images[7] = 0, 255
    weights = list(first_weights(TimingBackprop(layers=(30,))).values())
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", labels)
    np.savez(tmp_path / "start.npz", *weights)
    with comparison.side(os.environ[TORCH_PYTHON], "pytorch_timing", tmp_path / "images.npy", threads=1, part=7,
                         labels=tmp_path / "labels.npy", start=tmp_path / "start.npz", precision="float64",
                         warm_up=samples, save=tmp_path / "end.npz"):  # fmt: skip
        pass
    latencies = (255 - images.astype(np.float64)) / 255
    moments = [(np.zeros(w.shape), np.zeros(w.shape)) for w in weights]
    for step, first in enumerate(range(0, samples, 100), start=1):
        batch = slice(first, first + 100)
        gradients = oracle.gradients(latencies[batch], labels[batch], weights)
        assert all(np.abs(g).max() > 1e-3 for g in gradients)
        for k, g in enumerate(gradients):
            weights[k], *moment = oracle.adam(weights[k], g, *moments[k], step)
            moments[k] = (moment[0], moment[1])
    with np.load(tmp_path / "end.npz") as end:
        for k, g in enumerate(gradients):
            np.testing.assert_allclose(end[f"gradient_{k}"], g, rtol=1e-7, atol=1e-10)
            np.testing.assert_allclose(end[f"w_{k}"], weights[k], rtol=1e-7, atol=1e-8)


def test_the_other_side_has_the_papers_parameters() -> None:
    options = oracle.Options()
    for name, value in {
        "TAU_I": options.tau_i, "V_THRESH": options.v_thresh, "T_OUT": options.t_out, "BATCH": 100, "ETA": 1e-3,
        "LEAST_SHARE": options.least_share, "WHITE": 255,
    }.items():  # fmt: skip
        written = re.search(rf"^{name} = (\S+)", SOURCE, re.MULTILINE)
        assert written, name
        assert float(written[1]) == value, name
    assert f"PENALTY, SIGMA = {options.penalty}, 1e-4 " in SOURCE
    assert options.sigma == 1e-4


def test_first_weights() -> None:
    weights = list(first_weights(TimingBackprop(layers=(timing.HIDDEN,))).values())
    assert [w.shape for w in weights] == [(784, 400), (400, 10)]
    assert (weights[0].mean(), weights[0].std()) == pytest.approx((0.03, 0.3), abs=0.002)


def test_sides_with_other_gradients_are_not_compared() -> None:
    ours = {"to_hidden_1": np.array([[2.0, -1.0]]), "to_output": np.array([[0.5]])}
    timing.same(ours, [w * (1 + 1e-12) for w in ours.values()])
    with pytest.raises(WorkerFailed, match=r"to_output .*differs by up to 0\.1; expected at most 1e-09 of the largest"):
        timing.same(ours, [ours["to_hidden_1"], np.array([[0.6]])])
    with pytest.raises(WorkerFailed, match="to_hidden_1"):
        timing.same(ours, [ours["to_hidden_1"] * np.nan, ours["to_output"]])


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get(TORCH_PYTHON), reason=f"{TORCH_PYTHON} names no Python that has PyTorch")
def test_the_other_side_has_our_gradient(tmp_path: Path) -> None:
    digits = datasets.load("mnist-embedded")
    np.save(tmp_path / "images.npy", digits.train_images[:200])
    np.save(tmp_path / "labels.npy", digits.train_labels[:200])
    model = TimingBackprop(layers=(20,))
    files = tmp_path / "images.npy", tmp_path / "labels.npy"
    np.savez(tmp_path / "start.npz", allow_pickle=False, **first_weights(model))
    timing.check(os.environ[TORCH_PYTHON], model, tmp_path / "start.npz", *files, tmp_path)
    other = model.replace(sigma=2e-4)
    with pytest.raises(WorkerFailed, match="not have the same gradient"):
        timing.check(os.environ[TORCH_PYTHON], other, tmp_path / "start.npz", *files, tmp_path)


def test_rows() -> None:
    ours = [Measurement(1000, 1.0, 0.5, spikes=0)]
    theirs = [Measurement(100, 0.3, 0.25, spikes=60_000)]
    values = {row.name: row.value for row in timing.rows({timing.MODEL: ours, "theirs": theirs}, "theirs")}
    assert values == {
        "timing_backprop, 784-400-10, float32, batch 100: an image": pytest.approx(1),
        "theirs, 784-400-10, float32, batch 100, 1 thread: spikes of a hidden neuron in a sample": pytest.approx(1.5),
        "theirs, 784-400-10, float32, batch 100, 1 thread: an image": pytest.approx(3),
        "timing_backprop, 784-400-10, float32: times as fast as theirs": pytest.approx(3),
        "timing_backprop, 784-400-10, float32: times as fast as theirs, by processor time": pytest.approx(5),
    }
    assert len(timing.rows({"theirs": theirs}, "theirs")) == 2
    assert timing.rows({}, "") == []


def test_turns_are_whole_batches() -> None:
    for amounts in (timing.FULL, timing.QUICK):
        assert amounts.ours % 100 == amounts.theirs % 100 == 0
    assert timing.START % 100 == 0
