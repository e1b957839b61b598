"""What an answer that knows nothing of the images is worth, in per cent."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def share_of_most_common(label: ArrayLike) -> float:
    """Per cent of samples of the most common class: who always names it is right as often. NaN without samples.

    Examples
    --------
    >>> share_of_most_common([0, 1, 1, 2])
    50.0
    """
    counts = np.unique(np.asarray(label), return_counts=True)[1]
    return float(100 * counts.max() / counts.sum()) if len(counts) else float("nan")


def in_words(label: ArrayLike) -> str:
    """Chance in a sentence: that of a guess among the classes that occur, and of always naming the most common.

    Examples
    --------
    >>> in_words([0, 1, 2, 0, 1, 2]), in_words([0, 1, 1, 2])
    ('33.3 % (3 classes)', '33.3 % (3 classes; always the most common one: 50.0 %)')
    """
    classes = len(np.unique(np.asarray(label)))
    if not classes:
        return "not known (no labels)"
    guess, common = f"{100 / classes:.1f} %", f"{share_of_most_common(label):.1f} %"
    counted = f"{classes} class" + "es" * (classes > 1)
    return f"{guess} ({counted})" if common == guess else f"{guess} ({counted}; always the most common one: {common})"


def of_at_least(hits: int, trials: int, rate: float) -> float:
    """Probability of so many hits or more in so many trials, each a hit with a probability of ``rate``.

    Examples
    --------
    >>> of_at_least(2, 2, 0.5), of_at_least(0, 10, 0.1), of_at_least(3, 10, 0.0)
    (0.25, 1.0, 0.0)
    """
    if hits <= 0:
        return 1.0
    if rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    log = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        + k * math.log(rate) + (trials - k) * math.log1p(-rate)
        for k in range(hits, trials + 1)
    ]  # fmt: skip
    return min(1.0, math.fsum(map(math.exp, log)))
