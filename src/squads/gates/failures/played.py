"""What a function says after a failure, found by playing it: what leaves the failing way as it leaves the good one."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from squads.gates.failures.after import After, Said, answers_shell, called, calls, statements
from squads.gates.failures.attempt import Attempt
from squads.gates.failures.play import Leaves, Play
from squads.gates.failures.reckoning import TooMuch
from squads.gates.failures.sources import Kind
from squads.gates.failures.telling import Telling
from squads.gates.failures.ways import Const, Event, Made, Outcome, Value, Way, marked
from squads.gates.failures.words import failure_like, is_done, is_state, judges, says_failure, success_like
from squads.gates.python import Function, Instance, Program
from squads.gates.python.bindings import EACH
from squads.gates.secrets.words import words_of
from squads.gates.words import word_set

_GOOD: dict[str, tuple[Outcome, ...]] = {
    "response": (Outcome(True, 200), Outcome(True, 201), Outcome(True, 202), Outcome(True, 204)),
    "command": (Outcome(True, 0),),
    "batch": (Outcome(True, 200),),
}
_BAD: dict[str, tuple[Outcome, ...]] = {
    "response": (Outcome(False, 422), Outcome(False, 500)),
    "command": (Outcome(False, 1),),
    "batch": (Outcome(False, 200),),
}
_COUNTS = re.compile(r"^(?:n|count|counter|total|number|anzahl|\\w+_count|n_\\w+)$")
_MOVES = word_set(
    "copy copy2 copyfile copytree move upload archive backup send export transfer put push publish deliver store"
)
_REMOVES = frozenset(("unlink", "remove", "rmtree", "delete", "delete_object", "rmdir", "purge"))
_NUMBERS = frozenset(("system", "call", "wait"))
"""Calls that answer the return code itself."""
_PUTS = ("append", "add", "extend", "insert", "appendleft")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a function ends after a failure."""

    said: Said
    """What is said on a way that tells nobody."""
    reached: frozenset[ast.AST]
    """The statements that run on any way after the failure, but for those that raise."""
    withheld: bool
    """Whether all success that the good way says is kept back after the failure."""
    shown: bool
    """Whether every way after the failure does something that can be seen otherwise than the good way."""


@dataclass(frozen=True, slots=True)
class _At:
    """The handler of a failure, and what it belongs to."""

    handler: ast.ExceptHandler
    within: ast.Try | ast.TryStar
    given: frozenset[str]
    """What the attempt was to bring elsewhere: names of what the function was given, or goes through."""
    strict: bool = False


