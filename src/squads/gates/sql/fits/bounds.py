"""What each type of PostgreSQL can hold, and what becomes of a value that is stored in it.

Follows the documentation of the numeric, character, bit string and enumerated types: numeric rounds to its scale first
and is measured afterwards; character types count characters and drop surplus spaces; an explicit cast to a character
type cuts silently, storing does not. Types that are not listed hold everything, as far as this file knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from squads.gates.sql.fits.constants import Constant, DoesNotFit, number_of, rounded
from squads.gates.sql.fits.samples import UUID
from squads.gates.sql.model import Column, Schema, Table
from squads.gates.words import word_set

NUMERIC_DIGITS_MAX = 1_000
_INTEGER_BITS = {
    **dict.fromkeys(word_set("smallint int2 smallserial serial2"), 16),
    **dict.fromkeys(word_set("integer int int4 serial serial4"), 32),
    **dict.fromkeys(word_set("bigint int8 bigserial serial8"), 64),
}
_NUMERIC = word_set("numeric decimal dec")
_VARIABLE = frozenset(
    [
        "varchar",
        "character varying",
        "char varying",
        "nchar varying",
        "national character varying",
        "national char varying",
    ]
)
_FIXED = frozenset(["char", "character", "nchar", "national character", "national char", "bpchar"])
_DATES = word_set("date timestamp timestamptz")
_REAL_MAX = Fraction(340_282_346_638_528_859_811_704_183_484_516_925_440)
_DOUBLE_MAX = Fraction(2) ** 1024 - Fraction(2) ** 970
_REAL_MIN = Fraction(1, 2**150)
_DOUBLE_MIN = Fraction(1, 2**1075)
_MONEY_MAX = Fraction(2**63 - 1, 100)
_TYPE = re.compile(r"(?:pg_catalog\.)?([\w .$]*?[\w$])\s*(?:\(([-+\d, ]*)\))?(?:\s+with.*)?", re.DOTALL)
_ARRAY = re.compile(r"(?:\s*\[\d*\])+$|\s+array(?:\s*\[\d*\])?$")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?", re.DOTALL)
_ARRAY_TEXT = re.compile(r"\{([^{}\"\\]*)\}")
_HEX4 = "[0-9a-fA-F]{4}-?"
_BOOLEANS = re.compile(r"(?i)t(?:r(?:u(?:e)?)?)?|f(?:a(?:l(?:s(?:e)?)?)?)?|y(?:es?)?|no?|on|off?|0|1")
_OTHER_NUMBER = re.compile(r"(?i)^\s*[-+]?(?:0[xob]|\$|[€£¥])|\d,\d|[()]")
"""Spelled as newer versions, or as money, are; not judged."""
_SPELLED = {
    "uuid": re.compile(rf"\{{{_HEX4 * 7}[0-9a-fA-F]{{4}}\}}|{_HEX4 * 7}[0-9a-fA-F]{{4}}"),
    "boolean": _BOOLEANS,
    "bool": _BOOLEANS,
}
"""How a literal of these types is spelled."""
_PLACEHOLDER = re.compile(r"\$\{|\{\{|%\(|%s|<%|@@\w")
"""Text that a tool replaces before PostgreSQL sees it."""
_SHOWN_MAX = 60

Loss = Literal["all", "zero", "digits"]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a value does not fit: nothing is stored (`all`), zero is (`zero`), or fewer digits are (`digits`)."""

    loses: Loss
    reason: str
    wider: str = ""
    """A type that would hold it."""


