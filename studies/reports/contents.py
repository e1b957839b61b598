"""What a report says of one run, read off its result file; nothing is run, but for operations, which have been counted.

The model's parameters are explained where the model comes with the project, or where its file is trusted: a file that a
run names is not run for a report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from hebbarium.analysis import diagnosis, figures, pages, summary
from hebbarium.analysis.diagnosis import Finding
from hebbarium.analysis.pages import Picture
from hebbarium.analysis.summary import MeasuredValue, Summary
from hebbarium.catalogue import description, registry
from hebbarium.ledger import commits, controls, ledger, operations
from hebbarium.ledger.ledger import Row
from hebbarium.ledger.operations import SampleCost
from hebbarium.models.contract import Model, Parameter
from hebbarium.record import results
from hebbarium.studies import reproduction
from hebbarium.studies.reports import printed
from hebbarium.studies.reports.printed import PrintedNumbers
from hebbarium.training import clone, parameters
from hebbarium.training.run_settings import Role, RunSettings, of_role

__all__ = ["Answered", "Contents", "ParameterLine", "gather", "settings_of"]

SET, FOLLOWS, USUAL = "set", "follows from what is set", ""
"""Why a parameter has its value: it was set, it follows from one that was, it is the default."""
_NARROW_MM = 120
"""Figures up to here stand side by side, before the others."""
_MOST_COLUMNS = 6
_STATED = ("model", "changes", "dataset", "seed", "device", "precision")
"""Settings that stand elsewhere in a report."""


@dataclass(frozen=True)
class ParameterLine:
    """A parameter of a run: its value, the default where that is another, where it comes from."""

    symbol: str
    value: str
    default: str
    origin: str
    meaning: str = ""
    source: str = ""


@dataclass(frozen=True)
class Answered:
    """Accuracy by one readout, beside the paper's; in words, which controls it is not above."""

    readout: str
    percent: float
    error: float
    tested: int | None
    paper: float | None
    spread: float | None
    words: str


@dataclass(frozen=True)
class Contents:
    """A run, as a report shows it.

    Parameters
    ----------
    name : str
        What the run is called, which is its folder's name.
    title : str
        The model's; empty where it is not known.
    answers : tuple of Answered
    printed : PrintedNumbers, optional
        What the paper prints for these parameters.
    verdict : str
        How near it is; empty where nothing can be compared.
    controls : str
        What classifiers without spikes reach on these images; empty where none were trained on them.
    rows : tuple of Row
        Accuracies as rows of a ledger, which seeds are averaged by.
    settings : mapping
        What else was asked for, and was not the default: name to value and meaning.
    parameters : tuple of ParameterLine
    pictures : tuple of Picture
    findings : tuple of Finding
        What looks wrong; None for an experiment, which is not diagnosed.
    costs : tuple of SampleCost
        Operations, where they were counted.
    facts : mapping
        Where the numbers come from.
    command : str
        That makes the run again.
    """

    name: str
    title: str
    summary: Summary
    answers: tuple[Answered, ...]
    printed: PrintedNumbers | None
    verdict: str
    controls: str
    rows: tuple[Row, ...]
    settings: Mapping[str, tuple[str, str]]
    parameters: tuple[ParameterLine, ...]
    pictures: tuple[Picture, ...]
    findings: tuple[Finding, ...] | None
    diagnosed: Picture | None
    costs: tuple[SampleCost, ...]
    facts: Mapping[str, str]
    command: str

    @property
    def changed(self) -> tuple[ParameterLine, ...]:
        """Parameters that are not the model's defaults."""
        return tuple(line for line in self.parameters if line.origin != USUAL)

    @property
    def measured(self) -> tuple[tuple[tuple[str, ...], ...], str]:
        """Measures of an experiment as a table, its first line heads, and what all of them were measured of."""
        return _table(self.summary.measures)

    @property
    def operations(self) -> tuple[tuple[str, ...], ...]:
        """Operations as a table: heads, and a column for each phase."""
        lines = operations.markdown_table(self.costs).partition("\n\n")[0].splitlines() if self.costs else []
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]
        return tuple(zip(*cells, strict=True))

    @property
    def assumed(self) -> str:
        """What the numbers of operations assume."""
        return operations.markdown_table(self.costs).partition("\n\n")[2] if self.costs else ""


