"""A packet told in numbered chapters: builders work at the same time, and a person reads one thing after the other.

Receipts are held back until a chapter can be told in one piece. None is dropped but requests, which their answers
repeat, and none is changed; only verdicts of one round are put in order, refusals first.
"""

from __future__ import annotations

from itertools import count, takewhile

from rich.console import Console
from rich.text import Text

from squads.cli import show
from squads.cli.story import Story
from squads.contracts.records import (
    ArtifactRecord,
    AssignmentRecord,
    ObjectionRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    TicketRecord,
    VerdictRecord,
)

_PLAN = ""
_ENDING = "\uffff"  # behind every name that a task can have


class Chapters:
    """Numbered headings, and below each what a story says of it."""

    def __init__(self, out: Console, story: Story) -> None:
        self._out = out
        self._story = story
        self._number = count(1)
        self._waiting: dict[str, list[PacketRecord]] = {}
        self._ending = False

    def head(self, title: str) -> None:
        """Begin a chapter."""
        number = next(self._number)
        if number > 1:
            self._out.print()
        self._out.rule(Text(f"{number}  {show.one_line(title)}"), align="left")

    async def take(self, event: PacketRecord) -> None:
        """Put a receipt where it belongs; nothing is printed yet."""
        await self._story.take(event)
        if isinstance(event, (PlanRecord, ObjectionRecord)):
            chapter = _PLAN
        else:
            chapter = self._story.task_of(event) or _ENDING
        if not isinstance(event, (Opened, AssignmentRecord, TicketRecord)):
            self._waiting.setdefault(chapter, []).append(event)

    async def tell(self) -> None:
        """Print everything that waits: the plan, each task, how it ends."""
        waiting, self._waiting = self._waiting, {}
        tasks = [name for name in self._story.tasks if name in waiting]
        if _PLAN in waiting:
            refused = any(isinstance(event, ObjectionRecord) for event in waiting[_PLAN])
            self.head("The plan, and a brief that its builder refuses" if refused else "The plan")
            await self._print(waiting[_PLAN])
        for name in tasks:
            await self._tell_task(name, waiting[name])
        if _ENDING in waiting:
            if not self._ending:
                self.head("The composition")
            self._ending = True
            await self._print(waiting[_ENDING])

    async def _tell_task(self, name: str, events: list[PacketRecord]) -> None:
        """Print a task: its first artifact, and what came after its refusal as a chapter of its own."""
        starts = [n for n, event in enumerate(events) if isinstance(event, ArtifactRecord)]
        cut = starts[1] if len(starts) > 1 else len(events)
        self.head(f"Task {name}")
        await self._print(events[:cut])
        if cut < len(events):
            self.head(f"Task {name}, revised")
            await self._print(events[cut:])

    async def _print(self, events: list[PacketRecord]) -> None:
        for number, event in enumerate(events):
            if isinstance(event, VerdictRecord):
                continue
            if number and isinstance(event, ArtifactRecord):
                self._out.print()
            await self._story.tell(event)
            verdicts = takewhile(lambda e: isinstance(e, VerdictRecord), events[number + 1 :])
            await self._story.tell_round([e for e in verdicts if isinstance(e, VerdictRecord)])
