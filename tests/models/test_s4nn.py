"""One spike a neuron and temporal backpropagation: the model against its twin in plain NumPy, and its rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.analysis.readouts import decoded
from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, BlockResult, Structure
from hebbarium.files.errors import Stopped
from hebbarium.models.s4nn import S4NN
from hebbarium.training import responses, training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.engine.equal_runs import StoppedAfter, assert_same_bits
from tests.oracles.s4nn import Network, Sample, Settings, latencies, targets

PIXELS, CLASSES, CAPACITY = 49, 4, 400
FULL: dict[str, Any] = {"pixels": 784, "classes": 10, "layers": (400,), "b_input": 5.0, "b_hidden": 48.0}
CASES: dict[str, dict[str, Any]] = {
    "one hidden layer": {},
    "three hidden layers": {"layers": (24, 18, 12)},
    "short, strong decay": {"t_max": 40, "decay": 1e-3, "gamma": 5.5},
}


def small_model(**changes: Any) -> S4NN:
    """49 inputs, 24 hidden neurons, four classes: fewer neurons with stronger weights."""
    settings: dict[str, Any] = {
        "pixels": PIXELS, "classes": CLASSES, "layers": (24,), "b_input": 22.0, "b_hidden": 60.0,
    }  # fmt: skip
    return S4NN(**(settings | changes))


def samples(count: int, pixels: int = PIXELS, classes: int = CLASSES) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noisy versions of one pattern a class, a third of their pixels lit, some all black, and their classes."""
    generator = np.random.default_rng(21)
    patterns = 255 * (generator.random((classes, pixels)) < 0.33)
    labels = generator.integers(classes, size=CAPACITY)
    noise = generator.integers(-140, 141, (CAPACITY, pixels))
    images = np.clip(patterns[labels] + noise, 0, 255)
    images[5::13] = 0
    return images.astype(np.uint8)[:count], labels[:count]


def first_state(model: S4NN, phase: str = "train") -> Arrays:
    return dict(initial_state(model, phase, model.initial_state(np.random.default_rng(3))))


def weights(model: S4NN, state: Arrays) -> list[NDArray[np.float64]]:
    """Weights ``(inputs, neurons)`` of each layer."""
    return [np.asarray(state[p.variable], np.float64).reshape(p.shape) for p in anatomy.projections(model)]


def run_samples(
    model: S4NN, device: str, scratch: Path, count: int, *, phase: str = "train", precision: str = "float64",
    state: Arrays | None = None, first: int = 0, images: NDArray[np.uint8] | None = None,
) -> BlockResult:
    """Show samples ``first`` to ``count`` in one block; spikes of all layers are recorded."""
    drawn, labels = samples(count, model.pixels, model.classes)
    given = model.all_inputs(phase, (drawn if images is None else images)[first:], labels[first:])
    record = tuple(anatomy.populations(model))
    program = devices.program(Structure(model, phase, precision, device, CAPACITY, record), scratch)
    begin = first_state(model, phase) if state is None else state
    return program.run(Block(begin, given, model.run_time_values(), 5))


def settings_of(model: S4NN) -> Settings:
    """What the model says, for its twin."""
    names = (field.name for field in dataclasses.fields(Settings))
    return Settings(**{name: getattr(model, name) for name in names})


def twin(model: S4NN) -> Network:
    """The twin with the model's first weights."""
    return Network(settings_of(model), weights(model, first_state(model)))


def learn(network: Network, model: S4NN, count: int) -> list[Sample]:
    """Show the twin the samples that the model is shown."""
    images, labels = samples(count, model.pixels, model.classes)
    return [network.learn(image, int(label)) for image, label in zip(images, labels, strict=True)]


def spike_times(model: S4NN, result: BlockResult, name: str, count: int) -> NDArray[np.float64]:
    """When each neuron spiked in each sample, as the twin has it: t_max if it did not."""
    steps, spikes = model.sample_steps("train"), result.spikes[name]
    times = np.full((count, anatomy.populations(model)[name]), float(model.t_max))
    sample, step = np.divmod(spikes.step, steps)
    times[sample, spikes.neuron] = step + (name != "input")
    assert len(spikes.step) == (times < model.t_max).sum(), f"a neuron of {name} spiked twice"
    return times


