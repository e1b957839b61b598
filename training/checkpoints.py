"""How often a run under way keeps a checkpoint."""

from __future__ import annotations

import time
from types import TracebackType

from hebbarium.engine.contract import Arrays
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import FileNotWritten, RunFolderError

EVERY = 2.0
"""Seconds between checkpoints, once a run is as old: of a small network a block takes less time than the disk does."""


class Checkpoints:
    """Checkpoints of a run, in a ``with`` statement, which ends with one of the last block.

    At first there is one of each block, so that a run can soon be looked at, later one in `EVERY` seconds.

    Parameters
    ----------
    folder : RunFolder
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._latest: tuple[int, Arrays] | None = None
        self._first: float | None = None  # when the first block was over: compiling comes before
        self._written = 0.0

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # where the folder is what failed, the error says so
        if kind is None or not issubclass(kind, (RunFolderError, FileNotWritten)):
            self._write()

    def of_block(self, blocks: int, arrays: Arrays) -> None:
        """What a run would go on from after so many blocks; it is written now, or later unless another one comes.

        Parameters
        ----------
        blocks : int
        arrays : dict of ndarray
            They must not be changed any more.
        """
        self._latest = blocks, arrays
        now = time.monotonic()
        self._first = now if self._first is None else self._first
        if now - self._first < EVERY or now - self._written >= EVERY:
            self._write()

    def _write(self) -> None:
        if self._latest is not None:
            self.folder.write_checkpoint(*self._latest, stays=EVERY)
            self._latest, self._written = None, time.monotonic()
