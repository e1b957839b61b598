"""Values with units and long names, refused where keeping them would change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, DTypeLike

from hebbarium.record.names import SchemaError


def named_values(dimensions: tuple[str, ...], values: ArrayLike, units: str, long_name: str) -> xr.Variable:
    """An array with its dimensions, units and long name."""
    array = np.asarray(values)
    if array.ndim != len(dimensions):
        raise SchemaError(f"{long_name}: shape {array.shape}; expected dimensions ({', '.join(dimensions)}).")
    return xr.Variable(dimensions, array, attrs={"units": units, "long_name": long_name})


def samples_seen_axis(values: ArrayLike) -> xr.Variable:
    """The coordinate of whatever was measured several times during training."""
    return named_values(
        ("samples_seen",), whole_numbers(values, np.int64, "samples_seen"), "1", "training samples seen so far"
    )


def group_of(
    variables: Mapping[str, xr.Variable],
    coordinates: Mapping[str, xr.Variable],
    attributes: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """A group of variables; refused where lengths differ."""
    try:
        return xr.Dataset(variables, coords=coordinates, attrs=attributes)
    except ValueError as error:
        raise SchemaError(
            f"Lengths differ between {', '.join([*variables, *coordinates])}: {error}"
        ) from None


def whole_numbers(values: ArrayLike, dtype: DTypeLike, name: str) -> np.ndarray[Any, Any]:
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
