"""Routines of an artifact as the values that pass through them: parameters, what names stand for, what comes back.

A call of a routine that only computes is what its body computes with the arguments in the place of the parameters.
Nothing is run. A name that a body gives more than one value to stands for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from squads.gates.check import CannotLook
from squads.gates.sql.lex import Source, Statement, Token, split
from squads.gates.sql.model import Same, Schema
from squads.gates.sql.rights.routines import body_tokens
from squads.gates.words import word_set

DEPTH_MAX = 8
"""How deeply calls and names are followed."""
TOKENS_MAX = 4_000
"""How long an expression may become by following them."""
_MODES = word_set("in inout out variadic")
_GIVES = frozenset((":=", "="))
_NOT_IN_ONE = word_set("from where group having order limit union intersect except into")
_PLAIN_TYPES = word_set("text bigint integer int smallint numeric int2 int4 int8")
_REPEATS = word_set("loop while for foreach")

Named = Mapping[str, Sequence[Token]]
"""What names stand for."""


@dataclass(frozen=True, slots=True)
class Body:
    """One routine with a body in SQL or PL/pgSQL."""

    name: str
    parameters: tuple[str, ...]
    defaults: Named
    source: Source
    """Whose places the body's tokens count in."""
    tokens: tuple[Token, ...]
    statement: Statement
    returns: str = ""
    parts: tuple[tuple[Token, ...], ...] = ()
    """Its statements."""
    named: Named = field(default_factory=dict)
    """What its local names stand for."""
    changed: frozenset[str] = frozenset()
    """The names that it gives values to."""
    result: tuple[Token, ...] = ()
    """The expression that it computes, where it does nothing else."""


def bodies(schema: Schema) -> list[Body]:
    """Return the routines of an artifact; of several with one name and as many parameters the last."""
    return list(_bodies(Same(schema)))


@lru_cache(maxsize=4)
def _bodies(same: Same) -> tuple[Body, ...]:
    found: dict[tuple[str, int], Body] = {}
    for spoken in same.schema.spoken:
        words = [t.value for t in spoken.statement.tokens[:5]]
        creates = words[:1] == ["create"] and ("function" in words or "procedure" in words)
        body = _read(spoken.statement) if creates else None
        if body is not None:
            found[body.name, len(body.parameters)] = body
    return tuple(found.values())


def _read(statement: Statement) -> Body | None:
    tokens = statement.tokens
    opening = next((n for n, t in enumerate(tokens) if t.text == "("), 0)
    if not opening:
        return None
    closing = closes(tokens, opening)
    parameters, defaults = _parameters(tokens[opening + 1 : closing])
    head = tokens[closing + 1 :]
    at = next((n for n, t in enumerate(head) if t.kind == "word" and t.value == "returns"), None)
    returns = head[at + 1].value if at is not None and at + 1 < len(head) else ""
    source, inside = statement.source, list[Token]()
    quoted = next((t for n, t in enumerate(head) if t.kind in ("dollar", "string") and _is_body(head, n)), None)
    if quoted is not None:
        try:
            source, inside = body_tokens(statement.source, quoted)
        except CannotLook:
            return None  # a body in another language
    else:
        begins = next((n for n, (a, b) in enumerate(pairwise(head)) if (a.value, b.value) == ("begin", "atomic")), None)
        returned = next((n for n, t in enumerate(head) if t.kind == "word" and t.value == "return"), None)
        if begins is None and returned is None:
            return None
        inside = list(head[begins + 2 :] if begins is not None else head[returned:])
    parts = [tuple(p) for p in split(inside, ";") if p]
    named, changed = _named(parts)
    return Body(
        tokens[opening - 1].value,
        parameters,
        defaults,
        source,
        tuple(inside),
        statement,
        returns,
        tuple(parts),
        named,
        frozenset(changed),
        _result(parts),
    )


def _is_body(head: Sequence[Token], at: int) -> bool:
    return at > 0 and head[at - 1].kind == "word" and head[at - 1].value in ("as", "do")


