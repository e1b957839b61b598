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
from typing import Any, ClassVar

import numpy as np
from brian2 import (
    Clock,
    Network,
    NeuronGroup,
    Quantity,
    SpikeMonitor,
    Synapses,
    TimedArray,
    linked_var,
    ms,
)
from numpy.typing import NDArray

from hebbarium.equations import desire
from hebbarium.models.contract import Arrays, Model, choice, encoding, quantity, structure
from hebbarium.models.operations import BACKWARD, FORWARD, UPDATE, Shown, Work
from hebbarium.models.ranges import FRACTION, NOT_NEGATIVE, POSITIVE, PROBABILITY, SIZE, Range

NOT_STATED = "not stated; the authors' code"
FIRST_STEP = "t_in_timesteps % sample_steps == 0"
LAST_STEP = "t_in_timesteps % sample_steps == sample_steps - 1"
LONGEST = 52
"""Steps of a sample: as many as a double-precision number has binary digits."""

# The order of what happens after the last step of a sample, in the slot "end": from the outputs down, then updates.
ASK, PULL, SETTLE, READ, DESIRES, COUNT, A_LAYER = range(7)
# What happens at the start of a step: a sample may begin; the inputs fire.
BEGIN, CLEAR, ENCODE, FIRE, TRANSMIT, RESET = range(6)


