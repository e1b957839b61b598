"""How figures look: sizes, type, and colours that survive colour-blindness and a grey printer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

MM = 1 / 25.4
COLUMN_MM, PAGE_MM = 88.0, 180.0
"""Widths of a journal's column and page, in millimetres."""

# Okabe & Ito's set, in which no two are confused by any of the common forms of colour-blindness.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#767676"

# Petroff's (2021, arXiv:2107.02270) ten, set apart as far as they can be under the common forms of colour-blindness.
CLASSES = (
    "#3F90DA", "#FFA90E", "#BD1F01", "#94A4A2", "#832DB6",
    "#A96B59", "#E76300", "#B9AC70", "#717581", "#92DADD",
)  # fmt: skip
NO_CLASS = "#D0D0D0"

LINES = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"))
"""Colours and marks of lines that stand beside one another."""

MANY_LINES = (*LINES, (ORANGE, "v"), (SKY, "P"), (BLACK, "X"), ("#A96B59", "<"), ("#832DB6", ">"), ("#717581", "h"))
"""The same where there are more."""

WEIGHTS = "viridis"
COUNTS = "Greys"

_SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "image.interpolation": "nearest",
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "svg.hashsalt": "figures",
}


def styled[**P](draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw with this style and leave the caller's settings as they were."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(_SETTINGS)
            return draw(*args, **kwargs)

    return drawn


def saving() -> AbstractContextManager[None]:
    """Context in which a figure is saved with this style's resolution and type."""
    return mpl.rc_context(_SETTINGS)


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty figure that pyplot does not know of."""
    figure = Figure(figsize=(width_mm * MM, height_mm * MM), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def as_picture(axes: Axes) -> None:
    """Take ticks and frame off an image whose pixels need no scale."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def over_seeds(seeds: Iterable[int]) -> str:
    """What points are that were measured with so many seeds each.

    >>> over_seeds([1, 1]), over_seeds([3]), over_seeds([5, 1, 3])
    ('one seed', 'mean ± SE of 3 seeds', 'mean ± SE of 1-5 seeds')
    """
    counts = sorted(set(seeds))
    if counts == [1]:
        return "one seed"
    return f"mean ± SE of {'-'.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} seeds"


def with_unit(name: str, units: str) -> str:
    """An axis label.

    >>> with_unit("Threshold", "mV"), with_unit("Weight", "1")
    ('Threshold (mV)', 'Weight (dimensionless)')
    """
    return f"{name} ({'dimensionless' if units == '1' else units})"
