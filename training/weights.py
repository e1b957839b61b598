"""Weights of a user's own, which a run begins with, and those of a trained run, which are written for others.

===========  ======================================================================================================
``.npz``     an array for each projection, such as ``input_to_excitatory``, of shape (sources, targets)
``.csv``     one projection: a line for each source, a column for each target. Where a network has several, the file is
             named after its projection
``.nir``     ``Linear`` nodes, or ``Affine`` ones without a bias, named after the projections; or as many as there are,
             one behind the other. NIR's weights are (targets, sources)
===========  ======================================================================================================

`hebbarium describe` shows the projections. Those that a file does not hold are drawn as usual. Reading never runs code.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.anatomy import Projection
from hebbarium.engine.contract import Arrays
from hebbarium.files import plain_files, whole_files
from hebbarium.models import network_files
from hebbarium.models.contract import Model

__all__ = ["ENDINGS", "limits", "read", "write"]

ENDINGS = (".npz", ".csv", ".nir")
_OVERHEAD = 2**20
"""Bytes of a file beyond its numbers."""
_DIGITS = 40
"""Bytes of a number as text, at most."""

Weights = dict[str, NDArray[np.float64]]
"""By projection: ``(sources, targets)``."""


def read(file: Path, model: Model) -> Arrays:
    """State that a file gives a network: weights by their variable, one after the other.

    Raises
    ------
    ValueError
        The file is missing, damaged or of another kind; or it holds a projection that the network does not have, or
        weights of another shape, that are no finite numbers, or that the network could not have learned.
    """
    projections = {p.name: p for p in anatomy.projections(model)}
    if not projections:
        raise ValueError(f"--weights-from {file}: {model.name} has no projections, whose weights could be given")
    if file.suffix not in ENDINGS:
        raise ValueError(f"--weights-from {file}: expected a file that ends in {', '.join(ENDINGS)}")
    weights = sum(p.shape[0] * p.shape[1] for p in projections.values())
    try:
        size = file.stat().st_size
        if size > _OVERHEAD + _DIGITS * weights:
            raise ValueError(
                f"--weights-from {file}: has {size:,} bytes, too many for the {weights:,} weights of {model.name}"
            )
        content = plain_files.read(file)
    except OSError as error:
        raise ValueError(f"--weights-from {file}: cannot be read ({error.strerror})") from error
    given = {".npz": _of_npz, ".csv": _of_csv, ".nir": _of_nir}[file.suffix](file, content, projections)
    if not given:
        raise ValueError(f"--weights-from {file}: holds no weights; expected {_names(projections)}")
    for name, w in given.items():
        if name not in projections:
            raise ValueError(
                f"--weights-from {file}: holds '{name}', which is no projection of {model.name}; expected"
                f" {_names(projections)}"
            )
        _refuse(file, projections[name], w, model)
    return {projections[name].variable: w.ravel() for name, w in given.items()}


def limits(projection: Projection, model: Model) -> tuple[float, float]:
    """Between what the weights of a projection can be, as far as the model's parameters say.

    The bounds of its rule, ``w_min`` and ``w_max`` (``w_max_class`` above the input) or ``w_most`` of either sign. A
    weight that is scaled may be larger: at most the norm that it is scaled to, ``w_t``, or ``beta*w_max`` a source.
    """
    values, above = model.run_time_values(), not projection.name.startswith("input_to_")
    if "w_most" in values:
        return -values["w_most"], values["w_most"]
    most = values.get("w_max_class" if above and "w_max_class" in values else "w_max")
    if most is None or "w_min" not in values:
        return -np.inf, np.inf
    beta = values.get("beta_class" if above and "beta_class" in values else "beta", 0.0)
    return values["w_min"], max(most, values.get("w_t", most), beta * most * projection.shape[0])


def write(state: Mapping[str, NDArray[Any]], model: Model, file: Path, projection: str = "") -> tuple[str, ...]:
    """Write the weights of a network; returns the names of the projections that were written.

    Parameters
    ----------
    state : mapping
        As training left it.
    file : Path
        Its ending says in which form.
    projection : str
        Of which; all if not given, of which a CSV file has room for one.

    Raises
    ------
    ValueError
        The name ends otherwise; there is no such projection, or there are several for a CSV file.
    FileNotWritten
        The disk is full, or the folder cannot be written; what was there is left.
    """
    projections = {p.name: p for p in anatomy.projections(model)}
    if file.suffix not in ENDINGS:
        raise ValueError(f"{file}: expected a name that ends in {', '.join(ENDINGS)}")
    if projection and projection not in projections:
        raise ValueError(f"--projection {projection}: {model.name} has none; expected {_names(projections)}")
    chosen = [projection] if projection else list(projections)
    if file.suffix == ".csv" and len(chosen) != 1:
        raise ValueError(f"{file}: a CSV file holds one projection; name it by --projection: {_names(projections)}")
    arrays = {name: np.asarray(state[projections[name].variable]).reshape(projections[name].shape) for name in chosen}
    if file.suffix == ".nir":
        network_files.write_linear(file, arrays)
        return tuple(arrays)
    content = io.BytesIO()
    if file.suffix == ".npz":
        np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    else:
        (w,) = arrays.values()
        # as many digits as read back to the same number
        lines = [",".join(np.format_float_positional(x, unique=True, trim="0") for x in row) for row in w]
        content.write(("\n".join(lines) + "\n").encode())
    whole_files.write(file, [content.getbuffer()])
    return tuple(arrays)


# -- files -----------------------------------------------------------------------------------------------------
def _of_npz(file: Path, content: bytes, projections: Mapping[str, Projection]) -> Weights:
    given: Weights = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for entry in packed.infolist():  # nothing is unpacked that is larger than it can be
                name = entry.filename.removesuffix(".npy")
                rows, columns = projections[name].shape if name in projections else (0, 0)
                if name in projections and entry.file_size > 16 * rows * columns + _OVERHEAD:
                    raise ValueError(
                        f"'{name}' unpacks to {entry.file_size:,} bytes, expected {rows} x {columns} numbers"
                    )
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            for name in stored.files:
                given[name] = _numbers(stored[name] if name in projections else np.zeros((0, 0)), name)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ValueError(f"--weights-from {file}: is no NPZ file of plain arrays: {error}") from error
    return given


def _of_csv(file: Path, content: bytes, projections: Mapping[str, Projection]) -> Weights:
    name = next(iter(projections)) if len(projections) == 1 else file.stem
    if name not in projections:
        raise ValueError(
            f"--weights-from {file}: a CSV file holds one projection, and is named after it: {_names(projections)}"
        )
    try:
        return {name: np.loadtxt(io.StringIO(content.decode("utf-8-sig")), delimiter=",", ndmin=2)}
    except ValueError as error:
        raise ValueError(
            f"--weights-from {file}: expected a line of numbers for each source, with commas between them, and no head:"
            f" {error}"
        ) from error


def _of_nir(file: Path, content: bytes, projections: Mapping[str, Projection]) -> Weights:
    given = network_files.read_linear(file)
    if set(given) <= set(projections):
        return given
    if len(given) != len(projections):
        raise ValueError(
            f"--weights-from {file}: holds the layers {', '.join(given)}; expected {_names(projections)}, or as many"
            " without a name"
        )
    return dict(zip(projections, given.values(), strict=True))


def _numbers(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    if array.dtype.kind not in "fiu":
        raise ValueError(f"'{name}' has type {array.dtype}, expected numbers")
    return array.astype(np.float64)


# -- what is refused -------------------------------------------------------------------------------------------
def _refuse(file: Path, projection: Projection, w: NDArray[np.float64], model: Model) -> None:
    name, shape = projection.name, projection.shape
    if w.shape != shape:
        turned = ": it is (targets, sources), turn it round" if w.shape == shape[::-1] != shape else ""
        raise ValueError(
            f"--weights-from {file}: '{name}' has shape {w.shape}, expected {shape}, a row for each source{turned}"
        )
    if not np.isfinite(w).all():
        row, column = np.argwhere(~np.isfinite(w))[0]
        raise ValueError(f"--weights-from {file}: '{name}' is {w[row, column]} at ({row}, {column}), expected numbers")
    least, most = limits(projection, model)
    slack = 1e-6 * abs(most) if np.isfinite(most) else 0.0  # of single precision
    beyond = np.argwhere((w < least - slack) | (w > most + slack))
    if len(beyond):
        row, column = beyond[0]
        raise ValueError(
            f"--weights-from {file}: {len(beyond):,} weights of '{name}' are beyond {least:g} to {most:g}, which"
            f" {model.name} can learn, the first at ({row}, {column}), {w[row, column]:g}; scale them"
        )


def _names(projections: Mapping[str, Projection]) -> str:
    return ", ".join(f"{p.name} {p.shape[0]} x {p.shape[1]}" for p in projections.values())
