"""Column feedback against its twin in plain NumPy, and what its parts do."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import hertz, ms

from hebbarium.engine.contract import BlockResult
from hebbarium.models.column_feedback import ColumnFeedback
from tests.models import taught_networks
from tests.models.small_networks import CAPACITY, PIXELS, images, in_order
from tests.models.taught_networks import CLASSES, LABELS, first_weights
from tests.oracles import column_feedback as oracle

NEURONS = 12
RATES = np.linspace(0.02, 0.01, CAPACITY)


def small_model(**changes: Any) -> ColumnFeedback:
    """64 inputs and three columns of four neurons, which learn within six short images."""
    settings: dict[str, Any] = {
        "pixels": PIXELS, "neurons": NEURONS, "classes": CLASSES, "t_train": 60 * ms, "t_test": 80 * ms,
        "total_rate": 6000 * hertz, "w_sd": 0.3, "v_first": 0.3,
    }
    return ColumnFeedback(**(settings | changes))


def run_images(model: ColumnFeedback, device: str, folder: Path, phase: str = "train") -> BlockResult:
    return taught_networks.show(model, ("input", "hidden", "output"), RATES, device, folder, phase)


def twin(model: ColumnFeedback, result: BlockResult) -> oracle.Outcome:
    settings = oracle.Settings(
        shown=model.sample_steps("train"), eligibility=model.eligibility,
        gain=float(model.gain / ms), h=model.h, eta_class=model.eta_class, threshold=model.v_thresh, reach=model.reach,
        feedback_learns=model.feedback == "learned",
    )
    first, driven_by = first_weights(model), result.spikes["input"]
    return oracle.run(
        settings, first["to_hidden.w"].reshape(PIXELS, NEURONS), first["to_output.w"].reshape(NEURONS, CLASSES),
        first["feedback.b"].reshape(CLASSES, NEURONS), LABELS, RATES, driven_by.step,
        driven_by.neuron.astype(np.int64),
    )


def assert_is_twin(result: BlockResult, expected: oracle.Outcome) -> None:
    assert in_order(result.spikes["hidden"]) == expected.spikes
    for name, w in (("to_hidden.w", expected.w), ("to_output.w", expected.w_class)):
        np.testing.assert_allclose(result.state[name].reshape(w.shape), w, rtol=0, atol=1e-12)


@functools.cache
def reference(folder: Path) -> tuple[ColumnFeedback, BlockResult]:
    model = small_model()
    return model, run_images(model, "numpy", folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


@pytest.mark.slow
@pytest.mark.parametrize("device", ["numpy", "dense", pytest.param("cpp", marks=pytest.mark.long)])
def test_the_network_is_its_twin(device: str, folder: Path) -> None:
    model = small_model()
    result = reference(folder)[1] if device == "numpy" else run_images(model, device, folder)
    expected = twin(model, result)
    assert_is_twin(result, expected)
    # all that the rule is made of has happened: some neurons were silent, both signs fired, errors were large
    fired = np.array([[(k // model.sample_steps("train"), j) for k, j in expected.spikes]]).reshape(-1, 2)
    active = np.zeros((CAPACITY, NEURONS), bool)
    active[fired[:, 0], fired[:, 1]] = True
    assert not active.all(axis=1).any()
    assert active[:, model.signs > 0].any()
    assert active[:, model.signs < 0].any()
    assert np.abs(expected.w - first_weights(model)["to_hidden.w"].reshape(PIXELS, NEURONS)).max() > 0.01


OPTIONS: dict[str, dict[str, Any]] = {
    "feedback=mixed": {"feedback": "mixed"},
    "feedback=learned": {"feedback": "learned"},
    "eligibility=count": {"eligibility": "count"},
    "eligibility=near": {"eligibility": "near"},
    "eligibility=pairs": {"eligibility": "pairs"},
    "against=0": {"against": 0.0},
    "eta_class=0": {"eta_class": 0.0},
}


@pytest.mark.parametrize("changes", OPTIONS.values(), ids=OPTIONS)
def test_what_it_is_held_against_is_its_twin(changes: dict[str, Any], folder: Path) -> None:
    model = small_model(**changes)
    result = run_images(model, "numpy", folder)
    assert_is_twin(result, twin(model, result))
    normal = reference(folder)[1]
    same = np.array_equal(result.state["to_hidden.w"], normal.state["to_hidden.w"])
    assert not same, "the option changes nothing here, and its test shows nothing"


@pytest.mark.parametrize(
    "changes",
    [{"eligibility": "count"}, {"eta_class": 0.6}, {"h": 0.11}, {"gain": 29.0}, {"tau_s": 21.0},
     {"threshold": 1.01}],
    ids=str,
)  # fmt: skip
def test_another_rule_is_noticed(changes: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, result = reference(folder)
    settings = oracle.Settings
    monkeypatch.setattr(oracle, "Settings", lambda **given: settings(**(given | changes)))
    with pytest.raises(AssertionError):
        assert_is_twin(result, twin(model, result))


def test_a_column_is_told_the_error_of_its_own_class_alone() -> None:
    b = first_weights(small_model())["feedback.b"].reshape(CLASSES, NEURONS)
    told = b != 0
    assert (told.sum(axis=0) == 1).all()
    np.testing.assert_array_equal(np.argmax(told, axis=0), np.arange(NEURONS) % CLASSES)


@pytest.mark.parametrize(("neurons", "against", "number"), [(400, 0.25, 10), (100, 0.25, 2), (400, 0, 0), (30, 1, 3)])
def test_each_column_has_as_many_neurons_against_it(neurons: int, against: float, number: int) -> None:
    signs = ColumnFeedback(neurons=neurons, against=against).signs.reshape(-1, 10)
    np.testing.assert_array_equal((signs < 0).sum(axis=0), number)


def test_a_hidden_neuron_that_is_told_nothing_stays_as_it_was(folder: Path) -> None:
    model = small_model(feedback="none")
    result, first = run_images(model, "numpy", folder), first_weights(model)
    np.testing.assert_array_equal(result.state["to_hidden.w"], first["to_hidden.w"])
    assert not np.array_equal(result.state["to_output.w"], first["to_output.w"])


def test_connections_downwards_that_learn_grow_like_those_upwards(folder: Path) -> None:
    model = small_model(feedback="learned", b_first=0.3)
    state = run_images(model, "numpy", folder).state
    upwards, downwards = state["to_output.w"].reshape(NEURONS, CLASSES), state["feedback.b"].reshape(CLASSES, NEURONS)
    np.testing.assert_allclose(downwards, upwards.T, rtol=0, atol=1e-12)
    assert np.abs(upwards - first_weights(model)["to_output.w"].reshape(upwards.shape)).max() > 0.001


def test_class_neurons_know_their_columns_at_first() -> None:
    model = small_model()
    w = first_weights(model)["to_output.w"].reshape(NEURONS, CLASSES)
    own = np.arange(NEURONS)[:, np.newaxis] % CLASSES == np.arange(CLASSES)
    np.testing.assert_array_equal(w, np.where(own, 0.3 * model.signs[:, np.newaxis], 0))


def test_nothing_learns_while_testing(folder: Path) -> None:
    model = small_model()
    result = run_images(model, "numpy", folder, phase="test")
    first = first_weights(model)
    for name in ("to_hidden.w", "to_output.w"):
        np.testing.assert_array_equal(result.state[name], first[name])
    assert len(result.spikes["hidden"].step)
    assert not len(result.spikes["output"].step)


def test_learning_falls_to_zero_over_the_passes() -> None:
    model = small_model(eta=0.4, fall_over=4)
    found = model.epoch_inputs("train", np.arange(6))["learning_rates"]
    np.testing.assert_allclose(found, [0.4, 0.3, 0.2, 0.1, 0, 0])
    assert model.epoch_inputs("test", np.arange(3)) == {}


def test_images_have_one_summed_rate() -> None:
    rates = small_model().rates(np.concatenate([images(), np.zeros((1, PIXELS), np.uint8)]))
    np.testing.assert_allclose(rates.sum(axis=1), [6000] * CAPACITY + [0])
