"""Whatever kills a run, `resume` ends at the bits of the uninterrupted run."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hebbarium.engine import run_folder
from hebbarium.files.errors import RunFolderError
from hebbarium.record import results
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import resume, train
from tests.engine.equal_runs import Told, assert_same_bits

ROOT = Path(__file__).parents[2]


def start(asked: RunSettings, out: Path, before: str = "") -> subprocess.Popen[bytes]:
    """A run in a process of its own, after some Python of the test's."""
    code = (
        "import json, os, signal, sys\n"
        "from hebbarium.training.run_settings import RunSettings\n"
        "from hebbarium.training import checkpoints\n"
        "from hebbarium.training.training import train\n"
        "checkpoints.EVERY = 0.0\n"
        f"{before}\n"
        "train(RunSettings(**json.loads(sys.argv[1])), __import__('pathlib').Path(sys.argv[2]))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(asked.record()), str(out)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def stopped_after(checkpoint: int, asked: RunSettings, out: Path) -> subprocess.Popen[bytes]:
    """A run that stands still once it has written a checkpoint, however fast it is: SIGCONT makes it go on."""
    engine = start(
        asked,
        out,
        # a run that stands still is not left behind, whatever happens to the test
        "from hebbarium.engine import interruption\n"
        "interruption.die_with_parent()\n"
        "replace = os.replace\n"
        "def stopping(a, b):\n"
        "    replace(a, b)\n"
        f"    if str(b).endswith('checkpoints/{checkpoint:06d}'):\n"
        "        os.kill(os.getpid(), signal.SIGSTOP)\n"
        "os.replace = stopping\n",
    )
    deadline = time.monotonic() + 300
    while not os.waitid(os.P_PID, engine.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG):
        if time.monotonic() > deadline:
            engine.kill()
        time.sleep(0.005)
    if engine.poll() is not None:
        pytest.fail(f"no checkpoint {checkpoint}: {engine.stderr.read().decode() if engine.stderr else ''}")
    return engine


def killed_after(checkpoint: int, asked: RunSettings, folder: Path) -> Path:
    """A run that was killed once it had written a checkpoint."""
    out = folder / "run"
    engine = stopped_after(checkpoint, asked, out)
    engine.kill()
    engine.wait()
    return out


def children(of: int) -> list[int]:
    """Processes started by a process."""
    found = []
    for listed in Path(f"/proc/{of}/task").glob("*/children"):
        try:
            for child in listed.read_text().split():
                if Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(int(child))
        except OSError:
            continue
    return found


def kill_binary(engine: subprocess.Popen[bytes]) -> int:
    """Kill the compiled program of a run, when there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and engine.poll() is None:
        for child in children(engine.pid):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
            return child
    pytest.fail("the run started no compiled program")


@pytest.fixture
def slow(small: RunSettings, uninterrupted: Path) -> RunSettings:
    """The same run; asking for it makes sure that its programs are compiled."""
    return small


@pytest.mark.parametrize("victim", ["engine", pytest.param("binary", marks=pytest.mark.long), "both"])
def test_resume_after_kill(victim: str, slow: RunSettings, uninterrupted: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    engine = stopped_after(3, slow, out)
    engine.send_signal(signal.SIGCONT)
    if victim in ("binary", "both"):
        kill_binary(engine)
    if victim in ("engine", "both"):
        engine.kill()
    engine.wait(120)
    if victim == "binary":
        assert engine.stderr is not None
        assert b"SIGKILL" in engine.stderr.read()
    assert engine.returncode != 0
    assert children(engine.pid) == []
    done = run_folder.last_checkpoint(out)
    assert done is not None
    assert 3 <= done[0] < 12
    resume(out)
    assert_same_bits(out, uninterrupted)


def test_binary_dies_with_the_engine(slow: RunSettings, tmp_path: Path) -> None:
    out = tmp_path / "run"
    engine = start(dataclasses.replace(slow, images=2000, block=1000), out)
    deadline = time.monotonic() + 120
    while not (started := children(engine.pid)) and time.monotonic() < deadline:
        time.sleep(0.001)
    engine.kill()
    engine.wait()
    time.sleep(0.2)
    alive = [
        pid
        for pid in started
        if Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    ]
    assert started
    assert not alive


@pytest.mark.parametrize(
    "target",
    [
        "checkpoints", "blocks", "results.nc",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("snapshots", "inputs")),
    ],
)
def test_resume_after_kill_between_writing_and_renaming(
    target: str, slow: RunSettings, uninterrupted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    dying = (
        "replace, seen = os.replace, []\n"
        "def killing(a, b):\n"
        f"    if {target!r} in str(b):\n"
        "        seen.append(b)\n"
        f"        if len(seen) >= {2 if target in ('snapshots', 'results.nc') else 5}:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "    replace(a, b)\n"
        "os.replace = killing\n"
    )
    engine = start(slow, out, dying)
    engine.wait(300)
    assert engine.returncode == -signal.SIGKILL
    resume(out)
    assert_same_bits(out, uninterrupted)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
def test_signals_stop_at_the_last_whole_block(
    number: int, slow: RunSettings, uninterrupted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    engine = stopped_after(2, slow, out)
    engine.send_signal(number)
    engine.send_signal(signal.SIGCONT)
    engine.wait(60)
    assert engine.stderr is not None
    assert b"resume" in engine.stderr.read()
    resume(out)
    assert_same_bits(out, uninterrupted)


@pytest.mark.long
def test_corrupted_checkpoint_falls_back_to_the_one_before(
    slow: RunSettings, uninterrupted: Path, tmp_path: Path
) -> None:
    out = killed_after(4, slow, tmp_path)
    newest = max((out / "checkpoints").glob("[0-9]*"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    told = Told()
    resume(out, told)
    before = int(newest.name) - 1
    assert told.messages == [f"{newest}: is damaged; the run goes on from the checkpoint of block {before}"]
    assert_same_bits(out, uninterrupted)


@pytest.mark.long
def test_truncated_checkpoints_everywhere_start_anew(
    slow: RunSettings, uninterrupted: Path, tmp_path: Path
) -> None:
    out = killed_after(3, slow, tmp_path)
    for file in (out / "checkpoints").glob("[0-9]*"):
        os.truncate(file, 100)
    told = Told()
    resume(out, told)
    [message] = told.messages
    assert "1: is damaged (and 2 more); the run is trained again from the start" in message
    assert_same_bits(out, uninterrupted)


def test_two_runs_into_one_folder(slow: RunSettings, uninterrupted: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="exists already"):
        train(slow, uninterrupted)
    out = tmp_path / "run"
    engine = stopped_after(1, slow, out)
    with pytest.raises(RunFolderError, match="another process"):
        resume(out)
    engine.kill()
    engine.wait()


def test_unwritable_folder(slow: RunSettings) -> None:
    with pytest.raises(RunFolderError, match="cannot be created"):
        train(slow, Path("/proc/run"))


def test_full_disk_leaves_a_resumable_run(slow: RunSettings, uninterrupted: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: writing fails in the middle."""
    out = tmp_path / "run"
    limit = 20_000  # bytes: responses fit, checkpoints of the weights do not
    engine = start(
        slow, out, f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    )
    engine.wait(120)
    assert engine.stderr is not None
    message = engine.stderr.read().decode()
    assert engine.returncode == 1
    assert "cannot be written" in message
    assert "Error" in message
    resume(out)
    assert_same_bits(out, uninterrupted)


def test_complete_run_is_left_alone(uninterrupted: Path) -> None:
    before = (uninterrupted / "results.nc").stat().st_mtime_ns
    resume(uninterrupted)
    assert (uninterrupted / "results.nc").stat().st_mtime_ns == before


def test_any_number_of_images_and_any_block(slow: RunSettings, tmp_path: Path) -> None:
    odd = train(dataclasses.replace(slow, images=47, block=20, labels_from="all"), tmp_path / "odd")
    with results.open_run(odd) as tree:
        assert tree["activity/excitatory"].sizes["sample"] == 47
        np.testing.assert_array_equal(np.bincount(results.array(tree, "activity/excitatory/block")), [20, 20, 7])


def test_responses_do_not_depend_on_the_number_of_processes(
    slow: RunSettings, uninterrupted: Path, tmp_path: Path
) -> None:
    two = train(dataclasses.replace(slow, jobs=2), tmp_path / "two")
    assert_same_bits(two, uninterrupted)


def test_seeds_differ(slow: RunSettings, uninterrupted: Path, tmp_path: Path) -> None:
    other = train(dataclasses.replace(slow, seed=4), tmp_path / "other")
    with results.open_run(other) as a, results.open_run(uninterrupted) as b:
        name = "weights/input_to_excitatory/w"
        assert not np.array_equal(results.array(a, name), results.array(b, name))


def test_warm_start_begins_with_the_trained_weights(
    slow: RunSettings, uninterrupted: Path, tmp_path: Path
) -> None:
    warm = train(dataclasses.replace(slow, images=20, warm_start=str(uninterrupted)), tmp_path / "warm")
    with results.open_run(warm) as a, results.open_run(uninterrupted) as b:
        name = "weights/input_to_excitatory/w"
        np.testing.assert_array_equal(results.array(a, name)[0], results.array(b, name)[-1])
