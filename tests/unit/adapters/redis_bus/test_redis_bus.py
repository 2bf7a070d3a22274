"""The Redis bus beyond what every bus must do: loss, death, garbage, outages, and what it leaves behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from secrets import token_hex
from time import monotonic
from typing import Any, cast

import pytest

from squads.adapters.redis_bus import consumer as consumer_module
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.bus import RedisBus
from squads.adapters.redis_bus.consumer import RedisConsumer
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.seals import SharedSeals
from squads.contracts.errors import BusClosed, BusUnavailable, StorageUnavailable, UnknownRecipient
from squads.contracts.messages import RUNNER, Failed
from squads.kernel.bus_ports import Consumer, Delivery
from squads.kernel.ports import BlobStore
from squads.testing.bus_letters import drained, is_empty, letter, number_of, raised, soon, stopped
from squads.testing.conformance_bus_answers import answer_to
from squads.testing.redis_server import RedisServer

BEAT, DEAD = 0.1, 0.4


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    with server.client() as client:
        yield client


Buses = Callable[..., RedisBus]


@asynccontextmanager
async def buses_on(server: RedisServer) -> AsyncIterator[Buses]:
    """Yield a maker of buses of one workspace, each like a process of its own; all are closed at the end."""
    workspace, made = token_hex(8), []

    def make(*addresses: str, **options: Any) -> RedisBus:
        given = {"heartbeat_seconds": BEAT, "dead_after_seconds": DEAD} | options
        bus = RedisBus(Link.open(BusAddress.parse(server.url)), workspace, SharedSeals(bytes(32)), **given)
        for address in addresses or ("carpenter", RUNNER):
            bus.declare(address)
        made.append(bus)
        return bus

    try:
        yield make
    finally:
        for bus in made:
            await bus.close()


@pytest.fixture
async def buses(server: RedisServer) -> AsyncIterator[Buses]:
    async with buses_on(server) as make:
        yield make


async def until(holds: Callable[[], Any]) -> None:
    """Wait until it holds; fail when it does not."""
    async with asyncio.timeout(10):
        for _ in iter(lambda: bool(holds()), True):
            await asyncio.sleep(0.005)


async def die(bus: RedisBus, consumer: RedisConsumer) -> None:
    """End a consumer as a process ends that is killed: no more beats, no more reads, nothing given back."""
    bus._heartbeat._ended.set()
    assert consumer._task is not None
    await stopped(consumer._task)


def failed(number: int) -> Failed:
    body = letter(number).body
    assert isinstance(body, Failed)
    return body


def wipe(client: Any, bus: RedisBus, *patterns: str) -> None:
    """Take everything of the workspace, or what matches."""
    for pattern in patterns or ("*",):
        if keys := client.keys(bus.names.root + pattern):
            client.delete(*keys)


# Death --------------------------------------------------------------------------------------------------------------


async def test_what_the_dead_had_is_tried_alone_by_another(buses: Buses, client: Any) -> None:
    """Its messages come again, one at a time, to somebody who does nothing else meanwhile; no delivery is counted."""
    dying, living = buses(), buses()
    for n in range(2):
        await dying.send(letter(n))
    first = dying.consumer("carpenter", slots=2)
    for _ in range(2):
        await soon(first.receive())
    await die(dying, first)
    await living.send(letter(2))
    second = living.consumer("carpenter", slots=5)
    innocent = await soon(second.receive())
    assert number_of(innocent) == 2
    await innocent.ack()

    alone = await soon(second.receive())
    await living.send(letter(3))

    assert (number_of(alone), alone.attempt, alone.alone) == (0, 1, True)
    assert await is_empty(second, 0.3)
    await alone.ack()
    assert sorted(await drained(second, 2)) == [1, 3]
    edge = living.names.requests("carpenter")
    assert [row["name"] for row in client.xinfo_consumers(edge.key, "carpenter")] == [second.name.encode()]


async def test_whoever_finds_a_dead_ones_work_makes_room_for_it(buses: Buses) -> None:
    """A consumer that is never idle would never be alone: it fetches nothing more until its hands are empty."""
    dying, living = buses(), buses()
    await dying.send(letter(0))
    first = dying.consumer("carpenter")
    await soon(first.receive())
    await living.send(letter(1))
    second = living.consumer("carpenter", slots=3)
    busy = await soon(second.receive())
    await die(dying, first)
    waiting = asyncio.create_task(second.receive())
    await until(lambda: second._quiet)
    await living.send(letter(2))
    await asyncio.wait({waiting}, timeout=0.2)
    assert not waiting.done()

    await busy.ack()

    alone = await soon(waiting)
    assert (number_of(alone), alone.alone) == (0, True)
    await alone.ack()
    assert await drained(second, 1) == [2]


async def test_what_waits_alone_for_long_gets_its_turn(buses: Buses, client: Any) -> None:
    """Also where nobody who is idle comes for it, and nobody here found it."""
    bus = buses(heartbeat_seconds=0.05, dead_after_seconds=0.2)
    consumer = bus.consumer("carpenter", slots=2)
    await bus.send(letter(1))
    held = await soon(consumer.receive())
    await bus.send(letter(0))
    edge = bus.names.requests("carpenter")
    ((entry, fields),) = client.xrange(edge.key, min="(" + held.entries[0].id)
    client.xdel(edge.key, entry)
    client.xadd(edge.lane, fields)

    for number in range(2, 5_000):  # there is always more to do
        await bus.send(letter(number))
        waiting = asyncio.create_task(consumer.receive())
        await until(lambda waiting=waiting: waiting.done() or consumer._quiet)  # type: ignore[misc]
        await held.ack()
        held = await soon(waiting)
        if held.alone:
            break

    assert (number_of(held), held.alone) == (0, True)
    await held.ack()


async def test_poison_dies_alone(buses: Buses) -> None:
    """What kills every worker is a dead letter after as many crashes alone as allowed; its neighbours live."""
    last = buses()
    for n in range(3):
        await last.send(letter(n))
    done: list[int] = []
    for _ in range(20):
        bus = buses(deliveries_max=2)
        consumer = bus.consumer("carpenter", slots=3)
        while True:
            waiting = asyncio.create_task(consumer.receive())
            await asyncio.wait({waiting}, timeout=1.5)
            if not waiting.done():
                await stopped(waiting)
                break
            delivery = waiting.result()
            if number_of(delivery) == 1:
                await die(bus, consumer)
                break
            done.append(number_of(delivery))
            await delivery.ack()
        if await last.dead():
            break

    (dead,) = await last.dead()
    assert (letter(1), "crashed its worker", 2) == (dead.envelope, dead.reason, dead.deliveries)
    assert set(done) <= {0, 2}
    if len(set(done)) < 2:
        await drained(last.consumer("carpenter"), 2 - len(set(done)))


async def test_a_dead_runners_answers_wait_again(buses: Buses) -> None:
    """They are not suspected of anything: another runner has them all at once."""
    dying, living = buses(), buses()
    request = letter(1)
    for n in range(3):
        await dying.send(request.reply(failed(n)).but(id=letter(n).id))
    first = dying.consumer(RUNNER, slots=3)
    for _ in range(3):
        await soon(first.receive())
    await die(dying, first)

    second = living.consumer(RUNNER, slots=3)
    assert sorted([number_of(await soon(second.receive())) for _ in range(3)]) == [0, 1, 2]


async def test_a_blocked_event_loop_is_not_a_death(buses: Buses, client: Any) -> None:
    """The heartbeat beats on while nothing else in the process does."""
    bus = buses()
    await bus.send(letter(1))
    consumer = bus.consumer("carpenter")
    await soon(consumer.receive())
    key = bus.names.heartbeat(consumer.name)

    end = monotonic() + 3 * DEAD
    while monotonic() < end:  # the loop stands still all the while
        assert client.pttl(key) > 0


async def test_an_owner_whose_reader_is_slow_keeps_what_it_has(buses: Buses) -> None:
    """Working for longer than any time-out is no death: nobody else gets the message."""
    bus, other = buses(), buses()
    await bus.send(letter(1))
    delivery = await soon(bus.consumer("carpenter").receive())

    assert await is_empty(other.consumer("carpenter"), 4 * DEAD)
    assert await delivery.reply(answer_to(delivery)) is True


async def test_names_of_consumers_do_not_pile_up(buses: Buses, client: Any) -> None:
    """Whoever closes takes its name and its heartbeat along."""
    bus = buses()
    await bus.send(letter(1))
    for _ in range(20):
        consumer = bus.consumer("carpenter")
        await soon(consumer.receive())
        await consumer.close()

    assert client.xinfo_consumers(bus.names.requests("carpenter").key, "carpenter") == []
    assert client.keys(bus.names.heartbeat("*")) == []


# Loss ---------------------------------------------------------------------------------------------------------------


async def test_an_answer_to_a_read_that_was_lost_loses_nothing(buses: Buses, client: Any) -> None:
    """What is pending under a consumer's name and not in its hands is taken in by its sweep."""
    bus = buses()
    consumer = bus.consumer("carpenter")
    await bus.send(letter(0))
    await (await soon(consumer.receive())).ack()
    reading = asyncio.create_task(consumer.receive())
    await bus.send(letter(1))
    delivery = await soon(reading)
    key = bus.names.requests("carpenter").key
    await bus.send(letter(2))
    client.xreadgroup("carpenter", consumer.name, {key: ">"})
    await delivery.ack()

    again = await soon(consumer.receive())

    assert (number_of(again), again.attempt) == (2, 1)
    await again.ack()
    await soon(bus.drain())


