"""The commands on a network with a class layer: training, testing, labelling, figures, refusals."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from hebbarium.datasets import by_name as datasets
from hebbarium.record import results
from tests.commands.test_commandline import hebbarium, refused

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUICK = [
    "--set", "t_shown=40*ms", "--set", "t_rest=15*ms", "--set", "t_settle=10*ms", "--set", "rate_step=150*hertz",
    "--set", "n_least=8", "--set", "intensity_most=4", "--block", "10", "--neurons", "12",
]  # fmt: skip
FEW = ["--images", "20", "--test-images", "10"]
FIGURES = {"receptive_fields", "weight_time_lapse", "learning_curve", "confusion_matrix", "distributions", "raster"}
HIDDEN = FIGURES | {"stdp_window", "responding_neurons"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("supervised") / "run"
    return out, hebbarium("train", "symmetric_stdp", *QUICK, *FEW, "--out", out)


def drawn(result: Result) -> set[str]:
    """Names of the figures that a command says it has drawn."""
    paths = [Path(line.removeprefix("figure: ")) for line in result.stdout.splitlines() if line.startswith("figure: ")]
    assert all(path.stat().st_size > 5000 for path in paths)
    return {path.stem for path in paths}


def test_training_says_what_the_class_layer_answers(trained: tuple[Path, Result]) -> None:
    run, result = trained
    assert result.exit_code == 0, result.output
    assert "accuracy on 10 test images of mnist-embedded" in result.stdout
    for readout in ("most active", "class mean", "class layer"):
        assert re.search(rf"{readout} +\d+\.\d\d %", result.stdout)
    assert drawn(result) == HIDDEN
    with results.open_run(run) as tree:
        parameters = results.decoded(tree)["parameters"]
        window = tree["stdp_window"].to_dataset().load()
    assert parameters["neurons"] == "12"
    assert (window["delta_w"].values >= 0).all(), "both orders of spikes strengthen"
    assert window["delta_w"].values.max() > 4e-4


def test_testing_again_gives_the_same_accuracies(trained: tuple[Path, Result]) -> None:
    again = hebbarium("evaluate", trained[0], "--test-images", "10")
    assert again.exit_code == 0, again.output
    accuracies = [line for line in again.stdout.splitlines() if line.startswith("  ")]
    assert len(accuracies) == 3
    for line in accuracies:
        assert line.rstrip() in trained[1].stdout


def test_images_are_labelled_by_the_class_layer(trained: tuple[Path, Result], tmp_path: Path) -> None:
    digits = datasets.load()
    images = np.concatenate([digits.test_images[:4], np.zeros((1, 784), np.uint8)])
    np.savez_compressed(tmp_path / "mine.npz", images=images)
    by_layer = hebbarium("predict", trained[0], tmp_path / "mine.npz", "--readout", "class_layer")
    assert by_layer.exit_code == 0, by_layer.output
    lines = by_layer.stdout.splitlines()
    assert lines[0] == "image,class,name,spikes"
    assert lines[5] == "4,,,0"
    assert any(line.split(",")[1] for line in lines[1:5])
    default = hebbarium("predict", trained[0], tmp_path / "mine.npz")
    assert default.exit_code == 0
    assert default.stdout == hebbarium("predict", trained[0], tmp_path / "mine.npz", "--readout", "most_active").stdout
    text = refused("predict", trained[0], tmp_path / "mine.npz", "--readout", "loudest")
    assert "readout loudest: " in text
    assert "has most_active, class_mean, class_layer" in text


@pytest.mark.long
def test_layers_are_trained_one_after_the_other(trained: tuple[Path, Result], tmp_path: Path) -> None:
    words = ["--schedule", "layer_by_layer", "--epochs", "2", "--out", tmp_path / "run"]
    result = hebbarium("train", "symmetric_stdp", *QUICK, *FEW, *words)
    assert result.exit_code == 0, result.output
    assert "train_classes: passes=1, whatever epochs is (here 2)" in result.output
    assert "whatever epochs is" not in trained[1].output
    with results.open_run(tmp_path / "run") as tree:
        assert tree.attrs["samples_seen"] == 2 * 20 + 20  # the class layer learns in one pass
        assert results.decoded(tree)["options"]["schedule"] == "layer_by_layer"
    assert drawn(result) == HIDDEN


@pytest.mark.parametrize(
    ("hidden", "figures", "readouts"),
    [
        (0, FIGURES | {"stdp_window"}, ["class_layer"]),
        pytest.param(2, HIDDEN, ["most_active", "class_mean", "class_layer"], marks=pytest.mark.long),
    ],
)
def test_any_number_of_hidden_layers_is_trained_and_drawn(
    hidden: int, figures: set[str], readouts: list[str], tmp_path: Path
) -> None:
    words = ["--set", f"hidden={hidden}", "--device", "numpy", "--images", "4", "--test-images", "2"]
    result = hebbarium("train", "symmetric_stdp", *QUICK, *words, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert drawn(result) == figures
    with results.open_run(tmp_path / "run") as tree:
        assert list(tree["evaluation"].to_dataset()["readout"].values) == readouts


def test_the_description_shows_constants_that_follow_from_the_size() -> None:
    large = hebbarium("describe", "symmetric_stdp", "--set", "neurons=1600", "--set", "a_plus_class=0.5")
    assert large.exit_code == 0, large.output
    small = hebbarium("describe", "symmetric_stdp").stdout
    for symbol, expected in (("tau_theta", "8000000 ms"), ("a_plus", "0.002"), ("a_plus_class", "0.5")):
        (line,) = [row for row in large.stdout.splitlines() if row.split()[:1] == [symbol]]
        assert expected in line
        assert line not in small.splitlines()


@pytest.mark.parametrize("phase", ["train", "train_hidden", "train_classes", "respond", "test"])
def test_every_phase_is_described(phase: str) -> None:
    result = hebbarium("describe", "symmetric_stdp", "--phase", phase, "--format", "markdown")
    assert result.exit_code == 0, result.output
    assert ("theta_init/abs(2*theta - theta_init)" in result.stdout) == (phase in ("train", "train_hidden"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--schedule", "backwards"], "schedule=backwards: symmetric_stdp has simultaneous, layer_by_layer"),
        (["--schedule", "layer_by_layer", "--set", "hidden=0"], "symmetric_stdp has simultaneous"),
        (["--set", "hidden=3"], "hidden=3: expected one of 0, 1, 2"),
        (["--set", "rest=none"], "expected one of full, jump"),
        (["--labels-from", "first_pass"], "expected one of all, second_half, last_pass, labelling"),
        (["--set", "tau_theta=3*mV"], "expected a value in ms"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_clear_line(words: list[str], says: str, tmp_path: Path) -> None:
    assert says in refused("train", "symmetric_stdp", *words, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_other_models_have_other_schedules(tmp_path: Path) -> None:
    text = refused("train", "synaptic_scaling", "--schedule", "layer_by_layer", "--out", tmp_path / "run")
    assert "schedule=layer_by_layer: synaptic_scaling has train" in text


@pytest.mark.long
def test_convergence_of_two_seeds(trained: tuple[Path, Result], tmp_path: Path) -> None:
    runs = [tmp_path / "0", tmp_path / "1"]
    measured = ["--evaluate-every", "10", "--evaluate-images", "5", "--no-figures"]
    for seed, run in enumerate(runs):
        kept = ["--snapshots", 1 + seed]  # of one seed, as when a table is made
        hebbarium("train", "symmetric_stdp", *QUICK, *FEW, *measured, *kept, "--seed", seed, "--out", run)
    asked = tmp_path / "made" / "both.svg"
    result = hebbarium("convergence", *runs, "--out", asked)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == f"figure: {asked}"
    assert "interval of 2 seeds" in asked.read_text()
    slower = tmp_path / "slower"
    hebbarium("train", "symmetric_stdp", *QUICK, *FEW, *measured, "--seed", 1, "--set", "tau_m=90*ms", "--out", slower)
    for others, reason in (([runs[0]], "a seed occurs twice"), ([slower], "has other settings than")):
        result = hebbarium("convergence", runs[0], *others)
        assert result.exit_code == 1
        assert reason in result.stderr
    result = hebbarium("convergence", trained[0])
    assert result.exit_code == 1
    assert "--evaluate-every" in result.stderr
