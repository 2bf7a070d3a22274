"""Every SQL text that Python hands to something: queries and changes of rows, which are nobody's schema.

Unlike `embedded.py`, which looks for tables, this yields each call with a text that begins as SQL does, the function it
stands in, and the call itself, so that its arguments can be asked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from squads.gates.sql.python.file import PythonFile, Sql
from squads.gates.sql.python.scope import Bound, Scope

_SQL = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*\(?\s*(?:select\b.*\bfrom\b|insert\s+into\b|update\s+\S+.*\bset\b|delete\s+from\b|with\b.*"
    r"\b(?:select|insert|update|delete)\b|merge\s+into\b|create\b|alter\b|do\b|select\s+\S)",
    re.IGNORECASE | re.DOTALL,
)
_WORDS = re.compile(rb"\b(select|insert|update|delete|create|alter)\b", re.IGNORECASE)
_DEPTH_MAX = 30
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL text that is handed to a call."""

    made: Sql
    call: ast.Call
    function: Function | None
    """The function it stands in; None in a module or class."""
    owner: ast.ClassDef | None
    """The class whose method that is."""
    scope: Scope


def may_query(content: bytes) -> bool:
    """Return whether a look at the bytes of a Python file says that it may hold SQL."""
    return _WORDS.search(content) is not None


def queries(file: PythonFile, module: Scope) -> Iterator[Query]:
    """Yield the SQL of a file, in its order."""
    yield from _body(file, module, file.tree.body, None, None, 0)


def _body(
    file: PythonFile,
    scope: Scope,
    body: Iterable[ast.stmt],
    function: Function | None,
    owner: ast.ClassDef | None,
    depth: int,
) -> Iterator[Query]:
    for statement in body if depth < _DEPTH_MAX else ():
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                inner = Scope(file, scope)
                for argument in (*statement.args.args, *statement.args.kwonlyargs):
                    inner.names[argument.arg] = scope.names.get(f"{argument.arg}.class", Bound(None, inner))
                yield from _body(file, inner, statement.body, statement, owner, depth + 1)
            case ast.ClassDef():
                inner = Scope(file, scope)
                inner.names |= {f"{word}.class": Bound(statement, scope) for word in ("self", "cls")}
                yield from _body(file, inner, statement.body, None, statement, depth + 1)
            case _:
                yield from _expressions(file, scope, statement, function, owner)
                _assign(scope, statement)
                blocks = [s for s in ast.iter_child_nodes(statement) if isinstance(s, ast.stmt)]
                blocks += [s for h in getattr(statement, "handlers", []) for s in h.body]
                blocks += [s for c in getattr(statement, "cases", []) for s in c.body]
                yield from _body(file, scope, blocks, function, owner, depth + 1)


def _expressions(
    file: PythonFile, scope: Scope, statement: ast.stmt, function: Function | None, owner: ast.ClassDef | None
) -> Iterator[Query]:
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Call):
            for argument in (*node.args[:2], *(k.value for k in node.keywords)):
                made = scope.sql(argument) if not isinstance(argument, (ast.Lambda, ast.Starred)) else None
                if made is not None and _SQL.match(made.text):
                    yield Query(replace(file.at(argument, made), raw=True), node, function, owner, scope)
                    break
            else:
                waiting += _children(node)
                continue
            waiting += [c for c in _children(node) if isinstance(c, ast.Attribute)]
            continue
        waiting += _children(node)


def _children(node: ast.AST) -> list[ast.AST]:
    skipped = (ast.stmt, ast.ExceptHandler, ast.match_case)
    return [c for c in ast.iter_child_nodes(node) if not isinstance(c, skipped)]


def _assign(scope: Scope, statement: ast.stmt) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                scope.bind(target, Bound(value, scope))
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            scope.bind(target, Bound(value, scope))
        case ast.AugAssign(target=ast.Name(id=known), op=op, value=value):
            grown = ast.BinOp(left=ast.Name(id=known, ctx=ast.Load()), op=op, right=value)
            scope.bind(statement.target, Bound(ast.copy_location(grown, statement), scope))
