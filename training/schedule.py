"""In which blocks a run shows its training images: what each block holds, and what is kept after it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hebbarium.models.contract import Model
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The blocks of a run's training.

    Without phases, where nothing is trained, there are no blocks.

    Parameters
    ----------
    blocks : sequence of arrays
        Numbers of the training images of each block.
    phases : sequence of str
        Phase of each block.
    epochs : sequence of arrays
        Passes of the phase before the one that each image of a block belongs to.
    """

    blocks: Sequence[Indices]
    phases: Sequence[str]
    epochs: Sequence[Indices]

    @property
    def first_phase(self) -> str:
        """The phase that a run begins with: that of testing, where nothing is trained."""
        return self.phases[0] if len(self) else "test"

    @classmethod
    def of(cls, settings: RunSettings, model: Model, division: Division) -> Schedule:
        """The blocks that settings ask for: of whole batches; a phase begins with a block of its own.

        So does a pass, if the model does something between passes, or learns from batches.
        """
        blocks: list[Indices] = []
        phases: list[str] = []
        epochs: list[Indices] = []
        epoch, between = 0, type(model).between_passes is not Model.between_passes
        for phase, passes in settings.phases(model):
            batch = model.slots(phase).batch
            size = max(settings.block // batch, 1) * batch
            order = division.order(range(epoch, epoch + passes))
            epoch += passes
            of_image = np.repeat(np.arange(passes), division.trained)
            runs = range(0, len(order), division.trained) if between or batch > 1 else [0]
            for first, last in itertools.pairwise([*runs, len(order)]):
                cuts = [(k, min(k + size, last)) for k in range(first, last, size)]
                blocks += [order[k:end] for k, end in cuts]
                epochs += [of_image[k:end] for k, end in cuts]
                phases += [phase] * len(cuts)
        return cls(blocks, phases, epochs)

    def pass_before(self, index: int) -> int | None:
        """The pass that was over before a block, from 0 in its phase; None unless the block begins another one."""
        if index == 0 or self.phases[index] != self.phases[index - 1]:
            return None
        last, first = int(self.epochs[index - 1][-1]), int(self.epochs[index][0])
        return last if last != first else None

    def __len__(self) -> int:
        return len(self.blocks)

    @cached_property
    def order(self) -> Indices:
        """Numbers of the images of all blocks, one after the other."""
        return np.concatenate([np.zeros(0, np.int64), *self.blocks])

    @cached_property
    def ends(self) -> Indices:
        """Images seen by the end of each block."""
        return np.cumsum([len(part) for part in self.blocks], dtype=np.int64)

    def seen(self, blocks: int) -> int:
        """Images seen by the end of so many blocks."""
        return int(self.ends[blocks - 1]) if blocks else 0

    def block_of_image(self, blocks: int) -> Indices:
        """The block of each image that the first blocks show."""
        return np.repeat(np.arange(blocks), np.array([len(part) for part in self.blocks[:blocks]], np.int64))

    def snapshots(self, number: int) -> set[int]:
        """Blocks after which weights are kept: dense at the beginning, where they change most, and the last."""
        if number == 1 or len(self) <= 1:
            return {len(self)}
        return {int(b) for b in np.unique(np.rint(np.geomspace(1, len(self), number)))}

    def is_evaluated(self, index: int, every: int | None) -> bool:
        """Whether accuracy is measured after a block; after the last one it is, on all images."""
        before = self.ends[index] - len(self.blocks[index])
        return every is not None and index + 1 < len(self) and bool(self.ends[index] // every != before // every)
