"""From one packet's state to how it stands, in words a person can act on. Reads content, decides nothing.

Content may be erased at any time: what is gone is said to be gone, and the rest is shown all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from squads.contracts.errors import BlobError
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.plan import Plan
from squads.contracts.reasons import EXPLAINED, REFUSALS
from squads.contracts.verdict import Approved
from squads.handover import Reader
from squads.handover import names as task_names
from squads.kernel.lifecycle import Phase
from squads.kernel.state import PacketState, Ticket
from squads.outcomes import spent_by_role
from squads.overview import (
    EndedPacket,
    GateSaid,
    Next,
    OpenPacket,
    OpenQuestion,
    StopInForce,
    TaskStanding,
    Wait,
)
from squads.people import by_name

TITLE_CHARS_MAX = 120


@dataclass(frozen=True, slots=True)
class Standing:
    """How packets stand at one moment, people by name."""

    reader: Reader
    people: Mapping[str, str]
    """Names by opaque id."""
    now_ms: int

    async def open(self, state: PacketState, stop: StopInForce | None) -> OpenPacket:
        """Return how a packet stands that has not ended."""
        tasks = await self._tasks(state)
        question = await self.question(state)
        waits = self._waits(state, tasks, question)
        return OpenPacket(
            packet=state.opened.packet,
            title=await self._title(state),
            phase=state.phase.value,
            opened_ms=state.opened_ms,
            moved_ms=state.time_ms,
            due_ms=state.due_ms,
            tasks=_task_standings(state, tasks),
            waits=waits,
            question=question,
            stop=stop,
            next=self._next(state, question, waits, stop),
            spent=spent_by_role(state),
        )

    async def ended(self, state: PacketState) -> EndedPacket:
        """Return how a packet ended."""
        finish = state.finish
        assert finish is not None
        return EndedPacket(
            packet=state.opened.packet,
            title=await self._title(state),
            opened_ms=state.opened_ms,
            ended_ms=state.time_ms,
            outcome=finish.outcome,
            reason=finish.reason,
            explained=EXPLAINED[finish.reason],
            task=None if finish.task is None else (await self._tasks(state))[finish.task],
            composition=finish.artifact,
            exit_code=0 if finish.outcome == "composed" else 1 if finish.reason in REFUSALS else 2,
            spent=spent_by_role(state),
        )

    async def question(self, state: PacketState) -> OpenQuestion | None:
        """Return the question that people are asked, with exactly what they are asked about; None where none is."""
        question, rule = state.question, state.opened.approval
        if state.phase is not Phase.ASKING or question is None or rule is None:
            return None
        manifest = state.manifests[question.subject]
        asked = by_name(question.approvers, self.people)
        return OpenQuestion(
            packet=question.packet,
            title=await self._title(state),
            question=question.question,
            composition=question.subject,
            paths=tuple(entry.path for entry in manifest.files),
            removals=manifest.removals,
            size_bytes=manifest.size_bytes,
            verdicts=await self._verdicts(state),
            asked=tuple(asked),
            quorum=question.quorum,
            approved=tuple(by_name(state.approvals, self.people)),
            person_required=rule.person_required,
            since_ms=question.expires_ms - rule.wait_ms_max,
            expires_ms=min(question.expires_ms, state.due_ms),
        )

    async def _verdicts(self, state: PacketState) -> tuple[GateSaid, ...]:
        """Return the verdicts on what would compose: on the newest attempt of every task, and on the composition."""
        tasks = await self._tasks(state)
        keys = [(AttemptKind.ARTIFACT, number, task.attempt) for number, task in sorted(state.tasks.items())]
        keys.append((AttemptKind.COMPOSITION, 0, state.composition_attempt))
        return tuple(
            [
                GateSaid(
                    gate=ticket.record.gate,
                    task=None if ticket.record.task is None else tasks[ticket.record.task],
                    decision=ticket.decision,
                    looked=ticket.looked,
                    notes=await self._notes(ticket),
                )
                for key in keys
                for ticket in (state.tickets[t] for t in state.attempts[key].tickets)
            ]
        )

    async def _notes(self, ticket: Ticket) -> int | None:
        try:
            verdict = await self.reader.verdict(ticket.verdict)
        except (BlobError, ValueError):
            return None
        return len(verdict.notes) if isinstance(verdict, Approved) else 0

    async def _title(self, state: PacketState) -> str:
        try:
            brief = (await self.reader.document(state.opened.content, Packet)).brief
        except (BlobError, ValueError):
            return "(its brief cannot be read: it was erased, or changed)"
        first = next((line.strip() for line in brief.splitlines() if line.strip()), "(an empty brief)")
        return first if len(first) <= TITLE_CHARS_MAX else first[: TITLE_CHARS_MAX - 1] + "…"

    async def _tasks(self, state: PacketState) -> dict[int, str]:
        """Return the names of all tasks there ever were; by number where the plan that named them is gone."""
        known = {number: f"task {number}" for number in range(1, state.next_task)}
        if state.plan is not None:
            try:
                plan = await self.reader.document(state.plan.content, Plan)
                known |= task_names(plan, tuple(t.task for t in state.plan.tasks))
            except (BlobError, ValueError):
                pass
        return known

    def _waits(self, state: PacketState, tasks: Mapping[int, str], question: OpenQuestion | None) -> tuple[Wait, ...]:
        asked_ms = state.opened.limits.reply_ms_max
        waits = [
            Wait(
                who=job.record.role,
                what=job.record.work,
                task=None if job.record.task is None else tasks[job.record.task],
                attempt=job.record.attempt,
                since_ms=job.record.due_ms - asked_ms,
                due_ms=job.record.due_ms,
            )
            for job in state.jobs.values()
            if not job.receipt
        ]
        waits += [
            Wait(
                who=ticket.record.gate,
                what="review",
                task=None if ticket.record.task is None else tasks[ticket.record.task],
                attempt=ticket.record.attempt,
                since_ms=ticket.record.due_ms - asked_ms,
                due_ms=ticket.record.due_ms,
            )
            for ticket in state.tickets.values()
            if not ticket.decision
        ]
        if question is not None:
            waits += [
                Wait(who=name, what="answer", since_ms=question.since_ms, due_ms=question.expires_ms)
                for name in question.open_to
            ]
        return tuple(waits)

    def _next(
        self, state: PacketState, question: OpenQuestion | None, waits: Sequence[Wait], stop: StopInForce | None
    ) -> Next:
        """Say whose move it is, what holds it first: a stop, an end that nobody recorded yet, people, roles."""
        if stop is not None:
            what = "this packet" if stop.packet else "everything here"
            return Next(whose="person", sentence=f"{stop.by} stopped {what}; a person lifts it")
        if self.now_ms >= state.due_ms:
            return Next(whose="runner", sentence="its time is over; the next resume records that it expired")
        if question is not None:
            if self.now_ms >= question.expires_ms:
                return Next(whose="runner", sentence="nobody answered in time; the next resume records the refusal")
            missing = question.quorum - len(question.approved)
            who = ", ".join(question.open_to)
            return Next(whose="person", sentence=f"{missing} more must say yes ({who}), and one no refuses")
        if waits and all(self.now_ms >= wait.due_ms for wait in waits):
            who = ", ".join(dict.fromkeys(wait.who for wait in waits))
            return Next(whose="runner", sentence=f"{who} did not answer in time; the next resume records that")
        if waits:
            who = ", ".join(dict.fromkeys(f"{wait.who} ({wait.what})" for wait in waits))
            return Next(whose="role", sentence=f"{who} must answer; where no squad is at it, resume the packet")
        return Next(whose="runner", sentence="resume the packet; nothing is out for it")


def _task_standings(state: PacketState, tasks: Mapping[int, str]) -> tuple[TaskStanding, ...]:
    return tuple(
        TaskStanding(
            task=tasks[number],
            builder=task.record.builder,
            stage=task.stage.value if task.stage else "not begun",
            tries=task.tries,
            tries_max=state.opened.limits.attempts_max,
        )
        for number, task in state.tasks.items()
    )