@pytest.mark.parametrize("what", [("*",), ("q:*",), ("q:*r",)], ids=["everything", "queues", "streams-alone"])
async def test_what_was_lost_is_sent_again(buses: Buses, client: Any, what: tuple[str, ...]) -> None:
    """Whoever keeps the ledger is told, and the same ids are accepted anew."""
    bus = buses()
    told: list[bool] = []

    async def send_again() -> None:
        told.append(await bus.send(letter(1)))

    bus.on_loss = send_again
    consumer = bus.consumer("carpenter")
    await bus.send(letter(0))
    await (await soon(consumer.receive())).ack()
    reading = asyncio.create_task(consumer.receive())
    await asyncio.sleep(0)
    client.hset(bus.names.meta, "a", "b")
    await bus.send(letter(1), timeout=5)
    await soon(reading)
    reading = asyncio.create_task(consumer.receive())
    await bus.send(letter(2))
    await soon(reading)
    reading = asyncio.create_task(consumer.receive())
    await until(lambda: client.xinfo_consumers(bus.names.requests("carpenter").key, "carpenter"))

    wipe(client, bus, *what)

    await until(lambda: told)
    assert told == [True]
    assert not reading.done() or number_of(reading.result()) == 1
    await stopped(reading)


async def test_a_loss_that_somebody_else_mended_is_noticed(buses: Buses, client: Any) -> None:
    """Whoever has no time to read is not told by the server, and looks for itself."""
    bus, other = buses(), buses()
    told = asyncio.Event()

    async def tell() -> None:
        told.set()

    bus.on_loss = tell
    await bus.send(letter(1))
    await soon(bus.consumer("carpenter").receive())
    edge = bus.names.requests("carpenter")
    wipe(client, bus)
    await other.opened(edge, "carpenter")

    await soon(told.wait())


