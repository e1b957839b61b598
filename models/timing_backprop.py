"""Yamamoto et al.: layers of spiking neurons that learn by exact gradients with regard to the times of their spikes.

K. Yamamoto, Y. Sakemi and K. Aihara, "Timing-Based Backpropagation in Spiking Neural Networks Without Single-Spike
Restrictions".
Each pixel becomes one spike, the earlier the brighter; hidden neurons fire as often as they do, at exact times; the
potentials of output neurons at the end of a sample are the answer (Eqs. 1-20). While the next sample is shown, the
gradient of the loss (Eqs. 21-24) passes through the sample in reversed time, spike by spike; after a batch, Adam takes
a step. The paper prints no equation of the gradient: those below follow from Eqs. 15 to 20.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, Synapses, hertz, kHz, ms
from numpy.typing import NDArray

from hebbarium.equations import classification
from hebbarium.equations.optimisers import ADAM, Optimiser
from hebbarium.equations.strings import Strings, chosen, lines, renamed
from hebbarium.models.contract import Arrays, choice, encoding, quantity, structure
from hebbarium.models.layered import Layered
from hebbarium.models.parts import BEGINS, ENDS, At, Parts
from hebbarium.models.ranges import FRACTION, NOT_NEGATIVE, POSITIVE, PROBABILITY, SIZE, Range
from hebbarium.models.readouts import Measure, Readout, SpikeCount, Value
from hebbarium.models.slots import ONE_BY_ONE, Slots

LEVELS = 255
"""Steps of brightness: each is a step of time."""
P = 2.0
"""tau_I/tau_V, for which Eq. 19 gives the time of a spike."""

LEAST_TAU, MOST_TAU = 2e-4, 1000
"""tau_i in parts of t_black, with one step a level: below, next to nothing is left after a step; above, single
precision loses what decays in one, and ``leak=none`` is the limit."""

# The order of what happens in a step. At its beginning: a sample may begin; inputs fire; then each layer, from below.
BEGIN, KEEP, CLEAR, RECALL, FIRE_INPUT, TRANSMIT_INPUT, FIRST_LAYER = range(7)
FIRE, RESET, STORE, TRANSMIT, A_LAYER = range(5)
# At its end, each layer of the sample before, from above: a spike is met again. Then inputs, and what a sample and a
# batch end with.
MEET, GATHER, PASS, NEXT, A_LAYER_BACK = range(5)
ECHO, GATHER_INPUT, FINISH, COMPARE, SETTLE, STEP, PREPARE, CHANGE = range(8)

# The step of the sample that is shown, and of the sample before in reversed time, counted from one.
TICKS = """
    tick = t_in_timesteps % sample_steps + 1 : integer (shared)
    tick_back = sample_steps - t_in_timesteps % sample_steps : integer (shared)
"""
SPIKING = """
    slope : Hz                                                      # dV/dt at the last spike
    n_spikes : 1                                                    # of this sample
    cell : 1                                                        # where the last spike is kept
    n_late : 1                                                      # spikes after which the same step has another
"""
# A spike of the sample before that reversed time comes to next, and what a batch counts.
BACK = """
    back_tick : 1
    back_z : {unit}
    back_slope : Hz
    last : 1                                                        # the cell of this spike; below zero, there is none
    timing : Hz                                                     # what the loss changes with the spike's time
    n_tangent : 1                                                   # spikes with hardly any slope
    n_active : 1                                                    # samples of this batch in which it fired
    active : 1                                                      # part of the last batch in which it fired
    dead : 1                                                        # weight of the penalty
"""
# Samples of a batch, which is as large as there are samples.
BATCH = """
    n_samples : 1                                                   # of this batch
    n_batch : 1                                                     # of the one that is over
"""
RENEW = """
    n_batch = n_samples
    n_samples = 0
"""
BEGIN_BACK = """
    n_active += int(n_spikes > 0)
    n_samples += occupied(t)
    lambda_v = 0
    lambda_i = 0
    mu_v = -1
    mu_i = 0
    last = n_spikes
"""
CALLED = """
    timing = 0*Hz
    last -= 1
    back_tick = 0
    back_z = 0{unit}
    back_slope = 0*Hz
