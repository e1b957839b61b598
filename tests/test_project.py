"""The project's frame: who imports whom, what is pinned where, and what its files say of it."""

from __future__ import annotations

import ast
import graphlib
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import dense_pathways

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
DENSE = ROOT / "dense_pathways"
DENSE_WHOLE: dict[str, Any] = tomllib.loads((DENSE / "pyproject.toml").read_text())
DENSE_PROJECT = DENSE_WHOLE["project"]
"""The device is a distribution of its own."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "dense_pathways": (),
    "files": (),
    "equations": (),
    "record": ("files",),
    "datasets": ("files",),
    "models": ("equations",),
    "engine": ("dense_pathways", "files"),
    "analysis": ("files", "record"),
    "ledger": ("files", "record", "analysis"),
    "catalogue": ("files", "equations", "models", "engine"),
    "training": ("files", "equations", "models", "record", "datasets", "engine", "analysis", "catalogue", "ledger"),
}
_BELOW = (*MAY_IMPORT["training"], "training")
MAY_IMPORT |= {
    "studies": _BELOW,
    "exports": _BELOW,
    "protocols": (*_BELOW, "studies"),
    "commands": (*_BELOW, "studies", "exports", "protocols"),
}
ROOMS = tuple(name for name in MAY_IMPORT if name != "dense_pathways")
MAY_IMPORT["benchmarks"] = tuple(MAY_IMPORT)
OURS = {*MAY_IMPORT, "tests"}
"""What each package may import of ours, besides itself."""

CONDA_NAMES = {"matplotlib-base": "matplotlib"}
"""Packages that conda-forge knows by another name."""

CONDA_TOOLS = {"python", "pip", "make", "cxx-compiler"}
"""What the conda environment brings along that pip cannot."""


def python_files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file, wherever it stands, as (line, dotted name); relative ones made absolute."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            start = [*parts[: len(parts) - node.level]] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                # `from a import b` names a module, `from a.b import C` a thing in one
                yield node.lineno, f"{module}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_import_directions(package: str) -> None:
    allowed = (package, *MAY_IMPORT[package])
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in python_files(package)
        if file.parent.name != "notebooks"  # scripts of a reader's, which nobody imports
        for line, full in imports(file)
        for name in [full.removeprefix("hebbarium.")]
        if name.split(".")[0] in OURS and not any(is_within(name, module) for module in allowed)
    ]
    assert not wrong, f"{package} may import {MAY_IMPORT[package] or 'nothing of ours'}:\n" + "\n".join(wrong)


def test_no_module_imports_itself_by_a_detour() -> None:
    """Also not within a room; what is imported inside of functions, or for types alone, is no part of a circle."""
    graph: dict[str, set[str]] = {}
    for package in (*ROOMS, "dense_pathways/src/dense_pathways"):
        for file in python_files(package):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            name = name.removeprefix("dense_pathways.src.")
            tree = ast.parse(file.read_text(encoding="utf-8"))
            top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
            graph[name] = {
                f"{node.module}.{alias.name}".removeprefix("hebbarium.")
                for node in top.body
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
    modules = {
        name: {imported if imported in graph else imported.rpartition(".")[0] for imported in names} & set(graph)
        for name, names in graph.items()
    }
    try:
        list(graphlib.TopologicalSorter({name: needed - {name} for name, needed in modules.items()}).static_order())
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def declared(*extras: str) -> dict[str, list[Requirement]]:
    """The requirements of pyproject.toml and the given extras, by normalised name."""
    project = PROJECT["project"]
    texts = [*project["dependencies"]]
    for extra in extras:
        texts += project["optional-dependencies"][extra]
    requirements: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, texts):
        requirements.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return requirements


def test_every_imported_distribution_is_declared() -> None:
    """What happens to be installed through something else is not there on every computer."""
    distributions = packages_distributions()
    # Brian2 is built on these; whoever has it has them, in the versions that suit it.
    through_brian2 = {"sympy", "jinja2", "packaging"}
    # Competitors, measured where they are installed, and what CUDA needs.
    optional = {"ANNarchy", "bindsnet", "nest", "torch", "torchvision", "brian2cuda", "nvidia"}
    known = {*declared("test"), *through_brian2}
    ours = {*OURS, "hebbarium", "hebbarium_site", *(file.stem for file in python_files("dense_pathways/tests"))}

    def missing(folder: str, known: set[str]) -> set[str]:
        return {
            f"{file.relative_to(ROOT)}:{line} imports {top}"
            for file in python_files(folder)
            for line, name in imports(file)
            for top in [name.split(".")[0]]
            if top not in {*ours, "__future__", *sys.stdlib_module_names, *optional}
            and not {canonicalize_name(d) for d in distributions.get(top, [top])} & known
        }

    wrong = {line for folder in (*ROOMS, "benchmarks", "docs", "tests") for line in missing(folder, known)}
    assert not wrong, "not declared in pyproject.toml:\n" + "\n".join(sorted(wrong))
    declared_there = [*DENSE_PROJECT["dependencies"], *DENSE_PROJECT["optional-dependencies"]["test"]]
    known = {canonicalize_name(Requirement(text).name) for text in declared_there} | through_brian2 | {"numpy"}
    wrong = missing("dense_pathways", known)
    assert not wrong, "not declared in dense_pathways/pyproject.toml:\n" + "\n".join(sorted(wrong))


def conda_pins() -> dict[str, str]:
    """The dependencies of environment.yml, of conda and of pip: {normalised name: version range}."""
    pins: dict[str, str] = {}
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = [text for entry in listed if isinstance(entry, dict) for text in entry["pip"]]
    for entry in [*listed, *by_pip]:
        if isinstance(entry, str) and not entry.startswith("--editable"):
            match = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", entry)
            assert match, f"environment.yml: {entry!r} is no dependency"
            pins[canonicalize_name(CONDA_NAMES.get(match[1], match[1]))] = match[2]
    return pins


def test_conda_recipe_pins_what_pyproject_pins() -> None:
    pins = conda_pins()
    python = Version(pins["python"].lstrip("=") + ".0")
    expected = {}
    for name, requirements in declared("test").items():
        for requirement in requirements:
            if requirement.marker is None or requirement.marker.evaluate(
                {"python_version": f"{python.major}.{python.minor}", "python_full_version": str(python)}
            ):
                expected[name] = requirement.specifier
    del expected["dense-pathways"]  # from the clone
    # conda writes one equals sign where pip writes two
    recipe = {
        name: SpecifierSet(re.sub(r"^=(?!=)", "==", pin))
        for name, pin in pins.items()
        if name not in CONDA_TOOLS
    }
    assert recipe == expected


def test_conda_recipe_installs_the_clone() -> None:
    recipe = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert recipe["name"] == PROJECT["project"]["name"]
    assert recipe["channels"][0] == "conda-forge"
    (by_pip,) = [entry["pip"] for entry in recipe["dependencies"] if isinstance(entry, dict)]
    assert by_pip[:2] == ["--editable ./dense_pathways", "--editable ."]


def test_extras() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert {"cuda", "docs", "notebooks", "test", "dev"} <= set(extras)
    assert any(requirement.startswith("brian2cuda==1.0b1") for requirement in extras["cuda"])
    # The test of the notebook needs its tools, but not a whole JupyterLab.
    assert {r for r in extras["notebooks"] if not r.startswith("jupyterlab")} <= set(extras["test"])
    assert set(extras["docs"]) <= set(extras["test"])  # a test builds the site


def test_python_versions_agree() -> None:
    chosen = (ROOT / ".python-version").read_text().strip()
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    assert supported.contains(f"{chosen}.0")
    assert conda_pins()["python"] == f"={chosen}"
    assert PROJECT["tool"]["mypy"]["python_version"] == chosen
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + chosen.replace(".", "")
    bounds = re.search(r"\((\d+), (\d+)\) <= sys.version_info\[:2\] < \((\d+), (\d+)\)", setup_script())
    assert bounds, "virtual-environment.sh does not check Python's version"
    low, high = f"{bounds[1]}.{bounds[2]}", f"{bounds[3]}.{bounds[4]}"
    assert supported == SpecifierSet(f">={low},<{high}")


def test_project_versions_agree() -> None:
    version = PROJECT["project"]["version"]
    headings = re.findall(r"^## \[?(\d[^\s\]]*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings, "CHANGELOG.md has no version"
    assert headings[0] == version
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    assert citation["license"] == PROJECT["project"]["license"] == "BSD-3-Clause"
    assert len(citation["references"]) >= 5
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= set(reference), reference["title"]


def test_the_device_is_a_distribution_that_fits() -> None:
    needed = {requirement.name: requirement for requirement in map(Requirement, PROJECT["project"]["dependencies"])}
    assert needed["dense-pathways"].specifier.contains(DENSE_PROJECT["version"])
    headings = re.findall(r"^## (\d\S*)", (DENSE / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == DENSE_PROJECT["version"]
    assert DENSE_PROJECT["requires-python"] == PROJECT["project"]["requires-python"]
    (brian2,) = map(Requirement, DENSE_PROJECT["dependencies"])
    minors = [number for number in range(30) if brian2.specifier.contains(f"2.{number}.1")]
    assert tuple((2, number) for number in minors) == dense_pathways.CHECKED
    assert (DENSE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    # the tests of both run with the same markers and warnings
    ours, theirs = ({**project["tool"]["pytest"]["ini_options"]} for project in (PROJECT, DENSE_WHOLE))
    assert ours["markers"] == theirs["markers"]
    assert set(theirs["addopts"].split()) < set(ours["addopts"].split())


def test_licence() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("BSD 3-Clause License")
    assert "The Hebbarium developers" in text


@pytest.mark.parametrize("package", sorted(OURS))
def test_every_package_says_what_it_is(package: str) -> None:
    folders = {file.parent for file in python_files(package)}
    assert folders, f"{package}/ holds no Python"
    # Folders of notebooks hold scripts for jupytext, those within tests are collected by pytest: no packages.
    folders = {folder for folder in folders if folder.name != "notebooks" and folder.parent != ROOT / "tests"}
    folders -= {DENSE / "tests", DENSE / "examples", DENSE / "benchmarks"}
    for folder in folders:
        file = folder / "__init__.py"
        assert file.is_file(), f"{folder.relative_to(ROOT)} has no __init__.py"
        assert ast.get_docstring(ast.parse(file.read_text())), f"{file.relative_to(ROOT)}: no docstring"


def test_things_are_named_for_what_they_are() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    files = [file.relative_to(ROOT) for folder in OURS for file in python_files(folder)]
    wrong = [str(file) for file in files if {file.stem, *file.parts} & vague]
    assert not wrong, f"named for nothing in particular: {wrong}"


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for room in ROOMS:
        for file in python_files(room):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def tracked_text_files() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: there is no list of the project's own files")
    files = [ROOT / name for name in listed.decode().split("\0") if name]
    return [file for file in files if file.is_file() and b"\0" not in file.read_bytes()[:8000]]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"(?<![\w.}*])/(?:home|root|work|Users)/\w", id="somebody's folder"),
        pytest.param(r"(?<![\w.}])/tmp/[a-z]", id="a temporary folder by name"),
        pytest.param(r"pythonhosted\.org|pypi\.org/simple|conda\.anaconda\.org", id="registry host"),
        pytest.param(r"^(?:<{7} |>{7} )", id="a merge left unfinished"),
    ],
)
def test_files_name_nothing_of_one_computer(pattern: str) -> None:
    wrong = []
    for file in tracked_text_files():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(pattern, line):
                wrong.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not wrong, "\n".join(wrong)


def test_files_end_in_a_newline() -> None:
    wrong = [
        str(file.relative_to(ROOT))
        for file in tracked_text_files()
        if (text := file.read_bytes()) and not text.endswith(b"\n") and file.suffix != ".svg"
    ]
    assert not wrong


def code_blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def setup_script() -> str:
    return (ROOT / "virtual-environment.sh").read_text()


_MADE = (ROOT / ".gitignore").read_text().split()
DOCUMENTS = (
    "README.md", "CONTRIBUTING.md",
    *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md")) if f"/docs/{file.name}" not in _MADE),
)  # fmt: skip
"""What people read, but for pages that are made when the site is built."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_bash_blocks_are_commands(document: str) -> None:
    for block in code_blocks(document, "bash"):
        checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, f"{block}\n{checked.stderr}"
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "make":
                assert words[1] in make_targets(), line
            elif words:
                known = {"hebbarium", "source", "python", ".venv/bin/python", "pip", "git", "cd"}
                assert words[0] in known, f"{document}: {line!r} starts with an unknown command"


