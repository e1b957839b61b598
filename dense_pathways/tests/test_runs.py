"""Listed connections whose synapses follow one another are compiled to loops over runs, with the bits of stock."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    device,
    hertz,
    linked_var,
    ms,
)
from numpy.typing import NDArray

import dense_pathways
from dense_pathways import connections
from side_by_side import DECISIONS, assert_same

SIDE, KERNEL, INPUTS, OUTPUTS = 7, 3, 5, 6
VALID = SIDE - KERNEL + 1

SIGNAL = "a : 1\nb : 1\nx : 1\nz : 1"

Pairs = tuple[NDArray[np.int32], ...]


def convolution() -> Pairs:
    """Sources, targets and weights of a convolution without padding, channels last, by sources and by weights."""
    found = []
    for y, x, c, dy, dx in np.ndindex(SIDE, SIDE, INPUTS, KERNEL, KERNEL):
        ty, tx = y - dy, x - dx
        if 0 <= ty < VALID and 0 <= tx < VALID:
            for o in range(OUTPUTS):
                weight = ((dy * KERNEL + dx) * INPUTS + c) * OUTPUTS + o
                found.append(((y * SIDE + x) * INPUTS + c, (ty * VALID + tx) * OUTPUTS + o, weight))
    return tuple(np.array(found, dtype=np.int32).T)


def layer(n: int, name: str) -> NeuronGroup:
    """Neurons that fire at random, send events in every step, and others of a condition."""
    group = NeuronGroup(
        n, SIGNAL, threshold="rand() < 0.3", reset="z += 1", events={"step": "t >= 0*ms", "some": "x > 0.5"}, name=name
    )
    group.a, group.b, group.x = "rand() - 0.5", "rand() - 0.5", "rand()"
    group.run_on_event("some", "x *= 0.95")
    return group


def runs(folder: Path) -> dict[str, tuple[int, int]]:
    """How many synapses and runs each operation went through, as the program says."""
    lines = (folder / "dense" / "results" / "dense_run_info.txt").read_text().splitlines()
    return {
        name.partition("_codeobject")[0]: (int(synapses), int(number))
        for name, synapses, number in (line.split() for line in lines)
    }


def shared() -> Network:
    """A convolution whose synapses share kernels, forward and backward, by every kind of operation."""
    pre, post, weight = convolution()
    inputs, outputs = layer(SIDE * SIDE * INPUTS, "inputs"), layer(VALID * VALID * OUTPUTS, "outputs")
    kernel = NeuronGroup(KERNEL * KERNEL * INPUTS * OUTPUTS, "w : 1\ndw : 1\nu : 1\nv : 1", name="kernel")
    kernel.w, kernel.u = "rand() - 0.5", "rand()"
    codes = {
        "spike": "a_post += w",
        "all": "b_post += 0.001*w*a_pre",
        "grad": "dw += a_post*b_pre",
        "back": "b_pre += 0.001*w*a_post",
        "own": "u += 0.001*w*u*kernel_index; own = u + i - j",
        "tangled": "v = 0.9*v + w_again*a_pre; a_post += 0.001*v_again",
    }
    links = {"w": "w", "dw": "dw", "u": "u", "v": "v", "w_again": "w", "v_again": "v"}
    indices = "kernel_index : integer (constant)\nother_index : integer (constant)\nown : 1\n"
    conv = Synapses(
        inputs, outputs, indices + "\n".join(f"{name} : 1 (linked)" for name in links), on_pre=codes,
        on_post={"post": "own += w*z_pre; x_post *= 0.999; dw -= 0.01*own"},
        on_event={"spike": "spike", "all": "step", "grad": "step", "back": "some", "own": "spike", "tangled": "step",
                  "post": "spike"},
        name="conv",
    )  # fmt: skip
    conv.connect(i=pre, j=post)
    conv.kernel_index, conv.other_index = weight, weight[::-1].copy()
    for name, linked in links.items():
        index = "other_index" if name.endswith("again") else "kernel_index"
        setattr(conv, name, linked_var(kernel, linked, index=index))
    conv.run_regularly("dw += 0.01*a_post*a_pre; b_pre += 0.001*w*a_post", name="backward", when="end")
    for place, name in enumerate([*codes, "post"]):
        getattr(conv, name).order = place
    back = NeuronGroup(SIDE * SIDE * INPUTS, "g : 1", name="back")
    transposed = Synapses(
        back, outputs, "w : 1 (linked)\nk : integer (constant)\ng_pre = w*b_post : 1 (summed)\n"
        "z_post = w*g_pre : 1 (summed)", name="transposed",
    )  # fmt: skip
    transposed.connect(i=pre, j=post)
    transposed.k = weight
    transposed.w = linked_var(kernel, "w", index="k")
    return Network(inputs, outputs, kernel, conv, back, transposed, SpikeMonitor(outputs, name="spikes"))


@pytest.mark.slow
def test_convolutions_with_shared_kernels(tmp_path: Path) -> None:
    assert_same(shared, tmp_path, 2, 6)
    size, in_runs = len(convolution()[0]), len(convolution()[0]) // OUTPUTS
    for name in ("conv_spike", "conv_all", "conv_grad", "conv_back", "conv_own", "backward"):
        assert DECISIONS[name].dense, DECISIONS[name]
        assert DECISIONS[name].reason == f"{size} synapses in {in_runs} runs"
    for name in ("transposed_summed_variable_g_pre", "transposed_summed_variable_z_post"):
        assert DECISIONS[name].reason == f"{size} synapses in {in_runs} runs"
    assert "one by one" in DECISIONS["conv_post"].reason
    # an array that is written, and reached by two indices, is not worked on at once
    assert "v is written, and reached by kernel_index, other_index" in DECISIONS["conv_tangled"].reason
    # one index falls where the other rises: steps of their own
    assert runs(tmp_path)["conv_tangled"] == (size, in_runs)


def listed() -> Network:
    """Banded matrices, receptive fields, pooling, and lists of which some have no runs; weights of their own."""
    a, b = layer(40, "a"), layer(40, "b")
    code = {"on_pre": "a_post += w*b_pre; z_pre += 0.1*w", "on_post": "w = clip(w + 0.01*x_pre - 0.02*b_post, -1, 1)"}
    banded = Synapses(a, b, "w : 1", **code, name="banded")
    banded.connect("abs(i - j) < 4 and i != j")
    field = Synapses(a[5:35], b[2:], "w : 1", **code, name="field")
    field.connect(j="k for k in range(i - 3, i + 5)", skip_if_invalid=True)
    by_offset = Synapses(a, b, "w : 1", **code, name="by_offset")  # not by source
    offset, source = np.divmod(np.arange(5 * 30), 30)
    by_offset.connect(i=source, j=source + offset)
    by_field = Synapses(a, b, "w : 1", **code, name="by_field")  # rows that come in any order
    order = np.random.default_rng(1).permutation(30)
    by_field.connect(i=np.repeat(order, 6), j=(order[:, np.newaxis] + np.arange(6)).ravel())
    pool = Synapses(
        a, b, "w : 1", on_pre={"sum": "a_post += 1.1*b_pre", "noise": "x_post += 0.1*randn()"},
        on_event={"sum": "step", "noise": "step"}, name="pool",
    )  # fmt: skip
    pool.connect(i=np.arange(40), j=np.arange(40) // 10 * 5 + np.arange(40) % 5)
    most = NeuronGroup(40, "s : 1", name="most")
    pooled = Synapses(a, most, "w : 1\ns_post = w*b_pre : 1 (summed)", name="pooled")
    pooled.connect(i=np.arange(40), j=np.arange(40) // 10 * 5 + np.arange(40) % 5)
    twice = Synapses(a, b, "w : 1", **code, name="twice")
    twice.connect()
    twice.connect("i == j")
    recurrent = Synapses(a, a, "w : 1", on_pre="a_post += 0.01*w*a_pre; b_post *= 0.99", name="recurrent")
    recurrent.connect("abs(i - j) < 6")
    alike = Synapses(a, b, "w : 1", on_pre="a_post += w*b_pre; w += 0.01*a_post; z_pre -= w", name="alike")
    alike.connect("i // 8 == j // 8")
    doubled = Synapses(a, b, "w : 1", on_pre="a_post = 0.9*a_post + w*b_pre", name="doubled")  # two synapses a pair
    doubled.connect(i=np.repeat(np.arange(8), 12), j=np.tile(np.arange(6), 16))
    clocked = Synapses(
        a, b, "w : 1\ndr/dt = (b_pre - r)/(5*ms) : 1 (clock-driven)", on_pre="r += 0.1", method="euler", name="clocked"
    )
    clocked.connect("abs(i - j) < 3")
    plain = Synapses(a, b, "w : 1", name="plain")
    plain.connect("abs(i - j) < 3")
    plain.run_regularly("w = 0.99*w + 0.01", name="decay")  # looks at no neuron
    given = SpikeGeneratorGroup(6, [3, 0, 5, 1, 0], [1, 2, 2, 2, 4] * ms, name="given")
    poisson = PoissonGroup(31, 80 * hertz, name="poisson")
    drawn = Synapses(given, b, "w : 1", on_pre="w = rand(); a_post += w", name="drawn")
    drawn.connect("j >= 6*i and j < 6*i + 6")
    sent = Synapses(poisson, b, "w : 1", on_pre="a_post += 0.01*w", name="sent")
    sent.connect("abs(i - j) < 5")
    fan = Synapses(a, b, "w : 1", **code, name="fan")  # columns, of every third source
    fan.connect("i % 3 == 0 and j == 7")
    nothing = Synapses(a, b, "w : 1", **code, name="nothing")
    nothing.connect("i < 0")
    moving = Synapses(a, b, "w : 1 (linked)\nk : integer", on_pre="a_post += w", name="moving")
    moving.connect("abs(i - j) < 4")
    moving.k = "i % 40"
    moving.w = linked_var(most, "s", index="k")
    moving.run_regularly("k = (k + 1) % 40", name="move")
    late = Synapses(a, b, "w : 1", on_pre="a_post += w", delay=1 * ms, name="late")
    late.connect("abs(i - j) < 4")
    sparse = Synapses(a, b, "w : 1", on_pre="a_post += w", name="sparse")
    sparse.connect("i != j", p=0.2)
    chance = Synapses(a, b, "w : 1", on_pre="a_post += w", name="chance")
    chance.connect("rand() < 0.2")
    scattered = Synapses(a, b, "w : 1", on_pre="a_post += w", name="scattered")
    pairs = np.sort(np.random.default_rng(2).choice(1600, 300, replace=False))
    scattered.connect(i=pairs // 40, j=pairs % 40)
    made = [banded, field, by_offset, by_field, pool, pooled, twice, recurrent, alike, doubled, clocked, plain, drawn,
            sent, fan, nothing, moving, late, sparse, chance, scattered]  # fmt: skip
    for place, synapses in enumerate(made):
        for pathway in synapses._pathways:
            pathway.order = place
        if synapses is not moving:
            synapses.w = "0.2*rand() - 0.1"
        if synapses in (banded, by_offset, by_field, pool, alike):
            regular = "w = 0.99*w + 0.01*b_pre*a_post; x_pre = 0.9*x_pre + 0.01*w"
            synapses.run_regularly(regular, name=f"regular_{synapses.name}", order=place)
    return Network(a, b, given, poisson, most, made, SpikeMonitor(b, name="spikes"))


@pytest.mark.slow
def test_listed_connections_with_weights_of_their_own(tmp_path: Path) -> None:
    assert_same(listed, tmp_path, 1, 10)
    fell = {name: how.reason for name, how in DECISIONS.items() if not how.dense}
    assert set(fell) == {"late_pre", "sparse_pre", "chance_pre", "scattered_pre"}
    assert "delays" in fell["late_pre"]
    assert "p=0.2" in fell["sparse_pre"]
    assert "random (connect(condition='rand() < 0.2'" in fell["chance_pre"]
    assert "1.2 synapses a run" in fell["scattered_pre"]
    found = runs(tmp_path)
    expected = {
        "banded_pre": (228, 78), "by_offset_pre": (150, 30), "by_field_pre": (180, 30), "regular_by_offset": (150, 5),
        "regular_by_field": (180, 30), "pool_sum": (40, 5), "pool_noise": (40, 5), "regular_pool": (40, 5),
        "pooled_summed_variable_s_post": (40, 5), "alike_pre": (320, 40), "twice_pre": (1640, 80), "fan_pre": (14, 14),
        "fan_post": (14, 1), "nothing_pre": (0, 0), "drawn_pre": (36, 6),
    }  # fmt: skip
    assert {name: found.get(name, (0, 0)) for name in expected} == expected
    assert "decay" not in found
    assert "clocked_stateupdater" in found
    assert DECISIONS["recurrent_pre"].reason.startswith("_ptr_array_a_a is written, and reached by")


# -- random networks ---------------------------------------------------------------------------------------
def _random_network(number: int) -> Network:
    draw = random.Random(number)
    groups = [layer(draw.randint(12, 24), f"g{k}") for k in range(3)]
    kernel = NeuronGroup(64, "w : 1\ndw : 1", name="kernel")
    kernel.w = "rand() - 0.5"
    made = []
    for k in range(8):
        source, target = draw.choice(groups), draw.choice(groups)
        if draw.random() < 0.3:
            source = source[2 : len(source) - 1]
        if draw.random() < 0.3:
            target = target[3:]
        codes = [
            "a_post += 0.001*w*b_pre", "b_pre += 0.001*w*a_post", "dw += 0.01*a_pre*b_post",
            "own = clip(0.9*own + w*x_pre, -1, 1)", "x_post = clip(0.9*x_post + own, -1, 1)",
            "z_pre = clip(z_pre*w + own, -1, 1)", "w = clip(w - 0.01*dw, -1, 1)",
            "w = clip(w - 0.01*a_post, -1, 1); a_post *= 0.99",
            "a_post = clip(a_post + own, -1, 1); own -= 0.1*w; b_pre = clip(b_pre - 0.1*own, -1, 1)",
        ]  # fmt: skip
        synapses = Synapses(
            source, target, "w : 1 (linked)\ndw : 1 (linked)\nk : integer (constant)\nown : 1",
            on_pre={"one": draw.choice(codes), "two": "\n".join(draw.sample(codes, 2))}, on_post=draw.choice(codes),
            on_event={"one": "spike", "two": draw.choice(["step", "some"]), "post": "spike"}, name=f"s{k}",
        )  # fmt: skip
        width = draw.randint(2, 9)
        blocks, gaps = f"i // {width} == j // {width}", f"j % {width + 1} != 0"
        synapses.connect(draw.choice([f"abs(i - j) < {width}", blocks, gaps, "True"]))
        if draw.random() < 0.2:
            synapses.connect(i=draw.randrange(9), j=np.arange(9))
        kernels = f"j % {width} + {width}*(i % 4)"
        synapses.k = draw.choice([f"(j + {width}*i) % 64", "j", kernels, "63 - j"])
        synapses.own = "rand()"
        synapses.w, synapses.dw = (linked_var(kernel, name, index="k") for name in ("w", "dw"))
        for name in ("one", "two", "post"):
            getattr(synapses, name).order = draw.randint(-2, 2)
        if draw.random() < 0.5:
            synapses.run_regularly(draw.choice(codes), when=draw.choice(["start", "end"]), order=k, name=f"regular{k}")
        made.append(synapses)
    return Network(groups, kernel, made, [SpikeMonitor(g, name=f"spikes_{g.name}") for g in groups])


@pytest.mark.long
@pytest.mark.parametrize("number", range(6))
def test_random_networks_of_runs(tmp_path: Path, number: int) -> None:
    files = assert_same(lambda: _random_network(number), tmp_path, 1, 8)
    kernel = np.frombuffer(next(v for k, v in files.items() if k.startswith("_array_kernel_dw")))
    assert np.abs(kernel).max() < 1e6  # infinite ones would hide what differs
    assert len(np.unique(kernel)) > 12  # no group is smaller; otherwise nothing was compared
    assert len(runs(tmp_path)) >= 16


# -- tables ------------------------------------------------------------------------------------------------
PROGRAM = """
#include "dense_runs.h"
#include <cstdio>
#include <iterator>
#include <sstream>
int main(int, char** given) {
    std::vector<_dense_runs::List> lists;
    for (int k = 2; given[k]; ++k) {
        std::istringstream words(given[k]);
        lists.push_back(_dense_runs::List(std::istream_iterator<int>(words), std::istream_iterator<int>()));
    }
    _dense_runs::Lists all;
    for (const _dense_runs::List& list : lists)
        all.push_back(&list);
    ++_dense_runs::begun();
    _dense_runs::Table& table = _dense_runs::find((_dense_runs::Order)std::atoi(given[1]), all);
    table.renew(false);
    std::printf("%d %d %d\\n", table.n_runs(), table.plain, table.diagonal);
    for (int row = 0; row < table.n_rows(); ++row)
        std::printf("%d ", table.alike(row, false) + table.alike(row, true));
    std::printf("\\n");
    for (const int number : table.runs)
        std::printf("%d ", number);
}
"""
BY_SOURCE, BY_TARGET, AS_MADE = range(3)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[list[int], list[int], list[list[int]]]]:
    """Makes the table of some lists: numbers of runs and what kind they are, which rows are alike, and the runs."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "table.cpp").write_text(PROGRAM)
    headers = Path(dense_pathways.__file__).parent / "headers"
    command = ["g++", "-std=c++11", "-O1", f"-I{headers}", "table.cpp", "-o", "table"]
    subprocess.run(command, cwd=folder, check=True)

    def make(order: int, *lists: Sequence[int]) -> tuple[list[int], list[int], list[list[int]]]:
        words = [" ".join(map(str, numbers)) for numbers in lists]
        done = subprocess.run([folder / "table", str(order), *words], capture_output=True, text=True, check=True)
        kind, alike, numbers = ([*map(int, line.split())] for line in (*done.stdout.split("\n"), "")[:3])
        width = len(lists) + 2
        return kind, alike, [numbers[k : k + width] for k in range(0, len(numbers), width)]

    return make


