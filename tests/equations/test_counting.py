"""Operations of equation strings, counted by hand."""

from __future__ import annotations

import doctest

import pytest

from hebbarium.equations import counting
from hebbarium.equations.counting import FUNCTION, Operations, operations
from hebbarium.models.synaptic_scaling import SynapticScaling

CONSTANTS = ("gain", "tau_s", "tau_m_exc", "e_l", "e_exc", "e_inh", "w_t", "beta", "a")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("g_post += w", (0, 1, 0)),
        ("g_post += gain*w/tau_s", (1, 1, 0)),
        ("y *= exp(-dt/tau_s)", (1, 0, 0)),
        ("x = 1\nv = e_l", (0, 0, 0)),
        ("x : 1\ny : volt (unless refractory)  # a comment with = and *", (0, 0, 0)),
        ("v > e_l + theta and t - lastspike > tau_s + dt/2", (0, 2, 2)),
        ("w = clip(w - a*y, 0, 1)", (1, 1, 2)),
        ("d = -sign(p)*int(abs(p) > a)*k", (1, 0, 3)),  # the comparison selects
        ("r = labels(t)*y", (1, 0, 0)),
        ("u = 2*a*x + 3 + beta - y", (1, 2, 0)),
        ("w *= y/z", (2, 0, 0)),
        (SynapticScaling.membrane, (5, 6, 0)),
        ("dg_e/dt = -g_e/tau_s : 1", (1, 0, 0)),
        ("dv/dt = v + x : 1", (1, 2, 0)),
        ("norm_sum_post += w*w", (1, 1, 0)),
        ("v -= a*z**2", (2, 1, 0)),
        ("v = (x + y)**3", (2, 1, 0)),
        ("v = z**beta", (5, 5, 0)),
        ("v = z**0.5", (5, 5, 0)),
        ("latency == t_in_timesteps % 20", (0, 0, 1)),
        ("s = t_in_timesteps % 20 + 1 - y", (0, 1, 0)),
    ],
)
def test_counted_by_hand(code: str, expected: tuple[int, int, int]) -> None:
    assert operations(code, CONSTANTS) == Operations(*expected)


def test_functions_of_variables_cost_more_than_those_of_constants() -> None:
    assert operations("w = exp(-x/tau_s)", CONSTANTS) == FUNCTION + Operations(1)
    assert operations("w = sqrt(tau_s)**2", CONSTANTS) == Operations()
    assert operations("s += abs(w)**p") == FUNCTION + Operations(0, 1, 1)


@pytest.mark.parametrize(
    ("code", "said"),
    [("w = tan(x)", r"tan\(\)"), ("w == =", "w == ="), ("w = x[0]", "not known"), ("w = x % 2", "not known")],
)
def test_what_cannot_be_counted_is_named(code: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        operations(code)


def test_examples() -> None:
    assert doctest.testmod(counting).failed == 0
