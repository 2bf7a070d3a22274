"""Where SQL itself makes binary fractions of money: casts that are stored or computed with, parameters, variables.

A cast in a ratio, an average or a column that is called a share is statistics, and none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.lex import Source, Statement, Token
from squads.gates.sql.money import is_amount_in, is_money, says_other
from squads.gates.sql.rights.routines import body_tokens
from squads.gates.sql.steps.types import is_float
from squads.gates.words import word_set

_FLOAT_WORDS = word_set("real float4 float8 float double")
_STORES = word_set("insert update merge")
_STATISTICS = word_set(
    "avg stddev stddev_pop stddev_samp variance var_pop corr regr_slope percentile_cont percentile_disc ln log "
    "exp sqrt power width_bucket to_char cume_dist percent_rank random"
)
_ARITHMETIC = frozenset("*+-")
_AFTER_NAME = word_set("in out inout variadic constant")


class Cast(NamedTuple):
    """One binary fraction of money."""

    place: Place
    name: str
    what: str
    """How it comes about: `cast`, `parameter`, `variable`, `attribute`, `result`."""
    certain: bool


def casts(statement: Statement) -> Iterator[Cast]:
    """Yield where a statement makes floats of money."""
    tokens = list(statement.tokens)
    source = statement.source
    words = [t.value if t.kind == "word" else "" for t in tokens]
    if words[:1] == ["create"] and ("function" in words[:4] or "procedure" in words[:4]):
        yield from _routine(source, tokens)
        return
    if words[:2] == ["create", "type"]:
        yield from _typed(source, tokens, words[2], "attribute")
        return
    if words[:1] == ["do"]:
        for token in tokens:
            if token.kind in ("dollar", "string"):
                yield from _body(source, token, "")
        return
    if words[:1] in (["comment"], ["grant"], ["revoke"]):
        return
    yield from _casts(source, tokens, stored=_is_stored(words))


def _is_stored(words: Sequence[str]) -> bool:
    if words[:1] == ["create"]:
        return "view" not in words[:5]
    return not _STORES.isdisjoint(words) or words[:1] == ["alter"]


def _routine(source: Source, tokens: list[Token]) -> Iterator[Cast]:
    at = next((n for n, t in enumerate(tokens) if t.text == "("), len(tokens))
    name = tokens[at - 1].value if at else ""
    end = _closing(tokens, at)
    body = next((t for t in tokens[end:] if t.kind == "dollar" or (t.kind == "string" and len(t.value) > 20)), None)
    owner = name if body is None else f"{name}_{_tables_in(source, body)}"
    yield from _typed(source, tokens[at : end + 1], owner, "parameter")
    head = tokens[end + 1 :]
    returns = next((n for n, t in enumerate(head) if t.kind == "word" and t.value == "returns"), None)
    if returns is not None:
        after = head[returns + 1 : returns + 4]
        if after and after[0].value == "table":
            close = _closing(head, returns + 2)
            yield from _typed(source, head[returns + 2 : close + 1], owner, "result")
        elif after and after[0].value in _FLOAT_WORDS and is_money(name, name):
            yield Cast(source.place(after[0].start, after[-1].end), name, "result", True)
    if body is not None:
        yield from _body(source, body, name)


def _tables_in(source: Source, body: Token) -> str:
    """Return the tables that a body names."""
    try:
        return _tables(body_tokens(source, body)[1])
    except CannotLook:
        return ""


def _body(source: Source, body: Token, name: str) -> Iterator[Cast]:
    inner, tokens = body_tokens(source, body)
    begin = next((n for n, t in enumerate(tokens) if t.kind == "word" and t.value == "begin"), 0)
    if tokens and tokens[0].value == "declare":
        yield from _typed(inner, tokens[1:begin], f"{name}_{_tables(tokens)}", "variable")
    stored = any(t.kind == "word" and (t.value in _STORES or t.text == ":=") for t in tokens)
    yield from _casts(inner, tokens[begin:], stored=stored)


def _typed(source: Source, tokens: Sequence[Token], owner: str, what: str) -> Iterator[Cast]:
    """Yield names with a float type behind them: parameters, variables, attributes."""
    names = [t.value for t in tokens if t.kind in ("word", "quoted")]
    for n, token in enumerate(tokens[:-1]):
        behind = tokens[n + 1]
        if token.kind not in ("word", "quoted") or behind.kind != "word" or behind.value not in _FLOAT_WORDS:
            continue
        if behind.value == "double" and (n + 2 >= len(tokens) or tokens[n + 2].value != "precision"):
            continue
        called = re.sub(r"^(p|v|l|in|out|_)_", "", token.value).strip("_")
        if token.value not in _AFTER_NAME and is_money(called, owner, names):
            yield Cast(source.place(token.start, behind.end), token.value, what, True)


def _casts(source: Source, tokens: Sequence[Token], *, stored: bool) -> Iterator[Cast]:
    table = _tables(tokens)
    names = [t.value for t in tokens if t.kind in ("word", "quoted")]
    for n, token in enumerate(tokens):
        start = None
        if token.text == "::" and n + 1 < len(tokens) and _is_float_at(tokens, n + 1):
            start, end = _operand(tokens, n), n + 1
            operand = tokens[start:n]
        elif token.value == "cast" and n + 1 < len(tokens) and tokens[n + 1].text == "(":
            close = _closing(tokens, n + 1)
            at = next((m for m in range(close, n, -1) if tokens[m].value == "as"), None)
            if at is None or not _is_float_at(tokens, at + 1):
                continue
            start, end, operand = n, close, tokens[n + 2 : at]
        if start is None:
            continue
        money = next((w for w in _names(operand) if is_money(w, table, names)), "")
        if not money:
            continue
        judged = _weight(tokens, start, end, stored=stored)
        if judged is not None:
            yield Cast(source.place(tokens[start].start, tokens[end].end), money, "cast", judged)


def _names(operand: Sequence[Token]) -> list[str]:
    """Return the columns an operand reads, and the keys that it takes from a document; not what calls are called."""
    found = []
    for n, token in enumerate(operand):
        after = operand[n + 1].text if n + 1 < len(operand) else ""
        if (token.kind in ("word", "quoted") and after not in ("(", ".")) or (
            token.kind == "string" and n and operand[n - 1].text in ("->>", "->")
        ):
            found.append(token.value)
    return found


def _weight(tokens: Sequence[Token], start: int, end: int, *, stored: bool) -> bool | None:
    """Return whether a cast refuses; None where it is statistics."""
    before = tokens[start - 1].text if start else ""
    after = tokens[end + 1].text if end + 1 < len(tokens) else ""
    if after == "precision":
        after = tokens[end + 2].text if end + 2 < len(tokens) else ""
    if _inside(tokens, start) & _STATISTICS:
        return None
    alias = _alias(tokens, end)
    if alias and says_other(alias):
        return None
    if after == "/" and _is_divided_by_money(tokens, end):
        return None
    if "/" in (before, after) and not (alias and is_money(alias, "payments")):
        return None
    if stored:
        target = _target(tokens, start)
        return None if target and says_other(target) else True
    if before in ("<", ">", "<=", ">=") or after in ("<", ">", "<=", ">="):
        return False
    if "sum" in _inside(tokens, start) or before in _ARITHMETIC or after in _ARITHMETIC:
        return True
    return bool(alias and is_money(alias, "payments")) or (not alias and False)


def _is_divided_by_money(tokens: Sequence[Token], end: int) -> bool:
    """Return whether what stands behind the stroke is money too: both make a share, whatever it is called."""
    at = next(n for n in range(end + 1, len(tokens)) if tokens[n].text == "/")
    depth, stop = 0, at + 1
    while stop < len(tokens) and depth >= 0:
        text = tokens[stop].text
        depth += (text == "(") - (text == ")")
        if depth == 0 and (text in ",+-*/" or tokens[stop].value in ("as", "from", "where", "group")):
            break
        stop += 1
    names = [t.value for t in tokens if t.kind in ("word", "quoted")]
    table = f"payments_{_tables(tokens)}"
    return any(is_money(w, table, names) or is_amount_in(w, table) for w in _names(tokens[at + 1 : stop]))


def _target(tokens: Sequence[Token], start: int) -> str:
    """Return the column that an UPDATE's SET gives the value to."""
    depth = 0
    for n in range(start - 1, 0, -1):
        depth += (tokens[n].text in ")]") - (tokens[n].text in "([")
        if depth <= 0 and tokens[n].text == "=":
            return tokens[n - 1].value
        if not depth and tokens[n].text in (",", "set"):
            return ""
    return ""


