"""Calls of routines that SQL defines, as what they run: `SELECT move_rows();` is the block that move_rows holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from squads.gates.check import CannotLook
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Statement, Token, split
from squads.gates.sql.rights.routines import Routine, body_tokens, read_routine

if TYPE_CHECKING:
    from squads.gates.sql.steps.reading import Step

_CALLS_MAX = 200


def with_calls(before: Sequence[Statement], steps: Sequence[Step]) -> list[Step]:
    """Return the steps with what is called without arguments in the place of its call."""
    routines: dict[str, Routine] = {}
    for statement in before:
        _define(statement, routines)
    made: list[Step] = []
    left = _CALLS_MAX
    for step in steps:
        _define(step.statement, routines)
        routine = routines.get(_called(step.statement.tokens))
        found = list(_run(routine, step)) if routine is not None and left > 0 else []
        left -= bool(found)
        made += found or [step]
    return made


def _define(statement: Statement, routines: dict[str, Routine]) -> None:
    words = [t.value for t in statement.tokens[:4]]
    kind = next((w for w in words[1:] if w in ("function", "procedure")), "")
    if words[:1] != ["create"] or not kind:
        return
    cursor = Cursor(statement.source, statement.tokens)
    for _ in range(words.index(kind) + 1):
        cursor.take()
    try:
        found = read_routine(cursor, kind=kind, home="")
    except CannotLook:
        return
    routines[found.name] = found


def _called(tokens: Sequence[Token]) -> str:
    """Return the routine that a statement calls, where it does only that and hands nothing over."""
    words = [t.value for t in tokens]
    if words[:1] == ["perform"] or words[:1] == ["select"] or words[:1] == ["call"]:
        rest = words[1:]
        if words[:3] == ["select", "*", "from"]:
            rest = words[3:]
        if rest[-2:] == ["(", ")"] and len(rest) in (3, 5) and (len(rest) == 3 or rest[1] == "."):
            return rest[-3]
    return ""


def _run(routine: Routine, step: Step) -> Iterator[Step]:
    """Yield what a routine runs, as steps in the place of one; nothing where its text is not known."""
    if routine.arguments or routine.source is None:
        return
    if routine.inline:
        source, tokens = routine.source, list(routine.inline)
    elif routine.body is None:
        return
    elif routine.language == "plpgsql":
        do = Token("word", "DO", "do", routine.body.start, routine.body.start + 2)
        yield replace(step, statement=Statement(routine.source, (do, routine.body)))
        return
    else:
        source, tokens = body_tokens(routine.source, routine.body)
    if routine.language != "sql":
        return
    for part in split(tokens, ";"):
        if part and part[0].value != "end":
            yield replace(step, statement=Statement(source, tuple(part)))
