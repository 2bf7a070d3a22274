"""What is done with claims that were read without verifying: trusted, only shown or timed, or verified before use."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from squads.gates.python import Class, Function, Program, Step
from squads.gates.tokens.parts import kept_as
from squads.gates.tokens.reading import Reading, switched_off
from squads.gates.tokens.roots import Roots
from squads.gates.tokens.verification import Verification
from squads.gates.words import word_set

TIMES = frozenset(("exp", "iat", "nbf", "expires_at", "auth_time"))
"""Claims that say when; a client reads them to know when to fetch its next token."""

_SHOWN = re.compile(
    r"^(print|pprint\..*|rich\..*|click\.(echo|secho).*|typer\.(echo|secho).*|sys\.std(out|err)\.write|logging\..*|"
    r"structlog\..*|warnings\.warn|loguru\..*|.*\.(debug|info|warning|warn|error|exception|critical|print|echo|secho))$"
)
_SHOWN_METHODS = word_set("debug info warning warn error exception critical log print echo secho")
_CARRIES = word_set(
    "dict list tuple set frozenset str int float bool repr sorted len json.dumps json.loads next iter enumerate zip "
    "max min datetime.datetime.fromtimestamp datetime.datetime.utcfromtimestamp datetime.fromtimestamp time.ctime "
    "time.gmtime datetime.timedelta types.MappingProxyType copy.copy copy.deepcopy pprint.pformat isinstance "
    "typing.cast"
)
_DECIDES = re.compile(r"verif|authenti|authori[sz]|validat|is_valid|login|current_user|require|check_(auth|token|jwt)")

Use = Literal["trusted", "timed", "shown"]


@dataclass(frozen=True, slots=True)
class Trusting:
    """One use of claims that nothing has verified."""

    use: Use
    node: ast.AST
    what: str
    """What is done with them, to be said after "the claims are"."""
    taken: tuple[object, ...] = ()
    """Which claim it is, as far as that is known."""


class Trust:
    """Answers for one program."""

    def __init__(self, program: Program, verification: Verification) -> None:
        self._program = program
        self._verification = verification

    def uses(self, reading: Reading) -> list[Trusting]:
        """Return the uses of a reading's claims that stand on no verification, in the order they were found."""
        found: list[Trusting] = []
        token = self._verification.roots(reading.token)
        home = self._program.function_of(reading.claims)
        # The token may be cut in one function and read in another: it is verified where it is cut.
        apart = self._program.function_of(reading.token) is not home
        if self._verification.before(reading.claims, token) or (
            apart and self._verification.before(reading.token, token)
        ):
            return []
        if apart and self._opened(reading, token):
            return []
        for step in self._program.flow.follow(reading.claims, self._carries):
            if any(s.kind == "key" for s in step.way() if s is not step):
                continue  # what was looked up is not the claims; the looking up was told already
            if self._beside(step):
                continue  # `checked.ok`, where the claims are `checked.claims`
            use = self._use(step, reading)
            if use is None or self._verified(step, reading, token, weak=step.kind in ("test", "argument", "key")):
                continue
            if reading.switch is not None and not self._switched(step, reading):
                continue
            found.append(replace(use, taken=step.taken))
        return found

    def _opened(self, reading: Reading, token: Roots) -> bool:
        """Return whether what is read comes out of a function that gives it only once the token is verified."""
        opener, here = self._program.function_of(reading.token), self._program.function_of(reading.node)
        if opener is None or here is None or isinstance(opener.node, ast.Lambda):
            return False
        called = any(self._program.function_of(c) is here for c in self._program.calls.callers(opener))
        return called and self._verification.gives(opener, token)

    def _beside(self, step: Step) -> bool:
        """Return whether another field is read of an object that holds the claims in one of its fields."""
        way = list(step.way())[::-1]
        for before, one in pairwise(way):
            if one.kind == "argument" and isinstance(one.node, ast.Call):
                field, after = kept_as(self._program, one.node, before.node), step.taken[len(one.taken) :]
                if field and after and isinstance(after[0], str) and after[0] != field:
                    return True
        return False

    # What a step means

    def _use(self, step: Step, reading: Reading) -> Trusting | None:
        if step.taken[:1] == (0,) and self._program.calls.method(reading.node).endswith("loads_unsafe"):
            return None  # whether the signature is right, and no claim
        timed = bool(step.taken) and step.taken[0] in TIMES
        match step.kind:
            case "returned" if step.key in (0, None):
                kind: Use = "timed" if timed and not self._decides(step) else "trusted"
                function = self._program.function_of(step.node)
                return Trusting(kind, step.node, f"returned by {function.name if function else 'a function'}()")
            case "stored":
                return Trusting("timed" if timed else "trusted", step.node, f"kept in {self._text(step.node)}")
            case "test":
                if any(isinstance(s.node, ast.Compare) and _only_there(s.node) for s in step.way()):
                    return None
                kind = "timed" if timed and not self._decides(step) else "trusted"
                return Trusting(kind, step.node, f"what decides in {self._text(step.node)}")
            case "key":
                return Trusting("trusted", step.node, f"looked up in {self._text(step.node)}")
            case "argument" if isinstance(step.node, ast.Call):
                if self._shows(step.node):
                    return Trusting("shown", step.node, f"shown by {self._text(step.node.func)}()")
                if self._carries(step.node, step):
                    return None
                return Trusting("timed" if timed else "trusted", step.node, f"given to {self._text(step.node.func)}()")
            case "raised":
                return Trusting("shown", step.node, "told in an error")
        return None

    def _decides(self, step: Step) -> bool:
        """Return whether a function's own name says that access hangs on what it returns."""
        function = self._program.function_of(step.node)
        return function is not None and bool(_DECIDES.search(function.name))

    def _shows(self, call: ast.Call) -> bool:
        names = self._program.names.names(call.func)
        if names:
            return any(_SHOWN.match(n) for n in names)
        return isinstance(call.func, ast.Attribute) and call.func.attr in _SHOWN_METHODS

    def _carries(self, call: ast.Call, step: Step) -> bool:
        if step.kind == "method":
            return True
        made = [t for t in self._program.names.things(call.func) if isinstance(t, Class)]
        if made and all("__init__" not in c.methods for t in made for c in self._program.names.family(t)):
            return True  # an object that only holds what it is given is looked at where it goes
        return bool(self._program.names.names(call.func) & _CARRIES)

    def _text(self, node: ast.AST) -> str:
        return " ".join(ast.unparse(node).split())[:80]

    # Whether it stands on a verification

    def _verified(self, step: Step, reading: Reading, token: Roots, *, weak: bool) -> bool:
        """Return whether the token was verified on the way of its claims to `step`, in whichever function."""
        way = list(step.way())[::-1]
        here = self._program.function_of(reading.node)
        tokens: dict[Function | None, Roots] = {self._program.function_of(reading.token): token, here: token}
        if here is not None and self._program.function_of(reading.token) is not here:
            # What is read here was cut elsewhere, and is known here by what the reading is given.
            given = self._program.calls.arguments(reading.node).every
            tokens[here] = frozenset(r for g in given for r in self._verification.roots(g))
        before: Step | None = None
        for one in way:
            function = self._program.function_of(one.node)
            known = tokens.get(here, frozenset())
            if function is not here and before is not None:
                if self._verification.before(before.node, known):
                    return True
                if weak and self._verification.later(before.node, known):
                    return True
                tokens[function] = tokens.get(function, frozenset()) | self._handed(one, before, here, known, function)
                here = function
                if isinstance(one.node, ast.Call) and self._verification.within(one.node, tokens[function]):
                    return True
            before = one
            # `claims if verified(token) else None`: it is on the way, and comes here only where that is so.
            if self._verification.before(one.node, tokens.get(here, frozenset())):
                return True
        known = tokens.get(here, frozenset())
        if not weak:
            return False
        return self._verification.later(step.node, known) or self._by_callers(step, here, known)

    def _by_callers(self, step: Step, here: Function | None, known: Roots) -> bool:
        """Return whether everybody who calls the function that only looks something up verifies the token after."""
        if here is None or step.calls:
            return False
        callers = self._program.calls.callers(here)
        heads = _heads(known)
        for call in callers:
            bound = self._program.calls.bind(call, here)
            handed = [v for p, vs in bound.items() if p.arg in heads for v in vs]
            token = frozenset(r for v in handed for r in self._verification.roots(v))
            if not (self._verification.verified_with(call, token) or self._verification.before(call, token)):
                return False
        return bool(callers)

    def _handed(
        self, step: Step, before: Step, here: Function | None, known: Roots, function: Function | None
    ) -> Roots:
        """Return what the token is called in the function that the claims come to."""
        calls = self._program.calls
        if len(step.calls) > (len(before.calls)) and function is not None:
            call = step.calls[-1]
            bound = calls.bind(call, function)
            return frozenset(
                p.arg for p, vs in bound.items() if any(not known.isdisjoint(self._verification.roots(v)) for v in vs)
            ) | frozenset(r for r in known if r.startswith("self."))
        if isinstance(step.node, ast.Call) and here is not None:
            bound = calls.bind(step.node, here)
            handed = [v for p, vs in bound.items() if p.arg in _heads(known) for v in vs]
            receiver = calls.receiver(step.node)
            if here.bound and receiver is not None and here.parameters and here.parameters[0].arg in _heads(known):
                handed.append(receiver)
            return frozenset(r for v in handed for r in self._verification.roots(v)) | frozenset(
                r for r in known if r.startswith("self.")
            )
        return frozenset()

    def _switched(self, step: Step, reading: Reading) -> bool:
        """Return whether verification is off for the caller that the claims came to, where a parameter decides it."""
        function = self._program.function_of(reading.node)
        for one in step.way():
            if isinstance(one.node, ast.Call) and function in self._program.names.functions(one.node):
                return switched_off(self._program, reading, one.node)
        return True


def _heads(roots: Roots) -> set[str]:
    """Return the names that accesses begin with: `event` of `event['token']`."""
    return {r.partition("[")[0].partition(".")[0] for r in roots}


def _only_there(node: ast.Compare) -> bool:
    """Return whether a comparison only asks whether there is anything."""
    last = node.comparators[-1]
    return isinstance(node.ops[-1], ast.Is | ast.IsNot) and isinstance(last, ast.Constant) and last.value is None
