"""What one statement of a migration does, as short facts: which table, which column, which condition.

A statement that no rule asks for gives nothing. Nothing here judges anything, and nothing raises: what does not read as
expected is no act.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Source, Statement, Token, split, text_of
from squads.gates.sql.rights.granting import parts_of_block
from squads.gates.sql.rights.routines import body_tokens
from squads.gates.sql.steps.act import NOWHERE, Act, outside
from squads.gates.sql.steps.alter_acts import alter_acts
from squads.gates.words import word_set

_BLOCK_VERBS = word_set("update delete truncate insert drop alter create lock with select perform")


def acts_of(statement: Statement) -> list[Act]:
    """Return what `statement` does, in order."""
    try:
        return list(_acts(statement.source, statement.tokens))
    except CannotLook:
        return []


def _acts(source: Source, tokens: Sequence[Token]) -> Iterator[Act]:
    cursor = Cursor(source, tokens)
    place = source.place(tokens[0].start, tokens[-1].end)
    match cursor.peek():
        case "create":
            yield from _create(cursor, place)
        case "alter":
            yield from alter_acts(cursor, place)
        case "drop":
            yield from _drop(cursor, place)
        case "truncate":
            cursor.take()
            cursor.accept("table")
            cursor.accept("only")
            rest = list(cursor.rest())
            words = frozenset(t.value for t in rest[-1:] if t.value == "cascade")
            for part in split(rest):
                yield Act(kind="truncate", table=Cursor(source, part).qualified(), words=words, place=place)
        case "delete" | "update" | "insert" | "merge":
            yield from _rows(cursor, place)
        case "with":
            yield from _with(cursor, place)
        case "vacuum" | "cluster" | "reindex" | "refresh":
            yield from _rebuild(cursor, place)
        case "lock":
            yield from _lock(cursor, place)
        case "do":
            yield from _block(cursor, place)
        case "select" | "perform" | "copy" | "call":
            yield Act(kind=cursor.peek(), text=text_of(tokens), place=place)
        case "comment" | "set":
            yield Act(kind=cursor.peek(), text=text_of(tokens), place=place)


def _create(cursor: Cursor, place: Place) -> Iterator[Act]:
    cursor.take()
    cursor.accept("or", "replace")
    words: set[str] = set()
    while cursor.peek() in ("global", "local", "temp", "temporary", "unlogged", "unique", "materialized", "recursive"):
        words.add(cursor.take().value)
    kind = cursor.take().value
    if kind == "table":
        if cursor.accept("if", "not", "exists"):
            words.add("if not exists")
        table = cursor.qualified()
        if cursor.ahead("partition", "of"):
            words.add("partition")
        rest = list(cursor.rest())
        yield Act(
            kind="create_table",
            table=table,
            words=frozenset(words),
            text=_query(rest),
            other=text_of(rest),
            place=place,
        )
    elif kind == "index":
        for word in ("concurrently",):
            if cursor.accept(word):
                words.add(word)
        if cursor.accept("if", "not", "exists"):
            words.add("if not exists")
        name = "" if cursor.ahead("on") else cursor.qualified()[1]
        cursor.expect("on")
        if cursor.accept("only"):
            words.add("only")
        table = cursor.qualified()
        yield Act(
            kind="create_index",
            table=table,
            name=name,
            words=frozenset(words),
            text=text_of(list(cursor.rest())),
            place=place,
        )
    elif kind == "view":
        cursor.accept("if", "not", "exists")
        view = cursor.qualified()
        yield Act(
            kind="create_view", table=view, words=frozenset(words), text=text_of(list(cursor.rest())), place=place
        )
    elif kind in ("function", "procedure"):
        routine = cursor.qualified()
        text = " ".join(t.value if t.kind in ("dollar", "string") else t.text for t in cursor.rest())
        yield Act(kind="create_routine", table=routine, text=text, place=place)


def _query(tokens: list[Token]) -> str:
    """Return the query of CREATE TABLE ... AS, empty for another CREATE TABLE."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.kind == "mark":
            depth += (token.text in "([") - (token.text in ")]")
        elif not depth and token.kind == "word" and token.value == "as":
            return text_of(tokens[at + 1 :])
    return ""


