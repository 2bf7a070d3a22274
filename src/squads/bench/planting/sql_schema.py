"""Operators that break schemas: uniqueness, balances, definer rights, what columns take, and exact money."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from squads.bench.planting.mutation import Edit, Mutation, Operator, Span
from squads.bench.planting.sql_text import (
    Statement,
    elements,
    statements,
    table_of,
    tables,
    without_element,
)

Files = Mapping[str, str]
_ATTRIBUTES = frozenset(
    {"AS", "LANGUAGE", "STABLE", "IMMUTABLE", "VOLATILE", "SECURITY", "RETURNS", "RETURN", "BEGIN", "PARALLEL", "COST"}
    | {"STRICT", "CALLED", "LEAKPROOF", "ROWS", "SET", "WINDOW", "SUPPORT"}
)
"""What may follow a setting of a function."""
_MONEY = re.compile(
    r"amount|price|total|balance|fee|cost|paid|net|gross|salary|due|credit|debit|value|tax|discount|rate"
)


def _whole(statement: Statement) -> Span:
    return statement.outer


def _cut(statement: Statement, first: int, last: int, *about: Span) -> Mutation:
    span = statement.span(first, last)
    before = statement.words[first - 1].end if first else span.start  # the space before goes too
    return Mutation((Edit(Span(span.path, before, span.end)),), about or (_whole(statement),))


def _dropped(statement: Statement, *about: Span) -> Mutation:
    return Mutation((Edit(Span(statement.path, statement.start, statement.end)),), about)


def nulls_distinct(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each NULLS NOT DISTINCT."""
    for statement in statements(files):
        at = statement.find("NULLS", "NOT", "DISTINCT")
        while at is not None:
            yield _cut(statement, at, at + 2)
            at = statement.find("NULLS", "NOT", "DISTINCT", after=at + 3)


