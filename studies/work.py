"""What a presentation costs a network, read off the network: which statements are carried out, how often, and what for.

A statement serves responses where what it sets can come to a spike or is read as an answer, and learning where it sets
what is learned, which is weights and what a model shows beside them, or what comes to nothing else. What a statement
reads as a subexpression is computed once for all statements of an operation. Neurons that no pathway drives turn data
into spikes: that is not counted, nor are the controller and what it is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from hebbarium.engine import anatomy
from hebbarium.engine.anatomy import Anatomy, Pathway
from hebbarium.engine.statements import CONDITION, Statement
from hebbarium.models.contract import Model
from hebbarium.models.operations import FORWARD, UPDATE, Shown, Work


def of(model: Model, phase: str, shown: Shown) -> tuple[Work, ...]:
    """Every string that a presentation carries out, with how often; as the model says, if it does.

    Parameters
    ----------
    model : Model
    phase : str
        Run with all that is `recorded`.
    shown : Shown
        What was recorded.
    """
    declared = model.work(phase, shown)
    return tuple(_Reading(model, phase).work(shown)) if declared is None else declared


def recorded(model: Model, phase: str) -> tuple[str, ...]:
    """What has to be recorded: the spikes of all populations, and events that neither they nor the time decide."""
    network = anatomy.of(model, phase)
    if type(model).work is not Model.work:
        return tuple(network.populations)
    events = dict.fromkeys(line.event for line in network.statements if line.event)
    return (*network.populations, *(e for e in events if not e.endswith(".spike") and e not in network.moments))


class _Reading:
    """A phase of a model, with what its statements are for."""

    def __init__(self, model: Model, phase: str) -> None:
        self.anatomy: Anatomy = anatomy.of(model, phase)
        self.pathways: dict[str, Pathway] = {p.name: p for p in self.anatomy.pathways}
        to_controller = {p.name for p in self.anatomy.pathways if p.target == model.controller}
        own = [s for s in self.anatomy.statements if s.owner != model.controller]
        self._lines = [s for s in own if s.operation not in to_controller]
        learned = {p.variable for p in self.anatomy.projections}
        learned |= {v.name for v in self.anatomy.state if model.shows(v.name)}
        answers = {f"{measure.population}.{measure.variable}" for measure in model.measures(False) if measure.variable}
        self._forward = self._responding(answers, learned)
        driven = {s.sets.partition(".")[0] for s in self._lines if s.operation in self.pathways and self._answers(s)}
        self._encoders = set(self.anatomy.populations) - driven

    def _responding(self, answers: set[str], learned: set[str]) -> set[str]:
        """Variables and events that can come to a spike or an answer, but for what is learned."""
        names = {f"{population}.spike" for population in self.anatomy.populations} | answers
        before = 0
        while before != len(names):
            before = len(names)
            for line in self._lines:
                if line.sets in names:
                    names |= {*line.reads, *filter(None, [line.event])} - learned
        return names

    def _answers(self, line: Statement) -> bool:
        return line.sets in self._forward

    def parts(self) -> dict[tuple[str, str], list[Statement]]:
        """Statements that count, by operation and process."""
        lines_of: dict[tuple[str, str], list[Statement]] = defaultdict(list)
        for line in self._lines:
            is_search = line.kind == CONDITION and not line.sets.endswith(".spike")
            encodes = self._answers(line) and line.owner in self._encoders
            if not is_search and not encodes:
                lines_of[line.operation, FORWARD if self._answers(line) else UPDATE].append(line)
        return lines_of

    def work(self, shown: Shown) -> Iterator[Work]:
        """What a presentation carries out."""
        computed: set[tuple[str, str]] = set()
        for (operation, process), lines in sorted(self.parts().items(), key=lambda part: part[0][1] != FORWARD):
            pathway = self.pathways.get(operation)
            through = [text for text in dict.fromkeys(text for line in lines for text in line.through)
                       if (operation, text) not in computed]  # fmt: skip
            computed |= {(operation, text) for text in through}
            code = "\n".join([*through, *(line.text for line in lines)])
            constants = frozenset().union(*(line.constants for line in lines))
            times = self._times(lines[0], shown) * (pathway.reach if pathway else 1)
            yield Work(process, code, times, pathway is not None, constants)

    def _times(self, line: Statement, shown: Shown) -> float:
        """How often an operation is carried out, for one neuron each, or at one neuron's synapses."""
        group, _, event = line.event.partition(".")
        if not event:
            return shown.steps * self.anatomy.elements[line.owner]
        if line.event in self.anatomy.moments:
            return self.anatomy.moments[line.event] * shown.presentations * self.anatomy.elements[group]
        if event != "spike" and line.event not in shown.spikes:
            raise ValueError(f"{line.event}: was not recorded; how often it happens is not known")
        return shown.count(group if event == "spike" else line.event)
