"""Wherever the power fails, `resume` ends at the bits of the undisturbed run, and loses no block that was finished."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hebbarium.engine import anatomy, devices, run_folder
from hebbarium.engine.contract import Block, BlockResult, Spikes, Structure
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import RunFolderError
from hebbarium.record import results
from hebbarium.training import recording, responses
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import resume, train
from tests.engine.equal_runs import Told, assert_same_bits
from tests.engine.forgetful_disk import Disk, Image, lay_out

ASKED = RunSettings(
    changes={"neurons": "20"},
    images=60,
    block=10,
    test_images=20,
    labels_from="labelling",
    labelling_images=20,
    snapshots=3,
    evaluate_every=20,
    evaluate_images=10,
    seed=3,
)
BLOCKS = 6
PHASES = ("begin", "Training", "write_accuracies", "Labelling", "Testing", "write", "drop_intermediate")


class Drawn:
    """A program that draws all its answers, from the seed and the state that it is given: quick, and never the same."""

    def __init__(self, structure: Structure, scratch: Path) -> None:
        self.structure = structure

    def run(self, block: Block) -> BlockResult:
        s, given = self.structure, 0
        for name in sorted(block.state):
            given = zlib.crc32(np.ascontiguousarray(block.state[name]), given)
        generator = np.random.default_rng([block.seed, given])
        state = {k: np.asarray(v) + generator.random(v.size).astype(np.float32) for k, v in block.state.items()}
        spikes = {}
        for population in s.populations:
            step = np.sort(generator.integers(0, block.samples * s.sample_steps, 5 * block.samples))
            neuron = generator.integers(0, anatomy.populations(s.model)[population], len(step)).astype(np.int32)
            spikes[population] = Spikes(step, neuron)
        return BlockResult(state, spikes, s.ended(spikes, block.samples), 0.1, 0.1)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Runs without Brian2."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "program", Drawn)
        patch.setattr(recording, "record", lambda *_: {})
        patch.setattr(responses, "EVALUATION_BLOCK", 10)
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(ASKED, tmp_path_factory.mktemp("undisturbed") / "run")


@dataclass
class Cut:
    """What a disk held at one moment, the phase, and the last block whose checkpoint the run had made by then."""

    phase: str
    done: int
    image: Image


@dataclass
class Watch(Told):
    """A run on a forgetful disk, cut whenever something changed."""

    disk: Disk
    cuts: list[Cut] = field(default_factory=list)
    phase: str = "begin"
    done: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def stage(self, title: str, total: int, done: int = 0) -> None:
        super().stage(title, total, done)
        self.phase = title

    def cut(self) -> None:
        for image in (self.disk.promised(), self.disk.named()):
            if all(image != cut.image for cut in self.cuts[-4:]):
                self.cuts.append(Cut(self.phase, self.done, image))


def entering(watch: Watch, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that says when it is at work."""

    def entered(*arguments: Any, **others: Any) -> Any:
        before, watch.phase = watch.phase, function.__name__
        found = function(*arguments, **others)
        if function.__name__ == "write_checkpoint":
            watch.done = arguments[1]
        watch.phase = before
        return found

    return entered


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> list[Cut]:
    """All moments of a run into new folders at which a power cut leaves something else."""
    root = tmp_path_factory.mktemp("disk")
    watch = Watch(Disk(root))
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (RunFolder, "write_accuracies"),
            (RunFolder, "write_checkpoint"),
            (RunFolder, "drop_intermediate"),
            (results, "write"),
        ):
            patch.setattr(owner, name, entering(watch, getattr(owner, name)))
        with watch.disk.watched(watch.cut):
            train(ASKED, root / "new" / "run", watch)
    for cut in watch.cuts:
        cut.phase = "Training" if cut.phase == "write_checkpoint" else cut.phase
    return watch.cuts


def survives(cut: Cut, undisturbed: Path, folder: Path) -> None:
    lay_out(cut.image, folder)
    run = folder / "new" / "run"
    if not (run / run_folder.CONFIGURATION).exists():
        assert cut.done == 0
        with pytest.raises(RunFolderError, match="train"):
            resume(run)
        train(ASKED, run)
    else:
        told = Told()
        complete = Run.open(run).is_complete
        resume(run, told)
        # A run that had to go back would come to the same; it should not have to.
        assert told.messages == []
        if not complete:
            assert told.stages[0][2] >= cut.done * ASKED.block
    assert_same_bits(run, undisturbed)
    shutil.rmtree(folder)


