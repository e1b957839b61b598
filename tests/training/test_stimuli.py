"""Stimuli: what is typed or recorded, with units, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbarium.models.hodgkin_huxley import HodgkinHuxley
from hebbarium.models.integrate_and_fire import IntegrateAndFire
from hebbarium.models.izhikevich import Izhikevich
from hebbarium.training import stimuli
from hebbarium.training.stimuli import StimulusError, Wanted

NA = stimuli.wanted_by(IntegrateAndFire())
DT = 1e-4


def given(text: str, duration: float = 0.1, seed: int = 0, wanted: Wanted = NA) -> np.ndarray:
    made = stimuli.parse(text, wanted)
    return stimuli.array(made, duration, DT, len(made), seed)


def test_steps_ramps_and_pulses_are_what_they_say() -> None:
    step = given("step(2 nA, 10ms, 30*ms)")[:, 0]
    assert np.flatnonzero(step).tolist() == list(range(100, 300))
    assert np.unique(step).tolist() == [0, 2e-9]
    ramp = given("ramp(0*nA, 1*nA, 20*ms, 60*ms)")[:, 0]
    assert ramp[200:600] == pytest.approx(np.arange(400) / 400 * 1e-9)
    assert not ramp[:200].any()
    assert not ramp[600:].any()
    pulses = given("pulses(1*nA, 2*ms, 20*ms, 10*ms)")[:, 0]
    assert np.flatnonzero(np.diff(pulses) > 0).tolist() == [99, 299, 499, 699, 899]
    assert pulses.astype(bool).sum() == 5 * 20
    sine = given("sine(1*nA, 50*Hz)")[:, 0]
    assert sine[50] == pytest.approx(1e-9)
    both = given("step(1*nA)+step(2*nA, 50*ms)")[:, 0]
    assert np.unique(both) == pytest.approx([1e-9, 3e-9])


def test_several_levels_stand_side_by_side_with_names_that_read_back() -> None:
    made = stimuli.parse("steps(0*nA, 1*nA, 5, stop=50*ms) ", NA)
    assert [one.name for one in made] == [f"step({x}*nA,stop=50*ms)" for x in ("0", "0.25", "0.5", "0.75", "1")]
    for one in made:
        (again,) = stimuli.parse(one.name, NA)
        assert (again.level, again.begin, again.end) == (one.level, one.begin, one.end)


def test_noise_has_its_deviation_and_its_memory_and_each_seed_its_own() -> None:
    noise = given("noise(1*nA, 5*ms)", 20.0)[:, 0] * 1e9
    assert abs(noise.mean()) < 4 * np.sqrt(2 * 5e-3 / 20)
    assert noise.std() == pytest.approx(1, abs=0.1)
    after = np.mean(noise[:-50] * noise[50:]) / noise.var()
    assert after == pytest.approx(np.exp(-1), abs=0.08)
    assert np.array_equal(given("noise(1*nA, 5*ms)"), given("noise(1*nA, 5*ms)"))
    assert not np.array_equal(given("noise(1*nA, 5*ms)"), given("noise(1*nA, 5*ms)", seed=1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("step(5)", "level=5 has no unit; integrate_and_fire is given injected current in nA, as in step(5*nA)"),
        ("step(5*mV)", "level=5*mV is in mV; integrate_and_fire is given injected current in nA"),
        ("step(1*nA, 5)", "start=5 has no unit; it is a time, as in 100*ms"),
        ("step(1*nA, -5*ms)", "expected a time of 0 or more"),
        ("stp(1*nA)", "there is no shape 'stp'; did you mean step?"),
        ("step()", "expected step(level, start, stop), of which level are needed"),
        ("step(1*nA, 1*ms, 2*ms, 3*ms)", "expected step(level, start, stop)"),
        ("steps(0*nA, 1*nA, 1)", "number=1: expected a whole number from 2 to 1000"),
        ("steps(0*nA,1*nA,3)+steps(0*nA,1*nA,3)", "steps are added to steps"),
        ("noise(1*nA, 0*ms)", "tau=0 s: expected 0 or more, and more than 0"),
        ("pulses(1*nA, 5*ms, 2*ms)", "expected 0 < width <= every"),
        ("step(1*nA", "cannot be read; expected shapes, as in step(5*nA)"),
        ("__import__('os').system('true')", "expected shapes (step, steps"),
        ("step(1*nA/0)", "level=1*nA/0: expected a finite number"),
        ("step(1*nA+1*mV)", "the units of its parts do not fit together"),
    ],
)
def test_what_cannot_be_given_is_refused_by_its_name(text: str, words: str) -> None:
    with pytest.raises(StimulusError) as refused:
        stimuli.parse(text, NA)
    assert str(refused.value).startswith("stimulus ")
    assert words in str(refused.value)


def test_each_model_is_given_its_own_unit() -> None:
    for model, text in ((Izhikevich(), "step(5*mV/ms)"), (HodgkinHuxley(), "step(5*uA/cm2)")):
        wanted = stimuli.wanted_by(model)
        assert wanted.example == text
        (one,) = stimuli.parse(text, wanted)
        assert one.level == pytest.approx(5 * float(model.given[0]))
        with pytest.raises(StimulusError, match=rf"{model.name} is given .*{text[5:-1].split('/')[0][2:]}"):
            stimuli.parse("step(5*nA)", wanted)


def test_recorded_traces_are_held_from_sample_to_sample(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("time (ms),left (pA),right (pA)\n5,100,0\n6,200,-50\n8,0,25\n")
    made, length = stimuli.recorded(tmp_path / "two.csv", NA)
    assert [one.name for one in made] == ["two.csv:1", "two.csv:2"]
    assert length == pytest.approx(5e-3)  # the last sample lasts as long as the one before
    found = stimuli.array(made, 0.006, DT, 2, 0)
    assert found[:, 0] == pytest.approx(np.repeat([1e-10, 2e-10, 0, 0], [10, 20, 20, 10]))
    assert found[:, 1] == pytest.approx(np.repeat([0, -5e-11, 2.5e-11, 0], [10, 20, 20, 10]))
    np.savez(tmp_path / "one.npz", time=[0.0, 0.001, 0.003], current=[0.1, 0.2, 0.0], time_unit="second",
             current_unit="nA")  # fmt: skip
    (one,), _ = stimuli.recorded(tmp_path / "one.npz", NA)
    np.testing.assert_allclose(stimuli.array([one], 0.006, DT, 1, 0)[:, 0], found[:, 0], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "time,current\n0,1\n1,2\n", "begins with time,current; expected units, as in time (ms),current (nA)"),
        ("a.csv", "time (ms),current (mV)\n0,1\n1,2\n", "what is given is in mV; expected nA"),
        ("a.csv", "time (ms),current (nAmp)\n0,1\n1,2\n", "'nAmp', which is no unit"),
        ("a.csv", "time (ms),current (nA)\n0,1\n0,2\n", "its times do not increase"),
        ("a.csv", "time (ms),current (nA)\n0,1\n1,nan\n", "column 2, line 3: nan; expected finite numbers"),
        ("a.csv", "time (ms),current (nA)\n0,1\n1,x\n", "is damaged, or no table of numbers"),
        ("a.csv", "", "is damaged, or no table of numbers"),
        ("a.npz", "PK", "is damaged, or no table of numbers"),
        ("none.csv", None, "cannot be read (No such file or directory)"),
    ],
)
def test_files_that_cannot_be_given_are_refused_by_name(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(StimulusError) as refused:
        stimuli.recorded(tmp_path / name, NA)
    assert str(refused.value).startswith(str(tmp_path / name))
    assert words in str(refused.value)


def test_an_npz_file_has_to_say_its_units(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", time=[0.0, 1.0], current=[0.0, 1.0])
    with pytest.raises(StimulusError, match=r"lacks time_unit, current_unit; expected the arrays"):
        stimuli.recorded(tmp_path / "a.npz", NA)


def test_more_stimuli_than_neurons_are_refused() -> None:
    made = stimuli.parse("steps(0*nA, 1*nA, 5)", NA)
    with pytest.raises(StimulusError, match="5 stimuli for 4 neurons; expected --set neurons=5"):
        stimuli.array(made, 0.1, DT, 4, 0)
