"""What a network answers: read off blocks, kept in a run's folder, and asked of a network in which nothing learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.analysis.readouts import decoded
from hebbarium.engine import anatomy, devices, presentations, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.engine.run_folder import KeptRun, RunFolder
from hebbarium.models.contract import Model
from hebbarium.models.readouts import Measure, Readout
from hebbarium.training.progress import QuietReporter, Reporter
from hebbarium.training.run_settings import CAPACITY

Labels = NDArray[np.integer]
EVALUATION_BLOCK = 250
"""Samples of a block when nothing learns: fixed, so that responses do not depend on how many processes there are."""

Responses = dict[str, NDArray[Any]]
"""``(samples, neurons)`` by the key of a measure; spike counts by population, presentations by the controller."""


# -- what answers, and how -----------------------------------------------------------------------------------
def keys(model: Model, learns: bool) -> tuple[str, ...]:
    """What is kept of each sample: spike counts of populations that are read, what else is read, presentations."""
    measures = [measure for measure in model.measures(learns) if not (learns and measure.is_computed)]
    populations = (measure.population for measure in measures)
    return tuple(filter(None, dict.fromkeys([*populations, *(measure.key for measure in measures), model.controller])))


def readouts(model: Model) -> tuple[str, ...]:
    """Names of a model's readouts, in the order of `predictions`."""
    return tuple(readout.name for readout in model.readouts)


