"""Compiled programs, kept by what they were made from.

A program's key covers its normalised sources, static arrays, flags, compiler, processor and Brian2's version.
Since generating sources takes seconds, a second, cheaper key, the recipe, covers the files that a model is
written in and its structure, and leads to the program's key.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import inspect
import json
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import brian2
import platformdirs

from engine import compiler
from engine.errors import BuildFailed

_VARIABLE = "HEBBARIUM_CACHE"


def folder() -> Path:
    """Where programs are kept: the environment variable HEBBARIUM_CACHE, or the user's cache folder."""
    return Path(os.environ.get(_VARIABLE) or platformdirs.user_cache_path("hebbarium")) / "programs"


@dataclass(frozen=True)
class CachedProgram:
    """An entry of the cache."""

    key: str
    path: Path
    description: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(f.stat().st_size for f in self.path.rglob("*") if f.is_file())


def entries() -> list[CachedProgram]:
    """All programs of the cache."""
    if not folder().is_dir():
        return []
    found = []
    for path in sorted(folder().iterdir()):
        stamp = path / "program.json"
        if stamp.is_file():
            found.append(CachedProgram(path.name, path, json.loads(stamp.read_text())))
    return found


def clear() -> int:
    """Delete every program; returns how many there were."""
    count = len(entries())
    shutil.rmtree(folder(), ignore_errors=True)
    return count


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of one name: two processes building one program take turns."""
    locks = folder() / "locks"
    try:
        locks.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildFailed(
            f"{locks}: cannot be created ({error.strerror}); set {_VARIABLE} to a folder that can be written"
        ) from error
    with open(locks / name, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(
    recipe: str, description: dict[str, Any], generate: Callable[[Path], None], build: Callable[[Path], None]
) -> Path:
    """The folder of a program, made if need be.

    Parameters
    ----------
    recipe : str
        Key of what the program is generated from.
    description : dict
        Kept beside the program for `hebbarium cache`.
    generate : callable
        Writes the sources into a folder.
    build : callable
        Compiles them there. Raises `BuildFailed`.
    """
    with locked(f"recipe-{recipe}"):
        pointer = folder() / "recipes" / recipe
        if pointer.is_file():
            path = folder() / pointer.read_text().strip()
            if _is_whole(path):
                return path
        with tempfile.TemporaryDirectory(dir=folder(), prefix=".building-") as temporary:
            draft = Path(temporary) / "program"
            draft.mkdir()
            generate(draft)
            key = _sources_key(draft)
            path = folder() / key
            with locked(f"program-{key}"):
                if not _is_whole(path):
                    build(draft)
                    stamp = {**description, "files": _sizes(draft)}
                    (draft / "program.json").write_text(json.dumps(stamp, indent=1))
                    shutil.rmtree(path, ignore_errors=True)
                    os.replace(draft, path)
        pointer.parent.mkdir(exist_ok=True)
        _write_text(pointer, key)
        return path


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)


def _sizes(path: Path) -> dict[str, int]:
    kept = [path / "main", *sorted((path / "static_arrays").glob("*"))]
    return {str(f.relative_to(path)): f.stat().st_size for f in kept if f.is_file()}


def _is_whole(path: Path) -> bool:
    """Whether a program and its static arrays are there: Brian2 reads a truncated array without complaint."""
    try:
        expected = json.loads((path / "program.json").read_text())["files"]
    except (OSError, ValueError, KeyError):
        return False
    return "main" in expected and _sizes(path) == expected


def _sources_key(draft: Path) -> str:
    digest = hashlib.sha256(json.dumps(toolchain()).encode())
    for file in sorted(f for f in draft.rglob("*") if f.is_file()):
        digest.update(str(file.relative_to(draft)).encode() + b"\0")
        digest.update(file.read_bytes().replace(str(draft).encode(), b"."))
    return digest.hexdigest()[:24]


def toolchain() -> list[str]:
    """Compiler, processor and versions that a program depends on."""
    return [*compiler.chosen().identity(), _processor(), brian2.__version__, platform.python_version()]


@functools.cache
def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU part")
    lines = {line for line in text.split("\n") if line.startswith(wanted)}
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def recipe_key(model_class: type, engine_folder: Path, structure: dict[str, Any]) -> str:
    """Key of the files a model is written in, the engine's own, and a structure."""
    digest = hashlib.sha256(json.dumps([toolchain(), structure], sort_keys=True).encode())
    files = {f for cls in model_class.__mro__ for f in _dependencies(cls.__module__)}
    files |= set(engine_folder.glob("*.py")) | set(engine_folder.glob("*.h"))
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:24]


def _dependencies(name: str, seen: set[str] | None = None) -> set[Path]:
    """Source files of a module and of what it imports, outside the standard library and installed packages."""
    seen = set() if seen is None else seen
    module = sys.modules.get(name)
    if name in seen or module is None or not (file := getattr(module, "__file__", None)):
        return set()
    seen.add(name)
    path = Path(file).resolve()
    installed = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    if any(path.is_relative_to(Path(p).resolve()) for p in installed):
        return set()
    found = {path}
    for value in vars(module).values():
        other = (
            value.__name__
            if isinstance(value, ModuleType)
            else getattr(inspect.unwrap(value), "__module__", None)
            if callable(value)
            else None
        )
        if isinstance(other, str):
            found |= _dependencies(other, seen)
    return found
