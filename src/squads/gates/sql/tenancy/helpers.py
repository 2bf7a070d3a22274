"""What a function of the schema answers, as one expression that can stand where it is called.

A policy often says no more than `visible(practice_id)`; what holds is in the function. Its body becomes an expression:
each RETURN under the conditions of its way, variables and parameters put in. What is not understood is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Statement, Token, split
from squads.gates.sql.rights.routines import body_tokens, read_routine

_MODES = ("in", "inout", "variadic")
_OUTER = "squads_outer"
_LENGTH_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Helper:
    """One function that a condition may call."""

    name: str
    parameters: tuple[str, ...]
    answer: str
    """One expression; empty where its body is not understood."""
    text: str
    """The whole body."""
    place: Place
    definer: bool = False


def helper_of(statement: Statement) -> Helper | None:
    """Return what CREATE FUNCTION makes, None where it cannot be read."""
    cursor = Cursor(statement.source, statement.tokens)
    try:
        cursor.expect("create")
        cursor.accept("or", "replace")
        cursor.expect("function")
        start = cursor.at
        cursor.qualified()
        parameters = tuple(_parameters(cursor.group()))
        cursor.at = start
        routine = read_routine(cursor, kind="function", home="public")
    except CannotLook:
        return None
    tokens = list(routine.inline)
    if routine.body is not None:
        _, tokens = body_tokens(statement.source, routine.body)
    text = _text(tokens)
    answer = ""
    if len(text) <= _LENGTH_MAX and tokens:
        answer = _plpgsql(tokens) if routine.language == "plpgsql" else _sql(tokens)
    return Helper(routine.name, parameters, answer, text, statement.place, routine.definer)


def called_with(helper: Helper, arguments: Sequence[str]) -> str:
    """Return what a helper answers to arguments; a column of the row that is asked for is marked as such."""
    given = dict(zip(helper.parameters, arguments, strict=False))
    given |= {f"${n}": a for n, a in enumerate(arguments, 1)}
    return _replaced(helper.answer, given, helper.name)


def outer(name: str) -> str:
    """Return how a column of the row that a policy is asked for is written inside a helper's answer."""
    return f'{_OUTER}."{name}"'


def is_outer(table: str) -> bool:
    """Return whether a name stands for the row that a policy is asked for."""
    return table == _OUTER


def _replaced(text: str, given: Mapping[str, str], owner: str = "") -> str:
    names = {n.lower(): v for n, v in given.items() if n}
    if not names:
        return text
    pattern = re.compile(
        rf"'(?:[^']|'')*'|(?<![\w.$\"])(?:{re.escape(owner)}\.)?(\$\d+|[A-Za-z_]\w*)(?![\w.(])"
        if owner
        else r"'(?:[^']|'')*'|(?<![\w.$\"])(\$\d+|[A-Za-z_]\w*)(?![\w.(])"
    )
    return pattern.sub(lambda m: names.get((m[1] or "").lower(), m[0]) if m[1] else m[0], text)


def _text(tokens: Sequence[Token]) -> str:
    """Return tokens as one line, with names and their dots together."""
    text = ""
    for before, token in zip([None, *tokens], tokens, strict=False):
        near = before is None or token.text == "." or before.text == "."
        text += token.text if near else f" {token.text}"
    return text


def _parameters(tokens: Sequence[Token]) -> Iterator[str]:
    for part in split(tokens):
        words = list(part)
        if words and words[0].value in ("out", "table"):
            continue
        if words and words[0].value in _MODES and len(words) > 2:
            words = words[1:]
        yield words[0].value if len(words) > 1 and words[0].kind in ("word", "quoted") else ""


def _sql(tokens: list[Token]) -> str:
    parts = [p for p in split(tokens, ";") if p]
    if not parts:
        return ""
    last = parts[-1]
    return f"({_text(last)})"


@dataclass(slots=True)
class _Ways:
    values: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    known: bool = True


