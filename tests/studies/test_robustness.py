"""A trained network that is disturbed, and the maps of a run."""

from __future__ import annotations

import csv
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbarium.analysis import figures
from hebbarium.commands import commandline
from hebbarium.engine import devices
from hebbarium.ledger import figures as table_figures
from hebbarium.ledger import robustness as ledger
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.robustness import DisturbedAnswer
from hebbarium.ledger.rows import read
from hebbarium.models.contract import Model
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.record import results
from hebbarium.studies import robustness
from hebbarium.studies.robustness import Subject
from hebbarium.training import responses
from hebbarium.training.responses import frozen_state
from hebbarium.training.run import Run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def hebbarium(*words: object) -> Result:
    return CliRunner().invoke(commandline.app, [str(word) for word in words])


@dataclass(frozen=True, eq=False)
class TwoLayers(SymmetricSTDP):
    """A layer of class neurons on another one."""

    name: ClassVar[str] = "two_layers"
    answers: str = "classes"

    @property
    def readout(self) -> str:
        return self.answers


def two_layers(readout: str = "classes") -> TwoLayers:
    return TwoLayers(pixels=30, neurons=8, classes=4, answers=readout)


@pytest.fixture
def state() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "plastic.w": generator.uniform(0.1, 1, 240).astype(np.float32),
        "to_classes.w": generator.uniform(0.5, 8, 32).astype(np.float32),
        "excitatory.theta": np.arange(8.0),
    }


# -- what is disturbed ---------------------------------------------------------------------------------------


def test_gaussian_noise_has_the_spread_asked_for() -> None:
    grey = np.full((50, 784), 128, np.uint8)
    for level in (0.02, 0.1):
        difference = robustness.perturb_images(grey, "noise", level, 1).astype(float) - 128
        assert difference.std() == pytest.approx(255 * level, rel=0.02)
        assert abs(difference.mean()) < 0.5
    assert np.array_equal(robustness.perturb_images(grey, "noise", 0.0, 1), grey)
    strong = robustness.perturb_images(np.full((5, 784), 250, np.uint8), "noise", 1.0, 1)
    assert {0, 255} <= set(strong.ravel().tolist())


def test_salt_and_pepper_spoil_the_share_asked_for() -> None:
    grey = np.full((100, 784), 128, np.uint8)
    weak, strong = (robustness.perturb_images(grey, "salt-and-pepper", level, 3) for level in (0.1, 0.4))
    assert np.mean(weak != 128) == pytest.approx(0.1, abs=0.01)
    assert np.mean(strong != 128) == pytest.approx(0.4, abs=0.01)
    assert np.mean(strong == 255) == pytest.approx(np.mean(strong == 0), abs=0.01)
    assert set(np.unique(strong)) == {0, 128, 255}
    assert np.array_equal(weak[weak != 128], strong[weak != 128])
    assert np.array_equal(robustness.perturb_images(grey, "salt-and-pepper", 0.0, 3), grey)


def test_noise_is_seeded() -> None:
    grey = np.full((3, 784), 128, np.uint8)
    for kind in ("noise", "salt-and-pepper"):
        once, again, other = (robustness.perturb_images(grey, kind, 0.3, seed) for seed in (1, 1, 2))
        assert np.array_equal(once, again)
        assert not np.array_equal(once, other)


def test_lesions_of_synapses_are_nested(state: dict[str, np.ndarray]) -> None:
    before = {name: array.copy() for name, array in state.items()}
    some, more = (robustness.perturb_state(two_layers(), state, "lesion-synapses", k, 0) for k in (0.25, 0.5))
    for name in ("plastic.w", "to_classes.w"):
        assert np.mean(some[name] == 0) == 0.25
        assert np.mean(more[name] == 0) == 0.5
        assert (more[name][some[name] == 0] == 0).all()
        assert np.array_equal(more[name][more[name] != 0], state[name][more[name] != 0])
        assert more[name].dtype == np.float32
    assert all(np.array_equal(state[name], before[name]) for name in state)
    assert np.array_equal(more["excitatory.theta"], state["excitatory.theta"])
    assert not robustness.perturb_state(two_layers(), state, "lesion-synapses", 1, 0)["plastic.w"].any()
    other = robustness.perturb_state(two_layers(), state, "lesion-synapses", 0.5, 1)
    assert not np.array_equal(other["plastic.w"] == 0, more["plastic.w"] == 0)


@pytest.mark.parametrize(("readout", "name", "shape"), [("classes", "to_classes.w", (8, 4)),
                                                        ("excitatory", "plastic.w", (30, 8))])  # fmt: skip
