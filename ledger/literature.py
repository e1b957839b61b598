"""What others reached, as a paper lists it, with our measured networks beside it.

Each table is a file ``results/literature_*.csv`` with the columns that the paper's has. Reference numbers are that
paper's; its own rows have none. Which of our networks stand below it, the paper's protocol says
(`hebbarium.studies.reproduction.Paper`). A page asks for a table as for one of the ledgers (see
`hebbarium.ledger.ledger`)::

    ```{ledger} literature_gerlinghoff_1
    ```
"""

from __future__ import annotations

import csv
import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hebbarium.ledger import rows, tables
from hebbarium.ledger.controls import Controls, name_of, of_folder
from hebbarium.ledger.rows import ACCURACY, LAST, LedgerError, Row

PREFIX = "literature_"
_TRAINING, _TESTED = 60_000, 10_000


@dataclass(frozen=True)
class Entry:
    """One network of a table.

    Parameters
    ----------
    accuracy : float
        Per cent of the test images.
    source : str
        Where the row stands.
    reference : int, optional
        Its number in the source's list of references.
    spread : str
        What is printed behind the accuracy's ±, if anything is.
    more : mapping
        What the table's other columns say, as the paper writes it; empty where it says nothing.
    """

    network: str
    accuracy: float
    source: str
    reference: int | None = None
    spread: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.accuracy <= 100:
            raise LedgerError(f"{self.network}: accuracy is {self.accuracy}; expected per cent, 0 to 100.")
        if not self.source:
            raise LedgerError(f"{self.network}: has no source; say where the number stands.")


_FIELDS = tuple(field.name for field in dataclasses.fields(Entry) if field.name != "more")
_REQUIRED = tuple(field.name for field in dataclasses.fields(Entry) if field.default is dataclasses.MISSING
                  and field.default_factory is dataclasses.MISSING)  # fmt: skip
_BESIDE = ("reference", "spread")  # shown with the network and with its accuracy


@dataclass(frozen=True)
class Table:
    """A paper's table: its columns, in its order, and its networks."""

    columns: tuple[str, ...]
    entries: tuple[Entry, ...]


def _nothing(row: Row) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Ours:
    """Which of our networks stand beside a paper's table.

    Parameters
    ----------
    model : str
        The ledger.
    dataset, readout : str
    items : tuple of str
        Of the ledger: rows of ablations and of figures are no contenders.
    described : mapping
        Column to text, for what all of our networks have in common.
    of_row : callable, optional
        Column to text, as far as it follows from a row of the ledger.
    by : str
        Column or symbol by which our rows are sorted, and which is always named.
    """

    model: str
    dataset: str
    readout: str
    items: tuple[str, ...]
    described: Mapping[str, str]
    of_row: Callable[[Row], Mapping[str, str]] = _nothing
    by: str = "neurons"


