"""The page of a report, made of run folders or result files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from hebbarium.analysis import pages
from hebbarium.engine import run_folder
from hebbarium.files.errors import EngineError
from hebbarium.ledger.operations import SampleCost
from hebbarium.record import results
from hebbarium.studies.reports import comparison, contents
from hebbarium.studies.reports.contents import Contents
from hebbarium.training.run import Run

__all__ = ["MOST", "own_model", "report"]

MOST = 50
"""Runs of a page."""


def report(
    paths: Sequence[Path], *, costs: Mapping[Path, Sequence[SampleCost]] | None = None, trust_model: bool = False
) -> str:
    """A page of HTML on one run, or on several with a comparison before them. It needs nothing besides itself.

    Parameters
    ----------
    paths : sequence of Path
        Run folders, of trained networks or of experiments, or their result files.
    costs : mapping, optional
        Operations of some of them, from `hebbarium.studies.operations.measure`.
    trust_model : bool
        Let the Python file run that a run's model is written in: its parameters are explained then.

    Raises
    ------
    ResultFileError, SchemaError
        One of them has no results, or none that can be read.
    ValueError
        There are none, or too many.
    """
    if not 1 <= len(paths) <= MOST:
        raise ValueError(f"{len(paths)} runs: expected 1 to {MOST} on a page")
    names = list(comparison.unlike([results.folder_of(path).resolve().name for path in paths]))
    with ExitStack() as stack:
        trees = {
            name: stack.enter_context(results.open_run(path)) for name, path in zip(names, paths, strict=True)
        }
        runs: list[Contents] = []
        for (name, tree), path in zip(trees.items(), paths, strict=True):
            own = own_model(path) if trust_model else None
            model, settings = (own.model, own.settings) if own else (None, None)
            counted = (costs or {}).get(path, ())
            runs.append(contents.gather(name, tree, settings=settings, model=model, costs=counted))
        side_by_side = comparison.compare(runs, trees) if len(runs) > 1 else None
    return pages.render("report.html.jinja", runs=runs, comparison=side_by_side)


def own_model(path: Path) -> Run | None:
    """A run folder whose model can be loaded; None for result files alone, and for experiments."""
    folder = results.folder_of(path)
    if not (folder / run_folder.CONFIGURATION).is_file():
        return None
    run = Run.open(folder, trust_model=True)
    try:
        run.model  # noqa: B018
    except (EngineError, ValueError):
        return None
    return run
