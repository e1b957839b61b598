"""What readouts read and how answers come of it, and which presentation holds which samples."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from brian2 import ms, mV

from hebbarium.analysis.readouts import READOUTS, decoded
from hebbarium.catalogue import registry
from hebbarium.models.readouts import (
    FirstSpike,
    Readout,
    SpikeCount,
    Value,
    at_times,
    by_labels,
    class_layer,
    first_to_spike,
)
from hebbarium.models.slots import OCCUPIED, Slots
from hebbarium.record import results

#: two presentations of five steps, two neurons: steps 0 and 3, then 7 alone
SPIKES = SimpleNamespace(step=np.array([0, 3, 3, 7]), neuron=np.array([1, 0, 1, 1]))


def test_first_spikes_and_counts_of_the_same_spikes() -> None:
    np.testing.assert_array_equal(
        FirstSpike("a").of_spikes(SPIKES, 2, 5, 2, 1e-3), [[3e-3, 0.0], [np.nan, 2e-3]]
    )
    np.testing.assert_array_equal(SpikeCount("a").of_spikes(SPIKES, 2, 5, 2, 1e-3), [[1, 2], [0, 1]])
    np.testing.assert_array_equal(SpikeCount("a", 2 * ms).of_spikes(SPIKES, 2, 5, 2, 1e-3), [[0, 1], [0, 0]])
    np.testing.assert_array_equal(
        FirstSpike("a", 3 * ms).of_spikes(SPIKES, 2, 5, 2, 1e-3), [[np.nan, 0.0], [np.nan, 2e-3]]
    )
    for until in (0 * ms, 6 * ms):
        with pytest.raises(ValueError, match="expected a time within a presentation, of 5 ms"):
            SpikeCount("a", until).of_spikes(SPIKES, 2, 5, 2, 1e-3)


def test_several_times_are_several_readouts() -> None:
    early, late = at_times(class_layer("output"), (10 * ms, 20 * ms))
    assert (early.name, late.name) == ("class_layer_at_10_ms", "class_layer_at_20_ms")
    assert early.reads == ("spike_count_at_10_ms",)
    assert early.measure != late.measure
    broken = Readout("most", SpikeCount("output"), "largest", ties=Value("output", symbol="v"))
    (at_once,) = at_times(broken, (10 * ms,))
    assert at_once.reads == ("spike_count_at_10_ms", "v_at_10_ms")  # ties are broken at the same time
    assert SpikeCount("output").key == "output"
    assert Value("output", symbol="v", of_unit=mV).key == "output.v"


def test_the_highest_potential_breaks_ties_and_answers_for_silent_neurons() -> None:
    readout = first_to_spike("output", ties=Value("output", symbol="v", of_unit=mV))
    times = np.array([[2e-3, 1e-3], [1e-3, 1e-3], [np.nan, np.nan]])
    v = np.array([[9.0, 0.0], [1.0, 2.0], [5.0, 4.0]])
    assert decoded(readout, {"first_spike_time": times, "v": v}).tolist() == [1, 1, 0]
    plain = first_to_spike("output", strict=True)
    assert decoded(plain, {"first_spike_time": times}).tolist() == [1, -1, -1]


def test_a_lenient_readout_takes_a_tie_for_right() -> None:
    readout = Readout("first", FirstSpike("output"), "earliest", lenient=True, ties=Value("output", symbol="v"))
    times = np.array([[1e-3, 1e-3, 2e-3], [1e-3, 1e-3, 2e-3], [1e-3, 1e-3, 2e-3], [np.nan] * 3])
    v = np.array([[1.0, 2.0, 9.0]] * 3 + [[5.0, 4.0, 3.0]])
    read = {"first_spike_time": times, "v": v}
    assert decoded(readout, read, truth=[0, 1, 2, 2]).tolist() == [0, 1, 1, 0]
    assert decoded(readout, read).tolist() == [1, 1, 1, 0]  # who does not know the class goes by potentials
    plain = first_to_spike("output", strict=True)
    assert decoded(plain, {"first_spike_time": times}, truth=[0, 1, 2, 2]).tolist() == [-1] * 4
    counts = Readout("most", SpikeCount("output"), "largest", lenient=True)
    assert decoded(counts, {"spike_count": [[2, 0, 2], [0, 0, 0]]}, truth=[2, 2]).tolist() == [2, -1]


def test_readouts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="is lenient; expected neither strict"):
        Readout("odd", FirstSpike("a"), "earliest", strict=True, lenient=True)
    with pytest.raises(ValueError, match="labelled by spike counts"):
        Readout("odd", FirstSpike("a"), "labelled_largest")
    with pytest.raises(ValueError, match="ties cannot be broken by b"):
        first_to_spike("a", ties=Value("b"))
    with pytest.raises(ValueError, match="needs classes of the neurons of a"):
        decoded(by_labels("a")[0], {"spike_count": np.ones((1, 2), int)})


def test_names_are_those_of_the_result_file() -> None:
    assert {readout.name for readout in by_labels("a")} == set(READOUTS)
    assert class_layer("a").name == results.CLASS_LAYER
    for kind in (kind for kind in registry.models().values() if kind().schedules):
        assert kind().readouts[0].population == kind().readout


def test_slots_hold_batches_with_idle_presentations_between() -> None:
    slots = Slots(batch=3, idle=1)
    assert slots.presentations(7) == 6
    assert slots.holding(7).tolist() == [[0, 1, 2], [-1] * 3, [3, 4, 5], [-1] * 3, [6, -1, -1], [-1] * 3]
    inputs = slots.arranged({"rates": np.arange(1.0, 15).reshape(7, 2), "label": np.arange(7)}, 7)
    assert inputs["rates"][0].tolist() == [1, 2, 3, 4, 5, 6]
    assert inputs["rates"][4].tolist() == [13, 14, 0, 0, 0, 0]
    assert not inputs["rates"][1::2].any()
    assert inputs["label"].shape == (6, 3)
    assert inputs[OCCUPIED].sum(axis=1).tolist() == [3, 0, 3, 0, 1, 0]


@pytest.mark.parametrize("slots", [Slots(), Slots(4), Slots(3, idle=2), Slots(1, lag=2), Slots(2, idle=1, lag=1),
                                   Slots(3, idle=1, in_turn=True), Slots(2, idle=2, lag=1, in_turn=True)])  # fmt: skip
def test_what_a_sample_evokes_is_found_again(slots: Slots) -> None:
    held = slots.holding(7)
    read = np.zeros((len(held), slots.beside, 2))
    for sample in range(7):
        presentation, place = np.argwhere(held == sample)[0]
        read[presentation + slots.lag, place] = [sample + 1, -sample]
    answered = slots.answered(read.reshape(len(held), -1), 7)
    assert answered.tolist() == [[sample + 1, -sample] for sample in range(7)]


def test_slots_in_turn_hold_one_sample_each() -> None:
    slots = Slots(batch=3, idle=1, in_turn=True)
    assert slots.presentations(7) == 10
    assert slots.holding(7)[:, 0].tolist() == [0, 1, 2, -1, 3, 4, 5, -1, 6, -1]
    inputs = slots.arranged({"rates": np.arange(1.0, 15).reshape(7, 2), "label": np.arange(7)}, 7)
    assert inputs["rates"].shape == (10, 2)
    assert inputs["rates"][4].tolist() == [7, 8]
    assert not inputs["rates"][[3, 7, 9]].any()
    assert inputs["label"].tolist() == [0, 1, 2, 0, 3, 4, 5, 0, 6, 0]
    assert inputs[OCCUPIED].tolist() == [1, 1, 1, 0, 1, 1, 1, 0, 1, 0]
    assert slots.answered(np.arange(20).reshape(10, 2), 7)[:, 0].tolist() == [0, 2, 4, 8, 10, 12, 16]


@pytest.mark.parametrize(("samples", "presentations"), [(0, 0), (1, 2), (2, 3), (3, 4), (4, 6), (6, 8)])
def test_a_batch_in_turn_that_is_not_full_is_over_earlier(samples: int, presentations: int) -> None:
    slots = Slots(batch=3, idle=1, in_turn=True)
    assert slots.presentations(samples) == presentations
    held = slots.holding(samples)
    assert (held >= 0).sum() == samples
    assert samples == 0 or held[-1] == -1
    assert slots.beside == 1
    assert not slots.plain
    assert slots.meaning == "one sample a presentation, 1 presentation without a sample after 3 samples"


def test_a_plain_slot_changes_nothing() -> None:
    inputs = {"rates": np.ones((5, 2))}
    assert Slots().arranged(inputs, 5) is inputs
    with pytest.raises(ValueError, match="a batch of 1 or more"):
        Slots(batch=0)
