"""SQLAlchemy and Django: which queries over models that tenants share name the tenant, and which do not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.sql.tenancy.at_hand import Function, Hand
from squads.gates.sql.tenancy.words import is_strong_key, may_be_key, root_of

_STARTS = frozenset(("select", "update", "delete", "query", "exists"))
_BY_ID = frozenset(("get", "get_or_404", "one_or_404", "get_object_or_404", "get_list_or_404", "aget_object_or_404"))
_OWN_STARTS = frozenset(("select", "update", "delete", "filter", "get", "get_or_none", "get_by_id", "all"))
_MANAGERS = frozenset(("objects", "query", "_default_manager", "_base_manager", "all_objects"))
_SCOPED = re.compile(r"scope|visible|accessible|owned|for_user|for_request|restrict|permitted|allowed", re.IGNORECASE)
_SHARED = re.compile(r"public|shared|global|template|published|default|system|is_\(None|isnull", re.IGNORECASE)
_NAMES_MODEL = re.compile(r"Base|Model|Entity|Table|Mixin|Document", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Access:
    """One query over a model."""

    model: str
    node: ast.expr
    function: Function | None
    owner: ast.ClassDef | None
    bound: bool
    why: str = "missing"


def models(trees: list[ast.Module]) -> dict[str, frozenset[str]]:
    """Return the keys of every model class: its own columns, and those of its bases."""
    own: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    open_ones: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                own.setdefault(node.targets[0].id, set()).update(_table_keys(node.value))
                bases.setdefault(node.targets[0].id, [])
            if not isinstance(node, ast.ClassDef):
                continue
            names = [b.attr if isinstance(b, ast.Attribute) else getattr(b, "id", "") for b in node.bases]
            bases[node.name] = names
            own[node.name] = set()
            for statement in node.body:
                targets = statement.targets if isinstance(statement, ast.Assign) else []
                if isinstance(statement, ast.AnnAssign):
                    targets = [statement.target]
                for target in targets:
                    if not isinstance(target, ast.Name):
                        continue
                    text = ast.unparse(statement)
                    if is_strong_key(target.id) and re.search(r"Column|Field|Mapped|ForeignKey", text):
                        own[node.name].add(target.id)
                    if target.id == "objects" and re.search(r"tenant|scope|org|workspace", text, re.IGNORECASE):
                        open_ones.add(node.name)
            if not any(_NAMES_MODEL.search(n) for n in names) and "__tablename__" not in ast.unparse(node):
                own[node.name] = set() if not own[node.name] else own[node.name]
    found: dict[str, frozenset[str]] = {}
    for name in own:
        keys, waiting, seen = set(own[name]), list(bases[name]), {name}
        while waiting:
            base = waiting.pop()
            if base in own and base not in seen:
                seen.add(base)
                keys |= own[base]
                waiting += bases[base]
        if keys and not seen & open_ones:
            found[name] = frozenset(keys)
    return found


def _table_keys(node: ast.expr) -> set[str]:
    """Return the keys of `Table("documents", metadata, Column("tenant_id", ...))`."""
    called = node.func if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or getattr(called, "attr", getattr(called, "id", "")) != "Table":
        return set()
    columns = [a.args[0] for a in node.args if isinstance(a, ast.Call) and a.args]
    texts = [c.value for c in columns if isinstance(c, ast.Constant) and isinstance(c.value, str)]
    return {t for t in texts if is_strong_key(t)}


def learned(tree: ast.Module) -> dict[str, frozenset[str]]:
    """Return the keys by which a module itself filters models that it imports."""
    found: dict[str, dict[str, int]] = {}
    for node, model, chain in _chains(tree):
        del node
        for key in _keys_in(chain, model):
            counts = found.setdefault(model, {})
            counts[key] = counts.get(key, 0) + 1
    return {m: frozenset(k for k, n in c.items() if is_strong_key(k) or n > 1) for m, c in found.items()}


def _keys_in(chain: ast.expr, model: str) -> Iterator[str]:
    for node in ast.walk(chain):
        if isinstance(node, ast.keyword) and node.arg and may_be_key(node.arg.split("__")[0]):
            yield node.arg.split("__")[0]
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and may_be_key(node.left.attr):
            owner = node.left.value
            yield from [node.left.attr] if isinstance(owner, ast.Name) and owner.id == model else []


def accesses(tree: ast.Module, keyed: dict[str, frozenset[str]], hand: Hand) -> Iterator[Access]:
    """Yield every query over a model that has a key."""
    holders = _holders(tree)
    parents = {c: p for p in ast.walk(tree) for c in ast.iter_child_nodes(p)}
    for start, model, chain in _chains(tree, frozenset(keyed)):
        if not keyed.get(model):
            continue
        function, owner = holders.get(start, (None, None))
        roots = frozenset(root_of(k) for k in keyed[model])
        bound, why = _is_bound(chain, roots, hand)
        if not bound and why == "missing":
            names = _held_in(chain, parents)
            inside = {n.id for n in ast.walk(chain) if isinstance(n, ast.Name)} - {model}
            bound = bool(
                hand.grown(function, names | inside)
                or _handed_on(chain, parents, roots)
                or any(
                    isinstance(n, ast.Starred) or (isinstance(n, ast.keyword) and n.arg is None)
                    for n in ast.walk(chain)
                )
            )
        yield Access(model, start, function, owner, bound, why)


def _is_bound(chain: ast.expr, roots: frozenset[str], hand: Hand) -> tuple[bool, str]:
    """Return whether a chain names the tenant in a way that keeps to it, and if not, why not."""
    parents = {c: p for p in ast.walk(chain) for c in ast.iter_child_nodes(p)}
    why = "missing"
    for node in ast.walk(chain):
        if isinstance(node, ast.keyword) and node.arg:
            parts = node.arg.split("__")
            if roots & {root_of(p) for p in parts}:
                if parts[-1] == "isnull" or (isinstance(node.value, ast.Constant) and node.value.value is None):
                    why = "itself"
                elif _in_or(node, parents):
                    why = "or"
                else:
                    return True, ""
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            own = [s for s in sides if isinstance(s, ast.Attribute) and root_of(s.attr) in roots]
            if not own:
                continue
            texts = {ast.unparse(s) for s in sides}
            if len(texts) == 1 or not isinstance(node.ops[0], ast.Eq) or "None" in texts:
                why = "itself"
            elif _in_or(node, parents):
                why = "or"
            elif len(own) == len(sides) and all(
                isinstance(s.value, ast.Name) and s.value.id[:1].isupper() for s in own if isinstance(s, ast.Attribute)
            ):
                why = "joined"
            else:
                return True, ""
        elif isinstance(node, ast.Attribute):
            parent = parents.get(node)
            called = isinstance(parent, ast.Call) and parent.func is node
            if called and (_SCOPED.search(node.attr) or any(r in node.attr.lower() for r in roots)):
                return True, ""
            if called and node.attr in ("is_not", "isnot", "is_") and _ends_in(node.value, roots):
                why = "itself"
            if (
                node.attr in ("in_", "any_")
                and isinstance(node.value, ast.Attribute)
                and root_of(node.value.attr) in roots
            ):
                return True, ""
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and (_SCOPED.search(node.func.id) or any(r in node.func.id.lower() for r in roots))
        ):
            return True, ""
    del hand
    return False, why


def _ends_in(node: ast.expr, roots: frozenset[str]) -> bool:
    return isinstance(node, ast.Attribute) and root_of(node.attr) in roots


def _in_or(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether a condition stands in an OR whose other branch lets in what nobody meant to share."""
    here: ast.AST | None = node
    while here is not None:
        above = parents.get(here)
        called = ""
        if isinstance(above, ast.Call):
            called = above.func.attr if isinstance(above.func, ast.Attribute) else getattr(above.func, "id", "")
        if called == "or_" and isinstance(above, ast.Call):
            return not any(_SHARED.search(ast.unparse(a)) for a in above.args if a is not here)
        if isinstance(above, ast.BinOp) and isinstance(above.op, ast.BitOr):
            other = above.right if above.left is here else above.left
            return _SHARED.search(ast.unparse(other)) is None
        here = above
    return False


