"""Recordings: they hold what the network did, change nothing of what is learned, and are refused at once."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from hebbarium.analysis import figures
from hebbarium.engine import devices, run_folder
from hebbarium.engine.contract import Arrays
from hebbarium.files.errors import RunFolderError
from hebbarium.record import results
from hebbarium.training import courses, preparation, training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

CHANGES = {"neurons": 12, "t_train": "20*ms", "t_test": "20*ms", "gain": "10*ms"}
ASKED = (
    "excitatory.v[0:3]@image=3",
    "plastic.w[400:402, 5]@image=4:7",
    "excitatory.theta[2]@image=7@ms=5:10",
    "excitatory.lastspike@test=2",
    "excitatory.v[0:3]@test=1:3",
)
NUMPY = RunSettings(
    "synaptic_scaling", CHANGES, images=12, test_images=10, block=4, device="numpy", precision="float64",
    labels_from="all", snapshots=4, recordings="; ".join(ASKED),
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same run with recordings, and without."""
    folder = tmp_path_factory.mktemp("recorded")
    return (
        training.train(NUMPY, folder / "with"),
        training.train(dataclasses.replace(NUMPY, recordings=""), folder / "without"),
    )


def group(run: Path, name: str) -> xr.Dataset:
    with results.open_run(run) as tree:
        return tree[f"{results.RECORDED}/{name}"].to_dataset().load()


def state(run: Path) -> Arrays:
    last = run_folder.last_checkpoint(run)
    assert last is not None
    return {name: array for name, array in last[1].items() if not name.startswith("run.")}


def assert_same_results(one: Path, other: Path, but: tuple[str, ...] = (results.RECORDED,)) -> None:
    with results.open_run(one) as first, results.open_run(other) as second:
        groups, wanted = (
            {node.path: node.to_dataset(inherit=False) for node in tree.subtree} for tree in (first, second)
        )
        assert [path for path in groups if path.split("/")[1] not in but] == list(wanted)
        for path, dataset in wanted.items():
            assert dataset.equals(groups[path]), path


def test_recordings_change_nothing_of_what_is_learned(runs: tuple[Path, Path]) -> None:
    recorded, plain = map(state, runs)
    assert recorded.keys() == plain.keys()
    assert all(recorded[name].tobytes() == plain[name].tobytes() for name in plain)
    assert_same_results(*runs)


def test_what_is_recorded_has_its_names_units_and_places(runs: tuple[Path, Path]) -> None:
    v, w, theta = (group(runs[0], name) for name in ("excitatory.v", "plastic.w", "excitatory.theta"))
    assert v["value"].dims == ("presentation", "time", "element")
    assert v["value"].shape == (1, 20, 3)
    assert v["value"].attrs == {"units": "mV", "long_name": "excitatory.v"}
    assert v.attrs == {"asked": ASKED[0], "phase": "train"}
    assert w["value"].dims == ("presentation", "time", "pre", "post")
    assert w["pre"].values.tolist() == [400, 401]
    assert w["post"].values.tolist() == [5]
    assert w["sample"].values.tolist() == [4, 5, 6]
    assert theta["time"].values.tolist() == [5, 6, 7, 8, 9]
    with results.open_run(runs[0]) as tree:
        shown = tree["activity/excitatory"].to_dataset()
        assert v["image"].values.tolist() == [shown["image"].values[3]]
        assert v["label"].values.tolist() == [shown["label"].values[3]]


def test_recorded_potentials_are_those_of_the_spikes_that_were_counted(runs: tuple[Path, Path]) -> None:
    """Times of spikes that change within a presentation are as many as spikes; no potential is above its threshold."""
    last = group(runs[0], "excitatory.lastspike")["value"].values[0]
    with results.open_run(runs[0]) as tree:
        counts = results.array(tree, "test/excitatory/spike_count")[2]
    fired = last[-1] >= 0
    assert np.array_equal(fired, counts > 0)
    jumps = np.array([np.count_nonzero(np.diff(course[course >= 0])) + (course >= 0).any() for course in last.T])
    assert np.array_equal(jumps, counts)
    assert counts.any()
    v = group(runs[0], "excitatory.v.2")
    assert v["value"].shape == (2, 20, 3)
    assert (v["value"].values <= -40 + 1e-9).all()


def test_weights_end_as_the_checkpoint_has_them(tmp_path: Path) -> None:
    """The last step of the last image of training: the state that a run ends with, after its scaling."""
    out = training.train(dataclasses.replace(NUMPY, images=4, recordings="plastic.w[:, 3]@image=3"), tmp_path / "run")
    w = group(out, "plastic.w")["value"].values
    assert w.shape == (1, 20, 784, 1)
    assert np.array_equal(w[0, -1, :, 0], state(out)["plastic.w"].reshape(784, 12)[:, 3])


