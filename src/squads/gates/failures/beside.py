"""What is beside a handler: what was assumed before the `try`, the report that nobody fills, the callers who claim."""

from __future__ import annotations

import ast
import re

from squads.gates.failures.after import After, Said, bound, called, is_log, statements
from squads.gates.failures.loud import warns
from squads.gates.failures.words import (
    MESSAGES,
    failure_like,
    is_negative,
    is_quiet,
    judges,
    says_failure,
    success_like,
)
from squads.gates.python import Function, Instance, Program
from squads.gates.secrets.words import words_of

_CALLERS_MAX = 40
_TELLS = re.compile(r"(?i)sent|notif|mail|deliver|publish|messag|announc|inform|invit|remind|sms|len\(|counts it")


class Beside:
    """Answers about what stands around the handlers of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)

    # Before

    def assumed(
        self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, function: Function | None
    ) -> ast.AST | None:
        """Return where the good answer is assumed before the `try`, or by its handler, and given where it failed."""
        if function is None or isinstance(function.node, ast.Lambda) or is_negative(function.name):
            return None
        names = bound(node.body) - bound(handler.body)
        block = self._block(node)
        near, _ = self._after.rest(node)
        for one in block:
            if not isinstance(one, ast.Assign) or not isinstance(one.targets[0], ast.Name):
                continue
            name = one.targets[0].id
            if name not in names or not success_like(one.value) or says_failure(name) or is_negative(name):
                continue
            given = any(
                isinstance(s, ast.Return) and isinstance(s.value, ast.Name) and s.value.id == name for s in near
            )
            if given and (
                judges(function.name)
                or not isinstance(one.value, ast.Constant)
                or judges(name)
                or (isinstance(one.value.value, str))
            ):
                return one
        return None

    def same_as_expected(self, handler: ast.ExceptHandler, near: list[ast.stmt]) -> ast.AST | None:
        """Return where a handler sets what is compared to the very value that it is compared with."""
        for one in handler.body:
            if not isinstance(one, ast.Assign) or not isinstance(one.targets[0], ast.Name):
                continue
            left, right = one.targets[0].id, ast.unparse(one.value)
            for later in statements(near):
                if isinstance(later, ast.Compare) and isinstance(later.ops[0], ast.Eq):
                    sides = {ast.unparse(later.left), ast.unparse(later.comparators[0])}
                    if sides == {left, right} and isinstance(one.value, ast.Name | ast.Attribute):
                        return one
        return None

    def counted_on(self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> Said | None:
        """Return where what a log is told was refused as wrong is counted as done all the same."""
        kinds = ast.unparse(handler.type).strip("()").split(", ") if handler.type is not None else [""]
        wrong = all(k in ("ValueError", "TypeError") or k.endswith("ValidationError") for k in kinds)
        if not wrong or not warns(handler) or any(isinstance(s, ast.Continue) for s in handler.body):
            return None
        said = self._after.said(self._after.rest(node)[0], bound([*node.body, *handler.body]))
        return said if said.how == "success" and isinstance(said.node, ast.AugAssign) else None

    def _block(self, node: ast.stmt) -> list[ast.stmt]:
        """Return the statements before one, in its block."""
        parent = self._program.files.parent(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, None)
            if isinstance(block, list) and node in block:
                return block[: block.index(node)]
        return []

    # The report

    def unfilled(self, node: ast.AST, function: Function | None) -> str:
        """Return the place for failures, in a report that a function makes and gives back, that nobody writes into."""
        if function is None or isinstance(function.node, ast.Lambda):
            return ""
        for one in statements(function.node.body):
            if not isinstance(one, ast.Assign) or not isinstance(one.targets[0], ast.Name):
                continue
            name = one.targets[0].id
            if not any(isinstance(n, ast.Name) and n.id == name for r in function.returns for n in ast.walk(r)):
                continue
            for field in self._fields(one):
                if not self._written(field):
                    return f"`{name}.{field}`"
        return ""

    def bypassed(self, function: Function | None) -> str:
        """Return the list of failures that a function fills and answers; a handler that adds nothing goes past it."""
        if function is None or isinstance(function.node, ast.Lambda):
            return ""
        answered = {
            n.id for r in function.returns for n in ast.walk(r) if isinstance(n, ast.Name) and _for_failures(n.id)
        }
        return next(iter(sorted(answered & bound(function.node.body))), "")

    def _fields(self, one: ast.Assign) -> list[str]:
        if isinstance(one.value, ast.Dict):
            keys = [k.value for k in one.value.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
            return [k for k in keys if _for_failures(k)]
        found = []
        if isinstance(one.value, ast.Call) and not one.value.args and not one.value.keywords:
            for thing in self._program.names.things(one.value):
                if isinstance(thing, Instance):
                    found += [
                        s.target.id
                        for s in thing.made_by.node.body
                        if isinstance(s, ast.AnnAssign)
                        and isinstance(s.target, ast.Name)
                        and _for_failures(s.target.id)
                    ]
        return found

    def _written(self, field: str) -> bool:
        """Return whether anything in the program is put into a field of this name."""
        pattern = re.compile(
            rf"\.{field}\s*(?:=[^=]|\+=)|\.{field}\.(?:append|add|extend|setdefault|update|insert)\(|\.{field}\["
            rf"|\[['\"]{field}['\"]\]\s*(?:=[^=]|\+=|\.\w+\()|\b{field}="
            rf"|(?<!len)(?<!bool)(?<!join)(?<!print)(?<!any)(?<!list)(?<!str)[(,]\s*(?!self\.)\w+\.{field}\b"
        )
        return any(pattern.search(content.decode("utf-8", "replace")) for _, content in self._program.files.texts())

    # The callers

    def claimed_by_callers(self, function: Function) -> Said | None:
        """Return what a caller says once it called a function whose answer it does not take."""
        found = self._callers(function)
        return found[0] if found and claims_of(function, found[0]) else None

    def believed(self, function: Function, *, message: bool) -> Said | None:
        """Return what a caller says that takes the answer of a function for that of work that was done."""
        for call in self._program.calls.callers(function)[:_CALLERS_MAX]:
            around, statement = self._program.function_of(call), self._statement(call)
            if around is None or around is function or statement is None:
                continue
            near, far = self._after.rest(statement)
            said = self._after.said([statement, *near, *far], set())
            if said.how == "success" and (not message or _TELLS.search(said.what)):
                return said
        return None

    def _statement(self, node: ast.AST) -> ast.stmt | None:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            parent = self._program.files.parent(parent)
        return parent

    def dropped(self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> tuple[Said, ast.Call] | None:
        """Return the caller who drops the `False` that a handler answers, and says success."""
        function = self._program.function_of(node)
        if function is None or is_quiet(function.name) or isinstance(function.node, ast.Lambda):
            return None
        answers = [s for s in handler.body if isinstance(s, ast.Return)]
        if not answers or answers[0].value is None or not failure_like(answers[0].value):
            return None
        if not any(not failure_like(r) for r in function.returns):
            return None
        found = self._callers(function)
        return None if found is None or plain(found[0]) else found

    def _callers(self, function: Function) -> tuple[Said, ast.Call] | None:
        for call in self._program.calls.callers(function)[:_CALLERS_MAX]:
            parent = self._taker(call)
            if not isinstance(parent, ast.Expr):
                continue
            near, far = self._after.rest(parent)
            said = self._after.said([*near, *far], set())
            if said.how == "success":
                return said, call
        return None

    def _taker(self, call: ast.Call) -> ast.AST | None:
        """Return who takes what a call answers; what only waits for it is passed by."""
        parent = self._program.files.parent(call)
        while isinstance(parent, ast.Await | ast.Starred | ast.GeneratorExp | ast.ListComp) or (
            isinstance(parent, ast.Call) and called(parent) in ("create_task", "gather", "ensure_future", "start_soon")
        ):
            parent = self._program.files.parent(parent)
        return parent


def claims_of(function: Function, said: Said) -> bool:
    """Return whether what a caller says is about what a function does: a closed ticket is no message that was sent."""
    words = set(words_of(function.name))
    if words.isdisjoint(MESSAGES | {"alert", "ping", "telegram", "discord", "teams"}):
        return True
    return bool(_TELLS.search(said.what))


def tells_of_messages(text: str) -> bool:
    """Return whether a text is about messages; an answer's field of that name is none."""
    return bool(_TELLS.search(re.sub(r"\bmessage\b['\"]?\s*[=:]", "", text)))


def plain(said: Said) -> bool:
    """Return whether all that is said is a bare `True`, which may answer another question."""
    return isinstance(said.node, ast.Return) and isinstance(said.node.value, ast.Constant)


def recorded(body: list[ast.stmt], names: set[str]) -> bool:
    """Return whether a block hands one of `names` to somebody else than a log."""
    for one in statements(body):
        if isinstance(one, ast.Call) and not is_log(one) and called(one) not in ("isinstance", "issubclass"):
            given = [*one.args, *(k.value for k in one.keywords)]
            if any(isinstance(n, ast.Name) and n.id in names for g in given for n in ast.walk(g)):
                return True
        if isinstance(one, ast.Assign) and any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(one.value)):
            return True
    return False


def _for_failures(name: str) -> bool:
    return bool(
        re.search(r"(?i)^(?:\w+_)?(?:failed|failures?|errors?|problems?|skipped|rejected|bad|missed|not_\w+)$", name)
    )
