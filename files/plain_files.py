"""Files in a folder that may come from a stranger: read only if they are plain files, never written through a link."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def read(path: Path) -> bytes:
    """Content of a file.

    Raises
    ------
    OSError
        It cannot be read; or it is a pipe or a device, on which reading might never end.
    """
    with _plain(path, os.O_RDONLY) as file:
        return file.read()


def lock(path: Path, existing: bool = False) -> BinaryIO:
    """Open a file that is there to be locked; nothing is written to it, and what it holds stays.

    Parameters
    ----------
    existing : bool
        Open it for reading, and make none.

    Raises
    ------
    OSError
        It is a link, or no plain file, or cannot be opened.
    """
    return _plain(path, os.O_NOFOLLOW | (os.O_RDONLY if existing else os.O_RDWR | os.O_CREAT))


def create(path: Path) -> BinaryIO:
    """A new file to write to, in place of whatever had its name. Raises `OSError`."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb")


def _plain(path: Path, flags: int) -> BinaryIO:
    # Opening a pipe that nobody writes to would wait forever.
    file = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return os.fdopen(file, "r+b" if flags & os.O_RDWR else "rb", buffering=0 if flags & os.O_RDWR else -1)
