"""From where a run goes on: the latest checkpoint that is whole and has whole all that it builds upon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hebbarium.engine import block_file, run_folder
from hebbarium.engine.contract import Arrays
from hebbarium.files.errors import RunFolderError


def checkpoint(
    run: Path, needed: Mapping[Path, int], say: Callable[[str], None] = lambda text: None
) -> tuple[int, Arrays] | None:
    """The checkpoint from which a run goes on: number of blocks and arrays, or None for the start.

    Parameters
    ----------
    run : Path
        The run folder.
    needed : dict
        Block files, and for each the first checkpoint that cannot do without it.
    say : callable
        Is told in one line where a file is missing, damaged or another's, and what comes of it.

    Raises
    ------
    RunFolderError
        A folder is in the place of one of them.
    """
    there = run_folder.checkpoints(run)
    for file in (*needed, *there.values()):
        if file.is_dir():
            raise RunFolderError(f"{file}: is a folder, where a file of the run is to be; move it elsewhere")
    last = max(there, default=0)
    needed = {file: first for file, first in needed.items() if first <= last}
    problems = {file: problem for file in needed if (problem := run_folder.problem(run, file))}
    limit = min((needed[file] for file in problems), default=last + 1)
    order = {**needed, **{file: blocks for blocks, file in there.items()}}
    found = None
    for blocks, file in reversed(there.items()):
        if blocks < limit:
            try:
                found = blocks, run_folder.read(run, file)
                break
            except block_file.BlockFileError as error:
                problems[file] = run_folder.in_words(error, file)
    if problems:
        first, *others = sorted(problems, key=lambda file: order[file])
        more = f" (and {len(others)} more)" if others else ""
        goes_on = f"goes on from the checkpoint of block {found[0]}" if found else "is trained again from the start"
        say(f"{first}: {problems[first]}{more}; the run {goes_on}")
    return found


def is_whole(run: Path, file: Path) -> bool:
    """Whether a file of a run is there with all its bytes, and is what its name says."""
    return not run_folder.problem(run, file)
