"""What others reached on MNIST, as a paper lists it, with our measured networks beside it.

``results/literature_mnist.csv`` is Table 2 of Hao et al.: networks that were trained on the whole training set and
tested on the whole test set. Its reference numbers are that paper's; its own row has none.
"""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analysis import ledger

LITERATURE = "literature_mnist.csv"
_TRAINING, _TESTED = 60_000, 10_000


@dataclass(frozen=True)
class Entry:
    """One network of the table.

    Parameters
    ----------
    supervised : bool
    accuracy : float
        Per cent of the test images.
    source : str
        Where the row stands.
    reference : int, optional
        Its number in the source's list of references.
    """

    network: str
    learning_method: str
    training_type: str
    supervised: bool
    accuracy: float
    source: str
    reference: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.accuracy <= 100:
            raise ledger.LedgerError(f"{self.network}: accuracy is {self.accuracy}; expected per cent, 0 to 100.")
        if not self.source:
            raise ledger.LedgerError(f"{self.network}: has no source; say where the number stands.")


COLUMNS = tuple(field.name for field in dataclasses.fields(Entry))


def read(path: str | os.PathLike[str]) -> list[Entry]:
    """Entries of a literature table, in the order of the file.

    Raises
    ------
    LedgerError
        Naming the file, and the line that cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise ledger.LedgerError(f"{path}: there is no such literature table.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ledger.LedgerError(
                f"{path} has the columns {','.join(reader.fieldnames or ())}; expected {','.join(COLUMNS)}."
            )
        entries = []
        for record in reader:
            try:
                entries.append(_entry(record))
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise ledger.LedgerError(f"{path}, line {reader.line_num}: {error}") from error
    return entries


def beside_ours(
    entries: Iterable[Entry],
    rows: Iterable[ledger.Row] | str | os.PathLike[str],
    *,
    network: str = "symmetric_stdp",
    learning_method: str = "symmetric STDP",
    readout: str = "class_layer",
    supervised: bool = True,
) -> str:
    """The literature table in Markdown with our networks as its last rows.

    Parameters
    ----------
    entries
        See `read`.
    rows
        Rows of a ledger, or its path. Only those are taken that were trained on at least as many MNIST images as
        the whole training set has, and tested on the whole test set, as all others of the table were. If there are
        none, or no ledger, the table is the literature's alone, and says so.
    network, learning_method, readout, supervised
        What our rows are called, and which are meant.
    """
    given = ledger.read(rows) if isinstance(rows, str | os.PathLike) else list(rows)
    whole = [
        row
        for row in ledger.select(given, dataset="mnist", readout=readout)
        if row.images_trained >= _TRAINING and row.images_tested == _TESTED
    ]
    lines = [
        "| network | learning method | training type | supervised | accuracy (%) | source |",
        "| --- | --- | --- | --- | ---: | --- |",
    ]
    sources = []
    for entry in entries:
        number = "" if entry.reference is None else f" [{entry.reference}]"
        sources.append(entry.source)
        lines.append(
            f"| {entry.network}{number} | {entry.learning_method} | {entry.training_type} | "
            f"{'yes' if entry.supervised else 'no'} | {entry.accuracy:g} | {entry.source} |"
        )
    cells = ledger.summarise(whole)
    varying, _ = ledger.split_names(cells)
    for cell in sorted(cells, key=lambda cell: ledger.sort_key(cell.row, ["neurons", *varying])):
        names = ["neurons", *(name for name in varying if name != "neurons")]
        error = "" if cell.seeds == 1 else f" ± {cell.error:.2f}"
        counted = f"{cell.seeds} seed" + ("s" if cell.seeds > 1 else "")
        lines.append(
            f"| {network}, {ledger.described(cell.row, names)} | {learning_method} | Spike-based | "
            f"{'yes' if supervised else 'no'} | {cell.mean:.2f}{error} | measured here, {counted} |"
        )
    caption = f"Reference numbers are those of {', '.join(dict.fromkeys(sources))}."
    if not cells:
        caption += f" No network of {network} has been trained and tested on the whole of MNIST here yet."
    return "\n".join([*lines, "", caption])


def _entry(record: dict[str, str]) -> Entry:
    if record["supervised"] not in ("yes", "no"):
        raise ledger.LedgerError(f"supervised is {record['supervised']!r}; expected yes or no.")
    return Entry(
        record["network"],
        record["learning_method"],
        record["training_type"],
        record["supervised"] == "yes",
        float(record["accuracy"]),
        record["source"],
        int(record["reference"]) if record["reference"].strip() else None,
    )
