"""Columns that are stores by what is done to them: taken from, after it was asked whether enough is there.

`SELECT gold INTO have ...; IF have < n THEN RAISE ...; UPDATE ... SET gold = gold - n` says that less than nothing must
not be, and keeps nobody else from it. What the column is called does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from squads.gates.place import Place
from squads.gates.sql.fits.routines import Body, bodies
from squads.gates.sql.lex import Token
from squads.gates.sql.model import Schema, TableName
from squads.gates.words import word_set

_ONLY_SAYS = word_set("notice warning info log debug")


def debited(schema: Schema) -> dict[tuple[TableName, str], Place]:
    """Return the columns that routines take from after asking whether enough is there, and where they do."""
    found: dict[tuple[TableName, str], Place] = {}
    for body in bodies(schema):
        if _locks(body):
            continue
        for table, column, at in _taken(schema, body):
            if _asked(body, column, at) and (table, column) not in found:
                part = body.parts[at]
                found[table, column] = body.source.place(part[0].start, part[-1].end)
    return found


def _locks(body: Body) -> bool:
    """Return whether a body locks rows before it reads them."""
    words = [t.value if t.kind == "word" else "" for t in body.tokens]
    pairs = set(pairwise(words))
    return bool(pairs & {("for", "update"), ("key", "update")}) or "pg_advisory_xact_lock" in words


def moved(schema: Schema) -> frozenset[str]:
    """Return the columns that routines set to themselves, more or less: `SET reserved = reserved + n`."""
    found: set[str] = set()
    for body in bodies(schema):
        for part in body.parts:
            found |= {
                a.value
                for a, b, c, d in zip(part, part[1:], part[2:], part[3:], strict=False)
                if b.text == "=" and c.value == a.value and d.text in ("+", "-")
            }
    return frozenset(found)


def _taken(schema: Schema, body: Body) -> Iterator[tuple[TableName, str, int]]:
    """Yield the columns that a body sets to themselves less something: table, column, statement."""
    for number, part in enumerate(body.parts):
        names = [t.value for t in part if t.kind in ("word", "quoted")]
        if "update" not in names or "set" not in names:
            continue
        tables = [t for t in schema.tables if t.name in names[names.index("update") + 1 : names.index("set")]]
        for at in range(len(part) - 3):
            name = part[at].value
            rest = [t.text for t in part[at + 1 : at + 5]]
            plain = rest[:1] == ["="] and part[at + 2].value == name and rest[2:3] == ["-"]
            qualified = rest[:1] == ["="] and rest[2:3] == ["."] and part[min(at + 4, len(part) - 1)].value == name
            minus = qualified and at + 5 < len(part) and part[at + 5].text == "-"
            if part[at].kind in ("word", "quoted") and (plain or minus):
                yield from ((t.full_name, name, number) for t in tables if schema.resolved(t).column(name) is not None)


def _asked(body: Body, column: str, at: int) -> bool:
    """Return whether a body refuses where a column, or a name it was read into, is less than something."""
    read = {column} | _read_into(body, column)
    for part in body.parts:
        words = [t.value if t.kind == "word" else "" for t in part]
        if "if" not in words:
            continue
        then = words.index("then") if "then" in words else len(words)
        condition = part[words.index("if") + 1 : then]
        compares = any(t.text in ("<", ">", "<=", ">=") for t in condition)
        speaks = any(t.kind in ("word", "quoted") and t.value in read for t in condition)
        if compares and speaks and _refuses(words[then:]):
            return True
    return False


def _refuses(words: Sequence[str]) -> bool:
    if "return" in words and words[words.index("return") + 1 : words.index("return") + 2] in (["false"], ["null"]):
        return True
    return any(a == "raise" and b not in _ONLY_SAYS for a, b in pairwise([*words, ""]))


def _read_into(body: Body, column: str) -> set[str]:
    """Return the local names that a column is read into."""
    found: set[str] = set()
    for part in body.parts:
        words: list[str] = [t.value if t.kind in ("word", "quoted") else t.text for t in part]
        if "select" in words and "into" in words:
            begin, into = words.index("select"), words.index("into")
            targets = _targets(part[into + 1 :])
            if column in words[begin:into]:
                found |= set(targets)
    return found


def _targets(tokens: Sequence[Token]) -> Iterator[str]:
    for at, token in enumerate(tokens):
        if at % 2 == 0 and token.kind in ("word", "quoted"):
            if token.value == "strict":
                continue
            yield token.value
        elif token.text != ",":
            return
