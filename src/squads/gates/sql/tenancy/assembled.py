"""Queries that a function puts together piece by piece: a text that grows under conditions, a list of them joined.

No single text says what is sent, but all pieces stand in the function. Where every piece is a text, and none of them
names the key, no way through the function asks for the tenant. Where one piece is not known, nothing is said.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.python.queries import Query
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.tenancy.functions import Function

_STARTS = re.compile(
    r"\s*(select\b.*\bfrom|update|delete\s+from)\s+(?:only\s+)?(?:\w+\.)?\"?(\w+)", re.IGNORECASE | re.DOTALL
)
_TABLES = re.compile(r"\b(?:from|join|update)\s+(?:only\s+)?(?:\w+\.)?\"?(\w+)", re.IGNORECASE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ADDS = frozenset(("append", "extend", "insert", "add"))
_DEPTH_MAX = 8


def assembled(file: PythonFile, module: Scope, seen: set[int]) -> Iterator[tuple[Query, frozenset[str], str]]:
    """Yield (query, its tables, all its pieces) of calls whose text `queries` could not tell.

    Args:
        file: The program.
        module: Its scope.
        seen: The `id` of the calls that `queries` told of.
    """
    if not isinstance(file.tree, ast.Module):
        return
    texts = {
        t.id: n.value for n in file.tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
    }
    for function, owner in functions_of(file.tree):
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or id(node) in seen or not node.args:
                continue
            given = node.args[0]
            if not isinstance(given, (ast.Name, ast.BinOp, ast.JoinedStr)):
                continue
            pieces = _pieces(function, texts, given, set(), 0)
            if not pieces or not any(_STARTS.match(p) for p in pieces):
                continue
            text = " ".join(pieces)
            tables = frozenset(t.lower() for t in _TABLES.findall(text))
            yield Query(file.at(node, text), node, function, owner, module), tables, text


def grows(query: Query) -> bool:
    """Return whether a query's text is made of lists that its function adds to: no single text says what is sent."""
    if query.function is None or not query.call.args or isinstance(query.call.args[0], ast.Constant):
        return False
    added = {
        n.func.value.id
        for n in ast.walk(query.function)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr in _ADDS
        and isinstance(n.func.value, ast.Name)
    }
    waiting = {n.id for a in query.call.args[:1] for n in ast.walk(a) if isinstance(n, ast.Name)}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for value in _given(query.function, name):
            waiting |= {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} - seen
    return bool(added & seen)


def kept_texts(file: PythonFile) -> Iterator[tuple[ast.expr, str]]:
    """Yield the queries that a module keeps for others: constants that it uses nowhere itself, values of a dict."""
    if not isinstance(file.tree, ast.Module):
        return
    used = {n.id for n in ast.walk(file.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for node in file.tree.body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        plain = isinstance(target, ast.Name) and target.id not in used
        values = [node.value] if plain else []
        values = list(node.value.values) if isinstance(node.value, ast.Dict) else values
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and _STARTS.match(value.value):
                yield value, value.value


def begun(file: PythonFile, module: Scope) -> Iterator[tuple[Query, frozenset[str], str]]:
    """Yield (query, its tables, its pieces) of each way that a text may begin: `sql = A` here, and `sql = B` there."""
    if not isinstance(file.tree, ast.Module):
        return
    for function, owner in functions_of(file.tree):
        starts: dict[str, list[ast.expr]] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                values = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
                for value in values:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str) and _STARTS.match(value.value):
                        starts.setdefault(node.targets[0].id, []).append(value)
        for name, values in starts.items():
            calls = [c for c in ast.walk(function) if isinstance(c, ast.Call) and _takes(c, name)]
            if len(values) < 2 or len(calls) != 1:
                continue
            given = [calls[0].args[0], *_given(function, name)]
            added = _all(function, {}, [g for g in given if g not in values], {name}, 0)
            for value in values if added is not None else ():
                text = " ".join([str(value.value), *(a for a in added or () if not _STARTS.match(a))])  # type: ignore[attr-defined]
                tables = frozenset(t.lower() for t in _TABLES.findall(text))
                call = ast.copy_location(ast.Call(calls[0].func, calls[0].args, calls[0].keywords), value)
                yield Query(file.at(value, text), call, function, owner, module), tables, text


def _takes(call: ast.Call, name: str) -> bool:
    inside = [n.id for a in call.args[:1] for n in ast.walk(a) if isinstance(n, ast.Name)]
    return name in inside


def joined_by_or(query: Query, keys: frozenset[str]) -> bool:
    """Return whether the condition that asks for the tenant is one of several that are joined by OR."""
    function = query.function
    for node in ast.walk(function) if function is not None else ():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as mark), attr="join"), args=[joined]):
                if mark.strip().lower() != "or":
                    continue
                given = list(_given(function, joined.id)) if isinstance(joined, ast.Name) and function else [joined]
                texts = {n.value for g in given for n in ast.walk(g) if isinstance(n, ast.Constant)}
                words = {w.lower() for t in texts if isinstance(t, str) for w in re.findall(r"\w+", t)}
                if not words.isdisjoint(keys):
                    return True
    return False


