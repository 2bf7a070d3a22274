"""What a squad over a server makes of one that is not there, is set up wrong, or goes away, and of roles unserved."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_processes import CARDS, Workshop, workshop

from squads import Composed, Limits, NotComposed, Packet
from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.audit import audit
from squads.contracts.errors import BusUnavailable, BusUnfit
from squads.testing.redis_server import RedisServer

ALL = ("carpenter", "one-task", "schema")
SECRET = "not-the-password"


@pytest.fixture(scope="module")
def steady() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
def shop(tmp_path: Path, steady: RedisServer) -> Iterator[Workshop]:
    with workshop(tmp_path / "work", steady) as found:
        yield found


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop whose server can be killed, frozen and set up anew."""
    with RedisServer(RedisServer.available(own=True)[0]) as server, workshop(tmp_path / "work", server) as found:
        yield found


# Before anything begins. ----------------------------------------------------------------------------------------------


async def test_a_server_that_is_not_there_is_one_sentence(shop: Workshop) -> None:
    """The address without its password, what was tried, what to do; nothing was opened."""
    url = f"redis://:{SECRET}@127.0.0.1:1"
    with pytest.raises(BusUnavailable, match=r"the bus at redis://127.0.0.1:1 cannot be reached .*start the server"):
        await shop.squad(bus=url).run("A table.")
    done = [await asyncio.to_thread(shop.squads, *command, SQUADS_BUS=url) for command in (("run", "A."), ("serve",))]
    standing = json.loads((await asyncio.to_thread(shop.squads, "status", "--json", SQUADS_BUS="")).stdout)

    for each in done:
        assert (2, "") == (each.returncode, each.stdout)
        assert each.stderr.startswith("squads: the bus at redis://127.0.0.1:1 cannot be reached")
        assert 1 == len(each.stderr.splitlines())
        assert SECRET not in each.stderr
    assert [] == standing["open"]


async def test_a_wrong_password_is_a_sentence_of_its_own(shop: Workshop) -> None:
    """It says where the right one goes, and never what the wrong one was."""
    url = shop.server.url_of("", SECRET)
    with pytest.raises(LinkUnavailable, match="does not accept this password") as told:
        await shop.squad(bus=url).run("A table.")
    done = await asyncio.to_thread(shop.squads, "run", "A table.", SQUADS_BUS=url)

    assert (2, True) == (done.returncode, "SQUADS_BUS_PASSWORD_FILE" in done.stderr)
    assert SECRET not in f"{told.value!r}{done.stdout}{done.stderr}"


async def test_a_server_that_throws_work_away_is_refused_by_everybody(frail: Workshop) -> None:
    """A runner and a worker both say which line to change, before they send or read anything."""
    async with frail.squad():
        pass
    with frail.server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(BusUnfit, match="CONFIG SET maxmemory-policy noeviction"):
        await frail.squad().run("A table.")
    done = await asyncio.to_thread(frail.squads, "worker", "--role", "schema")

    assert (2, True) == (done.returncode, "maxmemory-policy is allkeys-lru" in done.stderr), done.stderr


async def test_a_server_that_is_too_old_is_named_with_its_version(shop: Workshop) -> None:
    """What stands between here and the server lets it say that it is Redis 6.2."""

    async def carry(source: asyncio.StreamReader, to: asyncio.StreamWriter, *, older: bool) -> None:
        while data := await source.read(65_536):
            hello = re.sub(rb"(version\r\n\$)\d+\r\n[\d.]+", rb"\g<1>6\r\n6.2.14", data.replace(b"valkey", b"xalkey"))
            to.write(hello if older else data)
        to.close()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs = await asyncio.open_connection(shop.server.host, shop.server.port)
        await asyncio.gather(carry(reader, theirs[1], older=False), carry(theirs[0], writer, older=True))

    async with await asyncio.start_server(between, "127.0.0.1", 0) as old:
        url = f"redis://:{shop.server.password}@127.0.0.1:{old.sockets[0].getsockname()[1]}"
        with pytest.raises(BusUnfit, match=r"is Redis 6\.2\.14, and the bus needs Redis 7\.0 or Valkey 7\.2 at least"):
            await shop.squad(bus=url).run("A table.")


