"""What text an expression makes, as far as the artifact fixes it: pieces that are joined, decoded, reversed, formatted.

Nothing is run. What is not fixed stands in the text as `UNKNOWN`; where nothing of it is, there is no text.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import textwrap
from collections.abc import Callable

from squads.gates.python import Program
from squads.gates.secrets.live import UNKNOWN

_DEPTH_MAX = 12
_CHARS_MAX = 20_000
_SAME = frozenset(("encode", "strip", "rstrip", "lstrip", "decode", "format_map", "lower", "upper", "casefold"))
DECODERS = {
    "base64.b64decode": lambda b: base64.b64decode(b),
    "base64.standard_b64decode": lambda b: base64.b64decode(b),
    "base64.decodebytes": lambda b: base64.b64decode(b),
    "base64.urlsafe_b64decode": lambda b: base64.urlsafe_b64decode(b),
    "base64.b32decode": lambda b: base64.b32decode(b),
    "base64.b16decode": lambda b: base64.b16decode(b, casefold=True),
    "base64.a85decode": lambda b: base64.a85decode(b),
    "base64.b85decode": lambda b: base64.b85decode(b),
    "binascii.a2b_base64": lambda b: binascii.a2b_base64(b),
    "binascii.unhexlify": lambda b: binascii.unhexlify(b),
    "binascii.a2b_hex": lambda b: binascii.unhexlify(b),
    "bytes.fromhex": lambda b: bytes.fromhex(b.decode()),
    "bytearray.fromhex": lambda b: bytes.fromhex(b.decode()),
}
"""Functions that make plain bytes of encoded ones."""


class Texts:
    """Reads texts out of one program, and remembers which literals each was made of."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._asked: list[ast.AST] = []
        self.used: list[ast.Constant] = []
        """The literals that the last text was made of."""

    def text(self, node: ast.expr) -> str | None:
        """Return the text or the bytes (as Latin-1) that `node` makes."""
        self.used = []
        found = self._text(node)
        return found if found and found.strip(UNKNOWN) else None

    def _text(self, node: ast.expr | None) -> str | None:
        if node is None or node in self._asked or len(self._asked) >= _DEPTH_MAX:
            return None
        self._asked.append(node)
        try:
            found = self._read(node)
        finally:
            self._asked.pop()
        return found[:_CHARS_MAX] if found is not None else None

    def _read(self, node: ast.expr) -> str | None:
        match node:
            case ast.Constant(value=str() as value):
                self.used.append(node)
                return value
            case ast.Constant(value=bytes() as value):
                self.used.append(node)
                return value.decode("latin-1")
            case ast.JoinedStr():
                parts = [
                    self._text(v.value) if isinstance(v, ast.FormattedValue) else self._text(v) for v in node.values
                ]
                return "".join(UNKNOWN if p is None else p for p in parts)
            case ast.BinOp(op=ast.Add()):
                left, right = self._text(node.left), self._text(node.right)
                if left is None and right is None:
                    return None
                return (UNKNOWN if left is None else left) + (UNKNOWN if right is None else right)
            case ast.BinOp(op=ast.Mod()):
                return self._formatted(self._text(node.left), self._several(node.right), percent=True)
            case ast.BinOp(op=ast.Mult(), right=ast.Constant(value=int() as times)):
                once = self._text(node.left)
                return once * min(times, 50) if once is not None else None
            case ast.Name() | ast.Attribute():
                return self._named(node)
            case ast.Subscript():
                return self._sliced(node)
            case ast.Call():
                return self._called(node)
            case ast.NamedExpr():
                return self._text(node.value)
        return None

    def _named(self, node: ast.Name | ast.Attribute) -> str | None:
        bindings = self._program.values.all_bindings(node)
        if len(bindings) != 1 or bindings[0].value is None:
            return None
        value, path = bindings[0].value, bindings[0].path
        if path:
            # `user, word = "billing", "..."`: the part that the name takes.
            number = path[0]
            if len(path) > 1 or not isinstance(value, ast.Tuple | ast.List) or not isinstance(number, int):
                return None
            return self._text(value.elts[number]) if number < len(value.elts) else None
        return self._text(value)

    def _sliced(self, node: ast.Subscript) -> str | None:
        if not isinstance(node.slice, ast.Slice):
            origins = [o for o in self._program.values.origins(node) if o is not node]
            return self._text(origins[0]) if len(origins) == 1 else None
        whole = self._text(node.value)
        parts = [node.slice.lower, node.slice.upper, node.slice.step]
        numbers = [self._number(p) for p in parts]
        if whole is None or any(p is not None and n is None for p, n in zip(parts, numbers, strict=True)):
            return None
        return whole[slice(*numbers)] if numbers[2] != 0 else None

    def _called(self, node: ast.Call) -> str | None:
        names = self._program.names.names(node.func)
        for name in names:
            if name in DECODERS and node.args:
                packed = self._text(node.args[0])
                if packed is None or UNKNOWN in packed:
                    return None
                try:
                    return DECODERS[name](packed.encode("latin-1")).decode("latin-1")
                except (ValueError, binascii.Error, UnicodeEncodeError):
                    return None
        if names & {"codecs.decode", "codecs.encode"} and len(node.args) == 2:
            packed, how = self._text(node.args[0]), self._text(node.args[1])
            return codecs.decode(packed, "rot13") if packed is not None and how in ("rot13", "rot_13") else None
        if names & {"str", "bytes", "bytearray", "textwrap.dedent", "reversed", "memoryview"} and node.args:
            if isinstance(node.args[0], ast.List | ast.Tuple | ast.ListComp | ast.GeneratorExp):
                return self._letters(node.args[0])
            made = self._text(node.args[0])
            if made is None and names & {"bytes", "bytearray"}:
                return self._letters(node.args[0])
            if made is not None and "reversed" in names:
                return made[::-1]
            return textwrap.dedent(made) if made is not None and "textwrap.dedent" in names else made
        if names & {"map"} and len(node.args) == 2 and self._program.names.names(node.args[0]) & {"chr"}:
            return self._letters(node.args[1])
        if not isinstance(node.func, ast.Attribute):
            return None
        return self._method(node, node.func)

    def _method(self, node: ast.Call, function: ast.Attribute) -> str | None:
        if function.attr == "join" and len(node.args) == 1:
            between = self._text(function.value)
            parts = self._several(node.args[0])
            if between is None or not parts:
                made = self._letters(node.args[0]) or self._text(node.args[0])
                return made if between == "" else None
            return between.join(UNKNOWN if p is None else p for p in parts)
        if function.attr == "format":
            words = {k.arg: self._text(k.value) for k in node.keywords if k.arg}
            return self._formatted(self._text(function.value), [self._text(a) for a in node.args], words=words)
        if function.attr == "replace" and len(node.args) >= 2:
            whole, old, new = self._text(function.value), self._text(node.args[0]), self._text(node.args[1])
            return whole.replace(old, new) if whole is not None and old and new is not None else None
        return self._text(function.value) if function.attr in _SAME else None

    def _several(self, node: ast.expr) -> list[str | None]:
        """Return the texts of a list's elements, or of the tuple after `%`."""
        display: ast.expr = node
        if isinstance(display, ast.Name | ast.Attribute):
            bindings = self._program.values.all_bindings(display)
            if len(bindings) == 1 and bindings[0].value is not None and not bindings[0].path:
                display = bindings[0].value
        backwards = False
        if isinstance(display, ast.Call) and self._program.names.names(display.func) & {"reversed"} and display.args:
            display, backwards = display.args[0], True
        if isinstance(display, ast.Subscript) and ast.unparse(display.slice) == "::-1":
            display, backwards = display.value, True
        if backwards and isinstance(display, ast.Name):
            return list(reversed(self._several(display)))
        if isinstance(display, ast.List | ast.Tuple):
            found = [self._text(e) for e in display.elts]
            return list(reversed(found)) if backwards else found
        return (
            []
            if display is not node or isinstance(node, ast.Call | ast.ListComp | ast.GeneratorExp)
            else [self._text(node)]
        )

    def _letters(self, node: ast.expr) -> str | None:
        """Return the text whose letters' numbers are listed: `bytes([104, 105])`, `chr(c) for c in (104, 105)`."""
        change: Callable[[int], int] = _same
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            changed = self._change(node.elt)
            if changed is None or len(node.generators) != 1 or node.generators[0].ifs:
                return None
            change, node = changed, node.generators[0].iter
        if isinstance(node, ast.Name | ast.Attribute):
            bindings = self._program.values.all_bindings(node)
            node = bindings[0].value if len(bindings) == 1 and bindings[0].value is not None else node
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes | str):
            self.used.append(node)
            value = node.value if isinstance(node.value, bytes) else node.value.encode("latin-1", "replace")
            return "".join(chr(change(b) % 256) for b in value)
        if isinstance(node, ast.Call):
            made = self._text(node)
            return "".join(chr(change(ord(c)) % 256) for c in made) if made is not None else None
        if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
            return None
        numbers = [self._number(e) for e in node.elts]
        if any(n is None or not 0 <= n < 256 for n in numbers):
            return None
        self.used += [e for e in node.elts if isinstance(e, ast.Constant)][:1]
        return "".join(chr(change(n) % 256) for n in numbers if n is not None)

    @staticmethod
    def _number(node: ast.expr | None) -> int | None:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return -node.operand.value if isinstance(node.operand.value, int) else None
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None

    @staticmethod
    def _formatted(
        pattern: str | None,
        parts: list[str | None],
        *,
        percent: bool = False,
        words: dict[str, str | None] | None = None,
    ) -> str | None:
        if pattern is None:
            return None
        filled = [UNKNOWN if p is None else p for p in parts]
        try:
            if percent:
                return pattern % tuple(filled)
            return pattern.format(*filled, **{k: UNKNOWN if v is None else v for k, v in (words or {}).items()})
        except (ValueError, IndexError, KeyError, TypeError, AttributeError):
            return pattern

    def _change(self, node: ast.expr) -> Callable[[int], int] | None:
        """Return what a comprehension does to each number: `chr(c)`, `c`, `c ^ 90`, `c - 3`; None for anything else."""
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("chr", "ord")
            and node.args
        ):
            return self._change(node.args[0])
        if isinstance(node, ast.Name):
            return _same
        if not isinstance(node, ast.BinOp):
            return None
        inner, known = self._change(node.left), self._program.values.constants(node.right)
        by = next(iter(known)) if len(known) == 1 else None
        if inner is None or not isinstance(by, int):
            return None
        match node.op:
            case ast.BitXor():
                return lambda n: inner(n) ^ by
            case ast.Add():
                return lambda n: inner(n) + by
            case ast.Sub():
                return lambda n: inner(n) - by
        return None


def _same(number: int) -> int:
    return number
