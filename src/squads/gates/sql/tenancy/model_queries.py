"""Queries over models, and of clients that build them from names, that leave out the tenant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.tenancy.at_hand import Hand
from squads.gates.sql.tenancy.bounds import REPEATS
from squads.gates.sql.tenancy.builders import built
from squads.gates.sql.tenancy.chains import MANAGERS, chains_of, holders_of
from squads.gates.sql.tenancy.chosen import (
    client_chooses,
    compared_in_chain,
    left_open,
    own_rows,
    persons_in_chain,
)
from squads.gates.sql.tenancy.functions import Function, arguments_of
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.orm import Access, accesses, of_classes
from squads.gates.sql.tenancy.shared import Crossing
from squads.gates.sql.tenancy.telling import is_certain, stands_above_all, told_at
from squads.gates.sql.tenancy.text_keys import Every, with_every
from squads.gates.sql.tenancy.words import root_of, sweeps


def in_models(
    file: PythonFile, keyed: dict[str, frozenset[str]], *, siblings: bool, modules: Modules, every: Every
) -> Iterator[Crossing]:
    """Yield queries over models that leave out the tenant where it is at hand."""
    if keyed and every[0] and isinstance(file.tree, ast.Module):
        asked = (c for c in chains_of(file.tree) if any(_by_given_id(c[2], a) for a in ast.walk(c[2])))
        keyed = with_every(keyed, {m for _, m, _ in asked if m[:1].isupper()}, every)
    if not isinstance(file.tree, ast.Module) or not keyed:
        return
    roots = frozenset(root_of(k) for keys in keyed.values() for k in keys)
    hand = Hand(file.tree, roots, modules)
    found = list(accesses(file.tree, keyed, hand))
    some_bound = siblings or any(a.bound for a in found)
    kept = {a.model for a in found if a.bound and a.function is not None}
    for access in found:
        if access.function is None:
            continue
        if access.bound:
            yield from _own_model(file, hand, access, keyed)
        else:
            yield from _reached(file, hand, access, keyed, some_bound=some_bound, kept=bool(kept))
    judged = {a.node for a in found}
    holders = holders_of(file.tree)
    for start, model, chain in chains_of(file.tree):
        function, _ = holders.get(start, (None, None)) if start not in judged else (None, None)
        if function is None or not model[:1].isupper() or root_of(model) in roots or sweeps(function.name):
            continue
        names = [a.arg for a in arguments_of(function) if root_of(a.arg) in roots]
        asks = any(_by_given_id(chain, n) for n in ast.walk(chain))
        if asks and names and all(hand.unused_tenant(function, n) for n in names):
            yield from told_at(
                file, start, model, min(k for keys in keyed.values() for k in keys), "missing", names[0], True
            )
    for node, model in of_classes(file.tree, keyed, hand):
        certain = bool(kept) or siblings or hand.knows_caller
        yield from told_at(file, node, model, sorted(keyed[model])[0], "missing", "", certain)


def _by_given_id(chain: ast.expr, node: ast.AST) -> bool:
    """Return whether a part of a chain asks for an id that it is given: `Lesson.course_id == course_id`."""
    if isinstance(node, ast.keyword):
        return (node.arg or "").split("__")[0].endswith("id") and isinstance(node.value, ast.Name)
    return (
        isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Attribute)
        and node.left.attr.endswith("id")
        and isinstance(node.ops[0], ast.Eq)
        and isinstance(node.comparators[0], ast.Name)
    )


def _own_model(file: PythonFile, hand: Hand, access: Access, keyed: dict[str, frozenset[str]]) -> Iterator[Crossing]:
    """Yield a query over a model that asks for a tenant, and not for the caller's own."""
    key = sorted(keyed[access.model])[0]
    function = access.function
    if function is None:
        return
    under = left_open(hand, function)
    if under is not None and not sweeps(function.name):
        for place in (access.node, under.test):
            yield from told_at(file, place, access.model, key, "open", "", True)
    values = compared_in_chain(access.chain or access.node, hand.roots)
    if client_chooses(hand, function, values, access.chain or access.node):
        yield from told_at(file, access.node, access.model, key, "chosen", hand.identity(function), True)


