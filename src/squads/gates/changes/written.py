"""Numbers as code writes them: with a sign, as a Decimal, to so many digits."""

from __future__ import annotations

import ast

_DIGITS_MAX = 300


def number(node: ast.expr | None) -> float | None:
    """Return the number that is written, also with a sign or as a Decimal; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number(node.operand)
        return -inner if inner is not None else None
    if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] in ("Decimal", "float", "int"):
        node = node.args[0] if len(node.args) == 1 else None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                return float(node.value)
            except ValueError:
                return None
    value = node.value if isinstance(node, ast.Constant) else None
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None


def power(digits: float) -> float:
    """Return the unit of the last of so many digits behind the point."""
    return float(10.0 ** -max(-_DIGITS_MAX, min(_DIGITS_MAX, digits)))


def scale(node: ast.expr | None) -> float:
    """Return how large an expected number is; 1 for nought, and for what is not written out."""
    value = number(node)
    if value is None and isinstance(node, ast.List | ast.Tuple) and node.elts:
        return max(scale(e) for e in node.elts)
    return abs(value) if value else 1.0
