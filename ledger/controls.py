"""Controls: what classifiers without spikes or hidden layers reach on a set, which a learning rule has to beat.

They are rows of the item ``controls`` in ``results/controls.csv``, which `hebbarium controls` adds: of each classifier
one or more seeds, on test images, after the last pass. `Controls` says what stands beside accuracies of learning rules,
in tables and in figures.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbarium.ledger.rows import ACCURACY, LAST, Row, read, select
from hebbarium.ledger.tables import Mean, summarise

__all__ = ["CLASS_MEANS", "FILE", "ITEM", "PROTOTYPES", "SOFTMAX", "Controls", "name_of", "of_folder", "of_rows"]

FILE, ITEM = "controls.csv", "controls"
SOFTMAX, PROTOTYPES, CLASS_MEANS = "softmax", "prototypes", "class_means"
"""Readouts of their rows."""

_MEANINGS: Mapping[str, str] = {
    SOFTMAX: "softmax (delta rule on pixels, no hidden layer)",
    PROTOTYPES: "{name} (the nearest one's label)",
    CLASS_MEANS: "class means (the nearest one)",
}


@dataclass(frozen=True)
class Controls:
    """Controls of data sets; none unless rows are given.

    Parameters
    ----------
    rows : tuple of Row
        Of the item `ITEM`.
    """

    rows: tuple[Row, ...] = ()

    def of(self, dataset: str, evaluated_on: str = "test") -> list[Mean]:
        """Mean over the seeds of each control of a set: softmax, prototypes, class means.

        Parameters
        ----------
        dataset
        evaluated_on
            ``validation`` for those of training images that were held out.
        """
        own = [row for row in self.rows if (row.dataset, _part(row)) == (dataset, evaluated_on)]
        order, by_kind = list(_MEANINGS), {}
        for mean in sorted(summarise(own), key=lambda mean: mean.row.trained):  # of each that which saw most images
            by_kind[order.index(mean.row.readout), mean.row.setting] = mean
        return [by_kind[kind] for kind in sorted(by_kind)]

    def beside(self, row: Row) -> list[Mean]:
        """Controls that a row can be compared with: of its set, on images of the same kind."""
        other = row.measure != ACCURACY or row.item == ITEM or "perturbation" in row.symbols
        return [] if other else self.of(row.dataset, _part(row))

    def words(self, row: Row, accuracy: float) -> str:
        """What stands beside a number that is not above all controls of its set; nothing if it is.

        Parameters
        ----------
        row
            What was measured.
        accuracy
            The number that stands there, such as the mean over its seeds.
        """
        every = self.beside(row)
        lacking = [one for one in every if accuracy <= one.mean]
        if lacking and len(lacking) == len(every):
            return "not above any control"
        return f"not above {' and '.join(map(name_of, lacking))}" if lacking else ""

    def sentences(self, cells: Sequence[Mean]) -> list[str]:
        """A sentence for each set that cells are of: its controls, and how many cells are above each."""
        told = []
        for dataset in dict.fromkeys(cell.row.dataset for cell in cells):
            own = [cell for cell in cells if cell.row.dataset == dataset and self.beside(cell.row)]
            parts = []
            for control in self.beside(own[0].row) if own else ():
                above = sum(cell.mean > control.mean for cell in own)
                number = f"{control.mean:.2f}" + (f" ± {control.error:.2f}" if control.seeds > 1 else "")
                meaning = _MEANINGS[control.row.readout].format(name=name_of(control))
                parts.append(f"{meaning} {number}, ours above in {above} of {len(own)}")
            if parts:
                told.append(f"Controls on {dataset}, without spikes: {'; '.join(parts)}.")
        return told


def _part(row: Row) -> str:
    """Images that a row's accuracy is of."""
    return row.symbols.get("evaluate_on", "test")


def name_of(control: Mean) -> str:
    """What a control is called for short, such as ``400 prototypes``."""
    name = control.row.readout.replace("_", " ")
    return f"{control.row.neurons} {name}" if control.row.neurons else name


def of_folder(folder: str | os.PathLike[str]) -> Controls:
    """The controls of a folder of ledgers; none if there is no such ledger.

    Raises
    ------
    LedgerError
        Naming the file and line that cannot be read.
    """
    return of_rows(read(Path(folder) / FILE))


def of_rows(rows: Iterable[Row]) -> Controls:
    """The controls among some rows."""
    return Controls(tuple(select(rows, item=ITEM, measure=ACCURACY, selection=LAST)))
