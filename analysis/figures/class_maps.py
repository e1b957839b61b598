"""Maps whose points are coloured by class: of activity (Hao et al., Fig. 5) and of weights (Fig. 6)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbarium.analysis.figures import style
from hebbarium.analysis.maps import Map, Separation
from hebbarium.record import results

_LAYERS = {results.INPUT: "Images", results.EXCITATORY: "Hidden layer", results.CLASSES: "Class layer"}
_BOTH = np.array([-1, 1])
_SIZES = (1.0, 9.0)  # square points, of the dots of a large and of a small map


@style.styled
def activity_panel(maps: Mapping[str, Map], class_names: Sequence[str] | None = None) -> Figure:
    """Maps of the images and of what each layer makes of them, side by side, with the numbers above them.

    Parameters
    ----------
    maps
        From `hebbarium.analysis.maps.activity_maps`.
    class_names
        Names of the classes; by default their numbers.
    """
    if not maps:
        raise ValueError("There is no map to draw.")
    width = style.PAGE_MM if len(maps) > 1 else style.COLUMN_MM
    figure = style.new_figure(width, width / len(maps) + 33)
    row = np.atleast_1d(figure.subplots(1, len(maps)))
    for axes, (name, chart) in zip(row, maps.items(), strict=True):
        _points(axes, chart)
        silent = f", {chart.silent:,} silent" if chart.silent else ""
        axes.set_xlabel(f"{len(chart.place):,} images{silent}")
        axes.set_title(f"{_LAYERS.get(name) or name.replace('_', ' ').capitalize()}\n{_numbers(chart)}")
    _legend(figure, list(maps.values()), class_names)
    return figure


@style.styled
def weight_map(chart: Map, weights: str = "outgoing", class_names: Sequence[str] | None = None) -> Figure:
    """Map of the hidden neurons by their weights, coloured by label statistics.

    Parameters
    ----------
    chart
        From `hebbarium.analysis.maps.weight_map`.
    weights
        Which these are, for the title.
    """
    figure = style.new_figure(style.COLUMN_MM, style.COLUMN_MM + 33)
    axes = figure.add_subplot()
    _points(axes, chart)
    axes.set_title(f"{weights[:1].upper()}{weights[1:]} weights\n{_numbers(chart)}")
    without = int(np.count_nonzero(chart.label < 0))
    axes.set_xlabel(f"{len(chart.place):,} neurons" + (f", {without:,} of them without a class" if without else ""))
    _legend(figure, [chart], class_names)
    return figure


def _points(axes: Axes, chart: Map) -> None:
    style.as_picture(axes)
    low, high = chart.place.min(axis=0), chart.place.max(axis=0)
    reach = 0.54 * float((high - low).max())
    axes.set(xlim=(low + high)[0] / 2 + reach * _BOTH, ylim=(low + high)[1] / 2 + reach * _BOTH, aspect="equal")
    size = np.clip(4000 / chart.distinct, *_SIZES)
    order = np.random.default_rng(0).permutation(len(chart.place))  # no class covers all others
    order = order[np.argsort(chart.label[order] >= 0, kind="stable")]
    colours = np.array([*style.CLASSES, style.NO_CLASS])[_colour_number(chart.label[order])]
    across, up = chart.place[order].T
    axes.scatter(across, up, s=size, c=colours, linewidths=0, rasterized=True)
    for number in np.unique(chart.label[chart.label >= 0]):
        middle = np.median(chart.place[chart.label == number], axis=0)
        axes.annotate(
            str(number), middle, ha="center", va="center", fontsize=7,
            bbox={"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.6},
        )  # fmt: skip


def _colour_number(label: np.ndarray) -> np.ndarray:
    return np.where(label < 0, len(style.CLASSES), label % len(style.CLASSES))


def _numbers(chart: Map) -> str:
    """The numbers, in the space of the features and on the map."""

    def of(separation: Separation) -> str:
        silhouette = "" if math.isnan(separation.silhouette) else f", silhouette {separation.silhouette:.2f}"
        return f"{separation.neighbours:.1f} %{silhouette}".replace("-", "−")

    return f"neighbours {of(chart.before)}\non the map {of(chart.after)}"


def _legend(figure: Figure, maps: Sequence[Map], class_names: Sequence[str] | None) -> None:
    labels = np.unique(np.concatenate([chart.label for chart in maps]))
    names = {n: str(class_names[n]) if class_names is not None else str(n) for n in labels[labels >= 0].tolist()}
    if (labels < 0).any():
        names[results.NO_CLASS] = "none"
    axes = figure.axes[0]
    marks = [
        axes.plot([], [], "o", color=[*style.CLASSES, style.NO_CLASS][_colour_number(np.array(n))], label=name)[0]
        for n, name in names.items()
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=6, handletextpad=0.1, columnspacing=1.0)
