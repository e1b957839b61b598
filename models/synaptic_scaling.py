"""Touda & Okuno: a winner-take-all network with STDP and synaptic scaling.

S. Touda and H. Okuno, "Effects of Introducing Synaptic Scaling on Spiking Neural Network Learning".
784 Poisson inputs, N excitatory and N inhibitory neurons. Plasticity acts on the input weights alone:
STDP (Eq. 5), scaling to a target norm (Eq. 6); the excitatory thresholds adapt (Eq. 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import (
    Clock,
    Equations,
    Network,
    NeuronGroup,
    Quantity,
    SpikeMonitor,
    Synapses,
    TimedArray,
    hertz,
    ms,
    mV,
    second,
)
from numpy.typing import NDArray

from hebbarium.equations import encoders, homeostasis, neurons, plasticity, synapses, topologies
from hebbarium.models import poisson_inputs, spike_pairs
from hebbarium.models.contract import (
    Arrays,
    Model,
    choice,
    encoding,
    quantity,
    structure,
)
from hebbarium.models.ranges import NORM, NOT_NEGATIVE, POSITIVE, POTENTIAL, RISE, SIZE, WEIGHT, Range

NOT_STATED = "not stated; chosen by validation"
SAMPLE_BEGINS = "t_in_timesteps % sample_steps == 0"


@dataclass(frozen=True, eq=False)
class SynapticScaling(Model):
    """The network of Touda & Okuno, with the paper's open choices as options."""

    name: ClassVar[str] = "synaptic_scaling"
    title: ClassVar[str] = "Winner-take-all network with STDP and synaptic scaling"
    paper: ClassVar[str] = (
        "S. Touda and H. Okuno, Effects of Introducing Synaptic Scaling on Spiking Neural Network Learning"
    )
    phases: ClassVar[tuple[str, ...]] = ("train", "respond", "test")
    shown_state: ClassVar[Mapping[str, tuple[str, Any]]] = {"theta": ("excitatory", mV)}

    # Architecture and protocol (Sections III.A and V.A)
    neurons: int = structure(
        100, 1, "excitatory neurons, and as many inhibitory ones", "Section III.A: 100 or 400", SIZE
    )
    pixels: int = structure(784, 1, "input neurons, one a pixel", "Section III.A", SIZE)
    dt: Quantity = structure(1 * ms, ms, "time step", "Section V.A", POSITIVE)
    t_train: Quantity = structure(150 * ms, ms, "presentation time of a training image", "Section V.A", POSITIVE)
    t_test: Quantity = structure(500 * ms, ms, "presentation time of a test image", "Section V.A", POSITIVE)

    # Neurons (Table I)
    v_thresh: Quantity = quantity(-40 * mV, mV, "threshold at rest, excitatory and inhibitory", "Table I", POTENTIAL)
    e_l: Quantity = quantity(-60 * mV, mV, "resting potential", "Table I", POTENTIAL)
    v_reset: Quantity = quantity(-60 * mV, mV, "reset potential", "not stated; the resting potential", POTENTIAL)
    t_ref_exc: Quantity = quantity(2 * ms, ms, "refractory period, excitatory", "Table I", NOT_NEGATIVE)
    t_ref_inh: Quantity = quantity(5 * ms, ms, "refractory period, inhibitory", "Table I", NOT_NEGATIVE)
    tau_m_exc: Quantity = quantity(30 * ms, ms, "membrane time constant, excitatory", "Table I", POSITIVE)
    tau_m_inh: Quantity = quantity(5 * ms, ms, "membrane time constant, inhibitory", "Table I", POSITIVE)
    tau_theta: Quantity = quantity(2e5 * ms, ms, "time constant of the adaptive threshold", "Table I", POSITIVE)
    theta_plus: Quantity = quantity(0.11 * mV, mV, "rise of the threshold at a spike (alpha)", "Table I, Eq. 7", RISE)

    # Synapses (Table II)
    e_exc: Quantity = quantity(0 * mV, mV, "reversal potential of excitation", "Table II", POTENTIAL)
    e_inh: Quantity = quantity(-80 * mV, mV, "reversal potential of inhibition", "Table II", POTENTIAL)
    tau_s: Quantity = quantity(20 * ms, ms, "time constant of synaptic conductances", "Table II, Eq. 4", POSITIVE)
    gain: Quantity = quantity(
        1 * ms, ms, "conductance over time of a weight of one, in units of g_m", "Eq. 4 as it stands", NOT_NEGATIVE
    )
    w_ei: Quantity = quantity(40 * ms, ms, "strength, excitatory to its inhibitory neuron", NOT_STATED, NOT_NEGATIVE)
    w_ie: Quantity = quantity(
        900 * ms, ms, "strength, inhibitory to all other excitatory neurons together", NOT_STATED, NOT_NEGATIVE
    )

    # Plasticity (Section IV)
    a_plus: float = quantity(0.005, 1, "potentiation of a pair", "Eq. 5", WEIGHT)
    a_minus: float = quantity(0.0025, 1, "depression of a pair", "Eq. 5", WEIGHT)
    tau_p: Quantity = quantity(60 * ms, ms, "time constant of STDP", "Tables III-VI: 20 or 60 ms", POSITIVE)
    w_min: float = quantity(0.0, 1, "least weight that STDP leaves", NOT_STATED, WEIGHT)
    w_max: float = quantity(1.0, 1, "largest weight that STDP leaves (scaling may exceed it)", NOT_STATED, WEIGHT)
    w_t: float = quantity(9.0, 1, "target norm of a neuron's incoming weights", "Eq. 6, Tables III-VI", NORM)

    # Input (Section III.B and V.A)
    total_rate: Quantity = encoding(
        4900 * hertz, hertz, "summed rate of all inputs, rate_coding=summed", NOT_STATED, NOT_NEGATIVE
    )
    max_rate: Quantity = encoding(
        63.75 * hertz, hertz, "rate of a white pixel, rate_coding=peak", NOT_STATED, NOT_NEGATIVE
    )

    # Readings of what the paper leaves open
    norm: str = choice("L2", ("L1", "L2", "Lp", "none"), "norm of synaptic scaling; none: no scaling", "Eq. 6")
    p_norm: float = structure(2.0, 1, "p of norm=Lp", "Eq. 6", Range(1, 16))
    scaling_at: str = choice(
        "image",
        ("image", "spike"),
        "when weights are scaled: at each image switch, or at each spike of their neuron",
        NOT_STATED,
    )
    inhibition: str = choice(
        "shared",
        ("shared", "each"),
        "w_ie is divided among the N - 1 neurons that a spike inhibits, or given to each",
        NOT_STATED,
    )
    adaptive_threshold: bool = choice(True, (True, False), "excitability regulation on or off", "Eq. 7")
    theta_in_test: str = choice(
        "zero", ("zero", "frozen", "adapting"), "the threshold's theta while testing", NOT_STATED
    )
    pairing: str = choice("all", ("all", "nearest"), "spike pairs that STDP counts", NOT_STATED)
    reset_conductances: bool = choice(True, (True, False), "conductances are cleared at an image switch", NOT_STATED)
    reset_traces: bool = choice(True, (True, False), "STDP traces are cleared at an image switch", NOT_STATED)
    rate_coding: str = choice(
        "summed",
        ("summed", "peak", "binary"),
        "rates proportional to pixels with one sum for all images, with one rate for white, or"
        " equal for all lit pixels with one sum",
        NOT_STATED,
    )
    encoder: str = choice(
        "geometric", ("geometric", "bernoulli"), "one random number a spike, or one a step: the same process", "Eq. 1"
    )

    relations: ClassVar[tuple[str, ...]] = (
        "whole(t_train/dt)",
        "whole(t_test/dt)",
        f"max(t_train, t_test)/dt <= {poisson_inputs.MOST_STEPS}",
        "v_reset < v_thresh",
        "e_inh < e_exc",
        "w_min < w_max",
        "max_rate*dt <= 1 if rate_coding == 'peak'",
        "total_rate*dt <= pixels if rate_coding != 'peak'",
    )

    # The learning rule: what an input spike and an excitatory spike do to a weight; replace them for your own.
    depression: ClassVar[str] = plasticity.DEPRESSION
    potentiation: ClassVar[str] = plasticity.POTENTIATION

    slips: ClassVar[tuple[str, ...]] = (
        "Eq. 3 prints the driving force as v - E, with which excitation hyperpolarises; E - v is used.",
        "Eq. 5 prints exponents that grow with the interval; Fig. 3 shows decay, which is used.",
    )

    open_choices: ClassVar[tuple[str, ...]] = (
        "All choices below were made on images held out from training, by how well the pattern of Tables III to "
        "VI comes out over both data sets and both sizes: they were fitted to the numbers they are held beside. "
        "Every setting tried is in results/synaptic_scaling_search.md.",
        "Input: every image is scaled to one summed rate. With one rate for a white pixel, Fashion-MNIST has "
        "2.2 times the drive of MNIST, and its failure at L1 W_t = 60 cannot occur. With gain 1, 4,900 "
        "spikes/s put the border below which nothing fires where the paper has it.",
        "Inhibition: a strength shared by the N - 1 rivals. With the strength of N = 100 given to each, a "
        "network of 400 falls to chance wherever drive is high. How late it comes, which w_ei sets, decides "
        "how large W_t fail.",
        "At an image switch conductances and traces are cleared as well as the potential: otherwise one "
        "neuron wins image after image. Weights are bounded to [0, 1] by STDP; scaling, once an image, may "
        "exceed that.",
        "Testing: theta is zero and fixed. Kept at its trained value, the pattern is 4-5 points worse (RMS).",
        "Labels come from the second half of the training responses: 0-1.5 points better than all of them, in "
        "validation.",
        "Not explained (test images, 3 seeds; see results/synaptic_scaling.csv): on Fashion-MNIST, L2 at N = 100 is "
        "4 points above the paper at W_t 3/20 and 5 to 17 above elsewhere, and L1 60 at N = 100 is 6 and 11 above; on "
        "MNIST, L1 200/60 is 9 below at N = 100, L1 200/20 is 6 below at N = 400 and L2 11/20 is 5 above at N = 100. "
        "Slower inhibition lowers Fashion-MNIST and takes the L1 rows of MNIST along; every setting tried is in "
        "results/synaptic_scaling_search.md.",
    )

    # -- the network -----------------------------------------------------------------------------------
    def build(self, phase: str, precision: str, inputs: Arrays, record: tuple[str, ...] = ()) -> Network:
        """See `Model.build`. Phases: ``train``; ``respond`` (as long, but nothing learns) and ``test``."""
        learns = phase == "train"
        poisson_inputs.refuse_long_block(self, phase, len(inputs["rates"]))
        clock = Clock(self.dt, name="step_clock")
        rates = TimedArray(inputs["rates"] * hertz, dt=self.sample_steps(phase) * self.dt, name="rates")
        constants = {
            "rates": rates,
            "sample_steps": self.sample_steps(phase),
            **poisson_inputs.CONSTANTS,
            "p_norm": self.p_norm,
            "n_rivals": max(self.neurons - 1, 1) if self.inhibition == "shared" else 1,
        }
        group = {"clock": clock, "namespace": constants, "method": "exponential_euler"}
        path = {"clock": clock, "namespace": constants}

        input_ = self._input(learns, group)
        excitatory = self._excitatory(phase, group)
        inhibitory = NeuronGroup(
            self.neurons,
            Equations(neurons.MEMBRANE_EXCITED_ONLY, tau_m="tau_m_inh")
            + Equations(
                neurons.EXCITATORY_CONDUCTANCE
                + self.declare("tau_m_inh", "e_l", "e_exc", "tau_s", "t_ref_inh", "v_thresh", "v_reset")
            ),
            threshold=neurons.FIRES,
            reset=neurons.RESET,
            refractory="t_ref_inh",
            events={"switch": SAMPLE_BEGINS},
            name="inhibitory",
            **group,
        )
        excitatory.v = inhibitory.v = self.e_l
        hub = NeuronGroup(1, topologies.HUB, events={"inhibit": topologies.HUB_FIRES}, name="hub", **group)

        plastic = self._input_synapses(learns, input_, excitatory, path)
        to_inhibitory = Synapses(
            excitatory, inhibitory, self.declare("w_ei"), on_pre=synapses.EXCITE_FIXED, name="to_inhibitory", **path
        )
        to_inhibitory.connect(j="i")
        to_hub = Synapses(inhibitory, hub, on_pre=topologies.COUNT_INTO_HUB, name="to_hub", **path)
        to_hub.connect()
        from_hub = Synapses(
            hub,
            excitatory,
            self.declare("w_ie"),
            on_pre=topologies.INHIBIT_ALL,
            on_event="inhibit",
            name="from_hub",
            **path,
        )
        from_hub.connect()
        spare = Synapses(
            inhibitory, excitatory, self.declare("w_ie"), on_pre=topologies.SPARE_ONESELF, name="spare", **path
        )
        spare.connect(j="i")

        # The order of a step. At its start, if a sample begins: scaling and the reset of all that does not
        # outlive an image; then integration and thresholds; then transmission, depression, potentiation,
        # inhibition; resets and traces last, so that spikes of one step do not pair.
        for population in (input_, excitatory, inhibitory):
            population.set_event_schedule("switch", when="start", order=0)
        reset_inputs = encoders.GEOMETRIC_SWITCH if self.encoder == "geometric" else encoders.BERNOULLI_SWITCH
        reset_inputs = reset_inputs.format(rate="rates(t, i)")
        if learns and self.reset_traces:
            reset_inputs += "x = 0\n"
        input_.run_on_event("switch", reset_inputs, when="start", order=4)
        excitatory.run_on_event("switch", self._switch_excitatory(learns), when="start", order=2)
        inhibitory.run_on_event("switch", "v = e_l\n" + "g_e = 0\n" * self.reset_conductances, when="start", order=4)
        hub.set_event_schedule("inhibit", when="synapses", order=5)
        for order, pathway in enumerate((to_inhibitory.pre, to_hub.pre), start=3):
            pathway.when, pathway.order = "synapses", order
        for pathway in (from_hub.pre, spare.pre):
            pathway.when, pathway.order = "synapses", 6 + (pathway is spare.pre)
        hub.run_on_event("inhibit", topologies.CLEAR_HUB, when="synapses", order=8)

        recorded = dict.fromkeys((self.readout, *record))
        populations = {"input": input_, "excitatory": excitatory, "inhibitory": inhibitory}
        monitors = [SpikeMonitor(populations[p], name=f"{p}_spikes") for p in recorded]
        return Network(input_, excitatory, inhibitory, hub, plastic, to_inhibitory, to_hub, from_hub, spare, monitors)

    def _input(self, learns: bool, group: dict[str, Any]) -> NeuronGroup:
        geometric = self.encoder == "geometric"
        return NeuronGroup(
            self.pixels,
            (encoders.GEOMETRIC if geometric else encoders.BERNOULLI)
            + (plasticity.PRE_TRACE + self.declare("tau_p") if learns else ""),
            threshold=encoders.GEOMETRIC_FIRES if geometric else encoders.BERNOULLI_FIRES,
            reset=(encoders.GEOMETRIC_RESET if geometric else encoders.BERNOULLI_RESET)
            + (self._trace(plasticity.PRE_TRACE_ADDS, plasticity.PRE_TRACE_SETS) if learns else "")
            or "p_spike = p_spike",
            events={"switch": SAMPLE_BEGINS},
            name="input",
            **group,
        )

    def _excitatory(self, phase: str, group: dict[str, Any]) -> NeuronGroup:
        learns = phase == "train"
        theta = self._theta(phase)
        lines = neurons.EXCITATORY_CONDUCTANCE + neurons.INHIBITORY_CONDUCTANCE
        lines += self.declare("tau_m_exc", "e_l", "e_exc", "e_inh", "tau_s", "t_ref_exc", "v_thresh", "v_reset")
        reset = neurons.RESET
        if theta != "zero":
            lines += neurons.THRESHOLD
        if theta == "adapting":
            lines += self.declare("tau_theta", "theta_plus")
            reset += neurons.THETA_JUMP
        if learns:
            lines += plasticity.POST_TRACE + self.declare("tau_p")
            reset += self._trace(plasticity.POST_TRACE_ADDS, plasticity.POST_TRACE_SETS)
            if self.norm != "none":
                lines += homeostasis.SCALED_NEURON + self.declare("w_t")
                if self.scaling_at == "spike":
                    reset += homeostasis.CLEAR_NORM
        excitatory = NeuronGroup(
            self.neurons,
            Equations(neurons.MEMBRANE, tau_m="tau_m_exc") + Equations(lines),
            threshold=neurons.FIRES if theta == "zero" else neurons.FIRES_ADAPTIVE,
            reset=reset,
            refractory="t_ref_exc",
            events={"switch": SAMPLE_BEGINS},
            name="excitatory",
            # theta moves by 5e-6 of itself a step, which float32 would round to a few of its digits
            dtype={"theta": np.float64, "tau_theta": np.float64, "theta_plus": np.float64},
            **group,
        )
        if theta == "adapting":
            excitatory.run_regularly(neurons.THETA_DECAYS, when="groups", order=1)
        return excitatory

    def _input_synapses(
        self, learns: bool, input_: NeuronGroup, excitatory: NeuronGroup, path: dict[str, Any]
    ) -> Synapses:
        if not learns:
            plastic = Synapses(
                input_,
                excitatory,
                "w : 1\n" + self.declare_used(synapses.EXCITE, besides=tuple(excitatory.variables)),
                on_pre=synapses.EXCITE,
                name="plastic",
                **path,
            )
            plastic.connect()
            return plastic
        on_pre = {"transmit": synapses.EXCITE + self.depression}
        on_post = {"potentiate": self.potentiation}
        events = {"transmit": "spike", "potentiate": "spike"}
        if self.norm != "none":
            # one and the same pair of pathways, triggered from the side that knows the moment
            side, event = (on_pre, "switch") if self.scaling_at == "image" else (on_post, "spike")
            side["add_to_norm"] = homeostasis.ADD_TO_NORM[self.norm]
            side["apply_scale"] = homeostasis.APPLY if self.scaling_at == "image" else homeostasis.APPLY_NORM[self.norm]
            events |= {"add_to_norm": event, "apply_scale": event}
        plastic = Synapses(
            input_,
            excitatory,
            # what the target declares is read from there
            "w : 1\n" + self.declare_used(*on_pre.values(), *on_post.values(), besides=tuple(excitatory.variables)),
            on_pre=on_pre,
            on_post=on_post,
            on_event=events,
            name="plastic",
            **path,
        )
        plastic.connect()
        plastic.transmit.order, plastic.potentiate.order = 0, 1
        if self.norm != "none":
            if self.scaling_at == "image":
                plastic.add_to_norm.when = plastic.apply_scale.when = "start"
                plastic.add_to_norm.order, plastic.apply_scale.order = 1, 3
            else:
                plastic.add_to_norm.order, plastic.apply_scale.order = 9, 10
        return plastic

    def _switch_excitatory(self, learns: bool) -> str:
        code = "v = e_l\n"
        if self.reset_conductances:
            code += "g_e = 0\ng_i = 0\n"
        if learns and self.reset_traces:
            code += "y = 0\n"
        if learns and self.norm != "none" and self.scaling_at == "image":
            code += homeostasis.FACTOR[self.norm] + homeostasis.CLEAR_NORM
        return code

    def _trace(self, adds: str, sets: str) -> str:
        return adds if self.pairing == "all" else sets

    def _theta(self, phase: str) -> str:
        if not self.adaptive_threshold:
            return "zero"
        return "adapting" if phase == "train" else self.theta_in_test

    # -- declarations ----------------------------------------------------------------------------------
    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return round(float((self.t_test if phase == "test" else self.t_train) / self.dt))

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Weights uniform in [0, 1) (Section V.A)."""
        return {"plastic.w": generator.random(self.pixels * self.neurons)}

    def handed_on(self, state: Arrays) -> Arrays:
        """See `Model.handed_on`: weights are scaled once more, since the last image has moved them (Eq. 6)."""
        if self.norm == "none":
            return dict(state)
        w = state["plastic.w"].reshape(self.pixels, self.neurons)
        p = {"L1": 1.0, "L2": 2.0}.get(self.norm, self.p_norm)
        norms = (np.abs(w.astype(np.float64)) ** p).sum(axis=0) ** (1 / p)
        scaled = w * (self.w_t / np.where(norms > 0, norms, 1))
        return {**state, "plastic.w": scaled.astype(w.dtype).ravel()}

    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """Pixels as firing rates in hertz, ``(samples, pixels)`` (Eq. 1)."""
        if self.rate_coding == "peak":
            return {"rates": np.divide(images, 255, dtype=np.float64) * float(self.max_rate)}
        pixels = images > 0 if self.rate_coding == "binary" else images
        total = pixels.sum(axis=1, keepdims=True, dtype=np.float64)
        return {"rates": pixels * (float(self.total_rate) / np.where(total > 0, total, 1))}

    def input_spikes(self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]) -> float:
        """See `Model.input_spikes`."""
        seconds = self.sample_steps(phase) * float(self.dt / second)
        return float((self.encode(images)["rates"].sum(axis=1) * presentations).sum() * seconds)

    # -- the learning rule on its own ------------------------------------------------------------------
    def build_pairs(self, precision: str, pre_steps: NDArray[np.int64], post_steps: NDArray[np.int64]) -> Network:
        """One synapse a spike pair, with this model's own STDP strings: what Fig. 3 shows.

        Parameters
        ----------
        pre_steps, post_steps : int arrays of one length
            The step at which each synapse's source and target fire, once each.

        Returns
        -------
        Network
            Run it for longer than the last spike; ``network["plastic"].w`` then holds the weights, which
            begin at (w_min + w_max)/2.
        """
        return spike_pairs.network(
            self,
            self.dt,
            pre_steps,
            post_steps,
            pre_trace=plasticity.PRE_TRACE,
            pre_reset=self._trace(plasticity.PRE_TRACE_ADDS, plasticity.PRE_TRACE_SETS),
            post_trace=plasticity.POST_TRACE,
            post_reset=self._trace(plasticity.POST_TRACE_ADDS, plasticity.POST_TRACE_SETS),
            on_pre=self.depression,
            on_post=self.potentiation,
            start=(self.w_min + self.w_max) / 2,
        )

    def pair_constants(self) -> tuple[float, float, Quantity]:
        """A+, A- and tau_p of Eq. 5: what a pair weakens is minus A-."""
        return self.a_plus, self.a_minus, self.tau_p
