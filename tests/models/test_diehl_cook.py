"""The network of Diehl & Cook piece by piece: the triplet rule in closed form, delays, frozen phases, switches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import CodeRunner, Network, NeuronGroup, ms
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import BlockResult
from hebbarium.engine.runtime import runtime_device
from hebbarium.models.diehl_cook import DiehlCook
from hebbarium.models.parts import Parts
from tests.models.small_networks import in_order
from tests.models.small_triplets import (
    CAPACITY,
    EVERYONE,
    NEURONS,
    PIXELS,
    first_state,
    images,
    run_images,
    small_model,
)
from tests.models.test_diehl_cook_twin import settings_of
from tests.oracles.triplets import Triplets

# -- the rule, one synapse at a time -----------------------------------------------------------------------

PRE = [[4], [4, 24], [10], [4, 10], [30], [], [14, 34]]
POST = [[24], [14], [4, 20], [20, 40], [6, 10], [4, 10], [14, 34]]


def changes(model: DiehlCook, delay_steps: int = 0) -> NDArray[np.float64]:
    """Change of weight of a synapse for each pair of trains `PRE` and `POST`, in steps of 0.5 ms."""
    with runtime_device("numpy", "float64"):
        parts = Parts(model, model.dt, 1, {}, {})
        common: dict[str, Any] = {"clock": parts.clock, "namespace": {}}
        counted = "t_in_timesteps == first or t_in_timesteps == second_one"
        spikes = "first : integer\nsecond_one : integer\nscale : 1\nnorm_sum : 1\n"
        traces = "x : 1\n", "y : 1\nz : 1\ng_e : 1\n"
        decay = ("x *= exp(-dt/tau_p)", "y *= exp(-dt/tau_p)\nz *= exp(-dt/tau_slow)")
        resets = ("x = 1", "y = 1\nz = 1")
        groups = []
        for k, trains in enumerate((PRE, POST)):
            group = NeuronGroup(
                len(trains), spikes + traces[k] + model.declare_used(decay[k]), threshold=counted, reset=resets[k],
                events={"switch": "False"}, name=("pre", "post")[k], **common,
            )
            group.run_regularly(decay[k], when="groups", order=1)
            group.first = [train[0] if train else -1 for train in trains]
            group.second_one = [train[1] if len(train) > 1 else -1 for train in trains]
            groups.append(group)
        pre, post = groups
        pre.resetter["spike"].when = "before_synapses"
        plastic = model.plastic(parts, True, pre, post)
        for owner in (pre, post, plastic):
            for symbol, value in model.run_time_values().items():
                if symbol in owner.variables:
                    owner.variables[symbol].set_value(value)
        plastic.w = 0.5
        if model.delays == "uniform":
            plastic.variables["arrived"].set_value(-1e4)
            plastic.transmit.delay = delay_steps * model.dt
        network = Network(pre, post, plastic)
        network.run(40 * ms)
        return np.array(plastic.w[:]).reshape(len(PRE), len(POST)).diagonal() - 0.5


def closed_form(model: DiehlCook, delay: int, sign: float = 1.0) -> list[float]:
    """What each pair of trains comes to, from intervals alone: steps of 0.5 ms, 20 and 40 ms."""
    a, b, fast, slow = model.a_plus, model.a_minus, 40.0, 80.0
    found = []
    for pre, post in zip(PRE, POST, strict=True):
        arrived, change = [s + delay for s in pre], 0.0
        for s in arrived:
            before = [p for p in post if p < s]
            change -= sign * b * np.exp((before[-1] - s) / fast) if before else 0.0
        for s in post:
            at_once = [r for r in arrived if r <= s]
            before = [p for p in post if p < s]
            third = (np.exp((before[-1] - s) / slow) if before else 0.0) if model.rule == "triplet" else 1.0
            change += a * np.exp((at_once[-1] - s) / fast) * third if at_once else 0.0
        found.append(change)
    return found


@pytest.mark.parametrize("delay", [0, 3, 20])
@pytest.mark.parametrize("rule", ["triplet", "pair"])
def test_trains_change_the_weight_as_the_rule_says(rule: str, delay: int) -> None:
    model = DiehlCook(rule=rule, delays="uniform")
    np.testing.assert_allclose(changes(model, delay), closed_form(model, delay), rtol=0, atol=1e-14)


@pytest.mark.parametrize("rule", ["triplet", "pair"])
def test_without_delays_traces_at_the_neuron_say_the_same(rule: str) -> None:
    model = DiehlCook(rule=rule, delays="none")
    np.testing.assert_allclose(changes(model), closed_form(model, 0), rtol=0, atol=1e-14)


def test_the_ports_sign() -> None:
    model = DiehlCook(pre_spike="potentiates", delays="uniform")
    np.testing.assert_allclose(changes(model), closed_form(model, 0, sign=-1.0), rtol=0, atol=1e-14)


def test_one_post_spike_alone_potentiates_nothing() -> None:
    """The first spike of a neuron finds no slow trace: the pair rule's potentiation is the triplets' third factor."""
    assert changes(DiehlCook(delays="uniform"))[0] == 0
    assert changes(DiehlCook(rule="pair", delays="uniform"))[0] == pytest.approx(0.01 * np.exp(-20 / 40))


# -- delays ------------------------------------------------------------------------------------------------


def test_delays_of_nothing_are_no_delays(tmp_path: Path) -> None:
    prompt = run_images(small_model(delays="none"), "numpy", tmp_path)
    late = run_images(small_model(delay_most=0 * ms), "numpy", tmp_path)
    for population in EVERYONE:
        assert np.array_equal(prompt.spikes[population].step, late.spikes[population].step)
    np.testing.assert_allclose(late.state["plastic.w"], prompt.state["plastic.w"], rtol=0, atol=1e-12)


def test_delays_are_drawn_once_and_stay(tmp_path: Path) -> None:
    model = small_model()
    drawn = model.initial_state(np.random.default_rng(3))["plastic_transmit.delay"]
    assert (drawn.min() < 5e-4, drawn.max() > 9.5e-3, drawn.max() <= 10e-3) == (True, True, True)
    assert not np.array_equal(drawn, model.initial_state(np.random.default_rng(4))["plastic_transmit.delay"])
    result = run_images(model, "numpy", tmp_path)
    assert np.array_equal(result.state["plastic_transmit.delay"], drawn)


def test_other_delays_are_another_run(tmp_path: Path) -> None:
    """They reach the program: the same input spikes evoke the first answer later."""
    model, state = small_model(), first_state(small_model())
    ends = [
        run_images(model, "numpy", tmp_path, state=state | {"plastic_transmit.delay": np.full(PIXELS * NEURONS, d)})
        for d in (0.0, 1e-2)
    ]
    first = [end.spikes["input"].step[end.spikes["input"].step < model.sample_steps("train")] for end in ends]
    assert np.array_equal(first[0], first[1])
    assert ends[0].spikes["excitatory"].step[0] + 10 < ends[1].spikes["excitatory"].step[0]


def test_nothing_is_under_way_when_a_presentation_ends(tmp_path: Path) -> None:
    model = small_model()
    (longest,) = model.longest_delays().values()
    steps = run_images(model, "numpy", tmp_path).spikes["input"].step % model.sample_steps("train")
    assert steps.max() + round(longest / anatomy.time_step(model)) < model.sample_steps("train")


def test_delays_outlast_no_rest() -> None:
    with pytest.raises(ValueError, match="expected delay_most < t_rest"):
        small_model(delay_most=15 * ms)
    assert small_model(delays="none").longest_delays() == {}


# -- what outlives a block ---------------------------------------------------------------------------------


@pytest.mark.parametrize("delays", ["uniform", "none"])
def test_two_blocks_are_one_network(delays: str, tmp_path: Path) -> None:
    """State is whole: the twin, which knows no blocks, follows two of them, the second begun from the first's end."""
    model = small_model(delays=delays)
    first = run_images(model, "numpy", tmp_path)
    second = run_images(model, "numpy", tmp_path, state=first.state, seed=6)
    length, state = CAPACITY * model.sample_steps("train"), first_state(model)
    late = state.get("plastic_transmit.delay", np.zeros(PIXELS * NEURONS))
    whole = Triplets(
        settings_of(model), state["plastic.w"].reshape(PIXELS, NEURONS),
        np.floor(late / 5e-4 + 0.5).astype(np.int64).reshape(PIXELS, NEURONS),
    ).run(
        2 * CAPACITY,
        np.concatenate([first.spikes["input"].step, second.spikes["input"].step + length]),
        np.concatenate([first.spikes["input"].neuron, second.spikes["input"].neuron]).astype(np.int64),
    )
    later = [(step + length, neuron) for step, neuron in in_order(second.spikes["excitatory"])]
    assert in_order(first.spikes["excitatory"]) + later == whole.excitatory
    assert len(later) > CAPACITY
    np.testing.assert_allclose(second.state["plastic.w"].reshape(PIXELS, NEURONS), whole.weights, rtol=0, atol=1e-11)


