"""What a network is made of: all that the engine and what stands on it can know of a model from its network alone.

A model is asked for its networks once; they are drawn, not built (`hebbarium.engine.sketch`), read and forgotten.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, SpikeSource, Synapses
from brian2.synapses.synapses import SynapticPathway
from brian2.units.fundamentalunits import DIMENSIONLESS
from numpy.typing import NDArray

from dense_pathways.connections import ALL
from hebbarium.engine import inspection, sketch, statements
from hebbarium.engine.contract import Arrays, DeclaredNetwork
from hebbarium.engine.sketch import Sketch
from hebbarium.engine.statements import ASSIGNMENT, Statement
from hebbarium.files.errors import ModelRefused

MOST_WEIGHTS = 2**28
"""Of a network: in double precision, as they are drawn, two gigabytes."""


@dataclass(frozen=True)
class StateVariable:
    """A variable that changes while the network runs and has to survive a block.

    Parameters
    ----------
    name : str
        ``group.variable``.
    size : int
        Number of elements.
    initial : float or array
        What it begins with, in SI units, unless `DeclaredNetwork.initial_state` gives it.
    is_time : bool
        Whether it holds a time, which a block stores relative to its own start.
    is_cursor : bool
        Whether it holds the number of a sample in its block, which is stored relative to the sample next.
    dimensions : Dimension
        Brian2's, of its values.
    """

    name: str
    size: int
    initial: float | NDArray[Any] = 0.0
    is_time: bool = False
    is_cursor: bool = False
    dimensions: Any = DIMENSIONLESS


@dataclass(frozen=True)
class Projection:
    """A plastic all-to-all pathway whose weights the results show: ``w(pre, post)``."""

    name: str
    variable: str
    shape: tuple[int, int]


@dataclass(frozen=True)
class Pathway:
    """Synapses that something happens at when a neuron has an event.

    Parameters
    ----------
    name : str
    event : str
        ``group.event``.
    target : str
        The group at the other end.
    reach : float
        Synapses of a neuron, on average.
    """

    name: str
    event: str
    target: str
    reach: float


@dataclass(frozen=True)
class Anatomy:
    """The network of one phase.

    Parameters
    ----------
    time_step : float
        In seconds.
    populations : dict of int
        Neurons of each population that spikes, in the order in which they are made; the controller is none.
    elements : dict of int
        Neurons of every group, and synapses.
    state : tuple of StateVariable
    projections : tuple of Projection
    pathways : tuple of Pathway
    statements : tuple of Statement
        Of all operations of a step, in their order.
    moments : dict of int
        Of events that the time alone decides, ``group.event``: in how many steps of a presentation they happen.
    """

    time_step: float
    populations: Mapping[str, int]
    elements: Mapping[str, int]
    state: tuple[StateVariable, ...]
    projections: tuple[Projection, ...]
    pathways: tuple[Pathway, ...]
    statements: tuple[Statement, ...]
    moments: Mapping[str, int]


_known: dict[Hashable, Anatomy] = {}
_shapes: dict[Hashable, Anatomy] = {}
_MOST_KNOWN = 256
_turn = threading.RLock()


def of(model: DeclaredNetwork, phase: str) -> Anatomy:
    """The network of a phase of a model.

    Raises
    ------
    ModelRefused
        It is too large, or it cannot be told what a block of it has to carry on.
    """
    key = _key(model, phase, quantities=True)
    with _turn:
        if key not in _known:
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            with sketch.drawn(model, phase) as (network, device):
                _known[key] = _read(model, phase, network, device)
            _shapes[_key(model, phase, quantities=False)] = _known[key]
        return _known[key]


def shape(model: DeclaredNetwork, phase: str) -> Anatomy:
    """The network of a phase, but for initial values, which may be those of other quantities: sweeps share it.

    Raises
    ------
    ModelRefused
        As `of` says.
    """
    with _turn:
        return _shapes.get(_key(model, phase, quantities=False)) or of(model, phase)


def _key(model: DeclaredNetwork, phase: str, quantities: bool) -> Hashable:
    """What the network of a phase depends on, with the quantities that reach it at run time, or without."""
    left_out = set() if quantities else set(model.run_time_values())
    fields = [f.name for f in dataclasses.fields(model) if f.name not in left_out]  # type: ignore[arg-type]
    return type(model), phase, *(_hashable(getattr(model, name)) for name in fields)


def _hashable(value: Any) -> Hashable:
    if isinstance(value, Quantity):
        return float(value), repr(value.dim)
    return value if isinstance(value, Hashable) else repr(value)


def state(model: DeclaredNetwork, phase: str) -> tuple[StateVariable, ...]:
    """Every variable that a block of a phase carries on: what changes, and the delays that the model has drawn.

    How they begin is what `initial_state` says.
    """
    return shape(model, phase).state


def populations(model: DeclaredNetwork) -> dict[str, int]:
    """Neurons of each population of any phase."""
    return {name: size for phase in model.phases for name, size in shape(model, phase).populations.items()}


def shown_to(model: DeclaredNetwork, population: str) -> int:
    """Neurons of a population that one sample is shown to, or read from: of a batch, one part."""
    return populations(model)[population] // model.slots(model.phases[0]).beside


def one_sample(model: DeclaredNetwork, phase: str) -> Arrays:
    """What a model's `build` is given for a block of one blank sample, such as a black image."""
    return model.slots(phase).arranged(model.blank(phase, pixels(model)), 1)


