"""Codes and answers for nothing: computed and not compared, or handed on beside the claims and read by nobody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.python import Class, Function, Module, Program
from squads.gates.tokens.comparing import Comparing, Vain
from squads.gates.tokens.idle import Idle

_SIGNS = re.compile(r"sig|hmac|(^|_)mac($|_)|seal|siegel|(^|_)tag$", re.IGNORECASE)
_WHY = "its answer is handed on beside what it is about, and nobody reads it"


class Unread:
    """Answers for one program."""

    def __init__(self, program: Program, comparing: Comparing) -> None:
        self._program = program
        self._comparing = comparing
        self._idle = Idle(program)

    def vain(self, module: Module) -> Iterator[Vain]:
        """Yield the comparisons of a module whose answer is returned in a tuple, or an object, and read by nobody."""
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Compare | ast.Call):
                continue
            if isinstance(node, ast.Call) and (why := self._for_nothing(node)):
                yield Vain(node, why)
            if not any(self._comparing.decides(node, s) for s in self._comparing.sides(node)):
                continue
            function = self._program.function_of(node)
            if function is None:
                continue
            for place in self._returned(node):
                yield from self._told(node, place, function)

    def _returned(self, node: ast.expr) -> list[ast.expr]:
        """Return the expressions by which an answer is returned: itself, or the name that it is kept under."""
        parent = self._program.files.parent(node)
        if isinstance(parent, ast.Assign):
            targets = [t for t in parent.targets if isinstance(t, ast.Name)]
            module = self._program.files.module_of(node)
            bound = [b for b in module.scopes.by_value.get(node, ()) if b.node in targets]
            loads = [load for b in bound for load in module.loads(b)]
            return [*loads] if len(loads) == 1 else []
        return [node]

    def _told(self, node: ast.expr, place: ast.expr, function: Function) -> Iterator[Vain]:
        holder = self._program.files.parent(place)
        callers = self._program.calls.callers(function)
        if isinstance(holder, ast.Tuple) and isinstance(self._program.files.parent(holder), ast.Return):
            number = holder.elts.index(place)
            missed = [c for c in callers if self._dropped(c, number, len(holder.elts))]
            if missed:
                yield Vain(node, _WHY)
                yield from (Vain(c, _WHY) for c in missed)
            return
        call = self._program.files.parent(holder) if isinstance(holder, ast.keyword) else holder
        if isinstance(call, ast.Call) and isinstance(self._program.files.parent(call), ast.Return):
            name = self._field(call, place, holder)
            callers = callers or self._called(function.name)
            if name and callers and not self._is_read(name):
                yield Vain(node, _WHY)
                yield from (Vain(c, _WHY) for c in callers)

    def _called(self, name: str) -> list[ast.Call]:
        """Return the calls by a method's name, whatever they are called on."""
        return [c for m in self._program.files.modules for c in m.calls if self._program.calls.method(c) == name]

    def _dropped(self, call: ast.Call, number: int, count: int) -> bool:
        """Return whether a caller takes the answer out of a tuple and does nothing with it but to show it."""
        outer: ast.AST = call
        parent = self._program.files.parent(call)
        while isinstance(parent, ast.Await):
            outer, parent = parent, self._program.files.parent(parent)
        if isinstance(parent, ast.Subscript) and isinstance(parent.slice, ast.Constant):
            return parent.slice.value != number
        if not isinstance(parent, ast.Assign) or parent.value is not outer:
            return False
        target = parent.targets[0]
        if not isinstance(target, ast.Tuple) or len(target.elts) != count:
            return False
        name = target.elts[number]
        function = self._program.function_of(call)
        if not isinstance(name, ast.Name) or function is None:
            return False
        loads = [
            n
            for n in ast.walk(function.node)
            if isinstance(n, ast.Name) and n.id == name.id and isinstance(n.ctx, ast.Load)
        ]
        return all(self._idle.within_shown(n) for n in loads)

    def _field(self, call: ast.Call, place: ast.expr, holder: ast.AST | None) -> str:
        """Return under which name an object of the artifact keeps what it is made with."""
        owners = [t for t in self._program.names.things(call.func) if isinstance(t, Class)]
        if len(owners) != 1:
            return ""
        if isinstance(holder, ast.keyword):
            return holder.arg or ""
        fields = [
            s.target.id for s in owners[0].node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
        ]
        number = next((n for n, a in enumerate(call.args) if a is place), len(fields))
        return fields[number] if number < len(fields) and "__init__" not in owners[0].methods else ""

    def _is_read(self, name: str) -> bool:
        """Return whether anything of the artifact reads an attribute of that name, and does not only show it."""
        reads = [a for m in self._program.files.modules for a in m.attributes.get(name, ())]
        return any(not self._idle.within_shown(r) for r in reads)

    # Codes that are computed for nothing

    def _for_nothing(self, call: ast.Call) -> str:
        """Return that a code is computed, and only its length is looked at, or nothing of it."""
        parent, function = self._program.files.parent(call), self._program.function_of(call)
        if not isinstance(parent, ast.Assign) or function is None or not self._comparing.makes(call):
            return ""
        names = {t.id for t in parent.targets if isinstance(t, ast.Name)}
        if not names:
            return ""  # taken apart: its parts go where they go
        loads = [n for n in ast.walk(function.node) if isinstance(n, ast.Name) and n.id in names]
        loads = [n for n in loads if isinstance(n.ctx, ast.Load)]
        for load in loads:
            around = self._program.files.parent(load)
            measured = isinstance(around, ast.Call) and self._program.calls.method(around) == "len"
            if not measured and not self._idle.within_shown(load):
                return ""
        given = [a.arg for a in [*function.parameters, *function.node.args.kwonlyargs]]
        given += [n.id for n in ast.walk(function.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        return "the code is computed, and never compared" if any(_SIGNS.search(g) for g in set(given) - names) else ""
