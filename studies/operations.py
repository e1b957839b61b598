"""Operations of a trained network: its samples are shown once more, every spike recorded, and what they cost counted.

``hebbarium operations RUN...`` puts several runs, of any models, into one table. What a spike costs is read off the
network (`hebbarium.studies.work`); what energies assume stands in `hebbarium.ledger.operations.COSTS`.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, presentations, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, BlockResult, Program, Structure
from hebbarium.equations.counting import Operations
from hebbarium.files.errors import BlockFailed
from hebbarium.ledger import operations as ledger
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.operations import SampleCost
from hebbarium.models.contract import Model
from hebbarium.models.operations import PROCESSES, Shown
from hebbarium.record import results
from hebbarium.studies import identity, work
from hebbarium.training.responses import frozen_state
from hebbarium.training.run import Run
from hebbarium.training.run_settings import CAPACITY

__all__ = ["IMAGES", "Tally", "connections", "in_testing", "measure", "presented", "tally", "until"]

IMAGES = 200
"""Images of each phase, unless asked otherwise: synaptic events are then known to a few per cent."""


@dataclass
class Tally:
    """What was counted of a phase, over all its samples.

    Parameters
    ----------
    counts : dict of Operations
        By process.
    skipped : list of float
        Part of the weights that each sample leaves alone, where a model says so.
    """

    samples: int = 0
    presentations: int = 0
    synaptic_events: float = 0
    spikes: Counter[str] = field(default_factory=Counter)
    counts: dict[str, Operations] = field(default_factory=lambda: dict.fromkeys(PROCESSES, Operations()))
    skipped: list[float] = field(default_factory=list)


def tally(model: Model, phase: str, learns: bool, samples: Iterator[list[Shown]]) -> Tally:
    """Count the operations of samples, or of batches of them, each given by its presentations."""
    total, populations = Tally(), anatomy.of(model, phase).populations
    for sample in samples:
        total.samples += sample[-1].samples
        for one in sample:
            total.presentations += one.samples
            total.spikes.update({name: one.count(name) for name in populations})
            for part in work.of(model, phase, one):
                total.counts[part.process] += part.operations()
                total.synaptic_events += part.times * part.synaptic
        skipped = model.skipped(sample[-1]) if learns else None
        if skipped is not None:
            total.skipped.append(skipped)
    return total


def presented(
    program: Program, state: Mapping[str, NDArray[Any]], inputs: Arrays, seed: int
) -> Iterator[list[Shown]]:
    """Show samples one after the other, one presentation at a time, and give what each was, with all spikes.

    Samples of a batch, if the phase has batches, are shown together, with all presentations that the batch needs.
    """
    structure = program.structure
    model, slots, number = structure.model, structure.slots, 0
    samples = len(next(iter(inputs.values())))
    for start in range(0, samples, slots.batch):
        batch = slice(start, min(start + slots.batch, samples))
        together = batch.stop - batch.start
        needed = slots.presentations(together)
        parts: list[Shown] = []
        over = False
        while not over:
            given = {name: values[batch] for name, values in inputs.items()}
            block_seed = streams.block_seed(seed, streams.COUNTED_SPIKES, number)
            result: BlockResult = program.run(Block(state, given, model.run_time_values(), block_seed))
            spikes = {name: (s.step, s.neuron) for name, s in result.spikes.items()}
            parts.append(Shown(needed * structure.sample_steps, spikes, result.state, needed, together))
            state, number, over = result.state, number + 1, len(result.ended) > 0
            if len(parts) > presentations.MOST:
                raise BlockFailed(f"model {model.name}: a sample was shown {len(parts)} times and is not over")
        yield parts


def connections(model: Model) -> tuple[int, ...]:
    """Connections of a conventional network of a model's layers, layer by layer."""
    declared = model.connections()
    return tuple(math.prod(p.shape) for p in anatomy.projections(model)) if declared is None else declared


def until(shown: Shown, steps: int) -> Shown:
    """The first steps of one presentation."""
    spikes = {name: (step[step < steps], neuron[step < steps]) for name, (step, neuron) in shown.spikes.items()}
    return dataclasses.replace(shown, steps=steps, spikes=spikes)


