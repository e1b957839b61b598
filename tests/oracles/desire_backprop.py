"""Desire backpropagation of Gerlinghoff et al. in plain NumPy, written from the paper and its published code.

It knows nothing of the models, of Brian2 or of compiled programs. One sample at a time: all spikes are computed step by
step, with the traces beside them; then desires, from the outputs down; then every weight's change is summed over the
steps as Eq. 4 says. Weights are ``(inputs, neurons)`` a layer.

The two readings, ``code=False`` and ``code=True``, differ in these conventions:

1. Eq. 1 gives a layer the spikes of the step before; in the code the first layer is given those of the same step;
2. a neuron fires above its threshold, or at it as well;
3. what a spike takes off the potential stays whole until the next step, or decays with the potential;
4. a full train has as many spikes as there are steps, or `margin` fewer;
5. a hidden neuron has a desire above the threshold, or at it as well; an output neuron's is towards its target, or in
   the one direction that the class allows;
6. an error is Eq. 14, or its size with the sign of the desire;
7. the trace at a step holds the neuron's spikes up to that step, or those that were passed on up to that step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Section 5.2, and what the published code adds."""

    code: bool
    steps: int = 20
    beta_p: float = 0.75
    beta_r: float = 0.75
    theta_p: float = 1.0
    theta_out: float = 0.30
    theta_hid: float = 0.05
    margin: int = 4
    dropout_hidden: float = 0.0
    dropout_input: float = 0.0


@dataclass(frozen=True)
class Sample:
    """What happened: spikes ``(steps, neurons)`` of every layer, desires and errors of all but the first."""

    spikes: list[Floats]
    desires: list[Floats]
    errors: list[Floats]


def input_spikes(levels: NDArray[np.integer], steps: int, code: bool) -> Floats:
    """Spikes ``(steps, pixels)`` of neurons that sum up pixel levels, whole numbers, to a threshold of 255."""
    potential = np.zeros(len(levels), np.int64)
    spikes = np.zeros((steps, len(levels)))
    for step in range(steps):
        potential += levels
        fires = potential >= 255 if code else potential > 255
        potential[fires] -= 255
        spikes[step, fires] = 1
    return spikes


def forwards(before: Floats, after: Floats, beta: float) -> Floats:
    """Sum of the trace of one layer's spikes over the spikes of the next: ``(inputs, neurons)`` (Eqs. 3, 4)."""
    trace, total = np.zeros(before.shape[1]), np.zeros((before.shape[1], after.shape[1]))
    for fired_before, fired_after in zip(before, after, strict=True):
        trace = beta * trace + fired_before
        total += np.outer(trace, fired_after)
    return total


def backwards(before: Floats, after: Floats, beta: float) -> Floats:
    """The same from the last step to the first, with a trace of what is yet to come."""
    coming, total = np.zeros(after.shape[1]), np.zeros((before.shape[1], after.shape[1]))
    for fired_before, fired_after in zip(before[::-1], after[::-1], strict=True):
        coming = beta * coming + fired_after
        total += np.outer(fired_before, coming)
    return total


class Network:
    """Layers and their weights, which `learn` changes."""

    def __init__(self, settings: Settings, weights: list[Floats]) -> None:
        self.settings = settings
        self.weights = [w.copy() for w in weights]

    def show(self, levels: NDArray[np.integer], kept: list[Floats] | None = None) -> list[Floats]:
        """Spikes of every layer, the input first; ``kept`` holds a mask for each layer but the output."""
        s = self.settings
        sizes = [len(levels), *(w.shape[1] for w in self.weights)]
        masks = [np.ones(n) for n in sizes] if kept is None else [*kept, np.ones(sizes[-1])]
        scales = [1.0] * len(sizes)
        if kept is not None:
            scales = [1 / (1 - s.dropout_input), *[1 / (1 - s.dropout_hidden)] * len(self.weights)]
        spikes = [input_spikes(levels, s.steps, s.code) * masks[0], *(np.zeros((s.steps, n)) for n in sizes[1:])]
        for layer, w in enumerate(self.weights, start=1):
            v = np.zeros(sizes[layer])
            for step in range(s.steps):
                source = step if self._same_step(layer) else step - 1
                given = spikes[layer - 1][source] if source >= 0 else np.zeros(sizes[layer - 1])
                fired = spikes[layer][step - 1] if step else np.zeros(sizes[layer])
                if s.code:
                    v = s.beta_p * (v - s.theta_p * fired) + (given @ w) * scales[layer - 1]
                    fires = v >= s.theta_p
                else:
                    v = s.beta_p * v + (given @ w) * scales[layer - 1] - s.theta_p * fired
                    fires = v > s.theta_p
                spikes[layer][step] = fires * masks[layer]
        return spikes

    def _same_step(self, layer: int) -> bool:
        return self.settings.code and layer == 1

    def learn(
        self, levels: NDArray[np.integer], label: int, eta: float, kept: list[Floats] | None = None
    ) -> Sample:
        """Show one sample and change the weights."""
        s, depth = self.settings, len(self.weights)
        spikes = self.show(levels, kept)
        full = s.steps - s.margin if s.code else s.steps
        desires: list[Floats] = [np.zeros(0)] * (depth + 1)
        errors: list[Floats] = [np.zeros(0)] * (depth + 1)
        for layer in range(depth, 0, -1):
            counts = spikes[layer].sum(axis=0)
            if layer == depth:
                d = np.array([self._output_desire(n, full, k == label) for k, n in enumerate(counts)])
            else:
                pull = self.weights[layer] @ errors[layer + 1]
                large = np.abs(pull) >= s.theta_hid if s.code else np.abs(pull) > s.theta_hid
                d = np.where(large, -np.sign(pull), 0.0)
                if kept is not None:
                    d = d * kept[layer]
            wish = (d + 1) / 2
            e = -d * np.abs(wish - counts / full) if s.code else np.where(d != 0, counts / full - wish, 0.0)
            desires[layer], errors[layer] = d, e
        for layer in range(1, depth + 1):
            before = spikes[layer - 1]
            if s.code and not self._same_step(layer):
                before = np.vstack([np.zeros(before.shape[1]), before[:-1]])
            self.weights[layer - 1] += eta * desires[layer] * forwards(before, spikes[layer], s.beta_r)
        return Sample(spikes, desires[1:], errors[1:])

    def _output_desire(self, count: float, full: int, is_target: bool) -> int:
        threshold = round(self.settings.theta_out * full, 9)
        if self.settings.code:
            if is_target:
                return 1 if full - count > threshold else 0
            return -1 if count > threshold else 0
        error = count - (full if is_target else 0)
        return 0 if abs(error) <= threshold else -int(np.sign(error))
