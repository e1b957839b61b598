"""Slots: which presentation of a program holds which samples, or none.

A program counts its time in presentations. Unless a model says otherwise, each holds one sample. The samples of a
batch are shown at once, each to neurons of its own, or one after the other to the same neurons; presentations without a
sample may follow a batch, in which an optimiser takes its step; and what a sample evokes may be read some presentations
later, when it has passed through a pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OCCUPIED = "occupied"
"""Name of the input that says of each presentation, 1 or 0, which of its places hold a sample."""


@dataclass(frozen=True)
class Slots:
    """How samples are put into presentations.

    Parameters
    ----------
    batch : int
        Samples of a batch. Shown at once, each has its own part of the input population and of those that are read:
        the first one the first part, and so on.
    idle : int
        Presentations without a sample after each batch.
    lag : int
        Presentations after its own in which a sample is answered.
    in_turn : bool
        Whether the samples of a batch are shown one after the other. A last batch of fewer samples is over earlier.
    """

    batch: int = 1
    idle: int = 0
    lag: int = 0
    in_turn: bool = False

    def __post_init__(self) -> None:
        if self.batch < 1 or self.idle < 0 or self.lag < 0:
            raise ValueError(f"{self}: expected a batch of 1 or more, and neither idle nor lag below 0")

    @property
    def plain(self) -> bool:
        """Whether each presentation holds one sample, and is where it is answered."""
        return self == Slots()

    @property
    def meaning(self) -> str:
        """What it is, in words."""
        words = "one sample a presentation" if self.beside == 1 else f"{self.batch} samples a presentation"
        if self.idle:
            every = f"{self.batch} samples" if self.in_turn else "each"
            words += f", {self.idle} presentation{'s' if self.idle > 1 else ''} without a sample after {every}"
        if self.lag:
            words += f", answers {self.lag} presentation{'s' if self.lag > 1 else ''} later"
        return words

    @property
    def beside(self) -> int:
        """Samples that one presentation holds side by side."""
        return 1 if self.in_turn else self.batch

    def presentations(self, samples: int) -> int:
        """Presentations of a program that shows so many samples and reads them all."""
        if not samples:
            return 0
        last = int(self._row(np.asarray(samples - 1)))
        return last + 1 + max(self.idle, self.lag)

    def _row(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """The presentation of each sample."""
        batches = number // self.batch
        return batches * self.idle + (number if self.in_turn else batches)

    def holding(self, samples: int) -> NDArray[np.int64]:
        """The sample in each place, ``(presentations, beside)``; -1 for none."""
        held = np.full((self.presentations(samples), self.beside), -1)
        number = np.arange(samples)
        held[self._row(number), number % self.beside] = number
        return held

    def arranged(self, inputs: dict[str, NDArray[Any]], samples: int) -> dict[str, NDArray[Any]]:
        """Inputs by sample as inputs by presentation, those side by side in one row; zeros where there is no sample.

        `OCCUPIED` is added, unless a presentation holds one sample each. Where none are side by side, rows are what
        samples were.
        """
        if self.plain:
            return inputs
        number, arranged = np.arange(samples), {}
        row, place, presentations = self._row(number), number % self.beside, self.presentations(samples)
        for name, array in {**inputs, OCCUPIED: np.ones(samples)}.items():
            rows = np.zeros((presentations, self.beside, *array.shape[1:]), array.dtype)
            rows[row, place] = array
            arranged[name] = rows[:, 0] if self.in_turn else rows.reshape(len(rows), -1)
        return arranged

    def answered(self, read: NDArray[Any], samples: int) -> NDArray[Any]:
        """What was read by presentation, ``(presentations, beside * neurons)``, by sample: ``(samples, neurons)``."""
        number = np.arange(samples)
        places: NDArray[Any] = read.reshape(len(read), self.beside, -1)
        return places[self._row(number) + self.lag, number % self.beside]


ONE_BY_ONE = Slots()
"""One sample a presentation."""
