"""Diehl & Cook: triplet STDP, scaled weights and adaptive thresholds, without any label.

P. U. Diehl and M. Cook, "Unsupervised learning of digit recognition using spike-timing-dependent plasticity", 2015.
784 Poisson inputs, N excitatory and N inhibitory neurons. The network is that of the authors' published code, values
included, but without its delays of up to 10 ms. These are an option: they take time and change the accuracy (see the
open choices). The rule is the code's too, triplets of spikes; the paper's text prints other rules. Where the widespread
Brian2 port of that code departs from it, there is a switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, Synapses, hertz, ms, mV, second
from numpy.typing import NDArray

from hebbarium.equations import homeostasis, presentation
from hebbarium.equations.strings import Strings, chosen, lines, renamed
from hebbarium.models import encoded_inputs, winner_take_all
from hebbarium.models.contract import Arrays, choice, encoding, quantity, structure
from hebbarium.models.encoded_inputs import EncodedInputs
from hebbarium.models.parts import BEGINS, At, Parts, follow
from hebbarium.models.ranges import NORM, NOT_NEGATIVE, POSITIVE, POTENTIAL, RISE, SIZE, WEIGHT

CODE = "authors' code"
NEVER = -1e4 * second  # Brian2's own value for a spike that has not been


@dataclass(frozen=True, eq=False)
class DiehlCook(EncodedInputs):
    """The network of Diehl & Cook, with the departures of its Brian2 port as options."""

    name: ClassVar[str] = "diehl_cook"
    title: ClassVar[str] = "Triplet STDP with scaled weights and adaptive thresholds"
    paper: ClassVar[str] = (
        "P. U. Diehl and M. Cook, Unsupervised learning of digit recognition using spike-timing-dependent plasticity, "
        "Frontiers in Computational Neuroscience 9:99, 2015"
    )
    phases: ClassVar[tuple[str, ...]] = ("train", "respond", "test")
    beyond_layers: ClassVar[str] = winner_take_all.BEYOND_LAYERS
    labels_from: ClassVar[str] = "last_pass"
    controller: ClassVar[str] = "controller"
    shown_state: ClassVar[Mapping[str, Any]] = {"theta": mV}

    # Architecture and protocol
    neurons: int = structure(400, 1, "excitatory neurons", f"{CODE}: 400; the paper: 100 to 6400", SIZE)
    pixels: int = structure(784, 1, "input neurons, one a pixel", CODE, SIZE)
    dt: Quantity = structure(0.5 * ms, ms, "time step", f"{CODE}; 0.1 ms in the Brian2 port", POSITIVE)
    t_shown: Quantity = structure(350 * ms, ms, "presentation time", CODE, POSITIVE)
    t_rest: Quantity = structure(150 * ms, ms, "rest after a presentation", CODE, POSITIVE)

    # Excitatory neurons
    e_l: Quantity = quantity(-65 * mV, mV, "resting potential", CODE, POTENTIAL)
    v_reset: Quantity = quantity(-65 * mV, mV, "reset potential", CODE, POTENTIAL)
    v_thresh: Quantity = quantity(
        -72 * mV, mV, "constant part of the threshold", f"{CODE}: -52 mV less 20 mV", POTENTIAL
    )
    tau_m: Quantity = quantity(100 * ms, ms, "membrane time constant", CODE, POSITIVE)
    t_ref: Quantity = quantity(5 * ms, ms, "refractory period", CODE, NOT_NEGATIVE)
    t_dead: Quantity = quantity(
        0 * ms, ms, "dead time: the potential moves, but no spike comes", f"none in {CODE}; 50 ms in the Brian2 port",
        NOT_NEGATIVE,
    )
    theta_init: Quantity = quantity(20 * mV, mV, "initial dynamic part of the threshold", CODE, RISE)
    theta_plus: Quantity = quantity(0.05 * mV, mV, "rise of theta at a spike", CODE, RISE)
    tau_theta: Quantity = quantity(1e7 * ms, ms, "time constant of theta", CODE, POSITIVE)
    v_below: Quantity = encoding(40 * mV, mV, "how far below rest potentials begin, in training", CODE, POTENTIAL)

    # Inhibitory neurons
    e_l_fast: Quantity = quantity(-60 * mV, mV, "resting potential, inhibitory neurons", CODE, POTENTIAL)
    v_reset_fast: Quantity = quantity(-45 * mV, mV, "reset potential, inhibitory neurons", CODE, POTENTIAL)
    v_thresh_fast: Quantity = quantity(-40 * mV, mV, "threshold, inhibitory neurons", CODE, POTENTIAL)
    tau_m_fast: Quantity = quantity(10 * ms, ms, "membrane time constant, inhibitory neurons", CODE, POSITIVE)
    t_ref_fast: Quantity = quantity(2 * ms, ms, "refractory period, inhibitory neurons", CODE, NOT_NEGATIVE)

    # Synapses
    e_exc: Quantity = quantity(0 * mV, mV, "reversal potential of excitation", CODE, POTENTIAL)
    e_inh: Quantity = quantity(-100 * mV, mV, "reversal potential of inhibition", CODE, POTENTIAL)
    tau_ge: Quantity = quantity(1 * ms, ms, "time constant of excitation", CODE, POSITIVE)
    tau_gi: Quantity = quantity(2 * ms, ms, "time constant of inhibition", CODE, POSITIVE)
    w_ei: float = quantity(10.4, 1, "strength, excitatory to its inhibitory neuron", CODE, WEIGHT)
    w_ie: float = quantity(17.0, 1, "strength, inhibitory to each other excitatory neuron", CODE, WEIGHT)
    delay_most: Quantity = encoding(
        10 * ms, ms, "longest delay of an input's spike, each synapse its own", CODE, NOT_NEGATIVE
    )

    # Plasticity
    a_plus: float = quantity(0.01, 1, "potentiation at a spike of the excitatory neuron", CODE, WEIGHT)
    a_minus: float = quantity(1e-4, 1, "depression at a spike of the input", CODE, WEIGHT)
    tau_p: Quantity = quantity(20 * ms, ms, "time constant of both sides' traces", CODE, POSITIVE)
    tau_slow: Quantity = quantity(40 * ms, ms, "time constant of the triplet's slow trace", CODE, POSITIVE)
    w_min: float = quantity(0.0, 1, "least weight", CODE, WEIGHT)
    w_max: float = quantity(1.0, 1, "largest weight", CODE, WEIGHT)
    w_t: float = quantity(78.0, 1, "scaling: sum of each neuron's input weights", CODE, NORM)
    w_least: float = encoding(0.003, 1, "least initial weight", CODE, WEIGHT)
    w_most: float = encoding(0.303, 1, "largest initial weight", CODE, WEIGHT)

    # Input
    rate_step: Quantity = encoding(
        31.875 * hertz, hertz, "rate of a white pixel at intensity 1", f"{CODE}: 255/8 Hz", NOT_NEGATIVE
    )
    intensity_first: float = quantity(2.0, 1, "intensity of a first presentation", f"{CODE}: 63.75 Hz", POSITIVE)
    intensity_step: float = quantity(1.0, 1, "its rise if too few spikes came", CODE, POSITIVE)
    intensity_most: float = quantity(
        32.0, 1, "the highest intensity, at which any answer will do", f"not in {CODE}, which never ends a black image",
        POSITIVE,
    )
    n_least: float = quantity(5.0, 1, "spikes that are enough", CODE, NOT_NEGATIVE)

    # The authors' code, its Brian2 port, and cheaper variants
    delays: str = choice(
        "none", ("none", "uniform"), "spikes of inputs arrive at once (fast), or each synapse has a delay of its own",
        f"{CODE}: uniform",
    )
    rule: str = choice(
        "triplet", ("triplet", "pair"), "what potentiates: post-pre-post, or pre-post", f"{CODE}: triplet"
    )
    pre_spike: str = choice(
        "depresses",
        ("depresses", "potentiates"),
        "what an input's spike does to the weight",
        f"{CODE}; the Brian2 port has the other sign",
    )
    integration: str = choice(
        "clamped",
        ("clamped", "euler", "exponential_euler"),
        "Euler's steps kept between the reversal potentials, or not kept, or exact for constant conductances",
        f"{CODE}: euler, from which clamped differs where a dozen neurons fire at once",
    )

    relations: ClassVar[tuple[str, ...]] = (
        *winner_take_all.RELATIONS,
        "delay_most < t_rest if delays == 'uniform'",
        "w_least <= w_most",
        "dt <= min(tau_ge, tau_gi, tau_m, tau_m_fast) if integration != 'exponential_euler'",
    )

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md. The paper numbers no equation.
    # Conductances are in units of the membrane's, and a weight is the jump of one.

    # Excitatory and inhibitory neurons. theta's decay is exact over a step, written as a difference, because single
    # precision would round a factor so near to one away; dt/2 is for the rounding of times.
    membrane = """
        dv/dt = (e_l - v + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m : volt (unless refractory)
        dg_e/dt = -g_e/tau_ge : 1
        dg_i/dt = -g_i/tau_gi : 1
        theta : volt
    """
    threshold = "v > v_thresh + theta and t - lastspike > t_dead + dt/2"
    reset = "v = v_reset"
    theta_jump = "theta += theta_plus"
    theta_decays = "theta += theta*expm1(-dt/tau_theta)"
    membrane_inhibitory = """
        dv/dt = (e_l_fast - v + g_e*(e_exc - v))/tau_m_fast : volt (unless refractory)
        dg_e/dt = -g_e/tau_ge : 1
    """
    threshold_inhibitory = "v > v_thresh_fast"
    reset_inhibitory = "v = v_reset_fast"
    # A step of Euler's leaves the reversal potentials where many spikes coincide; the exact solution never does.
    clamp = "v = clip(v, e_inh, e_exc)"
    clamp_inhibitory = "v = clip(v, e_l_fast, e_exc)"

    # Synapses: an input's; an excitatory neuron's to its inhibitory one; those of all inhibitory spikes of a step to
    # every excitatory neuron, less the neuron's own.
    transmission = "g_e_post += w"
    excitation = "g_e_post += w_ei                               # one to one"
    lateral_inhibition = "g_i_post += w_ie*n_spikes_pre"
    no_own_inhibition = "g_i_post -= w_ie"

    # STDP of triplets (the minimal rule of Pfister & Gerstner, 2006, nearest spikes): a postsynaptic spike reads the
    # slow trace z that the neuron's previous spike has left, before z jumps.
    pre_trace = "dx/dt = -x/tau_p : 1"
    post_traces: ClassVar[Strings] = {"triplet": "y : 1\nz : 1", "pair": "y : 1"}
    post_traces_decay: ClassVar[Strings] = {
        "triplet": "y *= exp(-dt/tau_p)\nz *= exp(-dt/tau_slow)", "pair": "y *= exp(-dt/tau_p)",
    }
    post_traces_jump: ClassVar[Strings] = {"triplet": "y = 1\nz = 1", "pair": "y = 1"}
    potentiation: ClassVar[Strings] = {
        "triplet": "w = clip(w + a_plus*x_pre*z_post, w_min, w_max)              # post before pre before post",
        "pair": "w = clip(w + a_plus*x_pre, w_min, w_max)                        # pre before post",
    }
    by_pre_spike: ClassVar[Strings] = {
        "depresses": "w = clip(w - a_minus*y_post, w_min, w_max)                 # post before pre",
        "potentiates": "w = clip(w + a_minus*y_post, w_min, w_max)               # post before pre",
    }
    # Where spikes reach each synapse at a time of its own, so does the trace that they leave; of the nearest spike
    # alone, the time of its arrival says as much.
    arrival = "arrived : second                                  # the last spike's"
    arrives = "arrived = t"
    trace_of_arrival = "x_here = exp((arrived - t)/tau_p)"

    # Scaling, before every presentation
    scale = "scale = w_t/(norm_sum + int(norm_sum <= 0))"
    scaling = "w *= scale_post"

    # For a rule with a third factor: variables of the excitatory neurons, and what sets them when a presentation
    # begins.
    third_factor: ClassVar[str] = ""
    third_factor_begins: ClassVar[str] = ""

    # -- the network -----------------------------------------------------------------------------------
    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. Phases: ``train``; ``respond`` and ``test``, in which nothing learns."""
        encoded_inputs.refuse_long_block(self, phase, inputs)
        learns, clamped = phase == "train", self.integration == "clamped"
        method = "exponential_euler" if self.integration == "exponential_euler" else "euler"
        parts = Parts(
            self, self.dt, self.sample_steps(phase), inputs, encoded_inputs.UNITS,
            shown_steps=round(float(self.t_shown / self.dt)),
        )
        controller = winner_take_all.controller(parts, True)
        traced = learns and self.delays == "none"
        input_ = encoded_inputs.image_neurons(
            parts,
            self,
            controller,
            equations=traced and self.pre_trace,
            spike=traced and "x = 1",
        )
        # Before transmission: a potentiation reads an input's spike of the same step. The excitatory neurons' traces
        # jump after it, so that no spike reads its own, as where Brian 1's STDP runs pre before post.
        input_.resetter["spike"].when = "before_synapses"
        excitatory = parts.neurons(
            "excitatory",
            self.neurons,
            (
                self.membrane,
                learns and chosen(self.post_traces, self.rule),
                learns and homeostasis.SCALED_NEURON,
                learns and (self.third_factor and presentation.FOLLOWS, self.third_factor),
            ),
            threshold=self.threshold,
            reset=(self.reset, learns and self.theta_jump, learns and chosen(self.post_traces_jump, self.rule)),
            refractory="t_ref",
            events={"switch": learns and BEGINS},
            runs=[
                learns and At("start 2", (self.scale, homeostasis.CLEAR_SUM, self.third_factor_begins), "switch"),
                At("groups 1", (clamped and self.clamp, learns and chosen(self.post_traces_decay, self.rule))),
                learns and At("groups 2", self.theta_decays),
            ],
            method=method,
            # theta moves by 5e-8 of itself a step, which float32 would round away
            dtype={"theta": np.float64, "tau_theta": np.float64, "theta_plus": np.float64},
        )
        if learns and self.third_factor:
            follow(excitatory, controller)
        inhibitory = parts.neurons(
            "inhibitory",
            self.neurons,
            self.membrane_inhibitory,
            threshold=self.threshold_inhibitory,
            reset=self.reset_inhibitory,
            refractory="t_ref_fast",
            runs=[clamped and At("groups 1", self.clamp_inhibitory)],
            method=method,
        )
        below = self.v_below if learns else 0 * mV
        excitatory.v, inhibitory.v = self.e_l - below, self.e_l_fast - below
        excitatory.theta = self.theta_init
        populations = {"input": input_, "excitatory": excitatory, "inhibitory": inhibitory}
        lateral = winner_take_all.lateral_inhibition(
            parts, "", excitatory, inhibitory, self.excitation, self.lateral_inhibition, self.no_own_inhibition
        )
        counts = winner_take_all.count_spikes(parts, excitatory, controller)
        plastic = self.plastic(parts, learns, input_, excitatory)
        return Network(controller, *populations.values(), plastic, lateral, counts)

    def plastic(self, parts: Parts, learns: bool, source: NeuronGroup, target: NeuronGroup) -> Synapses:
        """The pathway that transmits and learns, all to all.

        Parameters
        ----------
        parts : Parts
        learns : bool
        source, target : NeuronGroup
            With the events ``spike`` and, if it learns, ``switch``; the target with the traces ``y`` and ``z`` (the
            latter for triplets) and the sums of scaling, the source with ``x`` if there are no delays.
        """
        late = self.delays == "uniform"
        pre_spike, potentiation = self._rules()
        pathway = parts.synapses(
            "plastic",
            source,
            target,
            ("w : 1", learns and late and self.arrival),
            on_pre={
                "transmit": At("synapses 0", (
                    self.transmission, learns and pre_spike, learns and late and self.arrives,
                )),
                "add_to_norm": learns and At("start 1", homeostasis.ADD_TO_SUM, "switch"),
                "apply_scale": learns and At("start 3", self.scaling, "switch"),
            },
            on_post={"potentiate": learns and At("synapses 1", potentiation)},
            dtype={"arrived": np.float64},  # a time, of which single precision would lose what the trace needs
        )
        if late:
            pathway.transmit.delay = "dt"  # their values are state; see `Model.longest_delays`
        if late and learns:
            pathway.arrived = NEVER
        return pathway

    def _rules(self) -> tuple[str, str]:
        """What a spike of the input and one of the excitatory neuron do to a weight."""
        pre_spike, potentiation = chosen(self.by_pre_spike, self.pre_spike), chosen(self.potentiation, self.rule)
        if self.delays == "uniform":
            potentiation = lines(self.trace_of_arrival, renamed(potentiation, x_pre="x_here"))
        return pre_spike, potentiation

    # -- declarations ----------------------------------------------------------------------------------
    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`: a presentation and its rest."""
        return round(float((self.t_shown + self.t_rest) / self.dt))

    def longest_delays(self) -> dict[str, float]:
        """See `Model.longest_delays`: inputs are silent in the rest."""
        if self.delays == "none":
            return {}
        return {"plastic_transmit.delay": float(self.delay_most)}

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Weights and delays, both uniform."""
        count = self.pixels * self.neurons
        drawn = {"plastic.w": generator.uniform(self.w_least, self.w_most, count)}
        for name, longest in self.longest_delays().items():
            drawn[name] = generator.uniform(0, longest, count)
        return drawn

    def rates(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Pixels as firing rates in hertz at intensity 1, ``(samples, pixels)``."""
        return np.asarray(images.astype(np.float64) / 255 * float(self.rate_step))

    def shown_time(self, phase: str) -> float:
        """See `EncodedInputs.shown_time`."""
        return float(self.t_shown)

    def total_intensity(self, presentations: NDArray[np.integer]) -> NDArray[np.float64]:
        """See `EncodedInputs.total_intensity`: each presentation of an image is more intense than the one before."""
        return winner_take_all.total_intensity(self.intensity_first, self.intensity_step, presentations)

    # -- what the paper leaves open ----------------------------------------------------------------------
    open_choices: ClassVar[tuple[str, ...]] = (
        "The rule is that of the authors' code. The paper's text prints others, among them one with a target x_tar of "
        "the presynaptic trace.",
        "Euler's steps overshoot the reversal potential where a dozen neurons or more fire at once, and grow without "
        "bound from two dozen on. Delays keep spikes apart: a clamp then seldom acts. With delays=none and "
        "integration=euler, a network of 400 neurons is lost within 500 images: all fire, and thresholds rise by "
        "hundreds of mV.",
        "Delays make an image some four times as expensive at N = 400: 8.5 ms of processor time, 2.0 ms without. After "
        "20,000 images, in validation, class means give 88.2 % with delays and 87.5 % without (N = 100, 10,000 images, "
        "not clamped: 70.5 % both), one seed: too little to pay for them. After three passes, N = 100 has 75.9 % on "
        "test images with delays (one seed), 83.2 % without: the default is not the authors' network.",
        "The authors label neurons by a frozen pass over all training images (--labels-from labelling "
        "--labelling-images 60000); the default is the last response to each image while training, which costs "
        "nothing. Their published demonstration labels neurons by the very images that it tests.",
        "Testing uses the weights as the last training image left them: unlike in training, the authors do not scale "
        "them before an image.",
        "The published values are those of N = 400; the code has none for other sizes.",
        "Images are shown in random order, in the authors' code in the order of the file.",
    )
