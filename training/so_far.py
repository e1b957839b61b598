"""A run under way, as far as it has come: what its result file will hold, put together from what its folder keeps.

Training writes its result file after a few blocks only. What it keeps besides is enough to see more: responses of each
block, accuracies that were measured on the way, and the state of the last checkpoint. Nothing is written, and no
lock is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import xarray as xr

from hebbarium.engine import anatomy, run_folder
from hebbarium.engine.run_folder import KeptRun
from hebbarium.files.errors import EngineError
from hebbarium.record import results
from hebbarium.training import responses, result_file
from hebbarium.training.loop import TOTALS
from hebbarium.training.responses import Responses
from hebbarium.training.result_file import ResultFile
from hebbarium.training.run import Run
from hebbarium.training.schedule import Schedule

__all__ = ["MOST", "Course", "RunSoFar"]

MOST = 100_000_000
"""Spike counts, samples times neurons, up to which a tree is put together: training needs its memory for itself."""


@dataclass(frozen=True)
class Course:
    """How far a run has come.

    Parameters
    ----------
    stage : str
        ``training``, ``labelling and testing`` or ``complete``.
    seen, total : int
        Training samples over all passes; 0 of 0 where it is not known.
    in_use : bool
        Whether a process works in the folder.
    note : str
        Why the page shows less than there is; empty if it does not.
    """

    stage: str
    seen: int
    total: int
    in_use: bool
    note: str = ""


class RunSoFar:
    """A run that is looked at again and again while it trains.

    Parameters
    ----------
    run : Run
        Its model is loaded: of a file of somebody's own only if it is trusted. Where it cannot be loaded, the result
        file is what there is.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.folder = run, KeptRun(run.path)
        self._parts: list[Responses] = []

    @property
    def state(self) -> tuple[object, ...]:
        """What changes when there is more to be seen; cheap to ask for."""
        path = self.run.path
        file = results.file_of(path)
        of_file = (file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else ()
        return (*of_file, *run_folder.checkpoints(path), run_folder.is_in_use(path))

    def look(self) -> tuple[xr.DataTree | None, Course]:
        """What there is, and how far the run has come; no tree before the first block is over.

        The tree is closed by whoever asked for it.
        """
        run, in_use = self.run, run_folder.is_in_use(self.run.path)
        if run.is_complete:
            whole = run.results()
            seen = int(whole.attrs["samples_seen"])
            return whole, Course("complete", seen, seen, in_use)
        try:
            tree, blocks = self._built()
            total = self._schedule.seen(len(self._schedule))
        except (EngineError, OSError, ValueError, KeyError) as error:  # also where the folder was tidied up meanwhile
            return self._written(), Course("training", 0, 0, in_use, str(error))
        stage = "training" if blocks < len(self._schedule) else "labelling and testing"
        return tree, Course(stage, self._schedule.seen(blocks), total, in_use)

    def _written(self) -> xr.DataTree | None:
        """The result file as it was written last."""
        try:
            return self.run.results()
        except (OSError, ValueError):
            return None

    @cached_property
    def _schedule(self) -> Schedule:
        return Schedule.of(self.run.settings, self.run.model, self.run.division)

    def _built(self) -> tuple[xr.DataTree | None, int]:
        model, schedule = self.run.model, self._schedule
        last = run_folder.last_checkpoint(self.run.path)
        if last is None:
            return None, 0
        blocks, state = last
        neurons = anatomy.shown_to(model, model.readout)
        if (counts := schedule.seen(blocks) * neurons) > MOST:
            raise ValueError(
                f"{counts:,} spike counts are more than are looked at on the way ({MOST:,}); what is seen is the"
                " result file, which is written after a few blocks"
            )
        self._read_parts(blocks)
        totals = {name: float(state[name][0]) for name in TOTALS}
        latest = {schedule.seen(blocks): result_file.shown(model, state)}
        file = ResultFile(self.folder, self.run.settings, model, self.run.division, schedule)
        return file.tree(totals, self._parts, {}, latest=latest), blocks

    def _read_parts(self, blocks: int) -> None:
        """Responses of the first blocks; those that were read before are not read again."""
        del self._parts[blocks:]  # of a run that went back to an earlier checkpoint
        kept = responses.keys(self.run.model, learns=True)
        for index in range(len(self._parts), blocks):
            part = responses.kept(self.folder, "train", index, kept)
            if part is None:
                raise ValueError(f"{self.run.path}: the responses of block {index} are not there")
            self._parts.append(part)
