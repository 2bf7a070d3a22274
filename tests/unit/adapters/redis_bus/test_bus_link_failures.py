"""Whatever goes wrong with the bus's server has a sentence of its own: what, where, and what to do."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.failures import LinkUnavailable, LinkUnfit
from squads.adapters.redis_bus.link import Link
from squads.contracts.errors import BusUnavailable, BusUnfit
from squads.testing.redis_binaries import Flavour
from squads.testing.redis_server import RedisServer

KEY = "sq:{w}:q"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@asynccontextmanager
async def linked(url: str, *, seconds: float = 2.0) -> AsyncIterator[Link]:
    link = Link.open(BusAddress.parse(url, environ={}), deadline_seconds=seconds)
    try:
        yield link
    finally:
        await link.close()


async def fails(url: str, *command: str, seconds: float = 2.0) -> LinkUnavailable | LinkUnfit:
    async with linked(url, seconds=seconds) as link:
        with pytest.raises((LinkUnavailable, LinkUnfit)) as failed:
            await link.call(*(command or ("PING",)))
    assert isinstance(failed.value, LinkUnavailable | LinkUnfit)
    return failed.value


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """Serve connections with a function, on a port of this machine."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def commands(reader: asyncio.StreamReader) -> AsyncIterator[list[bytes]]:
    """Yield the commands that arrive."""
    while line := await reader.readline():
        parts = []
        for _ in range(int(line[1:])):
            size = int((await reader.readline())[1:])
            parts.append((await reader.readexactly(size + 2))[:-2])
        yield parts


def hello(version: str = "7.4.1", *, mode: str = "standalone", role: str = "master") -> bytes:
    fields = ["server", "redis", "version", version, "mode", mode, "role", role]
    return b"*8\r\n" + b"".join(f"${len(field)}\r\n{field}\r\n".encode() for field in fields)


# The network ---------------------------------------------------------------------------------------------------------


async def test_a_port_that_nobody_listens_on_is_named(unused_port: int) -> None:
    """The address, how often it was tried, and what to do."""
    url = f"redis://:secret@127.0.0.1:{unused_port}"

    failed = await fails(url)

    assert "refused" == failed.code
    assert isinstance(failed, BusUnavailable)
    assert (
        f"the bus at redis://127.0.0.1:{unused_port} cannot be reached (PING, tried 4 times): "
        "nobody listens there; start the server, or check host and port" == str(failed)
    )


async def test_a_name_that_nobody_knows_is_told_from_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the address that must be corrected then."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert "dns" == (await fails("redis://no-such-host.invalid")).code


