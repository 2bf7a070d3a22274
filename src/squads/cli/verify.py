"""`squads verify`: every check of an audit, each with its own line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.text import Text

from squads.audit import Audit, audit
from squads.cli import show
from squads.cli.gate import default_store

MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "warned": ("!", "yellow"), "unchecked": ("–", "yellow")}


def verify_store(store: Path | None, *, as_json: bool) -> int:
    """Audit a store, print every check, and return 0 when none failed, else 2."""
    where = store or default_store()
    found = audit(where)
    code = 2 if found.failed else 0
    if as_json:
        sys.stdout.write(json.dumps({**found.model_dump(mode="json"), "exit_code": code}) + "\n")
        return code
    print_audit(found)
    return code


def print_audit(found: Audit, *, briefly: bool = False) -> None:
    """Print an audit for a person: each check on its own line, or briefly those that passed on one."""
    out = show.console()
    out.print(Text(f"Ledger {show.one_line(found.origin)}", style="bold"))
    passed = [r.check for r in found.results if r.state == "passed"] if briefly else []
    if passed:
        mark, colour = MARKS["passed"]
        show.hanging(out, Text(f"  {mark} ", style=f"bold {colour}"), ", ".join(passed), indent=4)
    for result in (r for r in found.results if r.check not in passed):
        mark, colour = MARKS[result.state]
        shown = "not checked: " if result.state == "unchecked" else ""
        message = show.one_line(result.message)
        out.print(Text.assemble((f"  {mark} ", f"bold {colour}"), f"{result.check:<21}", (shown, colour), message))
    if found.failed:
        out.print(Text(f"Broken: {show.one_line(found.failed[0].message)}", style="bold red"))
    else:
        out.print(
            Text(
                f"Verified: {found.size} receipts of {found.packets} packet{'s' * (found.packets != 1)}, "
                f"root {found.root[:16]}…",
                style="bold green",
            )
        )
