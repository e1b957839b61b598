"""One sample as a network with desires sees it: a membrane, and a trace at work (Figs. 1 and 2 of Gerlinghoff et al.).

The compiled network keeps the potential of every step of the sample, in variables that it has for nothing else; traces,
desires and weights are those that it learns with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from brian2 import Network
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, BlockResult, Structure
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.training.run import Run
from hebbarium.training.run_settings import CAPACITY

__all__ = ["Example", "RecordedDesires", "example"]

Floats = NDArray[np.float64]

SEARCHED = 200
"""Training images among which one is looked for whose hidden neurons have desires of both signs."""
INPUTS = 5
"""Inputs that are shown beside a membrane: those that move it most."""


@dataclass(frozen=True, eq=False)
class RecordedDesires(DesireBackprop):
    """The model with the potentials of the first hidden layer at each step, before a spike lowers them."""

    name: ClassVar[str] = "desire_backprop_recorded"

    def _variables(self, name: str, learns: bool) -> str:
        potentials = "".join(f"p_{k} : 1\n" for k in range(self.steps)) if name == self.hidden[0] else ""
        return super()._variables(name, learns) + potentials

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        network = super().build(phase, inputs)
        keep = "".join(f"p_{k} += (v - p_{k})*int(t_in_timesteps % sample_steps == {k})\n" for k in range(self.steps))
        network[self.hidden[0]].run_regularly(keep, when="groups", order=1)  # between integration and threshold
        return network


@dataclass(frozen=True)
class Example:
    """One sample.

    Parameters
    ----------
    potential : (steps,)
        Of one neuron of the first hidden layer, after the step's inputs and before its spike.
    threshold : float
    fired : (steps,)
        Its spikes, 0 or 1.
    inputs : (inputs, steps)
        Spikes of those inputs that move the potential most.
    input_weights : (inputs,)
        From them to the neuron.
    before, trace : (steps,)
        Spikes of one input, and its trace.
    after : dict of (steps,)
        By desire, +1 and -1: spikes of a neuron of the first hidden layer that has it.
    change : dict of (steps,)
        By desire: change of the weight from that input by the end of each step, Eq. 4.
    learned : dict of float
        By desire: the change that the network made.
    """

    potential: Floats
    threshold: float
    fired: Floats
    inputs: Floats
    input_weights: Floats
    before: Floats
    trace: Floats
    after: dict[int, Floats]
    change: dict[int, Floats]
    learned: dict[int, float]


def example(path: Path, data: str | None = None) -> Example | None:
    """The first of a run's training images that shows both desires, learned once more without dropout.

    The network begins with the run's trained weights. None if in none of the first images neurons of both desires fire.

    Raises
    ------
    ValueError
        The run is of another model.
    """
    run = Run.open(path, data=data)
    model, state, settings = run.model, run.state, run.settings
    if not isinstance(model, DesireBackprop):
        raise ValueError(f"{path}: a run of {model.name}; expected one of desire_backprop")
    recorded = RecordedDesires(**{symbol: getattr(model, symbol) for symbol in model.parameters()})
    recorded = recorded.replace(p_hidden=0.0, p_input=0.0)
    samples = run.samples("train", SEARCHED)
    weights = {p.variable: state[p.variable] for p in anatomy.projections(model)}
    begin = initial_state(recorded, "train", weights)
    with run.scratch() as scratch:
        structure = Structure(
            recorded, "train", settings.precision, settings.device, CAPACITY, ("input", model.hidden[0])
        )
        program = devices.program(structure, scratch)
        for number in range(len(samples)):
            one = samples[number : number + 1]
            inputs = recorded.all_inputs("train", one.pixels, one.labels)
            seed = streams.block_seed(settings.seed, streams.RECORDED_SPIKES, number)
            result = program.run(Block(begin, inputs, recorded.run_time_values(), seed))
            candidate = _example_of(recorded, weights, result)
            if candidate is not None:
                return candidate
    return None


def _example_of(model: RecordedDesires, weights: Mapping[str, NDArray[Any]], result: BlockResult) -> Example | None:
    first, state, steps = model.hidden[0], result.state, model.steps
    desire, n_spikes = state[f"{first}.desire"], state[f"{first}.n_spikes"]
    # neurons that neither fire all the time nor hardly at all, so that something can be seen
    chosen = {sign: _nearest(n_spikes, (desire == sign) & (n_spikes > 0), steps / 4) for sign in (1, -1)}
    if any(desire[neuron] != sign or not n_spikes[neuron] for sign, neuron in chosen.items()):
        return None
    below, above = (_trains(result, name, size, steps) for name, size in list(anatomy.populations(model).items())[:2])
    before, after = (
        np.asarray(w, np.float64).reshape(model.pixels, -1) for w in (weights[f"to_{first}.w"], state[f"to_{first}.w"])
    )
    # an input of the same kind, after whose first spike both neurons fire
    counts = below.sum(axis=1)
    late = [np.flatnonzero(above[neuron]).max() for neuron in chosen.values()]
    usable = (counts > 0) & (np.argmax(below, axis=1) <= min(late))
    if not usable.any():
        return None
    source = _nearest(counts, usable, steps / 4)
    trace = np.array([state[f"input.r_{k}"][source] for k in range(steps)], np.float64)
    push = np.asarray(state[f"{first}.push"], np.float64)
    change = {sign: np.cumsum(push[neuron] * above[neuron] * trace) for sign, neuron in chosen.items()}
    neuron = chosen[1]
    moving = np.argsort(-np.abs(before[:, neuron]) * counts, kind="stable")[:INPUTS]
    return Example(
        np.array([state[f"{first}.p_{k}"][neuron] for k in range(steps)], np.float64),
        float(model.theta_p),
        above[neuron],
        below[moving],
        before[moving, neuron],
        below[source],
        trace,
        {sign: above[neuron] for sign, neuron in chosen.items()},
        change,
        {sign: float(after[source, neuron] - before[source, neuron]) for sign, neuron in chosen.items()},
    )


def _nearest(counts: NDArray[Any], usable: NDArray[np.bool_], wanted: float) -> int:
    return int(np.argmin(np.where(usable, np.abs(counts - wanted), np.inf)))


def _trains(result: BlockResult, name: str, size: int, steps: int) -> Floats:
    trains = np.zeros((size, steps))
    trains[result.spikes[name].neuron, result.spikes[name].step] = 1
    return trains