def closes(tokens: Sequence[Token], opening: int) -> int:
    """Return where the bracket at `opening` closes."""
    depth = 0
    for number in range(opening, len(tokens)):
        if tokens[number].kind == "mark":
            depth += (tokens[number].text in "([") - (tokens[number].text in ")]")
            if not depth:
                return number
    return len(tokens) - 1


def _parameters(tokens: Sequence[Token]) -> tuple[tuple[str, ...], dict[str, Sequence[Token]]]:
    names: list[str] = []
    defaults: dict[str, Sequence[Token]] = {}
    for part in split(tokens) if tokens else []:
        if not part or (part[0].value == "out" and len(part) > 1):
            continue
        rest = part[1:] if part[0].value in _MODES and len(part) > 1 else part
        name = rest[0].value if len(rest) > 1 and rest[1].kind in ("word", "quoted") else f"${len(names) + 1}"
        names.append(name)
        gives = next((n for n, t in enumerate(rest) if n and (t.text in _GIVES or t.value == "default")), None)
        if gives is not None:
            defaults[name] = rest[gives + 1 :]
    return tuple(names), defaults


def _named(parts: Sequence[Sequence[Token]]) -> tuple[dict[str, Sequence[Token]], set[str]]:
    """Return what the names of a body stand for that get exactly one value, and all that get one."""
    given: dict[str, list[Sequence[Token]]] = {}
    declaring = bool(parts) and parts[0][0].value == "declare"
    begun, repeats = not declaring, False
    for part in parts:
        words = [t.value if t.kind == "word" else "" for t in part]
        if not begun:
            if "begin" in words:
                begun = True
                part = part[words.index("begin") + 1 :]
            else:
                start = 1 if words[0] == "declare" else 0
                gives = next((n for n, t in enumerate(part) if n > start and _gives(t)), None)
                if gives is not None and part[start].kind in ("word", "quoted"):
                    given.setdefault(part[start].value, []).append(part[gives + 1 :])
                continue
        words = [t.value if t.kind == "word" else "" for t in part]
        repeats |= not _REPEATS.isdisjoint(words)
        for at, token in enumerate(part):
            if token.text == ":=" and at and part[at - 1].kind in ("word", "quoted"):
                plain = at < 2 or part[at - 2].text != "."
                given.setdefault(part[at - 1].value, []).append(part[at + 1 :] if plain and not repeats else ())
            elif token.kind == "word" and token.value in ("into", "for", "foreach") and at + 1 < len(part):
                if token.value == "into" and words[:1] == ["insert"] and at == 1:
                    continue
                for name, value in _into(part, at, words):
                    given.setdefault(name, []).append(value)
    return {n: v[0] for n, v in given.items() if len(v) == 1 and v[0]}, set(given)


def _gives(token: Token) -> bool:
    return token.text in _GIVES or (token.kind == "word" and token.value == "default")


def _into(part: Sequence[Token], at: int, words: Sequence[str]) -> Iterator[tuple[str, Sequence[Token]]]:
    """Yield what `SELECT a, b INTO x, y` gives; what is read from tables is not known."""
    targets: list[str] = []
    n = at + 1
    if n < len(part) and part[n].value == "strict":
        n += 1
    while n < len(part) and part[n].kind in ("word", "quoted"):
        targets.append(part[n].value)
        if n + 1 >= len(part) or part[n + 1].text != ",":
            break
        n += 2
    begin = next((m for m in range(at, -1, -1) if words[m] == "select"), None)
    plain = words[at] == "into" and begin is not None and _NOT_IN_ONE.isdisjoint([*words[:at], *words[n + 1 :]])
    values = split(part[begin + 1 : at]) if plain and begin is not None else []
    for number, name in enumerate(targets):
        yield name, values[number] if len(values) == len(targets) else ()


