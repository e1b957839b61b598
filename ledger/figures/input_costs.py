"""Accuracy against the spikes of an image's input, a line an encoder."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from hebbarium.analysis.figures import style
from hebbarium.ledger.rows import ACCURACY, LedgerError, Row
from hebbarium.ledger.tables import summarise

SPIKES = "input_spikes"
"""Measure: spikes of the input that an image is to be expected to cost."""
USUAL = "geometric"
"""The encoder of rows that name none."""


@dataclass(frozen=True)
class InputCost:
    """What one setting reaches, and what its input costs.

    Parameters
    ----------
    encoder : str
        With what its rates are lower by, if they are.
    spikes : float
        Of an image.
    accuracy, error : float
        Per cent; the standard error over seeds, NaN for one.
    seeds : int
    """

    encoder: str
    spikes: float
    accuracy: float
    error: float
    seeds: int


def input_costs(rows: Iterable[Row], readout: str) -> list[InputCost]:
    """Settings whose input was counted, from the cheapest on.

    Parameters
    ----------
    rows
        Of one item: accuracies, and `SPIKES`.
    readout
        By which accuracies are read.
    """
    rows = list(rows)
    spikes = {cell.row.setting: cell.mean for cell in summarise(row for row in rows if row.measure == SPIKES)}
    found = [
        InputCost(_line(cell.row), spikes[cell.row.setting], cell.mean, cell.error, cell.seeds)
        for cell in summarise(row for row in rows if row.measure == ACCURACY and row.readout == readout)
        if cell.row.setting in spikes
    ]
    return sorted(found, key=lambda cost: cost.spikes)


def _line(row: Row) -> str:
    lower = ", lower rates" if "total_rate" in row.symbols else ""
    return f"{row.symbols.get('encoder', USUAL)}{lower}"


def spikes_for(accuracy: float, costs: Iterable[InputCost]) -> float:
    """Spikes that reach an accuracy, between those of neighbours, by their logarithm.

    Raises
    ------
    LedgerError
        None of the settings is as good, or all are better: how few would do is not known.
    """
    ordered = sorted(costs, key=lambda cost: cost.spikes)
    for fewer, more in itertools.pairwise(ordered):
        if fewer.accuracy < accuracy <= more.accuracy:
            part = (accuracy - fewer.accuracy) / (more.accuracy - fewer.accuracy)
            return math.exp((1 - part) * math.log(fewer.spikes) + part * math.log(more.spikes))
    raise LedgerError(f"{accuracy:g} % is not between the accuracies of two settings; run cheaper or dearer ones.")


@style.styled
def input_costs_of_encoders(costs: Iterable[InputCost]) -> Figure:
    """Each setting's accuracy against its input's spikes; see `input_costs`."""
    costs = list(costs)
    figure = style.new_figure(style.COLUMN_MM, 66)
    axes = figure.add_subplot()
    for number, encoder in enumerate(dict.fromkeys(cost.encoder for cost in costs)):
        own = [cost for cost in costs if cost.encoder == encoder]
        colour, mark = style.LINES[number % len(style.LINES)]
        axes.errorbar(
            [cost.spikes for cost in own], [cost.accuracy for cost in own],
            yerr=None if any(np.isnan(cost.error) for cost in own) else [cost.error for cost in own],
            color=colour, marker=mark, markerfacecolor="none", capsize=2, label=encoder,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("Input spikes a test image")
    axes.set_ylabel(f"Accuracy (%), {style.over_seeds(cost.seeds for cost in costs)}")
    axes.legend()
    return figure
