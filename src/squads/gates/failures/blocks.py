"""Blocks that end a failure without a handler: a `return` or a claim in `finally`, and `suppress`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.failures.after import After, bound, statements
from squads.gates.failures.attempt import Attempt
from squads.gates.failures.words import failure_like, is_quiet, success_like
from squads.gates.python import Program


class Blocks:
    """Finds the blocks of one program that end a failure without a handler."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)
        self._attempt = Attempt(program)

    def finally_(self, node: ast.Try | ast.TryStar) -> Iterator[tuple[ast.stmt, str]]:
        """Yield what a `finally` drops, or says whatever was raised."""
        for one in statements(node.finalbody):
            if isinstance(one, ast.Return) and not self._honest(one, node):
                yield one, "`return` in `finally` drops whatever was raised"
                return

        marked = [s for s in node.finalbody if claims_state(s)]
        if marked and not node.handlers and any(isinstance(c, ast.Call) for c in statements(node.body)):
            yield marked[0], "`finally` says success, whatever was raised"

    def _honest(self, returned: ast.Return, node: ast.Try | ast.TryStar) -> bool:
        """Return whether what `finally` returns was a failure until the `try` came to its end."""
        value = returned.value
        if not isinstance(value, ast.Name) or value.id not in bound([*node.body, *node.orelse]):
            return value is not None and failure_like(value) and isinstance(value, ast.Constant)
        module = self._program.files.module_of(node)
        values = [b.value for b in module.bindings(value) if b.value is not None]
        function = self._program.function_of(node)
        scope = module.scopes.of.get(function.node) if function else None
        first = scope.bindings.get(value.id, []) if scope else []
        return bool(values) and any(b.value is not None and failure_like(b.value) for b in first)

    def suppressed(self, node: ast.With | ast.AsyncWith) -> Iterator[tuple[ast.stmt, str, ast.AST | None]]:
        """Yield where `suppress` ends what should be told, with where success is said."""
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or "contextlib.suppress()" not in self._program.names.names(call):
                continue
            handler = ast.ExceptHandler(type=ast.Tuple(elts=list(call.args), ctx=ast.Load()), name=None, body=[])
            broad, expected = self._attempt.breadth(handler)
            function = self._program.function_of(node)
            tried = self._attempt.tried(node.body)
            if expected or tried in ("quiet", "read") or (function and is_quiet(function.name)):
                return
            near, far = self._after.rest(node)
            said = self._after.said([*near, *far], bound(node.body))
            inner = self._after.said(node.body, set())
            if said.how == "success":
                yield node, f"the function goes on and {said.what}", said.node
                return
            if self._attempt.strong(node.body) and (broad or said.how == "value") and inner.how != "success":
                yield node, "the function goes on as if it had been done", said.node
                return
            if self._attempt.strong(node.body) and broad:
                yield node, "the function goes on as if it had been done", None
                return
            if tried == "judge" and broad:
                yield node, "the function goes on as if it had been verified", None
                return


def claims_state(node: ast.stmt) -> bool:
    """Return whether a statement sets a state to success: `job.state = "done"`, `update(id, status="sent")`."""
    value = node.value if isinstance(node, ast.Expr | ast.Assign) else None
    value = value.value if isinstance(value, ast.Await) else value
    if isinstance(node, ast.Assign):
        name = ast.unparse(node.targets[0]).rsplit(".", 1)[-1].strip("'\"]")
        told = [value] if re.search(r"(?i)(?:^|_)(?:state|status)$", name) else []
    else:
        words = value.keywords if isinstance(value, ast.Call) else []
        told = [k.value for k in words if k.arg in ("state", "status")]
    return any(isinstance(t, ast.Constant) and isinstance(t.value, str) and success_like(t) for t in told)
