"""Sets that are made of published ones by a rule: how they look, and what cannot depend on the rule."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hebbarium.commands import commandline
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import made_sets
from hebbarium.datasets.labelled_images import Dataset, DatasetError
from hebbarium.engine import anatomy
from hebbarium.studies import controls
from hebbarium.studies.controls import ControlConstants, ImageParts
from hebbarium.training import fit
from tests.models.test_s4nn import first_state, run_samples, samples, small_model, weights

RULES = ("inverted", "permuted", "rotated")


def made(rule: str) -> Dataset:
    return datasets.load(f"mnist-embedded-{rule}")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.load("mnist-embedded")


@pytest.mark.parametrize("rule", RULES)
def test_a_set_is_the_same_each_time_and_has_the_same_labels(rule: str, digits: Dataset) -> None:
    one, other = made(rule), made(rule)
    assert one.name == f"mnist-embedded-{rule}"
    assert one.sha256 == other.sha256 != digits.sha256
    assert np.array_equal(one.train_labels, digits.train_labels)
    assert np.array_equal(one.test_labels, digits.test_labels)
    assert (one.class_names, one.shape) == (digits.class_names, digits.shape)
    assert one.train_images.shape == digits.train_images.shape


def test_white_is_black(digits: Dataset) -> None:
    inverted = made("inverted")
    assert np.array_equal(inverted.train_images.astype(int) + digits.train_images, np.full((6000, 784), 255))
    assert np.array_equal(inverted.test_images, 255 - digits.test_images)


def test_pixels_change_places_alike_in_all_images(digits: Dataset) -> None:
    permuted = made("permuted")
    assert not np.array_equal(permuted.test_images, digits.test_images)
    every = np.concatenate([digits.train_images, digits.test_images])
    mixed = np.concatenate([permuted.train_images, permuted.test_images])
    columns = [sorted(column.tobytes() for column in images.T) for images in (every, mixed)]
    assert columns[0] == columns[1]


def test_each_image_has_an_angle_of_its_own(digits: Dataset) -> None:
    rotated = made("rotated")
    rows, columns = np.mgrid[:28, :28] - 13.5
    distance = np.hypot(rows, columns).ravel()
    for before, after in zip(digits.test_images[:50].astype(float), rotated.test_images[:50], strict=True):
        assert after.sum() == pytest.approx(before.sum(), rel=0.03)
        assert (after * distance).sum() == pytest.approx((before * distance).sum(), rel=0.04)
    same = (rotated.test_images == digits.test_images).mean(axis=1)
    assert np.median(same) < 0.9
    rule = made_sets.RULES["rotated"]
    pair = rule(np.repeat(digits.test_images[:1], 2, axis=0), (28, 28), 1)
    assert not np.array_equal(pair[0], pair[1])
    assert np.array_equal(pair[0], rotated.test_images[0])
    assert not np.array_equal(rule(digits.test_images[:1], (28, 28), 0)[0], pair[0])  # training has other angles


def test_controls_are_as_right_on_permuted_images(digits: Dataset) -> None:
    shown, constants = ImageParts(images=1000), ControlConstants(epochs=2, prototypes=30, passes=3)
    pairs = zip(controls.rows(digits, (0,), constants, shown), controls.rows(made("permuted"), (0,), constants, shown),
                strict=True)  # fmt: skip
    for plain, permuted in pairs:
        assert (permuted.dataset, permuted.value) == ("mnist-embedded-permuted", plain.value)
    (softmax, *_), (rotated, *_) = (
        list(controls.rows(images, (0,), constants, shown)) for images in (digits, made("rotated"))
    )
    assert rotated.value < softmax.value - 10


def test_a_network_whose_weights_are_permuted_too_spikes_and_learns_alike(tmp_path: Path) -> None:
    """All to all, so that it knows nothing of neighbours; which weight belongs to which pixel is drawn."""
    model, count = small_model(), 12
    images, _ = samples(count)
    order = np.random.default_rng(4).permutation(model.pixels)
    first = anatomy.projections(model)[0]
    begin = first_state(model)
    moved = dict(begin)
    moved[first.variable] = begin[first.variable].reshape(first.shape)[order].ravel()
    plain = run_samples(model, "numpy", tmp_path, count, state=begin)
    permuted = run_samples(model, "numpy", tmp_path, count, state=moved, images=images[:, order])
    for name in (*model.hidden, "output"):
        assert len(plain.spikes[name].step)
        assert np.array_equal(plain.spikes[name].step, permuted.spikes[name].step)
        assert np.array_equal(plain.spikes[name].neuron, permuted.spikes[name].neuron)
    ours, theirs = weights(model, plain.state), weights(model, permuted.state)
    np.testing.assert_allclose(theirs[0], ours[0][order], rtol=0, atol=1e-12)
    np.testing.assert_allclose(theirs[1], ours[1], rtol=0, atol=1e-12)
    assert np.abs(ours[0] - weights(model, begin)[0]).max() > 0.01  # it has learned


def test_names_are_known_where_those_of_published_sets_are(digits: Dataset, tmp_path: Path) -> None:
    origin = made_sets.origin("fashion-mnist-rotated")
    assert origin is not None
    assert origin.name == "fashion-mnist"
    assert made_sets.origin("mine.npz") is None
    with pytest.raises(DatasetError, match="did you mean 'mnist-rotated'"):
        datasets.load("mnist_rotatet")
    with pytest.raises(DatasetError, match="comes with the project"):
        datasets.fetch("mnist-embedded-rotated")
    said = CliRunner().invoke(commandline.app, ["data"]).output
    assert "-inverted, -permuted, -rotated behind its name" in said
    assert fit._twice(made("inverted")) == []


def test_whole_sets_are_made_of_the_files_of_the_whole_set() -> None:
    if not os.environ.get("HEBBARIUM_DATA"):
        with pytest.raises(DatasetError, match="MNIST"):
            datasets.load("mnist-inverted", Path(__file__).parent)
        return
    assert made_sets.parts_of("mnist-inverted")[0].name == "mnist"
    whole = datasets.load("mnist")
    assert np.array_equal(datasets.load("mnist-inverted").test_images, 255 - whole.test_images)
