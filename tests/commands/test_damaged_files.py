"""Files of a run that are damaged, or hold what they should not: one line that names the file, never a wrong number."""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hebbarium.commands import commandline
from hebbarium.engine.run_folder import RunFolder
from hebbarium.files.errors import EngineError
from hebbarium.ledger import ledger, operations, robustness, wall_times
from hebbarium.record import results
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from tests.analysis import synthetic

RECORD = {"command": "hebbarium train", "code": {"commit": "", "dirty": False}}
SETTINGS = {**vars(RunSettings()), **RECORD}
VALUES: list[Any] = [
    "5", 5, 5.5, None, [], {}, [[1]], True, float("inf"), float("nan"), -1, 10**30, "\0", "x" * 5000, "\ud800",
    {"a": 1},
]  # fmt: skip


def in_one_line(read: Callable[[Path], Any], path: Path) -> str:
    """What the command says where something cannot be read; empty if it can."""
    raised = None
    try:
        read(path)
    except Exception as error:
        raised = error
    if raised is None:
        return ""
    text, code = commandline._in_words(raised)
    assert "unexpected" not in text, repr(raised)
    assert code == 1
    assert "\n" not in text
    assert path.name in text
    return text


def run_folder(folder: Path, configuration: bytes) -> Path:
    run = folder / "run"
    run.mkdir()
    (run / "configuration.json").write_bytes(configuration)
    return run


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_every_type_are_taken_or_refused_with_folder_and_name(name: str, tmp_path: Path) -> None:
    refused = 0
    for number, value in enumerate(VALUES):
        (tmp_path / str(number)).mkdir()
        run = run_folder(tmp_path / str(number), json.dumps({**SETTINGS, name: value}).encode())
        text = in_one_line(Run.open, run)
        assert not text or f"{name}=" in text or (name == "changes" and "has no such parameter" in text)
        assert len(text) < 1000
        refused += bool(text)
    assert refused >= len(VALUES) // 2


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_without_one_of_them(name: str, tmp_path: Path) -> None:
    run = run_folder(tmp_path, json.dumps({k: v for k, v in SETTINGS.items() if k != name}).encode())
    assert bool(in_one_line(Run.open, run)) is (name in RECORD)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"3", b'"text"', b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 50_000, b'{"seed": 1',
        b'{"seed": ' + b"9" * 5000 + b"}", b'[["seed", 5]]', b"{}", b'{"seed": nan}', b"\0" * 100,
    ],
    ids=lambda content: repr(content[:12]),
)  # fmt: skip
def test_configurations_that_are_none(content: bytes, tmp_path: Path) -> None:
    assert in_one_line(Run.open, run_folder(tmp_path, content))


def test_a_configuration_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "run" / "configuration.json").mkdir(parents=True)
    assert in_one_line(Run.open, tmp_path / "run")
    with pytest.raises(EngineError, match="run: is not a run folder"):
        RunFolder.open(tmp_path / "run")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_result_file_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "results.nc")
    assert in_one_line(results.open_run, tmp_path)


# -- results ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "results.nc"
    results.write(synthetic.small_tree(weights=synthetic.weights(3)), path)
    return path.read_bytes()