def assert_twins(model: S4NN, result: BlockResult, network: Network, shown: list[Sample], atol: float = 1e-12) -> None:
    for layer, name in enumerate(anatomy.populations(model)):
        expected = np.array([sample.times[layer] for sample in shown])
        expected[expected == model.t_max - 1] = model.t_max if layer == 0 else model.t_max - 1  # too late to matter
        np.testing.assert_array_equal(spike_times(model, result, name, len(shown)), expected, err_msg=name)
        assert 0.02 < (expected < model.t_max).mean() < 0.98, f"all or hardly any neurons of {name} spike"
    for ours, expected in zip(weights(model, result.state), network.weights, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=atol)


@pytest.mark.long
@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_the_network_is_its_twin_over_400_samples(changes: dict[str, Any], tmp_path: Path) -> None:
    model = small_model(**changes)
    result = run_samples(model, "dense", tmp_path, 400)
    network = twin(model)
    shown = learn(network, model, 400)
    assert_twins(model, result, network, shown)
    for name, count in zip(model.hidden, network.active, strict=False):
        np.testing.assert_array_equal(result.state[f"{name}.n_active"], count)
        assert result.state[f"layer_{name}.n_images"].tolist() == [400]
    for expected, first in zip(network.weights, weights(model, first_state(model)), strict=True):
        assert np.abs(expected - first).max() > 1, "hardly anything was learned"


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_the_network_is_its_twin(changes: dict[str, Any], tmp_path: Path) -> None:
    model = small_model(**changes)
    result = run_samples(model, "numpy", tmp_path, 12)
    network = twin(model)
    shown = learn(network, model, 12)
    assert_twins(model, result, network, shown)
    for layer, name in enumerate((*model.hidden, "output")):
        np.testing.assert_allclose(result.state[f"{name}.delta"], shown[-1].errors[layer], rtol=0, atol=1e-12)


def test_the_rate_of_learning_may_fall_after_each_epoch(tmp_path: Path) -> None:
    model, passes = small_model(eta_decay=0.5), 3
    images, labels = samples(4, PIXELS, CLASSES)
    epochs = np.repeat(np.arange(passes), len(images))
    given = model.all_inputs("train", np.tile(images, (passes, 1)), np.tile(labels, passes), epochs)
    program = devices.program(Structure(model, "train", "float64", "numpy", CAPACITY, ()), tmp_path)
    result = program.run(Block(first_state(model), given, model.run_time_values(), 5))
    network = twin(model)
    for eta in (0.2, 0.1, 0.05):
        network.settings = dataclasses.replace(network.settings, eta=eta)
        learn(network, model, 4)
    for ours, expected in zip(weights(model, result.state), network.weights, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)
    assert model.epoch_inputs("test", epochs) == {}


@pytest.mark.long
def test_the_network_of_the_published_size_is_its_twin(tmp_path: Path) -> None:
    model = small_model(**FULL)
    result = run_samples(model, "dense", tmp_path, 60)
    network = twin(model)
    assert_twins(model, result, network, learn(network, model, 60))


@pytest.mark.long
def test_standalone_is_the_twin_as_well(tmp_path: Path) -> None:
    model = small_model(layers=(24, 18))
    result = run_samples(model, "cpp", tmp_path, 60)
    network = twin(model)
    assert_twins(model, result, network, learn(network, model, 60))


def test_single_precision_spikes_as_double_precision(tmp_path: Path) -> None:
    model = small_model()
    result = run_samples(model, "numpy", tmp_path, 12, precision="float32")
    assert result.state["to_output.w"].dtype == np.float32
    network = twin(model)
    assert_twins(model, result, network, learn(network, model, 12), atol=2e-4)


@pytest.mark.parametrize(
    "changes", [{"eta": 0.21}, {"decay": 2e-6}, {"gamma": 4.0}, {"theta": 101.0}, {"t_max": 128}], ids=str
)
def test_a_twin_with_another_setting_is_noticed(changes: dict[str, Any]) -> None:
    model = small_model()
    network, other = twin(model), twin(model)
    other.settings = dataclasses.replace(settings_of(model), **changes)
    learn(network, model, 40)
    learn(other, model, 40)
    assert any(np.abs(a - b).max() > 1e-6 for a, b in zip(network.weights, other.weights, strict=True))


