"""All figures of a run, into its folder."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis import receptive_fields
from hebbarium.analysis.figures import style
from hebbarium.analysis.figures.answer_times import answer_times, has_times
from hebbarium.analysis.figures.confusion_matrix import confusion_matrix
from hebbarium.analysis.figures.distributions import distributions
from hebbarium.analysis.figures.learning_curve import learning_curve
from hebbarium.analysis.figures.neurons import courses, f_i_curve, has_levels, phase_plane
from hebbarium.analysis.figures.raster_plot import raster_plot
from hebbarium.analysis.figures.receptive_field_grid import receptive_field_grid
from hebbarium.analysis.figures.recordings import recordings
from hebbarium.analysis.figures.responding_neurons import responding_neurons
from hebbarium.analysis.figures.stdp_window import stdp_window
from hebbarium.analysis.figures.weight_time_lapse import weight_time_lapse
from hebbarium.files import whole_files
from hebbarium.record import results

_THETA = f"{results.STATE}/{results.EXCITATORY}/theta"
_TRAINING = f"{results.ACTIVITY}/{results.EXCITATORY}/spike_count"
_TEST = f"{results.TEST}/{results.EXCITATORY}/spike_count"
_V = f"{results.TRACE}/neuron/v"
_W = f"{results.WEIGHTS}/{{projection}}/w"  # of the projection from the input

# name of the file -> (how it is drawn, variables of which it needs one; none where `_WHERE` says it all)
_FIGURES: dict[str, tuple[Callable[[xr.DataTree], Figure], tuple[str, ...]]] = {
    "receptive_fields": (receptive_field_grid, (_W,)),
    "weight_time_lapse": (weight_time_lapse, (_W,)),
    "learning_curve": (
        learning_curve,
        (f"{results.EVALUATION}/running_accuracy", f"{results.EVALUATION}/accuracy"),
    ),
    "answer_times": (answer_times, (f"{results.EVALUATION}/accuracy",)),
    "confusion_matrix": (confusion_matrix, (f"{results.EVALUATION}/confusion",)),
    "distributions": (distributions, (_THETA, _TRAINING, _TEST, _W)),
    "responding_neurons": (responding_neurons, (_TEST,)),
    "raster": (raster_plot, tuple(f"{results.RASTER}/{name}/spike_time" for name in ("input", "excitatory"))),
    "stdp_window": (stdp_window, (f"{results.STDP_WINDOW}/delta_w",)),
    "courses": (courses, (_V,)),
    "f_i_curve": (f_i_curve, (_V,)),
    "phase_plane": (phase_plane, ("phase_plane/dv",)),
    "recordings": (recordings, ()),
}

# name of the file -> whether a run has something to show there
_WHERE: dict[str, Callable[[xr.DataTree], bool]] = {
    "learning_curve": lambda tree: bool(tree.attrs.get("samples_seen", 1)),
    "answer_times": has_times,
    "f_i_curve": has_levels,
    "recordings": lambda tree: results.RECORDED in tree.children,
}


def save_all(run: str | os.PathLike[str], formats: Sequence[str] = ("png",)) -> list[Path]:
    """Draw every figure that a run's file has the numbers for, into ``figures/`` of its folder.

    Parameters
    ----------
    run
        A run folder or its result file.
    formats
        Any of ``png``, ``pdf`` and ``svg``.

    Returns
    -------
    list of Path
        The files, in the order of `_FIGURES`, receptive fields first.
    """
    folder = folder_of(run)
    paths = []
    with results.open_run(run) as tree:
        for name, draw in drawable(tree).items():
            figure = draw(tree)
            paths += [save(figure, folder / f"{name}.{kind}") for kind in formats]
    return paths


def drawable(tree: xr.DataTree) -> dict[str, Callable[[xr.DataTree], Figure]]:
    """How each figure is drawn that a run has the numbers for, by name, receptive fields first."""
    projection = receptive_fields.from_input(tree)
    drawn = {}
    for name, (draw, needs) in _FIGURES.items():
        pictured = draw in (receptive_field_grid, weight_time_lapse)
        holds_any = not needs or any(_holds(tree, path.format(projection=projection)) for path in needs)
        if not (holds_any and _WHERE.get(name, lambda _: True)(tree)):
            continue
        if not pictured or receptive_fields.shape_of(tree):
            drawn[name] = draw
    return drawn


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Save one figure in this style's resolution; the ending says in which format, PNG without one.

    Raises
    ------
    FileNotWritten
        The disk is full, or the folder cannot be written; what was there is left.
    """
    path = Path(path)
    if not path.suffix:
        path = path.with_name(f"{path.name}.png")
    whole_files.write(path, [content(figure, path.suffix.removeprefix("."))])
    return path


def content(figure: Figure, kind: str = "png") -> bytes:
    """One figure as a file of some format holds it, in this style's resolution."""
    written = io.BytesIO()
    with style.saving():
        # without the time of day, the same numbers give the same file
        figure.savefig(written, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return written.getvalue()


def folder_of(run: str | os.PathLike[str]) -> Path:
    """The folder ``figures/`` of a run, made if need be.

    Raises
    ------
    ResultFileError
        It is a link: figures would be drawn over files of somewhere else.
    """
    folder = results.folder_of(run) / results.FIGURES
    if folder.is_symlink():
        raise results.ResultFileError(f"{folder}: is a link, expected a folder of the run's own; remove it")
    folder.mkdir(exist_ok=True)
    return folder


def _holds(tree: xr.DataTree, path: str) -> bool:
    group, _, name = path.rpartition("/")
    return f"/{group}" in tree.groups and name in tree[group].to_dataset().variables
