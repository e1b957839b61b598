"""Figures of the papers that short runs are enough for: they are there, they are shown, and they are made of runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.commands import paper_figures
from hebbarium.ledger import ledger
from hebbarium.studies import reproduction
from hebbarium.training import many_runs
from hebbarium.training.many_runs import Outcome, PlannedRun

ROOT = Path(__file__).parents[2]


LISTED = paper_figures.listed()


@pytest.mark.parametrize("name", LISTED)
def test_a_figure_is_kept_and_shown(name: str) -> None:
    notes = (ROOT / "docs" / "notes" / f"{LISTED[name].model}.md").read_text(encoding="utf-8")
    assert f"](../../results/figures/{name})" in notes or f"```{{drawing}} {name}\n" in notes
    rows = ledger.read(ROOT / "results" / f"{LISTED[name].model}.csv")
    if all(row.item == "search" for row in rows):
        pytest.skip("nothing of this paper's tables was run yet")
    assert (ROOT / "results" / "figures" / name).stat().st_size > 1000


def test_every_run_is_one_of_its_papers_protocol_and_drawn() -> None:
    for model in reproduction.REPRODUCIBLE:
        paper = reproduction.paper_of(model)
        assert {run for figure in paper.figures.values() for run in figure.runs.values()} == {*paper.short_runs}
        assert {run.make_model().name for run in paper.short_runs.values()} <= {model}


def test_a_figure_is_made_of_its_runs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[PlannedRun] = []
    drawn: list[dict[str, Path]] = []

    def run_all(runs: list[PlannedRun], *_: object) -> list[Outcome]:
        planned.extend(runs)
        return [Outcome(run) for run in runs]

    def draw(runs: Mapping[str, Path]) -> Figure:
        drawn.append(dict(runs))
        return style.new_figure(20, 20)

    monkeypatch.setattr(many_runs, "run_all", run_all)
    one = LISTED["synaptic_scaling_Fig4.png"]
    figure = dataclasses.replace(one.figure, draw=draw)
    monkeypatch.setattr(paper_figures, "listed", lambda: {"all.png": dataclasses.replace(one, figure=figure)})
    (path,) = paper_figures.make(["all.png"], tmp_path / "runs", tmp_path / "figures")
    assert path.exists()
    assert [run.name for run in planned] == [f"synaptic_scaling_{run}" for run in ("L1", "L2", "small", "garments")]
    assert drawn == [{called: tmp_path / "runs" / f"synaptic_scaling_{run}" for called, run in figure.runs.items()}]


def test_what_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no such figure; expected one of desire_backprop_Fig1"):
        paper_figures.make(["Fig3"], tmp_path, tmp_path)
    monkeypatch.setattr(many_runs, "run_all", lambda runs, *_: [Outcome(run, "out of disk") for run in runs])
    with pytest.raises(ValueError, match="L2: out of disk"):
        paper_figures.make(["synaptic_scaling_Fig3.svg"], tmp_path, tmp_path / "figures")
    assert not (tmp_path / "figures").exists()
