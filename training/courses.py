"""The courses of variables that a run was asked to record: blocks run again by programs that record, kept, written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hebbarium.engine import devices, presentations, streams
from hebbarium.engine.contract import Block, Program, Structure
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import BlockFailed, RunFolderError
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.training import probes, responses
from hebbarium.training.probes import Probe
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division
from hebbarium.training.schedule import Schedule

__all__ = ["Courses"]

_STAGE = "record"


class Courses:
    """What the recordings of a run under way come to.

    Parameters
    ----------
    folder : RunFolder
    settings : RunSettings
    model : Model
    division : Division
    schedule : Schedule
    """

    def __init__(
        self, folder: RunFolder, settings: RunSettings, model: Model, division: Division, schedule: Schedule
    ) -> None:
        self.folder, self.settings, self.model = folder, settings, model
        self.division, self.schedule = division, schedule
        self.probes = probes.of(settings.recordings, model, division, schedule)

    def structures(self, blocks: range) -> list[Structure]:
        """Programs that record, as far as some blocks of training, and testing, need them."""
        wanted = [probe for probe in self.probes if probe.is_test or probe.block in blocks]
        return list(dict.fromkeys(self._structure(probe) for probe in wanted))

    def needed(self) -> dict[Path, int]:
        """Files that the results are made of, and the first checkpoint that cannot make up for each."""
        return {self._file(k): probe.block + 1 for k, probe in self._of_training()}

    def of_block(self, index: int, block: Block, answers: presentations.Answers) -> None:
        """Keep what is recorded in a block of training, which is run again.

        Parameters
        ----------
        index : int
        block : Block
            As it was run.
        answers : Answers
            What came of it.

        Raises
        ------
        BlockFailed
            Run again, it comes to something else.
        """
        for k, probe in self._of_training():
            if probe.block == index:
                again = self._again(probe, block, answers.presentations)
                if other := [name for name, array in answers.state.items() if not _same(array, again.state[name])]:
                    raise BlockFailed(
                        f"--record {probe.text}: block {index + 1} of training, run again, comes to another {other[0]};"
                        f" a device whose bits do not repeat cannot record training (here {self.settings.device})"
                    )
                course = probe.cut(again.recorded[probe.recorded])
                self.folder.write_responses(_stage(k), index, course.reshape(len(course), -1))

    def groups(self, state: Mapping[str, NDArray[Any]]) -> dict[str, xr.Dataset]:
        """Groups of the result file, once all blocks are over.

        Parameters
        ----------
        state : mapping
            As training left it.

        Raises
        ------
        RunFolderError
            What was kept is gone.
        """
        names = [f"{results.RECORDED}/{name}" for name in probes.names(self.probes)]
        return {
            name: self._tested(probe, state) if probe.is_test else self._trained(k, probe)
            for k, (name, probe) in enumerate(zip(names, self.probes, strict=True))
        }

    # -- training --------------------------------------------------------------------------------------
    def _of_training(self) -> Iterator[tuple[int, Probe]]:
        return ((k, probe) for k, probe in enumerate(self.probes) if not probe.is_test)

    def _file(self, number: int) -> Path:
        return self.folder.responses_file(_stage(number), self.probes[number].block)

    def _trained(self, number: int, probe: Probe) -> xr.Dataset:
        kept = self.folder.read_responses(_stage(number), probe.block)
        if kept is None:
            raise RunFolderError(
                f"{self._file(number)}: went missing while the run was under way; `hebbarium resume"
                f" {self.folder.path}` goes back to where it can be recorded"
            )
        course = kept.reshape(len(kept), -1, len(probe.recorded.elements))
        shown = self.division.at(self.schedule.blocks[probe.block][probe.first : probe.end])
        presented = None
        if self.model.controller:
            counts = self.folder.read_responses(f"train/{self.model.controller}", probe.block)
            presented = None if counts is None else counts[probe.first : probe.end, 0]
        return probes.recording(probe, self.model, course, shown, presented)

    # -- testing ---------------------------------------------------------------------------------------
    def _tested(self, probe: Probe, state: Mapping[str, NDArray[Any]]) -> xr.Dataset:
        """The block of testing in which the images are, with the spikes that they were tested with."""
        shown = self.division.tested[probe.offset : probe.offset + responses.EVALUATION_BLOCK]
        block = Block(
            responses.frozen_state(self.model, probe.phase, state),
            self.model.all_inputs(probe.phase, shown.pixels, np.zeros(len(shown), int)),
            self.model.run_time_values(),
            streams.block_seed(self.settings.seed, streams.TEST_SPIKES, probe.block),
        )
        presented = self._presented(probe, block) if self.model.controller else None
        again = self._again(probe, block, presented)
        course = probe.cut(again.recorded[probe.recorded])
        wanted = None if presented is None else presented[probe.first : probe.end]
        return probes.recording(probe, self.model, course, shown[probe.first : probe.end], wanted)

    def _presented(self, probe: Probe, block: Block) -> NDArray[np.int64]:
        """How often each image of a block is shown."""
        return presentations.show(self._program(probe), block).presentations

    # -- both ------------------------------------------------------------------------------------------
    def _again(
        self, probe: Probe, block: Block, presented: NDArray[np.int64] | None
    ) -> presentations.Answers:
        controlled = presented if self.model.controller else None
        part = probe.presentations(self.model, block.samples, controlled)
        return presentations.show(self._program(probe), block, part)

    def _program(self, probe: Probe) -> Program:
        return devices.program(self._structure(probe), self.folder.scratch)

    def _structure(self, probe: Probe) -> Structure:
        """The program of a probe's phase, with all that is recorded in it."""
        a = self.settings
        made = responses.frozen_structure if probe.is_test else responses.learning_structure
        together = [one for one in self.probes if (one.is_test, one.phase) == (probe.is_test, probe.phase)]
        recorded = dict.fromkeys(one.recorded for one in together)
        return dataclasses.replace(made(self.model, probe.phase, a.precision, a.device), recorded=tuple(recorded))


def _stage(number: int) -> str:
    return f"{_STAGE}/{number}"


def _same(array: NDArray[Any], again: NDArray[Any]) -> bool:
    return np.asarray(array).tobytes() == np.asarray(again, np.asarray(array).dtype).tobytes()
