"""A report says what a run was and came to; whatever its files hold is text in it, and it loads nothing."""

from __future__ import annotations

import dataclasses
import html.parser
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from hebbarium.analysis import figures, pages, summary
from hebbarium.analysis.example import example_tree
from hebbarium.catalogue import registry
from hebbarium.ledger import ledger
from hebbarium.record import results
from hebbarium.studies import reproduction
from hebbarium.studies.reports import comparison, contents, page, printed, watching
from hebbarium.studies.reports.contents import FOLLOWS, SET
from hebbarium.training import clone, parameters, so_far
from hebbarium.training.run_settings import RunSettings
from tests.ledger.test_ledger import row as ledger_row

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}&amp;\u202e"
LOADING = {"src", "href", "srcset", "action", "data", "poster", "formaction", "xlink:href", "background"}


class Page(html.parser.HTMLParser):
    """What a browser makes of a page: its tags, with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def loads(self) -> Iterator[str]:
        """Addresses that a browser would go to, but for pictures in the page and places on it."""
        for _, attributes in self.tags:
            for name, value in attributes.items():
                if name in LOADING and not value.startswith(("data:image/png;base64,", "#run-")):
                    yield value


def with_attributes(tree: xr.DataTree, **changes: Any) -> xr.DataTree:
    """A tree as a run of other settings leaves it."""
    tree.attrs |= {name: json.dumps(value) if isinstance(value, dict) else value for name, value in changes.items()}
    return tree


def of_run(settings: RunSettings, dataset: str, percent: float = 85.0, **more: Any) -> xr.DataTree:
    """The example's numbers under a run's name, with an accuracy by both readouts."""
    model = settings.make_model()
    tree = example_tree(n_neurons=9, n_samples=40, n_tested=20, block=20, seed=settings.seed)
    evaluation = tree[results.EVALUATION].to_dataset()
    evaluation["accuracy"] = xr.full_like(evaluation["accuracy"], percent)
    tree[results.EVALUATION] = xr.DataTree(evaluation)
    return with_attributes(
        tree, model=model.name, parameters=parameters.table(model), options=settings.record(), seed=settings.seed,
        dataset=dataset, **{"complete": 1, **more},
    )  # fmt: skip


def written(tree: xr.DataTree, folder: Path) -> Path:
    folder.mkdir()
    results.write(tree, folder)
    return folder


@pytest.fixture(autouse=True)
def few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two figures, which is enough to see them in their places: drawing takes long."""
    drawable = figures.drawable

    def two(tree: xr.DataTree) -> Any:
        return {name: draw for name, draw in drawable(tree).items() if name in ("receptive_fields", "confusion_matrix")}

    monkeypatch.setattr(figures, "drawable", two)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """None at all."""

    def diagnosed(tree: xr.DataTree) -> None:
        raise KeyError("no figure")

    monkeypatch.setattr(figures, "drawable", lambda tree: {})
    monkeypatch.setattr(figures, "diagnosed", diagnosed)


@pytest.fixture(scope="module")
def as_the_paper() -> RunSettings:
    """The paper's own run of one cell."""
    paper = reproduction.paper_of("synaptic_scaling")
    cell = next(cell for cell in paper.cells if cell.dataset == "mnist" and cell.accuracy is not None)
    changes = {**paper.protocol.changes, **cell.changes}
    return dataclasses.replace(paper.protocol, dataset=cell.dataset, changes=changes, **cell.run)


def test_a_report_holds_parameters_numbers_figures_and_the_command(tmp_path: Path) -> None:
    settings = RunSettings(changes={"neurons": "9", "tau_p": "20*ms"}, images=40, test_images=20, block=20)
    run = written(of_run(settings, "mnist-embedded", class_names='["0","1","2","3","4","5","6","7","8","9"]'),
                  tmp_path / "digits")  # fmt: skip
    text = page.report([run])
    shown = Page(text)
    for symbol, row in registry.find("synaptic_scaling").parameters().items():
        assert symbol in shown.text
        assert " ".join(row.source.split()) in shown.text
    assert "20 ms60 msset" in shown.text.replace("\n", "")  # value, default, why
    assert "85.00" in shown.text
    assert "hebbarium train synaptic_scaling --dataset mnist-embedded --seed 0 --images 40" in shown.text
    assert sum(tag == "img" for tag, _ in shown.tags) == 3
    assert not list(shown.loads())
    assert "script" not in {tag for tag, _ in shown.tags}
    assert "default-src 'none'" in text


@pytest.mark.usefixtures("no_figures")
def test_the_same_numbers_give_the_same_page(tmp_path: Path) -> None:
    run = written(example_tree(9, 40, 20, 20), tmp_path / "example")
    text = page.report([run])
    assert "a file of somebody's own" in Page(text).text  # its model is not known
    assert page.report([run]) == text


