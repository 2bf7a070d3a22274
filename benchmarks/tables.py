"""Markdown tables, and the places of pages that programs write them into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def page_with(page: str, text: str, *, begin: str, end: str) -> str:
    """Return the page with `text` between its two marks; raises `ValueError` where a mark is missing."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no room for tables: write {begin!r} and {end!r} where they belong")
    return f"{before}{begin}\n\n{text}\n{end}{after}"
