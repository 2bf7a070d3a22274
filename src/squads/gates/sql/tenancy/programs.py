"""Where a program reaches shared rows past the tenant that it has at hand: SQL in strings, SQLAlchemy, Django."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.place import Place
from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.python.queries import Query, queries
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.tenancy.assembled import assembled
from squads.gates.sql.tenancy.at_hand import Function, Hand
from squads.gates.sql.tenancy.bounds import Use, answer
from squads.gates.sql.tenancy.orm import Access, accesses
from squads.gates.sql.tenancy.shared import Crossing
from squads.gates.sql.tenancy.words import is_strong_key, may_be_key, root_of, sweeps

_SET_ELSEWHERE = re.compile(
    r"set_config\s*\(\s*['\"]\w+\.|set\s+(local\s+|session\s+)?\w+\.\w*(tenant|org|workspace|account|company)\w*\s*(=|to)"
    r"|with_loader_criteria|django_scopes|django_tenants|schema_context|set_current_tenant|search_path"
    r"|schema_translate_map|do_orm_execute",
    re.IGNORECASE,
)
_EQUALS = re.compile(
    r"(?:\b\w+\.)?\"?\b(\w+)\"?\s*=\s*(?:%s|%\(\w+\)s|:\w+|\$\d+|\?|ʘ|any\b)|\b(\w+)\"?\s+in\s*\(", re.IGNORECASE
)
_OWN = re.compile(
    r"(?<![\w.])(\w+)\.(\w+)\s*(?:=\s*(?:%s|%\(\w+\)s|:\w+|\$\d+|\?|ʘ|any\b|\w+\.\2\b)|is\s+not\s+null)", re.IGNORECASE
)
_ALIASED = re.compile(
    r"\b(?:from|join|update|into|,)\s+(?:only\s+)?(?:\w+\.)?\"?([A-Za-z_]\w*)\"?\s+(?:as\s+)?\"?([A-Za-z_]\w*)",
    re.IGNORECASE,
)
_TABLES = re.compile(r"\b(?:from|join|update|into)\s+(?:only\s+)?(?:\w+\.)?\"?(\w+)\"?", re.IGNORECASE)
_INSERTED = re.compile(r"insert\s+into\s+(?:\w+\.)?\"?(\w+)\"?\s*\(([^)]*)\)", re.IGNORECASE)


def sets_tenant(text: str) -> bool:
    """Return whether a program gives the tenant to the database, or to its sessions, so that queries need not."""
    return _SET_ELSEWHERE.search(text) is not None


def in_strings(
    file: PythonFile,
    module: Scope,
    keyed: dict[str, frozenset[str]],
    composite: frozenset[str],
    alone: frozenset[tuple[str, str]] = frozenset(),
) -> Iterator[Crossing]:
    """Yield the SQL of a file that leaves out the tenant where it is at hand."""
    found = [q for q in queries(file, module) if q.function is not None]
    grown = list(assembled(file, module, {id(q.call) for q in found}))
    told = _learned([*found, *(q for q, _, _ in grown)], keyed)
    if not told or not isinstance(file.tree, ast.Module):
        return
    roots = frozenset(root_of(k) for keys in told.values() for k in keys)
    hand = Hand(file.tree, roots)
    for query in found:
        text = query.made.text
        if not any(re.search(rf"\b{re.escape(t)}\b", text, re.IGNORECASE) for t in told):
            continue
        judged = answer(text.replace("ʘ", "squads_hole"), told, composite, alone)
        for use in judged.unbound if judged else ():
            yield from _judged(file, hand, query, use)

    for query, tables, text in grown:
        words = {w.lower() for w in re.findall(r"\w+", text)}
        for table in sorted(tables & set(told)):
            if words.isdisjoint(told[table]):
                yield from _judged(file, hand, query, Use(table, told[table], "missing"))


def _learned(found: list[Query], keyed: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return the keys of tables: those of the schema, and those by which the queries of this file filter."""
    counts: dict[tuple[str, str], int] = {}
    for query in found:
        text = query.made.text
        tables = {t.lower() for t in _TABLES.findall(text)}
        keys = {k.lower() for pair in _EQUALS.findall(text) for k in pair if k and may_be_key(k)}
        for table, columns in _INSERTED.findall(text):
            for column in columns.split(","):
                name = column.strip(' "\n').lower()
                if is_strong_key(name):
                    counts[table.lower(), name] = counts.get((table.lower(), name), 0) + 1
        names = {t: t for t in tables} | {
            a.lower(): t.lower() for t, a in _ALIASED.findall(text) if t.lower() in tables
        }
        for alias, key in _OWN.findall(text) if len(tables) > 1 else ():
            if may_be_key(key) and alias.lower() in names:
                pair = (names[alias.lower()], key.lower())
                counts[pair] = counts.get(pair, 0) + 1
        for table in tables if len(tables) == 1 else ():
            for key in keys:
                counts[table, key] = counts.get((table, key), 0) + 1
    told = {t: set(k) for t, k in keyed.items()}
    for (table, key), number in counts.items():
        if table in keyed or root_of(key) == root_of(table.rstrip("s")):
            continue
        if is_strong_key(key) or number > 1:
            told.setdefault(table, set()).add(key)
    return {t: frozenset(k) for t, k in told.items()}


