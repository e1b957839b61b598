"""Figures of the ledgers are those of their rows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hebbarium.commands import ledger_figures
from hebbarium.ledger import ledger

RESULTS = Path(__file__).parents[2] / "results"


def text_of(figure: str) -> list[str]:
    """Everything that is written in a figure; letters themselves are drawn."""
    return re.findall(r"<!-- (.*?) -->", figure)


def creator(figure: str) -> list[str]:
    return re.findall(r"Matplotlib v[^,<]*", figure)


@pytest.mark.slow
def test_the_figures_in_results_are_those_of_the_ledgers(tmp_path: Path) -> None:
    for path in RESULTS.glob("*.csv"):
        shutil.copy(path, tmp_path)
    (tmp_path / "figures").mkdir()
    for path in (RESULTS / "figures").glob("*.svg"):
        (tmp_path / "figures" / path.name).touch()
    assert ledger_figures.main(["--results", str(tmp_path)]) == 0
    drawn = [path for path in (tmp_path / "figures").iterdir() if path.stat().st_size]
    assert len(drawn) >= 19
    for path in drawn:
        new, old = path.read_text(), (RESULTS / "figures" / path.name).read_text()
        assert text_of(new) == text_of(old), path.name
        assert new == old or creator(new) != creator(old), path.name


def test_only_figures_that_are_there_are_drawn(tmp_path: Path) -> None:
    shutil.copy(RESULTS / "symmetric_stdp.csv", tmp_path)
    (tmp_path / "figures").mkdir()
    assert list(ledger_figures.draw(tmp_path)) == []
    (tmp_path / "figures" / "hebbian_control.svg").touch()
    assert [path.name for path in ledger_figures.draw(tmp_path)] == ["hebbian_control.svg"]
    before = (tmp_path / "figures" / "hebbian_control.svg").read_text()
    rows = ledger.read(tmp_path / "symmetric_stdp.csv")
    (tmp_path / "symmetric_stdp.csv").unlink()
    kept = [row for row in rows if not (row.item == "hebbian_control" and row.seed == 0)]
    ledger.append(tmp_path / "symmetric_stdp.csv", kept)
    list(ledger_figures.draw(tmp_path))
    assert (tmp_path / "figures" / "hebbian_control.svg").read_text() != before
