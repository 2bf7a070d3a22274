"""Statements, one after the other, with the ways that conditions, loops and exceptions open.

Bounded in ways and steps: past a bound the answer is `CannotLook`, never a pass.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from squads.gates.check import CannotLook
from squads.gates.python.module import Function, Module
from squads.gates.python.names import Names
from squads.gates.saml.conditions import Forks
from squads.gates.saml.exceptions import Exceptions
from squads.gates.saml.reading import Readings
from squads.gates.saml.relevance import Relevance
from squads.gates.saml.values import (
    NONE,
    OWN,
    Callee,
    Const,
    Data,
    Items,
    Object,
    Setting,
    State,
    Value,
    Verdict,
    derived,
    distinct,
    outside,
    parts,
)

STEPS_MAX = 20_000
"""How many statements the ways from one entry may take; about three seconds of work."""
STEPS_ALL_MAX = 60_000
"""How many statements the ways of one artifact may take together."""
STATES_MAX = 12
"""How many ways are kept apart at one point of a function."""


@dataclass(slots=True)
class Frame:
    """One call of a function: what it returned so far, on which ways, and the loops that it is in."""

    returns: Forks = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    breaks: list[list[State]] = field(default_factory=list)
    continues: list[list[State]] = field(default_factory=list)
    handling: list[str] = field(default_factory=list)


_Failure = tuple[State, frozenset[str]]
"""A way that an exception takes, and the exception's names; empty for a verification that failed."""