def read_by(readout: Readout, responses: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What a readout reads, by name."""
    return {measure.name: responses[measure.key] for measure in readout.measures}


def predictions(
    model: Model,
    responses: Mapping[str, NDArray[Any]],
    neuron_label: NDArray[np.integer] | None,
    truth: NDArray[np.integer] | None = None,
) -> dict[str, NDArray[np.int16]]:
    """Predicted classes by readout; without labels of neurons, of those that need none.

    ``truth``, the classes of the images, is for measuring accuracies: lenient readouts take a tie for right by it.
    """
    return {
        readout.name: decoded(readout, read_by(readout, responses), neuron_label, truth)
        for readout in model.readouts
        if neuron_label is not None or not readout.labelled
    }


# -- of a block ----------------------------------------------------------------------------------------------
def of_block(answers: presentations.Answers, wanted: Iterable[str]) -> Responses:
    """What came of a block, by key; a controller's are the presentations of each sample."""
    presented = answers.presentations[:, np.newaxis].astype(np.uint16)
    read = {**answers.counts, **answers.values}
    return {key: read.get(key, presented) for key in wanted}


def synaptic_events(
    model: Model, phase: str, pixels: NDArray[np.uint8], counts: Mapping[str, NDArray[Any]]
) -> int:
    """Events at synapses in a block of training, from its responses; those of inputs by their expectation.

    Parameters
    ----------
    pixels : (samples, pixels)
        What was shown.
    counts : mapping
        Responses by key.
    """
    if model.controller:
        presentations = counts[model.controller][:, 0].astype(np.int64)
    else:
        presentations = np.ones(len(pixels), np.int64)
    spikes = {p: int(counts[p].sum()) for p in anatomy.populations(model) if p in counts}
    spikes["input"] = round(model.input_spikes(phase, pixels, presentations))
    return anatomy.synaptic_events(model, phase, spikes)


def keep(folder: RunFolder, stage: str, index: int, responses: Mapping[str, NDArray[Any]]) -> None:
    """Keep a block's responses in a run's folder."""
    for key, array in responses.items():
        folder.write_responses(f"{stage}/{key}", index, array)


def kept(folder: KeptRun, stage: str, index: int, wanted: Iterable[str]) -> Responses | None:
    """A block's responses as they were kept; None unless all are there and whole."""
    responses: Responses = {}
    for key in wanted:
        array = folder.read_responses(f"{stage}/{key}", index)
        if array is None:
            return None
        responses[key] = array
    return responses


def _by_programs(model: Model, learns: bool) -> tuple[Measure, ...]:
    """Measures that programs read: all but what the model computes itself."""
    return tuple(measure for measure in model.measures(learns) if not measure.is_computed)


# -- of a network in which nothing learns --------------------------------------------------------------------
def frozen_structure(model: Model, phase: str, precision: str, device: str) -> Structure:
    """The program in which nothing learns. For testing it records what rasters show as well, and what is read."""
    measured = _by_programs(model, learns=False)
    rastered = anatomy.populations(model) if model.rastered is None else model.rastered
    record = dict.fromkeys([*rastered, *(measure.population for measure in measured)]) if phase == "test" else ()
    structure = Structure(model, phase, precision, device, CAPACITY, tuple(record))
    # a phase may be without a class layer
    read = [measure for measure in measured if measure.population in structure.populations]
    return dataclasses.replace(structure, measures=tuple(read))


def learning_structure(model: Model, phase: str, precision: str, device: str, profile: bool = False) -> Structure:
    """The program of a phase in which something learns."""
    measures = _by_programs(model, learns=True)
    record = dict.fromkeys(m.population for m in measures if m.population != model.readout)
    return Structure(model, phase, precision, device, CAPACITY, tuple(record), profile, measures)


def frozen_state(model: Model, phase: str, trained: Mapping[str, NDArray[Any]]) -> Arrays:
    """State at the start of every block of a phase in which nothing learns."""
    handed_on = model.handed_on({k: trained[k] for k in carried(model) if k in trained})
    return initial_state(model, phase, handed_on)


def carried(model: Model) -> list[str]:
    """State that training hands on: weights, delays, what the model shows of its neurons, and what is given."""
    names = dict.fromkeys(variable.name for phase in model.phases for variable in anatomy.state(model, phase))
    on_show = [name for name in names if model.shows(name)]
    weights = [p.variable for p in anatomy.projections(model)]
    given = anatomy.given(model, "test") if "test" in model.phases else ()
    return list(dict.fromkeys([*weights, *model.longest_delays(), *on_show, *given]))


def together(model: Model, wanted: Iterable[str], parts: Sequence[Responses]) -> Responses:
    """Responses of several blocks as one; of none, arrays without samples."""
    neurons = {key: 1 if key == model.controller else anatomy.shown_to(model, key.partition(".")[0]) for key in wanted}
    return {
        key: np.concatenate([np.zeros((0, number), np.uint16), *(part[key] for part in parts)])
        for key, number in neurons.items()
    }


def respond(
    model: Model,
    state: Mapping[str, NDArray[Any]],
    given: NDArray[np.uint8] | Mapping[str, NDArray[Any]],
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
) -> Responses:
    """What the populations that are read answer while nothing learns; see `keys`.

    Every block begins with the trained state, so that responses depend neither on the number of processes nor on
    what came before the block. With ``folder``, blocks that are there already are not run again.

    Parameters
    ----------
    given : (samples, pixels) or mapping
        Images; or inputs of the network, ``(samples, ...)`` by name, as `Model.all_inputs` gives them.
    """
    reporter = reporter or QuietReporter()
    program = devices.program(frozen_structure(model, phase, precision, device), scratch)
    begin = frozen_state(model, phase, state)
    samples = len(next(iter(given.values())) if isinstance(given, Mapping) else given)
    starts = range(0, samples, EVALUATION_BLOCK)
    structure = program.structure
    computed = {measure.key for measure in model.measures(False) if measure.is_computed}
    available = {*structure.populations, *(measure.key for measure in structure.measures), *computed}
    names = tuple(key for key in keys(model, False) if key in available)

    def inputs(part: slice) -> Arrays:
        if isinstance(given, Mapping):
            return {name: array[part] for name, array in given.items()}
        images = given[part]
        return model.all_inputs(phase, images, np.zeros(len(images), int))

    def one(index: int) -> Responses:
        part = slice(starts[index], min(starts[index] + EVALUATION_BLOCK, samples))
        responses = kept(folder, phase, index, names) if folder else None
        if responses is None:
            block_seed = streams.block_seed(seed, purpose, index)
            shown = inputs(part)
            block = Block(begin, shown, model.run_time_values(), block_seed)
            responses = of_block(presentations.show(program, block), [key for key in names if key not in computed])
            if computed:
                responses |= model.computed(shown)
            if folder:
                keep(folder, phase, index, responses)
                folder.sync()
        reporter.advance(part.stop - part.start)
        return responses

    reporter.stage(title, samples)
    workers = jobs if device in devices.COMPILED else 1  # Brian2's runtime is one network a process
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(one, range(len(starts))))
    return together(model, names, parts)
