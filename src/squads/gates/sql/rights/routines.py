"""Functions, procedures and triggers as they are written: whose rights they run with, where they look up names.

A routine's head may hold its clauses in any order; they are found by their words, and a clause that says nothing
about rights is passed over. The bodies are read by `bodies.py`. Nothing here judges anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Source, Token, split, tokens_of
from squads.gates.sql.model import TableName, quoted
from squads.gates.words import word_set

CURRENT = "from current"
"""Stands in a path for SET search_path FROM CURRENT, where nothing says what is current."""

_TYPE_ALIASES = {
    "int": "integer",
    "int4": "integer",
    "serial": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "bool": "boolean",
    "varchar": "character varying",
    "char": "character",
    "bpchar": "character",
    "decimal": "numeric",
    "float": "double precision",
    "float8": "double precision",
    "float4": "real",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
    "varbit": "bit varying",
}
_TWO_WORD_TYPES = {
    ("double", "precision"),
    ("character", "varying"),
    ("char", "varying"),
    ("bit", "varying"),
    ("national", "character"),
    ("national", "char"),
    ("timestamp", "with"),
    ("timestamp", "without"),
    ("time", "with"),
    ("time", "without"),
}
_MODES = word_set("in out inout variadic")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """One function or procedure, as it stands after all statements."""

    schema: str
    name: str
    arguments: tuple[str, ...] = ()
    """Types of what is passed in, in one spelling each."""
    required: int = 0
    """How many of them have no default."""
    variadic: bool = False
    kind: str = "function"
    returns: str = ""
    language: str = "sql"
    definer: bool = False
    path: tuple[str, ...] | None = None
    """SET search_path, its schemas in order; None where none is set."""
    body: Token | None = field(default=None, compare=False)
    """The quoted body."""
    inline: tuple[Token, ...] = field(default=(), compare=False)
    """The body after BEGIN ATOMIC or RETURN, whose names were bound when it was created."""
    source: Source | None = field(default=None, compare=False)
    owner: str = ""
    """The role that owns it; empty for whoever runs the artifact."""
    created: bool = True
    """False when only ALTER FUNCTION is in the artifact."""
    place: Place

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """What tells overloads apart."""
        return (self.schema, self.name, self.arguments)

    @property
    def fires(self) -> bool:
        """Whether only triggers can call it."""
        return self.returns in ("trigger", "event_trigger")

    def __str__(self) -> str:
        named = quoted(self.name) if self.schema == "public" else f"{quoted(self.schema)}.{quoted(self.name)}"
        return f"{named}({', '.join(self.arguments)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One trigger on a table or view."""

    name: str
    relation: TableName
    events: frozenset[str]
    columns: frozenset[str] = frozenset()
    """What UPDATE OF names; empty for every column."""
    transition: frozenset[str] = frozenset()
    """Names that REFERENCING gives to the changed rows."""
    function: TableName
    condition: tuple[Token, ...] = field(default=(), compare=False)
    enabled: bool = True
    before: bool = False
    each_row: bool = False
    place: Place


def read_routine(cursor: Cursor, *, kind: str, home: str) -> Routine:
    """Return what CREATE FUNCTION or CREATE PROCEDURE says, from its name on. `home` is the schema it goes to."""
    schema, name = cursor.qualified()
    start = cursor.at
    arguments, required, variadic = (
        read_arguments(cursor.source, cursor.group()) if cursor.peek() == "(" else ((), 0, 0)
    )
    if start == cursor.at:
        cursor.fail("expected the arguments in brackets")
    routine = Routine(
        schema=schema or home,
        name=name,
        arguments=arguments,
        required=required,
        variadic=bool(variadic),
        kind=kind,
        source=cursor.source,
        place=cursor.source.place(cursor.tokens[0].start, cursor.tokens[-1].end),
    )
    values: dict[str, object] = {}
    while not cursor.done:
        if cursor.accept("returns", "null"):
            pass
        elif cursor.accept("returns"):
            values["returns"] = cursor.qualified()[1]
        elif cursor.accept("language"):
            values["language"] = cursor.take().value.lower()
        elif cursor.accept("security"):
            values["definer"] = cursor.accept("definer")
        elif cursor.accept("set"):
            path = read_setting(cursor)
            if path != ():
                values["path"] = path
        elif cursor.accept("as") and not cursor.done:
            values["body"] = cursor.take()
        elif cursor.accept("begin", "atomic") or cursor.accept("return"):
            values["inline"] = tuple(cursor.rest())
        elif not cursor.done:
            cursor.skip()
    return replace(routine, **values)  # type: ignore[arg-type]


