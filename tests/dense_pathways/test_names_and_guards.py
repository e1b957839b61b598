"""Names of the user never meet those of the device, and what a condition guards is evaluated only where stock does."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from brian2 import Function, Network, NeuronGroup, TimedArray, device, ms

import dense_pathways
from tests.dense_pathways.side_by_side import STRICT

DENSE = Path(dense_pathways.__file__).parent


def test_what_the_device_declares_begins_with_dense() -> None:
    """Where it shares a scope with the user's names, of which some may begin with an underscore."""
    allowed = {"_idx", "_vectorisation_idx", "_count", "size_t"}  # Brian2's own, for the user's statements
    for file in (DENSE / "templates").glob("dense_*.cpp"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|//[^\n]*", "", file.read_text(), flags=re.DOTALL)
        declared = re.findall(r"\b(?:int|u?int(?:32|64)_t|size_t|bool|char|double)\s+[*&]?(\w+)\s*[=;,\[(]", text)
        wrong = {name for name in declared if not name.startswith("_dense_")} - allowed
        assert wrong == set(), file.name
    headers = " ".join(file.read_text() for file in (DENSE / "headers").iterdir())
    macros = re.findall(r"#define (\w+)", headers)
    inside = re.compile(r"^(namespace \w+) \{.*?^\}  // namespace \w+$", re.DOTALL | re.MULTILINE)
    outermost = re.findall(r"^(?:namespace|class|struct) (\w+)", inside.sub(r"\1", headers), re.MULTILINE)
    assert macros
    assert outermost
    assert all(name.lower().startswith("_dense_") for name in macros + outermost)


def tally(name: str) -> Function:
    """A function that answers how often it was called, and does not say so."""
    made = Function(lambda x: x, arg_units=[1], return_unit=1)
    code = f"static int calls_of_{name} = 0;\nstatic double {name}(double x) {{ return ++calls_of_{name}; }}"
    made.implementations.add_implementation("cpp", code, name=name)
    return made


@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize(
    ("condition", "at_once"),
    [
        ("v > 1 and x > 0", True),
        ("v > 1 and x > exp(v) or not (odd or v < 0)", True),
        ("v > 1 and look(t) > 0", True),
        ("n > 0 and 7 % n == 0", False),
        ("n > 0 and 7 // n == 0", False),
        ("v > 1 and own(v) > 0", False),
        ("v > 1 and rand() < 0.5", False),
        ("v*int(odd) > 1 or x > 1", False),
        ("odd == (v > 1) and x > 1", False),
    ],
)
def test_what_may_be_evaluated_whatever_the_first_operand_says(condition: str, at_once: bool, tmp_path: Path) -> None:
    look = TimedArray(np.arange(3.0), dt=1 * ms, name="look")
    group = NeuronGroup(
        50, "v : 1\nx : 1\nn : integer\nodd : boolean", threshold=condition, reset="",
        namespace={"own": tally("own"), "look": look}, name="group",
    )  # fmt: skip
    Network(group).run(1 * ms)
    device.build(directory=str(tmp_path), compile=False, run=False, with_output=False)
    (file,) = (tmp_path / "code_objects").glob("group*_spike_thresholder_codeobject*.cpp")
    text = file.read_text()
    asked = "\n".join(line for line in text.split("\n") if "_cond =" in line)
    assert ("&&" not in asked and "||" not in asked and "if" not in asked) == at_once, asked


LOOP = """
#include "dense_math.h"
void all(double* x, int n) { for (int i = 0; i < n; ++i) x[i] = exp(x[i]) + sin(x[i]); }
"""
GLIBC = platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"


def flags() -> Iterator[tuple[list[str], bool]]:
    brian = ["-O3", "-ffast-math", "-fno-finite-math-only", "-march=native", "-std=c++11"]  # as Brian2 has them
    yield brian, True
    yield ["-Ofast"], True
    yield STRICT, False
    yield ["-O3"], False
    yield ["-O3", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros"], False
    yield [*brian, "-fno-fast-math"], False


@pytest.mark.skipif(not GLIBC, reason="no other C library has vector functions that this package would use")
@pytest.mark.parametrize(("given", "approximate"), list(flags()))
def test_vector_functions_only_where_the_compiler_may_approximate(
    given: list[str], approximate: bool, tmp_path: Path
) -> None:
    (tmp_path / "loop.cpp").write_text(LOOP)
    subprocess.run(["g++", *given, f"-I{DENSE / 'headers'}", "-c", "loop.cpp"], cwd=tmp_path, check=True)
    symbols = subprocess.run(["nm", "loop.o"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert bool(re.search(r"\bU _ZGV\w+_exp", symbols)) == approximate
