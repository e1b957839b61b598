"""The benchmark of Gerlinghoff et al.'s Fig. 9: what is made of measurements."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import figure, hidden_size
from benchmarks.hidden_size import ALL, BACKWARD, COMES, FORWARD, UPDATE
from benchmarks.worker import Measurement


def measured(size: int) -> Measurement:
    """Ten samples whose forward pass grows with the square of the size, all else linearly."""
    profile = {
        "input_spike_thresholder": 4e-9 * size**2, "to_hidden_1_transmit": 6e-9 * size**2,
        "hidden_1_settle_resetter": 1e-6 * size, "to_hidden_1_update": 1e-5 * size,
    }  # fmt: skip
    return Measurement(10, 1.0, 1.0, spikes=0, run=2 * sum(profile.values()), profile=profile)


@pytest.mark.parametrize(
    ("operation", "process"),
    [
        ("input_run_regularly", FORWARD), ("hidden_2_spike_resetter", FORWARD), ("to_output_transmit", FORWARD),
        ("output_begin_thresholder", FORWARD), ("output_spikes", FORWARD),
        ("hidden_1_settle_resetter", BACKWARD), ("output_desires_thresholder", BACKWARD),
        ("to_output_backward", BACKWARD), ("hidden_2_asks_thresholder", BACKWARD),
        ("tally_output_begin_resetter", BACKWARD), ("count_hidden_1_pre", BACKWARD),
        ("to_hidden_1_update", UPDATE), ("input_eligible_resetter", UPDATE),
    ],
)  # fmt: skip
def test_operations_belong_to_a_process(operation: str, process: str) -> None:
    assert hidden_size.process_of(operation) == process


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="hidden_1_dreams"):
        hidden_size.process_of("hidden_1_dreams")


def test_rows_and_figure(tmp_path: Path) -> None:
    sizes = {1000: 5_000_000, 3000: 15_000_000, 10_000: 50_000_000}
    found = hidden_size.growth({size: [measured(size)] * 3 for size in sizes}, sizes)
    written = hidden_size.rows_of(found, ALL)
    values = {row.name.removeprefix("desire_backprop, 784-"): row.value for row in written}
    assert values["1000-10, float32, all that fire have desires: forward pass of an image"] == pytest.approx(1.0)  # ms
    assert values["1000-10, float32, all that fire have desires: peak memory of the program"] == pytest.approx(5)
    assert values["H-10, float32, all that fire have desires: exponent of forward pass, H=1000 to 10000"] == pytest.approx(2)
    assert values["H-10, float32, all that fire have desires: exponent of weight update, H=3000 to 10000"] == pytest.approx(1)
    assert values["H-10, float32, all that fire have desires: exponent of peak memory, H=1000 to 10000"] == pytest.approx(1)
    longer = "H-10, float32, all that fire have desires: forward pass takes times as long as"
    assert values[f"{longer} backward pass, H=10000"] == pytest.approx(100)
    assert values[f"{longer} weight update, median of sizes"] == pytest.approx(3)
    path = tmp_path / "figures" / "hidden_size.svg"
    figure.draw_hidden_size(path, {ALL: found, COMES: found})
    assert path.read_text().rstrip().endswith("</svg>")
    assert list(path.parent.iterdir()) == [path]