def pixels(model: DeclaredNetwork) -> int:
    """Pixels of an image that is shown to a network; none if it has no population ``input``."""
    return shown_to(model, "input") if "input" in populations(model) else 0


def projections(model: DeclaredNetwork) -> tuple[Projection, ...]:
    """Weights of any phase."""
    found = {p.variable: p for phase in reversed(model.phases) for p in shape(model, phase).projections}
    order = dict.fromkeys(p.variable for phase in model.phases for p in shape(model, phase).projections)
    return tuple(found[variable] for variable in order)


def given(model: DeclaredNetwork, phase: str) -> tuple[str, ...]:
    """State that the code of a phase reads and never sets: what it has been given is what it has."""
    network = shape(model, phase)
    read = frozenset().union(*(line.reads for line in network.statements))
    unset = read - {line.sets for line in network.statements} - {v.name for v in network.state if v.is_time}
    return tuple(variable.name for variable in network.state if variable.name in unset)


def time_step(model: DeclaredNetwork) -> float:
    """The step of the simulation in seconds."""
    return shape(model, model.phases[0]).time_step


def synaptic_events(model: DeclaredNetwork, phase: str, spikes: Mapping[str, int]) -> int:
    """Events at synapses that spikes cause, by population; what tells the controller of them is not counted."""
    pathways = [p for p in shape(model, phase).pathways if p.target != model.controller]
    return round(sum(p.reach * spikes.get(p.event.removesuffix(".spike"), 0) for p in pathways))


def relative(variable: StateVariable, array: NDArray[Any], length: float, consumed: int) -> NDArray[Any]:
    """A state variable as it is kept between blocks: times from the end of the block, cursors from the sample next."""
    if variable.is_time:
        return array - length
    return array - consumed if variable.is_cursor else array


def initial_state(model: DeclaredNetwork, phase: str, given: Mapping[str, NDArray[Any]]) -> Arrays:
    """Every state variable of a phase: what is given (drawn or trained), and for the others their initial value.

    What is given besides, such as the state of other phases, is left out.

    Raises
    ------
    ModelRefused
        What is given has another number of elements than the network.
    """
    begin: Arrays = {}
    for v in of(model, phase).state:
        array = np.asarray(given[v.name]) if v.name in given else np.full(v.size, v.initial)
        if array.size != v.size:
            raise ModelRefused(f"model {model.name}: {v.name} has {array.size} values, expected {v.size}")
        begin[v.name] = array
    return begin


