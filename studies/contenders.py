"""How a paper's rule stands on the leaderboard: what it is told, which of its rows count, its short run on any set.

A protocol says it in one declaration (`hebbarium.studies.reproduction.Paper.contender`)::

    PAPER = Paper(..., contender=Contender(Told.LABELS, {"item": "Table 1"}, short=replace(SHORT, changes=SETTINGS)))
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hebbarium.ledger.rows import Row
from hebbarium.models.contract import Model
from hebbarium.training.run_settings import RunSettings

__all__ = ["Contender", "Told", "hidden_neurons"]


class Told(enum.Enum):
    """What a rule is told of the right answer.

    ``LABELS`` name neurons once all is learned; a ``TEACHER`` makes the right class fire while the network learns;
    ``ERRORS`` of its output change its weights; ``CONVERTED`` is what errors taught before it had spikes.
    """

    NOTHING = "nothing"
    LABELS = "labels of neurons"
    TEACHER = "a teacher"
    ERRORS = "errors"
    CONVERTED = "nothing (converted)"
    NOT_SAID = "not said"


def hidden_neurons(model: Model) -> int | None:
    """Neurons between input and classes, by the parameters ``layers`` or ``neurons``; None where neither says it."""
    layers = getattr(model, "layers", None)
    if isinstance(layers, tuple):
        return sum(layers)
    neurons = getattr(model, "neurons", None)
    return neurons if isinstance(neurons, int) else None


@dataclass(frozen=True)
class Contender:
    """What of a paper stands on the leaderboard.

    Parameters
    ----------
    told : Told
    where : mapping of str to str
        Conditions on its rows, as `hebbarium.ledger.rows.select` has them: ``{"item": "Table 1|short"}``; rows of all
        tables if none are given. Rows of held-out images never count.
    free : tuple of str
        Parameters in which a row may differ from the model's defaults and still be the rule's own: what its paper or a
        search on held-out images says for a set or a size. They are told. A row that differs in others does not count.
    remark : callable
        What has to be said of a row first, such as that constants were fitted to its very table; empty if nothing.
    neurons : callable
        Hidden neurons of a model; None if that is no number to compare by.
    short : RunSettings, optional
        What the rule is trained with on any set: few images, a small network. Without it, it is trained on none.
    """

    told: Told = Told.NOT_SAID
    where: Mapping[str, str] = field(default_factory=dict)
    free: tuple[str, ...] = ()
    remark: Callable[[Row], str] = lambda row: ""
    neurons: Callable[[Model], int | None] = hidden_neurons
    short: RunSettings | None = None
