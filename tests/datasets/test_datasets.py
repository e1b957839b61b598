"""Image sets: found, checked, refused with a reason, and drawn from evenly."""

from __future__ import annotations

import dataclasses
import errno
import functools
import gzip
import hashlib
import http.server
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pooch
import pytest

from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import embed, idx, published_sets
from hebbarium.datasets.by_name import DatasetError, describe, fetch, load
from hebbarium.datasets.draws import Purpose, balanced_draw, even_draw, split, stream
from hebbarium.datasets.labelled_images import UNLABELLED, Dataset
from hebbarium.datasets.published_sets import PARTS, PublishedSet

Contents = dict[str, bytes]


def tiny_contents(seed: int) -> Contents:
    """A set of 30 training and 20 test images, as decompressed IDX files."""
    rng = np.random.default_rng(seed)
    return {
        "train-images": idx.encode(rng.integers(0, 256, (30, 28, 28), dtype=np.uint8)),
        "train-labels": idx.encode(np.arange(30, dtype=np.uint8) % 10),
        "t10k-images": idx.encode(rng.integers(0, 256, (20, 28, 28), dtype=np.uint8)),
        "t10k-labels": idx.encode(np.arange(20, dtype=np.uint8) % 10),
    }


def tiny_set(
    name: str, contents: Contents, mirrors: tuple[str, ...] = ("http://127.0.0.1:9/",)
) -> PublishedSet:
    return PublishedSet(
        name=name,
        title=name.capitalize(),
        train=30,
        test=20,
        class_names=tuple("0123456789"),
        digests=MappingProxyType(
            {part: hashlib.sha256(content).hexdigest() for part, content in contents.items()}
        ),
        subfolders=(name,),
        licence="none",
        mirrors=mirrors,
    )