def _drop(cursor: Cursor, place: Place) -> Iterator[Act]:
    cursor.take()
    kind = cursor.take().value
    if kind in ("materialized", "foreign"):
        kind = f"{kind} {cursor.take().value}"
    words: set[str] = set()
    if cursor.accept("concurrently"):
        words.add("concurrently")
    if cursor.accept("if", "exists"):
        words.add("if exists")
    rest = list(cursor.rest())
    if rest and rest[-1].value in ("cascade", "restrict"):
        words.add(rest.pop().value)
    if kind == "owned":
        yield Act(kind="drop_owned", place=place)
    elif kind in ("table", "foreign table", "schema", "database", "index", "type", "domain", "view", "extension"):
        for part in split(rest):
            named = Cursor(cursor.source, part).qualified()
            yield Act(kind=f"drop_{kind.split()[-1]}", table=named, name=named[1], words=frozenset(words), place=place)


def _rows(cursor: Cursor, place: Place) -> Iterator[Act]:
    verb = cursor.take().value
    if verb == "merge":
        return
    if verb == "insert":
        while cursor.peek() in ("or", "ignore", "replace", "into"):
            cursor.take()
        table = cursor.qualified()
        if cursor.accept("as"):
            cursor.name()
        columns: tuple[str, ...] = ()
        if cursor.peek() == "(" and cursor.peek(1) not in ("select", "with"):
            columns = tuple(p[0].value for p in split(cursor.group()) if p)
        if cursor.accept("overriding"):
            cursor.take()
            cursor.take()
        rest = list(cursor.rest())
        kind = "insert" if rest and rest[0].value in ("values", "default") else "insert_select"
        yield Act(kind=kind, table=table, columns=columns, text=text_of(rest), place=place)
        return
    cursor.accept("from")
    cursor.accept("only")
    table = cursor.qualified()
    rest = list(cursor.rest())
    where = _after(rest, "where")
    text = text_of(rest)
    if verb == "delete":
        yield Act(kind="delete", table=table, where=where, text=text, place=place)
        return
    values: list[tuple[str, str]] = []
    at = next((n for n, t in outside(rest) if t.value == "set"), -1)
    end = next((n for n, t in outside(rest) if n > at and t.value in ("where", "from", "returning")), len(rest))
    for part in split(rest[at + 1 : end]):
        equals = next((n for n, t in enumerate(part) if t.text == "="), -1)
        if equals < 0:
            continue
        names = [t.value for t in part[:equals] if t.kind in ("word", "quoted")]
        if part[0].text == "(":  # SET (a, b) = (c, d)
            right = part[equals + 1 :]
            sides = split(right[1:-1]) if right and right[0].text == "(" else []
            values += [(n, text_of(s)) for n, s in zip(names, sides, strict=False)]
            values += [(n, text_of(right)) for n in names[len(sides) :]]
        elif names:
            values.append((names[-1], text_of(part[equals + 1 :])))
    yield Act(kind="update", table=table, values=tuple(values), where=where, text=text, place=place)


def _after(tokens: Sequence[Token], word: str) -> str | None:
    """Return what follows a clause's word, up to the next clause; None without that clause."""
    at = next((n for n, t in outside(tokens) if t.value == word), None)
    if at is None:
        return None
    end = next((n for n, t in outside(tokens) if n > at and t.value in ("returning", "order", "limit", "on")), None)
    return text_of(tokens[at + 1 : end])


