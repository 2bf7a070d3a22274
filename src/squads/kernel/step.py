"""The rules as one pure function: `step(view, state, event) -> (state, effects)`. Nothing else decides.

Theory of operation. A packet is a stream of receipts. Inputs are signed by their authors and arrive in any order, late,
twice, or forged; `step` either ignores one, with a reason, or folds it in and says what follows as effects. The
runner appends the input and every recorded output as one batch, then sends. A replay feeds the same inputs and must get
the same outputs, so a crash, an audit and a screen are all the same function. Time is the leaf's time; chance is the
packet's nonce; neither is looked up here.

    event -> guards -> the room it belongs to -> rounds that are over -> tasks that are ready -> effects
"""

from __future__ import annotations

from squads.contracts.finding import Usage
from squads.contracts.messages import Grievance
from squads.contracts.packet import AttemptKind
from squads.contracts.reasons import Reason
from squads.contracts.records import (
    AcceptanceRecord,
    AnswerRecord,
    ArtifactRecord,
    DeadlineRecord,
    FaultRecord,
    ObjectionRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    VerdictRecord,
    WaiverRecord,
)
from squads.kernel import asking, budget, building, composing, planning, registry, reviewing
from squads.kernel.authority import may_sign
from squads.kernel.effects import Arm, Effect, Ignore
from squads.kernel.identify import packet_deadline_id
from squads.kernel.lifecycle import Phase
from squads.kernel.state import Attested, PacketState
from squads.kernel.turn import Turn
from squads.kernel.view import View

Stepped = tuple[PacketState | None, list[Effect]]


def step(view: View, state: PacketState | None, event: Attested) -> Stepped:
    """Return the state after `event` and what must be done about it.

    `[Ignore(reason)]` leaves the state as it was, and nothing is recorded. Any other list of effects means that the
    event itself is recorded, followed by the outputs among them in order.

    The guards, in order: 1 this workspace and this packet; 2 not ended, nor past its own deadline; 3 not stopped;
    4 the key may sign such a receipt; 5 as the role it names.
    """
    record = event.record
    if record.workspace != view.workspace:
        return state, [Ignore("another workspace")]  # 1
    if state is None:
        return _open(view, event)
    if record.packet != state.opened.packet:
        return state, [Ignore("another packet")]
    if state.ended:
        return state, [Ignore("ended")]  # 2
    if max(state.time_ms, event.time_ms) >= state.due_ms and not isinstance(record, DeadlineRecord):
        return state, [Ignore("packet expired")]
    if view.stopped(record.packet):
        return state, [Ignore("stopped")]  # 3
    if not may_sign(record.kind, event.roles, view.grants, now_ms=event.time_ms):
        return state, [Ignore("not authorised")]  # 4
    speaker = _speaker(state, record)
    if speaker and not may_sign(record.kind, event.roles & {speaker}, view.grants, now_ms=event.time_ms):
        return state, [Ignore("signed for somebody else")]  # 5
    turn = Turn(view, state.fork(), event)
    turn.state.time_ms = max(state.time_ms, event.time_ms)
    ignored = _handle(turn)
    if ignored is not None:
        return state, [ignored]
    _follow(turn)
    return turn.state, turn.effects


def _speaker(state: PacketState, record: PacketRecord) -> str:
    """Return the one role that a record is signed as, such as `gate:schema`; empty where it names no author.

    The key must hold exactly this role and this role's scope: what it may do under another hat does not help it.
    """
    author = getattr(record, "author", "")
    if not author:
        return ""
    if isinstance(record, (AnswerRecord, WaiverRecord)):
        return f"human:{author}"
    role = state.roles.get(author)
    return f"{role.kind}:{author}" if role else f"unknown:{author}"


def _open(view: View, event: Attested) -> Stepped:
    """Begin a packet, or end it on the spot with the reason why it must not begin."""
    record = event.record
    if not isinstance(record, Opened):
        return None, [Ignore("unknown packet")]
    if view.stopped(record.packet):
        return None, [Ignore("stopped")]
    if not may_sign(record.kind, event.roles, view.grants, now_ms=event.time_ms):
        return None, [Ignore("not authorised")]
    state = PacketState(
        opened=record,
        opening=event.receipt,
        time_ms=event.time_ms,
        due_ms=event.time_ms + record.limits.packet_ms_max,
        roles={r.name: r for r in record.roles},
    )
    turn = Turn(view, state, event)
    fault = registry.faults(record) or _unheld(view, record)
    if fault:
        turn.finish(fault)
        return turn.state, turn.effects
    if not record.funded:
        turn.finish("budget-spent", account="workspace")
        return turn.state, turn.effects
    if (nothing_left := budget.hopeless(record.budget, record.roles)) is not None:
        account, role = nothing_left
        turn.finish("budget-spent", account=account[0], role=role)
        return turn.state, turn.effects
    turn.phase("opened")
    turn.effects.append(Arm(packet_deadline_id(record.nonce), state.due_ms))
    planning.ask_for_plan(turn, ())
    return turn.state, turn.effects


def _unheld(view: View, record: Opened) -> Reason | None:
    """A gate that nobody holds is not a gate: every role's name must be held by a live key, every approver's too."""
    for role in record.roles:
        if not view.holders(f"{role.kind}:{role.name}"):
            return _NOBODY[role.kind]
    if not all(view.judges(gate) for gate in record.gates):
        return "weak-custody"
    priors = {role.name: role.prior for role in record.roles}
    if not all(view.calibrated(priors[gate]) for gate in record.gates):
        return "uncalibrated"
    if record.approval and len(view.people() & set(record.approval.approvers)) < record.approval.quorum:
        return "not-authorised"
    return None


