"""A user's own images and labels, from one ``.npz`` file, or from ``.npy`` files.

The file is made by ``numpy.savez_compressed("mine.npz", images=..., labels=...)`` with the keys

``images``
    (n, rows, columns), or (n, pixels) if the images are square: whole numbers from 0 (black) to 255, or floating point
    from 0 to 1. Colours, (n, rows, columns, 3) or (n, 3, rows, columns), are made grey.
``labels``
    (n,): whole numbers from 0, one for each image. A run needs them; `hebbarium predict` does not.
``test_images``, ``test_labels``
    the same, for the images that accuracy is measured on. A run does without them if it measures on training images
    that it holds out: ``--validation 1000 --evaluate-on validation``.
``class_names`` (optional)
    (classes,): text, the name of class 0, 1, and so on. Without it, classes are called by their numbers, and there are
    as many as the largest label says.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets.labelled_images import UNLABELLED, Dataset, DatasetError, digit_names, listed

KEYS = ("images", "labels", "test_images", "test_labels", "class_names")
MOST_CLASSES = 1000
"""The confusion of more would not fit into memory; labels beyond are rather something else than classes."""
GREY = (0.299, 0.587, 0.114)
"""Parts of red, green and blue in the brightness of a colour (ITU-R BT.601)."""
_DIM = 128  # a set whose brightest pixel is darker than that was most likely scaled to something else than 255


def read_npz(path: Path) -> Dataset:
    """Set of a user's own images.

    Floating-point intensities are rounded to the nearest of 256 steps, so that every set is presented alike.

    Parameters
    ----------
    path : Path
        The ``.npz`` file; its keys are those of the module's description.

    Returns
    -------
    Dataset
        Named after the file. Without ``labels`` every label is -1; without ``test_images`` the test part
        is empty.

    Raises
    ------
    DatasetError
        The file is missing or damaged, holds pickled objects, lacks ``images``, has keys that mean nothing
        here, or has an array of a wrong shape, type, range or length.
    """
    return dataset_of(arrays_of(path), path)


def read_npy(path: Path) -> Dataset:
    """The same from ``mine.npy``, which holds the images, and files beside it that hold the other arrays.

    These are ``mine_labels.npy``, ``mine_test_images.npy``, ``mine_test_labels.npy`` and ``mine_class_names.npy``.

    Raises
    ------
    DatasetError
        As `read_npz` says.
    """
    others = {key: path.with_name(f"{path.stem}_{key}.npy") for key in KEYS[1:]}
    places = {"images": path, **{key: place for key, place in others.items() if place.exists()}}
    return dataset_of({key: _array(place) for key, place in places.items()}, path)


def dataset_of(arrays: Mapping[str, NDArray[Any]], path: Path) -> Dataset:
    """Set of the arrays that the module's description names, wherever they were read.

    Raises
    ------
    DatasetError
        ``images`` are missing; there are keys that mean nothing here, or an array of a wrong shape, type, range or
        length.
    """
    if "images" not in arrays:
        raise DatasetError(
            f"{path}: has no array 'images' (found: {listed(sorted(arrays))}); "
            f"save it with numpy.savez_compressed(path, images=..., labels=...)"
        )
    unknown = sorted(set(arrays) - set(KEYS))
    if unknown:
        raise DatasetError(f"{path}: unknown arrays {listed(unknown)}; the arrays read are {listed(KEYS)}")
    if "test_labels" in arrays and "test_images" not in arrays:
        raise DatasetError(
            f"{path}: has 'test_labels' without 'test_images'; add the images or drop the labels"
        )
    train_images, shape, remarks = _images(arrays["images"], f"{path}: 'images'")
    test_images = np.empty((0, shape[0] * shape[1]), dtype=np.uint8)
    if "test_images" in arrays:
        test_images, test_shape, more = _images(arrays["test_images"], f"{path}: 'test_images'")
        remarks += more
        if test_shape != shape:
            raise DatasetError(
                f"{path}: 'test_images' have {in_pixels(test_shape)} and 'images' {in_pixels(shape)}; "
                f"bring both to one size"
            )
    train_labels, test_labels, names = labelled(arrays, len(train_images), len(test_images), path)
    return Dataset(path.name, train_images, train_labels, test_images, test_labels, names, shape, remarks)


def in_pixels(shape: tuple[int, int]) -> str:
    """The size of an image in words: ``28 x 28 = 784 pixels``."""
    rows, columns = shape
    return f"{rows} x {columns} = {rows * columns:,} pixels"


def arrays_of(path: Path) -> Mapping[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file. Raises `DatasetError`."""
    stored = _stored(path)
    if not isinstance(stored, np.lib.npyio.NpzFile):
        raise DatasetError(f"{path}: holds a single array; expected an .npz file made by numpy.savez")
    arrays: dict[str, NDArray[Any]] = {}
    with stored:
        for key in stored.files:
            try:
                arrays[key] = stored[key]
            except _UNREADABLE as error:
                raise _unreadable(path, f"the array {key!r}", error) from error
    return arrays