def _reached(
    file: PythonFile, hand: Hand, access: Access, keyed: dict[str, frozenset[str]], *, some_bound: bool, kept: bool
) -> Iterator[Crossing]:
    function: Function | None = access.function
    if function is None:
        return
    holder = hand.has(function, access.owner) or hand.unused(function)
    found = access.why == "missing" and not _repeats(hand, access)
    if access.why == "missing" and hand.looks_after(function, rows=True):
        return
    if found and (hand.derived(function, access.node) or _values_derived(hand, access)):
        return
    if access.why == "missing" and hand.checked_after(function, access.node):
        return
    asked = access.chain if isinstance(access.chain, ast.Call) else access.node
    if access.why == "missing" and isinstance(asked, ast.Call) and hand.guards(function, asked, chain=True):
        return
    if own_rows(persons_in_chain(access.chain or access.node)):
        return
    holds = is_certain(hand, function, holder, asks=True, siblings=kept)
    holds = holds or (access.why in ("itself", "or") and kept and (hand.answers(function) or not sweeps(function.name)))
    holds = holds and not (stands_above_all(file) and not holder)
    key = sorted(keyed[access.model])[0]
    yield from told_at(file, access.node, access.model, key, access.why, holder, holds)


def _repeats(hand: Hand, access: Access) -> bool:
    """Return whether a chain asks by nothing but numbers, codes or names that its model does not keep unique."""
    columns: set[str] = set()
    for node in ast.walk(access.chain or access.node):
        if isinstance(node, ast.keyword) and node.arg and not isinstance(node.value, ast.Constant):
            columns.add(node.arg.split("__")[0])
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == access.model:
            columns.add(node.attr)
    columns -= MANAGERS
    classes = (c for p in hand.modules.mentioning(access.model) for c in hand.modules.classes(p))
    own = [s for c in classes if c.name == access.model for s in c.body if isinstance(s, (ast.Assign, ast.AnnAssign))]
    said = [ast.unparse(s) for s in own]
    repeating = {
        c
        for c in columns
        if REPEATS.fullmatch(c)
        and any(re.match(rf"{c}\b(?!.*(?:unique=True|primary_key|ForeignKey))", t, re.DOTALL) for t in said)
    }
    return bool(repeating) and all(
        c in repeating or any(re.match(rf"{c}\b.*(?:Date|Bool|Decimal|bool\b)", t) for t in said) for c in columns
    )


def _values_derived(hand: Hand, access: Access) -> bool:
    """Return whether the values that a chain compares with were found by the function before."""
    node: ast.AST = access.node
    line: int = getattr(node, "end_lineno", None) or getattr(node, "lineno", None) or 1
    for statement in ast.walk(access.function) if access.function is not None else ():
        if (
            isinstance(statement, ast.stmt)
            and not isinstance(
                statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.If, ast.For, ast.With, ast.Try, ast.AsyncWith)
            )
            and statement.lineno <= line <= (statement.end_lineno or statement.lineno)
        ):
            return hand.derived(access.function, statement)
    return False


def in_builders(
    file: PythonFile,
    roots: frozenset[str],
    keyed: Mapping[str, frozenset[str]],
    brief: str,
    modules: Modules,
) -> Iterator[Crossing]:
    """Yield queries that a client builds from names, where they leave out the tenant that is at hand."""
    if not isinstance(file.tree, ast.Module) or not roots:
        return
    found = list(built(file.tree, roots, keyed, brief))
    hand = Hand(file.tree, roots, modules)
    kept = any(b.bound for b in found)
    for query in found:
        if query.bound or hand.looks_after(query.function) or hand.derived(query.function, query.node):
            continue
        holder = hand.has(query.function, query.owner)
        certain = is_certain(hand, query.function, holder, asks=True, siblings=kept)
        yield from told_at(file, query.node, query.table, query.key, query.why, holder, certain)
