"""Rows say which commit made them, in one spelling."""

from __future__ import annotations

import doctest

from analysis import commits


def test_the_examples_of_the_documentation() -> None:
    assert doctest.testmod(commits).attempted
    assert doctest.testmod(commits).failed == 0
