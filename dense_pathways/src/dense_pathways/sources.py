# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""What is done to the generated files: lists that nothing reads are left out, and many files become a few.

A project of Brian2 is some sixty files that all include the same headers, and most of a build is reading those.
Here a network of the usual size is compiled as one file but for the arrays, their loading and writing, which are long
and not worth optimising: two processors have one file each. A network of very many operations is cut into files of
like length. What a user wrote is never joined where it might reach into an operation of someone else.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

HEADERS = Path(__file__).parent / "headers"
PROGRAM, ARRAYS = "dense_program.cpp", "objects.cpp"
_UNREAD = re.compile(r"%UNREAD:(\w+)% ")
_CHANGES = re.compile(r"%CHANGES:([\w,]*)%")
_FILL = re.compile(r"%FILL:(\w+):(\w+):(.*)%")

# What a preprocessor is told in the code of an operation, and what Brian2 and this package tell it there themselves.
_DIRECTIVE = re.compile(r"^[ \t]*(?:#|%:|\?\?=)[ \t]*(.*)", re.MULTILINE)
_KNOWN = re.compile(r"(define _brian_\w+|ifdef (_MSC_VER|DEBUG)|else|endif|pragma (GCC ivdep|omp))\b")
_BEYOND = re.compile(r"\b(extern|_Pragma|asm|__asm__)\b")
_STANDARD = re.compile(r"<\w+>")

#: languages by the ends of names of files that a compiler takes; any other file is handed to the linker
_LANGUAGES = {".c": ".c"} | dict.fromkeys((".cpp", ".cc", ".cp", ".cxx", ".c++", ".C", ".CPP"), ".cpp")

WIDTH, ROW = 16, 32
"""Elements that the widest vectors of today hold; and a multiple of it, to whose multiple arrays are rounded up."""

WHOLE, CHUNK = 160, 80
"""Operations that are compiled as one file; and how many a file has at most where there are more of them.

A compiler weighs over a whole file what to inline, and with ``-ffast-math`` bits depend on it: what once was one file
stays one.
"""


def mentions(text: str, array: str) -> bool:
    """Whether code does anything with an array besides declaring a pointer to it.

    Parameters
    ----------
    array : str
        Name of the dynamic array in the generated program (``_dynamic_array_...``).
    """
    pointed = array.removeprefix("_dynamic")
    if pointed not in text:  # nearly always, and reading line by line is slow
        return False
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
    text = _UNREAD.sub(lambda entry: "0*" if entry[1] in unread else "", text)
    return _FILL.sub(lambda entry: "" if entry[1] in unread else f"{entry[1]}[{entry[2]}] = {entry[3]};", text)


def changes(lists: Iterable[str]) -> str:
    """What a template says where it has to know whether lists change while a network runs; see `say_whether`."""
    return f"%CHANGES:{','.join(lists)}%"


def say_whether(text: str, changing: Iterable[str]) -> str:
    """Fill in what templates of runs leave open: whether lists change.

    Parameters
    ----------
    changing : iterable of str
        Dynamic arrays that operations write.
    """
    changing = set(changing)
    return _CHANGES.sub(lambda entry: "true" if changing & set(entry[1].split(",")) else "false", text)


def reaches_out(functions: str, rest: str) -> bool:
    """Whether an operation may do something to what is compiled along with it.

    Parameters
    ----------
    functions : str
        What is defined in the operation's namespace, by users too.
    rest : str
        What follows.
    """
    depth = itertools.accumulate(1 if brace == "{" else -1 for brace in re.findall("[{}]", functions))
    return (
        any(_KNOWN.match(directive) is None for directive in _DIRECTIVE.findall(functions + rest))
        or _BEYOND.search(functions) is not None
        or min(depth, default=0) < 0
    )


def standard(headers: Iterable[str]) -> bool:
    """Whether headers are all of C++'s own library, which may be included in any order and any number of times."""
    return all(_STANDARD.fullmatch(header.strip()) for header in headers)


def chunks(sizes: Mapping[str, int]) -> list[list[str]]:
    """Files in groups of like length, each sorted by name.

    Parameters
    ----------
    sizes : mapping of str to int
        The files that operations are written in, and how long they are.
    """
    if len(sizes) <= WHOLE:
        return [sorted(sizes)]
    groups: list[list[str]] = [[] for _ in range(-(-len(sizes) // CHUNK))]
    filled = [0] * len(groups)
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        k = min((k for k, group in enumerate(groups) if len(group) < CHUNK), key=lambda k: filled[k])
        groups[k].append(name)
        filled[k] += sizes[name]
    return [sorted(group) for group in groups]


def join(operations: Mapping[str, int], others: Iterable[str]) -> dict[str, str]:
    """Files that include files: their names, and what is written in them.

    Parameters
    ----------
    operations : mapping of str to int
        Sources of operations, relative to the project, and their lengths.
    others : iterable of str
        The other sources; ``main.cpp`` comes last.
    """
    first, *further = groups = chunks(operations)
    members = sorted([*others, *(() if further else first)], key=lambda file: (file == "main.cpp", file))
    once = [*map(_include, ("dense_memory.h", "dense_random.h")), "namespace _dense_random { Generator generator; }"]
    texts = {PROGRAM: [*once, *map(_include, members)]}
    for k, group in enumerate(groups if further else ()):
        texts[PROGRAM.replace(".", f"_{k + 1}.")] = [*map(_include, group)]
    return {name: "\n".join([*lines, ""]) for name, lines in texts.items()}


def foreign(folder: Path, files: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Sources of a user's own: files that include one each, so that nothing is written beside them; and what is linked.

    Parameters
    ----------
    folder : Path
        The project, to which names may be relative.
    files : iterable of str
        As they were named.

    Returns
    -------
    texts : dict of str to str
        Names of files to be compiled, and what is written in them.
    linked : list of str
        Objects and libraries, which are compiled already.

    Raises
    ------
    RuntimeError
        A file is not there.
    """
    paths: dict[str, Path] = {}
    for name in sorted(files):
        path = folder.resolve() / name
        if not path.is_file():
            raise RuntimeError(
                f"'{name}' was named as a source or an object to compile with, and is no file; name it by its whole"
                f" path (what is relative is looked for in the project, '{folder}')"
            )
        paths.setdefault(os.path.realpath(path), path)
    texts, linked = dict[str, str](), list[str]()
    for _, path in sorted(paths.items()):
        language = _LANGUAGES.get(path.suffix)
        if language is None:
            linked.append(str(path))
            continue
        stem = re.sub(r"\W", "_", path.stem)
        texts[f"source_{len(texts) + 1}_{stem}{language}"] = _include(str(path)) + "\n"
    return texts, linked


def _include(file: str) -> str:
    return f'#include "{file}"'
