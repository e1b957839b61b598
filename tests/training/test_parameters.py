"""What is typed after ``--set``: read back as shown, refused in words, never evaluated."""

from __future__ import annotations

import builtins
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Quantity, Unit, amp, have_same_dimensions, kilogram, metre, ms, mV, nS, second, siemens
from brian2.units import allunits, stdunits
from hypothesis import example, given
from hypothesis import strategies as st

from hebbarium.catalogue import registry
from hebbarium.models.contract import Model, Parameter, typed_unit
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.models.ranges import ANY
from hebbarium.models.symmetric_stdp import SymmetricSTDP
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training.parameters import (
    SettingError,
    apply,
    assignments,
    following,
    parse,
    read,
    table,
    texts,
    values,
)

TABLE = SynapticScaling.parameters()
MODELS = registry.models()
ROWS = {(name, symbol): row for name, kind in MODELS.items() for symbol, row in kind.parameters().items()}
NUMERIC = [key for key, row in ROWS.items() if isinstance(row.default, float | Quantity)]
SIZES = [key for key, row in ROWS.items() if isinstance(row.default, int) and not row.among]
CHOICES = [(*key, value) for key, row in ROWS.items() for value in row.among]
FEW_DIGITS = st.floats(min_value=1e-9, max_value=1e9).map(lambda x: float(f"{x:.12g}"))
NUMBERS = st.floats(-1e18, 1e18) | FEW_DIGITS
UNITS = [unit for space in (allunits, stdunits) for unit in vars(space).values() if isinstance(unit, Unit)]
COMPOUND = [mV / ms, nS / ms, ms**-1, 1 / (mV * ms), metre**2 * kilogram / second**3 / amp]


def spaced(text: str) -> str:
    """A text as a reader sees it: ``20 ms`` for ``20*ms``."""
    return text.replace("*", " ", 1)


def same_bits(value: Any, other: Any) -> bool:
    """Whether two values are of one type and unit, and equal to the last bit."""
    alike = type(value) is type(other) and have_same_dimensions(value, other)
    return alike and struct.pack("d", float(value)) == struct.pack("d", float(other))


@given(st.sampled_from(NUMERIC), NUMBERS)
def test_a_number_shown_is_read_as_that_number(key: tuple[str, str], number: float) -> None:
    (name, symbol), row = key, ROWS[key]
    value = number * row.unit if isinstance(row.default, Quantity) else number
    if row.fault(value):
        with pytest.raises(SettingError, match=f"^--set {symbol}=.*expected"):
            parse(MODELS[name], symbol, row.show(value))
        return
    text = row.show(value)
    assert same_bits(parse(MODELS[name], symbol, text), value)
    assert same_bits(parse(MODELS[name], symbol, spaced(text)), value)
    assert same_bits(values(MODELS[name], {symbol: value})[symbol], value)


def quantity_in(unit: Any) -> Parameter:
    return Parameter("x", "quantity", 1.0 * unit, unit, "", "", ANY, ())


@given(st.sampled_from(UNITS + COMPOUND), st.floats(1e-12, 1e18), st.integers(-1, 1))
def test_a_quantity_is_read_as_it_was_in_any_unit(unit: Any, number: float, step: int) -> None:
    """Also quantities that no number times their unit comes to."""
    row = quantity_in(unit)
    value = Quantity(math.nextafter(float(number * unit), step * math.inf) if step else number * unit, unit.dim)
    if not row.fault(value):
        text = row.show(value)
        assert same_bits(read(row, text), value)
        assert same_bits(read(row, spaced(text)), value)


@given(st.sampled_from(NUMERIC), FEW_DIGITS)
def test_what_was_typed_with_few_digits_is_shown_with_these(key: tuple[str, str], number: float) -> None:
    row = ROWS[key]
    text = f"{number:.12g}"
    value = number * row.unit if isinstance(row.default, Quantity) else number
    assert row.show(value) == (f"{text}{typed_unit(row.unit)}" if row.unit_name else text)


@pytest.mark.parametrize(
    ("unit", "number", "text"),
    [
        (ms, 20, "20*ms"),
        (mV, 1 / 3, "0.3333333333333333*mV"),
        (second, 0.1 + 0.2, "0.30000000000000004*second"),
        (siemens, 3, "3*siemens"),
        (mV / ms, 2.5, "2.5*(mV/ms)"),
    ],
)
def test_no_more_digits_are_shown_than_it_takes(unit: Any, number: float, text: str) -> None:
    assert quantity_in(unit).show(number * unit) == text


