"""Money that SQL computes as a binary fraction: what an expression is follows from its parts, whatever they are called.

One float among the factors makes the whole product one. So a result that is called money, or that is stored in a
column that is, must have no float in it: no cast, no float column, no parameter or variable of that type. What is
divided for a share, counted, or fed to statistics is none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.fits.fitting import fired, tokens_in
from squads.gates.sql.fits.routines import Body, bodies
from squads.gates.sql.lex import Source, Statement, Token, split
from squads.gates.sql.model import Column, Schema, Table
from squads.gates.sql.money import is_amount_in, is_derived, is_money, is_money_type, may_be_money, says_other
from squads.gates.sql.money_given import alias_of, given, selected
from squads.gates.sql.money_typing import NOTHING, Made, made_of
from squads.gates.sql.rights.routines import body_tokens
from squads.gates.sql.steps.types import is_float
from squads.gates.words import word_set

_FLOAT_WORDS = word_set("real float4 float8 float double")
_NO_NAMES = word_set("as returns type cast set default alter column table in out inout variadic constant not null")


@dataclass(frozen=True, slots=True)
class Flow:
    """One float that becomes money."""

    name: str
    """What the money is called."""
    place: Place
    also: tuple[Place, ...] = ()
    """Where the float was declared."""


Views = dict[str, dict[str, Made]]
"""What the columns of views come out as."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is known where an expression stands."""

    schema: Schema
    tables: tuple[Table, ...]
    views: Views
    declared: dict[str, Place]
    """Names in the statement itself that are floats: parameters, variables, columns of a record."""
    moneys: frozenset[str]
    """Names in the statement itself that are money."""
    routines: dict[str, Made]
    owner: str = ""
    """The routine that it stands in."""
    view: str = ""
    """The view that it is a column of."""

    def look(self, name: str) -> Made:
        """Return what is known of a name."""
        if name.endswith("()"):
            return self.routines.get(name.removesuffix("()"), NOTHING)
        held = [(t, c) for t in self.tables if (c := t.column(name)) is not None]
        if name in self.declared or name in self.moneys or not held:
            money = name in self.moneys
            viewed = [v[name] for v in self.views.values() if name in v] if not held and not money else []
            if viewed and name not in self.declared:
                return viewed[-1]
            return Made(money=money or (not held and is_money(name, self.owner, ())), floating=name in self.declared)
        money = any(_is_money_column(self.schema, t, c) for t, c in held)
        floating = all(_is_float(self.schema, c.type) for _, c in held)
        return Made(money=money, floating=floating, spoiled=money and floating)


def _is_money_column(schema: Schema, table: Table, column: Column) -> bool:
    if any(is_money_type(d.name) for d in schema.domains_of(column.type)):
        return True
    others = [c.name for c in table.columns if c.name != column.name]
    if is_money(column.name, table.name, others):
        return True
    cents = re.fullmatch(r"(numeric|decimal)\(\d+,\s*2\)", schema.base_type(column.type)) is not None
    return cents and (is_money(column.name, f"payments_{table.name}", others) or is_amount_in(column.name, table.name))


def _is_float(schema: Schema, type_name: str) -> bool:
    base = schema.base_type(re.sub(r"\[\]$", "", type_name))
    return bool(base) and is_float(base)


def all_flows(statements: Sequence[Statement], schema: Schema) -> Iterator[Flow]:
    """Yield the floats that become money in the statements of an artifact, and in columns that are computed."""
    yield from _generated(schema)
    routines = {b.name: _result_of(b, schema) for b in bodies(schema)}
    views: Views = {}
    for statement in statements:
        yield from _flows(statement, schema, routines, views)


def _result_of(body: Body, schema: Schema) -> Made:
    floating = body.returns in ("real", "float4", "float8", "float", "double") or _is_float(schema, body.returns)
    return Made(money=is_money_type(body.returns) and body.returns in schema.domains, floating=floating)


def _generated(schema: Schema) -> Iterator[Flow]:
    for table in schema.tables:
        resolved = schema.resolved(table)
        scope = _Scope(schema, (resolved,), {}, {}, frozenset(), {})
        for column in table.columns:
            if not column.generated or says_other(column.name):
                continue
            made = made_of(tokens_in(column.generated), scope.look, is_money_type)
            stored = _is_float(schema, column.type)
            if (made.spoiled or (made.money and stored)) and not made.meant:
                yield Flow(column.name, column.place)