def functions_of(tree: ast.Module) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """Yield every function of a module and its classes, with the class."""
    for node in tree.body:
        if isinstance(node, _FUNCTIONS):
            yield node, None
        elif isinstance(node, ast.ClassDef):
            yield from ((n, node) for n in node.body if isinstance(n, _FUNCTIONS))


def _pieces(
    function: Function, texts: dict[str, ast.expr], node: ast.expr, seen: set[str], depth: int
) -> list[str] | None:
    """Return every text that may become part of `node`; None where one of its parts is not known."""
    if depth > _DEPTH_MAX:
        return None
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.JoinedStr(values=values):
            return _all(
                function, texts, [v.value if isinstance(v, ast.FormattedValue) else v for v in values], seen, depth
            )
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _all(function, texts, [left, right], seen, depth)
        case ast.IfExp(body=body, orelse=orelse):
            return _all(function, texts, [body, orelse], seen, depth)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return _all(function, texts, elements, seen, depth)
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.SetComp(elt=element):
            return _pieces(function, texts, element, seen, depth + 1)
        case ast.BoolOp(values=values):
            return _all(function, texts, values, seen, depth)
        case ast.Subscript(value=ast.Name(id=name)) if isinstance(texts.get(name), ast.Dict):
            return _all(function, texts, list(texts[name].values), seen, depth)  # type: ignore[attr-defined]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join"), args=[joined]):
            return _pieces(function, texts, joined, seen, depth + 1)
        case ast.Name(id=name) if name not in seen:
            given = list(_given(function, name)) or ([texts[name]] if name in texts else [])
            return _all(function, texts, given, seen | {name}, depth) if given else None
        case ast.Name():
            return []
    return None


def _all(
    function: Function, texts: dict[str, ast.expr], nodes: list[ast.expr], seen: set[str], depth: int
) -> list[str] | None:
    found: list[str] = []
    for node in nodes:
        more = _pieces(function, texts, node, seen, depth + 1)
        if more is None:
            return None
        found += more
    return found


def _given(function: Function, name: str) -> Iterator[ast.expr]:
    """Yield what a variable is given in a function, and what is added to it."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name) and target.id == name:
                        yield value
                    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                        for one, two in zip(target.elts, value.elts, strict=False):
                            if isinstance(one, ast.Name) and one.id == name:
                                yield two
                    elif isinstance(target, ast.Tuple) and any(
                        isinstance(e, ast.Name) and e.id == name for e in target.elts
                    ):
                        yield value  # not known
            case ast.AnnAssign(target=ast.Name(id=given), value=ast.expr() as value) if given == name:
                yield value
            case ast.AugAssign(target=ast.Name(id=given), value=value) if given == name:
                yield value
            case ast.Call(func=ast.Attribute(value=ast.Name(id=given), attr=called), args=[*_, last]) if (
                given == name and called in _ADDS
            ):
                yield last