@dataclass(frozen=True, slots=True)
class Type:
    """A built-in type, an enum, or one that is not known, without its array brackets."""

    name: str
    arguments: tuple[int, ...] = ()
    array: bool = False
    labels: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.name}({','.join(map(str, self.arguments))})" if self.arguments else self.name

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers, and which ones is known."""
        return self.name in _INTEGER_BITS or self.name in _NUMERIC or _float(self) is not None or self.name == "money"

    @property
    def text_length(self) -> int | None:
        """How many characters it holds, if it counts them."""
        if self.name in _VARIABLE and self.arguments:
            return self.arguments[0]
        if self.name in _FIXED and (self.arguments or self.name != "bpchar"):
            return self.arguments[0] if self.arguments else 1
        return None

    @property
    def limits(self) -> tuple[Fraction, Fraction] | None:
        """The least and the greatest number it holds, where it has such."""
        if bits := _INTEGER_BITS.get(self.name):
            return Fraction(-(2 ** (bits - 1))), Fraction(2 ** (bits - 1) - 1)
        if self.name in _NUMERIC and self.arguments:
            precision, scale = (*self.arguments, 0)[:2]
            top = Fraction(10) ** (precision - scale) - Fraction(10) ** -scale
            return -top, top
        if self.name == "money":
            return -_MONEY_MAX - Fraction(1, 100), _MONEY_MAX
        if width := _float(self):
            top = _REAL_MAX if width == "real" else _DOUBLE_MAX
            return -top, top
        return None


def type_of(schema: Schema, written: str) -> Type:
    """Return the type beneath `written`: domains and arrays opened, enums with their labels."""
    array = False
    for _ in range(16):
        bare = _ARRAY.sub("", written)
        array = array or bare != written
        below = schema.base_type(bare)
        if below == bare == written:
            break
        written = below
    found = _TYPE.fullmatch(written)
    if found is None:
        return Type(written, array=array)
    name = found[1] if found[1] in _INTEGER_BITS else found[1].strip()
    labels = schema.labels.get(name.rsplit(".", 1)[-1])
    numbers = re.findall(r"[-+]?\d{1,9}", found[2] or "")
    return Type(name, tuple(int(n) for n in numbers), array, labels)


def column_type(schema: Schema, table: Table, column: Column) -> Type:
    """Return the type of a table's column, as far as its database keeps values to it.

    SQLite keeps to none. Of MySQL's types those with a written size are PostgreSQL's; its integers may be unsigned.
    """
    target = type_of(schema, column.type)
    sized = target.text_length is not None or target.name in _NUMERIC
    return target if table.dialect == "postgresql" or (table.dialect == "mysql" and sized) else Type("")


def misfit(value: Constant, target: Type) -> Misfit | None:
    """Return why `value` cannot be stored in a column of type `target` as it is, or None where it can."""
    if value.kind == "null" or (value.kind == "literal" and _PLACEHOLDER.search(value.text)):
        return None
    if target.array:
        return next((m for item in _items(value) if (m := misfit(item, _element(target)))), None)
    if value.kind == "array":
        return None
    if target.labels is not None:
        return _label_misfit(value, target)
    if target.text_length is not None:
        return _length_misfit(value, target)
    if target.name in ("bit", "bit varying", "varbit"):
        return _bits_misfit(value, target)
    if target.name in _DATES:
        return _date_misfit(value)
    if target.name in _SPELLED:
        return _spelling_misfit(value, target)
    return _number_misfit(value, target) if target.is_number else None


def surely_fits(target: Type) -> Callable[[str], bool]:
    """Return a quick test that is true only for texts, and numbers as they are spelled, that `target` holds as is.

    Most rows of a dump are settled by it; what it leaves open, `misfit` decides.
    """
    if target.array:
        return "".__eq__
    length = target.text_length
    if length is not None:
        return lambda text: len(text) <= length
    if bits := _INTEGER_BITS.get(target.name):
        digits = {16: 4, 32: 9, 64: 18}[bits]
        return lambda text: len(text) <= digits and text.isdecimal() and text.isascii()
    if target.name in _NUMERIC and target.arguments:
        precision, scale = (*target.arguments, 0)[:2]
        if not 0 <= scale < precision:
            return "0".__eq__
        spelled = re.compile(rf"-?[0-9]{{1,{precision - scale}}}(?:\.[0-9]{{0,{scale}}})?")
        return lambda text: spelled.fullmatch(text) is not None
    if target.labels is not None:
        return frozenset(target.labels).__contains__
    if target.name in _SPELLED:
        return lambda text: _SPELLED[target.name].fullmatch(text) is not None
    measured = target.is_number or target.name in _DATES or target.name in ("bit", "bit varying", "varbit")
    return (lambda _: False) if measured and target.name not in _NUMERIC else lambda _: True


def cast(value: Constant, target: Type) -> Constant | None:
    """Return `value` after an explicit cast. Raises `DoesNotFit` where PostgreSQL would raise an error."""
    if target.array:
        return None if value.kind == "literal" and not _items(value) else Constant("array", items=_items(value))
    if target.text_length is not None or target.name in _VARIABLE | _FIXED | {"text"}:
        if value.kind == "bytes" or (value.kind not in ("literal", "text", "boolean") and not value.text):
            return None
        length = target.text_length
        text = value.text if length is None else value.text[:length]
        kept = value.type if value.kind == "sample" and len(text) < (length or len(text) + 1) else ""
        return Constant("sample" if value.kind == "sample" else "text", text=text, type=kept)
    if target.name in ("bit", "bit varying", "varbit"):
        return None
    if target.name == "uuid" and value.kind not in ("literal", "text"):
        return UUID
    problem = misfit(value, target)
    if problem and problem.loses == "all":
        raise DoesNotFit(problem.reason)
    if not target.is_number:
        return Constant("other", text=value.text, type=str(target)) if value.kind == "literal" else None
    number = number_of(value.text) if value.kind == "literal" else value.number
    if number is None:
        return None
    if target.name in _INTEGER_BITS:
        whole = rounded(number)
        return Constant("integer", whole, text=str(whole), type=f"int{_INTEGER_BITS[target.name] // 8}")
    if target.name in _NUMERIC:
        if not target.arguments:
            return Constant("numeric", number, text=value.text.strip())
        return Constant("numeric", rounded(number, (*target.arguments, 0)[1]))
    return Constant("double", number) if _float(target) else None


def shown(number: Fraction) -> str:
    """Return a number for a message: exact where that is short."""
    if number.denominator == 1:
        return str(number.numerator) if abs(number) < 10**_SHOWN_MAX else f"about 10^{_magnitude(number)}"
    for digits in range(1, 30):
        scaled = number * 10**digits
        if scaled.denominator == 1:
            whole = f"{abs(scaled.numerator):0{digits + 1}d}"
            return f"{'-' if number < 0 else ''}{whole[:-digits]}.{whole[-digits:]}"
    return f"{float(number):.10g}" if abs(number) < _DOUBLE_MAX else f"about 10^{_magnitude(number)}"


def _magnitude(number: Fraction) -> int:
    """Return roughly how many digits stand before the point."""
    return int((number.numerator.bit_length() - number.denominator.bit_length()) * 0.30103)


def _element(target: Type) -> Type:
    return Type(target.name, target.arguments, False, target.labels)


def _items(value: Constant) -> tuple[Constant, ...]:
    """Return an array's elements; of a text only the plain form `{1,2}` is read."""
    if value.kind == "array":
        return tuple(leaf for item in value.items for leaf in (_items(item) if item.kind == "array" else (item,)))
    found = _ARRAY_TEXT.fullmatch(value.text.strip()) if value.kind in ("literal", "other") else None
    parts = [p.strip() for p in found[1].split(",")] if found else []
    return tuple(Constant("literal", text=p) for p in parts if p and p.lower() != "null")


