"""Arithmetic that an equation string asks for: multiplications, additions and comparisons, read off the string itself.

What is counted is what a careful program would do once, for one neuron or synapse:

- Constants are folded: ``gain*w/tau_s`` is one multiplication, ``-x/tau_p`` over a step one more of the trace.
- A division counts as a multiplication. A sign, a copy and the logic between comparisons cost nothing.
- ``int(a > b)*x`` selects and does not multiply: one comparison. ``abs`` and ``sign`` are one comparison, ``clip`` two.
- ``exp``, ``expm1``, ``log``, ``log1p``, ``sqrt`` and powers are `FUNCTION` each: a polynomial of degree five. A power
  that is written as a whole number, ``z**2``, is as many multiplications as it takes.
- A differential equation is one step of Euler's method, whatever the network integrates it with; a mere decay,
  ``dx/dt = -x/tau``, is one multiplication.
- What is read by time, such as ``labels(t)``, and random numbers are not counted. Nor is what is made of the step's
  number, ``t_in_timesteps``, and of constants: it is the same for all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_EQUATION = re.compile(r"d(\w+)/dt\s*=(.*?):")
_DECLARED = re.compile(r"\w+\s*:")


@dataclass(frozen=True)
class Operations:
    """How many operations of each kind."""

    multiplications: float = 0
    additions: float = 0
    comparisons: float = 0

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.comparisons + other.comparisons,
        )

    def times(self, number: float) -> Operations:
        """As many operations a number of times."""
        return Operations(self.multiplications * number, self.additions * number, self.comparisons * number)


FUNCTION = Operations(5, 5)
"""An exponential, a logarithm or a root, as a polynomial of degree five; nobody states this number."""

_FREE = ("int", "rand")
_OF_CALLS = {
    "abs": Operations(comparisons=1),
    "sign": Operations(comparisons=1),
    "clip": Operations(comparisons=2),
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "sqrt"), FUNCTION),
}


def operations(code: str, constants: Collection[str] = ()) -> Operations:
    """Operations of equation strings: statements, differential equations and conditions, a line each.

    Parameters
    ----------
    code : str
        As Brian2 is given it; declarations of variables cost nothing.
    constants : collection of str
        Names that do not change while a network runs.

    Raises
    ------
    ValueError
        The code calls a function whose operations are not known, or cannot be read.

    Examples
    --------
    >>> operations("w = clip(w - a_minus*y_post, w_min, w_max)", ["a_minus", "w_min", "w_max"])
    Operations(multiplications=1, additions=1, comparisons=2)
    >>> operations("dv/dt = (e_l - v)/tau_m : volt", ["e_l", "tau_m"])
    Operations(multiplications=1, additions=2, comparisons=0)
    """
    counter, found = _Counter(frozenset(constants) | {"dt", "t_in_timesteps"}), Operations()
    for line in code.splitlines():
        text = line.split("#")[0].strip()
        equation = _EQUATION.match(text)
        if equation:
            found += counter.step(equation[1], _parsed(equation[2].strip()))
        elif text and not _DECLARED.match(text):
            found += counter.statement(_parsed(text, "exec"))
    return found


def _parsed(text: str, mode: str = "eval") -> ast.AST:
    try:
        tree = ast.parse(text, mode=mode)
    except SyntaxError as error:
        raise ValueError(f"{text}: its operations cannot be counted; expected a statement or an equation") from error
    return tree.body if isinstance(tree, ast.Expression) else tree


@dataclass(frozen=True)
class _Counter:
    constants: frozenset[str]

    def statement(self, tree: ast.AST) -> Operations:
        assert isinstance(tree, ast.Module)
        found = Operations()
        for line in tree.body:
            if isinstance(line, ast.AugAssign):
                changes = Operations(1) if isinstance(line.op, ast.Mult | ast.Div) else Operations(0, 1)
                found += changes + self.of(line.value)
            elif isinstance(line, ast.Assign | ast.Expr):
                found += self.of(line.value)
            else:
                raise ValueError(f"{ast.unparse(line)}: expected an assignment or a condition")
        return found

    def step(self, variable: str, right: ast.AST) -> Operations:
        """One step of ``d(variable)/dt = right``."""
        factors = _chain(right, (ast.Mult, ast.Div))
        changing = [factor for factor in factors if not self._is_constant(factor)]
        if len(changing) == 1 and isinstance(changing[0], ast.Name) and changing[0].id == variable:
            return Operations(1)
        scaled = Operations() if len(changing) < len(factors) else Operations(1)  # dt is folded into a constant
        return self.of(right) + scaled + Operations(0, 1)

    def of(self, tree: ast.AST) -> Operations:
        """Operations of an expression."""
        if self._is_constant(tree):
            return Operations()
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
            return self._folded(_chain(tree, (ast.Add, ast.Sub)), Operations(0, 1))
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult | ast.Div):
            return self._folded(_chain(tree, (ast.Mult, ast.Div)), Operations(1))
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Pow):
            return self._power(tree.right) + self.of(tree.left) + self.of(tree.right)
        if isinstance(tree, ast.UnaryOp):
            return self.of(tree.operand)
        if isinstance(tree, ast.BoolOp):
            return _sum(self.of(value) for value in tree.values)
        if isinstance(tree, ast.Compare):
            sides = _sum(self.of(side) for side in (tree.left, *tree.comparators))
            return sides + Operations(comparisons=len(tree.ops))
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
            return self._call(tree.func.id, tree.args)
        if isinstance(tree, ast.Name):
            return Operations()
        raise ValueError(f"{ast.unparse(tree)}: its operations are not known")

    def _folded(self, parts: list[ast.AST], each: Operations) -> Operations:
        """A chain of sums or products: all its constants are one part, and what selects is no factor."""
        changing = [part for part in parts if not self._is_constant(part)]
        counted = [part for part in changing if each.additions or not _selects(part)]
        folded = len(changing) < len(parts)
        return each.times(max(len(counted) + folded - 1, 0)) + _sum(self.of(part) for part in changing)

    @staticmethod
    def _power(exponent: ast.AST) -> Operations:
        whole = isinstance(exponent, ast.Constant) and isinstance(exponent.value, int) and exponent.value > 0
        return Operations(exponent.value - 1) if whole else FUNCTION  # type: ignore[attr-defined]

    def _call(self, name: str, arguments: list[ast.expr]) -> Operations:
        given = _sum(self.of(argument) for argument in arguments)
        if name in _OF_CALLS:
            return _OF_CALLS[name] + given
        read_by_time = arguments and all(isinstance(a, ast.Name) and a.id in ("t", "i") for a in arguments)
        if name in _FREE or read_by_time:
            return given
        raise ValueError(f"{name}(): its operations are not known; expected one of {', '.join(_OF_CALLS)}")

    def _is_constant(self, tree: ast.AST) -> bool:
        if isinstance(tree, ast.Call):
            known = isinstance(tree.func, ast.Name) and tree.func.id in _OF_CALLS
            return known and all(map(self._is_constant, tree.args))
        if isinstance(tree, ast.Name):
            return tree.id in self.constants
        if isinstance(tree, ast.Constant):
            return True
        return isinstance(tree, ast.BinOp | ast.UnaryOp) and all(
            self._is_constant(child) for child in ast.iter_child_nodes(tree) if isinstance(child, ast.expr)
        )


def _chain(tree: ast.AST, kinds: tuple[type[ast.operator], ...]) -> list[ast.AST]:
    """Operands of nested operations of some kinds, signs left away."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub | ast.UAdd):
        return _chain(tree.operand, kinds) if ast.Mult in kinds else [tree]
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, kinds):
        return _chain(tree.left, kinds) + _chain(tree.right, kinds)
    return [tree]


def _selects(tree: ast.AST) -> bool:
    """Whether a factor is zero or one by a comparison."""
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "int"):
        return False
    return isinstance(tree.args[0], ast.Compare | ast.BoolOp)


def _sum(parts: Iterable[Operations]) -> Operations:
    return sum(parts, Operations())