def _result(parts: Sequence[Sequence[Token]]) -> tuple[Token, ...]:
    """Return the expression that a body gives back: `SELECT expression`, `RETURN expression`."""
    returned = [p for p in parts if any(t.kind == "word" and t.value == "return" for t in p)]
    returned = returned or [p for p in parts if p[0].value == "select"]
    if len(returned) != 1:
        return ()
    part = returned[0]
    words = [t.value if t.kind == "word" else "" for t in part]
    at = words.index("return") if "return" in words else words.index("select") if "select" in words else -1
    if at < 0 or at > 1 or not _NOT_IN_ONE.isdisjoint(words[at:]) or words[at + 1 : at + 2] in (["query"], ["next"]):
        return ()
    items = split(part[at + 1 :])
    if len(items) != 1:
        return ()
    item = items[0]
    if len(item) > 2 and item[-2].kind == "word" and item[-2].value == "as":
        item = item[:-2]
    return tuple(item)


def inlined(tokens: Sequence[Token], named: Named, routines: Mapping[str, Body], depth: int = 0) -> list[Token]:
    """Return an expression with names as what they stand for, and calls as what their routines compute."""
    tokens = list(tokens)
    words = {t.value for t in tokens if t.kind in ("word", "quoted")}
    if depth > DEPTH_MAX or (words.isdisjoint(named) and words.isdisjoint(routines)):
        return tokens
    found: list[Token] = []
    at = 0
    while at < len(tokens) and len(found) < TOKENS_MAX:
        token = tokens[at]
        behind = tokens[at + 1].text if at + 1 < len(tokens) else ""
        before = tokens[at - 1].text if at else ""
        plain = token.kind in ("word", "quoted") or (token.kind == "number" and token.text[0] == "$")
        if plain and behind == "(" and token.value in routines:
            close = closes(tokens, at + 1)
            made = _called(routines[token.value], tokens[at + 2 : close], named, routines, depth)
            if made is not None:
                if before == "." and len(found) > 1:  # the schema in front of the name
                    del found[-2:]
                found += made
                at = close + 1
                continue
        elif plain and token.value in named and behind not in ("(", ".") and before != ".":
            inner = {n: v for n, v in named.items() if n != token.value}
            found += _grouped(token, inlined(named[token.value], inner, routines, depth + 1))
            at += 1
            continue
        found.append(token)
        at += 1
    return found


def arguments_of(body: Body, inside: Sequence[Token]) -> dict[str, Sequence[Token]]:
    """Return what a call gives each parameter, by name or in order; defaults where it gives nothing."""
    given: dict[str, Sequence[Token]] = dict(body.defaults)
    for number, part in enumerate(split(inside) if inside else []):
        if len(part) > 2 and part[1].text in ("=>", ":="):
            given[part[0].value] = part[2:]
        elif number < len(body.parameters) and part:
            given[body.parameters[number]] = part
    return given | {f"${n + 1}": given[p] for n, p in enumerate(body.parameters) if p in given}


def _called(
    body: Body, inside: Sequence[Token], named: Named, routines: Mapping[str, Body], depth: int
) -> list[Token] | None:
    if not body.result or body.changed & set(body.parameters):
        return None
    given = {n: inlined(v, named, routines, depth + 1) for n, v in arguments_of(body, inside).items()}
    rest = {n: r for n, r in routines.items() if n != body.name}
    local = {n: inlined(v, given, rest, depth + 1) for n, v in body.named.items()}
    made = _grouped(body.result[0], inlined(body.result, given | local, rest, depth + 1))
    if body.returns in _PLAIN_TYPES:
        first = body.result[0]
        made += [first._replace(kind="op", text="::", value="::")]
        made += [first._replace(kind="word", text=body.returns, value=body.returns)]
    return made


def _grouped(like: Token, tokens: Sequence[Token]) -> list[Token]:
    if len(tokens) == 1:
        return list(tokens)
    opening, closing = (like._replace(kind="mark", text=c, value=c) for c in "()")
    return [opening, *tokens, closing]
