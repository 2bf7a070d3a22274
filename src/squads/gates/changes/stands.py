"""What the names of a function stand for, and what it does with them in their places."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from squads.gates.changes.names import Node, as_expression, bound, put

_LONG_MAX = 120


def locals_of(node: Node) -> dict[str, ast.expr]:
    """Return the locals that a function gives one value each."""
    counted: Counter[str] = Counter()
    held: dict[str, ast.expr] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.stmt):
            for name, value in bound(part):
                counted[name] += 1
                held[name] = value
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            counted[part.id] += 0
    return {n: v for n, v in held.items() if counted[n] == 1 and "." not in n}


def stored(node: Node) -> set[str]:
    """Return the names that a function gives values, and those of its arguments."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | set(
        arguments(node)
    )


def body_of(node: Node) -> list[ast.stmt]:
    """Return the statements of a function, without its docstring."""
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def inlined(body: Sequence[ast.stmt], helpers: Mapping[str, Node]) -> list[ast.stmt]:
    """Return statements with what new functions do in the place of statements that call them."""
    found: list[ast.stmt] = []
    for node in body:
        value = getattr(node, "value", None) if isinstance(node, ast.Expr | ast.Return | ast.Assign) else None
        value = value.value if isinstance(value, ast.Await) else value
        made = helpers.get(ast.unparse(value.func).rsplit(".", 1)[-1]) if isinstance(value, ast.Call) else None
        inner = body_of(made) if made is not None else []
        names = _handed(made, value) if made is not None and isinstance(value, ast.Call) else None
        last = inner[-1] if inner else None
        early = any(isinstance(n, ast.Return) for s in inner[:-1] for n in ast.walk(s))
        if names is None or early or last is None or len(inner) > _LONG_MAX:
            found.append(node)
            continue
        said: list[ast.stmt] = [put(s, names) for s in inner]  # type: ignore[arg-type,misc]
        if isinstance(last, ast.Return) and not isinstance(node, ast.Return):
            given: ast.expr | None = getattr(said.pop(), "value", None)
            if isinstance(node, ast.Assign) and given is not None:
                said.append(ast.copy_location(ast.Assign(node.targets, given), node))
        found += said
    return found


def _handed(made: Node, call: ast.Call) -> dict[str, ast.expr] | None:
    plain = [a.arg for a in (*made.args.posonlyargs, *made.args.args) if a.arg not in ("self", "cls")]
    given = dict(zip(plain, call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
    return given if set(plain) <= set(given) else None


def with_body(node: Node, body: list[ast.stmt]) -> Node:
    """Return a function with other statements."""
    made = type(node)(
        **{f: getattr(node, f) for f in node._fields if hasattr(node, f)} | {"body": body or [ast.Pass()]}
    )
    return ast.copy_location(made, node)


def told(body: list[ast.stmt], names: Mapping[str, ast.expr], own: Mapping[str, ast.expr]) -> list[ast.stmt]:
    """Return statements with what names stand for in their places, and without those that only give a name."""
    kept = [s for s in body if not (said := [n for n, _ in bound(s)]) or not set(said) <= set(own)]
    return [put(s, names) for s in kept]  # type: ignore[arg-type,misc]


def arguments(node: Node) -> dict[str, ast.expr | None]:
    """Return the arguments of a function with their defaults."""
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    found: dict[str, ast.expr | None] = {a.arg: None for a in plain if a.arg not in ("self", "cls")}
    found |= {a.arg: d for a, d in zip(reversed(plain), reversed(given.defaults), strict=False)}
    found |= {a.arg: d for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)}
    return found


def number_of(node: ast.AST) -> float | None:
    """Return the number that is written, also as the only argument of a call: `Decimal("0.19")`."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        node = node.args[0]
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return None
    try:
        return float(node.value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def held_by(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what the names of a module stand for: values, and functions of one expression."""
    for node in body:
        if isinstance(node, Node):
            made = as_expression(node)
            if made is not None:
                yield node.name, made
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from bound(node)


def put_in(node: ast.AST, names: Mapping[str, ast.expr]) -> ast.AST:
    """Return what a written whole is with its parts that names stand for; anything else as it is."""
    whole = isinstance(node, ast.Dict | ast.List | ast.Tuple) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.Add)
    )
    return put(node, names) if whole and isinstance(node, ast.expr) else node


def spread(node: ast.AST) -> ast.AST:
    """Return a written whole with the wholes that are spread in it in their places: `{**{"a": 1}, "b": 2}`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = spread(node.left), spread(node.right)
        if isinstance(left, ast.Dict) and isinstance(right, ast.Dict):
            return ast.copy_location(ast.Dict([*left.keys, *right.keys], [*left.values, *right.values]), node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = spread(node.left), spread(node.right)
        if isinstance(left, ast.List) and isinstance(right, ast.List):
            return ast.copy_location(ast.List([*left.elts, *right.elts], ast.Load()), node)
    match node:  # all of something, held by a key
        case ast.Call(
            func=ast.Attribute(value=ast.DictComp(value=ast.Name() as one_of, generators=[one]), attr="values"), args=[]
        ) if not one.ifs and isinstance(one.target, ast.Name) and one.target.id == one_of.id:
            return one.iter
    if isinstance(node, ast.Dict) and None in node.keys:
        pairs: list[tuple[ast.expr | None, ast.expr]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            held = spread(value) if key is None else value
            inner = key is None and isinstance(held, ast.Dict)
            pairs += (
                zip(held.keys, held.values, strict=True) if inner and isinstance(held, ast.Dict) else [(key, value)]
            )
        return ast.copy_location(ast.Dict([k for k, _ in pairs], [v for _, v in pairs]), node)
    if isinstance(node, ast.List | ast.Tuple) and any(isinstance(e, ast.Starred) for e in node.elts):
        parts: list[ast.expr] = []
        for element in node.elts:
            held = spread(element.value) if isinstance(element, ast.Starred) else element
            parts += held.elts if isinstance(element, ast.Starred) and isinstance(held, ast.List) else [element]
        return ast.copy_location(type(node)(parts, ast.Load()), node)
    return node