class Statements(Exceptions):
    """Goes through blocks of statements; functions and libraries are answered by the class that builds upon it."""

    def __init__(self, names: Names, readings: Readings, relevance: Relevance) -> None:
        super().__init__()
        self.relevance = relevance
        self.names = names
        self.readings = readings
        self.run_already: set[Function] = set()
        self._steps = 0
        self._steps_all = 0
        self._objects = 0
        self._sites: dict[tuple[ast.AST, tuple[Function, ...]], int] = {}
        self._answers: dict[object, tuple[Forks, list[_Failure]]] = {}
        self._closures: list[dict[str, Value]] = []
        self._calling: list[tuple[ast.Call, Module]] = []
        self._stack: list[Function] = []
        self._frames: list[Frame] = [Frame()]
        self._failures: list[list[_Failure]] = [[]]

    # Statements

    def begin(self, module: Module) -> None:
        """Start a way of its own."""
        self.module, self._steps = module, 0
        self._stack, self._frames, self._failures, self._calling = [], [Frame()], [[]], []

    def block(self, body: Iterable[ast.stmt], states: list[State]) -> list[State]:
        """Go through statements; return the states that come out at their end."""
        for statement in body:
            if not states:
                return []
            states = self._narrowed(states)
            self.spend(len(states), statement)
            states = [out for s in states for out in self._statement(statement, s)]
        return states

    def spend(self, steps: int, node: ast.expr | ast.stmt) -> None:
        """Count what was gone through. Raises `CannotLook` past the bound."""
        self._steps += steps
        self._steps_all += steps
        if self._steps > STEPS_MAX or self._steps_all > STEPS_ALL_MAX:
            raise CannotLook(
                f"{self.module.path}:{node.lineno}: the ways through this code take more than {STEPS_MAX} steps, "
                f"or all of them more than {STEPS_ALL_MAX}; split what handles SAML into smaller functions"
            )

    def _narrowed(self, states: list[State]) -> list[State]:
        states = distinct(states)
        # The more has been gone through, the fewer ways are kept apart: rather a rougher answer than none.
        most = max(2, STATES_MAX * (STEPS_MAX - 2 * self._steps) // STEPS_MAX)
        if len(states) <= most:
            return states
        # Of states that believe the same, a few stand for all: what differs is local values.
        groups: dict[object, list[State]] = {}
        for state in states:
            groups.setdefault((frozenset(state.trust.items()), state.remarks, _doubtful(state)), []).append(state)
        each = max(1, most // len(groups))
        return [s for group in groups.values() for s in group[:each]][: 4 * STATES_MAX]

    def _statement(self, node: ast.stmt, state: State) -> list[State]:
        match node:
            case ast.Expr():
                return [s for s, _ in self.eval(node.value, state)]
            case ast.Assign():
                found = self.eval(node.value, state)
                for target in node.targets:
                    found = [(s2, v) for s, v in found for s2 in self.assign(target, v, s)]
                return [s for s, _ in found]
            case ast.AnnAssign():
                if node.value is None:
                    return [state]
                return [s2 for s, v in self.eval(node.value, state) for s2 in self.assign(node.target, v, s)]
            case ast.AugAssign():
                if isinstance(node.target, ast.Name):
                    old = state.env.get(node.target.id, outside(node.target.id))
                    both = [(s, [old, v]) for s, v in self.eval(node.value, state)]
                else:
                    both = self.each([_loaded(node.target), node.value], state)
                return [s2 for s, vs in both for s2 in self.assign(node.target, self._added(vs, s), s)]
            case ast.Return():
                self._frames[-1].returns += self.eval(node.value, state)
                return []
            case ast.Raise():
                for s, _ in self.eval(node.exc, state):
                    self._failures[-1].append((s, self._exceptions(node.exc)))
                return []
            case ast.If():
                yes, no = self.test(node.test, state)
                return self.block(node.body, yes) + self.block(node.orelse, no)
            case ast.Assert():
                return self.test(node.test, state)[0]
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(node, state)
            case ast.Break() | ast.Continue():
                frame = self._frames[-1]
                jumps = frame.breaks if isinstance(node, ast.Break) else frame.continues
                if jumps:
                    jumps[-1].append(state)
                return []
            case ast.Try() | ast.TryStar():
                return self._try(node, state)
            case ast.With() | ast.AsyncWith():
                return self._with(node, state)
            case ast.Match():
                return self._match(node, state)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if self._stack:
                    function = self.module.functions[node]
                    number = self.closure(state.env)
                    state.env[node.name] = Callee(function, None, number)
                    self._closures[number] = {**state.env}
                return [state]
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        state.env.pop(target.id, None)
        return [state]

    def _added(self, values: list[Value], state: State) -> Value:
        data = [d for v in values for d in parts(v, state)]
        return derived(*data) if data else values[0] if isinstance(values[0], Items) else Setting(None)

    def assign(self, target: ast.expr, value: Value, state: State) -> list[State]:
        """Give a name, an attribute or an item a value."""
        match target:
            case ast.Name():
                state.env[target.id] = value
            case ast.Starred():
                return self.assign(target.value, value, state)
            case ast.Tuple() | ast.List():
                states = [state]
                for number, element in enumerate(target.elts):
                    states = [o for s in states for o in self.assign(element, self.item(value, Const(number)), s)]
                return states
            case ast.Attribute():
                states = []
                for s, base in self.eval(target.value, state):
                    if isinstance(base, Object):
                        s.attributes[base.number, target.attr] = value
                    elif isinstance(base, Data) and base.form != "own":
                        s.attributes.update({(o, target.attr): value for o in base.origins})
                        self.use([value], s)
                    else:
                        self.use([value], s)
                    states.append(s)
                return states
            case ast.Subscript():
                states = []
                for s, (base, key) in self.each([target.value, target.slice], state):
                    self._put(target.value, base, key, value, s)
                    states.append(s)
                return states
        return [state]

    def _put(self, box: ast.expr, base: Value, key: Value, value: Value, state: State) -> None:
        if isinstance(base, Items):
            written = key if isinstance(key, Const) else None
            kept = [e for e in base.entries if written is None or e[0] != written]
            held = Items((*kept, (written, value), *(((None, key),) if isinstance(key, Data) else ())))
            if len(held.entries) > 60:
                return
            if isinstance(box, ast.Name):
                state.env[box.id] = held
            elif isinstance(box, ast.Attribute):
                for _, owner in self.eval(box.value, state.copy()):
                    if isinstance(owner, Object):
                        state.attributes[owner.number, box.attr] = held
            else:
                self.use([key, value], state)
        else:
            self.use([key, value], state)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, state: State) -> list[State]:
        frame = self._frames[-1]
        frame.breaks.append([])
        left: list[State] = []
        entered = [(state, None)] if isinstance(node, ast.While) else self.eval(node.iter, state)
        going = [s for s, _ in entered]
        values = dict(enumerate(v for _, v in entered))
        if not isinstance(node, ast.While):
            left += [s.copy() for s, v in entered if not (isinstance(v, Items) and v.entries)]
        for turn in range(2):
            frame.continues.append([])
            begun: list[State] = []
            if isinstance(node, ast.While):
                for s in going:
                    yes, no = self.test(node.test, s)
                    begun += yes
                    left += no
            else:
                value = next(iter(values.values()), None) or OWN
                for s in going:
                    begun += self.assign(node.target, self._element(value, turn), s)
            going = self._narrowed(self.block(node.body, begun) + frame.continues.pop())
            left += [s.copy() for s in going]
        left = self.block(node.orelse, self._narrowed(left)) if node.orelse else left
        return self._narrowed(left + frame.breaks.pop())

    def _element(self, value: Value, turn: int) -> Value:
        if isinstance(value, Items) and len(value.entries) > turn and value.entries[turn][0] is None:
            return value.entries[turn][1]
        return self.item(value, None)

    def _try(self, node: ast.Try | ast.TryStar, state: State) -> list[State]:
        frame = self._frames[-1]
        self._failures.append([])
        returned = len(frame.returns)
        end = self.block(node.body, [state])
        failures = alike(self._failures.pop())
        end = self.block(node.orelse, end)
        for failed, names in failures:
            handlers = self._handlers(node, names)
            if not handlers:
                self._failures[-1].append((failed, names))
            for handler in handlers:
                begun = failed.copy()
                if not names:
                    begun.remark("swallowed")
                if handler.name:
                    # An exception is true and is not None, and so is what is said of it.
                    begun.env[handler.name] = Const("an exception")
                frame.handling.append("")
                end += self.block(handler.body, [begun])
                frame.handling.pop()
        if node.finalbody:
            kept = frame.returns[returned:]
            before = len(frame.returns)
            end = self.block(node.finalbody, end)
            if kept and len(frame.returns) == before and any(isinstance(n, ast.Return) for n in node.finalbody):
                del frame.returns[returned:]
        return end

    def _with(self, node: ast.With | ast.AsyncWith, state: State) -> list[State]:
        states = [state]
        swallows = False
        for item in node.items:
            found = [f for s in states for f in self.eval(item.context_expr, s)]
            swallows |= "suppress" in ast.dump(item.context_expr)[:200]
            if item.optional_vars is None:
                states = [s for s, _ in found]
            else:
                states = [s2 for s, v in found for s2 in self.assign(item.optional_vars, v, s)]
        if not swallows:
            return self.block(node.body, states)
        self._failures.append([])
        end = self.block(node.body, states)
        for failed, _ in self._failures.pop():
            failed.remark("swallowed")
            end.append(failed)
        return end

    def _match(self, node: ast.Match, state: State) -> list[State]:
        end: list[State] = []
        for s, subject in self.eval(node.subject, state):
            rest = True
            if isinstance(subject, Verdict):
                end += self._match_answer(node, subject, s)
                continue
            for case in node.cases:
                strings = [
                    p.value.value
                    for p in ast.walk(case.pattern)
                    if isinstance(p, ast.MatchValue)
                    and isinstance(p.value, ast.Constant)
                    and isinstance(p.value.value, str)
                ]
                inside = s.copy()
                if strings and isinstance(subject, Data):
                    self.use([self.read(case.pattern, subject, strings, inside)], inside)
                for part in ast.walk(case.pattern):
                    if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                        inside.env[part.name] = subject
                begun = self.test(case.guard, inside)[0] if case.guard else [inside]
                end += self.block(case.body, begun)
                rest &= not (isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and not case.guard)
            end += [s] if rest else []
        return end

    def _match_answer(self, node: ast.Match, answer: Verdict, state: State) -> list[State]:
        """Match the answer of a verification: `case []`, `case True`, and the rest."""
        yes, no = self.split(answer, state)
        end: list[State] = []
        for case in node.cases:
            match case.pattern:
                case ast.MatchSequence(patterns=[]) | ast.MatchSingleton(value=False | None):
                    begun, no = no, []
                case ast.MatchSingleton(value=True) | ast.MatchSequence():
                    begun, yes = yes, []
                case _:
                    begun, yes, no = [*yes, *no], [], []
            end += self.block(case.body, [s.copy() for s in begun])
        return [*end, *yes, *no]

    def yielded(self, node: ast.Yield | ast.YieldFrom, state: State) -> Forks:
        """What a generator gives is what its caller gets."""
        found = self.eval(node.value, state)
        self._frames[-1].yields += [v for _, v in found]
        return [(s, OWN) for s, _ in found]


def alike(failures: list[_Failure]) -> list[_Failure]:
    """Return one of the ways that believe the same and take the same exception."""
    return list(
        {(frozenset(s.trust.items()), s.remarks, _doubtful(s), names): (s, names) for s, names in failures}.values()
    )


def _doubtful(state: State) -> frozenset[tuple[str, Value]]:
    """Return what a state holds of messages and of answers about them."""
    return frozenset(
        (name, value)
        for name, value in state.env.items()
        if isinstance(value, Verdict) or (isinstance(value, Data) and value.form != "opaque") or value == NONE
    )


def _loaded(target: ast.expr) -> ast.expr:
    """Return an assignment's target as it is read."""
    return ast.copy_location(type(target)(**{**dict(ast.iter_fields(target)), "ctx": ast.Load()}), target)
