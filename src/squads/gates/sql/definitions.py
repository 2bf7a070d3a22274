"""What stands inside CREATE TABLE's brackets and behind ALTER TABLE ... ADD: columns and constraints.

PostgreSQL's grammar for these is small and closed. Every word is either understood or ends in `CannotLook`; a word
skipped here could be the one that takes a guarantee away (NOT ENFORCED) or gives one (NULLS NOT DISTINCT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Source, Token, split, text_of
from squads.gates.sql.model import Check, Column, Element, Key, Reference, TableName
from squads.gates.words import word_set

_STARTS_CONSTRAINT = word_set(
    "constraint not null check default generated unique primary references collate deferrable initially storage "
    "compression options enforced"
)
_TYPE_WORDS = word_set(
    "precision varying with without time zone array character char year month day hour minute second to type"
)
"""What may follow a type's first word: double precision, timestamp with time zone, interval year to month."""
_ENDS_KEY_ELEMENT = frozenset(("asc", "desc", "nulls", "collate"))
_SERIAL = word_set("serial bigserial smallserial serial2 serial4 serial8")


@dataclass(slots=True)
class Parts:
    """What one definition adds to a table; constraints written without a name get theirs from `labels`."""

    columns: list[Column] = field(default_factory=list)
    not_null: set[str] = field(default_factory=set)
    keys: list[Key] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    others: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    """(name or empty, columns, label) of constraints that are not read."""
    references: list[Reference] = field(default_factory=list)
    """Foreign keys, which stand in `others` too."""
    copies: list[tuple[TableName, frozenset[str], Place]] = field(default_factory=list)
    """LIKE clauses: (table, what they include, place)."""


def read_items(source: Source, tokens: Sequence[Token], *, typed: bool = True) -> Parts:
    """Return what the comma-separated items of CREATE TABLE define; `typed` is False for partitions' options."""
    parts = Parts()
    for item in split(tokens):
        if not item:
            if len(tokens) == 0:
                return parts
            Cursor(source, tokens).fail("an item between two commas is empty")
        cursor = Cursor(source, item)
        if not read_table_constraint(cursor, parts):
            read_column(cursor, parts, typed=typed)
    return parts


def read_table_constraint(cursor: Cursor, parts: Parts) -> bool:
    """Read a table constraint or LIKE clause into `parts`; False, with nothing taken, if none begins here."""
    start = cursor.at
    if cursor.peek() == "like" and cursor.peek(1) != "":
        return _read_like(cursor, parts)
    name = ""
    if cursor.accept("constraint"):
        name = cursor.name()
    elif not _begins_table_constraint(cursor):
        return False
    if cursor.accept("check"):
        _read_check(cursor, parts, name, start)
    elif cursor.accept("unique") or cursor.accept("primary", "key"):
        _read_key(cursor, parts, name, start)
    elif cursor.accept("exclude"):
        _read_exclusion(cursor, parts, name)
    elif cursor.accept("foreign", "key"):
        columns = tuple(t.value for t in cursor.group() if t.kind in ("word", "quoted"))
        cursor.expect("references")
        _read_reference(cursor, parts, name, columns, start)
    elif cursor.accept("not", "null"):
        column = cursor.name()
        cursor.accept("no", "inherit")
        cursor.accept("not", "valid")
        parts.not_null.add(column)
        parts.others.append((name, (column,), "not_null"))
    else:
        cursor.fail("expected a table constraint")
    _skip_timing(cursor)
    if not cursor.done:
        cursor.fail("something after the constraint that is not known")
    return True


def read_column(cursor: Cursor, parts: Parts, *, typed: bool = True) -> None:
    """Read `name type constraints...` into `parts`."""
    start = cursor.at
    name = cursor.name()
    type_name = _read_type(cursor) if typed else ""
    if not typed:
        cursor.accept("with", "options")
    place = cursor.source.place(cursor.tokens[start].start, cursor.tokens[-1].end)
    identity: list[Token] = []
    generated, default = _read_column_constraints(cursor, parts, name, place, identity)
    if type_name in _SERIAL:
        parts.not_null.add(name)
    if typed:
        parts.columns.append(
            Column(
                name=name,
                type=type_name,
                generated=generated,
                default=default,
                default_place=place,
                identity_max=_identity_option(identity, "maxvalue"),
                place=place,
            )
        )


def read_type(cursor: Cursor) -> str:
    """Take a type that is followed by nothing but COLLATE, USING or the end."""
    return _read_type(cursor, ends=frozenset(("collate", "using")))


def read_elements(source: Source, tokens: Sequence[Token]) -> tuple[Element, ...]:
    """Return the members of an index: columns and expressions, without order and operator classes."""
    return tuple(_read_element(Cursor(source, part)) for part in split(tokens))


