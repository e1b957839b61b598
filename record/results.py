"""The result file: what it holds, how it is written, how it is opened.

A run folder holds ``configuration.json``, ``checkpoints/``, ``results.nc`` and ``figures/``. The result file
is one `xarray.DataTree` in netCDF-4; this module is the only place that knows its names:

===================================  ==================================================================
``/``                                attributes: where the numbers come from (`ROOT_ATTRIBUTES`)
``activity/<population>``            ``spike_count(sample, neuron)`` while training; ``label``, ``image``
                                     and ``block`` of each sample
``weights/<projection>``             ``w(samples_seen, pre, post)``
``state/<population>``               snapshots of neurons' variables, such as ``theta(samples_seen, neuron)``
``labelling/<population>``           responses of a frozen pass over training images, if there was one
``test/<population>``                responses to the held-out images
``evaluation``                       accuracy, confusion, labels of neurons, predictions, running accuracy
``raster/<population>``              the spikes of some presentations, one entry a spike
``stdp_window``                      ``delta_w(delta_t)``, measured
===================================  ==================================================================

Groups that a run does not have are left out. A model may add variables of its own to any group, and groups of
its own, as long as every variable has ``units`` and ``long_name``.

>>> import numpy as np
>>> counts = responses(np.array([[3, 0], [0, 2]]), label=[7, 1], presentation_ms=150.0)
>>> counts["spike_count"].dims, counts["spike_count"].dtype
(('sample', 'neuron'), dtype('uint16'))
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, DTypeLike

from hebbarium.files import whole_files
from hebbarium.files.errors import EngineError, in_one_line

SCHEMA_VERSION = 1
FILE_NAME = "results.nc"
FIGURES = "figures"

ACTIVITY = "activity"
WEIGHTS = "weights"
STATE = "state"
LABELLING = "labelling"
TEST = "test"
EVALUATION = "evaluation"
RASTER = "raster"
STDP_WINDOW = "stdp_window"

INPUT = "input"
EXCITATORY = "excitatory"
INHIBITORY = "inhibitory"
CLASSES = "classes"
INPUT_TO_EXCITATORY = "input_to_excitatory"
EXCITATORY_TO_CLASSES = "excitatory_to_classes"

MOST_ACTIVE = "most_active"
CLASS_MEAN = "class_mean"
CLASS_LAYER = "class_layer"

NO_CLASS = -1
"""Label of a neuron that never fired, and the prediction of a network that gave no answer."""

_TEXT, _JSON, _INTEGER, _NUMBER, _FLAG = "text", "JSON text", "integer", "number", "0 or 1"

ROOT_ATTRIBUTES: Mapping[str, str] = {
    "schema_version": _INTEGER,
    "model": _TEXT,
    "paper": _TEXT,
    "parameters": _JSON,
    "options": _JSON,
    "seed": _INTEGER,
    "device": _TEXT,
    "precision": _TEXT,
    "versions": _JSON,
    "git_commit": _TEXT,
    "git_dirty": _FLAG,
    "dataset": _TEXT,
    "dataset_sha256": _TEXT,
    "wall_time_s": _NUMBER,
    "synaptic_events": _INTEGER,
    "command": _TEXT,
    "complete": _FLAG,
    "samples_seen": _INTEGER,
}
"""Attributes that every result file has, and what each one is. Text that is not known is empty."""

OPTIONAL_ATTRIBUTES = ("class_names", "image_shape")
"""Attributes of runs on images, JSON lists: names of the classes, by number; rows and columns of an image."""

RUN = "run"
"""Attribute of the results of a run: the digest of what it began with. Later than the first files of this schema."""

PER_POPULATION = (ACTIVITY, STATE, LABELLING, TEST, RASTER)
PER_PROJECTION = (WEIGHTS,)
SINGLE = (EVALUATION, STDP_WINDOW)

# group -> variable -> (dimensions, kinds of NumPy dtype allowed, has to be there)
_VARIABLES: Mapping[str, Mapping[str, tuple[tuple[str, ...], str, bool]]] = {
    ACTIVITY: {
        "spike_count": (("sample", "neuron"), "u", True),
        "label": (("sample",), "i", True),
        "image": (("sample",), "i", True),
        "block": (("sample",), "i", True),
        "presentations": (("sample",), "i", False),
    },
    WEIGHTS: {
        "w": (("samples_seen", "pre", "post"), "f", True),
        "samples_seen": (("samples_seen",), "i", True),
    },
    STATE: {
        "theta": (("samples_seen", "neuron"), "f", False),
        "samples_seen": (("samples_seen",), "i", True),
    },
    LABELLING: {
        "spike_count": (("sample", "neuron"), "u", True),
        "label": (("sample",), "i", True),
        "image": (("sample",), "i", False),
    },
    TEST: {
        "spike_count": (("sample", "neuron"), "u", True),
        "label": (("sample",), "i", True),
        "image": (("sample",), "i", True),
        "presentations": (("sample",), "i", False),
    },
    EVALUATION: {
        "accuracy": (("seed", "samples_seen", "readout"), "f", False),
        "confusion": (("readout", "true_class", "predicted_class"), "iu", False),
        "neuron_label": (("neuron",), "i", False),
        "predicted": (("readout", "sample"), "i", False),
        "running_accuracy": (("samples_seen_block",), "f", False),
        "seed": (("seed",), "i", False),
        "samples_seen": (("samples_seen",), "i", False),
        "samples_seen_block": (("samples_seen_block",), "i", False),
    },
    RASTER: {
        "spike_time": (("spike",), "f", True),
        "spike_neuron": (("spike",), "iu", True),
        "spike_presentation": (("spike",), "iu", True),
    },
    STDP_WINDOW: {
        "delta_w": (("delta_t",), "f", True),
        "delta_t": (("delta_t",), "f", True),
    },
}
_FREE_TEXT = ("paper", "command")  # nothing prints them
_LONGEST_NAME = 200
_INCREASING = ("samples_seen", "samples_seen_block", "delta_t")
# Below this many values the cost of a compressed chunk is more than what it saves.
_COMPRESS_FROM = 4096
# Columns of w kept in one chunk: the fields of a few neurons are read without the rest of a large network.
_CHUNK_POSTSYNAPTIC = 256
_CHUNK_SAMPLES = 1024


class SchemaError(EngineError, ValueError):
    """A tree, or a file, is not what this version's schema says."""


