"""Checkpoints on their way outside: who waits, who is not held up, and what is never called anchored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from squads.adapters.memory_anchor import MemoryAnchor
from squads.adapters.memory_ledger import MemoryLedger
from squads.anchoring import Anchoring
from squads.contracts.errors import InvalidInput, LedgerBroken, NotAnchored, RollbackDetected, StorageUnavailable
from squads.kernel.ports import Entry
from squads.ledger.evidence import check_evidence
from squads.ledger.note import VerifierKey
from squads.testing.conformance_anchor import note_over
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN

VKEY = VerifierKey(ORIGIN, LOG_KEY.public_key)


class Fickle(MemoryAnchor):
    """An anchor that is away until it is told to be there."""

    def __init__(self, name: str = "fickle", *, here: bool = False) -> None:
        super().__init__(name)
        self.here = here
        self.tried = 0

    async def put(self, note: str) -> None:
        self.tried += 1
        if not self.here:
            raise StorageUnavailable(f"{self.name} is away")
        await super().put(note)

    async def notes(self, *, since: int = 0) -> list[str]:
        if not self.here:
            raise StorageUnavailable(f"{self.name} is away")
        return await super().notes(since=since)


class Hands:
    """A clock and waits that end when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def made(hands: Hands) -> AsyncIterator[Callable[..., Anchoring]]:
    """Make anchorings that are ended with the test."""
    kept: list[Anchoring] = []

    def make(*anchors: Any, ledger: Any = None, **options: Any) -> Anchoring:
        ledger = ledger or MemoryLedger(ORIGIN, LOG_KEY)
        own = {"monotonic": hands.monotonic, "sleep": hands.sleep, **options}
        kept.append(Anchoring(ledger, anchors, log_key=VKEY, **own))
        return kept[-1]

    yield make
    for anchoring in kept:
        await anchoring.rest(timeout_seconds=0.05)


def entry(number: int = 0, text: str = "x") -> Entry:
    return Entry(stream="s", payload_type="t", payload=f"{text}{number}".encode(), signatures=((b"k" * 32, b"s" * 64),))


async def grown(anchoring: Anchoring, count: int = 1, text: str = "x") -> int:
    """Append so many receipts, one at a time, and return how long the ledger is."""
    size = 0
    for number in range(count):
        size = (await anchoring.ledger.append([entry(number, text)], expect={}, time_ms=1)).head.size
    return size


def sizes(notes: list[str]) -> list[int]:
    return [int(note.split("\n")[1]) for note in notes]


# Putting --------------------------------------------------------------------------------------------------------------


async def test_what_is_waited_for_is_in_every_anchor(made: Callable[..., Anchoring]) -> None:
    """All of them, not one of them: an attacker chooses which one to ask."""
    one, other = MemoryAnchor("one"), MemoryAnchor("other")
    anchoring = made(one, other)
    size = await grown(anchoring, 3)

    assert "checkpointed" == anchoring.level_of(2)
    await anchoring.wait(size)

    assert "anchored" == anchoring.level_of(2)
    assert [3] == sizes(await one.notes())[-1:] == sizes(await other.notes())[-1:]


async def test_one_dead_anchor_keeps_no_other_from_its_checkpoints(made: Callable[..., Anchoring]) -> None:
    """And nothing is anchored while it is dead."""
    dead, living = Fickle("dead"), MemoryAnchor("living")
    anchoring = made(dead, living)
    size = await grown(anchoring, 2)

    with pytest.raises(NotAnchored, match="dead is away"):
        await anchoring.wait(size, timeout_seconds=0.05)

    assert 2 == sizes(await living.notes())[-1]
    assert "checkpointed" == anchoring.level_of(0)


async def test_an_anchor_that_comes_back_gets_the_newest_checkpoint(made: Callable[..., Anchoring]) -> None:
    """It is tried again and again, and whoever waits hears of it."""
    anchor = Fickle()
    anchoring = made(anchor)
    size = await grown(anchoring, 2)
    with pytest.raises(NotAnchored):
        await anchoring.wait(size, timeout_seconds=0.02)
    anchor.here = True

    await anchoring.wait(size)

    assert [2] == sizes(await anchor.notes())
    assert ("",) == tuple(lag.error for lag in anchoring.lag())


async def test_within_the_interval_only_the_first_checkpoint_goes_out(
    made: Callable[..., Anchoring], hands: Hands
) -> None:
    """An anchor keeps everything for ever: it is not sent every commit."""
    anchor = MemoryAnchor()
    anchoring = made(anchor)
    await anchoring.wait(await grown(anchoring))
    await grown(anchoring, 5, "more")
    await asyncio.sleep(0)

    assert [1] == sizes(await anchor.notes())
    anchoring.at_once()
    await anchoring.wait(6)
    assert [1, 6] == sizes(await anchor.notes())


async def test_at_the_end_the_last_checkpoint_goes_out(made: Callable[..., Anchoring]) -> None:
    """A program that ends a moment after its last receipt leaves no window open."""
    anchor = MemoryAnchor()
    anchoring = made(anchor)
    await anchoring.wait(await grown(anchoring))
    await grown(anchoring, 4, "more")

    await anchoring.close()

    assert [1, 5] == sizes(await anchor.notes())
    assert not anchoring._keeping


