"""Operators that break who sees what, and how a migration holds a table: tenants and locks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from squads.bench.planting.mutation import Edit, Mutation, Operator, Span
from squads.bench.planting.sql_text import Statement, statements, tables

Files = Mapping[str, str]
_TENANT = re.compile(
    r"CURRENT_SETTING|TENANT|WORKSPACE|ORGANI[SZ]ATION|(^|_)ORG(_|$)|ACCOUNT_ID|COMPANY|TEAM|CUSTOMER_ID|SHOP_ID|CLINIC"
    r"|PRACTICE|UTILITY|SCHOOL|CLUB|CLIENT_ID|SITE_ID|OWNER_ID",
    re.IGNORECASE,
)
"""Names that tell whose a row is; the oracle has the last word."""
_ENDS = frozenset(
    {"GROUP", "ORDER", "LIMIT", "RETURNING", "UNION", "HAVING", "WINDOW", "OFFSET", "FOR", "WITH", "LOOP"}
)


def policy(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each condition of a policy that says whose a row is: everybody's then."""
    for statement in statements(files):
        if not (statement.starts("CREATE", "POLICY") or statement.starts("ALTER", "POLICY")):
            continue
        for words in (("USING", "("), ("WITH", "CHECK", "(")):
            at = statement.find(*words)
            if at is None:
                continue
            opening = at + len(words) - 1
            closing = statement.closing(opening)
            if _tells(statement, opening, closing):
                inside = Span(statement.path, statement.words[opening].end, statement.words[closing].start)
                yield Mutation((Edit(inside, "true"),), (statement.outer,))


def predicate(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each condition, of several or alone, that says whose a row is."""
    for statement in statements(files, bodies=True):
        at = statement.find("WHERE")
        while at is not None:
            parts = list(_parts(statement, at))
            for number, (first, last) in enumerate(parts):
                if not _tells(statement, first, last):
                    continue
                if len(parts) == 1:
                    cut = Span(statement.path, statement.words[at - 1].end, statement.words[last].end)
                elif number:
                    cut = Span(statement.path, statement.words[first - 2].end, statement.words[last].end)
                else:
                    cut = Span(statement.path, statement.words[first].start, statement.words[last + 2].start)
                own = Span(statement.path, statement.start, statement.end)
                yield Mutation((Edit(cut),), (own, statement.outer))
            at = statement.find("WHERE", after=at + 1)


def _parts(statement: Statement, where: int) -> Iterator[tuple[int, int]]:
    """Yield first and last word of each condition that AND joins; none where an OR stands among them."""
    found, depth, first, between = [], 0, where + 1, False
    index = where + 1
    while index < len(statement.words):
        text = statement.words[index].text
        if depth == 0 and (text in _ENDS or text == ")"):
            break
        if depth == 0 and text == "OR":
            return
        if depth == 0 and text == "AND" and not between:
            found.append((first, index - 1))
            first = index + 1
        between = (between or text == "BETWEEN") and text != "AND"
        depth += {"(": 1, ")": -1}.get(text, 0)
        index += 1
    if first < index:
        yield from (*found, (first, index - 1))


def _tells(statement: Statement, first: int, last: int) -> bool:
    return any(_TENANT.search(word.text) for word in statement.words[first : last + 1])


def row_security(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each table whose row level security is switched on."""
    given = statements(files)
    made = tables(given)
    for statement in given:
        at = statement.find("ENABLE|FORCE", "ROW", "LEVEL", "SECURITY")
        if at is None or not statement.starts("ALTER", "TABLE"):
            continue
        name = statement.name_at(3 if statement.words[2].text == "ONLY" else 2)[0]
        about = made[name].outer if name in made else statement.outer
        if not any(word.text == "," for word in statement.words):
            yield Mutation((Edit(Span(statement.path, statement.start, statement.end)),), (about,))


def invoker(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each view that asks with the rights of who looks."""
    for statement in statements(files):
        at = statement.find("WITH", "(", "SECURITY_INVOKER")
        if at is not None:
            closing = statement.closing(at + 1)
            cut = Span(statement.path, statement.words[at - 1].end, statement.words[closing].end)
            yield Mutation((Edit(cut),), (statement.outer,))


def concurrently(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each CONCURRENTLY."""
    for statement in statements(files):
        at = statement.find("CONCURRENTLY")
        if at is not None and at and not statement.starts("REFRESH"):
            cut = Span(statement.path, statement.words[at - 1].end, statement.words[at].end)
            yield Mutation((Edit(cut),), (statement.outer,))


def not_valid(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each NOT VALID."""
    for statement in statements(files):
        at = statement.find("NOT", "VALID")
        while at is not None:
            cut = Span(statement.path, statement.words[at - 1].end, statement.words[at + 1].end)
            yield Mutation((Edit(cut),), (statement.outer,))
            at = statement.find("NOT", "VALID", after=at + 2)


OPERATORS = (
    Operator("sql.policy", "sql", "sql.tenant", "lets a policy show every row", policy),
    Operator("sql.predicate", "sql", "sql.tenant", "takes the tenant's condition from a query", predicate),
    Operator("sql.row-security", "sql", "sql.tenant", "leaves row level security off", row_security),
    Operator("sql.invoker", "sql", "sql.tenant", "lets a view ask with its owner's rights", invoker),
    Operator("sql.concurrently", "sql", "migration.locks", "takes CONCURRENTLY from an index", concurrently),
    Operator("sql.not-valid", "sql", "migration.locks", "takes NOT VALID from a constraint", not_valid),
)
"""All operators of this file."""
