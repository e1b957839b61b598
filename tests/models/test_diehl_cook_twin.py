"""The whole network of Diehl & Cook against its NumPy twin, driven by the same input spikes: spike for spike."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms

from hebbarium.engine import anatomy
from hebbarium.engine.contract import BlockResult, Spikes
from hebbarium.models.diehl_cook import DiehlCook
from tests.models.small_networks import in_order
from tests.models.small_triplets import CAPACITY, NEURONS, PIXELS, first_state, run_images, small_model
from tests.oracles.triplets import ORDER, Outcome, Settings, Triplets

METHODS = {"euler": "euler", "clamped": "clamped", "exponential_euler": "exponential"}


def settings_of(model: DiehlCook) -> Settings:
    """What the small network says; the published values are the twin's own."""
    return Settings(
        shown_steps=round(float(model.t_shown / model.dt)), steps=model.sample_steps("train"), target=model.w_t,
        a_plus=model.a_plus, a_minus=model.a_minus, theta_plus=float(model.theta_plus) * 1e3,
        tau_theta=float(model.tau_theta) * 1e3, dt=float(model.dt) * 1e3, dead=float(model.t_dead) * 1e3,
        triplets=model.rule == "triplet", sign=1.0 if model.pre_spike == "depresses" else -1.0,
        steps_of=METHODS[model.integration], w_max=model.w_max,
    )


def twin(model: DiehlCook, driven_by: Spikes, **changes: Any) -> Outcome:
    """Run the twin on a model's first weights and delays and the input spikes of a run."""
    state, shape = first_state(model), (PIXELS, NEURONS)
    late = state.get("plastic_transmit.delay", np.zeros(PIXELS * NEURONS))
    delays = np.floor(late / float(model.dt) + 0.5).astype(np.int64).reshape(shape)
    settings = dataclasses.replace(settings_of(model), **changes)
    network = Triplets(settings, state["plastic.w"].reshape(shape), delays)
    return network.run(CAPACITY, driven_by.step, driven_by.neuron.astype(np.int64))


def agrees(result: BlockResult, expected: Outcome) -> bool:
    """The same spikes and ends of images, and weights, thresholds and potentials within 1e-11."""
    return (
        in_order(result.spikes["excitatory"]) == expected.excitatory
        and in_order(result.spikes["inhibitory"]) == expected.inhibitory
        and result.spikes["controller"].step.tolist() == expected.over
        and bool(np.abs(result.state["plastic.w"].reshape(PIXELS, NEURONS) - expected.weights).max() < 1e-11)
        and bool(np.abs(result.state["excitatory.theta"] * 1e3 - expected.theta).max() < 1e-11)
        and bool(np.abs(result.state["excitatory.v"] * 1e3 - expected.v).max() < 1e-9)
    )


def assert_alive(result: BlockResult, model: DiehlCook) -> None:
    """Every population fires, several winners share the images, one image is shown again, weights change."""
    for population, size in anatomy.populations(model).items():
        spikes = result.spikes[population]
        assert len(spikes.step) >= 3 * CAPACITY, f"{population} is all but silent"
        assert len(set(spikes.neuron.tolist())) > size // 3, f"few neurons of {population} fire"
    assert 0 < len(result.ended) < CAPACITY
    w = first_state(model)["plastic.w"].reshape(PIXELS, NEURONS)
    scaled = (w * model.w_t / w.sum(axis=0)).ravel()
    assert np.abs(result.state["plastic.w"] - scaled).max() > 0.05, "the weights hardly change beyond their scaling"


@pytest.mark.slow
@pytest.mark.parametrize("delays", ["uniform", pytest.param("none", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "device", [pytest.param("cython", marks=pytest.mark.long), pytest.param("cpp", marks=pytest.mark.long), "dense"]
)
def test_the_network_is_its_twin(device: str, delays: str, tmp_path: Path) -> None:
    model = small_model(delays=delays)
    result = run_images(model, device, tmp_path)
    assert_alive(result, model)
    assert agrees(result, twin(model, result.spikes["input"]))


OPTIONS: dict[str, dict[str, Any]] = {
    "delays=uniform": {"delays": "uniform"},
    "delays=none": {"delays": "none"},
    "rule=pair": {"rule": "pair"},
    "rule=pair without delays": {"rule": "pair", "delays": "none"},
    "pre_spike=potentiates": {"pre_spike": "potentiates"},
    "integration=euler": {"integration": "euler"},
    "integration=exponential_euler": {"integration": "exponential_euler"},
    "t_dead": {"t_dead": 20 * ms},
    "dt": {"dt": 0.25 * ms},
}


@pytest.mark.parametrize("changes", OPTIONS.values(), ids=OPTIONS)
def test_every_switch_is_its_twin(changes: dict[str, Any], tmp_path: Path) -> None:
    model = small_model(**changes)
    result = run_images(model, "numpy", tmp_path)
    assert_alive(result, model)
    assert agrees(result, twin(model, result.spikes["input"]))


def test_every_choice_has_its_twin() -> None:
    for symbol, row in DiehlCook.parameters().items():
        for value in row.among if symbol != "encoder" else ():  # the twin is driven by the input's spikes
            assert value == row.default or any(changes.get(symbol) == value for changes in OPTIONS.values())


@functools.cache
def reference(folder: Path) -> tuple[DiehlCook, BlockResult]:
    model = small_model()
    return model, run_images(model, "numpy", folder)


def moved(stage: str, before: str) -> tuple[str, ...]:
    """The order of a step with one stage moved before another."""
    order = [s for s in ORDER if s != stage]
    order.insert(order.index(before), stage)
    return tuple(order)


MISTAKES: dict[str, dict[str, Any]] = {
    "pairs": {"triplets": False},
    "the port's sign": {"sign": -1.0},
    "all pairs": {"all_pairs": True},
    "no scaling": {"target": None},
    "dead time": {"dead": 20.0},
    "another slow trace": {"tau_slow": 20.0},
    "clamped elsewhere": {"e_inhibition": -80.0},
    "not clamped": {"steps_of": "euler"},
    "exponential steps": {"steps_of": "exponential"},
    "no cap": {"w_max": np.inf},
    "a shorter rest after spikes": {"refractory": 2.0},
    "potentials begin at rest": {"start_below": 0.0},
    "any spike is enough": {"enough": 1.0},
    "depression before transmission": {"order": moved("depress", "transmit")},
    "inputs' traces jump last": {"order": moved("arrive", "reset")},
    "traces jump before they are read": {"order": moved("reset", "depress")},
    "spikes act before membranes move": {"order": moved("integrate", "reset")},
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_twin_notices(mistake: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    model, result = reference(tmp_path_factory.getbasetemp())
    driven_by = result.spikes["input"]
    assert agrees(result, twin(model, driven_by))
    assert not agrees(result, twin(model, driven_by, **mistake))


def test_delays_matter(tmp_path_factory: pytest.TempPathFactory) -> None:
    model, result = reference(tmp_path_factory.getbasetemp())
    prompt = twin(model.replace(delays="none"), result.spikes["input"])
    assert not agrees(result, prompt)