def _read(model: DeclaredNetwork, phase: str, network: Network, device: Sketch) -> Anatomy:
    said = statements.read(network)
    parts = inspection.owners(network)
    groups = [parts[name] for name in device.owners if name in parts]  # in the order of their making
    neurons = [group for group in groups if not isinstance(group, Synapses)]
    spiking = [group for group in neurons if isinstance(group, SpikeSource) and _spikes(group)]
    variables = dict(inspection.arrays(network))
    changed = inspection.changing(network)
    changing = {full: variable for full, variable in variables.items() if full in changed}
    times = statements.times(network, changing, device.inputs)
    statements.refuse_other_periods(network, model.sample_steps(phase), model.run_time_values())
    cursors = {
        full for line in said for full in line.by_number if full in changing and changing[full].is_integer
    }
    state = []
    for full in sorted({*changing, *model.longest_delays()} & variables.keys(), key=list(variables).index):
        size, begin = device.size(variables[full]), device.initial(variables[full])
        dimensions = getattr(variables[full], "dim", DIMENSIONLESS)
        state.append(StateVariable(full, size, begin, full in times, full in cursors, dimensions))
    projections = tuple(_projections(groups, said, device, {*changing} - times))
    weights = sum(p.shape[0] * p.shape[1] for p in projections)
    if weights > MOST_WEIGHTS:
        raise ModelRefused(
            f"model {model.name}: {weights:,} weights, expected {MOST_WEIGHTS:,} at most; make it smaller"
        )
    return Anatomy(
        time_step=min(float(member.clock.dt_) for member in network.sorted_objects),
        populations={group.name: len(group) for group in spiking if group.name != model.controller},
        elements={group.name: _elements(group, device) for group in groups},
        state=tuple(state),
        projections=projections,
        pathways=tuple(_pathways(network, device)),
        statements=tuple(said),
        moments=statements.moments(network, model.sample_steps(phase), model.run_time_values()),
    )


def _elements(group: Any, device: Sketch) -> int:
    return device.size(group.variables["_synaptic_pre"]) if isinstance(group, Synapses) else len(group)


def _spikes(group: SpikeSource) -> bool:
    return not isinstance(group, NeuronGroup) or "spike" in group.events


def _projections(groups: list[Any], said: list[Statement], device: Sketch, kept: set[str]) -> Iterator[Projection]:
    """Variables of all-to-all synapses that neurons are given: ``w``, where there is one of this name.

    A target without equations is no neuron: synapses onto it are a memory of their source.
    """
    neurons = {group.name for group in groups if not isinstance(group, Synapses)}
    for synapses in groups:
        connection = device.connections.get(synapses.name)
        if connection is None or connection.kind != ALL or not len(getattr(synapses.target, "equations", "?")):
            continue
        own = [full for full in kept if full.partition(".")[0] == synapses.name]
        given = {
            full for line in said if line.kind == ASSIGNMENT and line.sets.partition(".")[0] in neurons
            for full in line.reads if full in own
        }  # fmt: skip
        shown = [f"{synapses.name}.w"] if f"{synapses.name}.w" in own else sorted(given)
        for full in shown:
            name = f"{synapses.source.name}_to_{synapses.target.name}"
            more = f"_{full.partition('.')[2]}" if len(shown) > 1 else ""
            yield Projection(name + more, full, (connection.n_pre, connection.n_post))


def _pathways(network: Network, device: Sketch) -> Iterator[Pathway]:
    for member in network.sorted_objects:
        if isinstance(member, SynapticPathway):
            reach = _elements(member.synapses, device) / max(len(member.source), 1)
            yield Pathway(member.name, f"{member.source.name}.{member.event}", member.target.name, reach)
