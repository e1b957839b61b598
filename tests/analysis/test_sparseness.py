"""How few neurons answer an image, and intervals over trials."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from matplotlib.patches import Rectangle

from hebbarium.analysis import figures, intervals, sparseness
from hebbarium.ledger import ledger
from hebbarium.record import results
from tests.analysis import synthetic
from tests.ledger.test_ledger import row

RESPONDING = [0, 1, 2, 2, 10, 11, 12, 12]


@pytest.fixture
def tree() -> xr.DataTree:
    """Eight images that as many neurons respond to as `RESPONDING` says, the first of them with two spikes."""
    counts = (np.arange(20) < np.array(RESPONDING)[:, None]).astype(int)
    counts[:, 0] *= 2
    tested = results.responses(counts, label=np.zeros(8), image=np.arange(8))
    return synthetic.small_tree(test={"excitatory": tested, "classes": tested.isel(neuron=slice(0, 1))})


def test_responding_neurons_are_counted(tree: xr.DataTree) -> None:
    found = sparseness.sparseness(tree)
    assert found.responding.tolist() == RESPONDING
    assert found.neurons == 20
    assert found.mean == pytest.approx(50 / 8)
    assert found.quantiles == {0.0: 0, 0.05: 0, 0.25: 1, 0.5: 2, 0.75: 11, 0.95: 12, 1.0: 12}
    assert found.share_few == pytest.approx(100 * 5 / 8)  # ten are few, eleven are not
    assert found.share_silent == pytest.approx(100 / 8)
    assert sparseness.sparseness(tree, few=2).share_few == 50
    assert sparseness.sparseness(tree, least=2).responding.tolist() == [0, *[1] * 7]
    assert sparseness.sparseness(tree, population="classes").responding.tolist() == [0, *[1] * 7]
    assert sparseness.sparseness(tree, group="activity").responding.tolist() == [1] * 6


def test_what_cannot_be_counted_is_refused(tree: xr.DataTree) -> None:
    with pytest.raises(KeyError, match="no labelling/excitatory"):
        sparseness.sparseness(tree, group="labelling")
    with pytest.raises(ValueError, match="least is 0"):
        sparseness.responding([[1]], least=0)
    nothing = results.responses(np.zeros((0, 3)), label=[], image=[])
    with pytest.raises(ValueError, match="test/excitatory holds no image"):
        sparseness.sparseness(synthetic.small_tree(test={"excitatory": nothing}))


def test_figure_of_responding_neurons(tree: xr.DataTree) -> None:
    figure = figures.responding_neurons(tree)
    (axes,) = figure.axes
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    heights = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in bars}
    assert heights[2] == 25
    assert sum(heights.values()) == pytest.approx(100)
    (cumulative, limit) = axes.lines
    assert np.asarray(cumulative.get_ydata())[10] == pytest.approx(62.5)
    assert limit.get_label() == "10: 62.5 % of the images"
    assert axes.get_xlabel() == "Responding neurons of 20"
    assert figure.legends[0].get_title().get_text() == "Median 2, nine images in ten from 0 to 12"


# Abramowitz & Stegun, Table 26.10
@pytest.mark.parametrize(
    ("probability", "degrees", "expected"),
    [
        (0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 3, 3.182), (0.975, 4, 2.776), (0.975, 9, 2.262),
        (0.975, 30, 2.042), (0.975, 120, 1.980), (0.95, 4, 2.132), (0.995, 5, 4.032), (0.5, 4, 0.0),
    ],
)  # fmt: skip
def test_quantiles_of_students_distribution(probability: float, degrees: int, expected: float) -> None:
    assert intervals.t_quantile(probability, degrees) == pytest.approx(expected, abs=6e-4)


def test_interval_over_trials() -> None:
    found = intervals.t_interval([91.0, 92.0, 93.0, 92.5, 91.5])
    assert found.mean == 92
    assert found.error == pytest.approx(math.sqrt(0.625 / 5))
    assert found.high - found.mean == pytest.approx(2.7764 * found.error, rel=1e-4)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)
    wider = intervals.t_interval([91.0, 92.0, 93.0, 92.5, 91.5], confidence=0.99)
    assert wider.high > found.high
    single = intervals.t_interval([90.0])
    assert (single.mean, single.trials) == (90, 1)
    assert all(math.isnan(value) for value in (single.error, single.low, single.high))


def test_an_interval_covers_as_often_as_it_says() -> None:
    trials = np.random.default_rng(0).normal(50, 3, (4000, 4))
    inside = [i.low <= 50 <= i.high for i in (intervals.t_interval(list(t), 0.9) for t in trials)]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.02)


def test_bad_intervals_are_refused() -> None:
    for values in ([], [1.0, math.nan]):
        with pytest.raises(ValueError, match="one finite number at least"):
            intervals.t_interval(values)
    with pytest.raises(ValueError, match="confidence 95"):
        intervals.t_interval([1.0, 2.0], confidence=95)
    with pytest.raises(ValueError, match="confidence 0"):
        intervals.t_interval([1.0], confidence=0)
    with pytest.raises(ValueError, match=r"t_quantile\(0.975, 0\)"):
        intervals.t_quantile(0.975, 0)


def test_cells_of_the_ledger_have_intervals() -> None:
    values = [87.0, 88.0, 89.5]
    (cell,) = ledger.summarise(row(seed=seed, value=value) for seed, value in enumerate(values))
    found = intervals.t_interval(values)
    assert cell.mean + cell.half_width() == pytest.approx(found.high)
    assert math.isnan(ledger.summarise([row()])[0].half_width())


# -- convergence ---------------------------------------------------------------------------------------------


def run_of(seed: int, **accuracy: list[float]) -> xr.DataTree:
    seen = 10_000 * (1 + np.arange(len(next(iter(accuracy.values())))))
    evaluation = results.evaluation(
        readout=list(accuracy), seed=seed, samples_seen=seen, accuracy=np.array(list(accuracy.values())).T
    )
    return results.build(synthetic.attributes(seed=seed), evaluation=evaluation)


def test_convergence_is_a_line_and_a_band_for_each_readout() -> None:
    trees = [
        run_of(0, class_layer=[80.0, 90.0], label_statistics=[70.0, 88.0]),
        run_of(1, class_layer=[82.0, 91.0], label_statistics=[71.0, 87.0]),
        run_of(2, class_layer=[84.0, 92.0, 93.0], label_statistics=[72.0, 86.0, 86.5]),
    ]
    figure = figures.convergence(trees, paper={"class_layer": 91.13})
    (axes,) = figure.axes
    first, paper, second = axes.lines
    assert np.asarray(first.get_xdata()).tolist() == [10_000, 20_000, 30_000]
    assert np.asarray(first.get_ydata()).tolist() == [82, 91, 93]
    assert np.asarray(second.get_ydata()).tolist() == [71, 87, 86.5]
    assert np.asarray(paper.get_ydata()).tolist() == [91.13, 91.13]
    edge = np.asarray(axes.collections[0].get_paths()[0].vertices)
    found = intervals.t_interval([80.0, 82.0, 84.0])
    assert {found.low, found.high} <= set(edge[edge[:, 0] == 10_000, 1])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["class layer", "class layer, paper", "label statistics"]
    assert figure.legends[0].get_title().get_text() == "Test images, mean and 95 % interval of 3 seeds"


def test_convergence_of_one_run_has_no_band() -> None:
    one = run_of(0, class_layer=[80.0, 90.0], label_statistics=[70.0, 88.0])
    (axes,) = figures.convergence(one, readouts=["label_statistics"]).axes
    assert not axes.collections
    assert len(axes.lines) == 1
    with pytest.raises(ValueError, match="a seed occurs twice"):
        figures.convergence([one, one])
    with pytest.raises(ValueError, match="no run"):
        figures.convergence([])
    with pytest.raises(KeyError, match="no accuracy by most_active; it has class_layer, label_statistics"):
        figures.convergence(one, readouts=["most_active"])
    with pytest.raises(KeyError, match="not tested yet"):
        figures.convergence(synthetic.small_tree(evaluation=results.evaluation(neuron_label=[0, 1, -1])))


def test_consistency_of_the_class_layer_is_a_confusion_matrix() -> None:
    evaluation = results.evaluation(
        readout=["class_layer", "label_statistics"], confusion=[[[9, 1, 0], [0, 9, 1]], [[5, 5, 0], [0, 10, 0]]]
    )
    tree = synthetic.small_tree(evaluation=evaluation)
    picture = figures.confusion_matrix(tree).axes[0]
    assert picture.get_xlabel() == "Predicted class (class layer)"
    assert np.asarray(picture.images[0].get_array()).tolist() == [[90, 10, 0], [0, 90, 10]]
    other = figures.confusion_matrix(tree, "label_statistics").axes[0]
    assert np.asarray(other.images[0].get_array()).tolist() == [[50, 50, 0], [0, 100, 0]]
