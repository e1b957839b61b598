"""A learning rule on its own: one synapse a pair of spikes, made of a model's own equation strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from brian2 import Network, Quantity
from numpy.typing import NDArray

from hebbarium.models.contract import Model
from hebbarium.models.parts import At, Parts


@dataclass(frozen=True)
class PairRule:
    """What a pair of spikes does to a weight.

    Parameters
    ----------
    pre, post : two strings each
        The trace of either side, and what a spike of it does to the trace.
    on_pre, on_post : str
        What a spike of either side does to the weight ``w``.
    start : float
        Weight of every synapse before the first spike.
    a_plus, a_minus, tau_p
        Of the exponentials that the rule is: what a pair strengthens, and weakens, at no interval; their time constant.
    """

    pre: tuple[str, str]
    post: tuple[str, str]
    on_pre: str
    on_post: str
    start: float
    a_plus: float
    a_minus: float
    tau_p: Quantity


@runtime_checkable
class Paired(Protocol):
    """A model whose learning rule shows on single pairs of spikes."""

    @property
    def pair_rule(self) -> PairRule: ...


def network(
    model: Model, rule: PairRule, dt: Quantity, pre_steps: NDArray[np.int64], post_steps: NDArray[np.int64]
) -> Network:
    """One synapse a spike pair.

    Parameters
    ----------
    model : Model
        Whose quantities the strings use.
    rule : PairRule
    dt : Quantity
        Step of the simulation.
    pre_steps, post_steps : int arrays of one length
        The step at which each synapse's source and target fire, once each.

    Returns
    -------
    Network
        Run it for longer than the last spike; ``network["plastic"].w`` then holds the weights.
    """
    parts = Parts(model, dt, 1, {}, {})
    sides = []
    for name, steps, (trace, spike) in (("pre", pre_steps, rule.pre), ("post", post_steps, rule.post)):
        side = parts.neurons(
            name, len(steps), (trace, "spike_step : integer"), threshold="t_in_timesteps == spike_step", reset=spike,
            method="exponential_euler",
        )
        side.spike_step = steps
        sides.append(side)
    plastic = parts.synapses(
        "plastic", sides[0], sides[1], "w : 1", on_pre={"pre": At("synapses -1", rule.on_pre)},
        on_post={"post": At("synapses 1", rule.on_post)}, one_to_one=True,
    )
    for owner in (*sides, plastic):
        for symbol, value in model.run_time_values().items():
            if symbol in owner.variables:
                owner.variables[symbol].set_value(value)
    plastic.variables["w"].set_value(rule.start)
    return Network(*sides, plastic)
