"""What an exported project has trained without Python, as a run folder.

The folder may come from a stranger: files of it are read that are plain, lie in it and have the sizes that the run has,
and nothing in it is run. What it says of itself is believed as far as it fits: that its numbers were computed by the
programs in it cannot be seen.
"""

from __future__ import annotations

import dataclasses
import json
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hebbarium.catalogue import own_models
from hebbarium.datasets import by_name as datasets
from hebbarium.engine import anatomy, block_file, state_checks
from hebbarium.engine.contract import Arrays
from hebbarium.engine.run_folder import RunFolder
from hebbarium.exports.plan import VERSION, Plan, checksums
from hebbarium.exports.project import DESCRIPTION
from hebbarium.files import folder_names, plain_files
from hebbarium.files.errors import EngineError
from hebbarium.training import beginning, limits, pins, preparation, responses
from hebbarium.training.loop import TOTALS, RunUnderWay
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.responses import EVALUATION_BLOCK, Responses
from hebbarium.training.run import UNSOUND
from hebbarium.training.run_settings import RunSettings

__all__ = ["NotReturned", "bring_back"]

MOST_DESCRIBED = 2**22
"""Bytes of ``project.json``, at most."""
_ROOM = 4096  # bytes of names and sizes in a file of arrays, for each array


class NotReturned(EngineError):
    """A folder is no exported project, or what it holds does not fit together."""


def bring_back(
    project: Path,
    out: Path,
    reporter: Reporter | None = None,
    *,
    trained: str = "trained",
    answers: str = "answers",
    model: str | None = None,
    dataset: str | None = None,
    data: str | None = None,
) -> Path:
    """Make a run folder of what an exported project has trained.

    What it has labelled is taken if it was asked of the images that the run is tested on; else the network is asked
    here. The spikes of three test images, for the raster, are always made here.

    Parameters
    ----------
    project, out : Path
        The project's folder, and the new run folder.
    trained, answers : str
        What ``train --out`` and ``test --out`` were told.
    model : str, optional
        The user's own file that the project's model is written in; the copy in the folder is not run.
    dataset, data : str, optional
        The images that it was trained on, where they are not those that the run was exported with.

    Raises
    ------
    NotReturned
        Naming what of the folder is missing or does not fit.
    EngineError, DatasetError, ValueError
        See the modules that raise them.
    """
    folder_names.refuse(out)
    reporter = reporter or QuietReporter()
    brought = _Brought(project, trained, answers, model, dataset, data)
    settings, plan = brought.settings, brought.plan
    configuration = {
        **settings.record(),
        "command": f"./train ({brought.pins['configuration']['command']}); hebbarium import {project}",
        "code": brought.pins["configuration"]["code"],
    }
    limits.refuse_record(configuration)
    state, parts = brought.state, list(brought.trained_blocks())
    tested, labelling, snapshots = brought.tested(), brought.labelling(), brought.snapshots()
    kept = pins.take(configuration, plan.model, plan.division.images)
    configuration["pins"] = pins.digest(kept[pins.FILE])
    with RunFolder.create(out, configuration, kept) as folder:
        begin = beginning.initial_state(settings, plan.model, plan.division, plan.schedule.first_phase)
        run = RunUnderWay(folder, settings, plan.model, plan.division, reporter)
        run.snapshot(0, begin)
        for seen, arrays in snapshots.items():
            run.snapshot(seen, arrays)
        events = 0
        for index, counts in enumerate(parts):
            responses.keep(folder, "train", index, counts)
            pixels = plan.division.at(plan.schedule.blocks[index]).pixels
            events += responses.synaptic_events(plan.model, plan.schedule.phases[index], pixels, counts)
        for stage, several in (("respond", labelling), ("test", tested)):
            for index, counts in enumerate(several):
                responses.keep(folder, stage, index, counts)
        totals = dict(zip(TOTALS, (brought.seconds, float(events)), strict=True))
        folder.write_checkpoint(len(plan.schedule), state | {k: np.array([v]) for k, v in totals.items()})
        run.remark()
        run.go()
    return out


