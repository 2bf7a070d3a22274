"""From a packet's state to what `run()` returns: the outcome, every verdict with its words, and what else was said."""

from __future__ import annotations

from collections.abc import Mapping

from squads.contracts.errors import LedgerError
from squads.contracts.finding import NO_USAGE
from squads.contracts.outcome import AwaitingApproval, Composed, Halted, Judgement, NotComposed, Outcome, RoleSpend
from squads.contracts.plan import Acceptance, Objection, Plan
from squads.contracts.reasons import EXPLAINED
from squads.contracts.records import AcceptanceRecord, FaultRecord, ObjectionRecord
from squads.handover import Reader, names
from squads.kernel.budget import NOTHING_SPENT, PACKET, Account, allowance_of
from squads.kernel.lifecycle import Phase
from squads.kernel.receipts import receipt_of, record_in
from squads.kernel.state import PacketState
from squads.lane import Lane
from squads.ledger.types import KINDS
from squads.levels import before_telling_end
from squads.people import by_name
from squads.workspace import Workspace


async def outcome_of(
    lane: Lane, workspace: Workspace, reader: Reader, people: Mapping[str, str], ignored: Mapping[str, int]
) -> Outcome | None:
    """Return how a packet stands when nothing more happens here by itself, or None while it is moving.

    That it composed is told once it has come as far as the policy demands. Raises what made the packet fail here,
    and `LedgerError` when it could not be opened.
    """
    if lane.failure is not None:
        raise lane.failure
    state = lane.state
    stop = workspace.view.stopped(lane.packet)
    by = people.get(stop.author, stop.author) if stop else ""
    if state is None:
        if stop:
            return Halted(packet=lane.packet, detail=f"stopped by {by}; nothing was opened")
        raise LedgerError(f"packet {lane.packet} could not be opened: {dict(ignored)}")
    if state.finish is not None:
        return await _ended(lane, state, workspace, reader)
    if stop:
        return Halted(
            packet=lane.packet,
            judgements=await _judgements(state, reader),
            usage=state.spend.usage,
            spent=spent_by_role(state),
            detail=f"stopped by {by}; lift the stop, then resume packet {lane.packet}",
        )
    question = state.question
    if state.phase is Phase.ASKING and question and lane.unanswered:
        return AwaitingApproval(
            packet=lane.packet,
            judgements=await _judgements(state, reader),
            usage=state.spend.usage,
            spent=spent_by_role(state),
            question=question.question,
            subject=question.subject,
            approvers=tuple(by_name(question.approvers, people)),
            quorum=question.quorum,
            expires_ms=question.expires_ms,
        )
    return None


async def _ended(lane: Lane, state: PacketState, workspace: Workspace, reader: Reader) -> Outcome:
    assert state.finish is not None
    judgements = await _judgements(state, reader)
    usage, spent = state.spend.usage, spent_by_role(state)
    if state.finish.artifact is not None:
        await before_telling_end(workspace, lane.packet)
        artifact = await reader.artifact(state.finish.artifact)
        return Composed(packet=lane.packet, judgements=judgements, usage=usage, spent=spent, artifact=artifact)
    reason = state.finish.reason
    return NotComposed(
        packet=lane.packet,
        judgements=judgements,
        usage=usage,
        spent=spent,
        reason=reason,
        detail=EXPLAINED[reason],
        task=(await _task_names(state, reader)).get(state.finish.task or 0),
        words=await _words(lane, state, workspace, reader),
    )


def spent_by_role(state: PacketState) -> tuple[RoleSpend, ...]:
    """Return what each role has spent, in the order of the opening; who spent nothing is left out."""
    accounts = ((role, state.accounts.get(("role", role.name), NOTHING_SPENT).usage) for role in state.opened.roles)
    return tuple(RoleSpend(role=r.name, kind=r.kind, usage=usage) for r, usage in accounts if usage != NO_USAGE)


def _broke(state: PacketState, task: str | None) -> list[str]:
    """Return which budget was spent, and how much of it, as a sentence; empty where none was."""
    finish = state.finish
    if finish is None or finish.budget is None:
        return []
    if finish.budget == "workspace":
        return ["the workspace's budget had no room for this packet's; wait until others have ended, or raise it"]
    account: Account = PACKET
    if finish.budget != "packet":
        account = ("task", finish.task or 0) if finish.budget == "task" else ("role", finish.role or "")
    spend, allowed = state.accounts.get(account, NOTHING_SPENT), allowance_of(state.opened.budget, account)
    limits = (
        ("tokens", spend.tokens, allowed.tokens_max if allowed else None),
        ("millionths of a US dollar", spend.microusd, allowed.cost_microusd_max if allowed else None),
        ("ms of waiting", spend.wait_ms, allowed.wait_ms_max if allowed else None),
    )
    used = ", ".join(f"{spent:,} of {limit:,} {unit}" for unit, spent, limit in limits if limit is not None)
    whose = {"packet": "the packet", "task": f"task {task!r}" if task else "each task", "role": f"role {finish.role!r}"}
    return [f"the budget of {whose[finish.budget]} was spent at an answer of {finish.role!r}: {used}"]


async def _task_names(state: PacketState, reader: Reader) -> dict[int, str]:
    if state.plan is None:
        return {}
    plan = await reader.document(state.plan.content, Plan)
    return names(plan, tuple(t.task for t in state.plan.tasks))


async def _judgements(state: PacketState, reader: Reader) -> tuple[Judgement, ...]:
    known = await _task_names(state, reader)
    return tuple(
        [
            Judgement(
                gate=ticket.record.gate,
                reads=ticket.record.reads.value,
                task=known.get(ticket.record.task or 0),
                attempt=ticket.record.attempt,
                subject=ticket.record.subject,
                verdict=await reader.verdict(ticket.verdict),
            )
            for ticket in state.tickets.values()
            if ticket.verdict
        ]
    )


async def _words(lane: Lane, state: PacketState, workspace: Workspace, reader: Reader) -> tuple[str, ...]:
    """Return what was said besides verdicts: objections, the coordinator's reasons, and what became of silent roles."""
    task = state.finish.task if state.finish else None
    words = _broke(state, (await _task_names(state, reader)).get(task or 0))
    for stored in await workspace.ledger.read(lane.packet):
        receipt = receipt_of(stored.seq, stored.payload_type, stored.payload, (), stored.time_ms)
        if KINDS[receipt.kind].direction == "output":
            continue
        record = record_in(receipt)
        match record:
            case ObjectionRecord():
                said = await reader.document(record.content, Objection)
                words.append(f"{record.author} objects: {'; '.join(said.reasons)}; it proposes: {said.proposal}")
            case AcceptanceRecord():
                reasons = (await reader.document(record.content, Acceptance)).reasons
                words += [f"{record.author} does not accept: {reason}" for reason in reasons]
            case FaultRecord():
                asked = state.tickets.get(record.about) or state.jobs.get(record.about)
                who = (
                    "nobody"
                    if asked is None
                    else getattr(asked.record, "gate", "") or getattr(asked.record, "role", "")
                )
                detail = lane.details.get(record.about, "")
                words.append(f"{who} gave no usable answer ({record.reason})" + (f": {detail}" if detail else ""))
            case _:
                pass
    return tuple(words)
