"""From where a run goes on: the latest checkpoint that is whole and has whole all that it builds upon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from engine import block_file, run_folder
from engine.contract import Arrays


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
        Is told in one line where a file is missing or damaged, and what comes of it.
    """
    there = run_folder.checkpoints(run)
    last = max(there, default=0)
    broken = {file: first for file, first in needed.items() if first <= last and not is_whole(file)}
    limit = min(broken.values(), default=last + 1)
    found = None
    for blocks, file in reversed(there.items()):
        if blocks < limit:
            try:
                found = blocks, block_file.read(file)
                break
            except block_file.BlockFileError:
                broken[file] = blocks
    if broken:
        first, *others = sorted(broken, key=lambda file: broken[file])
        problem = "is damaged" if first.exists() else "is missing"
        more = f" (and {len(others)} more)" if others else ""
        goes_on = f"goes on from the checkpoint of block {found[0]}" if found else "is trained again from the start"
        say(f"{first}: {problem}{more}; the run {goes_on}")
    return found


def is_whole(file: Path) -> bool:
    """Whether a block file is there with all its bytes."""
    try:
        block_file.read(file)
    except block_file.BlockFileError:
        return False
    return True
