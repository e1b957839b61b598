"""Digits that are drawn column by column: series of as many channels as rows, which a network sees one after the other.

`python series.py series.npz 1000 300` writes as many training and test samples of the digits that come with the
project, at half their size: fourteen moments of fourteen channels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import by_name as datasets

SIDE, MOMENT_MS = 14, 20


def columns(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Digits as series (samples, moments, channels): a moment is a column, from left to right."""
    halved = images.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4))
    return np.asarray(halved.swapaxes(1, 2))


def write(file: Path, train: int, test: int) -> None:
    """Write so many training and test samples."""
    digits = datasets.load("mnist-embedded")
    np.savez_compressed(
        file, moment_ms=MOMENT_MS,
        series=columns(digits.train_images[:train]), labels=digits.train_labels[:train],
        test_series=columns(digits.test_images[:test]), test_labels=digits.test_labels[:test],
    )  # fmt: skip


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
