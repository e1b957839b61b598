"""The learning rule as measured (Touda & Okuno, Fig. 3; Hao et al., Fig. 1)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis.figures import style
from hebbarium.record import results


def pair_rule(delta_t: ArrayLike, a_plus: float, a_minus: float, tau_p: float) -> NDArray[np.float64]:
    """Change of weight for one pair of spikes: Eq. 5 of Touda & Okuno, with exponents that fall as ``|Δt|`` grows
    (as in Fig. 3), and Eq. 6 of Hao et al., whose other order strengthens: `a_minus` is negative.

    At a difference of 0, about which the rule says nothing, it is NaN.

    Parameters
    ----------
    delta_t
        Postsynaptic less presynaptic spike time, in the unit of `tau_p`.

    Examples
    --------
    >>> pair_rule([-20.0, 0.0, 20.0], a_plus=1.0, a_minus=0.5, tau_p=20.0).round(4)
    array([-0.1839,     nan,  0.3679])
    """
    difference = np.asarray(delta_t, dtype=float)
    decay = np.exp(-np.abs(difference) / tau_p)
    change = np.where(difference > 0, a_plus * decay, -a_minus * decay)
    return np.where(difference == 0, np.nan, change)


@style.styled
def stdp_window(tree: xr.DataTree) -> Figure:
    """Change of weight measured on the running synapse, under the curve that the rule states.

    Parameters
    ----------
    tree
        With the group ``stdp_window``.
    """
    window = tree[results.STDP_WINDOW].to_dataset()
    measured = window["delta_w"]
    times = measured["delta_t"].values
    constants = [float(window.attrs[name]) for name in ("a_plus", "a_minus", "tau_p_ms")]
    figure = style.new_figure(style.COLUMN_MM, 62)
    axes = figure.add_subplot()
    reach = float(np.abs(times).max(initial=constants[2]))
    fine = np.linspace(-reach, reach, 1001)
    axes.axhline(0, color=style.GREY, linewidth=0.6)
    axes.axvline(0, color=style.GREY, linewidth=0.6)
    # Over the points, since these lie dense enough to hide it.
    axes.plot(fine, pair_rule(fine, *constants), color=style.BLACK, linewidth=0.8, label="the rule", zorder=4)
    axes.plot(
        times,
        measured.values,
        linestyle="",
        marker="o",
        markersize=3.5,
        markeredgewidth=0,
        color=style.ORANGE,
        label="measured",
    )
    axes.set(
        xlabel=r"Spike time difference $\Delta t_f = t_{post} - t_{pre}$ (ms)",
        ylabel=style.with_unit(r"Weight change $\Delta w$", measured.attrs["units"]),
    )
    axes.legend(loc="best")
    return figure
