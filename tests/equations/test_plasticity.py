"""STDP of single spike pairs against Eq. 5, from the strings that the network itself is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import device, ms, second
from numpy.typing import NDArray

import dense_pathways
from hebbarium.analysis.figures.stdp_window import pair_rule
from hebbarium.engine import anatomy
from hebbarium.engine.runtime import runtime_device
from hebbarium.engine.standalone import standalone_device
from hebbarium.models import spike_pairs
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training.recording import stdp_window

# Every interval up to 120 ms either way, spikes of one step included.
INTERVALS = np.arange(-120, 121)


def changes(
    model: SynapticScaling | SymmetricSTDP, target: str, folder: Path, precision: str = "float64"
) -> NDArray[np.float64]:
    """Change of weight of one synapse a pair, post after pre by each of `INTERVALS` (ms)."""
    steps = np.rint(INTERVALS / (anatomy.time_step(model) * 1e3)).astype(np.int64)
    pre, post = np.maximum(-steps, 0) + 3, np.maximum(steps, 0) + 3
    start = (model.w_min + model.w_max) / 2
    if target == "dense":
        with standalone_device(dense_pathways.NAME, precision):
            network = spike_pairs.network(model, model.pair_rule, model.dt, pre, post)
            network.run(130 * ms)
            device.build(directory=str(folder), compile=True, run=True, with_output=False)
            return np.array(network["plastic"].w[:], np.float64) - start
    with runtime_device(target, precision):
        network = spike_pairs.network(model, model.pair_rule, model.dt, pre, post)
        network.run(0.13 * second)
        return np.array(network["plastic"].w[:], np.float64) - start


def eq_5(model: SynapticScaling, tau_p: float) -> NDArray[np.float64]:
    """Eq. 5 as Fig. 3 draws it; spikes of one step make no pair."""
    grown = model.a_plus * np.exp(-np.abs(INTERVALS) / tau_p)
    shrunk = -model.a_minus * np.exp(-np.abs(INTERVALS) / tau_p)
    return np.select([INTERVALS > 0, INTERVALS < 0], [grown, shrunk], 0.0)


@pytest.mark.parametrize("pairing", ["all", "nearest"])
@pytest.mark.parametrize("tau_p", [20.0, 60.0])
def test_a_pair_changes_the_weight_by_eq_5(pairing: str, tau_p: float, tmp_path: Path) -> None:
    model = SynapticScaling(tau_p=tau_p * ms, pairing=pairing)
    np.testing.assert_allclose(changes(model, "numpy", tmp_path), eq_5(model, tau_p), rtol=0, atol=1e-14)


@pytest.mark.slow
def test_compiled_pairs_change_the_weight_by_eq_5(tmp_path: Path) -> None:
    model = SynapticScaling(tau_p=20 * ms, a_plus=0.004, a_minus=0.003)
    np.testing.assert_allclose(changes(model, "dense", tmp_path), eq_5(model, 20.0), rtol=0, atol=1e-14)


def test_single_precision_keeps_six_digits(tmp_path: Path) -> None:
    model = SynapticScaling(tau_p=20 * ms)
    measured = changes(model, "numpy", tmp_path, "float32")
    np.testing.assert_allclose(measured, eq_5(model, 20.0), rtol=0, atol=3e-7)


def test_the_printed_exponents_of_eq_5_are_not_used(tmp_path: Path) -> None:
    """As printed, exp(+dt/tau_p) for dt > 0 grows with the interval; Fig. 3 and the model decay."""
    measured = np.abs(changes(SynapticScaling(tau_p=20 * ms), "numpy", tmp_path))
    later, earlier = measured[INTERVALS > 0], measured[INTERVALS < 0][::-1]
    assert (np.diff(later) < 0).all()
    assert (np.diff(earlier) < 0).all()
    assert later.max() <= 0.005
    assert earlier.max() <= 0.0025


@pytest.mark.parametrize(("bounds", "expected"), [
    ({"w_max": 1.0, "w_min": 0.998}, (-0.001, 0.001)),
    ({"w_max": 1.0, "w_min": 0.0}, (-0.0025 * np.exp(-1 / 20), 0.005 * np.exp(-1 / 20))),
])
def test_bounds_hold(bounds: dict[str, Any], expected: tuple[float, float], tmp_path: Path) -> None:
    measured = changes(SynapticScaling(tau_p=20 * ms, **bounds), "numpy", tmp_path)
    np.testing.assert_allclose((measured.min(), measured.max()), expected, atol=1e-12)


# -- Hao et al., Eq. 6 -------------------------------------------------------------------------------------


def eq_6(model: SymmetricSTDP, after: float, before: float) -> NDArray[np.float64]:
    """Post after pre, and pre after post; spikes of one step make no pair."""
    decay = model.a_plus * np.exp(-np.abs(INTERVALS) / 20.0)
    return np.select([INTERVALS > 0, INTERVALS < 0], [after * decay, before * decay], 0.0)


@pytest.mark.parametrize(
    ("options", "before"),
    [
        ({}, 1.0),
        ({"minus": 0.4}, 0.4),
        ({"plasticity": "classic"}, -1.0),
        ({"plasticity": "classic", "minus": 2.0}, -2.0),
    ],
    ids=str,
)
def test_a_pair_changes_the_weight_by_eq_6(options: dict[str, Any], before: float, tmp_path: Path) -> None:
    model = SymmetricSTDP(a_plus=3e-3, **options)
    np.testing.assert_allclose(changes(model, "numpy", tmp_path), eq_6(model, 1.0, before), rtol=0, atol=1e-14)


@pytest.mark.parametrize("model", [SynapticScaling(), SymmetricSTDP(), SymmetricSTDP(plasticity="classic")], ids=str)
def test_the_window_of_the_results_lies_on_its_own_curve(model: SynapticScaling | SymmetricSTDP) -> None:
    window = stdp_window(model, model.pair_rule, "float64")
    constants = [window.attrs[name] for name in ("a_plus", "a_minus", "tau_p_ms")]
    times, measured = window["delta_t"].values, window["delta_w"].values
    assert (times.min(), times.max()) == (-100, 100)
    np.testing.assert_allclose(measured, np.nan_to_num(pair_rule(times, *constants)), rtol=0, atol=1e-14)
    assert measured[times == 0] == 0
