"""Dead letters: looked at in pages, shown as what they are, and sent again only where they are genuine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from secrets import token_hex
from typing import Any

import pytest

from squads.adapters.keys import InProcessSigner
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.border import Border
from squads.adapters.redis_bus.bus import RedisBus
from squads.adapters.redis_bus.dead import PAGE_MAX, DeadLetters
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Edge, Names
from squads.adapters.redis_bus.seals import OwnSeals, SharedSeals
from squads.contracts.errors import BusFull, InvalidInput
from squads.contracts.messages import Envelope, Failed, PlanRequest, Signed
from squads.testing.bus_letters import is_empty, soon
from squads.testing.redis_server import RedisServer

D = "c" * 64
RUNNER_KEY, GATE_KEY = InProcessSigner(b"\x01" * 32), InProcessSigner(b"\x02" * 32)


@pytest.fixture(scope="module", params=RedisServer.available())
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server of each flavour."""
    with RedisServer(request.param) as server:
        yield server


class Place:
    """One workspace of its own on a server."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.workspace = token_hex(16)
        self.names = Names(self.workspace)
        self.border = Border(self.workspace, SharedSeals(b"k" * 32))
        self.asked = self.request("first")
        self.edge = self.names.edge_of(self.asked)

    def request(self, about: str) -> Envelope:
        """A genuine request of this workspace."""
        body = PlanRequest(
            packet="b" * 32, workspace=self.workspace, content=D, due_ms=1, request=D, attempt=1, builders=(), gates=()
        )
        return Envelope.to_role("coord", about.encode().hex().ljust(64, "0"), body, prior=D)

    def letters(self, **kwargs: Any) -> DeadLetters:
        """The dead letters."""
        return DeadLetters(self.link, kwargs.pop("border", self.border), **kwargs)

    async def bury(
        self, fields: dict[bytes, bytes], edge: Edge | None = None, reason: str = "crashed", key: str | None = None
    ) -> str:
        """Lay out a dead letter as the bus does; return its id."""
        more = {
            "edge": (edge or self.edge).key if key is None else key,
            "entry": "7-1",
            "deliveries": "3",
            "reason": reason,
        }
        listed: list[str | bytes] = [part for pair in ({**fields} | more).items() for part in pair]
        return str((await self.link.call("XADD", self.names.dead, "*", *listed)).decode())

    async def waiting(self, edge: Edge | None = None) -> list[dict[bytes, bytes]]:
        """The fields of what waits on an edge."""
        found = await self.link.call("XRANGE", (edge or self.edge).key, "-", "+")
        return [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in found]

    async def buried(self, envelope: Envelope | None = None, *, reason: str = "crashed") -> str:
        """Bury a genuine request that had been seen."""
        envelope = envelope or self.asked
        edge = self.names.edge_of(envelope)
        await self.link.call("SET", self.names.seen(edge, envelope.id), "before", "PX", 1_000_000)
        return await self.bury(self.border.written(envelope, edge.key), edge, reason)


@pytest.fixture
async def place(server: RedisServer) -> AsyncIterator[Place]:
    """A fresh workspace."""
    link = Link.open(BusAddress.parse(server.url))
    try:
        yield Place(link)
    finally:
        await link.close()


async def refused(act: Callable[[], Any], error: type[Exception] = InvalidInput) -> str:
    """The sentence that says why not."""
    with pytest.raises(error) as caught:
        await act()
    return str(caught.value)


# Looking. ------------------------------------------------------------------------------------------------------------


async def test_no_dead_letters_are_an_empty_page(place: Place) -> None:
    """A workspace that never had any has none."""
    assert (0, []) == (await place.letters().count(), await place.letters().page())


async def test_they_are_paged_newest_first_or_oldest_first(place: Place) -> None:
    """Every letter is on exactly one page, and a page has at most so many."""
    ids = [await place.buried(place.request(str(number))) for number in range(5)]
    letters = place.letters()

    newest = await letters.page(limit=2)
    assert ids[:2:-1] == [letter.id for letter in newest]
    assert ids[2:0:-1] == [letter.id for letter in await letters.page(limit=2, after=newest[-1].id)]
    assert ids[:3] == [letter.id for letter in await letters.page(limit=3, oldest=True)]
    assert ids[3:] == [letter.id for letter in await letters.page(limit=3, oldest=True, after=ids[2])]
    assert [] == await letters.page(after=ids[0])
    assert 5 == await letters.count()


async def test_no_page_is_larger_than_the_bound(place: Place) -> None:
    """Whatever is asked for: letters may be large, and there may be many."""
    await asyncio.gather(*(place.bury({b"b": b"x"}) for _ in range(PAGE_MAX + 1)))

    assert PAGE_MAX == len(await place.letters().page(limit=10**9))
    assert 1 == len(await place.letters().page(limit=-5))


async def test_a_genuine_letter_is_shown_as_its_message(place: Place) -> None:
    """With why it died, how often it was tried, and where it stood."""
    letter = await place.letters().find(await place.buried(reason="raised KeyError"))

    assert place.asked == letter.envelope
    assert letter.refused is None
    assert ("raised KeyError", 3, place.edge.key, "7-1") == (
        letter.reason,
        letter.deliveries,
        letter.edge,
        letter.entry,
    )
    assert letter.died_ms > 1_600_000_000_000


@pytest.mark.parametrize("id", ["", "-", "+", "1", "x-0", "1-0 2-0", "1" * 21 + "-0", "٣-0"])
async def test_what_is_no_id_is_said_to_be_none(place: Place, id: str) -> None:
    """Not even `-` and `+`, which the server would take for the first and the last."""
    for act in (place.letters().find, place.letters().replay, lambda given: place.letters().page(after=given)):
        assert "is no id of a dead letter" in await refused(partial(act, id))


async def test_a_letter_that_is_not_there_is_said_not_to_be_there(place: Place) -> None:
    """With the command that shows those that are."""
    assert "`squads dead list`" in await refused(lambda: place.letters().find("1-1"))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"b": b"\xff\x00garbage"},
        {b"b": b"[" * 60_000, b"s": b"s" * 64, b"k": b"shared"},
        {b"edge": b"\xff", b"deliveries": b"9" * 5000, b"reason": b"\xff" * 5000, b"entry": b"\x00"},
    ],
    ids=["nothing", "bytes", "brackets", "odd-fields"],
)
async def test_garbage_is_a_letter_like_any_other(place: Place, fields: dict[bytes, bytes]) -> None:
    """Whatever stands there can be listed; bounded, and never taken for a message."""
    listed = [part for pair in (fields or {b"x": b"y"}).items() for part in pair]
    await place.link.call("XADD", place.names.dead, "*", *listed)

    (letter,) = await place.letters().page()
    assert letter.envelope is None
    assert letter.refused is not None
    assert max(len(letter.reason), len(letter.edge), len(letter.entry)) <= 500


# Sending again. ------------------------------------------------------------------------------------------------------


async def test_a_replayed_request_stands_on_its_edge_once_and_is_dead_no_more(place: Place) -> None:
    """As it was, its counts anew; and its id is remembered anew, so that the runner's own next sending is dropped."""
    id = await place.buried()

    assert place.asked == (await place.letters(seen_ms=5_000).replay(id)).envelope
    (fields,) = await place.waiting()
    again = place.border.read(fields, edge=place.edge.key, sender="runner", address=place.edge.recipient)
    assert (place.asked, b"0", b"0") == (again, fields[b"d"], fields[b"c"])
    assert 0 == await place.letters().count()
    seen = place.names.seen(place.edge, place.asked.id)
    assert b"before" != await place.link.call("GET", seen)
    assert 0 < await place.link.call("PTTL", seen) <= 5_000
    assert "no dead letter" in await refused(lambda: place.letters().replay(id))
    assert 1 == len(await place.waiting())


