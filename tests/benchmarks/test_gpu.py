"""What `make gpu` does, as far as it goes without a GPU: everything up to the run, and the run on what stands in."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import rows
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import agreement, cases, genn, growth, plain_brian2, races, steps, together
from benchmarks.gpu.case import Findings
from benchmarks.rows import Benchmark
from benchmarks.worker import ROOT
from hebbarium.catalogue import registry
from hebbarium.engine import cuda, devices

STAND_IN = "cpp"
FAST = "agreement of izhikevich"


# -- cases ---------------------------------------------------------------------------------------------------
def test_every_model_has_a_case_and_every_case_a_name_of_its_own() -> None:
    assert {*cases.on_images(), *cases.STIMULATED} == set(registry.models())
    assert cases.on_images()[0] == "synaptic_scaling"
    names = [case.name for _, case in cases.every("cuda")]
    assert len(set(names)) == len(names)
    assert {part for part, _ in cases.every("cuda")} == set(cases.PARTS)
    timed = sum(case.seconds for part, case in cases.every("cuda") if part in ("growth", "together"))
    assert timed < 60 * command.MINUTES * (1 - command.BUILDING) + 200


def test_every_case_says_which_programs_it_needs() -> None:
    for part, case in cases.every("cuda"):
        structures = case.structures()
        assert bool(structures) == (part != "genn"), case.name
        assert {structure.device for structure in structures} <= {"cuda"}
        references = {structure.device for structure in case.references()}
        assert references == (set() if part in ("races", "genn") else {"dense"})
        if part == "races":
            assert len(structures) == 1


# -- agreement -----------------------------------------------------------------------------------------------
def arrays(seed: int, **changes: Any) -> dict[str, NDArray[Any]]:
    generator = np.random.default_rng(seed)
    return {
        "test/excitatory/spike_count": generator.poisson(4, (100, 20)),
        "weights/input_to_excitatory/w": generator.random((50, 20)),
        "evaluation/predicted": generator.integers(10, size=(1, 400)),
        "accuracy/most_active": np.asarray(70.0 + seed),
        **changes,
    }


def test_what_differs_by_chance_agrees() -> None:
    found = agreement.compare("a model, CUDA", arrays(1), arrays(2))
    assert found.agrees, found.said
    by_name = {row.name: row.value for row in found.rows}
    assert by_name["a model, CUDA: arrays with the bits of the CPU"] == 0
    assert by_name["a model, CUDA: accuracy by most_active, 400 digits"] == 71
    assert by_name["a model, CUDA: accuracy by most_active, 400 digits, on the CPU"] == 72
    assert by_name["a model, CUDA: spikes of excitatory, test, in parts of the CPU's"] == pytest.approx(1, abs=0.1)
    same = agreement.compare("a model, CUDA", arrays(1), arrays(1))
    assert same.rows[0].value == 100


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"test/excitatory/spike_count": np.full((100, 20), 6)}, r"excitatory fired 12000 times \(test\)"),
        ({"weights/input_to_excitatory/w": np.full((50, 20), 0.7)}, r"weights/input_to_excitatory/w is 0\.7 on aver"),
        ({"weights/input_to_excitatory/w": np.full((50, 20), np.nan)}, "1000 values that are no numbers"),
        ({"accuracy/most_active": np.asarray(40.0)}, r"40\.0 % are right by most_active, on the CPU 72\.0 %"),
        ({"recorded": np.zeros(1)}, "recorded came of one device alone"),
    ],
)
def test_what_is_beyond_chance_does_not_agree(changed: dict[str, NDArray[Any]], said: str) -> None:
    found = agreement.compare("a model, CUDA", arrays(1, **changed), arrays(2))
    assert not found.agrees
    assert re.search(said, "; ".join(found.said))


def test_where_nothing_is_random_rounding_is_all_that_may_differ() -> None:
    one = {"course of v": np.linspace(-70, 30, 50)}
    near = {"course of v": one["course of v"] * (1 + 1e-12)}
    far = {"course of v": one["course of v"] + 0.01}
    assert agreement.compare("a model", near, one, rounding=1e-6).agrees
    found = agreement.compare("a model", far, one, rounding=1e-6)
    assert not found.agrees
    assert "course of v differs by 0.00014 of its largest value" in found.said[0]


# -- from which size the GPU wins ----------------------------------------------------------------------------
def test_the_size_from_which_a_gpu_wins() -> None:
    assert growth.crossing({100: 0.5, 400: 2.0, 1600: 8.0}) == pytest.approx(200)
    assert growth.crossing({100: 2.0, 400: 0.5, 1600: 2.0}) == pytest.approx(800), "faster for good"
    assert growth.crossing({100: 2.0, 400: 4.0}) is None
    assert growth.crossing({100: 0.1, 400: 0.5}) is None
    row = growth.wins("CUDA", {100: 0.5, 400: 2.0}).rows[0]
    assert row.name == "synaptic_scaling, float32: neurons from which CUDA is faster than dense on the CPU"
    assert row.value == pytest.approx(200)
    assert growth.wins("CUDA", {100: 2.0, 400: 4.0}).said == ["CUDA is faster at every size, from N=100 on"]
    assert "takes 2.00 times as long" in growth.wins("CUDA", {100: 0.1, 400: 0.5}).said[0]
    assert "too few" in growth.wins("CUDA", {100: 0.1}).said[0]


# -- races ---------------------------------------------------------------------------------------------------
MEMCHECK = """========= COMPUTE-SANITIZER
========= Invalid __global__ read of size 4 bytes
=========     at _run_kernel_x+0x50
========= ERROR SUMMARY: 3 errors
"""


def test_what_the_sanitizer_found_is_read() -> None:
    assert races.faults(MEMCHECK) == 3
    assert races.faults("========= RACECHECK SUMMARY: 12 hazards displayed (2 errors, 10 warnings)\n") == 12
    assert races.faults("========= ERROR SUMMARY: 0 errors\n") == 0
    assert races.faults("========= Error: Target application terminated before first instrumented API call\n") is None


@pytest.mark.long
@pytest.mark.parametrize(("summary", "agrees"), [("ERROR SUMMARY: 0 errors", True), ("ERROR SUMMARY: 2 errors", False)])
def test_programs_run_under_the_sanitizer(
    summary: str, agrees: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script stands in for the tool: it writes a summary and starts the program that it is given."""
    script = tmp_path / races.PROGRAM
    script.write_text(f'#!/bin/sh\necho "========= {summary}" > "$6"\nshift 6\n"$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    case = races.checked(cases.trained("synaptic_scaling", STAND_IN, changes={"neurons": "10"}), 60)
    found = case.run(tmp_path)
    assert found.agrees == agrees, found.said
    assert [row.name.rsplit(" ", 1)[1] for row in found.rows] == ["memcheck", "racecheck"]
    assert any("found 2 faults" in text for text in found.said) != agrees


def test_without_the_sanitizer_that_is_what_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Exception, match="compute-sanitizer is not on the path"):
        races.checked(cases.trained("s4nn", "cuda"), 60).run(tmp_path)


