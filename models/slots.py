"""Slots: which presentation of a program holds which samples, or none.

A program counts its time in presentations. Unless a model says otherwise, each holds one sample. Several samples may be
shown at once, each to neurons of its own (a batch); presentations without a sample may follow, in which an optimiser
takes its step; and what a sample evokes may be read some presentations later, when it has passed through a pipeline.
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
        Samples of a presentation. Each has its own part of the input population and of those that are read: the first
        one the first part, and so on.
    idle : int
        Presentations without a sample after each that holds some.
    lag : int
        Presentations after its own in which a sample is answered.
    """

    batch: int = 1
    idle: int = 0
    lag: int = 0

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
        words = "one sample a presentation" if self.batch == 1 else f"{self.batch} samples a presentation"
        if self.idle:
            words += f", {self.idle} presentation{'s' if self.idle > 1 else ''} without a sample after each"
        if self.lag:
            words += f", answers {self.lag} presentation{'s' if self.lag > 1 else ''} later"
        return words

    def presentations(self, samples: int) -> int:
        """Presentations of a program that shows so many samples and reads them all."""
        cycles = -(-samples // self.batch)
        return max(cycles * (1 + self.idle), (cycles - 1) * (1 + self.idle) + 1 + self.lag)

    def holding(self, samples: int) -> NDArray[np.int64]:
        """The sample in each place, ``(presentations, batch)``; -1 for none."""
        held = np.full((self.presentations(samples), self.batch), -1)
        number = np.arange(samples)
        held[number // self.batch * (1 + self.idle), number % self.batch] = number
        return held

    def arranged(self, inputs: dict[str, NDArray[Any]], samples: int) -> dict[str, NDArray[Any]]:
        """Inputs by sample as inputs by presentation, those of a batch side by side; zeros where there is no sample.

        `OCCUPIED` is added, unless a presentation holds one sample each.
        """
        if self.plain:
            return inputs
        held = self.holding(samples)
        arranged = {}
        for name, array in inputs.items():
            padded = np.concatenate([array, np.zeros((1, *array.shape[1:]), array.dtype)])  # -1 is the last
            arranged[name] = padded[held].reshape(len(held), -1)
        return {**arranged, OCCUPIED: (held >= 0).astype(np.float64)}

    def answered(self, read: NDArray[Any], samples: int) -> NDArray[Any]:
        """What was read by presentation, ``(presentations, batch * neurons)``, by sample: ``(samples, neurons)``."""
        number = np.arange(samples)
        row = number // self.batch * (1 + self.idle) + self.lag
        places: NDArray[Any] = read.reshape(len(read), self.batch, -1)
        return places[row, number % self.batch]


ONE_BY_ONE = Slots()
"""One sample a presentation."""
