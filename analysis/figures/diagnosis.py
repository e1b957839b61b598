"""What a diagnosis looks at: who wins, weights beside their bounds, thresholds in time, classes beside chance."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hebbarium.analysis import diagnosis
from hebbarium.analysis.figures import style
from hebbarium.record import results

_ROOM = 30
"""Classes that have a tick each."""


@style.styled
def diagnosed(tree: xr.DataTree) -> Figure:
    """A panel for each of these that the file holds numbers of; dashed lines are limits.

    Raises
    ------
    KeyError
        It holds none of them.
    """
    panels: list[Callable[[Axes], None]] = []
    tests = tree[results.TEST].children if f"/{results.TEST}" in tree.groups else {}
    if first := next((str(name) for name in tests), ""):
        panels.append(lambda axes: _wins(axes, tree[f"{results.TEST}/{first}"].to_dataset(), first))
    for projection, group in diagnosis.learning(tree).items():
        panels.append(functools.partial(_weights, tree=tree, projection=projection, w=group["w"]))
    states = tree[results.STATE].children if f"/{results.STATE}" in tree.groups else {}
    if adaptive := next((str(name) for name, node in states.items() if "theta" in node.to_dataset()), ""):
        panels.append(lambda axes: _thresholds(axes, tree, adaptive))
    if diagnosis.class_rates(tree) is not None:
        panels.append(lambda axes: _classes(axes, tree))
    if not panels:
        raise KeyError("The run has neither tested responses, nor weights, nor θ, nor a confusion matrix.")
    rows = -(-len(panels) // 2)
    figure = style.new_figure(style.PAGE_MM if len(panels) > 1 else style.COLUMN_MM, 62.0 * rows)
    grid = figure.subplots(rows, min(len(panels), 2), squeeze=False)
    for axes, draw in zip(grid.flat, panels, strict=False):
        draw(axes)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    return figure


def _wins(axes: Axes, responses: xr.Dataset, population: str) -> None:
    counts, label = responses["spike_count"].values, responses["label"].values
    part = 100 * -np.sort(-diagnosis.won(counts)) / max(len(counts), 1)
    axes.bar(np.arange(1, len(part) + 1), part, width=1.0, color=style.BLUE)
    limit = 100 * diagnosis.share_won(label)
    axes.axhline(limit, color=style.VERMILION, linestyle="--", linewidth=0.8, label=f"dominates above {limit:.0f} %")
    silent = int(np.count_nonzero(~counts.any(axis=0)))
    axes.set(
        xlabel=f"Neurons of '{population}', by rank ({silent:,} of {len(part):,} silent)",
        ylabel="Samples won (%)",
        xlim=(0.5, len(part) + 0.5),
    )
    axes.legend()


def _weights(axes: Axes, tree: xr.DataTree, projection: str, w: xr.DataArray) -> None:
    axes.hist(w.isel(samples_seen=-1).values.ravel(), bins=50, color=style.BLUE, log=True)
    for bound in diagnosis.bounds(tree, projection).values():
        axes.axvline(bound, color=style.VERMILION, linestyle="--", linewidth=0.8)
    axes.set(xlabel=style.with_unit(f"Weight of {projection}", w.attrs["units"]), ylabel="Number of synapses")


def _thresholds(axes: Axes, tree: xr.DataTree, population: str) -> None:
    state = tree[f"{results.STATE}/{population}"].to_dataset()
    theta, seen = state["theta"].values, state["samples_seen"].values
    low, middle, high = np.quantile(theta, [0.05, 0.5, 0.95], axis=1)
    axes.fill_between(seen, low, high, color=style.SKY, alpha=0.5, linewidth=0, label="nine neurons in ten")
    axes.plot(seen, middle, color=style.BLUE, label="median")
    axes.plot(seen, theta.max(axis=1), color=style.BLACK, linewidth=0.8, label="largest")
    limit = diagnosis.reach(tree)
    if limit is not None and state["theta"].attrs["units"] == "mV" and theta.max() > limit / 2:
        axes.axhline(limit, color=style.VERMILION, linestyle="--", linewidth=0.8, label="out of reach above")
    axes.set(xlabel="Samples seen", ylabel=style.with_unit(r"Threshold's $\theta$", state["theta"].attrs["units"]))
    axes.legend()


def _classes(axes: Axes, tree: xr.DataTree) -> None:
    rates = diagnosis.class_rates(tree)
    assert rates is not None
    own, others, _ = rates
    place = np.arange(len(own))
    axes.bar(place, 100 * own, color=style.BLUE, label="answered to its own samples")
    axes.plot(place, 100 * others, "_", color=style.VERMILION, markersize=8, label="answered to others'")
    if len(own) <= _ROOM:
        names = results.class_names(tree) or tuple(map(str, place))
        axes.set_xticks(place, names, rotation=90 if max(map(len, names)) > 2 else 0)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set(xlabel="Class", ylabel="Answers (%)", ylim=(0, 118))
    axes.legend(ncols=2, loc="upper center")
