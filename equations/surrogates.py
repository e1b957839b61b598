"""Smooth functions that stand for the step by which a neuron fires, and their derivatives: surrogate gradients.

Each rises from 0 to 1 around zero. What a model asks for is the derivative with regard to a potential: `x` is how far
the potential is above the threshold, in widths of the function, and `slope` the derivative with regard to `x`.
"""

from __future__ import annotations

from typing import NamedTuple


class Surrogate(NamedTuple):
    """A function in place of the step.

    Parameters
    ----------
    function : str
        The function of ``x``.
    slope : str
        Statements that set ``slope`` to its derivative.
    """

    function: str
    slope: str


SURROGATES: dict[str, Surrogate] = {
    "sigmoid": Surrogate(
        "1/(1 + exp(-x))",
        """
        h = exp(-x)
        slope = h/((1 + h)*(1 + h))
        """,
    ),
    # Zenke & Ganguli 2018 (SuperSpike)
    "fast_sigmoid": Surrogate(
        "half*(1 + x/(1 + abs(x)))",
        """
        h = 1 + abs(x)
        slope = half/(h*h)
        """,
    ),
    "arctan": Surrogate("half + arctan(pi*x)/pi", "slope = 1/(1 + pi*pi*x*x)"),
    "piecewise_linear": Surrogate("clip(half + x, 0, 1)", "slope = int(abs(x) < half)"),
    # the integral of a triangle
    "triangle": Surrogate(
        "half*(1 + sign(x)*(1 - clip(1 - abs(x), 0, 1)*clip(1 - abs(x), 0, 1)))", "slope = clip(1 - abs(x), 0, 1)"
    ),
}
"""By the names that options have."""
