"""Mean, standard error and confidence interval over trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over trials with its confidence interval.

    Attributes
    ----------
    mean : float
    error : float
        Standard error of the mean, s / sqrt(n) with n - 1 in s.
    low, high : float
        Ends of the interval from Student's distribution. With a single trial these and `error` are NaN.
    trials : int
    """

    mean: float
    error: float
    low: float
    high: float
    trials: int


def t_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Confidence interval of the mean of independent, roughly normal trials.

    Parameters
    ----------
    values
        One a trial.
    confidence
        Between 0 and 1.

    Raises
    ------
    ValueError
        Without values, with one that is not finite, or with a confidence outside (0, 1).

    Examples
    --------
    >>> interval = t_interval([86.0, 88.0, 87.0])
    >>> round(interval.mean, 2), round(interval.error, 3), round(interval.low, 2), round(interval.high, 2)
    (87.0, 0.577, 84.52, 89.48)
    """
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(f"trials {numbers.tolist()}: expected one finite number at least, one a trial.")
    mean = float(numbers.mean())
    if numbers.size == 1:
        half_width(math.nan, 1, confidence)
        return Interval(mean, math.nan, math.nan, math.nan, 1)
    error = float(numbers.std(ddof=1) / math.sqrt(numbers.size))
    half = half_width(error, numbers.size, confidence)
    return Interval(mean, error, mean - half, mean + half, int(numbers.size))


def half_width(error: float, trials: int, confidence: float = CONFIDENCE) -> float:
    """How far the interval reaches to each side of a mean with this standard error; NaN for one trial.

    >>> round(half_width(0.5, trials=5), 3)
    1.388
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence}: expected a number between 0 and 1, such as 0.95.")
    return math.nan if trials < 2 else t_quantile((1 + confidence) / 2, trials - 1) * error


def t_quantile(probability: float, degrees: int) -> float:
    """The value below which Student's t falls with this probability.

    The distribution for a whole number of degrees of freedom is a finite sum (Abramowitz & Stegun, 26.7.3 and
    26.7.4), which is inverted by bisection.

    Parameters
    ----------
    probability
        From 0.5 to below 1.
    degrees
        Degrees of freedom, 1 or more.

    Examples
    --------
    >>> round(t_quantile(0.975, 4), 3)
    2.776
    """
    if not 0.5 <= probability < 1 or degrees < 1:
        raise ValueError(
            f"t_quantile({probability}, {degrees}): expected a probability from 0.5 to below 1, and 1 or more degrees "
            "of freedom."
        )
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, degrees) < 2 * probability - 1 else (low, angle)
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def _within(angle: float, degrees: int) -> float:
    """Probability that |t| < sqrt(degrees) tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term, total = (cosine, cosine) if odd else (1.0, 1.0)
    if degrees == 1:
        total = 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
