"""Handlers that end a failure: what was tried, what the handler says of it, and what the function says afterwards."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from squads.gates.failures.after import After, Said, bound, called, calls, is_log, returns_value, statements
from squads.gates.failures.beside import Beside, plain
from squads.gates.failures.telling import Telling, has_effects
from squads.gates.failures.words import (
    BEST_EFFORT,
    EFFECTS,
    JUDGES,
    LISTS,
    MESSAGES,
    WEAK,
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
from squads.gates.words import word_set

_EXPECTED = word_set(
    "KeyError LookupError IndexError FileNotFoundError FileExistsError ImportError ModuleNotFoundError AttributeError "
    "StopIteration StopAsyncIteration Empty Full CancelledError ProcessLookupError DoesNotExist NotFound NotFoundError "
    "IntegrityError UniqueViolation UniqueViolationError DuplicateKeyError BlockingIOError UnicodeDecodeError "
    "NameError "
    "KeyboardInterrupt SystemExit GeneratorExit EOFError BrokenPipeError InterruptedError NoSuchKey AlreadyExists "
    "NotADirectoryError CacheMiss ObjectDoesNotExist ResourceNotFoundError EntryNotFound JSONDecodeError UnicodeError "
    "UnicodeEncodeError ZoneInfoNotFoundError PackageNotFoundError NoResultFound ValueError TypeError "
    "ZeroDivisionError ProcessLookup QueueEmpty QueueFull UnsupportedOperation ValidationError InvalidOperation "
    "OverflowError"
)
_BROAD = word_set("Exception BaseException StandardError")


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

    def found(self, module: Module) -> Iterator[Swallowed]:
        """Yield what one module swallows."""
        for node in list(module.parents):
            if isinstance(node, ast.Try | ast.TryStar):
                for handler in node.handlers:
                    said = self._handler(module, node, handler)
                    if said is not None:
                        yield said
                    elif dropped := self._beside.dropped(node, handler):
                        yield Swallowed(handler, f"the answer says so, and the caller drops it and {dropped[0].what}")
                        yield Swallowed(dropped[1], f"the failure that it answers is dropped, and {dropped[0].what}")
                yield from self._finally(node)
            elif isinstance(node, ast.With | ast.AsyncWith):
                said = self._suppressed(node)
                if said is not None:
                    yield said

    # What was tried

    def _tried(self, body: Sequence[ast.stmt]) -> str:
        """Return what a block tries: `effect`, `judge`, `message`, `quiet` for what may fail, or `unknown`."""
        kinds: set[str] = set()
        for call in calls(body):
            if is_log(call):
                continue
            text = ast.unparse(call.func)
            words = set(words_of(called(call)))
            if _changes_schema(call):
                kinds.add("quiet")
                continue
            owners = set(words_of(text)) - words
            if words & BEST_EFFORT or (owners & BEST_EFFORT and not words & {"commit", "charge", "verify"}):
                kinds.add("quiet")
            elif called(call) in (
                "int",
                "float",
                "str",
                "len",
                "get",
                "range",
                "list",
                "dict",
                "set",
                "isinstance",
                "open",
                "Path",
            ):
                mode = [a.value for a in call.args[1:2] if isinstance(a, ast.Constant)]
                kinds.add("effect" if called(call) == "open" and mode and "r" not in str(mode[0]) else "read")
            elif words & JUDGES:
                kinds.add("judge")
            elif words & MESSAGES or owners & MESSAGES:
                kinds.add("message")
            elif (
                words & EFFECTS
                or ("append" in words and owners & LISTS)
                or text in ("json.dump", "shutil.copy", "shutil.copyfile", "yaml.dump", "pickle.dump")
            ) or any(has_effects(f) for f in self._program.names.functions(call)):
                kinds.add("effect")
            else:
                kinds.add("unknown")
        for kind in ("effect", "judge", "message", "unknown"):
            if kind in kinds:
                return kind
        return "quiet" if kinds == {"quiet"} else "read"

    # What a handler does

    def _handler(self, module: Module, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> Swallowed | None:
        function = self._program.function_of(node)
        name = function.name if function else ""
        if is_quiet(name) or (self._program.control.exits(handler.body) and self._raises(handler.body)):
            return None
        broad, expected = self._breadth(handler)
        tried = self._tried(node.body)
        if any(isinstance(s, ast.Raise) for s in node.orelse):
            return None  # the failure is what is hoped for: `else: raise`
        near, _ = self._after.rest(node)
        same = self._beside.same_as_expected(handler, near)
        if same is not None:
            return Swallowed(handler, "what is compared is set to what it is compared with", same)
        if self._telling.handled(handler, node, function):
            return None
        exit_code = name in ("main", "cli", "run_cli", "handle")
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
            return None
        if tried in ("quiet", "read") and not (tried == "read" and self._beside.assumed(node, handler, function)):
            return None
        return self._goes_on(node, handler, function, tried, broad, exit_code)

    def _breadth(self, handler: ast.ExceptHandler) -> tuple[bool, bool]:
        """Return whether everything is caught, and whether only what is to be expected is."""
        if handler.type is None:
            return True, False
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = []
        for one in types:
            held = self._program.values.origins(one) if isinstance(one, ast.Name) else [one]
            for origin in held or [one]:
                inner = origin.elts if isinstance(origin, ast.Tuple) else [origin]
                names += [ast.unparse(i).rsplit(".", 1)[-1] for i in inner]
        return any(n in _BROAD for n in names), all(n in _EXPECTED for n in names)

    def _raises(self, body: Sequence[ast.stmt]) -> bool:
        return not any(isinstance(s, ast.Return | ast.Continue | ast.Break) for s in statements(body))

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
            if value.value or tried == "read" or (tried == "effect" and self._strong(node.body)):
                return None
            if expected and tried != "judge":
                return None
            return Swallowed(handler, f"a failure to find out is answered with {says}", returned)
        if value is not None and (success_like(value, exit_code=exit_code) or self._same(node, returned)):
            if function and is_question(function.name):
                return None
            opens = isinstance(value, ast.Constant) and value.value is True and function and judges(function.name)
            if opens and self._computes(node) and not (expected and tried == "read"):
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
            broad
            and isinstance(value, ast.Constant)
            and isinstance(value.value, int | float)
            and not isinstance(value.value, bool)
            and value.value >= 0
            and tried != "quiet"
            and self._computes(node)
        ) and ((value.value == 0 and exit_code) or value.value < 400):
            return Swallowed(handler, f"the handler returns {says}, which looks like a result", returned)
        if (
            (value is None or (isinstance(value, ast.Constant) and value.value is None)) and not returns_value(function)
        ) and (tried in ("effect", "judge") and broad):
            return Swallowed(handler, "the handler returns as if it had been done", returned)
        return None

    def _same(self, node: ast.Try | ast.TryStar, returned: ast.Return) -> bool:
        """Return whether the handler returns the very words of success: those that the way without failure returns."""
        if returned.value is None or failure_like(returned.value) or isinstance(returned.value, ast.Constant):
            return False
        near, _ = self._after.rest(node)
        text = ast.unparse(returned.value)
        others = [s for s in statements([*node.body, *node.orelse, *near]) if isinstance(s, ast.Return) and s.value]
        again = any(isinstance(n, ast.Name) and n.id in bound(node.handlers) for n in ast.walk(returned.value))
        effect = self._tried(node.body) in ("effect", "judge")
        return effect and not again and any(s.value is not None and ast.unparse(s.value) == text for s in others)

    def _computes(self, node: ast.Try | ast.TryStar) -> bool:
        return any(
            isinstance(s, ast.Return) and s.value is not None and not isinstance(s.value, ast.Constant)
            for s in statements([*node.body, *node.orelse])
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
        leaves = [s for s in statements(handler.body) if isinstance(s, ast.Continue | ast.Break)]
        claimed = next((s for s in handler.body if isinstance(s, ast.Assign) and self._claims(s)), None)
        if claimed is not None and tried in ("effect", "judge", "message"):
            return Swallowed(handler, f"the handler sets {ast.unparse(claimed)[:60]}", claimed)
        near, far = self._after.rest(node)
        guards = bound([*node.body, *node.orelse]) | bound(handler.body)
        loop = self._loop(node)
        if leaves and isinstance(leaves[0], ast.Continue):
            near = []
            far = [] if isinstance(loop, ast.While) else far
        said = self._after.said(near, guards, exit_code=exit_code) if near else Said("nothing")
        ended = any(isinstance(s, ast.Return | ast.Raise) for s in near)
        if said.how != "success" and not ended:
            later = self._after.said(far, guards, exit_code=exit_code)
            said = later if later.how == "success" or said.how == "nothing" else said
        if said.how == "success" and not (
            plain(said) and not broad and tried == "unknown" and not self._serious(handler)
        ):
            return Swallowed(handler, f"the function goes on and {said.what}", said.node)
        before = self._beside.assumed(node, handler, function)
        if before is not None:
            return Swallowed(handler, f"the function goes on with {ast.unparse(before)[:60]}", before)
        if not broad and tried == "unknown":
            return None
        strong = tried in ("effect", "judge") and self._strong(node.body)
        idle = all(isinstance(s, ast.Pass | ast.Continue | ast.Expr) for s in handler.body) and not logged
        if loop is not None:
            if idle and broad and strong and not (isinstance(loop, ast.While) and not leaves):
                return Swallowed(handler, "the loop goes on as if it had been done")
            return None
        if said.how == "value" and tried in ("effect", "judge") and (broad or idle):
            return Swallowed(handler, f"the function goes on and {said.what}", said.node)
        if function is not None and strong and idle and not returns_value(function):
            return Swallowed(handler, "the function ends as if it had been done")
        if function is not None and not returns_value(function) and tried in ("effect", "judge", "message"):
            claim = self._beside.claimed_by_callers(function)
            if claim is not None:
                return Swallowed(handler, f"the function ends, and its caller {claim.what}")
        return None

    def _serious(self, handler: ast.ExceptHandler) -> bool:
        """Return whether a handler says of itself that something went wrong: a loud log, an error of the network."""
        loud = any(
            is_log(c) and called(c) in ("warning", "error", "exception", "critical") for c in calls(handler.body)
        )
        types = ast.unparse(handler.type) if handler.type is not None else ""
        return loud or bool(re.search(r"Connection|Timeout|OSError|IOError|Request|HTTP|Unavailable|Transport", types))

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

    def _strong(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether a block itself calls what writes, sends, pays or verifies."""
        for call in calls(body):
            words = set(words_of(called(call)))
            if words & BEST_EFFORT and not words & {"commit"}:
                continue
            if words & ((EFFECTS | JUDGES) - WEAK) or (
                "append" in words and set(words_of(ast.unparse(call.func))) & LISTS
            ):
                return True
        return False

    def _loop(self, node: ast.AST) -> ast.AST | None:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
                return parent
            parent = self._program.files.parent(parent)
        return None

    # Other ways to swallow

    def _finally(self, node: ast.Try | ast.TryStar) -> Iterator[Swallowed]:
        for one in statements(node.finalbody):
            if isinstance(one, ast.Return) and not self._honest(one, node):
                yield Swallowed(one, "`return` in `finally` drops whatever was raised")
                return

    def _honest(self, returned: ast.Return, node: ast.Try | ast.TryStar) -> bool:
        """Return whether what `finally` returns was a failure until the `try` came to its end."""
        value = returned.value
        if not isinstance(value, ast.Name) or value.id not in bound([*node.body, *node.orelse]):
            return value is not None and failure_like(value) and isinstance(value, ast.Constant)
        module = self._program.files.module_of(node)
        values = [b.value for b in module.bindings(value) if b.value is not None]
        function = self._program.function_of(node)
        scope = module.scopes.of.get(function.node) if function else None
        first = scope.bindings.get(value.id, []) if scope else []
        return bool(values) and any(b.value is not None and failure_like(b.value) for b in first)

    def _suppressed(self, node: ast.With | ast.AsyncWith) -> Swallowed | None:
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or "contextlib.suppress()" not in self._program.names.names(call):
                continue
            handler = ast.ExceptHandler(type=ast.Tuple(elts=list(call.args), ctx=ast.Load()), name=None, body=[])
            broad, expected = self._breadth(handler)
            function = self._program.function_of(node)
            tried = self._tried(node.body)
            if expected or tried in ("quiet", "read") or (function and is_quiet(function.name)):
                return None
            near, far = self._after.rest(node)
            said = self._after.said([*near, *far], bound(node.body))
            inner = self._after.said(node.body, set())
            if said.how == "success":
                return Swallowed(node, f"the function goes on and {said.what}", said.node)
            if self._strong(node.body) and (broad or said.how == "value") and inner.how != "success":
                return Swallowed(node, "the function goes on as if it had been done", said.node)
            if self._strong(node.body) and broad:
                return Swallowed(node, "the function goes on as if it had been done")
            if tried == "judge" and broad:
                return Swallowed(node, "the function goes on as if it had been verified")
        return None


def _changes_schema(call: ast.Call) -> bool:
    """Return whether a call only makes what may be there already, or drops what may be gone."""
    first = call.args[0] if call.args else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return text.lstrip().lower().startswith(("alter ", "create ", "drop "))
