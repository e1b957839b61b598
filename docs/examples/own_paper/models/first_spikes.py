"""Bright pixels spike early; an output neuron answers by spiking first, and learns how easily it does so."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Clock, Network, NeuronGroup, Quantity, Synapses, TimedArray, ms, mV

from hebbarium.models.contract import Arrays, Model, quantity, structure
from hebbarium.models.readouts import Value, first_to_spike
from hebbarium.models.slots import Slots

FIRST = "t_in_timesteps % sample_steps == 0"
LAST = "t_in_timesteps % sample_steps == sample_steps - 1"


@dataclass(frozen=True, eq=False)
class FirstSpikes(Model):
    """Eight images at once, and one optimiser that takes its step when nothing is shown."""

    name: ClassVar[str] = "first_spikes"
    title: ClassVar[str] = "Answers by the first spike"
    paper: ClassVar[str] = "N. Body, A paper that does not exist"
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    # the class of the neuron that spikes first; of several, or if there is none, of that with the highest potential
    readouts = (first_to_spike("output", ties=Value("output", symbol="v", of_unit=mV)),)
    shown_state: ClassVar[dict[str, Any]] = {"b": mV}

    pixels: int = structure(784, 1, "input neurons", "Section 2")
    classes: int = structure(10, 1, "output neurons", "Section 2")
    batch: int = structure(8, 1, "images at once", "Section 3")
    dt: Quantity = structure(1 * ms, ms, "time step", "Section 2")
    t_shown: Quantity = structure(20 * ms, ms, "presentation time", "Section 2")
    tau_m: Quantity = quantity(15 * ms, ms, "membrane time constant", "Eq. 1")
    v_thresh: Quantity = quantity(20 * mV, mV, "threshold", "Eq. 1")
    w: Quantity = quantity(0.6 * mV, mV, "strength of all synapses", "Eq. 1")
    eta: Quantity = quantity(0.5 * mV, mV, "step of the optimiser", "Eq. 3")
    beta: float = quantity(0.9, 1, "memory of the optimiser", "Eq. 3")

    # latency, the step at which a pixel spikes, is an array of `inputs`; so are labels. The engine adds occupied, which
    # says which of the eight places hold an image: the last batch of a pass may not be full
    spikes = "abs(latency(t, i) - 1 - t_in_timesteps % sample_steps) < 0.5"
    membrane = """
        dv/dt = (b - v)/tau_m : volt                  # Eq. 1
        b : volt
        err : 1
        fired : 1
    """
    error = """
        target = int(abs(labels(t, i // n_classes) - i % n_classes) < 0.5)
        err = occupied(t, i // n_classes)*(target - fired)                      # Eq. 2
    """
    optimiser_step = """
        m = beta*m + (1 - beta)*g                     # Eq. 3
        b += eta*m                                    # Eq. 3
        g = 0
        steps_taken += 1
    """

    def slots(self, phase: str) -> Slots:
        """Eight images in a presentation; while the network learns, one without images follows each."""
        return Slots(batch=self.batch, idle=1 if phase == "train" else 0)

    def build(self, phase: str, inputs: Arrays) -> Network:
        """Input and output, for each of eight images; one optimiser for all."""
        clock = Clock(self.dt, name="step_clock")
        steps = self.sample_steps(phase)
        common: dict[str, Any] = {"sample_steps": steps, "n_classes": self.classes, "n_pixels": self.pixels}
        common |= {name: TimedArray(array, dt=steps * self.dt, name=name) for name, array in inputs.items()}
        group = {"clock": clock, "namespace": common}
        source = NeuronGroup(self.batch * self.pixels, "", threshold=self.spikes, reset="", name="input", **group)
        output = NeuronGroup(
            self.batch * self.classes, self.membrane + self.declare_used(self.membrane, "v > v_thresh"),
            threshold="v > v_thresh", reset="v = 0*volt\nfired = 1", method="exact", name="output",
            events={"begin": FIRST, "settle": LAST}, **group,
        )  # fmt: skip
        output.set_event_schedule("begin", when="start", order=0)
        output.run_on_event("begin", "v = 0*volt\nfired = 0", when="start", order=1)
        plan = Synapses(
            source, output, "a : 1 (constant)\n" + self.declare("w"), on_pre="v_post += w*a", name="plan", **group
        )
        plan.connect("i // n_pixels == j // n_classes")
        plan.a = "(0.5 + 0.5*sin(1.7*(i % n_pixels)*(1 + j % n_classes)))"
        if phase == "test":
            return Network(source, output, plan)
        output.set_event_schedule("settle", when="end", order=0)
        output.run_on_event("settle", self.error, when="end", order=1)
        variables = "b : volt\nm : 1\ng : 1\nsteps_taken : 1\n"
        optimiser = NeuronGroup(
            self.classes, variables + self.declare_used(self.optimiser_step),
            events={"step": f"{FIRST} and occupied(t, 0) < 0.5"}, name="optimiser", **group,
        )  # fmt: skip
        optimiser.set_event_schedule("step", when="start", order=2)
        optimiser.run_on_event("step", self.optimiser_step, when="start", order=3)
        collect = Synapses(output, optimiser, on_pre="g_post += err_pre", on_event="settle", name="collect", **group)
        collect.connect("i % n_classes == j")
        collect.pre.when, collect.pre.order = "end", 2
        hand_out = Synapses(optimiser, output, on_pre="b_post = b_pre", on_event="step", name="hand_out", **group)
        hand_out.connect("i == j % n_classes")
        hand_out.pre.when, hand_out.pre.order = "start", 4
        return Network(source, output, plan, optimiser, collect, hand_out)

    def inputs(self, phase: str, images: np.ndarray, labels: np.ndarray) -> Arrays:
        """Of each image, when its pixels spike, counted in steps from one; 0 for never."""
        dark = 255 - images.astype(float)
        latency = np.where(images > 50, 1 + np.floor(dark / 256 * self.sample_steps(phase)), 0)
        return {"latency": latency, **({"labels": labels.astype(float)} if phase == "train" else {})}

    def encode(self, images: np.ndarray) -> Arrays:
        """What a network that learns nothing is given."""
        return self.inputs("test", images, np.zeros(len(images), int))

    def between_passes(self, state: Arrays, generator: np.random.Generator) -> Arrays:
        """Gradients of before are forgotten, and easily woken neurons made a little harder to wake."""
        state["optimiser.m"] = np.zeros_like(state["optimiser.m"])
        state["optimiser.b"] = state["optimiser.b"] - 1e-4 * generator.random(self.classes)
        return state

    def sample_steps(self, phase: str) -> int:
        """Steps of a presentation."""
        return round(float(self.t_shown / self.dt))

    def input_spikes(self, phase: str, images: np.ndarray, presentations: np.ndarray) -> float:
        """Each pixel that is not dark spikes once."""
        return float(((images > 50).sum(axis=1) * presentations).sum())
