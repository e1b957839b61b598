"""Conventional networks in files: what is written is read again, and what cannot be converted is refused by name."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.models import network_files
from hebbarium.models.conventional import (
    AveragePooling,
    ConventionalNetwork,
    Convolution,
    Dense,
    LayerRefused,
)
from hebbarium.models.network_files import read, write
from tests.models.test_lenet_conversion import SHAPE, small_layers, stages
from tests.oracles import conversion


@pytest.fixture(scope="module")
def network() -> ConventionalNetwork:
    return ConventionalNetwork(SHAPE, small_layers())


def shown(count: int = 3) -> NDArray[np.float64]:
    return np.random.default_rng(8).random((count, 64))


def plain(network: ConventionalNetwork) -> dict[str, NDArray[Any]]:
    """A network as the arrays of an NPZ file."""
    arrays: dict[str, NDArray[Any]] = {"input_shape": np.array(network.shape)}
    for place, layer in enumerate(network.layers, 1):
        arrays |= {f"{place}.{layer.kind}.{k}": np.asarray(v) for k, v in vars(layer).items() if k != "name"}
    return arrays


# -- what is written is read again -------------------------------------------------------------------------------
@pytest.mark.parametrize("suffix", [".npz", ".nir"])
def test_what_is_written_is_read_again(suffix: str, network: ConventionalNetwork, tmp_path: Path) -> None:
    file = tmp_path / f"network{suffix}"
    write(network, file)
    again = read(file)
    assert (again.shape, str(again)) == (network.shape, str(network))
    assert [layer.name for layer in again.layers] == [layer.name for layer in network.layers]
    for ours, theirs in zip(again.layers, network.layers, strict=True):
        for key, value in vars(theirs).items():
            np.testing.assert_array_equal(getattr(ours, key), value, err_msg=f"{theirs.name} {key}")
    write(again, tmp_path / "other.npz")  # in and out by both ways
    np.testing.assert_array_equal(read(tmp_path / "other.npz").answers(shown()), network.answers(shown()))


def test_lenet_goes_through_nir(tmp_path: Path) -> None:
    lenet = read(network_files.located("lenet"))
    write(lenet, tmp_path / "lenet.nir")
    again = read(tmp_path / "lenet.nir")
    for ours, theirs in zip(again.layers, lenet.layers, strict=True):
        if theirs.weighted:
            np.testing.assert_array_equal(ours.weight, theirs.weight)  # type: ignore[attr-defined]
            np.testing.assert_array_equal(ours.bias, theirs.bias)  # type: ignore[attr-defined]


def test_activations_are_those_of_the_twin(network: ConventionalNetwork) -> None:
    pixels = shown()
    ours = list(network.activations(pixels))
    for number, image in enumerate(pixels):
        twin = conversion.activations(stages(network), image.reshape(SHAPE))
        for layer, expected in zip(ours, twin, strict=True):
            np.testing.assert_allclose(layer[number], expected, atol=1e-13)


def test_synapses_do_what_layers_do(network: ConventionalNetwork) -> None:
    generator = np.random.default_rng(2)
    for layer, below, above in zip(network.layers, network.shapes, network.shapes[1:], strict=False):
        given = generator.random(below)
        weights, pairs = layer.weights(below), layer.pairs(below)
        arrived = np.zeros(np.prod(above, dtype=int))
        if pairs is None:
            arrived = given.ravel() @ weights.reshape(given.size, -1)
        else:
            assert (np.diff(pairs.source) >= 0).all()
            same = np.diff(pairs.source) == 0
            assert (np.diff(pairs.target)[same] > 0).all()  # so that targets run on
            np.add.at(arrived, pairs.target, given.ravel()[pairs.source] * weights)
        expected = layer.applied(given[np.newaxis])[0]
        np.testing.assert_allclose(arrived + layer.biases(below), expected.ravel(), atol=1e-13)


def test_normalisation_leaves_the_answer_and_bounds_activations(network: ConventionalNetwork) -> None:
    pixels = shown(40)
    scales = network.largest(pixels, 100.0)
    normalised = network.normalised(scales)
    for activation, layer in zip(normalised.activations(pixels), network.layers, strict=True):
        if layer.weighted:
            assert activation.max() == pytest.approx(1)
    np.testing.assert_allclose(normalised.answers(pixels) * scales["5.dense"], network.answers(pixels), atol=1e-12)
    twin = conversion.normalised(stages(network), [image.reshape(SHAPE) for image in pixels], 99.0)
    ours = network.normalised(network.largest(pixels, 99.0))
    for stage, layer in zip(twin, ours.layers, strict=True):
        if stage.weight is not None:
            assert isinstance(layer, Convolution | Dense)
            assert stage.bias is not None
            np.testing.assert_allclose(layer.weight, stage.weight, rtol=1e-12)
            np.testing.assert_allclose(layer.bias, stage.bias, rtol=1e-12)


def test_an_npz_file_may_leave_out_what_is_usual(tmp_path: Path) -> None:
    weight = np.arange(18.0).reshape(3, 3, 1, 2)
    arrays = {"input_shape": np.array([3, 3, 1]), "1.convolution.weight": weight, "2.dense.weight": np.ones((2, 2))}
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    first, second = read(tmp_path / "a.npz").layers
    assert isinstance(first, Convolution)
    assert isinstance(second, Dense)
    assert (first.stride, first.padding, first.bias.tolist(), second.bias.tolist()) == ((1, 1), (0, 0), [0, 0], [0, 0])


# -- what cannot be converted ------------------------------------------------------------------------------------
def without(name: str) -> Callable[[dict[str, NDArray[Any]]], object]:
    return lambda arrays: arrays.pop(name)


def with_(name: str, array: Any) -> Callable[[dict[str, NDArray[Any]]], object]:
    return lambda arrays: arrays.update({name: np.asarray(array)})


def pooled_by_largest(arrays: dict[str, NDArray[Any]]) -> None:
    arrays["2.max_pooling.size"] = arrays.pop("2.average_pooling.size")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pooled_by_largest, r"layer 2.max_pooling: the largest of several rates cannot be had by adding up spikes"),
        (without("input_shape"), "lacks input_shape, expected rows, columns and channels"),
        (with_("input_shape", [8.0, 8.0, 1.0]), "input_shape is float64 .* expected one to three whole numbers"),
        (with_("input_shape", [9, 8, 1]), r"layer 2.average_pooling .*patches of 2x2 do not divide 9x8x3"),
        (with_("input_shape", [8, 8, 2]), r"layer 1.convolution .*has weights for 1 channels, but gets 8x8x2"),
        (with_("6.batch_normalisation.gain", [1.0]), "layer 6.batch_normalisation: batch_normalisation is not known"),
        (with_("7.dense.weight", [[1.0]]), "holds the layers 1.convolution, .* expected one for each number"),
        (with_("weights", [1.0]), "array weights: expected names such as 1.convolution.weight"),
        (without("4.dense.weight"), "layer 4.dense: lacks weight, expected bias, weight"),
        (with_("4.dense.gain", [1.0]), "layer 4.dense: has gain, expected bias, weight"),
        (with_("4.dense.weight", np.ones((31, 12))), r"layer 4.dense .*has weights for 31 inputs, but gets 3x2x5"),
        (with_("4.dense.bias", np.ones(11)), r"layer 4.dense .*biases of shape \(11,\), expected \(12,\)"),
        (with_("5.dense.weight", np.full((12, 4), np.nan)), "layer 5.dense .*expected finite numbers"),
        (with_("3.convolution.weight", np.ones((2, 3, 3, 5))), "layer 3.convolution .*kernels of 2x3, expected square"),
        (with_("3.convolution.weight", np.ones((9, 9, 3, 5))), "layer 3.convolution .*kernels of 9x9 are larger"),
        (with_("3.convolution.stride", [0, 1]), "layer 3.convolution .*stride"),
        (with_("3.convolution.stride", [1]), "layer 3.convolution: stride is 1, expected rows and columns"),
        (with_("2.average_pooling.size", [2, 2]), "layer 2.average_pooling: size is 2x2, expected one number"),
    ],
)
def test_an_npz_file_that_cannot_be_converted_is_refused(
    change: Callable[[dict[str, NDArray[Any]]], object], message: str, network: ConventionalNetwork, tmp_path: Path
) -> None:
    arrays = plain(network)
    change(arrays)
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message) as raised:
        read(tmp_path / "a.npz")
    assert str(tmp_path / "a.npz") in str(raised.value)


def test_the_last_layer_has_to_stand_for_classes(network: ConventionalNetwork) -> None:
    with pytest.raises(LayerRefused, match=r"layer 3.convolution .*is the last one, expected a dense layer"):
        ConventionalNetwork(SHAPE, network.layers[:3])
    with pytest.raises(LayerRefused, match="no layers"):
        ConventionalNetwork(SHAPE, ())


def test_a_layer_that_never_answers_is_refused(network: ConventionalNetwork) -> None:
    layers = list(network.layers)
    layers[3] = layers[3].scaled(0.0, 0.0)
    dead = ConventionalNetwork(SHAPE, tuple(layers))
    with pytest.raises(LayerRefused, match=r"layer 4.dense .*none of its activations is positive"):
        dead.largest(shown(), 99.9)


class Evil:
    """Something that would run code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this ran",)