class Played:
    """Plays the functions of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)
        self._telling = Telling(program)
        self._attempt = Attempt(program)

    def handler(self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, *, strict: bool = False) -> Ended | None:
        """Return how a function ends where what a `try` attempts fails each time; None where it is not played.

        `strict`: another value instead of what the attempt would have made is no answer by itself.
        """
        function = self._program.function_of(node)
        if function is None or isinstance(function.node, ast.Lambda):
            return None
        ended: Ended | None = None
        for attempt in self._attempts(node.body, handler):
            other = self._attempted(node, handler, attempt, function, strict)
            if other is None:
                return None
            ended = other if ended is None else _worse(ended, other)
        return ended

    def _attempted(
        self,
        node: ast.Try | ast.TryStar,
        handler: ast.ExceptHandler,
        attempt: ast.stmt,
        function: Function,
        strict: bool,
    ) -> Ended | None:
        if isinstance(function.node, ast.Lambda):
            return None
        try:
            bad = Play(self._program, handler=handler, within=node, attempt=attempt, fails=True).ways(function.node)
            good = Play(self._program, handler=handler, within=node, attempt=attempt).ways(function.node)
        except TooMuch:
            return None
        if not bad or not good:
            return None
        return self._ended(function, bad, good, _At(handler, node, self._given(attempt, function), strict))

    def outcome(self, call: ast.Call, kind: Kind) -> Ended | None:
        """Return how a function ends where a call answers that it failed each time; None where it is not played."""
        function = self._program.function_of(call)
        if function is None or isinstance(function.node, ast.Lambda) or kind not in _BAD:
            return None
        ended: Ended | None = None
        try:
            runs = [Play(self._program, call=call, outcome=o).ways(function.node) for o in _goods(kind, call)]
            for one in _bads(kind, call):
                bad = Play(self._program, call=call, outcome=one).ways(function.node)
                # Whoever takes another answer for the only good one has looked.
                all_of = [self._ended(function, bad, good, None) for good in runs if any(h != "raise" for _, h in good)]
                ended = next((e for e in all_of if e.said.how != "success"), all_of[0] if all_of else None)
                if ended is not None and ended.said.how == "success":
                    break
        except TooMuch:
            return None
        return ended

    def _attempts(self, body: Sequence[ast.stmt], handler: ast.ExceptHandler) -> list[ast.stmt]:
        """Return the statements whose failure is played: the first that may fail, and what the error is named after."""
        first = self._first(body)
        if first is None:
            return []
        words = set(words_of(ast.unparse(handler.type))) - {"error", "exception"} if handler.type is not None else set()
        named = [
            s
            for s in body
            if s is not first
            and self._attempt.tried([s]) in ("effect", "judge")
            and any(not words.isdisjoint(words_of(ast.unparse(c.func))) for c in calls([s]))
        ]
        return [first, *named[:1]]

    def _first(self, body: Sequence[ast.stmt]) -> ast.stmt | None:
        kinds = [(s, self._attempt.tried([s])) for s in body]
        for wanted in (("effect", "judge", "message"), ("unknown",), ("read", "quiet")):
            for one, kind in kinds:
                if kind in wanted and calls([one]):
                    return one
        return None

    def _ended(
        self,
        function: Function,
        bad: list[tuple[Way, Leaves]],
        good: list[tuple[Way, Leaves]],
        at: _At | None,
    ) -> Ended:
        usual = [e for w, how in good if how != "raise" and not w.failed for e in w.events[w.start :]]
        known = {(id(e.node), e.read) for e in usual}
        if at is not None:
            # What the handler does as the good way does it says no more, but for the attempt itself.
            inside = {id(n) for n in ast.walk(at.within)}
            again = {e.read for e in usual if id(e.node) not in inside and _by_call(e)}
            handling = [e for w, _ in bad for e in w.events[w.start :] if e.handling]
            known |= {(id(e.node), e.read) for e in handling if e.read in again}
        best, reached, shown = Said("nothing"), set[ast.AST](), True
        for way, how in bad:
            if how == "raise":
                continue
            events = way.events[way.start :]
            reached |= {e.node for e in events}
            differs = [e for e in events if self._differs(e, known, function, at)]
            shown = shown and any(not e.handling for e in differs)
            if way.named or way.unsure or differs:
                continue
            same = [e for e in events if (id(e.node), e.read) in known or isinstance(e.node, ast.Return)]
            said = self._claim(same, function, at)
            if said.how == "success" or best.how == "nothing":
                best = said
        claims = {e.node for e in usual if self._after.says(e.node).how == "success"}
        withheld = bool(claims) and claims.isdisjoint(reached)
        return Ended(best, frozenset(reached), withheld, shown and bool(reached))

    def _differs(
        self, event: Event, known: set[tuple[int, tuple[Value, ...]]], function: Function, at: _At | None
    ) -> bool:
        """Return whether a statement tells somebody what it does not tell where all went well."""
        if (id(event.node), event.read) in known:
            return False
        if isinstance(event.node, ast.Expr) and isinstance(event.read[0], Outcome):
            return False  # the attempt itself
        if isinstance(event.node, ast.Return) and (self._verdict(event.node.value) or _lets_in(event, function)):
            return False  # it says that all is well, whatever else it holds
        if event.handling and at is not None:
            if isinstance(event.node, ast.Return):
                return True
            if (
                at.strict
                and isinstance(event.node, ast.Assign)
                and all(isinstance(t, ast.Name) for t in event.node.targets)
            ):
                return False  # it is told where the name is read
            return any(self._telling.tells(n, at.handler, at.within, function) for n in statements([event.node]))
        match event.node:
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                target = event.node.targets[0] if isinstance(event.node, ast.Assign) else event.node.target
                return not isinstance(target, ast.Name)
            case ast.Expr(value=value):
                value = value.value if isinstance(value, ast.Await) else value
                if not isinstance(value, ast.Call):
                    return not isinstance(value, ast.Constant)
                put = called(value) in _PUTS and isinstance(value.func, ast.Attribute)
                box = value.func.value if put and isinstance(value.func, ast.Attribute) else None
                if isinstance(box, ast.Name) and box.id not in {a.arg for a in function.parameters}:
                    return any(map(marked, event.read))
                return not self._telling.idle(value)
        return True

    def _given(self, attempt: ast.stmt, function: Function) -> frozenset[str]:
        """Return the names of what an attempt copies or sends away, where it was not made here."""
        moved = [c for c in calls([attempt]) if not _MOVES.isdisjoint(words_of(called(c)))]
        names = {n.id for c in moved for n in ast.walk(c) if isinstance(n, ast.Name)}
        module = self._program.files.module_of(function.node)
        kept = set()
        for binding in (b for n in ast.walk(attempt) if isinstance(n, ast.Name) for b in module.bindings(n)):
            if isinstance(binding.node, ast.arg) or binding.path == (EACH,):
                kept |= {n for n in names if n == getattr(binding.node, "arg", getattr(binding.node, "id", ""))}
        return frozenset(n for n in kept if n not in ("self", "cls") and not re.search(r"(?i)te?mp|client|conn", n))

    def _verdict(self, node: ast.expr | None) -> bool:
        """Return whether an answer says that all went well by a mark that is written out: `Receipt(sailing, True)`."""
        if isinstance(node, ast.Dict) or node is None:
            return success_like(node)
        if not isinstance(node, ast.Call) or failure_like(node):
            return False
        if any(_says_yes(k) for k in node.keywords):
            return True
        for thing in self._program.names.things(node):
            fields = [
                s.target.id
                for s in (thing.made_by.node.body if isinstance(thing, Instance) else ())
                if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
            ]
            for name, value in zip(fields, node.args, strict=False):
                if isinstance(value, ast.Constant) and value.value is True and (is_done(name) or is_state(name)):
                    return True
        return False

    def _claim(self, events: list[Event], function: Function, at: _At | None) -> Said:
        weak = Said("nothing")
        shell = answers_shell(function)
        answered = {
            n.id
            for e in events
            if isinstance(e.node, ast.Return) and e.node.value is not None
            for n in ast.walk(e.node.value)
            if isinstance(n, ast.Name) and not says_failure(n.id)
        }
        for event in events:
            said = self._after.says(event.node, exit_code=shell)
            verdict = isinstance(event.node, ast.Return) and (
                self._verdict(event.node.value) or (not event.handling and _states(event.node.value))
            )
            if said.how != "success" and (verdict or _lets_in(event, function)):
                return Said("success", event.node, f"returns {ast.unparse(event.node)[7:67]}")
            if said.how == "success":
                return said
            call = event.node.value if isinstance(event.node, ast.Expr) else None
            if at is not None and isinstance(call, ast.Call) and called(call) in _REMOVES:
                gone = {n.id for n in ast.walk(call) if isinstance(n, ast.Name)} & at.given
                if gone:
                    return Said("success", event.node, f"removes what was not brought away: {ast.unparse(call)[:60]}")
            if isinstance(event.node, ast.AugAssign) and isinstance(event.node.target, ast.Name):
                name = event.node.target.id
                if name in answered and _COUNTS.search(name):
                    return Said("success", event.node, f"counts it: {ast.unparse(event.node)[:60]}")
            if isinstance(call, ast.Call) and called(call) in _PUTS and isinstance(call.func, ast.Attribute):
                box = call.func.value
                if isinstance(box, ast.Name) and box.id in answered:
                    return Said("success", event.node, f"puts it into `{box.id}`, which it answers")
            if said.how == "value" and weak.how == "nothing":
                weak = said
        return weak


def _outcome(value: Value) -> bool:
    return isinstance(value, Outcome) or value == Const(1)


def _worse(one: Ended, other: Ended) -> Ended:
    """Return what holds of two attempts, either of which may fail."""
    rank = {"success": 2, "value": 1, "nothing": 0}
    said = other.said if rank[other.said.how] > rank[one.said.how] else one.said
    return Ended(said, one.reached | other.reached, one.withheld and other.withheld, one.shown and other.shown)


def _goods(kind: str, call: ast.Call) -> tuple[Value, ...]:
    return (Const(0),) if called(call) in _NUMBERS else _GOOD[kind]


def _bads(kind: str, call: ast.Call) -> tuple[Value, ...]:
    return (Const(1),) if called(call) in _NUMBERS else _BAD[kind]


def _lets_in(event: Event, function: Function) -> bool:
    """Return whether a function that judges answers yes."""
    value = event.read[0] if isinstance(event.node, ast.Return) else None
    return isinstance(value, Const) and value.value is True and judges(function.name)


def _states(node: ast.expr | None) -> bool:
    """Return whether an answer tells a state that is written out: `{"status": "on"}`."""
    return isinstance(node, ast.Dict) and any(
        isinstance(k, ast.Constant)
        and k.value in ("status", "state")
        and isinstance(v, ast.Constant)
        and isinstance(v.value, str)
        and not says_failure(v.value)
        for k, v in zip(node.keys, node.values, strict=True)
    )


def _says_yes(word: ast.keyword) -> bool:
    return isinstance(word.value, ast.Constant) and word.value.value is True and is_done(word.arg or "")


def _by_call(event: Event) -> bool:
    """Return whether a statement gives on what a call made."""
    return any(isinstance(r, Made) for r in event.read) and any(isinstance(n, ast.Call) for n in ast.walk(event.node))
