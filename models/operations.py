"""What a presentation of a sample costs a network: which of its strings are carried out, and how often.

Both are read off the network (`hebbarium.studies.work`), and what a string costs off the string
(`hebbarium.equations.counting`), so that a rule of one's own is counted without saying anything. A model says it
itself, in `Model.work`, only where a count differs from what runs.

Not counted: turning an image into spikes; random numbers; the search for spikes and other events; reading and writing
memory; the controller that shows images again; setting variables to a constant. Operations on a neuron in its
refractory period are counted as if it had none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.equations.counting import Operations, operations

FORWARD, BACKWARD, UPDATE = "forward", "backward", "update"
PROCESSES = (FORWARD, BACKWARD, UPDATE)


@dataclass(frozen=True)
class Shown:
    """One presentation; where samples come in batches, those of one batch, in which a learning rule is whole.

    Parameters
    ----------
    steps : int
        Of the simulation, altogether.
    spikes : mapping of str to (spikes,) arrays
        By population, or by ``group.event`` for other events: the step of each, and its neuron.
    state : mapping of str to arrays
        State variables after it.
    presentations : int
        Those without a sample included.
    samples : int
    """

    steps: int
    spikes: Mapping[str, tuple[NDArray[np.integer], NDArray[np.integer]]]
    state: Mapping[str, NDArray[Any]]
    presentations: int = 1
    samples: int = 1

    def count(self, population: str) -> int:
        """Spikes of a population, or other events."""
        return len(self.spikes[population][0]) if population in self.spikes else 0


@dataclass(frozen=True)
class Work:
    """A string that is carried out a number of times.

    Parameters
    ----------
    process : {'forward', 'backward', 'update'}
        What it serves: responses, desires or errors, or learning.
    code : str
        Equations, statements or a condition.
    times : float
        How often, for one neuron or synapse each.
    synaptic : bool
        Whether each time is an event at a synapse.
    constants : frozenset of str
        Names in the code that do not change while a network runs.
    """

    process: str
    code: str
    times: float
    synaptic: bool = False
    constants: frozenset[str] = frozenset()

    def operations(self) -> Operations:
        """All operations of it."""
        return operations(self.code, self.constants).times(self.times)
