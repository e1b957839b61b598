"""Train a model on images, block by block; go on after an interruption; show images to a trained model.

A run passes through stages: training, labelling (if labels come from a frozen pass), testing, recording. Each
block of each stage has its own random stream, so that it comes out the same whenever it is run.
"""

from __future__ import annotations

import dataclasses
import platform
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hebbarium.analysis import chance
from hebbarium.analysis.accuracy import accuracy
from hebbarium.analysis.accuracy import evaluate as evaluate_tree
from hebbarium.analysis.labels import ClassMeans
from hebbarium.analysis.readouts import READOUTS, class_layer
from hebbarium.catalogue import own_equations, own_models
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import draws
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.datasets.published_sets import SETS
from hebbarium.engine import (
    anatomy,
    devices,
    interruption,
    presentations,
    resumption,
    run_folder,
    state_checks,
    streams,
)
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, Program, Structure
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files import folder_names
from hebbarium.files.errors import FileNotWritten, RunFolderError
from hebbarium.models.contract import Model
from hebbarium.record import results
from hebbarium.training import fit, limits, pins, profiling, provenance, recording, silence, warm_start
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run_settings import CAPACITY, RunSettings
from hebbarium.training.silence import Silence

TOTALS = ("run.seconds", "run.events")
"""What a checkpoint holds besides state: seconds of programs and synaptic events so far."""
DIVERGED = (
    "the network grows without bound: look at what that variable's equations read, at parameters with large or small"
    " values, and at the time step. The checkpoint before that block is kept, but `hebbarium resume` would come to the"
    " same; train again with other parameters"
)
UNSOUND = "it is not as training left it: train again into another folder"
EVALUATION_BLOCK = 250
"""Samples of a block when nothing learns: fixed, so that responses do not depend on how many processes there are."""


def passes(asked: RunSettings) -> int:
    """How often a run shows its training images, over all phases."""
    return sum(number for _, number in asked.phases(asked.make_model()))


def train(asked: RunSettings, out: Path, reporter: Reporter | None = None) -> Path:
    """Train, test and write the results of a new run.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    RunFolderError
        ``out`` exists or cannot be written.
    EngineError, DatasetError, ValueError
        See the modules that raise them.
    """
    reporter = reporter or QuietReporter()
    model = asked.make_model()  # a wrong setting is an error before anything is made
    limits.refuse_model(asked, model)
    devices.require(asked.device)
    own_equations.refuse(model)
    folder_names.refuse(Path(out))
    images, begun = datasets.load(asked.dataset, asked.data), None
    asked = pins.located(fit.fitted(asked, images))
    split = draws.split(images, asked.images, asked.validation, asked.test_images, asked.seed)
    limits.refuse_length(asked, model, len(split.train))
    if asked.warm_start:
        begun = pins.of_state(trained_model(Path(asked.warm_start))[1], Path(asked.warm_start))
        for text in warm_start.refuse_learned(asked, images, lambda run: (settings_of(run), own_images(run))):
            reporter.message(text)
    configuration = {**asked.record(), "command": " ".join(sys.argv), "code": provenance.code_version()}
    kept = pins.take(configuration, model, images, begun)
    configuration["pins"] = pins.digest(kept[pins.FILE])
    with RunFolder.create(Path(out), configuration, kept) as folder:
        run = _Run(folder, asked, images, reporter)
        run.remark()
        run.go()
    return Path(out)


def resume(
    run: Path,
    reporter: Reporter | None = None,
    *,
    trust_model: bool = False,
    moved: Mapping[str, str] | None = None,
) -> Path:
    """Go on with a run from its last whole block; does nothing if it is complete.

    Results that were lost or damaged are written again; what they are made of is trained again as far as it is gone.

    Parameters
    ----------
    trust_model : bool
        Let the Python file run that the run's model is written in; see `trust`.
    moved : mapping, optional
        Where ``model``, ``dataset`` or ``data`` are now, if they were moved since the run began; kept for later.

    Raises
    ------
    RunFolderError, ValueError
        Settings, images, model or engine are not what the run began with.
    """
    reporter = reporter or QuietReporter()
    with RunFolder.open(Path(run)) as folder:
        if moved:
            _move(folder.path, moved)
        if trust_model:
            trust(folder.path)
        asked = settings_of(folder.path)
        file = results.file_of(folder.path)
        if file.is_dir():
            raise RunFolderError(f"{file}: is a folder, where results are to be written; move it elsewhere")
        results.refuse_other(folder.path, folder.begun)
        if (condition := _condition(folder.path)) == "complete":
            folder.drop_intermediate()  # the power may have failed before it was
        else:
            if condition == "damaged":
                reporter.message(f"{file}: is damaged, and is written again")
            for text in pins.refuse_engine(folder.path):
                reporter.message(text)
            pins.refuse_model(folder.path, asked.make_model())
            _Run(folder, asked, own_images(folder.path), reporter).go()
    return Path(run)


