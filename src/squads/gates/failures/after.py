"""What a function says once a place in it was passed: success, something, or nothing more."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from squads.gates.failures.words import (
    EFFECTS,
    counts_success,
    counts_tries,
    failure_like,
    is_done,
    is_state,
    marks,
    says_failure,
    says_success,
    settled,
    success_like,
    tells_success,
)
from squads.gates.python import Function, Program
from squads.gates.python.children import children
from squads.gates.secrets.words import words_of

_LOG = re.compile(
    r"(?i)get_?logger\(.*\)\.\w+$|(?:^|\.)_?(?:log|logger|logging|structlog|loguru|protokoll|logbuch)\d*(?:\(\))?\.\w+$|^print$|traceback\.|warnings\.warn"
    r"|^(?:click|typer)\.s?echo$|(?:^|\.)console\.print$|(?:^|\.)std(?:err|out)\.write$|^s?echo$"
)
_LEVELS = frozenset(("debug", "info", "warning", "warn", "error", "exception", "critical"))
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said after a place, and where."""

    how: Literal["success", "value", "nothing"]
    node: ast.AST | None = None
    what: str = ""


def is_log(call: ast.Call) -> bool:
    """Return whether a call only tells a log or a stream."""
    return bool(_LOG.search(ast.unparse(call.func))) or _is_line(call)


