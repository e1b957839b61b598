"""Samples shown until they are over: runs of a program joined, and the rule that the compiled program follows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from brian2 import hertz, ms
from numpy.typing import NDArray

from hebbarium.engine import anatomy, devices, presentations
from hebbarium.engine.anatomy import relative
from hebbarium.engine.contract import Block, BlockResult, Program, Spikes, Structure
from hebbarium.files.errors import BlockFailed
from hebbarium.models.slots import ONE_BY_ONE
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from tests.models.small_symmetric_networks import (
    CAPACITY,
    NEURONS,
    PIXELS,
    first_state,
    images,
    run_images,
    small_model,
)

# -- a program whose presentations are scripted --------------------------------------------------------------


class Scripted:
    """Shows sample k of the whole script ``needs[k]`` times; a neuron's spikes tell sample and presentation apart."""

    steps = 100

    def __init__(self, needs: Sequence[int]) -> None:
        self.needs = needs
        fields = ["model", "sample_steps", "populations", "slots", "measures", "recorded"]
        self.structure: Any = dataclasses.make_dataclass("Shape", fields)(
            self, self.steps, ("excitatory", "controller"), ONE_BY_ONE, (), ()
        )
        self.name, self.controller = "scripted", "controller"
        self.seeds: list[int] = []
        self.runs: list[int] = []

    def run(self, block: Block) -> BlockResult:
        self.seeds.append(block.seed)
        self.runs.append(block.samples)
        cursor, shown = int(block.state["cursor"][0]), int(block.state["shown"][0])
        ended: list[int] = []
        spikes: list[tuple[int, int]] = []
        for presentation in range(block.samples):
            number = int(block.inputs["number"][cursor])
            spikes += [(presentation * self.steps + k, 0) for k in range(number)]
            spikes += [(presentation * self.steps + k, 1) for k in range(shown + 1)]
            shown += 1
            if shown == self.needs[number]:
                ended.append(presentation)
                cursor, shown = cursor + 1, 0
        step, neuron = np.array(spikes).T
        over = Spikes(np.array(ended, np.int64) * self.steps + 5, np.zeros(len(ended), np.int32))
        state = {"cursor": np.array([cursor - len(ended)]), "shown": np.array([shown])}
        return BlockResult(
            state, {"excitatory": Spikes(step, neuron.astype(np.int32)), "controller": over}, np.array(ended, np.int64),
            0.5, 1.0, {"transmit": 0.25},
        )  # fmt: skip


def show(program: Program, block: Block) -> presentations.Answers:
    """Show a block with a program that has no network to be read."""
    with mock.patch.object(anatomy, "populations", return_value={"excitatory": 2}):
        return presentations.show(program, block)


def block(numbers: Sequence[int], state: dict[str, NDArray[Any]] | None = None) -> Block:
    begin = {"cursor": np.array([0]), "shown": np.array([0])}
    return Block(state or begin, {"number": np.array(numbers)}, {}, 77)


NEEDS = [[1, 1, 1, 1, 1], [3, 1, 2, 1, 4], [1, 1, 1, 1, 9], [12, 1, 1, 1, 1], [2, 2, 2, 2, 2]]


@pytest.mark.parametrize("needs", NEEDS, ids=str)
def test_each_sample_s_last_presentation_counts(needs: list[int]) -> None:
    program: Any = Scripted(needs)
    answers = show(program, block(range(5)))
    assert answers.presentations.tolist() == needs
    assert answers.counts["excitatory"].tolist() == [[number, times] for number, times in enumerate(needs)]
    assert set(answers.counts) == {"excitatory"}
    assert answers.state["shown"].tolist() == [0]
    assert sum(program.runs) == sum(needs), "a presentation was wasted, or done twice"
    assert len(set(program.seeds)) == len(program.seeds), "two runs drew the same random numbers"
    assert program.seeds[0] == 77
    parts = len(program.runs)
    assert (answers.run_seconds, answers.wall_seconds) == (0.5 * parts, 1.0 * parts)
    assert answers.profile == {"transmit": 0.25 * parts}


