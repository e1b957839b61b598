"""TSSL-BP of Zhang & Li in PyTorch, in training: dense layers, convolutions and pools.

Runs under an interpreter that has PyTorch, hence imports nothing of ours but `benchmarks.worker`. It computes what the
authors' code does, as a careful user of PyTorch would write it for a processor:

- time is the first axis, so that what belongs to a step lies together;
- what drives the first layer is the same at each step but for a factor: it is multiplied by weights once a sample;
- the sums over all later steps, which that code makes anew for each step, are carried on from step to step;
- a step of AdamW is the fused one.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.worker import Measurement, measure, serve

WHITE = 255.0
MEAN, SD = 0.1307, 0.3081
STEPS, TAU_M, TAU_S, THETA = 5, 5.0, 3.0, 1.0
GAIN, P_MOST, WIDTH, REACH, TRACE_LEAST = 1.1, 8.0, 0.2, 8.0, 0.25
BATCH, ETA, NORM_MOST, W_MOST = 50, 5e-4, 1.0, 4.0


class Neurons(torch.autograd.Function):
    """Filtered spike trains ``(steps, ...)`` of a layer from its currents."""

    @staticmethod
    def forward(ctx: Any, currents: torch.Tensor) -> torch.Tensor:
        v, trace = torch.zeros_like(currents[0]), torch.zeros_like(currents[0])
        kept, traces = torch.empty_like(currents), torch.empty_like(currents)
        for t in range(STEPS):
            v = torch.add(currents[t], v, alpha=1 - 1 / TAU_M, out=kept[t])
            spikes = (v > THETA).to(v.dtype)
            v = v * (1 - spikes)
            trace = torch.lerp(trace, spikes, 1 / TAU_S, out=traces[t])
        ctx.save_for_backward(kept, traces)
        return traces

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        """In reversed time; what the loss changes with the potential is what it changes with the current."""
        u, traces = ctx.saved_tensors
        spikes = (u > THETA).to(u.dtype)
        before = torch.zeros_like(u)
        torch.mul(u[:-1], 1 - spikes[:-1], out=before[1:])
        p = (u - before).reciprocal_().clamp_(0, P_MOST).mul_(spikes)
        h = (u - THETA).div_(-WIDTH).clamp_(-REACH, REACH).exp_()
        slope = h / (h + 1).square_().mul_(WIDTH)
        through = (u * p).div_(TAU_M).add_(1 - spikes, alpha=1 - 1 / TAU_M)
        silent = traces * TAU_S < TRACE_LEAST
        result = torch.empty_like(u)
        e, carried = torch.zeros_like(u[0]), torch.zeros_like(u[0])
        for t in reversed(range(STEPS)):
            e = torch.lerp(e, gradient[t], 1 / TAU_S)
            carried = torch.addcmul(p[t] * e, carried, through[t])
            torch.where(silent[t], e * slope[t], carried, out=result[t])
        return result


class TSSLTraining:
    """A network in training. Batches come in their order, again and again.

    Parameters
    ----------
    layers : str
        As ``15C5-P2-300``.
    weights : list of Tensor
        From below: ``(inputs, neurons)`` or ``(side, side, maps below, maps)`` as one axis.
    images, labels : Tensor
        ``(samples, pixels)`` levels from 0 to 255 and ``(samples,)`` classes.
    """

    def __init__(self, layers: str, weights: list[torch.Tensor], images: torch.Tensor, labels: torch.Tensor) -> None:
        self.images, self.labels = images, labels.long()
        self.classes = int(labels.max()) + 1
        self.layers: list[tuple[str, int]] = []
        self.weights: list[torch.Tensor] = []
        maps, waiting = 1, iter(weights)
        for part in [*layers.split("-"), "output"]:
            kernel, pool = re.fullmatch(r"(\d+)C(\d+)", part), re.fullmatch(r"P(\d+)", part)
            if pool:
                self.layers.append(("pool", int(pool[1])))
                continue
            w = next(waiting)
            if kernel:
                side, above = int(kernel[2]), int(kernel[1])
                w = w.reshape(side, side, maps, above).permute(3, 2, 0, 1).contiguous()
                maps = above
            else:
                neurons = self.classes if part == "output" else int(part)
                w = w.reshape(-1, neurons).clone()
            self.layers.append(("maps" if kernel else "dense", len(self.weights)))
            self.weights.append(w.requires_grad_())
        self.optimizer = torch.optim.AdamW(self.weights, lr=ETA, weight_decay=0.01, fused=True)
        dtype = self.weights[0].dtype
        filtered = (1 - (1 - 1 / TAU_S) ** torch.arange(1, STEPS + 1, dtype=dtype)).to(dtype)
        self.drive = filtered  # of what is the same at each step
        once, twice, wanted = 0.0, 0.0, []
        for t in range(STEPS):  # to fire at each step but the first, filtered twice
            once += (float(t > 0) - once) / TAU_S
            twice += (once - twice) / TAU_S
            wanted.append(twice)
        self.wanted = torch.tensor(wanted, dtype=dtype)
        self.seen = 0

    def currents(self, kind: str, number: int, x: torch.Tensor) -> torch.Tensor:
        """What a layer with weights is sent by traces ``(rows, ...)``."""
        if kind == "maps":
            return functional.conv2d(x, self.weights[number])
        if x.dim() == 4:
            x = x.permute(0, 2, 3, 1).flatten(1)  # maps last, as weights have it
        return x @ self.weights[number]

    def traces(self, levels: torch.Tensor) -> torch.Tensor:
        """Filtered trains of the output ``(steps, samples, classes)``."""
        dtype = self.weights[0].dtype
        x = (levels.to(dtype) / WHITE - MEAN) / SD
        if self.layers[0][0] == "maps":
            side = round(levels.shape[1] ** 0.5)
            x = x.view(-1, 1, side, side)
        samples = len(x)
        for depth, (kind, number) in enumerate(self.layers):
            if kind == "pool":
                x = functional.avg_pool2d(x, number) * (GAIN * number**2)
                continue
            y = self.currents(kind, number, x)
            if depth == 0:
                y = self.drive.view(-1, *[1] * y.dim()) * y
            else:
                y = y.view(STEPS, samples, *y.shape[1:])
            x = Neurons.apply(y).flatten(0, 1)
        return x.view(STEPS, samples, -1)

    def learn(self, levels: torch.Tensor, labels: torch.Tensor) -> int:
        """One batch; returns how many of its samples were answered right."""
        self.optimizer.zero_grad()
        traces = self.traces(levels)
        right = functional.one_hot(labels, self.classes).to(traces.dtype)
        loss = (traces - self.wanted.view(-1, 1, 1) * right).square().sum() / 2
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, NORM_MOST)
        self.optimizer.step()
        with torch.no_grad():
            for w in self.weights:
                w.clamp_(-W_MOST, W_MOST)
        return int((traces.detach().sum(0).argmax(1) == labels).sum())

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
    parser.add_argument("--start", type=Path, required=True, help=".npz file of weights, in order")
    parser.add_argument("--layers", required=True, help="such as 400 or 15C5-P2-300")
    parser.add_argument("--precision", choices=("float32", "float64"), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True, help="samples before the first measurement")
    parser.add_argument("--save", type=Path, help="keep the gradients of the last batch of the warm-up, and the "
                        "weights after it, in this .npz file")  # fmt: skip
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = getattr(torch, options.precision)
    with np.load(options.start) as start:
        weights = [torch.from_numpy(start[name]).to(dtype) for name in start.files]
    images, labels = torch.from_numpy(np.load(options.images)), torch.from_numpy(np.load(options.labels))
    training = TSSLTraining(options.layers, weights, images, labels)
    training.train(options.warm_up)
    if options.save:
        kept = {}
        for k, w in enumerate(training.weights):
            assert w.grad is not None
            for name, x in (("w", w.detach()), ("gradient", w.grad)):
                kept[f"{name}_{k}"] = (x.permute(2, 3, 1, 0) if x.dim() == 4 else x).contiguous().numpy().ravel()
        np.savez(options.save, allow_pickle=False, **kept)
    serve({"torch": torch.__version__, "threads": str(torch.get_num_threads())}, training.train)


if __name__ == "__main__":
    main()
