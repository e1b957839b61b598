"""Figures of the ledgers: ``python -m hebbarium.commands.ledger_figures`` draws those that are there anew.

They stand in ``results/figures`` and need no run: each shows what the ledgers have.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from hebbarium.analysis import figures
from hebbarium.catalogue import registry
from hebbarium.ledger import controls, ledger, operations, robustness
from hebbarium.ledger import figures as table_figures
from hebbarium.record import results
from hebbarium.studies import hebbian_control, leaderboard, reproduction
from hebbarium.studies import robustness as disturbed
from hebbarium.studies.reproduction import Reproduction


def _control(folder: Path) -> Figure:
    rows = ledger.select(ledger.read(folder / hebbian_control.LEDGER), item=hebbian_control.ITEM)
    return table_figures.paper_comparison(rows, controls=controls.of_folder(folder))


def numbers(folder: Path) -> dict[str, list[ledger.Mean]]:
    """Every cell beside which its paper has a number, by what people call the paper."""
    by_paper = {}
    for model in reproduction.REPRODUCIBLE:
        rows = ledger.select(ledger.read(folder / f"{model}.csv"), measure=ledger.ACCURACY, selection=ledger.LAST)
        cells = [cell for cell in ledger.summarise(rows) if cell.paper is not None]
        authors = (sys.modules[registry.find(model).__module__].__doc__ or model).partition(":")[0]
        if cells:
            by_paper[authors] = cells
    return by_paper


def _encoders(folder: Path) -> Figure:
    rows = ledger.select(ledger.read(folder / "synaptic_scaling.csv"), item="encoders")
    return table_figures.input_costs_of_encoders(table_figures.input_costs(rows, results.CLASS_MEAN))


def _leaderboard(folder: Path) -> Figure:
    known = [one for one in leaderboard.standings(folder) if one.dataset in WHOLE]
    return table_figures.accuracy_by_size(known, controls.of_folder(folder))


WHOLE = ("mnist", "fashion-mnist")
"""Sets that the figure of the leaderboard is drawn of."""
OF_STUDIES: Mapping[str, Callable[[Path], Figure]] = {
    "encoders.svg": _encoders,
    "hebbian_control.svg": _control,
    "leaderboard.svg": _leaderboard,
    "overview.svg": lambda folder: table_figures.every_number(numbers(folder), controls.of_folder(folder)),
    "operations.svg": lambda folder: table_figures.operation_costs(operations.read(folder)),
    "robustness.svg": lambda folder: disturbed.side_by_side(robustness.read(folder)),
}
"""Figures that are of no paper's table, by their names: what draws them of a folder of ledgers."""


def draw(folder: Path) -> Iterator[Path]:
    """Draw all figures of a folder of ledgers anew that are there.

    Parameters
    ----------
    folder : Path
        Its folder ``figures`` holds them.
    """
    for model in reproduction.REPRODUCIBLE:
        paper = reproduction.paper_of(model)
        asked = Reproduction(paper, (), (), Path(), folder, paper.protocol)
        for table in paper.tables:
            if reproduction.figure_of(asked, table).is_file():
                yield from reproduction.draw(asked, table)
    for name, drawn in OF_STUDIES.items():
        path = folder / results.FIGURES / name
        if path.is_file():
            yield figures.save(drawn(folder), path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m hebbarium.commands.ledger_figures", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the ledgers")
    for path in draw(parser.parse_args(arguments).results):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
