"""TSSL-BP: one program against its oracle in plain NumPy, and the rules around it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.datasets import by_name as datasets
from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.contract import Arrays, Block, Program, Structure
from hebbarium.files.errors import Stopped
from hebbarium.models.tssl_backprop import TSSLBackprop
from hebbarium.training import parameters, training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.engine.equal_runs import StoppedAfter, assert_same_bits
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


@pytest.mark.parametrize("changes", [
    {}, {"layers": "9-7", "p_most": 1.5, "w_most": 0.8, "trace_least": 0.7}, MAPS,
], ids=["one layer", "two layers", "maps"])  # fmt: skip
def test_the_network_is_its_twin(changes: dict[str, Any], tmp_path: Path) -> None:
    assert_twins(small_model(**changes), "numpy", tmp_path, 13)


@pytest.mark.slow
def test_weights_after_120_updates_are_the_twins(tmp_path: Path) -> None:
    network = assert_twins(small_model(), "dense", tmp_path, 120 * BATCH)
    assert network.updates == 120


@pytest.mark.long
def test_a_network_of_maps_is_its_twin_over_300_samples(tmp_path: Path) -> None:
    assert_twins(small_model(**MAPS), "dense", tmp_path, 300)


@pytest.mark.long
def test_the_network_of_table_1_is_its_twin_over_500_samples(tmp_path: Path) -> None:
    model = TSSLBackprop(layers="15C5-P2-40C5-P2-300")
    digits = datasets.load("mnist-embedded")
    images, labels = digits.train_images[:500], digits.train_labels[:500].astype(np.int64)
    state, responses = show(model, program_of(model, "dense", tmp_path, 500), images, labels, first_state(model))
    network = twin(model)
    np.testing.assert_allclose(responses, learn(network, images, labels, model.batch), rtol=0, atol=1e-12)
    for ours, layer in zip(weights(model, state), network.weighted, strict=True):
        np.testing.assert_allclose(ours, layer.w, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"target": "once", "surrogate": "fast_sigmoid", "steps": 4}], ids=str)
def test_other_readings_are_their_twins(changes: dict[str, Any], tmp_path: Path) -> None:
    assert_twins(small_model(**changes), "numpy", tmp_path, 13)


def test_a_twin_with_another_setting_is_noticed() -> None:
    """What is compared is not indifferent to any constant."""
    model = small_model()
    images, labels = samples(40)
    expected = twin(model)
    learn(expected, images, labels, BATCH)
    others: dict[str, Any] = {
        "tau_m": 5.01, "tau_s": 3.01, "theta": 1.01, "p_most": 1.5, "width": 0.21, "reach": 1.0, "trace_least": 0.7,
        "eta": 5.1e-3, "beta_1": 0.91, "beta_2": 0.99, "epsilon": 1e-4, "weight_decay": 0.02, "norm_most": 0.9,
        "x_mean": 0.14, "x_sd": 0.31, "w_most": 0.5, "target": "once", "surrogate": "fast_sigmoid",
    }  # fmt: skip
    for name, value in others.items():
        other = twin(model)
        setattr(other.settings, name, value)
        learn(other, images, labels, BATCH)
        apart = max(np.abs(a.w - b.w).max() for a, b in zip(other.weighted, expected.weighted, strict=True))
        assert apart > 1e-7, name


# -- the program and what it is given ------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Of the small network, in training."""
    return program_of(small_model(), "numpy", tmp_path_factory.mktemp("program"), 24)


def test_blocks_of_whole_batches_are_one(program: Program) -> None:
    """Also when the second begins with weights of its own: what black images do is added up anew."""
    model = small_model()
    images, labels = samples(12)
    whole, _ = show(model, program, images, labels, first_state(model))
    state, _ = show(model, program, images[:BATCH], labels[:BATCH], first_state(model))
    state["hidden_1.w_sum"] = np.full_like(state["hidden_1.w_sum"], 9.0)
    parts, _ = show(model, program, images[BATCH:], labels[BATCH:], state)
    for name, array in whole.items():
        np.testing.assert_array_equal(parts[name], array, err_msg=name)


