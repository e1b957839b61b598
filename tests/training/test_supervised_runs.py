"""Runs of a network with a controller and a class layer: schedules, what is recorded, resuming to the same bits."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbarium.analysis.readouts import largest
from hebbarium.datasets import by_name as datasets
from hebbarium.engine import interruption, presentations, run_folder
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import Stopped
from hebbarium.ledger import ledger
from hebbarium.record import results
from hebbarium.studies import identity
from hebbarium.training import estimates, preparation
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import resume, train
from tests.engine.equal_runs import assert_same_bits

#: presentations of 50 ms; many images need more than one
SMALL = RunSettings(
    model="symmetric_stdp",
    changes={
        "neurons": "12", "t_shown": "40*ms", "t_rest": "15*ms", "t_settle": "10*ms", "rate_step": "150*hertz",
        "beta": "0.15", "n_least": "8", "intensity_most": "4", "theta_plus": "0.5*mV",
    },
    images=30, block=10, test_images=20, labels_from="last_pass", snapshots=50, seed=3,
)  # fmt: skip
LAYERS = dataclasses.replace(SMALL, schedule="layer_by_layer")
BLOCKS = 3


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both layers trained at once."""
    return train(SMALL, tmp_path_factory.mktemp("together") / "run")


@pytest.fixture(scope="module")
def by_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One layer after the other."""
    return train(LAYERS, tmp_path_factory.mktemp("by_layer") / "run")


def snapshots(run: Path, projection: str) -> tuple[Any, Any]:
    """Weights ``(samples_seen, pre, post)``, and the samples seen."""
    with results.open_run(run) as tree:
        w = tree[f"weights/{projection}"].to_dataset()["w"].load()
    return w.values, w["samples_seen"].values


# -- what a run holds ----------------------------------------------------------------------------------------


def test_presentations_are_in_the_results(together: Path) -> None:
    with results.open_run(together) as tree:
        assert set(tree["activity"].children) == {"excitatory"}, "the teacher's spikes are no answers"
        assert set(tree["test"].children) == {"excitatory", "classes"}
        trained = tree["activity/excitatory"].to_dataset().load()
        tested = tree["test/excitatory"].to_dataset().load()
    for shown, least in ((trained, 8), (tested, 8)):
        times = shown["presentations"].values
        assert times.shape == (shown.sizes["sample"],)
        assert times.min() >= 1
        assert 1 < times.max() <= 3  # intensities 2, 3, 4
        spikes = shown["spike_count"].values.sum(axis=1)
        assert (spikes[times < 3] >= least).all(), "an image was over before it had evoked enough spikes"


def test_the_class_layer_answers_by_its_most_active_neuron(together: Path) -> None:
    with results.open_run(together) as tree:
        counts = results.array(tree, "test/classes/spike_count")
        evaluation = tree["evaluation"].to_dataset().load()
        labels = results.array(tree, "test/classes/label")
    assert counts.shape == (20, 10)
    assert counts.any()
    assert list(evaluation["readout"].values) == ["most_active", "class_mean", "class_layer"]
    np.testing.assert_array_equal(evaluation["predicted"].sel(readout="class_layer"), largest(counts))
    percent = float(evaluation["accuracy"].sel(readout="class_layer").squeeze())
    assert percent == pytest.approx(100 * np.mean(largest(counts) == labels))
    assert evaluation.attrs["labels_from"] == "last_pass"


def test_layers_are_trained_one_after_the_other(by_layer: Path) -> None:
    hidden, seen = snapshots(by_layer, "input_to_excitatory")
    to_classes, _ = snapshots(by_layer, "excitatory_to_classes")
    np.testing.assert_array_equal(seen, np.arange(0, 61, 10))
    for phase, learning, waiting in ((slice(0, 4), hidden, to_classes), (slice(4, 7), to_classes, hidden)):
        assert (np.abs(np.diff(learning[phase], axis=0)).max(axis=(1, 2)) > 1e-3).all()
        assert not np.diff(waiting[phase], axis=0).any(), "what should wait has moved"
    assert np.abs(to_classes[4] - to_classes[3]).max() > 1e-3, "the class layer's first block did not learn"
    # scaled once more between the two, then fixed
    np.testing.assert_allclose(hidden[4:].sum(axis=1), 0.15 * 784, rtol=1e-5)
    with results.open_run(by_layer) as tree:
        assert tree.attrs["samples_seen"] == 60
        images = results.array(tree, "activity/excitatory/image")
        theta = tree["state/excitatory"].to_dataset()["theta"].values
    np.testing.assert_array_equal(np.sort(images[:30]), np.sort(images[30:]))
    assert (np.abs(np.diff(theta[:4], axis=0)).max(axis=1) > 0).all()
    assert not np.diff(theta[3:], axis=0).any(), "thresholds moved while only the class layer learned"


def test_the_last_pass_labels_the_neurons(by_layer: Path) -> None:
    with results.open_run(by_layer) as tree:
        counts = results.array(tree, "activity/excitatory/spike_count")[30:]
        truth = results.array(tree, "activity/excitatory/label")[30:]
        labels = results.neuron_label(tree)
    means = np.array([counts[truth == c].mean(axis=0) for c in range(10)])
    fired = means.any(axis=0)
    assert labels is not None
    np.testing.assert_array_equal(labels, np.where(fired, means.argmax(axis=0), -1))


def test_an_estimate_counts_every_phase_of_a_schedule() -> None:
    images = datasets.load()
    assert estimates.presentations(preparation.divided(SMALL, images)).train == 30
    twice = preparation.divided(dataclasses.replace(LAYERS, epochs=2), images)
    assert estimates.presentations(twice).train == 90


# -- stopping and going on -----------------------------------------------------------------------------------


def ask_to_stop() -> None:
    """SIGTERM to this process, if a run is listening for it."""
    assert callable(signal.getsignal(signal.SIGTERM)), "nobody listens for the signal"
    signal.raise_signal(signal.SIGTERM)


def stopped(asked: RunSettings, out: Path) -> int:
    """Start a run that something stops; how many blocks it had done."""
    with pytest.raises(Stopped, match="last whole block"):
        train(asked, out)
    assert not Run.open(out).is_complete
    found = run_folder.last_checkpoint(out)
    return 0 if found is None else found[0]


def stop_after(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a run to stop once it has written a checkpoint."""
    write = RunFolder.write_checkpoint

    def writing(self: RunFolder, number: int, arrays: Any, stays: float) -> None:
        write(self, number, arrays, stays)
        if number == block:
            ask_to_stop()

    monkeypatch.setattr(RunFolder, "write_checkpoint", writing)