def read_setting(cursor: Cursor) -> tuple[str, ...] | None:
    """Take what follows SET: the schemas of search_path, None for its default, () for any other setting."""
    cursor.accept("local")
    if not cursor.accept("search_path"):
        return ()
    if cursor.accept("from", "current"):
        return (CURRENT,)
    if not cursor.accept("to"):
        cursor.expect("=")
    if cursor.accept("default"):
        return None
    names: list[str] = []
    while not cursor.done and cursor.peek() != ";":
        while cursor.peek() in ("@", ":"):  # @extschema@ of an extension, :schema of psql
            cursor.take()
        names.append(cursor.take().value)
        cursor.accept("@")
        if not cursor.accept(","):
            break
    return tuple(names)


def read_setting_values(source: Source, tokens: Sequence[Token]) -> tuple[str, ...] | None:
    """Return the schemas that SET [LOCAL] search_path names, from the word behind SET on."""
    return read_setting(Cursor(source, tokens))


def read_arguments(source: Source, tokens: Sequence[Token]) -> tuple[tuple[str, ...], int, int]:
    """Return the types that are passed in, how many have no default, and how many are variadic."""
    types: list[str] = []
    required = variadic = 0
    for part in split(tokens):
        cursor = Cursor(source, part)
        mode = "in"
        if cursor.peek() in _MODES and len(part) > 1:
            mode = cursor.take().value
            if mode == "in" and cursor.accept("out"):
                mode = "inout"
        rest = list(cursor.rest())
        if not rest or mode == "out":
            continue
        variadic += mode == "variadic"
        ends = [n for n, t in enumerate(rest) if t.text == "=" or (t.kind == "word" and t.value == "default")]
        if ends:
            rest = rest[: ends[0]]
        else:
            required += 1
        types.append(type_name(rest))
    return tuple(types), required, variadic


def type_name(tokens: Sequence[Token]) -> str:
    """Return an argument's type in one spelling, without its name, length and schema."""
    named = len(tokens) > 1 and tokens[1].kind in ("word", "quoted")
    if named and (tokens[0].value, tokens[1].value) not in _TWO_WORD_TYPES:
        mode_after = tokens[1].value in _MODES and len(tokens) > 2
        tokens = tokens[2:] if mode_after else tokens[1:]
    words: list[str] = []
    suffix, depth = "", 0
    for number, token in enumerate(tokens):
        if token.text == "[":
            suffix += "[]"
        if token.kind == "mark":
            depth += (token.text in "([") - (token.text in ")]")
            if token.text == ".":
                words = []
        elif not depth and token.kind in ("word", "quoted"):
            if token.value == "array" and number:
                suffix = suffix or "[]"
            else:
                words.append(token.value)
    plain = " ".join(words)
    return _TYPE_ALIASES.get(plain, plain) + suffix


def read_trigger(cursor: Cursor) -> Trigger:
    """Return what CREATE TRIGGER says, from its name on; names are as written."""
    name = cursor.name()
    before = cursor.ahead("before")
    words = [t.value for t in cursor.tokens[cursor.at :] if t.kind == "word"]
    each_row = ("for", "each", "row") in zip(words, words[1:], words[2:], strict=False)
    each_row = each_row or ("for", "row") in pairwise(words)
    events: set[str] = set()
    columns: set[str] = set()
    while not cursor.done and not cursor.accept("on"):
        word = cursor.take().value
        if word in ("insert", "update", "delete", "truncate"):
            events.add(word)
        if word == "of" and "update" in events:
            columns.add(cursor.name())
            while cursor.accept(","):
                columns.add(cursor.name())
    relation = cursor.qualified()
    transition: set[str] = set()
    condition: tuple[Token, ...] = ()
    while not (cursor.ahead("execute", "function") or cursor.ahead("execute", "procedure")):
        if cursor.accept("when"):
            condition = tuple(cursor.group())
        elif cursor.accept("new", "table") or cursor.accept("old", "table"):
            cursor.accept("as")
            transition.add(cursor.name())
        else:
            cursor.skip()
    cursor.take()
    cursor.take()
    return Trigger(
        name=name,
        relation=relation,
        events=frozenset(events),
        columns=frozenset(columns),
        transition=frozenset(transition),
        function=cursor.qualified(),
        condition=condition,
        before=before,
        each_row=each_row,
        place=cursor.source.place(cursor.tokens[0].start, cursor.tokens[-1].end),
    )


def body_tokens(source: Source, token: Token) -> tuple[Source, list[Token]]:
    """Return the tokens of a quoted body, and the text that their places count in."""
    edge = (len(token.text) - len(token.value)) // 2
    start, end = token.start + edge, token.end - edge
    if token.kind == "dollar" or source.text[start:end] == token.value:
        return source, list(tokens_of(source, start, end))
    value = token.value
    if token.text[:1] in "eE":
        value = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), value, flags=re.DOTALL)
    inner = Source(source.path, value)
    return inner, list(tokens_of(inner, 0, len(value)))