"""


@dataclass(frozen=True, eq=False)
class TimingBackprop(Layered):
    """The network of Yamamoto et al.: any number of hidden layers of any size."""

    name: ClassVar[str] = "timing_backprop"
    title: ClassVar[str] = "Layers of neurons with many exactly timed spikes, and their exact gradient"
    paper: ClassVar[str] = (
        "K. Yamamoto, Y. Sakemi and K. Aihara, Timing-Based Backpropagation in Spiking Neural Networks Without "
        "Single-Spike Restrictions"
    )
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    beyond_layers: ClassVar[str] = (
        "its neurons spike at exact times within steps, and the neurons that can be written do not say such times"
    )
    readouts: ClassVar[tuple[Readout, ...]] = (Readout("potential", Value("output", symbol="v"), "largest"),)
    shown_state: ClassVar[Mapping[str, Any]] = {"active": 1, "n_tangent": 1, "n_late": 1}
    told_counts: ClassVar[Mapping[str, str]] = {
        "n_tangent": "spikes whose dV/dt was below slope_bound, which their gradients were divided by",
        "n_late": "spikes after which the same step has another, found one step late: more steps (refine) have fewer",
    }
    relations: ClassVar[tuple[str, ...]] = (
        f"tau_i >= {LEAST_TAU}*t_black/refine if leak == 'leaky'",
        f"tau_i <= {MOST_TAU}*t_black/refine if leak == 'leaky'",
    )

    # Architecture (Section III)
    layers: tuple[int, ...] = structure((400,), 1, "neurons of the hidden layers, from below", "Section III", SIZE)
    pixels: int = structure(784, 1, "input neurons, one a pixel", "Section III", SIZE)
    classes: int = structure(10, 1, "output neurons, one a class", "Section III", SIZE)
    t_black: Quantity = structure(
        1 * ms, ms, "time of a black pixel's spike; a white one's is 0", "Section III; unit from IV", POSITIVE
    )
    t_out: Quantity = structure(
        1 * ms, ms, "end of a sample, when output neurons are read", "Section III", POSITIVE
    )
    refine: int = structure(1, 1, "time steps of one level of brightness", "not stated; times are exact", SIZE)
    most: int = structure(
        24, 1, "spikes of a neuron in a sample, at most, spikes=many (N_2)", "Algorithm 1; not stated", Range(1, 1000)
    )

    # Neurons (Eqs. 1-4)
    tau_i: Quantity = quantity(
        0.8 * ms, ms, "decay of the postsynaptic current; tau_V is half of it", "Section III", POSITIVE
    )
    beta_v: Quantity = quantity(1 * kHz, hertz, "scale of the current (beta_V)", "Eq. 3", POSITIVE)
    v_thresh: float = quantity(1.0, 1, "threshold (V_th)", "Eq. 4", POSITIVE)

    # Learning (Eqs. 21-24)
    batch: int = structure(100, 1, "samples of a batch", "Section III", SIZE)
    eta: float = quantity(1e-3, 1, "learning rate", "Section III", NOT_NEGATIVE)
    beta_1: float = quantity(0.9, 1, "memory of Adam for gradients", "[21]; not stated", PROBABILITY)
    beta_2: float = quantity(0.999, 1, "memory of Adam for their squares", "[21]; not stated", PROBABILITY)
    epsilon: float = quantity(1e-8, 1, "what Adam adds to a divisor", "[21]; not stated", POSITIVE)
    penalty: float = quantity(0.01, 1, "strength of the dead neuron penalty (lambda)", "Section III", NOT_NEGATIVE)
    least_active: float = quantity(
        0.1, 1, "part of a batch in which a neuron that is not dead fires", "Section III, Eq. 21", FRACTION
    )
    sigma: float = quantity(1e-4, 1, "strength of the norm of outputs", "Section III, Eq. 24", NOT_NEGATIVE)
    slope_floor: Quantity = quantity(
        0 * kHz, hertz, "dV/dt at a spike, at least, where a gradient is divided by it", "own; 0 is the paper's",
        NOT_NEGATIVE,
    )
    slope_bound: Quantity = quantity(
        1e-6 * kHz, hertz, "dV/dt at a spike below which it is counted, and taken for this", "own", POSITIVE
    )
    w_mean: float = encoding(0.03, 1, "mean of initial weights", "Section III", Range(-1e6, 1e6))
    w_sd: float = encoding(
        0.3, 1, "standard deviation of initial weights", "Section III: \"variance\" 0.3", NOT_NEGATIVE
    )

    # Readings of the paper, and what it is compared with
    spikes: str = choice("many", ("many", "one"), "whether a neuron may fire many times in a sample", "Section III")
    leak: str = choice(
        "leaky", ("leaky", "none"), "whether potentials and currents decay; none: the limit of a large tau_i",
        "Section III; Table I, non-leaky*",
    )
    reset: str = choice("potential", ("potential", "double"), "whether a spike resets the current too", "Section IV")
    reset_path: str = choice(
        "kept", ("kept", "cut"), "whether the gradient passes through resets", "Fig. 1; Section IV"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        steps = float(self.t_out / self.dt)
        if round(steps) < 2 or abs(steps - round(steps)) > 1e-6 * steps:
            raise ValueError(
                f"t_out={self.t_out}: expected two or more whole time steps, which are"
                f" t_black/{LEVELS * self.refine} = {self.dt}"
            )

    @property
    def dt(self) -> Quantity:
        """The time step: inputs fire at the beginning of one."""
        return self.t_black / (LEVELS * self.refine)

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md.
    # Where two strings stand, the second is the limit of large time constants. p is tau_I/tau_V, two.

    # Input neurons (Section II.B): one spike each, in a step counted from one; zero is none.
    latency = """
        due : 1                                                     # the step of the spike
        due_before : 1                                              # the same in the sample before
    """
    input_fires = "due == tick"
    echoes = "due_before == tick_back"

    # Neurons (Eqs. 1-4)
    membrane: ClassVar[Strings] = {
        "leaky": """
            dv/dt = -p*v/tau_i + beta_v*i_syn : 1                   # Eq. 3
            di_syn/dt = -i_syn/tau_i : 1                            # Eq. 2
        """,
        "none": """
            dv/dt = beta_v*i_syn : 1                                # Eq. 3
            i_syn : 1                                               # Eq. 2
        """,
    }
    input_transmission = "i_syn_post += w                           # Eqs. 1, 2"

    # A spike inside a step, before the step is integrated (Eqs. 15-19). `lead` is where it is: z - 1 of Eq. 19 with z
    # from the step's beginning, or the time from there. In Eq. 19, A = tau_I*I and B = A - V; its root is
    # written so that no two large numbers are subtracted.
    crossing: ClassVar[Strings] = {
        "leaky": """
            rise = tau_i*beta_v*i_syn - p*v_thresh : 1              # A - 2 V_th
            discriminant = rise*rise - p*p*v_thresh*(v_thresh - v) : 1        # A**2 - 4 V_th B
            lead = p*(v_thresh - v)/(rise + sqrt(abs(discriminant))) : 1     # Eq. 19
            needed = p/expm1(dt/tau_i)*(v_thresh - v) - rise : 1    # of the root, for a spike before the step's end
        """,
        "none": """
            lead = (v_thresh - v)/(beta_v*i_syn) : second
        """,
    }
    # Whether `lead` is within the step, asked of all neurons without the root and the quotient that only a spike needs.
    fires: ClassVar[Strings] = {
        "leaky": "rise > 0 and discriminant > 0 and (needed < 0 or needed*needed < discriminant)"
        " and n_spikes < most",
        "none": "i_syn > 0 and v_thresh - v < beta_v*i_syn*dt and n_spikes < most",
    }
    # The state of a step's beginning from which the step leads to what it would be after the spike inside it.
    spike: ClassVar[Strings] = {
        "leaky": """
            z = 1 + lead                                            # Eq. 19
            slope = sqrt(abs(discriminant))/(z*tau_i)               # dV/dt at the spike
            v -= v_thresh*z**2                                      # Eqs. 4, 17
        """,
        "none": """
            z = lead
            slope = beta_v*i_syn
            v -= v_thresh                                           # Eq. 4
        """,
    }
    double_reset = """
        v = 0
        i_syn = 0
    """
    # In this order: on the NumPy device `a = b` makes both one array.
    cell = """
        n_spikes += 1
        cell = n_spikes - 1
    """
    transmission: ClassVar[Strings] = {
        "leaky": """
            i_syn_post += w*z_pre                                   # Eq. 16
            v_post -= w*beta_v*tau_i*z_pre*(z_pre - 1)              # Eqs. 16, 17
        """,
        "none": """
            i_syn_post += w
            v_post -= w*beta_v*z_pre
        """,
    }
    place: ClassVar[Strings] = {"leaky": "z : 1", "none": "z : second"}

    # The loss (Eqs. 20, 23, 24) and its derivative with regard to the potential of an output neuron at t_out.
    output_error = """
        {cross_entropy}                                             # Eq. 23
        error += two*sigma*v/n_classes                                # Eq. 24
        error *= occupied(t)
        partition = 0
    """

    # The gradient, in reversed time: what the loss changes with a neuron's potential and current. A spike moves by
    # -1/slope with the potential before it: all that comes after it, and what it does above (`timing`).
    adjoint: ClassVar[Strings] = {
        "leaky": """
            dlambda_v/dt = -p*lambda_v/tau_i : 1
            dlambda_i/dt = -lambda_i/tau_i + beta_v*lambda_v : 1
        """,
        "none": """
            lambda_v : 1
            dlambda_i/dt = beta_v*lambda_v : 1
        """,
    }
    met = "back_tick == tick_back"
    timing: ClassVar[Strings] = {
        "leaky": "timing_pre += w*back_z_pre*(lambda_i_post/tau_i - beta_v*lambda_v_post*(p*back_z_pre - 1))",
        "none": "timing_pre -= w*beta_v*lambda_v_post",
    }
    divisor = """
        divisor = back_slope + (slope_floor - back_slope)*int(back_slope < slope_floor)
        n_tangent += int(divisor < slope_bound)
        divisor = divisor + (slope_bound - divisor)*int(divisor < slope_bound)
    """
    after: ClassVar[Strings] = {"leaky": "after = lambda_v*back_z**2", "none": "after = lambda_v"}
    # Through the reset: what is above the threshold after the spike has risen as fast as the current makes it.
    before: ClassVar[Strings] = {
        "leaky": "before = ((back_slope + p*v_thresh/tau_i)*after - {timing})/divisor",
        "none": "before = (back_slope*after - {timing})/divisor",
    }
    before_cut = "before = -{timing}/divisor"
    passed: ClassVar[Strings] = {
        "leaky": """
            lambda_v += (before - after)/back_z**2
            lambda_i += (before - after)*beta_v*tau_i*(back_z - 1)/back_z**2
        """,
        "none": """
            lambda_i += (before - after)*beta_v*back_z
            lambda_v += before - after
        """,
    }
    passed_double: ClassVar[Strings] = {
        "leaky": """
            lambda_v += (before - after)/back_z**2
            lambda_i = before*beta_v*tau_i*(back_z - 1)/back_z**2
        """,
        "none": """
            lambda_v += before - after
            lambda_i = before*beta_v*back_z
        """,
    }
    input_gradient = "gradient += lambda_i_post"
    gradient: ClassVar[Strings] = {
        "leaky": "gradient += back_z_pre*(lambda_i_post - beta_v*tau_i*lambda_v_post*(back_z_pre - 1))",
        "none": "gradient += lambda_i_post - beta_v*lambda_v_post*back_z_pre",
    }

    # A neuron that fires in few samples of a batch ought to come nearer to its threshold (Eqs. 21, 22). Which do is
    # known only after the batch: their gradient, of -V at t_out, is kept apart. `hair` is what rounding
    # may do to a number of samples.
    dead = "dead = penalty*int(n_active < least_active*n_samples - hair)/n_neurons      # Eqs. 21, 22, 24"

    # Spikes of a sample, one a cell, and those of the sample before.
    memory = """
        tick_of : 1
        z_of : {unit}
        slope_of : Hz
        tick_before : 1
        z_before : {unit}
        slope_before : Hz
    """
    store = """
        tick_of += int(j == cell_pre)*(tick_pre - tick_of)
        z_of += int(j == cell_pre)*(z_pre - z_of)
        slope_of += int(j == cell_pre)*(slope_pre - slope_of)
    """
    keep = """
        tick_before = tick_of
        z_before = z_of
        slope_before = slope_of
    """
    recall = """
        back_tick_pre += int(j == last_pre)*tick_before
        back_z_pre += int(j == last_pre)*z_before
        back_slope_pre += int(j == last_pre)*slope_before
    """

    optimiser: ClassVar[Optimiser] = ADAM

    # -- the network -----------------------------------------------------------------------------------
    @property
    def _most(self) -> int:
        """Spikes of a neuron in a sample, at most."""
        return 1 if self.spikes == "one" else self.most

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. Phases: ``train`` and ``test``, which goes forward only."""
        learns = phase == "train"
        constants = {
            "p": P, "two": 2.0, "half": 0.5, "nothing": 0.0, "hair": 1e-3, "most": self._most, "n_classes": self.classes
        }
        parts = Parts(self, self.dt, self.sample_steps(phase), inputs, {}, **constants)
        populations = {name: self._population(parts, name, learns) for name in self._sizes}
        pathways = [
            self._pathway(parts, populations[below], populations[above], depth, learns)
            for depth, (below, above) in enumerate(itertools.pairwise(self._sizes), start=1)
        ]
        if not learns:
            return Network(*populations.values(), *pathways)
        output = populations[self.readout]
        softmax = parts.synapses(
            "softmax", output, output, on_pre={"pre": At(self._last(COMPARE), classification.SOFTMAX, "finish")}
        )
        memories = [part for depth, name in enumerate(self.hidden, start=1)
                    for part in self._memory(parts, populations[name], depth)]
        return Network(*populations.values(), *pathways, softmax, *memories)

    @staticmethod
    def _at_layer(depth: int, what: int) -> str:
        """The place in a step of what a hidden layer does; the lowest is at depth 1."""
        return f"start {FIRST_LAYER + (depth - 1) * A_LAYER + what}"

    def _back(self, depth: int, what: int) -> str:
        """The place in a step of what a hidden layer does in reversed time, from above."""
        return f"end {(len(self.layers) - depth) * A_LAYER_BACK + what}"

    def _last(self, what: int) -> str:
        """The place in a step of what comes after all layers."""
        return f"end {len(self.layers) * A_LAYER_BACK + what}"

    def _population(self, parts: Parts, name: str, learns: bool) -> NeuronGroup:
        if name == "input":
            return self._inputs(parts, learns)
        return self._output(parts, learns) if name == self.readout else self._hidden(parts, name, learns)

    def _events(self, learns: bool, **others: At) -> dict[str, At]:
        """Events that all neurons have, and others."""
        steps = {"step": At(self._last(STEP), f"{ENDS.code} and occupied(t) < half")} if learns else {}
        return {"begin": BEGINS, **steps, **(others if learns else {})}

    def _inputs(self, parts: Parts, learns: bool) -> NeuronGroup:
        inputs = parts.neurons(
            "input",
            self.pixels,
            (self.latency, TICKS),
            threshold=self.input_fires,
            events=self._events(learns, echo=At(self._last(ECHO), self.echoes)),
            runs=[At(f"start {CLEAR}", (learns and "due_before = due", "due = latencies(t, i)"), "begin")],
        )
        inputs.thresholder["spike"].when, inputs.thresholder["spike"].order = "start", FIRE_INPUT
        return inputs

    def _hidden(self, parts: Parts, name: str, learns: bool) -> NeuronGroup:
        depth, leak = 1 + self.hidden.index(name), self.leak
        double = self.reset == "double"
        hidden = parts.neurons(
            name,
            self._sizes[name],
            (
                chosen(self.membrane, leak), chosen(self.crossing, leak), chosen(self.place, leak), SPIKING, TICKS,
                learns and (self._adjoint("lambda"), self._adjoint("mu"), BACK.format(unit=self._unit), BATCH,
                            self.optimiser.target),
            ),
            threshold=chosen(self.fires, leak),
            reset=(chosen(self.spike, leak), double and self.double_reset, self.cell,
                   f"n_late += int({chosen(self.fires, leak)})"),
            events=self._events(learns, met=At(self._back(depth, MEET), self.met)),
            runs=[
                At(f"start {CLEAR}", (
                    "v = 0\ni_syn = 0",
                    learns and (BEGIN_BACK, self._called),
                    "n_spikes = 0",
                ), "begin"),
                learns and At(self._back(depth, PASS), self._passing(), "met"),
                learns and At(self._last(PREPARE), (
                    self.dead, "active = n_active/n_samples", self.optimiser.begin, RENEW, "n_active = 0",
                ), "step"),
            ],
            constants={"n_neurons": self._sizes[name]},
            method=self._method,
        )
        for part, what in ((hidden.thresholder["spike"], FIRE), (hidden.resetter["spike"], RESET)):
            part.when, part.order = "start", FIRST_LAYER + (depth - 1) * A_LAYER + what
        return hidden

    def _output(self, parts: Parts, learns: bool) -> NeuronGroup:
        return parts.neurons(
            self.readout,
            self.classes,
            (
                chosen(self.membrane, self.leak),
                learns and (self._adjoint("lambda"), classification.PARTITION, "error : 1", BATCH,
                            self.optimiser.target),
            ),
            threshold="False",  # "The threshold is set to infinite only for the output neurons"
            events=self._events(learns, finish=At(self._last(FINISH), ENDS.code)),
            runs=[
                At(f"start {CLEAR}", (
                    learns and "lambda_v = error\nlambda_i = 0\nn_samples += occupied(t)", "v = 0\ni_syn = 0",
                ), "begin"),
                learns and At(
                    self._last(SETTLE), self.output_error.format(cross_entropy=classification.CROSS_ENTROPY), "finish"
                ),
                learns and At(self._last(PREPARE), (self.optimiser.begin, RENEW), "step"),
            ],
            method=self._method,
        )

    def _adjoint(self, letter: str) -> str:
        """The equations of one adjoint: ``lambda`` of the loss, ``mu`` of the penalty."""
        return self._of(letter, chosen(self.adjoint, self.leak))

    @staticmethod
    def _of(letter: str, code: str) -> str:
        names = ("lambda_v", "lambda_i", "dlambda_v", "dlambda_i", "lambda_v_post", "lambda_i_post")
        return renamed(code, **{name: name.replace("lambda", letter) for name in names})

    @property
    def _unit(self) -> str:
        return "1" if self.leak == "leaky" else "second"

    @property
    def _method(self) -> str:
        """Exact either way: without leak nothing that is integrated depends on what is."""
        return "exact" if self.leak == "leaky" else "euler"

    def _passing(self) -> str:
        """How both adjoints pass a spike; nothing above depends on the penalty of a layer."""
        double = self.reset == "double"
        before = self.before_cut if double or self.reset_path == "cut" else chosen(self.before, self.leak)
        passed = chosen(self.passed_double if double else self.passed, self.leak)
        whole = lines(chosen(self.after, self.leak), before, passed)
        return lines(
            self.divisor,
            whole.format(timing="timing"),
            self._of("mu", whole.format(timing="nothing*Hz")),
            self._called,
        )

    @property
    def _called(self) -> str:
        """Make room for the spike that reversed time comes to next."""
        return CALLED.format(unit="" if self.leak == "leaky" else "*second")

    def _pathway(self, parts: Parts, below: NeuronGroup, above: NeuronGroup, depth: int, learns: bool) -> Synapses:
        """The synapses onto the layer at this depth; below the first, all is on the grid of steps."""
        first, last = depth == 1, above.name == self.readout
        event = "echo" if first else "met"
        gather = self.input_gradient if first else chosen(self.gradient, self.leak)
        at = self._last(GATHER_INPUT) if first else self._back(depth - 1, GATHER)
        penalised = not last and self._of("mu", gather).replace("gradient", "nearer")
        gradient = "gradient/n_batch_post" if last else "(gradient + dead_post*nearer)/n_batch_post"
        transmission = self.input_transmission if first else chosen(self.transmission, self.leak)
        return parts.synapses(
            f"to_{above.name}",
            below,
            above,
            ("w : 1", learns and ("gradient : 1", not last and "nearer : 1", self.optimiser.synapse)),
            on_pre={
                "transmit": At(
                    f"start {TRANSMIT_INPUT}" if first else self._at_layer(depth - 1, TRANSMIT), transmission
                ),
                "gather": learns and At(
                    at, (not first and chosen(self.timing, self.leak), gather, penalised), event
                ),
                "change": learns and At(self._last(CHANGE), (
                    self.optimiser.step.format(gradient=gradient), "gradient = 0", not last and "nearer = 0",
                ), "step"),
            },
        )

    def _memory(self, parts: Parts, hidden: NeuronGroup, depth: int) -> tuple[NeuronGroup, Synapses]:
        """Where the spikes of a layer are kept until they are met in reversed time."""
        cells = parts.neurons(f"cells_{depth}", self._most, "")
        memory = parts.synapses(
            f"memory_{depth}",
            hidden,
            cells,
            self.memory.format(unit=self._unit),
            on_pre={
                "store": At(self._at_layer(depth, STORE), self.store),
                "keep": At(f"start {KEEP}", self.keep, "begin"),
                "recall": At(f"start {RECALL}", self.recall, "begin"),
                "next": At(self._back(depth, NEXT), self.recall, "met"),
            },
        )
        return cells, memory

    # -- declarations ----------------------------------------------------------------------------------
    def slots(self, phase: str) -> Slots:
        """See `Model.slots`: while the sample after a batch would be shown, the last one's gradient is gathered."""
        return Slots(self.batch, idle=1, in_turn=True) if phase == "train" else ONE_BY_ONE

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return round(float(self.t_out / self.dt))

    def measures(self, learns: bool) -> tuple[Measure, ...]:
        """See `Model.measures`: in testing, spikes of hidden neurons too."""
        counts = () if learns else tuple(SpikeCount(name) for name in self.hidden)
        return (*super().measures(learns), *counts)

    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """Steps ``(samples, pixels)`` of spikes, counted from one, by inverted brightness; zero where there is none."""
        steps = (LEVELS - images.astype(np.float32)) * self.refine
        return {"latencies": np.where(steps < self.sample_steps("test"), steps + 1, 0)}

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """See `Model.inputs`: latencies, and while learning the labels."""
        return self.encode(images) | ({"labels": labels.astype(np.float64)} if phase == "train" else {})

    def input_spikes(self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]) -> float:
        """See `Model.input_spikes`."""
        return float(((self.encode(images)["latencies"] > 0).sum(axis=1) * presentations).sum())

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Normally distributed weights."""
        return {
            f"to_{post}.w": self.w_mean + self.w_sd * generator.standard_normal(n_pre * n_post)
            for (_, n_pre), (post, n_post) in itertools.pairwise(self._sizes.items())
        }

    # -- what the paper leaves open ----------------------------------------------------------------------
    slips: ClassVar[tuple[str, ...]] = (
        "Algorithm 1, lines 19 and 20, adds w*z**2 to A and w*z to B; here A has w*z and B has w*z**2, as in Eqs. 16, "
        "17 and 20.",
        "The caption of Fig. 3 says tau_V = 0.2, 0.4, 6.4 where the text says tau_I = 0.2; it is taken as tau_I.",
    )

    open_choices: ClassVar[tuple[str, ...]] = (
        "Initial weights have \"variance\" 0.3, which is taken for the standard deviation; with 0.3 as the variance, "
        "w_sd is 0.548.",
        "A black pixel's spike would come at t_out, where nothing follows from it: it is left out.",
        "Table I's asterisk on non-leaky is not explained: leak=none is the limit of large time constants, where "
        "potentials and currents do not decay.",
        "most (N_2) is not stated. A neuron that has had its last spike is reset by it and goes on without firing, "
        "with spikes=one as well. A crossing at t_out is no spike.",
        "The potential of a hidden neuron at t_out (Eq. 22) is the one with all its resets. The penalty is a mean over "
        "all samples of a batch, also those in which the neuron fires.",
        "Which neurons are dead is counted over the batch that a step of Adam is taken for, however few samples the "
        "last one has.",
        "Of several hidden layers each has a penalty of its own (Eq. 22), whose gradient reaches the synapses onto "
        "that layer only.",
        "slope_floor is not the paper's. Near-tangent crossings divide by next to nothing: below slope_bound, dV/dt is "
        "taken for that and the spike counted (n_tangent).",
        "beta_1, beta_2 and epsilon of Adam are the usual ones.",
    )
