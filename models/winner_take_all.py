"""Parts that winner-take-all networks share: lateral inhibition, and a controller that shows samples again.

Both act in fixed slots of a step. Start: 0 events, 4 the count of spikes begins anew. Thresholds: 1 the controller
finds too few. Synapses: 3-8 inhibition, 9 the count. Resets: 1 another presentation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import NeuronGroup, Synapses
from numpy.typing import NDArray

from hebbarium.equations import presentation, synapses, topologies
from hebbarium.models.contract import Model
from hebbarium.models.poisson_inputs import MOST_STEPS

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
)
"""What has to hold between the parameters of a network with a controller; see `Model.relations`."""


def controller(model: Model, counts: bool, common: dict[str, Any]) -> NeuronGroup:
    """One neuron that fires when a sample is over.

    Parameters
    ----------
    model : Model
        Has the quantities ``intensity_first``, ``intensity_step``, ``intensity_most`` and ``n_least``.
    counts : bool
        Whether it waits for enough spikes, which `count_spikes` lets it see; if not, each sample is shown once.
    common : dict
        ``clock`` and ``namespace``, in which are ``sample_steps`` and ``shown_steps``.
    """
    group = NeuronGroup(
        1,
        presentation.CONTROLLER
        + model.declare_used(presentation.ENOUGH, presentation.NEXT_SAMPLE, presentation.SHOWN_AGAIN),
        threshold=presentation.ENOUGH if counts else presentation.RESTS,
        reset=presentation.NEXT_SAMPLE,
        events={"switch": presentation.BEGINS, "again": presentation.TOO_FEW} if counts else {},
        name="controller",
        **common,
    )
    group.intensity = model.run_time_values()["intensity_first"]
    if counts:
        group.set_event_schedule("switch", when="start", order=0)
        group.run_on_event("switch", presentation.COUNT_ANEW, when="start", order=4)
        group.set_event_schedule("again", when="thresholds", order=1)
        group.run_on_event("again", presentation.SHOWN_AGAIN, when="resets", order=1)
    return group


def total_intensity(
    intensity_first: float, intensity_step: float, presentations: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Sum of the intensities of ``presentations`` (samples,): each is higher than the one before."""
    n = presentations.astype(np.float64)
    return n * intensity_first + intensity_step * n * (n - 1) / 2


def count_spikes(neurons: NeuronGroup, controller: NeuronGroup, common: dict[str, Any]) -> Synapses:
    """Let a controller see the spikes of a population."""
    count = Synapses(neurons, controller, on_pre=presentation.COUNT, name="to_controller", **common)
    count.connect()
    count.pre.order = 9
    return count


def lateral_inhibition(
    model: Model, layer: str, excitatory: NeuronGroup, inhibitory: NeuronGroup, common: dict[str, Any]
) -> list[Any]:
    """Each excitatory neuron drives its inhibitory neuron, which inhibits all others.

    Parameters
    ----------
    model : Model
        Has the quantities ``w_ei`` and ``w_ie``, jumps of a conductance.
    layer : str
        Prefix of the parts' names.

    Returns
    -------
    list
        The hub and four pathways.
    """
    hub = NeuronGroup(1, topologies.HUB, events={"inhibit": topologies.HUB_FIRES}, name=f"{layer}hub", **common)
    to_inhibitory = Synapses(
        excitatory,
        inhibitory,
        model.declare("w_ei"),
        on_pre=synapses.EXCITE_BY_FIXED_WEIGHT,
        name=f"{layer}to_inhibitory",
        **common,
    )
    to_inhibitory.connect(j="i")
    to_hub = Synapses(inhibitory, hub, on_pre=topologies.COUNT_INTO_HUB, name=f"{layer}to_hub", **common)
    to_hub.connect()
    from_hub = Synapses(
        hub,
        excitatory,
        model.declare("w_ie"),
        on_pre=topologies.INHIBIT_ALL_BY_WEIGHT,
        on_event="inhibit",
        name=f"{layer}from_hub",
        **common,
    )
    from_hub.connect()
    spare = Synapses(
        inhibitory,
        excitatory,
        model.declare("w_ie"),
        on_pre=topologies.SPARE_ONESELF_BY_WEIGHT,
        name=f"{layer}spare",
        **common,
    )
    spare.connect(j="i")
    hub.set_event_schedule("inhibit", when="synapses", order=5)
    hub.run_on_event("inhibit", topologies.CLEAR_HUB, when="synapses", order=8)
    for pathway, order in ((to_inhibitory.pre, 3), (to_hub.pre, 4), (from_hub.pre, 6), (spare.pre, 7)):
        pathway.when, pathway.order = "synapses", order
    return [hub, to_inhibitory, to_hub, from_hub, spare]
