"""Whether a handler tells somebody of the failure, tries another way, or lets only some failures end."""

from __future__ import annotations

import ast
import re

from squads.gates.failures.after import bound, called, calls, is_log, statements
from squads.gates.failures.words import EFFECTS, failure_like, is_state, says_failure, success_like
from squads.gates.python import Function, Program
from squads.gates.secrets.words import words_of

_TELLS = re.compile(
    r"(?i)^(?:set_exception|fail|reject|nack|requeue|retry|abort|refuse|deny|reraise|raise_\w*|defer|quarantine|dead_letter"
    r"|send_error|on_error|errback|mark_failed|print_exc_and_exit|add_error|on_failure|enqueue_retry|park|mark_error)$|fail|error"
)
_SWITCH = re.compile(r"(?i)debug|strict|testing|environ|getenv|verbose|\bdev\b|\benv\b")


def has_effects(function: Function) -> bool:
    """Return whether a function itself calls what writes, sends or pays."""
    return not isinstance(function.node, ast.Lambda) and any(
        not EFFECTS.isdisjoint(words_of(called(c))) and not is_log(c) for c in calls(function.node.body)
    )


class Telling:
    """Answers about the handlers of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def handled(self, handler: ast.ExceptHandler, node: ast.Try | ast.TryStar, function: Function | None) -> bool:
        """Return whether a handler tells somebody, tries another way, or lets only some failures end."""
        caught = handler.name or ""
        for one in statements(handler.body):
            match one:
                case ast.Raise():
                    test = self._test(one, handler)
                    if test is None or not _SWITCH.search(ast.unparse(test)):
                        return True
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                    if self._notes(one, caught, node, function):
                        return True
                case ast.Call() if not is_log(one) and not self._answers(one):
                    if self._tells(one, caught, function):
                        return True
                case ast.Yield():
                    return True
        return False

    def _answers(self, call: ast.Call) -> bool:
        """Return whether a call is what the handler returns, and says success whatever else it says."""
        return isinstance(self._program.files.parent(call), ast.Return) and success_like(call)

    def _test(self, node: ast.AST, top: ast.AST) -> ast.expr | None:
        parent = self._program.files.parent(node)
        while parent is not None and parent is not top:
            if isinstance(parent, ast.If):
                return parent.test
            parent = self._program.files.parent(parent)
        return None

    def _notes(
        self,
        one: ast.Assign | ast.AnnAssign | ast.AugAssign,
        caught: str,
        node: ast.Try | ast.TryStar,
        function: Function | None,
    ) -> bool:
        """Return whether an assignment keeps the failure where somebody can see it."""
        value = one.value
        targets = one.targets if isinstance(one, ast.Assign) else [one.target]
        holds = value is not None and any(isinstance(n, ast.Name) and n.id == caught for n in ast.walk(value))
        for target in targets:
            if isinstance(target, ast.Tuple) and holds:
                return True
            if isinstance(target, ast.Name):
                read = self._read_later(target, function)
                if not read:
                    continue
                if holds or says_failure(target.id) or (value is not None and failure_like(value)):
                    return True
                # Another value for what the `try` would have bound is a fallback, where it is no success itself.
                if target.id in bound(node.body) and not success_like(value):
                    return True
            elif isinstance(target, ast.Attribute | ast.Subscript):
                box = target.value
                if (
                    isinstance(target, ast.Subscript)
                    and isinstance(box, ast.Name)
                    and (not self._box_is_read(box, function))
                ):
                    continue
                if isinstance(value, ast.Constant) and value.value is True and says_failure(ast.unparse(target)):
                    return True
                if holds or (
                    not success_like(value)
                    and (
                        says_failure(ast.unparse(target))
                        or is_state(ast.unparse(target).rsplit(".", 1)[-1].strip("[]'\""))
                        or (value is not None and failure_like(value) and not isinstance(value, ast.Constant))
                    )
                ):
                    return True
                if isinstance(value, ast.Constant) and failure_like(value):
                    return True
        return False

    def _read_later(self, target: ast.Name, function: Function | None) -> bool:
        module = self._program.files.module_of(target)
        binding = module.scopes.by_target.get(target)
        if binding is None or function is None:
            return True
        loads = module.loads(binding)
        later = [b for b in binding.scope.bindings.get(target.id, ()) if binding in b.earlier]
        loads += [load for b in later for load in module.loads(b)]
        return any(not self._only_logged(load) for load in loads)

    def _only_logged(self, load: ast.AST) -> bool:
        parent = self._program.files.parent(load)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.Call) and is_log(parent):
                return True
            parent = self._program.files.parent(parent)
        return isinstance(parent, ast.AugAssign)

    def _tells(self, call: ast.Call, caught: str, function: Function | None) -> bool:
        name = called(call)
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        text = ast.unparse(receiver) if receiver is not None else ""
        if name in ("append", "add", "appendleft", "extend", "setdefault", "put", "put_nowait", "update", "write"):
            base = receiver
            while isinstance(base, ast.Attribute | ast.Subscript):
                base = base.value
            if isinstance(receiver, ast.Name) and isinstance(base, ast.Name):
                return self._box_is_read(receiver, function)
            return True
        if re.search(
            r"(?i)^(?:capture_exception|format_exc|print_exc|record_exception|exc_info|rollback|sleep|repr|str|type"
            r"|isinstance|getattr|increment|incr|inc|format)$",
            name,
        ):
            return False
        if re.search(r"(?i)metric|statsd|sentry|telemetry|span|traceback", text):
            return False
        holds = (
            any(isinstance(n, ast.Name) and n.id == caught for a in call.args for n in ast.walk(a)) if caught else False
        )
        if holds or _TELLS.search(name) or _TELLS.search(text):
            return True
        functions = self._program.names.functions(call)
        if functions and not any(has_effects(f) for f in functions):
            return any(
                isinstance(s, ast.Raise)
                for f in functions
                if not isinstance(f.node, ast.Lambda)
                for s in statements(f.node.body)
            )
        # Another way to do the work is no silence.
        words = set(words_of(name))
        return bool(words & EFFECTS) and not any(success_like(a) for a in call.args)

    def _box_is_read(self, box: ast.Name, function: Function | None) -> bool:
        module = self._program.files.module_of(box)
        for binding in module.bindings(box):
            if isinstance(binding.node, ast.arg) or binding.scope.node is module.tree:
                return True
            for load in module.loads(binding):
                parent = module.parents.get(load)
                adds = isinstance(parent, ast.Attribute) and parent.attr in ("append", "add", "extend", "appendleft")
                if isinstance(parent, ast.Subscript) and parent.value is load:
                    adds = isinstance(parent.ctx, ast.Store)
                if not adds and not self._only_logged(load):
                    return True
        return False
