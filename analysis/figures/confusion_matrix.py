"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.figures import style
from engine import results


@style.styled
def confusion_matrix(
    tree: xr.DataTree, readout: str = "", class_names: Sequence[str] | None = None
) -> Figure:
    """Per cent of the test images of each class that were given each answer; the last column is no answer.

    Parameters
    ----------
    tree
        With ``evaluation/confusion``.
    readout
        Which readout's answers; by default those of the first that the run has.
    class_names
        Names of the classes; by default their numbers.
    """
    tables = tree[results.EVALUATION].to_dataset()["confusion"]
    readout = readout or str(tables["readout"].values[0])
    table = tables.sel(readout=readout)
    counts = table.values
    totals = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts / np.where(totals == 0, 1, totals)
    names = list(class_names) if class_names is not None else [str(c) for c in table["true_class"].values]
    if len(names) != len(counts):
        raise ValueError(f"{len(names)} class names for {len(counts)} classes.")
    long = max(map(len, names)) > 2
    figure = style.new_figure(style.COLUMN_MM + (25 if long else 17), style.COLUMN_MM + (14 if long else 0))
    axes = figure.add_subplot()
    image = axes.imshow(percent, cmap=style.COUNTS, vmin=0, vmax=100)
    for row, column in np.argwhere(counts > 0):
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
    axes.set_xticks(range(len(names) + 1), [*names, "none"], rotation=90 if long else 0)
    axes.set_yticks(range(len(names)), names)
    axes.axvline(len(names) - 0.5, color=style.GREY, linewidth=0.8)
    axes.set(xlabel=f"Predicted class ({readout.replace('_', ' ')})", ylabel="True class")
    axes.spines[:].set_visible(True)
    figure.colorbar(image, ax=axes, label="Test images of the true class (%)", shrink=0.8)
    return figure
