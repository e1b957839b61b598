"""Controls: classifiers without spikes, their rows, and what is made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hebbarium.commands import commandline
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import Dataset, DatasetError
from hebbarium.ledger import controls as of_ledgers
from hebbarium.ledger import ledger
from hebbarium.record import results
from hebbarium.studies import controls, simple_classifiers
from hebbarium.studies.controls import ControlConstants, ImageParts

FAST = ControlConstants(epochs=2, prototypes=30, passes=3)
BOTH = ("softmax", "prototypes", "class_means")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.load("mnist-embedded")


def test_the_delta_rule_is_as_the_equation_says() -> None:
    generator = np.random.default_rng(0)
    images, labels = generator.integers(0, 256, (12, 5), dtype=np.uint8), np.arange(12) % 3
    taught = simple_classifiers.softmax(images, labels, [np.arange(12)], 3, eta=0.5)
    weights, biases = np.zeros((3, 5)), np.zeros(3)
    for batch in (range(10), range(10, 12)):
        steps = []
        for k in batch:
            p = np.exp(weights @ (images[k] / 255) + biases)
            error = np.eye(3)[labels[k]] - p / p.sum()
            eta = 0.5 * (1 - batch.start / 12)
            steps.append((eta * np.outer(error, images[k] / 255), eta * error))
        weights += sum(step for step, _ in steps)
        biases += sum(step for _, step in steps)
    assert taught.weights == pytest.approx(weights, abs=1e-12)
    assert taught.biases == pytest.approx(biases, abs=1e-12)
    assert (taught.predicted(images) == (images / 255 @ weights.T + biases).argmax(axis=1)).all()


def test_the_nearest_mean_answers() -> None:
    images = np.array([[0, 0], [0, 20], [200, 200], [220, 200], [0, 255]], np.uint8)
    labels = np.array([1, 1, 0, 0, 3])
    means = simple_classifiers.class_means(images, labels, 5)
    assert 255 * means.images == pytest.approx(np.array([[210, 200], [0, 10], [0, 0], [0, 255], [0, 0]]))
    assert means.classes.tolist() == [0, 1, results.NO_CLASS, 3, results.NO_CLASS]
    assert means.predicted(np.array([[190, 255], [5, 5], [60, 240]], np.uint8)).tolist() == [0, 1, 3]


def test_prototypes_move_to_the_means_of_what_is_nearest() -> None:
    generator = np.random.default_rng(3)
    images = generator.integers(0, 256, (300, 4), dtype=np.uint8)
    labels = (images[:, 0] > 128).astype(int)

    def made(passes: int) -> simple_classifiers.Nearest:
        return simple_classifiers.prototypes(images, labels, 8, passes, 2, np.random.default_rng(1))

    def error(made: simple_classifiers.Nearest) -> float:
        return float(((images[:, None] / 255 - made.images) ** 2).sum(axis=2).min(axis=1).mean())

    first, second = made(0), made(1)
    assert {tuple(row) for row in np.rint(255 * first.images)} <= {tuple(row) for row in images}
    near = ((images[:, None] / 255 - first.images) ** 2).sum(axis=2).argmin(axis=1)
    moved = np.stack([images[near == k].mean(axis=0) for k in range(8)])
    assert 255 * second.images == pytest.approx(moved)
    errors = [error(made(passes)) for passes in range(6)]
    assert errors == sorted(errors, reverse=True)
    of_fifth = simple_classifiers.nearest(images, made(5).images)
    for k, name in enumerate(made(5).classes):
        assert name == np.bincount(labels[of_fifth == k]).argmax()
    with pytest.raises(ValueError, match="prototypes=301: expected 1 to 300"):
        simple_classifiers.prototypes(images, labels, 301, 1, 2, generator)


def test_rows_are_of_the_last_pass_on_test_images(digits: Dataset) -> None:
    shown = ImageParts(images=600, test_images=200)
    rows = list(controls.rows(digits, (0, 1), FAST, shown))
    assert [(row.readout, row.seed) for row in rows] == [(name, seed) for name in BOTH for seed in (0, 1)]
    assert {(row.item, row.selection, row.tested, row.unit) for row in rows} == {("controls", "last", 200, "%")}
    assert [row.trained for row in rows[::2]] == [1200, 1800, 600]
    assert rows == list(controls.rows(digits, (0, 1), FAST, shown))
    assert all(row.value > 50 for row in rows)  # chance is 10
    assert rows[2].value != rows[3].value
    words = rows[0].command.split()
    assert words[:4] == ["hebbarium", "controls", "--dataset", "mnist-embedded"]
    assert words[4:] == ["--prototypes", "30", "--images", "600", "--test-images", "200", "--seeds", "0"]


def test_where_nothing_is_drawn_one_seed_is_enough(digits: Dataset) -> None:
    few = Dataset("few", digits.train_images[:300], digits.train_labels[:300], digits.test_images[:50],
                  digits.test_labels[:50], digits.class_names)  # fmt: skip
    rows = list(controls.rows(few, (4, 5), FAST))
    assert [row.seed for row in rows if row.readout == "class_means"] == [4]
    held_out = list(controls.rows(few, (4, 5), FAST, ImageParts(validation=60, evaluate_on="validation")))
    assert [(row.tested, row.symbols["evaluate_on"]) for row in held_out] == [(60, "validation")] * 6
    assert {row.trained for row in held_out if row.readout == "class_means"} == {240}


def test_the_order_of_the_pixels_makes_no_difference(digits: Dataset) -> None:
    order = np.random.default_rng(5).permutation(digits.pixels)
    mixed = Dataset("mixed", digits.train_images[:, order], digits.train_labels, digits.test_images[:, order],
                    digits.test_labels, digits.class_names)  # fmt: skip
    split = ImageParts(images=1000).split(digits, 0)
    for name in BOTH:
        plain, other = (controls.trained(name, images, split, FAST) for images in (digits, mixed))
        assert np.array_equal(plain.predicted(digits.test_images), other.predicted(mixed.test_images)), name


def test_learning_rates_are_tried_on_held_out_images(digits: Dataset, tmp_path: Path) -> None:
    best = controls.search(digits, tmp_path / "controls.csv", etas=(1e-6, 0.01), constants=FAST, validation=1000)
    rows = ledger.read(tmp_path / "controls.csv")
    assert best == 0.01
    assert [(row.item, row.symbols["evaluate_on"], row.trained, row.tested) for row in rows] == [
        ("controls_search", "validation", 10_000, 1000)
    ] * 2
    assert not of_ledgers.of_folder(tmp_path).rows  # they are no controls


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="eta=0: expected a positive number"):
        ControlConstants(eta=0)
    with pytest.raises(ValueError, match="expected images that are held out"):
        ImageParts(evaluate_on="validation")
    with pytest.raises(ValueError, match="expected test or validation"):
        ImageParts(evaluate_on="train")
    bare = Dataset("bare", np.ones((4, 4), np.uint8), np.full(4, -1), np.ones((1, 4), np.uint8), np.zeros(1, int),
                   ("0",), (2, 2))  # fmt: skip
    with pytest.raises(DatasetError, match="its training images have no labels"):
        list(controls.rows(bare))


def test_the_command_prints_and_enters_them(tmp_path: Path) -> None:
    words = ["controls", "--dataset", "mnist-embedded", "--images", "500", "--prototypes", "20", "--seeds", "0-1"]
    done = CliRunner().invoke(commandline.app, [*words, "--results", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "| class_means |" in done.output.replace("  ", " ")
    assert len(of_ledgers.of_folder(tmp_path).of("mnist-embedded")) == 3
    refused = CliRunner().invoke(commandline.app, ["controls", "--dataset", "mnits"])
    assert refused.exit_code == 1
    assert "did you mean 'mnist'" in refused.output
