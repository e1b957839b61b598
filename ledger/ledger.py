"""The ledger of reproduced numbers, ``results/<model>.csv``, and the tables made from it.

One row is one seed. Rows are averaged only with rows that differ from them in nothing but the seed, the
command and the commit; a table says below itself what all its cells have in common.

A document takes its tables between markers that say where they come from::

    <!-- table: synaptic_scaling IV columns=w_t readout=most_active -->
    <!-- end -->

The first word is the ledger, the second the table; then come conditions on any column or symbol, ``w_ie=17`` or
``w_ie!=17``, and ``columns=SYMBOL`` to spread a symbol's values over the columns as the paper does. Where the paper has
numbers, a table ends with how near they are. Without a table stand

- ``benchmarks``: ``results/benchmarks.csv``, or the rows whose names have one of the words that follow, and none that
  follows a minus; ``_`` stands for a space, as in ``benchmarks times_as -processor``;
- ``wall_times`` and ``not_run``: the whole file of that name;
- ``operations``: a summary of ``results/operations.csv``;
- names that begin with ``literature_``: a paper's list of networks with ours below it (see
  `hebbarium.ledger.literature`).

``python -m hebbarium.ledger.ledger`` writes the tables of a document anew, or, with ``--check``, says whether they are
up to date.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import difflib
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hebbarium.analysis.intervals import CONFIDENCE, half_width
from hebbarium.files import whole_files

BEST, LAST = "best", "last"
NEAR = 2.0
"""Points by which ours may differ from the paper's and still count as the same."""


