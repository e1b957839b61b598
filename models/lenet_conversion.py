"""Shadow training: a conventional network is trained, then converted into integrate-and-fire neurons.

D. Sun, "Spiking neural networks: study of efficient training methods for classification problems", master's thesis
(Universitat Oberta de Catalunya, 2023), Section 3.1: LeNet, converted as B. Rueckauer et al. say (Frontiers in
Neuroscience 11:682, 2017), whose toolbox the thesis uses.

Nothing learns here. Rates of spikes stand for activations: every neuron adds up what arrives and spikes when that
reaches the threshold, so that its rate is its rectified input. Layers have no latency: a spike passes through all of
them in its own step. The longer an image is shown, the nearer rates are to the activations.

The thesis writes no equation of this section; it names the neurons and leaves the rest to the toolbox.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, Synapses, ms
from numpy.typing import NDArray

from hebbarium.equations.encoders import BERNOULLI
from hebbarium.models import network_files
from hebbarium.models.contract import Arrays, Model, choice, encoding, file, quantity, structure
from hebbarium.models.conventional import AveragePooling, ConventionalLayer, ConventionalNetwork, Convolution, Dense
from hebbarium.models.parts import BEGINS, At, Parts
from hebbarium.models.ranges import POSITIVE, SIZE, Range
from hebbarium.models.readouts import Computed, Readout, SpikeCount, Value, at_times
from hebbarium.models.spiking_layers import CannotBeHeld, LayerNeurons, SpikingLayers

SECTION = "Section 3.1"
TOOLBOX = "not stated; Rueckauer et al. 2017"
LONGEST = 2**16 - 1
"""Steps: spikes of a neuron are counted in 16 bits."""
READ_AT = (10, 15, 20, 30, 50, 75, 100, 150, 200)
"""Steps after which answers are read, as far as they are before the last."""

# The order of what happens in a step. In the slot "start": what begins with an image, the input, currents. Then, in the
# slot "synapses", layer by layer from the input on: spikes arrive, neurons spike, they are reset.
BEGIN, SEND, DRIVE, INTEGRATE = 1, 2, 3, 4
ARRIVE, FIRE, RESET, A_LAYER = range(4)
RESETS = {"subtraction": "v -= theta", "zero": "v = 0"}


@dataclass(frozen=True, eq=False)
class LeNetConversion(Model):
    """A network of integrate-and-fire neurons with the weights of a conventional one."""

    name: ClassVar[str] = "lenet_conversion"
    title: ClassVar[str] = "A trained conventional network, converted into integrate-and-fire neurons"
    paper: ClassVar[str] = (
        "D. Sun, Spiking neural networks: study of efficient training methods for classification problems, master's "
        "thesis, Universitat Oberta de Catalunya (2023), Section 3.1"
    )
    phases: ClassVar[tuple[str, ...]] = ("test",)

    network: str = file(
        "lenet", network_files.located,
        "the trained network: one that comes with the project, or a file of your own, .npz or .nir",
        "Fig. 17; trained anew, by `python -m hebbarium.studies.lenet`",
    )  # fmt: skip

    # What is shown
    t_max: int = structure(100, 1, "steps for which an image is shown", "not stated", Range(1, LONGEST))
    dt: Quantity = structure(1 * ms, ms, "length of a time step: results do not depend on it", TOOLBOX, POSITIVE)
    white: float = encoding(255.0, 1, "level of a pixel that is 1 for the network", "as it was trained", POSITIVE)
    drive: str = choice(
        "current", ("current", "poisson"), "what an image is to the first layer: a constant current, or spikes", TOOLBOX
    )

    # Neurons
    theta: float = quantity(1.0, 1, "firing threshold, in parts of a layer's scale", TOOLBOX, POSITIVE)
    reset: str = choice("subtraction", ("subtraction", "zero"), "what a spike does to its neuron's potential", TOOLBOX)

    # Normalisation
    percentile: float = encoding(
        99.9, 1, "percentile of a layer's activations that are not zero which is its scale", TOOLBOX, Range(1, 100)
    )
    every: int = encoding(10, 1, "one in so many training images is used for it", "not stated", SIZE)

    # -- the equations ---------------------------------------------------------------------------------
    # A subclass replaces any of these strings by its own; see docs/own_rule.md.

    # Weights and biases are normalised: 1 is the largest activation of a layer, and a spike in each step.
    pixel = "x : 1                                                      # from 0 to 1"
    sends = "t_in_timesteps % sample_steps == 0 and x > 0               # its level, once an image"
    poisson = BERNOULLI
    membrane = "v : 1                                                   # membrane potential"
    bias = "b : 1                                                       # added in each step"
    current = "I : 1                                                    # of the image, and the bias"

    driven = "I_post += w*x_pre                                         # stays as it is while the image is shown"
    integrated = "v += I"
    biased = "v += b"
    transmission = "v_post += w                                         # no leak"
    share = "share : 1 (shared, constant)                               # one by the neurons of a patch"
    averaging = "v_post += share"
    fires = "v >= theta"

    # -- the network -----------------------------------------------------------------------------------
    @cached_property
    def conventional(self) -> ConventionalNetwork:
        """The network that is converted, as its file has it.

        Raises
        ------
        ValueError
            It cannot be read or converted.
        """
        return network_files.read(network_files.located(self.network))

    @property
    def pixels(self) -> int:
        """Input neurons."""
        return self.conventional.inputs

    @property
    def layers(self) -> tuple[tuple[str, ConventionalLayer, int], ...]:
        """Name of the population, layer and number of neurons of each layer, from the input on."""
        counted: dict[str, Iterator[int]] = {}
        named = []
        network = self.conventional
        for layer, shape in zip(network.layers, network.shapes[1:], strict=True):
            number = next(counted.setdefault(layer.kind, itertools.count(1)))
            last = layer is network.layers[-1]
            named.append(("output" if last else f"{layer.kind}_{number}", layer, int(np.prod(shape))))
        return tuple(named)

    @property
    def schedules(self) -> dict[str, tuple[str, ...]]:
        """Conversion: nothing is trained."""
        return {"convert": ()}

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """The most active output neuron, at several times; the conventional network's own answer beside it."""
        counts = Readout("most_spikes", SpikeCount("output"), "largest")
        untied = Readout("most_spikes_then_v", SpikeCount("output"), "largest", ties=Value("output", symbol="v"))
        times = [steps * self.dt for steps in READ_AT if steps < self.t_max]
        own = Computed("output", symbol="activation", said="what the conventional network answers")
        network = Readout("network", own, "largest")
        return counts, untied, network, *at_times(counts, times), *at_times(untied, times)

    @property
    def rastered(self) -> tuple[str, ...]:
        """See `Model.rastered`: maps are left out, whose spikes are tens of thousands an image."""
        flat = [name for name, layer, _ in self.layers if isinstance(layer, Dense)]
        return ("input", *flat) if self.drive == "current" else tuple(flat)

    def build(self, phase: str, inputs: Arrays) -> Network:
        """See `Model.build`. The only phase is ``test``."""
        parts = Parts(self, self.dt, self.t_max, inputs, {})
        below = image = self._image(parts)
        populations, pathways = [image], []
        for place, (name, layer, neurons) in enumerate(self.layers):
            above = self._population(parts, name, layer, neurons, place)
            pathways.append(self._pathway(parts, below, above, layer, place))
            populations.append(above)
            below = above
        return Network(*populations, *pathways)

    @staticmethod
    def _place(layer: int, what: int) -> str:
        """The place in a step of what happens in a layer, counted from 0."""
        return f"synapses {layer * A_LAYER + what}"

    def _is_driven(self, place: int) -> bool:
        """Whether a layer is given a current that stands for the image."""
        return place == 0 and self.drive == "current"

    def _image(self, parts: Parts) -> NeuronGroup:
        """One neuron a pixel."""
        if self.drive == "current":
            equations, fires, begins = self.pixel, self.sends, "x = levels(t, i)"
        else:
            spiking = self.poisson
            equations, fires, begins = spiking.equations, spiking.fires, spiking.begins.format(rate="levels(t, i)/dt")
        image = parts.neurons(
            "input", self.pixels, equations, threshold=fires,
            events={"begin": BEGINS}, runs=[At(f"start {BEGIN}", begins, "begin")],
        )  # fmt: skip
        image.thresholder["spike"].when, image.thresholder["spike"].order = "start", SEND
        return image

    def _population(self, parts: Parts, name: str, layer: ConventionalLayer, neurons: int, place: int) -> NeuronGroup:
        driven = self._is_driven(place)
        population = parts.neurons(
            name, neurons, (self.membrane, layer.weighted and self.bias, driven and self.current),
            threshold=self.fires, reset=RESETS[self.reset], events={"begin": BEGINS},
            runs=[
                At(f"start {BEGIN}", ("v = 0", driven and "I = b"), "begin"),
                layer.weighted and At(f"start {INTEGRATE}", self.integrated if driven else self.biased),
            ],
        )  # fmt: skip
        for happens, what in ((population.thresholder, FIRE), (population.resetter, RESET)):
            slot, order = self._place(place, what).split()
            happens["spike"].when, happens["spike"].order = slot, int(order)
        return population

    def _pathway(
        self, parts: Parts, below: NeuronGroup, above: NeuronGroup, layer: ConventionalLayer, place: int
    ) -> Synapses:
        """The synapses onto a layer."""
        if self._is_driven(place):
            arrives = At(f"start {DRIVE}", self.driven)
        else:
            arrives = At(self._place(place, ARRIVE), self.transmission if layer.weighted else self.averaging)
        synapses = parts.synapses(
            f"to_{above.name}", below, above, "w : 1" if layer.weighted else self.share,
            on_pre={"arrive": arrives}, pairs=layer.pairs(self.conventional.shapes[place]),
        )  # fmt: skip
        if isinstance(layer, AveragePooling):
            synapses.share = layer.share
        return synapses

    # -- declarations ----------------------------------------------------------------------------------
    def structure_key(self) -> dict[str, str]:
        """See `Model.structure_key`: of the network, its layers and their sizes."""
        return super().structure_key() | {"network": str(self.conventional)}

    def encode(self, images: NDArray[np.uint8]) -> Arrays:
        """Level of each pixel, ``(samples, pixels)``, from 0 to 1 where `white` is the brightest."""
        return {"levels": images / self.white}

    def input_spikes(self, phase: str, images: NDArray[np.uint8], presentations: NDArray[np.integer]) -> float:
        """See `Model.input_spikes`: a pixel that is not black sends its level once, where images are currents."""
        levels = self.encode(images)["levels"]
        spikes = levels > 0 if self.drive == "current" else np.clip(levels, 0, 1) * self.t_max
        return float((spikes.sum(axis=1) * presentations).sum())

    def sample_steps(self, phase: str) -> int:
        """See `Model.sample_steps`."""
        return self.t_max

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        """Weights and biases as the conventional network has them; nothing is drawn."""
        return self._state(self.conventional)

    def calibrated(self, state: Arrays, images: NDArray[np.uint8]) -> Arrays:
        """See `Model.calibrated`: weights and biases are normalised by activations."""
        levels = self.encode(images[:: self.every])["levels"]
        network = self.conventional
        return state | self._state(network.normalised(network.largest(levels, self.percentile)))

    def _state(self, network: ConventionalNetwork) -> Arrays:
        state: Arrays = {}
        names = (name for name, _, _ in self.layers)
        for name, layer, shape in zip(names, network.layers, network.shapes, strict=False):  # there is a shape more
            if layer.weighted:
                state[f"to_{name}.w"], state[f"{name}.b"] = layer.weights(shape), layer.biases(shape)
        return state

    def spiking_layers(self, state: Arrays) -> SpikingLayers:
        """See `Model.spiking_layers`: what is shown are levels from 0 to 1 as currents, or spikes.

        Raises
        ------
        CannotBeHeld
            A spike takes the threshold off the potential.
        """
        if self.reset != "zero":
            raise CannotBeHeld(
                f"model {self.name}: with reset={self.reset} a spike takes the threshold off its neuron's potential,"
                " and spikes of neurons that can be written set it to a potential; convert with --set reset=zero"
            )
        network = self.conventional
        layers: list[ConventionalLayer] = []
        for (name, _, _), layer, shape in zip(self.layers, network.layers, network.shapes, strict=False):
            w, b = (state.get(key) for key in (f"to_{name}.w", f"{name}.b"))
            if isinstance(layer, Convolution) and w is not None and b is not None:
                kernel = np.zeros(layer.weight.size)
                kernel[layer.pairs(shape).weight] = w  # synapses have copies of it
                layers.append(dataclasses.replace(
                    layer, name=name, weight=kernel.reshape(layer.weight.shape), bias=b[: layer.weight.shape[3]]
                ))
            elif isinstance(layer, Dense) and w is not None and b is not None:
                layers.append(dataclasses.replace(layer, name=name, weight=w.reshape(layer.weight.shape), bias=b))
            else:
                layers.append(dataclasses.replace(layer, name=name))
        dt = float(self.dt)
        neurons = LayerNeurons(self.theta, True, 1 / dt)
        return SpikingLayers(
            dataclasses.replace(network, layers=tuple(layers)), {name: neurons for name, _, _ in self.layers}, dt,
            self.t_max,
        )  # fmt: skip

    def computed(self, inputs: Arrays) -> Arrays:
        """See `Model.computed`: what the conventional network answers."""
        return {"output.activation": self.conventional.answers(inputs["levels"].astype(np.float32))}

    def connections(self) -> tuple[int, ...]:
        """See `Model.connections`: those with weights; what pooling adds up is left out."""
        network = self.conventional
        pairs = zip(network.layers, network.shapes, strict=False)
        return tuple(len(layer.weights(shape)) for layer, shape in pairs if layer.weighted)

    # -- what the thesis leaves open -----------------------------------------------------------------------
    slips: ClassVar[tuple[str, ...]] = (
        "The thesis has a drop from 98.38 to 97.92 %. The first is the conventional network's on 10,000 images, the "
        "second the spiking network's on 96; on these 96, as Fig. 18 prints it, the conventional network has 97.92 % "
        "as well. No drop was measured.",
        "The text says of the accuracy that it is shown in Fig. 17, which is the network; it is in Fig. 18.",
    )

    open_choices: ClassVar[tuple[str, ...]] = (
        "The weights are not the thesis's, which are not published: LeNet was trained anew, with rectifiers, which the "
        "thesis does not name and conversion needs.",
        "How long an image is shown is not stated. Answers are read at several times.",
        "Neurons of a pooling layer spike as all others do, with weights of one by the pixels of a patch and no scale "
        "of their own. The output layer is one of neurons like all others; its largest count of spikes answers, which "
        "leaves ties: most_spikes takes the lowest class of them, most_spikes_then_v the largest potential.",
    )
