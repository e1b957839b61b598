"""What the dense device cannot do is said in words, and what it can leave out is still there when asked for."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from brian2 import (
    Function,
    Network,
    NeuronGroup,
    Synapses,
    device,
    linked_var,
    ms,
    prefs,
)

import dense_pathways
from dense_pathways import connections, sources


def pair(**arguments: object) -> tuple[NeuronGroup, NeuronGroup, Synapses]:
    a = NeuronGroup(5, "v : 1", threshold="True", reset="", name="a")
    b = NeuronGroup(4, "v : 1", name="b")
    return a, b, Synapses(a, b, "w : 1", on_pre="v_post += w", name="s", **arguments)


@pytest.mark.usefixtures("dense")
def test_a_delay_after_the_first_run_is_refused() -> None:
    a, b, s = pair()
    s.connect()
    network = Network(a, b, s)
    network.run(2 * ms)
    s.delay = 0 * ms  # no delay is what the program has
    for late in (lambda: setattr(s, "delay", 1 * ms), lambda: setattr(s, "delay", "i*ms")):
        with pytest.raises(RuntimeError, match=r"s_pre: its delay is set after a run.*cpp_standalone"):
            late()


@pytest.mark.usefixtures("dense")
def test_connecting_after_the_first_run_is_refused() -> None:
    a, b, s = pair()
    s.connect()
    Network(a, b, s).run(2 * ms)
    with pytest.raises(RuntimeError, match="s: connected again after a run"):
        s.connect(i=0, j=0)


@pytest.mark.slow
@pytest.mark.usefixtures("dense")
def test_lists_that_were_left_out_are_worked_out_when_asked_for(tmp_path: Path) -> None:
    prefs.devices.cpp_standalone.extra_make_args_unix, jobs = ["-j2"], prefs.devices.cpp_standalone.extra_make_args_unix
    a, b, s = pair()
    s.connect("i != j")
    s.w = 1
    read = Synapses(a[1:4], b, "w : 1", on_pre="v_post += 0*w*i", name="read")
    read.connect()
    listed = Synapses(a, b, "w : 1", on_pre="v_post += 0*w", name="listed")
    listed.connect("abs(i - j) < 2")
    Network(a, b, s, read, listed).run(3 * ms)
    device.build(directory=str(tmp_path / "program"), with_output=False)
    prefs.devices.cpp_standalone.extra_make_args_unix = jobs
    for name in ("s__synaptic_pre", "s__synaptic_post", "s_delay", "read__synaptic_post", "listed_delay"):
        (file,) = (tmp_path / "program" / "results").glob(f"_dynamic_array_{name}_*")
        assert file.stat().st_size == 0, name
    expected = [(i, j) for i in range(5) for j in range(4) if i != j]
    assert list(zip(s.i, s.j, strict=True)) == expected
    np.testing.assert_array_equal(s.delay / ms, np.zeros(len(expected)))
    pairs = [(i, j) for i in range(5) for j in range(4) if abs(i - j) < 2]
    assert list(zip(listed.i, listed.j, strict=True)) == pairs
    np.testing.assert_array_equal(listed.delay / ms, np.zeros(len(pairs)))
    np.testing.assert_array_equal(read.i, np.repeat([0, 1, 2], 4))
    np.testing.assert_array_equal(b.v, [3 * 4] * 4)
    with pytest.raises(RuntimeError, match="its delay is set after a run"):
        device.run(run_args={s.delay: 1 * ms})


def test_an_unknown_version_of_brian2_is_pointed_out() -> None:
    for known in ("2.10.1", "2.11.0"):
        dense_pathways.check_version(known)
    with pytest.warns(UserWarning, match="checked with Brian2 2.10 and 2.11, this is 3.0.0"):
        dense_pathways.check_version("3.0.0")


@pytest.mark.parametrize("kind", [connections.ALL, connections.NOT_SELF, connections.ONE_TO_ONE])
@pytest.mark.parametrize(("n_pre", "n_post"), [(3, 3), (2, 5), (5, 2), (1, 1)])
def test_counted_connections(kind: str, n_pre: int, n_post: int) -> None:
    connection = dense_pathways.Connection(kind, n_pre, n_post, 10, 20)
    pairs = {
        connections.ALL: [(i, j) for i in range(n_pre) for j in range(n_post)],
        connections.NOT_SELF: [(i, j) for i in range(n_pre) for j in range(n_post) if i != j],
        connections.ONE_TO_ONE: [(i, i) for i in range(min(n_pre, n_post))],
    }[kind]
    assert connection.n_synapses == len(pairs)
    np.testing.assert_array_equal(connection.indices("pre"), [10 + i for i, _ in pairs])
    np.testing.assert_array_equal(connection.indices("post"), [20 + j for _, j in pairs])


def test_only_uses_besides_declarations_count_as_reading() -> None:
    declared = "const size_t _numi = _dynamic_array_s_i.size();"
    pointer = "int32_t* __restrict  _ptr_array_s_i = _array_s_i;"
    constant = "int32_t* const _array_s_i = _dynamic_array_s_i.empty()? 0 : &_dynamic_array_s_i[0];"
    assert not sources.mentions("\n".join([pointer, constant]), "_dynamic_array_s_i")
    assert not sources.mentions("const int k = _ptr_array_s_index[0];", "_dynamic_array_s_i")
    for use in ("const int32_t i = _ptr_array_s_i[_idx];", "f(_array_s_i);", "_dynamic_array_s_i.push_back(1);"):
        assert sources.mentions("\n".join([pointer, use]), "_dynamic_array_s_i")
    assert sources.mentions(declared.replace("const size_t _numi", "const int n"), "_dynamic_array_s_i")


@pytest.mark.usefixtures("dense")
def test_arrays_end_with_whole_vectors(tmp_path: Path) -> None:
    groups = [NeuronGroup(n, "v : 1", name=f"of_{n}") for n in (32, 100)]
    Network(*groups).run(1 * ms)
    device.build(directory=str(tmp_path), compile=False, run=False, with_output=False)
    allocated = re.findall(r"_array_of_(\d+)_v = new (.*)", (tmp_path / sources.ARRAYS).read_text())
    assert dict(allocated) == {"32": "double[32]();", "100": "double[128]();"}


@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize(
    ("code", "whole"),
    [
        ("x = exp(-v)*n", True),
        ("n = n % 3", False),  # what lies beyond an array is zero
        ("x = own(v)", False),  # a function of the user may not bear it
        ("x = z", False),  # an array of another group is as long as it is
    ],
)
def test_a_loop_goes_on_to_the_end_of_a_vector_where_it_may(code: str, whole: bool, tmp_path: Path) -> None:
    own = Function(lambda v: v, arg_units=[1], return_unit=1)
    own.implementations.add_implementation("cpp", "double own(double v) { return v; }")
    other = NeuronGroup(3, "y : 1", name="other")
    group = NeuronGroup(5, "v : 1\nx : 1\nn : integer\nz : 1 (linked)", namespace={"own": own}, name="group")
    group.z = linked_var(other, "y", index=np.zeros(5, int))
    group.run_regularly(code, name="regular")
    Network(group, other).run(1 * ms)
    device.build(directory=str(tmp_path), compile=False, run=False, with_output=False)
    (file,) = (tmp_path / "code_objects").glob("regular*_codeobject*.cpp")
    assert ("/16*16" in file.read_text()) == whole
