"""The variables of a network, and which of them change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from brian2 import Clock, Network
from brian2.core.variables import ArrayVariable
from brian2.groups.group import Group, VariableOwner
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray


def owners(network: Network) -> dict[str, Group]:
    """Groups and synapses of a network by name; monitors and clocks hold no state of the model."""
    found: dict[str, Group] = {}
    for member in network.sorted_objects:
        for candidate in (member, getattr(member, "group", None), getattr(member, "synapses", None)):
            if isinstance(candidate, VariableOwner) and _is_population(candidate):
                found[candidate.name] = candidate
    return found


def _is_population(candidate: object) -> bool:
    return (
        isinstance(candidate, Group)
        and not isinstance(candidate, (SynapticPathway, Clock))
        and "Monitor" not in type(candidate).__name__
    )


def arrays(network: Network) -> Iterator[tuple[str, ArrayVariable]]:
    """All array variables as ``group.variable``, delays as ``pathway.delay``."""
    for name, owner in owners(network).items():
        for variable_name, variable in owner.variables.items():
            owned = isinstance(variable, ArrayVariable) and variable.owner is not None
            if owned and variable.owner.name == name:
                yield f"{name}.{variable_name}", variable
    for member in network.sorted_objects:
        if isinstance(member, SynapticPathway):
            yield f"{member.name}.delay", member.variables["delay"]


def changing(network: Network) -> set[str]:
    """Array variables that code can change while the network runs."""
    bookkeeping = {"N", "N_incoming", "N_outgoing", "i", "j", "t", "dt", "t_in_timesteps", "delay"}
    return {
        full
        for full, variable in arrays(network)
        if not variable.read_only
        and not variable.constant
        and not (short := full.split(".")[1]).startswith("_")
        and short not in bookkeeping
    }


def run_time_variables(network: Network, symbols: set[str]) -> dict[str, str]:
    """Constants, of a group or of each of its neurons, that carry a model's quantities: ``group.variable`` → symbol."""
    return {
        full: full.split(".")[1]
        for full, variable in arrays(network)
        if variable.constant and full.split(".")[1] in symbols
    }


def spread(value: float | NDArray[np.floating], elements: int) -> NDArray[np.floating]:
    """A quantity for each element of a variable; of networks side by side, each part of it has its own network's."""
    given = np.atleast_1d(value)
    return np.repeat(given, elements // len(given))
