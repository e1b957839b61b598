"""A current into neurons: what each spikes at, how fast, how soon, and the least that makes one spike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from brian2 import Quantity, ms, second
from numpy.typing import NDArray

from hebbarium.analysis import spike_trains
from hebbarium.engine.contract import Arrays
from hebbarium.models.contract import Model
from hebbarium.models.stimulated import STIMULUS, Neuron
from hebbarium.record import results
from hebbarium.training import stimuli
from hebbarium.training.experiments import Measured, Observation
from hebbarium.training.stimuli import Stimulus

__all__ = ["EVERYTHING", "CurrentClamp", "NeuronSecond"]

EVERYTHING = (
    "spikes", "rate", "latency", "interval", "adaptation", "variation", "bursts", "first_burst", "rebound", "peak",
    "final", "rheobase",
)  # fmt: skip
"""What is measured unless less is asked for.

``spikes``
    while the stimulus lasts.
``rate``
    of these, in hertz.
``latency``
    from the stimulus' beginning to the first spike.
``interval``
    between two spikes, on average.
``adaptation``
    the last interval in parts of the first.
``variation``
    standard deviation of intervals in parts of their mean.
``bursts``, ``first_burst``
    how often spikes came in bursts, two or more no more than `GAP` apart, and spikes of the first burst, which may be
    a single one.
``rebound``
    spikes after the stimulus is over.
``peak``
    the largest potential.
``final``
    each variable at the last step, as ``final_v``.
``rheobase``
    the least of several levels at which a neuron spiked.
