"""Brian2's runtime with Cython or NumPy: slow, for debugging and for checking the compiled programs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
from brian2 import Network, SpikeMonitor, StateMonitor, prefs, second, seed
from brian2.core.variables import ArrayVariable
from numpy.typing import NDArray

from hebbarium.engine import (
    anatomy,
    compiler,
    faithfulness,
    inspection,
    interruption,
    isolation,
    monitors,
    readers,
    recorders,
)
from hebbarium.engine.anatomy import relative
from hebbarium.engine.contract import Arrays, Block, BlockResult, Spikes, Structure
from hebbarium.files.errors import ModelRefused

DEVICES = {"cython": "cython", "numpy": "numpy"}


@contextmanager
def runtime_device(target: str, precision: str) -> Iterator[None]:
    """Run in this process with one code generation target and leave Brian2 as it was found."""
    with isolation.active("runtime"):
        prefs.codegen.target, prefs.core.default_float_dtype = target, np.dtype(precision).type
        yield


class RuntimeProgram:
    """Builds the network anew for each block, so that a block begins at time zero as a compiled one does."""

    def __init__(self, structure: Structure, scratch: Path) -> None:
        self.structure = structure
        self.target = DEVICES[structure.device]

    def run(self, block: Block) -> BlockResult:
        """Run one block in this process. Raises `Stopped` once it is over, if a signal asked for it."""
        started = time.perf_counter()
        s = self.structure
        known = anatomy.shape(s.model, s.phase)
        dt = known.time_step
        compiled = compiler.for_brian2() if self.target == "cython" else nullcontext()
        with runtime_device(self.target, s.precision), compiled:
            network, variables = _begun(s, block)
            read, watched = readers.add(network, s, dt), recorders.add(network, s)
            _set_values(network, recorders.values(s, block))
            seed(block.seed)
            length = s.steps(block.samples) * dt
            before = time.perf_counter()
            network.run(length * second)
            run_seconds = time.perf_counter() - before
            spikes = _spikes(network, s, dt)
            ended = s.ended(spikes, block.samples)
            values = {}
            for key, monitor in read.items():
                values[key] = readers.read(key, _kept(monitor), s.slots.presentations(block.samples))
            courses = {one: recorders.read(one, _kept(monitor), block) for one, monitor in watched.items()}
            state: Arrays = {}
            for v in known.state:
                array = np.array(variables[v.name].get_value())
                state[v.name] = relative(v, array, length, len(ended))
        interruption.stop_if_asked()
        wall = time.perf_counter() - started
        return BlockResult(state, spikes, ended, run_seconds, wall, values=values, recorded=courses)


def traces(
    structure: Structure, block: Block, names: Iterable[str]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Spikes]]:
    """Variables of neurons in the course of a block, which is run by NumPy in this process.

    Parameters
    ----------
    structure : Structure
        Its device is passed over.
    block : Block
    names : iterable of str
        As ``population.variable``.

    Returns
    -------
    dict of arrays
        By name: ``(neurons, steps)``, at the end of each step, in SI units.
    dict of Spikes
        Of the structure's populations.

    Raises
    ------
    ModelRefused
        A population has no such variable.
    """
    dt = anatomy.shape(structure.model, structure.phase).time_step
    with runtime_device("numpy", structure.precision):
        network, _ = _begun(structure, block)
        kept = {}
        for name in names:
            population, _, variable = name.partition(".")
            if population not in network or variable not in network[population].variables:
                raise ModelRefused(f"model {structure.model.name}: {name} is no variable of its neurons")
            kept[name] = StateMonitor(network[population], variable, record=True, when="end", order=readers.LAST)
        network.add(*kept.values())
        seed(block.seed)
        network.run(structure.steps(block.samples) * dt * second)
        values = {
            name: np.array(monitor.variables[name.partition(".")[2]].get_value(), float).T
            for name, monitor in kept.items()
        }
        return values, _spikes(network, structure, dt)


def _begun(s: Structure, block: Block) -> tuple[Network, dict[str, ArrayVariable]]:
    """The network with which a block begins, and its variables."""
    faithfulness.refuse_delays(s, block.state)
    network = s.model.build(s.phase, s.slots.arranged(dict(block.inputs), block.samples))
    monitors.add(network, s)
    faithfulness.refuse_unfaithful(network, s)
    variables = dict(inspection.arrays(network))
    _set_values(network, block.values)
    for v in anatomy.shape(s.model, s.phase).state:
        variables[v.name].set_value(block.state[v.name].astype(variables[v.name].dtype))
    return network, variables


def _kept(monitor: SpikeMonitor) -> Arrays:
    """What a reader's or recorder's monitor has kept."""
    return {short: np.array(monitor.variables[short].get_value()) for short in readers.KEPT}


def _set_values(network: Network, values: Mapping[str, float | NDArray[np.floating]]) -> None:
    """Give run-time values to what carries them."""
    variables = dict(inspection.arrays(network))
    for full, symbol in inspection.run_time_variables(network, set(values)).items():
        variable = variables[full]
        variable.set_value(values[symbol] if variable.scalar else inspection.spread(values[symbol], variable.size))


def _spikes(network: Network, s: Structure, dt: float) -> dict[str, Spikes]:
    spikes = {}
    for population in s.populations:
        monitor = network[monitors.name(population)]
        steps = np.rint(np.asarray(monitor.t_) / dt).astype(np.int64)
        spikes[population] = Spikes(steps, np.asarray(monitor.i, dtype=np.int32))
    return spikes
