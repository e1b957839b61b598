"""The examples in docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import analysis

MODULES = [
    module.name
    for module in pkgutil.walk_packages(analysis.__path__, "analysis.")
    if not module.name.startswith("analysis.notebooks")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
