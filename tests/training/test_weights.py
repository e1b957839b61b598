"""Weights of a user's own: a run begins with them, to the bit; what does not fit is refused by name."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from hebbarium.commands import commandline
from hebbarium.engine import anatomy, devices, run_folder
from hebbarium.files.errors import RunFolderError
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.record import results
from hebbarium.training import training, weights
from hebbarium.training.run_settings import RunSettings

SETTINGS = RunSettings(
    "synaptic_scaling", {"neurons": 6, "t_train": "10*ms", "t_test": "10*ms", "gain": "10*ms"},
    images=4, test_images=6, block=4, device="numpy", labels_from="all", snapshots=1,
)  # fmt: skip
MODEL = SynapticScaling(neurons=6)
NAME = "input_to_excitatory"
ENDINGS = [".npz", ".csv", ".nir"]


@pytest.fixture(scope="module")
def w() -> NDArray[np.float32]:
    return np.random.default_rng(1).random((784, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, w: NDArray[np.float32]) -> Path:
    path = tmp_path_factory.mktemp("weights") / "mine.npz"
    np.savez(path, input_to_excitatory=w)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, file: Path) -> Path:
    out = tmp_path_factory.mktemp("begun") / "run"
    return training.train(dataclasses.replace(SETTINGS, weights_from=str(file)), out)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read_again_to_the_bit(ending: str, w: NDArray[np.float32], tmp_path: Path) -> None:
    path = tmp_path / f"w{ending}"
    assert weights.write({"plastic.w": w.ravel()}, MODEL, path) == (NAME,)
    (name, array), = weights.read(path, MODEL).items()  # fmt: skip
    assert name == "plastic.w"
    assert array.astype(np.float32).tobytes() == w.tobytes()


def test_a_run_begins_with_them_and_says_so(run: Path, w: NDArray[np.float32], file: Path) -> None:
    with results.open_run(run) as tree:
        snapshots = results.array(tree, f"weights/{NAME}/w")
        options = results.decoded(tree)["options"]
    assert np.array_equal(snapshots[0], w)
    assert not np.array_equal(snapshots[-1], w)
    assert options["weights_from"] == str(file)
    assert len(json.loads((run / run_folder.PINS).read_text())["weights_from"]) == 64


def test_a_run_whose_weights_were_changed_since_is_not_resumed(run: Path, file: Path, w: NDArray[np.float32]) -> None:
    (run / "results.nc").unlink()
    for checkpoint in (run / run_folder.CHECKPOINTS).iterdir():
        checkpoint.unlink()
    content = file.read_bytes()
    np.savez(file, input_to_excitatory=w / 2)
    with pytest.raises(RunFolderError, match="with whose weights it was to begin, holds others now"):
        training.resume(run)
    file.write_bytes(content)
    training.resume(run)


def test_the_weights_of_a_run_are_written(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(commandline.app, ["weights", str(run), "--out", str(tmp_path / "new" / "w.npz")])
    assert done.exit_code == 0, done.output
    last = run_folder.last_checkpoint(run)
    assert last is not None
    with np.load(tmp_path / "new" / "w.npz", allow_pickle=False) as stored:
        assert np.array_equal(stored[NAME].ravel(), last[1]["plastic.w"])
    refused = CliRunner().invoke(commandline.app, ["weights", str(run), "--out", str(tmp_path / "w.mat")])
    assert "expected a name that ends in .npz, .csv, .nir" in refused.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"input_to_nowhere": np.ones((784, 6))}, "'input_to_nowhere', which is no projection of synaptic_scaling"),
        ({NAME: np.ones((784, 7))}, "has shape (784, 7), expected (784, 6)"),
        ({NAME: np.ones((6, 784))}, "it is (targets, sources), turn it round"),
        ({NAME: np.full((784, 6), np.nan)}, "is nan at (0, 0), expected numbers"),
        ({NAME: np.full((784, 6), -0.1)}, "4,704 weights of 'input_to_excitatory' are beyond 0 to 9"),
        ({NAME: np.full((784, 6), 255)}, "the first at (0, 0), 255; scale them"),
        ({NAME: np.full((784, 6), "a")}, "has type <U1, expected numbers"),
        ({NAME: np.array([object()])}, "is no NPZ file of plain arrays"),
        ({NAME: np.zeros((4000, 1000), np.uint8)}, "unpacks to 4,000,128 bytes"),
        ({}, "holds no weights"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_before_anything_is_made(
    changed: dict[str, NDArray[Any]], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "program", lambda *_: pytest.fail("something was compiled"))
    np.savez_compressed(tmp_path / "w.npz", **changed)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="--weights-from") as error:
        training.train(dataclasses.replace(SETTINGS, weights_from=str(tmp_path / "w.npz")), tmp_path / "run")
    assert said in str(error.value)
    assert not (tmp_path / "run").exists()


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    def said(name: str, content: bytes | None) -> str:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name) as error:
            weights.read(tmp_path / name, MODEL)
        return str(error.value)

    assert "cannot be read (No such file or directory)" in said("nowhere.npz", None)
    assert "expected a file that ends in .npz, .csv, .nir" in said("w.mat", b"")
    assert "is no NPZ file" in said("w.npz", b"PK nothing")
    assert "expected a line of numbers for each source" in said("w.csv", b"a,b\n1,2\n")
    assert "is no NIR file" in said("w.nir", b"nothing")
    assert "too many for the 4,704 weights" in said("large.csv", b"1," * 700_000)


def test_a_network_of_several_projections_is_told_them_apart_by_name(tmp_path: Path) -> None:
    model = SymmetricSTDP(neurons=5, pixels=9)
    state = {p.variable: np.full(p.shape[0] * p.shape[1], 0.25) for p in anatomy.projections(model)}
    names = [p.name for p in anatomy.projections(model)]
    assert len(names) == 2
    weights.write(state, model, tmp_path / "both.nir")
    assert {name: array.tolist() for name, array in weights.read(tmp_path / "both.nir", model).items()} == {
        name: array.tolist() for name, array in state.items()
    }
    with pytest.raises(ValueError, match="name it by --projection"):
        weights.write(state, model, tmp_path / "both.csv")
    one = tmp_path / f"{names[1]}.csv"
    assert weights.write(state, model, one, names[1]) == (names[1],)
    assert list(weights.read(one, model)) == [anatomy.projections(model)[1].variable]
    with pytest.raises(ValueError, match="a CSV file holds one projection, and is named after it"):
        weights.read(one.rename(tmp_path / "other.csv"), model)


def test_weights_and_another_run_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="the run begins with runs/before as well; keep one"):
        RunSettings(warm_start="runs/before", weights_from="w.npz")
