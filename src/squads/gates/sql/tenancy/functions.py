"""What the functions of a program are given, what their names are given, and where they stop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
_STOPS = re.compile(r"abort|raise|http|forbid|deny|notfound|not_found", re.IGNORECASE)


def is_nothing(node: ast.expr) -> bool:
    """Return whether a value is nothing: None, False, an empty list."""
    empty = isinstance(node, (ast.List, ast.Tuple, ast.Dict)) and not list(ast.iter_child_nodes(node))[:-1]
    return empty or (isinstance(node, ast.Constant) and not node.value)


def values_of(node: ast.AST) -> set[str]:
    """Return the names whose values an expression hands on; not those whose methods it calls to look something up."""
    called = {
        id(n.func.value)
        for n in ast.walk(node)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and isinstance(n.func.value, ast.Name)
        and n.args
        and n.func.attr not in ("values", "values_list", "with_only_columns")
    }
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called}


def arguments_of(function: Function) -> list[ast.arg]:
    """Return the arguments of a function."""
    held = function.args
    return [*held.posonlyargs, *held.args, *held.kwonlyargs]


def assigned_in(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Yield what the names of a function are given: (name, value)."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        yield name.id, node.value
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    yield name.id, node.iter
        elif isinstance(node, ast.NamedExpr) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def stops_in(node: ast.AST) -> bool:
    """Return whether a statement is a call that ends the request: `abort(404)`."""
    value = node.value if isinstance(node, ast.Expr) else node
    if not isinstance(value, ast.Call):
        return False
    called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return _STOPS.search(called) is not None