def test_reading_runs_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "a.npz", input_shape=np.array([Evil()], object))
    with pytest.raises(ValueError, match=r"a.npz: is no NPZ file of plain arrays"):
        read(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"PK nonsense")
    with pytest.raises(ValueError, match=r"b.npz: is no NPZ file"):
        read(tmp_path / "b.npz")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("input_shape.npy", b"nonsense")
    with pytest.raises(ValueError, match=r"c\.npz"):
        read(tmp_path / "c.npz")
    (tmp_path / "d.nir").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"d.nir: is no NIR file"):
        read(tmp_path / "d.nir")
    assert "this ran" not in capsys.readouterr().out


# -- NIR of others -----------------------------------------------------------------------------------------------
G = np.random.default_rng(6)
KERNEL, BIAS, ROWS = G.normal(size=(3, 2, 2, 2)), G.normal(size=3), G.normal(size=(4, 12))


def fires(*shape: int, r: float = 1.0, threshold: float = 1.0, reset: float = 0.0) -> nir.IF:
    return nir.IF(np.full(shape, r), np.full(shape, threshold), np.full(shape, reset))


def nodes() -> dict[str, Any]:
    """Two maps of 4 x 4, a convolution that keeps them so, sums of patches, and a dense layer without biases."""
    return {
        "input": nir.Input({"input": np.array([2, 4, 4])}),
        "maps": nir.Conv2d((4, 4), KERNEL[:, :, :1, :1], 1, "same", 1, 1, BIAS),
        "spikes": fires(3, 4, 4, r=2.0, threshold=4.0),
        "sums": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "more": fires(3, 2, 2, threshold=2.0),
        "flat": nir.Flatten({"input": np.array([3, 2, 2])}, 0),
        "classes": nir.Linear(ROWS),
        "output": nir.Output({"output": np.array([4])}),
    }


