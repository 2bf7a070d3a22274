"""What names mean in Python code, as far as that can be told without running it.

A name is bound to a node of the tree together with the scope that the node stands in, so nothing is copied and every
value keeps its place. What only running would tell is `UNKNOWN`, never a guess: a name assigned twice in a module, an
argument nobody gives, a call of something from elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from squads.gates.sql.model import HOLE
from squads.gates.sql.python.dicts import pairs_of
from squads.gates.sql.python.file import PythonFile, Sql, sql

_DEPTH_MAX = 40
_LIST_LENGTH_MAX = 2_000
_SQL_WRAPPERS = frozenset(
    ("text", "dedent", "DDL", "SQL", "Composed", "strip", "lstrip", "rstrip", "cleandoc", "sqlparse_format", "_sql")
)
"""Calls that give back the SQL they were given: `sa.text("...")`, `dedent("...")`, `"...".strip()`."""
_PERCENT = re.compile(r"(?P<plain>%%)|%(?:\((?P<key>\w+)\))?[sdr]")
_BRACES = re.compile(r"(?P<plain>\{\{|\}\})|\{(?P<key>\w*)(?:![rs])?\}")


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = _Unknown()


class Bound(NamedTuple):
    """A node and the scope in which its names mean something; no node when the name has no one meaning."""

    node: ast.AST | None
    scope: Scope


class Scope:
    """Names of a module, of a class, or of one call of a function."""

    def __init__(self, file: PythonFile, parent: Scope | None = None, elsewhere: Mapping[str, Bound] | None = None):
        self.file = file
        self.parent = parent
        self.names: dict[str, Bound] = {}
        self.body: list[ast.stmt] = []
        """The statements of a class, where the scope is one's."""
        self._elsewhere = elsewhere or {}

    @classmethod
    def of_module(cls, file: PythonFile, elsewhere: Mapping[str, Bound] | None = None) -> Scope:
        """Return the scope of a file's own names; one assigned twice means nothing for sure.

        Args:
            file: The file.
            elsewhere: What its imports are bound to, as far as that is known.
        """
        scope = cls(file, elsewhere=elsewhere)
        scope.read(file.tree.body)
        return scope

    def read(self, body: Iterable[ast.stmt]) -> None:
        """Bind what `body` defines."""
        for statement in body:
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    self.names[statement.name] = Bound(statement, self)
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self.bind(target, Bound(value, self), twice=True)
                case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
                    self.bind(statement.target, Bound(value, self), twice=True)
                case ast.Expr(
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id=known) as owner, attr="update"), args=[more])
                ) if isinstance(self.followed(owner).node, (ast.Dict, ast.BinOp)):
                    self.bind(owner, Bound(ast.BinOp(left=owner, op=ast.BitOr(), right=more), self))
                case ast.AugAssign(target=ast.Name(id=known)):
                    self.names[known] = Bound(None, self)
                case ast.If() | ast.Try() | ast.With():
                    self.read([s for s in ast.iter_child_nodes(statement) if isinstance(s, ast.stmt)])

    def bind(self, target: ast.AST, bound: Bound, *, twice: bool = False) -> None:
        """Bind a target; with `twice`, a second meaning takes both away."""
        if isinstance(target, ast.Name):
            again = twice and target.id in self.names
            if bound.node is not None and any(
                isinstance(n, ast.Name) and n.id == target.id for n in ast.walk(bound.node)
            ):  # `sql = sql + "..."`: on the right stands what the name meant before
                before = Scope(self.file, bound.scope)
                before.names[target.id] = self.find(target.id) or Bound(None, self)
                bound = Bound(bound.node, before)
            self.names[target.id] = Bound(None, self) if again else bound
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = self.items(bound)
            fits = values is not None and len(values) == len(target.elts)
            for index, part in enumerate(target.elts):
                self.bind(part, values[index] if fits and values else Bound(None, self), twice=twice)

    def find(self, known: str) -> Bound | None:
        """Return what a name is bound to, here or further out."""
        scope: Scope | None = self
        while scope is not None:
            if known in scope.names:
                return scope.names[known]
            if known in scope._elsewhere:
                return scope._elsewhere[known]
            scope = scope.parent
        return None

    def followed(self, node: ast.AST) -> Bound:
        """Return what `node` is once its names are followed; the node itself where they lead nowhere."""
        here = Bound(node, self)
        for _ in range(_DEPTH_MAX):
            match here.node:
                case ast.Name(id=known):
                    found = here.scope.find(known)
                case ast.Attribute(value=ast.Name(id=owner), attr=attribute):
                    found = here.scope._member(owner, attribute)
                case _:
                    return here
            if found is None or found.node is None:
                return here if found is None else Bound(here.node, here.scope)
            here = found
        return here

    def _member(self, owner: str, attribute: str) -> Bound | None:
        """Return what `Class.attribute` of a class, or `module.attribute` of a module of the artifact, is."""
        found = self.find(owner)
        if found is not None and isinstance(found.node, ast.Module):
            return found.scope.find(attribute)
        if found is None or not isinstance(found.node, ast.ClassDef):
            return None
        inner = Scope(found.scope.file, found.scope)
        inner.read(found.node.body)
        return inner.names.get(attribute)

    def value(self, node: ast.AST | None, depth: int = 0) -> object:
        """Return the plain value of `node`: a string, number, list, tuple, dict, None; else `UNKNOWN`."""
        if node is None or depth > _DEPTH_MAX:
            return UNKNOWN
        self.file.spend(node)
        followed = self.followed(node)
        scope = followed.scope

        def of(part: ast.AST | None) -> object:
            return scope.value(part, depth + 1)

        match followed.node:
            case ast.Constant(value=value):
                return value
            case ast.JoinedStr(values=parts):
                texts = [of(p.value) if isinstance(p, ast.FormattedValue) else of(p) for p in parts]
                return "".join(map(str, texts)) if all(isinstance(t, (str, int)) for t in texts) else UNKNOWN
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                one, two = of(left), of(right)
                if isinstance(one, str) and isinstance(two, str):
                    self.file.spend(node, (len(one) + len(two)) // 64)
                    return one + two
                if isinstance(one, list) and isinstance(two, list):
                    return one + two
                return UNKNOWN
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return _formatted(of(left), of(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = of(operand)
                return -number if isinstance(number, (int, float)) else UNKNOWN
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                truth = of(operand)
                return UNKNOWN if truth is UNKNOWN else not truth
            case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
                return [of(e) for e in elts]
            case ast.Dict(keys=keys, values=values):
                pairs = [(of(k), of(v)) for k, v in zip(keys, values, strict=True)]
                return dict(pairs) if all(isinstance(k, (str, int)) for k, _ in pairs) else UNKNOWN
            case ast.Call(func=func, args=args, keywords=keywords):
                return _called(func, [of(a) for a in args], {k.arg: of(k.value) for k in keywords}, of)
            case _:
                return UNKNOWN

    def text(self, node: ast.AST | None) -> str | None:
        """Return a string's value, or None when it is not known or no string."""
        found = self.value(node)
        return found if isinstance(found, str) else None

    def items(self, bound: Bound | ast.AST) -> list[Bound] | None:
        """Return the elements of a list, tuple, set or dict display, or None when it is none."""
        bound = bound if isinstance(bound, Bound) else Bound(bound, self)
        followed = bound.scope.followed(bound.node) if bound.node is not None else bound
        match followed.node:
            case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts) if len(elts) <= _LIST_LENGTH_MAX:
                found: list[Bound] = []
                for element in elts:
                    if isinstance(element, ast.Starred):
                        inner = followed.scope.items(element.value)
                        if inner is None:
                            return None
                        found += inner
                    else:
                        found.append(Bound(element, followed.scope))
                return found
            case ast.Dict(keys=keys) if None not in keys:
                return [Bound(k, followed.scope) for k in keys]
            case ast.Call(func=ast.Attribute(value=owner, attr="items"), args=[]):
                pairs = pairs_of(followed.scope, owner)
                return (
                    None
                    if pairs is None
                    else [Bound(ast.Tuple(elts=[k, v], ctx=ast.Load()), where) for k, v, where in pairs]
                )
            case ast.Call(func=ast.Name(id="list" | "tuple" | "sorted" | "reversed" | "set"), args=[only]):
                return followed.scope.items(only)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                one, two = followed.scope.items(left), followed.scope.items(right)
                return None if one is None or two is None else [*one, *two]
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return followed.scope._comprehended(followed.node)
        return None

    def _comprehended(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> list[Bound] | None:
        """Return what a comprehension over one list gives, an element for each of its turns."""
        if len(node.generators) != 1 or node.generators[0].ifs:
            return None
        items = self.items(node.generators[0].iter)
        if items is None or len(items) > _LIST_LENGTH_MAX:
            return None
        found: list[Bound] = []
        for item in items:
            self.file.spend(node)
            inner = Scope(self.file, self)
            inner.bind(node.generators[0].target, item)
            found.append(Bound(node.elt, inner))
        return found

    def sql(self, node: ast.AST | None, depth: int = 0) -> Sql | None:
        """Return the SQL text that `node` is, with `HOLE` for what is not known; None when it is no text at all."""
        if node is None or depth > _DEPTH_MAX:
            return None
        self.file.spend(node)
        followed = self.followed(node)
        scope, found = followed.scope, followed.node
        match found:
            case ast.Constant(value=str()):
                scope.file.take(found)
                return scope.file.literal(found)
            case ast.Constant(value=int() | float()):
                return scope.file.at(found, str(found.value))
            case ast.JoinedStr(values=parts):
                scope.file.take(found)
                pieces: list[Sql] = []
                for part in parts:
                    if isinstance(part, ast.Constant):
                        pieces.append(sql(str(part.value)))
                    elif isinstance(part, ast.FormattedValue):
                        pieces.append(scope.sql(part.value, depth + 1) or scope._hole(part.value))
                return scope.file.at(found, *pieces)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                one, two = scope.sql(left, depth + 1), scope.sql(right, depth + 1)
                if one is None and two is None:
                    return None
                made = scope.file.at(found, one or scope._hole(left), two or scope._hole(right))
                scope.file.spend(found, len(made.text) // 64)
                return made
            case ast.BinOp(left=left, op=ast.Mod()):
                return scope._filled(found, left, depth)
            case ast.Call(func=ast.Attribute(value=owner, attr="format")):
                return scope._filled(found, owner, depth)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as mark), attr="join"), args=[only]):
                items = scope.items(only)
                texts = [b.scope.sql(b.node, depth + 1) for b in items or []]
                if items is None or None in texts:
                    return None
                return sql(*(p for text in texts for p in (mark, text or "")))
            case ast.Call(func=func, args=args):
                called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                if called in _SQL_WRAPPERS and args:
                    return scope.sql(args[0], depth + 1)
                if isinstance(func, ast.Attribute) and called in (*_SQL_WRAPPERS, "as_string", "bindparams"):
                    return scope.sql(func.value, depth + 1)
                given = returned(Bound(found, scope))
                return given.scope.sql(given.node, depth + 1) if given is not None else None
        return None

    def _hole(self, node: ast.AST) -> Sql:
        return self.file.at(node, HOLE)

    def _filled(self, node: ast.AST, pattern: ast.AST, depth: int) -> Sql | None:
        """Return a format string filled in: wholly where its value is known, with holes where it is not."""
        made = self.sql(pattern, depth + 1)
        if made is None:
            return None
        whole = self.value(node)
        if isinstance(whole, str):
            return self.file.at(node, whole)
        mark = _PERCENT if isinstance(node, ast.BinOp) else _BRACES
        return self.file.at(node, mark.sub(lambda m: m["plain"][0] if m["plain"] else HOLE, made.text))


def returned(bound: Bound) -> Bound | None:
    """Return what a call of a function in this file gives, where its body is one plain `return`."""
    node = bound.node
    if not isinstance(node, ast.Call):
        return None
    target = bound.scope.followed(node.func)
    if not isinstance(target.node, ast.FunctionDef):
        return None
    inner = call_scope(target, node, bound.scope)
    returns = [s for s in ast.walk(target.node) if isinstance(s, ast.Return)]
    inner.read(s for s in target.node.body if isinstance(s, ast.Assign))
    return Bound(returns[0].value, inner) if len(returns) == 1 and returns[0].value is not None else None


def call_scope(target: Bound, node: ast.Call, scope: Scope) -> Scope:
    """Return the scope inside one call of a function: its parameters bound to what the caller gives."""
    inner = Scope(target.scope.file, target.scope)
    function = target.node
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return inner
    arguments = [*function.args.posonlyargs, *function.args.args]
    for argument, default in zip(reversed(arguments), reversed(function.args.defaults), strict=False):
        inner.names[argument.arg] = Bound(default, target.scope)
    for argument, default_or_none in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        inner.names[argument.arg] = Bound(default_or_none, target.scope)
    for argument, given in zip(arguments, node.args, strict=False):
        inner.names[argument.arg] = Bound(None if isinstance(given, ast.Starred) else given, scope)
    for given_by_name in node.keywords:
        if given_by_name.arg:
            inner.names[given_by_name.arg] = Bound(given_by_name.value, scope)
    for argument in arguments:
        inner.names.setdefault(argument.arg, Bound(None, scope))
    return inner


def _formatted(pattern: object, values: object) -> object:
    """Return `pattern % values` for plain marks only: a width could ask for a string without end."""
    if not isinstance(pattern, str):
        return UNKNOWN
    if isinstance(values, dict):
        return _filled_in(_PERCENT, pattern, [], values)
    return _filled_in(_PERCENT, pattern, values if isinstance(values, list) else [values], {})


def _filled_in(mark: re.Pattern[str], pattern: str, values: list[object], named: Mapping[str, object]) -> object:
    """Return `pattern` with every mark filled, or `UNKNOWN` where one of them has no known value."""
    waiting = iter(values)
    texts: list[object] = []

    def fill(found: re.Match[str]) -> str:
        key = found["key"] or ""
        if found["plain"]:
            return found["plain"][0]
        value = named.get(key, UNKNOWN) if key and not key.isdigit() else next(waiting, UNKNOWN)
        if key.isdigit():
            value = values[int(key)] if int(key) < len(values) else UNKNOWN
        texts.append(value)
        return str(value)

    text = mark.sub(fill, pattern)
    return text if all(isinstance(t, (str, int, float)) for t in texts) else UNKNOWN


def _called(func: ast.AST, args: list[object], keywords: dict[str | None, object], of: object) -> object:
    """Return what a few pure calls give: `op.f(name)`, `"...".format(...)`, `dedent(...)`."""
    called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if called in ("f", "quoted_name", "str", "cast", "dedent", "Decimal") and len(args) >= 1:
        return args[-1] if called == "cast" else args[0]
    if not isinstance(func, ast.Attribute) or not callable(of):
        return UNKNOWN
    owner = of(func.value)
    if not isinstance(owner, str):
        return UNKNOWN
    match called:
        case "format" if None not in keywords:
            return _filled_in(_BRACES, owner, args, {str(k): v for k, v in keywords.items()})
        case "lower" | "upper" | "strip" | "title" if not args:
            return str(getattr(owner, called)())
        case _:
            return UNKNOWN