class ResultFileError(EngineError, OSError):
    """A result file is missing, truncated or not a result file at all."""


# ---------------------------------------------------------------------------------------------- building


def root_attributes(
    *,
    model: str,
    seed: int,
    samples_seen: int,
    paper: str = "",
    parameters: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    device: str = "",
    precision: str = "",
    versions: Mapping[str, str] | None = None,
    git_commit: str = "",
    git_dirty: bool = False,
    dataset: str = "",
    dataset_sha256: str = "",
    wall_time_s: float = 0.0,
    synaptic_events: int = 0,
    command: str = "",
    run: str = "",
    complete: bool = False,
    class_names: Sequence[str] = (),
    image_shape: Sequence[int] = (),
) -> dict[str, Any]:
    """Attributes of the root group, in the types that netCDF can hold.

    Parameters
    ----------
    parameters
        Symbol to value with its unit, such as ``{"tau_p": "60 ms"}``.
    options
        The choices the paper leaves open, and whatever else was asked for.
    synaptic_events
        Spikes that arrived at synapses while training.
    run
        Digest of what the run began with.
    complete
        Whether the run saw all the samples it was asked to see.
    class_names
        Name of each class, by number.
    image_shape
        Rows and columns of an image.

    Returns
    -------
    dict
        Mappings as JSON text, truth values as 0 and 1. `decoded` is the way back.

    Examples
    --------
    >>> attributes = root_attributes(model="mine", seed=1, samples_seen=0, parameters={"w_t": "9"})
    >>> attributes["parameters"], attributes["complete"]
    ('{"w_t": "9"}', 0)
    """
    lists = {"class_names": list(class_names), "image_shape": list(map(int, image_shape))}
    return {
        "schema_version": SCHEMA_VERSION,
        "model": in_one_line(model),
        "paper": in_one_line(paper),
        "parameters": json.dumps(dict(parameters or {})),
        "options": json.dumps(dict(options or {})),
        "seed": int(seed),
        "device": in_one_line(device),
        "precision": in_one_line(precision),
        "versions": json.dumps(dict(versions or {})),
        "git_commit": in_one_line(git_commit),
        "git_dirty": int(git_dirty),
        "dataset": in_one_line(dataset),
        "dataset_sha256": in_one_line(dataset_sha256),
        "wall_time_s": float(wall_time_s),
        "synaptic_events": int(synaptic_events),
        "command": in_one_line(command),
        "complete": int(complete),
        "samples_seen": int(samples_seen),
        **({RUN: run} if run else {}),
    } | {name: json.dumps(values) for name, values in lists.items() if values}


