"""Rows say which commit made them, in one spelling, and none was made by code that nobody can look up."""

from __future__ import annotations

import csv
import doctest
import re
from pathlib import Path

import pytest

from hebbarium.ledger import commits

RESULTS = Path(__file__).parents[2] / "results"
LEDGERS = [path for path in sorted(RESULTS.glob("*.csv")) if "commit" in path.read_text().splitlines()[0].split(",")]
BEFORE_COMMITS = ("hebbian_control_search",)
"""Items whose rows did not say which commit made them; each says now."""


def test_the_examples_of_the_documentation() -> None:
    assert doctest.testmod(commits).attempted
    assert doctest.testmod(commits).failed == 0


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.name)
def test_no_row_was_made_by_changed_code(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        made_by = {row["commit"] for row in csv.DictReader(file) if row.get("item") not in BEFORE_COMMITS}
    wrong = [commit for commit in made_by if not re.fullmatch(r"[0-9a-f]{7,12}", commit)]
    assert not wrong
