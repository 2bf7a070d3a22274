"""Clients that build a query from names in strings: `client.table("pupils").select("*").eq("school_id", school)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from squads.gates.sql.tenancy.assembled import functions_of
from squads.gates.sql.tenancy.functions import Function
from squads.gates.sql.tenancy.words import root_of

BUILDERS = frozenset(("table", "from_"))
"""What begins such a query."""
_VERBS = frozenset(("select", "update", "delete"))
_ASKS = frozenset(("eq", "match", "filter", "in_", "where", "contains", "is_"))
_EVERY = re.compile(
    r"\bshares? (?:all |the |these |its )?tables\b|\ball (?:of the |the )?tables\b|\bsame tables\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Built:
    """One query of such a client."""

    table: str
    key: str
    node: ast.expr
    function: Function
    owner: ast.ClassDef | None
    bound: bool
    why: str


def built(tree: ast.Module, roots: frozenset[str], keyed: Mapping[str, frozenset[str]], brief: str) -> Iterator[Built]:
    """Yield every query of a module that such a client builds over a shared table."""
    parents = {c: p for p in ast.walk(tree) for c in ast.iter_child_nodes(p)}
    found: list[tuple[str, ast.Call, ast.expr, Function, ast.ClassDef | None]] = []
    keys = {t: set(k) for t, k in keyed.items()}
    asked: list[Built] = []
    own = {f.name for f, _ in functions_of(tree) if f.args.kwarg is not None and _asks_by_names(f)}
    for function, owner in functions_of(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in own:
                named = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                told = {k.arg for k in node.keywords if k.arg and root_of(k.arg) in roots}
                if len(named) == 1 and all(k.arg for k in node.keywords):
                    keys.setdefault(named[0], set()).update(told)
                    asked.append(Built(named[0], "", node, function, owner, bool(told), "missing"))
                continue
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BUILDERS):
                continue
            if len(node.args) != 1 or not isinstance(node.args[0], ast.Constant):
                continue
            top: ast.expr = node
            while True:
                above = parents.get(top)
                if isinstance(above, ast.Attribute) or (isinstance(above, ast.Call) and above.func is top):
                    top = above
                else:
                    break
            table = str(node.args[0].value)
            found.append((table, node, top, function, owner))
            told = {k for k in _strings(top) if root_of(k) in roots}
            if told:
                keys.setdefault(table, set()).update(told)
    yield from (replace(b, key=min(keys[b.table])) for b in asked if keys[b.table])
    every = sorted({k for told in keys.values() for k in told})
    for table, node, top, function, owner in found:
        told = keys.get(table) or (set(every) if _EVERY.search(brief) else set())
        verbs = {c.func.attr for c in ast.walk(top) if isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute)}
        if not told or not verbs & _VERBS:
            continue
        bound, why = _bound(top, {root_of(k) for k in told})
        held = _grown(function, parents.get(top), roots)
        yield Built(table, sorted(told)[0], node, function, owner, bound or held, why)


def _asks_by_names(function: Function) -> bool:
    """Return whether a function asks for what it is given by name: `" AND ".join(f"{n} = %s" for n in where)`."""
    texts = [n.value for n in ast.walk(function) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return any(re.search(r"\bwhere\b", t, re.IGNORECASE) for t in texts) and any("=" in t for t in texts)


def _strings(chain: ast.expr) -> Iterator[str]:
    for node in ast.walk(chain):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (w.strip() for w in node.value.split(",") if w.strip().isidentifier())


def _bound(chain: ast.expr, roots: set[str]) -> tuple[bool, str]:
    for call in ast.walk(chain):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _ASKS):
            continue
        keys = [a for a in call.args[:1] if isinstance(a, ast.Constant)]
        keys += [k for a in call.args[:1] if isinstance(a, ast.Dict) for k in a.keys if isinstance(k, ast.Constant)]
        if any(isinstance(k.value, str) and root_of(k.value.split(".")[-1]) in roots for k in keys):
            return True, ""
        if any(isinstance(a, (ast.Name, ast.Starred)) for a in call.args[:1]):
            return True, ""  # what it asks for is only known when it runs
    return False, "missing"


def _grown(function: Function, above: ast.AST | None, roots: frozenset[str]) -> bool:
    """Return whether a query that is kept in a variable asks for the tenant further on."""
    names = {t.id for t in getattr(above, "targets", []) if isinstance(t, ast.Name)}
    if not names:
        return False
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKS:
            root: ast.AST = node
            while isinstance(root, (ast.Call, ast.Attribute)):
                root = root.func if isinstance(root, ast.Call) else root.value
            if isinstance(root, ast.Name) and root.id in names:
                return any(root_of(w) in roots for w in _strings(node))
    return False
