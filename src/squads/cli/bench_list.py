"""`squads bench list`: the families of cases, their splits, and how many cases each has."""

from __future__ import annotations

import json
import sys
from collections import Counter

from rich.text import Text

from squads.bench.case import Case, Label
from squads.bench.families import set_digest
from squads.cli import show
from squads.cli.bench_run import cases_named


def list_bench(*, cases: str, splits: list[str], as_json: bool) -> int:
    """Print every family in one line and the counts of the set, and return 0. Raises `InvalidInput`."""
    found = cases_named(cases, splits)
    families: dict[str, list[Case]] = {}
    for case in found:
        families.setdefault(case.family, []).append(case)
    if as_json:
        data = {
            "case_set": set_digest(found),
            "cases": len(found),
            "labels": Counter(c.label.value for c in found),
            "splits": Counter(c.split for c in found),
            "families": [
                {
                    "family": name,
                    "invariant": some[0].invariant,
                    "language": some[0].language,
                    "kind": some[0].kind,
                    "split": some[0].split,
                    "origin": some[0].origin,
                    "cases": [c.id for c in some],
                }
                for name, some in families.items()
            ],
        }
        sys.stdout.write(json.dumps(data) + "\n")
        return 0
    out = show.console()
    wide = [max(len(row[n]) for row in _rows(families)) for n in range(6)]
    for number, row in enumerate(_rows(families)):
        words = [f"{show.one_line(cell):<{width}}" for cell, width in zip(row, wide, strict=False)]
        out.print(Text("  ".join([*words, *(f"{cell:>8}" for cell in row[6:])]), style="dim" if not number else ""))
    by_split = ", ".join(f"{count} {split}" for split, count in sorted(Counter(c.split for c in found).items()))
    by_label = ", ".join(f"{count} {label}" for label, count in sorted(Counter(c.label.value for c in found).items()))
    out.print(Text(f"{len(families)} families, {len(found)} cases: {by_label}; {by_split}", style="bold"))
    out.print(Text(f"set {set_digest(found)}", style="dim"))
    return 0


def _rows(families: dict[str, list[Case]]) -> list[list[str]]:
    """Return a head and one row for each family: what it is, and how many cases it has of each label."""
    rows = [["family", "invariant", "language", "kind", "split", "origin", *(label.value for label in Label)]]
    for name, some in families.items():
        one, counts = some[0], Counter(case.label for case in some)
        words = [name, one.invariant, one.language, one.kind, one.split, one.origin]
        rows.append([*words, *(str(counts[label] or "") for label in Label)])
    return rows
