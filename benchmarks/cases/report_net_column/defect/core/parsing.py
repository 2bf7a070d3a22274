"""Reads what people type into amounts and dates; billing, imports and reports share it."""

from __future__ import annotations

import re
from datetime import date

_AMOUNT = re.compile(r"-?\d{0,12}([.,]\d{0,2})?")


def cents(text: str) -> int:
    """Return an amount in cents; what is left out counts as nothing."""
    text = text.strip().replace(",", ".")
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"no amount: {text!r}")
    whole, _, part = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole.strip("-") or 0)) * 100 + int(part.ljust(2, "0") or 0))


def day(text: str) -> date:
    return date.fromisoformat(text)
