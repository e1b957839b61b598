"""How long tables took to make: ``results/wall_times.csv``, a row for what was made at one go."""

from __future__ import annotations

import csv
from pathlib import Path

from hebbarium.ledger import ledger

COLUMNS = ("made", "runs", "processes", "wall time (min)", "machine", "commit")


def note(path: Path, made: str, runs: int, processes: int, seconds: float, machine: str, commit: str) -> None:
    """Add a row, or replace the one of the same tables, number of runs and processes.

    Parameters
    ----------
    path : Path
    made : str
        Model and tables.
    runs, processes : int
    seconds : float
        From the command to the last accuracy, compilation included.
    machine, commit : str
    """
    row = [made, str(runs), str(processes), f"{seconds / 60:.1f}", machine, commit]
    ledger.merge(path, COLUMNS, [row], read=_read, key=lambda row: tuple(row[:3]), written=list)


def _read(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]
