"""A packet told while it runs: one line for every receipt that a person wants to see, verdicts with their words.

What a line says is read from the receipt and from the content that it names; nothing is told that is not kept.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Sequence

from rich.console import Console
from rich.text import Text

from squads.cli import show
from squads.contracts.errors import NotText
from squads.contracts.finding import Finding
from squads.contracts.outcome import AwaitingApproval, Composed, Halted, NotComposed, Outcome
from squads.contracts.plan import Objection, Plan
from squads.contracts.records import (
    AcceptanceRecord,
    AnswerRecord,
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

PATHS_SHOWN_MAX = 6
MARGIN = 15
"""Where the words of a line begin."""
CHANNELS = {
    "terminal": "at the terminal",
    "page": "on a page",
    "chat": "in a chat",
    "program": "by a program, which is no person",
    "flag": "by flag, which is no person",
}


async def tell(
    out: Console, events: AsyncIterator[PacketRecord | Outcome], reader: Reader, told: asyncio.Event
) -> Outcome | None:
    """Print what happens as it becomes durable, and return how it ended.

    `told` is set once a person's question is told, so that nobody is asked before they could read what it is about.
    """
    story = Story(out, reader)
    outcome: Outcome | None = None
    async for event in events:
        if isinstance(event, (Composed, NotComposed, AwaitingApproval, Halted)):
            outcome = event
        else:
            await story.take(event)
            await story.tell(event)
        if isinstance(event, QuestionRecord):
            told.set()
    return outcome


_ORDER = {"refused": 0, "abstained": 1, "approved": 2}


class Story:
    """Says what a packet's receipts say.

    Args:
        out: Where to.
        reader: Reads the content that receipts name.
        lines_max: How many lines of one evidence are shown.
        changes_max: How many changed lines of a later attempt are shown.
    """

    def __init__(
        self, out: Console, reader: Reader, *, lines_max: int = show.EVIDENCE_LINES_MAX, changes_max: int = 0
    ) -> None:
        self._out = out
        self._reader = reader
        self._lines_max = lines_max
        self._changes_max = changes_max
        self._last: Plan | None = None
        self._plan: Plan | None = None
        self._tasks: dict[int, str] = {}
        self._asked: dict[str, AssignmentRecord | TicketRecord] = {}
        self._artifacts: dict[int | None, str] = {}
        self._told: dict[int | None, list[Finding]] = {}

    @property
    def tasks(self) -> list[str]:
        """The names of the plan's tasks, in its order."""
        return [task.name for task in self._last.tasks] if self._last else []

    async def take(self, event: PacketRecord) -> None:
        """Remember what later receipts refer to. Every receipt comes through here once, in the order of the log."""
        match event:
            case PlanRecord():
                plan = await self._reader.document(event.content, Plan)
                self._last = plan
                self._tasks |= {record.task: task.name for record, task in zip(event.tasks, plan.tasks, strict=False)}
            case AssignmentRecord():
                self._asked[event.request] = event
            case TicketRecord():
                self._asked[event.ticket] = event
            case _:
                pass

    def task_of(self, event: PacketRecord) -> str | None:
        """Return the name of the task that a receipt is about, or None where it is about the packet."""
        number = self._number_of(event)
        return None if number is None else self._tasks.get(number, f"task {number}")

    async def tell_round(self, events: Sequence[VerdictRecord]) -> None:
        """Print the verdicts on one attempt: refusals first, then approvals, at last who had nothing to read."""
        nothing = []
        for event in sorted(events, key=lambda e: (_ORDER[e.decision], e.author)):
            if show.idle(await self._reader.verdict(event.content)):
                nothing.append(event.author)
            else:
                await self.tell(event)
        show.nothing_for(self._out, nothing)

    async def tell(self, event: PacketRecord) -> None:
        """Print what a receipt says, if a person wants to see it."""
        match event:
            case Opened():
                self._say("packet", f"{event.packet}, gates: {', '.join(event.gates)}")
            case PlanRecord():
                await self._tell_plan(event)
            case AssignmentRecord() if event.work != "plan":
                self._say("asked", f"{event.role} to {event.work}, attempt {event.attempt}")
            case ArtifactRecord():
                await self._tell_artifact(event)
            case ObjectionRecord():
                await self._tell_objection(event)
            case TicketRecord() if event.ask > 1:
                self._say("asked", f"{event.gate} once more, since it could not look")
            case VerdictRecord():
                await self._tell_verdict(event)
            case FaultRecord() | DeadlineRecord():
                why = event.reason if isinstance(event, FaultRecord) else "a deadline was reached"
                self._say("no answer", why, "yellow")
            case _:
                self._tell_ending(event)

    def _tell_ending(self, event: PacketRecord) -> None:
        match event:
            case CompositionRecord():
                self._say("composition", f"{event.artifact[:16]}… of {len(event.parts)} approved parts")
            case AcceptanceRecord():
                for held in event.held:
                    word, style = ("holds", "green") if held.holds else ("not shown", "red")
                    self._say(word, f"{held.predicate}; evidence {held.evidence[:16]}…", style)
            case QuestionRecord():
                self._say("question", f"{event.quorum} of {len(event.approvers)} people must say yes")
            case AnswerRecord():
                self._say("answer", f"{event.decision} {CHANNELS[event.channel]}")
            case _:
                pass

    async def _tell_plan(self, event: PlanRecord) -> None:
        """Print the tasks; of an amended plan those that it changes."""
        plan, before = await self._reader.document(event.content, Plan), self._plan
        self._plan = plan
        known = {task.name: task for task in before.tasks} if before else {}
        for task in plan.tasks:
            old = known.get(task.name)
            if old == task:
                continue
            after = f", after {', '.join(task.after)}" if task.after else ""
            self._say("amended" if old else "task", f"{task.name}, for {task.builder}{after}")
            if old:
                self._changes({"brief": old.brief}, {"brief": task.brief})

    async def _tell_objection(self, event: ObjectionRecord) -> None:
        said = await self._reader.document(event.content, Objection)
        asked, task = self._asked.get(event.request), self.task_of(event)
        instead = f", instead of attempt {asked.attempt} of {task}" if asked and task else ""
        self._say("objection", f"{event.author}{instead}: {'; '.join(said.reasons)}", "yellow")
        self._say("", f"it proposes: {said.proposal}", "yellow")

    async def _tell_artifact(self, event: ArtifactRecord) -> None:
        number = self._number_of(event)
        manifest = await self._reader.manifest(event.artifact)
        paths = [*manifest.paths[:PATHS_SHOWN_MAX], *(["…"] if len(manifest.paths) > PATHS_SHOWN_MAX else [])]
        asked = self._asked.get(event.request)
        attempt = f"attempt {asked.attempt}, " if asked else ""
        self._say("artifact", f"{attempt}{event.artifact[:16]}… by {event.author}: {', '.join(paths)}")
        previous, self._artifacts[number] = self._artifacts.get(number), event.artifact
        if previous and self._changes_max:
            self._changes(await self._texts(previous), await self._texts(event.artifact))

    async def _tell_verdict(self, event: VerdictRecord) -> None:
        verdict = await self._reader.verdict(event.content)
        told = self._told.setdefault(self._number_of(event), [])
        known = []
        for found in verdict.findings:  # one fault may show at two lines: the second only names its place
            if any(_alike(found, other) for other in told):
                known.append(found)
            told.append(found)
        show.judgement(self._out, event.author, verdict, lines_max=self._lines_max, known=known)

    async def _texts(self, artifact: str) -> dict[str, str]:
        found = {}
        for file in (await self._reader.artifact(artifact)).files:
            try:
                found[file.path] = file.text
            except NotText:
                found[file.path] = f"{len(file.content)} bytes"
        return found

    def _changes(self, before: dict[str, str], after: dict[str, str]) -> None:
        """Print the changed lines; where there are too many, those that came first, and how many are left out."""
        if not self._changes_max:
            return
        lines = [
            line
            for path in sorted({*before, *after})
            for line in changed_lines(before.get(path, ""), after.get(path, ""))
        ]
        if len(lines) > self._changes_max:
            lines.sort(key=lambda line: line[0] == "-")
        for line in lines[: self._changes_max]:
            text = Text(f"{'':{MARGIN}}{show.one_line(line)}", style="green" if line.startswith("+") else "red")
            if self._out.is_terminal:  # a line of code is cut for eyes, not wrapped
                text.truncate(self._out.width, overflow="ellipsis")
            self._out.print(text)
        if (left := len(lines) - self._changes_max) > 0:
            self._out.print(Text(f"{'':{MARGIN}}… {left} more changed line{'s' * (left != 1)}", style="dim"))

    def _number_of(self, event: PacketRecord) -> int | None:
        match event:
            case AssignmentRecord() | TicketRecord():
                return event.task
            case VerdictRecord():
                about = event.ticket
            case ArtifactRecord() | ObjectionRecord():
                about = event.request
            case FaultRecord() | DeadlineRecord():
                about = event.about
            case _:
                return None
        asked = self._asked.get(about)
        return asked.task if asked else None

    def _say(self, noun: str, text: str, style: str = "dim") -> None:
        head = Text(f"  {noun:<{MARGIN - 3}} ", style=style)
        show.hanging(self._out, head, show.one_line(text), indent=MARGIN)


def changed_lines(before: str, after: str) -> list[str]:
    """Return the lines that went and came, with `-` and `+` in front, without those around them and blank ones."""
    compared = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return [f"{line[0]} {line[1:].strip()}" for line in compared if line[0] in "+-" and line[1:].strip()]


def _alike(one: Finding, other: Finding) -> bool:
    """Return whether two findings say the same of one file, wherever its lines have moved to."""
    return (one.invariant, one.message, one.location and one.location.path) == (
        other.invariant,
        other.message,
        other.location and other.location.path,
    )
