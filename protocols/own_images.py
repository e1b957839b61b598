"""A user's own images and labels, from one ``.npz`` file.

The file is made by ``numpy.savez_compressed("mine.npz", images=..., labels=...)`` with the keys

``images``
    (n, 28, 28) or (n, 784): uint8 with intensities 0..255, or floating point with 0..1.
``labels`` (optional)
    (n,): integers from 0 to 255.
``test_images``, ``test_labels`` (optional)
    the same, for the images that accuracy is measured on.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.labelled_images import PIXELS, SIDE, UNLABELLED, Dataset, DatasetError, digit_names, listed

KEYS = ("images", "labels", "test_images", "test_labels")


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
    arrays = _arrays(path)
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
    train_images = _images(arrays["images"], f"{path}: 'images'")
    train_labels = _labels(arrays.get("labels"), len(train_images), f"{path}: 'labels'")
    if "test_images" in arrays:
        test_images = _images(arrays["test_images"], f"{path}: 'test_images'")
    else:
        test_images = np.empty((0, PIXELS), dtype=np.uint8)
    test_labels = _labels(arrays.get("test_labels"), len(test_images), f"{path}: 'test_labels'")
    classes = 1 + max(int(labels.max(initial=UNLABELLED)) for labels in (train_labels, test_labels))
    return Dataset(path.name, train_images, train_labels, test_images, test_labels, digit_names(classes))


def _arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; expected a user's images as an .npz file")
    arrays: dict[str, NDArray[Any]] = {}
    key = None
    try:
        # Pickled objects run code when they are read, and nothing here needs them.
        stored = np.load(path, allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise DatasetError(f"{path}: holds a single array; expected an .npz file made by numpy.savez")
        with stored:
            for key in stored.files:
                arrays[key] = stored[key]
    except DatasetError:
        raise
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        what = f"the array {key!r}" if key else "the file"
        if "pickle" in str(error):
            reason = (
                "it is no plain .npz file, or holds Python objects, which are refused as they can run code"
            )
        else:
            reason = f"it is cut short, damaged or not readable ({error})"
        raise DatasetError(
            f"{path}: {what} cannot be read: {reason}; "
            f"save plain arrays of numbers again with numpy.savez_compressed(path, images=..., labels=...)"
        ) from error
    return arrays


def _images(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if array.shape[1:] not in ((SIDE, SIDE), (PIXELS,)):
        raise DatasetError(
            f"{name} has shape {array.shape}; expected (n, {SIDE}, {SIDE}) or (n, {PIXELS}): "
            f"resize the images first"
        )
    if len(array) == 0:
        raise DatasetError(f"{name} holds no image; expected at least one")
    flat = array.reshape(len(array), PIXELS)
    if flat.dtype == np.uint8:
        return np.array(flat, dtype=np.uint8)
    if flat.dtype.kind != "f":
        raise DatasetError(
            f"{name} has type {array.dtype}; expected uint8 (intensities 0..255) or floating point (0..1): "
            f"convert with .astype('uint8')"
        )
    finite = np.isfinite(flat).all(axis=1)
    if not finite.all():
        raise DatasetError(
            f"{name} has NaN or infinite pixels, first in image {int(np.argmin(finite))}, "
            f"images affected: {np.count_nonzero(~finite)}; expected numbers from 0 to 1"
        )
    if flat.min() < 0 or flat.max() > 1:
        raise DatasetError(
            f"{name} has floating-point intensities from {flat.min():g} to {flat.max():g}; expected 0 to 1: "
            f"divide them by their maximum, or save 0..255 as uint8"
        )
    return np.asarray(np.rint(flat.astype(np.float64) * 255), dtype=np.uint8)


def _labels(array: NDArray[Any] | None, images: int, name: str) -> NDArray[np.int64]:
    if array is None:
        return np.full(images, UNLABELLED, dtype=np.int64)
    if array.dtype.kind not in "iu":
        raise DatasetError(f"{name} has type {array.dtype}; expected integers: convert with .astype('int64')")
    if array.shape != (images,):
        raise DatasetError(f"{name} has shape {array.shape}; expected ({images},), one label for each image")
    if images and (array.min() < 0 or array.max() > 255):
        raise DatasetError(
            f"{name} has labels from {array.min()} to {array.max()}; expected 0 to 255 "
            f"(leave the array out if the images have no labels)"
        )
    return array.astype(np.int64)
