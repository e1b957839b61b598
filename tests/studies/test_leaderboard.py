"""The leaderboard: which rows stand on it, what is said of them, and short runs of every rule on a set."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbarium.catalogue import papers
from hebbarium.commands import commandline
from hebbarium.ledger import controls, leaderboard, ledger
from hebbarium.ledger import figures as table_figures
from hebbarium.ledger.controls import Controls
from hebbarium.ledger.figures.every_number import caption
from hebbarium.ledger.leaderboard import Standing
from hebbarium.studies import leaderboard as board
from hebbarium.studies import reproduction
from hebbarium.studies.contenders import Contender, Told, hidden_neurons
from tests.ledger.test_ledger import row

RESULTS = Path(__file__).parents[2] / "results"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "own_paper"


def control(name: str, value: float, seed: int = 0, **more: object) -> ledger.Row:
    one = row(item=controls.ITEM, readout=name, seed=seed, value=value, setting="", neurons="", paper=None)
    return dataclasses.replace(one, setting=str(more.pop("setting", "")), **more)  # type: ignore[arg-type]


def known() -> Controls:
    return controls.of_rows([
        control("softmax", 90.0), control("softmax", 92.0, 1),
        control("prototypes", 88.0, setting="neurons=400"), control("class_means", 80.0),
    ])  # fmt: skip


# -- controls beside accuracies -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        (91.01, ""),
        (91.0, "not above softmax"),
        (88.0, "not above softmax and 400 prototypes"),
        (79.9, "not above any control"),
    ],
)
def test_a_rule_that_does_not_beat_a_control_is_told_so(accuracy: float, words: str) -> None:
    assert known().words(row(value=accuracy), accuracy) == words
    assert known().words(row(value=accuracy, dataset="fashion-mnist"), accuracy) == ""
    assert known().words(row(value=accuracy, setting="evaluate_on=validation"), accuracy) == ""
    assert known().words(row(value=accuracy, setting="perturbation=noise level=0.1"), accuracy) == ""
    assert known().words(control("softmax", 10.0), 10.0) == ""
    assert Controls().words(row(value=accuracy), accuracy) == ""


def test_held_out_images_are_compared_with_held_out_images() -> None:
    held_out = controls.of_rows([control("softmax", 95.0, setting="evaluate_on=validation"), control("softmax", 90.0)])
    assert held_out.words(row(value=93.0, setting="evaluate_on=validation"), 93.0) == "not above any control"
    assert held_out.words(row(value=93.0), 93.0) == ""


def test_of_a_control_that_stands_twice_the_one_that_saw_most_images_counts() -> None:
    twice = controls.of_rows([control("softmax", 90.0, trained=60_000), control("softmax", 70.0, trained=500)])
    assert [mean.mean for mean in twice.of("mnist")] == [90.0]


def test_controls_stand_beside_every_accuracy_of_a_table() -> None:
    rows = [row(neurons="100", value=85.0), row(neurons="400", value=93.0)]
    table = ledger.markdown_table(rows, controls=known())
    assert "| 100 | 85.00, not above softmax and 400 prototypes | 88.84 |" in table
    assert "| 400 | 93.00 | 88.84 |" in table
    assert "softmax (delta rule on pixels, no hidden layer) 91.00 ± 1.00, ours above in 1 of 2;" in table
    assert "class means (the nearest one) 80.00, ours above in 2 of 2." in table
    assert "not above" in ledger.markdown_table(rows, "neurons", known()).splitlines()[2]
    assert "Controls" not in ledger.markdown_table(rows)


def test_a_page_has_them_from_the_ledgers_folder(tmp_path: Path) -> None:
    ledger.append(tmp_path / "model.csv", [row(value=85.0)])
    assert "Controls" not in ledger.table_of("model IV", tmp_path)
    ledger.append(tmp_path / controls.FILE, known().rows)
    assert "85.00, not above softmax and 400 prototypes" in ledger.table_of("model IV", tmp_path)


def test_controls_are_lines_in_figures() -> None:
    figure = table_figures.paper_comparison([row(value=85.0)], controls=known())
    lines = {line.get_label(): np.ravel(line.get_xdata())[0] for line in figure.axes[0].lines
             if str(line.get_label()).startswith("control")}  # fmt: skip
    assert lines == {
        "control: softmax, 91.0": 91.0, "control: 400 prototypes, 88.0": 88.0, "control: class means, 80.0": 80.0,
    }  # fmt: skip


def test_the_figure_of_all_numbers_counts_those_above_all_controls() -> None:
    cells = {"a": ledger.summarise([row(neurons="100", value=85.0), row(neurons="400", value=93.0)])}
    assert caption(cells) == "0 of 2 numbers within 2 points of the paper's"
    assert caption(cells, known()).endswith(",\n1 of 2 above all controls of their set")


# -- rows that stand on it -------------------------------------------------------------------------------------
def test_every_rule_that_learns_from_images_says_what_it_is_told() -> None:
    contenders = board.contenders()
    assert set(contenders) >= {"synaptic_scaling", "symmetric_stdp", "diehl_cook", "desire_backprop", "s4nn"}
    assert "hodgkin_huxley" not in contenders
    for name, paper in contenders.items():
        assert paper.contender.told is not Told.NOT_SAID, name
        short = paper.contender.short
        assert short is None or (short.model == name and short.changes), name


def of_rule(rows: list[ledger.Row], folder: Path, name: str = "synaptic_scaling") -> list[Standing]:
    ledger.append(folder / f"{name}.csv", rows)
    return board.standings(folder, [name])


OURS = {"device": "dense", "precision": "float32"}


def test_rows_with_the_rules_own_settings_stand_on_it(tmp_path: Path) -> None:
    own = row(setting="norm=L2 w_t=9 tau_p=60*ms", **OURS)
    others = [
        row(setting="norm=L2 w_t=7 tau_p=60*ms", **OURS),              # of the paper's table, not the model's default
        row(setting="norm=L2 w_t=9 tau_p=60*ms", seed=1),              # in double precision
        row(setting="norm=L2 w_t=9 tau_p=60*ms", readout="class_mean", **OURS),
        row(setting="norm=L2 w_t=9 tau_p=60*ms", selection="best", seed=2, **OURS),
        row(setting="norm=L2 w_t=9 tau_p=60*ms evaluate_on=validation", **OURS),
        row(setting="norm=L2 w_t=9 tau_p=60*ms", item="encoders", **OURS),
    ]  # fmt: skip
    (found,) = of_rule([own, *others], tmp_path)
    assert found.mean.row == own
    assert (found.neurons, found.layers, found.source) == (400, "400", "Table IV")
    assert found.remarks[0] == "open constants were **fitted to these tables**"
    assert "of the paper's" not in " ".join(found.remarks)


def test_what_hurts_is_said_of_each_row(tmp_path: Path) -> None:
    few = row(setting="norm=L2 w_t=9 tau_p=60*ms", trained=10_000, **OURS)
    time = dataclasses.replace(few, measure="training_time", value=0.006, unit="s", readout="", paper=None)
    short = row(item="leaderboard", setting="norm=L1 w_t=3", paper=None, dataset="mine.npz", **OURS)
    found = {one.dataset: one for one in of_rule([few, time, short], tmp_path)}
    assert found["mnist"].remarks[1] == "10,000 of the paper's 40,000 images"
    assert found["mnist"].seconds == 0.006
    assert found["mine.npz"].remarks == ("short run, not the paper's protocol",)
    table = leaderboard.markdown_table(list(found.values()), known(), "mnist")
    assert "| `synaptic_scaling` | 400 | 88.00 (single seed), **not above softmax and 400 prototypes** |" in table
    assert "| 10,000 | 1 |" in table  # minutes
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:6]] == [
        "*control: softmax*", "`synaptic_scaling`", "*control: 400 prototypes*", "*control: class means*",
    ]  # fmt: skip
    assert "nothing is drawn" in table.splitlines()[5]
    assert "synaptic events" not in table  # nothing was counted


def test_a_chosen_parameter_is_told_and_what_follows_from_it_is_allowed(tmp_path: Path) -> None:
    rows = ledger.select(ledger.read(RESULTS / "symmetric_stdp.csv"), item="Table 3", schedule="simultaneous")
    found = of_rule(rows, tmp_path, "symmetric_stdp")
    assert {one.dataset for one in found} == {"fashion-mnist"}
    assert found[0].remarks[0] == "constants were tuned for this set on held-out images"
    assert found[0].told == Told.TEACHER.value


def test_the_ledgers_of_the_project_stand_on_it() -> None:
    found = board.standings(RESULTS)
    by_rule = {one.rule for one in found}
    assert by_rule >= {"synaptic_scaling", "symmetric_stdp", "diehl_cook", "desire_backprop", "s4nn", "tssl_backprop"}
    sizes = [one.neurons for one in found if one.rule == "diehl_cook" and one.dataset == "mnist"]
    assert sizes == [100, 400, 1600, 6400, 6400]  # with the published constants, and with slower thresholds
    small = next(one for one in found if one.rule == "diehl_cook" and one.neurons == 100 and one.dataset == "mnist")
    assert small.cost is not None
    assert set(small.lesioned) == {"lesion-synapses", "lesion-neurons"}
    hours = next(one for one in found if one.neurons == 10_000)
    assert (hours.source, hours.remarks[0]) == ("Table 1", "300,000 of the paper's 1,200,000 images")
    text = board.text(RESULTS, ["mnist"], ["diehl_cook"])
    assert "Published numbers are those of `diehl_cook`: P. U. Diehl" in text
    assert "s4nn" not in text
    with pytest.raises(ValueError, match=r"rule hodgkin_huxley: expected one of .*desire_backprop, diehl_cook"):
        board.text(RESULTS, rules=["hodgkin_huxley"])


def test_hidden_neurons_are_those_of_layers() -> None:
    assert hidden_neurons(reproduction.paper_of("desire_backprop").protocol.make_model()) == 2400
    tssl = reproduction.paper_of("tssl_backprop")
    convolved = dataclasses.replace(tssl.protocol, changes={"layers": "15C5-P2-40C5-P2-300"}).make_model()
    assert hidden_neurons(convolved) is None
    assert tssl.contender.neurons(convolved) == 15 * 24 * 24 + 40 * 8 * 8 + 300


def test_the_figure_has_a_line_a_rule_and_controls_across() -> None:
    def standing(rule: str, neurons: int, value: float, trained: int = 40_000, usual: bool = True) -> Standing:
        mean = ledger.Mean(row(value=value, trained=trained), value, 0.5, 3, None)
        return Standing(rule, neurons, str(neurons), mean, "", usual=usual, cut_short="few" * (trained < 1000))

    figure = table_figures.accuracy_by_size(
        [standing("a", 400, 90.0), standing("a", 100, 80.0), standing("b", 100, 85.0), standing("a", 400, 70.0, 100),
         standing("a", 400, 95.0, usual=False), standing("c", 10, 75.0, 100)],
        known(),
    )
    (axes,) = figure.axes
    lines = [tuple(np.asarray(data).tolist() for data in line.get_data()) for line in axes.lines]
    assert ([100, 400], [80.0, 90.0]) in lines  # not the one that saw 100 images
    assert ([400], [95.0]) in lines  # other settings, beside the line
    assert not any(70.0 in y for _, y in lines)
    assert figure.get_supxlabel() == "Cut short: c 10 on mnist: few."
    assert axes.get_xscale() == "log"
    assert [np.ravel(line.get_ydata())[0] for line in axes.lines if str(line.get_label()).startswith("control")] == [
        91, 88, 80
    ]  # fmt: skip
    with pytest.raises(ledger.LedgerError, match="no rule has a row"):
        table_figures.accuracy_by_size([], known())


# -- short runs on any set -------------------------------------------------------------------------------------
def hebbarium(*words: object) -> Result:
    return CliRunner().invoke(commandline.app, ["leaderboard", *map(str, words)])


@pytest.fixture
def own_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The paper of docs/own_paper.md, whose network is small and runs without a compiler."""
    for room in ("models", "protocols"):
        (tmp_path / "papers" / room).mkdir(parents=True)
        text = (EXAMPLE / room / "first_spikes.py").read_text()
        (tmp_path / "papers" / room / "first_spikes.py").write_text(text)
    monkeypatch.setenv(papers.VARIABLE, str(tmp_path / "papers"))
    return "first_spikes"


