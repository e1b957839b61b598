"""Kheradpisheh & Masquelier: layers of neurons that spike once, trained by their spike times (S4NN).

S. R. Kheradpisheh and T. Masquelier, "Temporal backpropagation for spiking neural networks with one spike per neuron".
The brighter a pixel, the earlier its only spike. Neurons add up the weights of what arrives, without a leak, and spike
once. After the last step of a sample the output neurons are told when they ought to have spiked; errors in time go
down from layer to layer, through those that spiked before, and every weight is changed by its neuron's error.

Equation numbers are those of Sun's thesis, Section 2.6.4.2.1; all else is said as in the authors' published code.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, Synapses, ms
from numpy.typing import NDArray

from hebbarium.equations.strings import lines
from hebbarium.models.contract import Arrays, encoding, quantity, structure
from hebbarium.models.layered import Layered
from hebbarium.models.parts import BEGINS, ENDS, At, Parts, link
from hebbarium.models.ranges import FRACTION, NOT_NEGATIVE, POSITIVE, SIZE, WEIGHT, Range
from hebbarium.models.readouts import FirstSpike, Readout, Value

CODE = "the authors' code"
#: of a float, whole numbers up to here are exact: spike times are, in single precision
LONGEST = 2**16
#: steps before t_max at which potentials answer where no output neuron has spiked
BEFORE_LAST = 3

# The order of what happens after the last step of a sample, in the slot "end", layer by layer from the outputs down.
ERR, ERRORS, SUM, SETTLE, NORMALISE, ASK, UPDATE, BACKWARD, PASS, FADE, RENEW, A_LAYER = range(12)
# What happens at the start of a step, after a sample may have begun (0, 1): the inputs spike.
FIRE, TRANSMIT = 2, 3


@dataclass(frozen=True, eq=False)
class S4NN(Layered):
    """The network of Kheradpisheh & Masquelier: any number of hidden layers of any size."""

    name: ClassVar[str] = "s4nn"
    title: ClassVar[str] = "Layers of neurons with one spike and temporal backpropagation"
    paper: ClassVar[str] = (
        "S. R. Kheradpisheh and T. Masquelier, Temporal backpropagation for spiking neural networks with one spike per "
        "neuron, International Journal of Neural Systems (2020)"
    )
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    beyond_layers: ClassVar[str] = (
        "its neurons spike once an image, and neurons that can be written spike as often as they reach the threshold"
    )

    # Architecture
    layers: tuple[int, ...] = structure((400,), 1, "neurons of the hidden layers, from the input on", CODE, SIZE)
    pixels: int = structure(784, 1, "input neurons, one a pixel", CODE, SIZE)
    classes: int = structure(10, 1, "output neurons, one a class", CODE, SIZE)
    t_max: int = structure(
        256, 1, "time, in steps, at which all neurons count as having spiked", f"Eq. 11; {CODE}",
        Range(BEFORE_LAST + 2, LONGEST),
    )
    dt: Quantity = structure(
        1 * ms, ms, "length of a time step: results do not depend on it", "not stated", POSITIVE
    )
    white: float = encoding(255.0, 1, "level of the brightest pixel (I_max)", "Eq. 11", POSITIVE)

    # Neurons
    theta: float = quantity(100.0, 1, "firing threshold", CODE, POSITIVE)
    b_input: float = encoding(5.0, 1, "upper bound of the first weights from the input", CODE, WEIGHT)
    b_hidden: float = encoding(48.0, 1, "upper bound of the first weights from a hidden layer", CODE, WEIGHT)

    # Learning
    eta: float = encoding(0.2, 1, "learning rate of the first epoch", CODE, NOT_NEGATIVE)
    eta_decay: float = encoding(
        0.0, 1, "part by which the learning rate falls after each epoch", "ours; 0 in the authors' code", FRACTION
    )
    decay: float = quantity(1e-6, 1, "weight decay, in parts of eta (lambda)", CODE, FRACTION)
    gamma: float = quantity(3.0, 1, "steps by which the other classes ought to be later", CODE, NOT_NEGATIVE)
    least_active: float = encoding(
        0.001, 1, "part of the images on which a hidden neuron has to spike to keep its weights", CODE, FRACTION
    )

    relations: ClassVar[tuple[str, ...]] = ("gamma <= t_max",)

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md.

    # A step has a number from 0 on. What reaches the threshold at step k counts as a spike at k + 1, since the next
    # layer receives it then; the input's spikes arrive at their own step. At t_max all neurons count as having spiked,
    # so nothing is left to compute after step t_max - 2.
    encoder = "t_spike : 1                                              # t_i of Eq. 11"
    encoder_fires = "t_spike == t_in_timesteps % sample_steps           # Eq. 12"
    membrane = """
        v : 1                                                           # membrane potential
        t_spike : 1                                                     # when it spiked; t_max as long as it has not
    """
    fires = "v > theta and t_spike == t_max"
    spike = "t_spike = t_in_timesteps % sample_steps + 1"
    transmission = "v_post += w                                         # no leak"

    # One neuron a layer knows what belongs to the whole layer.
    norm = "power : 1                                                   # sum of the squares of the layer's errors"
    count = "n_images : 1                                               # shown in this pass"
    first = """
        spikes : 1                                                      # of the output neurons
        tau : 1                                                         # when the first of them spiked; t_max if none
    """
    wait = "tau += int(spikes == 0)"

    # Errors of the output neurons: when they ought to have spiked, less when they did.
    error = "delta : 1                                                  # error in time, normalised"
    output_error = """
        target = int(i == labels(t))
        none = int(tau == t_max)
        late = clip(tau + gamma, 0, t_max)
        others = int(t_spike - tau < gamma)*late + int(t_spike - tau >= gamma)*t_spike
        wanted = none*(t_max - gamma*target) + (1 - none)*(target*tau + (1 - target)*others)
        delta = (wanted - t_spike)/t_max
    """
    power = "power_post += delta_pre*delta_pre"
    normalise = "delta = delta/sqrt(power + int(power == 0))"

    # Every weight decays with every sample. This is done late: the weight is left*w until its neuron learns again or
    # the block ends, where `w` is the weight itself. So `transmission` serves testing, `transmission_left` training.
    left = "left : 1                                                    # of the neuron's weights"
    fade = "left -= learning_rates(t)*decay*left"
    renew = "left = 1"
    transmission_left = "v_post += left_pre*w                           # no leak"
    update = """
        w = left_pre*w - learning_rates(t)*delta_post*int(t_spike_pre < t_spike_post)
        w -= learning_rates(t)*decay*w
    """
    backward = "delta_pre += delta_post*w*int(t_spike_pre < t_spike_post)   # by weights after their update"

    # Hidden neurons that hardly ever spike are given new weights between passes.
    activity = "n_active : 1                                            # images of this pass on which it spiked"

    # -- the network -----------------------------------------------------------------------------------
    @property
    def readouts(self) -> tuple[Readout, ...]:
        """The first output neuron to spike; the authors' code takes ties for right, and potentials where none did."""
        spikes = FirstSpike("output")
        last = Value("output", until=(self.t_max - BEFORE_LAST) * self.dt, symbol="v")
        return (
            Readout("first_spike", spikes, "earliest", strict=True),
            Readout("first_spike_ties_right", spikes, "earliest", lenient=True, ties=last),
        )

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. Phases: ``train`` and ``test``, in which nothing learns."""
        learns = phase == "train"
        parts = Parts(self, self.dt, self.sample_steps(phase), inputs, {}, t_max=self.t_max)
        names = tuple(self._sizes)
        layers = {name: self._layer(parts, name) for name in names[1:] if learns}
        populations = {name: self._population(parts, name, learns) for name in names}
        pathways = []
        for below, above in itertools.pairwise(names):
            pathways.append(self._pathway(parts, populations[below], populations[above], learns))
            if learns:
                link(populations[above], "power", layers[above])
                link(populations[below], "power_above", layers[above], "power")
                pathways.append(parts.synapses(
                    f"to_layer_{above}", populations[above], layers[above],
                    on_pre={
                        "sum": At(self._place(above, SUM), self.power, "errs"),
                        "count": above == "output" and At("synapses 0", "spikes_post += 1"),
                    },
                ))
        if learns:
            link(populations["output"], "tau", layers["output"])
        return Network(*populations.values(), *layers.values(), *pathways)

    def _place(self, above: str, what: int) -> str:
        """The place in a step of what is done after a sample's last one for one layer and the weights onto it."""
        depth = tuple(self._sizes).index(above)
        return f"end {(len(self.layers) + 1 - depth) * A_LAYER + what}"

    def _layer(self, parts: Parts, name: str) -> NeuronGroup:
        """The one neuron that knows what belongs to a whole layer."""
        output = name == "output"
        return parts.neurons(
            f"layer_{name}",
            1,
            lines(self.norm, self.first if output else self.count),
            events={"begin": BEGINS, "ends": not output and ENDS},
            runs=[
                At("start 1", ("power = 0", output and "spikes = 0\ntau = 1"), "begin"),
                output and At("synapses 1", self.wait),
                not output and At("end 1", "n_images += 1", "ends"),
            ],
        )

    def _population(self, parts: Parts, name: str, learns: bool) -> NeuronGroup:
        names = tuple(self._sizes)
        is_input, is_output = name == "input", name == "output"
        is_hidden = not (is_input or is_output)
        errs, passes = learns and not is_input, learns and not is_output
        above = "" if is_output else names[names.index(name) + 1]
        asks = "(t_spike < t_max and power_above > 0) or closes(t) > 0"
        population = parts.neurons(
            name,
            self._sizes[name],
            lines(
                self.encoder if is_input else self.membrane,
                errs and lines(self.error, "power : 1 (linked)", is_output and "tau : 1 (linked)"),
                passes and lines(self.left, "power_above : 1 (linked)"),
                learns and is_hidden and self.activity,
            ),
            threshold=self.encoder_fires if is_input else self.fires,
            reset=(not is_input and self.spike, learns and is_hidden and "n_active += 1"),
            events={
                "begin": BEGINS,
                "errs": errs and At(self._place(name, ERR), ENDS.code),
                "settles": errs and At(self._place(name, SETTLE), ENDS.code),
                "passes": passes and At(self._place(above, PASS), ENDS.code),
                "learns": passes and At(self._place(above, ASK), f"{ENDS.code} and ({asks})"),
            },
            runs=[
                At("start 1", (
                    "t_spike = latencies(t, i)" if is_input else "v = 0\nt_spike = t_max",
                    errs and "delta = 0",
                ), "begin"),
                learns and is_output and At(self._place(name, ERRORS), self.output_error, "errs"),
                errs and At(self._place(name, NORMALISE), self.normalise, "settles"),
                passes and At(self._place(above, FADE), self.fade, "passes"),
                passes and At(self._place(above, RENEW), self.renew, "learns"),
            ],
        )
        if is_input:
            population.thresholder["spike"].when, population.thresholder["spike"].order = "start", FIRE
        if passes:
            population.left = 1
        return population

    def _pathway(self, parts: Parts, below: NeuronGroup, above: NeuronGroup, learns: bool) -> Synapses:
        """The synapses onto a layer."""
        first = below.name == "input"
        return parts.synapses(
            f"to_{above.name}",
            below,
            above,
            "w : 1",
            on_pre={
                "transmit": At(
                    f"start {TRANSMIT}" if first else "synapses 0",
                    self.transmission_left if learns else self.transmission,
                ),
                "update": learns and At(self._place(above.name, UPDATE), self.update, "learns"),
                "backward": learns and not first and At(
                    self._place(above.name, BACKWARD), self.backward, "learns"
                ),
            },
        )

    # -- declarations ----------------------------------------------------------------------------------
    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """When each pixel spikes, in steps, ``(samples, pixels)``: t_max, which is never, for black ones (Eq. 11)."""
        return {"latencies": np.floor((self.white - np.minimum(images, self.white)) * self.t_max / self.white)}

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """See `Model.inputs`: latencies, and while learning the labels and which sample is the last of its block."""
        if phase != "train":
            return self.encode(images)
        closes = (np.arange(len(images)) == len(images) - 1).astype(np.float64)
        return self.encode(images) | {"labels": labels.astype(np.float64), "closes": closes}

    def epoch_inputs(self, phase: str, epochs: NDArray[np.integer]) -> Arrays:
        """See `Model.epoch_inputs`: the rate of learning, which may fall after each epoch."""
        return {"learning_rates": self.eta * (1 - self.eta_decay) ** epochs} if phase == "train" else {}

    def input_spikes(self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]) -> float:
        """See `Model.input_spikes`."""
        spikes = (self.encode(images)["latencies"] < self.t_max - 1).sum(axis=1)
        return float((spikes * presentations).sum())

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`: what would be reached at the step before t_max counts as if it never were."""
        return self.t_max - 1

    def _first_weights(self, below: str, shape: tuple[int, int], generator: np.random.Generator) -> NDArray[Any]:
        bound: float = self.b_input if below == "input" else self.b_hidden
        return generator.random(shape) * bound

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Weights uniformly distributed from 0 to `b_input` or `b_hidden`."""
        layers = itertools.pairwise(self._sizes.items())
        return {
            f"to_{above}.w": self._first_weights(below, (n_pre, n_post), generator).ravel()
            for (below, n_pre), (above, n_post) in layers
        }

    def between_passes(self, state: Arrays, generator: np.random.Generator) -> Arrays:
        """See `Model.between_passes`: hidden neurons that were all but silent are given new weights."""
        for (below, n_pre), (above, n_post) in itertools.pairwise(self._sizes.items()):
            if above == "output":
                continue
            active, images = state[f"{above}.n_active"], state[f"layer_{above}.n_images"]
            silent = active < self.least_active * images
            weights = state[f"to_{above}.w"].reshape(n_pre, n_post).copy()
            weights[:, silent] = self._first_weights(below, (n_pre, int(silent.sum())), generator)
            state |= {
                f"to_{above}.w": weights.ravel(),
                f"{above}.n_active": np.zeros_like(active),
                f"layer_{above}.n_images": np.zeros_like(images),
            }
        return state

    # -- what the paper leaves open ----------------------------------------------------------------------
    slips: ClassVar[tuple[str, ...]] = (
        "Sun's thesis says that the potential is reset to zero after a spike. A neuron spikes only once, so that what "
        "its potential is afterwards has no bearing on anything; here, as in the authors' code, it goes on adding up.",
        "Eq. 11 makes a black pixel spike at t_max, where nothing counts any more: it never spikes.",
        "Sun's thesis speaks of two hidden layers; the network of the published number has one.",
    )

    open_choices: ClassVar[tuple[str, ...]] = (
        "What the paper leaves open is done as in the authors' code: errors are normalised in each layer; a layer's "
        "error is computed with weights that this sample has changed already; new weights are drawn after each pass "
        "for hidden neurons that spiked on fewer than 0.1 % of its images.",
        "The authors' code calls an image right if the neuron of its class is among the first to spike, also if others "
        "spike in the same step; where none does, the largest potential three steps before t_max answers. That is the "
        "readout first_spike_ties_right. By first_spike a tie is no answer.",
        "More than one hidden layer: the same rule layer by layer; `b_hidden` is of weights from all of them.",
    )
