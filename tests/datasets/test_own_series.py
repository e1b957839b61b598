"""A user's own series: as levels moment by moment, or as spikes at changes; what means nothing is refused."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import own_files, own_series
from hebbarium.datasets.own_series import SeriesSet
from hebbarium.datasets.own_spikes import SpikeSet
from tests.datasets.refusals import refused
from tests.datasets.test_own_spikes import spikes_of

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TRAIN = np.array([[[0.0, -1], [2, 1], [4, 1]], [[4, 0], [1, 0], [0, -1]]])
TEST = np.array([[[0.0, 0], [5, 0], [-4, 1]]])
ARRAYS: dict[str, Any] = {
    "series": TRAIN, "labels": np.array([0, 1]), "test_series": TEST, "test_labels": np.array([1]),
    "moment_ms": np.array(2.5),
}  # fmt: skip


def saved(path: Path, **changes: Any) -> Path:
    np.savez(path, **{key: array for key, array in {**ARRAYS, **changes}.items() if array is not None})
    return path


def test_levels_go_from_the_least_to_the_largest_number_of_training(tmp_path: Path) -> None:
    read = datasets.load(saved(tmp_path / "mine.npz"))
    assert isinstance(read, SeriesSet)
    assert (read.shape, read.moments, read.moment, read.lasts) == ((1, 2), 3, 0.0025, 0.0075)
    assert read.train_images.reshape(2, 3, 2).tolist() == [
        [[0, 0], [128, 255], [255, 255]], [[255, 128], [64, 128], [0, 0]]
    ]  # fmt: skip
    assert read.test_images.reshape(3, 2).tolist() == [[0, 128], [255, 128], [0, 255]]
    assert read.remarks == ("mine.npz: 2 numbers of test samples are beyond those of training samples: they were cut",)


def test_changes_by_a_part_of_the_range_are_spikes(tmp_path: Path) -> None:
    """Falls come first. A quarter of the first channel is 1, of the second 0.5; test samples may go beyond."""
    saved(tmp_path / "mine.npz")
    read = datasets.load(f"{tmp_path / 'mine.npz'}:4")
    assert isinstance(read, SpikeSet)
    assert read.shape == (2, 2)
    first, second = spikes_of(read.train_images)
    assert first == sorted([
        *((1250 * k, 2) for k in range(1, 5)),  # by two each moment
        *((625 * k, 3) for k in range(1, 5)),
    ])  # fmt: skip
    assert second == [(833, 0), (1666, 0), (2500, 0), (3750, 1), (5000, 0), (5000, 1)]
    assert len(spikes_of(read.test_images)[0]) == 5 + 9 + 2


def test_the_series_is_what_its_spikes_add_up_to() -> None:
    """To less than a step, at every moment."""
    generator = np.random.default_rng(2)
    course = np.cumsum(generator.normal(size=(60, 5)), axis=0)
    time, neuron = own_series.crossings(course, 10.0)
    assert len(time) > 100
    for k, channel in np.ndindex(course.shape):
        until = time <= 10_000 * k
        steps = np.sum(neuron[until] == channel + 5) - np.sum(neuron[until] == channel)
        assert abs(course[0, channel] + steps - course[k, channel]) < 1 + 1e-6


def test_whole_steps_are_counted_in_spite_of_rounding() -> None:
    course = np.arange(11)[:, np.newaxis] * 0.1 * 10
    assert own_series.crossings(course, 1.0)[0].tolist() == list(range(1000, 11_000, 1000))


def test_the_number_of_steps_is_part_of_the_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "mine.npz")
    assert own_files.place(f"{path}:16") == path
    assert own_files.located(f"{path}:16") == f"{path}:16"
    assert own_files.located(str(path)) == str(path)
    np.savez(tmp_path / "images.npz", images=np.ones((4, 3, 3)))
    assert "images.npz:16: holds no series, whose changes would be spikes" in refused(f"{tmp_path / 'images.npz'}:16")


def test_the_example_draws_digits_column_by_column(tmp_path: Path) -> None:
    runpy.run_path(str(EXAMPLES / "series.py"))["write"](tmp_path / "digits.npz", 20, 10)
    read, digits = datasets.load(tmp_path / "digits.npz"), datasets.load("mnist-embedded")
    assert isinstance(read, SeriesSet)
    assert (read.moments, read.pixels, len(read.test_images)) == (14, 14, 10)
    inked = digits.train_images[:20].reshape(20, 28, 28).any(axis=1)  # (image, column)
    drawn = read.train_images.reshape(20, 14, 14).any(axis=2)
    assert not (drawn & ~(inked[:, ::2] | inked[:, 1::2])).any()
    assert drawn.sum() > 100


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"moment_ms": None}, "has no array moment_ms; expected how long a moment lasts"),
        ({"moment_ms": np.array(0.0)}, "'moment_ms' is 0.0; expected milliseconds, more than 0"),
        ({"moment_ms": np.array([1, 2])}, "'moment_ms' is [1, 2]"),
        ({"series": TRAIN[0]}, "'series' has shape (3, 2); expected (n, moments, channels)"),
        ({"series": TRAIN.astype(str)}, "'series' has type <U32; expected numbers"),
        ({"series": np.where(TRAIN == 2, np.nan, TRAIN)}, "NaN or infinite numbers, first in sample 0; fill them in"),
        ({"test_series": TEST[:, :2]}, "'test_series' have 2 moments of 2 channels, and 'series' 3 of 2"),
        ({"test_series": None}, "has 'test_labels' without 'test_series'"),
        ({"labels": np.array([0.5, 1])}, "'labels' has type float64"),
        ({"rates": np.ones(3)}, "unknown arrays rates"),
    ],
)
def test_arrays_that_mean_nothing_are_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert said in refused(saved(tmp_path / "mine.npz", **changes))
