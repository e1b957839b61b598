"""What models say that their spikes cost: networks small enough to count by hand, and networks that run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, Synapses, hertz, ms

from hebbarium.engine import anatomy, devices
from hebbarium.engine.contract import Structure
from hebbarium.equations.counting import Operations
from hebbarium.models.contract import Arrays, Model
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.models.diehl_cook import DiehlCook
from hebbarium.models.operations import Shown
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.models.timing_backprop import TimingBackprop
from hebbarium.studies import operations, work
from tests.models import desire_networks, small_networks, small_symmetric_networks, small_triplets

STEPS = 10


def shown(state: dict[str, Any] | None = None, steps: int = STEPS, **spikes: tuple[int, ...]) -> Shown:
    """A presentation: the steps in which each population fires, its neurons left open; the hub passes on volleys."""
    spikes |= {"hub.inhibit": tuple(set(spikes.get("inhibitory", ())))}
    fired = {name: (np.array(at, int), np.zeros(len(at), int)) for name, at in spikes.items()}
    return Shown(steps, fired, {name: np.array(values, float) for name, values in (state or {}).items()})


def counted(model: Model, phase: str, one: Shown) -> list[tuple[float, float, float]]:
    """Multiplications, additions and comparisons: forward, backward, update."""
    found = operations.tally(model, phase, True, iter([[one]])).counts
    return [(c.multiplications, c.additions, c.comparisons) for c in found.values()]


#: three input spikes, one excitatory, two inhibitory in one step; in training, two of the teacher's
WINNER = shown(input=(1, 2, 2), excitatory=(5,), inhibitory=(6, 6), classes=(3, 4))


def test_synaptic_scaling_by_hand() -> None:
    model = SynapticScaling(pixels=4, neurons=2, total_rate=400 * hertz)
    forward = (
        6 + 20 * (5 + 3) + 2,  # w*gain/tau_s; membranes and conductances; what the hub passes on
        6 + 20 * (7 + 4) + 1 + 2 + 2 + 2,  # arrivals; membranes; one excites, two are counted, passed on, spared
        20 + 20,  # thresholds
    )
    update = (
        20 + 40 + 20 + 6 + 4 + 2 * 8 + 2 * 6,  # theta, traces, both orders of spikes, squares and scaling, factors
        20 + 1 + 3 + 1 + 6 + 4 + 8 + 2 * 6,
        2 * 6 + 2 * 4 + 2,  # clipped twice
    )
    assert counted(model, "train", WINNER) == [forward, (0, 0, 0), update]
    tested = counted(model, "test", WINNER)
    assert tested == [(forward[0], forward[1] - 20, forward[2]), (0, 0, 0), (0, 0, 0)]  # theta is zero
    events = operations.tally(model, "train", True, iter([[WINNER]])).synaptic_events
    assert events == 6 + 1 + 2 + 2 + 2 + 6 + 4 + 8 + 8


def test_symmetric_stdp_by_hand() -> None:
    model = SymmetricSTDP(pixels=4, neurons=2)
    forward = (20 * (5 + 3) + 2, 6 + 20 * (7 + 4) + 1 + 2 + 2 + 2, 20 * (3 + 3))
    hidden = (40 + 20 + 20 + 2 + 6 + 4 + 2 + 8, 3 + 1 + 20 + 2 + 6 + 4 + 8 + 2, 1 + 12 + 8 + 8 + 2)
    classes = (100 + 10 + 4 + 10 + 20, 2 + 10 + 4 + 20 + 10, 20 + 8 + 20 + 10)
    update = tuple(a + b for a, b in zip(hidden, classes, strict=True))
    assert counted(model, "train", WINNER) == [forward, (0, 0, 0), update]
    assert counted(model, "train_hidden", WINNER) == [forward, (0, 0, 0), hidden]
    # ten class neurons integrate, and the one excitatory spike reaches them
    answered = (forward[0] + 100 * 3, forward[1] + 100 * 4 + 10, forward[2] + 100 * 3)
    assert counted(model, "test", WINNER) == [answered, (0, 0, 0), (0, 0, 0)]


def test_diehl_cook_by_hand() -> None:
    model = DiehlCook(pixels=4, neurons=2)
    forward = (20 * (5 + 3) + 2, 6 + 20 * (8 + 4) + 1 + 2 + 2 + 2, 20 * (4 + 3))
    update = (20 + 20 + 20 + 40 + 6 + 4 * 2 + 8 + 2, 20 + 1 + 6 + 4 + 8 + 2, 12 + 8 + 8 + 2)
    assert counted(model, "train", WINNER) == [forward, (0, 0, 0), update]
    assert counted(model, "test", WINNER) == [forward, (0, 0, 0), (0, 0, 0)]


def test_desire_backprop_by_hand() -> None:
    model = DesireBackprop(pixels=4, layers=(3,), classes=2, steps=5, margin=1.0)
    one = shown(
        {
            "input.n_spikes": [2, 2, 0, 0], "hidden_1.n_spikes": [2, 1, 0], "output.n_spikes": [2, 0],
            "hidden_1.desire": [1, 0, -1], "hidden_1.error": [-0.5, 0, 0], "hidden_1.kept": [1, 1, 1],
            "output.desire": [-1, 0], "output.error": [0.5, 0],
        },
        steps=5, input=(0, 0, 3, 3), hidden_1=(1, 2, 4), output=(3, 4),
    )  # fmt: skip
    forward = (15 * 2 + 10 * 2, 12 + 15 + 3 + 6 + 10 + 2, 15 + 10)
    backward = (3 * 5 + 2 * 4 + 2, 3 + 2 + 3 * 2 + 2 * 5 + 2, 3 * 4 + 2 * 4)  # one error to two neurons that fired
    update = (10 + 2 + 10 + 2, 10 + 4 + 2 + 10 + 4 + 2, 0)  # four traces, four gathered twice, four weights
    assert counted(model, "train", one) == [forward, backward, update]
    assert model.skipped(one) == 1 - 4 / 18
    assert counted(model, "test", one) == [(15 + 10, *forward[1:]), (0, 0, 0), (0, 0, 0)]


def test_a_sample_without_desires_costs_its_outputs_alone() -> None:
    model = DesireBackprop(pixels=4, layers=(3,), classes=2, steps=5, margin=1.0)
    silent = {f"{name}.{v}": [0] * n for name, n in anatomy.populations(model).items()
              for v in ("n_spikes", "desire", "error", "kept")}  # fmt: skip
    _, backward, update = counted(model, "train", shown(silent, steps=5))
    assert backward == (2 * 4, 2 * 5, 2 * 4)
    assert update == (0, 0, 0)
    assert model.skipped(shown(silent, steps=5)) == 1


#: ten steps a presentation, four inputs, three hidden neurons, two outputs, batches of two
EXACT = TimingBackprop(pixels=4, layers=(3,), classes=2, batch=2, most=5, t_out=10 / 255 * ms)


def test_timing_backprop_by_hand() -> None:
    one = shown(input=(0, 4, 4), hidden_1=(5, 7))
    asked = (1 + 2 + 2, 1 + 2 + 2, 5)  # A - 2 V_th; the discriminant; what its root has to exceed; five comparisons
    crossing = (1 + 2 + 7, 1 + 2 + 7, 1)  # of a spike: the root itself
    integrated = 3 + 1, 2  # potential and current
    forward = (
        30 * (asked[0] + integrated[0]) + 20 * integrated[0] + 2 * (crossing[0] + 2) + 4 * (1 + 3),
        9 + 30 * (asked[1] + integrated[1]) + 20 * integrated[1] + 2 * (crossing[1] + 3) + 4 * (1 + 2),
        30 * asked[2] + 2 * crossing[2],
    )
    answered, backward, update = counted(EXACT, "test", one)
    assert (answered, backward) == (forward, (0, 0, 0))
    assert update[0] == 2 * (7 + 2)  # the slope at a spike, which only learning needs, and whether another follows
    events = operations.tally(EXACT, "test", False, iter([[one]])).synaptic_events
    assert events == 3 * 3 + 2 * 2


def test_a_batch_of_timing_backprop_by_hand() -> None:
    happens: dict[str, tuple[int, ...]] = {
        "input": (0, 4, 14), "hidden_1": (5, 17), "input.echo": (10, 14, 24), "hidden_1.met": (13, 25),
        "input.step": (29,) * 4, "hidden_1.step": (29,) * 3, "output.step": (29,) * 2,
    }  # fmt: skip
    batch = dataclasses.replace(shown(None, 30, **happens), presentations=3, samples=2)
    forward, backward, update = counted(EXACT, "train", batch)
    assert (forward, backward) == (counted(EXACT, "test", batch)[0], (0, 0, 0))
    adam = 3 + 5 + 9  # both moments of the gradient, and the weight
    assert update[0] == sum((
        2 * (7 + 2),  # the slope at a spike, and whether another follows
        90 * 8 + 60 * 4,  # two adjoints of hidden neurons, one of outputs
        4 * (6 + 3),  # a spike to two outputs: what its time changes, and its gradient
        2 * 2 * (2 + 2 + 2 + 4),  # after a spike, before, and what becomes of both adjoints
        12 * 5 + 6 * 3,  # softmax and loss, at the end of three presentations
        3 * 12 + 2 * 10,  # Adam begins its step
        12 * (adam + 1) + 6 * (adam - 1),  # the penalty reaches the first weights alone
    ))  # fmt: skip
    total = operations.tally(EXACT, "train", True, iter([[batch]]))
    assert (total.samples, total.presentations) == (2, 2)


@dataclass(frozen=True, eq=False)
class Excited(SynapticScaling):
    """With a pathway of its own among the excitatory neurons, and a variable that each of its spikes raises."""

    def build(self, phase: str, inputs: Arrays) -> Network:
        network = super().build(phase, inputs)
        among = Synapses(network["excitatory"], network["excitatory"], "used : 1", name="among",
                         on_pre="g_e_post += 0.1\nused = 0.5*used + 1", clock=network["excitatory"].clock)  # fmt: skip
        among.connect()
        network.add(among)
        return network


def test_a_pathway_of_one_s_own_is_counted_without_a_word() -> None:
    before, after = (kind(pixels=4, neurons=2, total_rate=400 * hertz) for kind in (SynapticScaling, Excited))
    (forward, _, update), (more, _, learned) = (counted(model, "test", WINNER) for model in (before, after))
    assert more == (forward[0], forward[1] + 2, forward[2])  # one spike to two neurons
    assert learned == (update[0] + 2, update[1] + 2, update[2])  # `used` comes to no spike
    events = [operations.tally(model, "test", False, iter([[WINNER]])).synaptic_events for model in (before, after)]
    assert events[1] == events[0] + 2 * 2


def test_events_that_were_not_recorded_are_named() -> None:
    with pytest.raises(ValueError, match=r"hub\.inhibit: was not recorded"):
        work.of(SynapticScaling(pixels=4, neurons=2, total_rate=400 * hertz), "test", Shown(STEPS, {}, {}))


@pytest.mark.parametrize("phase", ["train", "test"])
def test_what_has_to_be_recorded(phase: str) -> None:
    everyone = ("input", "excitatory", "inhibitory")
    scaled = SynapticScaling(pixels=4, neurons=2, total_rate=400 * hertz)
    assert work.recorded(scaled, phase) == (*everyone, "hub.inhibit")
    assert work.recorded(DesireBackprop(pixels=4, layers=(3,), classes=2), phase) == ("input", "hidden_1", "output")


SMALL: dict[str, tuple[Model, str, Any]] = {
    "synaptic_scaling": (small_networks.small_model(), "excitatory", small_networks),
    "symmetric_stdp": (small_symmetric_networks.small_model(), "excitatory", small_symmetric_networks),
    "diehl_cook": (small_triplets.small_model(delays="none"), "excitatory", small_triplets),
    "desire_backprop": (desire_networks.small_model(), "hidden_1", desire_networks),
}


@pytest.mark.parametrize("name", SMALL)
def test_spikes_are_those_of_the_running_network(name: str, tmp_path: Path) -> None:
    model, population, source = SMALL[name]
    samples = 2
    if source is desire_networks:
        images, labels = source.samples(samples)
    else:
        images, labels = source.images(samples), np.arange(samples)
    everyone = work.recorded(model, "train")
    program = devices.program(Structure(model, "train", "float64", "numpy", samples, everyone), tmp_path)
    presented = operations.presented(
        program, source.first_state(model, "train"), model.all_inputs("train", images, labels), 5
    )
    presentations = list(presented)
    found = operations.tally(model, "train", True, iter(presentations))
    assert found.samples == samples == len(presentations)
    assert found.presentations == sum(map(len, presentations)) >= samples
    assert (found.presentations > samples) == bool(model.controller), "no image was shown again"
    assert set(found.spikes) == set(anatomy.of(model, "train").populations)
    assert found.spikes[population] > 0
    if model.controller:
        assert all(len(one.spikes[model.controller][0]) == (one is sample[-1])
                   for sample in presentations for one in sample)  # fmt: skip
    size = anatomy.projections(model)[0].shape[1]
    assert found.counts["forward"].additions > found.spikes["input"] * size
    assert (found.counts["backward"] != Operations()) == (name == "desire_backprop")
    assert len(found.skipped) == (samples if name == "desire_backprop" else 0)
