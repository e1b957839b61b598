"""Files of a user's own as a set, by what they are: which names mean one, and who reads it.

``images.npz``, ``images.npy`` (`hebbarium.datasets.own_images`), a folder with a folder of PNG images for each class
(`hebbarium.datasets.own_folders`), ``table.csv`` (`hebbarium.datasets.own_tables`), and spikes
(`hebbarium.datasets.own_spikes`), in an ``.npz`` file, a folder of events, or a recording
(`hebbarium.datasets.own_recordings`), and numbers that change in time (`hebbarium.datasets.own_series`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from hebbarium.datasets import made_sets, own_folders, own_images, own_recordings, own_series, own_spikes
from hebbarium.datasets.labelled_images import Dataset, DatasetError
from hebbarium.datasets.own_tables import read_csv


def _npz(path: Path, steps: int = 0) -> Dataset:
    arrays = own_images.arrays_of(path)
    if own_series.KEY in arrays:
        return own_series.of_arrays(arrays, path, steps)
    if steps:
        raise DatasetError(f"{path}:{steps}: holds no series, whose changes would be spikes; leave the number out")
    return (own_spikes.of_arrays if own_spikes.KEYS[0] in arrays else own_images.dataset_of)(arrays, path)


def _folder(path: Path) -> Dataset:
    return (own_spikes if own_spikes.is_events(path) else own_folders).read_folder(path)


def _pickle(path: Path) -> Dataset:
    raise DatasetError(
        f"{path}: is a pickle, which runs code when it is read; if you trust it, read it yourself, and write its block"
        " by Neo's NixIO"
    )


_READERS: Mapping[str, Callable[[Path], Dataset]] = {
    ".npz": _npz, ".npy": own_images.read_npy, ".nix": own_recordings.read_neo, ".mat": own_recordings.read_neo,
    ".nwb": own_recordings.read_nwb, ".pkl": _pickle, ".pickle": _pickle,
}  # fmt: skip
ENDINGS = (*_READERS, ".csv")
_NUMBERED = re.compile(r"(?P<file>.+\.(?:csv|npz))(?::(?P<number>[1-9]\d{0,3}))?")


def place(name: str) -> Path | None:
    """Where the files of a set lie that is a user's own; None for a published one, or an unknown name."""
    if match := _NUMBERED.fullmatch(name):
        return Path(match["file"]).expanduser()
    path = Path(name).expanduser()
    if path.suffix in _READERS or (made_sets.origin(name) is None and path.is_dir()):
        return path
    return None


def located(name: str) -> str:
    """The name of a set with a whole path, if it is a user's own."""
    where = place(name)
    if where is None:
        return name
    match = _NUMBERED.fullmatch(name)
    number = f":{match['number']}" if match and match["number"] else ""
    return f"{where.absolute()}{number}"


def read(name: str) -> Dataset:
    """A user's own set.

    Raises
    ------
    DatasetError
        It is missing or damaged, or is not what such a set is.
    """
    where = place(name)
    assert where is not None
    if match := _NUMBERED.fullmatch(name):
        number = int(match["number"] or 0)
        return _npz(where, number) if where.suffix == ".npz" else read_csv(where, number or 1)
    return _READERS.get(where.suffix, _folder)(where)
