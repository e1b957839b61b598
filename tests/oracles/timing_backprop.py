"""Timing-based backpropagation of Yamamoto, Sakemi & Aihara in plain NumPy, written from the paper alone.

It knows nothing of the models, of Brian2 or of compiled programs, and has no time step: neurons go from event to event
(`forward`), and spike times are the roots of Eq. 19. The gradient is reverse mode by hand through Eqs. 12, 18 and 20:
each spike time is an implicit function of the weights, of the times of the inputs before it and of the neuron's own
last spike, through which the reset path goes. `algorithm_1` is a transcription of the printed loops.

Times are in units of the time the network has, `t_out`. Weights are ``(inputs, neurons)`` a layer. p = 2: tau_V is
half of tau_I, hence the factor of Eqs. 6 and 12, tau_I tau_V / (tau_I - tau_V), is tau_I.

Readings of what the paper leaves open:

1. A neuron fires in the interval between two inputs that is closed (Algorithm 1, line 11); a spike and an input at the
   same time come in this order. The last interval ends before `t_out`: a spike at `t_out` is none, and inputs from
   `t_out` on do nothing.
2. The potential of a hidden neuron in Eq. 22 is that at `t_out` with all resets (Eq. 12); a neuron that has had its
   `most` spikes goes on from its reset without firing.
3. Spike counts of Eq. 21 are those of the batch: a neuron has a flag if it fires in less than `least_share` of the
   samples. The penalty is the mean over all samples, also over those in which the neuron fires.
4. With several hidden layers each has its own Eq. 22; they add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """Section III, and the variants that Section IV speaks of.

    Parameters
    ----------
    tau_i : float
        Time constant of the current; that of the potential is half of it.
    v_thresh : float
        Threshold of hidden neurons.
    t_out : float
        When potentials are read.
    most : int
        Largest number of spikes of a neuron in a sample, N2 of Algorithm 1; 1 is the single-spike restriction.
    leak : {'leaky', 'none'}
        ``'none'`` is the limit of both time constants to infinity: dV/dt = I, dI/dt = sum of w delta.
    double_reset : bool
        A spike sets the current to zero as well.
    reset_path : bool
        If False, a neuron's last spike time is a constant to all that comes after it.
    floor : float
        dV/dt at a spike is at least this in the gradient.
    penalty, sigma : float
        lambda and sigma of Eq. 24.
    least_share : float
        A neuron that fires in less than this part of a batch has a flag (Eq. 21).
    """

    tau_i: float = 0.8
    v_thresh: float = 1.0
    t_out: float = 1.0
    most: int = 10**9
    leak: Literal["leaky", "none"] = "leaky"
    double_reset: bool = False
    reset_path: bool = True
    floor: float = 0.0
    penalty: float = 0.01
    sigma: float = 1e-4
    least_share: float = 0.1

    @property
    def tau_v(self) -> float:
        """Time constant of the potential."""
        return self.tau_i / 2


DEFAULT = Options()


@dataclass
class Layer:
    """What a layer was given and what it did in one sample.

    Inputs ``m`` stand in the order of their times; simultaneous ones in the order of their neurons.

    Parameters
    ----------
    times, sources, orders : array
        ``(M,)`` of each input spike: when, of which neuron, and which of that neuron's spikes (from 0).
    spikes : list of array
        Times of each neuron's spikes.
    currents, slopes : list of array
        Current I and dV/dt just before each of them.
    arrivals : list of array
        Number of inputs that came before each of them, m' of Eq. 12.
    v : array
        ``(neurons,)`` potentials at `t_out`.
    """

    times: Floats
    sources: Counts
    orders: Counts
    spikes: list[Floats] = field(default_factory=list)
    currents: list[Floats] = field(default_factory=list)
    slopes: list[Floats] = field(default_factory=list)
    arrivals: list[Counts] = field(default_factory=list)
    v: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def counts(self) -> Counts:
        """Number of spikes of each neuron."""
        return np.array([len(times) for times in self.spikes], np.int64)

    def padded(self, values: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
        """``(most spikes of a neuron, neurons)`` of a value of spikes, with zeros where a neuron has no such spike."""
        counts = self.counts
        rows = np.zeros((counts.max(initial=0), len(counts)), values[0].dtype if values else float)
        for j, of_neuron in enumerate(values):
            rows[: len(of_neuron), j] = of_neuron
        return rows


@dataclass(frozen=True)
class Trace:
    """One sample: all layers but the input, the output last."""

    layers: list[Layer]

    @property
    def v_out(self) -> Floats:
        """Potentials of the output neurons at `t_out` (Eq. 20)."""
        return self.layers[-1].v

    @property
    def v_hidden(self) -> list[Floats]:
        """Potentials of each hidden layer at `t_out`."""
        return [layer.v for layer in self.layers[:-1]]

    @property
    def counts(self) -> list[Counts]:
        """Spikes of the neurons of each hidden layer."""
        return [layer.counts for layer in self.layers[:-1]]


def forward(latencies: Floats, weights: Sequence[Floats], options: Options = DEFAULT) -> Trace:
    """One sample, exactly.

    Parameters
    ----------
    latencies : array
        ``(inputs,)`` spike times; nan or inf if there is none.
    weights : list of array
        ``(inputs, neurons)`` of each layer; the last is the output, which never fires.

    Raises
    ------
    ValueError
        A latency is negative, or sizes do not follow on each other.
    """
    latencies = np.asarray(latencies, float)
    if (latencies < 0).any():
        raise ValueError(f"latencies: expected none below 0, and the least is {np.nanmin(latencies):g}")
    sizes = [len(latencies), *(w.shape[1] for w in weights)]
    if any(w.shape[0] != n for w, n in zip(weights, sizes, strict=False)):
        raise ValueError(f"weights: shapes {[w.shape for w in weights]} do not follow on {sizes[0]} inputs")
    spikes = [np.array([t]) if np.isfinite(t) else np.zeros(0) for t in latencies]
    layers: list[Layer] = []
    for k, w in enumerate(weights):
        most = options.most if k < len(weights) - 1 else 0
        layers.append(_respond(_inputs(spikes, options), np.asarray(w, float), most, options))
        spikes = layers[-1].spikes
    return Trace(layers)


def _inputs(spikes: Sequence[Floats], options: Options) -> Layer:
    """The spikes of all neurons of a layer in their global order (Section II)."""
    sources = np.repeat(np.arange(len(spikes)), [len(times) for times in spikes])
    orders = np.concatenate([np.arange(len(times)) for times in spikes]).astype(np.int64)
    times = np.concatenate(spikes)
    order = np.argsort(times, kind="stable")
    order = order[times[order] < options.t_out]
    return Layer(times[order], sources[order], orders[order])


def _respond(layer: Layer, w: Floats, most: int, options: Options) -> Layer:
    """Let neurons respond to the inputs of ``layer``, which is filled in."""
    neurons = w.shape[1]
    v, i, t = np.zeros(neurons), np.zeros(neurons), np.zeros(neurons)
    counts = np.zeros(neurons, np.int64)
    record: list[list[tuple[float, float, float, int]]] = [[] for _ in range(neurons)]

    def advance(until: float, arrived: int) -> None:
        """To a time, spikes on the way and at it included."""
        while True:
            at = t + np.where(counts < most, _wait(v, i, options), np.inf)
            fires = (at <= until) & (at < options.t_out)
            if not fires.any():
                break
            _elapse(v, i, at - t, fires, options)
            t[fires] = at[fires]
            for j in np.flatnonzero(fires):
                # at the threshold by the meaning of a spike: Eq. 3 with V = V_th
                slope = i[j] - (options.v_thresh / options.tau_v if options.leak == "leaky" else 0)
                record[j].append((t[j], i[j], slope, arrived))
            v[fires] = 0  # Eq. 4
            if options.double_reset:
                i[fires] = 0
            counts[fires] += 1
        _elapse(v, i, until - t, np.ones(neurons, bool), options)
        t[:] = until

    for time in np.unique(layer.times):
        together = layer.times == time  # one event
        advance(time, int(together.argmax()))
        i += w[layer.sources[together]].sum(axis=0)
    advance(options.t_out, len(layer.times))

    for events in record:
        times, currents, slopes, arrivals = np.array(events, float).reshape(-1, 4).T
        layer.spikes.append(times)
        layer.currents.append(currents)
        layer.slopes.append(slopes)
        layer.arrivals.append(arrivals.astype(np.int64))
    layer.v = v
    return layer


def _wait(v: Floats, i: Floats, options: Options) -> Floats:
    """Time until the threshold is reached from below if no input comes; inf if it is not.

    Eq. 18 without inputs is V_th z^2 - A z + A - V(0) = 0 with z = exp(t / tau_I), A = tau_I I(0); written for z - 1,
    which may be small, and with the smaller root of Eq. 19 as a quotient, which loses no digits.
    """
    lacks = options.v_thresh - v
    with np.errstate(divide="ignore", invalid="ignore"):
        if options.leak == "none":
            return np.where(i > 0, np.maximum(lacks, 0) / i, np.inf)
        b = options.tau_i * i - 2 * options.v_thresh
        root = b**2 - 4 * options.v_thresh * lacks
        wait = options.tau_i * np.log1p(np.maximum(2 * lacks / (b + np.sqrt(root)), 0))
    return np.where((b > 0) & (root >= 0), wait, np.inf)


def _elapse(v: Floats, i: Floats, duration: Floats, who: NDArray[np.bool_], options: Options) -> None:
    """Eqs. 2 and 3 without inputs, in place, for those neurons."""
    if options.leak == "none":
        v[who] += i[who] * duration[who]
        return
    a = np.exp(-duration[who] / options.tau_i)
    v[who] = v[who] * a**2 + options.tau_i * i[who] * (a - a**2)
    i[who] *= a


def flags(traces: Sequence[Trace], options: Options = DEFAULT) -> list[Floats]:
    """Eq. 21: 1 for each hidden neuron that fires in fewer samples of the batch than it should; a row a layer."""
    needed = round(options.least_share * len(traces), 9)
    samples = [sum((c > 0).astype(int) for c in layer) for layer in zip(*(t.counts for t in traces), strict=True)]
    return [np.asarray(n < needed, float) for n in samples]


def loss(latencies: Floats, labels: Counts, weights: Sequence[Floats], options: Options = DEFAULT) -> float:
    """Eq. 24 of a batch, ``latencies`` ``(batch, inputs)``: means over its samples."""
    return loss_of([forward(sample, weights, options) for sample in latencies], labels, options)


def loss_of(traces: Sequence[Trace], labels: Counts, options: Options = DEFAULT) -> float:
    """The same of a batch that ran already."""
    marks = flags(traces, options)
    total = 0.0
    for trace, label in zip(traces, labels, strict=True):
        v = trace.v_out
        total += v.max() + np.log(np.exp(v - v.max()).sum()) - v[label]  # Eq. 23
        total += options.sigma * (v**2).sum() / len(v)
        for mark, v_hidden in zip(marks, trace.v_hidden, strict=True):
            total += options.penalty * (mark @ (options.v_thresh - v_hidden)) / len(mark)  # Eq. 22
    return float(total / len(labels))


def gradients(
    latencies: Floats, labels: Counts, weights: Sequence[Floats], options: Options = DEFAULT
) -> list[Floats]:
    """Gradient of `loss`, ``(inputs, neurons)`` a layer; flags are constants.

    Raises
    ------
    FloatingPointError
        A potential touches its threshold without a slope, and there is no floor.
    """
    weights = [np.asarray(w, float) for w in weights]
    traces = [forward(sample, weights, options) for sample in latencies]
    to_hidden = [-options.penalty * mark / len(mark) for mark in flags(traces, options)]
    total = [np.zeros(w.shape) for w in weights]
    for trace, label in zip(traces, labels, strict=True):
        v = trace.v_out
        softmax = np.exp(v - v.max()) / np.exp(v - v.max()).sum()
        to_output = softmax - (np.arange(len(v)) == label) + 2 * options.sigma * v / len(v)
        for sum_, of_sample in zip(total, backward(trace, weights, [*to_hidden, to_output], options), strict=True):
            sum_ += of_sample / len(labels)
    return total


def backward(
    trace: Trace, weights: Sequence[Floats], to_potentials: Sequence[Floats], options: Options = DEFAULT
) -> list[Floats]:
    """Gradient of one sample.

    Parameters
    ----------
    to_potentials : list of array
        ``(neurons,)`` a layer, the output last: derivative of what is wanted by the potentials at `t_out`.
    """
    result: list[Floats] = []
    to_spikes = np.zeros((0, weights[-1].shape[1]))  # (spike, neuron): derivative by spike times of the layer at hand
    for layer, w, to_v in zip(trace.layers[::-1], weights[::-1], to_potentials[::-1], strict=True):
        of_weights, to_inputs = _through(layer, w, to_v, to_spikes, options)
        result.append(of_weights)
        to_spikes = np.zeros((layer.orders.max(initial=-1) + 1, len(w)))
        to_spikes[layer.orders, layer.sources] = to_inputs
    return result[::-1]


def _through(
    layer: Layer, w: Floats, to_v: Floats, to_spikes: Floats, options: Options
) -> tuple[Floats, Floats]:
    """Through one layer: derivatives by its weights and by the times of its inputs."""
    counts, neurons = layer.counts, np.arange(w.shape[1])
    times, slopes, arrivals = (layer.padded(x) for x in (layer.spikes, layer.slopes, layer.arrivals))
    # later layers may not have heard of spikes at the very end; rows that they do not know are zero
    to_times = np.zeros(times.shape)
    to_times[: len(to_spikes)] += to_spikes
    of_weights, to_inputs = np.zeros(w.shape), np.zeros(len(layer.times))

    def pull(at: Floats, arrived: NDArray[np.int64], last: NDArray[np.int64], strength: Floats) -> None:
        """Take ``strength`` of the derivatives of each neuron's potential at a time after ``last`` spikes."""
        since = np.zeros(len(neurons))
        before = np.zeros(len(neurons), np.int64)
        after_spike = last > 0
        since[after_spike] = times[last[after_spike] - 1, neurons[after_spike]]
        before[after_spike] = arrivals[last[after_spike] - 1, neurons[after_spike]]
        by_weight, by_input, by_reset = _kernel(layer.times, at, arrived, since, before, options)
        np.add.at(of_weights, layer.sources, by_weight * strength)
        reached = w[layer.sources]
        to_inputs[:] += (reached * by_input) @ strength
        if options.reset_path:
            reset = (reached * by_reset).sum(axis=0) * strength
            to_times[last[after_spike] - 1, neurons[after_spike]] += reset[after_spike]

    everything = np.full(len(neurons), len(layer.times))
    pull(np.full(len(neurons), options.t_out), everything, counts, to_v)
    for n in reversed(range(len(times))):
        who = counts > n
        strength = np.zeros(len(neurons))
        with np.errstate(divide="raise", invalid="raise"):
            # V(t, ...) = V_th stays true: dt = -dV / (dV/dt)
            strength[who] = -to_times[n, who] / np.maximum(slopes[n, who], options.floor)
        pull(times[n], np.where(who, arrivals[n], 0), np.where(who, n, 0), strength)
    return of_weights, to_inputs


