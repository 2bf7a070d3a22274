"""Which expressions of an SQL statement get a name: columns of a SELECT, SET, VALUES, keys of a document, variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from squads.gates.sql.fits.routines import closes
from squads.gates.sql.lex import Token, split
from squads.gates.sql.model import Table
from squads.gates.words import word_set

_OBJECTS = word_set("json_build_object jsonb_build_object")
_ENDS = word_set("from where group having window union intersect except order limit offset fetch for on returning into")


def given(tokens: Sequence[Token], tables: tuple[Table, ...]) -> Iterator[tuple[str, Sequence[Token]]]:
    """Yield every expression of a statement that gets a name: (name, expression)."""
    targets = _insert_targets(tokens, tables)
    first = True
    above: list[str] = []
    for at, token in enumerate(tokens):
        word = token.value if token.kind == "word" else ""
        if word == "select":
            items, into = selected(tokens, at)
            named = targets if first and targets else into
            first = False
            for number, item in enumerate(items):
                name, expression = alias_of(item)
                if number < len(named) and len(named) == len(items):
                    yield named[number], expression
                joined = tokens[at - 1].value in ("union", "all") and len(above) == len(items)
                if name or joined:
                    yield name or above[number], expression
            above = [alias_of(item)[0] for item in items]
        elif word == "values" and targets:
            n = at + 1
            while n < len(tokens) and tokens[n].text == "(":
                close = closes(tokens, n)
                yield from zip(targets, split(tokens[n + 1 : close]), strict=False)
                n = close + 2 if close + 1 < len(tokens) and tokens[close + 1].text == "," else len(tokens)
        elif word in _OBJECTS and at + 1 < len(tokens) and tokens[at + 1].text == "(":
            pairs = split(tokens[at + 2 : closes(tokens, at + 1)])
            for key, value in zip(pairs[::2], pairs[1::2], strict=False):
                if len(key) == 1 and key[0].kind == "string" and value:
                    yield key[0].value, value
        elif word == "set" and at and tokens[at - 1].value != "statistics":
            yield from _set(tokens, at)
        elif token.text == ":=" and at:
            yield tokens[at - 1].value, list(tokens[at + 1 :])


def _insert_targets(tokens: Sequence[Token], tables: tuple[Table, ...]) -> list[str]:
    words = [t.value if t.kind == "word" else "" for t in tokens]
    if "insert" not in words:
        return []
    at = words.index("insert") + 2
    while at + 2 < len(tokens) and tokens[at + 1].text == ".":
        at += 2
    if at + 1 < len(tokens) and tokens[at + 1].text == "(" and tokens[at + 2].value not in ("select", "values"):
        return [p[0].value for p in split(tokens[at + 2 : closes(tokens, at + 1)]) if p]
    table = next((t for t in tables if at < len(tokens) and t.name == tokens[at].value), None)
    return [c.name for c in table.columns] if table is not None else []


def selected(tokens: Sequence[Token], at: int) -> tuple[list[Sequence[Token]], list[str]]:
    """Return the items of the SELECT at `at`, and the variables behind INTO."""
    depth, n = 0, at + 1
    while n < len(tokens):
        text = tokens[n].text if tokens[n].kind == "mark" else ""
        depth += (text in ("(", "[")) - (text in (")", "]"))
        within = tokens[n].value == "group" and tokens[n - 1].value == "within"
        if depth < 0 or (depth == 0 and tokens[n].kind == "word" and tokens[n].value in _ENDS and not within):
            break
        n += 1
    items: list[Sequence[Token]] = [i for i in split(tokens[at + 1 : n]) if i]
    into: list[str] = []
    if n < len(tokens) and tokens[n].value == "into":
        n += 1 + (n + 1 < len(tokens) and tokens[n + 1].value == "strict")
        while n < len(tokens) and tokens[n].kind in ("word", "quoted"):
            into.append(tokens[n].value)
            if n + 1 >= len(tokens) or tokens[n + 1].text != ",":
                break
            n += 2
    return items, into


def _set(tokens: Sequence[Token], at: int) -> Iterator[tuple[str, Sequence[Token]]]:
    depth, n = 0, at + 1
    while n < len(tokens):
        text = tokens[n].text if tokens[n].kind == "mark" else ""
        depth += (text in ("(", "[")) - (text in (")", "]"))
        inner = depth == 0 and tokens[n].kind == "word" and tokens[n].value in ("from", "where", "returning")
        if depth < 0 or inner:
            break
        n += 1
    for part in split(tokens[at + 1 : n]):
        if len(part) > 2 and part[1].text == "=":
            yield part[0].value, part[2:]


def alias_of(item: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    """Return what a SELECT's item is called, and its expression."""
    if len(item) > 2 and item[-2].kind == "word" and item[-2].value == "as":
        return item[-1].value, item[:-2]
    named = item[-1].kind in ("word", "quoted")
    if len(item) > 1 and named and (item[-2].text == ")" or item[-2].kind in ("number", "quoted", "string")):
        return item[-1].value, item[:-1]
    if len(item) > 1 and named and item[-2].kind == "word" and item[-2].value not in ("precision", "::"):
        return item[-1].value, item[:-1]
    plain = len(item) == 1 or item[-2].text == "."
    return (item[-1].value if named and plain else ""), item
