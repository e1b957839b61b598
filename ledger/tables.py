"""Tables made from rows: the seeds of a cell together, ours beside the paper's, and how near they are.

Rows are averaged only with rows that differ from them in nothing but the seed, the command and the commit; a table says
below itself what all its cells have in common.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hebbarium.analysis.intervals import CONFIDENCE, half_width
from hebbarium.ledger.rows import ACCURACY, CELL, COLUMNS, PER_CENT, LedgerError, Row, value_of

if TYPE_CHECKING:
    from hebbarium.ledger.controls import Controls

__all__ = [
    "NEAR",
    "NONE_YET",
    "Mean",
    "described",
    "following_from_size",
    "line",
    "markdown_table",
    "mean_and_error",
    "sort_key",
    "split_names",
    "summarise",
    "values_by_size",
    "verdict",
]

NEAR = 2.0
"""Points by which ours may differ from the paper's and still count as the same."""

NONE_YET = "*No numbers in the ledger yet.*"

_UNITS = {PER_CENT: "per cent", "": "numbers without unit"}
_HEADINGS = {"trained": "images trained", "tested": "images tested"}
_MEASURE = "measure"
_OF_THE_PAPER = ("Table ", "Fig. ", "Section ")


@dataclasses.dataclass(frozen=True)
class Mean:
    """The mean over the seeds of one setting.

    `error` is the standard error of the mean, NaN for a single seed.
    """

    row: Row
    mean: float
    error: float
    seeds: int
    paper: float | None

    def half_width(self, confidence: float = CONFIDENCE) -> float:
        """How far the mean's t-interval reaches to each side; NaN for a single seed."""
        return half_width(self.error, self.seeds, confidence)


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error, s / sqrt(n) with n - 1 in s; the error of one value is NaN.

    >>> mean_and_error([86.0, 88.0, 87.0])
    (87.0, 0.5773502691896258)
    """
    numbers = np.asarray(values, dtype=float)
    if not numbers.size:
        raise LedgerError("The mean of no values was asked for.")
    error = numbers.std(ddof=1) / math.sqrt(numbers.size) if numbers.size > 1 else math.nan
    return float(numbers.mean()), float(error)


def summarise(rows: Iterable[Row]) -> list[Mean]:
    """Mean and standard error over the seeds of each cell, cells in the order in which they first appear.

    Raises
    ------
    LedgerError
        If rows of one cell hold different numbers of the paper, or one seed twice.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(row.cell, []).append(row)
    cells = []
    for group in groups.values():
        papers = {row.paper for row in group}
        seeds = {row.seed for row in group}
        if len(papers) > 1 or len(seeds) < len(group):
            raise LedgerError(
                f"{group[0].item}, {group[0].setting}: a seed appears twice, or rows differ in the paper's number."
            )
        mean, error = mean_and_error([row.value for row in group])
        cells.append(Mean(group[0], mean, error, len(group), group[0].paper))
    return cells


# ------------------------------------------------------------------------------------------------- tables


