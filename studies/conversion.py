"""A run in the files of other tools: which formats there are, and what each of them holds.

Recordings and tables are read off the result file. NIR holds a trained network, and is written of a run's last
checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import xarray as xr

from hebbarium.analysis.exchange import neo_files, nwb_files, sonata_files, tables
from hebbarium.files import new_outputs
from hebbarium.models import network_files
from hebbarium.record import results
from hebbarium.training.responses import frozen_state
from hebbarium.training.run import Run

__all__ = ["FORMATS", "Format", "convert"]

FOLDER = "exchange"
"""Folder in a run's, in which converted files lie unless another place is asked for."""


@dataclass(frozen=True)
class Format:
    """A format that runs are converted to.

    Parameters
    ----------
    holds : str
        What of a run it holds.
    suffix : str
        Of its file; empty for a folder of files.
    write : callable
        Writes what a run folder or result file (the first path) holds to the second path, where nothing is yet.
    """

    holds: str
    suffix: str
    write: Callable[[Path, Path], None]


def _of_results(write: Callable[[xr.DataTree, Path], None]) -> Callable[[Path, Path], None]:
    """A writer of what stands in the result file alone."""

    def written(run: Path, out: Path) -> None:
        with results.open_run(run) as tree:
            write(tree, out)

    return written


def _nwb(run: Path, out: Path) -> None:
    written = datetime.fromtimestamp(results.file_of(run).stat().st_mtime, UTC)
    with results.open_run(run) as tree:
        nwb_files.write(tree, out, written)


def _nir(run: Path, out: Path) -> None:
    opened = Run.open(results.folder_of(run))
    model = opened.model
    layers = model.spiking_layers(frozen_state(model, "test", opened.state))
    with new_outputs.writing(out) as place:
        network_files.write_spiking(layers, place, model=model.name, paper=model.paper)


FORMATS: Mapping[str, Format] = {
    "neo": Format("recorded spikes and potentials, as a NIX file that Neo reads", ".nix", _of_results(neo_files.write)),
    "nwb": Format("recorded spikes and potentials, as Neurodata Without Borders", ".nwb", _nwb),
    "sonata": Format("recorded spikes and potentials, as HDF5 files of SONATA", "", _of_results(sonata_files.write)),
    "nir": Format("the trained network, as layers of integrate-and-fire neurons; not how it learns", ".nir", _nir),
    "csv": Format(
        "all of results.nc: weights, responses, spikes, accuracies, each a table", "", _of_results(tables.write_csv)
    ),
    "npz": Format("all of results.nc, as arrays of NumPy", ".npz", _of_results(tables.write_npz)),
}


def convert(run: Path, to: str, out: Path | None = None) -> Path:
    """Write a run in another format.

    Parameters
    ----------
    run : Path
        Run folder, or result file.
    to : str
        One of `FORMATS`.
    out : Path, optional
        New file or folder; in the run's folder ``exchange`` if not given.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ValueError
        There is no such format; or it cannot hold the run, and why.
    LibraryMissing
        A library that writes it is not installed.
    FileNotWritten
        Something is there already, or the place cannot be written.
    """
    if to not in FORMATS:
        raise ValueError(f"--to {to}: expected one of {', '.join(FORMATS)}")
    form = FORMATS[to]
    folder = results.folder_of(run)
    out = out or folder / FOLDER / f"{folder.resolve().name}{form.suffix or f'_{to}'}"
    form.write(run, out)
    return out
