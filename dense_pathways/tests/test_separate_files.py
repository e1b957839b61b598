"""What is compiled together, what apart, and what is compiled again."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from brian2 import Function, Network, NeuronGroup, SpikeGeneratorGroup, Synapses, device, ms, prefs

import side_by_side
from dense_pathways import sources
from dense_pathways.edits import EDITED, Edit


@pytest.fixture(autouse=True)
def names_are_free() -> None:
    """Brian2 numbers the names of objects by those still alive."""
    gc.collect()


def units(folder: Path) -> set[str]:
    """The files that a generated project compiles and links."""
    (names,) = re.findall(r"^units := (.*)", (folder / "makefile").read_text(), re.MULTILINE)
    return set(names.split())


def generate(folder: Path) -> set[str]:
    device.build(directory=str(folder), compile=False, run=False, with_output=False)
    return units(folder)


def function(name: str, code: str | dict[str, str], **compiler: list[str]) -> Function:
    made = Function(lambda x: x, arg_units=[1], return_unit=1, arg_names=["x"])
    made.implementations.add_implementation("cpp", code, name=name, compiler_kwds=compiler)
    return made


def group(name: str, code: str, n: int = 3, more: str = "", **functions: Function) -> NeuronGroup:
    made = NeuronGroup(n, f"v : 1\n{more}", name=name, namespace=functions)
    made.run_regularly(code, name=f"{name}_regular")
    return made


ALONE = {"dense_program.cpp", "objects.cpp"}
PLAIN = "double f(double x) { return 2*x; }"


@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize(
    ("code", "compiler", "apart"),
    [
        (PLAIN, {}, False),
        ("struct Pair { double x; };\nstatic int calls = 0;\n" + PLAIN, {}, False),
        ("using namespace std;\nstatic inline " + PLAIN, {"headers": ["<map>", "<cmath>"]}, False),
        ("#define gain 2.0\n" + PLAIN, {}, True),
        ("  #  undef NAN\n" + PLAIN, {}, True),
        ("%:define gain 2.0\n" + PLAIN, {}, True),
        ("#include<math.h>\n" + PLAIN, {}, True),
        ("#ifdef GUARD\n#endif\n" + PLAIN, {}, True),
        ('extern "C" double lib(double);\n' + PLAIN, {}, True),
        ("} struct Outside {}; namespace {\n" + PLAIN, {}, True),
        ({"support_code": PLAIN, "hashdefine_code": "#define gain 2.0"}, {}, True),
        (PLAIN, {"headers": ['"own.h"']}, True),
        (PLAIN, {"headers": ["<sys/time.h>"]}, True),
    ],
)
def test_what_reaches_into_other_operations_is_compiled_apart(
    code: str | dict[str, str], compiler: dict[str, list[str]], apart: bool, tmp_path: Path
) -> None:
    g = group("g", "v = f(v)", f=function("f", code, **compiler))
    Network(g).run(1 * ms)
    assert generate(tmp_path) == ALONE | ({"code_objects/g_regular_codeobject.cpp"} if apart else set())


@pytest.mark.usefixtures("dense")
def test_a_header_for_all_operations_is_joined_with_none(tmp_path: Path) -> None:
    g = NeuronGroup(3, "dv/dt = -v/(5*ms) : 1", threshold="v > 1", reset="v = 0", name="g", method="exact")
    Network(g).run(1 * ms)
    device.headers.append('"own.h"')
    files = generate(tmp_path)
    assert {"main.cpp", "run.cpp", "code_objects/after_run_g_spike_thresholder_codeobject.cpp"} <= files
    joined = (tmp_path / sources.PROGRAM).read_text()
    assert '"network.cpp"' in joined
    assert "code_objects" not in joined


@pytest.mark.usefixtures("dense")
def test_functions_of_brian2_are_joined(tmp_path: Path) -> None:
    g = group("g", "v = clip(abs(v)**2.5 % 3 + v//2 + poisson(2) + exprel(v) + sign(v) + int(v > 1), 0, 9)*rand()")
    spikes = SpikeGeneratorGroup(2, [0, 1], [0, 1] * ms, name="spikes")
    synapses = Synapses(spikes, g, on_pre="v_post += randn()", name="s")
    synapses.connect(p=0.5)
    Network(g, spikes, synapses).run(1 * ms)
    assert generate(tmp_path) == ALONE


@pytest.mark.usefixtures("dense")
def test_sources_are_named_once_and_have_to_be_there(tmp_path: Path) -> None:
    for name in ("part.cpp", "part.c", "part.o"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    twice = [str(tmp_path / "part.cpp"), str(tmp_path / "inner" / ".." / "part.cpp")]
    f, g = (function(name, "//", sources=[file]) for name, file in zip("fg", twice, strict=True))
    h = function("h", "//", sources=[str(tmp_path / "part.c"), str(tmp_path / "part.o")])
    a = group("a", "v = f(v) + g(v) + h(v)", f=f, g=g, h=h)
    Network(a).run(1 * ms)
    files = generate(tmp_path / "project")
    assert files == ALONE | {"source_1_part.c", "source_2_part.cpp", str(tmp_path / "part.o")}
    (tmp_path / "part.c").unlink()
    with pytest.raises(RuntimeError, match=r"part\.c' was named as a source.*name it by its whole path"):
        generate(tmp_path / "again")


def many(n: int) -> Network:
    groups = [group(f"g{k:03}", f"v = v + {k}", n=1) for k in range(n)]
    return Network(*groups)


@pytest.mark.usefixtures("dense")
def test_a_network_of_hundreds_of_operations_is_compiled_in_a_few_files(tmp_path: Path) -> None:
    groups = [group(f"g{k:03}", f"v = v + {k}", n=1) for k in range(200)]
    Network(*groups).run(1 * ms)
    files = generate(tmp_path)
    including = {file: (tmp_path / file).read_text().count("code_objects/") for file in files - {sources.ARRAYS}}
    assert including.pop(sources.PROGRAM) == 0
    assert sorted(including.values()) == [66, 67, 67]


def test_files_are_cut_by_length() -> None:
    sizes = {f"{k:03}.cpp": 20_000 if k < 40 else 1000 for k in range(400)}
    groups = sources.chunks(sizes)
    assert sorted(name for names in groups for name in names) == sorted(sizes)
    lengths = [sum(sizes[name] for name in names) for names in groups]
    assert len(groups) == 5
    assert max(map(len, groups)) <= sources.CHUNK
    assert max(lengths) < 1.1 * min(lengths)
    assert sources.chunks(dict.fromkeys(map(str, range(sources.WHOLE)), 1)) == [sorted(map(str, range(sources.WHOLE)))]


@pytest.mark.parametrize("template", EDITED)
def test_a_template_that_is_not_as_expected_is_named(template: str) -> None:
    with pytest.raises(RuntimeError, match=f"Brian2 2.* has another template '{template}' than"):
        EDITED[template]("{% macro cpp_file() %}\nvoid main() {}\n{% endmacro %}")
    with pytest.raises(RuntimeError, match=r"'x' occurs 3 times, expected 2.*cpp_standalone"):
        Edit("x", "y", times=2).apply("x x x", template)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Sources of a user: with the same names inside, macros, `using namespace`, and one in C."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    for k in (1, 2):
        (folder / f"part{k}.h").write_text(f"#pragma once\ndouble from_file{k}(double x);\n")
        (folder / f"part{k}.cpp").write_text(f"""
