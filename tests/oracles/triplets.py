"""The network of Diehl & Cook in plain NumPy, written from the authors' published code.

It knows nothing of the models, of Brian2 or of compiled programs. Times are in ms, potentials in mV, and the input
spikes are given. The conventions of a step are these:

1. where a presentation begins, every neuron's input weights are scaled to one sum;
2. membranes and conductances move one Euler step from their values at the step's start; a neuron that fired at step k
   keeps its potential until step k + t_ref/dt; thresholds and traces decay by their exact factor;
3. neurons above threshold that are not refractory fire;
4. input spikes arrive, each synapse's at a time of its own: they transmit the weight as it is, depress it and set the
   synapse's trace; excitatory spikes potentiate, reading both traces before their own jump, and reach their
   inhibitory neuron; inhibitory spikes reach all excitatory neurons but their own;
5. neurons that fired are reset, thresholds jump, postsynaptic traces are set.

A presentation that has evoked fewer spikes than are enough when its rest begins is followed by another of its image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: The stages of a step, in order. `Settings.order` changes it, to show that a wrong order is noticed.
ORDER = (
    "begin", "integrate", "fire", "arrive", "transmit", "depress", "potentiate", "excite", "inhibit", "reset", "judge",
)


@dataclass(frozen=True)
class Settings:
    """Values of the published code; the first ones are the test network's own."""

    shown_steps: int
    steps: int
    target: float | None
    a_plus: float = 0.01
    a_minus: float = 1e-4
    theta_plus: float = 0.05
    theta_start: float = 20.0
    dt: float = 0.5
    rest: float = -65.0
    reset: float = -65.0
    threshold: float = -52.0
    offset: float = 20.0
    start_below: float = 40.0
    tau: float = 100.0
    refractory: float = 5.0
    dead: float = 0.0
    rest_fast: float = -60.0
    reset_fast: float = -45.0
    threshold_fast: float = -40.0
    tau_fast: float = 10.0
    refractory_fast: float = 2.0
    e_inhibition: float = -100.0
    tau_e: float = 1.0
    tau_i: float = 2.0
    excite: float = 10.4
    inhibit: float = 17.0
    tau_theta: float = 1e7
    tau_trace: float = 20.0
    tau_slow: float = 40.0
    w_max: float = 1.0
    enough: float = 5.0
    #: whether a potentiation reads the slow trace of its neuron
    triplets: bool = True
    #: +1 where input spikes depress, -1 where they potentiate
    sign: float = 1.0
    #: "euler", "clamped" or "exponential": how membranes and conductances move
    steps_of: str = "euler"
    #: whether all postsynaptic spikes add to the traces, instead of the nearest alone setting them
    all_pairs: bool = False
    order: tuple[str, ...] = ORDER


@dataclass
class Outcome:
    """Spikes as (step, neuron) in order, the steps at which images were over, and what is left at the end."""

    excitatory: list[tuple[int, int]]
    inhibitory: list[tuple[int, int]]
    over: list[int]
    weights: Floats
    theta: Floats
    v: Floats


