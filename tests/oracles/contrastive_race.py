"""The contrastive race in plain NumPy, written from the model's description.

It knows nothing of the models, of Brian2 or of compiled programs. Times are in ms, potentials in mV; the input spikes
are given. The conventions of a step:

1. where an image begins, weights are scaled, membranes return to rest, conductances and traces are cleared; where its
   second part begins, membranes return to rest;
2. membranes move one step towards their present equilibrium (exponential Euler); conductances, traces and thresholds
   decay by their exact factor;
3. who is beyond its threshold bids; the highest bid wins, or all do;
4. input spikes transmit; winners' weights move by the traces as they are; the race is counted;
5. winners' thresholds rise while the teacher speaks; everyone is set back; traces jump.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    """What the rule is made of; numbers as the model has them."""

    free: int
    taught: int
    classes: int
    winners: str
    unlearns: str
    surprised: bool
    free_first: bool
    scaled: bool
    a_plus: float
    theta_plus: float
    w_t: float
    w_min: float
    w_max: float
    gain: float
    unlearning: float = 1.0
    dt: float = 1.0
    rest: float = -60.0
    set_back: float = -60.0
    threshold: float = -40.0
    reversal: float = 0.0
    tau_m: float = 30.0
    tau_s: float = 20.0
    tau_p: float = 60.0
    tau_theta: float = 2e5


@dataclass
class Outcome:
    """Spikes as (step, neuron) in order, and what is left at the end."""

    spikes: list[tuple[int, int]]
    weights: Floats
    theta: Floats
    #: of each image, races of the free part and those that other classes won
    races: list[tuple[int, int]]


def run(s: Settings, weights: Floats, labels: Integers, rates: Floats, step: Integers, neuron: Integers) -> Outcome:
    """Show images to the network.

    Parameters
    ----------
    weights : (inputs, neurons)
    labels, rates : (images,)
        Classes that the teacher names, and rates of learning.
    step, neuron : (spikes,)
        Of the inputs.
    """
    w = weights.astype(np.float64, copy=True)
    inputs, n = w.shape
    v, g, theta, x = np.full(n, s.rest), np.zeros(n), np.zeros(n), np.zeros(inputs)
    shown = s.free + s.taught
    pre = np.zeros((len(labels) * shown, inputs), bool)
    pre[step, neuron] = True
    spikes: list[tuple[int, int]] = []
    races: list[tuple[int, int]] = []
    for image, (label, rate) in enumerate(zip(labels, rates, strict=True)):
        if s.scaled:
            norm = np.sqrt((w * w).sum(axis=0))
            w *= np.where(norm > 0, s.w_t / np.where(norm > 0, norm, 1), 1)
        mine = np.arange(n) % s.classes == label
        g[:], x[:] = 0, 0
        count = wrong = 0
        parts = [(False, s.free), (True, s.taught)]
        begun = image * shown
        for teaches, steps in parts if s.free_first else parts[::-1]:
            v[:] = s.rest
            for now in range(begun, begun + steps):
                v, g, x, theta = _integrated(s, v, g, x, theta)
                limit = s.threshold + (theta if teaches else 0.0)
                bid = np.where(mine | (not teaches), v - limit, -np.inf)
                fired = bid > 0
                if s.winners == "first" and fired.any():
                    fired &= bid >= bid.max()
                g += s.gain / s.tau_s * w[pre[now]].sum(axis=0)
                if teaches:
                    part_wrong = wrong / count if count else 0.0
                    eta = np.full(n, rate * (part_wrong if s.surprised else 1.0))
                else:
                    who = {"all": np.ones(n), "wrong": ~mine, "none": np.zeros(n)}[s.unlearns]
                    eta = -s.unlearning * rate * who
                    count, wrong = count + int(fired.sum()), wrong + int((fired & ~mine).sum())
                moved = w[:, fired] + eta[fired] * s.a_plus * x[:, None]
                w[:, fired] = np.clip(moved, s.w_min, s.w_max)
                theta[fired] += s.theta_plus * teaches
                v[fired if s.winners == "each" else np.full(n, fired.any())] = s.set_back
                x[pre[now]] += 1
                spikes += [(now, int(k)) for k in np.flatnonzero(fired)]
            begun += steps
        races.append((count, wrong))
    return Outcome(spikes, w, theta, races)


def _integrated(s: Settings, v: Floats, g: Floats, x: Floats, theta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    total = 1 + g
    towards = (s.rest + g * s.reversal) / total
    moved = towards + (v - towards) * np.exp(-s.dt * total / s.tau_m)
    decay = (np.exp(-s.dt / tau) for tau in (s.tau_s, s.tau_p, s.tau_theta))
    return moved, *(of * by for of, by in zip((g, x, theta), decay, strict=True))
