"""What an answer that knows nothing of the images is worth."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hebbarium.analysis import accuracy, chance, labels, receptive_fields
from hebbarium.analysis.figures import activity_by_class, confusion_matrix, learning_curve, receptive_field_grid, save
from hebbarium.record import results
from tests.analysis import synthetic


@pytest.mark.parametrize(
    ("label", "percent", "words"),
    [
        ([0, 1, 2] * 4, 100 / 3, "33.3 % (3 classes)"),
        ([7] * 3, 100, "100.0 % (1 class)"),
        ([1] * 9 + [5], 90, "50.0 % (2 classes; always the most common one: 90.0 %)"),
        (np.arange(26), 100 / 26, "3.8 % (26 classes)"),
        ([], math.nan, "not known (no labels)"),
    ],
)
def test_chance_is_computed_from_the_labels(label: list[int], percent: float, words: str) -> None:
    assert chance.share_of_most_common(label) == pytest.approx(percent, nan_ok=True)
    assert chance.in_words(label) == words


def test_as_many_classes_as_labels_say() -> None:
    assert labels.number_of_classes([0, 4], [25]) == 26
    assert labels.number_of_classes([-1]) == 1
    assert accuracy.confusion([0, 25], [0, 12]).shape == (26, 27)
    counts = np.eye(30, dtype=int)
    assert labels.assign(counts, np.arange(30)).max() == 29
    percent, _ = accuracy.running_accuracy(counts, np.arange(30) % 15, np.repeat([0, 1], 15))
    assert percent.shape == (2,)


def tree_of(classes: int, shape: tuple[int, int] = (5, 9)) -> xr.DataTree:
    """A run of images of some shape and classes with names, tested on twice as many images of the first."""
    pixels, truth = shape[0] * shape[1], np.append(np.arange(classes), 0)
    counts = np.eye(classes, dtype=int)[truth]
    names = [f"{chr(97 + number % 26)}{number // 26}" for number in range(classes)]
    tree = results.build(
        synthetic.attributes(class_names=names, image_shape=shape),
        activity={"excitatory": synthetic.training(counts, truth, np.arange(len(truth)) // (classes + 1))},
        test={"excitatory": results.responses(counts, label=truth, image=np.arange(len(truth)))},
        weights={
            "input_to_excitatory": results.weight_snapshots(
                np.arange(pixels * classes).reshape(1, pixels, classes), samples_seen=[6]
            )
        },
    )
    tree["evaluation"] = xr.DataTree(accuracy.evaluate(tree))
    return tree


@pytest.mark.parametrize("classes", [3, 26, 300])
def test_figures_follow_the_classes_and_the_shape_of_images(classes: int, tmp_path: Path) -> None:
    tree = tree_of(classes)
    results.write(tree, tmp_path)
    with results.open_run(tmp_path) as read:
        assert results.class_count(read) == classes
        assert results.image_shape(read) == receptive_fields.shape_of(read) == (5, 9)
    assert tree["evaluation/confusion"].shape[1:] == (classes, classes + 1)
    figure = confusion_matrix(tree)
    shown = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert shown[:2] == (["a0", "b0"] if classes < 60 else ["a0", "f0"])
    assert len(shown) <= 60
    assert save(figure, tmp_path / "confusion.png").stat().st_size > 1000
    (line,) = [one for one in learning_curve(tree).axes[0].lines if one.get_label() == "chance"]
    assert np.asarray(line.get_ydata()).tolist() == pytest.approx([200 / (classes + 1)] * 2)
    canvas = receptive_field_grid(tree, neurons=[0, 1]).axes[0].images[0].get_array()
    assert canvas is not None
    assert canvas.shape == (5, 9 + 1 + 9)


def test_of_many_classes_the_activity_of_the_first_is_drawn() -> None:
    figure = activity_by_class([0, 10], {"output": np.zeros((2, 40, 3))})
    assert len([axes for axes in figure.axes if axes.get_title()]) == 30
    assert figure.get_supxlabel() == "Training images seen (first 30 of 40 classes)"


def test_a_file_that_does_not_say_is_read_by_its_labels() -> None:
    tree = synthetic.small_tree(weights=synthetic.weights(3))
    assert (results.class_names(tree), results.image_shape(tree), results.class_count(tree)) == ((), None, 2)
    assert receptive_fields.shape_of(tree) == (28, 28)


@pytest.mark.parametrize(
    "wrong", [{"class_names": '{"a": 1}'}, {"class_names": "[1]"}, {"image_shape": "[28]"}, {"image_shape": "28"}]
)
def test_names_and_shapes_of_another_kind_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(results.SchemaError, match=f"root attribute {next(iter(wrong))} is .* expected a JSON list"):
        results.build(synthetic.attributes() | wrong)


def test_responses_say_who_was_silent() -> None:
    made = results.responses([[0, 2, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]], label=[0, 1, 0, 1])
    assert (made.attrs["silent_neurons"], made.attrs["silent_samples"]) == (2, 2)
