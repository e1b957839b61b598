"""A neuron's spike train as the binary digits of one number, which is read back once the whole train is known.

The number, `train`, is doubled at every step and raised by one at a spike. Reading begins with the train as a fraction:
`span` is the number one beyond the largest train. Strings for every step of a sample are made from one for a step, in
which `s` is a spike, 0 or 1, and `r` a trace.
"""

from __future__ import annotations

from hebbarium.equations.strings import renamed, without_comments

TRAIN = """
    train : 1                                               # the spike train in binary digits
    n_spikes : 1                                            # of this sample
"""
STEP = "train += train"
SPIKE = """
    train += 1
    n_spikes += 1
"""
CLEAR = """
    train = 0
    n_spikes = 0
"""
_READ = "train = train/span\n"


def variables(letter: str, steps: int) -> str:
    """A variable for each step: ``s_0``, ``s_1``, ..."""
    return "".join(f"{letter}_{k} : 1\n" for k in range(steps))


def read(steps: int) -> str:
    """``s_k`` from the digits of the train, which is used up."""
    return _READ + "".join(f"train += train\ns_{k} = int(train >= 1)\ntrain -= s_{k}\n" for k in range(steps))


def traces(trace: str, steps: int) -> str:
    """``r_k`` from ``s_k``, by a string such as ``r = beta_r*r + s``."""
    return "".join(_trace(trace, k, f"s_{k}") for k in range(steps))


def read_traces(trace: str, steps: int) -> str:
    """``r_k`` from the digits of the train, which is used up."""
    digit = "int(train >= 1)"
    return _READ + "".join(f"train += train\n{_trace(trace, k, digit)}train -= {digit}\n" for k in range(steps))


def _trace(trace: str, k: int, spike: str) -> str:
    """The trace of one step; before the first it is zero, so that the spike is all that there is of it."""
    right = renamed(without_comments(trace).partition("=")[2].strip(), r=f"r_{k - 1}", s=spike)
    return f"r_{k} = {right if k else spike}\n"


def summed(product: str, steps: int, lag: int = 0) -> str:
    """A product such as ``s_post*r_pre``, summed over the steps of a sample.

    Parameters
    ----------
    product : str
    steps : int
        Of a sample.
    lag : int
        How many steps ago the trace is read.
    """
    term = without_comments(product).strip()
    return " + ".join(renamed(term, s_post=f"s_{k}_post", r_pre=f"r_{k - lag}_pre") for k in range(lag, steps))
