"""Equation strings put together: lines joined, one of several chosen, symbols replaced."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

Strings = str | Mapping[str, str]
"""An equation string, or one for each value of an option."""


def lines(*parts: str | bool) -> str:
    """Strings one below the other, each without its indentation; what an option leaves out is False.

    Examples
    --------
    >>> learns = False
    >>> lines("v = v_reset", learns and "y += 1", '''
    ...     g_e = 0
    ...     g_i = 0
    ... ''')
    'v = v_reset\\ng_e = 0\\ng_i = 0\\n'
    """
    whole = (textwrap.dedent(part).strip() for part in parts if isinstance(part, str))
    return "".join(f"{part}\n" for part in whole if part)


def chosen(string: Strings, value: str) -> str:
    """The string that belongs to the value of an option; one that stands alone belongs to all of them."""
    return string if isinstance(string, str) else string[value]


def without_comments(code: str) -> str:
    """Code alone."""
    return re.sub(r"[ \t]*#.*", "", code)


def renamed(code: str, **symbols: str) -> str:
    """Code with some symbols replaced, as whole words: one mechanism used twice in a network.

    Examples
    --------
    >>> renamed("w = clip(w + a_plus*x_pre, w_min, w_max)", a_plus="a_plus_class", w_max="w_max_class")
    'w = clip(w + a_plus_class*x_pre, w_min, w_max_class)'
    """
    return re.sub(r"\w+", lambda word: symbols.get(word[0], word[0]), code)
