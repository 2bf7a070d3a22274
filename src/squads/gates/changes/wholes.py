"""What follows from a whole value: a demand on a part of it is worked out, without running anything."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

_TEXT_MAX = 4_000
_NODES_MAX = 60
_TEXT_CALLS = frozenset(("splitlines", "split", "rsplit", "strip", "lstrip", "rstrip", "startswith", "endswith",
                         "lower", "upper", "count", "find", "index", "partition"))  # fmt: skip
_HELD_CALLS = frozenset(("keys", "values", "items", "get", "count", "index"))
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"len": len, "sorted": sorted, "list": list, "set": set, "tuple": tuple, "sum": sum, "min": min, "max": max,
     "bool": bool, "any": any, "all": all, "str": str}
)  # fmt: skip
_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = MappingProxyType(
    {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
     ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda a, b: a in b,
     ast.NotIn: lambda a, b: a not in b}
)  # fmt: skip


class _Unknown(Exception):
    """Something is not written out."""


def texts_in(text: str) -> list[str]:
    """Return the expressions within a demand that are no constants, the whole of it left out."""
    try:
        tree = ast.parse(text, mode="eval").body if len(text) <= _TEXT_MAX else None
    except (SyntaxError, ValueError):
        return []
    inner = [n for n in ast.walk(tree) if isinstance(n, ast.Call | ast.Attribute | ast.Subscript | ast.Name)
             ] if tree is not None else []  # fmt: skip
    return list(dict.fromkeys(ast.unparse(n) for n in inner[:_NODES_MAX] if n is not tree))


def follows(text: str, subject: str, expected: str) -> bool:
    """Return whether a demand is true where its subject, or what that is taken from, is exactly this value."""
    try:
        whole = ast.literal_eval(expected)
        return bool(_value(ast.parse(text, mode="eval").body, subject, whole))
    except (_Unknown, SyntaxError, ValueError, TypeError, LookupError, AttributeError, MemoryError, RecursionError):
        return False


def worked_out(node: ast.expr) -> Any:
    """Return the value of an expression that is written out; None for anything else."""
    try:
        return _value(node, "", None)
    except (_Unknown, ValueError, TypeError, LookupError, AttributeError, MemoryError, RecursionError):
        return None


def _value(node: ast.expr, subject: str, whole: Any) -> Any:
    def of(inner: ast.expr) -> Any:
        return _value(inner, subject, whole)

    if not isinstance(node, ast.Constant) and ast.unparse(node) == subject:
        return whole
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple() | ast.Set():
            kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
            return kind(of(e) for e in node.elts)
        case ast.Dict() if all(node.keys):
            return {of(k): of(v) for k, v in zip(node.keys, node.values, strict=True) if k}
        case ast.UnaryOp(op=ast.Not()):
            return not of(node.operand)
        case ast.UnaryOp(op=ast.USub()):
            return -of(node.operand)
        case ast.BinOp(op=ast.Add()):
            left, right = of(node.left), of(node.right)
            if isinstance(left, str) and isinstance(right, str):
                return left + right
        case ast.BinOp(op=ast.Mult()):
            left, right = of(node.left), of(node.right)
            if isinstance(left, str) and isinstance(right, int) and len(left) * right <= _TEXT_MAX:
                return left * right
        case ast.Subscript(slice=ast.Slice() as cut) if cut.step is None:
            return of(node.value)[of(cut.lower) if cut.lower else None : of(cut.upper) if cut.upper else None]
        case ast.Subscript():
            return of(node.value)[of(node.slice)]
        case ast.Compare():
            sides = [of(node.left), *map(of, node.comparators)]
            pairs = zip(node.ops, sides, sides[1:], strict=False)
            return all(_COMPARED[type(o)](a, b) for o, a, b in pairs)
        case ast.Call(func=ast.Name(id=name), args=[one], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](of(one))
        case ast.Call(func=ast.Attribute(value=held, attr=name), keywords=[]):
            inner = of(held)
            known = _TEXT_CALLS if isinstance(inner, str) else _HELD_CALLS if isinstance(inner, dict | list) else ()
            if name in known:
                return getattr(inner, name)(*map(of, node.args))
    raise _Unknown
