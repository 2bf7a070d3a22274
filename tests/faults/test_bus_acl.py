"""The access rules of `squads acl` on real servers: what a builder's user can do to anybody else, which is nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from acl_attacks import (
    BUILDER,
    EVERYWHERE,
    FORBIDDEN,
    GATE,
    NAMES,
    OTHER_WS,
    OWN_IN,
    OWN_OUT,
    PRIORS,
    TICKETS,
    VERDICTS,
    WS,
)

from squads.adapters.redis_bus import acl
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.bus import RedisBus
from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names
from squads.adapters.redis_bus.seals import SharedSeals
from squads.contracts.base import digest_of
from squads.contracts.messages import RUNNER, Envelope, Failed
from squads.kernel.bus_ports import Delivery
from squads.testing.redis_server import RedisServer

SEALS = SharedSeals(b"k" * 32)
FLAVOURS = RedisServer.available(own=True)


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    return acl.new_passwords([BUILDER, GATE])


@pytest.fixture(scope="module", params=FLAVOURS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, passwords: dict[str, str]
) -> Iterator[RedisServer]:
    """A server with the very file that the command prints."""
    file = tmp_path_factory.mktemp("acl") / "users.acl"
    file.write_text(acl.text_of(acl.users(WS, [BUILDER, GATE], passwords=passwords)))
    with RedisServer(request.param, acl_file=file).start(enable_debug_command="yes") as server:
        yield server


@pytest.fixture(autouse=True)
def scene(server: RedisServer) -> None:
    """A verdict that waits, tickets that wait, and one of everything that is somebody else's."""
    server.wipe()
    with server.client() as client:
        for stream, group in ((VERDICTS, RUNNER), (TICKETS, "g"), (OWN_IN, "b"), (OWN_OUT, RUNNER)):
            client.xgroup_create(stream, group, "0", mkstream=True)
            client.xadd(stream, {"b": "genuine"}, id="1-1")
        client.xadd(NAMES.dead, {"b": "secret"}, id="1-1")
        client.hset(NAMES.step(f"{GATE}:{'a' * 64}"), "turn", "paid")
        client.hset(NAMES.step("a" * 64), "turn", "paid")
        client.set(NAMES.roster, "signed")
        client.set(NAMES.heartbeat(f"{GATE}.host.1.abcdef"), "1")
        client.set(NAMES.seen(NAMES.replies(GATE), "b" * 64), "1")
        client.set(Names(OTHER_WS).roster, "signed")


@pytest.fixture
def builder(server: RedisServer, passwords: dict[str, str]) -> Iterator[Any]:
    with server.client(acl.user_name(WS, BUILDER), passwords[BUILDER]) as client:
        yield client


def refused(client: Any, *command: object) -> bool:
    """Whether the server refuses a command for want of a right: not for any other reason."""
    from redis.exceptions import NoPermissionError, ResponseError

    try:
        client.execute_command(*command)
    except NoPermissionError:
        return True
    except ResponseError as error:  # inside of a script it says so in other words
        words = str(error).lower()
        assert any(part in words for part in ("permission", "can't access", "can't run", "not allowed from script")), (
            words
        )
        return True
    return False


@pytest.mark.parametrize("command", [pytest.param(command, id=name) for name, command in FORBIDDEN])
def test_a_builder_has_no_power_over_what_is_not_its_own(
    server: RedisServer, builder: Any, command: list[object]
) -> None:
    """Directly, through a script that names its key, and through one that hides it: refused, and nothing changed."""
    before = _everything(server)
    asked = ",".join(f"ARGV[{number}]" for number in range(1, len(command) + 1))
    script = f"return redis.call({asked})"
    key = next(part for part in command if str(part).startswith("sq:"))

    assert refused(builder, *command)
    assert refused(builder, "EVAL", script, 1, key, *command)
    assert refused(builder, "EVAL", script, 0, *command)
    assert refused(builder, "EVAL", script, 1, OWN_OUT, *command)
    assert before == _everything(server)


@pytest.mark.parametrize(
    "command", [pytest.param(command, id="-".join(map(str, command[:2]))) for command in EVERYWHERE]
)
def test_a_builder_may_not_touch_the_server(server: RedisServer, builder: Any, command: list[object]) -> None:
    """Neither directly nor from a script."""
    before = _everything(server)

    assert refused(builder, *command)
    if command[0] not in {"MONITOR", "SHUTDOWN", "SUBSCRIBE", "MULTI", "SAVE", "BGREWRITEAOF", "REPLICAOF", "DEBUG"}:
        asked = ",".join(f"ARGV[{number}]" for number in range(1, len(command) + 1))
        assert refused(builder, "EVAL", f"return redis.call({asked})", 0, *command)
    assert before == _everything(server)


