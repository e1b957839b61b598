"""No two experiments in one run: what it began with is kept, and what would mix is refused, naming what changed."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hebbarium.catalogue import own_models
from hebbarium.commands import commandline
from hebbarium.datasets.labelled_images import DatasetError
from hebbarium.engine import devices, run_folder, sources
from hebbarium.engine.contract import Arrays
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import RunFolderError
from hebbarium.training import evaluation, many_runs, pins, training
from hebbarium.training.many_runs import PlannedRun
from hebbarium.training.progress import QuietReporter
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings

RULE = """
from dataclasses import dataclass
from hebbarium.models.synaptic_scaling import SynapticScaling
from mine import step
@dataclass(frozen=True, eq=False)
class Rule(SynapticScaling):
    name = "rule"
    paper = "none"
    potentiation = f"w = clip(w + {step}*a_plus*x_pre, w_min, w_max)\\n"
"""


class Said(QuietReporter):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def message(self, text: str) -> None:
        self.texts.append(text)


def trained_state(path: Path, trust_model: bool = False) -> Arrays:
    return Run.open(path, trust_model=trust_model).state


def write_images(file: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images, tested = rng.integers(0, 256, (2, 40, 28, 28), np.uint8)
    np.savez(file, images=images, labels=np.arange(40) % 10, test_images=tested, test_labels=np.arange(40) % 10)


@pytest.fixture(scope="module")
def asked() -> RunSettings:
    """Runs without compiling, of presentations as short as will do."""
    short = {"neurons": "5", "t_train": "15*ms", "t_test": "15*ms"}
    return RunSettings(
        model="my rule.py", changes=short, dataset="mine.npz", images=10, block=10, test_images=5,
        validation=10, device="numpy", labels_from="all",
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(asked: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, images and a complete run of both, all by relative paths."""
    folder = tmp_path_factory.mktemp("pins")
    (folder / "my rule.py").write_text(RULE)
    (folder / "mine.py").write_text("step = 0.5\n")
    write_images(folder / "mine.npz", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        training.train(asked, Path("run"))
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same at its own place, restored after each test; nothing is trusted yet, and we are somewhere else."""
    kept = shutil.copytree(made, tmp_path / "kept")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(own_models, "_trusted", set())
    yield made
    shutil.rmtree(made)
    shutil.copytree(kept, made)


@pytest.fixture
def run(place: Path) -> Path:
    """The run, as if it had been interrupted before its results were written."""
    (place / "run" / "results.nc").unlink()
    return place / "run"


def test_a_run_goes_on_from_another_folder(run: Path) -> None:
    training.resume(run, trust_model=True)
    assert Run.open(run).is_complete
    stored = run_folder.configuration(run)
    assert Path(stored["dataset"]).is_absolute()
    assert Path(stored["model"]).is_absolute()
    assert (run / "source" / "my rule.py").read_text() == RULE
    assert (run / "source" / "mine.py").is_file()


@pytest.mark.parametrize(
    ("name", "value"), [("seed", 5), ("images", 12), ("changes", {"neurons": "6"}), ("epochs", 2), ("device", "cpp")]
)
def test_edited_settings_are_refused(name: str, value: Any, run: Path) -> None:
    file = run / "configuration.json"
    stored = json.loads(file.read_text())
    before, stored[name] = stored[name], value
    file.write_text(json.dumps(stored))
    for go_on in (training.resume, evaluation.evaluate, Run.open):
        with pytest.raises(RunFolderError, match="was edited since the run began") as error:
            go_on(run)
        assert f"{name} was {before!r} and is {value!r}" in str(error.value)


def test_the_number_of_processes_may_be_edited(run: Path) -> None:
    file = run / "configuration.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "jobs": 2}))
    assert Run.open(run).settings.jobs == 2


@pytest.mark.parametrize("edit", [lambda f: f.write_text(f.read_text().replace("0", "1")), lambda f: f.unlink()])
def test_what_is_kept_is_not_edited_either(edit: Any, run: Path) -> None:
    edit(run / "pins.json")
    with pytest.raises(RunFolderError, match=r"pins\.json: (is not as it was|cannot be read)"):
        training.resume(run, trust_model=True)


def test_other_images_are_refused(run: Path) -> None:
    write_images(run.parent / "mine.npz", 1)
    with pytest.raises(RunFolderError, match=r"its images, mine\.npz, are not those that it began with"):
        training.resume(run, trust_model=True)
    with pytest.raises(RunFolderError, match="are not those that it began with"):
        assert Run.open(run).images


def test_evaluation_of_other_images_is_refused_unless_they_are_named(place: Path) -> None:
    write_images(place / "mine.npz", 1)
    with pytest.raises(RunFolderError, match="are not those that it began with"):
        evaluation.evaluate(place / "run", trust_model=True)
    evaluation.evaluate(place / "run", dataset=str(place / "mine.npz"), trust_model=True)


@pytest.mark.parametrize("name", ["my rule.py", "mine.py"])
def test_an_edited_model_is_refused(name: str, run: Path) -> None:
    with (run.parent / name).open("a") as file:
        file.write("\nopen('ran', 'w')\n")
    for go_on in (training.resume, trained_state):
        with pytest.raises(ValueError, match=f"is not as it was when .* began: changed: {name}"):
            go_on(run, trust_model=True)
    assert not Path("ran").exists()


def test_no_file_of_a_run_is_run_unasked(run: Path) -> None:
    for go_on in (training.resume, trained_state, evaluation.evaluate):
        with pytest.raises(ValueError, match="say --trust-model"):
            go_on(run)


def test_our_own_model_and_engine_are_pinned(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = sources._read

    def changed(what: str) -> None:
        monkeypatch.setattr(
            sources, "_read", lambda f: read(f) + what.encode() if f.name == "homeostasis.py" else read(f)
        )

    changed("# a comment\n'and a description'\n")
    trained_state(run, trust_model=True)
    changed("A = 1\n")
    for go_on in (training.resume, trained_state):
        changed_module = r"the model is not what the run began with: hebbarium\.equations\.homeostasis"
        with pytest.raises(RunFolderError, match=changed_module):
            go_on(run, trust_model=True)
    monkeypatch.undo()
    pins._engine.cache_clear()
    shaping = devices.shaping()
    monkeypatch.setattr(devices, "shaping", lambda: {**shaping, "engine/streams.py": b"another = 1"})
    with pytest.raises(RunFolderError, match=r"the engine is not what the run began with: engine/streams\.py"):
        training.resume(run, trust_model=True)
    pins._engine.cache_clear()


def test_another_brian2_is_refused_and_another_numpy_is_said(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = sources.versions()
    monkeypatch.setattr(sources, "versions", lambda: {**here, "numpy": "9.9"})
    assert pins.refuse_engine(run, pins.read(run)) == [
        f"{run}: goes on with numpy 9.9, began with {here['numpy']}: bits may differ from those of one go"
    ]
    monkeypatch.setattr(sources, "versions", lambda: {**here, "brian2": "9.9"})
    with pytest.raises(RunFolderError, match=r"Brian2 is not .*brian2 \(was .*, is 9\.9\)"):
        training.resume(run, trust_model=True)


def test_a_run_of_which_nothing_was_kept_goes_on_and_says_so(run: Path) -> None:
    stored = run_folder.configuration(run)
    del stored["pins"]
    (run / "configuration.json").write_text(json.dumps(stored))
    (run / "pins.json").unlink()
    said = Said()
    training.resume(run, said, trust_model=True)
    assert [text for text in said.texts if "not kept" in text] == [pins.UNPINNED.format(run=run)]
    told = CliRunner().invoke(commandline.app, ["figures", str(run)])
    assert told.exit_code == 0
    assert told.stderr.strip() == pins.UNPINNED.format(run=run)


def test_files_that_were_moved_are_found_again(run: Path, tmp_path: Path) -> None:
    for name in ("mine.npz", "my rule.py", "mine.py"):
        shutil.move(run.parent / name, tmp_path / name)
    moved_run = Path(shutil.move(run, tmp_path / "elsewhere"))
    with pytest.raises(ValueError, match=r"my rule\.py: no such file"):
        training.resume(moved_run, trust_model=True)
    with pytest.raises(DatasetError, match=r"mine\.npz: no such file"):
        training.resume(moved_run, moved={"model": str(tmp_path / "my rule.py")})
    training.resume(moved_run, moved={"dataset": str(tmp_path / "mine.npz")})
    assert Run.open(moved_run).is_complete
    evaluation.evaluate(moved_run)


def test_other_files_are_not_taken_for_those_that_were_moved(run: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "other.npz", 1)
    (tmp_path / "rule.py").write_text(RULE + "open('ran', 'w')\n")
    with pytest.raises(RunFolderError, match="are not those that it began with"):
        training.resume(run, moved={"dataset": str(tmp_path / "other.npz")})
    with pytest.raises(ValueError, match="is not as it was"):
        training.resume(run, moved={"model": str(tmp_path / "rule.py")})
    assert not (run / "places.json").exists()
    assert not (tmp_path / "ran").exists()


def test_many_runs_do_not_mix_either(place: Path, asked: RunSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    planned = PlannedRun("run", asked, Path("run"))
    assert many_runs.is_done(planned)
    assert many_runs.is_done(PlannedRun("run", pins.located(asked), place / "run"))
    write_images(place / "mine.npz", 1)
    with pytest.raises(RunFolderError, match="are not those that it began with"):
        many_runs.is_done(planned)
    write_images(place / "mine.npz", 0)
    (place / "mine.py").write_text("step = 0.6\n")
    with pytest.raises(ValueError, match=r"changed: mine\.py"):
        many_runs.is_done(planned)


def test_what_is_read_off_results_needs_no_model(place: Path) -> None:
    for words in (["figures"], ["resume", "--no-figures"]):
        done = CliRunner().invoke(commandline.app, [words[0], str(place / "run"), *words[1:]])
        assert done.exit_code == 0, done.stderr


# -- going on from another run -------------------------------------------------------------------------------
@pytest.fixture
def warm(place: Path, asked: RunSettings) -> RunSettings:
    own_models.trust(place / "my rule.py")
    return dataclasses.replace(
        asked, model=str(place / "my rule.py"), dataset=str(place / "mine.npz"), warm_start=str(place / "run")
    )


def test_a_run_that_has_seen_what_is_held_out_is_refused(warm: RunSettings, tmp_path: Path) -> None:
    held_out = dataclasses.replace(warm, evaluate_on="validation")
    with pytest.raises(ValueError, match=r"was trained on \d+ of the validation images of this run"):
        training.train(dataclasses.replace(held_out, seed=1), tmp_path / "warm")
    assert not (tmp_path / "warm").exists()
    said = Said()
    training.train(dataclasses.replace(warm, seed=1), tmp_path / "tested", said)
    assert any("of the images that are held out here" in text for text in said.texts)
    training.train(held_out, tmp_path / "the same")
    # the run that comes before the one before counts as well
    third = dataclasses.replace(held_out, seed=1, images=5, warm_start=str(tmp_path / "the same"))
    with pytest.raises(ValueError, match="of the validation images"):
        training.train(third, tmp_path / "third")


def test_the_same_images_in_another_set_are_found_out(warm: RunSettings, tmp_path: Path) -> None:
    with np.load(warm.dataset) as given:
        arrays = dict(given)
    np.savez(tmp_path / "turned.npz", **{**arrays, "test_images": arrays["images"], "test_labels": arrays["labels"]})
    with pytest.raises(ValueError, match=r"was trained on \d+ of the test images of this run"):
        training.train(
            dataclasses.replace(warm, dataset=str(tmp_path / "turned.npz"), test_images=40), tmp_path / "warm"
        )


def test_the_state_that_a_run_begins_with_is_pinned(warm: RunSettings, tmp_path: Path, place: Path) -> None:
    out = training.train(warm, tmp_path / "warm")
    (out / "results.nc").unlink()
    training.resume(out)
    (out / "results.nc").unlink()
    shutil.rmtree(out / "checkpoints")
    other = training.train(dataclasses.replace(warm, warm_start=None, seed=1), tmp_path / "other")
    trained = run_folder.last_checkpoint(other)
    assert trained is not None
    with RunFolder.open(place / "run") as held:
        held.write_checkpoint(*trained)
    with pytest.raises(RunFolderError, match="with whose state it was to begin, was trained further or changed"):
        training.resume(out)
