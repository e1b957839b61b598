"""Models by name, and a user's own models by file."""

from __future__ import annotations

import difflib
from pathlib import Path

from models.contract import Model
from models.desire_backprop import DesireBackprop
from models.diehl_cook import DiehlCook
from models.symmetric_stdp import SymmetricSTDP
from models.synaptic_scaling import SynapticScaling
from protocols import own_files


class RegistryError(ValueError):
    """No such model."""


def models() -> dict[str, type[Model]]:
    """The models that come with the project."""
    return {m.name: m for m in (SynapticScaling, SymmetricSTDP, DiehlCook, DesireBackprop)}


def find(name: str) -> type[Model]:
    """A model's class.

    Parameters
    ----------
    name : str
        One of `models`, or a user's own ``path/to/file.py`` or ``path/to/file.py:ClassName``.

    Raises
    ------
    RegistryError
        Unknown name (the nearest is suggested), or a file without a model.
    """
    known = models()
    if name in known:
        return known[name]
    file, _, wanted = name.partition(":")
    if file.endswith(".py"):
        return _from_file(Path(file), wanted)
    near = difflib.get_close_matches(name, known, 1, 0.4)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise RegistryError(
        f"model '{name}' is not known{hint} Known: {', '.join(known)}; or give a Python file of your own"
    )


def _from_file(path: Path, wanted: str) -> type[Model]:
    if not path.is_file():
        raise RegistryError(f"{path}: no such file; expected a Python file that defines a model")
    module = own_files.imported(path)
    found = {
        k: v
        for k, v in vars(module).items()
        if isinstance(v, type) and issubclass(v, Model) and v.__module__ == module.__name__
    }
    if wanted and wanted not in found:
        raise RegistryError(f"{path}: defines no model '{wanted}'; it defines {', '.join(found) or 'none'}")
    if not found:
        raise RegistryError(f"{path}: defines no model; expected a class derived from one, as CONTRIBUTING.md shows")
    if not wanted and len(found) != 1:
        raise RegistryError(
            f"{path}: defines {len(found)} models ({', '.join(found)}); name one as {path}:CLASS"
        )
    kind = found[wanted or next(iter(found))]
    own_files.refuse_class(path, kind, tuple(models()))
    return kind