class LedgerError(ValueError):
    """A ledger, or a marker that asks for a table, is not what was expected."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One seed's result.

    Parameters
    ----------
    table
        The paper's table, such as ``IV``.
    neurons
        ``400``, or ``1600-800`` for two layers.
    setting
        What was set, such as ``norm=L2 w_t=9 tau_p=60*ms``.
    accuracy, paper
        Per cent; `paper` is None where the paper gives no number.
    selection
        ``last`` or ``best`` epoch.
    """

    table: str
    dataset: str
    neurons: str
    setting: str
    readout: str
    seed: int
    accuracy: float
    paper: float | None
    images_trained: int
    images_tested: int
    selection: str
    device: str
    precision: str
    command: str
    commit: str

    def __post_init__(self) -> None:
        if self.selection not in (LAST, BEST):
            raise LedgerError(f"selection is {self.selection!r}; expected {LAST!r} or {BEST!r}.")
        for name in ("accuracy", "paper"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 100:
                raise LedgerError(f"{name} is {value}; expected per cent, 0 to 100.")

    @property
    def cell(self) -> tuple[str, ...]:
        """What rows of one cell share: everything that shapes the result but the seed."""
        return tuple(str(getattr(self, name)) for name in _CELL)

    @property
    def symbols(self) -> dict[str, str]:
        """The setting as a mapping from symbol to value."""
        return symbols_of(self.setting)


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
_CELL = (
    "table",
    "dataset",
    "neurons",
    "setting",
    "readout",
    "images_trained",
    "images_tested",
    "selection",
    "device",
    "precision",
)


@dataclasses.dataclass(frozen=True)
class Cell:
    """The seeds of one cell together.

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


# ------------------------------------------------------------------------------------ reading and writing


def symbols_of(setting: str) -> dict[str, str]:
    """A setting as a mapping from symbol to value.

    >>> symbols_of("norm=L2 w_t=9 tau_p=60*ms")
    {'norm': 'L2', 'w_t': '9', 'tau_p': '60*ms'}
    """
    return dict(item.partition("=")[::2] for item in setting.split())


def read(path: str | os.PathLike[str]) -> list[Row]:
    """Rows of a ledger, in the order of the file; none if there is no such file.

    Raises
    ------
    LedgerError
        Naming the file and line that cannot be read.
    """
    return records(path, COLUMNS, _row)


def records[T](
    path: str | os.PathLike[str], columns: Sequence[str], make: Callable[[dict[str, str]], T]
) -> list[T]:
    """What is made of each record of a table; nothing if there is no such file.

    Raises
    ------
    LedgerError
        The table has other columns; or as `parsed` says.
    """
    path = Path(path)
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file, readable(path):
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(columns):
            raise LedgerError(
                f"{path} has the columns {','.join(reader.fieldnames or ())}; expected {','.join(columns)}."
            )
        return parsed(path, reader, make)


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise `LedgerError` for a file that is no text, or no table, while it is read."""
    try:
        yield
    except (UnicodeDecodeError, csv.Error) as error:
        raise LedgerError(f"{path}: is damaged, or no table: {error}; expected text with commas in UTF-8.") from error


def parsed[T](path: Path, reader: csv.DictReader[str], make: Callable[[dict[str, str]], T]) -> list[T]:
    """What is made of each record of an open table.

    Raises
    ------
    LedgerError
        Naming the file, and the line of which nothing can be made.
    """
    found = []
    for record in reader:
        try:
            found.append(make(record))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise LedgerError(f"{path}, line {reader.line_num}: {error}") from error
    return found


def append(path: str | os.PathLike[str], rows: Iterable[Row]) -> None:
    """Add rows to a ledger, or replace those of the same cell and seed.

    The ledger is locked, written to a temporary name and renamed: processes that add at the same time lose
    nothing, and a reader finds a whole file.
    """
    merge(path, COLUMNS, rows, read=read, key=lambda row: (row.cell, row.seed), written=dataclasses.astuple)


def merge[T](
    path: str | os.PathLike[str],
    columns: Sequence[str],
    rows: Iterable[T],
    *,
    read: Callable[[Path], list[T]],
    key: Callable[[T], object],
    written: Callable[[T], Iterable[object]],
) -> None:
    """Add rows to a table, or replace those of the same key; processes may add at the same time.

    Parameters
    ----------
    read
        The rows that are there.
    key
        What tells a row from others.
    written
        A row's values, in the order of the columns.
    """
    path = Path(path)
    with whole_files.locked(path.parent):
        merged = {key(row): row for row in [*read(path), *rows]}
        whole_files.write_table(path, columns, map(written, merged.values()))


def _row(record: Mapping[str, str]) -> Row:
    values: dict[str, object] = dict(record)
    for name in ("seed", "images_trained", "images_tested"):
        values[name] = int(record[name])
    values["accuracy"] = float(record["accuracy"])
    values["paper"] = float(record["paper"]) if record["paper"].strip() else None
    return Row(**values)  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------- summarising


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


def summarise(rows: Iterable[Row]) -> list[Cell]:
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
                f"{group[0].table}, {group[0].neurons}, {group[0].setting}: a seed appears twice, or rows "
                "differ in the paper's number."
            )
        mean, error = mean_and_error([row.accuracy for row in group])
        cells.append(Cell(group[0], mean, error, len(group), group[0].paper))
    return cells


def select(rows: Iterable[Row], **conditions: str) -> list[Row]:
    """Rows whose columns, or symbols of whose setting, have the given values."""
    return [row for row in rows if all(_value(row, name) == value for name, value in conditions.items())]


def _value(row: Row, name: str) -> str:
    if name in COLUMNS:
        value = getattr(row, name)
        return "" if value is None else str(value)
    return row.symbols.get(name, "")


# ------------------------------------------------------------------------------------------------- tables


