"""What gives the tenant to a function: an argument, its object, what it knows of its caller."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from squads.gates.sql.tenancy.functions import Function, arguments_of
from squads.gates.sql.tenancy.learning import gives, is_caller
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.words import root_of
from squads.gates.words import word_set

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ROUTE = re.compile(r"\.(get|post|put|patch|delete|route|websocket|api_route)\(|^login_required|api_view")
_REQUESTED = re.compile(r"\.(args|headers|json|form|GET|POST|query_params|cookies|values|match_info|path_params)\b")
_NOBODY = word_set("self cls request session context ctx state info")
_INJECTED = re.compile(
    r"\b(current|get|require)_\w*(user|member|me|account|principal|identity|caller|login)|Current\w+"
)
_ABOVE = re.compile(r"admin|staff|super|support|operator|system|internal", re.IGNORECASE)


def _carriers(tree: ast.Module, roots: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and root_of(node.attr) in roots:
            yield ast.unparse(node.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and is_caller(node.value):
            yield from [ast.unparse(node.value)] if root_of(str(node.slice.value)) in roots else []


class Holder:
    """What the functions of one module have at hand; `roots` are those of the keys that count there."""

    def __init__(self, tree: ast.Module, roots: frozenset[str], modules: Modules) -> None:
        self.tree = tree
        self.roots = roots
        self.evident = roots
        """The roots of keys that more tells of than how often a module asks by them."""
        self.modules = modules

    @cached_property
    def _carriers(self) -> list[str]:
        """What the tenant is read from somewhere in the module: `self`, `request.user`, `ctx`."""
        return sorted(set(_carriers(self.tree, self.roots)))

    @property
    def knows_caller(self) -> bool:
        """Return whether classes of the module read the tenant from the request that they answer."""
        return any(c.startswith("self.request.") and not _REQUESTED.search(c) for c in self._carriers)

    @cached_property
    def _given(self) -> str:
        """The first function or variable of the module that tells the tenant of the caller: `current_tenant`."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                found |= {name for a in node.names if gives(name := a.asname or a.name, self.roots)}
            elif isinstance(node, _FUNCTIONS) and gives(node.name, self.roots) and not arguments_of(node):
                found.add(node.name)
        for statement in self.tree.body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                found |= {t.id for t in targets if isinstance(t, ast.Name) and gives(t.id, self.roots)}
        return min(found, default="")

    def uses(self, *packages: str) -> bool:
        """Return whether the module imports one of some packages."""
        return not self._imported.isdisjoint(packages)

    @cached_property
    def _imported(self) -> frozenset[str]:
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
        return frozenset(found)

    def _carry(self, names: set[str]) -> bool:
        """Return whether one of `names` is a class that carries the tenant: `Caller`, `Till`."""
        return any(self.modules.carries(name, self.roots) for name in names)

    def has(self, function: Function | None, owner: ast.ClassDef | None) -> str:
        """Return what gives the tenant to a function, empty where nothing does."""
        if function is None:
            return ""
        names = [a.arg for a in arguments_of(function)]
        for name in names:
            if root_of(name) in self.roots:
                return name
        for argument in arguments_of(function):
            kind = argument.annotation
            named = {n.id for n in ast.walk(kind) if isinstance(n, ast.Name)} if kind is not None else set()
            named |= {n.attr for n in ast.walk(kind) if isinstance(n, ast.Attribute)} if kind is not None else set()
            if is_caller(ast.Name(argument.arg)) and self._carry(named):
                return argument.arg
        inside = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | set(names)
        for node in ast.walk(function):
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in (
                    n for t in targets for n in ([t] if isinstance(t, ast.Name) else getattr(t, "elts", []))
                ):
                    if isinstance(target, ast.Name) and root_of(target.id) in self.roots:
                        return target.id
        for carrier in self._carriers:
            first = re.split(r"[.(\[]", carrier)[0]
            if first in ("self", "cls"):
                if owner is not None and first in names and self._in_class(owner, carrier):
                    return carrier
            elif (
                first in names
                or (first in inside and first in ("g", "request", "current_user", "session", "ctx"))
                or (
                    first in ("g", "request", "current_user")
                    and function in ast.walk(self.tree)
                    and self._asks_web(function)
                )
            ):
                return carrier
        return self._given

    def unused(self, function: Function | None) -> str:
        """Return the argument that tells a route who asks, where the function never looks at it: `member`."""
        if function is None or not self._asks_web(function):
            return ""
        held = function.args
        every = [*held.posonlyargs, *held.args]
        defaults = dict(zip(reversed(every), reversed(held.defaults), strict=False))
        defaults |= {a: d for a, d in zip(held.kwonlyargs, held.kw_defaults, strict=True) if d is not None}
        used = {n.id for s in function.body for n in ast.walk(s) if isinstance(n, ast.Name)}
        for argument in (*every, *held.kwonlyargs):
            told = ast.unparse(defaults[argument]) if argument in defaults else ""
            told += ast.unparse(argument.annotation) if argument.annotation is not None else ""
            who = is_caller(ast.Name(argument.arg)) and argument.arg not in _NOBODY
            if who and argument.arg not in used and _INJECTED.search(told) and _ABOVE.search(told) is None:
                return argument.arg
        return ""

    def identity(self, function: Function) -> str:
        """Return what tells a function whose request it is: `me`, `g`, `request.user`; empty where nothing does."""
        names = {a.arg for a in arguments_of(function)}
        for argument in arguments_of(function):
            if argument.annotation is not None and argument.arg not in ("self", "cls"):
                words = set(re.findall(r"\w+", ast.unparse(argument.annotation)))
                if is_caller(ast.Name(argument.arg)) and self._carry(words):
                    return argument.arg
        for carrier in self._carriers:
            first = re.split(r"[.(\[]", carrier)[0]
            if _REQUESTED.search(carrier) or not is_caller(ast.parse(carrier, mode="eval").body):
                continue
            if first in names - {"self", "cls"} or first in ("g", "current_user"):
                return carrier
            if carrier.startswith("self.request") and "self" in names:
                return carrier
        return self._given

    def answers(self, function: Function) -> bool:
        """Return whether a function answers a request: it is no job, whatever it is called."""
        return self._asks_web(function) or "request" in {a.arg for a in arguments_of(function)}

    def _asks_web(self, function: Function) -> bool:
        """Return whether a function answers a request: a decorator that binds it to a path."""
        return any(_ROUTE.search(ast.unparse(d)) for d in function.decorator_list)

    def _in_class(self, owner: ast.ClassDef, carrier: str) -> bool:
        known = {n.name: n for n in ast.walk(self.tree) if isinstance(n, ast.ClassDef)}
        family = [owner, *(known[b.id] for b in owner.bases if isinstance(b, ast.Name) and b.id in known)]
        return any(
            isinstance(n, ast.Attribute) and root_of(n.attr) in self.roots and ast.unparse(n.value) == carrier
            for c in family
            for n in ast.walk(c)
        )

    def holds_tenant(self, owner: ast.ClassDef) -> bool:
        """Return whether an object of a class stands for one tenant: `self.tenant_id`, `self._caller.club_id`."""
        return any(re.match(r"self\b", c) and self._in_class(owner, c) for c in self._carriers)

    def names_tenant(self, node: ast.AST) -> bool:
        """Return whether an expression names the tenant, or a key."""
        for inner in ast.walk(node):
            word = inner.id if isinstance(inner, ast.Name) else inner.attr if isinstance(inner, ast.Attribute) else ""
            if not word and isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                word = inner.value if inner.value.isidentifier() else ""
            if word and root_of(word) in self.roots:
                return True
        return False

    def unused_tenant(self, function: Function | None, holder: str) -> bool:
        """Return whether a function is given the tenant and never looks at it."""
        if function is None or holder not in {a.arg for a in arguments_of(function)}:
            return False
        return not any(isinstance(n, ast.Name) and n.id == holder for s in function.body for n in ast.walk(s))