def _read_element(cursor: Cursor) -> Element:
    if cursor.done:
        cursor.fail("an index member between two commas is empty")
    if cursor.peek() == "(":
        inside = cursor.group()
        named = len(inside) == 1 and inside[0].kind in ("word", "quoted")
        element = Element(column=inside[0].value) if named else Element(expression=text_of(inside))
    elif cursor.peek(1) in ("(", "."):
        start = cursor.at
        cursor.qualified()
        cursor.group()
        element = Element(expression=text_of(cursor.tokens[start : cursor.at]))
    else:
        element = Element(column=cursor.name())
    if cursor.accept("collate"):
        cursor.qualified()
    if not cursor.done and cursor.peek() not in _ENDS_KEY_ELEMENT:  # an operator class
        cursor.qualified()
        if cursor.peek() == "(":
            cursor.group()
    if not cursor.accept("asc"):
        cursor.accept("desc")
    if cursor.accept("nulls") and not cursor.accept("first"):
        cursor.expect("last")
    if not cursor.done:
        cursor.fail("an index member that is not known")
    return element


def _begins_table_constraint(cursor: Cursor) -> bool:
    pair = (cursor.peek(), cursor.peek(1))
    return (
        pair in (("check", "("), ("unique", "("), ("unique", "nulls"), ("primary", "key"), ("foreign", "key"))
        or pair in (("exclude", "using"), ("exclude", "("))
        or pair == ("not", "null")
    )


def _read_like(cursor: Cursor, parts: Parts) -> bool:
    start = cursor.at
    cursor.expect("like")
    table = cursor.qualified()
    included: set[str] = set()
    while not cursor.done:
        adds = cursor.accept("including")
        if not adds:
            cursor.expect("excluding")
        option = cursor.name()
        options = {"constraints", "indexes", "generated", "defaults"} if option == "all" else {option}
        included = included | options if adds else included - options
    parts.copies.append((table, frozenset(included), cursor.place(start)))
    return True


def _read_type(cursor: Cursor, ends: frozenset[str] = _STARTS_CONSTRAINT) -> str:
    if cursor.done or cursor.tokens[cursor.at].kind not in ("word", "quoted"):
        cursor.fail("expected a type")
    taken: list[str] = []
    while not cursor.done and cursor.peek() not in ends:
        token = cursor.tokens[cursor.at]
        after_dot = bool(taken) and taken[-1].endswith(".")
        named = token.kind in ("word", "quoted") and (not taken or after_dot or token.value in _TYPE_WORDS)
        if not named and token.text not in ("(", "[", ".", "%"):
            cursor.fail("this is not part of a type")
        start = cursor.at
        cursor.skip()
        part = "".join(t.value for t in cursor.tokens[start : cursor.at])
        glued = not taken or token.text in ("(", "[", ".", "%") or taken[-1].endswith((".", "%"))
        taken.append(part if glued else f" {part}")
    return "".join(taken)


def _read_column_constraints(
    cursor: Cursor, parts: Parts, column: str, place: Place, identity: list[Token]
) -> tuple[str, str]:
    """Take all of a column's constraints; return its generation expression and its default, empty if it has none.

    The options of an identity column's sequence are added to `identity`.
    """
    generated, default = "", ""
    while not cursor.done:
        start = cursor.at
        name = cursor.name() if cursor.accept("constraint") else ""
        if cursor.accept("not", "null"):
            parts.not_null.add(column)
            parts.others.append((name, (column,), "not_null"))
            cursor.accept("no", "inherit")
        elif cursor.accept("null"):
            pass
        elif cursor.accept("check"):
            _read_check(cursor, parts, name, start, column=column)
        elif cursor.accept("unique") or cursor.accept("primary", "key"):
            _read_key(cursor, parts, name, start, column=column, place=place)
        elif cursor.accept("default"):
            default = _read_default(cursor)
        elif cursor.accept("generated"):
            if not cursor.accept("always"):
                cursor.expect("by", "default")
            cursor.expect("as")
            if cursor.accept("identity"):
                parts.not_null.add(column)
                if cursor.peek() == "(":
                    identity += cursor.group()
                    default = _identity_option(identity, "start", "with")
            else:
                generated = text_of(cursor.group())
                if not cursor.accept("stored"):
                    cursor.accept("virtual")
        elif cursor.accept("references"):
            _read_reference(cursor, parts, name, (column,), start)
        elif cursor.accept("collate") or cursor.accept("storage") or cursor.accept("compression"):
            cursor.qualified()
        elif cursor.accept("options"):
            cursor.group()
        elif not _skip_timing(cursor):
            cursor.fail("a column constraint that PostgreSQL does not know")
    return generated, default


def _read_check(cursor: Cursor, parts: Parts, name: str, start: int, column: str = "") -> None:
    condition = text_of(cursor.group())
    enforced, inherited = True, True
    while True:
        if cursor.accept("no", "inherit"):
            inherited = False
        elif cursor.accept("not", "enforced"):
            enforced = False
        elif not (cursor.accept("not", "valid") or cursor.accept("enforced")):
            break
    check = Check(name=name, condition=condition, inherited=inherited, place=cursor.place(start))
    if enforced:
        parts.checks.append(check)
    else:
        parts.others.append((name, (column,) if column else (), "check"))


