"""How many hidden neurons hardly fire while networks train."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style


@style.styled
def dead_neurons(runs: Mapping[str, xr.DataTree], population: str, least: float) -> Figure:
    """Share of neurons that fire on fewer samples of the last batch than a dead neuron's bound, over training.

    Parameters
    ----------
    runs
        What to call each run, and its result tree with ``state``.
    population
        Whose ``state`` has ``active``, the part of the last batch in which each neuron fired.
    least
        The bound: a neuron that is not dead fires in this part of a batch, or more.

    Raises
    ------
    ValueError
        A run has no such state.
    """
    figure = style.new_figure(style.COLUMN_MM, 60)
    axes = figure.add_subplot()
    for number, (name, tree) in enumerate(runs.items()):
        path = f"state/{population}"
        state = tree[path].to_dataset() if f"/{path}" in tree.groups else xr.Dataset()
        if "active" not in state:
            raise ValueError(f"{name}: expected a run that keeps {path}/active, and it has none.")
        dead = 100 * (state["active"] < least).mean("neuron")
        dead = dead[dead["samples_seen"] > 0]  # before the first batch there is nothing to know
        colour, mark = style.LINES[number % len(style.LINES)]
        axes.plot(
            dead["samples_seen"], dead, color=colour, marker=mark, markerfacecolor="none", linewidth=0.9, label=name
        )
    axes.set(xlabel="Training images seen", ylabel="Dead hidden neurons (%)", xscale="log", ylim=(-3, 103))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    figure.legend(loc="outside upper center", ncols=len(runs))
    return figure