def _float(target: Type) -> Literal["real", "double"] | None:
    if target.name in ("real", "float4"):
        return "real"
    if target.name in ("double precision", "float8"):
        return "double"
    if target.name == "float":
        return "real" if target.arguments and target.arguments[0] <= 24 else "double"
    return None


def _label_misfit(value: Constant, target: Type) -> Misfit | None:
    labels = target.labels or ()
    if value.kind not in ("literal", "other") or value.text in labels:
        return None
    known = ", ".join(repr(label) for label in labels[:12])
    return Misfit("all", f"{_short(value.text)} is no label of {target.name} ({known})")


def _length_misfit(value: Constant, target: Type) -> Misfit | None:
    if value.kind in ("bits", "other", "bytes") or (not value.text and value.kind not in ("literal", "text")):
        return None
    length = target.text_length or 0
    if len(value.text) <= length or not value.text[length:].strip(" "):
        return None
    shown_text = "what is computed here" if value.kind == "sample" else _short(value.text)
    least = "at least " if value.type == "least" else ""
    reason = f"{shown_text} has {least}{len(value.text)} characters, and {target} holds {length}"
    return Misfit("all", reason, f"{target.name}({len(value.text)})")


def _spelling_misfit(value: Constant, target: Type) -> Misfit | None:
    if value.kind != "literal" or _SPELLED[target.name].fullmatch(value.text.strip()):
        return None
    return Misfit("all", f"{_short(value.text)} is no input for {target}")