# -- processes and time --------------------------------------------------------------------------------------
def test_a_step_that_fails_says_why_and_one_without_time_is_left_out() -> None:
    missing = steps.Step(("run", STAND_IN, "no such case"), "it", 120)
    done = steps.carry_out(missing, steps.Clock(120))
    assert "KeyError: 'no such case'" in done.problem
    assert steps.carry_out(missing, steps.Clock(0)).problem == steps.NO_TIME
    short = steps.Step(missing.arguments, "it", 1.0)
    assert steps.carry_out(short, steps.Clock(120)).problem == "it took longer than 1 s"


def test_findings_pass_from_process_to_process() -> None:
    found = Findings([Benchmark("a row", 2.5, "ms", below=3)], ["said"], agrees=False)
    assert Findings.of_text(found.as_text()) == found


# -- the command ---------------------------------------------------------------------------------------------
def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command_line = [sys.executable, "-m", "benchmarks.gpu", *arguments]
    return subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, check=False)


needs_nvcc = pytest.mark.skipif(not cuda.available()[0], reason=cuda.available()[1])


@needs_nvcc
def test_networks_side_by_side_are_written_as_cuda(tmp_path: Path) -> None:
    case = together.Same("same", "cuda", number=3, neurons=10, images=2)
    types = devices.write_sources(case.structures()[0], tmp_path / "program")
    assert types["excitatory.w_t"] == "<f8"
    main = (tmp_path / "program" / "main.cu").read_text()
    assert '"excitatory.w_t", "<f8", _array_excitatory_w_t, _num__array_excitatory_w_t*' in main
    assert "cudaMemcpy(dev_array_excitatory_w_t, _array_excitatory_w_t" in main