@dataclass(frozen=True, eq=False)
class DesireBackprop(Model):
    """The network of Gerlinghoff et al.: any number of layers of any size."""

    name: ClassVar[str] = "desire_backprop"
    title: ClassVar[str] = "Layers of spiking neurons with desire backpropagation"
    paper: ClassVar[str] = (
        "D. Gerlinghoff, T. Luo, R. S. M. Goh and W.-F. Wong, Desire Backpropagation: A Lightweight Training "
        "Algorithm for Multi-Layer Spiking Neural Networks based on Spike-Timing-Dependent Plasticity"
    )
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    readout: ClassVar[str] = "output"
    class_layer: ClassVar[str] = "output"
    strict_maximum: ClassVar[bool] = True
    teacher_fires: ClassVar[bool] = False

    # Architecture (Section 5.2)
    layers: tuple[int, ...] = structure(
        (1600, 800), 1, "neurons of the hidden layers, from the input on", "Section 5.2: 784 - 2N - N - 10, N = 800",
        SIZE,
    )
    pixels: int = structure(784, 1, "input neurons, one a pixel", "Section 5.2", SIZE)
    classes: int = structure(10, 1, "output neurons, one a class", "Section 5.2", SIZE)
    steps: int = structure(20, 1, "time steps of a sample (T)", "Section 5.2", Range(2, LONGEST))
    dt: Quantity = structure(
        1 * ms, ms, "length of a time step, which has no bearing on anything", "not stated", POSITIVE
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
        "code",
        ("paper", "code"),
        "the equations as printed, or as the authors' code has them",
        "Eqs. 1, 3-16",
    )

    relations: ClassVar[tuple[str, ...]] = ("margin < steps if reading == 'code'",)

    #: which neurons take part in a sample: replace it to say so yourself
    draw_kept: ClassVar[str] = desire.DRAW_KEPT

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

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise ValueError(f"layers={self.layers}: expected one or more sizes, as in 1600,800")

    # -- the network -----------------------------------------------------------------------------------
    @property
    def hidden(self) -> tuple[str, ...]:
        """Names of the hidden populations, from the input on."""
        return tuple(f"hidden_{k}" for k in range(1, len(self.layers) + 1))

    def build(self, phase: str, precision: str, inputs: Arrays, record: tuple[str, ...] = ()) -> Network:
        """See `Model.build`. Phases: ``train`` and ``test``, in which nothing learns and none is left out."""
        learns = phase == "train"
        clock = Clock(self.dt, name="step_clock")
        sample = self.steps * self.dt
        constants: dict[str, Any] = {"sample_steps": self.steps, "span": 2.0**self.steps, "two": 2.0}
        constants |= {name: TimedArray(values, dt=sample, name=name) for name, values in inputs.items()}
        group = {"clock": clock, "namespace": constants}

        names = ("input", *self.hidden, self.readout)
        tallies = {n: NeuronGroup(1, desire.TALLY, events={"begin": FIRST_STEP}, name=f"tally_{n}", **group)
                   for n in names[1:] if learns}  # fmt: skip
        for tally in tallies.values():
            tally.set_event_schedule("begin", when="start", order=0)
            tally.run_on_event("begin", desire.CLEAR_TALLY, when="start", order=1)
        populations = {n: self._population(n, learns, group) for n in names}
        pathways = []
        for depth, (below, above) in enumerate(itertools.pairwise(names), start=1):
            pathways.append(self._pathway(populations[below], populations[above], depth, learns, group))
            if learns:
                populations[below].wanted = linked_var(tallies[above], "wanted")
                counting = Synapses(
                    populations[above], tallies[above], on_pre=desire.COUNT_DESIRE, on_event="desires",
                    name=f"count_{above}", **group,
                )  # fmt: skip
                counting.connect()
                counting.pre.when, counting.pre.order = "end", self._order(depth, COUNT)
                pathways.append(counting)
        if learns:
            for name in self.hidden:
                populations[name].wanted_out = linked_var(tallies[self.readout], "wanted")
        monitors = [SpikeMonitor(populations[p], name=f"{p}_spikes") for p in dict.fromkeys((self.readout, *record))]
        return Network(*populations.values(), *tallies.values(), *pathways, monitors)

    def _order(self, depth: int, what: int) -> int:
        """The place of an operation of one layer in the slot ``end``; the input layer is at depth 0."""
        return (len(self.layers) + 1 - depth) * A_LAYER + what

    @property
    def _updates(self) -> int:
        """The place in the slot ``end`` from which weights change: no layer uses weights after that."""
        return (len(self.layers) + 2) * A_LAYER

    def _variables(self, name: str, learns: bool) -> str:
        """The equations of a population, without the quantities it reads."""
        lines = desire.ENCODER if name == "input" else desire.MEMBRANE
        if name != "input" and self.reading == desire.PAPER:
            lines += desire.OWED
        if learns:
            lines += desire.TRAIN
            if name != "input":
                lines += desire.digits(self.steps) + desire.DESIRE
            if name in self.hidden:
                lines += desire.HIDDEN + desire.TALLY_OF_OUTPUTS
            if name != self.readout:
                lines += desire.KEPT + desire.traces(self.steps) + desire.TALLY_OF_LAYER_ABOVE
        return lines

    def _population(self, name: str, learns: bool, group: dict[str, Any]) -> NeuronGroup:
        is_input, is_output, reading = name == "input", name == self.readout, self.reading
        depth = ("input", *self.hidden, self.readout).index(name)
        dropped = "p_input" if is_input else "p_hidden"
        below = {"dropped": "p_input" if depth == 1 else "p_hidden"}

        fires = desire.ENCODER_FIRES[reading] if is_input else desire.FIRES[reading]
        reset = desire.ENCODER_RESET if is_input else desire.RESET[reading]
        if is_input:
            step = desire.ENCODER_STEP
            begin = desire.ENCODER_SWITCH.format(levels="levels")
        else:
            step = (desire.MEMBRANE_STEP if learns else desire.MEMBRANE_STEP_WHOLE)[reading].format(**below)
            begin = desire.CLEAR_MEMBRANE + (desire.CLEAR_OWED if reading == desire.PAPER else "")
        events, settle = {"begin": FIRST_STEP}, ""
        if learns:
            step += desire.TRAIN_STEP
            reset += desire.TRAIN_SPIKE
            begin += desire.CLEAR_TRAIN
            if not is_output:
                fires += desire.FIRES_IF_KEPT
                begin += self.draw_kept.format(dropped=dropped, population=name)
                events["eligible"] = desire.ELIGIBLE
            if not is_input:
                begin += desire.CLEAR_DESIRE
                events["settle"] = LAST_STEP if is_output else desire.OUTPUTS_HAVE_DESIRES
                events["desires"] = desire.DESIRES
                rule = desire.OUTPUT_DESIRE if is_output else desire.HIDDEN_DESIRE
                settle = desire.FULL[reading] + rule[reading] + desire.ERROR[reading] + desire.PUSH
                settle += desire.read_digits(self.steps)
                settle = settle.format(labels="labels", rates="learning_rates")
            if name in self.hidden:
                begin += desire.CLEAR_HIDDEN
                settle += desire.traces_of_digits(self.steps)
                if depth > 1:
                    events["asks"] = desire.ASKS
        trace = desire.read_traces(self.steps) if is_input and learns else ""
        population = NeuronGroup(
            self._sizes[name],
            self._variables(name, learns) + self.declare_used(fires, reset, step, begin, settle, trace),
            threshold=fires,
            reset=reset,
            events=events,
            name=name,
            dtype={"train": np.float64},  # single precision has digits for 24 steps
            **group,
        )
        population.set_event_schedule("begin", when="start", order=BEGIN)
        population.run_on_event("begin", begin, when="start", order=CLEAR)
        if is_input:
            population.run_regularly(step, when="start", order=ENCODE)
            population.thresholder["spike"].when, population.thresholder["spike"].order = "start", FIRE
            population.resetter["spike"].when, population.resetter["spike"].order = "start", RESET
        else:
            population.run_regularly(step, when="groups")
        if learns and not is_output:
            early = depth == 1  # the lowest hidden layer passes nothing on: only what can change is asked
            population.set_event_schedule(
                "eligible", when="end", order=self._order(depth, ASK) if early else self._updates
            )
        if "asks" in events:
            population.set_event_schedule("asks", when="end", order=self._order(depth, ASK))
        if settle:
            population.set_event_schedule("settle", when="end", order=self._order(depth, SETTLE))
            population.run_on_event("settle", settle, when="end", order=self._order(depth, READ))
            population.set_event_schedule("desires", when="end", order=self._order(depth, DESIRES))
        if trace:
            population.run_on_event("eligible", trace, when="end", order=self._updates + 1)
        return population

    def _pathway(
        self, below: NeuronGroup, above: NeuronGroup, depth: int, learns: bool, group: dict[str, Any]
    ) -> Synapses:
        """The synapses onto the layer at this depth."""
        on_pre, events = {"transmit": desire.TRANSMIT}, {"transmit": "spike"}
        if learns:
            lag = 1 if self.reading == desire.CODE and depth > 1 else 0
            on_pre["update"], events["update"] = desire.update(self.steps, lag), "eligible"
            if depth > 1:
                on_pre["backward"], events["backward"] = desire.BACKWARD, "eligible" if depth == 2 else "asks"
        synapses = Synapses(
            below, above, "w : 1", on_pre=on_pre, on_event=events, name=f"to_{above.name}", **group
        )
        synapses.connect()
        if depth == 1 and self.reading == desire.CODE:
            synapses.transmit.when, synapses.transmit.order = "start", TRANSMIT
        if learns:
            synapses.update.when, synapses.update.order = "end", self._updates + 2
            if depth > 1:
                synapses.backward.when, synapses.backward.order = "end", self._order(depth - 1, PULL)
        return synapses

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
        if self.reading == desire.PAPER:
            return {"learning_rates": self.eta * (1 - self.eta_decay) ** epochs}
        return {"learning_rates": self.eta * np.exp(-self.eta_decay * epochs)}

    def input_spikes(self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]) -> float:
        """See `Model.input_spikes`; neurons that are left out are counted by their expectation."""
        # at or above the threshold: all whole multiples of it that the levels sum up to; above it: one less at a tie
        reached = images.astype(np.float64) * self.steps / self.white
        counts = np.floor(reached) if self.reading == desire.CODE else np.maximum(np.ceil(reached) - 1, 0)
        kept = 1 - self.p_input if phase == "train" else 1.0
        return float((counts.sum(axis=1) * presentations).sum() * kept)

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return self.steps

    @property
    def _sizes(self) -> dict[str, int]:
        """Neurons of each layer, from below."""
        return {"input": self.pixels, **dict(zip(self.hidden, self.layers, strict=True)), self.readout: self.classes}

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
        membrane = desire.MEMBRANE_STEP if learns else desire.MEMBRANE_STEP_WHOLE
        found = []
        for depth, (below, above) in enumerate(itertools.pairwise(sizes)):
            n, fired = sizes[above], shown.count(above)
            step = membrane[reading].format(dropped="p_hidden" if depth else "p_input") + desire.FIRES[reading]
            found += [
                Work(FORWARD, desire.TRANSMIT, shown.count(below) * n, synaptic=True),
                Work(FORWARD, step, shown.steps * n),
                Work(FORWARD, desire.RESET[reading], fired),
            ]
            if learns:
                found += self._desire_work(shown, below, above)
        constants = frozenset((*self.parameters(), "sample_steps", "full", "two"))
        return tuple(dataclasses.replace(part, constants=constants) for part in found)

    def _desire_work(self, shown: Shown, below: str, above: str) -> list[Work]:
        """Backward and update of one pathway, and the desires of the layer above it."""
        state, sizes = shown.state, self._sizes
        found = [Work(BACKWARD, desire.COUNT_SPIKE, shown.count(above))]
        if above == self.readout or state[f"{self.readout}.desire"].any():
            rule = (desire.OUTPUT_DESIRE if above == self.readout else desire.HIDDEN_DESIRE)[self.reading]
            settle = (rule + desire.ERROR[self.reading] + desire.PUSH).format(labels="labels", rates="learning_rates")
            found.append(Work(BACKWARD, settle, sizes[above]))
        wanted, active = state[f"{above}.desire"] != 0, state[f"{below}.n_spikes"] > 0
        if not wanted.any():
            return found
        if below != "input":
            asked = active if below == self.hidden[0] else state[f"{below}.kept"] > 0
            errors = int(np.count_nonzero(state[f"{above}.error"]))
            found.append(Work(BACKWARD, desire.BACKWARD, int(asked.sum()) * errors, synaptic=True))
        spikes, changing = self._changes(shown, below, above)
        found += [
            Work(UPDATE, desire.TRACE_STEP, int(active.sum()) * self.steps),
            Work(UPDATE, desire.GATHER, int(active.sum()) * spikes),
            Work(UPDATE, desire.CHANGE, changing, synaptic=True),
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
