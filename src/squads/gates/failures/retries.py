"""Loops that try again, and what is said when every try failed."""

from __future__ import annotations

import ast
import re

from squads.gates.failures.after import After, bound, called, calls, is_log, statements
from squads.gates.failures.handlers import Swallowed
from squads.gates.failures.played import Played
from squads.gates.failures.words import EFFECTS, MESSAGES, is_quiet, success_like
from squads.gates.python import Function, Program
from squads.gates.secrets.words import words_of


class Retries:
    """Finds the loops of one program that end as if a try had worked."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)
        self._played = Played(program)

    def look(self, loop: ast.For | ast.AsyncFor | ast.While) -> Swallowed | None:
        """Return a loop that tries again and, when all tries failed, ends as if one had not."""
        found = self._look(loop)
        tries = self._tries(loop)
        if found is None or found.also is None or tries is None:
            return found
        ended = self._played.handler(tries, tries.handlers[0])
        if ended is None or not (ended.withheld if found.also is loop else found.also not in ended.reached):
            return found
        return None

    def _look(self, loop: ast.For | ast.AsyncFor | ast.While) -> Swallowed | None:
        if isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant):
            return None
        tries = self._tries(loop)
        if tries is None or not self._counts(loop):
            return None
        function = self._program.function_of(loop)
        if function is None or is_quiet(function.name):
            return None
        handlers = [s for h in tries.handlers for s in statements(h.body)]
        if any(isinstance(s, ast.Raise | ast.Return | ast.Break) for s in handlers):
            return None
        inside = [
            s for s in statements([*tries.body, *tries.orelse, *loop.body]) if isinstance(s, ast.Return | ast.Break)
        ]
        if not inside:
            return None
        verbs = {w for c in calls(tries.body) for w in words_of(called(c))}
        wrapped = self._wrapped(tries, function)
        if not wrapped and not verbs & (
            EFFECTS | MESSAGES | {"request", "fetch", "get", "connect", "download", "call"}
        ):
            return None
        if wrapped and self._asked(function):
            return None
        if loop.orelse and any(isinstance(s, (ast.Raise | ast.Return, ast.Assign)) for s in statements(loop.orelse)):
            return None
        kept = {n for h in tries.handlers for n in bound(h.body)}
        near, far = self._after.rest(loop)
        after = [*near, *far]
        left = isinstance(inside[0], ast.Return)
        after = [s for s in after if not _only_logs(s)]
        if wrapped:
            after = [s for s in after if not (isinstance(s, ast.Return) and _nothing(s.value))]
        if any(isinstance(n, ast.Name) and n.id in kept for s in after for n in ast.walk(s)):
            return None
        said = self._after.said(after, bound(loop.body))
        if said.how == "success":
            return Swallowed(tries.handlers[0], f"when every try failed, the function {said.what}", said.node)
        if not left and said.how == "value" and isinstance(said.node, ast.Return) and self._acts(verbs):
            return Swallowed(tries.handlers[0], f"when every try failed, the function {said.what}", said.node)
        if any(isinstance(s, ast.Raise | ast.Return) for s in statements(after)) or any(
            re.search(r"fail|error|abort|exit", called(c)) and not is_log(c) for c in calls(after)
        ):
            return None
        told = getattr(function.node, "returns", None)
        if (
            left
            and told is not None
            and re.search(r"None|Optional|bool", ast.unparse(told))
            and any(isinstance(s, ast.Return) and s.value is not None for s in inside)
        ):
            return None
        if left and any(
            isinstance(s, ast.Return) and s.value is not None and not success_like(s.value) for s in inside
        ):
            return Swallowed(tries.handlers[0], "when every try failed, the function ends without a word", loop)
        return Swallowed(tries.handlers[0], "when every try failed, the function ends as if one had not", loop)

    def _tries(self, loop: ast.For | ast.AsyncFor | ast.While) -> ast.Try | None:
        return next((s for s in loop.body if isinstance(s, ast.Try) and s.handlers), None)

    def _counts(self, loop: ast.For | ast.AsyncFor | ast.While) -> bool:
        text = ast.unparse(loop.iter) if isinstance(loop, ast.For | ast.AsyncFor) else ast.unparse(loop.test)
        named = ast.unparse(loop.target) if isinstance(loop, ast.For | ast.AsyncFor) else ""
        if isinstance(loop, ast.While):
            counted = {
                s.target.id
                for s in statements(loop.body)
                if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name)
            }
            if any(isinstance(n, ast.Name) and n.id in counted for n in ast.walk(loop.test)):
                return True
        return bool(
            re.search(r"(?i)range\(|attempt|retr|tries|delay|backoff|count\(|waits?\b|pauses?\b", text + " " + named)
        )

    def _acts(self, verbs: set[str]) -> bool:
        return bool(verbs & (EFFECTS | MESSAGES))

    def _wrapped(self, tries: ast.Try, function: Function) -> str:
        """Return the decorator, where a `try` calls the function that a decorator was given; empty elsewhere."""
        outer = self._program.function_of(function.node)
        top = outer
        while outer is not None:
            given = {a.arg for a in outer.parameters}
            if any(isinstance(c.func, ast.Name) and c.func.id in given for c in calls(tries.body)):
                around = self._program.function_of(outer.node)
                return (around or top or outer).name
            outer = self._program.function_of(outer.node)
        return ""

    def _asked(self, function: Function) -> bool:
        """Return whether all who call what a decorator made ask what they got, or whether there was nothing."""
        names: set[str] = set()
        outer = self._program.function_of(function.node)
        while outer is not None:
            names.add(outer.name)
            outer = self._program.function_of(outer.node)
        made = {
            f.name
            for m in self._program.files.modules
            for f in m.functions.values()
            if not isinstance(f.node, ast.Lambda)
            and any(names & set(re.findall(r"\w+", ast.unparse(d))) for d in f.node.decorator_list)
        }
        users = [c for m in self._program.files.modules for c in m.calls if called(c) in made]
        held = []
        for call in users:
            parent = self._program.files.parent(call)
            parent = self._program.files.parent(parent) if isinstance(parent, ast.Await) else parent
            held.append(
                isinstance(parent, ast.Compare | ast.If | ast.BoolOp | ast.UnaryOp)
                or (
                    isinstance(parent, ast.Assign | ast.NamedExpr)
                    and " is None"
                    in ast.unparse(getattr(self._program.function_of(call), "node", parent)).replace(
                        " is not None", " is None"
                    )
                )
            )
        return bool(held) and all(held)


def _only_logs(node: ast.stmt) -> bool:
    """Return whether a statement does nothing but tell a log, also under a condition."""
    if isinstance(node, ast.If):
        return all(_only_logs(s) for s in [*node.body, *node.orelse])
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and is_log(node.value)


def _nothing(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)
