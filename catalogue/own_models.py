"""A user's model: its file and the files beside it that it imports, how they are loaded, and who may have them run.

They are loaded from what was read once, under names of their own: files of two folders never meet, nothing is put on
Python's path, and what lies beside a rule takes the place of none of Python's modules, nor of ours.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hebbarium.engine import sources
from hebbarium.files import plain_files

__all__ = ["OwnModel", "Recorded", "RegistryError", "file_in", "read", "trust"]

PREFIX = "own_model_"
"""Beginning of the names of modules that are loaded here."""
# Names that a file beside a rule does not take over.
_TAKEN = {*sys.stdlib_module_names, *sources.LIBRARIES, *sources.OWN}


class RegistryError(ValueError):
    """No such model, or a file that is not there, may not run, or is not what it was."""


class Recorded(str):
    """A model's name as a run folder has it: if it is a file, that file runs only if somebody says so.

    Attributes
    ----------
    run : Path
        The run folder.
    files : mapping, optional
        Digests by path of the files that the run began with; None if it does not say.
    """

    run: Path
    files: Mapping[str, str] | None

    @classmethod
    def of(cls, name: str, run: Path, files: Mapping[str, str] | None) -> Recorded:
        """A name with where it comes from."""
        recorded = cls(name)
        recorded.run, recorded.files = run, files
        return recorded


@dataclass(frozen=True)
class OwnModel:
    """What a model's file and its neighbours hold.

    Attributes
    ----------
    file : Path
        The model's file, without links.
    module : str
        Name of its module.
    files : mapping
        Path and content by name of the module, as seen from the folder of the file.
    """

    file: Path
    module: str
    files: Mapping[str, tuple[Path, bytes]]

    @property
    def digests(self) -> dict[str, str]:
        """Digest of each file, by its path from the folder of the model."""
        return {path: sources.digest({path: content}) for path, content in self.contents.items()}

    @property
    def contents(self) -> dict[str, bytes]:
        """Content of each file, by its path from the folder of the model."""
        return {path.relative_to(self.file.parent).as_posix(): content for path, content in self.files.values()}

    def load(self) -> ModuleType:
        """Run the file, unless just this has been loaded already. Raises whatever it raises."""
        package = PREFIX + sources.digest({str(self.file.parent): b"", **self.contents})[:16]
        name = f"{package}.{self.module}"
        if name not in sys.modules:
            _FINDER.packages[package] = self
            try:
                importlib.import_module(name)
            except BaseException:
                for loaded in [n for n in sys.modules if n.partition(".")[0] == package]:
                    del sys.modules[loaded]
                raise
        return sys.modules[name]


def file_in(name: str) -> Path | None:
    """The file that a model's name stands for, ``path/to/file.py`` or ``path/to/file.py:ClassName``, if it is one."""
    file = name.partition(":")[0]
    return Path(file) if file.endswith(".py") else None


def read(path: Path) -> OwnModel:
    """A model's file and what it imports from beside it. Nothing runs.

    Raises
    ------
    RegistryError
        There is no such file.
    """
    file = path.resolve()
    if not file.is_file():
        raise RegistryError(f"{path}: no such file; expected a Python file that defines a model")
    module = file.stem.replace(".", "_")
    files = {module: (file, plain_files.read(file))}
    waiting = [module]
    while waiting:
        importer = waiting.pop()
        origin, content = files[importer]
        package = importer if origin.name == "__init__.py" else importer.rpartition(".")[0]
        for name in sources.imports(content, package):
            neighbour = None if name in files or name.partition(".")[0] in _TAKEN else _beside(file.parent, name)
            if neighbour:
                files[name] = (neighbour, plain_files.read(neighbour))
                waiting.append(name)
    return OwnModel(file, module, files)


def _beside(folder: Path, name: str) -> Path | None:
    place = folder.joinpath(*name.split("."))
    return next((f for f in (place / "__init__.py", place.with_name(f"{place.name}.py")) if f.is_file()), None)


# -- who may have it run -------------------------------------------------------------------------------------
_trusted: set[Path] = set()


def trust(path: Path) -> None:
    """Let a file run in this process, also if it is a run folder that names it."""
    _trusted.add(path.resolve())


def refuse_unasked(name: Recorded, own: OwnModel) -> None:
    """Raise `RegistryError` unless somebody lets the file that a run names run, and it is the one it began with."""
    if own.file not in _trusted:
        raise RegistryError(
            f"{name.run}: its model is a Python file, {own.file}, and a file that a run folder names is not run"
            " unasked; if you trust it, say --trust-model"
        )
    refuse_other(name.run, name.files, own)


def refuse_other(run: Path, files: Mapping[str, str] | None, own: OwnModel) -> None:
    """Raise `RegistryError` unless these are the files that a run began with, as far as it says."""
    if files is None or files == own.digests:
        return
    here = own.digests
    changed = sorted(path for path in {*files, *here} if files.get(path) != here.get(path))
    raise RegistryError(
        f"{own.file}: is not as it was when {run} began: changed: {', '.join(changed)}. Put it back ({run}/source has"
        " a copy), or train anew into another folder"
    )


# -- loading -------------------------------------------------------------------------------------------------
class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of own models by their private names, and nothing else."""

    def __init__(self) -> None:
        self.packages: dict[str, OwnModel] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.partition(".")
        own = self.packages.get(package)
        if own is None:
            return None
        if name in own.files:
            origin, content = own.files[name]
            loader = _Loader(own, package, origin, content)
            is_package = origin.name == "__init__.py"
            spec = importlib.util.spec_from_loader(fullname, loader, origin=str(origin), is_package=is_package)
            if spec is not None:
                spec.has_location = True
            return spec
        if not name or any(other.startswith(f"{name}.") for other in own.files):
            folder = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            folder.submodule_search_locations = []
            return folder
        return None


_FINDER = _Finder()
sys.meta_path.append(_FINDER)


class _Loader(importlib.abc.Loader):
    def __init__(self, own: OwnModel, package: str, origin: Path, content: bytes) -> None:
        self.own, self.package, self.origin, self.content = own, package, origin, content

    def exec_module(self, module: ModuleType) -> None:
        # Compiled from what was read, without the bytecode that Python keeps beside a file: that goes by the file's
        # size and second, and may be of the text before.
        code = compile(self.content, str(self.origin), "exec", dont_inherit=True)
        neighbours = {name.partition(".")[0] for name in self.own.files}
        module.__dict__["__source__"] = self.content
        importing = {"__import__": _importing(self.package, neighbours)}
        module.__dict__["__builtins__"] = {**vars(builtins), **importing}
        exec(code, module.__dict__)


def _importing(package: str, neighbours: set[str]) -> Any:
    """Python's ``__import__``, which looks for neighbours among the modules of a private package."""

    def import_it(
        name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] = (), level: int = 0
    ) -> Any:
        top = name.partition(".")[0]
        if level or top not in neighbours:
            return __import__(name, globals, locals, fromlist, level)
        neighbour = __import__(f"{package}.{name}", globals, locals, fromlist)
        return neighbour if fromlist else getattr(neighbour, top)

    return import_it