def test_what_stands_in_a_strangers_file_is_text(tmp_path: Path) -> None:
    tree = example_tree(9, 40, 20, 20)
    names = [HOSTILE.replace("\u202e", "")[:150], "$\\undefined{$", *"23456789"]
    with_attributes(
        tree, paper=HOSTILE, command=HOSTILE, device="<b>", dataset="<i>&", git_commit="<u>",
        parameters={HOSTILE: HOSTILE, "x": "y" * 10_000}, options={"model": HOSTILE, "changes": {HOSTILE: 1}},
        versions={HOSTILE: HOSTILE}, class_names=json.dumps(names), complete=0,
    )  # fmt: skip
    tree[results.EVALUATION].attrs["warning"] = HOSTILE
    folder = written(tree, tmp_path / "<img src=y onerror=alert(3)>")
    other = written(example_tree(9, 40, 20, 20), tmp_path / "other")
    text = page.report([folder, other])
    shown = Page(text)
    tags = {tag for tag, _ in shown.tags}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "svg", "b", "i", "u", "base"}
    assert not list(shown.loads())
    assert not [name for _, attributes in shown.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in shown.text
    assert "{{ 7*7 }}" in shown.text
    assert "\u202e" not in text
    assert "y" * 10_000 not in text
    assert "This was not drawn" in shown.text  # a class is called like broken mathematics
    assert "not complete" in shown.text


@pytest.mark.usefixtures("no_figures")
def test_a_model_of_ones_own_is_not_run_for_a_report(tmp_path: Path) -> None:
    mark = tmp_path / "was_run"
    file = tmp_path / "mine.py"
    file.write_text(f"open({str(mark)!r}, 'w').close()\n")
    tree = with_attributes(
        example_tree(9, 40, 20, 20), model="synaptic_scaling", parameters={"tau_p": "20*ms", "mine": "3"},
        options={"model": str(file), "changes": {"mine": "3"}},
    )  # fmt: skip
    with tree:
        told = contents.gather("mine", tree)
    assert not mark.exists()
    assert not told.title  # it carries the name of another, and is not taken for it
    assert [(line.symbol, line.origin) for line in told.parameters] == [("tau_p", ""), ("mine", SET)]
    assert told.printed is None


@pytest.mark.usefixtures("no_figures")
def test_constants_that_follow_from_a_size_are_told_from_those_that_were_set() -> None:
    settings = RunSettings(model="symmetric_stdp", changes={"neurons": "400"})
    told = contents.gather("hao", of_run(settings, "mnist-embedded"))
    origins = {line.symbol: line.origin for line in told.parameters}
    follows = parameters.following(registry.find("symmetric_stdp"), settings.changes)
    usual = {symbol: row.show(row.default) for symbol, row in registry.find("symmetric_stdp").parameters().items()}
    differing = {s for s, value in parameters.table(settings.make_model()).items() if value != usual[s]}
    assert {symbol for symbol, origin in origins.items() if origin == FOLLOWS} == differing & set(follows)
    assert {symbol for symbol, origin in origins.items() if origin} == differing


@pytest.mark.usefixtures("no_figures")
def test_the_papers_number_judges_only_a_run_made_as_the_papers(as_the_paper: RunSettings) -> None:
    numbers = printed.of_settings(as_the_paper, as_the_paper.dataset)
    assert numbers is not None
    assert numbers.departures == ()
    (paper,) = numbers.percent.values()
    told = contents.gather("paper", of_run(as_the_paper, "mnist", percent=paper - 1))
    assert told.verdict.startswith("Within 2 points of the paper: 1 of 1 cell; difference \N{MINUS SIGN}1.00.")
    assert told.verdict.endswith("One seed.")
    short = dataclasses.replace(as_the_paper, images=2000, validation=500, evaluate_on="validation")
    told = contents.gather("short", of_run(short, "mnist"))
    assert told.printed is not None
    assert "Within" not in told.verdict
    assert len(told.printed.departures) == 3
    assert any(line.startswith("Training images an epoch: 2,000 here") for line in told.printed.departures)
    assert all(row.paper is None for row in told.rows)
    small = contents.gather("small", of_run(dataclasses.replace(as_the_paper, dataset="mnist-embedded"),
                                            "mnist-embedded"))  # fmt: skip
    assert small.printed is not None
    assert "Its images are mnist-embedded, the paper's mnist." in small.printed.departures
    unfinished = contents.gather("unfinished", of_run(as_the_paper, "mnist", complete=0))
    assert unfinished.verdict == ""


@pytest.mark.usefixtures("no_figures")
def test_controls_stand_beside_the_accuracy_of_a_run(
    as_the_paper: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    softmax = ledger_row(item="controls", readout="softmax", value=91.0, setting="", neurons="", paper=None)
    ledger.append(tmp_path / "controls.csv", [softmax])
    monkeypatch.setattr(clone, "ledgers", lambda otherwise: tmp_path)
    below, above = (contents.gather("run", of_run(as_the_paper, "mnist", percent)) for percent in (90.0, 92.0))
    assert {one.words for one in below.answers} == {"not above any control"}
    assert {one.words for one in above.answers} == {""}
    assert below.controls.startswith("Controls on mnist, without spikes: softmax")
    assert "91.00, ours above in 0 of " in below.controls
    seeds = [dataclasses.replace(as_the_paper, seed=seed) for seed in (0, 1)]
    assert "Controls on mnist" in compared([of_run(one, "mnist", 90.0) for one in seeds]).verdict
    elsewhere = contents.gather("run", of_run(as_the_paper, "fashion-mnist"))
    assert elsewhere.controls == ""


def compared(trees: Sequence[xr.DataTree]) -> comparison.Comparison:
    named = {f"run {k}": tree for k, tree in enumerate(trees)}
    return comparison.compare([contents.gather(name, tree) for name, tree in named.items()], named)


@pytest.mark.usefixtures("no_figures")
def test_runs_side_by_side_say_in_what_they_differ_and_average_over_seeds(as_the_paper: RunSettings) -> None:
    (paper,) = reproduction.printed(
        reproduction.cell_of_run(as_the_paper, "mnist") or pytest.fail("no cell"), "synaptic_scaling"
    ).values()  # fmt: skip
    seeds = [dataclasses.replace(as_the_paper, seed=seed) for seed in (0, 1, 2)]
    together = compared([of_run(one, "mnist", paper + k) for k, one in enumerate(seeds)])
    assert together.columns == ("seed",)
    assert [line.values for line in together.lines] == [("0",), ("1",), ("2",)]
    mean = next(mean for mean in together.means if mean.paper is not None)
    assert mean.seeds == 3
    assert mean.mean == pytest.approx(paper + 1)
    assert mean.error == pytest.approx(ledger.mean_and_error([0.0, 1.0, 2.0])[1])
    assert "difference +1.00" in together.verdict
    assert together.curves is not None
    changed = dataclasses.replace(as_the_paper, changes={**as_the_paper.changes, "tau_p": "33*ms"}, epochs=2)
    apart = compared([of_run(as_the_paper, "mnist"), of_run(changed, "mnist")])
    assert {"tau_p", "epochs"} <= set(apart.columns)
    assert apart.means == ()
    twice = compared([of_run(as_the_paper, "mnist"), of_run(as_the_paper, "mnist")])
    assert "no mean is taken" in twice.note


@pytest.mark.usefixtures("no_figures")
def test_runs_of_several_models_are_told_apart_by_what_was_set() -> None:
    runs = [
        of_run(RunSettings(changes={"neurons": "9"}), "mnist-embedded"),
        of_run(RunSettings(model="diehl_cook", changes={"neurons": "16"}), "mnist-embedded"),
    ]
    apart = compared(runs)
    assert apart.columns[:2] == ("model", "set")
    assert "neurons = 9" in apart.lines[0].values[1]


@pytest.mark.usefixtures("no_figures")
def test_measures_of_an_experiment_are_a_table() -> None:
    given = [("rate", float(k), "Hz", f"stimulus=step({k}*nA) duration=5*ms") for k in range(3)]
    measured = results.measures([*given, ("rheobase", -2.0, "nA", "duration=5*ms")])
    attributes = results.root_attributes(model="izhikevich", seed=0, samples_seen=5, complete=True)
    told = contents.gather("neuron", results.build(attributes, measures=measured))
    lines, shared = told.measured
    assert shared == "duration=5*ms"
    assert lines[0] == ("", "step(0*nA)", "step(1*nA)", "step(2*nA)", "all together")
    assert lines[1] == ("rate (Hz)", "0", "1", "2", "")
    assert lines[2][-1] == "\N{MINUS SIGN}2"
    assert told.findings is None
    assert told.title


def test_a_summary_is_one_line_and_a_small_page() -> None:
    tree = example_tree(9, 40, 20, 20)
    brief = summary.of(tree)
    assert brief.sentence.startswith("example, seed 0; 40 samples of")
    assert len(brief.accuracies) == 2
    text = summary.as_html(tree, HOSTILE)
    shown = Page(text)
    assert [tag for tag, _ in shown.tags].count("img") == 1
    assert "script" not in {tag for tag, _ in shown.tags}
    assert f"{brief.accuracies[0].percent:.2f}" in shown.text


@pytest.mark.usefixtures("no_figures")
def test_numbers_that_are_missing_leave_their_place_empty() -> None:
    attributes = results.root_attributes(model="small", seed=0, samples_seen=0)
    told = contents.gather("empty", results.build(attributes))
    assert not any((told.answers, told.pictures, told.rows))
    assert "No accuracy was measured yet" in pages.render("report.html.jinja", runs=[told], comparison=None)
    assert np.isnan(summary.Accuracy("most_active", 50.0, 10).error)


def test_names_that_come_again_get_a_number() -> None:
    assert list(comparison.unlike(["a", "a", "b", "a"])) == ["a", "a (2)", "b", "a (3)"]


@pytest.mark.parametrize("number", [0, page.MOST + 1])
def test_too_few_and_too_many_runs_are_refused(number: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{number} runs: expected 1 to {page.MOST}"):
        page.report([tmp_path] * number)


def test_what_the_page_of_the_docs_says_of_limits() -> None:
    text = " ".join((Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8").split())
    assert (watching.SHARE, so_far.MOST) == (0.1, 100_000_000)
    assert "Drawing takes at most a tenth of one processor" in text
    assert "more than a hundred million spike counts" in text
