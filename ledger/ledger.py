"""Tables of a document, from the ledgers ``results/<paper>.csv``.

A document takes its tables between markers that say where they come from::

    <!-- table: synaptic_scaling IV columns=w_t readout=most_active -->
    <!-- end -->

The first word is the ledger, the second the item, for short (``IV`` is Table IV); then come conditions on any column
or symbol, ``w_ie=17`` or ``w_ie!=17``, and ``columns=SYMBOL`` to spread a symbol's values over the columns as the paper
does, or ``columns=measure`` for all that was measured. Otherwise accuracies of the last epoch are shown, unless
``measure`` or ``selection`` is a condition. Where the paper has numbers, a table ends with how near they are. Without
an item stand

- ``benchmarks``: ``results/benchmarks.csv``, or the rows whose names have one of the words that follow, and none that
  follows a minus; ``_`` stands for a space, as in ``benchmarks times_as -processor``;
- ``wall_times``: those of its rows that say how long tables took to make;
- ``not_run``: the whole file of that name;
- ``operations``: a summary of what was counted of all networks;
- names that begin with ``literature_``: a paper's list of networks with ours below it (see
  `hebbarium.ledger.literature`).

``python -m hebbarium.ledger.ledger`` writes the tables of a document anew, or, with ``--check``, says whether they are
up to date. Names of `hebbarium.ledger.rows` and `hebbarium.ledger.tables` can be had from here as well.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from hebbarium.files import whole_files
from hebbarium.ledger import literature, operations, wall_times
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
    "main",
    "markdown_table",
    "mean_and_error",
    "papers",
    "read",
    "select",
    "split_names",
    "summarise",
    "symbols_of",
    "table_of",
    "update_readme",
    "value_of",
    "verdict",
]

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
        return literature.table_of(name, folder)
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
    return markdown_table(chosen, columns)


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