@pytest.mark.parametrize("cut", range(1, 5))
def test_a_block_cut_in_two_goes_on_from_the_carried_state(cut: int) -> None:
    needs = [3, 1, 2, 5, 4]
    whole = show(_as_program(Scripted(needs)), block(range(5)))
    first = show(_as_program(Scripted(needs)), block(range(cut)))
    second = show(_as_program(Scripted(needs)), block(range(cut, 5), first.state))
    for population, counts in whole.counts.items():
        parts = [first.counts[population], second.counts[population]]
        np.testing.assert_array_equal(np.concatenate(parts), counts)
    np.testing.assert_array_equal(np.concatenate([first.presentations, second.presentations]), whole.presentations)


def test_runs_of_one_block_are_the_same_again() -> None:
    one, other = Scripted([4, 1, 7]), Scripted([4, 1, 7])
    for program in (one, other):
        show(_as_program(program), block(range(3)))
    assert one.seeds == other.seeds


def test_a_controller_that_never_spikes_is_a_failed_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presentations, "MOST", 20)
    program = Scripted([2, 10**9, 1])
    expected = "model scripted: sample 1 of a block was shown 2[0-9] times and is not over; its controller 'controller'"
    with pytest.raises(BlockFailed, match=expected):
        show(_as_program(program), block(range(3)))
    assert sum(program.runs) < 30


def _as_program(scripted: Any) -> Program:
    """A stand-in for a compiled program."""
    made: Program = scripted
    return made


# -- the rule, as the model's own program follows it -----------------------------------------------------------

INTENSITIES = (2, 3, 4, 5)
#: grey levels that make an input fire at every step that it can from each intensity on, and not before
LADDER = np.array([255, 170, 128, 102])
SHOWN = 120  # steps


def telling_images() -> NDArray[np.uint8]:
    """Six images of ten lit inputs of their own; four tell the intensity, the others are as dim as the last."""
    pictures = np.zeros((CAPACITY, PIXELS), np.uint8)
    for k in range(CAPACITY):
        pictures[k, 10 * k : 10 * k + 4] = LADDER
        pictures[k, 10 * k + 4 : 10 * k + 10] = LADDER[-1]
    return pictures


def telling_model(**changes: Any) -> SymmetricSTDP:
    """White is a spike every second step at intensity 2."""
    return small_model(rate_step=1000 * hertz, n_least=5.0, intensity_most=5.0, **changes)


def telling_state(model: SymmetricSTDP, strengths: Sequence[float]) -> dict[str, NDArray[Any]]:
    """Weights of the dim inputs of each image, whose rates rise most with intensity."""
    w = np.zeros((PIXELS, NEURONS))
    for k, strength in enumerate(strengths):
        w[10 * k + 3 : 10 * k + 10] = strength
    return first_state(model, "test") | {"plastic.w": w.ravel()}


