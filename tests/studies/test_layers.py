"""Layers of a small run: what is measured at each snapshot, and while it begins to learn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.record import results
from hebbarium.studies import desire_example, layers
from hebbarium.studies.desire_example import Example
from hebbarium.training import training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = RunSettings(
        model="desire_backprop",
        # small pulls are enough for a desire, so that one of the first samples has both
        changes={"layers": "12,9", "steps": "6", "margin": "1", "eta": "1e-3", "theta_hid": "0.001"},
        images=30, block=10, test_images=30, snapshots=2, device="numpy",
    )  # fmt: skip
    return training.train(asked, tmp_path_factory.mktemp("layers") / "run")


@pytest.mark.long
def test_each_snapshot_is_measured(run: Path) -> None:
    found, labels = layers.snapshots(run, images=30)
    assert [one.samples_seen for one in found] == [0, 10, 30]
    assert len(labels) == 30
    with results.open_run(run) as tree:
        counts = tree[f"{results.TEST}/output"].to_dataset()["spike_count"].values
        evaluation = tree[results.EVALUATION].to_dataset()
    np.testing.assert_array_equal(found[-1].counts["output"], counts)
    assert found[-1].accuracy == float(evaluation["accuracy"].values[0, -1, 0])
    assert set(found[0].wishes) == {"hidden_1", "hidden_2", "output"}
    table = layers.as_csv(found).splitlines()
    assert table[0].startswith("samples_seen,accuracy,layer,neurons,loss,spikes")
    assert len(table) == 1 + 3 * 3
    assert table[1].split(",")[:4] == ["0", f"{found[0].accuracy:.2f}", "hidden_1", "12"]


def test_contributions_are_of_inputs_that_fired(run: Path) -> None:
    found = layers.contributions(run, images=3)
    assert found.shape == (3, 784)
    assert (found > 0).any()
    assert (found < 0).any()
    assert not found[:, 0].any()  # a corner that no digit reaches


@pytest.fixture(scope="module")
def one(run: Path) -> Example:
    """A sample with all inputs of the neuron that is shown."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desire_example, "INPUTS", 784)
        found = desire_example.example(run)
    assert found is not None
    return found


@pytest.mark.long
def test_a_sample_is_an_example_of_membrane_and_trace(run: Path, one: Example) -> None:
    model = Run.open(run).model
    assert isinstance(model, DesireBackprop)
    # Eq. 1 as the code reads it: what is left decays, and the inputs' spikes come in at once
    left = np.concatenate([[0], one.potential[:-1] - one.threshold * one.fired[:-1]])
    np.testing.assert_allclose(one.potential, model.beta_p * left + one.input_weights @ one.inputs, atol=1e-5)
    np.testing.assert_array_equal(one.fired, one.potential >= one.threshold)
    np.testing.assert_array_equal(one.fired, one.after[1])
    assert one.fired.any()
    # Eq. 3
    expected = np.zeros(model.steps)
    for k in range(model.steps):
        expected[k] = model.beta_r * (expected[k - 1] if k else 0) + one.before[k]
    np.testing.assert_allclose(one.trace, expected, rtol=1e-6)
    # Eq. 4
    for sign in (1, -1):
        rate = 1e-3 * sign
        np.testing.assert_allclose(one.change[sign], np.cumsum(rate * one.after[sign] * one.trace), rtol=1e-5)
        assert one.learned[sign] == pytest.approx(one.change[sign][-1], rel=1e-3)
        assert one.learned[sign] * sign > 0


def test_a_run_is_drawn(run: Path, one: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = dataclasses.replace(one, inputs=one.inputs[:5], input_weights=one.input_weights[:5])
    monkeypatch.setattr(desire_example, "example", lambda run, data: shown)
    monkeypatch.setattr(layers, "contributions", lambda run, data: np.zeros((3, 784)))
    table, *drawn = layers.draw(run, images=10)
    assert table.is_file()
    names = {"local_losses", "activity_by_class", "contributions", "membrane_example", "stdp_example"}
    assert {path.stem for path in drawn} == names


def test_other_models_have_no_desires(tmp_path: Path) -> None:
    short = {"neurons": "5", "t_train": "10*ms", "t_test": "10*ms"}
    asked = RunSettings(changes=short, images=5, test_images=5, device="numpy")
    other = training.train(asked, tmp_path / "other")
    with pytest.raises(ValueError, match="no desires; expected one of desire_backprop"):
        layers.snapshots(other)