def decoded(tree: xr.DataTree) -> dict[str, Any]:
    """Attributes of the root group with JSON as Python objects and flags as `bool`."""
    values: dict[str, Any] = {str(name): value for name, value in tree.attrs.items()}
    for name, kind in ROOT_ATTRIBUTES.items():
        if name in values and kind == _JSON:
            values[name] = json.loads(values[name])
        elif name in values and kind == _FLAG:
            values[name] = bool(values[name])
    return values | {name: json.loads(values[name]) for name in OPTIONAL_ATTRIBUTES if name in values}


def class_names(tree: xr.DataTree) -> tuple[str, ...]:
    """Name of each class, by number; empty if the file does not say."""
    return tuple(json.loads(tree.attrs.get("class_names", "[]")))


def class_count(tree: xr.DataTree) -> int:
    """Number of classes: as many as have names, or as the largest label of a response says."""
    if names := class_names(tree):
        return len(names)
    labels = [
        node.to_dataset()["label"].values
        for group in (ACTIVITY, LABELLING, TEST)
        if group in tree.children
        for node in tree[group].children.values()
    ]
    return 1 + max((int(values.max(initial=NO_CLASS)) for values in labels), default=NO_CLASS)


def image_shape(tree: xr.DataTree) -> tuple[int, int] | None:
    """Rows and columns of an image; None if the file does not say."""
    found = json.loads(tree.attrs.get("image_shape", "[]"))
    return (int(found[0]), int(found[1])) if found else None


def responses(
    spike_count: ArrayLike,
    *,
    label: ArrayLike,
    image: ArrayLike | None = None,
    block: ArrayLike | None = None,
    presentations: ArrayLike | None = None,
    presentation_ms: float | None = None,
) -> xr.Dataset:
    """One population's answers, for `activity`, `labelling` and `test`.

    Parameters
    ----------
    spike_count : (sample, neuron)
        Spikes in each sample's presentation, the last one if there were several, from 0 to 65,535.
    label : (sample,)
        Class of each image; `NO_CLASS` where it has none.
    image : (sample,), optional
        Index of each image in its data set.
    block : (sample,), optional
        Block of the run in which each sample was shown.
    presentations : (sample,), optional
        How often each image was shown, if not once.
    presentation_ms : float, optional
        How long each image was shown; without it, analysis gives spikes an image and not rates.

    Returns
    -------
    xarray.Dataset
        With attributes that say how many neurons never fired, and how many samples made none fire.

    Raises
    ------
    SchemaError
        If a count is negative, not whole or too large for 16 bits, or if lengths differ.
    """
    counts = _integers(spike_count, np.uint16, "spike_count")
    if counts.ndim != 2:
        raise SchemaError(f"spike_count has {counts.ndim} dimensions; expected two: sample, neuron.")
    coordinates: dict[str, xr.Variable] = {}
    for name, values, dtype, long_name in (
        ("label", label, np.int16, "class of the image"),
        ("image", image, np.int32, "index of the image in its data set"),
        ("block", block, np.int32, "block of the run"),
        ("presentations", presentations, np.int32, "how often the image was shown"),
    ):
        if values is not None:
            coordinates[name] = _variable(("sample",), _integers(values, dtype, name), "1", long_name)
            if coordinates[name].shape != counts.shape[:1]:
                raise SchemaError(
                    f"{name} has {coordinates[name].size} entries for {len(counts)} samples of spike_count."
                )
    variables = {"spike_count": _variable(("sample", "neuron"), counts, "1", "spikes in one presentation")}
    attributes: dict[str, float | int] = {
        "silent_neurons": int(np.count_nonzero(~counts.any(axis=0))),
        "silent_samples": int(np.count_nonzero(~counts.any(axis=1))),
    }
    if presentation_ms is not None:
        attributes["presentation_ms"] = float(presentation_ms)
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def weight_snapshots(
    w: ArrayLike, *, samples_seen: ArrayLike, units: str = "1", long_name: str = "synaptic weight"
) -> xr.Dataset:
    """Snapshots of a projection, ``w(samples_seen, pre, post)``, kept in single precision."""
    values = np.asarray(w, dtype=np.float32)
    return _dataset(
        {"w": _variable(("samples_seen", "pre", "post"), values, units, long_name)},
        {"samples_seen": _samples_seen(samples_seen)},
    )


