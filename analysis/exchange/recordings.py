"""What a result file has recorded in time: spikes of its populations, and the course of neurons' variables.

Presentations follow each other in a result file as they were shown. Here they stand on one axis of time: presentation k
begins at k times its length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hebbarium.files.errors import EngineError
from hebbarium.record import results

__all__ = ["NothingRecorded", "PopulationSpikes", "SpikesAndTraces", "Trace", "described", "recording"]


class NothingRecorded(EngineError, ValueError):
    """A result file holds neither spikes nor potentials in time."""


@dataclass(frozen=True, eq=False)
class PopulationSpikes:
    """Spikes of a population, in the order of time.

    Parameters
    ----------
    neurons : int
        Neurons that it has, silent ones included.
    time : (spikes,)
        Seconds from the beginning of the recording.
    neuron : (spikes,)
        Index of the neuron that spiked.
    """

    neurons: int
    time: NDArray[np.float64]
    neuron: NDArray[np.int64]

    def trains(self) -> Iterator[NDArray[np.float64]]:
        """Spike times of each neuron in seconds, increasing."""
        order = np.argsort(self.neuron, kind="stable")
        ends = np.searchsorted(self.neuron[order], np.arange(1, self.neurons))
        yield from np.split(self.time[order], ends)


@dataclass(frozen=True, eq=False)
class Trace:
    """The course of a variable of some neurons.

    Parameters
    ----------
    population, name : str
    values : (time, neurons)
    unit : str
        As Brian2 writes it; empty for a pure number.
    meaning : str
    interval : float
        Seconds from a value to the next.
    neurons : tuple of str
        What each neuron is given; of a recording that was asked for, which neuron or synapse it is.
    begins : float
        Seconds from the beginning of its axis to the first value.
    alone : bool
        Whether it has an axis of its own, from the beginning of its presentation: of a recording that was asked for.
    numbers : tuple of int or None
        Neurons in their population; None of synapses.
    """

    population: str
    name: str
    values: NDArray[np.float32]
    unit: str
    meaning: str
    interval: float
    neurons: tuple[str, ...]
    begins: float = 0.0
    alone: bool = False
    numbers: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class SpikesAndTraces:
    """What was recorded of a run.

    Parameters
    ----------
    presentation : float
        Seconds of a presentation; 0 if no spikes were recorded.
    presentations : int
        How many were recorded. Presentations after the last spike of all populations are not known of.
    spikes : mapping
        By population.
    traces : tuple of Trace
    step : float, optional
        The time step in seconds, of which spike times are multiples; older files do not say it.
    """

    presentation: float
    presentations: int
    spikes: Mapping[str, PopulationSpikes]
    traces: tuple[Trace, ...]
    step: float | None = None

    @property
    def begins(self) -> NDArray[np.float64]:
        """Seconds at which presentations begin."""
        return np.arange(self.presentations, dtype=np.float64) * self.presentation

    @property
    def lasts(self) -> float:
        """Seconds of the whole recording."""
        traced = max((len(trace.values) * trace.interval for trace in self.traces if not trace.alone), default=0.0)
        return max(self.presentations * self.presentation, traced)


def recording(tree: xr.DataTree) -> SpikesAndTraces:
    """What a result file has recorded in time.

    Raises
    ------
    NothingRecorded
        It holds none of the groups ``raster``, ``trace`` and ``recorded``.
    """
    groups = (results.children(tree, group).items() for group in (results.RASTER, results.TRACE, results.RECORDED))
    spiked, traced, asked_for = ([(name, node.to_dataset()) for name, node in several] for several in groups)
    rasters = dict(spiked)
    traces = tuple(trace for name, group in traced for trace in _traces(name, group))
    traces += tuple(trace for name, group in asked_for for trace in _asked_for(name, group))
    if not rasters and not traces:
        raise NothingRecorded(
            "no spikes and no potentials were recorded: expected the results of a run that is complete, which records"
            " its first test images, or of `hebbarium neuron`"
        )
    lengths = {float(raster.attrs["presentation_ms"]) / 1e3 for raster in rasters.values()}
    if len(lengths) > 1:
        raise NothingRecorded(f"presentations last {sorted(lengths)} s, expected one length for all populations")
    length = lengths.pop() if lengths else 0.0
    last = max((int(r["spike_presentation"].max()) for r in rasters.values() if r.sizes["spike"]), default=0)
    spikes = {name: _spikes(raster, length) for name, raster in rasters.items()}
    steps = [float(raster.attrs["step_ms"]) / 1e3 for raster in rasters.values() if "step_ms" in raster.attrs]
    return SpikesAndTraces(length, last + 1 if rasters else 0, spikes, traces, min(steps, default=None))


def described(tree: xr.DataTree) -> str:
    """A sentence that says what network it was, and by which command."""
    attributes = tree.attrs
    return (
        f"Simulated network {attributes['model']} ({attributes['paper']}), data set {attributes['dataset'] or 'none'},"
        f" seed {attributes['seed']}, {attributes['samples_seen']} samples seen; made by: {attributes['command']}"
    )


def _spikes(raster: xr.Dataset, length: float) -> PopulationSpikes:
    time = raster["spike_time"].to_numpy() / 1e3 + raster["spike_presentation"].to_numpy() * length
    order = np.argsort(time, kind="stable")
    neuron = raster["spike_neuron"].to_numpy().astype(np.int64)
    return PopulationSpikes(int(raster.attrs["n_neurons"]), time[order], neuron[order])


def _interval(time: NDArray[np.float64]) -> float:
    return float(time[1] - time[0]) if len(time) > 1 else 0.0


def _unit(variable: xr.DataArray) -> str:
    """As Brian2 writes it; empty for a pure number."""
    unit = str(variable.attrs["units"])
    return "" if unit == "1" else unit


def _traces(population: str, group: xr.Dataset) -> Iterator[Trace]:
    time = group["time"].to_numpy() / 1e3
    interval = _interval(time)
    neurons = tuple(map(str, group["stimulus"].to_numpy()))
    for name, variable in group.data_vars.items():
        yield Trace(
            population, str(name), variable.transpose("time", "stimulus").to_numpy(), _unit(variable),
            str(variable.attrs["long_name"]), interval, neurons, numbers=tuple(range(len(neurons))),
        )  # fmt: skip


def _asked_for(name: str, group: xr.Dataset) -> Iterator[Trace]:
    """A recording that was asked for: a trace for each presentation."""
    population, _, variable = name.partition(".")
    value = group["value"]
    axes = [group[axis].to_numpy().tolist() for axis in value.dims[2:]]
    elements = list(itertools.product(*axes))
    time = group["time"].to_numpy() / 1e3
    for k, course in enumerate(value.to_numpy()):
        values = course.reshape(len(time), -1).astype(np.float32)
        image = f", image {int(group['image'][k])} of its set" if "image" in group.coords else ""
        yield Trace(
            population, f"{variable.replace('.', '_')}_presentation_{k}", values,
            _unit(value), f"{group.attrs['asked']} in the phase {group.attrs['phase']}{image}",
            _interval(time), tuple(" to ".join(map(str, e)) for e in elements),
            float(time[0]), True, tuple(e[0] for e in elements) if len(axes) == 1 else None,
        )  # fmt: skip
