"""The model on every device against its twin in plain NumPy, driven by the same spikes of input and teacher."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms, mV
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import BlockResult
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from tests.models.small_networks import in_order
from tests.models.small_symmetric_networks import CAPACITY, first_state, run_images, small_model, trained
from tests.oracles.symmetric_stdp import Outcome, Settings, Supervised

LEARNS: dict[str, tuple[str, ...]] = {
    "train": ("lower_excitatory", "excitatory", "classes"),
    "train_hidden": ("lower_excitatory", "excitatory"),
    "train_classes": ("classes",),
    "test": (),
}


def settings_of(model: SymmetricSTDP, phase: str) -> Settings:
    """What the model says, in the twin's units; what no test changes are the twin's own numbers."""
    return Settings(
        shown_steps=round(float(model.t_shown / model.dt)), sample_steps=model.sample_steps(phase),
        learns=frozenset(LEARNS[phase]) & set(layers(model, phase)), taught=phase in ("train", "train_classes"),
        tau_ge=float(model.tau_ge / ms), from_inhibitory=model.w_ie, theta_plus=float(model.theta_plus / mV),
        tau_theta=float(model.tau_theta / ms) if model.theta_decay == "exponential" else np.inf,
        a_plus=model.a_plus, a_plus_class=model.a_plus_class,
        minus=model.minus if model.plasticity == "symmetric" else -model.minus, beta=model.beta,
        beta_class=model.beta_class, decaying=model.increment == "decaying", euler=model.integration == "euler",
        intensity_most=model.intensity_most, enough=model.n_least,
    )  # fmt: skip


def layers(model: SymmetricSTDP, phase: str) -> dict[str, str]:
    """Populations that others project to, and where their weights are kept."""
    found = {p.name.rpartition("_to_")[2]: p.variable for p in anatomy.projections(model)}
    if phase == "train_hidden":
        del found["classes"]
    return found


def beginning(model: SymmetricSTDP, phase: str, scratch: Path) -> dict[str, NDArray[Any]]:
    """What a phase begins with: a trained network where the lower layers no longer learn, so that the upper fire."""
    begin = first_state(model, phase)
    return begin | (trained(model, scratch) if phase in ("train_classes", "test") else {})


def twin(
    model: SymmetricSTDP, phase: str, begin: dict[str, NDArray[Any]], result: BlockResult, **changes: Any
) -> Outcome:
    """Run the twin on what the network began with, and on the spikes that nothing of it caused."""
    settings = dataclasses.replace(settings_of(model, phase), **changes)
    shapes = {p.variable: p.shape for p in anatomy.projections(model)}
    weights = {name: begin[variable].reshape(shapes[variable]) for name, variable in layers(model, phase).items()}
    theta = {name: begin[f"{name}.theta"] * 1e3 for name in weights if name != "classes"}
    given = ("input", "classes") if settings.taught else ("input",)
    return Supervised(settings, weights, theta).run(CAPACITY, {name: in_order(result.spikes[name]) for name in given})


def assert_agrees(model: SymmetricSTDP, phase: str, result: BlockResult, expected: Outcome) -> None:
    """The same spikes and presentations; weights within 1e-12, thresholds within as much of themselves."""
    for population, spikes in expected.spikes.items():
        assert in_order(result.spikes[population]) == spikes, population
    for population, variable in layers(model, phase).items():
        found = result.state[variable].reshape(expected.weights[population].shape)
        np.testing.assert_allclose(found, expected.weights[population], rtol=0, atol=1e-12, err_msg=variable)
    for population, theta in expected.theta.items():
        np.testing.assert_allclose(result.state[f"{population}.theta"] * 1e3, theta, rtol=1e-12)
    images = [image for image, _ in expected.shown]
    ended = np.flatnonzero(np.diff([*images, images[-1] + len(result.ended) - images[-1]]))
    np.testing.assert_array_equal(result.ended, ended)


def agrees(model: SymmetricSTDP, phase: str, result: BlockResult, expected: Outcome) -> bool:
    """Whether `assert_agrees` passes."""
    try:
        assert_agrees(model, phase, result, expected)
    except AssertionError:
        return False
    return True


def assert_alive(model: SymmetricSTDP, phase: str, begin: dict[str, NDArray[Any]], result: BlockResult) -> None:
    """Every population fires, and learning leaves its mark beyond scaling, on every layer that learns."""
    for population, size in anatomy.populations(model).items():
        if population != "classes" or phase != "train_hidden":
            spikes = result.spikes[population]
            assert len(spikes.step) >= 5 * CAPACITY, f"{population} is all but silent"
            assert len(set(spikes.neuron.tolist())) > size // 6, f"few neurons of {population} fire"
    for population in settings_of(model, phase).learns:
        variable = layers(model, phase)[population]
        shape = next(p.shape for p in anatomy.projections(model) if p.variable == variable)
        before, after = (w[variable].reshape(shape) for w in (begin, result.state))
        shares = [w / np.where(w.sum(axis=0) > 0, w.sum(axis=0), 1) for w in (before, after)]
        assert np.abs(shares[1] - shares[0]).max() > 0.003, f"{variable} hardly changes beyond its scaling"


@pytest.mark.parametrize(
    ("hidden", "phase"),
    [*((hidden, phase) for hidden in (1, 2) for phase in LEARNS), (0, "train"), (0, "test")],
)
def test_the_network_is_its_twin(hidden: int, phase: str, tmp_path: Path) -> None:
    model = small_model(hidden=hidden)
    begin = beginning(model, phase, tmp_path)
    result = run_images(model, "numpy", tmp_path, phase=phase, state=begin)
    assert_alive(model, phase, begin, result)
    assert_agrees(model, phase, result, twin(model, phase, begin, result))


OPTIONS: dict[str, dict[str, Any]] = {
    "exponential_euler": {"integration": "exponential_euler"},
    "classic": {"plasticity": "classic"},
    "constant": {"increment": "constant"},
    "unequal orders": {"minus": 0.4},
    "no decay": {"theta_decay": "none"},
    "two layers": {
        "hidden": 2, "integration": "exponential_euler", "plasticity": "classic", "increment": "constant"
    },
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("changes", OPTIONS.values(), ids=OPTIONS)
def test_every_reading_of_the_paper_is_its_twin(changes: dict[str, Any], tmp_path: Path) -> None:
    model = small_model(**changes)
    begin = beginning(model, "train", tmp_path)
    result = run_images(model, "numpy", tmp_path)
    assert_alive(model, "train", begin, result)
    assert_agrees(model, "train", result, twin(model, "train", begin, result))


def test_testing_by_exponential_euler_is_its_twin(tmp_path: Path) -> None:
    model = small_model(integration="exponential_euler")
    begin = beginning(model, "test", tmp_path)
    result = run_images(model, "numpy", tmp_path, phase="test", state=begin)
    assert_alive(model, "test", begin, result)
    assert_agrees(model, "test", result, twin(model, "test", begin, result))


@pytest.mark.slow
@pytest.mark.parametrize(
    "device", [pytest.param("cython", marks=pytest.mark.long), pytest.param("cpp", marks=pytest.mark.long), "dense"]
)
@pytest.mark.parametrize("phase", ["train", pytest.param("test", marks=pytest.mark.long)])
def test_every_device_is_its_twin(phase: str, device: str, tmp_path: Path) -> None:
    model = small_model()
    begin = beginning(model, phase, tmp_path)
    result = run_images(model, device, tmp_path, phase=phase, state=begin)
    assert_alive(model, phase, begin, result)
    assert_agrees(model, phase, result, twin(model, phase, begin, result))


@pytest.mark.long
def test_a_compiled_program_reads_the_paper_otherwise_as_well(tmp_path: Path) -> None:
    model = small_model(hidden=2, integration="exponential_euler", plasticity="classic", increment="constant")
    begin = beginning(model, "train", tmp_path)
    result = run_images(model, "dense", tmp_path)
    assert_alive(model, "train", begin, result)
    assert_agrees(model, "train", result, twin(model, "train", begin, result))


@functools.cache
def reference(folder: Path) -> tuple[SymmetricSTDP, dict[str, NDArray[Any]], BlockResult]:
    model = small_model()
    return model, beginning(model, "train", folder), run_images(model, "numpy", folder)


MISTAKES: dict[str, dict[str, Any]] = {
    "post before pre weakens": {"minus": -1.0},
    "spikes of one step pair": {"pairs_at_once": True},
    "no scaling": {"scales": False},
    "a fixed rise": {"decaying": False},
    "exponential Euler": {"euler": False},
    "thresholds fixed": {"learns": frozenset({"classes"})},
    "inhibition decays in 1 ms": {"tau_gi": 1.0},
    "a shorter rest": {"refractory": 1.5},
    "the teacher's neurons listen": {"taught": False},
    "another largest weight": {"largest": 0.7},
    "more spikes are enough": {"enough": 14.0},
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_twin_notices(mistake: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    model, begin, result = reference(tmp_path_factory.getbasetemp())
    assert agrees(model, "train", result, twin(model, "train", begin, result))
    assert not agrees(model, "train", result, twin(model, "train", begin, result, **mistake))


FLIPPED: list[dict[str, Any]] = [{"plasticity": "classic"}, {"tau_p": 15 * ms}]


@pytest.mark.parametrize("flipped", FLIPPED, ids=str)
def test_a_changed_model_no_longer_agrees(flipped: dict[str, Any], tmp_path: Path) -> None:
    """The other direction: the network is changed and the twin stays as the paper has it."""
    model = small_model()
    result = run_images(model.replace(**flipped), "numpy", tmp_path)
    assert not agrees(model, "train", result, twin(model, "train", beginning(model, "train", tmp_path), result))
