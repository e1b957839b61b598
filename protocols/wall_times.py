"""How long tables took to make: ``results/wall_times.csv``, a row for what was made at one go."""

from __future__ import annotations

import csv
from pathlib import Path

from analysis import whole_files

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
    with whole_files.locked(path.parent):
        rows = {}
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                rows = {tuple(row[:3]): row for row in list(csv.reader(file))[1:]}
        row = [made, str(runs), str(processes), f"{seconds / 60:.1f}", machine, commit]
        rows[tuple(row[:3])] = row
        whole_files.write_table(path, COLUMNS, rows.values())
