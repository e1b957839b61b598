"""What is measured of runs besides their accuracy: ``results/<model>_measurements.csv``, a row a number."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hebbarium.ledger import ledger


@dataclass(frozen=True)
class Measurement:
    """One number of one run.

    Parameters
    ----------
    dataset, neurons, setting, seed, images_trained, commit
        As in `hebbarium.ledger.ledger.Row`.
    quantity : str
    value : float
    unit : str
        Empty for pure numbers.
    """

    dataset: str
    neurons: str
    setting: str
    seed: int
    images_trained: int
    quantity: str
    value: float
    unit: str
    commit: str

    @property
    def symbols(self) -> dict[str, str]:
        """The setting as a mapping."""
        return dict(item.partition("=")[::2] for item in self.setting.split())


COLUMNS = tuple(field.name for field in dataclasses.fields(Measurement))


def read(path: Path) -> list[Measurement]:
    """Measurements of a file, in its order; none if there is no such file.

    Raises
    ------
    ValueError
        Naming the file and the line that cannot be read.
    """
    return ledger.records(path, COLUMNS, _measurement)


def _measurement(record: dict[str, str]) -> Measurement:
    numbers = {"seed": int, "images_trained": int, "value": float}
    return Measurement(**{k: numbers.get(k, str)(v) for k, v in record.items()})


def append(path: Path, rows: Iterable[Measurement]) -> None:
    """Add measurements, or replace those of the same run and quantity; processes may add at the same time."""
    ledger.merge(path, COLUMNS, rows, read=read, key=_key, written=dataclasses.astuple)


def _key(row: Measurement) -> tuple[str | int, ...]:
    return row.dataset, row.neurons, row.setting, row.seed, row.images_trained, row.quantity