def _kernel(
    inputs: Floats, at: Floats, arrived: Counts, since: Floats, before: Counts, options: Options
) -> tuple[Floats, Floats, Floats]:
    """Potential that a unit input at each time makes, ``(inputs, neurons)`` (the bracket of Eq. 12).

    Parameters
    ----------
    at, since : array
        ``(neurons,)`` time of interest and time of the neuron's last spike.
    arrived, before : array
        ``(neurons,)`` number of inputs before these.

    Returns
    -------
    tuple of array
        The potential and its derivatives by the input's time and by that of the last spike.
    """
    m = np.arange(len(inputs))[:, None]
    exists, old = m < arrived, m < before
    if options.leak == "none":
        value = np.where(old, at - since, at - inputs[:, None])
        by_input, by_reset = np.where(old, 0.0, -1.0), np.where(old, -1.0, 0.0)
    else:
        tau = options.tau_i
        a = np.exp((inputs[:, None] - at) / tau)
        left = np.exp((inputs[:, None] + since - 2 * at) / tau)  # A(t' - t_m) B(t - t'), t' the last spike
        value = tau * np.where(old, a - left, a - a**2)
        by_input = np.where(old, a - left, a - 2 * a**2)
        by_reset = np.where(old, -left, 0.0)
    if options.double_reset:
        exists = exists & ~old
    return value * exists, by_input * exists, by_reset * exists


