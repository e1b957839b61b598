"""S4NN of Kheradpisheh & Masquelier in plain NumPy, as their published code computes it.

It knows nothing of the models, of Brian2 or of compiled programs. One sample at a time: the potentials of a whole layer
at all times at once, by a cumulative sum over the spikes of the layer below; then errors and weights from the outputs
down. Weights are ``(inputs, neurons)`` a layer. At time ``t_max`` all neurons count as having spiked.

The published code has one hidden layer. With more, each does what its one does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """The constants of the published code."""

    t_max: int = 256
    white: float = 255.0
    theta: float = 100.0
    eta: float = 0.2
    decay: float = 1e-6
    gamma: float = 3.0


@dataclass(frozen=True)
class Sample:
    """What happened: spike times of every layer, the input first; potentials of the outputs ``(times, neurons)``.

    Errors of all layers but the input, normalised; empty unless the sample was learned.
    """

    times: list[Floats]
    potentials: Floats
    errors: list[Floats]


def latencies(levels: NDArray[np.integer], settings: Settings) -> Floats:
    """When each pixel spikes."""
    return np.floor((settings.white - levels) * settings.t_max / settings.white)


def targets(times: Floats, label: int, settings: Settings) -> Floats:
    """When each output neuron ought to have spiked."""
    s, first = settings, times.min()
    if first == s.t_max:
        wanted = np.full(len(times), float(s.t_max))
        wanted[label] = s.t_max - s.gamma
        return wanted
    wanted = times.copy()
    wanted[times - first < s.gamma] = min(first + s.gamma, s.t_max)
    wanted[label] = first
    return wanted


def normalised(errors: Floats) -> Floats:
    """Errors of length one, unless there is none."""
    length = np.linalg.norm(errors)
    return errors / length if length else errors


class Network:
    """Layers and their weights, which `learn` changes."""

    def __init__(self, settings: Settings, weights: list[Floats]) -> None:
        self.settings = settings
        self.weights = [w.copy() for w in weights]
        #: samples on which each neuron of each layer but the input spiked, of those learned
        self.active = [np.zeros(w.shape[1]) for w in weights]

    def show(self, levels: NDArray[np.integer]) -> Sample:
        """Spike times of one sample."""
        s = self.settings
        times = [latencies(levels, s)]
        for w in self.weights:
            spikes = np.zeros((s.t_max + 1, len(times[-1])))
            spikes[times[-1].astype(int), np.arange(len(times[-1]))] = 1
            potentials = np.cumsum(spikes @ w, axis=0)
            above = potentials > s.theta
            above[s.t_max] = True
            times.append(np.minimum(above.argmax(axis=0) + 1.0, s.t_max))
        return Sample(times, potentials, [])

    def learn(self, levels: NDArray[np.integer], label: int) -> Sample:
        """Show one sample and change the weights."""
        s, shown = self.settings, self.show(levels)
        for count, times in zip(self.active, shown.times[1:], strict=True):
            count += times < s.t_max
        errors = [normalised((targets(shown.times[-1], label, s) - shown.times[-1]) / s.t_max)]
        for layer in reversed(range(len(self.weights))):
            w = self.weights[layer]
            before = shown.times[layer][:, np.newaxis] < shown.times[layer + 1]
            w -= s.eta * errors[0] * before
            w -= s.eta * s.decay * w
            if layer:
                errors.insert(0, normalised((errors[0] * before * w).sum(axis=1)))
        return Sample(shown.times, shown.potentials, errors)

    def renew(self, images: int, least: float, drawn: list[Floats]) -> list[NDArray[np.bool_]]:
        """Give hidden neurons that spiked on few of a pass's images the weights drawn for them; which these are."""
        silent = [count < least * images for count in self.active[:-1]]
        for w, new, renewed in zip(self.weights, drawn, silent, strict=False):
            w[:, renewed] = new[:, renewed]
        self.active = [np.zeros_like(count) for count in self.active]
        return silent

    def is_right(self, shown: Sample, label: int) -> bool:
        """Whether an answer counts as right: a tie does, if the class is among it; potentials answer for silence."""
        times = shown.times[-1]
        if times.min() == self.settings.t_max:
            return bool(shown.potentials[self.settings.t_max - 3].argmax() == label)
        return bool(times[label] == times.min())