async def test_a_request_is_signed_again_by_the_runner_of_today(place: Place) -> None:
    """Its old key still holds, and the new one answers for sending it again."""
    new = InProcessSigner(b"\x03" * 32)
    keys = {key.key_id: (key.public_key, frozenset({"runner"})) for key in (RUNNER_KEY, new)}
    before = Border(place.workspace, OwnSeals(lambda _: RUNNER_KEY, keys.get))
    today = Border(place.workspace, OwnSeals(lambda _: new, keys.get))
    id = await place.bury(before.written(place.asked, place.edge.key))

    await place.letters(border=today).replay(id)

    assert [new.key_id] == [fields[b"k"] for fields in await place.waiting()]


async def test_an_answer_keeps_the_signature_of_its_role(place: Place) -> None:
    """The runner has no key of a role on another machine, and needs none: what was genuine still is."""
    keys = {GATE_KEY.key_id: (GATE_KEY.public_key, frozenset({"coordinator:coord"}))}
    theirs = Border(place.workspace, OwnSeals(lambda _: GATE_KEY, keys.get))
    answer = place.asked.reply(Signed(payload=b"\xff", key=b"k", signature=b"s"))
    edge = place.names.edge_of(answer)
    written = theirs.written(answer, edge.key)
    id = await place.bury(written, edge)

    def nobody(_: str) -> InProcessSigner:
        raise AssertionError("an answer was signed by somebody else than its role")

    await place.letters(border=Border(place.workspace, OwnSeals(nobody, keys.get))).replay(id)

    (fields,) = await place.waiting(edge)
    assert written == {name: fields[name] for name in (b"b", b"s", b"k")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda fields: {**fields, b"b": fields[b"b"] + b" "}, "forged"),
        (lambda fields: {**fields, b"s": b"\x00" * 32}, "forged"),
        (lambda fields: {**fields, b"k": RUNNER_KEY.key_id}, "unknown-key"),
        (lambda fields: {b"b": fields[b"b"]}, "unsigned"),
        (lambda fields: {**fields, b"b": b"x" * 70_000}, "too-large"),
    ],
    ids=["other-bytes", "other-mark", "other-mode", "no-mark", "too-large"],
)
async def test_what_is_not_genuine_is_never_sent_again(place: Place, change: Any, reason: str) -> None:
    """Not even where its reason claims that it only met a crash; it stays where it is."""
    id = await place.bury(change(place.border.written(place.asked, place.edge.key)), reason="crashed")

    said = await refused(lambda: place.letters().replay(id))

    assert f"is never sent again ({reason}: " in said
    assert ([], 1) == (await place.waiting(), await place.letters().count())


