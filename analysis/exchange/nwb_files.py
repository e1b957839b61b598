"""Recordings as NWB files (Neurodata Without Borders 2), written by PyNWB.

O. Rübel et al., "The Neurodata Without Borders ecosystem for neurophysiological data science", eLife 11:e78362 (2022).
The library ``pynwb`` comes with ``pip install "hebbarium[nwb]"``.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import xarray as xr

from hebbarium.analysis.exchange.recordings import described, recording
from hebbarium.files import libraries, new_outputs

__all__ = ["file", "write"]

_EXTRA, _WHAT = "nwb", "NWB"


def file(tree: xr.DataTree, begun: datetime) -> Any:
    """What was recorded, as a ``pynwb.NWBFile``.

    The table ``units`` has a row for each neuron, silent ones included, with ``population`` and ``neuron``; its spike
    times are in seconds. ``trials`` are the presentations. Each variable that was recorded is a ``TimeSeries`` of
    ``acquisition``, with a column for each stimulus, in the unit of the result file. It is no ``CurrentClampSeries``,
    whose electrode a simulated neuron does not have.

    Parameters
    ----------
    tree : xarray.DataTree
        A result file.
    begun : datetime
        NWB asks for the time at which a session began, which a simulation has no counterpart of. With a time zone.

    Raises
    ------
    NothingRecorded
        See `hebbarium.analysis.exchange.recordings.recording`.
    LibraryMissing
        PyNWB is not installed.
    """
    recorded = recording(tree)
    pynwb = libraries.needed("pynwb", _EXTRA, _WHAT)
    told = "\n".join(f"{name}: {value}" for name, value in tree.attrs.items())
    made = pynwb.NWBFile(
        session_description=described(tree),
        identifier=str(uuid.uuid5(uuid.NAMESPACE_OID, told)),
        session_start_time=begun,
        session_id=f"{tree.attrs['model']}-seed-{tree.attrs['seed']}",
        experiment_description="a simulation: there is neither a subject nor a device",
        source_script=str(tree.attrs["command"]) or "unknown",
        source_script_file_name="hebbarium",
        keywords=["simulation", "spiking neural network"],
        notes=f"Attributes of the result file:\n{told}",
        **_published(str(tree.attrs["paper"])),
    )
    if recorded.spikes:
        made.units = pynwb.misc.Units(
            name="units", description="neurons of the network, silent ones included", resolution=recorded.step
        )
        made.add_unit_column("population", "population of the neuron")
        made.add_unit_column("neuron", "index of the neuron in its population, from 0")
        whole = [[0.0, recorded.lasts]]
        for population, spikes in recorded.spikes.items():
            for number, train in enumerate(spikes.trains()):
                made.add_unit(spike_times=train, obs_intervals=whole, population=population, neuron=number)
        for begin in recorded.begins:
            made.add_trial(start_time=float(begin), stop_time=float(begin + recorded.presentation))
    for trace in recorded.traces:
        made.add_acquisition(
            pynwb.TimeSeries(
                name=f"{trace.population}_{trace.name}",
                data=trace.values[:, 0] if trace.values.shape[1] == 1 else trace.values,
                unit=trace.unit or "1",
                rate=1 / trace.interval,
                starting_time=trace.begins,
                description=f"{trace.meaning}; columns: {'; '.join(trace.neurons)}",
                comments="simulated" + "; times are from the beginning of its own presentation" * trace.alone,
            )
        )
    return made


def write(tree: xr.DataTree, path: Path, begun: datetime) -> None:
    """Write what was recorded as an NWB file. Raises as `file` does; and `FileNotWritten` if something is there."""
    made = file(tree, begun)
    pynwb = libraries.needed("pynwb", _EXTRA, _WHAT)
    with new_outputs.writing(path) as place, pynwb.NWBHDF5IO(str(place), "w") as io:
        io.write(made)


def _published(paper: str) -> dict[str, list[str]]:
    return {"related_publications": [paper]} if paper and paper != "none" else {}
