"""`squads bundle` and `squads verify BUNDLE`: one packet in one file, and what a stranger finds in it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from squads.bundling import bundle_in
from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.verify import MARKS
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.ledger.bundle import BUNDLE_BYTES_MAX
from squads.ledger.errors import Malformed
from squads.ledger.offline import BundleReport, verify_bundle
from squads.ledger.trust import Trust
from squads.stores import Place

TRUST_BYTES_MAX = 65_536


def write_bundle(packet: str, *, store: Place | None, out: Path | None, content: bool, as_json: bool) -> int:
    """Write the bundle of a packet, verify it as a stranger would, and return 0, or 2 where it does not verify."""
    where = store or default_store()
    bundle, trust = asyncio.run(bundle_in(where, packet, content=content))
    data = bundle.to_json()
    if out is not None and str(out) == "-":
        sys.stdout.buffer.write(data)
        return 0
    file = out or Path(f"{bundle.packet[:12]}.bundle.json")
    try:
        # What somebody wrote is theirs: like the store and an export, it is for its owner alone at first.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if content else 0o666), "wb") as made:
            made.write(data)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {file}: {error.strerror}; name another file with --out") from error
    report = verify_bundle(data, trust)
    code = 2 if report.failed else 0
    if as_json:
        written = {"out": str(file), "bytes": len(data), "content": len(bundle.content)}
        sys.stdout.write(json.dumps({**report.as_json(), **written, "exit_code": code}) + "\n")
        return code
    out_to = show.console()
    pieces = f", {len(bundle.content)} pieces of content" if content else ""
    out_to.print(f"Wrote {show.one_line(str(file))}: {len(bundle.receipts)} receipts{pieces}, {len(data):,} bytes")
    out_to.print(show.one_line(report.outcome_said))
    if report.failed:
        out_to.print(Text(show.one_line(report.conclusion), style="bold red"))
    out_to.print("Whoever has trust.json from you, by another way, can check it without you:")
    out_to.print(f"  squads verify {show.one_line(str(file))} --trust trust.json")
    return code


def verify_file(file: Path, *, trust: Path | None, seen: Sequence[Path], as_json: bool) -> int:
    """Verify a bundle, print every check, and return 0 when all passed, 1 when one failed, 2 when nobody can say."""
    if trust is None:
        raise InvalidInput(
            f"{file} is verified against what you trust already: add --trust trust.json. It stands beside the ledger, "
            "as .squads/trust.json; get it from whoever keeps that ledger, by another way than the bundle"
        )
    try:
        believed = Trust.from_json(_read(trust, TRUST_BYTES_MAX))
    except Malformed as error:
        raise InvalidInput(f"{trust} cannot be read as a trust.json: {error}; get it again") from error
    try:
        notes = [_read(path, TRUST_BYTES_MAX).decode() for path in seen]
    except UnicodeDecodeError as error:
        raise InvalidInput("a file given with --seen is no text, so no signed checkpoint") from error
    report = verify_bundle(_read(file, BUNDLE_BYTES_MAX + 1), believed, seen=notes)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json()) + "\n")
    else:
        print_report(report)
    return report.exit_code


def print_report(report: BundleReport) -> None:
    """Print a report for a person: what became of the packet, each check on its own line, and what they come to."""
    out = show.console()
    out.print(Text(show.one_line(f"Packet {report.packet or '?'} of {report.origin}"), style="bold"))
    out.print(show.one_line(report.outcome_said), markup=False)
    for result in report.results:
        mark, colour = MARKS[result.state]
        shown = "not checked: " if result.state == "unchecked" else ""
        line = Text.assemble((f"  {mark} ", f"bold {colour}"), f"{result.check:<14}", (shown, colour))
        show.hanging(out, line, show.one_line(result.message), indent=4)
    style = {0: "bold green", 1: "bold red", 2: "bold yellow"}[report.exit_code]
    out.print(Text(show.one_line(report.conclusion), style=style))
    for ours, theirs in report.evidence:
        out.print(Text("Two notes that cannot be of one log:", style="bold red"))
        out.print(show.one_line(ours), show.one_line(theirs), sep="\n", markup=False)


def _read(file: Path, bytes_max: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(bytes_max)
    except OSError as error:
        raise StorageUnavailable(f"cannot read {file}: {error.strerror}; check the path") from error