def test_python_blocks_parse() -> None:
    for document in DOCUMENTS:
        for block in code_blocks(document, "python"):
            ast.parse(block)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(document: str) -> None:
    """Those of the docs are followed when the site is built."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), f"{document} links to {target}, which is not there"


def test_make_targets() -> None:
    assert {"demo", "test", "bench", "lint", "docs", "clean"} <= make_targets()
    extras = PROJECT["project"]["optional-dependencies"]
    makefile = (ROOT / "Makefile").read_text()
    for extra in re.findall(r"sh virtual-environment\.sh[ \t]*(?:--\S+[ \t]+)?(\w*)", makefile):
        assert not extra or extra in extras, f"Makefile asks for the extra {extra!r}"


def test_ci_runs_the_tests_as_the_readme_says() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111, ".ci/run is not executable"
    assert re.search(r"^make test\b", script.read_text(), re.MULTILINE)
    assert "make test\n" in code_blocks("README.md", "bash")


@pytest.mark.parametrize(("shell", "script"), [("bash", ".ci/run"), ("sh", "virtual-environment.sh")])
def test_shell_scripts_parse(shell: str, script: str) -> None:
    subprocess.run([shell, "-n", ROOT / script], check=True)


# ------------------------------------------------------------------------------ setting up, on a bare machine
@pytest.fixture
def bare_machine(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the set-up in a folder of its own, and a folder of commands without compiler or Python."""
    clone, commands = tmp_path / "a clone", tmp_path / "bin"
    clone.mkdir()
    commands.mkdir()
    (clone / "dense_pathways").mkdir()
    for name in ("virtual-environment.sh", "Makefile", "pyproject.toml", "dense_pathways/pyproject.toml"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    for name in ("sh", "cat", "sed", "grep", "head", "tr", "cksum", "mv", "rm", "dirname", "mkdir", "cp"):
        place = subprocess.run(["sh", "-c", f"command -v {name}"], text=True, capture_output=True, check=True)
        (commands / name).symlink_to(place.stdout.strip())
    return clone, commands


def set_up(
    clone: Path, commands: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "virtual-environment.sh", *arguments],
        cwd=clone,
        env={"PATH": str(commands), "HOME": str(clone), **environment},
        text=True,
        capture_output=True,
        check=False,
    )


