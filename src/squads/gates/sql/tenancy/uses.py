"""What a query does to shared tables, and its text as a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from squads.gates.sql.expressions import quietly

if TYPE_CHECKING:
    from sqlglot import exp

_MARKS = re.compile(r"%\((\w+)\)s|(?<![%\w])%s|(?<![:\w]):(\w+)|\?(?![|&?])|\$(\d+)")
_INTO = re.compile(r"\binto\s+(strict\s+)?[\w.]+(\s*,\s*[\w.]+)*\s+(?=from\b)", re.IGNORECASE)
_LENGTH_MAX = 40_000


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a shared table that is not kept to a tenant."""

    table: str
    keys: frozenset[str]
    why: str
    """`missing`: nothing is said of the key; `itself`, `or`, `joined`: what is said does not bind it."""
    by_id: bool = False
    """Whether single rows are asked for, by a column of their own."""
    grouped: bool = False
    """Whether the query groups by the key: a report over all tenants."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query does to shared tables."""

    unbound: tuple[Use, ...] = ()
    bound: frozenset[str] = frozenset()
    """Tables that are kept to a tenant."""
    keys: frozenset[str] = frozenset()
    """Every key that the query compares with something else."""
    unknown: bool = False
    """Whether a part of its conditions is put together while the program runs."""


def tree_of(text: str) -> exp.Expression | None:
    """Return a query as a tree, its placeholders as calls; None where it cannot be read."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    if len(text) > _LENGTH_MAX:
        return None
    text = re.sub(r"\{\w*\}", " squads_hole ", text)
    text = re.sub(r"\bwhere\s+and\b", "WHERE", text, flags=re.IGNORECASE)  # a list joined, its first piece like others
    text = _INTO.sub("", _MARKS.sub(lambda m: f"squads_given('{m[1] or m[2] or m[3] or ''}')", text))
    try:
        with quietly():
            tree: exp.Expression = sqlglot.parse_one(text, read="postgres")  # type: ignore[assignment]
            return tree
    except (SqlglotError, RecursionError, ValueError):
        return None
