"""Input neurons: what a number, the rate that a sample asks of a neuron, becomes as spikes.

Spike counts: a neuron fires at a step with the probability rate*dt, a Bernoulli process. The number of steps between
its spikes is geometrically distributed, so one random number a spike gives the same process as one a step, at a
fraction of the cost. Other encodings put the number into when a neuron fires, or which neurons fire, or which fire
together. They know how bright a neuron is, `level`, by the rate that a white one has: from zero, black, to one.

What is counted in steps of a sample is counted from zero. What would happen at the end of the time in which a value is
coded never does: so a black neuron is silent.
"""

from __future__ import annotations

from typing import NamedTuple

from hebbarium.equations.strings import lines


class Encoder(NamedTuple):
    """Equations and condition of an input neuron, and what a spike, a sample's beginning and a rest do.

    Parameters
    ----------
    equations, fires, spike : str
    begins : str
        ``{rate}`` is the neuron's rate, ``{white}`` that of a white one.
    rests : str
        What makes the neurons silent.
    step : str
        What happens at each step, before the spikes.
    """

    equations: str
    fires: str
    spike: str
    begins: str
    rests: str = ""
    step: str = ""


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
    rests="p_spike = 0",
)

# A rate that changes in time, here as a sine whose mean over a cycle is the neuron's rate.
MODULATED = Encoder(
    equations="""
        p_spike : 1                                         # rate*dt, the mean over a cycle
        begun : 1                                           # the step at which the sample began
    """,
    fires="rand() < p_spike*(1 + sin(2*pi*(t_in_timesteps - begun)*dt/t_code))",
    spike="",
    begins="""
        p_spike = {rate}*dt
        begun = t_in_timesteps
    """,
    rests="p_spike = 0",
)

# A white image is all there is to tell white by; in a black one, that has none, any number will do.
_LEVEL = "level = clip({rate}*dt/({white}*dt + int({white}*dt <= 0)), 0, 1)"
_STEPS = "floor(t_code/dt + 0.5)                            # steps of the time in which a value is coded"

# Time to the first spike: the brighter, the earlier.
LATENCY = Encoder(
    equations="due : 1                                      # the step of the spike",
    fires="t_in_timesteps >= due",
    spike="due = t_in_timesteps + longest",
    begins=lines(
        _LEVEL,
        f"code_steps = {_STEPS}",
        """
        wait = floor((1 - level)*code_steps)
        due = t_in_timesteps + wait + int(wait >= code_steps)*longest
        """,
    ),
    rests="due = t_in_timesteps + longest",
)
# Phase of firing: the same in each cycle of an oscillation, which begins with the sample.
PHASE = LATENCY._replace(spike=f"due += {_STEPS}")

# A population: neighbouring neurons are tuned to different levels, each to one of n_tuned between black and white, and
# fire the more the nearer their own level is.
POPULATION = GEOMETRIC._replace(
    begins=lines(
        _LEVEL,
        "tuned = exp(-(level - (i % n_tuned)/(n_tuned - 1))**2/(2*width**2))",
        GEOMETRIC.begins.format(rate="tuned*{white}"),
    )
)

# Spikes as they are: a sample says at which of its steps each neuron fires next. In `spike`, {next} is that step.
GIVEN = Encoder(
    equations="""
        n_fired : integer                                   # spikes of the sample so far
        begun : 1                                           # the step at which the sample began
        due : 1                                             # the step of the next spike
    """,
    fires="t_in_timesteps >= due",
    spike="""
        n_fired += 1
        due = begun + {next}
    """,
    begins="""
        n_fired = 0
        begun = t_in_timesteps
        due = begun + {rate}
    """,
    rests="due = t_in_timesteps + longest",
)

# A rate that a sample says for each of its moments, which last t_moment each; silence comes after the last. In `step`,
# {rate} is the rate at a moment.
SERIES = Encoder(
    equations="""
        p_spike : 1                                         # rate*dt
        begun : 1                                           # the step at which the sample began
        moment : integer                                    # of the sample, from 0
    """,
    fires="rand() < p_spike",
    spike="",
    begins="begun = t_in_timesteps",
    rests="begun = t_in_timesteps + longest",
    step="""
        moment = int(clip(floor((t_in_timesteps - begun)*dt/t_moment + 0.0001), 0, n_moments))
        p_spike = int(t_in_timesteps >= begun)*{rate}*dt
    """,
)

# Synchrony: all neurons copy spikes of one mother train, each with its own probability. A white neuron copies a part
# of them that is called `copied`, and the mother fires so often that its rate is what it ought to be.
SYNCHRONY = Encoder(
    equations="""
        p_copy : 1                                          # part of the mother's spikes that the neuron copies
        p_mother : 1                                        # of a spike of the mother in a step
        mother : 1 (shared)                                 # uniformly distributed, the same for all neurons
    """,
    fires="mother < p_mother and rand() < p_copy",
    spike="",
    begins=lines(
        "p_copy = clip(copied*{rate}*dt/({white}*dt + int({white}*dt <= 0)), 0, 1)",
        "p_mother = {white}*dt/copied",
    ),
    rests="p_mother = 0",
    step="mother = rand()",
)
