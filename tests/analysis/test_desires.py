"""Desires and local errors from spike counts, against the twin in NumPy; operations by hand."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest

from hebbarium.analysis import desires, figures
from hebbarium.analysis.desires import Rule, Wishes
from tests.oracles.desire_backprop import Network, Settings


@pytest.mark.parametrize("code", [True, False])
def test_desires_are_those_of_the_twin(code: bool) -> None:
    generator = np.random.default_rng(4)
    sizes = (30, 12, 9, 5)
    first = [generator.normal(0, np.sqrt(2 / a), (a, b)) * 1.5 for a, b in itertools.pairwise(sizes)]
    images, labels = generator.integers(0, 256, (20, sizes[0])), generator.integers(0, sizes[-1], 20)
    rule = Rule(16 if code else 20, 0.30, 0.05, code)
    counts: list[list[np.ndarray]] = [[] for _ in sizes[1:]]
    expected = []
    for image, label in zip(images, labels, strict=True):
        shown = Network(Settings(code=code), first).learn(image, int(label), 0.0)
        expected.append(shown)
        for layer, found in enumerate(counts):
            found.append(shown.spikes[layer + 1].sum(axis=0))
    wished = desires.wishes([np.array(c) for c in counts], first[1:], labels, rule)
    for layer, one in enumerate(wished):
        np.testing.assert_array_equal(one.desire, [shown.desires[layer] for shown in expected])
        np.testing.assert_allclose(one.error, [shown.errors[layer] for shown in expected], rtol=0, atol=1e-12)
        assert len(np.unique(one.desire)) == 3
        np.testing.assert_allclose(one.loss, (one.error**2).mean(axis=0) / 2)


def test_weights_have_to_fit_the_layers() -> None:
    with pytest.raises(ValueError, match="expected 1"):
        desires.wishes([[[1]], [[1]]], [], [0], Rule(20, 0.3, 0.05, False))


def test_operations_of_several_samples_are_their_mean() -> None:
    wished = Wishes(np.array([[1.0, -1, 0], [0, 0, 0]]), np.array([[-0.5, 0, 0], [0, 0, 0]]))
    found = desires.operations([[3, 0], [5, 1]], [[2, 1, 4], [1, 1, 1]], wished)
    assert (found.forward, found.backward, found.updated) == (13.5, 1.0, 1.0)
    assert desires.operations([[3, 0]], [[2, 1, 4]], wished, passes_back=False).backward == 0


def test_figures_of_layers_say_what_they_show(tmp_path: pytest.TempPathFactory) -> None:
    generator = np.random.default_rng(0)
    drawn = {
        "losses": figures.local_losses([0, 10, 20], {"hidden_1": [3, 2, 1], "output": [1, 1, 0.5]}, [10, 50, 90]),
        "activity": figures.activity_by_class([0, 10], {"hidden_1": generator.random((2, 3, 4))}, ["a", "b", "c"]),
        "contributions": figures.contributions(generator.random((4, 9)) - 0.5, 50),
    }
    words = {
        "losses": {"Training images seen", "Local loss a neuron", "hidden 1", "output", "Accuracy (%)"},
        "activity": {"a", "b", "c", "Spikes a step"},
        "contributions": {"Input neuron (index)", "Contribution to desires"},
    }
    for name, figure in drawn.items():
        path = figures.save(figure, f"{tmp_path}/{name}.svg")
        text = {element.text for element in ElementTree.parse(path).iter() if element.text}
        comments = path.read_text()
        assert all(word in text or word in comments for word in words[name]), name


def test_losses_of_a_long_run_are_drawn_over_logarithms_of_its_images() -> None:
    """Snapshots come ever further apart: what happens early would otherwise be one line."""
    for last, scale in ((2000, "linear"), (20_000, "symlog")):
        drawn = figures.local_losses([0, 10, last], {"output": [1, 1, 0.5]}, [10, 50, 90])
        assert drawn.axes[0].get_xscale() == scale
        assert drawn.axes[0].get_xlim()[1] >= last
