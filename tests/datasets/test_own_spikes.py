"""A user's own spikes: arrays, and files of cameras; read as what they are, refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.own_spikes import SpikeSet
from tests.datasets.refusals import refused

ARRAYS: dict[str, Any] = {
    "spike_time": np.array([3.5, 0.0, 1.25, 2.0]), "spike_neuron": np.array([2, 0, 5, 2]),
    "spike_sample": np.array([1, 0, 0, 1]), "labels": np.array([1, 0, 1]),
    "test_spike_time": np.array([7.0]), "test_spike_neuron": np.array([1]), "test_spike_sample": np.array([0]),
    "test_labels": np.array([0]), "shape": np.array([2, 3]),
}  # fmt: skip


def saved(path: Path, **changes: Any) -> Path:
    arrays = {key: array for key, array in {**ARRAYS, **changes}.items() if array is not None}
    np.savez(path, **arrays)
    return path


def spikes_of(images: NDArray[np.uint8]) -> list[list[tuple[int, int]]]:
    """Microseconds and neuron of each spike, by sample."""
    pairs = images.view("<u4").reshape(len(images), -1, 2).astype(int)
    return [sorted((time, neuron - 1) for time, neuron in row.tolist() if neuron) for row in pairs]


def test_spikes_from_arrays(tmp_path: Path) -> None:
    read = datasets.load(saved(tmp_path / "mine.npz"))
    assert isinstance(read, SpikeSet)
    assert spikes_of(read.train_images) == [[(0, 0), (1250, 5)], [(2000, 2), (3500, 2)], []]
    assert spikes_of(read.test_images) == [[(7000, 1)]]
    assert (read.shape, read.pixels, read.most, read.classes) == ((2, 3), 6, 2, 2)
    assert read.lasts == pytest.approx(7.001e-3)
    other = datasets.load(saved(tmp_path / "other.npz", spike_time=np.array([3.5, 0.0, 1.25, 2.001])))
    assert other.sha256 != read.sha256


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"spike_sample": None}, "has no array spike_sample"),
        ({"test_labels": None}, "has no array test_labels"),
        ({"rates": np.ones(3)}, "unknown arrays rates"),
        ({"spike_neuron": np.array([1])}, "expected an entry a spike in each"),
        ({"spike_neuron": np.array([2.0, 0, 5, 2])}, "are no whole numbers"),
        ({"spike_neuron": np.array([2, 0, -5, 2])}, "'spike_neuron' reaches from -5 to 2"),
        ({"spike_sample": np.array([1, 0, 0, 3])}, "'spike_sample' reaches from 0 to 3; expected 0 to 2"),
        ({"spike_time": np.array([3.5, -1, 1, 2])}, "'spike_time' reaches from -1 to 3.5; expected milliseconds"),
        ({"spike_time": np.array([3.5, np.nan, 1, 2])}, "'spike_time' reaches from nan to nan"),
        ({"shape": np.array([1, 3])}, "'shape' is [1, 3]; expected rows and columns of 6 neurons"),
        ({"labels": np.array([0.5, 1, 1])}, "'labels' has type float64"),
    ],
)
def test_arrays_that_mean_nothing_are_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert said in refused(saved(tmp_path / "mine.npz", **changes))


def five_bytes(events: list[tuple[int, int, int, int]]) -> bytes:
    """Events (time, column, row, polarity) as N-MNIST has them."""
    return b"".join(bytes([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]) for t, x, y, p in events)


def test_files_of_five_bytes_an_event(tmp_path: Path) -> None:
    """The clock of the camera runs over: an event in row 240 is none, and adds 2^13 microseconds."""
    files = {
        "Train/0/00002.bin": five_bytes([(5, 3, 1, 0), (70_000, 0, 2, 1), (0, 0, 240, 0), (9, 3, 1, 1)]),
        "Train/1/00001.bin": five_bytes([(1, 1, 0, 0)]),
        "Test/1/00003.bin": five_bytes([(2, 2, 2, 1)]),
    }
    for name, content in files.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(content)
    read = datasets.load(tmp_path / "mine")
    assert isinstance(read, SpikeSet)
    assert read.shape == (6, 4)  # three rows of four pixels, twice
    assert spikes_of(read.train_images) == [[(5, 7), (8201, 12 + 7), (70_000, 12 + 8)], [(1, 1)]]
    assert spikes_of(read.test_images) == [[(2, 12 + 10)]]
    assert (read.train_labels.tolist(), read.test_labels.tolist()) == ([0, 1], [1])
    (tmp_path / "mine" / "Test/1/00003.bin").write_bytes(b"1234")
    assert "has 4 bytes, which are no whole events of five" in refused(tmp_path / "mine")


def test_files_of_aedat(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "wave"
    folder.mkdir(parents=True)
    events = np.array([[127 << 8 | 3 << 1 | 1, 1000], [0, 1500]], ">u4").tobytes()
    (folder / "one.aedat").write_bytes(b"#!AER-DAT2.0\r\n# a comment\r\n" + events)
    read = datasets.load(tmp_path / "mine")
    assert read.shape == (256, 128)
    assert spikes_of(read.train_images) == [[(0, (128 + 127) * 128 + 3), (500, 0)]]
    (folder / "one.aedat").write_bytes(b"#!AER-DAT2.0\n" + events[:-1])
    assert "which are no whole events of eight" in refused(tmp_path / "mine")
    (folder / "one.aedat").write_bytes(np.array([[2**16, 0]], ">u4").tobytes())
    assert "addresses beyond those of a DVS128" in refused(tmp_path / "mine")
