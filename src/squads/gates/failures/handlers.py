"""Handlers that end a failure: what was tried, what the handler says of it, and what the function says afterwards."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from squads.gates.failures.after import (
    After,
    Said,
    answers_shell,
    bound,
    called,
    calls,
    is_log,
    returns_value,
    statements,
)
from squads.gates.failures.attempt import Attempt
from squads.gates.failures.beside import Beside, plain, tells_of_messages
from squads.gates.failures.blocks import Blocks
from squads.gates.failures.loud import away, loud, serious, warns
from squads.gates.failures.managers import Managers
from squads.gates.failures.played import Played
from squads.gates.failures.telling import Telling
from squads.gates.failures.words import (
    EFFECTS,
    failure_like,
    is_negative,
    is_question,
    is_quiet,
    is_state,
    judges,
    says_success,
    success_like,
)
from squads.gates.python import Function, Module, Program
from squads.gates.secrets.words import words_of

_ENDINGS = frozenset((ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.FunctionDef, ast.AsyncFunctionDef))


@dataclass(frozen=True, slots=True)
class Swallowed:
    """A failure that ends here, and what is said instead."""

    node: ast.AST
    what: str
    also: ast.AST | None = None
    """Where success is said, if that is elsewhere."""
    light: bool = False
    """Whether it may be meant."""


class Handlers:
    """Finds the handlers of one program that end a failure while success is said."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)
        self._telling = Telling(program)
        self._beside = Beside(program)
        self._attempt = Attempt(program)
        self._managers = Managers(program)
        self._played = Played(program)
        self._blocks = Blocks(program)

    def found(self, module: Module) -> Iterator[Swallowed]:
        """Yield what one module swallows."""
        for node in [n for n in module.parents if n.__class__ in _ENDINGS]:
            if isinstance(node, ast.Try | ast.TryStar):
                for handler in node.handlers:
                    said = self._handler(module, node, handler)
                    said = self._beside_play(node, handler, said)
                    if said is not None:
                        yield said
                    elif self._attempt.tried(node.body) != "quiet" and (dropped := self._beside.dropped(node, handler)):
                        yield Swallowed(handler, f"the answer says so, and the caller drops it and {dropped[0].what}")
                        yield Swallowed(dropped[1], f"the failure that it answers is dropped, and {dropped[0].what}")
                for one, what in self._blocks.finally_(node):
                    yield Swallowed(one, what)
            elif isinstance(node, ast.With | ast.AsyncWith):
                for one, what, also in self._blocks.suppressed(node):
                    yield Swallowed(one, what, also)
                for call, answer in self._managers.pushed(node):
                    yield Swallowed(call, "what is pushed here drops whatever was raised", answer)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in ("__exit__", "__aexit__"):
                left = self._managers.left(module, node)
                if left is not None:
                    yield Swallowed(left, f"what {node.name} returns here drops what was raised inside")

    # What a handler does

    def _beside_play(
        self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, said: Swallowed | None
    ) -> Swallowed | None:
        """Return what was found, but for what no failing way comes to; or the way on which nobody is told."""
        function = self._program.function_of(node)
        if function is None or is_quiet(function.name):
            return said
        if said is not None:
            if self._aside(node, said, function):
                return None
            also: ast.AST | None = said.also
            while also is not None and not isinstance(also, ast.stmt):
                also = self._program.files.parent(also)
            also = also if also is not None and also.lineno > node.lineno else None
            inside = also is not None and self._program.function_of(also) is function
            ended = self._played.handler(node, handler) if inside or said.also is None else None
            shown = ended is not None and ended.shown and self._attempt.tried(node.body) != "judge"
            if ended is None or (inside and also in ended.reached and not shown):
                return said
            return None if inside or shown else said
        tried = self._tried(node, handler)
        broad, expected = self._attempt.breadth(handler)
        strong = tried == "judge" or (tried in ("effect", "judge") and self._attempt.strong(node.body))
        strong = strong or (tried == "effect" and self._attempt.checks(node.body) and not self._others(function, node))
        if expected or tried in ("quiet", "read") or not (strong or serious(handler)):
            return None
        if any(isinstance(s, ast.Raise) for s in node.orelse) or self._managers.around_yield(node, handler):
            return None
        strict = strong or (tried == "effect" and loud(handler))
        ended = self._played.handler(node, handler, strict=strict)
        if ended is None or ended.said.what.startswith("reports f"):
            return None
        whole = strong and (broad or self._is_all(function, node, handler, ended.said))
        if ended.said.how == "value" and isinstance(ended.said.node, ast.Return) and not whole:
            # Who called gets what it gets where all went well.
            if not strong and tried != "message":
                return None
            claim = self._beside.believed(function, message=tried == "message")
            return Swallowed(handler, f"who called cannot tell, and {claim.what}", claim.node) if claim else None
        if plain(ended.said) and not broad and self._is_step(node, handler, function, tried):
            return None
        told = ended.said.node.value if isinstance(ended.said.node, ast.Return) else None
        if isinstance(told, ast.Dict) and not success_like(told) and self._others(function, node):
            return None  # a state is that of the other work
        if not (ended.said.how == "success" or (ended.said.how == "value" and whole)):
            return None
        return Swallowed(handler, f"nobody is told on one way, and the function {ended.said.what}", ended.said.node)

    def _handler(self, module: Module, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> Swallowed | None:
        function = self._program.function_of(node)
        name = function.name if function else ""
        if is_quiet(name) or (self._program.control.exits(handler.body) and self._raises(handler.body)):
            return None
        if self._managers.around_yield(node, handler):
            return Swallowed(handler, "what the block under the context manager raised is dropped")
        broad, expected = self._attempt.breadth(handler)
        tried = self._tried(node, handler)
        if any(isinstance(s, ast.Raise) for s in node.orelse):
            return None  # the failure is what is hoped for: `else: raise`
        near, _ = self._after.rest(node)
        same = self._beside.same_as_expected(handler, near)
        if same is not None:
            return Swallowed(handler, "what is compared is set to what it is compared with", same)
        if self._telling.handled(handler, node, function):
            return None
        exit_code = answers_shell(function)
        returned = next((s for s in statements(handler.body) if isinstance(s, ast.Return)), None)
        if returned is not None:
            return self._returns(node, handler, returned, function, tried, broad, expected, exit_code)
        loop = self._loop(node)
        goes_on = all(isinstance(s, ast.Pass | ast.Continue | ast.Expr) for s in handler.body)
        if isinstance(loop, ast.For | ast.AsyncFor) and goes_on and tried != "quiet":
            report = self._beside.unfilled(node, function)
            if report:
                return Swallowed(handler, f"the loop goes on, and nobody ever writes into {report}")
        if expected and tried != "judge":
            counted = self._beside.counted_on(node, handler) if goes_on and self._attempt.strong(node.body) else None
            return Swallowed(handler, f"the function goes on and {counted.what}", counted.node) if counted else None
        listed = self._beside.bypassed(function) if goes_on or serious(handler) else ""
        if listed and loop is not None and tried not in ("quiet", "read"):
            return Swallowed(handler, f"the loop goes on, and the failure is not put into `{listed}`")
        if tried in ("quiet", "read") and not (tried == "read" and self._beside.assumed(node, handler, function)):
            return None
        return self._goes_on(node, handler, function, tried, broad, exit_code)

    def _raises(self, body: Sequence[ast.stmt]) -> bool:
        return not any(isinstance(s, ast.Return | ast.Continue | ast.Break) for s in statements(body))

    def _tried(self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> str:
        """Return what a `try` attempts; whoever takes an error of the artifact's own was told by it that it failed."""
        tried = self._attempt.tried(node.body)
        if tried == "quiet" and self._attempt.is_its_work(node.body, self._program.function_of(node)):
            return "effect"
        told = tried in ("unknown", "quiet", "read") and warns(handler) and self._attempt.signalled(node.body, handler)
        return "judge" if told else tried

    def _aside(self, node: ast.Try | ast.TryStar, said: Swallowed, function: Function) -> bool:
        """Return whether only a message failed that goes beside other work, and what is said is about the work."""
        claim = ast.unparse(said.also) if said.also is not None else ""
        return (
            self._attempt.tried(node.body) == "message"
            and self._others(function, node)
            and not isinstance(said.also, ast.AugAssign)
            and not tells_of_messages(f"{claim} {function.name}")
        )

    # What is said

    def _returns(
        self,
        node: ast.Try | ast.TryStar,
        handler: ast.ExceptHandler,
        returned: ast.Return,
        function: Function | None,
        tried: str,
        broad: bool,
        expected: bool,
        exit_code: bool,
    ) -> Swallowed | None:
        negative = is_negative(function.name) if function else False
        value = returned.value
        says = ast.unparse(value)[:60] if value is not None else "None"
        if negative and isinstance(value, ast.Constant) and isinstance(value.value, bool):
            if value.value or tried == "read" or (tried == "effect" and self._attempt.strong(node.body)):
                return None
            if expected and tried != "judge":
                return None
            return Swallowed(handler, f"a failure to find out is answered with {says}", returned)
        if value is not None and (success_like(value, exit_code=exit_code) or self._same(node, returned)):
            if function and is_question(function.name):
                return None
            opens = isinstance(value, ast.Constant) and value.value is True and function and judges(function.name)
            if opens and self._computes(node, later=True) and not (expected and tried == "read"):
                return Swallowed(handler, f"a failure to find out is answered with {says}", returned)
            if not broad and tried == "unknown":
                return None
            if expected and tried != "judge" and not isinstance(value, ast.Dict):
                return None
            if tried in ("quiet", "read") and not broad:
                return None
            if tried == "quiet":
                return None
            return Swallowed(handler, f"the handler returns {says}", returned)
        if (
            (broad or away(handler, function))
            and isinstance(value, ast.Constant)
            and isinstance(value.value, int | float)
            and not isinstance(value.value, bool)
            and value.value >= 0
            and tried != "quiet"
            and self._computes(node)
        ) and ((value.value == 0 and exit_code) or value.value < 400):
            return Swallowed(handler, f"the handler returns {says}, which looks like a result", returned)
        if _nothing(value) and not returns_value(function) and tried in ("effect", "judge") and broad:
            return Swallowed(handler, "the handler returns as if it had been done", returned)
        if (
            function
            and _nothing(value)
            and not returns_value(function)
            and tried not in ("quiet", "read")
            and not expected
        ):
            claim = self._beside.claimed_by_callers(function)
            if claim is not None:
                return Swallowed(handler, f"the handler returns, and its caller {claim.what}", claim.node)
        return None

    def _same(self, node: ast.Try | ast.TryStar, returned: ast.Return) -> bool:
        """Return whether the handler returns the very words of success: those that the way without failure returns."""
        if returned.value is None or failure_like(returned.value) or isinstance(returned.value, ast.Constant):
            return False
        near, _ = self._after.rest(node)
        text = ast.unparse(returned.value)
        blocks = [*node.body, *node.orelse, *near]
        others = [s for s in statements(blocks) if isinstance(s, ast.Return) and s.value]
        last = [s for s in others if not isinstance(self._program.files.parent(s), ast.If)]
        others = last or others  # a guard on the good way returns a failure, too
        again = any(isinstance(n, ast.Name) and n.id in bound(node.handlers) for n in ast.walk(returned.value))
        effect = self._attempt.tried(node.body) in ("effect", "judge")
        return effect and not again and any(s.value is not None and ast.unparse(s.value) == text for s in others)

    def _computes(self, node: ast.Try | ast.TryStar, *, later: bool = False) -> bool:
        near = self._after.rest(node)[0] if later else []
        return any(
            isinstance(s, ast.Return) and s.value is not None and not isinstance(s.value, ast.Constant)
            for s in statements([*node.body, *node.orelse, *near])
        )

    def _goes_on(
        self,
        node: ast.Try | ast.TryStar,
        handler: ast.ExceptHandler,
        function: Function | None,
        tried: str,
        broad: bool,
        exit_code: bool,
    ) -> Swallowed | None:
        logged = any(is_log(c) for c in calls(handler.body))
        ends = [s for s in handler.body if isinstance(s, ast.Continue | ast.Break)]
        claimed = next((s for s in handler.body if isinstance(s, ast.Assign) and self._claims(s)), None)
        if claimed is not None and tried in ("effect", "judge", "message"):
            return Swallowed(handler, f"the handler sets {ast.unparse(claimed)[:60]}", claimed)
        near, far = self._after.rest(node)
        guards = bound([*node.body, *node.orelse]) | bound(handler.body)
        loop = self._loop(node)
        if ends and isinstance(ends[0], ast.Continue):
            guards |= bound(near)  # what is counted there counts only what went well
            near = []
            far = [] if isinstance(loop, ast.While) else far
        elif ends and loop is not None:
            near = []
        said = self._after.said(near, guards, exit_code=exit_code) if near else Said("nothing")
        ended = any(isinstance(s, ast.Return | ast.Raise) for s in near)
        if said.how != "success" and not ended:
            later = self._after.said(far, guards, exit_code=exit_code)
            said = later if later.how == "success" or said.how == "nothing" else said
        if function is not None and plain(said) and not broad and self._is_step(node, handler, function, tried):
            return None
        if said.how == "success" and not (plain(said) and not broad and tried == "unknown" and not serious(handler)):
            return Swallowed(handler, f"the function goes on and {said.what}", said.node)
        before = self._beside.assumed(node, handler, function)
        if before is not None:
            return Swallowed(handler, f"the function goes on with {ast.unparse(before)[:60]}", before)
        if not broad and tried == "unknown":
            return None
        strong = tried in ("effect", "judge") and self._attempt.strong(node.body)
        idle = all(isinstance(s, ast.Pass | ast.Continue | ast.Expr) for s in handler.body) and not logged
        if loop is not None:
            if idle and broad and strong and not (isinstance(loop, ast.While) and not ends):
                return Swallowed(handler, "the loop goes on as if it had been done")
            return None
        if said.how == "value" and (
            (tried == "judge" and self._attempt.vouches(node.body)) or (tried == "effect" and (broad or idle))
        ):
            return Swallowed(handler, f"the function goes on and {said.what}", said.node)
        if said.how == "value" and strong and function is not None and self._is_all(function, node, handler, said):
            return Swallowed(handler, f"the function goes on and {said.what}", said.node)
        if exit_code and tried == "effect" and not self._ends_otherwise([*near, *far]):
            return Swallowed(handler, "the command ends as if it had been done, with exit code 0")
        if function is not None and strong and idle and not returns_value(function):
            return Swallowed(handler, "the function ends as if it had been done")
        if function is not None and not returns_value(function) and tried in ("effect", "judge", "message"):
            claim = self._beside.claimed_by_callers(function)
            if claim is not None:
                return Swallowed(handler, f"the function ends, and its caller {claim.what}")
        return None

    def _ends_otherwise(self, rest: Sequence[ast.stmt]) -> bool:
        """Return whether what follows may end a command with another exit code than 0."""
        return any(
            isinstance(s, ast.Raise | ast.Assert)
            or (isinstance(s, ast.Return) and s.value is not None and not success_like(s.value, exit_code=True))
            or (
                isinstance(s, ast.Call)
                and re.search(r"exit|abort|fail", called(s))
                and [getattr(a, "value", None) for a in s.args] != [0]
            )
            for s in statements(rest)
        )

    def _is_all(self, function: Function, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, said: Said) -> bool:
        """Return whether all that a function is there for failed, and it answers what it answers when nothing did."""
        made = said.node.value if isinstance(said.node, ast.Return) else None
        given = {a.arg for a in function.parameters}
        bare = isinstance(made, ast.Constant) or (isinstance(made, ast.Name) and made.id in given)
        return made is not None and not bare and loud(handler) and not self._others(function, node)

    def _others(self, function: Function, node: ast.Try | ast.TryStar) -> bool:
        """Return whether a function does more than what one `try` attempts."""
        inside = {id(n) for n in ast.walk(node)}
        return not isinstance(function.node, ast.Lambda) and any(
            not EFFECTS.isdisjoint(words_of(called(c))) and not is_log(c)
            for c in calls(function.node.body)
            if id(c) not in inside
        )

    def _is_step(self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, function: Function, tried: str) -> bool:
        """Return whether what fails is a step that may be left out, so that a bare `True` is about the rest."""
        small = tried == "effect" and not self._attempt.strong(node.body) and not loud(handler)
        return small and any(is_log(c) for c in calls(handler.body)) and self._others(function, node)

    def _claims(self, node: ast.Assign) -> bool:
        """Return whether a handler itself says success, in a name that is read later."""
        target = node.targets[0]
        if not isinstance(target, ast.Name) or not success_like(node.value):
            return False
        plain = isinstance(node.value, ast.Constant) and not isinstance(node.value.value, str)
        if plain and not is_state(target.id) and not says_success(target.id):
            return False
        module = self._program.files.module_of(node)
        binding = module.scopes.by_target.get(target)
        return binding is not None and bool(module.loads(binding))

    def _loop(self, node: ast.AST) -> ast.AST | None:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
                return parent
            parent = self._program.files.parent(parent)
        return None


def _nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)
