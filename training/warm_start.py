"""Whether a run that goes on from another one is tested on images that the other one has learned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets import draws
from hebbarium.datasets.labelled_images import Dataset, DatasetError
from hebbarium.files.errors import EngineError

if TYPE_CHECKING:
    from hebbarium.training.run_settings import RunSettings

Before = Callable[[Path], "tuple[RunSettings, Dataset]"]


def refuse_learned(asked: RunSettings, images: Dataset, before: Before) -> list[str]:
    """Raise `ValueError` if a run would be tested on images that a run which it goes on from was trained on.

    Parameters
    ----------
    before : callable
        Settings and images of a run.

    Returns
    -------
    list of str
        What else there is to say: of validation images that are not tested on, or of images that are not known.
    """
    split = draws.split(images, asked.images, asked.validation, asked.test_images, asked.seed)
    learned = {"validation": np.zeros(len(split.validation), bool), "test": np.zeros(len(split.test), bool)}
    whence = f"--from {asked.warm_start}"
    other, passed = asked.warm_start, set[Path]()
    while other is not None and (run := Path(other).resolve()) not in passed:
        passed.add(run)
        try:
            there, known = before(run)
            trained = draws.split(known, there.images, there.validation, there.test_images, there.seed).train
        except (EngineError, DatasetError) as error:
            if asked.evaluate_on == "validation":
                raise ValueError(f"{whence}: what {run} was trained on is not known: {error}") from error
            return [f"{whence}: what {run} was trained on is not known ({error})"]
        if known.sha256 == images.sha256:  # its test images are apart from those that it is trained on
            learned["validation"] |= np.isin(split.validation, trained)
        else:
            looks = set(map(bytes, known.train_images[trained]))
            learned["validation"] |= _among(images.train_images[split.validation], looks)
            learned["test"] |= _among(images.test_images[split.test], looks)
        other = there.warm_start
    counts = {name: np.count_nonzero(some) for name, some in learned.items()}
    if counts[asked.evaluate_on]:
        raise ValueError(
            f"{whence}: was trained on {counts[asked.evaluate_on]:,} of the {asked.evaluate_on} images of this run,"
            " whose accuracy would be too good; hold out the same ones, with the same --seed, --images and --validation"
        )
    if counts["validation"]:
        return [f"{whence}: was trained on {counts['validation']:,} of the images that are held out here"]
    return []


def _among(images: NDArray[np.uint8], looks: set[bytes]) -> NDArray[np.bool_]:
    return np.array([bytes(image) in looks for image in images], bool)
