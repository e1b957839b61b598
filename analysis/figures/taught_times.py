"""An output that learns when to spike: its times cycle by cycle, and how many networks have learned them by then."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.record import results


@style.styled
def taught_times(trees: Mapping[str, xr.DataTree], patterns: Mapping[str, float]) -> Figure:
    """Time of the output's spike by cycle, a panel for each network, and when each pattern's ought to be.

    Parameters
    ----------
    trees : mapping
        Panel's title to a result tree with one population of one neuron in the group ``raster``, whose presentations
        are the patterns in turn.
    patterns : mapping
        What each pattern is called, to the time that is wanted, in milliseconds.
    """
    rows = -(-len(trees) // 2)
    figure = style.new_figure(style.PAGE_MM, 12 + 48 * rows)
    panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    for axes, (title, tree) in zip(panels.flat, trees.items(), strict=False):
        ((_, node),) = tree[results.RASTER].children.items()
        raster = node.to_dataset()
        cycle, pattern = np.divmod(raster["spike_presentation"].values, len(patterns))
        for wanted in sorted(set(patterns.values())):
            axes.axhline(wanted, color=style.BLACK, linewidth=0.7, linestyle="--")
        for number, ((colour, _), name) in enumerate(zip(itertools.cycle(style.LINES), patterns, strict=False)):
            mine = pattern == number
            axes.plot(cycle[mine] + 1, raster["spike_time"].values[mine], color=colour, linewidth=0.8, label=name)
        axes.set_title(title, loc="left", pad=3)
        axes.set_xscale("log")
    panels[0, 0].plot([], [], color=style.BLACK, linewidth=0.7, linestyle="--", label="wanted")
    for axes in panels[-1]:
        axes.set_xlabel("Cycle")
    for axes in panels[:, 0]:
        axes.set_ylabel("Output spike (ms)")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names))
    return figure


@style.styled
def learned_by(groups: Mapping[str, Sequence[xr.DataTree]], measure: str, cycles: int, axis: str) -> Figure:
    """How many networks have learned by each cycle, a line for each group.

    Parameters
    ----------
    groups : mapping
        Line's name to the result trees of its networks.
    measure : str
        Of the group ``measures``: the cycle at which a network had learned; none in a tree that never had.
    cycles : int
        Where lines end.
    axis : str
        What is counted up.
    """
    figure = style.new_figure(style.COLUMN_MM, 58 + 4 * len(groups))
    axes = figure.subplots()
    for (colour, _), (name, trees) in zip(itertools.cycle(style.LINES), groups.items(), strict=False):
        needed = sorted(
            float(value)
            for tree in trees
            for one, value in zip(*(tree[results.MEASURES][key].values for key in ("measure", "value")), strict=True)
            if one == measure
        )
        axes.step(
            [1, *needed, cycles], [0, *range(1, len(needed) + 1), len(needed)], where="post", color=colour,
            label=f"{name} ({len(needed)} of {len(trees)})",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(1, cycles)
    axes.set_ylim(0, max(map(len, groups.values())) * 1.05)
    axes.set_xlabel(axis)
    axes.set_ylabel("Networks that have learned")
    figure.legend(loc="outside upper left")
    return figure
