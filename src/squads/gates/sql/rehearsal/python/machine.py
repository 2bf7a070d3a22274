"""A small interpreter for the Python of migrations: plain values, loops, functions of the file, errors that are caught.

Nothing of the artifact is run by Python itself: each node of its tree is read here, and the few methods of plain values
that are called are named in `plain.py`. Whatever is not told raises `NotKnown`, and steps are counted.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from squads.gates.sql.python.scope import Scope
from squads.gates.sql.rehearsal.python import plain
from squads.gates.sql.rehearsal.python.evaluating import Expressions, Function, Leaves
from squads.gates.sql.rehearsal.python.things import ITEMS_MAX, Raised, Suppress, measured, through, true
from squads.gates.sql.rehearsal.value import NotKnown, Stops

_KINDS = {
    "KeyError": ("LookupError",), "IndexError": ("LookupError",), "ValueError": (), "UnicodeError": ("ValueError",),
    "InvalidOperation": ("DecimalException", "ArithmeticError"), "ZeroDivisionError": ("ArithmeticError",),
    "JSONDecodeError": ("ValueError",), "DoesNotExist": ("ObjectDoesNotExist",),
}  # fmt: skip


class Machine(Expressions):
    """Runs statements."""

    def play(self, body: Sequence[ast.stmt], scope: Scope, known: dict[str, Any] | None = None) -> None:
        """Run statements in the names that are kept. Raises `Stops` where they raise or leave, and `NotKnown`.

        With `known` they are a whole function, which may return.
        """
        try:
            self._block(body, scope, [self.known if known is None else known])
        except Leaves:
            if known is None:
                raise Stops from None
        except Raised:
            raise Stops from None

    def _block(self, body: Sequence[ast.stmt], scope: Scope, frames: list[dict[str, Any]]) -> None:
        for statement in body:
            self._spend()
            self.at = statement
            self._statement(statement, scope, frames)

    def _statement(self, node: ast.stmt, scope: Scope, frames: list[dict[str, Any]]) -> None:
        def of(part: ast.expr) -> Any:
            return self.value(part, scope, frames)

        match node:
            case ast.Expr(value=value):
                if not isinstance(value, ast.Constant):
                    of(value)
            case ast.Assign(targets=targets, value=value):
                found = of(value)
                for target in targets:
                    self._assign(target, found, scope, frames)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, of(value), scope, frames)
            case ast.AugAssign(target=target, op=op, value=value):
                before = of(target)
                more = of(value)
                if isinstance(before, list) and isinstance(op, ast.Add):
                    before.extend(through(more))
                    return
                self._assign(target, self._operated(op, before, more), scope, frames)
            case ast.If(test=test, body=body, orelse=orelse):
                self._block(body if true(of(test)) else orelse, scope, frames)
            case ast.For(target=target, iter=iterated, body=body, orelse=orelse):
                for one in through(of(iterated)):
                    self._assign(target, one, scope, frames)
                    if self._turn(body, scope, frames):
                        return
                self._block(orelse, scope, frames)
            case ast.While(test=test, body=body):
                while true(of(test)):
                    self._spend()
                    if self._turn(body, scope, frames):
                        return
            case ast.With(items=items, body=body):
                passed: list[str] = []
                for item in items:
                    entered = of(item.context_expr)
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, entered, scope, frames)
                    passed += entered.kinds if isinstance(entered, Suppress) else []
                try:
                    self._block(body, scope, frames)
                except Raised as error:
                    if not any(k in (error.kind, "Exception", *_KINDS.get(error.kind, ())) for k in passed):
                        raise
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                try:
                    self._block(body, scope, frames)
                    self._block(orelse, scope, frames)
                except Raised as error:
                    for handler in handlers:
                        if self._catches(handler.type, error.kind):
                            if handler.name:
                                frames[-1][handler.name] = error.kind
                            self._block(handler.body, scope, frames)
                            break
                    else:
                        raise
                finally:
                    self._block(finalbody, scope, frames)
            case ast.FunctionDef():
                frames[-1][node.name] = Function(node, scope, frames, self)
            case ast.Return(value=value):
                raise Leaves("return", of(value) if value is not None else None)
            case ast.Break() | ast.Continue():
                raise Leaves("break" if isinstance(node, ast.Break) else "continue")
            case ast.Raise(exc=raised):
                raise Raised(_name(raised) or "Exception")
            case ast.Assert(test=test):
                if not true(of(test)):
                    raise Raised("AssertionError")
            case ast.Delete(targets=[ast.Subscript(value=owner, slice=key)]):
                things = of(owner)
                if not isinstance(things, (dict, list)):
                    raise NotKnown
                plain.guarded(lambda: things.__delitem__(of(key)))
            case ast.Match(subject=subject, cases=cases):
                self._matched(of(subject), cases, scope, frames)
            case ast.Pass() | ast.Import() | ast.ImportFrom() | ast.Nonlocal() | ast.Global() | ast.AnnAssign():
                return
            case _:
                raise NotKnown

    def _turn(self, body: Sequence[ast.stmt], scope: Scope, frames: list[dict[str, Any]]) -> bool:
        """Run one turn of a loop; return whether it ends the loop."""
        try:
            self._block(body, scope, frames)
        except Leaves as leaves:
            if leaves.kind == "return":
                raise
            return leaves.kind == "break"
        return False

    def _catches(self, kind: ast.expr | None, raised: str) -> bool:
        names = [_name(k) for k in kind.elts] if isinstance(kind, ast.Tuple) else [_name(kind)] if kind else []
        return not names or any(n in (raised, "Exception", "BaseException", *_KINDS.get(raised, ())) for n in names)

    def _matched(self, subject: Any, cases: list[ast.match_case], scope: Scope, frames: list[dict[str, Any]]) -> None:
        for case in cases:
            if self._fits(case.pattern, subject, scope, frames) and (
                case.guard is None or true(self.value(case.guard, scope, frames))
            ):
                self._block(case.body, scope, frames)
                return

    def _fits(self, pattern: ast.pattern, subject: Any, scope: Scope, frames: list[dict[str, Any]]) -> bool:
        match pattern:
            case ast.MatchValue(value=value):
                known = self.value(value, scope, frames)
                measured(subject, known)
                return bool(subject == known)
            case ast.MatchSingleton(value=value):
                return subject is value
            case ast.MatchOr(patterns=patterns):
                return any(self._fits(p, subject, scope, frames) for p in patterns)
            case ast.MatchAs(pattern=inner, name=known):
                if inner is not None and not self._fits(inner, subject, scope, frames):
                    return False
                if known:
                    frames[-1][known] = subject
                return True
            case ast.MatchSequence(patterns=patterns):
                parts = list(subject) if isinstance(subject, (list, tuple)) else None
                star = next((n for n, p in enumerate(patterns) if isinstance(p, ast.MatchStar)), None)
                if parts is None or (len(parts) != len(patterns) if star is None else len(parts) < len(patterns) - 1):
                    return False
                if star is not None:
                    behind = len(patterns) - star - 1
                    middle = parts[star : len(parts) - behind]
                    kept = patterns[star]
                    if isinstance(kept, ast.MatchStar) and kept.name:
                        frames[-1][kept.name] = middle
                    parts = [*parts[:star], None, *parts[len(parts) - behind :]]
                return all(
                    isinstance(p, ast.MatchStar) or self._fits(p, v, scope, frames)
                    for p, v in zip(patterns, parts, strict=True)
                )
        raise NotKnown

    def _assign(self, target: ast.expr, value: Any, scope: Scope, frames: list[dict[str, Any]]) -> None:
        match target:
            case ast.Name(id=known):
                frames[-1][known] = value
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                found = list(through(value))
                star = next((n for n, e in enumerate(elts) if isinstance(e, ast.Starred)), None)
                if star is not None:
                    behind = len(elts) - star - 1
                    if len(found) < len(elts) - 1:
                        raise Raised("ValueError")
                    found = [*found[:star], found[star : len(found) - behind], *found[len(found) - behind :]]
                if len(found) != len(elts):
                    raise Raised("ValueError")
                for part, one in zip(elts, found, strict=True):
                    self._assign(part.value if isinstance(part, ast.Starred) else part, one, scope, frames)
            case ast.Subscript(value=owner, slice=key):
                things, place = self.value(owner, scope, frames), self.value(key, scope, frames)
                if not isinstance(things, (dict, list)) or len(things) > ITEMS_MAX:
                    raise NotKnown
                plain.guarded(lambda: things.__setitem__(plain.hashable(place), value))
            case ast.Attribute(value=owner, attr=name):
                thing = self.value(owner, scope, frames)
                if not hasattr(thing, "assign"):
                    raise NotKnown
                thing.assign(name, value)
            case _:
                raise NotKnown


def _name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
