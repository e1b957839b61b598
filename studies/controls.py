"""Controls of a set of images: classifiers without spikes, on the same images in the same order as learning rules.

``hebbarium controls`` trains those of `hebbarium.studies.simple_classifiers` and adds their rows to a ledger; with
``--search`` it tries learning rates on held-out training images. `hebbarium.ledger.controls` says what is made of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hebbarium.analysis.accuracy import accuracy
from hebbarium.datasets import draws
from hebbarium.datasets.labelled_images import Dataset
from hebbarium.engine import streams
from hebbarium.ledger import commits, controls, ledger
from hebbarium.studies import simple_classifiers
from hebbarium.studies.simple_classifiers import Classifier
from hebbarium.training import fit, provenance
from hebbarium.training.progress import QuietReporter, Reporter

__all__ = [
    "ALL", "CONSTANTS", "ETAS", "SEARCH", "SEEDS", "ControlConstants", "ImageParts", "command_of", "rows", "search",
    "trained",
]  # fmt: skip


@dataclass(frozen=True)
class ControlConstants:
    """What the controls are made with; one set for all images.

    Parameters
    ----------
    eta : float
        Learning rate of the softmax for the first images; it falls to zero.
    epochs : int
        Passes of the softmax through the training images.
    prototypes : int
    passes : int
        Passes of the prototypes.
    """

    eta: float = 0.03         # chosen on held-out images of MNIST, see the search in results/controls.csv
    epochs: int = 10          # not tuned
    prototypes: int = 400     # as many as the hidden neurons of most rules' usual networks
    passes: int = 10          # not tuned

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not 0 < getattr(self, field.name) < np.inf:
                raise ValueError(f"{field.name}={getattr(self, field.name)}: expected a positive number")


CONSTANTS = ControlConstants()
SEEDS = (0, 1, 2)
SEARCH = "controls_search"
ETAS = (0.001, 0.003, 0.01, 0.03, 0.1)
"""Learning rates that the search tries, on one seed."""
VALIDATION = 10_000
"""Training images that the search holds out."""


@dataclass(frozen=True)
class ImageParts:
    """Which images a network without spikes is shown.

    Parameters
    ----------
    images, test_images : int, optional
        To train on and to test on, drawn evenly from the classes; all if not given.
    validation : int
        Training images to hold out.
    evaluate_on : {'test', 'validation'}
    """

    images: int | None = None
    test_images: int | None = None
    validation: int = 0
    evaluate_on: str = "test"

    def __post_init__(self) -> None:
        if self.evaluate_on not in ("test", "validation"):
            raise ValueError(f"evaluate_on={self.evaluate_on}: expected test or validation")
        if self.evaluate_on == "validation" and not self.validation:
            raise ValueError("evaluate_on=validation: expected images that are held out, as with --validation 5000")

    def split(self, images: Dataset, seed: int) -> draws.Split:
        """The images of a seed.

        Raises
        ------
        DatasetError
            There are fewer, or they have no labels.
        """
        fit.refuse_unlabelled(images, "training", "they are needed to teach the network; add them to the file")
        if self.evaluate_on == "test":
            fit.refuse_unlabelled(images, "test", "accuracy is measured on them; add them to the file")
        return draws.split(images, self.images, self.validation, self.test_images, seed)

    @property
    def drawn(self) -> bool:
        """Whether seeds differ in their training images."""
        return self.images is not None or self.validation > 0


ALL = ImageParts()


def trained(
    control: str, images: Dataset, split: draws.Split, constants: ControlConstants = CONSTANTS,
    reporter: Reporter | None = None,
) -> Classifier:  # fmt: skip
    """Train one control.

    Parameters
    ----------
    control : {'softmax', 'prototypes', 'class_means'}
    images : Dataset
    split : Split
        Which of them, in what order.
    constants : ControlConstants
    """
    reporter = reporter or QuietReporter()
    passes = _passes(control, constants)
    reporter.stage(f"Control {control.replace('_', ' ')}, seed {split.seed}", passes * len(split.train))
    if control == controls.SOFTMAX:
        orders = [split.order(epoch) for epoch in range(passes)]
        return simple_classifiers.softmax(
            images.train_images, images.train_labels, orders, images.classes, constants.eta, reporter.advance
        )
    pixels, labels = images.train_images[split.train], images.train_labels[split.train]
    if control == controls.CLASS_MEANS:
        return simple_classifiers.class_means(pixels, labels, images.classes)
    generator = streams.generator(split.seed, streams.INITIAL_WEIGHTS)
    number = min(constants.prototypes, len(pixels))
    return simple_classifiers.prototypes(pixels, labels, number, passes, images.classes, generator, reporter.advance)


def rows(
    images: Dataset,
    seeds: Iterable[int] = SEEDS,
    constants: ControlConstants = CONSTANTS,
    shown: ImageParts = ALL,
    *,
    reporter: Reporter | None = None,
) -> Iterator[ledger.Row]:
    """Rows of all controls for the ledger, one a seed.

    Class means of all training images are one row, of the first seed: nothing is drawn.

    Raises
    ------
    DatasetError
        There are fewer images than asked for, or they have no labels.
    """
    commit = commits.named(**provenance.code_version())
    given = tuple(seeds)
    for control in (controls.SOFTMAX, controls.PROTOTYPES, controls.CLASS_MEANS):
        of_seeds = given if control != controls.CLASS_MEANS or shown.drawn else given[:1]
        for seed in of_seeds:
            split = shown.split(images, seed)
            pixels, truth, _ = split.tested(images, shown.evaluate_on)
            predicted = trained(control, images, split, constants, reporter).predicted(pixels)
            row = _row(control, images.name, seed, constants, shown, (len(split.train), len(truth)), commit)
            yield dataclasses.replace(row, value=round(accuracy(predicted, truth), 2))


def search(
    images: Dataset, out: Path, seed: int = 0, etas: Iterable[float] = ETAS, constants: ControlConstants = CONSTANTS,
    *, validation: int = VALIDATION, reporter: Reporter | None = None,
) -> float:  # fmt: skip
    """Try learning rates of the softmax on held-out training images, and add what came of them to a ledger.

    Returns
    -------
    float
        The best.
    """
    shown = ImageParts(validation=validation, evaluate_on="validation")
    split, commit = shown.split(images, seed), commits.named(**provenance.code_version())
    pixels, truth, _ = split.tested(images, shown.evaluate_on)
    made = {}
    for eta in etas:
        tried = dataclasses.replace(constants, eta=eta)
        predicted = trained(controls.SOFTMAX, images, split, tried, reporter).predicted(pixels)
        row = _row(controls.SOFTMAX, images.name, seed, tried, shown, (len(split.train), len(truth)), commit)
        made[eta] = dataclasses.replace(row, item=SEARCH, value=round(accuracy(predicted, truth), 2), command="")
    ledger.append(out, made.values())
    return max(made, key=lambda eta: made[eta].value)


def command_of(name: str, dataset: str, seed: int, *options: tuple[str, object, object]) -> str:
    """The command that trains a network without spikes again, with those options that differ from their usual value.

    Parameters
    ----------
    name : str
        Of the command.
    *options : (str, value, usual value)
    """
    given = (f"--{option} {value}" for option, value, usual in options if value != usual)
    return " ".join([f"hebbarium {name} --dataset {dataset}", *given, f"--seeds {seed}"])


def _passes(control: str, constants: ControlConstants) -> int:
    return {controls.SOFTMAX: constants.epochs, controls.PROTOTYPES: constants.passes}.get(control, 1)


def _row(
    control: str, dataset: str, seed: int, constants: ControlConstants, shown: ImageParts, numbers: tuple[int, int],
    commit: str,
) -> ledger.Row:  # fmt: skip
    """A row without its accuracy; `numbers` are images trained on in a pass, and tested on."""
    trained_on, tested = numbers
    setting = {
        controls.SOFTMAX: f"eta={constants.eta:g} epochs={constants.epochs}",
        controls.PROTOTYPES: f"neurons={min(constants.prototypes, trained_on)} epochs={constants.passes}",
    }.get(control, "")
    if shown.evaluate_on != "test":
        setting = f"{setting} evaluate_on={shown.evaluate_on}".strip()
    command = command_of(
        "controls", dataset, seed,
        ("prototypes", constants.prototypes, CONSTANTS.prototypes), ("images", shown.images, None),
        ("test-images", shown.test_images, None), ("validation", shown.validation, 0),
        ("evaluate-on", shown.evaluate_on, "test"),
    )  # fmt: skip
    return ledger.Row(
        item=controls.ITEM,
        dataset=dataset,
        setting=setting,
        readout=control,
        seed=seed,
        measure=ledger.ACCURACY,
        value=0.0,
        unit=ledger.PER_CENT,
        paper=None,
        paper_spread=None,
        trained=_passes(control, constants) * trained_on,
        tested=tested,
        selection=ledger.LAST,
        device="numpy",
        precision="float64",
        command=command,
        commit=commit,
    )
