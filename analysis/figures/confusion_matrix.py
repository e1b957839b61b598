"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.record import results

_ROOM = 12
"""Classes that fit into a column; each one more makes the figure larger, up to a page, where numbers are left out."""
_CELL_MM = 6.0
_MOST_NAMES = 60
"""Names that fit beside the axis of a page."""


@style.styled
def confusion_matrix(
    tree: xr.DataTree, readout: str | None = None, class_names: Sequence[str] | None = None
) -> Figure:
    """Per cent of the test images of each class that were given each answer; the last column is no answer.

    Parameters
    ----------
    tree
        With ``evaluation/confusion``.
    readout
        Which readout's answers; the first one's by default.
    class_names
        Names of the classes; by default the run's, or their numbers.
    """
    tables = tree[results.EVALUATION].to_dataset()["confusion"]
    readout = str(tables["readout"].values[0]) if readout is None else readout
    table = tables.sel(readout=readout)
    counts = table.values
    totals = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts / np.where(totals == 0, 1, totals)
    names = list(class_names or results.class_names(tree)) or [str(c) for c in table["true_class"].values]
    if len(names) != len(counts):
        raise ValueError(f"{len(names)} class names for {len(counts)} classes.")
    long = max(map(len, names)) > 2
    many = max(len(names) - _ROOM, 0)
    side = min(style.COLUMN_MM + _CELL_MM * many, style.PAGE_MM)
    figure = style.new_figure(side + (25 if long else 17), side + (14 if long else 0))
    axes = figure.add_subplot()
    image = axes.imshow(percent, cmap=style.COUNTS, vmin=0, vmax=100)
    for row, column in np.argwhere(counts > 0) if side < style.PAGE_MM else ():
        share = percent[row, column]
        axes.text(
            column,
            row,
            f"{share:.0f}" if share >= 0.5 else "<1",
            ha="center",
            va="center",
            fontsize=6,
            color="white" if share > 50 else "black",
        )
    ticks = range(0, len(names), -(-len(names) // _MOST_NAMES))  # every second or third, where they are many
    axes.set_xticks([*ticks, len(names)], [*(names[c] for c in ticks), "none"], rotation=90 if long or many else 0)
    axes.set_yticks(ticks, [names[c] for c in ticks])
    axes.axvline(len(names) - 0.5, color=style.GREY, linewidth=0.8)
    axes.set(xlabel=f"Predicted class ({readout.replace('_', ' ')})", ylabel="True class")
    axes.spines[:].set_visible(True)
    figure.colorbar(image, ax=axes, label="Test images of the true class (%)", shrink=0.8)
    return figure
