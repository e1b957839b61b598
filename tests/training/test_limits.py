"""What a run may be asked to do: refused by name at the start, before images are read or anything is compiled."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import mV
from typer.testing import CliRunner, Result

from hebbarium.catalogue import registry
from hebbarium.commands import commandline
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import DatasetError
from hebbarium.engine import devices
from hebbarium.files.errors import RunFolderError
from hebbarium.training import limits, sweeps, training
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

SMALL = ["--images", "20", "--test-images", "10", "--no-figures"]


@pytest.fixture
def nothing_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in, where neither a set of images nor a compiler is touched."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("images were read, or a program compiled")

    monkeypatch.setattr(datasets, "load", refuse)
    monkeypatch.setattr(devices, "program", refuse)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments: str) -> Result:
    """What the command says."""
    return CliRunner().invoke(commandline.app, list(arguments))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seed": -1}, "seed=-1: expected 0 to 9223372036854775807"),
        ({"seed": 2**63}, "seed=9223372036854775808: expected 0 to"),
        ({"seed": "5"}, "seed='5': expected a whole number"),
        ({"seed": 5.0}, "seed=5.0: expected a whole number"),
        ({"seed": True}, "seed=True: expected a whole number"),
        ({"seed": None}, "seed=None: expected a whole number"),
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": 10**9}, "epochs=1000000000: expected 1 to"),
        ({"epochs": [1]}, "epochs=[1]: expected a whole number"),
        ({"images": 0}, "images=0"),
        ({"test_images": -1}, "test_images=-1"),
        ({"test_images": 0}, "test_images=0"),
        ({"validation": -1}, "validation=-1"),
        ({"block": 0}, "block=0: expected 1 to 1000"),
        ({"block": 1001}, "block=1001"),
        ({"jobs": 0}, "jobs=0"),
        ({"jobs": 10**9}, "jobs=1000000000"),
        ({"snapshots": 10**9}, "snapshots=1000000000: expected 1 to 10000"),
        ({"evaluate_every": 0}, "evaluate_every=0"),
        ({"labelling_images": 0}, "labelling_images=0"),
        ({"device": "tpu"}, "device=tpu: expected one of"),
        ({"device": 3}, "device=3: expected printable text"),
        ({"precision": "float16"}, "precision=float16"),
        ({"model": None}, "model=None"),
        ({"dataset": "a\0b"}, "dataset='a\\x00b': expected printable text"),
        ({"data": "\ud800"}, "expected printable text"),
        ({"changes": []}, "changes=[]: expected parameters"),
        ({"changes": {5: "w_t"}}, "changes={5: 'w_t'}: expected parameters"),
        ({"changes": {"w_t": [5]}}, "--set w_t=[5]: expected a number without unit"),
        ({"changes": {"w_t": True}}, "--set w_t=True: expected a number without unit"),
        ({"changes": {"neurons": 2.5}}, "--set neurons=2.5: expected a whole number"),
        ({"changes": {"w_t": -1}}, "--set w_t=-1: expected more than 0"),
        ({"changes": {"norm": 3}}, "--set norm=3: expected one of L1, L2, Lp, none"),
        ({"changes": {"tau_p": 3 * mV}}, "--set tau_p=3. mV: expected a value in ms, got a value in V"),
        ({"profile": 1}, "profile=1: expected true or false"),
        ({"evaluate_on": "validation"}, "evaluate_on=validation: expected images that are held out"),
        ({"labels_from": {"a": "b" * 100}}, "labels_from={'a': 'bbb"),
    ],
    ids=str,
)
def test_a_setting_beyond_its_limits_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="expected") as refusal:
        RunSettings(**given)
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--seed", "9223372036854775808", "seed=9223372036854775808"),
        ("--epochs", "1000000000", "epochs=1000000000"),
        ("--snapshots", "1000000000", "snapshots"),
        ("--jobs", "1000000000", "jobs"),
        ("--block", "2000", "block=2000"),
        ("--images", "1000000000", "images"),
        ("--evaluate-on", "validation", "expected images that are held out"),
        ("--labelling-images", "100", "is for --labels-from labelling"),
        ("--schedule", "backwards", "schedule=backwards: synaptic_scaling has train"),
        ("--layers", "20", "no such parameter"),
        ("--set", "tau_p=0*ms", "tau_p=0*ms: expected more than 0 ms"),
        ("--set", "w_t=1e300", "w_t=1e300: expected more than 0, and at most 1e6"),
    ],
)
def test_options_are_refused_before_images_are_read(nothing_read: Path, option: str, value: str, words: str) -> None:
    found = said("train", "synaptic_scaling", option, value)
    assert found.exit_code != 0
    assert words in found.output
    assert "unexpected" not in found.output
    assert not list(nothing_read.iterdir())


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("x.nc", "a name that ends in .nc is taken for a result file"),
        ("a\nb", "'a\\nb': has characters that cannot be printed"),
        ("n" * 256, "is longer than 255 bytes"),
        ("ü" * 128, "is longer than 255 bytes"),
        ("/".join(["n" * 200] * 20), "whose path is longer than"),
        ("file/run", "file is no folder"),
        ("file/below/run", "file is no folder"),
        ("gone/run", "gone is no folder"),
        ("/dev/null/run", "/dev/null is no folder"),
    ],
)
def test_folders_that_cannot_be_made_are_refused_at_the_start(nothing_read: Path, out: str, words: str) -> None:
    (nothing_read / "file").write_text("")
    (nothing_read / "gone").symlink_to("nowhere")
    found = said("train", "synaptic_scaling", "--out", out)
    assert found.exit_code == 1
    assert words in found.output.replace("\n", " ")
    with pytest.raises(RunFolderError, match="choose another --out"):
        training.train(RunSettings(), Path(out))
    assert sorted(path.name for path in nothing_read.iterdir()) == ["file", "gone"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused_at_the_start(nothing_read: Path) -> None:
    nothing_read.chmod(0o500)
    assert "nothing can be written into" in said("train", "synaptic_scaling", "--out", "run").output
    nothing_read.chmod(0o700)


def test_more_presentations_than_a_run_keeps_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    for asked in (RunSettings(epochs=20_000), RunSettings(epochs=49_999_999, images=10)):
        with pytest.raises(ValueError, match=r"epochs=.* presentations, expected 50,000,000 at most"):
            training.train(asked, tmp_path / str(asked.epochs))
    with pytest.raises(DatasetError, match="were asked for"):
        training.train(RunSettings(validation=10**6), tmp_path / "run")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"evaluate_every=500: the run trains on 20 images"):
        limits.refuse_length(RunSettings(evaluate_every=500), RunSettings().make_model(), 20)


def test_a_sweep_of_too_many_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 10,000 runs"):
        sweeps.seeds_of("0-999999999")


# -- models and options --------------------------------------------------------------------------------------

LABELLED = ("synaptic_scaling", "symmetric_stdp", "diehl_cook", "contrastive_race")
LEARNING = tuple(name for name, kind in registry.models().items() if kind().schedules)


@pytest.mark.parametrize("source", ["all", "last_pass", "labelling"])
@pytest.mark.parametrize("name", LEARNING)
def test_labels_come_from_whatever_a_model_has(name: str, source: str) -> None:
    asked = RunSettings(model=name, labels_from=source)
    if name in LABELLED:
        limits.refuse_model(asked, asked.make_model())
    else:
        with pytest.raises(ValueError, match=f"labels_from={source}: .* none are labelled"):
            limits.refuse_model(asked, asked.make_model())


def test_neurons_are_not_labelled_by_half_the_classes() -> None:
    by_class = RunSettings(image_order="by_class")
    with pytest.raises(ValueError, match="of the last classes alone; expected labels_from=all or last_pass"):
        limits.refuse_model(by_class, by_class.make_model())
    for changes in ({"labels_from": "all"}, {"epochs": 2}, {"model": "desire_backprop"}):
        asked = dataclasses.replace(by_class, **changes)
        limits.refuse_model(asked, asked.make_model())


def test_a_network_without_a_hidden_layer_labels_no_neurons() -> None:
    asked = RunSettings(model="symmetric_stdp", changes={"hidden": "0"}, labels_from="labelling")
    with pytest.raises(ValueError, match="none are labelled"):
        limits.refuse_model(asked, asked.make_model())


@pytest.mark.parametrize("name", registry.models())
@pytest.mark.parametrize(
    ("option", "value", "have"),
    [
        ("--labels-from", "labelling", LABELLED),
        ("--neurons", "20", (*LABELLED, "column_feedback")),
        ("--layers", "20", ("desire_backprop", "s4nn", "timing_backprop", "tssl_backprop")),
        ("--schedule", "train", tuple(name for name in LEARNING if name not in ("symmetric_stdp", "lenet_conversion"))),
        ("--schedule", "layer_by_layer", ("symmetric_stdp",)),
        ("--set", "w_t=3", ("synaptic_scaling", "diehl_cook", "contrastive_race")),
    ],
)
def test_every_model_has_an_option_or_refuses_it_at_once(
    nothing_read: Path, name: str, option: str, value: str, have: tuple[str, ...]
) -> None:
    found = said("train", name, option, value, "--out", "run")
    if name in have:  # it went on to read images
        assert isinstance(found.exception, AssertionError) or "images were read" in found.output
    else:
        assert found.exit_code == 1
        assert found.output.startswith("hebbarium: ")
        assert "unexpected" not in found.output
    assert not list(nothing_read.iterdir())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("synaptic_scaling", ("--labels-from", "labelling", "--labelling-images", "20")),
        ("diehl_cook", ("--labels-from", "labelling", "--labelling-images", "all", "--evaluate-every", "10")),
        ("symmetric_stdp", ("--labels-from", "labelling", "--labelling-images", "20", "--evaluate-every", "10")),
        ("symmetric_stdp", ("--schedule", "layer_by_layer", "--epochs", "2", "--evaluate-every", "10")),
        ("symmetric_stdp", ("--schedule", "layer_by_layer", "--labels-from", "labelling", "--set", "hidden=2")),
        ("symmetric_stdp", ("--set", "hidden=0", "--evaluate-every", "10")),
    ],
    ids=str,
)
@pytest.mark.long
def test_what_is_not_refused_runs_to_the_end(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    short = {"synaptic_scaling": ("t_train=20*ms", "t_test=20*ms")}.get(name, ("t_shown=20*ms", "t_rest=10*ms"))
    sets = [word for change in (*short, "neurons=4") for word in ("--set", change)]
    out = tmp_path / "run"
    found = said(
        "train", name, *SMALL, *sets, "--block", "10", "--device", "numpy", "--evaluate-images", "10", *options,
        "--out", str(out),
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    assert Run.open(out).is_complete


def test_settings_of_a_folder_are_refused_with_the_folders_name(tmp_path: Path) -> None:
    stored = {"seed": "5", "command": "", "code": {"commit": "", "dirty": False}}
    (tmp_path / "configuration.json").write_text(json.dumps(stored))
    with pytest.raises(RunFolderError, match=r"configuration.json cannot be a run's: seed='5': expected"):
        Run.open(tmp_path)


def test_limits_leave_what_is_usual(tmp_path: Path) -> None:
    asked = RunSettings(seed=2**63 - 1, epochs=150, jobs=64, validation=5000, evaluate_on="validation")
    limits.refuse_length(asked, asked.make_model(), 60_000)
    assert np.random.SeedSequence([asked.seed]).entropy == [2**63 - 1]
