"""A result tree of made-up numbers, to try the analysis on before there is a run.

Nothing in it was simulated: ten figures of seven segments stand for the images, and neurons that resemble
them better and better stand for learning.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hebbarium.analysis.accuracy import evaluate
from hebbarium.analysis.figures.stdp_window import pair_rule
from hebbarium.record import results

# Segments of each figure: top, upper left, upper right, middle, lower left, lower right, bottom.
_SEGMENTS = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)
_PLACES = (
    (slice(4, 7), slice(8, 20)),
    (slice(5, 14), slice(7, 10)),
    (slice(5, 14), slice(18, 21)),
    (slice(12, 15), slice(8, 20)),
    (slice(13, 23), slice(7, 10)),
    (slice(13, 23), slice(18, 21)),
    (slice(21, 24), slice(8, 20)),
)
_PRESENTATION_MS, _TEST_PRESENTATION_MS = 150.0, 500.0


def example_tree(
    n_neurons: int = 100, n_samples: int = 2000, n_tested: int = 500, block: int = 100, seed: int = 0
) -> xr.DataTree:
    """A whole result tree with every group, labelled as an example.

    Parameters
    ----------
    n_neurons
        Excitatory, and inhibitory, neurons.
    n_samples, n_tested
        Training and test samples.
    block
        Samples in a block.

    Examples
    --------
    >>> tree = example_tree(n_neurons=10, n_samples=40, n_tested=20, block=20)
    >>> tree.attrs["model"], tree["test/excitatory/spike_count"].shape
    ('example', (20, 10))
    """
    generator = np.random.default_rng(seed)
    preferred = np.arange(n_neurons) % 10
    fields = _fields(preferred, generator)
    seen = np.unique(np.linspace(0, n_samples, 6).astype(np.int64))
    start = generator.random(fields.shape)
    learnt = 1 - np.exp(-4.0 * seen / n_samples)
    w = learnt[:, None, None] * fields + (1 - learnt[:, None, None]) * start
    w = np.minimum(9 * w / np.linalg.norm(w, axis=1, keepdims=True), 1.0)

    label = generator.permutation(np.arange(n_samples) % 10)
    skill = 1 - np.exp(-6.0 * np.arange(n_samples) / n_samples)
    counts = _responses(label, preferred, skill, 3.0, generator)
    tested = generator.permutation(np.arange(n_tested) % 10)
    test_counts = _responses(tested, preferred, np.full(n_tested, 0.95), 9.0, generator)
    spikes_so_far = np.array([counts[:number].sum(axis=0) for number in seen])
    delta_t = np.concatenate([np.arange(-100, 0, 5), np.arange(5, 105, 5)]).astype(float)
    groups: dict[str, Any] = {
        "activity": {
            results.EXCITATORY: results.responses(
                counts,
                label=label,
                image=generator.permutation(n_samples),
                block=np.arange(n_samples) // block,
                presentation_ms=_PRESENTATION_MS,
            )
        },
        "test": {
            results.EXCITATORY: results.responses(
                test_counts, label=tested, image=np.arange(n_tested), presentation_ms=_TEST_PRESENTATION_MS
            )
        },
        "weights": {results.INPUT_TO_EXCITATORY: results.weight_snapshots(w, samples_seen=seen)},
        "state": {
            results.EXCITATORY: results.state_snapshots(
                samples_seen=seen, theta=(0.11 * spikes_so_far, "mV", "adaptive part of the threshold")
            )
        },
        "raster": _raster(fields, n_neurons, generator),
        "stdp_window": results.stdp_window(
            delta_t=delta_t,
            delta_w=pair_rule(delta_t, 0.005, 0.0025, 20.0),
            a_plus=0.005,
            a_minus=0.0025,
            tau_p_ms=20.0,
        ),
    }
    attributes = results.root_attributes(
        model="example",
        seed=seed,
        samples_seen=n_samples,
        parameters={"w_t": "9", "tau_p": "20 ms"},
        options={"note": "made-up numbers, nothing was simulated"},
        dataset="seven segments",
        complete=True,
    )
    responses_only = results.build(attributes, activity=groups["activity"], test=groups["test"])
    return results.build(attributes, evaluation=evaluate(responses_only), **groups)


def _fields(preferred: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.float64]:
    """(pixel, neuron): each neuron's figure, moved a little and blurred."""
    pictures = np.zeros((len(preferred), 28, 28))
    for picture, figure in zip(pictures, preferred, strict=True):
        for segment, place in zip(_SEGMENTS[figure], _PLACES, strict=True):
            if segment == "1":
                picture[place] = 1.0
        picture[:] = np.roll(picture, generator.integers(-2, 3, size=2), axis=(0, 1))
    for axis in (1, 2):
        pictures = (np.roll(pictures, 1, axis) + 2 * pictures + np.roll(pictures, -1, axis)) / 4
    return pictures.reshape(len(preferred), 784).T


def _responses(
    label: NDArray[np.int64],
    preferred: NDArray[np.int64],
    skill: NDArray[np.float64],
    spikes: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """(sample, neuron): one or two winners, of the right class as often as `skill` says."""
    counts = np.zeros((len(label), len(preferred)), dtype=np.int64)
    answer = np.where(generator.random(len(label)) < skill, label, generator.integers(0, 10, len(label)))
    for row, figure in zip(counts, answer, strict=True):
        able = np.flatnonzero(preferred == figure)
        if able.size:
            row[generator.choice(able, size=min(2, able.size), replace=False)] = generator.poisson(spikes)
    return counts


def _raster(
    fields: NDArray[np.float64], n_neurons: int, generator: np.random.Generator
) -> dict[str, xr.Dataset]:
    chosen = n_neurons // 2
    neuron, step = np.nonzero(generator.random((784, 150)) < 0.06 * fields[:, [chosen]])
    winner = np.sort(generator.choice(np.arange(15, 149), size=8, replace=False)).astype(float)

    def population(times: NDArray[np.float64], neurons: NDArray[np.int64], size: int) -> xr.Dataset:
        return results.raster(
            spike_time=times,
            spike_neuron=neurons,
            spike_presentation=np.zeros(len(times), dtype=np.int64),
            n_neurons=size,
            presentation_ms=_PRESENTATION_MS,
        )

    who = np.full(len(winner), chosen)
    return {
        results.INPUT: population(step.astype(float), neuron, 784),
        results.EXCITATORY: population(winner, who, n_neurons),
        results.INHIBITORY: population(winner + 1, who, n_neurons),
    }
