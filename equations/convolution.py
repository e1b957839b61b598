"""Which neuron is connected to which, and by which weight, in layers of maps: convolution and pooling.

A layer of maps is a grid of places with one neuron a channel at each. Channels come last: neurons are numbered by row,
by column, then by channel, so that all channels of a place are neighbours. So are, from one source by one part of the
kernel, the targets and their weights: both run on for as many synapses as there are maps above.

Kernels are weights that synapses share. They are the neurons of a group of their own, in which the optimiser changes
them; each synapse has the number of its weight, `NUMBER`, and reads it as a variable that is linked to the group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

NUMBER = "kernel_index"
"""Variable of a synapse that is the number of its weight in a kernel."""


class Maps(NamedTuple):
    """The neurons of a layer: one a channel at each place of a grid."""

    height: int
    width: int
    channels: int

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.height * self.width * self.channels

    @property
    def words(self) -> str:
        """The layer as messages say it."""
        return f"{self.height}x{self.width}x{self.channels}"

    def numbers(self) -> NDArray[np.int64]:
        """Number of each neuron, ``(height, width, channels)``."""
        return np.arange(self.size).reshape(self)

    @classmethod
    def square(cls, pixels: int) -> Self:
        """The pixels of a square image. Raises ValueError if they make none."""
        side = math.isqrt(pixels)
        if side * side != pixels:
            raise ValueError(f"{pixels} pixels make no square image, expected a square number such as {28 * 28}")
        return cls(side, side, 1)


@dataclass(frozen=True)
class Connections:
    """Pairs of neurons, listed for Brian2's ``connect(i=source, j=target)``.

    Parameters
    ----------
    below, above : Maps
    source, target : (synapses,)
        Neurons of both layers, by source.
    weight : (synapses,)
        Number of the weight that a synapse has.
    weights : int
        How many there are.
    """

    below: Maps
    above: Maps
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.int32]
    weights: int


def convolution(below: Maps, side: int, channels: int) -> Connections:
    """A square kernel at every place where it lies within the layer below: no padding, step one.

    The weight of part ``(dy, dx)`` of the kernel from map ``c`` to map ``d`` is the number
    ``((dy*side + dx)*below.channels + c)*channels + d``: an array ``(side, side, below.channels, channels)``.

    Parameters
    ----------
    below : Maps
    side : int
        Of the kernel.
    channels : int
        Maps above.

    Raises
    ------
    ValueError
        The kernel is larger than the layer.
    """
    if not 1 <= side <= min(below.height, below.width):
        raise ValueError(f"a kernel of {side}x{side} on {below.words} neurons, expected a side from 1 to the layer's")
    above = Maps(below.height - side + 1, below.width - side + 1, channels)
    y, x, dy, dx, c, d = np.ogrid[: above.height, : above.width, :side, :side, : below.channels, :channels]
    shape = (above.height, above.width, side, side, below.channels, channels)
    return _listed(
        below,
        above,
        np.broadcast_to(below.numbers()[y + dy, x + dx, c], shape),
        np.broadcast_to(above.numbers()[y, x, d], shape),
        np.broadcast_to(((dy * side + dx) * below.channels + c) * channels + d, shape),
    )


def pooling(below: Maps, side: int) -> Connections:
    """Squares of neurons that share nothing, each onto one neuron of the same map; all by one weight, the pool's gain.

    Raises
    ------
    ValueError
        The squares do not cover the layer.
    """
    if side < 1 or below.height % side or below.width % side:
        raise ValueError(
            f"pools of {side}x{side} on {below.words} neurons, expected a side that divides height and width; others"
            " would leave neurons out"
        )
    above = Maps(below.height // side, below.width // side, below.channels)
    target = above.numbers().repeat(side, axis=0).repeat(side, axis=1)
    return _listed(below, above, below.numbers(), target, np.zeros(tuple(below), np.int64))


def _listed(
    below: Maps, above: Maps, source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.int64]
) -> Connections:
    """Pairs by source, then by weight: of one source, a part of the kernel after the other."""
    source, target, weight = (array.ravel() for array in (source, target, weight))
    order = np.lexsort((weight, source))
    i, j, k = (array[order].astype(np.int32) for array in (source, target, weight))
    return Connections(below, above, i, j, k, int(weight.max()) + 1)


def shared(*variables: str) -> str:
    """Equations of synapses that share these variables, such as ``w``, with others of the same weight.

    Examples
    --------
    >>> print(shared("w"))
    kernel_index : integer (constant)
    w : 1 (linked)
    <BLANKLINE>
    """
    return f"{NUMBER} : integer (constant)\n" + "".join(f"{name} : 1 (linked)\n" for name in variables)
