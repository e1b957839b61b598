"""The layers of a trained network with desires: local losses, activity by class and operations at each snapshot.

``hebbarium layers RUN`` draws Figs. 1, 2 and 6-8 of Gerlinghoff et al. from a run and writes the numbers beside them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hebbarium.analysis import desires, figures
from hebbarium.analysis.accuracy import accuracy
from hebbarium.analysis.desires import LayerOperations, Rule, Wishes
from hebbarium.analysis.readouts import decoded
from hebbarium.engine import anatomy, devices, presentations, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Arrays, Block, Structure
from hebbarium.files import whole_files
from hebbarium.ledger import networks
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.ledger.rows import ACCURACY, PER_CENT, Row
from hebbarium.models.desire_backprop import DesireBackprop
from hebbarium.record import results
from hebbarium.studies import desire_example, identity
from hebbarium.training import responses
from hebbarium.training.run import Run
from hebbarium.training.run_settings import CAPACITY

__all__ = ["ITEM", "Snapshot", "as_csv", "contributions", "draw", "draw_contributions", "rows_of", "snapshots"]

ITEM = "layers"
"""Of rows of the ledger."""

SHOWN = 20
"""Neurons of a layer whose activity is drawn: "we randomly selected 20 neurons from the two hidden layers"."""
FIRST, BIN = 1000, 50
"""Training images over which contributions are measured, and over how many they are averaged."""


@dataclass(frozen=True)
class Snapshot:
    """What the network of one snapshot does with some images while nothing learns.

    Parameters
    ----------
    samples_seen : int
    accuracy : float
        Per cent of these images.
    counts : dict of (samples, neurons)
        Spikes by population, the input first.
    wishes : dict of Wishes
        Desires and errors by population, without the input.
    operations : dict of LayerOperations
        By population, without the input.
    """

    samples_seen: int
    accuracy: float
    counts: dict[str, NDArray[np.uint16]]
    wishes: dict[str, Wishes]
    operations: dict[str, LayerOperations]


def snapshots(run: Path, *, images: int = 1000, data: str | None = None) -> tuple[list[Snapshot], NDArray[np.int64]]:
    """Show the images that a run was tested on to the network of each of its snapshots.

    Parameters
    ----------
    run : Path
        A run of a model with desires.
    images : int
        As many of them, drawn evenly from the classes.

    Returns
    -------
    snapshots, labels
        Labels are those of the images.

    Raises
    ------
    ValueError
        The run is of another model.
    """
    opened = Run.open(run, data=data)
    model, settings = _model(opened), opened.settings
    samples = opened.samples("tested", min(images, opened.division.number_tested))
    series = []
    with opened.scratch() as scratch, opened.results() as tree:
        structure = responses.frozen_structure(model, "test", settings.precision, settings.device)
        program = devices.program(structure, scratch)
        kept = {p.variable: tree[f"{results.WEIGHTS}/{p.name}"].to_dataset()["w"] for p in anatomy.projections(model)}
        for number, samples_seen in enumerate(next(iter(kept.values()))["samples_seen"].values):
            weights = {name: w.isel(samples_seen=number).values for name, w in kept.items()}
            state = responses.frozen_state(model, "test", {name: w.ravel() for name, w in weights.items()})
            counts = _counts(program, state, samples.pixels, settings.seed)
            series.append(_snapshot(model, int(samples_seen), counts, list(weights.values()), samples.labels))
    return series, samples.labels


def _model(run: Run) -> DesireBackprop:
    model = run.model
    if not isinstance(model, DesireBackprop):
        raise ValueError(
            f"{run.path}: a run of {model.name}, whose neurons have no desires; expected one of desire_backprop"
        )
    return model


def _counts(program: Any, state: Arrays, pixels: NDArray[np.uint8], seed: int) -> dict[str, NDArray[np.uint16]]:
    model, parts = program.structure.model, []
    for number, start in enumerate(range(0, len(pixels), responses.EVALUATION_BLOCK)):
        images = pixels[start : start + responses.EVALUATION_BLOCK]
        inputs = model.all_inputs("test", images, np.zeros(len(images), int))
        block_seed = streams.block_seed(seed, streams.TEST_SPIKES, number)
        parts.append(presentations.show(program, Block(state, inputs, model.run_time_values(), block_seed)).counts)
    return {name: np.concatenate([part[name] for part in parts]) for name in anatomy.populations(model)}


def _snapshot(
    model: DesireBackprop,
    samples_seen: int,
    counts: dict[str, NDArray[np.uint16]],
    weights: Sequence[NDArray[np.floating]],
    labels: NDArray[np.int64],
) -> Snapshot:
    names = list(counts)
    is_code = model.reading == "code"
    rule = Rule(model.steps - model.margin if is_code else model.steps, model.theta_out, model.theta_hid, is_code)
    wished = desires.wishes([counts[name] for name in names[1:]], weights[1:], labels, rule)
    return Snapshot(
        samples_seen,
        accuracy(decoded(model.readouts[0], responses.read_by(model.readouts[0], counts), truth=labels), labels),
        counts,
        dict(zip(names[1:], wished, strict=True)),
        {
            after: desires.operations(counts[before], counts[after], one, passes_back=before != names[0])
            for before, after, one in zip(names, names[1:], wished, strict=False)
        },
    )


def contributions(run: Path, *, images: int = FIRST, data: str | None = None) -> NDArray[np.float64]:
    """How each input neuron serves the desires of the first hidden layer while a run begins to learn (Fig. 8).

    An input's contribution to an image is the number of its spikes times the sum of its weights times the desires of
    the neurons that fired, of the first hidden layer: positive where it drives them as they ought to be.

    Parameters
    ----------
    run : Path
        Its first training images are learned once more, one a block, from its first weights.

    Returns
    -------
    (images, inputs)
    """
    opened = Run.open(run, data=data)
    model, settings, samples = _model(opened), opened.settings, opened.samples("train", images)
    first, size = model.hidden[0], model.layers[0]
    weights_drawn = model.initial_state(streams.generator(settings.seed, streams.INITIAL_WEIGHTS))
    state = initial_state(model, "train", weights_drawn)
    sums = np.zeros((len(samples), model.pixels))
    with opened.scratch() as scratch:
        structure = Structure(model, "train", settings.precision, settings.device, CAPACITY)
        program = devices.program(structure, scratch)
        for number in range(len(samples)):
            one = samples[number : number + 1]
            inputs = model.all_inputs("train", one.pixels, one.labels)
            seed = streams.block_seed(settings.seed, streams.TRAINING_SPIKES, number)
            weights = state[f"to_{first}.w"].reshape(model.pixels, size)
            state = program.run(Block(state, inputs, model.run_time_values(), seed)).state
            sums[number] = state["input.n_spikes"] * (weights @ state[f"{first}.desire"])
    return sums


def draw(
    run: Path, *, images: int = 1000, data: str | None = None, formats: Sequence[str] = ("png",), seed: int = 0,
    ledgers: Path | None = None,
) -> list[Path]:  # fmt: skip
    """Draw losses, activity, contributions and one sample's membrane and trace into a run's ``figures/``.

    The numbers of losses and activity are written beside them, and added to the ledgers of a folder if one is given.

    Returns
    -------
    list of Path
        The table first.
    """
    series, labels = snapshots(run, images=images, data=data)
    opened = Run.open(run)
    model = _model(opened)
    folder = figures.folder_of(run)
    table = folder / "layers.csv"
    whole_files.write(table, as_csv(series))
    if ledgers is not None:
        network = identity.of_run(opened)
        networks.append(ledgers, ITEM, [(network, rows_of(network, series, model.readout))])
    samples_seen = [one.samples_seen for one in series]
    losses = {name: [one.wishes[name].loss.mean() for one in series] for name in series[0].wishes}
    one = desire_example.example(run, data)
    drawings = {
        "local_losses": figures.local_losses(samples_seen, losses, [one.accuracy for one in series]),
        "activity_by_class": figures.activity_by_class(
            samples_seen, _by_class(series, labels, model, seed), opened.class_names or None
        ),
        "contributions": draw_contributions(run, data),
    }
    if one is not None:
        drawings["membrane_example"] = figures.membrane_example(
            one.potential, one.threshold, one.fired, one.inputs, one.input_weights
        )
        drawings["stdp_example"] = figures.stdp_example(one.before, one.trace, one.after, one.change)
    return [
        table,
        *(figures.save(figure, folder / f"{name}.{kind}") for name, figure in drawings.items() for kind in formats),
    ]


def draw_contributions(run: Path, data: str | None = None) -> Figure:
    """What `contributions` finds, averaged over some images each."""
    each = contributions(run, data=data)
    bins = each[: len(each) // BIN * BIN].reshape(-1, BIN, each.shape[1]).mean(axis=1) if len(each) >= BIN else each
    return figures.contributions(bins, BIN if len(each) >= BIN else 1)


def _by_class(
    series: Sequence[Snapshot], labels: NDArray[np.int64], model: DesireBackprop, seed: int
) -> dict[str, NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    activity = {}
    for name, size in list(anatomy.populations(model).items())[1:]:
        some = np.sort(generator.permutation(size)[:SHOWN]) if name != model.readout else np.arange(size)
        activity[name] = np.array(
            [[_mean(one.counts[name][labels == c][:, some]) for c in range(model.classes)] for one in series]
        ) / float(model.steps)
    return activity


def _mean(counts: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Mean over samples; zeros if a class has none."""
    return counts.mean(axis=0) if len(counts) else np.zeros(counts.shape[1])


