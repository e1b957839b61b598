"""Each finding of a diagnosis, in a result tree or a run in which it is provoked; and none in a healthy one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hebbarium.analysis import chance, diagnosis, figures
from hebbarium.analysis.accuracy import evaluate
from hebbarium.analysis.example import example_tree
from hebbarium.record import results
from hebbarium.training import training
from hebbarium.training.run_settings import RunSettings

PARAMETERS = {
    "w_min": "0", "w_max": "1", "v_thresh": "-40*mV", "e_exc": "0*mV", "theta_plus": "0.11*mV", "w_ei": "40*ms",
    "a_plus": "0.005", "gain": "1*ms",
}  # fmt: skip


@pytest.fixture(scope="module")
def healthy() -> xr.DataTree:
    tree = example_tree(n_neurons=40, n_samples=400, n_tested=200, block=50)
    tree.attrs |= results.root_attributes(model="example", seed=0, samples_seen=400, parameters=PARAMETERS)
    return tree


def changed(tree: xr.DataTree, groups: Mapping[str, xr.Dataset]) -> xr.DataTree:
    """The tree with other groups, evaluated anew."""
    other = tree.copy(deep=True)
    for path, dataset in groups.items():
        other[path] = xr.DataTree(dataset)
    other["evaluation"] = xr.DataTree(evaluate(other))
    return other


def findings(tree: xr.DataTree) -> dict[str, diagnosis.Finding]:
    return {finding.name: finding for finding in diagnosis.diagnose(tree)}


def answers(tree: xr.DataTree, group: str, change: ArrayLike) -> xr.Dataset:
    """Responses of a group times ``change``, which is broadcast to (sample, neuron)."""
    responses = tree[f"{group}/excitatory"].to_dataset()
    return responses.assign(spike_count=(responses["spike_count"] * np.asarray(change, np.uint16)).astype(np.uint16))


def spikes(tree: xr.DataTree, group: str) -> NDArray[Any]:
    return np.asarray(tree[f"{group}/excitatory"].to_dataset()["spike_count"].values)


def weights(w: NDArray[Any], tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """The last snapshot in place of what is there."""
    group = tree["weights/input_to_excitatory"].to_dataset()
    values = group["w"].values.copy()
    values[-1] = w
    return {"weights/input_to_excitatory": group.assign(w=(group["w"].dims, values, group["w"].attrs))}


def test_nothing_is_found_in_a_healthy_network(healthy: xr.DataTree) -> None:
    assert findings(healthy) == {}


def test_neurons_that_never_fire(healthy: xr.DataTree) -> None:
    awake = np.arange(40) >= 8
    found = findings(changed(healthy, {"test/excitatory": answers(healthy, "test", awake)}))
    assert found["silent neurons"].seen.startswith("8 of 40 neurons of 'excitatory' gave no spike to 200 samples")
    assert "raise gain (now 1*ms); lower v_thresh (now -40*mV), theta_plus" in found["silent neurons"].remedy


def test_samples_that_make_none_fire(healthy: xr.DataTree) -> None:
    bright = np.arange(200)[:, np.newaxis] >= 50
    found = findings(changed(healthy, {"test/excitatory": answers(healthy, "test", bright)}))
    assert found["unanswered samples"].seen.startswith("50 of 200 samples")


def test_a_neuron_that_wins_everything(healthy: xr.DataTree) -> None:
    both = {}
    for group in ("activity", "test"):
        responses = answers(healthy, group, 1)
        responses["spike_count"][:, 7] = 60
        both[f"{group}/excitatory"] = responses
    found = findings(changed(healthy, both))
    assert found["dominating neurons"].seen.startswith("neuron 7 of 'excitatory' is the most active one for 100 %")
    assert "raise theta_plus (now 0.11*mV) or w_ei (now 40*ms)" in found["dominating neurons"].remedy
    assert "classes at chance level" in found


def test_a_handful_of_neurons_that_share_everything(healthy: xr.DataTree) -> None:
    both = {}
    for group in ("activity", "test"):
        responses = answers(healthy, group, 1)
        for sample in range(len(responses["spike_count"])):
            responses["spike_count"][sample, sample % 7] = 60
        both[f"{group}/excitatory"] = responses
    assert "4 of 40 neurons win half of them" in findings(changed(healthy, both))["dominating neurons"].seen


@pytest.mark.parametrize(
    ("upper", "lower", "said"),
    [
        (0.4, 0.1, "40 % are at w_max=1 or above and 10 % at w_min=0"),
        (0.0, 0.98, "0 % are at w_max=1 or above and 98 % at w_min=0"),
        (0.2, 0.75, "20 % are at w_max=1 or above and 75 % at w_min=0"),
    ],
)
def test_weights_at_their_bounds(healthy: xr.DataTree, upper: float, lower: float, said: str) -> None:
    w = np.linspace(0.2, 0.8, 784 * 40).reshape(784, 40)
    w[: round(784 * upper)], w[784 - round(784 * lower) :] = 1, 0
    finding = findings(changed(healthy, weights(w, healthy)))["weights at their bounds"]
    assert said in finding.seen
    assert ("potentiation outweighs" in finding.means) == (upper > 0.25)
    assert ("depression outweighs" in finding.means) == (lower > 0.95)


def test_weights_that_do_not_move(healthy: xr.DataTree) -> None:
    first = results.array(healthy, "weights/input_to_excitatory/w")[0]
    found = findings(changed(healthy, weights(first, healthy)))
    assert "31,360 weights" in found["weights that do not move"].seen
    assert "weights at their bounds" not in found


def layered(tree: xr.DataTree, **changes: Any) -> xr.DataTree:
    """The healthy network with a class layer above, whose 400 weights end as said, and another that never changes."""
    generator = np.random.default_rng(0)
    first, last = generator.uniform(1, 7, (2, 40, 10))
    above = results.weight_snapshots(np.stack([first, changes.pop("last", last)]), samples_seen=[0, 400])
    is_fixed = changes.pop("fixed", True)
    fixed = results.weight_snapshots(np.stack([first.T, first.T]), samples_seen=[0, 400], fixed=is_fixed)
    other = changed(tree, {"weights/excitatory_to_classes": above, "weights/classes_to_excitatory": fixed, **changes})
    parameters = {**PARAMETERS, "w_max_class": "8", "a_plus_class": "0.02"}
    other.attrs |= results.root_attributes(model="example", seed=0, samples_seen=400, parameters=parameters)
    return other


def test_a_healthy_network_with_layers(healthy: xr.DataTree) -> None:
    assert findings(layered(healthy)) == {}
    found = findings(layered(healthy, fixed=False))["weights that do not move"]
    assert found.seen.startswith("the 400 weights of classes_to_excitatory are after 400 samples what they")
    assert found.seen.endswith("those of input_to_excitatory and excitatory_to_classes move")


def test_upper_weights_at_bounds_of_their_own(healthy: xr.DataTree) -> None:
    """Eight is their largest weight, and a_plus_class their potentiation; the first projection is healthy."""
    last = np.random.default_rng(1).uniform(1, 7, (40, 10))
    last[:16] = 8
    found = [one for one in diagnosis.diagnose(layered(healthy, last=last)) if one.name == "weights at their bounds"]
    assert [one.seen for one in found] == [
        "of 400 weights of excitatory_to_classes, 40 % are at w_max_class=8 or above and 0 % at w_min=0"
    ]
    assert "lower a_plus_class (now 0.02)" in found[0].remedy
    assert "raise w_max_class (now 8)" in found[0].remedy


def test_trouble_in_several_projections_is_told_of_each(healthy: xr.DataTree) -> None:
    first = results.array(healthy, "weights/input_to_excitatory/w")[0]
    found = diagnosis.diagnose(layered(healthy, last=np.zeros((40, 10)), **weights(first, healthy)))
    told = [(one.name, one.seen) for one in found if one.name.startswith("weights")]
    assert [name for name, _ in told] == ["weights that do not move", "weights at their bounds"]
    assert "weights of input_to_excitatory are" in told[0][1]
    assert told[0][1].endswith("those of excitatory_to_classes move")
    assert "0 % are at w_max_class=8 or above and 100 % at w_min=0" in told[1][1]
    assert len(figures.diagnosed(layered(healthy)).axes) == 6  # five panels, and an empty place


def test_a_trained_network_whose_upper_layer_does_not_learn(tmp_path: Path) -> None:
    """A run itself: the hidden layer learns, class neurons do not, and feedback is fixed as it ought to be."""
    changes = {"neurons": 12, "eta_class": 0.0, "t_train": "30*ms", "t_test": "30*ms"}
    settings = RunSettings("column_feedback", changes, images=20, test_images=20, device="numpy")
    with results.open_run(training.train(settings, tmp_path / "run")) as tree:
        (lower, upper), every = diagnosis.learning(tree), results.children(tree, results.WEIGHTS)
        assert len(every) == 3
        found = [one.seen for one in diagnosis.diagnose(tree) if one.name == "weights that do not move"]
        assert len(found) == 1
        assert f"weights of {upper} are after 20 samples" in found[0]
        assert found[0].endswith(f"those of {lower} move")


def thresholds(tree: xr.DataTree, theta: NDArray[Any]) -> dict[str, xr.Dataset]:
    state = tree["state/excitatory"].to_dataset()
    values = np.vstack([state["theta"].values[:-1], theta])
    return {"state/excitatory": state.assign(theta=(state["theta"].dims, values, state["theta"].attrs))}


def test_thresholds_that_no_excitation_reaches(healthy: xr.DataTree) -> None:
    theta = np.where(np.arange(40) < 5, 40.0, 3.0)
    found = findings(changed(healthy, thresholds(healthy, theta)))
    assert "θ of 5 of 40 neurons of 'excitatory' is 40 mV or more" in found["thresholds out of reach"].seen


def test_thresholds_that_ran_away(healthy: xr.DataTree) -> None:
    counts = np.ones((400, 40), np.uint16)
    counts[300:, :6] = 0
    activity = answers(healthy, "activity", 1)
    activity["spike_count"][:] = counts
    theta = np.where(np.arange(40) < 6, 20.0, 3.0)
    found = findings(changed(healthy, {"activity/excitatory": activity, **thresholds(healthy, theta)}))
    assert found["thresholds that ran away"].seen.startswith("6 of 40 neurons")
    assert "thresholds out of reach" not in found


def test_activity_that_fades(healthy: xr.DataTree) -> None:
    activity = answers(healthy, "activity", 1)
    fewer = np.linspace(40, 1, 400).astype(np.uint16)[:, np.newaxis]
    activity["spike_count"][:] = fewer * (spikes(healthy, "activity") > 0)
    found = findings(changed(healthy, {"activity/excitatory": activity}))
    assert found["activity that fades"].seen.endswith("in the last")


def test_a_class_that_is_taken_for_another(healthy: xr.DataTree) -> None:
    label, eights = healthy["test/excitatory/label"].values, {}
    threes = spikes(healthy, "test")[np.flatnonzero(label == 3)]
    test = answers(healthy, "test", 1)
    test["spike_count"][np.flatnonzero(label == 8)] = threes[: np.count_nonzero(label == 8)]
    eights["test/excitatory"] = test
    finding = findings(changed(healthy, eights))["classes at chance level"]
    assert finding.seen.startswith("1 of 10 classes")
    assert "8 (right for 0 % of 20" in finding.seen
    assert "most often taken for 3" in finding.seen


def test_chance_is_told_from_a_few_right_answers() -> None:
    """Against the definition, summed term by term by Python's integers."""
    from math import comb

    for hits, trials, rate in ((3, 10, 0.1), (30, 100, 0.25), (1, 1, 0.5)):
        wanted = sum(comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(hits, trials + 1))
        assert chance.of_at_least(hits, trials, rate) == pytest.approx(wanted, rel=1e-9)


