"""What of a model can be computed without Python, and what is refused by its name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.catalogue import registry
from hebbarium.datasets import by_name as datasets
from hebbarium.exports import changes, forms, project
from hebbarium.exports.plan import Plan
from hebbarium.exports.project import Exported
from hebbarium.files.errors import EngineError, ModelRefused
from hebbarium.models.contract import Arrays, Model
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training import parameters
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Samples


@pytest.fixture(scope="module")
def shown() -> Samples:
    images = datasets.load("mnist-embedded")
    return Samples(images.train_images[:120], images.train_labels[:120], np.arange(120))


def model_of(name: str, **changed: str) -> Model:
    kind = registry.find(name)
    return parameters.apply(kind, parameters.values(kind, changed))


@pytest.mark.parametrize(
    ("model", "changed", "phase", "expected"),
    [
        ("synaptic_scaling", {}, "train", {"rates": "share"}),
        ("synaptic_scaling", {"rate_coding": "binary"}, "train", {"rates": "lit_share"}),
        ("synaptic_scaling", {"rate_coding": "peak"}, "train", {"rates": "level"}),
        ("synaptic_scaling", {"encoder": "latency"}, "test", {"rates": "share", "whites": "brightest"}),
        ("diehl_cook", {}, "train", {"rates": "level"}),
        ("symmetric_stdp", {}, "train", {"rates": "level", "teacher_rates": "class"}),
        ("symmetric_stdp", {"mean_pixel": "30"}, "train_hidden", {"rates": "evened"}),
        ("desire_backprop", {}, "train", {"levels": "level", "labels": "label", "learning_rates": "pass"}),
        ("timing_backprop", {}, "train", {"latencies": "level", "labels": "label"}),
        ("tssl_backprop", {}, "train", {
            "pixels": "level", "opens": "opens", "closes": "closes", "labels": "label", "learning_rates": "pass"}),
        ("tssl_backprop", {}, "test", {"pixels": "level", "opens": "opens"}),
        ("s4nn", {}, "train", {"latencies": "level", "labels": "label", "closes": "closes", "learning_rates": "pass"}),
    ],
)  # fmt: skip
def test_inputs_of_models_have_forms(
    shown: Samples, model: str, changed: dict[str, str], phase: str, expected: dict[str, str]
) -> None:
    found = forms.forms(model_of(model, **changed), phase, shown, 3, list(expected))
    assert {form.name: form.form for form in found} == expected


class Blurred(SynapticScaling):
    """Each pixel drives its neighbour as well."""

    def rates(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """See `EncodedInputs.rates`."""
        return super().rates(images) + np.roll(super().rates(images), 1, axis=1)


class Handed(SynapticScaling):
    """Weights are doubled after training."""

    def handed_on(self, state: Arrays) -> Arrays:
        """See `Model.handed_on`."""
        return {name: 2 * array for name, array in state.items()}


class Between(SynapticScaling):
    """Weights are halved between passes."""

    def between_passes(self, state: Arrays, generator: np.random.Generator) -> Arrays:
        """See `Model.between_passes`."""
        return {name: array / 2 for name, array in state.items()}


def test_inputs_of_another_form_are_refused_by_their_name(shown: Samples) -> None:
    with pytest.raises(ModelRefused, match="its input 'rates' in phase train cannot be computed without Python"):
        forms.forms(Blurred(neurons=5), "train", shown, 1, ["rates"])


def test_what_happens_to_state_in_python_is_refused_by_its_name() -> None:
    with pytest.raises(ModelRefused, match="in `handed_on` is Python of its own"):
        changes.handed_on(Handed(neurons=5))
    with pytest.raises(ModelRefused, match="in `between_passes` is Python of its own"):
        changes.between_passes(Between(neurons=5))
    with pytest.raises(ModelRefused, match="norm=Lp"):
        changes.handed_on(SynapticScaling(neurons=5, norm="Lp"))
    with pytest.raises(ModelRefused, match="in `between_passes` is Python of its own"):
        changes.between_passes(model_of("s4nn"))


@pytest.mark.parametrize(
    ("model", "lines"),
    [
        (SynapticScaling(neurons=5), ["scale plastic.w 784 5 2 w_t"]),
        (SynapticScaling(neurons=5, norm="L1"), ["scale plastic.w 784 5 1 w_t"]),
        (SynapticScaling(neurons=5, norm="none"), []),
        (model_of("symmetric_stdp", neurons="5"), ["scale plastic.w 784 5 1 beta*w_max*784"]),
        (model_of("symmetric_stdp", neurons="5", hidden="2"), [
            "scale lower_plastic.w 784 5 1 beta*w_max*784", "scale plastic.w 5 5 1 beta_class*w_max_class*5"]),
        (model_of("diehl_cook"), []),
    ],
)  # fmt: skip
def test_what_training_hands_on(model: Model, lines: list[str]) -> None:
    assert [change.line for change in changes.handed_on(model)] == lines


def test_what_the_exported_program_would_do_is_held_against_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_POWERS", {"L1": 1, "L2": 1})
    with pytest.raises(ModelRefused, match="in `handed_on`"):
        changes.handed_on(SynapticScaling(neurons=5))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "lenet_conversion"}, "is computed in Python"),
        ({"device": "numpy"}, "generates no program of its own"),
    ],
)
def test_runs_that_cannot_be_exported(given: dict[str, Any], said: str, tmp_path: Path) -> None:
    exported = Exported.of_settings(RunSettings(images=30, test_images=10, **given))
    with pytest.raises(EngineError, match=said):
        project.write(exported, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_run_that_begins_with_another_is_refused() -> None:
    exported = Exported.of_settings(RunSettings(images=30, test_images=10, warm_start="runs/before"))
    plan = Plan(exported.settings, exported.model, exported.division)
    with pytest.raises(ModelRefused, match="begins with what runs/before has learned"):
        plan.refuse()


def test_weights_of_a_file_and_spikes_are_refused(tmp_path: Path) -> None:
    each = np.arange(4)
    some = {"spike_time": np.ones(4), "spike_neuron": each, "spike_sample": each, "labels": each}
    spikes = tmp_path / "spikes.npz"
    tested = {f"test_{name}": array for name, array in some.items()}
    np.savez(spikes, shape=np.array([3, 3]), **some, **tested)  # type: ignore[arg-type]
    exported = Exported.of_settings(RunSettings(dataset=str(spikes)))
    for settings, said in (
        (exported.settings, "spikes.npz holds spikes; an exported project reads images"),
        (dataclasses.replace(exported.settings, weights_from="w.npz"), "begins with the weights of w.npz"),
        (dataclasses.replace(exported.settings, image_order="by_class"), "image_order=by_class: an exported project"),
    ):
        with pytest.raises(ModelRefused) as error:
            Plan(settings, exported.model, exported.division).refuse()
        assert said in str(error.value)
