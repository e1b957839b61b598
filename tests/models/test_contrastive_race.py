"""The contrastive race against its twin in plain NumPy, and what its parts do."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import hertz, ms, mV
from numpy.typing import NDArray

from hebbarium.engine import faithfulness
from hebbarium.engine.contract import BlockResult
from hebbarium.models.contrastive_race import ContrastiveRace
from hebbarium.training import parameters
from tests.models import taught_networks
from tests.models.small_networks import CAPACITY, PIXELS, in_order
from tests.models.taught_networks import CLASSES, LABELS
from tests.oracles import contrastive_race as oracle

NEURONS = 9
RATES = np.linspace(1, 0.5, CAPACITY)


def small_model(**changes: Any) -> ContrastiveRace:
    """64 inputs and nine neurons of three classes, which learn within six short images."""
    settings: dict[str, Any] = {
        "pixels": PIXELS, "neurons": NEURONS, "classes": CLASSES, "t_free": 60 * ms, "t_taught": 50 * ms,
        "t_test": 80 * ms, "a_plus": 0.05, "theta_plus": 1.5 * mV, "w_t": 5.0, "w_max": 3.0,
        "total_rate": 6000 * hertz,
    }
    return ContrastiveRace(**(settings | changes))


def first_weights(model: ContrastiveRace) -> NDArray[np.float64]:
    return taught_networks.first_weights(model)["plastic.w"].reshape(PIXELS, NEURONS)


def run_images(
    model: ContrastiveRace, device: str, folder: Path, phase: str = "train", labels: NDArray[np.integer] = LABELS
) -> BlockResult:
    return taught_networks.show(model, ("input", "excitatory"), RATES, device, folder, phase, labels)


def twin(model: ContrastiveRace, result: BlockResult) -> oracle.Outcome:
    settings = oracle.Settings(
        free=round(float(model.t_free / model.dt)), taught=round(float(model.t_taught / model.dt)),
        classes=model.classes, winners=model.winners, unlearns=model.unlearns, surprised=model.dose == "surprise",
        free_first=model.order == "free_first", scaled=model.norm == "L2", a_plus=model.a_plus,
        theta_plus=float(model.theta_plus / mV), w_t=model.w_t, w_min=model.w_min, w_max=model.w_max,
        gain=float(model.gain / ms), unlearning=model.unlearning,
    )
    driven_by = result.spikes["input"]
    return oracle.run(
        settings, first_weights(model), LABELS, RATES, driven_by.step, driven_by.neuron.astype(np.int64)
    )


def assert_is_twin(result: BlockResult, expected: oracle.Outcome) -> None:
    assert in_order(result.spikes["excitatory"]) == expected.spikes
    w = result.state["plastic.w"].reshape(PIXELS, NEURONS)
    np.testing.assert_allclose(w, expected.weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.state["excitatory.theta"] * 1e3, expected.theta, rtol=0, atol=1e-12)


@functools.cache
def reference(folder: Path) -> tuple[ContrastiveRace, BlockResult]:
    model = small_model()
    return model, run_images(model, "numpy", folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("race")


@pytest.mark.slow
@pytest.mark.parametrize("device", ["numpy", "dense", pytest.param("cpp", marks=pytest.mark.long)])
def test_the_network_is_its_twin(device: str, folder: Path) -> None:
    model = small_model()
    result = reference(folder)[1] if device == "numpy" else run_images(model, device, folder)
    expected = twin(model, result)
    assert_is_twin(result, expected)
    # all that the rule is made of has happened: races won rightly and wrongly, by several neurons
    count, wrong = np.array(expected.races).sum(axis=0)
    assert 0 < wrong < count
    assert len({neuron for _, neuron in expected.spikes}) > NEURONS // 2
    assert expected.theta.max() > 0


OPTIONS: dict[str, dict[str, Any]] = {
    "winners=all": {"winners": "all"},
    "winners=each": {"winners": "each"},
    "unlearns=all": {"unlearns": "all"},
    "unlearns=none": {"unlearns": "none", "dose": "full"},
    "order=taught_first": {"order": "taught_first", "dose": "full"},
    "norm=none": {"norm": "none", "gain": 2 * ms},
    "w_min=-1": {"w_min": -1.0},
    "theta_plus=0": {"theta_plus": 0 * mV},
}


@pytest.mark.parametrize("changes", OPTIONS.values(), ids=OPTIONS)
def test_what_it_is_without_is_its_twin(changes: dict[str, Any], folder: Path) -> None:
    model = small_model(**changes)
    result = run_images(model, "numpy", folder)
    assert_is_twin(result, twin(model, result))
    normal = reference(folder)[1]
    same = np.array_equal(result.state["plastic.w"], normal.state["plastic.w"])
    assert not same, "the option changes nothing here, and its test shows nothing"


@pytest.mark.parametrize(
    "changes",
    [{"unlearns": "all"}, {"surprised": False}, {"free_first": False}, {"winners": "all"}, {"scaled": False},
     {"theta_plus": 0.0}, {"set_back": -59.0}, {"unlearning": 0.5}],
    ids=str,
)  # fmt: skip
def test_another_rule_is_noticed(changes: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, result = reference(folder)
    settings = oracle.Settings
    monkeypatch.setattr(oracle, "Settings", lambda **given: settings(**(given | changes)))
    with pytest.raises(AssertionError):
        assert_is_twin(result, twin(model, result))


def test_one_neuron_wins_a_race(folder: Path) -> None:
    _, result = reference(folder)
    step = result.spikes["excitatory"].step
    assert len(step) == len(set(step.tolist())) > CAPACITY


def test_the_teacher_lets_its_class_fire_alone(folder: Path) -> None:
    model, result = reference(folder)
    spikes = result.spikes["excitatory"]
    image, within = np.divmod(spikes.step, model.sample_steps("train"))
    taught = within >= round(float(model.t_free / model.dt))
    is_own = spikes.neuron % CLASSES == LABELS[image]
    assert is_own[taught].all()
    assert taught.any()
    assert not is_own[~taught].all()


def test_nothing_is_learned_where_nothing_is_wrong(folder: Path) -> None:
    """One class: every winner is right, so weights are scaled and nothing else."""
    model = small_model(classes=1)
    result = run_images(model, "numpy", folder, labels=np.zeros(CAPACITY, int))
    w = first_weights(model)
    np.testing.assert_allclose(
        result.state["plastic.w"].reshape(w.shape), w * (model.w_t / np.linalg.norm(w, axis=0)), rtol=1e-12
    )
    assert len(result.spikes["excitatory"].step)


def test_nothing_learns_while_testing(folder: Path) -> None:
    model = small_model()
    result = run_images(model, "numpy", folder, phase="test")
    np.testing.assert_array_equal(result.state["plastic.w"], first_weights(model).ravel())
    assert len(result.spikes["excitatory"].step)


def test_the_teacher_is_wrong_about_the_same_images_in_each_pass() -> None:
    generator = np.random.default_rng(1)
    shown, labels = generator.integers(0, 256, (4000, PIXELS), np.uint8), generator.integers(0, CLASSES, 4000)
    model = small_model(mislabelled=0.25)
    named = model.inputs("train", shown, labels)["labels"]
    again = model.inputs("train", shown[::-1], labels[::-1])["labels"][::-1]
    np.testing.assert_array_equal(named, again)
    assert set(named) == set(range(CLASSES))
    assert np.mean(named != labels) == pytest.approx(0.25, abs=0.03)
    np.testing.assert_array_equal(small_model().inputs("train", shown, labels)["labels"], labels)


def test_weights_are_handed_on_scaled() -> None:
    model = small_model()
    w = model.handed_on(model.initial_state(np.random.default_rng(0)))["plastic.w"].reshape(PIXELS, NEURONS)
    np.testing.assert_allclose(np.linalg.norm(w, axis=0), model.w_t)
    state = {"plastic.w": np.zeros(PIXELS * NEURONS)}
    np.testing.assert_array_equal(model.handed_on(state)["plastic.w"], 0)


def test_surprise_is_not_known_before_the_free_part() -> None:
    with pytest.raises(ValueError, match="dose=surprise"):
        small_model(order="taught_first")


def test_learning_falls_with_the_passes() -> None:
    model = small_model(eta_decay=0.5)
    np.testing.assert_allclose(model.epoch_inputs("train", np.arange(3))["learning_rates"], [1, 0.5, 0.25])
    assert model.epoch_inputs("test", np.arange(3)) == {}


@pytest.mark.parametrize(("winners", "races"), [("first", True), ("all", False), ("each", False)])
def test_one_winner_a_race_is_nothing_for_a_gpu(winners: str, races: bool) -> None:
    model = small_model(winners=winners)
    assert bool(faithfulness.races(model.build("train", model.blank("train", PIXELS)))) is races


@pytest.mark.parametrize(("given", "rise"), [
    ({"neurons": "25"}, 0.025), ({"neurons": "100"}, 0.1), ({"neurons": "200"}, 0.2), ({}, 0.2),
    ({"neurons": "25", "theta_plus": "0.2*mV"}, 0.2),
])  # fmt: skip
def test_thresholds_of_few_neurons_rise_less(given: dict[str, str], rise: float) -> None:
    assert parameters.apply(ContrastiveRace, given).theta_plus == rise * mV  # type: ignore[attr-defined]
