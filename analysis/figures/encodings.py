"""Encodings beside one another: spikes and histograms, and what each costs, how fast it is and what it bears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hebbarium.analysis import decoders
from hebbarium.analysis.figures import style

HEIGHT_MM = 74.0
MOST_NEURONS = 300
"""Neurons that a panel shows, evenly taken from the darkest to the brightest."""
_COLOURS = (style.BLUE, style.SKY, style.GREEN, style.VERMILION, style.ORANGE, style.PURPLE, style.BLACK, style.GREY)


@style.styled
def encoded_spikes(
    rasters: Mapping[str, decoders.Raster], levels: Mapping[str, NDArray[np.float64]], dt: float, bin_steps: int
) -> Figure:
    """Spikes of one presentation, and the peri-stimulus-time histogram over all.

    Parameters
    ----------
    rasters
        By the name of an encoder: ``(trials, steps, neurons)``, presentations of the same numbers.
    levels
        What each neuron was given, ``(neurons,)``: the brightest stands at the top.
    dt
        Length of a step in seconds.
    bin_steps
        Steps of a bin of the histogram.
    """
    figure = style.new_figure(style.PAGE_MM, HEIGHT_MM)
    upper, lower = figure.subplots(2, len(rasters), squeeze=False, sharex="col", height_ratios=[3, 2])
    for column, (name, raster) in enumerate(rasters.items()):
        trials, steps, neurons = raster.shape
        shown = np.linspace(0, neurons - 1, min(neurons, MOST_NEURONS)).astype(int)
        step, neuron = np.nonzero(raster[0][:, np.argsort(levels[name], kind="stable")[shown]])
        axes = upper[column]
        axes.plot(1e3 * dt * step, shown[neuron], ".", markersize=1.0, color=style.BLACK, rasterized=True)
        axes.set_title(name)
        axes.set_ylim(-1, neurons)
        axes.set_xlim(0, 1e3 * dt * steps)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        rates = decoders.histogram(raster, dt, bin_steps).mean(axis=1)
        edges = 1e3 * dt * bin_steps * np.arange(len(rates) + 1)
        lower[column].stairs(rates, edges, fill=True, color=style.BLUE)
        lower[column].set_ylim(0)
        lower[column].yaxis.set_major_locator(MaxNLocator(3))
        lower[column].xaxis.set_major_locator(MaxNLocator(2))
    upper[0].set_ylabel("Neuron, dark to bright")
    lower[0].set_ylabel(f"Rate (Hz), {trials} trials")
    figure.supxlabel("Time since the presentation began (ms)", fontsize=8)
    return figure


@style.styled
def encoding_costs(
    names: Sequence[str],
    spikes: Sequence[float],
    times: Sequence[NDArray[np.float64]],
    errors: Sequence[NDArray[np.float64]],
    disturbed: Sequence[tuple[float, float]],
) -> Figure:
    """Error of what was decoded against time; and with a spike less, or more, of each neuron.

    Parameters
    ----------
    names
        Of encoders.
    spikes
        A sample.
    times
        Seconds.
    errors
        Of levels between 0 and 1, at these times.
    disturbed
        Error in the end with one spike lost, and with one added.
    """
    figure = style.new_figure(style.PAGE_MM, HEIGHT_MM)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    for number, name in enumerate(names):
        colour = _COLOURS[number % len(_COLOURS)]
        dashes = "--" if number % 2 else "-"
        label = f"{name}: {spikes[number]:,.0f} spikes"
        left.plot(1e3 * times[number], errors[number], color=colour, linestyle=dashes, label=label)
        places = number + np.array([-0.22, 0.0, 0.22])
        right.bar(places, (errors[number][-1], *disturbed[number]), 0.2, color=colour, alpha=0.9)
        for place, height, hatch in zip(places[1:], disturbed[number], ("////", "...."), strict=True):
            right.bar(place, height, 0.2, color="none", edgecolor="white", hatch=hatch, linewidth=0)
    left.set_xlabel("Time of decoding (ms)")
    left.set_ylabel("Error (root mean square, white = 1)")
    left.set_ylim(0)
    left.set_xlim(0)
    left.legend()
    right.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    right.set_ylabel("Error in the end")
    kinds = {"": "as it is", "////": "one spike lost, each neuron", "....": "one spike added, each neuron"}
    right.legend(handles=[
        Patch(facecolor=style.GREY, edgecolor="white", linewidth=0, hatch=hatch, label=kind)
        for hatch, kind in kinds.items()
    ])  # fmt: skip
    right.set_ylim(0, 1.4 * max(max(errors[k][-1], *both) for k, both in enumerate(disturbed)))  # room for the legend
    return figure
