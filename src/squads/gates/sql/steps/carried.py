"""Whether an expression or a set of conditions carries all that a column held: the arithmetic of copies.

A copy may be a mapping (CASE, one UPDATE for each value), a look-up over a table of the values, or several UPDATEs
whose conditions leave out no row between them.
A comparison, a coalesce behind an older column, and a single branch are less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from squads.gates.sql.expressions import parsed

if TYPE_CHECKING:
    from sqlglot import exp

WHOLE = 2
PART = 1
NOTHING = 0
_GIVEN = re.compile(r"(?<![:\w]): (\w+)|%\(\s*(\w+)\s*\)s|% ?s\b|\$ ?(\d+)")
_FLIPPED = {"neq": "eq", "gt": "lte", "gte": "lt"}


def tree_of(text: str) -> exp.Expression | None:
    """Return the tree of an expression with placeholders, None where it cannot be read."""
    try:
        return parsed(_GIVEN.sub("squads_given ( )", text))
    except (ValueError, RecursionError):
        return None


def carries(value: str, column: str, choices: frozenset[str], *, old: Iterable[str] = ()) -> int:
    """Return how much of `column` an expression holds, whatever functions cut from it: WHOLE, PART or NOTHING.

    Args:
        value: The expression.
        column: The name of the column.
        choices: What the column may hold at most, empty where that is not known.
        old: Columns that stood before: one of them first in a coalesce, and the value is kept in some rows only.
    """
    from sqlglot import exp

    tree = tree_of(value)
    if tree is None:
        return WHOLE if re.search(rf"\b{re.escape(column)}\b", value, re.IGNORECASE) else NOTHING
    uses = [c for c in tree.find_all(exp.Column) if c.name.lower() == column.lower()]
    if not uses:
        return NOTHING
    best = NOTHING
    for use in uses:
        best = max(best, _one(use, tree, choices, frozenset(o.lower() for o in old)))
    if best == PART and _maps(tree, column, choices):
        return WHOLE
    return best


def _one(use: exp.Column, tree: exp.Expression, choices: frozenset[str], old: frozenset[str]) -> int:
    from sqlglot import exp

    if use.find_ancestor(exp.Select) is not None:
        return WHOLE  # a look-up: what it finds stands for the value
    node: exp.Expr = use
    while node is not tree and node.parent is not None:
        above = node.parent
        if isinstance(above, exp.Coalesce) and above.this is not node:
            first = above.this
            if isinstance(first, exp.Column) and first.name.lower() in old and first.name != use.name:
                return PART
        if isinstance(above, (exp.Greatest, exp.Least)):
            return PART
        if isinstance(above, exp.If) and above.this is node:
            return WHOLE if choices == {"true", "false"} else PART
        if isinstance(above, exp.Case) and above.this is node:
            return PART
        if isinstance(above, (exp.Predicate, exp.Not, exp.Is)):
            return WHOLE if choices == {"true", "false"} else PART
        node = above
    return WHOLE


def _maps(tree: exp.Expr, column: str, choices: frozenset[str]) -> bool:
    """Return whether a CASE or comparison tells all values of a column apart."""
    from sqlglot import exp

    told: set[str] = set()
    for equal in tree.find_all(exp.EQ, exp.In):
        told |= _constants(equal, column)
    for case in tree.find_all(exp.Case):
        if isinstance(case.this, exp.Column) and case.this.name.lower() == column.lower():
            told |= {c.this.name for c in case.args.get("ifs") or [] if isinstance(c.this, exp.Literal)}
    if choices:
        return len(choices - told) <= 1
    return len(told) > 1 and tree.find(exp.Case) is not None


def _constants(node: exp.Expr, column: str) -> set[str]:
    from sqlglot import exp

    sides = [node.this, *(node.args.get("expressions") or [node.args.get("expression")])]
    if not any(isinstance(s, exp.Column) and s.name.lower() == column.lower() for s in sides):
        return set()
    return {s.name for side in sides if side is not None for s in side.find_all(exp.Literal)}


def covering(copies: Iterable[tuple[str, bool]], column: str, choices: frozenset[str]) -> bool:
    """Return whether several copies leave out no row that has a value in `column`.

    Each copy is its condition, and whether it holds the value itself; else it puts a constant in its place.
    """
    from sqlglot import exp

    seen: set[tuple[bool, str]] = set()
    told: set[str] = set()
    others = False
    for where, itself in copies:
        tree = tree_of(where)
        if tree is None:
            continue
        parts = [p for p in _conjuncts(tree) if not _is_null_test(p)]
        if len(parts) != 1:
            continue
        sign, key = _form(parts[0])
        if itself and (not sign, key) in seen:
            return True
        if itself:
            seen.add((sign, key))
        if isinstance(parts[0], (exp.EQ, exp.In)):
            told |= _constants(parts[0], column)
        elif isinstance(parts[0], exp.Not) and isinstance(parts[0].this, exp.In):
            others = others or _constants(parts[0].this, column) <= told
    if choices:
        return choices <= told
    return others or len(told) > 1


def always(where: str, never_null: Callable[[str], bool]) -> bool:
    """Return whether a condition leaves out no row: `id IS NOT NULL` of a key, or one thing or its opposite."""
    from sqlglot import exp

    waiting = [tree_of(where)] if where else []
    while waiting:  # from tree to tree, and never by way of a text: conditions may be long
        tree = waiting.pop()
        if isinstance(tree, exp.Paren):
            waiting.append(tree.this)
        elif isinstance(tree, exp.Is) and isinstance(tree.this, exp.Column):
            if _form(tree)[0] is False and never_null(tree.this.name):
                return True
        elif isinstance(tree, exp.Not) and isinstance(tree.this, exp.Is) and isinstance(tree.this.this, exp.Column):
            if never_null(tree.this.this.name):
                return True
        elif isinstance(tree, exp.Or):
            waiting += [tree.this, tree.expression]
            chained = isinstance(tree.this, exp.Or) and not isinstance(tree.expression, (exp.Not, exp.Paren))
            one, two = (True, "") if chained else _form(tree.this), _form(tree.expression)
            if one[0] is not two[0] and one[1] == two[1]:
                return True
    return False


def looked_up(where: str, value: str, column: str) -> bool:
    """Return whether an UPDATE replaces each value by what stands for it: `WHERE old = given`, `WHERE c.name = old`."""
    from sqlglot import exp

    tree = tree_of(where)
    if tree is None:
        return False
    parts = [p for p in _conjuncts(tree) if not _is_null_test(p)]
    told = False
    for part in parts:
        if not isinstance(part, exp.EQ):
            return False
        sides = [part.this, part.expression]
        names = [s.name.lower() for s in sides if isinstance(s, exp.Column)]
        given = any(s.find(exp.Anonymous) is not None for s in sides)
        if column.lower() in names and (given or len(names) == 2):
            told = True
        elif len(names) != 2:
            return False
    made = tree_of(value)
    return told and made is not None and (made.find(exp.Anonymous, exp.Column) is not None)


def _conjuncts(node: exp.Expression) -> list[exp.Expression]:
    from sqlglot import exp

    if isinstance(node, exp.And):
        return [*_conjuncts(node.this), *_conjuncts(node.expression)]
    return [node]


def _is_null_test(node: exp.Expression) -> bool:
    from sqlglot import exp

    inner = node.this if isinstance(node, exp.Not) else node
    return isinstance(inner, exp.Is)


def _form(node: exp.Expression) -> tuple[bool, str]:
    """Return a condition as its sign and the positive form: `x <> 1` is not `x = 1`."""
    from sqlglot import exp

    if isinstance(node, exp.Not):
        sign, key = _form(node.this)
        return not sign, key
    if node.args.get("negate"):
        positive = node.copy()
        positive.set("negate", None)
        return False, positive.sql()
    here = node.key
    nought = isinstance(node.expression, exp.Literal) and node.expression.name == "0"
    if nought and here in ("gt", "eq") and not isinstance(node.this, exp.Column):
        return here == "gt", f"some {node.this.sql()}"  # a position or a length is never below nought
    if here in _FLIPPED:
        return False, f"{_FLIPPED[here]} {node.this.sql()} {node.expression.sql()}"
    if here in _FLIPPED.values():
        return True, f"{here} {node.this.sql()} {node.expression.sql()}"
    return True, node.sql()
