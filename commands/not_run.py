"""Which numbers of the papers' tables nobody has run here: ``python -m hebbarium.commands.not_run`` lists them.

The list, ``results/not_run.csv``, is what the ledgers lack of what the papers print.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hebbarium.files import whole_files
from hebbarium.ledger import ledger
from hebbarium.studies import reproduction

COLUMNS = ("model", "table", "dataset", "network", "epochs", "schedule", "readout", "paper")


def numbers(folder: Path) -> Iterator[tuple[str, ...]]:
    """The numbers, a row of `COLUMNS` each, that no row of a folder's ledgers stands beside.

    A number counts as run if one of the settings was run that it is printed for: tuned constants, or the authors'.
    """
    for model in reproduction.REPRODUCIBLE:
        rows = ledger.read(folder / f"{model}.csv")
        there = {
            (row.item, row.dataset, _network(row.symbols), _schedule(row.symbols), row.readout, row.paper)
            for row in rows
            if row.measure == ledger.ACCURACY
        }
        paper = reproduction.paper_of(model)
        listed: dict[tuple[object, ...], tuple[str, ...]] = {}
        for cell in paper.cells:
            symbols = ledger.symbols_of(cell.setting)
            network, schedule = cell.neurons or _network(symbols), _schedule(symbols)
            epochs = str(cell.run.get("epochs", paper.protocol.epochs))
            for readout, accuracy in reproduction.printed(cell, model).items():
                key = (ledger.item_of(cell.table), cell.dataset, network, schedule, readout, accuracy)
                if key not in there:
                    number = f"{accuracy:.2f}"
                    called = network or cell.row  # all of one size: what tells the cell from others
                    listed[key] = (model, cell.table, cell.dataset, called, epochs, schedule, readout, number)
        yield from listed.values()


def _network(symbols: dict[str, str]) -> str:
    return symbols.get("neurons") or symbols.get("layers", "").replace(",", "-")


def _schedule(symbols: dict[str, str]) -> str:
    return symbols.get("schedule", "")


def write(folder: Path) -> Path:
    """The list beside the ledgers, written whole or not at all."""
    path = folder / "not_run.csv"
    whole_files.write_table(path, COLUMNS, numbers(folder))
    return path


if __name__ == "__main__":
    print(write(Path(__file__).resolve().parent.parent / "results"))
