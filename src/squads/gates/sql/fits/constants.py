"""Constants as PostgreSQL computes them: exactly, within bounds, or not at all.

`evaluate.py` reads expressions; this file knows the values: how a literal is spelled, what an operator or a function
makes of values. Never guesses, never runs code, and never computes a number of more than `NUMBER_BITS_MAX` bits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from squads.gates.sql.lex import Token

NUMBER_BITS_MAX = 40_000
"""The longest number that is computed; PostgreSQL's numeric(1000, -1000) ends long before."""

TEXT_CHARACTERS_MAX = 200_000
"""The longest text that is made; what would be longer is no constant here."""

NUMBER_DIGITS_MAX = 4_000
_HUGE = Fraction(10**NUMBER_DIGITS_MAX)
"""Stands for every number with more digits: it fits no bounded type either."""
_NUMBER = re.compile(r"\s*([+-]?)(\d[\d_]*)?(?:\.(\d[\d_]*)?)?(?:[eE]([+-]?\d+))?\s*")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})|(.))", re.DOTALL)

Kind = Literal[
    "integer", "numeric", "double", "literal", "text", "boolean", "null", "bits", "array", "other", "sample", "bytes"
]


class DoesNotFit(Exception):
    """The expression itself fails: PostgreSQL raises an error whenever it computes it."""


@dataclass(frozen=True, slots=True)
class Constant:
    """One value. A `literal` is a string in quotes that takes the type of wherever it is stored.

    A `sample` stands for all texts of its length, `bytes` for so many bytes: see `samples.py`.
    """

    kind: Kind
    number: Fraction | None = None
    text: str = ""
    """Its characters, or how a number is spelled when it is turned into text; empty when not known."""
    type: str = ""
    """What it was cast to, as written; for integers their width."""
    items: tuple[Constant, ...] = field(default=())


NULL = Constant("null")


def number_of(text: str) -> Fraction | None:
    """Return the number that `text` spells in PostgreSQL's way, or None."""
    found = _NUMBER.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        return None
    sign = -1 if found[1] == "-" else 1
    whole, behind = (found[2] or "").replace("_", ""), (found[3] or "").replace("_", "")
    exponent = int(found[4][:9]) if found[4] else 0
    if len(whole) + len(behind) > NUMBER_DIGITS_MAX or abs(exponent) > NUMBER_DIGITS_MAX:
        whole = whole.lstrip("0")
        nonzero = whole.strip("0") or behind.strip("0")
        return sign * _HUGE if nonzero and (len(whole) + exponent > NUMBER_DIGITS_MAX) else Fraction(0)
    return sign * Fraction(int(whole + behind or "0")) * Fraction(10) ** (exponent - len(behind))


def leaf(token: Token) -> Constant | None:
    """Return the constant that a single token is, other than a number."""
    match token.kind:
        case "string" if token.text[0] in "bBxX":
            return _bits(token)
        case "string" if token.text[0] in "uU" and "\\" in token.value:
            return None
        case "string":
            return Constant("literal", text=_unescaped(token.value) if token.text[0] in "eE" else token.value)
        case "dollar":
            return Constant("literal", text=token.value)
        case "word" if token.value == "null":
            return NULL
        case "word" if token.value in ("true", "false"):
            return Constant("boolean", text=token.value)
    return None


def number(text: str) -> Constant | None:
    """Return the constant that a number's token is; None for a parameter such as `$1`."""
    value = number_of(text)
    if value is None:
        return None
    if not text.replace("_", "").isdigit() or abs(value) >= 2**63:
        return Constant("numeric", value, text="" if "e" in text.lower() else text.removesuffix("."))
    return Constant("integer", value, text=text.lstrip("0") or "0", type="int4" if value < 2**31 else "int8")


def negative(value: Constant) -> Constant | None:
    """Return `- value`."""
    if value.number is None or value.kind not in ("integer", "numeric", "double"):
        return None
    text = f"-{value.text}" if value.text else ""
    if value.kind != "double" and value.number in (2**31, 2**63) and value.text.isdigit():  # the least of its type
        return Constant("integer", -value.number, text=text, type="int4" if value.number == 2**31 else "int8")
    return replace(value, number=-value.number, text=text)


def _bits(token: Token) -> Constant:
    digits = token.value
    if token.text[0] in "xX":
        try:
            digits = "".join(f"{int(d, 16):04b}" for d in digits)
        except ValueError:
            raise DoesNotFit(f"{token.text} is no hexadecimal number") from None
    return Constant("bits", text=digits)


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
            if found[group]:
                code = int(found[group], base)
                return chr(code) if code < 0x110000 else ""
        return _ESCAPES.get(found[5], found[5])

    return _ESCAPE.sub(one, text)


