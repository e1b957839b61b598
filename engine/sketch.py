"""A network as its model builds it, without the memory and the time of its synapses.

The device of this module carries out what a script does to a network, as Brian2's runtime does, but for connections
that can be counted: it notes them, and values given to all of their synapses. What is taken from Brian2's private parts
are the hooks of a device, and how `Synapses` keep their number.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from brian2 import BrianLogger, Network, Synapses, prefs
from brian2.core.variables import ArrayVariable, DynamicArrayVariable, VariableView
from brian2.devices.device import RuntimeDevice, all_devices
from brian2.units.fundamentalunits import fail_for_dimension_mismatch
from numpy.typing import NDArray

from dense_pathways.brian2_parts import connect
from dense_pathways.connections import Connection, recognise
from hebbarium.engine import isolation
from hebbarium.engine.contract import DeclaredNetwork
from hebbarium.files.errors import ModelRefused

# Networks are read and dropped: that they never ran is meant.
BrianLogger.suppress_name("unused_brian_object")

_MAXIMUM = re.compile(r"Abstract code: '(\w+) = clip\(\w+, \1, inf\)'$")


class _Maxima(logging.Filter):
    """Keeps back that the outcome might depend on the order: that of a maximum over many synapses does not."""

    def filter(self, record: logging.LogRecord) -> bool:
        return _MAXIMUM.search(record.getMessage()) is None


logging.getLogger("brian2.codegen.generators.base").addFilter(_Maxima())

NAME = "sketch"
RANDOM = frozenset(("rand", "randn", "poisson", "binomial"))
"""Brian2's functions that draw random numbers."""


