"""Values of a model's parameters, and their texts as they are typed: ``--set "tau_p=20*ms"``.

A text is a number, a unit, or an expression of both with ``+ - * / **`` and parentheses; ``20 ms`` and
``20ms`` are read as ``20*ms``. It is taken apart by Python's parser and computed here, never run as code. What
`Parameter.show` writes is read as the same value, to the last bit.
"""

from __future__ import annotations

import ast
import difflib
import functools
import numbers
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from brian2 import Quantity, get_dimensions, have_same_dimensions, units
from brian2.units import DimensionMismatchError, allunits, stdunits
from brian2.units.fundamentalunits import get_unit

from hebbarium.models.contract import Model, Parameter

__all__ = ["SettingError", "apply", "assignments", "computed", "following", "parse", "read", "table", "texts", "values"]

_LONGEST = 200  # characters: deeper nesting than this allows would exhaust the parser
_NUMBER_AND_UNIT = re.compile(
    r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?+)\s*([A-Za-z_]\w*(?:/[A-Za-z_]\w*)*|\(+(?:1/)?[A-Za-z_].*\))"
)
_TRUTHS = dict.fromkeys(("true", "on", "yes", "1"), True) | dict.fromkeys(("false", "off", "no", "0"), False)
_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


class SettingError(ValueError):
    """A setting that cannot be understood; the message says what was expected."""


def assignments(arguments: Iterable[str]) -> dict[str, str]:
    """Each ``symbol=value`` as symbol and text of the value.

    Raises
    ------
    SettingError
        Something has no ``=``, or one symbol is set twice.

    Examples
    --------
    >>> assignments(["tau_p=20*ms", "w_t = 3"])
    {'tau_p': '20*ms', 'w_t': '3'}
    """
    assigned: dict[str, str] = {}
    for argument in arguments:
        symbol, sign, text = (part.strip() for part in argument.partition("="))
        if not (symbol and sign and text):
            raise SettingError(f'--set {argument}: expected symbol=value, as in --set "tau_p=20*ms"')
        if symbol in assigned:
            raise SettingError(f"--set {argument}: {symbol} is set twice, to {assigned[symbol]} as well")
        assigned[symbol] = text
    return assigned


def parse(model_class: type[Model], symbol: str, text: str) -> Any:
    """The value of a model's parameter from what was typed.

    Raises
    ------
    SettingError
        Unknown symbol, or a text that is no value of it.

    Examples
    --------
    >>> from hebbarium.models.synaptic_scaling import SynapticScaling
    >>> parse(SynapticScaling, "tau_p", "20*ms"), parse(SynapticScaling, "norm", "L1")
    (20. * msecond, 'L1')
    """
    return read(_row(model_class, symbol), text)


def read(row: Parameter, text: str) -> Any:
    """The value of one parameter from what was typed: the inverse of `Parameter.show`."""
    if row.among:
        return _choice(row, text.strip())
    if row.reads is not None:
        return _words(row, text.strip())
    if isinstance(row.default, tuple):
        return _sizes(row, text)
    if isinstance(row.default, int) and re.fullmatch(r"\s*\d{1,300}\s*", text):
        return _checked(row, int(text), text)  # as a number with a point, a long one would lose digits
    return _checked(row, _expression(row, text), text)


