"""A run that is looked at while it trains: after each block there is what the result file will say of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbarium.record import results
from hebbarium.training import checkpoints, so_far, training
from hebbarium.training.progress import QuietReporter
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.so_far import Course, RunSoFar

BLOCKS, BLOCK = 4, 10


class Onlooker(QuietReporter):
    """Looks at the run after each block of training, as another process would."""

    def __init__(self, path: Path) -> None:
        self.path, self.training = path, False
        self.looks: list[tuple[Course, tuple[object, ...]]] = []
        self.running: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []
        self._run: RunSoFar | None = None

    def stage(self, title: str, total: int, done: int = 0) -> None:
        self.training = title == "Training"
        if self.training:
            self._run = RunSoFar(Run.open(self.path))
            tree, course = self._run.look()
            assert tree is None
            assert course.in_use

    def advance(self, samples: int, note: str = "") -> None:
        if not self.training:
            return
        assert self._run is not None
        before = self._run.state
        tree, course = self._run.look()
        assert tree is not None
        with tree:
            self.running.append(results.array(tree, "evaluation/running_accuracy"))
            self.weights.append(results.array(tree, "weights/input_to_hidden_1/w")[-1])
        self.looks.append((course, before))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Onlooker]:
    out = tmp_path_factory.mktemp("so_far") / "run"
    asked = RunSettings(
        model="desire_backprop", changes={"layers": "6", "steps": "5", "margin": "1", "eta": "1e-3"},
        images=BLOCKS * BLOCK, block=BLOCK, test_images=20, snapshots=1, device="numpy",
    )  # fmt: skip
    onlooker = Onlooker(out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "EVERY", 0.0)  # a checkpoint a block
        training.train(asked, out, onlooker)
    return out, onlooker


def test_each_block_is_seen_though_the_result_file_is_written_at_the_end(seen: tuple[Path, Onlooker]) -> None:
    _, onlooker = seen
    courses = [course for course, _ in onlooker.looks]
    assert [course.seen for course in courses] == [BLOCK * (k + 1) for k in range(BLOCKS)]
    assert {course.total for course in courses} == {BLOCKS * BLOCK}
    assert [course.stage for course in courses] == ["training"] * (BLOCKS - 1) + ["labelling and testing"]
    assert all(course.in_use and not course.note for course in courses)
    assert len({state for _, state in onlooker.looks}) == BLOCKS  # each block is news
    assert not np.array_equal(onlooker.weights[0], onlooker.weights[-1])


def test_what_was_seen_is_what_the_result_file_says(seen: tuple[Path, Onlooker]) -> None:
    out, onlooker = seen
    with results.open_run(out) as tree:
        final = results.array(tree, "evaluation/running_accuracy")
        for k, running in enumerate(onlooker.running):
            np.testing.assert_array_equal(running, final[: k + 1])
        np.testing.assert_array_equal(onlooker.weights[-1], results.array(tree, "weights/input_to_hidden_1/w")[-1])


def test_a_complete_run_is_its_result_file(seen: tuple[Path, Onlooker]) -> None:
    out, _ = seen
    tree, course = RunSoFar(Run.open(out)).look()
    assert course == Course("complete", BLOCKS * BLOCK, BLOCKS * BLOCK, in_use=False)
    assert tree is not None
    with tree:
        assert tree.attrs["complete"]


def test_a_network_too_large_to_look_at_on_the_way_shows_its_result_file(
    seen: tuple[Path, Onlooker], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = seen
    monkeypatch.setattr(so_far, "MOST", 3)
    monkeypatch.setattr(Run, "is_complete", False)
    tree, course = RunSoFar(Run.open(out)).look()
    assert "spike counts are more than are looked at on the way (3)" in course.note
    assert tree is not None
    tree.close()
