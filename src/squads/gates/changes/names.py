"""What names stand for, put in their places: constants, locals, and functions that are one expression.

It runs nothing. What it cannot resolve stays as it is written.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_SIZE_MAX = 1_500
_DEPTH_MAX = 3
_SMALL_MAX = 30
_BITS_MAX = 900
Node = ast.FunctionDef | ast.AsyncFunctionDef
Names = dict[str, ast.expr]


def number_in(node: ast.AST) -> int | float | None:
    """Return the number that is written; None for anything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def put(node: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    """Return an expression with what its names stand for in their places; functions of one expression are put in too.

    What is given stays as it is; parts of it may stand in what is returned.
    """
    put_in: ast.expr = _put(node, names, [_SIZE_MAX], 0)
    return put_in


def _put(node: Any, names: Mapping[str, ast.expr], left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0:
        return node
    match node:
        case ast.Name(ctx=ast.Load()):
            held = names.get(node.id, node)
            return node if isinstance(held, ast.Lambda) else held
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            own = names.get(f"self.{node.attr}")
            return ast.Name(node.attr, ast.Load()) if own is None or isinstance(own, ast.Lambda) else own
        case ast.Await():
            return _put(node.value, names, left, depth)
        case ast.Call() if (made := _function(node.func, names)) is not None and depth < _DEPTH_MAX:
            handed = _arguments_of(made, node)
            if handed is not None:
                given = {n: _put(v, names, left, depth) for n, v in handed.items()}
                return _put(made.body, {n: v for n, v in names.items() if n not in given} | given, left, depth + 1)
        case ast.JoinedStr():
            texts = [_formatted(v, names, left, depth) for v in node.values]
            if None not in texts:
                return ast.Constant("".join(t or "" for t in texts))
    fresh: Any = node.__class__()
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            value = _put(value, names, left, depth)
        elif isinstance(value, list):
            value = [_put(v, names, left, depth) if isinstance(v, ast.AST) else v for v in value]
        setattr(fresh, name, value)
    if hasattr(node, "lineno"):
        ast.copy_location(fresh, node)
    return _folded(fresh)


def _formatted(node: ast.expr, names: Mapping[str, ast.expr], left: list[int], depth: int) -> str | None:
    """Return the text of one part of an f-string; None where it is not known."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.FormattedValue) or node.conversion != -1:
        return None
    value = _put(node.value, names, left, depth)
    form = _put(node.format_spec, names, left, depth) if node.format_spec is not None else ast.Constant("")
    if not isinstance(value, ast.Constant) or not isinstance(form, ast.Constant):
        return None
    if re.search(r"\d{3}", str(form.value)):
        return None  # as wide as it says, and not written out here
    try:
        return format(value.value, str(form.value))
    except (ValueError, TypeError):
        return None


def _folded(node: Any) -> Any:
    """Return what is chosen where that is known, a sum, a difference or a product of numbers as one number, and what
    a written list holds at a place.
    """
    if isinstance(node, ast.IfExp):
        chosen = _chosen(node.test)
        return node if chosen is None else node.body if chosen else node.orelse
    if isinstance(node, ast.BinOp):
        one, other = number_in(node.left), number_in(node.right)
        if one is not None and other is not None:
            made = _computed(node.op, one, other)
            return ast.Constant(made) if made is not None else node
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        key = node.slice.value
        if isinstance(node.value, ast.List | ast.Tuple) and type(key) is int and key in range(len(node.value.elts)):
            return node.value.elts[key]
        if isinstance(node.value, ast.Dict):
            entries = zip(node.value.keys, node.value.values, strict=True)
            return next((v for k, v in entries if isinstance(k, ast.Constant) and k.value == key), node)
    return node


def _computed(op: ast.operator, one: int | float, other: int | float) -> int | float | None:
    """Return a sum, a difference or a product; None where it is something else, or too long to be written out."""
    if any(isinstance(n, int) and n.bit_length() > _BITS_MAX for n in (one, other)):
        return None
    match op:
        case ast.Add():
            return one + other
        case ast.Sub():
            return one - other
        case ast.Mult():
            return one * other
    return None


def _chosen(test: ast.expr) -> bool | None:
    """Return whether two written values are one, where that is what is asked."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq | ast.NotEq):
        return None
    left, right = test.left, test.comparators[0]
    if not isinstance(left, ast.Constant) or not isinstance(right, ast.Constant):
        return None
    return (left.value == right.value) is isinstance(test.ops[0], ast.Eq)


def _function(node: ast.expr, names: Mapping[str, ast.expr]) -> ast.Lambda | None:
    """Return the function of one expression that a name stands for."""
    held = None
    if isinstance(node, ast.Name):
        held = names.get(node.id)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
        held = names.get(f"self.{node.attr}")
    return held if isinstance(held, ast.Lambda) else None


def _arguments_of(made: ast.Lambda, call: ast.Call) -> Names | None:
    """Return what a function's arguments stand for in a call; None where that cannot be told."""
    given = made.args
    if given.vararg or given.kwarg or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    plain = [a.arg for a in (*given.posonlyargs, *given.args)]
    own: Names = dict(zip(reversed(plain), reversed(given.defaults), strict=False))
    own |= {a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is not None}
    own |= dict(zip(plain, call.args, strict=False))
    for word in call.keywords:
        if word.arg is None:
            return None
        own[word.arg] = word.value
    known = {*plain, *(a.arg for a in given.kwonlyargs)}
    return own if len(call.args) <= len(plain) and set(own) == known else None


def as_expression(node: Node) -> ast.Lambda | None:
    """Return a function that does nothing but return one expression as that expression; None for any other."""
    held: Names = {}
    arguments = node.args
    if node.args.args and node.args.args[0].arg in ("self", "cls"):
        arguments = ast.arguments(
            node.args.posonlyargs, node.args.args[1:], node.args.vararg, node.args.kwonlyargs, node.args.kw_defaults,
            node.args.kwarg, node.args.defaults,
        )  # fmt: skip
    for statement in node.body[:-1]:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        said = list(bound(statement))
        if not said or any(name in held for name, _ in said):
            return None
        held |= {name: put(value, held) for name, value in said}
    last = node.body[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        return None
    said_last = put(last.value, held)
    small = sum(1 for _ in itertools.islice(ast.walk(said_last), _SMALL_MAX + 1)) <= _SMALL_MAX
    return ast.Lambda(arguments, said_last) if small else None


def constants(body: Sequence[ast.stmt], owner: str = "") -> Names:
    """Return the names of a block that are assigned once, and what they stand for."""
    found: Names = {}
    twice: set[str] = set()
    for node in body:
        for name, value in bound(node):
            if f"{owner}{name}" in found:
                twice.add(f"{owner}{name}")
            found[f"{owner}{name}"] = put(value, found)
    return {n: v for n, v in found.items() if n not in twice}


def bound(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Yield (name, value) of what a statement gives a name to."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        yield from pairs(node.targets[0], node.value)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from pairs(node.target, node.value)


def pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield (name, value) of one target, also of a written list of them."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Attribute) and ast.unparse(target.value) in ("self", "cls"):
        yield f"self.{target.attr}", value
    elif (
        isinstance(target, ast.Tuple | ast.List)
        and isinstance(value, ast.Tuple | ast.List)
        and len(target.elts) == len(value.elts)
    ):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from pairs(one, other)
