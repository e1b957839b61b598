"""The paper of docs/own_paper.md, which does not exist: one file for its model, one for its protocol.

It needs what none of the project's papers needs: first-spike times and potentials as readout, batches of eight, an
optimiser that takes its step while nothing is shown, something that happens between passes, and a measure in hertz. It
is described, trained, resumed, swept and reproduced by the project's commands, and nothing of the project is touched.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbarium.catalogue import papers
from hebbarium.commands import commandline
from hebbarium.engine import run_folder
from hebbarium.files.errors import Stopped
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.engine.equal_runs import StoppedAfter, assert_same_bits

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "own_paper"
MODEL, PROTOCOL = ((EXAMPLE / room / "first_spikes.py").read_text() for room in ("models", "protocols"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper's folder."""
    folder = tmp_path_factory.mktemp("papers")
    for room, text in (("models", MODEL), ("protocols", PROTOCOL)):
        (folder / room).mkdir()
        (folder / room / "first_spikes.py").write_text(text)
    return folder


@pytest.fixture(autouse=True)
def known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that makes the paper known."""
    monkeypatch.setenv(papers.VARIABLE, str(folder))


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    """A run of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(papers.VARIABLE, str(folder))
        return training.train(RunSettings(**SMALL), folder / "runs" / "run")


SMALL: Mapping[str, Any] = {
    "model": "first_spikes", "images": 20, "test_images": 12, "epochs": 2, "block": 16, "device": "numpy",
    "snapshots": 3, "seed": 1,
}  # fmt: skip
"""Twenty images a pass are two batches of eight and one of four."""


def hebbarium(*arguments: object) -> Result:
    done = CliRunner().invoke(commandline.app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done


def test_it_is_listed_and_described() -> None:
    assert "first_spikes\n    Answers by the first spike" in hebbarium("models").output
    text = hebbarium("describe", "first_spikes").output
    assert "membrane time constant" in text
    assert "v_post += w*a" in text


def test_times_and_potentials_are_read_and_kept(run: Path) -> None:
    with results.open_run(run) as tree:
        assert tree.attrs["complete"]
        test = tree["test/output"].to_dataset().load()
        evaluation = tree["evaluation"].to_dataset().load()
    assert dict(test.sizes) == {"sample": 12, "neuron": 10}
    times, counts, potential = (test[name] for name in ("first_spike_time", "spike_count", "v"))
    assert (times.attrs["units"], potential.attrs["units"]) == ("ms", "mV")
    fired = counts.values > 0
    assert 0 < fired.sum() < fired.size
    assert np.array_equal(np.isnan(times.values), ~fired)
    assert (times.values[fired] >= 0).all()
    assert (times.values[fired] < 20).all()
    assert np.allclose(times.values[fired], np.rint(times.values[fired]))  # whole steps of 1 ms
    assert np.ptp(potential.values) > 0.1
    expected = []
    for sample in range(12):
        first = np.where(fired[sample], times.values[sample], np.inf)
        equal = np.flatnonzero(first == first.min())  # all, where none has fired
        expected.append(equal[np.argmax(potential.values[sample][equal])])
    assert evaluation["predicted"].sel(readout="first_spike").values.tolist() == expected


def test_an_optimiser_takes_its_step_after_each_batch(run: Path) -> None:
    state = Run.open(run, trust_model=True).state
    assert state["optimiser.steps_taken"].tolist() == [6.0] * 10  # three batches a pass, the last of each of four
    assert np.ptp(state["optimiser.b"]) > 0
    # the network learns in blocks of whole batches that end with a pass
    assert run_folder.configuration(run)["block"] == 16
    with results.open_run(run) as tree:
        assert tree["activity/output"].to_dataset()["block"].values.tolist() == [0] * 16 + [1] * 4 + [2] * 16 + [3] * 4


def test_each_sample_is_read_from_its_own_place(run: Path) -> None:
    opened = Run.open(run, trust_model=True)
    shown = opened.samples("tested")
    together = opened.respond(shown.pixels)
    for number in (0, 5, 11):
        alone = opened.respond(shown.pixels[[number]])
        for key, array in together.items():
            np.testing.assert_array_equal(array[number], alone[key][0])
    assert together["output.v"].dtype == np.float32
    assert together["output"].dtype == np.uint16


@pytest.mark.long
def test_compiled_programs_answer_alike(run: Path, tmp_path: Path) -> None:
    other = training.train(RunSettings(**{**SMALL, "device": "dense"}), tmp_path / "run")
    with results.open_run(run) as one, results.open_run(other) as two:
        for room in ("test/output", "evaluation", "activity/output", "state/optimiser"):
            left, right = one[room].to_dataset().load(), two[room].to_dataset().load()
            assert set(left) == set(right)
            for name, array in left.items():
                exact = array.dtype.kind in "iu" or name == "first_spike_time"
                error = 0 if exact else 1e-5  # single precision; exponentials are rounded in other ways
                np.testing.assert_allclose(right[name].values, array.values, rtol=error, err_msg=str(name))


def test_a_run_that_is_stopped_goes_on_to_the_same_bits(run: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):  # the first pass is over, and what comes between passes has not been
        training.train(RunSettings(**SMALL), tmp_path / "run", StoppedAfter(2))
    assert max(run_folder.checkpoints(tmp_path / "run")) == 2
    training.resume(tmp_path / "run", trust_model=True)
    assert_same_bits(tmp_path / "run", run)


def test_what_comes_between_passes_changes_the_network(run: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "without.py").write_text(MODEL.replace("def between_passes", "def unused").replace(
        '"first_spikes"', '"without"'))
    other = training.train(
        RunSettings(**{**SMALL, "model": str(tmp_path / "without.py")}), tmp_path / "run"
    )
    one, two = (Run.open(path, trust_model=True).state["optimiser.b"] for path in (run, other))
    assert not np.array_equal(one, two)


@pytest.mark.long
def test_it_is_swept(tmp_path: Path) -> None:
    hebbarium(
        "sweep", "first_spikes", "--set", "eta=0.2*mV,1*mV", "--out", tmp_path, "--images", 16, "--test-images", 8,
        "--device", "numpy",
    )  # fmt: skip
    rows = list(csv.DictReader((tmp_path / "summary.csv").open()))
    assert [row["eta"] for row in rows] == ["0.2*mV", "1*mV"]
    assert "first_spike" in rows[0]


def test_it_is_reproduced_with_its_measure_in_hertz(folder: Path, tmp_path: Path) -> None:
    asked = ("reproduce", "first_spikes", "--out", tmp_path / "runs", "--results", tmp_path / "results")
    said = hebbarium(*asked)
    rows = list(csv.DictReader((tmp_path / "results" / "first_spikes.csv").open()))
    rates = [row for row in rows if row["measure"] == "rate"]
    assert [row["unit"] for row in rates] == ["Hz", "Hz"]
    assert all(float(row["value"]) > 0 for row in rates)
    accuracies = [row for row in rows if row["measure"] == "accuracy"]
    assert [row["paper"] for row in accuracies] == ["20.0", "30.0"]
    assert {row["readout"] for row in accuracies} == {"first_spike"}
    assert "/ 20.00" in said.output
    assert "2 runs are in the ledger already" in hebbarium(*asked).output
    # nor does the variable have to be set, if the file is named
    os.environ.pop(papers.VARIABLE)
    assert papers.protocol(str(folder / "models" / "first_spikes.py")) is not None
