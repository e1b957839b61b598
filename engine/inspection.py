"""What a network holds: its variables, what a block may not lose, and what cannot be run faithfully."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from brian2 import Clock, Network, NetworkOperation, Synapses, get_device
from brian2.core.variables import ArrayVariable
from brian2.groups.group import Group, VariableOwner
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray

from hebbarium.engine.contract import Structure
from hebbarium.files.errors import ModelRefused


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
    """Shared constants that carry a model's quantities: ``group.variable`` → symbol."""
    return {
        full: full.split(".")[1]
        for full, variable in arrays(network)
        if variable.scalar and variable.constant and full.split(".")[1] in symbols
    }


def refuse_unfaithful(network: Network, structure: Structure) -> None:
    """Raise `ModelRefused` for whatever a block would silently lose or a device would silently drop."""
    model = structure.model
    for member in network.sorted_objects:
        if isinstance(member, NetworkOperation):
            raise ModelRefused(
                f"model {model.name}: '{member.name}' is a Python network operation, which compiled programs"
                " drop without a word; write it as run_regularly, run_on_event or a pathway"
            )
        promised = isinstance(member, SynapticPathway) and f"{member.name}.delay" in model.longest_delays()
        if isinstance(member, SynapticPathway) and not promised and _has_delay(member):
            raise ModelRefused(
                f"model {model.name}: pathway '{member.name}' has delays; spikes under way at the end of a block would"
                " be lost. If presentations end in silence, declare the delays in longest_delays() and state()"
            )
    declared = {v.name for v in model.state(structure.phase)}
    presentation = structure.sample_steps * model.time_step()
    for name, longest in model.longest_delays().items():
        if name not in declared:
            raise ModelRefused(f"model {model.name}: longest_delays() names {name}, which state() does not declare")
        if not 0 <= longest < presentation:
            raise ModelRefused(
                f"model {model.name}: {name} lasts up to {longest:g} s, expected less than a presentation,"
                f" {presentation:g} s"
            )
    lost = changing(network) - declared
    if lost:
        raise ModelRefused(
            f"model {model.name}: {', '.join(sorted(lost))} can change while the network runs but is not"
            " declared by state(); declare it, or make it (constant)"
        )
    missing = declared - {full for full, _ in arrays(network)}
    if missing:
        raise ModelRefused(
            f"model {model.name}: state() declares {', '.join(sorted(missing))}, which the network of phase"
            f" '{structure.phase}' does not have"
        )


def refuse_delays(structure: Structure, state: Mapping[str, NDArray[Any]]) -> None:
    """Raise `ModelRefused` for delays of a block that are negative or longer than the model says."""
    model = structure.model
    for name, longest in model.longest_delays().items():
        given = state[name]
        # single precision rounds
        if given.min(initial=0.0) < 0 or given.max(initial=0.0) > longest * (1 + 1e-6):
            raise ModelRefused(
                f"model {model.name}: {name} is between {given.min():g} and {given.max():g} s,"
                f" expected 0 to {longest:g} s, as longest_delays() says"
            )


def _has_delay(pathway: SynapticPathway) -> bool:
    delay = pathway.variables["delay"]
    try:
        return bool(np.any(np.asarray(delay.get_value()) != 0))
    except NotImplementedError:
        # A standalone device does not know the values, but it does know what is going to set them.
        name = get_device().get_array_name(delay, access_data=False)
        return any(_sets(instruction, name, delay) for instruction in get_device().main_queue)


def _sets(instruction: tuple[str, Any], name: str, variable: ArrayVariable) -> bool:
    """Whether an instruction of a standalone device's main program gives an array other values than zero."""
    kind, args = instruction
    if kind == "run_code_object":
        code = args[0]
        return code.template_name.startswith("group_variable_set") and variable in code.variables.values()
    if kind == "set_by_constant":
        return bool(args[0] == name and args[1] != 0)
    return bool(kind in ("set_by_array", "set_array_by_array", "set_by_single_value") and args[0] == name)


def races(network: Network) -> list[str]:
    """Operations whose outcome would depend on the order of a GPU's threads, one sentence each.

    Many synapses of a pathway run at once and may share a neuron, or whatever else an index leads them to.
    Adding to, subtracting from and multiplying such a variable is made atomic by brian2cuda in pathways;
    everything else that touches it is a race, and `run_regularly` on synapses has no atomics at all.
    """
    found = []
    for member in network.sorted_objects:
        if isinstance(member, SynapticPathway):
            found += _code_races(member.name, member.code, member.synapses, atomic=True)
        elif isinstance(getattr(member, "group", None), Synapses) and isinstance(
            code := getattr(member, "abstract_code", None), str
        ):
            found += _code_races(member.name, code, member.group, atomic=False)
    return found


def _code_races(name: str, code: str, synapses: Synapses, atomic: bool) -> list[str]:
    found = []
    combined: dict[str, set[str]] = {}
    tree = ast.parse(textwrap.dedent(code))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _RANDOM:
            found.append(f"{name}: '{ast.unparse(node)}' draws random numbers that synapses may share")
        if isinstance(node, ast.AugAssign):
            target: ast.expr = node.target
            how = _ATOMIC.get(type(node.op)) if atomic else None
        elif isinstance(node, ast.Assign):
            target, how = node.targets[0], None
        else:
            continue
        if isinstance(target, ast.Name) and _is_shared(target.id, synapses):
            combined.setdefault(target.id, set()).add(how or "set")
            if how is None:
                found.append(f"{name}: '{ast.unparse(node)}' writes a variable that other synapses share")
    for variable, ways in combined.items():
        if len(ways) > 1:
            how = ", ".join(sorted(ways))
            found.append(f"{name}: {variable} is changed in ways whose order matters ({how})")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in combined:
            found.append(f"{name}: reads {node.id} while other synapses change it")
    return found


_ATOMIC = {ast.Add: "added to", ast.Sub: "added to", ast.Mult: "multiplied"}
_RANDOM = {"rand", "randn", "poisson", "binomial"}


def _is_shared(name: str, synapses: Synapses) -> bool:
    """Whether several synapses may reach one element of a variable: a neuron's, a scalar, a linked one."""
    return name.endswith(("_pre", "_post")) or (
        name in synapses.variables and synapses.variables.indices[name] != "_idx"
    )
