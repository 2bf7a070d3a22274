"""Failures that come as results nobody looks at: return codes, gathered exceptions, futures, the end of all tries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.failures.after import After, called, is_log, statements
from squads.gates.failures.collected import Collected
from squads.gates.failures.handlers import Swallowed
from squads.gates.failures.outcomes import Outcomes
from squads.gates.failures.retries import Retries
from squads.gates.failures.sources import Kind
from squads.gates.failures.telling import Telling
from squads.gates.failures.words import is_quiet, says_failure
from squads.gates.python import Function, Module, Program

_WHAT: dict[Kind, str] = {
    "command": "nobody looks at the command's return code",
    "response": "nobody looks at the status of the response",
    "gathered": "nobody asks whether what was gathered holds failures",
    "future": "nobody asks the future for its result",
    "process": "nobody looks at the exit code of the process",
    "switched": "the call was told not to raise, and nobody looks at its answer",
    "batch": "nobody looks for what the batch refused",
    "answer": "the answer may be that it failed, and nobody looks at it",
}
_ASKED = re.compile(
    r"""\.get\(['\"](?:rejected|refused|failed|failures|errors?|invalid|unprocessed\w*)['\"]|\.(?:rowcount|is_error|errors?|failed|failures|returncode|exit_?code|ok|success|is_success|status_code)\b"""
    r"""|(?:\.|\[['\"])(?:status|state|result)(?:['\"]\])? (?:!=|==|not in|in) """
    r"""|\[['\"](?:errors?|failed|failures|ok|success|Failed\w+|Unprocessed\w+)['\"]\]"""
)
_TOLD = frozenset((ast.Assign, ast.If))
_LOOPS = frozenset((ast.For, ast.AsyncFor, ast.While))


class Results:
    """Finds the results of one program that say "failed" to nobody."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._outcomes = Outcomes(program)
        self._collected = Collected(program)
        self._telling = Telling(program)
        self._after = After(program)

    def modules(self) -> list[Module]:
        """Return the modules to look through."""
        return self._outcomes.modules()

    def found(self, module: Module) -> Iterator[Swallowed]:
        """Yield what one module does not look at."""
        for call, kind, said in self._outcomes.unseen(module):
            function = self._program.function_of(call)
            if function is None or not is_quiet(function.name):
                yield Swallowed(call, f"{_WHAT[kind]}, and the function {said.what}", said.node)
                for function in self._outcomes.functions(call):
                    if function in self._outcomes.softened and self._at_home(module, function):
                        yield Swallowed(self._outcomes.softened[function], f"{_WHAT[kind]}, and a caller {said.what}")
        for call in module.calls:
            if called(call) == "add_done_callback":
                dropped = self._callback(call)
                if dropped is not None:
                    yield dropped
        for node in [n for n in module.parents if n.__class__ in _TOLD]:
            if isinstance(node, ast.Assign):
                told = self._outcomes.told(module, node)
                if told is not None:
                    yield Swallowed(node, f"only a log gets the status, and the function {told.what}", told.node)
            if isinstance(node, ast.If):
                seen = self._seen_and_logged(node)
                if seen is not None:
                    yield seen
        yield from self._unreported(module)
        yield from self._collected.found(module)
        retries = Retries(self._program)
        for node in [n for n in module.parents if n.__class__ in _LOOPS]:
            retried: Swallowed | None = None
            if isinstance(node, ast.For | ast.AsyncFor | ast.While):
                retried = retries.look(node)
            if retried is not None:
                yield retried

    def _seen_and_logged(self, node: ast.If) -> Swallowed | None:
        """Return a test for failure that only tells a log, before the function says success."""
        if node.orelse or not any(map(_loud, node.body)):
            return None
        test = node.test.target if isinstance(node.test, ast.NamedExpr) else node.test
        named = isinstance(test, ast.Name) and says_failure(test.id)
        if not named and not _ASKED.search(ast.unparse(node.test)):
            return None
        function = self._program.function_of(node)
        if function is None or is_quiet(function.name) or self._telling.acts(node.body, node):
            return None
        near, far = self._after.rest(node)
        guards = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        if any(
            isinstance(n, ast.Name) and n.id in guards for s in [*near, *far] for t in _tests(s) for n in ast.walk(t)
        ):
            return None
        said = self._after.said([*near, *far], set())
        repeated = said.node is not None and ast.unparse(node.test) in ast.unparse(said.node)
        if said.how != "success" or repeated:
            return None
        return Swallowed(node, f"the failure is seen and only logged, and the function {said.what}", said.node)

    def _unreported(self, module: Module) -> Iterator[Swallowed]:
        """Yield where a script calls its command, and drops the exit code that the command answers."""
        for node in module.tree.body:
            if not isinstance(node, ast.If) or "__name__" not in ast.unparse(node.test):
                continue
            for one in node.body:
                call = one.value if isinstance(one, ast.Expr) else None
                for function in self._program.names.functions(call) if isinstance(call, ast.Call) else ():
                    codes = {r.value for r in function.returns if isinstance(r, ast.Constant) and type(r.value) is int}
                    if (
                        function.module is module
                        and 0 in codes
                        and len(codes) > 1
                        and len(function.returns) >= len(codes)
                    ):
                        yield Swallowed(
                            one, f"the exit code that {function.name}() answers is dropped: the script ends with 0"
                        )

    def _at_home(self, module: Module, function: Function) -> bool:
        return self._program.files.module_of(self._outcomes.softened[function]) is module

    def _callback(self, call: ast.Call) -> Swallowed | None:
        given = call.args[0] if call.args else None
        if isinstance(given, ast.Lambda) and isinstance(given.body, ast.Call) and called(given.body) == "exception":
            return Swallowed(call, "the callback fetches the failure and drops it")
        return None


def _loud(node: ast.stmt) -> bool:
    """Return whether a statement tells a log that something went wrong."""
    call = node.value if isinstance(node, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and is_log(call)
        and called(call) in ("warning", "error", "critical", "print", "warn")
    )


def _tests(node: ast.stmt) -> list[ast.expr]:
    """Return what is asked in a statement."""
    return [n.test for n in statements([node]) if isinstance(n, ast.If | ast.IfExp | ast.While | ast.Assert)]
