"""Gerlinghoff et al.: layers of spiking neurons that learn by desire backpropagation.

D. Gerlinghoff, T. Luo, R. S. M. Goh and W.-F. Wong, "Desire Backpropagation: A Lightweight Training Algorithm for
Multi-Layer Spiking Neural Networks based on Spike-Timing-Dependent Plasticity".
Pixels become spike trains; layers of leaky neurons pass spikes on; after the last step of a sample the labels
become desires of the output neurons, these those of the layer below, and every weight is changed by STDP in the
direction of its neuron's desire (Eqs. 1-16).
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, Synapses, ms
from numpy.typing import NDArray

from hebbarium.equations import spike_trains
from hebbarium.equations.strings import Strings, chosen, lines
from hebbarium.models.contract import Arrays, choice, encoding, quantity, structure
from hebbarium.models.layered import Layered
from hebbarium.models.operations import BACKWARD, FORWARD, UPDATE, Shown, Work
from hebbarium.models.parts import BEGINS, ENDS, At, Parts, link
from hebbarium.models.ranges import FRACTION, NOT_NEGATIVE, POSITIVE, PROBABILITY, SIZE, Range
from hebbarium.models.readouts import Readout, class_layer

NOT_STATED = "not stated; the authors' code"
LONGEST = 52
"""Steps of a sample: as many as a double-precision number has binary digits."""

# The order of what happens after the last step of a sample, in the slot "end": from the outputs down, then updates.
ASK, PULL, SETTLE, READ, DESIRES, COUNT, A_LAYER = range(7)
# What happens at the start of a step, after a sample may have begun (0, 1): the inputs fire.
ENCODE, FIRE, TRANSMIT, RESET = range(2, 6)


@dataclass(frozen=True, eq=False)
class DesireBackprop(Layered):
    """The network of Gerlinghoff et al.: any number of layers of any size."""

    name: ClassVar[str] = "desire_backprop"
    title: ClassVar[str] = "Layers of spiking neurons with desire backpropagation"
    paper: ClassVar[str] = (
        "D. Gerlinghoff, T. Luo, R. S. M. Goh and W.-F. Wong, Desire Backpropagation: A Lightweight Training "
        "Algorithm for Multi-Layer Spiking Neural Networks based on Spike-Timing-Dependent Plasticity"
    )
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    beyond_layers: ClassVar[str] = (
        "a spike takes the threshold off its neuron's potential, and spikes of neurons that can be written set it to a"
        " potential"
    )
    readouts: ClassVar[tuple[Readout, ...]] = (class_layer("output", strict=True),)

    # Architecture (Section 5.2)
    layers: tuple[int, ...] = structure(
        (1600, 800), 1, "neurons of the hidden layers, from the input on", "Section 5.2: 784 - 2N - N - 10, N = 800",
        SIZE,
    )
    pixels: int = structure(784, 1, "input neurons, one a pixel", "Section 5.2", SIZE)
    classes: int = structure(10, 1, "output neurons, one a class", "Section 5.2", SIZE)
    steps: int = structure(20, 1, "time steps of a sample (T)", "Section 5.2", Range(2, LONGEST))
    dt: Quantity = structure(
        1 * ms, ms, "length of a time step: results do not depend on it", "not stated", POSITIVE
    )

    # Neurons
    beta_p: float = quantity(0.75, 1, "decay of the membrane potential", f"Eq. 1; {NOT_STATED}", FRACTION)
    theta_p: float = quantity(1.0, 1, "firing threshold", "Section 5.2", POSITIVE)
    white: float = quantity(255.0, 1, "threshold of an input neuron, in pixel levels", "Section 5.1", POSITIVE)

    # Learning
    beta_r: float = quantity(0.75, 1, "decay of spike traces", f"Eq. 3; {NOT_STATED}", FRACTION)
    eta: float = encoding(1e-5, 1, "learning rate of the first epoch", "Section 5.2", FRACTION)
    eta_decay: float = encoding(0.04, 1, "part of the learning rate lost after each epoch", "Section 5.2", FRACTION)
    theta_out: float = quantity(
        0.30, 1, "least error of an output neuron with a desire", "Section 5.2, Eq. 11", NOT_NEGATIVE
    )
    theta_hid: float = quantity(
        0.05, 1, "least pull on a hidden neuron with a desire", "Section 5.2, Eq. 15", NOT_NEGATIVE
    )
    margin: float = quantity(
        4.0, 1, "steps fewer than T that count as a full train, reading=code", NOT_STATED, NOT_NEGATIVE
    )
    p_hidden: float = quantity(0.30, 1, "dropout of hidden neurons", "Section 5.2; 0.40 for Fashion-MNIST", PROBABILITY)
    p_input: float = quantity(0.0, 1, "dropout of input neurons", "Section 5.2; 0.05 for Fashion-MNIST", PROBABILITY)

    reading: str = choice(
        "code", ("paper", "code"), "the equations as printed, or as the authors' code has them", "Eqs. 1, 3-16"
    )

    relations: ClassVar[tuple[str, ...]] = ("margin < steps if reading == 'code'",)

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md.

    # Input neurons (Section 5.1): no leak, and potentials in pixel levels: whole numbers, so that no spike comes a step
    # too late because brightnesses of 1/255 do not add up.
    encoder = """
        level : 1                                                       # the pixel
        v : 1                                                           # membrane potential, in pixel levels
    """
    encoder_step = "v += level                                          # Eq. 1 with beta_p = 1"
    encoder_spike = "v -= white"
    encoder_fires: ClassVar[Strings] = {"paper": "v > white", "code": "v >= white"}

    # The other neurons. {drive} is `drive` or, while neurons of the layer below are left out, drive/(1 - p) of Eq. 16.
    # As printed, the threshold that a spike takes off does not decay.
    membrane: ClassVar[Strings] = {
        "paper": """
            v : 1                                                       # membrane potential p of Eq. 1
            drive : 1                                                   # sum over i of w_oi s_i of Eq. 1
            owed : 1                                                    # theta_p s_o of Eq. 1
        """,
        "code": """
            v : 1                                                       # membrane potential p of Eq. 1
            drive : 1                                                   # sum over i of w_oi s_i of Eq. 1
        """,
    }
    membrane_step: ClassVar[Strings] = {
        "paper": """
            v = beta_p*v + {drive} - owed                               # Eqs. 1, 16
            drive = 0
            owed = 0
        """,
        "code": """
            v = beta_p*v + {drive}                                      # Eqs. 1, 16
            drive = 0
        """,
    }
    fires: ClassVar[Strings] = {"paper": "v > theta_p", "code": "v >= theta_p"}
    spike: ClassVar[Strings] = {"paper": "owed = theta_p", "code": "v -= theta_p"}
    transmission = "drive_post += w                                     # Eq. 1"
    # A neuron that is left out of a sample neither fires nor learns nor passes errors on (Section 4.3).
    kept = "kept : 1                                                    # m of Eq. 16"
    draw_kept = "kept = int(rand() >= {dropped})"

    # STDP (Section 4.1). Trains are kept, not traces, because a layer's desire is known only once the whole train is:
    # a weight then changes once, by the sum over the sample's steps of `coincidence`, which is written out in `update`.
    trace = "r = beta_r*r + s                                           # Eq. 3"
    coincidence = "s_post*r_pre                                         # Eq. 4"
    update = "w += push_post*({coincidences})                           # Eq. 4"

    # Desires (Section 4.2). A train is full when it has as many spikes as a desire of +1 asks for. Errors are compared
    # in spikes: shares of spikes, in binary, would decide ties between an error and its threshold by their rounding.
    desire = """
        desire : 1                                                      # d: +1 ought to fire, -1 not, 0 indifferent
        error : 1                                                       # e of Eq. 14
        push : 1                                                        # d eta of Eq. 4
    """
    full: ClassVar[Strings] = {"paper": "full = sample_steps", "code": "full = sample_steps - margin"}
    output_desire: ClassVar[Strings] = {
        "paper": """
            excess = n_spikes - full*int(i == labels(t))                # Eq. 5
            desire = -sign(excess)*int(abs(excess) > theta_out*full)    # Eq. 11
        """,
        # only the neuron of the class is pushed up; all others are only pushed down
        "code": """
            target = int(i == labels(t))                                # Eqs. 5, 11
            desire = target*int(full - n_spikes > theta_out*full) - (1 - target)*int(n_spikes > theta_out*full)
        """,
    }
    pull = "pull : 1                                                    # sum over h of w_hg e_h of Eq. 13"
    backward = "pull_pre += w*error_post                                # Eq. 13"
    hidden_desire: ClassVar[Strings] = {
        "paper": "desire = -sign(pull)*int(abs(pull) > theta_hid)*kept          # Eq. 15",
        "code": "desire = -sign(pull)*int(abs(pull) >= theta_hid)*kept          # Eq. 15",
    }
    error: ClassVar[Strings] = {
        "paper": "error = (n_spikes/full - (desire + 1)/two)*abs(desire)        # Eq. 14",
        # what is passed back has the sign of the desire, even where a neuron fires more than its target
        "code": "error = -desire*abs((desire + 1)/two - n_spikes/full)          # Eq. 14",
    }
    push = "push = learning_rates(t)*desire                             # Eq. 4"

    # One neuron a layer counts the desires of it, so that the layer below does nothing where there are none.
    tally = "wanted : 1                                                 # desires of the layer other than zero"
    count = "wanted_post += 1"

    # -- the network -----------------------------------------------------------------------------------
    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(self._sizes)

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. Phases: ``train`` and ``test``, in which nothing learns and none is left out."""
        learns = phase == "train"
        parts = Parts(self, self.dt, self.steps, inputs, {}, span=2.0**self.steps, two=2.0)
        tallies = {
            name: parts.neurons(
                f"tally_{name}", 1, self.tally, events={"begin": BEGINS}, runs=[At("start 1", "wanted = 0", "begin")]
            )
            for name in self._names[1:] if learns
        }
        populations = {name: self._population(parts, name, learns) for name in self._names}
        pathways = []
        for depth, (below, above) in enumerate(itertools.pairwise(self._names), start=1):
            pathways.append(self._pathway(parts, populations[below], populations[above], depth, learns))
            if learns:
                link(populations[below], "wanted", tallies[above])
                pathways.append(parts.synapses(
                    f"count_{above}", populations[above], tallies[above],
                    on_pre={"pre": At(self._place(depth, COUNT), self.count, "desires")},
                ))
        for name in self.hidden if learns else ():
            link(populations[name], "wanted_out", tallies[self.readout], "wanted")
        return Network(*populations.values(), *tallies.values(), *pathways)

    def _place(self, depth: int, what: int) -> str:
        """The place in a step of what one layer does after a sample's last one; the input layer is at depth 0."""
        return f"end {(len(self.layers) + 1 - depth) * A_LAYER + what}"

    def _update(self, what: int) -> str:
        """The place in a step at which weights change: no layer uses weights after that."""
        return f"end {(len(self.layers) + 2) * A_LAYER + what}"

    def _variables(self, name: str, learns: bool) -> str:
        """The equations of a population, without the quantities it reads."""
        is_input, is_output = name == "input", name == self.readout
        return lines(
            self.encoder if is_input else chosen(self.membrane, self.reading),
            learns and spike_trains.TRAIN,
            learns and not is_input and lines(spike_trains.variables("s", self.steps), self.desire),
            learns and name in self.hidden and lines(self.pull, "wanted_out : 1 (linked)"),
            learns and not is_output and (
                lines(self.kept, spike_trains.variables("r", self.steps), "wanted : 1 (linked)")
            ),
        )

    def _population(self, parts: Parts, name: str, learns: bool) -> NeuronGroup:
        depth, reading = self._names.index(name), self.reading
        is_input, is_output, is_hidden = depth == 0, name == self.readout, name in self.hidden
        kept, desires = learns and not is_output, learns and not is_input
        drive = f"drive/(1 - {'p_input' if depth == 1 else 'p_hidden'})" if learns else "drive"
        step = self.encoder_step if is_input else chosen(self.membrane_step, reading).format(drive=drive)
        fires = chosen(self.encoder_fires if is_input else self.fires, reading)
        draw = self.draw_kept.format(dropped="p_input" if is_input else "p_hidden", population=name)
        cleared = "level = levels(t, i)\nv = 0" if is_input else "v = 0\ndrive = 0"
        rule = chosen(self.output_desire if is_output else self.hidden_desire, reading)
        # the lowest hidden layer passes nothing on: its pull is summed only for neurons that spiked
        eligible = self._place(depth, ASK) if depth == 1 else self._update(0)
        population = parts.neurons(
            name,
            self._sizes[name],
            self._variables(name, learns),
            threshold=f"{fires} and kept > 0" if kept else fires,
            reset=(self.encoder_spike if is_input else chosen(self.spike, reading), learns and spike_trains.SPIKE),
            events={
                "begin": BEGINS,
                "eligible": kept and At(eligible, "wanted > 0 and n_spikes > 0"),
                "asks": kept and depth > 1 and At(self._place(depth, ASK), "wanted > 0 and kept > 0"),
                "settle": desires and At(self._place(depth, SETTLE), ENDS.code if is_output else "wanted_out > 0"),
                "desires": desires and At(self._place(depth, DESIRES), "desire != 0"),
            },
            runs=[
                At("start 1", (
                    cleared,
                    not is_input and reading == "paper" and "owed = 0",
                    learns and spike_trains.CLEAR,
                    kept and draw,
                    desires and "desire = 0\nerror = 0",
                    learns and is_hidden and "pull = 0",
                ), "begin"),
                At(f"start {ENCODE}" if is_input else "groups 0", (step, learns and spike_trains.STEP)),
                desires and At(self._place(depth, READ), (
                    chosen(self.full, reading), rule, chosen(self.error, reading), self.push,
                    spike_trains.read(self.steps), is_hidden and spike_trains.traces(self.trace, self.steps),
                ), "settle"),
                learns and is_input and At(
                    self._update(1), spike_trains.read_traces(self.trace, self.steps), "eligible"
                ),
            ],
            dtype={"train": np.float64},  # single precision has digits for 24 steps
        )
        if is_input:
            population.thresholder["spike"].when, population.thresholder["spike"].order = "start", FIRE
            population.resetter["spike"].when, population.resetter["spike"].order = "start", RESET
        return population

    def _pathway(self, parts: Parts, below: NeuronGroup, above: NeuronGroup, depth: int, learns: bool) -> Synapses:
        """The synapses onto the layer at this depth.

        In the code's reading, layers except the first are given the spikes of the step before, and trace what they are
        given.
        """
        late = self.reading == "code" and depth > 1
        coincidences = spike_trains.summed(self.coincidence, self.steps, lag=int(late))
        first = self.reading == "code" and depth == 1
        return parts.synapses(
            f"to_{above.name}",
            below,
            above,
            "w : 1",
            on_pre={
                "transmit": At(f"start {TRANSMIT}" if first else "synapses 0", self.transmission),
                "update": learns and At(self._update(2), self.update.format(coincidences=coincidences), "eligible"),
                "backward": learns and depth > 1 and At(
                    self._place(depth - 1, PULL), self.backward, "eligible" if depth == 2 else "asks"
                ),
            },
        )

    # -- declarations ----------------------------------------------------------------------------------
    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """Pixel levels ``(samples, pixels)``."""
        return {"levels": images.astype(np.float64)}

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """See `Model.inputs`: pixel levels, and while learning the labels."""
        return self.encode(images) | ({"labels": labels.astype(np.float64)} if phase == "train" else {})

    def epoch_inputs(self, phase: str, epochs: NDArray[np.integer]) -> Arrays:
        """See `Model.epoch_inputs`: the rate of learning, which falls after each epoch."""
        if phase != "train":
            return {}
        if self.reading == "paper":
            return {"learning_rates": self.eta * (1 - self.eta_decay) ** epochs}
        return {"learning_rates": self.eta * np.exp(-self.eta_decay * epochs)}

    def input_spikes(self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]) -> float:
        """See `Model.input_spikes`; neurons that are left out are counted by their expectation."""
        # at or above the threshold: all whole multiples of it that the levels sum up to; above it: one less at a tie
        reached = images.astype(np.float64) * self.steps / self.white
        counts = np.floor(reached) if self.reading == "code" else np.maximum(np.ceil(reached) - 1, 0)
        kept = 1 - self.p_input if phase == "train" else 1.0
        return float((counts.sum(axis=1) * presentations).sum() * kept)

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return self.steps

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Weights normally distributed with variance 2/(inputs of a neuron)."""
        layers = itertools.pairwise(self._sizes.items())
        return {
            f"to_{post}.w": generator.standard_normal(n_pre * n_post) * np.sqrt(2 / n_pre)
            for (_, n_pre), (post, n_post) in layers
        }

    def work(self, phase: str, shown: Shown) -> tuple[Work, ...]:
        """See `Model.work`: as spikes would carry it out one by one, where the program has a whole train at once.

        A neuron without a desire neither passes an error back nor changes a weight.
        """
        learns, sizes, reading = phase == "train", self._sizes, self.reading
        found = []
        for depth, (below, above) in enumerate(itertools.pairwise(sizes)):
            n, fired = sizes[above], shown.count(above)
            drive = f"drive/(1 - {'p_hidden' if depth else 'p_input'})" if learns else "drive"
            step = lines(chosen(self.membrane_step, reading).format(drive=drive), chosen(self.fires, reading))
            found += [
                Work(FORWARD, self.transmission, shown.count(below) * n, synaptic=True),
                Work(FORWARD, step, shown.steps * n),
                Work(FORWARD, chosen(self.spike, reading), fired),
            ]
            if learns:
                found += self._desire_work(shown, below, above)
        constants = frozenset((*self.parameters(), "sample_steps", "full", "two"))
        return tuple(dataclasses.replace(part, constants=constants) for part in found)

    def _desire_work(self, shown: Shown, below: str, above: str) -> list[Work]:
        """Backward and update of one pathway, and the desires of the layer above it."""
        state, sizes = shown.state, self._sizes
        found = [Work(BACKWARD, "n_spikes += 1", shown.count(above))]
        if above == self.readout or state[f"{self.readout}.desire"].any():
            rule = self.output_desire if above == self.readout else self.hidden_desire
            settle = lines(chosen(rule, self.reading), chosen(self.error, self.reading), self.push)
            found.append(Work(BACKWARD, settle, sizes[above]))
        wanted, active = state[f"{above}.desire"] != 0, state[f"{below}.n_spikes"] > 0
        if not wanted.any():
            return found
        if below != "input":
            asked = active if below == self.hidden[0] else state[f"{below}.kept"] > 0
            errors = int(np.count_nonzero(state[f"{above}.error"]))
            found.append(Work(BACKWARD, self.backward, int(asked.sum()) * errors, synaptic=True))
        spikes, changing = self._changes(shown, below, above)
        found += [
            Work(UPDATE, self.trace, int(active.sum()) * self.steps),
            Work(UPDATE, "gathered += r_pre", int(active.sum()) * spikes),
            Work(UPDATE, "w += push_post*gathered", changing, synaptic=True),
        ]
        return found

    def _changes(self, shown: Shown, below: str, above: str) -> tuple[int, int]:
        """Spikes of neurons with a desire, and weights onto them from neurons that fired."""
        state = shown.state
        spikes = state[f"{above}.n_spikes"] * (state[f"{above}.desire"] != 0)
        active = int(np.count_nonzero(state[f"{below}.n_spikes"]))
        return int(spikes.sum()), active * int(np.count_nonzero(spikes))

    def skipped(self, shown: Shown) -> float:
        """See `Model.skipped`: of neurons that are silent, on either side, or have no desire."""
        pairs = itertools.pairwise(self._sizes)
        changed = sum(self._changes(shown, below, above)[1] for below, above in pairs)
        return 1 - changed / sum(n_pre * n_post for n_pre, n_post in itertools.pairwise(self._sizes.values()))

    # -- what the paper leaves open ----------------------------------------------------------------------
    slips: ClassVar[tuple[str, ...]] = (
        "Eq. 16 drops the sum over inputs and the threshold's theta_p; both are as in Eq. 1.",
        "Section 3.3 describes the second case of STDP in the order of the first; the rule of Eq. 4 needs only one.",
    )

    open_choices: ClassVar[tuple[str, ...]] = (
        "reading=paper: a layer is given the spikes of the step before (Eq. 1), spikes need more than the threshold, "
        "what a spike takes off the potential does not decay, counts are divided by T, desires need more than their "
        "threshold, the rate of learning is multiplied by 1 - eta_decay after each epoch.",
        "reading=code: the first hidden layer is given the spikes of the same step and later ones those of the step "
        "before, which is also what their traces hold; spikes and hidden desires need no more than their threshold; "
        "what a spike takes off decays; counts are divided by T - margin; an error has the sign of the desire; the "
        "rate of learning falls by exp(-eta_decay) an epoch.",
        "Input neurons count in pixel levels, which is exact. The authors' code adds up brightnesses in single "
        "precision, which moves some spikes of 11 of the 256 levels by a step.",
        "Weights begin as the authors' code has them: normally distributed with variance 2/(inputs of a neuron).",
    )
