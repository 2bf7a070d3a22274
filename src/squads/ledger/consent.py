"""Who had to say yes besides the gates: the coordinator, end to end, and the people whom the packet names.

Both say it about exactly the bytes that composed. Neither can say it in a gate's place.
"""

from __future__ import annotations

from squads.ledger.packet import Story, Witnessed, identify
from squads.ledger.report import Tally

NOT_A_PERSON = frozenset({"flag", "program"})
"""Channels by which no person answers."""


def check_acceptance(story: Story, composition: Witnessed, end: Witnessed, read_by: int, tally: Tally) -> None:
    """Tell `tally` unless the coordinator accepted exactly what composed, asked after the last gate had answered.

    `read_by` is the index of the last verdict that counts.
    """
    opened = story.opened
    asked = [a for a in story.of("assignment") if a.said["work"] == "accept" and composition.seq < a.seq < end.seq]
    accepted = story.answers.get(asked[-1].said["request"]) if asked else None
    fault = ""
    if opened is None or accepted is None or accepted.kind != "acceptance" or accepted.seq < asked[-1].seq:
        fault = "no receipt says that the coordinator accepted what composed"
    elif accepted.said["author"] != asked[-1].said["role"]:
        fault = f"receipt {accepted.seq} accepts in another's place"
    elif {accepted.said["subject"], asked[-1].said["subject"]} != {composition.said["artifact"]}:
        fault = f"receipt {accepted.seq} accepts other bytes than those that composed"
    elif accepted.said["reopen"]:
        fault = f"receipt {accepted.seq} re-opens tasks"
    elif missing := set(opened.said["predicates"]) - _holding(accepted):
        fault = f"receipt {accepted.seq} does not say that {', '.join(sorted(missing))} of done_when holds"
    elif read_by > asked[-1].seq:
        fault = "the coordinator was asked before every gate had answered"
    elif accepted.suspect:
        message = f"receipt {accepted.seq} accepts with a key that was later declared suspect from before it"
        tally.fail("suspect", message, accepted.seq)
    if fault:
        tally.fail("acceptance", f"{fault}; what composed must not be used")


def check_people(story: Story, composition: Witnessed, end: Witnessed, tally: Tally) -> None:
    """Tell `tally` whether as many people as the packet demands approved exactly what composed, in time."""
    opened = story.opened
    rule = opened.said["approval"] if opened else None
    if opened is None or rule is None:
        tally.note("people", "passed", "the packet asked for nobody's approval")
        return
    subject = composition.said["artifact"]
    wanted = identify(opened.said["nonce"], "question", composition.said["attempt"], subject)
    question = next((q for q in story.of("question") if q.said["question"] == wanted), None)
    if question is None or question.seq < composition.seq:
        tally.fail("people", "the packet asks for people's approval, and no question about what composed was put")
        return
    said = question.said
    if (said["subject"], said["approvers"], said["quorum"]) != (subject, rule["approvers"], rule["quorum"]):
        tally.fail("people", f"receipt {question.seq} asks others, or fewer, than the packet demands", question.seq)
    yes: dict[str, Witnessed] = {}
    for answer in story.of("answer"):
        given = answer.said
        if given["question"] != wanted or given["subject"] != subject or not question.seq < answer.seq < end.seq:
            continue
        if given["author"] not in rule["approvers"] or answer.time_ms >= said["expires_ms"]:
            continue
        if given["decision"] == "denied":
            tally.fail("people", f"receipt {answer.seq} denies what composed all the same", answer.seq)
        elif not (
            (rule["person_required"] and given["channel"] in NOT_A_PERSON)
            or story.built(answer)
            or any(answer.key == other.key for other in yes.values())
        ):
            yes.setdefault(given["author"], answer)
    for answer in yes.values():
        if answer.suspect:
            message = f"receipt {answer.seq} approves with a key that was later declared suspect from before it"
            tally.fail("suspect", message, answer.seq)
    quorum = max(1, rule["quorum"])
    if len(yes) < quorum:
        tally.fail("people", f"{len(yes)} of the people who were asked approved exactly these bytes, {quorum} must")
    else:
        tally.note("people", "passed", f"{len(yes)} of the people who were asked approved exactly these bytes")


def _holding(accepted: Witnessed) -> set[str]:
    held = accepted.said["held"]
    return {h["predicate"] for h in held if h["holds"]} - {h["predicate"] for h in held if not h["holds"]}
