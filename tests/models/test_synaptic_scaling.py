"""The model piece by piece: closed forms, scaling, thresholds, inhibition, options, declared state."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Synapses, ms, mV, second
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, faithfulness, inspection
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, BlockResult, Structure
from hebbarium.engine.runtime import RuntimeProgram, runtime_device
from hebbarium.files.errors import ModelRefused
from hebbarium.models.encoded_inputs import EncodedInputs
from hebbarium.models.synaptic_scaling import SynapticScaling
from tests.models.small_networks import (
    CAPACITY,
    EVERYONE,
    NEURONS,
    PIXELS,
    first_state,
    run_images,
    small_model,
)


def run_rates(
    model: SynapticScaling, rates: NDArray[np.float64], *, phase: str = "respond",
    state: dict[str, NDArray[Any]] | None = None, scratch: Path = Path(),
) -> BlockResult:
    """Run given input rates ``(samples, inputs)`` on NumPy."""
    program = RuntimeProgram(Structure(model, phase, "float64", "numpy", len(rates), EVERYONE), scratch)
    start = first_state(model, phase) | (state or {})
    return program.run(Block(start, {"rates": rates}, model.run_time_values(), 1))


def darkness(samples: int = 1) -> NDArray[np.float64]:
    return np.zeros((samples, PIXELS))


# -- Eqs. 2-4: membrane and conductances -------------------------------------------------------------------


def test_conductances_decay_exponentially() -> None:
    model = small_model(reset_conductances=False, t_train=40 * ms)
    g = np.linspace(0.01, 0.2, NEURONS)
    begin = {"excitatory.g_e": g, "excitatory.g_i": 2 * g, "inhibitory.g_e": g}
    end = run_rates(model, darkness(), state=begin)
    for name, start in begin.items():
        np.testing.assert_allclose(end.state[name], start * np.exp(-40 / 20), rtol=1e-12)


def test_a_spike_adds_its_weight_over_tau_s() -> None:
    """One input fires in the first step and no more: samples of one step, the first at 1000 Hz."""
    model = small_model(reset_conductances=False, t_train=1 * ms, encoder="bernoulli", v_thresh=1000 * mV)
    rates = darkness(30)
    rates[0, 7] = 1000
    end = run_rates(model, rates)
    assert end.spikes["input"].neuron.tolist() == [7]
    w = first_state(model, "respond")["plastic.w"].reshape(PIXELS, NEURONS)[7]
    np.testing.assert_allclose(end.state["excitatory.g_e"], 0.7 * w / 20 * np.exp(-29 / 20), rtol=1e-12)


def test_the_membrane_relaxes_to_its_equilibrium() -> None:
    """With conductances that stay (tau_s endless), the exponential of tau_m/(1 + g) is exact."""
    model = small_model(reset_conductances=False, t_train=45 * ms, tau_s=1e15 * second)
    g_e, g_i = np.linspace(0, 0.45, NEURONS), np.linspace(0.3, 0, NEURONS)
    begin = {"excitatory.g_e": g_e, "excitatory.g_i": g_i, "inhibitory.g_e": g_e}
    end = run_rates(model, darkness(), state=begin)
    assert not len(end.spikes["excitatory"].step)
    for total, tau, name, inhibition in (
        (1 + g_e + g_i, 30, "excitatory.v", g_i), (1 + g_e, 5, "inhibitory.v", 0 * g_i),
    ):
        equilibrium = (-60 - 80 * inhibition) / total
        expected = equilibrium + (-60 - equilibrium) * np.exp(-45 * total / tau)
        np.testing.assert_allclose(end.state[name] * 1e3, expected, rtol=1e-12)


def test_the_step_converges_to_eqs_2_to_4() -> None:
    """Decaying conductances: halving the step halves the distance to a finely integrated solution."""
    g_e, g_i = np.linspace(0, 0.4, NEURONS), np.linspace(0.3, 0, NEURONS)
    v, fine = np.full(NEURONS, -60.0), 1e-3
    for k in range(int(30 / fine)):
        decay = np.exp(-(k + 0.5) * fine / 20)
        half = v + fine / 2 * (-60 - v + decay * (g_e * -v + g_i * (-80 - v))) / 30
        v = v + fine * (-60 - half + decay * (g_e * -half + g_i * (-80 - half))) / 30
    errors = []
    for dt in (1.0, 0.5):
        model = small_model(reset_conductances=False, t_train=30 * ms, dt=dt * ms)
        end = run_rates(model, darkness(), state={"excitatory.g_e": g_e, "excitatory.g_i": g_i})
        errors.append(np.abs(end.state["excitatory.v"] * 1e3 - v).max())
    assert errors[0] < 0.2
    assert errors[1] / errors[0] == pytest.approx(0.5, abs=0.03)


def test_the_printed_sign_of_eq_3_is_not_used() -> None:
    """With v - E as printed, excitation would hyperpolarise and inhibition depolarise."""
    model = small_model(reset_conductances=False, t_train=20 * ms)
    some, none = np.full(NEURONS, 0.2), np.zeros(NEURONS)
    excited = run_rates(model, darkness(), state={"excitatory.g_e": some, "excitatory.g_i": none})
    inhibited = run_rates(model, darkness(), state={"excitatory.g_e": none, "excitatory.g_i": some})
    assert (excited.state["excitatory.v"] > -0.060 + 1e-3).all()
    assert (inhibited.state["excitatory.v"] < -0.060 - 1e-4).all()


def test_both_slips_are_listed() -> None:
    assert [slip.split()[1] for slip in SynapticScaling.slips] == ["3", "5"]


# -- Eq. 6: scaling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("norm", "p"), [("L1", 1.0), ("L2", 2.0), ("Lp", 3.0)])
def test_scaling_reaches_its_target(norm: str, p: float) -> None:
    model = small_model(norm=norm)
    before = first_state(model, "train")["plastic.w"].reshape(PIXELS, NEURONS).copy()
    before[:, 2] = 0  # nothing to scale
    before[:, 5] *= -1
    end = run_rates(model, darkness(), phase="train", state={"plastic.w": before.ravel()})
    w = end.state["plastic.w"].reshape(PIXELS, NEURONS)
    norms = (np.abs(w) ** p).sum(axis=0) ** (1 / p)
    expected = np.full(NEURONS, model.w_t)
    expected[2] = 0
    np.testing.assert_allclose(norms, expected, rtol=1e-12)
    assert not w[:, 2].any()
    kept = np.arange(NEURONS) != 2
    factors = w[:, kept] / before[:, kept]
    np.testing.assert_allclose(factors, np.broadcast_to(factors[0], factors.shape), rtol=1e-12)


def test_without_scaling_nothing_moves_in_the_dark() -> None:
    model = small_model(norm="none")
    end = run_rates(model, darkness(2), phase="train")
    assert np.array_equal(end.state["plastic.w"], first_state(model, "train")["plastic.w"])


@pytest.mark.slow
@pytest.mark.parametrize(("norm", "p"), [("L1", 1), pytest.param("L2", 2, marks=pytest.mark.long)])
def test_a_compiled_program_scales_each_image(norm: str, p: int, tmp_path: Path) -> None:
    """A dark image changes nothing but the norm; so do images one by one and in one block."""
    model = small_model(norm=norm)
    state = run_images(model, "dense", tmp_path).state
    dark = {"rates": darkness()}
    program = devices.program(Structure(model, "train", "float64", "dense", CAPACITY, EVERYONE), tmp_path)
    after = program.run(Block(state, dark, model.run_time_values(), 4)).state["plastic.w"]
    after = after.reshape(PIXELS, NEURONS)
    norms = (np.abs(after) ** p).sum(axis=0) ** (1 / p)
    np.testing.assert_allclose(norms, model.w_t, rtol=1e-12)


# -- Eq. 7: thresholds -------------------------------------------------------------------------------------


def test_theta_follows_eq_7(tmp_path: Path) -> None:
    model = small_model(tau_theta=150 * ms, theta_plus=0.3 * mV)
    result = run_images(model, "numpy", tmp_path)
    spikes, steps = result.spikes["excitatory"], CAPACITY * 60
    expected = np.zeros(NEURONS)
    np.add.at(expected, spikes.neuron, 0.3 * np.exp(-(steps - 1 - spikes.step) / 150))
    assert (np.bincount(spikes.neuron, minlength=NEURONS) > 0).sum() >= NEURONS // 2
    np.testing.assert_allclose(result.state["excitatory.theta"] * 1e3, expected, rtol=0, atol=1e-12)


def test_theta_in_test(tmp_path: Path) -> None:
    """Zero: none at all. Frozen: as training left it. Adapting: it goes on."""
    high, low = np.full(NEURONS, 0.1), np.linspace(0, 0.001, NEURONS)

    def tested(option: str, theta: NDArray[np.float64], phase: str = "test") -> BlockResult:
        model = small_model(theta_in_test=option)
        state = first_state(model, phase)
        if "excitatory.theta" in state:
            state["excitatory.theta"] = theta
        return run_images(model, "numpy", tmp_path, phase=phase, count=2, state=state)

    zero = tested("zero", high)
    assert "excitatory.theta" not in zero.state
    assert len(zero.spikes["excitatory"].step) > 20
    frozen = tested("frozen", high)
    assert not len(frozen.spikes["excitatory"].step)
    assert np.array_equal(frozen.state["excitatory.theta"], high)
    assert np.array_equal(tested("frozen", low).state["excitatory.theta"], low)
    adapting = tested("adapting", low)
    fired = np.bincount(adapting.spikes["excitatory"].neuron, minlength=NEURONS)
    theta = adapting.state["excitatory.theta"]
    # what decays in 120 ms of 200 s is less than a thousandth
    np.testing.assert_allclose(theta, low + fired * 0.11e-3, rtol=1e-3)
    assert fired.min() >= 1


@pytest.mark.parametrize("phase", ["respond", "test"])
def test_nothing_learns_outside_training(phase: str, tmp_path: Path) -> None:
    model = small_model()
    result = run_images(model, "numpy", tmp_path, phase=phase, count=2)
    assert len(result.spikes["excitatory"].step) > 20
    assert np.array_equal(result.state["plastic.w"], first_state(model, phase)["plastic.w"])


# -- lateral inhibition ------------------------------------------------------------------------------------


def test_the_hub_is_an_all_to_all_sum(tmp_path: Path) -> None:
    model = small_model(reset_conductances=False, w_ie=3 * ms)
    result = run_images(model, "numpy", tmp_path)
    spikes, steps = result.spikes["inhibitory"], CAPACITY * 60
    assert len(spikes.step) > 20
    everyone_but_oneself = np.ones((NEURONS, NEURONS)) - np.eye(NEURONS)
    left = np.zeros(NEURONS)
    for step, neuron in zip(spikes.step, spikes.neuron, strict=True):
        left += 3 / 20 * np.exp(-(steps - 1 - step) / 20) * everyone_but_oneself[neuron]
    np.testing.assert_allclose(result.state["excitatory.g_i"], left, rtol=0, atol=1e-13)
    assert (result.state["hub.n_spikes"] == 0).all()


def test_shared_inhibition_divides_its_strength(tmp_path: Path) -> None:
    rivals = NEURONS - 1
    each = run_images(small_model(w_ie=3 * ms), "numpy", tmp_path)
    shared = run_images(small_model(inhibition="shared", w_ie=3 * rivals * ms), "numpy", tmp_path)
    assert np.array_equal(each.spikes["excitatory"].step, shared.spikes["excitatory"].step)
    np.testing.assert_allclose(each.state["plastic.w"], shared.state["plastic.w"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("norm", "p"), [("L1", 1.0), ("L2", 2.0), ("Lp", 3.0)])
def test_weights_are_handed_on_scaled(norm: str, p: float) -> None:
    model = small_model(norm=norm)
    state = first_state(model, "train")
    w = model.handed_on(state)["plastic.w"].reshape(PIXELS, NEURONS)
    np.testing.assert_allclose((np.abs(w) ** p).sum(axis=0) ** (1 / p), model.w_t, rtol=1e-12)
    assert np.array_equal(small_model(norm="none").handed_on(state)["plastic.w"], state["plastic.w"])


def test_lateral_inhibition_takes_memory_of_order_n() -> None:
    model = small_model()
    with runtime_device("numpy", "float64"):
        network = model.build("train", {"rates": darkness()})
        counts = {s.name: len(s) for s in inspection.owners(network).values() if isinstance(s, Synapses)}
    assert counts.pop("plastic") == PIXELS * NEURONS
    assert len(counts) == 4
    assert all(count == NEURONS for count in counts.values())


# -- options and declarations ------------------------------------------------------------------------------

# encoders by spike times are held to their statistics in test_encoded_inputs.py
CHOICES = {
    f"{symbol}={value}": {symbol: value}
    for symbol, row in SynapticScaling.parameters().items() for value in row.among
    if value != row.default and (symbol != "encoder" or value == "bernoulli")
}


@pytest.mark.parametrize("changes", CHOICES.values(), ids=CHOICES)
def test_every_choice_runs(changes: dict[str, Any], tmp_path: Path) -> None:
    model = small_model(**changes, max_rate=400 * Hz)  # few pixels: peak rates must be high
    phase = "test" if "theta_in_test" in changes else "train"
    result = run_images(model, "numpy", tmp_path, phase=phase, count=2)
    for population in EVERYONE:
        assert len(result.spikes[population].step) > 5, f"{population} is silent"
    assert all(np.isfinite(array).all() for array in result.state.values())


VARIANTS: list[dict[str, Any]] = [
    *({"norm": p, "scaling_at": at} for p in ("L1", "L2", "Lp", "none") for at in ("image", "spike")),
    *({"encoder": "bernoulli", "pairing": pairing} for pairing in ("all", "nearest")),
    *({"theta_in_test": theta, "adaptive_threshold": on}
      for theta in ("zero", "frozen", "adapting") for on in (True, False)),
    *({"reset_conductances": g, "reset_traces": x} for g in (True, False) for x in (True, False)),
]


#: one precision after the other by default, and both in the long run
DECLARED = [
    pytest.param(changes, phase, precision, marks=[pytest.mark.long] if (number + other) % 2 else [])
    for number, (changes, phase) in enumerate(itertools.product(VARIANTS, SynapticScaling.phases))
    for other, precision in enumerate(("float64", "float32"))
]


@pytest.mark.parametrize(("changes", "phase", "precision"), DECLARED, ids=str)
def test_the_state_is_what_can_change(changes: dict[str, Any], phase: str, precision: str) -> None:
    model = small_model(**changes)
    with runtime_device("numpy", precision):
        network = model.build(phase, {"rates": darkness()})
        faithfulness.refuse_unfaithful(network, Structure(model, phase, precision, "numpy", 1, EVERYONE))
        state = {v.name: v.size for v in anatomy.state(model, phase)}
        known = dict(inspection.arrays(network))
        assert inspection.changing(network) == set(state)
        assert {name: known[name].size for name in state} == state
        assert faithfulness.races(network) == []
        read = set(inspection.run_time_variables(network, set(model.run_time_values())).values())
    if phase == "train":
        unused = set(model.run_time_values()) - read
        assert unused <= ({"theta_plus", "tau_theta"} if not model.adaptive_threshold else set()) | (
            {"w_t"} if model.norm == "none" else set()
        ) | set(EncodedInputs.parameters()), f"{unused} are in the parameter table and nowhere in the network"


def test_times_and_thresholds_keep_double_precision_in_single(tmp_path: Path) -> None:
    model = small_model()
    result = run_images(model, "numpy", tmp_path, precision="float32", count=2)
    kinds = {name: array.dtype for name, array in result.state.items()}
    assert kinds["excitatory.theta"] == kinds["excitatory.lastspike"] == np.float64
    assert kinds["plastic.w"] == kinds["excitatory.v"] == np.float32


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(ModelRefused, match=r"plastic\.w has 3 values, expected 512"):
        initial_state(small_model(), "train", {"plastic.w": np.zeros(3)})


