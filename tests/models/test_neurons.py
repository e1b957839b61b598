"""Hodgkin & Huxley, Izhikevich, integrate-and-fire: the models against closed forms and against plain NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Quantity, ms, mV, nA
from numpy.typing import NDArray

from hebbarium.catalogue import description, registry
from hebbarium.engine.contract import Arrays
from hebbarium.models.hodgkin_huxley import HodgkinHuxley
from hebbarium.models.integrate_and_fire import IntegrateAndFire
from hebbarium.models.izhikevich import RATE, Izhikevich
from hebbarium.models.stimulated import STIMULUS, Neuron
from hebbarium.training import experiments
from hebbarium.training.experiments import Observation


def observed(model: Neuron, levels: Any, steps: int, scratch: Path, device: str = "numpy") -> Observation:
    """What neurons answer to levels in SI units, from the first step on: (neurons,) or (steps, neurons)."""
    given = np.zeros((steps, model.neurons))
    given[:, : np.shape(levels)[-1]] = levels
    inputs: Arrays = {STIMULUS: given}
    return experiments.observe(model, inputs, scratch=scratch, device=device)


def spikes(result: Observation, neuron: int) -> NDArray[np.int64]:
    """Steps at which a neuron spiked."""
    return np.flatnonzero(result.answers["neuron"][:, neuron])


# -- integrate-and-fire ------------------------------------------------------------------------------------------
def test_potential_decays_as_eq_8_says(tmp_path: Path) -> None:
    """With the sign that Eq. 7 lacks; as printed, it would rise."""
    model = IntegrateAndFire(neurons=1)
    pushed = 20
    given = np.zeros((400, 1))
    given[:pushed] = 0.2e-9
    v = observed(model, given, 400, tmp_path).answers["neuron.v"][:, 0]
    t = np.arange(400 - pushed + 1) * float(model.dt)
    expected = v[pushed - 1] * np.exp(-t / float(model.tau_m))
    assert v[pushed - 1] > 3e-3
    np.testing.assert_allclose(v[pushed - 1 :], expected, rtol=1e-9)
    assert any("Eq. 7 lacks a minus sign" in slip for slip in model.slips)


@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_intervals_are_those_in_closed_form(tmp_path: Path, t_ref: float) -> None:
    model = IntegrateAndFire(neurons=3, t_ref=t_ref * ms)
    levels = np.array([0.16, 0.25, 0.6]) * 1e-9
    result = observed(model, levels, 1200, tmp_path)
    r_i = levels * float(model.tau_m / model.C_m)
    exact = t_ref + 10.0 * np.log(r_i / (r_i - 15e-3))
    for neuron, interval in enumerate(exact):
        between = np.diff(spikes(result, neuron)) * 0.1
        assert len(between) >= 2
        assert (np.abs(between - interval) <= 0.1).all(), (between, interval)


@pytest.mark.parametrize(("reset", "rate"), [("zero", lambda x: 1 / np.ceil(1 / x)), ("linear", lambda x: x)])
def test_without_a_leak_rates_are_those_of_what_a_step_brings(tmp_path: Path, reset: str, rate: Any) -> None:
    model = IntegrateAndFire(neurons=5, leak=False, reset=reset)
    x = np.array([0.03, 0.21, 0.45, 0.7, 0.98])
    result = observed(model, x * 15e-3 * 100e-12 / 0.1e-3, 1000, tmp_path)
    found = [len(spikes(result, neuron)) for neuron in range(5)]
    assert np.abs(np.array(found) - 1000 * rate(x)).max() <= 1


# -- Izhikevich --------------------------------------------------------------------------------------------------
def izhikevich(given: NDArray[np.float64], a: float, b: float, c: float, d: float, dt: float, v: float) -> Any:
    """Eqs. 3 to 5 by Euler's method in millivolts and milliseconds: spikes by step, and v after each step."""
    u, fired, course = b * v, [], []
    for k, current in enumerate(given):
        v, u = v + dt * (0.04 * v * v + 5 * v + 140 - u + current), u + dt * a * (b * v - u)
        if v >= 30:
            fired.append(k)
            v, u = c, u + d
        course.append(v)
    return fired, np.array(course)


@pytest.mark.parametrize(
    ("a", "b", "c", "d", "rest"), [(0.02, 0.2, -65, 8, -70), (0.02, 0.2, -50, 2, -70), (0.1, 0.25, -65, 2, None)]
)
def test_izhikevich_does_what_its_equations_say(
    tmp_path: Path, a: float, b: float, c: float, d: float, rest: float | None
) -> None:
    model = Izhikevich(neurons=2, a=a / ms, b=b / ms, c=c * mV, d=d * mV / ms)
    given = np.zeros((1500, 2))
    given[300:, 1] = 10
    result = observed(model, given, 1500, tmp_path)  # 1 mV/ms is 1 V/s
    start = float(model.rest / mV)
    if rest is not None:
        assert start == pytest.approx(rest, abs=1e-9)
    for neuron in (0, 1):
        fired, v = izhikevich(given[:, neuron], a, b, c, d, 0.1, start)
        assert spikes(result, neuron).tolist() == fired
        np.testing.assert_allclose(result.answers["neuron.v"][:, neuron] * 1e3, v, rtol=1e-7)
        assert (len(fired) > 3) is (neuron == 1)
    assert result.answers["neuron.u"][-1, 0] == pytest.approx(b * start, rel=1e-9)


