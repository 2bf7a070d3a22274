"""Where a program reaches shared rows past the tenant that it has at hand: SQL in strings, SQLAlchemy, Django."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.python.queries import Query, queries
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.tenancy.assembled import assembled, begun, grows, joined_by_or
from squads.gates.sql.tenancy.at_hand import Hand
from squads.gates.sql.tenancy.bounds import REPEATS, answer
from squads.gates.sql.tenancy.chosen import (
    client_chooses,
    compared_in_text,
    left_open,
    own_rows,
)
from squads.gates.sql.tenancy.functions import Function, arguments_of, assigned_in, stops_in
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.shared import Crossing, Shared
from squads.gates.sql.tenancy.telling import LOOKED_UP, is_certain, stands_above_all, told_at
from squads.gates.sql.tenancy.text_keys import TABLES, Every, learned_keys, with_every
from squads.gates.sql.tenancy.uses import Answer, Use
from squads.gates.sql.tenancy.words import many_of, names_person, root_of, sweeps

_OPEN = re.compile(r"\b(?:where|and|or|on)\s+ʘ\s*(?:$|\)|and\b|order\b|limit\b|group\b)|ʘ\s*$", re.IGNORECASE)
_COMPARED = re.compile(r"\b(\w+)\"?\s*=\s*(?:%|:\w|\$\d|\?)")
_COMPUTED = re.compile(r"(?:\{\w*\}|ʘ)\"?\s*=")
_READS = re.compile(r"\s*(?:select\b|update\b|delete\b|with\b)", re.IGNORECASE)
_WRAPS = frozenset(("SQL", "text", "Composed"))
_ASKS_FOR = re.compile(r"\b\w*id\"?\s*=\s*(?:%|:\w|\$\d|\?)", re.IGNORECASE)


def in_strings(
    file: PythonFile,
    module: Scope,
    keyed: dict[str, frozenset[str]],
    shared: Shared,
    roots: frozenset[str],
    modules: Modules,
    every: Every,
) -> Iterator[Crossing]:
    """Yield the SQL of a file that leaves out the tenant where it is at hand."""
    inside = [q for q in queries(file, module) if q.function is not None]
    found = [q for q in inside if not grows(q)]
    grown = list(assembled(file, module, {id(q.call) for q in found if not _OPEN.search(q.made.text)}))
    grown += list(begun(file, module))
    told = learned_keys([q.made.text for q in (*found, *(q for q, _, _ in grown))], keyed, roots)
    asked = {t.lower() for q in found if _ASKS_FOR.search(q.made.text) for t in TABLES.findall(q.made.text)}
    asked |= {t.lower() for q in found if _never_used(q.function, every) for t in TABLES.findall(q.made.text)}
    told = with_every(told, asked, every)
    if not told or not isinstance(file.tree, ast.Module):
        return
    hand = Hand(file.tree, frozenset(root_of(k) for keys in told.values() for k in keys), modules)
    hand.evident = roots
    found = [q for q in found if (text := q.made.text.lower()) and any(t.lower() in text for t in told)]
    schema = shared.composite, shared.alone, shared.repeating
    answers = {id(q.call): answer(q.made.text.replace("ʘ", "squads_hole"), told, *schema) for q in found}
    kept = frozenset(t for a in answers.values() if a is not None for t in a.bound)
    others = [(q, a) for q in found if (a := answers[id(q.call)]) is not None]
    for query in found:
        text = query.made.text
        if not any(re.search(rf"\b{re.escape(t)}\b", text, re.IGNORECASE) for t in told):
            continue
        judged = answers[id(query.call)]
        for use in judged.unbound if judged else ():
            if not (use.why == "missing" and judged and judged.unknown):
                yield from _judged(file, hand, query, use, kept, others)
        for table in sorted(judged.bound & set(told)) if judged and not judged.unbound else ():
            yield from _own(file, hand, query, table, told[table])

    yield from _never_looked_at(file, hand, inside if kept else [], told, every)
    for query, tables, text in grown:
        for table in sorted(tables & set(told)):
            compared = re.search(rf"\b(?:{'|'.join(told[table])})\"?\s*(?:=|in\b)\s*[(%:$?]", text, re.IGNORECASE)
            named = not {w.lower() for w in re.findall(r"\w+", text)}.isdisjoint(told[table])
            if compared is not None and joined_by_or(query, told[table]):
                yield from _judged(file, hand, query, Use(table, told[table], "or", by_id=True), kept)
            elif compared is None:
                why = "itself" if named else "missing"
                yield from _judged(file, hand, query, Use(table, told[table], why, by_id=True), kept)
            else:
                yield from _own(file, hand, query, table, told[table])


def _never_used(function: Function | None, every: Every) -> bool:
    """Return whether a function is given a key that every table has, and never looks at it."""
    roots = {root_of(k) for k in every[0]}
    if function is None or not roots:
        return False
    given = {a.arg for a in arguments_of(function) if root_of(a.arg) in roots}
    return bool(given) and given.isdisjoint(n.id for n in ast.walk(function) if isinstance(n, ast.Name))


def _never_looked_at(
    file: PythonFile, hand: Hand, found: Iterable[Query], told: Mapping[str, frozenset[str]], every: Every
) -> Iterator[Crossing]:
    """Yield queries by id, over tables that nothing tells of, in functions that never look at the tenant they get."""
    for query in found:
        function, text = query.function, query.made.text
        names = [a.arg for a in arguments_of(function) if root_of(a.arg) in hand.roots] if function is not None else []
        if function is None or not names or not _READS.match(text) or not _ASKS_FOR.search(text):
            continue
        tables = {t.lower() for t in TABLES.findall(text)}
        known = {*told, *every[1], *(n for a in names for n in many_of(root_of(a)))}
        if not tables or not tables.isdisjoint(known) or sweeps(function.name):
            continue
        if all(hand.unused_tenant(function, n) for n in names):
            key = min(k for keys in told.values() for k in keys)
            yield from told_at(file, query.call, min(tables), key, "missing", names[0], True)


def _own(file: PythonFile, hand: Hand, query: Query, table: str, keys: frozenset[str]) -> Iterator[Crossing]:
    """Yield a query that asks for a tenant, and not for the caller's own."""
    if query.function is None:
        return
    key = sorted(keys)[0]
    under = left_open(hand, query.function)
    if under is not None and not sweeps(query.function.name):
        for place in (query.call, under.test):
            yield from told_at(file, place, table, key, "open", "", True)
    values = compared_in_text(query.made.text, query.call, keys, query.function)
    if client_chooses(hand, query.function, values, query.call):
        yield from told_at(file, query.call, table, key, "chosen", hand.identity(query.function), True, query)


