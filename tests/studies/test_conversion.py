"""Runs in the formats of other tools: trained networks in NIR fire the same spikes, what NIR cannot hold is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from hebbarium.catalogue import registry
from hebbarium.commands import commandline
from hebbarium.engine import anatomy, devices
from hebbarium.engine.contract import Arrays, Block
from hebbarium.models import network_files
from hebbarium.models.contract import Model
from hebbarium.models.conventional import ConventionalNetwork
from hebbarium.models.lenet_conversion import LeNetConversion
from hebbarium.models.spiking_layers import CannotBeHeld
from hebbarium.models.tssl_backprop import TSSLBackprop
from hebbarium.studies import conversion
from hebbarium.training import responses
from tests.models.test_lenet_conversion import SHAPE as IMAGE
from tests.models.test_lenet_conversion import STEPS, converted, small_layers
from tests.models.test_lenet_conversion import images as images_for_lenet
from tests.models.test_tssl_backprop import MAPS, first_state, small_model
from tests.models.test_tssl_backprop import samples as samples_for_tssl
from tests.oracles import nir_graph

Spikes = dict[str, NDArray[np.bool_]]
LEAST_DIFFERENT = 0.001
"""Part of a neuron's steps in which a simulator in single precision may spike otherwise."""


def fired(model: Model, state: Arrays, shown: NDArray[np.uint8], scratch: Path) -> Spikes:
    """Spikes of each population in Brian2, ``(samples, steps, neurons)``."""
    structure = responses.frozen_structure(model, "test", "float64", "numpy")
    sizes = anatomy.populations(model)
    structure = dataclasses.replace(structure, capacity=len(shown), record=tuple(sizes))
    inputs = model.all_inputs("test", shown, np.zeros(len(shown), int))
    result = devices.program(structure, scratch).run(Block(state, inputs, model.run_time_values(), 5))
    made: Spikes = {}
    for name, spikes in result.spikes.items():
        flat = np.zeros((len(shown) * model.sample_steps("test"), sizes[name]), bool)
        flat[spikes.step, spikes.neuron] = True
        made[name] = flat.reshape(len(shown), -1, sizes[name])
    return made


def assert_same_spikes(ours: Spikes, theirs: Spikes) -> None:
    """Every spike of every layer with neurons, at the same step; maps are (channels, rows, columns) in NIR."""
    assert theirs
    for node, spikes in theirs.items():
        name = node.removesuffix("_fires")
        moved = np.moveaxis(spikes, 2, -1).reshape(*spikes.shape[:2], -1)
        np.testing.assert_array_equal(ours[name], moved, err_msg=name)
        assert 0.005 < moved.mean() < 0.95, f"neurons of {name} spike always or hardly ever"


