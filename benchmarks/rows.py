"""What was measured as rows of a table: statistics, `results/benchmarks.csv`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hebbarium.files import whole_files
from hebbarium.ledger import wall_times

COLUMNS = ("name", "value", "unit", "machine", "commit")


@dataclass(frozen=True)
class Benchmark:
    """One number that was measured, and its target.

    Parameters
    ----------
    name : str
    value : float
    unit : str
        Empty for pure numbers.
    at_least, below : float, optional
        What the project wants it to be.
    """

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    below: float | None = None

    @property
    def target(self) -> str:
        """The target and whether it is met, in words; empty if there is none."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}: {'met' if self.value >= self.at_least else 'missed'}"
        if self.below is not None:
            return f"below {self.below:g}: {'met' if self.value < self.below else 'missed'}"
        return ""


def show(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    decimals = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{decimals}f}"


def table(rows: Sequence[Benchmark]) -> str:
    """The rows as text, in columns."""
    cells = [(row.name, show(row.value), row.unit, row.target) for row in rows]
    widths = [max((len(row[k]) for row in cells), default=0) for k in range(4)]
    lines = []
    for name, value, unit, target in cells:
        lines.append(f"{name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {target}".rstrip())
    return "\n".join(lines)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of size with which cost grows: slope of a straight line through the logarithms.

    Raises
    ------
    ValueError
        Fewer than two sizes, or something not positive.
    """
    x, y = np.asarray(sizes, dtype=float), np.asarray(costs, dtype=float)
    if len(set(sizes)) < 2 or len(x) != len(y):
        raise ValueError(
            f"{len(x)} sizes and {len(y)} costs: expected as many of each, and two sizes or more"
        )
    if min(x.min(), y.min()) <= 0:
        raise ValueError("a size or a cost is not positive: a power law has none")
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def write_csv(path: Path, rows: Sequence[Benchmark], machine: str, commit: str, *, keep: bool = False) -> None:
    """Write all rows whole or not at all.

    Parameters
    ----------
    keep : bool
        Keep what the file has, with the machine and commit of each row; rows of the same name are replaced where
        they stand, others come after. How long tables took, which `hebbarium reproduce` adds, is kept in any case.
    """
    lines: dict[str, tuple[str, ...]] = {}
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            lines = {
                row["name"]: tuple(row[column] for column in COLUMNS)
                for row in csv.DictReader(file)
                if keep or wall_times.is_one(row["name"])
            }
    for row in rows:
        lines[row.name] = (row.name, f"{row.value:.4g}", row.unit, machine, commit)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_files.write_table(path, COLUMNS, lines.values())


def read_csv(path: Path) -> list[Benchmark]:
    """The rows of a file. Targets are not kept in it."""
    with open(path, newline="", encoding="utf-8") as file:
        return [Benchmark(row["name"], float(row["value"]), row["unit"]) for row in csv.DictReader(file)]
