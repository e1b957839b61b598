"""A neuron is to spike at given times of a pattern that comes again and again: how near it comes, and how soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from hebbarium.analysis import figures
from hebbarium.engine.contract import Arrays
from hebbarium.ledger.claims import Claims, Verdict, of_numbers
from hebbarium.ledger.rows import Row, item_of
from hebbarium.models.contract import Model
from hebbarium.models.spike_train_learning import LEARNS, STEP, WANTED, SpikeTrainLearner
from hebbarium.record import results
from hebbarium.studies.paper_figures import of_results
from hebbarium.studies.reproduction import Paper
from hebbarium.studies.trials import Trial
from hebbarium.training.experiments import Measured, Observation
from hebbarium.training.run_settings import RunSettings

__all__ = ["NEAR", "SpikeTrainTarget", "furthest", "judge", "paper"]

NEAR = 2.0
"""Milliseconds within which a spike counts as where it ought to be."""


def furthest(found: Sequence[float] | NDArray[Any], wanted: Sequence[float] | NDArray[Any]) -> float:
    """The largest distance between spikes and where they ought to be, in order; NaN if there are not as many.

    >>> furthest([10.0, 21.0], [11.0, 20.5]), furthest([1.0], [])
    (1.0, nan)
    """
    if len(found) != len(wanted):
        return float("nan")
    return float(np.abs(np.asarray(found) - np.asarray(wanted)).max(initial=0.0))


@dataclass(frozen=True)
class SpikeTrainTarget:
    """Patterns, in all but the last of which the neuron learns.

    Parameters
    ----------
    wanted : tuple of float
        Times of spikes in the pattern, in milliseconds.
    patterns : int
    """

    wanted: tuple[float, ...]
    patterns: int

    def inputs(self, model: Model, seed: int) -> Arrays:
        """See `Experiment.inputs`."""
        assert isinstance(model, SpikeTrainLearner)
        step = np.tile(np.arange(model.pattern_steps, dtype=np.float64), self.patterns)
        steps = [round(time / float(model.dt / ms)) for time in self.wanted]
        learns = np.arange(len(step)) < (self.patterns - 1) * model.pattern_steps
        return {STEP: step, WANTED: np.isin(step, steps).astype(np.float64), LEARNS: learns.astype(np.float64)}

    def spikes(self, model: Model, observed: Observation) -> list[NDArray[np.float64]]:
        """Times of the neuron's spikes in each pattern, in milliseconds."""
        assert isinstance(model, SpikeTrainLearner)
        by_pattern = observed.answers[model.readout][:, 0].reshape(self.patterns, model.pattern_steps)
        return [np.flatnonzero(row).astype(np.float64) * float(model.dt / ms) for row in by_pattern]

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """See `Experiment.measures`.

        ``furthest``
            largest distance between a spike and where it ought to be, without learning, after all other patterns.
        ``spikes_before``, ``spikes``
            of the first pattern and of the last.
        ``patterns_needed``
            until spikes were near (`NEAR`) and stayed so.
        """
        trains = self.spikes(model, observed)
        errors = [furthest(train, self.wanted) for train in trains]
        near = np.array([error <= NEAR for error in errors])
        needed = len(near) - int(np.argmin(near[::-1])) if not near.all() else 0
        measured = {
            "spikes_before": Measured(float(len(trains[0])), "", model.readout),
            "spikes": Measured(float(len(trains[-1])), "", model.readout),
        }
        if np.isfinite(errors[-1]):
            measured["furthest"] = Measured(errors[-1], "ms", model.readout)
        if near[-1]:
            measured["patterns_needed"] = Measured(float(needed), "", model.readout)
        return measured

    def groups(self, model: Model, observed: Observation) -> dict[str, Any]:
        """What a result file keeps: spikes of all patterns."""
        assert isinstance(model, SpikeTrainLearner)
        trains = self.spikes(model, observed)
        pattern = np.repeat(np.arange(self.patterns), [len(train) for train in trains])
        raster = results.raster(
            spike_time=np.concatenate(trains), spike_neuron=np.zeros(len(pattern), int), spike_presentation=pattern,
            n_neurons=1, presentation_ms=model.pattern_steps * float(model.dt / ms),
        )  # fmt: skip
        return {"raster": {model.readout: raster}}


def judge(
    rows: Sequence[Row], model: str, learned: Trial, control: Trial, wanted: int, seeds: int
) -> list[Verdict]:
    """Whether neurons learned their spikes, each to within `NEAR`, and that none has them without learning."""

    def of(trial: Trial, measure: str) -> list[float]:
        item = item_of(trial.item)
        return [row.value for row in rows if (row.item, row.measure) == (item, measure)]

    distances = of(learned, "furthest")
    spikes = of(learned, "spikes")
    complete = len(spikes) == seeds
    return [
        of_numbers(
            f"Each of {seeds} neurons learns its {wanted} spikes to within {NEAR:g} ms",
            {
                "with as many spikes": float(len(distances)) if complete else None,
                "furthest of all (ms)": max(distances, default=None),
                "mean (ms)": float(np.mean(distances)) if distances else None,
            },
            lambda n: [n["with as many spikes"] == seeds and n["furthest of all (ms)"] <= NEAR],
        ),
        of_numbers(
            "Without learning no neuron spikes so often",
            {"spikes at most": max(of(control, "spikes"), default=None)},
            lambda n: [n["spikes at most"] < wanted],
        ),
    ]


def paper(model: str, wanted: tuple[float, ...], patterns: int, seeds: tuple[int, ...]) -> Paper:
    """The same task for each rule: one neuron a seed that learns, and one that does not.

    Parameters
    ----------
    model : str
        The rule.
    wanted : tuple of float
        Times of spikes in the pattern, in milliseconds.
    patterns : int
        What each neuron is shown.
    seeds : tuple of int
    """
    learned = Trial("spike_train", "learned", SpikeTrainTarget(wanted, patterns))
    control = Trial("control", "no_learning", SpikeTrainTarget(wanted, 2), {"eta": "0*mV"})

    def drawn(trees: Mapping[str, Any]) -> Any:
        return figures.learned_train(trees["spike_train learned"], wanted)

    return Paper(
        RunSettings(model=model, precision="float64"), (), columns="measure", seeds=seeds,
        trials=(learned, control),
        drawings={"spike_train.svg": of_results(drawn)},
        claims=Claims(
            lambda rows: judge(rows, model, learned, control, len(wanted), len(seeds)),
            "The thesis names the rule and prints no number; constants are ours, tried with other seeds than these.",
            read="Each seed has inputs, first weights and so a task of its own.",
        ),
    )  # fmt: skip
