"""SpikeProp: layers of neurons that spike once, trained by the gradient of their spike times.

S. M. Bohte, J. N. Kok and H. La Poutré, "Error-backpropagation in temporally encoded networks of spiking neurons"
(2002). Sun's thesis names it in Sections 2.6.3.2 and 2.6.4.2.1. The network learns XOR: two inputs spike early or late,
a third one always at the beginning, and the output neuron is to spike earlier if one of the two is late and the other
is not. Each connection has several terminals, each with a delay and a weight of its own.

What the thesis sets beside backpropagation in Section 2.6.3 are options of ``rule``: random feedback, where errors go
back through weights that never change (T. P. Lillicrap et al., 2016), and perturbation, where weights are changed at
random and keep the change if the error has fallen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, Synapses, ms, second
from numpy.typing import NDArray

from hebbarium.equations.strings import lines
from hebbarium.models import copies
from hebbarium.models.contract import Arrays, choice, encoding, quantity, structure
from hebbarium.models.parts import BEGINS, ENDS, At, Parts, link
from hebbarium.models.ranges import NOT_NEGATIVE, POSITIVE, SIZE, Range
from hebbarium.models.stimulated import Stimulated

BOHTE = "Bohte et al. 2002"
OWN = "not stated by the thesis; own"
TIMES, WANTED, CLOSES, LEARNS = "times", "wanted", "closes", "learns"
"""Names of what is given: when each input spikes and when the output ought to, in seconds; 1 at the last sample of a
cycle; 1 where weights change after it."""

GRADIENT, RANDOM_FEEDBACK, OUTPUT_ONLY, PERTURBATION = "gradient", "random_feedback", "output_only", "perturbation"
HIDDEN, OUTPUT = "hidden", "output"
LARGEST = 1e9
"""More than any error or weight."""

# The order of what happens in a step, in the slot "start"; and after a sample's last step, in the slot "end".
BEGIN, CLEAR, CLOCK, ARRIVE, ADD_UP = range(5)
END, FIND, ERROR, BACK, HIDDEN_ERROR, GATHER, SCORE, JUDGE, TELL, CHANGE = range(10)


@dataclass(frozen=True, eq=False)
class SpikeProp(Stimulated):
    """The network of Bohte et al. that learns XOR."""

    name: ClassVar[str] = "spikeprop"
    title: ClassVar[str] = "SpikeProp: the gradient of spike times, with random feedback and perturbation beside it"
    paper: ClassVar[str] = (
        "S. M. Bohte, J. N. Kok and H. La Poutré, Error-backpropagation in temporally encoded networks of spiking "
        "neurons, Neurocomputing 48, 17-37 (2002)"
    )
    population: ClassVar[str] = OUTPUT
    traces: ClassVar[Mapping[str, tuple[Any, str]]] = {
        "t_spike": (ms, "when it spiked; the sample's end if it did not")
    }
    given: ClassVar[tuple[Any, str]] = (ms, "spike times")

    # Architecture
    inputs_: int = structure(
        3, 1, "inputs: two with a bit each, and one that spikes at the beginning", BOHTE, Range(2, SIZE.most)
    )
    neurons: int = structure(5, 1, "hidden neurons, the last of which inhibits", BOHTE, SIZE)
    terminals: int = structure(16, 1, "terminals of a connection", BOHTE, SIZE)
    dt: Quantity = structure(0.2 * ms, ms, "length of a time step, in which crossings are looked for", "own", POSITIVE)
    steps: int = structure(200, 1, "steps of a sample", "own: 40 ms", SIZE)

    # Neurons
    tau: Quantity = quantity(7 * ms, ms, "time constant of a postsynaptic potential", BOHTE, POSITIVE)
    theta: float = quantity(1.0, 1, "threshold", OWN, POSITIVE)
    delay_least: Quantity = quantity(1 * ms, ms, "delay of a connection's first terminal", BOHTE, POSITIVE)
    delay_step: Quantity = quantity(1 * ms, ms, "what each further terminal is later", BOHTE, POSITIVE)
    w_hidden: float = encoding(0.2, 1, "largest first weight onto hidden neurons; drawn from 0 on", OWN, NOT_NEGATIVE)
    w_output: float = encoding(0.3, 1, "largest first weight onto the output, of either sign", OWN, NOT_NEGATIVE)

    # Learning
    rule: str = choice(
        GRADIENT, (GRADIENT, RANDOM_FEEDBACK, OUTPUT_ONLY, PERTURBATION), "how weights change",
        "Bohte et al.; Sun, Section 2.6.3; output_only: own",
    )  # fmt: skip
    eta: float = quantity(0.001, 1, "learning rate, of times in ms", OWN, NOT_NEGATIVE)
    slope_least: float = quantity(
        0.1, 1, "least rise of a potential in a ms that errors are divided by", "Booij & Nguyen 2005", POSITIVE
    )
    sigma: float = quantity(0.01, 1, "standard deviation of a perturbation", OWN, NOT_NEGATIVE)

    relations: ClassVar[tuple[str, ...]] = ("dt <= delay_least",)

    # -- the equations ---------------------------------------------------------------------------------
    # A neuron's t_spike is the time of the step until it has spiked, and its spike's from then on. So the potential is
    # always that at t_spike; and a neuron that has not spiked has no terminal on which its spike has arrived.
    membrane = """
        v : 1                                           # potential x(t_spike)
        slope : 1                                       # how much it rises in a ms
        t_spike : second
        spiked : 1
        earliest : second                               # the threshold is crossed between these two
        latest : second
    """
    clear = """
        spiked = 0
        t_spike = 0*ms
    """
    encoder = "t_spike = times(t, i)"
    clock = """
        v = 0
        slope = 0
        t_spike += (1 - spiked)*((t_in_timesteps % sample_steps)*dt - t_spike)
    """
    # Since the spike at a terminal arrived; epsilon(s) = s/tau exp(1 - s/tau), and what that rises in a ms.
    terminal = "s = (t_spike_post - t_spike_pre - delay_least - k*delay_step)/tau"
    psp = "int(s > 0)*s*exp(1 - s)"
    rise = "int(s > 0)*(1 - s)*exp(1 - s)*ms/tau"
    fires = "v > theta and spiked == 0"
    spike = """
        spiked = 1
        latest = t_spike
        earliest = t_spike - dt
    """
    # At the end of the step in which the potential has crossed the threshold, and of all that follow: Newton's step, or
    # half the way where that would leave the interval. Delays are longer than the few steps that this takes.
    crossing = """
        latest += int(v > theta)*(t_spike - latest)
        earliest += int(v <= theta)*(t_spike - earliest)
        newton = t_spike - (v - theta)/(slope + int(slope == 0))*ms
        inside = int(newton >= earliest)*int(newton <= latest)
        t_spike = inside*newton + (1 - inside)*(earliest + latest)/two
    """

    # Errors: delta is what the squared error changes with the potential at the spike.
    error = """
        back : 1                                        # from the output, what the error changes with t_spike
        delta : 1
    """
    output_error = "delta = spiked*(wanted(t) - t_spike)/ms/clip(slope, slope_least, most)"
    backward = "back_pre += delta_post*{feedback}*{rise}"
    hidden_error = """
        delta = spiked*back/clip(slope, slope_least, most)
        back = 0
    """
    gathering = "gradient += delta_post*{psp}"
    update = """
        w -= learns(t)*eta*gradient
        gradient = 0
    """
    # The sign of a weight is its source's.
    signed = "w = kind_pre*clip(kind_pre*w, 0, most)"

    # Perturbation: the error of a whole cycle decides.
    critic = """
        sse : 1                                         # squared error of the cycle, in ms**2
        least : 1                                       # of all cycles so far
        better : 1                                      # whether this one's is less
    """
    score = "sse_post += ((t_spike_pre - wanted(t))/ms)**2"
    judge = """
        better = int(sse < least)
        least += better*(sse - least)
        sse = 0
    """
    told = """
        better : 1 (linked)
        keeps : 1                                       # what weights onto the neuron read of it
    """
    perturbed = """
        w_kept += keeps_post*(w - w_kept)
        w = w_kept + learns(t)*sigma*randn()
    """

    feedback: ClassVar[Mapping[str, str]] = {GRADIENT: "w", RANDOM_FEEDBACK: "b"}

    # -- the network -----------------------------------------------------------------------------------
    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        units = {TIMES: second, WANTED: second}
        parts = Parts(self, self.dt, self.steps, inputs, units, ms=ms, two=2.0, most=LARGEST)
        source = self._input(parts)
        critic = self._critic(parts) if self.rule == PERTURBATION else None
        hidden, output = (self._population(parts, name, critic) for name in (HIDDEN, OUTPUT))
        pathways = [self._connection(parts, source, hidden), self._connection(parts, hidden, output)]
        if critic is None:
            return Network(source, hidden, output, *pathways)
        scored = parts.synapses(
            "to_critic", output, critic, on_pre={"score": At(f"end {SCORE}", self.score, "ends")}
        )
        return Network(source, hidden, output, critic, *pathways, scored)

    def _events(self) -> dict[str, At]:
        return {
            "begin": BEGINS,
            "ends": ENDS,
            "arrives": At(f"start {ARRIVE}", "(t_in_timesteps % sample_steps)*dt - t_spike > delay_least"),
            "closes": At(f"end {END}", f"{ENDS.code} and {CLOSES}(t) > 0"),
        }

    def _input(self, parts: Parts) -> NeuronGroup:
        group = parts.neurons(
            "inputs", self.inputs_, "t_spike : second\nkind : 1 (constant)", events=self._events(),
            runs=[At(f"start {CLEAR}", self.encoder, "begin")],
        )  # fmt: skip
        group.kind = 1
        return group

    def _critic(self, parts: Parts) -> NeuronGroup:
        """The one neuron that knows the error of a cycle."""
        group = parts.neurons(
            "critic", 1, self.critic, events={"closes": self._events()["closes"]},
            runs=[At(f"end {JUDGE}", self.judge, "closes")],
        )  # fmt: skip
        group.least = LARGEST
        return group

    def _population(self, parts: Parts, name: str, critic: NeuronGroup | None) -> NeuronGroup:
        is_output = name == OUTPUT
        errs = critic is None and (is_output or self.rule in self.feedback)
        group = parts.neurons(
            name,
            1 if is_output else self.neurons,
            (
                self.membrane, errs and self.error, critic is not None and self.told,
                not is_output and "kind : 1 (constant)",
            ),
            threshold=self.fires,
            reset=self.spike,
            events={**self._events(), "found": At(f"end {END}", "spiked > 0")},
            runs=[
                At(f"start {CLEAR}", self.clear, "begin"),
                At(f"start {CLOCK}", self.clock),
                At(f"end {FIND}", self.crossing, "found"),
                errs and is_output and At(f"end {ERROR}", self.output_error, "ends"),
                errs and not is_output and At(f"end {HIDDEN_ERROR}", self.hidden_error, "ends"),
                critic is not None and At(f"end {TELL}", "keeps = better", "closes"),
            ],
        )
        if not is_output:
            group.kind = copies.each(self._kinds)
        if critic is not None:
            link(group, "better", critic)
        return group

    @property
    def _kinds(self) -> NDArray[np.float64]:
        """Signs of the hidden neurons' weights: the last one inhibits."""
        return np.where(np.arange(self.neurons) < self.neurons - 1, 1.0, -1.0)

    def _connection(self, parts: Parts, below: NeuronGroup, above: NeuronGroup) -> Synapses:
        """All terminals of one layer on the next; ``k`` is the number of a terminal."""
        from_hidden, rule = below.name == HIDDEN, self.rule
        random = rule == PERTURBATION
        gathers = not random and (from_hidden or rule in self.feedback)
        passes = from_hidden and rule in self.feedback
        backward = self.backward.format(feedback=self.feedback.get(rule, ""), rise=self.rise)
        return parts.synapses(
            f"to_{above.name}",
            below,
            above,
            lines(
                "w : 1", random and "w_kept : 1", gathers and "gradient : 1",
                from_hidden and rule == RANDOM_FEEDBACK and "b : 1",
            ),
            on_pre={
                "transmit": At(f"start {ADD_UP}", (
                    self.terminal, f"v_post += w*{self.psp}\nslope_post += w*{self.rise}"
                ), "arrives"),
                "back": passes and At(f"end {BACK}", (self.terminal, backward), "ends"),
                "gather": gathers and At(
                    f"end {GATHER}", (self.terminal, self.gathering.format(psp=self.psp)), "ends"
                ),
                "change": (random or gathers) and At(
                    f"end {CHANGE}", (self.perturbed if random else self.update, self.signed), "closes"
                ),
            },
            terminals=self.terminals,
        )  # fmt: skip

    # -- declarations ----------------------------------------------------------------------------------
    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return self.steps

    def quiet(self) -> Arrays:
        """See `Stimulated.quiet`."""
        return {TIMES: np.zeros((1, self.inputs_)), WANTED: np.zeros(1), CLOSES: np.zeros(1), LEARNS: np.zeros(1)}

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """First weights, evenly distributed, of the sign of their source; and those that errors go back by, of any."""
        onto_hidden = self.inputs_ * self.neurons * self.terminals
        onto_output = self.neurons * self.terminals
        sign = np.repeat(self._kinds, self.terminals)
        state = {
            "to_hidden.w": generator.random(onto_hidden) * self.w_hidden,
            "to_output.w": generator.random(onto_output) * self.w_output * sign,
        }
        if self.rule == RANDOM_FEEDBACK:
            drawn = generator.choice([-1.0, 1.0], self.neurons)
            state["to_output.b"] = np.repeat(drawn, self.terminals) * generator.random(onto_output) * self.w_output
        return state

    # -- what the paper leaves open ----------------------------------------------------------------------
    open_choices: ClassVar[tuple[str, ...]] = (
        "The thesis names the rule in words only. What is said to be of Bohte et al. (times, delays, neurons, signs, "
        "250 cycles) is as others report it: the paper itself was not at hand. Their learning rate of 0.01 means "
        "nothing without their threshold; with a threshold of 1, ours is 0.001.",
        "Weights change once a cycle of four patterns, by the sum of what each of them asks for, so that an error is "
        "that of one network.",
        "A crossing is looked for at each step of 0.2 ms and found between two steps by Newton's method, to rounding: "
        "potentials are sums of known functions of spike times, computed anew at each step. A potential that rises "
        "above the threshold and falls below it within one step is missed.",
        "Where a potential hardly rises as it crosses the threshold, the gradient is very large. Errors are divided by "
        "0.1 a ms or more, as Booij & Nguyen (2005) do; so there a step is shorter than the gradient.",
        "A neuron that does not spike learns nothing from that pattern; an output that does not counts as spiking at "
        "the sample's end.",
        "Random feedback is of either sign, each hidden neuron's drawn once; the weights that it stands for keep the "
        "sign of their neuron.",
        "Perturbation: all weights at once, by normal numbers, of which those of a whole cycle are kept or not.",
    )
