from __future__ import annotations

import re
from enum import Enum

_PLAIN = re.compile(r"\d+(\.\d{1,2})?")


class Till(Enum):
    ENGLISH = (",", ".")
    GERMAN = (".", ",")


class NoAmount(ValueError):
    pass


def normal(text: str, till: Till) -> str:
    """Return the amount with a point and without separators of thousands."""
    thousands, point = till.value
    plain = text.strip().replace(thousands, "").replace(point, ".")
    if not _PLAIN.fullmatch(plain):
        raise NoAmount(f"{text!r} is no amount")
    return plain


def cents_of(text: str, till: Till = Till.ENGLISH) -> int:
    euros, _, cents = normal(text, till).partition(".")
    return int(euros) * 100 + int(cents.ljust(2, "0"))
