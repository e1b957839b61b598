"""BindsNET's DiehlAndCook2015 in training, with the settings of its own MNIST examples.

Runs under an interpreter that has BindsNET, hence imports nothing of ours but `benchmarks.worker`. From the
examples are the strengths, the norm, the threshold's rise, the intensity of the images and the encoder; as
there, images are encoded when it is their turn and the state is reset after each. The spikes of the
excitatory layer are the one thing recorded, where the examples also record what they plot. Time step and
presentation time are ours.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from bindsnet.encoding import poisson
from bindsnet.models import DiehlAndCook2015
from bindsnet.network.monitors import Monitor

from benchmarks.worker import Measurement, measure, serve

PRESENTATION = 150  # ms
TIME_STEP = 1.0  # ms
INTENSITY = 128.0  # Hz of a white pixel
SIDE = 28


class BindsnetTraining:
    """The network in training. ``images`` come in their order, again and again, ``batch`` at a time."""

    def __init__(self, neurons: int, batch: int, images: torch.Tensor) -> None:
        torch.manual_seed(0)
        self.images, self.batch, self.seen = images, batch, 0
        self.network = DiehlAndCook2015(
            n_inpt=SIDE * SIDE,
            n_neurons=neurons,
            batch_size=batch,
            exc=22.5,
            inh=120,
            dt=TIME_STEP,
            norm=78.4,
            nu=(1e-4, 1e-2),
            theta_plus=0.05,
            inpt_shape=(1, SIDE, SIDE),
        )
        self.monitor = Monitor(
            self.network.layers["Ae"], state_vars=["s"], time=round(PRESENTATION / TIME_STEP)
        )
        self.network.add_monitor(self.monitor, name="excitatory_spikes")

    def present(self, images: torch.Tensor) -> int:
        """One batch: encode, run, count, reset."""
        rates = images.float().div(255).mul(INTENSITY).view(len(images), 1, SIDE, SIDE)
        encoded = torch.stack([poisson(image, time=PRESENTATION, dt=TIME_STEP) for image in rates], dim=1)
        self.network.run(inputs={"X": encoded}, time=PRESENTATION)
        spikes = int(self.monitor.get("s").sum())
        self.network.reset_state_variables()
        return spikes

    def train(self, count: int) -> Measurement:
        """``count`` images: a whole number of batches."""
        if count % self.batch:
            raise ValueError(f"{count} images: expected a multiple of the batch size, {self.batch}")
        chosen = torch.arange(self.seen, self.seen + count) % len(self.images)
        self.seen += count
        return measure(
            count, lambda: sum(self.present(self.images[part]) for part in chosen.split(self.batch))
        )


def main() -> None:
    """Worker: build the network, train on some images, then answer requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help=".npy file, uint8 (images, pixels)")
    parser.add_argument("--neurons", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, help="threads of PyTorch (its own default if not given)")
    parser.add_argument("--warm-up", type=int, required=True, help="images before the first measurement")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    training = BindsnetTraining(options.neurons, options.batch, torch.from_numpy(np.load(options.images)))
    training.train(options.warm_up)
    description = {
        "bindsnet": version("bindsnet"),
        "torch": torch.__version__,
        "threads": str(torch.get_num_threads()),
    }
    serve(description, training.train)


if __name__ == "__main__":
    main()