def _flows(statement: Statement, schema: Schema, routines: dict[str, Made], views: Views) -> Iterator[Flow]:
    """Yield the floats of a statement that become money."""
    source, tokens = statement
    words = [t.value if t.kind == "word" else "" for t in tokens[:7]]
    if words[0] in ("comment", "grant", "revoke", "alter"):
        return
    if "table" in words[:4] and "as" not in [t.value for t in tokens]:
        return
    parts: list[tuple[Source, list[Token]]] = [(source, list(tokens))]
    routine = words[0] == "create" and not {"function", "procedure"}.isdisjoint(words)
    if words[0] == "do" or routine:
        body = next((t for t in tokens if t.kind == "dollar"), None)
        if body is not None:
            try:
                parts.append(body_tokens(source, body))
            except CannotLook:
                return
    declared: dict[str, Place] = {}
    moneys: set[str] = set()
    for where, inside in parts:
        declared |= _declared(where, inside)
        moneys |= _typed_as_money(inside, schema)
        moneys |= _exact_parameters(inside) if routine and where is source else set()
    name = _made_name(tokens, words) if "view" in words[:5] else ""
    columns: dict[str, Made] = {}
    head = parts[0][1] if not routine else parts[0][1][: _head_end(parts[0][1])]
    for where, inside in [(source, head), *parts[1:]]:
        for part in split(inside, ";"):
            if part:
                yield from _part(where, part, schema, declared, moneys, routines, views, columns, name)
    if routine and len(parts) > 1:
        yield from _returned(parts[1][0], parts[1][1], tokens, source, schema, declared, moneys, routines, views)
    if name:
        views[name] = columns


def _head_end(tokens: Sequence[Token]) -> int:
    """Return where a routine's head ends: a body that is no string stays in the head's own statement."""
    return next((n for n, t in enumerate(tokens) if t.kind == "dollar"), len(tokens))


def _made_name(tokens: Sequence[Token], words: Sequence[str]) -> str:
    at = words.index("view") + 1
    while at < len(tokens) and tokens[at].value in _NOT_VIEW:
        at += 1
    if at + 2 < len(tokens) and tokens[at + 1].text == ".":
        at += 2
    return tokens[at].value if at < len(tokens) else ""


_NOT_VIEW = word_set("if not exists recursive")


def _typed_as_money(tokens: Sequence[Token], schema: Schema) -> set[str]:
    """Return the names that are declared with a domain that is money."""
    found: set[str] = set()
    for at, token in enumerate(tokens[:-1]):
        behind = tokens[at + 1].value
        typed = token.kind in ("word", "quoted") and behind in schema.domains and tokens[at + 1].kind == "word"
        if typed and token.value not in _NO_NAMES and is_money_type(behind):
            found.add(token.value)
    return found


def _exact_parameters(tokens: Sequence[Token]) -> set[str]:
    """Return the parameters of a routine that are exact, and called as money is."""
    return {
        token.value
        for token, behind in pairwise(tokens)
        if token.kind == "word" and behind.value in ("numeric", "decimal") and may_be_money(token.value)
    }


def _returned(
    source: Source,
    inside: Sequence[Token],
    tokens: Sequence[Token],
    outer: Source,
    schema: Schema,
    declared: dict[str, Place],
    moneys: set[str],
    routines: dict[str, Made],
    views: Views,
) -> Iterator[Flow]:
    """Yield what a routine gives back as a float although it computed money."""
    parts = [p for p in split(list(inside), ";") if p]
    returned = [p for p in parts if "return" in [t.value for t in p]] or parts[-1:]
    at = next((n for n, t in enumerate(tokens) if t.kind == "word" and t.value == "returns"), None)
    result = tokens[at + 1] if at is not None and at + 1 < len(tokens) else None
    if result is None or result.value in ("trigger", "void", "table", "setof", "record"):
        return
    name = tokens[next((n for n, t in enumerate(tokens) if t.text == "("), 1) - 1].value
    for part in returned:
        words = [t.value if t.kind == "word" else "" for t in part]
        begin = words.index("return") if "return" in words else words.index("select") if "select" in words else -1
        if begin < 0:
            continue
        items = [i for i in selected(part, begin)[0] if i]
        if len(items) != 1:
            continue
        scope = _scope(part, schema, declared, moneys, routines, views)
        scope = replace(scope, owner=name)
        made = made_of(alias_of(items[0])[1], scope.look, is_money_type)
        floating = result.value in _FLOAT_WORDS or _is_float(schema, result.value)
        if (made.spoiled or (made.money and floating)) and not made.meant and not says_other(name):
            head = outer.place(result.start, result.end)
            yield Flow(name, source.place(items[0][0].start, items[0][-1].end), (head,) if floating else ())


