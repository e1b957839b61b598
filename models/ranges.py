"""Which values a parameter may have: a range for each row of the table, and relations between rows.

A model names a `Range` in each row, and in `Model.relations` what has to hold between its parameters. Both are
checked when a model is made, before anything is compiled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST, SMALLEST = 1e18, 1e-12
"""Of numbers in the unit that they are shown in: beyond them single precision has no room for what is made of them."""


@dataclass(frozen=True)
class Range:
    """Values between two bounds, in the unit that a parameter is shown in; for sizes of several layers, each of them.

    Parameters
    ----------
    least, most : float
        The bounds.
    open_below, open_above : bool
        Whether a bound itself is left out.
    """

    least: float = -LARGEST
    most: float = LARGEST
    open_below: bool = False
    open_above: bool = False

    def holds(self, value: float | NDArray[Any]) -> bool:
        """Whether all of a value, as a number of its unit, lies between the bounds; never for what is not finite."""
        numbers = np.asarray(value, np.float64).ravel()
        low = numbers > self.least if self.open_below else numbers >= self.least
        high = numbers < self.most if self.open_above else numbers <= self.most
        resolved = (numbers == 0) | (np.abs(numbers) >= SMALLEST)
        return bool(np.all(low & high & resolved))

    @property
    def short(self) -> str:
        """The range as a table shows it: empty if it is as wide as it can be."""
        low = f"{'>' if self.open_below else '>='} {_text(self.least)}" if self.least > -LARGEST else ""
        high = f"{'<' if self.open_above else '<='} {_text(self.most)}" if self.most < LARGEST else ""
        return ", ".join(filter(None, (low, high)))

    def words(self, unit: str) -> str:
        """What a value is expected to be.

        >>> POSITIVE.words("ms"), PROBABILITY.words(""), SIZE.words("")
        ('more than 0 ms, and at most 1e18 ms', '0 or more, and less than 1', '1 or more, and at most 1e6')
        """
        unit = f" {unit}" if unit else ""
        least, most = _text(self.least) + unit, _text(self.most) + unit
        low = f"more than {least}" if self.open_below else f"{least} or more"
        return f"{low}, and {'less than' if self.open_above else 'at most'} {most}"


def _text(number: float) -> str:
    return re.sub(r"e\+0?", "e", f"{number:g}")


ANY = Range()
POSITIVE = Range(0, open_below=True)
NOT_NEGATIVE = Range(0)
FRACTION = Range(0, 1)
PROBABILITY = Range(0, 1, open_above=True)
SIZE = Range(1, 1e6)
#: of weights and of their changes: small enough that single precision holds the sum of their squares
WEIGHT = Range(0, 1e6)
NORM = Range(0, 1e6, open_below=True)
#: of membranes, in millivolts
POTENTIAL = Range(-1000, 1000)
RISE = Range(0, 1000)


def fault(value: Any, unit: Any, unit_name: str, expected: Range, whole: bool) -> str:
    """Why a value is none of a parameter; empty if it is one.

    Parameters
    ----------
    value : Quantity, float, int or tuple of int
        With the dimensions of the unit.
    unit : Unit or 1
        The unit that the range is in.
    unit_name : str
    expected : Range
    whole : bool
        Whether it has to be a whole number.
    """
    number = np.asarray(value / unit if not isinstance(value, tuple) else value, np.float64)
    if not np.all(np.isfinite(number)):
        return "expected a finite number"
    if whole and np.any(number != np.rint(number)):
        return "expected a whole number"
    if expected.holds(number):
        return ""
    tiny = f" (numbers below {SMALLEST:g} count as 0)" if np.any((number != 0) & (np.abs(number) < SMALLEST)) else ""
    return f"expected {expected.words(unit_name)}{tiny}"


def broken(relations: Iterable[str], values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """The first relation that does not hold between parameters, in words, and the symbols in it.

    Parameters
    ----------
    relations : iterable of str
        Comparisons of expressions of symbols, such as ``w_min < w_max``; ``whole(t/dt)``, a number of steps from 1 on;
        either with a condition, as in ``margin < steps if reading == 'code'``.
    values : mapping
        Value of each symbol.
    """
    for relation in relations:
        needed, _, condition = relation.partition(" if ")
        if (not condition or _holds(condition, values)) and not _holds(needed, values):
            text = re.sub(r"whole\((.*)\)", r"\1 a whole number, 1 or more", needed)
            text += f" with {condition.replace(' == ', '=')}" if condition else ""
            symbols = dict.fromkeys(word for word in re.findall(r"[A-Za-z_]\w*", relation) if word in values)
            return text.replace("'", ""), tuple(symbols)
    return None


def _holds(comparison: str, values: Mapping[str, Any]) -> bool:
    names = {"__builtins__": {}, "whole": _whole, "max": max, "min": min}
    try:
        return bool(eval(comparison, names, dict(values)))  # a string of the model's own file, which is Python as well
    except Exception as error:
        raise ValueError(f"the relation '{comparison}' between parameters cannot be computed: {error}") from error


def _whole(ratio: Any) -> bool:
    """Whether a ratio is a whole number of one or more, but for rounding."""
    number = float(ratio)
    return math.isfinite(number) and round(number) >= 1 and abs(number - round(number)) < 1e-6 * max(1.0, number)
