"""What numbers expressions are: certainly a binary float, certainly exact, certainly whole, or unknown."""

from __future__ import annotations

import ast
import re

from squads.gates.python import Function, Instance, Program

_DEPTH_MAX = 8
_BOXES = frozenset(("list", "dict", "tuple", "set", "sequence", "iterable", "mapping", "defaultdict", "iterator"))
_FLOAT_CALLS = frozenset(
    (
        "pandas.to_numeric", "time.time", "time.monotonic", "time.perf_counter", "random.random", "random.uniform",
        "statistics.fmean", "math.exp", "math.log", "math.pow", "locale.atof", "numpy.round", "numpy.float64",
    )
)  # fmt: skip
_EXACT = re.compile(r"(?:^|\.)(?:Decimal|Fraction|Money|Amount|MoneyField|D)(?:\(\))?$")


class Numbers:
    """Answers about the numbers of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._asked: list[tuple[str, ast.AST]] = []

    def _ask(self, what: str, node: ast.AST) -> bool:
        if (what, node) in self._asked or len(self._asked) >= _DEPTH_MAX:
            return False
        self._asked.append((what, node))
        return True

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
            case ast.Call(func=ast.Attribute(attr="get"), args=[_, *_]) if isinstance(node.func, ast.Attribute):
                return self._float_box(node.func.value) or any(self.is_float(a) for a in node.args[1:])
            case ast.Subscript():
                return self._float_box(node.value)
            case ast.Call():
                return self._float_call(node)
        return False

    def _float_box(self, box: ast.expr) -> bool:
        """Return whether a dict or a list is written with floats only, or annotated so."""
        bindings = self._program.values.all_bindings(box) if isinstance(box, ast.Name | ast.Attribute) else []
        boxes = [b.value for b in bindings if not b.path]
        told = [self.annotation(b.node) for b in bindings]
        if told and all(t is not None and self.says_float(t, boxes=True) for t in told):
            return True
        return bool(boxes) and all(self._floats(b) for b in boxes)

    def _floats(self, box: ast.expr | None) -> bool:
        if isinstance(box, ast.Call):
            return self._float_call(box)
        if not isinstance(box, ast.Dict | ast.List | ast.Tuple):
            return False
        values = box.values if isinstance(box, ast.Dict) else box.elts
        fractions = [isinstance(v, ast.Constant) and isinstance(v.value, float) for v in values]
        return any(fractions) and all(
            f or (isinstance(v, ast.Constant) and isinstance(v.value, int))
            for f, v in zip(fractions, values, strict=True)
        )

    def says_float(self, annotation: ast.expr, *, boxes: bool = False, depth: int = 0) -> bool:
        """Return whether an annotation means a float: also one that may be absent, has an alias, or stands in a box."""
        match annotation:
            case ast.Constant(value=str() as text):
                return bool(re.search(r"\bfloat\b", text)) and (
                    boxes or not re.match(r"(?i)(?:list|dict|tuple|set)\[", text)
                )
            case ast.Name(id="float"):
                return True
            case ast.Name() | ast.Attribute() if depth < 4:
                # An alias of an option of a command line says how it is read, and not how it is reckoned with.
                held = [o for o in self._program.values.origins(annotation) if o is not annotation]
                found = [o for o in held if isinstance(o, ast.Name | ast.Attribute | ast.Call)]
                return bool(found) and all(
                    self.says_float(o.args[1] if isinstance(o, ast.Call) and len(o.args) == 2 else o, depth=depth + 1)
                    for o in found
                )
            case ast.BinOp(op=ast.BitOr()):
                return self.says_float(annotation.left, depth=depth) or self.says_float(annotation.right, depth=depth)
            case ast.Subscript():
                name = ast.unparse(annotation.value).rsplit(".", 1)[-1]
                inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
                if name in ("Annotated", "Final", "ClassVar"):
                    return self.says_float(inner[0], depth=depth)
                if name in ("Optional", "Union"):
                    return any(self.says_float(i, depth=depth) for i in inner)
                if boxes and name.lower() in _BOXES:
                    return self.says_float(inner[-1], boxes=True, depth=depth)
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
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method in ("total_seconds", "timestamp") or names & _FLOAT_CALLS:
            return True
        if method == "astype":
            return any(re.search(r"float", ast.unparse(a)) for a in node.args)
        if names & {"collections.defaultdict"}:
            return any(isinstance(a, ast.Name) and a.id == "float" for a in node.args[:1])
        if method in ("sum", "mean", "round", "fillna", "cumsum", "abs") and isinstance(node.func, ast.Attribute):
            return self.is_float(node.func.value)
        if names & {"round"}:
            return len(node.args) > 1 and self.is_float(node.args[0])
        if names & {"sum", "max", "min", "abs"} and node.args:
            return any(self.is_float(a) for a in node.args)
        functions = [f for f in self._program.names.functions(node) if not isinstance(f.node, ast.Lambda)]
        told = [f.node.returns for f in functions if isinstance(f, Function) and not isinstance(f.node, ast.Lambda)]
        return bool(told) and all(t is not None and self.says_float(t) for t in told)

    def _float_name(self, node: ast.Name | ast.Attribute) -> bool:
        told = self._field(node)
        if told is not None:
            return self.says_float(told)
        bindings = self._program.values.all_bindings(node)
        if not bindings:
            return False
        for binding in bindings:
            annotation = self.annotation(binding.node)
            if annotation is not None:
                if not self.says_float(annotation):
                    return False
                continue
            if binding.value is None or binding.path or not self.is_float(binding.value):
                return False
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

    def divides_whole(self, node: ast.expr) -> bool:
        """Return whether two things are divided of which neither is certainly exact, though one is a whole number."""
        return (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and not (self.is_exact(node.left) or self.is_exact(node.right))
            and (self.is_integer(node.left) or self.is_integer(node.right))
        )

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
