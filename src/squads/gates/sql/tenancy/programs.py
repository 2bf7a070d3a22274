"""Where a program reaches shared rows past the tenant that it has at hand: SQL in strings, SQLAlchemy, Django."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.python.queries import Query, queries
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.tenancy.assembled import assembled, grows
from squads.gates.sql.tenancy.at_hand import Function, Hand, arguments_of, assigned_in, stops_in
from squads.gates.sql.tenancy.bounds import Answer, Use, answer
from squads.gates.sql.tenancy.builders import built
from squads.gates.sql.tenancy.chosen import (
    client_chooses,
    compared_in_chain,
    compared_in_text,
    left_open,
    own_rows,
    persons_in_chain,
)
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.orm import Access, accesses, of_classes
from squads.gates.sql.tenancy.shared import Crossing
from squads.gates.sql.tenancy.words import AMBIGUOUS, is_strong_key, many_of, may_be_key, names_person, root_of, sweeps

_EQUALS = re.compile(
    r"(?:\b\w+\.)?\"?\b(\w+)\"?\s*=\s*(?:%s|%\(\w+\)s|:\w+|\$\d+|\?|ʘ|any\b)|\b(\w+)\"?\s+in\s*\(", re.IGNORECASE
)
_SETS = re.compile(r"\bset\b.*?\bwhere\b", re.IGNORECASE | re.DOTALL)
_OWN = re.compile(
    r"(?<![\w.])(\w+)\.(\w+)\s*(?:=\s*(?:%s|%\(\w+\)s|:\w+|\$\d+|\?|ʘ|any\b|\w+\.\2\b)|is\s+not\s+null)", re.IGNORECASE
)
_ALIASED = re.compile(
    r"\b(?:from|join|update|into|,)\s+(?:only\s+)?(?:\w+\.)?\"?([A-Za-z_]\w*)\"?\s+(?:as\s+)?\"?([A-Za-z_]\w*)",
    re.IGNORECASE,
)
_OPEN = re.compile(r"\b(?:where|and|or|on)\s+ʘ\s*(?:$|\)|and\b|order\b|limit\b|group\b)|ʘ\s*$", re.IGNORECASE)
_SWEEPING = re.compile(
    r"\b(all|every|across|each|any)\s+(of\s+)?(the\s+)?(\w+\s+)?(tenants?|organi[sz]ations?|accounts?|customers|companies|clubs"
    r"|schools|shops|workspaces)\b|\bnightly\b|\bcron\b|\bstaff only\b|\bback ?office\b",
    re.IGNORECASE,
)
_JOB = re.compile(r"\b(shared_task|task|job|cron|actor|periodic|scheduled|scheduler|on_event|dramatiq|background)\b")
_LOOKED_UP = re.compile(
    r"token|email|hash|api_key|secret|webhook|username|login|domain|host|slug|invite|signature|tenant|stripe|external",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"\b(\w+)\"?\s*=\s*(?:%|:\w|\$\d|\?)")
_TABLES = re.compile(r"\b(?:from|join|update|into)\s+(?:only\s+)?(?:\w+\.)?\"?(\w+)\"?", re.IGNORECASE)
_INSERTED = re.compile(r"insert\s+into\s+(?:\w+\.)?\"?(\w+)\"?\s*\(([^)]*)\)", re.IGNORECASE)


def in_strings(
    file: PythonFile,
    module: Scope,
    keyed: dict[str, frozenset[str]],
    composite: frozenset[str],
    alone: frozenset[tuple[str, str]],
    roots: frozenset[str],
    modules: Modules,
) -> Iterator[Crossing]:
    """Yield the SQL of a file that leaves out the tenant where it is at hand."""
    every = [q for q in queries(file, module) if q.function is not None]
    found = [q for q in every if not grows(q)]
    grown = list(assembled(file, module, {id(q.call) for q in found if not _OPEN.search(q.made.text)}))
    told = _learned([*found, *(q for q, _, _ in grown)], keyed, roots)
    if not told or not isinstance(file.tree, ast.Module):
        return
    hand = Hand(file.tree, frozenset(root_of(k) for keys in told.values() for k in keys), modules)
    found = [q for q in found if (text := q.made.text.lower()) and any(t.lower() in text for t in told)]
    answers = {id(q.call): answer(q.made.text.replace("ʘ", "squads_hole"), told, composite, alone) for q in found}
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

    for query, tables, text in grown:
        for table in sorted(tables & set(told)):
            asked = re.search(rf"\b(?:{'|'.join(told[table])})\"?\s*(?:=|in\b)\s*[(%:$?]", text, re.IGNORECASE)
            named = not {w.lower() for w in re.findall(r"\w+", text)}.isdisjoint(told[table])
            if asked is None:
                why = "itself" if named else "missing"
                yield from _judged(file, hand, query, Use(table, told[table], why, by_id=True), kept)
            else:
                yield from _own(file, hand, query, table, told[table])


def _own(file: PythonFile, hand: Hand, query: Query, table: str, keys: frozenset[str]) -> Iterator[Crossing]:
    """Yield a query that asks for a tenant, and not for the caller's own."""
    if query.function is None:
        return
    key = sorted(keys)[0]
    under = left_open(hand, query.function)
    if under is not None and not sweeps(query.function.name):
        for place in (query.call, under.test):
            yield from _told(file, place, table, key, "open", "", True)
    values = compared_in_text(query.made.text, query.call, keys, query.function)
    if client_chooses(hand, query.function, values, query.call):
        yield from _told(file, query.call, table, key, "chosen", hand.identity(query.function), True, query)


