"""Whether a handler tells somebody of the failure, tries another way, or lets only some failures end."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from squads.gates.failures.after import bound, called, calls, is_log, returns_value, statements
from squads.gates.failures.words import (
    BEST_EFFORT,
    EFFECTS,
    counts_success,
    failure_like,
    is_state,
    says_failure,
    success_like,
)
from squads.gates.python import Function, Module, Program
from squads.gates.secrets.words import words_of

_TELLS = re.compile(
    r"(?i)^(?:set_exception|fail|reject|nack|requeue|retry|abort|refuse|deny|reraise|raise_\w*|defer|quarantine|dead_letter"
    r"|send_error|on_error|errback|mark_failed|print_exc_and_exit|add_error|on_failure|enqueue_retry|park|mark_error)$|fail|error"
)
_DEPTH_MAX = 4
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
        self._asking: set[ast.stmt] = set()

    def handled(self, handler: ast.ExceptHandler, node: ast.Try | ast.TryStar, function: Function | None) -> bool:
        """Return whether a handler tells somebody, tries another way, or lets only some failures end."""
        return any(self.tells(one, handler, node, function) for one in statements(handler.body))

    def tells(
        self, one: ast.AST, handler: ast.ExceptHandler, node: ast.Try | ast.TryStar, function: Function | None
    ) -> bool:
        """Return whether one node of a handler tells somebody, or tries another way."""
        match one:
            case ast.Raise():
                test = self._test(one, handler)
                return test is None or not _SWITCH.search(ast.unparse(test))
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                return self._notes(one, handler.name or "", node, function)
            case ast.Call() if not is_log(one) and not self._answers(one):
                if ast.unparse(one) in {ast.unparse(c) for c in calls(node.body)} and not self.idle(one):
                    return True  # it is tried once more, and that may raise
                return self._tells(one, handler.name or "", function) and not self._rarely(one, handler)
            case ast.Yield():
                return True
        return False

    def _rarely(self, call: ast.Call, handler: ast.ExceptHandler) -> bool:
        """Return whether a failure is put aside only where something else than the failure is so."""
        if called(call) not in ("append", "add", "extend"):
            return False
        test = self._test(call, handler)
        names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)} if test is not None else set()
        return test is not None and handler.name not in names and "cancel" in ast.unparse(test)

    def _answers(self, call: ast.Call) -> bool:
        """Return whether a call is what the handler returns, and says success whatever else it says."""
        parent = self._program.files.parent(call)
        while parent is not None and not isinstance(parent, ast.stmt):
            parent = self._program.files.parent(parent)
        return isinstance(parent, ast.Return) and success_like(parent.value)

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
                read = self.read_later(target, function)
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
                    and (not self.box_is_read(box, function))
                ):
                    continue
                if isinstance(one, ast.AugAssign) and isinstance(target, ast.Attribute) and self._is_asked(target):
                    return True
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

    def _is_asked(self, target: ast.Attribute) -> bool:
        """Return whether a counter of an object counts no success, and is read somewhere."""
        if counts_success(target.attr):
            return False
        reads = [r for m in self._program.files.modules for r in m.attributes.get(target.attr, ())]
        return any(isinstance(r.ctx, ast.Load) and not self.only_logged(r) for r in reads)

    def read_later(self, target: ast.Name, function: Function | None) -> bool:
        """Return whether what a name is given is looked at afterwards by more than a log."""
        module = self._program.files.module_of(target)
        binding = module.scopes.by_target.get(target)
        if binding is None or function is None:
            return True
        loads = module.loads(binding)
        later = [b for b in binding.scope.bindings.get(target.id, ()) if binding in b.earlier]
        loads += [load for b in later for load in module.loads(b)]
        return any(not self.only_logged(load) for load in loads)

    def only_logged(self, load: ast.AST) -> bool:
        """Return whether a value that is read here is only told to a log."""
        child, parent = load, self._program.files.parent(load)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.Call) and is_log(parent):
                return True
            if isinstance(parent, ast.BoolOp) and any(v is not child and self._counted(v) for v in parent.values):
                return True  # `0 if n or not errors else 1`: what was done outweighs what failed
            child, parent = parent, self._program.files.parent(parent)
        if isinstance(parent, ast.For) and parent.iter is child:
            return not self.acts(parent.body, parent)
        if isinstance(parent, ast.If) and not any(
            n is load for s in [*parent.body, *parent.orelse] for n in ast.walk(s)
        ):
            return not (self.acts(parent.body, parent) or self.acts(parent.orelse, parent))
        return isinstance(parent, ast.AugAssign) and child is not parent.value

    def _counted(self, node: ast.expr) -> bool:
        """Return whether an expression asks a counter whether anything was done."""
        while isinstance(node, ast.UnaryOp):
            node = node.operand
        if isinstance(node, ast.Compare) and isinstance(node.comparators[0], ast.Constant):
            node = node.left
        if not isinstance(node, ast.Name):
            return False
        bindings = self._program.files.module_of(node).bindings(node)
        return any(isinstance(self._program.files.parent(b.node), ast.AugAssign) for b in bindings)

    def _tells(self, call: ast.Call, caught: str, function: Function | None) -> bool:
        name = called(call)
        if name in ("exit", "_exit", "set_exit_code") and any(
            not (isinstance(a, ast.Constant) and a.value in (0, None)) for a in call.args
        ):
            return True
        if name == "flash" and not any(map(success_like, call.args)):
            return True  # who asked is told on the page
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        text = ast.unparse(receiver) if receiver is not None else ""
        if name in ("append", "add", "appendleft", "extend", "setdefault", "put", "put_nowait", "update", "write"):
            base = receiver
            while isinstance(base, ast.Attribute | ast.Subscript):
                base = base.value
            if isinstance(receiver, ast.Name) and isinstance(base, ast.Name):
                return self.box_is_read(receiver, function)
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
        if holds and self._program.names.functions(call) and self.idle(call):
            return False
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

    def box_is_read(self, box: ast.Name, function: Function | None, depth: int = 0) -> bool:
        """Return whether what is put into a list is looked at by anybody, also by those who handed the list in."""
        module = self._program.files.module_of(box)
        for binding in module.bindings(box):
            if binding.scope.node is module.tree or depth > _DEPTH_MAX:
                return True
            if isinstance(binding.node, ast.arg) and self._read_by_callers(binding.node, depth):
                return True
            if any(self._is_read(module, load, depth) for load in module.loads(binding)):
                return True
        return False

    def _is_read(self, module: Module, load: ast.Name, depth: int) -> bool:
        parent = module.parents.get(load)
        if isinstance(parent, ast.Attribute) and parent.attr in ("append", "add", "extend", "appendleft"):
            return False
        if isinstance(parent, ast.Subscript) and parent.value is load:
            return not isinstance(parent.ctx, ast.Store) and not self.only_logged(load)
        if isinstance(parent, ast.Call) and self.only_logged(load):
            return False
        if isinstance(parent, ast.Call) and not is_log(parent) and depth <= _DEPTH_MAX:
            functions = self._program.names.functions(parent)
            if functions:
                return any(self._reads(f, parent, load, depth) for f in functions)
        return not self.only_logged(load)

    def _reads(self, function: Function, call: ast.Call, load: ast.Name, depth: int) -> bool:
        """Return whether a function does more with a list that it is given than to put something into it."""
        for parameter, values in self._program.calls.bind(call, function).items():
            if any(v is load for v in values):
                binding = function.module.scopes.by_target.get(parameter)
                loads = function.module.loads(binding) if binding else []
                return any(self._is_read(function.module, inner, depth + 1) for inner in loads)
        return True

    def _read_by_callers(self, parameter: ast.arg, depth: int) -> bool:
        function = self._program.function_of(parameter)
        callers = self._program.calls.callers(function) if function is not None else []
        if function is None or not callers:
            return True
        given = [v for c in callers for v in self._program.calls.bind(c, function).get(parameter, ())]
        return not given or any(not isinstance(v, ast.Name) or self.box_is_read(v, function, depth + 1) for v in given)

    # Blocks that do nothing

    def acts(self, body: Sequence[ast.stmt], around: ast.stmt) -> bool:
        """Return whether a block does more than to tell a log."""
        if around in self._asking:
            return False  # a name that is only given to itself is looked at elsewhere, or nowhere
        self._asking.add(around)
        try:
            return self._does(body, around)
        finally:
            self._asking.discard(around)

    def _does(self, body: Sequence[ast.stmt], around: ast.stmt) -> bool:
        for one in body:
            match one:
                case ast.Pass():
                    continue
                case ast.Continue():
                    if self._follows(around):
                        return True
                case ast.Expr():
                    value = one.value.value if isinstance(one.value, ast.Await) else one.value
                    if isinstance(value, ast.Constant):
                        continue
                    if not isinstance(value, ast.Call) or not self.idle(value):
                        return True
                case ast.AugAssign() | ast.Assign() if isinstance(
                    (one.target if isinstance(one, ast.AugAssign) else one.targets[0]), ast.Name
                ):
                    target = one.target if isinstance(one, ast.AugAssign) else one.targets[0]
                    if isinstance(target, ast.Name) and self.read_later(target, self._program.function_of(one)):
                        return True
                case ast.If() | ast.For() | ast.With():
                    if self._does([*one.body, *(getattr(one, "orelse", []))], around):
                        return True
                case ast.Return() if one.value is None or (
                    isinstance(one.value, ast.Constant) and one.value.value is None
                ):
                    # Who gives nothing back in any case tells nobody by ending early, where nothing was left to do.
                    if returns_value(self._program.function_of(one)) or self._anything_after(around):
                        return True
                case _:
                    return True
        return False

    def _anything_after(self, node: ast.stmt) -> bool:
        """Return whether anything but log lines stands after a statement, to the end of its function."""
        one: ast.AST | None = node
        while isinstance(one, ast.stmt) and not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            if self._follows(one) or isinstance(one, ast.For | ast.AsyncFor | ast.While):
                return True
            one = self._program.files.parent(one)
        return False

    def _follows(self, node: ast.stmt) -> bool:
        """Return whether anything but a log line stands after a statement in its block."""
        parent = self._program.files.parent(node)
        block = getattr(parent, "body", [])
        rest = block[block.index(node) + 1 :] if node in block else []
        return any(not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Call) and is_log(s.value)) for s in rest)

    def idle(self, call: ast.Call) -> bool:
        """Return whether a call only tells a log, counts, waits, or adds to what nobody reads."""
        if is_log(call):
            return True
        if called(call) in ("append", "add", "extend") and isinstance(call.func, ast.Attribute):
            box = call.func.value
            return isinstance(box, ast.Name) and not self.box_is_read(box, self._program.function_of(call))
        functions = self._program.names.functions(call)
        if functions:
            return all(
                not isinstance(f.node, ast.Lambda) and all(is_log(c) for c in calls(f.node.body)) for f in functions
            ) and not any(
                isinstance(s, ast.Raise) or isinstance(getattr(s, "ctx", None), ast.Store)
                for f in functions
                for s in ast.walk(f.node)
            )
        return bool(BEST_EFFORT & set(words_of(ast.unparse(call.func)))) and called(call) not in ("commit", "send")
