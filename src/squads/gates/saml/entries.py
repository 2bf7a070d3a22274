"""Where ways begin: a file's own body, and each function that nobody of the artifact calls.

Of what such a function is given nothing is known but names, types and defaults.
"""

from __future__ import annotations

import ast

from squads.gates.python.module import Function, Module
from squads.gates.saml.conditions import Forks
from squads.gates.saml.paths import Paths
from squads.gates.saml.values import (
    OWN,
    Callee,
    Object,
    Setting,
    State,
    Type,
    Value,
    distinct,
    outside,
)

_MADE_MAX = 2
"""How deep functions are followed that make functions: a decorator with arguments makes two."""


class Entries(Paths):
    """Begins ways."""

    def enter_module(self, module: Module) -> None:
        """Go through the statements of a file's own body."""
        self.begin(module)
        self.block(module.tree.body, [State()])

    def enter(self, function: Function) -> None:
        """Go through a function that nobody of the artifact calls."""
        self.begin(function.module)
        state = State()
        owner: Value | None = None
        states = [state]
        if function.owner is not None and function.bound:
            made = {self._last_word(d) for d in getattr(function.node, "decorator_list", ())}
            if "classmethod" in made or function.name in ("__new__", "__init_subclass__"):
                owner = Type(function.owner)
            else:
                self._objects += 1
                owner = Object(function.owner, self._objects)
                if function.name != "__init__":
                    states = self._prepared(owner, function)
        for s in states:
            args, words = self.unknowns(function, s)
            for s2, value in self._decorated(function, owner, args, words, s):
                self.use([value], s2)
                self._entered(value, s2)
                if isinstance(owner, Object):
                    self.use([v for (n, _), v in s2.attributes.items() if n == owner.number], s2)

    def _entered(self, value: Value, state: State, depth: int = 0) -> None:
        """Go through a function that is made and given back, as a decorator's is: whoever gets it calls it."""
        if not isinstance(value, Callee) or value.closure < 0 or depth > _MADE_MAX:
            return
        args, words = self.unknowns(value.function, state)
        for s, inner in self.run(value, args, words, state.copy()):
            self.use([inner], s)
            self._entered(inner, s, depth + 1)

    def _prepared(self, owner: Object, function: Function) -> list[State]:
        """Return how an object may be when one of its methods is called from outside: made, and perhaps filled."""
        start = self._made(owner, None, [], {}, State())
        found = list(start)
        for home in self.names.family(owner.made_by):
            for other in home.methods.values():
                if other is function or other.name in ("__init__", function.name) or not _fills(other):
                    continue
                if not self.relevance.matters(other):
                    continue
                if any("property" in self._last_word(d) for d in getattr(other.node, "decorator_list", ())):
                    continue
                for s in start:
                    args, words = self.unknowns(other, s)
                    found += [s2 for s2, _ in self.run(Callee(other, owner), args, words, s.copy())]
        return distinct(found)

    def unknowns(self, function: Function, state: State) -> tuple[list[Value], dict[str, Value]]:
        """Return arguments of which nothing is known but their names, types and defaults."""
        arguments = function.node.args
        positional = function.parameters[1 if function.owner is not None and function.bound else 0 :]
        missing = len(positional) - len(arguments.defaults)
        defaults = [None] * max(0, missing) + list(arguments.defaults[max(0, -missing) :])
        before, self.module = self.module, function.module
        args = [self._argument(a, d, state) for a, d in zip(positional, defaults, strict=False)]
        words = {
            a.arg: self._argument(a, d, state) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        }
        self.module = before
        return args, words

    def _argument(self, argument: ast.arg, default: ast.expr | None, state: State) -> Value:
        if isinstance(default, ast.Constant) and isinstance(default.value, bool):
            return Setting(default.value)
        asked = [default, *(ast.walk(argument.annotation) if argument.annotation is not None else ())]
        for call in (c for c in asked if isinstance(c, ast.Call) and self._last_word(c) in ("Depends", "Security")):
            for thing in self.names.things(call.args[0]) if call.args else ():
                if isinstance(thing, Function):
                    args, words = self.unknowns(thing, state)
                    found = self.run(Callee(thing), args, words, state.copy())
                    if found:
                        state.trust, state.attributes = found[0][0].trust, found[0][0].attributes
                        return found[0][1]
        for thing in self.names.instances(argument.annotation):
            if hasattr(thing, "made_by"):
                self._objects += 1
                made = Object(thing.made_by, self._objects)
                after = self._made(made, None, [], {}, state.copy())
                if after:
                    state.attributes.update(after[0].attributes)
                    return made
        return outside(argument.arg)

    def _decorated(
        self, function: Function, owner: Value | None, args: list[Value], words: dict[str, Value], state: State
    ) -> Forks:
        """Run a function as its decorators of this artifact leave it."""
        callee: Value = Callee(function, owner)
        self.run_already.add(function)
        for decorator in reversed(getattr(function.node, "decorator_list", ())):
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            mine = [t for t in self.names.things(target) if isinstance(t, Function)]
            if mine and isinstance(callee, Callee):
                made: Value = Callee(mine[0])
                if isinstance(decorator, ast.Call):
                    found = self.eval(decorator, State())
                    made = found[0][1] if found else OWN
                if isinstance(made, Callee):
                    if callee.owner is not None:
                        args, callee = [callee.owner, *args], Callee(function)
                    wrapped = self.run(made, [callee], {}, State())
                    if wrapped and isinstance(wrapped[0][1], Callee):
                        callee = wrapped[0][1]
        assert isinstance(callee, Callee)
        return self.run(callee, args, words, state)


def _fills(function: Function) -> bool:
    """Say whether a method gives its object attributes."""
    return any(
        isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name)
        for n in ast.walk(function.node)
    )
