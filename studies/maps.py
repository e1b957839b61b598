"""Maps of a run's activity and weights, with how well classes are separated on each: figures and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from hebbarium.analysis import figures
from hebbarium.analysis import maps as analysis_maps
from hebbarium.analysis.maps import Map
from hebbarium.datasets import draws, own_spikes
from hebbarium.datasets.draws import Purpose
from hebbarium.files import whole_files
from hebbarium.ledger import networks
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.rows import PER_CENT, Row
from hebbarium.record import results
from hebbarium.studies import identity
from hebbarium.training.run import Run

__all__ = ["ITEM", "as_csv", "draw", "of_activity", "of_weights", "rows_of"]

ITEM = "maps"
"""Of rows of the ledger."""
_TABLE = "maps.csv"


def of_activity(
    run: Path,
    *,
    images: int | None = None,
    data: str | None = None,
    seed: int = 0,
    perplexity: float | None = None,
) -> dict[str, Map]:
    """Maps of the images that a run was tested on, and of each layer's responses.

    Parameters
    ----------
    run : Path
        A complete run.
    images : int, optional
        As many of them, drawn evenly from the classes.

    Returns
    -------
    dict
        See `hebbarium.analysis.maps.activity_maps`.
    """
    opened = Run.open(run, data=data)
    own_spikes.refuse(opened.images, "a map of activity")
    tested = opened.samples("tested")
    with opened.results() as stored:
        tree = stored.load()
    if images is not None:
        chosen = np.sort(draws.even_draw(tested.labels, images, draws.stream(seed, Purpose.TEST_IMAGES)))
        tested = tested[chosen]
        tree = xr.DataTree.from_dict(
            {
                f"{results.TEST}/{name}": node.to_dataset().isel(sample=chosen)
                for name, node in tree[results.TEST].children.items()
            }
        )
    return analysis_maps.activity_maps(tree, tested.pixels, seed=seed, perplexity=perplexity)


def of_weights(run: Path, *, seed: int = 0, perplexity: float | None = None) -> tuple[str, Map]:
    """Which weights of the hidden neurons a run has, outgoing or incoming, and the map of them."""
    with results.open_run(run) as tree:
        outgoing = f"/{results.WEIGHTS}/{results.EXCITATORY_TO_CLASSES}" in tree.groups
        weight_map = analysis_maps.weight_map(tree, seed=seed, perplexity=perplexity)
    return ("outgoing" if outgoing else "incoming"), weight_map


def draw(
    run: Path,
    *,
    images: int | None = None,
    data: str | None = None,
    seed: int = 0,
    perplexity: float | None = None,
    formats: Sequence[str] = ("png",),
    ledgers: Path | None = None,
) -> list[Path]:
    """Draw the maps into a run's ``figures/``, and write the numbers beside them.

    Parameters
    ----------
    ledgers : Path, optional
        Folder of the ledgers, where the numbers are added too.

    Returns
    -------
    list of Path
        The table first.
    """
    layers = of_activity(run, images=images, data=data, seed=seed, perplexity=perplexity)
    direction, weights = of_weights(run, seed=seed, perplexity=perplexity)
    names = Run.open(run).class_names or None
    folder = figures.folder_of(run)
    table = folder / _TABLE
    made = {**layers, f"{direction}_weights": weights}
    whole_files.write(table, as_csv(made))
    if ledgers is not None:
        network = identity.of_run(Run.open(run))
        networks.append(ledgers, ITEM, [(network, rows_of(network, made))])
    drawn = {
        "activity_maps": figures.activity_panel(layers, names),
        "weight_map": figures.weight_map(weights, direction, names),
    }
    return [
        table,
        *(figures.save(figure, folder / f"{name}.{kind}") for name, figure in drawn.items() for kind in formats),
    ]


def as_csv(made: Mapping[str, Map]) -> str:
    """A line a map: how many points, and how well their classes are separated before and on the map.

    Neighbours are in per cent; the silhouette is from -1 to 1.
    """
    rows = [
        [name, *(_text(value, digits) for value, _, digits in _numbers(one).values())] for name, one in made.items()
    ]
    return whole_files.table_text(("map", *_numbers(next(iter(made.values())))), rows)


def rows_of(network: TrainedNetwork, made: Mapping[str, Map]) -> list[Row]:
    """The same numbers for the ledger; the readout is the map."""
    return [
        network.row(
            ITEM, measure=measure, value=float(_text(value, digits)), unit=unit, readout=name,
            tested=None if name.endswith("weights") else len(one.place),
        )
        for name, one in made.items()
        for measure, (value, unit, digits) in _numbers(one).items()
    ]  # fmt: skip


def _numbers(one: Map) -> dict[str, tuple[float, str, int]]:
    """What is told of a map: value, unit, and how many digits after the point."""
    return {
        "points": (len(one.place), "", 0),
        "distinct": (one.distinct, "", 0),
        "silent": (one.silent, "", 0),
        "neighbours": (one.before.neighbours, PER_CENT, 2),
        "silhouette": (one.before.silhouette, "", 4),
        "neighbours_on_map": (one.after.neighbours, PER_CENT, 2),
        "silhouette_on_map": (one.after.silhouette, "", 4),
    }


def _text(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"
