"""A compiled program is known by every file that shapes it, wherever that file is installed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from brian2 import prefs

from hebbarium.engine import cache, sources
from hebbarium.models.synaptic_scaling import SynapticScaling
from tests import layouts
from tests.test_project import ROOT

ASK = """
import sys, sysconfig
from pathlib import Path
place, asked = sys.argv[1], sysconfig.get_path
sysconfig.get_path = lambda name, *more: place if name in ("purelib", "platlib") else asked(name, *more)
sys.path.insert(0, place)
from hebbarium import engine
from hebbarium.engine import cache
from hebbarium.catalogue import registry
assert Path(engine.__file__).is_relative_to(place)
print(cache.recipe_key(registry.models()["synaptic_scaling"], Path(engine.__file__).parent, {}))
"""


def key_in(site: Path) -> str:
    done = subprocess.run([sys.executable, "-c", ASK, str(site)], capture_output=True, text=True, check=False, cwd=site)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_an_upgrade_of_an_installed_rule_is_another_program(tmp_path: Path) -> None:
    layouts.installed(tmp_path)
    keys = [key_in(tmp_path)]
    for changed in ("equations/homeostasis.py", "models/winner_take_all.py"):
        with (tmp_path / "hebbarium" / changed).open("r+") as file:
            file.seek(0, 2)
            file.write("# another version\n")
        keys.append(key_in(tmp_path))
    with (tmp_path / "hebbarium" / "models" / "desire_backprop.py").open("a") as file:
        file.write("# of another model\n")
    keys.append(key_in(tmp_path))
    assert len(set(keys)) == 3
    assert keys[2] == keys[3]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The key of a model whose class stands in the package ``lab``, after one more file of it was written."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lab").mkdir()
    files = {
        "__init__": "",
        "rule": "from hebbarium.models.synaptic_scaling import SynapticScaling\nfrom lab.numbers import step\n"
        "class Rule(SynapticScaling):\n    def later(self):\n        from . import later\n",
        "numbers": "from lab import deeper\nstep = deeper.step\n",
        "deeper": "step = 1\n",
        "later": "",
        "other": "",
    }
    for name, text in files.items():
        (tmp_path / "lab" / f"{name}.py").write_text(text)

    def key(changed: str = "") -> str:
        if changed:
            with (tmp_path / "lab" / f"{changed}.py").open("a") as file:
                file.write("# changed\n")
        for name in [name for name in sys.modules if name.partition(".")[0] == "lab"]:
            del sys.modules[name]
        sources._read.cache_clear()
        cache._package.cache_clear()
        rule = "lab.rule"
        return cache.recipe_key(importlib.import_module(rule).Rule, ROOT / "engine", {})

    return key


@pytest.mark.parametrize("changed", ["rule", "numbers", "deeper", "later"])
def test_a_change_of_whatever_is_imported_is_another_program(changed: str, mine: Callable[[str], str]) -> None:
    before = mine("")
    assert mine("") == before == mine("other")
    assert mine(changed) != before


def test_of_an_installed_package_every_file_counts(
    mine: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert mine("") != mine("other")


def test_preferences_and_structure_count() -> None:
    usual = cache.recipe_key(SynapticScaling, ROOT / "engine", {})
    assert cache.recipe_key(SynapticScaling, ROOT / "engine", {"neurons": "9"}) != usual
    flags = prefs.codegen.cpp.extra_compile_args_gcc
    prefs.codegen.cpp.extra_compile_args_gcc = ["-O0"]
    try:
        assert cache.recipe_key(SynapticScaling, ROOT / "engine", {}) != usual
    finally:
        prefs.codegen.cpp.extra_compile_args_gcc = flags
    assert cache.recipe_key(SynapticScaling, ROOT / "engine", {}) == usual


def test_names_and_contents_cannot_be_mistaken_for_one_another() -> None:
    assert sources.digest({"a": b"bc"}) != sources.digest({"ab": b"c"})
    assert sources.digest({"a": b"1", "b": b"2"}) == sources.digest({"b": b"2", "a": b"1"})
