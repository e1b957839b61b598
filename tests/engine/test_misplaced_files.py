"""A whole, valid file in the place of another is no file of the run: it is told, and the bits are those of one go."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hebbarium.engine import block_file, run_folder
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import EngineError, RunFolderError
from hebbarium.record import results
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import resume, train
from tests.engine.equal_runs import Told, assert_same_bits
from tests.engine.test_interrupted_runs import killed_after


@pytest.fixture(scope="module")
def half_way(small: RunSettings, uninterrupted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return killed_after(5, small, tmp_path_factory.mktemp("half_way"))


@pytest.fixture(scope="module")
def other(small: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with another seed."""
    asked = dataclasses.replace(small, seed=7)
    train(dataclasses.replace(asked, images=50), tmp_path_factory.mktemp("other") / "short")  # programs are there
    return killed_after(5, asked, tmp_path_factory.mktemp("other"))


def swap(one: str, two: str) -> Callable[[Path, Path], object]:
    def change(run: Path, _: Path) -> None:
        first, second = run / one, run / two
        content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(content)

    return change


def copy(source: str, to: str) -> Callable[[Path, Path], object]:
    return lambda run, _: shutil.copyfile(run / source, run / to)


def foreign(name: str) -> Callable[[Path, Path], object]:
    return lambda run, other: shutil.copyfile(other / name, run / name)


COUNTS = "blocks/train/excitatory"
CHANGES = {
    "checkpoints swapped": (
        swap("checkpoints/000004", "checkpoints/000005"),
        "holds checkpoints/00000[45] of this run",
    ),
    "counts copied": (copy(f"{COUNTS}/000001", f"{COUNTS}/000002"), f"000002: holds {COUNTS}/000001 of this run"),
    "snapshot copied": (copy("snapshots/000000050", "snapshots/000000150"), "holds snapshots/000000050 of this run"),
    "checkpoint of another run": (foreign("checkpoints/000005"), "000005: holds checkpoints/000005 of another run"),
    "counts of another run": (foreign(f"{COUNTS}/000002"), f"000002: holds {COUNTS}/000002 of another run"),
    "snapshot of another run": (foreign("snapshots/000000150"), "holds snapshots/000000150 of another run"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_in_the_place_of_another_is_not_taken_for_it(
    name: str, half_way: Path, other: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    change, message = CHANGES[name]
    run = shutil.copytree(half_way, tmp_path / "run")
    assert (run / "snapshots" / "000000150").exists()
    change(run, other)
    told = Told()
    resume(run, told)
    [said] = told.messages
    assert re.search(message, said), said
    assert "the run goes on from" in said or "is trained again from the start" in said
    assert_same_bits(run, uninterrupted)


def test_a_run_is_moved_as_a_whole(half_way: Path, uninterrupted: Path, tmp_path: Path) -> None:
    run = shutil.copytree(half_way, tmp_path / "elsewhere" / "renamed")
    told = Told()
    resume(run, told)
    assert told.messages == []
    assert_same_bits(run, uninterrupted)


def test_files_that_do_not_say_what_they_are_are_taken_as_they_are(
    half_way: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(half_way, tmp_path / "run")
    for folder in ("checkpoints", "blocks", "snapshots"):
        for file in (run / folder).rglob("[0-9]*"):
            block_file.write(file, run_folder.read(run, file))
    told = Told()
    resume(run, told)
    assert told.messages == []
    assert_same_bits(run, uninterrupted)


def test_results_of_another_run_are_not_taken_for_a_runs_own(
    uninterrupted: Path, small: RunSettings, tmp_path: Path
) -> None:
    run = shutil.copytree(uninterrupted, tmp_path / "run")
    another = train(dataclasses.replace(small, images=50, seed=9), tmp_path / "another")
    shutil.copyfile(results.file_of(another), results.file_of(run))
    with pytest.raises(EngineError, match=r"results.nc: is of another run than the folder that it lies in; move it"):
        resume(run)
    results.file_of(run).unlink()
    resume(run)
    assert_same_bits(run, uninterrupted)


@pytest.mark.parametrize("place", ["checkpoints/000009", f"{COUNTS}/000009", "snapshots/000000600"])
def test_a_folder_in_the_place_of_a_file_is_refused_before_anything_runs(
    place: str, half_way: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(half_way, tmp_path / "run")
    (run / place).mkdir()
    told = Told()
    with pytest.raises(RunFolderError, match=f"{place}: is a folder, where a file of the run is to be"):
        resume(run, told)
    assert told.stages == []


def test_no_run_is_made_in_another(uninterrupted: Path, small: RunSettings) -> None:
    with pytest.raises(RunFolderError, match="which is a run of its own; choose another --out"):
        RunFolder.create(uninterrupted / "deeper" / "run", {})
    assert not (uninterrupted / "deeper").exists()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_lock_that_is_no_file_is_named(make: Callable[[Path], None], uninterrupted: Path, tmp_path: Path) -> None:
    run = shutil.copytree(uninterrupted, tmp_path / "run")
    (run / "lock").unlink()
    make(run / "lock")
    with pytest.raises(RunFolderError, match="run/lock: is no plain file, expected a file of the run; remove it"):
        resume(run)


def test_a_run_that_lost_what_names_its_pins_is_edited(uninterrupted: Path, tmp_path: Path) -> None:
    run = shutil.copytree(uninterrupted, tmp_path / "run")
    file = run / run_folder.CONFIGURATION
    stored = json.loads(file.read_text())
    del stored["pins"]
    file.write_text(json.dumps(stored))
    with pytest.raises(RunFolderError, match=r"was edited since the run began: what it says of pins.json is gone"):
        resume(run)


def test_a_part_is_told_by_its_run_and_name(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {"pins": "a"}) as folder:
        folder.write_checkpoint(1, {"w": np.arange(3)})
        assert run_folder.read(folder.path, folder.path / "checkpoints" / "000001").keys() == {"w"}