def _bits_misfit(value: Constant, target: Type) -> Misfit | None:
    if value.kind not in ("bits", "literal") or not re.fullmatch("[01]+", value.text):
        return None
    size = target.arguments[0] if target.arguments else (1 if target.name == "bit" else None)
    if size is None or len(value.text) == size or (target.name != "bit" and len(value.text) < size):
        return None
    reason = f"B'{value.text[:_SHOWN_MAX]}' has {len(value.text)} bits, and {target} holds {size}"
    return Misfit("all", reason, f"{target.name}({len(value.text)})")


def _date_misfit(value: Constant) -> Misfit | None:
    found = _DAY.fullmatch(value.text.strip()) if value.kind == "literal" else None
    if found is None or found[0].rstrip().upper().endswith("BC"):
        return None
    try:
        date(*(int(n) for n in found.groups()))
    except ValueError:
        return Misfit("all", f"{_short(value.text)} is no day of the calendar")
    return None


def _number_misfit(value: Constant, target: Type) -> Misfit | None:
    number = value.number
    whole = target.name in _INTEGER_BITS
    if value.kind == "literal":
        number = number_of(value.text)
        if value.text.strip().lower().lstrip("+-") in ("infinity", "inf"):
            return Misfit("all", f"{value.text} is not finite") if target.arguments or whole else None
        if number is None and value.text.strip().lower() != "nan" and not _OTHER_NUMBER.search(value.text):
            return Misfit("all", f"{_short(value.text)} is no number, and {target} takes nothing else")
        if number is not None and whole and not re.fullmatch(r"\s*[+-]?[\d_]+\s*", value.text):
            return Misfit("all", f"'{value.text}' in quotes is no input for {target}: it has more than digits")
    elif value.kind not in ("integer", "numeric", "double"):
        return None
    if number is None:
        return None
    kept = _kept(number, value, target)
    limits = target.limits
    if limits and not limits[0] <= kept <= limits[1]:
        end = limits[1] if kept > 0 else limits[0]
        side = "most" if kept > 0 else "least"
        after = f", rounded to {shown(kept)}," if kept != number else ""
        reason = f"{_spelled(value, number)}{after} is outside {target}, which holds at {side} {shown(end)}"
        return Misfit("all", reason, _wider(number, target))
    smallest = {"real": _REAL_MIN, "double": _DOUBLE_MIN}.get(_float(target) or "")
    if number and smallest and abs(number) < smallest:
        return Misfit("all", f"{_spelled(value, number)} is too near to zero for {target}")
    if kept == number or (value.kind == "double" and number.denominator.bit_length() > 64):
        return None
    lost: Loss = "zero" if not kept else "digits"
    return Misfit(lost, f"{_spelled(value, number)} becomes {shown(kept)} in {target}", _wider(number, target))


def _kept(number: Fraction, value: Constant, target: Type) -> Fraction:
    """Return what is stored of `number`, before it is measured."""
    if target.name in _INTEGER_BITS:
        return Fraction(round(number)) if value.kind == "double" else rounded(number)
    if target.name in _NUMERIC and target.arguments:
        return rounded(number, (*target.arguments, 0)[1])
    return rounded(number, 2) if target.name == "money" else number


def _wider(number: Fraction, target: Type) -> str:
    """Return a type of the same family that holds `number`, if one does."""
    if target.name in _NUMERIC:
        old_scale = (*target.arguments, 0)[1]
        scale = next((d for d in range(max(old_scale, 0), 31) if (number * 10**d).denominator == 1), max(old_scale, 0))
        whole = len(str(abs(int(number)))) if abs(number) < 10**100 else 0
        before = max(whole, target.arguments[0] - old_scale)
        return f"numeric({before + scale},{scale})" if whole and before + scale <= NUMERIC_DIGITS_MAX else "numeric"
    if number.denominator != 1:
        return "numeric"
    if target.name in _INTEGER_BITS:
        return next((n for n, b in (("integer", 32), ("bigint", 64)) if abs(number) < 2 ** (b - 1)), "numeric")
    return "numeric"


def _spelled(value: Constant, number: Fraction) -> str:
    return value.text[:_SHOWN_MAX] if value.text and value.kind != "literal" else shown(number)


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}...")
