"""Images, labels and network fit each other, or the run is refused before anything is compiled."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.catalogue import registry
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import draws
from hebbarium.datasets.labelled_images import Dataset, DatasetError
from hebbarium.datasets.own_images import read_npz
from hebbarium.engine import anatomy
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training import fit, sweeps, training
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division, Samples

SUPERVISED = ("symmetric_stdp", "desire_backprop")


def pictures(count: int, shape: tuple[int, int] = (6, 6), seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def save(path: Path, classes: int = 3, shape: tuple[int, int] = (6, 6), **changed: Any) -> Path:
    """A set of one's own: 40 training and 12 test images; None leaves an array out."""
    arrays: dict[str, Any] = {
        "images": pictures(40, shape), "labels": np.arange(40) % classes,
        "test_images": pictures(12, shape, 1), "test_labels": np.arange(12) % classes,
    } | changed  # fmt: skip
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def refused(asked: RunSettings, path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        fit.fitted(dataclasses.replace(asked, dataset=str(path)), read_npz(path))
    return str(caught.value)


# -- the size of the network follows the data --------------------------------------------------------------


@pytest.mark.parametrize("model", ["synaptic_scaling", "diehl_cook", "contrastive_race", *SUPERVISED])
@pytest.mark.parametrize(("shape", "classes"), [((34, 34), 26), ((5, 9), 3), ((3, 3), 300)])
def test_size_and_classes_follow_the_data(tmp_path: Path, model: str, shape: tuple[int, int], classes: int) -> None:
    path = save(tmp_path / "mine.npz", shape=shape, labels=np.append(np.arange(39) % classes, classes - 1))
    asked = fit.fitted(RunSettings(model=model, dataset=str(path)), read_npz(path))
    made = asked.make_model()
    assert anatomy.populations(made)["input"] == shape[0] * shape[1]
    assert {anatomy.populations(made)[layer] for layer in fit.class_layers(made)} <= {classes}
    assert fit.fitted(asked, read_npz(path)) == asked  # what follows from the data is not set by hand


@pytest.mark.parametrize("model", [name for name, kind in registry.models().items() if "pixels" in kind.parameters()])
def test_settings_of_published_sets_stay_as_they_are(model: str) -> None:
    digits = datasets.load()
    asked = RunSettings(model=model, changes={"pixels": "784"})
    assert fit.fitted(asked, digits) is asked
    assert fit.fitted(RunSettings(model=model), digits).changes == {}


def test_another_size_than_the_data_s_is_refused_by_both_numbers(tmp_path: Path) -> None:
    path = save(tmp_path / "mine.npz")
    said = refused(RunSettings(changes={"pixels": "1024"}), path)
    assert "pixels=1024: mine.npz has images of 6 x 6 = 36 pixels" in said
    said = refused(RunSettings(model="desire_backprop", changes={"classes": "12"}), path)
    assert "classes=12: mine.npz has labels of 3 classes" in said
    assert "needs images" not in said
    warm = RunSettings(changes={"pixels": "49"}, warm_start="runs/other")  # as --from takes it from there
    assert refused(warm, path).endswith("; what begins with runs/other needs images like those it was trained on")


def test_a_model_without_such_parameters_is_held_against_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = read_npz(save(tmp_path / "mine.npz"))
    monkeypatch.setattr(anatomy, "populations", lambda model: {"input": 784, "excitatory": 5})
    with pytest.raises(DatasetError, match="images of 6 x 6 = 36 pixels, but synaptic_scaling has 784 input neurons"):
        fit.fitted(RunSettings(), images)
    monkeypatch.setattr(anatomy, "populations", lambda model: {"input": 36, "classes": 10})
    with pytest.raises(DatasetError, match="3 classes, but symmetric_stdp has 10 class neurons"):
        fit.fitted(RunSettings(model="symmetric_stdp"), images)


def test_a_sweep_follows_the_data_too(tmp_path: Path) -> None:
    base = RunSettings(dataset=str(save(tmp_path / "mine.npz")))
    (planned,) = sweeps.plan(base, {"w_t": ["5"]}, [0], tmp_path)
    assert planned.run.settings.changes == {"w_t": 5.0, "pixels": 36}
    assert "pixels" not in planned.run.name


# -- what is missing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["synaptic_scaling", *SUPERVISED])
def test_images_without_labels_are_refused(tmp_path: Path, model: str) -> None:
    said = refused(RunSettings(model=model), save(tmp_path / "mine.npz", labels=None))
    assert "mine.npz: its training images have no labels (array 'labels')" in said


@pytest.mark.parametrize("left_out", [{"test_images": None, "test_labels": None}, {"test_labels": None}])
def test_nothing_to_test_on_is_refused_and_validation_offered(tmp_path: Path, left_out: dict[str, Any]) -> None:
    path = save(tmp_path / "mine.npz", **left_out)
    assert "--validation 8 --evaluate-on validation" in refused(RunSettings(), path)
    asked = RunSettings(dataset=str(path), validation=8, evaluate_on="validation")
    fit.fitted(asked, read_npz(path))
    held_out = Division.of(asked, read_npz(path)).tested
    assert (held_out.pixels.shape, held_out.labels.shape) == ((8, 36), (8,))
    with pytest.raises(DatasetError, match=r"array 'test_(images|labels)'"):
        Samples.of_test_set(read_npz(path), None, seed=0)


@pytest.mark.parametrize("part", ["images", "test_images"])
def test_black_images_are_refused(tmp_path: Path, part: str) -> None:
    count = 40 if part == "images" else 12
    black: dict[str, Any] = {part: np.zeros((count, 6, 6), np.uint8)}
    said = refused(RunSettings(), save(tmp_path / "mine.npz", **black))
    assert f"its {'training' if part == 'images' else 'test'} images are all black" in said


def test_training_makes_no_folder_of_what_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "mine.npz", labels=None)
    with pytest.raises(DatasetError, match="no labels"):
        training.train(RunSettings(dataset=str(path)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


# -- what is odd -------------------------------------------------------------------------------------------


def remarks(path: Path, **asked: Any) -> str:
    images = read_npz(path)
    settings = RunSettings(**asked)
    split = draws.split(images, settings.images, settings.validation, settings.test_images)
    return "\n".join(fit.remarks(images, split, split.tested(images, settings.evaluate_on)[1]))


def test_nothing_is_said_of_a_good_set(tmp_path: Path) -> None:
    assert remarks(save(tmp_path / "mine.npz")) == ""
    digits = datasets.load()
    split = draws.split(digits, 60, test=30)
    assert fit.remarks(digits, split, digits.test_labels[split.test]) == []


SPARSE = np.zeros((40, 6, 6), np.uint8)
SPARSE[:3, 2, 2] = 255
ONE_BLACK = pictures(40)
ONE_BLACK[7] = 0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"labels": 1 + np.arange(40) % 3, "test_labels": 1 + np.arange(12) % 3}, "label 0: .* subtract 1"),
        ({"labels": np.array([0, 1, 5, 5] * 10)}, "no image has the label 3, 4: these count as classes"),
        ({"labels": np.arange(40) % 2}, "no image trained on is of class 2, which is tested"),
        ({"labels": np.arange(40) % 4}, "no image tested on is of class 3, which is learned"),
        ({"labels": np.arange(40) % 2, "class_names": ["a", "b", "c"]}, "trained on is of class c"),
        ({"labels": np.zeros(40, int), "test_labels": np.zeros(12, int)}, "all images tested on are of class 0"),
        ({"test_labels": np.append(np.zeros(10, int), [1, 2])}, "83 % of the images tested on are of one class"),
        ({"images": SPARSE}, "nearly black: their mean is 0.53 of 255, and 37 are all black"),
        ({"images": ONE_BLACK}, "1 of 40 training images are black"),
        ({"images": 255 - pictures(40) // 4}, "bright, .* give 255 - images"),
        ({"images": pictures(40) // 16}, "the brightest pixel of all is 15 of 255; if white is 15"),
        ({"test_images": pictures(40)[:12]}, "12 of 12 test images are among the training images"),
        ({"images": np.stack([pictures(40)] * 3, axis=-1)}, "'images' are in colour: they were made grey"),
    ],
)
def test_what_is_odd_is_said_once_and_by_name(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    said = remarks(save(tmp_path / "mine.npz", **changed))
    assert len(re.findall(says, said)) == 1, said
    assert all("mine.npz: " in line for line in said.splitlines())


# -- other images for a trained network --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"images": pictures(40, (7, 7)), "test_images": None, "test_labels": None}, "7 x 7 = 49 pixels, but .* 6 x 6"),
        ({"images": pictures(40, (4, 9)), "test_images": None, "test_labels": None}, "4 x 9 = 36 pixels, but .* 6 x 6"),
        ({"labels": np.arange(40) % 4}, r"4 classes, but the network has learned 3 \(a, b, c\); .* 0 to 2"),
    ],
)
def test_images_a_network_was_not_trained_for_are_refused(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    images = read_npz(save(tmp_path / "mine.npz", **changed))
    with pytest.raises(DatasetError, match=says):
        fit.refuse_other_set(SynapticScaling(pixels=36), ("a", "b", "c"), (6, 6), images)


def test_fewer_classes_than_learned_and_none_at_all_may_be_shown(tmp_path: Path) -> None:
    for labels in (np.zeros(40, int), None):
        images = read_npz(save(tmp_path / "mine.npz", labels=labels, test_images=None, test_labels=None))
        fit.refuse_other_set(SynapticScaling(pixels=36), ("a", "b", "c"), (6, 6), images)
        fit.refuse_other_set(SynapticScaling(pixels=36), (), None, images)  # a run of before names were kept
    with pytest.raises(DatasetError, match="3 classes, but the network has learned 2; expected labels from 0 to 1"):
        fit.refuse_other_set(SymmetricSTDP(pixels=36, classes=2), (), None, read_npz(save(tmp_path / "mine.npz")))


def test_a_dataset_says_its_size() -> None:
    empty = np.empty((0, 6), np.uint8), np.empty(0, np.int64)
    made = Dataset("mine", np.zeros((2, 6), np.uint8), np.zeros(2, np.int64), *empty, ("0",), (2, 3))
    assert (made.pixels, made.classes) == (6, 1)
    tall = Dataset("mine", np.zeros((2, 6), np.uint8), np.zeros(2, np.int64), *empty, ("0",), (3, 2))
    assert made.sha256 != tall.sha256
    with pytest.raises(DatasetError, match=r"expected \(images, 784\)"):
        Dataset("mine", np.zeros((2, 6), np.uint8), np.zeros(2, np.int64), *empty, ("0",))
