"""A folder that trains and labels without Python: sources, makefile, parameters, images, licences."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import string
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbarium.catalogue import own_models
from hebbarium.datasets import idx, made_sets
from hebbarium.engine import block_file, cuda, devices
from hebbarium.engine.contract import Arrays
from hebbarium.exports.plan import VERSION, Plan
from hebbarium.files import folder_names, new_outputs
from hebbarium.files.errors import EngineError, FileNotWritten, RunFolderError
from hebbarium.models.contract import Model
from hebbarium.training import pins, preparation, provenance
from hebbarium.training.run import Run
from hebbarium.training.run_settings import RunSettings
from hebbarium.training.samples import Division, Samples

__all__ = ["Exported", "write"]

DESCRIPTION = "project.json"
STATE, TABLES, PLAN, PARAMETERS = "state", "tables", "project.txt", "parameters.txt"
_HERE = Path(__file__).parent
_DRIVER = _HERE / "driver"
_BLOCK_IO = Path(devices.__file__).parent / "block_io.h"
MOST_IMAGE_BYTES = 16 * 2**20
"""Of images that an exported project brings along: all of the run's, if they are no more."""
FEW = {"train": 1000, "test": 200}
"""How many it brings along otherwise."""


@dataclass(frozen=True, eq=False)
class Exported:
    """What is exported.

    Parameters
    ----------
    settings : RunSettings
    model : Model
    division : Division
    state : dict of arrays, optional
        What was learned.
    neuron_label : (neurons,), optional
        Classes that neurons are labelled with.
    """

    settings: RunSettings
    model: Model
    division: Division
    state: Arrays | None = None
    neuron_label: NDArray[np.integer] | None = None

    @classmethod
    def of_run(cls, run: Run, device: str | None = None) -> Exported:
        """A trained run; its model, images and state are those that it has.

        Parameters
        ----------
        run : Run
        device : str, optional
            Another one than the run's.
        """
        settings = dataclasses.replace(_as_exported(run.settings), device=device or run.settings.device)
        neuron_label = run.neuron_label if run.is_complete else None
        return cls(settings, run.model, Division.of(settings, run.images), run.state, neuron_label)

    @classmethod
    def of_settings(cls, settings: RunSettings) -> Exported:
        """A run that was not made yet."""
        prepared = preparation.prepare(_as_exported(settings))
        return cls(prepared.settings, prepared.model, prepared.division)

    @cached_property
    def plan(self) -> Plan:
        """How it is trained and asked."""
        return Plan(self.settings, self.model, self.division)


def write(exported: Exported, out: Path) -> Path:
    """Write the folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunFolderError
        It is there already, or cannot be written.
    ModelRefused
        Naming what of the run cannot be done without Python.
    EngineError
        No program can be generated on this computer.
    """
    folder_names.refuse(out)
    if os.path.lexists(out):
        raise RunFolderError(f"{out}: exists already; nothing in it was touched. Choose another --out")
    try:
        with new_outputs.writing(out) as folder:
            folder.mkdir()
            _fill(exported, folder)
    except FileNotWritten as error:
        raise RunFolderError(f"{out}: cannot be written ({error.reason}); choose another --out") from error
    return out


def _as_exported(settings: RunSettings) -> RunSettings:
    """Settings without what is measured on the way, or is a matter of one computer."""
    return dataclasses.replace(settings, evaluate_every=None, recordings="", jobs=1, profile=False)


def _fill(exported: Exported, folder: Path) -> None:
    plan = exported.plan
    plan.refuse()  # before anything takes time
    reads = {}
    for structure in plan.structures:
        program = folder / "programs" / structure.phase
        program.mkdir(parents=True)
        reads[structure.phase] = devices.write_sources(structure, program)
        _take_along(program)
    (folder / PLAN).write_text("\n".join(plan.lines(reads)) + "\n", encoding="utf-8")
    (folder / PARAMETERS).write_text("\n".join(plan.parameters()) + "\n", encoding="utf-8")
    block_file.write(folder / TABLES, plan.tables(exported.neuron_label))
    if exported.state is not None:
        block_file.write(folder / STATE, exported.state)
    (folder / "driver").mkdir()
    for file in (*_DRIVER.glob("*.cpp"), *_DRIVER.glob("*.h"), _BLOCK_IO):
        shutil.copyfile(file, folder / "driver" / file.name)
    _write_makefile(exported, folder)
    _write_images(exported, folder / "images")
    _describe(exported, folder)
    _write_licences(exported, folder)
    _write_readme(exported, folder)


