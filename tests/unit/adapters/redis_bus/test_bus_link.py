"""The link: raw answers, one deadline, readers that hold up nobody, and a heart for a thread."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio.connection import Connection

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.adapters.redis_bus.lines import Lines, ask, new_connection, packed
from squads.adapters.redis_bus.link import Link, script_text, slot_of
from squads.adapters.redis_bus.reader import BLOCK_MS_MAX
from squads.contracts.errors import BusClosed
from squads.testing.redis_server import RedisServer

KEY = "sq:{w}:q"
FLAVOURS = RedisServer.available(own=True)


@pytest.fixture(scope="module", params=FLAVOURS)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


@pytest.fixture
async def link(server: RedisServer) -> AsyncIterator[Link]:
    server.wipe()
    link = Link.open(BusAddress.parse(server.url), deadline_seconds=2.0)
    yield link
    await link.close()


async def test_answers_come_as_bytes_and_numbers(link: Link) -> None:
    """What the server said, and nothing that a client made of it."""
    await link.call("HSET", KEY, "a", b"\x00\xff")

    assert [b"a", b"\x00\xff"] == await link.call("HGETALL", KEY)
    assert 1 == await link.call("EXISTS", KEY)
    assert await link.call("GET", "sq:{w}:none") is None


async def test_commands_in_one_go_answer_in_order(link: Link) -> None:
    """A pipeline's answers stand where their commands stood."""
    assert [b"OK", b"1", 1] == await link.calls([("SET", KEY, 1), ("GET", KEY), ("DEL", KEY)])
    assert [] == await link.calls([])


async def test_an_error_in_the_middle_leaves_the_others_their_answers(link: Link) -> None:
    """All were answered before it is raised, so nobody else gets the rest."""
    commands = [("SET", KEY, 1), ("LPUSH", KEY, 1), ("GET", KEY)]

    with pytest.raises(LinkUnavailable) as failed:
        await link.calls(commands)
    kept = await link.calls(commands, keep_errors=True)

    assert "wrongtype" == failed.value.code
    assert (b"OK", b"1") == (kept[0], kept[2])
    assert isinstance(kept[1], LinkUnavailable)
    assert b"PONG" == await link.call("PING")