def state_snapshots(*, samples_seen: ArrayLike, **variables: tuple[ArrayLike, str, str]) -> xr.Dataset:
    """Snapshots of neurons' variables.

    Each is given as ``name=(values, units, long_name)``, the values with dimensions (samples_seen, neuron).

    Examples
    --------
    >>> theta = ([[0.0], [0.2]], "mV", "adaptive part of the threshold")
    >>> state = state_snapshots(samples_seen=[0, 10], theta=theta)
    >>> state["theta"].attrs["units"]
    'mV'
    """
    if not variables:
        raise SchemaError("state_snapshots was given no variable; expected name=(values, units, long_name).")
    return _dataset(
        {
            name: _variable(("samples_seen", "neuron"), np.asarray(values), units, long_name)
            for name, (values, units, long_name) in variables.items()
        },
        {"samples_seen": _samples_seen(samples_seen)},
    )


def evaluation(
    *,
    readout: Sequence[str] = (),
    seed: int | None = None,
    samples_seen: ArrayLike | None = None,
    accuracy: ArrayLike | None = None,
    confusion: ArrayLike | None = None,
    predicted: ArrayLike | None = None,
    neuron_label: ArrayLike | None = None,
    running_accuracy: ArrayLike | None = None,
    samples_seen_block: ArrayLike | None = None,
    labels_from: str = "",
) -> xr.Dataset:
    """What came of the responses.

    Parameters
    ----------
    readout
        Names of the readouts, such as `MOST_ACTIVE` and `CLASS_MEAN`.
    accuracy : (samples_seen, readout)
        Per cent of the test samples, for this one `seed`.
    confusion : (readout, true class, predicted class)
        Numbers of test samples. One column more than rows: the last one, `NO_CLASS`, is for no answer.
    predicted : (readout, sample)
        Class of each test sample, `NO_CLASS` for no answer; with the labels in force at the end.
    neuron_label : (neuron,)
        Class of each neuron, `NO_CLASS` if it never fired.
    running_accuracy : (block,)
        Per cent of each training block, with labels from earlier blocks only; NaN where there were none.
    samples_seen_block : (block,)
        Samples seen by the end of each block.
    labels_from
        Which responses gave the labels; kept as an attribute.
    """
    variables: dict[str, xr.Variable] = {}
    coordinates: dict[str, Any] = {}
    if len(readout):
        coordinates["readout"] = _variable(("readout",), np.asarray(readout, dtype=str), "1", "readout")
    if samples_seen is not None:
        coordinates["samples_seen"] = _samples_seen(samples_seen)
    if accuracy is not None:
        if seed is None or samples_seen is None or not len(readout):
            raise SchemaError("evaluation: accuracy needs seed, samples_seen and readout beside it.")
        coordinates["seed"] = _variable(("seed",), np.array([seed], dtype=np.int64), "1", "seed of the run")
        variables["accuracy"] = _variable(
            ("seed", "samples_seen", "readout"),
            np.asarray(accuracy, dtype=float)[None],
            "%",
            "test samples classified correctly",
        )
    if confusion is not None:
        table = _integers(confusion, np.int64, "confusion")
        if table.ndim != 3 or table.shape[2] != table.shape[1] + 1:
            raise SchemaError(
                f"confusion has shape {table.shape}; expected (readout, classes, classes + 1), the last "
                "column for samples without an answer."
            )
        classes = np.arange(table.shape[1], dtype=np.int16)
        coordinates["true_class"] = _variable(("true_class",), classes, "1", "true class")
        coordinates["predicted_class"] = _variable(
            ("predicted_class",),
            np.append(classes, np.int16(NO_CLASS)),
            "1",
            "predicted class, -1: no answer",
        )
        variables["confusion"] = _variable(
            ("readout", "true_class", "predicted_class"), table, "1", "number of test samples"
        )
    if predicted is not None:
        variables["predicted"] = _variable(
            ("readout", "sample"),
            _integers(predicted, np.int16, "predicted"),
            "1",
            "predicted class, -1: no answer",
        )
    if neuron_label is not None:
        variables["neuron_label"] = _variable(
            ("neuron",),
            _integers(neuron_label, np.int16, "neuron_label"),
            "1",
            "class assigned to the neuron, -1: never fired",
        )
    if running_accuracy is not None:
        if samples_seen_block is None:
            raise SchemaError("evaluation: running_accuracy needs samples_seen_block beside it.")
        coordinates["samples_seen_block"] = _variable(
            ("samples_seen_block",),
            _integers(samples_seen_block, np.int64, "samples_seen_block"),
            "1",
            "samples seen by the end of the block",
        )
        variables["running_accuracy"] = _variable(
            ("samples_seen_block",),
            np.asarray(running_accuracy, dtype=float),
            "%",
            "training samples of the block classified correctly, labels from earlier blocks only",
        )
    dataset = _dataset(variables, coordinates)
    if labels_from:
        dataset.attrs["labels_from"] = labels_from
    return dataset


