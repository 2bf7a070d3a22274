"""Gates read an attempt: tickets out, verdicts in, and one decision once all of them have answered.

The kernel waits for every gate, so one round brings all findings. Any refusal refuses; an abstention is asked once
more with a new ticket; only a full set of approvals lets the attempt through.
"""

from __future__ import annotations

from collections.abc import Iterable

from squads.contracts.finding import Usage
from squads.contracts.messages import ReviewRequest
from squads.contracts.packet import AttemptKind
from squads.contracts.records import Part, RoleRecord, TicketRecord, VerdictRecord
from squads.kernel import registry
from squads.kernel.authority import is_author
from squads.kernel.effects import Arm, Ignore, Send
from squads.kernel.identify import ticket_id
from squads.kernel.lifecycle import Stage
from squads.kernel.state import AttemptKey, Ticket
from squads.kernel.turn import Turn


def gates_for(turn: Turn, kind: AttemptKind, task: int) -> list[str]:
    """Return the gates that must read this attempt."""
    state = turn.state
    added = state.tasks[task].record.gates if kind is AttemptKind.ARTIFACT else ()
    return registry.readers(state.roles, state.opened.gates, kind, added)


def lineage(turn: Turn, key: AttemptKey) -> list[RoleRecord]:
    """Return everybody whose work an attempt is made of: its author, and the authors of all it was made from."""
    state = turn.state
    attempt = state.attempts[key]
    names = {attempt.author} if attempt.author in state.roles else set()
    waiting, seen = [attempt.subject], set()
    while waiting:
        subject = waiting.pop()
        if subject in seen:
            continue
        seen.add(subject)
        if subject in state.authors:
            names.add(state.authors[subject][0])
        if subject in state.manifests:
            waiting.extend(state.manifests[subject].made_from)
    return [state.roles[n] for n in sorted(names) if n in state.roles]


def review(turn: Turn, key: AttemptKey, inputs: Iterable[Part]) -> None:
    """Ask every gate that must read this attempt.

    Without such a gate the attempt passes at once: whether anybody looked at what would compose is asked when the
    composition has been read (`composing.looked_at`).
    """
    for gate in gates_for(turn, key[0], key[1]):
        if not _ask(turn, key, gate, ask=1, inputs=tuple(inputs)):
            return
    close_round(turn, key)


def _ask(turn: Turn, key: AttemptKey, gate: str, *, ask: int, inputs: tuple[Part, ...]) -> bool:
    state = turn.state
    role = state.roles[gate]
    kind, task, number = key
    attempt = state.attempts[key]
    reached = registry.weakest(role, lineage(turn, key))
    if reached is None or registry.LEVELS.index(reached) < registry.LEVELS.index(state.opened.independence):
        turn.finish("self-gate", task=task or None)
        return False
    if not turn.view.judges(gate):
        # Nobody could give a verdict that counts: the wait could only expire.
        turn.finish("weak-custody", task=task or None)
        return False
    if not turn.view.calibrated(role.prior):
        turn.finish("uncalibrated", task=task or None)
        return False
    if not turn.afford(role, task or None):
        return False
    ticket = ticket_id(state.opened.nonce, task or None, number, gate, attempt.subject, ask)
    due_ms = turn.due_ms()
    request = ReviewRequest(
        **turn.base(),
        content=state.opened.content,
        memory=turn.recalled(gate),
        due_ms=due_ms,
        ticket=ticket,
        reads=kind,
        task=task or None,
        attempt=number,
        subject=attempt.subject,
        plan=state.plan.content if state.plan and kind is not AttemptKind.PLAN else None,
        numbers=turn.numbers if kind is not AttemptKind.PLAN else (),
        inputs=inputs,
        waivers=tuple(
            (waiver, w.content)
            for waiver, w in state.waivers.items()
            if w.subject == attempt.subject
            and w.gate == gate
            and waiver not in state.waivers_used
            and turn.now < w.expires_ms
        ),
        independence=reached,
    )
    record = TicketRecord(
        **turn.base(),
        ticket=ticket,
        gate=gate,
        reads=kind,
        task=task or None,
        attempt=number,
        ask=ask,
        subject=attempt.subject,
        independence=reached,
        due_ms=due_ms,
        tokens_reserved=role.call_tokens_max,
        microusd_reserved=role.call_microusd_max,
        wait_ms_reserved=role.call_ms_max,
    )
    state.tickets[ticket] = Ticket(record, key, request)
    kept = tuple(t for t in attempt.tickets if state.tickets[t].record.gate != gate)
    state.attempts[key] = attempt._replace(tickets=(*kept, ticket))
    turn.record(record)
    turn.effects.append(Send(gate, ticket, request))
    turn.effects.append(Arm(ticket, due_ms))
    return True


