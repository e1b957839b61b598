"""State that is no number stops a run where it arose, and is not taken from a file."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.catalogue import registry
from hebbarium.engine import block_file, devices, run_folder, state_checks
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, BlockResult, Program, Structure
from hebbarium.files.errors import UnsoundState
from hebbarium.training import evaluation, training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.models.small_networks import small_model

ASKED = RunSettings(
    changes={"neurons": "4", "t_train": "20*ms", "t_test": "20*ms"}, images=20, block=10, test_images=10,
    device="numpy",
)  # fmt: skip
State = dict[str, NDArray[Any]]


def first(name: str, phase: str | None = None) -> tuple[Any, State]:
    """A model, and the state that it begins with."""
    model = registry.find(name)()
    if name == "synaptic_scaling":
        model = small_model()
    phase = phase or model.phases[0]
    return model, dict(initial_state(model, phase, model.initial_state(np.random.default_rng(0))))


@pytest.mark.parametrize("name", registry.models())
def test_state_that_models_begin_with_is_sound(name: str) -> None:
    model, state = first(name)
    state_checks.refuse(model, model.phases, state, state, "here", "do")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["plastic.w"].__setitem__(7, np.nan), r"here: 1 of 512 values of plastic.w .* \(nan\) at 7; do"),
        (lambda s: s["excitatory.v"].__setitem__(slice(2, 5), np.inf), r"3 of 8 values of excitatory.v .*inf. at 2"),
        (lambda s: s["inhibitory.lastspike"].__setitem__(1, np.nan), "1 of 8 values of inhibitory.lastspike"),
        (lambda s: s["inhibitory.lastspike"].__setitem__(1, np.inf), "1 of 8 values of inhibitory.lastspike"),
        (lambda s: s.pop("excitatory.theta"), "lacks excitatory.theta, expected all state of synaptic_scaling"),
        (lambda s: s.update({"plastic.w": np.zeros(3)}), "plastic.w has 3 values, expected 512"),
        (lambda s: s.update({"plastic.w": np.zeros(512, "U1")}), "plastic.w is of type <U1, expected numbers"),
        (lambda s: s.update({"other": np.array([np.nan])}), "1 of 1 values of other"),
    ],
)
def test_unsound_state_is_refused_with_variable_number_and_place(change: Callable[[State], None], words: str) -> None:
    model, state = first("synaptic_scaling")
    needed = list(state)
    change(state)
    with pytest.raises(UnsoundState, match=words):
        state_checks.refuse(model, ("train",), state, needed, "here", "do")


def test_a_time_may_be_endlessly_long_ago() -> None:
    model, state = first("synaptic_scaling")
    state["inhibitory.lastspike"][:] = -np.inf
    state_checks.refuse(model, ("train",), state, (), "here", "do")


class Diverging:
    """A program whose second block ends with potentials that are no numbers."""

    blocks = 0

    def __init__(self, program: Program) -> None:
        self.program, self.structure = program, program.structure

    def run(self, block: Block) -> BlockResult:
        result = self.program.run(block)
        if self.structure.phase == "train":
            Diverging.blocks += 1
            if Diverging.blocks > 1:
                result.state["excitatory.v"][3] = np.nan
        return result


def test_a_run_stops_at_the_block_in_which_its_state_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program: Callable[[Structure, Path], Program] = devices.program
    monkeypatch.setattr(devices, "program", lambda structure, scratch: Diverging(program(structure, scratch)))
    Diverging.blocks = 0
    words = r"block 2 of training: 1 of 4 values of excitatory.v .*\(nan\) at 3; .*resume` would come to the same"
    with pytest.raises(UnsoundState, match=words):
        training.train(ASKED, tmp_path / "run")
    found = run_folder.last_checkpoint(tmp_path / "run")
    assert found is not None
    assert found[0] == 1
    with pytest.raises(UnsoundState, match=words):
        training.resume(tmp_path / "run")
    state = found[1]
    state["plastic.w"][5] = np.inf
    block_file.write(run_folder.checkpoints(tmp_path / "run")[1], state)
    with pytest.raises(UnsoundState, match=r"the checkpoint of block 1: 1 of 3136 values of plastic.w .*\(inf\) at 5"):
        training.resume(tmp_path / "run")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training.train(ASKED, tmp_path_factory.mktemp("trained") / "run")


def with_checkpoint(trained: Path, folder: Path, change: Callable[[State], None]) -> Path:
    """A copy of a run whose last checkpoint was changed, with a right checksum."""
    run = Path(shutil.copytree(trained, folder / "run"))
    file = run_folder.checkpoints(run)[2]
    state = block_file.read(file)
    change(state)
    block_file.write(file, state)
    return run


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["plastic.w"].__setitem__(0, np.nan), r"plastic.w are no finite numbers, the first \(nan\) at 0"),
        (lambda s: s.update({"plastic.w": np.zeros(3)}), "plastic.w has 3 values, expected 3136"),
        (lambda s: s.pop("plastic.w"), "lacks plastic.w"),
    ],
)
def test_unsound_checkpoints_are_refused_wherever_they_are_read(
    trained: Path, tmp_path: Path, change: Callable[[State], None], words: str
) -> None:
    run = with_checkpoint(trained, tmp_path, change)
    for read in (lambda run: Run.open(run).state, evaluation.evaluate):
        with pytest.raises(UnsoundState, match=f"the checkpoint of block 2: .*{words}.*train again"):
            read(run)


# -- files -------------------------------------------------------------------------------------------------


def framed(content: bytes) -> bytes:
    """A file with a right checksum, whatever it holds."""
    whole = block_file.MAGIC + content
    return whole + struct.pack("<I", zlib.crc32(whole))


def array(name: bytes = b"a", kind: bytes = b"<f8", size: int | None = None, data: bytes = b"\0" * 8) -> bytes:
    """One array of a file."""
    announced = len(data) if size is None else size
    parts = (struct.pack("<I", len(name)), name, struct.pack("<I", len(kind)), kind, struct.pack("<Q", announced), data)
    return b"".join(parts)


ONE = struct.pack("<I", 1)


@pytest.mark.parametrize(
    "content",
    [
        framed(b""),
        framed(struct.pack("<I", 2**32 - 1)),
        framed(ONE + array(size=2**60)),
        framed(ONE + array(size=2**64 - 1)),
        framed(ONE + struct.pack("<I", 2**31) + b"name"),
        framed(ONE + array(kind=b"|O")),
        framed(ONE + array(kind=b"<U9999999")),
        framed(ONE + array(kind=b"(99999,99999)<f8")),
        framed(ONE + array(kind=b"no type")),
        framed(ONE + array(kind=b"\xff\xfe")),
        framed(ONE + array(name=b"\xff")),
        framed(ONE + array(data=b"\0" * 7)),
        framed(ONE + array() + b"more"),
        framed(struct.pack("<I", 2) + array()),
    ],
)
def test_headers_that_do_not_fit_are_refused_and_not_believed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(block_file.BlockFileError, match="file: "):
        block_file.read(tmp_path / "file")


def test_damage_anywhere_is_found(tmp_path: Path) -> None:
    block_file.write(tmp_path / "file", {"a": np.arange(3.0), "b": np.zeros(0, np.int32)})
    whole = (tmp_path / "file").read_bytes()
    assert set(block_file.read(tmp_path / "file")) == {"a", "b"}
    for at in range(len(whole)):
        (tmp_path / "file").write_bytes(whole[:at])
        with pytest.raises(block_file.BlockFileError):
            block_file.read(tmp_path / "file")
        (tmp_path / "file").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(block_file.BlockFileError):
            block_file.read(tmp_path / "file")


@pytest.mark.parametrize(
    "change",
    [
        {"shape": np.array([2**40, 2**20])},
        {"shape": np.array([-1, 3])},
        {"shape": np.array([3])},
        {"shape": np.array([np.nan, 3])},
        {"sample": np.array([99], np.int32)},
        {"neuron": np.array([99], np.int32)},
        {"count": np.zeros(5, np.uint16)},
        {"sample": np.array([0.5])},
    ],
    ids=str,
)
def test_responses_that_are_no_counts_are_none(tmp_path: Path, change: State) -> None:
    with run_folder.RunFolder.create(tmp_path / "run", {}) as folder:
        folder.write_responses("train/excitatory", 0, np.eye(3, dtype=np.uint16)[:1])
        file = folder.responses_file("train/excitatory", 0)
        good = block_file.read(file)
        assert folder.read_responses("train/excitatory", 0) is not None
        block_file.write(file, {**good, **change})
        assert folder.read_responses("train/excitatory", 0) is None
        block_file.write(file, {k: v for k, v in good.items() if k not in change})
        assert folder.read_responses("train/excitatory", 0) is None
