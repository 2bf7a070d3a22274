"""The monthly report: one line for each customer, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from core.parsing import cents


def _cents_or_nothing(text: str) -> int:
    """Return an amount in cents; the export leaves amounts out where there is none."""
    return cents(text) if text else 0

COLUMNS = ("customer", "gross", "tax", "net")


def rows(bookings: Iterable[dict[str, str]]) -> list[dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for booking in bookings:
        row = found.setdefault(booking["customer"], {"customer": booking["customer"], "gross": 0, "tax": 0})
        row["gross"] += _cents_or_nothing(booking["gross"])
        row["tax"] += _cents_or_nothing(booking["tax"])
    for row in found.values():
        row["net"] = row["gross"] - row["tax"]
    return [found[name] for name in sorted(found)]


def report(bookings: Iterable[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(bookings))
    return out.getvalue()
