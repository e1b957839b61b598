"""Text files that are either as they were or whole, whenever a program is killed."""

from __future__ import annotations

import os
from pathlib import Path


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
