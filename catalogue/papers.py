"""Papers of one's own beside those of the project: folders with ``models/`` and ``protocols/``, a file a paper in each.

``HEBBARIUM_PAPERS`` names them, with the system's separator between several. A paper's model is then known to all
commands by the name of its file; without the variable, by the file itself, whose protocol is looked for in the folder
``protocols/`` beside ``models/``. Whoever sets the variable or names a file lets it run.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

from hebbarium.catalogue import own_models

__all__ = ["VARIABLE", "located", "models", "name_of", "protocol", "results_of"]

VARIABLE = "HEBBARIUM_PAPERS"


def folders() -> list[Path]:
    """The folders that the variable names."""
    return [Path(folder).expanduser() for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]


def models() -> dict[str, Path]:
    """The model files of all folders, by the name of each; the first folder's where several have one."""
    files = [file for folder in reversed(folders()) for file in sorted((folder / "models").glob("[a-z]*.py"))]
    return {file.stem: file for file in files}


def located(model: str) -> str:
    """A model's name, or the file that it stands for if it is one of these papers'."""
    file = models().get(model)
    return model if file is None else str(file.absolute())


def name_of(model: str) -> str:
    """What files of a paper are called, whether its model is named or given by a file."""
    file = own_models.file_in(model)
    return model if file is None else file.stem


def _beside(model: str, folder: str) -> Path | None:
    file = own_models.file_in(located(model))
    return None if file is None else file.absolute().parent.parent / folder


def protocol(model: str) -> ModuleType | None:
    """The protocol of a paper of one's own, which is run; None if it has none.

    Raises
    ------
    RegistryError
        There is a file, but it defines no ``PAPER``.
    """
    folder = _beside(model, "protocols")
    file = None if folder is None else folder / f"{name_of(located(model))}.py"
    if file is None or not file.is_file():
        return None
    module = own_models.read(file).load()
    if not hasattr(module, "PAPER"):
        raise own_models.RegistryError(f"{file}: defines no PAPER; expected PAPER = Paper(...), as in protocols/")
    return module


def results_of(model: str) -> Path | None:
    """The folder of the ledger of a paper of one's own."""
    return _beside(model, "results")
