"""What the engine refuses: networks that a block would maim, a device would drop or a GPU would race on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses, linked_var, ms, network_operation

from hebbarium.engine import anatomy, faithfulness
from hebbarium.engine.contract import Block, Structure
from hebbarium.engine.cuda import CudaProgram
from hebbarium.engine.runtime import RuntimeProgram, runtime_device
from hebbarium.engine.standalone import StandaloneProgram
from hebbarium.files.errors import ModelRefused
from hebbarium.models.contract import Arrays
from hebbarium.models.synaptic_scaling import SynapticScaling

Change = Callable[[Network], Any]


@dataclass(frozen=True, eq=False)
class Altered(SynapticScaling):
    """The model with something done to its network after it was built."""

    change: Change = lambda network: None
    promises: Mapping[str, float] = field(default_factory=dict)

    def build(self, phase: str, inputs: Arrays) -> Network:
        network = super().build(phase, inputs)
        self.change(network)
        return network

    def longest_delays(self) -> dict[str, float]:
        return dict(self.promises)


class Generated(StandaloneProgram):
    """Generates C++ and stops before the compiler."""

    def __init__(self, structure: Structure, folder: Path) -> None:
        self.structure = structure
        self.generate(folder)


def build(model: SynapticScaling, device: str, folder: Path) -> None:
    """As far as each device gets before it runs anything."""
    structure = Structure(model, "train", "float64", device, 2)
    if device == "cpp":
        Generated(structure, folder)
        return
    with runtime_device("numpy", "float64"):
        network = model.build("train", {"rates": np.zeros((2, 16))})
        faithfulness.refuse_unfaithful(network, structure)


def altered(change: Change | None = None, **more: Any) -> Altered:
    return Altered(pixels=16, neurons=4, change=change or (lambda network: None), **more)


DEVICES = ["numpy", "cpp"]


@pytest.mark.parametrize("device", DEVICES)
def test_the_model_itself_is_accepted(device: str, tmp_path: Path) -> None:
    build(altered(), device, tmp_path)


@pytest.mark.parametrize("device", DEVICES)
def test_network_operations_are_refused(device: str, tmp_path: Path) -> None:
    def add_operation(network: Network) -> None:
        @network_operation(dt=1 * ms, name="normalise")
        def normalise() -> None:
            pass

        network.add(normalise)

    with pytest.raises(ModelRefused, match="'normalise' is a Python network operation"):
        build(altered(add_operation), device, tmp_path)


@pytest.mark.parametrize("device", DEVICES)
def test_spikes_at_times_of_their_own_are_refused(device: str, tmp_path: Path) -> None:
    def add_generator(network: Network) -> None:
        clock = network["excitatory"].clock
        network.add(SpikeGeneratorGroup(3, [0, 1], [5, 20] * ms, clock=clock, name="teacher"))

    with pytest.raises(ModelRefused, match=r"'teacher' is a SpikeGeneratorGroup.* return the times from inputs\(\)"):
        build(altered(add_generator), device, tmp_path)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("step", [5, 7])
def test_steps_that_do_not_end_with_a_presentation_are_refused(step: int, device: str, tmp_path: Path) -> None:
    """A presentation has 150 ms."""

    def operate(network: Network) -> None:
        network["excitatory"].run_regularly("v += 0*mV", dt=step * ms, name="rarely")

    if step == 5:
        build(altered(operate), device, tmp_path)
        return
    with pytest.raises(ModelRefused, match=r"'rarely' has steps of 0\.007 s, .* in a presentation, 0\.15 s"):
        build(altered(operate), device, tmp_path)


def one_delay(network: Network) -> None:
    excitatory = network["excitatory"]
    extra = Synapses(excitatory, network["inhibitory"], on_pre="g_e_post += 0.1", delay=2 * ms, name="late",
                     clock=excitatory.clock)
    extra.connect(j="i")
    network.add(extra)


def delays_by_value(network: Network) -> None:
    network["to_inhibitory"].pre.delay = 2 * ms


def delays_by_expression(network: Network) -> None:
    network["to_inhibitory"].pre.delay = "i*ms"


def delays_by_array(network: Network) -> None:
    network["to_inhibitory"].pre.delay = np.arange(4) * ms


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("change", [one_delay, delays_by_value, delays_by_expression, delays_by_array])
def test_delays_are_refused(change: Change, device: str, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="has delays"):
        build(altered(change), device, tmp_path)


@pytest.mark.parametrize("device", DEVICES)
def test_delays_of_nothing_are_no_delays(device: str, tmp_path: Path) -> None:
    def no_delay(network: Network) -> None:
        network["to_inhibitory"].pre.delay = 0 * ms

    build(altered(no_delay), device, tmp_path)


LATE = "to_inhibitory_pre.delay"


def promising(longest: float = 2e-3, name: str = LATE, **more: Any) -> Altered:
    return altered(delays_by_expression, promises={name: longest}, **more)


@pytest.mark.parametrize("device", DEVICES)
def test_delays_of_silent_presentations_are_accepted(device: str, tmp_path: Path) -> None:
    build(promising(), device, tmp_path)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("model", "why"),
    [
        (promising(name="to_hub_pre.delay"), "'to_inhibitory_pre' has delays"),
        (altered(promises={"nowhere.delay": 1e-3}), r"names nowhere\.delay, which the network does not have"),
        (promising(longest=0.15), r"lasts up to 0.15 s, expected less than a presentation, 0.15 s"),
        (promising(longest=-1e-3), "expected less than a presentation"),
    ],
    ids=["of another pathway", "of no pathway", "as long as a presentation", "negative"],
)
def test_promises_about_delays_are_checked(model: Altered, why: str, device: str, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=why):
        build(model, device, tmp_path)


@pytest.mark.parametrize("given", [[0, 0, 0, 3e-3], [-1e-3, 0, 0, 0]])
def test_delays_of_a_block_are_checked(given: list[float], tmp_path: Path) -> None:
    model = promising()
    state = anatomy.initial_state(model, "train", {"plastic.w": np.zeros(64), LATE: np.array(given)})
    block = Block(state, {"rates": np.zeros((1, 16))}, model.run_time_values(), 1)
    program = RuntimeProgram(Structure(model, "train", "float64", "numpy", 1), tmp_path)
    with pytest.raises(ModelRefused, match=rf"{LATE} is between .* expected 0 to 0.002 s"):
        program.run(block)
    accepted = {**state, LATE: np.array([0, 1e-3, 2e-3, 2e-3])}
    end = program.run(Block(accepted, block.inputs, block.values, 1)).state
    assert end[LATE].tolist() == accepted[LATE].tolist()


def test_cuda_refuses_delays() -> None:
    program = CudaProgram.__new__(CudaProgram)
    program.structure = Structure(promising(), "train", "float64", "cuda", 2)
    with runtime_device("numpy", "float64"):
        network = program.structure.model.build("train", {"rates": np.zeros((2, 16))})
        with pytest.raises(ModelRefused, match="device cuda knows no delays"):
            program.check(network)


def test_state_of_an_added_population_is_carried_on(tmp_path: Path) -> None:
    def add_counter(network: Network) -> None:
        counter = NeuronGroup(1, "n : 1", name="counter", clock=network["excitatory"].clock)
        counter.run_regularly("n += 1", name="count", when="end")
        network.add(counter)

    model = altered(add_counter)
    program = RuntimeProgram(Structure(model, "train", "float64", "numpy", 1), tmp_path)
    state = anatomy.initial_state(model, "train", {"plastic.w": np.zeros(64)})
    for presentations in (1, 2):
        state = program.run(Block(state, {"rates": np.zeros((1, 16))}, model.run_time_values(), 1)).state
        assert state["counter.n"] == [150 * presentations]


@dataclass(frozen=True, eq=False)
class Varying(SynapticScaling):
    """A model that adds a variable where there are several samples."""

    def build(self, phase: str, inputs: Arrays) -> Network:
        network = super().build(phase, inputs)
        if len(inputs["rates"]) > 1:
            counter = NeuronGroup(1, "n : 1", name="counter", clock=network["excitatory"].clock)
            counter.run_regularly("n += 1", name="count", when="end")
            network.add(counter)
        return network


def test_a_network_that_is_not_always_the_same_is_refused() -> None:
    structure = Structure(Varying(pixels=16, neurons=4), "train", "float64", "numpy", 2)
    with runtime_device("numpy", "float64"):
        network = structure.model.build("train", {"rates": np.zeros((2, 16))})
        with pytest.raises(ModelRefused, match=r"counter\.n can change .* must give the same groups and variables"):
            faithfulness.refuse_unfaithful(network, structure)


# -- races on a GPU ----------------------------------------------------------------------------------------

ON_PRE = {
    "sets a neuron's variable": ("v_post = 0.5", "writes a variable that other synapses share"),
    "sets it from itself": ("v_post = clip(v_post + w, 0, 1)", "writes a variable"),
    "divides it": ("v_post /= 2", "writes a variable"),
    "sets the source's": ("v_pre = 1", "writes a variable"),
    "reads a sum that is not whole yet": ("g_post += w\nw += 0.1*g_post", "reads g_post while"),
    "adds what it reads": ("g_post += g_post*w", "reads g_post while"),
    "adds and multiplies": ("g_post += w\ng_post *= 0.9", "in ways whose order matters"),
    "uniform numbers": ("w += 0.1*rand()", "draws random numbers"),
    "normal numbers": ("w += 0.1*randn()", "draws random numbers"),
    "Poisson numbers": ("w += poisson(2)", "draws random numbers"),
    "a comment before it": ("w += 1  # fine\nv_post = 0  # not", "writes a variable"),
    "a shared kernel": ("k = k + 0.1*w", "writes a variable"),
}


def racing(on_pre: str = "g_post += w", regularly: str = "", on_post: str = "") -> list[str]:
    """Races of two populations and their synapses; `k` is a kernel that synapses share."""
    with runtime_device("numpy", "float64"):
        group = NeuronGroup(4, "v : 1\ng : 1", threshold="v > 1", reset="v = 0", name="cells")
        kernel = NeuronGroup(2, "k : 1", name="kernel")
        synapses = Synapses(group, group, "w : 1\nkid : integer\nk : 1 (linked)", on_pre=on_pre,
                            on_post=on_post or None, name="wires")
        synapses.connect()
        synapses.k = linked_var(kernel, "k", index="kid")
        if regularly:
            synapses.run_regularly(regularly, name="wires_regularly")
        return faithfulness.races(Network(group, kernel, synapses))


@pytest.mark.parametrize(("code", "why"), ON_PRE.values(), ids=ON_PRE)
def test_pathways_that_race_are_found(code: str, why: str) -> None:
    found = racing(on_pre=code)
    assert any(why in sentence for sentence in found), found
    assert all(sentence.startswith("wires_pre: ") for sentence in found)
    assert any(why in sentence for sentence in racing(on_post=code))


@pytest.mark.parametrize("code", [
    "g_post += w", "v_post += 1", "g_post -= 0.1*w", "v_pre *= 0.5", "w = clip(w + 0.1*v_post, 0, 1)",
])
def test_run_regularly_on_synapses_has_no_atomics(code: str) -> None:
    found = racing(regularly=code)
    assert bool(found) == ("w =" not in code), found
    assert all("wires_regularly: " in sentence for sentence in found)


@pytest.mark.parametrize("code", [
    "g_post += w*k", "g_post -= w", "g_post += w\ng_post -= 2*v_pre", "v_pre += 1\ng_post *= 0.5",
    "w = clip(w - 0.1*v_post, 0, 1)\ng_post += w", "grown = w*1.1\nw = clip(grown, 0, 1)",
])
def test_what_brian2cuda_makes_atomic_is_accepted(code: str) -> None:
    assert racing(on_pre=code) == []
