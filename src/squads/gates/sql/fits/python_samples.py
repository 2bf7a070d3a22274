"""Calls in Python whose result is known in its length: `uuid4().hex`, `token_hex(16)`, `hexdigest()`, `f"{n:06d}"`.

A result is a sample, as in `samples.py`: only its length is believed, and of a text with parts that are not known only
that it is no shorter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from fractions import Fraction

from squads.gates.sql.fits.constants import TEXT_CHARACTERS_MAX, Constant
from squads.gates.sql.fits.samples import LEAST, UUID

Reads = Callable[["ast.expr | None"], "Constant | None"]
"""How an expression inside is read."""

_DIGESTS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 128}
_UUIDS = frozenset(("uuid1", "uuid3", "uuid4", "uuid5", "uuid6", "uuid7"))
_SAME_LENGTH = frozenset(("upper", "lower", "title", "swapcase", "capitalize", "casefold"))
_DATES = {
    **dict.fromkeys("Y", 4),
    **dict.fromkeys("mdHMSyIVUW", 2),
    **dict.fromkeys("jf", 3),
    "f": 6,
    "F": 10,
    "T": 8,
    "D": 8,
    "%": 1,
    "u": 1,
    "w": 1,
    "p": 2,
}
_WIDTH = re.compile(r"(?:.?[<>=^])?[-+ ]?#?(0?\d+)[,_]?(?:\.\d+)?[a-zA-Z%]?")


def sample(length: int, *, least: bool = False) -> Constant | None:
    """Return a text of which only the length is known."""
    if not 0 < length <= TEXT_CHARACTERS_MAX:
        return None
    return Constant("sample", text="0" * length, type=LEAST if least else "")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def sampled_call(node: ast.Call, read: Reads) -> Constant | None:
    """Return what a call gives whatever its arguments are, where its length is known."""
    name, owner = _name(node.func), node.func.value if isinstance(node.func, ast.Attribute) else None
    size = _count(node.args[0] if node.args else None, read)
    match name:
        case "str" if len(node.args) == 1:
            inner = node.args[0]
            if isinstance(inner, ast.Call) and _name(inner.func) in _UUIDS:
                return UUID
            value = read(inner)
            return value if value is not None and value.kind == "sample" else None
        case "token_hex":
            return sample(2 * (32 if not node.args else size or 0))
        case "token_urlsafe":
            return sample(-(-(32 if not node.args else size or 0) * 4 // 3))
        case "get_random_string":
            return sample(size or 0)
        case "hexdigest" if isinstance(owner, ast.Call) and not node.args:
            algorithm = _name(owner.func)
            if algorithm in ("new", "hmac") and len(owner.args) > 2:
                algorithm = _name(owner.args[2])
            return sample(_DIGESTS.get(algorithm, 0))
        case "hex" if isinstance(owner, ast.Call) and _name(owner.func) in ("urandom", "token_bytes", "randbytes"):
            return sample(2 * (_count(owner.args[0] if owner.args else None, read) or 0))
        case "strftime" if node.args:
            return _dated(read(node.args[0]))
        case "zfill" | "rjust" | "ljust" | "center" if owner is not None:
            inside = read(owner)
            known = len(inside.text) if inside is not None else 0
            return sample(max(size or 0, known), least=True)
        case "join" if owner is not None and len(node.args) == 1:
            return _joined(owner, node.args[0], read)
    if owner is not None and name in _SAME_LENGTH and not node.args:
        value = read(owner)
        return value if value is not None and value.kind == "sample" else None
    return None


def sampled_attribute(node: ast.Attribute) -> Constant | None:
    """Return `uuid4().hex`."""
    inner = node.value
    return sample(32) if node.attr == "hex" and isinstance(inner, ast.Call) and _name(inner.func) in _UUIDS else None


def sampled_slice(node: ast.Subscript, read: Reads) -> Constant | None:
    """Return `text[:8]` of a known text or sample."""
    value = read(node.value)
    if not isinstance(node.slice, ast.Slice) or node.slice.step is not None or value is None or not value.text:
        return None
    if value.kind not in ("literal", "text", "sample"):
        return None
    ends = [_count(end, read) if end is not None else None for end in (node.slice.lower, node.slice.upper)]
    if any(
        end is not None and known is None for end, known in zip((node.slice.lower, node.slice.upper), ends, strict=True)
    ):
        return None
    text = value.text[slice(*ends)]
    if value.type == LEAST and any(e is not None and e < 0 for e in ends):
        return None
    return Constant(value.kind, text=text, type=value.type)


def formatted(node: ast.JoinedStr, read: Reads) -> Constant | None:
    """Return an f-string: as it is where all of it is known, else no shorter than its known parts."""
    texts: list[str] = []
    exact, whole = True, True
    for part in node.values:
        value = read(part.value if isinstance(part, ast.FormattedValue) else part)
        spec = part.format_spec if isinstance(part, ast.FormattedValue) else None
        if value is not None and (value.text or value.kind == "literal") and spec is None:
            texts.append(value.text)
            exact, whole = exact and value.kind != "sample", whole and value.type != LEAST
            continue
        exact = False
        written = read(spec) if spec is not None else None
        dated = _dated(written) if written is not None and "%" in written.text else None
        width = _WIDTH.fullmatch(written.text) if written is not None else None
        whole = whole and dated is not None
        texts.append(dated.text if dated is not None else "0" * int(width[1][:4]) if width else "")
    text = "".join(texts)
    if len(text) > TEXT_CHARACTERS_MAX:
        return None
    if exact:
        return Constant("literal", text=text)
    return Constant("sample", text=text, type="" if whole else LEAST) if text else None


def _count(node: ast.expr | None, read: Reads) -> int | None:
    value = read(node) if node is not None else None
    number = value.number if value is not None else None
    return int(number) if isinstance(number, Fraction) and number.denominator == 1 and abs(number) < 10**6 else None


def _dated(form: Constant | None) -> Constant | None:
    if form is None or form.kind != "literal":
        return None
    length, at = 0, 0
    while at < len(form.text):
        if form.text[at] == "%" and at + 1 < len(form.text):
            piece = _DATES.get(form.text[at + 1])
            if piece is None:
                return None
            length, at = length + piece, at + 2
        else:
            length, at = length + 1, at + 1
    return sample(length)


def _joined(owner: ast.expr, given: ast.expr, read: Reads) -> Constant | None:
    """Return `"".join(choice(ALPHABET) for _ in range(12))`."""
    mark = read(owner)
    if mark is None or mark.kind != "literal":
        return None
    if isinstance(given, (ast.GeneratorExp, ast.ListComp)) and len(given.generators) == 1:
        over = given.generators[0]
        picks = isinstance(given.elt, ast.Call) and _name(given.elt.func) in ("choice", "randint", "randrange")
        counted = isinstance(over.iter, ast.Call) and _name(over.iter.func) == "range" and len(over.iter.args) == 1
        if picks and counted and isinstance(over.iter, ast.Call) and not over.ifs:
            times = _count(over.iter.args[0], read) or 0
            return sample(times + len(mark.text) * max(0, times - 1))
    if isinstance(given, ast.Call) and _name(given.func) in ("choices", "sample"):
        size = next((k.value for k in given.keywords if k.arg == "k"), given.args[1] if len(given.args) > 1 else None)
        picked = _count(size, read) or 0
        return sample(picked + len(mark.text) * max(0, picked - 1))
    if isinstance(given, (ast.List, ast.Tuple)):
        values = [read(e) for e in given.elts]
        known = sum(len(v.text) for v in values if v is not None) + len(mark.text) * max(0, len(values) - 1)
        return sample(known, least=any(v is None or (v.kind == "sample" and v.type == LEAST) for v in values))
    return None