def as_csv(series: Sequence[Snapshot]) -> str:
    """A line a snapshot and layer: loss, spikes, desires and operations, each a sample's mean.

    ``wanted_up`` and ``wanted_down`` are neurons with a desire of +1 and -1; for operations see
    `hebbarium.analysis.desires.LayerOperations`.
    """
    rows = [
        [
            one.samples_seen, f"{one.accuracy:.2f}", name, one.counts[name].shape[1],
            *(_text(value) for value in numbers.values()),
        ]
        for one in series
        for name, numbers in _by_layer(one).items()
    ]  # fmt: skip
    first, *_ = _by_layer(series[0]).values()
    return whole_files.table_text(("samples_seen", "accuracy", "layer", "neurons", *first), rows)


def rows_of(network: TrainedNetwork, series: Sequence[Snapshot], readout: str) -> list[Row]:
    """The same numbers for the ledger: each snapshot's accuracy, and what is of a layer under its name as readout."""
    rows = []
    for one in series:
        then = dataclasses.replace(network, trained=one.samples_seen)
        tested = len(one.counts[readout])
        rows.append(
            then.row(
                ITEM, measure=ACCURACY, value=round(one.accuracy, 2), unit=PER_CENT, readout=results.CLASS_LAYER,
                tested=tested,
            )
        )  # fmt: skip
        rows += [
            then.row(ITEM, measure=measure, value=float(_text(value)), readout=name, tested=tested)
            for name, numbers in _by_layer(one).items()
            for measure, value in numbers.items()
        ]
    return rows


def _by_layer(one: Snapshot) -> dict[str, dict[str, float]]:
    return {
        name: {
            "loss": float(wished.loss.mean()),
            "spikes": float(one.counts[name].sum(axis=1).mean()),
            "wanted_up": float((wished.desire > 0).sum(axis=1).mean()),
            "wanted_down": float((wished.desire < 0).sum(axis=1).mean()),
            "forward": one.operations[name].forward,
            "backward": one.operations[name].backward,
            "updated": one.operations[name].updated,
        }
        for name, wished in one.wishes.items()
    }


def _text(value: float) -> str:
    return f"{value:.6g}"
