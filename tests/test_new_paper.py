"""A paper that does not exist, written into a folder of its own: one file for its model, one for its protocol.

It needs what none of the project's papers needs: first-spike times and potentials as readout, batches of eight, an
optimiser that takes its step while nothing is shown, something that happens between passes, and a measure in hertz. It
is described, trained, resumed, swept and reproduced by the project's commands, and nothing of the project is touched.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbarium.catalogue import papers
from hebbarium.commands import commandline
from hebbarium.engine import run_folder
from hebbarium.files.errors import Stopped
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.progress import QuietReporter
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.engine.equal_runs import assert_same_bits

MODEL = '''
"""Bright pixels spike early; an output neuron answers by spiking first, and learns how easily it does so."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Clock, Network, NeuronGroup, Quantity, Synapses, TimedArray, ms, mV

from hebbarium.models.contract import Model, quantity, structure
from hebbarium.models.readouts import Value, first_to_spike
from hebbarium.models.slots import Slots

LAST = "t_in_timesteps % sample_steps == sample_steps - 1"
FIRST = "t_in_timesteps % sample_steps == 0"


@dataclass(frozen=True, eq=False)
class FirstSpikes(Model):
    name: ClassVar[str] = "first_spikes"
    title: ClassVar[str] = "Answers by the first spike"
    paper: ClassVar[str] = "N. Body, A paper that does not exist"
    phases: ClassVar[tuple[str, ...]] = ("train", "test")
    readouts = (first_to_spike("output", ties=Value("output", symbol="v", of_unit=mV)),)
    shown_state: ClassVar[dict[str, tuple[str, Any]]] = {"b": ("optimiser", mV)}

    pixels: int = structure(784, 1, "input neurons", "Section 2")
    classes: int = structure(10, 1, "output neurons", "Section 2")
    batch: int = structure(8, 1, "images at once", "Section 3")
    dt: Quantity = structure(1 * ms, ms, "time step", "Section 2")
    t_shown: Quantity = structure(20 * ms, ms, "presentation time", "Section 2")
    tau_m: Quantity = quantity(15 * ms, ms, "membrane time constant", "Eq. 1")
    v_thresh: Quantity = quantity(20 * mV, mV, "threshold", "Eq. 1")
    w: Quantity = quantity(0.6 * mV, mV, "strength of all synapses", "Eq. 1")
    eta: Quantity = quantity(0.5 * mV, mV, "step of the optimiser", "Eq. 3")
    beta: float = quantity(0.9, 1, "memory of the optimiser", "Eq. 3")

    def slots(self, phase):
        return Slots(batch=self.batch, idle=1 if phase == "train" else 0)

    def build(self, phase, inputs):
        clock = Clock(self.dt, name="step_clock")
        steps = self.sample_steps(phase)
        common = {"sample_steps": steps, "n_classes": self.classes, "n_pixels": self.pixels}
        common |= {name: TimedArray(array, dt=steps * self.dt, name=name) for name, array in inputs.items()}
        group = {"clock": clock, "namespace": common}
        source = NeuronGroup(
            self.batch * self.pixels, "",
            threshold="abs(latency(t, i) - 1 - t_in_timesteps % sample_steps) < 0.5", reset="", name="input", **group,
        )
        equations = "dv/dt = (b - v)/tau_m : volt\\nb : volt\\nerr : 1\\nfired : 1\\n"
        settle = "err = occupied(t, i // n_classes)*(int(abs(labels(t, i // n_classes) - i % n_classes) < 0.5) - fired)"
        output = NeuronGroup(
            self.batch * self.classes, equations + self.declare_used(equations, "v > v_thresh"),
            threshold="v > v_thresh", reset="v = 0*volt\\nfired = 1", method="exact", name="output",
            events={"begin": FIRST, "settle": LAST}, **group,
        )
        output.set_event_schedule("begin", when="start", order=0)
        output.run_on_event("begin", "v = 0*volt\\nfired = 0", when="start", order=1)
        strength = "(0.5 + 0.5*sin(1.7*(i % n_pixels)*(1 + j % n_classes)))"
        plan = Synapses(
            source, output, "a : 1 (constant)\\n" + self.declare("w"), on_pre="v_post += w*a", name="plan", **group
        )
        plan.connect("i // n_pixels == j // n_classes")
        plan.a = strength
        if phase == "test":
            output.run_on_event("settle", "err = 0*occupied(t, i // n_classes)", when="end", order=1)
            output.set_event_schedule("settle", when="end", order=0)
            return Network(source, output, plan)
        output.set_event_schedule("settle", when="end", order=0)
        output.run_on_event("settle", settle, when="end", order=1)
        adam = "m = beta*m + (1 - beta)*g\\nb += eta*m\\ng = 0\\nsteps_taken += 1"
        optimiser = NeuronGroup(
            self.classes, "b : volt\\nm : 1\\ng : 1\\nsteps_taken : 1\\n" + self.declare_used(adam),
            events={"step": f"{FIRST} and occupied(t, 0) < 0.5"}, name="optimiser", **group,
        )
        optimiser.set_event_schedule("step", when="start", order=2)
        optimiser.run_on_event("step", adam, when="start", order=3)
        collect = Synapses(output, optimiser, on_pre="g_post += err_pre", on_event="settle", name="collect", **group)
        collect.connect("i % n_classes == j")
        collect.pre.when, collect.pre.order = "end", 2
        hand_out = Synapses(optimiser, output, on_pre="b_post = b_pre", on_event="step", name="hand_out", **group)
        hand_out.connect("i == j % n_classes")
        hand_out.pre.when, hand_out.pre.order = "start", 4
        return Network(source, output, plan, optimiser, collect, hand_out)

    def inputs(self, phase, images, labels):
        dark = 255 - images.astype(float)
        latency = np.where(images > 50, 1 + np.floor(dark / 256 * self.sample_steps(phase)), 0)
        return {"latency": latency, **({"labels": labels.astype(float)} if phase == "train" else {})}

    def encode(self, images):
        return self.inputs("test", images, np.zeros(len(images), int))

    def between_passes(self, state, generator):
        """Gradients of before are forgotten, and easily woken neurons made a little harder to wake."""
        state["optimiser.m"] = np.zeros_like(state["optimiser.m"])
        state["optimiser.b"] = state["optimiser.b"] - 1e-4 * generator.random(self.classes)
        return state

    def sample_steps(self, phase):
        return round(float(self.t_shown / self.dt))

    def input_spikes(self, phase, images, presentations):
        return float(((images > 50).sum(axis=1) * presentations).sum())
