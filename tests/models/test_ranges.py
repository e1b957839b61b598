"""Which values parameters may have: every row of every model, and the relations between them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from hebbarium.catalogue import description, registry
from hebbarium.ledger import ledger
from hebbarium.models.contract import Model, Parameter, quantity
from hebbarium.models.ranges import LARGEST, PROBABILITY, SMALLEST, Range
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training import parameters

RESULTS = Path(__file__).parents[2] / "results"
ROWS = [
    pytest.param(kind, row, id=f"{name}.{row.symbol}")
    for name, kind in registry.models().items()
    for row in kind.parameters().values()
    if row.kind != "choice" and row.reads is None  # a notation or a file has no range
]


def outside(row: Parameter) -> Iterator[float]:
    """Numbers next to a range's bounds that are not in it, and what no range has."""
    within = row.within
    step = lambda bound: 1.0 if isinstance(row.default, int | tuple) else max(abs(bound), 1.0) * 1e-6  # noqa: E731
    yield within.least if within.open_below else within.least - step(within.least)
    yield within.most if within.open_above else within.most + step(within.most)
    yield from (1e300, -1e300)
    if not isinstance(row.default, int | tuple):
        yield SMALLEST / 2


def typed(row: Parameter, number: float) -> str:
    """A number as it is typed for a row."""
    text = f"{number:.15g}" if not isinstance(row.default, int | tuple) else f"{number:.0f}"
    return f"{text}*{row.unit_name}" if row.unit_name else text


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_what_is_outside_its_range_is_refused_by_name(kind: type[Model], row: Parameter) -> None:
    assert row.within != Range(), "every row says its range"
    for number in outside(row):
        with pytest.raises(parameters.SettingError, match=rf"^--set {row.symbol}=.*expected"):
            parameters.parse(kind, row.symbol, typed(row, number))
        most = re.sub(r"e\+0?", "e", f"{row.within.most:g}")
        value = (round(number),) if isinstance(row.default, tuple) else number * row.unit
        with pytest.raises(ValueError, match=rf"^{row.symbol}=.*expected .*{re.escape(most)}"):
            kind(**{row.symbol: value})


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_what_is_no_finite_number_is_refused_by_name(kind: type[Model], row: Parameter) -> None:
    for number in (np.nan, np.inf, -np.inf):
        value: Any = (number,) if isinstance(row.default, tuple) else number * row.unit
        with pytest.raises(ValueError, match=rf"^{row.symbol}=.*expected a finite number"):
            kind(**{row.symbol: value})


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_texts_that_are_no_value_are_refused_by_name(kind: type[Model], row: Parameter) -> None:
    wrong_unit = "1*kilogram" if not isinstance(row.default, tuple) else "1.5"
    for text in ("abc", "", "1e999", wrong_unit, "20*furlong", "[1]"):
        with pytest.raises(parameters.SettingError, match=f"^--set {row.symbol}="):
            parameters.parse(kind, row.symbol, text)


@pytest.mark.parametrize("kind", registry.models().values(), ids=str)
def test_a_name_means_one_thing(kind: type[Model]) -> None:
    """A model that declares a parameter under the name of a base's would set both."""
    for row in kind.parameters().values():
        bases = [base for base in kind.__mro__[1:] if issubclass(base, Model) and row.symbol in base.parameters()]
        assert {base.parameters()[row.symbol].meaning for base in bases} <= {row.meaning}, row.symbol


@pytest.mark.parametrize("kind", registry.models().values(), ids=str)
def test_defaults_and_bounds_that_belong_to_a_range_are_in_it(kind: type[Model]) -> None:
    for row in kind.parameters().values():
        assert row.fault(row.default) == ""
        if row.kind != "choice" and row.reads is None:
            for bound, is_open in ((row.within.least, row.within.open_below), (row.within.most, row.within.open_above)):
                value = (int(bound),) if isinstance(row.default, tuple) else bound * row.unit
                assert (row.fault(value) == "") is not is_open


def settings_of_ledgers() -> Iterator[tuple[str, dict[str, str]]]:
    """Every setting of the models' ledgers, what was searched included, with its model."""
    for name, kind in registry.models().items():
        for row in ledger.read(RESULTS / f"{name}.csv"):
            if not row.item.startswith("hebbian_control"):  # which is another network
                yield name, {k: v for k, v in row.symbols.items() if k in kind.parameters()}


