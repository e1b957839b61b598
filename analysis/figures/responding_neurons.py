"""How few neurons answer an image."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hebbarium.analysis.figures import style
from hebbarium.analysis.sparseness import FEW, sparseness
from hebbarium.record import results


@style.styled
def responding_neurons(
    tree: xr.DataTree, group: str = results.TEST, population: str = results.EXCITATORY, few: int = FEW
) -> Figure:
    """Share of the images that so many neurons, and at most so many, respond to.

    Parameters
    ----------
    tree
        A run's result tree.
    group, population, few
        See `hebbarium.analysis.sparseness.sparseness`.
    """
    sparse = sparseness(tree, group=group, population=population, few=few)
    share = 100 * np.bincount(sparse.responding) / len(sparse.responding)
    number = np.arange(len(share))
    figure = style.new_figure(style.COLUMN_MM, 70)
    axes = figure.add_subplot()
    axes.bar(number, share, width=1.0, color=style.SKY, label="so many neurons")
    axes.step(number, share.cumsum(), where="post", color=style.BLUE, label="at most so many")
    label = f"{few}: {sparse.share_few:.1f} % of the images"
    axes.axvline(few, color=style.VERMILION, linewidth=0.8, linestyle="--", label=label)
    q = sparse.quantiles
    axes.set(
        xlabel=f"Responding neurons of {sparse.neurons:,}",
        ylabel=f"Share of {len(sparse.responding):,} images (%)",
        ylim=(0, 102),
        xlim=(-0.7, max(len(share), few + 1)),
    )
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    figure.legend(
        loc="outside upper left", title=f"Median {q[0.5]}, nine images in ten from {q[0.05]} to {q[0.95]}",
        alignment="left", title_fontsize=7,
    )  # fmt: skip
    return figure
