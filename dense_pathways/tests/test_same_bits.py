"""The dense device computes what C++ standalone computes, bit for bit, for every kind of Synapses."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    hertz,
    linked_var,
    ms,
)

from side_by_side import DECISIONS, assert_same

pytestmark = pytest.mark.slow

NEURON = "dv/dt = (1.3 - v)/tau : 1 (unless refractory)\nx : 1\ny : 1\ntau : second (constant)\ng : 1"


def neurons(n: int, name: str) -> NeuronGroup:
    group = NeuronGroup(
        n, NEURON, threshold="v > 1", reset="v = 0; x += 1; y = y*0.9", refractory=1.5 * ms, method="exact", name=name
    )
    group.tau, group.v, group.y = "(3 + 5*rand())*ms", "rand()", "0.1*rand()"
    return group


def plastic() -> Network:
    """STDP in several ways, named pathways, events of one's own, subgroups, a write to the source."""
    a, b = neurons(23, "a"), neurons(17, "b")
    stdp = Synapses(
        a, b, "w : 1\ndp/dt = -p/(20*ms) : 1 (event-driven)\ndq/dt = -q/(20*ms) : 1 (event-driven)",
        on_pre={"send": "g_post += w", "learn": "p += 0.01; w = clip(w + q, 0, 1)"},
        on_post="q -= 0.011; w = clip(w + p, 0, 1)", name="stdp",
    )  # fmt: skip
    stdp.connect()
    stdp.w = "rand()"
    clocked = Synapses(
        a, b, "w : 1\ndr/dt = -r/(5*ms) : 1 (clock-driven)", on_pre="r += w", on_post="x_pre += r", method="exact",
        name="clocked",
    )  # fmt: skip
    clocked.connect()
    clocked.w = "0.1*rand()"
    part = Synapses(a[4:15], b[6:], "w : 1", on_pre="v_post += 0.001*w*i", on_post="w += 0.001*x_pre + j", name="part")
    part.connect()
    part.w = "i + 0.5*j"
    one = Synapses(a, b, "w : 1", on_pre="g_post += w*y_pre", on_post="w *= 0.99", name="one")
    one.connect(condition="i == j")
    one.w = 1
    events = NeuronGroup(11, "u : 1\nseen : 1", events={"high": "u > 0.9", "late": "t > 3*ms"}, name="events")
    events.run_regularly("u = rand()", when="start", name="draw")
    events.run_on_event("late", "seen += u")
    on_event = {"h": "high", "l": "late"}
    custom = Synapses(
        events, b, "c : 1", on_pre={"h": "c += 1", "l": "x_post -= c"}, on_event=on_event, name="custom"
    )
    custom.connect()
    monitors = [SpikeMonitor(a, name="spikes"), StateMonitor(b, ["v", "g", "x"], record=True, name="states")]
    return Network(a, b, stdp, clocked, part, one, events, custom, monitors)


def recurrent() -> Network:
    """Connections to oneself in every form, sums, and the forms that fall back."""
    a = neurons(19, "a")
    no_self = Synapses(a, a, "w : 1", on_pre="v_post -= 0.01*w", on_post="w = w*0.999 + 0.001*x_pre", name="no_self")
    no_self.connect("i != j")
    no_self.w = "rand()"
    whole = Synapses(
        a, a, "w : 1", on_pre="x_post += w*y_pre; y_pre -= 0.001", on_post="w += v_pre - v_post", name="whole"
    )
    whole.connect()
    whole.w = "rand()"
    total = Synapses(a, a, "w : 1\ng_post = w*x_pre : 1 (summed)", name="total")
    total.connect("j != i")
    total.w = "0.1*rand()"
    back = NeuronGroup(7, "s : 1", name="back")
    gather = Synapses(back, a, "w : 1\ns_pre = w*v_post : 1 (summed)", name="gather")
    gather.connect()
    gather.w = "rand()"
    regular = Synapses(a, a, "w : 1\nnorm : 1", name="regular")
    regular.connect()
    regular.w = "rand()"
    regular.run_regularly("w = clip(w*(1 - 0.01*x_post) + 0.001*v_pre, 0, 2)", dt=2 * ms, name="shrink")
    noisy = Synapses(a, a, "w : 1", on_pre="w = rand()", on_post="v_post += 0.001*randn()", name="noisy")
    noisy.connect("i != j")
    late = Synapses(a, a, "w : 1", on_pre="v_post += 0.001", name="late")
    late.connect()
    late.delay = "i*0.5*ms"
    constant = Synapses(a, a, on_pre="v_post += 0.001", delay=2 * ms, name="constant")
    constant.connect()
    sparse = Synapses(a, a, on_pre="v_post += 0.001", name="sparse")
    sparse.connect(p=0.3)
    listed = Synapses(a, a, on_pre="v_post += 0.002", name="listed")
    listed.connect(i=[1, 5, 2], j=[2, 2, 8])
    twice = Synapses(a, a, on_pre="v_post += 0.001", name="twice")
    twice.connect()
    twice.connect("i == j")
    again = Synapses(a, a, on_pre="v_post += 0.001", name="again")
    again.connect()
    again.connect(p=0.3)
    double = Synapses(a, a, on_pre="v_post += 0.001", name="double")
    double.connect(n=2)
    many = Synapses(a, a, on_pre="v_post += 0.0001*copy", multisynaptic_index="copy", name="many")
    many.connect(n=2)
    upon = Synapses(a, no_self, on_pre="w_post *= 0.999", name="upon")
    upon.connect(i=[0, 1], j=[0, 5])
    return Network(
        a, no_self, whole, total, back, gather, regular, noisy, late, constant, sparse, listed, twice, again, double,
        many, upon, StateMonitor(a, "v", record=[0, 3], name="states"), SpikeMonitor(a, name="spikes"),
    )  # fmt: skip


