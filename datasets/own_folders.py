"""A user's own images, from a folder with a folder of PNG images for each class.

``mine/cat/*.png``, ``mine/dog/*.png``; or, where accuracy is measured on images that are given apart,
``mine/train/cat/*.png`` and ``mine/test/cat/*.png``. Classes are numbered in the order of their names, of their numbers
if all are numbers. All images have one size, and 8 bits a colour. Colours are made grey.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hebbarium.datasets.labelled_images import Dataset, DatasetError, listed
from hebbarium.datasets.own_images import MOST_CLASSES, dataset_of
from hebbarium.files import plain_files

PARTS = ("train", "test")
MOST_PIXELS = 2**24
"""Of one image: 4,096 by 4,096."""
MOST_BYTES = 2**34
"""Of all images together: beyond, they would not fit into memory."""


def read_folder(path: Path) -> Dataset:
    """Set of the images of a folder.

    Raises
    ------
    DatasetError
        It holds no folders of PNG images, or other classes in ``test`` than in ``train``; or an image is damaged, too
        large, of another size than the first, transparent, or has more than 8 bits a colour.
    """
    parts = _folders(path)
    if set(parts) != set(PARTS):
        arrays = _part(path, sorted(parts, key=_order))
        return dataset_of({**arrays, "class_names": _names(parts)}, path)
    classes = _folders(path / "train")
    if unknown := sorted(set(_folders(path / "test")) - set(classes)):
        raise DatasetError(f"{path / 'test'}: has the classes {listed(unknown)}, which {path / 'train'} has not")
    order = sorted(classes, key=_order)
    test = {f"test_{name}": array for name, array in _part(path / "test", order).items()}
    return dataset_of({**_part(path / "train", order), **test, "class_names": _names(classes)}, path)


def _folders(path: Path) -> list[str]:
    """Names of the folders in a folder."""
    try:
        names = [entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    if not names:
        raise DatasetError(f"{path}: holds no folders; expected a folder of PNG images for each class")
    if len(names) > MOST_CLASSES:
        raise DatasetError(f"{path}: holds {len(names):,} folders; expected one a class, {MOST_CLASSES:,} at most")
    return names


def _order(name: str) -> tuple[int, str]:
    return (int(name), name) if name.isdecimal() else (-1, name)


def _names(classes: list[str]) -> NDArray[np.str_]:
    return np.array(sorted(classes, key=_order))


def _part(path: Path, classes: list[str]) -> dict[str, NDArray[Any]]:
    """Images and labels; grey ones ``(n, rows, columns)``, or ``(n, rows, columns, 3)`` if one is in colour."""
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        for file in sorted((path / name).glob("*.png")) if (path / name).is_dir() else ():
            pictures.append(_picture(file))
            labels.append(number)
            first = pictures[0]
            if pictures[-1].shape[:2] != first.shape[:2]:
                size, wanted = (" x ".join(map(str, one.shape[:2])) for one in (pictures[-1], first))
                raise DatasetError(f"{file}: has {size} pixels, and the first image {wanted}; bring all to one size")
            if len(pictures) * first.shape[0] * first.shape[1] * 3 > MOST_BYTES:
                raise DatasetError(f"{path}: its images would take more than {MOST_BYTES // 10**9} GB; use fewer")
    if not pictures:
        raise DatasetError(f"{path}: its folders hold no PNG images (*.png): {listed(classes[:8])}")
    if any(one.ndim == 3 for one in pictures):
        pictures = [one if one.ndim == 3 else np.repeat(one[..., np.newaxis], 3, axis=2) for one in pictures]
    return {"images": np.stack(pictures), "labels": np.array(labels)}


def _picture(file: Path) -> NDArray[np.uint8]:
    """The levels of one image: ``(rows, columns)``, or ``(rows, columns, 3)`` of a colour one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is too large is refused below
            image: Image.Image = Image.open(io.BytesIO(plain_files.read(file)), formats=["PNG"])
            if image.width * image.height > MOST_PIXELS:
                raise DatasetError(f"{file}: has {image.width} x {image.height} pixels; bring it to a smaller size")
            if image.mode.startswith("I"):
                raise DatasetError(f"{file}: has 16 bits a pixel; save it with 8")
            if image.mode == "P" or "A" in image.mode or "transparency" in image.info:
                image = image.convert("RGBA")
                if np.asarray(image)[..., 3].min() < 255:
                    raise DatasetError(f"{file}: is transparent; save it on a background of its own")
                image = image.convert("RGB")
            levels = np.asarray(image.convert("RGB" if image.mode == "RGB" else "L"))
    except DatasetError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{file}: cannot be read as a PNG image ({error}); it is damaged, or none") from error
    if levels.ndim == 3 and (levels == levels[..., :1]).all():
        return levels[..., 0]
    return levels
