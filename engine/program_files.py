"""The folder of a compiled program: whether its bytes are those that were made, and who is using it.

A process holds every program that it asks for until it ends, by a shared lock of the program's folder, so that
nobody deletes what it is running.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

STAMP = "program.json"
MAIN = "main"
_LEAVING = ".leaving-"
_MOMENT = 60.0  # seconds

_Signature = dict[str, tuple[int, int, int]]
# What this process has found whole, as the system described it then, and the programs that it holds.
_found_whole: dict[Path, _Signature] = {}
_held: dict[Path, int] = {}


def stamp(folder: Path, description: dict[str, Any]) -> None:
    """Write what a program is, and the digest of each of its files, beside them."""
    digests = {name: _digest(folder / name) for name in _files(folder)}
    (folder / STAMP).write_text(json.dumps({**description, "files": digests}, indent=1))


def description(folder: Path) -> dict[str, Any]:
    """What `stamp` wrote; empty if that is missing or damaged."""
    try:
        stored = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def is_whole(folder: Path) -> bool:
    """Whether every file that was made is there with the bytes it was made with.

    Files are read once in a process, and again when the system says that they have changed. Files that were not
    there when the program was made do not count.
    """
    digests = description(folder).get("files")
    if not isinstance(digests, dict) or MAIN not in digests or not os.access(folder / MAIN, os.X_OK):
        return False
    try:
        signature = {name: _signature(folder / name) for name in (*digests, STAMP)}
        if _found_whole.get(folder) == signature:
            return True
        if any(_digest(folder / name) != digest for name, digest in digests.items()):
            return False
    except OSError:
        return False
    _found_whole[folder] = signature
    return True


def hold(folder: Path) -> bool:
    """Keep a program from being deleted as long as this process lives; False if there is none."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    # Whoever deletes it has its lock and moves it away at once, so this does not take long.
    _lock(descriptor, fcntl.LOCK_SH)
    if not _is_at(descriptor, folder):
        os.close(descriptor)
        return False
    if folder in _held:
        os.close(_held[folder])
    _held[folder] = descriptor
    return True


def put(draft: Path, folder: Path) -> None:
    """Give a program its place, and hold it; what was there goes, and who runs it goes on doing so."""
    with drafted(folder.parent, _LEAVING) as leaving:
        if folder.exists():
            os.replace(folder, leaving / folder.name)
        os.replace(draft, folder)
        hold(folder)


def delete(folder: Path) -> bool:
    """Delete a program that nobody holds; says whether it is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True
    try:
        if not _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
        if _is_at(descriptor, folder):
            with drafted(folder.parent, _LEAVING) as leaving:
                os.replace(folder, leaving / folder.name)
    finally:
        os.close(descriptor)
    return True


@contextmanager
def drafted(folder: Path, prefix: str) -> Iterator[Path]:
    """A private folder that is gone afterwards, or with the next call of `clear_drafts` if this process is killed."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=prefix, ignore_cleanup_errors=True) as name:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(descriptor, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(descriptor)


def clear_drafts(folder: Path, prefix: str) -> None:
    """Delete the drafts of processes that were killed, and what was leaving when they were."""
    for left in (*folder.glob(f"{prefix}*"), *folder.glob(f"{_LEAVING}*")):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
            try:
                # one that was made this moment may not be locked yet
                old = time.time() - os.fstat(descriptor).st_mtime > _MOMENT
                if old and _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    shutil.rmtree(left)
            finally:
                os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    """Lock a folder; False if another process has. Where a file system knows no locks, nobody has any."""
    try:
        fcntl.flock(descriptor, kind)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _is_at(descriptor: int, folder: Path) -> bool:
    try:
        there = os.stat(folder)
    except OSError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)


def _files(folder: Path) -> list[str]:
    """Names of a program's own files; what a link points to is looked after elsewhere."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink() and file != folder / STAMP
    ]


def _digest(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _signature(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
