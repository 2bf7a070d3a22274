"""The monthly report: one line for each customer, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from core.parsing import cents

COLUMNS = ("customer", "gross", "tax", "net")


def rows(bookings: Iterable[dict[str, str]]) -> list[dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for booking in bookings:
        row = found.setdefault(booking["customer"], {"customer": booking["customer"], "gross": 0, "tax": 0})
        row["gross"] += cents(booking["gross"])
        row["tax"] += cents(booking["tax"])
    for row in found.values():
        row["net"] = row["gross"] - row["tax"]
    return [found[name] for name in sorted(found)]


def report(bookings: Iterable[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(bookings))
    return out.getvalue()
