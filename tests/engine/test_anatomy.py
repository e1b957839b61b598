"""What is read off a network: state and how it begins, times and cursors, populations, weights, the step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from brian2 import Clock, Network, NeuronGroup, PoissonGroup, Synapses, TimedArray, ms, mV, second

from hebbarium.engine import anatomy
from hebbarium.engine.anatomy import Anatomy, StateVariable
from hebbarium.files.errors import ModelRefused
from hebbarium.models.contract import Arrays, Model, quantity
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.models.diehl_cook import DiehlCook
from hebbarium.models.lenet_conversion import LeNetConversion
from hebbarium.models.s4nn import S4NN
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling

Change = Callable[[dict[str, Any]], None]
LINES = "v : volt\nlast : second\nlength : second\nmood : 1\nwhich : integer\nconst : 1 (constant)\n"


@dataclass(frozen=True, eq=False)
class Plain(Model):
    """Four neurons all to all, with something done to them."""

    name = "plain"
    phases = ("train",)
    change: Change = lambda parts: None
    lines: str = LINES
    code: str = ""
    e_l: Any = quantity(-60 * mV, mV, "rest", "own")
    step: float = 0.5

    def sample_steps(self, phase: str) -> int:
        return 10

    def encode(self, images: Any) -> Arrays:
        return {"rates": images.astype(float)}

    def build(self, phase: str, inputs: Arrays) -> Network:
        rates = TimedArray(inputs["rates"], dt=10 * self.step * ms, name="rates")
        wave = TimedArray(np.zeros((4, 4)), dt=1 * ms, name="wave")
        common = {"clock": Clock(self.step * ms), "namespace": {"rates": rates, "wave": wave, "late": 2 * ms}}
        cells = NeuronGroup(4, self.lines + self.declare("e_l"), threshold="v > 0*mV", reset="v = e_l",
                            refractory=1 * ms, name="cells", **common)  # fmt: skip
        if self.code:
            cells.run_regularly(self.code)
        wires = Synapses(cells, cells, "w : 1\ntrace : 1", on_pre="v_post += w*mV", name="wires", **common)
        wires.connect()
        parts = {"cells": cells, "wires": wires, "common": common}
        self.change(parts)
        return Network([part for name, part in parts.items() if name != "common"])


def plain(change: Change | None = None, **more: Any) -> Anatomy:
    return anatomy.of(Plain(change=change or (lambda parts: None), **more), "train")


def variables(found: Anatomy) -> dict[str, StateVariable]:
    return {v.name: v for v in found.state}


# -- the four models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "populations", "projections", "step"),
    [
        (
            SynapticScaling(pixels=9, neurons=4), {"input": 9, "excitatory": 4, "inhibitory": 4},
            {"input_to_excitatory": ("plastic.w", (9, 4))}, 1e-3,
        ),
        (
            DiehlCook(pixels=9, neurons=4), {"input": 9, "excitatory": 4, "inhibitory": 4},
            {"input_to_excitatory": ("plastic.w", (9, 4))}, 5e-4,
        ),
        (
            SymmetricSTDP(pixels=9, neurons=4, classes=3, hidden=2),
            {"input": 9, "lower_excitatory": 4, "lower_inhibitory": 4, "excitatory": 4, "inhibitory": 4, "classes": 3},
            {
                "input_to_lower_excitatory": ("lower_plastic.w", (9, 4)),
                "lower_excitatory_to_excitatory": ("plastic.w", (4, 4)),
                "excitatory_to_classes": ("to_classes.w", (4, 3)),
            }, 5e-4,
        ),
        (
            DesireBackprop(pixels=9, layers=(5, 4), classes=3), {"input": 9, "hidden_1": 5, "hidden_2": 4, "output": 3},
            {
                "input_to_hidden_1": ("to_hidden_1.w", (9, 5)), "hidden_1_to_hidden_2": ("to_hidden_2.w", (5, 4)),
                "hidden_2_to_output": ("to_output.w", (4, 3)),
            }, 1e-3,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Model) else "",
)  # fmt: skip
def test_populations_weights_and_steps(
    model: Model, populations: dict[str, int], projections: dict[str, Any], step: float
) -> None:
    assert list(anatomy.populations(model).items()) == list(populations.items())
    found = {p.name: (p.variable, p.shape) for p in anatomy.projections(model)}
    assert list(found.items()) == list(projections.items())
    assert anatomy.time_step(model) == step


def test_the_state_of_a_network_of_touda_and_okuno() -> None:
    model = SynapticScaling(pixels=9, neurons=4)
    names = {
        "input.interval": 9, "input.due": 9, "hub.n_spikes": 1, "plastic.w": 36,
        **{f"excitatory.{v}": 4 for v in ("v", "g_e", "g_i", "lastspike", "not_refractory")},
        **{f"inhibitory.{v}": 4 for v in ("v", "g_e", "lastspike", "not_refractory")},
    }  # fmt: skip
    learning = {"input.x": 9, **{f"excitatory.{v}": 4 for v in ("y", "theta", "norm_sum", "scale")}}
    assert {v.name: v.size for v in anatomy.state(model, "test")} == names
    assert {v.name: v.size for v in anatomy.state(model, "train")} == names | learning
    for name, v in variables(anatomy.of(model, "train")).items():
        expected = {"v": -0.06, "lastspike": -1e4, "not_refractory": 1}.get(name.split(".")[1], 0)
        assert (v.initial, v.is_time, v.is_cursor) == (expected, name.endswith("lastspike"), False)


def test_the_state_of_a_network_that_shows_images_again() -> None:
    model = SymmetricSTDP(pixels=9, neurons=4)
    begin = {v.name: v.initial for v in anatomy.of(model, "test").state}
    assert (begin["excitatory.v"], begin["inhibitory.v"], begin["classes.v"]) == (-0.065, -0.06, -0.06)
    assert (begin["excitatory.theta"], begin["controller.intensity"]) == (0.02, 2)
    assert {v.name for v in anatomy.state(model, "test") if v.is_cursor} == {"controller.sample"}
    assert "classes.v" not in variables(anatomy.of(model, "train")), "a teacher makes class neurons fire"
    assert "to_classes.w" not in variables(anatomy.of(model, "train_hidden"))


def test_arrivals_are_times_and_delays_are_state() -> None:
    late = variables(anatomy.of(DiehlCook(pixels=9, neurons=4, delays="uniform"), "train"))
    assert {name for name, v in late.items() if v.is_time} == {
        "excitatory.lastspike", "inhibitory.lastspike", "plastic.arrived",
    }  # fmt: skip
    assert late["plastic.arrived"].initial == -1e4
    assert late["plastic_transmit.delay"].size == late["plastic.arrived"].size == 36


# -- how variables begin -----------------------------------------------------------------------------------


def set_values(parts: dict[str, Any]) -> None:
    cells, wires = parts["cells"], parts["wires"]
    cells.v, cells.last, cells.mood = "e_l + i*mV", -3 * second, [1, 2, 3, 4]
    cells.which[1:3] = 7
    wires.w, wires.trace = 0.25, "i + 10*j"


def test_variables_begin_as_the_network_sets_them() -> None:
    found = variables(plain(set_values))
    np.testing.assert_allclose(found["cells.v"].initial, [-0.06, -0.059, -0.058, -0.057], rtol=1e-12)
    assert found["cells.last"].initial == -3
    assert np.array_equal(found["cells.mood"].initial, [1, 2, 3, 4])
    assert np.array_equal(found["cells.which"].initial, [0, 7, 7, 0])
    assert found["wires.w"].initial == 0.25
    assert np.array_equal(found["wires.trace"].initial, [i + 10 * j for i in range(4) for j in range(4)])
    assert "cells.const" not in found
    assert [p.variable for p in plain(set_values).projections] == ["wires.w"]
    begin = anatomy.initial_state(Plain(change=set_values), "train", {"wires.w": np.ones(16)})
    assert np.array_equal(begin["wires.w"], np.ones(16))
    assert np.array_equal(begin["cells.mood"], [1, 2, 3, 4])


def test_constants_have_the_values_of_the_model() -> None:
    found = variables(plain(set_values, e_l=-70 * mV))
    assert found["cells.v"].initial[0] == pytest.approx(-0.07)  # type: ignore[index]


@pytest.mark.parametrize("where", ["cells", "wires"])
def test_random_beginnings_are_refused(where: str) -> None:
    def draw(parts: dict[str, Any]) -> None:
        setattr(parts[where], "mood" if where == "cells" else "w", "0.3*rand()")

    with pytest.raises(ModelRefused, match=rf"{where}\.\w+ = '0.3\*rand\(\)': .* initial_state\(generator\)"):
        plain(draw)


@pytest.mark.parametrize("how", [{"p": 0.5}, {"condition": "rand() < 0.5"}, {"j": "k for k in sample(N_post, p=0.5)"}])
def test_random_connections_are_refused(how: dict[str, Any]) -> None:
    def connect(parts: dict[str, Any]) -> None:
        parts["more"] = Synapses(parts["cells"], parts["cells"], "w : 1", name="more", **parts["common"])
        parts["more"].connect(**how)

    with pytest.raises(ModelRefused, match="'more' is connected at random"):
        plain(connect)


def test_listed_connections_have_their_size() -> None:
    def connect(parts: dict[str, Any]) -> None:
        for name, how in (("some", {"i": [0, 1], "j": [2, 3]}), ("near", {"condition": "abs(i - j) == 1"})):
            parts[name] = Synapses(parts["cells"], parts["cells"], "w : 1", on_pre="v_post += w*mV", name=name,
                                   **parts["common"])  # fmt: skip
            parts[name].connect(**how)
            parts[name].w = "i"

    found = plain(connect)
    assert (variables(found)["some.w"].size, variables(found)["near.w"].size) == (2, 6)
    assert np.array_equal(variables(found)["near.w"].initial, [0, 1, 1, 2, 2, 3])
    assert [p.name for p in found.projections] == ["cells_to_cells"], "weights shown are those of all-to-all pathways"
    assert {p.name: p.reach for p in found.pathways} == {"wires_pre": 4, "some_pre": 0.5, "near_pre": 1.5}


def test_networks_too_large_are_refused_at_once() -> None:
    with pytest.raises(ModelRefused, match="784,000,000 weights, expected 268,435,456 at most; make it smaller"):
        anatomy.state(SynapticScaling(neurons=1_000_000), "train")


def test_one_of_several_variables_of_synapses_is_the_weight() -> None:
    def connect(parts: dict[str, Any]) -> None:
        parts["more"] = Synapses(parts["cells"], parts["cells"], "strength : 1\ntrace : 1", name="more",
                                 on_pre="v_post += strength*mV\ntrace += 1", on_post="strength += trace",
                                 **parts["common"])  # fmt: skip
        parts["more"].connect()

    assert [p.variable for p in plain(connect).projections] == ["wires.w", "more.strength"]


# -- times and cursors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "times"),
    [
        ("last = t", {"last"}),
        ("last = t - late", {"last"}),
        ("length = t - lastspike", set()),
        ("last = lastspike\nlength = last - t", {"last"}),
        ("length = last - t\nlast = lastspike + late", {"last"}),
        ("last = clip(t, lastspike, t + late)", {"last"}),
        ("soon = t + late\nlast = soon", {"last"}),
        ("last += late", set()),
        ("mood = exp((lastspike - t)/late)", set()),
        ("mood = int(t > lastspike)", set()),
        ("which = t_in_timesteps", set()),
        ("which = t_in_timesteps + 2\nmood = int(which == t_in_timesteps)*sin(t_in_timesteps % 10)", set()),
        ("length = t % (0.5*late)", set()),
        ("mood = wave(t % (0.5*late), i) + rates(t - late, i)", set()),
    ],
)
def test_times_are_told_by_what_is_written(code: str, times: set[str]) -> None:
    found = variables(plain(code=code))
    assert {name for name, v in found.items() if v.is_time} == {"cells.lastspike", *(f"cells.{v}" for v in times)}


@pytest.mark.parametrize("code", ["last = 0.5*t", "last = int(v > e_l)*t", "last = t + lastspike - 2*late*t/late"])
def test_what_may_be_a_time_or_not_is_refused(code: str) -> None:
    with pytest.raises(ModelRefused, match=r"sets cells\.last by the time, .* cannot be told"):
        plain(code=code)


@pytest.mark.parametrize(
    "code",
    [
        "mood = sin(t/late)", "mood += 0.1*t_in_timesteps", "mood = int(t > late)", "mood = rates(t, i)*t/late",
        "length = int(t > late)*late", "mood = wave(t, i)", "mood = wave(lastspike, i)",
    ],
)  # fmt: skip
def test_what_begins_anew_with_each_block_is_refused(code: str) -> None:
    with pytest.raises(ModelRefused, match=r"'cells_run_regularly': .* the time, which begins anew with each block"):
        plain(code=code)


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("mood = t_in_timesteps % 5", True), ("mood = t_in_timesteps % 4", False),
        ("length = t % (0.5*late)", True), ("length = t % (1.5*late)", False), ("mood = t_in_timesteps % 20", False),
    ],
)  # fmt: skip
def test_periods_end_with_a_presentation(code: str, ends: bool) -> None:
    """It has ten steps of half a millisecond; late are two milliseconds."""
    if ends:
        assert plain(code=code).state
    else:
        with pytest.raises(ModelRefused, match=r"'cells_run_regularly': '.* % .*' begins anew .* a whole number"):
            plain(code=code)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("dmood/dt = cos(t/late)/late : 1", r"'dmood/dt = cos\(t/late\)/late : 1' depends on the time"),
        ("u = sin(t/late) : 1\ndmood/dt = u/late : 1", "depends on the time"),
        ("dmood/dt = cos(2*pi*phase)/late : 1\ndphase/dt = 0.1/late : 1", ""),
    ],
)
def test_equations_that_begin_anew_with_each_block_are_refused(lines: str, why: str) -> None:
    lines = LINES.replace("mood : 1", lines)
    if why:
        with pytest.raises(ModelRefused, match=why):
            plain(lines=lines)
    else:
        assert "cells.phase" in variables(plain(lines=lines))


def test_inputs_are_read_by_brian2s_poisson_groups() -> None:
    def add(expression: str) -> Change:
        def change(parts: dict[str, Any]) -> None:
            parts["noise"] = PoissonGroup(3, rates=expression, name="noise", **parts["common"])

        return change

    found = plain(add("rates(t, i)*Hz"))
    assert found.populations["noise"] == 3
    assert not any(name.startswith("noise.") for name in variables(found))
    with pytest.raises(ModelRefused, match=r"'noise_spike_thresholder': 'rand\(\) < rates \* dt' depends on the time"):
        plain(add("t/(late*late)"))


@pytest.mark.parametrize(
    ("code", "cursors"),
    [
        ("mood = rates(which*10*ms, i)", {"cells.which"}),
        ("mood = rates(t, i)", set()),
        ("mood = rates(t + length, which)", set()),
    ],
)
def test_what_inputs_are_read_by_is_a_cursor(code: str, cursors: set[str]) -> None:
    found = variables(plain(code=code))
    assert {name for name, v in found.items() if v.is_cursor} == cursors


def test_a_network_is_read_once_for_each_value() -> None:
    one, other = SynapticScaling(pixels=9, neurons=4), SynapticScaling(pixels=9, neurons=4)
    assert anatomy.of(one, "test") is anatomy.of(other, "test")
    lower = one.replace(e_l=-61 * mV)
    assert anatomy.shape(lower, "test") is anatomy.of(one, "test")
    assert variables(anatomy.of(lower, "test"))["excitatory.v"].initial == pytest.approx(-0.061)
    assert anatomy.initial_state(lower, "test", {})["excitatory.v"][0] == pytest.approx(-0.061)
    assert anatomy.shape(one.replace(neurons=5), "test").populations["excitatory"] == 5


def test_what_a_phase_reads_and_never_sets_is_given_to_it() -> None:
    given = {model.name: set(anatomy.given(model, "test")) for model in (DesireBackprop(), S4NN(), LeNetConversion())}
    assert given["s4nn"] == {"to_hidden_1.w", "to_output.w"}
    assert given["desire_backprop"] == {p.variable for p in anatomy.projections(DesireBackprop())}
    layers = {name: layer for name, layer, _ in LeNetConversion().layers if layer.weighted}
    assert given["lenet_conversion"] == {f"to_{name}.w" for name in layers} | {f"{name}.b" for name in layers}
