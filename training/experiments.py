"""Experiments with a trained network: arrays in, named measures with units out. Classification of images is one.

An experiment says what the network is given and what comes of its answers; nothing learns meanwhile. What it measures
becomes rows of a paper's ledger, whatever the unit, if the paper lists it (`hebbarium.studies.reproduction.Paper`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hebbarium.analysis.accuracy import accuracy
from hebbarium.engine import streams
from hebbarium.engine.contract import Arrays
from hebbarium.models.contract import Model
from hebbarium.training import responses
from hebbarium.training.progress import Reporter
from hebbarium.training.responses import Responses
from hebbarium.training.run import Run
from hebbarium.training.samples import Samples

__all__ = ["Classification", "Experiment", "Measured", "perform"]


@dataclass(frozen=True)
class Measured:
    """A number with its unit, ``%`` or ``Hz`` or empty, and the readout that gave it, if one did."""

    value: float
    unit: str
    readout: str = ""


class Experiment(Protocol):
    """What is done with a network, and what is measured."""

    def inputs(self, model: Model) -> Arrays:
        """What the network is given in its phase ``test``: an array ``(samples, ...)`` for each of its inputs."""
        ...

    def measures(self, model: Model, answers: Responses) -> Mapping[str, Measured]:
        """What came of it, by name.

        Parameters
        ----------
        model : Model
        answers : dict
            What the model's readouts read, ``(samples, neurons)``; see `hebbarium.training.responses.keys`.
        """
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

    def inputs(self, model: Model) -> Arrays:
        """See `Experiment.inputs`."""
        return model.all_inputs("test", self.samples.pixels, self.samples.labels)

    def measures(self, model: Model, answers: Responses) -> Mapping[str, Measured]:
        """See `Experiment.measures`."""
        predicted = responses.predictions(model, answers, self.neuron_label, self.samples.labels)
        return {
            f"accuracy by {name}": Measured(accuracy(classes, self.samples.labels), "%", name)
            for name, classes in predicted.items()
        }


def perform(
    experiment: Experiment, run: Run, jobs: int = 1, reporter: Reporter | None = None, title: str = "Experiment"
) -> Mapping[str, Measured]:
    """Do an experiment with a run's trained network; nothing is written."""
    model, settings = run.model, run.settings
    with run.scratch() as scratch:
        answers = responses.respond(
            model, run.state, experiment.inputs(model), phase="test", seed=settings.seed,
            purpose=streams.TEST_SPIKES, scratch=scratch, device=settings.device, precision=settings.precision,
            jobs=jobs, title=title, reporter=reporter,
        )  # fmt: skip
    return experiment.measures(model, answers)
