"""One step in the making: the state that is being changed, the event that changes it, and the effects so far.

The rooms of the kernel (opening, planning, building, reviewing, composing, asking) are functions over a `Turn`. What
several of them need stands here: hand out work, close it, bound it, end the packet.
"""

from __future__ import annotations

from squads.contracts.finding import NO_USAGE, Usage
from squads.contracts.messages import AcceptRequest, BuildRequest, PlanRequest
from squads.contracts.packet import AccountKind, AttemptKind
from squads.contracts.reasons import Reason
from squads.contracts.records import (
    AssignmentRecord,
    EquivocationRecord,
    FinishRecord,
    PacketRecord,
    RoleRecord,
    TicketRecord,
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
        self.overspent: tuple[budget.Account, AssignmentRecord | TicketRecord] | None = None
        """The first account that an answer of this step took past its limit, and what was answered."""

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

    def finish(
        self,
        reason: Reason,
        *,
        artifact: str | None = None,
        task: int | None = None,
        account: AccountKind | None = None,
        role: str | None = None,
    ) -> None:
        """End the packet. Open work is dropped: answers to it will be ignored, and may have been paid all the same."""
        state = self.state
        for job in state.jobs.values():
            if not job.receipt:
                self.settle(job.record, None)
        for ticket in state.tickets.values():
            if not ticket.decision:
                self.settle(ticket.record, None)
        composed = reason == "composed"
        if not composed:
            self.phase("ended")
        state.finish = FinishRecord(
            **self.base(),
            outcome="composed" if composed else "not-composed",
            reason=reason,
            artifact=artifact,
            task=task,
            budget=account,
            role=role,
        )
        # What was asked for in this very step is never sent, but what was recorded stays recorded.
        self.effects = [e for e in self.effects if not isinstance(e, (Send, Ask, Arm))]
        self.effects.append(Finish(state.finish))

    # --- bounds and budgets ---------------------------------------------------------------------------------------

    def afford(self, role: RoleRecord, task: int | None) -> bool:
        """Count one message and reserve what it may cost; on a bound, end the packet and return False."""
        state = self.state
        if self.is_broke():
            return False
        if state.messages >= state.opened.limits.messages_max:
            self.finish("over-bound")
            return False
        amount = budget.call_of(role)
        if amount != budget.NOTHING:  # nothing fits everywhere: an account past its limit has ended the packet
            on = budget.accounts_of(role.name, task)
            charged = budget.charge(state.accounts, state.opened.budget, on, amount)
            if not isinstance(charged, dict):
                self.broke(charged, role.name, task)
                return False
            state.accounts.update(charged)
        state.messages += 1
        return True

    def settle(self, asked: AssignmentRecord | TicketRecord, usage: Usage | None) -> None:
        """Replace what was reserved for a request or ticket by what it cost, on every account."""
        state, amount = self.state, budget.reserved_for(asked)
        if amount == budget.NOTHING and (usage is None or usage == NO_USAGE):
            return
        for account in budget.accounts_of(worker_of(asked), asked.task):
            spend = state.accounts[account] = budget.settle(
                state.accounts.get(account, budget.NOTHING_SPENT), amount, usage
            )
            if self.overspent is None and budget.overspent(spend, budget.allowance_of(state.opened.budget, account)):
                self.overspent = account, asked

    def is_broke(self) -> bool:
        """End the packet where an answer of this step took an account past its limit; say whether it did."""
        if self.overspent is None:
            return False
        account, asked = self.overspent
        self.broke(account, worker_of(asked), asked.task)
        return True

    def broke(self, account: budget.Account, role: str, task: int | None) -> None:
        """End the packet at the first account that had no room: the packet's, the task's, the role's."""
        kind = account[0]
        self.finish("budget-spent", task=None if kind == "packet" else task, account=kind, role=role)

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
        if not self.afford(role, task):
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
            wait_ms_reserved=role.call_ms_max,
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
        self.settle(job.record, usage)

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
                self.settle(ticket.record, None)
        self.stage(key, "void")

    def open_attempt(self, key: AttemptKey, author: str, request: str) -> None:
        """Begin an attempt that somebody was just asked for."""
        self.state.attempts[key] = Attempt(key, Stage.ASSIGNED, author, request=request)


def worker_of(asked: AssignmentRecord | TicketRecord) -> str:
    """Return the name of the role that something was asked of."""
    return asked.gate if isinstance(asked, TicketRecord) else asked.role