class Triplets:
    """The network's variables and the stages of a step.

    Parameters
    ----------
    settings : Settings
    weights : array ``(inputs, neurons)``
    delays : array ``(inputs, neurons)``
        In steps.
    """

    def __init__(self, settings: Settings, weights: Floats, delays: Integers) -> None:
        self.s = settings
        inputs, n = weights.shape
        self.w, self.delays = weights.astype(np.float64, copy=True), delays
        self.theta = np.full(n, settings.theta_start)
        self.v = np.full(n, settings.rest - settings.start_below)
        self.u = np.full(n, settings.rest_fast - settings.start_below)
        self.ge, self.gi, self.ue = np.zeros(n), np.zeros(n), np.zeros(n)
        self.x = np.zeros((inputs, n))
        self.post1, self.post2 = np.zeros(n), np.zeros(n)
        self.last = {"e": np.full(n, -(10**9)), "i": np.full(n, -(10**9))}
        self.fired, self.answered = np.zeros(n, bool), np.zeros(n, bool)
        self.arriving = np.zeros((inputs, n), bool)
        self.step, self.evoked = 0, 0
        self.over: list[int] = []
        self.stages: dict[str, Callable[[], None]] = {name: getattr(self, name) for name in ORDER}

    def run(self, presentations: int, step: Integers, neuron: Integers) -> Outcome:
        """Let pass so many presentations, whose input spikes are ``(step, neuron)``."""
        excitatory: list[tuple[int, int]] = []
        inhibitory: list[tuple[int, int]] = []
        last = presentations * self.s.steps
        sent = np.zeros((last, len(self.w)), bool)
        sent[step, neuron] = True
        rows = np.arange(len(self.w))[:, np.newaxis]
        for self.step in range(last):
            then = self.step - self.delays
            self.arriving = sent[np.maximum(then, 0), rows] & (then >= 0)
            for stage in self.s.order:
                self.stages[stage]()
            excitatory += [(self.step, int(k)) for k in np.flatnonzero(self.fired)]
            inhibitory += [(self.step, int(k)) for k in np.flatnonzero(self.answered)]
        return Outcome(excitatory, inhibitory, self.over, self.w, self.theta, self.v)

    def begin(self) -> None:
        """A presentation begins: weights are scaled, spikes counted anew."""
        if self.step % self.s.steps == 0:
            self.evoked = 0
            if self.s.target is not None:
                self.w *= self.s.target / self.w.sum(axis=0)

    def integrate(self) -> None:
        """One step of membranes, conductances, thresholds and traces."""
        s = self.s
        moves = self.step - self.last["e"] >= round(s.refractory / s.dt)
        moves_fast = self.step - self.last["i"] >= round(s.refractory_fast / s.dt)
        pull, g = s.rest + self.gi * s.e_inhibition, 1 + self.ge + self.gi
        g_fast = 1 + self.ue
        if s.steps_of == "exponential":
            v = pull / g + (self.v - pull / g) * np.exp(-s.dt * g / s.tau)
            u = s.rest_fast / g_fast + (self.u - s.rest_fast / g_fast) * np.exp(-s.dt * g_fast / s.tau_fast)
            left_e, left_i = np.exp(-s.dt / s.tau_e), np.exp(-s.dt / s.tau_i)
        else:
            v = self.v + s.dt / s.tau * (pull - g * self.v)
            u = self.u + s.dt / s.tau_fast * (s.rest_fast - g_fast * self.u)
            left_e, left_i = 1 - s.dt / s.tau_e, 1 - s.dt / s.tau_i
        self.v, self.u = np.where(moves, v, self.v), np.where(moves_fast, u, self.u)
        if s.steps_of == "clamped":
            self.v, self.u = np.clip(self.v, s.e_inhibition, 0), np.clip(self.u, s.rest_fast, 0)
        self.ge, self.gi, self.ue = self.ge * left_e, self.gi * left_i, self.ue * left_e
        self.x *= np.exp(-s.dt / s.tau_trace)
        self.post1 *= np.exp(-s.dt / s.tau_trace)
        self.post2 *= np.exp(-s.dt / s.tau_slow)
        self.theta *= np.exp(-s.dt / s.tau_theta)

    def fire(self) -> None:
        """Thresholds."""
        s = self.s
        since, since_fast = self.step - self.last["e"], self.step - self.last["i"]
        free = (since >= round(s.refractory / s.dt)) & (since > round(s.dead / s.dt))
        self.fired = (self.v > self.theta - s.offset + s.threshold) & free
        self.answered = (self.u > s.threshold_fast) & (since_fast >= round(s.refractory_fast / s.dt))
        self.evoked += int(self.fired.sum()) * (self.step % s.steps < s.shown_steps)

    def arrive(self) -> None:
        """The nearest input spike alone counts."""
        self.x[self.arriving] = 1

    def transmit(self) -> None:
        """Input spikes act on conductances."""
        self.ge += (self.w * self.arriving).sum(axis=0)

    def depress(self) -> None:
        """Post before pre."""
        s = self.s
        changed = np.clip(self.w - s.sign * s.a_minus * self.post1, 0, s.w_max)
        self.w = np.where(self.arriving, changed, self.w)

    def potentiate(self) -> None:
        """Pre before post, in proportion to the post before it."""
        s = self.s
        grown = self.w + s.a_plus * self.x * (self.post2 if s.triplets else 1)
        self.w = np.where(self.fired, np.clip(grown, 0, s.w_max), self.w)

    def excite(self) -> None:
        """One to one."""
        self.ue += self.s.excite * self.fired

    def inhibit(self) -> None:
        """All to all but oneself."""
        self.gi += self.s.inhibit * (self.answered.sum() - self.answered)

    def reset(self) -> None:
        """What follows a spike."""
        s = self.s
        self.v[self.fired], self.u[self.answered] = s.reset, s.reset_fast
        self.theta[self.fired] += s.theta_plus
        if s.all_pairs:
            self.post1[self.fired] += 1
            self.post2[self.fired] += 1
        else:
            self.post1[self.fired] = self.post2[self.fired] = 1
        self.last["e"][self.fired] = self.last["i"][self.answered] = self.step

    def judge(self) -> None:
        """When the rest begins: was it enough?"""
        if self.step % self.s.steps == self.s.shown_steps and self.evoked >= self.s.enough:
            self.over.append(self.step)
