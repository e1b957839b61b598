"""A learning rule on its own: one synapse a pair of spikes, made of a model's own equation strings."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Clock, Network, NeuronGroup, Synapses
from numpy.typing import NDArray

from hebbarium.models.contract import Model


def network(
    model: Model,
    dt: Any,
    pre_steps: NDArray[np.int64],
    post_steps: NDArray[np.int64],
    *,
    pre_trace: str,
    pre_reset: str,
    post_trace: str,
    post_reset: str,
    on_pre: str,
    on_post: str,
    start: float,
) -> Network:
    """One synapse a spike pair.

    Parameters
    ----------
    model : Model
        Whose quantities the strings use.
    dt : Quantity
        Step of the simulation.
    pre_steps, post_steps : int arrays of one length
        The step at which each synapse's source and target fire, once each.
    pre_trace, pre_reset, post_trace, post_reset : str
        Equations of the traces and what a spike does to them.
    on_pre, on_post : str
        What a spike of either side does to the weight ``w``.
    start : float
        Weight of every synapse before the first spike.

    Returns
    -------
    Network
        Run it for longer than the last spike; ``network["plastic"].w`` then holds the weights.
    """
    clock = Clock(dt, name="step_clock")
    sides = []
    for name, steps, lines, reset in (
        ("pre", pre_steps, pre_trace, pre_reset),
        ("post", post_steps, post_trace, post_reset),
    ):
        side = NeuronGroup(
            len(steps),
            lines + model.declare_used(lines, reset) + "spike_step : integer\n",
            threshold="t_in_timesteps == spike_step",
            reset=reset,
            method="exponential_euler",
            name=name,
            clock=clock,
        )
        side.spike_step = steps
        sides.append(side)
    plastic = Synapses(
        *sides,
        # what the target declares is read from there
        "w : 1\n" + model.declare_used(on_pre, on_post, besides=tuple(sides[1].variables)),
        on_pre=on_pre,
        on_post=on_post,
        name="plastic",
        clock=clock,
    )
    plastic.connect(j="i")
    for owner in (*sides, plastic):
        for symbol, value in model.run_time_values().items():
            if symbol in owner.variables:
                owner.variables[symbol].set_value(value)
    plastic.variables["w"].set_value(start)
    return Network(*sides, plastic)