"""
GAP = 10e-3
"""Seconds between spikes of a burst, at most."""
_MOST_KEPT = 10_000
"""Times of a trace that a result file keeps: of longer ones, every second, every third and so on."""


@dataclass(frozen=True, eq=False)
class CurrentClamp:
    """Stimuli, each into a neuron of its own; see `hebbarium.training.experiments.Experiment`.

    Parameters
    ----------
    given : sequence of str or Stimulus
        As they are typed (`hebbarium.training.stimuli`), or recorded.
    duration : Quantity
    measured : sequence of str
        Some of `EVERYTHING`.
    paper : mapping
        What the paper prints: measure and stimulus to the number.
    """

    given: Sequence[str | Stimulus]
    duration: Quantity = field(default_factory=lambda: 500 * ms)
    measured: Sequence[str] = EVERYTHING
    paper: Mapping[tuple[str, str], float] | None = None

    def stimuli(self, model: Model) -> list[Stimulus]:
        """One a neuron.

        Raises
        ------
        StimulusError
            As `stimuli.parse` says.
        """
        wanted = stimuli.wanted_by(model)
        return [
            one for given in self.given
            for one in ([given] if isinstance(given, Stimulus) else stimuli.parse(given, wanted))
        ]  # fmt: skip

    def inputs(self, model: Model, seed: int) -> Arrays:
        """See `Experiment.inputs`."""
        assert isinstance(model, Neuron)
        dt, duration = float(model.dt / second), float(self.duration / second)
        return {STIMULUS: stimuli.array(self.stimuli(model), duration, dt, model.neurons, seed)}

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """See `Experiment.measures`."""
        return {f"{one.measure} {one.setting}": one for one in self._measured(model, observed)}

    def _measured(self, model: Model, observed: Observation) -> Iterator[Measured]:
        assert isinstance(model, Neuron)
        given, spikes = self.stimuli(model), self.spikes(model, observed)
        lasts = f"duration={float(self.duration / ms):g}*ms"
        for k, (stimulus, times) in enumerate(zip(given, spikes, strict=True)):
            numbers = self._numbers(stimulus, times)
            numbers["peak"] = (1e3 * float(observed.answers[f"{model.readout}.v"][:, k].max()), "mV")
            for symbol, (of, _) in model.traces.items():
                last = float(observed.answers[f"{model.readout}.{symbol}"][-1, k])
                numbers[f"final_{symbol}"] = (last / float(of), "" if isinstance(of, int) else str(of))
            for name, (value, unit) in numbers.items():
                wanted = "final" if name.startswith("final_") else name
                if wanted in self.measured and np.isfinite(value):
                    printed = (self.paper or {}).get((name, stimulus.name))
                    setting = f"stimulus={stimulus.name} {lasts}"
                    yield Measured(value, unit, model.readout, name, setting, printed)
        levels = [
            one.level for one, times in zip(given, spikes, strict=True)
            if np.isfinite(one.level) and len(_within(times, one.begin, one.end))
        ]  # fmt: skip
        if "rheobase" in self.measured and levels and len(given) > 1:
            unit, _ = model.given
            least = float(min(levels)) / float(unit)
            yield Measured(round(least, 9), str(unit), model.readout, "rheobase", lasts)

    def _numbers(self, stimulus: Stimulus, times: NDArray[np.float64]) -> dict[str, tuple[float, str]]:
        lasts = float(self.duration / second)
        begin, end = stimulus.begin, min(stimulus.end, lasts)
        t = _within(times, begin, end)
        between, together = spike_trains.intervals(t), spike_trains.bursts(t, GAP)
        return {
            "spikes": (float(len(t)), ""),
            "rate": (spike_trains.rate(t, begin, end), "Hz"),
            "latency": (1e3 * float(t[0] - begin) if len(t) else np.nan, "ms"),
            "interval": (1e3 * float(between.mean()) if len(between) else np.nan, "ms"),
            "adaptation": (spike_trains.adaptation(t), ""),
            "variation": (spike_trains.variation(t), ""),
            "bursts": (float(sum(spikes > 1 for spikes in together)), ""),
            "first_burst": (float(together[0]) if together else np.nan, ""),
            "rebound": (float(np.count_nonzero(times >= end)) if end < lasts else np.nan, ""),
        }

    def spikes(self, model: Model, observed: Observation) -> list[NDArray[np.float64]]:
        """Times of the spikes of each stimulated neuron, in seconds: beginnings of steps."""
        counts, dt = observed.answers[model.readout], float(model.dt / second)  # type: ignore[attr-defined]
        return [np.flatnonzero(counts[:, k]).astype(np.float64) * dt for k in range(len(self.stimuli(model)))]

    def groups(self, model: Model, observed: Observation) -> dict[str, Any]:
        """What a result file keeps: courses of variables and spikes."""
        assert isinstance(model, Neuron)
        given, population, dt_ms = self.stimuli(model), model.readout, float(model.dt / ms)
        number = len(observed.inputs[STIMULUS])
        kept, n = slice(None, None, -(-number // _MOST_KEPT)), len(given)
        unit, meaning = model.given
        variables = {
            symbol: (observed.answers[f"{population}.{symbol}"][kept, :n].T / float(of), _units(of), long_name)
            for symbol, (of, long_name) in model.traces.items()
        }
        trace = results.traces(
            time=np.arange(number)[kept] * dt_ms,
            stimulus=[stimulus.name for stimulus in given],
            given=(observed.inputs[STIMULUS][kept, :n].T / float(unit), str(unit), meaning),
            level=[stimulus.level / float(unit) for stimulus in given],
            variables=variables,
        )
        step, neuron = np.nonzero(observed.answers[population][:, :n])
        raster = results.raster(
            spike_time=step * dt_ms, spike_neuron=neuron, spike_presentation=np.zeros(len(step), int), n_neurons=n,
            presentation_ms=number * dt_ms, step_ms=dt_ms,
        )  # fmt: skip
        plane = {"phase_plane": _phase_plane(model, variables)} if len(model.traces) == 2 else {}
        return {"trace": {population: trace}, "raster": {population: raster}, "more": plane}


@dataclass(frozen=True, eq=False)
class NeuronSecond:
    """What a second of one neuron takes, on the computer it is run on: many side by side, only their spikes read.

    Parameters
    ----------
    stimulus : str
        Into all neurons.
    duration : Quantity
    """

    stimulus: str
    duration: Quantity

    def inputs(self, model: Model, seed: int) -> Arrays:
        """See `Experiment.inputs`."""
        assert isinstance(model, Neuron)
        given = stimuli.parse(self.stimulus, stimuli.wanted_by(model)) * model.neurons
        duration, dt = float(self.duration / second), float(model.dt / second)
        return {STIMULUS: stimuli.array(given, duration, dt, model.neurons, seed)}

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """See `Experiment.measures`: microseconds of the computer's a second of a neuron's, and how often it spiked."""
        assert isinstance(model, Neuron)
        lasted = float(self.duration / second) * model.neurons
        setting = f"stimulus={self.stimulus} duration={float(self.duration / ms):g}*ms"
        spikes = float(observed.answers[model.readout].sum()) / lasted
        cost = Measured(1e6 * observed.seconds / lasted, "us", model.readout, "neuron_second", setting)
        return {"neuron_second": cost, "rate": Measured(spikes, "Hz", model.readout, "rate", setting)}

    def groups(self, model: Model, observed: Observation) -> dict[str, Any]:
        """Nothing besides the numbers."""
        return {}


def _within(times: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    return times[(times >= begin) & (times < end)]


def _units(unit: Any) -> str:
    return "1" if isinstance(unit, int) else str(unit)


def _phase_plane(model: Neuron, variables: Mapping[str, tuple[NDArray[np.float64], str, str]]) -> xr.Dataset:
    """How fast both variables change without a stimulus, on a grid that holds all that was seen."""
    axes = {}
    for symbol, (values, _, _) in variables.items():
        low, high = float(values.min()), float(values.max())
        margin = 0.1 * (high - low) or 1.0
        axes[symbol] = np.linspace(low - margin, high + margin, 101)
    (x, first), (y, second_) = axes.items()
    grid = dict(zip((x, y), np.meshgrid(first, second_, indexing="ij"), strict=True))
    slopes = model.slopes({symbol: grid[symbol] * model.traces[symbol][0] for symbol in grid})
    return xr.Dataset(
        {
            f"d{symbol}": ((x, y), np.asarray(slope) * 1e-3 / float(model.traces[symbol][0]),
                           {"units": f"{_units(model.traces[symbol][0])}/ms", "long_name": f"change of {symbol}"})
            for symbol, slope in slopes.items()
        },
        coords={
            symbol: ((symbol,), axis, {"units": _units(model.traces[symbol][0]), "long_name": model.traces[symbol][1]})
            for symbol, axis in axes.items()
        },
    )  # fmt: skip
