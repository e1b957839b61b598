"""A learning rule on its own: one synapse a pair of spikes, made of a model's own equation strings."""

from __future__ import annotations

import numpy as np
from brian2 import Network, Quantity
from numpy.typing import NDArray

from hebbarium.models.contract import Model
from hebbarium.models.parts import At, Code, Parts


def network(
    model: Model,
    dt: Quantity,
    pre_steps: NDArray[np.int64],
    post_steps: NDArray[np.int64],
    *,
    pre: tuple[Code, Code],
    post: tuple[Code, Code],
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
    pre, post : two strings each
        Equations of the traces of either side, and what its spike does to them.
    on_pre, on_post : str
        What a spike of either side does to the weight ``w``.
    start : float
        Weight of every synapse before the first spike.

    Returns
    -------
    Network
        Run it for longer than the last spike; ``network["plastic"].w`` then holds the weights.
    """
    parts = Parts(model, dt, 1, {}, {})
    sides = []
    for name, steps, (trace, spike) in (("pre", pre_steps, pre), ("post", post_steps, post)):
        side = parts.neurons(
            name, len(steps), (trace, "spike_step : integer"), threshold="t_in_timesteps == spike_step", reset=spike,
            method="exponential_euler",
        )
        side.spike_step = steps
        sides.append(side)
    plastic = parts.synapses(
        "plastic", sides[0], sides[1], "w : 1",
        on_pre={"pre": At("synapses -1", on_pre)}, on_post={"post": At("synapses 1", on_post)}, one_to_one=True,
    )
    for owner in (*sides, plastic):
        for symbol, value in model.run_time_values().items():
            if symbol in owner.variables:
                owner.variables[symbol].set_value(value)
    plastic.variables["w"].set_value(start)
    return Network(*sides, plastic)
