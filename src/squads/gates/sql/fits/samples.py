"""Functions whose result is known in its length, though not in what it says: `md5(...)`, `gen_random_uuid()::text`.

Such a result is a sample: a text that stands for every text of its length. It may be cut, joined and padded like any
other, and what is left is measured; nothing but its length, and the dashes of a UUID, is ever believed of it. Bytes are
only a number of bytes, which `encode` turns into a text of known length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from squads.gates.sql.fits.constants import TEXT_CHARACTERS_MAX, Constant
from squads.gates.sql.lex import Token, split
from squads.gates.words import word_set

UUID = Constant("sample", text="0" * 8 + "-0000" * 3 + "-" + "0" * 12, type="uuid")
"""How every UUID is written out."""
EPOCH = Constant("numeric", Fraction(1_700_000_000))
"""The seconds since 1970 when this was written: today has as many digits, and will have for long."""
NOW = word_set("now current_timestamp clock_timestamp statement_timestamp transaction_timestamp localtimestamp")
_UUIDS = word_set(
    "gen_random_uuid uuidv4 uuidv7 uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 "
    "uuid_generate_v5 uuid_generate_v7"
)
_BYTES = {"sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
_DIGESTS = {"md5": 16, "sha1": 20, **_BYTES}
LEAST = "least"
"""The type of a sample of which only is known that it is no shorter."""
_PLACED = re.compile(r"%\d+\$|%-?\d|%\*")
_FILLED = re.compile(r"%[sIL]")
_HELD = frozenset(("sample", "text", "literal"))
_FORMAT = re.compile(
    r"\"(?P<said>[^\"]*)\"|(?P<piece>HH24|HH12|HH|MI|SSSSS|SS|MS|US|YYYY|IYYY|YY|IY|MM|DDD|DD|IW|WW|ID|Q|D|W|AM|PM)|"
    r"(?P<plain>[^A-Za-z0-9\"])"
)
_PIECES = {"HH24": 2, "HH12": 2, "SSSSS": 5, "US": 6, "MS": 3, "DDD": 3, "ID": 1, "Q": 1, "D": 1, "W": 1}
_DIGITS = re.compile(r"(FM)?([09]*0[09]*)")


def sampled(name: str, values: Sequence[Constant | None]) -> Constant | None:
    """Return what a function gives whatever some of its arguments are, or None where its length is not known."""
    if name in _UUIDS:
        return UUID
    if name == "md5" and len(values) == 1:
        return Constant("sample", text="0" * 32)
    if name in _BYTES:
        return Constant("bytes", Fraction(_BYTES[name]))
    function = _FUNCTIONS.get(name)
    return function(values) if function else None


def arguments(inside: Sequence[Token]) -> list[Sequence[Token]]:
    """Return a call's arguments; `substring(x FROM 1 FOR 8)` and `trim(BOTH ' ' FROM x)` as with commas."""
    depth, cuts, found = 0, list[int](), dict[str, int]()
    for number, token in enumerate(inside):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if not depth and token.kind == "word" and token.value in ("from", "for"):
            cuts.append(number)
            found[token.value] = number
    if not cuts:
        return list(split(inside)) if inside else []
    if inside[0].value in ("both", "leading", "trailing"):
        return [inside[found["from"] + 1 :]] if "from" in found else []
    edges = [-1, *cuts, len(inside)]
    return [inside[a + 1 : b] for a, b in pairwise(edges)]


def written(values: Sequence[Constant]) -> Constant | None:
    """Return what `||` and `concat` make of values of which some are samples."""
    if any(not v.text and v.kind not in ("literal", "text", "null", "sample") for v in values):
        return None
    text = "".join(v.text for v in values)
    least = LEAST if any(v.type == LEAST for v in values) else ""
    return Constant("sample", text=text, type=least) if len(text) <= TEXT_CHARACTERS_MAX else None


def at_least(values: Sequence[Constant]) -> Constant | None:
    """Return what is known of a text that these are parts of: it is no shorter."""
    if any(v.kind not in _HELD for v in values):
        values = [v for v in values if v.kind in _HELD]
    made = written(values) if values else None
    return replace(made, type=LEAST) if made is not None else None


