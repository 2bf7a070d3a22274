"""Every verdict is signed over a recent head of the log, which its ticket's runner tells the gate."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from squads import Artifact, Builder, Composed, Finding, Squad, check
from squads.contracts.messages import BuildRequest, ReviewRequest
from squads.contracts.packet import AttemptKind
from squads.kernel.ports import Head
from squads.lane import Lane
from squads.ledger.merkle import Edge
from squads.ledger.statement import parse_statement
from squads.sending import committing

D = "d" * 64
ABOUT: dict[str, Any] = {"packet": "b" * 32, "workspace": "a" * 32, "content": D, "due_ms": 1}
REVIEW = ReviewRequest(
    **ABOUT, ticket=D, reads=AttemptKind.ARTIFACT, task=1, attempt=1, subject=D, independence="prior"
)
BUILD = BuildRequest(**ABOUT, request=D, task=1, attempt=1, plan=D)


def head(size: int) -> Head:
    """Return a head of so many receipts."""
    return Head(size=size, root=bytes([size]) * 32, time_ms=1, checkpoint="")


class Writer(Builder):
    """Writes one file."""

    async def build(self, task):
        return task.artifact({"a.txt": "good\n"})


@check("text.plain")
def plain(artifact: Artifact) -> list[Finding]:
    """Let everything through."""
    return []


@check("text.other")
def other(artifact: Artifact) -> list[Finding]:
    """Let everything through, too."""
    return []


async def test_a_verdict_names_the_log_as_it_stood_with_its_ticket() -> None:
    """The head lies below the verdict and above its ticket, and its root is the log's at that size."""
    async with Squad(builder=Writer(), gates=[plain, other]) as squad:
        assert isinstance(await squad.run("a text"), Composed)
        ledger = (await squad.workspace()).ledger
        edge, roots, tickets, found = Edge(), {0: Edge().root()}, {}, []
        async for seq, _, digest in ledger.scan():
            edge.append(digest)
            roots[seq + 1] = edge.root()
        for stream in await ledger.streams():
            for stored in await ledger.read(stream):
                statement = parse_statement(stored.payload)
                if statement.kind == "ticket":
                    tickets[statement.predicate["ticket"]] = stored.seq
                if statement.kind == "verdict":
                    found.append((stored.seq, statement.predicate))

    assert len(found) == 2
    for seq, verdict in found:
        size = verdict["tree_head"]["size"]
        assert tickets[verdict["ticket"]] < size <= seq
        assert roots[size].hex() == verdict["tree_head"]["root"]
        assert (verdict["actor_seq"], verdict["prev_by_actor"]) == (None, None), "a key in this process counts nothing"


@pytest.mark.parametrize(("own", "size"), [(None, 3), (head(7), 7)], ids=["taken up again", "just appended"])
async def test_the_head_is_that_of_the_newest_append(own: Head | None, size: int) -> None:
    """Where nothing was appended here yet, the ledger says it."""

    async def newest() -> Head:
        return head(3)

    lane = Lane("b" * 32)
    lane.head = own
    asked = await committing(lane, SimpleNamespace(head=newest), REVIEW)  # type: ignore[arg-type]

    assert isinstance(asked, ReviewRequest)
    assert asked.tree_head is not None
    assert (asked.tree_head.size, asked.tree_head.root) == (size, (bytes([size]) * 32).hex())
    assert asked.saw == REVIEW.saw, "what the gate is shown is the same"


async def test_nobody_but_gates_is_told() -> None:
    """Only a verdict commits to the log."""
    assert await committing(Lane("b" * 32), SimpleNamespace(), BUILD) is BUILD  # type: ignore[arg-type]
