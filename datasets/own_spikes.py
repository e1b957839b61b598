"""A user's own spikes: each sample is when which input neuron fires.

==================  ==========================================================================================
a ``.npz`` file     ``spike_time`` in milliseconds from the beginning of its sample, ``spike_neuron`` and
                    ``spike_sample``, from 0 on, an entry a spike; ``labels``, one a sample. ``test_spike_time``
                    and so on, ``test_labels``, ``class_names`` and ``shape`` (rows and columns of the neurons) may
                    be there
a folder            as of images, with ``*.bin`` files (N-MNIST and N-Caltech101: five bytes an event) or
                    ``*.aedat`` files (AEDAT 2.0 of a DVS128), one a sample
==================  ==========================================================================================

Events of a camera are spikes of the neuron that stands for their pixel and polarity: those of rising brightness come
behind the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import own_folders
from hebbarium.datasets.labelled_images import Dataset, DatasetError, digit_names, listed
from hebbarium.datasets.own_images import labelled
from hebbarium.files import plain_files

KEYS = ("spike_time", "spike_neuron", "spike_sample")
MOST_NEURONS = 2**20
MOST_BYTES = 2**34
"""Of all samples together: beyond, they would not fit into memory."""
_LONGEST = 2**32
"""Microseconds."""

Events = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Time in microseconds and neuron of each spike of a sample."""


@dataclass(frozen=True, eq=False)
class SpikeSet(Dataset):
    """Samples that are spikes; their rows are as `hebbarium.models.given_spikes` describes.

    Parameters
    ----------
    lasts : float
        Seconds until the last spike of any sample.
    most : int
        Spikes of one neuron in one sample, at most.
    """

    holds: ClassVar[str] = "spikes"
    lasts: float = 0.0
    most: int = 1

    @property
    def row_shape(self) -> tuple[int, int]:
        """See `Dataset.row_shape`."""
        return 1, self.train_images.shape[1]


def refuse(images: Dataset, what: str) -> None:
    """Raise `DatasetError` for a set of spikes or series, where something is done with images."""
    if images.holds != Dataset.holds:
        raise DatasetError(f"{images.name}: holds {images.holds}; {what} needs images")


# -- files -----------------------------------------------------------------------------------------------------
def of_arrays(arrays: Mapping[str, NDArray[Any]], path: Path) -> SpikeSet:
    """Set of the arrays that the module's description names.

    Raises
    ------
    DatasetError
        Some are missing or mean nothing here; or one has a wrong shape, type, range or length.
    """
    known = (*KEYS, "labels")
    allowed = (*known, *(f"test_{key}" for key in known), "class_names", "shape")
    if unknown := sorted(set(arrays) - set(allowed)):
        raise DatasetError(f"{path}: unknown arrays {listed(unknown)}; the arrays read are {listed(allowed)}")
    tested = any(key.startswith("test_") for key in arrays)
    if missing := [key for key in (*known, *(f"test_{key}" for key in known if tested)) if key not in arrays]:
        raise DatasetError(f"{path}: has no array {listed(missing)}; spikes need {listed(known)}")
    train = _samples(path, "", arrays)
    test = _samples(path, "test_", arrays) if tested else []
    reach = 1 + max((int(neuron.max()) for _, neuron in (*train, *test) if len(neuron)), default=0)
    shape = arrays.get("shape", np.array([1, reach]))
    if shape.dtype.kind not in "iu" or shape.shape != (2,) or (shape < 1).any() or int(shape.prod()) < reach:
        raise DatasetError(
            f"{path}: 'shape' is {shape.tolist()}; expected rows and columns of {reach:,} neurons or more"
        )
    given, of_test, names = labelled(arrays, len(train), len(test), path)
    return of_samples(path, train, given, test, of_test, names, (int(shape[0]), int(shape[1])))


def _samples(path: Path, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> list[Events]:
    time, neuron, sample = (arrays[f"{prefix}{key}"] for key in KEYS)
    number = len(arrays[f"{prefix}labels"])
    lengths = {array.shape for array in (time, neuron, sample)}
    if len(lengths) > 1 or time.ndim != 1 or time.dtype.kind not in "fiu":
        raise DatasetError(
            f"{path}: '{prefix}spike_time', '_neuron' and '_sample' have shapes {lengths}; expected an entry a spike in"
            " each"
        )
    if neuron.dtype.kind not in "iu" or sample.dtype.kind not in "iu":
        raise DatasetError(f"{path}: '{prefix}spike_neuron' and '{prefix}spike_sample' are no whole numbers")
    if not len(time):
        return [(np.zeros(0, np.int64), np.zeros(0, np.int64))] * number
    if not np.isfinite(time).all() or time.min() < 0 or time.max() * 1000 >= _LONGEST:
        raise DatasetError(f"{path}: '{prefix}spike_time' reaches from {time.min():g} to {time.max():g}; expected"
                           " milliseconds from the beginning of a sample")  # fmt: skip
    for name, array, most in (("spike_neuron", neuron, MOST_NEURONS), ("spike_sample", sample, number)):
        if array.min() < 0 or array.max() >= most:
            raise DatasetError(
                f"{path}: '{prefix}{name}' reaches from {array.min()} to {array.max()}; expected 0 to {most - 1}"
            )
    order = np.argsort(sample, kind="stable")
    cuts = np.searchsorted(sample[order], np.arange(1, number))
    microseconds = np.floor(time.astype(np.float64) * 1000 + 1e-6).astype(np.int64)
    return list(zip(np.split(microseconds[order], cuts), np.split(neuron[order].astype(np.int64), cuts), strict=True))


def is_events(path: Path) -> bool:
    """Whether a folder holds files of events."""
    return any(True for ending in _CAMERAS for _ in path.rglob(f"*{ending}"))


def read_folder(path: Path) -> SpikeSet:
    """Set of the files of events in a folder, with a folder for each class.

    Raises
    ------
    DatasetError
        It holds no such folders; or a file is damaged.
    """
    names, parts = own_folders.files_by_class(path, tuple(_CAMERAS))
    read = {part: [_CAMERAS[file.suffix](file) for file, _ in files] for part, files in parts.items()}
    shape = np.max([size for several in read.values() for _, size in several], axis=0)
    rows, columns = int(shape[0]), int(shape[1])
    samples = {
        part: [(time, (polarity * rows + y) * columns + x) for (time, x, y, polarity), _ in several]
        for part, several in read.items()
    }
    given = {part: np.array([label for _, label in files], np.int64) for part, files in parts.items()}
    nothing = np.zeros(0, np.int64)
    return of_samples(
        path, samples["train"], given["train"], samples.get("test", []), given.get("test", nothing), names,
        (2 * rows, columns),
    )  # fmt: skip


Camera = tuple[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], tuple[int, int]]
"""Time, column, row and polarity of each event; rows and columns that there are at least."""


