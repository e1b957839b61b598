"""Names of the user never meet those of the device, and what a condition guards is evaluated only where stock does."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from brian2 import Function, Network, NeuronGroup, SpikeMonitor, Synapses, TimedArray, device, ms, second
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.devices import cpp_standalone

import dense_pathways
from dense_pathways import codeobject
from side_by_side import STRICT, assert_same

DENSE = Path(dense_pathways.__file__).parent
STOCK = Path(cpp_standalone.__file__).parent
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*")
# words of C++ and of Brian2 that cannot be names on stock either, or that the networks below use
TAKEN = (
    "alignas and auto bool break case char class const continue do double else enum explicit extern false float for if"
    " inline int long namespace new noexcept not nullptr operator or private public return short signed sizeof static"
    " struct switch template this throw true typedef typename union unsigned using virtual void volatile while xor"
    " None True False import from in is as def del pass _clip _timestep y"
)


def own_words() -> list[str]:
    """What the device's headers, templates and functions say that Brian2's own code does not."""
    files = [*(DENSE / "headers").iterdir(), *(DENSE / "templates").glob("*.cpp")]
    texts = [re.sub(r"\{#.*?#\}|//[^\n]*", "", file.read_text(), flags=re.DOTALL) for file in files]
    texts += [codeobject._CLIP, codeobject._TIMESTEP]
    theirs = [f.read_text() for f in STOCK.rglob("*") if f.suffix in (".cpp", ".h")]
    said = set(IDENTIFIER.findall(" ".join([TAKEN, *theirs]))) | DEFAULT_FUNCTIONS.keys()
    words = {word for text in texts for word in IDENTIFIER.findall(text)} - said
    return sorted(word for word in words if not word.startswith(("_dense", "_DENSE", "__")))


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


def sum_in_parts(words: list[str]) -> str:
    """A sum in which no term lies deep, for those who read it by recursion; signs keep its parts apart."""
    return " + ".join(f"abs({' + '.join(words[k : k + 25])})" for k in range(0, len(words), 25))


def named() -> Network:
    """Constants, and auxiliary variables, called as whatever occurs in the device's code, in every kind of loop."""
    constants = {word: 1 + 0.01 * k for k, word in enumerate(own_words()) if not word.startswith("_")}
    assert len(constants) > 40
    constants |= dict.fromkeys(("given", "known", "value"), 0.5)
    total = sum_in_parts(list(constants))
    a = NeuronGroup(
        40, "dv/dt = (1.2 - v)/(10*ms*given) : 1\nx : 1", threshold=f"v > 0.0001*({total})",
        reset="_n_fired = x + lane\nv = 0\nx += _n_fired + _n_fired**0.5", refractory="2*ms*value", method="euler",
        namespace=constants, name="a",
    )  # fmt: skip
    code = f"_element = 0.5*x\nx = _element + exp(-value*x) + exp(-known*given) + {total}\nx = x + 0.1*_element"
    a.run_regularly(code, name="regular")
    b = NeuronGroup(7, "x : 1\ny : 1", threshold="x > 500", reset="x = 0", name="b")
    s = Synapses(
        a, b, f"w : 1\ny_post = w*({total}) : 1 (summed)",
        on_pre=f"_row = 0.5*w\n_target = _row + {total}\nx_post += 0.001*_row + 0.01*_target",
        on_post="_source = w + left\n_event = 0.1*_source + whole\nw += 0.1*_event - 0.1*_source",
        namespace=constants, name="s",
    )  # fmt: skip
    s.connect()
    s.w = "0.1*i + j"
    s.run_regularly("_column = 0.9*w\n_row = x_post + bits\nw = _column + 0.01*_row + exp(-_row)", name="rows")
    near = Synapses(
        a, b, f"w : 1\nx_pre = w + ({total}) : 1 (summed)", on_pre=f"_row = 0.5*w\nx_post += 0.001*_row + 0.01*{total}",
        on_post=f"_length = w + left\nw += 0.1*_length + 0.001*{total}", namespace=constants, name="near",
    )  # fmt: skip
    near.connect("abs(i - 5*j) < 9")
    near.w = "0.1*i + j"
    near.run_regularly("_first = 0.9*w\n_run = x_post + bits\nw = _first + 0.01*_run", name="runs")
    return Network(a, b, s, near, SpikeMonitor(a, name="spikes_a"))


