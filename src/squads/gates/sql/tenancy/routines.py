"""Views and functions that reach past row security, or past the tenant that they were given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Statement, Token, split, text_of
from squads.gates.sql.model import Schema, quoted
from squads.gates.sql.rights.routines import Routine, body_tokens, read_routine
from squads.gates.sql.tenancy.bounds import answer
from squads.gates.sql.tenancy.rows import RowSecurity
from squads.gates.sql.tenancy.shared import Crossing, Shared
from squads.gates.sql.tenancy.uses import Answer, Use
from squads.gates.sql.tenancy.words import root_of, stands_above, sweeps

_SESSION = re.compile(
    r"current_setting|\bauth\s*\.\s*\w+\s*\(|current_user|session_user|\bjwt\b|\b\w*(current|my|session)_\w*\s*\(",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"\s*(?:select\b.*?\bfrom|update|delete\s+from)\s+(?:only\s+)?(?:\w+\s*\.\s*)?\"?(\w+)", re.IGNORECASE | re.DOTALL
)
_NAMES = re.compile(r"%(?:\d+\$)?I")
_FILLED = re.compile(r"%(?:\d+\$)?[Ls]")
_CHUNK_STARTS = ("begin", "then", "else", "loop", "declare", "exception")
_QUERY_STARTS = ("select", "perform", "with", "update", "delete", "insert")


def view_crossings(rows: RowSecurity, shared: Shared, name: str) -> Iterator[Crossing]:
    """Yield what a view shows of other tenants."""
    query, place, materialized = rows.views[name]
    if not query:
        return
    kept = {n: k for n, k in through(rows, shared).items() if n != name}
    found = answer(query, {**shared.keyed, **kept}, shared.composite, shared.alone, shared.repeating)
    if found is None:
        return
    for use in found.unbound:
        if use.table in kept:
            yield from _passed_on(rows, place, name, use)
            return
        if use.why == "joined" and use.table in shared.composite and use.table not in rows.enabled:
            yield _joined(place, use.table, shared)
            return
    owner = rows.owners.get(name, ("", place))[0]
    if rows.invoker.get(name) and not materialized:
        return
    open_ones = [u.table for u in found.unbound if u.table in rows.enabled]
    open_ones = [t for t in open_ones if t not in rows.forced or materialized]
    if not open_ones or (owner and owner != rows.owners.get(open_ones[0], ("", place))[0] and not materialized):
        return
    granted = rows.roles_of(name)
    anywhere = any(rows.grants.values())
    reached = any(not stands_above(r) for r in granted) if anywhere else True
    table = quoted(open_ones[0])
    if materialized:
        message = f"The materialized view {quoted(name)} holds {table} of every tenant, and no policy guards it."
        mend = "a plain view WITH (security_invoker = true), or one that filters by the tenant over it"
    else:
        message = (
            f"The view {quoted(name)} reads {table} with its owner's rights, whom row security does not hold: it shows "
            "every tenant."
        )
        mend = f"ALTER VIEW {quoted(name)} SET (security_invoker = true);"
    yield Crossing(place, message, mend, certain=reached, about=name)


def through(rows: RowSecurity, shared: Shared) -> dict[str, frozenset[str]]:
    """Return the materialized views that hold guarded rows of every tenant, with the key that they show."""
    found: dict[str, frozenset[str]] = {}
    for name, (query, _, materialized) in rows.views.items():
        held = answer(query, shared.keyed) if materialized and query else None
        shown = re.split(r"\bfrom\b", query, maxsplit=1, flags=re.IGNORECASE)[0]
        for use in held.unbound if held is not None else ():
            keys = frozenset(k for k in use.keys if re.search(rf"\b{re.escape(k)}\b", shown, re.IGNORECASE))
            if use.table in rows.enabled and keys:
                found[name] = keys
    return found


def _passed_on(rows: RowSecurity, place: Place, name: str, use: Use) -> Iterator[Crossing]:
    """A view over what no policy guards shows every tenant to whom it is granted."""
    if any(not stands_above(r) for r in rows.roles_of(name)):
        key = sorted(use.keys)[0]
        message = (
            f"The view {quoted(name)} reads {quoted(use.table)}, which no policy guards, and does not ask for {key}."
        )
        yield Crossing(place, message, f"WHERE {key} = current_setting('app.tenant')::...", about=name)


def _joined(place: Place, table: str, shared: Shared) -> Crossing:
    key = sorted(shared.keyed[table])[0]
    return Crossing(
        place,
        f"{quoted(table)} is joined without {quoted(key)}, and its ids repeat from tenant to tenant.",
        f"join on {quoted(key)} too",
    )


@dataclass(frozen=True, slots=True)
class _Body:
    routine: Routine
    arguments: frozenset[str]
    answers: tuple[tuple[Place, Answer], ...]
    text: str


def routine_crossings(schema: Schema, rows: RowSecurity, shared: Shared) -> Iterator[Crossing]:
    """Yield what functions reach of other tenants."""
    bodies: dict[str, _Body] = {}
    closed: dict[str, set[str]] = {}
    for spoken in schema.spoken:
        _enter(bodies, closed, spoken.statement, shared, spoken.search_schema)
    kept = {t for b in bodies.values() for _, a in b.answers for t in a.bound}
    for name, body in bodies.items():
        roles = closed.get(name)
        if roles is not None and not any(not stands_above(r) for r in roles):
            continue
        if (
            roles is not None
            or any(rows.grants.values())
            or any(set(p.roles) - {"public"} for p in rows.policies.values())
        ):
            yield from _believed(rows, shared, body)
        for place, found in body.answers:
            for use in found.unbound:
                if use.why == "missing" and _asked_first(body, place, use):
                    continue
                yield from _used(rows, shared, body, place, use.table, use.why, kept)


def _asked_first(body: _Body, place: Place, use: Use) -> bool:
    """Return whether a body asked for the same row by tenant before, or compares its tenant, and stops otherwise."""
    if not re.search(r"\braise\b|\breturn\b", body.text, re.IGNORECASE):
        return False
    keys = "|".join(map(re.escape, use.keys))
    if re.search(rf"\.\s*(?:{keys})\s*(?:<>|!=|is\s+distinct)", body.text, re.IGNORECASE):
        return True
    own = {a for a in body.arguments if root_of(a) not in {root_of(k) for k in use.keys}}

    def names(text: str) -> set[str]:
        return set(re.findall(r"\w+", text.lower())) & own

    wanted = names(place.text)
    for before, found in body.answers:
        if before is place:
            return False
        if found.bound and wanted & names(before.text):
            return True
    return False


def _believed(rows: RowSecurity, shared: Shared, body: _Body) -> Iterator[Crossing]:
    """A function with its owner's rights that believes its caller's word for the tenant, where a session tells it."""
    routine = body.routine
    if not routine.definer or routine.returns == "boolean" or sweeps(routine.name):
        return
    asks = _SESSION.search(body.text) is not None or any(
        re.search(rf"\b{re.escape(n)}\s*\(", body.text) and _SESSION.search(h.text)
        for n, h in rows.helpers.items()
        if n != routine.name
    )
    if asks or any(routine.name in p.using + p.check for p in rows.policies.values()):
        return
    for place, found in body.answers:
        for table in sorted(found.bound & set(shared.keyed)):
            keys = shared.keyed[table] & shared.learned & found.keys
            if not keys or table not in rows.enabled or table in rows.forced:
                continue
            if any(root_of(a) == root_of(k) for a in body.arguments for k in keys):
                message = (
                    f"{quoted(routine.name)} is SECURITY DEFINER and takes {quoted(sorted(keys)[0])} from its "
                    f"caller: {quoted(table)} of every tenant, whatever the session says."
                )
                yield Crossing(
                    place, message, "take the tenant from the session; or SECURITY INVOKER", about=routine.name
                )


def _dynamic(statement: Statement, routine: Routine, shared: Shared) -> Iterator[tuple[Place, Answer]]:
    """Yield what SQL that is put together while it runs reaches: where no piece of it names the key."""
    if routine.body is None or routine.language != "plpgsql":
        return
    source, tokens = body_tokens(statement.source, routine.body)
    runs = [t for t in tokens if t.kind == "word" and t.value == "execute"]
    pieces = [t for t in tokens if t.kind in ("string", "dollar")]
    if not runs:
        return
    whole = " ".join(p.value for p in pieces)
    for piece in pieces:
        begins = _BEGINS.match(piece.value)
        table = begins[1].lower() if begins else ""
        if table not in shared.keyed:
            continue
        keys = shared.keyed[table]
        text = _FILLED.sub("$1", _NAMES.sub("squads_name", piece.value))
        told = answer(text, {table: keys}) if len(runs) == 1 else None
        for use in told.unbound if told is not None else ():
            if use.why in ("itself", "or"):
                for token in (piece, *runs):
                    yield source.place(token.start, token.end), Answer((use,))
        if any(re.search(rf"\b{re.escape(k)}\b(?!\s+is\s)", whole, re.IGNORECASE) for k in keys):
            continue
        use = Use(table, keys, "missing", by_id=True)
        for token in (piece, *runs):
            yield source.place(token.start, token.end), Answer((use,))


def _used(
    rows: RowSecurity, shared: Shared, body: _Body, place: Place, table: str, why: str, kept: set[str]
) -> Iterator[Crossing]:
    key = sorted(shared.keyed[table])[0]
    routine = body.routine
    mend = f"take the tenant as a parameter, or from the session, and ask for {quoted(key)}"
    if rows.on(table):
        if routine.definer and table in rows.enabled and table not in rows.forced:
            yield Crossing(
                place,
                f"{quoted(routine.name)} is SECURITY DEFINER and reaches {quoted(table)} without {quoted(key)}: row "
                "security does not hold its owner, so it reaches every tenant.",
                mend + "; or SECURITY INVOKER",
                about=routine.name,
            )
        return
    if rows.enabled and shared.keyed[table] & shared.learned:
        return  # the table itself is what is left open
    if why == "joined" and table not in shared.composite and not any(t == table for t, _ in shared.repeating):
        return
    at_hand = any(root_of(a) == root_of(key) for a in body.arguments)
    granted = rows.grants.get(table, set()) | rows.grants.get("*", set())
    alone = any(rows.grants.values()) and not any(not stands_above(r) for r in granted)
    siblings = bool(kept & set(shared.keyed))
    asked = any(
        not h.parameters and root_of(key) in h.name.lower() + h.text.lower() and "current_setting" in h.text.lower()
        for h in rows.helpers.values()
    )
    yield Crossing(
        place,
        f"{quoted(routine.name)} reaches {quoted(table)} without {quoted(key)}, so it reaches every tenant.",
        mend,
        certain=at_hand
        or (
            not sweeps(routine.name)
            and (why in ("itself", "or", "joined") or siblings or asked or (alone and routine.definer))
        ),
    )


def _enter(
    bodies: dict[str, _Body], closed: dict[str, set[str]], statement: Statement, shared: Shared, home: str
) -> None:
    words = [t.value for t in statement.tokens[:4]]
    cursor = Cursor(statement.source, statement.tokens)
    try:
        if words[0] == "create" and ("function" in words or "procedure" in words):
            cursor.take()
            cursor.accept("or", "replace")
            kind = cursor.take().value
            routine = read_routine(cursor, kind=kind, home=home)
            if routine.language in ("sql", "plpgsql"):
                arguments = _names(statement)
                found = (*_answers(statement, routine, shared), *_dynamic(statement, routine, shared))
                if routine.fires:  # which rows a trigger is about is told by NEW and OLD alone
                    kept = (
                        (p, replace(a, unbound=tuple(u for u in a.unbound if u.why != "missing"))) for p, a in found
                    )
                    found = tuple(kept)
                bodies[routine.name] = _Body(routine, arguments, found, text_of(statement.tokens))
        elif words[0] == "drop" and words[1] in ("function", "procedure"):
            bodies.pop(words[-1], None)
        elif words[0] in ("revoke", "grant"):
            _execution(closed, statement, gives=words[0] == "grant")
    except CannotLook:
        return


def _names(statement: Statement) -> frozenset[str]:
    """Return the names of a routine's parameters."""
    tokens = statement.tokens[: _head_end(statement.tokens)]
    opening = next((n for n, t in enumerate(tokens) if t.text == "("), len(tokens))
    found = set()
    for part in split(tokens[opening + 1 :]):
        words = [t.value for t in part if t.kind in ("word", "quoted") and t.value not in ("in", "inout", "variadic")]
        found |= set(words[:1]) if len(words) > 1 else set()
    return frozenset(found)


