"""What expressions of played Python give; see `machine.py` for statements."""

from __future__ import annotations

import ast
import operator
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from squads.gates.sql.python.scope import Scope
from squads.gates.sql.rehearsal.python import plain
from squads.gates.sql.rehearsal.python.mapped import mapped
from squads.gates.sql.rehearsal.python.things import ITEMS_MAX, Mute, Named, Piece, Thing, measured, through, true
from squads.gates.sql.rehearsal.value import NotKnown

_DEPTH_MAX = 40
_PARTS_FREE = 200
"""How many parts a value may have that costs no more than any other; from there on two parts cost one step."""
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
}  # fmt: skip
_COMPARED: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip


class Library(Protocol):
    """What the names of libraries give."""

    def named(self, name: Named, args: list[Any], words: dict[str, Any], machine: Expressions) -> Any:
        """Return what a call of a name from elsewhere gives."""

    def joined(self, sign: str, left: Any, right: Any) -> Any:
        """Return what an operator gives of which one side is SQL."""


class Leaves(Exception):
    """`break`, `continue` or `return`."""

    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind = kind
        self.value = value


@dataclass(repr=False)
class Function(Mute):
    """A function of the file, with the names around it."""

    node: ast.FunctionDef | ast.Lambda
    scope: Scope
    around: list[dict[str, Any]]
    machine: Expressions

    def call(self, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call gives."""
        return self.machine.called(self, args, words)


class Expressions:
    """Reads expressions. `known` keeps what names hold from one play to the next."""

    def __init__(self, library: Library, known: dict[str, Any], spend: Callable[[], None]) -> None:
        self.library = library
        self.known = known
        self.at: ast.AST | None = None
        """The statement that runs."""
        self._spend = spend
        self._depth = 0
        self._modules: dict[tuple[int, str], Any] = {}

    @abstractmethod
    def _block(self, body: Sequence[ast.stmt], scope: Scope, frames: list[dict[str, Any]]) -> None:
        """Run statements."""

    @abstractmethod
    def _assign(self, target: ast.expr, value: Any, scope: Scope, frames: list[dict[str, Any]]) -> None:
        """Bind a target."""

    def value(self, node: ast.expr, scope: Scope, frames: list[dict[str, Any]]) -> Any:
        """Return what an expression gives."""
        self._spend()
        self._depth += 1
        if self._depth > _DEPTH_MAX * 3:
            raise NotKnown
        try:
            found = self._value(node, scope, frames)
        finally:
            self._depth -= 1
        if isinstance(found, (list, tuple, dict, set)):
            for _ in range((measured(found) - _PARTS_FREE) // 2):
                self._spend()
        return found

    def _value(self, node: ast.expr, scope: Scope, frames: list[dict[str, Any]]) -> Any:
        def of(part: ast.expr) -> Any:
            return self.value(part, scope, frames)

        match node:
            case ast.Constant(value=value):
                return plain.small(value)
            case ast.Name(id=known):
                return self._name(known, scope, frames)
            case ast.Attribute(value=owner, attr=name):
                return plain.attribute(of(owner), name)
            case ast.Subscript(value=owner, slice=key):
                return plain.item(of(owner), of(key))
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(of(p) if p is not None else None for p in (lower, upper, step)))
            case ast.Call():
                return self._call(node, scope, frames)
            case ast.JoinedStr(values=parts):
                text = ""
                for piece in parts:
                    if isinstance(piece, ast.FormattedValue):
                        text = plain.small(text + plain.shown(of(piece.value), piece.format_spec, of))
                    elif isinstance(piece, ast.Constant):
                        text += str(piece.value)
                return text
            case ast.List() | ast.Tuple() | ast.Set():
                found: list[Any] = []
                for part in node.elts:
                    found += list(through(of(part.value))) if isinstance(part, ast.Starred) else [of(part)]
                return found if isinstance(node, ast.List) else tuple(found) if isinstance(node, ast.Tuple) else {
                    plain.hashable(f) for f in found
                }  # fmt: skip
            case ast.Dict(keys=keys, values=values):
                made: dict[Any, Any] = {}
                for named, value in zip(keys, values, strict=True):
                    if named is None:
                        made |= plain.pairs_of(of(value))
                    else:
                        made[plain.hashable(of(named))] = of(value)
                return made
            case ast.BinOp(left=left, op=op, right=right):
                return self._operated(op, of(left), of(right))
            case ast.BoolOp(op=op, values=values):
                answer: Any = None
                for part in values:
                    answer = of(part)
                    if true(answer) == isinstance(op, ast.Or):
                        return answer
                return answer
            case ast.UnaryOp(op=op, operand=operand):
                one = of(operand)
                if isinstance(op, ast.Not):
                    return not true(one)
                if isinstance(one, Piece) or hasattr(one, "combined"):
                    return self.library.joined("not" if isinstance(op, ast.Invert) else "-", one, None)
                return plain.guarded(lambda: -one if isinstance(op, ast.USub) else +one)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compared(of(left), ops, [of(o) for o in others])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return of(body) if true(of(test)) else of(orelse)
            case ast.NamedExpr(target=target, value=value):
                given = of(value)
                self._assign(target, given, scope, frames)
                return given
            case ast.Lambda():
                return Function(node, scope, frames, self)
            case ast.ListComp(elt=elt, generators=generators) | ast.GeneratorExp(elt=elt, generators=generators):
                return list(self._comprehended(generators, [elt], scope, frames))
            case ast.SetComp(elt=elt, generators=generators):
                return {plain.hashable(v) for v in self._comprehended(generators, [elt], scope, frames)}
            case ast.DictComp(key=key, value=value, generators=generators):
                return {plain.hashable(k): v for k, v in self._comprehended(generators, [key, value], scope, frames)}
            case ast.Starred(value=value):
                return of(value)
        raise NotKnown

    def _comprehended(
        self, generators: list[ast.comprehension], made: list[ast.expr], scope: Scope, frames: list[dict[str, Any]]
    ) -> list[Any]:
        inner = [*frames, {}]
        out: list[Any] = []

        def go(left: list[ast.comprehension]) -> None:
            if not left:
                found = [self.value(m, scope, inner) for m in made]
                out.append(found[0] if len(found) == 1 else found)
                if len(out) > ITEMS_MAX:
                    raise NotKnown
                return
            for one in through(self.value(left[0].iter, scope, inner)):
                self._assign(left[0].target, one, scope, inner)
                if all(true(self.value(t, scope, inner)) for t in left[0].ifs):
                    go(left[1:])

        go(generators)
        return out

    def _name(self, known: str, scope: Scope, frames: list[dict[str, Any]]) -> Any:
        for frame in reversed(frames):
            if known in frame:
                return frame[known]
        found = scope.find(known)
        if found is None:
            return Named(tuple(scope.file.aliases.get(known, known).split(".")))
        if isinstance(found.node, ast.FunctionDef):
            return Function(found.node, found.scope, [], self)
        if isinstance(found.node, ast.ClassDef):
            return mapped(found.node, found.scope)
        if not isinstance(found.node, ast.expr):
            raise NotKnown
        key = (id(found.node), known)
        if key not in self._modules:
            self._modules[key] = self.value(found.node, found.scope, [{}])
        return self._modules[key]

    def _operated(self, op: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(left, Piece) or isinstance(right, Piece) or hasattr(left, "combined"):
            return self.library.joined(type(op).__name__, left, right)
        return plain.operated(_OPERATORS.get(type(op)), left, right)

    def _compared(self, left: Any, ops: list[ast.cmpop], others: list[Any]) -> Any:
        for op, right in zip(ops, others, strict=True):
            if isinstance(op, (ast.Is, ast.IsNot)):
                answer: Any = (left is right or (left is None and right is None)) == isinstance(op, ast.Is)
            elif isinstance(left, Piece) or (isinstance(right, Piece) and not isinstance(op, (ast.In, ast.NotIn))):
                answer = self.library.joined(type(op).__name__, left, right)
                if len(ops) == 1:
                    return answer
                raise NotKnown
            elif isinstance(op, (ast.In, ast.NotIn)):
                answer = plain.contains(right, left) == isinstance(op, ast.In)
            else:
                answer = plain.compared(_COMPARED[type(op)], left, right)
            if not answer:
                return False
            left = right
        return True

    def _call(self, node: ast.Call, scope: Scope, frames: list[dict[str, Any]]) -> Any:
        args: list[Any] = []
        for part in node.args:
            one = self.value(part.value if isinstance(part, ast.Starred) else part, scope, frames)
            args += list(through(one)) if isinstance(part, ast.Starred) else [one]
        words: dict[str, Any] = {}
        for word in node.keywords:
            found = self.value(word.value, scope, frames)
            words |= {word.arg: found} if word.arg else {str(k): v for k, v in plain.pairs_of(found).items()}
        measured(*args, *words.values())
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value, scope, frames)
            if isinstance(owner, Named):
                return self.library.named(Named((*owner.path, node.func.attr)), args, words, self)
            if isinstance(owner, Thing):
                return owner.method(node.func.attr, args, words)
            return plain.method(owner, node.func.attr, args, words, self.apply)
        called = self.value(node.func, scope, frames)
        if isinstance(called, Named):
            return self.library.named(called, args, words, self)
        if isinstance(called, Thing):
            return called.call(args, words)
        raise NotKnown

    def apply(self, function: Any, *args: Any) -> Any:
        """Return what a function gives, one of the file or one by its name."""
        if isinstance(function, Named):
            return self.library.named(function, list(args), {}, self)
        if isinstance(function, Thing):
            return function.call(list(args), {})
        raise NotKnown

    def called(self, function: Function, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a function of the file gives."""
        node, given = function.node.args, dict(words)
        names = [a.arg for a in (*node.posonlyargs, *node.args)]
        if len(args) > len(names) and node.vararg is None:
            raise NotKnown
        inner: dict[str, Any] = dict(zip(names, args, strict=False))
        if node.vararg is not None:
            inner[node.vararg.arg] = tuple(args[len(names) :])
        kept = [*names, *(a.arg for a in node.kwonlyargs)]
        inner |= {k: given.pop(k) for k in list(given) if k in kept}
        if node.kwarg is not None:
            inner[node.kwarg.arg] = given
        defaults = dict(zip(reversed(names), reversed(node.defaults), strict=False))
        defaults |= {a.arg: d for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True) if d is not None}
        for known in kept:
            if known not in inner:
                if known not in defaults:
                    raise NotKnown
                inner[known] = self.value(defaults[known], function.scope, function.around)
        frames = [*(function.around or [{}]), inner]
        if isinstance(function.node, ast.Lambda):
            return self.value(function.node.body, function.scope, frames)
        yields = any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(function.node))
        self._depth += 6
        before = self.at
        try:
            if yields or self._depth > _DEPTH_MAX * 3:
                raise NotKnown
            self._block(function.node.body, function.scope, frames)
        except Leaves as leaves:
            return leaves.value
        finally:
            self._depth -= 6
            self.at = before
        return None
