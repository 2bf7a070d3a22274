"""The keys and values of a dict that Python code writes out, put together from others included."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from squads.gates.sql.python.scope import Scope

_DEPTH_MAX = 20


def pairs_of(scope: Scope, node: ast.AST, depth: int = 0) -> list[tuple[ast.expr, ast.expr, Scope]] | None:
    """Return keys and values with the scope they mean something in; None where `node` is no dict that is known.

    A later value of a key is the one that counts: `{**A, "b": 2}`, `A | B`.
    """
    inside = scope.followed(node)
    scope.file.spend(node)
    parts: list[tuple[ast.expr | None, ast.expr]] = []
    match inside.node:
        case ast.Dict(keys=keys, values=values):
            parts += zip(keys, values, strict=True)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            parts += [(None, left), (None, right)]
        case _:
            return None
    found: dict[str, tuple[ast.expr, ast.expr, Scope]] = {}
    for key, value in parts if depth < _DEPTH_MAX else ():
        more = [(key, value, inside.scope)] if key is not None else pairs_of(inside.scope, value, depth + 1)
        if more is None:
            return None
        found.update({ast.dump(k): (k, v, where) for k, v, where in more})
    return list(found.values())