def raster(
    *,
    spike_time: ArrayLike,
    spike_neuron: ArrayLike,
    spike_presentation: ArrayLike,
    n_neurons: int,
    presentation_ms: float,
) -> xr.Dataset:
    """Spikes of some presentations of one population, one entry a spike.

    Parameters
    ----------
    spike_time : (spike,)
        Milliseconds from the start of the spike's presentation.
    spike_neuron : (spike,)
        Index of the neuron, below `n_neurons`.
    spike_presentation : (spike,)
        Which presentation, counted from 0.
    """
    neurons = _integers(spike_neuron, np.int32, "spike_neuron")
    if neurons.size and (neurons.min() < 0 or neurons.max() >= n_neurons):
        raise SchemaError(
            f"spike_neuron holds {neurons.min()} to {neurons.max()}; expected 0 to {n_neurons - 1}."
        )
    return _dataset(
        {
            "spike_time": _variable(
                ("spike",), np.asarray(spike_time, dtype=float), "ms", "time since the presentation began"
            ),
            "spike_neuron": _variable(("spike",), neurons, "1", "neuron that spiked"),
            "spike_presentation": _variable(
                ("spike",),
                _integers(spike_presentation, np.int32, "spike_presentation"),
                "1",
                "presentation of the spike",
            ),
        },
        {},
        {"n_neurons": int(n_neurons), "presentation_ms": float(presentation_ms)},
    )


def stdp_window(
    *, delta_t: ArrayLike, delta_w: ArrayLike, a_plus: float, a_minus: float, tau_p_ms: float
) -> xr.Dataset:
    """Change of weight measured for pairs of spikes, and the constants of the curve it should follow.

    Parameters
    ----------
    delta_t : (delta_t,)
        Postsynaptic less presynaptic spike time in milliseconds, increasing.
    delta_w : (delta_t,)
        Change of weight.
    """
    return _dataset(
        {"delta_w": _variable(("delta_t",), np.asarray(delta_w, dtype=float), "1", "change of weight")},
        {
            "delta_t": _variable(
                ("delta_t",),
                np.asarray(delta_t, dtype=float),
                "ms",
                "postsynaptic less presynaptic spike time",
            )
        },
        {"a_plus": float(a_plus), "a_minus": float(a_minus), "tau_p_ms": float(tau_p_ms)},
    )


def build(
    attributes: Mapping[str, Any],
    *,
    activity: Mapping[str, xr.Dataset] | None = None,
    weights: Mapping[str, xr.Dataset] | None = None,
    state: Mapping[str, xr.Dataset] | None = None,
    labelling: Mapping[str, xr.Dataset] | None = None,
    test: Mapping[str, xr.Dataset] | None = None,
    evaluation: xr.Dataset | None = None,
    raster: Mapping[str, xr.Dataset] | None = None,
    stdp_window: xr.Dataset | None = None,
) -> xr.DataTree:
    """Put the groups together, and hold the whole against the schema.

    Parameters
    ----------
    attributes
        From `root_attributes`.
    activity, labelling, test
        Population to `responses`.
    weights
        Projection to `weight_snapshots`.
    state
        Population to `state_snapshots`.
    raster
        Population to `raster`.
    evaluation, stdp_window
        From the functions of the same names.

    Raises
    ------
    SchemaError
        Naming the first thing that is not as the schema says.

    Examples
    --------
    >>> tree = build(
    ...     root_attributes(model="example", seed=0, samples_seen=10),
    ...     weights={INPUT_TO_EXCITATORY: weight_snapshots([[[0.5, 0.1]]], samples_seen=[10])},
    ... )
    >>> tree["weights/input_to_excitatory/w"].sizes
    Frozen({'samples_seen': 1, 'pre': 1, 'post': 2})
    """
    groups: dict[str, xr.Dataset] = {"/": xr.Dataset(attrs=dict(attributes))}
    for group, members in (
        (ACTIVITY, activity),
        (WEIGHTS, weights),
        (STATE, state),
        (LABELLING, labelling),
        (TEST, test),
        (RASTER, raster),
    ):
        for member, dataset in (members or {}).items():
            groups[f"/{group}/{member}"] = dataset
    for group, single in ((EVALUATION, evaluation), (STDP_WINDOW, stdp_window)):
        if single is not None:
            groups[f"/{group}"] = single
    tree = xr.DataTree.from_dict(groups)
    validate(tree)
    return tree


