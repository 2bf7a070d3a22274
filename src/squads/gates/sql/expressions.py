"""Expressions as trees: parsed by sqlglot, which is imported only when a condition has to be weighed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import get_ident
from typing import TYPE_CHECKING

from squads.gates.check import CannotLook

if TYPE_CHECKING:
    from sqlglot import exp


@lru_cache(maxsize=512)
def parsed(text: str) -> exp.Expression:
    """Return the tree of an expression: names folded and quoted, without table names and superfluous brackets.

    Raises `ValueError` when it is not an expression.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        with _quiet():
            select = sqlglot.parse_one(f"SELECT ({text})", read="postgres")
    except SqlglotError as error:
        raise ValueError(f"could not read the expression {text[:80]!r}; write it in plain PostgreSQL") from error
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        raise ValueError(f"{text[:80]!r} is not one expression; write it in plain PostgreSQL")

    def plain(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Paren):
            return node.this.transform(plain)  # type: ignore[no-any-return]
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
            name = node.name if node.this.quoted else node.name.lower()
            return exp.Column(this=exp.Identifier(this=name, quoted=True))
        return node

    return select.expressions[0].transform(plain)  # type: ignore[no-any-return]


def spelled(node: exp.Expression) -> str:
    """Return one spelling for trees that are the same, and never the same one for trees that are not."""
    parts = [f"{key}={_spelled(value)}" for key, value in sorted(node.args.items()) if value not in (None, False, [])]
    return f"{type(node).__name__}({' '.join(parts)})"


def _spelled(value: object) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(_spelled, value))}]"
    return spelled(value) if hasattr(value, "args") else repr(value)  # type: ignore[arg-type]


def columns_of(expression: str, where: object = "") -> frozenset[str]:
    """Return the columns that `expression` reads. Raises `CannotLook` if it cannot be read."""
    try:
        return read_columns(parsed(expression))
    except (ValueError, RecursionError) as error:
        raise CannotLook(f"{where}: {error}") from error


def read_columns(node: exp.Expression) -> frozenset[str]:
    """Return the columns that a tree reads."""
    from sqlglot import exp

    return frozenset(c.name for c in node.find_all(exp.Column))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep sqlglot's warnings of this thread out of the log while it reads."""
    logger, thread = logging.getLogger("sqlglot"), get_ident()

    def other_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger.addFilter(other_thread)
    try:
        yield
    finally:
        logger.removeFilter(other_thread)
