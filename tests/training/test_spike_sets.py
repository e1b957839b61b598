"""Networks that are trained with spikes as they are; what does not fit is refused before anything is compiled."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from hebbarium.analysis import chance
from hebbarium.datasets.labelled_images import DatasetError
from hebbarium.record import results
from hebbarium.training import evaluation, preparation, training
from hebbarium.training.run_settings import RunSettings

ROOT = Path(__file__).parents[2]
SPIKES = {"neurons": 5, "t_train": "20*ms", "t_test": "20*ms", "gain": "20*ms"}
PEAK = {**SPIKES, "rate_coding": "peak"}


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
    with pytest.raises(DatasetError, match="has images, unlike what the network was trained on: spikes"):
        evaluation.evaluate(out, dataset=str(tmp_path / "images.npz"))


def refused(model: str, changes: dict[str, str], dataset: Path) -> str:
    with pytest.raises(DatasetError) as error:
        preparation.prepare(RunSettings(model, changes, str(dataset), device="numpy"))
    return str(error.value)


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
    assert said in refused(model, changes, spikes)


@pytest.mark.long
def test_saccades_are_learned(tmp_path: Path) -> None:
    """The example of the page, with its settings, on training samples that are held out."""
    runpy.run_path(str(ROOT / "docs/examples/saccades.py"))["write"](tmp_path / "spikes.npz", 1000, 10)
    (line,) = [one for one in (ROOT / "docs/own_spikes.md").read_text().splitlines() if "--dataset spikes.npz" in one]
    changes = dict(re.findall(r"--set (\w+)=(\S+)", line))
    settings = RunSettings(
        "synaptic_scaling", {"neurons": 50, **changes}, str(tmp_path / "spikes.npz"), labels_from="last_pass",
        validation=200, evaluate_on="validation",
    )  # fmt: skip
    with results.open_run(training.train(settings, tmp_path / "run")) as tree:
        evaluation = tree["evaluation"].to_dataset()
        right = evaluation["predicted"].values == tree["test/excitatory"].to_dataset()["label"].values
        hits = int(right.sum(axis=-1).max())
    assert chance.of_at_least(hits, 200, 0.1) < 1e-6


@pytest.mark.parametrize(("encoder", "what"), [("given", "spikes"), ("series", "series")])
def test_images_are_neither_spikes_nor_series(encoder: str, what: str) -> None:
    with pytest.raises(DatasetError, match=f"encoder={encoder}: mnist-embedded has no {what}"):
        preparation.prepare(RunSettings("synaptic_scaling", {"encoder": encoder}))


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of four moments of three channels."""
    some = {"series": np.random.default_rng(0).random((12, 4, 3)), "labels": np.arange(12) % 2}
    file = tmp_path_factory.mktemp("series") / "series.npz"
    np.savez(file, moment_ms=5.0, **some, **{f"test_{key}": array for key, array in some.items()})  # type: ignore[arg-type]
    return file


def test_what_a_series_asks_of_a_network_follows_it(series: Path) -> None:
    prepared = preparation.prepare(RunSettings("synaptic_scaling", PEAK, str(series), device="numpy"))
    changes = prepared.settings.changes
    followed = {symbol: changes[symbol] for symbol in ("encoder", "pixels", "n_moments")}
    assert followed == {"encoder": "series", "pixels": 3, "n_moments": 4}
    assert float(changes["t_moment"]) == 0.005
    assert prepared.model.encode(prepared.division.images.train_images[:2])["rates"].shape == (2, 3 * 5)
    spikes = preparation.prepare(RunSettings("synaptic_scaling", PEAK, f"{series}:8", device="numpy"))
    assert (spikes.settings.changes["encoder"], spikes.settings.changes["pixels"]) == ("given", 6)


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        ("synaptic_scaling", {**PEAK, "t_test": "15*ms"}, "its series last for 20 ms, and inputs are shown for 15 ms"),
        ("synaptic_scaling", {**PEAK, "t_moment": "4*ms"}, "series.npz has moments of 5 ms; leave t_moment out"),
        ("desire_backprop", {}, "holds series, and desire_backprop turns images into its inputs itself"),
    ],
)
def test_series_that_a_network_cannot_be_given_are_refused(
    model: str, changes: dict[str, str], said: str, series: Path
) -> None:
    assert said in refused(model, changes, series)
