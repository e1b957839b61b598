"""Files that are either as they were or whole, whenever a program is killed or the power fails."""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import io
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hebbarium.files import plain_files
from hebbarium.files.errors import FileNotWritten

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)\.tmp", re.DOTALL)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# File systems that cannot sync a folder, and folders that may be entered but not read.
_UNSYNCABLE = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait for other processes that read and write the files of a folder, and make them wait; makes the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # The folder itself is locked: no lock file is left behind in it.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        clear_temporaries(folder)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, content: str | Iterable[bytes | memoryview], durable: bool = True) -> None:
    """Write a file in place of what was there.

    Parameters
    ----------
    content
        Text, kept as UTF-8, or the parts of a binary file.
    durable : bool
        Wait until the file and its name are on the disk; what is written without waiting is handed to `sync` later.

    Raises
    ------
    FileNotWritten
        The disk is full, or the folder cannot be written; what was there is left, and nothing beside it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.csv", "x,y\\n")
    ...     [(file.name, file.read_text()) for file in Path(folder).iterdir()]
    [('a.csv', 'x,y\\n')]
    """
    if durable:  # files that are written by the thousand are looked after by their folder's owner
        clear_temporaries(path.parent, path.name)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with plain_files.create(temporary) as file:
            file.writelines([content.encode()] if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
        if durable:
            sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise FileNotWritten(path, error.strerror or str(error), is_full=error.errno in _FULL) from error
        raise


def sync(files: Iterable[Path], within: Path) -> None:
    """Make files outlive a power cut: their bytes, their names, and the folders from theirs up to ``within``."""
    files = list(files)
    folders = {within}
    for file in files:
        _sync(file)
        folders |= {folder for folder in file.parents if folder.is_relative_to(within)}
    for folder in folders:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power cut, where its file system can."""
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _UNSYNCABLE:
            raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, such that they outlive a power cut."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def clear_temporaries(folder: Path, name: str | None = None, below: bool = False) -> None:
    """Delete what killed processes left in a folder of files that they were writing.

    Parameters
    ----------
    name : str, optional
        The only file whose temporaries go.
    below : bool
        Whether folders in the folder are looked into as well.
    """
    for file in folder.rglob(".*.tmp") if below else folder.glob(".*.tmp"):
        match = _TEMPORARY.fullmatch(file.name)
        if match and name in (None, match["name"]) and not _is_another_process(int(match["process"])):
            with contextlib.suppress(OSError):
                file.unlink()


def _is_another_process(number: int) -> bool:
    if number == os.getpid():
        return False
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def write_table(path: Path, columns: Iterable[object], rows: Iterable[Iterable[object]]) -> None:
    """Write comma-separated values in place of what was there; None is left empty.

    Raises
    ------
    FileNotWritten
        As `write` says.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(Path(folder) / "a.csv", ("x", "y"), [(1, None), ("a, b", 0.5)])
    ...     (Path(folder) / "a.csv").read_text()
    'x,y\\n1,\\n"a, b",0.5\\n'
    """
    write(path, table_text(columns, rows))


def table_text(columns: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Comma-separated values under their columns' names; None is left empty.

    Examples
    --------
    >>> table_text(("x", "y"), [(1, None), ("a, b", 0.5)])
    'x,y\\n1,\\n"a, b",0.5\\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
