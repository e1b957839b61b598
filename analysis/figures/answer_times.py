"""Accuracy against the time for which a sample is shown."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.record import results

_AT = re.compile(r"(.+)_at_([\d.]+)_ms")


def has_times(tree: xr.DataTree) -> bool:
    """Whether a run's readouts read at several times."""
    evaluation = tree[results.EVALUATION].to_dataset()
    return "accuracy" in evaluation and any(_AT.fullmatch(str(name)) for name in evaluation["readout"].values)


@style.styled
def answer_times(tree: xr.DataTree) -> Figure:
    """Accuracy by each readout that reads at several times, a line each; what reads at none of them is a dashed line.

    Parameters
    ----------
    tree
        With ``evaluation/accuracy``. Readouts that read before the end of a presentation are called
        ``<readout>_at_<time>_ms``.

    Raises
    ------
    KeyError
        No readout does.
    """
    if not has_times(tree):
        raise KeyError("No readout of the run reads at several times.")
    accuracy = tree[results.EVALUATION].to_dataset()["accuracy"].isel(samples_seen=-1).mean("seed")
    (end, *_) = {node.attrs["presentation_ms"] for node in tree[results.TEST].children.values()}
    points: dict[str, dict[float, float]] = {}
    for name in map(str, accuracy["readout"].values):
        read = _AT.fullmatch(name)
        line, time = (read[1], float(read[2])) if read else (name, float(end))
        points.setdefault(line, {})[time] = float(accuracy.sel(readout=name))
    figure = style.new_figure(style.COLUMN_MM, 66)
    axes = figure.add_subplot()
    for index, (line, at) in enumerate(points.items()):
        colour, mark = style.LINES[index % len(style.LINES)]
        label = line.replace("_", " ")
        if len(at) == 1:
            axes.axhline(*at.values(), color=style.GREY, linestyle="--", linewidth=0.8, label=label)
            continue
        times = sorted(at)
        axes.plot(times, [at[time] for time in times], color=colour, marker=mark, label=label)
    axes.set(xlabel="Time since the presentation began (ms)", ylabel="Accuracy (%)")
    axes.set_xlim(0, 1.02 * np.max([time for at in points.values() for time in at]))
    axes.grid(color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper left", ncols=2)
    return figure
