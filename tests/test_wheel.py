"""What is installed from a wheel: all of the packages and nothing else, and it writes where it is asked to."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.test_project import PACKAGES, ROOT

pytestmark = pytest.mark.slow


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no clone")
    return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file() or (ROOT / name).is_symlink()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        copy = folder / "a clone" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            copy.symlink_to((ROOT / name).readlink())
        else:
            copy.write_bytes((ROOT / name).read_bytes())
    code = "from setuptools import build_meta; build_meta.build_wheel('..')"
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=folder / "a clone", capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return next(folder.glob("*.whl"))


def test_a_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    rooms = {f"hebbarium/{name}" for name in tracked(*PACKAGES) if not name.startswith("dense_pathways/")}
    assert names == {"hebbarium/__init__.py", *rooms, *tracked("dense_pathways")}


def test_claims_of_an_installed_project_are_written_into_out(wheel: Path, tmp_path: Path) -> None:
    installed, here = tmp_path / "installed", tmp_path / "here"
    zipfile.ZipFile(wheel).extractall(installed)
    here.mkdir()
    before = {path for path in installed.rglob("*") if "__pycache__" not in path.parts}
    for words in (["--claims"], ["--claims", "--out", "elsewhere"]):
        done = subprocess.run(
            [sys.executable, "-m", "hebbarium.commands.commandline", "reproduce", "synaptic_scaling", *words],
            cwd=here,
            env=os.environ | {"PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()} == {
        "runs/reproduce-synaptic_scaling/synaptic_scaling_claims.md",
        "elsewhere/synaptic_scaling_claims.md",
    }
    assert {path for path in installed.rglob("*") if "__pycache__" not in path.parts} == before
