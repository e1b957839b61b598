"""What the engine needs of a model, and what passes between a run and a compiled program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from brian2 import Network
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


class DeclaredMeasure(Protocol):
    """What is read of each neuron of a population, of each presentation."""

    @property
    def key(self) -> str: ...
    @property
    def population(self) -> str: ...
    @property
    def variable(self) -> str: ...
    def steps(self, sample_steps: int, dt: float) -> int: ...
    def of_spikes(
        self, spikes: Spikes, presentations: int, sample_steps: int, neurons: int, dt: float
    ) -> NDArray[Any]: ...


class DeclaredSlots(Protocol):
    """Which presentation of a program holds which samples."""

    @property
    def batch(self) -> int: ...
    @property
    def beside(self) -> int: ...
    @property
    def plain(self) -> bool: ...
    def presentations(self, samples: int) -> int: ...
    def arranged(self, inputs: Arrays, samples: int) -> Arrays: ...
    def answered(self, read: NDArray[Any], samples: int) -> NDArray[Any]: ...


class DeclaredNetwork(Protocol):
    """A network with what it declares about itself."""

    @property
    def name(self) -> str: ...
    @property
    def readout(self) -> str: ...
    @property
    def controller(self) -> str: ...
    @property
    def phases(self) -> Sequence[str]: ...
    def build(self, phase: str, inputs: Arrays) -> Network: ...
    def all_inputs(
        self,
        phase: str,
        images: NDArray[np.uint8],
        labels: NDArray[np.integer],
        epochs: NDArray[np.integer] | None = ...,
    ) -> Arrays: ...
    def blank(self, phase: str, pixels: int) -> Arrays: ...
    def sample_steps(self, phase: str) -> int: ...
    def slots(self, phase: str) -> DeclaredSlots: ...
    def longest_delays(self) -> Mapping[str, float]: ...
    def run_time_values(self) -> dict[str, float]: ...
    @property
    def written_as(self) -> type: ...
    def structure_key(self) -> dict[str, str]: ...
    def initial_state(self, generator: np.random.Generator) -> Arrays: ...
    def handed_on(self, state: Arrays) -> Arrays: ...


@dataclass(frozen=True)
class Watched:
    """A variable of some neurons or synapses whose course is kept.

    Parameters
    ----------
    variable : str
        ``group.variable``.
    elements : tuple of int
        Numbers of the neurons, or of the synapses in the order of their group.
    """

    variable: str
    elements: tuple[int, ...]


@dataclass(frozen=True)
class Structure:
    """What is compiled in: another structure is another program.

    Parameters
    ----------
    model : DeclaredNetwork
    phase : str
    precision : {'float64', 'float32'}
    device : str
    capacity : int
        The largest number of samples of a block. A block may hold fewer: the program then stops earlier.
    record : tuple of str
        Populations whose spikes are recorded besides the readout's.
    profile : bool
        Whether the program measures what each operation takes.
    measures : tuple of DeclaredMeasure
        What is read, spike counts of a sample included.
    recorded : tuple of Watched
        What is kept of every step of a part of each block.
    """

    model: DeclaredNetwork
    phase: str
    precision: str
    device: str
    capacity: int
    record: tuple[str, ...] = ()
    profile: bool = False
    measures: tuple[DeclaredMeasure, ...] = ()
    recorded: tuple[Watched, ...] = ()

    @property
    def populations(self) -> tuple[str, ...]:
        """Populations whose spikes come back."""
        controller = (self.model.controller,) if self.model.controller else ()
        return tuple(dict.fromkeys((self.model.readout, *self.record, *controller)))

    @property
    def sample_steps(self) -> int:
        """Steps of one presentation."""
        return self.model.sample_steps(self.phase)

    @property
    def slots(self) -> DeclaredSlots:
        """How samples are put into presentations."""
        return self.model.slots(self.phase)

    def steps(self, samples: int) -> int:
        """Steps of a block of so many samples."""
        return self.slots.presentations(samples) * self.sample_steps

    def ended(self, spikes: Mapping[str, Spikes], samples: int) -> NDArray[np.int64]:
        """The presentation with which each sample was over: its only one, unless a controller shows some again."""
        if not self.model.controller:
            return np.arange(samples)
        return spikes[self.model.controller].step // self.sample_steps


@dataclass(frozen=True)
class Spikes:
    """Spikes of one population in one block: step counted from the block's start, and neuron."""

    step: NDArray[np.int64]
    neuron: NDArray[np.int32]

    def counts(self, samples: int, sample_steps: int, neurons: int) -> NDArray[np.uint16]:
        """Spike counts ``(samples, neurons)``."""
        flat = (self.step // sample_steps) * neurons + self.neuron
        counted = np.bincount(flat, minlength=samples * neurons)
        return counted.reshape(samples, neurons).astype(np.uint16)


@dataclass(frozen=True)
class Block:
    """Input of a block: state, inputs ``(samples, ...)``, run-time values and the seed of its stream.

    Of networks side by side, a run-time value is an array with one number for each of them.
    ``recorded`` is the part that a program which records keeps: its first step, and the one after its last.
    """

    state: Mapping[str, NDArray[Any]]
    inputs: Mapping[str, NDArray[Any]]
    values: Mapping[str, float | NDArray[np.floating]]
    seed: int
    recorded: tuple[int, int] = (0, 0)

    @property
    def samples(self) -> int:
        """Samples of this block."""
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class BlockResult:
    """Output of a block: as many presentations as it had samples.

    Parameters
    ----------
    ended : (samples over,)
        The presentation with which each sample was over. Fewer than the block's samples if some were shown again.
    values : dict
        Key of a measure to what was read of its variable, ``(presentations, neurons)``.
    profile : dict
        Seconds of each operation, if they were asked for.
    recorded : dict of arrays
        Variable by `Watched`, ``(steps, elements)``, at the end of each step of the part that the block names.
    """

    state: Arrays
    spikes: dict[str, Spikes]
    ended: NDArray[np.int64]
    run_seconds: float
    wall_seconds: float
    profile: dict[str, float] = field(default_factory=dict)
    values: dict[str, NDArray[Any]] = field(default_factory=dict)
    recorded: dict[Watched, NDArray[np.floating]] = field(default_factory=dict)


class Program(Protocol):
    """A structure, ready to run blocks."""

    structure: Structure

    def run(self, block: Block) -> BlockResult:
        """Run one block. Raises `BlockFailed`."""
        ...
