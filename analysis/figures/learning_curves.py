"""Accuracy of several runs while they train, in one panel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.analysis.figures.learning_curve import count_images
from hebbarium.record import results


def has_curve(tree: xr.DataTree) -> bool:
    """Whether a run measured an accuracy."""
    return results.EVALUATION in tree.children and bool(
        {"running_accuracy", "accuracy"} & set(tree[results.EVALUATION].to_dataset().data_vars)
    )


@style.styled
def learning_curves(runs: Mapping[str, xr.DataTree]) -> Figure:
    """Accuracy of each run on its training blocks, a line each, and on test images by its first readout, as marks.

    Parameters
    ----------
    runs
        What to call each run, and its result tree with ``evaluation``. Of many, colours come again.

    Raises
    ------
    ValueError
        No run measured an accuracy.
    """
    drawn = {name: tree for name, tree in runs.items() if has_curve(tree)}
    if not drawn:
        raise ValueError("None of the runs measured an accuracy.")
    figure = style.new_figure(style.PAGE_MM, 80)
    axes = figure.add_subplot()
    for number, (name, tree) in enumerate(drawn.items()):
        evaluation = tree[results.EVALUATION].to_dataset()
        colour, (_, mark) = style.CLASSES[number % len(style.CLASSES)], style.LINES[number % len(style.LINES)]
        # a class or run of a stranger may be called as mathematics is written
        label = name.replace("$", r"\$")
        if "running_accuracy" in evaluation:
            running = evaluation["running_accuracy"]
            axes.plot(running["samples_seen_block"], running, color=colour, linewidth=0.9, label=label)
            label = "_" if np.isfinite(running.values).any() else label
        if "accuracy" in evaluation:
            measured = evaluation["accuracy"].isel(readout=0).mean("seed")
            axes.plot(
                measured["samples_seen"], measured, color=colour, marker=mark, markerfacecolor="none", linestyle="",
                label=label, zorder=3,
            )  # fmt: skip
    count_images(axes, 6)
    figure.legend(loc="outside right upper")
    return figure