def adam(
    weights: Floats,
    gradient: Floats,
    first: Floats,
    second: Floats,
    step: int,
    rate: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> tuple[Floats, Floats, Floats]:
    """One step of Adam as PyTorch has it: ``epsilon`` is added after the second moment is corrected for its start.

    Parameters
    ----------
    first, second : array
        Moments so far, zero at the start.
    step : int
        Number of this step, from 1.

    Returns
    -------
    tuple of array
        New weights and moments.
    """
    first = betas[0] * first + (1 - betas[0]) * gradient
    second = betas[1] * second + (1 - betas[1]) * gradient**2
    size = np.sqrt(second) / np.sqrt(1 - betas[1] ** step) + epsilon
    return weights - rate / (1 - betas[0] ** step) * first / size, first, second


def algorithm_1(
    latencies: Floats,
    hidden: Floats,
    output: Floats,
    options: Options = DEFAULT,
    *,
    as_printed: bool,
    n_1: int = 4,
    n_2: int = 64,
) -> Floats:
    """Output potentials ``(classes,)`` by the loops of Algorithm 1, for one hidden layer and one sample.

    Only `tau_i`, `v_thresh` and `t_out` of the options have a meaning here.

    Parameters
    ----------
    as_printed : bool
        Lines 19 and 20 as they stand; else z and z^2 change places, as Eqs. 16, 17 and 20 have it.
    n_1, n_2 : int
        Spikes that all neurons may have in the first loop, and those that still fire in both.
    """
    order = np.argsort(latencies, kind="stable")
    order = order[latencies[order] < options.t_out]
    z_in, w = np.exp(latencies[order] / options.tau_i)[:, None], hidden[order]  # line 1
    z_out = np.exp(options.t_out / options.tau_i)  # line 3
    following = np.append(z_in[1:], z_out)[:, None]  # line 11 needs an end of the last interval
    z_last = np.zeros(hidden.shape[1])  # line 2
    of_output = {"A": np.zeros(output.shape[1]), "B": np.zeros(output.shape[1])}
    for n in range(n_2):
        who = np.flatnonzero(np.isfinite(z_last)) if n >= n_1 else np.arange(len(z_last))  # lines 4, 5; 23, 24
        if not len(who) or not len(z_in):
            break
        a = options.tau_i * np.cumsum(w[:, who] * z_in, axis=0)  # line 7
        with np.errstate(invalid="ignore"):
            b = options.tau_i * np.cumsum(w[:, who] * z_in * np.maximum(z_last[who], z_in), axis=0)  # line 8
            root = a**2 - 4 * b * options.v_thresh
            z = (a - np.sqrt(root)) / (2 * options.v_thresh)  # line 10
            exists = (b >= 0) & (a >= 0) & (root >= 0) & (z >= z_in) & (z <= following)  # lines 9, 11
        z_next = np.where(exists, z, np.inf).min(axis=0)  # lines 12, 15, 18
        fires = np.isfinite(z_next)
        once, squared = ("B", "A") if as_printed else ("A", "B")
        weights = output[who][fires]
        of_output[squared] += options.tau_i * z_next[fires] ** 2 @ weights  # line 19
        of_output[once] += options.tau_i * z_next[fires] @ weights  # line 20
        z_last = np.full(len(z_last), np.inf)
        z_last[who] = z_next
    return of_output["A"] / z_out - of_output["B"] / z_out**2  # line 28
