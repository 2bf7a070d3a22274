"""ALTER TABLE as acts: columns and constraints that are added, changed, validated, renamed or dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Token, split, text_of
from squads.gates.sql.model import TableName
from squads.gates.sql.steps.act import Act, outside
from squads.gates.words import word_set


def alter_acts(cursor: Cursor, place: Place) -> Iterator[Act]:
    """Yield what ALTER TABLE does, one act for each of its actions."""
    cursor.take()
    if cursor.accept("type"):
        return
    if cursor.accept("domain"):
        words = [t.value for t in cursor.tokens]
        domain = cursor.qualified()[1]
        if "valid" not in words and (cursor.accept("add") or cursor.accept("set", "not")):
            yield Act(kind="alter_domain", name=domain, place=place)
        return
    if not cursor.accept("table"):
        return
    cursor.accept("if", "exists")
    cursor.accept("only")
    table = cursor.qualified()
    cursor.accept("*")
    if cursor.accept("rename"):
        yield from _renamed(cursor, table, place)
        return
    for action in split(cursor.rest()):
        if action:
            inner = Cursor(cursor.source, action)
            here = cursor.source.place(action[0].start, action[-1].end)
            try:
                yield from _action(inner, table, here)
            except CannotLook:
                continue


def _renamed(cursor: Cursor, table: TableName, place: Place) -> Iterator[Act]:
    if cursor.accept("to"):
        yield Act(kind="rename_table", table=table, other=cursor.name(), place=place)
    elif not cursor.accept("constraint"):
        cursor.accept("column")
        old = cursor.name()
        cursor.expect("to")
        yield Act(kind="rename_column", table=table, name=old, other=cursor.name(), place=place)


def _action(cursor: Cursor, table: TableName, place: Place) -> Iterator[Act]:
    words = frozenset(t.value for t in cursor.tokens if t.kind == "word")
    if cursor.accept("add"):
        yield from _added(cursor, table, place, words)
    elif cursor.accept("drop"):
        constraint = cursor.accept("constraint")
        if not constraint:
            cursor.accept("column")
        cursor.accept("if", "exists")
        kind = "drop_constraint" if constraint else "drop_column"
        yield Act(kind=kind, table=table, name=cursor.name(), words=words, place=place)
    elif cursor.accept("validate", "constraint"):
        yield Act(kind="validate", table=table, name=cursor.name(), place=place)
    elif cursor.accept("alter"):
        if cursor.accept("constraint"):
            return
        cursor.accept("column")
        name = cursor.name()
        if cursor.accept("set", "data", "type") or cursor.accept("type"):
            rest = list(cursor.rest())
            at = next((n for n, t in outside(rest) if t.value == "using"), len(rest))
            end = next((n for n, t in outside(rest) if t.value == "collate"), at)
            new = _type_text(rest[: min(at, end)])
            yield Act(kind="alter_type", table=table, name=name, other=new, text=text_of(rest[at + 1 :]), place=place)
        elif cursor.accept("set", "not", "null"):
            yield Act(kind="set_not_null", table=table, name=name, place=place)
        elif cursor.accept("set", "expression"):
            yield Act(kind="rewrite", table=table, name=name, other="SET EXPRESSION", place=place)
    elif cursor.accept("set"):
        if cursor.peek() in ("tablespace", "logged", "unlogged", "access"):
            yield Act(kind="rewrite", table=table, other=f"SET {cursor.peek().upper()}", place=place)
    elif cursor.accept("attach", "partition"):
        yield Act(kind="attach", table=table, other=cursor.qualified()[1], place=place)
    elif cursor.accept("detach", "partition"):
        yield Act(kind="detach", table=table, other=cursor.qualified()[1], place=place)


def _added(cursor: Cursor, table: TableName, place: Place, words: frozenset[str]) -> Iterator[Act]:
    name = cursor.name() if cursor.accept("constraint") else ""
    for kind, opening in (
        ("foreign", ("foreign", "key")),
        ("check", ("check",)),
        ("unique", ("unique",)),
        ("primary", ("primary", "key")),
        ("exclude", ("exclude",)),
        ("not null", ("not", "null")),
    ):
        if cursor.accept(*opening):
            tokens = list(cursor.rest())
            text = text_of(tokens)
            said = {p for p in ("not valid", "using index") if p in " ".join(t.value for t in tokens)}
            columns: tuple[str, ...] = ()
            if kind == "not null":
                columns = (tokens[0].value,) if tokens else ()
            elif tokens and tokens[0].text == "(":
                end = next((n for n, t in enumerate(tokens) if t.text == ")"), len(tokens))
                columns = tuple(t.value for t in tokens[1:end] if t.kind in ("word", "quoted"))
            yield Act(
                kind="add_constraint",
                table=table,
                name=name,
                other=kind,
                words=frozenset(said),
                columns=columns,
                text=text,
                place=place,
            )
            return
    if name:
        return
    cursor.accept("column")
    exists = cursor.accept("if", "not", "exists")
    column = cursor.name()
    rest = list(cursor.rest())
    more = words | ({"if not exists"} if exists else set())
    yield Act(
        kind="add_column",
        table=table,
        name=column,
        other=_type_text(rest),
        words=frozenset(more),
        text=text_of(rest),
        place=place,
    )


_TYPE_ENDS = word_set(
    "constraint not null check default generated unique primary references collate storage compression using"
)


def _type_text(tokens: Sequence[Token]) -> str:
    """Return a type as `Column.type` spells it: lower case, no spaces around brackets."""
    text = ""
    for token in tokens:
        if token.kind == "word" and token.value in _TYPE_ENDS:
            break
        glued = not text or token.text in ("(", ")", ",", "[", "]", ".") or text[-1] in "(,[."
        text += token.value if glued else f" {token.value}"
    return text