def write_set(folder: Path, contents: Contents, *, spelling: int = 0, suffix: str = ".gz") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part, content in contents.items():
        path = folder / (PARTS[part][spelling] + suffix)
        path.write_bytes(gzip.compress(content) if suffix == ".gz" else content)
    return folder


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Contents:
    """Two known sets, ``digits`` and ``garments``, and nothing in any of the usual places."""
    digits, garments = tiny_contents(1), tiny_contents(2)
    garments["train-labels"] = idx.encode(np.arange(30, dtype=np.uint8)[::-1] % 10)
    garments["t10k-labels"] = idx.encode(np.arange(20, dtype=np.uint8)[::-1] % 10)
    sets = MappingProxyType(
        {"digits": tiny_set("digits", digits), "garments": tiny_set("garments", garments)}
    )
    monkeypatch.setattr(published_sets, "SETS", sets)
    monkeypatch.setattr(datasets, "SETS", sets)
    monkeypatch.setattr(published_sets, "DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(published_sets.FOLDER_VARIABLE, raising=False)
    return digits


class TestEmbedded:
    @pytest.mark.parametrize(
        ("name", "train", "test"), [("mnist-embedded", 600, 100), ("fashion-mnist-embedded", 300, 100)]
    )
    def test_is_balanced_and_loads_quickly(self, name: str, train: int, test: int) -> None:
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            images = load(name)
            seconds.append(time.perf_counter() - start)
        assert min(seconds) < 0.3
        np.testing.assert_array_equal(np.bincount(images.train_labels), np.full(10, train))
        np.testing.assert_array_equal(np.bincount(images.test_labels), np.full(10, test))
        assert images.train_images.shape == (10 * train, 784)
        assert images.train_images.dtype == np.uint8
        assert images.train_labels.dtype == np.int64
        assert not images.train_images.flags.writeable
        assert 20 < images.train_images.mean() < 100  # ink on black, not the other way round

    def test_is_the_default_and_takes_no_folder(self, tmp_path: Path) -> None:
        assert load().sha256 == load("mnist-embedded", data=tmp_path).sha256

    def test_digests_of_sets_differ(self) -> None:
        assert load("mnist-embedded").sha256 != load("fashion-mnist-embedded").sha256

    def test_takes_under_4_megabytes_and_names_its_licences(self) -> None:
        files = [path for path in published_sets.EMBEDDED.rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) < 4_000_000
        licences = (published_sets.EMBEDDED / "LICENSES.txt").read_text(encoding="utf-8")
        for needed in (
            "Attribution-ShareAlike 3.0",
            "LeCun",
            "Cortes",
            "Burges",
            "MIT License",
            "Zalando SE",
        ):
            assert needed in licences

    def test_digits_look_like_their_class(self) -> None:
        """A nearest-mean classifier gets most test digits right, so images and labels belong together."""
        digits = load("mnist-embedded")
        means = np.stack(
            [digits.train_images[digits.train_labels == number].mean(axis=0) for number in range(10)]
        )
        distances = ((digits.test_images[:, None, :].astype(float) - means) ** 2).sum(axis=2)
        assert np.mean(distances.argmin(axis=1) == digits.test_labels) > 0.75

    @pytest.mark.parametrize(
        ("whole", "part"),
        [
            (published_sets.MNIST, published_sets.MNIST_EMBEDDED),
            (published_sets.FASHION_MNIST, published_sets.FASHION_MNIST_EMBEDDED),
        ],
        ids=["mnist", "fashion-mnist"],
    )
    def test_is_the_seeded_draw_from_the_whole_set(self, whole: PublishedSet, part: PublishedSet) -> None:
        location = published_sets.locate(whole)
        if location is None:
            pytest.skip(f"{whole.title} is not on this machine; name its folder with HEBBARIUM_DATA")
        drawn = embed.subset(published_sets.read_set(whole, location), part)
        assert {name: hashlib.sha256(content).hexdigest() for name, content in drawn.items()} == part.digests


class TestFolder:
    @pytest.mark.parametrize("spelling", [0, 1])
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    @pytest.mark.parametrize("subfolder", ["", "digits"])
    def test_all_layouts_give_the_same_set(
        self, contents: Contents, tmp_path: Path, spelling: int, suffix: str, subfolder: str
    ) -> None:
        write_set(tmp_path / "data" / subfolder, contents, spelling=spelling, suffix=suffix)
        images = load("digits", data=tmp_path / "data")
        np.testing.assert_array_equal(
            images.train_images.reshape(-1, 28, 28), idx.decode(contents["train-images"])
        )
        np.testing.assert_array_equal(images.test_labels, np.arange(20) % 10)
        assert len(images.sha256) == 64

    def test_places_are_tried_in_order(
        self, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def source() -> str:
            return describe(names=["digits"])[0].source

        assert source() == ""
        write_set(tmp_path / "cache" / "hebbarium" / "data" / "digits", contents)
        assert source() == "cache"
        write_set(tmp_path / "debian" / "digits", contents)
        assert source() == "Debian package"
        write_set(tmp_path / "named" / "digits", contents)
        monkeypatch.setenv("HEBBARIUM_DATA", str(tmp_path / "named"))
        assert source() == "HEBBARIUM_DATA"
        write_set(tmp_path / "given", contents)
        assert describe(tmp_path / "given", ["digits"])[0].source == "data folder"

    def test_a_folder_of_another_set_only_is_passed_over(
        self, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_set(tmp_path / "named" / "garments", tiny_contents(2))
        write_set(tmp_path / "debian" / "digits", contents)
        monkeypatch.setenv("HEBBARIUM_DATA", str(tmp_path / "named"))
        assert describe(names=["digits"])[0].source == "Debian package"

    def test_debian_keeps_fashion_mnist_where_it_is_looked_for(self) -> None:
        assert published_sets.DEBIAN / published_sets.FASHION_MNIST.subfolders[0] == Path(
            "/usr/share/datasets/fashion-mnist"
        )

    def test_a_folder_that_is_none_is_refused(
        self, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(DatasetError, match="absent: the data folder is no folder"):
            load("digits", data=tmp_path / "absent")
        monkeypatch.setenv("HEBBARIUM_DATA", str(tmp_path / "gone"))
        with pytest.raises(DatasetError, match="gone: the folder named by HEBBARIUM_DATA is no folder"):
            load("digits")
        (line,) = describe(names=["digits"])
        assert (line.state, "HEBBARIUM_DATA" in line.problem) == ("not found", True)

    def test_a_folder_given_that_lacks_the_set_is_refused(self, contents: Contents, tmp_path: Path) -> None:
        write_set(tmp_path / "cache" / "hebbarium" / "data" / "digits", contents)
        with pytest.raises(DatasetError, match="holds no file of Digits; expected train-images-idx3-ubyte"):
            load("digits", data=tmp_path / "cache")


def truncate(path: Path, contents: Contents) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def truncate_inside(path: Path, contents: Contents) -> None:
    path.write_bytes(gzip.compress(contents["train-images"][:-100]))


def damage(path: Path, contents: Contents) -> None:
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 0xFF
    path.write_bytes(stored)


def alter(path: Path, contents: Contents) -> None:
    changed = bytearray(contents["train-images"])
    changed[-1] ^= 1
    path.write_bytes(gzip.compress(changed))


def replace_by(part: str, seed: int = 1) -> Callable[[Path, Contents], None]:
    def fault(path: Path, contents: Contents) -> None:
        path.write_bytes(gzip.compress(tiny_contents(seed)[part]))

    return fault


def replace_by_other_shape(path: Path, contents: Contents) -> None:
    path.write_bytes(gzip.compress(idx.encode(np.zeros((29, 28, 28), dtype=np.uint8))))


def replace_by_unknown_labels(path: Path, contents: Contents) -> None:
    path.write_bytes(gzip.compress(idx.encode(np.zeros(30, dtype=np.uint8))))


def replace_by_web_page(path: Path, contents: Contents) -> None:
    path.write_bytes(b"<!doctype html><title>404</title>")


def empty(path: Path, contents: Contents) -> None:
    path.write_bytes(b"")


def remove(path: Path, contents: Contents) -> None:
    path.unlink()


def make_folder(path: Path, contents: Contents) -> None:
    path.unlink()
    path.mkdir()


def dangle(path: Path, contents: Contents) -> None:
    path.unlink()
    path.symlink_to("nowhere")


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            (truncate, "compressed file is cut short or damaged"),
            (truncate_inside, "is cut short; its header states 30 x 28 x 28 elements, 23,536 bytes in all"),
            (damage, "cut short or damaged"),
            (alter, "is altered; its decompressed bytes have SHA-256"),
            (replace_by("train-labels"), "holds the training labels of Digits"),
            (replace_by("t10k-images"), "holds the test images of Digits"),
            (replace_by("train-images", seed=2), "holds the training images of Garments"),
            (replace_by_other_shape, r"holds an array of shape \(29, 28, 28\), not \(30, 28, 28\)"),
            (replace_by_unknown_labels, r"holds labels of shape \(30,\)"),
            (replace_by_web_page, "no IDX file"),
            (empty, "is empty"),
            (remove, r"is missing \(raw or \.gz\); Digits needs it beside"),
            (make_folder, "cannot be read"),
            (dangle, "cannot be read"),
        ],
    )
    def test_is_refused_with_file_expectation_and_remedy(
        self, contents: Contents, tmp_path: Path, fault: Callable[[Path, Contents], None], says: str
    ) -> None:
        folder = write_set(tmp_path / "digits", contents)
        fault(folder / "train-images-idx3-ubyte.gz", contents)
        with pytest.raises(DatasetError, match=says) as caught:
            load("digits", data=tmp_path)
        message = str(caught.value)
        assert f"{folder}/train-images-idx3-ubyte" in message
        assert "replace it by an intact copy" in message
        if fault is not remove:
            assert "expected the training images of Digits" in message
        (line,) = describe(tmp_path, ["digits"])
        assert (line.state, line.problem) == ("damaged", message)

    def test_labels_out_of_range_and_of_wrong_count_are_told(
        self, contents: Contents, tmp_path: Path
    ) -> None:
        path = write_set(tmp_path, contents) / "t10k-labels-idx1-ubyte.gz"
        path.write_bytes(gzip.compress(idx.encode(np.full(20, 11, dtype=np.uint8))))
        with pytest.raises(DatasetError, match="holds labels up to 11, not 0 to 9; expected the test labels"):
            load("digits", data=tmp_path)
        path.write_bytes(gzip.compress(idx.encode(np.zeros(19, dtype=np.uint8))))
        with pytest.raises(DatasetError, match=r"shape \(19,\), not \(20,\)"):
            load("digits", data=tmp_path)

    def test_a_file_that_may_not_be_read_is_told(
        self, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_set(tmp_path, contents)

        def refuse(path: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(DatasetError, match=r"cannot be read \(Permission denied\)"):
            load("digits", data=tmp_path)

    def test_garments_in_the_folder_of_digits_are_told(self, tmp_path: Path) -> None:
        """The published digests recognise the embedded files too."""
        content = idx.read_bytes(published_sets.EMBEDDED / "fashion-mnist" / "t10k-labels-idx1-ubyte.xz")
        contents = dict.fromkeys(PARTS, content)
        write_set(tmp_path / "mnist", contents)
        with pytest.raises(DatasetError, match="holds the test labels of Fashion-MNIST, embedded subset"):
            load("mnist", data=tmp_path)

    @pytest.mark.parametrize(("name", "hint"), [("fashion_mnist", "fashion-mnist"), ("MNIST", "mnist")])
    def test_an_unknown_name_suggests_the_nearest(self, name: str, hint: str) -> None:
        with pytest.raises(DatasetError, match=f"did you mean '{hint}'"):
            load(name)

    def test_nothing_near_lists_the_names(self) -> None:
        with pytest.raises(DatasetError, match="no such data set; Expected mnist, fashion-mnist, "):
            load("cats and dogs")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server of the local machine: its address and its folder."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()
        thread.join()


class TestDownload:
    @pytest.fixture
    def cache(self, tmp_path: Path) -> Path:
        return tmp_path / "cache" / "hebbarium" / "data" / "digits"

    @pytest.fixture
    def address(
        self, contents: Contents, mirror: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> tuple[str, Path]:
        """``digits`` with two mirrors of its own, ``first/`` and ``second/``, both empty."""
        url, _ = mirror
        digits = tiny_set("digits", contents, mirrors=(f"{url}first/", f"{url}second/"))
        monkeypatch.setattr(datasets, "SETS", MappingProxyType({"digits": digits}))
        return mirror

    def test_fills_the_cache_from_the_first_mirror_that_is_right(
        self, contents: Contents, address: tuple[str, Path], cache: Path
    ) -> None:
        _, folder = address
        write_set(folder / "first", contents)
        (folder / "first" / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(contents["t10k-labels"]))
        write_set(folder / "second", contents)
        images = load("digits")
        assert describe(names=["digits"])[0].source == "cache"
        assert sorted(os.listdir(cache)) == sorted(names[0] + ".gz" for names in PARTS.values())
        write_set(folder / "first", tiny_contents(3))
        assert load("digits").sha256 == images.sha256
        assert fetch("digits") == cache

    def test_goes_on_after_an_interruption(
        self, contents: Contents, address: tuple[str, Path], cache: Path
    ) -> None:
        _, folder = address
        write_set(cache, {part: contents[part] for part in ("train-images", "train-labels")})
        write_set(folder / "second", {part: contents[part] for part in ("t10k-images", "t10k-labels")})
        assert load("digits").name == "digits"

    def test_failure_lists_what_was_tried_and_what_to_do(
        self, address: tuple[str, Path], cache: Path
    ) -> None:
        url, folder = address
        write_set(folder / "second", tiny_contents(3))
        with pytest.raises(DatasetError, match="Digits could not be downloaded") as caught:
            load("digits")
        for needed in (f"{url}first/", "404", f"{url}second/", "altered", "HEBBARIUM_DATA", "--data"):
            assert needed in str(caught.value)
        assert os.listdir(cache) == []

    def test_a_cache_that_cannot_be_written_is_told(
        self, address: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        with pytest.raises(DatasetError, match="downloads cannot be stored there"):
            fetch("digits")

    def test_a_full_disk_is_told_and_no_mirror_blamed(
        self, address: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*arguments: object, **options: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(pooch, "retrieve", full)
        with pytest.raises(DatasetError, match=r"stored there \(No space left on device\); free space"):
            fetch("digits")

    def test_embedded_sets_are_not_downloaded(self) -> None:
        with pytest.raises(DatasetError, match="nothing to download"):
            fetch("mnist-embedded")

    def test_published_mirrors_are_several_and_encrypted(self) -> None:
        for known in (published_sets.MNIST, published_sets.FASHION_MNIST):
            assert len(known.mirrors) >= 2
            assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in known.mirrors)


class TestOwnImages:
    def save(self, path: Path, **arrays: object) -> Path:
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
        return path

    @pytest.mark.parametrize("shape", [(6, 28, 28), (6, 784)])
    def test_bytes_and_fractions_give_the_same_set(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        labels = np.array([0, 2, 1, 0, 2, 1], dtype=np.int16)
        as_bytes = load(self.save(tmp_path / "bytes.npz", images=pixels, labels=labels))
        as_fractions = load(str(self.save(tmp_path / "fractions.npz", images=pixels / 255, labels=labels)))
        np.testing.assert_array_equal(as_bytes.train_images, pixels.reshape(6, 784))
        np.testing.assert_array_equal(as_bytes.train_labels, labels)
        assert as_bytes.sha256 == as_fractions.sha256
        assert (as_bytes.name, as_bytes.class_names) == ("bytes.npz", ("0", "1", "2"))
        assert as_bytes.test_images.shape == (0, 784)

    def test_the_digest_is_that_of_the_content(self, tmp_path: Path) -> None:
        digits = load("mnist-embedded")
        path = self.save(
            tmp_path / "copy.npz",
            images=digits.train_images,
            labels=digits.train_labels,
            test_images=digits.test_images,
            test_labels=digits.test_labels,
        )
        assert load(path).sha256 == digits.sha256
        shuffled = dataclasses.replace(digits, train_labels=np.roll(digits.train_labels, 1))
        assert shuffled.sha256 != digits.sha256

    def test_labels_may_be_left_out(self, tmp_path: Path) -> None:
        images = load(self.save(tmp_path / "mine.npz", images=np.zeros((3, 784), dtype=np.float32)))
        np.testing.assert_array_equal(images.train_labels, np.full(3, UNLABELLED))
        with pytest.raises(DatasetError, match=r"mine\.npz: 3 of 3 images have no label"):
            split(images, images=2)

    @pytest.mark.parametrize(
        ("arrays", "says"),
        [
            ({"labels": np.zeros(3, int)}, "has no array 'images' \\(found: labels\\)"),
            ({"images": np.zeros((3, 784)), "label": np.zeros(3, int)}, "unknown arrays label"),
            ({"images": np.zeros((3, 784)), "test_labels": np.zeros(3, int)}, "without 'test_images'"),
            ({"images": np.zeros((3, 783))}, "783 pixels are no square image: save the images as"),
            ({"images": np.zeros((3, 3072))}, r"3,072 pixels .* or colours as \(n, rows, columns, 3\)"),
            ({"images": np.zeros((3, 8, 8, 4))}, r"\(3, 8, 8, 4\); expected .* without transparency"),
            ({"images": np.zeros((3, 8, 8, 8, 1))}, r"\(3, 8, 8, 8, 1\); expected"),
            ({"images": np.zeros(784)}, r"has shape \(784,\)"),
            (
                {"images": np.zeros((3, 8, 8)), "test_images": np.zeros((2, 9, 8))},
                r"'test_images' have 9 x 8 = 72 pixels and 'images' 8 x 8 = 64 pixels",
            ),
            ({"images": np.float64(1)}, r"has shape \(\)"),
            ({"images": np.zeros((0, 784))}, "holds no image"),
            ({"images": np.zeros((3, 0, 8))}, "holds no image"),
            ({"images": np.full((3, 784), 256)}, "from 256 to 256; expected whole numbers from 0 to 255"),
            ({"images": np.full((3, 784), -1)}, "from -1 to -1; expected whole numbers from 0 to 255"),
            ({"images": np.full((3, 784), 1, np.uint8)}, "only 0 and 1 as uint8, .* multiply them by 255"),
            ({"images": np.full((3, 784), 1 / 255)}, "as if they had been divided by 255 twice"),
            ({"images": np.full((3, 784), "a")}, "has type <U1; expected uint8"),
            ({"images": np.zeros((3, 784), complex)}, "has type complex128"),
            ({"images": np.full((3, 784), 200.0)}, "intensities from 200 to 200; expected 0 to 1"),
            ({"images": np.full((3, 784), -0.5)}, "from -0.5"),
            (
                {"images": np.diag([0, np.nan, 0]) @ np.ones((3, 784))},
                "NaN or infinite pixels, first in image 1, images affected: 1",
            ),
            ({"images": np.full((3, 784), np.inf, np.float16)}, "NaN or infinite pixels"),
            ({"images": np.zeros((3, 784)), "labels": np.zeros(4, int)}, r"shape \(4,\); expected \(3,\)"),
            ({"images": np.zeros((3, 784)), "labels": np.zeros((3, 1), int)}, r"shape \(3, 1\); .* \.ravel\(\)"),
            ({"images": np.zeros((3, 784)), "labels": np.eye(3, 5, dtype=int)}, r"\(3, 5\); .*argmax\(axis=1\)"),
            ({"images": np.zeros((3, 784)), "labels": np.array(["a", "b", "c"])}, "are text; .* return_inverse=True"),
            ({"images": np.zeros((3, 784)), "labels": np.zeros(3)}, "'labels' has type float64"),
            ({"images": np.zeros((3, 784)), "labels": np.zeros(3, bool)}, "'labels' has type bool"),
            ({"images": np.zeros((3, 784)), "labels": np.array([0, 1, -1])}, "labels from -1 to 1"),
            ({"images": np.zeros((3, 784)), "labels": np.array([0, 1, 1000])}, "expected 0 to 999"),
            (
                {"images": np.zeros((3, 784)), "labels": np.arange(3), "class_names": ["a", "b"]},
                "has 2 names, but labels reach 2; expected 3 or more",
            ),
            (
                {"images": np.zeros((3, 784)), "labels": np.arange(3), "class_names": ["a", "b", "a"]},
                "has an empty name, or one twice",
            ),
            ({"images": np.zeros((3, 784)), "class_names": np.arange(3)}, "'class_names' has shape .* expected text"),
            ({"images": np.array([None] * 3, object)}, "'images' cannot be read: .*Python objects"),
        ],
    )
    def test_what_is_wrong_is_told(self, tmp_path: Path, arrays: dict[str, object], says: str) -> None:
        path = self.save(tmp_path / "mine.npz", **arrays)
        with pytest.raises(DatasetError, match=says) as caught:
            load(path)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize("shape", [(3, 5, 9), (3, 1, 5, 9), (3, 5, 9, 1), (3, 5, 9, 3), (3, 3, 5, 9)])
    def test_images_of_any_size_and_colour_are_read(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        made = load(self.save(tmp_path / "mine.npz", images=pixels))
        assert (made.shape, made.pixels) == ((5, 9), 45)
        coloured = 3 in shape[1:]
        if not coloured:
            np.testing.assert_array_equal(made.train_images, pixels.reshape(3, 45))
        else:
            red, green, blue = np.moveaxis(pixels.astype(float), shape.index(3, 1), 0)
            expected = np.rint(0.299 * red + 0.587 * green + 0.114 * blue)
            np.testing.assert_array_equal(made.train_images, expected.reshape(3, 45))
        assert any("made grey" in text for text in made.remarks) == coloured

    @pytest.mark.parametrize("dtype", [bool, np.int16, np.int64, np.uint16])
    def test_whole_numbers_of_any_type_are_read_and_truths_are_white(self, tmp_path: Path, dtype: type) -> None:
        pixels: np.ndarray = np.zeros((2, 4, 4), dtype)
        pixels[0, 1, 2] = 255  # which is true as well
        made = load(self.save(tmp_path / "mine.npz", images=pixels)).train_images
        assert made.dtype == np.uint8
        assert int(made[0, 6]) == int(made.sum()) == 255

    def test_classes_have_the_names_they_are_given(self, tmp_path: Path) -> None:
        images, labels = np.ones((3, 4, 4)), np.array([0, 2, 2])
        named = load(self.save(tmp_path / "a.npz", images=images, labels=labels, class_names=["x", "y", "z", "none"]))
        assert (named.class_names, named.classes) == (("x", "y", "z", "none"), 4)
        many = load(self.save(tmp_path / "b.npz", images=images, labels=np.array([0, 255, 299])))
        assert (many.classes, many.class_names[-1]) == (300, "299")
        np.testing.assert_array_equal(many.train_labels, [0, 255, 299])

    def test_files_that_are_no_npz_are_told(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.npz"
        with pytest.raises(DatasetError, match="no such file"):
            load(path)
        for stored in (b"", b"no archive at all"):
            path.write_bytes(stored)
            with pytest.raises(DatasetError, match="the file cannot be read"):
                load(path)
        with path.open("wb") as file:
            np.save(file, np.zeros((3, 784)))
        with pytest.raises(DatasetError, match="holds a single array"):
            load(path)

    def test_a_file_cut_short_or_damaged_is_told(self, tmp_path: Path) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (6, 784), dtype=np.uint8)
        path = self.save(tmp_path / "mine.npz", images=pixels)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DatasetError, match="cut short, damaged"):
            load(path)
        path.write_bytes(whole[:2000] + b"\x00" * 100 + whole[2100:])
        with pytest.raises(DatasetError, match="'images' cannot be read: it is cut short, damaged"):
            load(path)


LABELS = np.repeat(np.arange(10), [50, 60, 40, 50, 50, 30, 50, 50, 50, 70])


class TestDraws:
    def test_a_balanced_draw_has_as_many_of_each_class_and_none_twice(self) -> None:
        drawn = balanced_draw(LABELS, 30, np.random.default_rng(0))
        np.testing.assert_array_equal(np.bincount(LABELS[drawn]), np.full(10, 30))
        assert len(np.unique(drawn)) == len(drawn) == 300
        assert not np.array_equal(LABELS[drawn], np.sort(LABELS[drawn]))

    def test_more_than_a_class_has_is_refused(self) -> None:
        with pytest.raises(DatasetError, match="31 images a class were asked for, but class 5 has only 30"):
            balanced_draw(LABELS, 31, np.random.default_rng(0))

    @pytest.mark.parametrize("images", [0, 1, 7, 10, 123, 300, 301, 450, 499, 500])
    def test_any_number_is_drawn_as_evenly_as_can_be(self, images: int) -> None:
        drawn = even_draw(LABELS, images, np.random.default_rng(images))
        counts = np.bincount(LABELS[drawn], minlength=10)
        assert counts.sum() == len(np.unique(drawn)) == images
        exhausted = counts == np.bincount(LABELS)
        if not exhausted.all():
            assert np.ptp(counts[~exhausted]) <= 1
            assert counts[exhausted].max(initial=0) <= counts[~exhausted].max()

    def test_no_class_is_preferred_for_the_remainder(self) -> None:
        rng = np.random.default_rng(0)
        extra = np.bincount(
            LABELS[np.concatenate([even_draw(LABELS, 3, rng) for _ in range(500)])], minlength=10
        )
        assert abs(extra - 150).max() < 60  # 150 expected, 10 standard deviation

    def test_more_than_there_are_is_refused(self) -> None:
        with pytest.raises(DatasetError, match="501 images were asked for, but there are 500"):
            even_draw(LABELS, 501, np.random.default_rng(0))
        with pytest.raises(DatasetError, match="-1 images"):
            even_draw(LABELS, -1, np.random.default_rng(0))

    def test_streams_are_reproducible_and_apart(self) -> None:
        def first(seed: int, purpose: Purpose, epoch: int = 0) -> int:
            return int(stream(seed, purpose, epoch).integers(2**62))

        keys = [(seed, purpose, epoch) for seed in range(3) for purpose in Purpose for epoch in range(3)]
        assert len({first(*key) for key in keys}) == len(keys)
        assert first(1, Purpose.ORDER, 2) == first(1, Purpose.ORDER, 2)
        with pytest.raises(DatasetError, match="seed: expected 0 or more, got -1"):
            stream(-1, Purpose.ORDER)

    def test_numbers_of_purposes_stay(self) -> None:
        """Every reproduced number depends on them."""
        assert [int(purpose) for purpose in Purpose] == list(range(101, 109))
        assert int(stream(0, Purpose.ORDER).integers(1000)) == 312


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("mnist-embedded")


class TestSplit:
    def test_parts_are_balanced_and_disjoint(self, digits: Dataset) -> None:
        parts = split(digits, images=4_000, validation=1_000, test=500, seed=3)
        assert not np.intersect1d(parts.train, parts.validation).size
        for drawn, labels, each in (
            (parts.train, digits.train_labels, 400),
            (parts.validation, digits.train_labels, 100),
            (parts.test, digits.test_labels, 50),
        ):
            np.testing.assert_array_equal(np.bincount(labels[drawn]), np.full(10, each))
            assert len(np.unique(drawn)) == len(drawn)

    def test_the_seed_decides(self, digits: Dataset) -> None:
        same, again, other = (split(digits, 1_000, 100, 100, seed) for seed in (1, 1, 2))
        for part in ("train", "validation", "test"):
            np.testing.assert_array_equal(getattr(same, part), getattr(again, part))
            assert not np.array_equal(np.sort(getattr(same, part)), np.sort(getattr(other, part)))

    def test_training_images_do_not_depend_on_the_validation(self, digits: Dataset) -> None:
        np.testing.assert_array_equal(split(digits, 1_000).train, split(digits, 1_000, 500).train)

    def test_each_epoch_has_its_own_order_of_the_same_images(self, digits: Dataset) -> None:
        parts = split(digits, images=1_000)
        first, second = parts.order(0), parts.order(1)
        np.testing.assert_array_equal(np.sort(first), np.sort(parts.train))
        np.testing.assert_array_equal(np.sort(second), np.sort(parts.train))
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(first, split(digits, images=1_000).order(0))

    def test_without_numbers_everything_is_used(self, digits: Dataset) -> None:
        parts = split(digits, validation=500)
        np.testing.assert_array_equal(
            np.sort(np.concatenate([parts.train, parts.validation])), np.arange(6_000)
        )
        np.testing.assert_array_equal(np.bincount(digits.train_labels[parts.validation]), np.full(10, 50))
        np.testing.assert_array_equal(parts.test, np.arange(1_000))

    def test_more_than_there_are_is_refused_by_name(self, digits: Dataset) -> None:
        with pytest.raises(
            DatasetError, match="mnist-embedded: 5,500 images to train on and 501 to validate on"
        ):
            split(digits, images=5_500, validation=501)
        with pytest.raises(DatasetError, match="there are 1,000 to draw from"):
            split(digits, test=1_001)


def test_arrays_that_do_not_fit_are_refused() -> None:
    digits = load("mnist-embedded")
    with pytest.raises(DatasetError, match="6,000 training images but labels of shape"):
        dataclasses.replace(digits, train_labels=digits.train_labels[1:])
    with pytest.raises(DatasetError, match="test labels from 0 to 9; expected 0 to 8"):
        dataclasses.replace(digits, class_names=digits.class_names[:9], train_labels=np.zeros(6_000, int))
    with pytest.raises(DatasetError, match="expected \\(images, 784\\) of uint8"):
        dataclasses.replace(digits, train_images=digits.train_images.astype(float))


def test_describe_lists_every_set_with_its_digest() -> None:
    lines = describe(names=["mnist-embedded", "fashion-mnist-embedded"])
    assert [(line.name, line.state, line.source) for line in lines] == [
        ("mnist-embedded", "ok", "embedded"),
        ("fashion-mnist-embedded", "ok", "embedded"),
    ]
    assert lines[0].sha256 == load("mnist-embedded").sha256
    assert (lines[0].train, lines[0].test) == (6_000, 1_000)
