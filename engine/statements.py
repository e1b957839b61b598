"""What the code of a network says, statement by statement: which variables each reads and sets, and when.

Times are found by what is written to them: a variable that is set to ``t``, or to a time plus or minus a duration,
holds a time, and one that is set to the difference of two times does not.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Mapping
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
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                inner = self.inside(node.id)
                found |= self.changing(inner) if inner is not None else {self.full(node.id)} - {""}
        return found

    def fixed(self, tree: ast.AST) -> set[str]:
        """Names in an expression that do not change."""
        called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called}
        return {name for name in names if not self.full(name) and self.inside(name) is None}

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
        return Statement(
            kind=self.kind,
            operation=scope.operation,
            owner=scope.group.name,
            text=self.text,
            event=scope.event,
            sets=self.sets,
            reads=frozenset(scope.changing(self.value) | ({self.sets} if self.changes else set())),
            constants=frozenset(scope.fixed(self.value)),
            by_number=frozenset(by_number - {_TIME, _STEP}),
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
        group = line.scope.group
        dt = float(group.clock.dt_)
        shared = {name: v for name, v in group.variables.items() if isinstance(v, ArrayVariable) and v.scalar}
        known = {**line.scope.namespace, **{name: v.item() for name, v in shared.items()}, **values, "dt": dt}
        code = compile(ast.Expression(line.value), line.scope.operation, "eval")
        try:
            found[line.sets] = sum(bool(eval(code, {}, {**known, _STEP: k, _TIME: k * dt})) for k in range(steps))
        except Exception:  # a function of the network's own: the event is recorded
            continue
    return found


def times(network: Network, candidates: Mapping[str, ArrayVariable]) -> set[str]:
    """Those among changing variables that hold a time, by full name.

    Raises
    ------
    ModelRefused
        Of a variable in seconds that is set by the time it cannot be told whether it is a time.
    """
    seconds = {name for name, v in candidates.items() if have_same_dimensions(v.dim, second) and not v.is_integer}
    lines = [line for line in _lines(network) if line.kind == ASSIGNMENT and not line.changes]
    #: how far each moves where all times move by one; None: it cannot be told
    moves: dict[str, int | None] = {name: 1 for name in seconds if name.endswith(".lastspike")}
    for line in lines * 3:  # a time may be handed from one variable to another before it is read
        is_local = ":" in line.sets
        if not is_local and line.sets not in seconds:
            continue
        try:
            far = _moves(line.value, line.scope, moves)
            if is_local or far == 1:
                moves[line.sets] = far
        except ValueError as error:
            if not is_local:
                raise ModelRefused(
                    f"'{line.scope.operation}': '{line.text}' sets {line.sets} by the time, which begins anew with"
                    f" each block, and it cannot be told whether it holds a time ({error}); set it to t, to"
                    " another time, or to these plus or minus a duration"
                ) from error
            moves[line.sets] = None
    return {name for name, far in moves.items() if ":" not in name and far == 1}


def _moves(tree: ast.expr, scope: _Scope, known: Mapping[str, int | None]) -> int:
    """How far an expression moves where all times move by one: 1 for a time, 0 for a duration or what is no time.

    Raises
    ------
    ValueError
        It cannot be told.
    """
    match tree:
        case ast.Name(id=name):
            inner = scope.inside(name)
            if inner is not None:
                return _moves(inner, scope, known)
            far = 1 if name == _TIME else known.get(scope.full(name), 0)
            if far is None:
                raise ValueError(f"'{name}' is neither a time nor a duration")
            return far
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _moves(left, scope, known) + _moves(right, scope, known)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _moves(left, scope, known) - _moves(right, scope, known)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_moves(operand, scope, known)
        case ast.Call(func=ast.Name(id=name), args=[first, *others]) if name in _ALIKE:
            ways = {_moves(argument, scope, known) for argument in (first, *others)}
            if len(ways) == 1:
                return ways.pop()
        case ast.Compare() | ast.BoolOp():
            return 0
        case ast.Call() if scope.is_input(tree):
            return 0
    parts = [child for child in ast.iter_child_nodes(tree) if isinstance(child, ast.expr)]
    parts = parts[1:] if isinstance(tree, ast.Call) else parts
    if any(_moves(part, scope, known) for part in parts):
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
