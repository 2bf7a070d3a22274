"""Functions that are named at run time: out of a table of handlers, by `getattr`, by `super()`, or only promised."""

from __future__ import annotations

import ast

from squads.gates.python import Function, Instance, Program
from squads.gates.python.bindings import EACH

_BOXES = frozenset(("list", "set", "tuple", "frozenset", "deque", "sequence", "iterable", "collection"))
_DEPTH_MAX = 6


class Dynamic:
    """Answers which functions of one program an expression may stand for."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._perhaps = False

    def functions(self, node: ast.expr, depth: int = 0) -> list[Function]:
        """Return what a table, a `getattr` or `super()` gives; empty where it is anything else."""
        if depth > _DEPTH_MAX:
            return []
        match node:
            case ast.Name() | ast.NamedExpr():
                values = (
                    [node.value]
                    if isinstance(node, ast.NamedExpr)
                    else [b.value for b in self._program.values.bindings(node) if b.value is not None and not b.path]
                )
                return [
                    f for v in values if isinstance(v, ast.Call | ast.Subscript) for f in self.functions(v, depth + 1)
                ]
            case ast.Subscript():
                return self._table(node.value)
            case ast.Call(func=ast.Attribute(attr="get" | "pop")) if node.args:
                return self._table(node.func.value) if isinstance(node.func, ast.Attribute) else []
            case ast.Call(func=ast.Name(id="getattr")) if len(node.args) >= 2:
                return self._attributes(node.args[0], node.args[1])
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
                return self._super(node)
        return []

    def _table(self, box: ast.expr) -> list[Function]:
        """Return the values of a dict whose values are all functions of the artifact."""
        held = [v for o in self._program.values.origins(box) if isinstance(o, ast.Dict) for v in o.values]
        found = [[t for t in self._program.names.things(v) if isinstance(t, Function)] for v in held]
        return [f for one in found for f in one] if found and all(found) else []

    def _attributes(self, owner: ast.expr, name: ast.expr) -> list[Function]:
        """Return the methods that a name put together from a beginning may mean."""
        if not isinstance(name, ast.JoinedStr) or not isinstance(name.values[0], ast.Constant):
            return []
        start = str(name.values[0].value)
        made = {t.made_by for t in self._program.names.things(owner) if isinstance(t, Instance)}
        if isinstance(owner, ast.Name) and owner.id == "self":
            around = self._program.files.class_of(owner)
            made |= {around} if around is not None else set()
        return [
            f
            for m in made
            for c in self._program.names.family(m)
            for f in c.methods.values()
            if isinstance(f, Function) and len(start) > 2 and f.name.startswith(start)
        ]

    def _super(self, node: ast.Attribute) -> list[Function]:
        owner = self._program.files.class_of(node)
        for base in self._program.names.family(owner)[1:] if owner is not None else ():
            found = base.methods.get(node.attr)
            if isinstance(found, Function):
                return [found]
        return []

    # Promises

    def promised(self, node: ast.expr, *, perhaps: bool = False) -> bool:
        """Return whether an expression is annotated as what gives back a coroutine when it is called.

        `perhaps`: also as what may give back one or a result, which has to be asked for.
        """
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        bindings = self._program.values.all_bindings(node)
        self._perhaps = perhaps
        return bool(bindings) and all(self._promises(b.node, b.value, b.path) for b in bindings)

    def _promises(self, target: ast.AST, value: ast.expr | None, path: tuple[int | str, ...]) -> bool:
        told = self._annotation(target)
        if told is None and path == (EACH,) and isinstance(value, ast.Name | ast.Attribute):
            boxes = [self._annotation(b.node) for b in self._program.values.all_bindings(value)]
            return bool(boxes) and all(b is not None and self._boxes_promises(b) for b in boxes)
        return told is not None and self._is_promise(told)

    def _boxes_promises(self, annotation: ast.expr) -> bool:
        if not isinstance(annotation, ast.Subscript) or _last(annotation.value).lower() not in _BOXES:
            return False
        inner = annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation.slice
        return self._is_promise(inner)

    def _is_promise(self, annotation: ast.expr, depth: int = 0) -> bool:
        """Return whether an annotation is `Callable[..., Awaitable[...]]` in any of its ways, but for None."""
        match annotation:
            case ast.BinOp(op=ast.BitOr()):
                sides = [s for s in (annotation.left, annotation.right) if ast.unparse(s) != "None"]
                return bool(sides) and all(self._is_promise(s, depth) for s in sides)
            case ast.Subscript() if _last(annotation.value) == "Optional":
                return self._is_promise(annotation.slice, depth)
            case ast.Subscript(slice=ast.Tuple(elts=[_, given])) if _last(annotation.value) == "Callable":
                return self._is_awaitable(given)
            case ast.Name() | ast.Attribute() if depth < _DEPTH_MAX:
                found = [o for o in self._program.values.origins(annotation) if o is not annotation]
                return bool(found) and all(self._is_promise(o, depth + 1) for o in found)
        return False

    def _is_awaitable(self, given: ast.expr) -> bool:
        if self._perhaps and isinstance(given, ast.BinOp):
            return self._is_awaitable(given.left) or self._is_awaitable(given.right)
        if self._perhaps and isinstance(given, ast.Subscript) and _last(given.value) in ("Optional", "Union"):
            inner = given.slice.elts if isinstance(given.slice, ast.Tuple) else [given.slice]
            return any(map(self._is_awaitable, inner))
        return isinstance(given, ast.Subscript) and _last(given.value) in ("Awaitable", "Coroutine")

    def _annotation(self, node: ast.AST) -> ast.expr | None:
        if isinstance(node, ast.arg):
            return node.annotation
        parent = self._program.files.parent(node)
        return parent.annotation if isinstance(parent, ast.AnnAssign) and parent.target is node else None


def _last(node: ast.expr) -> str:
    """Return the last word of a name: `Callable` of `typing.Callable`."""
    return ast.unparse(node).rsplit(".", 1)[-1]
