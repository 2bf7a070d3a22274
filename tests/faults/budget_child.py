"""One of several programs that run packets on one store at the same time: the other half of `test_budget_race.py`.

    budget_child.py STORE COUNT      run COUNT packets at once; print one JSON line as each of them ends

Its builder waits until a line comes in on standard input, so that whoever was let in is still at work when everybody
else asks. Not a test itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from squads import Approved, Artifact, Budget, Builder, Gate, Squad
from squads.contracts.finding import Usage
from squads.contracts.packet import WorkspaceBudget
from squads.contracts.verdict import Verdict
from squads.contracts.work import BuildWork, ReviewWork


class Waiting(Builder):
    """Builds when it is told to."""

    prior = "waits"
    call_tokens_max = 5

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def build(self, work: BuildWork) -> Artifact:
        """Wait, then build."""
        await self.go.wait()
        return work.artifact({"a.txt": "a"})


class Cheap(Gate):
    """Approves for less than was set aside."""

    prior = "reads"
    call_tokens_max = 5

    def review(self, work: ReviewWork) -> Verdict:
        """Approve for two tokens."""
        return Approved(usage=Usage(tokens=2, calls=1))


def squad(store: Path, builder: Waiting) -> Squad:
    """A workspace that has room for three packets at a time."""
    return Squad(
        builder=builder,
        gates=[Cheap()],
        store=store,
        budget=Budget(tokens_max=10),
        workspace_budget=WorkspaceBudget(tokens_max=30),
    )


async def main(store: Path, count: int) -> None:
    """Run the packets, and say of each how it ended."""
    builder = Waiting()
    waiting = asyncio.create_task(told(builder.go))
    async with squad(store, builder) as team:
        for ended in asyncio.as_completed([team.run("It.") for _ in range(count)]):
            outcome = await ended
            line = {"kind": outcome.kind, "reason": getattr(outcome, "reason", ""), "tokens": outcome.usage.tokens}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    await waiting


async def told(go: asyncio.Event) -> None:
    """Wait for a line on standard input."""
    await asyncio.to_thread(sys.stdin.readline)
    go.set()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