def read(path: str | os.PathLike[str]) -> Table:
    """A literature table, its entries in the order of the file.

    Raises
    ------
    LedgerError
        Naming the file, and the line that cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise LedgerError(f"{path}: there is no such literature table.")
    with path.open(newline="", encoding="utf-8") as file, rows.readable(path):
        reader = csv.DictReader(file)
        columns = tuple(reader.fieldnames or ())
        if not set(_REQUIRED) <= set(columns):
            raise LedgerError(f"{path} has the columns {','.join(columns)}; expected {','.join(_REQUIRED)} among them.")
        return Table(columns, tuple(rows.parsed(path, reader, _entry)))


def beside_ours(
    table: Table, given: Iterable[Row] | str | os.PathLike[str], ours: Ours, controls: Controls | None = None
) -> str:
    """The literature table in Markdown with our networks as its last rows.

    Parameters
    ----------
    table
        See `read`.
    given
        Rows of a ledger, or its path. Only those are taken that were trained on at least as many images as the whole
        training set has, and tested on the whole test set, as all others of the table were. If there are none, or no
        ledger, the table is the literature's alone, and says so.
    ours
        Which rows are meant, and what they are called.
    controls
        Those of the set are the last rows; ours that are not above one are told so in words.
    """
    known = rows.read(given) if isinstance(given, str | os.PathLike) else list(given)
    whole = [
        row
        for row in rows.select(known, dataset=ours.dataset, readout=ours.readout, measure=ACCURACY, selection=LAST)
        if row.item in ours.items and row.trained >= _TRAINING and row.tested == _TESTED
    ]
    columns = [name for name in table.columns if name not in (*_BESIDE, "source")] + ["source"]
    lines = [
        [_heading(name) for name in columns],
        ["---:" if _is_of_numbers(table, name) else "---" for name in columns],
        *([_shown(entry, name) for name in columns] for entry in table.entries),
    ]
    cells = tables.summarise(whole)
    varying, _ = tables.split_names(cells)
    for cell in sorted(cells, key=lambda cell: tables.sort_key(cell.row, [ours.by, *varying])):
        names = [ours.by, *(name for name in varying if name not in (ours.by, "item"))]
        error = "" if cell.seeds == 1 else f" ± {cell.error:.2f}"
        counted = f"{cell.seeds} seed" + ("s" if cell.seeds > 1 else "")
        words = controls.words(cell.row, cell.mean) if controls else ""
        texts = {
            "network": f"{ours.model}, {tables.described(cell.row, names)}",
            "accuracy": f"{cell.mean:.2f}{error}{f', {words}' if words else ''}",
            "source": f"measured here, {counted}",
            **ours.described,
            **ours.of_row(cell.row),
        }
        lines.append([texts.get(name, "") for name in columns])
    for control in controls.of(ours.dataset) if controls else ():
        error = "" if control.seeds == 1 else f" ± {control.error:.2f}"
        texts = {
            "network": f"control: {name_of(control)}", "accuracy": f"{control.mean:.2f}{error}",
            "source": "measured here",
        }  # fmt: skip
        lines.append([texts.get(name, "") for name in columns])
    sources = dict.fromkeys(entry.source for entry in table.entries)
    caption = f"Reference numbers are those of {', '.join(sources)}."
    if not cells:
        caption += f" No network of {ours.model} has been trained and tested on the whole of {ours.dataset} here yet."
    return "\n".join([*map(tables.line, lines), "", caption])


def table_of(name: str, folder: str | os.PathLike[str], known: Mapping[str, Ours]) -> str:
    """The table that a page asks for by name, with our networks from the ledger in the same folder.

    Parameters
    ----------
    name
        Of the table's file.
    known
        By such a name: what of ours stands beside the table.

    Raises
    ------
    LedgerError
        Nothing of ours is known to stand beside a table of this name.
    """
    if name not in known:
        raise LedgerError(
            f"table: {name}: no such literature table; there are: {', '.join(known) or 'none'}. The protocol of a "
            "paper names them."
        )
    ours = known[name]
    path, known_controls = Path(folder) / f"{ours.model}.csv", of_folder(folder)
    return beside_ours(read(Path(folder) / f"{name}.csv"), path, ours, known_controls)


def _heading(name: str) -> str:
    """A column's name in words; an index of one letter stays one."""
    return "accuracy (%)" if name == "accuracy" else re.sub(r"_(?=..)", " ", name)


def _is_of_numbers(table: Table, name: str) -> bool:
    texts = [entry.more.get(name, "") for entry in table.entries]
    return name == "accuracy" or (any(texts) and all(re.fullmatch(r"[\d.]*", text) for text in texts))


def _shown(entry: Entry, name: str) -> str:
    if name == "network":
        return entry.network if entry.reference is None else f"{entry.network} [{entry.reference}]"
    if name == "accuracy":
        return f"{entry.accuracy:g} ± {entry.spread}" if entry.spread else f"{entry.accuracy:g}"
    return entry.source if name == "source" else entry.more[name]


def _entry(record: Mapping[str, str]) -> Entry:
    if None in record or None in record.values():
        raise LedgerError("it has more or fewer columns than the first line.")
    reference = record.get("reference", "").strip()
    return Entry(
        record["network"],
        float(record["accuracy"]),
        record["source"],
        int(reference) if reference else None,
        record.get("spread", ""),
        {name: text for name, text in record.items() if name not in _FIELDS},
    )
