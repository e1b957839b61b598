"""Our accuracy beside the paper's."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.ledger import tables
from hebbarium.ledger.controls import Controls
from hebbarium.ledger.figures.control_lines import draw_controls
from hebbarium.ledger.rows import LedgerError, Row, read, select

NONE = Controls()
NAME_WIDTH = 52
"""Characters of a line of a cell's name."""
NOTHING_VARIED = "as it is"
"""Name of a cell that has none of what varies."""


@style.styled
def paper_comparison(
    rows: Iterable[Row] | str | os.PathLike[str], columns: str | None = None, controls: Controls = NONE,
    **conditions: str,
) -> Figure:
    """Mean and standard error over seeds of each cell of a table, and the paper's number for it.

    Parameters
    ----------
    rows
        Rows of a ledger, or the path of one.
    columns
        A symbol or column by which cells are ordered last, so that what else they share stays together.
    controls
        Those of the set are drawn as lines, if all cells are of one.
    **conditions
        Which rows, such as ``item="Table IV"``; see `hebbarium.ledger.rows.select`.
    """
    given = read(rows) if isinstance(rows, str | os.PathLike) else rows
    cells = tables.summarise(select(given, **conditions))
    if not cells:
        wanted = ", ".join(f"{name}={value}" for name, value in conditions.items()) or "anything"
        source = f" in {Path(rows)}" if isinstance(rows, str | os.PathLike) else ""
        raise LedgerError(f"No rows with {wanted}{source}.")
    differing, shared = tables.split_names(cells)
    by_size = tables.following_from_size(cells, differing)
    varying = [name for name in differing if name not in by_size]
    varying.sort(key=lambda name: name == columns)
    # what all others are compared with stands on top
    cells.sort(key=lambda cell: (bool(tables.described(cell.row, varying)), tables.sort_key(cell.row, varying)))
    heights = np.arange(len(cells))[::-1]
    names = [_wrapped(tables.described(cell.row, varying) or NOTHING_VARIED) for cell in cells]
    lines = max(name.count("\n") for name in names) + 1
    figure = style.new_figure(style.PAGE_MM * 0.75, (2.0 + 3.0 * lines) * len(cells) + 32)
    axes = figure.add_subplot()
    seeds = [cell.seeds for cell in cells]
    axes.errorbar(
        [cell.mean for cell in cells],
        heights,
        xerr=np.nan_to_num([cell.error for cell in cells]) if max(seeds) > 1 else None,
        linestyle="",
        marker="o",
        color=style.BLUE,
        capsize=2,
        label=f"ours, {style.over_seeds(seeds)}",
    )
    printed = [
        (cell.paper, height) for cell, height in zip(cells, heights, strict=True) if cell.paper is not None
    ]
    if printed:
        axes.plot(
            *zip(*printed, strict=True),
            linestyle="",
            marker="D",
            markersize=5,
            markerfacecolor="none",
            color=style.VERMILION,
            label="paper",
        )
    if len({cell.row.dataset for cell in cells}) == 1:
        draw_controls(axes, controls.beside(cells[0].row), across=False)
    axes.set_yticks(heights, names)
    axes.set_ylim(-0.7, len(cells) - 0.3)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("Accuracy (%)")
    facts = [f"{tables.described(cells[0].row, shared)}.", *tables.values_by_size(cells, by_size)]
    figure.supxlabel(textwrap.fill(" ".join(facts), 100), fontsize=6, color=style.GREY)
    figure.legend(loc="outside upper right", ncols=2 + bool(controls.rows))
    return figure


def _wrapped(name: str) -> str:
    """A long name in several lines, broken between its parts, so that it leaves the axes their room."""
    parts = (part.replace(" ", "\N{NO-BREAK SPACE}") for part in name.split(", "))
    return textwrap.fill(", ".join(parts), NAME_WIDTH).replace("\N{NO-BREAK SPACE}", " ")
