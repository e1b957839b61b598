"""A result file is held against the schema; what differs is named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from hebbarium.record.names import (
    EVALUATION,
    FLAG,
    INTEGER,
    JSON,
    MOST_ACTIVE,
    OPTIONAL_ATTRIBUTES,
    PER_POPULATION,
    PER_PROJECTION,
    RASTER,
    ROOT_ATTRIBUTES,
    SCHEMA_VERSION,
    SINGLE,
    STDP_WINDOW,
    TEXT,
    VARIABLES,
    SchemaError,
)

_FREE_TEXT = ("paper", "command")  # nothing prints them
_LONGEST_NAME = 200
_INCREASING = ("samples_seen", "samples_seen_block", "delta_t")


def validate(tree: xr.DataTree) -> None:
    """Hold a tree against the schema.

    Raises
    ------
    SchemaError
        Naming the attribute, group or variable, what was expected, and what was found.
    """
    require_version(tree)
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


def require_version(tree: xr.DataTree) -> None:
    """Raise `SchemaError` unless a tree is of this version of the schema."""
    version = tree.attrs.get("schema_version")
    if version is None:
        raise SchemaError("The root attribute schema_version is missing: this is not a result file.")
    if int(version) != SCHEMA_VERSION:
        raise SchemaError(
            f"schema_version is {int(version)}; this version reads {SCHEMA_VERSION}. Open the file with the "
            "version of the project that wrote it (attribute git_commit), or run again."
        )


def _validate_attribute(name: str, value: Any, kind: str) -> None:
    if kind in (TEXT, JSON):
        right = isinstance(value, str) and (kind == JSON or name in _FREE_TEXT or value.isprintable())
        if right and kind == JSON:
            try:
                right = isinstance(json.loads(value), dict)
            except json.JSONDecodeError:
                right = False
    elif kind == FLAG:
        right = isinstance(value, int | np.integer) and not isinstance(value, bool) and value in (0, 1)
    elif kind == INTEGER:
        right = isinstance(value, int | np.integer) and not isinstance(value, bool)
    else:
        right = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not right:
        raise SchemaError(f"The root attribute {name} is {value!r}; expected {kind}. Use root_attributes().")


def _validate_list(name: str, value: Any) -> None:
    wanted = str if name == "class_names" else int
    try:
        entries = json.loads(value)
    except (TypeError, json.JSONDecodeError):
        entries = None
    right = isinstance(entries, list) and all(isinstance(one, wanted) for one in entries)
    if not right or (name == "image_shape" and len(entries) not in (0, 2)):
        raise SchemaError(f"The root attribute {name} is {value!r}; expected a JSON list. Use root_attributes().")


def _validate_group(path: str, dataset: xr.Dataset, group: str) -> None:
    for name, (dimensions, kinds, required) in VARIABLES[group].items():
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