def _chains(tree: ast.Module, known: frozenset[str] = frozenset()) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    """Yield (where it starts, model, the whole chain of calls) of every query over a class."""
    parents = {c: p for p in ast.walk(tree) for c in ast.iter_child_nodes(p)}
    for node in ast.walk(tree):
        model = ""
        own = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _named(node.func.value) in known
        if isinstance(node, ast.Call) and node.args and not own:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in _STARTS or called in _BY_ID:
                while isinstance(first, ast.Attribute) and called in _STARTS:
                    first = first.value
                if isinstance(first, ast.Call) and called in _STARTS and first.args:  # select(func.count(Doc.id))
                    first = first.args[0]
                    while isinstance(first, ast.Attribute):
                        first = first.value
                if called == "select" and not isinstance(first, ast.Name):
                    first = _selected_from(node, parents) or first
                if isinstance(first, ast.Name) and (first.id[:1].isupper() or first.id in known):
                    model = first.id
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in known
            and node.func.attr in _OWN_STARTS
        ):
            model = node.func.value.id
        elif isinstance(node, ast.Attribute) and node.attr in _MANAGERS and isinstance(node.value, ast.Name):
            model = node.value.id if node.value.id[:1].isupper() else ""
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
        yield node, model, top


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


def _holders(tree: ast.Module) -> dict[ast.AST, tuple[Function | None, ast.ClassDef | None]]:
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


def _held_in(chain: ast.expr, parents: dict[ast.AST, ast.AST]) -> set[str]:
    """Return the variables that a query is kept in."""
    node: ast.AST | None = chain
    while node is not None and not isinstance(node, ast.stmt):
        node = parents.get(node)
    if isinstance(node, ast.Assign):
        return {t.id for t in node.targets if isinstance(t, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()


def _handed_on(chain: ast.expr, parents: dict[ast.AST, ast.AST], roots: frozenset[str]) -> bool:
    """Return whether a query goes through a helper that is called after the tenant, or into a query that names it."""
    here: ast.AST | None = chain
    for _ in range(6):
        here = parents.get(here) if here is not None else None
        if here is None or isinstance(here, ast.stmt):
            return False
        if isinstance(here, ast.Call):
            called = here.func.attr if isinstance(here.func, ast.Attribute) else getattr(here.func, "id", "")
            if _SCOPED.search(called) or any(r in called.lower() for r in roots):
                return True
    return False