def trained(model: DiehlCook, result: BlockResult, phase: str) -> dict[str, NDArray[Any]]:
    """The state of a frozen phase after training."""
    kept = ("plastic.w", "plastic_transmit.delay", "excitatory.theta")
    return first_state(model, phase) | {name: result.state[name] for name in kept if name in result.state}


@pytest.mark.parametrize("delays", ["uniform", "none"])
def test_nothing_learns_outside_training(delays: str, tmp_path: Path) -> None:
    model = small_model(delays=delays)
    learned = run_images(model, "numpy", tmp_path)
    for phase in ("respond", "test"):
        begin = trained(model, learned, phase)
        end = run_images(model, "numpy", tmp_path, phase=phase, state=begin)
        assert len(end.spikes["excitatory"].step) > 10
        for name in ("plastic.w", "plastic_transmit.delay", "excitatory.theta"):
            assert name not in begin or np.array_equal(end.state[name], begin[name]), name


# -- switches ----------------------------------------------------------------------------------------------


def parts(model: DiehlCook, phase: str = "train") -> dict[str, str]:
    """All that a network does, by name: equations, thresholds, resets, pathways, regular operations."""
    with runtime_device("numpy", "float64"):
        network = model.build(phase, model.encode(images(1)))
        found = {}
        for member in network.sorted_objects:
            if isinstance(member, SynapticPathway):
                found[member.name] = f"{member.code}|{member.order}|{member.when}"
            elif isinstance(member, NeuronGroup):
                method = member.state_updater.method_choice
                found[member.name] = f"{member.user_equations}|{method}|{member.events}|{member.event_codes}"
            elif type(member) is CodeRunner:
                found[member.name] = f"{member.abstract_code}|{member.order}|{member.when}"
        return found