def verdict(turn: Turn, record: VerdictRecord) -> Ignore | None:
    """Take a gate's answer to its ticket.

    The checks, in order: 1 the ticket was logged; 2 its gate answers, not somebody else; 3 it is the first answer;
    4 the attempt still counts; 5 exactly these bytes, this attempt, this independence, and what the ticket showed;
    6 one of the gate's own models answered; 7 nobody judges their own work; 8 where a gate that has models approves,
    one of them did; 9 every waiver it cites is live; 10 its key is kept as well as the policy in force demands; 11 its
    prior has the record that the policy in force demands. What breaks 8 or 9 counts as an abstention.
    """
    state = turn.state
    if not turn.view.may_judge(turn.event.key):
        return Ignore("weaker custody than the policy demands")  # 10
    ticket = state.tickets.get(record.ticket)
    if ticket is None:
        return Ignore("unknown ticket")  # 1
    if record.author != ticket.record.gate:
        return Ignore("another gate's ticket")  # 2
    if ticket.decision:
        return _second(turn, ticket, record)  # 3
    attempt = state.attempts[ticket.attempt]
    if attempt.stage is not Stage.REVIEWING or record.ticket not in attempt.tickets:
        return Ignore("stale attempt")  # 4
    if record.subject != ticket.record.subject:
        return Ignore("another subject")  # 5
    if record.attempt != ticket.record.attempt:
        return Ignore("another attempt")
    if record.independence != ticket.record.independence or record.saw != ticket.request.saw:
        return Ignore("another request than was asked")
    role = state.roles[record.author]
    if not turn.view.calibrated(role.prior):
        return Ignore("no record such as the policy demands")  # 11
    if not registry.may_answer(role, record.model):
        return Ignore("a model that is not this role's")  # 6
    if is_own_work(turn, ticket.attempt):
        return Ignore("own work")  # 7
    decision = record.decision
    if decision == "approved" and record.looked and role.models and record.model is None:
        # 8: its independence was reckoned for its models, and something else has read.
        decision = "abstained"
    if decision != "approved" and record.waivers:
        decision = "abstained"  # only an approval can rest on a waiver
    if any(not _live(turn, waiver, ticket) for waiver in record.waivers):
        decision = "abstained"  # 9
    if decision == "approved":
        state.waivers_used |= set(record.waivers)
    answer(turn, record.ticket, decision, usage=record.usage, record=record)
    return None


def is_own_work(turn: Turn, key: AttemptKey) -> bool:
    """Say whether whoever signed this event made the attempt or a part of it: with this key, or with this role."""
    event, made = turn.event, lineage(turn, key)
    names = {role.name for role in made}
    return (
        event.key == turn.state.attempts[key].author_key
        or any(event.key == k for name, k in turn.state.authors.values() if name in names)
        or any(is_author(role.kind, role.name, event.roles) for role in made)
    )


def _live(turn: Turn, waiver: str, ticket: Ticket) -> bool:
    known = turn.state.waivers.get(waiver)
    return (
        known is not None
        and waiver not in turn.state.waivers_used
        and known.subject == ticket.record.subject
        and known.gate == ticket.record.gate
        and turn.now < known.expires_ms
    )


def answer(
    turn: Turn, ticket_id: str, decision: str, *, usage: Usage | None, record: VerdictRecord | None = None
) -> None:
    """Close a ticket with a decision, and the round with it when it was the last one out.

    Without a record the ticket is closed for silence, which counts as an abstention.
    """
    ticket = turn.state.tickets[ticket_id]
    turn.state.tickets[ticket_id] = ticket._replace(
        decision=decision,
        receipt=turn.event.receipt if record else "",
        verdict=record.content if record else "",
        looked=record.looked if record else 0,
    )
    turn.settle(ticket.record, usage)
    close_round(turn, ticket.attempt)


def close_round(turn: Turn, key: AttemptKey) -> None:
    """Decide the attempt when all its gates have answered.

    A first abstention that no refusal outweighs is asked once more, which keeps the round open.
    """
    state = turn.state
    tickets = [state.tickets[t] for t in state.attempts[key].tickets]
    if any(not t.decision for t in tickets):
        return
    abstained = [t for t in tickets if t.decision == "abstained"]
    if any(t.decision == "refused" for t in tickets):
        turn.stage(key, "any refused")
    elif any(t.record.ask > 1 for t in abstained):
        turn.stage(key, "abstained twice")
    elif abstained:
        for ticket in abstained:
            if not _ask(turn, key, ticket.record.gate, ask=2, inputs=ticket.request.inputs):
                return
        return
    else:
        turn.stage(key, "all approved")
    turn.over.append(key)


def verdicts_on(turn: Turn, key: AttemptKey) -> tuple[str, ...]:
    """Return the sealed verdicts of a round, in the order of its gates."""
    tickets = turn.state.tickets
    return tuple(tickets[t].verdict for t in turn.state.attempts[key].tickets if tickets[t].verdict)


def _second(turn: Turn, ticket: Ticket, record: VerdictRecord) -> Ignore | None:
    """A second answer to one ticket: the same one is ignored, another one is equivocation, and nothing composes."""
    if not ticket.receipt:
        return Ignore("too late")
    if ticket.receipt == turn.event.receipt:
        return Ignore("duplicate")
    ignored = turn.equivocation(record.ticket, record.author, ticket.receipt)
    if ignored:
        return ignored
    attempt = turn.state.attempts[ticket.attempt]
    if attempt.stage in (Stage.REVIEWING, Stage.APPROVED):
        # Its approval may be the one that lets bytes through, and we cannot know which of its two words it means.
        turn.finish("equivocation", task=ticket.record.task)
    return None
