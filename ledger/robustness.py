"""A ledger of how trained networks bear noise, lesions and coarse weights."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass

from hebbarium.ledger import ledger

LEDGER = "robustness.csv"
UNDISTURBED = "none"


@dataclass(frozen=True)
class Row:
    """The accuracy of one run by one readout under one perturbation.

    Parameters
    ----------
    layers : str
        Sizes, from the input on, such as ``784-400-10``.
    perturbation : str
        One of `hebbarium.studies.robustness.PERTURBATIONS`, or `UNDISTURBED`.
    level, draw : optional
        How strong it was, in `units`, and the seed of its draw; None where nothing was disturbed.
    accuracy : float
        Per cent.
    images : int
        Test images.
    """

    model: str
    layers: str
    dataset: str
    setting: str
    seed: int
    images_trained: int
    perturbation: str
    level: float | None
    units: str
    draw: int | None
    readout: str
    accuracy: float
    images: int
    command: str
    commit: str

    @property
    def network(self) -> tuple[str, ...]:
        """The run that was disturbed."""
        return (self.model, self.layers, self.dataset, self.setting, str(self.seed), str(self.images_trained))

    @property
    def cell(self) -> tuple[str, ...]:
        """What is measured but for when: a newer row replaces one of the same."""
        return (*self.network, self.perturbation, str(self.level), str(self.draw), self.readout)


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))


def read(path: str | os.PathLike[str]) -> list[Row]:
    """Rows of a ledger; none if there is no such file.

    Raises
    ------
    LedgerError
        Naming the file, and the line that cannot be read.
    """
    return ledger.records(path, COLUMNS, _row)


def append(path: str | os.PathLike[str], rows: Iterable[Row]) -> None:
    """Add rows to a ledger, or replace those of the same run, perturbation and readout."""
    ledger.merge(path, COLUMNS, rows, read=read, key=lambda row: row.cell, written=_written)


def _written(row: Row) -> list[object]:
    values = dataclasses.asdict(row) | {"accuracy": f"{row.accuracy:.2f}"}
    if row.level is not None:
        values["level"] = f"{row.level:g}"
    return [values[name] for name in COLUMNS]


def _row(record: dict[str, str]) -> Row:
    return Row(
        model=record["model"],
        layers=record["layers"],
        dataset=record["dataset"],
        setting=record["setting"],
        seed=int(record["seed"]),
        images_trained=int(record["images_trained"]),
        perturbation=record["perturbation"],
        level=float(record["level"]) if record["level"] else None,
        units=record["units"],
        draw=int(record["draw"]) if record["draw"] else None,
        readout=record["readout"],
        accuracy=float(record["accuracy"]),
        images=int(record["images"]),
        command=record["command"],
        commit=record["commit"],
    )
