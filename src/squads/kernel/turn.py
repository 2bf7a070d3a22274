"""One step in the making: the state that is being changed, the event that changes it, and the effects so far.

The rooms of the kernel (opening, planning, building, reviewing, composing, asking) are functions over a `Turn`. What
several of them need stands here: hand out work, close it, bound it, end the packet.
"""

from __future__ import annotations

from squads.contracts.finding import Usage
from squads.contracts.messages import AcceptRequest, BuildRequest, PlanRequest
from squads.contracts.packet import AttemptKind
from squads.contracts.reasons import Reason
from squads.contracts.records import (
    AssignmentRecord,
    EquivocationRecord,
    FinishRecord,
    PacketRecord,
    RoleRecord,
    Work,
)
from squads.kernel import budget
from squads.kernel.effects import Arm, Ask, Effect, Finish, Ignore, Record, Send
from squads.kernel.identify import identify
from squads.kernel.lifecycle import ATTEMPT, PACKET, Stage, advance
from squads.kernel.state import Attempt, AttemptKey, Attested, Job, PacketState
from squads.kernel.view import View

CLOSED = "-"
"""Stands for the answer of a job or ticket that was closed without one."""


class Turn:
    """The working copy of one step."""

    def __init__(self, view: View, state: PacketState, event: Attested) -> None:
        self.view = view
        self.state = state
        self.event = event
        self.effects: list[Effect] = []
        self.over: list[AttemptKey] = []
        """Attempts whose gates have all answered, waiting for `step` to say what follows."""

    # --- words that every room uses -------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The packet's time: never backwards."""
        return self.state.time_ms

    @property
    def numbers(self) -> tuple[int, ...]:
        """The task numbers of the plan in force, in its order."""
        return tuple(t.task for t in self.state.plan.tasks) if self.state.plan else ()

    def record(self, output: PacketRecord) -> None:
        """Have an output appended."""
        self.effects.append(Record(output))

    def base(self) -> dict[str, str]:
        """Return what every record of this packet begins with."""
        return {"workspace": self.state.opened.workspace, "packet": self.state.opened.packet}

    def recalled(self, role: str) -> str | None:
        """Return the digest of what was recalled for a role when the packet was opened."""
        return next((m.content for m in self.state.opened.memory if m.role == role), None)

    def phase(self, event: str) -> None:
        """Move the packet along its table."""
        self.state.phase = advance(PACKET, self.state.phase, event)

    def stage(self, key: AttemptKey, event: str) -> Attempt:
        """Move an attempt along its table; a task follows its newest attempt."""
        attempt = self.state.attempts[key]
        attempt = attempt._replace(stage=advance(ATTEMPT, attempt.stage, event))
        self.state.attempts[key] = attempt
        kind, number, count = key
        if kind is AttemptKind.ARTIFACT and (task := self.state.tasks.get(number)) and task.attempt == count:
            self.state.tasks[number] = task._replace(stage=attempt.stage)
        return attempt

    def finish(self, reason: Reason, *, artifact: str | None = None, task: int | None = None) -> None:
        """End the packet. Open work is dropped: answers to it will be ignored."""
        state = self.state
        composed = reason == "composed"
        if not composed:
            self.phase("ended")
        state.finish = FinishRecord(
            **self.base(),
            outcome="composed" if composed else "not-composed",
            reason=reason,
            artifact=artifact,
            task=task,
        )
        # What was asked for in this very step is never sent, but what was recorded stays recorded.
        self.effects = [e for e in self.effects if not isinstance(e, (Send, Ask, Arm))]
        self.effects.append(Finish(state.finish))

    # --- bounds and budgets ---------------------------------------------------------------------------------------

    def afford(self, role: RoleRecord) -> bool:
        """Count one message and reserve what it may cost; on a bound, end the packet and return False."""
        state = self.state
        if state.messages >= state.opened.limits.messages_max:
            self.finish("over-bound")
            return False
        spend = budget.reserve(
            state.spend,
            state.opened.budget,
            tokens=role.call_tokens_max,
            microusd=role.call_microusd_max,
        )
        if spend is None:
            self.finish("budget-spent")
            return False
        state.messages += 1
        state.spend = spend
        return True

    def settle(self, *, tokens: int, microusd: int, usage: Usage | None) -> None:
        """Replace a reservation by what was spent."""
        self.state.spend = budget.settle(self.state.spend, tokens=tokens, microusd=microusd, usage=usage)

    # --- jobs: work for coordinator and builders ------------------------------------------------------------------

    def request_id(self, work: Work, task: int | None, attempt: int) -> str:
        """Return the id of an assignment."""
        return identify(self.state.opened.nonce, "assignment", work, task or 0, attempt)

    def due_ms(self) -> int:
        """Return when an answer to something asked now is late."""
        return self.now + self.state.opened.limits.reply_ms_max

    def assign(
        self,
        work: Work,
        role: RoleRecord,
        request: PlanRequest | BuildRequest | AcceptRequest,
        *,
        task: int | None,
        subject: str,
    ) -> bool:
        """Hand a piece of work to a role; False when a bound ended the packet instead."""
        if not self.afford(role):
            return False
        assignment = AssignmentRecord(
            **self.base(),
            request=request.request,
            work=work,
            role=role.name,
            task=task,
            attempt=request.attempt,
            subject=subject,
            due_ms=request.due_ms,
            tokens_reserved=role.call_tokens_max,
            microusd_reserved=role.call_microusd_max,
        )
        self.state.jobs[request.request] = Job(assignment, request)
        self.record(assignment)
        self.effects.append(Send(role.name, request.request, request))
        self.effects.append(Arm(request.request, request.due_ms))
        return True

    def close(self, request: str, *, receipt: str = CLOSED, usage: Usage | None = None) -> None:
        """Close a job: answered with `receipt`, or without an answer."""
        job = self.state.jobs[request]
        self.state.jobs[request] = job._replace(receipt=receipt)
        self.settle(tokens=job.record.tokens_reserved, microusd=job.record.microusd_reserved, usage=usage)

    def equivocation(self, about: str, author: str, first: str) -> Ignore | None:
        """Record that this event is a second, different answer; once per ticket or request."""
        if about in self.state.equivocations:
            return Ignore("equivocation known")
        self.state.equivocations |= {about}
        self.record(
            EquivocationRecord(**self.base(), about=about, author=author, first=first, second=self.event.receipt)
        )
        return None

    def drop(self, key: AttemptKey) -> None:
        """Void an attempt: its job and its tickets are closed, its verdicts count for nothing."""
        attempt = self.state.attempts[key]
        if (attempt.stage, "void") not in ATTEMPT:
            return
        if attempt.request and not self.state.jobs[attempt.request].receipt:
            self.close(attempt.request)
        for ticket_id in attempt.tickets:
            ticket = self.state.tickets[ticket_id]
            if not ticket.decision:
                self.state.tickets[ticket_id] = ticket._replace(decision="abstained")
                self.settle(tokens=ticket.record.tokens_reserved, microusd=ticket.record.microusd_reserved, usage=None)
        self.stage(key, "void")

    def open_attempt(self, key: AttemptKey, author: str, request: str) -> None:
        """Begin an attempt that somebody was just asked for."""
        self.state.attempts[key] = Attempt(key, Stage.ASSIGNED, author, request=request)
