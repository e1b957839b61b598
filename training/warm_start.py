"""Whether a run that goes on from another one is tested on images that the other one has learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets.labelled_images import DatasetError
from hebbarium.files.errors import EngineError
from hebbarium.training.run import Run
from hebbarium.training.samples import Division


def refuse_learned(division: Division, other: str) -> list[str]:
    """Raise `ValueError` if a run would be tested on images that a run which it goes on from was trained on.

    Parameters
    ----------
    division : Division
        The images of the run that is to begin.
    other : str
        The run that it begins with.

    Returns
    -------
    list of str
        What else there is to say: of validation images that are not tested on, or of images that are not known.
    """
    split, images, settings = division.split, division.images, division.settings
    learned = {"validation": np.zeros(len(split.validation), bool), "test": np.zeros(len(split.test), bool)}
    whence = f"--from {other}"
    before: str | None = other
    passed = set[Path]()
    while before is not None and (path := Path(before).resolve()) not in passed:
        passed.add(path)
        try:
            run = Run.open(path)
            known, trained = run.images, run.division.split.train
        except (EngineError, DatasetError) as error:
            if settings.evaluate_on == "validation":
                raise ValueError(f"{whence}: what {path} was trained on is not known: {error}") from error
            return [f"{whence}: what {path} was trained on is not known ({error})"]
        if known.sha256 == images.sha256:  # its test images are apart from those that it is trained on
            learned["validation"] |= np.isin(split.validation, trained)
        else:
            looks = set(map(bytes, known.train_images[trained]))
            learned["validation"] |= _among(images.train_images[split.validation], looks)
            learned["test"] |= _among(images.test_images[split.test], looks)
        before = run.settings.warm_start
    counts = {name: np.count_nonzero(some) for name, some in learned.items()}
    if counts[settings.evaluate_on]:
        raise ValueError(
            f"{whence}: was trained on {counts[settings.evaluate_on]:,} of the {settings.evaluate_on} images of this"
            " run, whose accuracy would be too good; hold out the same ones, with the same --seed, --images and"
            " --validation"
        )
    if counts["validation"]:
        return [f"{whence}: was trained on {counts['validation']:,} of the images that are held out here"]
    return []


def _among(images: NDArray[np.uint8], looks: set[bytes]) -> NDArray[np.bool_]:
    return np.array([bytes(image) in looks for image in images], bool)