def test_every_rule_is_trained_on_a_set_of_ones_own(tmp_path: Path, own_rule: str) -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 10
    images = np.where(np.arange(784) // 79 == labels[:, np.newaxis], 255, generator.integers(0, 40, (40, 784)))
    np.savez(tmp_path / "mine.npz", images=images.astype(np.uint8), labels=labels,
             test_images=images[:10].astype(np.uint8), test_labels=labels[:10])  # fmt: skip
    asked = ("--dataset", tmp_path / "mine.npz", "--rule", own_rule, "--out", tmp_path / "runs", "--images", 16,
             "--epochs", 1)  # fmt: skip
    done = hebbarium(*asked, "--rule", "lenet_conversion")
    assert done.exit_code == 0, done.output
    assert "**mine.npz**" in done.output
    assert "short run, not the paper's protocol" in done.output
    assert "not trained: lenet_conversion: its protocol declares no short run" in done.output
    rows = ledger.read(tmp_path / "runs" / "first_spikes.csv")
    assert {(row.item, row.dataset, row.trained, row.tested) for row in rows} == {("leaderboard", "mine.npz", 16, 10)}
    assert {row.measure for row in rows} == {"accuracy", "training_time"}
    of_controls = ledger.read(tmp_path / "runs" / "controls.csv")
    assert {(row.dataset, row.tested) for row in of_controls} == {("mine.npz", 10)}
    assert {row.trained // 16 for row in of_controls} == {1, 10}
    again = hebbarium(*asked)
    assert "1 runs are in the ledger already" in again.output
    assert ledger.read(tmp_path / "runs" / "controls.csv") == of_controls


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--images", 20), "--images: is for runs on a set; name it with --dataset"),
        (("--neurons", 20), "--neurons: is for runs on a set"),
        (("--rule", "nothing"), "rule nothing: expected one of"),
        (("--dataset", "mnits"), "did you mean 'mnist'"),
        (("--dataset", "mnist-embedded", "--rule", "lenet_conversion"), "no rule can be trained on it"),
    ],
)
def test_what_cannot_be_is_refused(words: tuple[object, ...], said: str, tmp_path: Path) -> None:
    done = hebbarium(*words, *(["--out", tmp_path] if "--dataset" in words else []))
    assert done.exit_code == 1
    assert said in done.output


def test_a_protocol_that_declares_nothing_is_told_so() -> None:
    assert Contender().told.value == "not said"
