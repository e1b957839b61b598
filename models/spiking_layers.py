"""Layers of spiking neurons as files for other simulators hold them: weights, and one kind of neuron behind each.

What such a file cannot hold is how a network learns. It holds the network as it is tested.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hebbarium.models.conventional import ConventionalNetwork

__all__ = ["CannotBeHeld", "LayerNeurons", "SpikingLayers"]


class CannotBeHeld(ValueError):
    """A network that files of layers cannot hold; the message says why."""


@dataclass(frozen=True)
class LayerNeurons:
    """Neurons that are reset to 0 by a spike.

    Parameters
    ----------
    theta : float
        Firing threshold.
    reaches : bool
        Whether a potential that is as large as the threshold fires; if not, it has to be larger.
    tau_m, tau_s : float, optional
        Time constants of the potential and of the synaptic current in seconds; both or none. With them, as NIR's
        ``CubaLIF``: ``tau_s dI/dt = -I + S``, ``tau_m dv/dt = -v + r I``. Without them, as ``IF``: ``dv/dt = r I``.
    r : float
        Resistance. An ``IF`` with 1/dt adds up what arrives at each step.
    """

    theta: float
    reaches: bool
    r: float
    tau_m: float | None = None
    tau_s: float | None = None

    @property
    def exceeded(self) -> float:
        """The threshold that a potential has to exceed to fire, as NIR has it."""
        return math.nextafter(self.theta, -math.inf) if self.reaches else self.theta


@dataclass(frozen=True)
class SpikingLayers:
    """A network of layers without latency: a spike passes through all of them in its own step.

    Parameters
    ----------
    network : ConventionalNetwork
        The weights and biases; what is shown is a constant input at each step.
    neurons : mapping
        By the name of a layer; a layer without neurons hands on sums.
    dt : float
        Step in seconds with which forward Euler gives the spikes of this network.
    steps : int
        Of a sample, before which all potentials and currents are 0.
    """

    network: ConventionalNetwork
    neurons: Mapping[str, LayerNeurons]
    dt: float
    steps: int
