"""The rules of desire backpropagation one by one, and what a run asks of the model."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, defaultclock, prefs
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Structure
from hebbarium.equations.strings import chosen, lines
from hebbarium.models.desire_backprop import DesireBackprop
from tests.models.desire_networks import (
    CLASSES,
    first_state,
    run_samples,
    samples,
    small_model,
    twin,
    weights,
)
from tests.oracles.desire_backprop import backwards, forwards


# -- the encoder -----------------------------------------------------------------------------------------------
def spikes_of_levels(steps: int, precision: str, reading: str, scratch: Path) -> NDArray[np.bool_]:
    """Spikes ``(steps, 256)`` of one input neuron for each pixel level."""
    model = DesireBackprop(pixels=256, layers=(1,), classes=1, steps=steps, reading=reading, margin=0.0)
    program = devices.program(Structure(model, "test", precision, "numpy", 1, ("input",)), scratch)
    levels = np.arange(256, dtype=np.uint8)[np.newaxis]
    state = initial_state(model, "test", model.initial_state(np.random.default_rng(0)))
    inputs = model.all_inputs("test", levels, np.zeros(1, int))
    found = program.run(Block(state, inputs, model.run_time_values(), 1)).spikes["input"]
    fired = np.zeros((steps, 256), bool)
    fired[found.step, found.neuron] = True
    assert model.input_spikes("test", levels, np.ones(1, int)) == fired.sum()
    return fired


@pytest.mark.parametrize("reading", ["code", "paper"])
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("steps", [5, 10, 20, 30])
def test_every_pixel_level_fires_as_often_as_its_brightness_says(
    steps: int, precision: str, reading: str, tmp_path: Path
) -> None:
    fired = spikes_of_levels(steps, precision, reading, tmp_path)
    for level in range(256):
        brightness, potential, expected = Fraction(level, 255), Fraction(0), []
        for _ in range(steps):
            potential += brightness
            expected.append(potential >= 1 if reading == "code" else potential > 1)
            potential -= expected[-1]
        assert fired[:, level].tolist() == expected, f"level {level}"


# -- spike trains ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("steps", [20, 30, 40])
def test_a_spike_train_is_read_back_from_its_digits(steps: int, tmp_path: Path) -> None:
    model = small_model(steps=steps, theta_out=0.0)  # every sample has a desire, so that trains are read
    result = run_samples(model, "numpy", tmp_path, 1, precision="float32", record=("input", *model.hidden))
    fired = {}
    for name, size in anatomy.populations(model).items():
        fired[name] = np.zeros((steps, size))
        fired[name][result.spikes[name].step, result.spikes[name].neuron] = 1
        assert fired[name].any()
        if name != "input":
            read = np.array([result.state[f"{name}.s_{k}"] for k in range(steps)])
            np.testing.assert_array_equal(read, fired[name], err_msg=name)
    for name in ("input", *model.hidden):
        trace, asked = np.zeros(anatomy.populations(model)[name]), fired[name].any(axis=0)
        for k in range(steps):
            trace = model.beta_r * trace + fired[name][k]
            np.testing.assert_allclose(result.state[f"{name}.r_{k}"][asked], trace[asked], rtol=1e-6)


@pytest.mark.parametrize("reading", ["code", "paper"])
def test_eligibility_backwards_is_eligibility_forwards(reading: str, tmp_path: Path) -> None:
    model = small_model(reading=reading)
    result = run_samples(model, "numpy", tmp_path, 1, record=("input", *model.hidden))
    names = list(anatomy.populations(model))
    fired = {name: np.zeros((model.steps, size)) for name, size in anatomy.populations(model).items()}
    for name in names:
        fired[name][result.spikes[name].step, result.spikes[name].neuron] = 1
    before, after = weights(model, first_state(model)), weights(model, result.state)
    for depth, (below, above) in enumerate(itertools.pairwise(names), start=1):
        given = fired[below]
        if reading == "code" and depth > 1:
            given = np.vstack([np.zeros(given.shape[1]), given[:-1]])
        eligible = forwards(given, fired[above], model.beta_r)
        np.testing.assert_allclose(backwards(given, fired[above], model.beta_r), eligible, rtol=0, atol=1e-12)
        change = result.state[f"{above}.push"] * eligible
        assert np.abs(change).max() > 0
        np.testing.assert_allclose(after[depth - 1] - before[depth - 1], change, rtol=0, atol=1e-15)


# -- desires, branch by branch ---------------------------------------------------------------------------------
def computed(code: str, wanted: str, **given: Any) -> list[float]:
    """What a piece of code makes of a variable, one neuron a value."""
    before, prefs.codegen.target = prefs.codegen.target, "numpy"
    try:
        size = max(np.size(values) for values in given.values())
        group = NeuronGroup(
            size, "".join(f"{name} : 1\n" for name in {wanted: 0, **given}),
            namespace={"sample_steps": 20, "margin": 4.0, "theta_out": 0.30, "theta_hid": 0.05, "two": 2.0},
        )  # fmt: skip
        group.run_regularly(code)
        for name, values in given.items():
            setattr(group, name, values)
        Network(group).run(defaultclock.dt)
        return [float(value) for value in np.asarray(getattr(group, wanted))]
    finally:
        prefs.codegen.target = before


def output_desires(reading: str, n_spikes: list[int], is_target: bool) -> list[float]:
    """Desires of output neurons (Eq. 11): all of them of the class, or none."""
    code = lines(chosen(DesireBackprop.full, reading), chosen(DesireBackprop.output_desire, reading))
    code = code.replace("int(i == labels(t))", "of_class")
    return computed(code, "desire", n_spikes=n_spikes, of_class=[float(is_target)] * len(n_spikes))


def test_output_desires_of_the_paper() -> None:
    # the error is n/20 less the target: 0.30 is six spikes, and a tie is no desire
    assert output_desires("paper", [0, 5, 6, 7, 20], is_target=False) == [0, 0, 0, -1, -1]
    assert output_desires("paper", [0, 13, 14, 15, 20], is_target=True) == [1, 1, 0, 0, 0]


def test_output_desires_of_the_code() -> None:
    # of 16 spikes, 0.30 is 4.8; more than a full train is no reason to push down the neuron of the class
    assert output_desires("code", [0, 4, 5, 20], is_target=False) == [0, 0, -1, -1]
    assert output_desires("code", [0, 11, 12, 16, 20], is_target=True) == [1, 1, 0, 0, 0]


def hidden_desires(reading: str, pull: list[float], kept: list[float]) -> list[float]:
    return computed(chosen(DesireBackprop.hidden_desire, reading), "desire", pull=pull, kept=kept)


@pytest.mark.parametrize(("reading", "tie"), [("paper", 0), ("code", 1)])
def test_hidden_desires(reading: str, tie: int) -> None:
    pull = [0.2, 0.051, 0.05, 0.049, 0, -0.049, -0.05, -0.051, -0.2]
    assert hidden_desires(reading, pull, [1.0] * 9) == [-1, -1, -tie, 0, 0, 0, tie, 1, 1]
    assert hidden_desires(reading, pull, [0.0] * 9) == [0] * 9


def test_errors_of_the_paper() -> None:
    code = lines(chosen(DesireBackprop.full, "paper"), chosen(DesireBackprop.error, "paper"))
    errors = computed(code, "error", n_spikes=[0, 5, 20, 0, 5, 20, 5], desire=[1, 1, 1, -1, -1, -1, 0])
    assert errors == [-1, -0.75, 0, 0, 0.25, 1, 0]


def test_errors_of_the_code_have_the_sign_of_the_desire() -> None:
    code = lines(chosen(DesireBackprop.full, "code"), chosen(DesireBackprop.error, "code"))
    errors = computed(code, "error", n_spikes=[0, 4, 16, 20, 0, 4, 20, 4], desire=[1, 1, 1, 1, -1, -1, -1, 0])
    assert errors == [-1, -0.75, 0, -0.25, 0, 0.25, 1.25, 0]


# -- weights without a desire ----------------------------------------------------------------------------------
def test_without_any_desire_no_weight_changes_by_a_bit(tmp_path: Path) -> None:
    model = small_model(theta_out=2.0, p_hidden=0.2)
    result = run_samples(model, "numpy", tmp_path, 5)
    for before, after in zip(weights(model, first_state(model)), weights(model, result.state), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("reading", ["code", "paper"])
def test_a_neuron_without_a_desire_keeps_its_weights_to_the_bit(reading: str, tmp_path: Path) -> None:
    model = small_model(reading=reading, theta_hid=0.15)
    result = run_samples(model, "numpy", tmp_path, 1)
    before, after = weights(model, first_state(model)), weights(model, result.state)
    for layer, name in enumerate((*model.hidden, "output")):
        indifferent = result.state[f"{name}.desire"] == 0
        assert name == "output" or 0 < indifferent.sum() < len(indifferent)
        np.testing.assert_array_equal(before[layer][:, indifferent], after[layer][:, indifferent])
        assert (before[layer] != after[layer]).any()


# -- dropout ---------------------------------------------------------------------------------------------------
def test_dropout_leaves_out_the_share_it_should_and_others_each_time(tmp_path: Path) -> None:
    model = small_model(layers=(400, 300), p_hidden=0.3, p_input=0.1)
    first, second = (run_samples(model, "numpy", tmp_path, 1, seed=seed) for seed in (1, 2))
    for name, share in (("hidden_1", 0.3), ("hidden_2", 0.3)):
        kept = first.state[f"{name}.kept"]
        assert abs(1 - kept.mean() - share) < 0.1
        assert (kept != second.state[f"{name}.kept"]).mean() > 0.2
        dropped = kept == 0
        assert not first.state[f"{name}.n_spikes"][dropped].any()
        assert not first.state[f"{name}.desire"][dropped].any()
        assert first.state[f"{name}.n_spikes"][~dropped].any()


def test_nothing_is_left_out_of_a_test(tmp_path: Path) -> None:
    model = small_model(p_hidden=0.6, p_input=0.6)
    images, _ = samples(3)
    result = run_samples(model, "numpy", tmp_path, 3, phase="test")
    expected = [twin(model).show(image)[-1].sum(axis=0) for image in images]
    np.testing.assert_array_equal(result.spikes["output"].counts(3, model.steps, CLASSES), expected)


# -- blocks ----------------------------------------------------------------------------------------------------
def test_blocks_of_any_size_give_the_same_bits(tmp_path: Path) -> None:
    model = small_model()
    whole = run_samples(model, "numpy", tmp_path, 7).state
    state = first_state(model)
    for first, last in ((0, 1), (1, 4), (4, 7)):
        state = run_samples(model, "numpy", tmp_path, last, first=first, state=state).state
    assert whole.keys() == state.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)


def test_the_rate_of_learning_falls_from_epoch_to_epoch() -> None:
    epochs = np.array([0, 1, 50])
    expected = {"paper": 1e-5 * 0.96**epochs, "code": 1e-5 * np.exp(-0.04 * epochs)}
    for reading, rates in expected.items():
        inputs = DesireBackprop(reading=reading).epoch_inputs("train", epochs)
        np.testing.assert_allclose(inputs["learning_rates"], rates, rtol=1e-14)
    assert DesireBackprop().epoch_inputs("test", epochs) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ()}, "layers"),
        ({"layers": (5, 0)}, "layers"),
        ({"steps": 53}, "52"),
        ({"p_hidden": 1.0}, "p_hidden"),
        ({"margin": 20.0}, "margin"),
        ({"reading": "book"}, "reading"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DesireBackprop(**changes)
