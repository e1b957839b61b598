"""Lines that a file has in common with Brian2, which is under another licence than what is tested here."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import brian2

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
    text = file.read_text(encoding="utf-8", errors="replace").splitlines()
    if file.suffix == ".py":
        for node in ast.walk(ast.parse("\n".join(text))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for k in range(node.lineno - 1, node.end_lineno or node.lineno):
                    text[k] = ""
    text = [re.sub(r"\s+", "", line) for line in text]
    return [line for line in text if len(line) > 12]


@functools.cache
def of_brian2() -> frozenset[str]:
    """Every line of the Brian2 installed, without blanks."""
    folder = Path(brian2.__file__).parent
    files = [f for f in folder.rglob("*") if f.suffix in SUFFIXES or f.name.endswith("makefile")]
    return frozenset(
        re.sub(r"\s+", "", line) for f in files for line in f.read_text("utf-8", errors="replace").splitlines()
    )


def shared(file: Path) -> list[str]:
    """Lines of a file that are Brian2's too, but for those that cannot be said otherwise."""
    return [line for line in lines(file) if line in of_brian2() and not UNAVOIDABLE.fullmatch(line)]
