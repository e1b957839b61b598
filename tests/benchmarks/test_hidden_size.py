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
    sizes = {1000: 8_000_000, 3000: 18_000_000, 10_000: 53_000_000, 30_000: 153_000_000}
    found = hidden_size.growth({size: [measured(size)] * 3 for size in sizes}, sizes)
    written = hidden_size.rows_of(found, found)
    assert len({row.name for row in written}) == len(written)
    values = {row.name.replace(f", float32, {ALL}", "").replace(COMES, "comes"): row.value for row in written}
    one, power = "desire_backprop, 784-1000-10", "desire_backprop, 784-H-10: exponent of"
    assert values[f"{one}: forward pass of an image"] == pytest.approx(1.0)  # ms
    assert values[f"{one}: peak memory of the program"] == pytest.approx(8)
    assert values[f"{one}, float32, comes: weight update of an image"] == pytest.approx(1.0)
    assert values[f"{power} forward pass, H=1000 to 30000"] == pytest.approx(2)
    assert values[f"{power} weight update, H=3000 to 30000"] == pytest.approx(1)
    assert values[f"{power} peak memory beyond that of H=1000, H=3000 to 30000"] == pytest.approx(1.16, abs=0.01)
    longer = "desire_backprop, 784-H-10: forward pass takes times as long as"
    assert values[f"{longer} backward pass, H=30000"] == pytest.approx(300)
    assert values[f"{longer} weight update, median of sizes"] == pytest.approx(6.5)
    path = tmp_path / "figures" / "hidden_size.svg"
    figure.draw_hidden_size(path, {ALL: found, COMES: found})
    assert path.read_text().rstrip().endswith("</svg>")
    assert list(path.parent.iterdir()) == [path]