# --------------------------------------------------------------------------------------------- validating


def validate(tree: xr.DataTree) -> None:
    """Hold a tree against the schema.

    Raises
    ------
    SchemaError
        Naming the attribute, group or variable, what was expected, and what was found.
    """
    _validate_version(tree)
    for name, kind in ROOT_ATTRIBUTES.items():
        if name not in tree.attrs:
            raise SchemaError(f"The root attribute {name} is missing; expected {kind}.")
        _validate_attribute(name, tree.attrs[name], kind)
    for name in OPTIONAL_ATTRIBUTES:
        if name in tree.attrs:
            _validate_list(name, tree.attrs[name])
    for node in tree.subtree:
        _validate_names(node)
    for node in tree.subtree:
        group = node.path.strip("/")
        for variable_name, variable in node.to_dataset(inherit=False).variables.items():
            for attribute in ("units", "long_name"):
                if not isinstance(variable.attrs.get(attribute), str):
                    raise SchemaError(
                        f"{group}/{variable_name} has no attribute {attribute}; every variable needs it."
                    )
    for group in (*PER_POPULATION, *PER_PROJECTION):
        if group not in tree.children:
            continue
        if tree.children[group].data_vars:
            raise SchemaError(
                f"{group} holds variables itself; expected one group for each population or projection."
            )
        for member, node in tree.children[group].children.items():
            _validate_group(f"{group}/{member}", node.to_dataset(inherit=False), group)
    for group in SINGLE:
        if group in tree.children:
            _validate_group(group, tree.children[group].to_dataset(inherit=False), group)


def _validate_names(node: xr.DataTree) -> None:
    """Refuse names that would do something to a terminal, or lead to another folder: a file may come from anywhere."""
    dataset = node.to_dataset(inherit=False)
    names = [*node.path.split("/"), *dataset.variables, *dataset.sizes]
    for variable in dataset.variables.values():
        names += [variable.attrs.get(key, "") for key in ("units", "long_name")]
        names += list(variable.values.flat) if variable.dtype.kind in "OSU" else []
    for name in filter(None, names):
        if not isinstance(name, str) or not name.isprintable() or len(name) > _LONGEST_NAME or name in (".", ".."):
            raise SchemaError(
                f"{str(name)[:40]!r} cannot be a name; expected printable text of at most {_LONGEST_NAME} characters."
            )


def _validate_version(tree: xr.DataTree) -> None:
    version = tree.attrs.get("schema_version")
    if version is None:
        raise SchemaError("The root attribute schema_version is missing: this is not a result file.")
    if int(version) != SCHEMA_VERSION:
        raise SchemaError(
            f"schema_version is {int(version)}; this version reads {SCHEMA_VERSION}. Open the file with the "
            "version of the project that wrote it (attribute git_commit), or run again."
        )


def _validate_attribute(name: str, value: Any, kind: str) -> None:
    if kind in (_TEXT, _JSON):
        right = isinstance(value, str) and (kind == _JSON or name in _FREE_TEXT or value.isprintable())
        if right and kind == _JSON:
            try:
                right = isinstance(json.loads(value), dict)
            except json.JSONDecodeError:
                right = False
    elif kind == _FLAG:
        right = isinstance(value, int | np.integer) and not isinstance(value, bool) and value in (0, 1)
    elif kind == _INTEGER:
        right = isinstance(value, int | np.integer) and not isinstance(value, bool)
    else:
        right = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not right:
        raise SchemaError(f"The root attribute {name} is {value!r}; expected {kind}. Use root_attributes().")


def _validate_list(name: str, value: Any) -> None:
    wanted = str if name == "class_names" else int
    try:
        found = json.loads(value)
    except (TypeError, json.JSONDecodeError):
        found = None
    right = isinstance(found, list) and all(isinstance(one, wanted) for one in found)
    if not right or (name == "image_shape" and len(found) not in (0, 2)):
        raise SchemaError(f"The root attribute {name} is {value!r}; expected a JSON list. Use root_attributes().")