def _judged(
    file: PythonFile,
    hand: Hand,
    query: Query,
    use: Use,
    kept: frozenset[str],
    others: Sequence[tuple[Query, Answer]] = (),
) -> Iterator[Crossing]:
    function = query.function
    holder = hand.has(function, query.owner) or (hand.unused(function) if use.by_id else "")
    if use.why == "missing" and (hand.looks_after(function, rows=True) or hand.checked_after(function, query.call)):
        return
    if use.why == "missing" and use.by_id and _found_before(hand, query):
        return
    said = any(re.search(rf"\b{re.escape(k)}\b", query.made.text, re.IGNORECASE) for k in use.keys)
    if use.why == "missing" and not said and _COMPUTED.search(query.made.text) and _given_tenant(hand, query):
        return  # which column is compared is only known when it runs, and the tenant is handed over
    persons = {c.lower() for c in _COMPARED.findall(query.made.text) if names_person(c)}
    if persons and own_rows(compared_in_text(query.made.text, query.call, persons, function)):
        return
    if use.why == "missing" and (
        hand.guards(function, query.call, query.made.text) or _asked_first(query, use, others)
    ):
        return
    looked_up = bool(LOOKED_UP.search(" ".join(_COMPARED.findall(query.made.text)))) and not holder
    certain = is_certain(
        hand,
        function,
        holder,
        asks=use.by_id and not looked_up,
        siblings=use.table in kept and any(root_of(k) in hand.evident for k in use.keys),
    )
    if use.why in ("itself", "or") and kept and function is not None:
        certain = certain or not sweeps(function.name)
    certain = certain and not (stands_above_all(file) and not holder)
    certain = certain and (not use.grouped or hand.unused_tenant(function, holder))
    mine = next((a for q, a in others if q is query), None)
    certain = certain or (use.why == "joined" and mine is not None and bool(mine.bound) and not use.grouped)
    if use.why == "joined" and not certain:
        return
    given = function is not None and holder in {a.arg for a in arguments_of(function)}
    certain = certain and (given or not _resolves(query.made.text, use))
    yield from told_at(file, query.call, use.table, sorted(use.keys)[0], use.why, holder, certain, query)


