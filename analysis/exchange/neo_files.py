"""Recordings as objects of Neo, and as NIX files, which Neo reads: Elephant and others analyse them.

S. Garcia et al., "Neo: an object model for handling electrophysiology data in multiple formats", Frontiers in
Neuroinformatics 8:10 (2014). Both libraries, ``neo`` and ``nixio``, come with ``pip install "hebbarium[neo]"``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import xarray as xr

from hebbarium.analysis.exchange.recordings import Trace, described, recording
from hebbarium.files import libraries, new_outputs

__all__ = ["block", "write"]

_EXTRA, _WHAT = "neo", "Neo"


def block(tree: xr.DataTree) -> Any:
    """What was recorded, as one ``neo.Block``.

    The first segment holds a ``SpikeTrain`` for each neuron, silent ones included, annotated with ``population`` and
    ``neuron``, in milliseconds; an ``Epoch`` for the presentations; and an ``AnalogSignal`` for each variable that was
    recorded, with a channel for each stimulus. Each presentation of a recording that was asked for (``--record``) is a
    segment of its own. A unit that the library ``quantities`` does not know is kept as the annotation ``unit``, and the
    signal is a pure number.

    Raises
    ------
    NothingRecorded
        See `hebbarium.analysis.exchange.recordings.recording`.
    LibraryMissing
        Neo is not installed.
    """
    recorded = recording(tree)
    neo = libraries.needed("neo", _EXTRA, _WHAT)
    quantities = libraries.needed("quantities", _EXTRA, _WHAT)
    ms, second = quantities.ms, quantities.s
    made = neo.Block(name=str(tree.attrs["model"]), description=described(tree))
    segment = neo.Segment(name="recording")
    made.segments.append(segment)
    end = (recorded.lasts * second).rescale(ms)
    for population, spikes in recorded.spikes.items():
        for number, train in enumerate(spikes.trains()):
            segment.spiketrains.append(
                neo.SpikeTrain(
                    (train * second).rescale(ms), t_start=0 * ms, t_stop=end, name=f"{population} {number}",
                    population=population, neuron=number,
                )
            )  # fmt: skip
    if recorded.presentations:
        segment.epochs.append(
            neo.Epoch(
                times=(recorded.begins * second).rescale(ms),
                durations=[recorded.presentation * 1e3] * recorded.presentations * ms,
                labels=[f"presentation {k}" for k in range(recorded.presentations)], name="presentations",
            )
        )  # fmt: skip
    for trace in recorded.traces:
        units, annotations = _units(quantities, trace)
        if trace.alone:
            segment = neo.Segment(name=f"{trace.population} {trace.name}")
            made.segments.append(segment)
        segment.analogsignals.append(
            neo.AnalogSignal(
                trace.values, units=units, sampling_period=trace.interval * second, name=trace.name,
                t_start=trace.begins * second, description=trace.meaning, population=trace.population,
                array_annotations={"stimulus": list(trace.neurons)}, **annotations,
            )
        )  # fmt: skip
    return made


def write(tree: xr.DataTree, path: Path) -> None:
    """Write what was recorded as a NIX file. Raises as `block` does; and `FileNotWritten` if something is there."""
    libraries.needed("nixio", _EXTRA, "a NIX file")
    made = block(tree)
    io = libraries.needed("neo.io", _EXTRA, _WHAT)
    with new_outputs.writing(path) as place:
        file = io.NixIO(str(place), mode="ow")
        try:
            file.write_block(made)
        finally:
            file.close()


def _units(quantities: Any, trace: Trace) -> tuple[Any, dict[str, str]]:
    """A unit as the library knows it: exponents are written otherwise there, as in ``uA/cm**2``."""
    text = re.sub(r"([a-zA-Z])\^?(-?\d)", r"\1**\2", trace.unit).replace(" ", "*")
    try:
        return quantities.Quantity(1, text or "dimensionless").units, {}
    except (LookupError, SyntaxError, TypeError, ValueError):
        return quantities.dimensionless, {"unit": trace.unit}
