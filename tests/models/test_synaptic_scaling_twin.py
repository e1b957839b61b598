"""The model on every device against its twin in plain NumPy, driven by the same input spikes."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import BlockResult, Spikes
from hebbarium.models.synaptic_scaling import SynapticScaling
from tests.models.small_networks import (
    CAPACITY,
    NEURONS,
    PIXELS,
    first_state,
    images,
    in_order,
    run_images,
    small_model,
)
from tests.oracles.winner_take_all import ORDER, Outcome, Settings, WinnerTakeAll

EXPONENTS = {"L1": 1.0, "L2": 2.0, "Lp": 3.0, "none": None}


def settings_of(model: SynapticScaling) -> Settings:
    """What the model says, in the twin's units; the tables' numbers are the twin's own."""
    rivals = model.neurons - 1 if model.inhibition == "shared" else 1
    return Settings(
        steps=model.sample_steps("train"), gain=float(model.gain) * 1e3, tau_p=float(model.tau_p) * 1e3,
        jump_inhibitory=float(model.w_ei) * 1e3, jump_excitatory=float(model.w_ie) * 1e3 / rivals,
        a_plus=model.a_plus, a_minus=model.a_minus, target=model.w_t, p=EXPONENTS[model.norm],
        scale_when_firing=model.scaling_at == "spike", nearest=model.pairing == "nearest",
        adaptive=model.adaptive_threshold, clear_conductances=model.reset_conductances,
        clear_traces=model.reset_traces,
    )


def twin(model: SynapticScaling, driven_by: Spikes, **changes: Any) -> Outcome:
    """Run the twin on a model's first weights and the input spikes of a run."""
    settings = dataclasses.replace(settings_of(model), **changes)
    weights = first_state(model, "train")["plastic.w"].reshape(PIXELS, NEURONS)
    return WinnerTakeAll(settings, weights).run(CAPACITY, driven_by.step, driven_by.neuron.astype(np.int64))


def weights(result: BlockResult) -> NDArray[np.float64]:
    return np.asarray(result.state["plastic.w"].reshape(PIXELS, NEURONS), np.float64)


def agrees(result: BlockResult, expected: Outcome) -> bool:
    """The same spikes, and weights and thresholds within 1e-12."""
    theta = result.state.get("excitatory.theta")
    return (
        in_order(result.spikes["excitatory"]) == expected.excitatory
        and in_order(result.spikes["inhibitory"]) == expected.inhibitory
        and bool(np.abs(weights(result) - expected.weights).max() < 1e-12)
        and (theta is None or bool(np.abs(theta * 1e3 - expected.theta).max() < 1e-12))
    )


def assert_alive(result: BlockResult, model: SynapticScaling) -> None:
    """Every population fires, several winners share the images, and learning leaves its mark."""
    for population, size in anatomy.populations(model).items():
        spikes = result.spikes[population]
        assert len(spikes.step) >= 3 * CAPACITY, f"{population} is all but silent"
        assert len(set(spikes.neuron.tolist())) > size // 3, f"few neurons of {population} fire"
    unlit = model.encode(images())["rates"] == 0
    spikes = result.spikes["input"]
    assert unlit.any()
    assert not unlit[spikes.step // model.sample_steps("train"), spikes.neuron].any(), "unlit pixels fire"
    before = twin(model, Spikes(np.zeros(0, np.int64), np.zeros(0, np.int32))).weights
    assert np.abs(weights(result) - before).max() > 0.05, "the weights hardly change beyond their scaling"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("norm", "device"),
    [
        *(("L2", device) for device in ("numpy", "dense")),
        *(("L1", device) for device in ("numpy", "dense")),
        *(pytest.param(*pair, marks=pytest.mark.long) for pair in itertools.product(("L1", "L2"), ("cython", "cpp"))),
    ],
)
def test_the_network_is_its_twin(norm: str, device: str, tmp_path: Path) -> None:
    model = small_model(norm=norm)
    result = run_images(model, device, tmp_path)
    assert_alive(result, model)
    expected = twin(model, result.spikes["input"])
    assert in_order(result.spikes["excitatory"]) == expected.excitatory
    assert in_order(result.spikes["inhibitory"]) == expected.inhibitory
    np.testing.assert_allclose(weights(result), expected.weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.state["excitatory.theta"] * 1e3, expected.theta, rtol=0, atol=1e-12)


