"""Poisson neurons with geometric intervals (`hebbarium.equations.encoders`), and what they need of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from brian2 import NeuronGroup

from hebbarium.equations import presentation
from hebbarium.equations.encoders import GEOMETRIC, Encoder
from hebbarium.models.contract import Model
from hebbarium.models.parts import BEGINS, RESTS, At, Parts, follow

WHOLE_IN_SINGLE = 2**24  # single precision holds all whole numbers up to here, `due` among them

MOST_STEPS = 16_000
"""Steps of a presentation, at most: so many that a block of a thousand images stays below that number."""

CONSTANTS: Mapping[str, float] = {
    "p_least": 1e-12,  # an interval far beyond any block
    "p_most": 1 - 1e-12,
    "longest": 1e9,  # steps: beyond any block, within 32 bits
}


def refuse_long_block(model: Model, phase: str, images: int) -> None:
    """Raise `ValueError` for a block whose steps single precision cannot count."""
    if images * model.sample_steps(phase) >= WHOLE_IN_SINGLE:
        raise ValueError(f"blocks of {images} images: a step's number has to stay below 2**24")


def neurons(
    parts: Parts,
    name: str,
    size: int,
    rate: str,
    *,
    encoder: Encoder = GEOMETRIC,
    controller: NeuronGroup | None = None,
    equations: str | bool = False,
    spike: str | bool = False,
    begins: str | bool = False,
    begins_at: str = "start 4",
    events: Mapping[str, At | Literal[False]] | None = None,
    runs: Sequence[At | bool] = (),
    constants: Mapping[str, float] | None = None,
) -> NeuronGroup:
    """Poisson neurons, silent while a sample rests.

    Parameters
    ----------
    parts : Parts
    name, size
        As Brian2's.
    rate : str
        Rate of neuron ``i`` while a sample is shown.
    encoder : Encoder
    controller : NeuronGroup, optional
        Whose ``sample`` and ``intensity`` the rate reads; without one, samples follow one another without a rest.
    equations, spike, begins : str
        What the neurons have besides: variables, what a spike does, what a sample's beginning does.
    begins_at : str
        The place in a step of the latter.
    events, runs, constants
        More of them; see `Parts.neurons`.
    """
    follows = controller is not None
    group = parts.neurons(
        name,
        size,
        (encoder.equations, follows and presentation.FOLLOWS, equations),
        threshold=encoder.fires,
        reset=(encoder.spike, spike),
        events={"switch": BEGINS, "rest": follows and RESTS, **(events or {})},
        runs=[
            At(begins_at, (encoder.begins.format(rate=rate), begins), "switch"),
            follows and At("start 4", encoder.rests, "rest"),
            *runs,
        ],
        constants={**CONSTANTS, **(constants or {})},
        method="exponential_euler",
    )
    if controller is not None:
        follow(group, controller)
    return group
