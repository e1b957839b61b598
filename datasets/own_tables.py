"""A user's own numbers, from a ``.csv`` file with a head: a sample a line.

===============  ================================================================================================
``label``        the class: text, or whole numbers from 0; the column may be called class, target, species or y, or
                 be the only one that holds text
``split``        optional: ``train`` or ``test``; without it no sample is a test sample
all others       numbers. Each column is an input neuron, whose rate is the number: its least value in training
                 samples is black, its largest white
===============  ================================================================================================

With ``table.csv:10`` each column is ten neighbouring neurons with the same level, which the encoder ``population``
tunes to different ones (`n_tuned`). Columns that are called ``pixel0``, ``pixel1`` and so on, or ``1x1``, ``1x2``, are
an image, from 0 to 255.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbarium.datasets.labelled_images import Dataset, DatasetError, listed
from hebbarium.datasets.own_images import classes_of, dataset_of
from hebbarium.files import plain_files

LABELS = ("label", "class", "target", "species", "y")
SPLIT = "split"
MOST_BYTES = 2**31
_PIXEL = re.compile(r"pixel_?\d+|\d+x\d+", re.IGNORECASE)


def read_csv(path: Path, neurons: int = 1) -> Dataset:
    """Set of the samples of a table.

    Parameters
    ----------
    path : Path
    neurons : int
        Of each column.

    Raises
    ------
    DatasetError
        The file is missing or no table with a head; no column is the label; or a number is missing or is none.
    """
    head, lines = _lines(path)
    of_label = _label_column(path, head, lines)
    of_split = next((k for k, name in enumerate(head) if name.lower() == SPLIT), None)
    columns = [k for k in range(len(head)) if k not in (of_label, of_split)]
    if not columns:
        raise DatasetError(f"{path}: has no columns of numbers besides {head[of_label]}")
    labels, names = _labels(path, head[of_label], [line[of_label] for line in lines])
    values = _numbers(path, head, columns, lines)
    tested = np.zeros(len(lines), bool)
    if of_split is not None:
        tested = test_part([line[of_split] for line in lines], f"{path}: column {SPLIT}")
    if all(_PIXEL.fullmatch(head[k]) for k in columns):
        if neurons > 1:
            raise DatasetError(f"{path}:{neurons}: its columns are pixels; expected numbers of a table")
        return _image_set(path, [head[k] for k in columns], values, labels, names, tested)
    found, remarks = levels(path, [head[k] for k in columns], values, tested)
    found = np.repeat(found, neurons, axis=1)
    shape = (1, len(columns)) if neurons == 1 else (len(columns), neurons)
    return Dataset(
        path.name, found[~tested], labels[~tested], found[tested], labels[tested], names, shape, tuple(remarks)
    )


def _lines(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DatasetError(f"{path}: is larger than {MOST_BYTES // 10**9} GB; use images as .npz")
        text = plain_files.read(path).decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(f"{path}: cannot be read as a table ({reason}); expected a .csv file with a head") from error
    if len(rows) < 2:
        raise DatasetError(f"{path}: has {len(rows)} lines; expected a head, and a line for each sample")
    head = [name.strip() for name in rows[0]]
    if all(_is_number(name) for name in head) or len(set(head)) < len(head) or not all(head):
        raise DatasetError(f"{path}: has no head; expected a first line that names each column once, one of them label")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(head):
            raise DatasetError(f"{path}: line {number} has {len(row)} entries, and the head {len(head)}")
    return head, rows[1:]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label_column(path: Path, head: list[str], lines: list[list[str]]) -> int:
    named = [k for name in LABELS for k, column in enumerate(head) if column.lower() == name]
    if named:
        return named[0]
    texts = [
        k for k, name in enumerate(head)
        if name.lower() != SPLIT and not any(_is_number(line[k]) for line in lines)
    ]  # fmt: skip
    if len(texts) != 1:
        raise DatasetError(
            f"{path}: no column is called label (found: {listed(head[:8])}); rename the one that says the class"
        )
    return texts[0]


def _labels(path: Path, column: str, texts: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Classes by number, and their names."""
    stripped = [text.strip() for text in texts]
    if missing := [number for number, text in enumerate(stripped, 2) if not text]:
        raise DatasetError(f"{path}: line {missing[0]} has no {column}")
    return classes_of(stripped, f"{path}: column {column}")


def test_part(texts: Sequence[str], name: str) -> NDArray[np.bool_]:
    """Which samples are test samples, where each says ``train`` or ``test``.

    Raises
    ------
    DatasetError
        One says something else, or none is to be trained on.
    """
    parts = np.array([text.strip().lower() for text in texts])
    if other := sorted(set(parts.tolist()) - {"train", "test"}):
        raise DatasetError(f"{name} holds {other[0]!r}; expected train or test")
    if (parts == "test").all():
        raise DatasetError(f"{name} leaves nothing to train on; expected train for some samples")
    return np.asarray(parts == "test")


def _numbers(path: Path, head: list[str], columns: list[int], lines: list[list[str]]) -> NDArray[np.float64]:
    try:
        values = np.array([[float(line[k]) for k in columns] for line in lines])
    except ValueError:
        values = None
    if values is not None and np.isfinite(values).all():
        return values
    number, k = next(
        (number, k) for number, line in enumerate(lines, 2) for k in columns
        if not _is_number(line[k]) or not np.isfinite(float(line[k]))
    )  # fmt: skip
    raise DatasetError(
        f"{path}: line {number}, column {head[k]}: {lines[number - 2][k]!r} is no number; fill it in, or leave the line"
        " out"
    )


def scaled(values: NDArray[np.float64], tested: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Numbers ``(samples, columns)`` in parts of what training samples have, from a column's least to its largest."""
    least, most = values[~tested].min(axis=0), values[~tested].max(axis=0)
    return np.asarray((values - least) / np.where(most > least, most - least, 1))


def levels(
    path: Path, names: list[str], values: NDArray[np.float64], tested: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], list[str]]:
    """Numbers as whole levels from 0 to 255, by what training samples have, and what is to be said about them."""
    parts = scaled(values, tested)
    remarks = []
    if beyond := int(np.count_nonzero((parts < 0) | (parts > 1))):
        remarks.append(
            f"{path.name}: {beyond:,} numbers of test samples are beyond those of training samples: they were cut"
        )
    if constant := [name for name, same in zip(names, np.ptp(values[~tested], axis=0) == 0, strict=True) if same]:
        remarks.append(f"{path.name}: the same in all training samples: {listed(constant[:8])}")
    return np.rint(255 * np.clip(parts, 0, 1)).astype(np.uint8), remarks


def _image_set(
    path: Path, columns: list[str], values: NDArray[np.float64], labels: NDArray[np.int64], names: tuple[str, ...],
    tested: NDArray[np.bool_],
) -> Dataset:  # fmt: skip
    if (values != np.floor(values)).any() or values.min() < 0 or values.max() > 255:
        raise DatasetError(
            f"{path}: its pixels reach from {values.min():g} to {values.max():g}; expected whole numbers from 0 to 255"
        )
    images = values.astype(np.uint8)
    places = [column.lower().split("x") for column in columns]
    if all(len(place) == 2 and all(part.isdecimal() for part in place) for place in places):
        rows, across = (len({place[axis] for place in places}) for axis in (0, 1))
        if rows * across == len(columns):
            images = images.reshape(len(images), rows, across)
    arrays: dict[str, Any] = {"images": images[~tested], "labels": labels[~tested], "class_names": np.array(names)}
    if tested.any():
        arrays |= {"test_images": images[tested], "test_labels": labels[tested]}
    return dataset_of(arrays, path)
