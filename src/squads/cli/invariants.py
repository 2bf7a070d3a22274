"""`squads invariants`: the named rules that the checks here hold, and each of them in full."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.text import Text

from squads import plugins
from squads.cards import nearest
from squads.cli import show
from squads.contracts.errors import InvalidInput
from squads.contracts.finding import Invariant
from squads.gates.builtin import HOMES, built_in
from squads.gates.check import CheckGate
from squads.instances import checks_named


def known_invariants() -> list[Invariant]:
    """Return the invariants of the library's checks, and of those that installed packages bring, by id."""
    gates: list[CheckGate] = built_in()
    for plugin in plugins.look("squads.checks", taken=HOMES):
        if not plugin.fault:
            gates += checks_named([plugin.name])
    found = {g.invariant.id: g.invariant for g in gates if isinstance(g.invariant, Invariant)}
    return [found[name] for name in sorted(found)]


def list_invariants(*, as_json: bool) -> int:
    """Print every invariant in one line, and return 0."""
    found = known_invariants()
    if as_json:
        sys.stdout.write(json.dumps([i.model_dump(mode="json") for i in found]) + "\n")
        return 0
    out = show.console()
    width = max(len(i.id) for i in found)
    for invariant in found:
        cwe = f"CWE-{invariant.cwe}" if invariant.cwe else ""
        line = Text.assemble((f"{invariant.id:<{width}}", "bold"), f"  {invariant.severity.value:<7}  {cwe:<8}  ")
        out.print(line.append(show.one_line(invariant.statement)))
    out.print(Text(f"One of them in full: squads invariants show {found[0].id}", style="dim"))
    return 0


def show_invariant(name: str, *, as_json: bool) -> int:
    """Print one invariant with its reason, its examples and where it comes from. Raises `InvalidInput`."""
    found = {i.id: i for i in known_invariants()}
    if name not in found:
        raise InvalidInput(f"there is no invariant {name!r}; {nearest(name, found)}")
    invariant = found[name]
    if as_json:
        sys.stdout.write(json.dumps(invariant.model_dump(mode="json")) + "\n")
        return 0
    out = show.console()
    out.print(Text(invariant.id, style="bold"))
    out.print(Text(show.one_line(invariant.statement)))
    cwe = f", CWE-{invariant.cwe}" if invariant.cwe else ""
    rows: list[tuple[str, Any]] = [
        ("severity", f"{invariant.severity.value}{cwe}"),
        ("why", invariant.why),
        ("origin", invariant.origin),
    ]
    for title, text in rows:
        out.print(Text.assemble((f"{title:<9}", "cyan"), show.one_line(text)))
    for title, text, colour in (("refused", invariant.refused, "red"), ("approved", invariant.approved, "green")):
        out.print(Text(f"\n{title}", style=f"bold {colour}"))
        for line in show.visible(text.rstrip()).split("\n"):
            out.print(Text(f"    {line}"))
    return 0
