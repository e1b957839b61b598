"""Conversion of a conventional network into integrate-and-fire neurons in plain NumPy, as Rueckauer et al. say it.

It knows nothing of the models, of Brian2 or of compiled programs. One image at a time, one step at a time, layer by
layer, all layers in a step. Maps are ``(rows, columns, channels)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stage:
    """A layer: convolution with weights ``(rows, columns, below, above)``, dense with ``(inputs, neurons)``, or a mean.

    Parameters
    ----------
    weight, bias : array, optional
        None for the mean over patches of ``patch`` rows and columns.
    """

    weight: Floats | None = None
    bias: Floats | None = None
    patch: int = 0
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def drive(self, maps: Floats) -> Floats:
        """What reaches its neurons from the layer below, without biases."""
        if self.weight is None:
            rows, columns, channels = maps.shape
            made = np.zeros((rows // self.patch, columns // self.patch, channels))
            for down in range(self.patch):
                for right in range(self.patch):
                    made += maps[down :: self.patch, right :: self.patch] / self.patch**2
            return made
        if self.weight.ndim == 2:
            return maps.ravel() @ self.weight
        (above, beside), (rows, columns) = self.padding, self.weight.shape[:2]
        padded = np.pad(maps, ((above, above), (beside, beside), (0, 0)))
        height, width = padded.shape[0] - rows + 1, padded.shape[1] - columns + 1
        made = np.zeros((height, width, self.weight.shape[3]))
        for down in range(rows):
            for right in range(columns):
                made += padded[down : down + height, right : right + width] @ self.weight[down, right]
        return made[:: self.stride[0], :: self.stride[1]]

    def biased(self, drive: Floats) -> Floats:
        """The same with biases."""
        return drive if self.bias is None else drive + self.bias


def activations(stages: list[Stage], image: Floats) -> list[Floats]:
    """What each layer of the conventional network answers; the last one is not rectified."""
    maps, answered = image, []
    for stage in stages:
        maps = stage.biased(stage.drive(maps))
        if stage is not stages[-1]:
            maps = np.maximum(maps, 0)
        answered.append(maps)
    return answered


def normalised(stages: list[Stage], images: list[Floats], percentile: float) -> list[Stage]:
    """Weights times the scale below, over the own one; biases over the own one. Means have none of their own."""
    of_images = [activations(stages, image) for image in images]
    below, made = 1.0, []
    for number, stage in enumerate(stages):
        if stage.weight is None or stage.bias is None:
            made.append(stage)
            continue
        every = np.concatenate([answered[number].ravel() for answered in of_images])
        scale = float(np.percentile(every[every > 0], percentile))
        made.append(Stage(stage.weight * below / scale, stage.bias / scale, 0, stage.stride, stage.padding))
        below = scale
    return made


@dataclass(frozen=True)
class Spiking:
    """What came of an image: ``(steps, neurons)``, spikes of each layer and potentials of the last."""

    spikes: list[NDArray[np.bool_]]
    potentials: Floats


def show(
    stages: list[Stage], image: Floats, steps: int, *, to_zero: bool = False, theta: float = 1.0,
    sent: NDArray[np.bool_] | None = None,
) -> Spiking:  # fmt: skip
    """Show an image to neurons that add up what reaches them.

    Parameters
    ----------
    stages : list of Stage
        Normalised.
    to_zero : bool
        Whether a spike sets the potential to zero, instead of taking the threshold off.
    sent : (steps, pixels) array, optional
        Spikes of the pixels; a constant current if not given.
    """
    potentials = [np.zeros_like(answered) for answered in activations(stages, image)]
    spikes: list[list[NDArray[np.bool_]]] = [[] for _ in stages]
    last = []
    for step in range(steps):
        maps = image if sent is None else sent[step].reshape(image.shape).astype(float)
        for number, stage in enumerate(stages):
            potentials[number] = potentials[number] + stage.biased(stage.drive(maps))
            fires = potentials[number] >= theta
            potentials[number] = np.where(fires, 0.0 if to_zero else potentials[number] - theta, potentials[number])
            spikes[number].append(fires.ravel())
            maps = fires.astype(float)
        last.append(potentials[-1].ravel().copy())
    return Spiking([np.array(layer) for layer in spikes], np.array(last))
