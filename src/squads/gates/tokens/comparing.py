"""Codes that are compared in vain: as long as the sender likes, too short, one way only, or not over what is believed.

A message authentication code proves something only where all of it, at a length that the verifier chose, is compared
with what the token brings, and where it was computed over the very piece whose claims are then believed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from squads.gates.python import Function, Module, Program, Step
from squads.gates.tokens.by_hand import seals
from squads.gates.tokens.codes import COMPARES
from squads.gates.tokens.verification import Verification

SEALS = re.compile(
    rb"\bhmac\b|blake2|cmac|poly1305|compare_digest|constant_time|hashlib|\.verify\(|unsign|itsdangerous|\bjwt\b|\bjose\b|nacl\b",
    re.IGNORECASE,
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
_HASHED = re.compile(r"(^|\.)hashlib\.(new|sha\w+|md5|blake\w+)$|^(sha\d+|md5)$")
_SECRET = re.compile(r"key|secret|salt|pepper|schluessel|geheim|passw|token_hex|private|cle_", re.IGNORECASE)
_SIGNS = re.compile(
    r"(^|[_\W])(sig|sign|signature|signed|seal|sealed|siegel|mac|hmac)([_\W]|$)|signature", re.IGNORECASE
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
            for sides in self.sides(node):
                if len(sides) != 2 or any(isinstance(s, ast.Constant) for s in sides):
                    continue
                computed = [s for s in sides if self.computed(s)]
                if len(computed) != 1:
                    continue
                other = sides[0] if computed[0] is sides[1] else sides[1]
                if why := self._why(node, computed[0], other):
                    yield Vain(node, why)

    def decides(self, node: ast.AST, sides: list[ast.expr]) -> bool:
        """Return whether `node` compares one code that was computed here with what somebody else brings."""
        if len(sides) != 2 or any(isinstance(s, ast.Constant) for s in sides):
            return False
        if isinstance(node, ast.Call) and self._program.calls.method(node) == "zip":
            return False
        return seals(self._program, node) and sum(self.computed(s) for s in sides) == 1

    def computed(self, side: ast.expr) -> bool:
        """Return whether a code was computed for a side; of what goes through many places nothing is known."""
        if side not in self._known:
            self._known[side] = self._verification.computed(side, steps_max=_STEPS_MAX)
        return self._known[side]

    def sides(self, node: ast.AST) -> Iterator[list[ast.expr]]:
        """Yield the two sides of everything that a node compares."""
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
        if self._of_constant(computed):
            return "the code is computed over a constant, and not over what is believed"
        return self._verification.cut_short([computed, other])

    def _of_constant(self, computed: ast.expr) -> bool:
        """Return whether a code is computed over what stands in the source, and nothing else."""
        for step in chain((Step("same", computed),), islice(self._verification.rewritten(computed), _STEPS_MAX)):
            if isinstance(step.node, ast.Call) and self._verification.keyed(step.node):
                data = self._program.calls.arguments(step.node).get(1, "msg", "message")
                named = any(n.endswith(("hmac.new", "hmac.digest")) for n in self._program.names.names(step.node.func))
                fixed = isinstance(data, ast.Constant) and data.value not in (None, b"")
                if named:
                    return fixed and not self._updates(step.node)
        return False

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
        elif not self.makes(call):
            return set()
        return {a for g in given for a in self._atoms(g) if a[0] != _WHOLE or not _KEYS.search(str(a[1]))}

    def makes(self, call: ast.Call) -> bool:
        """Return whether a call itself computes a code, here or in a function of the artifact."""
        if self._verification.keyed(call):
            return True
        functions = self._program.names.functions(call)
        return bool(functions) and all(any(self._makes(r) for r in f.returns) or self._compares(f) for f in functions)

    def _makes(self, returned: ast.expr) -> bool:
        """Return whether a function computes the code itself that it returns, and was not handed it."""
        home = self._program.function_of(returned)
        for step in chain((Step("same", returned),), islice(self._verification.rewritten(returned), _STEPS_MAX)):
            if isinstance(step.node, ast.Call) and self._verification.keyed(step.node):
                around = {self._program.function_of(s.node) for s in step.way() if not s.calls}
                if around <= {home, None}:
                    return True
        return False

    def _compares(self, function: Function) -> bool:
        """Return whether a function compares a code that it computes with what it is given."""
        return any(
            self.decides(n, sides)
            for n in ast.walk(function.node)
            if isinstance(n, ast.Compare | ast.Call)
            for sides in self.sides(n)
        )

    def unkeyed(self, module: Module) -> Iterator[Vain]:
        """Yield the signatures of a module that are plain hashes: who writes a text can compute them, too."""
        if not any(_HASHED.search(ast.unparse(c.func)) for c in module.calls):
            return
        for node in ast.walk(module.tree):
            for sides in self.sides(node):
                if len(sides) != 2 or any(isinstance(s, ast.Constant) or self.computed(s) for s in sides):
                    continue
                hashed = [self._hash(s) for s in sides]
                if sum(h is not None for h in hashed) != 1:
                    continue
                given = sides[0] if hashed[1] is not None else sides[1]
                made = sides[1] if hashed[1] is not None else sides[0]
                if any(_SIGNS.search(self._called(s)) for s in (given, made)):
                    why = "the code is a plain hash without a key, so whoever writes the text can compute it"
                    yield Vain(node, why)
                    for hash_call in (h for h in hashed if h is not None):
                        yield Vain(hash_call, why)

    def _called(self, side: ast.expr) -> str:
        """Return what a side of a comparison is called: its name, or the function that gives it."""
        while isinstance(side, ast.Call) and isinstance(side.func, ast.Attribute) and not side.args:
            side = side.func.value
        if isinstance(side, ast.Name):
            made = [b.value for b in self._program.values.bindings(side) if b.value is not None]
            calls = [self._program.calls.method(m) for m in made if isinstance(m, ast.Call)]
            return " ".join([side.id, *calls])
        if isinstance(side, ast.Call):
            key = [str(a.value) for a in side.args[:1] if isinstance(a, ast.Constant)]
            return " ".join([self._program.calls.method(side), *key])
        if isinstance(side, ast.Subscript) and isinstance(side.slice, ast.Constant):
            return str(side.slice.value)
        return side.attr if isinstance(side, ast.Attribute) else ""

    def _hash(self, side: ast.expr) -> ast.Call | None:
        """Return the call that computes a side as a hash of what no secret is part of."""
        steps = chain((side,), (s.node for s in self._verification.rewritten(side)))
        for node in islice(steps, _STEPS_MAX):
            if isinstance(node, ast.Call) and any(_HASHED.search(n) for n in self._program.names.names(node.func)):
                parts = [*node.args, *(v for k, v in self._program.calls.arguments(node).keywords.items())]
                parts += self._updates(node)
                secret = any(
                    isinstance(n, ast.Name | ast.Attribute | ast.Constant) and _SECRET.search(ast.unparse(n))
                    for p in parts
                    for s in (p, *(t.node for t in islice(self._verification.rewritten(p), _STEPS_MAX)))
                    for n in ast.walk(s)
                )
                return None if secret or not parts else node
        return None

    def _updates(self, call: ast.Call) -> list[ast.expr]:
        """Return what is put into a hash after it was begun."""
        function = self._program.function_of(call)
        within = ast.walk(function.node) if function is not None else ()
        return [
            a
            for n in within
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "update"
            for a in n.args
        ]

    def _marks(self, codes: list[tuple[ast.Call, set[Atom]]], cut: int) -> set[object]:
        """Return the pieces that are compared with a code: the signature itself."""
        function = self._program.function_of(codes[0][0])
        found: set[object] = set()
        for node in ast.walk(function.node) if function is not None else ():
            for sides in self.sides(node):
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
            if self._with_itself(load, marks[0].name):
                continue
            tested = isinstance(parent, ast.If | ast.While | ast.UnaryOp | ast.BoolOp)
            if not tested and not (isinstance(parent, ast.Call) and self._program.calls.method(parent) == "len"):
                return None
        return marks[0]

    def _with_itself(self, load: ast.expr, name: str) -> bool:
        """Return whether a mark is only compared with what is made of it."""
        node: ast.AST | None = load
        while node is not None and not isinstance(node, ast.stmt):
            for sides in self.sides(node):
                named = [{n.id for n in ast.walk(s) if isinstance(n, ast.Name)} for s in sides]
                if len(sides) == 2 and all(n == {name} for n in named):
                    return True
            node = self._program.files.parent(node)
        return False

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