def _array(path: Path) -> NDArray[Any]:
    stored = _stored(path)
    if not isinstance(stored, np.ndarray):
        raise DatasetError(f"{path}: holds several arrays; expected an .npy file made by numpy.save")
    return stored


def _stored(path: Path) -> Any:
    if not path.is_file():
        what = "is no plain file" if path.exists() else "no such file"
        raise DatasetError(f"{path}: {what}; expected a user's images as an {path.suffix} file")
    try:
        # Pickled objects run code when they are read, and nothing here needs them.
        return np.load(path, allow_pickle=False)
    except _UNREADABLE as error:
        raise _unreadable(path, "the file", error) from error


_UNREADABLE = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def _unreadable(path: Path, what: str, error: Exception) -> DatasetError:
    if "pickle" in str(error):
        reason = f"it is no plain {path.suffix} file, or holds Python objects, which are refused as they can run code"
    else:
        reason = f"it is cut short, damaged or not readable ({error})"
    return DatasetError(
        f"{path}: {what} cannot be read: {reason}; "
        f"save plain arrays of numbers again with numpy.savez_compressed(path, images=..., labels=...)"
    )


def _images(array: NDArray[Any], name: str) -> tuple[NDArray[np.uint8], tuple[int, int], tuple[str, ...]]:
    """Images ``(n, pixels)`` from 0 to 255, their rows and columns, and what is to be said about them."""
    pictures = _pictures(array, name)
    if pictures.size == 0:
        raise DatasetError(f"{name} has shape {array.shape} and holds no image; expected at least one")
    levels = _levels(pictures, name)
    remarks: list[str] = []
    if levels.ndim == 4:
        levels = np.rint(levels @ np.array(GREY)).astype(np.uint8)
        remarks.append(f"{name} are in colour: they were made grey")
    brightest = int(levels.max())
    if 1 < brightest < _DIM:
        remarks.append(
            f"{name} are dim: the brightest pixel of all is {brightest} of 255; if white is {brightest} in them, "
            f"multiply them by 255/{brightest}"
        )
    shape = (levels.shape[1], levels.shape[2])
    return levels.reshape(len(levels), -1), shape, tuple(remarks)


def _pictures(array: NDArray[Any], name: str) -> NDArray[Any]:
    """The array as (n, rows, columns), or (n, rows, columns, 3) if it is in colour."""
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        if side * side == array.shape[1]:
            return array.reshape(len(array), side, side)
        raise DatasetError(
            f"{name} has shape {array.shape}; {array.shape[1]:,} pixels are no square image: "
            f"save the images as (n, rows, columns), or colours as (n, rows, columns, 3)"
        )
    if array.ndim == 3:
        return array
    if array.ndim == 4 and array.shape[3] in (1, 3):
        return array[..., 0] if array.shape[3] == 1 else array
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array[:, 0] if array.shape[1] == 1 else np.moveaxis(array, 1, 3)
    raise DatasetError(
        f"{name} has shape {array.shape}; expected (n, rows, columns), (n, pixels) of square images, or colours "
        f"(n, rows, columns, 3), without transparency"
    )


