"""Conversion of a conventional network: the spiking network against its twin in plain NumPy, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.analysis import figures
from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, BlockResult
from hebbarium.files.errors import RunFolderError
from hebbarium.models import network_files
from hebbarium.models.conventional import AveragePooling, ConventionalLayer, ConventionalNetwork, Convolution, Dense
from hebbarium.models.lenet_conversion import LeNetConversion
from hebbarium.record import results
from hebbarium.studies import lenet
from hebbarium.training import evaluation, responses, training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.oracles import conversion
from tests.oracles.conversion import Spiking, Stage

SHAPE, CLASSES, STEPS = (8, 8, 1), 4, 24


def drawn(generator: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    return generator.normal(0.05, 1 / np.sqrt(np.prod(shape[:-1])), shape)


def small_layers() -> tuple[ConventionalLayer, ...]:
    """A kernel that is padded and steps over places, pooling, a map below a dense layer."""
    g = np.random.default_rng(4)
    return (
        Convolution("1.convolution", drawn(g, 3, 3, 1, 3), drawn(g, 1, 3)[0] / 9, padding=(1, 1)),
        AveragePooling("2.average_pooling", 2),
        Convolution("3.convolution", drawn(g, 2, 2, 3, 5), drawn(g, 1, 5)[0] / 9, stride=(1, 2)),
        Dense("4.dense", drawn(g, 30, 12), drawn(g, 1, 12)[0] / 9),
        Dense("5.dense", drawn(g, 12, CLASSES), drawn(g, 1, CLASSES)[0] / 9),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network in a file."""
    path = tmp_path_factory.mktemp("networks") / "small.npz"
    network_files.write(ConventionalNetwork(SHAPE, small_layers()), path)
    return path


def images(count: int) -> NDArray[np.uint8]:
    """Images whose pixels are black for the most part; one is all black."""
    generator = np.random.default_rng(5)
    shown = generator.integers(0, 256, (count, 64)) * (generator.random((count, 64)) < 0.5)
    shown[1] = 0
    return shown.astype(np.uint8)


def stages(network: ConventionalNetwork) -> list[Stage]:
    """The layers as the twin knows them."""
    made = []
    for layer in network.layers:
        match layer:
            case Convolution():
                made.append(Stage(layer.weight.astype(float), layer.bias.astype(float), 0, layer.stride, layer.padding))
            case Dense():
                made.append(Stage(layer.weight.astype(float), layer.bias.astype(float)))
            case AveragePooling():
                made.append(Stage(patch=layer.size))
    return made


