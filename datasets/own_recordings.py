"""A user's own spikes from recordings: Neo's files, in which a segment is a sample, and NWB, in which a trial is one.

==================  ==========================================================================================
``.nix``, ``.mat``  one block of Neo, as its ``NixIO`` and ``NeoMatlabIO`` write it. Each segment is a sample; its
                    annotation ``label`` is the class, and ``split``, if there is one, says ``train`` or ``test``.
                    Each spike train is an input neuron: the one of its annotation ``neuron``, from 0 on, or that of
                    its place in the segment. Times count from the earliest ``t_start`` of a segment's trains
``.nwb``            each row of ``trials`` is a sample, with columns ``label`` and, if you like, ``split``; each row
                    of ``units`` is an input neuron. A spike belongs to the trials in whose time it is, the end
                    excluded, and its time counts from the trial's beginning
==================  ==========================================================================================

Labels are text, or whole numbers from 0; without any, nothing can be trained, but samples be labelled. Nothing in these
files is run: pickles of Neo, which would be, are refused. Neo's other formats have no labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets.labelled_images import UNLABELLED, DatasetError, digit_names, listed
from hebbarium.datasets.own_images import classes_of
from hebbarium.datasets.own_spikes import MOST_NEURONS, Events, SpikeSet, of_samples
from hebbarium.datasets.own_tables import SPLIT, test_part
from hebbarium.files import libraries

LABEL, NEURON = "label", "neuron"
_NEO = {".nix": ("NixIO", {"mode": "ro"}), ".mat": ("NeoMatlabIO", {})}
"""Classes of Neo by the ending of a file, and what they are made with besides its name."""
_TRIALS, _UNITS = "intervals/trials", "units"
_SAME = 1e-3
"""Microseconds that binary fractions of seconds, far from zero, may be away from what was meant."""


# -- Neo -------------------------------------------------------------------------------------------------------
def read_neo(path: Path) -> SpikeSet:
    """Set of the segments of a file of Neo.

    Raises
    ------
    DatasetError
        It is missing, damaged or holds more or less than one block; a segment has no label while others have; or its
        trains cannot be told from each other.
    LibraryMissing
        Neo is not installed, or what it reads this format with.
    """
    segments = _block(path).segments
    if not segments:
        raise DatasetError(f"{path}: its block has no segments; expected one for each sample")
    names = [f"segment {k}" for k in range(len(segments))]
    numbered = [_numbered(path, name, segment) for name, segment in zip(names, segments, strict=True)]
    if len({len(segment.spiketrains) for segment in segments}) > 1 and not all(numbered):
        raise DatasetError(
            f"{path}: its segments hold {min(map(len, (one.spiketrains for one in segments)))} to"
            f" {max(map(len, (one.spiketrains for one in segments)))} spike trains, so that a train's place says no"
            f" neuron; give each train the annotation {NEURON}, from 0 on"
        )
    samples, neurons = [], 1
    for name, segment, of in zip(names, segments, numbered, strict=True):
        trains = [_microseconds(path, name, train) for train in segment.spiketrains]
        begins = min((begin for _, begin in trains), default=0.0)
        neuron = of or range(len(trains))
        neurons = max(neurons, 1 + max(neuron, default=0))
        samples.append(_sample(path, name, [time - begins for time, _ in trains], neuron))
    labels, splits = ([one.annotations.get(key) for one in segments] for key in (LABEL, SPLIT))
    return _labelled(path, samples, names, labels, splits, neurons)


def _block(path: Path) -> Any:
    _refuse_no_file(path)
    kind, arguments = _NEO[path.suffix]
    if path.suffix == ".nix":
        libraries.needed("nixio", "neo", "a NIX file")
    io = libraries.needed("neo.io", "neo", "a file of Neo")
    try:
        file = getattr(io, kind)(str(path), **arguments)
        try:
            blocks = file.read_all_blocks() if path.suffix == ".nix" else [file.read_block()]
        finally:
            if path.suffix == ".nix":
                file.close()
    except Exception as error:  # whatever the library makes of a damaged file
        raise DatasetError(
            f"{path}: cannot be read by Neo ({type(error).__name__}: {error}); it is damaged, or not of its {kind}"
        ) from error
    blocks = [one for one in blocks if one is not None]
    if len(blocks) != 1:
        raise DatasetError(f"{path}: holds {len(blocks)} blocks; expected one, whose segments are the samples")
    return blocks[0]


def _numbered(path: Path, name: str, segment: Any) -> list[int]:
    """The neurons that annotations of a segment's trains say; none if there are no such annotations."""
    given = [train.annotations.get(NEURON) for train in segment.spiketrains]
    if all(number is None for number in given):
        return []
    if wrong := [number for number in given if not _is_neuron(number)]:
        raise DatasetError(
            f"{path}: {name} has a spike train whose annotation {NEURON} is {wrong[0]!r}; expected whole numbers from 0"
            f" to {MOST_NEURONS - 1}, at all trains or at none"
        )
    numbers = [int(number) for number in given]
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise DatasetError(
            f"{path}: {name} has several spike trains of {NEURON} {twice}; expected one: leave out all but one"
            " population, or number their neurons one after the other"
        )
    return numbers


