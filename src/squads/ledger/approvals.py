"""Was it right to compose? The first rule, judged again from a packet's receipts and nothing else.

Nothing composes unless every required gate has a signed approval of exactly these bytes, for this attempt, answering a
ticket that was logged before, by a key that held that gate's role there. It must never take the runner's word for it:
that a packet composed is what the runner says, and here it is held against what the gates signed.

    1 ids follow from the packet's nonce                     binding
    2 every verdict answers a ticket logged before           ticket
    3 something was required, and could have refused         gates
    4 the composition is of the plan in force                composition       `lineup`
    5 every required gate approved every attempt in it       gates, independence, suspect
    6 the gates' keys were kept as the policy demands        custody
      and the gates measured                                 calibration
    7 the coordinator and the people said yes                acceptance, people       `consent`
    8 nobody gave two answers                                equivocation
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from squads.ledger.calibration import check_calibration
from squads.ledger.consent import check_acceptance, check_people
from squads.ledger.decisions import decisions_of
from squads.ledger.independence import too_near, weakest
from squads.ledger.lineup import Attempt, line_up
from squads.ledger.packet import Story, Witnessed, identify
from squads.ledger.report import Tally
from squads.ledger.shapes import CUSTODY_ORDER

RULES: Final = 1
"""The version of the rules that these checks know."""
ASKS_MAX: Final = 2
"""A gate that abstained is asked once more."""
OF_WHAT_COMPOSED: Final = (
    "composition",
    "gates",
    "independence",
    "custody",
    "calibration",
    "acceptance",
    "people",
)
"""The checks that only a packet that composed needs."""
OF_ANY_PACKET: Final = ("packet", "binding", "ticket", "equivocation", *OF_WHAT_COMPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One verdict that the composition rests on."""

    gate: str
    reads: str
    """`plan`, `artifact` or `composition`."""
    task: int | None
    attempt: int
    subject: str
    """The digest of what it approved."""
    ticket_seq: int
    verdict_seq: int
    custody: str
    """Where the gate's key was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a packet, as far as its receipts show it."""

    outcome: str
    """`composed`, `not-composed`, `open`, or `unknown` where nothing can be said."""
    reason: str = ""
    artifact: str = ""
    gates: tuple[str, ...] = ()
    """The gates that the packet required."""
    approvals: tuple[Approval, ...] = ()
    refusals: tuple[int, ...] = ()
    """Where in the log the verdicts stand that refused something on the way."""


def judge(story: Story, tally: Tally) -> Judged:
    """Return what became of the packet, and tell `tally` of everything that should not be so."""
    opened, finish = story.opened, story.finish
    if opened is None:
        tally.fail("packet", "no sound receipt opens this packet, so nothing about it can be judged")
        _unjudged(tally, OF_ANY_PACKET, "the packet's opening was not shown")
        return Judged(outcome="unknown")
    if opened.said["rules"] != RULES:
        message = f"the packet was opened under version {opened.said['rules']} of the rules; take a newer verifier"
        _unjudged(tally, OF_ANY_PACKET, message)
        return Judged(outcome="unknown")
    gates = tuple(opened.said["gates"])
    refusals = tuple(v.seq for v in story.of("verdict") if v.said["decision"] == "refused")
    _check_ids(story, opened, tally)  # 1
    _check_tickets(story, tally)  # 2
    if finish is None:
        _check_equivocation(story, (), tally)
        message = "the bundle shows no end of this packet: it was still open, or receipts were left out"
        _unjudged(tally, ("packet", *OF_WHAT_COMPOSED), message)
        return Judged(outcome="open", gates=gates, refusals=refusals)
    reason, artifact = str(finish.said["reason"]), finish.said["artifact"]
    composed = finish.said["outcome"] == "composed"
    if composed != (reason == "composed") or composed != (artifact is not None):
        tally.fail("packet", f"receipt {finish.seq} ends the packet in two ways at once", finish.seq)
    if not composed or artifact is None:
        _check_equivocation(story, (), tally)
        for check in OF_WHAT_COMPOSED:
            tally.note(check, "passed", f"nothing composed ({reason}), so nothing had to be let through")
        return Judged(outcome="not-composed", reason=reason, gates=gates, refusals=refusals)
    approvals = _check_composed(story, opened, finish, tally)
    return Judged(
        outcome="composed",
        reason=reason,
        artifact=artifact,
        gates=gates,
        approvals=approvals,
        refusals=refusals,
    )


