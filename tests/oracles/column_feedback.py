"""Column feedback in plain NumPy, written from the model's description.

It knows nothing of the models, of Brian2 or of compiled programs. Times are in ms; the input spikes are given. The
conventions of a step:

1. where an image begins, membranes, currents, counts and potentials of class neurons are cleared;
2. membranes move one step towards their present current (exponential Euler), currents decay by their exact factor;
3. who is beyond the threshold fires: class neurons add its weight, and its pairs with earlier spikes of the inputs
   count; the threshold is taken off its potential;
4. input spikes raise currents, and are counted or leave a trace;
5. where an image ends, class neurons' errors are told and all weights move.
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

    shown: int
    eligibility: str
    gain: float
    h: float
    eta_class: float
    threshold: float
    reach: float
    feedback_learns: bool = False
    tau_m: float = 30.0
    tau_s: float = 20.0
    tau_p: float = 60.0
    dt: float = 1.0


@dataclass
class Outcome:
    """Hidden spikes as (step, neuron) in order, what is left at the end, and potentials when each image ended."""

    spikes: list[tuple[int, int]]
    w: Floats
    w_class: Floats
    potentials: Floats


def run(
    s: Settings, w: Floats, w_class: Floats, b: Floats, labels: Integers, rates: Floats, step: Integers,
    neuron: Integers,
) -> Outcome:
    """Show images to the network.

    Parameters
    ----------
    w, w_class : (inputs, neurons), (neurons, classes)
        First weights.
    b : (classes, neurons)
        What a hidden neuron takes of each class neuron's error, at first where that learns.
    labels, rates : (images,)
        Classes that the teacher names, and rates of learning.
    step, neuron : (spikes,)
        Of the inputs.
    """
    w, w_class, b = (first.astype(np.float64, copy=True) for first in (w, w_class, b))
    inputs, n = w.shape
    pre = np.zeros((len(labels) * s.shown, inputs), bool)
    pre[step, neuron] = True
    spikes: list[tuple[int, int]] = []
    potentials = np.zeros((len(labels), w_class.shape[1]))
    for image, (label, rate) in enumerate(zip(labels, rates, strict=True)):
        v, current, near, count = np.zeros((4, n))
        x, trace, pairs = np.zeros(inputs), np.zeros(inputs), np.zeros((inputs, n))
        u = potentials[image]
        for now in range(image * s.shown, (image + 1) * s.shown):
            v = current + (v - current) * np.exp(-s.dt / s.tau_m)
            current = current * np.exp(-s.dt / s.tau_s)
            trace = trace * np.exp(-s.dt / s.tau_p)
            near += np.clip(1 - np.abs(v - s.threshold) / s.reach, 0, 1) / s.shown
            fired = v > s.threshold
            u += s.h * w_class[fired].sum(axis=0)
            pairs[:, fired] += trace[:, np.newaxis]
            count += fired
            v = v - s.threshold * fired
            current = current + s.gain / s.tau_s * w[pre[now]].sum(axis=0)
            x += pre[now]
            trace = trace + pre[now]
            spikes += [(now, int(k)) for k in np.flatnonzero(fired)]
        too_little = np.eye(len(u))[label] - np.exp(u) / np.exp(u).sum()
        told = too_little @ b
        eligible = {
            "fired": np.outer(x, count > 0), "count": np.outer(x, s.h * count), "near": np.outer(x, near),
            "pairs": pairs,
        }[s.eligibility]  # fmt: skip
        w += rate * told * eligible
        w_class += rate * s.eta_class * s.h * np.outer(count, too_little)
        b += s.feedback_learns * rate * s.eta_class * s.h * np.outer(too_little, count)
    return Outcome(spikes, w, w_class, potentials)