@pytest.mark.long
@needs_nvcc
def test_sources_of_cuda_programs_are_written() -> None:
    done = run_command("--until", "sources", "--case", FAST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1, agreement of izhikevich, program 1: ready" in done.stderr
    assert "nothing was run: what CUDA programs compute is not known from this" in done.stdout


def test_where_nothing_can_be_built_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "available", lambda: (False, "nvcc is not on the path"))
    said: list[str] = []
    assert command.furthest("cuda", "run", said.append) == ""
    assert said == ["nothing can be built: nvcc is not on the path"]
    monkeypatch.setattr(cuda, "available", lambda: (True, "builds"))
    monkeypatch.setattr(cuda, "gpu_present", lambda: False)
    assert command.furthest("cuda", "run", said.append) == "link"
    assert command.furthest("cuda", "sources", said.append) == "sources"
    monkeypatch.setattr(cuda, "gpu_present", lambda: True)
    assert command.furthest("cuda", "run", said.append) == "run"


def test_an_unknown_case_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks.gpu", "--case", "nothing"])
    assert command.main() == 2
    assert "there are agreement of synaptic_scaling, growth, N=100" in capsys.readouterr().err


def test_programs_that_cases_share_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[steps.Step] = []

    def carry_out_all(wanted: list[steps.Step], *more: object) -> list[steps.Done]:
        asked.extend(wanted)
        return [steps.Done(step, "", "" if step.arguments[3] == "0" else "g++ failed", 1.0) for step in wanted]

    monkeypatch.setattr(command, "carry_out_all", carry_out_all)
    timed = [together.Timed(f"{n}", "cuda", number=n) for n in (8, 32)]
    assert command.build(timed, "cuda", "sources", 1, steps.Clock(60), lambda text: None) == {}
    assert [step.arguments for step in asked] == [("sources", "cuda", "8", "0"), ("sources", "cuda", "32", "0")]
    asked.clear()
    problems = command.build(timed, "cuda", "run", 1, steps.Clock(60), lambda text: None)
    assert [step.arguments[2:] for step in asked] == [("8", "0"), ("8", "1"), ("32", "0")], "one network on the CPU"
    assert problems == {"8": "not built: g++ failed", "32": "not built: g++ failed"}


def test_what_was_not_built_is_not_run_and_what_failed_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third, *_ = (case for part, case in cases.every(STAND_IN) if part == "growth")
    asked: list[str] = []

    def carry_out(step: steps.Step, clock: steps.Clock) -> steps.Done:
        asked.append(step.called)
        row = Benchmark("times as fast", 0.5)
        answer = Findings([row]).as_text() if step.called == third.name else ""
        return steps.Done(step, answer, "" if answer else "it broke", 1.0)

    monkeypatch.setattr(command, "carry_out", carry_out)
    chosen = [("growth", case) for case in (first, second, third)]
    measured, problems = command.run(chosen, STAND_IN, {first.name: "not built"}, steps.Clock(60), lambda text: None)
    assert asked == [second.name, third.name]
    assert problems == {second.name: "it broke"}
    assert [row.value for row in measured] == [0.5]


