"""What tells one run from another in the ledgers of all papers."""

from __future__ import annotations

from typing import Any

from hebbarium.engine import anatomy
from hebbarium.ledger import commits
from hebbarium.ledger.networks import TrainedNetwork
from hebbarium.studies import reproduction
from hebbarium.training import parameters
from hebbarium.training.run import Run


def of_run(run: Run) -> TrainedNetwork:
    """Model, sizes, data, setting, seed, how long it was trained, and where it came from.

    Parameters
    ----------
    run : Run
        A complete one.

    Returns
    -------
    TrainedNetwork
        The setting begins with the size and ends with the constants that follow from it.
    """
    settings, model = run.settings, run.model
    with run.results() as tree:
        seen, dataset = tree.attrs["samples_seen"], tree.attrs["dataset"]
        commit = commits.named(str(tree.attrs["git_commit"]), bool(tree.attrs["git_dirty"]))
    if model.connections() is None:
        first, *_ = projections = anatomy.projections(model)
        sizes = [(first.name.partition("_to_")[0], first.shape[0])]
        sizes += [(p.name.rpartition("_to_")[2], p.shape[1]) for p in projections]
    else:  # layers that are not all to all, one behind the other
        sizes = list(anatomy.populations(model).items())
    symbols = [symbol for symbol in ("neurons", "layers") if symbol in model.parameters()]
    size: dict[str, Any] = {symbol: getattr(model, symbol) for symbol in symbols}
    others = {symbol: value for symbol, value in settings.changes.items() if symbol not in size}
    following = parameters.following(type(model), settings.changes)
    setting = parameters.texts(type(model), {**size, **others, **following})
    return TrainedNetwork(
        model=model.name,
        dataset=str(dataset),
        setting=" ".join(f"{symbol}={text.replace(' ', '')}" for symbol, text in setting.items()),
        seed=settings.seed,
        sizes=tuple(sizes),
        trained=int(seen),
        device=settings.device,
        precision=settings.precision,
        command=reproduction.command_of(settings),
        commit=commit,
    )