def _head_end(tokens: tuple[Token, ...]) -> int:
    depth = 0
    for n, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == ")" and not depth:
            return n
    return len(tokens)


def _execution(closed: dict[str, set[str]], statement: Statement, *, gives: bool) -> None:
    """Note who may call a function once the right of everybody was taken away."""
    words = [t.value for t in statement.tokens]
    if not {"function", "procedure", "routine", "functions"} & set(words):
        return
    mark = "to" if gives else "from"
    if mark not in words:
        return
    end = len(words) - 1 - words[::-1].index(mark)
    roles = {w for w in words[end + 1 :] if w not in (",", "with", "grant", "option")}
    kinds = [n for n, w in enumerate(words) if w in ("function", "procedure", "routine")]
    if not kinds:
        return
    depth = 0
    named: list[str] = []
    for n in range(kinds[0] + 1, end):
        depth += (words[n] == "(") - (words[n] == ")")
        if not depth and statement.tokens[n].kind in ("word", "quoted") and words[n + 1 : n + 2] != ["."]:
            named.append(words[n])
    for name in named:
        if not gives and "public" in roles:
            closed.setdefault(name, set())
        elif gives and name in closed:
            closed[name] |= roles


def _answers(statement: Statement, routine: Routine, shared: Shared) -> Iterator[tuple[Place, Answer]]:
    source, tokens = statement.source, list(routine.inline)
    if routine.body is not None:
        source, tokens = body_tokens(statement.source, routine.body)
    for chunk in queries_of(tokens):
        if not any(t.value in shared.keyed for t in chunk):
            continue
        found = answer(_without_into(chunk), shared.keyed, shared.composite, shared.alone, shared.repeating)
        if found is not None:
            yield source.place(chunk[0].start, chunk[-1].end), found