def _validate_group(path: str, dataset: xr.Dataset, group: str) -> None:
    for name, (dimensions, kinds, required) in _VARIABLES[group].items():
        if name not in dataset.variables:
            if required:
                raise SchemaError(f"{path} has no variable {name}; expected {name}({', '.join(dimensions)}).")
            continue
        variable = dataset[name]
        if variable.dims != dimensions:
            raise SchemaError(
                f"{path}/{name} has dimensions ({', '.join(map(str, variable.dims))}); "
                f"expected ({', '.join(dimensions)})."
            )
        if variable.dtype.kind not in kinds:
            wanted = {
                "u": "unsigned integers",
                "i": "signed integers",
                "f": "floating point",
                "iu": "integers",
            }
            raise SchemaError(f"{path}/{name} is {variable.dtype}; expected {wanted[kinds]}.")
        if name in _INCREASING and np.any(np.diff(variable.values) <= 0):
            raise SchemaError(f"{path}/{name} does not increase.")
    if group == EVALUATION and "readout" not in dataset.coords and "readout" in dataset.sizes:
        raise SchemaError(f"{path}/readout has no names; expected strings such as {MOST_ACTIVE!r}.")
    wanted_attributes = {
        RASTER: ("n_neurons", "presentation_ms"),
        STDP_WINDOW: ("a_plus", "a_minus", "tau_p_ms"),
    }.get(group, ())
    for attribute in wanted_attributes:
        if attribute not in dataset.attrs:
            raise SchemaError(f"{path} has no attribute {attribute}; expected a number.")


# ------------------------------------------------------------------------------------- writing and opening


def write(tree: xr.DataTree, path: str | os.PathLike[str]) -> Path:
    """Write a tree whole: to a temporary name beside `path`, then renamed over it.

    Whoever has the old file open keeps reading the old file; whoever opens it finds either the old or the new
    one, never a part. Large variables are compressed.

    Parameters
    ----------
    path
        A file, or a run folder, in which the file is called ``results.nc``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SchemaError
        If the tree is not as the schema says; nothing is written.
    FileNotWritten
        If the disk is full or the folder cannot be written; the old file, if any, is as it was.
    """
    validate(tree)
    file = file_of(path)
    # HDF5 ends the process when a disk is full; it writes into memory, and what it wrote is written to the disk.
    whole_files.write(file, [tree.to_netcdf(engine="h5netcdf", encoding=_encoding(tree))])
    return file


def file_of(path: str | os.PathLike[str]) -> Path:
    """The result file of a run folder; a path that ends in ``.nc`` is taken as the file itself."""
    path = Path(path)
    return path if path.suffix == ".nc" else path / FILE_NAME


def folder_of(path: str | os.PathLike[str]) -> Path:
    """The run folder of a result file; a folder is taken as it is."""
    return file_of(path).parent


def open_run(path: str | os.PathLike[str]) -> xr.DataTree:
    """Open a run folder or a result file.

    Arrays stay in the file until they are used. Close the tree when done, or use it in a ``with`` statement.

    Raises
    ------
    ResultFileError
        If there is no such file, or if it is truncated or not a result file.
    SchemaError
        If the file was written by another version of the schema, or lacks what the schema asks for.
    """
    file = file_of(path)
    if not file.is_file():
        where = f"the run folder {file.parent}" if file.parent.is_dir() else f"{file.parent} (no such folder)"
        raise ResultFileError(
            f"No {file.name} in {where}. Expected a run folder or a result file; a run writes it at its "
            "first checkpoint."
        )
    tree = _open(file)
    try:
        _validate_version(tree)
        validate(tree)
    except BaseException as error:
        tree.close()
        if isinstance(error, SchemaError):
            raise SchemaError(f"{file}: {error}") from None
        if isinstance(error, _DAMAGED):
            raise _unreadable(file, error) from error
        raise
    return tree


def refuse_other(folder: Path, begun: str) -> None:
    """Raise `ResultFileError` if a run's result file is that of another run, told by what it began with."""
    try:
        with open_run(folder) as tree:
            of = str(tree.attrs.get(RUN, begun))
    except (OSError, ValueError):
        return  # there is none, or it cannot be read: it is written again
    if of != begun:
        raise ResultFileError(
            f"{file_of(folder)}: is of another run than the folder that it lies in; move it elsewhere, and"
            f" `hebbarium resume {folder}` writes the run's own"
        )


