"""Which statements copy one column into another that cannot hold all that the first may: triggers, INSERT ... SELECT.

Only what is copied as it is counts: `NEW.status`, `o.status`, perhaps cast to text or through lower(). What is cut,
computed or joined first is somebody else's question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from squads.gates.check import CannotLook
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.fits.bounds import column_type, misfit
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.fitting import Unfit, fired, unfit
from squads.gates.sql.fits.rows import Stored, columns_in_order, stored
from squads.gates.sql.fits.spans import beyond
from squads.gates.sql.lex import Source, Statement, Token, split, tokens_of
from squads.gates.sql.model import Column, Schema, Table
from squads.gates.sql.writes import Write
from squads.gates.words import word_set

_ROWS = frozenset(("new", "old"))
_KEEPS = word_set("lower upper trim btrim ltrim rtrim initcap")
_PLAIN_CASTS = word_set("text varchar")
_ENDS_SOURCE = word_set(
    "where group order having limit join left right inner full cross natural on returning union set as using for"
)


@dataclass(frozen=True, slots=True)
class _Given:
    """What a statement may copy from: tables by the names they go by in it."""

    rows: Sequence[Table] = ()
    """The tables whose triggers run it: what NEW and OLD are."""
    named: Mapping[str, Table] | None = None
    variables: Mapping[str, tuple[Table, Column]] = field(default_factory=dict)
    """What `SELECT name INTO v_name FROM customer` read a local name from."""


def copied(schema: Schema) -> Iterator[Unfit]:
    """Yield the copies whose columns cannot hold what they may be given."""
    triggers = fired(schema)
    for write in schema.writes:
        tokens = write.statement.tokens
        verb = tokens[0].value
        if verb == "create":
            names = triggers.get(_routine(tokens), [])
            yield from _in_body(write, schema, [t for t in schema.tables if t.name in names])
        elif verb in ("insert", "update", "merge", "with") and any(t.value == "from" for t in tokens):
            yield from _in_statement(write, write.schema, ())
    for spoken in schema.spoken:
        tokens = spoken.statement.tokens
        if tokens[0].value == "create" and any(t.kind == "dollar" for t in tokens):
            names = triggers.get(_routine(tokens), [])
            if names:
                yield from _assigned(spoken.statement, schema, [t for t in schema.tables if t.name in names])


def _routine(tokens: Sequence[Token]) -> str:
    """Return the name of the routine that a statement creates."""
    opening = next((n for n, t in enumerate(tokens) if t.text == "("), 0)
    return tokens[opening - 1].value if opening else ""


def _bodies(statement: Statement) -> Iterator[list[Token]]:
    source = statement.source
    for token in statement.tokens:
        if token.kind == "dollar":
            edge = (len(token.text) - len(token.value)) // 2
            try:
                yield list(tokens_of(source, token.start + edge, token.end - edge))
            except CannotLook:
                continue  # a body in another language


def _in_body(write: Write, schema: Schema, rows: Sequence[Table]) -> Iterator[Unfit]:
    for inside in _bodies(write.statement):
        parts = [Statement(write.statement.source, tuple(part)) for part in split(inside, ";") if part]
        writes = [Write(part, schema, write.search_schema) for part in parts]
        variables, records = _kept(writes, schema, inside)
        for body in writes:
            yield from _in_statement(body, schema, rows, variables, records)


def _kept(
    writes: Sequence[Write], schema: Schema, inside: Sequence[Token]
) -> tuple[dict[str, tuple[Table, Column]], dict[str, Table]]:
    """Return which columns local names are read from, and which tables the records of loops are rows of."""
    variables: dict[str, tuple[Table, Column]] = {}
    records: dict[str, Table] = {}
    again = {a.value for a, b in pairwise(inside) if b.text == ":="}
    for write in writes:
        tokens = write.statement.tokens
        words = [t.value if t.kind == "word" else "" for t in tokens]
        tables = list(_named(write, schema).values())
        if not tables:
            continue
        if "for" in words and "in" in words[words.index("for") + 1 : words.index("for") + 3] and len(tables) == 1:
            records[tokens[words.index("for") + 1].value] = tables[0]
        if "into" in words and "select" in words[: words.index("into")]:
            begin, into = words.index("select"), words.index("into")
            end = next((n for n in range(into, len(words)) if words[n] == "from"), into)
            targets = [part[-1].value for part in split(tokens[into + 1 : end]) if part]
            for target, item in zip(targets, split(tokens[begin + 1 : into]), strict=False):
                found = [
                    (t, c) for t in tables if item and (c := schema.resolved(t).column(item[-1].value)) is not None
                ]
                plain = len(item) == 1 or (len(item) == 3 and item[1].text == ".")
                if plain and len({id(t) for t, _ in found}) == 1 and target not in again | variables.keys():
                    variables[target] = found[0]
    return variables, records


def _in_statement(
    write: Write,
    schema: Schema,
    rows: Sequence[Table],
    variables: Mapping[str, tuple[Table, Column]] | None = None,
    records: Mapping[str, Table] | None = None,
) -> Iterator[Unfit]:
    given = _Given(rows, {**(records or {}), **_named(write, schema)}, variables or {})
    for value in stored(write, schema):
        if [t.text for t in value.tokens] == ["*"]:
            yield from _whole_rows(write, schema, given, value)
            continue
        if rows and [t.value for t in value.tokens] == ["tg_op"]:
            found = misfit(Constant("text", text="INSERT"), column_type(schema, value.table, value.column))
            if found:
                yield unfit("copy", value.table, value.column, found, value.place)
        for table, column in _read(value.tokens, given):
            yield from _weighed(schema, value.table, value.column, table, column, value)


def _whole_rows(write: Write, schema: Schema, given: _Given, value: Stored) -> Iterator[Unfit]:
    """Weigh `INSERT INTO archive SELECT * FROM orders`."""
    tables = list((given.named or {}).values())
    into = columns_in_order(schema, value.table)
    if len(set(map(id, tables))) != 1 or not into or into[0].name != value.column.name:
        return
    for column, source in zip(into, columns_in_order(schema, tables[0]) or (), strict=False):
        yield from _weighed(schema, value.table, column, tables[0], source, value)


def _weighed(
    schema: Schema, into: Table, column: Column, table: Table, source: Column, value: Stored
) -> Iterator[Unfit]:
    if into.full_name == table.full_name and column.name == source.name:
        return
    found = beyond(schema, schema.resolved(table), source, column_type(schema, into, column))
    if found:
        yield replace(unfit("copy", into, column, found, value.place), also=(column.type_place or column.place,))


def _named(write: Write, schema: Schema) -> dict[str, Table]:
    """Return the tables behind FROM and JOIN, by name and by alias."""
    tokens, found = write.statement.tokens, dict[str, Table]()
    for at, token in enumerate(tokens[:-1]):
        if token.kind != "word" or token.value not in ("from", "join", "only"):
            continue
        cursor = Cursor(write.statement.source, tokens[at + 1 :])
        if cursor.tokens[0].kind not in ("word", "quoted") or cursor.peek() in ("only", "lateral", "select"):
            continue
        try:
            table = write.table(cursor.qualified())
        except CannotLook:
            continue
        if table is None:
            continue
        found[table.name] = table
        cursor.accept("as")
        called = not cursor.done and cursor.tokens[cursor.at].kind in ("word", "quoted")
        if called and cursor.peek() not in _ENDS_SOURCE:
            found[cursor.name()] = table
    return found


def _read(tokens: Sequence[Token], given: _Given) -> Iterator[tuple[Table, Column]]:
    """Yield the column that an expression is, as it is."""
    texts = [t.value for t in tokens]
    while len(texts) > 2 and texts[-2] == "::" and texts[-1] in _PLAIN_CASTS:
        texts, tokens = texts[:-2], tokens[:-2]
    while len(texts) > 3 and texts[0] in _KEEPS and texts[1] == "(" and texts[-1] == ")":
        texts, tokens = texts[2:-1], tokens[2:-1]
    if len(texts) == 3 and texts[1] == ".":
        tables = list(given.rows) if texts[0] in _ROWS else []
        named = (given.named or {}).get(texts[0])
        tables += [named] if named is not None else []
    elif len(texts) == 1 and tokens[0].kind in ("word", "quoted"):
        tables = list({id(t): t for t in (given.named or {}).values()}.values())
    else:
        return
    if len(texts) == 1 and texts[0] in given.variables:
        yield given.variables[texts[0]]
        return
    for table in tables:
        column = table.column(texts[-1])
        if column is not None:
            yield table, column


def _assigned(statement: Statement, schema: Schema, rows: Sequence[Table]) -> Iterator[Unfit]:
    """Yield what `NEW.code := NEW.name` copies."""
    source: Source = statement.source
    for inside in _bodies(statement):
        for part in split(inside, ";"):
            texts = [t.value for t in part]
            for at in range(len(part) - 4):
                if texts[at : at + 2] != ["new", "."] or texts[at + 3] != ":=":
                    continue
                for table in rows:
                    column = schema.resolved(table).column(texts[at + 2])
                    if column is None:
                        continue
                    for other, given in _read(part[at + 4 :], _Given(rows)):
                        found = beyond(schema, schema.resolved(other), given, column_type(schema, table, column))
                        if found and (other.full_name, given.name) != (table.full_name, column.name):
                            yield unfit("copy", table, column, found, source.place(part[at].start, part[-1].end))
