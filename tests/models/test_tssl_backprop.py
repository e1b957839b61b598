"""TSSL-BP: one program against its oracle in plain NumPy, and the rules around it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.contract import Arrays, Block, Program, Structure
from hebbarium.models.tssl_backprop import TSSLBackprop
from tests.oracles.tssl_backprop import Dense, Floats, Maps, Network, Pools, Settings

PIXELS, CLASSES, BATCH = 64, 4, 5
Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def small_model(**changes: Any) -> TSSLBackprop:
    """64 pixels, four classes, batches of five."""
    settings: dict[str, Any] = {
        "pixels": PIXELS, "classes": CLASSES, "layers": "12", "batch": BATCH, "eta": 5e-3, "w_scale": 2.5,
    }  # fmt: skip
    return TSSLBackprop(**(settings | changes))


def samples(count: int, pixels: int = PIXELS, classes: int = CLASSES) -> tuple[Images, Labels]:
    """Noisy versions of one pattern a class, a third of their pixels lit, some all black, and their classes."""
    generator = np.random.default_rng(21)
    patterns = 255 * (generator.random((classes, pixels)) < 0.33)
    labels = generator.integers(classes, size=2000)
    images = np.clip(patterns[labels] + generator.integers(-140, 141, (2000, pixels)), 0, 255)
    images[5::13] = 0
    return images.astype(np.uint8)[:count], labels[:count]


def program_of(model: TSSLBackprop, device: str, scratch: Path, capacity: int, phase: str = "train",
               precision: str = "float64") -> Program:  # fmt: skip
    structure = Structure(model, phase, precision, device, capacity, measures=model.measures(phase == "train"))
    return devices.program(structure, scratch)


def first_state(model: TSSLBackprop, phase: str = "train") -> Arrays:
    return dict(anatomy.initial_state(model, phase, model.initial_state(np.random.default_rng(3))))


def show(model: TSSLBackprop, program: Program, images: Images, labels: Labels, state: Arrays) -> tuple[Arrays, Floats]:
    """State after a block, and the answers of its samples."""
    given = model.all_inputs(program.structure.phase, images, labels)
    answers = presentations.show(program, Block(state, given, model.run_time_values(), 1))
    return dict(answers.state), np.asarray(answers.values["output.response"])


def weights(model: TSSLBackprop, state: Arrays) -> list[Floats]:
    """From below, as the oracle has them."""
    result: list[Floats] = []
    below = model.pixels
    for name, placed in model._layers.items():
        if placed.layer.kind == "maps":
            kernel = np.asarray(state[f"kernel_{name.removeprefix('hidden_')}.w"], np.float64)
            side, above = placed.layer.side, placed.layer.number
            result.append(kernel.reshape(side, side, -1, above))
        elif placed.layer.kind == "dense":
            result.append(np.asarray(state[f"to_{name}.w"], np.float64).reshape(below, -1))
        below = placed.maps.size
    return result


def twin(model: TSSLBackprop) -> Network:
    """The oracle with the model's first weights."""
    given = {f.name: getattr(model, f.name) for f in dataclasses.fields(Settings)}
    first = iter(weights(model, first_state(model)))
    layers: list[Dense | Maps | Pools] = []
    for placed in model._layers.values():
        kind = placed.layer.kind
        layers.append(Pools(placed.layer.side, model.gain) if kind == "pool" else
                      (Maps if kind == "maps" else Dense)(next(first)))  # fmt: skip
    return Network(layers, Settings(**given))


def arranged(network: Network, images: Images) -> Images:
    """Images as the oracle's first layer takes them."""
    if not isinstance(network.layers[0], Maps):
        return images
    side = round(images.shape[1] ** 0.5)
    return images.reshape(-1, side, side, 1)


def learn(network: Network, images: Images, labels: Labels, batch: int) -> Floats:
    """Sums of the outputs' filtered trains, ``(samples, classes)``, each before its batch's update."""
    shown = arranged(network, images)
    return np.concatenate([
        network.learn(shown[k : k + batch], labels[k : k + batch]).sum(axis=1) for k in range(0, len(images), batch)
    ])  # fmt: skip


def assert_twins(model: TSSLBackprop, device: str, scratch: Path, count: int, atol: float = 1e-12) -> Network:
    images, labels = samples(count, model.pixels, model.classes)
    program = program_of(model, device, scratch, count)
    state, responses = show(model, program, images, labels, first_state(model))
    network = twin(model)
    expected = learn(network, images, labels, model.batch)
    np.testing.assert_allclose(responses, expected, rtol=0, atol=atol)
    for ours, theirs, first in zip(
        weights(model, state), (layer.w for layer in network.weighted), weights(model, first_state(model)), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)
        assert np.abs(theirs - first).max() > 1e-3, "hardly anything was learned"
    assert expected.max() > 0
    return network


MAPS = {"layers": "3C3-P2-4C2-6"}


@pytest.mark.parametrize("changes", [{}, {"layers": "9-7"}, MAPS], ids=["one layer", "two layers", "maps"])
def test_the_network_is_its_twin(changes: dict[str, Any], tmp_path: Path) -> None:
    assert_twins(small_model(**changes), "numpy", tmp_path, 13)


@pytest.mark.slow
def test_weights_after_120_updates_are_the_twins(tmp_path: Path) -> None:
    network = assert_twins(small_model(), "dense", tmp_path, 120 * BATCH)
    assert network.updates == 120
