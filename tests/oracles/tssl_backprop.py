"""TSSL-BP in plain NumPy, batch by batch, from the authors' published code: arrays ``(samples, steps, ...)``.

Written as that code goes about it, which is not how the model does: every layer is sent filtered spike trains, whole
batches at once, the sums over later steps are written out, and the gradient is that of the filtered trains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class Settings:
    """Numbers of the authors' code, and what the model makes options of."""

    steps: int = 5
    tau_m: float = 5.0
    tau_s: float = 3.0
    theta: float = 1.0
    gain: float = 1.1
    p_most: float = 8.0
    width: float = 0.2
    reach: float = 8.0
    trace_least: float = 0.25
    eta: float = 5e-4
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    norm_most: float = 1.0
    norm_tiny: float = 1e-6
    w_most: float = 4.0
    x_mean: float = 0.1307
    x_sd: float = 0.3081
    target: str = "twice"
    surrogate: str = "sigmoid"


def filtered(train: Floats, tau_s: float) -> Floats:
    """What a train ``(samples, steps, ...)`` evokes in a synapse."""
    synapse, result = np.zeros_like(train[:, 0]), np.zeros_like(train)
    for t in range(train.shape[1]):
        synapse = synapse - synapse / tau_s + train[:, t]
        result[:, t] = synapse / tau_s
    return result


@dataclass
class Dense:
    """A layer that is connected all to all: weights ``(inputs, neurons)``."""

    w: Floats

    def forward(self, a: Floats) -> Floats:
        self.a = a
        return np.asarray(a.reshape(*a.shape[:2], -1) @ self.w)

    def backward(self, delta: Floats) -> tuple[Floats, Floats]:
        """Gradients of the weights, and of what came in."""
        a = self.a.reshape(*self.a.shape[:2], -1)
        return np.einsum("bti,btj->ij", a, delta), (delta @ self.w.T).reshape(self.a.shape)


@dataclass
class Maps:
    """A convolution of ``(height, width, maps)``: a kernel ``(side, side, maps below, maps)``."""

    w: Floats

    def forward(self, a: Floats) -> Floats:
        self.a = a
        return np.einsum("btyxcpq,pqcd->btyxd", self._windows(), self.w, optimize=True)

    def _windows(self) -> Floats:
        return sliding_window_view(self.a, self.w.shape[:2], axis=(2, 3))

    def backward(self, delta: Floats) -> tuple[Floats, Floats]:
        """Gradients of the weights, and of what came in."""
        side = self.w.shape[0]
        padded = np.pad(delta, ((0, 0), (0, 0), (side - 1, side - 1), (side - 1, side - 1), (0, 0)))
        around = sliding_window_view(padded, (side, side), axis=(2, 3))
        below = np.einsum("btyxdpq,pqcd->btyxc", around, self.w[::-1, ::-1], optimize=True)
        return np.einsum("btyxcpq,btyxd->pqcd", self._windows(), delta, optimize=True), below


