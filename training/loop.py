"""A run under way: training block by block, labelling, testing, recording.

Each block of each stage has its own random stream, so that it comes out the same whenever it is run.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.analysis.accuracy import accuracy
from hebbarium.analysis.labels import ClassMeans
from hebbarium.analysis.readouts import decoded
from hebbarium.engine import anatomy, devices, interruption, presentations, resumption, state_checks, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, Program, Structure
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import ModelRefused, RunFolderError
from hebbarium.models.contract import Model
from hebbarium.training import (
    beginning,
    fit,
    limits,
    pins,
    profiling,
    recording,
    responses,
    result_file,
    silence,
    weights,
)
from hebbarium.training.checkpoints import Checkpoints
from hebbarium.training.courses import Courses
from hebbarium.training.progress import Reporter
from hebbarium.training.responses import Responses
from hebbarium.training.result_file import ResultFile
from hebbarium.training.run import UNSOUND, Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division, Samples
from hebbarium.training.schedule import Schedule
from hebbarium.training.silence import Silence

__all__ = ["RunUnderWay", "structures"]

TOTALS = ("run.seconds", "run.events")
"""What a checkpoint holds besides state: seconds of programs and synaptic events so far."""
DIVERGED = (
    "the network grows without bound: look at what that variable's equations read, at parameters with large or small"
    " values, and at the time step. The checkpoint before that block is kept, but `hebbarium resume` would come to the"
    " same; train again with other parameters"
)


def structures(settings: RunSettings, model: Model) -> list[Structure]:
    """The programs that a run needs, in the order in which it does."""
    learning = dict.fromkeys(phase for phase, _ in settings.phases(model))
    frozen = (*["respond"] * (settings.labels_from == "labelling"), "test")
    return [
        *(_learning(settings, model, phase) for phase in learning),
        *(responses.frozen_structure(model, phase, settings.precision, settings.device) for phase in frozen),
    ]


def _learning(settings: RunSettings, model: Model, phase: str) -> Structure:
    return responses.learning_structure(model, phase, settings.precision, settings.device, settings.profile)


def _counted(model: Model, state: Arrays) -> list[str]:
    """What to say of each population's counts that are not zero; see `Model.told_counts`."""
    texts = []
    for name, values in state.items():
        population, _, symbol = name.partition(".")
        if symbol in model.told_counts and values.any():
            texts.append(f"training: {values.sum():,.0f} in '{population}', {symbol}: {model.told_counts[symbol]}")
    return texts