# -- programs ------------------------------------------------------------------------------------------------
def _take_along(program: Path) -> None:
    """Let a program be compiled on another computer: no paths of this one, and the processor as make is told."""
    makefile = program / "makefile"
    text = makefile.read_text(encoding="utf-8")
    text = re.sub(r' ?(?:-I|-L|-Wl,-rpath,|-Xlinker -rpath,)(?:"/[^"]*"|/\S*)', "", text)
    text = re.sub(r" (?:-Wl,|-Xlinker )--enable-new-dtags", "", text)
    text = re.sub(r"@/\S*/nvcc\b", "@nvcc", text)
    text = text.replace("-march=native", "-march=$(ARCH)")
    text = re.sub(r"-arch=sm_\d+", "-arch=$(GPU)", text)
    makefile.write_text(f"ARCH ?= native\n{text}", encoding="utf-8")
    (program / "results").mkdir(exist_ok=True)
    (program / "results" / ".keep").touch()  # what copies folders may leave out empty ones
    foreign = [f.relative_to(program) for f in program.rglob("*") if f.is_symlink()]
    if foreign:
        raise EngineError(f"{foreign[0]}: is a link, which is of no use elsewhere")


def _write_makefile(exported: Exported, folder: Path) -> None:
    is_cuda = exported.settings.device == cuda.DEVICE
    capability = f"sm_{round(10 * (cuda.compute_capability() or cuda.ASSUMED_CAPABILITY))}"
    text = string.Template((_DRIVER / "makefile").read_text(encoding="utf-8")).substitute(
        programs=" ".join(f"programs/{structure.phase}/main" for structure in exported.plan.structures),
        gpu=f"GPU ?= {capability}\n" if is_cuda else "",
        gpu_used=" $(GPU)" if is_cuda else "",
        gpu_passed=' GPU="$(GPU)"' if is_cuda else "",
    )
    (folder / "makefile").write_text(text, encoding="utf-8")


# -- images --------------------------------------------------------------------------------------------------
def _brings_all(exported: Exported) -> bool:
    images = exported.division.images
    return images.train_images.nbytes + images.test_images.nbytes <= MOST_IMAGE_BYTES


def _write_images(exported: Exported, folder: Path) -> None:
    images, plan = exported.division.images, exported.plan
    folder.mkdir()
    parts = {"train": plan.all_trained} | ({} if plan.all_tested is plan.all_trained else {"test": plan.all_tested})
    for name, samples in parts.items():
        some: Samples = samples if _brings_all(exported) else samples[: FEW[name]]
        cubes = some.pixels.reshape(-1, *images.shape)
        (folder / f"{name}-images.idx").write_bytes(idx.encode(np.ascontiguousarray(cubes)))
        (folder / f"{name}-labels.idx").write_bytes(idx.encode(some.labels.astype(np.uint8)))


# -- what it is ----------------------------------------------------------------------------------------------
def _describe(exported: Exported, folder: Path) -> None:
    """What `hebbarium import` compares: what the run would begin with. No path of this computer is in it."""
    settings = exported.settings
    configuration = {**settings.record(), "command": " ".join(["hebbarium", *sys.argv[1:]])}
    configuration["code"] = provenance.code_version()
    kept = pins.take(configuration, exported.model, exported.division.images)
    pinned = json.loads(kept[pins.FILE])
    pinned["configuration"] |= {"data": None, "command": command(exported)}
    for name in ("model", "dataset"):
        pinned["configuration"][name] = Path(pinned["configuration"][name]).name
    description = {"project": VERSION, "pins": pinned}
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    for name, content in kept.items():
        if name != pins.FILE:  # of a model of one's own
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def command(exported: Exported) -> str:
    """The command that makes the same run in Python."""
    settings, table = exported.settings, RunSettings.table()
    record = settings.record()
    words = ["hebbarium", "train", Path(settings.model).name]
    for name, row in table.items():
        value = record[name]
        if row.option and value != row.default and name not in ("jobs", "data", "labels_from"):
            words += [row.option, Path(value).name if name == "dataset" else str(value)]
    if settings.labels_from != exported.model.labels_from:
        words += ["--labels-from", settings.labels_from]
    for symbol, value in record["changes"].items():
        words += ["--set", f'"{symbol}={value}"']
    return " ".join(words)


