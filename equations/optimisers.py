"""Optimisers: how a weight follows a gradient that a batch of samples has summed up in it.

The gradient lies in the synapse, in a variable of the network's own. An optimiser's step is taken at an event of the
sources, once a batch: first at each target neuron, then at each weight.
"""

from __future__ import annotations

import re
import textwrap
from typing import NamedTuple

from hebbarium.equations.strings import renamed


class Optimiser(NamedTuple):
    """What an optimiser keeps, and what its step does.

    Parameters
    ----------
    synapse, target : str
        Variables of each weight, and of each neuron that weights lead to.
    begin : str
        What the step does at each target neuron, before the weights.
    step : str
        What it does at each weight; ``{gradient}`` is the gradient.
    """

    synapse: str
    target: str
    begin: str
    step: str


# Kingma & Ba 2015, Algorithm 1: the means of gradients and of their squares, each divided by what it lacks of a mean
# because it began at zero.
ADAM = Optimiser(
    synapse="""
        mean : 1                                            # of the gradient
        square : 1                                          # mean of its square
    """,
    target="""
        batches : 1                                         # steps that were taken
        bias_mean : 1
        bias_square : 1
    """,
    begin="""
        batches += 1
        bias_mean = 1 - beta_1**batches
        bias_square = 1 - beta_2**batches
    """,
    step="""
        mean = beta_1*mean + (1 - beta_1)*({gradient})
        square = beta_2*square + (1 - beta_2)*({gradient})**2
        w -= eta*mean/bias_mean_post/(sqrt(square/bias_square_post) + epsilon)
    """,
)


# Loshchilov & Hutter 2019, Algorithm 2: before Adam's step the weight decays by itself, in parts of the learning rate.
ADAMW = ADAM._replace(step="w -= eta*weight_decay*w\n" + textwrap.dedent(ADAM.step).strip() + "\n")


def in_group(optimiser: Optimiser) -> Optimiser:
    """The same where weights are neurons of a group, kernels that synapses share: each is its own target."""
    ours = {f"{name}_post": name for name in re.findall(r"\w+(?= : 1)", optimiser.target)}
    return optimiser._replace(step=renamed(optimiser.step, **ours))


# The norm of all gradients of a network, and by what they are scaled so that it is at most `norm_most`.
CLIPPING = """
    norm = sqrt(power)
    scale = clip(norm_most/(norm + norm_tiny), 0, 1)
"""
