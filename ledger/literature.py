"""What others reached, as a paper lists it, with our measured networks beside it.

Each table is a file of ``results/`` with the columns that the paper's has. Reference numbers are that paper's; its own
row has none. A page asks for one as for a table of the ledgers (see `hebbarium.ledger.ledger`)::

    ```{ledger} literature_gerlinghoff_1
    ```

==============================  ======================================================================
``literature_mnist``            Hao et al., Table 2: networks trained and tested on the whole of MNIST
``literature_gerlinghoff_1``    Gerlinghoff et al., Table 1: the same
``literature_gerlinghoff_2``    Gerlinghoff et al., Table 2: Fashion-MNIST
==============================  ======================================================================
"""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hebbarium.ledger import rows, tables
from hebbarium.ledger.rows import ACCURACY, LAST, LedgerError, Row

PREFIX = "literature_"
LITERATURE = "literature_mnist.csv"
_TRAINING, _TESTED = 60_000, 10_000


@dataclass(frozen=True)
class Entry:
    """One network of a table; what a paper's table has no column for is empty.

    Parameters
    ----------
    accuracy : float
        Per cent of the test images.
    source : str
        Where the row stands.
    layers : str
        As the paper writes it: ``3 FC`` are three fully connected layers.
    supervised : bool, optional
    hidden_neurons, time_steps : int, optional
        None also where the paper gives none.
    reference : int, optional
        Its number in the source's list of references.
    """

    network: str
    learning_method: str
    accuracy: float
    source: str
    training_type: str = ""
    supervised: bool | None = None
    layers: str = ""
    hidden_neurons: int | None = None
    time_steps: int | None = None
    reference: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.accuracy <= 100:
            raise LedgerError(f"{self.network}: accuracy is {self.accuracy}; expected per cent, 0 to 100.")
        if not self.source:
            raise LedgerError(f"{self.network}: has no source; say where the number stands.")


_FIELDS = tuple(field.name for field in dataclasses.fields(Entry))
_REQUIRED = tuple(field.name for field in dataclasses.fields(Entry) if field.default is dataclasses.MISSING)
_NUMBERS = ("hidden_neurons", "time_steps", "reference")
_HEADINGS = {"accuracy": "accuracy (%)"}


@dataclass(frozen=True)
class Table:
    """A paper's table: its columns, in its order, and its networks."""

    columns: tuple[str, ...]
    entries: tuple[Entry, ...]


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
    by : str
        Column or symbol by which our rows are sorted, and which is always named.
    usual_steps : int, optional
        Time steps where a setting names none.
    """

    model: str
    dataset: str
    readout: str
    items: tuple[str, ...]
    described: Mapping[str, str]
    by: str = "neurons"
    usual_steps: int | None = None

    def cells(self, cell: tables.Mean) -> dict[str, str]:
        """Text by column, as far as it follows from a cell of the ledger."""
        hidden = [int(size) for size in cell.row.symbols.get("layers", "").split(",") if size]
        if not hidden:
            return dict(self.described)
        steps = cell.row.symbols.get("steps", "" if self.usual_steps is None else str(self.usual_steps))
        return {
            **self.described, "layers": f"{len(hidden) + 1} FC", "hidden_neurons": str(sum(hidden)),
            "time_steps": steps,
        }  # fmt: skip


_DESIRE: Mapping[str, str] = {"learning_method": "desire backpropagation + STDP"}
OURS: Mapping[str, Ours] = {
    "literature_mnist": Ours(
        "symmetric_stdp", "mnist", "class_layer", ("Table 1",),
        {"learning_method": "symmetric STDP", "training_type": "Spike-based", "supervised": "yes"},
    ),
    "literature_gerlinghoff_1": Ours(
        "desire_backprop", "mnist", "class_layer", ("Table 1", "short"), _DESIRE, "layers", 20
    ),
    "literature_gerlinghoff_2": Ours(
        "desire_backprop", "fashion-mnist", "class_layer", ("Table 2", "short"), _DESIRE, "layers", 20
    ),
}  # fmt: skip
"""By the name of a table's file."""


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
        if not set(_REQUIRED) <= set(columns) <= set(_FIELDS):
            raise LedgerError(
                f"{path} has the columns {','.join(columns)}; expected {','.join(_REQUIRED)}, and besides only "
                f"{','.join(name for name in _FIELDS if name not in _REQUIRED)}."
            )
        return Table(columns, tuple(rows.parsed(path, reader, _entry)))


def beside_ours(table: Table, given: Iterable[Row] | str | os.PathLike[str], ours: Ours) -> str:
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
        Which rows are meant, and what they are called; see `OURS`.
    """
    known = rows.read(given) if isinstance(given, str | os.PathLike) else list(given)
    whole = [
        row
        for row in rows.select(known, dataset=ours.dataset, readout=ours.readout, measure=ACCURACY, selection=LAST)
        if row.item in ours.items and row.trained >= _TRAINING and row.tested == _TESTED
    ]
    columns = [name for name in table.columns if name not in ("reference", "source")] + ["source"]
    lines = [
        [_HEADINGS.get(name, name.replace("_", " ")) for name in columns],
        ["---:" if name in ("accuracy", *_NUMBERS) else "---" for name in columns],
        *([_shown(entry, name) for name in columns] for entry in table.entries),
    ]
    cells = tables.summarise(whole)
    varying, _ = tables.split_names(cells)
    for cell in sorted(cells, key=lambda cell: tables.sort_key(cell.row, [ours.by, *varying])):
        names = [ours.by, *(name for name in varying if name not in (ours.by, "item"))]
        error = "" if cell.seeds == 1 else f" ± {cell.error:.2f}"
        counted = f"{cell.seeds} seed" + ("s" if cell.seeds > 1 else "")
        texts = {
            "network": f"{ours.model}, {tables.described(cell.row, names)}",
            "accuracy": f"{cell.mean:.2f}{error}",
            "source": f"measured here, {counted}",
            **ours.cells(cell),
        }
        lines.append([texts.get(name, "") for name in columns])
    sources = dict.fromkeys(entry.source for entry in table.entries)
    caption = f"Reference numbers are those of {', '.join(sources)}."
    if not cells:
        caption += f" No network of {ours.model} has been trained and tested on the whole of {ours.dataset} here yet."
    return "\n".join([*map(tables.line, lines), "", caption])


def table_of(name: str, folder: str | os.PathLike[str]) -> str:
    """The table that a page asks for by name, with our networks from the ledger in the same folder.

    Raises
    ------
    LedgerError
        Nothing of ours is known to stand beside a table of this name.
    """
    if name not in OURS:
        raise LedgerError(f"table: {name}: no such literature table; there are: {', '.join(OURS)}.")
    ours = OURS[name]
    return beside_ours(read(Path(folder) / f"{name}.csv"), Path(folder) / f"{ours.model}.csv", ours)


def _shown(entry: Entry, name: str) -> str:
    value = getattr(entry, name)
    if name == "network" and entry.reference is not None:
        return f"{value} [{entry.reference}]"
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}" if name == "accuracy" else str(value)


def _entry(record: Mapping[str, str]) -> Entry:
    values: dict[str, object] = dict(record)
    if "supervised" in record:
        if record["supervised"] not in ("yes", "no"):
            raise LedgerError(f"supervised is {record['supervised']!r}; expected yes or no.")
        values["supervised"] = record["supervised"] == "yes"
    values["accuracy"] = float(record["accuracy"])
    values |= {name: int(record[name]) if record[name].strip() else None for name in _NUMBERS if name in record}
    return Entry(**values)  # type: ignore[arg-type]
