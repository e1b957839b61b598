"""The contrastive race: what wins wrongly unlearns, what ought to win learns, as much as the answer surprised.

A rule of our own. 784 Poisson inputs and N neurons, each of which stands for a class. Neurons race: the first to reach
its threshold fires and sets all others back. A training image is shown in two parts without a break. In the free part
all neurons race, and a winner of another class than the image's unlearns what it has seen. In the taught part only
neurons of the image's class may fire; the winner of each race learns, the more, the more races of the free part were
won by other classes. So learning stops where nothing is wrong.

A synapse needs the spikes of its two neurons, whether its neuron stands for the class that the teacher names, and one
number that all neurons share: the part of the races that went wrong. No weight is carried backwards and no error of an
output neuron is known to any other neuron. What a synapse could not know: who tells the race's losers to begin anew
within one time step, and a teacher's word to a neuron while it fires.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, Quantity, hertz, ms, mV, second
from numpy.typing import NDArray

from hebbarium.equations import homeostasis
from hebbarium.equations.strings import Strings, chosen
from hebbarium.models import encoded_inputs, winner_take_all
from hebbarium.models.contract import Arrays, choice, encoding, quantity, structure
from hebbarium.models.encoded_inputs import EncodedInputs
from hebbarium.models.parts import BEGINS, At, Parts, link
from hebbarium.models.ranges import FRACTION, NORM, NOT_NEGATIVE, POSITIVE, POTENTIAL, RISE, SIZE, WEIGHT, Range
from hebbarium.models.readouts import Readout, by_labels

FEW = 200
"""Each of fewer neurons wins more often, and thresholds rise less at a spike: by a thousandth of a mV a neuron."""
LIKE_TOUDA = "as in Touda & Okuno's network"
HELD_OUT = "chosen on held-out images"


@dataclass(frozen=True, eq=False)
class ContrastiveRace(EncodedInputs):
    """A race of class neurons, with what it is made of as options."""

    name: ClassVar[str] = "contrastive_race"
    title: ClassVar[str] = "Contrastive race: wrong winners unlearn, taught winners learn by surprise"
    paper: ClassVar[str] = "no paper: a rule of this project"
    phases: ClassVar[tuple[str, ...]] = ("train", "respond", "test")
    beyond_layers: ClassVar[str] = (
        "its synapses are conductances and its neurons set each other back, which layers of integrate-and-fire neurons "
        "one behind the other do not hold; nor do they hold how weights change"
    )
    shown_state: ClassVar[Mapping[str, Any]] = {"theta": mV}

    # Architecture and protocol
    neurons: int = structure(400, 1, "neurons; neuron i stands for class i modulo the number of classes", "own", SIZE)
    pixels: int = structure(784, 1, "input neurons, one a pixel", LIKE_TOUDA, SIZE)
    classes: int = structure(10, 1, "classes", "own", SIZE)
    dt: Quantity = structure(1 * ms, ms, "time step", LIKE_TOUDA, POSITIVE)
    t_free: Quantity = structure(100 * ms, ms, "free part of a training image", HELD_OUT, POSITIVE)
    t_taught: Quantity = structure(100 * ms, ms, "taught part of a training image", HELD_OUT, POSITIVE)
    t_test: Quantity = structure(500 * ms, ms, "presentation time of a test image", LIKE_TOUDA, POSITIVE)

    # Neurons
    e_l: Quantity = quantity(-60 * mV, mV, "resting potential", LIKE_TOUDA, POTENTIAL)
    v_reset: Quantity = quantity(-60 * mV, mV, "potential after a race", LIKE_TOUDA, POTENTIAL)
    v_thresh: Quantity = quantity(-40 * mV, mV, "threshold", LIKE_TOUDA, POTENTIAL)
    tau_m: Quantity = quantity(30 * ms, ms, "membrane time constant", LIKE_TOUDA, POSITIVE)
    tau_theta: Quantity = quantity(2e5 * ms, ms, "time constant of the adaptive threshold", LIKE_TOUDA, POSITIVE)
    theta_plus: Quantity = quantity(
        0.2 * mV, mV, "rise of the threshold at a spike in the taught part; of few neurons less", HELD_OUT, RISE
    )
    e_exc: Quantity = quantity(0 * mV, mV, "reversal potential of excitation", LIKE_TOUDA, POTENTIAL)
    tau_s: Quantity = quantity(20 * ms, ms, "time constant of conductances", LIKE_TOUDA, POSITIVE)
    gain: Quantity = quantity(
        1 * ms, ms, "time integral of the conductance, over g_m, of a spike through a weight of one", LIKE_TOUDA,
        NOT_NEGATIVE,
    )

    # Plasticity
    a_plus: float = quantity(0.006, 1, "change of a weight by a pair of spikes in the first pass", HELD_OUT, WEIGHT)
    unlearning: float = quantity(1.0, 1, "unlearning in parts of learning", HELD_OUT, NOT_NEGATIVE)
    eta_decay: float = encoding(0.4, 1, "part by which learning falls after each pass", HELD_OUT, FRACTION)
    tau_p: Quantity = quantity(60 * ms, ms, "time constant of the inputs' traces", LIKE_TOUDA, POSITIVE)
    w_min: float = quantity(0.0, 1, "least weight", "own", Range(-1e6, 1e6))
    w_max: float = quantity(4.0, 1, "largest weight that learning leaves", HELD_OUT, WEIGHT)
    w_t: float = quantity(9.0, 1, "L2 norm that a neuron's incoming weights are scaled to", HELD_OUT, NORM)

    # Input
    total_rate: Quantity = encoding(4900 * hertz, hertz, "summed rate of all inputs", LIKE_TOUDA, NOT_NEGATIVE)

    # What it is made of, and what it is without
    winners: str = choice(
        "first", ("first", "all", "each"), "of several neurons that reach the threshold in a step the furthest beyond "
        "it wins, or all do; or there is no race, and a neuron that fires sets back itself alone", HELD_OUT,
    )
    unlearns: str = choice(
        "wrong", ("wrong", "all", "none"), "which winners of the free part unlearn: those of other classes, all, none",
        HELD_OUT,
    )
    dose: str = choice(
        "surprise", ("surprise", "full"), "how much is learned in the taught part: the more, the more races of the "
        "free part were won by other classes, or as much each time", HELD_OUT,
    )
    order: str = choice("free_first", ("free_first", "taught_first"), "which part of an image comes first", "own")
    norm: str = choice("L2", ("L2", "none"), "norm of synaptic scaling; none: no scaling", LIKE_TOUDA)
    mislabelled: float = encoding(
        0.0, 1, "part of the training images of which the teacher names another class", "own", FRACTION
    )

    relations: ClassVar[tuple[str, ...]] = (
        "whole(t_free/dt)",
        "whole(t_taught/dt)",
        "whole(t_test/dt)",
        f"max(t_free + t_taught, t_test)/dt <= {encoded_inputs.MOST_STEPS}",
        "classes <= neurons",
        "v_reset < v_thresh",
        "w_min < w_max",
        "total_rate*dt <= pixels",
        "dose == 'full' if order == 'taught_first'",
        f"t_code <= min(t_free + t_taught, t_test) if {encoded_inputs.IN_CYCLES}",
    )

    @classmethod
    def tuned(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """The rise of the threshold, if there are few neurons; see `Model.tuned`."""
        neurons = given.get("neurons", cls.parameters()["neurons"].default)
        return {"theta_plus": neurons / 1000 * mV} if neurons < FEW else {}

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md. Conductances are in units of the
    # membrane's.
    membrane = """
        dv/dt = (e_l - v + g_e*(e_exc - v))/tau_m : volt
        dg_e/dt = -g_e/tau_s : 1
    """
    transmission = "g_e_post += gain*w/tau_s"

    # The race. A neuron that is beyond its threshold is ready, and bids by how much; the largest bid of a step wins.
    # While a teacher speaks, neurons of other classes do not take part, and thresholds are those that share out the
    # images of a class among its neurons.
    racing = """
        bid : 1
        largest : 1 (linked)                                    # bid of this step; zero if no neuron is ready
    """
    bids: ClassVar[Strings] = {
        "free": "bid = (v - v_thresh)/(e_exc - v_thresh)",
        "taught": "bid = (v - v_thresh - taught*theta)/(e_exc - v_thresh)",
    }
    ready: ClassVar[Strings] = {"free": "bid > 0", "taught": "bid > 0 and mine >= taught"}
    outbids: ClassVar[Strings] = {
        "first": "largest_post = clip(bid_pre, largest_post, inf)",
        "all": "largest_post += bid_pre                                 # above zero is all that counts",
        "each": "",
    }
    wins: ClassVar[Strings] = {"first": " and bid >= largest", "all": "", "each": ""}
    set_back = "v = v_reset"

    # The teacher, and thresholds that rise while it speaks. Their decay is exact over a step, written as a difference:
    # a factor so near to one would be rounded away in single precision.
    teacher = """
        mine : 1                                                # whether the neuron stands for the image's class
        taught : 1                                              # whether the teacher speaks
        theta : volt
    """
    names_class = "mine = int(i % classes == labels(t))"
    theta_jump = "theta += taught*theta_plus"
    theta_decays = "theta += theta*expm1(-dt/tau_theta)"

    # Learning, at a neuron's spike, by the traces of its inputs
    pre_trace = "dx/dt = -x/tau_p : 1"
    learning = "w = clip(w + eta_post*a_plus*x_pre, w_min, w_max)"
    rate = "eta : 1                                             # of learning; below zero in the free part"
    free_begins: ClassVar[Strings] = {
        "wrong": "taught = 0\neta = -unlearning*learning_rates(t)*(1 - mine)",
        "all": "taught = 0\neta = -unlearning*learning_rates(t)",
        "none": "taught = 0\neta = 0",
    }
    taught_begins: ClassVar[Strings] = {
        "surprise": "taught = 1\neta = learning_rates(t)*n_wrong/(n_races + int(n_races <= 0))",
        "full": "taught = 1\neta = learning_rates(t)",
    }
    # What all neurons share
    surprise = """
        n_races : 1                                             # of the free part
        n_wrong : 1                                             # of these, won by other classes
    """
    counts_races = """
        n_races_post += 1 - taught_pre
        n_wrong_post += (1 - taught_pre)*(1 - mine_pre)
    """
    counts_anew = "n_races = 0\nn_wrong = 0"

    # Synaptic scaling, before each image
    norm_sum = "norm_sum_post += w*w"
    scale = "scale = w_t/sqrt(norm_sum + int(norm_sum <= 0))"
    scaling = "w *= scale_post"

    # For a rule with a third factor: variables of the neurons, and what sets them when an image begins.
    third_factor = ""
    third_factor_begins = ""

    # -- the network -----------------------------------------------------------------------------------
    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. Phases: ``train``; ``respond`` and ``test``, the same, in which nothing learns."""
        encoded_inputs.refuse_long_block(self, phase, inputs)
        learns = phase == "train"
        surprised, scaled = learns and self.dose == "surprise", learns and self.norm != "none"
        parts = Parts(
            self, self.dt, self.sample_steps(phase), inputs, encoded_inputs.UNITS,
            first_steps=self._steps(self.t_free if self.order == "free_first" else self.t_taught),
            classes=self.classes,
        )
        input_ = encoded_inputs.image_neurons(
            parts, self, equations=learns and self.pre_trace, spike=learns and "x += 1", begins=learns and "x = 0"
        )
        race = parts.neurons(
            "race",
            1,
            ("largest : 1", surprised and self.surprise),
            events={"switch": surprised and BEGINS},
            runs=[At("start 1", "largest = 0"), surprised and At("start 1", self.counts_anew, "switch")],
        )
        ready = chosen(self.ready, "taught" if learns else "free")
        begin = chosen(self.free_begins, self.unlearns), chosen(self.taught_begins, self.dose)
        first, second = begin if self.order == "free_first" else reversed(begin)
        everyone = self.winners != "each"
        excitatory = parts.neurons(
            "excitatory",
            self.neurons,
            (
                self.membrane,
                self.racing,
                learns and (self.teacher, self.rate, self.third_factor),
                scaled and homeostasis.SCALED_NEURON,
                surprised and "n_races : 1 (linked)\nn_wrong : 1 (linked)",
            ),
            threshold=ready + chosen(self.wins, self.winners),
            reset=(not everyone and self.set_back, learns and self.theta_jump),
            events={
                "switch": BEGINS,
                "second": learns and At("start 0", "t_in_timesteps % sample_steps == first_steps"),
                "ready": everyone and At("thresholds -2", ready),
                "over": everyone and At("resets 1", "largest > 0"),
            },
            runs=[
                At("start 2", (
                    "v = e_l\ng_e = 0",
                    learns and (self.names_class, first, self.third_factor_begins),
                    scaled and (self.scale, homeostasis.CLEAR_SUM),
                ), "switch"),
                learns and At("start 2", ("v = e_l", second), "second"),
                learns and At("groups 1", self.theta_decays),
                At("thresholds -3", chosen(self.bids, "taught" if learns else "free")),
                everyone and At("resets 2", self.set_back, "over"),
            ],
            method="exponential_euler",
            # theta moves by 5e-6 of itself a step, which float32 would round to a few of its digits
            dtype={"theta": np.float64, "tau_theta": np.float64, "theta_plus": np.float64},
        )
        excitatory.v = self.e_l
        for symbol in ("largest", *(("n_races", "n_wrong") if surprised else ())):
            link(excitatory, symbol, race)
        to_race = parts.synapses(
            "to_race",
            excitatory,
            race,
            on_pre={
                "bid": everyone and At("thresholds -1", chosen(self.outbids, self.winners), "ready"),
                "count": surprised and At("synapses 2", self.counts_races),
            },
        )
        plastic = parts.synapses(
            "plastic",
            input_,
            excitatory,
            "w : 1",
            on_pre={
                "transmit": At("synapses 0", self.transmission),
                "add_to_norm": scaled and At("start 1", self.norm_sum, "switch"),
                "apply_scale": scaled and At("start 3", self.scaling, "switch"),
            },
            on_post={"learn": learns and At("synapses 1", self.learning)},
        )
        return Network(input_, race, excitatory, to_race, plastic)

    # -- declarations ----------------------------------------------------------------------------------
    def _steps(self, duration: Quantity) -> int:
        return round(float(duration / self.dt))

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return self._steps(self.t_free + self.t_taught if phase == "train" else self.t_test)

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Weights uniform in [0, 1)."""
        return {"plastic.w": generator.random(self.pixels * self.neurons)}

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """The most active neuron, and the class that has won most races, by the mean over its neurons."""
        return tuple(dataclasses.replace(readout, taught=True) for readout in by_labels("excitatory"))

    def handed_on(self, state: Arrays) -> Arrays:
        """See `Model.handed_on`: weights are scaled once more, since the last image has moved them."""
        if self.norm == "none":
            return dict(state)
        shape = (self.pixels, self.neurons)
        return {**state, "plastic.w": winner_take_all.scaled(state["plastic.w"], shape, self.w_t)}

    def rates(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Pixels as firing rates in hertz, ``(samples, pixels)``, of one sum for all images."""
        return encoded_inputs.summed_rates(images, self.total_rate)

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """See `Model.inputs`: rates, and labels while learning."""
        if phase != "train":
            return self.encode(images)
        return self.encode(images) | {"labels": self._named(images, labels).astype(np.float64)}

    def _named(self, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> NDArray[np.integer]:
        """What the teacher says. Which images it is wrong about follows from their pixels: the same in each pass."""
        if not self.mislabelled:
            return labels
        drawn = np.array([zlib.crc32(image.tobytes()) for image in images], np.int64)
        other = (labels + 1 + drawn % (self.classes - 1)) % self.classes
        return np.where(drawn // self.classes % 10_000 < 10_000 * self.mislabelled, other, labels)

    def epoch_inputs(self, phase: str, epochs: NDArray[np.integer]) -> Arrays:
        """See `Model.epoch_inputs`: the rate of learning, in units of the first pass's."""
        return {"learning_rates": (1 - self.eta_decay) ** epochs.astype(np.float64)} if phase == "train" else {}

    def shown_time(self, phase: str) -> float:
        """See `EncodedInputs.shown_time`."""
        return self.sample_steps(phase) * float(self.dt / second)

    # -- what else there is to know ----------------------------------------------------------------------
    open_choices: ClassVar[tuple[str, ...]] = (
        "Constants are those of Touda & Okuno's network where they say so; the others were chosen on 10,000 held-out "
        "training images of MNIST and Fashion-MNIST, one seed each. One set of constants serves both.",
        "In the free part unlearning grows with the number of races, in the taught part learning with the part of them "
        "that went wrong: the two balance where both parts are as long. With a free part of 200 ms and a taught one of "
        "100 ms it unlearns more than it learns, and loses most of what it knew (see what was tried).",
        "A neuron's threshold is in balance where it rises as often as it falls. Each of few neurons wins more often: "
        "with 25 neurons and the rise of 400, thresholds climb to 13 mV within 1,000 images, and the network falls "
        "silent. With fewer than 200 neurons the rise is 0.001 mV a neuron, which did best of three on held-out digits "
        "with 25, 50 and 100 neurons.",
        "The winner of a step is a maximum over all neurons, which a GPU would compute wrongly, as many threads write "
        "into one variable: winners=first is refused for CUDA, winners=all is not.",
    )
