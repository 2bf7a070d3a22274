"""What routines take out of columns, and add to them: `SET gold = gold - n`.

A taking is a value less something, however it is written: from the column, from a name that it was read into, with a
sign in CASE. What only undoes an addition (`- OLD.kg`) takes nothing. Whether a taking is covered is for `covered.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from squads.gates.place import Place
from squads.gates.sql.expressions import parsed
from squads.gates.sql.fits.routines import Body, bodies, inlined
from squads.gates.sql.lex import Token, split
from squads.gates.sql.model import Same, Schema, TableName
from squads.gates.words import word_set

_ONLY_SAYS = word_set("notice warning info log debug")
_SIGNED = word_set("delta change diff difference adjustment adjust movement signed net step")
_OLD = ["old", "."]
_ENDS = word_set("where from returning when")
_EXPRESSION_MAX = 120


@dataclass(frozen=True, slots=True)
class Taking:
    """One assignment that sets a column to itself, more or less something."""

    table: TableName
    column: str
    place: Place
    down: bool
    """Whether it may make the column less; else it only adds."""
    body: Body
    at: int
    """Which statement of the body it is."""
    amount: frozenset[str] = frozenset()
    """The words of what is taken; `new__kg` for NEW.kg."""
    beside: frozenset[str] = frozenset()
    """The columns that the same statement sets."""


def takings(schema: Schema) -> list[Taking]:
    """Return what the routines of an artifact take out of columns, and what they add to them."""
    return [t for body in bodies(schema) for t in _of_body(schema, body)]


def _of_body(schema: Schema, body: Body) -> Iterator[Taking]:
    for number, part in enumerate(body.parts):
        words = [t.value if t.kind == "word" else "" for t in part]
        if "set" not in words or "update" not in words:
            continue
        table_words = _target(words, part)
        for table in (t for t in schema.tables if t.name == table_words):
            names = {c.name for c in schema.resolved(table).columns}
            set_to = list(_assigned(part, words))
            beside = frozenset(c for c, _ in set_to)
            for column, expression in set_to:
                if column not in names or len(expression) > _EXPRESSION_MAX:
                    continue
                terms = _terms(body, column, expression)
                if terms is None:
                    continue
                down = any(_takes(sign, text, words_in) for sign, text, words_in in terms)
                amount = frozenset(w for _, _, words_in in terms for w in words_in)
                place = body.source.place(part[0].start, part[-1].end)
                yield Taking(table.full_name, column, place, down, body, number, amount, beside)


def _takes(sign: int, text: str, words: frozenset[str]) -> bool:
    """Return whether a term makes a value less: taken with a minus, or of a sign that nobody knows."""
    if words and all(w.startswith("old__") for w in words):
        return False
    if sign < 0:
        return True
    return sign == 0 or any(not _SIGNED.isdisjoint(w.split("_")) for w in words)


def _target(words: Sequence[str], part: Sequence[Token]) -> str:
    """Return the table that a statement changes: of UPDATE, INSERT ... ON CONFLICT DO UPDATE or MERGE."""
    for opening, skip in ((("merge", "into"), 2), (("insert", "into"), 2)):
        for at, pair in enumerate(pairwise(words)):
            if pair == opening:
                return _name_at(part, at + skip)
    at = words.index("update") + 1
    return _name_at(part, at + (words[at : at + 1] == ["only"]))


def _name_at(part: Sequence[Token], at: int) -> str:
    if part[at + 1 : at + 2] and part[at + 1].text == ".":
        at += 2
    return part[at].value if at < len(part) else ""


def _assigned(part: Sequence[Token], words: Sequence[str]) -> Iterator[tuple[str, list[Token]]]:
    """Yield what SET gives: column and expression."""
    starts = [n + 1 for n, w in enumerate(words) if w == "set"]
    for start in starts:
        depth = 0
        end = len(part)
        for number in range(start, len(part)):
            if part[number].kind == "mark":
                depth += (part[number].text in "([") - (part[number].text in ")]")
                if depth < 0:
                    end = number
                    break
            elif not depth and words[number] in _ENDS and not _in_case(words, start, number):
                end = number
                break
        for piece in split(part[start:end]):
            equals = next((n for n, t in enumerate(piece) if t.text == "="), None)
            if equals is None or not piece:
                continue
            left, right = piece[:equals], piece[equals + 1 :]
            if left and left[0].text == "(" and right and right[0].text in ("(", "row"):
                columns = split(left[1:-1])
                values = split(right[2 if right[0].text != "(" else 1 : -1])
                yield from ((c[-1].value, v) for c, v in zip(columns, values, strict=False) if c and v)
            elif left and left[-1].kind in ("word", "quoted"):
                yield left[-1].value, list(right)


def _in_case(words: Sequence[str], start: int, at: int) -> bool:
    inside = words[start:at]
    return words[at] == "when" and inside.count("case") > inside.count("end")


def _terms(body: Body, column: str, expression: Sequence[Token]) -> list[tuple[int, str, frozenset[str]]] | None:
    """Return what is added to a column itself: sign (0 for either), kind and words; None where it is something else."""
    values = {t.value for t in expression}
    signs = any(t.text in ("-", "+") for t in expression)
    if not signs and values.isdisjoint(body.named):
        return None
    read = {column} | read_into(body, column)
    tokens = inlined(expression, {n: v for n, v in body.named.items() if n != column}, {})
    if len(tokens) > _EXPRESSION_MAX or not any(t.text in ("-", "+") for t in tokens):
        return None
    try:
        tree = parsed(spelled_with_rows(tokens))
    except ValueError:
        return None
    found: list[tuple[int, str, frozenset[str]]] = []
    own = 0
    for sign, node in _signed(tree, 1):
        kind = type(node).__name__
        names = frozenset(c.name for c in node.find_all(_column_type())) if kind != "Literal" else frozenset()
        if kind in ("Column", "Subquery") and names & read and sign > 0:
            own += 1
        elif kind == "Greatest" and names & read:
            return None  # clamped
        else:
            found.append((sign, kind, names))
    return found if own == 1 and found else None


def _column_type() -> Any:
    from sqlglot import exp

    return exp.Column


def _signed(node: Any, sign: int) -> Iterator[tuple[int, Any]]:
    """Yield the terms of a sum with their signs; those of CASE that has both with 0."""
    kind = type(node).__name__
    if kind == "Add":
        yield from _signed(node.this, sign)
        yield from _signed(node.expression, sign)
    elif kind == "Sub":
        yield from _signed(node.this, sign)
        yield from _signed(node.expression, -sign)
    elif kind == "Neg":
        yield from _signed(node.this, -sign)
    elif kind in ("Cast", "Paren", "Round") or kind == "Coalesce":
        yield from _signed(node.this, sign)
    elif (kind == "Case" and _holds(node, "Neg", "Sub")) or (kind == "Mul" and _holds(node, "Neg", "Case")):
        yield 0, node
    else:
        yield sign, node


def _holds(node: Any, *kinds: str) -> bool:
    return any(type(n).__name__ in kinds for n in node.walk())


def spelled_with_rows(tokens: Sequence[Token]) -> str:
    """Return tokens as text, NEW.kg as `new__kg`."""
    found: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        row = token.kind == "word" and token.value in ("new", "old")
        if row and at + 2 < len(tokens) and tokens[at + 1].text == ".":
            found.append(f"{token.value}__{tokens[at + 2].value}")
            at += 3
            continue
        found.append(token.text)
        at += 1
    return " ".join(found)


def read_into(body: Body, column: str) -> set[str]:
    """Return the local names that a column is read into."""
    found: set[str] = set()
    for part in body.parts:
        words = [t.value if t.kind in ("word", "quoted") else t.text for t in part]
        for verb in ("select", "returning"):
            if verb in words and "into" in words[words.index(verb) :]:
                begin = words.index(verb)
                into = begin + words[begin:].index("into")
                behind = [*words[into + 1 :], "from"]
                stop = behind.index("from")
                items = words[begin:into] + behind[stop : stop + 1]
                if column in items or "*" in items:
                    found |= set(_targets(part[into + 1 :]))
        if ":=" in words and column in words[words.index(":=") :] and words.index(":="):
            found.add(words[words.index(":=") - 1])
    return found - {""}


def _targets(tokens: Sequence[Token]) -> Iterator[str]:
    names = [t for t in tokens if t.value != "strict" or t.kind != "word"]
    for at, token in enumerate(names):
        if at % 2 == 0 and token.kind in ("word", "quoted"):
            yield token.value
        elif token.text != ",":
            return


def asked_at(body: Body, column: str) -> int | None:
    """Return which statement of a body refuses where a column, or what it was read into, is less than something."""
    read = {column} | read_into(body, column)
    for number, part in enumerate(body.parts):
        words = [t.value if t.kind == "word" else "" for t in part]
        for at in (n for n, w in enumerate(words) if w in ("if", "elsif", "when", "assert")):
            behind = words[at:]
            then = at + behind.index("then") if "then" in behind else len(words)
            condition = part[at + 1 : then]
            compares = any(t.text in ("<", ">", "<=", ">=") for t in condition)
            speaks = any(
                t.kind in ("word", "quoted")
                and t.value in read
                and [b.value for b in condition[max(n - 2, 0) : n]] != _OLD
                for n, t in enumerate(condition)
            )
            if compares and speaks and (words[at] == "assert" or refuses(words[then:])):
                return number
    return None


def refuses(words: Sequence[str]) -> bool:
    """Return whether statements give up: an exception, or a plain no."""
    if "return" in words and words[words.index("return") + 1 : words.index("return") + 2] in (["false"], ["null"]):
        return True
    return any(a == "raise" and b not in _ONLY_SAYS for a, b in pairwise([*words, ""]))


def fired_with(schema: Schema, body: Body) -> list[Body]:
    """Return the other trigger bodies that run before a row of the same table is written, on the same events."""
    found = {b.name: b for b in bodies(schema)}
    fires = fired(schema)
    mine = [(table, events) for routine, table, events in fires if routine == body.name]
    return [
        found[routine]
        for routine, table, events in fires
        if routine in found
        and routine != body.name
        and mine
        and all(table == on and events >= wanted - {"delete"} for on, wanted in mine)
    ]


def fired(schema: Schema) -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Return each trigger's routine, table and events."""
    return _fired(Same(schema))


@lru_cache(maxsize=4)
def _fired(same: Same) -> tuple[tuple[str, str, frozenset[str]], ...]:
    found: list[tuple[str, str, frozenset[str]]] = []
    for spoken in same.schema.spoken:
        tokens = spoken.statement.tokens
        words = [t.value for t in tokens]
        if words[0] != "create" or "trigger" not in words[1:5] or "execute" not in words or "on" not in words:
            continue
        on, calls = words.index("on"), words.index("execute") + 2
        events = frozenset(("insert", "update", "delete")) & frozenset(words[:on])
        found.append((_name_at(tokens, calls), _name_at(tokens, on + 1), events))
    return tuple(found)
