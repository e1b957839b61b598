"""What tells one run from another in the ledgers of runs of any model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hebbarium.ledger import commits
from hebbarium.record import results
from hebbarium.studies import reproduction
from hebbarium.training import settings, training


def of_run(run: Path) -> dict[str, Any]:
    """Model, sizes, data, setting, seed, how long it was trained, and where it came from.

    Parameters
    ----------
    run : Path
        A complete run.

    Returns
    -------
    dict
        ``model``, ``layers`` (as in ``784-400-10``), ``dataset``, ``setting`` (with the constants that follow from a
        size), ``seed``, ``images_trained``, ``command``, ``commit``.
    """
    asked = training.settings_of(run)
    model = asked.make_model()
    with results.open_run(run) as tree:
        seen, dataset = tree.attrs["samples_seen"], tree.attrs["dataset"]
        commit = commits.named(str(tree.attrs["git_commit"]), bool(tree.attrs["git_dirty"]))
    shapes = [p.shape for p in model.projections()]
    given = {symbol: text for symbol, text in asked.changes.items() if symbol not in ("neurons", "layers")}
    given |= settings.following(type(model), asked.changes)
    return {
        "model": model.name,
        "layers": "-".join(map(str, (shapes[0][0], *(shape[1] for shape in shapes)))),
        "dataset": str(dataset),
        "setting": " ".join(f"{symbol}={text.replace(' ', '')}" for symbol, text in given.items()),
        "seed": asked.seed,
        "images_trained": int(seen),
        "command": reproduction.command_of(asked),
        "commit": commit,
    }
