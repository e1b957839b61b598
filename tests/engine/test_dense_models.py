"""What has to compile dense in the project's own networks, and how little of it may not be vectorised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from brian2 import Network

import side_by_side
from hebbarium.engine import dense, inspection, monitors
from hebbarium.engine.contract import Structure
from hebbarium.models.diehl_cook import DiehlCook
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training.profiling import how_compiled, table
from hebbarium.training.run_settings import RunSettings

PATHWAYS = {"to_inhibitory_pre", "to_hub_pre", "from_hub_pre", "spare_pre"}
LEARNING = {"plastic_transmit", "plastic_potentiate", "plastic_add_to_norm", "plastic_apply_scale"}


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    ("phase", "changes", "learning"),
    [
        ("train", {}, LEARNING),
        ("train", {"norm": "L1", "encoder": "bernoulli"}, LEARNING),
        ("train", {"norm": "Lp", "scaling_at": "spike", "pairing": "nearest"}, LEARNING),
        ("train", {"norm": "none", "adaptive_threshold": False}, {"plastic_transmit", "plastic_potentiate"}),
        ("test", {}, {"plastic_transmit"}),
    ],
)
def test_every_pathway_of_synaptic_scaling_is_dense(
    phase: str, changes: dict[str, object], learning: set[str], precision: str, tmp_path: Path
) -> None:
    model = SynapticScaling(neurons=6, pixels=9).replace(**changes)
    made = dense.generated(Structure(model, phase, precision, "dense", 2))
    assert {name for name, (is_dense, _) in made.items() if not is_dense} == set()
    assert made.keys() >= PATHWAYS | learning
    in_order = {name: reason for name, (_, reason) in made.items() if reason}
    assert set(in_order) <= {"spare_pre", "to_hub_pre"}, in_order  # they add into the same number


OTHER_RULE = {"rule": "pair", "pre_spike": "potentiates", "integration": "exponential_euler"}
LAYER = {"transmit", "potentiate", "add_to_norm", "apply_scale"}


@pytest.mark.parametrize(
    ("phase", "hidden", "changes", "precision"),
    [
        *((phase, 1, {}, "float32") for phase in SymmetricSTDP.phases),
        ("train", 1, {"plasticity": "classic", "integration": "exponential_euler", "rest": "jump"}, "float64"),
        *((phase, 0, {}, "float32") for phase in ("train", "test")),
        pytest.param("train", 2, {"rest": "jump"}, "float32", marks=pytest.mark.long),
        ("train_classes", 2, {"rest": "jump"}, "float32"),
    ],
)
def test_every_pathway_of_symmetric_stdp_is_dense(
    phase: str, hidden: int, changes: dict[str, object], precision: str
) -> None:
    model = SymmetricSTDP(neurons=6, pixels=9, hidden=hidden).replace(**changes)
    made = dense.generated(Structure(model, phase, precision, "dense", 2))
    assert {name for name, (is_dense, _) in made.items() if not is_dense} == set()
    layers = ["", "lower_"][:hidden]
    expected = {f"{layer}{name}" for layer in layers for name in PATHWAYS}
    expected |= {"to_controller_pre"} if hidden else set()
    for layer in layers:
        learns = phase in ("train", "train_hidden")
        expected |= {f"{layer}plastic_{what}" for what in (LAYER if learns else {"transmit"})}
    if phase not in ("train_hidden", "respond") or not hidden:
        learns = phase in ("train", "train_classes")
        expected |= {f"to_classes_{what}" for what in (LAYER if learns else {"transmit"})}
    assert made.keys() >= expected
    # these add into the same number, or draw random numbers one after the other
    in_order = {name: reason for name, (_, reason) in made.items() if reason}
    shared = {f"{layer}{name}" for layer in layers for name in ("spare_pre", "to_hub_pre")} | {"to_controller_pre"}
    random = {name for name in in_order if "rand" in in_order[name]}
    assert set(in_order) <= shared | random, in_order




@pytest.mark.parametrize(
    ("delays", "changes", "precision"),
    [
        ("none", {}, "float32"),
        ("uniform", OTHER_RULE, "float64"),
        *(
            pytest.param(delays, changes, precision, marks=pytest.mark.long)
            for delays, changes, precision in (
                ("none", {}, "float64"), ("none", OTHER_RULE, "float32"), ("none", OTHER_RULE, "float64"),
                ("uniform", {}, "float32"), ("uniform", {}, "float64"), ("uniform", OTHER_RULE, "float32"),
            )
        ),
    ],
)
def test_every_pathway_of_diehl_cook_without_delays_is_dense(
    delays: str, changes: dict[str, object], precision: str
) -> None:
    model = DiehlCook(neurons=6, pixels=9, delays=delays).replace(**changes)
    late = {"plastic_transmit"} if delays == "uniform" else set()
    for phase, learning in (("train", LEARNING), ("test", {"plastic_transmit"})):
        made = dense.generated(Structure(model, phase, precision, "dense", 2))
        assert {name for name, (is_dense, _) in made.items() if not is_dense} == late
        assert all("it has delays" in made[name][1] for name in late)
        assert made.keys() >= PATHWAYS | learning
        in_order = {name: reason for name, (is_dense, reason) in made.items() if is_dense and reason}
        # they add into the same number, or are one neuron
        assert set(in_order) <= {"spare_pre", "to_hub_pre", "to_controller_pre"}, in_order


def network(model: SynapticScaling | SymmetricSTDP, phase: str) -> Network:
    """A network of the project with weights and parameters, as the engine would set them."""
    rates = np.random.default_rng(0).uniform(0, 250, (3, model.pixels))
    made = model.build(phase, {"rates": rates})
    recorded = ("input", "inhibitory")
    monitors.add(made, Structure(model, phase, "float64", dense.DEVICE, len(rates), recorded))
    variables = dict(inspection.arrays(made))
    for full, symbol in inspection.run_time_variables(made, set(model.run_time_values())).items():
        variables[full].set_value(model.run_time_values()[symbol])
    made["plastic"].w = "rand()"
    return made


@pytest.mark.long
@pytest.mark.parametrize(
    ("phase", "changes"),
    [
        ("train", {}),
        ("train", {"norm": "L1", "scaling_at": "spike", "encoder": "bernoulli"}),
        ("test", {}),
    ],
)
def test_every_model_keeps_its_bits(phase: str, changes: dict[str, object], tmp_path: Path) -> None:
    model = SynapticScaling(neurons=9, pixels=36, w_t=8.0).replace(**changes)
    files = side_by_side.assert_same(lambda: network(model, phase), tmp_path, milliseconds=400)
    for population in ("input", "excitatory", "inhibitory"):
        prefix = f"_dynamic_array_{population}_spikes_i_"
        (spikes,) = [content for name, content in files.items() if name.startswith(prefix)]
        assert len(spikes) > 10, population
    assert not [d for d in side_by_side.DECISIONS.values() if not d.dense]


def test_a_profile_names_operations_times_and_reasons() -> None:
    shown = table({"a_pre": 0.02, "b_pre": 0.06}, {"a_pre": "dense", "b_pre": "stock: it has delays"}, 100, 5e6, 0.1)
    lines = shown.split("\n")
    assert lines[1].split() == ["b_pre", "0.6000", "60.0", "stock:", "it", "has", "delays"]
    assert lines[2].split() == ["a_pre", "0.2000", "20.0", "dense"]
    assert lines[3].split() == ["(between", "them)", "0.2000", "20.0"]
    assert "1.000 ms each; 5e+07 synaptic events/s" in lines[4]
    assert how_compiled(object()) == {}  # type: ignore[arg-type]


def test_only_compiled_devices_profile() -> None:
    with pytest.raises(ValueError, match="profile: device numpy has none; expected one of dense, cpp"):
        RunSettings(device="numpy", profile=True)