def values(model_class: type[Model], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a model by symbol, each with a value of its type.

    Parameters
    ----------
    model_class : type of Model
    changes : mapping
        Symbol to value, or to its text.

    Raises
    ------
    SettingError
        Unknown symbol, or something that is no value of it.

    Examples
    --------
    >>> from hebbarium.models.synaptic_scaling import SynapticScaling
    >>> values(SynapticScaling, {"tau_p": "20 ms", "w_t": 3, "norm": "L1"})
    {'tau_p': 20. * msecond, 'w_t': 3.0, 'norm': 'L1'}
    """
    return {symbol: _value(_row(model_class, symbol), given) for symbol, given in changes.items()}


def texts(model_class: type[Model], changes: Mapping[str, Any]) -> dict[str, str]:
    """The same parameters as they can be typed.

    Examples
    --------
    >>> from hebbarium.models.synaptic_scaling import SynapticScaling
    >>> texts(SynapticScaling, {"tau_p": "20 ms", "w_t": 3.0})
    {'tau_p': '20*ms', 'w_t': '3'}
    """
    rows = model_class.parameters()
    return {symbol: rows[symbol].show(value) for symbol, value in values(model_class, changes).items()}


def apply(model_class: type[Model], changes: Mapping[str, Any], **direct: Any) -> Model:
    """A model with some parameters set.

    Parameters
    ----------
    model_class : type of Model
    changes : mapping
        Symbol to value, or to its text.
    **direct
        More of them; None keeps the default.

    Raises
    ------
    SettingError
        As `values` says; or a parameter is set in both ways; or the model refuses the combination.
    """
    given = {symbol: value for symbol, value in direct.items() if value is not None}
    for symbol in given:
        _row(model_class, symbol)
    for symbol, value in values(model_class, changes).items():
        if symbol in given:
            text = changes[symbol]
            raise SettingError(f"--set {symbol}={text}: {symbol} is set twice, to {given[symbol]} as well")
        given[symbol] = value
    given = {**model_class.tuned(given), **given}
    try:
        return model_class(**given)
    except ValueError as error:
        raise SettingError(str(error)) from error


def following(model_class: type[Model], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Constants that follow from what is set, such as those tuned to a size.

    Examples
    --------
    >>> from hebbarium.models.symmetric_stdp import SymmetricSTDP
    >>> following(SymmetricSTDP, {"neurons": 400, "w_ie": 17})["tau_theta"]
    6. * ksecond
    """
    given = values(model_class, changes)
    tuned = model_class.tuned(given)
    return {symbol: value for symbol, value in tuned.items() if symbol not in given}


def table(model: Model) -> dict[str, str]:
    """Values of all of a model's parameters, as they can be typed."""
    return {symbol: row.show(getattr(model, symbol)) for symbol, row in model.parameters().items()}


def _row(model_class: type[Model], symbol: str) -> Parameter:
    rows = model_class.parameters()
    if symbol in rows:
        return rows[symbol]
    lower = {name.lower(): name for name in rows}
    near = [lower[name] for name in difflib.get_close_matches(symbol.lower(), lower, n=3, cutoff=0.5)]
    hint = f"did you mean {_either(near)}? " if near else ""
    raise SettingError(
        f"{symbol}: {model_class.name} has no such parameter; {hint}"
        f"`hebbarium describe {model_class.name}` lists all {len(rows)}"
    )


def _value(row: Parameter, given: Any) -> Any:
    """A value of a parameter's type, from such a value or its text."""
    if isinstance(given, str):
        return read(row, given)
    if row.among:
        if isinstance(given, Quantity) or given not in row.among:
            raise _refused(row, str(given), row.fault(given), example=False)
        return row.among[row.among.index(given)]
    if row.reads is not None:
        raise _refused(row, _brief(given), row.fault(given))
    if isinstance(row.default, tuple):
        sizes = given if isinstance(given, tuple | list) else (given,)
        return _sizes(row, ",".join(map(str, sizes)))
    plain = isinstance(given, Quantity | numbers.Real) and not isinstance(given, bool | np.bool_)
    if not plain or np.ndim(given):
        raise _refused(row, _brief(given), f"expected {_wanted(row.unit_name)}")
    return _checked(row, given, _brief(given))


def _checked(row: Parameter, value: Any, text: str) -> Any:
    """A number or quantity as the type that a parameter has, if it is one of its values."""
    if not have_same_dimensions(value, row.default):
        raise _refused(row, text, f"expected {_wanted(row.unit_name)}, got {_wanted(_unit_name(value))}")
    if fault := row.fault(value):
        raise _refused(row, text, fault)
    if isinstance(row.default, int):
        return int(value)
    return 1.0 * value if isinstance(row.default, Quantity) else float(value)


def _brief(given: Any) -> str:
    return str(given) if len(str(given)) < 60 else f"{str(given)[:60]}..."


def _choice(row: Parameter, text: str) -> Any:
    if set(row.among) == {True, False}:
        if text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
        raise _refused(row, text, "expected true or false")
    known = {str(value).lower(): value for value in row.among}
    name = text.strip("'\"").lower()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    raise _refused(row, text, f"expected one of {', '.join(map(str, row.among))}{hint}", example=False)


def _words(row: Parameter, text: str) -> str:
    if fault := row.fault(text):
        raise _refused(row, text, fault, example=False)
    return text


def _sizes(row: Parameter, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.strip().strip("()").rstrip(",").split(",")]
    if not all(re.fullmatch(r"0*[1-9]\d{0,6}", part) for part in parts):
        raise _refused(row, text, "expected whole numbers from 1 on, with commas between them")
    sizes = tuple(map(int, parts))
    if fault := row.fault(sizes):
        raise _refused(row, text, fault)
    return sizes


def _expression(row: Parameter, text: str) -> Any:
    whole = _NUMBER_AND_UNIT.fullmatch(text.strip())
    code = f"{whole[1]}*{whole[2]}" if whole else text.strip()
    if len(code) > _LONGEST:
        raise _refused(row, f"{text[:20]}...", f"expected at most {_LONGEST} characters")
    if "#" in code:  # Python would read no further
        raise _refused(row, text, "expected a number, or an expression of numbers and units")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # Python's remarks on the spelling of what is typed
            return computed(ast.parse(code, mode="eval").body)
    except SettingError as error:
        raise _refused(row, text, str(error)) from None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise _refused(row, text, "expected a number, or an expression of numbers and units") from None
    except DimensionMismatchError:
        raise _refused(row, text, "the units of its parts do not fit together") from None
    except (ArithmeticError, TypeError):
        raise _refused(row, text, "this cannot be computed") from None


def computed(node: ast.expr) -> Any:
    """The value of an expression of numbers and units that Python's parser has taken apart.

    Raises
    ------
    SettingError
        There is something else in it.
    """
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name):
            return _unit(name)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](computed(operand))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            value = _OPERATORS[type(sign)](computed(left), computed(right))
            if isinstance(value, complex):
                raise ArithmeticError
            return value
    raise SettingError("expected only numbers, units, + - * / ** and parentheses")


@functools.cache
def _units() -> dict[str, Any]:
    named = {name: getattr(allunits, name) for name in allunits.__all__}
    named |= {name: getattr(stdunits, name) for name in stdunits.__all__}
    return {name: unit for name, unit in named.items() if isinstance(unit, units.Unit)}


def _unit(name: str) -> Any:
    if name in _units():
        return _units()[name]
    near = [unit for unit in _units() if unit.lower() == name.lower()]
    near += difflib.get_close_matches(name, _units(), n=2)
    hint = f"; did you mean {_either(list(dict.fromkeys(near))[:2])}?" if near else ""
    raise SettingError(f"'{name}' is no unit{hint}")


def _either(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _wanted(unit: str) -> str:
    return f"a value in {unit}" if unit else "a number without unit"


def _unit_name(value: Any) -> str:
    return "" if have_same_dimensions(value, 1) else str(get_unit(get_dimensions(value)))


def _refused(row: Parameter, text: str, why: str, example: bool = True) -> SettingError:
    like = f', as in --set "{row.symbol}={row.show(row.default)}"' if example else ""
    return SettingError(f"--set {row.symbol}={text}: {why}{like}")
