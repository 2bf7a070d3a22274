"""The two lifecycle tables: what may follow what. Everything else in the kernel asks these, the diagrams too.

A row is (state, event) -> state. A pair that is not in its table cannot happen: `advance` raises, which is a mistake
in the kernel and never the answer to a message. States without a row out of them are ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class Phase(StrEnum):
    """Where a packet stands."""

    NEW = "new"
    PLANNING = "planning"
    BUILDING = "building"
    COMPOSING = "composing"
    ACCEPTING = "accepting"
    ASKING = "asking"
    COMPOSED = "composed"
    NOT_COMPOSED = "not-composed"


class Stage(StrEnum):
    """Where an attempt stands."""

    ASSIGNED = "assigned"
    REVIEWING = "reviewing"
    APPROVED = "approved"
    REFUSED = "refused"
    ABSTAINED = "abstained"
    OBJECTED = "objected"
    FAILED = "failed"
    VOIDED = "voided"


PACKET: Mapping[tuple[Phase, str], Phase] = {
    (Phase.NEW, "opened"): Phase.PLANNING,
    (Phase.NEW, "ended"): Phase.NOT_COMPOSED,
    (Phase.PLANNING, "plan approved"): Phase.BUILDING,
    (Phase.PLANNING, "ended"): Phase.NOT_COMPOSED,
    (Phase.BUILDING, "amending"): Phase.PLANNING,
    (Phase.BUILDING, "all tasks approved"): Phase.COMPOSING,
    (Phase.BUILDING, "ended"): Phase.NOT_COMPOSED,
    (Phase.COMPOSING, "composition read"): Phase.ACCEPTING,
    (Phase.COMPOSING, "paths meet"): Phase.PLANNING,
    (Phase.COMPOSING, "ended"): Phase.NOT_COMPOSED,
    (Phase.ACCEPTING, "tasks re-opened"): Phase.BUILDING,
    (Phase.ACCEPTING, "question"): Phase.ASKING,
    (Phase.ACCEPTING, "accepted"): Phase.COMPOSED,
    (Phase.ACCEPTING, "ended"): Phase.NOT_COMPOSED,
    (Phase.ASKING, "quorum"): Phase.COMPOSED,
    (Phase.ASKING, "ended"): Phase.NOT_COMPOSED,
}
"""The packet's table."""

ATTEMPT: Mapping[tuple[Stage, str], Stage] = {
    (Stage.ASSIGNED, "handed in"): Stage.REVIEWING,
    (Stage.ASSIGNED, "objection"): Stage.OBJECTED,
    (Stage.ASSIGNED, "no usable reply"): Stage.FAILED,
    (Stage.ASSIGNED, "void"): Stage.VOIDED,
    (Stage.REVIEWING, "all approved"): Stage.APPROVED,
    (Stage.REVIEWING, "any refused"): Stage.REFUSED,
    (Stage.REVIEWING, "abstained twice"): Stage.ABSTAINED,
    (Stage.REVIEWING, "void"): Stage.VOIDED,
    (Stage.APPROVED, "void"): Stage.VOIDED,
}
"""The table of attempts: plans, tasks' artifacts and compositions alike."""

ENDED = frozenset({Phase.COMPOSED, Phase.NOT_COMPOSED})
"""The packet's ends."""

S = TypeVar("S", Phase, Stage)


def advance(table: Mapping[tuple[S, str], S], state: S, event: str) -> S:
    """Return the state that follows. Raises `LookupError` for a pair that the table does not have."""
    try:
        return table[state, event]
    except KeyError:
        raise LookupError(f"{state.value!r} has no row for {event!r}; the kernel asked for the impossible") from None
