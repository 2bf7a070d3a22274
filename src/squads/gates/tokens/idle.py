"""Statements that decide nothing: what is only logged, counted, or kept where nobody reads it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from squads.gates.python import Program

_SHOWN = re.compile(
    r"(^|\.)(print|debug|info|warning|warn|error|exception|critical|log|msg|inc|incr|increment|count|capture_\w+|echo|"
    r"secho|labels|observe|add_breadcrumb|write|emit_metric|metric|gauge|notify)$"
)


class Idle:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def idle(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether statements only note something: after them all is as it was."""
        return all(
            isinstance(s, ast.Pass)
            or (isinstance(s, ast.Expr) and (isinstance(s.value, ast.Constant) or self.shows(s.value)))
            or (isinstance(s, ast.Assign | ast.AugAssign) and self._forgotten(s))
            for s in body
        )

    def _forgotten(self, statement: ast.Assign | ast.AugAssign) -> bool:
        """Return whether what is kept here is read by nobody, or only counted."""
        function = self._program.function_of(statement)
        if isinstance(statement, ast.AugAssign):
            return isinstance(statement.target, ast.Attribute | ast.Subscript)
        if function is None or not all(isinstance(t, ast.Name) for t in statement.targets):
            return False
        names = {t.id for t in statement.targets if isinstance(t, ast.Name)}
        within = [n for n in ast.walk(function.node) if isinstance(n, ast.Name) and n.id in names]
        return all(isinstance(n.ctx, ast.Store) or self.within_shown(n) for n in within)

    def shows(self, node: ast.expr) -> bool:
        """Return whether a call only writes something down: a log, a counter, an event."""
        if isinstance(node, ast.Await):
            node = node.value
        return isinstance(node, ast.Call) and bool(_SHOWN.search(ast.unparse(node.func)))

    def within_shown(self, node: ast.AST) -> bool:
        """Return whether an expression is part of what is only written down."""
        parent: ast.AST | None = node
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.Call) and self.shows(parent):
                return True
            parent = self._program.files.parent(parent)
        return False

    def read_after(self, statement: ast.Assign | ast.AnnAssign, last: ast.stmt) -> bool:
        """Return whether what a statement keeps is read after `last`, or kept where that cannot be said."""
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        if any(not isinstance(n, ast.Name | ast.Tuple) for n in targets):
            return True
        function = self._program.function_of(statement)
        scope: ast.AST = function.node if function is not None else self._program.files.module_of(statement).tree
        end = last.end_lineno or last.lineno
        return any(isinstance(n, ast.Name) and n.id in names and n.lineno > end for n in ast.walk(scope))