def _plpgsql(tokens: list[Token]) -> str:
    ways = _Ways()
    words = [t.value if t.kind == "word" else "" for t in tokens]
    begin = words.index("begin") if "begin" in words else 0
    if "declare" in words[:begin]:
        for part in split(tokens[words.index("declare") + 1 : begin], ";"):
            at = next((n for n, t in enumerate(part) if t.text in (":=", "=") or t.value == "default"), None)
            if part and at is not None:
                ways.values[part[0].value] = f"({_replaced(_text(part[at + 1 :]), ways.values)})"
    _block(ways, _steps(tokens[begin + 1 :]), [])
    if not ways.known or not ways.answers:
        return ""
    return "(" + " OR ".join(ways.answers) + ")"


def _steps(tokens: list[Token]) -> list[list[Token]]:
    """Cut a body into simple statements and the heads of its branches."""
    found: list[list[Token]] = [[]]
    depth = cases = 0
    for token in tokens:
        word = token.value if token.kind == "word" else ""
        depth += (token.text == "(") - (token.text == ")") if token.kind == "mark" else 0
        cases += word == "case"
        if word == "end" and cases:
            cases -= 1
            found[-1].append(token)
            continue
        if token.text == ";" and not depth:
            found.append([])
        elif not depth and not cases and word in ("then", "else"):
            found[-1].append(token)
            found.append([])
        else:
            found[-1].append(token)
    return [f for f in found if f]


def _block(ways: _Ways, steps: list[list[Token]], path: list[str]) -> None:
    """Go through the steps; `path` holds what is true where they run."""
    stack: list[tuple[list[str], list[str], bool]] = []  # (path before, conditions of its branches, each one ended)
    here, ended = list(path), False
    for whole in steps:
        step = whole[1:] if whole[0].value == "begin" and len(whole) > 1 else whole
        first = step[0].value if step[0].kind == "word" else ""
        if first in ("if", "elsif", "elseif") and step[-1].value == "then":
            condition = f"({_replaced(_text(step[1:-1]), ways.values)})"
            if first == "if":
                stack.append((list(here), [condition], True))
                here = [*here, condition]
            elif stack:
                before, told, every = stack[-1]
                stack[-1] = (before, [*told, condition], every and ended)
                here = [*before, *(f"NOT {c}" for c in told), condition]
            ended = False
        elif first == "else" and stack:
            before, told, every = stack[-1]
            stack[-1] = (before, told, every and ended)
            here = [*before, *(f"NOT {c}" for c in told)]
            ended = False
        elif first == "end" and len(step) > 1 and step[1].value == "if" and stack:
            before, told, every = stack.pop()
            here = [*before, *(f"NOT {c}" for c in told)] if every and ended else before
            ended = False
        elif first == "return" and len(step) > 1:
            answer = f"({_replaced(_text(step[1:]), ways.values)})"
            ways.answers.append("(" + " AND ".join([*here, answer]) + ")")
            ended = True
        elif first == "raise":
            ended = ended or step[1:2] == [] or step[1].value not in ("notice", "warning", "debug", "log", "info")
        elif first in ("loop", "for", "while", "foreach", "execute"):
            ways.known = False
        elif first in ("select", "with") and any(t.value == "into" for t in step):
            _into(ways, step)
        elif len(step) > 2 and step[1].text in (":=", "="):
            ways.values[step[0].value] = f"({_replaced(_text(step[2:]), ways.values)})"


def _into(ways: _Ways, step: list[Token]) -> None:
    at = next(n for n, t in enumerate(step) if t.value == "into")
    end = at + 1 + (step[at + 1 : at + 2] != [] and step[at + 1].value == "strict")
    names = [step[end].value] if end < len(step) else []
    rest = end + 1
    while rest + 1 < len(step) and step[rest].text == ",":
        names.append(step[rest + 1].value)
        rest += 2
    query = _replaced(_text([*step[:at], *step[rest:]]), ways.values)
    if len(names) == 1:
        ways.values[names[0]] = f"({query})"
    else:
        ways.known = False