OPTIONS: dict[str, dict[str, Any]] = {
    "norm=Lp": {"norm": "Lp"},
    "norm=none": {"norm": "none"},
    "scaling_at=spike L1": {"scaling_at": "spike", "norm": "L1"},
    "scaling_at=spike L2": {"scaling_at": "spike"},
    "scaling_at=spike Lp": {"scaling_at": "spike", "norm": "Lp"},
    "pairing=nearest": {"pairing": "nearest"},
    "adaptive_threshold=False": {"adaptive_threshold": False},
    "inhibition=shared": {"inhibition": "shared", "w_ie": 28 * ms},
    "reset_conductances=False": {"reset_conductances": False},
    "reset_traces=False": {"reset_traces": False},
}


@pytest.mark.parametrize("changes", OPTIONS.values(), ids=OPTIONS)
def test_every_reading_of_the_paper_is_its_twin(changes: dict[str, Any], tmp_path: Path) -> None:
    model = small_model(**changes)
    result = run_images(model, "numpy", tmp_path)
    assert_alive(result, model)
    assert agrees(result, twin(model, result.spikes["input"]))


@pytest.mark.slow
def test_a_compiled_program_reads_the_paper_otherwise_as_well(tmp_path: Path) -> None:
    model = small_model(norm="Lp", scaling_at="spike", pairing="nearest", reset_traces=False)
    result = run_images(model, "dense", tmp_path)
    assert_alive(result, model)
    assert agrees(result, twin(model, result.spikes["input"]))


@functools.cache
def reference(folder: Path) -> tuple[SynapticScaling, BlockResult]:
    model = small_model()
    return model, run_images(model, "numpy", folder)


def moved(stage: str, before: str) -> tuple[str, ...]:
    """The order of a step with one stage moved before another."""
    order = [s for s in ORDER if s != stage]
    order.insert(order.index(before), stage)
    return tuple(order)


MISTAKES: dict[str, dict[str, Any]] = {
    "A- of the other sign": {"a_minus": -0.01},
    "A+ of the other sign": {"a_plus": -0.02},
    "L1 for L2": {"p": 1.0},
    "L3 for L2": {"p": 3.0},
    "no scaling": {"p": None},
    "scaling at spikes": {"scale_when_firing": True},
    "depression before transmission": {"order": moved("depress", "transmit")},
    "traces jump before they are read": {"order": moved("reset", "transmit")},
    "spikes act before membranes move": {"order": moved("integrate", "inhibit")},
    "scaling after the spikes": {"order": (*[s for s in ORDER if s != "begin"], "begin")},
    "nearest pairs": {"nearest": True},
    "traces kept": {"clear_traces": False},
    "conductances kept": {"clear_conductances": False},
    "no clipping": {"w_min": -np.inf, "w_max": np.inf},
    "thresholds fixed": {"adaptive": False},
    "another reversal potential": {"e_inhibition": -79.0},
    "a shorter rest": {"refractory_excitatory": 1.0},
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_twin_notices(mistake: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    model, result = reference(tmp_path_factory.getbasetemp())
    driven_by = result.spikes["input"]
    assert agrees(result, twin(model, driven_by))
    assert not agrees(result, twin(model, driven_by, **mistake))


FLIPPED: list[dict[str, Any]] = [{"a_minus": 0.03}, {"norm": "L1", "w_t": 4.0}, {"pairing": "nearest"}]


@pytest.mark.parametrize("flipped", FLIPPED, ids=str)
def test_a_changed_model_no_longer_agrees(flipped: dict[str, Any], tmp_path: Path) -> None:
    """The other direction: the network is changed and the twin stays as the paper has it."""
    model = small_model()
    result = run_images(model.replace(**flipped), "numpy", tmp_path)
    assert not agrees(result, twin(model, result.spikes["input"]))
