"""A block's samples, each shown until it is over.

A program runs as many presentations as it is given samples. Where a controller shows samples again, fewer are over
by then: the rest are given to the program once more, and so on. Whether a sample is shown again, and how, is
decided inside the program; state goes from one run to the next, also in the middle of a sample.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import Arrays, Block, BlockResult, DeclaredMeasure, Program, Structure, Watched
from hebbarium.files.errors import BlockFailed

MOST = 1000
"""Presentations of one sample after which a controller is taken for broken."""


@dataclass(frozen=True)
class Answers:
    """What came of a block.

    Parameters
    ----------
    state : dict of arrays
        After the last presentation.
    counts : dict
        Population to spikes ``(samples, neurons)`` of each sample's last presentation.
    values : dict
        Key of a measure to what was read, ``(samples, neurons)``, of the same presentation.
    presentations : (samples,)
        How often each sample was shown.
    run_seconds, wall_seconds : float
        Seconds in the programs' main loops, and altogether.
    profile : dict
        Seconds of each operation, if they were asked for.
    recorded : dict of arrays
        Variable by what was recorded, ``(presentations, steps, elements)``; times are counted from the beginning of
        their presentation, samples from that of the block.
    """

    state: Arrays
    counts: dict[str, NDArray[np.uint16]]
    values: dict[str, NDArray[Any]]
    presentations: NDArray[np.int64]
    run_seconds: float
    wall_seconds: float
    profile: Counter[str]
    recorded: dict[Watched, NDArray[np.floating]]


def show(program: Program, block: Block, recorded: tuple[int, int] = (0, 0)) -> Answers:
    """Run a block until each of its samples is over.

    Parameters
    ----------
    program : Program
    block : Block
    recorded : tuple of int
        What a program that records keeps: the first presentation, and the one after the last.

    Raises
    ------
    BlockFailed
        As `Program.run` says; or a sample never ends.
    """
    structure = program.structure
    sizes = anatomy.populations(structure.model)
    slots = structure.slots
    # of other populations than those that are read, samples side by side do not say whose spikes are whose
    read = structure.populations if slots.beside == 1 else [measure.population for measure in structure.measures]
    kept = [population for population in dict.fromkeys(read) if population in sizes]
    besides = [measure for measure in structure.measures if measure.key != measure.population]
    counts: dict[str, list[NDArray[np.uint16]]] = {population: [] for population in kept}
    values: dict[str, list[NDArray[Any]]] = {measure.key: [] for measure in besides}
    presentations: list[NDArray[np.int64]] = []
    courses: dict[Watched, list[NDArray[np.floating]]] = {one: [] for one in structure.recorded}
    run_before = 0
    state, profile = dict(block.state), Counter[str]()
    run_seconds = wall_seconds = 0.0
    done = part = under_way = 0
    while done < block.samples:
        seed = block.seed if part == 0 else _seed(block.seed, part)
        waiting = {name: array[done:] for name, array in block.inputs.items()}
        shown = block.samples - done
        presented = slots.presentations(shown)
        first, last = (min(max(number - run_before, 0), presented) for number in recorded)
        steps = structure.sample_steps
        result = program.run(Block(state, waiting, block.values, seed, (first * steps, last * steps)))
        for one, course in result.recorded.items():
            by_presentation = course.reshape(last - first, steps, len(one.elements))
            courses[one].append(_from_its_beginning(structure, one, by_presentation, first, done))
        run_before += presented

        def by_sample(
            read: NDArray[Any], shown: int = shown, ended: NDArray[np.int64] = result.ended
        ) -> NDArray[Any]:
            return read[ended] if slots.plain else slots.answered(read, shown)

        for population in kept:
            spikes = result.spikes[population].counts(presented, structure.sample_steps, sizes[population])
            counts[population].append(by_sample(spikes))
        for measure in besides:
            values[measure.key].append(by_sample(_read(measure, structure, result, presented)))
        presentations.append(np.diff(result.ended, prepend=-1 - under_way))
        under_way = shown - 1 - int(result.ended[-1]) if len(result.ended) else under_way + shown
        if under_way > MOST:
            raise BlockFailed(
                f"model {structure.model.name}: sample {done + len(result.ended)} of a block was shown {under_way}"
                f" times and is not over; its controller '{structure.model.controller}' never spikes"
            )
        state, done, part = result.state, done + len(result.ended), part + 1
        run_seconds += result.run_seconds
        wall_seconds += result.wall_seconds
        profile.update(result.profile)
    return Answers(
        state,
        {population: np.concatenate(parts) for population, parts in counts.items()},
        {key: np.concatenate(parts) for key, parts in values.items()},
        np.concatenate(presentations),
        run_seconds,
        wall_seconds,
        profile,
        {one: np.concatenate(parts) for one, parts in courses.items()},
    )


def _from_its_beginning(
    structure: Structure, recorded: Watched, course: NDArray[np.floating], first: int, done: int
) -> NDArray[np.floating]:
    """What was recorded of the presentations from ``first`` on, with times and samples counted as `Answers` says."""
    variables = {variable.name: variable for variable in anatomy.state(structure.model, structure.phase)}
    known = variables.get(recorded.variable)
    if known is not None and known.is_time:
        length = structure.sample_steps * anatomy.time_step(structure.model)
        return course - (first + np.arange(len(course)))[:, np.newaxis, np.newaxis] * length
    return course + done if known is not None and known.is_cursor else course


def _read(measure: DeclaredMeasure, structure: Structure, result: BlockResult, presented: int) -> NDArray[Any]:
    """What a measure reads of each presentation."""
    if measure.variable:
        return result.values[measure.key]
    model, spikes = structure.model, result.spikes[measure.population]
    neurons = anatomy.populations(model)[measure.population]
    return measure.of_spikes(spikes, presented, structure.sample_steps, neurons, anatomy.time_step(model))


def _seed(seed: int, part: int) -> int:
    return int(np.random.SeedSequence([seed, part]).generate_state(1, np.uint32)[0])
