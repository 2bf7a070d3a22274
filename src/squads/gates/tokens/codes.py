"""Codes that are computed with a key, and what only writes them in another way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain, islice

from squads.gates.python import Program, Step
from squads.gates.tokens.lengths import cut_short

COMPARES = re.compile(r"(^|\.)(compare_digest|constant_time_compare|bytes_eq|safe_str_cmp)$")
_MACS = re.compile(
    r"(^|\.)(hmac|cmac)\b|HMAC|CMAC|(^|[._])sign(ature)?(_|$)|compute_hash|(^|[._])(hex)?digest$", re.IGNORECASE
)
_REWRITES = re.compile(
    r"encode|decode|hex|b64|base64|digest|strip|replace|lower|upper|just$|zfill|join|bytes|^str$|^int$|format|quote|pad|"
    r"b32|b85|a2b|b2a|tuple|list|copy|translate|finalize|to_thread|wait_for|memoryview|text|unicode|remove(pre|suf)fix|"
    r"^update$|^partial$|^get$|^next$|^map$|^set$",
    re.IGNORECASE,
)
_WRITES = re.compile(r"[\])]\.(?!(hex)?digest$|finalize$|\w*sign|\w*mac)\w+$", re.IGNORECASE)
_STEPS_MAX = 300
"""How far back the pieces of a code that is cut are followed."""


class Codes:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def cut_short(self, sides: list[ast.expr]) -> str:
        """Return why a comparison proves nothing: one of its sides is cut to a length that somebody else chooses."""
        return cut_short(self._program, sides, lambda s: self.computed(s, steps_max=_STEPS_MAX), self.keyed)

    def sealed_again(self, sides: list[ast.expr]) -> list[ast.expr]:
        """Return what differs between `seal(a)` and `seal(b)`: they are the same where a and b are."""
        first, second = sides
        while isinstance(first, ast.Call) and isinstance(second, ast.Call):
            one, other = self._program.calls.receiver(first), self._program.calls.receiver(second)
            if isinstance(one, ast.Call) and isinstance(other, ast.Call) and not first.args:
                first, second = one, other
                continue
            apart = [(a, b) for a, b in zip(first.args, second.args, strict=False) if ast.dump(a) != ast.dump(b)]
            same = ast.dump(first.func) == ast.dump(second.func) and len(first.args) == len(second.args)
            return list(apart[0]) if same and len(apart) == 1 and self.computed(first) else []
        return []

    def computed(self, side: ast.expr, *, steps_max: int = 1000) -> bool:
        """Return whether a message authentication code was computed for this side."""
        steps = chain((side,), (s.node for s in self.rewritten(side)))
        return any(isinstance(node, ast.Call) and self.keyed(node) for node in islice(steps, steps_max))

    def rewritten(self, side: ast.expr) -> Iterator[Step]:
        """Yield what a text is written from, through calls that only write it in another way."""
        return self._program.flow.trace(side, lambda c, _s: self._rewrites(c))

    def _rewrites(self, call: ast.Call) -> bool:
        """Return whether a call only writes what it is given in another way."""
        return bool(_REWRITES.search(self._program.calls.method(call)))

    def keyed(self, call: ast.Call) -> bool:
        """Return whether `call` computes a code with a key; a hash needs none, so anybody can make it."""
        if self._program.names.functions(call):
            return False  # it is what it returns, whatever it is called
        names = self._program.names.names(call.func) or {self._program.calls.method(call)}
        # What is done with a code that is there already computes none: `hmac.new(...).hexdigest().encode()`.
        names = frozenset(n for n in names if not _WRITES.search(n))
        named = any(_MACS.search(n) for n in names) and not any(COMPARES.search(n) for n in names)
        if any(n.startswith("hashlib.blake2") for n in names) and "key" in self._program.calls.arguments(call).keywords:
            return True
        return named and not all(n.startswith("hashlib.") for n in names)
