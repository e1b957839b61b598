"""Input neurons: Poisson spike trains of given rates.

A neuron fires at a step with the probability rate*dt: a Bernoulli process. The number of steps between its spikes is
geometrically distributed, so one random number a spike gives the same process as one a step, at a fraction of the cost.
"""

from __future__ import annotations

from typing import NamedTuple


class Encoder(NamedTuple):
    """Equations and condition of a Poisson neuron, and what a spike, a sample's beginning (a rate) and a rest do."""

    equations: str
    fires: str
    spike: str
    begins: str
    rests: str = ""


# A neuron is due at a step of the block. U being uniform, ceil(log(U)/log(1 - rate*dt)) is geometrically distributed;
# the denominator changes with the sample only. The step at which a sample begins may itself carry a spike: hence the
# - one. While nothing is shown no spike is due.
GEOMETRIC = Encoder(
    equations="""
        interval : 1                                        # -1/log(1 - rate*dt), in steps
        due : 1                                             # the step of the next spike
    """,
    fires="t_in_timesteps >= due",
    spike="due = t_in_timesteps + ceil(clip(-log(rand())*interval, 1, longest))",
    begins="""
        interval = -1.0/log1p(-clip({rate}*dt, p_least, p_most))
        due = t_in_timesteps - 1 + ceil(clip(-log(rand())*interval, 1, longest))
    """,
    rests="due = t_in_timesteps + longest",
)
# The same where a neuron cannot fire for n_dead steps after a spike.
GEOMETRIC_DEAD = GEOMETRIC._replace(
    spike="due = t_in_timesteps + n_dead + ceil(clip(-log(rand())*interval, 1, longest))"
)
BERNOULLI = Encoder(
    equations="p_spike : 1                                  # rate*dt",
    fires="rand() < p_spike",
    spike="",
    begins="p_spike = {rate}*dt",
)
