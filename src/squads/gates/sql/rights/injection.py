"""SQL that a SECURITY DEFINER routine puts together out of what its caller says, and runs with its owner's rights.

A text parameter that is joined into the text of EXECUTE, or filled in by %s, is the caller's to write: it may hold any
statement. Parameters in USING, quote_ident, quote_literal and %I and %L of format are closed. So is what the
body holds to a list that it names, to a whole pattern or to the catalogue, and the branches of a CASE that are written
out.
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
    "lower upper trim btrim ltrim rtrim concat concat_ws replace coalesce left right substr substring nullif translate "
    "initcap lpad rpad repeat overlay reverse split_part array_to_string string_agg text varchar greatest least"
)
_COMPARES = word_set("in is like ilike similar between exists any all not and or")
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
        for start, end, name in _runs(tokens, told):
            yield Injected(routine, name, source.place(tokens[start].start, tokens[end].end))


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


def _runs(tokens: Sequence[Token], told: set[str]) -> list[tuple[int, int, str]]:
    """Return (first token, last token, name) of what a caller may write: each EXECUTE, and where its text came in.

    The body is read from top to bottom. What is given to a variable outside any branch replaces what it held.
    """
    found: list[tuple[int, int, str]] = []
    looped = any(t.kind == "word" and t.value == "loop" for t in tokens)
    for _ in range(2 if looped else 1):
        found, told = _once(tokens, set(told))
    return found


def _once(tokens: Sequence[Token], told: set[str]) -> tuple[list[tuple[int, int, str]], set[str]]:
    found: list[tuple[int, int, str]] = []
    came: dict[str, tuple[int, int]] = {}
    depth = at = 0
    for part in split(tokens, ";"):
        first, at = at, at + len(part) + 1
        words = [t.value if t.kind == "word" else "" for t in part]
        starts = [n for n, w in enumerate(words) if w in ("begin", "then", "else", "loop", "declare")]
        head = _head(words, starts)
        body = part[head:]
        guarded = _listed(part[:head])
        if words[head : head + 1] == ["raise"]:
            told -= _refused(part[:head])
        depth += sum(w == "if" for w in words[:head]) + sum(w in ("loop",) for w in words[:head])
        gives = next((n for n, t in enumerate(body) if t.text == ":=" or t.value == "default"), 0)
        if not gives and len(body) > 2 and body[0].kind == "word" and body[1].text == "=":
            gives = 1
        into = next((n for n, t in enumerate(body) if n and t.kind == "word" and t.value == "into"), 0)
        if gives and body[0].kind in ("word", "quoted"):
            name = _open(body[gives + 1 :], told - guarded)
            if name:
                told.add(body[0].value)
                came[body[0].value] = (first + head, first + len(part) - 1)
            elif not depth:
                told.discard(body[0].value)
        elif into and body[0].value in ("select", "with") and into + 1 < len(body):
            source = next((n for n, t in enumerate(body) if t.kind == "word" and t.value == "from"), len(body))
            if _open(body[1 : min(into, source)], told - guarded):
                told.add(body[into + 1].value)
        for number, expression in _executed(part):
            if name := _open(expression, told - guarded):
                found.append((first + number, first + number + len(expression), name))
                if name in came:
                    found.append((*came[name], name))
        if words[:2] in (["end", "if"], ["end", "loop"]):
            depth = max(depth - 1, 0)
    return found, told


def _head(words: list[str], starts: list[int]) -> int:
    """Return where the plain statement of a part begins, after the words that decide whether it runs."""
    cases = 0
    head = 0
    for n, word in enumerate(words):
        if word == "case":
            cases += 1
        elif word == "end" and cases:
            cases -= 1
        elif n in starts and not cases:
            head = n + 1
    return head


def _listed(condition: Sequence[Token]) -> set[str]:
    """Return what a branch holds to a list of what we wrote: `IF p_order IN ('name', 'team') THEN`."""
    found: set[str] = set()
    for n, token in enumerate(condition):
        following = [t.value for t in condition[n + 1 : n + 3]]
        if token.kind == "word" and (
            following[:2] == ["in", "("] or (following[:1] == ["="] and _is_text(condition, n))
        ):
            found.add(token.value)
    return found


def _is_text(tokens: Sequence[Token], at: int) -> bool:
    return at + 2 < len(tokens) and (tokens[at + 2].kind == "string" or tokens[at + 2].value == "any")


def _refused(condition: Sequence[Token]) -> set[str]:
    """Return what a body refuses unless it is one of a list, matches a whole pattern, or is known to the catalogue.

    That something is there, or short, or without semicolons, closes nothing.
    """
    words = [t.value for t in condition]
    names = {t.value for t in condition if t.kind in ("word", "number")}
    text = " ".join(words)
    if re.search(r"not in \(|<> all|not exists|to_reg|= any|not \(.* in \(|similar to|not \w+ in \(", text):
        return names
    whole = [t for t in condition if t.kind in ("string", "dollar") and t.value[:1] == "^" and t.value.endswith("$")]
    if whole and re.search(r"!~|not .*~", text):
        return names
    lists = [n for n, t in enumerate(condition) if t.text in ("<>", "!=") and _is_text(condition, n - 1)]
    return {condition[n - 1].value for n in lists if len(lists) > 1}


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
        if token.kind == "word" and token.value == "case":
            end = _end_of_case(tokens, at)
            if name := _chosen(tokens[at + 1 : end], told):
                return name
            at = end + 1
            continue
        if (token.kind == "word" and following == "(") or token.text == "(":
            start = at + 1 if token.text == "(" else at + 2
            end, depth = start - 1, 0
            while end < len(tokens):
                depth += (tokens[end].text == "(") - (tokens[end].text == ")")
                end += 1
                if not depth:
                    break
            inside = tokens[start : end - 1]
            cast = [t.value for t in tokens[end : end + 2]]
            closed = cast[:1] == ["::"] and cast[1:] and cast[1] not in _TEXTS
            if token.value == "format" and following == "(":
                if name := _formatted(inside, told):
                    return name
            elif token.value == "regexp_replace" and not closed and not _keeps_only(inside):
                if name := _open(inside[:1], told):
                    return name
            elif (token.text == "(" or token.value in _CARRY) and not closed and (name := _open(inside, told)):
                return name
            at = end
            continue
        cast_away = following == "::" and at + 2 < len(tokens) and tokens[at + 2].value not in _TEXTS
        field = at > 0 and tokens[at - 1].text == "."
        compared = following in ("=", "<>", "!=", "<", ">", "~", "!~") or (
            at + 1 < len(tokens) and tokens[at + 1].kind == "word" and tokens[at + 1].value in _COMPARES
        )
        if (
            token.value in told
            and token.kind in ("word", "number", "op", "mark")
            and not (cast_away or field or compared)
        ):
            return token.value
        if token.value == "new" and following == ".":
            return ""
        at += 1
    return ""


def _keeps_only(inside: Sequence[Token]) -> bool:
    """Return whether regexp_replace takes away all but what it lists: `[^a-z_]`."""
    return any(t.kind in ("string", "dollar") and t.value.startswith("[^") for t in inside)


def _end_of_case(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    for n in range(at, len(tokens)):
        word = tokens[n].value if tokens[n].kind == "word" else ""
        depth += (word == "case") - (word == "end")
        if not depth:
            return n
    return len(tokens)


def _chosen(tokens: Sequence[Token], told: set[str]) -> str:
    """Return the open name among the results of a CASE; what it compares is nobody's text."""
    depth = 0
    pieces: list[tuple[str, list[Token]]] = [("case", [])]
    for token in tokens:
        word = token.value if token.kind == "word" else ""
        depth += (token.text in "([") - (token.text in ")]") if token.kind == "mark" else 0
        depth += (word == "case") - (word == "end")
        if not depth and word in ("when", "then", "else"):
            pieces.append((word, []))
        else:
            pieces[-1][1].append(token)
    held: set[str] = set()
    subject = {t.value for t in pieces[0][1]}
    for what, piece in pieces[1:]:
        if what == "when":
            held = _listed(piece) | (subject if [t.kind for t in piece] == ["string"] else set())
        elif name := _open(piece, told - (held if what == "then" else set())):
            return name
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
