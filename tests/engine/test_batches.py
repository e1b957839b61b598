"""Batches, idle presentations, answers that come later, times and potentials: the same bits on every device."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.contract import Block, Program, Structure
from hebbarium.engine.presentations import Answers
from hebbarium.files.errors import ModelRefused
from tests.models.small_pipelines import BATCH, CLASSES, Pipeline, expected, images

SAMPLES = 20
"""Two batches of eight and one of four."""
MODEL = Pipeline()

#: phase, device, precision; each is one program
PROGRAMS = [
    ("test", "numpy", "float32"), ("test", "dense", "float64"), ("test", "cpp", "float32"),
    ("train", "numpy", "float64"), ("train", "dense", "float32"), ("train", "cpp", "float64"),
]  # fmt: skip
SLOW = {"cpp": [pytest.mark.long]}


@pytest.fixture(
    scope="module",
    params=[pytest.param(row, id="-".join(row), marks=SLOW.get(row[1], ())) for row in PROGRAMS],
)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    phase, device, precision = request.param
    structure = Structure(MODEL, phase, precision, device, SAMPLES + 4, (), False, MODEL.measures(phase == "train"))
    return devices.program(structure, tmp_path_factory.mktemp("blocks"))


def answers(program: Program, samples: int) -> Answers:
    """What a program answers to the first images."""
    phase = program.structure.phase
    pixels, labels = images(SAMPLES)
    inputs = MODEL.all_inputs(phase, pixels[:samples], labels[:samples])
    return presentations.show(
        program, Block(anatomy.initial_state(MODEL, phase, {}), inputs, MODEL.run_time_values(), 1)
    )


@pytest.mark.parametrize("samples", [SAMPLES, BATCH, 1])
def test_every_device_reads_what_is_expected(program: Program, samples: int) -> None:
    learns = program.structure.phase == "train"
    pixels, labels = images(SAMPLES)
    read, gain = expected(pixels[:samples], labels[:samples], learns)
    got = answers(program, samples)
    assert got.presentations.tolist() == [1] * samples
    np.testing.assert_array_equal(got.counts["output"], read.pop("output"))
    assert got.values.keys() == read.keys()
    for key, values in read.items():
        assert got.values[key].shape == (samples, CLASSES)
        np.testing.assert_array_equal(got.values[key], values, err_msg=key)
    potentials = {got.values[key].dtype for key in read if ".v" in key}
    assert potentials == {np.dtype(program.structure.precision)}
    if learns:
        assert got.state["optimiser.steps_taken"].tolist() == [-(-samples // BATCH)] * CLASSES
        assert got.state["optimiser.gain"].tolist() == gain.tolist()
        assert got.state["output.gain"].tolist() == gain.tolist() * BATCH


def test_the_images_tell_all_that_is_read_apart() -> None:
    """Or the test above could not fail."""
    read, gain = expected(*images(SAMPLES), learns=True)
    fixed, _ = expected(*images(SAMPLES), learns=False)
    for key, values in read.items():
        assert len(np.unique(values, axis=0)) > SAMPLES // 3, key
        assert not np.array_equal(values[BATCH:], fixed[key][BATCH:], equal_nan=True) or "1_ms" in key, key
    assert np.isnan(read["output.first_spike_time"]).any()
    assert read["output"].max() > 1
    assert len(set(gain)) == CLASSES


@pytest.mark.parametrize("device", ["numpy", "dense"])
def test_a_controller_shows_no_batches(device: str, tmp_path: Path) -> None:
    model = dataclasses.replace(MODEL, controller="output")
    structure = Structure(model, "train", "float64", device, BATCH)
    inputs = model.all_inputs("train", *images(BATCH))
    block = Block(anatomy.initial_state(model, "train", {}), inputs, model.run_time_values(), 1)
    why = r"pipeline: 'output' .* one sample a presentation, but phase 'train' has .*batch=8, idle=1, lag=1"

    def attempt() -> None:
        presentations.show(devices.program(structure, tmp_path), block)

    with pytest.raises(ModelRefused, match=why):
        attempt()