@pytest.mark.parametrize(
    "command",
    [
        ["EVAL_RO", "return 1", 0],
        ["FCALL", "f", 0],
        ["FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)"],
        ["SCRIPT", "LOAD", "return 1"],
    ],
    ids=["eval_ro", "fcall", "function", "script"],
)
def test_there_is_no_other_way_to_run_code(builder: Any, command: list[object]) -> None:
    """EVAL and EVALSHA are the only ones, and they are bound by the same rules."""
    assert refused(builder, *command)


def test_what_a_pcall_hides_has_not_happened(server: RedisServer, builder: Any) -> None:
    """A script that swallows the refusal gets nothing by it."""
    before = _everything(server)
    script = "redis.pcall('XADD', ARGV[1], '*', 'b', 'forged'); return redis.pcall('XRANGE', ARGV[1], '-', '+')"

    try:
        said = builder.execute_command("EVAL", script, 0, VERDICTS)
    except Exception as error:
        said = str(error)
    assert "genuine" not in str(said)
    assert before == _everything(server)


def test_nobody_is_let_in_without_the_password(server: RedisServer) -> None:
    """Every line has one."""
    from redis.exceptions import AuthenticationError

    for role in (RUNNER, acl.WATCH, BUILDER, GATE):
        with server.client(acl.user_name(WS, role), "wrong") as client, pytest.raises(AuthenticationError):
            client.ping()


def test_the_file_lets_nobody_in_without_a_name(server: RedisServer) -> None:
    """The server takes the line for its default user, and whoever is that user can do nothing."""
    from redis.exceptions import AuthenticationError

    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "nobody", "on", ">pw", "+@all", "~*", "nopass")
        client.execute_command("ACL", "SETUSER", "nobody", *acl.DEFAULT_OFF.split()[2:])
        found = client.acl_getuser("nobody")
        with server.client("nobody", "pw") as other, pytest.raises(AuthenticationError):
            other.ping()

    assert not found["enabled"]
    assert [] == found["passwords"]
    assert ["-@all"] == found["categories"]


def test_a_file_without_passwords_is_not_loaded(server: RedisServer, tmp_path: Path) -> None:
    """The placeholder is no password and no absence of one: the server refuses the file as a whole."""
    from redis.exceptions import ResponseError

    for user in acl.users(WS, [BUILDER]):
        assert acl.PLACEHOLDER in user.line
        with server.client() as client, pytest.raises(ResponseError):
            client.execute_command("ACL", "SETUSER", "someone", *user.line.split()[2:])


def test_a_watcher_reads_and_changes_nothing(server: RedisServer, passwords: dict[str, str]) -> None:
    """Enough for `squads status`, and too little for anything else."""
    before = _everything(server)
    with server.client(acl.user_name(WS, acl.WATCH), passwords[acl.WATCH]) as client:
        assert 1 == client.xlen(VERDICTS)
        assert 1 == len(client.xrange(NAMES.dead))
        for command in (
            ["XADD", VERDICTS, "*", "b", "x"],
            ["XREADGROUP", "GROUP", RUNNER, "x", "STREAMS", VERDICTS, ">"],
            ["XDEL", NAMES.dead, "1-1"],
            ["SET", NAMES.roster, "x"],
            ["EVAL", "return 1", 0],
            ["GET", Names(OTHER_WS).roster],
        ):
            assert refused(client, *command), command
    assert before == _everything(server)


def test_a_runner_is_bound_to_its_workspace(server: RedisServer, passwords: dict[str, str]) -> None:
    """Two workspaces on one server do not touch each other, and no runner is the server's master."""
    with server.client(acl.user_name(WS, RUNNER), passwords[RUNNER]) as client:
        for command in (["GET", Names(OTHER_WS).roster], ["SET", Names(OTHER_WS).roster, "x"], ["FLUSHALL"]):
            assert refused(client, *command), command
        for command in (["CONFIG", "SET", "maxmemory", "1"], ["ACL", "LIST"], ["KEYS", "*"], ["SHUTDOWN"]):
            assert refused(client, *command), command


# The work itself, under exactly these users --------------------------------------------------------------------------


@asynccontextmanager
async def buses(server: RedisServer, passwords: dict[str, str]) -> AsyncIterator[dict[str, RedisBus]]:
    found = {}
    for role in (RUNNER, BUILDER, GATE):
        link = Link.open(BusAddress.parse(server.url_of(acl.user_name(WS, role), passwords[role]), environ={}))
        bus = RedisBus(link, WS, SEALS, heartbeat_seconds=0.1, dead_after_seconds=0.4, name="host")
        for name in (BUILDER, GATE):
            bus.declare(f"{name}@{PRIORS[name][:16]}")
        bus.declare(RUNNER)
        found[role] = bus
    try:
        yield found
    finally:
        for bus in found.values():
            await bus.close()