def as_channels(levels: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    return levels if len(shape) == 1 else np.moveaxis(levels.reshape(-1, *shape), -1, 1)


@pytest.mark.parametrize("changes", [{"layers": "12-9"}, MAPS], ids=["dense", "maps"])
def test_tssl_in_nir_fires_the_same_spikes(changes: dict[str, Any], tmp_path: Path) -> None:
    model: TSSLBackprop = small_model(**changes, steps=8)
    state = first_state(model)
    layers = model.spiking_layers(state)
    network_files.write_spiking(layers, tmp_path / "a.nir", model=model.name)
    shown, _ = samples_for_tssl(20)
    levels = as_channels(model.encode(shown)["pixels"], layers.network.shape)
    frozen = responses.frozen_state(model, "test", state)
    assert_same_spikes(fired(model, frozen, shown, tmp_path), nir_graph.spikes(tmp_path / "a.nir", levels))


@pytest.mark.long
@pytest.mark.parametrize("changes", [{"layers": "12-9"}, MAPS], ids=["dense", "maps"])
def test_snntorch_fires_the_same_spikes(changes: dict[str, Any], tmp_path: Path) -> None:
    """It has a step of 0.1 ms for all graphs, and single precision, in which a potential may miss its threshold."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    snntorch = pytest.importorskip("snntorch.import_nir", reason="snnTorch is not installed")
    torch, nir = pytest.importorskip("torch"), pytest.importorskip("nir")
    model: TSSLBackprop = small_model(**changes, steps=8, dt=0.1 * ms)
    state = first_state(model)
    layers = model.spiking_layers(state)
    network_files.write_spiking(layers, tmp_path / "a.nir")
    shown, _ = samples_for_tssl(30)
    ours = fired(model, responses.frozen_state(model, "test", state), shown, tmp_path)["output"]
    levels = torch.tensor(as_channels(model.encode(shown)["pixels"], layers.network.shape), dtype=torch.float32)
    theirs = np.zeros_like(ours)
    for number, sample in enumerate(levels):
        # graphs of NIR have no axis of samples; begun anew, potentials are 0
        network, kept = snntorch.import_from_nir(nir.read(tmp_path / "a.nir")), None
        with torch.no_grad():
            for step in range(model.steps):
                spikes, kept = network(sample[None], kept)
                theirs[number, step] = spikes.numpy().ravel() > 0
    assert 0.005 < theirs.mean() < 0.95
    different = (ours != theirs).mean()
    assert different < LEAST_DIFFERENT, f"{different:%} of the steps differ"


@pytest.fixture(scope="module")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "small.npz"
    network_files.write(ConventionalNetwork(IMAGE, small_layers()), path)
    return path


def test_a_converted_network_in_nir_fires_the_same_spikes(network_file: Path, tmp_path: Path) -> None:
    model = LeNetConversion(network=str(network_file), t_max=STEPS, every=1, reset="zero", theta=0.9)
    shown = images_for_lenet(8)
    state = converted(model, shown)
    layers = model.spiking_layers(state)
    network_files.write_spiking(layers, tmp_path / "a.nir")
    levels = as_channels(model.encode(shown)["levels"], layers.network.shape)
    assert_same_spikes(fired(model, state, shown, tmp_path), nir_graph.spikes(tmp_path / "a.nir", levels))
    # rates are read as a conventional network, as any graph of integrate-and-fire neurons is
    again = network_files.read(tmp_path / "a.nir")
    assert str(again) == str(model.conventional)


def test_another_threshold_is_noticed(network_file: Path, tmp_path: Path) -> None:
    model = LeNetConversion(network=str(network_file), t_max=STEPS, every=1, reset="zero")
    shown = images_for_lenet(8)
    state = converted(model, shown)
    other = dataclasses.replace(model, theta=1.1)
    network_files.write_spiking(other.spiking_layers(state), tmp_path / "a.nir")
    levels = as_channels(model.encode(shown)["levels"], IMAGE)
    with pytest.raises(AssertionError):
        assert_same_spikes(fired(model, state, shown, tmp_path), nir_graph.spikes(tmp_path / "a.nir", levels))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("lenet_conversion", "reset=subtraction a spike takes the threshold off .* --set reset=zero"),
        ("desire_backprop", "a spike takes the threshold off"),
        ("s4nn", "its neurons spike once an image"),
        ("timing_backprop", "exact times within steps"),
        ("synaptic_scaling", "synapses are conductances, its thresholds adapt .* weights change"),
        ("diehl_cook", "conductances"),
        ("symmetric_stdp", "conductances"),
        ("hodgkin_huxley", "no network of layers"),
        ("pair_stdp", "no network of layers"),
    ],
)
def test_what_nir_cannot_hold_is_refused(name: str, reason: str) -> None:
    with pytest.raises(CannotBeHeld, match=f"model {name}: .*{reason}"):
        registry.find(name)().spiking_layers({})


def command(*arguments: object) -> Result:
    return CliRunner().invoke(commandline.app, ["convert", *map(str, arguments)])


@pytest.mark.slow
def test_a_run_is_converted(trained: tuple[Path, Result]) -> None:
    run, made = trained
    assert made.exit_code == 0, made.output
    for to in ("csv", "npz", "sonata"):
        done = command(run, "--to", to)
        assert done.exit_code == 0, done.output
        assert (run / "exchange" / f"run{conversion.FORMATS[to].suffix or f'_{to}'}").exists()
    again = command(run, "--to", "npz")
    assert again.exit_code == 1
    assert "run.npz: cannot be written (something of this name is there already)" in again.output
    refused = command(run, "--to", "nir")
    assert refused.exit_code == 1
    assert "model synaptic_scaling: its synapses are conductances" in refused.output
    unknown = command(run, "--to", "matlab")
    assert unknown.exit_code == 1
    assert "--to matlab: expected one of neo, nwb, sonata, nir, csv, npz" in unknown.output


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = command(tmp_path / "nothing", "--to", "csv")
    assert done.exit_code == 1
    assert "no such folder" in done.output
    assert not list(tmp_path.iterdir())