def test_results_cut_off_anywhere(whole: bytes, tmp_path: Path) -> None:
    for length in (0, 1, 8, 100, 512, 1000, 2048, len(whole) // 2, len(whole) - 1):
        path = tmp_path / f"{length}.nc"
        path.write_bytes(whole[:length])
        assert in_one_line(results.open_run, path)


def test_results_with_a_bit_that_flipped(whole: bytes, tmp_path: Path) -> None:
    """It is told, or it is in what no reader looks at."""
    generator, told = random.Random(1), 0
    for number in range(20):
        path = tmp_path / f"{number}.nc"
        damaged = bytearray(whole)
        for _ in range(generator.choice((1, 1, 16))):
            at = generator.randrange(len(damaged))
            damaged[at] ^= 1 << generator.randrange(8)
        path.write_bytes(bytes(damaged))
        told += bool(in_one_line(results.open_run, path))
    assert told


def changed(whole: bytes, path: Path, change: Callable[[h5py.File], None]) -> Path:
    """A result file after a change."""
    path.write_bytes(whole)
    with h5py.File(path, "a") as file:
        change(file)
    return path


def test_results_without_a_part(whole: bytes, tmp_path: Path) -> None:
    names: list[str] = []
    (tmp_path / "whole.nc").write_bytes(whole)
    with h5py.File(tmp_path / "whole.nc") as file:
        file.visit(names.append)
        attributes = list(file.attrs)
    for number, name in enumerate(names):
        in_one_line(results.open_run, changed(whole, tmp_path / f"part{number}.nc", partial(without, name)))
    for number, name in enumerate(attributes):
        in_one_line(results.open_run, changed(whole, tmp_path / f"none{number}.nc", partial(without_attribute, name)))
        in_one_line(results.open_run, changed(whole, tmp_path / f"list{number}.nc", partial(with_list, name)))


def without(name: str, file: h5py.File) -> None:
    del file[name]


def without_attribute(name: str, file: h5py.File) -> None:
    del file.attrs[name]


def with_list(name: str, file: h5py.File) -> None:
    file.attrs[name] = [1, 2]


def test_results_of_other_types(whole: bytes, tmp_path: Path) -> None:
    number = 0
    for values in (np.array([b"x"] * 3), np.array(1.5), np.zeros((2, 2, 2))):
        for name in ("activity/excitatory/spike_count", "test/excitatory/label"):
            number += 1

            def replace(file: h5py.File, name: str = name, values: Any = values) -> None:
                del file[name]
                file[name] = values

            assert in_one_line(results.open_run, changed(whole, tmp_path / f"{number}.nc", replace))


# -- ledgers ---------------------------------------------------------------------------------------------------

LEDGERS: list[tuple[tuple[str, ...], Callable[[Path], Any]]] = [
    (ledger.COLUMNS, ledger.read),
    (wall_times.COLUMNS, lambda path: wall_times.table(path)[1:]),
]
OF_A_FOLDER: list[Callable[[Path], Any]] = [robustness.read, operations.read]


@pytest.mark.parametrize(("columns", "read"), LEDGERS)
@pytest.mark.parametrize("line", ["x,y", "", "\0", '"unclosed', ",".join(["x"] * 40), "\ufffd,", "1e999,nan"])
def test_ledgers_with_a_damaged_line(
    columns: tuple[str, ...], read: Callable[[Path], Any], line: str, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.csv"
    path.write_text(",".join(columns) + "\n" + line + "\n", encoding="utf-8")
    assert in_one_line(read, path) or not line


@pytest.mark.parametrize("read", OF_A_FOLDER)
@pytest.mark.parametrize(
    "line",
    [
        "x,y",
        "robustness,mnist,perturbation=noise level=much draw=0,most_active,0,accuracy,9,%,,,1,1,last,dense,float32,,",
        "operations,mnist,phase=test,,0,presentations,2,,,,1,1,last,dense,float32,,",
    ],
)
def test_ledgers_of_a_folder_with_a_damaged_line(read: Callable[[Path], Any], line: str, tmp_path: Path) -> None:
    (tmp_path / "model.csv").write_text(",".join(ledger.COLUMNS) + "\n" + line + "\n", encoding="utf-8")
    of_another = line.split(",")[0] not in ("x", read.__module__.rpartition(".")[2])
    assert bool(in_one_line(read, tmp_path)) is not of_another


@pytest.mark.parametrize(("columns", "read"), LEDGERS)
def test_ledgers_that_are_none(columns: tuple[str, ...], read: Callable[[Path], Any], tmp_path: Path) -> None:
    path, header = tmp_path / "ledger.csv", ",".join(columns).encode()
    for content in (b"\xff\xfe\xfd", header + b"\n\xff", b"\0\0", header[:-3], header + b"\n" + b"x" * 200_000):
        path.write_bytes(content)
        assert in_one_line(read, path)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(columns)
    assert read(path) == []
