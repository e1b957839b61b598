"""A compiled program is run only with the bytes it was made with, and not deleted while somebody runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hebbarium.engine import cache, program_files
from hebbarium.files.errors import BuildFailed

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEBBARIUM_CACHE", str(tmp_path / "cache"))
    return cache.folder()


class Maker:
    """Makes a program of three files, and counts how often."""

    def __init__(self) -> None:
        self.builds = 0

    def generate(self, folder: Path) -> None:
        (folder / "main.cpp").write_text("source")
        (folder / "static_arrays").mkdir()
        (folder / "static_arrays" / "w").write_bytes(bytes(100))

    def build(self, folder: Path) -> None:
        self.builds += 1
        (folder / "main").write_bytes(b"program" * 100)
        (folder / "main").chmod(0o755)

    def fetch(self) -> Path:
        return cache.fetch("recipe", {"model": "m"}, self.generate, self.build)


@pytest.fixture
def maker() -> Maker:
    return Maker()


def in_another_process(code: str, **others: object) -> subprocess.Popen[str]:
    """Python of the test's, with the engine; what it prints can be read."""
    begin = (
        "import sys, time\nfrom pathlib import Path\n"
        "from hebbarium.engine import cache, program_files, standalone\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", begin + code], cwd=ROOT, text=True, stdout=subprocess.PIPE, **others  # type: ignore[call-overload]
    )


def test_a_whole_program_is_made_once_and_read_once(
    maker: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = maker.fetch()
    read: list[Path] = []
    digest = program_files._digest

    def noting(file: Path) -> str:
        read.append(file)
        return digest(file)

    monkeypatch.setattr(program_files, "_digest", noting)
    for _ in range(3):
        assert maker.fetch() == path
    assert maker.builds == 1
    assert not caplog.messages
    assert len(read) == 3, "each file is read once in a process"


def _flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [_flipped, Path.unlink, lambda f: f.write_bytes(b""), lambda f: os.truncate(f, 3)])
@pytest.mark.parametrize("name", ["main", "main.cpp", "static_arrays/w", "program.json"])
def test_damaged_bytes_are_noticed(
    name: str, damage: Callable[[Path], object], maker: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    path = maker.fetch()
    damage(path / name)
    assert maker.fetch() == path
    assert caplog.messages == [f"{path}: the compiled program is damaged, and is built again"]
    assert maker.builds == 2
    assert program_files.is_whole(path)
    assert maker.fetch() == path
    assert maker.builds == 2


def test_a_program_that_may_not_be_run_is_built_again(maker: Maker) -> None:
    path = maker.fetch()
    (path / "main").chmod(0o644)
    if os.access(path / "main", os.X_OK):
        pytest.skip("everything may be run here")
    maker.fetch()
    assert os.access(path / "main", os.X_OK)


def test_a_stamp_without_digests_is_not_trusted(maker: Maker) -> None:
    path = maker.fetch()
    (path / "program.json").write_text('{"model": "m", "files": {"main": 700}}')
    maker.fetch()
    assert maker.builds == 2


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"../../elsewhere"])
def test_a_damaged_pointer_is_written_again(content: bytes, maker: Maker) -> None:
    path = maker.fetch()
    (cache.folder() / "recipes" / "recipe").write_bytes(content)
    assert maker.fetch() == path
    assert maker.builds == 1
    assert (cache.folder() / "recipes" / "recipe").read_text() == path.name


def test_damaged_entries_are_listed_and_cleared(own_cache: Path) -> None:
    for name, content in (("a", b""), ("b", b"\xff"), ("c", b"[]"), ("d", b'{"model": "m"}')):
        (own_cache / name).mkdir(parents=True)
        (own_cache / name / "program.json").write_bytes(content)
    (own_cache / "e").mkdir()
    assert [entry.description for entry in cache.entries()] == [{}, {}, {}, {"model": "m"}]
    assert cache.clear() == (5, 0)


def test_clear_leaves_programs_that_others_run(maker: Maker, own_cache: Path) -> None:
    held = maker.fetch()
    (own_cache / "other").mkdir()
    clearing = "print(*cache.clear())"
    assert in_another_process(clearing).communicate()[0].split() == ["1", "1"]
    assert program_files.is_whole(held)
    assert (own_cache / "recipes" / "recipe").exists()
    holding = in_another_process(f"print(program_files.hold(Path({str(held)!r})), flush=True); time.sleep(60)")
    assert holding.stdout is not None
    assert holding.stdout.readline() == "True\n"
    os.close(program_files._held.pop(held))
    assert cache.clear() == (0, 1)
    holding.kill()
    holding.wait()
    assert cache.clear() == (1, 0)
    assert not held.exists()
    assert not (own_cache / "recipes" / "recipe").exists()
    assert maker.fetch() == held