SWITCHES: dict[str, tuple[Mapping[str, Any], set[str]]] = {
    "pre_spike": ({"pre_spike": "potentiates"}, {"plastic_transmit"}),
    "rule": ({"rule": "pair"}, {"plastic_potentiate", "excitatory", "excitatory_run_regularly"}),
    "delays": ({"delays": "none"}, {"plastic_transmit", "plastic_potentiate", "input"}),
    "integration": (
        {"integration": "exponential_euler"},
        {"excitatory", "inhibitory", "excitatory_run_regularly", "inhibitory_run_regularly"},
    ),
    "clamped": ({"integration": "euler"}, {"excitatory_run_regularly", "inhibitory_run_regularly"}),
    "t_dead": ({"t_dead": 50 * ms}, set()),
}


@pytest.mark.parametrize(("changed", "expected"), SWITCHES.values(), ids=SWITCHES)
def test_a_switch_changes_what_it_says(changed: dict[str, Any], expected: set[str]) -> None:
    usual, other = parts(small_model()), parts(small_model(**changed))
    differing = {name for name in usual | other if usual.get(name) != other.get(name)}
    assert differing == expected


def test_learning_switches_do_not_touch_what_is_frozen() -> None:
    usual = parts(small_model(), "test")
    for changed in ({"pre_spike": "potentiates"}, {"rule": "pair"}):
        assert parts(small_model(**changed), "test") == usual


def test_the_dead_time_keeps_spikes_apart(tmp_path: Path) -> None:
    def shortest(model: DiehlCook) -> int:
        spikes = run_images(model, "numpy", tmp_path).spikes["excitatory"]
        return min(int(np.diff(spikes.step[spikes.neuron == k]).min(initial=10**6)) for k in range(NEURONS))

    assert shortest(small_model()) < 60
    assert shortest(small_model(t_dead=30 * ms)) > 60  # steps of 0.5 ms, and the port's clock has to be beyond it


def test_the_published_values() -> None:
    model = DiehlCook()
    assert (model.neurons, model.sample_steps("train"), model.sample_steps("test")) == (400, 1000, 1000)
    white = model.encode(np.full((1, 784), 255, np.uint8))["rates"] * model.intensity_first
    np.testing.assert_allclose(white, 63.75)
    drawn = model.initial_state(np.random.default_rng(0))["plastic.w"]
    assert (round(float(drawn.min()), 3), round(float(drawn.max()), 3)) == (0.003, 0.303)
    begin = {v.name: v.initial for v in anatomy.of(model, "train").state}
    assert (begin["excitatory.v"], begin["inhibitory.v"]) == pytest.approx((-0.105, -0.1))
    assert begin["excitatory.theta"] + float(model.v_thresh) == pytest.approx(-0.052)


def test_weights_are_scaled_before_each_presentation(tmp_path: Path) -> None:
    model = small_model(a_minus=0.0, a_plus=0.0)
    w = run_images(model, "numpy", tmp_path).state["plastic.w"].reshape(PIXELS, NEURONS)
    np.testing.assert_allclose(w.sum(axis=0), 14.0, rtol=1e-12)