def _five_bytes(file: Path) -> Camera:
    """Events of N-MNIST (G. Orchard et al., 2015): column, row, polarity and 23 bits of microseconds."""
    content = _content(file)
    if len(content) % 5:
        raise DatasetError(f"{file}: has {len(content):,} bytes, which are no whole events of five; it is cut short")
    b = np.frombuffer(content, np.uint8).reshape(-1, 5).astype(np.int64)
    x, y, polarity = b[:, 0], b[:, 1], b[:, 2] >> 7
    time = (b[:, 2] & 0x7F) << 16 | b[:, 3] << 8 | b[:, 4]
    overflow = y == 240  # no event: the clock has run over, by 2^13 microseconds
    time = (time + np.cumsum(overflow) * 2**13)[~overflow]
    x, y, polarity = x[~overflow], y[~overflow], polarity[~overflow]
    return (time, x, y, polarity), (int(y.max(initial=0)) + 1, int(x.max(initial=0)) + 1)


def _aedat(file: Path) -> Camera:
    """Events of AEDAT 2.0 as a DVS128 writes them: lines that begin with #, then addresses and times, big-endian."""
    content = _content(file)
    while content.startswith(b"#"):
        _, found, content = content.partition(b"\n")
        if not found:
            break
    if len(content) % 8:
        raise DatasetError(f"{file}: has {len(content):,} bytes behind its head, which are no whole events of eight")
    address, time = np.frombuffer(content, ">u4").reshape(-1, 2).astype(np.int64).T
    if len(address) and int(address.max()) >= 2**15:
        raise DatasetError(
            f"{file}: has addresses beyond those of a DVS128 (128 x 128 pixels); expected AEDAT 2.0 of one"
        )
    if len(time):
        time = time - time.min()
    return (time, address >> 1 & 0x7F, address >> 8 & 0x7F, address & 1), (128, 128)


_CAMERAS: Mapping[str, Callable[[Path], Camera]] = {".bin": _five_bytes, ".aedat": _aedat}


def _content(file: Path) -> bytes:
    try:
        return plain_files.read(file)
    except OSError as error:
        raise DatasetError(f"{file}: cannot be read ({error.strerror})") from error


# -- the set ---------------------------------------------------------------------------------------------------
def of_samples(
    path: Path, train: Sequence[Events], labels_: NDArray[np.int64], test: Sequence[Events],
    test_labels: NDArray[np.int64], names: tuple[str, ...], shape: tuple[int, int],
) -> SpikeSet:  # fmt: skip
    """Set of samples, wherever their spikes were read.

    Parameters
    ----------
    path : Path
        What was read, after which the set is named.
    train, test : sequence of Events
    labels_, test_labels : (samples,)
        -1 where there is none.
    names : tuple of str
        Of the classes.
    shape : tuple of int
        Rows and columns of the input neurons.

    Raises
    ------
    DatasetError
        There are no spikes, more than fit into memory, or a sample lasts too long.
    """
    longest = max((len(time) for time, _ in (*train, *test)), default=0)
    if (len(train) + len(test)) * longest * 8 > MOST_BYTES:
        raise DatasetError(
            f"{path}: {len(train) + len(test):,} samples of up to {longest:,} spikes would take more than"
            f" {MOST_BYTES // 10**9} GB; use fewer samples"
        )
    if not longest:
        raise DatasetError(f"{path}: holds no spikes")
    last = max(int(time.max()) for time, _ in (*train, *test) if len(time))
    if last >= _LONGEST:
        raise DatasetError(f"{path}: a sample lasts {last / 1e6:,.0f} s; expected less than {_LONGEST / 1e6:,.0f}")
    most = max(int(np.bincount(neuron).max()) for _, neuron in (*train, *test) if len(neuron))
    return SpikeSet(
        path.name, _rows(train, longest), labels_, _rows(test, longest), test_labels, names or digit_names(1), shape,
        lasts=(last + 1) * 1e-6, most=most,
    )  # fmt: skip


def _rows(samples: Sequence[Events], longest: int) -> NDArray[np.uint8]:
    pairs = np.zeros((len(samples), longest, 2), "<u4")
    for row, (time, neuron) in zip(pairs, samples, strict=True):
        row[: len(time), 0], row[: len(time), 1] = time, neuron + 1
    return pairs.reshape(len(samples), 2 * longest).view(np.uint8)