@given(st.sampled_from(SIZES), st.integers(min_value=1, max_value=10**6))
def test_a_size_shown_is_read_as_that_size(key: tuple[str, str], number: int) -> None:
    (name, symbol), row = key, ROWS[key]
    if not row.fault(number):
        size = parse(MODELS[name], symbol, row.show(number))
        assert type(size) is int
        assert size == number
        assert values(MODELS[name], {symbol: np.int64(number)}) == {symbol: number}


def test_a_long_whole_number_keeps_its_digits() -> None:
    row = Parameter("n", "structure", 1, 1, "", "", ANY, ())
    assert read(row, row.show(2**59 + 1)) == 2**59 + 1


@pytest.mark.parametrize(("name", "symbol", "value"), CHOICES)
def test_a_choice_shown_is_read_as_that_choice(name: str, symbol: str, value: object) -> None:
    for given_as in (ROWS[name, symbol].show(value), value):
        choice = values(MODELS[name], {symbol: given_as})[symbol]
        assert choice == value
        assert type(choice) is type(value)


@pytest.mark.parametrize("kind", MODELS.values(), ids=list(MODELS))
def test_a_model_shown_is_read_as_that_model(kind: type[Model]) -> None:
    again = apply(kind, table(kind()))
    assert table(again) == table(kind())
    assert again.run_time_values() == kind().run_time_values()
    assert again.structure_key() == kind().structure_key()


def test_values_of_another_type_become_the_parameters_own() -> None:
    given = {"w_t": 5, "tau_p": 0.02 * second, "neurons": 400.0, "norm": "l1", "adaptive_threshold": 1}
    typed = values(SynapticScaling, given)
    assert {symbol: type(value) for symbol, value in typed.items()} == {
        "w_t": float, "tau_p": Quantity, "neurons": int, "norm": str, "adaptive_threshold": bool,
    }  # fmt: skip
    assert texts(SynapticScaling, given) == {
        "w_t": "5", "tau_p": "20*ms", "neurons": "400", "norm": "L1", "adaptive_threshold": "True",
    }  # fmt: skip
    assert values(DesireBackprop, {"layers": [20, 10]}) == {"layers": (20, 10)}
    with pytest.raises(SettingError, match=r"layers=\(20, -1\)|layers=20,-1: expected whole numbers"):
        values(DesireBackprop, {"layers": (20, -1)})
    with pytest.raises(SettingError, match="expected a value in ms"):
        values(SynapticScaling, {"tau_p": [1, 2] * ms})


# Text made of what expressions are made of comes further into the parser than any text does.
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "1",
            "2.5",
            "1e308",
            "1e-308",
            "ms",
            "mV",
            "Hz",
            "siemens",
            "+",
            "-",
            "*",
            "/",
            "**",
            "(",
            ")",
            " ",
            "nan",
            "inf",
            "j",
            "0",
            "x",
            ".real",
            "[0]",
            "'a'",
            ",",
            ":=",
            "lambda:",
            "if",
            "not",
            "~",
            "%",
        ]
    ),
    max_size=12,
).map("".join)


@given(st.sampled_from(sorted(TABLE)), FRAGMENTS | st.text())
@example("w_t", "9**9**9**9**9")
@example("w_t", "(" * 5000 + "1" + ")" * 5000)
@example("w_t", "-" * 5000 + "1")
@example("w_t", "1e400")
@example("w_t", "(-8)**(1/3)")
@example("tau_p", "ms**ms")
@example("tau_p", "1e308*ms**1e308*ms**1e308")
@example("tau_p", "ms - ms + 1")
@example("neurons", "1e300")
@example("w_t", "\0")
@example("w_t", "0if 1else 2")
def test_any_text_is_a_value_of_the_right_kind_or_refused(symbol: str, text: str) -> None:
    row = TABLE[symbol]
    try:
        value = parse(SynapticScaling, symbol, text)
    except SettingError:
        return
    assert type(value) is type(row.default)
    assert row.among == () or value in row.among
    assert row.among or have_same_dimensions(value, row.default)


