"""Small networks with desires that learn within a few small images, and how to run them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, BlockResult, Structure
from hebbarium.models.desire_backprop import DesireBackprop
from tests.oracles.desire_backprop import Network, Settings

PIXELS, CLASSES, CAPACITY = 49, 4, 400
ETA = 5e-4


@dataclass(frozen=True, eq=False)
class GivenMasks(DesireBackprop):
    """The model with masks of dropout that come with the samples."""

    name: ClassVar[str] = "desire_with_given_masks"
    draw_kept = "kept = kept_{population}(t, i)"

    def inputs(self, phase: str, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Arrays:
        """As the model's, and a mask for each layer but the output."""
        given = super().inputs(phase, images, labels)
        return given | {f"kept_{name}": mask for name, mask in masks(self, len(images)).items()}


def small_model(kind: type[DesireBackprop] = DesireBackprop, **changes: Any) -> DesireBackprop:
    """49 inputs, hidden layers of 24 and 16, four classes; learns fast, without dropout unless told otherwise."""
    settings: dict[str, Any] = {
        "pixels": PIXELS, "classes": CLASSES, "layers": (24, 16), "eta": ETA, "p_hidden": 0.0,
    }  # fmt: skip
    return kind(**(settings | changes))


def samples(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noisy versions of one pattern a class, a third of their pixels lit, and their classes."""
    generator = np.random.default_rng(21)
    patterns = 255 * (generator.random((CLASSES, PIXELS)) < 0.33)
    labels = generator.integers(CLASSES, size=CAPACITY)
    noise = generator.integers(-140, 141, (CAPACITY, PIXELS))
    return np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8)[:count], labels[:count]


def masks(model: DesireBackprop, count: int) -> dict[str, NDArray[np.float64]]:
    """Masks of dropout for a number of samples: the same for the first ones, however many there are."""
    drawn = {}
    sizes = dict(zip(("input", *model.hidden), (model.pixels, *model.layers), strict=True))
    for number, (name, size) in enumerate(sizes.items()):
        generator = np.random.default_rng([5, number])
        dropped = model.p_input if name == "input" else model.p_hidden
        drawn[name] = (generator.random((count, size)) >= dropped).astype(np.float64)
    return drawn


def first_state(model: DesireBackprop, phase: str = "train") -> Arrays:
    """The state before the first sample, weights drawn from a fixed seed, larger than usual to make spikes."""
    drawn = {name: 1.3 * w for name, w in model.initial_state(np.random.default_rng(3)).items()}
    return dict(initial_state(model, phase, drawn))


def run_samples(
    model: DesireBackprop, device: str, scratch: Path, count: int, *, phase: str = "train", precision: str = "float64",
    state: Arrays | None = None, first: int = 0, seed: int = 5, record: tuple[str, ...] = (),
) -> BlockResult:
    """Show samples ``first`` to ``count`` in one block."""
    images, labels = samples(count)
    inputs = {k: v[first:] for k, v in model.all_inputs(phase, images, labels).items()}
    program = devices.program(Structure(model, phase, precision, device, CAPACITY, record), scratch)
    begin = first_state(model, phase) if state is None else state
    return program.run(Block(begin, inputs, model.run_time_values(), seed))


def settings_of(model: DesireBackprop) -> Settings:
    """What the model says, for its twin."""
    return Settings(
        code=model.reading == "code", steps=model.steps, beta_p=model.beta_p, beta_r=model.beta_r,
        theta_p=model.theta_p, theta_out=model.theta_out, theta_hid=model.theta_hid, margin=round(model.margin),
        dropout_hidden=model.p_hidden, dropout_input=model.p_input,
    )  # fmt: skip


def weights(model: DesireBackprop, state: Arrays) -> list[NDArray[np.float64]]:
    """Weights ``(inputs, neurons)`` of each layer."""
    return [np.asarray(state[p.variable], np.float64).reshape(p.shape) for p in anatomy.projections(model)]


def twin(model: DesireBackprop) -> Network:
    """The twin with the model's first weights."""
    return Network(settings_of(model), weights(model, first_state(model)))
