"""A whole result file as tables: CSV, which any program reads, and NPZ, NumPy's arrays."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hebbarium.files import new_outputs, whole_files

__all__ = ["ATTRIBUTES", "CONTENTS", "write_csv", "write_npz"]

CONTENTS = "contents.csv"
ATTRIBUTES = "attributes.csv"
_TOGETHER = 2000
"""Rows that are turned into text at a time."""


def write_csv(tree: xr.DataTree, folder: Path) -> None:
    """Write every variable of a result file into a new folder of CSV files.

    Variables of a group that have one and the same dimension stand side by side in one file. Any other has a file of
    its own: what is counted by its last dimension is spread over the columns, and columns before these count the other
    dimensions. ``contents.csv`` says of each variable in which file it is, its dimensions, unit and meaning;
    ``attributes.csv`` has the attributes of the groups. Numbers read back to the same bits.

    Raises
    ------
    FileNotWritten
        Something is there already, or the place cannot be written.
    """
    with new_outputs.writing(folder) as place:
        place.mkdir()
        contents = []
        for path, variables in _groups(tree):
            for name, columns in _files(path, variables).items():
                dimensions = next(iter(columns.values())).dims
                text = _spread(columns, variables) if len(dimensions) > 1 else _side_by_side(columns)
                whole_files.write(place / name, (part.encode() for part in text), durable=False)
                contents += [
                    (path, key, name, " ".join(map(str, v.dims)), v.attrs.get("units", ""), v.attrs.get("long_name"))
                    for key, v in columns.items()
                ]
        whole_files.write_table(
            place / CONTENTS, ("group", "variable", "file", "dimensions", "unit", "meaning"), contents
        )
        whole_files.write_table(place / ATTRIBUTES, ("group", "attribute", "value"), _attributes(tree))


def write_npz(tree: xr.DataTree, path: Path) -> None:
    """Write every variable of a result file into a new NPZ file.

    Arrays are called by their groups, as ``weights/input_to_excitatory/w``. ``about`` is a JSON text: for each array
    its dimensions, unit and meaning, and under ``attributes`` the attributes of the groups. Nothing in it is pickled.

    Raises
    ------
    FileNotWritten
        Something is there already, or the place cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {}
    about: dict[str, Any] = {}
    for group, variables in _groups(tree):
        for name, variable in variables.items():
            key = f"{group}/{name}".lstrip("/")
            arrays[key] = _plain(variable)
            about[key] = {
                "dimensions": list(map(str, variable.dims)), "unit": variable.attrs.get("units", ""),
                "meaning": variable.attrs.get("long_name", ""),
            }  # fmt: skip
    told: dict[str, dict[str, str]] = {}
    for group, name, value in _attributes(tree):
        told.setdefault(group, {})[name] = value
    with new_outputs.writing(path) as place, place.open("wb") as stream:
        np.savez_compressed(stream, about=np.array(json.dumps({**about, "attributes": told})), **arrays)  # type: ignore[arg-type]


def _groups(tree: xr.DataTree) -> Iterator[tuple[str, Mapping[str, xr.DataArray]]]:
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        if dataset.variables:
            yield node.path.strip("/"), {str(name): dataset[name] for name in dataset.variables}


def _attributes(tree: xr.DataTree) -> list[tuple[str, str, str]]:
    return [(node.path, str(key), str(value)) for node in tree.subtree for key, value in node.attrs.items()]


def _plain(variable: xr.DataArray) -> NDArray[Any]:
    """Values without Python's objects, which an NPZ file could hold only pickled."""
    values = variable.to_numpy()
    return values.astype(str) if values.dtype.kind in "OT" else values


def _files(group: str, variables: Mapping[str, xr.DataArray]) -> dict[str, dict[str, xr.DataArray]]:
    """Variables of a group by the file that they stand in."""
    files: dict[str, dict[str, xr.DataArray]] = {}
    start = group.replace("/", "_") or "root"
    for name, variable in variables.items():
        if variable.ndim > 1:
            files[f"{start}_{name}.csv"] = {name: variable}
    for name, variable in variables.items():
        if variable.ndim <= 1:
            by = f"by_{variable.dims[0]}" if variable.dims else "values"
            files.setdefault(f"{start}_{by}.csv", {})[name] = variable
    return files


def _texts(values: NDArray[Any]) -> NDArray[np.str_]:
    """The shortest text of each value that reads back to it."""
    return values.astype(str)


def _side_by_side(columns: Mapping[str, xr.DataArray]) -> Iterator[str]:
    values = [np.atleast_1d(_texts(_plain(column))) for column in columns.values()]
    yield whole_files.table_text(columns, zip(*(column.tolist() for column in values), strict=True))


def _spread(columns: Mapping[str, xr.DataArray], group: Mapping[str, xr.DataArray]) -> Iterator[str]:
    """A variable of several dimensions, the last one over the columns."""
    ((_, variable),) = columns.items()
    labels = [_labels(str(name), size, group) for name, size in zip(variable.dims, variable.shape, strict=True)]
    yield whole_files.table_text([*map(str, variable.dims[:-1]), *labels[-1]], [])
    rows = variable.to_numpy().reshape(-1, variable.shape[-1])
    counted = itertools.product(*labels[:-1])
    for first in range(0, len(rows), _TOGETHER):
        texts = _texts(rows[first : first + _TOGETHER]).tolist()
        lines = whole_files.table_text([], ([*next(counted), *row] for row in texts))
        yield lines.partition("\n")[2]


def _labels(dimension: str, size: int, group: Mapping[str, xr.DataArray]) -> list[str]:
    """What counts a dimension: its coordinate, where there is one."""
    if dimension in group:
        return list(map(str, _texts(_plain(group[dimension]))))
    return list(map(str, range(size)))
