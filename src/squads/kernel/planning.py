"""The coordinator's part: a plan, or an objection to the packet; an amended plan when a task cannot go on.

A plan is an attempt like any other: gates that read plans read it before anybody builds. An amended plan keeps every
task whose record is unchanged, with its approval; whatever changed, and whatever builds on it, starts over.
"""

from __future__ import annotations

from squads.contracts.messages import Grievance, PlanRequest
from squads.contracts.packet import AttemptKind
from squads.contracts.reasons import Reason
from squads.contracts.records import PlanRecord
from squads.kernel import plan as plans
from squads.kernel import registry
from squads.kernel.effects import Ignore
from squads.kernel.lifecycle import Phase, Stage
from squads.kernel.reviewing import review, verdicts_on
from squads.kernel.state import AttemptKey, TaskState
from squads.kernel.turn import Turn


def ask_for_plan(turn: Turn, grievances: tuple[Grievance, ...]) -> None:
    """Ask the coordinator for a plan, or for an amended one that answers `grievances`."""
    state = turn.state
    state.plan_attempt += 1
    state.plan_tries += 1
    number = state.plan_attempt
    request_id = turn.request_id("plan", None, number)
    role = registry.coordinator(state.roles)
    request = PlanRequest(
        **turn.base(),
        content=state.opened.content,
        memory=turn.recalled(role.name),
        due_ms=turn.due_ms(),
        request=request_id,
        attempt=number,
        builders=tuple(r.name for r in registry.of_kind(state.roles, "builder")),
        gates=tuple(r.name for r in registry.of_kind(state.roles, "gate") if AttemptKind.ARTIFACT in r.reads),
        previous=state.plan.content if state.plan else None,
        numbers=turn.numbers,
        next_task=state.next_task,
        grievances=grievances,
    )
    if turn.assign("plan", role, request, task=None, subject=state.opened.content):
        turn.open_attempt((AttemptKind.PLAN, 0, number), role.name, request_id)


def plan(turn: Turn, record: PlanRecord) -> Ignore | None:
    """Take the coordinator's plan: refuse what cannot be run, have gates read the rest."""
    state = turn.state
    key = (AttemptKind.PLAN, 0, state.plan_attempt)
    turn.close(record.request, receipt=turn.event.receipt, usage=record.usage)
    wrong = plans.problems(
        record.tasks,
        limits=state.opened.limits,
        builders=[r.name for r in registry.of_kind(state.roles, "builder")],
        gates=[r.name for r in registry.of_kind(state.roles, "gate") if AttemptKind.ARTIFACT in r.reads],
        known=[t.task for t in state.plan.tasks] if state.plan else [],
        fresh=state.next_task,
    )
    if wrong:
        turn.stage(key, "no usable reply")
        again(
            turn,
            Grievance(task=None, cause="plan-invalid", detail="; ".join(wrong)),
            otherwise="plan-invalid",
        )
        return None
    attempt = turn.stage(key, "handed in")
    state.attempts[key] = attempt._replace(subject=record.content, author_key=turn.event.key)
    state.proposal = record
    review(turn, key, ())
    return None


def read(turn: Turn, key: AttemptKey) -> None:
    """The gates that read plans have answered."""
    stage = turn.state.attempts[key].stage
    if stage is Stage.APPROVED:
        adopt(turn)
    elif stage is Stage.REFUSED:
        grievance = Grievance(task=None, cause="plan-refused", documents=verdicts_on(turn, key))
        again(turn, grievance, otherwise="plan-refused")
    else:
        turn.finish("gate-abstained")


def failed(turn: Turn, key: AttemptKey) -> None:
    """The coordinator gave no usable plan."""
    turn.stage(key, "no usable reply")
    again(turn, Grievance(task=None, cause="failed"), otherwise="role-failed")


def again(turn: Turn, grievance: Grievance, *, otherwise: Reason) -> None:
    """Ask for another plan while tries are left; else end the packet."""
    state = turn.state
    state.proposal = None
    if state.plan_tries >= state.opened.limits.attempts_max:
        turn.finish(otherwise)
        return
    ask_for_plan(turn, (grievance,))


def adopt(turn: Turn) -> None:
    """Put the approved proposal in force: keep what is unchanged, void what is not."""
    state = turn.state
    record = state.proposal
    assert record is not None
    before = state.tasks
    kept = {t.task for t in record.tasks if (old := before.get(t.task)) and old.record == t and old.stage not in _OVER}
    changed = {t.task for t in record.tasks} - kept
    kept -= plans.voided_by(record.tasks, changed)
    for number, old in before.items():
        if number not in kept and old.attempt:
            turn.drop((AttemptKind.ARTIFACT, number, old.attempt))
    state.tasks = {
        t.task: before[t.task]
        if t.task in kept
        else TaskState(t, attempt=before[t.task].attempt if t.task in before else 0)
        for t in record.tasks
    }
    state.plan, state.proposal, state.plan_tries = record, None, 0
    state.next_task = max(state.next_task, *(t.task + 1 for t in record.tasks))
    turn.phase("plan approved")
    same = {t.task for t in record.tasks if t.task in before and before[t.task].record == t}
    waiting = tuple(g for g in state.grievances if g.task in same)
    state.grievances = ()
    if waiting:  # said about tasks that this plan has not touched: it is amended once more
        amend(turn, waiting)


_OVER = frozenset({Stage.OBJECTED, Stage.FAILED, Stage.REFUSED, Stage.ABSTAINED, Stage.VOIDED})
"""Stages in which a task waits for the coordinator: keeping such a task as it was means trying it again."""


def amend(turn: Turn, grievances: tuple[Grievance, ...]) -> None:
    """Ask for an amended plan, or let the grievances wait while one is already being made."""
    state = turn.state
    if state.phase is Phase.PLANNING:
        state.grievances = (*state.grievances, *grievances)
        return
    turn.phase("paths meet" if state.phase is Phase.COMPOSING else "amending")
    ask_for_plan(turn, grievances)


def objected(turn: Turn, grievance: Grievance) -> None:
    """Count a builder's objection; within the bound the coordinator amends the brief."""
    state = turn.state
    state.objections += 1
    if state.objections > state.opened.limits.objections_max:
        turn.finish("task-objected", task=grievance.task)
        return
    amend(turn, (grievance,))


def exhausted(turn: Turn, grievance: Grievance, *, otherwise: Reason) -> None:
    """A task, or the meeting of tasks, cannot go on: one amended plan if one is left, else the packet ends."""
    state = turn.state
    if state.amendments >= state.opened.limits.amendments_max:
        turn.finish(otherwise, task=grievance.task)
        return
    state.amendments += 1
    amend(turn, (grievance,))