def filled_in(values: Sequence[Constant | None]) -> Constant | None:
    """Return what `format('INV-%s-%s', ...)` makes."""
    form = values[0] if values else None
    if form is None or form.kind not in ("literal", "text") or _PLACED.search(form.text):
        return None
    pieces = _FILLED.split(form.text.replace("%%", "\0"))
    parts: list[Constant | None] = [Constant("text", text=pieces[0])]
    for piece, value in zip(pieces[1:], [*values[1:], *[None] * len(pieces)], strict=False):
        held = value is not None and (value.kind in _HELD or value.text)
        parts += [replace(value, kind="text") if held and value is not None and value.kind != "sample" else value]
        parts += [Constant("text", text=piece)]
    known = [p for p in parts if p is not None]
    return written(known) if len(known) == len(parts) else at_least(known)


def _number(values: Sequence[Constant | None], at: int) -> int | None:
    value = values[at] if at < len(values) else None
    number = value.number if value is not None and value.kind in ("integer", "numeric") else None
    return int(number) if number is not None and abs(number) <= TEXT_CHARACTERS_MAX else None


def _text(values: Sequence[Constant | None], at: int = 0) -> str | None:
    value = values[at] if at < len(values) else None
    return value.text if value is not None and value.kind in _HELD else None


def _made(values: Sequence[Constant | None], text: str) -> Constant:
    """Return a text as what it was made of is: a sample, or the very characters."""
    exact = all(v is not None and v.kind != "sample" for v in values[:1])
    return Constant("text" if exact else "sample", text=text, type=LEAST if _open(values) else "")


def _open(values: Sequence[Constant | None]) -> bool:
    """Return whether the first of them may be longer than is known."""
    return bool(values) and values[0] is not None and values[0].type == LEAST


def _left(values: Sequence[Constant | None]) -> Constant | None:
    text, length = _text(values), _number(values, 1)
    return None if text is None or length is None else _made(values, text[:length])


def _right(values: Sequence[Constant | None]) -> Constant | None:
    text, length = _text(values), _number(values, 1)
    if text is None or length is None:
        return None
    return _made(values, text[-length:] if length > 0 else text[-length:] if length else "")


def _part(values: Sequence[Constant | None]) -> Constant | None:
    text, start, length = _text(values), _number(values, 1), _number(values, 2)
    if text is None or start is None or (len(values) > 2 and (length is None or length < 0)):
        return None
    end = len(text) if length is None else max(0, start - 1 + length)
    return _made(values, text[max(0, start - 1) : end])


def _trimmed(values: Sequence[Constant | None]) -> Constant | None:
    if _open(values):
        return None
    text, mark = _text(values), " " if len(values) < 2 else _text(values, 1)
    if text is None or mark is None:
        return None
    # Of a sample only what is neither a letter nor a digit is known, so only that can be trimmed.
    return _made(values, text.strip("".join(c for c in mark if not c.isalnum())))


def _cut_behind(values: Sequence[Constant | None]) -> Constant | None:
    if _open(values):
        return None
    text, mark = _text(values), " " if len(values) < 2 else _text(values, 1)
    return None if text is None or mark is None else _made(values, text.rstrip(mark if not mark.isalnum() else " "))


def _replaced(values: Sequence[Constant | None]) -> Constant | None:
    if _open(values):
        return None
    text, old, new = _text(values), _text(values, 1), _text(values, 2)
    if text is None or not old or new is None or (any(map(str.isalnum, old)) and len(old) != len(new)):
        return None
    return _made(values, text.replace(old, new))


def _translated(values: Sequence[Constant | None]) -> Constant | None:
    if _open(values):
        return None
    text, old, new = _text(values), _text(values, 1), _text(values, 2)
    if text is None or old is None or new is None or any(map(str.isalnum, old[len(new) :])):
        return None
    table = {ord(c): (new[n] if n < len(new) else None) for n, c in reversed(list(enumerate(old)))}
    return _made(values, text.translate(table))