def _declared(source: Source, tokens: Sequence[Token]) -> dict[str, Place]:
    """Return the names with a float type behind them."""
    found: dict[str, Place] = {}
    for at, token in enumerate(tokens[:-1]):
        if token.kind not in ("word", "quoted") or token.value in _NO_NAMES or not _float_at(tokens, at + 1):
            continue
        if at and tokens[at - 1].text in ("::", "."):
            continue
        found[token.value] = source.place(token.start, tokens[at + 1].end)
    for name, constant, kind in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if constant.value == "constant" and kind.value in _FLOAT_WORDS:
            found[name.value] = source.place(name.start, kind.end)
    return found


def _float_at(tokens: Sequence[Token], at: int) -> bool:
    if at >= len(tokens) or tokens[at].kind != "word" or tokens[at].value not in _FLOAT_WORDS:
        return False
    if tokens[at].value == "double":
        # MySQL's has no second word.
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        return after is None or after.value == "precision" or after.text in (",", ")", ";")
    return True


def _scope(
    tokens: Sequence[Token],
    schema: Schema,
    declared: dict[str, Place],
    moneys: set[str],
    routines: dict[str, Made],
    views: Views,
) -> _Scope:
    names = {t.value for t in tokens if t.kind in ("word", "quoted")}
    tables = tuple(schema.resolved(t) for t in schema.tables if t.name in names)
    if not names.isdisjoint(("new", "old")):
        fires = {t for tables_of in fired(schema).values() for t in tables_of}
        tables += tuple(schema.resolved(t) for t in schema.tables if t.name in fires and t.name not in names)
    seen = {name: view for name, view in views.items() if name in names}
    return _Scope(schema, tables, seen, declared, frozenset(moneys), routines)


def _part(
    source: Source,
    tokens: Sequence[Token],
    schema: Schema,
    declared: dict[str, Place],
    moneys: set[str],
    routines: dict[str, Made],
    views: Views,
    columns: dict[str, Made],
    made_name: str,
) -> Iterator[Flow]:
    scope = replace(_scope(tokens, schema, declared, moneys, routines, views), view=made_name)
    for name, expression in given(tokens, scope.tables):
        made = made_of(expression, scope.look, is_money_type)
        columns[name] = made
        place = source.place(expression[0].start, expression[-1].end)
        if made.money:
            moneys.add(name)
        if name in declared and (made.money or made.spoiled) and not made.meant:
            yield Flow(name, declared[name], (place,))
        elif says_other(name) or is_derived(name):
            continue
        elif (made.spoiled and not made.meant) or (made.floating and _sinks(name, made, scope)):
            yield Flow(name, place, _where(expression, scope))


def _sinks(name: str, made: Made, scope: _Scope) -> bool:
    """Return whether a float becomes money by the name that it gets."""
    if is_money(name, scope.view, ()):
        return not made.meant
    return any(_keeps_money(scope.schema, t, name) for t in scope.tables)


def _keeps_money(schema: Schema, table: Table, name: str) -> bool:
    """Return whether a column is money and exact, so that what is stored in it should be."""
    column = table.column(name)
    exact = column is not None and schema.base_type(column.type).startswith(("numeric", "decimal"))
    return exact and column is not None and _is_money_column(schema, table, column)


def _where(expression: Sequence[Token], scope: _Scope) -> tuple[Place, ...]:
    """Return where the first float of an expression was declared."""
    for token in expression:
        if token.kind not in ("word", "quoted"):
            continue
        if token.value in scope.declared:
            return (scope.declared[token.value],)
        for table in scope.tables:
            column = table.column(token.value)
            if column is not None and _is_float(scope.schema, column.type):
                return (column.place,)
    return ()
