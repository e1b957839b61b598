"""What a network is made of: Brian2's groups and synapses, on one clock, with what their strings name.

`Parts.neurons` is Brian2's `NeuronGroup`, `Parts.synapses` its `Synapses`. Both declare the quantities of the model's
parameter table that occur in their strings, and say for every string at which place of a step it is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from brian2 import Clock, NeuronGroup, Quantity, Synapses, TimedArray, linked_var

from hebbarium.equations import convolution, presentation
from hebbarium.equations.convolution import Connections
from hebbarium.equations.strings import lines, renamed, without_comments
from hebbarium.models import copies
from hebbarium.models.contract import Arrays, Model

Code = str | bool | Sequence["Code"]
"""An equation string or several, one below the other; False for what an option leaves out."""


class At(NamedTuple):
    """A string, and the place in a step at which it is carried out or, a condition, looked for.

    Parameters
    ----------
    place : str
        Slot and order, as `hebbarium describe` shows them: ``start 2``. The slots of a step are start, groups (in which
        equations are integrated first), thresholds, synapses, resets, end. A spike's reset comes after its synapses,
        so that spikes of one step do not pair.
    code : str or sequence of str
    event : str
        The event that it waits for.
    """

    place: str
    code: Code
    event: str = ""

    @property
    def when(self) -> str:
        """The slot."""
        return self.place.split()[0]

    @property
    def order(self) -> int:
        """The order in it."""
        return int(self.place.split()[1])


BEGINS = At("start 0", presentation.BEGINS)
RESTS = At("start 0", presentation.RESTS)
ENDS = At("end 0", presentation.ENDS)


def follow(group: NeuronGroup, controller: NeuronGroup) -> None:
    """Let neurons with the equations `presentation.FOLLOWS` read which sample is shown, and how intensely."""
    link(group, "sample", controller)
    link(group, "intensity", controller)


def link(group: NeuronGroup, variable: str, single: NeuronGroup, theirs: str = "") -> None:
    """Let neurons read, as a linked variable, one of a group of one neuron; of a copy's, where there are several.

    Parameters
    ----------
    group : NeuronGroup
    variable : str
    single : NeuronGroup
    theirs : str
        What it is called there, if not the same.
    """
    each = len(group) // copies.times()
    index = np.repeat(np.arange(len(single)), each) if copies.times() > 1 else None
    setattr(group, variable, linked_var(single, theirs or variable, index=index))


class Parts:
    """Makes the parts of one network.

    Parameters
    ----------
    model : Model
    dt : Quantity
        Step of the clock.
    steps : int
        Of a sample: ``sample_steps`` in equations, ``t_sample`` as a time.
    inputs : dict of (samples, ...) arrays
        Read in equations by their names, as ``rates(t, i)``.
    units : mapping of str to Unit
        Of those inputs that have one.
    **constants
        What equations name besides.
    """

    def __init__(
        self, model: Model, dt: Quantity, steps: int, inputs: Arrays, units: Mapping[str, Any], **constants: Any
    ) -> None:
        self.model, self.times = model, copies.times()
        t_sample = steps * dt
        self.clock = Clock(dt, name="step_clock")
        #: how many numbers of a sample one network is given
        self.columns = {k: values.size // (len(values) * self.times) for k, values in inputs.items()}
        self.namespace = {
            **{k: TimedArray(values * units.get(k, 1), dt=t_sample, name=k) for k, values in inputs.items()},
            "sample_steps": steps,
            "t_sample": t_sample,
            **(copies.columns(self.columns) if self.times > 1 else {}),
            **constants,
        }

    def neurons(
        self,
        name: str,
        size: int,
        equations: Code,
        *,
        threshold: str = "",
        reset: Code = "",
        refractory: str = "",
        events: Mapping[str, At | Literal[False]] | None = None,
        runs: Sequence[At | bool] = (),
        constants: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> NeuronGroup:
        """Neurons.

        Parameters
        ----------
        name, size, equations, threshold, reset, refractory
            As Brian2's.
        events : mapping of str to At
            Name of an event to its condition.
        runs : sequence of At
            What is carried out at each step or, with an event, at each neuron that has it.
        constants : mapping of str to float
            What the strings name besides.
        **options
            Handed on to Brian2.
        """
        def in_group(code: Code) -> str:
            return self._in_group(_joined(code), i=copies.NEURONS)

        scheduled = {event: at for event, at in (events or {}).items() if at}
        carried_out = [(at, in_group(at.code)) for at in runs if isinstance(at, At) and _joined(at.code)]
        whole, after = in_group(equations), in_group(reset)
        conditions = {event: without_comments(in_group(at.code)).strip() for event, at in scheduled.items()}
        fires = without_comments(self._in_group(threshold, i=copies.NEURONS))
        codes = (whole, after, fires, refractory, *conditions.values(), *(code for _, code in carried_out))
        group = NeuronGroup(
            size * self.times,
            whole + (self._declared(*codes) if self.times == 1 else self._each_declares(name, size, whole)),
            threshold=fires or None,
            reset=after if fires else None,  # an empty one says that none is meant
            refractory=refractory or False,
            events=conditions,
            name=name,
            clock=self.clock,
            namespace=self.namespace | ({copies.NEURONS: size} if self.times > 1 else {}) | dict(constants or {}),
            **options,
        )
        for event, at in scheduled.items():
            group.set_event_schedule(event, when=at.when, order=at.order)
        for at, code in carried_out:
            if at.event:
                group.run_on_event(at.event, code, when=at.when, order=at.order)
            else:
                group.run_regularly(code, when=at.when, order=at.order)
        return group

    def synapses(
        self,
        name: str,
        source: NeuronGroup,
        target: NeuronGroup,
        equations: Code = "",
        *,
        on_pre: Mapping[str, At | Literal[False]],
        on_post: Mapping[str, At | Literal[False]] | None = None,
        one_to_one: bool = False,
        terminals: int = 0,
        pairs: Connections | None = None,
        kernel: NeuronGroup | None = None,
        shares: Sequence[str] = ("w",),
        **options: Any,
    ) -> Synapses:
        """Synapses, all to all unless one to one or listed.

        Parameters
        ----------
        name, source, target, equations
            As Brian2's. Quantities that the target declares are read from there, or else from the source.
        on_pre, on_post : mapping of str to At
            Name of a pathway to what it does at each event of its side, spikes unless said otherwise.
        terminals : int
            Synapses of each pair, where there are several: ``k`` is the number of one in its pair, from 0 on.
        pairs : Connections, optional
            Which neurons are connected, where it is not all to all.
        kernel : NeuronGroup, optional
            Weights that the synapses share, as ``pairs`` says.
        shares : sequence of str
            Variables of the kernel that they share.
        **options
            Handed on to Brian2.
        """
        before, after = ({path: at for path, at in (side or {}).items() if at} for side in (on_pre, on_post))
        paths = before | after
        theirs = {
            symbol: f"{symbol}_pre"
            for symbol in self.model.run_time_values()
            if symbol in source.variables and symbol not in target.variables
        }
        codes = {path: renamed(_joined(at.code), **theirs) for path, at in paths.items()}
        declared = self._declared(*codes.values(), besides=(*theirs, *target.variables))
        namespace = self.namespace
        if self.times > 1:
            if declared:
                raise ValueError(f"'{name}' reads what the neurons it leads to do not have:\n{declared}")
            sizes = {copies.SOURCES: len(source) // self.times, copies.TARGETS: len(target) // self.times}
            namespace = namespace | sizes
            codes = {path: self._in_group(code, i=copies.SOURCES, j=copies.TARGETS) for path, code in codes.items()}
        synapses = Synapses(
            source,
            target,
            (convolution.shared(*shares) if kernel is not None else "") + _joined(equations) + declared,
            on_pre={path: codes[path] for path in before},
            on_post={path: codes[path] for path in after} or None,
            on_event={path: at.event or "spike" for path, at in paths.items()},
            name=name,
            clock=self.clock,
            namespace=namespace,
            multisynaptic_index="k" if terminals else None,
            **options,
        )
        if pairs is not None:
            synapses.connect(i=copies.shifted(pairs.source, len(source)), j=copies.shifted(pairs.target, len(target)))
        else:
            targets = "i" if one_to_one else copies.PAIRS if self.times > 1 else None
            synapses.connect(**({"j": targets} if targets else {}), **({"n": terminals} if terminals else {}))
        if kernel is not None and pairs is not None:
            setattr(synapses, convolution.NUMBER, copies.shifted(pairs.weight, len(kernel)))
            for name in shares:
                setattr(synapses, name, linked_var(kernel, name, index=convolution.NUMBER))
        for path, at in paths.items():
            pathway = getattr(synapses, path)
            pathway.when, pathway.order = at.when, at.order
        return synapses

    def _declared(self, *code: str, besides: tuple[str, ...] = ()) -> str:
        return self.model.declare_used(*map(without_comments, code), besides=besides)

    def _in_group(self, code: str, **numbers: str) -> str:
        """Code of one network as it is carried out for all copies."""
        return code if self.times == 1 else copies.in_group(without_comments(code), self.columns, **numbers)

    def _each_declares(self, name: str, size: int, equations: str) -> str:
        """Equation lines that give each neuron every quantity, which is its copy's, for synapses to read as well."""
        own = copies.checked(name, size * self.times, equations)
        symbols = (symbol for symbol in self.model.run_time_values() if symbol not in own)
        return self.model.declare(*symbols, flags="constant")


def _joined(code: Code) -> str:
    return lines(*([code] if isinstance(code, str | bool) else map(_joined, code)))
