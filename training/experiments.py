"""Experiments with a network: arrays in, named measures with units out. Classification of images is one.

An experiment says what a network is given and what comes of its answers. `perform` does it with a trained network, in
which nothing learns meanwhile; `observe` with a network as its model builds it, whose state goes on from sample to
sample: a current into a neuron, or a synapse that learns. What is measured becomes rows of a paper's ledger, whatever
the unit, if the paper lists it (`hebbarium.studies.reproduction.Paper`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from hebbarium.analysis.accuracy import accuracy
from hebbarium.engine import anatomy, devices, presentations, streams
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.models.contract import Model
from hebbarium.training import responses
from hebbarium.training.progress import Reporter
from hebbarium.training.responses import Responses
from hebbarium.training.run import Run
from hebbarium.training.samples import Samples

__all__ = ["BLOCK", "Classification", "Experiment", "Measured", "Observation", "observe", "perform"]

BLOCK = 10_000
"""Samples of a block where the state goes on from sample to sample."""


@dataclass(frozen=True)
class Measured:
    """A number with its unit, ``%`` or ``Hz`` or empty.

    Parameters
    ----------
    value : float
    unit : str
    readout : str
        What gave it: a readout or a population, if one did.
    measure : str
        What the ledger calls it, where one experiment measures the same of several things.
    setting : str
        Which of these, as the ledger writes it: ``stimulus=step(5*mV/ms)``.
    paper : float, optional
        What the paper prints for it.
    """

    value: float
    unit: str
    readout: str = ""
    measure: str = ""
    setting: str = ""
    paper: float | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """What came of an experiment.

    Parameters
    ----------
    inputs : dict
        What the network was given, ``(samples, ...)`` by name.
    answers : dict
        What was read, ``(samples, neurons)``; see `hebbarium.training.responses.keys`.
    state : dict
        Of the network, afterwards.
    seconds : float
        That the program's steps took.
    """

    inputs: Arrays
    answers: Responses
    state: Arrays = field(default_factory=dict)
    seconds: float = 0.0


class Experiment(Protocol):
    """What is done with a network, and what is measured."""

    def inputs(self, model: Model, seed: int) -> Arrays:
        """What the network is given: an array ``(samples, ...)`` for each of its inputs.

        Parameters
        ----------
        model : Model
        seed : int
            Of the run, for what is drawn at random.
        """
        ...

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """What came of it, by name."""
        ...


@dataclass(frozen=True, eq=False)
class Classification:
    """Images are shown, and the readouts name their classes: ``accuracy`` of each readout, in per cent.

    Parameters
    ----------
    samples : Samples
    neuron_label : array, optional
        Classes of labelled neurons.
    """

    samples: Samples
    neuron_label: responses.Labels | None = None

    def inputs(self, model: Model, seed: int) -> Arrays:
        """See `Experiment.inputs`."""
        return model.all_inputs("test", self.samples.pixels, self.samples.labels)

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """See `Experiment.measures`."""
        predicted = responses.predictions(model, observed.answers, self.neuron_label, self.samples.labels)
        return {
            f"accuracy by {name}": Measured(accuracy(classes, self.samples.labels), "%", name)
            for name, classes in predicted.items()
        }


def perform(
    experiment: Experiment, run: Run, jobs: int = 1, reporter: Reporter | None = None, title: str = "Experiment"
) -> Mapping[str, Measured]:
    """Do an experiment with a run's trained network, in its phase ``test``; nothing is written."""
    model, settings = run.model, run.settings
    inputs = experiment.inputs(model, settings.seed)
    with run.scratch() as scratch:
        answers = responses.respond(
            model, run.state, inputs, phase="test", seed=settings.seed,
            purpose=streams.TEST_SPIKES, scratch=scratch, device=settings.device, precision=settings.precision,
            jobs=jobs, title=title, reporter=reporter,
        )  # fmt: skip
    return experiment.measures(model, Observation(inputs, answers, dict(run.state)))


def observe(
    model: Model,
    inputs: Arrays,
    *,
    scratch: Path,
    phase: str | None = None,
    seed: int = 0,
    device: str = devices.DEFAULT,
    precision: str = "float64",
    traces: bool = True,
) -> Observation:
    """Run a network as its model builds it, from its first state on, which goes on from sample to sample.

    Parameters
    ----------
    inputs : dict
        An array ``(samples, ...)`` for each of the network's inputs.
    scratch : Path
        Folder for the private files of blocks.
    phase : str, optional
        The model's first one unless stated.
    seed : int
        Of the first state, and of what is drawn while it runs.
    traces : bool
        Whether variables are read besides spikes, which takes time.

    Raises
    ------
    EngineError
        It cannot be compiled, or does not run to its end.
    """
    phase = phase or model.phases[0]
    there = anatomy.shape(model, phase).populations
    read = tuple(m for m in model.measures(True) if m.population in there and (traces or not m.variable))
    program = devices.program(Structure(model, phase, precision, device, BLOCK, measures=read), scratch)
    drawn = model.initial_state(streams.generator(seed, streams.INITIAL_WEIGHTS))
    state = anatomy.initial_state(model, phase, drawn)
    samples = len(next(iter(inputs.values())))
    parts: list[Responses] = []
    seconds = 0.0
    for index, start in enumerate(range(0, samples, BLOCK)):
        given = {name: array[start : start + BLOCK] for name, array in inputs.items()}
        block = Block(state, given, model.run_time_values(), streams.block_seed(seed, streams.TRAINING_SPIKES, index))
        shown = presentations.show(program, block)
        parts.append(responses.of_block(shown, [measure.key for measure in read]))
        state, seconds = shown.state, seconds + shown.run_seconds
    answers = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}
    return Observation(inputs, answers, state, seconds)
