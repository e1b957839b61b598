"""A user's own images in files and folders, and tables: read as what they are, refused by name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hebbarium.datasets import by_name as datasets
from hebbarium.datasets import own_files
from tests.datasets.refusals import refused


def images(number: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (number, 5, 4), dtype=np.uint8)


# -- arrays --------------------------------------------------------------------------------------------------
def test_npy_files_side_by_side_are_the_npz_of_the_same_arrays(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "images": images(6), "labels": np.arange(6) % 3, "test_images": images(3, 1), "test_labels": np.arange(3),
        "class_names": np.array(["cat", "dog", "cow"]),
    }  # fmt: skip
    np.savez(tmp_path / "mine.npz", **arrays)
    for key, array in arrays.items():
        np.save(tmp_path / ("mine.npy" if key == "images" else f"mine_{key}.npy"), array)
    one, other = datasets.load(tmp_path / "mine.npy"), datasets.load(tmp_path / "mine.npz")
    assert one.sha256 == other.sha256
    assert (one.class_names, one.shape) == (("cat", "dog", "cow"), (5, 4))


def test_npy_files_that_are_none_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], object))
    assert "holds Python objects, which are refused as they can run code" in refused(tmp_path / "objects.npy")
    assert "no such file; expected a user's images as an .npy file" in refused(tmp_path / "nowhere.npy")
    (tmp_path / "packed.npy").write_bytes(b"")
    with (tmp_path / "packed.npy").open("wb") as file:
        np.savez(file, images=images(2))
    assert "holds several arrays" in refused(tmp_path / "packed.npy")


# -- folders -------------------------------------------------------------------------------------------------
def folder_of(path: Path, given: NDArray[np.uint8], classes: list[str]) -> Path:
    for number, one in enumerate(given):
        place = path / classes[number % len(classes)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(one).save(place / f"{number:03}.png")
    return path


def test_a_folder_of_pngs_by_class(tmp_path: Path) -> None:
    given = images(6)
    read = datasets.load(folder_of(tmp_path / "mine", given, ["dog", "cat"]))
    assert read.class_names == ("cat", "dog")
    assert read.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert np.array_equal(read.train_images.reshape(-1, 5, 4), np.concatenate([given[1::2], given[::2]]))
    assert not len(read.test_labels)


def test_a_folder_with_test_images_and_numbered_classes(tmp_path: Path) -> None:
    folder_of(tmp_path / "mine" / "train", images(4), ["2", "10"])
    folder_of(tmp_path / "mine" / "test", images(2, 1), ["10"])
    read = datasets.load(tmp_path / "mine")
    assert read.class_names == ("2", "10")
    assert read.test_labels.tolist() == [1, 1]


def test_colours_are_made_grey_as_in_arrays(tmp_path: Path) -> None:
    given = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    read = datasets.load(folder_of(tmp_path / "mine", given, ["a"]))
    np.savez(tmp_path / "same.npz", images=given, labels=np.zeros(2, int), class_names=np.array(["a"]))
    assert read.sha256 == datasets.load(tmp_path / "same.npz").sha256
    assert "in colour: they were made grey" in read.remarks[0]


def test_folders_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no folders; expected a folder of PNG images for each class" in refused(tmp_path / "empty")
    (tmp_path / "bare" / "cat").mkdir(parents=True)
    assert "its folders hold no files *.png: cat" in refused(tmp_path / "bare")
    mine = folder_of(tmp_path / "mine", images(2), ["cat"])
    other = mine / "cat" / "002.png"
    Image.fromarray(np.zeros((9, 4), np.uint8)).save(other)
    assert "002.png: has 9 x 4 pixels, and the first image 5 x 4" in refused(mine)
    other.write_bytes(b"nothing")
    assert "002.png: cannot be read as a PNG image" in refused(mine)
    Image.fromarray(np.zeros((5, 4, 4), np.uint8)).save(other)
    assert "002.png: is transparent" in refused(mine)
    Image.fromarray(np.zeros((5, 4), np.uint16)).save(other)
    assert "002.png: has 16 bits a pixel" in refused(mine)
    Image.fromarray(np.zeros((5000, 5000), np.uint8)).save(other)
    assert "002.png: has 5000 x 5000 pixels" in refused(mine)
    content = io.BytesIO()
    Image.fromarray(images(1)[0]).save(content, "GIF")
    other.write_bytes(content.getvalue())
    assert "002.png: cannot be read as a PNG image" in refused(mine)


# -- tables --------------------------------------------------------------------------------------------------
TABLE = """a, b, kind, split
0, 10, old, train
5, 10, new, train
10, 10, old, train
15, 10, new, test
"""


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_table_has_a_neuron_for_each_column(tmp_path: Path) -> None:
    read = datasets.load(table(tmp_path / "t.csv", TABLE))
    assert read.train_images.tolist() == [[0, 0], [128, 0], [255, 0]]
    assert read.test_images.tolist() == [[255, 0]]
    assert (read.class_names, read.train_labels.tolist(), read.shape) == (("new", "old"), [1, 0, 1], (1, 2))
    assert read.remarks == (
        "t.csv: 1 numbers of test samples are beyond those of training samples: they were cut",
        "t.csv: the same in all training samples: b",
    )


def test_each_column_of_a_table_may_be_a_population(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", TABLE)
    read = datasets.load(f"{file}:3")
    assert read.shape == (2, 3)
    assert read.train_images[1].tolist() == [128, 128, 128, 0, 0, 0]
    assert own_files.located(f"{file}:3") == f"{file}:3"


def test_pixels_in_a_table_are_images(tmp_path: Path) -> None:
    given = images(3)
    head = ",".join(["label", *(f"{row}x{column}" for row in range(1, 6) for column in range(1, 5))])
    lines = [",".join(map(str, [k, *one.ravel()])) for k, one in enumerate(given)]
    read = datasets.load(table(tmp_path / "t.csv", "\n".join([head, *lines])))
    assert read.shape == (5, 4)
    assert np.array_equal(read.train_images, given.reshape(3, -1))
    flat = ",".join(["label", *(f"pixel{k}" for k in range(4))])
    assert datasets.load(table(tmp_path / "flat.csv", f"{flat}\n0,1,2,3,255\n")).shape == (2, 2)
    assert "its pixels reach from 0 to 256" in refused(table(tmp_path / "bad.csv", f"{flat}\n0,1,0,3,256\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 0 lines; expected a head"),
        ("1,2,3\n4,5,6\n", "has no head"),
        ("a,a,label\n1,2,0\n", "has no head; expected a first line that names each column once"),
        ("a,b\n1,2\n", "no column is called label (found: a, b)"),
        ("a,label\n1,0\n2\n", "line 3 has 1 entries, and the head 2"),
        ("a,label\n1,0\n,0\n", "line 3, column a: '' is no number"),
        ("a,label\nnan,0\n", "line 2, column a: 'nan' is no number"),
        ("a,label\n1,5000\n", "column label reaches 5000; expected 0 to 999"),
        ("a,label,split\n1,0,maybe\n", "column split holds 'maybe'; expected train or test"),
        ("a,label,split\n1,0,test\n", "leaves nothing to train on"),
        ("label\n1\n", "has no columns of numbers besides label"),
        ("a,kind\n1,x\n2,\n", "line 3 has no kind"),
    ],
)
def test_tables_that_are_none_are_refused(text: str, said: str, tmp_path: Path) -> None:
    assert said in refused(table(tmp_path / "t.csv", text))


def test_names_of_published_sets_are_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist-embedded").mkdir()
    assert own_files.place("mnist-embedded") is None
    assert own_files.place("elsewhere") is None
    assert own_files.place("mnist-embedded/") == Path("mnist-embedded")
