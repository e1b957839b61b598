"""What README.md and the pages of docs tell people to type works as it stands there; README is short."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hebbarium.catalogue import registry
from hebbarium.catalogue.description import describe
from hebbarium.record import results

ROOT = Path(__file__).parents[1]
_MADE = (ROOT / ".gitignore").read_text().split()
DOCUMENTS = (
    "README.md",
    *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md")) if f"/docs/{file.name}" not in _MADE),
)
LINES, ROWS = 150, 10
"""What README may have: lines, and rows of a table."""


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / document).read_text(), re.DOTALL | re.MULTILINE)


def commands(document: str) -> list[str]:
    """Commands of ``hebbarium`` in blocks of bash, but for those marked as long."""
    lines = [line for block in blocks(document, "bash") for line in block.splitlines()]
    return [line for line in lines if line.startswith("hebbarium") and "# long" not in line]


def test_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= LINES
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert tables
    assert max(table.count("\n") - 2 for table in tables) <= ROWS
    assert text.count("![") == 1


def type_all(typed: list[str], folder: Path) -> None:
    """Type commands, in order, as someone would in a folder of their own."""
    tool = Path(sys.executable).parent / "hebbarium"
    environment = {k: v for k, v in os.environ.items() if k != "HEBBARIUM_DATA"}
    for line in typed:
        words = shlex.split(line, comments=True)
        done = subprocess.run(
            [str(tool), *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which someone typed all of README."""
    folder = tmp_path_factory.mktemp("reader")
    typed = list(dict.fromkeys(commands("README.md")))
    assert len(typed) >= 6
    type_all(typed, folder)
    return folder


def test_commands_of_readme(followed: Path) -> None:
    assert (followed / "runs/digits/results.nc").is_file()
    assert any((followed / "runs/digits/figures").iterdir())
    with results.open_run(followed / "runs/tau_20") as tree:
        assert results.decoded(tree)["parameters"]["tau_p"] == "20*ms"


@pytest.mark.long
def test_commands_of_the_docs(followed: Path) -> None:
    for code in (*blocks("docs/own_images.md", "python"), *blocks("docs/own_spikes.md", "python")):
        subprocess.run([sys.executable, "-c", code], cwd=followed, check=True)
    seen = commands("README.md")
    typed = [line for document in DOCUMENTS for line in commands(document) if line not in seen]
    assert typed
    type_all(list(dict.fromkeys(typed)), followed)


def test_a_rule_is_changed_in_one_file(tmp_path: Path) -> None:
    (code,) = [block for block in blocks("README.md", "python") if "class " in block]
    (tmp_path / "changed.py").write_text(code)
    kind = registry.find(str(tmp_path / "changed.py"))
    assert "a_minus*y_post" in describe(registry.find("synaptic_scaling")())
    assert "a_minus*y_post" not in describe(kind())


def test_opening_a_run_takes_two_lines(followed: Path) -> None:
    text = (ROOT / "docs" / "runs.md").read_text()
    (code,) = blocks("docs/runs.md", "python")
    assert code in blocks("README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) == 2
    paths = re.findall(r'`run\["([^"]+)"\]` \| `(.*?)` [|(]', text.replace("`, `", " "))
    assert len(paths) >= 5
    checks = "".join(f"assert run[{path!r}].dims == {tuple(dims.split())!r}, {path!r}\n" for path, dims in paths)
    done = subprocess.run(
        [sys.executable, "-c", code + checks], cwd=followed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
