"""How long tables took to make: rows of ``results/benchmarks.csv``, one for what was made at one go."""

from __future__ import annotations

import re
from pathlib import Path

from hebbarium.ledger import rows

FILE = "benchmarks.csv"
COLUMNS = ("name", "value", "unit", "machine", "commit")
_HEADS = ("made", "runs", "processes", "wall time (min)", "machine", "commit")
_NAME = re.compile(r"(?P<made>.*): wall time, (?P<runs>\d+) runs in (?P<processes>\d+) processes")


def note(path: Path, made: str, runs: int, processes: int, seconds: float, machine: str, commit: str) -> None:
    """Add a row, or replace the one of the same tables, number of runs and processes.

    Parameters
    ----------
    path : Path
        The table of benchmarks, whose other rows stay.
    made : str
        Model and tables.
    runs, processes : int
    seconds : float
        From the command to the last accuracy, compilation included.
    machine, commit : str
    """
    row: tuple[str, ...] = (name_of(made, runs, processes), f"{seconds / 60:.1f}", "min", machine, commit)
    rows.merge(path, COLUMNS, [row], read=_read, key=lambda entries: entries[0], written=tuple)


def name_of(made: str, runs: int, processes: int) -> str:
    """What such a row is called."""
    return f"{made}: wall time, {runs} runs in {processes} processes"


def is_one(name: str) -> bool:
    """Whether a row of the benchmarks is one of these."""
    return _NAME.fullmatch(name) is not None


def table(path: Path) -> list[list[str]]:
    """Heads, and a line for each row: what was made, runs, processes, minutes, machine and commit."""
    matches = ((_NAME.fullmatch(name), value, rest) for name, value, _, *rest in _read(path))
    return [list(_HEADS), *([*match.groups(), value, *rest] for match, value, rest in matches if match)]


def _read(path: Path) -> list[tuple[str, ...]]:
    return rows.records(path, COLUMNS, _row)


def _row(record: dict[str, str]) -> tuple[str, ...]:
    if tuple(record) != COLUMNS or not all(isinstance(text, str) for text in record.values()):
        raise ValueError(f"expected {len(COLUMNS)} entries")
    return tuple(record[name] for name in COLUMNS)
