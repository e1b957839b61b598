"""Thresholds, rates and weights of the whole population."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbarium.analysis import receptive_fields
from hebbarium.analysis.figures import style
from hebbarium.record import results


@style.styled
def distributions(tree: xr.DataTree, population: str = results.EXCITATORY) -> Figure:
    """Histograms of θ, of firing rates and of weights, as far as the file holds them.

    θ and weights are those of the last snapshot; rates are averages over all presentations of a phase.

    Parameters
    ----------
    tree
        With any of ``state/<population>/theta``, ``activity/<population>``, weights from the input.
    """
    panels: list[Callable[[Axes], None]] = []
    state = f"{results.STATE}/{population}"
    if f"/{state}" in tree.groups and "theta" in tree[state].to_dataset():
        theta = tree[state].to_dataset()["theta"].isel(samples_seen=-1)
        panels.append(lambda axes: _theta(axes, theta))
    phases = {
        phase: tree[f"{group}/{population}"].to_dataset()
        for phase, group in (("training", results.ACTIVITY), ("test", results.TEST))
        if f"/{group}/{population}" in tree.groups
    }
    if phases:
        panels.append(lambda axes: _rates(axes, phases))
    if f"/{results.WEIGHTS}/{receptive_fields.from_input(tree)}" in tree.groups:
        w = receptive_fields.snapshots(tree).isel(samples_seen=-1)
        panels.append(lambda axes: _weights(axes, w))
    if not panels:
        raise KeyError(f"The run has neither θ, nor responses of {population}, nor weights.")
    figure = style.new_figure(60.0 * len(panels), 55)
    for axes, draw in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes)
    return figure


def _theta(axes: Axes, theta: xr.DataArray) -> None:
    axes.hist(theta.values, bins=30, color=style.BLUE)
    axes.set(
        xlabel=style.with_unit(r"Adaptive threshold $\theta$", theta.attrs["units"]),
        ylabel="Number of neurons",
    )


def _rates(axes: Axes, phases: dict[str, xr.Dataset]) -> None:
    in_hertz = all("presentation_ms" in responses.attrs for responses in phases.values())
    values = {}
    for phase, responses in phases.items():
        mean = responses["spike_count"].values.mean(axis=0)
        values[phase] = mean / (responses.attrs["presentation_ms"] / 1000) if in_hertz else mean
    bins = np.linspace(0, max(float(rates.max()) for rates in values.values()) or 1.0, 31).tolist()
    if "training" in values:
        axes.hist(values["training"], bins=bins, label="training", color=style.BLUE)
    if "test" in values:
        axes.hist(values["test"], bins=bins, label="test", color=style.VERMILION, histtype="step")
    axes.set(
        xlabel="Firing rate (Hz)" if in_hertz else "Spike count (spikes an image)", ylabel="Number of neurons"
    )
    axes.legend()


def _weights(axes: Axes, w: xr.DataArray) -> None:
    axes.hist(w.values.ravel(), bins=50, color=style.BLUE, log=True)
    axes.set(xlabel=style.with_unit("Synaptic weight", w.attrs["units"]), ylabel="Number of synapses")
