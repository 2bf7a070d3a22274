"""Which constants an artifact's own statements store in which columns: INSERT, UPDATE, MERGE and COPY.

Yields a value only where the column is certain: named, or counted off in a table whose columns are all known. Each
comes with its column as it was declared at that moment. What reads a row, a parameter or a function is somebody else's
question and is left out. Statements that store rows but cannot be read here store nothing as far as this file knows:
PostgreSQL refuses them itself, or they hold no constants.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO

from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.lists import alternatives, end_of_level, listed_tables, rows_of
from squads.gates.sql.lex import Source, Token, split
from squads.gates.sql.model import Column, Schema, Table
from squads.gates.sql.writes import Write
from squads.gates.words import word_set

_BEFORE_UPDATE = frozenset(("", "(", ";", ")", *word_set("explain analyze verbose begin then else loop atomic")))
_SET_ENDS = word_set("from where returning when")
_COPY_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Stored:
    """One value on its way into a column."""

    table: Table
    column: Column
    tokens: Sequence[Token]
    """The expression; empty when `constant` is known already."""
    source: Source
    start: int
    end: int
    write: Write
    constant: Constant | None = None
    parameter: bool = False

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.source.place(self.start, self.end)


Settled = Callable[[Schema, Table, Column], Callable[[str], bool]]
"""Gives for a column the quick test of texts that certainly fit; they are left out."""


def stored(write: Write, final: Schema, settled: Settled | None = None) -> Iterator[Stored]:
    """Yield the values that a statement stores, each with its column; those that are `settled` are left out.

    A table that is created only later, because seeds read before migrations, is taken from the `final` schema.
    """
    if not all(t.complete for t in _targets(write)):
        write = replace(write, schema=final)
    if write.statement.tokens[0].value == "copy":
        yield from _copied(write, settled)
        return
    for value in _values(write):
        if settled is not None and len(value.tokens) == 1:
            (token,) = value.tokens
            plain = token.kind == "number" or (token.kind == "string" and token.text[0] == "'")
            if plain and settled(write.schema, value.table, value.column)(token.value):
                continue
        yield value


def _values(write: Write) -> Iterator[Stored]:
    source, tokens = write.statement
    alone = tokens[0].value == "insert"
    for number, token in enumerate(tokens[:1] if alone else tokens):
        if token.kind != "word" or token.value not in ("insert", "update", "merge"):
            continue
        following = tokens[number + 1].value if number + 1 < len(tokens) else ""
        before = tokens[number - 1].value if number else ""
        cursor = Cursor(source, tokens[number + 1 : end_of_level(tokens, number)])
        if following == "into" and token.value == "insert":
            yield from _inserted(write, cursor)
        elif following == "into" and token.value == "merge":
            yield from _merged(write, cursor)
        elif token.value == "update" and before in _BEFORE_UPDATE:
            yield from _updated(write, cursor)


def columns_in_order(schema: Schema, table: Table) -> list[Column] | None:
    """Return a table's columns as a row without a column list fills them, or None when that is not known."""
    if not schema.whole(table) or table.from_query or any(t.from_query for t in schema.ancestors(table)):
        return None
    names: dict[str, Column] = {}
    if not (table.partition and table.columns):
        for parent in table.parents:
            above = next((t for t in schema.tables if t.full_name == parent), None)
            for column in (columns_in_order(schema, above) or []) if above else []:
                names.setdefault(column.name, column)
    for column in table.columns:
        names.setdefault(column.name, column)
    return list(names.values())


