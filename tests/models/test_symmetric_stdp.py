"""The model piece by piece: closed forms, frozen phases, the rest that is jumped over, declared state, constants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import SpikeMonitor, Synapses, hertz, ms, mV, second, seed
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, faithfulness, inspection
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, BlockResult, Structure
from hebbarium.engine.runtime import RuntimeProgram, runtime_device
from hebbarium.models.encoded_inputs import EncodedInputs
from hebbarium.models.symmetric_stdp import FASHION, MNIST, SymmetricSTDP
from hebbarium.training import parameters
from hebbarium.training.responses import frozen_state
from tests.models.small_symmetric_networks import (
    NEURONS,
    PIXELS,
    first_state,
    images,
    labels,
    run_images,
    small_model,
    trained,
)

SHORT: dict[str, Any] = {"t_shown": 5 * ms, "t_rest": 3 * ms, "rest": "full"}
SILENT: dict[str, Any] = {"v_thresh": 1000 * mV, "v_thresh_fast": 1000 * mV}


def run_dark(
    model: SymmetricSTDP, phase: str, scratch: Path, *, state: dict[str, NDArray[Any]] | None = None, samples: int = 1
) -> BlockResult:
    """Show nothing, on NumPy."""
    begin = initial_state(model, phase, model.initial_state(np.random.default_rng(3))) | (state or {})
    pictures = np.zeros((samples, model.pixels), np.uint8)
    inputs = model.inputs(phase, pictures, np.zeros(samples, int))
    everyone = tuple(anatomy.populations(model))
    program = RuntimeProgram(Structure(model, phase, "float64", "numpy", samples, everyone), scratch)
    return program.run(Block(begin, inputs, model.run_time_values(), 1))


# -- Eqs. 1-5 ----------------------------------------------------------------------------------------------


def test_conductances_traces_and_thresholds_decay_exponentially(tmp_path: Path) -> None:
    model = small_model(tau_theta=150 * ms, **SHORT, **SILENT)
    some = np.linspace(0.1, 2, NEURONS)
    begin = {
        "excitatory.g_e": (some, 1.0), "excitatory.g_i": (some, 2.0), "inhibitory.g_e": (some, 1.0),
        "excitatory.y": (some, 20.0), "input.x": (np.linspace(0, 3, PIXELS), 20.0),
        "excitatory.theta": (20e-3 * some, 150.0),
    }  # fmt: skip
    end = run_dark(model, "train", tmp_path, state={name: start for name, (start, _) in begin.items()})
    for name, (start, tau) in begin.items():
        np.testing.assert_allclose(end.state[name], start * np.exp(-8 / tau), rtol=1e-12, err_msg=name)


def test_a_taught_class_neuron_s_trace_decays(tmp_path: Path) -> None:
    model = small_model(teacher_rate=0 * hertz, **SHORT, **SILENT)
    y = np.linspace(0, 2, 10)
    end = run_dark(model, "train_classes", tmp_path, state={"classes.y": y})
    np.testing.assert_allclose(end.state["classes.y"], y * np.exp(-8 / 20), rtol=1e-12)


@pytest.mark.parametrize("rest", [pytest.param("full", marks=pytest.mark.long), "jump"])
def test_a_threshold_can_be_kept_from_falling(rest: str, tmp_path: Path) -> None:
    begin = {"excitatory.theta": np.linspace(15, 60, NEURONS) * 1e-3}
    kept, fallen = (
        run_dark(small_model(theta_decay=how, rest=rest, **RESTED), "train", tmp_path, state=begin)
        for how in ("none", "exponential")
    )
    assert kept.spikes["excitatory"].neuron.size == 0
    np.testing.assert_array_equal(kept.state["excitatory.theta"], begin["excitatory.theta"])
    assert np.all(fallen.state["excitatory.theta"] < begin["excitatory.theta"])


@pytest.mark.parametrize(("tau_theta", "falls"), [(6e6, True), (8e6, True), (2e7, False), (5e7, False)])
def test_in_single_precision_no_threshold_falls_from_2e7_ms_on(tau_theta: float, falls: bool) -> None:
    """Why ``theta_decay=none`` is what a program does that steps Eq. 4 in single precision."""
    theta = np.linspace(12, 100, 1000, dtype=np.float32)
    stepped = theta - theta / np.float32(tau_theta) * np.float32(0.5)
    assert np.all((stepped < theta) == falls)


@pytest.mark.parametrize("increment", ["decaying", "constant"])
def test_a_threshold_rises_by_eq_5(increment: str, tmp_path: Path) -> None:
    """Every neuron starts above its threshold and fires once."""
    model = small_model(increment=increment, theta_plus=0.07 * mV, tau_theta=1e15 * second, **SHORT)
    theta = np.linspace(15, 60, NEURONS)
    begin = {"excitatory.theta": theta * 1e-3, "excitatory.v": np.zeros(NEURONS)}
    end = run_dark(model, "train", tmp_path, state=begin)
    np.testing.assert_array_equal(end.spikes["excitatory"].neuron, np.arange(NEURONS))
    rise = 0.07 * (20 / np.abs(2 * theta - 20) if increment == "decaying" else np.ones(NEURONS))
    np.testing.assert_allclose(end.state["excitatory.theta"] * 1e3, theta + rise, rtol=1e-12)


@pytest.mark.parametrize(("integration", "bounded"), [("euler", True), ("exponential_euler", False)])
def test_euler_is_held_between_the_reversal_potentials(integration: str, bounded: bool, tmp_path: Path) -> None:
    """Two steps: the first would leave the reversal potentials far behind, and the exact one does not need holding."""
    model = small_model(integration=integration, t_shown=0.5 * ms, t_rest=0.5 * ms, **SILENT)
    much, none = np.full(NEURONS, 500.0), np.zeros(NEURONS)
    down = run_dark(model, "test", tmp_path, state={"excitatory.g_i": much, "excitatory.g_e": none}).state
    up = run_dark(model, "test", tmp_path, state={"excitatory.g_e": much, "inhibitory.g_e": much}).state
    if not bounded:
        assert ((down["excitatory.v"] > -0.1) & (down["excitatory.v"] < -0.09)).all()
        assert ((up["excitatory.v"] < 0) & (up["inhibitory.v"] < 0)).all()
        return
    # at a reversal potential what is left is the leak
    np.testing.assert_allclose(down["excitatory.v"] * 1e3, -100 + 0.5 / 100 * (100 - 65), rtol=1e-12)
    np.testing.assert_allclose(up["excitatory.v"] * 1e3, 0.5 / 100 * -65, rtol=1e-12)
    np.testing.assert_allclose(up["inhibitory.v"] * 1e3, 0.5 / 10 * -60, rtol=1e-12)


# -- Eq. 7 -------------------------------------------------------------------------------------------------


def test_scaling_brings_sums_to_the_paper_s_targets(tmp_path: Path) -> None:
    n = 12
    model = SymmetricSTDP(neurons=n, **SHORT)
    before = model.initial_state(np.random.default_rng(3))
    before["plastic.w"].reshape(784, n)[:, 2] = 0  # nothing to scale
    end = run_dark(model, "train", tmp_path, state=before).state
    w, to_classes = end["plastic.w"].reshape(784, n), end["to_classes.w"].reshape(n, model.classes)
    expected = np.full(n, 78.4)
    expected[2] = 0
    np.testing.assert_allclose(w.sum(axis=0), expected, rtol=1e-12)
    np.testing.assert_allclose(to_classes.sum(axis=0), 0.1 * n * 8, rtol=1e-12)
    kept = np.arange(n) != 2
    factors = w[:, kept] / before["plastic.w"].reshape(784, n)[:, kept]
    np.testing.assert_allclose(factors, np.broadcast_to(factors[0], factors.shape), rtol=1e-12)


def test_hidden_weights_are_handed_on_scaled_and_class_weights_as_they_are() -> None:
    model = small_model(hidden=2, beta_class=0.2)
    state = first_state(model, "train")
    handed = model.handed_on(state)
    means = {"lower_plastic.w": model.beta, "plastic.w": 0.2 * model.w_max_class}
    for projection in anatomy.projections(model)[:-1]:
        w = handed[projection.variable].reshape(projection.shape)
        np.testing.assert_allclose(w.mean(axis=0), means[projection.variable], rtol=1e-12)
    assert np.array_equal(handed["to_classes.w"], state["to_classes.w"])


def test_initial_weights_reach_three_tenths_of_the_largest() -> None:
    model = SymmetricSTDP(neurons=50, hidden=2)
    drawn = model.initial_state(np.random.default_rng(0))
    for name, largest in (("lower_plastic.w", 1.0), ("plastic.w", 8.0), ("to_classes.w", 8.0)):
        assert 0 <= drawn[name].min() < 0.01 * largest
        assert 0.29 * largest < drawn[name].max() < 0.3 * largest
    alone = SymmetricSTDP(hidden=0).initial_state(np.random.default_rng(0))
    assert 0.29 < alone["to_classes.w"].max() < 0.3  # a pathway from the input, as any other


# -- inputs ------------------------------------------------------------------------------------------------


def test_inputs_and_teacher_fire_at_the_paper_s_rates() -> None:
    model = SymmetricSTDP(pixels=3)
    given = model.inputs("train", np.array([[0, 255, 51]], np.uint8), np.array([4]))
    np.testing.assert_allclose(given["rates"] * model.intensity_first, [[0, 63.75, 12.75]])
    np.testing.assert_allclose(given["rates"] * model.intensity_step, [[0, 31.875, 6.375]])
    assert given["teacher_rates"].tolist() == [[0, 0, 0, 0, 200, 0, 0, 0, 0, 0]]
    assert set(model.inputs("test", np.zeros((1, 3), np.uint8), np.array([4]))) == {"rates"}


def test_images_are_brought_to_a_mean_within_eight_bits() -> None:
    model = SymmetricSTDP(pixels=4, mean_pixel=30.0)
    pictures = np.array([[100, 20, 0, 0], [0, 0, 0, 0], [255, 0, 0, 1]], np.uint8)
    pixels = model.encode(pictures)["rates"] / 31.875 * 255
    np.testing.assert_allclose(pixels, [[100, 20, 0, 0], [0, 0, 0, 0], [119, 0, 0, 0]])


def test_the_teacher_is_silent_in_the_rest(tmp_path: Path) -> None:
    model = small_model()
    result = run_images(model, "numpy", tmp_path)
    shown = round(float(model.t_shown / model.dt))
    for population in ("input", "classes"):
        within = result.spikes[population].step % model.sample_steps("train")
        assert within.max() < shown
        assert within.max() > 0.9 * shown
        assert within.min() < 0.1 * shown
    hidden = result.spikes["excitatory"].step // model.sample_steps("train")
    taught = result.spikes["classes"]
    assert len(np.unique(hidden)) == len(np.unique(taught.step // model.sample_steps("train")))
    # presentation by presentation, only the label's neuron fires
    sample = np.searchsorted(result.ended, taught.step // model.sample_steps("train"))
    np.testing.assert_array_equal(taught.neuron, labels()[sample])


def test_input_spikes_are_estimated_with_their_intensities(tmp_path: Path) -> None:
    model = small_model(n_dead=0.0, rate_step=20 * hertz, n_least=1e6, intensity_most=4.0)
    result = run_images(model, "numpy", tmp_path, phase="test", pictures=np.full((6, PIXELS), 255, np.uint8))
    assert result.ended.tolist() == [2, 5]
    expected = model.input_spikes("test", np.full((2, PIXELS), 255, np.uint8), np.array([3, 3]))
    assert expected == pytest.approx(2 * PIXELS * 0.06 * 20 * (2 + 3 + 4))
    assert abs(len(result.spikes["input"].step) - expected) < 4 * expected**0.5


@pytest.mark.slow
def test_single_precision_shows_each_of_a_thousand_samples(tmp_path: Path) -> None:
    """258 ms is no float32: a thousand times that is not exactly where the thousandth sample begins."""
    model = SymmetricSTDP(hidden=0, pixels=2, t_shown=250 * ms, t_rest=8 * ms, rate_step=1000 * hertz, rest="full")
    count = 1000
    program = devices.program(Structure(model, "test", "float32", "dense", count, ("input",)), tmp_path)
    pictures = np.zeros((count, 2), np.uint8)
    pictures[np.arange(count), np.arange(count) % 2] = 255
    begin = initial_state(model, "test", model.initial_state(np.random.default_rng(0)))
    block = Block(begin, model.inputs("test", pictures, np.zeros(count, int)), model.run_time_values(), 1)
    spikes = program.run(block).spikes["input"]
    sample = spikes.step // model.sample_steps("test")
    np.testing.assert_array_equal(spikes.neuron, sample % 2)
    assert (np.bincount(sample, minlength=count) == 250).all()  # every second of 500 steps


# -- who learns when ---------------------------------------------------------------------------------------


def test_testing_begins_with_the_thresholds_of_every_hidden_layer() -> None:
    model = small_model(hidden=2)
    trained = {v.name: np.full(v.size, 1.0 + k) for k, v in enumerate(anatomy.state(model, "train"))}
    begun = frozen_state(model, "test", trained)
    for layer in ("lower_", ""):
        np.testing.assert_array_equal(begun[f"{layer}excitatory.theta"], trained[f"{layer}excitatory.theta"])
        np.testing.assert_array_equal(begun[f"{layer}excitatory.v"], float(model.e_l))


@pytest.mark.parametrize(
    ("phase", "frozen"),
    [
        ("train_classes", {"plastic.w", "lower_plastic.w", "excitatory.theta", "lower_excitatory.theta"}),
        ("respond", {"plastic.w", "lower_plastic.w", "excitatory.theta", "lower_excitatory.theta"}),
        ("test", {"plastic.w", "lower_plastic.w", "to_classes.w", "excitatory.theta", "lower_excitatory.theta"}),
    ],
)
def test_frozen_state_is_left_to_the_bit(phase: str, frozen: set[str], tmp_path: Path) -> None:
    model = small_model(hidden=2)
    begin = first_state(model, phase)
    begin |= {k: v for k, v in trained(model, tmp_path).items() if k in begin}
    result = run_images(model, "numpy", tmp_path, phase=phase, state=begin)
    for population in ("lower_excitatory", "excitatory"):
        assert len(result.spikes[population].step) > 20
    for name in frozen:
        assert result.state[name].tobytes() == begin[name].tobytes(), name
    learned = {name for name in begin if name.endswith((".w", ".theta"))} - frozen
    assert learned == ({"to_classes.w"} if phase == "train_classes" else set())
    assert all(np.abs(result.state[name] - begin[name]).max() > 0.01 for name in learned)


# -- rest=jump ---------------------------------------------------------------------------------------------

RESTED: dict[str, Any] = {"t_rest": 80 * ms, "t_settle": 25 * ms}


def run_steps(
    model: SymmetricSTDP, state: dict[str, NDArray[Any]], presentations: int, phase: str
) -> tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[Any]]]:
    """Spikes as (presentation, step in it, neuron), and all state one step into the presentation after the last."""
    pictures, classes = images(presentations + 1), labels(presentations + 1)
    steps = model.sample_steps(phase)
    with runtime_device("numpy", "float64"):
        network = model.build(phase, model.inputs(phase, pictures, classes))
        recorded = {population: SpikeMonitor(network[population]) for population in anatomy.populations(model)}
        network.add(recorded)
        variables = dict(inspection.arrays(network))
        for full, symbol in inspection.run_time_variables(network, set(model.run_time_values())).items():
            variables[full].set_value(model.run_time_values()[symbol])
        for name, array in state.items():
            variables[name].set_value(array.astype(variables[name].dtype))
        seed(7)
        network.run((presentations * steps + 1) * model.dt)
        spikes = {}
        for population, monitor in recorded.items():
            at = np.rint(np.asarray(monitor.t / model.dt)).astype(np.int64)
            spikes[population] = np.stack([at // steps, at % steps, np.asarray(monitor.i)], axis=1)
        end = {v.name: np.array(variables[v.name].get_value()) for v in anatomy.state(model, phase) if not v.is_time}
    if "input.due" in end:
        end["input.due"] = np.minimum(end["input.due"] - presentations * steps, 1e6)
        if "classes.due" in end:
            end["classes.due"] = np.minimum(end["classes.due"] - presentations * steps, 1e6)
    return spikes, end


@pytest.mark.parametrize(
    ("phase", "integration"),
    [("train", "euler"), pytest.param("test", "exponential_euler", marks=pytest.mark.long)],
)
def test_a_jump_ends_where_the_rest_ends(phase: str, integration: str, tmp_path: Path) -> None:
    full = small_model(integration=integration, **RESTED)
    jump = full.replace(rest="jump")
    assert jump.sample_steps(phase) == full.sample_steps(phase) - 110
    begin = first_state(full, phase)
    begin |= {k: v for k, v in trained(full, tmp_path).items() if k in begin}
    rested, jumped = run_steps(full, begin, 6, phase), run_steps(jump, begin, 6, phase)
    for population in anatomy.populations(full):
        np.testing.assert_array_equal(rested[0][population], jumped[0][population], err_msg=population)
    assert len(rested[0]["excitatory"]) > 40
    assert rested[1].keys() == jumped[1].keys()
    for name, array in rested[1].items():
        # what inhibition that is almost gone still does to a potential is all that a jump leaves out
        tolerance = 1e-8 if name == "excitatory.v" else 1e-13
        np.testing.assert_allclose(jumped[1][name], array, rtol=1e-12, atol=tolerance, err_msg=name)


@pytest.mark.long
def test_jumps_change_no_spike_in_three_dozen_presentations(tmp_path: Path) -> None:
    full = small_model(tau_theta=1e6 * ms, **RESTED)
    count, spikes = 36, []
    pictures = np.tile(images(6), (6, 1))
    for model in (full, full.replace(rest="jump")):
        program = devices.program(Structure(model, "train", "float64", "dense", count, ("input",)), tmp_path)
        begin = first_state(model, "train") | trained(full, tmp_path)
        inputs = model.inputs("train", pictures, np.arange(count) % model.classes)
        result = program.run(Block(begin, inputs, model.run_time_values(), 9))
        steps = model.sample_steps("train")
        found = {p: np.stack([s.step // steps, s.step % steps, s.neuron], axis=1) for p, s in result.spikes.items()}
        spikes.append(found)
    assert len(spikes[0]["excitatory"]) > 5 * count
    for population in spikes[0]:
        np.testing.assert_array_equal(spikes[0][population], spikes[1][population], err_msg=population)


# -- declarations ------------------------------------------------------------------------------------------

VARIANTS: list[dict[str, Any]] = [
    {"hidden": 0}, {}, {"hidden": 2}, {"hidden": 0, "rest": "jump"}, {"hidden": 2, "rest": "jump"},
    {"integration": "exponential_euler", "plasticity": "classic", "increment": "constant"},
    {"theta_decay": "none", "rest": "jump"},
]  # fmt: skip


@pytest.mark.parametrize("phase", SymmetricSTDP.phases)
@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_the_state_is_what_can_change(changes: dict[str, Any], phase: str) -> None:
    model = small_model(**changes)
    if phase in ("train_hidden", "train_classes") and not model.hidden:
        assert phase not in {p for phases in model.schedules.values() for p in phases}
        return
    precision = "float32" if changes else "float64"
    everyone = tuple(anatomy.populations(model))
    inputs = model.inputs(phase, np.zeros((1, PIXELS), np.uint8), np.zeros(1, int))
    with runtime_device("numpy", precision):
        network = model.build(phase, inputs)
        faithfulness.refuse_unfaithful(network, Structure(model, phase, precision, "numpy", 1, everyone))
        state = {v.name: v.size for v in anatomy.state(model, phase)}
        known = dict(inspection.arrays(network))
        assert inspection.changing(network) == set(state)
        assert {name: known[name].size for name in state} == state
        assert faithfulness.races(network) == []
        read = set(inspection.run_time_variables(network, set(model.run_time_values())).values())
        counts = {s.name: len(s) for s in inspection.owners(network).values() if isinstance(s, Synapses)}
    if phase == "train" and model.hidden:
        unused = set(model.run_time_values()) - read
        allowed = set() if model.increment == "decaying" else {"theta_init"}
        allowed |= set() if model.theta_decay == "exponential" else {"tau_theta"}
        allowed |= set(EncodedInputs.parameters())
        class_neurons_listen = {"e_l_fast", "v_reset_fast", "v_thresh_fast", "tau_m_fast"} & unused
        assert unused <= allowed, f"{unused} are in the parameter table and nowhere in the network"
        assert not class_neurons_listen
    lateral = {name: n for name, n in counts.items() if "plastic" not in name and name != "to_classes"}
    assert set(lateral.values()) <= {NEURONS}  # of order N


def test_a_rest_shorter_than_what_a_jump_simulates_is_refused() -> None:
    assert small_model(t_rest=5 * ms).t_rest == 5 * ms
    with pytest.raises(ValueError, match=r"t_settle=10\*ms, t_rest=5\*ms, .*: expected t_settle <= t_rest with"):
        small_model(t_rest=5 * ms, rest="jump")


def test_blocks_too_long_for_single_precision_are_refused() -> None:
    model = SymmetricSTDP(neurons=2, pixels=2)
    with pytest.raises(ValueError, match=r"blocks of 17000 images: a step's number has to stay below 2\*\*24"):
        model.build("test", {"rates": np.zeros((17000, 2))})


# -- constants that follow from the size -------------------------------------------------------------------

#: Table 1: tau_theta in ms and alpha in mV
TABLE_1 = {100: (6e6, 8.4e5), 400: (6e6, 8.4e5), 1600: (8e6, 1.12e6), 6400: (2e7, 2e6), 10000: (2e7, 2e6)}


@pytest.mark.parametrize("neurons", TABLE_1)
def test_sizes_take_the_constants_of_table_1(neurons: int) -> None:
    model: Any = parameters.apply(SymmetricSTDP, {"neurons": str(neurons)})
    tau_theta, alpha = TABLE_1[neurons]
    assert float(model.tau_theta / ms) == pytest.approx(tau_theta)
    assert float(model.theta_plus / mV) == pytest.approx(alpha * 0.5 / tau_theta)
    assert model.a_plus == MNIST[neurons]["a_plus"]


def test_sizes_between_take_the_nearest_and_the_defaults_are_the_smallest() -> None:
    near: Any = parameters.apply(SymmetricSTDP, {"neurons": "1400"})
    assert near.a_plus == MNIST[1600]["a_plus"]
    default: Any = SymmetricSTDP()
    assert parameters.table(parameters.apply(SymmetricSTDP, {})) == parameters.table(default)
    assert SymmetricSTDP.tuned({}) == dict(MNIST[100])


def test_what_is_set_wins_over_what_is_tuned() -> None:
    model: Any = parameters.apply(SymmetricSTDP, {"neurons": "1600", "a_plus": "0.25", "tau_theta": "3*second"})
    assert (model.a_plus, float(model.tau_theta)) == (0.25, 3.0)
    assert model.a_plus_class == MNIST[1600]["a_plus_class"]
    direct: Any = parameters.apply(SymmetricSTDP, {"theta_plus": "1*mV"}, neurons=6400)
    assert float(direct.theta_plus / mV) == pytest.approx(1)
    assert float(direct.tau_theta / ms) == pytest.approx(2e7)


def test_garments_take_constants_of_their_own() -> None:
    model: Any = parameters.apply(SymmetricSTDP, {"neurons": "400", "tuned_for": "fashion-mnist"})
    assert (model.w_max_class, model.mean_pixel, model.a_plus) == (40.0, 30.0, FASHION[400]["a_plus"])
    assert float(model.tau_theta / ms) == pytest.approx(5e7)
    # the largest weight of the class pathway and its target, by the beta of Eq. 7: 0.1 * 400 * 40
    assert model.beta_class * 400 * model.w_max_class == pytest.approx(1600)
    assert model.beta * 784 == pytest.approx(39.2)  # Table 3: beta 0.05
