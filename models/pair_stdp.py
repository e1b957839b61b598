"""Spike-timing-dependent plasticity: one synapse a pair of neurons, which learns by every pair of their spikes.

Section 2.6.3.1 of Sun's thesis, after G. Bi and M. Poo (1998). Each side of a synapse leaves a trace, which decays; a
spike of one side changes the weight by the trace of the other. A pair of spikes then changes it by Eq. 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, Quantity, ms

from hebbarium.models.contract import Arrays, quantity, structure
from hebbarium.models.parts import At, Parts
from hebbarium.models.ranges import POSITIVE, SIZE, WEIGHT, Range
from hebbarium.models.stimulated import RUN, Stimulated

OPEN = "not stated; a usual value"
PRE, POST = "pre_spikes", "post_spikes"
"""Names of the inputs: 1 where a neuron spikes at a step."""


@dataclass(frozen=True, eq=False)
class PairSTDP(Stimulated):
    """Neurons that spike when they are told, and a synapse from each of the first to one of the second."""

    name: ClassVar[str] = "pair_stdp"
    title: ClassVar[str] = "A synapse that learns by pairs of spikes"
    paper: ClassVar[str] = (
        "M. Sun, thesis on methods for training spiking neural networks (2023), Section 2.6.3.1, after G. Bi and M. "
        "Poo, Synaptic modifications in cultured hippocampal neurons, Journal of Neuroscience 18 (1998)"
    )
    population: ClassVar[str] = "post"
    given: ClassVar[tuple[Any, str]] = (1, "spikes")

    neurons: int = structure(201, 1, "pairs of neurons side by side, each with a synapse", "own", SIZE)
    dt: Quantity = structure(0.1 * ms, ms, "length of a time step", "own", POSITIVE)
    a_plus: float = quantity(0.01, 1, "largest rise of the weight", f"Eq. 10; {OPEN}", WEIGHT)
    a_minus: float = quantity(-0.0105, 1, "largest fall of the weight, below zero as Eq. 10 has it", f"Eq. 10; {OPEN}",
                              Range(-1e6, 0))  # fmt: skip
    tau_plus: Quantity = quantity(20 * ms, ms, "time constant of the rise", f"Eq. 10; {OPEN}", POSITIVE)
    tau_minus: Quantity = quantity(20 * ms, ms, "time constant of the fall", f"Eq. 10; {OPEN}", POSITIVE)

    # -- the equations ---------------------------------------------------------------------------------
    pre_trace = "dx/dt = -x/tau_plus : 1        # exp(Dt/tau_plus) of Eq. 10, Dt = t_pre - t_post < 0 (Eq. 9)"
    post_trace = "dy/dt = -y/tau_minus : 1      # exp(-Dt/tau_minus): as printed, without the sign, it would grow"
    pre_fires = "pre_spikes(t, i) > 0"
    post_fires = "post_spikes(t, i) > 0"
    potentiation = "w += a_plus*x_pre           # Eq. 10, t_post > t_pre"
    depression = "w += a_minus*y_post           # Eq. 10, t_post < t_pre"

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        parts = Parts(self, self.dt, self.sample_steps(RUN), inputs, {})
        pre = parts.neurons("pre", self.neurons, self.pre_trace, threshold=self.pre_fires, reset="x += 1",
                            method="exact")  # fmt: skip
        post = parts.neurons(self.population, self.neurons, self.post_trace, threshold=self.post_fires,
                             reset="y += 1", method="exact")  # fmt: skip
        synapses = parts.synapses(
            "synapses", pre, post, "w : 1", one_to_one=True,
            on_pre={"fall": At("synapses 0", self.depression)}, on_post={"rise": At("synapses 1", self.potentiation)},
        )  # fmt: skip
        return Network(pre, post, synapses)

    def quiet(self) -> Arrays:
        """See `Stimulated.quiet`."""
        return {PRE: np.zeros((1, self.neurons)), POST: np.zeros((1, self.neurons))}

    def window(self, interval: Any) -> Any:
        """Eq. 10 with its slip corrected: the change of weight of one pair.

        Parameters
        ----------
        interval : Quantity
            t_pre - t_post (Eq. 9); at 0 nothing changes.
        """
        rise = self.a_plus * np.exp(np.asarray(interval / self.tau_plus))
        fall = self.a_minus * np.exp(np.asarray(-interval / self.tau_minus))
        return np.where(np.asarray(interval / ms) < 0, rise, np.where(np.asarray(interval / ms) > 0, fall, 0.0))

    # -- what the paper leaves open --------------------------------------------------------------------
    slips: ClassVar[tuple[str, ...]] = (
        "The second line of Eq. 10 lacks a minus sign: with Dt = t_pre - t_post > 0 it would grow with the interval. "
        "Fig. 13 shows that it falls.",
        "The thesis says of potentiation that the presynaptic spike could be caused by the postsynaptic one; it is the "
        "other way round.",
        "It calls the difference between A_+ and A_- the largest change of the weight; each is the largest change of "
        "its own side.",
    )
    open_choices: ClassVar[tuple[str, ...]] = (
        "The thesis gives no values. Spikes of one step do not pair: each side's trace rises after the synapses of the "
        "step. All pairs of spikes count, not only the nearest.",
    )
