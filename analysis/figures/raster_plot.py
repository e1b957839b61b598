"""The spikes of one presentation."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hebbarium.analysis.figures import style
from hebbarium.record import results

_ORDER = (results.INPUT, results.EXCITATORY, results.INHIBITORY)
_COLOURS = {results.INPUT: style.BLACK, results.EXCITATORY: style.BLUE, results.INHIBITORY: style.VERMILION}


@style.styled
def raster_plot(tree: xr.DataTree, presentation: int = 0) -> Figure:
    """Every spike of each recorded population, from the start of one presentation.

    Parameters
    ----------
    tree
        With ``raster/<population>``.
    presentation
        Which of the recorded presentations.
    """
    recorded = tree[results.RASTER].children
    names = [name for name in _ORDER if name in recorded] + [name for name in recorded if name not in _ORDER]
    if not names:
        raise KeyError("The run's raster has no population.")
    figure = style.new_figure(style.COLUMN_MM, 30.0 * len(names) + 14)
    panels = figure.subplots(
        len(names),
        1,
        sharex=True,
        squeeze=False,
        height_ratios=[2 if name == results.INPUT else 1 for name in names],
    )[:, 0]
    for name, axes in zip(names, panels, strict=True):
        spikes = recorded[name].to_dataset()
        chosen = spikes["spike_presentation"].values == presentation
        axes.plot(
            spikes["spike_time"].values[chosen],
            spikes["spike_neuron"].values[chosen],
            linestyle="",
            marker="." if name == results.INPUT else "|",
            markersize=1.5 if name == results.INPUT else 5,
            color=_COLOURS.get(name, style.PURPLE),
        )
        axes.set_ylabel(f"{name.capitalize().replace("_", " ")}\nneuron (index)")
        axes.set_ylim(-1, spikes.attrs["n_neurons"])
        axes.set_xlim(0, spikes.attrs["presentation_ms"])
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    panels[-1].set_xlabel("Time since the presentation began (ms)")
    figure.align_ylabels()
    return figure
