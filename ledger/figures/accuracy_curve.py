"""Accuracy against a number that a paper varies, such as the size of a network."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

import numpy as np
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.ledger import tables
from hebbarium.ledger.rows import LedgerError, Row


@style.styled
def accuracy_curve(rows: Iterable[Row], axis: str, number: Callable[[Row], float]) -> Figure:
    """Mean of the seeds of each cell, its standard error as a bar, a line for each readout; the paper's numbers.

    Parameters
    ----------
    rows
        Rows of a ledger.
    axis
        What is varied.
    number
        Its value for a row.

    Raises
    ------
    LedgerError
        There are no rows.
    """
    cells = sorted(tables.summarise(rows), key=lambda cell: number(cell.row))
    if not cells:
        raise LedgerError(f"No rows to draw against {axis}.")
    figure = style.new_figure(style.COLUMN_MM, 70)
    axes = figure.add_subplot()
    for index, readout in enumerate(dict.fromkeys(cell.row.readout for cell in cells)):
        colour, mark = style.LINES[index % len(style.LINES)]
        mine = [cell for cell in cells if cell.row.readout == readout]
        seeds = [cell.seeds for cell in mine]
        axes.errorbar(
            [number(cell.row) for cell in mine],
            [cell.mean for cell in mine],
            yerr=np.nan_to_num([cell.error for cell in mine]) if max(seeds) > 1 else None,
            color=colour,
            marker=mark,
            capsize=2,
            label=f"{readout.replace('_', ' ')}, {style.over_seeds(seeds)}",
        )
        printed = [(number(cell.row), cell.paper) for cell in mine if cell.paper is not None]
        if printed:
            axes.plot(
                *zip(*printed, strict=True), linestyle="", marker="D", markersize=5, markerfacecolor="none",
                color=colour, label=f"{readout.replace('_', ' ')}, paper",
            )  # fmt: skip
    axes.set(xlabel=axis, ylabel="Accuracy (%)")
    axes.grid(color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
    _, shared = tables.split_names(cells)
    figure.supxlabel(textwrap.fill(tables.described(cells[0].row, shared), 62), fontsize=6, color=style.GREY)
    figure.legend(loc="outside upper left", ncols=1)
    return figure
