"""The contrastive race: free competition is unlearned, taught competition is learned.

A rule of our own. 784 Poisson inputs and N neurons, each of which stands for a class. An image is shown twice without a
break. In the free part all neurons race: the first to reach its threshold sets all others back, and unlearns what it has
seen. In the taught part only neurons of the image's class may fire; the winner of each race learns. Where the free
winner is the one that a teacher would have, both cancel. No weight is carried backwards and no error of an output is
known: a synapse needs the spikes of its two neurons, whether its neuron is of the image's class, and a signal that all
neurons share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, Quantity, hertz, linked_var, ms, mV, second
from numpy.typing import NDArray

from hebbarium.equations import homeostasis
from hebbarium.equations.strings import Strings, chosen
from hebbarium.models import encoded_inputs
from hebbarium.models.contract import Arrays, choice, encoding, quantity, structure
from hebbarium.models.encoded_inputs import EncodedInputs
from hebbarium.models.parts import BEGINS, At, Parts
from hebbarium.models.ranges import FRACTION, NORM, NOT_NEGATIVE, POSITIVE, POTENTIAL, RISE, SIZE, WEIGHT, Range

LIKE_TOUDA = "as in Touda & Okuno's network"
HELD_OUT = "chosen on held-out images"


@dataclass(frozen=True, eq=False)
class ContrastiveRace(EncodedInputs):
    """A race of class neurons, with what it is made of as options."""

    name: ClassVar[str] = "contrastive_race"
    title: ClassVar[str] = "Contrastive race: free competition unlearned, taught competition learned"
    paper: ClassVar[str] = "no paper: a rule of this project"
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    beyond_layers: ClassVar[str] = (
        "its synapses are conductances and its neurons set each other back, which layers of integrate-and-fire neurons "
        "one behind the other do not hold; nor do they hold how weights change"
    )
    shown_state: ClassVar[Mapping[str, tuple[str, Any]]] = {"theta": ("excitatory", mV)}

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
        0.11 * mV, mV, "rise of the threshold at a spike in the taught part", LIKE_TOUDA, RISE
    )
    e_exc: Quantity = quantity(0 * mV, mV, "reversal potential of excitation", LIKE_TOUDA, POTENTIAL)
    tau_s: Quantity = quantity(20 * ms, ms, "time constant of conductances", LIKE_TOUDA, POSITIVE)
    gain: Quantity = quantity(
        1 * ms, ms, "time integral of the conductance, over g_m, of a spike through a weight of one", LIKE_TOUDA,
        NOT_NEGATIVE,
    )

    # Plasticity
    a_plus: float = quantity(0.003, 1, "change of a weight by a pair of spikes in the first pass", HELD_OUT, WEIGHT)
    unlearning: float = quantity(1.0, 1, "unlearning in parts of learning", HELD_OUT, NOT_NEGATIVE)
    eta_decay: float = encoding(0.4, 1, "part by which learning falls after each pass", HELD_OUT, FRACTION)
    tau_p: Quantity = quantity(60 * ms, ms, "time constant of the inputs' traces", LIKE_TOUDA, POSITIVE)
    w_min: float = quantity(0.0, 1, "least weight", "own", Range(-1e6, 1e6))
    w_max: float = quantity(4.0, 1, "largest weight that learning leaves", HELD_OUT, WEIGHT)
    w_t: float = quantity(5.0, 1, "L2 norm that a neuron's incoming weights are scaled to", HELD_OUT, NORM)

    # Input
    total_rate: Quantity = encoding(4900 * hertz, hertz, "summed rate of all inputs", LIKE_TOUDA, NOT_NEGATIVE)

    # What it is made of
    winners: str = choice(
        "first", ("first", "all"), "of several neurons that reach the threshold in a step: the furthest beyond it "
        "wins, or all do", HELD_OUT,
    )
    unlearns: str = choice(
        "all", ("all", "wrong"), "which winners of the free part unlearn: all, or those of other classes", HELD_OUT
    )
    dose: str = choice(
        "full", ("full", "surprise"), "how much is learned in the taught part: as much each time, or the more, the "
        "more races of the free part were won by other classes", HELD_OUT,
    )

    relations: ClassVar[tuple[str, ...]] = (
        "whole(t_free/dt)",
        "whole(t_taught/dt)",
        "whole(t_test/dt)",
        f"max(t_free + t_taught, t_test)/dt <= {encoded_inputs.MOST_STEPS}",
        "v_reset < v_thresh",
        "w_min < w_max",
        "total_rate*dt <= pixels",
        f"t_code <= min(t_free + t_taught, t_test) if {encoded_inputs.IN_CYCLES}",
    )

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md. Conductances are in units of the
    # membrane's.
    membrane = """
        dv/dt = (e_l - v + g_e*(e_exc - v))/tau_m : volt
        dg_e/dt = -g_e/tau_s : 1
    """
    transmission = "g_e_post += gain*w/tau_s"

    # The race. A neuron that reaches its threshold is ready, by how much says its lead; the largest lead of a step wins
    # it. While a teacher speaks, neurons of other classes do not take part, and thresholds are those that share out the
    # images of a class among its neurons.
    racing: ClassVar[Strings] = {
        "test": """
            lead = (v - v_thresh)/(e_exc - v_thresh) : 1
            largest : 1 (linked)                                    # lead of this step; zero if no neuron is ready
        """,
        "train": """
            lead = (v - v_thresh - taught*theta)/(e_exc - v_thresh) : 1
            largest : 1 (linked)                                    # lead of this step; zero if no neuron is ready
            theta : volt
            mine : 1                                                # whether the neuron stands for the image's class
            taught : 1                                              # whether a teacher speaks
        """,
    }
    ready: ClassVar[Strings] = {"test": "lead > 0", "train": "lead > 0 and mine >= taught"}
    fires: ClassVar[Strings] = {"first": " and lead >= largest", "all": ""}
    leads = "largest_post = clip(lead_pre, largest_post, inf)"
    set_back = "v = v_reset"
    theta_jump = "theta += taught*theta_plus"
    theta_decays = "theta += theta*expm1(-dt/tau_theta)"

    # Learning: at a neuron's spike, by the traces of its inputs.
    pre_trace = "dx/dt = -x/tau_p : 1"
    learning = "w = clip(w + eta_post*a_plus*x_pre, w_min, w_max)"
    rate = "eta : 1                                                 # of learning; below zero in the free part"
    free_begins: ClassVar[Strings] = {
        "all": "eta = -unlearning*learning_rates(t)",
        "wrong": "eta = -unlearning*learning_rates(t)*(1 - mine)",
    }
    taught_begins: ClassVar[Strings] = {
        "full": "eta = learning_rates(t)",
        "surprise": "eta = learning_rates(t)*n_wrong/(n_races + int(n_races == 0))",
    }
    referee = """
        n_races : 1                                                 # of the free part
        n_wrong : 1                                                 # that other classes have won
    """
    counts_races = "n_races_post += 1 - taught_pre\nn_wrong_post += (1 - taught_pre)*(1 - mine_pre)"

    # Synaptic scaling, before each image
    norm_sum = "norm_sum_post += w*w"
    scale = "scale = w_t/sqrt(norm_sum + int(norm_sum <= 0))"
    scaling = "w *= scale_post"

    # -- the network -----------------------------------------------------------------------------------
    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. Phases: ``train`` and ``test``, in which nothing learns."""
        encoded_inputs.refuse_long_block(self, phase, inputs)
        learns, surprised = phase == "train", phase == "train" and self.dose == "surprise"
        parts = Parts(
            self, self.dt, self.sample_steps(phase), inputs, encoded_inputs.UNITS,
            free_steps=self._steps(self.t_free), classes=self.classes,
        )
        input_ = encoded_inputs.image_neurons(
            parts, self, equations=learns and self.pre_trace, spike=learns and "x += 1", begins=learns and "x = 0"
        )
        race = parts.neurons(
            "race",
            1,
            ("largest : 1", surprised and self.referee),
            events={"switch": surprised and BEGINS},
            runs=[At("start 1", "largest = 0"), surprised and At("start 1", "n_races = 0\nn_wrong = 0", "switch")],
        )
        ready = chosen(self.ready, phase)
        excitatory = parts.neurons(
            "excitatory",
            self.neurons,
            (
                self.membrane,
                chosen(self.racing, phase),
                learns and (self.rate, homeostasis.SCALED_NEURON),
                surprised and "n_races : 1 (linked)\nn_wrong : 1 (linked)",
            ),
            threshold=ready + chosen(self.fires, self.winners),
            reset=learns and self.theta_jump or "",
            events={
                "switch": BEGINS,
                "taught": learns and At("start 0", "t_in_timesteps % sample_steps == free_steps"),
                "ready": At("thresholds -2", ready),
                "over": At("resets 1", "largest > 0"),
            },
            runs=[
                At("start 2", (
                    "v = e_l\ng_e = 0",
                    learns and (
                        "mine = int(i % classes == labels(t))\ntaught = 0", self.scale, homeostasis.CLEAR_SUM,
                        chosen(self.free_begins, self.unlearns),
                    ),
                ), "switch"),
                learns and At("start 2", ("v = e_l\ntaught = 1", chosen(self.taught_begins, self.dose)), "taught"),
                learns and At("groups 1", self.theta_decays),
                At("resets 2", self.set_back, "over"),
            ],
            method="exponential_euler",
            # theta moves by 5e-6 of itself a step, which float32 would round to a few of its digits
            dtype={"theta": np.float64, "tau_theta": np.float64, "theta_plus": np.float64},
        )
        excitatory.v = self.e_l
        for symbol in ("largest", *(("n_races", "n_wrong") if surprised else ())):
            setattr(excitatory, symbol, linked_var(race, symbol))
        to_race = parts.synapses(
            "to_race",
            excitatory,
            race,
            on_pre={
                "lead": At("thresholds -1", self.leads, "ready"),
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
                "add_to_norm": learns and At("start 1", self.norm_sum, "switch"),
                "apply_scale": learns and At("start 3", self.scaling, "switch"),
            },
            on_post={"learn": learns and At("synapses 1", self.learning)},
        )
        return Network(input_, race, excitatory, to_race, plastic)

    # -- declarations ----------------------------------------------------------------------------------
    def _steps(self, duration: Quantity) -> int:
        return round(float(duration / self.dt))

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return self._steps(self.t_test if phase == "test" else self.t_free + self.t_taught)

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Weights uniform in [0, 1)."""
        return {"plastic.w": generator.random(self.pixels * self.neurons)}

    def handed_on(self, state: Arrays) -> Arrays:
        """See `Model.handed_on`: weights are scaled once more, since the last image has moved them."""
        w = state["plastic.w"].reshape(self.pixels, self.neurons)
        norms = np.sqrt((w.astype(np.float64) ** 2).sum(axis=0))
        scaled = w * (self.w_t / np.where(norms > 0, norms, 1))
        return {**state, "plastic.w": scaled.astype(w.dtype).ravel()}

    def rates(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Pixels as firing rates in hertz, ``(samples, pixels)``, of one sum for all images."""
        total = images.sum(axis=1, keepdims=True, dtype=np.float64)
        return np.asarray(images * (float(self.total_rate) / np.where(total > 0, total, 1)))

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """See `Model.inputs`: rates, and labels while learning."""
        return self.encode(images) | ({"labels": labels.astype(np.float64)} if phase == "train" else {})

    def epoch_inputs(self, phase: str, epochs: NDArray[np.integer]) -> Arrays:
        """See `Model.epoch_inputs`: the rate of learning, in units of the first pass's."""
        return {"learning_rates": (1 - self.eta_decay) ** epochs.astype(np.float64)} if phase == "train" else {}

    def shown_time(self, phase: str) -> float:
        """See `EncodedInputs.shown_time`."""
        return self.sample_steps(phase) * float(self.dt / second)
