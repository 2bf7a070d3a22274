"""Small cases and verdicts, so that figures can be counted by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from squads.bench.case import Case, Label, Place
from squads.bench.grid import Grid, Member, grid_of
from squads.bench.judged import Found, Judged, Results


def case(family: str, label: str, *, word: str = "", **changes: Any) -> Case:
    """Return a case whose place is line 5 of `a.sql`, where it is a defect."""
    kind = Label(label)
    fields: dict[str, Any] = {
        "family": family,
        "variant": f"{label}-{word}" if word else label,
        "label": kind,
        "invariants": ("sql.unique-null",),
        "places": (Place(path="a.sql", line=5),) if kind.broken else (),
        "language": "sql",
        "kind": "schema",
        "split": "test",
        "origin": "written",
        "licence": "MIT",
        "brief": "A table.",
        "files": {"a.sql": "SELECT 1;\n"},
    }
    return Case(**{**fields, **changes})


def said(what: Case, gate: str, decision: str = "refused", *, level: int = 3, **changes: Any) -> Judged:
    """Return a verdict; a refusal is right at `level`."""
    found = {
        1: Found(invariant="sql.unique-null", path="a.sql", line=50),
        2: Found(invariant="style", path="a.sql", line=5),
        3: Found(invariant="sql.unique-null", path="a.sql", line=5),
    }[level]
    fields: dict[str, Any] = {
        "case": what.id,
        "gate": gate,
        "decision": decision,
        "looked": 1,
        "found": (found,) if decision == "refused" else (),
    }
    return Judged(**{**fields, **changes})


def results(rows: Iterable[tuple[Case, Judged]], **about: str) -> Results:
    """Return results of verdicts with the cases they are about."""
    listed = list(rows)
    cases = {what.id: what for what, _ in listed}
    return Results(title="made", cases=tuple(cases.values()), judged=tuple(row for _, row in listed), about=about)


def grid(table: Mapping[str, Mapping[str, str]], cases: Mapping[str, Case], **levels: Mapping[str, str]) -> Grid:
    """Return a grid from gate to letters, one for each case: a letter for each repeat, separated by spaces.

    `r` refuses at level three, `p` at level two, `w` at level one, `.` approves, `?` abstains, `!` fails.
    """
    words = {".": ("approved", 3), "?": ("abstained", 3), "!": ("error", 3)}
    letters = {"r": ("refused", 3), "p": ("refused", 2), "w": ("refused", 1), **words}
    rows = []
    for gate, by_case in table.items():
        for name, told in by_case.items():
            for repeat, letter in enumerate(told, 1):
                decision, level = letters[letter]
                factors = levels.get(gate.replace("-", "_"), {})
                row = said(cases[name], gate, decision, level=level, repeat=repeat, factors=factors, cost_microusd=10)
                rows.append((cases[name], row))
    return grid_of(results(rows))


def columns(told: Mapping[str, str], families: Iterable[str], label: str = "defect") -> Grid:
    """Return a grid of one case for each family: gate to a letter for each family, repeats after a space."""
    named = list(families)
    cases = {family: case(family, label) for family in named}
    table = {
        gate: {family: "".join(repeat[n] for repeat in text.split()) for n, family in enumerate(named)}
        for gate, text in told.items()
    }
    return grid(table, cases)


def member(gate: str, repeat: int = 1) -> Member:
    """Return a member."""
    return Member(gate, repeat)
