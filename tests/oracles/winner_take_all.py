"""The winner-take-all network of Touda & Okuno in plain NumPy, written from the paper's equations.

It knows nothing of the models, of Brian2 or of compiled programs. Times are in ms, potentials in mV, and the
input spikes are given, so that its results can be held against any implementation driven by the same spikes.
What the paper leaves open follows the settings it is handed; the conventions of a step are these:

1. where a sample begins, weights are scaled, membranes return to rest, conductances and traces are cleared;
2. membranes move one step towards their present equilibrium (exponential Euler: conductances as they were at
   the step's start), unless refractory: a neuron that fired at step k rests until step k + t_r/dt;
   conductances, traces and thresholds decay by their exact factor;
3. neurons above threshold that are not refractory fire;
4. spikes act: input spikes transmit the weight as it is, then depress it; excitatory spikes potentiate, reach
   their inhibitory neuron; inhibitory spikes reach all excitatory neurons but their own;
5. neurons that fired are reset; thresholds and traces jump last, so that spikes of one step do not pair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: The stages of a step, in order. `Settings.order` changes it, to show that a wrong order is noticed.
ORDER = (
    "begin", "integrate", "fire",
    "transmit", "depress", "potentiate", "excite", "inhibit", "scale_fired", "reset",
)


@dataclass(frozen=True)
class Settings:
    """Tables I and II, Section IV, and what the paper leaves open.

    Conductances are in units of the membrane's own; Eq. 4 divides by tau_s, so that strengths are in ms.
    """

    steps: int
    #: strengths, in ms: of a weight of one, onto an inhibitory neuron, and from one onto each excitatory neuron
    gain: float
    jump_inhibitory: float
    jump_excitatory: float
    dt: float = 1.0
    v_rest: float = -60.0
    v_reset: float = -60.0
    threshold: float = -40.0
    refractory_excitatory: float = 2.0
    refractory_inhibitory: float = 5.0
    tau_excitatory: float = 30.0
    tau_inhibitory: float = 5.0
    tau_theta: float = 2e5
    alpha: float = 0.11
    e_excitation: float = 0.0
    e_inhibition: float = -80.0
    tau_s: float = 20.0
    a_plus: float = 0.005
    a_minus: float = 0.0025
    tau_p: float = 20.0
    w_min: float = 0.0
    w_max: float = 1.0
    target: float = 9.0
    #: exponent p of the norm; None: no scaling
    p: float | None = 2.0
    scale_when_firing: bool = False
    nearest: bool = False
    adaptive: bool = True
    clear_conductances: bool = True
    clear_traces: bool = True
    order: tuple[str, ...] = ORDER


@dataclass
class Outcome:
    """Spikes as (step, neuron) in order, and what is left at the end."""

    excitatory: list[tuple[int, int]]
    inhibitory: list[tuple[int, int]]
    weights: Floats
    theta: Floats
    #: weights at the beginning of every sample, before they are scaled
    history: list[Floats] = field(default_factory=list)


class WinnerTakeAll:
    """The network's variables and the stages of a step.

    Parameters
    ----------
    settings : Settings
    weights : array ``(inputs, neurons)``
    theta : array ``(neurons,)``, optional
        Rise of the thresholds, in mV.
    """

    def __init__(self, settings: Settings, weights: Floats, theta: Floats | None = None) -> None:
        self.s = settings
        inputs, n = weights.shape
        self.w = weights.astype(np.float64, copy=True)
        self.theta = np.zeros(n) if theta is None else theta.astype(np.float64, copy=True)
        self.v, self.u = np.full(n, settings.v_rest), np.full(n, settings.v_rest)
        self.g_exc, self.g_inh, self.h_exc = np.zeros(n), np.zeros(n), np.zeros(n)
        self.x, self.y = np.zeros(inputs), np.zeros(n)
        self.rested = {"excitatory": np.full(n, -(10**9)), "inhibitory": np.full(n, -(10**9))}
        self.pre = np.zeros(inputs, bool)
        self.fired, self.answered = np.zeros(n, bool), np.zeros(n, bool)
        self.step = 0
        self.stages: dict[str, Callable[[], None]] = {
            "begin": self.begin, "integrate": self.integrate, "fire": self.fire, "transmit": self.transmit,
            "depress": self.depress, "potentiate": self.potentiate, "excite": self.excite,
            "inhibit": self.inhibit, "scale_fired": self.scale_fired, "reset": self.reset,
        }

    def run(self, samples: int, step: Integers, neuron: Integers) -> Outcome:
        """Present `samples` images whose input spikes are ``(step, neuron)``."""
        outcome = Outcome([], [], self.w, self.theta)
        last = samples * self.s.steps
        inputs = np.zeros((last, len(self.x)), bool)
        inputs[step, neuron] = True
        for self.step in range(last):
            self.pre = inputs[self.step]
            if self.step % self.s.steps == 0:
                outcome.history.append(self.w.copy())
            for stage in self.s.order:
                self.stages[stage]()
            outcome.excitatory += [(self.step, int(k)) for k in np.flatnonzero(self.fired)]
            outcome.inhibitory += [(self.step, int(k)) for k in np.flatnonzero(self.answered)]
        outcome.weights, outcome.theta = self.w, self.theta
        return outcome

    # -- stages ----------------------------------------------------------------------------------------
    def begin(self) -> None:
        """A new image: Section V.A resets the membranes; the rest is open."""
        if self.step % self.s.steps:
            return
        if not self.s.scale_when_firing:
            self.scale(np.ones_like(self.fired))
        self.v[:] = self.u[:] = self.s.v_rest
        if self.s.clear_conductances:
            self.g_exc[:] = self.g_inh[:] = self.h_exc[:] = 0
        if self.s.clear_traces:
            self.x[:] = self.y[:] = 0

    def scale(self, which: NDArray[np.bool_]) -> None:
        """Eq. 6."""
        if self.s.p is None:
            return
        for k in np.flatnonzero(which):
            norm = np.sum(np.abs(self.w[:, k]) ** self.s.p) ** (1 / self.s.p)
            if norm > 0:
                self.w[:, k] *= self.s.target / norm

    def scale_fired(self) -> None:
        """The other reading of when Eq. 6 applies."""
        if self.s.scale_when_firing:
            self.scale(self.fired)

    def integrate(self) -> None:
        """Eqs. 2-4 with E - v as driving force, Eq. 7 between spikes."""
        s = self.s
        total = 1 + self.g_exc + self.g_inh
        towards = (s.v_rest + self.g_exc * s.e_excitation + self.g_inh * s.e_inhibition) / total
        moves = self.may_move("excitatory", s.refractory_excitatory)
        moved = towards + (self.v - towards) * np.exp(-s.dt * total / s.tau_excitatory)
        self.v = np.where(moves, moved, self.v)

        total = 1 + self.h_exc
        towards = (s.v_rest + self.h_exc * s.e_excitation) / total
        moves = self.may_move("inhibitory", s.refractory_inhibitory)
        moved = towards + (self.u - towards) * np.exp(-s.dt * total / s.tau_inhibitory)
        self.u = np.where(moves, moved, self.u)

        for conductance in (self.g_exc, self.g_inh, self.h_exc):
            conductance *= np.exp(-s.dt / s.tau_s)
        for trace in (self.x, self.y):
            trace *= np.exp(-s.dt / s.tau_p)
        self.theta *= np.exp(-s.dt / s.tau_theta)

    def may_move(self, population: str, refractory: float) -> NDArray[np.bool_]:
        """Which neurons are not refractory at this step."""
        return np.asarray(self.step - self.rested[population] >= round(refractory / self.s.dt))

    def fire(self) -> None:
        """Thresholds."""
        s = self.s
        limit = s.threshold + (self.theta if s.adaptive else 0)
        self.fired = (self.v > limit) & self.may_move("excitatory", s.refractory_excitatory)
        self.answered = (self.u > s.threshold) & self.may_move("inhibitory", s.refractory_inhibitory)

    def transmit(self) -> None:
        """Eq. 4 for the spikes of the input."""
        self.g_exc += self.s.gain / self.s.tau_s * self.w[self.pre].sum(axis=0)

    def depress(self) -> None:
        """Eq. 5, post before pre."""
        s = self.s
        self.w[self.pre] = np.clip(self.w[self.pre] - s.a_minus * self.y, s.w_min, s.w_max)

    def potentiate(self) -> None:
        """Eq. 5, pre before post."""
        s = self.s
        grown = self.w[:, self.fired] + s.a_plus * self.x[:, None]
        self.w[:, self.fired] = np.clip(grown, s.w_min, s.w_max)

    def excite(self) -> None:
        """Eq. 4 for the spikes of the excitatory layer, one to one."""
        self.h_exc[self.fired] += self.s.jump_inhibitory / self.s.tau_s

    def inhibit(self) -> None:
        """Eq. 4 for the spikes of the inhibitory layer: to all but one's own."""
        own = self.answered.astype(np.float64)
        self.g_inh += self.s.jump_excitatory / self.s.tau_s * (own.sum() - own)

    def reset(self) -> None:
        """After a spike: reset, Eq. 7's jump, traces."""
        s = self.s
        self.v[self.fired] = s.v_reset
        self.u[self.answered] = s.v_reset
        self.rested["excitatory"][self.fired] = self.step
        self.rested["inhibitory"][self.answered] = self.step
        if s.adaptive:
            self.theta[self.fired] += s.alpha
        for trace, spiked in ((self.x, self.pre), (self.y, self.fired)):
            if s.nearest:
                trace[spiked] = 1
            else:
                trace[spiked] += 1
