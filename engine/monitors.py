"""What is recorded of a network while it runs: the engine adds it, so that no model has to."""

from __future__ import annotations

from brian2 import EventMonitor, Network, SpikeMonitor

from hebbarium.engine.contract import Structure


def name(recorded: str) -> str:
    """Name of the monitor of a population, or of another event as ``group.event``."""
    return f"{recorded.replace('.', '_')}_spikes"


def add(network: Network, structure: Structure) -> None:
    """Record what a structure says, where the network does not record it by itself."""
    for recorded in structure.populations:
        group, _, event = recorded.partition(".")
        if name(recorded) in network:
            continue
        if event:
            network.add(EventMonitor(network[group], event, name=name(recorded)))
        else:
            network.add(SpikeMonitor(network[group], name=name(recorded)))