def test_inhibition_that_comes_too_late(healthy: xr.DataTree) -> None:
    test = answers(healthy, "test", 1)
    test["spike_count"][:] = spikes(healthy, "test") + 1
    found = findings(changed(healthy, {"test/excitatory": test}))
    assert "40 or more of 40 neurons" in found["inhibition that comes too late"].seen


def test_a_trained_network_without_inhibition_and_threshold(tmp_path: Path) -> None:
    """A run itself: excitatory neurons do not reach the inhibitory ones, every spike takes θ far away."""
    out = training.train(
        RunSettings(
            "synaptic_scaling",
            {"neurons": 12, "w_ei": "0*ms", "theta_plus": "50*mV", "t_train": "30*ms", "t_test": "30*ms",
             "gain": "10*ms"},
            images=20, test_images=20, device="numpy", labels_from="all",
        ),
        tmp_path / "run",
    )  # fmt: skip
    with results.open_run(out) as tree:
        found = findings(tree)
        assert "'inhibitory' gave no spike" in found["inhibition that never comes"].seen
        assert "raise w_ei (now 0*ms) or w_ie (now 900*ms)" in found["inhibition that never comes"].remedy
        assert "θ of 12 of 12 neurons" in found["thresholds out of reach"].seen
        assert len(figures.diagnosed(tree).axes) == 4


def test_what_a_file_does_not_hold_is_not_looked_at() -> None:
    tree = results.build(results.root_attributes(model="empty", seed=0, samples_seen=0))
    assert diagnosis.diagnose(tree) == []
    with pytest.raises(KeyError, match="neither tested responses"):
        figures.diagnosed(tree)