def _check_composed(story: Story, opened: Witnessed, finish: Witnessed, tally: Tally) -> tuple[Approval, ...]:
    _check_squad(story, opened, tally)  # 3
    found = line_up(story, finish, tally)  # 4
    if found is None:
        _check_equivocation(story, (), tally)
        _unjudged(tally, OF_WHAT_COMPOSED, "no receipt tells how this end came about")
        return ()
    decisions = decisions_of(story)
    approvals: list[Approval] = []
    for attempt in found.attempts:  # 5
        before = finish.seq if attempt.reads == "composition" else found.composition.seq
        for gate in _readers(story, opened, attempt):
            given = _read_by(story, gate, attempt, before, decisions)
            if isinstance(given, str):
                tally.fail("gates", f"{gate} did not approve {attempt}: {given}; what composed must not be used")
            else:
                ticket, verdict = given
                approvals.append(_count(story, opened, attempt, ticket, verdict, tally))
    _check_looked(story, found.attempts, tally)
    _check_inputs(found.attempts, tally)
    for receipt in (opened, found.composition, finish, *story.of("ticket")):
        if receipt.suspect:
            message = f"receipt {receipt.seq}, a {receipt.kind}, was signed by a key that was later declared suspect"
            tally.fail("suspect", f"{message} from before it on; have this packet judged again", receipt.seq)
    _check_custody(story, approvals, tally)  # 6
    check_calibration(story, [(given.gate, given.verdict_seq) for given in approvals], tally)
    read_by = max((given.verdict_seq for given in approvals), default=0)
    check_acceptance(story, found.composition, finish, read_by, tally)  # 7
    check_people(story, found.composition, finish, tally)
    _check_equivocation(story, found.attempts, tally)  # 8
    return tuple(approvals)


# 1, 2 and 3 -----------------------------------------------------------------------------------------------------------


def _check_ids(story: Story, opened: Witnessed, tally: Tally) -> None:
    """What is asked has an id that follows from the packet's nonce: nothing can be carried over from elsewhere."""
    nonce = str(opened.said["nonce"])
    for receipt in story.receipts:
        said = receipt.said
        if receipt.kind == "ticket":
            parts = (said["task"] or 0, said["attempt"], said["gate"], said["subject"], said["ask"])
            right = said["ticket"] == identify(nonce, "ticket", *parts)
        elif receipt.kind == "assignment":
            right = said["request"] == identify(nonce, "assignment", said["work"], said["task"] or 0, said["attempt"])
        else:
            continue
        if not right:
            tally.fail(
                "binding",
                f"receipt {receipt.seq}: the {receipt.kind}'s id does not follow from this packet's nonce and what it "
                "asks; it was made for something else",
                receipt.seq,
            )


def _check_tickets(story: Story, tally: Tally) -> None:
    tickets = {t.said["ticket"]: t for t in reversed(story.of("ticket"))}
    for verdict in story.of("verdict"):
        said, ticket = verdict.said, tickets.get(verdict.said["ticket"])
        if story.answers[said["ticket"]] is not verdict:
            continue  # too late, or a contradiction: `equivocation` speaks of those
        if ticket is None or ticket.seq > verdict.seq:
            message = "answers no ticket that was logged before it"
        elif ticket.said["gate"] != said["author"]:
            message = "answers a ticket that was for another gate"
        elif ticket.said["subject"] != said["subject"] or ticket.said["attempt"] != said["attempt"]:
            message = "judges other bytes, or another attempt, than its ticket asked about"
        elif ticket.said["independence"] != said["independence"]:
            message = "claims another independence than its ticket"
        else:
            continue
        tally.fail("ticket", f"receipt {verdict.seq}, a verdict, {message}; it counts for nothing", verdict.seq)