def _judged(file: PythonFile, hand: Hand, query: Query, use: Use) -> Iterator[Crossing]:
    function = query.function
    holder = hand.has(function, query.owner)
    certain = bool(holder) and not use.grouped and not sweeps(function.name if function else "")
    if use.why == "missing" and (hand.looks_after(function) or (use.by_id and _found_before(hand, query))):
        return
    if use.why == "missing" and hand.guards(function, query.call):
        return
    if use.why == "joined" and not certain:
        return
    key = sorted(use.keys)[0]
    reason = {
        "itself": f"compares {key} with nothing of the caller's",
        "or": f"asks for {key} in one branch of an OR only",
        "joined": f"does not tie {use.table} to {key}",
    }.get(use.why, f"leaves out {key}")
    message = f"This query over {use.table} {reason}" + (
        f", though {holder} is at hand: it reaches every tenant." if holder else ", so it reaches every tenant."
    )
    first = query.made.spans[-1] if query.made.spans else None
    places = [file.source.place(*file.offsets(query.call))]
    if first is not None:
        text = file.source.place(first.python_start, first.python_end)
        if not places[0].line <= text.line <= places[0].end_line:
            places.append(text)
    for place in places:
        yield Crossing(place, message, f"AND {key} = ...", certain=certain)


def _found_before(hand: Hand, query: Query) -> bool:
    """Return whether what the query asks for comes from rows that the function found before."""
    rest = [*query.call.args[1:], *(k.value for k in query.call.keywords)]
    return any(hand.derived(query.function, ast.copy_location(ast.Expr(value=a), query.call)) for a in rest)


def in_models(file: PythonFile, keyed: dict[str, frozenset[str]], *, siblings: bool) -> Iterator[Crossing]:
    """Yield queries over models that leave out the tenant where it is at hand."""
    if not isinstance(file.tree, ast.Module) or not keyed:
        return
    roots = frozenset(root_of(k) for keys in keyed.values() for k in keys)
    hand = Hand(file.tree, roots)
    found = list(accesses(file.tree, keyed, hand))
    some_bound = siblings or any(a.bound for a in found)
    for access in found:
        if access.bound or access.function is None:
            continue
        yield from _reached(file, hand, access, keyed, some_bound=some_bound)


def _reached(
    file: PythonFile, hand: Hand, access: Access, keyed: dict[str, frozenset[str]], *, some_bound: bool
) -> Iterator[Crossing]:
    function: Function | None = access.function
    if function is None:
        return
    holder = hand.has(function, access.owner)
    if access.why == "missing" and (hand.looks_after(function) or hand.derived(function, access.node)):
        return
    if access.why == "missing" and _values_derived(hand, access):
        return
    key = sorted(keyed[access.model])[0]
    certain = bool(holder) and not sweeps(function.name) and (some_bound or holder == key)
    reason = {
        "itself": f"compares {key} with nothing of the caller's",
        "or": f"asks for {key} in one branch of an OR only",
        "joined": f"compares {key} with another table's only",
    }.get(access.why, f"leaves out {key}")
    place: Place = file.source.place(*file.offsets(access.node))
    yield Crossing(
        place,
        f"This query over {access.model} {reason}"
        + (f", though {holder} is at hand: it reaches every tenant." if holder else ", so it reaches every tenant."),
        f"filter by {key} too",
        certain=certain,
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
