"""Variables of neurons that are read at one step of each presentation, when all else of the step is done.

A reader is a group of its own, linked to the variable, whose neurons all spike at that step: a monitor keeps what they
read. It changes nothing of the network that it reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, linked_var
from brian2.core.variables import ArrayVariable
from numpy.typing import NDArray

from hebbarium.engine.contract import DeclaredMeasure, Structure
from hebbarium.files.errors import BlockFailed, ModelRefused

KEPT = ("i", "value")
"""Variables of a reader's monitor that a block's results hold."""
LAST = 10**6
"""Order in the slot "end" that nothing of a model comes after."""
_BASE_UNITS = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candle")


def name_of(measure: DeclaredMeasure) -> str:
    """Name of the monitor that reads a measure."""
    return re.sub(r"\W", "_", f"read_{measure.key}")


def of(structure: Structure) -> tuple[DeclaredMeasure, ...]:
    """The measures of a structure that are no matter of spikes."""
    return tuple(measure for measure in structure.measures if measure.variable)


def add(network: Network, structure: Structure, dt: float) -> dict[str, SpikeMonitor]:
    """Put readers into a network; returns their monitors by the key of the measure.

    Raises
    ------
    ModelRefused
        A population has no such variable.
    ValueError
        A measure is read at no step of a presentation.
    """
    monitors = {}
    for measure in of(structure):
        population, steps = network[measure.population], structure.sample_steps
        variable = population.variables.get(measure.variable)
        if not isinstance(variable, ArrayVariable) or variable.scalar:
            raise ModelRefused(
                f"model {structure.model.name}: a readout reads {measure.population}.{measure.variable}, which is no"
                " variable of its neurons"
            )
        last = measure.steps(steps, dt) - 1
        reader = NeuronGroup(
            len(population),
            f"value : {unit_of(variable)} (linked)",
            threshold=f"t_in_timesteps % {steps} == {last}",
            reset="",
            clock=population.clock,
            name=f"{name_of(measure)}_neurons",
        )
        reader.value = linked_var(population, measure.variable)
        reader.thresholder["spike"].when, reader.thresholder["spike"].order = "end", LAST
        monitor = SpikeMonitor(reader, variables="value", name=name_of(measure), when="end", order=LAST + 1)
        network.add(reader, monitor)
        monitors[measure.key] = monitor
    return monitors


def read(key: str, arrays: Mapping[str, NDArray[Any]], times: int) -> NDArray[np.floating]:
    """What was read so many times, such as once a presentation, ``(times, neurons)``, from the arrays of a monitor.

    Raises
    ------
    BlockFailed
        Something is missing.
    """
    neuron, value = arrays["i"], arrays["value"]
    if not times or value.size % times or neuron.size != value.size:
        raise BlockFailed(f"{key}: {value.size} values came back of {times} times")
    order = np.argsort(neuron.reshape(times, -1), axis=1)  # on a GPU neurons come in any order
    return np.take_along_axis(value.reshape(times, -1), order, axis=1)


def unit_of(variable: ArrayVariable) -> str:
    """A variable's unit as an equation string declares it."""
    exponents = zip(_BASE_UNITS, variable.dim._dims, strict=True)
    parts = [f"{unit}**{exponent:g}" for unit, exponent in exponents if exponent]
    return "*".join(parts) or "1"