@dataclass
class Pools:
    """Sums of squares of neurons, times the gain; they have no weights and no neurons."""

    side: int
    gain: float

    def forward(self, a: Floats) -> Floats:
        b, t, height, width, maps = a.shape
        whole = a.reshape(b, t, height // self.side, self.side, width // self.side, self.side, maps)
        return np.asarray(self.gain * whole.sum(axis=(3, 5)))

    def backward(self, gradient: Floats) -> Floats:
        return self.gain * gradient.repeat(self.side, axis=2).repeat(self.side, axis=3)


@dataclass
class Neurons:
    """The neurons of a layer, with all that they did in the last batch."""

    settings: Settings

    def forward(self, current: Floats) -> Floats:
        s = self.settings
        mem, syn = np.zeros_like(current[:, 0]), np.zeros_like(current[:, 0])
        self.u, self.update, self.out, self.syn = (np.zeros_like(current) for _ in range(4))
        for t in range(s.steps):
            update = -mem / s.tau_m + current[:, t]
            mem = mem + update
            out = (mem > s.theta).astype(float)
            self.u[:, t], self.update[:, t], self.out[:, t] = mem, update, out
            mem = mem * (1 - out)
            syn = syn + (out - syn) / s.tau_s
            self.syn[:, t] = syn
        return self.syn

    def backward(self, gradient: Floats) -> Floats:
        """What the loss changes with the potentials, from what it changes with the filtered trains."""
        s = self.settings
        kernel = (1 - 1 / s.tau_s) ** np.arange(s.steps) / s.tau_s
        later, result = np.zeros_like(gradient[:, 0]), np.zeros_like(gradient)
        for t in reversed(range(s.steps)):
            out, u = self.out[:, t], self.u[:, t]
            weighted = np.einsum("k,bk...->b...", kernel[: s.steps - t], gradient[:, t:])
            with np.errstate(divide="ignore"):
                by_u = np.clip(-1 / self.update[:, t], -s.p_most, 0) * out
            spiking = by_u * -weighted
            if t < s.steps - 1:
                spiking = spiking + later * u * -by_u / s.tau_m + later * (1 - 1 / s.tau_m) * (1 - out)
            later = spiking * out + later * (1 - out) * (1 - 1 / s.tau_m)
            silent = self.syn[:, t] < s.trace_least / s.tau_s
            result[:, t] = np.where(silent, weighted * self.slope(u), spiking)
        return result

    def slope(self, u: Floats) -> Floats:
        """The derivative of the function that stands for the threshold."""
        s = self.settings
        x = np.clip((u - s.theta) / s.width, -s.reach, s.reach)
        if s.surrogate == "sigmoid":
            return np.asarray(1 / (4 * s.width * np.cosh(x / 2) ** 2))
        if s.surrogate == "fast_sigmoid":
            return np.asarray(1 / (2 * s.width * (1 + np.abs(x)) ** 2))
        raise ValueError(s.surrogate)


@dataclass
class Network:
    """Layers from below: ``Dense``, ``Maps`` and ``Pools``, of images ``(height, width, 1)`` or of pixels."""

    layers: list[Dense | Maps | Pools]
    settings: Settings = field(default_factory=Settings)
    updates: int = 0

    def __post_init__(self) -> None:
        self.neurons = [Neurons(self.settings) for _ in self.weighted]
        self.moments = [(np.zeros_like(layer.w), np.zeros_like(layer.w)) for layer in self.weighted]

    @property
    def weighted(self) -> list[Dense | Maps]:
        return [layer for layer in self.layers if not isinstance(layer, Pools)]

    def forward(self, images: NDArray[np.uint8]) -> Floats:
        """Filtered trains of the output, ``(samples, steps, classes)``, of images ``(samples, ...)``."""
        s = self.settings
        pixels = (images / 255 - s.x_mean) / s.x_sd
        a = filtered(np.repeat(pixels[:, np.newaxis], s.steps, axis=1), s.tau_s)
        neurons = iter(self.neurons)
        for layer in self.layers:
            a = layer.forward(a)
            if not isinstance(layer, Pools):
                a = next(neurons).forward(a)
        return a

    def gradients(self, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> list[Floats]:
        """Of all weights, from below: of the loss, summed over the samples."""
        s = self.settings
        a = self.forward(images)
        train = np.zeros_like(a)
        train[np.arange(len(a)), 1:, labels] = 1
        wanted = filtered(train, s.tau_s)
        gradient = a - (filtered(wanted, s.tau_s) if s.target == "twice" else wanted)
        found: list[Floats] = []
        neurons = iter(reversed(self.neurons))
        for layer in reversed(self.layers):
            if isinstance(layer, Pools):
                gradient = layer.backward(gradient)
            else:
                of_weights, gradient = layer.backward(next(neurons).backward(gradient))
                found.append(of_weights)
        return found[::-1]

    def learn(self, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Floats:
        """One batch; returns the outputs' filtered trains before the update."""
        s = self.settings
        gradients = self.gradients(images, labels)
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
        scale = min(1.0, s.norm_most / (norm + s.norm_tiny))
        self.updates += 1
        for k, (layer, gradient) in enumerate(zip(self.weighted, gradients, strict=True)):
            g = gradient * scale
            mean, square = self.moments[k]
            mean = s.beta_1 * mean + (1 - s.beta_1) * g
            square = s.beta_2 * square + (1 - s.beta_2) * g * g
            self.moments[k] = mean, square
            layer.w = layer.w * (1 - s.eta * s.weight_decay)
            divisor = np.sqrt(square) / math.sqrt(1 - s.beta_2**self.updates) + s.epsilon
            layer.w = layer.w - s.eta / (1 - s.beta_1**self.updates) * mean / divisor
            layer.w = np.clip(layer.w, -s.w_most, s.w_most)
        return self.neurons[-1].syn
