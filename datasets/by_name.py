"""Image sets by name: `load` one, `describe` what there is and where, `fetch` what is not there.

The sets are ``mnist`` and ``fashion-mnist`` as published (60,000 training and 10,000 test images each),
``mnist-embedded`` (6,000 and 1,000) and ``fashion-mnist-embedded`` (3,000 and 1,000), which come with the
project, what is made of these by a rule, such as ``mnist-rotated`` (`hebbarium.datasets.made_sets`), and files of a
user's own: images, tables (`hebbarium.datasets.own_files`).

Examples
--------
>>> digits = load("mnist-embedded")
>>> digits.train_images.shape, digits.class_names[7]
((6000, 784), '7')
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hebbarium.datasets import made_sets, own_files
from hebbarium.datasets.labelled_images import Dataset, DatasetError, listed
from hebbarium.datasets.published_sets import SETS, PublishedSet, download, locate, read_set

__all__ = ["DEFAULT", "SETS", "Dataset", "DatasetError", "SetDescription", "describe", "fetch", "load"]

DEFAULT = "mnist-embedded"
"""Set of the demonstration and the tests: there without a download."""


def load(name: str | Path = DEFAULT, data: str | Path | None = None) -> Dataset:
    """Images and labels of a set, checked.

    Parameters
    ----------
    name : str or Path
        Name of a published set or of one that is made of it, see `hebbarium.datasets.made_sets`; or the path of a
        user's own, see `hebbarium.datasets.own_files`.
    data : str or Path, optional
        Folder that holds the files of ``mnist`` or ``fashion-mnist``, directly or in a subfolder named after
        the set. Without it they are looked for in the folder named by the environment variable
        ``HEBBARIUM_DATA``, where Debian's ``dataset-fashion-mnist`` puts them and in the user's cache, and
        downloaded into the cache if they are nowhere.

    Raises
    ------
    DatasetError
        The name is unknown; or a file is missing, unreadable, cut short, swapped, altered or otherwise not
        what it should be; or nothing could be downloaded. The message says which file, and what to do.
    """
    if own_files.place(str(name)) is not None:
        return own_files.read(str(name))
    if name in made_sets.NAMES:
        known, rule = made_sets.parts_of(str(name))
        return made_sets.made(load(known.name, data), rule)
    known = _known(str(name))
    location = locate(known, None if data is None else Path(data))
    return read_set(known, location or download(known))


def fetch(name: str) -> Path:
    """Download a published set into the user's cache, whether or not it is elsewhere too.

    Parameters
    ----------
    name : str
        ``mnist`` or ``fashion-mnist``, or a set that is made of one of them.

    Returns
    -------
    Path
        The folder the files are in.

    Raises
    ------
    DatasetError
        The name is unknown or embedded, no mirror delivers the right bytes, or the cache cannot be written.
    """
    return download(made_sets.parts_of(name)[0] if name in made_sets.NAMES else _known(name)).folder


@dataclass(frozen=True)
class SetDescription:
    """One line of `describe`.

    Attributes
    ----------
    name, title, licence : str
        As in `hebbarium.datasets.published_sets.PublishedSet`.
    train, test : int
        Numbers of images.
    state : str
        ``ok`` (found, every digest right), ``not found`` (`load` would download it) or ``damaged``.
    source : str
        ``embedded``, ``data folder``, ``HEBBARIUM_DATA``, ``Debian package`` or ``cache``; empty if not
        found.
    folder : Path or None
        Folder that the files are in.
    sha256 : str
        Digest of the set; empty unless the state is ``ok``.
    problem : str
        What is wrong and what to do; empty if the state is ``ok``.
    """

    name: str
    title: str
    licence: str
    train: int
    test: int
    state: str
    source: str = ""
    folder: Path | None = None
    sha256: str = ""
    problem: str = ""


def describe(data: str | Path | None = None, names: Iterable[str] = tuple(SETS)) -> list[SetDescription]:
    """What sets there are, where their files were found, and whether every digest is right.

    Reads every file found (about a second) and downloads nothing.

    Parameters
    ----------
    data : str or Path, optional
        As for `load`.
    names : iterable of str
        The sets to describe; all of them unless stated.
    """
    return [_described(_known(name), None if data is None else Path(data)) for name in names]


def _described(known: PublishedSet, data: Path | None) -> SetDescription:
    facts = (known.name, known.title, known.licence, known.train, known.test)
    try:
        location = locate(known, data)
    except DatasetError as error:
        return SetDescription(*facts, state="not found", problem=str(error))
    if location is None:
        return SetDescription(*facts, state="not found", problem="it is downloaded when it is first used")
    try:
        dataset = read_set(known, location)
    except DatasetError as error:
        return SetDescription(*facts, "damaged", location.source, location.folder, problem=str(error))
    return SetDescription(*facts, "ok", location.source, location.folder, sha256=dataset.sha256)


def _known(name: str) -> PublishedSet:
    if name in SETS:
        return SETS[name]
    near = difflib.get_close_matches(name.lower().replace("_", "-"), (*SETS, *made_sets.NAMES), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise DatasetError(
        f"{name!r}: no such data set; {hint}Expected {listed(list(SETS))}, "
        f"one of them with {' or '.join(f'-{rule}' for rule in made_sets.RULES)} behind its name, "
        f"or the path of an .npz file of your own"
    )
