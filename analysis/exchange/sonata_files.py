"""Recordings as SONATA files: spikes, and the course of variables as reports.

K. Dai et al., "The SONATA data format for efficient description of large-scale network models", PLoS Computational
Biology 16:e1007696 (2020). An HDF5 file has the attributes ``magic`` and ``version``. Spikes of a population are
``/spikes/<population>/timestamps`` and ``node_ids``; a variable is ``/report/<population>/data``, (times, neurons),
with ``mapping`` beside it.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from hebbarium.analysis.exchange.recordings import (
    NothingRecorded,
    PopulationSpikes,
    SpikesAndTraces,
    Trace,
    recording,
)
from hebbarium.files import new_outputs

__all__ = ["SPIKES", "write"]

SPIKES = "spikes.h5"
_MAGIC = 0x0A7A
_VERSION = (0, 1)
# how spikes are sorted, as the specification numbers it
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}


def write(tree: xr.DataTree, folder: Path) -> None:
    """Write ``spikes.h5`` and, for each variable that was recorded, ``<population>_<variable>.h5`` into a new folder.

    Times are in milliseconds; presentations follow each other. Node ids are indices of neurons in their population.

    Raises
    ------
    NothingRecorded
        See `hebbarium.analysis.exchange.recordings.recording`.
    FileNotWritten
        Something is there already, or the place cannot be written.
    """
    recorded = recording(tree)
    with new_outputs.writing(folder) as place:
        place.mkdir()
        if recorded.spikes:
            _spikes(recorded, place / SPIKES)
        for trace in recorded.traces:
            if trace.numbers is None:
                raise NothingRecorded(
                    f"{trace.population}.{trace.name}: is of synapses, and a SONATA report is of neurons; convert to"
                    " neo, nwb, csv or npz"
                )
            _report(trace, place / f"{trace.population}_{trace.name}.h5")


def _begin(file: h5py.File) -> None:
    file.attrs["magic"] = np.uint32(_MAGIC)
    file.attrs["version"] = np.array(_VERSION, np.uint32)


def _spikes(recorded: SpikesAndTraces, path: Path) -> None:
    with h5py.File(path, "w") as file:
        _begin(file)
        for population, spikes in recorded.spikes.items():
            _population(file.create_group(f"spikes/{population}"), spikes)


def _population(group: h5py.Group, spikes: PopulationSpikes) -> None:
    sorting = h5py.enum_dtype(_SORTING, np.uint8)
    group.attrs.create("sorting", _SORTING["by_time"], dtype=sorting)
    times = group.create_dataset("timestamps", data=spikes.time * 1e3)
    times.attrs["units"] = "ms"
    group.create_dataset("node_ids", data=spikes.neuron.astype(np.uint64))


def _report(trace: Trace, path: Path) -> None:
    times, neurons = trace.values.shape
    with h5py.File(path, "w") as file:
        _begin(file)
        group = file.create_group(f"report/{trace.population}")
        data = group.create_dataset("data", data=trace.values.astype(np.float32))
        data.attrs["units"] = trace.unit or "1"
        mapping = group.create_group("mapping")
        node_ids = mapping.create_dataset("node_ids", data=np.array(trace.numbers, np.uint64))
        node_ids.attrs.create("sorted", 1, dtype=np.uint8)
        mapping.create_dataset("index_pointers", data=np.arange(neurons + 1, dtype=np.uint64))
        mapping.create_dataset("element_ids", data=np.zeros(neurons, np.uint32))
        # begin, end and step
        course = np.array([trace.begins, trace.begins + times * trace.interval, trace.interval]) * 1e3
        mapping.create_dataset("time", data=course).attrs["units"] = "ms"