class Sketch(RuntimeDevice):
    """Brian2's runtime, with connections that are noted instead of made.

    Attributes
    ----------
    owners : dict
        Names of what has variables, in the order of their making.
    connections : dict
        How each `Synapses`, by name, is connected, where its pairs can be counted.
    inputs : frozenset of str
        Names of the arrays that come with the samples.
    """

    def __init__(self) -> None:
        super().__init__()
        self._forget({})

    def _forget(self, values: Mapping[str, float]) -> None:
        self.owners: dict[str, None] = {}
        self.connections: dict[str, Connection] = {}
        self.inputs: frozenset[str] = frozenset()
        self._made: set[str] = set()
        self._given: dict[ArrayVariable, Any] = {}
        self._values = values

    def activate(self, build_on_run: bool = True, values: Mapping[str, float] | None = None, **options: Any) -> None:
        """Called by `isolation.active`.

        Parameters
        ----------
        values : mapping, optional
            What constants of these names begin with, so that initial values can be written as expressions of them.
        """
        super().activate(build_on_run, **options)
        self._forget(values or {})

    def init_with_zeros(self, var: ArrayVariable, dtype: Any) -> None:
        """Brian2's; a model's constants have their values."""
        super().init_with_zeros(var, dtype)
        if var.owner is not None:
            self.owners.setdefault(var.owner.name)
        if var.scalar and var.constant and var.name in self._values:
            var.set_value(self._values[var.name])

    def spike_queue(self, source_start: int, source_end: int) -> None:
        """None: no spike is ever sent."""

    # -- synapses --------------------------------------------------------------------------------------
    def synapses_connect(self, synapses: Synapses, *args: Any, level: int = 0, **arguments: Any) -> None:
        """Brian2's ``Synapses.connect``, for what cannot be counted."""
        names = ("condition", "i", "j", "p", "n", "skip_if_invalid", "namespace")
        given = dict(zip(names, args, strict=False)) | arguments
        known = {name: given.get(name) for name in ("condition", "i", "j", "p", "n")}
        words = set().union(*(_words(text) for text in known.values() if isinstance(text, str)))
        if known["p"] not in (None, 1) or words & (RANDOM | {"sample"}):
            raise ModelRefused(
                f"'{synapses.name}' is connected at random, anew for each block; draw the pairs in build() with a"
                " NumPy generator of a fixed seed, and give them as connect(i=..., j=...)"
            )
        found = recognise(synapses, known)
        if isinstance(found, Connection) and not synapses._connect_called:
            synapses._connect_called = True
            synapses.variables["N"].set_value(found.n_synapses)
            self.connections[synapses.name] = found
            return
        self._make(synapses)
        self.connections.pop(synapses.name, None)
        connect(synapses, *args, level=level + 1, **arguments)

    def _is_noted(self, variable: ArrayVariable) -> bool:
        """Whether a variable is of synapses that were not made."""
        name = variable.owner.name
        return isinstance(variable, DynamicArrayVariable) and name in self.connections and name not in self._made

    def _make(self, synapses: Synapses) -> None:
        """Make the synapses of a connection that was only noted."""
        name = synapses.name
        connection = self.connections.get(name)
        if connection is None or name in self._made:
            return
        self._made.add(name)
        synapses.variables["N"].set_value(0)
        synapses._resize(connection.n_synapses)
        for side in ("pre", "post"):
            synapses.variables[f"_synaptic_{side}"].get_value()[:] = connection.indices(side)
        synapses._update_synapse_numbers(0)
        for variable in [v for v in self._given if v.owner is not None and v.owner.name == name]:
            variable.get_value()[:] = self._given.pop(variable)

    def size(self, variable: ArrayVariable) -> int:
        """Elements of a variable, also where they are only noted."""
        connection = self.connections.get(variable.owner.name) if variable.owner is not None else None
        if connection is not None and isinstance(variable, DynamicArrayVariable):
            return connection.n_synapses
        return int(variable.size)

    def initial(self, variable: ArrayVariable) -> float | NDArray[Any]:
        """What a variable begins with: one number, if it is the same everywhere."""
        if variable in self._given:
            return self._given[variable]
        values = np.array(variable.get_value(), dtype=float)
        first = float(values.flat[0]) if values.size else 0.0
        return values if values.size and (values != first).any() else first

    # -- values ----------------------------------------------------------------------------------------
    def variableview_set_with_index_array(self, view: VariableView, item: Any, value: Any, check_units: bool) -> None:
        """Brian2's, for what is not only noted."""
        variable = view.variable
        if variable.name == "delay" and not variable.scalar:
            return  # a block brings its own
        if self._is_noted(variable):
            everywhere = isinstance(item, slice) and item == slice(None)
            if everywhere and np.size(value) in (1, self.size(variable)):
                if check_units:
                    what = f"Incorrect unit for setting variable {view.name}"
                    fail_for_dimension_mismatch(variable.dim, value, what)
                number = np.asarray(value, dtype=float)
                self._given[variable] = float(number.item()) if number.size == 1 else number
                return
            self._make(view.group)
        VariableView.set_with_index_array.original_function(view, item, value, check_units)

    def variableview_set_with_expression(
        self, view: VariableView, item: Any, code: str, run_namespace: Any, check_units: bool = True
    ) -> None:
        """Brian2's; see `variableview_set_with_expression_conditional`."""
        if self._is_set(view, code):
            VariableView.set_with_expression.original_function(view, item, code, run_namespace, check_units)

    def variableview_set_with_expression_conditional(
        self, view: VariableView, cond: Any, code: str, run_namespace: Any, check_units: bool = True
    ) -> None:
        """Brian2's; random numbers are refused, since each run has its own, and delays are left out."""
        if self._is_set(view, code):
            set_them = VariableView.set_with_expression_conditional.original_function
            set_them(view, cond, code, run_namespace, check_units)

    def _is_set(self, view: VariableView, code: str) -> bool:
        variable = view.variable
        if variable.name == "delay":
            return False
        if RANDOM & _words(code):
            raise ModelRefused(
                f"{variable.owner.name}.{variable.name} = '{code}': begins with random numbers, which each run has of"
                " its own; return them from initial_state(generator)"
            )
        if self._is_noted(variable):
            self._make(view.group)
        return True


all_devices[NAME] = Sketch()


def _words(code: str) -> set[str]:
    return set(re.findall(r"\w+", code))


@contextmanager
def drawn(model: DeclaredNetwork, phase: str) -> Iterator[tuple[Network, Sketch]]:
    """The network of a phase for one sample, in double precision, and the device that knows what it is given.

    Both are of use within the context alone.
    """
    device = all_devices[NAME]
    with isolation.active(NAME, values=model.run_time_values()):
        prefs.codegen.target, prefs.core.default_float_dtype = "numpy", np.float64
        blank = model.blank(phase, int(getattr(model, "pixels", 1)))
        inputs = model.slots(phase).arranged(blank, 1)
        device.inputs = frozenset(inputs)
        yield model.build(phase, inputs), device