def test_silenced_neurons_get_no_input(
    state: dict[str, np.ndarray], readout: str, name: str, shape: tuple[int, int]
) -> None:
    lesioned = robustness.perturb_state(two_layers(readout), state, "lesion-neurons", 0.25, 0)
    silent = ~lesioned[name].reshape(shape).any(axis=0)
    assert silent.sum() == shape[1] // 4
    assert np.array_equal(lesioned[name].reshape(shape)[:, ~silent], state[name].reshape(shape)[:, ~silent])
    (other,) = {"plastic.w", "to_classes.w"} - {name}
    assert np.array_equal(lesioned[other], state[other])
    more = robustness.perturb_state(two_layers(readout), state, "lesion-neurons", 0.75, 0)
    assert not more[name].reshape(shape)[:, silent].any()


def test_quantised_weights_take_few_values(state: dict[str, np.ndarray]) -> None:
    for bits in (1, 2, 4):
        coarse = robustness.perturb_state(two_layers(), state, "quantise", bits, 0)
        for name in ("plastic.w", "to_classes.w"):
            values, step = np.unique(coarse[name]), state[name].max() / (2**bits - 1)
            assert len(values) <= 2**bits
            assert np.allclose(values / step, np.rint(values / step), atol=1e-5)
            assert np.abs(coarse[name] - state[name]).max() <= 0.5001 * step
    signed = {**state, "plastic.w": np.linspace(-1, 2, 240)}
    values = np.unique(robustness.perturb_state(two_layers(), signed, "quantise", 2, 0)["plastic.w"])
    assert values.tolist() == [-1, 0, 1, 2]
    nothing = {**state, "plastic.w": np.zeros(240)}
    assert not robustness.perturb_state(two_layers(), nothing, "quantise", 2, 0)["plastic.w"].any()


def test_a_model_without_such_weights_is_refused(state: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="lesion-neurons: model two_layers has no plastic weights onto inhibitory"):
        robustness.perturb_state(two_layers("inhibitory"), state, "lesion-neurons", 0.5, 0)


