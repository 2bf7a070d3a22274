"""What stands in front of a function and has verified the request's token: a decorator, a dependency, a permission.

A guard of the artifact is looked through and must verify itself; one of a framework is believed by its name, as its
code is not here. Only the token that guards see counts, the one that the request carries as its credentials.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.python import Class, Done, Fact, Function, Instance, Program, holds
from squads.gates.tokens.libraries import Libraries
from squads.gates.tokens.reading import Reading
from squads.gates.tokens.roots import Roots
from squads.gates.tokens.verification import Verification

_DEPTH_MAX = 4
"""How far guards are followed into each other, and callers back to the function that is guarded."""
_GUARDS = re.compile(
    r"(jwt|token|oauth2?|oidc|bearer|scopes?|claims?)(_\w+)?_required$|require[sd]?_?(auth(entication)?|oauth|jwt|token|"
    r"scopes?|bearer)|(verif|validat|check|introspect)\w*_?(jwt|token|auth|bearer|id_?token|access|scope)|"
    r"(jwt|token|bearer|auth|oauth2?|oidc)\w*_?(verif|validat|protect)\w*|accept_token$|(^|\.)verify$|"
    r"(^|[._])(oauth|oidc|jwt)\w*\.(protect|require|required|authenticated)$",
    re.IGNORECASE,
)
_INJECTED = re.compile(r"current_(\w+_)?(user|principal|identity|claims|account)$|principal$", re.IGNORECASE)
"""Dependencies that give the one who is signed in: they cannot do so without verifying."""
_SCHEMES = re.compile(r"jwt|token|bearer|oidc|oauth", re.IGNORECASE)
"""Ways to sign in that go by a token: `auth=JWTAuth()`, `authentication_classes = [JWTAuthentication]`."""
_OPEN = re.compile(r"AllowAny|ReadOnly|optional|_(loader|callback)$|\)\.verify_\w+$", re.IGNORECASE)
"""Lets everybody pass, or only takes note of a function that is to verify: `@auth.verify_token` of Flask-HTTPAuth."""
_REGISTERED = re.compile(r"_*(verif|validat|authenticat|load_user|check_(auth|token|jwt))", re.IGNORECASE)
"""What a function is called that is itself the verifier: a decorator registers it, and verifies nothing before it."""
_CREDENTIALS = re.compile(r"authorization|\bauth\b|bearer|cookie|credentials|access_token", re.IGNORECASE)
_INJECTS = frozenset(("Depends", "Security"))


class Guards:
    """Answers for one program."""

    def __init__(self, program: Program, libraries: Libraries, verification: Verification) -> None:
        self._program = program
        self._libraries = libraries
        self._verification = verification
        self._verifying: dict[Function, bool] = {}

    def guard(self, reading: Reading) -> str:
        """Return the guard that has verified the token of `reading` before it is read; empty without one."""
        function = self._program.function_of(reading.node)
        if function is None or not self._credentials(reading.token):
            return ""
        return self._before(function, 0)

    def _credentials(self, token: ast.expr) -> bool:
        """Return whether a token is the one that the request carries as its credentials, as guards verify no other."""
        steps = [token, *(s.node for s in self._program.flow.trace(token, lambda _c, _s: True))]
        said = [s.value for s in steps if isinstance(s, ast.Constant) and isinstance(s.value, str)]
        said += [s.attr for s in steps if isinstance(s, ast.Attribute)]
        said += [ast.unparse(s)[:200] for s in steps if isinstance(s, ast.Subscript | ast.Call)]
        return any(_CREDENTIALS.search(text) for text in said)

    # Where guards stand

    def _before(self, function: Function, depth: int) -> str:
        """Return what guards a function, or everybody who calls it."""
        if depth > _DEPTH_MAX:
            return ""
        for node in self._in_front(function):
            if self._guards(node, depth):
                return " ".join(ast.unparse(node).split())[:80]
        permission = self._permission(function)
        if permission:
            return permission
        callers = self._program.calls.callers(function)
        around = [self._program.function_of(c) for c in callers]
        found = [self._before(a, depth + 1) if a is not None and a is not function else "" for a in around]
        return found[0] if found and all(found) else ""

    def _in_front(self, function: Function) -> Iterator[ast.expr]:
        """Yield decorators, and what is injected by parameters, decorators and routers."""
        node = function.node
        if isinstance(node, ast.Lambda):
            return
        arguments = node.args
        given = [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for part in [*given, *(a.annotation for a in every if a.annotation is not None)]:
            yield from self._injected(part)
        for decorator in [*node.decorator_list, *(function.owner.node.decorator_list if function.owner else ())]:
            if not _REGISTERED.match(function.name):
                yield decorator
            if isinstance(decorator, ast.Call):
                yield from self._offered(decorator)
                router = self._program.calls.receiver(decorator)
                for made in self._program.values.origins(router) if router is not None else ():
                    if isinstance(made, ast.Call):
                        yield from self._offered(made)

    def _offered(self, call: ast.Call) -> Iterator[ast.expr]:
        """Yield the guards that a route or router is made with."""
        keywords = self._program.calls.arguments(call).keywords
        if "dependencies" in keywords:
            yield from self._injected(keywords["dependencies"])
        if "auth" in keywords:
            yield keywords["auth"]

    def _injected(self, node: ast.expr) -> Iterator[ast.expr]:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and self._program.calls.method(part) in _INJECTS and part.args:
                yield part.args[0]

    # What a guard is worth

    def _guards(self, node: ast.expr, depth: int) -> bool:
        """Return whether a guard verifies: by its code where it is here, else by its name."""
        target = node.func if isinstance(node, ast.Call) else node
        if isinstance(node, ast.Call) and any(
            _OPEN.search(k.arg or "") and not (isinstance(k.value, ast.Constant) and not k.value.value)
            for k in node.keywords
        ):
            return False
        things = self._program.names.things(target)
        functions = [t for t in things if isinstance(t, Function)]
        owners = [t if isinstance(t, Class) else t.made_by for t in things if isinstance(t, Class | Instance)]
        functions += [o.methods["__call__"] for o in owners if "__call__" in o.methods]
        if functions:
            return all(
                self._wraps(f) or self._verifies(f, depth) or bool(self._before(f, depth + 1)) for f in functions
            )
        if owners:
            return False
        names = self._program.names.names(target) or {ast.unparse(target)}
        place = self._program.files.parent(node)
        if isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef):
            known = [_GUARDS]
        else:
            known = [_GUARDS, _SCHEMES if isinstance(place, ast.keyword) else _INJECTED]
        return any(k.search(n) and not _OPEN.search(n) for n in names for k in known)

    def _permission(self, function: Function) -> str:
        """Return what a class of views lets nobody pass without, as Django REST framework's do."""
        if function.owner is None:
            return ""
        said: dict[str, ast.expr] = {}
        for home in reversed(self._program.names.family(function.owner)):
            for statement in home.node.body:
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                    said[statement.targets[0].id] = statement.value
        permissions = said.get("permission_classes")
        schemes = said.get("authentication_classes")
        if permissions is None or not isinstance(permissions, ast.List | ast.Tuple) or not permissions.elts:
            return ""
        text = ast.unparse(permissions)
        if _OPEN.search(text):
            return ""
        # Signed in by a session alone, nobody has looked at the token.
        if schemes is not None and not _SCHEMES.search(ast.unparse(schemes)):
            return ""
        return f"permission_classes = {text}"[:80]

    def _wraps(self, function: Function) -> bool:
        """Return whether a decorator of the artifact verifies before it calls what it decorates."""
        inner = [n for n in ast.walk(function.node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        wrapped = {n.args.args[0].arg for n in inner if len(n.args.args) == 1}
        calls = [
            c
            for n in inner
            for c in ast.walk(n)
            if isinstance(c, ast.Call) and isinstance(c.func, ast.Name) and c.func.id in wrapped
        ]
        return bool(calls) and all(holds(self._program.control.before(c), self._counts) for c in calls)

    def _verifies(self, function: Function, depth: int) -> bool:
        """Return whether a function returns only once it has verified a token."""
        if function not in self._verifying:
            self._verifying[function] = False
            if depth <= _DEPTH_MAX and isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._verifying[function] = self._always(function, function.node.body)
        return self._verifying[function]

    def _always(self, function: Function, body: list[ast.stmt]) -> bool:
        control = self._program.control
        for value in function.returns:
            place = self._program.files.parent(value)
            if isinstance(place, ast.Return) and not (
                holds(control.before(place), self._counts) or holds(control.evaluated(value), self._counts)
            ):
                return False
        return control.exits(body) or holds(control.completed(function), self._counts)

    def _counts(self, event: Done | Fact) -> bool:
        """Return whether some token, whichever, has been verified by an event."""
        if isinstance(event, Done):
            if not isinstance(event.node, ast.Call):
                return False
            reading = self._libraries.reading(event.node)
            if reading is not None:
                return reading.style == "checks"
            functions = self._program.names.functions(event.node)
            if functions and all(self._verifies(f, 1) for f in functions):
                return True
            return self._verification.counts(event, self._made_of(event.node))
        return self._verification.counts(event, self._made_of(event.node))

    def _made_of(self, node: ast.AST) -> Roots:
        parts = [c for n in ast.walk(node) if isinstance(n, ast.Call) for c in self._program.calls.arguments(n).every]
        return frozenset(r for p in parts for r in self._verification.roots(p))
