"""Maps and the numbers beside them."""

from __future__ import annotations

import importlib
import itertools
import math
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import xarray as xr

from hebbarium.analysis import figures, maps
from hebbarium.analysis.figures import style
from hebbarium.files.libraries import LibraryMissing
from hebbarium.record import results
from tests.analysis import synthetic

CLASSES, EACH = 3, 30


def blobs(spread: float, dimensions: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Thirty points a class around three centres ten apart."""
    generator = np.random.default_rng(seed)
    label = np.repeat(np.arange(CLASSES), EACH)
    return 10 * np.eye(dimensions)[label] + spread * generator.standard_normal((len(label), dimensions)), label


@pytest.fixture(scope="module")
def separated() -> maps.Map:
    return maps.make_map(*blobs(1.0), iterations=250)


@pytest.fixture(scope="module")
def layered() -> xr.DataTree:
    """A run whose classes fall apart the better, the later the layer; the first two images are silent."""
    generator = np.random.default_rng(4)
    label = np.repeat(np.arange(CLASSES), EACH)
    hidden = generator.poisson(1 + 3.0 * np.eye(CLASSES, 12)[label])
    classes = generator.poisson(0.2 + 12.0 * np.eye(CLASSES, 10)[label])
    hidden[:2] = classes[:2] = 0

    def tested(counts: np.ndarray) -> xr.Dataset:
        return results.responses(counts, label=label, image=np.arange(len(label)))

    neuron_label = np.arange(12) % CLASSES
    neuron_label[-1] = results.NO_CLASS
    outgoing = np.eye(10)[np.maximum(neuron_label, 0)] + 0.1 * generator.random((12, 10))
    return synthetic.small_tree(
        activity={},
        test={"excitatory": tested(hidden), "classes": tested(classes)},
        weights={
            "input_to_excitatory": results.weight_snapshots(generator.random((1, 16, 12)), samples_seen=[6]),
            "excitatory_to_classes": results.weight_snapshots(
                np.stack([np.zeros_like(outgoing), outgoing]), samples_seen=[0, 6]
            ),
        },
        evaluation=results.evaluation(neuron_label=neuron_label),
    )


def images_of(tree: xr.DataTree) -> np.ndarray:
    label = tree["test/excitatory"].to_dataset()["label"].values
    return np.random.default_rng(1).standard_normal((len(label), 16)) + np.eye(16)[label]


# -- separation ----------------------------------------------------------------------------------------------


def test_neighbours_vote_without_the_point_itself() -> None:
    line = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [1.2]])
    label = [0, 0, 0, 1, 1, 1]
    # nearest of each: 1, 5, 5, 4, 3, 1
    found = maps.separation(line, label, neighbours=1)
    assert found.neighbours == pytest.approx(100 * 3 / 6)
    assert found.points == 6


def test_copies_are_neighbours_but_not_of_themselves() -> None:
    label = [0, 1, 0, 1]
    assert maps.separation(np.zeros((4, 2)), label, neighbours=1).neighbours <= 50
    pairs = np.array([[0.0], [0.0], [9.0], [9.0]])
    assert maps.separation(pairs, [0, 0, 1, 1], neighbours=1).neighbours == 100
    assert maps.separation(pairs, [0, 1, 0, 1], neighbours=1).neighbours == 0


def test_the_lowest_class_wins_among_equals() -> None:
    triangle = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # each point's two neighbours are of different classes
    found = maps.separation(triangle, [0, 1, 2], neighbours=2)
    assert found.neighbours == 0  # answers 1, 0, 0
    assert math.isnan(found.silhouette)  # nobody has company


def test_silhouette_by_its_definition() -> None:
    values, label = blobs(3.0)
    distance = np.linalg.norm(values[:, None] - values[None], axis=2)
    expected = []
    for i, own in enumerate(label):
        within = distance[i, label == own].sum() / (EACH - 1)
        next_one = min(distance[i, label == other].mean() for other in set(label) - {own})
        expected.append((next_one - within) / max(next_one, within))
    assert maps.separation(values, label).silhouette == pytest.approx(np.mean(expected))


def test_more_spread_separates_less() -> None:
    found = [maps.separation(*blobs(spread)) for spread in (0.5, 4.0, 20.0)]
    assert found[0].neighbours == 100
    for better, worse in itertools.pairwise(found):
        assert better.neighbours > worse.neighbours
        assert better.silhouette > worse.silhouette


def test_points_without_a_class_do_not_count() -> None:
    values, label = blobs(1.0)
    label[:5] = results.NO_CLASS
    found = maps.separation(values, label)
    assert found == maps.separation(values[5:], label[5:])
    assert found.points == 85
    assert math.isnan(maps.separation(values, np.zeros(len(values))).silhouette)
    with pytest.raises(ValueError, match="1 points have a class; expected two"):
        maps.separation(values[:6], label[:6])
    with pytest.raises(ValueError, match=r"shape \(90, 5\) and label \(3,\)"):
        maps.separation(values, [0, 1, 2])
    with pytest.raises(ValueError, match="neighbours 0"):
        maps.separation(values, label, neighbours=0)


# -- maps ----------------------------------------------------------------------------------------------------


def test_separated_classes_stay_so_on_the_map(separated: maps.Map) -> None:
    assert separated.place.shape == (90, 2)
    assert separated.before.neighbours == separated.after.neighbours == 100
    assert separated.after.silhouette > 0.5
    assert (separated.distinct, separated.silent) == (90, 0)


def test_a_map_depends_on_its_arguments_alone(separated: maps.Map) -> None:
    again = maps.make_map(*blobs(1.0), iterations=250)
    assert np.array_equal(again.place, separated.place)
    shuffled = np.random.default_rng(3).permutation(90)
    values, label = blobs(1.0)
    other = maps.make_map(values[shuffled], label[shuffled], iterations=250)
    assert np.array_equal(other.place, separated.place[shuffled])


def test_equal_points_stand_at_one_place() -> None:
    values, label = blobs(1.0)
    values[40] = values[10]
    values[[7, 8]] = 0
    found = maps.make_map(values, label, iterations=20)
    assert (found.distinct, found.silent) == (88, 2)
    assert np.array_equal(found.place[40], found.place[10])
    assert np.array_equal(found.place[7], found.place[8])
    assert len(np.unique(found.place, axis=0)) == 88


def test_too_few_points_are_refused() -> None:
    values, label = blobs(1.0)
    with pytest.raises(ValueError, match="10 different points at least; 9 of 9"):
        maps.make_map(values[:9], label[:9])
    with pytest.raises(ValueError, match="10 different points at least; 1 of 90"):
        maps.make_map(np.ones((90, 2)), label)
    with pytest.raises(ValueError, match="perplexity 40: expected 1 to 30 with 90 different"):
        maps.make_map(values, label, perplexity=40)
    values[3, 2] = np.nan
    with pytest.raises(ValueError, match="1 features are not finite"):
        maps.make_map(values, label)
    values = blobs(1.0)[0]
    with pytest.raises(ValueError, match="two features at least; points have 1"):
        maps.make_map(values[:, :1], label)
    line = np.arange(10.0)[:, None] * [1, 2]
    assert maps.make_map(line, np.arange(10) % 2, iterations=5).place.shape == (10, 2)


def test_new_points_are_added_to_an_old_map(separated: maps.Map) -> None:
    before = separated.place.copy()
    values, label = blobs(1.0)
    size = np.ptp(separated.place, axis=0).max()
    returned = maps.added(separated, values)
    assert np.median(np.linalg.norm(returned - separated.place, axis=1)) < 0.05 * size
    fresh, fresh_label = blobs(1.0, seed=9)
    placed = maps.added(separated, fresh)
    nearest = np.linalg.norm(placed[:, None] - separated.place[None], axis=2).argmin(axis=1)
    assert np.mean(label[nearest] == fresh_label) == 1
    assert np.allclose(maps.added(separated, fresh[:3]), placed[:3])
    assert np.array_equal(separated.place, before)
    assert np.allclose(maps.added(separated, values), returned)
    assert maps.added(separated, np.zeros((0, 5))).shape == (0, 2)
    with pytest.raises(ValueError, match=r"shape \(3, 4\); expected \(point, 5\)"):
        maps.added(separated, fresh[:3, :4])


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(LibraryMissing, match=re.escape("'openTSNE'): pip install \"hebbarium[maps]\"")):
        maps.make_map(*blobs(1.0))


def test_only_making_a_map_needs_the_packages() -> None:
    code = (
        "import sys; sys.modules.update(openTSNE=None, sklearn=None);"
        "import hebbarium.analysis.maps, hebbarium.analysis.figures, hebbarium.studies.maps"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# -- of a run ------------------------------------------------------------------------------------------------


def test_separability_rises_through_the_layers(layered: xr.DataTree) -> None:
    made = maps.activity_maps(layered, images_of(layered))
    assert list(made) == ["input", "excitatory", "classes"]
    numbers = [one.before.silhouette for one in made.values()]
    assert numbers == sorted(numbers)
    assert [one.silent for one in made.values()] == [0, 2, 2]
    assert made["classes"].before.neighbours > made["input"].before.neighbours
    panel = figures.activity_panel(made, ["zero", "one", "two"])
    assert len(panel.axes) == 3
    for axes, (name, one) in zip(panel.axes, made.items(), strict=True):
        assert f"neighbours {one.before.neighbours:.1f} %" in axes.get_title(), name
        assert f"on the map {one.after.neighbours:.1f} %" in axes.get_title(), name
        (points,) = axes.collections
        assert points.get_rasterized()
        drawn = {tuple(place): tuple(colour) for place, colour in zip(
            np.asarray(points.get_offsets()).round(6), np.asarray(points.get_facecolor()), strict=True
        )}  # fmt: skip
        assert len(set(drawn.values())) == CLASSES
        for place, label in zip(one.place[2:].round(6), one.label[2:], strict=True):
            assert drawn[tuple(place)] == pytest.approx(_rgba(style.CLASSES[label]))
    assert [text.get_text() for text in panel.legends[0].get_texts()] == ["zero", "one", "two"]
    assert "2 silent" in panel.axes[2].get_xlabel()
    with pytest.raises(ValueError, match="3 images for 90 responses"):
        maps.activity_maps(layered, np.zeros((3, 16)))


def test_a_run_without_class_neurons_has_fewer_maps() -> None:
    generator = np.random.default_rng(2)
    label = np.arange(40) % 4
    counts = generator.poisson(2.0, (40, 12))
    bare = synthetic.small_tree(
        activity={},
        test={"excitatory": results.responses(counts, label=label, image=np.arange(40))},
        weights={"input_to_excitatory": results.weight_snapshots(generator.random((1, 9, 12)), samples_seen=[6])},
        evaluation=results.evaluation(neuron_label=np.arange(12) % 4),
    )
    assert list(maps.activity_maps(bare)) == ["excitatory"]
    assert maps.weight_map(bare).place.shape == (12, 2)
    with pytest.raises(KeyError, match="no weights of hidden neurons in excitatory_to_classes; it has input_to"):
        maps.weight_map(bare, "excitatory_to_classes")
    with pytest.raises(ValueError, match="excitatory: A map needs 10 different points"):
        maps.activity_maps(synthetic.small_tree())
    with pytest.raises(KeyError, match="excitatory_to_classes; it has none"):
        maps.weight_map(synthetic.small_tree())


def test_each_layer_of_a_stack_has_a_map() -> None:
    generator = np.random.default_rng(3)
    label = np.arange(40) % 4
    counts = {name: generator.poisson(2.0, (40, 6)) for name in ("output", "hidden_1", "hidden_2")}
    test = {name: results.responses(of, label=label, image=np.arange(40)) for name, of in counts.items()}
    made = maps.activity_maps(synthetic.small_tree(activity={}, test=test))
    assert list(made) == ["hidden_1", "hidden_2", "output"]
    titles = [axes.get_title().partition("\n")[0] for axes in figures.activity_panel(made).axes]
    assert titles == ["Hidden 1", "Hidden 2", "Output"]
    test["output"] = results.responses(np.zeros((40, 6), int), label=label, image=np.arange(40))
    assert list(maps.activity_maps(synthetic.small_tree(activity={}, test=test))) == ["hidden_1", "hidden_2"]
    with pytest.raises(KeyError, match="no test/excitatory"):
        maps.activity_maps(synthetic.small_tree(activity={}, test={}))


def test_weights_are_mapped_by_hidden_neuron(layered: xr.DataTree) -> None:
    outgoing = maps.weight_map(layered)
    assert outgoing.place.shape == (12, 2)
    assert outgoing.distinct == 12  # the last snapshot: the first is all zeros
    assert outgoing.before.points == 11
    assert outgoing.before.silhouette > 0.8
    incoming = maps.weight_map(layered, "input_to_excitatory")
    assert incoming.before.silhouette < outgoing.before.silhouette
    figure = figures.weight_map(outgoing)
    assert "Outgoing weights" in figure.axes[0].get_title()
    assert figure.axes[0].get_xlabel() == "12 neurons, 1 of them without a class"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0", "1", "2", "none"]


def _rgba(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgba

    return to_rgba(colour)