def test_a_run_stopped_in_training_goes_on_to_the_same_bits(
    together: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(2, patch)
        assert stopped(SMALL, tmp_path / "run") == 2
    resume(tmp_path / "run")
    assert_same_bits(tmp_path / "run", together)


def test_a_run_stopped_while_an_image_is_shown_again_goes_on_to_the_same_bits(
    together: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes when the second block has been run once and holds an image that is not over."""
    seeds, again = presentations._seed, []

    def asked_again(seed: int, part: int) -> int:
        again.append((seed, part))
        if len({number for number, _ in again}) == 2:
            ask_to_stop()
            interruption.stop_if_asked()  # as a program that is under way is stopped
        return seeds(seed, part)

    with monkeypatch.context() as patch:
        patch.setattr(presentations, "_seed", asked_again)
        done = stopped(SMALL, tmp_path / "run")
    assert 1 <= done < BLOCKS, "the second block with images shown again is not amid training"
    assert again[-1][1] == 1, "the block had not been run once"
    resume(tmp_path / "run")
    assert_same_bits(tmp_path / "run", together)


def test_a_run_stopped_between_phases_goes_on_to_the_same_bits(
    by_layer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(BLOCKS, patch)
        assert stopped(LAYERS, tmp_path / "run") == BLOCKS
    resume(tmp_path / "run")
    assert_same_bits(tmp_path / "run", by_layer)


def test_a_run_is_told_from_others_by_the_constants_of_its_size_as_well(together: Path) -> None:
    symbols = ledger.symbols_of(identity.of_run(Run.open(together)).setting)
    assert symbols["w_ie"] == "34"
    assert symbols["theta_plus"] == "0.5*mV"  # which is set, and not what follows from the size
    assert symbols["neurons"] == "12"
