"""Every number that papers print and that was run here, beside ours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.ledger import ledger
from hebbarium.ledger.controls import Controls
from hebbarium.ledger.tables import NEAR

_MM = (112.0, 104.0)


def caption(by_paper: Mapping[str, Sequence[ledger.Mean]], controls: Controls | None = None) -> str:
    """How near all of them are, and how many are above all controls of their sets; it stands in the figure."""
    every = [cell for cells in by_paper.values() for cell in cells]
    differences = [cell.mean - (cell.paper or 0) for cell in every]
    near = sum(round(abs(difference), 2) <= NEAR for difference in differences)
    text = f"{near} of {len(differences)} numbers within {NEAR:g} points of the paper's"
    beside = [cell for cell in every if controls and controls.beside(cell.row)]
    if not controls or not beside:
        return text
    above = sum(not controls.words(cell.row, cell.mean) for cell in beside)
    return f"{text},\n{above} of {len(beside)} above all controls of their set"


@style.styled
def every_number(by_paper: Mapping[str, Sequence[ledger.Mean]], controls: Controls | None = None) -> Figure:
    """Our accuracy over the paper's: a mark a number, hollow where it is a single seed.

    Parameters
    ----------
    by_paper
        The name of each paper, and its cells for which the paper has a number.
    controls
        Of their sets.

    Raises
    ------
    ledger.LedgerError
        There are no such cells.
    """
    numbers = [value for cells in by_paper.values() for cell in cells for value in (cell.mean, cell.paper or 0)]
    if not numbers:
        raise ledger.LedgerError("every_number: no cell has a number of its paper beside it.")
    figure = style.new_figure(*_MM)
    axes = figure.add_subplot()
    ends = (math.floor(min(numbers) / 5) * 5, 100)
    axes.fill_between(
        ends,
        [end - NEAR for end in ends],
        [end + NEAR for end in ends],
        color="#E4E4E4",
        linewidth=0,
        label=f"within {NEAR:g} points",
    )
    for index, (name, cells) in enumerate(by_paper.items()):
        colour, mark = style.MANY_LINES[index % len(style.MANY_LINES)]
        for single in (False, True):
            chosen = [cell for cell in cells if (cell.seeds == 1) == single]
            if not chosen:
                continue
            axes.errorbar(
                [cell.paper or 0 for cell in chosen],
                [cell.mean for cell in chosen],
                yerr=None if single else [cell.error for cell in chosen],
                linestyle="",
                marker=mark,
                color=colour,
                markerfacecolor="white" if single else colour,
                elinewidth=0.8,
                label=f"{name}, {style.over_seeds(cell.seeds for cell in chosen)}",
            )
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    axes.set_xlabel("Accuracy in the paper (%)")
    axes.set_ylabel("Accuracy here (%)")
    axes.set_title(caption(by_paper, controls), loc="left")
    axes.legend(loc="lower right")
    return figure
