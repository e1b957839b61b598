"""The published image sets: their files, digests and mirrors; finding, checking and downloading them.

A folder may hold the four files of a set directly or in a subfolder named after the set, raw, gzip- or
xz-compressed, with either of the two spellings in use (``train-images-idx3-ubyte`` and
``train-images.idx3-ubyte``). What counts is the SHA-256 of each file's decompressed bytes: the compressed
files differ from mirror to mirror.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hebbarium.datasets import idx
from hebbarium.datasets.labelled_images import MNIST_SHAPE, Dataset, DatasetError, digit_names, listed

FOLDER_VARIABLE = "HEBBARIUM_DATA"
EMBEDDED = Path(__file__).parent / "embedded"
DEBIAN = Path("/usr/share/datasets")

PARTS = MappingProxyType(
    {
        "train-images": ("train-images-idx3-ubyte", "train-images.idx3-ubyte"),
        "train-labels": ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
        "t10k-images": ("t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"),
        "t10k-labels": ("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"),
    }
)
"""File names of each part of a set, without the suffix of a compressed file; the first is the usual one."""

SUFFIXES = ("", ".gz", ".xz")
CONNECTION_SECONDS = 15.0


@dataclass(frozen=True)
class PublishedSet:
    """What is known of a published set.

    Attributes
    ----------
    name, title : str
        Name in commands, and in prose.
    train, test : int
        Numbers of images.
    class_names : tuple of str
        Class names by label.
    digests : dict of str
        SHA-256 (hex) of the decompressed bytes of each part.
    subfolders : tuple of str
        Subfolders of a data folder that may hold the files.
    licence : str
        Licence and authors.
    mirrors : tuple of str
        Addresses of folders with the gzip-compressed files, tried in order. Empty if the set is embedded.
    """

    name: str
    title: str
    train: int
    test: int
    class_names: tuple[str, ...]
    digests: MappingProxyType[str, str]
    subfolders: tuple[str, ...]
    licence: str
    mirrors: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the set comes with the project."""
        return not self.mirrors


_MNIST_LICENCE = "CC BY-SA 3.0; Yann LeCun, Corinna Cortes, Christopher J.C. Burges"
_FASHION_LICENCE = "MIT; Zalando SE"
_GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

