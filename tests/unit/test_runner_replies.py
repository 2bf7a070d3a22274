"""What becomes of a reply: recorded and acknowledged, kept, given on to who holds its packet, or buried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from test_runner_forged import Stage

from squads import Approved
from squads.adapters.local_bus import LocalBus
from squads.contracts.errors import LeaseLost, StorageUnavailable
from squads.contracts.messages import Envelope, Failed, Signed, address_of
from squads.kernel.receipts import payload_of
from squads.ledger.statement import PAYLOAD_TYPE, pae
from squads.runner import Runner
from squads.testing import FixedSigner


class Handed:
    """A delivery that notes what is done with it."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.attempt = 1
        self.done: list[str] = []

    async def ack(self) -> None:
        self.done.append("acknowledged")

    async def defer(self) -> None:
        self.done.append("given on")

    async def bury(self, reason: str) -> None:
        self.done.append(f"buried: {reason}")

    async def release(self, reason: str) -> None:
        self.done.append("released")

    async def reply(self, answer: Envelope) -> bool:
        raise AssertionError


class Other:
    """Another runner of the same workspace, on a bus of its own, with a clock by hand."""

    def __init__(self, stage: Stage, name: str = "other") -> None:
        self.seconds = 0.0
        self.bus = LocalBus()
        for role in stage.inboxes:
            self.bus.declare(address_of(role, stage.squad._roles[role][1].digest))
        self.runner = Runner(stage.workspace, self.bus, name=name, monotonic=lambda: self.seconds)
        self.runner.start()

    async def take(self, envelope: Envelope) -> list[str]:
        """Hand a reply to this runner and return what it did with it."""
        handed = Handed(envelope)
        await self.runner._replies.take(handed)
        return handed.done


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("squads.runner.LOOK_SECONDS", 3_600)  # every look is taken by hand
    made = await Stage().open()
    yield made
    await made.close()


@pytest.fixture
async def other(stage: Stage) -> AsyncIterator[Other]:
    made = Other(stage)
    yield made
    await made.runner.close()
    await made.bus.close()


async def approval(stage: Stage, asked: Envelope, signer: Any = None) -> Envelope:
    """Return a gate's honest approval of what it was asked."""
    record, content = await stage.truth(asked, Approved())
    payload = payload_of(record)
    signer = signer or stage.signer(asked.recipient)
    return asked.reply(
        Signed(payload=payload, key=signer.key_id, signature=signer.sign(pae(PAYLOAD_TYPE, payload)), content=content)
    )


async def taken_over(stage: Stage, holder: str = "thief") -> None:
    """Have somebody else take the packet over from the stage's runner."""
    leases = stage.workspace.ledger.leases
    await leases.begin(holder)
    assert await leases.take(stage.lane.packet, holder, over=await leases.look(stage.lane.packet))


async def test_a_reply_is_acknowledged_once_it_is_recorded(stage: Stage) -> None:
    """Not before: until then the bus has it, should this process die. Doubled and late ones are as good as recorded."""
    style, _ = await stage.to_review()
    reply = await approval(stage, style)
    length = stage.lane.length
    handed = Handed(reply)
    await stage.runner._replies.take(handed)
    assert ["acknowledged"] == handed.done
    assert stage.lane.length > length

    again = Handed(reply)
    await stage.runner._replies.take(again)

    assert ["acknowledged"] == again.done
    assert stage.runner.ignored == {"duplicate": 1}


async def test_what_is_no_honest_reply_is_buried_with_its_reason(stage: Stage) -> None:
    """People find it among the dead letters; the packet goes on."""
    style, security = await stage.to_review()
    honest = await approval(stage, style)
    assert isinstance(honest.body, Signed)
    lies = {
        "unknown key": await approval(stage, style, FixedSigner("stranger")),
        "forged signature": honest.but(body=honest.body.but(signature=bytes(64))),
        "not a reply": honest.but(body=style.body),
        "not asked": honest.but(body=Failed(about=style.cause, reason="crashed"), sender="security"),
        "unknown packet": honest.but(packet="cd" * 16),
        "unreadable content": honest.but(
            body=(await approval(stage, style, stage.signer("security"))).body.but(content=())
        ),
    }
    done = {}
    for reason, lie in lies.items():
        handed = Handed(lie)
        await stage.runner._replies.take(handed)
        done[reason] = handed.done

    assert {reason: [f"buried: {reason}"] for reason in lies} == done
    assert dict.fromkeys(lies, 1) == stage.runner.ignored
    await stage.finish(style, security)


async def test_a_key_that_was_enrolled_a_moment_ago_is_known(stage: Stage) -> None:
    """Another process registered it: the workspace is read on before a reply is buried."""
    style, _ = await stage.to_review()
    reply = await approval(stage, style, FixedSigner("stranger"))
    refreshed: list[bool] = []
    real = stage.workspace.refresh

    async def refresh() -> Any:
        refreshed.append(True)
        return await real()

    stage.workspace.refresh = refresh  # type: ignore[method-assign]
    handed = Handed(reply)
    await stage.runner._replies.take(handed)

    assert refreshed
    assert ["buried: unknown key"] == handed.done