async def test_the_end_waits_for_a_dead_anchor_for_a_bounded_time_only(
    made: Callable[..., Anchoring], caplog: pytest.LogCaptureFixture
) -> None:
    """And says what is not outside."""
    anchoring = made(Fickle())
    await grown(anchoring)

    await anchoring.rest(timeout_seconds=0.05)

    assert "not yet in every anchor" in caplog.text


async def test_two_loops_can_use_one_anchoring(made: Callable[..., Anchoring]) -> None:
    """A squad runs on whatever loop it is called from; what one put, the other need not."""
    anchor = MemoryAnchor()
    anchoring = made(anchor)
    await anchoring.wait(await grown(anchoring))

    def elsewhere() -> None:
        async def more() -> None:
            await anchoring.wait(await grown(anchoring, 1, "more"))
            await anchoring.rest()

        asyncio.run(more())

    await asyncio.to_thread(elsewhere)

    assert [1, 2] == sizes(await anchor.notes())
    await anchoring.wait(2)


async def test_a_checkpoint_that_the_log_key_did_not_sign_is_never_put(made: Callable[..., Anchoring]) -> None:
    """The database is not trusted with what goes outside."""
    anchor, ledger = MemoryAnchor(), MemoryLedger(ORIGIN, LOG_KEY)
    anchoring = made(anchor, ledger=ledger)
    await grown(anchoring, 2)
    ledger._checkpoints[-1] = ledger._checkpoints[-1].replace("\n2\n", "\n9\n")

    await anchoring.wait(2)

    assert [2] == sizes(await anchor.notes())


# Asking ---------------------------------------------------------------------------------------------------------------


async def test_without_an_anchor_nothing_is_anchored_and_waiting_says_so(made: Callable[..., Anchoring]) -> None:
    """Nothing runs either: the ledger is the given one."""
    ledger = MemoryLedger(ORIGIN, LOG_KEY)
    anchoring = made(ledger=ledger)
    size = await grown(anchoring)

    with pytest.raises(NotAnchored, match="has no anchor"):
        await anchoring.wait(size)
    assert anchoring.ledger is ledger
    assert ("checkpointed", (), "") == (anchoring.level_of(0), anchoring.lag(), anchoring.metrics())


async def test_nobody_waits_for_receipts_that_do_not_exist(made: Callable[..., Anchoring]) -> None:
    """That wait would never end."""
    anchoring = made(MemoryAnchor())
    await grown(anchoring)

    with pytest.raises(InvalidInput, match="no checkpoint covers 2"):
        await anchoring.wait(2)


async def test_the_lag_counts_receipts_and_time_and_is_a_metric(made: Callable[..., Anchoring], hands: Hands) -> None:
    """From the oldest receipt that is not covered."""
    anchoring = made(Fickle('a"b'))
    await grown(anchoring)
    hands.now += 1.5
    await grown(anchoring, 2, "more")

    (lag,) = anchoring.lag()

    assert ('a"b', 0, 3, 1500, False) == (lag.name, lag.size, lag.entries, lag.milliseconds, lag.compared)
    assert 'squads_anchor_lag_entries{anchor="a\\"b"} 3\n' in anchoring.metrics()
    assert 'squads_anchor_lag_seconds{anchor="a\\"b"} 1.5\n' in anchoring.metrics()


async def test_the_notes_of_an_anchor_are_given_verified(made: Callable[..., Anchoring]) -> None:
    """A bundle carries them; junk and other logs' notes stay where they are."""
    anchor = MemoryAnchor("m")
    anchoring = made(anchor)
    await anchoring.wait(await grown(anchoring))
    await anchor.put("junk")
    await anchor.put(note_over(7).replace("\n7\n", "\n8\n"))

    found = await anchoring.notes()

    assert {"m": [1]} == {name: sizes(notes) for name, notes in found.items()}


# Comparing ------------------------------------------------------------------------------------------------------------


async def restored(anchoring: Anchoring, count: int, text: str = "x") -> MemoryLedger:
    """Return a ledger like an old copy of another one: so many of the same receipts."""
    copy = MemoryLedger(ORIGIN, LOG_KEY)
    for number in range(count):
        await copy.append([entry(number, text)], expect={}, time_ms=1)
    return copy


async def test_a_ledger_behind_its_anchor_signs_nothing_ever(made: Callable[..., Anchoring]) -> None:
    """The restored backup: the append is refused before it happens, and the next one too."""
    anchor = MemoryAnchor()
    before = made(anchor)
    await before.wait(await grown(before, 5))
    old = await restored(before, 3)
    anchoring = made(anchor, ledger=old)

    for _ in range(2):
        with pytest.raises(RollbackDetected, match="covers 5"):
            await grown(anchoring)
    assert 3 == (await old.head()).size