def _move(run: Path, moved: Mapping[str, str]) -> None:
    """Take note of where files of a run are now, if they are what they were."""
    places: dict[str, Any] = dict(moved)
    asked = pins.located(dataclasses.replace(settings_of(run), **places))
    if file := own_models.file_in(moved.get("model", "")):
        before = settings_of(run).model
        files = before.files if isinstance(before, own_models.Recorded) else None
        own_models.refuse_other(run, files, own_models.read(file))
        own_models.trust(file)
    if moved.keys() - {"model"}:
        pins.refuse_data(run, datasets.load(asked.dataset, asked.data))
    pins.note_places(run, {name: getattr(asked, name) for name in moved})


def settings_of(run: Path) -> RunSettings:
    """What a run was asked to do, with the places that its files were moved to since.

    Raises
    ------
    RunFolderError
        There is no run, or its settings were edited since it began.
    """
    pins.read(run)
    stored = run_folder.configuration(run) | pins.places(run)
    if isinstance(name := stored.get("model"), str):  # of another type it is refused below, as any setting is
        stored["model"] = pins.recorded(run, name)
    try:
        limits.refuse_record(stored)
        return RunSettings(**{f.name: stored[f.name] for f in dataclasses.fields(RunSettings) if f.name in stored})
    except ValueError as error:
        raise RunFolderError(f"{run}: its {run_folder.CONFIGURATION} cannot be a run's: {error}") from error


def trust(run: Path) -> None:
    """Let the Python file that a run's model is written in be run, from now on in this process.

    Only if it is still what the run began with; without this, a file that a run folder names is never run.
    """
    if file := own_models.file_in(settings_of(run).model):
        own_models.trust(file)


def own_images(run: Path, data: str | None = None) -> Dataset:
    """The images that a run was begun with, also from another folder of data sets.

    Raises
    ------
    DatasetError
        They are not there.
    RunFolderError
        They are others.
    """
    asked = settings_of(run)
    images = datasets.load(asked.dataset, data or asked.data)
    pins.refuse_data(run, images)
    return images


def is_complete(run: Path) -> bool:
    """Whether a run has written its final results, and they are whole."""
    return _condition(run) == "complete"


def _condition(run: Path) -> Literal["complete", "incomplete", "damaged", "missing"]:
    """How it stands with the results of a run."""
    if not results.file_of(run).is_file():
        return "missing"
    try:
        with results.open_run(run) as tree:
            if not tree.attrs["complete"]:
                return "incomplete"
            always = {results.ACTIVITY, results.WEIGHTS, results.TEST, results.EVALUATION}
            return "complete" if always <= set(tree.children) else "damaged"
    except (OSError, ValueError):
        return "damaged"


def class_names(run: Path) -> tuple[str, ...]:
    """Names of the classes that a run has learned, by number; empty if they are not known."""
    with results.open_run(run) as tree:
        dataset = str(tree.attrs["dataset"])
        return results.class_names(tree) or (SETS[dataset].class_names if dataset in SETS else ())


def trained_model(run: Path, trust_model: bool = False) -> tuple[Model, Arrays]:
    """The model of a run and its state after the last block of training.

    Raises
    ------
    RunFolderError, ValueError
        Nothing was trained; the model is not what the run began with; or it is a Python file, which is not run
        without ``trust_model``.
    """
    if trust_model:
        trust(run)
    model = settings_of(run).make_model()
    pins.refuse_model(run, model)
    found = run_folder.last_checkpoint(run)
    if found is None:
        raise RunFolderError(f"{run}: holds no whole checkpoint; nothing was trained yet, or it was dropped")
    needed = [p.variable for p in anatomy.projections(model)]
    state_checks.refuse(model, model.phases, found[1], needed, f"{run}: the checkpoint of block {found[0]}", UNSOUND)
    return model, {name: array for name, array in found[1].items() if not name.startswith("run.")}


