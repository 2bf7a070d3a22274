"""Which expressions are amounts of money: by their names, by what they are made of, and by what is done with them."""

from __future__ import annotations

import ast
import re

from squads.gates.money.numbers import Numbers
from squads.gates.money.spread import Spread
from squads.gates.money.words import other_than_money, speaks_of_money, weight_of
from squads.gates.python import Module, Program

_CLEANERS = frozenset(("replace", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "get_text", "item"))
_FILES_MAX = 12
_SAME = frozenset(("sum", "max", "min", "abs", "round", "float", "int", "Decimal", "sorted", "next", "mean", "median"))


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
        return weight > 0 and self.speaks(self._program.files.module_of(node), weight)

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

    def _money(self, node: ast.expr) -> bool:
        match node:
            case ast.Name():
                if self.named_money(node.id, node) or self._spread.holds(node):
                    return True
                bindings = self._program.values.bindings(node)
                values = [b.value for b in bindings if b.value is not None and not b.path]
                return (
                    bool(values)
                    and weight_of(node.id) == 0
                    and not other_than_money(node.id)
                    and any(
                        self.is_money(v)
                        for v in values
                        if isinstance(v, ast.BinOp | ast.Call | ast.Name | ast.Attribute)
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
                return self.is_money(node.left) and not self.is_money(node.right)
            case ast.IfExp():
                return self.is_money(node.body) or self.is_money(node.orelse)
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
                if name == "get" and node.args and isinstance(node.args[0], ast.Constant):
                    return self.named_money(str(node.args[0].value), node)
                return self.named_money(name, node) and not re.match(
                    r"(?i)format|display|render|show|print|is_|has_", name
                )
        return False
