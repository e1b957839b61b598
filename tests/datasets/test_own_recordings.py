"""A user's own spikes from files of Neo and NWB: the events of digits come back; what means nothing is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import UNLABELLED
from hebbarium.datasets.own_spikes import SpikeSet
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run_settings import RunSettings
from tests.datasets.refusals import refused
from tests.datasets.test_own_spikes import spikes_of

neo = pytest.importorskip("neo", reason="Neo is not installed")
pytest.importorskip("nixio", reason="nixio is not installed")
pq = pytest.importorskip("quantities")
pynwb = pytest.importorskip("pynwb", reason="PyNWB is not installed")

SIDE, TRAINED, TESTED = 4, 6, 3
NEURONS = SIDE * SIDE
BEGUN = datetime(2026, 1, 2, tzinfo=UTC)
Samples = list[tuple[NDArray[np.float64], NDArray[np.int64]]]


def digits() -> tuple[Samples, NDArray[np.int64]]:
    """Milliseconds and neurons of digits' spikes, the brighter the earlier, by neuron; and labels."""
    known, samples = datasets.load("mnist-embedded"), []
    images = known.train_images[: TRAINED + TESTED].reshape(-1, SIDE, 28 // SIDE, SIDE, 28 // SIDE).max(axis=(2, 4))
    for image in images.reshape(-1, NEURONS):
        neuron = np.flatnonzero(image > 60)
        samples.append((np.round((255 - image[neuron]) / 13, 3), neuron))
    return samples, known.train_labels[: TRAINED + TESTED].copy()


def as_arrays(path: Path) -> Path:
    samples, labels = digits()
    arrays: dict[str, Any] = {"shape": np.array([1, NEURONS])}
    for prefix, part in (("", slice(TRAINED)), ("test_", slice(TRAINED, None))):
        several = samples[part]
        arrays |= {
            f"{prefix}spike_time": np.concatenate([time for time, _ in several]),
            f"{prefix}spike_neuron": np.concatenate([neuron for _, neuron in several]),
            f"{prefix}spike_sample": np.repeat(np.arange(len(several)), [len(time) for time, _ in several]),
            f"{prefix}labels": labels[part],
        }
    np.savez(path, **arrays)
    return path


def block(numbered: bool = True, begins: float = 0.0) -> Any:
    """The digits as a block: trains of neurons that fire, and of the last, or of each; segments from so many ms on."""
    made, (samples, labels) = neo.Block(), digits()
    for k, ((time, neuron), label) in enumerate(zip(samples, labels, strict=True)):
        segment = neo.Segment(label=int(label), split="train" if k < TRAINED else "test")
        for one in np.union1d(neuron, NEURONS - 1) if numbered else range(NEURONS):
            segment.spiketrains.append(
                neo.SpikeTrain(
                    (time[neuron == one] + begins) / 1e3 * pq.s, t_start=begins * pq.ms, t_stop=(begins + 30) * pq.ms,
                    **({"neuron": int(one)} if numbered else {}),
                )
            )  # fmt: skip
        made.segments.append(segment)
    return made


def as_nix(path: Path, what: Any) -> Path:
    file = neo.io.NixIO(str(path), mode="ow")
    file.write_block(what)
    file.close()
    return path


def as_matlab(path: Path, what: Any) -> Path:
    neo.io.NeoMatlabIO(str(path)).write_block(what)
    return path


def as_nwb(path: Path) -> Path:
    """The digits one after the other, 31 ms each, far from the beginning of time."""
    file = pynwb.NWBFile(session_description="digits", identifier="digits", session_start_time=BEGUN)
    samples, labels = digits()
    begins = 1000 + 0.031 * np.arange(len(samples))
    file.add_trial_column("label", "class")
    file.add_trial_column("split", "part")
    for k, (begin, label) in enumerate(zip(begins, labels, strict=True)):
        file.add_trial(start_time=begin, stop_time=begin + 0.031, label=int(label),
                       split="train" if k < TRAINED else "test")  # fmt: skip
    for one in range(NEURONS):
        times = [begin + time[neuron == one] / 1e3 for begin, (time, neuron) in zip(begins, samples, strict=True)]
        file.add_unit(spike_times=np.concatenate(times))
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The digits in every kind of file; in the NIX file, segments begin late."""
    folder = tmp_path_factory.mktemp("recordings")
    return {
        "npz": as_arrays(folder / "mine.npz"), "nwb": as_nwb(folder / "mine.nwb"),
        "nix": as_nix(folder / "mine.nix", block(begins=2500.0)),
        "numbered": as_matlab(folder / "numbered.mat", block()),
        "placed": as_matlab(folder / "placed.mat", block(numbered=False)),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["nix", "numbered", "placed", "nwb"])
def test_the_spikes_of_digits_come_back(kind: str, written: dict[str, Path]) -> None:
    wanted, read = datasets.load(written["npz"]), datasets.load(written[kind])
    assert isinstance(wanted, SpikeSet)
    assert isinstance(read, SpikeSet)
    assert spikes_of(read.train_images) == spikes_of(wanted.train_images)
    assert spikes_of(read.test_images) == spikes_of(wanted.test_images)
    assert sum(map(len, spikes_of(read.train_images))) > 30
    assert read.train_labels.tolist() == wanted.train_labels.tolist()
    assert read.test_labels.tolist() == wanted.test_labels.tolist()
    assert (read.shape, read.classes, read.most) == ((1, NEURONS), wanted.classes, 1)
    assert read.sha256 == wanted.sha256


def test_trains_without_a_number_are_neurons_by_their_place(tmp_path: Path) -> None:
    segments = [neo.Segment(label=name) for name in ("wave", "rest", "wave")]
    for k, segment in enumerate(segments):
        for times in ([3.0005, 1.0], [], [2.0 + k]):
            segment.spiketrains.append(neo.SpikeTrain(times * pq.ms, t_stop=20 * pq.ms))
    made = neo.Block()
    made.segments.extend(segments)
    read = datasets.load(as_nix(tmp_path / "mine.nix", made))
    assert spikes_of(read.train_images)[1] == [(1000, 0), (3000, 0), (3000, 2)]
    assert (read.class_names, read.train_labels.tolist(), read.shape) == (("rest", "wave"), [1, 0, 1], (1, 3))


def test_a_spike_belongs_to_the_trials_it_is_in(tmp_path: Path) -> None:
    """The end of a trial is the beginning of the next; between trials, spikes are nobody's."""
    file = pynwb.NWBFile(session_description="-", identifier="-", session_start_time=BEGUN)
    for begin, end in ((0.1, 0.3), (0.3, 0.4), (0.35, 0.5)):
        file.add_trial(start_time=begin, stop_time=end)
    file.add_unit(spike_times=[0.05, 0.1 + 0.2, 0.36])  # the second is beyond 0.3 by a rounding error
    file.add_unit(spike_times=[0.1, 0.299, 0.45, 0.7])
    with pynwb.NWBHDF5IO(str(tmp_path / "mine.nwb"), "w") as io:
        io.write(file)
    read = datasets.load(tmp_path / "mine.nwb")
    assert spikes_of(read.train_images) == [
        [(0, 1), (199_000, 1)], [(0, 0), (60_000, 0)], [(10_000, 0), (100_000, 1)]
    ]  # fmt: skip
    assert read.train_labels.tolist() == [UNLABELLED] * 3


def test_a_run_on_a_recording_is_that_on_the_same_arrays(written: dict[str, Path], tmp_path: Path) -> None:
    found = []
    for where in (written["npz"], written["nix"]):
        settings = RunSettings(
            "synaptic_scaling", {"neurons": 4, "t_train": "25*ms", "t_test": "25*ms", "gain": "20*ms"}, str(where),
            device="numpy", labels_from="all", snapshots=1,
        )  # fmt: skip
        with results.open_run(training.train(settings, tmp_path / where.suffix[1:])) as tree:
            found.append([
                results.array(tree, "weights/input_to_excitatory/w"),
                tree["activity/excitatory"].to_dataset()["spike_count"].values,
                tree["test/excitatory"].to_dataset()["spike_count"].values,
            ])  # fmt: skip
    assert found[0][1].any()
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


# -- refused -------------------------------------------------------------------------------------------------
def changed(change: Callable[[Any], Any]) -> Any:
    made = block()
    change(made.segments)
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s[3].annotations.pop("label"), "segment 3: no label, unlike others; expected one a sample"),
        (lambda s: s[2].annotate(split="both"), "split holds 'both'; expected train or test"),
        (lambda s: s[2].annotate(label=5000), "label reaches 5000; expected 0 to 999"),
        (lambda s: s[1].spiketrains[0].annotate(neuron=-1), "segment 1 has a spike train whose annotation neuron is"),
        (lambda s: s[1].spiketrains[0].annotate(neuron=s[1].spiketrains[1].annotations["neuron"]),
         "segment 1 has several spike trains of neuron"),
        (lambda s: [t.annotations.pop("neuron") for one in s for t in one.spiketrains],
         "so that a train's place says no neuron; give each train the annotation neuron, from 0 on"),
        (lambda s: s.clear(), "its block has no segments; expected one for each sample"),
        (lambda s: [one.spiketrains.clear() for one in s], "holds no spikes"),
    ],
)  # fmt: skip
def test_blocks_that_mean_nothing_are_refused(change: Callable[[Any], Any], said: str, tmp_path: Path) -> None:
    assert said in refused(as_matlab(tmp_path / "mine.mat", changed(change)))


