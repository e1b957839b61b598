"""Libraries that only some commands need: imported when they are first used, missing ones named with their extra."""

from __future__ import annotations

import importlib
from typing import Any

from hebbarium.files.errors import EngineError

__all__ = ["LibraryMissing", "needed"]


class LibraryMissing(EngineError, ImportError):
    """A library that is optional is not installed."""


def needed(name: str, extra: str, what: str) -> Any:
    """A library, imported.

    Parameters
    ----------
    name : str
        Of the module.
    extra : str
        Of the project, which installs it.
    what : str
        What it is needed for, as messages say it.

    Raises
    ------
    LibraryMissing
        It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        top = name.partition(".")[0]
        raise LibraryMissing(
            f'{what} needs the library {top}, which cannot be imported ({error}): pip install "hebbarium[{extra}]", or'
            f" in a clone pip install -e '.[{extra}]'"
        ) from error
