"""What README and CONTRIBUTING tell people to type works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hebbarium.ledger import ledger
from hebbarium.record import results

ROOT = Path(__file__).parents[1]


def commands(document: str) -> list[str]:
    """Commands of ``hebbarium`` in blocks of bash, but for those marked as long."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("hebbarium") and "# long" not in line]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which someone typed everything, in order."""
    folder = tmp_path_factory.mktemp("reader")
    tool = Path(sys.executable).parent / "hebbarium"
    environment = {k: v for k, v in os.environ.items() if k != "HEBBARIUM_DATA"}
    typed = commands("README.md")
    assert len(typed) >= 6
    for line in typed:
        words = shlex.split(line, comments=True)
        done = subprocess.run(
            [str(tool), *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return folder


def test_commands_of_the_readme(followed: Path) -> None:
    assert (followed / "runs/digits/results.nc").is_file()
    assert any((followed / "runs/digits/figures").iterdir())
    with results.open_run(followed / "runs/tau_20") as tree:
        assert results.decoded(tree)["parameters"]["tau_p"] == "20*ms"


def test_opening_a_run_takes_two_lines(followed: Path) -> None:
    text = (ROOT / "README.md").read_text()
    (code,) = re.findall(r"## Opening a run\n\n```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) == 2
    paths = re.findall(r'`run\["([^"]+)"\]` \| `(.*?)` [|(]', text.replace("`, `", " "))
    assert len(paths) >= 5
    checks = "".join(f"assert run[{path!r}].dims == {tuple(dims.split())!r}, {path!r}\n" for path, dims in paths)
    done = subprocess.run(
        [sys.executable, "-c", code + checks], cwd=followed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_tables_come_from_the_ledger() -> None:
    assert not ledger.update_readme(ROOT / "README.md", ROOT / "results", check=True)
