"""Several runs side by side: in what they differ, what each came to, and means over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from hebbarium.analysis import figures, pages, summary
from hebbarium.analysis.pages import Picture
from hebbarium.ledger import controls, ledger
from hebbarium.ledger.ledger import LedgerError, Mean
from hebbarium.studies.reports.contents import USUAL, Contents
from hebbarium.training import clone

__all__ = ["Compared", "Comparison", "compare", "unlike"]

_ALL_ALIKE = "nothing"


@dataclass(frozen=True)
class Compared:
    """A run in the table: what tells it from the others, and its accuracies by readout."""

    name: str
    values: tuple[str, ...]
    percent: Mapping[str, float]
    complete: bool


@dataclass(frozen=True)
class Comparison:
    """Several runs.

    Parameters
    ----------
    columns : tuple of str
        In what they differ.
    readouts : tuple of str
    lines : tuple of Compared
        One a run.
    means : tuple of Mean
        Over the seeds of what has several.
    verdict : str
        How near these means are to the paper's numbers, and whether they are above controls; empty where nothing can be
        compared.
    note : str
        Why there is no mean; empty unless two runs are the same.
    curves : Picture, optional
    """

    columns: tuple[str, ...]
    readouts: tuple[str, ...]
    lines: tuple[Compared, ...]
    means: tuple[Mean, ...]
    verdict: str
    note: str
    curves: Picture | None


def compare(runs: Sequence[Contents], trees: Mapping[str, xr.DataTree]) -> Comparison:
    """Put runs side by side.

    Parameters
    ----------
    runs : sequence of Contents
        With names of their own.
    trees : mapping
        The result tree of each, by its name.
    """
    told = [_told(run, runs) for run in runs]
    names = list(dict.fromkeys(name for values in told for name in values))
    columns = tuple(name for name in names if len({values.get(name, "") for values in told}) > 1)
    lines = tuple(
        Compared(
            run.name, tuple(values.get(name, "") for name in columns),
            {one.readout: one.percent for one in run.answers}, run.summary.complete,
        )
        for run, values in zip(runs, told, strict=True)
    )  # fmt: skip
    means, verdict, note = _means(runs)
    readouts = tuple(dict.fromkeys(readout for line in lines for readout in line.percent))
    return Comparison(columns, readouts, lines, means, verdict, note, _curves(trees))


def _told(run: Contents, runs: Sequence[Contents]) -> dict[str, str]:
    """What may tell a run from others: parameters one by one, if all runs have the same ones."""
    brief = run.summary
    first = {"model": brief.model, "data set": brief.dataset, "seed": str(brief.seed)}
    first |= {"samples seen": f"{brief.seen:,}"} if brief.dataset else {}
    commit = run.facts.get("Commit", "")
    asked = {name: value for name, (value, _) in run.settings.items()}
    last = {**asked, "commit": f"{commit[:12]}{' (changed)' if ',' in commit else ''}"}
    if len({other.summary.model for other in runs}) == 1:
        values = {line.symbol: line.value for line in run.parameters}
    else:
        changed = [f"{line.symbol} = {line.value}" for line in run.parameters if line.origin != USUAL]
        values = {"set": ", ".join(changed) or _ALL_ALIKE}
    return {**first, **values, **last}


def _means(runs: Sequence[Contents]) -> tuple[tuple[Mean, ...], str, str]:
    """Means of what has several seeds, how near they are to the paper, or why there are none."""
    try:
        cells = ledger.summarise(row for run in runs for row in run.rows)
    except LedgerError:
        return (), "", "Two of these runs differ neither in their settings nor in their seeds: no mean is taken."
    means = tuple(cell for cell in cells if cell.seeds > 1)
    compared = [cell for cell in means if cell.paper is not None]
    differing, _ = ledger.split_names(compared) if compared else ([], [])
    said = [ledger.verdict(compared, differing)] if compared else []
    return means, " ".join([*said, *controls.of_folder(clone.ledgers(Path("results"))).sentences(means)]), ""


def _curves(trees: Mapping[str, xr.DataTree]) -> Picture | None:
    text = "Accuracy on training blocks, a line for each run, and on test images by its first readout, as marks."
    try:
        return pages.picture("learning_curves", text, figures.learning_curves(trees))
    except summary.UNDRAWABLE:
        return None


def unlike(names: Sequence[str]) -> Iterator[str]:
    """Names, those that come again with a number behind them.

    >>> list(unlike(["digits", "run", "digits"]))
    ['digits', 'run', 'digits (2)']
    """
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"
