"""The notation of layered networks in papers: ``15C5-P2-40C5-P2-300``.

``15C5`` are 15 maps, each made by kernels of 5 x 5; ``P2`` are pools of 2 x 2 neurons; ``300`` are neurons that are
connected all to all with the layer before. Input and output are not written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hebbarium.equations.convolution import Connections, Maps, convolution, pooling

LARGEST = 1_000_000
"""Neurons of a layer, and maps."""
_EXAMPLE = "as in 400 or 15C5-P2-40C5-P2-300"


@dataclass(frozen=True)
class Layer:
    """A layer above the input.

    Parameters
    ----------
    kind : {'maps', 'pool', 'dense'}
    number : int
        Maps, or neurons of a dense layer; of pools, none are said.
    side : int
        Of a kernel or a pool.
    """

    kind: Literal["maps", "pool", "dense"]
    number: int = 0
    side: int = 0


@dataclass(frozen=True)
class Placed:
    """A layer with its neurons.

    Parameters
    ----------
    layer : Layer
    maps : Maps
        Its neurons; those of a dense layer are all at one place.
    pairs : Connections or None
        How it is connected with the layer below; all to all if None.
    """

    layer: Layer
    maps: Maps
    pairs: Connections | None


def read(text: str) -> tuple[Layer, ...]:
    """The layers that a text stands for, from below.

    Raises
    ------
    ValueError
        The text, or the order of its layers, means nothing.

    Examples
    --------
    >>> read("15C5-P2-300")[0], read("15C5-P2-300")[2].number
    (Layer(kind='maps', number=15, side=5), 300)
    """
    layers = tuple(_layer(part.strip()) for part in text.split("-"))
    for before, after in zip((None, *layers), layers, strict=False):
        if after.kind == "pool" and (before is None or before.kind != "maps"):
            raise ValueError(f"P{after.side} has to follow maps such as 15C5, {_EXAMPLE}")
        if after.kind == "maps" and before is not None and before.kind == "dense":
            raise ValueError(f"{after.number}C{after.side} stands after a dense layer, which has no places, {_EXAMPLE}")
    return layers


def _layer(part: str) -> Layer:
    if match := re.fullmatch(r"([1-9]\d{0,6})(?:[Cc]([1-9]\d{0,2}))?", part):
        number = int(match[1])
        if number > LARGEST:
            raise ValueError(f"'{part}' is too large, expected at most {LARGEST}")
        return Layer("maps", number, int(match[2])) if match[2] else Layer("dense", number)
    if match := re.fullmatch(r"[Pp]([1-9]\d{0,2})", part):
        return Layer("pool", side=int(match[1]))
    raise ValueError(
        f"'{part}' is no layer: expected neurons (300), maps and the side of their kernels (15C5) or the side of pools"
        f" (P2), with hyphens between layers, {_EXAMPLE}"
    )


def placed(layers: Sequence[Layer], pixels: int) -> tuple[Placed, ...]:
    """The layers on an image of so many pixels.

    Raises
    ------
    ValueError
        The image is no square, or a layer does not fit onto the one below.
    """
    if all(layer.kind == "dense" for layer in layers):
        maps = Maps(1, 1, pixels)
    else:
        maps = Maps.square(pixels)
    result = []
    for layer in layers:
        pairs = None
        if layer.kind == "maps":
            pairs = convolution(maps, layer.side, layer.number)
        elif layer.kind == "pool":
            pairs = pooling(maps, layer.side)
        maps = pairs.above if pairs else Maps(1, 1, layer.number)
        result.append(Placed(layer, maps, pairs))
    return tuple(result)