def _inside(tokens: Sequence[Token], at: int) -> set[str]:
    """Return the calls that `at` stands in."""
    found, depth = set(), 0
    for n in range(at - 1, -1, -1):
        if tokens[n].text == ")":
            depth += 1
        elif tokens[n].text == "(":
            if depth:
                depth -= 1
            elif n and tokens[n - 1].kind == "word":
                found.add(tokens[n - 1].value)
    return found


def _alias(tokens: Sequence[Token], at: int) -> str:
    """Return what the result that `at` is part of is called: the AS that follows outside its brackets."""
    depth = 0
    for n in range(at + 1, len(tokens)):
        text = tokens[n].text
        if text in "([":
            depth += 1
        elif text in ")]":
            depth -= 1
        elif (depth <= 0 and text == ",") or (
            depth <= 0 and tokens[n].kind == "word" and tokens[n].value in ("from", "where", "group", "order")
        ):
            return ""
        elif (
            depth <= 0
            and tokens[n].value == "as"
            and n + 1 < len(tokens)
            and not (depth < 0 and _is_float_at(tokens, n + 1))
        ):
            return tokens[n + 1].value
    return ""


def _operand(tokens: Sequence[Token], at: int) -> int:
    """Return where the operand in front of `::` begins."""
    n = at - 1
    if n >= 0 and tokens[n].text in (")", "]"):
        depth = 0
        while n >= 0:
            depth += (tokens[n].text in ")]") - (tokens[n].text in "([")
            if not depth:
                break
            n -= 1
        if n > 0 and tokens[n - 1].kind == "word" and tokens[n - 1].value not in ("and", "or", "select", "in", "set"):
            n -= 1
    while n >= 2 and tokens[n - 1].text in (".", "->>", "->"):
        n -= 2
    return max(n, 0)


def _is_float_at(tokens: Sequence[Token], at: int) -> bool:
    if at >= len(tokens) or tokens[at].kind != "word" or tokens[at].value not in _FLOAT_WORDS:
        return False
    text = tokens[at].value
    if text == "double":
        return at + 1 < len(tokens) and tokens[at + 1].value == "precision"
    return is_float(text)


def _closing(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    for n in range(at, len(tokens)):
        depth += (tokens[n].text == "(") - (tokens[n].text == ")")
        if not depth:
            return n
    return len(tokens) - 1


def _tables(tokens: Sequence[Token]) -> str:
    """Return the tables that a statement names, as one name of many words."""
    found: list[str] = []
    for n, token in enumerate(tokens[:-1]):
        if token.kind == "word" and token.value in ("from", "into", "update", "table", "join", "view"):
            names = [t.value for t in tokens[n + 1 : n + 6] if t.kind in ("word", "quoted")]
            names = [w for w in names if w not in ("if", "not", "exists", "only", "as", "set")]
            found += names[:1]
    return "_".join(found)
