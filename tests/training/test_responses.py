"""What a program records of a network in which nothing learns."""

from __future__ import annotations

from hebbarium.models.readouts import Readout, Value
from hebbarium.models.timing_backprop import TimingBackprop
from hebbarium.training import responses


class TwoRead(TimingBackprop):
    """Reads a hidden layer as well, whose spikes its rasters leave out."""

    name = "two_read"
    readouts = (*TimingBackprop.readouts, Readout("hidden", Value("hidden_1", symbol="v"), "largest"))

    @property
    def rastered(self) -> tuple[str, ...]:
        return ("output",)


def test_what_is_read_is_recorded_even_where_rasters_leave_it_out() -> None:
    structure = responses.frozen_structure(TwoRead(layers=(10,)), "test", "float64", "numpy")
    assert set(structure.populations) == {"output", "hidden_1"}
    assert {"output.v", "hidden_1.v"} <= {measure.key for measure in structure.measures}
