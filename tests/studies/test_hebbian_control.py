"""The rate-based control."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hebbarium.commands import commandline
from hebbarium.datasets import by_name as datasets
from hebbarium.ledger import ledger
from hebbarium.studies import hebbian_control, rate_network
from hebbarium.studies.rate_network import Constants, RateNetwork
from tests.ledger.test_ledger import row

SMALL = Constants(neurons=12, winners=3, eta=0.5, eta_class=0.7, bias_step=0.4, bias_decay=50)


def network(constants: Constants = SMALL, inputs: int = 9, classes: int = 4) -> RateNetwork:
    return RateNetwork(constants, inputs, classes, np.random.default_rng(1))


def images(count: int, inputs: int = 9) -> np.ndarray:
    return np.random.default_rng(2).random((count, inputs)).astype(np.float32)


def test_weights_begin_scaled() -> None:
    made = network()
    assert made.w.sum(axis=1) == pytest.approx(np.full(12, 0.1 * 9))  # Eq. 7
    assert made.v.sum(axis=1) == pytest.approx(np.full(4, 0.1 * 12 * 8))
    assert not made.bias.any()


def test_competition_leaves_the_strongest() -> None:
    made = network()
    made.bias[:] = np.linspace(0, 0.2, 12)
    shown = images(7)
    y = made.respond(shown)
    drive = shown @ made.w.T - made.bias
    for rates, driven in zip(y, drive, strict=True):
        order = np.argsort(-driven)
        excess = driven[order[:3]] - driven[order[3]]
        assert rates[order[:3]] == pytest.approx(excess / excess.sum(), abs=1e-5)
        assert np.count_nonzero(rates) == 3
    made.bias[:] = 0
    assert not made.respond(np.zeros((1, 9), np.float32)).any()  # nobody is above the others


def test_one_image_is_learnt_as_the_equations_say() -> None:
    made = network()
    w, v = made.w.astype(float), made.v.astype(float)
    made.bias[:] = bias = np.random.default_rng(5).random(12) / 5
    (x,) = images(1)
    y = made.learn(x, 2).astype(float)
    hebb = np.minimum(w + 0.5 * np.outer(y, x), 1.0)
    hebb *= 0.1 * 9 / hebb.sum(axis=1, keepdims=True)
    assert made.w == pytest.approx(hebb, abs=1e-5)
    taught = np.minimum(v[2] + 0.7 * y, 8.0)
    v[2] = taught * 0.1 * 12 * 8 / taught.sum()
    assert made.v == pytest.approx(v, abs=1e-4)
    assert made.bias == pytest.approx(bias * (1 - 1 / 50) + 0.4 * y, abs=1e-5)


def test_weights_keep_their_sum_and_stay_positive() -> None:
    made = network()
    for number, image in enumerate(images(200)):
        made.learn(image, number % 4)
    assert made.w.sum(axis=1) == pytest.approx(np.full(12, 0.9), rel=1e-4)
    assert made.v.sum(axis=1) == pytest.approx(np.full(4, 9.6), rel=1e-4)
    assert made.w.min() >= 0


def test_the_bias_lets_all_units_take_part() -> None:
    generator = np.random.default_rng(6)
    shown = images(3)[generator.integers(0, 3, 400)] + 0.02 * generator.random((400, 9), dtype=np.float32)

    def taking_part(bias_step: float) -> int:
        made = network(dataclasses.replace(SMALL, winners=1, bias_step=bias_step, bias_decay=1e5))
        answers = [made.learn(image, 0).argmax() for image in shown]
        return len(set(answers[-100:]))

    assert taking_part(0.02) == 12
    assert taking_part(1e-6) <= 4  # three kinds of images


def test_no_answer_without_a_response() -> None:
    made = network()
    made.v[:] = 0.01
    made.v[3, 5] = 1
    responses = np.zeros((2, 12), np.float32)
    responses[1, 5] = 1
    assert made.classify(responses).tolist() == [-1, 3]


def test_digits_are_learnt_and_runs_repeat() -> None:
    digits = datasets.load("mnist-embedded")
    constants = dataclasses.replace(hebbian_control.CONSTANTS, neurons=50)

    def run(seed: int) -> dict[str, float]:
        return hebbian_control.control(digits, seed, constants, 1, trained=2000, tested=500)

    found = run(0)
    assert set(found) == {"class_layer", "label_statistics"}
    assert min(found.values()) > 60  # chance is 10
    assert run(0) == found
    assert run(1) != found


def test_labels_come_from_the_last_epoch() -> None:
    pictures = np.zeros((40, 9), np.uint8)
    label = np.arange(40) % 2
    pictures[label == 0, :4] = 255
    pictures[label == 1, 5:] = 255
    constants = dataclasses.replace(SMALL, winners=1)
    order = np.arange(40)

    def labels(epochs: list[np.ndarray]) -> np.ndarray:
        return rate_network.train(constants, pictures, label, epochs, np.random.default_rng(0), 2).neuron_label

    both = labels([order])
    assert {0, 1} <= set(both.tolist())
    only_ones = labels([order, order[label == 1]])
    assert set(only_ones.tolist()) <= {1, -1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neurons": 1}, "neurons=1: expected 2 or more"),
        ({"winners": 400}, "winners=400: expected 1 to 399"),
        ({"winners": 0}, "winners=0"),
        ({"eta": -1.0}, "eta=-1.0: expected a positive number"),
        ({"bias_decay": float("nan")}, "bias_decay=nan"),
        ({"beta": 1.5}, "beta=1.5: expected less than 1"),
    ],
)
def test_constants_out_of_range_are_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Constants(**changes)  # type: ignore[arg-type]


def test_the_search_validates_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = datasets.load("mnist-embedded")
    asked = []

    def control(_: object, seed: int, constants: Constants, epochs: int, **given: object) -> dict[str, float]:
        assert (seed, epochs, given["validation"], given["tested"]) == (0, 1, 1000, 0)
        asked.append(constants)
        return {"class_layer": 90 - abs(constants.winners - 3) - constants.eta, "label_statistics": 50.0}

    monkeypatch.setattr(hebbian_control, "control", control)
    out = tmp_path / "search.csv"

    def search() -> Constants:
        return hebbian_control.search(
            digits, out, grid={"winners": (1, 3, 4)}, one_by_one={"eta": (0.1, 0.01)}, validation=1000
        )

    best = search()
    assert (best.winners, best.eta) == (3, 0.01)
    rows = ledger.read(out)
    assert len(asked) == 4  # three sizes with the eta in force, 0.1, then one more eta
    assert [one.readout for one in rows] == ["class_layer", "label_statistics"] * 4
    assert {one.item for one in rows} == {hebbian_control.SEARCH}
    assert rows[-2].symbols["eta"] == "0.01"
    assert (rows[-2].value, rows[-1].value) == (89.99, 50.0)
    assert (rows[0].trained, rows[0].tested) == (len(digits.train_labels) - 1000, 1000)
    assert search() == best
    assert len(asked) == 4
    out.write_text("winners\n")
    with pytest.raises(ValueError, match=r"search\.csv has the columns winners; expected item,dataset"):
        search()


def test_the_search_goes_on_from_the_rows_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """What chose the constants is in the paper's ledger, and is not tried again."""

    def control(*_: object, **__: object) -> dict[str, float]:
        raise AssertionError("everything of the grid is known")

    monkeypatch.setattr(hebbian_control, "control", control)
    images: Any = SimpleNamespace(name="mnist", train_labels=range(60_000))  # all that is asked of it
    here = Path(__file__).parents[2] / "results" / hebbian_control.LEDGER
    assert hebbian_control.search(images, here) == hebbian_control.CONSTANTS


