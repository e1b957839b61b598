"""Labels, readouts and accuracy in cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hebbarium.analysis import accuracy, labels, readouts
from hebbarium.record import results
from tests.analysis import synthetic


def test_label_is_the_class_of_the_highest_average_not_the_highest_sum() -> None:
    # Neuron 0: class 0 once with 3 spikes, class 1 three times with 2 spikes each.
    assert labels.assign([[3], [2], [2], [2]], [0, 1, 1, 1]).tolist() == [0]


def test_silent_neurons_have_no_class_and_ties_go_to_the_lowest() -> None:
    assigned = labels.assign([[0, 2, 1], [0, 2, 1], [0, 0, 2]], [4, 7, 7], n_classes=10)
    # Neuron 2: 1 for class 4, 1.5 for class 7.
    assert assigned.tolist() == [-1, 4, 7]
    assert assigned.dtype == np.int16


def test_equal_averages_of_different_sample_numbers_are_a_tie() -> None:
    # 1/3 for class 2 and 2/6 for class 1: the same average, so class 1.
    counts = np.array([1, 0, 0, 1, 1, 0, 0, 0, 0])[:, None]
    assert labels.assign(counts, [2] * 3 + [1] * 6).tolist() == [1]


def test_samples_without_a_class_are_left_out() -> None:
    assert labels.assign([[9], [1]], [-1, 3]).tolist() == [3]


def test_blocks_give_the_labels_of_the_whole() -> None:
    generator = np.random.default_rng(0)
    counts, truth = generator.integers(0, 4, (50, 7)), generator.integers(0, 5, 50)
    means = labels.ClassMeans(7, 5)
    for start in range(0, 50, 8):
        means.add(counts[start : start + 8], truth[start : start + 8])
    direct = np.array([counts[truth == c].mean(axis=0) for c in range(5)]).T
    np.testing.assert_allclose(means.values(), direct, rtol=1e-14)
    np.testing.assert_array_equal(means.labels(), labels.assign(counts, truth, 5))


def test_sums_do_not_overflow_the_small_integers_of_the_file() -> None:
    counts = np.full((3, 1), 60_000, dtype=np.uint16)
    assert labels.ClassMeans(1, 2).labels().tolist() == [-1]
    means = labels.ClassMeans(1, 2)
    means.add(counts, [0, 0, 0])
    assert means.values()[0, 0] == 60_000


def test_labels_from_each_source() -> None:
    labelling = results.responses([[0, 0, 1]], label=[1])
    tree = synthetic.small_tree(labelling={"excitatory": labelling})
    assert labels.assign_from(tree, "all").tolist() == [0, 1, -1]
    # Samples 3 to 5: classes 1, 0, 1 with counts (0, 3), (0, 3), (1, 0).
    assert labels.assign_from(tree, "second_half").tolist() == [1, 0, -1]
    assert labels.assign_from(tree, "last_pass").tolist() == [0, 1, -1]  # every image was shown once
    assert labels.assign_from(tree, "labelling").tolist() == [-1, -1, 1]
    with pytest.raises(ValueError, match="'half' is not known; expected one of all, second_half, last_pass, labelling"):
        labels.assign_from(tree, "half")
    with pytest.raises(
        KeyError, match="no labelling/excitatory; it has activity/excitatory, test/excitatory"
    ):
        labels.assign_from(synthetic.small_tree(), "labelling")


def test_the_last_pass_is_the_last_response_to_each_image() -> None:
    counts, truth = synthetic.TRAINING_COUNTS, synthetic.TRAINING_LABELS
    passes = results.responses(counts, label=truth, image=[0, 1, 2, 3, 0, 1], block=[0, 0, 0, 0, 1, 1])
    tree = synthetic.small_tree(activity={"excitatory": passes})
    # Samples 2 to 5: classes 0, 1, 0, 1 with counts (2, 0), (0, 3), (0, 3), (1, 0).
    assert labels.assign_from(tree, "last_pass").tolist() == [0, 0, -1]


def test_wrong_shapes_and_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"spike_count has shape \(2, 1\) and label \(3,\)"):
        labels.assign([[1], [2]], [0, 1, 1])
    with pytest.raises(ValueError, match="A label is 10; expected 0 to 9"):
        labels.assign([[1]], [10], n_classes=10)
    with pytest.raises(ValueError, match=r"neuron_label \(3,\)"):
        readouts.most_active([[1, 2]], [0, 1, 2])


def test_most_active_neuron() -> None:
    neuron_label = [3, 7, -1, 0]
    counts = [[1, 5, 0, 4], [0, 0, 9, 8], [2, 2, 2, 2], [0, 0, 0, 0], [0, 4, 0, 4]]
    # The winner; a winner without class; the lowest index among equals; silence; among equals again.
    assert readouts.most_active(counts, neuron_label).tolist() == [7, -1, 3, -1, 7]


def test_class_mean() -> None:
    neuron_label = [1, 1, 2, -1]
    counts = [
        [5, 1, 4, 0],  # class 1: 3, class 2: 4
        [4, 4, 4, 9],  # equal: class 1; the neuron without class has no say
        [0, 0, 0, 9],  # nobody with a class fires
        [0, 0, 0, 0],  # silence
        [0, 1, 0, 0],
    ]
    assert readouts.class_mean(counts, neuron_label).tolist() == [2, 1, -1, -1, 1]
    rates = readouts.class_rates(counts, neuron_label, n_classes=4)
    np.testing.assert_array_equal(rates[0], [np.nan, 3, 4, np.nan])


def test_without_any_label_there_is_no_answer() -> None:
    for readout in readouts.READOUTS.values():
        assert readout([[1, 2]], [-1, -1]).tolist() == [-1]


def test_the_two_readouts_differ_where_they_should() -> None:
    counts, neuron_label = [[6, 0, 4]], [0, 0, 1]
    assert readouts.most_active(counts, neuron_label).tolist() == [0]
    assert readouts.class_mean(counts, neuron_label).tolist() == [1]


@given(
    arrays.arrays(np.uint16, (6, 5), elements=st.integers(0, 9)),
    arrays.arrays(np.int16, 5, elements=st.integers(-1, 3)),
)
def test_with_one_neuron_a_class_both_readouts_agree(counts: np.ndarray, neuron_label: np.ndarray) -> None:
    distinct = np.arange(5, dtype=np.int16)
    np.testing.assert_array_equal(
        readouts.most_active(counts, distinct), readouts.class_mean(counts, distinct)
    )
    for readout in readouts.READOUTS.values():
        assert set(readout(counts, neuron_label)) <= {-1, *neuron_label}


def test_no_answer_is_wrong_even_for_images_without_a_class() -> None:
    assert accuracy.accuracy([1, -1, 2, 0], [1, -1, 3, 0]) == 50.0
    assert np.isnan(accuracy.accuracy([], []))


def test_confusion_counts_every_sample_once() -> None:
    table = accuracy.confusion([0, 1, 1, -1, 0, 2], [0, 0, 1, 1, 0, 2], n_classes=3)
    assert table.tolist() == [[2, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0]]
    with pytest.raises(ValueError, match="predicted holds 0 to 3; expected -1 to 2"):
        accuracy.confusion([0, 3], [0, 1], n_classes=3)
    with pytest.raises(ValueError, match="label holds -1 to 1; expected 0 to 2"):
        accuracy.confusion([0, 1], [-1, 1], n_classes=3)


def test_running_accuracy_uses_earlier_blocks_only() -> None:
    percent, seen = accuracy.running_accuracy(
        synthetic.TRAINING_COUNTS, synthetic.TRAINING_LABELS, [3, 3, 4, 4, 7, 7]
    )
    # Block 4 agrees with block 3; block 7 has the classes swapped.
    np.testing.assert_array_equal(percent, [np.nan, 100.0, 0.0])
    assert seen.tolist() == [2, 4, 6]
    empty = accuracy.running_accuracy(np.zeros((0, 3)), [], [])
    assert [part.size for part in empty] == [0, 0]
    with pytest.raises(ValueError, match="none lower"):
        accuracy.running_accuracy(np.zeros((2, 3)), [0, 1], [1, 0])


def test_evaluation_of_a_tree() -> None:
    evaluation = accuracy.evaluate(synthetic.small_tree(), n_classes=2)
    assert evaluation["neuron_label"].values.tolist() == [0, 1, -1]
    assert evaluation["predicted"].sel(readout="most_active").values.tolist() == [0, 1, -1, 0]
    assert evaluation["predicted"].sel(readout="class_mean").values.tolist() == [0, 1, -1, 0]
    assert evaluation["accuracy"].sel(seed=5, samples_seen=6, readout="most_active").item() == 50.0
    confusion = evaluation["confusion"].sel(readout="most_active")
    assert confusion.values.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert confusion.sel(true_class=1, predicted_class=-1).item() == 1
    np.testing.assert_array_equal(evaluation["running_accuracy"], [np.nan, 100.0, 0.0])
    assert evaluation.attrs["labels_from"] == "all"
    results.validate(synthetic.small_tree(evaluation=evaluation))


def test_evaluation_leaves_out_what_has_no_responses() -> None:
    assert set(accuracy.evaluate(synthetic.small_tree(test={})).data_vars) == {
        "neuron_label",
        "running_accuracy",
    }
    labelling = {"excitatory": results.responses([[1, 0, 1]], label=[1])}
    frozen = synthetic.small_tree(activity={}, labelling=labelling)
    assert set(accuracy.evaluate(frozen, labels_from="labelling").data_vars) == {
        "neuron_label",
        "predicted",
        "accuracy",
        "confusion",
    }
