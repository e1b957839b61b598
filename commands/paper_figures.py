"""Figures of the papers that short runs are enough for: ``python -m hebbarium.commands.paper_figures`` makes them anew.

They stand in ``results/figures``. Their runs, of some minutes together, are kept in ``runs/paper_figures`` and not
made again.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis import figures
from hebbarium.protocols import desire_backprop, symmetric_stdp, synaptic_scaling
from hebbarium.record import results
from hebbarium.studies import desire_example, layers
from hebbarium.training import many_runs, progress
from hebbarium.training.many_runs import PlannedRun
from hebbarium.training.run_settings import RunSettings

# -- the runs --------------------------------------------------------------------------------------------------
_DIGITS, _GARMENTS = "mnist", "fashion-mnist"


def _scaling(dataset: str, norm: str, w_t: str, tau_p: str) -> RunSettings:
    changes = {"neurons": "100", "norm": norm, "w_t": w_t, "tau_p": tau_p}
    return dataclasses.replace(synaptic_scaling.PROTOCOL, dataset=dataset, changes=changes)


def _symmetric(neurons: int, images: int | None, **changes: str) -> RunSettings:
    given = {**symmetric_stdp.PROTOCOL.changes, "neurons": str(neurons), "w_ie": symmetric_stdp.AUTHORS_INHIBITION}
    protocol = dataclasses.replace(symmetric_stdp.PROTOCOL, images=images, epochs=1)
    return dataclasses.replace(protocol, changes={**given, **changes}, schedule=symmetric_stdp.SIMULTANEOUS)


RUNS: Mapping[str, RunSettings] = {
    "L1": _scaling(_DIGITS, "L1", "160", "60*ms"),   # the paper's best of each table, N = 100
    "L2": _scaling(_DIGITS, "L2", "9", "60*ms"),
    "small": _scaling(_DIGITS, "L2", "2", "60*ms"),
    "garments": _scaling(_GARMENTS, "L2", "3", "20*ms"),
    "symmetric": _symmetric(400, None),
    "classic": _symmetric(100, 1_000, plasticity="classic"),
    "desire": dataclasses.replace(
        desire_backprop.PROTOCOL, images=10_000, epochs=1, changes={"layers": "1600,800"}
    ),
}  # fmt: skip


# -- the figures -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class PaperFigure:
    """One figure.

    Parameters
    ----------
    runs : mapping
        What is drawn, by what it is called in the figure: names of `RUNS`.
    draw : callable
        Makes the figure of the folders of these runs.
    """

    runs: Mapping[str, str]
    draw: Callable[[Mapping[str, Path]], Figure]


def _of_result(draw: Callable[[xr.DataTree], Figure]) -> Callable[[Mapping[str, Path]], Figure]:
    """A figure that needs one result file."""

    def drawn(runs: Mapping[str, Path]) -> Figure:
        (run,) = runs.values()
        with results.open_run(run) as tree:
            return draw(tree)

    return drawn


def _time_lapse(runs: Mapping[str, Path]) -> Figure:
    with ExitStack() as stack:
        trees = {name: stack.enter_context(results.open_run(run)) for name, run in runs.items()}
        return figures.weight_time_lapse(trees, each=2)


def _example(runs: Mapping[str, Path]) -> desire_example.Example:
    (run,) = runs.values()
    found = desire_example.example(run)
    if found is None:
        raise ValueError(f"{run}: no image shows both desires at work; train it for longer")
    return found


def _membrane(runs: Mapping[str, Path]) -> Figure:
    one = _example(runs)
    return figures.membrane_example(one.potential, one.threshold, one.fired, one.inputs, one.input_weights)


def _trace(runs: Mapping[str, Path]) -> Figure:
    one = _example(runs)
    return figures.stdp_example(one.before, one.trace, one.after, one.change)


def _contributions(runs: Mapping[str, Path]) -> Figure:
    (run,) = runs.values()
    return layers.draw_contributions(run)


FIGURES: Mapping[str, PaperFigure] = {
    "synaptic_scaling_Fig3.svg": PaperFigure({"": "L2"}, _of_result(figures.stdp_window)),
    "synaptic_scaling_Fig4.png": PaperFigure(
        {"(a) L1": "L1", "(b) L2": "L2", "(c) L2, W_t 2": "small", "(d) L2, garments": "garments"}, _time_lapse
    ),
    "symmetric_stdp_Fig1_classic.svg": PaperFigure({"": "classic"}, _of_result(figures.stdp_window)),
    "symmetric_stdp_Fig1_symmetric.svg": PaperFigure({"": "symmetric"}, _of_result(figures.stdp_window)),
    "symmetric_stdp_Fig4.svg": PaperFigure(
        {"": "symmetric"}, _of_result(lambda tree: figures.confusion_matrix(tree, results.CLASS_LAYER))
    ),
    "desire_backprop_Fig1.svg": PaperFigure({"": "desire"}, _membrane),
    "desire_backprop_Fig2.svg": PaperFigure({"": "desire"}, _trace),
    "desire_backprop_Fig8.png": PaperFigure({"": "desire"}, _contributions),
}
"""What stands in ``results/figures``, by its name: model and figure of the paper."""


def make(names: Sequence[str], runs: Path, folder: Path, jobs: int = 1) -> list[Path]:
    """Make some figures, and first the runs that they need and that are not there.

    Raises
    ------
    ValueError
        A name is no figure's; or a run came to nothing.
    """
    for name in names:
        if name not in FIGURES:
            raise ValueError(f"{name}: no such figure; expected one of {', '.join(FIGURES)}")
    needed = dict.fromkeys(run for name in names for run in FIGURES[name].runs.values())
    planned = {name: PlannedRun(name, RUNS[name], runs / name, figures=False) for name in needed}
    for outcome in many_runs.run_all(list(planned.values()), jobs, progress.reporter()):
        if outcome.problem:
            raise ValueError(f"{outcome.run.folder}: {outcome.problem}")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names:
        figure = FIGURES[name]
        drawn = figure.draw({called: planned[run].folder for called, run in figure.runs.items()})
        made.append(figures.save(drawn, folder / name))
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m hebbarium.commands.paper_figures", description=__doc__)
    parser.add_argument("figure", nargs="*", help=f"all unless named: {', '.join(FIGURES)}")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs") / "paper_figures", help="folder of the runs")
    parser.add_argument("--results", type=Path, default=Path("results"), help="its folder figures/ gets them")
    given = parser.parse_args(arguments)
    for path in make(given.figure or list(FIGURES), given.runs, given.results / results.FIGURES, given.jobs):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