#include "part{k}.h"
#include <vector>
#define gain {k}
using namespace std;
namespace brian {{ static int results_dir = gain; }}
struct Clock {{ vector<double> times; }};
static void brian_start(Clock &clock) {{ clock.times.push_back(brian::results_dir); }}
static double helper(double x) {{ Clock clock; brian_start(clock); return x*clock.times[0]; }}
double from_file{k}(double x) {{ return helper(x); }}
""")
    (folder / "plain.h").write_text('#ifdef __cplusplus\nextern "C"\n#endif\ndouble in_c(double x);\n')
    (folder / "plain.c").write_text('#include "plain.h"\ndouble in_c(double class) { return class + 0.25; }\n')
    (folder / "macros.h").write_text(
        "#ifndef MACROS\n#define MACROS\n#define offset 100.0\n#define v_new 7\n"
        "static double shifted(double x) { return x + offset; }\n#endif\n"
    )
    (folder / "unguarded.h").write_text("static int seen = 0;\n#undef offset\n#define offset 1000.0\n")
    return folder


def users(folder: Path) -> dict[str, Function]:
    """Functions in C++ that would disturb each other in one file."""
    headers = {k: [f'"{folder}/part{k}.h"'] for k in (1, 2)}
    return {
        "defines": function("defines", "#define gain 3.0\ndouble defines(double x) { return x*gain; }"),
        "scales": function("scales", "static const double gain = 5;\ndouble scales(double x) { return gain*x; }"),
        "helped": function(
            "helped", "struct Helper { double x; };\nstatic int calls = 0;\n"
            "double helped(double x) { Helper h = {x}; return h.x + ++calls; }",
        ),
        "assisted": function(
            "assisted", "class Helper {};\nstatic double calls = 0.5;\n"
            "double assisted(double x) { return x + (calls += sizeof(Helper)); }",
        ),
        "undone": function("undone", "#define u 4\ndouble undone(double x) { return x + u; }\n#undef u"),
        "headed": function("shifted", "//", headers=[f'"{folder}/macros.h"']),
        "unguarded": function(
            "unguarded", "double unguarded(double x) { return x + offset + seen++; }",
            headers=[f'"{folder}/unguarded.h"'],
        ),
        "from_file1": function("from_file1", "//", sources=[f"{folder}/part1.cpp"], headers=headers[1]),
        "from_file2": function("from_file2", "//", sources=[f"{folder}/part2.cpp"], headers=headers[2]),
        "in_c": function("in_c", "//", sources=[f"{folder}/plain.c"], headers=[f'"{folder}/plain.h"']),
    }  # fmt: skip


#: what operations that call these functions cannot name, on any device
OWN = {"defines": {"gain"}, "undone": {"u"}, "headed": {"offset", "v_new", "MACROS"}, "unguarded": {"offset"}}


def disturbing(folder: Path) -> Network:
    """Every function in an operation, some in two, on neurons whose variables are called as the macros."""
    names = users(folder)
    groups = []
    for k, name in enumerate([*names, "exp", "defines", "helped", "from_file1"]):
        variables = sorted({"gain", "offset", "u", "v_new", "MACROS"} - OWN.get(name, set()))
        code = f"v = {name}(v) + {'*'.join(variables)} + i"
        made = group(f"n{k:02}", code, more="\n".join(f"{v} : 1" for v in variables), **names)
        for number, variable in enumerate(variables):
            setattr(made, variable, 0.5 + number)
        groups.append(made)
    return Network(*groups)


@pytest.mark.slow
def test_what_users_wrote_disturbs_nobody(foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "STRICT", [*side_by_side.PLAIN, side_by_side.read_once()])
    files = side_by_side.assert_same(lambda: disturbing(foreign), tmp_path, milliseconds=1.5, joined=False)
    assert len([name for name in files if re.match(r"_array_n\d\d_v_\d", name)]) == 14


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are compiled without optimisation."""
    monkeypatch.setitem(prefs, "codegen.cpp.extra_compile_args_gcc", ["-w", "-O0", "-std=c++11"])
    monkeypatch.setitem(prefs, "devices.cpp_standalone.extra_make_args_unix", ["-j2"])


