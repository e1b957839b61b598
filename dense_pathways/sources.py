"""What is done to the generated text: lists that nothing reads are left out, and many files become two.

A project of Brian2 is some sixty files that all include the same headers, and most of a build is reading those.
Here the operations are compiled as one file and the rest of the program as another, so that two processors
have one each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

HEADERS = Path(__file__).parent / "headers"
OPERATIONS, PROGRAM = "dense_operations.cpp", "dense_program.cpp"
_UNREAD = re.compile(r"%UNREAD:(\w+)% ")
_FILL = re.compile(r"%FILL:(\w+):(\w+):(.*)%")


def mentions(text: str, array: str) -> bool:
    """Whether code does anything with an array besides declaring a pointer to it.

    Parameters
    ----------
    array : str
        Name of the dynamic array in the generated program (``_dynamic_array_...``).
    """
    pointed = array.removeprefix("_dynamic")
    names = re.compile(rf"\b(?:_ptr)?{pointed}\b|\b{array}\b")
    return any(names.search(line) for line in text.split("\n") if not _declares(line, pointed))


def _declares(line: str, pointed: str) -> bool:
    return re.match(rf"\s*[\w ]+\*[\w ]*\b(?:_ptr)?{pointed}\s*=", line) is not None


def settle(text: str, unread: Iterable[str]) -> str:
    """Fill in what the template of a counted connection leaves open: which lists are written.

    Parameters
    ----------
    unread : iterable of str
        Dynamic arrays that nothing reads: they stay empty.
    """
    unread = set(unread)
    text = _UNREAD.sub(lambda found: "0*" if found[1] in unread else "", text)
    return _FILL.sub(lambda found: "" if found[1] in unread else f"{found[1]}[{found[2]}] = {found[3]};", text)


def join(folder: Path, files: Iterable[str], apart: Iterable[str]) -> list[str]:
    """Write the two files that include all others; returns the files left to compile.

    Parameters
    ----------
    folder : Path
        The project.
    files : iterable of str
        Sources, relative to it.
    apart : iterable of str
        Sources that are compiled on their own, since what they define would disturb others.
    """
    apart = set(apart)
    groups: dict[str, list[str]] = {OPERATIONS: [], PROGRAM: []}
    for file in sorted(set(files) - apart):
        groups[OPERATIONS if file.startswith("code_objects/") else PROGRAM].append(file)
    groups[PROGRAM].sort(key=lambda file: file == "main.cpp")
    for name, members in groups.items():
        lines = [f'#include "{member}"' for member in members]
        if name == PROGRAM:
            lines = ['#include "dense_random.h"', "namespace dense_random { Generator generator; }", *lines]
        (folder / name).write_text("\n".join([*lines, ""]))
    return [*groups, *sorted(apart)]
