"""What numbers expressions are: certainly a binary float, certainly exact, certainly whole, or unknown."""

from __future__ import annotations

import ast
import re

from squads.gates.money.exact import Exact
from squads.gates.python import Function, default_of
from squads.gates.python.bindings import CHANGED, EACH

_ELEMENTS_MAX = 30
_ENDLESS = re.compile(r"(?i)^[-+]?(?:inf|infinity|nan)$")
_BOXES = frozenset(("list", "dict", "tuple", "set", "sequence", "iterable", "mapping", "defaultdict", "iterator"))
_FLOAT_CALLS = frozenset(
    (
        "pandas.to_numeric", "time.time", "time.monotonic", "time.perf_counter", "random.random", "random.uniform",
        "statistics.fmean", "math.exp", "math.log", "math.pow", "locale.atof", "numpy.round", "numpy.float64",
    )
)  # fmt: skip


class Numbers(Exact):
    """Answers about the numbers of one program."""

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
            case ast.BoolOp():
                return any(self.is_float(v) for v in node.values)
            case ast.NamedExpr() | ast.Starred():
                return self.is_float(node.value)
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
        if isinstance(box, ast.Dict | ast.List | ast.Tuple):
            return self._floats(box)
        bindings = self._program.values.all_bindings(box) if isinstance(box, ast.Name | ast.Attribute) else []
        boxes = [b.value for b in bindings if not b.path]
        told = [self.annotation(b.node) for b in bindings]
        if told and all(t is not None and self.says_float(t, boxes=True) for t in told):
            return True
        return bool(boxes) and all(self._floats(b) for b in boxes)

    def _floats(self, box: ast.expr | None) -> bool:
        if isinstance(box, ast.Call):
            return self._float_call(box)
        if isinstance(box, ast.DictComp):
            return self.is_float(box.value)
        if isinstance(box, ast.ListComp):
            return self.is_float(box.elt)
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
            if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                return not _ENDLESS.search(node.args[0].value)
            if names & {"math.floor", "math.ceil", "math.prod"}:
                return "math.prod" in names and any(self.is_float(a) for a in node.args)
            return True
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if method in ("total_seconds", "timestamp", "getfloat") or names & _FLOAT_CALLS:
            return True
        if method in ("astype", "cast"):
            return any(re.search(r"[Ff]loat", ast.unparse(a)) for a in node.args)
        if names & {"collections.defaultdict"}:
            return any(isinstance(a, ast.Name) and a.id == "float" for a in node.args[:1])
        if method in ("sum", "mean", "round", "fillna", "cumsum", "abs") and isinstance(node.func, ast.Attribute):
            return self.is_float(node.func.value)
        if names & {"round"}:
            return len(node.args) > 1 and self.is_float(node.args[0])
        if names & {"sum", "max", "min", "abs", "list", "sorted", "tuple", "itertools.accumulate"} and node.args:
            return any(self.is_float(a) for a in node.args)
        functions = [f for f in self._program.names.functions(node) if not isinstance(f.node, ast.Lambda)]
        return bool(functions) and all(self._answers_float(f) for f in functions)

    def _answers_float(self, function: Function) -> bool:
        """Return whether a function says that it answers a float, or returns nothing else."""
        told = None if isinstance(function.node, ast.Lambda) else function.node.returns
        if told is not None:
            return self.says_float(told)
        return bool(function.returns) and all(self.is_float(r) for r in function.returns)

    def _float_name(self, node: ast.Name | ast.Attribute) -> bool:
        told = self._field(node)
        if told is not None:
            return self.says_float(told)
        certain = False
        for binding in self._program.values.all_bindings(node):
            annotation = self.annotation(binding.node)
            if annotation is not None:
                if not self.says_float(annotation):
                    return False
                certain = True
                continue
            if isinstance(binding.node, ast.arg) and self._float_parameter(binding.node):
                certain = True
                continue
            if binding.value is None:
                return False
            if not binding.path and isinstance(binding.value, ast.Constant) and isinstance(binding.value.value, int):
                continue  # a sum begins with nothing, whatever is added to it
            if not self._float_at(binding.value, tuple(p for p in binding.path if p != CHANGED)):
                return False
            certain = True
        return certain

    def _float_parameter(self, node: ast.arg) -> bool:
        """Return whether a parameter that says no type has a fraction as its default, or is only called with floats."""
        function = self._program.function_of(node)
        default = default_of(function, node) if function is not None else None
        if isinstance(default, ast.Constant) and isinstance(default.value, float):
            return True
        module = self._program.files.module_of(node)
        binding = module.scopes.by_target.get(node)
        load = next(iter(module.loads(binding)), None) if binding is not None else None
        given = [o for o in self._program.values.origins(load) if o is not load] if load is not None else []
        return bool(given) and all(self.is_float(g) for g in given)

    def _float_at(self, value: ast.expr, path: tuple[int | str, ...]) -> bool:
        """Return whether what a name takes out of a box is a float: of pairs, of what `zip` and `items` give."""
        if not path:
            return self.is_float(value)
        if not self._ask("path", value):
            return False
        try:
            return self._float_in(value, path)
        finally:
            self._asked.pop()

    def _float_in(self, value: ast.expr, path: tuple[int | str, ...]) -> bool:
        first, rest = path[0], path[1:]
        name = value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else ""
        called = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
        if isinstance(value, ast.Call) and first == EACH:
            if called == "zip" and rest and isinstance(rest[0], int) and rest[0] < len(value.args):
                return self._float_at(value.args[rest[0]], (EACH, *rest[1:]))
            if called == "enumerate" and rest[:1] == (1,) and value.args:
                return self._float_at(value.args[0], (EACH, *rest[1:]))
            if called in ("sorted", "list", "tuple", "reversed", "set") and value.args:
                return self._float_at(value.args[0], path)
            box = value.func.value if isinstance(value.func, ast.Attribute) else value
            if (name == "items" and rest == (1,)) or (name == "values" and not rest):
                return self._float_box(box)
            return False
        if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice):
            return self._float_at(value.value, path)
        if isinstance(value, ast.BinOp) and first == EACH:
            return self._float_at(value.left, path) or self._float_at(value.right, path)
        if isinstance(value, ast.GeneratorExp | ast.ListComp) and first == EACH:
            return self._float_at(value.elt, rest)
        if isinstance(value, ast.Tuple | ast.List | ast.Set):
            if first == EACH:
                held = [self._float_at(e, rest) for e in value.elts[:_ELEMENTS_MAX]]
                return bool(held) and all(held)
            return isinstance(first, int) and first < len(value.elts) and self._float_at(value.elts[first], rest)
        if isinstance(value, ast.Name | ast.Attribute):
            if first == EACH and not rest and self._float_box(value):
                return True
            boxes = [b for b in self._program.values.all_bindings(value) if not b.path]
            return bool(boxes) and all(b.value is not None and self._float_at(b.value, path) for b in boxes)
        return False

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
