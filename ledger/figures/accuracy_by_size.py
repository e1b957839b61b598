"""Accuracy of rules by the number of their hidden neurons, beside controls."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.ledger.controls import Controls, name_of
from hebbarium.ledger.figures.control_lines import draw_controls
from hebbarium.ledger.leaderboard import Standing
from hebbarium.ledger.rows import LedgerError
from hebbarium.ledger.tables import Mean

_PANEL_MM = 96
_ROOM = 3.0
"""Points below the least accurate number."""
_SMALL = 3
"""Marks of settings that no line goes through, in points."""
_NAME = 0.04
"""Height of a control's name, in parts of the panel."""


@style.styled
def accuracy_by_size(standings: Sequence[Standing], controls: Controls) -> Figure:
    """A panel a set, a line a rule over its sizes, hollow where it is a single seed; controls as horizontal lines.

    Where a rule has several rows of one size, the line goes through the one that saw most images, and among equals
    through the one with the model's own parameters; others that saw as many are small marks beside it. Below the panels
    stands which of those on lines saw fewer images than the paper's.

    Parameters
    ----------
    standings
        Those without a number of hidden neurons are left out.
    controls
        Of any sets.

    Raises
    ------
    LedgerError
        There is nothing to draw.
    """
    drawn = [one for one in standings if one.neurons]
    if not drawn:
        raise LedgerError("accuracy_by_size: no rule has a row with a number of hidden neurons.")
    sets = list(dict.fromkeys(one.dataset for one in drawn))
    rules = list(dict.fromkeys(one.rule for one in drawn))
    columns = min(2, len(sets))
    lines = -(-len(sets) // columns)
    figure = style.new_figure(style.PAGE_MM if columns > 1 else 1.4 * style.COLUMN_MM, 16 + _PANEL_MM * lines)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes in panels[len(sets) :]:
        axes.set_axis_off()
    short: list[str] = []
    for axes, dataset in zip(panels, sets, strict=False):
        own = [one for one in drawn if one.dataset == dataset]
        for index, rule in enumerate(rules):
            by_size = _by_size(of_rule := [one for one in own if one.rule == rule])
            _line(axes, by_size, index)
            _beside(axes, of_rule, by_size, index)
            short += [f"{_name(one.rule)} {one.layers} on {dataset}: {one.cut_short}"
                      for one in by_size.values() if one.cut_short]  # fmt: skip
        draw_controls(axes, beside := controls.beside(own[0].mean.row), across=True)
        axes.set_xscale("log")
        axes.set(title=dataset, xlabel="Hidden neurons", ylabel="Accuracy (%)")
        axes.set_ylim(bottom=min(one.mean.mean for one in own) - _ROOM)
        _name_controls(axes, beside)
        axes.grid(color="#DDDDDD", linewidth=0.5)
        axes.set_axisbelow(True)
    handles = {
        label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        if not label.startswith("control")
    }  # fmt: skip
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper left", ncols=4,
        title="Hollow: a single seed. Small: other settings",
    )  # fmt: skip
    if short:
        figure.supxlabel(textwrap.fill(f"Cut short: {'; '.join(short)}.", 150), fontsize=6, color=style.GREY)
    return figure


def _name_controls(axes: Axes, beside: Iterable[Mean]) -> None:
    """A name above each line, or below it where the next line is so near that the two names would meet."""
    low, high = axes.get_ylim()
    above = high
    for control in sorted(beside, key=lambda one: -one.mean):
        fits = above - control.mean > _NAME * (high - low)
        axes.annotate(
            f"{name_of(control)} {control.mean:.1f}", (1, control.mean), (-2, 2 if fits else -2),
            ("axes fraction", "data"), "offset points", ha="right", va="bottom" if fits else "top", fontsize=6,
            color=style.GREY,
        )  # fmt: skip
        above = control.mean


def _by_size(own: Iterable[Standing]) -> dict[int, Standing]:
    """The one that is drawn of each size, small networks first."""
    ordered = sorted(own, key=lambda one: (one.neurons or 0, one.mean.row.trained, one.usual))
    return {one.neurons or 0: one for one in ordered}


def _beside(axes: Axes, of_rule: Iterable[Standing], by_size: Mapping[int, Standing], index: int) -> None:
    """Marks of other settings that saw as many images as those on the line."""
    colour, mark = style.MANY_LINES[index % len(style.MANY_LINES)]
    for one in of_rule:
        on_line = by_size[one.neurons or 0]
        if one is not on_line and one.mean.row.trained >= on_line.mean.row.trained:
            axes.plot(
                [one.neurons or 0], [one.mean.mean], linestyle="", marker=mark, markersize=_SMALL, color=colour,
                markerfacecolor=_face(one.mean.seeds == 1, colour), zorder=3,
            )  # fmt: skip


def _face(single: bool, colour: str) -> str:
    """Of a mark: hollow where it is a single seed."""
    return "white" if single else colour


def _name(rule: str) -> str:
    return rule.replace("_", " ")


def _line(axes: Axes, by_size: Mapping[int, Standing], index: int) -> None:
    if not by_size:
        return
    rule = next(iter(by_size.values())).rule
    colour, mark = style.MANY_LINES[index % len(style.MANY_LINES)]
    means = [one.mean for one in by_size.values()]
    axes.plot(list(by_size), [mean.mean for mean in means], color=colour, linewidth=0.9, label="")
    for single in (True, False):
        points = [(size, one.mean) for size, one in by_size.items() if (one.mean.seeds == 1) == single]
        if not points:
            continue
        axes.errorbar(
            [size for size, _ in points], [mean.mean for _, mean in points],
            yerr=None if single else [mean.error for _, mean in points], linestyle="", marker=mark, color=colour,
            markerfacecolor=_face(single, colour), capsize=2,
            label=_name(rule),
        )  # fmt: skip
