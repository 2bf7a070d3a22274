"""`squads approve` and `squads deny`: a person's answer about exactly the composition that was shown.

What the receipt says of the way must be true: at a terminal it is a person's, from a pipe it is a program's.
"""

from __future__ import annotations

import asyncio
import json
import sys

from rich.text import Text

from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.inbox import print_question
from squads.cli.readable import shown
from squads.contracts.errors import InvalidInput
from squads.contracts.outcome import Outcome
from squads.contracts.records import Channel
from squads.desk import Desk
from squads.overview import OpenQuestion
from squads.stores import Place

CHANNELS: dict[str, str] = {"terminal": "at a terminal", "program": "by a program: standard input is no terminal"}


def answer_question(
    packet: str, *, approve: bool, reason: str, digest: str | None, person: str, store: Place | None, as_json: bool
) -> int:
    """Show what is asked, answer it as `person`, and return the exit code of the packet's outcome."""
    where = store or default_store()
    if not approve and not reason.strip():
        raise InvalidInput('a denial says why: squads deny PACKET "why"')
    channel: Channel = "terminal" if sys.stdin.isatty() else "program"
    unseen = approve and digest is None and channel == "terminal"
    if unseen and as_json:
        raise InvalidInput("--json does not ask once more; name what you approve with --digest")
    question, now_ms = asyncio.run(_ask(where, packet))
    if not as_json:
        print_question(show.console(), question, now_ms)
    if unseen and not _confirmed(person):
        show.console().print(Text("Nothing was answered; the question stays open.", style="yellow"))
        return 3
    # The ledger was let go of while the person read. What they were shown is what they answer: its whole digest goes
    # along where they named none, and the rules take no other.
    outcome = asyncio.run(
        _answer(where, question, person, approve=approve, reason=reason, channel=channel, digest=digest)
    )
    if as_json:
        data = {**show.as_data(outcome), "answered_as": person, "channel": channel}
        sys.stdout.write(json.dumps({**data, "question": question.model_dump(mode="json")}) + "\n")
        return outcome.exit_code
    out = show.console()
    verb = "approved" if approve else "denied"
    out.print(Text(f"Recorded: {verb} as {shown(person)}, {CHANNELS[channel]}."))
    show.outcome(out, outcome)
    return outcome.exit_code


async def _ask(store: Place, packet: str) -> tuple[OpenQuestion, int]:
    async with Desk.open(store) as desk:
        return await desk.question(packet), desk.workspace.clock.now_ms()


async def _answer(
    store: Place,
    question: OpenQuestion,
    person: str,
    *,
    approve: bool,
    reason: str,
    channel: Channel,
    digest: str | None,
) -> Outcome:
    async with Desk.open(store) as desk:
        return await desk.answer(
            question.packet,
            person=person,
            approve=approve,
            reason=reason,
            channel=channel,
            digest=digest or question.composition,
        )


def _confirmed(person: str) -> bool:
    # On standard error: what was shown may be piped on, and the question must reach whoever types.
    sys.stderr.write(f"Approve exactly these bytes as {shown(person)}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
