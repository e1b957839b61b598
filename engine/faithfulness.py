"""What cannot be run faithfully: block after block, on a device that drops it, or on a GPU."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import BrianObject, Network, NetworkOperation, SpikeGeneratorGroup, Synapses, get_device
from brian2.core.variables import ArrayVariable
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray

from hebbarium.engine import anatomy, inspection
from hebbarium.engine.contract import Structure
from hebbarium.engine.sketch import RANDOM
from hebbarium.files.errors import ModelRefused


def refuse_unfaithful(network: Network, structure: Structure) -> None:
    """Raise `ModelRefused` for whatever a block would silently lose or a device would silently drop."""
    model = structure.model
    if model.controller and not structure.slots.plain:
        raise ModelRefused(
            f"model {model.name}: '{model.controller}' shows samples until they are over, which takes one sample a"
            f" presentation, but phase '{structure.phase}' has {structure.slots}; leave controller or slots() out"
        )
    presentation = structure.sample_steps * anatomy.time_step(model)
    for member in network.sorted_objects:
        _refuse_restarted(member, presentation, model.name)
        if isinstance(member, NetworkOperation):
            raise ModelRefused(
                f"model {model.name}: '{member.name}' is a Python network operation, which compiled programs"
                " drop without a word; write it as run_regularly, run_on_event or a pathway"
            )
        promised = isinstance(member, SynapticPathway) and f"{member.name}.delay" in model.longest_delays()
        if isinstance(member, SynapticPathway) and not promised and _has_delay(member):
            raise ModelRefused(
                f"model {model.name}: pathway '{member.name}' has delays; spikes under way at the end of a block would"
                " be lost. If presentations end in silence, name the pathway in longest_delays()"
            )
    state = {v.name for v in anatomy.state(model, structure.phase)}
    for name, longest in model.longest_delays().items():
        if name not in state:
            raise ModelRefused(f"model {model.name}: longest_delays() names {name}, which the network does not have")
        if not 0 <= longest < presentation:
            raise ModelRefused(
                f"model {model.name}: {name} lasts up to {longest:g} s, expected less than a presentation,"
                f" {presentation:g} s"
            )
    if lost := inspection.changing(network) - state:
        raise ModelRefused(
            f"model {model.name}: {', '.join(sorted(lost))} can change while the network of phase '{structure.phase}'"
            " runs, but was not in it when it was first built, for one sample and in double precision; build() must"
            " give the same groups and variables whenever it is called"
        )


def _refuse_restarted(member: BrianObject, presentation: float, model: str) -> None:
    """Raise `ModelRefused` for what begins anew with each block: spikes at times of its own, and other steps."""
    if isinstance(member, SpikeGeneratorGroup):
        raise ModelRefused(
            f"model {model}: '{member.name}' is a SpikeGeneratorGroup, whose times begin anew with each block, for"
            " whatever sample is shown then; return the times from inputs(), and make a NeuronGroup whose threshold"
            " reads that array, as in threshold='abs(t_spike(t, i) - t_in_timesteps % sample_steps) < 0.5'"
        )
    step = float(member.clock.dt_)
    if abs(presentation / step - round(presentation / step)) > 1e-6:
        raise ModelRefused(
            f"model {model}: '{member.name}' has steps of {step:g} s, which begin anew with each block; expected a"
            f" whole number of them in a presentation, {presentation:g} s"
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
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RANDOM:
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


def _is_shared(name: str, synapses: Synapses) -> bool:
    """Whether several synapses may reach one element of a variable: a neuron's, a scalar, a linked one."""
    return name.endswith(("_pre", "_post")) or (
        name in synapses.variables and synapses.variables.indices[name] != "_idx"
    )