@pytest.mark.parametrize("phase", PHASES)
def test_power_cuts(phase: str, cuts: list[Cut], undisturbed: Path, tmp_path: Path) -> None:
    there = [cut for cut in cuts if cut.phase == phase]
    assert there, f"nothing happens on the disk: {phase}"
    for number in sorted({len(there) // 2, len(there) - 1}):
        survives(there[number], undisturbed, tmp_path / str(number))


@pytest.mark.long
def test_power_cuts_at_every_moment(cuts: list[Cut], undisturbed: Path, tmp_path: Path) -> None:
    for number, cut in enumerate(cuts):
        survives(cut, undisturbed, tmp_path / str(number))


def test_a_disk_that_forgets_is_noticed(undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above fail where responses are not synced before the checkpoint that needs them."""
    watch = Watch(Disk(tmp_path))
    monkeypatch.setattr(RunFolder, "sync", lambda folder: None)
    with watch.disk.watched(watch.cut):
        train(ASKED, tmp_path / "new" / "run", watch)
    lost = [cut for cut in watch.cuts if cut.phase == "Training" and any("checkpoints/" in name for name in cut.image)]
    lay_out(lost[-1].image, tmp_path / "image")
    told = Told()
    resume(tmp_path / "image" / "new" / "run", told)
    assert "trained again from the start" in told.messages[0]
    assert_same_bits(tmp_path / "image" / "new" / "run", undisturbed)


@pytest.mark.long
def test_images_of_a_file_system_copied_while_it_is_mounted(undisturbed: Path, tmp_path: Path) -> None:
    """A real file system, asked to write by itself every five minutes only; where mounting is allowed."""
    image, mounted = tmp_path / "image", tmp_path / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    copies: list[tuple[Path, int]] = []

    class Copying(Told):
        def advance(self, samples: int, note: str = "") -> None:
            copy = tmp_path / f"copy{len(copies)}"
            subprocess.run(["cp", "--sparse=always", image, copy], check=True)
            copies.append((copy, max(run_folder.checkpoints(mounted / "new" / "run"))))

    try:
        subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop,commit=300", image, mounted], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing can be mounted here")
    try:
        train(ASKED, mounted / "new" / "run", Copying())
    finally:
        subprocess.run(["umount", mounted], check=True)
    for copy, done in copies:
        subprocess.run(["mount", "-o", "loop", copy, mounted], check=True)
        try:
            told = Told()
            resume(mounted / "new" / "run", told)
            assert told.messages == []
            assert told.stages[0][2] == done * ASKED.block
            assert_same_bits(mounted / "new" / "run", undisturbed)
        finally:
            subprocess.run(["umount", mounted], check=True)
    assert len(copies) == BLOCKS + 4


# -- where something is missing all the same -----------------------------------------------------------------


@pytest.fixture(scope="module")
def half_way(cuts: list[Cut], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run after four of its six blocks, with the checkpoints of blocks 3 and 4."""
    cut = next(cut for cut in cuts if cut.done == 4)
    folder = tmp_path_factory.mktemp("half_way") / "disk"
    lay_out(cut.image, folder)
    run = folder / "new" / "run"
    assert set(run_folder.checkpoints(run)) == {3, 4}
    return run


@pytest.mark.parametrize(
    ("lost", "how", "goes_on"),
    [
        ("blocks/train/excitatory/000003", "missing", 3),
        ("blocks/train/excitatory/000003", "damaged", 3),
        ("blocks/train/excitatory/000002", "empty", 0),
        ("checkpoints/000004", "missing", 3),
        ("checkpoints/000004", "empty", 3),
        ("checkpoints", "damaged", 0),
        ("accuracies/000000020", "missing", 0),
        ("snapshots/000000010", "damaged", 0),
        ("snapshots/000000000", "empty", 4),
    ],
)
def test_missing_files(lost: str, how: str, goes_on: int, half_way: Path, undisturbed: Path, tmp_path: Path) -> None:
    run = shutil.copytree(half_way, tmp_path / "run")
    for file in sorted((run / lost).iterdir()) if lost == "checkpoints" else [run / lost]:
        content = bytearray(file.read_bytes())
        file.unlink()
        if how != "missing":
            content[-1] ^= 1
            file.write_bytes(b"" if how == "empty" else content)
    if how == "missing" and lost.startswith("checkpoints"):
        lost = ""  # nothing tells that they were there: the run goes on from the ones before, or the start
    told = Told()
    resume(run, told)
    assert told.stages[0] == ("Training", BLOCKS * ASKED.block, goes_on * ASKED.block)
    if not lost or goes_on == 4:
        assert told.messages == []
    else:
        [message] = told.messages
        assert lost in message
        assert "is missing" in message if how == "missing" else "is damaged" in message
        assert ("trained again from the start" if goes_on == 0 else f"checkpoint of block {goes_on}") in message
    assert_same_bits(run, undisturbed)


def test_a_run_killed_while_it_is_measured_measures_again(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_accuracies", killed)
        with pytest.raises(KeyboardInterrupt):
            train(ASKED, tmp_path / "run")
    told = Told()
    resume(tmp_path / "run", told)
    assert told.messages == []
    assert told.stages[0][2] == 20
    assert_same_bits(tmp_path / "run", undisturbed)


# -- complete runs whose results are lost --------------------------------------------------------------------


def test_lost_results_are_trained_again(undisturbed: Path, tmp_path: Path) -> None:
    run = shutil.copytree(undisturbed, tmp_path / "run")
    (run / results.FILE_NAME).unlink()
    told = Told()
    resume(run, told)
    [message] = told.messages
    assert "blocks/train/excitatory/000000: is missing" in message
    assert message.endswith("the run is trained again from the start")
    assert_same_bits(run, undisturbed)


def test_a_run_that_is_trained_again_keeps_what_it_knew_until_it_knows_it_again(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(undisturbed, tmp_path / "run")
    (run / results.FILE_NAME).unlink()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_accuracies", killed)
        with pytest.raises(KeyboardInterrupt):
            resume(run)
    assert set(run_folder.checkpoints(run)) == {1, 2, 5, 6}
    told = Told()
    resume(run, told)
    assert told.stages[0][2] == 20
    assert_same_bits(run, undisturbed)


def _torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _text(file: Path) -> None:
    file.write_text("no netCDF")


def _without_groups(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        del opened["evaluation"], opened["activity"]


def _others(file: Path) -> None:
    file.unlink()
    with h5py.File(file, "w") as opened:
        opened["something"] = [1, 2]


@pytest.mark.parametrize("tear", [_torn, _empty, _text, _without_groups, _others])
def test_torn_results_are_written_again(
    tear: Callable[[Path], None], cuts: list[Cut], undisturbed: Path, tmp_path: Path
) -> None:
    """From what there is, while it is there."""
    cut = next(cut for cut in cuts if cut.phase == "drop_intermediate")
    lay_out(cut.image, tmp_path / "disk")
    run = tmp_path / "disk" / "new" / "run"
    tear(run / results.FILE_NAME)
    told = Told()
    resume(run, told)
    assert told.messages == [f"{run / results.FILE_NAME}: is damaged, and is written again"]
    assert told.stages[0][2] == BLOCKS * ASKED.block
    assert_same_bits(run, undisturbed)


def test_a_folder_in_the_place_of_the_results_is_left(undisturbed: Path, tmp_path: Path) -> None:
    run = shutil.copytree(undisturbed, tmp_path / "run")
    (run / results.FILE_NAME).unlink()
    (run / results.FILE_NAME / "precious").mkdir(parents=True)
    with pytest.raises(RunFolderError, match="is a folder, where results are to be written; move it"):
        resume(run)
    assert (run / results.FILE_NAME / "precious").is_dir()


def test_results_that_are_a_link_are_replaced_and_not_written_through(undisturbed: Path, tmp_path: Path) -> None:
    run = shutil.copytree(undisturbed, tmp_path / "run")
    (tmp_path / "elsewhere").write_text("precious")
    (run / results.FILE_NAME).unlink()
    (run / results.FILE_NAME).symlink_to(tmp_path / "elsewhere")
    resume(run)
    assert (tmp_path / "elsewhere").read_text() == "precious"
    assert_same_bits(run, undisturbed)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3"])
def test_damaged_configurations_are_named(content: str, undisturbed: Path, tmp_path: Path) -> None:
    run = shutil.copytree(undisturbed, tmp_path / "run")
    (run / run_folder.CONFIGURATION).write_text(content)
    with pytest.raises(RunFolderError, match=r"configuration.json is damaged"):
        resume(run)


def test_what_killed_processes_left_is_cleared(undisturbed: Path, half_way: Path, tmp_path: Path) -> None:
    run = shutil.copytree(half_way, tmp_path / "run")
    gone = subprocess.Popen(["true"])
    gone.wait()
    places = (".results.nc", "checkpoints/.000005", "blocks/train/excitatory/.000004")
    left = [f"{place}.{gone.pid}.tmp" for place in places]
    kept = [f".results.nc.{os.getppid()}.tmp", "notes.tmp"]
    for name in (*left, *kept):
        (run / name).write_text("half of it")
    resume(run)
    assert not [name for name in left if (run / name).exists()]
    assert all((run / name).exists() for name in kept), "another process may be writing it"
    assert_same_bits(run, undisturbed)


def test_a_damaged_checkpoint_is_passed_over_where_a_model_is_looked_at(
    undisturbed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = shutil.copytree(undisturbed, tmp_path / "run")
    (run / "checkpoints" / "000006").write_bytes(b"")
    found = run_folder.last_checkpoint(run)
    assert found is not None
    assert found[0] == 5
    assert caplog.messages == [f"{run}/checkpoints/000006: is damaged; the checkpoint before it is taken"]
