"""What is installed from wheels: two distributions, each with its own files and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.test_project import DENSE, ROOMS, ROOT

pytestmark = pytest.mark.slow
INSTALLED = ["from the clone", pytest.param("from wheels", marks=pytest.mark.long)]


def tracked(*folders: str, within: Path = ROOT) -> set[str]:
    """Files that git knows, by their paths from a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=within,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no clone")
    names = listed.stdout.splitlines()
    return {name for name in names if (within / name).is_file() or (within / name).is_symlink()}


def built(kind: str, source: Path, into: Path) -> Path:
    """The wheel, or sdist, of a folder."""
    into.mkdir(exist_ok=True)
    code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    command = [sys.executable, "-c", code, str(into)]
    made = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    (file,) = into.iterdir()
    return file


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the clone, in which building leaves what it leaves."""
    folder = tmp_path_factory.mktemp("wheel") / "a clone"
    for name in tracked():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            copy.symlink_to((ROOT / name).readlink())
        else:
            copy.write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def wheel(clone: Path) -> Path:
    return built("wheel", clone, clone.parent / "hebbarium")


@pytest.fixture(scope="module")
def dense_wheel(clone: Path) -> Path:
    return built("wheel", clone / "dense_pathways", clone.parent / "dense_pathways")


@pytest.fixture(scope="module")
def site(wheel: Path, dense_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both are installed."""
    folder = tmp_path_factory.mktemp("site")
    for file in (wheel, dense_wheel):
        zipfile.ZipFile(file).extractall(folder)
    return folder


def held(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_a_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    assert held(wheel) == {"hebbarium/__init__.py", *(f"hebbarium/{name}" for name in tracked(*ROOMS))}


def test_the_device_has_a_wheel_of_its_own(dense_wheel: Path) -> None:
    files = {name.removeprefix("src/") for name in tracked("src", within=DENSE)}
    assert held(dense_wheel) == files
    assert {name.split("/")[1] for name in files if name.count("/") == 2} == {"headers", "templates"}
    archive = zipfile.ZipFile(dense_wheel)
    (licence,) = [name for name in archive.namelist() if name.endswith("/LICENSE")]
    assert archive.read(licence) == (DENSE / "LICENSE").read_bytes()
    (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    said = archive.read(metadata).decode()
    assert "License-Expression: BSD-3-Clause" in said
    assert "hebbarium" not in said.partition("\n\n")[0]  # it needs nothing of it


def test_the_source_distribution_of_the_device_can_be_tested(clone: Path) -> None:
    with tarfile.open(built("sdist", clone / "dense_pathways", clone.parent / "sdist")) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    assert names >= tracked(within=DENSE) - {"MANIFEST.in"}


def test_claims_of_an_installed_project_are_written_into_out(site: Path, tmp_path: Path) -> None:
    before = {path for path in site.rglob("*") if "__pycache__" not in path.parts}
    for words in (["--claims"], ["--claims", "--out", "elsewhere"]):
        done = subprocess.run(
            [sys.executable, "-m", "hebbarium.commands.commandline", "reproduce", "synaptic_scaling", *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {
        "runs/reproduce-synaptic_scaling/synaptic_scaling_claims.md",
        "elsewhere/synaptic_scaling_claims.md",
    }
    assert {path for path in site.rglob("*") if "__pycache__" not in path.parts} == before


# -------------------------------------------------------------------------- one name, wherever a command is run
RULE = '''
from dataclasses import dataclass

import engine.gains
from hebbarium.models.contract import quantity
from hebbarium.models.synaptic_scaling import SynapticScaling
from models import GAIN


@dataclass(frozen=True, eq=False)
class Mine(SynapticScaling):
    """A rule with neighbours that are called as rooms are."""

    name = "mine"
    paper = "nobody's"

    more: float = quantity(GAIN + engine.gains.MORE, 1, "how much more is learned", "mine")

    potentiation = "w = clip(w + more*a_plus*x_pre, w_min, w_max)\\n"
'''
OWN = {"models.py": "GAIN = 0.25\n", "engine/__init__.py": "", "engine/gains.py": "MORE = 0.5\n", "mine.py": RULE}
START = "import sys\nfrom hebbarium.commands.commandline import main\nsys.exit(main())\n"


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A user's folder: a rule, two files that it needs, and others that nobody asked for, all called as rooms are."""
    folder = tmp_path / "own"
    others = {f"{room}.py": f"raise RuntimeError('{room}.py ran')\n" for room in (*ROOMS, "benchmarks", "tests")}
    for name, text in {**others, **OWN}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "engine.py").unlink()
    return folder


@pytest.mark.parametrize("installed", INSTALLED)
@pytest.mark.parametrize("start", ["by its command", "as a module"])
def test_no_file_of_a_users_own_is_in_the_way(
    start: str, installed: str, own_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environment = dict(os.environ)
    place = ROOT
    if installed == "from wheels":
        place = request.getfixturevalue("site")
        environment["PYTHONPATH"] = str(place)
    if start == "by its command":
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "hebbarium").write_text(START)
        command = [sys.executable, str(tmp_path / "bin" / "hebbarium")]
    else:
        command = [sys.executable, "-m", "hebbarium.commands.commandline"]

    def run(*words: str) -> str:
        done = subprocess.run(
            [*command, *words], cwd=own_folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "0.75" in run("describe", "mine.py").split("how much more is learned")[0].splitlines()[-1]
    if (start, installed) == ("as a module", "from wheels"):
        run("train", "mine.py", "--device", "numpy", "--neurons", "4", "--images", "4", "--block", "2",
            "--test-images", "2", "--labels-from", "all", "--out", "run")  # fmt: skip
        assert (own_folder / "run" / "results.nc").is_file()
        assert (own_folder / "run" / "source" / "engine" / "gains.py").is_file()


@pytest.mark.parametrize("installed", INSTALLED)
def test_nothing_of_ours_is_in_a_users_way(
    installed: str, own_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(ROOT) if installed == "from the clone" else str(request.getfixturevalue("site"))
    code = f"""
import importlib.util, os, sys
elsewhere = {installed == "from wheels"}
if elsewhere:
    sys.path.insert(0, {place!r})
import hebbarium.commands.commandline, hebbarium.models.contract
import dense_pathways
for module in (hebbarium, dense_pathways):
    assert os.path.realpath(module.__file__).startswith(os.path.realpath({place!r})), module.__file__
for room in {ROOMS!r}:
    assert importlib.util.find_spec(room) is None, room
sys.path.append({str(own_folder)!r})  # last
import models, engine.gains
assert (models.GAIN, engine.gains.MORE) == (0.25, 0.5)
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
