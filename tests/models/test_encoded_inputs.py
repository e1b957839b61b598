"""Another encoder by a choice: what the image models are with each, and what their inputs then do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import hertz, ms

from hebbarium.engine import anatomy, faithfulness, inspection
from hebbarium.engine.contract import Structure
from hebbarium.engine.runtime import runtime_device
from hebbarium.models.encoded_inputs import ENCODINGS, EncodedInputs
from tests.models import small_networks, small_symmetric_networks, small_triplets
from tests.models.small_symmetric_networks import PIXELS, run_images

READ = {
    "geometric": set(), "bernoulli": set(), "modulated": {"t_code"}, "latency": {"t_code"}, "phase": {"t_code"},
    "population": {"width"}, "synchrony": {"copied"},
}  # fmt: skip
"""Parameters that each encoder is about."""
OTHERS = tuple(encoder for encoder in ENCODINGS if encoder not in ("geometric", "bernoulli"))
MODELS: list[tuple[Callable[..., EncodedInputs], str]] = [
    *((small_networks.small_model, encoder) for encoder in OTHERS),
    *((small_symmetric_networks.small_model, encoder) for encoder in ("bernoulli", *OTHERS)),
    (functools.partial(small_triplets.small_model, delays="none"), "latency"),
]


@pytest.mark.parametrize(("small_model", "encoder"), MODELS)
def test_the_state_is_what_can_change(small_model: Callable[..., EncodedInputs], encoder: str) -> None:
    model = small_model(encoder=encoder)
    inputs = model.inputs("train", np.zeros((1, PIXELS), np.uint8), np.zeros(1, int))
    with runtime_device("numpy", "float64"):
        network = model.build("train", inputs)
        structure = Structure(model, "train", "float64", "numpy", 1, tuple(anatomy.populations(model)))
        faithfulness.refuse_unfaithful(network, structure)
        assert inspection.changing(network) == {variable.name for variable in anatomy.state(model, "train")}
        assert faithfulness.races(network) == []
        read = set(inspection.run_time_variables(network, set(model.run_time_values())).values())
    assert read & {"t_code", "width", "copied"} == READ[encoder]


def test_who_encodes_says_so_after_the_papers_own_parameters() -> None:
    """A reader of the table finds the paper first."""
    shared = list(EncodedInputs.parameters())
    for small_model in (small_networks.small_model, small_symmetric_networks.small_model, small_triplets.small_model):
        table = list(type(small_model()).parameters())
        assert table[-len(shared) :] == shared
        assert table[0] == "neurons"


def test_an_image_that_is_shown_again_is_earlier_the_more_intense_it_is(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"n_least": 1e6, "intensity_first": 2.0, "intensity_most": 4.0, "t_code": 40 * ms}
    model = small_symmetric_networks.small_model(encoder="latency", **changes)
    levels = np.tile(np.linspace(0, 1, PIXELS), (6, 1))
    pictures = np.round(255 * levels).astype(np.uint8)
    result = run_images(model, "numpy", tmp_path, phase="test", pictures=pictures)
    assert result.ended.tolist() == [2, 5]
    spikes, steps = result.spikes["input"], model.sample_steps("test")
    for presentation in range(6):
        chosen = spikes.step // steps == presentation
        brighter = np.minimum(pictures[0] / 255 * (2 + presentation % 3) / 2, 1)
        due = np.floor((1 - brighter) * 80)
        assert np.array_equal(np.sort(spikes.neuron[chosen]), np.flatnonzero(due < 80))
        assert np.array_equal(spikes.step[chosen] % steps, due[spikes.neuron[chosen]])
    assert len(spikes.step) == model.input_spikes("test", pictures[:2], np.array([3, 3])) == 6 * (PIXELS - 1)


@pytest.mark.parametrize("encoder", ["bernoulli", "modulated", "phase", "population", "synchrony"])
def test_all_are_silent_in_the_rest(encoder: str, tmp_path: Path) -> None:
    model = small_symmetric_networks.small_model(encoder=encoder, t_code=20 * ms)
    result = run_images(model, "numpy", tmp_path, phase="test", pictures=np.full((4, PIXELS), 255, np.uint8))
    spikes = result.spikes["input"]
    within = spikes.step % model.sample_steps("test")
    assert len(within) > 100
    assert within.max() < 120  # 60 ms of presentation, 20 ms of rest
    assert set(spikes.step // model.sample_steps("test")) == {0, 1, 2, 3}


def test_what_a_code_takes_has_to_fit_into_a_presentation() -> None:
    with pytest.raises(ValueError, match=r"t_code=70\*ms.*t_shown=60\*ms.*: expected t_code <= t_shown with encoder"):
        small_symmetric_networks.small_model(encoder="modulated", t_code=70 * ms)
    with pytest.raises(ValueError, match=r"expected t_code <= min\(t_train, t_test\)"):
        small_networks.small_model(encoder="phase", t_code=70 * ms)
    small_symmetric_networks.small_model(encoder="population", t_code=70 * ms)
    small_symmetric_networks.small_model(encoder="latency", t_code=70 * ms)  # dark pixels are not heard


def test_images_whose_mother_train_would_be_too_fast_are_refused() -> None:
    model = small_networks.small_model(encoder="synchrony", copied=0.1, total_rate=20_000 * hertz)
    with pytest.raises(ValueError, match=r"copied=0.1: the mother train would fire .* times a step"):
        model.encode(small_networks.images())