def in_testing(run: Run, images: int = IMAGES) -> list[list[Shown]]:
    """Presentations of test images, drawn evenly from the classes, each with all spikes, to a run's trained network."""
    model, settings = run.model, run.settings
    samples = run.samples("tested", min(images, run.division.number_tested))
    structure = Structure(
        model, "test", settings.precision, settings.device, CAPACITY, work.recorded(model, "test")
    )
    with run.scratch() as scratch:
        program = devices.program(structure, scratch)
        begin, inputs = frozen_state(model, "test", run.state), model.all_inputs("test", samples.pixels, samples.labels)
        return list(presented(program, begin, inputs, settings.seed))


def measure(
    run: Path, *, images: int = IMAGES, data: str | None = None, picojoules: Mapping[str, float] | None = None
) -> list[SampleCost]:
    """What a sample costs a trained network in each phase of its training, and in testing.

    A phase begins with the trained network, shows it images and forgets what it learns from them. Training
    images are the first of the last pass; test images, or validation images if the run was tested on these, are drawn
    evenly from the classes.

    Parameters
    ----------
    run : Path
    images : int
        Images of each phase; whole batches of those that come in batches.
    data : str, optional
        Folder of the data sets; the run's if not given.
    picojoules : mapping, optional
        By kind of operation; `hebbarium.ledger.operations.COSTS` if not given.

    Raises
    ------
    ValueError
        The run is not complete, or a string of its model cannot be counted; or batches would not be whole.
    """
    opened = Run.open(run, data=data)
    settings = opened.settings
    if not opened.is_complete:
        raise ValueError(f"{run}: is not complete; go on with `hebbarium resume {run}`")
    model, state = opened.model, opened.state
    for phase, _ in settings.phases(model):
        if images % (batch := model.slots(phase).batch):
            raise ValueError(f"--images {images}: expected whole batches of {model.name}, of {batch} samples each")
    last = settings.epochs - 1
    trained = opened.samples("train", images, epoch=last)
    phases = {phase: trained for phase, _ in settings.phases(model)}
    phases["test"] = opened.samples("tested", min(images, opened.division.number_tested))
    network, accuracy = identity.of_run(opened), _accuracy(opened)
    costs = []
    with opened.scratch() as scratch:
        for phase, samples in phases.items():
            learns = phase != ledger.TEST
            program = devices.program(
                Structure(model, phase, settings.precision, settings.device, CAPACITY, work.recorded(model, phase)),
                scratch,
            )
            begin = (initial_state if learns else frozen_state)(model, phase, state)
            inputs = model.all_inputs(phase, samples.pixels, samples.labels, np.full(len(samples), last))
            counted = tally(model, phase, learns, presented(program, begin, inputs, settings.seed))
            costs.append(_cost(network, accuracy, model, phase, counted, picojoules or ledger.costs()))
    return costs


def _accuracy(run: Run) -> tuple[float, int]:
    """Per cent, and of how many samples."""
    with run.results() as tree:
        evaluation = tree[results.EVALUATION].to_dataset()
        readouts = run.model.readouts  # the layer that stands for the classes, where there is one
        readout = next((r.name for r in readouts if not r.labelled), readouts[0].name)
        accuracy = evaluation["accuracy"].isel(seed=0, samples_seen=-1).sel(readout=readout)
        return float(accuracy), run.division.number_tested


def _cost(
    network: TrainedNetwork, accuracy: tuple[float, int], model: Model, phase: str, counted: Tally,
    picojoules: Mapping[str, float],
) -> SampleCost:  # fmt: skip
    learns, n = phase != ledger.TEST, counted.samples
    sizes = anatomy.populations(model)
    skipped = counted.skipped
    return SampleCost(
        network,
        *accuracy,
        phase=phase,
        images=n,
        presentations=counted.presentations / n,
        synaptic_events=counted.synaptic_events / n,
        spikes={name: number / n / sizes[name] for name, number in counted.spikes.items()},
        counts={
            process: {kind: getattr(done, kind) / n for kind in ledger.KINDS}
            for process, done in counted.counts.items()
        },
        conventional=ledger.conventional(connections(model), learns),
        skipped=100 * float(np.mean(skipped)) if skipped else None,
        idle=100 * float(np.mean(np.array(skipped) == 1)) if skipped else None,
        picojoules=picojoules,
    )
