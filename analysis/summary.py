"""What a result file comes to: what was run, how far, and how well it did; notebooks and reports show it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

import xarray as xr

from hebbarium.analysis import chance, figures, pages
from hebbarium.analysis.pages import Picture
from hebbarium.files.errors import in_one_line
from hebbarium.record import results

__all__ = ["UNDRAWABLE", "Accuracy", "MeasuredValue", "Summary", "as_html", "facts", "of", "pictures", "words"]

UNDRAWABLE = (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError, AttributeError)
"""What is raised where the numbers of a file give no figure: files come from anywhere."""


@dataclass(frozen=True)
class Accuracy:
    """How often a readout was right.

    Parameters
    ----------
    readout : str
    percent : float
    seen : int
        Training samples seen when it was measured.
    tested : int, optional
        Samples that it was measured on; None while training goes on, where the file does not say.
    """

    readout: str
    percent: float
    seen: int
    tested: int | None = None

    @property
    def error(self) -> float:
        """Standard error in points, of so many samples as a draw from all there could be; NaN where it is not known.

        >>> round(Accuracy("most_active", 90.0, 100, tested=400).error, 9)
        1.5
        """
        share = self.percent / 100
        return 100 * math.sqrt(share * (1 - share) / self.tested) if self.tested else math.nan


@dataclass(frozen=True)
class MeasuredValue:
    """A number of an experiment, with its unit and what it was measured of."""

    name: str
    value: float
    unit: str
    setting: str


@dataclass(frozen=True)
class Summary:
    """A result file in brief.

    Parameters
    ----------
    seen : int
        Training samples, over all passes.
    accuracies : tuple of Accuracy
        The last ones that were measured, a readout each.
    running : tuple of (samples, per cent)
        Accuracy on training blocks, as far as it is known.
    chance : str
        In words; empty where nothing was tested.
    warning : str
        Why accuracies mean little; empty if nothing speaks against them.
    measures : tuple of MeasuredValue
        Of an experiment.
    """

    model: str
    paper: str
    dataset: str
    seed: int
    seen: int
    complete: bool
    accuracies: tuple[Accuracy, ...]
    running: tuple[tuple[int, float], ...]
    chance: str
    warning: str
    measures: tuple[MeasuredValue, ...]

    @property
    def sentence(self) -> str:
        """It in one line."""
        parts = [f"{self.model}, seed {self.seed}"]
        if self.dataset:
            parts.append(f"{self.seen:,} samples of {self.dataset} seen{'' if self.complete else ', not complete'}")
        parts += [f"{words(one.readout)} {one.percent:.2f} %" for one in self.accuracies]
        if self.measures:
            parts.append(f"{len(self.measures)} measures")
        return in_one_line("; ".join(parts))


def words(name: str) -> str:
    """A name as people read it.

    >>> words("most_active")
    'most active'
    """
    return name.replace("_", " ")


def of(tree: xr.DataTree) -> Summary:
    """The summary of a result tree."""
    attributes = tree.attrs
    evaluation = tree[results.EVALUATION].to_dataset() if results.EVALUATION in tree.children else xr.Dataset()
    tested = next(iter(results.children(tree, results.TEST).values()), None)
    label = tested.to_dataset()["label"].values if tested is not None else None
    return Summary(
        model=str(attributes["model"]),
        paper=str(attributes["paper"]),
        dataset=str(attributes["dataset"]),
        seed=int(attributes["seed"]),
        seen=int(attributes["samples_seen"]),
        complete=bool(attributes["complete"]),
        accuracies=tuple(_accuracies(evaluation, None if label is None else len(label))),
        running=tuple(_running(evaluation)),
        chance="" if label is None else chance.in_words(label),
        warning=str(evaluation.attrs.get("warning", "")),
        measures=tuple(_measures(tree)),
    )


def pictures(tree: xr.DataTree, most: int | None = None) -> Iterator[Picture]:
    """Every figure that there are numbers for, with a sentence each, receptive fields first; at most so many."""
    for name, draw in list(figures.drawable(tree).items())[:most]:
        text, _, _ = (draw.__doc__ or words(name)).partition("\n\n")
        said = " ".join(text.split())
        try:
            yield pages.picture(name, said, draw(tree))
        except UNDRAWABLE as error:
            yield Picture(name, said, problem=in_one_line(str(error)) or type(error).__name__)


def as_html(tree: xr.DataTree, name: str) -> str:
    """A summary with the first figure, for a notebook."""
    return pages.render("summary.html.jinja", name=name, summary=of(tree), pictures=list(pictures(tree, most=1)))


def _accuracies(evaluation: xr.Dataset, tested: int | None) -> Iterator[Accuracy]:
    if "accuracy" not in evaluation or not evaluation["accuracy"].size or "samples_seen" not in evaluation.coords:
        return
    last = evaluation["accuracy"].isel(seed=0, samples_seen=-1)
    for readout in last["readout"].values:
        percent = float(last.sel(readout=readout))
        yield Accuracy(str(readout), percent, int(last["samples_seen"]), tested)


def _running(evaluation: xr.Dataset) -> Iterator[tuple[int, float]]:
    if "running_accuracy" in evaluation:
        running = evaluation["running_accuracy"]
        for seen, percent in zip(running["samples_seen_block"].values, running.values, strict=True):
            if math.isfinite(percent):
                yield int(seen), float(percent)


def _measures(tree: xr.DataTree) -> Iterator[MeasuredValue]:
    if results.MEASURES not in tree.children:
        return
    measured = tree[results.MEASURES].to_dataset()
    columns = [measured[name].values if name in measured.variables else None for name in ("unit", "setting")]
    for k, (name, value) in enumerate(zip(measured["measure"].values, measured["value"].values, strict=True)):
        unit, setting = ("" if column is None else str(column[k]) for column in columns)
        yield MeasuredValue(str(name), float(value), unit, setting)


def facts(tree: xr.DataTree) -> dict[str, str]:
    """Where the numbers of a result file come from, by what each is called; what is not known is left out."""
    attributes = tree.attrs
    versions = ", ".join(f"{name} {version}" for name, version in json.loads(attributes["versions"]).items())
    commit = f"{attributes['git_commit']}{', with changes that were not committed' if attributes['git_dirty'] else ''}"
    events = int(attributes["synaptic_events"])
    known = {
        "Data set, SHA-256": str(attributes["dataset_sha256"]),
        "Commit": commit if attributes["git_commit"] else "",
        "Versions": versions,
        "Device": f"{attributes['device']}, {attributes['precision']}" if attributes["device"] else "",
        "Time of its programs": f"{float(attributes['wall_time_s']):,.1f} s",
        "Synaptic events while training": f"{events:,}" if events else "",
        "Command as it was typed": str(attributes["command"]),
    }
    return {name: text for name, text in known.items() if text}
