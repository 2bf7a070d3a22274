"""What a request's code covers: its body, or the fields that are then believed, or only something beside them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.python import Function, Module, Program
from squads.gates.tokens.comparing import Comparing, Vain

_PARTS_MAX = 200
_HEADERS = re.compile(r"header|META\b|environ", re.IGNORECASE)
_MARKS = re.compile(r"sig|hmac|\bmac\b|_mac|seal|siegel|digest|auth", re.IGNORECASE)
_BODIES = frozenset(
    ("get_data", "body", "data", "raw_body", "get_json", "json", "read", "rawbody", "raw_post_data", "form", "POST")
)
_REQUEST = re.compile(r"\b(req|request|event|message|msg)\b")
_JSON = frozenset(
    ("loads", "model_validate_json", "parse_raw", "get_json", "json", "parse_qs", "parse_qsl", "fromstring", "form")
)
_FIELDS = frozenset(("form", "json", "POST"))
_CUTS = frozenset(("split", "rsplit", "partition", "rpartition"))
_HASHES = re.compile(r"sha\d|md5|blake|hexdigest|hashlib", re.IGNORECASE)


class Covering:
    """Answers for one program."""

    def __init__(self, program: Program, comparing: Comparing) -> None:
        self._program = program
        self._comparing = comparing

    def vain(self, module: Module) -> Iterator[Vain]:
        """Yield the comparisons of a module whose code leaves out what is then believed."""
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Compare | ast.Call):
                continue
            for sides in self._comparing.sides(node):
                function = self._program.function_of(node)
                if function is None or not self._comparing.decides(node, sides):
                    continue
                made = sides[0] if self._comparing.computed(sides[0]) else sides[1]
                given = sides[1] if made is sides[0] else sides[0]
                if why := self._body(function, made, given):
                    yield Vain(node, why)

    def _parts(self, node: ast.AST) -> list[ast.AST]:
        """Return all that an expression is made of in its function, names looked through."""
        found: list[ast.AST] = []
        seen: set[ast.AST] = set()
        waiting: list[ast.AST] = [node]
        while waiting and len(seen) < _PARTS_MAX:
            part = waiting.pop()
            if part in seen:
                continue
            seen.add(part)
            found.append(part)
            if isinstance(part, ast.Name):
                bound = [b for b in self._program.values.bindings(part) if b.value is not None]
                local = [b for b in bound if self._program.function_of(b.node) is not None]
                waiting += [b.value for b in local if b.value is not None]
                waiting += [s.value for b in local for s in b.stores]
            waiting.extend(ast.iter_child_nodes(part))
        return found

    # The body of a request

    def _body(self, function: Function, made: ast.expr, given: ast.expr) -> str:
        """Return that the code of a request is not computed over its body, which is read and believed."""
        brought = self._parts(given)
        said = " ".join(ast.unparse(p) for p in brought if isinstance(p, ast.expr))
        if not _MARKS.search(said) or any(self._cuts(p) for p in brought):
            return ""
        parameters = {a.arg: a for a in [*function.parameters, *function.node.args.kwonlyargs]}
        defaults = [*function.node.args.defaults, *(d for d in function.node.args.kw_defaults if d is not None)]
        injected = any(_HEADERS.search(ast.unparse(d)) for d in defaults)
        if not _HEADERS.search(said) and not (injected and any(ast.unparse(p) in parameters for p in brought)):
            return ""
        believed = {b for c in self._reads(function) for b in self._bodies(c)}
        believed |= {
            ast.unparse(n)
            for n in ast.walk(function.node)
            if isinstance(n, ast.Attribute) and n.attr in _FIELDS and _REQUEST.search(ast.unparse(n.value))
        }
        if not believed:
            return ""
        parts = self._parts(made)
        if believed & {ast.unparse(p) for p in parts if isinstance(p, ast.expr)} or self._handed(parts):
            return ""
        if any(self._bodies(p) for p in parts if isinstance(p, ast.expr)) or self._hashed(function, believed):
            return ""
        return "the code is not computed over the body, which is believed"

    def _cuts(self, part: ast.AST) -> bool:
        return isinstance(part, ast.Call) and self._program.calls.method(part) in _CUTS

    def _reads(self, function: Function) -> list[ast.Call]:
        """Return where a function reads what stands in a body."""
        return [
            c
            for c in function.module.calls
            if self._program.function_of(c) is function and self._program.calls.method(c) in _JSON
        ]

    def _bodies(self, node: ast.AST) -> set[str]:
        """Return the bodies of a request, or the parameters, that an expression is made of."""
        found: set[str] = set()
        for part in self._parts(node):
            if isinstance(part, ast.Attribute) and part.attr in _BODIES and _REQUEST.search(ast.unparse(part.value)):
                call = self._program.files.parent(part)
                found |= {ast.unparse(part)} | ({ast.unparse(call)} if isinstance(call, ast.Call) else set())
        return found

    def _handed(self, parts: list[ast.AST]) -> bool:
        """Return whether the whole request, or what is not looked into, goes into the code."""
        for part in parts:
            if isinstance(part, ast.Call):
                arguments = self._program.calls.arguments(part)
                whole = [a for a in arguments.every if isinstance(a, ast.Name) and _REQUEST.search(a.id)]
                if whole or arguments.more:
                    return True
        return False

    def _hashed(self, function: Function, believed: set[str]) -> bool:
        """Return whether a hash of the body is compared with something, such as a header that the code covers."""
        for node in ast.walk(function.node):
            for sides in self._comparing.sides(node):
                for side in sides:
                    texts = {ast.unparse(p) for p in self._parts(side) if isinstance(p, ast.expr)}
                    if texts & believed and any(_HASHES.search(t) for t in texts):
                        return True
        return False