def _learned(found: list[Query], keyed: dict[str, frozenset[str]], roots: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the keys of tables: those of the schema, and those by which the queries of this file filter."""
    counts: dict[tuple[str, str], int] = {}
    for query in found:
        text = query.made.text
        tables = {t.lower() for t in _TABLES.findall(text)}
        keys = {
            k.lower() for pair in _EQUALS.findall(_SETS.sub(" where ", text)) for k in pair if k and _is_key(k, roots)
        }
        shown = {w.lower() for w in re.findall(r"\b[A-Za-z_]\w*", text) if root_of(w) in roots and _column(w)}
        for table, columns in _INSERTED.findall(text):
            for column in columns.split(","):
                name = column.strip(' "\n').lower()
                if _is_key(name, roots) and (is_strong_key(name) or root_of(name) in roots):
                    counts[table.lower(), name] = counts.get((table.lower(), name), 0) + 1
        names = {t: t for t in tables} | {
            a.lower(): t.lower() for t, a in _ALIASED.findall(text) if t.lower() in tables
        }
        for alias, key in _OWN.findall(text) if len(tables) > 1 else ():
            if _is_key(key, roots) and alias.lower() in names:
                pair = (names[alias.lower()], key.lower())
                counts[pair] = counts.get(pair, 0) + 1
        for alias, key in re.findall(r"\b(\w+)\.(\w+)\b", text) if len(tables) > 1 else ():
            if key.lower() in shown and alias.lower() in names:
                pair = (names[alias.lower()], key.lower())
                counts[pair] = counts.get(pair, 0) + 1
        for table in tables if len(tables) == 1 else ():
            for key in keys | shown:
                counts[table, key] = counts.get((table, key), 0) + 1
    told = {t: set(k) for t, k in keyed.items()}
    for (table, key), number in counts.items():
        if table in keyed or root_of(key) == root_of(table.rstrip("s")) or table in many_of(root_of(key)):
            continue
        if is_strong_key(key) or root_of(key) in roots or (number > 1 and root_of(key) not in AMBIGUOUS):
            told.setdefault(table, set()).add(key)
    return {t: frozenset(k) for t, k in told.items()}


def _is_key(name: str, roots: frozenset[str]) -> bool:
    return may_be_key(name) or root_of(name) in roots


def _column(word: str) -> bool:
    """Return whether a word of a query looks like a key's column, not like a table of tenants."""
    return "_" in word or is_strong_key(word)


def _judged(
    file: PythonFile,
    hand: Hand,
    query: Query,
    use: Use,
    kept: frozenset[str],
    others: Sequence[tuple[Query, Answer]] = (),
) -> Iterator[Crossing]:
    function = query.function
    holder = hand.has(function, query.owner)
    if use.why == "missing" and (hand.looks_after(function) or (use.by_id and _found_before(hand, query))):
        return
    persons = {c.lower() for c in _COMPARED.findall(query.made.text) if names_person(c)}
    if persons and own_rows(compared_in_text(query.made.text, query.call, persons, function)):
        return
    if use.why == "missing" and (hand.guards(function, query.call) or _asked_first(query, use, others)):
        return
    looked_up = bool(_LOOKED_UP.search(" ".join(_COMPARED.findall(query.made.text)))) and not holder
    certain = _certain(hand, function, holder, asks=use.by_id and not looked_up, siblings=use.table in kept)
    if use.why in ("itself", "or") and kept and function is not None:
        certain = certain or not sweeps(function.name)
    certain = certain and not use.grouped
    if use.why == "joined" and not certain:
        return
    given = function is not None and holder in {a.arg for a in arguments_of(function)}
    certain = certain and (given or not _resolves(query.made.text, use))
    yield from _told(file, query.call, use.table, sorted(use.keys)[0], use.why, holder, certain, query)


def _certain(hand: Hand, function: Function | None, holder: str, *, asks: bool, siblings: bool) -> bool:
    """Return whether a query without the tenant is wrong for sure.

    Args:
        hand: The module.
        function: Where the query stands.
        holder: What gives the tenant to it.
        asks: Whether it asks for rows by a value that it is given.
        siblings: Whether others ask the same table by tenant.
    """
    if function is None:
        return False
    if any(_JOB.search(ast.unparse(d)) for d in function.decorator_list):
        return False
    if holder in {a.arg for a in arguments_of(function)} and root_of(holder) in hand.roots:
        return True
    if (not hand.answers(function) and sweeps(function.name)) or _SWEEPING.search(ast.get_docstring(function) or ""):
        return False
    if holder:
        return True
    given = {a.arg for a in arguments_of(function)} - {"self", "cls", "conn", "db", "session", "connection", "cursor"}
    return (
        siblings
        and asks
        and bool(given)
        and not _LOOKED_UP.search(" ".join(given))
        and not hand.asked_by_others(function)
    )


def _resolves(text: str, use: Use) -> bool:
    """Return whether a query asks for the tenant itself, by something that only its own people know."""
    shown = re.match(r"\s*select\s+(?:distinct\s+)?(.*?)\bfrom\b", text, re.IGNORECASE | re.DOTALL)
    names = {w.lower() for w in re.findall(r"\w+", shown[1])} if shown else set()
    return bool(names) and names <= {*use.keys, use.table, "t", "id"} and bool(names & use.keys)


def _told(
    file: PythonFile,
    node: ast.expr,
    table: str,
    key: str,
    why: str,
    holder: str,
    certain: bool,
    query: Query | None = None,
) -> Iterator[Crossing]:
    reason = {
        "itself": f"compares {key} with nothing of the caller's",
        "or": f"asks for {key} in one branch of an OR only",
        "joined": f"does not tie {table} to the caller's {key}",
        "chosen": f"takes {key} from what the client sends",
        "open": f"asks for {key} only where one is given",
    }.get(why, f"leaves out {key}")
    message = f"This query over {table} {reason}" + (
        f", though {holder} is at hand: it reaches every tenant." if holder else ", so it reaches every tenant."
    )
    places = [file.source.place(*file.offsets(node))]
    for first in (query.made.spans[0], query.made.spans[-1]) if query is not None and query.made.spans else ():
        text = file.source.place(first.python_start, first.python_end)
        if not places[0].line <= text.line <= places[0].end_line:
            places.append(text)
    for place in places:
        yield Crossing(place, message, f"AND {key} = ...", certain=certain)


def _asked_first(query: Query, use: Use, others: Sequence[tuple[Query, Answer]]) -> bool:
    """Return whether the function asked for the same row by tenant before, and stops where it is not there."""
    function = query.function
    if function is None or not use.by_id:
        return False
    wanted = _rows_asked(query, use.keys)
    for other, found in others:
        if other.function is not function or not found.bound or other.call.lineno >= query.call.lineno:
            continue
        many = re.search(r"\bin\s*\(|\bany\b", other.made.text, re.IGNORECASE)
        keys = use.keys | found.keys
        if wanted & _rows_asked(other, keys) and not many and _stops_after(function, other.call, query.call.lineno):
            return True
    return False


def _rows_asked(query: Query, keys: frozenset[str]) -> set[str]:
    """Return the names whose values tell which rows a query is about."""
    where = re.split(r"\bwhere\b", query.made.text, flags=re.IGNORECASE)[-1]
    columns = {c.lower() for c in _COMPARED.findall(where)} - keys
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
    rest = [*query.call.args[1:], *(k.value for k in query.call.keywords)]
    return any(hand.derived(query.function, ast.copy_location(ast.Expr(value=a), query.call)) for a in rest)


def in_models(
    file: PythonFile, keyed: dict[str, frozenset[str]], *, siblings: bool, modules: Modules
) -> Iterator[Crossing]:
    """Yield queries over models that leave out the tenant where it is at hand."""
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
    for node, model in of_classes(file.tree, keyed, hand):
        yield from _told(file, node, model, sorted(keyed[model])[0], "missing", "", bool(kept - {model}) or siblings)


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
        certain = _certain(hand, query.function, holder, asks=True, siblings=kept)
        yield from _told(file, query.node, query.table, query.key, query.why, holder, certain)


def _own_model(file: PythonFile, hand: Hand, access: Access, keyed: dict[str, frozenset[str]]) -> Iterator[Crossing]:
    """Yield a query over a model that asks for a tenant, and not for the caller's own."""
    key = sorted(keyed[access.model])[0]
    function = access.function
    if function is None:
        return
    under = left_open(hand, function)
    if under is not None and not sweeps(function.name):
        for place in (access.node, under.test):
            yield from _told(file, place, access.model, key, "open", "", True)
    values = compared_in_chain(access.chain or access.node, hand.roots)
    if client_chooses(hand, function, values, access.chain or access.node):
        yield from _told(file, access.node, access.model, key, "chosen", hand.identity(function), True)


def _reached(
    file: PythonFile, hand: Hand, access: Access, keyed: dict[str, frozenset[str]], *, some_bound: bool, kept: bool
) -> Iterator[Crossing]:
    function: Function | None = access.function
    if function is None:
        return
    holder = hand.has(function, access.owner)
    if access.why == "missing" and (hand.looks_after(function) or hand.derived(function, access.node)):
        return
    if access.why == "missing" and _values_derived(hand, access):
        return
    if own_rows(persons_in_chain(access.chain or access.node)):
        return
    holds = _certain(hand, function, holder, asks=True, siblings=kept)
    holds = holds or (access.why in ("itself", "or") and kept and (hand.answers(function) or not sweeps(function.name)))
    key = sorted(keyed[access.model])[0]
    yield from _told(file, access.node, access.model, key, access.why, holder, holds)


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
