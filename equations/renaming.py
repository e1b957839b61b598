"""One mechanism used twice in a network: the same string with other symbols for its constants."""

from __future__ import annotations

import re


def renamed(code: str, **symbols: str) -> str:
    """Code with some symbols replaced, as whole words.

    Examples
    --------
    >>> renamed("w = clip(w + a_plus*x_pre, w_min, w_max)", a_plus="a_plus_class", w_max="w_max_class")
    'w = clip(w + a_plus_class*x_pre, w_min, w_max_class)'
    """
    return re.sub(r"\w+", lambda word: symbols.get(word[0], word[0]), code)
