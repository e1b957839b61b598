"""Hao et al., Section 7: what a rate-based Hebbian network reaches on the same images.

The network is `hebbarium.studies.rate_network`. ``hebbarium hebbian-control`` runs five trials of 400 hidden units,
five epochs each, in a few minutes; with ``--search`` it tries other constants on 10,000 held-out training images and
adds what came of them to a ledger.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hebbarium.analysis.accuracy import accuracy
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import streams
from hebbarium.ledger import commits, ledger
from hebbarium.ledger.controls import of_folder
from hebbarium.studies import rate_network
from hebbarium.studies.controls import ImageParts, command_of
from hebbarium.studies.rate_network import CLASS_LAYER, LABEL_STATISTICS, Constants
from hebbarium.training import provenance
from hebbarium.training.progress import QuietReporter, Reporter

__all__ = ["CONSTANTS", "EPOCHS", "ITEM", "LEDGER", "SEARCH", "SEEDS", "beside", "control", "rows", "search"]

# -- What is run ---------------------------------------------------------------------------------------------
CONSTANTS = Constants(
    neurons=400,      # Table 1
    winners=3,        # not stated; chosen on validation images, see its search in results/symmetric_stdp.csv
    eta=0.1,          # not stated; chosen likewise
    eta_class=1.0,    # not stated; chosen likewise
    bias_step=1.0,    # not stated; chosen likewise
    bias_decay=1e5,   # not stated; chosen likewise
    beta=0.1,         # Section 3
    w_max=1.0,        # Section 3
    v_max=8.0,        # Section 3
)  # fmt: skip
EPOCHS = 5            # Section 3, for 400 hidden neurons
SEEDS = (0, 1, 2, 3, 4)  # Table 1: five trials

# -- How the constants were chosen ---------------------------------------------------------------------------
# One seed, one epoch of 50,000 training images, 10,000 others to choose by; no test image was used. The best by
# class layer was taken; it lies inside the grid in every direction. Its 92.25 % stand against 91.9 and 91.7 % of the
# next, which such a number of images cannot tell from it (binomial standard error 0.27). Worse by more: a single
# winner (at best 89.6 %), a learning rate of 0.3 (90.5 %).
VALIDATION = 10_000
"""Training images held out while searching."""
GRID: Mapping[str, tuple[float, ...]] = {
    "winners": (1, 3, 5, 10),
    "eta": (0.01, 0.03, 0.1, 0.3),
    "bias_step": (0.3, 1.0, 3.0),
}
"""Tried in every combination, an epoch each; the best by class layer goes on."""
ONE_BY_ONE: Mapping[str, tuple[float, ...]] = {
    "eta_class": (0.1, 1.0, 10.0),
    "bias_decay": (1e4, 1e5, 1e6),
}
"""Tried after that, one after the other."""

LEDGER = "symmetric_stdp.csv"
"""The ledger of the paper that proposes the control."""
ITEM, SEARCH = "hebbian_control", "hebbian_control_search"
_READOUTS = (CLASS_LAYER, LABEL_STATISTICS)
_SEARCHED = ("winners", "eta", "eta_class", "bias_step", "bias_decay")


def control(
    images: Dataset,
    seed: int,
    constants: Constants = CONSTANTS,
    epochs: int = EPOCHS,
    *,
    trained: int | None = None,
    tested: int | None = None,
    validation: int = 0,
    reporter: Reporter | None = None,
) -> dict[str, float]:
    """Train one network and test it.

    Parameters
    ----------
    images : Dataset
    seed : int
        Of the initial weights and of the order of the images.
    trained, tested : int, optional
        Training and test images; all if not given.
    validation : int
        Training images to hold out, and to test on instead of the test images.

    Returns
    -------
    dict
        Per cent right, by readout.
    """
    reporter = reporter or QuietReporter()
    if epochs < 1:
        raise ValueError(f"epochs={epochs}: expected 1 or more")
    shown = ImageParts(trained, tested, validation, "validation" if validation else "test")
    split = shown.split(images, seed)
    orders = [split.order(epoch) for epoch in range(epochs)]
    reporter.stage(f"Seed {seed}", epochs * len(split.train))
    network = rate_network.train(
        constants,
        images.train_images,
        images.train_labels,
        orders,
        streams.generator(seed, streams.INITIAL_WEIGHTS),
        images.classes,
        reporter.advance,
    )
    tested_images, truth, _ = split.tested(images, shown.evaluate_on)
    return {name: accuracy(predicted, truth) for name, predicted in network.predicted(tested_images).items()}


def rows(
    images: Dataset,
    seeds: Iterable[int] = SEEDS,
    constants: Constants = CONSTANTS,
    epochs: int = EPOCHS,
    *,
    trained: int | None = None,
    tested: int | None = None,
    reporter: Reporter | None = None,
) -> Iterator[ledger.Row]:
    """Rows for the ledger, two a seed."""
    searched = (f"{symbol}={getattr(constants, symbol):g}" for symbol in _SEARCHED)
    setting = " ".join([f"neurons={constants.neurons}", f"epochs={epochs}", *searched])
    given = (
        ("neurons", constants.neurons, CONSTANTS.neurons), ("epochs", epochs, EPOCHS), ("images", trained, None),
        ("test-images", tested, None),
    )  # fmt: skip
    commit = commits.named(**provenance.code_version())
    for seed in seeds:
        percents = control(images, seed, constants, epochs, trained=trained, tested=tested, reporter=reporter)
        for readout, percent in percents.items():
            yield ledger.Row(
                item=ITEM,
                dataset=images.name,
                setting=setting,
                readout=readout,
                seed=seed,
                measure=ledger.ACCURACY,
                value=round(percent, 2),
                unit=ledger.PER_CENT,
                paper=None,
                paper_spread=None,
                trained=epochs * (trained or len(images.train_labels)),
                tested=tested or len(images.test_labels),
                selection=ledger.LAST,
                device="numpy",
                precision="float32",
                command=command_of("hebbian-control", images.name, seed, *given),
                commit=commit,
            )


def beside(ours: Iterable[ledger.Row], spiking: Path) -> str:
    """The control's accuracies as a table, and below it the paper's Table 1 for the same size and data set.

    Parameters
    ----------
    ours
        Rows of `rows`.
    spiking : Path
        The paper's ledger; if it is not there, or has no such network, the control stands alone.
    """
    own, controls = list(ours), of_folder(spiking.parent)
    sizes = {(row.dataset, row.neurons) for row in own}
    accuracies = ledger.select(
        ledger.read(spiking), item="Table 1", measure=ledger.ACCURACY, selection=ledger.LAST
    )
    theirs = [row for row in accuracies if (row.dataset, row.neurons) in sizes]
    text = ledger.markdown_table(own, controls=controls)
    return f"{text}\n\n{spiking.stem}:\n\n{ledger.markdown_table(theirs, controls=controls)}" if theirs else text


def search(
    images: Dataset,
    out: Path,
    seed: int = 0,
    grid: Mapping[str, tuple[float, ...]] = GRID,
    one_by_one: Mapping[str, tuple[float, ...]] = ONE_BY_ONE,
    *,
    validation: int = VALIDATION,
    trained: int | None = None,
    reporter: Reporter | None = None,
) -> Constants:
    """Try constants on held-out training images; a ledger keeps what came of them, and is read before and gone on with.

    Parameters
    ----------
    out : Path
        The ledger.

    Returns
    -------
    Constants
        The best by class layer.
    """
    count = len(images.train_labels) - validation if trained is None else trained
    commit = commits.named(**provenance.code_version())
    known = {row.key: row.value for row in ledger.read(out) if row.item == SEARCH}

    def tried(constants: Constants) -> float:
        entries = [_searched(constants, images.name, seed, count, validation, readout, commit) for readout in _READOUTS]
        if not all(row.key in known for row in entries):
            percents = control(
                images, seed, constants, 1, trained=trained, tested=0, validation=validation, reporter=reporter
            )
            entries = [dataclasses.replace(row, value=round(percents[row.readout], 2)) for row in entries]
            ledger.append(out, entries)
            known.update({row.key: row.value for row in entries})
        return known[entries[0].key]

    best = CONSTANTS
    candidates = [best]
    for name, values in grid.items():
        candidates = [_with(c, name, value) for c in candidates for value in values]
    best = max(candidates, key=tried)
    for name, values in one_by_one.items():
        best = max([_with(best, name, value) for value in values], key=tried)
    return best


def _with(constants: Constants, name: str, value: float) -> Constants:
    whole = isinstance(getattr(constants, name), int)
    changed: dict[str, float] = {name: int(value) if whole else value}
    return dataclasses.replace(constants, **changed)  # type: ignore[arg-type]


def _searched(
    constants: Constants, dataset: str, seed: int, trained: int, validated: int, readout: str, commit: str
) -> ledger.Row:
    """A row of the search, without its accuracy."""
    symbols = (f"{symbol}={getattr(constants, symbol):g}" for symbol in ("neurons", *_SEARCHED))
    return ledger.Row(
        item=SEARCH,
        dataset=dataset,
        setting=" ".join([*symbols, "epochs=1", "evaluate_on=validation"]),
        readout=readout,
        seed=seed,
        measure=ledger.ACCURACY,
        value=0.0,
        unit=ledger.PER_CENT,
        paper=None,
        paper_spread=None,
        trained=trained,
        tested=validated,
        selection=ledger.LAST,
        device="numpy",
        precision="float32",
        command="",
        commit=commit,
    )

