"""A user's model is built and read before it is trained: an error in one of its strings is told by file and line."""

from __future__ import annotations

import ast
import contextlib
import difflib
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from brian2 import DEFAULT_FUNCTIONS, BrianLogger, Network, second
from brian2.core.base import BrianObjectException
from brian2.groups.group import CodeRunner

from hebbarium.catalogue import own_files, own_models
from hebbarium.catalogue.own_files import OwnFileError
from hebbarium.engine import anatomy, faithfulness, inspection, runtime
from hebbarium.engine.contract import Structure
from hebbarium.files.errors import EngineError
from hebbarium.models.contract import Model

# The networks are read and dropped: that they never ran is meant.
BrianLogger.suppress_name("unused_brian_object")

_ENOUGH = 20
"""Neurons of the network that is read: its strings do not depend on the size."""


@dataclass(frozen=True)
class _String:
    """A line of a string in a user's file, and the name that the string is given."""

    line: int
    name: str
    text: str


def refuse(model: Model) -> None:
    """Raise `OwnFileError` if a network of a user's model cannot be built, or one of its strings not be read.

    Models of the project are not looked at.
    """
    if not type(model).__module__.startswith(own_models.PREFIX):
        return
    path = Path(inspect.getfile(type(model)))
    with contextlib.suppress(ValueError):
        if getattr(model, "neurons", 0) > _ENOUGH:
            model = model.replace(neurons=_ENOUGH)
    for phase in model.phases:
        with runtime.runtime_device("numpy", "float64"):
            network: Network | None = None
            try:
                network = model.build(phase, anatomy.one_sample(model, phase))
                faithfulness.refuse_unfaithful(network, Structure(model, phase, "float64", "numpy", 1))
                network.run(0 * second)
                _refuse_unread(path, network)
            except (EngineError, OwnFileError):
                raise
            except Exception as error:
                raise OwnFileError(_told(path, model, network, error)) from error


def _refuse_unread(path: Path, network: Network) -> None:
    """Refuse a statement that sets what neither the network has nor a later statement reads: a misspelt variable."""
    for member in network.sorted_objects:
        code = getattr(member, "abstract_code", None)
        if not isinstance(member, CodeRunner) or not isinstance(code, str):
            continue
        with contextlib.suppress(SyntaxError):
            names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
            read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
            for node in names:
                if isinstance(node.ctx, ast.Store) and node.id not in (read | set(member.group.variables)):
                    place = _where(path, node.id)
                    if place is not None:
                        near = _near(node.id, member.group.variables)
                        raise OwnFileError(f"{place}: '{node.id}' is set, but no variable of that name is there{near}")


def _told(path: Path, model: Model, network: Network | None, error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, BrianObjectException) and error.__cause__ else error
    if unknown := re.search(r'identifier "(\w+)" could not be resolved', str(cause)):
        known = {*model.parameters(), *DEFAULT_FUNCTIONS}
        if network is not None:
            known |= {full.split(".")[1] for full, _ in inspection.arrays(network)}
            known |= {f"{name}_{side}" for name in known for side in ("pre", "post")}
        name = unknown[1]
        return f"{_where(path, name) or path}: '{name}' is not known{_near(name, known)}"
    said = own_files.in_words(cause)
    statement = _faulty(path, network, error, str(cause))
    if statement is not None:
        return f"{path}:{statement.line}: {statement.name}: {said}, in '{statement.text}'"
    return f"{own_files.place(path, error)}: {said}"


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _where(path: Path, word: str) -> str | None:
    """``file.py:line: attribute`` of the first string of a file in which a word occurs."""
    for string in _strings(path):
        if re.search(rf"\b{re.escape(word)}\b", string.text):
            return f"{path}:{string.line}: {string.name}" if string.name else f"{path}:{string.line}"
    return None


def _faulty(path: Path, network: Network | None, error: Exception, said: str) -> _String | None:
    """The line of a user's string that an error is about."""
    strings = [string for string in _strings(path) if string.name and not string.text.isidentifier()]
    code = ""
    if isinstance(error, BrianObjectException) and network is not None:
        for member in network.sorted_objects:
            if member.name == error._brian_objname:
                code = str(getattr(member, "code", "") or getattr(member, "abstract_code", "") or "")
    squeezed, told = "".join(code.split()), "".join(said.split())
    of_object = [string for string in strings if "".join(string.text.split()) in squeezed]
    for candidates in (of_object, strings):
        for string in candidates:
            expression = "".join(string.text.partition("=")[2].split())
            if "".join(string.text.split()) in told or (expression and expression in told):
                return string
    if of_object:
        return of_object[0]
    # A statement that is a mere name: it is not looked for above, since names of groups are such strings as well.
    mere = re.search(r"statement failed:\s*(\w+)\s*\^", said)
    return next((string for string in _strings(path) if string.name and mere and string.text == mere[1]), None)


def _strings(path: Path) -> Iterator[_String]:
    """Lines of a file's strings, with the name of the attribute or variable that they are given; no documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        part: ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None
        for part in ast.walk(node.value)
    }
    documentation = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
            parts = node.value.splitlines()
            # a string that is spread over lines of the file has a line of its own for each of its lines
            spread = (node.end_lineno or node.lineno) - node.lineno >= len(parts) - 1
            for number, text in enumerate(parts):
                if text.strip():
                    yield _String(node.lineno + number * spread, named.get(node, ""), text.strip())
