"""Networks that are trained with spikes as they are; what does not fit is refused before anything is compiled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbarium.datasets.labelled_images import DatasetError
from hebbarium.record import results
from hebbarium.training import evaluation, preparation, training
from hebbarium.training.run_settings import RunSettings

SPIKES = {"neurons": 5, "t_train": "20*ms", "t_test": "20*ms", "gain": "20*ms"}


@pytest.fixture(scope="module")
def spikes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of nine inputs: the first ones fire, or the last."""
    file, sample = tmp_path_factory.mktemp("spikes") / "spikes.npz", np.repeat(np.arange(12), 12)
    time, neuron = np.tile(np.arange(12.0), 12), (np.tile(np.arange(12) % 4, 12) + 5 * (sample % 2))
    some = {"spike_time": time, "spike_neuron": neuron, "spike_sample": sample, "labels": np.arange(12) % 2}
    np.savez(file, **some, **{f"test_{key}": array for key, array in some.items()})  # type: ignore[arg-type]
    return file


def test_a_network_is_trained_with_spikes_as_they_are(spikes: Path, tmp_path: Path) -> None:
    settings = RunSettings("synaptic_scaling", SPIKES, str(spikes), device="numpy", labels_from="all", snapshots=1)
    out = training.train(settings, tmp_path / "run")
    with results.open_run(out) as tree:
        parameters = results.decoded(tree)["parameters"]
        shown = tree["raster/input"].to_dataset()
        counted = int(tree["test/excitatory"].to_dataset()["spike_count"].sum())
    assert (parameters["encoder"], parameters["n_given"], parameters["pixels"]) == ("given", "3", "9")
    given = sorted((float(t), int(t) % 4 + 5 * k) for k in range(2) for t in range(12))
    first = shown["spike_presentation"].values < 2  # of two classes
    assert sorted(zip(shown["spike_time"].values[first], shown["spike_neuron"].values[first], strict=True)) == given
    assert counted
    again = evaluation.evaluate(out)
    assert again["accuracy"].shape == (1, 1, 2)
    np.savez(tmp_path / "images.npz", images=np.ones((4, 3, 3)), labels=np.arange(4) % 2)
    with pytest.raises(DatasetError, match="has no spikes, unlike what the network was trained on"):
        evaluation.evaluate(out, dataset=str(tmp_path / "images.npz"))


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        ("synaptic_scaling", {**SPIKES, "t_test": "10*ms"}, "and inputs are shown for 10 ms in phase 'test'"),
        ("synaptic_scaling", {**SPIKES, "encoder": "latency"}, "encoder=latency: spikes.npz has spikes"),
        ("synaptic_scaling", {**SPIKES, "n_given": "2"}, "up to 3 spikes of a neuron in a sample"),
        ("desire_backprop", {}, "holds spikes, and desire_backprop turns images into its inputs itself"),
    ],
)
def test_spikes_that_a_network_cannot_be_given_are_refused(
    model: str, changes: dict[str, str], said: str, spikes: Path
) -> None:
    with pytest.raises(DatasetError) as error:
        preparation.prepare(RunSettings(model, changes, str(spikes), device="numpy"))
    assert said in str(error.value)


def test_images_are_no_spikes() -> None:
    with pytest.raises(DatasetError, match="encoder=given: mnist-embedded has no spikes"):
        preparation.prepare(RunSettings("synaptic_scaling", {"encoder": "given"}))