def test_every_setting_of_the_ledgers_is_accepted() -> None:
    found = {(name, tuple(sorted(given.items()))) for name, given in settings_of_ledgers()}
    assert len(found) > 100
    for name, given in found:
        parameters.apply(registry.find(name), dict(given))


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("synaptic_scaling", {"w_min": "2"}, "w_min=2, w_max=1: expected w_min < w_max"),
        ("synaptic_scaling", {"v_reset": "-30*mV"}, r"v_reset=-30\*mV, v_thresh=-40\*mV: expected v_reset < v_thresh"),
        ("synaptic_scaling", {"dt": "1*second"}, "expected t_train/dt a whole number, 1 or more"),
        ("synaptic_scaling", {"dt": "0.7*ms"}, "expected t_train/dt a whole number"),
        ("synaptic_scaling", {"t_test": "20*second"}, r"max\(t_train, t_test\)/dt <= 16000"),
        ("synaptic_scaling", {"rate_coding": "peak", "max_rate": "2000*Hz"}, r"max_rate\*dt <= 1 with rate_coding=p"),
        ("synaptic_scaling", {"total_rate": "1e6*Hz"}, r"total_rate\*dt <= pixels"),
        ("diehl_cook", {"delays": "uniform", "delay_most": "150*ms"}, "delay_most < t_rest with delays=uniform"),
        ("diehl_cook", {"w_least": "0.5"}, "w_least=0.5, w_most=0.303"),
        ("diehl_cook", {"tau_ge": "0.1*ms"}, r"tau_ge=0.1\*ms.*expected dt <= min"),
        ("diehl_cook", {"intensity_step": "1e-6"}, "intensity_step"),
        ("diehl_cook", {"theta_init": "0*mV"}, r"v_reset < v_thresh \+ theta_init"),
        ("symmetric_stdp", {"rest": "jump", "t_settle": "200*ms"}, "t_settle <= t_rest with rest=jump"),
        ("symmetric_stdp", {"theta_init": "0*mV", "v_thresh": "-50*mV"}, "theta_init > 0 with increment=decaying"),
        ("symmetric_stdp", {"dt": "200*ms"}, "whole number"),
        ("desire_backprop", {"margin": "20"}, "margin=20, steps=20, reading=code: expected margin < steps"),
    ],
)
def test_relations_between_parameters(name: str, given: dict[str, str], words: str) -> None:
    with pytest.raises(parameters.SettingError, match=words):
        parameters.apply(registry.find(name), given)


def test_a_relation_binds_only_under_its_condition() -> None:
    parameters.apply(registry.find("desire_backprop"), {"margin": "20", "reading": "paper"})
    parameters.apply(registry.find("diehl_cook"), {"tau_ge": "0.1*ms", "integration": "exponential_euler"})


@dataclass(frozen=True, eq=False)
class Own(SynapticScaling):
    """A user's model, with a row, a range and a relation of its own."""

    name: ClassVar[str] = "own"
    relations: ClassVar[tuple[str, ...]] = ("mu <= w_max",)
    mu: float = quantity(0.2, 1, "a fraction", "own", PROBABILITY)
    free: float = quantity(-3.0, 1, "anything", "own")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mu": "1"}, "--set mu=1: expected 0 or more, and less than 1"),
        ({"mu": "0.5", "w_max": "0.3"}, "mu=0.5, w_max=0.3: expected mu <= w_max"),
        ({"w_min": "2"}, "expected w_min < w_max"),
        ({"tau_p": "0*ms"}, "--set tau_p=0"),
        ({"free": "1e300"}, "--set free=1e300"),
    ],
)
def test_a_users_model_inherits_ranges_and_declares_its_own(given: dict[str, str], words: str) -> None:
    with pytest.raises(parameters.SettingError, match=re.escape(words)):
        parameters.apply(Own, given)
    assert parameters.apply(Own, {"free": "-1e6"})


def test_a_relation_that_cannot_be_computed_says_which() -> None:
    broken = dataclasses.make_dataclass("Broken", [], bases=(Own,), frozen=True, eq=False)
    broken.relations = ("w_mx > 0",)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"relation 'w_mx > 0'.*w_mx"):
        broken()


def test_descriptions_show_ranges() -> None:
    text = description.describe(Own())
    assert re.search(r"tau_p .*\(> 0\)", text)
    assert re.search(r"mu .*\(>= 0, < 1\)", text)
    assert "nan" not in text
    assert LARGEST > 1e11