def array(tree: xr.DataTree, path: str) -> np.ndarray[Any, Any]:
    """Values of one variable, such as ``array(tree, "evaluation/neuron_label")``."""
    group, name = path.rsplit("/", 1)
    node = tree[group]
    assert isinstance(node, xr.DataTree)
    return node.to_dataset()[name].to_numpy()


def neuron_label(tree: xr.DataTree) -> np.ndarray[Any, Any] | None:
    """Classes of the neurons of a run; None if its neurons have none."""
    evaluation = tree[EVALUATION].to_dataset()
    return evaluation["neuron_label"].to_numpy() if "neuron_label" in evaluation else None


def _open(file: Path) -> xr.DataTree:
    try:
        return xr.open_datatree(file, engine="h5netcdf", phony_dims="access")
    except _DAMAGED as error:
        raise _unreadable(file, error) from error


# what readers of netCDF raise for what is not as it should be
_DAMAGED = (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError, IndexError)


def _unreadable(file: Path, error: Exception) -> ResultFileError:
    return ResultFileError(
        f"{file} ({file.stat().st_size} bytes) cannot be read as netCDF-4: {error}. It is truncated or "
        f"not a result file; `hebbarium resume {file.parent}` writes it again, after training again what it is "
        "made of, as far as that is gone."
    )


def _encoding(tree: xr.DataTree) -> dict[str, dict[str, dict[str, Any]]]:
    encoding: dict[str, dict[str, dict[str, Any]]] = {}
    for node in tree.subtree:
        group: dict[str, dict[str, Any]] = {}
        for key, variable in node.to_dataset(inherit=False).variables.items():
            name = str(key)
            if variable.dtype.kind not in "iuf":
                continue
            # Every value written is a value meant: NaN needs no fill value beside it.
            group[name] = {"_FillValue": None}
            if variable.size >= _COMPRESS_FROM:
                chunks = list(variable.shape)
                for axis, dimension in enumerate(variable.dims):
                    if dimension == "samples_seen" and variable.ndim == 3:
                        chunks[axis] = 1
                    elif dimension == "post":
                        chunks[axis] = min(chunks[axis], _CHUNK_POSTSYNAPTIC)
                    elif dimension == "sample":
                        chunks[axis] = min(chunks[axis], _CHUNK_SAMPLES)
                group[name] |= {"zlib": True, "complevel": 4, "shuffle": True, "chunksizes": tuple(chunks)}
        if group:
            encoding[node.path] = group
    return encoding


# ------------------------------------------------------------------------------------------------- pieces


def _variable(dimensions: tuple[str, ...], values: ArrayLike, units: str, long_name: str) -> xr.Variable:
    array = np.asarray(values)
    if array.ndim != len(dimensions):
        raise SchemaError(f"{long_name}: shape {array.shape}; expected dimensions ({', '.join(dimensions)}).")
    return xr.Variable(dimensions, array, attrs={"units": units, "long_name": long_name})


def _samples_seen(values: ArrayLike) -> xr.Variable:
    return _variable(
        ("samples_seen",), _integers(values, np.int64, "samples_seen"), "1", "training samples seen so far"
    )


def _dataset(
    variables: Mapping[str, xr.Variable],
    coordinates: Mapping[str, xr.Variable],
    attributes: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    try:
        return xr.Dataset(variables, coords=coordinates, attrs=attributes)
    except ValueError as error:
        raise SchemaError(
            f"Lengths differ between {', '.join([*variables, *coordinates])}: {error}"
        ) from None


def _integers(values: ArrayLike, dtype: DTypeLike, name: str) -> np.ndarray[Any, Any]:
    """Values as `dtype`, refused where the conversion would change them."""
    array = np.asarray(values)
    if array.dtype == dtype:
        return array
    limits = np.iinfo(np.dtype(dtype))
    if array.size == 0:
        return array.astype(dtype)
    if array.dtype.kind not in "iuf" or not np.all(np.isfinite(array)) or np.any(array != np.floor(array)):
        raise SchemaError(f"{name} is {array.dtype} with values that are not whole numbers.")
    if array.min() < limits.min or array.max() > limits.max:
        raise SchemaError(
            f"{name} reaches from {array.min()} to {array.max()}; it is kept as {limits.dtype}, "
            f"{limits.min} to {limits.max}."
        )
    return array.astype(dtype)
