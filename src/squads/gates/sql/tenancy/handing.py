"""Programs that hand the tenant to the database, and the functions that forget to, on a connection of their own.

Where a helper sets the tenant for a connection (`set_config('app.tenant', ...)`), queries need not name it. A function
beside its users that takes a connection past the helper, and asks the same tables, is held by nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.sql.tenancy.assembled import functions_of
from squads.gates.sql.tenancy.functions import Function, arguments_of
from squads.gates.sql.tenancy.learning import sets_tenant
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.words import root_of, sweeps

_TABLES = re.compile(r"\b(?:from|join|update|into)\s+(?:only\s+)?(?:\w+\.)?\"?([a-z_]\w*)\"?", re.IGNORECASE)
_QUERY = re.compile(r"\s*(?:select\b.*\bfrom\b|update\b.*\bset\b|delete\s+from\b|with\b)", re.IGNORECASE | re.DOTALL)
_OWN = frozenset(("connection", "connect", "acquire", "getconn", "begin", "session", "Session", "sessionmaker"))
_MAY_SET = re.compile(r"set_config|set\s+local|set\s+session", re.IGNORECASE)


def setters_of(modules: Modules) -> frozenset[str]:
    """Return the functions that set the tenant for a connection which others then use."""
    found = set()
    for path, text in modules.texts.items():
        tree = modules.tree(path) if _MAY_SET.search(text) else None
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
                sets = any(
                    _MAY_SET.match(re.sub(r"(?i)^\s*select\s+", "", t).lstrip()) and sets_tenant(t) for t in texts
                )
                if sets and any(isinstance(n, (ast.Yield, ast.Return)) for n in ast.walk(node)):
                    found.add(node.name)
    return frozenset(found)


def past_helpers(
    tree: ast.Module, setters: frozenset[str], roots: frozenset[str], modules: Modules
) -> Iterator[tuple[ast.expr, str, Function]]:
    """Yield (query, table, function) of what a module asks on a connection for which nobody set the tenant."""
    every = [f for f, _ in functions_of(tree)]
    users = [f for f in every if _calls(f) & setters or f.name in setters]
    kept = {t for f in users for n in _texts(f) for t in _tables(n)}
    for function in every if kept else ():
        given = {root_of(a.arg) for a in arguments_of(function)} & roots
        if function in users or not given or sweeps(function.name) or not _calls(function) & _OWN:
            continue
        if any(_calls(c) & setters for c in modules.callers(function.name)):
            continue
        for node in _texts(function):
            words = {root_of(w) for w in re.findall(r"\w+", str(node.value))}
            for table in sorted(_tables(node) & kept) if not words & roots else ():
                yield node, table, function


def _texts(function: Function) -> Iterator[ast.Constant]:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _QUERY.match(node.value):
            yield node


def _tables(node: ast.Constant) -> set[str]:
    return {t.lower() for t in _TABLES.findall(str(node.value))}


def _calls(function: Function) -> set[str]:
    called = (n.func for n in ast.walk(function) if isinstance(n, ast.Call))
    return {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in called}