def asked(role: str, number: int) -> Envelope:
    about = digest_of(f"{role}{number}".encode())
    return Envelope(
        id=about,
        sender=RUNNER,
        recipient=role,
        packet="ab" * 16,
        cause=about,
        prior=PRIORS[role],
        body=Failed(about=about, reason="crashed", detail=str(number)),
    )


async def test_the_work_goes_on_under_exactly_these_users(
    server: RedisServer, passwords: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Send, read, reply, give back, bury, beat and reclaim: runner, builder and gate, and not one missing right."""
    server.wipe()
    with server.client() as client:
        client.acl_log_reset()
    async with asyncio.timeout(20), buses(server, passwords) as found:
        runner = found[RUNNER].consumer(RUNNER, slots=4)
        for role in (BUILDER, GATE):
            consumer = found[role].consumer(f"{role}@{PRIORS[role][:16]}", slots=2)
            for number in range(3):
                assert await found[RUNNER].send(asked(role, number))
            for number in range(3):
                delivery = await consumer.receive()
                if number == 0:
                    await delivery.release("once more")
                    delivery = await consumer.receive()
                if number == 1:
                    await delivery.defer()
                    delivery = await consumer.receive()
                assert await delivery.reply(_answer(delivery))
                answer = await runner.receive()
                assert role == answer.envelope.sender
                await answer.ack()
            await found[RUNNER].send(asked(role, 9))
            await (await consumer.receive()).bury("cannot be read")
            await consumer.close()
        await _taken_from_the_dead(server, found, passwords)
        reasons = [letter.reason for letter in await found[RUNNER].dead()]
        with server.client() as client:
            denied = [(entry["username"], entry["object"]) for entry in client.acl_log()]

    assert ["cannot be read"] * 2 == reasons
    assert [] == denied
    assert not [record for record in caplog.records if "NOPERM" in record.getMessage()]


async def _taken_from_the_dead(server: RedisServer, found: dict[str, RedisBus], passwords: dict[str, str]) -> None:
    """A worker that stops beating loses its message to the next one, who looks with a role's rights alone."""
    address = f"{BUILDER}@{PRIORS[BUILDER][:16]}"
    edge = NAMES.requests(address)
    await found[RUNNER].send(asked(BUILDER, 77))
    link = Link.open(BusAddress.parse(server.url_of(acl.user_name(WS, BUILDER), passwords[BUILDER]), environ={}))
    assert await link.reader().read(address, "carpenter.gone.1.abcdef", [edge.key], count=1, block_ms=500)
    await link.close()
    consumer = found[BUILDER].consumer(address)
    delivery = await consumer.receive()
    assert digest_of(f"{BUILDER}77".encode()) == delivery.envelope.cause
    await delivery.ack()
    await consumer.close()


async def test_content_hints_and_roster_work_under_a_roles_user(server: RedisServer, passwords: dict[str, str]) -> None:
    """What a worker reads and writes beside its messages, and only so much."""
    address = BusAddress.parse(server.url_of(acl.user_name(WS, BUILDER), passwords[BUILDER]), environ={})
    link, digest, step = Link.open(address), "d" * 64, NAMES.step(f"{BUILDER}:{'e' * 64}")
    try:
        assert b"OK" == await link.call("SET", NAMES.blob(digest), b"content", "EX", 100)
        assert b"content" == await link.call("GETRANGE", NAMES.blob(digest), 0, 100)
        assert [1, 1] == await link.calls([("EXISTS", NAMES.blob(digest)), ("EXPIRE", NAMES.blob(digest), 100)])
        assert [1, 1] == await link.calls([("HSETNX", step, "f", b"paid"), ("EXPIRE", step, 100)])
        assert [4, b"paid"] == await link.calls([("HSTRLEN", step, "f"), ("HGET", step, "f")])
        assert await link.call("XADD", NAMES.events, "MAXLEN", "~", 100, "*", "h", b"{}")
        assert 1 == len(await link.call("XREVRANGE", NAMES.events, "+", "-", "COUNT", 1))
        assert 1 == len(await link.reader().xread({NAMES.events: "0"}, count=1, block_ms=0))
        assert b"signed" == await link.call("GET", NAMES.roster)
        with pytest.raises(LinkUnavailable) as failed:
            await link.call("XRANGE", NAMES.dead, "-", "+")
    finally:
        await link.close()

    assert "noperm" == failed.value.code


def _answer(delivery: Delivery) -> Envelope:
    return delivery.envelope.reply(Failed(about=delivery.envelope.cause, reason="missing"))


def _everything(server: RedisServer) -> dict[bytes, bytes]:
    """Return every key of the server with its content."""
    with server.client() as client:
        return {key: client.dump(key) for key in sorted(client.keys("*"))}