@given(st.text())
def test_any_symbol_is_known_or_refused(symbol: str) -> None:
    if symbol not in TABLE:
        with pytest.raises(SettingError, match="has no such parameter"):
            parse(SynapticScaling, symbol, "1")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('pathlib').Path('made').touch()",
        "open('made', 'w')",
        "exec('x=1')",
        "ms.__class__",
        "(lambda: 1)()",
        "[1][0]",
        "{1}",
        "f'{1}'",
        "1 if 1 else 2",
        "x := 3",
        "ms.dim",
        "print(1)",
    ],
)
def test_nothing_is_evaluated(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was evaluated")

    monkeypatch.chdir(tmp_path)
    for name in ("eval", "exec"):
        monkeypatch.setattr(builtins, name, refuse)
    with pytest.raises(SettingError):
        parse(SynapticScaling, "w_t", text)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("20*ms", 20),
        ("20 ms", 20),
        ("20ms", 20),
        ("0.02*second", 20),
        ("2e-2 s", None),
        ("1/(50*Hz)", 20),
        ("ms", 1),
        ("(1+2)*10*ms", 30),
        ("2**3*ms", 8),
        ("1e2ms", 100),
        ("-1*ms+2*ms", 1),
    ],
)
def test_expressions(text: str, milliseconds: float | None) -> None:
    if milliseconds is None:
        with pytest.raises(SettingError, match="'s' is no unit"):
            parse(SynapticScaling, "tau_p", text)
    else:
        assert parse(SynapticScaling, "tau_p", text) / ms == pytest.approx(milliseconds)


@pytest.mark.parametrize(
    ("symbol", "text", "words"),
    [
        ("tau_q", "20*ms", "did you mean tau_"),
        ("W_T", "9", "did you mean w_t"),
        ("w_t", "9 # 5", "expected a number, or an expression"),
        ("tau_p", "20", "expected a value in ms, got a number without unit"),
        ("tau_p", "20*mV", "expected a value in ms, got a value in"),
        ("w_t", "9*ms", "expected a number without unit"),
        ("tau_p", "20*mseconds", "did you mean msecond"),
        ("norm", "L3", "expected one of L1, L2, Lp, none"),
        ("adaptive_threshold", "maybe", "expected true or false"),
        ("neurons", "10.5", "expected a whole number"),
        ("neurons", "0", "expected 1 or more, and at most 1e6"),
        ("dt", "0*ms", "expected more than 0 ms, and at most 1e18 ms"),
        ("w_t", "", "expected a number"),
    ],
)
def test_what_a_refusal_says(symbol: str, text: str, words: str) -> None:
    with pytest.raises(SettingError) as refusal:
        parse(SynapticScaling, symbol, text)
    assert words in str(refusal.value)


def test_settings_and_options_are_put_together() -> None:
    model = apply(SynapticScaling, {"w_t": "3", "norm": "l1"}, neurons=40, pixels=None)
    assert (model.neurons, model.pixels, model.w_t, model.norm) == (40, 784, 3.0, "L1")  # type: ignore[attr-defined]
    assert apply(SynapticScaling, {"v_thresh": "-45*mV"}).v_thresh == -45 * mV  # type: ignore[attr-defined]


def test_one_parameter_set_in_two_ways_is_refused() -> None:
    with pytest.raises(SettingError, match="set twice"):
        apply(SynapticScaling, {"neurons": "3"}, neurons=40)
    with pytest.raises(SettingError, match="set twice"):
        assignments(["w_t=3", "w_t=5"])


@pytest.mark.parametrize("text", ["w_t", "=3", "w_t=", ""])
def test_an_assignment_needs_both_sides(text: str) -> None:
    with pytest.raises(SettingError, match="symbol=value"):
        assignments([text])


@given(st.lists(st.integers(min_value=1, max_value=10**6), min_size=1, max_size=5).map(tuple))
def test_sizes_of_layers_shown_are_read_as_those_sizes(sizes: tuple[int, ...]) -> None:
    assert parse(DesireBackprop, "layers", DesireBackprop.parameters()["layers"].show(sizes)) == sizes


@pytest.mark.parametrize("text", ["", "0", "5,", ",", "5,,6", "5 6", "2.5", "-3", "a", "5,0", "1e3", "99999999"])
def test_other_texts_are_no_sizes_of_layers(text: str) -> None:
    if text == "5,":  # as Python writes a single one
        assert parse(DesireBackprop, "layers", text) == (5,)
    else:
        with pytest.raises(SettingError, match="with commas between them, as in --set"):
            parse(DesireBackprop, "layers", text)


def test_constants_that_follow_from_a_size_are_told_unless_they_are_set() -> None:
    constants = texts(SymmetricSTDP, following(SymmetricSTDP, {"neurons": 1600, "w_ie": "17"}))
    assert constants == {"tau_theta": "8000000*ms", "theta_plus": "0.07*mV", "a_plus": "0.002", "a_plus_class": "0.008"}
    assert following(SymmetricSTDP, {})["w_ie"] == 34
    assert following(SynapticScaling, {"neurons": "400"}) == {}
    model = apply(SymmetricSTDP, {"neurons": "1600"})
    for symbol, value in following(SymmetricSTDP, {"neurons": "1600"}).items():
        assert getattr(model, symbol) == value
