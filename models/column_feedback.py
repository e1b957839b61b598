"""Column feedback: each class neuron tells its error to its own column of hidden neurons, and to no others.

A rule of our own. 784 Poisson inputs, N hidden neurons that spike as often as they are driven, and a neuron a class,
which adds up what hidden spikes bring and does not spike. Hidden neuron j belongs to the column of class j modulo the
number of classes; three of four in a column are for their class, one is against it. When an image is over, each class
neuron compares its probability with what the teacher says. It changes its own synapses by this error, the delta rule,
and tells it to its column, whose neurons take it with their sign: the third factor, beside what an input has sent and
whether the neuron has fired.

This is feedback alignment, in blocks: errors come down by fixed connections, which know nothing of the weights that
lead up. A neuron of a column is told nothing of the other nine errors, also where it drives their class neurons. With
``feedback=learned`` it comes to be: the connections downwards change by the same product of an error and a count of
spikes as those upwards, each at its own two ends, so that they grow alike and no weight is carried (Kolen & Pollack
1994). What a synapse uses that it could not know: the end of an image; an error below zero, told by a neuron that has
no spikes to tell it with; the sum of exponentials over all class neurons that makes probabilities of potentials; and
its weight may change its sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from brian2 import Network, Quantity, hertz, ms, second
from numpy.typing import NDArray

from hebbarium.equations import classification
from hebbarium.equations.strings import Strings, chosen
from hebbarium.models import encoded_inputs
from hebbarium.models.contract import Arrays, choice, encoding, quantity, structure
from hebbarium.models.encoded_inputs import EncodedInputs
from hebbarium.models.parts import BEGINS, ENDS, At, Parts
from hebbarium.models.ranges import FRACTION, NOT_NEGATIVE, POSITIVE, SIZE
from hebbarium.models.readouts import Readout, Value

LIKE_TOUDA = "as in Touda & Okuno's network"
HELD_OUT = "chosen on held-out images"
SCALE = "own: the unit of potentials and weights"


@dataclass(frozen=True, eq=False)
class ColumnFeedback(EncodedInputs):
    """Columns of hidden neurons below class neurons, with what the rule is made of as options."""

    name: ClassVar[str] = "column_feedback"
    title: ClassVar[str] = "Column feedback: class neurons tell their errors to columns of their own"
    paper: ClassVar[str] = "no paper: a rule of this project"
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    beyond_layers: ClassVar[str] = (
        "a spike takes the threshold off its neuron's potential, and spikes of neurons that can be written set it to a"
        " potential"
    )
    readouts: ClassVar[tuple[Readout, ...]] = (Readout("potential", Value("output", symbol="v"), "largest"),)

    # Architecture and protocol
    neurons: int = structure(400, 1, "hidden neurons; neuron j is of the column j modulo classes", "own", SIZE)
    pixels: int = structure(784, 1, "input neurons, one a pixel", LIKE_TOUDA, SIZE)
    classes: int = structure(10, 1, "class neurons, and columns", "own", SIZE)
    dt: Quantity = structure(1 * ms, ms, "time step", LIKE_TOUDA, POSITIVE)
    t_train: Quantity = structure(150 * ms, ms, "presentation time of a training image", LIKE_TOUDA, POSITIVE)
    t_test: Quantity = structure(500 * ms, ms, "presentation time of a test image", LIKE_TOUDA, POSITIVE)

    # Neurons. The threshold of hidden neurons is the unit of their potentials.
    tau_m: Quantity = quantity(30 * ms, ms, "membrane time constant", LIKE_TOUDA, POSITIVE)
    tau_s: Quantity = quantity(20 * ms, ms, "time constant of synaptic currents", LIKE_TOUDA, POSITIVE)
    gain: Quantity = quantity(
        30 * ms, ms, "time integral of the current of a spike through a weight of one", SCALE, NOT_NEGATIVE
    )
    v_thresh: float = quantity(1.0, 1, "threshold; a spike takes it off the potential", SCALE, POSITIVE)
    h: float = quantity(0.1, 1, "what a hidden spike counts as, in a class neuron and in its synapses", HELD_OUT,
                        NOT_NEGATIVE)  # fmt: skip

    # Plasticity
    eta: float = encoding(0.002, 1, "rate of learning of the input's synapses at first", HELD_OUT, NOT_NEGATIVE)
    eta_class: float = quantity(0.5, 1, "that of class neurons' synapses, in parts of it", HELD_OUT, NOT_NEGATIVE)
    fall_over: int = encoding(
        8, 1, "passes through the training images over which the rate falls to zero, in equal steps", HELD_OUT, SIZE
    )
    w_sd: float = encoding(0.2, 1, "standard deviation of the first weights of inputs, of mean zero", HELD_OUT,
                           NOT_NEGATIVE)  # fmt: skip
    v_first: float = encoding(
        0.1, 1, "first weight from a hidden neuron onto its own class neuron, with its sign; others are zero", HELD_OUT,
        NOT_NEGATIVE,
    )
    b_first: float = encoding(
        0.3, 1, "first weight from a class neuron back onto its own column, feedback=learned; that of what does not"
        " learn is one", HELD_OUT, NOT_NEGATIVE,
    )
    against: float = encoding(0.25, 1, "part of a column that is against its class", HELD_OUT, FRACTION)
    tau_p: Quantity = quantity(60 * ms, ms, "time constant of the inputs' traces, eligibility=pairs", LIKE_TOUDA,
                               POSITIVE)  # fmt: skip
    reach: float = quantity(
        1.0, 1, "distance from the threshold at which a potential counts no more, eligibility=near", "own", POSITIVE
    )

    # Input
    total_rate: Quantity = encoding(4900 * hertz, hertz, "summed rate of all inputs", LIKE_TOUDA, NOT_NEGATIVE)

    # What it is made of, and what it is held against
    feedback: str = choice(
        "column", ("column", "mixed", "learned", "none"), "whose errors a hidden neuron is told: its own class's; those"
        " of all classes by fixed random weights, as in feedback alignment; at first its own, then all, by weights that"
        " learn as those onto class neurons do (Kolen & Pollack 1994); none, so that it stays as it was drawn",
        HELD_OUT,
    )
    eligibility: str = choice(
        "fired", ("fired", "count", "near", "pairs"), "what makes a synapse eligible besides what its input has sent: "
        "that its neuron has fired; how often; how near its potential was to the threshold; or, by pairs of spikes, "
        "what the input's trace was at each spike of the neuron", HELD_OUT,
    )

    relations: ClassVar[tuple[str, ...]] = (
        "whole(t_train/dt)",
        "whole(t_test/dt)",
        f"max(t_train, t_test)/dt <= {encoded_inputs.MOST_STEPS}",
        "total_rate*dt <= pixels",
        f"t_code <= min(t_train, t_test) if {encoded_inputs.IN_CYCLES}",
    )

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md.

    # Hidden neurons
    membrane = """
        dv/dt = (i_syn - v)/tau_m : 1
        di_syn/dt = -i_syn/tau_s : 1
    """
    transmission = "i_syn_post += gain*w/tau_s"
    fires = "v > v_thresh"
    reset = "v -= v_thresh"

    # Class neurons
    class_transmission = "v_post += h*w"

    # What an input has sent, and what a hidden neuron has done, when an image is over
    pre_trace: ClassVar[Strings] = {
        "fired": "x : 1", "count": "x : 1", "near": "x : 1", "pairs": "dx/dt = -x/tau_p : 1",
    }
    counted = "n_spikes : 1                                         # of this image"
    nearness = "near += clip(1 - abs(v - v_thresh)/reach, 0, 1)/sample_steps"
    eligible: ClassVar[Strings] = {
        "fired": "int(n_spikes > 0)", "count": "h*n_spikes", "near": "near", "pairs": "1",
    }
    pairing = "c += x_pre"

    # The error of class neurons: the derivative of the cross-entropy by their potentials, what is too much
    error = classification.CROSS_ENTROPY
    # What a hidden neuron is told of it, by connections that do not change, or that learn as those upwards do
    told = "told_post -= b*error_pre"
    class_learning = "w -= learning_rates(t)*eta_class*error_post*h*n_spikes_pre"
    told_learning = "b -= learning_rates(t)*eta_class*error_pre*h*n_spikes_post"
    dosing = "dose = learning_rates(t)*told*{eligible}"
    learning = "w += dose_post*x_pre"
    learning_by_pairs = """
        w += dose_post*c
        c = 0
    """

    # -- the network -----------------------------------------------------------------------------------
    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. Phases: ``train`` and ``test``, in which nothing learns."""
        encoded_inputs.refuse_long_block(self, phase, inputs)
        learns = phase == "train"
        by_pairs, near = self.eligibility == "pairs", self.eligibility == "near"
        parts = Parts(self, self.dt, self.sample_steps(phase), inputs, encoded_inputs.UNITS, classes=self.classes)
        input_ = encoded_inputs.image_neurons(
            parts, self, equations=learns and chosen(self.pre_trace, self.eligibility), spike=learns and "x += 1",
            begins=learns and "x = 0",
            events={"learns": learns and At("end 0", ENDS.code if by_pairs else f"{ENDS.code} and x > 0")},
        )
        hidden = parts.neurons(
            "hidden",
            self.neurons,
            (
                self.membrane,
                learns and (self.counted, near and "near : 1", "told : 1\ndose : 1"),
            ),
            threshold=self.fires,
            reset=(self.reset, learns and "n_spikes += 1"),
            events={
                "switch": BEGINS,
                "active": learns and At("end 0", f"{ENDS.code} and n_spikes > 0"),
                "over": learns and ENDS,
            },
            runs=[
                At("start 2", (
                    "v = 0\ni_syn = 0", learns and "n_spikes = 0\ntold = 0", learns and near and "near = 0"
                ), "switch"),
                learns and near and At("groups 1", self.nearness),
                learns and At("end 5", self._dose, "over"),
            ],
            method="exponential_euler",
        )
        output = parts.neurons(
            "output",
            self.classes,
            ("v : 1", learns and (classification.PARTITION, "error : 1")),
            threshold="False",
            events={"switch": BEGINS, "over": learns and ENDS},
            runs=[
                At("start 2", ("v = 0", learns and "partition = 0"), "switch"),
                learns and At("end 2", self.error, "over"),
            ],
        )
        to_hidden = parts.synapses(
            "to_hidden",
            input_,
            hidden,
            ("w : 1", learns and by_pairs and "c : 1                            # pairs of spikes of this image"),
            on_pre={
                "transmit": At("synapses 0", self.transmission),
                "learn": learns and At("end 6", self.learning_by_pairs if by_pairs else self.learning, "learns"),
            },
            on_post={"pair": learns and by_pairs and At("synapses 1", self.pairing)},
        )
        to_output = parts.synapses(
            "to_output",
            hidden,
            output,
            "w : 1",
            on_pre={
                "transmit": At("synapses 2", self.class_transmission),
                "learn": learns and At("end 4", self.class_learning, "active"),
            },
        )
        if not learns:
            return Network(input_, hidden, output, to_hidden, to_output)
        softmax = parts.synapses("softmax", output, output, on_pre={"pre": At("end 1", classification.SOFTMAX, "over")})
        feedback = parts.synapses(
            "feedback",
            output,
            hidden,
            "b : 1",
            on_pre={
                "tell": At("end 3", self.told, "over"),
                "learn": self.feedback == "learned" and At("end 4", self.told_learning, "over"),
            },
        )
        return Network(input_, hidden, output, to_hidden, to_output, softmax, feedback)

    @property
    def _dose(self) -> str:
        """By how much the synapses of a hidden neuron change, for a unit of what makes them eligible."""
        return self.dosing.format(eligible=chosen(self.eligible, self.eligibility))

    # -- declarations ----------------------------------------------------------------------------------
    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return round(float((self.t_train if phase == "train" else self.t_test) / self.dt))

    @property
    def rastered(self) -> tuple[str, ...]:
        """See `Model.rastered`: hidden neurons are left out, which spike thousands of times an image."""
        return ("input",)

    @property
    def signs(self) -> NDArray[np.float64]:
        """Whether a hidden neuron is for its class, 1, or against it, -1, ``(neurons,)``: spread over each column."""
        place = np.arange(self.neurons) // self.classes
        # the hair keeps products such as 3*(1/3) from falling just below the whole number that they are
        is_against = np.floor((place + 1) * self.against + 1e-9) > np.floor(place * self.against + 1e-9)
        return np.where(is_against, -1.0, 1.0)

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Normally distributed weights of inputs; class neurons know their columns; what feedback goes by."""
        own = np.arange(self.neurons)[:, np.newaxis] % self.classes == np.arange(self.classes)
        w = self.w_sd * generator.standard_normal(self.pixels * self.neurons)
        signed = own * self.signs[:, np.newaxis]
        told = {
            "column": signed, "mixed": generator.standard_normal(own.shape) / np.sqrt(self.classes),
            "learned": self.b_first * signed, "none": 0 * signed,
        }[self.feedback]  # fmt: skip
        return {"to_hidden.w": w, "to_output.w": self.v_first * signed.ravel(), "feedback.b": told.T.ravel()}

    def rates(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Pixels as firing rates in hertz, ``(samples, pixels)``, of one sum for all images."""
        return encoded_inputs.summed_rates(images, self.total_rate)

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """See `Model.inputs`: rates, and labels while learning."""
        return self.encode(images) | ({"labels": labels.astype(np.float64)} if phase == "train" else {})

    def epoch_inputs(self, phase: str, epochs: NDArray[np.integer]) -> Arrays:
        """See `Model.epoch_inputs`: the rate of learning, which falls pass by pass."""
        if phase != "train":
            return {}
        return {"learning_rates": self.eta * np.clip(1 - epochs / self.fall_over, 0, 1)}

    def shown_time(self, phase: str) -> float:
        """See `EncodedInputs.shown_time`."""
        return self.sample_steps(phase) * float(self.dt / second)