def _split_part(values: Sequence[Constant | None]) -> Constant | None:
    if _open(values):
        return None
    text, mark, number = _text(values), _text(values, 1), _number(values, 2)
    if text is None or not mark or mark.isalnum() or not number or number < 0:
        return None
    parts = text.split(mark)
    return _made(values, parts[number - 1] if number <= len(parts) else "")


def _padded(values: Sequence[Constant | None]) -> Constant | None:
    """Exactly so long, whatever is padded: what is longer is cut."""
    length = _number(values, 1)
    mark = " " if len(values) < 3 else _text(values, 2)
    return None if length is None or length < 0 or not mark else Constant("sample", text="0" * length)


def _padded_behind(values: Sequence[Constant | None]) -> Constant | None:
    """As `_padded`; but spaces at the end are dropped where they do not fit."""
    return _padded(values) if len(values) > 2 and (_text(values, 2) or " ").strip() else None


def _cased(values: Sequence[Constant | None]) -> Constant | None:
    text = _text(values)
    return None if text is None or len(values) != 1 else _made(values, text)


def _encoded(values: Sequence[Constant | None]) -> Constant | None:
    value, how = values[0] if values else None, (_text(values, 1) or "").lower()
    size = int(value.number) if value is not None and value.kind == "bytes" and value.number is not None else None
    if size is None or size > TEXT_CHARACTERS_MAX:
        return None
    if how == "hex":
        return Constant("sample", text="0" * (2 * size))
    if how != "base64":
        return None
    pad = -size % 3
    text = "0" * ((size + 2) // 3 * 4 - pad) + "=" * pad
    return Constant("sample", text="\n".join(text[at : at + 76] for at in range(0, len(text), 76)))


def _random(values: Sequence[Constant | None]) -> Constant | None:
    size = _number(values, 0)
    return Constant("bytes", Fraction(size)) if size is not None and size >= 0 else None


def _digest(values: Sequence[Constant | None]) -> Constant | None:
    size = _DIGESTS.get((_text(values, 1) or "").lower())
    return Constant("bytes", Fraction(size)) if size else None


def _hmac(values: Sequence[Constant | None]) -> Constant | None:
    size = _DIGESTS.get((_text(values, 2) or "").lower())
    return Constant("bytes", Fraction(size)) if size else None


def _formatted(values: Sequence[Constant | None]) -> Constant | None:
    """`to_char`: every day of the same format is equally long, and so is a number written with leading zeros."""
    form = _text(values, 1)
    if form is None:
        return None
    if numbers := _DIGITS.fullmatch(form):
        digits = len(numbers[2]) if numbers[2].startswith("0") else 0
        # A number's first character is its sign, a blank where it has none; FM takes the blank away.
        return Constant("sample", text="0" * (digits + (not numbers[1]))) if digits else None
    length, at = 0, 0
    while at < len(form):
        found = _FORMAT.match(form, at)
        if found is None:
            return None
        piece = found["piece"]
        length += len(found["said"] or "") if piece is None and found["plain"] is None else 0
        length += 1 if found["plain"] is not None else 0
        length += _PIECES.get(piece, len(piece)) if piece else 0
        at = found.end()
    return Constant("sample", text="0" * length) if _FORMAT.search(form) and length else None


_FUNCTIONS: dict[str, Callable[[Sequence[Constant | None]], Constant | None]] = {
    **dict.fromkeys(("lower", "upper", "reverse", "initcap"), _cased),
    **dict.fromkeys(("trim", "btrim"), _trimmed),
    "rtrim": _cut_behind,
    "ltrim": _trimmed,
    **dict.fromkeys(("substr", "substring"), _part),
    "lpad": _padded,
    "rpad": _padded_behind,
    "left": _left,
    "right": _right,
    "replace": _replaced,
    "translate": _translated,
    "split_part": _split_part,
    "encode": _encoded,
    "gen_random_bytes": _random,
    "digest": _digest,
    "hmac": _hmac,
    "to_char": _formatted,
}