def levels(shown: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    return [image.reshape(SHAPE) / 255 for image in shown]


def converted(model: LeNetConversion, shown: NDArray[np.uint8]) -> Arrays:
    """State of the network, normalised by these images."""
    given = model.calibrated(model.initial_state(np.random.default_rng(0)), shown)
    return dict(initial_state(model, "test", given))


def run(model: LeNetConversion, shown: NDArray[np.uint8], scratch: Path, device: str = "numpy") -> BlockResult:
    structure = responses.frozen_structure(model, "test", "float64", device)
    structure = dataclasses.replace(structure, capacity=20, record=tuple(anatomy.populations(model)))
    program = devices.program(structure, scratch)
    return program.run(Block(converted(model, shown), model.encode(shown), model.run_time_values(), 5))


def assert_twins(model: LeNetConversion, result: BlockResult, twin: list[Spiking]) -> None:
    for number, (name, _, neurons) in enumerate(model.layers):
        spikes = result.spikes[name]
        ours = np.zeros((len(twin) * model.t_max, neurons), bool)
        ours[spikes.step, spikes.neuron] = True
        assert len(spikes.step) == ours.sum()
        expected = np.concatenate([shown.spikes[number] for shown in twin])
        np.testing.assert_array_equal(ours, expected, err_msg=name)
        assert 0.01 < expected.mean() < 0.9, f"neurons of {name} spike always or hardly ever"
    for key, values in result.values.items():
        until = model.t_max if key == "output.v" else int(key.removeprefix("output.v_at_").removesuffix("_ms"))
        np.testing.assert_allclose(values, [shown.potentials[until - 1] for shown in twin], atol=1e-12, err_msg=key)


# -- the network against its twin ----------------------------------------------------------------------------
@pytest.mark.parametrize("changes", [{}, {"reset": "zero"}, {"percentile": 90.0, "theta": 1.5, "every": 2}], ids=str)
def test_the_network_is_its_twin(changes: dict[str, Any], file: Path, tmp_path: Path) -> None:
    model, shown = LeNetConversion(network=str(file), t_max=STEPS, **{"every": 1, **changes}), images(6)
    network = conversion.normalised(
        stages(ConventionalNetwork(SHAPE, small_layers())), levels(shown[:: model.every]), model.percentile
    )
    twin = [
        conversion.show(network, image, STEPS, to_zero=model.reset == "zero", theta=model.theta)
        for image in levels(shown)
    ]
    result = run(model, shown, tmp_path)
    assert set(result.values) == {"output.v", *(f"output.v_at_{steps}_ms" for steps in (10, 15, 20))}
    assert_twins(model, result, twin)


def test_another_reset_is_noticed(file: Path, tmp_path: Path) -> None:
    model, shown = LeNetConversion(network=str(file), t_max=STEPS, every=1), images(6)
    network = conversion.normalised(stages(model.conventional), levels(shown), model.percentile)
    wrong = [conversion.show(network, image, STEPS, to_zero=True) for image in levels(shown)]
    with pytest.raises(AssertionError, match="convolution_1"):
        assert_twins(model, run(model, shown, tmp_path), wrong)


def test_poisson_spikes_of_the_image_reach_the_twin(file: Path, tmp_path: Path) -> None:
    model, shown = LeNetConversion(network=str(file), t_max=200, every=1, drive="poisson"), images(6)
    result = run(model, shown, tmp_path)
    steps = np.zeros((len(shown) * model.t_max, 64), bool)
    steps[result.spikes["input"].step, result.spikes["input"].neuron] = True
    sent = steps.reshape(len(shown), model.t_max, 64)
    network = conversion.normalised(stages(model.conventional), levels(shown), model.percentile)
    twin = [
        conversion.show(network, image, model.t_max, sent=spikes)
        for image, spikes in zip(levels(shown), sent, strict=True)
    ]
    assert_twins(model, result, twin)
    expected = shown / 255
    error = (sent.mean(axis=1) - expected) / np.sqrt(np.maximum(expected * (1 - expected), 1e-9) / model.t_max)
    assert 0.8 < error[(expected > 0) & (expected < 1)].std() < 1.2
    assert not sent.transpose(0, 2, 1)[shown == 0].any()
    assert model.input_spikes("test", shown, np.ones(len(shown), int)) == pytest.approx(sent.sum(), rel=0.03)


@pytest.mark.slow
def test_compiled_programs_are_the_twin(file: Path, tmp_path: Path) -> None:
    model, shown = LeNetConversion(network=str(file), t_max=STEPS, every=1), images(6)
    network = conversion.normalised(stages(model.conventional), levels(shown), model.percentile)
    twin = [conversion.show(network, image, STEPS) for image in levels(shown)]
    assert_twins(model, run(model, shown, tmp_path, "dense"), twin)


def test_rates_come_to_be_the_activations(file: Path, tmp_path: Path) -> None:
    model, shown = LeNetConversion(network=str(file), t_max=400, every=1, percentile=100.0), images(4)
    result = run(model, shown, tmp_path)
    scales = model.conventional.largest(model.encode(shown)["levels"], 100.0)
    answered = list(model.conventional.activations(model.encode(shown)["levels"]))
    scale = 1.0
    for (name, layer, neurons), activation in zip(model.layers, answered, strict=True):
        scale = scales[layer.name] if layer.weighted else scale
        rates = result.spikes[name].counts(len(shown), model.t_max, neurons) / model.t_max
        wanted = np.maximum(activation.reshape(len(shown), -1), 0) / scale
        assert wanted.max() <= 1 + 1e-9
        assert np.abs(rates - wanted).max() < 0.03, name


# -- answers -----------------------------------------------------------------------------------------------------
def test_answers_at_several_times_with_ties_broken_and_the_networks_own(file: Path, tmp_path: Path) -> None:
    model, shown = LeNetConversion(network=str(file), t_max=STEPS, every=1), images(20)
    structure = responses.frozen_structure(model, "test", "float64", "numpy")
    program = devices.program(dataclasses.replace(structure, capacity=20), tmp_path)
    inputs = model.encode(shown)
    answers = presentations.show(program, Block(converted(model, shown), inputs, model.run_time_values(), 5))
    read = responses.of_block(answers, [key for key in responses.keys(model, False) if key != "output.activation"])
    read |= model.computed(inputs)
    predicted = responses.predictions(model, read, None)
    network = conversion.normalised(stages(model.conventional), levels(shown), model.percentile)
    twin = [conversion.show(network, image, STEPS) for image in levels(shown)]
    ties = 0
    for steps, suffix in ((10, "_at_10_ms"), (20, "_at_20_ms"), (STEPS, "")):
        counts = np.array([sample.spikes[-1][:steps].sum(axis=0) for sample in twin])
        most = counts == counts.max(axis=1, keepdims=True)
        ties += int((most.sum(axis=1) > 1).sum())
        np.testing.assert_array_equal(predicted[f"most_spikes{suffix}"], most.argmax(axis=1))
        potential = np.array([sample.potentials[steps - 1] for sample in twin])
        broken = np.where(most, potential, -np.inf).argmax(axis=1)
        np.testing.assert_array_equal(predicted[f"most_spikes_then_v{suffix}"], broken)
    assert ties > 0
    own = [conversion.activations(stages(model.conventional), image)[-1].argmax() for image in levels(shown)]
    np.testing.assert_array_equal(predicted["network"], own)


# -- LeNet -------------------------------------------------------------------------------------------------------
def test_lenet_has_as_many_parameters_as_the_thesis_counts() -> None:
    of_layer = {"conv2d": 156, "conv2d_1": 2416, "dense": 30840, "dense_1": 10164, "dense_2": 850}
    model = LeNetConversion()
    for network in (model.conventional, lenet.untrained(np.random.default_rng(0))):
        weighted = [layer for layer in network.layers if layer.weighted]
        assert [layer.weight.size + layer.bias.size for layer in weighted] == list(of_layer.values())  # type: ignore[attr-defined]
        assert network.parameters == sum(of_layer.values()) == 44_426
        assert network.shapes == (
            (28, 28, 1), (24, 24, 6), (12, 12, 6), (8, 8, 16), (4, 4, 16), (120,), (84,), (10,)
        )  # fmt: skip
    sizes = anatomy.populations(model)
    assert [sizes[name] for name, _, _ in model.layers] == [3456, 864, 1024, 256, 120, 84, 10]
    assert network_files.located("lenet").stat().st_size < 1e6


RUN = RunSettings(
    model="lenet_conversion", dataset="mnist-embedded", images=60, test_images=12, device="numpy",
    changes={"t_max": "16"}, seed=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training.train(RUN, tmp_path_factory.mktemp("runs") / "run")


def test_a_run_converts_and_tests_and_trains_nothing(trained: Path) -> None:
    opened = Run.open(trained)
    assert opened.is_complete
    model, division = opened.model, opened.division
    assert isinstance(model, LeNetConversion)
    in_order = division.images.train_images[np.sort(division.split.train)]
    for name, array in model.calibrated(model.initial_state(np.random.default_rng(0)), in_order).items():
        np.testing.assert_array_equal(opened.state[name], array, err_msg=name)
    with opened.results() as tree:
        assert tree.attrs["samples_seen"] == 0
        test = tree["test/output"].to_dataset().load()
        scored = tree["evaluation"].to_dataset()["accuracy"].isel(seed=0, samples_seen=-1).load()
    assert set(scored["readout"].values) == {
        "network", *(f"{name}{at}" for name in ("most_spikes", "most_spikes_then_v")
                     for at in ("", "_at_10_ms", "_at_15_ms")),
    }  # fmt: skip
    assert scored.sel(readout="network") > 90
    own = model.conventional.answers(opened.samples("tested").pixels.astype(np.float32) / 255)
    np.testing.assert_allclose(test["activation"].values, own, rtol=1e-4, atol=1e-4)
    again = evaluation.evaluate(trained, test_images=12)
    np.testing.assert_array_equal(again["accuracy"].isel(seed=0, samples_seen=-1).values, scored.values)


def test_its_figures_show_accuracy_against_time_and_no_training(trained: Path) -> None:
    drawn = {path.stem for path in figures.save_all(trained)}
    assert drawn == {"answer_times", "confusion_matrix", "raster"}
    with results.open_run(trained) as tree:
        scored = tree["evaluation"].to_dataset()["accuracy"].isel(seed=0, samples_seen=-1).load()
        (axes,) = figures.answer_times(tree).axes
    for name in ("most_spikes", "most_spikes_then_v"):
        (line,) = [line for line in axes.lines if line.get_label() == name.replace("_", " ")]
        expected = [scored.sel(readout=f"{name}{at}") for at in ("_at_10_ms", "_at_15_ms", "")]
        np.testing.assert_array_equal(line.get_ydata(), expected)
        np.testing.assert_array_equal(line.get_xdata(), [10, 15, 16])
    (level,) = [line for line in axes.lines if line.get_label() == "network"]
    assert level.get_ydata()[0] == scored.sel(readout="network")  # type: ignore[index]


def test_results_that_were_lost_are_written_again(trained: Path, tmp_path: Path) -> None:
    other = training.train(RUN, tmp_path / "run")
    results.file_of(other).unlink()
    training.resume(other)
    with results.open_run(trained) as one, results.open_run(other) as two:
        for room in ("test/output", "evaluation"):
            assert one[room].to_dataset().load().identical(two[room].to_dataset().load())


def test_a_run_with_another_file_than_it_began_with_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.npz"
    mine.write_bytes(network_files.located("lenet").read_bytes())
    path = training.train(dataclasses.replace(RUN, changes={"t_max": 2, "network": str(mine)}), tmp_path / "run")
    assert Run.open(path).model.network == str(mine)  # type: ignore[attr-defined]
    network_files.write(lenet.untrained(np.random.default_rng(0)), mine)
    with pytest.raises(RunFolderError, match=r"network=.*mine\.npz is not the file that the run began with"):
        _ = Run.open(path).model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "resnet"}, "network=resnet: expected lenet, or a file of your own that ends in .npz or .nir"),
        ({"network": "nowhere.npz"}, "network=nowhere.npz: there is no such file"),
        ({"network": ""}, "network=: expected lenet, or a file of your own"),
        ({"t_max": 0}, "t_max"),
        ({"percentile": 0.0}, "percentile"),
        ({"every": 0}, "every"),
        ({"theta": 0.0}, "theta"),
        ({"reset": "none"}, "reset"),
        ({"drive": "rate"}, "drive"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LeNetConversion(**changes)


def test_images_of_another_size_than_the_network_are_refused(file: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(RUN, changes={"network": str(file)})
    with pytest.raises(ValueError, match="images of 28"):
        training.train(settings, tmp_path / "run")