async def test_a_ledger_beside_its_anchor_signs_nothing_and_the_fork_is_proved(made: Callable[..., Anchoring]) -> None:
    """A copy that went on by itself, past where the anchor stood: the log's key signed two histories."""
    anchor, kept = MemoryAnchor(), []
    before = made(anchor)
    await before.wait(await grown(before, 5))
    forked = await restored(before, 7, "other")
    anchoring = made(anchor, ledger=forked, evidence=lambda data, size: kept.append(data) or f"fork-{size}.json")

    with pytest.raises(LedgerBroken, match=r"the proof that the log's key signed both is in fork-5\.json"):
        await grown(anchoring)

    assert (5, 7) == ((fork := check_evidence(kept[0], VKEY)).older.size, fork.newer.size)


async def test_junk_and_other_logs_notes_in_an_anchor_accuse_nobody(made: Callable[..., Anchoring]) -> None:
    """Whoever may write there could otherwise keep a ledger from being used."""
    anchor = MemoryAnchor()
    await anchor.put("nonsense\n999\nroot")
    await anchor.put(note_over(999).replace("\n999\n", "\n1000\n"))
    anchoring = made(anchor)

    assert 1 == await grown(anchoring)


async def test_what_others_append_and_anchor_meanwhile_is_no_rollback(made: Callable[..., Anchoring]) -> None:
    """Two processes share the ledger: the end is read after the anchor, never before alone."""
    ledger = MemoryLedger(ORIGIN, LOG_KEY)
    anchor = MemoryAnchor()
    other = made(anchor, ledger=ledger)
    await other.wait(await grown(other))
    notes = anchor.notes

    async def meanwhile(*, since: int = 0) -> list[str]:
        anchor.notes = notes  # type: ignore[method-assign]
        await other.wait(await grown(other, 3, "more"))
        return await notes(since=since)

    anchor.notes = meanwhile  # type: ignore[method-assign]

    assert 5 == await grown(made(anchor, ledger=ledger), 1, "mine")


async def test_the_newest_note_is_found_however_far_back_it_is(made: Callable[..., Anchoring]) -> None:
    """An anchor is asked for what is new first; the comparison never rests on that being there."""
    anchor = MemoryAnchor()
    before = made(anchor)
    await before.wait(await grown(before, 2))
    longer = await restored(before, 2)
    await longer.append([entry(n, "y") for n in range(2_000)], expect={}, time_ms=1)
    anchoring = made(anchor, ledger=longer)

    await anchoring.compare()

    assert (2, 2_000) == ((lag := anchoring.lag()[0]).size, lag.entries)


async def test_an_anchor_that_is_away_at_the_start_is_compared_when_it_comes(
    made: Callable[..., Anchoring], caplog: pytest.LogCaptureFixture
) -> None:
    """Until then the ledger goes on with a warning; what it says then still counts."""
    anchor = Fickle(here=True)
    before = made(anchor)
    await before.wait(await grown(before, 5))
    anchor.here = False
    anchoring = made(anchor, ledger=await restored(before, 3))

    assert 4 == await grown(anchoring, 1, "more")
    assert "not compared with the anchor fickle" in caplog.text
    anchor.here = True
    with pytest.raises(RollbackDetected):
        await anchoring.wait(4)
    with pytest.raises(RollbackDetected):
        await grown(anchoring, 1, "again")
    assert [5] == sizes(await anchor.notes())


async def test_where_the_policy_demands_anchors_nothing_begins_without_one(made: Callable[..., Anchoring]) -> None:
    """And it begins when the anchor is there."""
    anchor = Fickle()
    anchoring = made(anchor, demanded=lambda: True)

    with pytest.raises(NotAnchored, match="lets nothing begin"):
        await grown(anchoring)
    anchor.here = True
    assert 1 == await grown(anchoring)


async def test_looking_raises_nothing_and_says_why(made: Callable[..., Anchoring]) -> None:
    """Status shows it."""
    (lag,) = await made(Fickle()).look()

    assert (False, "fickle is away") == (lag.compared, lag.error)


async def test_whatever_an_anchor_of_somebodys_own_raises_is_that_anchors_alone(
    made: Callable[..., Anchoring], caplog: pytest.LogCaptureFixture
) -> None:
    """It is away, as one that says so properly; the ledger and the other anchors go on."""

    class Odd(MemoryAnchor):
        async def notes(self, *, since: int = 0) -> list[str]:
            raise KeyError("odd")

    fine = MemoryAnchor("fine")
    anchoring = made(Odd("odd"), fine)
    size = await grown(anchoring)
    with pytest.raises(NotAnchored, match="odd \\(KeyError"):
        await anchoring.wait(size, timeout_seconds=0.05)

    assert [1] == sizes(await fine.notes())
    assert "not compared with the anchor odd: KeyError" in caplog.text


async def test_heads_that_are_told_of_out_of_order_never_go_back(made: Callable[..., Anchoring]) -> None:
    """Two appends at once come back in any order; the last checkpoint at the end is the newest."""
    anchor = MemoryAnchor()
    anchoring = made(anchor)
    await grown(anchoring, 2)
    older = (await anchoring.ledger.append([entry(7)], expect={}, time_ms=1)).head
    await grown(anchoring, 1, "newest")
    anchoring.saw(older)

    await anchoring.rest()

    assert 4 == sizes(await anchor.notes())[-1]
