"""What is measured on a trained network for the figures: the spikes of some presentations, the STDP window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from brian2 import second
from brian2.core.base import BrianObjectException
from numpy.typing import NDArray

from hebbarium.engine import anatomy, runtime, streams
from hebbarium.engine.contract import Block, Program
from hebbarium.models import spike_pairs
from hebbarium.models.contract import Model
from hebbarium.models.spike_pairs import Paired, PairRule
from hebbarium.record import results
from hebbarium.training.progress import Reporter
from hebbarium.training.samples import Samples


def record(
    model: Model,
    state: Mapping[str, NDArray[Any]],
    samples: Samples,
    seed: int,
    program: Program,
    reporter: Reporter,
) -> dict[str, Any]:
    """Groups ``raster`` and ``stdp_window`` of the result tree.

    A rule that depends on more than a pair of spikes, a third factor, has no window, which the reporter says.

    Parameters
    ----------
    samples : Samples
        One after the other, while nothing learns.
    program : Program
        Of a phase in which nothing learns, recording all populations.
    """
    groups: dict[str, Any] = {"raster": raster(model, state, samples, seed, program)}
    if isinstance(model, Paired):
        try:
            groups["stdp_window"] = stdp_window(model, model.pair_rule, program.structure.precision)
        except BrianObjectException as error:
            why = " ".join(str(error.__cause__ or error).strip("'\"").split())
            reporter.message(f"There is no STDP window: the rule depends on more than a pair of spikes. {why}")
    return groups


def raster(
    model: Model,
    state: Mapping[str, NDArray[Any]],
    samples: Samples,
    seed: int,
    program: Program,
) -> dict[str, xr.Dataset]:
    """Spikes of every population, by presentation; ``state`` is that of the program's phase."""
    sizes, structure = anatomy.populations(model), program.structure
    block = Block(
        state,
        model.all_inputs(structure.phase, samples.pixels, samples.labels),
        model.run_time_values(),
        streams.block_seed(seed, streams.RECORDED_SPIKES, 0),
    )
    spikes = program.run(block).spikes
    steps, ms_per_step = structure.sample_steps, anatomy.time_step(model) * 1e3
    return {
        name: results.raster(
            spike_time=(s.step % steps) * ms_per_step,
            spike_neuron=s.neuron,
            spike_presentation=s.step // steps,
            n_neurons=sizes[name],
            presentation_ms=steps * ms_per_step,
            step_ms=ms_per_step,
        )
        for name, s in ((name, spikes[name]) for name in sizes if name in spikes)
    }


def stdp_window(model: Model, rule: PairRule, precision: str, reach_ms: int = 100) -> xr.Dataset:
    """Change of weight of one synapse a spike pair, for intervals of whole milliseconds, as far as steps give them."""
    time_step = anatomy.time_step(model)
    dt_ms = time_step * 1e3
    intervals = np.arange(-reach_ms, reach_ms + 1)
    steps = np.unique(np.rint(intervals / dt_ms).astype(np.int64))  # steps longer than a millisecond: fewer intervals
    first = 1
    pre = np.where(steps >= 0, first, first - steps)
    post = np.where(steps >= 0, first + steps, first)
    with runtime.runtime_device("numpy", precision):
        network = spike_pairs.network(model, rule, time_step * second, pre, post)
        before = np.array(network["plastic"].w)
        network.run((int(max(pre.max(), post.max())) + 2) * time_step * second)
        change = np.array(network["plastic"].w) - before
    return results.stdp_window(
        delta_t=steps * dt_ms,
        delta_w=change,
        a_plus=rule.a_plus,
        a_minus=rule.a_minus,
        tau_p_ms=float(rule.tau_p) * 1e3,
    )
