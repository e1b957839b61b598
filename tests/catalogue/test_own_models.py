"""A user's file and its neighbours: loaded under names of their own, from what was read, and only if somebody asks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hebbarium.catalogue import own_models, registry
from hebbarium.catalogue.own_models import Recorded, RegistryError

RULE = """
from hebbarium.models.synaptic_scaling import SynapticScaling
{imports}
class Rule(SynapticScaling):
    name = "rule"
    paper = "none"
    step = {step}
    def later(self):
        from numbers_of_mine import step
        return step
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "my rules"
    place.mkdir()
    (place / "numbers_of_mine.py").write_text("from deeper.down import step\n")
    (place / "deeper").mkdir()
    (place / "deeper" / "down.py").write_text("from .beside import step\n")
    (place / "deeper" / "beside.py").write_text("step = 1\n")
    (place / "unused.py").write_text("raise ValueError\n")
    (place / "a rule.py").write_text(RULE.format(imports="from numbers_of_mine import step as found", step="found"))
    return place


def step_of(file: Path) -> object:
    kind: type = registry.find(str(file))
    return kind.step  # type: ignore[attr-defined]


def test_neighbours_are_found_and_nothing_else_is(folder: Path) -> None:
    own = own_models.read(folder / "a rule.py")
    assert set(own.contents) == {"a rule.py", "numbers_of_mine.py", "deeper/down.py", "deeper/beside.py"}
    before = list(sys.path)
    assert step_of(folder / "a rule.py") == 1
    assert registry.find(str(folder / "a rule.py"))().later() == 1  # type: ignore[attr-defined]
    assert sys.path == before
    assert not {"numbers_of_mine", "deeper", "deeper.down"} & set(sys.modules)
    assert not list(folder.rglob("*.pyc"))


@pytest.mark.parametrize("statement", [
    "import numbers_of_mine; found = numbers_of_mine.step",
    "import deeper.down; found = deeper.down.step",
    "import deeper.down as it; found = it.step",
    "from deeper import down; found = down.step",
    "from .numbers_of_mine import step as found",
    "from . import numbers_of_mine as it; found = it.step",
])  # fmt: skip
def test_every_way_of_importing_a_neighbour(statement: str, folder: Path) -> None:
    (folder / "rule.py").write_text(RULE.format(imports=statement, step="found"))
    assert step_of(folder / "rule.py") == 1


def test_files_of_two_folders_do_not_meet(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "numbers_of_mine.py").write_text("step = 2\n")
    (other / "a rule.py").write_bytes((folder / "a rule.py").read_bytes())
    assert step_of(folder / "a rule.py") == 1
    assert step_of(other / "a rule.py") == 2
    assert registry.find(str(folder / "a rule.py"))().later() == 1  # type: ignore[attr-defined]


def test_an_edit_in_the_same_second_is_seen(folder: Path) -> None:
    assert step_of(folder / "a rule.py") == 1
    first = registry.find(str(folder / "a rule.py"))
    assert registry.find(str(folder / "a rule.py")) is first
    (folder / "deeper" / "beside.py").write_text("step = 3\n")
    assert step_of(folder / "a rule.py") == 3


def test_a_neighbour_takes_the_place_of_no_module_of_pythons_or_ours(folder: Path) -> None:
    for name in ("json", "numpy", "hebbarium", "brian2"):
        (folder / f"{name}.py").write_text("raise ValueError('of a stranger')\n")
    imports = "import json, numpy, hebbarium\nmodules = json, numpy"
    (folder / "rule.py").write_text(RULE.format(imports=imports, step="modules"))
    assert step_of(folder / "rule.py") == (json, sys.modules["numpy"])
    assert set(own_models.read(folder / "rule.py").contents) >= {"rule.py", "numbers_of_mine.py"}
    assert "json.py" not in own_models.read(folder / "rule.py").contents


def test_a_neighbour_may_be_called_as_a_folder_of_ours(folder: Path) -> None:
    (folder / "engine.py").write_text("step = 12\n")
    (folder / "rule.py").write_text(RULE.format(imports="import engine", step="engine.step"))
    assert step_of(folder / "rule.py") == 12
    assert "engine.py" in own_models.read(folder / "rule.py").contents


def test_a_file_that_fails_says_so_each_time(folder: Path) -> None:
    (folder / "broken.py").write_text("import numbers_of_mine\n1/0\n")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"broken\.py:2: cannot be imported: ZeroDivisionError"):
            registry.find(str(folder / "broken.py"))


def test_a_file_that_a_run_names_is_not_run_unasked(folder: Path) -> None:
    ran = folder / "ran"
    with (folder / "a rule.py").open("a") as file:
        file.write(f"open({str(ran)!r}, 'w')\n")
    name = Recorded.of(str(folder / "a rule.py"), Path("a run"), own_models.read(folder / "a rule.py").digests)
    with pytest.raises(RegistryError, match=r"a run: its model is a Python file, .*a rule\.py.*--trust-model"):
        registry.find(name)
    (folder / "link.py").symlink_to(folder / "a rule.py")
    with pytest.raises(RegistryError, match="--trust-model"):
        registry.find(Recorded.of(str(folder / "link.py"), Path("a run"), None))
    assert not ran.exists()
    own_models.trust(folder / "a rule.py")
    assert registry.find(name).name == "rule"
    assert ran.exists()
    ran.unlink()
    (folder / "deeper" / "beside.py").write_text("step = 4\n")
    with pytest.raises(RegistryError, match=r"is not as it was when a run began: changed: deeper/beside\.py"):
        registry.find(name)
    assert not ran.exists()
