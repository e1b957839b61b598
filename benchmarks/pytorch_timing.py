"""Timing-based backpropagation of Yamamoto, Sakemi & Aihara in PyTorch: Algorithm 1 with one hidden layer, in training.

Runs under an interpreter that has PyTorch, hence imports nothing of ours but `benchmarks.worker`. The authors' code is
not public; this is Algorithm 1 as a careful user of PyTorch would write it for a processor:

- inputs are sorted by their times, and those at the end of the trial, which do nothing, are left out;
- the running sums of lines 7 and 8 are shared by all spikes: a reset takes off V_th, and what is taken off decays as
  potentials do, so that B is the sum of w z^2 and of V_th z^2 of the neuron's own spikes. This is the same number as
  that of line 8, and has the same derivatives;
- the intervals in which neurons fire are looked for without a graph, first for all neurons, then for those that still
  fire (the two loops). Spike times are calculated again from the sums at these intervals alone, and autograd goes
  through these times, the reset path included;
- a batch is worked off in parts that fit into the processor's cache; the graph, the loss and the step of Adam are
  those of the whole batch.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.worker import Measurement, measure, serve

WHITE = 255.0
TAU_I = 0.8
V_THRESH = 1.0
T_OUT = 1.0
BATCH = 100
ETA = 1e-3
PENALTY, SIGMA = 0.01, 1e-4  # lambda and sigma of Eq. 24
LEAST_SHARE = 0.1  # of a batch: neurons that fire in less have a flag
N_1, N_2 = 3, 256  # spikes of all neurons that the first loop looks for, and of the others in both loops
PART = 5  # samples that are worked off at once


def intervals(z_in: torch.Tensor, following: torch.Tensor, a: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """In which intervals neurons fire: indices ``(samples, spikes, neurons)``, -1 where there is no spike.

    Parameters
    ----------
    z_in, following : Tensor
        ``(samples, inputs)`` start and end of the interval after each input.
    a, c : Tensor
        ``(samples, inputs, neurons)`` running sums of ``tau_I w z`` and ``tau_I w z^2``.
    """
    samples, _, neurons = a.shape
    low, high = 2 * V_THRESH * z_in, 2 * V_THRESH * following
    search = Search(a, torch.addcmul(c * (-4 * V_THRESH), a, a), low.unsqueeze(2), high.unsqueeze(2))
    result: list[torch.Tensor] = []
    for _ in range(N_1):
        result.append(search.next())
    sample, neuron = (result[-1] >= 0).nonzero(as_tuple=True)
    search = Search(search.a[sample, :, neuron], search.root[sample, :, neuron], low[sample], high[sample])
    for _ in range(N_1, N_2):
        if not len(sample):
            break
        where = search.next()
        row = where.new_full((samples, neurons), -1)
        row[sample, neuron] = where
        result.append(row)
        still = (where >= 0).nonzero().squeeze(1)
        sample, neuron = sample[still], neuron[still]
        search = Search(*(x[still] for x in (search.a, search.root, search.low, search.high)))
    return torch.stack(result, 1)


class Search:
    """Where the next spikes are: lines 9 to 18, multiplied by 2 V_th. Inputs are the second axis of all tensors.

    Comparisons are kept as numbers and a root is taken as its product with its reciprocal: on a processor both are
    several times as fast as truth values and roots of what may be negative. Numbers that have no root are nan, which
    is equal to nothing.

    Parameters
    ----------
    a : Tensor
        Running sums A.
    root : Tensor
        What stands under the root of Eq. 19; changed by each spike.
    low, high : Tensor
        The intervals.
    """

    def __init__(self, a: torch.Tensor, root: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> None:
        self.a, self.root, self.low, self.high = a, root, low, high
        inputs = a.shape[1]
        self.backwards = torch.arange(inputs, 0, -1, dtype=a.dtype).view(-1, *[1] * (a.dim() - 2))

    def next(self) -> torch.Tensor:
        """The intervals of the next spikes, -1 where there is none; those of earlier spikes are ruled out by them."""
        inputs = self.a.shape[1]
        z = torch.addcmul(self.a, self.root, self.root.rsqrt(), value=-1)
        within = torch.eq(z, torch.clamp(z, self.low, self.high), out=torch.empty_like(z))
        first = within.mul_(self.backwards).amax(dim=1, keepdim=True)  # intervals are in order
        where = inputs - first.long()
        self.root -= z.gather(1, where.clamp_max(inputs - 1)).square_()
        return where.masked_fill_(first == 0, -1).squeeze(1)


class RunningSums(torch.autograd.Function):
    """The running sums at certain inputs, with their derivative by the weights.

    What autograd makes of `cumsum` and `gather` copies everything four times more, to turn it round and back.
    """

    @staticmethod
    def forward(
        ctx: Any,
        w: torch.Tensor,
        order: torch.Tensor,
        z_in: torch.Tensor,
        a: torch.Tensor,
        c: torch.Tensor,
        at: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``(samples, ..., neurons)`` of ``a`` and ``c`` at the inputs ``at`` of that shape."""
        ctx.save_for_backward(order, z_in, at)
        ctx.shape = w.shape
        return a.gather(1, at), c.gather(1, at)

    @staticmethod
    def backward(ctx: Any, *by_sums: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """A weight is in all sums from its input on."""
        order, z_in, at = ctx.saved_tensors
        last = order.shape[1] - 1
        from_the_end, z, order = last - at, z_in.flip(1).unsqueeze(2), order.flip(1)
        by_a, by_c = (
            x.new_zeros(len(x), last + 1, x.shape[2]).scatter_add_(1, from_the_end, x).cumsum_(1) for x in by_sums
        )
        by_w = by_a.addcmul_(by_c, z).mul_(TAU_I * z)
        by_w = by_w.new_zeros(ctx.shape).index_add_(0, order.flatten(), by_w.flatten(0, 1))
        return by_w, None, None, None, None, None


def hidden_layer(latencies: torch.Tensor, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Algorithm 1 of some samples.

    Parameters
    ----------
    latencies : Tensor
        ``(samples, inputs)`` in order; `T_OUT` where nothing comes any more.

    Returns
    -------
    tuple of Tensor
        ``(samples, neurons)``: what a unit weight makes of a neuron's spikes at the end (Eq. 20), potentials at the
        end (Eq. 14), numbers of spikes.
    """
    times, order = latencies.sort(dim=1)
    most = max(int((times < T_OUT).sum(dim=1).max()), 1)
    times, order = times[:, :most], order[:, :most]
    z_out = math.exp(T_OUT / TAU_I)
    z_in = times.div(TAU_I).exp_()
    following = torch.cat([z_in[:, 1:], z_in.new_full((len(z_in), 1), z_out)], 1)
    with torch.no_grad():
        weighted = functional.embedding(order, w).mul_((TAU_I * z_in).unsqueeze(2))
        a, c = weighted.cumsum(1), weighted.mul_(z_in.unsqueeze(2)).cumsum(1)
        where = intervals(z_in, following, a, c)
        fires = where >= 0
        # the sums at the end come last
        at = torch.cat([where.clamp_min(0), where.new_full((len(where), 1, w.shape[1]), most - 1)], 1)
    sums = RunningSums.apply(w, order, z_in, a, c, at)
    of_a, of_c = (x.unbind(1) for x in sums)
    resets = response = torch.zeros_like(of_a[0])
    for a_here, c_here, here in zip(of_a[:-1], of_c[:-1], fires.unbind(1), strict=True):
        # any number will do where there is no spike, but no other has a derivative
        root = torch.where(here, a_here.square() - 4 * V_THRESH * (c_here + resets), 1.0).clamp_min(1e-12)
        z = torch.where(here, (a_here - root.sqrt()) / (2 * V_THRESH), 0.0)
        squared = z.square()
        response = response + z / z_out - squared / z_out**2
        resets = resets + V_THRESH * squared
    potentials = of_a[-1] / z_out - (of_c[-1] + resets) / z_out**2
    return TAU_I * response, potentials, fires.sum(1)


class TimingTraining:
    """The network in training. Batches come in their order, again and again.

    Parameters
    ----------
    weights : list of Tensor
        ``(inputs, neurons)`` of the hidden layer and of the output.
    images, labels : Tensor
        ``(samples, pixels)`` levels from 0 to 255 and ``(samples,)`` classes.
    part : int
        Samples that are worked off at once.
    """

    def __init__(
        self, weights: list[torch.Tensor], images: torch.Tensor, labels: torch.Tensor, part: int = PART
    ) -> None:
        self.hidden, self.output = (w.clone().requires_grad_() for w in weights)
        self.images, self.labels, self.part = images, labels.long(), part
        self.optimizer = torch.optim.Adam([self.hidden, self.output], lr=ETA, fused=True)
        self.seen = 0

    def loss(self, levels: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, int]:
        """Eq. 24 of a batch, and the spikes of the hidden layer."""
        latencies = (WHITE - levels.to(self.hidden.dtype)) / WHITE
        parts = [hidden_layer(some, self.hidden) for some in latencies.split(self.part)]
        response, potentials, counts = (torch.cat(x) for x in zip(*parts, strict=True))
        v = response @ self.output
        flags = (counts > 0).sum(0) < LEAST_SHARE * len(levels)
        penalty = ((V_THRESH - potentials) * flags).mean()
        return functional.cross_entropy(v, labels) + PENALTY * penalty + SIGMA * v.square().mean(), int(counts.sum())

    def learn(self, levels: torch.Tensor, labels: torch.Tensor) -> int:
        """One batch; returns the spikes of the hidden layer."""
        self.optimizer.zero_grad()
        loss, spikes = self.loss(levels, labels)
        loss.backward()
        self.optimizer.step()
        return spikes

    def train(self, count: int) -> Measurement:
        """``count`` samples, in batches of `BATCH`."""
        chosen = torch.arange(self.seen, self.seen + count) % len(self.images)
        self.seen += count
        return measure(count, lambda: sum(self.learn(self.images[k], self.labels[k]) for k in chosen.split(BATCH)))


def main() -> None:
    """Worker: take the weights, train on some samples, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npy file, uint8 (images, pixels)")
    parser.add_argument("--labels", type=Path, required=True, help=".npy file (images,)")
    parser.add_argument("--start", type=Path, required=True, help=".npz file of weights (inputs, neurons), in order")
    parser.add_argument("--precision", choices=("float32", "float64"), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True, help="samples before the first measurement")
    parser.add_argument("--part", type=int, default=PART, help="samples that are worked off at once")
    parser.add_argument("--save", type=Path, help="keep weights after the warm-up, and the gradients of its last "
                        "batch, in this .npz file")  # fmt: skip
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = getattr(torch, options.precision)
    with np.load(options.start) as start:
        weights = [torch.from_numpy(start[name]).to(dtype) for name in start.files]
    if len(weights) != 2 or weights[0].shape[1] != weights[1].shape[0]:
        shapes = [tuple(w.shape) for w in weights]
        raise ValueError(f"{options.start}: weights {shapes}; expected those of one hidden layer and of the output")
    images, labels = torch.from_numpy(np.load(options.images)), torch.from_numpy(np.load(options.labels))
    training = TimingTraining(weights, images, labels, options.part)
    training.train(options.warm_up)
    if options.save:
        layers = enumerate((training.hidden, training.output))
        kept = {f"{name}_{k}": x.numpy() for k, w in layers for name, x in (("w", w.detach()), ("gradient", w.grad))}
        np.savez(options.save, allow_pickle=False, **kept)
    serve({"torch": torch.__version__, "threads": str(torch.get_num_threads())}, training.train)


if __name__ == "__main__":
    main()
