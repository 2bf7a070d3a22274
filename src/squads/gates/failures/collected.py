"""Failures that a handler puts aside, in a list or a counter, and that nobody looks at before success is said."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from squads.gates.failures.after import After, Said, answers_shell, called, is_log, statements
from squads.gates.failures.handlers import Swallowed
from squads.gates.failures.telling import Telling
from squads.gates.failures.words import is_quiet, says_failure, success_like
from squads.gates.python import Function, Module, Program

_CALLERS_MAX = 20


class Collected:
    """Finds what the handlers of one program put aside for nobody."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)
        self._telling = Telling(program)

    def found(self, module: Module) -> Iterator[Swallowed]:
        """Yield the handlers of one module whose list of failures nobody reads, and where success is said."""
        for node in module.parents:
            if isinstance(node, ast.If) and (one := self._outweighed(node)):
                yield Swallowed(node, f"`{one}` is asked only where nothing went well; one success hides all failures")
            if not isinstance(node, ast.ExceptHandler):
                continue
            function = self._program.function_of(node)
            box = self._box(node, function) if function is not None and not is_quiet(function.name) else None
            if function is None or box is None:
                continue
            for said in self._claims(node, function):
                yield Swallowed(node, f"`{box.id}` is kept for nobody, and the function {said.what}", said.node)

    def _box(self, handler: ast.ExceptHandler, function: Function | None) -> ast.Name | None:
        """Return the list that is all a handler tells, and that nobody reads."""
        boxes: list[ast.Name] = []
        for one in handler.body:
            if isinstance(one, ast.Continue | ast.Pass):
                continue
            call = one.value if isinstance(one, ast.Expr) else None
            if not isinstance(call, ast.Call):
                return None
            if is_log(call):
                continue
            holder = call.func.value if isinstance(call.func, ast.Attribute) else None
            if called(call) not in ("append", "add", "extend") or not isinstance(holder, ast.Name):
                return None
            holds = any(isinstance(n, ast.Name) and n.id == handler.name for a in call.args for n in ast.walk(a))
            if not (holds and handler.name) and not says_failure(holder.id) and not self._only_here(holder):
                return None
            boxes.append(holder)
        if not boxes or any(self._telling.box_is_read(b, function) for b in boxes):
            return None
        return boxes[0]

    def _only_here(self, box: ast.Name) -> bool:
        """Return whether all that a list holds is put into it by handlers."""
        module = self._program.files.module_of(box)
        loads = [load for b in module.bindings(box) for load in module.loads(b)]
        puts = [
            load
            for load in loads
            if isinstance(p := module.parents.get(load), ast.Attribute) and p.attr in ("append", "add", "extend")
        ]
        return bool(puts) and all(self._handled(p) for p in puts)

    def _handled(self, node: ast.AST) -> bool:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            if isinstance(parent, ast.ExceptHandler):
                return True
            parent = self._program.files.parent(parent)
        return False

    def _outweighed(self, node: ast.If) -> str:
        """Return what counts failures, where it is only asked together with whether nothing at all went well."""
        if not isinstance(node.test, ast.BoolOp) or not isinstance(node.test.op, ast.And):
            return ""
        names = [v.id for v in node.test.values if isinstance(v, ast.Name)]
        wells = [
            v.operand.id
            for v in node.test.values
            if isinstance(v, ast.UnaryOp) and isinstance(v.op, ast.Not) and isinstance(v.operand, ast.Name)
        ]
        if len(names) != 1 or len(wells) != 1 or not any(isinstance(s, ast.Raise | ast.Return) for s in node.body):
            return ""
        module, inside = self._program.files.module_of(node), {id(n) for n in ast.walk(node)}
        for test in (v for v in node.test.values if isinstance(v, ast.Name)):
            kept = [
                b
                for b in module.bindings(test)
                if self._handled(b.node) and isinstance(module.parents.get(b.node), ast.AugAssign)
            ]
            put = self._only_here(test)
            loads = [load for b in module.bindings(test) for load in module.loads(b)]
            outside = [
                load
                for load in loads
                if id(load) not in inside and not self._handled(load) and not self._telling.only_logged(load)
            ]
            if (kept or put) and not outside and not any(map(self._one_is_enough, loads)):
                return test.id
        return ""

    def _one_is_enough(self, load: ast.AST) -> bool:
        """Return whether a failure is put aside in a loop that ends as soon as one try went well."""
        loop = self._program.files.parent(load) if self._handled(load) else None
        while loop is not None and not isinstance(loop, ast.For | ast.AsyncFor | ast.While):
            loop = self._program.files.parent(loop)
        return loop is not None and any(
            isinstance(s, ast.Break | ast.Return) and not self._handled(s) for s in statements(loop.body)
        )

    def _claims(self, node: ast.ExceptHandler, function: Function, depth: int = 0) -> list[Said]:
        tries = self._program.files.parent(node)
        if not isinstance(tries, ast.Try | ast.TryStar):
            return []
        found = [self._said(tries, function)]
        for call in self._program.calls.callers(function)[:_CALLERS_MAX]:
            around = self._program.function_of(call)
            statement = self._statement(call)
            if around is not None and statement is not None:
                found.append(self._said(statement, around))
        return [s for s in found if s.how == "success"]

    def _said(self, node: ast.stmt, function: Function) -> Said:
        near, far = self._after.rest(node)
        # The end says it to the shell; what is written on the way is said to the store.
        last = [s for s in statements([*near, *far]) if isinstance(s, ast.Return)]
        shell = answers_shell(function)
        for one in last:
            if isinstance(one.value, ast.IfExp) and any(
                success_like(v, exit_code=shell) for v in (one.value.body, one.value.orelse)
            ):
                return Said("success", one, f"returns {ast.unparse(one.value)[:60]}")
        said = self._after.said(last, set(), exit_code=shell) if last else Said("nothing")
        return said if said.how == "success" else self._after.said([*near, *far], set())

    def _statement(self, node: ast.AST) -> ast.stmt | None:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            parent = self._program.files.parent(parent)
        return parent