def test_a_program_that_was_cleared_is_made_again(maker: Maker) -> None:
    path = maker.fetch()
    shutil.rmtree(path)
    assert maker.fetch() == path
    assert maker.builds == 2


def test_what_killed_builds_left_is_cleared(maker: Maker, own_cache: Path) -> None:
    dead, young = own_cache / ".building-dead", own_cache / ".building-young"
    for left in (dead, young):
        (left / "program").mkdir(parents=True)
    at_work = in_another_process(
        f"with program_files.drafted(Path({str(own_cache)!r}), '.building-') as made:\n"
        "    print(made, flush=True)\n"
        "    time.sleep(60)"
    )
    assert at_work.stdout is not None
    alive = Path(at_work.stdout.readline().strip())
    for left in (dead, alive):
        os.utime(left, (1, 1))
    maker.fetch()
    assert [left.exists() for left in (dead, young, alive)] == [False, True, True]
    at_work.kill()
    at_work.wait()
    cache.clear()
    assert not alive.exists()


def test_a_full_disk_is_one_line(maker: Maker, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(draft: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(maker, "generate", full)
    with pytest.raises(BuildFailed, match=r"cannot be written \(No space left on device\); make room"):
        maker.fetch()
    assert not list(own_cache.glob(".building-*"))


# -- ends of a compilation -----------------------------------------------------------------------------------


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def started(folder: Path, number: int) -> list[int]:
    """Processes that wrote their number into a folder."""
    deadline = time.monotonic() + 120
    while len(found := [file for file in folder.glob("pid*") if file.read_text().strip()]) < number:
        assert time.monotonic() < deadline, "nothing was started"
        time.sleep(0.02)
    return [int(file.read_text()) for file in found]


def all_end(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(is_running, pids))


MAKEFILE = """all: one two
one two:
\tsh -c 'sleep 300 & echo $$! > pid-$@-child; echo $$$$ > pid-$@; wait'; true
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_compilers_end_with_what_began_them(number: int, tmp_path: Path) -> None:
    (tmp_path / "makefile").write_text(MAKEFILE)
    compiling = in_another_process(
        f"from hebbarium.engine import interruption\n"
        f"with interruption.stopping_on_signals(): standalone.run_make(Path({str(tmp_path)!r}), ['make', '-j2'])",
        stderr=subprocess.PIPE,
    )
    try:
        pids = started(tmp_path, 4)
        compiling.send_signal(number)
        message = compiling.communicate(timeout=60)[1]
    finally:
        compiling.kill()
    assert all_end(pids), "compilers go on"
    if number == signal.SIGKILL:
        assert compiling.returncode == -number
    else:
        assert "stopped by a signal" in message


@pytest.mark.parametrize(
    ("number", "times"), [pytest.param(signal.SIGINT, 2, marks=pytest.mark.long), (signal.SIGTERM, 1)]
)
def test_a_command_stopped_while_it_compiles(number: int, times: int, own_cache: Path, tmp_path: Path) -> None:
    """Nothing is left running, nothing half-made in the cache, and the run can be resumed."""
    compiler = tmp_path / "slow-compiler"
    compiler.write_text(
        "#!/bin/sh\n"
        f"case \"$*\" in *dense_program*) cd '{tmp_path}'; echo $$ > pid$$; sleep 300 & echo $! > pid$!; wait;; esac\n"
        'exec g++ "$@"\n'
    )
    compiler.chmod(0o755)
    command = ["train", "synaptic_scaling", "--neurons", "20", "--images", "40", "--out", str(tmp_path / "run")]
    training = subprocess.Popen(
        [sys.executable, "-c", "from hebbarium.commands.commandline import main; main()", *command],
        cwd=ROOT,
        env=os.environ | {"CXX": str(compiler)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        pids = started(tmp_path, 2)
        for _ in range(times):
            training.send_signal(number)
        message = training.communicate(timeout=120)[1]
    finally:
        training.kill()
    assert training.returncode == 130
    assert "hebbarium: stopped by a signal" in message
    assert all_end(pids)
    assert cache.entries() == []
    assert not list(own_cache.glob(".building-*"))
