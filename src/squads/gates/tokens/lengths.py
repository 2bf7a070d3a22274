"""How much of a code is compared: all of it, so many characters as the token brings, or too few to matter."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import chain, islice

from squads.gates.python import Program

CHARACTERS_MIN = 8
"""A code of fewer characters, or bytes, can be guessed."""
_FOLLOWED_MAX = 60
_STEPS_MAX = 300


def cut_short(
    program: Program, sides: list[ast.expr], computed: Callable[[ast.expr], bool], keyed: Callable[[ast.Call], bool]
) -> str:
    """Return why a comparison of two sides proves nothing, since one is cut; empty where it is not.

    Args:
        program: Where they stand.
        sides: The code that was computed, and what the token brings, in either order.
        computed: Says of an expression whether a code was computed for it.
        keyed: Says of a call whether it computes a code; what it is given is not looked at.
    """
    if len(sides) != 2:
        return ""
    for side, other in (sides, sides[::-1]):
        steps = chain((side,), (s.node for s in program.flow.trace(side, lambda c, _: not keyed(c))))
        for node in islice(steps, _STEPS_MAX):
            if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
                continue
            if not computed(node.value):
                continue
            bounds = [b for b in (node.slice.lower, node.slice.upper) if b is not None]
            if any(_measures(program, b, other, computed) for b in bounds):
                return "only as many characters are compared as the token brings"
            upper = program.values.constants(node.slice.upper) if node.slice.upper is not None else frozenset()
            lengths = [n for n in upper if isinstance(n, int) and not isinstance(n, bool)]
            if node.slice.lower is None and lengths and 0 <= max(lengths) < CHARACTERS_MIN:
                return f"only {max(lengths)} characters are compared, and so few can be guessed"
    return ""


def _measures(program: Program, bound: ast.expr, other: ast.expr, computed: Callable[[ast.expr], bool]) -> bool:
    """Return whether a bound is the length of what the token brings."""
    seen: set[object] = set()
    waiting: list[ast.AST] = [bound]
    names = {ast.unparse(other), *(ast.unparse(n) for n in ast.walk(other) if isinstance(n, ast.Name))}
    while waiting and len(seen) < _FOLLOWED_MAX:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, ast.Call) and program.calls.method(node) == "len" and node.args:
            measured = node.args[0]
            if ast.unparse(measured) in names:
                return True
            constants = program.values.constants(measured)
            known = constants and all(isinstance(c, str | bytes) for c in constants)
            if not known and not computed(measured):
                return True
        if isinstance(node, ast.Name):
            waiting += [b.value for b in program.values.bindings(node) if b.value is not None]
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return False