# -- what the images can be --------------------------------------------------------------------------------------
def test_the_brighter_the_earlier_and_black_never(tmp_path: Path) -> None:
    model = small_model(pixels=256)
    levels = np.arange(256, dtype=np.uint8)[np.newaxis]
    result = run_samples(model, "numpy", tmp_path, 1, phase="test", images=levels)
    times = spike_times(model, result, "input", 1)[0]
    assert times.tolist() == [256, *range(254, -1, -1)]  # floor((255 - I)*256/255)
    np.testing.assert_array_equal(times, latencies(levels[0], settings_of(model)))
    assert model.input_spikes("test", levels, np.ones(1, int)) == 255


def test_what_is_brighter_than_white_spikes_as_early_as_white() -> None:
    model = small_model(pixels=256, white=200.0)
    steps = model.encode(np.arange(256, dtype=np.uint8)[np.newaxis])["latencies"][0]
    assert steps.min() == 0
    assert (steps[200:] == 0).all()
    assert (steps[:200] > 0).all()


def test_black_images_teach_only_that_weights_decay(tmp_path: Path) -> None:
    model = small_model(decay=1e-2)
    images, labels = np.zeros((3, PIXELS), np.uint8), samples(3)[1]
    result = run_samples(model, "numpy", tmp_path, 3, images=images)
    network = twin(model)
    shown = [network.learn(image, int(label)) for image, label in zip(images, labels, strict=True)]
    assert not any(len(result.spikes[name].step) for name in anatomy.populations(model))
    assert np.abs(shown[-1].errors[-1]).max() > 0
    np.testing.assert_allclose(result.state["output.delta"], shown[-1].errors[-1], rtol=0, atol=1e-15)
    for ours, first in zip(weights(model, result.state), weights(model, first_state(model)), strict=True):
        np.testing.assert_allclose(ours, first * (1 - 0.2 * 1e-2) ** 3, rtol=1e-14)


def test_a_network_that_never_spikes_is_its_twin(tmp_path: Path) -> None:
    model = small_model(b_input=0.1)
    result = run_samples(model, "numpy", tmp_path, 4)
    network = twin(model)
    learn(network, model, 4)
    assert not len(result.spikes["hidden_1"].step)
    for ours, expected in zip(weights(model, result.state), network.weights, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


# -- targets -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("times", "label", "wanted"),
    [
        ([256, 256, 256], 1, [256, 253, 256]),  # none has spiked
        ([10, 10, 200], 1, [13, 10, 200]),  # a tie
        ([10, 12, 13], 2, [13, 13, 10]),  # less than three steps later is too early, three are not
        ([10, 12, 13], 0, [10, 13, 13]),
        ([254, 255, 256], 2, [256, 256, 254]),  # nobody can be later than t_max
        ([7, 40, 256], 0, [7, 40, 256]),  # nothing to learn
    ],
)
def test_targets(times: list[float], label: int, wanted: list[float]) -> None:
    assert targets(np.array(times, float), label, Settings()).tolist() == wanted


def test_where_nothing_is_wrong_weights_only_decay(tmp_path: Path) -> None:
    model = small_model(classes=1, gamma=0.0)
    result = run_samples(model, "numpy", tmp_path, 3)
    assert len(result.spikes["output"].step) >= 2
    for ours, first in zip(weights(model, result.state), weights(model, first_state(model)), strict=True):
        np.testing.assert_allclose(ours, first * (1 - 0.2e-6) ** 3, rtol=1e-14)
        assert (ours < first).all()


# -- answers -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("changes", [{}, {"b_hidden": 20.0}, {"b_hidden": 9.0}], ids=["usual", "few answer", "silent"])
def test_answers_are_counted_as_the_published_code_counts_them(changes: dict[str, Any], tmp_path: Path) -> None:
    model, count = small_model(**changes), 60
    images, labels = samples(count)
    network = twin(model)
    shown = [network.show(image) for image in images]
    structure = responses.frozen_structure(model, "test", "float64", "numpy")
    program = devices.program(dataclasses.replace(structure, capacity=CAPACITY), tmp_path)
    block = Block(first_state(model, "test"), model.encode(images), model.run_time_values(), 5)
    read = responses.of_block(presentations.show(program, block), responses.keys(model, False))
    predicted = responses.predictions(model, read, None, labels)
    expected = np.array([network.is_right(sample, int(label)) for sample, label in zip(shown, labels, strict=True)])
    np.testing.assert_array_equal(predicted["first_spike_ties_right"] == labels, expected)
    times = np.array([sample.times[-1] for sample in shown])
    first = times == times.min(axis=1, keepdims=True)
    alone = (first.sum(axis=1) == 1) & (times.min(axis=1) < model.t_max)
    np.testing.assert_array_equal(predicted["first_spike"], np.where(alone, first.argmax(axis=1), -1))
    # who is not told the class answers by potentials
    lenient = model.readouts[1]
    told = decoded(lenient, responses.read_by(lenient, read), truth=labels)
    untold = decoded(lenient, responses.read_by(lenient, read))
    np.testing.assert_array_equal(told[alone], untold[alone])
    assert 0 < expected.sum() < count


