"""Files and folders that libraries write under a path of their own: there once they are whole, never over others."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hebbarium.files.errors import FileNotWritten

__all__ = ["writing"]


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path beside a new one, to be written to; what is there at the end is given the name of the new one.

    Parameters
    ----------
    path : Path
        Of a file or a folder that is not there yet. Folders above it are made.

    Raises
    ------
    FileNotWritten
        Something is there already; or the place cannot be written. Nothing is left behind.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(Path(folder) / "new" / "a.txt") as place:
    ...         _ = place.write_text("whole")
    ...     [str(file.relative_to(folder)) for file in Path(folder).rglob("*.txt")]
    ['new/a.txt']
    """
    if os.path.lexists(path):
        raise FileNotWritten(path, "something of this name is there already")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".hebbarium-", dir=path.parent) as beside:
            place = Path(beside) / path.name
            yield place
            os.rename(place, path)
    except OSError as error:
        if isinstance(error, FileNotWritten):
            raise
        raise FileNotWritten(path, error.strerror or str(error)) from error