def computed(operator: str, left: Constant | None, right: Constant | None) -> Constant | None:
    """Return `left operator right`, or None when it is not known."""
    if left is None or right is None:
        return None
    if "null" in (left.kind, right.kind):
        return NULL
    if operator == "||":
        return _joined([left, right]) if {left.kind, right.kind} <= {"literal", "text"} else None
    left, right = _as_number(left, right), _as_number(right, left)
    kinds = {left.kind, right.kind}
    if left.number is None or right.number is None or not kinds <= {"integer", "numeric", "double"}:
        return None
    kind: Kind = "double" if "double" in kinds else "numeric" if "numeric" in kinds else "integer"
    number = _arithmetic(operator, left.number, right.number, kind)
    if number is None:
        return None
    if operator == "^" and kind == "integer":
        kind = "double"
    if kind != "integer":
        return Constant(kind, number)
    width = max(left.type or "int4", right.type or "int4")
    limit = 2 ** (int(width[3:]) * 8 - 1)
    if not -limit <= number < limit:
        raise DoesNotFit(f"{left.text} {operator} {right.text} = {number} is computed as {_WORDS[width]}, out of range")
    return Constant("integer", number, text=str(number), type=width)


_WORDS = {"int2": "smallint", "int4": "integer", "int8": "bigint"}


def _as_number(value: Constant, other: Constant) -> Constant:
    """Return a quoted literal as a number of the other operand's type, as PostgreSQL reads `'5' * 3`."""
    if value.kind != "literal" or other.number is None:
        return value
    return replace(other, number=number_of(value.text), text=value.text)


def _arithmetic(operator: str, left: Fraction, right: Fraction, kind: Kind) -> Fraction | None:
    if operator in "/%" and right == 0:
        return None
    match operator:
        case "+":
            number = left + right
        case "-":
            number = left - right
        case "*":
            number = left * right
        case "/":
            number = Fraction(math.trunc(left / right)) if kind == "integer" else left / right
        case "%":
            number = left - right * math.trunc(left / right)
        case _:  # numeric to a negative power is cut after some digits, so what comes out is not exact
            return None if kind == "numeric" and right < 0 else _power(left, right)
    return number if _bits_of(number) <= NUMBER_BITS_MAX else None


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1 or abs(exponent) * max(_bits_of(base), 1) > NUMBER_BITS_MAX:
        return None
    if base == 0 and exponent < 0:
        return None
    return base ** int(exponent)


def _bits_of(number: Fraction) -> int:
    return number.numerator.bit_length() + number.denominator.bit_length()


def rounded(number: Fraction, digits: int = 0) -> Fraction:
    """Return `number` rounded to `digits` behind the point, halves away from zero, as PostgreSQL rounds numeric."""
    step = Fraction(10) ** digits
    scaled = abs(number) * step
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return (whole if number >= 0 else -whole) / step


def _joined(values: list[Constant]) -> Constant | None:
    if any(not v.text and v.kind not in ("literal", "text", "null") for v in values):
        return None
    text = "".join(v.text for v in values)
    return Constant("text", text=text) if len(text) <= TEXT_CHARACTERS_MAX else None


def _repeated(values: list[Constant]) -> Constant | None:
    if len(values) != 2 or values[1].number is None or values[0].kind not in ("literal", "text"):
        return None
    times = max(0, int(values[1].number))
    if len(values[0].text) * times > TEXT_CHARACTERS_MAX:
        return None
    return Constant("text", text=values[0].text * times)


def _cased(change: Callable[[str], str]) -> Callable[[list[Constant]], Constant | None]:
    def function(values: list[Constant]) -> Constant | None:
        if len(values) != 1 or values[0].kind not in ("literal", "text"):
            return None
        return Constant("text", text=change(values[0].text))

    return function


def _stepped(step: Callable[[Fraction, int], Fraction]) -> Callable[[list[Constant]], Constant | None]:
    def function(values: list[Constant]) -> Constant | None:
        digits = values[1].number if len(values) == 2 else Fraction(0)
        if len(values) > 2 or values[0].number is None or digits is None or abs(digits) > NUMBER_DIGITS_MAX:
            return None
        kind: Kind = "numeric" if values[0].kind != "double" else "double"
        return Constant(kind, step(values[0].number, int(digits)))

    return function


def _power_call(values: list[Constant]) -> Constant | None:
    return computed("^", *values) if len(values) == 2 else None


def _first(values: list[Constant]) -> Constant | None:
    return next((v for v in values if v.kind != "null"), NULL)


FUNCTIONS: dict[str, Callable[[list[Constant]], Constant | None]] = {
    "repeat": _repeated,
    "concat": _joined,
    "upper": _cased(str.upper),
    "lower": _cased(str.lower),
    "coalesce": _first,
    "round": _stepped(rounded),
    "abs": _stepped(lambda number, _: abs(number)),
    "floor": _stepped(lambda number, _: Fraction(math.floor(number))),
    "ceil": _stepped(lambda number, _: Fraction(math.ceil(number))),
    "ceiling": _stepped(lambda number, _: Fraction(math.ceil(number))),
    "power": _power_call,
    "pow": _power_call,
}
"""The functions that are computed; all others make an expression that is no constant."""
