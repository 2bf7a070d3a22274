"""What row triggers keep out of a table, told as CHECKs and NOT NULLs: only those that fire on every row written.

A trigger counts where it fires for each row on INSERT and on UPDATE, is not switched off, and its function raises an
exception under a condition on NEW, or gives a column of NEW a value before the row is stored, on every way. A condition
that reads anything but NEW proves nothing by itself, as is for `truth.py` to say. A warning keeps nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from squads.gates.check import CannotLook
from squads.gates.sql.lex import Token, split, text_of
from squads.gates.sql.model import Check, Schema, Table
from squads.gates.sql.rights.replay import read_authority
from squads.gates.sql.rights.routines import Routine, Trigger, body_tokens
from squads.gates.sql.truth import Rows, value_of
from squads.gates.sql.values import Value
from squads.gates.words import word_set

_ONLY_SAYS = word_set("notice warning info log debug")
_KEPT_MAX = 4


def kept(schema: Schema, table: Table) -> Table:
    """Return a resolved `table` with what its triggers keep out, as CHECKs, and what they fill in, as NOT NULL."""
    for trigger, routine in _of(schema).get(table.full_name, ()):
        table = _with(table, trigger, routine)
    return table


def _of(schema: Schema) -> dict[tuple[str, str], list[tuple[Trigger, Routine]]]:
    return _found(_Same(schema))


class _Same:
    """Keeps a schema by what it is, so that tables of one look share one reading."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.schema is other.schema


@lru_cache(maxsize=_KEPT_MAX)
def _found(same: _Same) -> dict[tuple[str, str], list[tuple[Trigger, Routine]]]:
    spoken = same.schema.spoken
    if not any("trigger" in [t.value for t in s.statement.tokens[:5]] for s in spoken):
        return {}
    try:
        authority = read_authority(same.schema)
    except CannotLook:
        return {}  # other checks say what could not be read; here only a proof counts
    found: dict[tuple[str, str], list[tuple[Trigger, Routine]]] = {}
    for trigger in authority.triggers.values():
        routines = [r for r in authority.routines_named(trigger.function) if not r.arguments and r.created]
        if trigger.enabled and trigger.each_row and {"insert", "update"} <= trigger.events and len(routines) == 1:
            found.setdefault(trigger.relation, []).append((trigger, routines[0]))
    return found


def _with(table: Table, trigger: Trigger, routine: Routine) -> Table:
    if routine.body is None or routine.source is None or routine.language != "plpgsql":
        return table
    try:
        _, tokens = body_tokens(routine.source, routine.body)
    except CannotLook:
        return table
    when = _of_new(trigger.condition)
    for condition in _refused(tokens, when if trigger.condition else None):
        fires = not trigger.columns or any(name in condition for name in trigger.columns)
        if condition and fires:
            made = Check(name=trigger.name, condition=f"NOT ({condition})", place=trigger.place)
            table = replace(table, checks=(*table.checks, made))
    if trigger.before and not trigger.condition and not trigger.columns:
        for name, expression in _filled(tokens):
            table = _with_value(table, trigger, name, expression)
    return table


def _with_value(table: Table, trigger: Trigger, name: str, expression: str) -> Table:
    rows = Rows(columns={n: Value(nullable=False) for n in table.not_null})
    try:
        value = value_of(expression, rows, trigger.place)
    except CannotLook:
        return table
    if not value.nullable:
        table = replace(table, not_null=table.not_null | {name})
    if value.at_least_zero:
        made = Check(name=trigger.name, condition=f'"{name}" >= 0', place=trigger.place)
        table = replace(table, checks=(*table.checks, made))
    return table


def _statements(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Return what stands between the first BEGIN and the end; nothing where the body catches exceptions."""
    words = [t.value if t.kind == "word" else "" for t in tokens]
    if "begin" not in words or any(a == "exception" and b == "when" for a, b in pairwise(words)):
        return []
    return [part for part in split(tokens[words.index("begin") + 1 :], ";") if part]


def _refused(tokens: Sequence[Token], when: str | None) -> Iterator[str]:
    """Yield the conditions on NEW under which the body raises an exception, whatever else it does before."""
    depth = 0
    for part in _statements(tokens):
        words = [t.value if t.kind == "word" else "" for t in part]
        if words[0] == "if" and not depth and "then" in words:
            then = words.index("then")
            if words[then + 1 : then + 2] == ["raise"] and words[then + 2 : then + 3][:1] not in (
                [w] for w in _ONLY_SAYS
            ):
                condition = _of_new(part[1:then])
                yield condition if when is None else f"({when}) AND ({condition})" if condition and when else ""
        if words[:2] == ["end", "if"] or words[:2] == ["end", "loop"] or words[:2] == ["end", "case"]:
            depth -= 1
        elif words[0] in ("if", "for", "while", "loop", "case", "foreach"):
            depth += 1
        if "return" in words:
            return  # what comes later is not always reached
        if _raises(words) and not depth:
            if when:
                yield when
            return


def _raises(words: Sequence[str]) -> bool:
    return words[:1] == ["raise"] and _ONLY_SAYS.isdisjoint(words[1:2])


def _filled(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield the columns of NEW that the body gives a value on every way, with the expression."""
    depth = 0
    for part in _statements(tokens):
        words = [t.value if t.kind == "word" else "" for t in part]
        if words[0] == "end":
            depth -= 1
        elif words[0] in ("if", "for", "while", "loop", "case", "foreach"):
            depth += 1
        if "return" in words:
            return
        given = not depth and words[0] == "new" and len(part) > 4 and part[3].text in (":=", "=")
        if given and (expression := _of_new(part[4:])):
            yield part[2].value, expression


def _of_new(tokens: Sequence[Token]) -> str:
    """Return a condition with the columns of NEW as the row's own; empty where it reads OLD or is not there."""
    found: list[Token] = []
    for number, token in enumerate(tokens):
        word = token.value if token.kind == "word" else ""
        if word == "old":
            return ""
        behind = [t.text for t in tokens[number + 1 : number + 2]] == ["."]
        new = word == "new" and behind
        dot = token.text == "." and number and tokens[number - 1].kind == "word" and tokens[number - 1].value == "new"
        if not new and not dot:
            found.append(token)
    return text_of(found)
