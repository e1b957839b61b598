"""XOR in spike times: whether a network learns it, and in how many cycles of its four patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from hebbarium.engine.contract import Arrays
from hebbarium.models.contract import Model
from hebbarium.models.spikeprop import CLOSES, LEARNS, TIMES, WANTED, SpikeProp
from hebbarium.record import results
from hebbarium.training.experiments import Measured, Observation

__all__ = ["EARLY_AND_LATE", "ENOUGH", "PATTERNS", "XORInTimes"]

EARLY_AND_LATE = (0.0, 6.0)
"""Milliseconds at which an input spikes (Bohte et al.)."""
PATTERNS = (((0, 0), 16.0), ((0, 1), 10.0), ((1, 0), 10.0), ((1, 1), 16.0))
"""Which of the two inputs are late, and when the output ought to spike, in milliseconds."""
ENOUGH = 1.0
"""Squared error of a cycle, in ms², with which XOR counts as learned: each pattern is off by half a millisecond."""


@dataclass(frozen=True)
class XORInTimes:
    """Cycles of four patterns; nothing changes any more before the last one.

    Parameters
    ----------
    cycles : int
    """

    cycles: int

    def inputs(self, model: Model, seed: int) -> Arrays:
        """See `Experiment.inputs`."""
        assert isinstance(model, SpikeProp)
        late = np.zeros((len(PATTERNS), model.inputs_), int)  # inputs beyond two spike at the beginning
        late[:, :2] = [pattern for pattern, _ in PATTERNS]
        number = np.arange(self.cycles * len(PATTERNS))
        closes = number % len(PATTERNS) == len(PATTERNS) - 1
        return {
            TIMES: np.tile(np.asarray(EARLY_AND_LATE)[late] * float(ms), (self.cycles, 1)),
            WANTED: np.tile([wanted * float(ms) for _, wanted in PATTERNS], self.cycles),
            CLOSES: closes.astype(np.float64),
            LEARNS: (number < (self.cycles - 2) * len(PATTERNS)).astype(np.float64),
        }

    def times(self, model: Model, observed: Observation) -> NDArray[np.float64]:
        """When the output spiked, in milliseconds, ``(cycles, patterns)``; the sample's end where it did not."""
        (key,) = (measure.key for measure in model.measures(True) if measure.variable)
        return np.asarray(observed.answers[key][:, 0] / float(ms)).reshape(self.cycles, len(PATTERNS))

    def errors(self, model: Model, observed: Observation) -> NDArray[np.float64]:
        """Squared error of each cycle, in ms²."""
        wanted = np.array([wanted for _, wanted in PATTERNS])
        return np.asarray(((self.times(model, observed) - wanted) ** 2).sum(axis=1))

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """See `Experiment.measures`.

        ``cycles_needed``
            after which the error of a cycle was first below `ENOUGH`; no row if it never was.
        ``squared_error_before``, ``squared_error``
            of the first cycle, and of the last one, in ms².
        ``furthest``
            largest distance between a spike and where it ought to be, in the last cycle.
        """
        wanted = np.array([wanted for _, wanted in PATTERNS])
        errors, last = self.errors(model, observed), self.times(model, observed)[-1]
        enough = np.flatnonzero(errors < ENOUGH)
        measured = {
            "squared_error_before": Measured(float(errors[0]), "ms²", model.readout),
            "squared_error": Measured(float(errors[-1]), "ms²", model.readout),
            "furthest": Measured(float(np.abs(last - wanted).max()), "ms", model.readout),
        }
        if len(enough):
            measured["cycles_needed"] = Measured(float(enough[0]), "", model.readout)
        return measured

    def groups(self, model: Model, observed: Observation) -> dict[str, Any]:
        """What a result file keeps: the output's spikes."""
        assert isinstance(model, SpikeProp)
        times = self.times(model, observed).ravel()
        spiked = np.flatnonzero(np.asarray(observed.answers[model.readout][:, 0]) > 0)
        raster = results.raster(
            spike_time=times[spiked], spike_neuron=np.zeros(len(spiked), int), spike_presentation=spiked,
            n_neurons=1, presentation_ms=model.steps * float(model.dt / ms),
        )  # fmt: skip
        return {"raster": {model.readout: raster}}