async def test_a_reply_for_a_packet_that_another_holds_is_given_on(stage: Stage, other: Other) -> None:
    """At once; and should the bus bring it back before the next look, it is kept until then, not thrown to and fro."""
    style, _ = await stage.to_review()
    reply = await approval(stage, style)

    assert ["given on"] == await other.take(reply)
    again = Handed(reply)
    await other.runner._replies.take(again)
    assert [] == again.done
    await other.runner.look()
    assert ["given on"] == again.done
    assert {} == other.runner.ignored


async def test_a_reply_for_a_packet_that_nobody_holds_is_kept_and_handed_in(stage: Stage, other: Other) -> None:
    """The role was paid for it: whoever takes the packet up finds it, and asks nobody again."""
    style, _ = await stage.to_review()
    reply = await approval(stage, style)
    await stage.runner.close()
    handed = Handed(reply)
    await other.runner._replies.take(handed)
    await other.runner.look()
    assert [] == handed.done

    lane = await other.runner.resume(stage.lane.packet)

    assert ["acknowledged"] == handed.done
    assert lane.state is not None
    assert 1 == sum(1 for ticket in lane.state.tickets.values() if ticket.verdict)


async def test_what_is_kept_is_given_on_once_somebody_holds_the_packet(stage: Stage, other: Other) -> None:
    """Whoever took it up meanwhile waits for exactly this."""
    style, _ = await stage.to_review()
    reply = await approval(stage, style)
    await stage.runner.close()
    handed = Handed(reply)
    await other.runner._replies.take(handed)
    third = Other(stage, "third")
    await third.runner.resume(stage.lane.packet)

    await other.runner.look()

    assert ["given on"] == handed.done
    await third.runner.close()


async def test_a_reply_for_a_packet_that_ended_elsewhere_is_late(stage: Stage, other: Other) -> None:
    """Nobody needs it, and nothing is wrong with it."""
    style, security = await stage.to_review()
    reply = await approval(stage, style)
    await stage.finish(style, security)

    assert ["acknowledged"] == await other.take(reply)
    assert {"ended": 1} == other.runner.ignored