def test_the_ledger_stands_beside_a_spiking_one(tmp_path: Path) -> None:
    words = ["--dataset", "mnist-embedded", "--neurons", "20", "--epochs", "1", "--images", "300"]
    said = CliRunner().invoke(
        commandline.app,
        ["hebbian-control", *words, "--test-images", "100", "--seeds", "0-1", "--results", str(tmp_path)],
    )
    assert said.exit_code == 0, said.output
    rows = ledger.read(tmp_path / hebbian_control.LEDGER)
    assert [(one.readout, one.seed) for one in rows] == [
        ("class_layer", 0), ("label_statistics", 0), ("class_layer", 1), ("label_statistics", 1),
    ]  # fmt: skip
    assert rows[0].trained == 300
    assert rows[0].command == f"hebbarium hebbian-control {' '.join(words)} --test-images 100 --seeds 0"
    spiking = tmp_path / "symmetric_stdp.csv"
    assert "symmetric_stdp" not in hebbian_control.beside(rows, spiking)
    ledger.append(spiking, [row(neurons="400", item="Table 1", dataset="mnist-embedded")])
    assert "symmetric_stdp" not in hebbian_control.beside(rows, spiking)
    ledger.append(spiking, [row(neurons="20", item="Table 1", dataset="mnist-embedded", value=77.25)])
    text = hebbian_control.beside(rows, spiking)
    assert text.startswith(ledger.markdown_table(rows))
    assert "77.25" in text.split("symmetric_stdp:")[1]
