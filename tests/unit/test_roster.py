"""The roster: what a worker without the ledger believes, from whom, and for how long."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from squads.adapters.memory_anchor import MemoryAnchor
from squads.contracts.errors import BusUnavailable, Denied, RollbackDetected, StorageUnavailable
from squads.contracts.roster import LIFETIME_MS_MAX, Roster
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.note import verify_note
from squads.ledger.trust import Trust
from squads.roster import RosterBook, RosterPublisher, RosterWatch, read_roster, roster_of, span
from squads.stores import LOG
from squads.testing import FixedClock, FixedSigner, seeded_entropy
from squads.workspace import RUNNER, Workspace

HOUR = 3_600_000
PACKET = "ab" * 16


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A place in memory where rosters lie; it can be out of reach, and others may write between two steps."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.down = False
        self.reads = 0
        self.meanwhile: list[Callable[[], None]] = []

    async def read(self) -> bytes | None:
        self.reads += 1
        if self.down:
            raise BusUnavailable("redis://somewhere cannot be reached")
        return self.content

    async def swap(self, seen: bytes | None, content: bytes) -> bool:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.content != seen:
            return False
        self.content = content
        return True


class Kit:
    """A workspace, the place its roster lies in, and the book of one worker with clocks of its own."""

    workspace: Workspace

    def __init__(self) -> None:
        self.clock, self.there, self.seconds = FixedClock(), FixedClock(), Seconds()
        self.place = Place()
        self.told = 0

    async def open(self, *roles: str, seed: int = 1) -> Kit:
        self.workspace = Workspace.memory(clock=self.clock, entropy=seeded_entropy(seed))
        await self.workspace.found(["gate:style", f"human:{self.workspace.person('owner')}", *roles])
        self.book = RosterBook(self.workspace.trust, clock=self.there, monotonic=self.seconds)
        return self

    async def roster(self, number: int = 1, lifetime_ms: int = 30_000) -> bytes:
        return await roster_of(self.workspace, number=number, lifetime_ms=lifetime_ms)

    def publisher(self, **options: Any) -> RosterPublisher:
        async def changed() -> None:
            self.told += 1

        return RosterPublisher(self.workspace, self.place, monotonic=self.seconds, changed=changed, **options)

    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)
        self.there.advance(ms)
        self.seconds.now += ms / 1000


@pytest.fixture
async def kit() -> Kit:
    return await Kit().open()


def signed(said: bytes, signer: Any) -> bytes:
    signature = signer.sign(b"squads.roster/v1\n" + said)
    return b"squads.roster/v1\n" + b64encode(signature) + b"\n" + said


# What a roster says -----------------------------------------------------------------------------------------------


async def test_a_roster_says_who_holds_which_key_and_what_is_stopped(kit: Kit) -> None:
    """Every live key with its roles, packets that are stopped, and how long the log was."""
    await kit.workspace.stop("wait", packet=PACKET)
    roster = kit.book.take(await kit.roster(number=7))
    signer = kit.workspace.signer("gate:style")

    assert (7, (await kit.workspace.ledger.head()).size, (PACKET,)) == (roster.number, roster.index, roster.stops)
    assert (signer.public_key, {"gate:style"}) == kit.book.key_of(signer.key_id)
    assert kit.book.key_of(kit.workspace.signer(RUNNER).key_id) == (kit.workspace.signer(RUNNER).public_key, {"runner"})
    assert kit.book.key_of(b"\0" * 32) is None
    assert roster.checkpoint == (await kit.workspace.ledger.head()).checkpoint


async def test_a_stop_of_everything_stops_every_packet(kit: Kit) -> None:
    """Also packets that nobody has heard of."""
    await kit.workspace.stop("all of it")
    kit.book.take(await kit.roster())

    assert kit.book.stopped(PACKET)


async def test_a_revoked_key_is_not_in_the_roster(kit: Kit) -> None:
    """Whoever holds it does not speak any more."""
    from squads.kernel.ports import WORKSPACE
    from squads.ledger.statement import statement_bytes
    from squads.signing import signed_entry
    from squads.stores import ROOT

    key = kit.workspace.signer("gate:style").key_id
    size = (await kit.workspace.ledger.head()).size
    said = {"event": "revoke", "key": key.hex(), "reason": "lost", "suspect_from_index": size}
    payload = statement_bytes("key-event", [("key", key.hex())], said)
    entry = signed_entry(WORKSPACE, payload, kit.workspace.signer(ROOT))
    await kit.workspace.ledger.append(
        [entry], expect={WORKSPACE: kit.workspace.view.length}, time_ms=kit.workspace.now_ms()
    )
    kit.book.take(await kit.roster())

    assert kit.book.key_of(key) is None


# Whose word counts ------------------------------------------------------------------------------------------------


async def test_a_roster_signed_by_another_key_is_not_believed(kit: Kit) -> None:
    """Only the log's key signs rosters: not the runner's, which speaks on the bus, and no stranger's."""
    said = (await kit.roster()).split(b"\n", 2)[2]
    for signer in (FixedSigner("stranger"), kit.workspace.signer(RUNNER)):
        with pytest.raises(Denied, match="not signed by the log"):
            kit.book.take(signed(said, signer))

    assert kit.book.roster is None


