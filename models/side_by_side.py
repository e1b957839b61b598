"""Networks side by side as one: cells and seeds of a table, each with parameters, weights and samples of its own.

A small network leaves a GPU idle: the operations of a step are started one after the other, and each has little to do.
Of networks side by side (`hebbarium.models.copies`) a step takes as many operations, each with as much more to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network
from numpy.typing import NDArray

from hebbarium.models import copies
from hebbarium.models.contract import Arrays, Model
from hebbarium.models.slots import Slots


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Networks of one model and structure that do not know of each other.

    What the engine asks of a model is here. A sample of each network makes a presentation: a block is given the first
    sample of each network, then the second of each, and so on.

    Parameters
    ----------
    networks : tuple of Model
        Their quantities, which reach a program at run time, may differ, and nothing else.

    Raises
    ------
    ValueError
        There is none; they differ in what is compiled in; or they are of a model that shows samples again, or several
        of them at a time.
    """

    networks: tuple[Model, ...]

    def __post_init__(self) -> None:
        if not self.networks:
            raise ValueError("no networks to be put side by side, expected one or more")
        first, *others = self.networks
        for other in others:
            if type(other) is not type(first):
                raise ValueError(f"{first.name} and {other.name} side by side: expected networks of one model")
            ours, theirs = first.structure_key(), other.structure_key()
            if different := [symbol for symbol in ours if ours[symbol] != theirs[symbol]]:
                symbol = different[0]
                raise ValueError(
                    f"{symbol}={ours[symbol]} and {symbol}={theirs[symbol]} side by side: what is compiled in has to be"
                    " the same; put those networks side by side that have it in common"
                )
        if first.controller:
            raise ValueError(
                f"model {first.name}: '{first.controller}' shows samples until they are over, for which each network"
                " takes its own time; run such networks one by one"
            )
        for phase in first.phases:
            if not first.slots(phase).plain:
                raise ValueError(
                    f"model {first.name}: phase '{phase}' has {first.slots(phase).meaning}; networks side by side take"
                    " one sample a presentation each"
                )

    @property
    def one(self) -> Model:
        """One of them, where they do not differ."""
        return self.networks[0]

    # -- what the engine needs; see `hebbarium.models.contract.Model` ------------------------------------
    @property
    def name(self) -> str:
        """See `Model.name`."""
        return f"{self.one.name}, {len(self.networks)} side by side"

    @property
    def readout(self) -> str:
        """See `Model.readout`."""
        return self.one.readout

    @property
    def controller(self) -> str:
        """See `Model.controller`: there is none."""
        return ""

    @property
    def phases(self) -> tuple[str, ...]:
        """See `Model.phases`."""
        return self.one.phases

    @property
    def written_as(self) -> type:
        """See `Model.written_as`."""
        return type(self.one)

    def structure_key(self) -> dict[str, str]:
        """See `Model.structure_key`."""
        return {**self.one.structure_key(), "side by side": str(len(self.networks))}

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`."""
        with copies.made(len(self.networks)):
            return self.one.build(phase, inputs)

    def slots(self, phase: str) -> Slots:
        """See `Model.slots`: a presentation holds a sample of each network."""
        return Slots(len(self.networks))

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return self.one.sample_steps(phase)

    def longest_delays(self) -> dict[str, float]:
        """See `Model.longest_delays`."""
        return self.one.longest_delays()

    def run_time_values(self) -> dict[str, float]:
        """Quantities of the first network, by which networks are drawn; a block is given `values`."""
        return self.one.run_time_values()

    def blank(self, phase: str, pixels: int) -> Arrays:
        """See `Model.blank`: what one network is given."""
        return self.one.blank(phase, pixels)

    def all_inputs(
        self,
        phase: str,
        images: NDArray[np.uint8],
        labels: NDArray[np.integer],
        epochs: NDArray[np.integer] | None = None,
    ) -> Arrays:
        """See `Model.all_inputs`: of samples in the order of a block, each as the network that it is shown to says.

        Parameters
        ----------
        phase : str
        images : (samples, pixels)
            The first one is shown to the first network, the next to the second.
        labels : (samples,)
        epochs : (samples,), optional
        """
        apart = [slice(k, None, len(self.networks)) for k in range(len(self.networks))]
        given = [
            network.all_inputs(phase, images[own], labels[own], None if epochs is None else epochs[own])
            for network, own in zip(self.networks, apart, strict=True)
        ]
        return self.interleaved(given)

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """See `Model.initial_state`: one network draws after the other."""
        return self.joined([network.initial_state(generator) for network in self.networks])

    def handed_on(self, state: Arrays) -> Arrays:
        """See `Model.handed_on`."""
        parted = zip(self.networks, self.parted(state), strict=True)
        return self.joined([network.handed_on(own) for network, own in parted])

    # -- of each network, and of all --------------------------------------------------------------------
    def values(self) -> dict[str, NDArray[np.float64]]:
        """All quantities in SI units by symbol, ``(networks,)``."""
        each = [network.run_time_values() for network in self.networks]
        return {symbol: np.array([own[symbol] for own in each]) for symbol in each[0]}

    def joined(self, states: Sequence[Mapping[str, NDArray[Any]]]) -> Arrays:
        """State of all networks, from that of each."""
        return {name: np.concatenate([own[name] for own in states]) for name in states[0]}

    def parted(self, state: Mapping[str, NDArray[Any]]) -> list[Arrays]:
        """State of each network, from that of all."""
        parts = {name: array.reshape(len(self.networks), -1) for name, array in state.items()}
        return [{name: array[k] for name, array in parts.items()} for k in range(len(self.networks))]

    def interleaved(self, inputs: Sequence[Mapping[str, NDArray[Any]]]) -> Arrays:
        """Inputs of a block, from those of each network's samples, as many of each."""
        stacked = {name: np.stack([own[name] for own in inputs], axis=1) for name in inputs[0]}
        return {name: array.reshape(-1, *array.shape[2:]) for name, array in stacked.items()}

    def answered(self, read: NDArray[Any]) -> NDArray[Any]:
        """What was read of a block's samples, ``(samples, ...)``, by network: ``(networks, samples of each, ...)``."""
        return np.swapaxes(read.reshape(-1, len(self.networks), *read.shape[1:]), 0, 1)