@pytest.mark.parametrize(
    ("kind", "levels", "said"),
    [
        ("fog", [], "perturbation fog: expected one of noise, salt-and-pepper"),
        ("noise", [-0.1], "level -0.1 of noise: expected a number from 0 to 2"),
        ("lesion-synapses", [0.2, 1.5], "level 1.5 of lesion-synapses: expected a number from 0 to 1"),
        ("quantise", [0], "level 0 of quantise: expected a whole number from 1 to 16"),
        ("quantise", [2.5], "level 2.5 of quantise: expected a whole number"),
        ("noise", [float("nan")], "level nan of noise"),
        ("noise", [0.1, 0.1], "one is given twice"),
    ],
)
def test_levels_out_of_range_are_refused_before_anything_is_compiled(
    trained: tuple[Path, Result], kind: str, levels: list[float], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(*_: Any) -> Any:
        raise AssertionError("compiled")

    monkeypatch.setattr(devices, "program", compiled)
    with pytest.raises(ValueError, match=said):
        Subject(Run.open(trained[0])).measure(kind, levels)
    with pytest.raises(ValueError, match="seeds: expected one"):
        Subject(Run.open(trained[0])).measure("noise", seeds=())
    with pytest.raises(AssertionError, match="compiled"):
        Subject(Run.open(trained[0])).measure("noise")


# -- of a run ------------------------------------------------------------------------------------------------


def test_undisturbed_is_the_runs_own_test(trained: tuple[Path, Result]) -> None:
    with results.open_run(trained[0]) as tree:
        own = tree["evaluation"].to_dataset()["accuracy"].values.ravel()
    measured = Subject(Run.open(trained[0])).measure("lesion-synapses", [0, 0.6, 1], seeds=(0, 1))
    assert dict(measured["accuracy"].sizes) == {"seed": 2, "level": 3, "readout": 2}
    assert measured["unperturbed"].values == pytest.approx(own)
    assert measured["accuracy"].sel(level=0).values == pytest.approx(np.tile(own, (2, 1)))
    assert not measured["accuracy"].sel(level=1).values.any()  # no synapse, no spike, no answer
    again = Subject(Run.open(trained[0])).measure("lesion-synapses", [0.6], seeds=(1,))
    assert np.array_equal(again["accuracy"].sel(seed=1, level=0.6), measured["accuracy"].sel(seed=1, level=0.6))
    (axes,) = figures.robustness_curve(measured).axes
    assert axes.get_xlabel() == "Plastic synapses removed (share)"
    assert np.asarray(axes.lines[0].get_ydata()) == pytest.approx(measured["accuracy"].mean("seed").values[:, 0])
    assert len(axes.collections) == 2
    assert not figures.robustness_curve(measured.isel(seed=[0])).axes[0].collections


def test_the_undisturbed_network_is_tested_once(
    trained: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = []

    def respond(model: Model, state: dict[str, np.ndarray], pixels: np.ndarray, **kept: Any) -> dict[str, np.ndarray]:
        titles.append(kept["title"])
        return {model.readout: np.zeros((len(pixels), 20), np.uint16)}

    monkeypatch.setattr(responses, "respond", respond)
    subject = Subject(Run.open(trained[0]), 20)
    for kind, level in (("noise", 0.1), ("quantise", 2)):
        subject.measure(kind, [level])
    assert titles == ["Undisturbed", "noise 0.1", "quantise 2"]


def test_scaling_does_not_make_good_for_a_lesion(
    trained: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []

    def respond(model: Model, state: dict[str, np.ndarray], images: np.ndarray, **_: Any) -> dict[str, np.ndarray]:
        shown.append(frozen_state(model, "test", state)["plastic.w"].reshape(784, 20))
        return {model.readout: np.zeros((len(images), 20), np.uint16)}

    monkeypatch.setattr(responses, "respond", respond)
    Subject(Run.open(trained[0])).measure("lesion-synapses", [0.5])
    whole, halved = shown
    norms = np.linalg.norm(whole, axis=0)
    assert norms == pytest.approx(np.full(20, 5), rel=1e-4)  # w_t
    assert (np.linalg.norm(halved, axis=0) < 0.9 * norms).all()
    assert isinstance(Run.open(trained[0]).model, SynapticScaling)


def test_the_command_writes_a_table_and_a_figure(trained: tuple[Path, Result], tmp_path: Path) -> None:
    said = hebbarium(
        "robustness", trained[0], "--perturbation", "quantise", "--levels", "8,1", "--test-images", 20,
        "--out", tmp_path / "deep" / "er",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    table = tmp_path / "deep" / "er" / "robustness_quantise.csv"
    assert said.stdout.startswith(table.read_text())
    lines = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [(line["perturbation"], line["level"]) for line in lines[::2]] == [
        ("none", ""), ("quantise", "1"), ("quantise", "8"),
    ]  # fmt: skip
    assert {line["images"] for line in lines} == {"20"}
    assert table.with_suffix(".png").stat().st_size > 5000
    refused = hebbarium("robustness", trained[0], "--perturbation", "noise", "--levels", "0.1,much")
    assert refused.exit_code == 1
    assert "--levels 0.1,much: expected numbers" in refused.stderr


def test_runs_are_put_side_by_side_in_a_ledger(trained: tuple[Path, Result], tmp_path: Path) -> None:
    asked = ("robustness", trained[0], "--perturbation", "lesion-neurons", "--perturbation", "quantise",
             "--levels", "1", "--test-images", 20, "--results", tmp_path / "new", "--out", tmp_path)  # fmt: skip
    said = hebbarium(*asked)
    assert said.exit_code == 0, said.output
    table = tmp_path / "new" / "synaptic_scaling.csv"
    assert f"ledger: {table}" in said.output
    rows = ledger.read(tmp_path / "new")
    measured = Subject(Run.open(trained[0]), 20).measure("quantise", (1,))
    by_place = {(row.perturbation, row.level, row.readout): row for row in rows}
    assert len(by_place) == len(rows) == 6  # undisturbed, silent and coarse, by two readouts
    for readout in map(str, measured["readout"].values):
        expected = float(measured["accuracy"].sel(level=1, seed=0, readout=readout))
        assert by_place["quantise", 1.0, readout].accuracy == pytest.approx(expected, abs=0.005)
        assert by_place["none", None, readout].accuracy == pytest.approx(
            float(measured["unperturbed"].sel(readout=readout)), abs=0.005
        )
    one = by_place["quantise", 1.0, "most_active"]
    assert (one.network.model, one.network.layers, one.network.dataset, one.draw, one.images) == (
        "synaptic_scaling", "784-20", "mnist-embedded", 0, 20
    )  # fmt: skip
    assert one.network.setting.startswith("neurons=20")
    assert one.network.command.startswith("hebbarium train synaptic_scaling --dataset mnist-embedded")
    assert (tmp_path / "new" / "figures" / "robustness.svg").stat().st_size > 5000

    before = table.read_bytes()
    assert hebbarium(*asked).exit_code == 0
    assert table.read_bytes() == before  # the same again replaces what was there


def test_several_runs_cannot_be_written_into_one_folder(tmp_path: Path) -> None:
    refused = hebbarium("robustness", "a", "b", "--perturbation", "noise", "--out", tmp_path)
    assert refused.exit_code == 1
    assert "2 are given" in refused.output


def _rows(
    model: str, perturbation: str, accuracies: dict[float | None, float], draw: int | None = 0
) -> list[DisturbedAnswer]:
    sizes = (("input", 784), ("excitatory", 10))
    network = TrainedNetwork(model, "mnist", "neurons=10", 0, sizes, 100, "dense", "float32", "", "")
    return [
        DisturbedAnswer(network, perturbation, level, draw, "most_active", value, 10)
        for level, value in accuracies.items()
    ]


def test_what_disturbs_stands_in_the_setting(tmp_path: Path) -> None:
    answers = [*_rows("first", "none", {None: 90.0}, None), *_rows("first", "noise", {0.5: 40.126, 0.1: 80.0}, draw=3)]
    ledger.append(tmp_path, answers)
    ledger.append(tmp_path, [dataclasses.replace(answers[0], images=20, accuracy=91.0)])
    rows = [row for row in read(tmp_path / "first.csv") if row.measure == "accuracy"]
    assert [(row.setting, row.value, row.tested) for row in rows] == [
        ("neurons=10", 91.0, 20),
        ("neurons=10 perturbation=noise level=0.5 draw=3", 40.13, 10),
        ("neurons=10 perturbation=noise level=0.1 draw=3", 80.0, 10),
    ]
    assert [answer.level for answer in ledger.read(tmp_path)] == [None, 0.5, 0.1]
    assert ledger.read(tmp_path)[1].network == answers[1].network


def test_networks_are_drawn_side_by_side() -> None:
    rows = [
        *_rows("first", "none", {None: 90.0}, None),
        *_rows("first", "noise", {0.5: 40.0, 0.1: 80.0}),
        *_rows("first", "noise", {0.5: 50.0, 0.1: 82.0}, draw=1),
        *_rows("second", "noise", {0.1: 70.0}),
        *_rows("second", "quantise", {1: 20.0, 2: 60.0}),
    ]
    axes = {name: (p.meaning, p.units) for name, p in robustness.PERTURBATIONS.items()}
    drawn = table_figures.robustness_of_networks(rows, axes)
    noise, coarse = drawn.axes
    assert noise.get_xlabel().startswith("Standard deviation of Gaussian noise")
    lines = {line.get_label(): line for line in noise.get_lines()}
    first = lines["first, 784-10"]
    assert np.asarray(first.get_xdata()).tolist() == [0.1, 0.5]
    assert np.asarray(first.get_ydata()).tolist() == [81.0, 45.0]  # means of both draws
    assert np.asarray(lines["second, 784-10"].get_ydata()).tolist() == [70.0]
    lines = {line.get_label(): line for line in coarse.get_lines()}
    assert not np.asarray(lines["first, 784-10"].get_xdata()).size  # was not measured, and stays in the legend
    assert np.asarray(lines["second, 784-10"].get_ydata()).tolist() == [20.0, 60.0]
    with pytest.raises(ValueError, match="no row is of noise"):
        table_figures.robustness_of_networks(_rows("first", "none", {None: 90.0}), axes)


def test_maps_of_a_run(trained: tuple[Path, Result], tmp_path: Path) -> None:
    said = hebbarium("maps", trained[0], "--images", 25, "--perplexity", 4, "--results", tmp_path)
    assert said.exit_code == 0, said.output
    lines = list(csv.DictReader(io.StringIO(said.stdout)))[:3]
    assert [line["map"] for line in lines] == ["input", "excitatory", "incoming_weights"]
    assert [line["points"] for line in lines] == ["25", "25", "20"]
    assert 0 <= float(lines[0]["neighbours"]) <= 100
    rows = read(tmp_path / "synaptic_scaling.csv")
    for line in lines:
        kept = {row.measure: row.value for row in rows if row.readout == line["map"]}
        assert kept == {name: float(text) for name, text in line.items() if name != "map"}
    folder = trained[0] / "figures"
    assert all((folder / name).is_file() for name in ("maps.csv", "activity_maps.png", "weight_map.png"))
    refused = hebbarium("maps", trained[0], "--images", 8)
    assert refused.exit_code == 1
    assert "input: A map needs 10 different points at least; 8 of 8" in refused.stderr


def test_the_map_shows_the_images_that_were_tested(trained: tuple[Path, Result]) -> None:
    from hebbarium.datasets import by_name as datasets
    from hebbarium.studies import maps

    with results.open_run(trained[0]) as tree:
        tested = tree["test/excitatory"].to_dataset().load()
    made = maps.of_activity(trained[0], perplexity=5)["input"]
    assert np.array_equal(made.label, tested["label"])
    assert np.array_equal(made.label, datasets.load().test_labels[tested["image"].values])
    assert made.distinct == 30
