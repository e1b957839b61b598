"""What an exported project's programs are told: how a run is divided into blocks, what they read, what is read of them.

``project.txt`` has a line for each fact, ``tables`` the arrays that it names, ``parameters.txt`` a value a line. They
are read by ``driver/plan.h``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import draws
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import anatomy, monitors, readers, streams
from hebbarium.engine.contract import Arrays, DeclaredMeasure, Structure
from hebbarium.exports import changes, forms
from hebbarium.files.errors import ModelRefused
from hebbarium.models.contract import Model
from hebbarium.models.readouts import FirstSpike, SpikeCount
from hebbarium.models.slots import OCCUPIED
from hebbarium.training import beginning, responses
from hebbarium.training.loop import structures
from hebbarium.training.run_settings import DRAWN, RunSettings
from hebbarium.training.samples import Division, Samples
from hebbarium.training.schedule import Schedule

__all__ = ["VERSION", "Plan", "checksums"]

VERSION = 1
"""Of the layout of an exported project."""
PURPOSES = {
    "order": int(draws.Purpose.ORDER),
    "training_images": int(draws.Purpose.TRAINING_IMAGES),
    "training_spikes": streams.TRAINING_SPIKES,
    "labelling_spikes": streams.LABELLING_SPIKES,
    "test_spikes": streams.TEST_SPIKES,
}
"""Purposes of the streams of random numbers that are drawn without Python."""
_NONE = "-"


def checksums(samples: Samples) -> tuple[int, int]:
    """CRC-32 of pixels and of labels, by which an exported project tells one set of images from another."""
    labels = samples.labels.astype(np.uint8)
    return zlib.crc32(samples.pixels.tobytes()), zlib.crc32(labels.tobytes())


@dataclass(frozen=True, eq=False)
class Plan:
    """A run, as it is made without Python.

    Parameters
    ----------
    settings : RunSettings
    model : Model
    division : Division
    """

    settings: RunSettings
    model: Model
    division: Division

    # -- what cannot be --------------------------------------------------------------------------------
    def refuse(self) -> None:
        """Raise `ModelRefused` for what a run does in Python, naming it; see also `forms` and `changes`."""
        model, named = self.model, f"model {self.model.name}"
        for measure in model.measures(False):
            if measure.is_computed:
                raise ModelRefused(
                    f"{named}: {measure.key} is computed in Python (`computed`), which an exported project cannot do"
                )
        if self.settings.warm_start:
            raise ModelRefused(
                f"{named}: the run begins with what {self.settings.warm_start} has learned, without which its results"
                " could not be brought back; export a run that begins by itself"
            )
        if self.settings.weights_from:
            raise ModelRefused(
                f"{named}: the run begins with the weights of {self.settings.weights_from}, which an exported project"
                " does not; export a run that begins by itself"
            )
        if self.settings.image_order != DRAWN:
            raise ModelRefused(
                f"image_order={self.settings.image_order}: an exported project draws the order of its images itself;"
                " leave it out"
            )
        images = self.division.images
        if images.holds != Dataset.holds:
            raise ModelRefused(f"{named}: {images.name} holds {images.holds}; an exported project reads images")
        if self.division.images.classes > forms.LEVELS:
            raise ModelRefused(
                f"{named}: {self.division.images.classes} classes; labels of an exported project are bytes, expected"
                f" {forms.LEVELS} classes at most"
            )

    # -- the parts -------------------------------------------------------------------------------------
    @cached_property
    def structures(self) -> list[Structure]:
        """The programs, in the order in which a run needs them."""
        return structures(self.settings, self.model)

    @cached_property
    def schedule(self) -> Schedule:
        """The blocks of training on the run's own images."""
        return Schedule.of(self.settings, self.model, self.division)

    @cached_property
    def all_trained(self) -> Samples:
        """The images that a file of training images holds."""
        images = self.division.images
        return Samples(images.train_images, images.train_labels, np.arange(len(images.train_labels)))

    @cached_property
    def all_tested(self) -> Samples:
        """The images that the file holds in which those are that accuracy is measured on."""
        images = self.division.images
        if self.settings.evaluate_on == "validation":
            return self.all_trained
        return Samples(images.test_images, images.test_labels, np.arange(len(images.test_labels)))

    def is_learning(self, phase: str) -> bool:
        """Whether a phase is one of training."""
        return any(phase == name for name, _ in self.settings.phases(self.model))

    # -- project.txt -----------------------------------------------------------------------------------
    def lines(self, reads: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
        """The lines of ``project.txt``; tables that they name are put into `tables`.

        Parameters
        ----------
        reads : mapping
            By phase: type of every array that the program reads.

        Raises
        ------
        ModelRefused
            Naming what cannot be done without Python.
        """
        self.refuse()
        settings, model, division = self.settings, self.model, self.division
        rows, columns = division.images.shape
        yield "# What train and test are told; made by `hebbarium export`. Parameters are in parameters.txt."
        yield f"project {VERSION}"
        yield f"model {model.name}"
        yield f"seed {settings.seed}"
        yield f"block {settings.block} {responses.EVALUATION_BLOCK}  # samples while something learns, and while not"
        yield f"step {anatomy.time_step(model)!r}  # seconds"
        yield f"images {rows} {columns}  # rows and columns"
        yield f"classes {division.images.classes}"
        labelled = next((readout for readout in model.readouts if readout.labelled), None)
        yield f"labels {settings.labels_from if labelled else 'none'} {labelled.population if labelled else _NONE}"
        for name, purpose in PURPOSES.items():
            yield f"purpose {name} {purpose}"
        for part, samples in (("trained", self.all_trained), ("tested", self.all_tested)):
            for what, crc in zip(("pixels", "labels"), checksums(samples), strict=True):
                yield f"set {part}_{what} {crc}  # CRC-32 of the run's own"
        for phase, passes in settings.phases(model):
            yield f"stage {phase} {passes} {int(self._cut(phase))}  # phase, passes, whether each begins a block"
        for population, neurons in anatomy.populations(model).items():
            yield f"population {population} {neurons}"
        yield from (f"handed_on {change.line}" for change in changes.handed_on(model))
        if any(passes > 1 for _, passes in settings.phases(model)):
            yield from (f"between {change.line}" for change in changes.between_passes(model))
        yield from (f"carried {name}" for name in responses.carried(model))
        yield from (f"shown {name}" for name in self._shown())
        for readout in model.readouts:
            ties = readout.ties.key if readout.ties else _NONE
            flags = f"{int(readout.strict)} {int(readout.lenient)}"
            yield f"readout {readout.name} {readout.decoding} {flags} {readout.measure.key} {ties}"
        for structure in self.structures:
            yield from self._program(structure, reads[structure.phase])

    def _cut(self, phase: str) -> bool:
        """Whether a pass begins with a block of its own; see `Schedule.of`."""
        return type(self.model).between_passes is not Model.between_passes or self.model.slots(phase).batch > 1

    def _shown(self) -> list[str]:
        """State that snapshots hold."""
        states = dict.fromkeys(v.name for s in self.structures for v in anatomy.state(self.model, s.phase))
        shown = [name for name in states if self.model.shows(name)]
        return [*(p.variable for p in anatomy.projections(self.model) if p.variable in states), *shown]

    def _program(self, structure: Structure, reads: Mapping[str, str]) -> Iterator[str]:
        model, phase, slots = self.model, structure.phase, self.model.slots(structure.phase)
        yield f"program {phase} {structure.sample_steps}  # steps of a presentation"
        yield f"slots {slots.batch} {slots.idle} {slots.lag} {int(slots.in_turn)}"
        if model.controller:
            yield f"controller {monitors.name(model.controller)}"
        states = anatomy.state(model, phase)
        for variable in states:
            kind = "time" if variable.is_time else "cursor" if variable.is_cursor else "plain"
            yield f"state {variable.name} {variable.size} {kind}"
        names, symbols = {variable.name for variable in states}, model.run_time_values()
        inputs = [name for name in reads if name not in names and name.rpartition(".")[2] not in symbols]
        of_samples = [name for name in inputs if name != OCCUPIED]
        for form in self._found(phase, of_samples):
            table = f"{phase}/{form.name}" if isinstance(form.table, np.ndarray) else form.table or _NONE
            yield f"input {form.name} {form.width} {form.form} {form.number!r} {table}"
        for name, kind in reads.items():
            if name in names:
                yield f"reads {name} {kind} state"
            elif name in inputs:
                yield f"reads {name} {kind} input"
            else:
                yield f"reads {name} {kind} value {name.rpartition('.')[2]}"
        yield from self._kept(structure)

    @cached_property
    def _forms(self) -> dict[str, list[forms.InputForm]]:
        return {}

    def _found(self, phase: str, names: list[str]) -> list[forms.InputForm]:
        """Forms of the inputs of a phase, kept for `tables`."""
        passes = max((passes for name, passes in self.settings.phases(self.model) if name == phase), default=1)
        self._forms[phase] = forms.forms(self.model, phase, self.all_trained, passes, names)
        return self._forms[phase]

    def _kept(self, structure: Structure) -> Iterator[str]:
        """What is read of each sample, and kept; see `responses.keys`."""
        model, dt = self.model, anatomy.time_step(self.model)
        by_key: dict[str, DeclaredMeasure] = {measure.key: measure for measure in structure.measures}
        for key in responses.keys(model, self.is_learning(structure.phase)):
            if key in structure.populations and key != model.controller:
                yield f"measure {key} {key} count {structure.sample_steps} {monitors.name(key)}"
            elif key in by_key:
                measure = by_key[key]
                kinds: dict[type, str] = {SpikeCount: "count", FirstSpike: "first"}
                kind = "value" if measure.variable else kinds.get(type(measure))
                if kind is None:
                    raise ModelRefused(
                        f"model {model.name}: {key} is read by a measure of its own, {type(measure).__name__}, which is"
                        " Python; expected spike counts, first spikes or values"
                    )
                monitor = readers.name_of(measure) if measure.variable else monitors.name(measure.population)
                steps = measure.steps(structure.sample_steps, dt)
                yield f"measure {key} {measure.population} {kind} {steps} {monitor}"
            elif key != model.controller:
                continue  # of a population that this phase is without
            yield f"kept {key}"

    # -- tables ----------------------------------------------------------------------------------------
    def tables(self, neuron_label: NDArray[np.integer] | None = None) -> Arrays:
        """Arrays that ``project.txt`` names, after `lines`, and those that a run begins with or has drawn.

        Parameters
        ----------
        neuron_label : (neurons,), optional
            Of a trained network.
        """
        model, division, schedule = self.model, self.division, self.schedule
        found: Arrays = {
            f"{phase}/{form.name}": form.table
            for phase, several in self._forms.items() for form in several if isinstance(form.table, np.ndarray)
        }  # fmt: skip
        begin = beginning.initial_state(self.settings, model, division, schedule.first_phase)
        found |= {f"initial/{name}": np.asarray(array) for name, array in begin.items()}
        for structure in self.structures:
            for v in anatomy.of(model, structure.phase).state:
                found[f"begin/{structure.phase}/{v.name}"] = np.full(v.size, v.initial)
        found["trained"] = division.split.train
        found["tested"] = division.tested.index
        found["snapshots"] = np.array(sorted(schedule.snapshots(self.settings.snapshots)), np.int64)
        if self.settings.labels_from == "labelling":
            found["labelling"] = division.part("labelling").index
        found["neuron_label"] = np.zeros(0, np.int64) if neuron_label is None else neuron_label.astype(np.int64)
        return found

    # -- parameters.txt --------------------------------------------------------------------------------
    def parameters(self) -> Iterator[str]:
        """The lines of ``parameters.txt``: what reaches a program at run time, in SI units."""
        table = self.model.parameters()
        yield "# Parameters that the programs read when they start, in SI units. Change a number and run again: nothing"
        yield "# is compiled anew. Sizes and choices are compiled in; what turns images into inputs is in project.txt."
        for symbol, value in self.model.run_time_values().items():
            row: Any = table[symbol]
            yield f"{symbol} {value!r}  # {row.show(getattr(self.model, symbol))}: {row.meaning} ({row.source})"
