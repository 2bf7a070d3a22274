"""Which expressions are amounts of money: by their names, by what they are made of, and by what is done with them."""

from __future__ import annotations

import ast
import re

from squads.gates.money.numbers import Numbers
from squads.gates.money.spread import Spread
from squads.gates.money.words import measured_in_words, other_than_money, speaks_of_money, weight_of
from squads.gates.python import Module, Program

_CLEANERS = frozenset(("replace", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "get_text", "item",
    "values", "copy", "cast", "astype", "fillna", "sum", "cumsum", "round", "abs", "to_numpy"))  # fmt: skip
_READS = frozenset(
    ("get", "findtext", "getenv", "getfloat", "getfirst", "getvalue", "get_argument", "pop", "getattr", "col", "F")
)
_FILES_MAX = 12
_SAME = frozenset(("sum", "max", "min", "abs", "round", "float", "int", "Decimal", "sorted", "next", "mean", "median",
    "fmean", "pstdev", "stdev", "fsum", "Fraction"))  # fmt: skip


class Reading(Numbers):
    """Answers about the expressions of one program."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._spread = Spread(program, self.is_money, self.speaks)
        self._spoken: dict[Module, dict[int, bool]] = {}
        self._whole: str | None = None

    # Money

    def is_money(self, node: ast.expr | None) -> bool:
        """Return whether an expression is an amount of money, by its name or by what it is made of."""
        if node is None or not self._ask("money", node):
            return False
        try:
            return self._money(node)
        finally:
            self._asked.pop()

    def named_money(self, name: str, node: ast.AST) -> bool:
        """Return whether something of this name, standing here, is an amount of money."""
        weight = weight_of(name)
        # `total` alone may be a total of anything: the file has to say more often that it is about money.
        module = self._program.files.module_of(node)
        if weight == 0 or not self.speaks(module, weight):
            return False
        return weight == 2 or not (self._spread.measures(name, module) or self._said_measured(node))

    def _said_measured(self, node: ast.AST) -> bool:
        """Return whether the function around says first that it is about grams, litres or seconds."""
        own = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        function = self._program.files.module_of(node).functions[node] if own else self._program.function_of(node)
        if function is None or isinstance(function.node, ast.Lambda):
            return False
        said = re.split(r"[.\n]", ast.get_docstring(function.node) or "", maxsplit=1)[0]
        return measured_in_words(said)

    def used_as_money(self, node: ast.arg | ast.AnnAssign | ast.expr) -> bool:
        """Return whether something is money by what is done with it, whatever it is called."""
        return self._spread.holds(node)

    def speaks(self, module: Module, weight: int = 1) -> bool:
        """Return whether a file is about money, or the program is that it belongs to."""
        known = self._spoken.setdefault(module, {})
        if weight not in known:
            known[weight] = speaks_of_money(module.source.text, weight)
            if not known[weight] and 1 < len(self._program.files.texts()) <= _FILES_MAX:
                known[weight] = speaks_of_money(self._around(), weight)
        return known[weight]

    def _around(self) -> str:
        if self._whole is None:
            texts = self._program.files.texts()
            self._whole = "\n".join(content.decode("utf-8", "replace") for _, content in texts)
        return self._whole

    def _is_part(self, value: ast.expr) -> bool:
        """Return whether a value is one amount divided by another, or the bound of such a part."""
        match value:
            case ast.IfExp():
                sides = (value.body, value.orelse)
                parts = [s for s in sides if not (isinstance(s, ast.Constant) and s.value in (0, 1))]
                return len(parts) == 1 and self._is_part(parts[0])
            case ast.Call(func=ast.Name(id="min" | "max" | "round" | "float"), args=[*given]):
                parts = [g for g in given if not isinstance(g, ast.Constant)]
                return len(parts) == 1 and self._is_part(parts[0])
            case ast.BinOp(op=ast.Div()):
                return self.is_money(value.left) and self.is_money(value.right)
        return False

    def divides_floats(self, node: ast.BinOp) -> bool:
        """Return whether both sides were made floats in order to divide them: a share, unless one is counted."""
        left = node.left.operand if isinstance(node.left, ast.UnaryOp) else node.left
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
            left = left.right if _converted(left.right) is not None else left.left
        divisor = _converted(node.right)
        return _converted(left) is not None and divisor is not None and not self.is_integer(divisor)

    def _money(self, node: ast.expr) -> bool:
        match node:
            case ast.Name():
                bindings = self._program.values.bindings(node)
                if bindings and all(not b.path and b.value is not None and self._is_part(b.value) for b in bindings):
                    return False
                if self.named_money(node.id, node) or self._spread.holds(node):
                    return True
                values = [b.value for b in bindings if b.value is not None and not b.path]
                return (
                    bool(values)
                    and weight_of(node.id) == 0
                    and not other_than_money(node.id)
                    and any(
                        self.is_money(v)
                        for v in values
                        if isinstance(v, ast.BinOp | ast.BoolOp | ast.Call | ast.Name | ast.Attribute)
                    )
                )
            case ast.Attribute():
                return self.named_money(node.attr, node) or self._spread.holds(node)
            case ast.Subscript(slice=ast.Constant(value=str() as key)):
                return self.named_money(key, node) or self._spread.holds(node)
            case ast.Subscript():
                return self.is_money(node.value)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.is_money(node.left) or self.is_money(node.right)
            case ast.BinOp(op=ast.Mult()):
                return self.is_money(node.left) or self.is_money(node.right)
            case ast.BinOp(op=ast.Div() | ast.FloorDiv()):
                return self.is_money(node.left) and not self.is_money(node.right) and not self.divides_floats(node)
            case ast.IfExp():
                return self.is_money(node.body) or self.is_money(node.orelse)
            case ast.BoolOp():
                return any(self.is_money(v) for v in node.values)
            case ast.UnaryOp() | ast.Await() | ast.NamedExpr():
                return self.is_money(node.operand if isinstance(node, ast.UnaryOp) else node.value)
            case ast.GeneratorExp() | ast.ListComp():
                return self.is_money(node.elt)
            case ast.Call():
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in _SAME and node.args:
                    return self.is_money(node.args[0])
                if name in _CLEANERS and isinstance(node.func, ast.Attribute):
                    return self.is_money(node.func.value)
                if name in _READS and node.args and isinstance(node.args[0], ast.Constant):
                    return self.named_money(str(node.args[0].value), node)
                return self.named_money(name, node) and not re.match(
                    r"(?i)format|display|render|show|print|is_|has_", name
                )
        return False


def _converted(node: ast.expr) -> ast.expr | None:
    """Return what `float(...)` is asked to convert; None for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float" and node.args:
        return node.args[0]
    return None