def _is_line(call: ast.Call) -> bool:
    """Return whether a call is written as only loggers are called: `x.error("no %s", name)`, `x.exception("no")`."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _LEVELS or not call.args:
        return False
    first = call.args[0]
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return False
    told = any(k.arg in ("exc_info", "extra", "stack_info") for k in call.keywords)
    return told or call.func.attr == "exception" or ("%" in first.value and len(call.args) > 1)


def statements(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes of a block, those of inner functions left out."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, SCOPES):
            inside = children(node)
            inside.reverse()
            waiting += inside


def calls(body: Sequence[ast.AST]) -> list[ast.Call]:
    """Return the calls of a block."""
    return [n for n in statements(body) if isinstance(n, ast.Call)]


def called(call: ast.Call) -> str:
    """Return the last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def bound(body: Sequence[ast.AST]) -> set[str]:
    """Return the names that a block gives a value, or puts something into."""
    found = {n.id for n in statements(body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in statements(body):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
        elif (
            isinstance(node, ast.Call)
            and called(node) in ("append", "add", "extend")
            and isinstance(node.func, ast.Attribute)
        ) and isinstance(node.func.value, ast.Name):
            found.add(node.func.value.id)
    return found


def _leaves(body: Sequence[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


class After:
    """Answers what is said after a place in a function of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def rest(self, node: ast.stmt) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Return the statements that run after `node` ended: those of its own round of a loop, and those after it."""
        last = node.finalbody if isinstance(node, ast.Try | ast.TryStar) else []
        near: list[ast.stmt] = [s for s in last if _counts_or_marks(s)]
        far: list[ast.stmt] = []
        child: ast.AST = node
        parent = self._program.files.parent(node)
        looped = False
        while parent is not None:
            for name in ("body", "orelse", "finalbody", "handlers"):
                block = getattr(parent, name, None)
                if isinstance(block, list) and child in block and name != "handlers":
                    following = block[block.index(child) + 1 :]
                    if name == "body" and isinstance(parent, ast.Try) and child is not node:
                        following = [*following, *parent.orelse]
                    (far if looped else near).extend(following)
            if isinstance(child, SCOPES) or isinstance(parent, SCOPES):
                break
            looped = looped or isinstance(parent, ast.For | ast.AsyncFor | ast.While)
            child, parent = parent, self._program.files.parent(parent)
        return near, far

    def said(self, body: Sequence[ast.stmt], guards: set[str], *, exit_code: bool = False) -> Said:
        """Return what a block says, where nothing in it asks one of `guards` how things went."""
        weak: Said | None = None
        for statement in body:
            found = self._statement(statement, guards, exit_code)
            if found.how == "success":
                return found
            if found.how == "value" and weak is None:
                weak = found
            if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
                break
            if isinstance(statement, ast.If) and self._asks(statement.test, guards) and _leaves(statement.body):
                break  # what follows depends on it
        return weak or Said("nothing")

    def says(self, node: ast.stmt, *, exit_code: bool = False) -> Said:
        """Return what one statement says by itself."""
        return self._statement(node, set(), exit_code)

    def _statement(self, node: ast.stmt, guards: set[str], exit_code: bool) -> Said:
        match node:
            case ast.Return():
                return self._return(node, guards, exit_code)
            case ast.Raise(exc=ast.Call() as made) if called(made) == "SystemExit":
                done = [getattr(a, "value", None) for a in made.args] in ([], [0])
                return Said("success", node, "ends with exit code 0") if done and exit_code else Said("nothing")
            case ast.Raise() | ast.Assert():
                return Said("nothing")
            case ast.If():
                if self._asks(node.test, guards):
                    return Said("nothing")
                return self._first(
                    [
                        self.said(node.body, guards, exit_code=exit_code),
                        self.said(node.orelse, guards, exit_code=exit_code),
                    ]
                )
            case ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith():
                if isinstance(node, ast.For | ast.AsyncFor) and self._asks(node.iter, guards):
                    return Said("nothing")
                return self.said(node.body, guards, exit_code=exit_code)
            case ast.Try() | ast.TryStar():
                return self._first(
                    [
                        self.said(node.body, guards, exit_code=exit_code),
                        self.said(node.finalbody, guards, exit_code=exit_code),
                    ]
                )
            case ast.Assign():
                return self._assign(node, guards)
            case ast.AugAssign():
                return self._counted(node, guards)
            case ast.Expr():
                return self._call(node.value, guards, exit_code)
        return Said("nothing")

    @staticmethod
    def _first(parts: list[Said]) -> Said:
        return next((p for p in parts if p.how == "success"), next((p for p in parts if p.how == "value"), parts[0]))

    def _asks(self, node: ast.expr, guards: set[str]) -> bool:
        return any(isinstance(n, ast.Name) and n.id in guards for n in ast.walk(node))

    def _return(self, node: ast.Return, guards: set[str], exit_code: bool) -> Said:
        if node.value is None or self._asks(node.value, guards):
            return Said("nothing")
        if success_like(node.value, exit_code=exit_code) or self._named(node.value, exit_code):
            return Said("success", node, f"returns {ast.unparse(node.value)[:60]}")
        if isinstance(node.value, ast.JoinedStr) and says_success(ast.unparse(node.value)):
            return Said("success", node, f"returns {ast.unparse(node.value)[:60]}")
        if isinstance(node.value, ast.Dict) and any(
            isinstance(k, ast.Constant) and says_failure(str(k.value)) and _none_of_them(v)
            for k, v in zip(node.value.keys, node.value.values, strict=True)
        ):
            return Said("success", node, f"returns {ast.unparse(node.value)[:60]}")
        if failure_like(node.value):
            return Said("nothing")
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "len":
            return Said("success", node, f"returns {ast.unparse(node.value)[:60]}")
        if isinstance(node.value, ast.Dict) and any(
            isinstance(k, ast.Constant)
            and isinstance(k.value, str)
            and (says_success(k.value) or counts_success(k.value))
            for k in node.value.keys
        ):
            return Said("success", node, f"returns {ast.unparse(node.value)[:60]}")
        return Said("value", node, f"returns {ast.unparse(node.value)[:60]}")

    def _named(self, node: ast.expr, exit_code: bool) -> bool:
        if isinstance(node, ast.Attribute) and is_state(node.attr):
            made = [b.value for b in self._program.values.all_bindings(node) if not b.path]
            text = self._program.files.module_of(node).source.text
            kept = len(re.findall(rf"\.{node.attr}\b[^=\n]*=(?!=)", text)) == len(made)
            return kept and bool(made) and all(m is not None and success_like(m, exit_code=exit_code) for m in made)
        if not isinstance(node, ast.Name):
            return False
        origins = self._program.values.origins(node)
        return bool(origins) and all(o is not node and success_like(o, exit_code=exit_code) for o in origins)

    def _assign(self, node: ast.Assign, guards: set[str]) -> Said:
        for target in node.targets:
            name = target.attr if isinstance(target, ast.Attribute) else ""
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                name = str(target.slice.value)
            if not name or self._asks(node.value, guards):
                continue
            plain = isinstance(node.value, ast.Constant) and not isinstance(node.value.value, str)
            named = is_state(name) or says_success(name) or (success_like(node.value) and is_done(name))
            if (
                (success_like(node.value) and (named or not plain))
                or (name.endswith("_at") and re.search(r"(?i)now|time|today|clock|date|utc", ast.unparse(node.value)))
                or name.startswith("last_")
                or (is_state(name) and settled(node.value))
            ):
                return Said("success", node, f"sets {ast.unparse(node)[:60]}")
        return Said("nothing")

    def _counted(self, node: ast.AugAssign, guards: set[str]) -> Said:
        """Return success where something is counted as done: `report.imported += 1`."""
        target = node.target
        name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            name = str(target.slice.value)
        one = isinstance(node.value, ast.Constant) and isinstance(node.value.value, int)
        whole = isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "len"
        if not name or not isinstance(node.op, ast.Add) or not (one or whole) or self._asks(node.value, guards):
            return Said("nothing")
        if counts_success(name) or (isinstance(target, ast.Name) and self._is_answer(node, target)):
            return Said("success", node, f"counts it: {ast.unparse(node)[:60]}")
        return Said("nothing")

    def _is_answer(self, node: ast.AugAssign, target: ast.Name) -> bool:
        """Return whether a counter is what the function answers, alone."""
        function = self._program.function_of(node)
        if function is None or counts_tries(target.id) or len(target.id) < 2:
            return False
        return any(isinstance(r, ast.Name) and r.id == target.id for r in function.returns)

    def _call(self, node: ast.expr, guards: set[str], exit_code: bool) -> Said:
        node = node.value if isinstance(node, ast.Await) else node
        if not isinstance(node, ast.Call) or self._asks(node, guards):
            return Said("nothing")
        text = ast.unparse(node)
        name = called(node)
        if is_log(node):
            first = next((a for a in node.args), None)
            if isinstance(first, ast.Call) and re.search(r"(?:^|\.)(?:style|green|bold)\b", ast.unparse(first.func)):
                first = next((a for a in first.args), None)  # `self.style.SUCCESS(...)`
            told = ast.unparse(first) if isinstance(first, ast.Constant | ast.JoinedStr) else ""
            written = name == "write" and not text.startswith(("self.stderr", "sys.stderr"))
            if written and says_success(told):
                return Said("success", node, f"reports {told[:60]}")
            if name in ("info", "print", "success", "debug", "echo", "secho", "notice") and says_success(told):
                return Said("success", node, f"reports {told[:60]}")
            return Said("nothing")
        if exit_code and name in ("exit", "_exit") and [getattr(a, "value", None) for a in node.args] == [0]:
            return Said("success", node, "ends with exit code 0")
        if failure_like(node):
            return Said("nothing")
        if name == "task_done":
            return Said("nothing")
        if name == "success" and isinstance(node.func, ast.Attribute):
            return Said("success", node, f"reports {text[:60]}")
        box = node.func.value if isinstance(node.func, ast.Attribute) else None
        if name in ("append", "add", "extend") and isinstance(box, ast.Name | ast.Attribute):
            held = box.id if isinstance(box, ast.Name) else box.attr
            if counts_success(held):
                return Said("success", node, f"puts it into `{held}`")
        given = [*node.args, *(k.value for k in node.keywords)]
        if (
            marks(name)
            or any(isinstance(a, ast.Call) and tells_success(called(a)) for a in given)
            or any(
                success_like(a)
                and isinstance(a, ast.Constant | ast.Attribute)
                and not isinstance(getattr(a, "value", None), bool | int)
                for a in given
            )
        ):
            return Said("success", node, f"calls {text[:60]}")
        if any(
            re.search(r"(?i)receipt|'(?:sent|paid|done|shipped|processed|delivered)'", ast.unparse(a)) for a in given
        ):
            return Said("success", node, f"calls {text[:60]}")
        if not EFFECTS.isdisjoint(words_of(name)) and isinstance(node.func, ast.Attribute):
            return Said("value", node, f"calls {text[:60]}")
        return Said("nothing")


def answers_shell(function: Function | None) -> bool:
    """Return whether what a function returns is the exit code of a command."""
    if function is None or isinstance(function.node, ast.Lambda):
        return False
    commands = any(re.search(r"\bcommand\b|\bcallback\b", ast.unparse(d)) for d in function.node.decorator_list)
    return commands or function.name in ("main", "cli", "run_cli", "handle")


def _none_of_them(node: ast.expr) -> bool:
    """Return whether a value says that there are none."""
    return (isinstance(node, ast.List | ast.Tuple | ast.Dict) and not ast.unparse(node).strip("[](){}")) or (
        isinstance(node, ast.Constant) and node.value == 0 and not isinstance(node.value, bool)
    )


def _counts_or_marks(node: ast.stmt) -> bool:
    """Return whether a statement of a `finally` counts something as done or takes it off a queue."""
    if isinstance(node, ast.AugAssign):
        return True
    call = node.value if isinstance(node, ast.Expr) else None
    call = call.value if isinstance(call, ast.Await) else call
    return isinstance(call, ast.Call) and marks(called(call)) and called(call) != "task_done"


def returns_value(function: Function | None) -> bool:
    """Return whether a function gives its caller something on some way."""
    return function is not None and any(not (isinstance(r, ast.Constant) and r.value is None) for r in function.returns)
