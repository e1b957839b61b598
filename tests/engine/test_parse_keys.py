"""Keys of what Brian2 has parsed are those that it makes itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Equations, Network, NeuronGroup, Synapses, TimedArray, ms, mV, second
from brian2.utils import caching

from hebbarium.engine import isolation, parse_keys


def simulate() -> None:
    """Run a network with equations, functions, shared variables, events and pathways."""
    shown = TimedArray(np.arange(3.0), dt=1 * ms, name="shown")
    equations = Equations("dv/dt = (shown(t) * mV - v) / tau : volt\nw = 2 * v : volt\ntau : second (shared)")
    namespace = {"shown": shown, "limit": 0.1 * mV}
    group = NeuronGroup(4, equations, threshold="v > limit", reset="v = 0 * volt", method="euler", namespace=namespace)
    group.tau = 2 * ms
    synapses = Synapses(group, group, "x : 1", on_pre="v_post += exp(-x) * mV * rand()", namespace={})
    synapses.connect("i != j")
    group.run_regularly("v = clip(v, 0 * volt, limit)", dt=1 * ms)
    Network(group, synapses).run(2 * ms)


def test_keys_are_those_of_brian2(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    def compared(thing: Any) -> Any:
        with monkeypatch.context() as patch:  # of which parts are made by itself
            patch.setattr(caching, "_hashable", parse_keys._brian2s)
            wanted = parse_keys._brian2s(thing)
        found = parse_keys.key(thing)
        assert found == wanted
        asked.update(type(part).__name__ for part in (thing, *(thing.values() if isinstance(thing, dict) else ())))
        return found

    with isolation.active("runtime"), monkeypatch.context() as patch:
        assert caching._hashable is parse_keys.key
        patch.setattr(caching, "_hashable", compared)
        simulate()
    assert asked >= {"ArrayVariable", "Equations", "TimedArray", "Function", "Subexpression", "dict", "str"}
    assert caching._hashable is parse_keys._brian2s


def test_keys_differ_where_those_of_brian2_do() -> None:
    group = NeuronGroup(4, "v : volt\nw : 1")
    variables = dict(group.variables)
    assert parse_keys.key(variables) == parse_keys.key(dict(NeuronGroup(4, "v : volt\nw : 1").variables))
    for other in ("v : 1\nw : 1", "v : volt\nw : integer", "v : volt\nw : 1 (constant)", "v : volt\nu : 1"):
        assert parse_keys.key(variables) != parse_keys.key(dict(NeuronGroup(4, other).variables))
    assert parse_keys.key(3 * second) == parse_keys._brian2s(3 * second) != parse_keys.key(3 * ms)


def test_what_has_no_key_is_refused_as_brian2_does() -> None:
    for made in (parse_keys.key, parse_keys._brian2s):
        with pytest.raises(TypeError, match="Do not know how to handle"):
            made({"a": bytearray(3)})