def command(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


no_python_elsewhere = pytest.mark.skipif(
    any(Path("/usr/local/bin").glob("python3.1[234]")) or any(Path("/opt").glob("python3.1[234]")),
    reason="this computer has a Python in a place that is searched beside the PATH",
)


def test_set_up_says_that_the_compiler_is_missing(bare_machine: tuple[Path, Path]) -> None:
    done = set_up(*bare_machine)
    assert done.returncode == 1
    assert "g++ was not found" in done.stderr
    assert "apt install g++" in done.stderr
    assert "dnf install gcc-c++" in done.stderr


@pytest.mark.parametrize(
    ("name", "cxx"),
    [
        ("clang++", ""),
        ("c++", ""),
        ("my-compiler", "my-compiler"),
        ("my-compiler", "my-compiler -O1 -DNAME='a b'"),
        ("a folder/my compiler", "{}/a folder/my compiler"),
        ("a folder/my compiler", "'{}/a folder/my compiler' -O1"),
    ],
)
def test_set_up_takes_any_compiler(bare_machine: tuple[Path, Path], name: str, cxx: str) -> None:
    clone, commands = bare_machine
    (commands / "a folder").mkdir()
    command(commands, name, f"cat >/dev/null; echo \"$*\" >> '{clone}/compiled'; exit 0")
    done = set_up(clone, commands, PYTHON="python3.9", CXX=cxx.format(commands))
    assert "PYTHON=python3.9 does not run" in done.stderr  # it is past the compiler
    assert "-fsyntax-only" in (clone / "compiled").read_text()


@pytest.mark.parametrize("cxx", ["nonesuch", "nonesuch -O1", "'g++"])
def test_set_up_names_a_compiler_that_is_not_there(bare_machine: tuple[Path, Path], cxx: str) -> None:
    clone, commands = bare_machine
    command(commands, "g++", "exit 0")
    done = set_up(clone, commands, CXX=cxx)
    assert done.returncode == 1
    assert f"CXX={cxx}: there is no such program" in done.stderr


@no_python_elsewhere
def test_set_up_says_that_python_is_missing(bare_machine: tuple[Path, Path]) -> None:
    clone, commands = bare_machine
    command(commands, "g++", "exit 0")
    command(commands, "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")  # a shim
    done = set_up(clone, commands)
    assert done.returncode == 1
    assert "needs Python 3.12" in done.stderr
    assert "apt install python3.12" in done.stderr


@no_python_elsewhere
def test_set_up_says_that_venv_is_missing(bare_machine: tuple[Path, Path]) -> None:
    clone, commands = bare_machine
    command(commands, "g++", "exit 0")
    # As Debian's python3.12 without python3.12-venv: runs, but has no ensurepip.
    command(
        commands,
        "python3.12",
        f"""case $2 in *ensurepip*) exit 1 ;; esac
exec '{sys.executable}' "$@" """,
    )
    done = set_up(clone, commands)
    assert done.returncode == 1
    assert "cannot make a virtual environment" in done.stderr
    assert f"apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in done.stderr


@no_python_elsewhere
def test_set_up_finds_the_python_of_a_home_with_spaces(bare_machine: tuple[Path, Path]) -> None:
    clone, commands = bare_machine
    command(commands, "g++", "exit 0")
    theirs = clone / ".pyenv" / "versions" / "3.12.9" / "bin"
    theirs.mkdir(parents=True)
    command(theirs, "python", f"""case $2 in *ensurepip*) exit 1 ;; esac
exec '{sys.executable}' "$@" """)
    done = set_up(clone, commands)
    assert f"{theirs / 'python'} is Python" in done.stderr


def test_set_up_refuses_an_unsuitable_python(bare_machine: tuple[Path, Path]) -> None:
    clone, commands = bare_machine
    command(commands, "g++", "exit 0")
    command(commands, "python3.9", "exit 1")
    done = set_up(clone, commands, PYTHON="python3.9")
    assert done.returncode == 1
    assert "PYTHON=python3.9 does not run as CPython 3.12" in done.stderr


def test_set_up_says_that_the_compiler_is_broken(bare_machine: tuple[Path, Path]) -> None:
    clone, commands = bare_machine
    command(commands, "g++", "echo 'fatal error: cmath: No such file or directory' >&2; exit 1")
    done = set_up(clone, commands)
    assert done.returncode == 1
    assert "cmath" in done.stderr
    assert "build-essential" in done.stderr


def test_set_up_runs_once_and_again_when_stale(bare_machine: tuple[Path, Path]) -> None:
    """With a stand-in for Python that makes an environment and notes what pip is asked for."""
    clone, commands = bare_machine
    command(commands, "g++", "exit 0")
    command(
        commands,
        "python3.12",
        f"""case "$*" in
    "-m venv --clear .venv")
        rm -rf .venv; mkdir -p .venv/bin; cp '{commands}/python3.12' .venv/bin/python
        echo "#!$PWD/.venv/bin/python" > .venv/bin/pip; echo venv >> log ;;
    "-m pip --version") ;;
    "-m pip install"*) echo "pip $*" >> log; [ ! -e offline ] ;;
    *) exec '{sys.executable}' "$@" ;;
esac""",
    )
    log = clone / "log"

    def installs() -> list[str]:
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line.partition("--editable ")[2] or line for line in lines]

    both = "./dense_pathways --editable ."
    assert set_up(clone, commands).returncode == 0
    assert installs() == ["venv", both]
    assert set_up(clone, commands).returncode == 0
    assert installs() == []
    assert set_up(clone, commands, "test").returncode == 0
    assert installs() == [f"{both}[test]"]

    for name in ("dense_pathways/pyproject.toml", "pyproject.toml"):
        with (clone / name).open("a") as file:
            file.write("# another dependency\n")
        assert set_up(clone, commands).returncode == 0
        assert installs() == [both]
        assert set_up(clone, commands).returncode == 0
        assert installs() == []

    with (clone / "pyproject.toml").open("a") as file:
        file.write("# one more\n")
    (clone / "offline").touch()
    failed = set_up(clone, commands)
    assert failed.returncode == 1
    assert "pip could not install" in failed.stderr
    (clone / "offline").unlink()
    installs()
    assert set_up(clone, commands).returncode == 0
    assert installs() == [both]

    moved = clone.rename(clone.with_name("moved"))
    log = moved / "log"
    assert set_up(moved, commands).returncode == 0
    assert installs() == ["venv", both]