class RunUnderWay:
    """A run whose folder is held open by this process.

    Parameters
    ----------
    folder : RunFolder
    settings : RunSettings
    model : Model
        What the settings say.
    division : Division
    reporter : Reporter
    """

    def __init__(
        self, folder: RunFolder, settings: RunSettings, model: Model, division: Division, reporter: Reporter
    ) -> None:
        self.folder, self.settings, self.model, self.reporter = folder, settings, model, reporter
        self.division, self.images = division, division.images
        limits.refuse_length(settings, model, division.trained)
        self.schedule = Schedule.of(settings, model, division)
        self.results = ResultFile(folder, settings, model, division, self.schedule)
        self.kept = responses.keys(model, learns=True)
        self.courses = Courses(folder, settings, model, division, self.schedule)
        self.checkpoints = Checkpoints(folder)
        self.warnings: list[str] = []

    def remark(self) -> None:
        """Say what is odd about the images, before they are trained on."""
        for text in fit.remarks(self.images, self.division.split, self.division.tested.labels):
            self.reporter.message(text)

    def go(self) -> None:
        """Pass through all stages."""
        with interruption.stopping_on_signals():
            with self.checkpoints:
                state, totals = self._train()
            groups: dict[str, Any] = {}
            if self.settings.labels_from == "labelling":
                shown = self.division.part("labelling")
                counts = self._respond(state, shown, "respond", streams.LABELLING_SPIKES, "Labelling")
                groups["labelling"] = self.results.labelling(shown, counts)
            tested = self.division.tested
            counts = self._respond(state, tested, "test", streams.TEST_SPIKES, "Testing")
            for warning in silence.warnings(self.model, counts, self.images.classes, "testing"):
                self._warn(warning)
            groups["test"] = self.results.test(tested, counts)
            groups |= self._recorded(state, tested[:3])
            groups["more"] = self.courses.groups(state)
            self._write(totals, len(self.schedule), groups, complete=True)
            self.folder.drop_intermediate()

    # -- training --------------------------------------------------------------------------------------
    def _train(self) -> tuple[Arrays, dict[str, float]]:
        asked, model, schedule = self.settings, self.model, self.schedule
        done, state, totals = self._begin()
        if done or not len(schedule):
            self._complete(done, state)
        ahead = {*schedule.phases[done:], "respond", "test"}
        for structure in structures(asked, model):  # a refusal after training would lose it
            if structure.phase in ahead:
                interruption.stop_if_asked()
                devices.program(structure, self.folder.scratch)
        for structure in self.courses.structures(range(done, len(schedule))):
            devices.program(structure, self.folder.scratch)
        means = ClassMeans(anatomy.shown_to(model, model.readout), self.images.classes)
        firing = Silence(model, model.readout, self.images.classes)
        if len(schedule):
            self.reporter.stage("Training", len(schedule.order), schedule.seen(done))
        for index in range(done):
            counts = self._counts_of(index)
            firing.add(counts[model.readout])
            self._score(means, index, counts)
        program: Program | None = None
        snapshots = schedule.snapshots(asked.snapshots)
        profile: Counter[str] = Counter()
        in_loop, events_before = 0.0, totals["run.events"]
        for index in range(done, len(schedule)):
            interruption.stop_if_asked()
            shown, phase = self.division.at(schedule.blocks[index]), schedule.phases[index]
            if program is None or phase != program.structure.phase:
                if index and phase != schedule.phases[index - 1]:
                    state = model.handed_on(state)
                state |= initial_state(model, phase, state)
                program = devices.program(_learning(asked, model, phase), self.folder.scratch)
            if (over := schedule.pass_before(index)) is not None:
                drawn = streams.generator(asked.seed, streams.BETWEEN_PASSES, index)
                state = self._between_passes(state, over, drawn)
            block = Block(
                state,
                model.all_inputs(phase, shown.pixels, shown.labels, schedule.epochs[index]),
                model.run_time_values(),
                streams.block_seed(asked.seed, streams.TRAINING_SPIKES, index),
            )
            answers = presentations.show(program, block)
            state_checks.refuse(model, (phase,), answers.state, (), f"block {index + 1} of training", DIVERGED)
            state = state | answers.state  # what this phase does not know of waits for one that does
            profile.update(answers.profile)
            in_loop += answers.run_seconds
            counts = responses.of_block(answers, self.kept)
            totals["run.seconds"] += answers.wall_seconds
            totals["run.events"] += responses.synaptic_events(model, phase, shown.pixels, counts)
            responses.keep(self.folder, "train", index, counts)
            self.courses.of_block(index, block, answers)
            firing.add(counts[model.readout])
            if index == 0 and firing.none:
                said = firing.warning("the first images of training")
                self.reporter.message(f"{said}. {silence.advice(model)}")
            if index + 1 in snapshots:
                self.snapshot(int(schedule.ends[index]), state)
            self.checkpoints.of_block(index + 1, state | {k: np.array([v]) for k, v in totals.items()})
            self.reporter.advance(len(shown), self._score(means, index, counts))
            if self._is_evaluated(index):
                self._evaluate_on_the_way(index, state)
            if index + 1 < len(schedule) and index + 1 in snapshots:
                self._write(totals, index + 1, {}, complete=False)
        if not len(schedule):
            self.checkpoints.of_block(0, state | {k: np.array([v]) for k, v in totals.items()})
        self._warn(firing.warning("training"))
        for text in _counted(self.model, state):
            self.reporter.message(text)
        if program is not None and profile:
            images = len(schedule.order) - schedule.seen(done)
            compiled = profiling.how_compiled(program)
            events = totals["run.events"] - events_before
            self.reporter.message(profiling.table(profile, compiled, images, events, in_loop))
        return state, totals

    def _between_passes(self, state: Arrays, over: int, generator: np.random.Generator) -> Arrays:
        changed = self.model.between_passes(dict(state), generator)
        for name, array in state.items():
            if name not in changed or np.shape(changed[name]) != np.shape(array):
                raise ModelRefused(
                    f"model {self.model.name}: between_passes after pass {over + 1} gave back no {name} of"
                    f" {np.size(array)} values"
                )
        return {name: np.asarray(changed[name], array.dtype) for name, array in state.items()}

    def _begin(self) -> tuple[int, Arrays, dict[str, float]]:
        last = resumption.checkpoint(self.folder.path, self._needed(), self.reporter.message)
        if last is None:
            state = self._initial_state()
            self.snapshot(0, state)
            return 0, state, dict.fromkeys(TOTALS, 0.0)
        done, arrays = last
        phase = self.schedule.phases[min(done, len(self.schedule)) - 1] if len(self.schedule) else "test"
        needed = [*TOTALS, *(v.name for v in anatomy.state(self.model, phase))]
        where = f"{self.folder.path}: the checkpoint of block {done}"
        state_checks.refuse(self.model, self.model.phases, arrays, needed, where, UNSOUND)
        totals = {k: float(arrays.pop(k)[0]) for k in TOTALS}
        return done, arrays, totals

    def _initial_state(self) -> Arrays:
        a = self.settings
        carried_over = self._warm if a.warm_start else self._given if a.weights_from else dict
        return beginning.initial_state(a, self.model, self.division, self.schedule.first_phase, carried_over)

    def _warm(self, given: Arrays) -> Arrays:
        """The state of the run that this one begins with."""
        other, own = Run.open(str(self.settings.warm_start)), Run.open(self.folder.path)
        trained = other.state
        pins.refuse_state(self.folder.path, own.pins, pins.of_state(trained, other.pins))
        first = self.schedule.first_phase  # what it draws anew, though it builds on another run
        anew = {k: given[k] for k in self.model.anew.get(first, ())}
        return {k: trained[k] for k in responses.carried(self.model) if k in trained} | anew

    def _given(self, given: Arrays) -> Arrays:
        """The weights of the file that this run begins with."""
        own = weights.read(Path(str(self.settings.weights_from)), self.model)
        pins.refuse_weights(self.folder.path, Run.open(self.folder.path).pins, own)
        return {**given, **own}

    def _needed(self) -> dict[Path, int]:
        """Files that later blocks and the results are made of: the first checkpoint that cannot make up for each."""
        snapshots, needed = self.schedule.snapshots(self.settings.snapshots), self.courses.needed()
        for index, end in enumerate(map(int, self.schedule.ends)):
            for key in self.kept:
                needed[self.folder.responses_file(f"train/{key}", index)] = index + 1
            # a block's own checkpoint holds what these are made of
            if index + 1 in snapshots:
                needed[self.folder.snapshot_file(end)] = index + 2
            if self._is_evaluated(index):
                needed[self.folder.accuracies_file(end)] = index + 2
        return needed

    def _complete(self, done: int, state: Arrays) -> None:
        """Make what can be made of a checkpoint, or of the beginning, and is not there or not whole."""
        seen = self.schedule.seen(done)

        def is_whole(file: Path) -> bool:
            return resumption.is_whole(self.folder.path, file)

        if not is_whole(self.folder.snapshot_file(0)):
            self.snapshot(0, self._initial_state())
        snapshots = self.schedule.snapshots(self.settings.snapshots)
        if done in snapshots and not is_whole(self.folder.snapshot_file(seen)):
            self.snapshot(seen, state)
        if done and self._is_evaluated(done - 1) and not is_whole(self.folder.accuracies_file(seen)):
            self._evaluate_on_the_way(done - 1, state)

    def _counts_of(self, index: int) -> Responses:
        counts = responses.kept(self.folder, "train", index, self.kept)
        if counts is None:
            raise RunFolderError(
                f"{self.folder.path}: the responses of block {index} went missing while the run was under way;"
                f" `hebbarium resume {self.folder.path}` goes back to where they can be computed"
            )
        return counts

    def _score(self, means: ClassMeans, index: int, counts: Responses) -> str:
        """Accuracy on a block with labels from earlier blocks only, then take the block into the labels."""
        truth = self.images.train_labels[self.schedule.blocks[index]]
        readout, known = self.model.readouts[0], None
        if readout.labelled:
            known = means.labels()
            means.add(counts[readout.population], truth)
        if readout.taught or (readout.labelled and index == 0):
            return ""  # what it says while it is taught is the label
        answered = decoded(readout, responses.read_by(readout, counts), known, truth)
        return f"running accuracy {accuracy(answered, truth):.1f} %"

    def snapshot(self, seen: int, state: Arrays) -> None:
        """Keep what the results show of weights and thresholds after so many samples."""
        self.folder.write_snapshot(seen, result_file.shown(self.model, state))

    # -- accuracy while training goes on ---------------------------------------------------------------
    def _is_evaluated(self, index: int) -> bool:
        return self.schedule.is_evaluated(index, self.settings.evaluate_every)

    def _evaluate_on_the_way(self, index: int, state: Arrays) -> None:
        shown = self.division.on_the_way
        counts = self._ask(state, shown, "test", streams.TEST_SPIKES)
        labelled = any(readout.labelled for readout in self.model.readouts)
        known = self._labels_so_far(index) if labelled else None
        predicted = responses.predictions(self.model, counts, known, shown.labels)
        self.folder.write_accuracies(
            int(self.schedule.ends[index]), {name: accuracy(one, shown.labels) for name, one in predicted.items()}
        )

    def _labels_so_far(self, index: int) -> NDArray[np.int16]:
        """Labels by the last response to each image that was shown, as far as it was shown within one pass."""
        means = ClassMeans(anatomy.shown_to(self.model, self.model.readout), self.images.classes)
        missing = self.division.trained
        for k in range(index, -1, -1):
            counts, shown = self._counts_of(k)[self.model.readout], self.schedule.blocks[k]
            means.add(counts[-missing:], self.images.train_labels[shown][-missing:])
            missing -= len(shown)
            if missing <= 0:
                break
        return means.labels()

    # -- the other stages ------------------------------------------------------------------------------
    def _ask(self, state: Arrays, shown: Samples, phase: str, purpose: int, **kept: Any) -> Responses:
        a = self.settings
        return responses.respond(
            self.model, state, shown.pixels, phase=phase, seed=a.seed, purpose=purpose, scratch=self.folder.scratch,
            device=a.device, precision=a.precision, jobs=a.jobs, **kept,
        )  # fmt: skip

    def _respond(self, state: Arrays, shown: Samples, phase: str, purpose: int, title: str) -> Responses:
        return self._ask(state, shown, phase, purpose, title=title, reporter=self.reporter, folder=self.folder)

    def _recorded(self, state: Arrays, shown: Samples) -> dict[str, Any]:
        a = self.settings
        frozen = responses.frozen_structure(self.model, "test", a.precision, a.device)
        return recording.record(
            self.model, responses.frozen_state(self.model, "test", state), shown, a.seed,
            devices.program(frozen, self.folder.scratch), self.reporter,
        )  # fmt: skip

    def _warn(self, warning: str) -> None:
        """Say at once, and in the results, that hardly anything fires."""
        if warning:
            self.reporter.message(warning)
            self.warnings.append(warning)

    def _write(self, totals: dict[str, float], done: int, groups: dict[str, Any], complete: bool) -> None:
        parts = [self._counts_of(index) for index in range(done)]
        self.results.write(totals, parts, groups, self.warnings, complete)