def test_several_blocks_are_refused(tmp_path: Path) -> None:
    file = neo.io.NixIO(str(tmp_path / "mine.nix"), mode="ow")
    file.write_all_blocks([neo.Block(name="one"), neo.Block(name="other")])
    file.close()
    assert "holds 2 blocks; expected one, whose segments are the samples" in refused(tmp_path / "mine.nix")


@pytest.mark.parametrize("ending", ["nix", "mat", "nwb"])
def test_files_that_are_none_are_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"mine.{ending}"
    assert f"no such file; expected a recording as a .{ending} file" in refused(path)
    path.write_bytes(b"no recording")
    assert "cannot be read" in refused(path)


class Runs:
    """Says where it was unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize("ending", ["pkl", "pickle"])
def test_pickles_are_not_read(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"mine.{ending}"
    path.write_bytes(pickle.dumps(Runs()))
    assert "is a pickle, which runs code when it is read" in refused(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.pop("intervals/trials"), "has no intervals/trials/start_time; expected a table of trials"),
        (lambda f: f.pop("units"), "has no units/spike_times; expected a table of trials, and units with spike times"),
        (lambda f: put(f, "intervals/trials/label", np.arange(3)), "label has 3 entries, and there are 9 trials"),
        (lambda f: put(f, "intervals/trials/label", np.ones((9, 2))), "label is no column with one entry a row"),
        (lambda f: put(f, "intervals/trials/stop_time", np.zeros(9)), "each with an end that is not before it"),
        (lambda f: put(f, "units/spike_times_index", np.arange(NEURONS)), "spike_times_index does not fit"),
        (lambda f: put(f, "units/spike_times", np.array(["a"], "S")), "units/spike_times holds something else than"),
    ],
)  # fmt: skip
def test_tables_that_mean_nothing_are_refused(change: Callable[[Any], Any], said: str, tmp_path: Path) -> None:
    path = as_nwb(tmp_path / "mine.nwb")
    with h5py.File(path, "a") as file:
        change(file)
    assert said in refused(path)


def put(file: Any, name: str, values: NDArray[Any]) -> None:
    del file[name]
    file[name] = values
