"""The groups of a result file, made from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hebbarium.record.names import FIXED, NO_CLASS, SchemaError
from hebbarium.record.values import group_of, named_values, samples_seen_axis, whole_numbers


def responses(
    spike_count: ArrayLike,
    *,
    label: ArrayLike,
    image: ArrayLike | None = None,
    block: ArrayLike | None = None,
    presentations: ArrayLike | None = None,
    presentation_ms: float | None = None,
    read: Mapping[str, tuple[ArrayLike, str, str]] | None = None,
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
    read : mapping, optional
        What else was read, by name: ``(values, units, long_name)``, the values with dimensions (sample, neuron), such
        as ``first_spike_time``, NaN for none.

    Returns
    -------
    xarray.Dataset
        With attributes that say how many neurons never fired, and how many samples made none fire.

    Raises
    ------
    SchemaError
        If a count is negative, not whole or too large for 16 bits, or if lengths differ.
    """
    counts = whole_numbers(spike_count, np.uint16, "spike_count")
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
            coordinates[name] = named_values(("sample",), whole_numbers(values, dtype, name), "1", long_name)
            if coordinates[name].shape != counts.shape[:1]:
                raise SchemaError(
                    f"{name} has {coordinates[name].size} entries for {len(counts)} samples of spike_count."
                )
    variables = {"spike_count": named_values(("sample", "neuron"), counts, "1", "spikes in one presentation")}
    for name, (values, units, long_name) in (read or {}).items():
        variables[name] = named_values(("sample", "neuron"), values, units, long_name)
        if variables[name].shape != counts.shape:
            raise SchemaError(f"{name} has the shape {variables[name].shape}, and spike_count {counts.shape}.")
    attributes: dict[str, float | int] = {
        "silent_neurons": int(np.count_nonzero(~counts.any(axis=0))),
        "silent_samples": int(np.count_nonzero(~counts.any(axis=1))),
    }
    if presentation_ms is not None:
        attributes["presentation_ms"] = float(presentation_ms)
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def weight_snapshots(
    w: ArrayLike, *, samples_seen: ArrayLike, units: str = "1", long_name: str = "synaptic weight", fixed: bool = False
) -> xr.Dataset:
    """Snapshots of a projection, ``w(samples_seen, pre, post)``, kept in single precision.

    The group of one that nothing changes while the network learns has the attribute ``fixed``.
    """
    values = np.asarray(w, dtype=np.float32)
    group = group_of(
        {"w": named_values(("samples_seen", "pre", "post"), values, units, long_name)},
        {"samples_seen": samples_seen_axis(samples_seen)},
    )
    return group.assign_attrs({FIXED: 1}) if fixed else group


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
    return group_of(
        {
            name: named_values(("samples_seen", "neuron"), np.asarray(values), units, long_name)
            for name, (values, units, long_name) in variables.items()
        },
        {"samples_seen": samples_seen_axis(samples_seen)},
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
        coordinates["readout"] = named_values(("readout",), np.asarray(readout, dtype=str), "1", "readout")
    if samples_seen is not None:
        coordinates["samples_seen"] = samples_seen_axis(samples_seen)
    if accuracy is not None:
        if seed is None or samples_seen is None or not len(readout):
            raise SchemaError("evaluation: accuracy needs seed, samples_seen and readout beside it.")
        coordinates["seed"] = named_values(("seed",), np.array([seed], dtype=np.int64), "1", "seed of the run")
        variables["accuracy"] = named_values(
            ("seed", "samples_seen", "readout"),
            np.asarray(accuracy, dtype=float)[None],
            "%",
            "test samples classified correctly",
        )
    if confusion is not None:
        table = whole_numbers(confusion, np.int64, "confusion")
        if table.ndim != 3 or table.shape[2] != table.shape[1] + 1:
            raise SchemaError(
                f"confusion has shape {table.shape}; expected (readout, classes, classes + 1), the last "
                "column for samples without an answer."
            )
        classes = np.arange(table.shape[1], dtype=np.int16)
        coordinates["true_class"] = named_values(("true_class",), classes, "1", "true class")
        coordinates["predicted_class"] = named_values(
            ("predicted_class",),
            np.append(classes, np.int16(NO_CLASS)),
            "1",
            "predicted class, -1: no answer",
        )
        variables["confusion"] = named_values(
            ("readout", "true_class", "predicted_class"), table, "1", "number of test samples"
        )
    if predicted is not None:
        variables["predicted"] = named_values(
            ("readout", "sample"),
            whole_numbers(predicted, np.int16, "predicted"),
            "1",
            "predicted class, -1: no answer",
        )
    if neuron_label is not None:
        variables["neuron_label"] = named_values(
            ("neuron",),
            whole_numbers(neuron_label, np.int16, "neuron_label"),
            "1",
            "class assigned to the neuron, -1: never fired",
        )
    if running_accuracy is not None:
        if samples_seen_block is None:
            raise SchemaError("evaluation: running_accuracy needs samples_seen_block beside it.")
        coordinates["samples_seen_block"] = named_values(
            ("samples_seen_block",),
            whole_numbers(samples_seen_block, np.int64, "samples_seen_block"),
            "1",
            "samples seen by the end of the block",
        )
        variables["running_accuracy"] = named_values(
            ("samples_seen_block",),
            np.asarray(running_accuracy, dtype=float),
            "%",
            "training samples of the block classified correctly, labels from earlier blocks only",
        )
    dataset = group_of(variables, coordinates)
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
    step_ms: float | None = None,
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
    step_ms : float, optional
        The time step, of which spike times are multiples.
    """
    neurons = whole_numbers(spike_neuron, np.int32, "spike_neuron")
    if neurons.size and (neurons.min() < 0 or neurons.max() >= n_neurons):
        raise SchemaError(
            f"spike_neuron holds {neurons.min()} to {neurons.max()}; expected 0 to {n_neurons - 1}."
        )
    return group_of(
        {
            "spike_time": named_values(
                ("spike",), np.asarray(spike_time, dtype=float), "ms", "time since the presentation began"
            ),
            "spike_neuron": named_values(("spike",), neurons, "1", "neuron that spiked"),
            "spike_presentation": named_values(
                ("spike",),
                whole_numbers(spike_presentation, np.int32, "spike_presentation"),
                "1",
                "presentation of the spike",
            ),
        },
        {},
        {"n_neurons": int(n_neurons), "presentation_ms": float(presentation_ms)}
        | ({} if step_ms is None else {"step_ms": float(step_ms)}),
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
    return group_of(
        {"delta_w": named_values(("delta_t",), np.asarray(delta_w, dtype=float), "1", "change of weight")},
        {
            "delta_t": named_values(
                ("delta_t",),
                np.asarray(delta_t, dtype=float),
                "ms",
                "postsynaptic less presynaptic spike time",
            )
        },
        {"a_plus": float(a_plus), "a_minus": float(a_minus), "tau_p_ms": float(tau_p_ms)},
    )


def traces(
    *,
    time: ArrayLike,
    stimulus: Sequence[str],
    given: tuple[ArrayLike, str, str],
    level: ArrayLike,
    variables: Mapping[str, tuple[ArrayLike, str, str]],
) -> xr.Dataset:
    """The course of neurons' variables, each neuron with its stimulus, kept in single precision.

    Parameters
    ----------
    time : (time,)
        Milliseconds from the beginning.
    stimulus
        What each is called.
    given
        What each neuron is given: ``(values, units, long_name)``, the values with dimensions (stimulus, time).
    level : (stimulus,)
        The one level of each stimulus, in the same units; NaN if it has none.
    variables
        By name: ``(values, units, long_name)``, with the same dimensions.
    """
    dimensions = ("stimulus", "time")
    kept = {"given": given, **variables}
    return group_of(
        {
            name: named_values(dimensions, np.asarray(values, dtype=np.float32), units, long_name)
            for name, (values, units, long_name) in kept.items()
        },
        {
            "time": named_values(("time",), np.asarray(time, dtype=float), "ms", "time since the beginning"),
            "stimulus": named_values(("stimulus",), np.asarray(stimulus, dtype=str), "1", "stimulus as it is typed"),
            "level": named_values(("stimulus",), np.asarray(level, dtype=float), given[1], "the stimulus' one level"),
        },
    )


def recording(
    value: ArrayLike,
    *,
    variable: str,
    unit: str,
    axes: Mapping[str, ArrayLike],
    time_ms: ArrayLike,
    sample: ArrayLike | None,
    image: ArrayLike | None,
    label: ArrayLike | None,
    asked: str,
    phase: str,
) -> xr.Dataset:
    """The course of one variable of chosen neurons or synapses in some presentations.

    Parameters
    ----------
    value : (presentation, time, ...)
        At the end of each step.
    variable
        ``group.variable``.
    axes
        Numbers of the neurons or synapses by dimension: ``element``, or ``pre`` and ``post``.
    time_ms : (time,)
        When each step begins, from the beginning of its presentation.
    sample, image, label : (presentation,), optional
        Number of the sample in the order shown, index of the image in its data set, and its class.
    asked
        The recording as it was asked for.
    phase
        In which the samples were shown.
    """
    meanings = {"element": "number of the neuron or synapse", "pre": "source", "post": "target"}
    time = named_values(("time",), np.asarray(time_ms, float), "ms", "time since the presentation began")
    coordinates = {"time": time}
    for name, numbers in axes.items():
        coordinates[name] = named_values((name,), whole_numbers(numbers, np.int64, name), "1", meanings[name])
    for name, values, meaning in (
        ("sample", sample, "number of the sample in the order shown"),
        ("image", image, "index of the image in its data set"),
        ("label", label, "class of the image"),
    ):
        if values is not None:
            coordinates[name] = named_values(("presentation",), whole_numbers(values, np.int64, name), "1", meaning)
    return group_of(
        {"value": named_values(("presentation", "time", *axes), np.asarray(value, float), unit, variable)},
        coordinates,
        {"asked": asked, "phase": phase},
    )


def measures(rows: Sequence[tuple[str, float, str, str]]) -> xr.Dataset:
    """What an experiment has measured: ``(measure, value, units, setting)`` each."""
    names, values, units, settings = zip(*rows, strict=True) if rows else ((), (), (), ())

    def texts(entries: Sequence[str], long_name: str) -> xr.Variable:
        return named_values(("measure",), np.asarray(entries, dtype=str), "1", long_name)

    return group_of(
        {"value": named_values(("measure",), np.asarray(values, dtype=float), "1", "value, in its own unit")},
        {
            "measure": texts(names, "what was measured"),
            "unit": texts(units, "unit of the value; empty for a pure number"),
            "setting": texts(settings, "what it was measured of"),
        },
    )
