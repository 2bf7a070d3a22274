"""What a setting is unless somebody sets it: verification that is off by default is off.

Only what the code itself says is read: the default of an environment variable or of `getattr`, and what is made of it.
A setting without a default here is unknown, and never taken for off.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from squads.gates.python import UNKNOWN, Program, Unknown
from squads.gates.python.bindings import Binding

HEADERS = re.compile(r"(get_)?unverified_headers?$")
"""Reads the header of a token, which its sender writes."""
_DEPTH_MAX = 12
_FOLLOWED_MAX = 100
_CALLERS_MAX = 4
_UNSET = re.compile(r"(^|\.)(getenv|environ\.get)$")
"""Gives the default, or None where there is none."""
_DEFAULTED = re.compile(r"^(decouple\.)?config$|(^|\.)env(\.(bool|str|int))?$|(^|\.)get_?bool(ean)?$")
"""Gives the default; without one it raises, or is not known here."""
_TEXT = frozenset(("lower", "upper", "strip", "casefold", "title", "capitalize"))
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_ON = frozenset(("1", "true", "yes", "on", "y", "t"))


def by_default(program: Program, node: ast.expr, depth: int = 0) -> object:
    """Return what `node` is unless a setting says otherwise; `UNKNOWN` where the code does not tell."""
    if depth > _DEPTH_MAX:
        return UNKNOWN
    if isinstance(node, ast.BoolOp):  # the first operand that decides, and not whichever it may be
        return _joined(program, node, depth)
    known = program.values.constants(node)
    if len(known) == 1 and not any(isinstance(k, Unknown) for k in known):
        return next(iter(known))
    found = {_known(program, origin, depth) for origin in program.values.origins(node) or [node]}
    return found.pop() if len(found) == 1 else UNKNOWN


def _known(program: Program, node: ast.expr, depth: int) -> object:
    match node:
        case ast.Constant():
            return UNKNOWN if node.value is ... else node.value
        case ast.UnaryOp(op=ast.Not()):
            value = by_default(program, node.operand, depth + 1)
            return UNKNOWN if isinstance(value, Unknown) else not value
        case ast.Compare() if len(node.ops) == 1:
            return _compared(program, node, depth)
        case ast.Call():
            return _called(program, node, depth)
    return UNKNOWN


def _joined(program: Program, node: ast.BoolOp, depth: int) -> object:
    """Return the first operand that decides, as Python does."""
    value: object = UNKNOWN
    for operand in node.values:
        value = by_default(program, operand, depth + 1)
        if isinstance(value, Unknown) or bool(value) == isinstance(node.op, ast.Or):
            return value
    return value


def _compared(program: Program, node: ast.Compare, depth: int) -> object:
    left = by_default(program, node.left, depth + 1)
    if isinstance(left, Unknown):
        return UNKNOWN
    if isinstance(node.ops[0], ast.In | ast.NotIn):
        elements = program.values.elements(node.comparators[0]).known
        held = [by_default(program, e, depth + 1) for e in elements]
        if not held or any(isinstance(h, Unknown) for h in held):
            return UNKNOWN
        return (left in held) == isinstance(node.ops[0], ast.In)
    right = by_default(program, node.comparators[0], depth + 1)
    if isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(node.ops[0], ast.Eq | ast.Is):
        return left == right
    if isinstance(node.ops[0], ast.NotEq | ast.IsNot):
        return left != right
    return UNKNOWN


def _called(program: Program, call: ast.Call, depth: int) -> object:
    """Return what a call gives when nothing is set: a default, or a text or truth that is made of one."""
    names = program.names.names(call.func)
    arguments = program.calls.arguments(call)
    method = program.calls.method(call)
    if any(_UNSET.search(n) for n in names):
        given = arguments.get(1, "default")
        return None if given is None else by_default(program, given, depth + 1)
    if "getattr" in names and len(call.args) == 3:
        return by_default(program, call.args[2], depth + 1)
    if any(_DEFAULTED.search(n) for n in names or {ast.unparse(call.func)}):
        given = arguments.get(1, "default")
        value = UNKNOWN if given is None else by_default(program, given, depth + 1)
        return value.lower() in _ON if isinstance(value, str) else value
    if method in _TEXT and isinstance(call.func, ast.Attribute) and not call.args:
        value = by_default(program, call.func.value, depth + 1)
        return getattr(value, method)() if isinstance(value, str) else UNKNOWN
    if names & {"bool", "int"} and len(call.args) == 1:
        value = by_default(program, call.args[0], depth + 1)
        if isinstance(value, Unknown):
            return UNKNOWN
        if "bool" in names:
            return bool(value)
        return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else UNKNOWN
    return UNKNOWN


def hangs_on_header(program: Program, node: ast.expr, of_token: Collection[Binding] = ()) -> bool:
    """Return whether a switch is made of the token, or of what stands in its own header, here or where it is given."""
    waiting: list[ast.AST] = [node]
    seen: set[ast.AST] = set()
    while waiting and len(seen) < _FOLLOWED_MAX:
        part = waiting.pop()
        if part in seen:
            continue
        seen.add(part)
        if isinstance(part, ast.Call) and HEADERS.search(program.calls.method(part)):
            return True
        if isinstance(part, ast.Call):
            waiting += [r for f in program.names.functions(part) for r in f.returns]
        if isinstance(part, ast.Name):
            every = program.values.bindings(part)
            if not isinstance(node, ast.Name) and any(b in of_token for b in every):
                return True
            bound = [b for b in every if b.value is not None]
            waiting += [b.value for b in bound if b.value is not None and program.function_of(b.node) is not None]
            if part is node:  # a parameter: what it is given decides
                waiting += [g for b in every if isinstance(b.node, ast.arg) for g in _given(program, b.node)]
        else:
            waiting.extend(ast.iter_child_nodes(part))
    return False


def _given(program: Program, parameter: ast.arg) -> list[ast.expr]:
    """Return what a parameter is given by the artifact's own callers."""
    function = program.function_of(parameter)
    if function is None:
        return []
    calls = program.calls.callers(function)[:_CALLERS_MAX]
    return [g for c in calls for g in program.calls.bind(c, function).get(parameter, ())]