def responses(
    model: Model,
    state: Mapping[str, NDArray[Any]],
    images: NDArray[np.uint8],
    *,
    phase: str,
    seed: int,
    purpose: int,
    scratch: Path,
    device: str = devices.DEFAULT,
    precision: str = "float32",
    jobs: int = 1,
    title: str = "Testing",
    reporter: Reporter | None = None,
    folder: RunFolder | None = None,
) -> dict[str, NDArray[np.uint16]]:
    """Spike counts ``(samples, neurons)`` of the populations that answer, while nothing learns; see `answering`.

    Every block begins with the trained state, so that responses depend neither on the number of processes nor on
    what was shown before the block. With ``folder``, blocks that are there already are not run again.
    """
    reporter = reporter or QuietReporter()
    program = devices.program(frozen_structure(model, phase, precision, device), scratch)
    begin = frozen_state(model, phase, state)
    starts = range(0, len(images), EVALUATION_BLOCK)

    # without a class layer, where a phase has none
    populations = tuple(p for p in answering(model) if p in program.structure.populations)

    def one(index: int) -> dict[str, NDArray[np.uint16]]:
        shown = images[starts[index] : starts[index] + EVALUATION_BLOCK]
        counts = _read(folder, phase, index, populations) if folder else None
        if counts is None:
            inputs = model.all_inputs(phase, shown, np.zeros(len(shown), int))
            block_seed = streams.block_seed(seed, purpose, index)
            answers = presentations.show(program, Block(begin, inputs, model.run_time_values(), block_seed))
            counts = _counts(answers, populations)
            if folder:
                _keep(folder, phase, index, counts)
                folder.sync()
        reporter.advance(len(shown))
        return counts

    reporter.stage(title, len(images))
    workers = jobs if device in devices.COMPILED else 1  # Brian2's runtime is one network a process
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(one, range(len(starts))))
    sizes = {model.controller: 1, **anatomy.populations(model)}
    return {
        population: np.concatenate([np.zeros((0, sizes[population]), np.uint16), *(part[population] for part in parts)])
        for population in populations
    }


def evaluate(
    run: Path,
    reporter: Reporter | None = None,
    dataset: str | None = None,
    data: str | None = None,
    jobs: int = 1,
    test_images: int | None = None,
    trust_model: bool = False,
) -> xr.Dataset:
    """Test a trained run again, on its own images or on another set's test images; nothing is written.

    Parameters
    ----------
    trust_model : bool
        See `trained_model`.

    Returns
    -------
    xarray.Dataset
        As the ``evaluation`` group, with the accuracy by readout, and chance in words as an attribute.

    Raises
    ------
    DatasetError
        The images have another size than those trained on, labels beyond the classes learned, or no labels.
    """
    asked, reporter = settings_of(run), reporter or QuietReporter()
    model, state = trained_model(run, trust_model)
    images = datasets.load(dataset, data or asked.data) if dataset else own_images(run, data)
    with results.open_run(run) as tree:
        labels = results.neuron_label(tree)
        seen = int(tree.attrs["samples_seen"])
        shape = results.image_shape(tree)
    learned = class_names(run)
    fit.refuse_other_set(model, learned, shape, images)
    if learned and images.class_names != learned[: images.classes]:
        reporter.message(f"{images.name}: has classes of other names than those learned, {', '.join(learned)}")
    held_out = dataset is None and asked.evaluate_on == "validation"
    pixels, truth = evaluation_images(asked, images, test_images, "validation" if held_out else "test")
    with run_folder.reading(run) as scratch:
        counts = responses(
            model,
            state,
            pixels,
            phase="test",
            seed=asked.seed,
            purpose=streams.TEST_SPIKES,
            scratch=scratch,
            device=asked.device,
            precision=asked.precision,
            jobs=jobs,
            reporter=reporter,
        )
    for warning in silence.warnings(model, counts, images.classes, "testing"):
        reporter.message(f"{warning}. {silence.advice(model)}")
    predicted = predictions(model, counts, labels)
    found = results.evaluation(
        readout=list(predicted),
        seed=asked.seed,
        samples_seen=[seen],
        neuron_label=labels,
        predicted=list(predicted.values()),
        accuracy=[[accuracy(row, truth) for row in predicted.values()]],
    )
    return found.assign_attrs(chance=chance.in_words(truth))