def _levels(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Intensities as whole numbers from 0 to 255."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind in "iu":
        if array.min() < 0 or array.max() > 255:
            raise DatasetError(
                f"{name} has intensities from {array.min()} to {array.max()}; expected whole numbers from 0 to 255: "
                f"scale the images, as in (images/images.max()*255).astype('uint8')"
            )
        if array.max() == 1:
            raise DatasetError(
                f"{name} holds only 0 and 1 as {array.dtype}, in which white is 255: the images would be nearly black; "
                f"multiply them by 255, or save them as bool or as floating point"
            )
        return array.astype(np.uint8)
    if array.dtype.kind != "f":
        raise DatasetError(
            f"{name} has type {array.dtype}; expected uint8 (intensities 0..255) or floating point (0..1): "
            f"convert with .astype('uint8')"
        )
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        raise DatasetError(
            f"{name} has NaN or infinite pixels, first in image {int(np.argmin(finite))}, "
            f"images affected: {np.count_nonzero(~finite)}; expected numbers from 0 to 1"
        )
    least, most = float(array.min()), float(array.max())
    if least < 0 or most > 1:
        raise DatasetError(
            f"{name} has floating-point intensities from {least:g} to {most:g}; expected 0 to 1: "
            f"divide them by their maximum, or save 0..255 as uint8"
        )
    if 0 < most < 1.5 / 255:
        raise DatasetError(
            f"{name} has floating-point intensities from {least:g} to {most:g}, in which white is 1: the images would "
            f"be black, as if they had been divided by 255 twice; divide them once"
        )
    return np.asarray(np.rint(array.astype(np.float64) * 255), dtype=np.uint8)


def labels(array: NDArray[Any] | None, images: int, name: str) -> NDArray[np.int64]:
    """Labels of samples, -1 where there are none. Raises `DatasetError`."""
    if array is None:
        return np.full(images, UNLABELLED, dtype=np.int64)
    if array.dtype.kind in "US":
        raise DatasetError(
            f"{name} are text; expected whole numbers: save what names, numbers = numpy.unique(labels, "
            f"return_inverse=True) gives, as labels=numbers and class_names=names"
        )
    if array.dtype.kind not in "iu":
        raise DatasetError(f"{name} has type {array.dtype}; expected integers: convert with .astype('int64')")
    if array.shape != (images,):
        hint = ""
        if array.ndim == 2 and len(array) == images:
            hint = ": take .ravel() of a column" if array.shape[1] == 1 else ": take .argmax(axis=1) of one-hot rows"
        raise DatasetError(
            f"{name} has shape {array.shape}; expected ({images},), one label for each image{hint}"
        )
    if images and (array.min() < 0 or array.max() >= MOST_CLASSES):
        raise DatasetError(
            f"{name} has labels from {array.min()} to {array.max()}; expected 0 to {MOST_CLASSES - 1} "
            f"(leave the array out if the images have no labels)"
        )
    return array.astype(np.int64)


def labelled(
    arrays: Mapping[str, NDArray[Any]], train: int, test: int, path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Labels of so many training and test samples, and names of the classes, where arrays have them.

    Raises
    ------
    DatasetError
        One has a wrong shape, type, range or length.
    """
    train_labels = labels(arrays.get("labels"), train, f"{path}: 'labels'")
    test_labels = labels(arrays.get("test_labels"), test, f"{path}: 'test_labels'")
    classes = 1 + max(int(one.max(initial=UNLABELLED)) for one in (train_labels, test_labels))
    return train_labels, test_labels, class_names(arrays.get("class_names"), classes, f"{path}: 'class_names'")


def classes_of(texts: Sequence[str], name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Classes by number, and their names, where labels are text: numbers as they are, or names in their order.

    Raises
    ------
    DatasetError
        There are more than `MOST_CLASSES`.
    """
    if all(text.isdecimal() for text in texts):
        whole = [int(text) for text in texts]
        if max(whole) >= MOST_CLASSES:
            raise DatasetError(f"{name} reaches {max(whole)}; expected 0 to {MOST_CLASSES - 1}")
        return np.array(whole, np.int64), digit_names(max(whole) + 1)
    names, numbers = np.unique(texts, return_inverse=True)
    if len(names) > MOST_CLASSES:
        raise DatasetError(f"{name} holds {len(names):,} classes; expected {MOST_CLASSES:,} at most")
    return numbers.astype(np.int64), tuple(map(str, names))


def class_names(array: NDArray[Any] | None, classes: int, name: str) -> tuple[str, ...]:
    """Names of classes, their numbers where there are none. Raises `DatasetError`."""
    if array is None:
        return digit_names(classes)
    if array.ndim != 1 or array.dtype.kind not in "US":
        raise DatasetError(
            f"{name} has shape {array.shape} and type {array.dtype}; expected text, one name a class, as in "
            f"class_names=['cat', 'dog']"
        )
    try:
        names = tuple(str(text) for text in array.astype(np.str_))
    except UnicodeDecodeError:
        raise DatasetError(f"{name} are bytes beyond ASCII; save them as text") from None
    if not classes <= len(names) <= MOST_CLASSES:
        raise DatasetError(
            f"{name} has {len(names)} names, but labels reach {classes - 1}; expected {classes} or more, the first for "
            f"class 0, and {MOST_CLASSES} at most"
        )
    if len(set(names)) < len(names) or not all(text.strip() for text in names):
        raise DatasetError(f"{name} has an empty name, or one twice; expected a name of its own for each class")
    return names
