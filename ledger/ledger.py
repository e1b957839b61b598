"""Tables of the site's pages, from the ledgers ``results/<paper>.csv``.

A page asks for a table, which is made when the site is built::

    ```{ledger} synaptic_scaling IV columns=w_t readout=most_active
    ```

The first word is the ledger, the second the item, for short (``IV`` is Table IV); then come conditions on any column
or symbol, ``w_ie=17``, ``w_ie=17|20`` or ``w_ie!=17``, and ``columns=SYMBOL`` to spread a symbol's values over the
columns as the paper does, or ``columns=measure`` for all that was measured. Otherwise accuracies of the last epoch are
shown, unless ``measure`` or ``selection`` is a condition. Where the paper has numbers, a table ends with how near they
are; controls of the set stand beside all accuracies (see `hebbarium.ledger.controls`). Without an item stand

- ``benchmarks``: ``results/benchmarks.csv``, or the rows whose names have one of the words that follow, and none that
  follows a minus; ``_`` stands for a space, as in ``benchmarks times_as -processor``;
- ``wall_times``: those of its rows that say how long tables took to make;
- ``not_run``: the whole file of that name;
- ``operations``: a summary of what was counted of all networks;
- names that begin with ``literature_``: a paper's list of networks with ours below it (see
  `hebbarium.ledger.literature`).

Names of `hebbarium.ledger.rows` and `hebbarium.ledger.tables` can be had from here as well.
"""

from __future__ import annotations

import csv
import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from hebbarium.ledger import controls, literature, operations, wall_times
from hebbarium.ledger.rows import (
    ACCURACY,
    BEST,
    COLUMNS,
    LAST,
    PER_CENT,
    LedgerError,
    Row,
    append,
    item_of,
    papers,
    read,
    select,
    symbols_of,
    value_of,
)
from hebbarium.ledger.tables import Mean, line, markdown_table, mean_and_error, split_names, summarise, verdict

__all__ = [
    "ACCURACY",
    "BEST",
    "COLUMNS",
    "LAST",
    "PER_CENT",
    "LedgerError",
    "Mean",
    "Row",
    "append",
    "item_of",
    "markdown_table",
    "mean_and_error",
    "papers",
    "read",
    "select",
    "split_names",
    "summarise",
    "symbols_of",
    "table_of",
    "value_of",
    "verdict",
]

def table_of(
    what: str, folder: str | os.PathLike[str], ours: Mapping[str, literature.Ours] = MappingProxyType({})
) -> str:
    """The table that a page asks for.

    Parameters
    ----------
    what
        What the page asks for, such as ``synaptic_scaling IV columns=w_t``.
    folder
        Where the ledgers are.
    ours
        What of ours stands beside the papers' lists of networks, by the name of a list's file.

    Raises
    ------
    LedgerError
        If there is no such ledger, or a condition names something that no row has.
    """
    words = what.split()
    name = words[0] if words else ""
    if name == "operations":
        return operations.markdown_table(operations.read(folder))
    if name == "wall_times":
        return _plain_table(wall_times.table(Path(folder) / wall_times.FILE))
    path = Path(folder) / f"{name}.csv"
    if not path.is_file():
        names = ", ".join(sorted(ledger.stem for ledger in Path(folder).glob("*.csv"))) or "none"
        raise LedgerError(f"table: {what}: there is no ledger {path}; there are: {names}.")
    if name in ("benchmarks", "not_run"):
        return _plain_table(_chosen(path, words[1:]))
    if name.startswith(literature.PREFIX):
        return literature.table_of(name, folder, ours)
    conditions = dict(word.partition("=")[::2] for word in words[1:] if "=" in word and "!=" not in word)
    excluded = dict(word.partition("!=")[::2] for word in words[1:] if "!=" in word)
    tables = [word for word in words[1:] if "=" not in word]
    if len(tables) > 1:
        raise LedgerError(f"table: {what}: expected LEDGER ITEM name=value …; {tables[1]!r} is neither.")
    if tables:
        conditions["item"] = item_of(tables[0])
    columns = conditions.pop("columns", None)
    usual = {"selection": LAST} | ({} if columns == "measure" else {"measure": ACCURACY})
    conditions = usual | conditions
    rows = read(path)
    known = set(COLUMNS).union(*(row.symbols for row in rows))
    for condition in (*conditions, *excluded):
        if rows and condition not in known:
            near = difflib.get_close_matches(condition, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise LedgerError(f"table: {what}: no row has {condition}.{hint}")
    chosen = [
        row
        for row in select(rows, **conditions)
        if all(value_of(row, name) != value for name, value in excluded.items())
    ]
    return markdown_table(chosen, columns, controls.of_folder(folder))


def _chosen(path: Path, words: Sequence[str]) -> list[list[str]]:
    """Lines of a table, those of its rows whose names have the right words."""
    wanted = [word.replace("_", " ") for word in words if not word.startswith("-")] or [""]
    unwanted = [word[1:].replace("_", " ") for word in words if word.startswith("-")]
    with path.open(newline="", encoding="utf-8") as file:
        first, *lines = csv.reader(file)
    return [
        first,
        *(
            entries
            for entries in lines
            if any(word in entries[0] for word in wanted) and not any(word in entries[0] for word in unwanted)
        ),
    ]


def _plain_table(lines: Sequence[Sequence[str]]) -> str:
    """Lines as they are; what all of them share of machine and commit is said once, below."""
    if len(lines) < 2:
        return "*No numbers yet.*"
    names, *rows = lines
    shared = {
        name: rows[0][k]
        for k, name in enumerate(names)
        if name in ("machine", "commit") and len({row[k] for row in rows}) == 1
    }
    kept = [k for k, name in enumerate(names) if name not in shared]
    cut = [[entries[k] for k in kept] for entries in lines]
    table = "\n".join([line(cut[0]), line(["---"] * len(kept)), *map(line, cut[1:])])
    common = ", ".join(f"{name} {value}" for name, value in shared.items())
    return f"{table}\n\nAll rows: {common}." if common else table
