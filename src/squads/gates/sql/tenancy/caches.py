"""Answers for one tenant that are kept where every tenant finds them: a cache whose key leaves the tenant out.

What a query answered for one tenant is put under a key that says nothing of the tenant: in a mapping of the module, a
client of Redis or Memcached, or by a decorator that keeps what a function answered by its arguments alone, though the
function takes the tenant from its surroundings. The next tenant that asks by the same key is given the answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from squads.gates.sql.tenancy.assembled import functions_of
from squads.gates.sql.tenancy.at_hand import QUERIES, Hand
from squads.gates.sql.tenancy.functions import Function, arguments_of, assigned_in
from squads.gates.sql.tenancy.learning import gives, is_caller
from squads.gates.sql.tenancy.words import root_of

MAY_KEEP = re.compile(r"cache|memo|redis|=\s*\{\}|dict\(|Dict\(", re.IGNORECASE)
"""What a file holds that may keep answers."""
_KEEPER = re.compile(r"cache|memo|redis|memcached", re.IGNORECASE)
_DECORATOR = re.compile(
    r"(^|\.|_)(lru_cache|cache|cached|memoize|ttl_cache|cache_page|alru_cache)(\(|$)", re.IGNORECASE
)
_KEYED = re.compile(r"key|vary|make_name|unless", re.IGNORECASE)
_STORES = frozenset(("set", "setex", "put", "add", "setdefault", "get_or_set", "psetex", "aset"))
_DEPTH_MAX = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer for a tenant that is kept for all."""

    places: tuple[ast.AST, ...]
    function: Function


def kept_for_all(tree: ast.Module, hand: Hand) -> Iterator[Kept]:
    """Yield what a module keeps of one tenant under a key that every tenant asks by."""
    module = {
        t.id
        for s in tree.body
        if isinstance(s, (ast.Assign, ast.AnnAssign))
        for t in (s.targets if isinstance(s, ast.Assign) else [s.target])
        if isinstance(t, ast.Name)
    }
    for function, owner in functions_of(tree):
        asked = _Asked(hand, function)
        for decorator in function.decorator_list:
            told = ast.unparse(decorator)
            keeps = _DECORATOR.search(told) is not None and _KEYED.search(told) is None
            varies = any("vary" in ast.unparse(d) for d in function.decorator_list)
            if keeps and not varies and asked.by_surroundings():
                yield Kept((decorator, function), function)
        if hand.looks_after(function):
            continue
        for node in ast.walk(function):
            for keeper, key, value in _stores(node):
                if not _lasts(keeper, module, owner, hand) or asked.names(keeper) or asked.names(key):
                    continue
                if asked.names(value) and asked.queries(value):
                    yield Kept((*asked.origins(key), node), function)


def _stores(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Yield (what keeps it, the key, the value) of a statement that keeps something."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                yield target.value, target.slice, node.value
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and len(node.args) > 1
        and node.func.attr in _STORES
        and _KEEPER.search(ast.unparse(node.func.value))
    ):
        for value in node.args[1:]:
            yield node.func.value, node.args[0], value


def _lasts(keeper: ast.expr, module: set[str], owner: ast.ClassDef | None, hand: Hand) -> bool:
    """Return whether what keeps an answer is there for every tenant: it is no variable, and no object of one tenant."""
    if isinstance(keeper, ast.Name):
        return keeper.id in module or _KEEPER.search(keeper.id) is not None
    first = ast.unparse(keeper).split(".")[0]
    if not isinstance(keeper, ast.Attribute) or _KEEPER.search(keeper.attr) is None:
        return False
    return not (first == "self" and owner is not None and hand.holds_tenant(owner))


class _Asked:
    """What the values of one function are made from."""

    def __init__(self, hand: Hand, function: Function) -> None:
        self.hand, self.function = hand, function
        self.arguments = {a.arg for a in arguments_of(function)}

    @cached_property
    def given(self) -> dict[str, list[ast.expr]]:
        """What each variable is given; what is put into a place of a mapping is none."""
        found: dict[str, list[ast.expr]] = {}
        nodes = list(ast.walk(self.function))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        values = {id(s.value) for s in nodes if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Subscript)}
        for name, value in assigned_in(self.function):
            if name in stored and id(value) not in values:
                found.setdefault(name, []).append(value)
        return found

    def origins(self, node: ast.expr) -> tuple[ast.AST, ...]:
        """Return what a variable is given, or the node itself."""
        return tuple(self.given.get(node.id, [node])) if isinstance(node, ast.Name) else (node,)

    def _inside(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the parts of a value, and of what its variables are given; each variable is followed once."""
        level: list[ast.AST] = [node]
        followed: set[str] = set(self.arguments)
        for _ in range(_DEPTH_MAX + 1):
            after: list[ast.AST] = []
            for inner in (n for value in level for n in ast.walk(value)):
                yield inner
                if isinstance(inner, ast.Name) and inner.id not in followed:
                    followed.add(inner.id)
                    after += self.given.get(inner.id, [])
            level = after

    def names(self, node: ast.AST) -> bool:
        """Return whether a value is made with the tenant that the function is given, or that it asks for."""
        return any(self._is_tenant(n) for n in self._inside(node))

    def _is_tenant(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            given = node.id in self.arguments and root_of(node.id) in self.hand.roots
            return (given or gives(node.id, self.hand.roots)) and node.id not in self.given
        if isinstance(node, ast.Attribute):
            return root_of(node.attr) in self.hand.roots and (is_caller(node.value) or self._is_given(node.value))
        said = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and is_caller(node.value)
        return said and root_of(str(node.slice.value)) in self.hand.roots  # type: ignore[attr-defined]

    def _is_given(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.arguments

    def queries(self, node: ast.AST) -> bool:
        """Return whether a value comes from a query."""
        return any(isinstance(n, ast.Call) and QUERIES.search(ast.unparse(n)) for n in self._inside(node))

    def by_surroundings(self) -> bool:
        """Return whether a function asks by a tenant that none of its arguments brings."""
        held = {n for n in self.arguments if root_of(n) in self.hand.roots or n in ("self", "cls")}
        found = False
        for node in (n for s in self.function.body for n in ast.walk(s)):
            if self._is_tenant(node) and not (isinstance(node, ast.Name) and node.id in self.arguments):
                root = node
                while isinstance(root, (ast.Attribute, ast.Subscript)):
                    root = root.value
                found |= not (isinstance(root, ast.Name) and root.id in self.arguments and root.id != "request")
        return found and not held