def _read_key(
    cursor: Cursor, parts: Parts, name: str, start: int, column: str = "", place: Place | None = None
) -> None:
    primary = cursor.tokens[cursor.at - 1].value == "key"
    distinct = _nulls_distinct(cursor)
    if not column and cursor.accept("using", "index"):
        cursor.fail("UNIQUE USING INDEX belongs to ALTER TABLE")
    elements: tuple[Element, ...] = (Element(column=column),)
    if not column:
        members = []
        for part in split(cursor.group()):
            inner = Cursor(cursor.source, part)
            members.append(Element(column=inner.name()))
            inner.accept("without", "overlaps")
            if inner.accept("collate"):  # SQLite takes a collation and an order here
                inner.qualified()
            if not inner.accept("asc"):
                inner.accept("desc")
            if not inner.done:
                inner.fail("a member of a key that is not a plain column")
        elements = tuple(members)
    distinct = _nulls_distinct(cursor) and distinct
    skip_index_parameters(cursor)
    if primary:
        parts.not_null.update(e.column for e in elements)
    parts.keys.append(
        Key(
            name=name,
            elements=elements,
            nulls_distinct=distinct,
            primary=primary,
            place=place or cursor.place(start),
        )
    )


def skip_index_parameters(cursor: Cursor) -> None:
    """Take INCLUDE (...), WITH (...) and TABLESPACE, which say nothing about uniqueness."""
    while True:
        if cursor.accept("include") or (cursor.ahead("with", "(") and cursor.accept("with")):
            cursor.group()
        elif cursor.accept("using", "index", "tablespace") or cursor.accept("tablespace"):
            cursor.name()
        else:
            return


def _nulls_distinct(cursor: Cursor) -> bool:
    if cursor.accept("nulls", "not", "distinct"):
        return False
    cursor.accept("nulls", "distinct")
    return True


def _read_exclusion(cursor: Cursor, parts: Parts, name: str) -> None:
    """Take EXCLUDE (...). Only `=` throughout would be a unique key by another name; that is read as one."""
    start = cursor.at - 1
    if cursor.accept("using"):
        cursor.name()
    members, equal = [], True
    for part in split(cursor.group()):
        words = [t.value if t.kind == "word" else "" for t in part]
        if "with" not in words:
            Cursor(cursor.source, part).fail("an exclusion without WITH operator")
        cut = len(words) - 1 - words[::-1].index("with")
        equal = equal and [t.text for t in part[cut + 1 :]] == ["="]
        members.append(_read_element(Cursor(cursor.source, part[:cut])))
    skip_index_parameters(cursor)
    predicate = text_of(cursor.group()) if cursor.accept("where") else ""
    if equal:
        key = Key(name=name, elements=tuple(members), predicate=predicate, place=cursor.place(start))
        parts.keys.append(key)
    else:
        parts.others.append((name, tuple(m.column or "expr" for m in members), "excl"))


def _read_reference(cursor: Cursor, parts: Parts, name: str, columns: tuple[str, ...], start: int) -> None:
    table, targets = cursor.qualified(), tuple[str, ...]()
    if cursor.peek() == "(":
        targets = tuple(t.value for t in cursor.group() if t.kind in ("word", "quoted"))
    _skip_actions(cursor)
    made = Reference(name=name, columns=columns, table=table, targets=targets, place=cursor.place(start))
    parts.references.append(made)
    parts.others.append((name, columns, "fkey"))


def _skip_actions(cursor: Cursor) -> None:
    while True:
        if cursor.accept("match"):
            cursor.name()
        elif cursor.accept("on", "delete") or cursor.accept("on", "update"):
            if cursor.accept("set"):
                cursor.name()
                if cursor.peek() == "(":
                    cursor.group()
            elif not cursor.accept("no", "action"):
                cursor.name()
        elif not (cursor.accept("not", "valid") or cursor.accept("not", "enforced")):
            return


def _skip_timing(cursor: Cursor) -> bool:
    """Take DEFERRABLE, INITIALLY ... and the words that may stand between them; return whether any was there."""
    found = False
    while True:
        if cursor.accept("not", "deferrable") or cursor.accept("deferrable") or cursor.accept("not", "valid"):
            found = True
        elif cursor.accept("initially"):
            cursor.name()
            found = True
        elif cursor.accept("enforced") or cursor.accept("not", "enforced"):
            found = True
        else:
            return found


def _identity_option(options: Sequence[Token], name: str, *fill: str) -> str:
    """Return the number that an option of an identity column's sequence is given, empty where it has none."""
    words = [t.value for t in options]
    at = words.index(name) + 1 if name in words else len(words)
    at += words[at : at + 1] == list(fill)
    return text_of(options[at : at + 1]) if words[at : at + 1] != ["-"] else ""


def _read_default(cursor: Cursor) -> str:
    """Take a default: one operand, then everything up to the next constraint; an operator takes one more operand."""
    start, needs_operand = cursor.at, True
    while not cursor.done and (needs_operand or cursor.peek() not in _STARTS_CONSTRAINT):
        needs_operand = cursor.tokens[cursor.at].kind == "op"
        cursor.skip()
    return text_of(cursor.tokens[start : cursor.at])