def told(result: BlockResult, presentation_steps: int) -> list[tuple[int, int]]:
    """Image and intensity of every presentation, read off the input's spikes."""
    spikes, found = result.spikes["input"], []
    for presentation in range(CAPACITY):
        now = spikes.neuron[spikes.step // presentation_steps == presentation]
        counts = np.bincount(now, minlength=PIXELS)
        lit = np.flatnonzero(counts)
        assert lit.size, "nothing was shown"
        image = int(lit[0]) // 10
        always = counts[10 * image : 10 * image + 4] == SHOWN // 2
        found.append((image, INTENSITIES[int(always.sum()) - 1]))
    return found


def ruled(counts: NDArray[np.integer], image: int, intensity: float, model: SymmetricSTDP) -> list[tuple[int, float]]:
    """The rule in plain Python: image and intensity of every presentation, and of the one that would come next."""
    found = [(image, intensity)]
    for n_spikes in counts:
        if n_spikes >= model.n_least or intensity >= model.intensity_most:
            image, intensity = image + 1, model.intensity_first
        else:
            intensity += model.intensity_step
        found.append((image, intensity))
    return found


def hidden_spikes(result: BlockResult, model: SymmetricSTDP) -> NDArray[np.int64]:
    """Spikes of the hidden layer in each presentation, those of its rest aside."""
    step, steps = result.spikes["excitatory"].step, model.sample_steps("test")
    return np.bincount(step[step % steps < SHOWN] // steps, minlength=CAPACITY)


@pytest.mark.parametrize("device", ["numpy", pytest.param("dense", marks=pytest.mark.slow)])
def test_the_program_follows_the_rule(device: str, tmp_path: Path) -> None:
    model, pictures = telling_model(), telling_images()
    state, image, intensity = telling_state(model, [1.0, 0.07, 0.0, 1.0, 0.06, 1.0]), 0, model.intensity_first
    over: list[tuple[int, float]] = []
    for _ in range(3):  # runs of six presentations each, from the state that the one before left
        result = run_images(
            model, device, tmp_path, phase="test", pictures=np.roll(pictures, -image, axis=0), state=state
        )
        expected = ruled(hidden_spikes(result, model), 0, intensity, model)
        seen = [((shown - image) % CAPACITY, bright) for shown, bright in told(result, model.sample_steps("test"))]
        assert seen == expected[:-1]
        ends = [k for k in range(CAPACITY) if expected[k + 1][0] > expected[k][0]]
        assert result.ended.tolist() == ends
        assert result.state["controller.sample"].tolist() == [0]
        over += [(image + expected[k][0], expected[k][1]) for k in ends]
        state, image, intensity = result.state, image + len(ends), expected[-1][1]
        assert result.state["controller.intensity"].tolist() == [intensity]
    levels = dict(over)
    assert levels[0] == levels[3] == 2.0, "a bright image was shown again"
    assert levels[2] == 5.0, "the image that evokes nothing did not end at the highest intensity"
    assert {levels[1], levels[4]} & {3.0, 4.0}, "no image was over between the first and the highest intensity"


def test_black_images_end_at_the_highest_intensity(tmp_path: Path) -> None:
    model = small_model(t_shown=4 * ms, t_rest=2 * ms, t_settle=1 * ms)
    program = devices.program(Structure(model, "test", "float64", "numpy", 3), tmp_path)
    pictures = np.zeros((3, PIXELS), np.uint8)
    inputs = model.inputs("test", pictures, np.zeros(3, int))
    answers = presentations.show(program, Block(first_state(model, "test"), inputs, model.run_time_values(), 1))
    assert answers.presentations.tolist() == [4, 4, 4]
    assert not answers.counts["excitatory"].any()


def test_an_endless_rule_is_a_failed_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Intensities that hardly rise do not reach the highest in time."""
    monkeypatch.setattr(presentations, "MOST", 5)
    model = small_model(t_shown=4 * ms, t_rest=2 * ms, t_settle=1 * ms, intensity_step=0.5)
    program = devices.program(Structure(model, "test", "float64", "numpy", 3), tmp_path)
    inputs = model.inputs("test", np.zeros((3, PIXELS), np.uint8), np.zeros(3, int))
    with pytest.raises(BlockFailed, match="symmetric_stdp: sample 0 of a block was shown 6 times and is not over"):
        presentations.show(program, Block(first_state(model, "test"), inputs, model.run_time_values(), 1))


def test_joined_runs_are_what_the_runs_were(tmp_path: Path) -> None:
    """The join against the single runs of the real program: last presentations, and their numbers."""
    model = small_model(n_least=13.0)
    program = devices.program(Structure(model, "train", "float64", "numpy", CAPACITY), tmp_path)
    ran: list[BlockResult] = []

    class Recording:
        structure = program.structure

        def run(self, block: Block) -> BlockResult:
            ran.append(program.run(block))
            return ran[-1]

    inputs = model.inputs("train", images(), np.arange(CAPACITY))
    answers = presentations.show(Recording(), Block(first_state(model, "train"), inputs, model.run_time_values(), 5))
    assert len(ran) > 1
    assert any(r.state["controller.intensity"][0] > 2 for r in ran[:-1]), "no run ended amid a sample"
    steps = model.sample_steps("train")
    counts: list[NDArray[np.uint16]] = []
    ended: list[int] = []
    before = 0
    for result in ran:
        length = int(CAPACITY - len(ended))
        counts.append(result.spikes["excitatory"].counts(length, steps, NEURONS))
        ended += (before + result.ended).tolist()
        before += length
    np.testing.assert_array_equal(answers.counts["excitatory"], np.concatenate(counts)[ended])
    np.testing.assert_array_equal(answers.presentations, np.diff([-1, *ended]))
    assert answers.presentations.max() > 1


def test_cursors_and_times_are_kept_relative() -> None:
    model = small_model()
    kinds = {v.name: v for v in anatomy.state(model, "train")}
    assert relative(kinds["controller.sample"], np.array([7]), 3.0, 7).tolist() == [0]
    assert relative(kinds["excitatory.lastspike"], np.array([2.5]), 3.0, 7).tolist() == [-0.5]
    assert relative(kinds["excitatory.v"], np.array([2.5]), 3.0, 7).tolist() == [2.5]
