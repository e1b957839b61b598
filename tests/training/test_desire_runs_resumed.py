"""Runs with desires that are stopped or killed anywhere, dropout on: resuming ends at the uninterrupted run's bits."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path

import numpy as np
import pytest

from hebbarium.engine import run_folder
from hebbarium.files.errors import Stopped
from hebbarium.record import results
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import resume, train
from tests.engine.equal_runs import assert_same_bits
from tests.engine.test_interrupted_runs import start
from tests.training.test_supervised_runs import stop_after

pytestmark = pytest.mark.slow

#: two epochs of three blocks: the third ends with the first epoch
ASKED = RunSettings(
    model="desire_backprop",
    changes={
        "layers": "20,10", "steps": "6", "margin": "1", "eta": "1e-3", "eta_decay": "0.5", "p_hidden": "0.3",
        "p_input": "0.1",
    },
    images=30, epochs=2, block=10, test_images=20, snapshots=50, seed=3,
)  # fmt: skip
BLOCKS, BORDER = 6, 3
#: the second block of three lies on both sides of the border
ACROSS = dataclasses.replace(ASKED, block=20)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing happened to."""
    return train(ASKED, tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="module")
def across(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with blocks that do not end where the first epoch does."""
    return train(ACROSS, tmp_path_factory.mktemp("across") / "run")


@pytest.mark.long
def test_every_block_learns_and_the_second_epoch_less(whole: Path, across: Path) -> None:
    """Without this, the bits would be the same for want of anything that could differ."""
    for run, blocks in ((whole, BLOCKS), (across, 3)):
        with results.open_run(run) as tree:
            for pathway in ("input_to_hidden_1", "hidden_1_to_hidden_2", "hidden_2_to_output"):
                w = results.array(tree, f"weights/{pathway}/w")
                assert len(w) == blocks + 1
                moved = np.abs(np.diff(w, axis=0)).max(axis=(1, 2))
                assert (moved > 0).all(), f"{pathway} has a block in which it learns nothing"
    first, second = run_folder.last_checkpoint(whole), run_folder.last_checkpoint(across)
    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == (BLOCKS, 3)
    assert (first[1]["to_output.w"] != second[1]["to_output.w"]).any(), "dropout is drawn anew for each block"


@pytest.mark.parametrize("blocks", [range(1, BLOCKS), range(1, 3)], ids=["with the epochs", "across their border"])
def test_stopped_after_every_block(
    blocks: range, whole: Path, across: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of an epoch, at its border, on both sides of it: each time one block further than before."""
    out = tmp_path / "run"
    asked, uninterrupted = (ASKED, whole) if len(blocks) == BLOCKS - 1 else (ACROSS, across)
    for block in blocks:
        with monkeypatch.context() as patch:
            stop_after(block, patch)
            with pytest.raises(Stopped, match="last whole block"):
                train(asked, out) if block == 1 else resume(out)
        found = run_folder.last_checkpoint(out)
        assert found is not None
        assert found[0] == block
    resume(out)
    assert_same_bits(out, uninterrupted)


def test_killed_while_a_checkpoint_is_written(whole: Path, tmp_path: Path) -> None:
    """The first one after the border: its block is done again, and learns at the second epoch's rate."""
    out = tmp_path / "run"
    dying = (
        "replace = os.replace\n"
        "def killing(a, b):\n"
        f"    if 'checkpoints' in str(b) and int(os.path.basename(b).split('.')[0]) == {BORDER + 1}:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    replace(a, b)\n"
        "os.replace = killing\n"
    )
    engine = start(ASKED, out, dying)
    engine.wait(120)
    assert engine.returncode == -signal.SIGKILL
    found = run_folder.last_checkpoint(out)
    assert found is not None
    assert found[0] == BORDER
    resume(out)
    assert_same_bits(out, whole)
