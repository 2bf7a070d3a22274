"""Roles that say what a test has written down for them, in order, and nothing else.

    builder = ScriptedBuilder({"a.sql": "SELECT 1"}, {"a.sql": "SELECT 2"})
    gate = ScriptedGate("style", Refused(findings=(finding,)), Approved())

    outcome = await Squad(builder=builder, gates=[gate]).run("A query.")

    builder.done(), gate.done()

A script is strict. A call that it has no reply for raises `UnexpectedWork`, which the squad records as a fault and
`done()` raises once more; a reply that nobody asked for makes `done()` raise `UnusedReplies`. A reply is

- a value: what the role returns;
- a function of the work, also an async one: what it returns is the reply;
- an exception, or a class of exceptions: it is raised.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping, Sequence
from inspect import isawaitable, isclass
from typing import Any

from squads.contracts.finding import Finding
from squads.contracts.packet import AttemptKind
from squads.contracts.plan import Acceptance, Objection, Plan, Task
from squads.contracts.verdict import Refused, Verdict
from squads.contracts.work import AcceptWork, BuildWork, PlanWork, ReviewWork
from squads.gates.gate import Gate
from squads.roles.builder import Builder
from squads.roles.coordinator import Coordinator

_numbers = itertools.count(1)


class UnexpectedWork(AssertionError):
    """A scripted role was asked for more than its script has replies for."""


class UnusedReplies(AssertionError):
    """A scripted role was asked for less than its script has replies for."""


class Script:
    """The replies of one scripted role, in order."""

    def __init__(self, role: str, replies: Sequence[Any]) -> None:
        self.role = role
        self.asked: list[Any] = []
        """Every piece of work it was given, unexpected ones included."""
        self._given = len(replies)
        self._left = deque(replies)
        self._unexpected: list[UnexpectedWork] = []

    async def reply(self, work: Any) -> Any:
        """Return the next reply, or raise it. Raises `UnexpectedWork` when there is none."""
        self.asked.append(work)
        if not self._left:
            error = UnexpectedWork(
                f"the scripted {self.role} was asked to {described(work)}, and its script of {self._given} "
                f"{'reply' if self._given == 1 else 'replies'} has none left; add one, or find out why it was asked"
            )
            self._unexpected.append(error)
            raise error
        reply = self._left.popleft()
        if isinstance(reply, BaseException) or (isclass(reply) and issubclass(reply, BaseException)):
            raise reply
        if callable(reply):
            reply = reply(work)
        return await reply if isawaitable(reply) else reply

    def done(self) -> None:
        """Raise `UnexpectedWork` or `UnusedReplies` unless it was asked for exactly what was written down."""
        if self._unexpected:
            raise self._unexpected[0]
        if self._left:
            asked = "; ".join(described(work) for work in self.asked) or "nothing"
            raise UnusedReplies(
                f"the scripted {self.role} has {len(self._left)} of {self._given} replies left; it was asked to: "
                f"{asked}"
            )


def described(work: Any) -> str:
    """Return what a piece of work asks for, in a few words."""
    match work:
        case PlanWork():
            return f"{'amend the plan' if work.previous else 'plan'} (attempt {work.attempt})"
        case BuildWork():
            return f"build task {work.task!r} (attempt {work.attempt})"
        case ReviewWork():
            return f"review the {work.reads.value} of attempt {work.attempt}"
        case AcceptWork():
            return "check the composition end to end"
        case _:
            return str(work)


class ScriptedBuilder(Builder):
    """A builder with a script. A reply may also be a mapping from path to text: the attempt's artifact.

    Args:
        replies: What it answers, in order.
        name: What the squad calls it.
        prior: What it brings; one of its own for every instance when empty, so that gates may judge it.
    """

    def __init__(self, *replies: Any, name: str = "builder", prior: str = "") -> None:
        self.name = name
        self.prior = prior or f"scripted builder {next(_numbers)}"
        self.script = Script(f"builder {name!r}", replies)

    async def build(self, work: BuildWork) -> Any:
        """Return the next reply."""
        reply = await self.script.reply(work)
        return work.artifact(reply) if isinstance(reply, Mapping) else reply

    def done(self) -> None:
        """Raise unless the script was followed to its end."""
        self.script.done()


class ScriptedGate(Gate):
    """A gate with a script. A reply may also be a `Finding`: a refusal with it.

    Args:
        name: What the squad calls it.
        verdicts: What it answers, in order.
        reads: Which attempts it reads.
        prior: What it brings; one of its own for every instance when empty.
    """

    def __init__(
        self,
        name: str,
        *verdicts: Any,
        reads: Sequence[AttemptKind | str] = (AttemptKind.ARTIFACT,),
        prior: str = "",
    ) -> None:
        self.name = name
        self.reads = tuple(AttemptKind(r) for r in reads)
        self.prior = prior or f"scripted gate {next(_numbers)}"
        self.script = Script(f"gate {name!r}", verdicts)

    async def review(self, work: ReviewWork) -> Verdict:
        """Return the next verdict."""
        reply = await self.script.reply(work)
        return Refused(findings=(reply,)) if isinstance(reply, Finding) else reply

    def done(self) -> None:
        """Raise unless the script was followed to its end."""
        self.script.done()


class ScriptedCoordinator(Coordinator):
    """A coordinator with two scripts: one of plans, one of end-to-end checks.

    Args:
        plans: What it answers when it is asked for a plan, in order. A reply may also be one `Task` or several in a
            tuple or list: the plan made of them.
        accepts: What it answers when it checks a composition; None answers as every coordinator does by default.
        name: What the squad calls it.
        prior: What it brings; one of its own for every instance when empty.
    """

    def __init__(
        self, *plans: Any, accepts: Sequence[Any] | None = None, name: str = "coordinator", prior: str = ""
    ) -> None:
        self.name = name
        self.prior = prior or f"scripted coordinator {next(_numbers)}"
        self.script = Script(f"coordinator {name!r}", plans)
        self.acceptances = None if accepts is None else Script(f"coordinator {name!r}", accepts)

    async def plan(self, work: PlanWork) -> Plan | Objection:
        """Return the next plan."""
        reply = await self.script.reply(work)
        if isinstance(reply, Task):
            reply = (reply,)
        return Plan(tasks=tuple(reply)) if isinstance(reply, (tuple, list)) else reply

    async def accept(self, work: AcceptWork) -> Acceptance:
        """Return the next end-to-end check."""
        if self.acceptances is None:
            usual = super().accept(work)
            return await usual if isawaitable(usual) else usual
        return await self.acceptances.reply(work)  # type: ignore[no-any-return]

    def done(self) -> None:
        """Raise unless both scripts were followed to their ends."""
        self.script.done()
        if self.acceptances is not None:
            self.acceptances.done()
