"""Spikes of digits that move: what a camera of events would see while its gaze makes three saccades.

The digits that come with the project are moved along a triangle, as N-MNIST was made on a screen. A pixel gives an
event when its brightness, on a scale that is even in ratios, has changed by a quarter: of rising or of falling
brightness. `python saccades.py spikes.npz 600 200` writes as many training and test samples.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import by_name as datasets

SIDE, SACCADE_MS, REACH, STEP = 28, 25, 3.0, 0.25
"""Pixels a side; how long a saccade takes; how far it goes, in pixels; change of the logarithm of an event."""
CORNERS = np.array([[0, 0], [1, 0.5], [0, 1], [0, 0]]) * REACH


def events(image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times in ms and neurons of a digit's events; neurons of rising brightness come behind the others."""
    place = np.arange(SIDE)
    bright = image.reshape(SIDE, SIDE) / 255
    times, neurons = [], []
    seen: NDArray[np.float64] | None = None
    for time in range(3 * SACCADE_MS):
        way = time / SACCADE_MS
        corner = int(way)
        down, right = CORNERS[corner] + (way - corner) * (CORNERS[corner + 1] - CORNERS[corner])
        moved = np.array([np.interp(place - right, place, row) for row in bright])
        moved = np.array([np.interp(place - down, place, column) for column in moved.T]).T
        now = np.log(0.1 + moved)
        seen = now if seen is None else seen
        change = now - seen
        for polarity, happens in enumerate((change <= -STEP, change >= STEP)):
            (pixel,) = np.nonzero(happens.ravel())
            times.append(np.full(len(pixel), float(time)))
            neurons.append(pixel + polarity * SIDE * SIDE)
        seen = np.where(np.abs(change) >= STEP, now, seen)
    return np.concatenate(times), np.concatenate(neurons)


def arrays(images: NDArray[np.uint8], labels: NDArray[np.int64], prefix: str = "") -> dict[str, NDArray[Any]]:
    """What a file of spikes holds of some digits."""
    of_each = [events(image) for image in images]
    return {
        f"{prefix}spike_time": np.concatenate([time for time, _ in of_each]),
        f"{prefix}spike_neuron": np.concatenate([neuron for _, neuron in of_each]),
        f"{prefix}spike_sample": np.repeat(np.arange(len(images)), [len(time) for time, _ in of_each]),
        f"{prefix}labels": labels,
    }


def write(file: Path, train: int, test: int) -> None:
    """Write so many training and test samples."""
    digits = datasets.load("mnist-embedded")
    kept = arrays(digits.train_images[:train], digits.train_labels[:train])
    kept |= arrays(digits.test_images[:test], digits.test_labels[:test], "test_")
    np.savez_compressed(file, shape=np.array([2 * SIDE, SIDE]), **kept)  # type: ignore[arg-type]


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
