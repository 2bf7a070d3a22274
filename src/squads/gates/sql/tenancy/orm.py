"""SQLAlchemy and Django: which queries over models that tenants share name the tenant, and which do not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from squads.gates.sql.tenancy.at_hand import Hand
from squads.gates.sql.tenancy.chains import chains_of, handed_on, held_in, holders_of
from squads.gates.sql.tenancy.functions import Function
from squads.gates.sql.tenancy.keeping import SCOPED, inlined, is_bound, is_column, narrowing
from squads.gates.sql.tenancy.learning import own_keys
from squads.gates.sql.tenancy.words import AMBIGUOUS, may_be_key, root_of

_SHOWS = re.compile(r"(?:Detail|List|Update|Delete|Archive|Year|Month|Day|Date)\w*View$")
"""Views of Django that answer from every row of their model, unless they are told which."""


@dataclass(frozen=True, slots=True)
class Access:
    """One query over a model."""

    model: str
    node: ast.expr
    function: Function | None
    owner: ast.ClassDef | None
    bound: bool
    why: str = "missing"
    chain: ast.expr | None = None
    """The whole chain of calls."""


def models(trees: list[ast.Module], roots: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the keys of every model class: its own columns, and those of its bases."""
    own: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    open_ones: set[str] = set()
    defined = {n.name: n for t in trees for n in ast.walk(t) if isinstance(n, ast.ClassDef)}
    for tree in trees:
        for name, keys in own_keys(tree, roots).items():
            own[name] = own.get(name, set()) | keys
            bases.setdefault(name, [])
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [
                    b.attr if isinstance(b, ast.Attribute) else getattr(b, "id", "") for b in node.bases
                ]
                if any(_is_scoped_manager(s, defined, roots) for s in node.body):
                    open_ones.add(node.name)
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


def _is_scoped_manager(statement: ast.stmt, defined: Mapping[str, ast.ClassDef], roots: frozenset[str]) -> bool:
    """Return whether `objects` keeps to a tenant by itself: by the queryset that it begins with, or by its name."""
    if not isinstance(statement, ast.Assign) or getattr(statement.targets[0], "id", "") != "objects":
        return False
    known = [defined[n.id] for n in ast.walk(statement.value) if isinstance(n, ast.Name) and n.id in defined]
    if not known:
        return re.search(r"tenant|scope|org|workspace", ast.unparse(statement), re.IGNORECASE) is not None
    begins = [
        s
        for c in known
        for s in c.body
        if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef)) and s.name in ("get_queryset", "get_query_set")
    ]
    words = {w for s in begins for w in re.findall(r"\w+", ast.unparse(s))}
    bases = any(re.search(r"tenant|scope|org", ast.unparse(b), re.IGNORECASE) for c in known for b in c.bases)
    return bases or any(root_of(w) in roots or SCOPED.search(w) for w in words)


def learned(tree: ast.Module, roots: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the keys by which a module itself filters models that it imports."""
    found: dict[str, dict[str, int]] = {}
    for node, model, chain in chains_of(tree):
        del node
        for key in _keys_in(chain, model, roots):
            counts = found.setdefault(model, {})
            counts[key] = counts.get(key, 0) + 1
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Attribute) and is_column(inner) and root_of(inner.attr) in roots:
            model = ast.unparse(inner.value)
            if root_of(inner.attr) != root_of(model):
                found.setdefault(model, {})[inner.attr] = 1
        if isinstance(inner, ast.ClassDef):
            for model, key in (*_by_class(inner, tree, roots), *_saved_by(inner, roots)):
                found.setdefault(model, {})[key] = 1
    unheeded = set(_unheeded(tree))
    return {
        m: frozenset(
            k
            for k, n in c.items()
            if root_of(k) in roots or (n > 1 and (root_of(k) not in AMBIGUOUS or root_of(k) in unheeded))
        )
        for m, c in found.items()
    }


def _unheeded(tree: ast.Module) -> Iterator[str]:
    """Yield the roots of what functions are given and never look at: whoever hands an account over meant it."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
            given = function.args
            for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs):
                if argument.arg not in read and may_be_key(argument.arg):
                    yield root_of(argument.arg)