async def test_only_so_many_replies_are_kept(stage: Stage, other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go back to the bus, where another runner may have use for them."""
    monkeypatch.setattr("squads.replies.IN_HAND_MAX", 2)
    style, _ = await stage.to_review()
    reply = await approval(stage, style)
    await stage.runner.close()
    handed = [Handed(reply.but(id=f"{n:064x}")) for n in range(3)]
    for one in handed[:2]:
        await other.runner._replies.take(one)
    await other.runner.look()
    assert [[], []] == [one.done for one in handed[:2]]

    await other.runner._replies.take(handed[2])
    await other.runner.look()

    assert ["given on"] in [one.done for one in handed]


async def test_a_parked_reply_is_not_acknowledged_before_the_lift(stage: Stage) -> None:
    """A process that dies under a stop loses no reply."""
    style, _ = await stage.to_review()
    await stage.workspace.stop("wait")
    handed = Handed(await approval(stage, style))
    await stage.runner._replies.take(handed)
    assert [] == handed.done

    await stage.workspace.lift("go on", person="owner")
    await stage.runner.lifted()

    assert ["acknowledged"] == handed.done


async def test_only_so_many_replies_of_one_role_are_parked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever floods a stopped packet fills nobody's memory, and pushes nobody else's reply out."""
    monkeypatch.setattr("squads.replies.PARKED_MAX", 2)
    style, security = await stage.to_review()
    await stage.workspace.stop("wait")
    reply = await approval(stage, style)
    flood = [Handed(reply.but(id=f"{n:064x}")) for n in range(3)]
    honest = Handed(await approval(stage, security))

    for handed in (*flood, honest):
        await stage.runner._replies.take(handed)

    assert [[], [], ["buried: too many"]] == [handed.done for handed in flood]
    assert [] == honest.done
    assert honest in stage.lane.parked


async def test_what_was_given_on_is_remembered_within_a_bound(
    stage: Stage, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner beside a busy one gives on for weeks without anything to look after."""
    monkeypatch.setattr("squads.replies.IN_HAND_MAX", 10)
    style, _ = await stage.to_review()
    reply = await approval(stage, style)

    for number in range(25):
        assert ["given on"] == await other.take(reply.but(id=f"{number:064x}"))

    assert len(other.runner._replies._given_on) <= 10


async def test_closing_gives_back_what_was_not_recorded(stage: Stage) -> None:
    """What was parked is on the bus again for the next runner, and does not count as a failed delivery."""
    style, _ = await stage.to_review()
    await stage.workspace.stop("wait")
    await stage.bus.send(await approval(stage, style))
    queue = stage.bus._queues["runner"]
    while not stage.lane.parked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert (1, 0) == (queue.out, len(queue.waiting))

    await stage.runner.close()

    assert (0, 1, 0) == (queue.out, len(queue.waiting), queue.waiting[0].deliveries)


async def test_what_the_bus_could_not_be_told_is_told_again(stage: Stage) -> None:
    """The reply is recorded and its acknowledgement was lost: the next look says it once more, and records nothing."""

    class Unreachable(Handed):
        tries = 0

        async def ack(self) -> None:
            self.tries += 1
            if self.tries == 1:
                raise StorageUnavailable("the bus is away")
            await super().ack()

    style, _ = await stage.to_review()
    handed = Unreachable(await approval(stage, style))
    await stage.runner._replies.take(handed)
    recorded = len(await stage.receipts())
    assert [] == handed.done

    await stage.runner.look()

    assert ["acknowledged"] == handed.done
    assert recorded == len(await stage.receipts())


async def test_who_lost_a_packet_writes_nothing_to_it(stage: Stage) -> None:
    """Its append loses the compare; it follows from then on, sends nothing, and keeps the reply."""
    style, _ = await stage.to_review()
    before = len(await stage.receipts())
    await taken_over(stage)
    handed = Handed(await approval(stage, style))

    await stage.runner._replies.take(handed)

    assert stage.lane.follows
    assert before == len(await stage.receipts())
    assert handed.done in ([], ["given on"])


async def test_a_second_answer_after_the_packet_came_back_is_late(stage: Stage) -> None:
    """While another runner held the packet it asked the gate again: two honest answers are no contradiction."""
    style, security = await stage.to_review()
    kept = Handed(await approval(stage, style))
    other = Other(stage)
    leases = stage.workspace.ledger.leases
    await leases.begin("other")
    taken = await leases.take(stage.lane.packet, "other", over=await leases.look(stage.lane.packet))
    assert taken is not None
    await stage.runner._replies.take(kept)
    lane = await other.runner.resume(stage.lane.packet)
    assert lane.lease == taken
    assert ["acknowledged"] == await other.take(await approval(stage, style))
    await other.runner.close()

    await stage.runner.look()
    late = Handed(await approval(stage, style))
    await stage.runner._replies.take(late)

    assert not stage.lane.follows
    assert ["acknowledged"] == late.done
    assert stage.runner.ignored["too late"] >= 1
    assert not any(":equivocation:" in kind for kind in await stage.receipts())
    await stage.answer(security, Approved())
    assert stage.lane.state is not None
    assert stage.lane.state.finish is None


async def test_what_is_pending_is_sent_again_with_the_same_ids(stage: Stage) -> None:
    """After the bus lost it; a bus that has it drops its twin, and under a stop nothing is sent."""
    style, security = await stage.to_review()
    await stage.runner.send_again()
    assert [0, 0] == [len(stage.inboxes[role].queue.waiting) for role in ("style", "security")]  # type: ignore[attr-defined]
    stage.bus._seen.clear()
    await stage.workspace.stop("wait")
    await stage.runner.send_again()
    await stage.workspace.lift("go on", person="owner")
    await stage.runner.send_again()

    assert [style.id, security.id] == [(await stage.ask(role)).id for role in ("style", "security")]


async def test_who_follows_sends_nothing_again(stage: Stage, other: Other) -> None:
    """Only who holds a packet speaks to its roles."""
    style, _ = await stage.to_review()
    lane = await other.runner.resume(stage.lane.packet)
    await other.runner.send_again()

    assert lane.follows
    assert 0 == sum(len(queue.waiting) for queue in other.bus._queues.values())
    assert "other" != lane.held_by
    assert style is not None


async def test_no_role_begins_for_a_packet_that_another_took_over(stage: Stage) -> None:
    """A process that was frozen looks before it lets a role begin, and waits; once the packet has ended elsewhere the
    role is not asked any more."""
    await stage.to_review()
    await taken_over(stage)
    stage.runner.holding._heard = -1e9  # it stood still for long
    waiting = asyncio.create_task(stage.runner.permit(stage.lane.packet))
    while not stage.lane.follows:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    stage.runner._lanes.clear()  # ended, and nobody waited for it

    with pytest.raises(LeaseLost):
        await stage.runner.permit(stage.lane.packet)


async def test_a_runner_that_stood_still_finds_out_what_it_lost(stage: Stage) -> None:
    """Before its next append: its beat comes late, so it looks."""
    await stage.to_review()
    await taken_over(stage)
    assert not stage.lane.follows
    stage.runner.holding._heard = -1e9

    await stage.runner.holding.beat()

    assert stage.lane.follows
