"""The source files that something is made from, wherever they are installed, and their digest.

A module's import statements say what it is made from; they are read, so that a number or a string taken from
another module counts as much as a function. Python's own library and `LIBRARIES` are known by their versions.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path

OWN = ("dense_pathways", __name__.partition(".")[0])
"""Packages in which networks and programs are written, which may be installed like any other."""
LIBRARIES = ("brian2", "brian2cuda", "numpy")
GENERATING = (*LIBRARIES, "sympy", "jinja2")
"""Distributions that take part in generating a program."""


def versions() -> dict[str, str]:
    """Versions of `GENERATING`, as far as they are installed."""
    found = {}
    for name in GENERATING:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def closure(modules: Iterable[str], follow: Callable[[str, Path], bool]) -> dict[str, Path]:
    """Files of modules and of what they import, by module.

    Parameters
    ----------
    modules : iterable of str
        Names of modules that are loaded.
    follow : callable
        Whether the imports of a module, given by its name and file, are looked at in turn.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        file = None if name in found else _file(name)
        if file is None:
            continue
        found[name] = file
        if follow(name, file):
            for other in imports(content(name, file), _package(name)):
                waiting += [f"{name.partition('.')[0]}.{other}", other]  # of a rule's neighbours, and in general
    return found


@functools.cache
def imports(source: bytes, package: str) -> tuple[str, ...]:
    """Dotted names that a source imports, wherever in it: modules, and what may be one, ``a.b`` of ``from a import b``.

    Parameters
    ----------
    package : str
        What relative imports begin from.

    Examples
    --------
    >>> imports(b"import a.b; from .c import d", "p")
    ('a', 'a.b', 'p', 'p.c', 'p.c.d')
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            start = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*start, node.module]))
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    split = [name.split(".") for name in names]
    return tuple(dict.fromkeys(".".join(parts[:k]) for parts in split for k in range(1, len(parts) + 1)))


def content(name: str, file: Path) -> bytes:
    """What a module was loaded from: what its loader remembers, or else its file."""
    source = getattr(sys.modules.get(name), "__source__", None)
    return source if isinstance(source, bytes) else _read(file)


def everything(folder: Path) -> dict[str, bytes]:
    """All files below a folder by their path, but for what Python or an editor keeps beside them."""
    files = (f for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc" and not f.name.startswith("."))
    return {file.relative_to(folder).as_posix(): _read(file) for file in files}


def is_foreign(name: str, file: Path) -> bool:
    """Whether a module is none of `OWN` and lies where packages are installed."""
    if name.partition(".")[0] in OWN:
        return False
    return any(file.is_relative_to(Path(sysconfig.get_path(kind)).resolve()) for kind in ("purelib", "platlib"))


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 of named contents, whatever their order."""
    whole = hashlib.sha256()
    for name, source in sorted(files.items()):
        for part in (name.encode(), source):
            whole.update(len(part).to_bytes(8, "little") + part)
    return whole.hexdigest()


@functools.cache
def _read(file: Path) -> bytes:
    # Once a process: the code in memory stays what it was if the file is changed meanwhile.
    return file.read_bytes()


def _package(name: str) -> str:
    return name if hasattr(sys.modules.get(name), "__path__") else name.rpartition(".")[0]


def _file(name: str) -> Path | None:
    """File of a module that is neither Python's own nor one of the libraries; None if there is none."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in LIBRARIES:
        return None
    if name in sys.modules:
        place = getattr(sys.modules[name], "__file__", None)
    else:
        place = None
        with contextlib.suppress(ImportError, AttributeError, ValueError):
            spec = importlib.util.find_spec(name)
            place = spec.origin if spec and spec.has_location else None
    file = Path(place).resolve() if place else None
    return file if file and file.is_file() else None
