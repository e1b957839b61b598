"""What Poisson neurons with geometric intervals (`hebbarium.equations.encoders`) need of the network around them."""

from __future__ import annotations

from collections.abc import Mapping

from hebbarium.models.contract import Model

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
