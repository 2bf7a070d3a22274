"""Parts of what a function returns, one of which may say whether a signature is right, and another hold the claims."""

from __future__ import annotations

import ast

from squads.gates.python import Class, Function, Program

Part = int | str
_DEPTH_MAX = 4


def properties(program: Program, node: ast.Attribute) -> list[Function]:
    """Return the functions that are run when an attribute is read."""
    found = [t for t in program.names.things(node) if isinstance(t, Function)]
    plain = [f for f in found if not isinstance(f.node, ast.Lambda)]
    return [
        f
        for f in plain
        if not isinstance(f.node, ast.Lambda) and any("property" in ast.unparse(d) for d in f.node.decorator_list)
    ]


def parts_of(program: Program, node: ast.expr) -> list[tuple[ast.Call, Function, Part]]:
    """Return which part of which call's answer a name, an item or an attribute is; empty where that is not known."""
    if isinstance(node, ast.Name):
        bound = program.values.bindings(node)
        if not bound or any(len(b.path) != 1 or not isinstance(b.path[0], int) for b in bound):
            return []
        return _of([(b.value, b.path[0]) for b in bound], program)
    part: Part | None = None
    if isinstance(node, ast.Attribute):
        part = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        part = node.slice.value if isinstance(node.slice.value, int | str) else None
    if part is None or not isinstance(node, ast.Attribute | ast.Subscript):
        return []
    whole = program.values.bindings(node.value) if isinstance(node.value, ast.Name) else []
    if any(b.path for b in whole):
        return []
    return _of([(b.value, part) for b in whole] or [(node.value, part)], program)


def _of(made: list[tuple[ast.expr | None, Part | str]], program: Program) -> list[tuple[ast.Call, Function, Part]]:
    found: list[tuple[ast.Call, Function, Part]] = []
    for value, part in made:
        call = value.value if isinstance(value, ast.Await) else value
        functions = program.names.functions(call) if isinstance(call, ast.Call) else []
        if not isinstance(call, ast.Call) or not functions or any(f.name == "__init__" for f in functions):
            return []
        found += [(call, f, part) for f in functions]
    return found


def part(program: Program, returned: ast.expr, which: Part, depth: int = 0) -> ast.expr | None:
    """Return a part of what is returned: an element, the value under a key, what a field is made of."""
    if isinstance(returned, ast.Name) and depth < _DEPTH_MAX:
        bound = program.values.bindings(returned)
        value = bound[0].value if len(bound) == 1 and not bound[0].path else None
        return part(program, value, which, depth + 1) if value is not None else None
    if isinstance(returned, ast.Tuple) and isinstance(which, int):
        return returned.elts[which] if which < len(returned.elts) else None
    if isinstance(returned, ast.Dict):
        keyed = zip(returned.keys, returned.values, strict=True)
        return next((v for k, v in keyed if isinstance(k, ast.Constant) and k.value == which), None)
    if isinstance(returned, ast.Call) and isinstance(which, str):
        return _field(program, returned, which)
    return None


def _field(program: Program, made: ast.Call, name: str) -> ast.expr | None:
    """Return what a field of an object of the artifact's own class is made of."""
    for word in made.keywords:
        if word.arg == name:
            return word.value
    fields = _fields(program, made)
    return made.args[fields.index(name)] if name in fields and fields.index(name) < len(made.args) else None


def _fields(program: Program, made: ast.Call) -> list[str]:
    """Return the fields of an object that only holds what it is given, in order."""
    owners = [t for t in program.names.things(made.func) if isinstance(t, Class)]
    if len(owners) != 1 or "__init__" in owners[0].methods:
        return []
    every = [s for c in reversed(program.names.family(owners[0])) for s in c.node.body]
    return [s.target.id for s in every if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]


def kept_as(program: Program, made: ast.Call, value: ast.AST) -> str:
    """Return the field under which an object keeps what it is given; empty where that is not known."""
    for word in made.keywords:
        if word.value is value:
            return word.arg or ""
    number = next((n for n, a in enumerate(made.args) if a is value), -1)
    fields = _fields(program, made)
    return fields[number] if 0 <= number < len(fields) else ""
