"""Whose the package is: every file says so, and none has lines in common with Brian2, which has another licence."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import brian2
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dense_pathways"
FILES = sorted(f for f in PACKAGE.rglob("*") if f.is_file() and f.suffix != ".pyc")
SUFFIXES = {".py", ".pyx", ".pxd", ".cpp", ".h", ".c"}

#: what has to be said as Brian2 says it: what is included, what a template extends and fills, where generated code
#: goes, and idioms of Python
UNAVOIDABLE = re.compile(
    r"#include<[\w.]+>|\{%extends'\w+\.cpp'%\}|\{%blockmaincode%\}|\{\{(scalar|vector)_code\|autoindent\}\}"
    r"|raise\w+\(|super\(\)\.\w+\(\)"
)
#: lines that two programs may have in common by chance, in a file
MOST = 3


def lines(file: Path) -> list[str]:
    """The lines of a file that say something, without blanks; of Python, without imports."""
    found = file.read_text(encoding="utf-8", errors="replace").splitlines()
    if file.suffix == ".py":
        for node in ast.walk(ast.parse("\n".join(found))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for k in range(node.lineno - 1, node.end_lineno or node.lineno):
                    found[k] = ""
    found = [re.sub(r"\s+", "", line) for line in found]
    return [line for line in found if len(line) > 12]


@pytest.fixture(scope="module")
def theirs() -> set[str]:
    folder = Path(brian2.__file__).parent
    files = [f for f in folder.rglob("*") if f.suffix in SUFFIXES or f.name.endswith("makefile")]
    return {re.sub(r"\s+", "", line) for f in files for line in f.read_text("utf-8", errors="replace").splitlines()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_text_is_brian2s(file: Path, theirs: set[str]) -> None:
    shared = [line for line in lines(file) if line in theirs and not UNAVOIDABLE.fullmatch(line)]
    assert len(shared) <= MOST, shared


def test_nor_is_that_of_other_programs_in_cpp(theirs: set[str]) -> None:
    files = [f for folder in ("engine", "benchmarks") for s in (".h", ".cpp") for f in (ROOT / folder).rglob(f"*{s}")]
    assert files
    for file in files:
        shared = [line for line in lines(file) if line in theirs and not UNAVOIDABLE.fullmatch(line)]
        assert len(shared) <= MOST, (file, shared)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_file_names_licence_and_holders(file: Path) -> None:
    head = file.read_text(encoding="utf-8").split("\n")[:2]
    assert "SPDX-FileCopyrightText: 2026 The Hebbarium developers" in head[0]
    assert "SPDX-License-Identifier: BSD-3-Clause" in head[1]


def test_lines_are_found_where_they_are_shared(theirs: set[str]) -> None:
    template = Path(brian2.__file__).parent / "devices" / "cpp_standalone" / "templates" / "network.cpp"
    assert sum(line in theirs for line in lines(template)) == len(lines(template)) > 50
