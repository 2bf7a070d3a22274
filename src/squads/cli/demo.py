"""`squads demo`: the story that the project was created from, told in chapters while it happens.

Only briefs and files are recorded; every objection, verdict and rule is computed. Everything is kept in a folder that
is gone afterwards; a report page stays where `--page` says.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from squads.adapters import git
from squads.audit import Audit, audit
from squads.cli import show
from squads.cli.chapters import Chapters
from squads.cli.gate import judge, project_for
from squads.cli.recording import CHECKS, PACKET, RecordedBuilder, RecordedCoordinator, SchemaBuilder, gates
from squads.cli.report import SUFFIXES, write_report
from squads.cli.run import who_answers
from squads.cli.story import MARGIN, Story
from squads.cli.verify import print_audit
from squads.contracts.errors import InvalidInput
from squads.contracts.outcome import AwaitingApproval, Composed, Halted, NotComposed, Outcome
from squads.contracts.records import QuestionRecord
from squads.handover import Reader
from squads.squad import Squad
from squads.stores import Place

LINES_MAX = 1
"""Lines of one evidence that are shown, and of what would satisfy it."""
CHANGES_MAX = 7
"""Changed lines of a later attempt that are shown."""
GONE = "gone-with-the-demo"
"""How the page calls the store, whose folder is not there any more when the page is read."""
FINDINGS_MAX = 2
"""Findings of one gate that are shown of the work tree's last change."""


def show_demo(*, yes: bool, as_json: bool, page: Path | None = None) -> int:
    """Tell the demonstration, keep its report page where `page` says, and return its exit code."""
    _check_page(page)
    out = Console(file=sys.stderr if as_json else sys.stdout, highlight=False, soft_wrap=True, quiet=as_json)
    with tempfile.TemporaryDirectory(prefix="squads-demo-") as folder:
        store, keys = Path(folder) / "store", Path(folder) / "keys"
        outcome, checkpoint, chapters = asyncio.run(_tell(out, store, keys, yes=yes))
        found = audit(store, keys=keys)
        # A page is for what verifies: it would not be written for anything else.
        written = page if page and not found.failed else None
        if written:
            write_report(outcome.packet, store=store, form=None, out=written, as_json=False, called=GONE, keys=keys)
        if as_json:
            data = {**show.as_data(outcome), "checkpoint": checkpoint, "verified": not found.failed}
            sys.stdout.write(json.dumps({**data, "page": str(written) if written else None}) + "\n")
            return _code(outcome, found)
        chapters.head("The checkpoint, signed, and everything verified")
        out.print(Text(checkpoint.rstrip(), style="dim"))
        print_audit(found, briefly=True)
        chapters.head("The page")
        _tell_page(out, page, written)
        chapters.head("This work tree's last change, by its own gates")
        _gate_here(out, Path(folder))
        return _code(outcome, found)


def _code(outcome: Outcome, found: Audit) -> int:
    return 2 if found.failed else outcome.exit_code


def _check_page(page: Path | None) -> None:
    """Say before anything runs that the page would have no place or no format."""
    if page is None:
        return
    if page.suffix.lower() not in SUFFIXES:
        raise InvalidInput(f"the ending of {page.name!r} names no format; end it in .html or .md")
    if not page.parent.is_dir():
        raise InvalidInput(f"there is no folder {page.parent} for the page; name one that is there")
    if page.exists():
        raise InvalidInput(f"{page} is there already, and nothing is written over; name another file")


def _tell_page(out: Console, page: Path | None, written: Path | None) -> None:
    if written:
        told = f"  {show.one_line(str(written))} tells this story with every receipt; the ledger behind it goes now."
        out.print(Text(told))
    elif page:
        out.print(Text("  Not written: a page is for a ledger that verifies.", style="bold red"))
    else:
        out.print("  squads demo --page story.html keeps this story as a page, with every receipt.")


async def _tell(out: Console, store: Place, keys: Path, *, yes: bool) -> tuple[Outcome, str, Chapters]:
    """Run the packet, and say what happens as it becomes durable."""
    told = asyncio.Event()
    squad = Squad(
        coordinator=RecordedCoordinator(),
        builders=[RecordedBuilder(), SchemaBuilder()],
        gates=gates(),
        store=store,
        keys=keys,
        approver=who_answers("owner", told, yes=yes),
    )
    outcome: Outcome | None = None
    async with squad:
        workspace = await squad.workspace()
        story = Story(out, Reader(workspace.blobs), lines_max=LINES_MAX, changes_max=CHANGES_MAX)
        chapters = Chapters(out, story)
        chapters.head("The packet")
        _tell_packet(out)
        async for event in squad.stream(PACKET):
            if isinstance(event, (Composed, NotComposed, AwaitingApproval, Halted)):
                outcome = event
                continue
            await chapters.take(event)
            if isinstance(event, QuestionRecord):
                await chapters.tell()
                told.set()
        await chapters.tell()
        head = await workspace.ledger.head()
    assert outcome is not None
    show.outcome(out, outcome)
    return outcome, head.checkpoint, chapters


def _tell_packet(out: Console) -> None:
    """Print what is wanted, by when it is done, and who must approve."""
    show.hanging(out, "  brief", PACKET.brief, indent=MARGIN)
    for predicate in PACKET.done_when:
        show.hanging(out, "  done when", f"{predicate.sentence} ({predicate.check})", indent=MARGIN)
    for name, checks in CHECKS.items():
        show.hanging(out, f"  {name}", ", ".join(checks), indent=MARGIN)
    approvers = ", ".join(PACKET.approval.approvers) if PACKET.approval else "nobody"
    show.hanging(out, "  a person", f"{approvers}, before it composes", indent=MARGIN)
    told = "Briefs and files are recorded; objections, verdicts and rules are computed."
    show.hanging(out, "", Text(told, style="dim"), indent=2)


def _gate_here(out: Console, folder: Path) -> None:
    """Gate the newest commit of the work tree that the demonstration was started in."""
    try:
        change = git.last_change(Path.cwd())
    except InvalidInput as error:
        show.hanging(out, "", Text(show.one_line(f"Not shown: {error}."), style="yellow"), indent=2)
        return
    count = len(change.files) + len(change.removals)
    out.print(Text(f"  {show.one_line(change.title)}, {count} path{'s' * (count != 1)}", style="bold"))
    project = project_for("HEAD^..HEAD")
    here, keys = folder / "here", folder / "keys"
    outcome, _ = asyncio.run(judge(change, gates=[], store=here, keys=keys, project=project))
    show.judgements(out, outcome.judgements, lines_max=0, findings_max=FINDINGS_MAX)
    show.outcome(out, outcome)
