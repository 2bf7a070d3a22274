"""Turns the figures of `bus.py` into the tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from bus_traffic import KINDS
from tables import page_with as _page_with
from tables import table

BEGIN = "<!-- bus: written by `python benchmarks/bus.py --page` -->"
END = "<!-- bus ends -->"
page_with = partial(_page_with, begin=BEGIN, end=END)
"""Writes the tables into a page, between its two marks."""
CALLED = {
    "queue": "asyncio queue, in one process",
    "bare": "by hand, bare",
    "equal_hmac": "by hand, equal, HMAC",
    "equal_ed25519": "by hand, equal, Ed25519",
    "squads_shared": "squads, one key for all",
    "squads_own": "squads, a key for each role",
    "faststream": "FastStream",
    "taskiq": "taskiq",
    "streaq": "streaQ",
}


def tables_of(figures: Mapping[str, Any]) -> str:
    """Return everything that the page says of the bus in figures."""
    versions = "; ".join(f"{name} {number}" for name, number in figures["versions"].items())
    parts = [
        f"Server: {figures['server']}, append-only file on, `appendfsync {figures['appendfsync']}`. {versions}.\n"
        f"Medians of {figures['rounds']} rounds of {figures['messages']:,} messages; a request has "
        f"{figures['request_bytes']} bytes of JSON, a reply {figures['reply_bytes']}.\nThe goal is a ratio of at least "
        f"{figures['goal']}.\n"
        "CPU is that of the process that sends, and in the tables of consuming of the one that consumes; ratios are of "
        "messages a second."
    ]
    for name, why in figures.get("left_out", {}).items():
        parts.append(f"{CALLED[name]} was left out: {why}.")
    for kind, title in KINDS.items():
        if kind in figures:
            parts.append(traffic(title, figures[kind], replies="request" in kind))
    if "backlog" in figures:
        parts.append(backlog(figures["backlog"]))
    if "memory" in figures:
        parts.append(memory(figures["memory"]))
    return "\n\n".join(parts) + "\n"


def traffic(title: str, ways: Mapping[str, Any], *, replies: bool) -> str:
    """Return the table of one kind of traffic."""
    header = [title, "messages a second", "CPU, µs a message", "to bare", "to equal"]
    header[1:1] = ["p50, ms", "p99, ms"] if replies else []
    rows = []
    for name, found in ways.items():
        if "failed" in found:
            rows.append([CALLED[name], f"failed: {found['failed']}", *[""] * (len(header) - 2)])
            continue
        times = [number(found[key]) for key in ("p50_ms", "p99_ms")] if replies else []
        ratios = [number(found.get(key)) for key in ("per_bare", "per_equal")]
        rows.append([CALLED[name], *times, f"{found['per_s']:,.0f}", f"{found['cpu_us']:,.0f}", *ratios])
    return table(header, rows)


def backlog(sizes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of cost while many wait."""
    header = ("waiting", "way", "sent a second", "to the shortest", "handled a second", "to the shortest")
    keys = ("send_per_s", "send_to_shortest", "consume_per_s", "consume_to_shortest")
    rows = [
        (f"{int(size):,}", CALLED[way], *(number(found[key]) for key in keys))
        for size, ways in sizes.items()
        for way, found in ways.items()
    ]
    return table(header, rows)


def memory(sizes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of the server's memory."""
    header = (
        "server's memory for a message, bytes",
        "JSON",
        "on the stream",
        "with its remembered id",
        "once done with",
    )
    rows: Iterable[tuple[str, ...]] = (
        (CALLED[way], size.partition("_")[0], *(f"{found[key]:,.0f}" for key in ("stream", "waiting", "after")))
        for size, ways in sizes.items()
        for way, found in ways.items()
    )
    return table(header, rows)


def number(value: float | None) -> str:
    """Return a figure with as many digits as it is worth, and nothing for nothing."""
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