@pytest.mark.slow
def test_tables_of_runs(table: Callable[..., tuple[list[int], list[int], list[list[int]]]]) -> None:
    # two runs of the first source, one of the third
    assert table(BY_SOURCE, [0, 0, 0, 2, 2], [4, 5, 1, 1, 2]) == (
        [3, 1, 0], [0, 0, 0], [[2, 0, 0, 4], [1, 2, 0, 1], [2, 3, 2, 1]]
    )  # fmt: skip
    # the same, made in another order
    kind, _, made = table(BY_SOURCE, [2, 0, 2, 0, 0], [1, 4, 2, 5, 1])
    assert (kind[0], made[0][:3]) == (5, [1, 1, 0])
    # diagonals, and columns whose sources are two apart
    assert table(AS_MADE, [0, 1, 2, 3], [0, 1, 0, 1])[::2] == ([2, 0, 1], [[2, 0, 0, 0], [2, 2, 2, 0]])
    assert table(BY_TARGET, [0, 2, 4, 6], [3, 3, 3, 3])[::2] == ([1, 0, 0], [[4, 0, 0, 3]])
    # an index that does not go along ends a run
    assert table(BY_SOURCE, [0, 0, 0, 0], [0, 1, 2, 3], [5, 6, 0, 1])[2] == [[2, 0, 0, 0, 5], [2, 2, 0, 2, 0]]
    assert table(BY_TARGET, [], []) == ([0, 1, 0], [0], [])


