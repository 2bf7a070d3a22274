"""A packet told while it runs: one line for every receipt that a person wants to see, verdicts with their words."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rich.console import Console
from rich.text import Text

from squads.cli import show
from squads.contracts.outcome import AwaitingApproval, Composed, Halted, NotComposed, Outcome
from squads.contracts.plan import Objection, Plan
from squads.contracts.records import (
    ArtifactRecord,
    AssignmentRecord,
    CompositionRecord,
    DeadlineRecord,
    FaultRecord,
    ObjectionRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    QuestionRecord,
    TicketRecord,
    VerdictRecord,
)
from squads.handover import Reader


async def tell(out: Console, events: AsyncIterator[PacketRecord | Outcome], reader: Reader) -> Outcome | None:
    """Print what happens as it becomes durable, and return how it ended."""
    outcome: Outcome | None = None
    async for event in events:
        if isinstance(event, (Composed, NotComposed, AwaitingApproval, Halted)):
            outcome = event
        else:
            await _line(out, event, reader)
    return outcome


async def _line(out: Console, event: PacketRecord, reader: Reader) -> None:
    match event:
        case Opened():
            _say(out, "packet", f"{event.packet}, gates: {', '.join(event.gates)}")
        case PlanRecord():
            plan = await reader.document(event.content, Plan)
            for task in plan.tasks:
                after = f", after {', '.join(task.after)}" if task.after else ""
                _say(out, "task", f"{task.name}, for {task.builder}{after}")
        case AssignmentRecord() if event.work != "plan":
            _say(out, "asked", f"{event.role} to {event.work}, attempt {event.attempt}")
        case ArtifactRecord():
            manifest = await reader.manifest(event.artifact)
            paths = [*manifest.paths[:6], *(["…"] if len(manifest.paths) > 6 else [])]
            _say(out, "artifact", f"{event.artifact[:16]}… by {event.author}: {', '.join(paths)}")
        case ObjectionRecord():
            said = await reader.document(event.content, Objection)
            _say(out, "objection", f"{event.author}: {'; '.join(said.reasons)}", "yellow")
            _say(out, "", f"it proposes: {said.proposal}", "yellow")
        case TicketRecord() if event.ask > 1:
            _say(out, "asked", f"{event.gate} once more, since it could not look")
        case VerdictRecord():
            show.judgement(out, event.author, await reader.verdict(event.content))
        case FaultRecord() | DeadlineRecord():
            why = event.reason if isinstance(event, FaultRecord) else "a deadline was reached"
            _say(out, "no answer", why, "yellow")
        case CompositionRecord():
            _say(out, "composition", f"{event.artifact[:16]}… of {len(event.parts)} approved parts")
        case QuestionRecord():
            _say(out, "question", f"{event.quorum} of {len(event.approvers)} people must say yes")
        case _:
            pass


def _say(out: Console, noun: str, text: str, style: str = "dim") -> None:
    out.print(Text.assemble((f"  {noun:<12}", style), show.one_line(text)))