async def test_what_was_worked_out_when_all_was_lost_still_counts(buses: Buses, client: Any) -> None:
    """The answer is accepted, and its request, sent again meanwhile, is answered without being worked on again."""
    bus = buses()
    await bus.send(letter(1))
    consumer = bus.consumer("carpenter", slots=2)
    delivery = await soon(consumer.receive())
    wipe(client, bus)

    assert await delivery.reply(answer_to(delivery)) is True
    assert await bus.send(letter(1)) is True

    assert await is_empty(consumer, 0.5)
    runner = bus.consumer(RUNNER)
    assert await drained(runner, 1) == [1]
    assert await is_empty(runner, 0.2)
    await soon(bus.drain())


async def test_a_message_that_stands_there_twice_is_one(buses: Buses, client: Any) -> None:
    """The second entry of what is being worked on is done with together with the first."""
    bus = buses()
    await bus.send(letter(1))
    key = bus.names.requests("carpenter").key
    ((_, fields),) = client.xrange(key)
    client.xadd(key, fields)
    consumer = bus.consumer("carpenter", slots=3)
    delivery = await soon(consumer.receive())
    await until(lambda: len(consumer._held[letter(1).id].entries) == 2)

    assert await is_empty(consumer, 0.1)
    assert await delivery.reply(answer_to(delivery)) is True
    assert client.xlen(key) == 0