def _is_neuron(number: Any) -> bool:
    known = isinstance(number, int | float | np.number) and np.isfinite(number)
    return bool(known and number == int(number) and 0 <= number < MOST_NEURONS)


def _microseconds(path: Path, name: str, train: Any) -> tuple[NDArray[np.float64], float]:
    """Times of a train's spikes, and its beginning."""
    try:
        time = np.atleast_1d(np.asarray(train.rescale("us").magnitude, np.float64))
        return time, float(train.t_start.rescale("us"))
    except ValueError as error:
        raise DatasetError(f"{path}: {name} has a spike train whose times are no times ({error})") from error


# -- NWB -------------------------------------------------------------------------------------------------------
def read_nwb(path: Path) -> SpikeSet:
    """Set of the trials of an NWB file.

    Raises
    ------
    DatasetError
        It is missing or damaged, has no trials or no units with spike times, or a table that does not fit itself.
    """
    _refuse_no_file(path)
    with _opened(path) as file:
        begins, ends = (_numbers(path, file, f"{_TRIALS}/{one}_time") for one in ("start", "stop"))
        times = _numbers(path, file, f"{_UNITS}/spike_times")
        cuts = _numbers(path, file, f"{_UNITS}/spike_times_index").astype(np.int64)
        labels, splits = (_texts(path, file, f"{_TRIALS}/{key}", len(begins)) for key in (LABEL, SPLIT))
    if not len(begins) or len(begins) != len(ends) or (ends < begins).any():
        raise DatasetError(
            f"{path}: trials have {len(begins)} beginnings and {len(ends)} ends; expected one or more, each with an end"
            " that is not before it"
        )
    counts = np.diff(cuts, prepend=0)
    if not len(cuts) or (counts < 0).any() or cuts[-1] != len(times):
        raise DatasetError(f"{path}: {_UNITS}/spike_times_index does not fit {len(times):,} spike times; it is damaged")
    order = np.argsort(times, kind="stable")
    neuron, time = np.repeat(np.arange(len(cuts)), counts)[order], times[order]
    names = [f"trial {k}" for k in range(len(begins))]
    samples = []
    for name, begin, end in zip(names, begins, ends, strict=True):
        within = slice(*np.searchsorted(time, np.array([begin, end]) - _SAME * 1e-6))
        by_neuron = np.argsort(neuron[within], kind="stable")
        fired, first = np.unique(neuron[within][by_neuron], return_index=True)
        trains = np.split((time[within][by_neuron] - begin) * 1e6, first[1:]) if len(fired) else []
        samples.append(_sample(path, name, trains, fired.tolist()))
    return _labelled(path, samples, names, labels, splits, len(cuts))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:  # the last two: of something in it that is damaged
        raise DatasetError(f"{path}: cannot be read as NWB ({error}); expected an HDF5 file that is whole") from error


