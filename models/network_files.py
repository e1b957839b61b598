"""Conventional networks in files: NumPy's NPZ with arrays named as below, and NIR. Reading a file never runs code.

An NPZ file holds ``input_shape`` (rows, columns, channels) and the arrays of each layer, named by its place from 1 on,
its kind and what they are:

==============================  ====================================================================================
``1.convolution.weight``        (rows, columns, channels below, channels)
``1.convolution.bias``          (channels,); zeros if left out
``1.convolution.stride``        (rows, columns); 1 and 1 if left out
``1.convolution.padding``       (rows, columns); 0 and 0 if left out
``2.average_pooling.size``      rows, and columns, of a patch: one number; patches lie side by side
``3.dense.weight``              (inputs, neurons); of a map, the channels of a place are side by side
``3.dense.bias``                (neurons,); zeros if left out
==============================  ====================================================================================

A NIR file (J. E. Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 15:8122, 2024) is
read and written by the library ``nir``. NIR has no rectifier: a neuron that integrates and fires, ``IF``, stands for
it, whose rate is the rectified input times r/v_threshold. Its maps are (channels, rows, columns).

A network of spiking neurons is written as NIR as well (`write_spiking`), with its own neurons behind the layers.
"""

from __future__ import annotations

import itertools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.models.conventional import (
    AveragePooling,
    ConventionalLayer,
    ConventionalNetwork,
    Convolution,
    Dense,
    LayerRefused,
    Shape,
    in_words,
)
from hebbarium.models.spiking_layers import LayerNeurons, SpikingLayers

FOLDER = Path(__file__).parent / "networks"
"""Networks that come with the project: ``<name>.npz``."""

_MAX_POOLING = (
    "the largest of several rates cannot be had by adding up spikes; train the network with average pooling, or with"
    " strided convolutions, instead"
)
_KNOWN = "expected convolution, average_pooling or dense"


