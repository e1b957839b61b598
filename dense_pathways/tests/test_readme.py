"""What the README says is there, and numbers in it are those of the tables."""

from __future__ import annotations

import ast
import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dense_pathways
from side_by_side import PLAIN, read_once

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert len(links) >= 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_python_blocks_parse() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert f'set_device("{dense_pathways.NAME}"' in block
        ast.parse(block)


def test_numbers_of_examples_are_those_of_the_table() -> None:
    with (ROOT / "results" / "brian2_examples.csv").open(newline="", encoding="utf-8") as file:
        outcomes = [row["outcome"] for row in csv.DictReader(file)]
    assert set(outcomes) == {"same", "not comparable"}
    said = " ".join(README.split())
    assert f"So far {len(outcomes)} of 100 have been run" in said
    alike, without = outcomes.count("same"), outcomes.count("not comparable")
    assert f"{alike} leave the same bytes, none differs, and {without} cannot be compared" in said


def test_times_of_convolutions_are_those_of_the_table() -> None:
    with (ROOT / "results" / "convolution.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["precision"] == "double"]
    for row in rows:
        row["gain"] = f"{float(row['cpp_standalone']) / float(row[dense_pathways.NAME]):.0f}"
    said = re.findall(r"^\| (.*?) \| ([\d.]+) \| ([\d.]+) \| (\d+) \|$", README, re.MULTILINE)
    columns = ("operation", "cpp_standalone", dense_pathways.NAME, "gain")
    assert said == [tuple(row[column] for column in columns) for row in rows if row["connection"] == "40C5"]
    gains = sorted(int(row["gain"]) for row in rows if row["connection"] == "15C5")
    assert f"{gains[0]} to {gains[-1]} times where 15 kernels see one channel" in README


def test_brian2s_tests_end_alike_on_both_devices() -> None:
    with (ROOT / "results" / "brian2_suite.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 200
    assert [row["test"] for row in rows if row[dense_pathways.NAME] != row["cpp_standalone"]] == []


def test_every_example_is_listed() -> None:
    assert re.findall(r"^\| \[`(examples/\S+)`\]", README, re.MULTILINE) == [
        f"examples/{name}.py" for name in ("stdp", "competition", "same_bits")
    ]
    assert {example.stem for example in EXAMPLES} == {"stdp", "competition", "same_bits"}


def said_by(example: str, folder: Path) -> str:
    """What an example prints; what it compiles for stock is not optimised, see `side_by_side`."""
    flags = r"\ ".join([*PLAIN, read_once()])
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / example)], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "MAKEFLAGS": f"-- OPTIMISATIONS={flags}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    return done.stdout


@pytest.mark.slow
def test_stdp_prefers_active_inputs(tmp_path: Path) -> None:
    said = said_by("stdp.py", tmp_path)
    weights = re.search(r"active inputs (\S+), of the others (\S+)", said)
    assert weights, said
    active, others = map(float, weights.groups())
    assert active > others + 0.2
    assert re.search(r"^plastic_pre_codeobject\S* +dense", said, re.MULTILINE), said
    assert re.search(r"^plastic_post_codeobject\S* +dense", said, re.MULTILINE), said


@pytest.mark.slow
def test_neurons_share_out_the_patterns(tmp_path: Path) -> None:
    said = said_by("competition.py", tmp_path)
    shares = re.findall(r"pattern (\d): preferred by neurons (\[.*\])", said)
    assert len(shares) == 4, said
    neurons = [neuron for _, share in shares for neuron in ast.literal_eval(share)]
    assert sorted(neurons) == list(range(12))
    assert sum(share != "[]" for _, share in shares) >= 3, said
    sums = re.search(r"sums of weights (\S+) to (\S+)", said)
    assert sums, said
    assert 6 < float(sums[1]) <= float(sums[2]) < 10, said


@pytest.mark.slow
def test_the_bits_are_the_same(tmp_path: Path) -> None:
    said = said_by("same_bits.py", tmp_path)
    line = re.search(r"^(\d+) spikes, 60000 weights: the same bits$", said, re.MULTILINE)
    assert line, said
    assert int(line[1]) > 1000
