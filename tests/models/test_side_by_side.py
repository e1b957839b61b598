"""Networks side by side: each does what it does alone, with parameters, weights and samples of its own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.engine.presentations import Answers
from hebbarium.models import copies
from hebbarium.models.contract import Model
from hebbarium.models.lenet_conversion import LeNetConversion
from hebbarium.models.side_by_side import SideBySide
from hebbarium.models.spikeprop import SpikeProp
from hebbarium.models.timing_backprop import TimingBackprop
from tests.models import desire_networks, small_networks, small_symmetric_networks, test_s4nn

SAMPLES = 3


@dataclass(frozen=True)
class Case:
    """Networks, and what each is shown."""

    networks: tuple[Model, ...]
    images: list[NDArray[np.uint8]]
    labels: list[NDArray[np.integer]]


def winner_take_all(**changes: Any) -> Case:
    """Three networks of Touda & Okuno with other quantities, which are given spikes; none draws a random number."""
    given: dict[str, Any] = {"encoder": "given", "n_given": 60, **changes}
    networks = (
        small_networks.small_model(**given),
        small_networks.small_model(w_t=3.0, tau_p=30 * ms, **given),
        small_networks.small_model(a_plus=0.01, theta_plus=0.3 * small_networks.small_model().theta_plus, **given),
    )
    return Case(networks, [poisson_spikes(k) for k in range(3)], 3 * [np.zeros(SAMPLES, int)])


def poisson_spikes(seed: int) -> NDArray[np.uint8]:
    """Samples of spikes as rows of bytes, as many as the model's rates would have."""
    generator = np.random.default_rng(seed)
    images = np.roll(small_networks.images(SAMPLES), seed, axis=0).astype(float)
    rows = np.zeros((SAMPLES, 1500, 2), "<u4")
    for sample, image in enumerate(images):
        step, neuron = np.nonzero(generator.random((60, small_networks.PIXELS)) < 7.3 * image / image.sum())
        rows[sample, : len(step), 0], rows[sample, : len(step), 1] = 1000 * step + 500, neuron + 1
    return rows.reshape(SAMPLES, -1).view(np.uint8)


def with_desires() -> Case:
    """Three networks whose masks of dropout come with the samples."""
    networks = tuple(
        desire_networks.small_model(desire_networks.GivenMasks, p_hidden=0.3, eta=eta) for eta in (5e-4, 1e-3, 2e-4)
    )
    return shown(networks, *desire_networks.samples(3 * SAMPLES))


def spiking_once() -> Case:
    """Three networks of neurons that spike once."""
    networks = tuple(test_s4nn.small_model(gamma=gamma) for gamma in (3.0, 4.0, 5.0))
    return shown(networks, *test_s4nn.samples(3 * SAMPLES))


