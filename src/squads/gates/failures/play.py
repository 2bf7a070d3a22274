"""Playing a function in which one attempt fails each time: which statements run, and on which values.

The same function is played once where the attempt goes well and once where it fails. Where what leaves the failing
way is what leaves the good one, whoever called cannot tell them apart. Values are constants, or tell which expression
made them out of which values; those that the failure had a part in are marked. Loops over few known numbers are played
round by round, other loops once; tests that cannot be decided go both ways. All of it is bounded.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Literal

from squads.gates.failures.after import called, is_log, statements
from squads.gates.failures.reckoning import Raises, Reckoning, TooMuch
from squads.gates.failures.ways import (
    RAISED,
    Const,
    Event,
    Made,
    Value,
    Way,
    catches,
    fits,
    in_range,
    marked,
    names_in,
    names_kind,
    reckon,
    truth_of,
)
from squads.gates.python import Program

_PATHS_MAX = 96
_STEPS_MAX = 2_500
_ROUNDS_MAX = 5
Leaves = Literal["next", "break", "continue", "return", "raise"]


class Play(Reckoning):
    """One function, played with one attempt that goes well or fails."""

    def __init__(
        self,
        program: Program,
        *,
        handler: ast.ExceptHandler | None = None,
        within: ast.Try | ast.TryStar | None = None,
        attempt: ast.stmt | None = None,
        call: ast.Call | None = None,
        outcome: Value | None = None,
        fails: bool = False,
    ) -> None:
        super().__init__(program, call, outcome)
        self._handler, self._within, self._attempt = handler, within, attempt
        self._fails = fails
        self._steps = 0
        self._handling = 0
        self._counted: list[set[str]] = []

    def ways(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[Way, Leaves]]:
        """Return all ways through a function on which the attempt was made."""
        way = Way()
        arguments = node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        given = list(zip(plain[len(plain) - len(arguments.defaults) :], arguments.defaults, strict=True))
        given += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
        for one, default in given:
            if isinstance(default, ast.Constant) and isinstance(default.value, int | float):
                way.values[one.arg] = Const(default.value)
        return [(w, how) for w, how in self._block(node.body, way) if w.tried]

    # Statements

    def _block(self, body: Sequence[ast.stmt], way: Way) -> list[tuple[Way, Leaves]]:
        going, left = [way], []
        for one in body:
            following: list[Way] = []
            for current in going:
                for after, how in self._statement(one, current):
                    if how == "next":
                        following.append(after)
                    else:
                        left.append((after, how))
            going = following
            if len(going) + len(left) > _PATHS_MAX:
                raise TooMuch
        return [*left, *((w, "next") for w in going)]

    def _statement(self, node: ast.stmt, way: Way) -> list[tuple[Way, Leaves]]:
        self._steps += 1
        if self._steps > _STEPS_MAX:
            raise TooMuch
        if self._fails and node is self._attempt:
            way.attempted()
            way.raised = "*"
            return [(way, "raise")]
        if node is self._attempt:
            way.attempted()
        try:
            return self._run(node, way)
        except Raises:
            way.raised = "HTTPError"
            return [(way, "raise")]

    def _run(self, node: ast.stmt, way: Way) -> list[tuple[Way, Leaves]]:
        match node:
            case ast.Return():
                value = self.value(node.value, way) if node.value is not None else Const(None)
                way.events.append(Event(node, (value,), self._handling > 0))
                return [(way, "return")]
            case ast.Raise():
                way.raised = ast.unparse(node.exc).split("(")[0].rsplit(".", 1)[-1] if node.exc is not None else "*"
                return [(way, "raise")]
            case ast.Break():
                return [(way, "break")]
            case ast.Continue():
                return [(way, "continue")]
            case ast.If():
                return self._forked(node.test, node.body, node.orelse, way)
            case ast.While():
                return self._while(node, way)
            case ast.For() | ast.AsyncFor():
                return self._for(node, way)
            case ast.With() | ast.AsyncWith():
                return self._with(node, way)
            case ast.Try() | ast.TryStar():
                return self._try(node, way)
            case ast.Match():
                return self._match(node, way)
            case ast.Assert():
                self.value(node.test, way)
                return [(way, "next")]
            case ast.Assign() | ast.AnnAssign() if node.value is not None:
                value = self.value(node.value, way)
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    self._bind(target, value, way, node)
            case ast.AugAssign():
                self._augmented(node, way)
            case ast.Expr():
                value = self.value(node.value, way)
                if not self._puts(node, way) and not isinstance(node.value, ast.Constant):
                    way.events.append(Event(node, (value,), self._handling > 0))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                way.values[node.name] = Made(id(node))
            case ast.Delete():
                way.events.append(Event(node, (), self._handling > 0))
        return [(way, "next")]

    def _bind(self, target: ast.expr, value: Value, way: Way, node: ast.stmt | None) -> None:
        match target:
            case ast.Name():
                way.values[target.id] = value
                if self._handling:
                    way.instead |= {target.id}
                if node is not None:
                    way.events.append(Event(node, (value,), self._handling > 0))
            case ast.Tuple() | ast.List():
                for number, one in enumerate(target.elts):
                    part = Made(id(one), hash((number, value)), marked(value))
                    self._bind(one.value if isinstance(one, ast.Starred) else one, part, way, node)
            case ast.Attribute() | ast.Subscript():
                box = target.value
                if isinstance(target, ast.Subscript) and isinstance(box, ast.Name) and box.id in way.values:
                    old = way.values[box.id]
                    way.values[box.id] = Made(id(target), hash((old, value)), marked(old) or marked(value))
                if node is not None:
                    way.events.append(Event(node, (value,), self._handling > 0))

    def _augmented(self, node: ast.AugAssign, way: Way) -> None:
        value = self.value(node.value, way)
        if isinstance(node.target, ast.Name):
            old = way.values.get(node.target.id, Made(0, hash(node.target.id)))
            new: Value = Made(id(node), hash((old, value)), marked(old) or marked(value))
            if isinstance(old, Const) and isinstance(value, Const):
                new = reckon(node.op, old.value, value.value) or new
            way.values[node.target.id] = new
        way.events.append(Event(node, (value,), self._handling > 0))

    def _puts(self, node: ast.Expr, way: Way) -> bool:
        """Note what is put into a list of the function itself; it is told where that list goes."""
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return False
        box = call.func.value
        if called(call) not in ("append", "add", "extend", "update", "insert", "appendleft", "setdefault"):
            return False
        if not isinstance(box, ast.Name) or box.id not in way.values:
            return False
        given = tuple(self.value(a, way) for a in call.args)
        old = way.values[box.id]
        way.values[box.id] = Made(id(call), hash((old, given)), marked(old) or any(map(marked, given)))
        way.events.append(Event(node, given, self._handling > 0))
        return True

    def _forked(
        self, test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], way: Way
    ) -> list[tuple[Way, Leaves]]:
        found: list[tuple[Way, Leaves]] = []
        if way.instead & names_in(test) and not (_only_lines(body) and _only_lines(orelse)):
            way.unsure = True  # the function asks whether it has what the attempt would have made
        for chosen, taken in self._choices(test, way):
            found += self._block(body if taken else orelse, chosen)
        return found

    def _choices(self, test: ast.expr, way: Way) -> list[tuple[Way, bool]]:
        """Return the ways on which a test may be so or not."""
        value = self.value(test, way)
        truth = truth_of(value)
        if truth is not None:
            return [(way, truth)]
        yes, no = way.fork(), way
        if marked(value):
            yes.named = yes.named or names_kind(test, True)
            no.named = no.named or names_kind(test, False)
            yes.unsure = no.unsure = way.unsure or self._call is not None
        elif self._handling or any(n in self._counters() for n in names_in(test)):
            # Which round it is, or what the caller asked for, decides what is told.
            yes.unsure = no.unsure = True
        return [(yes, True), (no, False)]

    def _counters(self) -> set[str]:
        return set().union(*self._counted) if self._counted else set()

    def _while(self, node: ast.While, way: Way) -> list[tuple[Way, Leaves]]:
        self._counted.append(
            {
                s.target.id
                for s in statements(node.body)
                if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name)
            }
        )
        found: list[tuple[Way, Leaves]] = []
        going = [way]
        for number in range(_ROUNDS_MAX + 1):
            again: list[Way] = []
            for one in going:
                truth = truth_of(self.value(node.test, one))
                if truth is False or (truth is None and number > 0):
                    found += self._block(node.orelse, one)
                    continue
                for after, how in self._block(node.body, one):
                    if how in ("next", "continue"):
                        again.append(after)
                    else:
                        found.append((after, "next" if how == "break" else how))
            going = again[:8]
        self._counted.pop()
        return found

    def _for(self, node: ast.For | ast.AsyncFor, way: Way) -> list[tuple[Way, Leaves]]:
        rounds = self._rounds(node.iter, way)
        source = self.value(node.iter, way)
        if truth_of(source) is False:
            return self._block(node.orelse, way)
        self._counted.append(names_in(node.target) if rounds is None and "range" in ast.unparse(node.iter) else set())
        found: list[tuple[Way, Leaves]] = []
        going = [way]
        for number in rounds if rounds is not None else [None]:
            again: list[Way] = []
            for one in going:
                value: Value = Const(number) if number is not None else Made(id(node), hash(source), marked(source))
                self._bind(node.target, value, one, None)
                for after, how in self._block(node.body, one):
                    if how in ("next", "continue"):
                        again.append(after)
                    else:
                        found.append((after, "next" if how == "break" else how))
            going = again
        self._counted.pop()
        for one in going:
            found += self._block(node.orelse, one)
        return found

    def _rounds(self, node: ast.expr, way: Way) -> list[int] | None:
        if not isinstance(node, ast.Call) or called(node) != "range" or not node.args:
            return None
        bounds = []
        for one in node.args:
            value = self.value(one, way)
            if not isinstance(value, Const) or not isinstance(value.value, int):
                return None
            bounds.append(value.value)
        rounds = in_range(bounds)
        # A range may be longer than `len` can say.
        return list(rounds) if rounds is not None and not rounds[_ROUNDS_MAX:] else None

    def _with(self, node: ast.With | ast.AsyncWith, way: Way) -> list[tuple[Way, Leaves]]:
        for item in node.items:
            value = self.value(item.context_expr, way)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, value, way, None)
        return self._block(node.body, way)

    def _try(self, node: ast.Try | ast.TryStar, way: Way) -> list[tuple[Way, Leaves]]:
        found: list[tuple[Way, Leaves]] = []
        for after, how in self._block(node.body, way):
            if how == "next":
                found += self._block(node.orelse, after)
            elif how == "raise":
                found += self._caught(node, after)
            else:
                found.append((after, how))
        if not node.finalbody:
            return found
        ended: list[tuple[Way, Leaves]] = []
        for after, how in found:
            for last, then in self._block(node.finalbody, after):
                ended.append((last, how if then == "next" else then))
        return ended

    def _caught(self, node: ast.Try | ast.TryStar, way: Way) -> list[tuple[Way, Leaves]]:
        for handler in node.handlers:
            mine = way.raised == "*" and node is self._within
            if mine and handler is not self._handler:
                continue
            if not mine and not catches(handler, way.raised or ""):
                continue
            way.failed = way.failed or handler is self._handler
            if handler.name:
                way.values[handler.name] = RAISED
            self._handling += 1
            found = self._block(handler.body, way)
            self._handling -= 1
            return found
        return [(way, "raise")]

    def _match(self, node: ast.Match, way: Way) -> list[tuple[Way, Leaves]]:
        value = self.value(node.subject, way)
        found: list[tuple[Way, Leaves]] = []
        for case in node.cases:
            held, asked = fits(case.pattern, value), marked(value)
            if isinstance(case.pattern, ast.MatchAs) and case.pattern.name:
                way.values[case.pattern.name] = value
            if held is not False and case.guard is not None:
                guard = self.value(case.guard, way)
                truth, asked = truth_of(guard), asked or marked(guard)
                held = False if truth is False else held if truth else None
            if held is False:
                continue
            if held:
                return [*found, *self._block(case.body, way)]
            one = way.fork()
            one.unsure = one.unsure or asked
            way.unsure = way.unsure or (asked and self._call is not None)
            found += self._block(case.body, one)
        return [*found, (way, "next")]


def _only_lines(body: Sequence[ast.stmt]) -> bool:
    """Return whether a block only tells a log."""
    return all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Call) and is_log(s.value) for s in body)
