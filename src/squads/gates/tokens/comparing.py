"""Codes that are compared in vain: as long as the sender likes, too short, one way only, or not over what is believed.

A message authentication code proves something only where all of it, at a length that the verifier chose, is compared
with what the token brings, and where it was computed over the very piece whose claims are then believed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.python import Function, Module, Program
from squads.gates.tokens.by_hand import seals
from squads.gates.tokens.verification import COMPARES, Verification

SEALS = re.compile(
    rb"\bhmac\b|blake2|cmac|poly1305|compare_digest|constant_time|(?s:base64.*\bverify\()", re.IGNORECASE
)
"""Files without any of these compute no codes, and verify no signatures by hand."""
_STEPS_MAX = 300
"""How far a side of a comparison is followed back to its code; every comparison of a file is looked at."""
_WHOLE, _SEVERAL = 1, 0
"""Stand in the place of a cut for what was not cut, and for a piece of several pieces."""
_KEYS = re.compile(r"key|secret|salt|pepper|^self$|^cls$", re.IGNORECASE)
_MARKS = re.compile(
    r"^(sig|signature|mac|hmac|mark|seal|digest|code|tag)(_\w+)?$|_(sig|signature|mac|hmac|seal)$", re.IGNORECASE
)
_LOOKS = frozenset(("get", "len", "isdigit", "isdecimal", "isascii", "startswith"))
_CUTS = frozenset(("split", "rsplit", "partition", "rpartition"))

Atom = tuple[int, object]
"""One piece of a text that was cut: the cutting call, and which piece."""


@dataclass(frozen=True, slots=True)
class Vain:
    """One comparison that proves nothing."""

    node: ast.AST
    why: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """One piece of a cut text: which, what it is called, and where it is read."""

    key: object
    name: str
    node: ast.AST
    loads: tuple[ast.expr, ...]


class Comparing:
    """Answers for one program."""

    def __init__(self, program: Program, verification: Verification) -> None:
        self._program = program
        self._verification = verification
        self._known: dict[ast.expr, bool] = {}

    def vain(self, module: Module) -> Iterator[Vain]:
        """Yield the comparisons of a module that prove nothing."""
        if not seals(self._program, module.tree):
            return
        for node in ast.walk(module.tree):
            for sides in self._sides(node):
                if len(sides) != 2 or any(isinstance(s, ast.Constant) for s in sides):
                    continue
                computed = [s for s in sides if self._computed(s)]
                if len(computed) != 1:
                    continue
                other = sides[0] if computed[0] is sides[1] else sides[1]
                if why := self._why(node, computed[0], other):
                    yield Vain(node, why)

    def _computed(self, side: ast.expr) -> bool:
        """Return whether a code was computed for a side; of what goes through many places nothing is known."""
        if side not in self._known:
            self._known[side] = self._verification.computed(side, steps_max=_STEPS_MAX)
        return self._known[side]

    def _sides(self, node: ast.AST) -> Iterator[list[ast.expr]]:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            if isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn):
                yield [node.left, *node.comparators]
        elif isinstance(node, ast.Call):
            method = self._program.calls.method(node)
            if COMPARES.search(method):
                yield self._program.calls.arguments(node).every
            elif method in ("startswith", "endswith") and isinstance(node.func, ast.Attribute) and node.args:
                yield [node.func.value, node.args[0]]
            elif method == "zip" and len(node.args) == 2 and not node.keywords:
                yield list(node.args)

    def _why(self, node: ast.AST, computed: ast.expr, other: ast.expr) -> str:
        if isinstance(node, ast.Call):
            method = self._program.calls.method(node)
            if method in ("startswith", "endswith"):
                return (
                    "it only has to begin like the right one, and may be empty"
                    if (isinstance(node.func, ast.Attribute) and node.func.value is computed)
                    else ""
                )
            if method == "zip":
                lengths = self._lengths_compared(node, other)
                return "" if lengths else "only as many characters are compared as the token brings"
            if isinstance(self._program.files.parent(node), ast.Expr):
                return "nobody looks at what the comparison says"
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            inside = node.comparators[0] is computed and isinstance(computed, ast.Name | ast.Call | ast.Subscript)
            return "any part of the right one will do, and an empty one, too" if inside else ""
        return self._verification.cut_short([computed, other])

    def _lengths_compared(self, node: ast.Call, other: ast.expr) -> bool:
        """Return whether the function compares lengths as well, as it must before it goes through with zip."""
        function = self._program.function_of(node)
        if function is None:
            return True
        name = ast.unparse(other)
        return any(
            isinstance(part, ast.Compare) and f"len({name})" in ast.unparse(part) for part in ast.walk(function.node)
        )

    # What it covers

    def uncovered(self, module: Module) -> Iterator[Vain]:
        """Yield the comparisons in whose code a piece of the text that is believed afterwards has no part."""
        for function in module.functions.values():
            if isinstance(function.node, ast.Lambda):
                continue
            pieces = self._pieces(function)
            if not pieces:
                continue
            checked = [(c, a) for c in module.calls if self._program.function_of(c) is function if (a := self._over(c))]
            for cut, names in pieces.items():
                codes = [(c, a) for c, a in checked if any(part == cut for part, _ in a)]
                if not codes:
                    if loose := self._loose(names):
                        yield Vain(loose.node, f"{loose.name} is cut off, and nothing compares it")
                    continue
                over = set().union(*(a for _, a in codes))
                if any(part in (_WHOLE, _SEVERAL) or part != cut for part, _ in over):
                    continue
                for piece in names:
                    covered = (cut, piece.key) in over or piece.key in self._marks(codes, cut)
                    if not covered and self._believed(piece):
                        yield Vain(codes[0][0], f"the code is not computed over {piece.name}, which is believed")
                        break

    def _pieces(self, function: Function) -> dict[int, list[_Piece]]:
        """Return the pieces that each cutting call of a function is taken apart into, by name or by number."""
        found: dict[int, list[_Piece]] = {}
        for bindings in function.module.scopes.of[function.node].bindings.values():
            for binding in bindings:
                if not isinstance(binding.value, ast.Call) or not self._is_cut(binding.value):
                    continue
                pieces = found.setdefault(id(binding.value), [])
                if binding.path:
                    pieces.append(_Piece(binding.path[0], binding.name, binding.node, tuple(binding.loads)))
                    continue
                for load in binding.loads:
                    part = self._program.files.parent(load)
                    if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
                        pieces.append(_Piece(part.slice.value, ast.unparse(part), part, (part,)))
        return found

    def _over(self, call: ast.Call) -> set[Atom]:
        """Return what a code is computed over, or a signature verified over, by this call; keys left out."""
        method, arguments = self._program.calls.method(call), self._program.calls.arguments(call)
        if COMPARES.search(method):
            return set()
        given = arguments.every
        if method == "verify" and len(arguments.positional) > 1 and not self._program.names.functions(call):
            given = arguments.positional[1:2]
        elif not self._keyed_call(call):
            return set()
        return {a for g in given for a in self._atoms(g) if a[0] != _WHOLE or not _KEYS.search(str(a[1]))}

    def _keyed_call(self, call: ast.Call) -> bool:
        """Return whether a call itself computes a code, here or in a function of the artifact."""
        if self._verification.keyed(call):
            return True
        functions = self._program.names.functions(call)
        return bool(functions) and all(any(self._computed(r) for r in f.returns) for f in functions)

    def _marks(self, codes: list[tuple[ast.Call, set[Atom]]], cut: int) -> set[object]:
        """Return the pieces that are compared with a code: the signature itself."""
        function = self._program.function_of(codes[0][0])
        found: set[object] = set()
        for node in ast.walk(function.node) if function is not None else ():
            for sides in self._sides(node):
                found |= {name for side in sides for part, name in self._atoms(side) if part == cut}
        for call, _ in codes:
            if self._program.calls.method(call) == "verify":
                found |= {name for part, name in self._atoms(call.args[0]) if part == cut}
        return found

    def _believed(self, piece: _Piece) -> bool:
        """Return whether a piece is returned, read or computed with; one that only chooses a key is not."""
        for load in piece.loads:
            node: ast.AST | None = load
            while node is not None and not isinstance(node, ast.stmt):
                parent = self._program.files.parent(node)
                if isinstance(parent, ast.Subscript) and parent.slice is node:
                    break
                if isinstance(parent, ast.Call) and node is not parent.func:
                    if self._program.calls.method(parent) in _LOOKS:
                        break
                    return True
                if isinstance(parent, ast.Return):
                    return True
                node = parent
        return False

    def _loose(self, pieces: list[_Piece]) -> _Piece | None:
        """Return a piece that is called a signature and is looked at by nothing, while another piece is returned."""
        marks = [p for p in pieces if _MARKS.search(p.name)]
        if len(marks) != 1 or not any(self._believed(p) for p in pieces if p is not marks[0]):
            return None
        for load in marks[0].loads:
            parent = self._program.files.parent(load)
            tested = isinstance(parent, ast.If | ast.While | ast.UnaryOp | ast.BoolOp)
            if not tested and not (isinstance(parent, ast.Call) and self._program.calls.method(parent) == "len"):
                return None
        return marks[0]

    def _atoms(self, node: ast.AST) -> set[Atom]:
        """Return the pieces of cut texts that an expression is made of."""
        found: set[Atom] = set()
        seen: set[object] = set()
        waiting: list[ast.AST] = [node]
        while waiting and len(seen) < 200:
            part = waiting.pop()
            if part in seen:
                continue
            seen.add(part)
            if isinstance(part, ast.Subscript) and (cut := self._cutting(part.value)):
                key = part.slice.value if isinstance(part.slice, ast.Constant) else None
                if key is None:  # parts[:2]: several pieces
                    found.add((_SEVERAL, ast.unparse(part)))
                else:
                    found.add((id(cut), key))
                continue
            if isinstance(part, ast.Name):
                for binding in self._program.values.bindings(part):
                    if isinstance(binding.node, ast.arg):
                        found.add((_WHOLE, part.id))
                    elif binding.value is None:
                        continue
                    elif binding.path and isinstance(binding.value, ast.Call) and self._is_cut(binding.value):
                        found.add((id(binding.value), binding.path[0]))
                    elif self._program.function_of(binding.node) is not None:
                        waiting.append(binding.value)
            else:
                waiting.extend(ast.iter_child_nodes(part))
        return found

    def _cutting(self, node: ast.expr) -> ast.Call | None:
        for origin in [node, *self._program.values.origins(node)]:
            if isinstance(origin, ast.Call) and self._is_cut(origin):
                return origin
        return None

    def _is_cut(self, call: ast.Call) -> bool:
        return self._program.calls.method(call) in _CUTS
