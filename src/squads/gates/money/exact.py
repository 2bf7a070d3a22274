"""Which expressions are certainly exact, and which certainly whole: `Decimal`, cents, counts."""

from __future__ import annotations

import ast
import re

from squads.gates.python import Instance, Program

_DEPTH_MAX = 8
_EXACT = re.compile(r"(?:^|\.)(?:Decimal|Fraction|Money|Amount|MoneyField|D)(?:\(\))?$")


class Exact:
    """Answers about the exact numbers of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._asked: list[tuple[str, ast.AST]] = []

    def _ask(self, what: str, node: ast.AST) -> bool:
        if (what, node) in self._asked or len(self._asked) >= _DEPTH_MAX:
            return False
        self._asked.append((what, node))
        return True

    def _field(self, node: ast.expr) -> ast.expr | None:
        """Return how a class of the artifact annotates the field that an attribute reads."""
        if not isinstance(node, ast.Attribute):
            return None
        for thing in self._program.names.things(node.value):
            if isinstance(thing, Instance):
                for owner in self._program.names.family(thing.made_by):
                    for one in owner.node.body:
                        if isinstance(one, ast.AnnAssign) and ast.unparse(one.target) == node.attr:
                            return one.annotation
        return None

    def annotation(self, node: ast.AST) -> ast.expr | None:
        """Return the type that a parameter or a target is annotated with."""
        if isinstance(node, ast.arg):
            return node.annotation
        parent = self._program.files.parent(node)
        return parent.annotation if isinstance(parent, ast.AnnAssign) and parent.target is node else None

    def is_exact(self, node: ast.expr | None) -> bool:
        """Return whether an expression is certainly a `Decimal`, a `Fraction` or a type of money."""
        if node is None or not self._ask("exact", node):
            return False
        try:
            return self._exact(node)
        finally:
            self._asked.pop()

    def _exact(self, node: ast.expr) -> bool:
        match node:
            case ast.BinOp():
                return self.is_exact(node.left) or self.is_exact(node.right)
            case ast.UnaryOp():
                return self.is_exact(node.operand)
            case ast.IfExp():
                return self.is_exact(node.body) or self.is_exact(node.orelse)
            case ast.GeneratorExp() | ast.ListComp():
                return self.is_exact(node.elt)
            case ast.Call():
                if any(_EXACT.search(n) for n in self._program.names.names(node.func)):
                    return True
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in (
                    "quantize",
                    "to_decimal",
                    "as_decimal",
                    "Decimal",
                    "Money",
                    "Fraction",
                    "normalize",
                    "copy_abs",
                ):
                    return True
                if name in ("sum", "max", "min", "abs", "round") and node.args:
                    return any(self.is_exact(a) for a in node.args)
                told = [
                    f.node.returns for f in self._program.names.functions(node) if not isinstance(f.node, ast.Lambda)
                ]
                return any(t is not None and re.search(r"Decimal|Fraction|Money", ast.unparse(t)) for t in told)
            case ast.Subscript():
                return self._exact_box(node.value)
            case ast.Name() | ast.Attribute():
                field = self._field(node)
                if field is not None:
                    return bool(re.search(r"Decimal|Fraction|Money", ast.unparse(field)))
                for binding in self._program.values.all_bindings(node):
                    annotation = self.annotation(binding.node)
                    if annotation is not None:
                        if re.search(r"Decimal|Fraction|Money", ast.unparse(annotation)):
                            return True
                    elif binding.value is not None and not binding.path and self.is_exact(binding.value):
                        return True
        return False

    def _exact_box(self, box: ast.expr) -> bool:
        """Return whether a dict or a list is written with exact numbers only."""
        bindings = self._program.values.all_bindings(box) if isinstance(box, ast.Name | ast.Attribute) else []
        held = [
            v
            for b in bindings
            if not b.path and isinstance(b.value, ast.Dict | ast.List | ast.Tuple)
            for v in (b.value.values if isinstance(b.value, ast.Dict) else b.value.elts)
        ]
        return bool(held) and all(isinstance(v, ast.Call) and self.is_exact(v) for v in held)

    def is_integer(self, node: ast.expr) -> bool:
        """Return whether an expression is certainly a whole number: cents, a count, a length."""
        match node:
            case ast.Constant():
                return isinstance(node.value, int)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                if isinstance(node, ast.Subscript):
                    name = str(node.slice.value) if isinstance(node.slice, ast.Constant) else ""
                else:
                    name = node.id if isinstance(node, ast.Name) else node.attr
                if isinstance(node, ast.Attribute) and node.attr in (
                    "days",
                    "seconds",
                    "year",
                    "month",
                    "day",
                    "hour",
                    "minute",
                ):
                    return True
                if re.search(r"(?i)(?:^|_)(?:cents|pence|minor|minor_units|pennies|count|quantity|qty)$", name):
                    return True
                if isinstance(node, ast.Subscript):
                    return isinstance(node.value, ast.Call) and bool(
                        self._program.names.names(node.value.func) & {"calendar.monthrange", "divmod"}
                    )
                field = self._field(node)
                if field is not None:
                    return ast.unparse(field) == "int"
                bindings = self._program.values.all_bindings(node)
                told = [self.annotation(b.node) for b in bindings]
                if bool(told) and all(t is not None and ast.unparse(t) == "int" for t in told):
                    return True
                made = [b.value for b in bindings if b.value is not None and not b.path]
                if not made or len(made) != len(bindings) or not self._ask("integer", node):
                    return False
                try:
                    return all(self.is_integer(m) for m in made)
                finally:
                    self._asked.pop()
            case ast.Call():
                names = self._program.names.names(node.func)
                if names & {"round"}:
                    return len(node.args) == 1
                if names & {"sum", "max", "min", "abs"} and node.args:
                    return all(self.is_integer(a) for a in node.args)
                if names & {"len", "int", "math.floor", "math.ceil"}:
                    return True
                told = [
                    f.node.returns for f in self._program.names.functions(node) if not isinstance(f.node, ast.Lambda)
                ]
                return bool(told) and all(t is not None and ast.unparse(t) == "int" for t in told)
            case ast.GeneratorExp() | ast.ListComp():
                return self.is_integer(node.elt)
            case ast.IfExp():
                return self.is_integer(node.body) and self.is_integer(node.orelse)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.FloorDiv()):
                return self.is_integer(node.left) and self.is_integer(node.right)
        return False