@pytest.mark.slow
def test_rows_that_are_alike(table: Callable[..., tuple[list[int], list[int], list[list[int]]]]) -> None:
    source = np.repeat(np.arange(5), 4)
    target = np.tile([6, 7, 2, 3], 5)  # of one source, targets fall
    assert table(BY_SOURCE, source, target)[1] == [2, 0, 0, 0, 0]
    assert table(BY_SOURCE, source, np.tile([6, 7, 6, 7], 5))[1] == [0, 0, 0, 0, 0]  # two synapses a pair
    assert table(BY_SOURCE, source, np.where(source == 3, target + 1, target))[1] == [0, 0, 0, 0, 0]
    one_for_all = np.tile(np.arange(4), 5)  # a weight is that of several sources: alike, but not apart
    assert table(BY_SOURCE, source, target, one_for_all)[1] == [1, 0, 0, 0, 0]
    assert table(BY_SOURCE, source, target, np.arange(20)[::-1].reshape(10, 2)[:, ::-1].ravel())[1] == [2, 0, 0, 0, 0]
    pre, post, weight = convolution()
    assert sum(table(BY_SOURCE, pre, post, weight)[1]) == 2 * SIDE**2 * (INPUTS // 4)


# -- what is said before anything is compiled ----------------------------------------------------------------
@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"i": np.repeat(np.arange(4), 5), "j": np.tile(np.arange(5), 4)}, connections.Runs(20, 4)),
        ({"i": np.arange(8), "j": np.arange(8) % 4}, connections.Runs(8, 2)),
        ({"i": 3, "j": np.arange(8)}, connections.Runs(8, 1)),
        ({"i": [], "j": []}, connections.Runs(0, 0)),
        ({"condition": "abs(i - j) < 2"}, connections.Runs()),
        ({"j": "k for k in range(i, i + 3)"}, connections.Runs()),
        ({"condition": "rand() < 0.5"}, "its connections are random (connect(condition='rand() < 0.5'))"),
        ({"j": "k for k in sample(N_post, p=0.1)"}, "its connections are random"),
    ],
)
def test_runs_of_arrays_are_counted(arguments: dict[str, object], expected: connections.Runs | str) -> None:
    a, b = NeuronGroup(8, "v : 1", name="a"), NeuronGroup(8, "v : 1", name="b")
    found = connections.recognise(Synapses(a, b, name="s"), arguments)
    assert found == expected or (isinstance(expected, str) and str(found).startswith(expected))


