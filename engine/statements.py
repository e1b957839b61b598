"""What the code of a network says, statement by statement: which variables each reads and sets, and when.

Times are found by what is written to them: a variable that is set to ``t``, or to a time plus or minus a duration,
holds a time, and one that is set to the difference of two times does not.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from brian2 import Network, NeuronGroup, TimedArray, have_same_dimensions, second
from brian2.core.variables import ArrayVariable, Subexpression
from brian2.equations.equations import DIFFERENTIAL_EQUATION
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import Resetter, StateUpdater, Thresholder
from brian2.synapses.synapses import SummedVariableUpdater, SynapticPathway

from hebbarium.files.errors import ModelRefused

EQUATION, ASSIGNMENT, CONDITION = "equation", "assignment", "condition"
_TIME, _STEP = "t", "t_in_timesteps"
_ALIKE = ("clip", "minimum", "maximum", "min", "max")  # of times, a time


@dataclass(frozen=True)
class Statement:
    """An assignment, a differential equation or the condition of an event.

    Parameters
    ----------
    kind : {'equation', 'assignment', 'condition'}
    operation : str
        Name of the object of the network that carries it out.
    owner : str
        Name of the neurons or synapses that it is about.
    text : str
    event : str
        ``group.event`` at which it is carried out; empty if at each step.
    sets : str
        Full name of a variable, ``group.variable``; ``operation:name`` for a value that the operation uses up itself;
        of a condition, the ``group.event`` that it decides.
    reads : frozenset of str
        Likewise, without what does not change; the time is ``t`` or ``t_in_timesteps``.
    constants : frozenset of str
        Names in the text that do not change while the network runs.
    by_number : frozenset of str
        Of ``reads``: what an input array is read by, besides the time.
    through : tuple of str
        Definitions, ``name = expression``, of the subexpressions that are read, in the order in which they need one
        another.
    """

    kind: str
    operation: str
    owner: str
    text: str
    event: str
    sets: str
    reads: frozenset[str]
    constants: frozenset[str]
    by_number: frozenset[str]
    through: tuple[str, ...] = ()


def _names(tree: ast.AST) -> list[str]:
    """Names in an expression, each once, but for those of functions: a subexpression may be called as one is."""
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return list(dict.fromkeys(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called
    ))


@dataclass
class _Scope:
    """What names mean in the code of one operation."""

    operation: str
    group: Any
    event: str = ""
    local: set[str] = field(default_factory=set)

    @property
    def namespace(self) -> Mapping[str, Any]:
        return self.group.namespace or {}

    def full(self, name: str) -> str:
        """Full name of what changes; empty for what does not."""
        variable = self.group.variables.get(name)
        if name in (_TIME, _STEP):
            return name
        if isinstance(variable, ArrayVariable):
            return "" if variable.constant or variable.read_only else f"{variable.owner.name}.{variable.name}"
        return f"{self.operation}:{name}" if name in self.local else ""

    def inside(self, name: str) -> ast.expr | None:
        """What a subexpression stands for."""
        variable = self.group.variables.get(name)
        return _expression(variable.expr) if isinstance(variable, Subexpression) else None

    def changing(self, tree: ast.AST) -> set[str]:
        """Full names of all that changes in an expression."""
        found: set[str] = set()
        for name in _names(tree):
            inner = self.inside(name)
            found |= self.changing(inner) if inner is not None else {self.full(name)} - {""}
        return found

    def fixed(self, tree: ast.AST) -> set[str]:
        """Names in an expression that do not change."""
        return {name for name in _names(tree) if not self.full(name) and self.inside(name) is None}

    def through(self, tree: ast.AST) -> dict[str, ast.expr]:
        """Subexpressions that an expression reads, by name, each after those that it needs itself."""
        found: dict[str, ast.expr] = {}
        for name in _names(tree):
            if name not in found and (inner := self.inside(name)) is not None:
                found |= {within: part for within, part in self.through(inner).items() if within not in found}
                found[name] = inner
        return found

    def is_input(self, call: ast.Call) -> bool:
        return isinstance(call.func, ast.Name) and isinstance(self.namespace.get(call.func.id), TimedArray)


@dataclass(frozen=True)
class _Line:
    """A statement as it is written, with what its names mean."""

    scope: _Scope
    kind: str
    text: str
    sets: str
    value: ast.expr
    changes: bool = False  # what was there, instead of setting it

    def statement(self) -> Statement:
        scope, calls = self.scope, [node for node in ast.walk(self.value) if isinstance(node, ast.Call)]
        inputs = [call for call in calls if scope.is_input(call)]
        by_number: set[str] = set().union(*(scope.changing(call.args[0]) for call in inputs))
        through = scope.through(self.value)
        return Statement(
            kind=self.kind,
            operation=scope.operation,
            owner=scope.group.name,
            text=self.text,
            event=scope.event,
            sets=self.sets,
            reads=frozenset(scope.changing(self.value) | ({self.sets} if self.changes else set())),
            constants=frozenset().union(*(scope.fixed(part) for part in (self.value, *through.values()))),
            by_number=frozenset(by_number - {_TIME, _STEP}),
            through=tuple(f"{name} = {ast.unparse(part)}" for name, part in through.items()),
        )


def read(network: Network) -> list[Statement]:
    """All statements of a network, in the order of its operations."""
    return [line.statement() for line in _lines(network)]


def moments(network: Network, steps: int, values: Mapping[str, float]) -> dict[str, int]:
    """Of events that the time alone decides, ``group.event``: in how many of the first steps they happen.

    Parameters
    ----------
    steps : int
        Of a presentation.
    values : mapping
        Of a model's constants.
    """
    found = {}
    for line in _lines(network):
        if line.kind != CONDITION or not line.scope.changing(line.value) <= {_TIME, _STEP}:
            continue
        dt = float(line.scope.group.clock.dt_)
        known = _constants(line.scope, values)
        code = compile(ast.Expression(line.value), line.scope.operation, "eval")
        try:
            found[line.sets] = sum(bool(eval(code, {}, {**known, _STEP: k, _TIME: k * dt})) for k in range(steps))
        except Exception:  # a function of the network's own: the event is recorded
            continue
    return found


def _constants(scope: _Scope, values: Mapping[str, float]) -> dict[str, Any]:
    """What does not change in the code of an operation, in SI units, by name."""
    variables = scope.group.variables
    shared = {name: v.item() for name, v in variables.items() if isinstance(v, ArrayVariable) and v.scalar}
    return {**scope.namespace, **shared, **values, "dt": float(scope.group.clock.dt_)}


def refuse_other_periods(network: Network, steps: int, values: Mapping[str, float]) -> None:
    """Raise `ModelRefused` for a remainder of the time whose period does not end with a presentation.

    Parameters
    ----------
    steps : int
        Of a presentation.
    values : mapping
        Of a model's constants.
    """
    for line in _lines(network):
        for node in ast.walk(line.value):
            match node:
                case ast.BinOp(left=ast.Name(id=time), op=ast.Mod(), right=right) if time in (_TIME, _STEP):
                    known = _constants(line.scope, values)
                    try:
                        period = float(eval(compile(ast.Expression(right), line.scope.operation, "eval"), {}, known))
                    except Exception:  # what changes, or a unit that the network's own namespace has not
                        continue
                    times = steps * (known["dt"] if time == _TIME else 1) / period if period else 0.5
                    if abs(times - round(times)) > 1e-6:
                        raise ModelRefused(
                            f"'{line.scope.operation}': '{ast.unparse(node)}' begins anew with each block: a"
                            f" presentation of {steps} steps is {times:g} times that long; expected a whole number"
                        )


def times(network: Network, candidates: Mapping[str, ArrayVariable], inputs: Container[str]) -> set[str]:
    """Those among changing variables that hold a time, by full name.

    Parameters
    ----------
    candidates : mapping
        Variables by full name.
    inputs : container of str
        Names of the arrays that come with the samples: they are read by the time, which is that of the block.

    Raises
    ------
    ModelRefused
        What is done depends on the time of a block otherwise than on a time in a presentation; or of a variable in
        seconds that is set by the time it cannot be told whether it is a time.
    """
    seconds = {name for name, v in candidates.items() if have_same_dimensions(v.dim, second) and not v.is_integer}
    # the number of a step, which means something in its own presentation alone, is not carried on
    steps = {name for name, v in candidates.items() if v.dim.is_dimensionless}
    lines = list(_lines(network))
    #: how far each moves where all times move by one; None: it cannot be told
    moves: dict[str, int | None] = {name: 1 for name in seconds if name.endswith(".lastspike")}
    for line in [line for line in lines if line.kind == ASSIGNMENT and not line.changes] * 3:
        # a time may be handed from one variable to another before it is read
        is_local = ":" in line.sets
        if not is_local and line.sets not in seconds | steps:
            continue
        try:
            far = _moves(line.value, line.scope, moves, inputs)
            if is_local or far == 1:
                moves[line.sets] = far
        except ValueError as error:
            if line.sets in seconds:
                raise ModelRefused(
                    f"'{line.scope.operation}': '{line.text}' sets {line.sets} by the time, which begins anew with"
                    f" each block, and it cannot be told whether it holds a time ({error}); set it to t, to"
                    " another time, or to these plus or minus a duration"
                ) from error
            if is_local:
                moves[line.sets] = None
    for line in lines:
        if ":" not in line.sets:
            _refuse_restarted(line, moves, inputs)
    return {name for name, far in moves.items() if name in seconds and far == 1}


def _refuse_restarted(line: _Line, moves: Mapping[str, int | None], inputs: Container[str]) -> None:
    """Raise `ModelRefused` if what is done depends on when a block began."""
    try:
        if _moves(line.value, line.scope, moves, inputs) in (0, 0 if line.changes else moves.get(line.sets, 0)):
            return
        why = f"{line.sets} is no time"
    except ValueError as error:
        why = str(error)
    raise ModelRefused(
        f"'{line.scope.operation}': '{line.text}' depends on the time, which begins anew with each block ({why}); count"
        " from the beginning of a presentation, as in t_in_timesteps % sample_steps, read an array of inputs() by the"
        " time, or use a variable of a neuron that the network itself moves on"
    )


def _moves(tree: ast.expr, scope: _Scope, known: Mapping[str, int | None], inputs: Container[str]) -> int:
    """How far an expression moves where all times move by a presentation: 1 for a time, 0 for what does not move.

    Raises
    ------
    ValueError
        It cannot be told.
    """

    def of(part: ast.expr) -> int:
        return _moves(part, scope, known, inputs)

    match tree:
        case ast.Name(id=name):
            inner = scope.inside(name)
            if inner is not None:
                return of(inner)
            far = 1 if name in (_TIME, _STEP) else known.get(scope.full(name), 0)
            if far is None:
                raise ValueError(f"'{name}' is neither a time nor a duration")
            return far
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return of(left) + of(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return of(left) - of(right)
        case ast.BinOp(left=left, op=ast.Mod(), right=right) if of(right) == 0:  # of a presentation, or a part of it
            return 0 * of(left)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -of(operand)
        case ast.Call(func=ast.Name(id=name), args=[first, *others]) if name in _ALIKE:
            ways = {of(argument) for argument in (first, *others)}
            if len(ways) == 1:
                return ways.pop()
        case ast.Compare(left=left, comparators=others) if len({of(side) for side in (left, *others)}) == 1:
            return 0
        case ast.Call(func=ast.Name(id=name)) if scope.is_input(tree) and name in inputs:
            return 0
    parts = [child for child in ast.iter_child_nodes(tree) if isinstance(child, ast.expr)]
    parts = parts[1:] if isinstance(tree, ast.Call) else parts
    if any(of(part) for part in parts):
        raise ValueError(f"'{ast.unparse(tree)}' is neither a time nor a duration")
    return 0


# -- the code of each object ---------------------------------------------------------------------------------
def _lines(network: Network) -> Iterator[_Line]:
    for member in network.sorted_objects:
        match member:
            case StateUpdater():
                yield from _equations(_Scope(member.name, member.group))
            case Thresholder():
                condition = _expression(member.group.events[member.event])
                event = f"{member.group.name}.{member.event}"
                scope = _Scope(member.name, member.group)
                yield _Line(scope, CONDITION, ast.unparse(condition), event, condition)
            case Resetter():
                scope = _Scope(member.name, member.group, f"{member.group.name}.{member.event}")
                yield from _assignments(scope, member.group.event_codes[member.event])
            case SynapticPathway():
                scope = _Scope(member.name, member.synapses, f"{member.source.name}.{member.event}")
                yield from _assignments(scope, member.code)
            case SummedVariableUpdater():
                scope = _Scope(member.name, member.group)
                sets = f"{member.target_var.owner.name}.{member.target_var.name}"
                yield _Line(scope, ASSIGNMENT, str(member.expression), sets, _expression(str(member.expression)))
            case CodeRunner() if isinstance(member.abstract_code, str):
                yield from _assignments(_Scope(member.name, member.group), member.abstract_code)


def _equations(scope: _Scope) -> Iterator[_Line]:
    group = scope.group
    written = group.user_equations if isinstance(group, NeuronGroup) else group.equations
    for name, equation in written.items():
        if equation.type == DIFFERENTIAL_EQUATION:
            text = f"d{name}/dt = {equation.expr} : 1"
            yield _Line(scope, EQUATION, text, f"{group.name}.{name}", _expression(str(equation.expr)), changes=True)


def _assignments(scope: _Scope, code: str) -> Iterator[_Line]:
    """Statements of abstract code; code that is not Python's is told by Brian2 where it is generated."""
    try:
        tree = ast.parse(textwrap.dedent(code))
    except SyntaxError:
        return
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AugAssign) and isinstance(target, ast.Name):
            if target.id not in scope.group.variables:
                scope.local.add(target.id)
            sets = scope.full(target.id) or f"{scope.operation}:{target.id}"
            yield _Line(
                scope, ASSIGNMENT, ast.unparse(node), sets, node.value, changes=isinstance(node, ast.AugAssign)
            )


def _expression(code: object) -> ast.expr:
    return ast.parse(str(code).strip(), mode="eval").body