def gather(
    name: str,
    tree: xr.DataTree,
    *,
    settings: RunSettings | None = None,
    model: Model | None = None,
    costs: Sequence[SampleCost] = (),
) -> Contents:
    """What a report says of a result tree.

    Parameters
    ----------
    name : str
        What the run is called.
    settings, model : optional
        The run's, where its model is a file of somebody's own that is trusted. Those of the project's models are read
        off the tree.
    costs : sequence of SampleCost
        Of this run, from `hebbarium.studies.operations.measure`.
    """
    read = results.decoded(tree)
    brief = summary.of(tree)
    settings = settings or settings_of(read)
    kind = type(model) if model is not None else _kind_of(read)
    known = settings is not None and settings.model in registry.models()
    numbers = printed.of_settings(settings, brief.dataset) if settings and known else None
    rows, beside = tuple(_rows(read, brief, numbers)), controls.of_folder(clone.ledgers(Path("results")))
    words = {row.readout: beside.words(row, row.value) for row in rows}
    chosen = read["options"].get("changes")
    lines = tuple(_parameters(read["parameters"], kind, settings, chosen if isinstance(chosen, dict) else {}))
    trained = not brief.measures and results.WEIGHTS in tree.children
    return Contents(
        name=name,
        title=kind.title if kind else "",
        summary=brief,
        answers=tuple(_answers(brief, numbers, words)),
        printed=numbers,
        verdict=_verdict(brief, numbers, rows),
        controls=" ".join(beside.sentences(ledger.summarise(rows))),
        rows=rows,
        settings=_settings(read["options"], kind.labels_from if kind else ""),
        parameters=lines,
        pictures=tuple(sorted(summary.pictures(tree), key=lambda one: one.width_mm > _NARROW_MM)),
        findings=tuple(diagnosis.diagnose(tree)) if trained else None,
        diagnosed=_diagnosed(tree) if trained else None,
        costs=tuple(costs),
        facts=summary.facts(tree),
        command=reproduction.command_of(settings) if settings and known else str(read["command"]),
    )


def settings_of(read: Mapping[str, Any]) -> RunSettings | None:
    """The settings that a result file says, `results.decoded`.

    None for experiments, for models of one's own, and where they are no settings of this version of the project.
    """
    options = read["options"]
    if str(options.get("model")) not in registry.models():
        return None
    try:
        return RunSettings.recorded(options)
    except (ValueError, TypeError):
        return None


def _kind_of(read: Mapping[str, Any]) -> type[Model] | None:
    """The model's class, if it is one of the project's: a run of a file may carry the name of one of them."""
    name = read["options"].get("model", read["model"])
    return registry.models().get(name) if isinstance(name, str) else None


def _parameters(
    values: Mapping[str, str], kind: type[Model] | None, settings: RunSettings | None, chosen: Mapping[str, Any]
) -> Iterator[ParameterLine]:
    table: Mapping[str, Parameter] = kind.parameters() if kind else {}
    follows = parameters.following(kind, settings.changes) if kind and settings else {}
    for symbol, text in values.items():
        value, row = description.readable(str(text)), table.get(symbol)
        if row is None:
            yield ParameterLine(symbol, value, "", SET if symbol in chosen else USUAL)
            continue
        usual = description.readable(row.show(row.default))
        origin = USUAL if value == usual else FOLLOWS if symbol in follows else SET
        default = "" if value == usual else usual
        yield ParameterLine(symbol, value, default, origin, description.meaning(row), row.source)