async def test_a_worker_that_comes_before_any_runner_says_what_to_start(shop: Workshop) -> None:
    """The key of one trust domain is made by a runner and by nobody else."""
    await shop.project.squad(store=shop.store).workspace()
    done = await asyncio.to_thread(shop.squads, "worker", "--role", "schema")

    assert (2, True) == (done.returncode, "start one first, `squads serve --bus`" in done.stderr), done.stderr


# Roles that nobody serves. --------------------------------------------------------------------------------------------


async def test_a_packet_waits_for_a_worker_until_its_deadline(shop: Workshop) -> None:
    """Nothing is answered in its place, and status names whom it waits for."""
    async with shop.squad() as squad:
        running = asyncio.create_task(squad.run(Packet(brief="A.", limits=Limits(packet_ms_max=4_000))))
        while not (await bus_of(shop))["unserved"]:
            assert not running.done()
        said = (await asyncio.to_thread(shop.squads, "status")).stdout
        outcome = await running

    assert "! one-task as of prior " in said
    assert "has 1 waiting and nobody serves it" in said
    assert isinstance(outcome, NotComposed)
    assert "limits.packet_ms_max" in str(outcome)


async def test_a_worker_with_other_cards_is_never_asked(shop: Workshop, tmp_path: Path) -> None:
    """It has another address; the packet waits for a worker with the runner's cards, and status says so."""
    others = {**CARDS, "gates/schema.md": CARDS["gates/schema.md"] + "Differently.\n"}
    async with shop.squad() as squad:
        with workshop(tmp_path / "other", shop.server, others) as other:
            stranger = other.worker("schema", more=("--trust", str(shop.store / "trust.json")))
            assert stranger.line().startswith("ready: ")
            shop.worker("carpenter", "one-task")
            running = asyncio.create_task(squad.run("A table."))
            while not (waits := [q for q in (await bus_of(shop))["unserved"] if "schema" in json.dumps(q)]):
                assert not running.done()
            shop.worker("schema")
            outcome = await running
            left = stranger.ended(signal.SIGTERM)

    assert 1 == len(waits)
    assert isinstance(outcome, Composed)
    assert "drained: 0 answered, 0 given back\n" == left[1]


async def bus_of(shop: Workshop) -> dict[str, list[dict[str, object]]]:
    """Return how the bus stands, as `squads status --json` says."""
    done = await asyncio.to_thread(shop.squads, "status", "--json")
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)["bus"]
    return found


# A server that goes away. ---------------------------------------------------------------------------------------------


async def test_what_was_begun_goes_on_by_itself_when_the_server_is_back(frail: Workshop) -> None:
    """It is killed while a worker builds, and has forgotten nothing when it comes back."""
    frail.hold()
    async with frail.squad() as squad:
        frail.worker(*ALL)
        running = asyncio.create_task(squad.run("A table."))
        await frail.begun()
        frail.server.kill()
        frail.let_go()
        said = json.loads((await asyncio.to_thread(frail.squads, "status", "--json")).stdout)
        frail.server.restart()
        outcome = await running

    assert 1 == len(said["open"])
    assert isinstance(outcome, Composed)
    assert () == audit(frail.store).failed


async def test_everybody_ends_when_told_to_while_the_server_is_gone(frail: Workshop) -> None:
    """A worker in the middle of an answer and its runner: nobody waits for it to come back, and nothing is lost."""
    frail.hold()
    async with frail.squad() as squad:
        worker = frail.worker(*ALL, more=("--grace", "0.1"))
        running = asyncio.create_task(squad.run("A table."))
        await frail.begun()
        frail.server.kill()
        code, out, errors = await asyncio.to_thread(worker.ended, signal.SIGTERM)
        running.cancel()
    frail.let_go()
    frail.server.restart()
    (packet,) = json.loads((await asyncio.to_thread(frail.squads, "status", "--json")).stdout)["open"]
    again = frail.squad(bus=frail.settings(dead_after_seconds=0.3), hosts=True)  # nobody else is there to serve them
    outcome = await again.resume(packet["packet"])
    await again.close()

    assert (0, "drained: 1 answered, 1 given back") == (code, out.splitlines()[-1]), errors
    assert "Traceback" not in errors
    assert isinstance(outcome, Composed)
    assert () == audit(frail.store).failed