def _targets(write: Write) -> list[Table]:
    """Return the tables that a statement names behind INTO, UPDATE or COPY; an unknown one as incomplete."""
    source, tokens = write.statement
    unknown = Table(schema="", name="", complete=False, place=source.place(0, 0))
    found: list[Table] = []
    for number, token in enumerate(tokens[: 2 if tokens[0].value == "insert" else None][: len(tokens) - 1]):
        before = tokens[number - 1].value if number else ""
        begins = {"into": ("insert", "merge"), "update": _BEFORE_UPDATE, "copy": ("",)}.get(token.value, ())
        if token.kind == "word" and before in begins:
            following = tokens[number + 1]
            named = following.kind == "quoted" or (following.kind == "word" and following.value not in ("set", "only"))
            found += [write.table(Cursor(source, tokens[number + 1 :]).qualified()) or unknown] if named else []
        if len(found) > 4:
            break
    return found


def _target(write: Write, cursor: Cursor) -> Table | None:
    if cursor.done or cursor.tokens[cursor.at].kind not in ("word", "quoted"):
        return None
    return write.table(cursor.qualified())


def _by_name(schema: Schema, table: Table) -> Mapping[str, Column]:
    """Return a table's columns, inherited ones included."""
    columns = schema.resolved(table).columns if table.parents else table.columns
    return {c.name: c for c in columns}


def _named(columns: Mapping[str, Column], part: Sequence[Token]) -> Column | None:
    """Return the column that one entry of a column list names; None for `point.x` and `list[1]`."""
    return columns.get(part[0].value) if len(part) == 1 and part[0].kind in ("word", "quoted") else None


def _inserted(write: Write, cursor: Cursor) -> Iterator[Stored]:
    cursor.expect("into")
    table = _target(write, cursor)
    if table is None:
        return
    if cursor.accept("as"):
        cursor.take()
    known = _by_name(write.schema, table)
    columns: Sequence[Column | None] | None = None
    if cursor.peek() == "(" and cursor.peek(1) not in ("select", "values", "with"):
        columns = [_named(known, part) for part in split(cursor.group())]
    else:
        columns = columns_in_order(write.schema, table)
    if cursor.accept("overriding"):
        cursor.take()
        cursor.accept("value")
    given = listed_tables(write, cursor)
    for row in rows_of(cursor, given):
        if columns is not None and len(row) <= len(columns):
            for column, tokens in zip(columns, row, strict=False):
                yield from _one(write, table, column, tokens, cursor.source)
    while not cursor.done:
        if cursor.accept("do", "update", "set"):
            yield from _set(write, table, cursor)
        else:
            cursor.skip()


def _updated(write: Write, cursor: Cursor) -> Iterator[Stored]:
    cursor.accept("only")
    table = _target(write, cursor)
    if table is None:
        return
    cursor.accept("*")
    cursor.accept("as")
    if not cursor.ahead("set"):
        if cursor.done or cursor.tokens[cursor.at].kind not in ("word", "quoted"):
            return
        cursor.take()
    if cursor.accept("set"):
        yield from _set(write, table, cursor)


def _set(write: Write, table: Table, cursor: Cursor) -> Iterator[Stored]:
    """Take `a = 1, (b, c) = (2, 3)` and yield what is stored."""
    start, known = cursor.at, _by_name(write.schema, table)
    inside = 0  # of CASE, whose WHEN ends nothing
    while not cursor.done and (inside or not (cursor.peek() in _SET_ENDS and cursor.tokens[cursor.at].kind == "word")):
        inside += (cursor.peek() == "case") - (cursor.peek() == "end")
        cursor.skip()
    for part in split(cursor.tokens[start : cursor.at]):
        inner = Cursor(cursor.source, part)
        if inner.peek() == "(":
            names = split(inner.group())
            if inner.accept("=") and (inner.accept("row") or True) and inner.peek() == "(":
                for name, value in zip(names, split(inner.group()), strict=False):
                    yield from _one(write, table, _named(known, name), value, cursor.source)
        elif len(part) > 2 and part[1].text == "=":
            yield from _one(write, table, _named(known, part[:1]), part[2:], cursor.source)


