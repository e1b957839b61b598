"""``hebbarium neuron`` and ``hebbarium reproduce`` of neurons: what they make, and how they refuse."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from brian2 import ms
from typer.testing import CliRunner, Result

from hebbarium.analysis import figures
from hebbarium.commands import commandline
from hebbarium.engine import devices
from hebbarium.ledger import ledger
from hebbarium.ledger.claims import HOLDS, Claims, of_numbers
from hebbarium.record import results
from hebbarium.studies import paper_figures, reproduction, trials
from hebbarium.studies.current_clamp import CurrentClamp
from hebbarium.studies.reproduction import Paper
from hebbarium.studies.trials import Trial
from hebbarium.training.run_settings import RunSettings


def hebbarium(*words: object) -> Result:
    return CliRunner().invoke(commandline.app, [str(word) for word in words])


def refused(*words: object) -> str:
    result = hebbarium(*words)
    assert result.exit_code == 1, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert "unexpected" not in result.stderr
    return result.stderr.removeprefix("hebbarium: ").strip()


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(*_: object) -> None:
        pytest.fail("something was compiled")

    monkeypatch.setattr(devices, "program", program)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Five levels and a recorded trace into Izhikevich's neuron, and what was said."""
    folder = tmp_path_factory.mktemp("neuron")
    (folder / "trace.csv").write_text("time (ms),i (mV/ms)\n" + "".join(f"{t},{10 * (t > 50)}\n" for t in range(100)))
    result = hebbarium(
        "neuron", "izhikevich", "--stimulus", "steps(0*mV/ms, 20*mV/ms, 5, 50*ms)", "--current", folder / "trace.csv",
        "--set", "d=8*mV/ms", "--set", "neurons=6", "--device", "numpy", "--out", folder / "run",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return folder / "run", result.stdout


def test_what_neurons_answer_is_kept_with_units(run: tuple[Path, str]) -> None:
    folder, said = run
    with results.open_run(folder) as tree:
        trace, raster, measured = (
            tree[path].to_dataset().load() for path in ("trace/neuron", "raster/neuron", "measures")
        )
        assert tree.attrs["model"] == "izhikevich"
        assert "neuron izhikevich" in tree.attrs["command"] or tree.attrs["command"]
    assert dict(trace.sizes) == {"stimulus": 6, "time": 1000}
    assert [trace[name].attrs["units"] for name in ("v", "u", "given", "level")] == ["mV", "mV/ms", "mV/ms", "mV/ms"]
    assert trace["level"].values[:5].tolist() == [0, 5, 10, 15, 20]
    assert np.isnan(trace["level"].values[5])
    rates = [
        float(value) for name, value in zip(measured["measure"].values, measured["value"].values, strict=True)
        if name == "rate"
    ]  # fmt: skip
    assert rates[0] == 0
    assert rates[1] < rates[2] < rates[4]
    spikes = raster["spike_time"].values[raster["spike_neuron"].values == 4]
    assert rates[4] == pytest.approx(len(spikes) / 0.05)
    assert (spikes >= 50).all()
    last = raster["spike_time"].values[raster["spike_neuron"].values == 5]  # the trace steps up one millisecond later
    np.testing.assert_allclose(last, raster["spike_time"].values[raster["spike_neuron"].values == 2][: len(last)] + 1)
    assert "rheobase: 5 mV/ms" in said
    assert "trace.csv" in said


def test_figures_are_those_that_there_are_numbers_for(run: tuple[Path, str]) -> None:
    folder, said = run
    drawn = {path.stem for path in (folder / "figures").glob("*.png")}
    assert drawn == {"courses", "f_i_curve", "phase_plane"}
    assert said.count("figure: ") == 3


@pytest.mark.usefixtures("nothing_compiled")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["izhikevich", "--stimulus", "step(5)"], "stimulus step(5): level=5 has no unit; izhikevich is given"),
        (["izhikevich"], "izhikevich: is given nothing; expected --stimulus 'step(5*mV/ms)' or --current FILE"),
        (["hodgkin_huxley", "--stimulus", "step(5*nA)"], "hodgkin_huxley is given injected current in uA/cm^2"),
        (["s4nn", "--stimulus", "step(5)"], "s4nn: is given images, not stimuli; expected one of hodgkin_huxley"),
        (["izhikevic", "--stimulus", "step(5)"], "did you mean izhikevich?"),
        (["izhikevich", "--stimulus", "step(5*mV/ms)", "--duration", "5"], "--duration 5: expected a time"),
        (["izhikevich", "--stimulus", "step(5*mV/ms)", "--duration", "0*ms"], "--duration 0*ms: expected a time"),
        (["izhikevich", "--stimulus", "step(5*mV/ms)", "--set", "a=3*mV"], "a=3*mV"),
        (["izhikevich", "--stimulus", "step(5*mV/ms)", "--device", "abacus"], "--device abacus: expected one of"),
        (["izhikevich", "--stimulus", "step(5*mV/ms)", "--precision", "float8"], "--precision float8: expected"),
        (["izhikevich", "--stimulus", "steps(0*mV/ms,1*mV/ms,9)", "--set", "neurons=4"], "9 stimuli for 4 neurons"),
        (["izhikevich", "--current", "nowhere.csv"], "nowhere.csv: cannot be read"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_compiled(
    words: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert expected in refused("neuron", *words)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("nothing_compiled")
@pytest.mark.parametrize("name", ["izhikevich", "hodgkin_huxley", "integrate_and_fire"])
def test_a_neuron_cannot_be_trained_and_says_what_runs_it(name: str, tmp_path: Path) -> None:
    said = refused("train", name, "--out", tmp_path / "run")
    assert said.startswith(f"{name}: learns nothing from images, so that there is nothing to train; `hebbarium neuron")
    assert not (tmp_path / "run").exists()


SMALL = Trial("Fig. 12", "zero", CurrentClamp(("step(0.3*nA)",), 40 * ms, ("spikes", "rate")), {"neurons": "1"})
PAPER = Paper(
    RunSettings(model="integrate_and_fire", precision="float64", device="numpy"), (), columns="measure", seeds=(0,),
    trials=(SMALL,),
    drawings={"Fig12.svg": paper_figures.of_results(lambda trees: figures.courses(trees["Fig. 12 zero"])),
              "other.svg": paper_figures.of_results(lambda trees: figures.courses(trees["Fig. 13"]))},
    claims=Claims(lambda rows: [of_numbers(
        "It spikes", {"spikes": trials.found(rows, SMALL, "integrate_and_fire", "spikes")}, lambda n: [n["spikes"] > 0]
    )]),
)  # fmt: skip


def test_a_paper_without_training_is_reproduced_in_rows_verdicts_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduction, "paper_of", lambda model: PAPER)
    asked = ("reproduce", "integrate_and_fire", "--out", tmp_path / "runs", "--results", tmp_path / "results",
             "--device", "numpy")  # fmt: skip
    for _ in range(2):  # the second time rows are replaced
        result = hebbarium(*asked)
        assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((tmp_path / "results" / "integrate_and_fire.csv").open()))
    assert [(row["item"], row["measure"], row["unit"], row["setting"]) for row in rows] == [
        ("Fig. 12", "spikes", "", "neurons=1 stimulus=step(0.3*nA) duration=40*ms"),
        ("Fig. 12", "rate", "Hz", "neurons=1 stimulus=step(0.3*nA) duration=40*ms"),
    ]
    assert rows[0]["value"] == "5.0"
    assert rows[0]["command"] == "hebbarium reproduce integrate_and_fire --table 'Fig. 12'"
    assert {row["trained"] for row in rows} == {"0"}
    assert (tmp_path / "results" / "figures" / "integrate_and_fire_Fig12.svg").is_file()
    assert not (tmp_path / "results" / "figures" / "integrate_and_fire_other.svg").exists()
    assert "| It spikes | holds |" in (tmp_path / "results" / "integrate_and_fire_claims.md").read_text()
    assert HOLDS in result.stdout
    assert ledger.table_of("integrate_and_fire Fig.12 columns=measure", tmp_path / "results")
    assert "expected one of Fig. 12" in refused(*asked, "--table", "Fig. 13")
