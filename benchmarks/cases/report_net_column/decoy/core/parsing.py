"""Reads what people type into amounts and dates; billing, imports and reports share it."""

from __future__ import annotations

import re
from datetime import date

_AMOUNT = re.compile(r"-?\d{1,12}(\.\d{2})?")


def cents(text: str) -> int:
    """Return an amount in cents. Raises ValueError for anything but `12` or `12.34`."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"no amount: {text!r}")
    whole, _, part = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole)) * 100 + int(part or 0))


def day(text: str) -> date:
    return date.fromisoformat(text)
