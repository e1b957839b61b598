"""The ledgers as they are: what every row of them has to say."""

from __future__ import annotations

import csv
import itertools
import shlex
from pathlib import Path

import pytest

from analysis import ledger
from models.symmetric_stdp import SymmetricSTDP
from protocols import settings

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
