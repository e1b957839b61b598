"""Figures hold the numbers of the file, named and with units."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from hebbarium.analysis import accuracy, figures, receptive_fields
from hebbarium.analysis.example import example_tree
from hebbarium.analysis.figures import style
from hebbarium.analysis.figures.stdp_window import pair_rule
from hebbarium.ledger import figures as table_figures
from hebbarium.ledger import ledger
from hebbarium.record import results
from tests.analysis import synthetic
from tests.ledger.test_ledger import row, table_four


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    return example_tree(n_neurons=20, n_samples=120, n_tested=40, block=20)


@pytest.fixture(autouse=True)
def callers_state_is_left_alone() -> Iterator[None]:
    with mpl.rc_context({"font.size": 31, "axes.facecolor": "yellow"}):
        before = dict(mpl.rcParams)
        yield
        assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def axes_of(figure: Figure) -> list[Any]:
    """All axes of a figure; whichever has a scale has a label on it."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_ticklocs().size and not axes.images:
                place = axes.get_subplotspec()
                above = axis is axes.xaxis and place is not None and not place.is_last_row()
                colourbar = axis is axes.xaxis and axes.get_label() == "<colorbar>"
                assert axis.get_label_text() or above or colourbar, axes
    return list(figure.axes)


def test_grid_puts_images_in_rows() -> None:
    images = np.arange(5)[:, None, None] * np.ones((5, 2, 3))
    canvas = receptive_fields.grid(images, gap=1)
    assert canvas.shape == (2 * 3 - 1, 3 * 4 - 1)
    for number in range(5):
        top, left = 3 * (number // 3), 4 * (number % 3)
        assert (canvas[top : top + 2, left : left + 3] == number).all()
    assert np.isnan(canvas[2]).all()
    assert np.isnan(canvas[3:, 8:]).all()
    with pytest.raises(ValueError, match="one image at least"):
        receptive_fields.grid(np.zeros((0, 2, 2)))


def test_fields_are_flattened_row_by_row() -> None:
    w = np.arange(6.0)[:, None] * [1, 10]
    assert receptive_fields.fields(w, (2, 3))[1].tolist() == [[0, 10, 20], [30, 40, 50]]
    assert receptive_fields.fields(np.zeros((784, 2))).shape == (2, 28, 28)
    with pytest.raises(ValueError, match="6 presynaptic neurons; these do not fill a square image"):
        receptive_fields.fields(w)
    with pytest.raises(ValueError, match="do not fill an image of 2 × 2"):
        receptive_fields.fields(w, (2, 2))


def test_the_most_active_stand_for_a_large_network() -> None:
    generator = np.random.default_rng(2)
    counts = generator.integers(0, 50, (4, 450))
    activity = {"excitatory": synthetic.training(counts, [0, 1, 0, 1], [0, 0, 1, 1])}
    w = {"input_to_excitatory": results.weight_snapshots(np.zeros((1, 4, 450)), samples_seen=[6])}
    large = synthetic.small_tree(activity=activity, weights=w)
    shown = receptive_fields.shown_neurons(large)
    total = counts.sum(axis=0)
    assert len(shown) == 100
    assert total[shown].min() >= np.delete(total, shown).max()
    assert (np.diff(total[shown]) <= 0).all()
    small = synthetic.small_tree(weights=synthetic.weights(3))
    assert receptive_fields.shown_neurons(small).tolist() == [0, 1, 2]
    bare = synthetic.small_tree(activity={}, weights=w)
    assert receptive_fields.shown_neurons(bare).tolist() == list(range(100))
    assert "100 most active of 450 neurons" in figures.receptive_field_grid(large).axes[0].get_xlabel()


def test_representatives_are_the_most_active_of_each_class() -> None:
    bare = synthetic.small_tree(weights=synthetic.weights(3))
    assert receptive_fields.representatives(bare, 2).tolist() == [1, 0]  # 9 and 7 spikes
    evaluated = synthetic.small_tree(
        weights=synthetic.weights(3), evaluation=results.evaluation(neuron_label=[0, 1, -1])
    )
    assert receptive_fields.representatives(evaluated).tolist() == [0, 1, 2]
    assert receptive_fields.representatives(evaluated, 1).tolist() == [0]


def test_receptive_field_grid_shows_the_last_snapshot() -> None:
    figure = figures.receptive_field_grid(synthetic.small_tree(weights=synthetic.weights(3, (0, 6))))
    picture, bar = axes_of(figure)
    shown = np.ma.filled(picture.images[0].get_array(), np.nan)
    assert shown.shape == (57, 57)
    assert shown[5, 5] == pytest.approx(0.1)
    assert shown[5, 29 + 5] == pytest.approx(1.1)
    assert shown[29 + 5, 5] == pytest.approx(2.1)
    assert shown[0, 1] == -1  # row 0, column 1: row-major
    assert picture.images[0].get_clim()[0] == -1
    assert picture.get_xlabel() == "3 neurons, 6 training images seen"
    assert bar.get_ylabel() == "Synaptic weight (dimensionless)"


def test_time_lapse_has_a_row_a_neuron_and_a_column_a_snapshot() -> None:
    one = synthetic.small_tree(weights=synthetic.weights(3, (0, 2, 6)))
    figure = figures.weight_time_lapse({"L1": one, "L2": one}, neurons=[2, 0])
    *pictures, bar = axes_of(figure)
    assert len(pictures) == 4 * 3
    assert [axes.get_title() for axes in pictures[:3]] == ["0", "2", "6"]
    assert [axes.get_ylabel() for axes in pictures[::3]] == [
        f"{run}\nneuron {neuron}" for run in ("L1", "L2") for neuron in (2, 0)
    ]
    values = [float(axes.images[0].get_array()[9, 9]) for axes in pictures[:6]]
    assert values == pytest.approx([2.0, 2.1, 2.2, 0.0, 0.1, 0.2])
    assert {axes.images[0].get_clim() for axes in pictures} == {(-1.0, float(np.float32(2.2)))}
    assert "weight" in bar.get_ylabel()
    other = synthetic.small_tree(weights=synthetic.weights(3, (0, 3, 6)))
    with pytest.raises(ValueError, match="'b' were not taken after the same"):
        figures.weight_time_lapse({"a": one, "b": other})


def test_time_lapse_of_many_snapshots_keeps_the_first_and_the_last() -> None:
    many = synthetic.small_tree(weights=synthetic.weights(2, np.arange(0, 40_001, 1000)))
    titles = [axes.get_title() for axes in figures.weight_time_lapse(many, neurons=[0]).axes[:-1]]
    assert len(titles) == 8
    assert (titles[0], titles[-1]) == ("0", "40,000")


def test_learning_curve(tree: xr.DataTree) -> None:
    axes = axes_of(figures.learning_curve(tree))[0]
    evaluation = tree["evaluation"].to_dataset()
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), evaluation["samples_seen_block"])
    np.testing.assert_array_equal(line.get_ydata(), evaluation["running_accuracy"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Training images seen", "Accuracy (%)")
    assert axes.get_ylim() == (0, 100)
    points = {c.get_label(): c.lines[0].get_ydata()[0] for c in axes.containers}
    assert (
        points["test images, most active neuron"] == evaluation["accuracy"].sel(readout="most_active").item()
    )


def test_learning_curve_of_several_seeds_has_standard_errors() -> None:
    one = results.evaluation(readout=["most_active"], seed=0, samples_seen=[10], accuracy=[[80.0]])
    two = results.evaluation(readout=["most_active"], seed=1, samples_seen=[10], accuracy=[[84.0]])
    both = synthetic.small_tree(evaluation=xr.concat([one, two], dim="seed"))
    axes = axes_of(figures.learning_curve(both))[0]
    (container,) = axes.containers
    assert container.get_label() == "test images, most active neuron, mean ± SE of 2 seeds"
    assert container.lines[0].get_ydata().tolist() == [82.0]
    (bar,) = container.lines[2]
    assert bar.get_segments()[0][:, 1].tolist() == [80.0, 84.0]  # sd √8, divided by √2: 2


def test_confusion_matrix_is_per_cent_of_the_true_class() -> None:
    evaluation = accuracy.evaluate(synthetic.small_tree(), n_classes=2)
    figure = figures.confusion_matrix(synthetic.small_tree(evaluation=evaluation), class_names=["a", "b"])
    axes, bar = axes_of(figure)
    np.testing.assert_allclose(axes.images[0].get_array(), np.array([[3.0, 0, 0], [1, 1, 1]]) / 3 * 100)
    assert [text.get_text() for text in axes.texts] == ["100", "33", "33", "33"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b", "none"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Predicted class (most active)", "True class")
    assert "%" in bar.get_ylabel()
    with pytest.raises(ValueError, match="1 class names for 2 classes"):
        figures.confusion_matrix(synthetic.small_tree(evaluation=evaluation), class_names=["a"])


def test_stdp_window_draws_the_rule_and_the_measured_points(tree: xr.DataTree) -> None:
    axes = axes_of(figures.stdp_window(tree))[0]
    lines = {line.get_label(): line for line in axes.lines}
    window = tree["stdp_window"].to_dataset()
    np.testing.assert_array_equal(lines["measured"].get_ydata(), window["delta_w"])
    times, curve = lines["the rule"].get_data()
    after = np.asarray(times) > 0
    np.testing.assert_allclose(curve[after], 0.005 * np.exp(-times[after] / 20))
    before = np.asarray(times) < 0
    np.testing.assert_allclose(curve[before], -0.0025 * np.exp(times[before] / 20))
    assert "(ms)" in axes.get_xlabel()
    assert "(dimensionless)" in axes.get_ylabel()


def test_pair_rule_says_nothing_at_zero() -> None:
    values = pair_rule([-1e-9, 0, 1e-9], 0.005, 0.0025, 20)
    np.testing.assert_allclose(values, [-0.0025, np.nan, 0.005])


def test_distributions_count_everything(tree: xr.DataTree) -> None:
    theta, rates, weights = axes_of(figures.distributions(tree))
    assert sum(bar.get_height() for bar in theta.patches) == 20
    assert theta.get_xlabel() == r"Adaptive threshold $\theta$ (mV)"
    assert rates.get_xlabel() == "Firing rate (Hz)"
    assert weights.get_xlabel() == "Synaptic weight (dimensionless)"
    assert sum(bar.get_height() for bar in weights.patches) == 784 * 20
    highest = tree["activity/excitatory"].to_dataset()["spike_count"].mean("sample").max() / 0.15
    assert rates.get_xlim()[1] > float(highest)


def test_distributions_draw_what_there_is() -> None:
    small = synthetic.small_tree()
    assert [axes.get_xlabel() for axes in figures.distributions(small).axes] == ["Firing rate (Hz)"]
    untimed = synthetic.small_tree(test={"excitatory": results.responses([[1]], label=[0], image=[0])})
    assert "spikes an image" in figures.distributions(untimed).axes[0].get_xlabel()
    with pytest.raises(KeyError, match="neither"):
        figures.distributions(synthetic.small_tree(activity={}, test={}))


def test_raster_shows_one_presentation() -> None:
    def spikes(size: int) -> xr.Dataset:
        return results.raster(
            spike_time=[1.0, 2.0, 3.0],
            spike_neuron=[0, 2, 1],
            spike_presentation=[0, 1, 1],
            n_neurons=size,
            presentation_ms=150.0,
        )

    recorded = synthetic.small_tree(
        raster={"inhibitory": spikes(3), "input": spikes(784), "excitatory": spikes(3)}
    )
    panels = axes_of(figures.raster_plot(recorded, presentation=1))
    assert [axes.get_ylabel().split("\n")[0] for axes in panels] == ["Input", "Excitatory", "Inhibitory"]
    for axes in panels:
        times, neurons = axes.lines[0].get_data()
        assert (list(times), list(neurons)) == ([2.0, 3.0], [2, 1])
        assert axes.get_xlim() == (0, 150)
    assert panels[-1].get_xlabel() == "Time since the presentation began (ms)"


def test_comparison_with_the_paper(tmp_path: Path) -> None:
    ledger.append(tmp_path / "a.csv", [*table_four(), row(item="Table VI")])
    figure = table_figures.paper_comparison(tmp_path / "a.csv", item="Table IV", columns="w_t")
    axes: Any = figure.axes[0]  # its y axis names the cells
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["neurons 100, w_t 9", "neurons 100, w_t 11", "neurons 400, w_t 9", "neurons 400, w_t 11"]
    (ours,) = axes.containers
    assert ours.lines[0].get_xdata().tolist() == [86.5, 85.0, 88.0, 86.0]
    assert ours.get_label() == "ours, mean ± SE of 3 seeds"
    (paper,) = [line for line in axes.lines if line.get_label() == "paper"]
    assert list(paper.get_xdata()) == [86.3, 88.84, 86.96]
    assert list(paper.get_ydata()) == [3, 1, 0]
    assert axes.get_xlabel() == "Accuracy (%)"
    assert "images trained 40000" in figure.get_supxlabel().replace("\n", " ")
    with pytest.raises(ledger.LedgerError, match=r"No rows with item=Table IX in .*a\.csv"):
        table_figures.paper_comparison(tmp_path / "a.csv", item="Table IX")
    assert table_figures.paper_comparison([row()]).axes[0].containers[0].get_label() == "ours, one seed"


def test_a_cell_in_which_nothing_is_varied_has_a_name() -> None:
    figure = table_figures.paper_comparison([row(setting="w_t=9"), row(setting="rule=pair"), row(setting="")])
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["as it is", "w_t 9", "rule pair"]


def test_long_names_of_cells_leave_the_axes_their_room() -> None:
    rows = [row(setting=f"w_t=9 integration={method} rule=pair pre_spike={method}") for method in ("euler", "clamped")]
    figure = table_figures.paper_comparison([*rows, row(setting="w_t=11")])
    figure.canvas.draw()
    names = [tick.get_text().split("\n") for tick in figure.axes[0].get_yticklabels()]
    assert max(map(len, names)) == 2
    assert all(len(line) <= 52 for lines in names for line in lines)
    assert names[0] == ["w_t 9, integration clamped, rule pair,", "pre_spike clamped"]
    assert figure.axes[0].get_position().width > 0.4


def test_accuracy_against_a_number_of_the_setting() -> None:
    figure = table_figures.curve(
        [*table_four()[::-1]], table_figures.Curve("Target norm", lambda row: float(row.symbols["w_t"]))
    )
    axes: Any = figure.axes[0]
    (ours,) = axes.containers
    assert ours.lines[0].get_xdata().tolist() == [9, 9, 11, 11]
    assert sorted(ours.lines[0].get_ydata()[:2]) == [86.5, 88.0]
    assert ours.get_label() == "most active, mean ± SE of 3 seeds"
    (paper,) = [line for line in axes.lines if line.get_label() == "most active, paper"]
    assert sorted(paper.get_xdata()) == [9, 9, 11]
    assert axes.get_xlabel() == "Target norm"
    with pytest.raises(ledger.LedgerError, match="No rows to draw against Target norm"):
        table_figures.curve([], table_figures.Curve("Target norm", lambda row: 0.0))


def test_save_all_makes_what_the_file_holds(tmp_path: Path, tree: xr.DataTree) -> None:
    results.write(tree, tmp_path)
    paths = figures.save_all(tmp_path)
    assert {path.name for path in paths} == {
        "receptive_fields.png",
        "weight_time_lapse.png",
        "learning_curve.png",
        "confusion_matrix.png",
        "distributions.png",
        "responding_neurons.png",
        "raster.png",
        "stdp_window.png",
    }
    assert all(path.parent == tmp_path / "figures" and path.stat().st_size > 5000 for path in paths)
    assert paths[0].name == "receptive_fields.png"


def test_save_all_of_a_poor_file_in_other_formats(tmp_path: Path) -> None:
    w = {"input_to_excitatory": results.weight_snapshots(np.zeros((1, 6, 3)), samples_seen=[6])}
    results.write(synthetic.small_tree(weights=w), tmp_path)
    paths = figures.save_all(tmp_path / "results.nc", formats=("svg", "pdf"))
    assert [path.name for path in paths] == [
        f"{name}.{kind}" for name in ("distributions", "responding_neurons") for kind in ("svg", "pdf")
    ]
    assert paths[1].read_bytes().startswith(b"%PDF")


def test_dead_neurons_are_those_below_the_bound_after_the_first_batch() -> None:
    active = xr.DataArray([[0, 0, 0, 0], [0, 0.05, 0.1, 0.5], [0.3, 0.05, 0.1, 0.5]], dims=("samples_seen", "neuron"))
    state = active.to_dataset(name="active").assign_coords(samples_seen=[0, 100, 200])
    tree = xr.DataTree.from_dict({"/state/hidden_1": state})
    figure = figures.dead_neurons({"many": tree, "one": tree}, "hidden_1", 0.1)
    (axes,) = axes_of(figure)
    assert [line.get_label() for line in axes.lines] == ["many", "one"]
    assert list(axes.lines[0].get_xdata()) == [100, 200]
    assert list(axes.lines[0].get_ydata()) == [50, 25]
    with pytest.raises(ValueError, match="many: expected a run that keeps state/hidden_2/active"):
        figures.dead_neurons({"many": tree}, "hidden_2", 0.1)


def test_colours_stay_apart_in_grey() -> None:
    def luminance(colour: str) -> float:
        red, green, blue = mpl.colors.to_rgb(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert abs(luminance(style.BLUE) - luminance(style.VERMILION)) > 0.05
    for name in (style.WEIGHTS, style.COUNTS):
        shades = [luminance(colour) for colour in mpl.colormaps[name](np.linspace(0, 1, 32))]
        assert (np.diff(shades) > 0).all() or (np.diff(shades) < 0).all()
