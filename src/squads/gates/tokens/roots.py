"""What an expression is made of in its own function: parameters, and accesses such as `self.token`."""

from __future__ import annotations

import ast

from squads.gates.python import Function, Program
from squads.gates.tokens.libraries import Libraries
from squads.gates.tokens.parts import part, parts_of

Roots = frozenset[str]
_PARTS_MAX = 400


class RootsOf:
    """Answers for one program."""

    def __init__(self, program: Program, libraries: Libraries) -> None:
        self._program = program
        self._libraries = libraries
        self._known: dict[ast.AST, Roots] = {}
        self._readers: dict[Function, bool] = {}
        self._asked: list[ast.AST] = []

    def of(self, node: ast.AST) -> Roots:
        """Return what in its own function an expression is made of; what was read of a token unverified is left out."""
        known = self._known.get(node)
        if known is None:
            found: set[str] = set()
            self._collect(node, found, set())
            known = self._known[node] = frozenset(found)
        return known

    def _collect(self, node: ast.AST, found: set[str], seen: set[object]) -> None:
        waiting: list[ast.AST] = [node]
        while waiting and len(seen) < _PARTS_MAX:
            part_ = waiting.pop()
            if part_ in seen:
                continue
            seen.add(part_)
            if isinstance(part_, ast.Name):
                bindings = self._program.values.bindings(part_)
                local = [b for b in bindings if b.value is not None and self._program.function_of(b.node) is not None]
                waiting += [b.value for b in local if b.value is not None]
                waiting += self._beside(part_)
                waiting += [e.value for b in local for e in b.earlier if e.value is not None]
                waiting += [s.value for b in local for s in b.stores]
                if not local and (bindings or part_.id not in ("str", "bytes", "len", "max")):
                    found.add(part_.id)
            elif isinstance(part_, ast.Attribute | ast.Subscript) and self._access(part_):
                found.add(self._access(part_))
            elif isinstance(part_, ast.Attribute | ast.Subscript) and (given := self._beside(part_)):
                waiting += given
            elif isinstance(part_, ast.Call) and self._reads(part_):
                continue  # whoever looks at the claims has not looked at the signature
            elif isinstance(part_, ast.Call):
                waiting += [*part_.args, *(k.value for k in part_.keywords)]
                receiver = self._program.calls.receiver(part_)
                if receiver is not None:
                    key = part_.args[0] if part_.args and self._program.calls.method(part_) == "get" else None
                    base = self._access(receiver)
                    if isinstance(key, ast.Constant) and base:
                        found.add(f"{base}[{key.value!r}]")
                    elif self._program.calls.subject(part_) is not None:
                        waiting.append(receiver)
            else:
                waiting.extend(c for c in ast.iter_child_nodes(part_) if not isinstance(c, ast.expr_context))

    def _beside(self, node: ast.expr) -> list[ast.expr]:
        """Return what a part of an answer was made of, where another part of it is claims that nothing verified."""
        found: list[ast.expr] = []
        if node in self._asked or len(self._asked) > 4:
            return found
        self._asked.append(node)
        for call, function, which in parts_of(self._program, node):
            if self._reads(call):
                bound = self._program.calls.bind(call, function)
                for returned in function.returns:
                    one = part(self._program, returned, which)
                    roots = self.of(one) if one is not None else frozenset()
                    found += [v for p, values in bound.items() if p.arg in roots for v in values]
        self._asked.pop()
        return found

    def _access(self, node: ast.expr) -> str:
        """Return `request.headers['Authorization']` for such a chain; empty where it starts at something made here."""
        words: list[str] = []
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Attribute):
                words.append(f".{node.attr}")
            elif isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                words.append(f"[{node.slice.value!r}]")
            else:
                return ""
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        bindings = self._program.values.bindings(node)
        if any(b.value is not None and self._program.function_of(b.node) is not None for b in bindings):
            return ""
        return node.id + "".join(reversed(words))

    def _reads(self, call: ast.Call) -> bool:
        """Return whether `call` gives what was read from a token without verifying it."""
        reading = self._libraries.reading(call)
        if reading is not None:
            return reading.style != "checks"
        return any(self._function_reads(f) for f in self._program.names.functions(call))

    def _function_reads(self, function: Function) -> bool:
        if function not in self._readers:
            self._readers[function] = False
            self._readers[function] = any(
                self._reads(c) for c in function.module.calls if self._program.function_of(c) is function
            )
        return self._readers[function]
