"""The compiled program trusts nothing it reads, and what it writes is not trusted either."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hebbarium.datasets import by_name as datasets
from hebbarium.engine import block_file, cache, streams
from hebbarium.engine.anatomy import initial_state
from hebbarium.engine.contract import Block, Structure
from hebbarium.engine.dense import DenseProgram
from hebbarium.files.errors import BlockFailed, BuildFailed
from hebbarium.training.run_settings import CAPACITY, RunSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Programs are damaged here that runs of other tests may be using."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEBBARIUM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def program(own_cache: None, small: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> DenseProgram:
    structure = Structure(small.make_model(), "train", "float32", "dense", CAPACITY)
    return DenseProgram(structure, tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def block(program: DenseProgram) -> Block:
    model = program.structure.model
    images = datasets.load().train_images[:5]
    state = initial_state(model, "train", model.initial_state(streams.generator(0, streams.INITIAL_WEIGHTS)))
    return Block(state, model.all_inputs("train", images, np.zeros(len(images), int)), model.run_time_values(), seed=7)


def run_by_hand(program: DenseProgram, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HEBBARIUM_BLOCK": str(folder)}
    return subprocess.run(
        [str(program.path / "main")],
        cwd=program.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_same_block_same_bits(program: DenseProgram, block: Block) -> None:
    one, two = program.run(block), program.run(block)
    for name in one.state:
        np.testing.assert_array_equal(one.state[name], two.state[name])


@pytest.mark.parametrize("cut", [0, 10, 1000, -1])
def test_truncated_inputs(cut: int, program: DenseProgram, block: Block, tmp_path: Path) -> None:
    block_file.write(tmp_path / "inputs", program._inputs(block))
    size = (tmp_path / "inputs").stat().st_size
    os.truncate(tmp_path / "inputs", cut if cut >= 0 else size + cut)
    done = run_by_hand(program, tmp_path)
    assert done.returncode == 3
    assert "truncated" in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("plastic.w"), "'plastic.w' is missing"),
        (lambda a: a.update({"plastic.w": a["plastic.w"][:-1]}), "bytes, expected"),
        (lambda a: a.update({"plastic.w": a["plastic.w"].astype("<f8")}), "is of type <f8, expected <f4"),
        (lambda a: a.update({"unheard.of": a["seed"]}), "'unheard.of' is not known"),
        (lambda a: a.update({"rates": np.zeros(784 * (CAPACITY + 1), "<f4")}), "bytes, expected"),
    ],
)
def test_wrong_inputs(change, message: str, program: DenseProgram, block: Block, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    arrays = program._inputs(block)
    change(arrays)
    block_file.write(tmp_path / "inputs", arrays)
    done = run_by_hand(program, tmp_path)
    assert done.returncode == 3
    assert message in done.stderr


def test_full_disk_in_the_program(program: DenseProgram, block: Block, tmp_path: Path) -> None:
    block_file.write(tmp_path / "inputs", program._inputs(block))
    (tmp_path / "results.tmp").symlink_to("/dev/full")
    done = run_by_hand(program, tmp_path)
    assert done.returncode == 3
    assert "is the disk full" in done.stderr
    assert not (tmp_path / "results").exists()


def test_truncated_results(program: DenseProgram, block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = program._launch

    def truncating(folder: Path) -> None:
        launch(folder)
        os.truncate(folder / "results", (folder / "results").stat().st_size - 5)

    monkeypatch.setattr(program, "_launch", truncating)
    with pytest.raises(block_file.BlockFileError, match="truncated or damaged"):
        program.run(block)


def test_results_of_other_inputs(
    program: DenseProgram, block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = program._launch
    other = Block(block.state, block.inputs, block.values, seed=block.seed + 1)

    def exchanging(folder: Path) -> None:
        block_file.write(folder / "inputs", program._inputs(other))
        launch(folder)

    monkeypatch.setattr(program, "_launch", exchanging)
    with pytest.raises(BlockFailed, match="other inputs"):
        program.run(block)


def test_crash_is_reported_with_its_last_words(
    program: DenseProgram, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = tmp_path / "crashing"
    crashing.mkdir()
    (crashing / "main").write_text("#!/bin/sh\necho 'something broke' >&2\nkill -SEGV $$\n")
    (crashing / "main").chmod(0o755)
    program.types()  # read from the real source
    monkeypatch.setattr(program, "path", crashing)
    with pytest.raises(BlockFailed, match=r"(?s)SIGSEGV.*something broke"):
        program.run(block)


def test_a_stopped_program_is_no_result(
    program: DenseProgram, block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = program._launch

    def halving(folder: Path) -> None:
        launch(folder)
        stored = block_file.read(folder / "results")
        block_file.write(folder / "results", stored | {"completed": np.array([0.5])})

    monkeypatch.setattr(program, "_launch", halving)
    with pytest.raises(BlockFailed, match=r"50\.0%"):
        program.run(block)


def test_block_of_any_length_up_to_the_capacity(program: DenseProgram, block: Block) -> None:
    with pytest.raises(ValueError, match="expected 1 to"):
        program.run(Block(block.state, {"rates": np.zeros((CAPACITY + 1, 784))}, block.values, 1))
    assert program.run(Block(block.state, {"rates": np.zeros((1, 784))}, block.values, 1)).ended.tolist() == [0]


def test_sweepable_values_reach_the_same_program(program: DenseProgram, block: Block) -> None:
    weaker = Block(block.state, block.inputs, {**block.values, "w_t": 4.0}, block.seed)
    one, two = program.run(block), program.run(weaker)
    norms = [
        np.sqrt((r.state["plastic.w"].reshape(784, -1).astype(float) ** 2).sum(axis=0)).mean()
        for r in (one, two)
    ]
    assert norms[0] == pytest.approx(9, rel=0.1)
    assert norms[1] == pytest.approx(4, rel=0.1)


def test_a_damaged_program_is_built_again(program: DenseProgram, tmp_path: Path) -> None:
    whole = (program.path / "main").stat().st_size
    damaged = tmp_path / "main"  # put in its place, since a file that another test is running cannot be cut
    damaged.write_bytes((program.path / "main").read_bytes()[:-8])
    shutil.move(damaged, program.path / "main")
    again = DenseProgram(program.structure, tmp_path)
    assert again.path == program.path
    assert (again.path / "main").stat().st_size == whole


@pytest.mark.long
def test_two_processes_build_one_program(small: RunSettings, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from hebbarium.engine.contract import Structure; from hebbarium.engine.dense import DenseProgram\n"
        "from hebbarium.models.synaptic_scaling import SynapticScaling\n"
        "model = SynapticScaling(neurons=3, pixels=9)\n"
        "print(DenseProgram(Structure(model, 'test', 'float32', 'dense', 2), Path(sys.argv[1])).path)"
    )
    environment = os.environ | {"HEBBARIUM_CACHE": str(tmp_path / "cache")}
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    paths = {child.communicate()[0].decode().strip() for child in both}
    assert [child.returncode for child in both] == [0, 0]
    assert len(paths) == 1
    assert len([p for p in (tmp_path / "cache" / "programs").iterdir() if (p / "main").exists()]) == 1


def test_unwritable_cache(
    program: DenseProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEBBARIUM_CACHE", str(tmp_path / "file"))
    with pytest.raises(BuildFailed, match="HEBBARIUM_CACHE"):
        DenseProgram(program.structure, tmp_path)


@pytest.mark.parametrize("name", ["here", "~/there", "a b/../c", ""])
def test_the_cache_folder_is_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HEBBARIUM_CACHE", name)
    expected = {"~/there": tmp_path / "home" / "there", "": tmp_path / "home" / ".cache" / "hebbarium"}
    assert cache.folder() == expected.get(name, tmp_path / name) / "programs"


def test_a_home_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEBBARIUM_CACHE", "~nobody-of-this-name/cache")
    with pytest.raises(BuildFailed, match="HEBBARIUM_CACHE=~nobody-of-this-name"):
        cache.folder()


def test_a_program_of_a_relative_cache_runs(
    program: DenseProgram, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(cache.folder(), tmp_path / "my cache" / "programs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEBBARIUM_CACHE", "my cache")
    found = DenseProgram(program.structure, Path("scratch folder"))
    assert found.path.is_relative_to(tmp_path)
    np.testing.assert_array_equal(found.run(block).ended, program.run(block).ended)


def test_programs_that_may_not_be_executed(program: DenseProgram, block: Block) -> None:
    """As on a disk that is mounted with noexec."""
    main = program.path / "main"
    mode = main.stat().st_mode
    main.chmod(0o600)
    try:
        with pytest.raises(BlockFailed, match="noexec, set HEBBARIUM_CACHE"):
            program.run(block)
    finally:
        main.chmod(mode)


def test_compiler_errors_are_shown(program: DenseProgram, tmp_path: Path) -> None:
    (tmp_path / "makefile").write_text("all:\n\t@echo 'no such header' && exit 1\n")
    with pytest.raises(BuildFailed, match="no such header"):
        program.compile(tmp_path)


def test_cache_is_listed_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEBBARIUM_CACHE", str(tmp_path))
    made = cache.folder() / "a"
    made.mkdir(parents=True)
    (made / "program.json").write_text('{"model": "m", "files": {}}')
    assert [e.description["model"] for e in cache.entries()] == ["m"]
    assert cache.clear() == (1, 0)
    assert cache.entries() == []