def stored(given: dict[str, Any], file: Path, edges: list[tuple[str, str]] | None = None) -> Path:
    names = list(given)
    chain = list(itertools.pairwise(names)) if edges is None else edges
    nir.write(file, nir.NIRGraph(given, chain, type_check=False))
    return file


def test_a_graph_of_others_is_read_as_its_rates_say(tmp_path: Path) -> None:
    network = read(stored(nodes(), tmp_path / "a.nir"))
    assert str(network) == "4x4x2 conv3-1x1 avgpool2x2 4"
    maps = G.random((2, 4, 4))
    rates = np.maximum(np.einsum("dc,cyx->dyx", KERNEL[:, :, 0, 0], maps) + BIAS[:, None, None], 0) * 2.0 / 4.0
    sums = rates.reshape(3, 2, 2, 2, 2).sum(axis=(2, 4)) / 2.0
    pixels = maps.transpose(1, 2, 0).reshape(1, -1)
    np.testing.assert_allclose(network.answers(pixels)[0], ROWS @ sums.ravel(), rtol=1e-12)


def test_nothing_is_lost_without_the_sum_or_the_threshold(tmp_path: Path) -> None:
    """That the graph above could be read wrongly."""
    whole = read(stored(nodes(), tmp_path / "a.nir"))
    pixels = G.random((1, 32))
    for change in ({"more": fires(3, 2, 2)}, {"spikes": fires(3, 4, 4)}):
        other = read(stored(nodes() | change, tmp_path / "b.nir"))
        assert np.abs(other.answers(pixels) - whole.answers(pixels)).max() > 1e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spikes": nir.LIF(*(np.ones((3, 4, 4)) for _ in range(4)))}, r"layer spikes \(LIF\): its neurons leak"),
        ({"spikes": nir.Threshold(np.ones((3, 4, 4)))}, r"layer spikes \(Threshold\): answers by 0 or 1"),
        ({"spikes": nir.Scale(np.ones((3, 4, 4)))}, r"layer spikes \(Scale\): cannot be converted; expected Conv2d"),
        ({"spikes": nir.Flatten({"input": np.array([3, 4, 4])}, 0)}, "layer sums: comes after maps, which has no IF"),
        ({"spikes": fires(3, 4, 4, reset=0.5)}, r"layer spikes \(IF\): expected r/v_threshold"),
        ({"spikes": fires(3, 4, 4, threshold=0.0)}, r"layer spikes \(IF\): expected r/v_threshold"),
        ({"maps": nir.Conv2d((4, 4), KERNEL, 1, 0, 2, 1, BIAS)}, r"layer maps \(Conv2d\): dilation \(2, 2\) and 1 gr"),
        ({"maps": nir.Conv2d((4, 4), KERNEL, 1, "same", 1, 1, BIAS)}, r"layer maps \(Conv2d\): padding same, expected"),
        ({"maps": nir.Conv2d((4, 4), KERNEL[:, :1], 1, 0, 1, 1, BIAS)}, "layer maps .*has weights for 1 channels"),
        ({"sums": nir.AvgPool2d(np.array([3, 3]), np.array([2, 2]), np.array([0, 0]))},
         r"layer sums \(AvgPool2d\): patches of 3x3 at a stride of 2x2"),
        ({"classes": nir.Linear(ROWS[:, :11])}, r"layer classes \(dense\): has weights for 11 inputs"),
    ],
)  # fmt: skip
def test_a_graph_that_cannot_be_converted_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(LayerRefused, match=message):
        read(stored(nodes() | change, tmp_path / "a.nir"))


def test_a_graph_that_is_no_chain_is_refused(tmp_path: Path) -> None:
    names = list(nodes())
    chain = list(itertools.pairwise(names))
    with pytest.raises(LayerRefused, match=r"several ways out|several in"):
        read(stored(nodes(), tmp_path / "a.nir", [*chain, ("maps", "more")]))
    with pytest.raises(ValueError, match="begins with"):
        read(stored(nodes(), tmp_path / "b.nir", chain[1:]))
    with pytest.raises(ValueError, match="does not begin with an Input"):
        read(stored({k: v for k, v in nodes().items() if k != "input"}, tmp_path / "c.nir"))


def test_only_two_kinds_of_files_are_written(network: ConventionalNetwork, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in .npz or .nir"):
        write(network, tmp_path / "a.h5")


def test_a_patch_has_a_size() -> None:
    with pytest.raises(LayerRefused, match="patches of 0x0"):
        AveragePooling("pool", 0)