# -- between passes ----------------------------------------------------------------------------------------------
def test_neurons_that_hardly_spike_are_given_new_weights() -> None:
    model = small_model(layers=(24, 18))
    state = first_state(model)
    active = {"hidden_1": np.arange(24.0), "hidden_2": np.arange(18.0) + 2}
    for name, count in active.items():
        state[f"{name}.n_active"], state[f"layer_{name}.n_images"] = count.copy(), np.array([3000.0])
    before = {name: array.copy() for name, array in state.items()}
    after = model.between_passes(dict(state), np.random.default_rng(1))
    for name in state:  # what it is given stays as it was
        np.testing.assert_array_equal(state[name], before[name])
    new, old = weights(model, after), weights(model, state)
    changed = (new[0] != old[0]).any(axis=0)
    assert changed.tolist() == [True] * 3 + [False] * 21  # fewer than 0.1 % of 3,000 images
    assert (new[0][:, changed] != old[0][:, changed]).all()
    assert 0 <= new[0].min() < new[0][:, changed].max() <= model.b_input
    assert (new[1] != old[1]).any(axis=0).tolist() == [True] + [False] * 17
    assert new[1][:, 0].max() > model.b_input
    np.testing.assert_array_equal(new[2], old[2])
    for name in active:
        assert not after[f"{name}.n_active"].any()
        assert not after[f"layer_{name}.n_images"].any()


# -- blocks and runs ---------------------------------------------------------------------------------------------
def test_weights_are_whole_at_the_end_of_every_block(tmp_path: Path) -> None:
    model = small_model(decay=1e-2)
    whole = weights(model, run_samples(model, "numpy", tmp_path, 7).state)
    state = first_state(model)
    for first, last in ((0, 1), (1, 4), (4, 7)):
        state = run_samples(model, "numpy", tmp_path, last, first=first, state=state).state
        assert (state["input.left"] == 1).all()
    for one, other in zip(whole, weights(model, state), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


RUN = RunSettings(
    model="s4nn", dataset="mnist-embedded", images=20, test_images=10, epochs=2, block=12, device="numpy",
    changes={"layers": "30", "t_max": "32", "b_input": "1.2", "b_hidden": "60", "least_active": "0.25"}, seed=1,
)  # fmt: skip


@pytest.mark.long
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = training.train(RUN, tmp_path / "whole")
    with pytest.raises(Stopped):  # the first pass is over, and what comes between passes has not been
        training.train(RUN, tmp_path / "stopped", StoppedAfter(2))
    stopped = Run.open(tmp_path / "stopped").state
    training.resume(tmp_path / "stopped")
    assert_same_bits(tmp_path / "stopped", whole)
    ended = Run.open(whole).state
    assert ended["layer_hidden_1.n_images"].tolist() == [20]  # of the last pass
    silent = stopped["hidden_1.n_active"] < 0.25 * 20
    assert 0 < silent.sum() < 30
    moved = np.abs(ended["to_hidden_1.w"] - stopped["to_hidden_1.w"]).reshape(784, 30).mean(axis=0)
    assert moved[silent].min() > 0.3 > moved[~silent].max()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ()}, "layers"),
        ({"layers": (5, 0)}, "layers"),
        ({"t_max": 4}, "t_max"),
        ({"gamma": 300.0}, "gamma"),
        ({"theta": 0.0}, "theta"),
        ({"b_input": -1.0}, "b_input"),
        ({"least_active": 1.5}, "least_active"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        S4NN(**changes)
