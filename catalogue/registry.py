"""Models by name, and a user's own models by file."""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
from pathlib import Path

from hebbarium import models as package
from hebbarium.catalogue import own_files, own_models, papers
from hebbarium.catalogue.own_models import OwnModel, Recorded, RegistryError
from hebbarium.models.contract import Model

__all__ = ["RegistryError", "find", "models"]


@functools.cache
def _models() -> dict[str, type[Model]]:
    found = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, Model) and "name" in vars(kind):
                found[kind.name] = kind
    return found


def models() -> dict[str, type[Model]]:
    """The models that come with the project: whatever class of a file in `hebbarium.models` has a name."""
    return dict(_models())


def find(name: str) -> type[Model]:
    """A model's class.

    Parameters
    ----------
    name : str
        One of `models`, of `hebbarium.catalogue.papers`, or a user's own ``path/to/file.py`` or
        ``path/to/file.py:ClassName``. Whoever names a file lets it run; a name from a run folder
        (`hebbarium.catalogue.own_models.Recorded`) does not.

    Raises
    ------
    RegistryError
        Unknown name (the nearest is suggested); a file without a model; or one that a run folder names and nobody
        trusts, or that is not what the run began with.
    """
    known = models()
    if name in known:
        return known[name]
    if file := own_models.file_in(papers.located(name)):
        own = own_models.read(file)
        if isinstance(name, Recorded):
            own_models.refuse_unasked(name, own)
        else:
            own_models.trust(file)
        return _defined_in(file, own, name.partition(":")[2])
    names = [*known, *papers.models()]
    near = difflib.get_close_matches(name, names, 1, 0.4)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise RegistryError(
        f"model '{name}' is not known{hint} Known: {', '.join(names)}; or give a Python file of your own"
    )


def _defined_in(path: Path, own: OwnModel, wanted: str) -> type[Model]:
    module = own_files.imported(path, own)
    found = {
        k: v
        for k, v in vars(module).items()
        if isinstance(v, type) and issubclass(v, Model) and v.__module__ == module.__name__
    }
    if wanted and wanted not in found:
        raise RegistryError(f"{path}: defines no model '{wanted}'; it defines {', '.join(found) or 'none'}")
    if not found:
        raise RegistryError(f"{path}: defines no model; expected a class derived from one, as docs/own_rule.md shows")
    if not wanted and len(found) != 1:
        raise RegistryError(
            f"{path}: defines {len(found)} models ({', '.join(found)}); name one as {path}:CLASS"
        )
    kind = found[wanted or next(iter(found))]
    own_files.refuse_class(path, kind, tuple(models()))
    return kind
