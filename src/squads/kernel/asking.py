"""People: a durable question about exactly these bytes, its answers, and waivers that a gate may cite.

The wait is a state, not a process. One denial by somebody who was asked refuses; a quorum of distinct people composes;
reaching the deadline without one refuses. Nothing a person signs overrides a gate: a waiver is only something that a
gate may cite in its own verdict.
"""

from __future__ import annotations

from squads.contracts.records import AnswerRecord, QuestionRecord, WaiverRecord
from squads.kernel.authority import is_author
from squads.kernel.effects import Arm, Ask, Ignore
from squads.kernel.identify import identify
from squads.kernel.lifecycle import Phase
from squads.kernel.turn import Turn


def ask_people(turn: Turn) -> None:
    """The composition is accepted: ask people when the packet says so, else compose."""
    state = turn.state
    rule = state.opened.approval
    if rule is None:
        turn.phase("accepted")
        turn.finish("composed", artifact=state.composition)
        return
    if state.messages >= state.opened.limits.messages_max:
        turn.finish("over-bound")
        return
    state.messages += 1
    turn.phase("question")
    state.question = QuestionRecord(
        **turn.base(),
        question=identify(state.opened.nonce, "question", state.composition_attempt, state.composition),
        subject=state.composition,
        approvers=rule.approvers,
        quorum=rule.quorum,
        expires_ms=turn.now + rule.wait_ms_max,
    )
    turn.record(state.question)
    turn.effects.append(Ask(state.question))
    turn.effects.append(Arm(state.question.question, state.question.expires_ms))


def answer(turn: Turn, record: AnswerRecord) -> Ignore | None:
    """Take a person's answer.

    The checks, in order: 1 this question is open; 2 about these bytes; 3 this person was asked; 4 in time; 5 by a
    person where the packet demands one; 6 nobody approves their own work; 7 nobody counts twice.
    """
    state = turn.state
    question = state.question
    if state.phase is not Phase.ASKING or question is None or record.question != question.question:
        return Ignore("unknown question")  # 1
    if record.subject != question.subject:
        return Ignore("another subject")  # 2
    if record.author not in question.approvers:
        return Ignore("not asked")  # 3
    if turn.now >= question.expires_ms:
        return Ignore("too late")  # 4
    rule = state.opened.approval
    if record.decision == "denied":
        turn.finish("approval-denied")
        return None
    if rule is None or (rule.person_required and record.channel in ("flag", "program")):
        return Ignore("not answered by a person")  # 5
    if _is_author(turn):
        return Ignore("own work")  # 6
    if record.author in state.approvals or turn.event.key in state.approvals.values():
        return Ignore("already answered")  # 7
    state.approvals[record.author] = turn.event.key
    if len(state.approvals) >= question.quorum:
        turn.phase("quorum")
        turn.finish("composed", artifact=state.composition)
    return None


def waiver(turn: Turn, record: WaiverRecord) -> Ignore | None:
    """Take a waiver: it is shown to its gate with the next ticket about exactly these bytes."""
    if turn.now >= record.expires_ms:
        return Ignore("expired")
    role = turn.state.roles.get(record.gate)
    if role is None or role.kind != "gate":
        return Ignore("no such gate")
    if _is_author(turn):
        return Ignore("own work")
    if turn.event.receipt in turn.state.waivers:
        return Ignore("duplicate")
    if len(turn.state.waivers) >= turn.state.opened.limits.messages_max:
        return Ignore("too many waivers")
    turn.state.waivers[turn.event.receipt] = record
    return None


def _is_author(turn: Turn) -> bool:
    """Say whether this person made any artifact of the packet: with this key, or with the role that made it."""
    event = turn.event
    return any(event.key == k or is_author("builder", name, event.roles) for name, k in turn.state.authors.values())
