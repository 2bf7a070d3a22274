"""Which expressions stand in the rows of a statement: VALUES, SELECT lists, lists that WITH names, branches of CASE.

Nothing is computed here, and nothing is looked up but the names that the statement itself gives to constants. What is
joined, grouped or read from a table stays the expression that was written, which is then no constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Token, split
from squads.gates.sql.writes import Write
from squads.gates.words import word_set

_SELECT_ENDS = word_set(
    "from where group having window union intersect except order limit offset fetch for on returning"
)
_AFTER_FROM = word_set("where group having order limit offset fetch window for union intersect except on returning")
_JOINS = frozenset((",", *word_set("join cross left inner right full natural")))

Row = list[Sequence[Token]]

Lists = Mapping[str, tuple[list[str], list[Row]]]
"""What WITH calls a list of VALUES: its column names and its rows."""


def listed_tables(write: Write, cursor: Cursor) -> Lists:
    """Return the lists of constants that WITH names: in front of INSERT, or between INSERT and SELECT."""
    tokens = write.statement.tokens
    if not any(t.kind == "word" and t.value == "with" for t in (tokens[0], *cursor.tokens[cursor.at : cursor.at + 1])):
        return {}
    inner = Cursor(cursor.source, tokens) if tokens[0].value == "with" else cursor
    inner.accept("with")
    inner.accept("recursive")
    found: dict[str, tuple[list[str], list[Row]]] = {}
    while not inner.done and inner.tokens[inner.at].kind in ("word", "quoted"):
        if inner.peek() in ("insert", "select", "values"):
            break
        name, names = inner.name(), list[str]()
        if inner.peek() == "(":
            names = [part[0].value for part in split(inner.group()) if part]
        inner.accept("as")
        inner.accept("not")
        inner.accept("materialized")
        if inner.peek() != "(":
            break
        body = Cursor(inner.source, inner.group())
        if body.peek() == "values":
            body.skip()
            found[name] = (names, _value_rows(body))
        elif body.peek() == "select":
            rows = rows_of(body)
            found[name] = (names, rows) if names else ([], [])
        if not inner.accept(","):
            break
    return {name: (names, rows) for name, (names, rows) in found.items() if rows}


def rows_of(cursor: Cursor, lists: Lists | None = None) -> list[Row]:
    """Take VALUES rows or SELECT lists of constants; a column of FROM (VALUES ...) stands for its expressions."""
    if cursor.peek() == "(":
        start = cursor.at
        inside = cursor.group()
        if start + 1 < len(cursor.tokens) and cursor.tokens[start + 1].value in ("select", "values", "with"):
            return rows_of(Cursor(cursor.source, inside), lists)
        return []
    rows: list[Row] = []
    while not cursor.done:
        if cursor.accept("values"):
            rows += _value_rows(cursor)
        elif cursor.accept("select"):
            rows += _selected(cursor, lists or {})
        else:
            break
        if not (cursor.accept("union") or cursor.accept("intersect") or cursor.accept("except")):
            break
        cursor.accept("all")
    return rows


def _value_rows(cursor: Cursor) -> list[Row]:
    rows: list[Row] = []
    while cursor.peek() == "(":
        rows.append([*split(cursor.group())])
        if not cursor.accept(","):
            break
    return rows


def _selected(cursor: Cursor, lists: Lists) -> list[Row]:
    cursor.accept("all")
    if cursor.accept("distinct") and cursor.accept("on"):
        cursor.group()
    start = cursor.at
    while not cursor.done and not (cursor.peek() in _SELECT_ENDS and cursor.tokens[cursor.at].kind == "word"):
        cursor.skip()
    items = [_without_alias(part) for part in split(cursor.tokens[start : cursor.at])]
    given: list[dict[str, Sequence[Token]]] = [{}]
    alias, names = "", list[str]()
    from_list = cursor.accept("from")
    if from_list and cursor.peek() in lists and not cursor.ahead(cursor.peek(), "."):
        listed = cursor.name()
        columns, rows_given = lists[listed]
        cursor.accept("as")
        alias = listed
        if not cursor.done and cursor.tokens[cursor.at].kind in ("word", "quoted"):
            alias = listed if cursor.peek() in _SELECT_ENDS | _AFTER_FROM else cursor.name()
        columns = columns or [f"column{n + 1}" for n in range(max(map(len, rows_given)))]
        alone = cursor.done or cursor.peek() not in _JOINS
        given = [dict(zip(columns, row, strict=False)) for row in rows_given] if alone else [{}]
    elif from_list and cursor.ahead("(", "values"):
        inside = Cursor(cursor.source, cursor.group())
        inside.expect("values")
        cursor.accept("as")
        if not cursor.done and cursor.tokens[cursor.at].kind in ("word", "quoted"):
            alias = cursor.name()
        if cursor.peek() == "(":
            names = [part[0].value for part in split(cursor.group()) if part]
        if not cursor.done and cursor.peek() in (",", "join", "cross", "left", "inner", "right", "full"):
            names = []
        given = [dict(zip(names, row, strict=False)) for row in _value_rows(inside)] if names else [{}]
    while not cursor.done and cursor.peek() not in ("union", "intersect", "except", "on", "returning"):
        cursor.skip()
    rows = []
    for values in given:
        row: Row = []
        for item in items:
            texts = [t.value for t in item]
            if values and texts in (["*"], [alias, ".", "*"]):
                row += values.values()
                continue
            if values and texts[:2] == [alias, "."]:
                texts, item = texts[2:], item[2:]
            stands = item[0].kind in ("word", "quoted") if item else False
            swap = values.get(texts[0]) if stands else None
            # a cast behind the name stays: v.rate::numeric
            row.append([*swap, *item[1:]] if swap and (len(item) == 1 or item[1].text == "::") else item)
        rows.append(row)
    return rows


def _without_alias(part: Sequence[Token]) -> Sequence[Token]:
    if len(part) > 2 and part[-2].kind == "word" and part[-2].value == "as":
        return part[:-2]
    return part


def alternatives(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Return what an expression may become: the branches of CASE, the arguments of COALESCE; else itself."""
    first, last = tokens[0].value, tokens[-1].value
    if tokens[0].kind != "word" or first not in ("case", "coalesce") or len(tokens) < 4:
        return [tokens]
    if first == "coalesce":
        whole = tokens[1].text == "(" and end_of_level(tokens, 2) == len(tokens) - 1
        return [part for part in split(tokens[2:-1]) if part] if whole else [tokens]
    if last != "end":
        return [tokens]
    branches: list[list[Token]] = []
    depth, taking = 0, False
    for token in tokens[1:-1]:
        word = token.value if token.kind == "word" else ""
        depth += (token.kind == "mark" and token.text in "([") or word == "case"
        depth -= (token.kind == "mark" and token.text in ")]") or word == "end"
        if depth == 0 and word in ("then", "else", "when"):
            taking = word != "when"
            branches += [[]] if taking else []
        elif taking:
            branches[-1].append(token)
    return [branch for branch in branches if branch] if depth == 0 else [tokens]


def end_of_level(tokens: Sequence[Token], start: int) -> int:
    """Return where the bracket closes in which the token numbered `start` stands."""
    depth = 0
    for number in range(start, len(tokens)):
        if tokens[number].kind == "mark":
            depth += (tokens[number].text in "([") - (tokens[number].text in ")]")
            if depth < 0:
                return number
    return len(tokens)