async def test_a_genuine_message_is_not_sent_again_on_another_edge(place: Place) -> None:
    """Where it stood is only what the letter says; the signature knows better."""
    for edge in (place.names.requests(f"gate@{D[:16]}"), place.names.edge("coord", "runner")):
        id = await place.bury(place.border.written(place.asked, place.edge.key), edge)
        assert "(forged: " in await refused(partial(place.letters().replay, id))

    assert 2 == await place.letters().count()


async def test_a_place_that_is_no_edge_of_this_workspace_is_refused(place: Place) -> None:
    """Nobody gets a script to write to the roster, to the dead letters, or into another workspace."""
    other = Names("9" * 32)
    odd = (
        other.requests("x").key,
        place.names.roster,
        place.names.dead,
        place.edge.origin,
        place.edge.key + ":x",
        "",
        "q:",
    )
    for key in odd:
        id = await place.bury(place.border.written(place.asked, key), key=key)
        assert "(wrong-edge: " in await refused(partial(place.letters().replay, id)), key

    assert len(odd) == await place.letters().count()


async def test_a_letter_waits_while_its_stream_is_full(place: Place) -> None:
    """The bound holds for a replay as for any other message; nothing is lost or half done."""
    id = await place.buried()
    await place.link.call("XADD", place.edge.key, "*", "b", "one")
    await place.link.call("XADD", place.edge.lane, "*", "b", "two")

    said = await refused(lambda: place.letters(backlog_max=2).replay(id), BusFull)

    assert "has 2 messages waiting; the dead letter stays where it is" in said
    assert (1, 1) == (await place.letters().count(), len(await place.waiting()))
    assert b"before" == await place.link.call("GET", place.names.seen(place.edge, place.asked.id))
    assert await place.letters(backlog_max=3).replay(id)


async def test_two_who_replay_the_same_letter_send_it_once(place: Place) -> None:
    """One of them is told that it is gone."""
    id = await place.buried()

    done = await asyncio.gather(*(place.letters().replay(id) for _ in range(4)), return_exceptions=True)

    failures = [str(one) for one in done if isinstance(one, InvalidInput)]
    assert 3 == len(failures)
    assert 1 == len(await place.waiting())


async def test_a_replay_whose_answer_was_lost_is_repeated_without_harm(place: Place) -> None:
    """The link may run a script twice: the second time says what the first said."""

    class Twice:
        call = place.link.call

        async def script(self, name: str, keys: Any, args: Any = ()) -> Any:
            await place.link.script(name, keys, args)
            return await place.link.script(name, keys, args)

    id = await place.buried()

    assert await DeadLetters(Twice(), place.border).replay(id)
    assert 1 == len(await place.waiting())


async def test_a_letter_of_another_workspace_is_not_taken_for_ours(place: Place) -> None:
    """Its signature may be of the same key, and its edge spelled as ours: its request says where it belongs."""
    stranger = Place(place.link)
    id = await place.bury(place.border.written(stranger.asked, place.edge.key))

    assert "(wrong-workspace: " in await refused(lambda: place.letters().replay(id))


async def test_an_answer_that_a_worker_could_not_deliver_can_be_sent_again(place: Place) -> None:
    """Both directions have dead letters."""
    answer = place.asked.reply(Failed(about=D, reason="crashed"))

    assert answer == (await place.letters().replay(await place.buried(answer))).envelope
    assert 1 == len(await place.waiting(place.names.edge_of(answer)))


async def test_the_bus_delivers_what_was_replayed_and_drops_the_runners_own_sending(
    place: Place, server: RedisServer
) -> None:
    """Buried by a consumer, sent again by a person, delivered as the first time: once, however often it is sent."""
    bus = await RedisBus.open(server.url, place.workspace, place.border.seals)
    bus.declare(place.asked.address)
    consumer = bus.consumer(place.asked.address)
    try:
        assert await bus.send(place.asked)
        await (await soon(consumer.receive())).bury("cannot be read")
        (letter,) = await place.letters().page()
        assert (place.asked, "cannot be read", 1) == (letter.envelope, letter.reason, letter.deliveries)
        assert not await bus.send(place.asked)

        await place.letters().replay(letter.id)
        assert not await bus.send(place.asked)
        delivery = await soon(consumer.receive())
        assert (place.asked, 1) == (delivery.envelope, delivery.attempt)
        await delivery.ack()
        assert await is_empty(consumer)
    finally:
        await bus.close()
