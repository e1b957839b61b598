"""The whole tree of a result file: where its numbers come from, and its groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from hebbarium.files.errors import in_one_line
from hebbarium.record.names import (
    ACTIVITY,
    EVALUATION,
    LABELLING,
    MEASURES,
    RASTER,
    RUN,
    SCHEMA_VERSION,
    STATE,
    STDP_WINDOW,
    TEST,
    TRACE,
    WEIGHTS,
)
from hebbarium.record.validation import validate


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
    trace: Mapping[str, xr.Dataset] | None = None,
    measures: xr.Dataset | None = None,
    more: Mapping[str, xr.Dataset] | None = None,
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
    trace
        Population to `traces`.
    evaluation, stdp_window, measures
        From the functions of the same names.
    more
        Groups of a model's own, by their names.

    Raises
    ------
    SchemaError
        Naming the first thing that is not as the schema says.

    Examples
    --------
    >>> from hebbarium.record.groups import weight_snapshots
    >>> w = weight_snapshots([[[0.5, 0.1]]], samples_seen=[10])
    >>> attributes = root_attributes(model="example", seed=0, samples_seen=10)
    >>> tree = build(attributes, weights={"input_to_excitatory": w})
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
        (TRACE, trace),
    ):
        for member, dataset in (members or {}).items():
            groups[f"/{group}/{member}"] = dataset
    for group, single in ((EVALUATION, evaluation), (STDP_WINDOW, stdp_window), (MEASURES, measures)):
        if single is not None:
            groups[f"/{group}"] = single
    groups |= {f"/{group}": dataset for group, dataset in (more or {}).items()}
    tree = xr.DataTree.from_dict(groups)
    validate(tree)
    return tree