def _merged(write: Write, cursor: Cursor) -> Iterator[Stored]:
    cursor.expect("into")
    cursor.accept("only")
    table = _target(write, cursor)
    while table is not None and not cursor.done:
        if cursor.accept("then", "update", "set"):
            yield from _set(write, table, cursor)
        elif cursor.accept("then", "insert"):
            known = _by_name(write.schema, table)
            columns: Sequence[Column | None] | None = columns_in_order(write.schema, table)
            if cursor.peek() == "(":
                columns = [_named(known, part) for part in split(cursor.group())]
            if cursor.accept("values") and cursor.peek() == "(":
                for column, tokens in zip(columns or (), split(cursor.group()), strict=False):
                    yield from _one(write, table, column, tokens, cursor.source)
        else:
            cursor.skip()


def _one(
    write: Write, table: Table, column: Column | None, tokens: Sequence[Token], source: Source
) -> Iterator[Stored]:
    if column is not None and tokens and not (len(tokens) == 1 and tokens[0].value == "default"):
        for part in alternatives(tokens):
            yield Stored(table, column, part, source, part[0].start, part[-1].end, write)


def _copied(write: Write, settled: Settled | None) -> Iterator[Stored]:
    source, tokens = write.statement
    cursor = Cursor(source, tokens)
    cursor.expect("copy")
    if cursor.peek() == "(":
        return
    table = _target(write, cursor)
    if table is None:
        return
    known = _by_name(write.schema, table)
    columns: Sequence[Column | None] | None = columns_in_order(write.schema, table)
    if cursor.peek() == "(":
        columns = [_named(known, part) for part in split(cursor.group())]
    if columns is None or not cursor.accept("from", "stdin"):
        return
    options = [t for t in cursor.rest() if t.kind in ("word", "string")]
    words = [t.value for t in options if t.kind == "word"]
    if "binary" in words:
        return
    delimiter, null = _option(options, "delimiter"), _option(options, "null")
    is_csv = "csv" in words
    null = null if null is not None else "" if is_csv else "\\N"
    quick = [settled(write.schema, table, c) if settled is not None and c is not None else None for c in columns]
    for start, end, fields in _fields(source, tokens[-1].end, is_csv, delimiter, "header" in words):
        if len(fields) != len(columns):
            continue
        for column, sure, text in zip(columns, quick, fields, strict=True):
            if column is None or text == null or (sure is not None and sure(text)):
                continue  # with its escapes a text is never shorter than without
            plain = text if is_csv else _unescaped(text)
            yield Stored(table, column, (), source, start, end, write, Constant("literal", text=plain))


def _option(options: Sequence[Token], name: str) -> str | None:
    """Return the string that follows the option `name`, whether or not AS stands between."""
    for number, token in enumerate(options):
        if token.kind == "word" and token.value == name:
            for other in options[number + 1 : number + 3]:
                if other.kind == "string":
                    return "\t" if other.value == "\\t" else other.value
    return None


def _fields(
    source: Source, position: int, is_csv: bool, delimiter: str | None, header: bool
) -> Iterator[tuple[int, int, list[str]]]:
    r"""Yield (start, end, fields) of the data lines behind a COPY statement, up to `\.`"""
    text = source.text
    position = text.find("\n", position) + 1
    while 0 < position < len(text):
        end = text.find("\n", position)
        end = end if end >= 0 else len(text)
        line = text[position:end].removesuffix("\r")
        if line.rstrip() == "\\.":
            return
        if header:
            header = False
        elif is_csv:
            try:
                yield position, end, next(csv.reader(StringIO(line), delimiter=delimiter or ","), [])
            except (csv.Error, TypeError):
                return
        else:
            yield position, end, line.split(delimiter or "\t")
        position = end + 1


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] or found[2]:
            return chr(int(found[1], 16) if found[1] else int(found[2], 8))
        return _ESCAPES.get(found[3], found[3])

    return _COPY_ESCAPE.sub(one, text) if "\\" in text else text
