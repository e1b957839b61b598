"""Several networks as one: the parts of one network, made as often as there are networks, each in its part of a group.

Brian2 carries out an operation of a step for a whole group at once. Networks side by side in the same groups take as
many operations a step as one of them, which is what a GPU asks for. `hebbarium.models.parts.Parts` makes groups so much
larger and connects the neurons of a copy with each other alone. Here is how often, and what becomes of strings: a
neuron's number is the one in its copy, and inputs, which hold what all copies are given, are read from its own columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from brian2 import Equations
from brian2.equations.equations import SUBEXPRESSION
from numpy.typing import NDArray

from hebbarium.equations.strings import renamed

_times: ContextVar[int] = ContextVar("_times", default=1)

MOST = 2**24
"""Neurons of a group, at most: single precision, in which GPUs divide whole numbers, holds them all up to here."""
NEURONS, SOURCES, TARGETS = "n_copied", "n_sources", "n_targets"
"""Constants of strings: neurons of one copy of a group, and of the groups that synapses lead from and to."""
COLUMNS = "columns_"
"""Before an input's name: the constant that says how many numbers of a sample one copy is given."""
PAIRS = f"to for to in range((i//{SOURCES})*{TARGETS}, (i//{SOURCES} + 1)*{TARGETS})"
"""Targets of neuron ``i``, where each copy is connected all to all."""


@contextmanager
def made(times: int) -> Iterator[None]:
    """Have the parts of a network made so often."""
    before = _times.set(times)
    try:
        yield
    finally:
        _times.reset(before)


def times() -> int:
    """How often the parts of a network are made."""
    return _times.get()


def in_group(code: str, inputs: Mapping[str, int], **numbers: str) -> str:
    """Code of one network as that of all copies.

    Parameters
    ----------
    code : str
        Without comments.
    inputs : mapping of str to int
        Names of inputs that it may read. How many numbers one copy is given is a constant, `COLUMNS` and the name.
    **numbers : str
        Names of neurons' numbers, and of the constant how many neurons of a copy are so numbered. By the last one,
        inputs are read.

    Examples
    --------
    >>> in_group("v = i*fades(t) + rates(t, i)", {"fades": 1, "rates": 4}, i="n_copied")
    'v = (i % n_copied)*fades(t, i//n_copied) + rates(t, (i % n_copied) + columns_rates*(i//n_copied))'
    """
    own = renamed(code, **{number: f"({number} % {neurons})" for number, neurons in numbers.items()})
    number, neurons = list(numbers.items())[-1]
    copy = f"{number}//{neurons}"
    whole = ""
    while found := inputs and re.search(rf"\b({'|'.join(inputs)})\(", own):
        inside, after = _enclosed(own[found.end() :])
        when, place = _split(inside)
        column = f"{place} + {COLUMNS}{found[1]}*({copy})" if place else copy
        whole, own = f"{whole}{own[: found.end()]}{when}, {column})", after
    return whole + own


def _enclosed(code: str) -> tuple[str, str]:
    """What stands before the bracket that closes, and after it."""
    depth = 1
    for place, character in enumerate(code):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if not depth:
            return code[:place], code[place + 1 :]
    raise ValueError(f"'{code}': a bracket is not closed")


def _split(arguments: str) -> tuple[str, str]:
    """The first of one or two arguments, and the second, if there is one."""
    depth = 0
    for place, character in enumerate(arguments):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            return arguments[:place], arguments[place + 1 :].strip()
    return arguments, ""


def columns(inputs: Mapping[str, int]) -> dict[str, int]:
    """The constants that `in_group` reads inputs by."""
    return {f"{COLUMNS}{name}": number for name, number in inputs.items()}


def each(values: NDArray[Any]) -> NDArray[Any]:
    """Values of one network's neurons, for all copies."""
    return np.tile(values, times())


def shifted(numbers: NDArray[np.integer], group: int) -> NDArray[np.integer]:
    """Numbers of one network's neurons, for all copies, in a group of so many neurons altogether."""
    return (np.arange(times())[:, np.newaxis] * (group // times()) + numbers).ravel()


def checked(name: str, neurons: int, equations: str) -> set[str]:
    """Names of the variables of a group of copies.

    Raises
    ------
    ValueError
        All its neurons share one of them; or it is too large.
    """
    if neurons > MOST:
        raise ValueError(f"'{name}' would have {neurons:,} neurons, expected {MOST:,} at most; make fewer copies")
    variables = Equations(equations)
    for variable in variables.values():
        if variable.type != SUBEXPRESSION and "shared" in variable.flags:
            raise ValueError(
                f"'{name}' has {variable.varname}, which all its neurons share: networks side by side would share it"
                " too, and not be what they are alone; run them one by one"
            )
    return set(variables.names)
