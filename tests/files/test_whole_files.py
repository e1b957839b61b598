"""Files are as they were or whole, on a full disk too, and what killed processes left does not stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from hebbarium.analysis import figures
from hebbarium.files import whole_files
from hebbarium.files.errors import FileNotWritten

ROOT = Path(__file__).parents[2]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)


@pytest.mark.usefixtures("full")
def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("before")
    with pytest.raises(FileNotWritten, match=rf"{file}: cannot be written \(No space left on device\).* make room"):
        whole_files.write(file, "after")
    with pytest.raises(FileNotWritten, match="make room"):
        whole_files.write_table(tmp_path / "b.csv", ("x",), [(1,)])
    with pytest.raises(FileNotWritten, match="make room"):
        figures.save(Figure(), tmp_path / "c.png")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "before")]


def test_a_full_disk_does_not_end_the_process(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk; HDF5 would write on its own, and crash."""
    code = (
        "import resource, sys; import numpy as np; from pathlib import Path; from hebbarium.record import results\n"
        "counts = np.random.default_rng(0).integers(0, 9, (2000, 100))\n"
        "tree = results.build(results.root_attributes(model='m', seed=0, samples_seen=2000), activity={'excitatory':"
        " results.responses(counts, label=counts[:, 0], image=counts[:, 0], block=counts[:, 0])})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "results.write(tree, sys.argv[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "results.nc: cannot be written (File too large)" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotWritten, match=r"folder: cannot be written \(Is a directory\).*choose a place"):
        whole_files.write(tmp_path / "folder", "text")
    with pytest.raises(FileNotWritten, match="No such file or directory"):
        whole_files.write(tmp_path / "nowhere" / "file", "text")


def test_temporaries_of_killed_processes_go_with_the_next_writing(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    ours, others = tmp_path / f".[a].csv.{gone.pid}.tmp", tmp_path / f".b.csv.{gone.pid}.tmp"
    alive, foreign = tmp_path / f".[a].csv.{os.getppid()}.tmp", tmp_path / ".[a].csv.tmp"
    for file in (ours, others, alive, foreign):
        file.write_text("half of it")
    whole_files.write(tmp_path / "[a].csv", "text")
    assert [file.exists() for file in (ours, others, alive, foreign)] == [False, True, True, True]
    with whole_files.locked(tmp_path):
        assert [file.exists() for file in (others, alive, foreign)] == [False, True, True]


def test_figures_have_the_format_of_their_ending(tmp_path: Path) -> None:
    assert figures.save(Figure(), tmp_path / "a.svg").read_text().startswith("<?xml")
    assert figures.save(Figure(), tmp_path / "b") == tmp_path / "b.png"
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
