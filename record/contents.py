"""What a result file says, in Python's own types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from hebbarium.record.names import (
    ACTIVITY,
    EVALUATION,
    FLAG,
    JSON,
    LABELLING,
    NO_CLASS,
    OPTIONAL_ATTRIBUTES,
    ROOT_ATTRIBUTES,
    TEST,
)


def decoded(tree: xr.DataTree) -> dict[str, Any]:
    """Attributes of the root group with JSON as Python objects and flags as `bool`."""
    values: dict[str, Any] = {str(name): value for name, value in tree.attrs.items()}
    for name, kind in ROOT_ATTRIBUTES.items():
        if name in values and kind == JSON:
            values[name] = json.loads(values[name])
        elif name in values and kind == FLAG:
            values[name] = bool(values[name])
    return values | {name: json.loads(values[name]) for name in OPTIONAL_ATTRIBUTES if name in values}


def children(tree: xr.DataTree, group: str) -> Mapping[str, xr.DataTree]:
    """The groups within a group by name, such as its populations; none where there is no such group."""
    return tree[group].children if group in tree.children else {}


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
        for node in children(tree, group).values()
    ]
    return 1 + max((int(values.max(initial=NO_CLASS)) for values in labels), default=NO_CLASS)


def image_shape(tree: xr.DataTree) -> tuple[int, int] | None:
    """Rows and columns of an image; None if the file does not say."""
    shape = json.loads(tree.attrs.get("image_shape", "[]"))
    return (int(shape[0]), int(shape[1])) if shape else None


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
