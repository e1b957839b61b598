"""A part of many runs, as a job of a cluster carries it out: a list of them, their programs, or one run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hebbarium.engine import interruption
from hebbarium.training import many_runs
from hebbarium.training.many_runs import PlannedRun
from hebbarium.training.progress import Reporter

__all__ = ["COMPILE", "LIST", "carry_out"]

LIST, COMPILE = "list", "compile"


def carry_out(runs: Sequence[PlannedRun], part: str, reporter: Reporter) -> None:
    """Carry out a part of many runs.

    Parameters
    ----------
    runs : sequence of PlannedRun
        All of them.
    part : str
        `LIST` prints a JSON object, for each run its name with the names of those that it begins with; `COMPILE`
        compiles what they need; else the name of one run, which is begun, or goes on, or is complete already.

    Raises
    ------
    ValueError
        There is no run of this name.
    EngineError, DatasetError
        See `hebbarium.training.many_runs.run_all`.
    """
    by_name = {run.name: run for run in runs}
    if part == LIST:
        folders = {run.folder: run.name for run in runs}
        first = {run.name: folders.get(Path(run.settings.warm_start or "")) for run in runs}
        print(json.dumps({name: [before] if before else [] for name, before in first.items()}))
    elif part == COMPILE:
        with interruption.stopping_on_signals():
            many_runs.compile_programs(runs, reporter)
    elif part not in by_name:
        known = ", ".join([LIST, COMPILE, *by_name])
        raise ValueError(f"--only {part}: there is no such run; expected one of {known}")
    elif not many_runs.is_done(by_name[part]):
        many_runs.carry_out(by_name[part], reporter)
