"""SQL that a SECURITY DEFINER routine puts together out of what its caller says, and runs with its owner's rights.

A text parameter that is joined into the text of EXECUTE, or filled in by %s, is the caller's to write: it may hold any
statement. Parameters in USING, quote_ident, quote_literal and %I and %L of format are closed. A parameter that the body
looks at and refuses with an exception before is taken to be closed, too: whether well is not said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.lex import Statement, Token, split
from squads.gates.sql.rights.authority import Authority
from squads.gates.sql.rights.routines import Routine, body_tokens
from squads.gates.words import word_set

_TEXTS = word_set("text varchar character char bpchar name citext json jsonb xml")
_CARRY = word_set(
    "lower upper trim btrim ltrim rtrim concat concat_ws replace coalesce left right substr substring nullif"
)
_ENDS = word_set("into using loop")
_SPECIFIER = re.compile(r"%(?:(\d+)\$)?-?\d*([sIL%])")


@dataclass(frozen=True, slots=True)
class Injected:
    """One EXECUTE whose text the caller may write."""

    routine: Routine
    name: str
    place: Place


def injected(authority: Authority) -> Iterator[Injected]:
    """Yield what callers may write into the SQL of SECURITY DEFINER routines."""
    by_body: dict[int, Statement] = {}
    for spoken in authority.schema.spoken:
        for token in spoken.statement.tokens:
            if token.kind in ("dollar", "string"):
                by_body[id(token)] = spoken.statement
    for routine in authority.routines.values():
        if not routine.definer or routine.language != "plpgsql" or routine.body is None or routine.source is None:
            continue
        statement = by_body.get(id(routine.body))
        try:
            source, tokens = body_tokens(routine.source, routine.body)
        except CannotLook:
            continue
        if not any(t.value == "execute" for t in tokens):
            continue
        told = _parameters(statement.tokens) if statement is not None else set()
        told = _closed(tokens, _assigned(tokens, told))
        for start, expression in _executed(tokens):
            if name := _open(expression, told):
                place = source.place(tokens[start].start, expression[-1].end)
                yield Injected(routine, name, place)


def _parameters(tokens: Sequence[Token]) -> set[str]:
    """Return the names of a routine's text parameters."""
    opening = next((n for n, t in enumerate(tokens) if t.text == "("), len(tokens))
    depth, found = 0, set[str]()
    for closing in range(opening, len(tokens)):
        depth += (tokens[closing].text == "(") - (tokens[closing].text == ")")
        if not depth:
            for number, part in enumerate(split(tokens[opening + 1 : closing])):
                words = [t.value for t in part if t.value not in ("in", "inout", "variadic")]
                if len(words) > 1 and words[1] in _TEXTS:
                    found |= {words[0], f"${number + 1}"}
            break
    return found


def _assigned(tokens: Sequence[Token], told: set[str]) -> set[str]:
    """Return `told` with the variables that are made of them."""
    for _ in range(2):
        for part in split(tokens, ";"):
            gives = next((n for n, t in enumerate(part) if t.text == ":="), 0)
            names = [t.value for t in part[:gives] if t.kind == "word" and t.value not in ("begin", "then", "else")]
            if gives and names and _open(part[gives + 1 :], told):
                told = told | {names[0] if names[0] != "declare" else names[1 % len(names)]}
    return told


def _closed(tokens: Sequence[Token], told: set[str]) -> set[str]:
    """Return `told` without what the body refuses unless it is as it should be."""
    for part in split(tokens, ";"):
        words = [t.value for t in part]
        if "if" in words and "raise" in words:
            told = told - set(words[words.index("if") : words.index("raise")])
    return told


def _executed(tokens: Sequence[Token]) -> Iterator[tuple[int, Sequence[Token]]]:
    """Yield the expressions that EXECUTE runs, each with the number of its EXECUTE."""
    for number, token in enumerate(tokens):
        if token.kind != "word" or token.value != "execute":
            continue
        end = number + 1
        depth = 0
        while end < len(tokens):
            depth += (tokens[end].text == "(") - (tokens[end].text == ")")
            if not depth and (tokens[end].text == ";" or (tokens[end].kind == "word" and tokens[end].value in _ENDS)):
                break
            end += 1
        if end > number + 1 and tokens[number + 1].value not in ("function", "procedure", "on"):
            yield number, tokens[number + 1 : end]


def _open(tokens: Sequence[Token], told: set[str]) -> str:
    """Return the name in an expression that the caller may write as it likes; empty where there is none."""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if token.kind == "word" and following == "(":
            end, depth = at + 1, 0
            while end < len(tokens):
                depth += (tokens[end].text == "(") - (tokens[end].text == ")")
                end += 1
                if not depth:
                    break
            inside = tokens[at + 2 : end - 1]
            if token.value == "format":
                if name := _formatted(inside, told):
                    return name
            elif token.value in _CARRY and (name := _open(inside, told)):
                return name
            at = end
            continue
        cast = following == "::" and at + 2 < len(tokens) and tokens[at + 2].value not in _TEXTS
        field = at > 0 and tokens[at - 1].text == "."
        if token.value in told and token.kind in ("word", "number", "op", "mark") and not cast and not field:
            return token.value
        if token.value == "new" and following == ".":
            return ""
        at += 1
    return ""


def _formatted(inside: Sequence[Token], told: set[str]) -> str:
    parts = list(split(inside))
    if not parts or len(parts[0]) != 1 or parts[0][0].kind not in ("string", "dollar"):
        return ""
    number = 0
    for found in _SPECIFIER.finditer(parts[0][0].value):
        if found[2] == "%":
            continue
        number = int(found[1]) if found[1] else number + 1
        if found[2] == "s" and number < len(parts) and (name := _open(parts[number], told)):
            return name
    return ""
