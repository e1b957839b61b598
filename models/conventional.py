"""Conventional networks that are converted into spiking ones: layers, what they answer, and their normalisation.

A layer of weights has a rectifier behind it, except the last, whose largest output is the answer. Images and maps are
``(rows, columns, channels)``: flattened, the channels of a place lie side by side.

B. Rueckauer, I.-A. Lungu, Y. Hu, M. Pfeiffer and S.-C. Liu, "Conversion of continuous-valued deep networks to
efficient event-driven networks for image classification", Frontiers in Neuroscience 11:682 (2017), says how weights
are normalised by activations. Each layer's are divided by how large its activations become, so that none of its neurons
would have to spike more often than once a step.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from hebbarium.equations.convolution import Connections, Maps, convolution, pooling

Floats = NDArray[np.floating]
Shape = tuple[int, ...]
"""Rows, columns and channels of a map; or a number of neurons."""

_TOGETHER = 500
"""Images whose activations are computed at once: they fit into memory."""


class LayerRefused(ValueError):
    """A layer that cannot be converted: its name and why."""


@dataclass(frozen=True, eq=False)
class ConventionalLayer:
    """A layer, by the name that its file has for it."""

    name: str

    kind: ClassVar[str]
    #: whether it has weights, and a rectifier behind them
    weighted: ClassVar[bool] = True

    def out(self, shape: Shape) -> Shape:
        """Shape of what it makes of a map of a shape.

        Raises
        ------
        LayerRefused
            It cannot be applied to such a map.
        """
        raise NotImplementedError

    def applied(self, maps: Floats) -> Floats:
        """What it makes of maps ``(images, *shape)``, before the rectifier."""
        raise NotImplementedError

    def pairs(self, shape: Shape) -> Connections | None:
        """Its synapses, if a map of a shape is below it; None if every neuron is connected to every other."""
        raise NotImplementedError

    def weights(self, shape: Shape) -> Floats:
        """Of each synapse, in the order of `pairs`."""
        raise NotImplementedError

    def biases(self, shape: Shape) -> Floats:
        """Of each of its neurons, flattened."""
        raise NotImplementedError

    def scaled(self, weights: float, biases: float) -> Self:
        """The same with its weights and biases multiplied."""
        return self

    def refused(self, why: str) -> LayerRefused:
        """The error that says why it cannot be converted."""
        return LayerRefused(f"layer {self.name} ({self.kind}): {why}")

    def _refuse_arrays(self, weight: Floats, dimensions: int, bias: Floats) -> None:
        if weight.ndim != dimensions or 0 in weight.shape:
            raise self.refused(f"weights of shape {weight.shape}, expected {dimensions} dimensions, none of them 0")
        if bias.shape != weight.shape[-1:]:
            raise self.refused(f"biases of shape {bias.shape}, expected ({weight.shape[-1]},), one an output")
        for what, array in (("weights", weight), ("biases", bias)):
            if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
                raise self.refused(f"{what} of type {array.dtype}, expected finite numbers")

    def _map(self, shape: Shape) -> tuple[int, int, int]:
        if len(shape) != 3:
            raise self.refused(f"comes after a layer of {in_words(shape)}, expected rows, columns and channels")
        rows, columns, channels = shape
        return rows, columns, channels


@dataclass(frozen=True, eq=False)
class Convolution(ConventionalLayer):
    """Kernels that go over a map.

    Parameters
    ----------
    weight : (rows, columns, channels below, channels)
    bias : (channels,)
    stride : tuple of int
        Places by which a kernel goes on, in rows and columns.
    padding : tuple of int
        Rows above and below, and columns on both sides, that count as zeros.
    """

    weight: Floats
    bias: Floats
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    kind: ClassVar[str] = "convolution"

    def __post_init__(self) -> None:
        self._refuse_arrays(self.weight, 4, self.bias)
        if self.weight.shape[0] != self.weight.shape[1]:
            raise self.refused(f"kernels of {in_words(self.weight.shape[:2])}, expected square ones")
        if min(self.stride) < 1 or min(self.padding) < 0:
            raise self.refused(f"stride {self.stride} and padding {self.padding}, expected 1 or more, and 0 or more")

    def out(self, shape: Shape) -> Shape:
        """See `ConventionalLayer.out`."""
        *size, channels = self._map(shape)
        if channels != self.weight.shape[2]:
            raise self.refused(f"has weights for {self.weight.shape[2]} channels, but gets {in_words(shape)}")
        padded = [n + 2 * p for n, p in zip(size, self.padding, strict=True)]
        kernel = self.weight.shape[:2]
        if any(n < k for n, k in zip(padded, kernel, strict=True)):
            raise self.refused(f"kernels of {in_words(kernel)} are larger than what they go over, {in_words(shape)}")
        rows, columns = ((n - k) // s + 1 for n, k, s in zip(padded, kernel, self.stride, strict=True))
        return rows, columns, self.weight.shape[3]

    def applied(self, maps: Floats) -> Floats:
        """See `ConventionalLayer.applied`."""
        kernel, (down, right), (above, beside) = self.weight.shape[:2], self.stride, self.padding
        padded = np.pad(maps, ((0, 0), (above, above), (beside, beside), (0, 0)))
        windows = sliding_window_view(padded, kernel, axis=(1, 2))[:, ::down, ::right]
        seen = windows.transpose(0, 1, 2, 4, 5, 3)
        weight = self.weight.reshape(-1, self.weight.shape[3])
        return seen.reshape(*seen.shape[:3], -1) @ weight + self.bias

    def pairs(self, shape: Shape) -> Connections:
        """See `ConventionalLayer.pairs`.

        Neurons around the map, where it is padded, are left out, and so are places that are stepped over.
        """
        rows, columns, channels = self._map(shape)
        (above, beside), (down, right) = self.padding, self.stride
        padded = Maps(rows + 2 * above, columns + 2 * beside, channels)
        whole = convolution(padded, len(self.weight), self.weight.shape[3])
        y, x, c = np.unravel_index(whole.source, whole.below)
        v, u, d = np.unravel_index(whole.target, whole.above)
        y, x = y - above, x - beside
        kept = (y >= 0) & (y < rows) & (x >= 0) & (x < columns) & (v % down == 0) & (u % right == 0)
        source = np.ravel_multi_index([n[kept] for n in (y, x, c)], shape)
        target = np.ravel_multi_index([(v // down)[kept], (u // right)[kept], d[kept]], self.out(shape))
        order = np.lexsort((target, source))  # targets run on, over channels and columns
        return Connections(
            Maps(*shape), Maps(*self.out(shape)), source[order].astype(np.int32), target[order].astype(np.int32),
            whole.weight[kept][order], whole.weights,
        )  # fmt: skip

    def weights(self, shape: Shape) -> Floats:
        """See `ConventionalLayer.weights`: each synapse has a copy, so that weights run on as targets do."""
        return self.weight.ravel()[self.pairs(shape).weight]

    def biases(self, shape: Shape) -> Floats:
        """See `ConventionalLayer.biases`."""
        return np.tile(self.bias, math.prod(self.out(shape)[:2]))

    def scaled(self, weights: float, biases: float) -> Self:
        """See `ConventionalLayer.scaled`."""
        return dataclasses.replace(self, weight=self.weight * weights, bias=self.bias * biases)

    def __str__(self) -> str:
        more = f" stride {in_words(self.stride)}" * (self.stride != (1, 1))
        more += f" padding {in_words(self.padding)}" * (self.padding != (0, 0))
        return f"conv{self.weight.shape[3]}-{in_words(self.weight.shape[:2])}{more}"


@dataclass(frozen=True, eq=False)
class Dense(ConventionalLayer):
    """Neurons that see all of what is below.

    Parameters
    ----------
    weight : (inputs, neurons)
    bias : (neurons,)
    """

    weight: Floats
    bias: Floats

    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        self._refuse_arrays(self.weight, 2, self.bias)

    def out(self, shape: Shape) -> Shape:
        """See `ConventionalLayer.out`."""
        if math.prod(shape) != len(self.weight):
            raise self.refused(f"has weights for {len(self.weight)} inputs, but gets {in_words(shape)}")
        return (self.weight.shape[1],)

    def applied(self, maps: Floats) -> Floats:
        """See `ConventionalLayer.applied`."""
        return maps.reshape(len(maps), -1) @ self.weight + self.bias

    def pairs(self, shape: Shape) -> None:
        """See `ConventionalLayer.pairs`: every neuron is connected to every other."""

    def weights(self, shape: Shape) -> Floats:
        """See `ConventionalLayer.weights`."""
        return self.weight.ravel()

    def biases(self, shape: Shape) -> Floats:
        """See `ConventionalLayer.biases`."""
        return self.bias

    def scaled(self, weights: float, biases: float) -> Self:
        """See `ConventionalLayer.scaled`."""
        return dataclasses.replace(self, weight=self.weight * weights, bias=self.bias * biases)

    def __str__(self) -> str:
        return str(self.weight.shape[1])


@dataclass(frozen=True, eq=False)
class AveragePooling(ConventionalLayer):
    """The mean of each patch of a map, channel by channel.

    Parameters
    ----------
    size : int
        Rows, and columns, of a patch; patches lie side by side.
    """

    size: int

    kind: ClassVar[str] = "average_pooling"
    weighted: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise self.refused(f"patches of {self.words}, expected 1x1 or more")

    @property
    def words(self) -> str:
        """Size of a patch."""
        return in_words((self.size, self.size))

    @property
    def share(self) -> float:
        """What each element of a patch adds to the mean."""
        return 1 / self.size**2

    def out(self, shape: Shape) -> Shape:
        """See `ConventionalLayer.out`."""
        rows, columns, channels = self._map(shape)
        if rows % self.size or columns % self.size:
            raise self.refused(f"patches of {self.words} do not divide {in_words(shape)}")
        return rows // self.size, columns // self.size, channels

    def applied(self, maps: Floats) -> Floats:
        """See `ConventionalLayer.applied`."""
        rows, columns, channels = self.out(maps.shape[1:])
        patches = maps.reshape(-1, rows, self.size, columns, self.size, channels)
        return patches.mean(axis=(2, 4), dtype=maps.dtype)

    def pairs(self, shape: Shape) -> Connections:
        """See `ConventionalLayer.pairs`."""
        return pooling(Maps(*self._map(shape)), self.size)

    def weights(self, shape: Shape) -> Floats:
        """See `ConventionalLayer.weights`: all are `share`."""
        return np.full(math.prod(shape), self.share)

    def biases(self, shape: Shape) -> Floats:
        """See `ConventionalLayer.biases`: none."""
        return np.zeros(math.prod(self.out(shape)))

    def __str__(self) -> str:
        return f"avgpool{self.words}"


def in_words(shape: Sequence[int]) -> str:
    """A shape to read.

    >>> in_words((28, 28, 1)), in_words((120,))
    ('28x28x1', '120')
    """
    return "x".join(map(str, shape))


@dataclass(frozen=True, eq=False)
class ConventionalNetwork:
    """Layers, one behind the other.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns and channels of the images; or one number of inputs.
    layers : tuple of ConventionalLayer

    Raises
    ------
    LayerRefused
        A layer does not fit what is below it; or the last one is no layer of neurons that stand for classes.
    """

    shape: Shape
    layers: tuple[ConventionalLayer, ...]

    def __post_init__(self) -> None:
        if len(self.shape) not in (1, 3) or min(self.shape) < 1:
            raise LayerRefused(f"images of shape {self.shape}: expected rows, columns and channels, or inputs")
        if not self.layers:
            raise LayerRefused("the network has no layers: expected one or more")
        names = [layer.name for layer in self.layers]
        if twice := [name for name in names if names.count(name) > 1]:
            raise LayerRefused(f"layer {twice[0]}: there are several of this name, expected one")
        last = self.layers[-1]
        if len(self.shapes[-1]) != 1:
            raise last.refused("is the last one, expected a dense layer, whose neurons stand for the classes")

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Of the images, and of what each layer makes of them."""
        shapes = [self.shape]
        for layer in self.layers:
            shapes.append(layer.out(shapes[-1]))
        return tuple(shapes)

    @property
    def inputs(self) -> int:
        """Pixels of an image, times channels."""
        return math.prod(self.shape)

    @property
    def parameters(self) -> int:
        """How many weights and biases it has."""
        return sum(a.size for layer in self.layers for a in vars(layer).values() if isinstance(a, np.ndarray))

    def __str__(self) -> str:
        return " ".join([in_words(self.shape), *map(str, self.layers)])

    def activations(self, images: Floats) -> Iterator[Floats]:
        """What each layer answers, ``(images, *shape)``: rectified, if it has weights, but for the last layer.

        Parameters
        ----------
        images : (images, inputs)
            From 0 to 1.
        """
        maps = images.reshape(-1, *self.shape)
        for layer in self.layers:
            maps = layer.applied(maps)
            if layer.weighted and layer is not self.layers[-1]:
                maps = np.maximum(maps, 0)
            yield maps

    def answers(self, images: Floats) -> Floats:
        """What its last layer answers, ``(images, classes)``."""
        parts = [np.zeros((0, *self.shapes[-1]), np.float32)]
        for first in range(0, len(images), _TOGETHER):
            *_, last = self.activations(images[first : first + _TOGETHER])
            parts.append(last)
        return np.concatenate(parts)

    def largest(self, images: Floats, percentile: float) -> dict[str, float]:
        """How large the activations of each layer with weights become, by its name.

        Parameters
        ----------
        images : (images, inputs)
            From 0 to 1.
        percentile : float
            Of those activations that are not zero, which are positive: the largest of all for 100.

        Raises
        ------
        LayerRefused
            No activation of a layer is positive for any image.
        """
        of_layer: dict[str, list[Floats]] = {layer.name: [] for layer in self.layers if layer.weighted}
        for first in range(0, len(images), _TOGETHER):
            maps = self.activations(images[first : first + _TOGETHER])
            for layer, activation in zip(self.layers, maps, strict=True):
                if layer.weighted:
                    of_layer[layer.name].append(activation[activation > 0])
        scales = {}
        for layer in self.layers:
            if layer.weighted:
                positive = np.concatenate(of_layer[layer.name]) if len(images) else np.zeros(0)
                if not len(positive):
                    raise layer.refused("none of its activations is positive for any image: it would never spike")
                scales[layer.name] = float(np.percentile(positive, percentile))
        return scales

    def normalised(self, scales: dict[str, float]) -> ConventionalNetwork:
        """The same network in which no activation is larger than 1, but for those beyond the percentile.

        ``W`` becomes ``W lambda_below/lambda`` and ``b`` becomes ``b/lambda``; pooling has no scale of its own.

        Parameters
        ----------
        scales : dict of float
            From `largest`.
        """
        below, layers = 1.0, []
        for layer in self.layers:
            if layer.weighted:
                scale = scales[layer.name]
                layers.append(layer.scaled(below / scale, 1 / scale))
                below = scale
            else:
                layers.append(layer)
        return dataclasses.replace(self, layers=tuple(layers))


