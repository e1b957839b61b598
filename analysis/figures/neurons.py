"""Neurons that were given stimuli: the course of their potentials, how fast they spike, and their phase plane."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hebbarium.analysis.figures import style
from hebbarium.record import results

_POPULATION = "neuron"
_MOST = 8
"""Neurons whose courses are drawn: of more, so many equally far apart."""
LEAST_LEVELS = 3
"""Levels that a curve takes."""


def _trace(tree: xr.DataTree) -> xr.Dataset:
    return tree[f"{results.TRACE}/{_POPULATION}"].to_dataset()


def has_levels(tree: xr.DataTree) -> bool:
    """Whether stimuli were levels, enough of them for a curve."""
    return len(np.unique(_levels(tree))) >= LEAST_LEVELS


def _levels(tree: xr.DataTree) -> Any:
    levels = _trace(tree)["level"].values
    return levels[np.isfinite(levels)]


def spikes_of(tree: xr.DataTree, stimulus: int) -> Any:
    """Times of the spikes of one neuron in milliseconds."""
    raster = tree[f"{results.RASTER}/{_POPULATION}"].to_dataset()
    return raster["spike_time"].values[raster["spike_neuron"].values == stimulus]


def draw_course(axes: Axes, tree: xr.DataTree, stimulus: int, variable: str = "v", colour: str = style.BLUE) -> None:
    """The course of a variable of one neuron, with a tick above each spike where it is a potential."""
    trace = _trace(tree)
    values = trace[variable].values[stimulus]
    axes.plot(trace["time"].values, values, color=colour, linewidth=0.7)
    if variable == "v":
        low, high = float(values.min()), float(values.max())
        top = high + 0.08 * (high - low or 1.0)
        spikes = spikes_of(tree, stimulus)
        axes.plot(spikes, np.full(len(spikes), top), "|", color=style.BLACK, markersize=4, markeredgewidth=0.7)
    axes.margins(x=0)


@style.styled
def courses(tree: xr.DataTree) -> Figure:
    """What neurons are given, and their potentials, one below the other, spikes as ticks."""
    trace = _trace(tree)
    number = trace.sizes["stimulus"]
    shown = np.unique(np.linspace(0, number - 1, min(number, _MOST)).round().astype(int))
    figure = style.new_figure(style.PAGE_MM, 24 + 24 * len(shown))
    panels = figure.subplots(2 * len(shown), 1, sharex=True, height_ratios=[0.6, 2.0] * len(shown), squeeze=False)
    for (below, above), stimulus in zip(panels[:, 0].reshape(-1, 2), shown, strict=True):
        below.plot(trace["time"].values, trace["given"].values[stimulus], color=style.VERMILION, linewidth=0.7)
        below.set_title(_short(str(trace["stimulus"].values[stimulus])), loc="left", fontsize=7, pad=2)
        below.set_ylabel(trace["given"].attrs["units"], fontsize=6)
        below.yaxis.set_major_locator(MaxNLocator(2))
        draw_course(above, tree, int(stimulus))
        above.set_ylabel(style.with_unit("v", trace["v"].attrs["units"]))
        above.yaxis.set_major_locator(MaxNLocator(4))
    panels[-1, 0].set_xlabel("Time (ms)")
    figure.align_ylabels(list(panels[:, 0]))
    return figure


def _short(text: str) -> str:
    return text if len(text) < 90 else f"{text[:87]}..."


def rates(tree: xr.DataTree) -> tuple[Any, Any]:
    """Levels, in order, and the rate of spikes at each while it lasts, in hertz, as the experiment measured it."""
    trace, measured = _trace(tree), tree[results.MEASURES].to_dataset()
    by_stimulus = {
        str(setting).partition(" ")[0].removeprefix("stimulus="): float(value)
        for measure, setting, value in zip(
            measured["measure"].values, measured["setting"].values, measured["value"].values, strict=True
        )
        if measure == "rate"
    }
    points = [
        (float(level), by_stimulus[str(name)])
        for level, name in zip(trace["level"].values, trace["stimulus"].values, strict=True)
        if np.isfinite(level) and str(name) in by_stimulus
    ]
    levels, found = zip(*sorted(points), strict=True) if points else ((), ())
    return np.asarray(levels), np.asarray(found)


@style.styled
def f_i_curve(tree: xr.DataTree) -> Figure:
    """How fast a neuron spikes, by the level of what it is given."""
    levels, found = rates(tree)
    figure = style.new_figure(style.COLUMN_MM, 60)
    axes = figure.subplots()
    axes.plot(levels, found, color=style.BLUE, marker="o", markersize=2.5, linewidth=0.9)
    axes.set_xlabel(style.with_unit("Level", _trace(tree)["given"].attrs["units"]))
    axes.set_ylabel("Rate (Hz)")
    axes.set_ylim(bottom=0)
    return figure


@style.styled
def phase_plane(tree: xr.DataTree) -> Figure:
    """Courses of two variables against each other, and where each of them does not change without a stimulus."""
    plane, trace = tree["phase_plane"].to_dataset(), _trace(tree)
    x, y = (str(name) for name in plane.sizes)
    figure = style.new_figure(style.COLUMN_MM, 70)
    axes = figure.subplots()
    for symbol, colour in ((x, style.VERMILION), (y, style.GREEN)):
        slope = plane[f"d{symbol}"].transpose(y, x).values
        if (slope < 0).any() and (slope > 0).any():
            axes.contour(plane[x].values, plane[y].values, slope, levels=[0.0], colors=[colour], linewidths=1.0)
            axes.plot([], [], color=colour, label=f"d{symbol}/dt = 0, nothing given")
    number = trace.sizes["stimulus"]
    for stimulus in np.unique(np.linspace(0, number - 1, min(number, 3)).round().astype(int)):
        axes.plot(trace[x].values[stimulus], trace[y].values[stimulus], color=style.BLUE, linewidth=0.6, alpha=0.7)
    axes.plot([], [], color=style.BLUE, label="courses")
    axes.set_xlabel(style.with_unit(x, plane[x].attrs["units"]))
    axes.set_ylabel(style.with_unit(y, plane[y].attrs["units"]))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@dataclass(frozen=True)
class Panel:
    """One neuron of a figure of several: what the run is called, and which of its stimuli."""

    run: str
    stimulus: int = 0


@style.styled
def panels(trees: Mapping[str, xr.DataTree], shown: Mapping[str, Panel], columns: int = 2) -> Figure:
    """Potentials of several neurons, what each is given below it.

    Parameters
    ----------
    trees : mapping
        Result trees by what their runs are called.
    shown : mapping of str to Panel
        Title to what is drawn.
    """
    rows = -(-len(shown) // columns)
    figure = style.new_figure(style.PAGE_MM, 8 + 34 * rows)
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[2.2, 0.5] * rows)
    for k, (title, panel) in enumerate(shown.items()):
        tree, trace = trees[panel.run], _trace(trees[panel.run])
        row, column = divmod(k, columns)
        above = figure.add_subplot(grid[2 * row, column])
        below = figure.add_subplot(grid[2 * row + 1, column], sharex=above)
        draw_course(above, tree, panel.stimulus)
        above.set_title(title, loc="left", pad=3)
        above.set_ylabel(style.with_unit("v", trace["v"].attrs["units"]))
        above.tick_params(labelbottom=False)
        given = trace["given"].values[panel.stimulus]
        below.plot(trace["time"].values, given, color=style.VERMILION, linewidth=0.8)
        low, high = min(0.0, float(given.min())), max(0.0, float(given.max()))
        below.set_ylim(low - 0.15 * (high - low or 1.0), high + 0.15 * (high - low or 1.0))
        below.set_ylabel(trace["given"].attrs["units"], fontsize=6)
        below.yaxis.set_major_locator(MaxNLocator(2))
        if row == rows - 1:
            below.set_xlabel("Time (ms)")
    return figure


@style.styled
def rate_curves(trees: Mapping[str, xr.DataTree], unit: str = "") -> Figure:
    """How fast neurons spike by the level of what they are given, several kinds side by side."""
    figure = style.new_figure(style.COLUMN_MM, 62)
    axes = figure.subplots()
    for (colour, mark), (name, tree) in zip(itertools.cycle(style.LINES), trees.items(), strict=False):
        levels, found = rates(tree)
        axes.plot(levels, found, color=colour, marker=mark, markersize=2.5, linewidth=0.9, label=name)
        unit = unit or _trace(tree)["given"].attrs["units"]
    axes.set_xlabel(style.with_unit("Level", unit))
    axes.set_ylabel("Rate (Hz)")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


@style.styled
def learned_train(tree: xr.DataTree, wanted: Sequence[float]) -> Figure:
    """Spikes of a neuron in pattern after pattern, and where they ought to be.

    Parameters
    ----------
    tree
        With one population in the group ``raster``.
    wanted : sequence of float
        Milliseconds into the pattern.
    """
    ((_, node),) = tree[results.RASTER].children.items()
    raster = node.to_dataset()
    figure = style.new_figure(style.COLUMN_MM, 70)
    axes = figure.subplots()
    for time in wanted:
        axes.axvline(time, color=style.ORANGE, linewidth=2.5, alpha=0.5)
    axes.plot(raster["spike_time"].values, raster["spike_presentation"].values, ".", color=style.BLACK, markersize=1.5)
    axes.plot([], [], color=style.ORANGE, linewidth=2.5, alpha=0.5, label="wanted")
    axes.plot([], [], ".", color=style.BLACK, label="spikes")
    axes.set_xlim(0, float(raster.attrs["presentation_ms"]))
    axes.set_xlabel("Time in the pattern (ms)")
    axes.set_ylabel("Pattern")
    figure.legend(loc="outside upper center", ncols=2)
    return figure