'''

PROTOCOL = '''
"""The protocol of a paper that does not exist: one table, and the rate at which its network answers."""

from dataclasses import dataclass

import numpy as np

from hebbarium.studies.reproduction import Cell, Paper
from hebbarium.training.experiments import Measured
from hebbarium.training.run_settings import RunSettings


@dataclass(frozen=True)
class AnswerRate:
    """How fast output neurons fire if all pixels of an image are equally bright."""

    level: int = 200

    def inputs(self, model):
        return model.all_inputs("test", np.full((16, model.pixels), self.level, np.uint8), np.zeros(16, int))

    def measures(self, model, answers):
        seconds = float(model.t_shown)
        return {"rate": Measured(float(answers["output"].mean() / seconds), "Hz", "output")}


PAPER = Paper(
    RunSettings(
        model="first_spikes", images=24, test_images=16, epochs=2, block=16, device="numpy", snapshots=2
    ),
    [
        Cell("1", "mnist-embedded", f"eta {eta}", {"eta": eta}, percent)
        for eta, percent in (("0.2*mV", 20.0), ("1*mV", 30.0))
    ],
    columns="eta",
    seeds=(0,),
    readout="first_spike",
    experiments=(AnswerRate(),),
)
'''


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
        return training.train(SMALL, folder / "runs" / "run")


SMALL = RunSettings(
    model="first_spikes", images=20, test_images=12, epochs=2, block=16, device="numpy", snapshots=3, seed=1
)
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


@pytest.mark.slow
def test_compiled_programs_answer_alike(run: Path, tmp_path: Path) -> None:
    other = training.train(RunSettings(**{**vars(SMALL), "device": "dense"}), tmp_path / "run")
    with results.open_run(run) as one, results.open_run(other) as two:
        for room in ("test/output", "evaluation", "activity/output", "state/optimiser"):
            left, right = one[room].to_dataset().load(), two[room].to_dataset().load()
            assert set(left) == set(right)
            for name, array in left.items():
                exact = array.dtype.kind in "iu" or name == "first_spike_time"
                error = 0 if exact else 1e-5  # single precision; exponentials are rounded in other ways
                np.testing.assert_allclose(right[name].values, array.values, rtol=error, err_msg=str(name))


def test_a_run_that_is_stopped_goes_on_to_the_same_bits(run: Path, tmp_path: Path) -> None:
    class Stopping(QuietReporter):
        def __init__(self) -> None:
            self.blocks = 0

        def advance(self, samples: int, note: str = "") -> None:
            self.blocks += 1
            if self.blocks == 2:  # the first pass is over, and what comes between passes has not been
                raise Stopped("for a test")

    with pytest.raises(Stopped):
        training.train(SMALL, tmp_path / "run", Stopping())
    assert max(run_folder.checkpoints(tmp_path / "run")) == 2
    training.resume(tmp_path / "run", trust_model=True)
    assert_same_bits(tmp_path / "run", run)


def test_what_comes_between_passes_changes_the_network(run: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "without.py").write_text(MODEL.replace("def between_passes", "def unused").replace(
        '"first_spikes"', '"without"'))
    other = training.train(
        RunSettings(**{**vars(SMALL), "model": str(tmp_path / "without.py")}), tmp_path / "run"
    )
    one, two = (Run.open(path, trust_model=True).state["optimiser.b"] for path in (run, other))
    assert not np.array_equal(one, two)


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
