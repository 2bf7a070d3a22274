"""Whether a token's signature has been verified at a place: really, on every way there, and with a result that counts.

A verification counts where it has happened before, or where its result was found to be true. Whose result nobody looks
at, whose exception is swallowed, or which compares the token with itself does not count.
"""

from __future__ import annotations

import ast
import re

from squads.gates.python import Done, Fact, Function, Program, holds
from squads.gates.python.bindings import CHANGED
from squads.gates.tokens.codes import COMPARES, Codes
from squads.gates.tokens.libraries import Libraries
from squads.gates.tokens.parts import Part, part, parts_of, properties
from squads.gates.tokens.reading import switched_off
from squads.gates.tokens.roots import Roots, RootsOf

_VERIFIES = re.compile(r"verif|valid|check_?(sig|token|jwt|jws)|authenticat|introspect|checksign", re.IGNORECASE)
_TELLS = re.compile(r"^(jose\.|jwt\.|joserfc\.)|ecdsa\.?$")
_OLD = re.compile(r"(^|\.)(\w*Expired\w*)$")
"""What is raised for a token whose signature is right: libraries look at the signature first, and then at the time."""
_SAME = {True: (ast.Eq, ast.Is), False: (ast.NotEq, ast.IsNot)}
_FOLLOWED_MAX = 5