def _licence_of(distribution: str) -> str:
    for file in metadata.files(distribution) or ():
        if file.name == "LICENSE":
            return Path(str(file.locate())).read_text(encoding="utf-8")
    raise EngineError(f"{distribution}: was installed without its licence, which has to go along; install it anew")


def _write_licences(exported: Exported, folder: Path) -> None:
    (folder / "LICENSES").mkdir()
    texts = {"hebbarium.txt": _licence_of("hebbarium"), "brian2.txt": _licence_of("brian2")}
    if exported.settings.device == cuda.DEVICE:
        texts["brian2cuda.txt"] = _licence_of("brian2cuda")
    if made_sets.origin(exported.division.images.name):
        file = Path(idx.__file__).parent / "embedded" / "LICENSES.txt"
        texts["images.txt"] = file.read_text(encoding="utf-8")
    for name, text in texts.items():
        (folder / "LICENSES" / name).write_text(text, encoding="utf-8")


def _licences(exported: Exported) -> str:
    images = exported.division.images
    lines = [
        "- `driver/`, and what of `programs/` comes of `dense_pathways` or is a header of this project: BSD 3-clause"
        " (`LICENSES/hebbarium.txt`).",
        "- The frame of `programs/`, from Brian2's C++ standalone device, and `brianlib/`: CeCILL 2.1"
        " (`LICENSES/brian2.txt`). Whoever passes this folder on passes Brian2's part on too.",
    ]
    if exported.settings.device == cuda.DEVICE:
        lines.append("- What of `programs/` comes from brian2cuda: `LICENSES/brian2cuda.txt`.")
    if known := made_sets.origin(images.name):
        changed = "" if known.name == images.name else f", changed into {images.name}"
        lines.append(f"- `images/`: {known.licence}{changed} (`LICENSES/images.txt`).")
    else:
        lines.append(f"- `images/`, of {images.name}: as they were given; whose they are is not known here.")
    if own_models.file_in(exported.settings.model):
        lines.append("- The equations in `programs/`, and `source/`: their author's.")
    return "\n".join(lines)


_GPU = """It is for a GPU, and needs `nvcc` with cuRAND as well: `make GPU=sm_90`. **It was never run**: what it
computes was compared with nothing."""
_WITHOUT = "Without a folder `trained`, `./test` asks the network that was exported."
_SAME = """`images/` holds $holds of $name, the run's own set. Where `train` and `test` are given the whole of it, they
show the images that the run trains and tests on, in its order (seed $seed), and all results $bits

    $command

on the same computer, with the same compiler and flags. With other images, all of the file are shown. Other flags,
another compiler, another kind of processor (`make ARCH=x86-64-v3`) change the last digits, and with them in time the
spikes."""


def _write_readme(exported: Exported, folder: Path) -> None:
    plan, images, settings = exported.plan, exported.division.images, exported.settings
    tested = "train" if plan.all_tested is plan.all_trained else "test"
    is_cuda = settings.device == cuda.DEVICE
    text = string.Template((_DRIVER / "README.md").read_text(encoding="utf-8")).substitute(
        model=exported.model.name,
        title=exported.model.title,
        paper=exported.model.paper,
        remark=f"\n{_GPU}" if is_cuda else "",
        tested=tested,
        rows=images.shape[0],
        columns=images.shape[1],
        last_class=images.classes - 1,
        without=f"\n{_WITHOUT}" if exported.state is not None else "",
        same=string.Template(_SAME).substitute(
            holds="all images" if _brings_all(exported) else "the first images",
            name=images.name,
            seed=settings.seed,
            bits="ought to be those of" if is_cuda else "have the bits of",
            command=command(exported),
        ),
        phases=", ".join(structure.phase for structure in plan.structures),
        licences=_licences(exported),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
