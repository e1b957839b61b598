"""The supervised network of Hao et al. in plain NumPy, written from the paper's equations.

It knows nothing of the models, of Brian2 or of compiled programs. Times are in ms, potentials in mV. The spikes of
the input and of the teacher are given, so that its results can be held against any implementation driven by the
same spikes; everything else, also which image is shown how intensely, it works out itself. The conventions of a step:

1. where a presentation begins, the incoming weights of every layer that learns are scaled (Eq. 7), and the count of
   hidden spikes starts anew;
2. membranes move one step with the conductances as they are (Eq. 1), unless refractory: a neuron that fired at step k
   rests until step k + t_r/dt; then conductances (Eqs. 2, 3), traces and thresholds (Eq. 5) decay by their exact
   factors, and Euler's membranes are brought back between the reversal potentials;
3. neurons above threshold that are not refractory fire (Eq. 4); where a rest begins, the presentation is judged by the
   spikes of the steps before;
4. spikes act: a presynaptic spike transmits the weight as it is, then changes it by the target's trace; a
   postsynaptic one changes it by the source's trace (Eq. 6); hidden neurons reach their inhibitory neuron,
   inhibitory ones every hidden neuron but their own;
5. neurons that fired are reset; thresholds and traces jump last, so that spikes of one step do not pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
SpikeList = list[tuple[int, int]]


@dataclass(frozen=True)
class Settings:
    """Sections 2 and 3, Table 1, and what the paper leaves open.

    ``learns`` names the populations whose incoming weights, and whose thresholds where they have one, change.
    """

    shown_steps: int
    sample_steps: int
    learns: frozenset[str]
    #: neurons of the class layer are made to fire by the teacher
    taught: bool
    dt: float = 0.5
    e_exc: float = 0.0
    e_inh: float = -100.0
    tau_ge: float = 1.0
    tau_gi: float = 2.0
    refractory: float = 2.0
    e_rest: float = -65.0
    tau_membrane: float = 100.0
    threshold: float = -72.0
    theta_init: float = 20.0
    theta_plus: float = 0.07
    tau_theta: float = 6e6
    e_rest_fast: float = -60.0
    e_reset_fast: float = -45.0
    threshold_fast: float = -40.0
    tau_membrane_fast: float = 10.0
    to_inhibitory: float = 10.4
    from_inhibitory: float = 17.0
    a_plus: float = 5e-4
    a_plus_class: float = 4e-3
    #: A-/A+, negative where post before pre weakens
    minus: float = 1.0
    tau_trace: float = 20.0
    largest: float = 1.0
    largest_class: float = 8.0
    beta: float = 0.1
    beta_class: float = 0.1
    decaying: bool = True
    euler: bool = True
    clamped: bool = True
    intensity_first: float = 2.0
    intensity_step: float = 1.0
    intensity_most: float = 32.0
    enough: float = 5.0
    #: spikes of one step pair: traces jump before they are read
    pairs_at_once: bool = False
    scales: bool = True


@dataclass
class Outcome:
    """Spikes as (step, neuron) in order, and what is left at the end."""

    spikes: dict[str, SpikeList]
    weights: dict[str, Floats]
    theta: dict[str, Floats]
    #: image and intensity of each presentation
    shown: list[tuple[int, float]] = field(default_factory=list)


class Neurons:
    """A population: potential, conductances, trace, threshold."""

    def __init__(self, size: int, rest: float, theta: Floats | float = 0.0) -> None:
        self.v = np.full(size, rest)
        self.g_exc, self.g_inh, self.trace = np.zeros(size), np.zeros(size), np.zeros(size)
        self.theta = np.broadcast_to(np.asarray(theta, float), size).copy()
        self.last = np.full(size, -(10**9))
        self.fired = np.zeros(size, bool)


class Supervised:
    """The layers, from the input to the classes.

    Parameters
    ----------
    settings : Settings
    weights : dict
        Target population to weights ``(source, target)``, from below: ``lower_excitatory``, ``excitatory``,
        ``classes``, as far as there are such layers.
    theta : dict
        Excitatory population to thresholds' dynamic part, in mV.
    """

    def __init__(self, settings: Settings, weights: Mapping[str, Floats], theta: Mapping[str, Floats]) -> None:
        self.s = settings
        self.w = {name: w.astype(np.float64, copy=True) for name, w in weights.items()}
        below = ["input", *list(self.w)[:-1]]
        self.source = dict(zip(self.w, below, strict=True))
        s = settings
        self.n = {"input": Neurons(len(next(iter(self.w.values()))), 0.0)}
        self.hidden = [name for name in self.w if name.endswith("excitatory")]
        for name, w in self.w.items():
            if name in self.hidden:
                self.n[name] = Neurons(w.shape[1], s.e_rest, theta[name])
                self.n[self.inhibitory(name)] = Neurons(w.shape[1], s.e_rest_fast)
            else:
                self.n[name] = Neurons(w.shape[1], s.e_rest_fast)

    @staticmethod
    def inhibitory(excitatory: str) -> str:
        """The partner of an excitatory population."""
        return excitatory.replace("excitatory", "inhibitory")

    def run(self, samples: int, given: Mapping[str, SpikeList]) -> Outcome:
        """Go through as many presentations as there are samples, driven by given spikes of input and classes."""
        s = self.s
        steps = samples * s.sample_steps
        driven = {}
        for name, spikes in given.items():
            driven[name] = np.zeros((steps, len(self.n[name].v)), bool)
            for step, neuron in spikes:
                driven[name][step, neuron] = True
        outcome = Outcome({name: [] for name in self.n}, self.w, {k: self.n[k].theta for k in self.hidden})
        image, intensity, count = 0, s.intensity_first, 0
        for step in range(steps):
            if step % s.sample_steps == 0:
                outcome.shown.append((image, intensity))
                count = 0
                self.scale()
            self.move(step)
            self.fire(step, {name: flags[step] for name, flags in driven.items()})
            if step % s.sample_steps == s.shown_steps:
                if not self.hidden or count >= s.enough or intensity >= s.intensity_most:
                    image, intensity = image + 1, s.intensity_first
                else:
                    intensity += s.intensity_step
            if s.pairs_at_once:
                self.jump_traces()
            self.act()
            if not s.pairs_at_once:
                self.jump_traces()
            self.reset(step)
            for name, population in self.n.items():
                outcome.spikes[name] += [(step, int(k)) for k in np.flatnonzero(population.fired)]
            if self.hidden:
                count += int(self.n[self.hidden[-1]].fired.sum())
        return outcome

    # -- parts of a step -------------------------------------------------------------------------------
    def bounds(self, name: str) -> tuple[float, float, float]:
        """Largest weight, beta, A+ of the pathway onto a population."""
        s = self.s
        above = name in self.hidden[1:] or (name == "classes" and len(self.hidden) > 0)
        return (s.largest_class, s.beta_class, s.a_plus_class) if above else (s.largest, s.beta, s.a_plus)

    def scale(self) -> None:
        """Eq. 7, weights being in units of their largest."""
        for name in self.s.learns if self.s.scales else ():
            largest, beta, _ = self.bounds(name)
            w = self.w[name]
            total = w.sum(axis=0)
            w *= np.where(total > 0, beta * largest * len(w) / np.where(total > 0, total, 1), 1)

    def move(self, step: int) -> None:
        """Eqs. 1 to 3 and 5 between spikes."""
        s = self.s
        for name, p in self.n.items():
            p.trace *= np.exp(-s.dt / s.tau_trace)
            if name == "input":
                continue
            slow = name in self.hidden
            rest, tau = (s.e_rest, s.tau_membrane) if slow else (s.e_rest_fast, s.tau_membrane_fast)
            total = 1 + p.g_exc + p.g_inh
            drive = rest + p.g_exc * s.e_exc + p.g_inh * s.e_inh
            if s.euler:
                moved = p.v + s.dt / tau * (drive - total * p.v)
            else:
                moved = drive / total + (p.v - drive / total) * np.exp(-s.dt * total / tau)
            p.v = np.where(self.awake(name, step), moved, p.v)
            p.g_exc *= np.exp(-s.dt / s.tau_ge)
            p.g_inh *= np.exp(-s.dt / s.tau_gi)
            if s.euler and s.clamped:
                p.v = np.clip(p.v, s.e_inh if slow else rest, s.e_exc)
            if slow and name in s.learns:
                p.theta *= np.exp(-s.dt / s.tau_theta)

    def awake(self, name: str, step: int) -> Flags:
        """Which neurons are not refractory; class neurons never are."""
        last = self.n[name].last
        return np.asarray((name == "classes") | (step - last >= round(self.s.refractory / self.s.dt)))

    def fire(self, step: int, driven: Mapping[str, Flags]) -> None:
        """Eq. 4."""
        s = self.s
        for name, p in self.n.items():
            if name in driven:
                p.fired = driven[name]
                continue
            limit = s.threshold + p.theta if name in self.hidden else s.threshold_fast
            p.fired = (p.v > limit) & self.awake(name, step)

    def act(self) -> None:
        """Transmission and Eq. 6, lateral inhibition."""
        s = self.s
        for name, w in self.w.items():
            pre, post = self.n[self.source[name]], self.n[name]
            largest, _, a_plus = self.bounds(name)
            if not (name == "classes" and s.taught):
                post.g_exc += w[pre.fired].sum(axis=0)
            if name in s.learns:
                w[pre.fired] = np.clip(w[pre.fired] + s.minus * a_plus * post.trace, 0, largest)
                w[:, post.fired] = np.clip(w[:, post.fired] + a_plus * pre.trace[:, None], 0, largest)
        for name in self.hidden:
            excitatory, inhibitory = self.n[name], self.n[self.inhibitory(name)]
            inhibitory.g_exc[excitatory.fired] += s.to_inhibitory
            own = inhibitory.fired.astype(float)
            excitatory.g_inh += s.from_inhibitory * (own.sum() - own)

    def jump_traces(self) -> None:
        """What later pairs read of this step's spikes."""
        for p in self.n.values():
            p.trace[p.fired] += 1

    def reset(self, step: int) -> None:
        """Resets, and the rise of thresholds (Eq. 5)."""
        s = self.s
        for name, p in self.n.items():
            slow = name in self.hidden
            p.v[p.fired] = s.e_rest if slow else s.e_reset_fast
            p.last[p.fired] = step
            if slow and name in s.learns:
                theta = p.theta[p.fired]
                factor = s.theta_init / np.abs(2 * theta - s.theta_init) if s.decaying else 1.0
                p.theta[p.fired] = theta + s.theta_plus * factor
