"""A composition waits for a person, in receipts on disk; another squad over the same store takes the answer."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from squads import ApprovalRule, Artifact, AwaitingApproval, Builder, Packet, Squad
from squads.contracts.work import BuildWork
from squads.gates.builtin import built_in

PACKET = Packet(brief="A notice for the front page.", approval=ApprovalRule(approvers=("mara", "noor"), quorum=2))


class Writer(Builder):
    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"notice.md": "# We move\n\nFrom Monday on we are next door.\n"})


def squad(folder: Path) -> Squad:
    return Squad(
        builder=Writer(),
        gates=built_in("text.conflict-marker"),
        people=["mara", "noor"],
        store=folder / "store",
        keys=folder / "keys",
    )


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        first = squad(Path(name))
        waiting = await first.run(PACKET)
        assert isinstance(waiting, AwaitingApproval)
        print(waiting.kind, waiting.exit_code)
        await first.close()

        later = squad(Path(name))
        for person in waiting.approvers:
            result = await later.answer(waiting.packet, person=person, approve=True, reason="Read it.")
            print(person, result.kind)
        await later.close()


if __name__ == "__main__":
    asyncio.run(main())