_NOBODY: dict[str, Reason] = {"gate": "unheld-gate", "coordinator": "no-coordinator", "builder": "no-builder"}


def _handle(turn: Turn) -> Ignore | None:
    """Let the room that the event belongs to fold it in, or say why it is ignored."""
    record = turn.event.record
    match record:
        case PlanRecord() | ArtifactRecord() | ObjectionRecord() | AcceptanceRecord():
            return _answer_to_job(turn, record)
        case VerdictRecord():
            return reviewing.verdict(turn, record)
        case AnswerRecord():
            return asking.answer(turn, record)
        case WaiverRecord():
            return asking.waiver(turn, record)
        case FaultRecord():
            return _silence(turn, record.about, record.usage)
        case DeadlineRecord():
            return _deadline(turn, record.about)
        case Opened():
            return Ignore("already open")
    return Ignore("an output is never an input")


def _answer_to_job(
    turn: Turn, record: PlanRecord | ArtifactRecord | ObjectionRecord | AcceptanceRecord
) -> Ignore | None:
    """Take an answer to an assignment.

    The checks, in order: 1 the assignment was logged; 2 its role answers, not somebody else; 3 it is the first
    answer; 4 one of the role's own models gave it; 5 it answers the kind of work that was asked for.
    """
    job = turn.state.jobs.get(record.request)
    if job is None:
        return Ignore("unknown request")  # 1
    if job.record.role != record.author:
        return Ignore("another role's request")  # 2
    if job.receipt:
        return _second(turn, record, job.receipt)  # 3
    if not registry.may_answer(turn.state.roles[record.author], record.model):
        return Ignore("a model that is not this role's")  # 4
    match record, job.record.work:  # 5
        case PlanRecord(), "plan":
            return planning.plan(turn, record)
        case ArtifactRecord(), "build":
            return building.artifact(turn, record)
        case AcceptanceRecord(), "accept":
            return composing.acceptance(turn, record)
        case ObjectionRecord(), work:
            return _objection(turn, record, work)
    return Ignore("not what was asked for")


def _second(
    turn: Turn, record: PlanRecord | ArtifactRecord | ObjectionRecord | AcceptanceRecord, first: str
) -> Ignore | None:
    """A second answer to one assignment: the first one stands, and the contradiction is recorded."""
    if first == "-":
        return Ignore("too late")
    if first == turn.event.receipt:
        return Ignore("duplicate")
    return turn.equivocation(record.request, record.author, first)


def _objection(turn: Turn, record: ObjectionRecord, work: str) -> Ignore | None:
    state = turn.state
    job = state.jobs[record.request]
    turn.close(record.request, receipt=turn.event.receipt, usage=record.usage)
    if work == "build":
        number = job.record.task or 0
        turn.stage((AttemptKind.ARTIFACT, number, job.record.attempt), "objection")
        planning.objected(turn, Grievance(task=number, cause="objection", documents=(record.content,)))
        return None
    if work == "plan":
        turn.stage((AttemptKind.PLAN, 0, job.record.attempt), "objection")
    turn.finish("packet-objected")
    return None


def _silence(turn: Turn, about: str, usage: Usage | None = None) -> Ignore | None:
    """A request or ticket gets no usable answer: the attempt failed, or the gate could not look.

    Where nobody knows what it cost, it counts as all that was reserved for it.
    """
    state = turn.state
    ticket = state.tickets.get(about)
    if ticket is not None:
        if ticket.decision:
            return Ignore("already answered")
        reviewing.answer(turn, about, "abstained", usage=usage)
        return None
    job = state.jobs.get(about)
    if job is None:
        return Ignore("unknown request")
    if job.receipt:
        return Ignore("already answered")
    turn.close(about, usage=usage)
    match job.record.work:
        case "plan":
            planning.failed(turn, (AttemptKind.PLAN, 0, job.record.attempt))
        case "build":
            building.failed(turn, job.record.task or 0)
        case "accept":
            composing.failed(turn)
    return None


def _deadline(turn: Turn, about: str) -> Ignore | None:
    """A deadline is believed only when the clock of the ledger agrees that it has come."""
    state = turn.state
    if turn.now >= state.due_ms:  # whichever deadline it was that came: the packet's own has come as well
        turn.finish("packet-expired")
        return None
    if about == packet_deadline_id(state.opened.nonce):
        return Ignore("early")
    if state.question and about == state.question.question:
        if turn.now < state.question.expires_ms:
            return Ignore("early")
        turn.finish("approval-expired")
        return None
    asked = state.tickets.get(about) or state.jobs.get(about)
    if asked is not None and turn.now < asked.record.due_ms:
        return Ignore("early")
    return _silence(turn, about)


def _follow(turn: Turn) -> None:
    """Go on until nothing follows: rounds that are over, then tasks that are ready, then the composition."""
    state = turn.state
    while not state.ended and state.finish is None:
        if turn.is_broke():
            return
        if turn.over:
            key = turn.over.pop(0)
            _ROUND_OVER[key[0]](turn, key)
        elif state.phase is Phase.BUILDING and building.schedule(turn):
            composing.compose(turn)
        else:
            return


_ROUND_OVER = {
    AttemptKind.PLAN: planning.read,
    AttemptKind.ARTIFACT: building.read,
    AttemptKind.COMPOSITION: composing.read,
}