def test_a_resumed_run_records_the_same(runs: tuple[Path, Path], tmp_path: Path, monkeypatch: Any) -> None:
    ends: list[int] = []
    of_block = courses.Courses.of_block

    def stopped(self: courses.Courses, index: int, *given: Any) -> None:
        of_block(self, index, *given)
        ends.append(index)
        if index == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(courses.Courses, "of_block", stopped)
        with pytest.raises(KeyboardInterrupt):
            training.train(NUMPY, tmp_path / "run")
    assert ends == [0, 1]
    training.resume(tmp_path / "run")
    for name in ("excitatory.v", "plastic.w", "excitatory.theta"):
        assert group(tmp_path / "run", name).equals(group(runs[0], name))
    assert_same_results(tmp_path / "run", runs[0], but=())


def test_recordings_are_drawn(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with results.open_run(runs[0]) as tree:
        figure = figures.recordings(tree)
        assert len(figure.axes) == len(ASKED)
        assert figures.save(figure, tmp_path / "recordings.png").stat().st_size > 1000
    with results.open_run(runs[1]) as tree, pytest.raises(KeyError, match="no recordings"):
        figures.recordings(tree)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("excitatory.v", "expected group.variable[neurons]@image=number"),
        ("excitatory.v[0:3]@image", "expected group.variable[neurons]@image=number"),
        ("exitatory.v@image=0", "no group 'exitatory' with variables that change in phase 'train'; expected one of"),
        ("excitatory.u@image=0", "'excitatory' has no variable 'u' that changes in phase 'train'; expected one of"),
        ("excitatory.y@test=0", "'excitatory' has no variable 'y' that changes in phase 'test'"),
        ("excitatory.v[12]@image=0", "[12] is not within 'excitatory', which has 12; expected 0:12"),
        ("excitatory.v[5:5]@image=0", "[5:5] is not within"),
        ("excitatory.v[a]@image=0", "[a] cannot be read; expected a number, 0:10 or 0:100:10"),
        ("excitatory.v[0, 1]@image=0", "has 2 parts; expected one, since"),
        ("plastic.w[0, 1, 2]@image=0", "has 3 parts; expected [sources, targets]"),
        ("excitatory.v@image=12", "12 images are shown in training; expected 0 to 11"),
        ("excitatory.v@test=9:11", "10 images are tested; expected 0 to 9"),
        ("excitatory.v@image=3:5", "image 4 is in another block than image 3"),
        ("excitatory.v@image=0@ms=10:30", "a presentation takes 20 ms in steps of 1 ms"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_made(
    asked: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "program", lambda *_: pytest.fail("something was compiled"))
    with pytest.raises(ValueError, match="--record") as error:
        training.train(dataclasses.replace(NUMPY, recordings=asked), tmp_path / "run")
    assert said in str(error.value)
    assert not (tmp_path / "run").exists()


def test_too_much_is_refused() -> None:
    large = dataclasses.replace(NUMPY, changes={"neurons": 1300}, recordings="plastic.w@image=0:2")
    with pytest.raises(ValueError, match="expected 20,000,000 at most: choose fewer"):
        preparation.prepare(large)


def test_edited_recordings_are_found_out(runs: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs[0], run)
    file = run / "configuration.json"
    file.write_text(file.read_text().replace("excitatory.v[0:3]@image=3", "excitatory.v[0:4]@image=3"))
    with pytest.raises(RunFolderError, match="recordings was"):
        assert Run.open(run).settings


@pytest.mark.long
def test_compiled_programs_record_without_changing_a_bit(tmp_path: Path) -> None:
    """A controller shows some images again; the last presentation of a sample is the one that is counted."""
    settings = RunSettings(
        "diehl_cook", {"neurons": 10}, images=12, test_images=10, block=6,
        recordings="excitatory.v@image=7:9; controller.intensity@image=8; excitatory.v@test=3; "
        "plastic.w[0:784:100,3]@image=8",
    )
    recorded = training.train(settings, tmp_path / "with")
    plain = training.train(dataclasses.replace(settings, recordings=""), tmp_path / "without")
    with_, without = state(recorded), state(plain)
    assert all(with_[name].tobytes() == without[name].tobytes() for name in without)
    assert_same_results(recorded, plain)
    with results.open_run(recorded) as tree:
        again = tree["activity/excitatory"].to_dataset()["presentations"].values
    v, intensity = group(recorded, "excitatory.v"), group(recorded, "controller.intensity")
    assert v["sample"].values.tolist() == [7] * again[7] + [8] * again[8]
    first = intensity["value"].values[:, 0, 0]
    assert np.array_equal(first, 2.0 + np.arange(again[8]))