def sources() -> Network:
    """Groups that spike without a threshold of their own, shared and linked variables, integers, booleans."""
    poisson = PoissonGroup(31, 80 * hertz, name="poisson")
    given = SpikeGeneratorGroup(6, [0, 3, 3, 5, 1], [1, 2, 4, 4, 9] * ms, name="given")
    kernel = NeuronGroup(5, "k : 1", name="kernel")
    kernel.k = "rand()"
    variables = "v : 1\nn : integer\nhit : boolean\ntotal : 1 (shared)\nz : 1 (linked)\ncopied : 1"
    target = NeuronGroup(14, variables, threshold="v > 2", reset="v = 0", name="target")
    target.z = linked_var(kernel, "k", index=np.arange(14) % 5)
    target.run_regularly("v = v*0.9 + 0.01*z; n += 1; copied = z", name="decay")
    shared = Synapses(poisson, target, "w : 1\nc : 1 (shared)", on_pre="v_post += w*total_post + c", name="shared")
    shared.connect()
    shared.w, shared.c, target.total = "0.2*rand()", 0.01, 0.9
    integer = Synapses(given, target, "k : integer", on_pre="n_post += k; hit_post = True; k += 1", name="integer")
    integer.connect()
    code = "w += copied_post*int(hit_post); v_post += 0.01*n_post"
    read = Synapses(poisson, target, "w : 1", on_pre=code, name="read")
    read.connect()
    drive = TimedArray(np.linspace(0, 1, 60).reshape(20, 3), dt=1 * ms, name="drive")
    timed = NeuronGroup(3, "u : 1", threshold="u > 0.7", reset="", namespace={"drive": drive}, name="timed")
    timed.run_regularly("u = drive(t, i)", when="start", name="follow")
    plain = NeuronGroup(12, "v : 1", threshold="v > 1", reset="v = 0", name="plain")
    reached = Synapses(timed, plain[3:9], "w : 1", on_pre="v_post += 0.1", on_post="w += u_pre", name="reached")
    reached.connect()
    # each neuron takes from its left neighbour what that has just become: one after the other
    chain = NeuronGroup(40, "v : 1\nleft : 1 (linked)", name="chain")
    chain.left = linked_var(chain, "v", index=np.maximum(np.arange(40) - 1, 0))
    chain.v = "rand()"
    chain.run_regularly("v = 0.5*v + 0.5*left + 0.1", name="pass_on")
    count = Synapses(chain, chain, "w : 1\nc : 1 (shared)", name="count")
    count.connect()
    count.run_regularly("c = c + 1\nw = w + c*v_pre", name="counting")
    spikes = SpikeMonitor(target, name="spikes")
    return Network(chain, count, poisson, given, kernel, target, shared, integer, read, timed, plain, reached, spikes)