def _resolves(text: str, use: Use) -> bool:
    """Return whether a query asks for the tenant itself, by something that only its own people know."""
    shown = re.match(r"\s*select\s+(?:distinct\s+)?(.*?)\bfrom\b", text, re.IGNORECASE | re.DOTALL)
    names = {w.lower() for w in re.findall(r"\w+", shown[1])} if shown else set()
    return bool(names) and names <= {*use.keys, use.table, "t", "id"} and bool(names & use.keys)


def _given_tenant(hand: Hand, query: Query) -> bool:
    calls = [query.call]
    if query.function is not None and getattr(query.call.func, "attr", getattr(query.call.func, "id", "")) in _WRAPS:
        calls = [n for n in ast.walk(query.function) if isinstance(n, ast.Call) and len(n.args) > 1]
    rest = [v for c in calls for v in (*c.args[1:], *(k.value for k in c.keywords))]
    return any(hand.names_tenant(a) for a in rest)


def _asked_first(query: Query, use: Use, others: Sequence[tuple[Query, Answer]]) -> bool:
    """Return whether the function asked for the same row by tenant before, and stops where it is not there."""
    function = query.function
    if function is None or not use.by_id:
        return False
    wanted = _rows_asked(query, use.keys, own=True)
    for other, found in others:
        if other.function is not function or not found.bound or other.call.lineno >= query.call.lineno:
            continue
        many = re.search(r"\bin\s*\(|\bany\b", other.made.text, re.IGNORECASE)
        keys = use.keys | found.keys
        if wanted & _rows_asked(other, keys) and not many and _stops_after(function, other.call, query.call.lineno):
            return True
    return False


def _rows_asked(query: Query, keys: frozenset[str], *, own: bool = False) -> set[str]:
    """Return the names whose values tell which rows a query is about; `own`: by columns that name one row alone."""
    where = re.split(r"\bwhere\b", query.made.text, flags=re.IGNORECASE)[-1]
    columns = {c.lower() for c in _COMPARED.findall(where)} - keys
    columns = {c for c in columns if not own or not REPEATS.fullmatch(c)}
    values = compared_in_text(query.made.text, query.call, columns, query.function) if columns else []
    return {n.id for v in values for n in ast.walk(v) if isinstance(n, ast.Name)} - {"self", "cls"}


def _stops_after(function: Function, call: ast.Call, line: int) -> bool:
    """Return whether what a call found is tested, and the function ends where it found nothing."""
    held = {n for n, v in assigned_in(function) if any(c is call for c in ast.walk(v))}
    for node in ast.walk(function):
        if isinstance(node, ast.If) and node.lineno < line:
            inside = any(c is call for c in ast.walk(node.test))
            named = held & {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
            stops = any(isinstance(s, (ast.Raise, ast.Return, ast.Continue)) or stops_in(s) for s in node.body)
            around = node.lineno <= line <= (node.end_lineno or 0)
            if (inside or named) and (stops or around):
                return True
    return False


def _found_before(hand: Hand, query: Query) -> bool:
    """Return whether what the query asks for comes from rows that the function found before."""
    text, call = query.made.text, query.call
    columns = {c.lower() for c in _COMPARED.findall(text)}
    told = compared_in_text(text, call, columns, query.function) if columns else []
    if not told or re.search(r"\bin\s*\(|\bany\b", text, re.IGNORECASE):
        told = [*call.args[1:], *(k.value for k in call.keywords)]
    return any(hand.derived(query.function, ast.copy_location(ast.Expr(value=a), call)) for a in told)
