"""Brian2's own examples on the dense device and on stock: ``python tests/brian2_examples.py``.

Not collected by pytest: it takes an hour or two. Writes (``results/brian2_examples.csv``), for each script among the
examples of the installed version of Brian2, whether both devices leave the same bytes in every result file, or why
that cannot be said. Both are compiled with the same flags; `one_example` says how a script is run. The scripts are
those of the source distribution, which pip fetches, or of ``--examples FOLDER``; names choose among them, and rows of
others stay. What programs say is in ``build/brian2_examples/``.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import brian2

import one_example
import side_by_side

RESULTS = Path(__file__).parents[1] / "results" / "brian2_examples.csv"
SAID = Path(__file__).parents[1] / "build" / "brian2_examples"
COLUMNS = ("example", "outcome", "files", "why", "steps", "flags", "brian2")
SAME, DIFFERS, NOT = "same", "differs", "not comparable"
LONGEST = 1800
"""Seconds that a device may take to compile and run one."""

STOCK, DENSE = "cpp_standalone", "cpp_dense"


def fetched() -> Path:
    """The examples of the installed version of Brian2, from its source distribution."""
    folder = SAID / f"brian2-{brian2.__version__}"
    if not folder.is_dir():
        SAID.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=SAID) as place:
            wanted = ["--no-deps", "--no-binary", "brian2", f"brian2=={brian2.__version__}"]
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", *wanted], cwd=place, check=True)
            (archive,) = Path(place).glob("*.tar.gz")
            with tarfile.open(archive) as tar:
                tar.extractall(place, filter="data")
            (Path(place) / folder.name).rename(folder)
    return folder / "examples"


def compared(script: Path, name: str) -> tuple[str, int, str]:
    """Outcome, how many files were compared, and why not the same."""
    with tempfile.TemporaryDirectory(prefix="example_") as place:
        return _compared(script, name, Path(place))


def _compared(script: Path, name: str, place: Path) -> tuple[str, int, str]:
    files: dict[str, side_by_side.Files] = {}
    for device in (STOCK, DENSE):
        folder, log = place / device, SAID / f"{name.replace('/', '-')}.{device}.txt"
        command = [sys.executable, one_example.__file__, device, str(script), str(folder)]
        with open(log, "w", encoding="utf-8") as out:
            try:
                code = subprocess.run(
                    command, stdout=out, stderr=subprocess.STDOUT, timeout=LONGEST, check=False,
                    env={**os.environ, "MPLBACKEND": "Agg"},  # figures are drawn, not shown
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                return NOT, 0, f"{device} takes longer than {LONGEST // 60} minutes"
        said = [line for line in log.read_text(encoding="utf-8").split("\n") if line.strip()]
        if code < 0:
            raise RuntimeError(f"{name} on {device} was ended by signal {-code}: nothing is known of it; run it again")
        last = said[-1] if said else f"exit code {code}"
        if code and device == STOCK:
            return NOT, 0, last if code == one_example.NOTHING else f"{device} fails: {last}"
        if code:
            return DIFFERS, len(files[STOCK]), f"{device} fails: {last}"
        files[device] = side_by_side.read(folder)
    stock, dense = files[STOCK], files[DENSE]
    different = sorted(file for file in stock.keys() | dense.keys() if stock.get(file) != dense.get(file))
    return DIFFERS if different else SAME, len(stock), " ".join(different)


def rows() -> dict[str, dict[str, str]]:
    """What is known by now, by example."""
    if not RESULTS.exists():
        return {}
    with open(RESULTS, newline="", encoding="utf-8") as file:
        return {row["example"]: row for row in csv.DictReader(file)}


def write(known: Iterable[dict[str, str]]) -> None:
    """Write all rows, whole or not at all."""
    draft = RESULTS.with_suffix(".draft")
    with open(draft, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(sorted(known, key=lambda row: row["example"]))
    draft.replace(RESULTS)


def main() -> int:
    """Run those asked for on both devices, compare, write after each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="scripts, by parts of their names; all if none")
    parser.add_argument("--examples", type=Path, help="a folder of scripts in place of the source distribution")
    parser.add_argument("--left", action="store_true", help="only those that the table does not list yet")
    parser.add_argument("--workers", type=int, default=1, help="examples at once; each compiles two files at a time")
    options = parser.parse_args()
    folder = (options.examples or fetched()).resolve()
    if not folder.is_dir():
        parser.error(f"--examples {folder}: no such folder; expected one with Brian2's examples")
    SAID.mkdir(parents=True, exist_ok=True)
    every = [str(script.relative_to(folder)) for script in sorted(folder.rglob("*.py"))]
    chosen = [name for name in every if not options.names or any(part in name for part in options.names)]
    if not chosen:
        parser.error(f"{', '.join(options.names) or folder}: no script in {folder} is called so")
    made = rows() if options.names or options.left else {}
    if options.left:
        chosen = [name for name in chosen if name not in made]
    with ThreadPoolExecutor(options.workers) as pool:
        ran = {pool.submit(compared, folder / name, name): name for name in chosen}
        for done in as_completed(ran):
            name, (outcome, count, why) = ran[done], done.result()
            print(f"{name}: {outcome} {why}", flush=True)
            flags = " ".join(one_example.FLAGS)
            values = (name, outcome, str(count), why, str(one_example.LONGEST), flags, brian2.__version__)
            made[name] = dict(zip(COLUMNS, values, strict=True))
            write(made.values())
    outcomes = [row["outcome"] for row in made.values()]
    print(", ".join(f"{outcomes.count(kind)} {kind}" for kind in (SAME, DIFFERS, NOT)))
    return 1 if DIFFERS in outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
