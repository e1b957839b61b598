"""Which images serve a run for what, and in which order they come."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hebbarium.datasets import by_name as datasets
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division


def test_classes_come_one_after_the_other_and_images_of_a_class_as_they_were_drawn() -> None:
    images = datasets.load("mnist-embedded")
    drawn = RunSettings(images=200, epochs=2, seed=3)
    usual, by_class = (
        Division.of(settings, images) for settings in (drawn, dataclasses.replace(drawn, image_order="by_class"))
    )
    labels = images.train_labels
    for epoch in (0, 1):
        order, sorted_ = usual.order([epoch]), by_class.order([epoch])
        assert labels[sorted_].tolist() == np.repeat(np.arange(10), 20).tolist()
        for c in range(10):
            np.testing.assert_array_equal(sorted_[labels[sorted_] == c], order[labels[order] == c])
        np.testing.assert_array_equal(by_class.part("train", epoch).index, sorted_)
    np.testing.assert_array_equal(
        by_class.order([0, 1]), np.concatenate([by_class.order([0]), by_class.order([1])])
    )
    assert not np.array_equal(by_class.order([0]), by_class.order([1]))


def test_an_order_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="image_order=sorted: expected one of drawn, by_class"):
        RunSettings(image_order="sorted")
