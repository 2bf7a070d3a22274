"""Where a module asks a model: the call that begins it, the model, and the whole chain of calls behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from squads.gates.sql.tenancy.functions import Function
from squads.gates.sql.tenancy.keeping import SCOPED, STARTS, is_any_model, model_named

_BY_ID = frozenset(("get", "get_or_404", "one_or_404", "get_object_or_404", "get_list_or_404", "aget_object_or_404"))
_OWN_STARTS = frozenset(("select", "update", "delete", "filter", "get", "get_or_none", "get_by_id", "all"))
MANAGERS = frozenset(("objects", "query", "_default_manager", "_base_manager", "all_objects"))


def chains_of(tree: ast.AST, known: frozenset[str] = frozenset()) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    """Yield (where it starts, model, the whole chain of calls) of every query over a class."""
    parents = {c: p for p in ast.walk(tree) for c in ast.iter_child_nodes(p)}
    for node in ast.walk(tree):
        model = ""
        own = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _named(node.func.value) in known
        if isinstance(node, ast.Call) and node.args and not own:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if isinstance(first, ast.GeneratorExp) and isinstance(first.generators[0].iter, ast.Name):
                model = first.generators[0].iter.id if first.generators[0].iter.id in known else ""
            elif called in STARTS or called in _BY_ID:
                while isinstance(first, ast.Attribute) and called in STARTS and not is_any_model(first):
                    first = first.value
                if isinstance(first, ast.Call) and called in STARTS and first.args:  # select(func.count(Doc.id))
                    first = first.args[0]
                    while isinstance(first, ast.Attribute):
                        first = first.value
                if called == "select" and not isinstance(first, ast.Name) and not is_any_model(first):
                    first = _selected_from(node, parents) or first
                named = model_named(first)
                if named[:1].isupper() or named in known or is_any_model(first):
                    model = named
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in known
            and node.func.attr in _OWN_STARTS
        ):
            model = node.func.value.id
        elif isinstance(node, ast.Attribute) and node.attr in MANAGERS:
            named = model_named(node.value)
            model = named if named[:1].isupper() or is_any_model(node.value) else ""
        if not model or not isinstance(node, ast.expr):
            continue
        top: ast.expr = node
        while True:
            above = parents.get(top)
            if (isinstance(above, ast.Attribute) and above.value is top) or (
                isinstance(above, ast.Call) and above.func is top
            ):
                top = above
            else:
                break
        around = parents.get(top)
        if isinstance(around, ast.Call) and around.args[:1] == [top] and getattr(around.func, "id", "") in _BY_ID:
            top = around  # get_object_or_404(Stay.objects.all(), pk=...)
        if known and model not in known:
            model = next(iter(_joined_models(top, known)), model)
        yield node, model, top


def _joined_models(chain: ast.expr, known: frozenset[str]) -> Iterator[str]:
    """Yield the models with a key that a chain joins."""
    for node in ast.walk(chain):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("join", "outerjoin", "select_from"):
            yield from (a.id for a in node.args[:1] if isinstance(a, ast.Name) and a.id in known)


def _selected_from(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> ast.expr | None:
    """Return the model of `select(func.count()).select_from(Model)`."""
    here: ast.AST | None = node
    while here is not None and not isinstance(here, ast.stmt):
        if isinstance(here, ast.Call) and getattr(here.func, "attr", "") == "select_from" and here.args:
            return here.args[0]
        here = parents.get(here)
    return None


def _named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def holders_of(tree: ast.Module) -> dict[ast.AST, tuple[Function | None, ast.ClassDef | None]]:
    """Return the function and class that each node stands in."""
    found: dict[ast.AST, tuple[Function | None, ast.ClassDef | None]] = {}

    def walk(node: ast.AST, function: Function | None, owner: ast.ClassDef | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                walk(child, child, owner)
            elif isinstance(child, ast.ClassDef):
                walk(child, None, child)
            else:
                found[child] = (function, owner)
                walk(child, function, owner)

    walk(tree, None, None)
    return found


def held_in(chain: ast.expr, parents: dict[ast.AST, ast.AST]) -> set[str]:
    """Return the variables that a query is kept in."""
    node: ast.AST | None = chain
    while node is not None and not isinstance(node, ast.stmt):
        node = parents.get(node)
    if isinstance(node, ast.Assign):
        return {t.id for t in node.targets if isinstance(t, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()


def handed_on(chain: ast.expr, parents: dict[ast.AST, ast.AST], roots: frozenset[str]) -> bool:
    """Return whether a query goes through a helper that is called after the tenant, or into a query that names it."""
    here: ast.AST | None = chain
    for _ in range(6):
        here = parents.get(here) if here is not None else None
        if here is None or isinstance(here, ast.stmt):
            return False
        if isinstance(here, ast.Call):
            called = here.func.attr if isinstance(here.func, ast.Attribute) else getattr(here.func, "id", "")
            if SCOPED.search(called) or any(r in called.lower() for r in roots):
                return True
    return False