class Verification:
    """Answers for one program."""

    def __init__(self, program: Program, libraries: Libraries) -> None:
        self._program = program
        self._libraries = libraries
        self._codes = codes = Codes(program)
        self.roots = RootsOf(program, libraries).of
        self.computed, self.rewritten = codes.computed, codes.rewritten
        self.keyed, self.cut_short = codes.keyed, codes.cut_short
        self._asked: list[tuple[Function, str]] = []
        self._called: list[tuple[Function, ast.Call]] = []

    # Whether it was verified

    def before(self, node: ast.AST, token: Roots) -> bool:
        """Return whether `token` has been verified whenever `node` is reached in its function."""
        if not token:
            return False
        if holds(self._program.control.before(node), lambda e: self.counts(e, token)):
            return True
        return self._only_old(node, token)

    def within(self, call: ast.Call, token: Roots) -> bool:
        """Return whether `token` has been verified by what a method is called on: `opened(token).checked().data()`."""
        receiver = self._program.calls.receiver(call)
        if receiver is None or not token:
            return False
        return holds(self._program.control.evaluated(receiver), lambda e: self.counts(e, token))

    def _only_old(self, node: ast.AST, token: Roots) -> bool:
        """Return whether `node` is where a token comes that was verified, and found to be too old."""
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(parent, ast.ExceptHandler) and parent.type is not None:
                kinds = parent.type.elts if isinstance(parent.type, ast.Tuple) else [parent.type]
                tried = self._program.files.parent(parent)
                if all(_OLD.search(ast.unparse(k)) for k in kinds) and isinstance(tried, ast.Try):
                    calls = [c for s in tried.body for c in ast.walk(s) if isinstance(c, ast.Call)]
                    return any(self.raises(c, token) for c in calls)
            parent = self._program.files.parent(parent)
        return False

    def later(self, node: ast.AST, token: Roots) -> bool:
        """Return whether the function around `node` verifies `token` somewhere after it."""
        function = self._program.function_of(node)
        line = getattr(node, "lineno", 0)
        for call in self._program.files.module_of(node).calls:
            if self._program.function_of(call) is function and (call.end_lineno or call.lineno) >= line:
                parent = self._program.files.parent(call)
                if self.verifies(call, token) and (self.raises(call, token) or not isinstance(parent, ast.Expr)):
                    return True
        return False

    def gives(self, function: Function, token: Roots) -> bool:
        """Return whether a function gives anything but nothing only once its own token is verified."""
        given = [a for r in self._leaving(function) for a in _arms(r.value) if not self._never_true(a)]
        return bool(given) and all(self.before(a, token) for a in given)

    def verified_with(self, node: ast.expr, token: Roots) -> bool:
        """Return whether a library verifies `token` with what `node` gives, or after it, in the same function."""
        function = self._program.function_of(node)
        for call in self._program.files.module_of(node).calls:
            if self._program.function_of(call) is function and (call.end_lineno or call.lineno) >= node.lineno:
                reading = self._libraries.reading(call)
                if reading is not None and reading.style == "checks" and self._meets(reading.token, token):
                    return True
        return False

    def counts(self, event: Done | Fact, token: Roots) -> bool:
        """Return whether an event means that `token` has been verified."""
        if isinstance(event, Done):
            return isinstance(event.node, ast.Call) and self.raises(event.node, token)
        return self.tells(event.node, event.truth, token)

    def tells(self, node: ast.expr, truth: bool, token: Roots) -> bool:
        """Return whether `node` being `truth` means that the signature is right."""
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Call) and truth:
            return self.verifies(node, token)
        if isinstance(node, ast.Name | ast.Subscript) and truth and self._told_apart(node, token):
            return True
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and truth and self._part_tells(node, token):
            return True
        if isinstance(node, ast.Name) and truth and self._bound_tells(node, token):
            return True
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], _SAME[truth]):
            sides = [node.left, *node.comparators]
            return self._compared(sides, token) or self._answered(sides, token)
        return False

    def _bound_tells(self, node: ast.Name, token: Roots) -> bool:
        """Return whether a name is only true where the signature is right, also where one of several makes it true."""
        waiting, seen = [*self._program.values.bindings(node)], 0
        while waiting and seen < _FOLLOWED_MAX:
            binding, seen = waiting.pop(), seen + 1
            if isinstance(binding.value, ast.Constant) and not binding.value.value and not binding.path:
                continue
            added = binding.path == (CHANGED,) and isinstance(self._program.files.parent(binding.node), ast.AugAssign)
            if binding.value is None or (binding.path and not added) or isinstance(binding.value, ast.Name):
                return False
            if not self.tells(binding.value, True, token):
                return False
            waiting += binding.earlier if added else ()
        return seen > 0 and not waiting

    def _answered(self, sides: list[ast.expr], token: Roots) -> bool:
        """Return whether a function gives this one of its answers only where the signature is right."""
        for side, other in (sides, sides[::-1]):
            bound = self._program.values.bindings(side) if isinstance(side, ast.Name) else []
            made = bound[0].value if len(bound) == 1 and not bound[0].path else side
            call = made.value if isinstance(made, ast.Await) else made
            if isinstance(call, ast.Call) and isinstance(other, ast.Constant | ast.Attribute):
                functions = self._program.names.functions(call)
                if functions and self._given(call, token):
                    return all(self._of(f, call, token, "tells", answer=ast.unparse(other)) for f in functions)
        return False

    def _told_apart(self, node: ast.Name | ast.Subscript, token: Roots) -> bool:
        """Return whether `node` is the first of what `loads_unsafe()` returns: whether the signature is right."""
        if isinstance(node, ast.Subscript):
            first = isinstance(node.slice, ast.Constant) and node.slice.value == 0
            made = self._program.values.origins(node.value) if first else []
        else:
            made = [b.value for b in self._program.values.bindings(node) if b.path == (0,) and b.value is not None]
        calls = [m for m in made if isinstance(m, ast.Call)]
        return any(
            self._program.calls.method(c).endswith("loads_unsafe") and self._given(c, token) for c in calls
        ) and len(calls) == len(made)

    def _part_tells(self, node: ast.expr, token: Roots) -> bool:
        """Return whether a property, or a part of an answer, is true only where the signature is right."""
        if isinstance(node, ast.Attribute):
            own, inner = properties(self._program, node), self._of_object(token)
            mark = (own[0], "tells") if own else None
            if mark is not None and inner and mark not in self._asked and len(self._asked) < _FOLLOWED_MAX:
                self._asked.append(mark)
                try:
                    return all(self._when_true(f, inner) for f in own)
                finally:
                    self._asked.pop()
        found = parts_of(self._program, node)
        return bool(found) and all(
            self._given(call, token) and self._of(function, call, token, "tells", part)
            for call, function, part in found
        )

    def raises(self, call: ast.Call, token: Roots) -> bool:
        """Return whether `call` raises where the signature is wrong."""
        reading = self._libraries.reading(call)
        if reading is not None:
            checks = reading.style == "checks" or any(
                reading.switch is not None
                and f is self._program.function_of(call)
                and not switched_off(self._program, reading, c)
                for f, c in self._called[-1:]
            )
            return checks and self._meets(reading.token, token)
        if not self._given(call, token):
            return False
        functions = self._program.names.functions(call)
        if functions:
            if self._never_runs(call, functions):
                return False
            return all(self._function_raises(f, call, token) for f in functions)
        names = self._program.names.names(call.func)
        method = self._program.calls.method(call)
        if COMPARES.search(method) or any(_TELLS.search(n) for n in names) or not _VERIFIES.search(method):
            return False
        # Of an unknown `verify` only this is known: who calls it as a statement counts on it to raise.
        parent = self._program.files.parent(call)
        if isinstance(parent, ast.Await):
            parent = self._program.files.parent(parent)
        return isinstance(parent, ast.Expr)

    def verifies(self, call: ast.Call, token: Roots) -> bool:
        """Return whether `call` returns something true, or raises, according to the signature of `token`."""
        if self.raises(call, token):
            return True
        if not self._given(call, token) or self._libraries.reading(call) is not None:
            return False
        method = self._program.calls.method(call)
        if COMPARES.search(method):
            return self._compared(self._program.calls.arguments(call).every, token)
        if method == "all" and (paired := _paired(call)):
            return self._compared(paired, token)
        each = call.args[0] if method in ("any", "all") and call.args else None
        if isinstance(each, ast.GeneratorExp | ast.ListComp):
            return any(self.tells(f.node, f.truth, token) for f in self._program.control.facts(Fact(each.elt, True)))
        functions = self._program.names.functions(call)
        if functions:
            return all(self._function_tells(f, call, token) for f in functions)
        return bool(_VERIFIES.search(method))

    def _never_runs(self, call: ast.Call, functions: list[Function]) -> bool:
        """Return whether `call` only makes a coroutine, which nobody awaits."""
        made = any(isinstance(f.node, ast.AsyncFunctionDef) for f in functions)
        return made and isinstance(self._program.files.parent(call), ast.Expr)

    def _given(self, call: ast.Call, token: Roots) -> bool:
        subject = self._program.calls.subject(call)
        given = [*self._program.calls.arguments(call).every, *([subject] if subject is not None else [])]
        own = isinstance(subject, ast.Name) and any(r.startswith(f"{subject.id}.") for r in token)
        return own or any(self._meets(a, token) for a in given)

    def _meets(self, node: ast.expr, token: Roots) -> bool:
        return not token.isdisjoint(self.roots(node))

    def _compared(self, sides: list[ast.expr], token: Roots) -> bool:
        """Return whether a comparison is between what the token says and what was computed with a key."""
        if not any(self._meets(s, token) for s in sides):
            return False
        if len(sides) == 2 and (inner := self._codes.sealed_again(sides)):
            return self._compared(inner, token)
        if self.cut_short(sides):
            return False
        return any(self.computed(s) for s in sides) and not all(self.computed(s) for s in sides)

    # Functions of the artifact

    def _function_raises(self, function: Function, call: ast.Call, token: Roots) -> bool:
        return self._of(function, call, token, "raises")

    def _function_tells(self, function: Function, call: ast.Call, token: Roots) -> bool:
        return self._of(function, call, token, "tells")

    def _of(
        self,
        function: Function,
        call: ast.Call,
        token: Roots,
        how: str,
        which: Part | None = None,
        answer: str = "",
    ) -> bool:
        mark = (function, how)
        if mark in self._asked or len(self._asked) >= _FOLLOWED_MAX or isinstance(function.node, ast.Lambda):
            return False
        bound = self._program.calls.bind(call, function)
        inner = frozenset(p.arg for p, values in bound.items() if any(self._meets(v, token) for v in values))
        if function.bound and not inner:
            receiver = self._program.calls.receiver(call)
            whole = receiver is not None and self._meets(receiver, token)
            inner = self._of_object(token) or (self._read_of_self(function) if whole else inner)
        self._asked.append(mark)
        self._called.append((function, call))
        try:
            if how == "raises":
                return bool(inner) and self._always(function, inner)
            if answer:
                return bool(inner) and self._when_equal(function, inner, answer)
            return bool(inner) and self._when_true(function, inner, which)
        finally:
            self._asked.pop()
            self._called.pop()

    @staticmethod
    def _of_object(token: Roots) -> Roots:
        """Return what of a token is kept in the object whose method asks."""
        return frozenset(r for r in token if r.startswith("self."))

    @staticmethod
    def _read_of_self(function: Function) -> Roots:
        """Return what a method reads of its object, where the object is made of the token."""
        own = function.parameters[0].arg if function.parameters else ""
        nodes = (n for n in ast.walk(function.node) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
        return frozenset(f"{own}.{n.attr}" for n in nodes if isinstance(n.value, ast.Name) and n.value.id == own)

    def _always(self, function: Function, token: Roots) -> bool:
        """Return whether a function only returns once the token is verified."""
        control = self._program.control
        if not all(self._on_return(r, token, plain=True) for r in self._leaving(function)):
            return False
        body = function.node.body
        assert isinstance(body, list)
        return control.exits(body) or holds(control.completed(function), lambda e: self.counts(e, token))

    def _when_true(self, function: Function, token: Roots, which: Part | None = None) -> bool:
        """Return whether a function returns something true, or so a part of it, only once the token is verified."""
        found: list[tuple[ast.Return, ast.expr | None]] = [(r, r.value) for r in self._leaving(function)]
        if which is not None:
            found = [(r, part(self._program, v, which) if v is not None else None) for r, v in found]
            if any(v is None for _, v in found):
                return False
        returns = [(r, v) for r, v in found if not self._never_true(v)]
        return bool(returns) and all(self._on_return(r, token, plain=False, value=v) for r, v in returns)

    def _when_equal(self, function: Function, token: Roots, answer: str) -> bool:
        """Return whether a function gives an answer only once the token is verified."""
        meant = 0
        for returned in self._leaving(function):
            ways: list[ast.AST] = [returned.value] if returned.value is not None else []
            while ways:
                one = ways.pop()
                if isinstance(one, ast.IfExp):
                    ways += [one.body, one.orelse]
                elif not isinstance(one, ast.Constant | ast.Attribute):
                    return False
                elif ast.unparse(one) == answer:
                    meant += 1
                    if not self.before(one, token):
                        return False
        return meant > 0

    def _on_return(self, node: ast.Return, token: Roots, *, plain: bool, value: ast.expr | None = None) -> bool:
        if self.before(node, token):
            return True
        if node.value is None:
            return False
        value = value if value is not None else node.value
        if not plain and isinstance(value, ast.IfExp):
            return all(self.before(a, token) for a in _arms(value) if not self._never_true(a))
        values = [value.value if isinstance(value, ast.Await) else value]
        events = self._program.control.evaluated(node.value)
        if holds(events, lambda e: self.counts(e, token)):
            return True
        if plain:
            return False
        return any(
            self.tells(f.node, f.truth, token) for v in values for f in self._program.control.facts(Fact(v, True))
        )

    def _leaving(self, function: Function) -> list[ast.Return]:
        found: list[ast.Return] = []
        for value in function.returns:
            parent = self._program.files.parent(value)
            if isinstance(parent, ast.Return):
                found.append(parent)
        bare = [n for n in ast.walk(function.node) if isinstance(n, ast.Return) and n.value is None]
        return [*found, *(n for n in bare if self._program.function_of(n) is function)]

    def _never_true(self, value: ast.expr | None) -> bool:
        if value is None:
            return True
        return all(v in (False, None, 0, "") for v in self._program.values.constants(value))


def _arms(value: ast.expr | None) -> list[ast.expr]:
    """Return what a value may be: both sides of `one if test else other`."""
    if isinstance(value, ast.IfExp):
        return [*_arms(value.body), *_arms(value.orelse)]
    return [value] if value is not None else []


def _paired(call: ast.Call) -> list[ast.expr]:
    """Return what `all(a == b for a, b in zip(one, other))` compares; whether both are as long is another question."""
    told = call.args[0] if call.args else None
    if not isinstance(told, ast.GeneratorExp | ast.ListComp) or not isinstance(told.elt, ast.Compare):
        return []
    gone = told.generators[0].iter
    if not isinstance(gone, ast.Call) or not isinstance(gone.func, ast.Name) or gone.func.id != "zip":
        return []
    return gone.args[:2] if isinstance(told.elt.ops[0], ast.Eq) else []
