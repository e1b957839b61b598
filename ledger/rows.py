"""The one row type of all results, ``results/<paper>.csv``: a row is one measure of one seed.

``setting`` holds what a table varies and every parameter that is not the model's default, sizes and constants tuned to
a size included: ``neurons=400 w_ie=22``. What a study adds to a trained network stands there too:
``perturbation=noise level=0.1 draw=0``.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbarium.files import whole_files

__all__ = [
    "ACCURACY",
    "BEST",
    "CELL",
    "COLUMNS",
    "LAST",
    "PER_CENT",
    "LedgerError",
    "Row",
    "append",
    "item_of",
    "merge",
    "papers",
    "parsed",
    "read",
    "readable",
    "records",
    "select",
    "symbols_of",
    "value_of",
    "without",
]

BEST, LAST = "best", "last"
ACCURACY, PER_CENT = "accuracy", "%"
_SELECTIONS = (LAST, BEST, "")


class LedgerError(ValueError):
    """A ledger, or what a page asks of one, is not what was expected."""


@dataclass(frozen=True)
class Row:
    """One measure of one seed.

    Parameters
    ----------
    item
        What of the paper it belongs to, ``Table IV`` or ``Fig. 5``, or a name of our own, such as ``robustness``.
    setting
        Symbols with values, such as ``neurons=400 norm=L2 w_t=9 tau_p=60*ms``.
    readout
        What was read: by which readout an answer, of which population a number. Empty for a whole network.
    measure
        ``accuracy``, ``rate``, ``spikes_a_neuron`` ...
    value
        In `unit`, which is empty for pure numbers.
    paper, paper_spread
        What the paper prints, and its spread over trials; None where it prints none.
    trained, tested
        Samples trained on, over all epochs, and samples measured on; `tested` is None where none are.
    selection
        ``last`` or ``best`` epoch; empty where that makes no difference or is not known.
    """

    item: str
    dataset: str
    setting: str
    readout: str
    seed: int
    measure: str
    value: float
    unit: str
    paper: float | None
    paper_spread: float | None
    trained: int
    tested: int | None
    selection: str
    device: str
    precision: str
    command: str
    commit: str

    def __post_init__(self) -> None:
        if self.selection not in _SELECTIONS:
            raise LedgerError(f"selection is {self.selection!r}; expected {LAST!r} or {BEST!r}, or nothing.")
        if not (self.item and self.measure):
            raise LedgerError("item or measure is empty; expected what the row belongs to, and what was measured.")
        if self.measure == ACCURACY:
            for name in ("value", "paper"):
                value = getattr(self, name)
                if value is not None and not (0 <= value <= 100 and self.unit == PER_CENT):
                    raise LedgerError(f"{name} of {ACCURACY} is {value} {self.unit}; expected per cent, 0 to 100 %.")

    @property
    def cell(self) -> tuple[str, ...]:
        """What rows of one cell share: everything that shapes the result but the seed."""
        return tuple(str(getattr(self, name)) for name in CELL)

    @property
    def key(self) -> tuple[object, ...]:
        """Cell and seed: what a newer row replaces."""
        return self.cell, self.seed

    @property
    def symbols(self) -> dict[str, str]:
        """The setting as a mapping from symbol to value."""
        return symbols_of(self.setting)

    @property
    def neurons(self) -> str:
        """Size of the network, where one number says it."""
        return self.symbols.get("neurons", "")


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
CELL = (
    "item", "dataset", "setting", "readout", "measure", "trained", "tested", "selection", "device", "precision"
)  # fmt: skip
_NUMBERS: Mapping[str, Callable[[str], float | int]] = {"seed": int, "value": float, "trained": int}
_NUMBERS_OR_NOTHING: Mapping[str, Callable[[str], float | int]] = {
    "paper": float, "paper_spread": float, "tested": int
}  # fmt: skip


# -------------------------------------------------------------------------------------------------- words


def symbols_of(setting: str) -> dict[str, str]:
    """A setting as a mapping from symbol to value.

    >>> symbols_of("norm=L2 w_t=9 tau_p=60*ms")
    {'norm': 'L2', 'w_t': '9', 'tau_p': '60*ms'}
    """
    return dict(item.partition("=")[::2] for item in setting.split())


def without(setting: str, *symbols: str) -> str:
    """A setting without some of its symbols.

    >>> without("neurons=400 perturbation=noise level=0.1", "perturbation", "level")
    'neurons=400'
    """
    return " ".join(word for word in setting.split() if word.partition("=")[0] not in symbols)


def item_of(table: str) -> str:
    """What rows of a paper's table, named for short, have as their item; other names stay as they are.

    >>> [item_of(table) for table in ("IV", "1", "Fig.4c", "Section7", "two_hours")]
    ['Table IV', 'Table 1', 'Fig. 4c', 'Section 7', 'two_hours']
    """
    if re.fullmatch(r"[IVX]+|\d+", table):
        return f"Table {table}"
    return re.sub(r"^(Fig\.|Section)\s*(?=\w)", r"\1 ", table)


# ------------------------------------------------------------------------------------ reading and writing


def read(path: str | os.PathLike[str]) -> list[Row]:
    """Rows of a ledger, in the order of the file; none if there is no such file.

    Raises
    ------
    LedgerError
        Naming the file and line that cannot be read.
    """
    return records(path, COLUMNS, _row)


def papers(folder: str | os.PathLike[str]) -> dict[str, list[Row]]:
    """Rows of all ledgers of a folder, by the name of the paper's model; other tables are passed over."""
    ledgers = {}
    for path in sorted(Path(folder).glob("*.csv")):
        with path.open(encoding="utf-8") as file, readable(path):
            is_ledger = file.readline().strip() == ",".join(COLUMNS)
        if is_ledger:
            ledgers[path.stem] = read(path)
    return ledgers


def records[T](path: str | os.PathLike[str], columns: Sequence[str], make: Callable[[dict[str, str]], T]) -> list[T]:
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
    made = []
    for record in reader:
        try:
            made.append(make(record))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise LedgerError(f"{path}, line {reader.line_num}: {error}") from error
    return made


def append(
    path: str | os.PathLike[str], rows: Iterable[Row], key: Callable[[Row], object] = lambda row: row.key
) -> None:
    """Add rows to a ledger, or replace those of the same key: the same cell and seed unless said otherwise.

    The ledger is locked, written to a temporary name and renamed: processes that add at the same time lose
    nothing, and a reader finds a whole file.
    """
    merge(path, COLUMNS, rows, read=read, key=key, written=dataclasses.astuple)


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
    values |= {name: number(record[name]) for name, number in _NUMBERS.items()}
    values |= {name: number(t) if (t := record[name].strip()) else None for name, number in _NUMBERS_OR_NOTHING.items()}
    return Row(**values)  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------- choosing


def select(rows: Iterable[Row], **conditions: str) -> list[Row]:
    """Rows whose columns, or symbols of whose setting, have the given values; ``a|b`` is either of two."""
    among = {name: value.split("|") for name, value in conditions.items()}
    return [row for row in rows if all(value_of(row, name) in values for name, values in among.items())]


def value_of(row: Row, name: str) -> str:
    """What a row has under the name of a column, or of a symbol of its setting; empty if nothing."""
    if name in COLUMNS:
        value = getattr(row, name)
        return "" if value is None else str(value)
    return row.symbols.get(name, "")