def tally(name: str) -> Function:
    """A function that answers how often it was called, and does not say so."""
    made = Function(lambda x: x, arg_units=[1], return_unit=1)
    code = f"static int calls_of_{name} = 0;\nstatic double {name}(double x) {{ return ++calls_of_{name}; }}"
    made.implementations.add_implementation("cpp", code, name=name)
    return made


def guarded() -> Network:
    """What must not be evaluated where a condition says so, or must as often as on stock."""
    whole = NeuronGroup(
        77, "period : integer\nn : integer\nodd : boolean\nz : 1\nheard : 1",
        threshold="(period > 0 and n % period == 0) or (odd and n // (period + int(odd)) > 40)", reset="n += period",
        name="whole",
    )  # fmt: skip
    whole.period, whole.odd = "i % 5", "i % 2 == 1"
    whole.run_regularly("n += 1; z = int(period > 0 and n // period > 3)", name="count")
    # where odd is false Brian2 leaves infinity out of the sum, and 0*infinity would be no number
    factor = NeuronGroup(45, "v : 1\nodd : boolean", threshold="v*int(odd) < 2 and v > 1", reset="", name="factor")
    factor.v, factor.odd = "1/(0.0*(i % 3)) + i % 2", "i % 4 == 1"
    counting = NeuronGroup(
        40, "v : 1\nseen : 1", threshold="v > 0.5 and dense_random(v) > 40", reset="seen += fill(v)",
        namespace={"dense_random": tally("dense_random"), "fill": tally("fill")}, name="counting",
    )  # fmt: skip
    counting.v = "i/40.0"
    few = tally("few")
    always = NeuronGroup(33, "v : 1", threshold="few(0) < 100", reset="", namespace={"few": few}, name="always")
    look = TimedArray(np.arange(4.0), dt=3 * ms, name="look")
    timed = NeuronGroup(6, "v : 1", threshold="v > 0 and look(t) > v", reset="", namespace={"look": look}, name="timed")
    timed.v = "i - 1"
    # all are asked at some steps only; who draws does so at each
    gated = NeuronGroup(
        90, "v : 1", threshold="t_in_timesteps % 3 == 1 and v > 0.5 and t > 4*ms", reset="v = 0", name="gated"
    )
    gated.run_regularly("v += 0.01*i", name="rise")
    drawing = NeuronGroup(70, "v : 1", threshold="t_in_timesteps % 3 == 1 and rand() < 0.5", reset="", name="drawing")
    calling = Synapses(
        whole, counting, "w : 1", on_pre="seen_post += w + generator(t/ms)", on_post="w += generator(w)",
        namespace={"generator": tally("generator")}, name="calling",
    )  # fmt: skip
    calling.connect()
    # the sign of a zero is a bit as well, and reaches what is worked out once for all neurons
    sign = NeuronGroup(5, "zero : 1 (shared)\nroot : 1", name="sign")
    sign.run_regularly("zero = -zero\nroot = sqrt(zero)", name="turn")
    # a truth value is a byte, of which a number keeps the last eight bits
    byte = NeuronGroup(
        300, "truth : boolean\nx : 1", threshold="truth and not (x < 5)", reset="truth = i\nx += int(truth)",
        name="byte",
    )  # fmt: skip
    byte.run_regularly("truth = 2*i\nx += 10*int(truth)\ntruth = i + 1", name="bits")
    groups = [whole, factor, counting, always, timed, gated, drawing, sign, byte]
    spiking = [whole, factor, counting, always, timed, gated, drawing]
    return Network(groups, calling, [SpikeMonitor(g, name=f"spikes_{g.name}") for g in spiking])


