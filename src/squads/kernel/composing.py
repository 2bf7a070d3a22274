"""From approved artifacts to one composition: made, read by gates, checked end to end by the coordinator.

The coordinator's word can only refuse: it names tasks to re-open, which voids everything that builds on them. A
composition that a gate refused never gets past here, whatever the coordinator says.
"""

from __future__ import annotations

from squads.contracts.messages import AcceptRequest, Grievance
from squads.contracts.packet import AttemptKind
from squads.contracts.records import AcceptanceRecord, CompositionRecord, Part
from squads.kernel import plan as plans
from squads.kernel import registry
from squads.kernel.asking import ask_people
from squads.kernel.compose import PathsMeet
from squads.kernel.compose import compose as union
from squads.kernel.effects import Ignore
from squads.kernel.lifecycle import Stage
from squads.kernel.planning import exhausted
from squads.kernel.reviewing import review
from squads.kernel.state import Attempt, AttemptKey
from squads.kernel.turn import Turn


def compose(turn: Turn) -> None:
    """All tasks are approved: make the composition, and have gates that read compositions read it."""
    state = turn.state
    assert state.plan is not None
    turn.phase("all tasks approved")
    if state.composition_attempt >= state.opened.limits.compositions_max:
        turn.finish("over-bound")
        return
    state.composition_attempt += 1
    number = state.composition_attempt
    parts = {n: state.manifests[t.artifact] for n, t in state.tasks.items()}
    made = union(parts, plans.ancestors(state.plan.tasks), attempt=number)
    if isinstance(made, PathsMeet):
        exhausted(turn, Grievance(task=None, cause="paths-meet", detail=str(made)), otherwise="paths-meet")
        return
    listed = parts_of(turn)
    turn.record(CompositionRecord(**turn.base(), artifact=made.digest, attempt=number, parts=listed))
    state.composition = made.digest
    state.manifests[made.digest] = made
    key = (AttemptKind.COMPOSITION, 0, number)
    state.attempts[key] = Attempt(key, Stage.REVIEWING, "runner", subject=made.digest)
    review(turn, key, listed)


def parts_of(turn: Turn) -> tuple[Part, ...]:
    """Return the approved artifact of every task, in order."""
    return tuple(Part(task=n, artifact=t.artifact) for n, t in sorted(turn.state.tasks.items()))


def read(turn: Turn, key: AttemptKey) -> None:
    """The gates that read compositions have answered: on to the coordinator, who may only refuse."""
    stage = turn.state.attempts[key].stage
    if stage is Stage.ABSTAINED:
        turn.finish("gate-abstained")
        return
    if stage is Stage.APPROVED and (unread := looked_at(turn, key)) is not None:
        turn.finish("no-applicable-gate", task=unread)
        return
    turn.phase("composition read")
    turn.state.accept_tries = 0
    ask_to_accept(turn)


def looked_at(turn: Turn, key: AttemptKey) -> int | None:
    """Return a task whose artifact no required gate has read at least one file of, or None when all were read.

    A gate that found nothing of its kind approves without having looked. When all of them did, nobody looked.
    """
    state = turn.state
    if _anybody_looked(turn, key):
        return None
    for number, task in sorted(state.tasks.items()):
        if not _anybody_looked(turn, (AttemptKind.ARTIFACT, number, task.attempt)):
            return number
    return None


def _anybody_looked(turn: Turn, key: AttemptKey) -> bool:
    state = turn.state
    tickets = [state.tickets[t] for t in state.attempts[key].tickets]
    return any(t.looked > 0 or state.roles[t.record.gate].unsafe for t in tickets)


def ask_to_accept(turn: Turn) -> None:
    """Ask the coordinator for its end-to-end check."""
    state = turn.state
    assert state.plan is not None
    state.accept_attempt += 1
    state.accept_tries += 1
    role = registry.coordinator(state.roles)
    keys = [(AttemptKind.ARTIFACT, n, t.attempt) for n, t in sorted(state.tasks.items())]
    keys.append((AttemptKind.COMPOSITION, 0, state.composition_attempt))
    tickets = [state.tickets[t] for key in keys for t in state.attempts[key].tickets]
    request = AcceptRequest(
        **turn.base(),
        content=state.opened.content,
        memory=turn.recalled(role.name),
        due_ms=turn.due_ms(),
        request=turn.request_id("accept", None, state.accept_attempt),
        attempt=state.accept_attempt,
        subject=state.composition,
        plan=state.plan.content,
        numbers=turn.numbers,
        parts=parts_of(turn),
        verdicts=tuple((t.record.gate, t.verdict) for t in tickets if t.verdict),
        refused=_stage(turn) is Stage.REFUSED,
    )
    turn.assign("accept", role, request, task=None, subject=state.composition)


def _stage(turn: Turn) -> Stage:
    return turn.state.attempts[AttemptKind.COMPOSITION, 0, turn.state.composition_attempt].stage


def acceptance(turn: Turn, record: AcceptanceRecord) -> Ignore | None:
    """Take the coordinator's end-to-end check.

    It accepts only when the composition was approved, every predicate of `done_when` is answered and holds, and no
    task is to be re-opened.
    """
    state = turn.state
    if record.subject != state.composition:
        return Ignore("another subject")
    turn.close(record.request, receipt=turn.event.receipt, usage=record.usage)
    if turn.is_broke():
        return None
    holding = {h.predicate for h in record.held if h.holds} - {h.predicate for h in record.held if not h.holds}
    refused = _stage(turn) is Stage.REFUSED
    if not refused and not record.reopen and holding >= set(state.opened.predicates):
        ask_people(turn)
        return None
    unknown = [n for n in record.reopen if n not in state.tasks]
    if unknown or not record.reopen:
        turn.finish("composition-refused" if refused else "not-accepted")
        return None
    reopen(turn, record)
    return None


def reopen(turn: Turn, record: AcceptanceRecord) -> None:
    """Try the named tasks again, and void everything that builds on them."""
    state = turn.state
    assert state.plan is not None
    spent = [n for n in record.reopen if state.tasks[n].tries >= state.opened.limits.attempts_max]
    composition = (AttemptKind.COMPOSITION, 0, state.composition_attempt)
    refused = _stage(turn) is Stage.REFUSED
    turn.drop(composition)
    for number in sorted(plans.voided_by(state.plan.tasks, record.reopen)):
        task = state.tasks[number]
        documents = tuple(state.tickets[t].verdict for t in state.attempts[composition].tickets)
        turn.drop((AttemptKind.ARTIFACT, number, task.attempt))
        state.tasks[number] = state.tasks[number]._replace(
            verdicts=tuple(d for d in documents if d),
            reasons=(record.content,) if number in record.reopen else (),
            tries=task.tries if number in record.reopen else max(0, task.tries - 1),
        )
    turn.phase("tasks re-opened")
    if spent:
        grievance = Grievance(task=spent[0], cause="refused", documents=(record.content,))
        exhausted(turn, grievance, otherwise="composition-refused" if refused else "not-accepted")


def failed(turn: Turn) -> None:
    """The coordinator gave no usable end-to-end check: ask again while tries are left."""
    if turn.state.accept_tries < turn.state.opened.limits.attempts_max:
        ask_to_accept(turn)
    else:
        turn.finish("role-failed")
