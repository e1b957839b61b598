"""Accuracy while training."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hebbarium.analysis.figures import style
from hebbarium.record import results

_READOUTS = {
    results.MOST_ACTIVE: ("most active neuron", style.VERMILION, "o"),
    results.CLASS_MEAN: ("class mean rate", style.GREEN, "s"),
    results.CLASS_LAYER: ("class layer", style.PURPLE, "^"),
}


@style.styled
def learning_curve(tree: xr.DataTree) -> Figure:
    """Running accuracy of each training block, and test accuracy where it was measured.

    A block's neurons are labelled by earlier blocks only. Several seeds, where the file holds them, give the
    mean with its standard error. Chance is what always naming the most common class comes to.

    Parameters
    ----------
    tree
        With ``evaluation/running_accuracy``, ``evaluation/accuracy`` or both.
    """
    evaluation = tree[results.EVALUATION].to_dataset()
    if not {"running_accuracy", "accuracy"} & set(evaluation.data_vars):
        raise KeyError("The run's evaluation has neither running_accuracy nor accuracy.")
    figure = style.new_figure(style.COLUMN_MM, 62)
    axes = figure.add_subplot()
    if "running_accuracy" in evaluation:
        running = evaluation["running_accuracy"]
        axes.plot(
            running["samples_seen_block"],
            running,
            color=style.BLUE,
            marker="." if running.size <= 50 else "",
            label="training block" + (", labels from earlier blocks" if "neuron_label" in evaluation else ""),
        )
    if "accuracy" in evaluation:
        for name in evaluation["readout"].values:
            long_name, colour, marker = _READOUTS.get(name, (str(name), style.PURPLE, "^"))
            accuracy = evaluation["accuracy"].sel(readout=name)
            seeds = accuracy.sizes["seed"]
            error = accuracy.std("seed", ddof=1) / np.sqrt(seeds) if seeds > 1 else None
            counted = f", mean ± SE of {seeds} seeds" if seeds > 1 else ""
            axes.errorbar(
                accuracy["samples_seen"],
                accuracy.mean("seed"),
                yerr=error,
                color=colour,
                marker=marker,
                markerfacecolor="none",
                capsize=2,
                linestyle="-" if accuracy.sizes["samples_seen"] > 1 else "",
                label=f"test images, {long_name}{counted}",
                zorder=3,
            )
    if "confusion" in evaluation:
        tested = evaluation["confusion"].isel(readout=0).sum("predicted_class")  # images of each class
        chance = float(100 * tested.max() / tested.sum()) if tested.sum() else 0.0
        axes.axhline(chance, color=style.GREY, linewidth=0.8, linestyle=":", label="chance")
    count_images(axes, 5)
    figure.legend(loc="outside upper left")
    return figure


def count_images(axes: Axes, ticks: int) -> None:
    """Let axes have accuracy over the training images that were seen."""
    axes.set(xlabel="Training images seen", ylabel="Accuracy (%)", ylim=(0, 100))
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
