"""What expressions are: an amount of money, a binary float, an exact number, or a text that is shown."""

from __future__ import annotations

import ast
import re

from squads.gates.money.words import speaks_of_money, weight_of
from squads.gates.python import Function, Program

_DEPTH_MAX = 7
_EXACT = re.compile(r"(?:^|\.)(?:Decimal|Fraction|Money|Amount|MoneyField|D)(?:\(\))?$")
_SAME = frozenset(("sum", "max", "min", "abs", "round", "float", "int", "Decimal", "sorted", "next"))


class Reading:
    """Answers about the expressions of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._asked: list[tuple[str, ast.AST]] = []

    def _ask(self, what: str, node: ast.AST) -> bool:
        if (what, node) in self._asked or len(self._asked) >= _DEPTH_MAX:
            return False
        self._asked.append((what, node))
        return True

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
        return weight > 0 and speaks_of_money(self._program.files.module_of(node).source.text, weight)

    def _money(self, node: ast.expr) -> bool:
        match node:
            case ast.Name():
                if self.named_money(node.id, node):
                    return True
                bindings = self._program.values.bindings(node)
                values = [b.value for b in bindings if b.value is not None and not b.path]
                return (
                    bool(values)
                    and weight_of(node.id) == 0
                    and not _other(node.id)
                    and any(
                        self.is_money(v)
                        for v in values
                        if isinstance(v, ast.BinOp | ast.Call | ast.Name | ast.Attribute)
                    )
                )
            case ast.Attribute():
                return self.named_money(node.attr, node)
            case ast.Subscript(slice=ast.Constant(value=str() as key)):
                return self.named_money(key, node)
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
                if name == "get" and node.args and isinstance(node.args[0], ast.Constant):
                    return self.named_money(str(node.args[0].value), node)
                return self.named_money(name, node) and not re.match(
                    r"(?i)format|display|render|show|print|is_|has_", name
                )
        return False

    # Floats

    def is_float(self, node: ast.expr | None) -> bool:
        """Return whether an expression is certainly a binary float."""
        if node is None or not self._ask("float", node):
            return False
        try:
            return self._float(node)
        finally:
            self._asked.pop()

    def _float(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant():
                return isinstance(node.value, float)
            case ast.BinOp(op=ast.Div()):
                return not self.may_be_exact(node.left) and not self.may_be_exact(node.right)
            case ast.BinOp(op=ast.FloorDiv() | ast.Mod()) if isinstance(node.left, ast.Constant | ast.JoinedStr):
                return False
            case ast.BinOp(op=ast.Pow()):
                return self.is_float(node.left)
            case ast.BinOp():
                return self.is_float(node.left) or self.is_float(node.right)
            case ast.UnaryOp():
                return self.is_float(node.operand)
            case ast.IfExp():
                return self.is_float(node.body) or self.is_float(node.orelse)
            case ast.Name() | ast.Attribute():
                return self._float_name(node)
            case ast.GeneratorExp() | ast.ListComp():
                return self.is_float(node.elt)
            case ast.List() | ast.Tuple():
                return any(self.is_float(e) for e in node.elts)
            case ast.Dict():
                return bool(node.values) and all(self.is_float(v) for v in node.values)
            case ast.Subscript():
                bindings = (
                    self._program.values.all_bindings(node.value)
                    if isinstance(node.value, ast.Name | ast.Attribute)
                    else []
                )
                boxes = [b.value for b in bindings if not b.path]
                return bool(boxes) and all(isinstance(b, ast.Dict) and self.is_float(b) for b in boxes)
            case ast.Call():
                return self._float_call(node)
        return False

    def _float_call(self, node: ast.Call) -> bool:
        names = self._program.names.names(node.func)
        if names & {
            "float",
            "numpy.float64",
            "numpy.float32",
            "math.floor",
            "math.ceil",
            "math.sqrt",
            "math.fsum",
            "math.prod",
        }:
            return bool(names & {"float", "numpy.float64", "numpy.float32", "math.fsum", "math.sqrt"})
        if names & {"round"}:
            return len(node.args) > 1 and self.is_float(node.args[0])
        if names & {"sum", "max", "min", "abs"} and node.args:
            return any(self.is_float(a) for a in node.args)
        functions = [f for f in self._program.names.functions(node) if not isinstance(f.node, ast.Lambda)]
        told = [f.node.returns for f in functions if isinstance(f, Function) and not isinstance(f.node, ast.Lambda)]
        return bool(told) and all(t is not None and ast.unparse(t) == "float" for t in told)

    def _float_name(self, node: ast.Name | ast.Attribute) -> bool:
        bindings = self._program.values.all_bindings(node)
        if not bindings:
            return False
        for binding in bindings:
            annotation = self.annotation(binding.node)
            if annotation is not None:
                if not re.search(r"\bfloat\b", ast.unparse(annotation)):
                    return False
                continue
            if binding.value is None or binding.path or not self.is_float(binding.value):
                return False
        return True

    def annotation(self, node: ast.AST) -> ast.expr | None:
        """Return the type that a parameter or a target is annotated with."""
        if isinstance(node, ast.arg):
            return node.annotation
        parent = self._program.files.parent(node)
        return parent.annotation if isinstance(parent, ast.AnnAssign) and parent.target is node else None

    # Exact numbers

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
            case ast.Name() | ast.Attribute():
                for binding in self._program.values.all_bindings(node):
                    annotation = self.annotation(binding.node)
                    if annotation is not None:
                        if re.search(r"Decimal|Fraction|Money", ast.unparse(annotation)):
                            return True
                    elif binding.value is not None and not binding.path and self.is_exact(binding.value):
                        return True
        return False

    def may_be_exact(self, node: ast.expr) -> bool:
        """Return whether an expression is, or for all that stands here may be, an exact number."""
        if self.is_exact(node):
            return True
        if isinstance(node, ast.Constant) or self.is_integer(node) or self.is_float(node):
            return False
        text = self._program.files.module_of(node).source.text
        return bool(re.search(r"\b(?:decimal|Decimal|fractions|Money|DecimalField)\b", text))

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
                if re.search(r"(?i)(?:^|_)(?:cents|pence|minor|minor_units|pennies|count|quantity|qty)$", name):
                    return True
                if isinstance(node, ast.Subscript):
                    return False
                told = [self.annotation(b.node) for b in self._program.values.all_bindings(node)]
                return bool(told) and all(t is not None and ast.unparse(t) == "int" for t in told)
            case ast.Call():
                return bool(self._program.names.names(node.func) & {"len", "int"})
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.FloorDiv()):
                return self.is_integer(node.left) and self.is_integer(node.right)
        return False


def _other(name: str) -> bool:
    """Return whether a name says that it is something else than money: a rate, a share, a text."""
    return bool(
        re.search(
            r"(?i)rate|ratio|percent|pct|share|score|weight|margin|growth|text|label|line|message|fraction|change|index|progress|usage"
            r"|relative|normal|factor|probability|utili[sz]ation|coverage|formatted|shown|display|string|body",
            name,
        )
    )