@pytest.mark.long
@pytest.mark.usefixtures("dense", "quickly")
def test_what_was_edited_is_compiled_again(foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "WHOLE", 3)
    monkeypatch.setattr(sources, "CHUNK", 2)
    project = tmp_path / "project"
    foreign = foreign.rename(tmp_path / "with a space")  # which stock does not bear

    def result(*before: Callable[[], object]) -> list[float]:
        for change in before:
            change()
        gc.collect()  # else a name gets a number now and then, and is another file
        device.reinit()
        device.activate(build_on_run=False)
        names = users(foreign)
        groups = [group(f"n{k}", f"v = {k + 1}", n=1) for k in range(4)]
        last = group("last", "v = from_file1(10) + headed(1)", n=1, **names)
        Network(*groups, last).run(0.5 * ms)
        device.build(directory=str(project), with_output=False)
        assert [float(g.v[0]) for g in groups] == [1, 2, 3, 4]
        return [float(last.v[0])]

    def compiled() -> dict[str, int]:
        return {file.name: file.stat().st_mtime_ns for file in project.rglob("*.o")}

    assert result() == [10 + 101]
    assert units(project) == ALONE | {
        "dense_program_1.cpp", "dense_program_2.cpp", "source_1_part1.cpp", "code_objects/last_regular_codeobject.cpp",
    }  # fmt: skip
    first = compiled()
    assert result() == [10 + 101]
    assert compiled() == first  # nothing changed
    part, header = foreign / "part1.cpp", foreign / "macros.h"
    assert result(lambda: part.write_text(part.read_text().replace("gain 1", "gain 4"))) == [40 + 101]
    second = compiled()
    assert {name for name in first if first[name] != second[name]} == {"source_1_part1.o"}
    assert result(lambda: header.write_text(header.read_text().replace("100.0", "200.0"))) == [40 + 201]
    third = compiled()
    assert {name for name in first if second[name] != third[name]} == {"last_regular_codeobject.o"}
    device.delete()
    assert [file.name for file in project.rglob("*") if file.is_file()] == ["stdout.txt"]  # as of Brian2's own
    assert len(list(foreign.iterdir())) == 8  # nothing was written beside sources, and none of them deleted


@pytest.mark.usefixtures("dense")
def test_arrays_begin_where_lines_of_the_cache_do(tmp_path: Path) -> None:
    groups = [group(f"aligned_{k}", "v += 1", n=3 + k) for k in range(4)]
    synapses = Synapses(groups[0], groups[1], "w : 1", name="aligned_to")
    synapses.connect()
    network = Network(groups, synapses)
    network.run(1 * ms)
    arrays = [f"brian::_array_aligned_{k}_v" for k in range(4)] + ["&brian::_dynamic_array_aligned_to_w[0]"]
    for array in arrays:
        device.insert_code("main", f"if (reinterpret_cast<std::size_t>({array}) % 64 != 0) std::exit(9);")
    device.build(directory=str(tmp_path), with_output=False)
    assert groups[0].v[0] == 1
