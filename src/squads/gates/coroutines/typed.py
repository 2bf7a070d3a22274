"""Types that annotations tell of what is taken out of boxes: `dict[str, asyncio.Queue[Event]]`, `AppKey`s."""

from __future__ import annotations

import ast

from squads.gates.python import Program
from squads.gates.python.bindings import EACH
from squads.gates.words import word_set

_DEPTH_MAX = 6
_TAKES = frozenset(("get", "pop", "setdefault", "popleft", "popitem", "values"))
_BOXES = word_set(
    "list set frozenset deque Sequence MutableSequence Iterable Collection Iterator AsyncIterator List Set Deque"
)
_TABLES = word_set("dict defaultdict Mapping MutableMapping OrderedDict Dict DefaultDict WeakValueDictionary")
_AROUND = word_set("Optional Annotated Final ClassVar")


class Typed:
    """Answers what annotations say of the expressions of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def names(self, node: ast.expr) -> frozenset[str]:
        """Return the dotted names of the library classes of which a thing is one, such as `asyncio.Queue()`."""
        found = [n for one in self.types(node) for n in self._program.names.names(one)]
        return frozenset(f"{n}()" for n in found if "." in n)

    def types(self, node: ast.expr, depth: int = 0) -> list[ast.expr]:
        """Return the classes that annotations name for an expression, what they take in brackets left out."""
        return [t for one in self._annotations(node, depth) for t in _plain(one)]

    def _annotations(self, node: ast.expr, depth: int) -> list[ast.expr]:
        if depth > _DEPTH_MAX:
            return []
        match node:
            case ast.Name() | ast.Attribute():
                found = []
                for binding in self._program.values.all_bindings(node):
                    told = self._annotation(binding.node)
                    if told is not None:
                        found.append(told)
                    elif binding.value is not None and not binding.path:
                        found += self._annotations(binding.value, depth + 1)
                    elif binding.value is not None and binding.path == (EACH,):
                        found += self._held(binding.value, depth + 1)
                return found
            case ast.NamedExpr() | ast.Await():
                return self._annotations(node.value, depth + 1)
            case ast.Subscript():
                return self._key(node.slice) or self._held(node.value, depth + 1)
            case ast.Call(func=ast.Attribute() as function) if function.attr in _TAKES:
                return self._held(function.value, depth + 1)
        return []

    def _held(self, box: ast.expr, depth: int) -> list[ast.expr]:
        """Return what a box holds by its annotation."""
        if isinstance(box, ast.Call) and isinstance(box.func, ast.Attribute) and box.func.attr in ("values", "copy"):
            box = box.func.value
        if isinstance(box, ast.Call) and isinstance(box.func, ast.Name) and box.func.id in ("list", "tuple", "sorted"):
            box = box.args[0] if box.args else box
        found = []
        for one in self._annotations(box, depth + 1):
            for part in _unwrapped(one):
                if not isinstance(part, ast.Subscript):
                    continue
                name, inner = _last(part.value), part.slice
                if name in _TABLES and isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
                    found.append(inner.elts[1])
                elif name in _BOXES:
                    found.append(inner)
        return found

    def _key(self, node: ast.expr) -> list[ast.expr]:
        """Return the type that a key of a web application's store names: `web.AppKey("queue", asyncio.Queue)`."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return []
        made = [b.value for b in self._program.values.bindings(node) if isinstance(b.value, ast.Call) and not b.path]
        return [m.args[1] for m in made if _last(m.func).endswith("Key") and len(m.args) == 2]

    def _annotation(self, node: ast.AST) -> ast.expr | None:
        if isinstance(node, ast.arg):
            return node.annotation
        parent = self._program.files.parent(node)
        return parent.annotation if isinstance(parent, ast.AnnAssign) and parent.target is node else None


def _unwrapped(node: ast.expr) -> list[ast.expr]:
    """Return an annotation without `Optional`, `| None` and the like."""
    match node:
        case ast.BinOp(op=ast.BitOr()):
            return [*_unwrapped(node.left), *_unwrapped(node.right)]
        case ast.Subscript() if _last(node.value) in _AROUND:
            return _unwrapped(node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice)
    return [node]


def _plain(node: ast.expr) -> list[ast.expr]:
    found: list[ast.expr] = []
    for one in _unwrapped(node):
        bare = one.value if isinstance(one, ast.Subscript) else one
        if isinstance(bare, ast.Name | ast.Attribute):
            found.append(bare)
    return found


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rsplit(".", 1)[-1]