@pytest.mark.parametrize(
    ("runs", "joined"), [*(pytest.param(runs, False, marks=pytest.mark.long) for runs in (1, 2)), (2, True)]
)
def test_plastic_pathways(tmp_path: Path, runs: int, joined: bool) -> None:
    files = assert_same(plastic, tmp_path, runs, joined=joined)
    weights = np.frombuffer(next(v for k, v in files.items() if k.startswith("_dynamic_array_stdp_w")))
    assert len(np.unique(weights)) > 300
    assert np.frombuffer(next(v for k, v in files.items() if k.startswith("_array_events_seen"))).min() > 0
    for name in ("stdp_send", "stdp_learn", "stdp_post", "clocked_pre", "clocked_post", "clocked_stateupdater",
                 "part_pre", "part_post", "one_pre", "one_post", "custom_h", "custom_l"):  # fmt: skip
        assert DECISIONS[name].dense, DECISIONS[name]


def test_recurrent_pathways_and_those_that_fall_back(tmp_path: Path) -> None:
    assert_same(recurrent, tmp_path)
    fell = {name: d.reason for name, d in DECISIONS.items() if not d.dense}
    assert set(fell) == {
        "late_pre", "constant_pre", "sparse_pre", "listed_pre", "again_pre", "double_pre", "many_pre", "upon_pre"
    }  # fmt: skip
    for name, words in {
        "late_pre": "delays", "constant_pre": "delays", "sparse_pre": "p=0.3", "listed_pre": "listed, 1.0",
        "again_pre": "more than once, and p=0.3", "double_pre": "n=2", "many_pre": "multisynaptic",
        "upon_pre": "Synapses",
    }.items():  # fmt: skip
        assert words in fell[name]
    assert DECISIONS["twice_pre"].dense  # connected twice, in runs
    assert "state" in DECISIONS["noisy_pre"].reason  # it draws: in order, not at once
    assert DECISIONS["whole_pre"].reason == ""  # what a source gathers from its row is carried along the row
    assert DECISIONS["whole_post"].reason == ""  # it reads one array from two sides, and writes only its own


def test_other_sources_shared_and_linked_variables(tmp_path: Path) -> None:
    assert_same(sources, tmp_path)
    assert DECISIONS["integer_pre"].dense
    assert DECISIONS["shared_pre"].dense
    assert "v is written, and reached by" in DECISIONS["pass_on"].reason


def crowds() -> Network:
    """Many sources firing at once, so that rows run side by side; sources that gather from their rows."""
    crowd = NeuronGroup(
        23, "x : 1\ny : 1\nheard : integer\nloud : boolean", threshold="rand() < 0.4", reset="x += 0.1*y", name="crowd"
    )
    crowd.x, crowd.y = "rand()", "rand()"
    a = neurons(17, "a")
    spread = Synapses(crowd, a, "w : 1", on_pre="g_post += w*y_pre; w += 0.01*x_post*x_pre", name="spread")
    gather = Synapses(crowd, a, "w : 1", on_pre="y_pre = 0.9*y_pre + 0.01*w*g_post", name="gather")
    both = Synapses(crowd, a, "w : 1", on_pre="x_post += 0.001*w*x_pre; x_pre = 0.99*x_pre - 0.001*y_post", name="both")
    count = Synapses(crowd, a, on_pre="heard_pre += int(g_post > 0.5); loud_pre = heard_pre > 7", name="count")
    part = Synapses(crowd[3:19], a[5:], "w : 1", on_pre="y_pre += 0.001*w*v_post; w *= 0.99", name="part")
    among = Synapses(crowd, crowd, "w : 1", on_pre="y_pre += 0.001*w*x_post", name="among")
    others = Synapses(crowd, crowd, "w : 1", on_pre="y_pre -= 0.001*w*x_post", name="others")
    tangled = Synapses(crowd, crowd, "w : 1", on_pre="y_pre += 0.001*w*y_post", name="tangled")
    made = [spread, gather, both, count, part, among, others, tangled]
    for order, synapses in enumerate(made):
        synapses.connect("i != j" if synapses is others else True)
        synapses.pre.order = order
        if synapses is not count:
            synapses.w = "rand() - 0.4"
    return Network(crowd, a, made, SpikeMonitor(crowd, name="spikes"))


@pytest.mark.long
def test_rows_side_by_side(tmp_path: Path) -> None:
    assert_same(crowds, tmp_path)
    at_once = {name for name, how in DECISIONS.items() if how.dense and not how.reason}
    assert {"spread_pre", "gather_pre", "both_pre", "count_pre", "part_pre", "among_pre", "others_pre"} <= at_once
    assert "y is written, and reached by" in DECISIONS["tangled_pre"].reason


