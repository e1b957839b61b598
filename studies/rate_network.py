"""A rate-based Hebbian network: the control that Hao et al. propose in Section 7.

"A rate-based neural network with the Hebbian rule, synaptic scaling, and dynamic bias could be expected to have
similar classification abilities." The paper gives it no equations. Here they are those of its spiking network
with every spike train replaced by one number an image:

- a hidden unit is driven by ``W x``, and its dynamic bias ``b`` stands for the dynamic threshold of Eq. 5 (a step
  for each response, and a decay; without the factor that makes steps smaller);
- lateral inhibition leaves the few units with the largest ``W x - b`` active, each by how far it is above the first
  unit that is inhibited; responses ``y`` to an image sum to 1;
- the symmetric rule of Eq. 6 becomes Hebb's: ``W += eta y x``, weights within [0, w_max];
- Eq. 7 scales the weights of a unit to the sum ``beta N_in w_max`` after every image;
- the teacher sets one of the class units to 1: ``V += eta_class teacher y``, scaled by Eq. 7 as well. In testing
  the class unit with the largest ``V y`` answers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbarium.analysis.readouts import class_mean
from hebbarium.record import results

Rates = NDArray[np.float32]

CLASS_LAYER, LABEL_STATISTICS = "class_layer", "label_statistics"
_INITIAL = 0.3  # Section 3: initial weights are uniform in [0, 0.3] of the largest


@dataclass(frozen=True)
class Constants:
    """What the network is made of; sources in `hebbarium.studies.hebbian_control`.

    Parameters
    ----------
    neurons : int
        Hidden units.
    winners : int
        Hidden units that lateral inhibition leaves active, at most.
    eta, eta_class : float
        Learning rates of the weights into the hidden units and into the class units.
    bias_step : float
        What a response of 1 adds to a unit's bias.
    bias_decay : float
        Images in which a bias falls to 1/e.
    beta : float
        Average weight after scaling, as a share of the largest (Eq. 7).
    w_max, v_max : float
        Largest weights into hidden and class units.

    Raises
    ------
    ValueError
        Naming the constant that is out of its range.
    """

    neurons: int = 400
    winners: int = 5
    eta: float = 0.1
    eta_class: float = 1.0
    bias_step: float = 0.1
    bias_decay: float = 1e5
    beta: float = 0.1
    w_max: float = 1.0
    v_max: float = 8.0

    def __post_init__(self) -> None:
        if self.neurons < 2:
            raise ValueError(f"neurons={self.neurons}: expected 2 or more")
        if not 1 <= self.winners < self.neurons:
            raise ValueError(f"winners={self.winners}: expected 1 to {self.neurons - 1}, fewer than there are neurons")
        for field in dataclasses.fields(self)[2:]:
            value = getattr(self, field.name)
            if not 0 < value < np.inf:
                raise ValueError(f"{field.name}={value}: expected a positive number")
        if self.beta >= 1:
            raise ValueError(f"beta={self.beta}: expected less than 1, the largest weight")


class RateNetwork:
    """Hidden units in competition, and a layer of class units.

    Parameters
    ----------
    constants : Constants
    inputs, classes : int
        Input units, and class units.
    generator : numpy.random.Generator
        Where the initial weights come from.

    Attributes
    ----------
    w : (neuron, input)
    v : (class, neuron)
    bias : (neuron,)
    """

    def __init__(self, constants: Constants, inputs: int, classes: int, generator: np.random.Generator) -> None:
        c = self.constants = constants
        self.w: Rates = (_INITIAL * c.w_max * generator.random((c.neurons, inputs))).astype(np.float32)
        self.v: Rates = (_INITIAL * c.v_max * generator.random((classes, c.neurons))).astype(np.float32)
        self.bias: Rates = np.zeros(c.neurons, np.float32)
        self._scale(self.w, c.w_max)
        self._scale(self.v, c.v_max)

    def _scale(self, rows: Rates, largest: float) -> None:
        """Scale the weights into some units, one a row, in place (Eq. 7)."""
        total = self.constants.beta * rows.shape[1] * largest
        rows *= total / rows.sum(axis=1, keepdims=True)

    def respond(self, images: Rates) -> Rates:
        """Responses ``(image, neuron)`` of the hidden units to images ``(image, input)``."""
        drive = images @ self.w.T - self.bias
        above = -self.constants.winners - 1
        # The first unit that is inhibited is the zero of all others.
        excess = drive - np.partition(drive, above, axis=1)[:, above, None]
        rates = np.maximum(excess, 0)
        total = rates.sum(axis=1, keepdims=True)
        return np.asarray(rates / np.where(total > 0, total, 1), np.float32)

    def learn(self, image: Rates, label: int) -> Rates:
        """Show one image with its teacher, and learn; returns the responses ``(neuron,)``.

        Parameters
        ----------
        image : (input,)
        label : int
            Class unit that the teacher activates.
        """
        c = self.constants
        y = self.respond(image[None])[0]
        active = np.flatnonzero(y)
        rows = self.w[active] + c.eta * y[active, None] * image
        np.minimum(rows, c.w_max, out=rows)
        self._scale(rows, c.w_max)
        self.w[active] = rows
        taught = self.v[label : label + 1]
        taught += c.eta_class * y
        np.minimum(taught, c.v_max, out=taught)
        self._scale(taught, c.v_max)
        self.bias *= np.float32(1 - 1 / c.bias_decay)
        self.bias += c.bias_step * y
        return y

    def classify(self, responses: Rates) -> NDArray[np.int16]:
        """Class of the most active class unit, the lowest among equals; -1 without any response.

        Parameters
        ----------
        responses : (image, neuron)
        """
        predicted = (responses @ self.v.T).argmax(axis=1).astype(np.int16)
        predicted[~responses.any(axis=1)] = results.NO_CLASS
        return predicted


@dataclass(frozen=True)
class Trained:
    """A trained network and the class of each hidden unit by label statistics, ``(neuron,)``."""

    network: RateNetwork
    neuron_label: NDArray[np.int16]

    def predicted(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.int16]]:
        """Class of each image ``(image, input)`` by readout; -1 for no answer."""
        y = self.network.respond(as_rates(images))
        return {
            CLASS_LAYER: self.network.classify(y),
            LABEL_STATISTICS: class_mean(y, self.neuron_label),
        }


def as_rates(images: NDArray[np.uint8]) -> Rates:
    """Pixels as rates between 0 and 1."""
    return images.astype(np.float32) / np.float32(255)


def train(
    constants: Constants,
    images: NDArray[np.uint8],
    labels: NDArray[np.integer],
    epochs: list[NDArray[np.int64]],
    generator: np.random.Generator,
    classes: int = 10,
    advance: Callable[[int], None] = lambda numbers: None,
) -> Trained:
    """Train both layers at once, image by image.

    Parameters
    ----------
    images : (image, input)
    labels : (image,)
    epochs : list of (image,)
        Indices of the images in the order of each epoch.
    generator : numpy.random.Generator
        Where the initial weights come from.
    advance : callable
        Called with a number of images when they have been shown.

    Returns
    -------
    Trained
        With label statistics over the responses of the last epoch.
    """
    network = RateNetwork(constants, images.shape[1], classes, generator)
    for order in epochs:
        total, numbers = np.zeros((classes, constants.neurons)), np.zeros(classes)
        for start in range(0, len(order), 1000):
            block = order[start : start + 1000]
            for image, label in zip(as_rates(images[block]), labels[block], strict=True):
                total[label] += network.learn(image, int(label))
                numbers[label] += 1
            advance(len(block))
    means = (total / np.maximum(numbers, 1)[:, None]).T
    neuron_label = means.argmax(axis=1).astype(np.int16)
    neuron_label[~means.any(axis=1)] = results.NO_CLASS
    return Trained(network, neuron_label)
