"""Turns counts into the tables of the page, with an interval beside every rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reasons import NEAR, RIGHT

BEGIN = "<!-- tables: written by `python benchmarks/checks.py --page` -->"
END = "<!-- tables end -->"
HEADER = (
    "gate",
    "defects caught for the right reason",
    "for another reason",
    "passed",
    "abstained",
    "not its files",
    "cosmetic fixes caught for the right reason",
    "clean cases refused",
)
Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution, for intervals of 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The outcomes of one gate, each `right`, `other`, `passed`, `abstained` or `unread`."""

    gate: str
    invariant: str
    defects: tuple[str, ...]
    cosmetic: tuple[str, ...]
    clean: tuple[str, ...]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % score interval of a rate, from 0 to 1.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
    American Statistical Association 22 (1927), 209-212.
    """
    if not of:
        return 0.0, 1.0
    rate, weight = hits / of, Z * Z / of
    centre = (rate + weight / 2) / (1 + weight)
    half = Z / (1 + weight) * math.sqrt(rate * (1 - rate) / of + weight / (4 * of))
    return max(0.0, centre - half), min(1.0, centre + half)


def rate(hits: int, of: int) -> str:
    """Return hits, cases and interval as a table says it."""
    if not of:
        return "no cases"
    low, high = wilson(hits, of)
    return f"{hits} of {of} ({100 * low:.0f}–{100 * high:.0f} %)"


def line(row: Row) -> tuple[str, ...]:
    """Return one row's cells."""
    wrong = [o for o in row.clean if o in ("right", "other")]
    other = wrong.count("other")
    return (
        row.gate,
        rate(row.defects.count("right"), len(row.defects)),
        *(str(row.defects.count(o)) for o in ("other", "passed", "abstained", "unread")),
        rate(row.cosmetic.count("right"), len(row.cosmetic)),
        rate(len(wrong), len(row.clean)) + (f", {other} for another reason" if other else ""),
    )


def summed(rows: Iterable[Row]) -> list[Row]:
    """Return one row for each gate, over all invariants."""
    gates: dict[str, list[Row]] = {}
    for row in rows:
        gates.setdefault(row.gate, []).append(row)
    return [
        Row(
            gate=gate,
            invariant="all",
            defects=tuple(o for r in its for o in r.defects),
            cosmetic=tuple(o for r in its for o in r.cosmetic),
            clean=tuple(o for r in its for o in r.clean),
        )
        for gate, its in gates.items()
    ]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def tables_of(rows: Sequence[Row], with_notes: Sequence[Row], versions: Sequence[str]) -> str:
    """Return everything that the page says in tables."""
    parts = [f"Versions: {'; '.join(versions)}.", "### All invariants, as the gates refuse by default"]
    parts += [table(HEADER, map(line, summed(rows)))]
    parts += ["### All invariants, if every finding refused, notes too", table(HEADER, map(line, summed(with_notes)))]
    for invariant in dict.fromkeys(r.invariant for r in rows):
        parts += [f"### `{invariant}`", table(HEADER, [line(r) for r in rows if r.invariant == invariant])]
    right = [
        (tool, f"`{rule.removeprefix('settings.')}`", f"`{invariant}`", why)
        for tool, its in RIGHT.items()
        for rule, (invariant, why) in its.items()
    ]
    parts += ["### Rules that count as the right reason", table(("tool", "rule", "invariant", "why"), right)]
    parts += ["### Rules that come near and do not count"]
    near = [(tool, rules, f"`{invariant}`", why) for tool, rules, invariant, why in NEAR]
    parts += [table(("tool", "rules", "invariant", "why not"), near)]
    return "\n\n".join(parts) + "\n"


def page_with(page: str, text: str) -> str:
    """Return the page with new tables between its two marks; raises `ValueError` where a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no room for tables: write {BEGIN!r} and {END!r} where they belong")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"
