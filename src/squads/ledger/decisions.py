"""What each answer counts as, which is not always what it says.

Silence abstains; so does an approval that something else than the gate's own models gave, or that rests on a waiver
which was not given for it. It must never make an approval of anything else.
"""

from __future__ import annotations

from squads.ledger.independence import may_have_answered
from squads.ledger.packet import Fields, Story, Witnessed


def decisions_of(story: Story) -> dict[str, str]:
    """Return what the first answer to each ticket counts as: `approved`, `refused` or `abstained`, by the ticket's id.

    A waiver counts once: the first approval that cites it uses it up.
    """
    used: set[str] = set()
    decisions: dict[str, str] = {}
    tickets = {t.said["ticket"]: t for t in story.of("ticket")}
    for asked, answer in story.answers.items():
        if asked not in tickets:
            continue
        if answer.kind != "verdict":
            decisions[asked] = "abstained"
            continue
        said, decision = answer.said, str(answer.said["decision"])
        role = story.roles[said["author"]]
        strange = not may_have_answered(role, said["model"])
        if said["model"] is None and decision == "approved":
            strange = said["looked"] > 0 and bool(role["models"])
        cited = said["waivers"]
        dead = any(w in used or not _is_live(story, w, answer, tickets[asked].said) for w in cited)
        if strange or dead or (cited and decision != "approved"):
            decision = "abstained"
        if decision == "approved":
            used |= set(cited)
        decisions[asked] = decision
    return decisions


def _is_live(story: Story, digest: str, verdict: Witnessed, ticket: Fields) -> bool:
    """Say whether a waiver that a verdict cites was given for it, before it, by somebody who built nothing."""
    return any(
        waiver.digest == digest
        and waiver.seq < verdict.seq
        and waiver.said["subject"] == ticket["subject"]
        and waiver.said["gate"] == ticket["gate"]
        and verdict.time_ms < waiver.said["expires_ms"]
        and not story.built(waiver)
        for waiver in story.of("waiver")
    )
