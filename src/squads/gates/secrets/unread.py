"""What was not gone through because a bound of steps was met, and whether a secret could leave there."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from squads.gates.python import Program
from squads.gates.secrets.uses import Uses
from squads.gates.secrets.words import reveals
from squads.gates.words import word_set

_WRITES = word_set(
    "debug info warning warn error exception critical log fatal trace success notice msg print pprint pp echo secho "
    "write exit abort capture_message capture_exception set_extra set_context set_tag set_attribute add_event "
    "add_breadcrumb track capture emit record log_event send_event flash notify add_note JsonResponse HttpResponse "
    "JSONResponse jsonify json_response Response PlainTextResponse"
)


def left_out(program: Program, uses: Uses, body: Sequence[ast.stmt], heard: Collection[ast.AST]) -> ast.AST | None:
    """Return the first place in statements that writes something, was not come to, and stands beside a secret."""
    places = [n for n in _own(body) if n not in heard and _writes(program, n)]
    if not places or not any(_secret(uses, n) for n in _own(body)):
        return None
    return min(places, key=lambda n: getattr(n, "lineno", 0))


def _own(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of statements; functions and classes inside are gone through by themselves."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _writes(program: Program, node: ast.AST) -> bool:
    """Return whether a node may write what is no constant."""
    if isinstance(node, ast.Raise):
        call = node.exc
    elif isinstance(node, ast.Call) and program.calls.method(node) in _WRITES:
        call = node
    else:
        return False
    if not isinstance(call, ast.Call):
        return False
    given = [*call.args, *(k.value for k in call.keywords)]
    return any(isinstance(n, ast.Name | ast.Attribute | ast.Call) for g in given for n in ast.walk(g))


def _secret(uses: Uses, node: ast.AST) -> bool:
    """Return whether a node is called, or used, like a secret."""
    match node:
        case ast.Name():
            return reveals(node.id) or bool(uses.of(node))
        case ast.Attribute():
            return reveals(node.attr) or bool(uses.of(node))
        case ast.Constant(value=str() as text):
            return len(text) < 60 and text.isidentifier() and reveals(text)
        case ast.arg():
            return reveals(node.arg) or bool(uses.of(node))
    return False
