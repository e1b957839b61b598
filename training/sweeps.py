"""Sweeps: every combination of some settings and seeds, each a run folder, and a summary of all."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hebbarium.catalogue import registry
from hebbarium.datasets import by_name as datasets
from hebbarium.files import whole_files
from hebbarium.ledger.ledger import mean_and_error
from hebbarium.record import results
from hebbarium.training import fit, many_runs, parameters
from hebbarium.training.many_runs import Outcome, PlannedRun
from hebbarium.training.parameters import SettingError
from hebbarium.training.progress import Reporter
from hebbarium.training.run_settings import RunSettings

__all__ = ["SUMMARY", "SweptRun", "go", "plan", "seeds_of", "table", "values_of"]

SUMMARY = "summary.csv"
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class SweptRun:
    """One combination: its run, and what was varied for it as it can be typed."""

    run: PlannedRun
    varied: Mapping[str, str]


@dataclass(frozen=True)
class Reached:
    """What a complete run came to: accuracy by readout, and why it means little, if the run says so."""

    accuracies: Mapping[str, float]
    warning: str


def values_of(model: str, arguments: Iterable[str]) -> dict[str, list[Any]]:
    """Values to combine, from ``symbol=value,value,...``.

    Returns
    -------
    dict
        Symbol to values.

    Raises
    ------
    SettingError
        As `hebbarium.training.parameters.parse`; or a value is given twice.

    Examples
    --------
    >>> values_of("synaptic_scaling", ["w_t=3,5", "tau_p=20 ms,60*ms"])
    {'w_t': [3.0, 5.0], 'tau_p': [20. * msecond, 60. * msecond]}
    """
    kind = registry.find(model)
    combined = {}
    for symbol, text in parameters.assignments(arguments).items():
        values = [parameters.parse(kind, symbol, part) for part in text.split(",")]
        if any(value == other for value, other in itertools.combinations(values, 2)):
            raise SettingError(f"--set {symbol}={text}: a value is given twice")
        combined[symbol] = values
    return combined


def seeds_of(text: str) -> tuple[int, ...]:
    """Seeds from ``0-2`` or ``0,3,7``.

    Raises
    ------
    ValueError
        Not numbers from 0, or one twice.

    Examples
    --------
    >>> seeds_of("0-2"), seeds_of("0,4-5")
    ((0, 1, 2), (0, 4, 5))
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"--seeds {text}: expected numbers or ranges, such as 0-2 or 0,3,7")
        wanted = range(int(match[1]), int(match[2] or match[1]) + 1)
        if len(seeds) + len(wanted) > MOST_SEEDS:
            raise ValueError(f"--seeds {text}: more than {MOST_SEEDS:,} runs of each setting; ask for fewer")
        seeds += wanted
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds {text}: a seed is given twice")
    return tuple(seeds)


def plan(
    base: RunSettings, values: Mapping[str, Sequence[Any]], seeds: Sequence[int], out: Path
) -> list[SweptRun]:
    """The runs of a sweep, one folder each, named after what is varied.

    Raises
    ------
    SettingError
        A combination is refused by the model.
    DatasetError
        The images cannot be trained or tested on as asked, or do not fit the network.
    """
    planned, images, kind = [], datasets.load(base.dataset, base.data), registry.find(base.model)
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        changes, varied = {**base.changes, **chosen}, parameters.texts(kind, chosen)
        parameters.apply(kind, changes)
        fitted = fit.fitted(dataclasses.replace(base, changes=changes), images)  # to whatever seed
        for seed in seeds:
            words = [f"{symbol}={text.replace('*', '')}" for symbol, text in varied.items()]
            name = "_".join([*words, f"seed={seed}"])
            settings = dataclasses.replace(fitted, seed=seed)
            planned.append(SweptRun(PlannedRun(name, settings, out / name), varied))
    return planned


def go(runs: Sequence[SweptRun], out: Path, jobs: int = 1, reporter: Reporter | None = None) -> list[Outcome]:
    """Carry out a sweep; ``summary.csv`` in its folder grows with each complete run."""
    known: dict[str, Reached] = {}

    def note(run: PlannedRun) -> None:
        known[run.name] = _reached(run)
        _write_summary([r for r in runs if r.run.name in known], known, out)

    return many_runs.run_all([r.run for r in runs], jobs, reporter, note)


def _reached(run: PlannedRun) -> Reached:
    with results.open_run(run.folder) as tree:
        evaluation = tree["evaluation"].to_dataset()
        accuracy = evaluation["accuracy"].isel(seed=0, samples_seen=-1)
        by_readout = {str(name): float(accuracy.sel(readout=name)) for name in accuracy["readout"].values}
        return Reached(by_readout, str(evaluation.attrs.get("warning", "")))


def _write_summary(runs: Sequence[SweptRun], known: Mapping[str, Reached], out: Path) -> None:
    """``summary.csv``: what was varied, the seed, accuracy by readout in per cent, the run folder, and its warning."""
    columns: tuple[str, ...] = ()
    rows = []
    for swept in runs:
        reached = known[swept.run.name]
        columns = columns or (*swept.varied, "seed", *reached.accuracies, "folder", "warning")
        numbers = [f"{value:.2f}" for value in reached.accuracies.values()]
        rows.append([*swept.varied.values(), swept.run.settings.seed, *numbers, swept.run.folder.name, reached.warning])
    whole_files.write_table(out / SUMMARY, columns, rows)


def table(outcomes: Sequence[Outcome], runs: Sequence[SweptRun]) -> str:
    """Mean and standard error over the seeds of each combination, as a Markdown table; per cent correct."""
    problems = {outcome.run.name: outcome.problem for outcome in outcomes}
    cells: dict[tuple[str, ...], list[SweptRun]] = {}
    for swept in runs:
        cells.setdefault(tuple(swept.varied.values()), []).append(swept)
    heads: list[str] = []
    lines = []
    for values, members in cells.items():
        complete = [_reached(swept.run).accuracies for swept in members if not problems[swept.run.name]]
        heads = heads or [name for one in complete[:1] for name in one]
        numbers = (
            [_mean([one[name] for one in complete]) for name in heads] if complete else ["failed"] * len(heads)
        )
        lines.append([*(value.replace("*", " ") for value in values), str(len(complete)), *numbers])
    rows = [[*runs[0].varied, "seeds", *heads], ["---"] * (len(runs[0].varied) + 1 + len(heads)), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _mean(values: Sequence[float]) -> str:
    mean, error = mean_and_error(values)
    return f"{mean:.2f} ± {error:.2f}" if len(values) > 1 else f"{mean:.2f}"
