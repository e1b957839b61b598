"""State that a run can go on from, or be tested with: whole, of the sizes that its model has, and finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import DeclaredNetwork
from hebbarium.files.errors import UnsoundState


def refuse(
    model: DeclaredNetwork,
    phases: Iterable[str],
    state: Mapping[str, NDArray[Any]],
    needed: Iterable[str],
    where: str,
    do: str,
) -> None:
    """Raise `UnsoundState` for state that lacks something, or has what is no number or not as many as the model has.

    Parameters
    ----------
    model : DeclaredNetwork
    phases : iterable of str
        Phases whose variables the state may hold.
    state : mapping of str to arrays
    needed : iterable of str
        Variables that have to be there.
    where : str
        What holds the state: the beginning of the message.
    do : str
        What to do about it: the end of the message.
    """
    declared = {v.name: v for phase in phases for v in anatomy.state(model, phase)}
    if missing := [name for name in needed if name not in state]:
        raise UnsoundState(f"{where}: lacks {', '.join(missing)}, expected all state of {model.name}; {do}")
    for name, array in state.items():
        variable = declared.get(name)
        if array.dtype.kind not in "biuf":
            raise UnsoundState(f"{where}: {name} is of type {array.dtype}, expected numbers; {do}")
        if variable is not None and array.size != variable.size:
            raise UnsoundState(f"{where}: {name} has {array.size} values, expected {variable.size}; {do}")
        if array.dtype.kind != "f" or np.isfinite(array).all():
            continue
        wrong = ~np.isfinite(array)
        if variable is not None and variable.is_time:
            wrong &= array != -np.inf  # what has not happened yet may have happened endlessly long ago
        if wrong.any():
            first = int(np.argmax(wrong))
            raise UnsoundState(
                f"{where}: {np.count_nonzero(wrong)} of {array.size} values of {name} are no finite numbers, the first"
                f" ({array.flat[first]}) at {first}; {do}"
            )
