"""Which commit a result names: the project's own, or none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import layouts

ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from hebbarium.training import provenance
assert provenance.__file__.startswith(sys.argv[1])
print(provenance.code_version())
"""


def version_of(installed: Path, **environment: str) -> dict[str, object]:
    said = subprocess.run(
        [sys.executable, "-I", "-c", ASK, str(installed)], capture_output=True, text=True, check=True, cwd=installed,
        env={"PATH": "/usr/bin:/bin", "HOME": str(installed), **environment},
    )  # fmt: skip
    found: dict[str, object] = eval(said.stdout)
    return found


def git(folder: Path, *arguments: str) -> str:
    words = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A repository of something else."""
    git(tmp_path, "init", "-q")
    (tmp_path / "notes").write_text("of somebody")
    git(tmp_path, "add", "notes")
    git(tmp_path, "commit", "-qm", "notes")
    return tmp_path


def test_a_repository_around_the_environment_is_not_the_project(theirs: Path) -> None:
    site = layouts.installed(theirs / "environment" / "site-packages")
    assert version_of(site) == {"commit": "", "dirty": False}
    # even if the folder of the package, or the one around it, is the top of a repository that does not track it
    for folder in (site, site / "hebbarium"):
        git(folder, "init", "-q")
        git(folder, "commit", "-qm", "nothing", "--allow-empty")
        assert version_of(site) == {"commit": "", "dirty": False}


def test_a_clone_names_its_commit(theirs: Path) -> None:
    copied = layouts.clone(theirs / "clone")
    git(copied, "init", "-q")
    git(copied, "add", ".")
    git(copied, "commit", "-qm", "all")
    assert version_of(copied) == {"commit": git(copied, "rev-parse", "HEAD"), "dirty": False}
    # a hook of another repository leads nowhere else
    other = str(theirs / ".git")
    assert version_of(copied, GIT_DIR=other)["commit"] == git(copied, "rev-parse", "HEAD")
    with (copied / "models" / "contract.py").open("a") as file:
        file.write("# changed\n")
    assert version_of(copied)["dirty"] is True
