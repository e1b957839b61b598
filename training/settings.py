"""Settings as they are typed: ``--set "tau_p=20*ms"``.

A value is a number, a unit, or an expression of both with ``+ - * / **`` and parentheses; ``20 ms`` and
``20ms`` are read as ``20*ms``. It is taken apart by Python's parser and computed here, never run as code.
"""

from __future__ import annotations

import ast
import difflib
import functools
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

__all__ = ["SettingError", "apply", "assignments", "following", "parse", "shown"]

_LONGEST = 200  # characters: deeper nesting than this allows would exhaust the parser
_NUMBER_AND_UNIT = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?+)\s*([A-Za-z_]\w*)")
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


def assignments(texts: Iterable[str]) -> dict[str, str]:
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
    found: dict[str, str] = {}
    for text in texts:
        symbol, sign, value = (part.strip() for part in text.partition("="))
        if not (symbol and sign and value):
            raise SettingError(f'--set {text}: expected symbol=value, as in --set "tau_p=20*ms"')
        if symbol in found:
            raise SettingError(f"--set {text}: {symbol} is set twice, to {found[symbol]} as well")
        found[symbol] = value
    return found


def parse(model_class: type[Model], symbol: str, text: str) -> Any:
    """The value of a model's parameter from what was typed.

    Parameters
    ----------
    model_class : type of Model
    symbol : str
        Name of one of the model's parameters.
    text : str
        What stands after ``=``.

    Returns
    -------
    Quantity, float, int, bool, str or tuple of int
        Of the kind of the parameter's default, with its dimensions.

    Raises
    ------
    SettingError
        Unknown symbol (the nearest are suggested), wrong unit, out of its range, not one of the choices, not an
        expression.

    Examples
    --------
    >>> from hebbarium.models.synaptic_scaling import SynapticScaling
    >>> parse(SynapticScaling, "tau_p", "20*ms"), parse(SynapticScaling, "norm", "L1")
    (20. * msecond, 'L1')
    """
    row = _row(model_class, symbol)
    if row.among:
        return _choice(row, text.strip())
    if isinstance(row.default, tuple):
        return _sizes(row, text)
    value = _expression(row, text)
    if not have_same_dimensions(value, row.default):
        raise _refused(row, text, f"expected {_wanted(row.unit_name)}, got {_wanted(_unit_name(value))}")
    if fault := row.fault(value):
        raise _refused(row, text, fault)
    if isinstance(row.default, int):
        return int(value)
    return 1.0 * value if isinstance(row.default, Quantity) else float(value)


def apply(model_class: type[Model], changes: Mapping[str, str], **direct: Any) -> Model:
    """A model with settings as typed.

    Parameters
    ----------
    model_class : type of Model
    changes : mapping of str to str
        Symbol to text.
    **direct
        Parameters that are values already; None keeps the default.

    Raises
    ------
    SettingError
        As `parse` says; or a parameter is set in both ways; or the model refuses the combination.
    """
    values = {symbol: value for symbol, value in direct.items() if value is not None}
    for symbol in values:
        _row(model_class, symbol)
    for symbol, text in changes.items():
        if symbol in values:
            raise SettingError(f"--set {symbol}={text}: {symbol} is set twice, to {values[symbol]} as well")
        values[symbol] = parse(model_class, symbol, text)
    values = {**model_class.tuned(values), **values}
    try:
        return model_class(**values)
    except ValueError as error:
        raise SettingError(str(error)) from error


def following(model_class: type[Model], changes: Mapping[str, str]) -> dict[str, str]:
    """Constants that follow from what is set, such as those tuned to a size, as they could have been typed.

    Examples
    --------
    >>> from hebbarium.models.symmetric_stdp import SymmetricSTDP
    >>> following(SymmetricSTDP, {"neurons": "400", "w_ie": "17"})["tau_theta"]
    '6000000*ms'
    """
    given = {symbol: parse(model_class, symbol, text) for symbol, text in changes.items()}
    table = model_class.parameters()
    tuned = model_class.tuned(given)
    return {symbol: table[symbol].show(value) for symbol, value in tuned.items() if symbol not in given}


def shown(model: Model, *symbols: str) -> dict[str, str]:
    """Values of a model's parameters as they can be typed; of all of them unless symbols are named."""
    table = model.parameters()
    return {symbol: table[symbol].show(getattr(model, symbol)) for symbol in symbols or table}


def _row(model_class: type[Model], symbol: str) -> Parameter:
    table = model_class.parameters()
    if symbol in table:
        return table[symbol]
    lower = {name.lower(): name for name in table}
    near = [lower[name] for name in difflib.get_close_matches(symbol.lower(), lower, n=3, cutoff=0.5)]
    hint = f"did you mean {_either(near)}? " if near else ""
    raise SettingError(
        f"{symbol}: {model_class.name} has no such parameter; {hint}"
        f"`hebbarium describe {model_class.name}` lists all {len(table)}"
    )


def _choice(row: Parameter, text: str) -> Any:
    if set(row.among) == {True, False}:
        if text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
        raise _refused(row, text, "expected true or false")
    known = {str(value).lower(): value for value in row.among}
    asked = text.strip("'\"").lower()
    if asked in known:
        return known[asked]
    near = difflib.get_close_matches(asked, known, n=1)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    raise _refused(row, text, f"expected one of {', '.join(map(str, row.among))}{hint}", example=False)


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
            return _computed(ast.parse(code, mode="eval").body)
    except SettingError as error:
        raise _refused(row, text, str(error)) from None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise _refused(row, text, "expected a number, or an expression of numbers and units") from None
    except DimensionMismatchError:
        raise _refused(row, text, "the units of its parts do not fit together") from None
    except (ArithmeticError, TypeError):
        raise _refused(row, text, "this cannot be computed") from None


def _computed(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name):
            return _unit(name)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_computed(operand))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            value = _OPERATORS[type(sign)](_computed(left), _computed(right))
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
