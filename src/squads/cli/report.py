"""`squads report`: the story of one packet, as Markdown or as one HTML page that needs nothing else."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from squads.cli.gate import default_store
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.stores import Place

SUFFIXES = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}


def write_report(
    packet: str,
    *,
    store: Place | None,
    form: str | None,
    out: Path | None,
    as_json: bool,
    called: str | None = None,
    keys: Path | None = None,
) -> int:
    """Write the report of a packet, to a file or to standard output, and return 0.

    `called` is how the report calls the store, where that is not by its path; `keys` is where its keys are.
    """
    from squads.pages.html_writer import html_of
    from squads.pages.markdown_writer import markdown_of
    from squads.pages.page import page_of
    from squads.pages.reading import packet_in
    from squads.pages.report import report_of

    form = _form(form, out)
    with packet_in(store or default_store(), packet, keys=keys) as moment:
        report = report_of(replace(moment, store=called) if called else moment)
        page = page_of(report)
    text = html_of(page) if form == "html" else markdown_of(page)
    if out is not None:
        try:
            out.write_text(text, "utf-8", newline="\n")
        except OSError as error:
            raise StorageUnavailable(f"cannot write {out}: {error.strerror}; name another file with --out") from error
    if as_json:
        head = moment.checkpoint
        data = {
            "packet": moment.packet,
            "outcome": report.outcome,
            "reason": report.finish.reason if report.finish else None,
            "artifact": report.finish.artifact if report.finish else None,
            "waiting_for": report.waiting_for() or None,
            "erased": sorted(moment.contents.missing & moment.contents.erased),
            "lost": sorted(moment.contents.missing - moment.contents.erased),
            "format": form,
            "out": str(out) if out else None,
            "text": None if out else text,
            "ledger": {"origin": head.origin, "size": head.size, "root": head.root.hex()},
            "checkpoint": moment.note,
        }
        sys.stdout.write(json.dumps(data) + "\n")
    elif out is None:
        sys.stdout.buffer.write(text.encode())
    return 0


def _form(form: str | None, out: Path | None) -> str:
    """Return the format that is meant: the one asked for, else the one that the file's ending names."""
    if form is not None:
        if form not in ("markdown", "html"):
            raise InvalidInput(f"{form!r} is no format of a report; write markdown or html")
        return form
    if out is None:
        return "markdown"
    if out.suffix.lower() not in SUFFIXES:
        raise InvalidInput(f"the ending of {out.name!r} names no format; end it in .md or .html, or add --format")
    return SUFFIXES[out.suffix.lower()]
