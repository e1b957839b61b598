"""Where the time of training goes: by operation, and how each was compiled."""

from __future__ import annotations

from collections.abc import Mapping

from hebbarium.engine import dense
from hebbarium.engine.contract import Program


def how_compiled(program: Program) -> dict[str, str]:
    """For each operation whether it is a dense or vectorised loop, and if not, or not wholly, why."""
    if not isinstance(program, dense.DenseProgram):
        return {}
    return {
        name: ("dense" + (f", in order: {reason}" if reason else "")) if is_dense else f"stock: {reason}"
        for name, (is_dense, reason) in dense.operations(program).items()
    }


def table(
    seconds: Mapping[str, float], compiled: Mapping[str, str], images: int, events: float, run_seconds: float
) -> str:
    """The profile as text.

    Parameters
    ----------
    seconds : mapping
        Time by operation, summed over blocks.
    compiled : mapping
        See `how_compiled`.
    images : int
        Images that were presented meanwhile.
    events : float
        Synaptic events meanwhile.
    run_seconds : float
        Time in the main loop, of which what is in no operation is spent between them and on measuring.
    """
    width = max(map(len, ["operation", *seconds]))
    lines = [f"{'operation':{width}}  ms/image      %  compiled"]
    rest = {"(between them)": run_seconds - sum(seconds.values())}
    for name, spent in [*sorted(seconds.items(), key=lambda item: -item[1]), *rest.items()]:
        share = 100 * spent / run_seconds if run_seconds else 0.0
        lines.append(f"{name:{width}}  {1e3 * spent / images:8.4f}  {share:5.1f}  {compiled.get(name, '')}".rstrip())
    lines.append(
        f"{images:,} images, {1e3 * run_seconds / images:.3f} ms each; {events / run_seconds:.3g} synaptic events/s;"
        " measuring included, which costs most where operations are short"
    )
    return "\n".join(lines)