def test_a_batch_of_fewer_samples_is_a_batch(program: Program) -> None:
    model = small_model()
    images, labels = samples(7)
    state, _ = show(model, program, images, labels, first_state(model))
    network = twin(model)
    learn(network, images, labels, BATCH)
    assert network.updates == 2
    assert state["output.batches"].tolist() == [2] * CLASSES
    for ours, layer in zip(weights(model, state), network.weighted, strict=True):
        np.testing.assert_allclose(ours, layer.w, rtol=0, atol=1e-12)


def test_spikes_are_counted(program: Program) -> None:
    """Of hidden neurons, until the next pass."""
    model = small_model()
    images, labels = samples(BATCH)
    state, _ = show(model, program, images, labels, first_state(model))
    spikes = twin(model)
    spikes.forward(images)
    out = spikes.neurons[0].out
    np.testing.assert_array_equal(state["hidden_1.n_fired"], out.sum(axis=(0, 1)))
    np.testing.assert_array_equal(state["hidden_1.n_active"], out.any(axis=1).sum(axis=0))
    assert 0 < state["hidden_1.n_active"].sum() < BATCH * 12
    before = {name: array.copy() for name, array in state.items()}
    after = model.between_passes(dict(state), np.random.default_rng(1))
    for name, array in state.items():
        np.testing.assert_array_equal(array, before[name])  # what it is given stays as it was
        cleared = name in ("hidden_1.n_active", "hidden_1.n_fired")
        np.testing.assert_array_equal(after[name], np.zeros_like(array) if cleared else array)


def test_the_rate_of_learning_falls_with_the_epochs(program: Program) -> None:
    """To what the twin has with these rates; in testing there is none."""
    model = small_model(fall="cosine", fall_over=3)
    images, labels = samples(BATCH)
    epochs = np.repeat(np.arange(4), BATCH)
    given = model.all_inputs("train", np.tile(images, (4, 1)), np.tile(labels, 4), epochs)
    np.testing.assert_allclose(given["learning_rates"][::BATCH], 5e-3 * np.array([1, 0.75, 0.25, 0]), atol=1e-15)
    state = presentations.show(program, Block(first_state(model), given, model.run_time_values(), 1)).state
    network = twin(model)
    for rate in (1, 0.75, 0.25, 0):
        network.settings.eta = 5e-3 * rate
        network.learn(images, labels)
    for ours, layer in zip(weights(model, state), network.weighted, strict=True):
        np.testing.assert_allclose(ours, layer.w, rtol=0, atol=1e-12)
    linear = small_model(fall="linear", fall_over=4).epoch_inputs("train", np.array([0, 1, 4, 9]))["learning_rates"]
    np.testing.assert_allclose(linear, 5e-3 * np.array([1, 0.75, 0, 0]), atol=1e-15)
    assert small_model().epoch_inputs("train", epochs)["learning_rates"].tolist() == [5e-3] * len(epochs)
    assert model.epoch_inputs("test", epochs) == {}


def test_testing_answers_and_changes_no_weight(program: Program, tmp_path: Path) -> None:
    model = small_model()
    images, labels = samples(10)
    learned, _ = show(model, program, images, labels, first_state(model))
    test = program_of(model, "numpy", tmp_path, 16, phase="test")
    begin = dict(anatomy.initial_state(model, "test", model.handed_on(learned)))
    state, responses = show(model, test, *samples(16), begin)
    for name in ("to_hidden_1.w", "to_output.w"):
        np.testing.assert_array_equal(state[name], learned[name])
    assert not any(name.endswith((".mean", ".square", ".gradient")) for name in state)
    network = twin(model)
    for layer, w in zip(network.weighted, weights(model, learned), strict=True):
        layer.w = w
    np.testing.assert_allclose(responses, network.forward(samples(16)[0]).sum(axis=1), rtol=0, atol=1e-12)
    assert len(np.unique(responses.argmax(axis=1))) > 1


def test_pixels_that_are_not_black_are_sent() -> None:
    model = small_model()
    images, _ = samples(20)
    shown = np.arange(20)
    assert model.input_spikes("train", images, shown) == ((images > 0).sum(axis=1) * shown).sum()
    assert model.encode(images)["pixels"].max() == images.max() / 255


