"""The network of Touda & Okuno as arrays and numbers, for sides whose interpreter has nothing of ours.

Hence it imports NumPy alone. Times are in milliseconds, potentials in millivolts, conductances in parts of the leak's.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.worker import Measurement, measure, serve

__all__ = ["HandedOver", "Side", "answer", "scaled"]


@dataclass(frozen=True, eq=False)
class HandedOver:
    """What a side needs to know.

    Parameters
    ----------
    rates : (images, pixels)
        Hertz.
    w : (pixels, neurons)
        As our side has them after its warm-up.
    theta : (neurons,)
        The same, of the thresholds' adaptive part.
    values : mapping of str to float
        Parameters by the model's symbols; ``to_exc``, ``to_inh`` and ``from_inh`` are by how much a spike raises a
        conductance.
    """

    rates: NDArray[np.float64]
    w: NDArray[np.float64]
    theta: NDArray[np.float64]
    values: Mapping[str, float]

    def write(self, path: Path) -> None:
        """Keep it in an ``.npz`` file."""
        arrays = {f"value.{symbol}": np.array(value) for symbol, value in self.values.items()}
        np.savez(path, allow_pickle=False, rates=self.rates, w=self.w, theta=self.theta, **arrays)

    @classmethod
    def read(cls, path: Path) -> HandedOver:
        """What `write` has kept."""
        with np.load(path) as kept:
            values = {name.removeprefix("value."): float(kept[name]) for name in kept if name.startswith("value.")}
            return cls(kept["rates"], kept["w"], kept["theta"], values)


class Side(ABC):
    """A network in training. Images are presented in their order, again and again."""

    def __init__(self, given: HandedOver) -> None:
        self.given, self.values, self.seen = given, given.values, 0

    @abstractmethod
    def begin(self, rates: NDArray[np.float64]) -> None:
        """Scale the weights, clear what does not outlive an image, give the inputs their rates ``(pixels,)``."""

    @abstractmethod
    def simulate(self) -> None:
        """Show the image."""

    @abstractmethod
    def spikes(self) -> int:
        """Spikes of the excitatory neurons since they were counted last."""

    def train(self, count: int) -> Measurement:
        """``count`` images, one after another; ``run`` are the seconds of simulation alone."""
        chosen = np.arange(self.seen, self.seen + count) % len(self.given.rates)
        self.seen += count
        simulating = 0.0

        def present() -> int:
            nonlocal simulating
            number = 0
            for rates in self.given.rates[chosen]:
                self.begin(rates)
                began = time.perf_counter()
                self.simulate()
                simulating += time.perf_counter() - began
                number += self.spikes()
            return number

        return dataclasses.replace(measure(count, present), run=simulating)


def scaled(w: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    """Weights ``(neurons, pixels)``, each row with the L2 norm that it is to have."""
    return w * (target / np.sqrt((w**2).sum(axis=1, keepdims=True)))


def answer(make: Callable[[HandedOver], Side], description: Mapping[str, str]) -> None:
    """Worker: build the network of a file, train on some images, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npz file that holds the network and its inputs")
    parser.add_argument("--warm-up", type=int, required=True, help="images before the first measurement")
    options = parser.parse_args()
    side = make(HandedOver.read(options.images))
    side.train(options.warm_up)
    serve(dict(description), side.train)
