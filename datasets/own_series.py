"""A user's own series: each sample is numbers of some channels that change in time, at moments equally far apart.

``mine.npz`` is made by ``numpy.savez_compressed("mine.npz", series=..., moment_ms=..., labels=...)`` with the keys

``series``
    (n, moments, channels): numbers.
``moment_ms``
    How long a moment lasts, in milliseconds.
``labels``, ``test_series``, ``test_labels``, ``class_names``
    As of images; see `hebbarium.datasets.own_images`.

They are used in one of two ways. ``mine.npz``: each channel is an input neuron, whose rate follows the number; the
least number of a channel in training samples is black, its largest is white, in 256 levels. ``mine.npz:16``: each
channel is two input neurons, which fire whenever it has risen or fallen by a sixteenth of that range (send-on-delta).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbarium.datasets import own_tables
from hebbarium.datasets.labelled_images import Dataset, DatasetError, listed
from hebbarium.datasets.own_images import labelled
from hebbarium.datasets.own_spikes import Events, SpikeSet, of_samples

KEY = "series"
KEYS = (KEY, "moment_ms", "labels", "test_series", "test_labels", "class_names")
_LONGEST = 1e6
"""Milliseconds of a moment, at most."""
_EVEN = 1e-9
"""How far, in steps, a number may be from a whole step and still be on it."""


@dataclass(frozen=True, eq=False)
class SeriesSet(Dataset):
    """Samples that are series; their rows are levels, (moments, channels), moment by moment.

    Parameters
    ----------
    moment : float
        Seconds that each moment lasts.
    """

    holds: ClassVar[str] = "series"
    moment: float = 1.0

    @property
    def moments(self) -> int:
        """Of each sample."""
        return self.train_images.shape[1] // self.pixels

    @property
    def lasts(self) -> float:
        """Seconds of a sample."""
        return self.moments * self.moment

    @property
    def row_shape(self) -> tuple[int, int]:
        """See `Dataset.row_shape`."""
        return self.moments, self.pixels


def of_arrays(arrays: Mapping[str, NDArray[Any]], path: Path, steps: int = 0) -> SeriesSet | SpikeSet:
    """Set of the arrays that the module's description names.

    Parameters
    ----------
    arrays : mapping
    path : Path
        What they were read from.
    steps : int
        In which a channel's range is divided, to be turned into spikes; 0 for rates.

    Raises
    ------
    DatasetError
        Some are missing or mean nothing here; or one has a wrong shape, type, range or length.
    """
    if unknown := sorted(set(arrays) - set(KEYS)):
        raise DatasetError(f"{path}: unknown arrays {listed(unknown)}; the arrays read are {listed(KEYS)}")
    if "moment_ms" not in arrays:
        raise DatasetError(f"{path}: has no array moment_ms; expected how long a moment lasts, in milliseconds")
    if "test_labels" in arrays and "test_series" not in arrays:
        raise DatasetError(f"{path}: has 'test_labels' without 'test_series'; add the series or drop the labels")
    train = _series(arrays[KEY], f"{path}: '{KEY}'")
    test = _series(arrays["test_series"], f"{path}: 'test_series'") if "test_series" in arrays else train[:0]
    if test.shape[1:] != train.shape[1:]:
        raise DatasetError(
            f"{path}: 'test_series' have {test.shape[1]} moments of {test.shape[2]} channels, and '{KEY}'"
            f" {train.shape[1]} of {train.shape[2]}; bring both to one size"
        )
    moment = arrays["moment_ms"]
    if moment.size != 1 or moment.dtype.kind not in "fiu" or not 0 < moment.item() <= _LONGEST:
        raise DatasetError(f"{path}: 'moment_ms' is {moment.tolist()}; expected milliseconds, more than 0")
    given, of_test, names = labelled(arrays, len(train), len(test), path)
    _, moments, channels = train.shape
    rows = np.concatenate([train, test]).reshape(-1, channels)
    tested = np.arange(len(rows)) >= len(train) * moments
    if steps:
        changing = own_tables.scaled(rows, tested).reshape(-1, moments, channels) * steps
        samples = [crossings(one, moment.item()) for one in changing]
        return of_samples(path, samples[: len(train)], given, samples[len(train) :], of_test, names, (2, channels))
    levels, remarks = own_tables.levels(path, [f"channel {k}" for k in range(channels)], rows, tested)
    levels = levels.reshape(-1, moments * channels)
    return SeriesSet(
        path.name, levels[: len(train)], given, levels[len(train) :], of_test, names, (1, channels), tuple(remarks),
        moment=moment.item() / 1e3,
    )  # fmt: skip


def crossings(values: ArrayLike, moment: float) -> Events:
    """When a series has changed by one since it last had: neurons of falls come first, those of rises behind them.

    Between two moments, numbers are taken to change evenly.

    Parameters
    ----------
    values : (moments, channels)
        In steps.
    moment : float
        How long a moment lasts, in milliseconds.

    Examples
    --------
    >>> time, neuron = crossings([[0.0, 0.0], [2.5, 0.0], [0.9, -1.0]], moment=10)
    >>> time.tolist(), neuron.tolist()
    ([4000, 8000, 19375, 20000], [2, 2, 0, 1])
    """
    course = np.asarray(values, np.float64)
    last, times, neurons = course[0].copy(), [np.zeros(0)], [np.zeros(0, np.int64)]
    channels = course.shape[1]
    for k in range(1, len(course)):
        change = course[k] - last
        number = np.floor(np.abs(change) + _EVEN).astype(np.int64)
        direction = np.sign(change)
        channel = np.repeat(np.arange(channels), number)
        nth = 1 + np.arange(len(channel)) - np.repeat(np.cumsum(number) - number, number)
        reached = last[channel] + direction[channel] * nth
        span = course[k] - course[k - 1]
        way = np.clip((reached - course[k - 1][channel]) / np.where(span == 0, 1, span)[channel], 0, 1)
        times.append((k - 1 + way) * moment * 1e3)
        neurons.append(channel + channels * (direction[channel] > 0))
        last += direction * number
    time = np.floor(np.concatenate(times) + 1e-6).astype(np.int64)
    return time, np.concatenate(neurons)


def _series(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    if array.ndim != 3 or not array.size:
        raise DatasetError(f"{name} has shape {array.shape}; expected (n, moments, channels), one of each at least")
    if array.dtype.kind not in "fiu":
        raise DatasetError(f"{name} has type {array.dtype}; expected numbers")
    series = array.astype(np.float64)
    if not np.isfinite(series).all():
        first = int(np.argmin(np.isfinite(series).all(axis=(1, 2))))
        raise DatasetError(f"{name} has NaN or infinite numbers, first in sample {first}; fill them in")
    return series
