"""A network that is exported, trained without Python and brought back has the bits of the run that Python makes."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hebbarium.commands import commandline
from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import idx
from hebbarium.engine import block_file, devices
from hebbarium.engine.standalone import StandaloneProgram
from hebbarium.exports import project, returned
from hebbarium.exports.project import Exported
from hebbarium.exports.returned import NotReturned
from hebbarium.files import plain_files
from hebbarium.files.errors import EngineError
from hebbarium.record import results
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.training import train
from tests.engine.equal_runs import assert_same_bits

SMALL: dict[str, Any] = {"images": 60, "block": 20, "test_images": 30, "seed": 3, "snapshots": 3}
TOOLS = ("sh", "make", "as", "ld", "cat", "rm", "echo")
TRAIN = ("./train", "images/train-images.idx", "images/train-labels.idx")
TEST = ("./test", "images/test-images.idx", "images/test-labels.idx")


def tools(folder: Path, compiler: str) -> dict[str, str]:
    """An environment in which there is a compiler, make and what these need; neither Python nor a home."""
    folder.mkdir()
    for name in (*TOOLS, compiler):
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"there is no {name}")
        (folder / name).symlink_to(os.path.realpath(found) if name != compiler else found)
    return {"PATH": str(folder)}


def called(folder: Path, *command: str, environment: Mapping[str, str] | None = None, fails: bool = False) -> str:
    """What a command said in a folder."""
    done = subprocess.run(command, cwd=folder, env=dict(environment or {}), capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def made(settings: RunSettings, folder: Path, compiler: str = "g++") -> Path:
    """An exported project in a path with a space, compiled without Python."""
    out = project.write(Exported.of_settings(settings), folder / "a project")
    environment = tools(folder / "tools", compiler)
    called(out, str(folder / "tools" / "make"), f"CXX={compiler}", environment=environment)
    return out


def by_python(settings: RunSettings, folder: Path) -> Path:
    return train(settings, folder / "run")


@pytest.fixture(scope="module")
def settings() -> RunSettings:
    return RunSettings(changes={"neurons": "20", "tau_p": "20*ms"}, labels_from="last_pass", epochs=2, **SMALL)


@pytest.fixture(scope="module")
def python(settings: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that Python makes."""
    return by_python(settings, tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def trained(settings: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, exported, trained and tested by its own programs."""
    out = made(settings, tmp_path_factory.mktemp("exported"))
    called(out, *TRAIN)
    called(out, *TEST)
    return out


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    """A copy of what was trained, to be damaged."""
    shutil.copytree(trained, tmp_path / "copy", ignore=shutil.ignore_patterns("programs", "images", "driver"))
    return tmp_path / "copy"


def test_what_comes_back_has_the_bits_of_the_same_run(trained: Path, python: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    done = CliRunner().invoke(commandline.app, ["import", str(trained), "--out", str(back)])
    assert done.exit_code == 0, done.output
    assert "class mean" in done.output
    assert_same_bits(python, back)
    assert Run.open(back).settings == Run.open(python).settings
    with results.open_run(python) as tree:
        evaluation = tree["evaluation"].to_dataset()
        names = [str(name) for name in evaluation["readout"].values]
        predicted = {name: evaluation["predicted"].sel(readout=name).values.ravel() for name in names}
    with open(trained / "answers" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in names:
        assert [int(row[name]) for row in rows] == predicted[name].tolist()


def test_answers_are_asked_for_where_none_came_along(copy: Path, python: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / "answers")
    assert_same_bits(python, returned.bring_back(copy, tmp_path / "back"))


def test_other_images_are_shown_in_the_order_that_python_would_show_them_in(
    trained: Path, settings: RunSettings, tmp_path: Path
) -> None:
    images = datasets.load("mnist-embedded")
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "images": images.train_images[100:145].reshape(-1, 28, 28), "labels": images.train_labels[100:145],
        "test_images": images.test_images[:25].reshape(-1, 28, 28), "test_labels": images.test_labels[:25],
    }  # fmt: skip
    np.savez(tmp_path / "few.npz", **arrays)  # type: ignore[arg-type]
    for name, array in arrays.items():
        (tmp_path / f"{name}.idx").write_bytes(idx.encode(array.astype(np.uint8)))
    out = str(tmp_path / "trained")
    said = called(trained, "./train", str(tmp_path / "images.idx"), str(tmp_path / "labels.idx"), "--out", out)
    assert "others than the run's own" in said
    files = (str(tmp_path / "test_images.idx"), str(tmp_path / "test_labels.idx"))
    called(trained, "./test", *files, "--of", out, "--out", str(tmp_path / "answers"))
    shutil.copytree(trained, tmp_path / "copy", ignore=shutil.ignore_patterns("trained", "answers"))
    for name in ("trained", "answers"):
        shutil.move(tmp_path / name, tmp_path / "copy" / name)
    with pytest.raises(NotReturned, match=r"pixels_crc is \d+, of mnist-embedded it is .*--dataset"):
        returned.bring_back(tmp_path / "copy", tmp_path / "back")
    back = returned.bring_back(tmp_path / "copy", tmp_path / "back", dataset=str(tmp_path / "few.npz"))
    assert_same_bits(train(Run.open(back).settings, tmp_path / "again"), back)


def test_parameters_are_read_when_a_program_starts(trained: Path, tmp_path: Path) -> None:
    text = (trained / "parameters.txt").read_text()
    (trained / "parameters.txt").write_text(text.replace("\na_plus 0.005 ", "\na_plus 0.01 "))
    try:
        called(trained, *TRAIN, "--out", str(tmp_path / "changed"))
    finally:
        (trained / "parameters.txt").write_text(text)
    folders = (trained / "trained", tmp_path / "changed")
    before, after = (block_file.read(folder / "state")["plastic.w"] for folder in folders)
    assert not np.array_equal(before, after)


def test_a_trained_run_answers_before_anything_is_trained(python: Path, trained: Path, tmp_path: Path) -> None:
    out = project.write(Exported.of_run(Run.open(python)), tmp_path / "of a run")
    for name in ("programs", "test"):  # of the same structure
        shutil.rmtree(out / name, ignore_errors=True)
        (shutil.copytree if (trained / name).is_dir() else shutil.copy)(trained / name, out / name)
    called(out, *TEST)
    assert (out / "answers" / "predictions.csv").read_bytes() == (trained / "answers" / "predictions.csv").read_bytes()


def test_a_run_has_its_settings(python: Path, tmp_path: Path) -> None:
    arguments = ["export", str(python), "--seed", "1", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(commandline.app, arguments)
    assert done.exit_code == 1
    assert "--seed: " in done.stderr
    assert "is a run, which has it" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (TRAIN, "trained: is there already; nothing in it was touched"),
        (("./train", "images/train-images.idx"), "usage: ./train IMAGES LABELS"),
        (("./train", "images/train-labels.idx", "images/train-labels.idx", "--out", "x"), "is no IDX file"),
        (("./train", "images/train-images.idx", "images/test-labels.idx", "--out", "x"), "1000 labels for 6000 images"),
        (("./train", "nothing", "nothing", "--out", "x"), "nothing: cannot be opened"),
        (("./test", "images/test-images.idx", "--of", "nothing", "--out", "x"), "run ./train first"),
    ],
)
def test_programs_say_what_is_wrong(trained: Path, command: tuple[str, ...], said: str) -> None:
    assert said in called(trained, *command, fails=True)
    assert not (trained / "x").exists()


def damaged(file: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = bytearray((folder / file).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / file).write_bytes(content)

    return change


def rewritten(file: str, **arrays: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        block_file.write(folder / file, {**block_file.read(folder / file), **arrays})

    return change


def linked(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        shutil.move(folder / name, folder.parent / "elsewhere")
        (folder / name).symlink_to(folder.parent / "elsewhere")

    return change


def described(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        stored = json.loads((folder / "project.json").read_text())
        stored["pins"]["configuration"] |= changes
        (folder / "project.json").write_text(json.dumps(stored))

    return change


def other_rule(folder: Path) -> None:
    """As if the model had been written otherwise when it was exported."""
    stored = json.loads((folder / "project.json").read_text())
    network = stored["pins"]["model"]["network"]
    network[next(iter(network))] = "0" * 64
    (folder / "project.json").write_text(json.dumps(stored))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (damaged("trained/state"), "truncated or damaged"),
        (damaged("trained/blocks/000001"), "truncated or damaged"),
        (damaged("answers/blocks/000000"), "truncated or damaged"),
        (linked("trained/state"), "is a link"),
        (linked("trained"), "is a link"),
        (rewritten("trained/state", **{"plastic.w": np.zeros(3)}), r"plastic.w has 3 values, expected 15680"),
        (rewritten("trained/state", **{"plastic.w": np.full(15680, np.nan)}), "no finite numbers"),
        (rewritten("trained/state", more=np.zeros(1)), "holds more, which is no state"),
        (rewritten("trained/blocks/000000", excitatory=np.zeros(7, np.uint16)), "has 7 values .* expected 20 x 20"),
        (rewritten("trained/blocks/000000", more=np.zeros(7)), "holds excitatory, more, expected excitatory"),
        (rewritten("trained/snapshots/000020", **{"plastic.w": np.zeros(3)}), "is not what the network has"),
        (rewritten("trained/summary", blocks=np.array([7])), "blocks is 7"),
        (lambda folder: (folder / "trained" / "summary").unlink(), "was ./train run in it"),
        (lambda folder: os.truncate(folder / "trained" / "state", 2**30), "expected .* at most"),
        (lambda folder: (folder / "project.json").write_text("[]"), "project.json: is damaged"),
        (described(model="../evil.py"), "files of the folder are not run"),
        (described(model="nothing"), "model 'nothing' is not known"),
        (described(block="many"), "block='many': expected a whole number"),
        (described(code=3), "code=3: expected the commit"),
        (other_rule, "the model is not what the run began with"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_brought_back(
    copy: Path, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    change(copy)
    with pytest.raises((EngineError, ValueError), match=said):
        returned.bring_back(copy, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_pipe_is_not_waited_for(copy: Path, tmp_path: Path) -> None:
    (copy / "trained" / "state").unlink()
    os.mkfifo(copy / "trained" / "state")
    with pytest.raises(NotReturned, match="not a plain file"):
        returned.bring_back(copy, tmp_path / "back")


def test_a_project_says_nothing_of_this_computer(trained: Path) -> None:
    here = [str(Path.home()).encode(), str(Path(project.__file__).parents[1].resolve()).encode(), b"site-packages"]
    files = [file for file in trained.rglob("*") if file.is_file() and file.suffix not in (".o", ".d")]
    made_by_make = {trained / "train", trained / "test", *(trained / "programs").glob("*/main")}
    for file in set(files) - made_by_make:
        content = plain_files.read(file)
        assert not [text for text in here if len(text) > 5 and text in content], file


def test_licences_of_what_is_inside_come_along(trained: Path) -> None:
    texts = {file.name: file.read_text() for file in (trained / "LICENSES").iterdir()}
    assert set(texts) == {"hebbarium.txt", "brian2.txt", "images.txt"}
    assert "BSD 3-Clause" in texts["hebbarium.txt"]
    assert "CeCILL" in texts["brian2.txt"]
    readme = (trained / "README.md").read_text()
    assert "CeCILL 2.1" in readme
    assert "$" not in readme


def test_nothing_is_written_over(trained: Path, settings: RunSettings) -> None:
    with pytest.raises(EngineError, match="exists already; nothing in it was touched"):
        project.write(Exported.of_settings(settings), trained)


# -- the other models, devices and compilers -----------------------------------------------------------------
FORMS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "labelling": ("synaptic_scaling", {"neurons": "20", "norm": "L1", "w_t": "80"}, {
        "labels_from": "labelling", "labelling_images": 50, "evaluate_on": "validation", "validation": 40}),
    "lit pixels": ("synaptic_scaling", {"neurons": "20", "norm": "none", "rate_coding": "binary"}, {}),
    "by latency": ("synaptic_scaling", {"neurons": "20", "encoder": "latency"}, {"precision": "float64"}),
    "shown again": ("diehl_cook", {"neurons": "20"}, {"epochs": 2}),
    "delays": ("diehl_cook", {"neurons": "20", "delays": "uniform"}, {"device": "cpp", "images": 30}),
    "two layers of phases": ("symmetric_stdp", {"neurons": "20"}, {"epochs": 2}),
    "two hidden layers": ("symmetric_stdp", {"neurons": "20", "hidden": "2"}, {"schedule": "simultaneous"}),
    "desires": ("desire_backprop", {"layers": "20,15"}, {"epochs": 2}),
    "batches": ("timing_backprop", {"layers": "20"}, {"epochs": 2}),
    "optimiser": ("tssl_backprop", {"layers": "20"}, {"epochs": 2}),
    "earliest spike": ("s4nn", {"layers": "20"}, {}),
}  # fmt: skip


def with_programs_of(run: Path, driver: Path, folder: Path) -> Path:
    """A project with the programs that a run has compiled, and the driver of another: what make would make."""
    exported = Exported.of_settings(Run.open(run).settings)
    out = project.write(exported, folder / "project")
    for structure in exported.plan.structures:
        program = devices.program(structure, folder / "scratch")
        assert isinstance(program, StandaloneProgram)
        shutil.copy(program.path / "main", out / "programs" / structure.phase / "main")
    for name in ("train", "test"):
        shutil.copy(driver / name, out / name)
    return out


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_every_model_comes_back_with_the_bits_of_the_same_run(form: str, trained: Path, tmp_path: Path) -> None:
    model, changes, more = FORMS[form]
    settings = RunSettings(model=model, changes=changes, **{**SMALL, **more})
    run = by_python(settings, tmp_path)
    out = with_programs_of(run, trained, tmp_path)
    called(out, *TRAIN)
    part = "train" if settings.evaluate_on == "validation" else "test"
    called(out, "./test", f"images/{part}-images.idx", f"images/{part}-labels.idx")
    assert_same_bits(run, returned.bring_back(out, tmp_path / "back"))


@pytest.mark.long
def test_standalone_programs_are_made_without_python(settings: RunSettings, tmp_path: Path) -> None:
    settings = dataclasses.replace(settings, device="cpp")
    out = made(settings, tmp_path)
    called(out, *TRAIN)
    called(out, *TEST)
    assert_same_bits(by_python(settings, tmp_path), returned.bring_back(out, tmp_path / "back"))


@pytest.mark.long
def test_another_compiler_has_the_bits_of_its_own(
    settings: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = made(settings, tmp_path, "clang++")
    called(out, *TRAIN)
    called(out, *TEST)
    monkeypatch.setenv("CXX", "clang++")
    assert_same_bits(by_python(settings, tmp_path), returned.bring_back(out, tmp_path / "back"))


@pytest.mark.long
def test_it_is_made_for_another_processor(settings: RunSettings, tmp_path: Path) -> None:
    out = project.write(Exported.of_settings(settings), tmp_path / "a project")
    said = called(out, "make", "ARCH=x86-64", environment=tools(tmp_path / "tools", "g++"))
    assert "-march=x86-64" in said
    assert "-march=native" not in said
    called(out, *TRAIN)


OWN = '''
from hebbarium.models.synaptic_scaling import SynapticScaling


class WithoutDepression(SynapticScaling):
    """An input spike leaves the weight as it is."""

    name = "without_depression"
    paper = "none"
    depression = ""
'''


@pytest.mark.long
def test_a_model_of_ones_own_is_exported_and_brought_back(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN)
    settings = RunSettings(model=str(file), changes={"neurons": "20"}, labels_from="all", **SMALL)
    out = made(settings, tmp_path)
    called(out, *TRAIN)
    assert (out / "source" / "own.py").read_text() == OWN
    with pytest.raises(NotReturned, match=r"own\.py, and files of the folder are not run"):
        returned.bring_back(out, tmp_path / "back")
    file.write_text(OWN + "\n# another one\n")
    with pytest.raises(ValueError, match="is not as it was"):
        returned.bring_back(out, tmp_path / "back", model=str(file))
    file.write_text(OWN)
    back = returned.bring_back(out, tmp_path / "back", model=str(file))
    assert_same_bits(by_python(settings, tmp_path), back)
