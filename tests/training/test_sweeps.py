"""Sweeps: every combination once, going on where they were stopped, and one failure among many."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
import xarray as xr
from brian2 import ms
from hypothesis import given
from hypothesis import strategies as st

from hebbarium.engine import run_folder
from hebbarium.files.errors import RunFolderError
from hebbarium.record import results
from hebbarium.training import many_runs, sweeps, training
from hebbarium.training.many_runs import PlannedRun
from hebbarium.training.parameters import SettingError
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

BASE = RunSettings(changes={"neurons": "20"}, images=40, block=20, test_images=20, labels_from="all", snapshots=1)


def test_every_combination_is_planned_once(tmp_path: Path) -> None:
    values = sweeps.values_of("synaptic_scaling", ["w_t=3,5,7", "tau_p=20 ms,60*ms"])
    planned = sweeps.plan(BASE, values, (0, 1), tmp_path)
    assert len(planned) == 12
    assert len({swept.run.folder for swept in planned}) == 12
    assert planned[0].run.name == "w_t=3_tau_p=20ms_seed=0"
    assert planned[0].run.settings.changes == {"neurons": 20, "w_t": 3.0, "tau_p": 20 * ms}


@pytest.mark.parametrize("texts", [["w_t=3,3"], ["w_t=3,"], ["tau_p=20*ms,20 ms"], ["w_q=1"], ["w_t=1", "w_t=2"]])
def test_values_that_make_no_sense_are_refused(texts: list[str]) -> None:
    with pytest.raises(SettingError):
        sweeps.values_of("synaptic_scaling", texts)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20, unique=True))
def test_seeds_are_read(seeds: list[int]) -> None:
    assert sweeps.seeds_of(",".join(map(str, seeds))) == tuple(seeds)


@given(st.text(max_size=12))
def test_any_text_is_seeds_or_refused(text: str) -> None:
    if not set(text) <= set("0123456789, -"):
        with pytest.raises(ValueError, match="--seeds"):
            sweeps.seeds_of(text)


def test_a_sweep_is_made_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = sweeps.values_of("synaptic_scaling", ["w_t=3,9"])
    planned = sweeps.plan(BASE, values, (0, 1), tmp_path)
    assert all(not outcome.problem for outcome in sweeps.go(planned[:3], tmp_path, jobs=2))
    first = (planned[0].run.folder / "results.nc").stat().st_mtime_ns
    outcomes = sweeps.go(planned, tmp_path, jobs=2)
    assert (planned[0].run.folder / "results.nc").stat().st_mtime_ns == first
    with (tmp_path / sweeps.SUMMARY).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["w_t"], row["seed"]) for row in rows] == [("3", "0"), ("3", "1"), ("9", "0"), ("9", "1")]
    assert all(0 <= float(row["most_active"]) <= 100 for row in rows)
    table = sweeps.table(outcomes, planned)
    assert table.splitlines()[0] == "| w_t | seeds | most_active | class_mean |"
    assert table.count("±") == 4
    alone = training.train(planned[3].run.settings, tmp_path / "alone")
    with results.open_run(alone) as one, results.open_run(planned[3].run.folder) as other:
        assert one["test/excitatory"].to_dataset().equals(other["test/excitatory"].to_dataset())

    opened: list[Path] = []

    def noted(run: Path) -> xr.DataTree:
        opened.append(run)
        return results.open_run(run)

    monkeypatch.setattr(sweeps, "results", types.SimpleNamespace(open_run=noted))
    sweeps.go(planned, tmp_path)
    assert opened == [swept.run.folder for swept in planned]  # each once, not all of them again with each


def test_the_summary_says_which_accuracies_mean_little(tmp_path: Path) -> None:
    planned = sweeps.plan(BASE, sweeps.values_of("synaptic_scaling", ["v_thresh=-40*mV,900*mV"]), (0,), tmp_path)
    assert all(not outcome.problem for outcome in sweeps.go(planned, tmp_path))
    with (tmp_path / sweeps.SUMMARY).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["v_thresh"] for row in rows] == ["-40*mV", "900*mV"]
    assert "no neuron fired" in rows[1]["warning"]
    for row, swept in zip(rows, planned, strict=True):
        with results.open_run(swept.run.folder) as tree:
            assert row["warning"] == tree["evaluation"].attrs.get("warning", "")


def test_a_run_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    runs = [
        PlannedRun("bad", BASE, tmp_path / "blocked" / "run"),
        PlannedRun("good", BASE, tmp_path / "good"),
    ]
    (tmp_path / "blocked").write_text("a file where a folder should be")
    complete: list[str] = []
    outcomes = many_runs.run_all(runs, on_complete=lambda run: complete.append(run.name))
    assert outcomes[0].problem
    assert not outcomes[1].problem
    assert complete == ["good"]


def test_a_folder_with_other_settings_is_refused(tmp_path: Path) -> None:
    run = PlannedRun("run", BASE, tmp_path / "run")
    many_runs.run_all([run])
    other = PlannedRun("run", RunSettings(**{**BASE.__dict__, "seed": 7}), tmp_path / "run")
    with pytest.raises(RunFolderError, match=r"other settings \(seed=0\)"):
        many_runs.run_all([other])


def test_what_a_killed_run_left_before_it_began_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").touch()
    assert not many_runs.run_all([PlannedRun("run", BASE, tmp_path / "run")])[0].problem


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL]
)
def test_a_sweep_that_is_stopped_leaves_no_process_and_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    size = [
        "--neurons",
        "20",
        "--images",
        "1000",
        "--block",
        "20",
        "--test-images",
        "10",
        "--labels-from",
        "all",
    ]
    words = ["sweep", "synaptic_scaling", *size, "--set", "w_t=3,9", "--jobs", "2", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "hebbarium.commands.commandline", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 300
    while not _both_have_begun(tmp_path) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=90)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    if number != signal.SIGKILL:
        assert said.strip().splitlines()[-1].startswith("hebbarium: stopped by a signal")
    deadline = time.monotonic() + 30
    while _in_session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _in_session(process.pid)
    for run in tmp_path.glob("*=*"):
        assert run_folder.last_checkpoint(run) is not None
        training.resume(run)
        assert Run.open(run).is_complete


def _both_have_begun(sweep: Path) -> bool:
    return len({file.parent for file in sweep.glob("*/checkpoints/[0-9]*")}) == 2


def _in_session(session: int) -> list[str]:
    """Command lines of the processes of a session that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session and "Z" not in folder.joinpath("stat").read_text().split()[2]:
                found.append(folder.joinpath("cmdline").read_text())
        except OSError:
            continue
    return [line for line in found if line]