MNIST = PublishedSet(
    name="mnist",
    title="MNIST",
    train=60_000,
    test=10_000,
    class_names=digit_names(10),
    digests=MappingProxyType(
        {
            "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        }
    ),
    subfolders=("mnist", "MNIST", "MNIST/raw"),
    licence=_MNIST_LICENCE,
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
)

FASHION_MNIST = PublishedSet(
    name="fashion-mnist",
    title="Fashion-MNIST",
    train=60_000,
    test=10_000,
    class_names=_GARMENTS,
    digests=MappingProxyType(
        {
            "train-images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        }
    ),
    subfolders=("fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw", "fashion"),
    licence=_FASHION_LICENCE,
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
)

MNIST_EMBEDDED = PublishedSet(
    name="mnist-embedded",
    title="MNIST, embedded subset",
    train=6_000,
    test=1_000,
    class_names=MNIST.class_names,
    digests=MappingProxyType(
        {
            "train-images": "e4ce182d19ffdd7d4318a9356956eca4c8ecea1fb5547a9b3c4090ab37851d55",
            "train-labels": "f7c4d399b5052c0184937d658488e60a43b91c4f7f184b53dff0892bdc700222",
            "t10k-images": "f5eec4ac1b9c04e57fd31a1e066ccc165c1ce82a49d91cc2bbd9872ca25c01d5",
            "t10k-labels": "5cf92ad7e7157f5eb2331aac41be3973208b53837a59e7a71d4b9bec9af3e553",
        }
    ),
    subfolders=("mnist",),
    licence=_MNIST_LICENCE,
)

FASHION_MNIST_EMBEDDED = PublishedSet(
    name="fashion-mnist-embedded",
    title="Fashion-MNIST, embedded subset",
    train=3_000,
    test=1_000,
    class_names=_GARMENTS,
    digests=MappingProxyType(
        {
            "train-images": "ae776d055adf3635f3ae7536654c90b0393a15c79d6fc264911b03671b51ab15",
            "train-labels": "0275a6fe67a4ea17cfcfc5995bc1e4f1b24f5f09e40ed3f6778307939cf34e92",
            "t10k-images": "6fdf6c9516967d4161341cfe6e9a8c225b352f1484c986473cefea37868cb59d",
            "t10k-labels": "abb74266f637547136665be5afc624f6ddbd86c9f45f25c6bda07dc3dfb29060",
        }
    ),
    subfolders=("fashion-mnist",),
    licence=_FASHION_LICENCE,
)

SETS = MappingProxyType(
    {known.name: known for known in (MNIST, FASHION_MNIST, MNIST_EMBEDDED, FASHION_MNIST_EMBEDDED)}
)
"""Every published set by its name."""


@dataclass(frozen=True)
class Location:
    """A folder that holds files of a set, and how it came to be looked at."""

    folder: Path
    source: str
    files: MappingProxyType[str, Path]


def cache_folder() -> Path:
    """Folder of the user's cache that downloads go to; it need not exist."""
    import pooch  # not at the top: it takes longer to import than the embedded sets to load

    return Path(pooch.os_cache("hebbarium")) / "data"


def locate(known: PublishedSet, data: Path | None = None) -> Location | None:
    """Where the files of a set are, or None if they are nowhere and would have to be downloaded.

    The places are the folder given, the folder named by the environment variable ``HEBBARIUM_DATA``, the
    place of Debian's ``dataset-fashion-mnist``, and the user's cache, in this order. Embedded sets are in the
    project and nowhere else. A cache that lacks files, as an interrupted download leaves it, does not count.

    Raises
    ------
    DatasetError
        A folder given by ``data`` or by the environment variable does not exist or may not be read; or
        ``data`` holds no file of the set.
    """
    if known.embedded:
        return _search(known, EMBEDDED, "embedded")
    if data is not None:
        location = _search(known, _readable_folder(data, "the data folder"), "data folder")
        if location is None:
            raise DatasetError(
                f"{data}: holds no file of {known.title}; expected "
                f"{listed([names[0] for names in PARTS.values()])} (raw or .gz), there or in its subfolder "
                f"{known.subfolders[0]!r}: name another folder, or none to look elsewhere and download"
            )
        return location
    for folder, source in _places():
        location = _search(known, folder, source)
        if location is not None and (source != "cache" or len(location.files) == len(PARTS)):
            return location
    return None


def _places() -> Iterator[tuple[Path, str]]:
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        yield _readable_folder(Path(named), f"the folder named by {FOLDER_VARIABLE}"), FOLDER_VARIABLE
    yield DEBIAN, "Debian package"
    yield cache_folder(), "cache"


def _readable_folder(folder: Path, what: str) -> Path:
    folder = folder.expanduser()
    if not folder.is_dir():
        raise DatasetError(f"{folder}: {what} is no folder; expected one that holds data files")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise DatasetError(f"{folder}: {what} may not be read; change its permissions or name another")
    return folder


def _search(known: PublishedSet, folder: Path, source: str) -> Location | None:
    for place in (*(folder / name for name in known.subfolders), folder):
        files = {}
        for part, names in PARTS.items():
            candidates = (place / (name + suffix) for suffix in SUFFIXES for name in names)
            path = next((candidate for candidate in candidates if os.path.lexists(candidate)), None)
            if path is not None:
                files[part] = path
        if files:
            return Location(place, source, MappingProxyType(files))
    return None


def read_set(known: PublishedSet, location: Location) -> Dataset:
    """Images and labels of a set from the files found, each checked against its digest.

    Raises
    ------
    DatasetError
        A file is missing, unreadable, cut short, another file of this or another set, or altered.
    """
    for part, names in PARTS.items():
        if part not in location.files:
            raise DatasetError(
                f"{location.folder / names[0]}: is missing (raw or .gz); {known.title} needs it beside "
                f"{listed(sorted(path.name for path in location.files.values()))}: {_remedy(location)}"
            )
    contents = {part: _checked(known, part, path, location) for part, path in location.files.items()}
    arrays = {part: idx.decode(contents[part], str(path)) for part, path in location.files.items()}
    return Dataset(
        name=known.name,
        train_images=arrays["train-images"].reshape(known.train, -1),
        train_labels=arrays["train-labels"].astype("int64"),
        test_images=arrays["t10k-images"].reshape(known.test, -1),
        test_labels=arrays["t10k-labels"].astype("int64"),
        class_names=known.class_names,
    )


def _checked(known: PublishedSet, part: str, path: Path, location: Location) -> bytes:
    try:
        content = idx.read_bytes(path)
    except idx.IdxError as error:
        what = f"expected the {_content(part)} of {known.title}"
        raise DatasetError(f"{error}; {what}: {_remedy(location)}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != known.digests[part]:
        fault = _fault(known, part, path, content, digest)
        raise DatasetError(f"{fault}; expected the {_content(part)} of {known.title}: {_remedy(location)}")
    return content


def _content(part: str) -> str:
    split, kind = part.split("-")
    return f"{'training' if split == 'train' else 'test'} {kind}"


def _remedy(location: Location) -> str:
    if location.source == "embedded":
        return "restore the file from the project's repository"
    if location.source == "mirror":
        return "what came is discarded"
    if location.source == "cache":
        return f"remove the folder {location.folder} and the set is downloaded again"
    return "replace it by an intact copy, or remove the set's files there and have them downloaded"


def _fault(known: PublishedSet, part: str, path: Path, content: bytes, digest: str) -> str:
    """What is wrong with a file whose digest is not the expected one, as precisely as it can be told."""
    for other in SETS.values():
        for other_part, other_digest in other.digests.items():
            if digest == other_digest:
                return f"{path}: holds the {_content(other_part)} of {other.title}"
    try:
        array = idx.decode(content, str(path))
    except idx.IdxError as error:
        return str(error)
    images = known.train if part.startswith("train") else known.test
    shape = (images, *MNIST_SHAPE) if part.endswith("images") else (images,)
    if array.ndim != len(shape):
        return f"{path}: holds {'labels' if array.ndim == 1 else 'images'} of shape {array.shape}"
    if array.shape != shape:
        return f"{path}: holds an array of shape {array.shape}, not {shape}"
    if part.endswith("labels") and array.max() >= len(known.class_names):
        return f"{path}: holds labels up to {array.max()}, not 0 to {len(known.class_names) - 1}"
    return f"{path}: is altered; its decompressed bytes have SHA-256 {digest}, not {known.digests[part]}"


def download(known: PublishedSet) -> Location:
    """Files of a set, downloaded into the user's cache and checked.

    Each file is fetched into a private folder and moved into its place when its digest is right, so that the
    cache never holds a damaged file, whatever interrupts the download. Files that are there already and right
    are kept.

    Raises
    ------
    DatasetError
        The cache may not be written, or no mirror delivers the right bytes.
    """
    if known.embedded:
        raise DatasetError(f"{known.name}: comes with the project; there is nothing to download")
    import pooch

    # pooch reports every file and its digest as if the digest were news; the digests are ours.
    pooch.get_logger().setLevel(logging.WARNING)
    folder = cache_folder() / known.name
    mirrors = list(known.mirrors)
    failures: list[str] = []
    downloaded = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, names in PARTS.items():
            place = folder / (names[0] + ".gz")
            if _intact(known, part, place):
                downloaded[part] = place
                continue
            while mirrors and part not in downloaded:
                try:
                    _arrive(known, part, mirrors[0], place)
                except (OSError, ValueError) as error:
                    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                        raise
                    # A mirror that fails once is left out for the rest: waiting again helps nobody.
                    failures.append(f"{mirrors.pop(0)}{place.name}: {error}")
                else:
                    downloaded[part] = place
            if part not in downloaded:
                raise DatasetError(
                    f"{known.title} could not be downloaded. Tried:\n  "
                    + "\n  ".join(failures)
                    + f"\nConnect to the internet and try again; or put the files {listed(_usual_names())} "
                    f"into a folder and name it with --data or {FOLDER_VARIABLE}; or use "
                    f"{known.name}-embedded, which comes with the project"
                )
    except OSError as error:
        raise DatasetError(
            f"{folder}: downloads cannot be stored there ({error.strerror or error}); free space, change its "
            f"permissions, or set XDG_CACHE_HOME to a folder that can be written"
        ) from error
    return Location(folder, "cache", MappingProxyType(downloaded))


def _intact(known: PublishedSet, part: str, path: Path) -> bool:
    try:
        _checked(known, part, path, Location(path.parent, "cache", MappingProxyType({})))
    except DatasetError:
        return False
    return True


def _usual_names() -> list[str]:
    return [names[0] + ".gz" for names in PARTS.values()]


def _arrive(known: PublishedSet, part: str, mirror: str, place: Path) -> None:
    """Fetch one file from one mirror, check it, and move it into its place."""
    import pooch

    # pooch takes a file that is already there for the one asked for: each attempt has a folder of its own.
    with tempfile.TemporaryDirectory(prefix=".arriving-", dir=place.parent) as arriving:
        downloader = pooch.HTTPDownloader(timeout=CONNECTION_SECONDS)
        arrived = pooch.retrieve(
            mirror + place.name, known_hash=None, fname=place.name, path=arriving, downloader=downloader
        )
        _checked(known, part, Path(arrived), Location(Path(arriving), "mirror", MappingProxyType({})))
        os.replace(arrived, place)
