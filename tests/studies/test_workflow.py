"""Sweeps and tables as a workflow: what is written, and that killed jobs come to the same numbers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hebbarium.commands import commandline
from hebbarium.engine import run_folder
from hebbarium.training import sweeps

SWEEP = [
    "synaptic_scaling", "--set", "w_t=3,5", "--neurons", "20", "--images", "1500", "--block", "20",
    "--test-images", "50",
]  # fmt: skip


def command(*arguments: object) -> Result:
    return CliRunner().invoke(commandline.app, list(map(str, arguments)))


def test_a_sweep_is_written_with_a_job_for_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEBBARIUM_MEMBER", "a value")
    done = command("workflow", *SWEEP, "--sweep", "--seeds", "0-1", "--out", tmp_path / "flow")
    assert done.exit_code == 0, done.output
    assert "4 runs, one job each" in done.output
    made = {str(file.relative_to(tmp_path / "flow")) for file in (tmp_path / "flow").rglob("*") if file.is_file()}
    assert made == {"Snakefile", "config.yaml", "profiles/default/config.yaml", "profiles/slurm/config.yaml"}
    configuration: dict[str, Any] = json.loads((tmp_path / "flow" / "config.yaml").read_text())
    assert [run["name"] for run in configuration["runs"].values()] == [
        f"w_t={w_t}_seed={seed}" for w_t in (3, 5) for seed in (0, 1)
    ]
    assert configuration["environment"]["HEBBARIUM_MEMBER"] == "a value"
    assert configuration["command"][:5] == [
        sys.executable, "-m", "hebbarium.commands.commandline", "sweep", "synaptic_scaling"
    ]  # fmt: skip
    assert configuration["command"][-2:] == ["--out", str(tmp_path / "flow" / "runs")]
    again = command("workflow", *SWEEP, "--sweep", "--out", tmp_path / "flow")
    assert again.exit_code == 1
    assert "something of this name is there already" in again.output


def test_a_run_waits_for_the_one_that_it_begins_with(tmp_path: Path) -> None:
    """What `hebbarium reproduce` lists: the second schedule of a network begins with what the first has learned."""
    done = command(
        "reproduce", "symmetric_stdp", "--embedded", "--images", "100", "--test-images", "50", "--seeds", "0",
        "--table", "1", "--neurons", "100", "--out", tmp_path / "runs", "--results", tmp_path, "--only", "list",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    runs: dict[str, list[str]] = json.loads(done.output)
    waiting = {name: before for name, before in runs.items() if before}
    assert waiting
    assert all(runs[first] == [] for before in waiting.values() for first in before)
    order = list(runs)
    assert all(order.index(first) < order.index(name) for name, before in waiting.items() for first in before)
    assert not list(tmp_path.iterdir())


def test_what_the_command_refuses_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = command("workflow", "synaptic_scaling", "--table", "XX", "--out", tmp_path / "flow")
    assert done.exit_code == 1
    assert "table XX: expected one of" in done.output
    assert not list(tmp_path.iterdir())


def test_a_part_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = command("sweep", *SWEEP, "--out", tmp_path / "runs", "--only", "w_t=9_seed=0")
    assert done.exit_code == 1
    assert "--only w_t=9_seed=0: there is no such run; expected one of list, compile, w_t=3_seed=0" in done.output


def snakemake(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Snakemake in a session of its own; without arguments, one job at a time."""
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *(arguments or ("--cores", "1"))], cwd=folder, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip


def training(run: Path) -> list[int]:
    """Processes of the job that trains a run: those whose arguments name it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"--only" in words and run.name.encode() in words and str(run.parent).encode() in words:
                found.append(int(folder.name))
    return found


def until_half_trained(run: Path, process: subprocess.Popen[bytes], limit: float = 900.0) -> None:
    end = time.monotonic() + limit
    while not (run.is_dir() and run_folder.checkpoints(run)):
        assert process.poll() is None, (process.args, "ended before a run was under way")
        assert time.monotonic() < end, "no run was under way in time"
        time.sleep(0.02)


@pytest.mark.long
def test_killed_jobs_go_on_and_come_to_the_same_numbers(tmp_path: Path) -> None:
    pytest.importorskip("snakemake", reason="Snakemake is not installed")
    flow = tmp_path / "flow"
    assert command("workflow", *SWEEP, "--sweep", "--out", flow).exit_code == 0
    runs = [flow / "runs" / f"w_t={w_t}_seed=0" for w_t in (3, 5)]
    process = snakemake(flow)
    try:
        while not any(run.is_dir() and run_folder.checkpoints(run) for run in runs):
            assert process.poll() is None, (flow / "said.txt").read_text()
            time.sleep(0.02)
        (under_way,) = [run for run in runs if run.is_dir()]
        assert training(under_way), "the run was over before it could be killed"
        for number in training(under_way):  # a job is killed, and tried again
            os.kill(number, signal.SIGKILL)
        (later,) = [run for run in runs if run != under_way]
        until_half_trained(later, process)
        assert training(later), "the run was over before it could be killed"
        numbers = training(later)
        os.killpg(process.pid, signal.SIGKILL)  # all of it at once
        process.wait()
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert not (flow / "table.txt").exists()
    assert snakemake(flow, "--unlock").wait() == 0
    assert snakemake(flow).wait() == 0, (flow / "said.txt").read_text()
    assert_as_whole(flow, tmp_path / "whole")
    assert snakemake(flow).wait() == 0
    assert "Nothing to be done" in (flow / "said.txt").read_text()


def assert_as_whole(flow: Path, whole: Path) -> None:
    """The workflow came to the numbers of an uninterrupted sweep, which is made here."""
    done = command("sweep", *SWEEP, "--out", whole)
    assert done.exit_code == 0, done.output
    ours, theirs = ((folder / sweeps.SUMMARY).read_text() for folder in (flow / "runs", whole))
    assert ours == theirs
    assert (flow / "table.txt").read_text().splitlines()[:4] == done.stdout.splitlines()[:4]


def said_by(*words: str) -> str:
    """What a command of the scheduler says; nothing if it is not there, or fails."""
    if not shutil.which(words[0]):
        return ""
    return subprocess.run(words, text=True, capture_output=True, check=False).stdout


@pytest.mark.long
@pytest.mark.skipif(not said_by("sinfo", "--noheader"), reason="needs a Slurm that answers sinfo")
def test_slurm_runs_the_jobs_and_one_that_it_kills_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="the executor for Slurm is not installed")
    flow = tmp_path / "flow"
    assert command("workflow", *SWEEP, "--sweep", "--out", flow).exit_code == 0
    runs = [flow / "runs" / f"w_t={w_t}_seed=0" for w_t in (3, 5)]
    process = snakemake(
        flow, "--profile", "profiles/slurm", "--jobs", "1", "--slurm-status-command", "squeue"  # no accounting
    )
    try:
        while not any(run.is_dir() and run_folder.checkpoints(run) for run in runs):
            assert process.poll() is None, (flow / "said.txt").read_text()
            time.sleep(0.02)
        (job,) = said_by("squeue", "--noheader", "--states", "running", "--format", "%A").split()
        subprocess.run(["scancel", "--signal", "KILL", job], check=True)
        assert process.wait() == 0, (flow / "said.txt").read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert "Trying to restart" in (flow / "said.txt").read_text()
    assert_as_whole(flow, tmp_path / "whole")