def large() -> Network:
    """More than one block of rows and a part of a row at the end, for neurons refractory and not; whole numbers
    divided; bounds of any types.
    """
    many = neurons(2 * 1024 + 77, "many")
    divided = NeuronGroup(
        1024 + 33, "period : integer\nn : integer\nhalf : integer\nv : 1", threshold="n % period == 0", reset="v += 1",
        name="divided",
    )  # fmt: skip
    divided.period = "1 + i % 7"
    divided.run_regularly("n += 1; half = n // period; v = clip(v + 1.0/period, 0, inf)", name="count")
    restless = NeuronGroup(
        2 * 1024 + 77, "dv/dt = (1.3 - v)/tau : 1\ntau : second (constant)", threshold="v > 1", reset="v = 0",
        method="euler", name="restless",
    )  # fmt: skip
    restless.tau, restless.v = "(3 + 5*rand())*ms", "rand()"
    exact, few = neurons(1024, "exact"), neurons(3, "few")
    groups = [many, restless, divided, exact, few]
    return Network(groups, [SpikeMonitor(group, name=f"spikes_{group.name}") for group in groups])


@pytest.mark.long
def test_large_groups_and_whole_numbers(tmp_path: Path) -> None:
    files = assert_same(large, tmp_path)
    for name, size in {"many": 2125, "restless": 2125, "divided": 1057, "exact": 1024, "few": 3}.items():
        (fired,) = [v for k, v in files.items() if k.startswith(f"_dynamic_array_spikes_{name}_i_")]
        assert np.unique(np.frombuffer(fired, np.int32)).tolist() == list(range(size)), name


# -- random networks ---------------------------------------------------------------------------------------
_POST, _PRE, _OWN = ("v_post", "x_post", "g_post"), ("x_pre", "y_pre", "v_pre"), ("w", "c")


def _expression(draw: random.Random, depth: int = 0) -> str:
    leaf = draw.choice([*_POST, *_PRE, *_OWN, "0.25", "1.5", "i", "j", "t/ms"])
    if depth > 2 or draw.random() < 0.3:
        return leaf
    kind = draw.choice(["+", "-", "*", "clip", "exp", "int", "abs"])
    inner, other = _expression(draw, depth + 1), _expression(draw, depth + 1)
    if kind in "+-*":
        return f"({inner} {kind} {other})"
    return {
        "clip": f"clip({inner}, -1, 2)",
        "exp": f"exp(-abs({inner}))",
        "int": f"int({inner} > {other})",
        "abs": f"abs({inner})",
    }[kind]


def _statements(draw: random.Random) -> str:
    lines = []
    for _ in range(draw.randint(1, 3)):
        target = draw.choice([*_POST, *_PRE, *_OWN, *_OWN])
        if draw.random() < 0.5:
            lines.append(f"{target} += 0.01*{_expression(draw)}")
        else:
            lines.append(f"{target} = clip(0.9*{target} + 0.1*{_expression(draw)}, -2, 2)")
    return "\n".join(lines)


def _random_network(number: int) -> Network:
    draw = random.Random(number)
    groups = [neurons(draw.randint(3, 12), f"n{k}") for k in range(3)]
    made: list[Synapses] = []
    for k in range(9):
        source, target = draw.choice(groups), draw.choice(groups)
        if draw.random() < 0.3:
            source = source[1 : len(source) - 1]
        if draw.random() < 0.3:
            target = target[1:]
        synapses = Synapses(
            source, target, "w : 1\nc : 1", on_pre=_statements(draw), on_post=_statements(draw), name=f"s{k}"
        )
        synapses.connect(draw.choice(["True", "i != j", "i == j", "j != i"]))
        synapses.w, synapses.c = "rand()", "0.5*rand()"
        synapses.pre.order, synapses.post.order = draw.randint(-2, 2), draw.randint(-2, 2)
        if draw.random() < 0.4:
            code = f"w = clip(w + 0.01*{_expression(draw)}, -1, 1)"
            synapses.run_regularly(code, when=draw.choice(["start", "end"]), order=k, name=f"regular{k}")
        made.append(synapses)
    return Network(groups, made, [SpikeMonitor(g, name=f"spikes_{g.name}") for g in groups])


@pytest.mark.long
@pytest.mark.parametrize("number", range(10))
def test_random_networks(tmp_path: Path, number: int) -> None:
    files = assert_same(lambda: _random_network(number), tmp_path)
    spikes = [len(v) for k, v in files.items() if k.startswith("_dynamic_array_spikes_") and "_i_" in k]
    assert sum(spikes) > 20  # otherwise nothing was compared
    assert sum(d.dense for d in DECISIONS.values()) >= 18
