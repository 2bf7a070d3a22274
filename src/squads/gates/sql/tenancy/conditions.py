"""A condition taken apart: what has to hold together, the ways of an OR, operands without brackets and casts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp


def conjuncts(node: exp.Expression) -> Iterator[exp.Expression]:
    """Yield what has to hold together."""
    from sqlglot import exp

    node = unwrapped(node)
    if isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    else:
        yield node


def branches(node: exp.Expression) -> Iterator[exp.Expression]:
    """Yield the ways of an OR."""
    from sqlglot import exp

    node = unwrapped(node)
    if isinstance(node, exp.Or):
        yield from branches(node.this)
        yield from branches(node.expression)
    else:
        yield node


def unwrapped(node: exp.Expression) -> exp.Expression:
    """Return a condition without brackets around it."""
    from sqlglot import exp

    while isinstance(node, exp.Paren):
        node = node.this
    return node


def bare(node: exp.Expression) -> exp.Expression:
    """Return an operand without brackets and casts."""
    from sqlglot import exp

    while isinstance(node, (exp.Paren, exp.Cast)):
        node = node.this
    return node


def plain(node: exp.Expression) -> exp.Expression:
    """Return an expression without brackets, casts and SELECTs around it that read nothing."""
    from sqlglot import exp

    while True:
        if isinstance(node, (exp.Paren, exp.Cast)):
            node = node.this
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select) and _reads_nothing(node.this):
            node = node.this.expressions[0]
        elif isinstance(node, exp.Alias) or (isinstance(node, exp.Subquery) and isinstance(node.this, exp.Subquery)):
            node = node.this
        else:
            return node


def _reads_nothing(select: exp.Select) -> bool:
    args = select.args
    return len(select.expressions) == 1 and not any(
        args.get(k) for k in ("from_", "from", "where", "joins", "with_", "with")
    )


def conditions_of(node: exp.Expression, *, outer: bool = False) -> list[exp.Expression]:
    """Return the conditions that all have to hold: of WHERE, and of inner joins; with `outer`, of LEFT JOINs."""
    from sqlglot import exp

    found = [node.args["where"].this] if node.args.get("where") is not None and not outer else []
    joins = list(node.args.get("joins") or [])
    held = node.args.get("from_") or node.args.get("from")
    for place in [held.this if held is not None else None, *(node.args.get("using") or [])]:
        joins += (place.args.get("joins") or []) if place is not None else []
    for join in joins:
        if (join.side.upper() in ("LEFT", "FULL")) != outer:
            continue
        if join.args.get("on") is not None:
            found.append(join.args["on"])
        found += [
            exp.Anonymous(this="squads_using", expressions=[exp.Literal.string(column.name)])
            for column in join.args.get("using") or []
        ]
    return [part for condition in found for part in conjuncts(condition)]


def by_id(node: exp.Expression) -> bool:
    """Return whether a statement asks for rows by a column that equals something."""
    from sqlglot import exp

    return any(
        isinstance(p, exp.EQ) and any(isinstance(bare(s), exp.Column) for s in (p.this, p.expression))
        for p in conditions_of(node)
    )


def grouped(node: exp.Expression, keys: frozenset[str]) -> bool:
    """Return whether a statement groups by a key."""
    from sqlglot import exp

    group = node.args.get("group")
    return group is not None and any(c.name.lower() in keys for c in group.find_all(exp.Column))