def markdown_table(
    rows: Iterable[Row], columns: str | None = None, controls: Controls | None = None
) -> str:
    """Our numbers beside the paper's: ``mean ± standard error / paper``.

    Parameters
    ----------
    rows
        Rows of a ledger, all in one unit unless measures are the columns; what differs between cells is written in
        front of each row, what they share, or what follows from the size of the network, below the table.
    columns
        A symbol of the setting, or a column of the ledger, whose values become the table's columns. Without
        it each cell has a row of its own.
    controls
        What stands beside accuracies on the same sets; a number that is not above a control is told so in words.

    Returns
    -------
    str
        Markdown, without a newline at the end.

    Raises
    ------
    LedgerError
        Rows are of several units, or none has what `columns` names.
    """
    cells = summarise(rows)
    if not cells:
        return NONE_YET
    units = sorted({cell.row.unit for cell in cells})
    if len(units) > 1 and columns != _MEASURE:
        raise LedgerError(f"Rows are in {' and '.join(unit or 'no unit' for unit in units)}; choose one measure.")
    differing, shared = split_names(cells)
    if columns is not None and columns not in (*differing, *shared):
        near = difflib.get_close_matches(columns, [*differing, *shared], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise LedgerError(f"columns={columns} is neither a column nor a symbol of these rows.{hint}")
    by_size = following_from_size(cells, [name for name in differing if name != columns])
    varying = [name for name in differing if name not in (columns, *by_size)]
    ours = _ours(cells, controls)
    lines = _list(cells, varying, ours) if columns is None else _pivot(cells, varying, columns, ours)
    seeds = sorted({cell.seeds for cell in cells})
    number = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    errors = ", mean ± standard error" if seeds[-1] > 1 else ""
    compared = [cell for cell in cells if cell.paper is not None and columns != _MEASURE]
    form = " Each cell: ours / paper." if columns is not None and compared else ""
    in_unit = "" if columns == _MEASURE else f"in {_UNITS.get(units[0], units[0])}, "
    said = [
        _sentence(f"{in_unit}{number} seed{'s' if seeds[-1] > 1 else ''}{errors}") + form,
        f"{described(cells[0].row, [name for name in shared if name != columns])}.",
        *values_by_size(cells, by_size),
        *(controls.sentences(cells) if controls else ()),
    ]
    telling = [name for name in differing if name not in by_size]
    near = [verdict(compared, telling), ""] if compared else []
    return "\n".join([*lines, "", *near, " ".join(said)])


def verdict(cells: Sequence[Mean], names: Sequence[str] = ()) -> str:
    """How near cells are to the paper's numbers: how many are near, and by how much the others miss.

    Per cent are near within `NEAR` points; what has another unit is near within the spread that the paper prints.

    Parameters
    ----------
    cells
        Cells for which the paper has a number, at least one, all in one unit.
    names
        What tells them from one another.
    """
    differences = [cell.mean - cell.paper for cell in cells if cell.paper is not None]
    unit = cells[0].row.unit
    points = "points" if unit == PER_CENT else unit
    limits = [NEAR if unit == PER_CENT else cell.row.paper_spread for cell in cells]
    # as printed: a difference of 2.00 is within 2 points whatever binary fractions make of it
    near = [
        round(abs(difference), 2) <= limit
        for difference, limit in zip(differences, limits, strict=True)
        if limit is not None
    ]
    within = f"{NEAR:g} points of the paper" if unit == PER_CENT else "the paper's spread"
    judged = f"Within {within}: {sum(near)} of {len(near)} cell{'s' if len(near) > 1 else ''}; " if near else ""
    if len(cells) == 1:
        in_unit = "" if unit == PER_CENT else f" {unit}".rstrip()
        return _sentence(f"{judged}difference {_signed(differences[0])}{in_unit}")
    largest = max(range(len(cells)), key=lambda k: abs(differences[k]))
    root = math.sqrt(sum(difference**2 for difference in differences) / len(differences))
    where = described(cells[largest].row, names)
    return _sentence(
        f"{judged}root mean square difference {f'{root:.2f} {points}'.rstrip()}, "
        f"mean {_signed(sum(differences) / len(cells))}; "
        f"largest {_signed(differences[largest])}{f' ({where})' if where else ''}"
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def following_from_size(cells: Sequence[Mean], names: Iterable[str]) -> list[str]:
    """Those of some symbols that have one value for each size of network, where there are several sizes."""
    sizes = {cell.row.neurons for cell in cells}
    symbols = {symbol for cell in cells for symbol in cell.row.symbols}
    return [
        name
        for name in names
        if name in symbols and name != "neurons" and len(sizes) > 1
        and len({(cell.row.neurons, value_of(cell.row, name)) for cell in cells}) == len(sizes)
    ]  # fmt: skip


def split_names(cells: Sequence[Mean]) -> tuple[list[str], list[str]]:
    """Columns, and symbols of the setting, that differ between cells, and those that all cells share."""
    names: list[str] = []
    for name in CELL:
        if name == _MEASURE and all(cell.row.measure == ACCURACY for cell in cells):
            continue  # which goes without saying
        if name == "setting":
            names += dict.fromkeys(symbol for cell in cells for symbol in cell.row.symbols)
        else:
            names.append(name)
    varying = [name for name in names if len({value_of(cell.row, name) for cell in cells}) > 1]
    return varying, [name for name in names if name not in varying]


def described(row: Row, names: Iterable[str]) -> str:
    """What a row has under some names, for people: ``neurons 400, w_t 9, tau_p 60 ms``."""
    return ", ".join(
        value if name == "item" and value.startswith(_OF_THE_PAPER) else f"{_heading(name)} {_readable(value)}"
        for name in names
        if (value := value_of(row, name))
    )


def sort_key(row: Row, names: Iterable[str]) -> list[tuple[float, str]]:
    """Key that sorts rows by some names, numbers by size and before words."""
    return [_order(value_of(row, name)) for name in names]


def values_by_size(cells: Sequence[Mean], names: Sequence[str]) -> list[str]:
    """What follows from the size, told for each size: ``With 100, 400 neurons: epochs 3, 5.``"""
    if not names:
        return []
    by_size = {cell.row.neurons: cell.row for cell in sorted(cells, key=lambda cell: _order(cell.row.neurons))}
    told = [
        f"{_heading(name)} {', '.join(_readable(value_of(row, name)) for row in by_size.values())}" for name in names
    ]
    return [f"With {', '.join(by_size)} neurons: {'; '.join(told)}."]


def _signed(points: float) -> str:
    return f"{points:+.2f}".replace("-", "\N{MINUS SIGN}")


def _list(cells: Sequence[Mean], varying: Sequence[str], ours: Callable[[Mean], str]) -> list[str]:
    ordered = sorted(cells, key=lambda cell: sort_key(cell.row, varying))
    lines = [line([*map(_heading, varying), "ours", "paper"]), line(["---"] * len(varying) + ["---:"] * 2)]
    for cell in ordered:
        paper = "" if cell.paper is None else _number(cell.paper, cell)
        lines.append(line([*(_readable(value_of(cell.row, name)) for name in varying), ours(cell), paper]))
    return lines


def _pivot(
    cells: Sequence[Mean], varying: Sequence[str], column: str, ours: Callable[[Mean], str]
) -> list[str]:
    units = {value_of(cell.row, column): cell.row.unit for cell in cells}
    heads = list(units) if column == _MEASURE else sorted(units, key=_order)
    names = [f"{_heading(column)} {_readable(head)}" for head in heads]
    if column == _MEASURE:
        names = [f"{head.replace('_', ' ')}{f' ({units[head]})' if units[head] else ''}" for head in heads]
    table: dict[tuple[str, ...], dict[str, Mean]] = {}
    for cell in cells:
        table.setdefault(tuple(value_of(cell.row, name) for name in varying), {})[value_of(cell.row, column)] = (
            cell
        )
    lines = [
        line([*map(_heading, varying), *names]),
        line(["---"] * len(varying) + ["---:"] * len(heads)),
    ]
    for key in sorted(table, key=lambda key: [_order(value) for value in key]):
        entries = []
        for head in heads:
            mean = table[key].get(head)
            paper = "" if mean is None or mean.paper is None else f" / {_number(mean.paper, mean)}"
            entries.append("" if mean is None else ours(mean) + paper)
        lines.append(line([*map(_readable, key), *entries]))
    return lines


def _ours(cells: Sequence[Mean], controls: Controls | None) -> Callable[[Mean], str]:
    """How a table shows our numbers: single seeds are marked among means, and what is not above a control."""
    means = any(cell.seeds > 1 for cell in cells)

    def shown(cell: Mean) -> str:
        error = f" ± {_number(cell.error, cell, 2)}" if cell.seeds > 1 else " (1 seed)" if means else ""
        words = controls.words(cell.row, cell.mean) if controls else ""
        return f"{_number(cell.mean, cell)}{error}{f', {words}' if words else ''}"

    return shown


def _number(value: float, cell: Mean, digits: int = 4) -> str:
    """Two places of per cent; of what has another unit, some digits."""
    return f"{value:.2f}" if cell.row.unit == PER_CENT else f"{value:.{digits}g}"


def line(entries: Iterable[str]) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(entries) + " |"


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name.replace("_", " ")) if name in COLUMNS else name


def _readable(value: str) -> str:
    return value.replace("*", " ")


def _order(value: str) -> tuple[float, str]:
    """Numbers before words, by size; ``60*ms`` counts as a number."""
    number = re.match(r"-?\d+(\.\d+)?", value)
    return (float(number[0]) if number else math.inf, value)