async def test_giving_back_to_and_fro_loses_nothing(buses: Buses) -> None:
    """A message may come back to who is still giving it back: that is the message, not a second one of it."""
    first, second = buses(), buses()
    for n in range(20):
        await first.send(letter(n))
    done: list[int] = []

    async def read(consumer: Consumer) -> None:
        deferred: dict[int, int] = {}

        async def handle(delivery: Delivery) -> None:
            number = number_of(delivery)
            deferred[number] = deferred.get(number, 0) + 1
            if deferred[number] <= 5:
                await delivery.defer()
            else:
                await delivery.ack()
                done.append(number)

        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(handle(await consumer.receive()))

    readers = [asyncio.create_task(read(bus.consumer("carpenter", slots=7))) for bus in (first, second)]
    await soon(first.drain())
    await until(lambda: len(done) >= 20)
    await stopped(*readers)

    assert sorted(done) == list(range(20))


@pytest.mark.parametrize("how", ["reply", "ack", "bury"])
async def test_what_was_taken_away_and_came_back_is_done_with(
    buses: Buses, client: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Taken for dead, its owner gets the very message again while it is about to end it: then it ends that one."""
    bus = buses()
    await bus.send(letter(1))
    consumer = bus.consumer("carpenter", slots=2)
    delivery = await soon(consumer.receive())
    waiting = asyncio.create_task(consumer.receive())
    key, old, kept = bus.names.requests("carpenter").key, delivery.entries[0].id, bus.lasting
    ((_, fields),) = client.xrange(key)

    async def too_late(*given: Any) -> Any:
        if client.xack(key, "carpenter", old):
            client.xdel(key, old)
            client.xadd(key, fields)
            await until(lambda: len(delivery.entries) == 2)
        return await kept(*given)

    monkeypatch.setattr(bus, "lasting", too_late)
    match how:
        case "reply":
            assert await delivery.reply(answer_to(delivery)) is True
        case "ack":
            await delivery.ack()
        case _:
            await delivery.bury("no")

    await stopped(waiting)
    assert client.xlen(key) == 0
    assert client.xlen(bus.names.replies("carpenter").key) == (how == "reply")
    assert len(await bus.dead()) == (how == "bury")


# Garbage ------------------------------------------------------------------------------------------------------------


async def test_garbage_is_a_dead_letter_with_its_reason(buses: Buses, client: Any) -> None:
    """It is not retried and not shown; what is in order behind it comes, and `dead` shows what can be read."""
    bus = buses()
    key = bus.names.requests("carpenter").key
    for fields in ({"x": "y"}, {"b": b"\xff", "s": "s", "k": "shared"}, {"b": "b" * 200_000, "s": "s", "k": "k"}):
        client.xadd(key, fields)
    await bus.send(letter(1))

    assert await drained(bus.consumer("carpenter", slots=2), 1) == [1]

    reasons = [fields[b"reason"] for _, fields in client.xrange(bus.names.dead)]
    assert reasons == [b"unsigned", b"forged", b"too-large"]
    assert await bus.dead() == []
    assert client.xlen(key) == 0


@pytest.mark.parametrize("count", ["-1", "x", "9" * 400, "1e9", ""])
async def test_counts_that_anybody_could_have_written_count_nothing(buses: Buses, client: Any, count: str) -> None:
    """They stand beside the signed bytes, and are not covered by the signature."""
    bus = buses()
    await bus.send(letter(1))
    key = bus.names.requests("carpenter").key
    ((entry, fields),) = client.xrange(key)
    client.xdel(key, entry)
    client.xadd(key, {**fields, "d": count, "c": count})

    delivery = await soon(bus.consumer("carpenter").receive())

    assert delivery.attempt == 1
    await delivery.ack()


async def test_a_border_that_breaks_does_not_break_the_reader(buses: Buses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises, the message is a dead letter and the next one comes."""
    bus = buses()
    await bus.send(letter(1))
    await bus.send(letter(2))
    read = bus.border.read
    broken = [True]

    def reads(*given: Any, **named: Any) -> Any:
        if broken.pop() if broken else False:
            raise RecursionError("too deep")
        return read(*given, **named)

    monkeypatch.setattr(bus.border, "read", reads)

    assert await drained(bus.consumer("carpenter"), 1) == [2]
    monkeypatch.undo()
    assert [(dead.reason, dead.envelope) for dead in await bus.dead()] == [("unreadable", letter(1))]


# Whom it speaks to ----------------------------------------------------------------------------------------------------


async def test_everything_goes_to_or_from_the_runner(buses: Buses) -> None:
    """A message between roles has no edge, and would wait for nobody."""
    bus = buses("carpenter", "mason")
    error = await raised(bus.send(letter(1, "mason").but(sender="carpenter")))

    assert isinstance(error, UnknownRecipient)
    assert "to or from 'runner'" in str(error)


async def test_versions_of_a_role_read_what_was_asked_of_them(buses: Buses) -> None:
    """An old and a new worker of one role stand side by side; their answers reach the runner on one edge."""
    old, new = "carpenter@" + "a" * 16, "carpenter@" + "b" * 16
    bus = buses(old, new, RUNNER)
    for n, prior in enumerate(("a" * 64, "b" * 64)):
        await bus.send(letter(n).but(prior=prior))

    for n, address in enumerate((old, new)):
        delivery = await soon(bus.consumer(address).receive())
        assert number_of(delivery) == n
        await delivery.reply(answer_to(delivery))

    assert sorted(await drained(bus.consumer(RUNNER, slots=5), 2)) == [0, 1]


@pytest.mark.parametrize("slots", [1, 2, 5, 100])
async def test_a_runner_with_many_edges_has_no_more_in_hand_than_its_slots(buses: Buses, slots: int) -> None:
    """Whatever waits on how many edges; and in the end everything was read."""
    roles = [f"role{n}" for n in range(7)]
    bus = buses(RUNNER, *roles)
    requests = [letter(n, role).reply(failed(n)) for role in roles for n in range(3)]
    for request in requests:
        await bus.send(request)
    consumer = bus.consumer(RUNNER, slots=slots)
    for _ in requests:
        delivery = await soon(consumer.receive())
        assert len(consumer._held) <= slots
        await delivery.ack()

    await soon(bus.drain())


async def test_one_too_many_is_given_back(buses: Buses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two edges have news at the very moment of the wait, more comes than there is room for."""
    bus = buses(RUNNER, "carpenter", "mason")
    for n, role in enumerate(("carpenter", "mason")):
        await bus.send(letter(n, role).reply(failed(n)))
    consumer = bus.consumer(RUNNER, slots=1)
    read = consumer._reader.read

    async def too_early(*given: Any, block_ms: int, **named: Any) -> Any:
        return await read(*given, block_ms=block_ms, **named) if block_ms else []

    monkeypatch.setattr(consumer._reader, "read", too_early)
    first = await soon(consumer.receive())
    waits = await depth_of(bus)

    assert len(consumer._held) == 1
    assert waits == 2
    await first.ack()
    assert await drained(consumer, 1) == [1 - number_of(first)]


async def depth_of(bus: RedisBus) -> int:
    """Return how many entries stand on the runner's edges."""
    return sum(await bus.lasting("depth", [edge.key for edge in bus.edges_to(RUNNER)], ()))


async def test_only_free_slots_are_filled(buses: Buses) -> None:
    """What is in hand already counts, and whoever asks for more than that is given what it asks for."""
    bus = buses()
    for n in range(9):
        await bus.send(letter(n))
    consumer = bus.consumer("carpenter", slots=3)
    for held in (3, 3, 3, 4, 5):
        await soon(consumer.receive())
        assert len(consumer._held) == held


async def test_what_its_owner_does_not_come_for_is_for_others(buses: Buses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetched ahead and left lying, a message would wait for as long as its consumer lives."""
    monkeypatch.setattr(consumer_module, "LINGER_SECONDS", 0.05)
    bus, other = buses(), buses()
    for n in range(4):
        await bus.send(letter(n))
    kept = await soon(bus.consumer("carpenter", slots=4).receive())

    rest = await drained(other.consumer("carpenter", slots=4), 3)

    assert sorted([number_of(kept), *rest]) == [0, 1, 2, 3]


async def test_a_reader_that_comes_back_keeps_what_was_fetched(buses: Buses, client: Any) -> None:
    """A cancelled wait is no farewell: what lies ready is not given back under the hands of who comes for it."""
    bus = buses()
    for n in range(3):
        await bus.send(letter(n))
    sent = [entry.decode() for entry, _ in client.xrange(bus.names.requests("carpenter").key)]
    consumer = bus.consumer("carpenter", slots=3)
    first = await soon(consumer.receive())
    consumer._abandoned = True  # as a wait leaves it that was cancelled while the others came in

    rest = [await soon(consumer.receive()) for _ in range(2)]

    assert sent == [delivery.entries[0].id for delivery in (first, *rest)]


async def test_a_reader_that_broke_does_not_keep_anybody_waiting(buses: Buses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ended it, who waits hears that nothing more will come."""
    bus = buses()

    async def broken(_: str) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(bus, "alive", broken)

    assert isinstance(await raised(bus.consumer("carpenter").receive()), BusClosed)


async def test_content_is_waited_for_while_its_store_is_away(buses: Buses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether it is there: that is no fault of the message, and costs it no delivery."""
    bus = buses()
    store = bus.content = cast("BlobStore", object())
    asked: list[str] = []

    async def away_once(envelope: Any, _: Any) -> Any:
        asked.append(envelope.id)
        if len(asked) == 1:
            raise StorageUnavailable("the store is away; wait")
        return envelope

    kept = bus._stored
    monkeypatch.setattr(bus, "picked_up", lambda envelope: kept(away_once, envelope, store))
    monkeypatch.setattr(bus, "_stored", lambda _, envelope, __: kept(lambda e, __: _same(e), envelope, store))
    monkeypatch.setitem(__import__("sys").modules, "squads.adapters.redis_bus.content", _Anything())
    await bus.send(letter(1))

    delivery = await soon(bus.consumer("carpenter").receive())

    assert delivery.attempt == 1
    assert len(asked) == 2


class _Anything:
    set_down = picked_up = None


async def _same(envelope: Any) -> Any:
    return envelope


# Outages and the end --------------------------------------------------------------------------------------------------


async def test_what_is_under_way_survives_a_restart_of_the_server() -> None:
    """Sending, answering and reading wait for the server and go on; nothing is lost and nothing is there twice."""
    with RedisServer(RedisServer.available(own=True)[0], appendfsync="always") as server:
        async with buses_on(server) as make:
            bus = make()
            await bus.send(letter(0))
            consumer = bus.consumer("carpenter", slots=2)
            delivery = await soon(consumer.receive())
            reading = asyncio.create_task(consumer.receive())
            server.kill()
            answering = asyncio.create_task(delivery.reply(answer_to(delivery)))
            sending = asyncio.create_task(bus.send(letter(1)))
            assert isinstance(await raised(bus.send(letter(2), timeout=0.1)), BusUnavailable)
            assert bus.trouble is not None
            assert not sending.done()
            await asyncio.to_thread(server.restart)

            assert await soon(answering) is True
            assert await soon(sending) is True
            assert number_of(await soon(reading)) == 1
            assert await drained(bus.consumer(RUNNER), 1) == [0]
            await until(lambda: bus.healthy and bus.trouble is None)


async def test_what_will_not_mend_itself_is_said_at_once(server: RedisServer) -> None:
    """A wrong password is not waited for."""
    link = Link.open(BusAddress.parse(server.url_of("", "wrong")))
    bus = RedisBus(link, token_hex(8), SharedSeals(bytes(32)))
    bus.declare("carpenter")

    error = await raised(bus.send(letter(1)))
    await bus.close()

    assert isinstance(error, BusUnavailable)
    assert "password" in str(error)
    assert "wrong'" not in str(error)


async def test_health_is_a_read_not_long_ago(buses: Buses, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that never read is not ready, and one with nothing to do is; a closed bus is not."""
    bus = buses()
    assert bus.healthy
    assert bus.since_read is None
    consumer = bus.consumer("carpenter")
    assert not bus.healthy
    assert await is_empty(consumer, 0.1)
    await until(lambda: bus.healthy)
    assert bus.since_read is not None
    await bus.close()
    assert not bus.healthy


async def test_a_closed_bus_leaves_nothing_behind(server: RedisServer, client: Any) -> None:
    """No task, no thread, no name, no heartbeat; whoever waits hears of it."""
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    async with buses_on(server) as make:
        bus = make(RUNNER, "carpenter", backlog_max=2)
        await bus.send(letter(0))
        await bus.send(letter(1))
        await soon(bus.consumer("carpenter", slots=1).receive())
        waiting = [asyncio.create_task(work) for work in (bus.consumer(RUNNER).receive(), bus.send(letter(2)))]
        await until(lambda: client.xinfo_consumers(bus.names.requests("carpenter").key, "carpenter"))
        await bus.close()
        await bus.close()

        assert [type(await raised(work)) for work in waiting] == [BusClosed, BusClosed]
        del waiting
        assert asyncio.all_tasks() == tasks
        assert set(threading.enumerate()) == threads
        assert client.xinfo_consumers(bus.names.requests("carpenter").key, "carpenter") == []
        assert client.keys(bus.names.heartbeat("*")) == []


async def test_a_workspace_can_be_forgotten(buses: Buses, client: Any) -> None:
    """Every key of it, and none of another's."""
    bus = buses()
    client.set("sq:{other}:meta", "kept")
    for n in range(5):
        await bus.send(letter(n))
    await (await soon(bus.consumer("carpenter").receive())).ack()
    assert client.keys(bus.names.everything)

    await bus.forget()

    assert [key for key in client.keys(bus.names.everything) if b":hb:" not in key] == []
    assert client.get("sq:{other}:meta") == b"kept"


def test_a_heartbeat_that_could_not_miss_once_is_refused(server: RedisServer) -> None:
    """One beat that is late must not be a death."""
    with pytest.raises(ValueError, match="one lost beat would be a death"):
        RedisBus(
            Link.open(BusAddress.parse(server.url)),
            "ab",
            SharedSeals(bytes(32)),
            heartbeat_seconds=1.0,
            dead_after_seconds=1.5,
        )
