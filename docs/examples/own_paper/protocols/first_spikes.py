"""The protocol of a paper that does not exist: one table, and the rate at which its network answers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hebbarium.models.contract import Arrays, Model
from hebbarium.studies.contenders import Contender, Told
from hebbarium.studies.reproduction import Cell, Paper
from hebbarium.training.experiments import Measured, Observation
from hebbarium.training.run_settings import RunSettings


@dataclass(frozen=True)
class AnswerRate:
    """How fast output neurons fire if all pixels of an image are equally bright."""

    level: int = 200

    def inputs(self, model: Model, seed: int) -> Arrays:
        """Sixteen grey images."""
        return model.all_inputs("test", np.full((16, 784), self.level, np.uint8), np.zeros(16, int))

    def measures(self, model: Model, observed: Observation) -> Mapping[str, Measured]:
        """Spikes of a neuron in a second."""
        seconds = model.sample_steps("test") * 1e-3
        return {"rate": Measured(float(observed.answers["output"].mean() / seconds), "Hz", "output")}


PROTOCOL = RunSettings(
    model="first_spikes", images=24, test_images=16, epochs=2, block=16, device="numpy", snapshots=2
)
PAPER = Paper(
    PROTOCOL,
    [
        Cell("1", "mnist-embedded", f"eta {eta}", {"eta": eta}, percent)
        for eta, percent in (("0.2*mV", 20.0), ("1*mV", 30.0))
    ],
    columns="eta",
    seeds=(0,),
    readout="first_spike",
    experiments=(AnswerRate(),),
    contender=Contender(Told.ERRORS, {"item": "Table 1"}, ("eta",), short=PROTOCOL),
)
