"""LeNet trained by PyTorch, the network that is converted: it comes with the project (``models/networks/lenet.npz``).

``python -m hebbarium.studies.lenet --out lenet.npz`` trains it again, which takes minutes; PyTorch is an extra
(``pip install "hebbarium[torch]"``). The layers are those of Fig. 17 of Sun's thesis, with rectifiers; it is trained as
the thesis says, by Adam in batches of 128 with cross-entropy, for twice as many epochs. Of the weights after each
epoch those are kept that do best on training images that were held out. Test images are not looked at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import by_name as datasets
from hebbarium.datasets.labelled_images import DatasetError
from hebbarium.models import network_files
from hebbarium.models.conventional import AveragePooling, ConventionalNetwork, Convolution, Dense

__all__ = ["BATCH", "EPOCHS", "HELD_OUT", "untrained"]

BATCH = 128
EPOCHS = 10
HELD_OUT = 5000
"""Training images that epochs are compared on: the last ones of the set."""
WHITE = 255


def untrained(generator: np.random.Generator) -> ConventionalNetwork:
    """LeNet of Fig. 17 with weights drawn uniformly, as wide as the number of inputs says (Glorot's)."""

    def drawn(*shape: int) -> NDArray[np.float32]:
        *window, below, above = shape
        width = np.sqrt(6 / (np.prod(window, dtype=int) * (below + above)))
        return generator.uniform(-width, width, shape).astype(np.float32)

    def none(neurons: int) -> NDArray[np.float32]:
        return np.zeros(neurons, np.float32)

    layers = (
        Convolution("1.convolution", drawn(5, 5, 1, 6), none(6)),
        AveragePooling("2.average_pooling", 2),
        Convolution("3.convolution", drawn(5, 5, 6, 16), none(16)),
        AveragePooling("4.average_pooling", 2),
        Dense("5.dense", drawn(256, 120), none(120)),
        Dense("6.dense", drawn(120, 84), none(84)),
        Dense("7.dense", drawn(84, 10), none(10)),
    )
    return ConventionalNetwork((28, 28, 1), layers)


class _Torch:
    """A network as PyTorch computes it.

    Parameters
    ----------
    torch : module
    network : ConventionalNetwork
    """

    def __init__(self, torch: Any, network: ConventionalNetwork) -> None:
        self.torch, self.network = torch, network
        self.arrays = {
            layer.name: [self._parameter(layer, key) for key in ("weight", "bias")]
            for layer in network.layers if layer.weighted
        }  # fmt: skip

    def _parameter(self, layer: Any, key: str) -> Any:
        array = getattr(layer, key)
        if key == "weight":
            array = array.transpose(3, 2, 0, 1) if isinstance(layer, Convolution) else array.T
        return self.torch.tensor(array.copy(), requires_grad=True)

    @property
    def parameters(self) -> list[Any]:
        return [tensor for pair in self.arrays.values() for tensor in pair]

    def answers(self, maps: Any) -> Any:
        """Of images ``(images, channels, rows, columns)``."""
        functional = self.torch.nn.functional
        for layer in self.network.layers:
            match layer:
                case AveragePooling():
                    maps = functional.avg_pool2d(maps, layer.size)
                    continue
                case Convolution():
                    maps = functional.conv2d(maps, *self.arrays[layer.name])
                case Dense():
                    if maps.ndim == 4:  # the channels of a place are side by side
                        maps = maps.permute(0, 2, 3, 1).flatten(1)
                    maps = functional.linear(maps, *self.arrays[layer.name])
            if layer is not self.network.layers[-1]:
                maps = functional.relu(maps)
        return maps

    def trained(self) -> ConventionalNetwork:
        """The network with the weights as they are."""
        layers: list[Any] = []
        for layer in self.network.layers:
            if not layer.weighted:
                layers.append(layer)
                continue
            weight, bias = (tensor.detach().numpy().copy() for tensor in self.arrays[layer.name])
            weight = weight.transpose(2, 3, 1, 0) if isinstance(layer, Convolution) else weight.T
            layers.append(type(layer)(layer.name, np.ascontiguousarray(weight), bias))  # type: ignore[call-arg]
        return ConventionalNetwork(self.network.shape, tuple(layers))


def train(
    images: NDArray[np.uint8], labels: NDArray[np.integer], *, seed: int = 0, epochs: int = EPOCHS,
    held_out: int = HELD_OUT,
) -> ConventionalNetwork:  # fmt: skip
    """Train LeNet.

    Parameters
    ----------
    images : (images, 784)
    labels : (images,)
    held_out : int
        As many of the last images choose the epoch.

    Raises
    ------
    ValueError
        PyTorch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ValueError('LeNet is trained by PyTorch: pip install "hebbarium[torch]"') from error
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    model = _Torch(torch, untrained(generator))
    optimiser = torch.optim.Adam(model.parameters)
    maps = torch.from_numpy((images / WHITE).astype(np.float32)).reshape(-1, 1, 28, 28)
    classes = torch.from_numpy(labels.astype(np.int64))
    number = len(images) - held_out
    best, kept = -1.0, model.trained()
    for epoch in range(epochs):
        order = torch.from_numpy(generator.permutation(number))
        loss = torch.zeros(())
        for batch in order.split(BATCH):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(model.answers(maps[batch]), classes[batch])
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            right = model.answers(maps[number:]).argmax(1) == classes[number:]
        accuracy = 100 * float(right.double().mean())
        print(f"epoch {epoch + 1}: {accuracy:.2f} % of {held_out:,} images held out, loss {loss.item():.4f}")
        if accuracy > best:
            best, kept = accuracy, model.trained()
    return kept


def main(words: Sequence[str] | None = None) -> int:
    """Train LeNet on MNIST and write its weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="file to write: .npz or .nir")
    parser.add_argument("--data", help="folder that holds the files of the data sets")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    given = parser.parse_args(words)
    try:
        images = datasets.load(given.dataset, given.data)
        network = train(images.train_images, images.train_labels, seed=given.seed, epochs=given.epochs,
                        held_out=min(HELD_OUT, len(images.train_images) // 10))  # fmt: skip
        network_files.write(network, given.out)
    except (DatasetError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{given.out}: {network}, {network.parameters:,} parameters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
