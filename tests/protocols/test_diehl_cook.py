"""The published numbers and the table of switches as data, and what is measured of a run."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hebbarium.models.diehl_cook import DiehlCook
from hebbarium.protocols.diehl_cook import PAPER, PORT, PROTOCOL, SWITCHES, measure
from hebbarium.studies import reproduction
from hebbarium.training.parameters import apply, table
from hebbarium.training.run_settings import RunSettings


def test_the_published_numbers() -> None:
    printed = {cell.neurons: cell.accuracy for cell in PAPER.cells if cell.accuracy is not None}
    assert printed == {"100": 82.9, "400": 87.0, "1600": 91.9, "6400": 95.0}
    assert (PROTOCOL.images, PROTOCOL.epochs, PROTOCOL.test_images) == (None, 3, None)
    assert reproduction.paper_of("diehl_cook") is PAPER
    cell = reproduction.cell_of(DiehlCook(), RunSettings(), "mnist")
    assert cell is not None
    assert cell.accuracy == 87.0


def test_each_switch_is_one_setting_at_most_and_has_no_number() -> None:
    cells = [cell for cell in PAPER.cells if cell.table == "switches"]
    assert len(cells) == 2 * len(SWITCHES)
    assert [cell.neurons for cell in cells if set(cell.changes) == {"neurons"}] == ["100", "400"]  # to compare with
    for cell in cells:
        usual = table(apply(DiehlCook, {"neurons": cell.neurons}))
        other = table(apply(DiehlCook, cell.changes))
        differing = {symbol for symbol in usual if other[symbol] != usual[symbol]}
        assert differing == set(cell.changes) - {"neurons"}
        assert cell.neurons in {"100", "400"}
        assert len(differing) <= 1 or differing == set(PORT)
        assert cell.accuracy is None


def test_every_choice_is_in_the_table() -> None:
    # encoders are no departures from the code
    own = {symbol: row for symbol, row in DiehlCook.parameters().items() if symbol != "encoder"}
    for symbol, row in own.items():
        for value in row.among:
            assert value == row.default or {symbol: value} in SWITCHES


def test_labels_from_test_images_are_measured() -> None:
    """Two neurons that answer to one class each; labels from training do not enter."""
    counts = np.array([[3, 0], [0, 2], [4, 1], [0, 5]], np.uint16)
    dims = ("sample", "neuron")
    tree = xr.DataTree.from_dict({
        "test/excitatory": xr.Dataset({"spike_count": (dims, counts), "label": ("sample", [7, 2, 7, 7])}),
        "activity/excitatory": xr.Dataset(
            {"spike_count": (dims, counts), "presentations": ("sample", [1, 1, 2, 1])}
        ),
        "state/excitatory": xr.Dataset({"theta": (("samples_seen", "neuron"), [[1.0, 2.0], [3.0, 4.0]])}),
    })
    tree.attrs["wall_time_s"] = 2.0
    measured = measure(tree, PROTOCOL)
    # neuron 0 is labelled 7 (7/3 against 0), neuron 1 is labelled 2 (2 against 6/3: the lower class among equals)
    assert measured["labels_from_test"] == (75.0, "%")
    assert measured["training_time"] == (0.5, "s")
    assert measured["spikes_per_image"] == (3.75, "")
    assert measured["presentations_per_image"] == (1.25, "")
    assert measured["theta"] == (3.5, "mV")
