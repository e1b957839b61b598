"""The benchmark of desire backpropagation beside PyTorch, as far as it goes without PyTorch."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import desire
from benchmarks.compiled import without_desires
from benchmarks.worker import ROOT, Measurement, WorkerFailed
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.models.synaptic_scaling import SynapticScaling


def turn(wall: float, images: int = 100, idle: int = 0) -> list[Measurement]:
    return [Measurement(images, wall, wall, spikes=0, idle=idle)]


def test_pytorch_is_never_left_out_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(desire.TORCH_PYTHON, raising=False)
    said: list[str] = []
    assert desire.torch_python(said.append) is None
    assert "LEFT OUT" in said[0]
    assert desire.TORCH_PYTHON in said[0]
    monkeypatch.setenv(desire.TORCH_PYTHON, "no/such/python")
    with pytest.raises(FileNotFoundError, match="no/such/python"):
        desire.torch_python(said.append)


def test_rows() -> None:
    measured = {
        "1600-800 start": turn(0.4, idle=1),
        "1600-800 trained": turn(0.2, idle=40),
        "1600-800 steps": turn(4.0, images=10),
        "1600-800 product": turn(0.4, images=10),
    }
    found = desire._rows((1600, 800), measured, {"steps": "theirs", "product": "a product"}, 500)
    values = {row.name.removeprefix("desire_backprop, 1600-800, float32"): row for row in found}
    assert values[", at the start of training: an image"].value == pytest.approx(4)
    assert values[", at the start of training: an image"].target == "below 2: missed"
    assert values[", after 500 images: images after which nothing is changed"].value == pytest.approx(40)
    assert values[": times as fast after 500 images as at the start"].value == pytest.approx(2)
    assert values[", at the start of training: times as fast as theirs"].target == "at least 70: met"
    assert values[", at the start of training: times as fast as a product"].value == pytest.approx(10)
    assert values[", at the start of training: times as fast as a product"].target == ""
    assert len({row.name for row in found}) == len(found)


def test_sides_that_differ_are_no_comparison() -> None:
    counts, weights = np.array([[1, 2], [3, 4]]), {"a_to_b": np.ones((2, 2))}
    desire.same(counts, counts.astype(float), weights, [np.ones((2, 2)) + 1e-12])
    with pytest.raises(WorkerFailed, match="not the same network"):
        desire.same(counts, counts + np.eye(2), weights, [np.ones((2, 2))])
    with pytest.raises(WorkerFailed, match="a_to_b differ"):
        desire.same(counts, counts, weights, [np.ones((2, 2)) + 1e-6])


def test_first_weights_come_in_the_order_of_layers() -> None:
    model = DesireBackprop(layers=(6, 4))
    found = desire.first_weights(model)
    assert [w.shape for w in found.values()] == [(784, 6), (6, 4), (4, 10)]


def test_images_without_desires() -> None:
    model = DesireBackprop(layers=(6,))  # full is 16: 11.2 spikes are enough, 4.8 too many
    counts = np.zeros((4, 10), np.uint16)
    counts[:, 3] = [12, 11, 12, 12]
    counts[2, 5], counts[3, 5] = 5, 4
    assert without_desires(model, counts, np.full(4, 3)) == 2
    assert without_desires(SynapticScaling(), counts, np.full(4, 3)) == 0


def test_the_other_side_has_the_models_parameters() -> None:
    source = (ROOT / "benchmarks" / "pytorch_desire.py").read_text()
    model = DesireBackprop()
    for name, value in {
        "STEPS": model.steps, "WHITE": model.white, "BETA": model.beta_p, "THRESHOLD": model.theta_p,
        "ETA": model.eta, "CLASSES": model.classes,
    }.items():  # fmt: skip
        written = re.search(rf"^{name} = (\S+)", source, re.MULTILINE)
        assert written, name
        assert float(written[1]) == value, name
    assert f"FULL = STEPS - {model.margin:g} " in source
    assert f"THETA_OUT, THETA_HIDDEN = {model.theta_out:.2f}, {model.theta_hid:.2f}\n" in source
    assert model.beta_r == model.beta_p


def test_every_size_has_its_amounts() -> None:
    for amounts in (desire.FULL, desire.QUICK):
        assert set(amounts.ours) == set(amounts.theirs) == set(desire.SIZES) == set(desire.AT_MOST)
    assert Path(ROOT / "benchmarks" / "pytorch_desire.py").is_file()
