"""What row triggers keep out of a table, told as CHECKs and NOT NULLs: only those that fire on every row written.

A trigger counts where it fires for each row on INSERT and on UPDATE, is not switched off, and its function raises an
exception under a condition on NEW, or gives a column of NEW a value before the row is stored, on every way. A condition
that reads anything but NEW proves nothing by itself, as is for `truth.py` to say. A warning keeps nothing out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from squads.gates.check import CannotLook
from squads.gates.sql.lex import Token, split, text_of
from squads.gates.sql.model import Check, Same, Schema, Table
from squads.gates.sql.rights.replay import read_authority
from squads.gates.sql.rights.routines import Routine, Trigger, body_tokens
from squads.gates.sql.truth import Rows, value_of
from squads.gates.sql.values import Value
from squads.gates.words import word_set

_ONLY_SAYS = word_set("notice warning info log debug")
_KEPT_MAX = 4
_DELETES = re.compile(r"\btg_op\s*=\s*'(?:DELETE|TRUNCATE)'", re.IGNORECASE)
_CHANGES = re.compile(
    r"\(*\s*new \. (\w+) (?:is distinct from|<>|!=|<) old \. \1\s*\)*|"
    r"\(*\s*old \. (\w+) (?:is distinct from|<>|!=|>) new \. \2\s*\)*",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\btg_op\s*(?:<>|!=)\s*'(?:DELETE|TRUNCATE)'|"
    r"\btg_op\s+in\s*\(\s*'(?:INSERT'\s*,\s*'UPDATE|UPDATE'\s*,\s*'INSERT)'\s*\)",
    re.IGNORECASE,
)
"""What says that a row is written; a row that is deleted needs no CHECK."""


def kept(schema: Schema, table: Table) -> Table:
    """Return a resolved `table` with what its triggers keep out, as CHECKs, and what they fill in, as NOT NULL."""
    for trigger, routine in _of(schema).get(table.full_name, ()):
        table = _with(table, trigger, routine)
    return table


def _of(schema: Schema) -> dict[tuple[str, str], list[tuple[Trigger, Routine]]]:
    return _found(Same(schema))


@lru_cache(maxsize=_KEPT_MAX)
def _found(same: Same) -> dict[tuple[str, str], list[tuple[Trigger, Routine]]]:
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
        if trigger.enabled and len(routines) == 1:
            alike = _alike(trigger, authority.triggers.values())
            if {"insert", "update"} <= alike.events:
                found.setdefault(trigger.relation, []).append((alike, routines[0]))
    return found


def _alike(trigger: Trigger, others: Iterable[Trigger]) -> Trigger:
    """Return a trigger with the events of those that do the same on the same table: one for INSERT, one for UPDATE."""

    def kind(t: Trigger) -> tuple[object, ...]:
        return t.relation, t.function, t.each_row, t.before, text_of(t.condition) if _asks(t) else ""

    same = [t for t in others if t.enabled and kind(t) == kind(trigger)]
    narrow = [t.columns | _changed(t.condition) for t in same if "update" in t.events]
    return replace(
        trigger,
        events=frozenset(e for t in same for e in t.events),
        condition=trigger.condition if _asks(trigger) else (),
        columns=frozenset() if not all(narrow) else frozenset(c for n in narrow for c in n),
        transition=frozenset(n for t in same for n in t.transition),
    )


def _with(table: Table, trigger: Trigger, routine: Routine) -> Table:
    if routine.body is None or routine.source is None or routine.language != "plpgsql":
        return table
    try:
        _, tokens = body_tokens(routine.source, routine.body)
    except CannotLook:
        return table
    if not trigger.each_row:
        for condition in _refused_rows(tokens, {table.name, *trigger.transition}):
            made = Check(name=trigger.name, condition=f"NOT ({condition})", place=trigger.place)
            table = replace(table, checks=(*table.checks, made))
        return table
    when = _of_new(trigger.condition)
    only_on = trigger.columns | _changed(trigger.condition)
    for condition in _refused(tokens, when if _asks(trigger) else None):
        fires = not only_on or any(name in condition for name in only_on)
        if condition and fires:
            made = Check(name=trigger.name, condition=f"NOT ({condition})", place=trigger.place)
            table = replace(table, checks=(*table.checks, made))
    if trigger.before and not _asks(trigger) and not only_on:
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
    left = ""
    """The condition under which the body was left before: where it goes on, it does not hold."""
    for part in _statements(tokens):
        words = [t.value if t.kind == "word" else "" for t in part]
        if words[0] == "if" and not depth and "then" in words:
            then = words.index("then")
            condition = _of_new(part[1:then])
            if _raises(words[then + 1 :]):
                told = f"NOT ({left}) AND ({condition})" if left and condition else condition
                yield told if when is None else f"({when}) AND ({told})" if condition and when else ""
            elif words[then + 1 : then + 2] == ["return"] and condition and when is None:
                left, depth = f"({left}) OR ({condition})" if left else condition, 1
                continue
        if left and depth == 1 and words[0] == "else" and _raises(words[1:]):
            yield f"NOT ({left})"
        if words[:2] in (["end", "if"], ["end", "loop"], ["end", "case"]):
            depth -= 1
        elif words[0] in ("if", "for", "while", "loop", "case", "foreach"):
            depth += 1
        if "return" in words:
            return  # what comes later is not always reached
        if _raises(words) and not depth:
            if left:
                yield f"NOT ({left})"
            elif when:
                yield when
            return


def _refused_rows(tokens: Sequence[Token], names: set[str]) -> Iterator[str]:
    """Yield what a body raises an exception for where rows of the table, or the rows written, are like that."""
    for part in _statements(tokens):
        words = [t.value if t.kind == "word" else "" for t in part]
        then = words.index("then") if "then" in words else 0
        asks = words[:2] == ["if", "exists"] and "from" in words[:then] and "where" in words[:then]
        if not asks or not _raises(words[then + 1 :]):
            if words[0] in ("if", "for", "while", "loop", "case", "foreach") or "return" in words:
                return
            continue
        source, where = words.index("from") + 1, words.index("where")
        behind = [t for t in part[source:where] if t.kind in ("word", "quoted") and t.value != "as"]
        if not behind or part[source].value not in names or len(behind) > 2 or {"group", "limit"} & set(words):
            return
        alias = {part[source].value, behind[-1].value}
        condition = part[where + 1 : then - 1]
        yield text_of(
            [
                t
                for n, t in enumerate(condition)
                if not (t.value in alias and [c.text for c in condition[n + 1 : n + 2]] == ["."])
                and not (t.text == "." and n and condition[n - 1].value in alias)
            ]
        )


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


def _asks(trigger: Trigger) -> bool:
    """Return whether WHEN asks more than whether a column changes: what stays was let in before."""
    return bool(trigger.condition) and _CHANGES.fullmatch(text_of(trigger.condition)) is None


def _changed(condition: Sequence[Token]) -> frozenset[str]:
    """Return the column that WHEN says must change, or fall, for a trigger to fire."""
    told = _CHANGES.fullmatch(text_of(condition)) if condition else None
    return frozenset(((told[1] or told[2]).lower(),)) if told else frozenset()


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
    return _OTHERS.sub(" true ", _DELETES.sub(" false ", text_of(found)))
