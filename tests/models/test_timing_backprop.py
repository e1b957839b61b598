"""Timing-based backpropagation in double precision: spikes, potentials and gradients of a batch are the oracle's."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.timing_networks import (
    CASES,
    Programs,
    Small,
    assert_is_the_oracle,
    batches,
    busy,
    least_slope,
    options_of,
)
from tests.oracles import timing_backprop as oracle

MARGINS = (1e-2, 1e-4, 1e-6)
"""Parts by which V exceeds the threshold near a tangent."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture
def small(request: pytest.FixtureRequest, programs: Programs) -> Small:
    """The program of a case."""
    return programs[getattr(request, "param", "the paper's")]


USUAL = ("the paper's", "one spike", "late end")
each_case = pytest.mark.parametrize(
    "small", [pytest.param(name, marks=[] if name in USUAL else [pytest.mark.long]) for name in CASES], indirect=True
)


# -- random networks ---------------------------------------------------------------------------------------------
@pytest.mark.slow
@each_case
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_gradients_are_the_oracles(small: Small, data: st.DataObject) -> None:
    assert_is_the_oracle(small, data.draw(batches(small)))


@pytest.mark.slow
@each_case
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_gradients_near_tangents_are_the_oracles(small: Small, data: st.DataObject) -> None:
    assert_is_the_oracle(small, data.draw(batches(small, MARGINS)))


@each_case
def test_a_busy_batch(small: Small) -> None:
    shown, traces = assert_is_the_oracle(small, busy(small))
    counts = shown.counts[0]
    assert not counts[1].any() or small.model.t_out > 1.2 * ms, "black pixels fire at 1 ms only"
    assert not counts[:, 2].any()
    assert counts.max() >= (1 if small.model.spikes == "one" else 2)
    for gradient in shown.gradients:
        assert np.abs(gradient).max() > 1e-3
    # without its flags the silent neuron would have no gradient
    assert np.abs(shown.gradients[0][:, 2]).max() > 1e-3
    assert least_slope(traces) > 0


@each_case
def test_what_is_compared_is_not_indifferent(small: Small) -> None:
    """A wrong reading of each mode is further off than the bound."""
    batch = busy(small)
    there = small.changed(**batch.quantities)
    ours = there.show(batch.weights, batch.levels, batch.labels).gradients
    latencies, options = there.latencies(batch.levels), options_of(there.model)
    others: dict[str, Any] = {
        "tau_i": options.tau_i * 1.001, "v_thresh": 1.001, "penalty": 0.501, "sigma": 0.101, "least_share": 0.3,
        "reset_path": not options.reset_path, "floor": 100.0, "double_reset": not options.double_reset,
        "most": 1 if options.most > 1 else 3, "leak": "none" if options.leak == "leaky" else "leaky",
    }  # fmt: skip
    indifferent = set()
    for name, value in others.items():
        other = dataclasses.replace(options, **{name: value})
        gradients = oracle.gradients(latencies, batch.labels, batch.weights, other)
        if max(np.abs(a - b).max() for a, b in zip(ours, gradients, strict=True)) < 1e-7:
            indifferent.add(name)
    allowed = {"tau_i"} if options.leak == "none" else set()
    if options.t_out > 1:
        allowed |= {"least_share"}  # those that fire do so in each sample, as black pixels fire
    if options.double_reset or options.most == 1:
        allowed |= {"reset_path"}  # nothing passes through a reset, or hardly anything comes after it
    assert indifferent <= allowed
