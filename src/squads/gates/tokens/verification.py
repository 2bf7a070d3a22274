"""Whether a token's signature has been verified at a place: really, on every way there, and with a result that counts.

A verification counts where it has happened before, or where its result was found to be true. Whose result nobody looks
at, whose exception is swallowed, or which compares the token with itself does not count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain, islice

from squads.gates.python import Done, Fact, Function, Program, Step, holds
from squads.gates.tokens.lengths import cut_short
from squads.gates.tokens.libraries import Libraries
from squads.gates.tokens.reading import switched_off

Roots = frozenset[str]

COMPARES = re.compile(r"(^|\.)(compare_digest|constant_time_compare|bytes_eq|safe_str_cmp)$")
_VERIFIES = re.compile(r"verif|valid|check_?(sig|token|jwt|jws)|authenticat|introspect|checksign", re.IGNORECASE)
_MACS = re.compile(
    r"(^|\.)(hmac|cmac)\b|HMAC|CMAC|(^|[._])sign(ature)?(_|$)|compute_hash|(^|[._])(hex)?digest$", re.IGNORECASE
)
_TELLS = re.compile(r"^(jose\.|jwt\.|joserfc\.)|ecdsa\.?$")
_REWRITES = re.compile(
    r"encode|decode|hex|b64|base64|digest|strip|replace|lower|upper|just$|zfill|join|bytes|^str$|^int$|format|quote|pad|"
    r"b32|b85|a2b|b2a|tuple|list|copy|translate|finalize|to_thread|wait_for|memoryview|text|unicode|remove(pre|suf)fix|"
    r"^update$|^partial$|^get$|^next$|^map$|^set$",
    re.IGNORECASE,
)
_WRITES = re.compile(r"[\])]\.(?!(hex)?digest$|finalize$|\w*sign|\w*mac)\w+$", re.IGNORECASE)
_OLD = re.compile(r"(^|\.)(\w*Expired\w*)$")
"""What is raised for a token whose signature is right: libraries look at the signature first, and then at the time."""
_SAME = {True: ast.Eq, False: ast.NotEq}
_FOLLOWED_MAX = 5
_STEPS_MAX = 300
"""How far back the pieces of a code that is cut are followed."""


class Verification:
    """Answers for one program."""

    def __init__(self, program: Program, libraries: Libraries) -> None:
        self._program = program
        self._libraries = libraries
        self._roots: dict[ast.AST, Roots] = {}
        self._asked: list[tuple[Function, str]] = []
        self._called: list[tuple[Function, ast.Call]] = []
        self._readers: dict[Function, bool] = {}

    # Which token

    def roots(self, node: ast.AST) -> Roots:
        """Return what in its own function an expression is made of: parameters, and accesses such as `self.token`."""
        known = self._roots.get(node)
        if known is None:
            found: set[str] = set()
            self._collect(node, found, set())
            known = self._roots[node] = frozenset(found)
        return known

    def _collect(self, node: ast.AST, found: set[str], seen: set[object]) -> None:
        waiting: list[ast.AST] = [node]
        while waiting and len(seen) < 400:
            part = waiting.pop()
            if part in seen:
                continue
            seen.add(part)
            if isinstance(part, ast.Name):
                bindings = self._program.values.bindings(part)
                local = [b for b in bindings if b.value is not None and self._program.function_of(b.node) is not None]
                waiting += [b.value for b in local if b.value is not None]
                waiting += [e.value for b in local for e in b.earlier if e.value is not None]
                waiting += [s.value for b in local for s in b.stores]
                if not local and (bindings or part.id not in ("str", "bytes", "len", "max")):
                    found.add(part.id)
            elif isinstance(part, ast.Attribute | ast.Subscript) and self._access(part):
                found.add(self._access(part))
            elif isinstance(part, ast.Call) and self._reads(part):
                continue  # whoever looks at the claims has not looked at the signature
            elif isinstance(part, ast.Call):
                waiting += [*part.args, *(k.value for k in part.keywords)]
                receiver = self._program.calls.receiver(part)
                if receiver is not None:
                    key = part.args[0] if part.args and self._program.calls.method(part) == "get" else None
                    base = self._access(receiver)
                    if isinstance(key, ast.Constant) and base:
                        found.add(f"{base}[{key.value!r}]")
                    elif self._program.calls.subject(part) is not None:
                        waiting.append(receiver)
            else:
                waiting.extend(c for c in ast.iter_child_nodes(part) if not isinstance(c, ast.expr_context))

    def _access(self, node: ast.expr) -> str:
        """Return `request.headers['Authorization']` for such a chain; empty where it starts at something made here."""
        words: list[str] = []
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Attribute):
                words.append(f".{node.attr}")
            elif isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                words.append(f"[{node.slice.value!r}]")
            else:
                return ""
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        bindings = self._program.values.bindings(node)
        if any(b.value is not None and self._program.function_of(b.node) is not None for b in bindings):
            return ""
        return node.id + "".join(reversed(words))

    def _reads(self, call: ast.Call) -> bool:
        """Return whether `call` gives what was read from a token without verifying it."""
        reading = self._libraries.reading(call)
        if reading is not None:
            return reading.style != "checks"
        return any(self._function_reads(f) for f in self._program.names.functions(call))

    def _function_reads(self, function: Function) -> bool:
        if function not in self._readers:
            self._readers[function] = False
            self._readers[function] = any(
                self._reads(c) for c in function.module.calls if self._program.function_of(c) is function
            )
        return self._readers[function]

    # Whether it was verified

    def before(self, node: ast.AST, token: Roots) -> bool:
        """Return whether `token` has been verified whenever `node` is reached in its function."""
        if not token:
            return False
        if holds(self._program.control.before(node), lambda e: self.counts(e, token)):
            return True
        return self._only_old(node, token)

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
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], _SAME[truth]):
            return self._compared([node.left, *node.comparators], token)
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

    def raises(self, call: ast.Call, token: Roots) -> bool:
        """Return whether `call` raises where the signature is wrong."""
        reading = self._libraries.reading(call)
        if reading is not None:
            checks = reading.style == "checks" or any(
                f is self._program.function_of(call) and not switched_off(self._program, reading, c)
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
        if len(sides) == 2 and (inner := self._sealed_again(sides)):
            return self._compared(inner, token)
        if self.cut_short(sides):
            return False
        return any(self.computed(s) for s in sides) and not all(self.computed(s) for s in sides)

    def cut_short(self, sides: list[ast.expr]) -> str:
        """Return why a comparison proves nothing: one of its sides is cut to a length that somebody else chooses."""
        return cut_short(self._program, sides, lambda s: self.computed(s, steps_max=_STEPS_MAX), self.keyed)

    def _sealed_again(self, sides: list[ast.expr]) -> list[ast.expr]:
        """Return what differs between `seal(a)` and `seal(b)`: they are the same where a and b are."""
        first, second = sides
        while isinstance(first, ast.Call) and isinstance(second, ast.Call):
            one, other = self._program.calls.receiver(first), self._program.calls.receiver(second)
            if isinstance(one, ast.Call) and isinstance(other, ast.Call) and not first.args:
                first, second = one, other
                continue
            apart = [(a, b) for a, b in zip(first.args, second.args, strict=False) if ast.dump(a) != ast.dump(b)]
            same = ast.dump(first.func) == ast.dump(second.func) and len(first.args) == len(second.args)
            return list(apart[0]) if same and len(apart) == 1 and self.computed(first) else []
        return []

    def computed(self, side: ast.expr, *, steps_max: int = 1000) -> bool:
        """Return whether a message authentication code was computed for this side."""
        steps = chain((side,), (s.node for s in self.rewritten(side)))
        return any(isinstance(node, ast.Call) and self.keyed(node) for node in islice(steps, steps_max))

    def rewritten(self, side: ast.expr) -> Iterator[Step]:
        """Yield what a text is written from, through calls that only write it in another way."""
        return self._program.flow.trace(side, lambda c, _s: self._rewrites(c))

    def _rewrites(self, call: ast.Call) -> bool:
        """Return whether a call only writes what it is given in another way."""
        return bool(_REWRITES.search(self._program.calls.method(call)))

    def keyed(self, call: ast.Call) -> bool:
        """Return whether `call` computes a code with a key; a hash needs none, so anybody can make it."""
        if self._program.names.functions(call):
            return False  # it is what it returns, whatever it is called
        names = self._program.names.names(call.func) or {self._program.calls.method(call)}
        # What is done with a code that is there already computes none: `hmac.new(...).hexdigest().encode()`.
        names = frozenset(n for n in names if not _WRITES.search(n))
        named = any(_MACS.search(n) for n in names) and not any(COMPARES.search(n) for n in names)
        if any(n.startswith("hashlib.blake2") for n in names) and "key" in self._program.calls.arguments(call).keywords:
            return True
        return named and not all(n.startswith("hashlib.") for n in names)

    # Functions of the artifact

    def _function_raises(self, function: Function, call: ast.Call, token: Roots) -> bool:
        return self._of(function, call, token, "raises")

    def _function_tells(self, function: Function, call: ast.Call, token: Roots) -> bool:
        return self._of(function, call, token, "tells")

    def _of(self, function: Function, call: ast.Call, token: Roots, how: str) -> bool:
        mark = (function, how)
        if mark in self._asked or len(self._asked) >= _FOLLOWED_MAX or isinstance(function.node, ast.Lambda):
            return False
        bound = self._program.calls.bind(call, function)
        inner = frozenset(p.arg for p, values in bound.items() if any(self._meets(v, token) for v in values))
        if function.bound and not inner:
            inner = frozenset(r for r in token if r.startswith("self."))
        self._asked.append(mark)
        self._called.append((function, call))
        try:
            if how == "raises":
                return bool(inner) and self._always(function, inner)
            return bool(inner) and self._when_true(function, inner)
        finally:
            self._asked.pop()
            self._called.pop()

    def _always(self, function: Function, token: Roots) -> bool:
        """Return whether a function only returns once the token is verified."""
        control = self._program.control
        if not all(self._on_return(r, token, plain=True) for r in self._leaving(function)):
            return False
        body = function.node.body
        assert isinstance(body, list)
        return control.exits(body) or holds(control.completed(function), lambda e: self.counts(e, token))

    def _when_true(self, function: Function, token: Roots) -> bool:
        """Return whether a function returns something true only once the token is verified."""
        returns = [r for r in self._leaving(function) if not self._never_true(r.value)]
        return bool(returns) and all(self._on_return(r, token, plain=False) for r in returns)

    def _on_return(self, node: ast.Return, token: Roots, *, plain: bool) -> bool:
        if self.before(node, token):
            return True
        if node.value is None:
            return False
        values = [node.value.value if isinstance(node.value, ast.Await) else node.value]
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


def _paired(call: ast.Call) -> list[ast.expr]:
    """Return what `all(a == b for a, b in zip(one, other))` compares; whether both are as long is another question."""
    told = call.args[0] if call.args else None
    if not isinstance(told, ast.GeneratorExp | ast.ListComp) or not isinstance(told.elt, ast.Compare):
        return []
    gone = told.generators[0].iter
    if not isinstance(gone, ast.Call) or not isinstance(gone.func, ast.Name) or gone.func.id != "zip":
        return []
    return gone.args[:2] if isinstance(told.elt.ops[0], ast.Eq) else []