def _check_squad(story: Story, opened: Witnessed, tally: Tally) -> None:
    """A squad in which nothing could have been refused lets nothing through."""
    fail, roles, gates = tally.fail, story.roles, opened.said["gates"]
    if len(roles) != len(opened.said["roles"]) or "runner" in roles:
        fail("gates", "two roles of the squad have one name, so that author and gate cannot be told apart")
    if not gates:
        fail("gates", "the packet required no gate, and without a gate nothing may compose")
    for gate in gates:
        if gate not in roles or roles[gate]["kind"] != "gate" or not roles[gate]["reads"]:
            fail("gates", f"the packet required the gate {gate!r}, which is no gate of its squad")
    if not any({"artifact", "composition"} & set(roles[gate]["reads"]) for gate in gates if gate in roles):
        fail("gates", "no required gate reads what composes")
    for gate in gates:
        if gate in roles and roles[gate]["unsafe"]:
            tally.note("gates", "warned", f"{gate} approves without reading: what it let through nobody has looked at")


# 5: what every gate said ----------------------------------------------------------------------------------------------


def _readers(story: Story, opened: Witnessed, attempt: Attempt) -> list[str]:
    """Return the gates that must read an attempt: the packet's, then those that the plan added."""
    named = dict.fromkeys((*opened.said["gates"], *attempt.added))
    return [g for g in named if g not in story.roles or attempt.reads in story.roles[g]["reads"]]


def _read_by(
    story: Story, gate: str, attempt: Attempt, before: int, decisions: dict[str, str]
) -> tuple[Witnessed, Witnessed] | str:
    """Return the ticket and the verdict by which a gate approved an attempt, or why it did not.

    The checks, in order: 1 it is a gate of this squad; 2 it was asked about exactly this attempt and these bytes, after
    they were handed in; 3 it was asked again only where it had abstained; 4 its answer counts as an approval, follows
    the ticket, and speaks of the same; 5 it came before the attempt was let through.
    """
    if gate not in story.roles or story.roles[gate]["kind"] != "gate":
        return "it is no gate of this squad"  # 1
    asked = story.tickets.get((gate, attempt.reads, attempt.task, attempt.number), [])
    if not asked:
        return "no ticket asked it"
    if [t.said["ask"] for t in asked] != list(range(1, len(asked) + 1)) or len(asked) > ASKS_MAX:
        return "it was asked in another order, or more often, than the rules allow"
    if any(t.said["subject"] != attempt.subject or t.seq < attempt.since for t in asked):
        return "a ticket asked it about other bytes, or before they were handed in"  # 2
    ticket = asked[-1]
    for earlier in asked[:-1]:
        first = story.answers.get(earlier.said["ticket"])
        if (
            first is None
            or not earlier.seq < first.seq < ticket.seq
            or decisions[earlier.said["ticket"]] != "abstained"
        ):
            return "it was asked again though it had not abstained"  # 3
    verdict = story.answers.get(ticket.said["ticket"])
    if verdict is None or verdict.seq < ticket.seq:
        return f"no answer follows its ticket, receipt {ticket.seq}"
    decision = decisions[ticket.said["ticket"]]
    if decision != "approved":
        return f"receipt {verdict.seq} counts as {decision}"  # 4
    said = verdict.said
    if (said["author"], said["subject"], said["attempt"]) != (gate, attempt.subject, attempt.number):
        return f"receipt {verdict.seq} speaks of other bytes, of another attempt, or for another gate"
    if verdict.seq > before:
        return f"receipt {verdict.seq} came after the attempt had been let through"  # 5
    return ticket, verdict


def _count(
    story: Story, opened: Witnessed, attempt: Attempt, ticket: Witnessed, verdict: Witnessed, tally: Tally
) -> Approval:
    """Count an approval, and say what speaks against whoever gave it."""
    attempt.approvals.append(verdict)
    gate, roles, fail = str(verdict.said["author"]), story.roles, tally.fail
    authors = [roles[name] for name in attempt.authors if name in roles]
    # A key is registered once, with all its roles: whoever made something holds its maker's role for good.
    if any(f"{author['kind']}:{author['name']}" in verdict.roles for author in authors):
        fail("independence", f"receipt {verdict.seq}: {gate} approved {attempt} with its maker's key", verdict.seq)
    reached = weakest(roles[gate], authors)
    if reached is None or too_near(reached, opened.said["independence"]):
        message = (
            f"{gate} reads too near to the makers of {attempt}: {reached or 'as one of them, or with their prior'}"
        )
        fail("independence", message, verdict.seq)
    elif reached != ticket.said["independence"]:
        message = f"the ticket at {ticket.seq} says {ticket.said['independence']}, and the squad gives {reached}"
        fail("independence", message, ticket.seq)
    if verdict.suspect:
        fail(
            "suspect",
            f"receipt {verdict.seq}: the key with which {gate} approved {attempt} was later declared suspect from "
            "before this verdict on; have it judged again",
            verdict.seq,
        )
    return Approval(
        gate=gate,
        reads=attempt.reads,
        task=attempt.task,
        attempt=attempt.number,
        subject=attempt.subject,
        ticket_seq=ticket.seq,
        verdict_seq=verdict.seq,
        custody=verdict.custody,
    )