def _without_into(tokens: list[Token]) -> str:
    """Return a query of PL/pgSQL without the variables that it fills."""
    kept: list[Token] = []
    n = 0
    if tokens[0].value == "perform":
        tokens = [tokens[0]._replace(text="SELECT", value="select"), *tokens[1:]]
    first = tokens[0].value
    while n < len(tokens):
        fills = tokens[n].kind == "word" and tokens[n].value == "into" and not (n and tokens[n - 1].value == "insert")
        if fills and (first != "insert" or any(t.value == "returning" for t in tokens[:n])):
            n += 3 if n + 1 < len(tokens) and tokens[n + 1].value == "strict" else 2
            while n < len(tokens) and tokens[n].text in (",", "."):
                n += 2
            continue
        kept.append(tokens[n])
        n += 1
    return text_of(kept)


def queries_of(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the queries of a body: each statement that begins with SELECT, UPDATE, DELETE, INSERT or WITH."""
    chunk: list[Token] = []
    depth = cases = 0
    chunks: list[list[Token]] = []
    for token in tokens:
        word = token.value if token.kind == "word" else ""
        depth += (token.text == "(") - (token.text == ")") if token.kind == "mark" else 0
        cases += word == "case"
        if word == "end" and cases:
            cases -= 1
        elif token.text == ";" or (not depth and not cases and word in _CHUNK_STARTS):
            chunks.append(chunk)
            chunk = []
            continue
        chunk.append(token)
    for part in [*chunks, chunk]:
        at = next((n for n, t in enumerate(part) if t.kind == "word" and t.value in _QUERY_STARTS), None)
        if at is None:
            continue
        inside, level = [], 0
        for token in part[at:]:
            level += (token.text == "(") - (token.text == ")") if token.kind == "mark" else 0
            if level < 0:
                break
            inside.append(token)
        yield inside
