"""Parts that winner-take-all networks share: lateral inhibition, and a controller that shows samples again.

Both act in fixed slots of a step. Start: 0 events, 4 the count of spikes begins anew. Thresholds: 1 the controller
finds too few. Synapses: 3-8 inhibition, 9 the count. Resets: 1 another presentation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import NeuronGroup, Synapses
from numpy.typing import NDArray

from hebbarium.equations import presentation, topologies
from hebbarium.models.encoded_inputs import IN_CYCLES, MOST_STEPS
from hebbarium.models.parts import BEGINS, At, Parts

RELATIONS = (
    "whole(t_shown/dt)",
    "whole(t_rest/dt)",
    f"(t_shown + t_rest)/dt <= {MOST_STEPS}",
    "v_reset < v_thresh + theta_init",
    "v_reset_fast < v_thresh_fast",
    "e_inh < e_exc",
    "w_min < w_max",
    "intensity_first <= intensity_most",
    "(intensity_most - intensity_first)/intensity_step <= 1000",  # presentations of one sample
    "rate_step*intensity_first*dt <= 1",
    f"t_code <= t_shown if {IN_CYCLES}",
)
"""What has to hold between the parameters of a network with a controller; see `Model.relations`."""

BEYOND_LAYERS = (
    "its synapses are conductances, its thresholds adapt and its neurons inhibit each other, which layers of"
    " integrate-and-fire neurons one behind the other do not hold; nor do they hold how weights change"
)
"""See `Model.beyond_layers`."""


def controller(parts: Parts, counts: bool) -> NeuronGroup:
    """One neuron that fires when a sample is over.

    Parameters
    ----------
    parts : Parts
        Of a model with the quantities ``intensity_first``, ``intensity_step``, ``intensity_most`` and ``n_least``, and
        with the constant ``shown_steps``.
    counts : bool
        Whether it waits for enough spikes, which `count_spikes` lets it see; if not, each sample is shown once.
    """
    group = parts.neurons(
        "controller",
        1,
        presentation.CONTROLLER,
        threshold=presentation.ENOUGH if counts else presentation.RESTS,
        reset=presentation.NEXT_SAMPLE,
        events={"switch": counts and BEGINS, "again": counts and At("thresholds 1", presentation.TOO_FEW)},
        runs=[
            counts and At("start 4", presentation.COUNT_ANEW, "switch"),
            counts and At("resets 1", presentation.SHOWN_AGAIN, "again"),
        ],
    )
    group.intensity = parts.model.run_time_values()["intensity_first"]
    return group


def count_spikes(parts: Parts, neurons: NeuronGroup, controller: NeuronGroup) -> Synapses:
    """Let a controller see the spikes of a population."""
    return parts.synapses("to_controller", neurons, controller, on_pre={"pre": At("synapses 9", presentation.COUNT)})


def lateral_inhibition(
    parts: Parts, layer: str, excitatory: NeuronGroup, inhibitory: NeuronGroup, excite: str, inhibit: str, spare: str
) -> list[Any]:
    """Each excitatory neuron drives its inhibitory neuron, which inhibits all others.

    Parameters
    ----------
    parts : Parts
    layer : str
        Prefix of the parts' names.
    excite, inhibit, spare : str
        What a spike does to its inhibitory neuron, the inhibitory spikes of a step (``n_spikes_pre``) to everyone, and
        an inhibitory spike to its own excitatory neuron, to take that back.

    Returns
    -------
    list
        The hub and four pathways.
    """
    hub = parts.neurons(
        f"{layer}hub",
        1,
        topologies.HUB,
        events={"inhibit": At("synapses 5", topologies.HUB_FIRES)},
        runs=[At("synapses 8", topologies.CLEAR_HUB, "inhibit")],
    )
    by_pre = {
        "to_inhibitory": (excitatory, inhibitory, At("synapses 3", excite)),
        "to_hub": (inhibitory, hub, At("synapses 4", topologies.COUNT_INTO_HUB)),
        "from_hub": (hub, excitatory, At("synapses 6", inhibit, "inhibit")),
        "spare": (inhibitory, excitatory, At("synapses 7", spare)),
    }
    return [hub] + [
        parts.synapses(f"{layer}{name}", source, target, on_pre={"pre": at}, one_to_one=hub not in (source, target))
        for name, (source, target, at) in by_pre.items()
    ]


def total_intensity(
    intensity_first: float, intensity_step: float, presentations: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Sum of the intensities of ``presentations`` (samples,): each is higher than the one before."""
    n = presentations.astype(np.float64)
    return n * intensity_first + intensity_step * n * (n - 1) / 2


def scaled(weights: NDArray[Any], shape: tuple[int, int], target: float, p: float = 2.0) -> NDArray[Any]:
    """Weights ``(sources*targets,)``, those onto each target brought to an Lp norm; what is zero stays zero."""
    w = weights.reshape(shape)
    norms = (np.abs(w.astype(np.float64)) ** p).sum(axis=0) ** (1 / p)
    result: NDArray[Any] = (w * (target / np.where(norms > 0, norms, 1))).astype(w.dtype).ravel()
    return result