def evaluation_images(
    asked: RunSettings, images: Dataset, number: int | None = None, evaluate_on: str = ""
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images that accuracy is measured on, and their labels.

    Parameters
    ----------
    asked : RunSettings
        Of the run whose images are held out.
    images : Dataset
    number : int, optional
        As many of them, drawn evenly from the classes; all if not given, or if fewer are held out.
    evaluate_on : {'', 'test', 'validation'}
        As the run was, if empty.

    Raises
    ------
    DatasetError
        There are no such images, no labels, or not as many.
    """
    evaluate_on = evaluate_on or asked.evaluate_on
    if evaluate_on == "validation":
        split = draws.split(images, asked.images, asked.validation, 0, asked.seed)
        pixels, labels, _ = split.tested(images, evaluate_on)
        if number is not None and number < len(labels):
            chosen = draws.even_draw(labels, number, draws.stream(asked.seed, draws.Purpose.TEST_IMAGES))
            pixels, labels = pixels[chosen], labels[chosen]
        return pixels, labels
    fit.refuse_unlabelled(images, "test", "accuracy is measured on them; add them to the file")
    chosen = draws.split(images, 0, test=number, seed=asked.seed).test
    return images.test_images[chosen], images.test_labels[chosen]


def predictions(
    model: Model, counts: Mapping[str, NDArray[np.uint16]], neuron_label: NDArray[np.integer] | None
) -> dict[str, NDArray[np.int16]]:
    """Predicted classes by readout: of the class layer, and of labelled neurons, as far as a model has them."""
    found: dict[str, NDArray[np.int16]] = {}
    if model.readout != model.class_layer and neuron_label is not None:
        found |= {name: read(counts[model.readout], neuron_label) for name, read in READOUTS.items()}
    if model.class_layer:
        found[results.CLASS_LAYER] = class_layer(counts[model.class_layer], strict=model.strict_maximum)
    return found


def readouts(model: Model) -> tuple[str, ...]:
    """Names of a model's readouts, in the order of `predictions`."""
    labelled = tuple(READOUTS) if model.readout != model.class_layer else ()
    return (*labelled, *((results.CLASS_LAYER,) if model.class_layer else ()))


def answering(model: Model) -> tuple[str, ...]:
    """Populations whose spikes are counted for each sample; a controller's are presentations of the sample."""
    return tuple(dict.fromkeys(filter(None, (model.readout, model.class_layer, model.controller))))


def frozen_structure(model: Model, phase: str, precision: str, device: str) -> Structure:
    """The program in which nothing learns. For testing it records every population: it shows rasters as well."""
    record = tuple(anatomy.populations(model)) if phase == "test" else ()
    return Structure(model, phase, precision, device, CAPACITY, record)


def frozen_state(model: Model, phase: str, trained: Mapping[str, NDArray[Any]]) -> Arrays:
    """State at the start of every block of a phase in which nothing learns."""
    handed_on = model.handed_on({k: trained[k] for k in _carried(model) if k in trained})
    return initial_state(model, phase, handed_on)


def structures(asked: RunSettings, model: Model) -> list[Structure]:
    """The programs that a run needs, in the order in which it does."""
    learning = dict.fromkeys(phase for phase, _ in asked.phases(model))
    found = [
        Structure(model, phase, asked.precision, asked.device, CAPACITY, profile=asked.profile) for phase in learning
    ]
    frozen = (*["respond"] * (asked.labels_from == "labelling"), "test")
    return found + [frozen_structure(model, phase, asked.precision, asked.device) for phase in frozen]


def _carried(model: Model) -> list[str]:
    """State that training hands on: weights, delays, and of all layers what the model shows of one."""
    names = dict.fromkeys(variable.name for phase in model.phases for variable in anatomy.state(model, phase))
    shown = [name for name in names if name.partition(".")[2] in model.shown_state]
    return [*(p.variable for p in anatomy.projections(model)), *model.longest_delays(), *shown]


def _counts(answers: presentations.Answers, populations: Iterable[str]) -> dict[str, NDArray[np.uint16]]:
    shown = answers.presentations[:, np.newaxis].astype(np.uint16)
    return {population: answers.counts.get(population, shown) for population in populations}


def _keep(folder: RunFolder, phase: str, index: int, counts: Mapping[str, NDArray[np.uint16]]) -> None:
    for population, array in counts.items():
        folder.write_counts(f"{phase}/{population}", index, array)


def _read(
    folder: RunFolder, phase: str, index: int, populations: Iterable[str]
) -> dict[str, NDArray[np.uint16]] | None:
    found = {population: folder.read_counts(f"{phase}/{population}", index) for population in populations}
    return None if any(array is None for array in found.values()) else found  # type: ignore[return-value]


class _Run:
    """One run under way."""

    def __init__(self, folder: RunFolder, asked: RunSettings, images: Dataset, reporter: Reporter) -> None:
        self.folder, self.asked, self.reporter = folder, asked, reporter
        self.model = asked.make_model()
        self.images = images
        self.split = draws.split(self.images, asked.images, asked.validation, asked.test_images, asked.seed)
        phases = asked.phases(self.model)
        limits.refuse_length(asked, self.model, len(self.split.train))
        taught = {self.model.class_layer} - {self.model.readout}  # a teacher speaks through it: no answer
        self.trained_in = tuple(p for p in answering(self.model) if p not in taught)
        self.blocks: list[NDArray[np.int64]] = []
        self.phase_of: list[str] = []
        self.epochs: list[NDArray[np.int64]] = []
        epoch = 0
        for phase, passes in phases:
            order = np.concatenate([self.split.order(e) for e in range(epoch, epoch + passes)])
            epoch += passes
            parts = [order[k : k + asked.block] for k in range(0, len(order), asked.block)]
            self.blocks += parts
            self.phase_of += [phase] * len(parts)
            epoch_of = np.repeat(np.arange(passes), len(self.split.train))
            self.epochs += [epoch_of[k : k + asked.block] for k in range(0, len(order), asked.block)]
        self.warnings: list[str] = []
        self.order = np.concatenate(self.blocks)
        self.ends = np.cumsum([len(part) for part in self.blocks])

    def remark(self) -> None:
        """Say what is odd about the images, before they are trained on."""
        for text in fit.remarks(self.images, self.split, self._test_images()[1]):
            self.reporter.message(text)

    def go(self) -> None:
        """Pass through all stages."""
        with interruption.stopping_on_signals():
            state, totals = self._train()
            groups: dict[str, Any] = {}
            population, classes = self.model.readout, self.images
            if self.asked.labels_from == "labelling":
                shown = self._labelling_images()
                counts = self._respond(
                    state, classes.train_images[shown], "respond", streams.LABELLING_SPIKES, "Labelling"
                )
                groups["labelling"] = {
                    population: results.responses(
                        counts[population],
                        label=classes.train_labels[shown],
                        image=shown,
                        presentation_ms=self._ms("respond"),
                    )
                }
            images, labels, chosen = self._test_images()
            counts = self._respond(state, images, "test", streams.TEST_SPIKES, "Testing")
            for warning in silence.warnings(self.model, counts, classes.classes, "testing"):
                self._warn(warning)
            groups["test"] = {
                population: results.responses(
                    counts[population],
                    label=labels,
                    image=chosen,
                    presentations=self._presentations(counts),
                    presentation_ms=self._ms("test"),
                )
                for population in counts
                if population != self.model.controller
            }
            frozen = frozen_structure(self.model, "test", self.asked.precision, self.asked.device)
            groups |= recording.record(
                self.model,
                frozen_state(self.model, "test", state),
                images[:3],
                labels[:3],
                self.asked.seed,
                devices.program(frozen, self.folder.scratch),
                self.reporter,
            )
            self._write(totals, len(self.blocks), groups, complete=True)
            self.folder.drop_intermediate()

    # -- training --------------------------------------------------------------------------------------
    def _train(self) -> tuple[Arrays, dict[str, float]]:
        asked, model = self.asked, self.model
        done, state, totals = self._begin()
        if done:
            self._complete(done, state)
        ahead = {*self.phase_of[done:], "respond", "test"}
        for structure in structures(asked, model):  # a refusal after training would lose it
            if structure.phase in ahead:
                interruption.stop_if_asked()
                devices.program(structure, self.folder.scratch)
        means = ClassMeans(anatomy.populations(model)[model.readout], self.images.classes)
        firing = Silence(model, model.readout, self.images.classes)
        blocks = self.blocks
        self.reporter.stage("Training", len(self.order), sum(len(b) for b in blocks[:done]))
        for index in range(done):
            counts = self._counts_of(index)
            firing.add(counts[model.readout])
            self._score(means, index, blocks[index], counts)
        program: Program | None = None
        snapshots = self._snapshot_blocks(len(blocks))
        profile: Counter[str] = Counter()
        in_loop, events_before = 0.0, totals["run.events"]
        for index in range(done, len(blocks)):
            interruption.stop_if_asked()
            shown, phase = blocks[index], self.phase_of[index]
            if program is None or phase != program.structure.phase:
                if index and phase != self.phase_of[index - 1]:
                    state = model.handed_on(state)
                state |= initial_state(model, phase, state)
                structure = Structure(
                    model, phase, asked.precision, asked.device, CAPACITY, profile=asked.profile
                )
                program = devices.program(structure, self.folder.scratch)
            pictures, labels = self.images.train_images[shown], self.images.train_labels[shown]
            answers = presentations.show(
                program,
                Block(
                    state,
                    model.all_inputs(phase, pictures, labels, self.epochs[index]),
                    model.run_time_values(),
                    streams.block_seed(asked.seed, streams.TRAINING_SPIKES, index),
                ),
            )
            state_checks.refuse(model, (phase,), answers.state, (), f"block {index + 1} of training", DIVERGED)
            state = state | answers.state  # what this phase does not know of waits for one that does
            profile.update(answers.profile)
            in_loop += answers.run_seconds
            counts = _counts(answers, self.trained_in)
            totals["run.seconds"] += answers.wall_seconds
            spikes = {p: int(c.sum()) for p, c in counts.items() if p != model.controller}
            spikes["input"] = round(model.input_spikes(phase, pictures, answers.presentations))
            totals["run.events"] += anatomy.synaptic_events(model, phase, spikes)
            _keep(self.folder, "train", index, counts)
            firing.add(counts[model.readout])
            if index == 0 and firing.none:
                said = firing.warning("the first images of training")
                self.reporter.message(f"{said}. {silence.advice(model)}")
            seen = int(self.ends[index])
            if index + 1 in snapshots:
                self._snapshot(seen, state)
            self.folder.write_checkpoint(index + 1, state | {k: np.array([v]) for k, v in totals.items()})
            self.reporter.advance(len(shown), self._score(means, index, shown, counts))
            if self._is_evaluated(index):
                self._evaluate_on_the_way(index, state)
            if index + 1 < len(blocks) and index + 1 in snapshots:
                self._write(totals, index + 1, {}, complete=False)
        self._warn(firing.warning("training"))
        if program is not None and profile:
            images = sum(len(b) for b in blocks[done:])
            self.reporter.message(
                profiling.table(
                    profile,
                    profiling.how_compiled(program),
                    images,
                    totals["run.events"] - events_before,
                    in_loop,
                )
            )
        return state, totals

    def _begin(self) -> tuple[int, Arrays, dict[str, float]]:
        found = resumption.checkpoint(self.folder.path, self._needed(), self.reporter.message)
        if found is None:
            state = self._initial_state()
            self._snapshot(0, state)
            return 0, state, dict.fromkeys(TOTALS, 0.0)
        done, arrays = found
        phase = self.phase_of[min(done, len(self.blocks)) - 1]
        needed = [*TOTALS, *(v.name for v in anatomy.state(self.model, phase))]
        where = f"{self.folder.path}: the checkpoint of block {done}"
        state_checks.refuse(self.model, self.model.phases, arrays, needed, where, UNSOUND)
        totals = {k: float(arrays.pop(k)[0]) for k in TOTALS}
        return done, arrays, totals

    def _initial_state(self) -> Arrays:
        given: Mapping[str, NDArray[Any]]
        given = self.model.initial_state(streams.generator(self.asked.seed, streams.INITIAL_WEIGHTS))
        if self.asked.warm_start:
            other = Path(self.asked.warm_start)
            trained = trained_model(other)[1]
            pins.refuse_state(self.folder.path, pins.of_state(trained, other))
            given = {k: trained[k] for k in _carried(self.model) if k in trained} | self._anew(given)
        if self.phase_of[0] in self.model.anew:
            given = self.model.handed_on(dict(given))  # the layers below are as they are in testing
        return dict(given) | initial_state(self.model, self.phase_of[0], given)

    def _needed(self) -> dict[Path, int]:
        """Files that later blocks and the results are made of: the first checkpoint that cannot make up for each."""
        kept, needed = self._snapshot_blocks(len(self.blocks)), {}
        for index, end in enumerate(map(int, self.ends)):
            for population in self.trained_in:
                needed[self.folder.counts_file(f"train/{population}", index)] = index + 1
            # a block's own checkpoint holds what these are made of
            if index + 1 in kept:
                needed[self.folder.snapshot_file(end)] = index + 2
            if self._is_evaluated(index):
                needed[self.folder.accuracies_file(end)] = index + 2
        return needed

    def _complete(self, done: int, state: Arrays) -> None:
        """Make what can be made of a checkpoint, or of the beginning, and is not there or not whole."""
        seen = int(self.ends[done - 1])
        def is_whole(file: Path) -> bool:
            return resumption.is_whole(self.folder.path, file)

        if not is_whole(self.folder.snapshot_file(0)):
            self._snapshot(0, self._initial_state())
        if done in self._snapshot_blocks(len(self.blocks)) and not is_whole(self.folder.snapshot_file(seen)):
            self._snapshot(seen, state)
        if self._is_evaluated(done - 1) and not is_whole(self.folder.accuracies_file(seen)):
            self._evaluate_on_the_way(done - 1, state)

    def _anew(self, drawn: Arrays) -> Arrays:
        """Weights that the first phase learns from the beginning, though it builds on another run."""
        return {k: drawn[k] for k in self.model.anew.get(self.phase_of[0], ())}

    def _counts_of(self, index: int) -> dict[str, NDArray[np.uint16]]:
        counts = _read(self.folder, "train", index, self.trained_in)
        if counts is None:
            raise RunFolderError(
                f"{self.folder.path}: the responses of block {index} went missing while the run was under way;"
                f" `hebbarium resume {self.folder.path}` goes back to where they can be computed"
            )
        return counts

    def _score(
        self, means: ClassMeans, index: int, shown: NDArray[np.int64], counts: Mapping[str, NDArray[np.uint16]]
    ) -> str:
        """Accuracy on a block with labels from earlier blocks only, then take the block into the labels."""
        truth = self.images.train_labels[shown]
        answers = counts[self.model.readout]
        if self.model.readout == self.model.class_layer:
            if self.model.teacher_fires:
                return ""  # what it says while it is taught is the label
            answered = class_layer(answers, strict=self.model.strict_maximum)
            return f"running accuracy {accuracy(answered, truth):.1f} %"
        known = means.labels()
        means.add(answers, truth)
        if index == 0:
            return ""
        return f"running accuracy {accuracy(READOUTS[results.MOST_ACTIVE](answers, known), truth):.1f} %"

    def _presentations(self, counts: Mapping[str, NDArray[np.uint16]]) -> NDArray[np.uint16] | None:
        return counts[self.model.controller][:, 0] if self.model.controller else None

    def _snapshot_blocks(self, blocks: int) -> set[int]:
        """Blocks after which weights are kept: dense at the beginning, where they change most, and the last."""
        if self.asked.snapshots == 1 or blocks == 1:
            return {blocks}
        return {int(b) for b in np.unique(np.rint(np.geomspace(1, blocks, self.asked.snapshots)))}

    def _snapshot(self, seen: int, state: Arrays) -> None:
        arrays = {p.name: state[p.variable].astype(np.float32) for p in anatomy.projections(self.model)}
        for name, (population, _) in self.model.shown_state.items():
            if f"{population}.{name}" in state:
                arrays[f"{population}.{name}"] = state[f"{population}.{name}"].astype(np.float64)
        self.folder.write_snapshot(seen, arrays)

    # -- accuracy while training goes on ---------------------------------------------------------------
    def _is_evaluated(self, index: int) -> bool:
        """Whether accuracy is measured after a block; after the last one it is, on all images."""
        every, before = self.asked.evaluate_every, self.ends[index] - len(self.blocks[index])
        return every is not None and index + 1 < len(self.blocks) and self.ends[index] // every != before // every

    def _evaluate_on_the_way(self, index: int, state: Arrays) -> None:
        images, labels, _ = self._test_images()
        chosen = draws.even_draw(
            labels, min(self.asked.evaluate_images, len(labels)), streams.generator(self.asked.seed, streams.DRAW, 1)
        )
        counts = responses(
            self.model,
            state,
            images[chosen],
            phase="test",
            seed=self.asked.seed,
            purpose=streams.TEST_SPIKES,
            scratch=self.folder.scratch,
            device=self.asked.device,
            precision=self.asked.precision,
            jobs=self.asked.jobs,
        )
        labelled = self.model.readout != self.model.class_layer
        found = predictions(self.model, counts, self._labels_so_far(index) if labelled else None)
        self.folder.write_accuracies(
            int(self.ends[index]), {name: accuracy(predicted, labels[chosen]) for name, predicted in found.items()}
        )

    def _labels_so_far(self, index: int) -> NDArray[np.int16]:
        """Labels by the last response to each image that was shown, as far as it was shown within one pass."""
        means = ClassMeans(anatomy.populations(self.model)[self.model.readout], self.images.classes)
        missing = len(self.split.train)
        for k in range(index, -1, -1):
            counts, shown = self._counts_of(k)[self.model.readout], self.blocks[k]
            means.add(counts[-missing:], self.images.train_labels[shown][-missing:])
            missing -= len(shown)
            if missing <= 0:
                break
        return means.labels()

    # -- the other stages ------------------------------------------------------------------------------
    def _respond(
        self, state: Arrays, images: NDArray[np.uint8], phase: str, purpose: int, title: str
    ) -> dict[str, NDArray[np.uint16]]:
        a = self.asked
        return responses(
            self.model,
            state,
            images,
            phase=phase,
            seed=a.seed,
            purpose=purpose,
            scratch=self.folder.scratch,
            device=a.device,
            precision=a.precision,
            jobs=a.jobs,
            title=title,
            reporter=self.reporter,
            folder=self.folder,
        )

    def _labelling_images(self) -> NDArray[np.int64]:
        seen = np.unique(self.split.train)
        wanted = self.asked.labelling_images
        if wanted is None or wanted >= len(seen):
            return seen
        drawn = draws.even_draw(
            self.images.train_labels[seen], wanted, streams.generator(self.asked.seed, streams.DRAW)
        )
        return seen[drawn]

    def _test_images(self) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.int64]]:
        return self.split.tested(self.images, self.asked.evaluate_on)

    def _warn(self, warning: str) -> None:
        """Say at once, and in the results, that hardly anything fires."""
        if warning:
            self.reporter.message(warning)
            self.warnings.append(warning)

    def _ms(self, phase: str) -> float:
        return self.model.sample_steps(phase) * anatomy.time_step(self.model) * 1e3

    # -- results ---------------------------------------------------------------------------------------
    def _write(self, totals: dict[str, float], done: int, groups: dict[str, Any], complete: bool) -> None:
        population = self.model.readout
        blocks, seen = self.blocks[:done], int(self.ends[done - 1])
        parts = [self._counts_of(k) for k in range(done)]
        activity = {p: np.concatenate([part[p] for part in parts]) for p in self.trained_in}
        shown = self.order[:seen]
        kept = self.folder.snapshots(seen)
        tree = results.build(
            self._attributes(totals, seen, complete),
            activity={
                population: results.responses(
                    activity[population],
                    label=self.images.train_labels[shown],
                    image=shown,
                    presentations=self._presentations(activity),
                    block=np.repeat(np.arange(len(blocks)), [len(b) for b in blocks]),
                    presentation_ms=self._ms("train"),
                )
            },
            weights={
                p.name: results.weight_snapshots(
                    np.stack([a[p.name].reshape(p.shape) for a in kept.values()]), samples_seen=list(kept)
                )
                for p in anatomy.projections(self.model)
            },
            state=dict(self._shown_state(kept)),
            **groups,
        )
        labels_from = self.asked.labels_from if complete or self.asked.labels_from != "labelling" else "all"
        tree["evaluation"] = xr.DataTree(
            evaluate_tree(
                tree,
                labels_from=labels_from,
                class_population=self.model.class_layer or results.CLASSES,
                strict_maximum=self.model.strict_maximum,
                teacher_fires=self.model.teacher_fires,
                earlier=self.folder.accuracies(seen - 1),
            )
        )
        if self.warnings:
            tree["evaluation"].attrs["warning"] = f"{'; '.join(self.warnings)}. {silence.advice(self.model)}"
        try:
            results.write(tree, self.folder.path)
        except FileNotWritten as error:
            raise run_folder.unwritten(results.file_of(self.folder.path), error, self.folder.path) from error

    def _shown_state(self, kept: dict[int, Arrays]) -> Iterator[tuple[str, xr.Dataset]]:
        for name, (population, unit) in self.model.shown_state.items():
            full = f"{population}.{name}"
            if all(full in a for a in kept.values()):
                values = np.stack([a[full] for a in kept.values()]) / float(unit)
                shown = {name: (values, str(unit), f"{name} of {population} neurons")}
                yield population, results.state_snapshots(samples_seen=list(kept), **shown)

    def _attributes(self, totals: dict[str, float], seen: int, complete: bool) -> dict[str, Any]:
        asked, table = self.asked, self.model.parameters()
        shown = {s: row.show(getattr(self.model, s)) for s, row in table.items()}
        stored = self.folder.configuration
        return results.root_attributes(
            model=self.model.name,
            paper=self.model.paper,
            seed=asked.seed,
            samples_seen=seen,
            device=asked.device,
            precision=asked.precision,
            parameters=shown,
            options=asked.record(),
            versions=_versions(),
            git_commit=stored["code"]["commit"],
            git_dirty=stored["code"]["dirty"],
            dataset=self.images.name,
            dataset_sha256=self.images.sha256,
            class_names=self.images.class_names,
            image_shape=self.images.shape,
            wall_time_s=totals["run.seconds"],
            synaptic_events=int(totals["run.events"]),
            command=stored["command"],
            run=self.folder.begun,
            complete=complete,
        )


def _versions() -> dict[str, str]:
    names = ("brian2", "numpy", "xarray", "hebbarium")
    found = {n: metadata.version(n) for n in names if _installed(n)}
    return {"python": platform.python_version(), **found}


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
