"""Which compiler makes programs, and what of the surroundings reaches it."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

import pytest
from brian2.codegen import cpp_prefs

from hebbarium.engine import cache, compiler, devices
from hebbarium.engine.contract import Structure
from hebbarium.engine.dense import DenseProgram
from hebbarium.engine.standalone import run_make
from hebbarium.files.errors import BuildFailed
from hebbarium.models.synaptic_scaling import SynapticScaling

GXX = shutil.which("g++")
needs_gxx = pytest.mark.skipif(GXX is None, reason="there is no g++")
# What users and their conda environments set for builds of their own.
SURROUNDINGS = {
    "MAKEFLAGS": "-n -e",
    "CXXFLAGS": "--nonsense",
    "CFLAGS": "--nonsense",
    "CC": "nonesuch",
    "CPPFLAGS": "--nonsense",
}


def stand_in(path: Path, script: str = "echo stand-in 1.0") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the path."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CXX", raising=False)
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


@pytest.mark.parametrize("there", [("clang++",), ("c++",), ("c++", "clang++", "g++")])
def test_the_first_compiler_that_is_there(bin: Path, there: tuple[str, ...]) -> None:
    for name in there:
        stand_in(bin / name)
    assert compiler.chosen() == compiler.Compiler((str(bin / there[-1]),), "stand-in 1.0")
    assert str(bin / there[-1]) in devices.listing()["compiler"]


@pytest.mark.parametrize(
    ("cxx", "command"),
    [
        ("mine", ("bin/mine",)),
        ("mine -pipe -D 'A=\"b c\"'", ("bin/mine", "-pipe", "-D", 'A="b c"')),
        ("wrapper mine -O1", ("bin/wrapper", "mine", "-O1")),
        ("{}/bin/mine", ("bin/mine",)),
        ("{}/two words/my compiler", ("two words/my compiler",)),
        ("'{}/two words/my compiler' -O1", ("two words/my compiler", "-O1")),
        ("two\\ words/my\\ compiler", ("two words/my compiler",)),
        ("./bin/mine", ("bin/mine",)),
        ("~/bin/mine", ("bin/mine",)),
        ("  ", ("bin/g++",)),
    ],
)
def test_what_cxx_may_say(
    bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cxx: str, command: tuple[str, ...]
) -> None:
    for path in ("bin/mine", "bin/wrapper", "bin/g++", "two words/my compiler"):
        stand_in(tmp_path / path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CXX", cxx.format(tmp_path))
    assert compiler.chosen().command == (str(tmp_path / command[0]), *command[1:])


@pytest.mark.parametrize(
    ("cxx", "said"),
    [
        ("nonesuch", "CXX=nonesuch: there is no program 'nonesuch'"),
        ("nonesuch -O1", "there is no program 'nonesuch'"),
        ("'g++", "cannot be read"),
        ("broken", "broken --version' failed: no licence"),
    ],
)
def test_a_compiler_that_does_not_answer_is_named(
    bin: Path, monkeypatch: pytest.MonkeyPatch, cxx: str, said: str
) -> None:
    stand_in(bin / "g++")
    stand_in(bin / "broken", "echo no licence >&2; exit 1")
    monkeypatch.setenv("CXX", cxx)
    for ask in (compiler.chosen, lambda: devices.require("dense")):
        with pytest.raises(BuildFailed, match="CXX=") as caught:
            ask()
        assert said in str(caught.value)
    assert said in devices.listing()["compiler"]
    assert "needs a C++ compiler" in devices.listing()["dense"]


def test_no_compiler_or_no_make_is_said_before_anything_is_made(bin: Path) -> None:
    with pytest.raises(BuildFailed, match=r"neither g\+\+, clang\+\+ nor c\+\+ is on the path"):
        devices.require("cython")
    stand_in(bin / "g++")
    devices.require("cython")
    with pytest.raises(BuildFailed, match="no make on the path"):
        devices.require("cpp")
    assert "needs make" in devices.listing()["cpp"]
    devices.require("numpy")


@needs_gxx
def test_programs_of_other_compilers_and_options_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for cxx, headers in (("", ""), ("g++ -O1", ""), ("env g++", ""), ("g++", "/somewhere")):
        monkeypatch.setenv("CXX", cxx)
        monkeypatch.setenv("CPATH", headers)
        seen.append(tuple(cache.toolchain()))
    assert len(set(seen)) == 4
    monkeypatch.setenv("CPATH", "")
    monkeypatch.setenv("CXX", str(GXX))
    assert tuple(cache.toolchain()) == seen[0]


@needs_gxx
def test_flags_that_a_compiler_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "g++")
    assert compiler.chosen().accepted(["-O3", "-std=c++11"]) == ["-O3", "-std=c++11"]
    assert compiler.chosen().accepted(["-O3", "--nonsense", "-std=c++11"]) == ["-O3", "-std=c++11"]


def test_make_hears_this_compiler_and_nothing_else(
    bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "two $words" / "g++")
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("CXX", f"'{tmp_path}/two $words/g++' -DA='b $c'")
    monkeypatch.setenv("MAKEFLAGS", "-n -e --jobserver-auth=9,10")
    monkeypatch.setenv("MAKELEVEL", "3")
    (tmp_path / "makefile").write_text("all:\n\t@for word in $(CXX); do echo $$word; done > said\n")
    run_make(tmp_path, ["make", "-j2", compiler.chosen().assignment()])
    assert (tmp_path / "said").read_text().splitlines() == [f"{tmp_path}/two $words/g++", "-DA=b $c"]


def test_brian2_asks_no_other_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would ask the C compiler for functions that every C++ compiler has."""
    monkeypatch.setenv("CC", "nonesuch")
    monkeypatch.delenv("LDCXXSHARED", raising=False)
    monkeypatch.setattr(cpp_prefs, "_compiler_supports_c99", None)
    before = dict(os.environ)
    with compiler.for_brian2():
        assert cpp_prefs.compiler_supports_c99()
        assert os.environ["CXX"]
    assert dict(os.environ) == before
    assert cpp_prefs._compiler_supports_c99 is None


@pytest.mark.slow
@pytest.mark.parametrize("cxx", ["g++ -pipe", pytest.param("env g++", marks=pytest.mark.long), "clang++"])
def test_a_program_is_compiled_whatever_surrounds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cxx: str
) -> None:
    if shutil.which(cxx.split()[0]) is None or GXX is None:
        pytest.skip(f"there is no {cxx}")
    for name, value in SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    for name in ("CC", "CXX", "LDSHARED", "LDCXXSHARED"):  # builds of Python that were made elsewhere name such
        monkeypatch.setitem(sysconfig.get_config_vars(), name, "nonesuch")
    monkeypatch.setenv("CXX", cxx)
    monkeypatch.setenv("HEBBARIUM_CACHE", str(tmp_path / "a cache"))
    structure = Structure(SynapticScaling(neurons=3, pixels=16), "test", "float32", "dense", 2)
    program = DenseProgram(structure, tmp_path / "scratch")
    assert (program.path / "main").is_file()
    assert {"-O3", "-march=native"} <= set((program.path / "makefile").read_text().split())