def markdown_table(rows: Iterable[Row], columns: str | None = None) -> str:
    """Our accuracy beside the paper's: ``mean ± standard error / paper``, in per cent.

    Parameters
    ----------
    rows
        Rows of a ledger; what differs between cells is written in front of each row, what they share, or what
        follows from the size of the network, below the table.
    columns
        A symbol of the setting, or a column of the ledger, whose values become the table's columns. Without
        it each cell has a row of its own.

    Returns
    -------
    str
        Markdown, without a newline at the end.
    """
    cells = summarise(rows)
    if not cells:
        return "*No numbers in the ledger yet.*"
    differing, shared = split_names(cells)
    if columns is not None and columns not in (*differing, *shared):
        near = difflib.get_close_matches(columns, [*differing, *shared], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise LedgerError(f"columns={columns} is neither a column nor a symbol of these rows.{hint}")
    by_size = following_from_size(cells, [name for name in differing if name != columns])
    varying = [name for name in differing if name not in (columns, *by_size)]
    lines = _list(cells, varying) if columns is None else _pivot(cells, varying, columns)
    seeds = sorted({cell.seeds for cell in cells})
    number = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    errors = ", mean ± standard error" if seeds[-1] > 1 else ""
    compared = [cell for cell in cells if cell.paper is not None]
    form = " Each cell: ours / paper." if columns is not None and compared else ""
    said = [
        f"In per cent, {number} seed{'s' if seeds[-1] > 1 else ''}{errors}.{form}",
        f"{described(cells[0].row, [name for name in shared if name != columns])}.",
        *values_by_size(cells, by_size),
    ]
    telling = [name for name in differing if name not in by_size]
    near = [verdict(compared, telling), ""] if compared else []
    return "\n".join([*lines, "", *near, " ".join(said)])


def verdict(cells: Sequence[Cell], names: Sequence[str] = ()) -> str:
    """How near cells are to the paper's numbers: how many within `NEAR` points, and by how much the others miss.

    Parameters
    ----------
    cells
        Cells for which the paper has a number, at least one.
    names
        What tells them from one another.
    """
    differences = [cell.mean - cell.paper for cell in cells if cell.paper is not None]
    # as printed: a difference of 2.00 is within 2 points whatever binary fractions make of it
    near = sum(round(abs(difference), 2) <= NEAR for difference in differences)
    said = f"Within {NEAR:g} points of the paper: {near} of {len(cells)} cell{'s' if len(cells) > 1 else ''}"
    if len(cells) == 1:
        return f"{said}; difference {_signed(differences[0])}."
    largest = max(range(len(cells)), key=lambda k: abs(differences[k]))
    root = math.sqrt(sum(difference**2 for difference in differences) / len(differences))
    where = described(cells[largest].row, names)
    return (
        f"{said}; root mean square difference {root:.2f} points, mean {_signed(sum(differences) / len(cells))}; "
        f"largest {_signed(differences[largest])}{f' ({where})' if where else ''}."
    )


def following_from_size(cells: Sequence[Cell], names: Iterable[str]) -> list[str]:
    """Those of some symbols that have one value for each size of network, where there are several sizes."""
    sizes = {cell.row.neurons for cell in cells}
    symbols = {symbol for cell in cells for symbol in cell.row.symbols}
    return [
        name
        for name in names
        if name in symbols and len(sizes) > 1
        and len({(cell.row.neurons, _value(cell.row, name)) for cell in cells}) == len(sizes)
    ]  # fmt: skip


def split_names(cells: Sequence[Cell]) -> tuple[list[str], list[str]]:
    """Columns, and symbols of the setting, that differ between cells, and those that all cells share."""
    names: list[str] = []
    for name in _CELL:
        if name == "setting":
            names += dict.fromkeys(symbol for cell in cells for symbol in cell.row.symbols)
        else:
            names.append(name)
    varying = [name for name in names if len({_value(cell.row, name) for cell in cells}) > 1]
    return varying, [name for name in names if name not in varying]


def described(row: Row, names: Iterable[str]) -> str:
    """What a row has under some names, for people: ``neurons 400, w_t 9, tau_p 60 ms``."""
    return ", ".join(
        f"{_heading(name)} {_readable(_value(row, name))}" for name in names if _value(row, name)
    )


def sort_key(row: Row, names: Iterable[str]) -> list[tuple[float, str]]:
    """Key that sorts rows by some names, numbers by size and before words."""
    return [_order(_value(row, name)) for name in names]


def values_by_size(cells: Sequence[Cell], names: Sequence[str]) -> list[str]:
    """What follows from the size, told for each size: ``With 100, 400 neurons: epochs 3, 5.``"""
    if not names:
        return []
    by_size = {cell.row.neurons: cell.row for cell in sorted(cells, key=lambda cell: _order(cell.row.neurons))}
    told = [
        f"{_heading(name)} {', '.join(_readable(_value(row, name)) for row in by_size.values())}" for name in names
    ]
    return [f"With {', '.join(by_size)} neurons: {'; '.join(told)}."]


def _signed(points: float) -> str:
    return f"{points:+.2f}".replace("-", "\N{MINUS SIGN}")


def _list(cells: Sequence[Cell], varying: Sequence[str]) -> list[str]:
    ordered = sorted(cells, key=lambda cell: sort_key(cell.row, varying))
    lines = [_line([*map(_heading, varying), "ours", "paper"]), _line(["---"] * len(varying) + ["---:"] * 2)]
    ours = _ours(cells)
    for cell in ordered:
        paper = "" if cell.paper is None else f"{cell.paper:.2f}"
        lines.append(_line([*(_readable(_value(cell.row, name)) for name in varying), ours(cell), paper]))
    return lines


def _pivot(cells: Sequence[Cell], varying: Sequence[str], column: str) -> list[str]:
    heads = sorted({_value(cell.row, column) for cell in cells}, key=_order)
    table: dict[tuple[str, ...], dict[str, Cell]] = {}
    for cell in cells:
        table.setdefault(tuple(_value(cell.row, name) for name in varying), {})[_value(cell.row, column)] = (
            cell
        )
    lines = [
        _line([*map(_heading, varying), *(f"{_heading(column)} {_readable(head)}" for head in heads)]),
        _line(["---"] * len(varying) + ["---:"] * len(heads)),
    ]
    ours = _ours(cells)
    for key in sorted(table, key=lambda key: [_order(value) for value in key]):
        entries = []
        for head in heads:
            found = table[key].get(head)
            paper = "" if found is None or found.paper is None else f" / {found.paper:.2f}"
            entries.append("" if found is None else ours(found) + paper)
        lines.append(_line([*map(_readable, key), *entries]))
    return lines


def _ours(cells: Sequence[Cell]) -> Callable[[Cell], str]:
    """How a table shows our numbers: single seeds are marked where they stand among means."""
    means = any(cell.seeds > 1 for cell in cells)

    def shown(cell: Cell) -> str:
        error = f" ± {cell.error:.2f}" if cell.seeds > 1 else " (1 seed)" if means else ""
        return f"{cell.mean:.2f}{error}"

    return shown


def _line(entries: Iterable[str]) -> str:
    return "| " + " | ".join(entries) + " |"


def _heading(name: str) -> str:
    return name.replace("_", " ") if name in COLUMNS else name


def _readable(value: str) -> str:
    return value.replace("*", " ")


def _order(value: str) -> tuple[float, str]:
    """Numbers before words, by size; ``60*ms`` counts as a number."""
    found = re.match(r"-?\d+(\.\d+)?", value)
    return (float(found[0]) if found else math.inf, value)


# ---------------------------------------------------------------------------------------------- documents

_MARKED = re.compile(r"(<!-- table: (?P<what>[^\n]*?) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
_OPENING = re.compile(r"<!-- table: ")


def table_of(what: str, folder: str | os.PathLike[str]) -> str:
    """The table that a marker asks for.

    Parameters
    ----------
    what
        What stands in the marker, such as ``synaptic_scaling IV columns=w_t``.
    folder
        Where the ledgers are.

    Raises
    ------
    LedgerError
        If there is no such ledger, or a condition names something that no row has.
    """
    words = what.split()
    name = words[0] if words else ""
    path = Path(folder) / f"{name}.csv"
    if not path.is_file():
        there = ", ".join(sorted(ledger.stem for ledger in Path(folder).glob("*.csv"))) or "none"
        raise LedgerError(f"table: {what}: there is no ledger {path}; there are: {there}.")
    if name in ("benchmarks", "wall_times", "not_run"):
        return _benchmarks(path, words[1:])
    if name == "operations":
        from hebbarium.ledger import operations  # which builds on this module

        return operations.markdown_table(operations.read(path))
    if name.startswith("literature_"):
        from hebbarium.ledger import literature

        return literature.table_of(name, folder)
    conditions = dict(word.partition("=")[::2] for word in words[1:] if "=" in word and "!=" not in word)
    excluded = dict(word.partition("!=")[::2] for word in words[1:] if "!=" in word)
    tables = [word for word in words[1:] if "=" not in word]
    if len(tables) > 1:
        raise LedgerError(f"table: {what}: expected LEDGER TABLE name=value …; {tables[1]!r} is neither.")
    if tables:
        conditions["table"] = tables[0]
    columns = conditions.pop("columns", None)
    rows = read(path)
    known = set(COLUMNS).union(*(row.symbols for row in rows))
    for condition in (*conditions, *excluded):
        if rows and condition not in known:
            near = difflib.get_close_matches(condition, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise LedgerError(f"table: {what}: no row has {condition}.{hint}")
    wanted = [
        row for row in select(rows, **conditions) if all(_value(row, name) != value for name, value in excluded.items())
    ]
    return markdown_table(wanted, columns)


def update_readme(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], *, check: bool = False
) -> bool:
    """Write the tables between a document's markers anew.

    Parameters
    ----------
    path
        The document.
    folder
        Where the ledgers are.
    check
        Only say whether anything would change.

    Returns
    -------
    bool
        Whether the document was, or with `check` is, out of date.

    Raises
    ------
    LedgerError
        If a marker has no end, or asks for what is not there.
    """
    path = Path(path)
    old = path.read_text(encoding="utf-8")
    matches = list(_MARKED.finditer(old))
    unclosed = len(_OPENING.findall(old)) - len(matches)
    if unclosed or any(_OPENING.search(match["body"]) for match in matches):
        raise LedgerError(f"{path}: a line <!-- table: … --> has no <!-- end --> after it.")
    new = _MARKED.sub(lambda match: f"{match[1]}{table_of(match['what'], folder)}\n{match[4]}", old)
    if new != old and not check:
        whole_files.write(path, new)
    return new != old


def _benchmarks(path: Path, words: Sequence[str]) -> str:
    """Rows of a file of timings; what all of them share, such as the machine, is said once, below."""
    wanted = [word.replace("_", " ") for word in words if not word.startswith("-")] or [""]
    unwanted = [word[1:].replace("_", " ") for word in words if word.startswith("-")]

    def shown_row(name: str) -> bool:
        return any(word in name for word in wanted) and not any(word in name for word in unwanted)

    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for number, line in enumerate(csv.reader(file)) if number == 0 or shown_row(line[0])]
    if len(lines) < 2:
        return "*No numbers yet.*"
    names, rows = lines[0], lines[1:]
    shared = {
        name: rows[0][k]
        for k, name in enumerate(names)
        if name in ("machine", "commit") and len({row[k] for row in rows}) == 1
    }
    kept = [k for k, name in enumerate(names) if name not in shared]
    shown = [[line[k] for k in kept] for line in lines]
    table = "\n".join([_line(shown[0]), _line(["---"] * len(kept)), *map(_line, shown[1:])])
    said = ", ".join(f"{name} {value}" for name, value in shared.items())
    return f"{table}\n\nAll rows: {said}." if said else table


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: write a document's tables anew, or check them."""
    parser = argparse.ArgumentParser(prog="python -m hebbarium.ledger.ledger", description=main.__doc__)
    parser.add_argument("document", type=Path)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the ledgers")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if out of date")
    given = parser.parse_args(arguments)
    changed = update_readme(given.document, given.results, check=given.check)
    if given.check and changed:
        print(
            f"{given.document} is out of date: run python -m hebbarium.ledger.ledger {given.document}",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