def names() -> tuple[str, ...]:
    """Networks that come with the project."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.npz")))


def located(name: str) -> Path:
    """The file of a network that comes with the project, or of a user's own.

    Raises
    ------
    ValueError
        There is none.
    """
    if name in names():
        return FOLDER / f"{name}.npz"
    file = Path(name).expanduser()
    if file.suffix not in READERS:
        raise ValueError(
            f"expected {', '.join(names())}, or a file of your own that ends in {' or '.join(READERS)}"
        )
    if not file.is_file():
        raise ValueError("there is no such file")
    return file


def read(file: Path) -> ConventionalNetwork:
    """The network of a file.

    Raises
    ------
    ValueError
        It is no such file; or it holds a layer that cannot be converted, which is named with the reason.
    """
    try:
        return READERS[file.suffix](file)
    except LayerRefused as error:
        raise LayerRefused(f"{file}: {error}") from error


def write(network: ConventionalNetwork, file: Path) -> None:
    """Write a network as NPZ or NIR, which the end of the file's name says.

    Raises
    ------
    ValueError
        The name ends otherwise; or NIR cannot hold the network.
    """
    if file.suffix not in _WRITERS:
        raise ValueError(f"{file}: expected a name that ends in {' or '.join(_WRITERS)}")
    _WRITERS[file.suffix](network, file)


# -- NPZ ---------------------------------------------------------------------------------------------------------
def _read_npz(file: Path) -> ConventionalNetwork:
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, MemoryError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ValueError(f"{file}: is no NPZ file of plain arrays: {error}") from error
    if other := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise ValueError(f"{file}: is no NPZ file of plain arrays: {other[0]} is something else")
    if "input_shape" not in arrays:
        raise ValueError(f"{file}: lacks input_shape, expected rows, columns and channels of the images")
    shape = _whole(file, "input_shape", arrays.pop("input_shape"))
    return ConventionalNetwork(shape, tuple(_layers(file, arrays)))


def _layers(file: Path, arrays: Mapping[str, NDArray[Any]]) -> Iterator[ConventionalLayer]:
    of_layer: dict[tuple[int, str], dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        parts = re.fullmatch(r"([1-9]\d{0,3})\.(\w+)\.(\w+)", name)
        if parts is None:
            raise ValueError(f"{file}: array {name}: expected names such as 1.convolution.weight")
        of_layer.setdefault((int(parts[1]), parts[2]), {})[parts[3]] = array
    places = sorted(of_layer)
    if [place for place, _ in places] != list(range(1, len(places) + 1)):
        found = ", ".join(f"{place}.{kind}" for place, kind in places)
        raise ValueError(f"{file}: holds the layers {found or 'none'}, expected one for each number from 1 on")
    for place, kind in places:
        yield _layer(file, f"{place}.{kind}", kind, of_layer[place, kind])


def _layer(file: Path, name: str, kind: str, arrays: dict[str, NDArray[Any]]) -> ConventionalLayer:
    if kind == "max_pooling":
        raise LayerRefused(f"layer {name}: {_MAX_POOLING}")
    if kind not in _ARRAYS:
        raise LayerRefused(f"layer {name}: {kind} is not known, {_KNOWN}")
    needed, optional = _ARRAYS[kind]
    if (lacking := needed - arrays.keys()) or (unknown := arrays.keys() - needed - optional):
        what = f"lacks {', '.join(sorted(lacking))}" if lacking else f"has {', '.join(sorted(unknown))}"
        raise LayerRefused(f"layer {name}: {what}, expected {', '.join(sorted(needed | optional))}")
    sizes: dict[str, Any] = {
        key: _whole(file, f"{name}.{key}", arrays.pop(key)) for key in ("stride", "padding", "size") if key in arrays
    }
    for key, size in sizes.items():
        if len(size) != (wanted := 1 if key == "size" else 2):
            what = "one number" if wanted == 1 else "rows and columns"
            raise LayerRefused(f"layer {name}: {key} is {in_words(size)}, expected {what}")
    if "size" in sizes:
        (sizes["size"],) = sizes["size"]
    if "weight" in needed:
        arrays.setdefault("bias", np.zeros(arrays["weight"].shape[-1:], arrays["weight"].dtype))
    return _KINDS[kind](name, **arrays, **sizes)


_KINDS: Mapping[str, Callable[..., ConventionalLayer]] = {
    kind.kind: kind for kind in (Convolution, AveragePooling, Dense)
}
_ARRAYS: Mapping[str, tuple[set[str], set[str]]] = {
    Convolution.kind: ({"weight"}, {"bias", "stride", "padding"}),
    AveragePooling.kind: ({"size"}, set()),
    Dense.kind: ({"weight"}, {"bias"}),
}
"""What has to be there of a kind of layer, and what may be."""


def _whole(file: Path, name: str, array: NDArray[Any]) -> Shape:
    if array.dtype.kind not in "iu" or array.ndim > 1 or not 1 <= array.size <= 3:
        raise ValueError(f"{file}: {name} is {array.dtype} of shape {array.shape}, expected one to three whole numbers")
    return tuple(map(int, array.ravel()))


def _write_npz(network: ConventionalNetwork, file: Path) -> None:
    arrays: dict[str, NDArray[Any]] = {"input_shape": np.array(network.shape)}
    for place, layer in enumerate(network.layers, 1):
        for key, value in vars(layer).items():
            if key != "name":
                arrays[f"{place}.{layer.kind}.{key}"] = np.asarray(value)
    with file.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


# -- NIR ---------------------------------------------------------------------------------------------------------
def _library(file: Path) -> Any:
    try:
        import nir
    except ImportError as error:
        raise ValueError(f"{file}: NIR files are read and written by the library nir: pip install nir") from error
    return nir


def _graph(file: Path) -> tuple[Any, Any]:
    """The library, and the graph that it reads."""
    nir = _library(file)
    try:
        return nir, nir.read(file, type_check=False)
    except Exception as error:  # whatever the library makes of a damaged file, or of a node that it does not know
        raise ValueError(f"{file}: is no NIR file, or holds a node that nir {nir.__version__} does not know: {error!r}"
                         ) from error  # fmt: skip


def _chain(file: Path, graph: Any) -> Iterator[tuple[str, Any]]:
    """Nodes with their names from the input on."""
    after: dict[str, str] = {}
    for one, other in graph.edges:
        if one in after or other in after.values() or one == other:
            raise LayerRefused(
                f"layer {one}: has several ways out, or {other} several in, or they make a loop; expected layers"
                " one behind the other"
            )
        after[one] = other
    begins = [name for name in graph.nodes if name not in after.values()]
    if len(begins) != 1:
        raise ValueError(f"{file}: the graph begins with {', '.join(begins) or 'nothing'}, expected one Input")
    name: str | None = begins[0]
    passed = 0
    while name is not None:
        yield name, graph.nodes[name]
        name, passed = after.get(name), passed + 1
    if passed != len(graph.nodes):
        raise ValueError(f"{file}: the graph holds a loop; expected layers one behind the other")


def _read_nir(file: Path) -> ConventionalNetwork:
    nir, graph = _graph(file)
    return _FromNIR(nir, file).network(graph)


class _FromNIR:
    """Makes a network of the nodes of a graph, one behind the other.

    Parameters
    ----------
    nir : module
    file : Path
        Named by errors.
    """

    def __init__(self, nir: Any, file: Path) -> None:
        self.nir, self.file = nir, file
        self.layers: list[ConventionalLayer] = []
        self.shape: Shape = ()
        #: what the rates that come next are to be multiplied by
        self.gain = 1.0
        self.rectified = True

    def network(self, graph: Any) -> ConventionalNetwork:
        """The network of a graph."""
        nodes = list(_chain(self.file, graph))
        if not nodes or not isinstance(nodes[0][1], self.nir.Input):
            raise ValueError(f"{self.file}: the graph does not begin with an Input")
        first = nodes[0][1].input_type["input"]
        size = tuple(map(int, np.atleast_1d(first))) if first is not None else ()
        if len(size) not in (1, 3):
            raise ValueError(f"{self.file}: its Input is of shape {size}, expected channels, rows and columns")
        self.shape = start = _last_axis(size)
        for name, node in nodes[1:]:
            self._take(name, node)
        return ConventionalNetwork(start, tuple(self.layers))

    def _take(self, name: str, node: Any) -> None:
        nir, kind = self.nir, type(node).__name__
        match node:
            case nir.Conv2d() | nir.Affine() | nir.Linear():
                self._refuse_unrectified(name)
                layer = self._convolution(name, node) if isinstance(node, nir.Conv2d) else self._dense(name, node)
                self._add(layer.scaled(self.gain, 1.0))
                self.gain, self.rectified = 1.0, False
            case nir.AvgPool2d() | nir.SumPool2d():
                self._refuse_unrectified(name)
                pooling = self._pooling(name, node)
                self._add(pooling)
                self.gain *= 1 if isinstance(node, nir.AvgPool2d) else 1 / pooling.share
            case nir.IF():
                self._integrate(name, node)
            case nir.Flatten() | nir.Output():
                pass
            case nir.Threshold():
                raise LayerRefused(f"layer {name} ({kind}): answers by 0 or 1, which no rate of spikes is")
            case nir.LIF() | nir.CubaLIF() | nir.LI() | nir.CubaLI():
                raise LayerRefused(f"layer {name} ({kind}): its neurons leak, so that their rate is no rectified input")
            case _:
                raise LayerRefused(
                    f"layer {name} ({kind}): cannot be converted; expected Conv2d, Affine, Linear, IF, AvgPool2d,"
                    " SumPool2d or Flatten"
                )

    def _add(self, layer: ConventionalLayer) -> None:
        self.layers.append(layer)
        self.shape = layer.out(self.shape)

    def _refuse_unrectified(self, name: str) -> None:
        if not self.rectified:
            raise LayerRefused(
                f"layer {name}: comes after {self.layers[-1].name}, which has no IF behind it; expected one, which"
                " stands for the rectifier"
            )

    def _integrate(self, name: str, node: Any) -> None:
        with np.errstate(all="ignore"):  # what is no number is refused
            gain, reset = np.unique(np.asarray(node.r) / node.v_threshold), np.asarray(node.v_reset)
        if len(gain) != 1 or not 0 < gain[0] < np.inf or reset.any():
            raise LayerRefused(
                f"layer {name} (IF): expected r/v_threshold that is positive and the same for all its neurons, and a"
                " v_reset of 0"
            )
        if self.layers and not self.rectified:
            self.layers[-1] = self.layers[-1].scaled(float(gain[0]), float(gain[0]))
        else:
            self.gain *= float(gain[0])
        self.rectified = True

    def _convolution(self, name: str, node: Any) -> Convolution:
        stride, dilation = (_pair(size) for size in (node.stride, node.dilation))
        if dilation != (1, 1) or int(node.groups) != 1:
            raise LayerRefused(f"layer {name} (Conv2d): dilation {dilation} and {node.groups} groups, expected 1 and 1")
        weight = np.asarray(node.weight)
        padding = node.padding
        if isinstance(padding, str):
            kernel = weight.shape[2:]
            if padding == "same" and (stride != (1, 1) or any(n % 2 == 0 for n in kernel)):
                raise LayerRefused(f"layer {name} (Conv2d): padding same, expected kernels of odd size and stride 1")
            padding = [(n - 1) // 2 * (padding == "same") for n in kernel]
        bias = np.zeros(len(weight)) if node.bias is None else np.asarray(node.bias)
        if weight.ndim != 4:
            raise LayerRefused(f"layer {name} (Conv2d): weights of shape {weight.shape}, expected four dimensions")
        return Convolution(name, weight.transpose(2, 3, 1, 0), bias, stride, _pair(padding))

    def _dense(self, name: str, node: Any) -> Dense:
        weight = np.asarray(node.weight)
        bias = np.asarray(node.bias) if hasattr(node, "bias") else np.zeros(len(weight), weight.dtype)
        if weight.ndim != 2:
            raise LayerRefused(f"layer {name} ({type(node).__name__}): weights of shape {weight.shape}, expected two"
                               " dimensions")  # fmt: skip
        rows = weight.T
        if len(self.shape) == 3 and len(rows) == np.prod(self.shape):
            order = np.arange(len(rows)).reshape(_first_axis(self.shape)).transpose(1, 2, 0).ravel()
            rows = rows[order]
        return Dense(name, rows, bias)

    def _pooling(self, name: str, node: Any) -> AveragePooling:
        size, stride, padding = (_pair(getattr(node, key)) for key in ("kernel_size", "stride", "padding"))
        if stride != size or padding != (0, 0) or size[0] != size[1]:
            raise LayerRefused(
                f"layer {name} ({type(node).__name__}): patches of {in_words(size)} at a stride of {in_words(stride)}"
                f" with padding {in_words(padding)}, expected square patches side by side"
            )
        return AveragePooling(name, size[0])


def _pair(size: Any) -> tuple[int, int]:
    one, other = np.broadcast_to(np.asarray(size, int), 2)
    return int(one), int(other)


def _last_axis(shape: Shape) -> Shape:
    """Rows, columns and channels from channels, rows and columns."""
    return shape if len(shape) == 1 else (*shape[1:], shape[0])


def _first_axis(shape: Shape) -> Shape:
    """Channels, rows and columns from rows, columns and channels."""
    return shape if len(shape) == 1 else (shape[-1], *shape[:-1])


def write_spiking(layers: SpikingLayers, file: Path, **told: str) -> None:
    """Write a network of spiking neurons as NIR.

    NIR's equations are continuous, and it has no step: ``dt`` and ``steps`` are in the graph's metadata. A layer
    ``hidden_1`` is the nodes ``to_hidden_1``, its weights, and ``hidden_1_fires``, its neurons.

    Parameters
    ----------
    layers : SpikingLayers
    file : Path
    **told : str
        What the metadata say besides.

    Raises
    ------
    ValueError
        The library ``nir`` is missing.
    """
    nir = _library(file)

    def fires(layer: ConventionalLayer, shape: Shape) -> Any:
        neurons = layers.neurons.get(layer.name)
        return None if neurons is None else _neurons(nir, neurons, _first_axis(shape))

    graph = _as_graph(nir, layers.network, fires, "to_")
    graph.metadata = {"dt": layers.dt, "steps": layers.steps, **told}
    nir.write(file, graph)


def _write_nir(network: ConventionalNetwork, file: Path) -> None:
    nir = _library(file)
    rectifier = LayerNeurons(theta=1.0, reaches=False, r=1.0)
    nir.write(file, _as_graph(nir, network, lambda layer, shape: _neurons(nir, rectifier, _first_axis(shape))))


def _neurons(nir: Any, neurons: LayerNeurons, shape: Shape) -> Any:
    def each(value: float) -> NDArray[np.float64]:
        return np.full(shape, value, np.float64)

    if neurons.tau_m is None or neurons.tau_s is None:
        return nir.IF(each(neurons.r), each(neurons.exceeded))
    return nir.CubaLIF(
        tau_syn=each(neurons.tau_s), tau_mem=each(neurons.tau_m), r=each(neurons.r), v_leak=each(0.0),
        v_threshold=each(neurons.exceeded),
    )  # fmt: skip


def _as_graph(
    nir: Any, network: ConventionalNetwork, fires: Callable[[ConventionalLayer, Shape], Any], prefix: str = ""
) -> Any:
    """The graph of a network, with what ``fires`` gives behind each layer; a prefix tells a layer from an end."""
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array(_first_axis(network.shape))})}
    for layer, below, above in zip(network.layers, network.shapes, network.shapes[1:], strict=False):
        name = prefix + layer.name
        match layer:
            case Convolution():
                weight = np.ascontiguousarray(layer.weight.transpose(3, 2, 0, 1))
                nodes[name] = nir.Conv2d(
                    below[:2], weight, layer.stride, layer.padding, dilation=1, groups=1, bias=layer.bias
                )
            case AveragePooling():
                size = np.full(2, layer.size)
                nodes[name] = nir.AvgPool2d(size, size, np.zeros(2, int))
            case Dense():
                rows = layer.weight
                if len(below) == 3:
                    nodes[f"{name}_flatten"] = nir.Flatten({"input": np.array(_first_axis(below))}, 0)
                    order = np.arange(len(rows)).reshape(below).transpose(2, 0, 1).ravel()
                    rows = rows[order]
                nodes[name] = nir.Affine(np.ascontiguousarray(rows.T), layer.bias)
        if (neurons := fires(layer, above)) is not None:
            nodes[f"{layer.name}_fires"] = neurons
    nodes["output"] = nir.Output({"output": np.array(network.shapes[-1])})
    return nir.NIRGraph(nodes, list(itertools.pairwise(nodes)), type_check=False)


READERS: Mapping[str, Callable[[Path], ConventionalNetwork]] = {".npz": _read_npz, ".nir": _read_nir}
_WRITERS: Mapping[str, Callable[[ConventionalNetwork, Path], None]] = {".npz": _write_npz, ".nir": _write_nir}

# -- weights alone -------------------------------------------------------------------------------------------------
def read_linear(file: Path) -> dict[str, NDArray[np.float64]]:
    """Weights of the layers of a NIR file, ``(sources, targets)`` by the names of its nodes, from the input on.

    Neurons are left out.

    Raises
    ------
    ValueError
        It is no such file; or a layer has a bias, or connects otherwise than all to all.
    """
    nir, graph = _graph(file)
    weights = {}
    for name, node in _chain(file, graph):
        if isinstance(node, nir.Conv2d | nir.Conv1d | nir.SumPool2d | nir.AvgPool2d):
            raise LayerRefused(f"{file}: layer {name} ({type(node).__name__}): expected layers that connect all to all")
        if isinstance(node, nir.Linear | nir.Affine):
            w = np.asarray(node.weight)
            if w.ndim != 2 or w.dtype.kind not in "fiu":
                raise LayerRefused(f"{file}: layer {name}: weights of shape {w.shape}, expected (targets, sources)")
            if np.asarray(getattr(node, "bias", 0)).any():
                raise LayerRefused(f"{file}: layer {name}: has a bias, which a projection has none of")
            weights[name] = w.T.astype(np.float64)
    return weights


def write_linear(file: Path, weights: Mapping[str, NDArray[Any]]) -> None:
    """Write weights ``(sources, targets)`` as the layers of a NIR file, one behind the other.

    Raises
    ------
    ValueError
        The targets of one are not the sources of the next.
    """
    nir = _library(file)
    arrays = list(weights.values())
    if any(one.shape[1] != other.shape[0] for one, other in itertools.pairwise(arrays)):
        raise ValueError(f"{file}: {', '.join(weights)} are not one behind the other, as NIR has layers; use .npz")
    nodes = {
        "input": nir.Input({"input": np.array(arrays[0].shape[:1])}),
        **{name: nir.Linear(np.ascontiguousarray(w.T)) for name, w in weights.items()},
        "output": nir.Output({"output": np.array(arrays[-1].shape[1:])}),
    }
    nir.write(file, nir.NIRGraph(nodes, list(itertools.pairwise(nodes)), type_check=False))
