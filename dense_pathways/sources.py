"""What is done to the generated text: lists that nothing reads are left out, arrays end with whole vectors, and many
files become two.

A project of Brian2 is some sixty files that all include the same headers, and most of a build is reading those.
Here all is compiled as one file but for the arrays, their loading and writing, which are long and not worth
optimising: two processors have one file each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

HEADERS = Path(__file__).parent / "headers"
PROGRAM, ARRAYS = "dense_program.cpp", "objects.cpp"
_UNREAD = re.compile(r"%UNREAD:(\w+)% ")
_FILL = re.compile(r"%FILL:(\w+):(\w+):(.*)%")
_ALLOCATED = re.compile(r"\bnew ([\w ]+)\[(\d+)\];")

WIDTH, ROW = 16, 32
"""Elements that the widest vectors of today hold; and a multiple of it, to whose multiple arrays are rounded up."""


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


def pad(text: str) -> str:
    """Make arrays longer, to whole vectors, so that a loop over elements need not go on one by one at its end.

    What lies beyond an array's own size begins as zero, is computed along and read by nothing.

    Raises
    ------
    RuntimeError
        An array is allocated in a way that Brian2 2.10 and 2.11 do not know.
    """
    padded, found = _ALLOCATED.subn(lambda found: f"new {found[1]}[{-(-int(found[2]) // ROW) * ROW}]();", text)
    if found != len(re.findall(r"=\s*new\b", text)):
        raise RuntimeError(
            f"{ARRAYS} allocates arrays in an unexpected form; is Brian2's version supported (2.10, 2.11)? The device"
            " 'cpp_standalone' does without"
        )
    return padded


def join(folder: Path, files: Iterable[str], apart: Iterable[str]) -> list[str]:
    """Write the file that includes the others; returns the files left to compile.

    Parameters
    ----------
    folder : Path
        The project.
    files : iterable of str
        Sources, relative to it.
    apart : iterable of str
        Sources that are compiled on their own, since what they define would disturb others.
    """
    apart = {*apart, ARRAYS}
    members = sorted(set(files) - apart, key=lambda file: (file == "main.cpp", file))
    lines = ['#include "dense_random.h"', "namespace dense_random { Generator generator; }"]
    lines += [f'#include "{member}"' for member in members]
    (folder / PROGRAM).write_text("\n".join([*lines, ""]))
    return [PROGRAM, *sorted(apart)]