# -- runs ------------------------------------------------------------------------------------------------------------
RUN = RunSettings(
    model="tssl_backprop", dataset="mnist-embedded", images=12, test_images=5, epochs=2, block=8, device="numpy",
    changes={"layers": "12", "batch": "4", "fall": "linear", "fall_over": "2"}, seed=1,
)  # fmt: skip


@pytest.mark.long
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = training.train(RUN, tmp_path / "whole")
    with pytest.raises(Stopped):
        training.train(RUN, tmp_path / "stopped", StoppedAfter(2))
    training.resume(tmp_path / "stopped")
    assert_same_bits(tmp_path / "stopped", whole)
    assert Run.open(whole).state["hidden_1.n_active"].max() <= 12, "of the last pass alone"


# -- sizes and weights -------------------------------------------------------------------------------------------------
def test_the_network_of_table_1_has_its_sizes() -> None:
    model = TSSLBackprop(layers="15C5-P2-40C5-P2-300")
    assert anatomy.populations(model) == {
        "input": 784, "hidden_1": 24 * 24 * 15, "pool_1": 12 * 12 * 15, "hidden_2": 8 * 8 * 40, "pool_2": 4 * 4 * 40,
        "hidden_3": 300, "output": 10,
    }  # fmt: skip
    first = model.initial_state(np.random.default_rng(0))
    sizes = {name: array.size for name, array in first.items()}
    assert sizes == {
        "kernel_1.w": 375, "kernel_2.w": 15_000, "to_hidden_3.w": 192_000, "to_output.w": 3000,
    }  # fmt: skip
    assert 0.9 / 5 < np.abs(first["kernel_1.w"]).max() <= 1 / 5
    assert np.abs(first["kernel_2.w"]).max() == pytest.approx(1 / np.sqrt(375), rel=1e-2)
    assert first["to_hidden_3.w"].std() == pytest.approx(np.sqrt(2 / 640), rel=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ""}, "layers=: '' is no layer: expected neurons"),
        ({"layers": "400-"}, "'' is no layer"),
        ({"layers": "400,400"}, "'400,400' is no layer: .* with hyphens between layers, as in"),
        ({"layers": "15K5"}, "'15K5' is no layer"),
        ({"layers": "0"}, "'0' is no layer"),
        ({"layers": "9999999"}, "'9999999' is too large, expected at most 1000000"),
        ({"layers": "P2-300"}, "P2 has to follow maps such as 15C5"),
        ({"layers": "300-P2"}, "P2 has to follow maps"),
        ({"layers": "4C3-P2-P2"}, "P2 has to follow maps"),
        ({"layers": "300-15C5"}, "15C5 stands after a dense layer, which has no places"),
        ({"layers": "4C9"}, "layers=4C9: a kernel of 9x9 on 8x8x1 neurons, expected a side from 1"),
        ({"layers": "4C2-P2"}, "pools of 2x2 on 7x7x4 neurons, expected a side that divides"),
        ({"layers": "4C2", "pixels": 60}, "60 pixels make no square image"),
        ({"layers": 400}, "layers=400: expected a text"),
        ({"tau_s": 0.5}, "tau_s"),
        ({"steps": 1}, "steps"),
        ({"surrogate": "step"}, "surrogate=step: expected one of sigmoid, fast_sigmoid"),
        ({"fall": "quickly"}, "fall=quickly: expected one of none, linear, cosine"),
        ({"norm_most": 0.0}, "norm_most"),
        ({"x_sd": 0.0}, "x_sd"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_model(**changes)


def test_layers_are_typed_as_papers_write_them() -> None:
    read = parameters.apply(TSSLBackprop, {"layers": " 15C5-P2-300 "})
    assert parameters.table(read)["layers"] == "15C5-P2-300"
    with pytest.raises(parameters.SettingError, match="--set layers=P2: P2 has to follow maps"):
        parameters.apply(TSSLBackprop, {"layers": "P2"})
    with pytest.raises(parameters.SettingError, match=r"--set layers=\(400, 400\): expected a text, as in"):
        parameters.apply(TSSLBackprop, {"layers": (400, 400)})
