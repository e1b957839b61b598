"""The examples in docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.test_project import ROOMS, ROOT, python_files

MODULES = [
    "hebbarium." + ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for room in ROOMS
    for file in python_files(room)
    if "\n>>> " in (text := file.read_text(encoding="utf-8")) or "    >>> " in text
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted
    assert outcome.failed == 0
