"""Sequences: where each begins, and what it gives out at most, as CREATE SEQUENCE, ALTER SEQUENCE and setval say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Token
from squads.gates.sql.model import Schema

_MOST = {"smallint": 2**15 - 1, "int2": 2**15 - 1, "integer": 2**31 - 1, "int": 2**31 - 1, "int4": 2**31 - 1}
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Given:
    """What a sequence gives out."""

    first: int = 1
    """The number it begins with, or is set to last."""
    most: int = _LARGEST


def sequences(schema: Schema) -> dict[str, Given]:
    """Return every sequence that the artifact makes, by its name without a schema; a later statement wins."""
    found: dict[str, Given] = {}
    for spoken in schema.spoken:
        source, tokens = spoken.statement
        words = [t.value for t in tokens[:6]]
        if "sequence" in words[:3] and words[0] in ("create", "alter"):
            cursor = Cursor(source, tokens[words.index("sequence") + 1 :])
            if not cursor.accept("if", "not", "exists"):
                cursor.accept("if", "exists")
            if cursor.done or cursor.tokens[cursor.at].kind not in ("word", "quoted"):
                continue
            name = cursor.qualified()[1]
            known = found.get(name, Given())
            if words[0] == "create" or name in found:
                found[name] = _with_options(known, [t.value for t in cursor.rest()], created=words[0] == "create")
        elif words[0] == "select":
            _set_by_hand(found, tokens)
    return found


def _with_options(given: Given, words: Sequence[str], *, created: bool) -> Given:
    for name in _MOST:
        if ("as", name) in pairwise(words):
            given = replace(given, most=_MOST[name])
    most = _number(words, "maxvalue")
    least = _number(words, "minvalue")
    given = replace(given, most=most) if most is not None else given
    begins = _number(words, "start", "with") if created else _number(words, "restart", "with")
    if begins is None and created and least is not None:
        begins = least
    return replace(given, first=begins) if begins is not None else given


def _number(words: Sequence[str], name: str, fill: str = "") -> int | None:
    for at, word in enumerate(words):
        if word == name and words[at - 1 : at] != ["no"]:
            rest = [w for w in words[at + 1 : at + 4] if w != fill or not fill]
            sign, digits = (-1, rest[1:2]) if rest[:1] == ["-"] else (1, rest[:1])
            if digits and digits[0].replace("_", "").isdecimal():
                return sign * int(digits[0].replace("_", "")[:30])
    return None


def _set_by_hand(found: dict[str, Given], tokens: Sequence[Token]) -> None:
    """`SELECT setval('parcel_id_seq', 5000000000)`."""
    for at, token in enumerate(tokens[:-5]):
        if token.kind == "word" and token.value == "setval" and tokens[at + 2].kind == "string":
            name = tokens[at + 2].value.rsplit(".", 1)[-1].strip('"')
            number = tokens[at + 4]
            if name in found and tokens[at + 3].text == "," and number.text.isdecimal():
                found[name] = replace(found[name], first=int(number.text[:30]))


def counted(schema: Schema, tokens: Sequence[Token]) -> list[Token]:
    """Return an expression's tokens with the first number of a sequence in the place of each `nextval('...')`."""
    if not any(t.value == "nextval" for t in tokens):
        return list(tokens)
    known = sequences(schema)
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        name = _drawn(tokens, at)
        if name in known and known[name].first >= 0:
            text = str(known[name].first)
            found.append(tokens[at]._replace(kind="number", text=text, value=text))
            while tokens[at].text != ")":
                at += 1
        else:
            found.append(tokens[at])
        at += 1
    return found


def drawn(tokens: Sequence[Token]) -> str:
    """Return the name of the sequence that an expression draws its number from; empty for any other."""
    return _drawn(tokens, 0) if tokens and tokens[-1].text == ")" else ""


def _drawn(tokens: Sequence[Token], at: int) -> str:
    named = [t.kind for t in tokens[at : at + 3]] == ["word", "mark", "string"] and tokens[at].value == "nextval"
    closed = any(t.text == ")" for t in tokens[at + 3 : at + 8])
    return tokens[at + 2].value.rsplit(".", 1)[-1].strip('"') if named and closed else ""
