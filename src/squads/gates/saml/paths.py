"""Every way through the functions that handle SAML, one statement after the other.

A function that others of the artifact call is gone through where it is called, with what it is given there; one that
nobody calls begins a way of its own, with arguments of which nothing is known. Conditions split a way, a verification
that fails leaves it through the handler that catches it, and what was verified is known to the way, not to the value.
Bounded in depth, ways and steps: past a bound the answer is `CannotLook`, never a pass.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterable

from squads.gates.python.module import Function, Module
from squads.gates.saml import words as vocabulary
from squads.gates.saml.calls import Call
from squads.gates.saml.conditions import Forks
from squads.gates.saml.expressions import FORKS_MAX, fewer
from squads.gates.saml.libraries import external
from squads.gates.saml.reading import Reading
from squads.gates.saml.statements import Frame, Statements, alike
from squads.gates.saml.values import (
    NONE,
    OWN,
    Callee,
    Const,
    Data,
    Imported,
    Items,
    Object,
    State,
    Type,
    Value,
    Verdict,
    derived,
    outside,
    parts,
    texts,
)

CALL_STEPS = 8
"""What a call counts, beside the statements that it runs."""
ANSWERS_MAX = 20_000
"""How many calls are remembered with what came out of them."""
RETURNS_MAX = 6
"""How many ways out of a function are kept apart that return alike."""
DEPTH_MAX = 24
"""How deep functions are followed into each other."""

_TOLD_MAX = 4
"""How many calls back it may have been said what a helper reads."""
_RUNNERS = frozenset(("to_thread", "run_in_executor", "run_in_threadpool", "run_sync", "submit"))
"""What runs a function that it is given, elsewhere."""


class Paths(Statements):
    """Goes all ways, and collects what is read on them."""

    @abstractmethod
    def unknowns(self, function: Function, state: State) -> tuple[list[Value], dict[str, Value]]:
        """Return arguments of which nothing is known but their names, types and defaults."""

    # Calls

    def closure(self, env: dict[str, Value]) -> int:
        """Keep the names around a function that is made."""
        self._closures.append(dict(env))
        return len(self._closures) - 1

    def call(self, node: ast.Call, state: State) -> Forks:
        """Return what a call gives: the artifact's functions are run, others are known or not."""
        self._calling.append((node, self.module))
        try:
            return self._call(node, state)
        finally:
            self._calling.pop()

    def _call(self, node: ast.Call, state: State) -> Forks:
        if self._last_word(node.func) in _RUNNERS:
            first_one = 1 if self._last_word(node.func) == "run_in_executor" else 0
            if len(node.args) > first_one and not isinstance(node.args[first_one], ast.Starred):
                inner = ast.Call(node.args[first_one], node.args[first_one + 1 :], node.keywords)
                return self._call(ast.copy_location(inner, node), state)
        found: Forks = []
        method = isinstance(node.func, ast.Attribute)
        first = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        for s0, called in self.eval(first, state):
            spread = list(node.args)
            for s1, args in self.each(spread, s0):
                for s2, given in self.each([k.value for k in node.keywords], s1):
                    words = {k.arg: v for k, v in zip(node.keywords, given, strict=True) if k.arg}
                    for k, v in zip(node.keywords, given, strict=True):
                        if k.arg is None and isinstance(v, Items):
                            words |= {t: held for key, held in v.entries for t in texts(key)}
                        elif k.arg is None:
                            words["**"] = v
                    if any(isinstance(a, ast.Starred) for a in node.args):
                        args = [
                            x
                            for a, v in zip(node.args, args, strict=True)
                            for x in (
                                [i for _, i in v.entries]
                                if isinstance(a, ast.Starred) and isinstance(v, Items)
                                else [v]
                            )
                        ]
                    if not method:
                        found += self._called(node, called, None, args, words, s2)
                        continue
                    assert isinstance(node.func, ast.Attribute)
                    if isinstance(called, Object | Type | Imported):
                        for s3, member in self.attribute(node.func, called, s2):
                            found += self._called(node, member, called, args, words, s3)
                    else:
                        found += self._called(node, None, called, args, words, s2)
        if len(found) > FORKS_MAX:
            self.spend(len(found), node)
            found = [(s, vs[0]) for s, vs in fewer([(s, [v]) for s, v in found])]
        return found

    def _called(
        self,
        node: ast.Call,
        callee: Value | None,
        base: Value | None,
        args: list[Value],
        words: dict[str, Value],
        state: State,
    ) -> Forks:
        if isinstance(callee, Callee):
            if _is_stub(callee.function):
                self.use([*args, *words.values()], state)
            return self.run(callee, args, words, state)
        if isinstance(callee, Type):
            # What is made at one place, on one way of calls, is one object: else no two ways would ever be the same.
            site = (node, tuple(self._stack))
            if site not in self._sites:
                self._objects += 1
                self._sites[site] = self._objects
            made = Object(callee.made_by, self._sites[site])
            return [(s, made) for s in self._made(made, node, args, words, state)]
        if isinstance(callee, Object):
            answer = self.method(callee, "__call__")
            if answer is not None:
                return self.run(answer, args, words, state)
        if isinstance(node.func, ast.Attribute) and isinstance(base, Items):
            grown = self._grown(node.func, base, args, words, state)
            if grown is not None:
                return grown
        label = ast.unparse(node.func)[:100]
        attribute = node.func.attr if isinstance(node.func, ast.Attribute) else label
        names = self.names.names(node.func)
        if isinstance(callee, Data) and callee.form == "opaque" and not names:
            names = callee.origins
        if names and not isinstance(node.func, ast.Attribute):
            attribute = sorted(names)[0].rpartition(".")[2]
        if isinstance(callee, Const):
            base, attribute = callee, "__call__"
        if isinstance(base, Object | Type | Imported):
            base = callee if isinstance(callee, Data) else None
        return external(self, Call(node, names, attribute, label, base, args, words), state)

    def _grown(
        self, func: ast.Attribute, base: Items, args: list[Value], words: dict[str, Value], state: State
    ) -> Forks | None:
        """`append`, `update`, `setdefault` on a list or dict that was made here."""
        if func.attr in ("append", "add", "appendleft", "extend", "update", "insert") and (args or words):
            key: Value = NONE
            for value in [*args[-1:], *words.values()]:
                if isinstance(value, Items) and func.attr in ("extend", "update"):
                    for k, v in value.entries:
                        self._put(func.value, self._box(func.value, base, state), k or NONE, v, state)
                else:
                    self._put(func.value, self._box(func.value, base, state), OWN, value, state)
            return [(state, key)]
        if func.attr == "setdefault" and len(args) == 2:
            self._put(func.value, base, args[0], args[1], state)
            data = parts(args[1], state)
            return [(state, derived(*data) if data else args[1])]
        return None

    def _box(self, node: ast.expr, base: Items, state: State) -> Items:
        found = state.env.get(node.id) if isinstance(node, ast.Name) else None
        return found if isinstance(found, Items) else base

    def method(self, owner: Object, name: str) -> Callee | None:
        """Return a method of an object of the artifact."""
        for home in self.names.family(owner.made_by):
            if name in home.methods:
                return Callee(home.methods[name], owner)
        return None

    def _made(
        self, made: Object, node: ast.Call | None, args: list[Value], words: dict[str, Value], state: State
    ) -> list[State]:
        """Make an object: run its `__init__`, or fill a dataclass's fields."""
        init = self.method(made, "__init__")
        if init is not None:
            if node is None:
                args, words = self.unknowns(init.function, state)
            return [s for s, _ in self.run(init, args, words, state)]
        fields: list[str] = []
        for home in reversed(self.names.family(made.made_by)):
            fields += [
                s.target.id for s in home.node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
            ]
        filled = {**dict(zip(fields, args, strict=False)), **words}
        state.attributes.update({(made.number, name): value for name, value in filled.items()})
        after = self.method(made, "__post_init__")
        if after is not None:
            return [s for s, _ in self.run(after, [], {}, state)]
        return [state]

    def run(self, callee: Callee, args: list[Value], words: dict[str, Value], state: State) -> Forks:
        """Run a function of the artifact with what it is given; what it verifies, its caller knows."""
        function = callee.function
        self.run_already.add(function)
        far = function in self._stack or len(self._stack) >= DEPTH_MAX
        if far or not self._matters(callee, args, words, state):
            self.use([*args, *words.values()], state)
            data = [d for v in (*args, *words.values()) for d in parts(v, state)]
            return [(state, derived(*data) if data else outside(f"{function.name}()"))]
        outer = state.env
        self.spend(CALL_STEPS, function.node.body if isinstance(function.node, ast.Lambda) else function.node)
        asked = (callee, tuple(args), tuple(sorted(words.items(), key=_first)), *state.same()[1:])
        if asked in self._answers:
            answers, thrown = self._answers[asked]
            self._failures[-1] += [(_again(s, outer), names) for s, names in thrown]
            return [(_again(s, outer), value) for s, value in answers]
        before, self.module = self.module, function.module
        self._stack.append(function)
        self._frames.append(Frame())
        self._failures.append([])
        state.env = dict(self._closures[callee.closure]) if callee.closure >= 0 else {}
        try:
            self._bind(callee, args, words, state)
            if isinstance(function.node, ast.Lambda):
                self._frames[-1].returns += self.eval(function.node.body, state)
            else:
                ends = self.block(function.node.body, [state])
                self._frames[-1].returns += [(s, NONE) for s in ends]
        finally:
            frame = self._frames.pop()
            failures = alike(self._failures.pop())
            self._stack.pop()
            self.module = before
        found = frame.returns
        if frame.yields:
            data = [d for v in frame.yields for d in parts(v, found[0][0] if found else state)]
            found = [(s, derived(*data) if data else OWN) for s, _ in found]
        for s, names in failures:
            s.env = dict(outer)
            self._failures[-1].append((s, names))
        kept: dict[object, list[tuple[State, Value]]] = {}
        for s, value in found:
            s.env = dict(outer)
            key = (frozenset(s.trust.items()), s.remarks, value if _tells(value) else None)
            kept.setdefault(key, []).append((s, value))
        each = max(1, RETURNS_MAX // max(1, len(kept)))
        found = [f for group in kept.values() for f in group[:each]]
        if len(self._answers) < ANSWERS_MAX:
            self._answers[asked] = ([(s.copy(), v) for s, v in found], [(s.copy(), names) for s, names in failures])
        return found

    def _matters(self, callee: Callee, args: list[Value], words: dict[str, Value], state: State) -> bool:
        """A function is gone through when it is given a message, or does something with XML or signatures itself."""
        if self.relevance.matters(callee.function):
            return True
        given = [*args, *words.values(), *([callee.owner] if callee.owner is not None else [])]
        return any(isinstance(v, Verdict) for v in given) or any(
            d.form in ("text", "tree", "unclear") for v in given for d in parts(v, state)
        )

    def _bind(self, callee: Callee, args: list[Value], words: dict[str, Value], state: State) -> None:
        function = callee.function
        arguments = function.node.args
        given = [callee.owner, *args] if callee.owner is not None and function.bound else list(args)
        parameters = function.parameters
        for parameter, value in zip(parameters, given, strict=False):
            state.env[parameter.arg] = value
        rest = given[len(parameters) :]
        if arguments.vararg:
            state.env[arguments.vararg.arg] = self.display([v for v in rest if v is not None])
        every = [*parameters, *arguments.kwonlyargs]
        names = {p.arg for p in every}
        state.env.update({k: v for k, v in words.items() if k in names})
        if arguments.kwarg:
            other = tuple((Const(k), v) for k, v in words.items() if k not in names)
            state.env[arguments.kwarg.arg] = Items(other) if other else outside(arguments.kwarg.arg)
        defaults = dict(zip([p.arg for p in parameters[::-1]], arguments.defaults[::-1], strict=False))
        defaults |= {p.arg: d for p, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d}
        for name in names - set(state.env):
            if name in defaults:
                found = self.eval(defaults[name], State())
                state.env[name] = found[0][1] if found else outside(name)
            else:
                state.env[name] = outside(name)

    # What is asked of it

    def may_fail(self, state: State) -> None:
        """A verification that fails takes the way of its exception."""
        self._failures[-1].append((state.copy(), frozenset()))

    def leave(self, state: State) -> None:
        """An exception that no verification raised."""
        self._failures[-1].append((state, frozenset(("HTTPException", "SystemExit"))))

    def read(self, node: ast.AST, data: Data, strings: Iterable[str], state: State) -> Data:
        """Note that something is read by names."""
        around = [f.name for f in self._stack] + [f.owner.node.name for f in self._stack if f.owner]
        asked = list(strings)
        node, module = self._asked_at(node, asked)
        return self.readings.read(Reading(node, module, tuple(around)), data, asked, state)

    def _asked_at(self, node: ast.AST, strings: list[str]) -> tuple[ast.AST, Module]:
        """Return where it is said what is read: a helper that reads whatever it is told to says nothing of its own."""
        if vocabulary.identity(strings)[0] and not _says(node):
            for call, module in reversed(self._calling[-_TOLD_MAX:]):
                if call is not node and _says(call):
                    return call, module
        return node, self.module

    def unread(self, node: ast.AST, data: Data, state: State) -> Data:
        """Note a reading out of a toolkit."""
        around = [f.name for f in self._stack]
        return self.readings.toolkit(Reading(node, self.module, tuple(around)), data, state)

    def hand_on(self, origins: frozenset[str]) -> None:
        """Note that messages are handed to somebody who verifies them."""
        self.readings.handed_on |= origins

    def use(self, values: list[Value], state: State) -> None:
        """Note that what was read is acted upon."""
        for value in values:
            for data in parts(value, state):
                self.readings.used |= data.reads
                if data.reads and not {state.trust.get(o) for o in data.origins} <= {"verified"}:
                    self.readings.doubted |= data.reads


def _first(item: tuple[str, Value]) -> str:
    return item[0]


def _again(state: State, env: dict[str, Value]) -> State:
    """Return what came out of an earlier call, for this caller."""
    copy = state.copy()
    copy.env = dict(env)
    return copy


def _tells(value: Value) -> bool:
    """Say whether a returned value decides what is believed: then no other may stand for it."""
    return not isinstance(value, Data) or value.form != "opaque"


def _says(node: ast.AST) -> bool:
    """Say whether an expression itself holds a word of identity."""
    held = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return bool(vocabulary.identity(held)[0]) or not isinstance(node, ast.Call)


def _is_stub(function: Function) -> bool:
    """Say whether a function only says what others of its name are given: a protocol's, an abstract one."""
    body = function.node.body
    if not isinstance(body, list):
        return False
    return all(
        isinstance(s, ast.Pass)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        or (isinstance(s, ast.Raise) and s.exc is not None and "Implemented" in ast.unparse(s.exc))
        for s in body
    )
