"""All cases, in the order in which they are worth their time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.gpu import growth
from benchmarks.gpu.agreement import Given, Stimulated, Trained, counted, rising, sparse, within
from benchmarks.gpu.case import Case
from benchmarks.gpu.genn import Beside
from benchmarks.gpu.growth import Sized
from benchmarks.gpu.races import checked
from benchmarks.gpu.together import Same, Timed
from hebbarium.catalogue import registry
from hebbarium.training.run_settings import RunSettings

PARTS = ("agreement", "races", "growth", "together", "genn")
SMALL: Mapping[str, Mapping[str, Any]] = {
    "synaptic_scaling": {"changes": {"neurons": "50"}},
    "symmetric_stdp": {
        "changes": {"neurons": "50", "rest": "jump"}, "schedule": "simultaneous", "images": 50, "test_images": 50
    },
    "diehl_cook": {"changes": {"neurons": "50"}, "images": 30, "test_images": 30},
    "desire_backprop": {"changes": {"layers": "40,30"}},
    "s4nn": {"changes": {"layers": "40"}},
    "timing_backprop": {"changes": {"layers": "40"}},
    "tssl_backprop": {"changes": {"layers": "40"}},
    # one winner a race is a maximum over many neurons, which is refused on a GPU, for it would race
    "contrastive_race": {"changes": {"neurons": "50", "winners": "all"}},
}  # fmt: skip
"""How small a network of a model is compared; others are as large as they are by themselves."""
_TRAINS: Mapping[str, Given] = {"pattern_step": counted(2000), "wanted": sparse(0.01), "learns": sparse(1.0)}
STIMULATED: Mapping[str, Mapping[str, Given]] = {
    "hodgkin_huxley": {"stimulus": rising(0.2)},
    "izhikevich": {"stimulus": rising(15.0)},
    "integrate_and_fire": {"stimulus": rising(3e-9)},
    "pair_stdp": {"pre_spikes": sparse(0.01), "post_spikes": sparse(0.01)},
    "resume": _TRAINS,
    "span": _TRAINS,
    "spikeprop": {
        "times": within(0, 6e-3), "wanted": within(0.01, 0.016), "closes": sparse(0.25), "learns": sparse(1.0)
    },
}  # fmt: skip
"""Models that are given numbers step by step, and what numbers."""
SAMPLES: Mapping[str, int] = dict.fromkeys(STIMULATED, 2000) | {"spikeprop": 60}
"""Of these, samples; one of SpikeProp's has many steps."""
NUMBERS = (8, 32, 128)
"""Networks side by side."""
SHORT: Mapping[str, Any] = {"images": 100, "test_images": 100, "block": 50, "precision": "float64", "seed": 3}


def on_images() -> list[str]:
    """Models that are trained on images: those of `SMALL` first."""
    found = [name for name, kind in registry.models().items() if kind().schedules]
    return sorted(found, key=lambda name: list(SMALL).index(name) if name in SMALL else len(SMALL))


def trained(name: str, device: str, **changes: Any) -> Trained:
    """A short run of a model."""
    settings = RunSettings(model=name, device=device, **{**SHORT, **SMALL.get(name, {}), **changes})
    return Trained(f"agreement of {name}", device, settings=settings, seconds=40)


def every(device: str) -> Iterator[tuple[str, Case]]:
    """Part and case, those that are needed most first."""
    agree: list[Case] = [
        *(trained(name, device) for name in on_images()),
        *(
            Stimulated(f"agreement of {name}", device, model=name, given=given, samples=SAMPLES[name])
            for name, given in STIMULATED.items()
        ),
    ]
    yield "agreement", agree[0]
    yield from (("growth", Sized(f"growth, N={n}", device, neurons=n, seconds=40)) for n in growth.SIZES)
    yield "together", Same("networks side by side, given spikes", device)
    yield from (("together", Timed(f"{n} networks side by side", device, number=n)) for n in NUMBERS)
    yield from (("agreement", case) for case in agree[1:])
    learning = [case for case in agree if isinstance(case, Trained) and case.learns]
    yield from (("races", checked(case, 30)) for case in learning)
    yield "genn", Beside("Brian2GeNN", device, seconds=100)