def shown(networks: tuple[Model, ...], images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Case:
    """Other samples for each network."""
    return Case(networks, np.split(images, len(networks)), np.split(labels, len(networks)))


def run(case: Case, device: str, scratch: Path) -> tuple[SideBySide, Answers, list[Answers]]:
    """All of them as one network, and each alone."""
    together, measures = SideBySide(case.networks), case.networks[0].measures(True)
    states = [begun(network, k) for k, network in enumerate(case.networks)]
    inputs = [
        network.all_inputs("train", images, labels)
        for network, images, labels in zip(case.networks, case.images, case.labels, strict=True)
    ]

    def program(model: Any, capacity: int) -> Any:
        return devices.program(Structure(model, "train", "float64", device, capacity, measures=measures), scratch)

    block = Block(together.joined(states), together.interleaved(inputs), together.values(), 5)
    answers = presentations.show(program(together, len(case.networks) * SAMPLES), block)
    alone = [
        presentations.show(program(network, SAMPLES), Block(state, given, network.run_time_values(), 5))
        for network, state, given in zip(case.networks, states, inputs, strict=True)
    ]
    return together, answers, alone


def begun(network: Model, seed: int) -> Arrays:
    """A network before its first sample."""
    return anatomy.initial_state(network, "train", network.initial_state(np.random.default_rng(seed)))


@pytest.mark.parametrize(
    ("made", "device"),
    [
        (winner_take_all, "numpy"),
        pytest.param(with_desires, "numpy", marks=pytest.mark.long),
        (spiking_once, "numpy"),
        pytest.param(winner_take_all, "cpp", marks=pytest.mark.long),
        pytest.param(winner_take_all, "dense", marks=pytest.mark.long),
    ],
)
def test_each_network_does_what_it_does_alone(made: Any, device: str, tmp_path: Path) -> None:
    case = made()
    together, answers, alone = run(case, device, tmp_path)
    for key, counts in answers.counts.items():
        for k, of_network in enumerate(together.answered(counts)):
            np.testing.assert_array_equal(of_network, alone[k].counts[key])
    learned = {name: [begun(one, k)[name] for k, one in enumerate(case.networks)] for name in weights(case.networks[0])}
    for k, state in enumerate(together.parted(answers.state)):
        for name, array in state.items():
            np.testing.assert_allclose(array, alone[k].state[name], rtol=1e-9, atol=1e-12, err_msg=name)
        for name, before in learned.items():
            assert np.abs(state[name] - before[k]).max() > 1e-4, f"{name} of network {k} has learned nothing"
    fired = [one.counts[together.readout] for one in alone]
    assert min(counts.sum() for counts in fired) > 0
    for one, other in itertools.pairwise(fired):
        assert (one != other).any(), "the networks cannot be told from each other"


def weights(model: Model) -> list[str]:
    return [projection.variable for projection in anatomy.projections(model)]


@pytest.mark.long
@pytest.mark.parametrize("norm", ["L1", "none"])
def test_other_readings_of_the_paper_are_put_side_by_side(norm: str, tmp_path: Path) -> None:
    case = winner_take_all(norm=norm, scaling_at="spike" if norm == "L1" else "image", pairing="nearest")
    case = Case(case.networks[::2], case.images[::2], case.labels[::2])
    together, answers, alone = run(case, "numpy", tmp_path)
    for k, state in enumerate(together.parted(answers.state)):
        np.testing.assert_allclose(state["plastic.w"], alone[k].state["plastic.w"], rtol=1e-9)


def test_random_numbers_are_each_networks_own(tmp_path: Path) -> None:
    model = small_networks.small_model()
    one, same = begun(model, 1), small_networks.images(SAMPLES)
    together = SideBySide((model, model, model))
    measures = model.measures(True)
    structure = Structure(together, "train", "float64", "numpy", 3 * SAMPLES, measures=measures)
    program = devices.program(structure, tmp_path)
    block = Block(together.joined(3 * [one]), together.interleaved(3 * [model.encode(same)]), together.values(), 5)
    answers = presentations.show(program, block)
    counts, states = together.answered(answers.counts["excitatory"]), together.parted(answers.state)
    for k, other in ((0, 1), (0, 2), (1, 2)):
        assert (counts[k] != counts[other]).any()
        assert (states[k]["plastic.w"] != states[other]["plastic.w"]).any()
    sums = counts.sum(axis=(1, 2)).astype(int)
    alone = small_networks.run_images(model, "numpy", tmp_path, count=SAMPLES, state=dict(one))
    expected = len(alone.spikes["excitatory"].step)
    assert (np.abs(sums - expected) < 6 * np.sqrt(sums + expected)).all()


def test_a_block_is_given_samples_in_turn() -> None:
    case = with_desires()
    together = SideBySide(case.networks)
    images, labels = np.stack(case.images, axis=1), np.stack(case.labels, axis=1)
    given = together.all_inputs("train", images.reshape(-1, images.shape[-1]), labels.ravel())
    apart = [
        network.all_inputs("train", images, labels)
        for network, images, labels in zip(case.networks, case.images, case.labels, strict=True)
    ]
    for name, array in together.interleaved(apart).items():
        np.testing.assert_array_equal(given[name], array)
    np.testing.assert_array_equal(together.answered(given["labels"]), case.labels)


def test_state_is_drawn_and_handed_on_network_by_network() -> None:
    networks = (small_networks.small_model(), small_networks.small_model(w_t=3.0))
    together = SideBySide(networks)
    first, second = together.parted(together.initial_state(np.random.default_rng(2)))
    generator = np.random.default_rng(2)
    np.testing.assert_array_equal(first["plastic.w"], networks[0].initial_state(generator)["plastic.w"])
    np.testing.assert_array_equal(second["plastic.w"], networks[1].initial_state(generator)["plastic.w"])
    handed = together.parted(together.handed_on(together.joined([first, second])))
    for network, before, after in zip(networks, (first, second), handed, strict=True):
        np.testing.assert_array_equal(after["plastic.w"], network.handed_on(before)["plastic.w"])


def test_what_cannot_stand_side_by_side_is_refused() -> None:
    one = small_networks.small_model()
    with pytest.raises(ValueError, match="no networks to be put side by side"):
        SideBySide(())
    with pytest.raises(ValueError, match=r"norm=L2 and norm=L1 side by side: what is compiled in"):
        SideBySide((one, small_networks.small_model(norm="L1")))
    with pytest.raises(ValueError, match="expected networks of one model"):
        SideBySide((one, test_s4nn.small_model()))
    with pytest.raises(ValueError, match="'controller' shows samples until they are over"):
        SideBySide((small_symmetric_networks.small_model(),))
    with pytest.raises(ValueError, match="phase 'train' has one sample a presentation, 1 presentation without"):
        SideBySide((TimingBackprop(),))
    synchronous = SideBySide((small_networks.small_model(encoder="synchrony"),) * 2)
    with pytest.raises(ValueError, match="'input' has mother, which all its neurons share"):
        anatomy.of(synchronous, "train")


@pytest.mark.parametrize("one", [SpikeProp(), LeNetConversion()], ids=["several terminals", "shared kernels"])
def test_every_part_is_as_many_times_as_large(one: Model) -> None:
    together = SideBySide((one, one, one))
    alone, all_of_them = anatomy.of(one, one.phases[0]), anatomy.of(together, one.phases[0])
    assert {name: 3 * size for name, size in alone.elements.items()} == all_of_them.elements
    assert [(v.name, 3 * v.size) for v in alone.state] == [(v.name, v.size) for v in all_of_them.state]


def test_strings_count_neurons_within_their_copy() -> None:
    def in_group(code: str) -> str:
        return copies.in_group(code, {"rates": 4, "fades": 1}, i="n_copied")

    assert in_group("x = rates(t, i*(n + 1) + k)") == (
        "x = rates(t, (i % n_copied)*(n + 1) + k + columns_rates*(i//n_copied))"
    )
    assert in_group("x = f(fades(min(t, t_end)), i)") == "x = f(fades(min(t, t_end), i//n_copied), (i % n_copied))"
    assert in_group("x = rated(t, 2)") == "x = rated(t, 2)"
    with pytest.raises(ValueError, match="a bracket is not closed"):
        in_group("x = rates(t, (i)")
