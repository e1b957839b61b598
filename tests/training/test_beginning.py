"""What a model draws is what its run begins with, or is refused."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbarium.engine import anatomy
from hebbarium.engine.contract import Arrays
from hebbarium.files.errors import ModelRefused
from hebbarium.models.synaptic_scaling import SynapticScaling
from hebbarium.training import beginning, responses
from hebbarium.training.run_settings import RunSettings
from tests.models.small_networks import NEURONS, PIXELS

FIRST = "train"


class Uneven(SynapticScaling):
    """Each neuron has a threshold of its own, which nothing changes."""

    name = "uneven"
    membrane = f"{SynapticScaling.membrane}\noffset : volt"
    threshold = "v > v_thresh + theta + offset"
    constant_threshold = "v > v_thresh + offset"
    drawn: ClassVar[str] = "excitatory.offset"

    def initial_state(self, generator: np.random.Generator) -> Arrays:
        offsets: NDArray[np.float64] = 1e-3 * generator.random(NEURONS)
        return {**super().initial_state(generator), self.drawn: offsets}


class Constant(Uneven):
    """The same, by Brian2's flag for what does not change."""

    name = "constant"
    membrane = f"{Uneven.membrane} (constant)"


class Misspelt(Uneven):
    """What is drawn is called otherwise than the variable."""

    name = "misspelt"
    drawn = "excitatory.ofset"


def begins(kind: type[SynapticScaling], seed: int) -> Arrays:
    division: Any = None  # nothing is fitted to images
    settings = RunSettings(kind.name, seed=seed)
    return beginning.initial_state(settings, kind(pixels=PIXELS, neurons=NEURONS), division, FIRST)


def test_what_differs_from_neuron_to_neuron_is_drawn_anew_for_each_seed() -> None:
    first, second = (begins(Uneven, seed)["excitatory.offset"] for seed in (0, 1))
    assert len(set(first)) == NEURONS
    assert (first != second).all()
    model = Uneven(pixels=PIXELS, neurons=NEURONS)
    for phase in model.phases:
        assert "excitatory.offset" in {variable.name for variable in anatomy.of(model, phase).state}
    tested = responses.frozen_state(model, "test", begins(Uneven, 0))  # and it is handed on, as weights are
    assert (tested["excitatory.offset"] == first).all()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Constant, r"model constant: initial_state draws excitatory\.offset, .* without the flag \(constant\)"),
        (Misspelt, r"draws excitatory\.ofset, .* did you mean excitatory\.offset\?"),
    ],
)
def test_what_would_be_dropped_is_refused(kind: type[SynapticScaling], said: str) -> None:
    with pytest.raises(ModelRefused, match=said):
        begins(kind, 0)
