"""Figures of the papers that short runs are enough for: ``python -m hebbarium.commands.paper_figures`` makes them anew.

They stand in ``results/figures``, and a paper's protocol lists them (`hebbarium.studies.reproduction.Paper`). Their
runs, of some minutes together, are kept in ``runs/paper_figures`` and not made again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbarium.analysis import figures
from hebbarium.record import results
from hebbarium.studies import reproduction
from hebbarium.studies.paper_figures import PaperFigure
from hebbarium.training import many_runs, progress
from hebbarium.training.many_runs import PlannedRun


@dataclass(frozen=True)
class Listed:
    """A figure and the paper that lists it, by the name of its model."""

    model: str
    figure: PaperFigure

    def planned(self, runs: Path) -> dict[str, PlannedRun]:
        """The runs that it is made of, by what each is called in it."""
        settings = reproduction.paper_of(self.model).short_runs
        return {
            called: PlannedRun(f"{self.model}_{name}", settings[name], runs / f"{self.model}_{name}", figures=False)
            for called, name in self.figure.runs.items()
        }


def listed() -> dict[str, Listed]:
    """What stands in ``results/figures``, by its name, which begins with the model's."""
    return {
        f"{model}_{name}": Listed(model, figure)
        for model in reproduction.REPRODUCIBLE
        for name, figure in reproduction.paper_of(model).figures.items()
    }


def make(names: Sequence[str], runs: Path, folder: Path, jobs: int = 1) -> list[Path]:
    """Make some figures, and first the runs that they need and that are not there.

    Raises
    ------
    ValueError
        A name is no figure's; or a run came to nothing.
    """
    known = listed()
    for name in names:
        if name not in known:
            raise ValueError(f"{name}: no such figure; expected one of {', '.join(known)}")
    planned = {name: known[name].planned(runs) for name in names}
    needed = {run.folder: run for of_figure in planned.values() for run in of_figure.values()}
    for outcome in many_runs.run_all(list(needed.values()), jobs, progress.reporter()):
        if outcome.problem:
            raise ValueError(f"{outcome.run.folder}: {outcome.problem}")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names:
        drawn = known[name].figure.draw({called: run.folder for called, run in planned[name].items()})
        made.append(figures.save(drawn, folder / name))
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    known = listed()
    parser = argparse.ArgumentParser(prog="python -m hebbarium.commands.paper_figures", description=__doc__)
    parser.add_argument("figure", nargs="*", help=f"all unless named: {', '.join(known)}")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs") / "paper_figures", help="folder of the runs")
    parser.add_argument("--results", type=Path, default=Path("results"), help="its folder figures/ gets them")
    given = parser.parse_args(arguments)
    for path in make(given.figure or list(known), given.runs, given.results / results.FIGURES, given.jobs):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