async def test_a_script_is_given_to_a_server_that_lost_it(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts are gone after a restart, a failover or SCRIPT FLUSH; the caller does not notice."""
    text = b"return {KEYS[1], ARGV[1]}"
    monkeypatch.setattr("squads.adapters.redis_bus.link._scripts", {"echo": (text, _digest(text))})

    for _ in range(2):
        assert [KEY.encode(), b"x"] == await link.script("echo", [KEY], ["x"])
        assert [KEY.encode(), b"y"] == await link.script("echo", [KEY], ["y"])
        await link.call("SCRIPT", "FLUSH")


@pytest.mark.parametrize(
    "key",
    ["sq:{w}:q:a:b", "sq:{w}:blob:x{y}", "{w}", "sq:{}:q}", "sq:{w", "sq:{0123456789abcdef0123456789abcdef}:dead"],
)
def test_a_key_goes_to_the_slot_that_the_server_would_say(key: str) -> None:
    """The hash tag alone decides; what is no tag is the whole key's."""
    from redis.crc import key_slot

    assert key_slot(key.encode()) == slot_of(("GET", key))
    assert key_slot(key.encode()) == slot_of((1, key, b"{other}"))


def test_a_command_is_packed_as_the_client_packs_it() -> None:
    """Bytes as they are, text as UTF-8, numbers as text; length in bytes."""
    command = ("XADD", "sq:{w}:ü", "*", b"b", b"\x00\r\n", 17, b"")

    assert b"".join(Connection().pack_command(*command)) == packed(command)


def test_scripts_are_files_of_the_package() -> None:
    """An unknown one is a mistake in the program, and says so at once."""
    with pytest.raises(ValueError, match="there is no script"):
        script_text("nobody-wrote-this")


async def test_a_reader_hands_out_new_messages_by_stream(link: Link) -> None:
    """Streams without news are left out."""
    await link.call("XGROUP", "CREATE", KEY, "g", "0", "MKSTREAM")
    await link.call("XGROUP", "CREATE", KEY + "2", "g", "0", "MKSTREAM")
    entry = (await link.call("XADD", KEY, "*", "b", b"\x00")).decode()
    reader = link.reader()

    assert [(KEY, [(entry, {b"b": b"\x00"})])] == await reader.read("g", "c", [KEY, KEY + "2"], count=9, block_ms=50)
    assert [] == await reader.read("g", "c", [KEY], count=1, block_ms=0)
    assert [(KEY, [(entry, {b"b": b"\x00"})])] == await reader.xread({KEY: "0"}, count=9, block_ms=0)


async def test_a_group_that_is_gone_has_its_own_code(link: Link) -> None:
    """So a consumer can make it again at 0."""
    with pytest.raises(LinkUnavailable) as failed:
        await link.reader().read("nobody", "c", [KEY], count=1, block_ms=0)
    assert "nogroup" == failed.value.code


@pytest.mark.parametrize("asked", [BLOCK_MS_MAX + 1, 10**9])
async def test_no_read_waits_longer_than_the_bound(link: Link, monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    """A longer wait would outlive a connection that is only half open."""
    monkeypatch.setattr("squads.adapters.redis_bus.reader.BLOCK_MS_MAX", 50)

    async with asyncio.timeout(1.5):
        assert [] == await link.reader().xread({KEY: "$"}, count=1, block_ms=asked)


async def test_waiting_readers_hold_up_no_command(link: Link) -> None:
    """Each reader has a connection of its own: fifty that wait leave the commands theirs."""
    readers = [asyncio.create_task(link.reader().xread({KEY: "$"}, count=1, block_ms=1_500)) for _ in range(50)]
    async with asyncio.timeout(1.4):
        for _ in range(100):
            await asyncio.gather(*(link.call("PING") for _ in range(3)))
            if blocked := await _blocked(link, 50):
                break

    assert blocked
    assert not any(task.done() for task in readers)
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def test_a_cancelled_command_leaves_its_answer_to_nobody(link: Link) -> None:
    """Its connection is dropped: the next command gets its own answer."""
    for number in range(30):
        task = asyncio.create_task(link.call("ECHO", f"lost-{number}"))
        for _ in range(number % 6):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert f"kept-{number}".encode() == await link.call("ECHO", f"kept-{number}")


async def test_a_cancelled_read_takes_no_message_of_the_next_one(link: Link) -> None:
    """The server may deliver to a connection that is gone; another reader's answers stay its own."""
    reader = link.reader()
    task = asyncio.create_task(reader.xread({KEY: "$"}, count=1, block_ms=1_500))
    async with asyncio.timeout(1.4):
        while not await _blocked(link, 1):
            pass
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await link.call("XADD", KEY, "*", "b", "late")

    assert [] == await reader.xread({"sq:{w}:other": "0"}, count=1, block_ms=0)


async def test_a_line_that_was_left_in_the_middle_is_closed(server: RedisServer) -> None:
    """Whatever went wrong between asking and hearing: the answer that is on its way reaches nobody."""
    address = BusAddress.parse(server.url)
    lines = Lines(lambda: new_connection(address, address.hosts[0], connect_seconds=2.0), lines_max=1)

    async def left() -> None:
        async with lines.line() as line:
            await line.send_command("ECHO", "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await left()
    async with lines.line() as line:
        assert b"kept" == await ask(line, ("ECHO", "kept"))
    await lines.close()


async def test_an_idle_line_that_was_closed_is_noticed_before_it_is_lent(server: RedisServer) -> None:
    """The first command after a quiet night is not the one that finds out."""
    address = BusAddress.parse(server.url)
    lines = Lines(lambda: new_connection(address, address.hosts[0], connect_seconds=2.0), lines_max=1)
    async with lines.line() as line:
        own = await ask(line, ("CLIENT", "ID"))
    with server.client() as client:
        client.client_kill_filter(_id=str(own))
    async with asyncio.timeout(2):
        assert lines._idle[0]._reader is not None
        await lines._idle[0]._reader._wait_for_data("test")  # type: ignore[attr-defined]
    async with lines.line() as line:
        assert own != await ask(line, ("CLIENT", "ID"))
    await lines.close()


async def test_two_hundred_at_once_share_a_few_connections(server: RedisServer, link: Link) -> None:
    """The pool is bounded and waits its turn; it does not raise, and it does not open a connection for each."""
    answers = await asyncio.gather(*(link.call("ECHO", n) for n in range(200)))

    assert [str(n).encode() for n in range(200)] == answers
    with server.client() as client:
        assert 20 > len(client.client_list())


async def test_a_server_that_came_back_is_used_again(server: RedisServer, link: Link) -> None:
    """Connections that a restart cut are thrown away together, and the command is repeated."""
    await asyncio.gather(*(link.call("SET", f"sq:{{w}}:{n}", n) for n in range(50)))
    server.restart()

    assert [b"3"] * 20 == list(await asyncio.gather(*(link.call("GET", "sq:{w}:3") for _ in range(20))))


async def test_the_server_is_known_by_its_own_word(server: RedisServer, link: Link) -> None:
    """Brand, version and the newer commands it has; what it does not have is not claimed."""
    facts = await link.server()

    assert server.flavour == facts.brand
    assert (7, 0, 0) <= facts.version
    assert ("standalone", True) == (facts.mode, facts.primary)
    assert ("waitaof" in facts.commands) == (facts.version >= (7, 2, 0))
    assert "xnack" not in facts.commands


async def test_a_heart_beats_while_the_loop_is_busy(server: RedisServer, link: Link) -> None:
    """It has a connection of its own, in a thread of its own."""
    heart, beaten = link.heart(), []

    def beat() -> None:
        heart.beat(["sq:{w}:hb:a", "sq:{w}:hb:b"], 10_000)
        beaten.append(True)

    thread = threading.Thread(target=beat)
    thread.start()
    thread.join(5)  # the loop does nothing meanwhile

    with server.client() as client:
        assert 9_000 < client.pttl("sq:{w}:hb:a") <= 10_000
        heart.drop(["sq:{w}:hb:a", "sq:{w}:hb:b"])
        assert 0 == client.exists("sq:{w}:hb:a", "sq:{w}:hb:b")
    heart.close()
    heart.close()


async def test_a_heart_survives_a_cut_connection(server: RedisServer, link: Link) -> None:
    """One beat that meets a closed connection connects again by itself."""
    heart = link.heart()
    heart.beat(["sq:{w}:hb:a"], 10_000)
    server.restart()
    heart.beat(["sq:{w}:hb:a"], 10_000)

    assert 1 == await link.call("EXISTS", "sq:{w}:hb:a")
    heart.close()


async def test_a_closed_link_says_so(server: RedisServer) -> None:
    """Nothing opens a connection again behind the back of whoever closed it."""
    link = Link.open(BusAddress.parse(server.url))
    reader = link.reader()
    await link.call("PING")
    waiting = asyncio.create_task(reader.xread({KEY: "$"}, count=1, block_ms=2_000))
    async with asyncio.timeout(1.5):
        while not await _blocked(link, 1):
            pass
    await link.close()
    await link.close()

    with pytest.raises(BusClosed):
        await waiting
    with pytest.raises(BusClosed):
        await link.call("PING")
    with pytest.raises(BusClosed):
        await reader.xread({KEY: "$"}, count=1, block_ms=0)


async def test_nothing_of_the_client_says_the_password(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Not a warning about a connection left open, not a log line, not a `repr`."""
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        link = Link.open(BusAddress.parse(server.url))
        await link.call("PING")
        shown = [repr(link), repr(vars(link)), *map(repr, next(iter(link._lines.values()))._idle)]
        for lines in link._lines.values():
            lines._idle.clear()  # left open on purpose
        gc.collect()
        await link.close()

    texts = [*shown, caplog.text, *(str(warning.message) for warning in warned)]
    assert any("unclosed Connection" in text for text in texts)
    assert not any(server.password in text for text in texts)


def test_importing_squads_imports_no_redis() -> None:
    """The client costs a third of a second; whoever has no bus does not pay it."""
    code = (
        "import sys, squads, squads.squad, squads.adapters.redis_bus.link as link\n"
        "from squads.adapters.redis_bus.address import BusAddress\n"
        "link.Link.open(BusAddress.parse('redis://localhost'))\n"
        "print('redis' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "False" == done.stdout.strip()


async def test_an_idle_link_of_a_dead_server_fails_within_its_deadline(server: RedisServer) -> None:
    """A frozen server keeps its connections open and says nothing: the deadline is ours."""
    link = Link.open(BusAddress.parse(server.url), deadline_seconds=0.4)
    await link.call("PING")
    began = time.monotonic()
    with server.paused(), pytest.raises(LinkUnavailable, match="no answer came in time") as failed:
        await link.call("PING")

    assert "timeout" == failed.value.code
    assert time.monotonic() - began < 1.0
    await link.close()


async def _blocked(link: Link, number: int) -> bool:
    info = (await link.call("INFO", "clients")).decode()
    return f"blocked_clients:{number}\r" in info


def _digest(text: bytes) -> str:
    from hashlib import sha1

    return sha1(text, usedforsecurity=False).hexdigest()
