"""Desire backpropagation in PyTorch with dense tensors, a sample at a time, in training.

Runs under an interpreter that has PyTorch, hence imports nothing of ours but `benchmarks.worker`. What is done with
which tensors is what the authors' published code does: every layer multiplies its whole weight matrix with a vector
of spikes at every step and keeps its traces of every step; after the last step desires go from the outputs down;
traces, and spikes with desires, are laid out for every synapse and step, multiplied and summed over steps
(``--update steps``). ``--update product`` has a matrix product in place of that: what PyTorch can do, though the
authors do not.

Inputs count in pixel levels, as ours do, so that both sides can be asked for the same spikes.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch

from benchmarks.worker import Measurement, measure, serve

STEPS = 20
FULL = STEPS - 4  # spikes that count as a full train
WHITE = 255.0
BETA = 0.75  # decay of potentials and of traces
THRESHOLD = 1.0
THETA_OUT, THETA_HIDDEN = 0.30, 0.05
ETA = 1e-5
CLASSES = 10
UPDATES = ("steps", "product")


class DesireTraining:
    """The network in training. Samples come in their order, again and again.

    Parameters
    ----------
    weights : list of Tensor
        ``(neurons, inputs)`` of every layer, from the input on.
    images, labels : Tensor
        ``(samples, pixels)`` levels from 0 to 255 and ``(samples,)`` classes.
    dropout : float
        Part of the hidden neurons that is left out of a sample.
    update : str
        One of `UPDATES`.
    """

    def __init__(
        self, weights: list[torch.Tensor], images: torch.Tensor, labels: torch.Tensor, dropout: float, update: str
    ) -> None:
        self.weights, self.images, self.labels = weights, images.to(weights[0].dtype), labels
        self.dropout, self.update = dropout, update
        self.sizes = [weights[0].shape[1], *(len(w) for w in weights)]
        self.seen = self.idle = 0
        self.counts: list[torch.Tensor] = []

    def forward(self, levels: torch.Tensor, masks: list[torch.Tensor]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Spikes ``(1 + steps, neurons)`` of every layer, the input first, and traces ``(1 + steps, inputs)``."""
        spikes = [levels.new_zeros(STEPS + 1, n) for n in self.sizes]
        traces = [levels.new_zeros(STEPS + 1, n) for n in self.sizes[:-1]]
        potentials = [levels.new_zeros(n) for n in self.sizes]
        for step in range(STEPS):
            now, before = step + 1, step
            potentials[0].add_(levels)
            spikes[0][now] = potentials[0] >= WHITE
            potentials[0].sub_(spikes[0][now], alpha=WHITE)
            for k, w in enumerate(self.weights):
                # the first layer is given the spikes of the same step, later ones those of the step before
                given = spikes[k][now] if k == 0 else spikes[k][before]
                scale = 1.0 if k == 0 else 1 / (1 - self.dropout)
                v = potentials[k + 1]
                v.sub_(spikes[k + 1][before], alpha=THRESHOLD).mul_(BETA).addmv_(w, given, alpha=scale)
                spikes[k + 1][now] = (v >= THRESHOLD) * masks[k]
                traces[k][now] = traces[k][before] * BETA + given
        return spikes, traces

    def desires(self, spikes: list[torch.Tensor], label: int, masks: list[torch.Tensor]) -> list[torch.Tensor]:
        """Desires of every layer but the input, from the outputs down."""
        counts = [s.sum(dim=0) for s in spikes]
        desires: list[torch.Tensor] = []
        error = torch.zeros(0)
        for k in range(len(self.weights), 0, -1):
            if k == len(self.weights):
                desire = -(counts[k] > THETA_OUT * FULL).to(counts[k].dtype)
                desire[label] = float(FULL - counts[k][label] > THETA_OUT * FULL)
            else:
                pull = self.weights[k].t() @ error
                desire = -pull.sign() * (pull.abs() >= THETA_HIDDEN) * masks[k - 1]
            error = -desire * ((desire + 1) / 2 - counts[k] / FULL).abs()
            desires.append(desire)
        return desires[::-1]

    def change(self, weights: torch.Tensor, gates: torch.Tensor, traces: torch.Tensor) -> None:
        """Change one layer's weights by what its neurons' spikes and desires make of its inputs' traces."""
        if self.update == "steps":
            neurons, inputs = weights.shape
            changes = traces.repeat(neurons, 1, 1)
            # copied for every input and read across, as there: most of the time goes into this line
            changes.mul_(gates.repeat(inputs, 1, 1).permute(2, 1, 0))
            weights.add_(changes.sum(dim=1), alpha=ETA)
        else:
            weights.addmm_(gates.t(), traces, alpha=ETA)

    def learn(self, levels: torch.Tensor, label: int) -> int:
        """One sample; returns the spikes of the output layer."""
        masks = [(torch.rand(n) >= self.dropout).to(levels.dtype) for n in self.sizes[1:-1]]
        masks.append(levels.new_ones(self.sizes[-1]))
        spikes, traces = self.forward(levels, masks)
        desires = self.desires(spikes, label, masks)
        for w, fired, desire, trace in zip(self.weights, spikes[1:], desires, traces, strict=True):
            self.change(w, fired * desire, trace)
        self.idle += int(not desires[-1].any())
        self.counts.append(spikes[-1].sum(dim=0))
        return int(self.counts[-1].sum())

    def train(self, count: int) -> Measurement:
        """``count`` samples."""
        chosen = [k % len(self.images) for k in range(self.seen, self.seen + count)]
        self.seen += count
        self.idle, self.counts = 0, []
        measured = measure(count, lambda: sum(self.learn(self.images[k], int(self.labels[k])) for k in chosen))
        return Measurement(count, measured.wall, measured.cpu, measured.spikes, idle=self.idle)


def main() -> None:
    """Worker: take the weights, train on some samples, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npy file, uint8 (images, pixels)")
    parser.add_argument("--labels", type=Path, required=True, help=".npy file (images,)")
    parser.add_argument("--start", type=Path, required=True, help=".npz file of weights (inputs, neurons), in order")
    parser.add_argument("--precision", choices=("float32", "float64"), required=True)
    parser.add_argument("--dropout", type=float, required=True)
    parser.add_argument("--update", choices=UPDATES, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True, help="samples before the first measurement")
    parser.add_argument("--save", type=Path, help="keep weights and spike counts after the warm-up in this .npz file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    dtype = getattr(torch, options.precision)
    with np.load(options.start) as start:
        weights = [torch.from_numpy(start[name].T.copy()).to(dtype) for name in start.files]
    if weights[-1].shape[0] != CLASSES or any(b.shape[1] != a.shape[0] for a, b in itertools.pairwise(weights)):
        raise ValueError(f"{options.start}: weights {[tuple(w.shape) for w in weights]} do not follow on each other")
    images, labels = torch.from_numpy(np.load(options.images)), torch.from_numpy(np.load(options.labels))
    training = DesireTraining(weights, images, labels, options.dropout, options.update)
    training.train(options.warm_up)
    if options.save:
        counts = torch.stack(training.counts).numpy()
        np.savez(options.save, counts=counts, **{f"w_{k}": w.numpy().T for k, w in enumerate(weights)})
    serve({"torch": torch.__version__, "threads": str(torch.get_num_threads())}, training.train)


if __name__ == "__main__":
    main()
