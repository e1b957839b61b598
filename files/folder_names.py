"""Which paths a run folder cannot have: said before anything is made."""

from __future__ import annotations

import os
from pathlib import Path

from hebbarium.files.errors import RunFolderError

_LONGEST = 255  # bytes of a name, on every usual file system
_LONGEST_PATH = 3800  # of 4,096 bytes, with room for the files in it
_RESULTS = ".nc"


def refuse(path: Path) -> None:
    """Raise `RunFolderError` for a path at which no run folder can be made, or not be told from a result file."""
    other = "choose another --out"
    if not str(path).isprintable():
        raise RunFolderError(f"{str(path)!r}: has characters that cannot be printed; {other}")
    if path.suffix == _RESULTS:
        raise RunFolderError(f"{path}: a name that ends in {_RESULTS} is taken for a result file; {other}")
    if too_long := [part for part in path.parts if len(os.fsencode(part)) > _LONGEST]:
        raise RunFolderError(f"{too_long[0][:40]}...: is longer than {_LONGEST} bytes; {other}")
    whole = path.absolute()
    if len(os.fsencode(whole)) > _LONGEST_PATH:
        raise RunFolderError(f"{path.name}: lies in a folder whose path is longer than {_LONGEST_PATH} bytes; {other}")
    nearest = next(parent for parent in whole.parents if os.path.lexists(parent))
    if not nearest.is_dir():
        raise RunFolderError(f"{path}: {nearest} is no folder; {other}")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise RunFolderError(f"{path}: nothing can be written into {nearest}; {other}")