def django_tables(keyed: Mapping[str, frozenset[str]], words: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the tables that Django makes of models, as a program's SQL names them: `shop_order` of `Order`."""
    models = {m.lower(): frozenset(k if k.endswith("_id") else f"{k}_id" for k in keys) for m, keys in keyed.items()}
    return {w: models[w.rsplit("_", 1)[-1]] for w in words if "_" in w and w.rsplit("_", 1)[-1] in models}


def _by_class(node: ast.ClassDef, tree: ast.Module, roots: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (model, key) of a class that serves one model, where it or its base asks `self.model.key`."""
    served = {
        t.id: s.value.id
        for s in node.body
        if isinstance(s, ast.Assign) and isinstance(s.value, ast.Name)
        for t in s.targets
        if isinstance(t, ast.Name)
    }
    if not served:
        return
    classes = {c.name: c for c in ast.walk(tree) if isinstance(c, ast.ClassDef)}
    family = [node, *(classes[b.id] for b in node.bases if isinstance(b, ast.Name) and b.id in classes)]
    for inner in (n for c in family for n in ast.walk(c)):
        if not isinstance(inner, ast.Attribute) or not isinstance(inner.value, ast.Attribute):
            continue
        if root_of(inner.attr) not in roots or inner.value.attr not in served:
            continue
        if getattr(inner.value.value, "id", "") in ("self", "cls"):
            yield served[inner.value.attr], inner.attr


def _saved_by(node: ast.ClassDef, roots: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (model, key) of a class over one model that saves its rows with the tenant: `save(club=request.club)`."""
    keys: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") == "save":
            keys |= {k.arg for k in inner.keywords if k.arg and root_of(k.arg) in roots}
        elif isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Attribute):
            target = inner.targets[0]
            set_ = root_of(target.attr) in roots and getattr(target.value, "attr", "") == "instance"
            keys |= {target.attr} if set_ else set()
    served = {m for _, m, _ in chains_of(node)} if keys else set()
    served |= {
        s.value.id
        for s in (node.body if keys else ())
        if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == "model" and isinstance(s.value, ast.Name)
    }
    if len(served) == 1:
        yield from ((m, k) for m in served for k in keys)


def _keys_in(chain: ast.expr, model: str, roots: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(chain):
        if isinstance(node, ast.keyword) and node.arg and _is_key(node.arg.split("__")[0], roots):
            yield node.arg.split("__")[0]
        elif isinstance(node, ast.keyword) and node.arg:
            yield from (p for p in node.arg.split("__")[1:] if root_of(p) in roots)
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and _is_key(node.left.attr, roots):
            owner = node.left.value
            yield from [node.left.attr] if isinstance(owner, ast.Name) and owner.id == model else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and root_of(node.value) in roots:
            yield from [node.value] if node.value.isidentifier() else []  # select_related("club")


def _is_key(name: str, roots: frozenset[str]) -> bool:
    return may_be_key(name) or root_of(name) in roots


def accesses(tree: ast.Module, keyed: dict[str, frozenset[str]], hand: Hand) -> Iterator[Access]:
    """Yield every query over a model that has a key."""
    holders = holders_of(tree)
    parents = {c: p for p in ast.walk(tree) for c in ast.iter_child_nodes(p)}
    for start, model, chain in chains_of(tree, frozenset(keyed)):
        if not keyed.get(model):
            continue
        function, owner = holders.get(start, (None, None))
        roots = frozenset(root_of(k) for k in keyed[model])
        bound, why = is_bound(inlined(chain, function), roots, hand, model)
        if not bound and why == "missing":
            names = held_in(chain, parents)
            inside = {
                a.id for n in ast.walk(chain) if isinstance(n, ast.Call) for a in n.args if isinstance(a, ast.Name)
            }
            inside -= {model, "self", "cls"}
            grows = [narrowing(p) for p in hand.growth(function, names | inside, chain)]
            told = [is_bound(inlined(p, function), roots, hand) for p in grows if hand.names_tenant(p)]
            grown = any(b or w == "missing" for b, w in told)
            why = told[0][1] if told and not grown else why
            bound = bool(
                grown
                or handed_on(chain, parents, roots)
                or any(
                    isinstance(n, ast.Starred) or (isinstance(n, ast.keyword) and n.arg is None)
                    for n in ast.walk(chain)
                )
            )
        yield Access(model, start, function, owner, bound, why, chain)


def of_classes(tree: ast.Module, keyed: dict[str, frozenset[str]], hand: Hand) -> Iterator[tuple[ast.expr, str]]:
    """Yield (query, model) of views that answer from every row of a model: `queryset = Lease.objects.all()`."""
    classes = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    for node in classes.values():
        names = [ast.unparse(b) for b in node.bases]
        if not any(re.search(r"View|Resource|Endpoint", n) for n in names):
            continue
        family = [node, *(classes[n] for n in names if n in classes)]
        if any(_narrows(c, hand) for c in family) or any(SCOPED.search(n) or _of_roots(n, hand) for n in names):
            continue
        shows = any(_SHOWS.search(n) for n in names)
        asks = {t.id for s in node.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)}
        asks |= {s.name for s in node.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))}
        for statement in node.body:
            if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "model":
                value = statement.value
                whole = not asks & {"queryset", "get_queryset", "get_object"}
                if shows and whole and isinstance(value, ast.Name) and value.id in keyed:
                    yield value, value.id
            if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") in ("queryset", "query"):
                for start, model, chain in chains_of(statement, frozenset(keyed)):
                    if model in keyed and not is_bound(chain, hand.roots, hand)[0]:
                        yield start, model


def _narrows(node: ast.ClassDef, hand: Hand) -> bool:
    """Return whether a class itself keeps its queries to a tenant, or hands that to a filter that it names."""
    for statement in node.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            narrows = re.search(r"queryset|get_object|dispatch|initial|query", statement.name) is not None
            if narrows and hand.names_tenant(statement):
                return True
            calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
            asking = [c for c in calls if getattr(c.func, "attr", "") not in ("save", "create", "bulk_create")]
            keys = {k.arg.split("__")[0] for c in asking for k in c.keywords if k.arg}
            if any(root_of(k) in hand.roots for k in keys):
                return True
        elif isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "filter_backends":
            named = [n.id for n in ast.walk(statement.value) if isinstance(n, ast.Name)]
            if any(_of_roots(n, hand) for n in named):
                return True
    return False


def _of_roots(name: str, hand: Hand) -> bool:
    return any(r in name.lower() for r in hand.roots)