@pytest.mark.long
def test_all_of_it_runs_on_what_stands_in(tmp_path: Path) -> None:
    done = run_command("--device", STAND_IN, "--case", FAST, "--out", str(tmp_path), "--minutes", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    measured = {row.name: row.value for row in rows.read_csv(tmp_path / "benchmarks.csv")}
    assert measured["izhikevich, stock C++ standalone: arrays with the bits of the CPU"] > 0
    assert measured["izhikevich, stock C++ standalone: spikes of neuron, run, in parts of the CPU's"] == 1


# -- what the cases do, where that is more than a comparison -------------------------------------------------
@pytest.mark.long
def test_networks_that_are_given_numbers_fire(tmp_path: Path) -> None:
    for _, case in cases.every("numpy"):
        if isinstance(case, agreement.Stimulated):
            structure = case.structures()[0]
            result = devices.program(structure, tmp_path).run(case.block(structure))
            changed = {name for name, array in result.state.items() if np.unique(array).size > 1}
            assert changed, case.name
            if case.model not in ("resume", "span"):  # these learn from what is wanted
                assert sum(len(spikes.step) for spikes in result.spikes.values()) > 0, case.name


@pytest.mark.long
def test_a_trained_network_is_compared(tmp_path: Path) -> None:
    case = cases.trained("s4nn", STAND_IN, changes={"layers": "15"}, images=40, test_images=40, block=20)
    found = case.run(tmp_path)
    assert found.agrees, found.said
    names = {row.name for row in found.rows}
    assert "s4nn, stock C++ standalone: accuracy by first_spike, 40 digits" in names
    assert "s4nn, stock C++ standalone: mean size of input_to_hidden_1/w, in parts of the CPU's" in names


@pytest.mark.long
def test_networks_side_by_side_are_compared_and_timed(tmp_path: Path) -> None:
    same = together.Same("same", STAND_IN, number=3, neurons=10, images=3).run(tmp_path)
    assert same.agrees, same.said
    assert same.rows[0].value == 100
    assert same.rows[1].value < 1e-9
    timed = together.Timed("timed", STAND_IN, number=3, neurons=10, images=5, rounds=1).run(tmp_path)
    assert all(row.value > 0 for row in timed.rows)


def test_the_cells_of_a_table_come_one_after_the_other() -> None:
    networks = together.cells(12, neurons=10)
    assert [network.w_t for network in networks[:6]] == [3, 5, 7, 9, 11, 3]
    assert len({(float(network.w_t), float(network.tau_p)) for network in networks}) == 10
    assert (networks[10].w_t, networks[10].tau_p) == (networks[0].w_t, networks[0].tau_p)


@pytest.mark.long
def test_the_growth_of_cost_is_measured(tmp_path: Path) -> None:
    found = growth.Sized("N=20", STAND_IN, neurons=20, rounds=1, seconds=4).run(tmp_path)
    names = [row.name for row in found.rows]
    assert names[0] == "synaptic_scaling, N=20, float32, stock C++ standalone: an image in the main loop"
    assert found.rows[-1].name.endswith("times as fast as dense on the CPU")
    assert found.rows[-1].value == pytest.approx(found.rows[2].value / found.rows[0].value)


@pytest.mark.long
def test_the_plain_network_fires_and_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    found = genn.Beside("plain", STAND_IN, neurons=20, milliseconds=200, seconds=120).run(tmp_path)
    assert found.agrees, found.said
    assert found.rows[1].value > 0
    assert plain_brian2.unavailable("cpp_standalone") == ""
    if why := plain_brian2.unavailable("genn"):
        assert "brian2genn cannot be imported" in why or "genn-buildmodel.sh is not on the path" in why


def test_a_program_is_watched_and_ended_in_time(tmp_path: Path) -> None:
    under = races.under("memcheck", tmp_path / "log", 30)
    assert under[:7] == ("env", "-u", "HEBBARIUM_PARENT", "timeout", "-s", "KILL", "30")
    assert under[-4:] == ("--error-exitcode", "0", "--log-file", str(tmp_path / "log"))
