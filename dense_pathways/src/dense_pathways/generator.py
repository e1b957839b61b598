# SPDX-FileCopyrightText: 2026 The Hebbarium developers
# SPDX-License-Identifier: BSD-3-Clause
"""C++ from abstract code: as Brian2 writes it, but counted indices, single precision throughout and no aliases.

`DenseGenerator` differs from Brian2's generator in three ways:

1. in a loop over counted pairs the neurons before and after a synapse come from the loop, not from memory;
2. a statement whose operands are all single precision is written in single precision: Brian2 mixes in double
   literals and double constants, which halve the width of vector code and call the slower functions;
3. it works out whether the loop may run in another order or many iterations at once, and tells the template.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
from typing import Any

import numpy as np
from brian2 import TimedArray

from dense_pathways.brian2_parts import (
    DEFAULT_FUNCTIONS,
    ArrayVariable,
    Constant,
    CPPCodeGenerator,
    DynamicArrayVariable,
    Function,
    Statement,
    Variable,
    c_data_type,
    get_device,
    get_identifiers,
)
from dense_pathways.safety import OWNERS, Access
from dense_pathways.sources import ROW, WIDTH, changes

# Functions that C++ also has, or that this package also gives, in single precision.
SINGLE = {
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan"),
    *("exp", "expm1", "log", "log10", "log1p", "sqrt", "ceil", "floor", "abs", "clip", "sign", "int"),
}
_LITERAL = re.compile(r"(?<![\w.])(\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)(?![\w.])")
_DRAW = re.compile(r"\b_rand\(_vectorisation_idx\)")
_PASSED = re.compile(r"\b_timestep\(t - (\w+), dt\) >= (\w+)")
_FUNCTION = re.compile(r"(?<![\w.:])(exp|expm1|log|log10|log1p|sqrt)\(")
_NARROW = "_dense_single_"
# Beyond these a constant would overflow, or lose digits as a denormal, in single precision.
_SMALLEST, _LARGEST = 1e-30, 1e30

# Rows that run side by side: what belongs to a target is then read and written once for all of them.
TOGETHER = 4

# What a sum that a source owns is called while a row adds to it.
SUM = "_sum"

# Neurons that are asked one by one whether they fire.
FEW = 4

# Which names of indices the loop of a template counts itself, and which differ from one iteration to the next
# in its innermost loop.
COUNTED: dict[str, tuple[str, ...]] = {
    "dense_pre": ("_idx", "_postsynaptic_idx"),
    "dense_post": ("_idx", "_presynaptic_idx"),
    "dense_rows": ("_idx", "_postsynaptic_idx"),
    "dense_summed": ("_idx", "_postsynaptic_idx"),
}
#: The same of loops over runs, where the indices of linked variables are counted too.
RUNS = ("dense_run_pre", "dense_run_post", "dense_run_rows", "dense_run_summed")
COUNTED |= dict.fromkeys(RUNS, ("_idx", "_postsynaptic_idx"))
FLAT: dict[str, tuple[str, ...]] = dict.fromkeys(("dense_threshold", "dense_reset", "dense_stateupdate"), ("_idx",))


class DenseGenerator(CPPCodeGenerator):
    """Brian2's C++ generator with what the templates of this package need."""

    def __init__(self, *args: Any, **arguments: Any) -> None:
        super().__init__(*args, **arguments)
        self.ours = self.template_name in COUNTED or self.template_name in FLAT
        self.access = Access()
        if self.template_name in FLAT:
            # a byte among words costs a vector unit more than the memory it saves; arrays keep their type
            self.c_data_type = lambda dtype: "int32_t" if np.dtype(dtype) == np.bool_ else c_data_type(dtype)
        self._narrowing = False
        self._double: set[str] = set()
        self._narrowed: set[str] = set()
        self._vector_reads: set[str] = set()
        #: whether a loop may go on over the elements that end an array's last vector and belong to nobody
        self.padded = self.template_name in ("dense_stateupdate", "dense_threshold")
        #: shared numbers of steps that elements are asked to have waited for
        self._waits: set[str] = set()
        #: byte variables that the template widens beforehand: name to (array, whether it is read, whether written)
        self.widened: dict[str, tuple[str, bool, bool]] | None = None
        #: variables that are set before they are used
        self._set_first: set[str] = set()
        #: what sources own, that a row adds up in a local variable: name to array
        self.carried: dict[str, str] = {}
        #: indices of linked variables that a run counts
        self.run_indices: list[str] = []
        #: calls of rand() that the template makes beforehand; None if they stay where they are
        self.draws: int | None = None
        #: loop invariants that have to be true before a condition can be, of any element
        self.gates: list[str] = []

    # -- indices ---------------------------------------------------------------------------------------
    def translate_to_read_arrays(self, read: set[str], write: set[str], indices: set[str]) -> list[str]:
        """Lines that read variables; counted neurons come from the loop."""
        if self.template_name not in COUNTED:
            lines = super().translate_to_read_arrays(read, write, indices)
            return [self._widen(line, read, False) for line in lines]
        counted = {
            self.get_array_name(self.variables[name]): value
            for names, value in (
                (("_presynaptic_idx", "_synaptic_pre"), "_dense_source"),
                (("_postsynaptic_idx", "_synaptic_post"), "_dense_target"),
            )
            for name in names
            if name in self.variables
        }
        counted |= {self.get_array_name(self.variables[name]): f"_dense_index_{name}" for name in self.run_indices}
        lines = []
        for name in itertools.chain(sorted(indices), sorted(read)):
            variable = self.variables[name]
            array = self.get_array_name(variable)
            value = counted.get(array) or f"{array}[{self.variable_indices[name]}]"
            if name in self.carried:
                value = f"_dense_carried_{name}"
            constant = "" if name in write else "const "
            lines.append(f"{constant}{self.c_data_type(variable.dtype)} {name} = {value};")
        return lines

    def translate_to_write_arrays(self, write: set[str]) -> list[str]:
        """Lines that write variables."""
        lines = [self._widen(line, write, True) for line in super().translate_to_write_arrays(write)]
        for name, array in self.carried.items():
            lines = [line.replace(f"{array}[_presynaptic_idx]", f"_dense_carried_{name}") for line in lines]
        return lines

    def _widen(self, line: str, names: set[str], written: bool) -> str:
        """A line that reaches a byte variable reaches its widened copy instead."""
        for name in names if self.widened is not None else ():
            if self._is_byte(name):
                array = self.get_array_name(self.variables[name])
                if f"{array}[_idx]" in line:
                    if not written and name in self._set_first:
                        return line.replace(f" = {array}[_idx]", "")
                    assert self.widened is not None
                    _, reads, writes = self.widened.get(name, (array, False, False))
                    self.widened[name] = (array, reads or not written, writes or written)
                    line = line.replace(f"{array}[_idx]", f"_dense_wide_{name}[_dense_offset]")
        return line

    def _is_byte(self, name: str) -> bool:
        """Whether each element owns a byte of this variable."""
        variable = self.variables[name]
        return np.dtype(variable.dtype) == np.bool_ and not variable.scalar

    # -- single precision ------------------------------------------------------------------------------
    def translate_statement(self, statement: Statement) -> str:
        """One statement; in single precision where all it works with is."""
        self._narrowing = self.ours and not statement.scalar and self._is_single(statement)
        asks = self.template_name == "dense_threshold" and statement.var == "_cond" and not statement.scalar
        asks = asks and self._bears_evaluation(statement.expr)
        if asks:
            # Brian2 turns it into branches, and a compiler the branches into masked loads: operands are 0 or 1
            statement = copy.copy(statement)
            statement.used_boolean_variables = None
            self.gates = self._gates(statement.expr)
        try:
            text = str(super().translate_statement(statement))
        finally:
            self._narrowing = False
        if self.ours and statement.scalar:
            return _FUNCTION.sub(r"_dense_again(\1, ", text)
        if self.ours:
            text = _PASSED.sub(self._compare_times, text)
        if asks:
            # any number may be kept in a byte; what Brian2 sets by itself is 0 or 1
            for name in sorted(get_identifiers(statement.expr) - {"not_refractory"}):
                if self._is_truth_value(ast.Name(name)):
                    text = re.sub(rf"\b{name}\b", f"({name} != 0)", text)
            text = text.replace(" && ", " & ").replace(" || ", " | ")
        return text

    def _bears_evaluation(self, condition: str) -> bool:
        """Whether all of a condition may be evaluated, whatever its first operands say, and gives the same answer.

        Not where an operand guards a whole number's division, or a function that may have effects. And where a truth
        value is a factor, Brian2 leaves out what it multiplies, even infinity.
        """
        for node in ast.walk(ast.parse(condition, mode="eval")):
            if isinstance(node, (ast.Mod, ast.FloorDiv)):
                return False
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                drawn = node.func.id == "rand" and self.draws is not None
                if self._may_have_effects(node.func.id) and not drawn:
                    return False
            logical = isinstance(node, (ast.BoolOp, ast.Expression))
            logical = logical or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
            if not logical and any(map(self._is_truth_value, ast.iter_child_nodes(node))):
                return False
        return True

    def _gates(self, condition: str) -> list[str]:
        """What a condition says of all elements alike: where it is false, no element need be asked."""
        whole = ast.parse(condition, mode="eval").body
        if self.draws is not None or not (isinstance(whole, ast.BoolOp) and isinstance(whole.op, ast.And)):
            return []  # draws are made whatever comes of them
        return [part.id for part in whole.values if isinstance(part, ast.Name) and part.id.startswith("_lio_")]

    def _is_truth_value(self, node: ast.AST) -> bool:
        """Whether part of an expression is a variable that is true or false."""
        variable = self.variables.get(node.id) if isinstance(node, ast.Name) else None
        return isinstance(variable, Variable) and np.dtype(variable.dtype) == np.bool_

    def _sets_truth_value(self, statement: Statement) -> bool:
        """Whether what a statement sets, if it is true or false by its kind, is set to no other number."""
        if np.dtype(statement.dtype) != np.bool_:
            return True
        value = ast.parse(statement.expr, mode="eval").body
        logical = isinstance(value, (ast.BoolOp, ast.Compare)) or self._is_truth_value(value)
        logical = logical or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not))
        logical = logical or (isinstance(value, ast.Constant) and isinstance(value.value, bool))
        return logical and statement.op in ("=", ":=")

    def _may_have_effects(self, name: str) -> bool:
        """Whether it matters when and how often a function is called: it has a state, or is not Brian2's own."""
        function = self.variables.get(name)
        if not isinstance(function, Function):
            return False
        own = DEFAULT_FUNCTIONS.get(name) is function or isinstance(function, TimedArray)
        return not (own and function.stateless)

    def _compare_times(self, comparison: re.Match[str]) -> str:
        """Whether so many steps have passed, by the shortest time in which they do: a division less an element."""
        since, steps = comparison.groups()
        exact = since in self.variables and np.dtype(self.variables[since].dtype) == np.float64
        if not exact or not steps.startswith("_lio_"):  # loop invariants are shared by all elements
            return comparison[0]
        self._waits.add(steps)
        return f"_dense_wait{steps}.is_over(t - {since})"

    def _is_single(self, statement: Statement) -> bool:
        """Whether a statement can be written in single precision.

        A condition on single-precision variables is, even if a double takes part: it cannot be more exact than
        what it compares.
        """
        dtype = np.dtype(statement.dtype)
        if dtype not in (np.float32, np.bool_):
            return False
        doubles, singles = set(), False
        for name in get_identifiers(statement.expr):
            variable = self.variables.get(name)
            if name in self._double:
                return False
            if isinstance(variable, Function):
                if name not in SINGLE:
                    return False
            elif isinstance(variable, Constant):
                if isinstance(variable.value, float) and not _fits(variable.value):
                    return False
            elif variable is not None:
                kind = np.dtype(variable.dtype)
                singles = singles or (kind == np.float32 and not variable.scalar)
                if kind == np.float64 and name != "dt" and not (variable.scalar and variable.constant):
                    doubles.add(name)
                elif kind.kind in "iu" and dtype == np.bool_:
                    return False
        return not doubles or (dtype == np.bool_ and singles and not any(self.variables[d].scalar for d in doubles))

    def translate_expression(self, expr: str) -> str:
        """One expression; where it is narrowed, constants go by their narrowed names."""
        text = str(super().translate_expression(expr))
        if self.draws is not None:
            text = _DRAW.sub(self._drawn, text)
        if not self._narrowing:
            return text
        for name in get_identifiers(text):
            variable = self.variables.get(name)
            if isinstance(variable, (Constant, ArrayVariable)) and np.dtype(variable.dtype) == np.float64:
                one_for_all = isinstance(variable, Constant) or variable.scalar
                if one_for_all:
                    self._narrowed.add(name)
                narrowed = _NARROW + name if one_for_all else f"(float){name}"
                text = re.sub(rf"(?<![\w.]){name}\b", narrowed, text)
        return _LITERAL.sub(r"\1f", text)

    def _drawn(self, call: re.Match[str]) -> str:
        """One draw, which the template makes beforehand for many elements."""
        assert self.draws is not None
        self.draws += 1
        return f"_dense_uniform_{self.draws - 1}[_dense_offset]"

    # -- analysis --------------------------------------------------------------------------------------
    def translate_statement_sequence(
        self, sc_statements: dict[Any, list[Statement]], ve_statements: dict[Any, list[Statement]]
    ) -> tuple[dict[Any, str], dict[Any, str], dict[str, Any]]:
        """Code and what the template is told about it."""
        if not all(map(self._sets_truth_value, itertools.chain(*sc_statements.values(), *ve_statements.values()))):
            self.c_data_type = c_data_type  # a byte keeps the last eight bits of any number
        for statement in itertools.chain(*sc_statements.values(), *ve_statements.values()):
            if statement.op == ":=" and np.dtype(statement.dtype) == np.float64 and not statement.scalar:
                self._double.add(statement.var)
        self._look(ve_statements)
        if self.template_name in ("dense_pre", *RUNS) and self.template_name != "dense_run_post":
            self._carry(ve_statements)
        if self.template_name in FLAT and self.access.stateful == {"rand"} and get_device().fast_random:
            self.access.stateful, self.draws = set(), 0
        if self.template_name == "dense_stateupdate" and self.access.why_not_at_once(("_idx",)) is None:
            self.widened = {}
            (statements,) = ve_statements.values()
            self._set_first = self._set_before_use(statements)
        scalar, vector, keywords = super().translate_statement_sequence(sc_statements, ve_statements)
        scalar_statements = itertools.chain(*sc_statements.values())
        identifiers = set().union(*(get_identifiers(s.expr) for s in scalar_statements))
        keywords["calls"] = any(map(self._may_have_effects, identifiers))
        keywords["widened"] = [(name, *how) for name, how in sorted((self.widened or {}).items())]
        keywords["draws"] = self.draws or 0
        # whole numbers are not divided by what lies beyond an array, which is zero
        divides = "_brian_mod" in str(vector) or "_brian_floordiv" in str(vector)
        keywords["width"] = WIDTH if self.padded and not divides and not self.draws else 1
        keywords["lanes"] = ROW
        keywords["bytes"] = keywords["width"] > 1 and any(map(self._is_byte, self._vector_reads))
        keywords["gate"] = " && ".join(self.gates)
        keywords["few"] = self.template_name == "dense_threshold" and not self.draws and self._owners() <= FEW
        if self._waits:
            waits = [f"const _dense_wait _dense_wait{steps}({steps}, dt);" for steps in sorted(self._waits)]
            scalar = {block: [*lines, *waits] for block, lines in scalar.items()}
        if self._narrowed:
            narrowed = [f"const float {_NARROW}{name} = {name};" for name in sorted(self._narrowed)]
            scalar = {block: [*lines, *narrowed] for block, lines in scalar.items()}
        return scalar, vector, keywords

    def _look(self, blocks: dict[Any, list[Statement]]) -> None:
        owned = get_device().run_indices if self.template_name in RUNS else {}
        counted, written = set[str](), set[str]()
        for statements in blocks.values():
            read, write, indices, _ = self.arrays_helper(statements)
            counted |= {name for name in indices if name in owned and self.variables[name] is owned[name]}
            written |= write
            self._vector_reads |= {name for name in read if not self.variables[name].scalar}
            for name in read | write | indices:
                variable = self.variables[name]
                index = "0" if variable.scalar else self.variable_indices[name]
                self.access.add(self.get_array_name(variable), index, name in write)
            if self.padded and not all(self._has_padding(name) for name in read | write | indices):
                self.padded = False
            for name in set().union(*(get_identifiers(s.expr) for s in statements)):
                variable = self.variables.get(name)
                if not isinstance(variable, Function):
                    continue
                if self._may_have_effects(name):
                    self.access.stateful.add(name)
                # a function of the user may not bear what lies beyond an array
                if DEFAULT_FUNCTIONS.get(name) is not variable:
                    self.padded = False
        self.run_indices = sorted(counted - written)
        get_device().written |= {self.variables[name] for name in written}

    def _set_before_use(self, statements: list[Statement]) -> set[str]:
        used, set_first = set[str](), set[str]()
        for statement in statements:
            used |= get_identifiers(statement.expr)
            condition = getattr(self.variables.get(statement.var), "conditional_write", None)
            if condition is not None:  # what only active neurons set asks who is active
                used.add(condition.name)
            if statement.op == "=" and statement.var not in used:
                set_first.add(statement.var)
            used.add(statement.var)
        return set_first

    def _owners(self) -> int:
        """How many elements the loop has."""
        return int(self.variables["N"].get_value())

    def _has_padding(self, name: str) -> bool:
        """Whether a variable is shared, or has an array of its own that `edits` makes longer."""
        variable = self.variables[name]
        owned = isinstance(variable, ArrayVariable) and not isinstance(variable, DynamicArrayVariable)
        owned = owned and self.variable_indices[name] == "_idx" and variable.size == self._owners()
        return bool(variable.scalar or owned)

    def _carry(self, blocks: dict[Any, list[Statement]]) -> None:
        """Find what each source owns for itself: a row need not go through memory for it."""
        owned: dict[str, set[str]] = {}
        written = set()
        for statements in blocks.values():
            read, write, _, _ = self.arrays_helper(statements)
            for name in read | write:
                owned.setdefault(self.get_array_name(self.variables[name]), set()).add(name)
            written |= write
        for array, names in owned.items():
            if names <= written and len(names) == 1 and self.access.reached[array] == {"_presynaptic_idx"}:
                self.carried[names.pop()] = array

    def determine_keywords(self) -> dict[str, Any]:
        """Brian2's keywords, and how the loops may run."""
        local, self.c_data_type = self.c_data_type, c_data_type
        keywords: dict[str, Any] = super().determine_keywords()
        self.c_data_type = local
        for variable, index in get_device().template_writes:
            self.access.add(self.get_array_name(variable), index, True)
        if not self.ours:
            return keywords
        distinct = (*{**COUNTED, **FLAT}[self.template_name], *self.run_indices)
        if self.template_name in RUNS:
            keywords |= self._run_keywords(distinct)
        access = self.access.without(self.carried.values())
        why_not = access.why_not_at_once(distinct)
        keywords["at_once"] = why_not is None
        keywords["ivdep"] = "#pragma GCC ivdep" if why_not is None else ""
        carried = sorted(self.carried.items())
        keywords["carried"] = [(name, c_data_type(self._carried_type(name)), array) for name, array in carried]
        keywords["together"] = TOGETHER
        keywords["interchange"] = self.access.why_not_interchanged() is None
        # with the loops interchanged the innermost runs over targets
        inner = self.access.why_not_at_once(("_idx", "_postsynaptic_idx"))
        keywords["ivdep_interchanged"] = "#pragma GCC ivdep" if inner is None else ""
        if keywords["interchange"] and inner is None and self.template_name == "dense_post":
            why_not = None  # it runs with its loops interchanged
        # a condition of shared variables alone holds for all neurons or for none
        keywords["uniform"] = not self._vector_reads and not self.access.stateful and self.draws is None
        if self.template_name == "dense_run_post":
            why_not = "synapses of a target are reached one by one"
        return {**keywords, "remark": why_not}

    def _carried_type(self, name: str) -> Any:
        if name != SUM:
            return self.variables[name].dtype
        ((variable, _),) = get_device().template_writes
        return variable.dtype

    def _run_keywords(self, distinct: tuple[str, ...]) -> dict[str, Any]:
        """How loops over runs may run."""
        known = get_device()
        lists = [known.get_array_name(variable, access_data=False) for variable in known.run_lists]
        lists += [known.get_array_name(self.variables[name], access_data=False) for name in self.run_indices]
        indices = set(self.run_indices)
        indexed = any(indices & self.access.reached[array] for array in self.access.written)
        diagonal = self.access.why_not_at_once((*distinct, "_presynaptic_idx"))
        sum_carried = ""
        for variable, index in known.template_writes:
            array = self.get_array_name(variable)
            if index == "_presynaptic_idx" and not any(
                self.get_array_name(self.variables[name]) == array for name in self._vector_reads
            ):
                sum_carried = f"_dense_carried_{SUM}"
                self.carried[SUM] = array
        return {
            "run_indices": self.run_indices,
            "run_lists": lists,
            "run_width": len(lists) + 2,
            "changes": changes(lists[2:]),
            "side_by_side": self.access.why_not_interchanged((*OWNERS, *self.run_indices)) is None,
            "apart": "true" if indexed else "false",
            "ivdep_diagonal": "#pragma GCC ivdep" if diagonal is None else "",
            "sum_carried": sum_carried,
        }


def _fits(value: float) -> bool:
    return value == 0 or not np.isfinite(value) or _SMALLEST < abs(value) < _LARGEST
