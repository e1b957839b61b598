"""Layers of a small run: what is measured at each snapshot, and while it begins to learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import results
from protocols import layers, training
from protocols.training import RunSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = RunSettings(
        model="desire_backprop", changes={"layers": "12,9", "steps": "6", "margin": "1", "eta": "1e-3"}, images=30,
        block=10, test_images=30, snapshots=2, device="numpy",
    )  # fmt: skip
    return training.train(asked, tmp_path_factory.mktemp("layers") / "run")


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


def test_other_models_have_no_desires(tmp_path: Path) -> None:
    asked = RunSettings(changes={"neurons": "5"}, images=5, test_images=5, device="numpy")
    other = training.train(asked, tmp_path / "other")
    with pytest.raises(ValueError, match="no desires; expected one of desire_backprop"):
        layers.snapshots(other)
