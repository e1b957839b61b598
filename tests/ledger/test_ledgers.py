"""The ledgers as they are: what every row of them has to say."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hebbarium.commands import not_run
from hebbarium.ledger import commits, ledger
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.studies import reproduction
from hebbarium.training import parameters
from tests.ledger import old_records

RESULTS = Path(__file__).parents[2] / "results"
MODELS = ("desire_backprop", "diehl_cook", "symmetric_stdp", "synaptic_scaling")
ON_NETWORKS = ("robustness", "operations", "maps")
"""Items of what was measured on trained networks, whose own accuracies may stand elsewhere."""


def changes_of(command: str) -> dict[str, str]:
    """What a row's command sets."""
    options = list(itertools.pairwise(shlex.split(command)))
    found = parameters.assignments(text for option, text in options if option == "--set")
    return found | {option.removeprefix("--"): text for option, text in options if option == "--neurons"}


@pytest.mark.parametrize("item", ["Table 1", "Table 3", "ablations", "robustness", "operations", "maps"])
def test_rows_spell_out_the_constants_of_their_size(item: str) -> None:
    rows = ledger.select(ledger.read(RESULTS / "symmetric_stdp.csv"), item=item)
    assert rows
    for row in rows:
        followed = parameters.following(SymmetricSTDP, changes_of(row.command))
        assert followed
        assert {"neurons", *followed} <= row.symbols.keys()


def test_what_was_searched_spells_them_out_too() -> None:
    rows = ledger.select(ledger.read(RESULTS / "symmetric_stdp.csv"), item="search")
    assert rows
    for row in rows:
        symbols = row.symbols
        given: dict[str, str] = {symbol: symbols[symbol] for symbol in ("neurons", "tuned_for") if symbol in symbols}
        assert ("tuned_for" in given) is (row.dataset == "fashion-mnist")
        assert parameters.following(SymmetricSTDP, given).keys() <= symbols.keys()
        assert symbols["evaluate_on"] == "validation"


@pytest.mark.parametrize("model", MODELS)
def test_measures_are_of_runs_whose_accuracy_is_there(model: str) -> None:
    rows = ledger.read(RESULTS / f"{model}.csv")
    assert rows
    known = {
        (row.item, row.dataset, row.setting, row.seed, row.trained)
        for row in ledger.select(rows, measure=ledger.ACCURACY, selection=ledger.LAST)
    }
    measured = [row for row in rows if row.command.startswith("hebbarium train") and row.item not in ON_NETWORKS]
    assert {(row.item, row.dataset, row.setting, row.seed, row.trained) for row in measured} <= known


@pytest.mark.parametrize("model", MODELS)
def test_the_papers_numbers_are_those_of_its_protocol(model: str) -> None:
    items = {ledger.item_of(table) for table in reproduction.paper_of(model).tables}
    accuracies = [row for row in ledger.read(RESULTS / f"{model}.csv") if row.measure == ledger.ACCURACY]
    for row in (row for row in accuracies if row.item in items):
        cell = old_records.cell_of(model, row)
        assert cell is not None, row
        printed = reproduction.printed(cell, model)
        spread = cell.spreads.get(row.readout)
        assert (row.paper, row.paper_spread) == (printed.get(row.readout), spread), row
    assert all(row.paper is None for row in accuracies if row.item not in items)


@pytest.mark.parametrize("model", MODELS)
def test_a_ledger_holds_each_seed_of_a_cell_once(model: str) -> None:
    rows = ledger.read(RESULTS / f"{model}.csv")
    assert len({row.key for row in rows}) == len(rows)
    ledger.summarise(rows)


@pytest.mark.parametrize(("model", "runs"), [("synaptic_scaling", 246), ("diehl_cook", 16), ("desire_backprop", 31)])
def test_what_the_ledgers_have_is_not_made_again(model: str, runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of today has the words of those that were carried over; of the paper's runs this many are there."""
    monkeypatch.setattr(
        reproduction, "_image_numbers", lambda asked: (asked.epochs * (asked.images or 60_000), 10_000)
    )
    paper = reproduction.paper_of(model)
    asked = reproduction.Reproduction(paper, paper.cells, paper.seeds, Path("runs"), RESULTS, paper.protocol)
    planned = len(paper.cells) * len(paper.seeds)
    assert planned - len(reproduction.missing(asked)) >= runs


def test_the_inhibition_of_each_size_is_what_the_ledger_says() -> None:
    found = {
        (row.dataset, row.neurons, row.symbols["w_ie"])
        for row in ledger.read(RESULTS / "symmetric_stdp.csv")
        if row.item in ("Table 1", "Table 3", "two_hours") and "w_ie=" not in row.command
    }
    assert found == {
        ("mnist", "100", "34"), ("mnist", "400", "22"), ("mnist", "1600", "12"), ("mnist", "6400", "4"),
        ("mnist", "10000", "17"), ("fashion-mnist", "400", "12"),
    }  # fmt: skip


def test_the_list_of_what_was_not_run_is_that_of_the_ledgers(tmp_path: Path) -> None:
    for path in RESULTS.glob("*.csv"):
        shutil.copy(path, tmp_path)
    assert not_run.write(tmp_path).read_text() == (RESULTS / "not_run.csv").read_text()
    listed = {(row[0], row[1], row[3], row[5], row[6], row[7]) for row in not_run.numbers(tmp_path)}
    assert ("symmetric_stdp", "1", "10000", "classes", "class_layer", "96.73") in listed
    assert ("desire_backprop", "2", "1000-100", "", "class_layer", "87.56") in listed
    assert not any(row[0] == "synaptic_scaling" for row in listed)
    rows = ledger.read(tmp_path / "synaptic_scaling.csv")
    (tmp_path / "synaptic_scaling.csv").unlink()
    ledger.append(tmp_path / "synaptic_scaling.csv", [row for row in rows if row.item != "Table IV"])
    assert sum(row[0] == "synaptic_scaling" for row in not_run.numbers(tmp_path)) == 20


@pytest.mark.slow
def test_results_that_came_in_meanwhile_make_no_mark(tmp_path: Path) -> None:
    """In a clone: what is in results/ does not run, so that rows after it are still those of the commit."""
    clone = tmp_path / "clone"
    made = subprocess.run(["git", "clone", "-q", "--shared", str(RESULTS.parent), str(clone)], check=False)
    if made.returncode:
        pytest.skip("this is no clone")
    asked = """
from pathlib import Path
from hebbarium.ledger import commits
from hebbarium.training import provenance
for name in ("results/synaptic_scaling.csv", "models/synaptic_scaling.py"):
    with Path(name).open("a") as file:
        file.write("\\n")
    print(commits.named(**provenance.code_version()))
"""
    command = [sys.executable, "-c", asked]
    environment = {**os.environ, "PYTHONPATH": str(clone)}
    told = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=True)
    after_results, after_code = told.stdout.split()
    assert len(after_results) == commits.DIGITS
    assert after_code == after_results + commits.DIRTY