def test_slopes_are_those_of_the_strings_that_run() -> None:
    model = Izhikevich()
    v, u = np.array([-70.0, -50.0, 0.0]) * mV, np.array([-14.0, 0.0, 1.0]) * RATE
    slopes = model.slopes({"v": v, "u": u}, 5 * RATE)
    expected = 0.04 * np.array([4900, 2500, 0]) + 5 * np.array([-70, -50, 0]) + 140 - np.array([-14, 0, 1]) + 5
    np.testing.assert_allclose(slopes["v"] / RATE, expected, atol=1e-9)
    expected = 0.02 * (0.2 * np.array([-70, -50, 0]) - [-14, 0, 1])
    np.testing.assert_allclose(slopes["u"] / (RATE / ms), expected, atol=1e-12)


# -- Hodgkin & Huxley --------------------------------------------------------------------------------------------
def hodgkin_huxley(current: float, steps: int) -> NDArray[np.float64]:
    """The equations of 1952 in their own units by the classical Runge-Kutta method, steps of 0.01 ms: v."""

    def alpha_beta(v: float) -> dict[str, tuple[float, float]]:
        return {
            "n": (0.01 * (v + 55) / (1 - np.exp(-(v + 55) / 10)), 0.125 * np.exp(-(v + 65) / 80)),
            "m": (0.1 * (v + 40) / (1 - np.exp(-(v + 40) / 10)), 4 * np.exp(-(v + 65) / 18)),
            "h": (0.07 * np.exp(-(v + 65) / 20), 1 / (1 + np.exp(-(v + 35) / 10))),
        }

    def slope(y: NDArray[np.float64]) -> NDArray[np.float64]:
        v, n, m, h = y
        rates = alpha_beta(v)
        gates = [rates[s][0] * (1 - x) - rates[s][1] * x for s, x in zip("nmh", (n, m, h), strict=True)]
        ions = 36 * n**4 * (v + 77) + 120 * m**3 * h * (v - 50) + 0.3 * (v + 54.387)
        return np.array([current - ions, *gates])

    y = np.array([-65.0, *(a / (a + b) for a, b in alpha_beta(-65.0).values())])
    course = np.empty(steps)
    for k in range(steps):
        k1 = slope(y)
        k2 = slope(y + 0.005 * k1)
        k3 = slope(y + 0.005 * k2)
        k4 = slope(y + 0.01 * k3)
        y = y + 0.01 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        course[k] = y[0]
    return course


@pytest.mark.slow
def test_hodgkin_and_huxley_spike_as_often_as_they_should(tmp_path: Path) -> None:
    """0, 0, 1, 29 and 34 spikes in half a second at 0, 2, 5, 7 and 10 uA/cm2; the same course as by another method."""
    model = HodgkinHuxley()
    levels = np.array([0, 2, 5, 7, 10])
    result = observed(model, levels * 1e-2, 50_000, tmp_path, device="dense")
    assert [len(spikes(result, neuron)) for neuron in range(5)] == [0, 0, 1, 29, 34]
    v = result.answers["neuron.v"] * 1e3
    assert abs(v[-1, 0] + 65.0) < 0.01
    assert abs(v[:, 4].max() - 40) < 0.5
    # the model's method is of first order, the other of fourth: what does not spike differs by hundredths of a
    # millivolt, intervals by half a per cent, as the model's open choices say
    np.testing.assert_allclose(v[:3000, 1], hodgkin_huxley(2.0, 3000), atol=0.1)
    exact = hodgkin_huxley(10.0, 3000)
    upwards = np.flatnonzero((exact[1:] > 0) & (exact[:-1] <= 0)) + 1
    first, second = spikes(result, 4)[:2]
    assert len(upwards) == 2
    assert abs(first - upwards[0]) <= 5
    assert second - first == pytest.approx(upwards[1] - upwards[0], rel=0.01)


def test_gates_come_to_rest_where_nothing_changes() -> None:
    model = HodgkinHuxley()
    gates = model.gates(model.v_rest)
    assert gates == pytest.approx({"n": 0.31768, "m": 0.05293, "h": 0.59612}, abs=1e-5)
    slopes = model.slopes({"v": model.v_rest, **gates})
    assert all(abs(float(slopes[gate])) < 1e-9 for gate in gates)
    assert abs(float(slopes["v"])) < 0.01  # of volts a second


# -- all ---------------------------------------------------------------------------------------------------------
NEURONS = [name for name, kind in registry.models().items() if issubclass(kind, Neuron)]


@pytest.mark.parametrize("name", NEURONS)
def test_they_are_described_with_units_and_sources(name: str) -> None:
    text = description.describe(registry.find(name)())
    assert "Readouts" not in text
    assert "time constant" in text or "Eq. " in text
    assert "(constant over dt)" in text
    assert "(m" not in text.partition("Equations")[0].replace("(mvolt", "")  # units as they are typed


@pytest.mark.long
def test_neurons_in_blocks_go_on_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = IntegrateAndFire(neurons=2, t_ref=3 * ms)
    whole = observed(model, [0.2e-9, 0.4e-9], 500, tmp_path)
    monkeypatch.setattr(experiments, "BLOCK", 37)
    parts = observed(model, [0.2e-9, 0.4e-9], 500, tmp_path)
    assert whole.answers["neuron"].sum() > 5
    for key, array in whole.answers.items():
        np.testing.assert_array_equal(parts.answers[key], array)


def test_units_of_a_model_reach_its_program() -> None:
    row = HodgkinHuxley.parameters()["C_m"]
    assert row.equation_unit == "metre**-4*kilogram**-1*second**4*amp**2"
    assert row.show(HodgkinHuxley().C_m) == "1*(uF/cm2)"
    assert isinstance(HodgkinHuxley().C_m, Quantity)
    assert float(IntegrateAndFire().given[0] / nA) == 1