def refractory() -> Network:
    """Last spikes that no clock has seen, and periods without an end."""
    made = []
    for name, period in {"shared": 2 * ms, "own": "own", "none": 0 * ms, "endless": np.inf * second}.items():
        group = NeuronGroup(
            40, "dv/dt = (1.5 - v)/(3*ms) : 1 (unless refractory)\nown : second (constant)", threshold="v > 1",
            reset="v = 0", refractory=period, method="euler", name=name,
        )  # fmt: skip
        group.own = "(i % 7)*0.7*ms"
        group.own[20:24] = np.inf * second
        last = np.array([-np.inf, np.inf, np.nan, 0, -0.0, 2e-3, 4e-3, -1e4, -1e300, 1e300])
        group.lastspike = np.tile(last, 4) * second
        group.v = "i/40.0"
        made.append(group)
    return Network(made, [SpikeMonitor(group, name=f"spikes_{group.name}") for group in made])


FUNCTIONS = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "sqrt", "log10")


def vectorised() -> Network:
    """Every function that the C library has for many elements at once, in every loop that may be vectorised."""
    lines = [f"y{k} = {name}(x) + {name}(0.5*x)" for k, name in enumerate((*FUNCTIONS, "expm1", "log1p"))]
    equations = "x : 1\n" + "\n".join(f"{line.split()[0]} : 1" for line in lines) + "\npower : 1"
    group = NeuronGroup(203, equations, threshold="exp(x)*sin(x) > 1.1", reset="x = 0.9*x", name="group")
    group.run_regularly("\n".join([*lines, "power = x**1.7"]), name="functions")
    group.x = "rand()"
    target = NeuronGroup(31, "v : 1", threshold="v > 5", reset="v = 0", name="target")
    traces = Synapses(
        group, target, "w : 1\ndap/dt = -ap/(10*ms) : 1 (event-driven)", on_pre="v_post += w*exp(-ap); ap += 0.1",
        on_post="w = w*cos(ap)**1.3", name="traces",
    )  # fmt: skip
    traces.connect()
    traces.w = "0.05*rand()"
    return Network(group, target, traces, SpikeMonitor(target, name="spikes_target"))


def everything() -> Network:
    """All of it, in one program."""
    return Network([obj for made in (named(), guarded(), refractory(), vectorised()) for obj in made.objects])


@pytest.mark.long
def test_same_bits_whatever_is_guarded_and_however_it_is_called(tmp_path: Path) -> None:
    files = assert_same(everything, tmp_path)
    for name in ("whole", "factor", "counting", "always", "timed", "gated", "drawing", "shared", "own"):
        assert any(k.startswith(f"_dynamic_array_spikes_{name}_i_") and v for k, v in files.items()), name
    (zero,) = [v for k, v in files.items() if k.startswith("_array_sign_root_")]
    assert np.signbit(np.frombuffer(zero)).tolist() == [False] * 5  # 60 steps turn it 60 times


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
    conditions = "\n".join(line for line in text.split("\n") if "_cond =" in line)
    assert ("&&" not in conditions and "||" not in conditions and "if" not in conditions) == at_once, conditions


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


@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize(
    ("condition", "gates"),
    [
        ("t_in_timesteps % 5 == 0 and v > 1", 1),
        ("v > 1 and t_in_timesteps % 5 == 0 and t > 1*ms", 2),
        ("t_in_timesteps % 5 == 0 or v > 1", 0),
        ("v > 1 and not (t_in_timesteps % 5 == 0)", 1),
        ("t_in_timesteps % 5 == 0 and rand() < 0.5", 0),
        ("v > 1", 0),
    ],
)
def test_nobody_is_asked_where_the_answer_is_no_for_all(condition: str, gates: int, tmp_path: Path) -> None:
    group = NeuronGroup(50, "v : 1", threshold=condition, reset="", name="group")
    Network(group).run(1 * ms)
    device.build(directory=str(tmp_path), compile=False, run=False, with_output=False)
    (file,) = (tmp_path / "code_objects").glob("group*_spike_thresholder_codeobject*.cpp")
    (loop,) = re.findall(r"void _run_group.*?^}", file.read_text(), re.DOTALL | re.MULTILINE)
    (asked,) = re.findall(r"if \(!\((.*)\)\)\n\s*\{\n[^{}]*return;", loop) or ["none"]
    assert asked.count("_lio_") == gates
