"""Whose the package is: every file says so, and none has lines in common with Brian2, which has another licence."""

from __future__ import annotations

from pathlib import Path

import brian2
import pytest

import dense_pathways
from shared_lines import MOST, lines, of_brian2, shared

PACKAGE = Path(dense_pathways.__file__).parent
FILES = sorted(f for f in PACKAGE.rglob("*") if f.is_file() and f.suffix != ".pyc")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_text_is_brian2s(file: Path) -> None:
    assert len(shared(file)) <= MOST, shared(file)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_file_names_licence_and_holders(file: Path) -> None:
    head = file.read_text(encoding="utf-8").split("\n")[:2]
    assert "SPDX-FileCopyrightText: 2026 The Hebbarium developers" in head[0]
    assert "SPDX-License-Identifier: BSD-3-Clause" in head[1]


def test_lines_are_found_where_they_are_shared() -> None:
    template = Path(brian2.__file__).parent / "devices" / "cpp_standalone" / "templates" / "network.cpp"
    assert sum(line in of_brian2() for line in lines(template)) == len(lines(template)) > 50
