"""A measure against a number that a paper varies, such as accuracy against the size of a network."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.ledger import tables
from hebbarium.ledger.controls import Controls
from hebbarium.ledger.figures.control_lines import draw_controls
from hebbarium.ledger.rows import ACCURACY, LedgerError, Row


def by_readout(row: Row) -> str:
    """One line for each readout."""
    return row.readout.replace("_", " ")


@dataclass(frozen=True)
class Curve:
    """What is drawn against what.

    Parameters
    ----------
    axis : str
        What is varied.
    number : callable
        Its value for a row.
    table : str
        Whose rows are drawn; if not given, those of the table that the figure is called by.
    measure : str
        A regular expression that names of measures match.
    label : str
        What the measures are.
    line : callable
        The name of the line that a row belongs to; empty for a row that is left out.
    logarithmic : bool
        Whether the varied number goes by factors.
    level : float or callable, optional
        Of a dashed line across; or what it is, from the rows of the table.
    readout : str, optional
        A regular expression that readouts match; the paper's, or none, if not given.
    """

    axis: str
    number: Callable[[Row], float]
    table: str = ""
    measure: str = ACCURACY
    label: str = "Accuracy (%)"
    line: Callable[[Row], str] = by_readout
    logarithmic: bool = False
    level: float | Callable[[Iterable[Row]], float] | None = None
    readout: str | None = None

    def of(self, rows: Iterable[Row], usual: str | None = None) -> list[Row]:
        """The rows that are drawn.

        Parameters
        ----------
        rows
            Of the table.
        usual : str, optional
            The paper's readout; rows of all readouts if not given.
        """
        of_paper = ".*" if usual is None else f"({re.escape(usual)})?"
        readout = of_paper if self.readout is None else self.readout
        return [
            row for row in rows
            if re.fullmatch(self.measure, row.measure) and re.fullmatch(readout, row.readout) and self.line(row)
        ]  # fmt: skip


@style.styled
def curve(
    rows: Sequence[Row], drawn: Curve, usual: str | None = None, controls: Controls | None = None
) -> Figure:
    """Mean of the seeds of each cell, its standard error as a bar, a line for each readout; the paper's numbers.

    Parameters
    ----------
    rows
        Rows of a ledger.
    drawn
        What is drawn against what.
    usual
        The paper's readout; rows of all readouts if not given.
    controls
        Those of the set are drawn as lines across, if what is drawn are accuracies on it.

    Raises
    ------
    LedgerError
        There are no rows.
    """
    cells = sorted(tables.summarise(drawn.of(rows, usual)), key=lambda cell: drawn.number(cell.row))
    if not cells:
        raise LedgerError(f"No rows to draw against {drawn.axis}.")
    beside = controls.beside(cells[0].row) if controls and len({cell.row.dataset for cell in cells}) == 1 else []
    figure = style.new_figure(style.COLUMN_MM, 70 + 4 * len(beside))
    axes = figure.add_subplot()
    for index, line in enumerate(dict.fromkeys(drawn.line(cell.row) for cell in cells)):
        colour, mark = style.LINES[index % len(style.LINES)]
        mine = [cell for cell in cells if drawn.line(cell.row) == line]
        seeds = [cell.seeds for cell in mine]
        axes.errorbar(
            [drawn.number(cell.row) for cell in mine],
            [cell.mean for cell in mine],
            yerr=np.nan_to_num([cell.error for cell in mine]) if max(seeds) > 1 else None,
            color=colour,
            marker=mark,
            capsize=2,
            label=f"{line}, {style.over_seeds(seeds)}",
        )
        printed = [(drawn.number(cell.row), cell.paper) for cell in mine if cell.paper is not None]
        if printed:
            axes.plot(
                *zip(*printed, strict=True), linestyle="", marker="D", markersize=5, markerfacecolor="none",
                color=colour, label=f"{line}, paper",
            )  # fmt: skip
    if drawn.level is not None:
        level = drawn.level(rows) if callable(drawn.level) else drawn.level
        axes.axhline(level, color=style.GREY, linestyle="--", linewidth=0.8)
    draw_controls(axes, beside, across=True)
    if drawn.logarithmic:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel=drawn.axis, ylabel=drawn.label)
    axes.grid(color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
    _, shared = tables.split_names(cells)
    figure.supxlabel(textwrap.fill(tables.described(cells[0].row, shared), 62), fontsize=6, color=style.GREY)
    figure.legend(loc="outside upper left", ncols=1)
    return figure
