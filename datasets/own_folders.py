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
    names, parts = files_by_class(path, (".png",))
    arrays: dict[str, NDArray[Any]] = {"class_names": np.array(names)}
    for part, files in parts.items():
        prefix = "test_" if part == "test" else ""
        arrays[f"{prefix}images"] = _pictures(path, [file for file, _ in files])
        arrays[f"{prefix}labels"] = np.array([label for _, label in files])
    return dataset_of(arrays, path)


def files_by_class(
    path: Path, endings: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[str, list[tuple[Path, int]]]]:
    """Names of the classes in a folder, and the files of ``train`` and ``test``, each with its class.

    Raises
    ------
    DatasetError
        There are no folders, or no such files in them; or there are other classes in ``test`` than in ``train``.
    """
    found = {name.lower(): path / name for name in _folders(path)}
    places = {part: found[part] for part in PARTS} if set(found) == set(PARTS) else {"train": path}
    names = sorted(_folders(places["train"]), key=_order)
    if "test" in places and (unknown := sorted(set(_folders(places["test"])) - set(names))):
        raise DatasetError(f"{places['test']}: has the classes {listed(unknown)}, which {places['train']} has not")
    parts = {
        part: [
            (file, number)
            for number, name in enumerate(names)
            if (place / name).is_dir()
            for file in sorted((place / name).iterdir())
            if file.suffix in endings
        ]
        for part, place in places.items()
    }
    for part, files in parts.items():
        if not files:
            wanted = " or ".join(f"*{ending}" for ending in endings)
            raise DatasetError(f"{places[part]}: its folders hold no files {wanted}: {listed(names[:8])}")
    return tuple(names), parts


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


def _pictures(path: Path, files: list[Path]) -> NDArray[np.uint8]:
    """Grey images ``(n, rows, columns)``, or ``(n, rows, columns, 3)`` if one is in colour."""
    pictures: list[NDArray[np.uint8]] = []
    for file in files:
        pictures.append(_picture(file))
        first = pictures[0]
        if pictures[-1].shape[:2] != first.shape[:2]:
            size, wanted = (" x ".join(map(str, one.shape[:2])) for one in (pictures[-1], first))
            raise DatasetError(f"{file}: has {size} pixels, and the first image {wanted}; bring all to one size")
        if len(pictures) * first.shape[0] * first.shape[1] * 3 > MOST_BYTES:
            raise DatasetError(f"{path}: its images would take more than {MOST_BYTES // 10**9} GB; use fewer")
    if any(one.ndim == 3 for one in pictures):
        pictures = [one if one.ndim == 3 else np.repeat(one[..., np.newaxis], 3, axis=2) for one in pictures]
    return np.stack(pictures)


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