@dataclass(eq=False)
class _Brought:
    """An exported project's folder, opened to be read."""

    folder: Path
    trained: str
    answers: str
    own_file: str | None
    dataset: str | None
    data: str | None

    # -- files -----------------------------------------------------------------------------------------
    def _bytes(self, *names: str, most: int) -> bytes:
        """Content of a plain file in the folder, reached by no link."""
        path = self.folder
        for name in names:
            if not name or name in (".", "..") or "/" in name:
                raise NotReturned(f"{self.folder}: '{name}' is no name of a file or folder in it")
            path = path / name
            if path.is_symlink():
                raise NotReturned(f"{path}: is a link; expected a file of the project itself")
        try:
            status = path.stat()
            if stat.S_ISREG(status.st_mode) and status.st_size > most:
                raise NotReturned(f"{path}: has {status.st_size:,} bytes, expected {most:,} at most")
            return plain_files.read(path)
        except OSError as error:
            raise NotReturned(
                f"{path}: cannot be read ({error.strerror}); is {self.folder} an exported project, and was ./train run"
                " in it?"
            ) from error

    def _arrays(self, *names: str, numbers: int, arrays: int) -> Arrays:
        """Arrays of a file that holds so many numbers at most."""
        content = self._bytes(*names, most=8 * numbers + _ROOM * (arrays + 1))
        path = self.folder.joinpath(*names)
        return block_file.unpacked(content, path)

    # -- what it is ------------------------------------------------------------------------------------
    @cached_property
    def pins(self) -> pins.Pins:
        """What a run like it would have begun with."""
        where = self.folder / DESCRIPTION
        try:
            stored = json.loads(self._bytes(DESCRIPTION, most=MOST_DESCRIBED))
            version, pinned = stored["project"], stored["pins"]
            parts = ("configuration", "data", "model", "engine", "versions", "computer")
            fits = all(isinstance(pinned[name], dict) for name in parts)
            fits = fits and isinstance(pinned["model"]["network"], dict) and "hebbarium" in pinned["versions"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise NotReturned(f"{where}: is damaged ({error}); export the project anew") from error
        if version != VERSION or not fits:
            raise NotReturned(f"{where}: is of another version of the project; export it anew")
        limits.refuse_record(pinned["configuration"])
        return pinned

    @cached_property
    def settings(self) -> RunSettings:
        """What the run was asked to do; on other images than it was exported with, as the programs treat these."""
        stored = dict(self.pins["configuration"])
        self._refuse_other_model(str(stored.get("model")))
        if self.own_file:
            stored["model"] = self.own_file
        try:
            settings = RunSettings.recorded(stored)
        except (ValueError, TypeError) as error:
            raise NotReturned(f"{self.folder / DESCRIPTION}: its settings cannot be a run's: {error}") from error
        settings = dataclasses.replace(settings, data=self.data, dataset=self.dataset or settings.dataset, jobs=1)
        if settings.dataset.endswith(".npz") and not self.dataset:
            raise NotReturned(
                f"{self.folder}: was made of {settings.dataset}, images of its own; name the file: --dataset FILE.npz"
            )
        images = datasets.load(settings.dataset, self.data)
        if images.sha256 != self.pins["data"].get("sha256"):
            settings = dataclasses.replace(
                settings, images=None, validation=0, test_images=None, evaluate_on="test", snapshots=1
            )
        return pins.located(settings)

    def _refuse_other_model(self, name: str) -> None:
        """Refuse a user's model that is not named here, or is another than the exported one."""
        own = self.pins["model"].get("own")
        is_file = own_models.file_in(name) is not None
        if self.own_file is None:
            if is_file:
                raise NotReturned(
                    f"{self.folder}: its model is a Python file, {name}, and files of the folder are not run; name"
                    f" yours, if it is the same: --model {name}"
                )
            return
        file = own_models.file_in(self.own_file)
        if not is_file or file is None:
            raise NotReturned(f"--model {self.own_file}: the project's model is {name}; leave it out, or name its file")
        own_models.refuse_other(self.folder, own if isinstance(own, Mapping) else {}, own_models.read(file))
        own_models.trust(file)

    @cached_property
    def plan(self) -> Plan:
        """The run, whose model is written as it was when it was exported."""
        prepared = preparation.prepare(self.settings)
        pins.refuse_model(self.folder, self.pins, prepared.model)
        plan = Plan(prepared.settings, prepared.model, prepared.division)
        plan.refuse()
        return plan

    # -- what it has learned ---------------------------------------------------------------------------
    @cached_property
    def _summary(self) -> Arrays:
        """What training wrote last, held against the images."""
        summary = self._arrays(self.trained, "summary", numbers=2**24, arrays=16)
        where, plan = self.folder / self.trained / "summary", self.plan
        expected = dict(zip(("pixels_crc", "labels_crc"), checksums(plan.all_trained), strict=True))
        expected |= {"images": len(plan.all_trained), "blocks": len(plan.schedule)}
        for name, value in expected.items():
            if self._number(summary, name, where) != value:
                raise NotReturned(
                    f"{where}: {name} is {self._number(summary, name, where)}, of {plan.division.images.name} it is"
                    f" {value}; name the images that ./train was given, as a set or a file .npz: --dataset"
                )
        return summary

    @staticmethod
    def _number(arrays: Arrays, name: str, where: Path) -> Any:
        if name not in arrays or arrays[name].size != 1:
            raise NotReturned(f"{where}: lacks the number '{name}'; run ./train again")
        return arrays[name][0].item()

    @property
    def seconds(self) -> float:
        """How long training took."""
        seconds = float(self._number(self._summary, "seconds", self.folder / self.trained / "summary"))
        if not 0 <= seconds < 1e12:
            raise NotReturned(f"{self.folder / self.trained / 'summary'}: training took {seconds} s; run ./train again")
        return seconds

    @cached_property
    def state(self) -> Arrays:
        """What was learned."""
        assert self._summary  # is looked at first
        variables = {v.name: v.size for phase in self.plan.model.phases for v in self._state_of(phase)}
        state = self._arrays(self.trained, "state", numbers=sum(variables.values()), arrays=len(variables))
        where = self.folder / self.trained / "state"
        if unknown := sorted(state.keys() - variables):
            raise NotReturned(f"{where}: holds {unknown[0]}, which is no state of {self.plan.model.name}")
        needed = [v.name for v in self._state_of(self.plan.schedule.phases[-1])]
        state_checks.refuse(self.plan.model, self.plan.model.phases, state, needed, str(where), UNSOUND)
        return state

    def _state_of(self, phase: str) -> tuple[anatomy.StateVariable, ...]:
        return anatomy.state(self.plan.model, phase)

    def snapshots(self) -> dict[int, Arrays]:
        """What weights were on the way, by samples seen."""
        plan, found = self.plan, {}
        for block in sorted(plan.schedule.snapshots(plan.settings.snapshots)):
            seen = plan.schedule.seen(block)
            sizes = {name: array.size for name, array in self.state.items()}
            name = f"{seen:06d}"
            arrays = self._arrays(self.trained, "snapshots", name, numbers=sum(sizes.values()), arrays=len(sizes))
            where = self.folder / self.trained / "snapshots" / name
            for variable, array in arrays.items():
                if array.size != sizes.get(variable) or array.dtype.kind != "f":
                    raise NotReturned(f"{where}: {variable} is not what the network has; run ./train again")
            if missing := [p.variable for p in anatomy.projections(plan.model) if p.variable not in arrays]:
                raise NotReturned(f"{where}: lacks {missing[0]}; run ./train again")
            found[seen] = arrays
        return found

    # -- what it has answered --------------------------------------------------------------------------
    def trained_blocks(self) -> Iterator[Responses]:
        """Responses of each block of training."""
        keys = responses.keys(self.plan.model, True)
        for index, block in enumerate(self.plan.schedule.blocks):
            yield self._responses((self.trained, "blocks", f"{index:06d}"), len(block), keys)

    def labelling(self) -> list[Responses]:
        """Responses by which neurons are labelled, if there was a pass for it."""
        if self.plan.settings.labels_from != "labelling":
            return []
        samples = len(self.plan.division.part("labelling"))
        return self._asked((self.trained, "labelling"), "respond", samples)

    def tested(self) -> list[Responses]:
        """Responses to the images that the run is tested on; none if others, or none, were shown."""
        file = self.folder / self.answers / "summary"
        if not file.is_file():
            return []
        summary = self._arrays(self.answers, "summary", numbers=2**10, arrays=16)
        crc = self._number(summary, "pixels_crc", file)
        of = self._number(summary, "state_crc", file)
        here = self._number(self._summary, "state_crc", self.folder / self.trained / "summary")
        if crc != checksums(self.plan.all_tested)[0] or of != here:
            return []
        content = self._bytes(self.trained, "state", most=2**40)
        if zlib.crc32(content[:-4]) != here:
            raise NotReturned(f"{self.folder / self.trained / 'state'}: is not what ./train wrote; run it again")
        return self._asked((self.answers, "blocks"), "test", len(self.plan.division.tested))

    def _asked(self, folder: tuple[str, ...], phase: str, samples: int) -> list[Responses]:
        """Responses of blocks in which nothing learns."""
        structure = next(s for s in self.plan.structures if s.phase == phase)
        available = {*structure.populations, *(measure.key for measure in structure.measures)}
        keys = tuple(key for key in responses.keys(self.plan.model, False) if key in available)
        return [
            self._responses((*folder, f"{index:06d}"), min(EVALUATION_BLOCK, samples - first), keys)
            for index, first in enumerate(range(0, samples, EVALUATION_BLOCK))
        ]

    def _responses(self, names: tuple[str, ...], samples: int, keys: tuple[str, ...]) -> Responses:
        model = self.plan.model
        sizes = {
            key: 1 if key == model.controller else anatomy.shown_to(model, key.partition(".")[0]) for key in keys
        }
        arrays = self._arrays(*names, numbers=samples * sum(sizes.values()), arrays=len(keys))
        where = self.folder.joinpath(*names)
        if arrays.keys() != sizes.keys():
            raise NotReturned(f"{where}: holds {', '.join(sorted(arrays))}, expected {', '.join(sorted(sizes))}")
        counted = {*anatomy.populations(model), model.controller}
        for key, neurons in sizes.items():
            array = arrays[key]
            fits = array.dtype == np.uint16 if key in counted else array.dtype.kind in "fu"
            if array.size != samples * neurons or not fits:
                raise NotReturned(
                    f"{where}: {key} has {array.size} values of type {array.dtype}, expected {samples} x {neurons}; run"
                    " the program again"
                )
        return {key: arrays[key].reshape(samples, -1) for key in keys}
