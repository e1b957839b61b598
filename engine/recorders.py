"""Variables of some neurons or synapses, read at every step of a part of a block.

A recorder is a group of its own, whose neurons are linked to the variable and spike at each step between two that the
block says: a monitor keeps what they have copied. It changes nothing of the network that it reads, and another part of
a block, or another block, needs no other program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor
from numpy.typing import NDArray

from hebbarium.engine import readers
from hebbarium.engine.contract import Block, Structure, Watched

FROM, UNTIL = "record_from", "record_until"
"""Run-time values of a program that records: the first step that is kept, and the one after the last."""


def name_of(structure: Structure, recorded: Watched) -> str:
    """Name of the monitor that keeps a variable."""
    return f"record_{structure.recorded.index(recorded)}"


def add(network: Network, structure: Structure) -> dict[Watched, SpikeMonitor]:
    """Put the recorders of a structure into a network; returns their monitors."""
    monitors = {}
    for recorded in structure.recorded:
        owner, _, short = recorded.variable.partition(".")
        variable = network[owner].variables[short]
        kind = {"b": "boolean", "i": "integer", "u": "integer"}.get(np.dtype(variable.dtype).kind)
        group = NeuronGroup(
            len(recorded.elements),
            f"""
            value : {"1" if kind else readers.unit_of(variable)}
            element : integer (constant)
            {FROM} : integer (shared, constant)
            {UNTIL} : integer (shared, constant)
            """,
            threshold=f"t_in_timesteps >= {FROM} and t_in_timesteps < {UNTIL}",
            reset="",
            clock=next(member.clock for member in network.sorted_objects),
            dtype={"value": np.float64 if kind else variable.dtype},
            name=f"{name_of(structure, recorded)}_neurons",
        )
        group.element = np.array(recorded.elements)
        # what `linked_var` does, which refuses synapses: their number may change, but does not while a network runs
        group.variables.add_reference("watched", network[owner], short, index="0" if variable.scalar else "element")
        copied = "value = int(watched)" if kind == "boolean" else "value = watched"
        group.run_regularly(copied, when="end", order=readers.LAST)
        group.thresholder["spike"].when, group.thresholder["spike"].order = "end", readers.LAST + 1
        monitor = SpikeMonitor(
            group, variables="value", name=name_of(structure, recorded), when="end", order=readers.LAST + 2
        )
        network.add(group, monitor)
        monitors[recorded] = monitor
    return monitors


def values(structure: Structure, block: Block) -> Mapping[str, float]:
    """Run-time values of the recorders: what part of a block is recorded."""
    return dict(zip((FROM, UNTIL), block.recorded, strict=True)) if structure.recorded else {}


def read(recorded: Watched, arrays: Mapping[str, NDArray[Any]], block: Block) -> NDArray[np.floating]:
    """What was recorded, ``(steps, elements)``, from the arrays of a monitor.

    Raises
    ------
    BlockFailed
        Something is missing.
    """
    steps = block.recorded[1] - block.recorded[0]
    if not steps:
        return np.zeros((0, len(recorded.elements)))
    return readers.read(recorded.variable, arrays, steps)
