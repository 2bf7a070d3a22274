"""Turns the figures of `ledger.py` into the tables of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tables import page_with as _page_with
from tables import table

BEGIN = "<!-- ledger: written by `python benchmarks/ledger.py --page` -->"
END = "<!-- ledger ends -->"
page_with = partial(_page_with, begin=BEGIN, end=END)
"""Writes the tables into a page, between its two marks."""
Figures = Mapping[int, Mapping[str, Any]]

ROWS: Sequence[tuple[str, str, str, float | None, float | None]] = (
    # (key, what, beside what, goal a second, goal as a ratio)
    ("single", "durable append of one receipt, with its signed checkpoint", "append and fdatasync", None, 0.7),
    ("batch_100", "durable appends of 100", "bare SQLite", None, None),
    ("batch_1000", "durable appends of 1,000", "bare SQLite", 80_000, None),
    ("producers_64", "64 tasks that append one at a time", "", 20_000, None),
    ("verify", "verify, without signatures", "one SHA-256 a leaf", 300_000, None),
    ("signatures", "verify, with signatures, one thread", "Ed25519 alone", None, 0.9),
    ("signatures_threads", "verify, with signatures, a thread a core", "Ed25519 alone, one thread", None, 0.9),
    ("prove", "inclusion proofs, 100 a call", "one row read", 9_000, None),
    ("prove_one", "inclusion proofs, one a call", "one row read", None, None),
    ("check", "check an inclusion proof", "its SHA-256 alone", 100_000, None),
    ("replay", "replay", "one SHA-256 of 700 bytes", None, None),
)
STORES = {"": "SQLite", "postgres": "PostgreSQL"}
PHASE_NAMES = {
    "fill": "append in batches",
    "single": "append one at a time",
    "producers": "64 tasks append",
    "verify": "verify, without signatures",
    "signatures": "verify, with signatures",
    "prove": "make and check proofs",
    "replay": "replay",
}


def tables_of(figures: Figures, versions: Mapping[str, str], rounds: int) -> str:
    """Return everything that the page says of the ledger in figures."""
    sizes = list(figures)
    said = "; ".join(f"{name} {number}" for name, number in versions.items())
    parts = [
        f"{said}.\nMedians of {rounds} rounds or more; a receipt takes "
        f"{figures[sizes[-1]].get('bytes_per_entry', 0):,.0f} bytes on disk with its part of the tree.\n"
        "A ratio is of rates, ours to the raw one beside it."
    ]
    parts.append(table(("entries a second", *(f"at {size:,}" for size in sizes), "goal"), rates(figures, "")))
    parts.append(table(("ratio to", *(f"at {size:,}" for size in sizes), "goal"), ratios(figures)))
    parts.append(table(("wait, ms, 99th percentile", *(f"at {size:,}" for size in sizes)), waits(figures, "")))
    parts.append(table(("memory, MiB, most", *(f"at {size:,}" for size in sizes)), memory(figures)))
    if any("postgres" in found for found in figures.values()):
        header = ("PostgreSQL, entries a second", *(f"at {size:,}" for size in sizes), "goal")
        parts.append(table(header, rates(figures, "postgres")))
    return "\n\n".join(parts) + "\n"


def rates(figures: Figures, store: str) -> list[list[str]]:
    """Return a row of rates for everything that was measured in a store."""
    rows = []
    for key, what, _, goal, _ in ROWS:
        cells = [number(of_store(found, store).get(key, {}).get("per_s")) for found in figures.values()]
        if any(cells):
            rows.append([what, *cells, number(goal) if goal and not store else ""])
    return rows


def ratios(figures: Figures) -> list[list[str]]:
    """Return a row of ratios for everything that has something raw beside it."""
    rows = []
    for key, what, beside, _, goal in ROWS:
        cells = [number(found.get(key, {}).get("per_raw")) for found in figures.values()]
        if any(cells):
            rows.append([f"{what}, to {beside}", *cells, number(goal)])
        if key == "single" and any(cells):
            other = [number(found.get(key, {}).get("per_raw_store")) for found in figures.values()]
            rows.append([f"{what}, to a bare SQLite commit", *other, ""])
        if key == "replay" and any(cells):
            last = [number(found.get(key, {}).get("last_to_first_tenth")) for found in figures.values()]
            rows.append(["replay, time of the last tenth to that of the first", *last, number(1.0)])
    return rows


def waits(figures: Figures, store: str) -> list[list[str]]:
    """Return how long appends waited at worst but for one in a hundred."""
    names = {"single": "one task", "producers_64": "64 tasks"}
    found = {
        what: [number(of_store(each, store).get(key, {}).get("p99_ms")) for each in figures.values()]
        for key, what in names.items()
    }
    return [[what, *cells] for what, cells in found.items() if any(cells)]


def memory(figures: Figures) -> list[list[str]]:
    """Return the most memory of each phase's process."""
    rows = []
    for phase, what in PHASE_NAMES.items():
        cells = [found["memory_mib"].get(phase) for found in figures.values()]
        if any(cells):
            rows.append([what, *(number(cell["peak"]) if cell else "" for cell in cells)])
    starts = [min(cell["at_start"] for cell in found["memory_mib"].values()) for found in figures.values()]
    return [["before anything", *map(number, starts)], *rows]


def of_store(found: Mapping[str, Any], store: str) -> Mapping[str, Any]:
    """Return the figures of one store."""
    inner: Mapping[str, Any] = found.get(store, {}) if store else found
    return inner


def number(value: float | None) -> str:
    """Return a figure as a table says it; nothing where there is none."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