def _answers(brief: Summary, numbers: PrintedNumbers | None, words: Mapping[str, str]) -> Iterator[Answered]:
    percent = numbers.percent if numbers else {}
    spread = numbers.spread if numbers else {}
    for one in brief.accuracies:
        yield Answered(
            one.readout, one.percent, one.error, one.tested, percent.get(one.readout), spread.get(one.readout),
            words.get(one.readout, ""),
        )


def _verdict(brief: Summary, numbers: PrintedNumbers | None, rows: Sequence[Row]) -> str:
    """How near a run comes to the paper's number, which it is held against only if it was made as the paper's was."""
    if numbers is None or not brief.complete:
        return ""
    if numbers.departures:
        return "It was not made as the paper's was, and tells nothing of whether the paper's number comes out."
    compared = [cell for cell in ledger.summarise(rows) if cell.paper is not None]
    return f"{ledger.verdict(compared, ['readout'])} One seed." if compared else ""


def _rows(read: Mapping[str, Any], brief: Summary, numbers: PrintedNumbers | None) -> Iterator[Row]:
    """Accuracies as rows, so that seeds are averaged, and held against the paper, as in the ledgers."""
    comparable = numbers is not None and not numbers.departures
    asked = {name: value for name, value in read["options"].items() if name in of_role(Role.COMPUTED)}
    telling = read["parameters"] | {name: value for name, value in asked.items() if name not in _STATED}
    setting = " ".join(f"{symbol}={str(text).replace(' ', '')}" for symbol, text in telling.items())
    for one in brief.accuracies if brief.complete else ():
        yield Row(
            item=numbers.item if numbers else "own", dataset=brief.dataset, setting=setting, readout=one.readout,
            seed=brief.seed, measure=ledger.ACCURACY, value=one.percent, unit=ledger.PER_CENT,
            paper=numbers.percent.get(one.readout) if numbers and comparable else None,
            paper_spread=numbers.spread.get(one.readout) if numbers and comparable else None,
            trained=brief.seen, tested=one.tested, selection=ledger.LAST, device=str(read["device"]),
            precision=str(read["precision"]), command="",
            commit=commits.named(str(read["git_commit"]), bool(read["git_dirty"])),
        )  # fmt: skip


def _settings(options: Mapping[str, Any], labels_from: str) -> dict[str, tuple[str, str]]:
    """Settings of a run, but for those that stand elsewhere and those that nobody set: name to value and meaning."""
    table, usual = RunSettings.table(), {"labels_from": labels_from}
    return {
        name: (str(value), table[name].meaning)
        for name, value in options.items()
        if name in table and name not in _STATED and value not in (None, "", usual.get(name, table[name].default))
    }


def _table(measures: Sequence[MeasuredValue]) -> tuple[tuple[tuple[str, ...], ...], str]:
    """A line for each measure and a column for what it was measured of, or the other way round, as has more room."""
    if not measures:
        return (), ""
    words = [one.setting.split() for one in measures]
    shared = [word for word in words[0] if all(word in others for others in words)]
    cells: dict[str, dict[str, str]] = {}
    for one, setting in zip(measures, words, strict=True):
        of = " ".join(word.removeprefix("stimulus=") for word in setting if word not in shared) or "all together"
        name = f"{summary.words(one.name)}{f' ({one.unit})' if one.unit else ''}"
        cells.setdefault(name, {})[of] = f"{one.value:.5g}".replace("-", "\N{MINUS SIGN}")
    columns = tuple(dict.fromkeys(of for line in cells.values() for of in line))
    lines = [("", *columns), *((name, *(line.get(of, "") for of in columns)) for name, line in cells.items())]
    if len(columns) > max(len(cells), _MOST_COLUMNS):
        lines = list(zip(*lines, strict=True))
    return tuple(lines), " ".join(shared)


def _diagnosed(tree: xr.DataTree) -> Picture | None:
    text = "Who wins, weights beside their bounds, thresholds in time, classes beside chance; dashed lines are limits."
    try:
        return pages.picture("diagnosis", text, figures.diagnosed(tree))
    except summary.UNDRAWABLE:
        return None