def test_short_runs_are_none() -> None:
    assert connections.Runs().why_not is None
    assert connections.Runs(30, 10).why_not is None
    assert "2.9 synapses a run" in str(connections.Runs(29, 10).why_not)
    assert connections.Runs(30, 10).and_more(connections.Runs(20, 20)) == connections.Runs(50, 30)
    assert connections.Runs(30, 10).and_more(connections.Runs()) == connections.Runs()


@pytest.mark.usefixtures("dense")
def test_connecting_listed_synapses_after_the_first_run_is_refused() -> None:
    a, b = NeuronGroup(9, "v : 1", threshold="v > 1", name="a"), NeuronGroup(9, "v : 1", name="b")
    s = Synapses(a, b, on_pre="v_post += 1", name="s")
    s.connect("abs(i - j) < 3")
    Network(a, b, s).run(1 * ms)
    with pytest.raises(RuntimeError, match="s: connected again after a run"):
        s.connect(i=0, j=8)
    with pytest.raises(RuntimeError, match="its delay is set after a run"):
        s.delay = 1 * ms


@pytest.mark.usefixtures("dense")
def test_only_indices_that_change_are_looked_at_again(tmp_path: Path) -> None:
    kernel = NeuronGroup(9, "w : 1", name="kernel")
    a, b = NeuronGroup(9, "v : 1", threshold="v > 1", name="a"), NeuronGroup(9, "v : 1", name="b")
    made = []
    for name in ("fixed", "moving"):
        s = Synapses(a, b, "w : 1 (linked)\nk : integer", on_pre="v_post += w", name=name)
        s.connect("abs(i - j) < 3")
        s.k = "j"
        s.w = linked_var(kernel, "w", index="k")
        made.append(s)
    made[1].run_regularly("k = (k + 1) % 9", name="move")
    Network(kernel, a, b, made).run(1 * ms)
    device.build(directory=str(tmp_path), compile=False, run=False, with_output=False)
    for name, changing in {"fixed": "false", "moving": "true"}.items():
        (file,) = (tmp_path / "code_objects").glob(f"{name}_pre_codeobject*.cpp")
        assert f"_dense_table.renew({changing});" in file.read_text()