def _with(cursor: Cursor, place: Place) -> Iterator[Act]:
    """Yield what WITH ... does at its end; rows that it deletes and stores elsewhere in one go are moved."""
    tokens = list(cursor.tokens)
    text = text_of(tokens)
    ends = [n for n, t in outside(tokens) if t.value in ("insert", "update", "delete", "select")]
    if not ends:
        return
    final = list(_rows(Cursor(cursor.source, tokens[ends[0] :]), place)) if tokens[ends[0]].value != "select" else []
    words = [t.value for t in tokens]
    inside = [n for n, w in enumerate(words[: ends[0]]) if w == "delete" and words[n + 1] == "from"]
    for at in inside:
        target = Cursor(cursor.source, tokens[at + 2 :])
        target.accept("only")
        table = target.qualified()
        moved = any(a.kind == "insert_select" for a in final) and "returning" in words[at : ends[0]]
        yield Act(kind="moved" if moved else "delete", table=table, where="", text=text, place=place)
    for act in final:
        yield act if act.kind != "insert_select" else _with_text(act, text)


def _with_text(act: Act, text: str) -> Act:
    return replace(act, text=text)


def _rebuild(cursor: Cursor, place: Place) -> Iterator[Act]:
    verb = cursor.take().value
    words = {t.value for t in cursor.tokens if t.kind == "word"}
    if verb == "vacuum" and "full" not in words:
        return
    if cursor.peek() == "(":
        cursor.group()
    while cursor.peek() in ("full", "verbose", "freeze", "analyze", "materialized", "view", "concurrently", "table"):
        cursor.take()
    target = cursor.peek() if verb == "reindex" else ""
    if target in ("index", "schema", "database", "system"):
        cursor.take()
    cursor.accept("concurrently")
    table = cursor.qualified() if not cursor.done and cursor.tokens[cursor.at].kind in ("word", "quoted") else NOWHERE
    kind = {"vacuum": "vacuum_full"}.get(verb, verb)
    said = (words & {"concurrently"}) | ({"no data"} if words >= {"no", "data"} else set())
    yield Act(kind=kind, table=table, other=target, words=frozenset(said), place=place)


def _lock(cursor: Cursor, place: Place) -> Iterator[Act]:
    cursor.take()
    cursor.accept("table")
    cursor.accept("only")
    rest = list(cursor.rest())
    at = next((n for n, t in outside(rest) if t.value == "in"), None)
    mode = " ".join(t.value for t in rest[at + 1 :] if t.value not in ("mode", "nowait")) if at is not None else ""
    names = rest[:at] if at is not None else [t for t in rest if t.value != "nowait"]
    for part in split(names):
        yield Act(kind="lock", table=Cursor(cursor.source, part).qualified(), other=mode, place=place)


def _block(cursor: Cursor, place: Place) -> Iterator[Act]:
    """Yield a DO block, and what its plain statements do."""
    body = next((t for t in cursor.rest() if t.kind in ("dollar", "string")), None)
    if body is None:
        return
    source, tokens = body_tokens(cursor.source, body)
    yield Act(kind="do", text=text_of(tokens), place=place)
    words = word_set("loop while for foreach")
    looped = bool(words & {t.value for t in tokens if t.kind == "word"})
    for part in parts_of_block(tokens):
        inner = list(part)
        if inner and inner[0].value == "execute" and len(inner) > 1 and inner[1].kind in ("string", "dollar"):
            source_inside, inner = body_tokens(source, inner[1])
        else:
            source_inside = source
        if not inner or inner[0].value not in _BLOCK_VERBS:
            continue
        try:
            found = list(_acts(source_inside, inner))
        except CannotLook:
            continue
        for act in found:
            yield _in_block(act, looped=looped, commits=any(t.value == "commit" for t in tokens))


def _in_block(act: Act, *, looped: bool, commits: bool) -> Act:
    words = act.words | {"block"} | ({"loop"} if looped else set()) | ({"commits"} if commits else set())
    return replace(act, words=frozenset(words))
