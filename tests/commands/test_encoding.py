"""``hebbarium encode``: what it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hebbarium.commands import commandline
from hebbarium.ledger import ledger
from hebbarium.studies import encodings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def encode(*words: object) -> Result:
    return CliRunner().invoke(commandline.app, ["encode", *map(str, words)])


def test_numbers_become_spikes_and_are_decoded(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("0,1,2\n4,0,1\n")
    result = encode(
        "--numbers", file, "--encoder", "latency", "--encoder", "geometric", "--set", "t_shown=100*ms", "--trials", 2,
        "--seeds", "0-1", "--out", tmp_path / "out", "--results", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    # white is the largest number, 4; of fifty steps, a level of 0.25 waits 37
    assert "| 0.250 | 0.260 |" in result.stdout
    assert "| latency | 2.0 |" in result.stdout
    with np.load(tmp_path / "out" / "spikes.npz") as spikes:
        assert spikes["latency"].tolist() == [[0, 25, 2], [0, 37, 1], [1, 0, 0], [1, 37, 2]]
        assert spikes["geometric"].shape[1] == 3
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "costs.png", "encodings.md", "spikes.npz", "spikes.png"
    }  # fmt: skip
    rows = ledger.read(tmp_path / encodings.LEDGER)
    assert {(row.setting, row.seed) for row in rows} == {
        (f"encoder={name} t_shown=100*ms", seed) for name in ("latency", "geometric") for seed in (0, 1)
    }
    assert {row.dataset for row in rows} == {"own"}


def test_images_become_spikes(tmp_path: Path) -> None:
    result = encode("--images", 2, "--encoder", "phase", "--trials", 1, "--out", tmp_path, "--format", "svg")
    assert result.exit_code == 0, result.output
    levels = encodings.test_images("mnist-embedded", None, 2)
    assert f"| phase | {7 * (levels > 0).sum() / 2:,.1f} |" in result.stdout
    assert (tmp_path / "spikes.svg").is_file()
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--numbers", "1,-2"], "--numbers -2: is negative; expected 0 or more"),
        (["--numbers", "1,two"], "--numbers 1,two: expected numbers with commas between"),
        (["--numbers", "1,nan"], "expected one finite number or more"),
        (["--numbers", "1,3", "--most", 2], "--numbers 3: is more than what is white, --most 2"),
        (["--numbers", "0,0"], "--most 0: expected more than 0"),
        (["--numbers", "missing.csv"], "missing.csv"),
        (["--images", 10_000], "--images 10000: mnist-embedded has"),
        (["--encoder", "morse"], "encoder"),
        (["--set", "max_rate=-1*Hz"], "max_rate=-1"),
        (["--set", "rate=1*Hz"], "rate"),
    ],
)
def test_what_is_wrong_is_named(words: list[object], said: str, tmp_path: Path) -> None:
    result = encode(*words, "--out", tmp_path / "out")
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("hebbarium: ")
    assert said in line
    assert not (tmp_path / "out").exists()