def nullable(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each NOT NULL of a column that stands in a UNIQUE of several columns."""
    given = statements(files)
    made = tables(given)
    for name, statement in made.items():
        unique = {column for s in given for table, columns in _unique(s) if table == name for column in columns}
        opening = statement.find("(")
        for first, last in elements(statement, opening) if opening is not None else ():
            at = statement.find("NOT", "NULL", after=first)
            if statement.words[first].text.lower() in unique and at is not None and at < last:
                yield _cut(statement, at, at + 1)


def _unique(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """Yield table and columns of each UNIQUE over several columns that a statement makes."""
    table = table_of(statement)
    if statement.starts("ALTER", "TABLE"):
        table = statement.name_at(3 if statement.words[2].text == "ONLY" else 2)[0]
    at = statement.find("UNIQUE")
    while at is not None:
        if statement.starts("CREATE", "UNIQUE", "INDEX"):
            on = statement.find("ON")
            table = statement.name_at(on + 1)[0] if on is not None else ""
        opening = statement.find("(", after=at)
        if opening is not None:
            columns = [statement.words[first].text.lower() for first, _ in elements(statement, opening)]
            if len(columns) > 1:
                yield table, columns
        at = statement.find("UNIQUE", after=at + 1)


def partial_index(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each partial unique index whose table is made here."""
    given = statements(files)
    made = tables(given)
    for statement in given:
        if statement.starts("CREATE", "UNIQUE", "INDEX") and statement.find("WHERE") is not None:
            on = statement.find("ON")
            name = statement.name_at(on + 1)[0] if on is not None else ""
            if name in made:
                yield _dropped(statement, _whole(made[name]))


def check(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each CHECK against a bound, in a table, a domain, or added later."""
    given = statements(files)
    made = tables(given)
    for statement in given:
        at = statement.find("CHECK", "(")
        while at is not None:
            closing = statement.closing(at + 1)
            said = {w.text for w in statement.words[at:closing]}
            if said & {">=", ">", "BETWEEN", "<=", "<"} and not statement.starts("CREATE", "POLICY"):
                yield from _unchecked(statement, at, closing, made)
            at = statement.find("CHECK", "(", after=closing)


def _unchecked(statement: Statement, at: int, closing: int, made: Mapping[str, Statement]) -> Iterator[Mutation]:
    first = at - 2 if at > 2 and statement.words[at - 2].text == "CONSTRAINT" else at
    if statement.starts("ALTER", "TABLE"):
        name = statement.name_at(3 if statement.words[2].text == "ONLY" else 2)[0]
        if not any(w.text == "," for w in (*statement.words[:first], *statement.words[closing:])):
            yield _dropped(statement, _whole(made[name]) if name in made else _whole(statement))
        return
    around = statement.words[first - 1].text if first else ""
    if table_of(statement) and around in ",(" and statement.words[closing + 1].text in ",)":
        yield Mutation(without_element(statement, first, closing), (_whole(statement),))
    else:
        yield _cut(statement, first, closing)


def search_path(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each search_path of a function."""
    for statement in statements(files):
        at = statement.find("SET", "SEARCH_PATH", "=|TO")
        if statement.starts("CREATE") and statement.find("FUNCTION|PROCEDURE") in (1, 3) and at is not None:
            last = at + 3
            while last + 1 < len(statement.words) and statement.words[last + 1].text not in _ATTRIBUTES:
                last += 1
            yield _cut(statement, at, last)


def definer(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each SECURITY DEFINER."""
    for statement in statements(files):
        at = statement.find("SECURITY", "DEFINER")
        if at is not None and statement.starts("CREATE"):
            yield _cut(statement, at, at + 1)


def revoke(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each REVOKE and each GRANT on a function that is made here."""
    given = statements(files)
    functions = {}
    for statement in given:
        at = statement.find("FUNCTION|PROCEDURE")
        if statement.starts("CREATE") and at in (1, 3):
            functions[statement.name_at(at + 1)[0]] = statement
    for statement in given:
        on = statement.find("ON", "FUNCTION|PROCEDURE|ROUTINE")
        if (statement.starts("REVOKE") or statement.starts("GRANT")) and on is not None:
            name = statement.name_at(on + 2)[0]
            if name in functions:
                yield _dropped(statement, _whole(functions[name]))


def shrunk(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each length or precision of a column that can be made smaller."""
    given = statements(files)
    for statement in given:
        if not (table_of(statement) or statement.starts("ALTER", "TABLE") or statement.starts("CREATE", "DOMAIN")):
            continue
        about = (_whole(statement), *(_whole(s) for s in given if _writes(s, table_of(statement))))
        for at, word in enumerate(statement.words[:-2]):
            if statement.words[at + 1].text != "(" or word.quoted:
                continue
            closing = statement.closing(at + 1)
            sizes = [n for n in range(at + 2, closing) if statement.words[n].text.isdigit()]
            if word.text in {"VARCHAR", "CHAR", "VARYING", "CHARACTER"} and len(sizes) == 1:
                size = int(statement.words[sizes[0]].text)
                yield from _resized(statement, sizes[0], {size // 2, size // 4} - {0}, about)
            if word.text in {"NUMERIC", "DECIMAL"} and len(sizes) == 2:
                precision, scale = (int(statement.words[n].text) for n in sizes)
                whole = precision - scale
                yield from _resized(statement, sizes[1], {scale + whole - 1} - {scale}, about)
                yield from _resized(statement, sizes[0], {scale + whole // 2} - {precision, 0}, about)
        for at, word in enumerate(statement.words):
            smaller = {"BIGINT": "integer", "INTEGER": "smallint", "INT": "smallint"}.get(word.text)
            if smaller and not word.quoted:
                yield Mutation((Edit(statement.span(at, at), smaller),), about)


def _writes(statement: Statement, table: str) -> bool:
    return bool(table) and statement.starts("INSERT", "INTO") and statement.name_at(2)[0] == table


def _resized(statement: Statement, at: int, sizes: set[int], about: tuple[Span, ...]) -> Iterator[Mutation]:
    for size in sorted(sizes):
        yield Mutation((Edit(statement.span(at, at), str(size)),), about)


def float_money(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each exact column or variable that looks like money."""
    for statement in statements(files, bodies=True):
        for at, word in enumerate(statement.words):
            if word.text not in {"NUMERIC", "DECIMAL"} or word.quoted or not at:
                continue
            opening = at + 1 < len(statement.words) and statement.words[at + 1].text == "("
            last = statement.closing(at + 1) if opening else at
            scaled = len([w for w in statement.words[at:last] if w.text.isdigit()]) == 2
            if scaled or _MONEY.search(statement.words[at - 1].text.lower()):
                yield Mutation((Edit(statement.span(at, last), "double precision"),), (_whole(statement),))


OPERATORS = (
    Operator("sql.nulls-distinct", "sql", "sql.unique-null", "takes NULLS NOT DISTINCT from a UNIQUE", nulls_distinct),
    Operator("sql.nullable", "sql", "sql.unique-null", "takes NOT NULL from a column in a UNIQUE of several", nullable),
    Operator("sql.partial-index", "sql", "sql.unique-null", "drops a partial unique index", partial_index),
    Operator("sql.check", "sql", "sql.balance-not-negative", "drops a CHECK against a bound", check),
    Operator("sql.search-path", "sql", "sql.definer-rights", "takes its search_path from a function", search_path),
    Operator("sql.definer", "sql", "sql.definer-rights", "takes SECURITY DEFINER from a function", definer),
    Operator("sql.revoke", "sql", "sql.definer-rights", "drops a REVOKE or GRANT on a function", revoke),
    Operator("sql.shrunk", "sql", "sql.value-fits", "makes a column's type smaller", shrunk),
    Operator("sql.float-money", "sql", "sql.exact-money", "stores an exact amount as double precision", float_money),
)
"""All operators of this file."""
