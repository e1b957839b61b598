"""Text files that are either as they were or whole, whenever a program is killed, and that lose nothing to another."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait for other processes that read and write the files of a folder, and make them wait; makes the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # The folder itself is locked: no lock file is left behind in it.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: Path, text: str) -> None:
    """Write a text, UTF-8, in place of what was there.

    Raises
    ------
    OSError
        It cannot be written; what was there is left.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.csv", "x,y\\n")
    ...     [(file.name, file.read_text()) for file in Path(folder).iterdir()]
    [('a.csv', 'x,y\\n')]
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_table(path: Path, columns: Iterable[object], rows: Iterable[Iterable[object]]) -> None:
    """Write comma-separated values in place of what was there; None is left empty.

    Raises
    ------
    OSError
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
