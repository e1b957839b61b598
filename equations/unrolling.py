"""Strings for all steps of a sample at once, made from one for a step.

A name of the string that has a value of its own at each step is written as it is, with ``_before`` for the value of the
step before, and with ``_after`` for that of the step after. Beyond a sample it is zero.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from hebbarium.equations.strings import without_comments


def variables(names: Collection[str], steps: int) -> str:
    """A variable for each name and step: ``u_0``, ``u_1``, ...

    Examples
    --------
    >>> print(variables(["u"], 2))
    u_0 : 1
    u_1 : 1
    <BLANKLINE>
    """
    return "".join(f"{name}_{k} : 1\n" for name in names for k in range(steps))


def unrolled(code: str, names: Collection[str], steps: int, *, backwards: bool = False) -> str:
    """The string of each step, one after the other.

    Parameters
    ----------
    code : str
    names : collection of str
        What has a value of its own at each step.
    steps : int
        Of a sample.
    backwards : bool
        Whether the last step comes first.

    Examples
    --------
    >>> print(unrolled("a = a_before + s", ["a", "s"], 2))
    a_0 = 0 + s_0
    a_1 = a_0 + s_1
    <BLANKLINE>
    """
    order = range(steps)[::-1] if backwards else range(steps)
    lines = [line.strip() for line in without_comments(code).splitlines() if line.strip()]
    return "".join(f"{at_step(line, names, steps, k)}\n" for k in order for line in lines)


def at_step(code: str, names: Collection[str], steps: int, step: int) -> str:
    """The string of one step."""
    places = dict.fromkeys(names, step)
    places |= {f"{name}_before": step - 1 for name in names} | {f"{name}_after": step + 1 for name in names}

    def place(word: re.Match[str]) -> str:
        if word[0] not in places:
            return word[0]
        base = word[0] if word[0] in names else word[0].rpartition("_")[0]
        return f"{base}_{places[word[0]]}" if 0 <= places[word[0]] < steps else "0"

    return re.sub(r"[A-Za-z_]\w*", place, code)


def summed(product: str, names: Collection[str], steps: int) -> str:
    """A product, summed over the steps of a sample.

    Examples
    --------
    >>> summed("s_pre*d_post", ["s_pre", "d_post"], 2)
    's_0_pre*d_0_post + s_1_pre*d_1_post'
    """
    terms = []
    for k in range(steps):
        sides = {name: re.sub(r"(_pre|_post)?$", rf"_{k}\1", name, count=1) for name in names}
        terms.append(re.sub(r"[A-Za-z_]\w*", lambda word, sides=sides: sides.get(word[0], word[0]), product))  # type: ignore[misc]
    return " + ".join(terms)
