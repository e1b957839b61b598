"""The ledgers as they are: what every row of them has to say."""

from __future__ import annotations

import csv
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
from hebbarium.training import settings

RESULTS = Path(__file__).parents[2] / "results"


def changes_of(command: str) -> dict[str, str]:
    """What a row's command sets."""
    options = list(itertools.pairwise(shlex.split(command)))
    found = settings.assignments(text for option, text in options if option == "--set")
    return found | {option.removeprefix("--"): text for option, text in options if option == "--neurons"}


@pytest.mark.parametrize("name", ["symmetric_stdp", "robustness", "operations"])
def test_rows_spell_out_the_constants_of_their_size(name: str) -> None:
    with (RESULTS / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["command"].split()[2] == SymmetricSTDP.name]
    assert rows
    for row in rows:
        followed = settings.following(SymmetricSTDP, changes_of(row["command"]))
        assert followed
        assert followed.keys() <= ledger.symbols_of(row["setting"]).keys()


def test_measurements_are_of_rows_that_are_there() -> None:
    rows = ledger.read(RESULTS / "symmetric_stdp.csv")
    with (RESULTS / "symmetric_stdp_measurements.csv").open(newline="", encoding="utf-8") as file:
        measured = {(row["dataset"], row["neurons"], row["setting"], row["seed"]) for row in csv.DictReader(file)}
    assert measured <= {(row.dataset, row.neurons, row.setting, str(row.seed)) for row in rows}


def test_the_inhibition_of_each_size_is_what_the_ledger_says() -> None:
    found = {
        (row.dataset, row.neurons, row.symbols["w_ie"])
        for row in ledger.read(RESULTS / "symmetric_stdp.csv")
        if row.table in ("1", "3", "two_hours") and "w_ie=" not in row.command
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
    assert ("diehl_cook", "sizes", "6400", "", "class_mean", "95.00") in listed
    assert not any(row[0] == "synaptic_scaling" for row in listed)
    rows = ledger.read(tmp_path / "synaptic_scaling.csv")
    (tmp_path / "synaptic_scaling.csv").unlink()
    ledger.append(tmp_path / "synaptic_scaling.csv", [row for row in rows if row.table != "IV"])
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
