"""A user's own file: imported, and its model told apart from what is none; what is wrong is told by file and line."""

from __future__ import annotations

import dataclasses
import difflib
import re
import traceback
from pathlib import Path
from types import ModuleType

from hebbarium.catalogue.own_models import OwnModel, RegistryError
from hebbarium.models.contract import Model

_WRITTEN = ("build", "encode", "sample_steps")
_SAID = ("name", "title", "paper", "phases")
_NAME = re.compile(r"\w[\w.-]{0,59}")


class OwnFileError(RegistryError):
    """A user's file cannot be imported, or holds no model; the message names file and line."""


def imported(path: Path, own: OwnModel) -> ModuleType:
    """The module that a file, read as ``own``, is. Raises `OwnFileError`."""
    try:
        return own.load()
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        raise OwnFileError(
            f"{place(path, error)}: ends Python when it is imported (exit code {error.code or 0}); expected a file that"
            " defines a model and does nothing else"
        ) from error
    except BaseException as error:
        raise OwnFileError(f"{place(path, error)}: cannot be imported: {in_words(error)}") from error


def refuse_class(path: Path, kind: type[Model], names: tuple[str, ...]) -> None:
    """Raise `OwnFileError` for a class that is no whole model of its own; ``names`` are those of other models."""
    where = f"{path}: class {kind.__name__}"
    if left := [k for base in kind.__mro__ for k, v in vars(base).items() if isinstance(v, dataclasses.Field)]:
        raise OwnFileError(
            f"{where}: {', '.join(left)} did not become a parameter; expected the decorator"
            " @dataclass(frozen=True, eq=False) before the class"
        )
    if missing := [word for word in _SAID if not getattr(kind, word, None)]:
        raise OwnFileError(f"{where}: says no {', '.join(missing)}; expected such a line as {missing[0]} = ...")
    for word in ("name", "title", "paper"):
        if not isinstance(getattr(kind, word), str):
            raise OwnFileError(f"{where}: {word} = {str(getattr(kind, word))[:60]}: expected text in quotes")
    if not _NAME.fullmatch(kind.name):  # folders of runs are called after it
        raise OwnFileError(
            f"{where}: name = {kind.name[:60]!r}: expected letters, digits, _, - and dots, 60 at most, as in"
            " name = 'my_rule'"
        )
    if kind.name in names:
        raise OwnFileError(
            f"{where}: has the name of another model, {kind.name}; expected one of its own, as in name = 'my_rule'"
        )
    if missing := [word for word in _WRITTEN if getattr(kind, word) is getattr(Model, word)]:
        raise OwnFileError(
            f"{where}: does not say {missing[0]}(); expected it as in models/synaptic_scaling.py, or a class derived"
            " from one of the models"
        )
    _refuse_misspelt(where, kind)


def _refuse_misspelt(where: str, kind: type[Model]) -> None:
    """What a class says under nearly the name of something that it could have changed would silently do nothing."""
    own = [base for base in kind.__mro__ if base.__module__ == kind.__module__]
    known = [word for base in kind.__mro__ if base not in own for word in vars(base) if not word.startswith("__")]
    for word in dict.fromkeys(word for base in own for word in vars(base)):
        is_new = not word.startswith("_") and word not in known and word not in kind.parameters()
        if is_new and (near := difflib.get_close_matches(word, known, 1, 0.85)):
            raise OwnFileError(f"{where}: {word} is nothing that its model reads; did you mean {near[0]}? Rename it")


def place(path: Path, error: BaseException) -> str:
    """``file.py:line`` where an error came from, as far as it came from this file."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == path.resolve():
        return f"{path}:{error.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.resolve()
    ]
    return f"{path}:{lines[-1]}" if lines else str(path)


def in_words(error: BaseException) -> str:
    """An error as one line."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(text.split())}"
