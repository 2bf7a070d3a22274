"""Which functions a call may run where the one that it names is only declared, as an abstract method is."""

from __future__ import annotations

import ast

from squads.gates.python import Function, Program


def run_by(program: Program, call: ast.Call) -> list[Function]:
    """Return the functions that a call may run: for one that is only declared, those that take its place."""
    found: list[Function] = []
    for function in program.names.functions(call):
        body = function.node.body
        only = isinstance(body, list) and all(
            isinstance(s, ast.Pass | ast.Raise) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
            for s in body
        )
        if not only or function.owner is None:
            found.append(function)
            continue
        for module in program.files.modules:
            for other in module.classes.values():
                if other is not function.owner and function.owner in program.names.family(other):
                    found += [other.methods[function.name]] if function.name in other.methods else []
    return found
