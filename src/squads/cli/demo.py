"""`squads demo`: a refusal becomes a composition. Only the builder's text is recorded; every verdict is computed.

The schema is the one that the project was created from: a unique key over a nullable column, and a treasury whose
balance could fall below zero. Everything is kept in a folder that is gone afterwards.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.text import Text

from squads.adapters import git
from squads.adapters.approvers import CallableApprover, FlagApprover
from squads.audit import Audit, audit
from squads.cli import show
from squads.cli.gate import judge, print_judged
from squads.cli.run import at_terminal
from squads.cli.verify import print_audit
from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput
from squads.contracts.outcome import AwaitingApproval, Composed, Halted, NotComposed, Outcome
from squads.contracts.packet import ApprovalRule, Packet, Predicate
from squads.contracts.records import ArtifactRecord, CompositionRecord, QuestionRecord, VerdictRecord
from squads.contracts.work import BuildWork
from squads.gates.builtin import built_in
from squads.handover import Reader
from squads.kernel.ports import Approver
from squads.roles.builder import Builder
from squads.squad import Squad

PACKET = Packet(
    brief="Tables for reputation scores and guild treasuries: one score per holder, kind and guild; balances in cents.",
    done_when=(
        Predicate(id="scores-are-unique", sentence="No score can stand twice.", check="sql.unique-null"),
        Predicate(id="balances-hold", sentence="No treasury can fall below zero.", check="sql.balance-not-negative"),
    ),
    approval=ApprovalRule(approvers=("owner",)),
)


class RecordedBuilder(Builder):
    """Hands in what a builder once wrote: a first attempt, and the one after reading the findings."""

    name = "carpenter"
    prior = "A recording of two attempts at one schema."

    def build(self, work: BuildWork) -> Artifact:
        """Return the recorded files of this attempt."""
        folder = files("squads.cli") / "recorded" / f"attempt-{min(work.attempt, 2)}"
        return work.artifact({f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".sql")})


def show_demo(*, yes: bool, as_json: bool) -> int:
    """Run the demonstration and return its exit code."""
    out = Console(file=sys.stderr if as_json else sys.stdout, highlight=False, soft_wrap=True, quiet=as_json)
    with tempfile.TemporaryDirectory(prefix="squads-demo-") as folder:
        store, keys = Path(folder) / "store", Path(folder) / "keys"
        outcome, checkpoint = asyncio.run(_tell(out, store, keys, yes=yes))
        found = audit(store, keys=keys)
        if as_json:
            data = {**show.as_data(outcome), "checkpoint": checkpoint, "verified": not found.failed}
            sys.stdout.write(json.dumps(data) + "\n")
            return _code(outcome, found)
        out.rule("5  The checkpoint, signed, and everything verified", align="left")
        out.print(Text(checkpoint.rstrip(), style="dim"))
        print_audit(found)
        out.rule("6  The same gates on this work tree's last change", align="left")
        _gate_here(out, Path(folder))
        return _code(outcome, found)


def _code(outcome: Outcome, found: Audit) -> int:
    return 2 if found.failed else outcome.exit_code


async def _tell(out: Console, store: Path, keys: Path, *, yes: bool) -> tuple[Outcome, str]:
    """Run the packet, and say what happens as it becomes durable."""
    squad = Squad(builder=RecordedBuilder(), gates=built_in(), store=store, keys=keys, approver=_person(yes=yes))
    outcome: Outcome | None = None
    attempts = 0
    async with squad:
        workspace = await squad.workspace()
        reader = Reader(workspace.blobs)
        out.rule("1  The brief", align="left")
        out.print(PACKET.brief)
        async for event in squad.stream(PACKET):
            match event:
                case ArtifactRecord():
                    attempts += 1
                    out.rule(f"{attempts + 1}  Attempt {attempts}, by the {event.author}", align="left")
                    out.print(Text(f"  artifact {event.artifact[:16]}…", style="dim"))
                case VerdictRecord():
                    show.judgement(out, event.author, await reader.verdict(event.content))
                case CompositionRecord():
                    out.rule("4  Every gate has approved exactly these bytes", align="left")
                    out.print(Text(f"  composition {event.artifact[:16]}…", style="dim"))
                case QuestionRecord():
                    how = "answered by --yes, and recorded as by flag" if yes else "waiting for the answer"
                    asked = ", ".join(PACKET.approval.approvers if PACKET.approval else ())
                    out.print(f"  A person is asked ({asked}; receipts say {event.approvers[0][:9]}…): {how}")
                case Composed() | NotComposed() | AwaitingApproval() | Halted():
                    outcome = event
                    show.outcome(out, event)
                case _:
                    pass
        head = await workspace.ledger.head()
    assert outcome is not None
    return outcome, head.checkpoint


def _person(*, yes: bool) -> Approver | None:
    """Return who answers: the flag, somebody at this terminal, or nobody here."""
    if yes:
        return FlagApprover()
    if sys.stdin.isatty() and sys.stdout.isatty():
        return CallableApprover({"owner": at_terminal}, channel="terminal")
    return None


def _gate_here(out: Console, folder: Path) -> None:
    """Gate the newest commit of the work tree that the demonstration was started in."""
    try:
        change = git.last_change(Path.cwd())
    except InvalidInput as error:
        out.print(Text(f"  Not shown: {error}.", style="yellow"))
        return
    outcome, _ = asyncio.run(judge(change, gates=[], store=folder / "here", keys=folder / "keys"))
    print_judged(change, outcome)