def _check_looked(story: Story, attempts: Iterable[Attempt], tally: Tally) -> None:
    """Somebody must have read a file of what composes; a gate that found nothing of its kind approves without."""

    def looked(attempt: Attempt) -> bool:
        return any(v.said["looked"] > 0 or story.roles[v.said["author"]]["unsafe"] for v in attempt.approvals)

    attempts = list(attempts)
    if not any(looked(attempt) for attempt in attempts if attempt.reads == "composition"):
        for attempt in attempts:
            if attempt.reads == "artifact" and not looked(attempt):
                tally.fail("gates", f"no gate has read a single file of {attempt}; what composed must not be used")


def _check_inputs(attempts: Iterable[Attempt], tally: Tally) -> None:
    """Nothing is built on what was not approved: a task is asked for after the last word on all that it builds on."""
    parts = {attempt.task: attempt for attempt in attempts if attempt.reads == "artifact"}
    for attempt in parts.values():
        for before in attempt.after:
            if before in parts and any(verdict.seq > attempt.asked for verdict in parts[before].approvals):
                message = f"task {attempt.task} was asked for before task {before}, on which it builds, was approved"
                tally.fail("composition", message, attempt.asked)


# 6 and 8 --------------------------------------------------------------------------------------------------------------


def _check_custody(story: Story, approvals: list[Approval], tally: Tally) -> None:
    """Say where the gates' keys were kept, and whether the policy in force was content with that."""
    rank = CUSTODY_ORDER.index
    for given in approvals:
        in_force = [p.said["gate_custody"] for p in story.policies if p.seq < given.verdict_seq]
        if in_force and rank(given.custody) < rank(in_force[-1]):
            tally.fail(
                "custody",
                f"receipt {given.verdict_seq}: the key of {given.gate} was kept {given.custody}, and the policy in "
                f"force demands {in_force[-1]}; its verdict must not count",
                given.verdict_seq,
            )
    if not approvals:
        tally.note("custody", "unchecked", "no approval could be counted")
        return
    least = min(approvals, key=lambda given: rank(given.custody))
    message = f"at the weakest, a gate's key was kept {least.custody}: {least.gate}, receipt {least.verdict_seq}"
    if least.custody == "in-process":
        message += "; that guards against mistakes, not against hostile code in the same process"
        tally.note("custody", "warned", message, least.verdict_seq)
    else:
        tally.note("custody", "passed", message)


def _check_equivocation(story: Story, attempts: Iterable[Attempt], tally: Tally) -> None:
    counted = {verdict.said["ticket"] for attempt in attempts for verdict in attempt.approvals}
    for told in story.of("equivocation"):
        if told.said["about"] in counted:
            message = f"receipt {told.seq} says that {told.said['author']} gave two answers to a ticket that counts"
            tally.fail("equivocation", f"{message}: nobody can know which it means", told.seq)
    for first, other in story.second:
        who = f"receipts {first.seq} and {other.seq} are different answers to one question"
        if first.kind == "verdict" and first.said["ticket"] in counted:
            message = f"{who}, by {first.said['author']}: nobody can know which it means; keep both, they are the proof"
            tally.fail("equivocation", message, first.seq)
        else:
            message = f"{who}; nothing that composed rests on them, but ask whoever signed them"
            tally.note("equivocation", "warned", message, first.seq)


def _unjudged(tally: Tally, checks: Iterable[str], message: str) -> None:
    for check in checks:
        tally.note(check, "unchecked", message)