async def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A path is corrected, or the server started."""
    failed = await fails(f"unix://{tmp_path}/redis.sock")

    assert "missing" == failed.code
    assert f"{tmp_path}/redis.sock" in str(failed)


async def test_the_socket_of_this_machine_is_served(server: RedisServer) -> None:
    """The same link, without a port."""
    assert server.socket_path is not None
    async with linked(f"unix://:{server.password}@{server.socket_path}") as link:
        assert b"PONG" == await link.call("PING")
        heart = link.heart()
        heart.beat([KEY], 1_000)
        heart.close()


async def test_a_server_that_never_answers_is_given_up_at_the_deadline() -> None:
    """It accepted the connection; that is not yet an answer."""

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(1_000):
            pass

    async with listening(silent) as url:
        began = time.monotonic()
        failed = await fails(url, seconds=0.5)

    assert "timeout" == failed.code
    assert 0.4 < time.monotonic() - began < 1.0


async def test_a_connection_that_is_cut_in_the_middle_is_tried_again() -> None:
    """A command that may be repeated is: the caller sees one answer."""
    asked: list[bytes] = []

    async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for command in commands(reader):
            if command[0] == b"HELLO":
                writer.write(hello())
                continue
            asked.append(command[0])
            if len(asked) < 3:
                return
            writer.write(b"+PONG\r\n")

    async with listening(cutting) as url, linked(url) as link:
        assert b"PONG" == await link.call("PING")
    assert [b"PING"] * 3 == asked


async def test_a_connection_that_is_always_cut_is_named_after_a_few_tries() -> None:
    """Few, not eleven, and with pauses that differ."""
    cuts: list[bytes] = []

    async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for command in commands(reader):
            if command[0] != b"HELLO":
                cuts.append(command[0])
                return
            writer.write(hello())

    async with listening(cutting) as url:
        failed = await fails(url)

    assert "reset" == failed.code
    assert 4 == len(cuts)


async def test_where_one_connection_went_silent_the_idle_ones_are_not_trusted() -> None:
    """A way that was cut silences all of them at once; a fresh connection is what the second try needs."""
    silent = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        old = not silent
        async for command in commands(reader):
            if silent and old:
                continue
            writer.write(hello() if command[0] == b"HELLO" else b"+PONG\r\n")

    async with listening(serve) as url, linked(url, seconds=1.0) as link:
        await asyncio.gather(*(link.call("PING") for _ in range(5)))
        silent = True
        assert b"PONG" == await link.call("PING")


async def test_a_read_is_never_repeated() -> None:
    """Its messages may have been handed over already."""
    cuts: list[bytes] = []

    async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for command in commands(reader):
            if command[0] != b"HELLO":
                cuts.append(command[0])
                return
            writer.write(hello())

    async with listening(cutting) as url, linked(url) as link:
        with pytest.raises(LinkUnavailable) as failed:
            await link.reader().read("g", "c", [KEY], count=1, block_ms=10)
    assert ("reset", [b"XREADGROUP"]) == (failed.value.code, cuts)


async def test_what_does_not_speak_redis_is_an_error_and_no_crash() -> None:
    """A web server on the port, for example."""

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(web) as url:
        assert isinstance(await fails(url), LinkUnavailable)


# Who is asking -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "password", "code", "words"),
    [
        ("", "wrong", "wrongpass", "does not accept this password for the default user"),
        ("nobody", "wrong", "wrongpass", "does not accept this password for the user 'nobody'"),
        ("", "", "noauth", "wants a password, and none was given"),
    ],
)
async def test_a_wrong_password_is_told_from_none(
    server: RedisServer, user: str, password: str, code: str, words: str
) -> None:
    """Each names the variables to set, tries once, and repeats no password."""
    login = f"{user}:{password}@" if password else ""

    failed = await fails(f"redis://{login}127.0.0.1:{server.port}")

    assert code == failed.code
    assert words in str(failed)
    assert "SQUADS_BUS_PASSWORD_FILE" in str(failed)
    assert ":wrong" not in str(failed)


async def test_a_missing_right_names_the_command_and_the_user(server: RedisServer) -> None:
    """Whoever keeps the access rules knows which line to look at."""
    with server.client() as client:
        client.acl_setuser("bob", enabled=True, passwords=["+pw"], commands=["+ping"], keys=["sq:*"])

    async with linked(server.url_of("bob", "pw")) as link:
        assert b"PONG" == await link.call("PING")
        with pytest.raises(LinkUnavailable) as failed:
            await link.call("FLUSHALL")

    assert "noperm" == failed.value.code
    assert "does not let the user 'bob' do FLUSHALL there" in str(failed.value)
    assert "squads acl" in str(failed.value)


@pytest.mark.parametrize("flavour", RedisServer.available(own=True))
async def test_a_right_that_is_missing_inside_of_a_script_is_a_missing_right(flavour: Flavour) -> None:
    """Servers say it in other words there, and waiting would not help either."""
    with RedisServer(flavour) as server, server.client() as client:
        client.acl_setuser(
            "bob", enabled=True, passwords=["+pw"], commands=["+evalsha", "+eval"], keys=["sq:{w}:q:mine*"]
        )
        async with linked(server.url_of("bob", "pw")) as link:
            found = []
            for keys in (["sq:{w}:q:mine"], ["sq:{w}:q:other"]):
                with pytest.raises(LinkUnavailable, match="does not let the user 'bob' do EVALSHA") as failed:
                    await link.script("depth", keys)
                found.append(failed.value.code)
            with pytest.raises(LinkUnavailable) as failed:
                await link.call("EVAL", "return redis.call('GET', ARGV[1])", 1, "sq:{w}:q:mine", "sq:{w}:q:other")

    assert ["noperm"] * 3 == [*found, failed.value.code]


async def test_the_least_user_can_connect_and_learn_what_the_server_is(server: RedisServer) -> None:
    """No right is needed for the version check, nor for looking which newer commands there are."""
    with server.client() as client:
        client.acl_setuser("eve", enabled=True, passwords=["+pw"])

    async with linked(server.url_of("eve", "pw")) as link:
        facts = await link.server()
    assert server.flavour == facts.brand


# The server ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["6.2.14", "5.0.3", "6.9.240"])
async def test_an_old_server_is_unfit(version: str) -> None:
    """It would lack what the guarantees are made of; this is found at the first use."""

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for command in commands(reader):
            writer.write(hello(version) if command[0] == b"HELLO" else b"+PONG\r\n")

    async with listening(old) as url:
        failed = await fails(url)

    assert isinstance(failed, BusUnfit)
    assert f"is Redis {version}, and the bus needs Redis 7.0 or Valkey 7.2 at least" in str(failed)


async def test_a_sentinel_is_not_taken_for_a_server() -> None:
    """Its address is of another kind, and the sentence says which."""

    async def sentinel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for command in commands(reader):
            writer.write(hello(mode="sentinel") if command[0] == b"HELLO" else b"+PONG\r\n")

    async with listening(sentinel) as url:
        assert "redis+sentinel://" in str(await fails(url))


async def test_a_full_memory_is_named(server: RedisServer) -> None:
    """maxmemory is reached and nothing is evicted: nothing is accepted, and nothing is lost."""
    with server.client() as client:
        client.config_set("maxmemory", "1kb")
        failed = await fails(server.url, "XADD", KEY, "*", "b", "x")
        client.config_set("maxmemory", "0")

    assert "oom" == failed.code
    assert "raise maxmemory" in str(failed)


async def test_a_replica_takes_no_writes_and_says_so() -> None:
    """Two servers, and the address of the wrong one."""
    with RedisServer() as primary, RedisServer(password=primary.password) as replica:
        with replica.client() as client:
            client.replicaof("127.0.0.1", str(primary.port))
        failed = await fails(replica.url, "XADD", KEY, "*", "b", "x")

    assert "readonly" == failed.code
    assert "is a replica, which takes no writes" in str(failed)


@pytest.mark.parametrize(
    ("answer", "code", "words", "tries"),
    [
        ("MISCONF Errors writing to the AOF file: No space left on device", "misconf", "make room", 1),
        ("LOADING Redis is loading the dataset in memory", "loading", "wait", 4),
        ("BUSY Redis is busy running a script.", "busy", "SCRIPT KILL", 4),
        ("CLUSTERDOWN Hash slot not served", "clusterdown", "is a cluster that is down", 4),
        ("NOREPLICAS Not enough good replicas to write.", "noreplicas", "too few replicas", 4),
        ("ERR max number of clients reached", "clients", "maxclients", 4),
        ("MOVED 3999 127.0.0.1:1", "cluster", "redis\\+cluster://", 1),
        ("ERR something else entirely", "err", "answered PING with an error: something else entirely", 1),
    ],
)
async def test_what_the_server_refuses_is_said_in_our_words(answer: str, code: str, words: str, tries: int) -> None:
    """What may pass is tried again, within the deadline; what will not is raised at once."""
    asked: list[bytes] = []

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for command in commands(reader):
            if command[0] == b"HELLO":
                writer.write(hello())
                continue
            asked.append(command[0])
            writer.write(f"-{answer}\r\n".encode())

    async with listening(refusing) as url, linked(url, seconds=5.0) as link:
        with pytest.raises((LinkUnavailable, LinkUnfit), match=words) as failed:
            await link.call("PING")
    assert isinstance(failed.value, LinkUnavailable | LinkUnfit)
    assert (code, tries) == (failed.value.code, len(asked))


async def test_an_answer_without_end_of_text_is_cut() -> None:
    """A server's words are repeated in part: they are not ours."""

    async def talking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for command in commands(reader):
            writer.write(hello() if command[0] == b"HELLO" else b"-ERR " + b"x" * 10_000 + b"\r\n")

    async with listening(talking) as url:
        assert 400 > len(str(await fails(url)))


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
