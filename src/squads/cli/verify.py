"""`squads verify`: every check of an audit, each with its own line; a bundle is verified by `cli.bundle`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from squads.audit import Audit, audit
from squads.cli import show
from squads.cli.gate import default_store
from squads.contracts.errors import InvalidInput
from squads.stores import Place

MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "warned": ("!", "yellow"), "unchecked": ("–", "yellow")}


def verify_what(
    what: Place | None,
    *,
    trust: Path | None,
    seen: Sequence[Path],
    anchors: Sequence[str] = (),
    evidence: Path | None = None,
    as_json: bool,
) -> int:
    """Verify a store, or one packet's bundle: a file, or whatever comes with a `trust.json`."""
    if isinstance(what, Path) and (what.is_file() or trust is not None or seen):
        from squads.cli.bundle import verify_file

        return verify_file(what, trust=trust, seen=seen, as_json=as_json)
    if trust is not None or seen:
        raise InvalidInput("--trust and --seen are for a bundle, and none was named: squads verify BUNDLE --trust FILE")
    return verify_store(what, anchors=anchors, evidence=evidence, as_json=as_json)


def verify_store(
    store: Place | None, *, anchors: Sequence[str] = (), evidence: Path | None = None, as_json: bool
) -> int:
    """Audit a store, print every check, and return 0 when none failed, else 2."""
    where = store or default_store()
    found = audit(where, anchors=anchors, evidence=evidence)
    # An anchor that was named, and could not be asked, was meant to count.
    silent = anchors and any(r.state == "unchecked" and r.source for r in found.results)
    code = 2 if found.failed or silent else 0
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
    for path in found.evidence:
        out.print(Text(f"Fork evidence: {show.one_line(path)}", style="bold red"))
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
