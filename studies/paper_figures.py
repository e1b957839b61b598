"""Figures of the papers that short runs are enough for, as protocols list them (`Paper.figures`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from hebbarium.record import results

__all__ = ["Draw", "PaperFigure", "of_result", "of_results"]

Draw = Callable[[Mapping[str, Path]], Figure]
"""Makes a figure of run folders, by what each is called in it."""


@dataclass(frozen=True)
class PaperFigure:
    """One figure.

    Parameters
    ----------
    runs : mapping
        What is drawn, by what it is called in the figure: names of the paper's short runs.
    draw : callable
        Makes the figure of the folders of these runs.
    """

    runs: Mapping[str, str]
    draw: Draw


def of_result(draw: Callable[[xr.DataTree], Figure]) -> Draw:
    """A figure that needs one result file."""

    def drawn(runs: Mapping[str, Path]) -> Figure:
        (run,) = runs.values()
        with results.open_run(run) as tree:
            return draw(tree)

    return drawn


def of_results(draw: Callable[[Mapping[str, xr.DataTree]], Figure]) -> Draw:
    """A figure of several result files, by what their runs are called; they are closed once it is drawn."""

    def drawn(runs: Mapping[str, Path]) -> Figure:
        with contextlib.ExitStack() as stack:
            return draw({called: stack.enter_context(results.open_run(run)) for called, run in runs.items()})

    return drawn
