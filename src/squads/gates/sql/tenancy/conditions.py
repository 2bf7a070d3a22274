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