def _column(path: Path, file: Any, name: str) -> Any:
    """A column of a table; None if there is none."""
    column = file.get(name)
    if column is None:
        return None
    several = name.startswith(_TRIALS) and f"{name}_index" in file
    if several or not isinstance(column, h5py.Dataset) or column.ndim != 1:
        raise DatasetError(f"{path}: {name} is no column with one entry a row")
    return column


def _numbers(path: Path, file: Any, name: str) -> NDArray[np.float64]:
    column = _column(path, file, name)
    if column is None:
        raise DatasetError(f"{path}: has no {name}; expected a table of trials, and units with spike times")
    if column.dtype.kind not in "fiu" or not np.isfinite(values := column[()].astype(np.float64)).all():
        raise DatasetError(f"{path}: {name} holds something else than numbers")
    return values


def _texts(path: Path, file: Any, name: str, rows: int) -> list[Any]:
    column = _column(path, file, name)
    if column is None:
        return [None] * rows
    if len(column) != rows:
        raise DatasetError(f"{path}: {name} has {len(column)} entries, and there are {rows} trials")
    if h5py.check_string_dtype(column.dtype) is not None:
        return list(column.asstr()[()])
    if column.dtype.kind not in "iufb":
        raise DatasetError(f"{path}: {name} has type {column.dtype}; expected text, or whole numbers")
    return list(column[()].tolist())


# -- both ------------------------------------------------------------------------------------------------------
def _refuse_no_file(path: Path) -> None:
    if not path.is_file():
        what = "is no plain file" if path.exists() else "no such file"
        raise DatasetError(f"{path}: {what}; expected a recording as a {path.suffix} file")


def _sample(path: Path, name: str, trains: Sequence[NDArray[np.float64]], neurons: Sequence[int]) -> Events:
    """Spikes of a sample from the microseconds, from its beginning, of each train."""
    time = np.concatenate([np.zeros(0), *trains])
    if not np.isfinite(time).all() or time.min(initial=0) < -2 * _SAME:
        raise DatasetError(f"{path}: {name} has spikes before its beginning, or at no time at all")
    of = np.repeat(np.asarray(neurons, np.int64), [len(train) for train in trains])
    return np.floor(np.maximum(time, 0) + _SAME).astype(np.int64), of


def _labelled(
    path: Path, samples: Sequence[Events], names: Sequence[str], labels: Sequence[Any], splits: Sequence[Any],
    neurons: int,
) -> SpikeSet:  # fmt: skip
    """Samples as a set: by their labels, which are numbers or text or all missing, in training and test parts."""
    numbers, classes = np.full(len(samples), UNLABELLED), digit_names(1)
    if missing := [name for name, label in zip(names, labels, strict=True) if label is None or not _text(label)]:
        if len(missing) < len(names):
            raise DatasetError(f"{path}: {listed(missing[:8])}: no {LABEL}, unlike others; expected one a sample")
    else:
        numbers, classes = classes_of([_text(label) for label in labels], f"{path}: {LABEL}")
    apart = np.zeros(len(samples), bool)
    if any(split is not None for split in splits):
        apart = test_part(["" if split is None else _text(split) for split in splits], f"{path}: {SPLIT}")
    train = [one for one, is_test in zip(samples, apart, strict=True) if not is_test]
    test = [one for one, is_test in zip(samples, apart, strict=True) if is_test]
    return of_samples(path, train, numbers[~apart], test, numbers[apart], classes, (1, neurons))


def _text(value: Any) -> str:
    """What a library gives as a label: text, or a number, which MATLAB keeps as a floating-point one."""
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip()
    if isinstance(value, np.generic):
        value = value.item()
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value).strip()
