"""The result file on the disk: written whole, opened only if it is one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import xarray as xr

from hebbarium.files import whole_files
from hebbarium.record.names import FILE_NAME, RUN, ResultFileError, SchemaError
from hebbarium.record.validation import require_version, validate

# Below this many values the cost of a compressed chunk is more than what it saves.
_COMPRESS_FROM = 4096
# Columns of w kept in one chunk: the fields of a few neurons are read without the rest of a large network.
_CHUNK_POSTSYNAPTIC = 256
_CHUNK_SAMPLES = 1024
# what readers of netCDF raise for what is not as it should be
_DAMAGED = (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError, IndexError)


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
        require_version(tree)
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


def _open(file: Path) -> xr.DataTree:
    try:
        return xr.open_datatree(file, engine="h5netcdf", phony_dims="access")
    except _DAMAGED as error:
        raise _unreadable(file, error) from error


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
