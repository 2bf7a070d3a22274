"""Expressions as trees: parsed by sqlglot, which is imported only when a condition has to be weighed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, reduce
from threading import get_ident
from typing import TYPE_CHECKING

from squads.gates.check import CannotLook

if TYPE_CHECKING:
    from sqlglot import exp


@lru_cache(maxsize=512)
def parsed(text: str) -> exp.Expression:
    """Return the tree of an expression: names folded and quoted, without table names and superfluous brackets.

    Forms that say the same come out the same: `x = ANY (ARRAY[1, 2])`, as pg_dump writes it, is `x IN (1, 2)`.
    Raises `ValueError` when it is not an expression.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        with quietly():
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

    return _respelled(select.expressions[0].transform(plain))


def _respelled(tree: exp.Expression) -> exp.Expression:
    """Return `tree` with ANY and ALL of a written array, OPERATOR(...) and ranges as the plain forms that they mean."""
    from sqlglot import exp

    operators: dict[str, type[exp.Expression]] = {
        ">=": exp.GTE,
        ">": exp.GT,
        "<=": exp.LTE,
        "<": exp.LT,
        "=": exp.EQ,
        "<>": exp.NEQ,
        "!=": exp.NEQ,
    }

    def array(node: exp.Expression | None) -> list[exp.Expression] | None:
        while isinstance(node, exp.Cast):
            node = node.this
        return node.expressions if isinstance(node, exp.Array) else None

    def plain(node: exp.Expression) -> exp.Expression:
        left, right = node.args.get("this"), node.args.get("expression")
        if isinstance(node, exp.EQ) and isinstance(right, exp.Any) and (items := array(right.this)):
            return exp.In(this=left, expressions=items)
        if isinstance(node, exp.NEQ) and isinstance(right, exp.Anonymous) and right.name.upper() == "ALL":
            items = array(right.expressions[0]) if len(right.expressions) == 1 else None
            return exp.Not(this=exp.In(this=left, expressions=items)) if items else node
        if isinstance(node, (exp.GTE, exp.GT, exp.LTE, exp.LT)) and isinstance(right, exp.Anonymous):
            items = array(right.expressions[0]) if right.name.upper() == "ALL" and len(right.expressions) == 1 else None
            every: list[exp.Expression] = [
                type(node)(this=left.copy() if left else None, expression=i) for i in items or ()
            ]
            return reduce(lambda a, b: exp.And(this=a, expression=b), every) if every else node
        if isinstance(node, exp.Operator):
            made = operators.get(str(node.args.get("operator")).rsplit(".", 1)[-1])
            return made(this=left, expression=right) if made else node
        if isinstance(node, exp.ArrayContainedBy):
            return _within(left, right) or node
        if isinstance(node, exp.ArrayContainsAll):
            return _within(right, left) or node
        return node

    return tree.transform(plain)


def _within(value: exp.Expression | None, span: exp.Expression | None) -> exp.Expression | None:
    """Return `value <@ int4range(0, 9)` as two comparisons; None where the right side is no such call."""
    from sqlglot import exp

    ranges = ("int4range", "int8range", "numrange")
    if value is None or not isinstance(span, exp.Anonymous) or span.name.lower() not in ranges:
        return None
    low, high, *ends = span.expressions if len(span.expressions) in (2, 3) else (None, None)
    if low is None or high is None or not all(isinstance(e, exp.Literal) for e in ends):
        return None
    marks = ends[0].name if ends else "[)"
    parts: list[exp.Expression] = []
    if not isinstance(low, exp.Null):
        parts.append((exp.GT if marks[:1] == "(" else exp.GTE)(this=value, expression=low))
    if not isinstance(high, exp.Null):
        parts.append((exp.LTE if marks[1:] == "]" else exp.LT)(this=value.copy(), expression=high))
    if len(parts) == 2:
        return exp.And(this=parts[0], expression=parts[1])
    return parts[0] if parts else None


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
def quietly() -> Iterator[None]:
    """Keep sqlglot's warnings of this thread out of the log while it reads."""
    logger, thread = logging.getLogger("sqlglot"), get_ident()

    def other_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger.addFilter(other_thread)
    try:
        yield
    finally:
        logger.removeFilter(other_thread)