async def test_a_changed_roster_is_not_believed(kit: Kit) -> None:
    """Whichever byte was changed."""
    await kit.workspace.stop("wait", packet=PACKET)
    content = await kit.roster()
    for place in range(0, len(content), 7):
        with pytest.raises(Denied):
            kit.book.take(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


async def test_a_checkpoint_is_no_roster_and_a_roster_no_checkpoint(kit: Kit) -> None:
    """Both are signed by the log's key, each in a domain of its own."""
    note = (await kit.workspace.ledger.head()).checkpoint
    text, _, line = note.rpartition("\n\n")
    signature = line.strip().rsplit(" ", 1)[1]
    content = await kit.roster()

    for given in (note.encode(), b"squads.roster/v1\n" + signature.encode() + b"\n" + text.encode()):
        with pytest.raises(Denied):
            kit.book.take(given)
    with pytest.raises(Malformed):
        verify_note(content.decode(), kit.workspace.trust.log_key)


async def test_a_roster_of_another_workspace_is_not_believed(kit: Kit) -> None:
    """Also where one log key signs for both, the names must agree."""
    other = await Kit().open(seed=2)
    with pytest.raises(Denied, match="not signed by the log"):
        kit.book.take(await other.roster())
    said = Roster.model_validate_json((await kit.roster()).split(b"\n", 2)[2]).but(workspace="cd" * 16)
    with pytest.raises(Denied, match="is of workspace cdcd"):
        kit.book.take(signed(said.canonical(), kit.workspace.signer(LOG)))


@pytest.mark.parametrize(
    "change",
    [
        {"expires_ms": 0},
        {"format": 2},
        {"number": 0},
        {"index": -1},
        {"stops": ["all"]},
        {"keys": [{"key": "x", "public_key": "y", "roles": []}]},
        {"more": 1},
        {"lives": LIFETIME_MS_MAX + 1},
        {"twice": True},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_signed_roster_of_another_shape_is_not_believed(kit: Kit, change: dict[str, Any]) -> None:
    """What this version does not know is refused, with the way out."""
    import json

    said = json.loads((await kit.roster()).split(b"\n", 2)[2])
    if "lives" in change:
        change = {"expires_ms": said["issued_ms"] + change["lives"]}
    if "twice" in change:
        change = {"keys": said["keys"][:1] * 2}
    with pytest.raises(Denied, match="update squads here"):
        kit.book.take(signed(json.dumps({**said, **change}).encode(), kit.workspace.signer(LOG)))


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"squads.roster/v1\n\n", b"squads.roster/v1\n\xff\n{}", b"{}"], ids=str
)
async def test_garbage_is_no_roster(kit: Kit, content: bytes) -> None:
    """Whoever can write to the server may have put it there."""
    with pytest.raises(Denied):
        kit.book.take(content)


async def test_a_roster_beyond_its_bound_is_not_read(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the bound it is."""
    content = await kit.roster()
    monkeypatch.setattr("squads.roster.signed.ROSTER_BYTES_MAX", len(content))
    kit.book.take(content)
    monkeypatch.setattr("squads.roster.signed.ROSTER_BYTES_MAX", len(content) - 1)
    with pytest.raises(Denied, match="was not read"):
        read_roster(content, kit.workspace.trust)


# How long it counts -----------------------------------------------------------------------------------------------


async def test_a_roster_is_fresh_for_its_lifetime(kit: Kit) -> None:
    """Then nothing begins until a newer one comes, and the same one again is not newer."""
    content = await kit.roster()
    kit.book.take(content)
    kit.pass_time(29_999)
    assert kit.book.fresh
    kit.book.take(content)
    kit.pass_time(1)

    assert not kit.book.fresh
    kit.book.take(await kit.roster(number=2))
    assert kit.book.fresh


async def test_a_frozen_roster_ends_work_within_its_lifetime(kit: Kit) -> None:
    """Whoever holds back the roster with a stop in it gains no more than that."""
    kept = await kit.roster()
    kit.book.take(kept)
    await kit.workspace.stop("now")
    for _ in range(15):
        kit.pass_time(2_000)
        kit.book.take(kept)

    assert not kit.book.fresh


async def test_rosters_that_are_held_back_are_refused_beyond_the_tolerance(kit: Kit) -> None:
    """Each of them is newer than the one before, and this machine's clock still says that they are old."""
    kept = [await kit.roster(number=1)]
    for number in range(2, 60):
        kit.clock.advance(10_000)
        kept.append(await kit.roster(number=number))
    kit.there.advance(5 * 60_000 + 30_000)
    taken = 0
    for content in kept:
        with suppress(Denied):
            kit.book.take(content)
            taken += 1
        kit.there.advance(20_000)  # delivered at half the speed

    assert 0 < taken < 30


async def test_an_older_roster_is_never_believed_again(kit: Kit) -> None:
    """Its signature is good, and what it says was true once."""
    before = await kit.roster(number=3)
    await kit.workspace.stop("wait", packet=PACKET)
    kit.book.take(await kit.roster(number=4))
    with pytest.raises(Denied, match="number 3 and 4 was seen"):
        kit.book.take(before)
    with pytest.raises(Denied, match="number 4 and 4 was seen"):
        kit.book.take(await kit.roster(number=4, lifetime_ms=20_000))

    assert kit.book.stopped(PACKET)


async def test_a_roster_of_a_shorter_log_is_not_believed(kit: Kit) -> None:
    """A runner over a restored backup knows nothing of the newest stop."""
    said = Roster.model_validate_json((await kit.roster()).split(b"\n", 2)[2])
    await kit.workspace.stop("wait", packet=PACKET)
    kit.book.take(await kit.roster(number=4))
    with pytest.raises(Denied, match="older copy of the ledger"):
        kit.book.take(signed(said.but(number=5).canonical(), kit.workspace.signer(LOG)))

    assert kit.book.stopped(PACKET)


@pytest.mark.parametrize("away_ms", [-6 * 60_000, 6 * 60_000, -3 * HOUR, 3 * HOUR], ids=["-6min", "6min", "-3h", "3h"])
async def test_clocks_that_are_apart_are_told_by_how_much(kit: Kit, away_ms: int) -> None:
    """The sentence says which way and how far; nothing begins."""
    kit.there._now_ms += away_ms
    with pytest.raises(Denied) as raised:
        kit.book.take(await kit.roster())

    # A machine that is ahead takes the roster for expired: its lifetime has passed there as well.
    far = span(abs(away_ms) - (30_000 if away_ms > 0 else 0))
    assert f"{far} in the future" in str(raised.value) if away_ms < 0 else f"expired {far} ago" in str(raised.value)
    assert not kit.book.fresh


@pytest.mark.parametrize("away_ms", [-5 * 60_000, 5 * 60_000], ids=["behind", "ahead"])
async def test_clocks_may_differ_by_the_tolerance(kit: Kit, away_ms: int) -> None:
    """Where the clock says that the first one is over, the second one settles it."""
    kit.there._now_ms += away_ms
    kit.book.take(await kit.roster(number=1))
    assert kit.book.fresh == (away_ms < 0)
    kit.book.take(await kit.roster(number=2))

    assert kit.book.fresh


async def test_a_machine_that_slept_does_not_go_on(kit: Kit) -> None:
    """Its monotonic clock may have stood still meanwhile."""
    kit.book.take(await kit.roster())
    kit.there.advance(HOUR)

    assert not kit.book.fresh


async def test_keys_are_known_from_a_stale_roster_too(kit: Kit) -> None:
    """What arrives meanwhile is not taken for forged; it waits."""
    kit.book.take(await kit.roster())
    kit.pass_time(60_000)

    assert not kit.book.fresh
    assert kit.book.key_of(kit.workspace.signer(RUNNER).key_id) is not None


# Publishing -------------------------------------------------------------------------------------------------------


async def test_a_publisher_publishes_at_once_and_then_a_third_of_a_lifetime_apart(kit: Kit) -> None:
    """Looking in between publishes nothing where nothing changed."""
    publisher = kit.publisher(lifetime_ms=30_000)
    published = []
    for _ in range(11):
        published.append(await publisher.look())
        kit.pass_time(2_000)

    assert [True, *[False] * 4, True, *[False] * 4, True] == published


async def test_a_stop_and_its_lifting_are_published_at_the_next_look(kit: Kit) -> None:
    """And whoever is to be told is told, but not of a mere refreshment."""
    publisher = kit.publisher()
    await publisher.look()
    await kit.workspace.stop("wait", packet=PACKET)
    assert await publisher.look()
    kit.book.take(kit.place.content or b"")
    assert kit.book.stopped(PACKET)
    await kit.workspace.lift("go on", person="owner", packet=PACKET)
    assert await publisher.look()
    kit.book.take(kit.place.content or b"")
    assert not kit.book.stopped(PACKET)
    kit.pass_time(10_000)
    assert await publisher.look()

    assert kit.told == 3


async def test_a_new_key_is_published_at_the_next_look(kit: Kit) -> None:
    """A role that somebody just got."""
    publisher = kit.publisher()
    await publisher.look()
    await kit.workspace.found(["gate:late"])

    assert await publisher.look()
    kit.book.take(kit.place.content or b"")
    assert kit.book.key_of(kit.workspace.signer("gate:late").key_id) is not None


async def test_what_a_roster_does_not_tell_is_not_published(kit: Kit) -> None:
    """A grant changes the view and nothing that workers ask."""
    publisher = kit.publisher()
    await publisher.look()
    await kit.workspace.grant("gate:style", "verdict")

    assert not await publisher.look()


async def test_several_publishers_take_nothing_back(kit: Kit) -> None:
    """Another runner's stop, published between reading and writing, stays: what is written over was read."""
    one, other = kit.publisher(), kit.publisher()
    await other.look()
    stopped = asyncio.Event()
    before = kit.place.content

    async def stop_and_publish() -> bytes:
        await kit.workspace.stop("now")
        return await kit.roster(number=10**15)

    newer = await stop_and_publish()

    def meanwhile() -> None:
        assert kit.place.content == before
        kit.place.content = newer
        stopped.set()

    kit.place.meanwhile = [meanwhile]
    roster = await one.publish()

    assert stopped.is_set()
    assert (roster.number, roster.stops) == (10**15 + 1, ("everything",))


async def test_numbers_grow_across_runners_and_after_a_wiped_server(kit: Kit) -> None:
    """A worker that has seen the last one takes the next."""
    for _ in range(3):
        publisher = kit.publisher()
        for _ in range(2):
            await publisher.publish()
            kit.book.take(kit.place.content or b"")
    kit.place.content = None
    await publisher.publish()
    kit.book.take(kit.place.content or b"")
    kit.place.content = None
    kit.pass_time(1_000)
    await kit.publisher().publish()

    assert kit.book.take(kit.place.content or b"")


@pytest.mark.parametrize("content", [b"rubbish", b"squads.roster/v1\nAAAA\n{}"], ids=["rubbish", "unsigned"])
async def test_a_publisher_writes_over_what_is_no_roster(kit: Kit, content: bytes) -> None:
    """Whoever put it there stops nobody for long."""
    kit.place.content = content
    await kit.publisher().publish()

    assert kit.book.take(kit.place.content or b"")


async def test_a_publisher_gives_up_against_others_that_never_stop(kit: Kit) -> None:
    """Bounded, and tried again at the next look."""
    count = iter(range(1_000))

    def meanwhile() -> None:
        kit.place.content = str(next(count)).encode()

    kit.place.meanwhile = [meanwhile] * 1_000
    with pytest.raises(Denied, match="10 times"):
        await kit.publisher().publish()


async def test_a_ledger_that_cannot_be_read_publishes_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers then stop by themselves; the runner goes on, says it once, and publishes when it can."""
    publisher = kit.publisher()

    async def gone(*_: Any, **__: Any) -> Any:
        raise StorageUnavailable("the disk is gone")

    monkeypatch.setattr(kit.workspace.ledger, "head", gone)
    await publisher.start()
    await publisher.close()
    assert kit.place.content is None
    monkeypatch.undo()

    assert await publisher.look()


async def test_a_publisher_goes_on_in_the_background(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """It is started while the server is away, says so once, and publishes as soon as that is back."""
    kit.place.down = True
    publisher = kit.publisher(look_seconds=0.001)
    await publisher.start()
    for _ in range(50):
        await asyncio.sleep(0.001)
    kit.place.down = False
    async with asyncio.timeout(5):
        while kit.place.content is None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    await publisher.close()

    assert caplog.text.count("redis://somewhere cannot be reached") == 1


# Watching ---------------------------------------------------------------------------------------------------------


async def test_a_watch_reads_on_by_itself_and_at_once_when_told(kit: Kit) -> None:
    """A hint saves the wait; without one the next look finds it."""
    looks = asyncio.Event()
    watch = RosterWatch(kit.place.read, kit.book, look_seconds=60, looked=looks.set)
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(5):
        await looks.wait()
        assert "start a runner" in watch.complaint
        looks.clear()
        kit.place.content = await kit.roster()
        watch.look_now()
        await looks.wait()
    task.cancel()

    assert (kit.book.fresh, watch.complaint) == (True, "")


async def test_a_flood_of_hints_does_not_make_a_watch_read_without_pause(kit: Kit) -> None:
    """Whoever can write hints cannot keep workers and server busy with them."""
    watch = RosterWatch(kit.place.read, kit.book, look_seconds=60)
    task = asyncio.create_task(watch.run())
    for _ in range(200):
        watch.look_now()
        await asyncio.sleep(0)
    task.cancel()

    assert kit.place.reads == 1


async def test_a_read_that_never_ends_is_given_up(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch goes on, and says what it misses."""
    monkeypatch.setattr("squads.roster.watch.READ_SECONDS_MAX", 0.01)

    async def hang() -> bytes | None:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    watch = RosterWatch(hang, kit.book)
    await asyncio.wait_for(watch.look(), 5)

    assert watch.complaint == "the roster cannot be read: TimeoutError"


async def test_a_watch_survives_whatever_it_reads(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """Each complaint is logged once, and what was believed stays until it is stale."""
    watch = RosterWatch(kit.place.read, kit.book)
    kit.place.content = await kit.roster()
    await watch.look()
    kit.place.content = b"rubbish"
    for _ in range(3):
        await watch.look()
    kit.place.down = True
    await watch.look()
    assert "cannot be reached" in watch.complaint
    kit.place.read = None  # type: ignore[assignment, method-assign]
    broken = RosterWatch(lambda: 1 / 0, kit.book)  # type: ignore[arg-type, return-value]
    await broken.look()

    assert caplog.text.count("no roster of a version") == 1
    assert "ZeroDivisionError" in broken.complaint
    assert kit.book.fresh


def test_a_span_is_told_in_its_unit() -> None:
    """Rounded down, and never in a unit that says too little."""
    assert ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days"] == [
        span(ms * 1000) for ms in (0, 119, 120, 7_199, 7_200, 172_799, 172_800)
    ]


def test_trust_names_the_workspace() -> None:
    """The middle of its origin."""
    from squads.roster import workspace_in

    made = Trust.of(f"local.invalid/squads/{PACKET}/0", FixedSigner("r").public_key, FixedSigner("l").public_key)

    assert PACKET == workspace_in(made)


async def test_no_roster_is_signed_on_a_ledger_that_an_anchor_contradicts() -> None:
    """A copy from before a revocation would let its key speak again, on every machine that believes the roster."""
    anchor = MemoryAnchor("outside")
    workspace = Workspace.memory(entropy=seeded_entropy(1), anchors=(anchor,))
    await workspace.found(["gate:style"])
    beyond = Checkpoint(workspace.trust.origin, 1_000, bytes(32))
    await anchor.put(sign_checkpoint(beyond, workspace.signer("log")))
    copy = Workspace(
        workspace.anchoring._inner,
        workspace.trust,
        keys=None,
        signers=dict(workspace.keyring.loaded),
        clock=workspace.clock,
        entropy=workspace.entropy,
        anchors=(anchor,),
    )

    with pytest.raises(RollbackDetected):
        await roster_of(copy)
    await workspace.close()
