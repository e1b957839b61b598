"""Runs on images of one's own, from the first command to the last: rectangular images, three classes with names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbarium.commands import commandline
from hebbarium.engine import devices
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SHAPE, NAMES = (6, 9), ("bar", "cross", "dot")


def hebbarium(*words: object) -> Result:
    return CliRunner().invoke(commandline.app, [str(word) for word in words])


def images(count: int, seed: int) -> np.ndarray:
    """Three classes of images: lit on the left, in the middle, on the right."""
    found = np.random.default_rng(seed).integers(0, 60, (count, *SHAPE), dtype=np.uint8)
    for number, picture in enumerate(found):
        picture[:, 3 * (number % 3) : 3 * (number % 3) + 3] += 150
    return found


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images without a test part."""
    path = tmp_path_factory.mktemp("data") / "mine.npz"
    np.savez(path, images=images(60, 0), labels=np.arange(60) % 3, class_names=NAMES)
    return path


@pytest.fixture(scope="module")
def trained(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("own") / "run"
    held_out = ("--validation", 12, "--evaluate-on", "validation")
    settings = ("--neurons", 12, "--block", 24, "--set", "dt=2*ms")
    return out, hebbarium("train", "synaptic_scaling", *settings, "--dataset", mine, *held_out, "--out", out)


def test_a_set_without_test_images_is_trained_and_tested_on_what_is_held_out(trained: tuple[Path, Result]) -> None:
    out, said = trained
    assert said.exit_code == 0, said.output
    assert "accuracy on 12 validation images of mine.npz, chance is 33.3 % (3 classes):" in said.stdout
    assert "10 %" not in said.output
    with results.open_run(out) as tree:
        assert (results.class_names(tree), results.image_shape(tree)) == (NAMES, SHAPE)
        evaluation = tree["evaluation"].to_dataset()
        assert evaluation["confusion"].shape[1:] == (3, 4)
        assert evaluation["neuron_label"].max() <= 2
        assert tree["weights/input_to_excitatory"].sizes["pre"] == 54
    drawn = {path.stem for path in (out / "figures").iterdir()}
    assert {"receptive_fields", "weight_time_lapse", "confusion_matrix", "raster", "stdp_window"} <= drawn


def test_it_is_tested_again_on_the_same_images(trained: tuple[Path, Result]) -> None:
    again = hebbarium("evaluate", trained[0])
    assert again.exit_code == 0, again.output
    assert "accuracy on 12 images" in again.stdout
    assert "chance is 33.3 % (3 classes)" in again.stdout
    for line in (line for line in again.stdout.splitlines() if line.startswith("  ")):
        assert line in trained[1].stdout


def test_images_are_labelled_by_the_names_of_its_classes(trained: tuple[Path, Result], tmp_path: Path) -> None:
    np.savez(tmp_path / "more.npz", images=np.stack([images(6, 3)] * 3, axis=-1))
    found = hebbarium("predict", trained[0], tmp_path / "more.npz")
    assert found.exit_code == 0, found.output
    assert "made grey" in found.stderr
    assert {line.split(",")[2] for line in found.stdout.splitlines()[1:]} <= {*NAMES, ""}
    assert Run.open(trained[0]).class_names == NAMES


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_images_of_another_size_are_refused_at_once(
    trained: tuple[Path, Result], tmp_path: Path, command: str
) -> None:
    other = tmp_path / "other.npz"
    np.savez(other, images=images(6, 3).swapaxes(1, 2), test_images=images(6, 3).swapaxes(1, 2))
    words = ("--dataset", other) if command == "evaluate" else (other,)
    found = hebbarium(command, trained[0], *words)
    assert found.exit_code == 1
    assert found.stderr == (
        "hebbarium: other.npz: has images of 9 x 6 = 54 pixels, but the network was trained on images of "
        "6 x 9 = 54 pixels; bring them to that size\n"
    )


def test_a_network_that_never_fires_says_so_everywhere(mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "silent"
    words = ("--neurons", 12, "--block", 24, "--set", "dt=2*ms", "--set", "total_rate=0.001*Hz", "--no-figures")
    held_out = ("--validation", 12, "--evaluate-on", "validation")
    said = hebbarium("train", "synaptic_scaling", *words, "--dataset", mine, *held_out, "--out", out)
    assert said.exit_code == 0, said.output
    stages = [line.partition(":")[0] for line in said.stderr.splitlines() if "no neuron fired" in line]
    assert stages == ["the first images of training", "training", "testing"]
    assert "these accuracies mean little: training: no neuron fired, of 12 in 'excitatory'; testing:" in said.stdout
    assert "Look at how bright the images are" in said.stdout
    with results.open_run(out) as tree:
        assert "training: no neuron fired" in tree["evaluation"].attrs["warning"]
        assert tree["activity/excitatory"].attrs["silent_neurons"] == 12
        assert tree["test/excitatory"].attrs["silent_samples"] == 12
    assert "testing: no neuron fired" in hebbarium("evaluate", out).stderr


def test_what_cannot_be_tested_is_refused_before_it_is_trained(
    tmp_path: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that cannot be made is found out before the training that would be lost with it."""
    made = []

    def refuse(structure: object, scratch: Path) -> None:
        made.append(structure.phase)  # type: ignore[attr-defined]
        if made[-1] == "test":
            raise ValueError("cannot be tested")

    monkeypatch.setattr(devices, "program", refuse)
    asked = RunSettings(dataset=str(mine), validation=12, evaluate_on="validation", labels_from="labelling")
    with pytest.raises(ValueError, match="cannot be tested"):
        training.train(asked, tmp_path / "run")
    assert made == ["train", "respond", "test"]
