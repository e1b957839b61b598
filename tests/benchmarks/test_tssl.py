"""The benchmark of TSSL-BP beside PyTorch; the other side is held against the oracle."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import comparison, tssl
from benchmarks.desire import TORCH_PYTHON
from benchmarks.worker import ROOT, Measurement, WorkerFailed
from hebbarium.datasets import by_name as datasets
from hebbarium.models.tssl_backprop import TSSLBackprop
from tests.oracles.tssl_backprop import Dense, Maps, Network, Pools, Settings

SOURCE = (ROOT / "benchmarks" / "pytorch_tssl.py").read_text()
with_torch = pytest.mark.skipif(
    not os.environ.get(TORCH_PYTHON), reason=f"{TORCH_PYTHON} names no Python that has PyTorch"
)


@with_torch
@pytest.mark.parametrize("layers", ["30", "20-15", "3C5-P2-4C5-P2-20"])
def test_the_other_side_has_the_oracles_gradient(tmp_path: Path, layers: str) -> None:
    """Of the second batch, with an empty and a full image: after one step of AdamW."""
    digits = datasets.load("mnist-embedded")
    images, labels = digits.train_images[:100].copy(), digits.train_labels[:100].astype(np.int64)
    images[3], images[7] = 0, 255
    model = TSSLBackprop(layers=layers, w_scale=1.5)
    weights = list(tssl.first_weights(model).values())
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", labels)
    np.savez(tmp_path / "start.npz", *weights)
    with comparison.side(os.environ[TORCH_PYTHON], "pytorch_tssl", tmp_path / "images.npy", threads=1, layers=layers,
                         labels=tmp_path / "labels.npy", start=tmp_path / "start.npz", precision="float64",
                         warm_up=100, save=tmp_path / "end.npz"):  # fmt: skip
        pass
    given: list[Dense | Maps | Pools] = []
    first = iter(weights)
    if "C" in layers:
        given = [Maps(next(first).reshape(5, 5, 1, 3)), Pools(2, 1.1), Maps(next(first).reshape(5, 5, 3, 4)),
                 Pools(2, 1.1)]  # fmt: skip
        below = 4 * 4 * 4
    else:
        below = 784
    for neurons in (*(int(part) for part in layers.split("-") if part.isdecimal()), 10):
        given.append(Dense(next(first).reshape(below, neurons)))
        below = neurons
    network = Network(given)
    shown = images.reshape(-1, 28, 28, 1) if "C" in layers else images
    network.learn(shown[:50], labels[:50])
    gradients = network.gradients(shown[50:], labels[50:])
    scale = min(1.0, 1 / (np.sqrt(sum((g**2).sum() for g in gradients)) + 1e-6))
    network.learn(shown[50:], labels[50:])
    with np.load(tmp_path / "end.npz") as end:
        for k, (gradient, layer) in enumerate(zip(gradients, network.weighted, strict=True)):
            assert np.abs(gradient).max() > 1e-3
            np.testing.assert_allclose(end[f"gradient_{k}"], scale * gradient.ravel(), rtol=0, atol=1e-11)
            np.testing.assert_allclose(end[f"w_{k}"], layer.w.ravel(), rtol=0, atol=1e-9)


def test_the_other_side_has_the_models_parameters() -> None:
    known = Settings()
    for name, value in {
        "MEAN": known.x_mean, "SD": known.x_sd, "STEPS": known.steps, "TAU_M": known.tau_m, "TAU_S": known.tau_s,
        "THETA": known.theta, "GAIN": known.gain, "P_MOST": known.p_most, "WIDTH": known.width, "REACH": known.reach,
        "TRACE_LEAST": known.trace_least, "BATCH": TSSLBackprop().batch, "ETA": known.eta,
        "NORM_MOST": known.norm_most, "W_MOST": known.w_most,
    }.items():  # fmt: skip
        written = re.search(rf"^(\w+, )*{name}(, \w+)* = (.+)$", SOURCE, re.MULTILINE)
        assert written, name
        names, values = (side.split(", ") for side in written[0].split(" = "))
        assert float(values[names.index(name)]) == value, name
        assert getattr(TSSLBackprop(), name.lower(), value) == value, name


def test_sides_with_other_gradients_are_not_compared() -> None:
    ours = [np.array([2.0, -1.0]), np.array([0.5])]
    tssl.same(ours, [w * (1 + 1e-13) for w in ours])
    with pytest.raises(WorkerFailed, match=r"layer 2 it differs by up to 0\.1; expected at most 1e-10 of the largest"):
        tssl.same(ours, [ours[0], np.array([0.6])])
    with pytest.raises(WorkerFailed, match="layer 1"):
        tssl.same(ours, [ours[0] * np.nan, ours[1]])


def test_rows() -> None:
    ours = [Measurement(1000, 1.0, 0.5, spikes=0)]
    theirs = [Measurement(100, 0.3, 0.25, spikes=60)]
    values = {row.name: row.value for row in tssl.rows({tssl.MODEL: ours, "theirs": theirs}, "theirs", "784-400-10")}
    assert values == {
        "tssl_backprop, 784-400-10, float32, batch 50: an image": pytest.approx(1),
        "theirs, 784-400-10, float32, batch 50, 1 thread: an image": pytest.approx(3),
        "tssl_backprop, 784-400-10, float32: times as fast as theirs": pytest.approx(3),
        "tssl_backprop, 784-400-10, float32: times as fast as theirs, by processor time": pytest.approx(5),
    }
    assert len(tssl.rows({"theirs": theirs}, "theirs", "784-400-10")) == 1
    assert tssl.rows({}, "", "784-400-10") == []


def test_turns_are_whole_batches() -> None:
    for amounts in (tssl.FULL, tssl.QUICK):
        for counts in (amounts.start, amounts.turns):
            assert set(counts) == set(tssl.NETWORKS)
            assert all(count % 50 == 0 for count in counts.values())
