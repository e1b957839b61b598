"""ReSuMe and SPAN: one neuron that learns to spike when it is told, given the same pattern again and again.

F. Ponulak and A. Kasinski, "Supervised learning in spiking neural networks with ReSuMe" (2010); A. Mohemmed et al.,
"SPAN: Spike pattern association neuron for learning spatio-temporal spike patterns" (2012). Sun's thesis names both in
Sections 2.6.3.2 and 2.6.4.3. Each input spikes once in a pattern; weights change until the neuron's spikes are where
they ought to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, Quantity, ms, mV

from hebbarium.equations.strings import lines
from hebbarium.models.contract import Arrays, encoding, quantity, structure
from hebbarium.models.parts import At, Parts
from hebbarium.models.ranges import NOT_NEGATIVE, POSITIVE, POTENTIAL, SIZE, WEIGHT
from hebbarium.models.stimulated import RUN, Stimulated

OPEN = "not stated by the thesis; own"
STEP, WANTED, LEARNS = "pattern_step", "wanted", "learns"
"""Names of the inputs: the number of the step in the pattern, 1 where a spike is wanted, 1 while weights change."""


@dataclass(frozen=True, eq=False)
class SpikeTrainLearner(Stimulated):
    """A leaky neuron with many inputs, and what is the same for all rules."""

    population: ClassVar[str] = "output"
    given: ClassVar[tuple[Any, str]] = (1, "spikes")

    neurons: int = structure(1, 1, "neurons that learn", "own", SIZE)
    inputs_: int = structure(400, 1, "inputs, each of which spikes once in a pattern", "own", SIZE)
    dt: Quantity = structure(0.1 * ms, ms, "length of a time step", "own", POSITIVE)
    pattern_steps: int = structure(2000, 1, "steps of a pattern", "own: 200 ms, as in Mohemmed et al.", SIZE)

    tau_m: Quantity = quantity(10 * ms, ms, "time constant of the membrane", OPEN, POSITIVE)
    tau_s: Quantity = quantity(2 * ms, ms, "time constant of the synaptic current", OPEN, POSITIVE)
    v_thresh: Quantity = quantity(15 * mV, mV, "threshold above rest, which is at 0", OPEN, POTENTIAL)
    w_first: Quantity = encoding(3 * mV, mV, "largest weight at the beginning; drawn from 0 on", OPEN, NOT_NEGATIVE)

    # -- the equations ---------------------------------------------------------------------------------
    input_spike = "spike_step : 1                       # when the input spikes in the pattern"
    input_fires = "abs(pattern_step(t) - spike_step) < int_same"
    membrane = """
        dv/dt = (i_syn - v)/tau_m : volt
        di_syn/dt = -i_syn/tau_s : volt
    """
    fires = "v > v_thresh"
    transmission = "i_syn_post += w"
    wanted = "wanted(t) > 0"

    def parts(self, inputs: Arrays) -> Parts:
        """What makes the network."""
        return Parts(self, self.dt, self.sample_steps(RUN), inputs, {}, int_same=0.5)

    def quiet(self) -> Arrays:
        """See `Stimulated.quiet`."""
        return {STEP: np.zeros(1), WANTED: np.zeros(1), LEARNS: np.zeros(1)}

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """When each input spikes, evenly distributed over the pattern, and weights."""
        return {
            "input.spike_step": generator.integers(self.pattern_steps, size=self.inputs_).astype(np.float64),
            "synapses.w": generator.random(self.inputs_ * self.neurons) * float(self.w_first),
        }


@dataclass(frozen=True, eq=False)
class ReSuMe(SpikeTrainLearner):
    """Weights rise at each wanted spike and fall at each spike, the more, the sooner before it their input spiked."""

    name: ClassVar[str] = "resume"
    title: ClassVar[str] = "ReSuMe: a neuron that learns a spike train by two opposite STDP rules"
    paper: ClassVar[str] = (
        "F. Ponulak and A. Kasinski, Supervised learning in spiking neural networks with ReSuMe: sequence learning, "
        "classification, and spike shifting, Neural Computation 22, 467-510 (2010)"
    )

    eta: Quantity = quantity(0.3 * mV, mV, "change of a weight at most (A)", OPEN, NOT_NEGATIVE)
    a_d: float = quantity(0.02, 1, "part of it that takes no spike of the input (a)", OPEN, WEIGHT)
    tau_x: Quantity = quantity(5 * ms, ms, "time constant of an input's trace", OPEN, POSITIVE)

    trace = "dx/dt = -x/tau_x : 1"
    towards = "w += learns(t)*eta*(a_d + x_pre)         # S_d(t)[a + A exp(-s/tau) S_in]"
    away = "w -= learns(t)*eta*(a_d + x_pre)            # - S_o(t)[...]"

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        parts = self.parts(inputs)
        source = parts.neurons("input", self.inputs_, lines(self.trace, self.input_spike), threshold=self.input_fires,
                               reset="x += 1", method="exact")  # fmt: skip
        target = parts.neurons(
            self.population, self.neurons, self.membrane, threshold=self.fires, reset="v = 0*mV", method="exact",
            events={"wanted": At("thresholds 1", self.wanted)}, constants={"mV": mV},
        )  # fmt: skip
        synapses = parts.synapses(
            "synapses", source, target, "w : volt",
            on_pre={"transmit": At("synapses 0", self.transmission)},
            on_post={"rise": At("synapses 1", self.towards, "wanted"), "fall": At("synapses 2", self.away)},
        )  # fmt: skip
        return Network(source, target, synapses)

    open_choices: ClassVar[tuple[str, ...]] = (
        "The thesis gives the rule in words only; constants are ours, chosen so that one set serves all seeds.",
    )


@dataclass(frozen=True, eq=False)
class SPAN(SpikeTrainLearner):
    """Spikes are made smooth by an alpha kernel, and weights follow the difference of wanted and actual ones."""

    name: ClassVar[str] = "span"
    title: ClassVar[str] = "SPAN: a neuron that learns a spike train by the delta rule on smoothed spikes"
    paper: ClassVar[str] = (
        "A. Mohemmed, S. Schliebs, S. Matsuda and N. Kasabov, SPAN: Spike pattern association neuron for learning "
        "spatio-temporal spike patterns, International Journal of Neural Systems 22 (2012)"
    )

    eta: Quantity = quantity(0.4 * mV, mV, "learning rate, of a time of tau_f", OPEN, NOT_NEGATIVE)
    tau_f: Quantity = quantity(5 * ms, ms, "time constant of the kernel", OPEN, POSITIVE)

    # a spike adds e, so that the kernel's top is 1
    smooth_input = """
        df/dt = (g - f)/tau_f : 1               # alpha kernel of the input's spikes
        dg/dt = -g/tau_f : 1
    """
    smooth_output = """
        df_d/dt = (g_d - f_d)/tau_f : 1         # of the wanted spikes
        dg_d/dt = -g_d/tau_f : 1
        df_o/dt = (g_o - f_o)/tau_f : 1         # of the neuron's own
        dg_o/dt = -g_o/tau_f : 1
    """
    rule = "w += learns(t)*eta*(f_d_post - f_o_post)*f_pre*dt/tau_f         # Widrow & Hoff, on smooth trains"

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        parts = self.parts(inputs)
        source = parts.neurons("input", self.inputs_, lines(self.smooth_input, self.input_spike),
                               threshold=self.input_fires, reset="g += e", method="exact")  # fmt: skip
        target = parts.neurons(
            self.population, self.neurons, lines(self.membrane, self.smooth_output), threshold=self.fires,
            reset=("v = 0*mV", "g_o += e"), method="exact", constants={"mV": mV},
            events={"wanted": At("thresholds 1", self.wanted), "step": At("thresholds 2", "learns(t) > 0")},
            runs=[At("resets 1", "g_d += e", "wanted")],
        )  # fmt: skip
        synapses = parts.synapses(
            "synapses", source, target, "w : volt",
            on_pre={"transmit": At("synapses 0", self.transmission)},
            on_post={"learn": At("synapses 1", self.rule, "step")},
        )  # fmt: skip
        return Network(source, target, synapses)

    open_choices: ClassVar[tuple[str, ...]] = (
        "The thesis gives the rule in words only; constants are ours. Weights change at each step, and not once a "
        "pattern: the sum over a pattern is the same up to what they have changed meanwhile.",
    )
    slips: ClassVar[tuple[str, ...]] = ()
