"""Compiled programs, kept by what they were made from.

A program's key covers its normalised sources, static arrays, flags, compiler, processor and Brian2's version.
Since generating sources takes seconds, a second, cheaper key, the recipe, covers the files that a model is
written in and its structure, and leads to the program's key.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import hashlib
import json
import logging
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brian2
import platformdirs

from hebbarium.engine import compiler, isolation, program_files, sources
from hebbarium.files import plain_files, whole_files
from hebbarium.files.errors import BuildFailed, FileNotWritten

VARIABLE = "HEBBARIUM_CACHE"
_DRAFT = ".building-"
_log = logging.getLogger("hebbarium")
_RECIPES, _LOCKS = "recipes", "locks"
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS)


def folder() -> Path:
    """Where programs are kept: the environment variable HEBBARIUM_CACHE, or the user's cache folder; an absolute path.

    Raises
    ------
    BuildFailed
        There is no such home folder.
    """
    named = os.environ.get(VARIABLE, "").strip()
    try:
        chosen = Path(named).expanduser() if named else platformdirs.user_cache_path("hebbarium").expanduser()
    except RuntimeError as error:
        raise BuildFailed(f"{VARIABLE}={named}: {error}; name the folder by its whole path") from error
    return chosen.absolute() / "programs"


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
        if (path / program_files.STAMP).is_file():
            found.append(CachedProgram(path.name, path, program_files.description(path)))
    return found


def clear() -> tuple[int, int]:
    """Delete the programs that no process has asked for that still lives; returns how many went and how many stayed.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    program_files.clear_drafts(folder(), _DRAFT)
    if not folder().is_dir():
        return 0, 0
    # whatever is left of a program counts, whole or not
    ours = [path for path in folder().iterdir() if path.is_dir() and path.name.isalnum()]
    ours = [path for path in ours if path.name not in (_RECIPES, _LOCKS)]
    gone = [program_files.delete(path) for path in ours]
    for pointer in (folder() / _RECIPES).glob("[!.]*"):
        if not (folder() / pointer.read_text(errors="replace").strip()).is_dir():
            pointer.unlink(missing_ok=True)
    return sum(gone), len(gone) - sum(gone)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of one name: two processes building one program take turns."""
    locks = folder() / _LOCKS
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock = plain_files.lock(locks / name)
    except OSError as error:
        raise BuildFailed(
            f"{locks}: cannot be written ({error.strerror}); set {VARIABLE} to a folder that can be written"
        ) from error
    with lock:
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
        pointer = folder() / _RECIPES / recipe
        if path := _pointed_to(pointer):
            return path
        try:
            program_files.clear_drafts(folder(), _DRAFT)
            with program_files.drafted(folder(), _DRAFT) as temporary:
                draft = temporary / "program"
                draft.mkdir()
                generate(draft)
                key = _sources_key(draft)
                path = folder() / key
                with locked(f"program-{key}"):
                    if not _is_usable(path):
                        if path.exists():
                            _log.warning("%s: the compiled program is damaged, and is built again", path)
                        build(draft)
                        program_files.stamp(draft, description)
                        program_files.put(draft, path)
            pointer.parent.mkdir(exist_ok=True)
            whole_files.write(pointer, key)
        except OSError as error:
            if not isinstance(error, FileNotWritten) and error.errno not in _UNWRITABLE:
                raise
            reason = error.reason if isinstance(error, FileNotWritten) else error.strerror or error
            raise BuildFailed(
                f"{folder()}: the program cannot be written ({reason}); make room there, or set {VARIABLE} to another"
                " folder"
            ) from error
        return path


def _pointed_to(pointer: Path) -> Path | None:
    """The program of a recipe, if it is there and whole."""
    try:
        key = pointer.read_text(errors="replace").strip()
    except OSError:
        return None
    path = folder() / key
    return path if key.isalnum() and _is_usable(path) else None


def _is_usable(path: Path) -> bool:
    """Whether a program is there, with the bytes it was made with; it is held from then on."""
    return program_files.hold(path) and program_files.is_whole(path)


def _sources_key(draft: Path) -> str:
    digest = hashlib.sha256(json.dumps(toolchain()).encode())
    for file in sorted(f for f in draft.rglob("*") if f.is_file()):
        digest.update(str(file.relative_to(draft)).encode() + b"\0")
        digest.update(file.read_bytes().replace(str(draft).encode(), b"."))
    return digest.hexdigest()[:24]


def toolchain() -> list[str]:
    """Compiler, processor and versions that a program depends on."""
    return [*compiler.chosen().identity(), processor(), brian2.__version__, platform.python_version()]


@functools.cache
def processor() -> str:
    """Digest of the processor's name and of what it can do."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    wanted = ("model name", "flags", "Features", "CPU part")
    lines = {line for line in text.split("\n") if line.startswith(wanted)}
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def recipe_key(model_class: type, engine_folder: Path, structure: dict[str, Any]) -> str:
    """Key of the files a model is written in, the engine's own, Brian2's preferences, versions and a structure."""
    shaping = {f"engine/{name}": source for name, source in sources.everything(engine_folder).items()}
    written_in = [cls.__module__ for cls in model_class.__mro__]
    for name, file in sources.closure(written_in, lambda *module: not sources.is_foreign(*module)).items():
        if sources.is_foreign(name, file):  # all of the package: what its modules import is not looked at
            shaping |= _package(name.partition(".")[0], file)
        else:
            shaping[name] = sources.content(name, file)
    made_with = [toolchain(), sources.versions(), isolation.preferences(), structure]
    return sources.digest({**shaping, "made with": json.dumps(made_with, sort_keys=True).encode()})[:24]


@functools.cache
def _package(name: str, file: Path) -> dict[str, bytes]:
    top = next((folder for folder in file.parents if folder.name == name), None)
    files = sources.everything(top) if top else {file.name: file.read_bytes()}
    return {f"{name}/{path}": source for path, source in files.items() if not path.endswith(".so")}
