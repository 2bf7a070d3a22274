"""What probes get: whether a host lives, whether it is ready, its numbers; and nothing else, from anybody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from squads.adapters.health_server import CONNECTIONS_MAX, REQUEST_BYTES_MAX, HealthServer, Page, place_of
from squads.adapters.local_bus import LocalBus
from squads.adapters.memory_journal import MemoryJournal
from squads.contracts.errors import InvalidInput
from squads.host import Host, HostParts, Steady
from squads.resolve import record_of_role
from squads.roster import RosterBook, roster_of
from squads.testing import FixedClock, ScriptedGate, seeded_entropy
from squads.workspace import Workspace


async def ask(server: HealthServer, request: bytes, *, ended: bool = True) -> tuple[int, str, str]:
    """Return status, head and body of the answer to raw bytes; 0 where the connection was closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(request)
        if ended and writer.can_write_eof():
            writer.write_eof()
        answer = (await asyncio.wait_for(reader.read(), 5)).decode()
    except ConnectionResetError:
        answer = ""
    finally:
        writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return (int(head.split(" ")[1]) if head else 0), head, body


async def get(server: HealthServer, path: str) -> tuple[int, str]:
    status, _, body = await ask(server, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), ended=False)
    return status, body


@pytest.fixture
async def server() -> AsyncIterator[HealthServer]:
    def broken() -> Page:
        raise ValueError("secret")

    made = HealthServer("0", {"/live": Page, "/broken": broken}, seconds_max=0.2)
    await made.start()
    yield made
    await made.close()
    await made.close()


async def test_a_page_is_served_once_per_connection(server: HealthServer) -> None:
    """HEAD gets the same head and no body; a query changes nothing."""
    status, head, body = await ask(server, b"GET /live?x=1 HTTP/1.1\r\n\r\n", ended=False)
    bare = await ask(server, b"HEAD /live HTTP/1.0\r\n\r\n", ended=False)

    assert (200, "ok\n") == (status, body)
    assert (head, "") == bare[1:]
    assert "Connection: close" in head


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /other HTTP/1.1\r\n\r\n", 404),
        (b"POST /live HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405),
        (b"DELETE /live HTTP/1.1\r\n\r\n", 405),
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", 404),
        (b"GET /live\r\n\r\n", 400),
        (b"GET http://x/live HTTP/1.1\r\n\r\n", 400),
        (b"\xff\xfe\x00\r\n\r\n", 400),
        (b"GET /live HTT", 400),
        (b"GET /broken HTTP/1.1\r\n\r\n", 500),
        (b"GET /live HTTP/1.1\r\nX: " + b"a" * (2 * REQUEST_BYTES_MAX), 431),
    ],
    ids=["path", "post", "delete", "climbing", "version", "proxy", "bytes", "half", "broken", "long"],
)
async def test_anything_else_is_refused(server: HealthServer, request_: bytes, status: int) -> None:
    """And the server goes on; what a page raised does not leave."""
    found, _, body = await ask(server, request_)

    assert status == found
    assert "secret" not in body
    assert await get(server, "/live") == (200, "ok\n")


async def test_a_slow_client_is_cut_off(server: HealthServer) -> None:
    """It holds a place for no longer than the bound."""
    assert await ask(server, b"GET /live HTTP/1.1\r\n", ended=False) == (0, "", "")


async def test_connections_are_bounded(server: HealthServer) -> None:
    """Those on top are closed at once, and the others are served."""
    held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(CONNECTIONS_MAX)]
    async with asyncio.timeout(5):
        while len(server._serving) < CONNECTIONS_MAX:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert (await ask(server, b"GET /live HTTP/1.1\r\n\r\n", ended=False))[0] == 0
    for _, writer in held:
        writer.close()
    async with asyncio.timeout(5):
        while server._serving:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    assert await get(server, "/live") == (200, "ok\n")


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("9100", ("127.0.0.1", 9100)),
        (":9100", ("127.0.0.1", 9100)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:1", ("localhost", 1)),
    ],
    ids=str,
)
def test_a_place_without_a_host_is_this_machine_alone(place: str, found: tuple[str, int]) -> None:
    """Whoever wants to be reached from elsewhere says so."""
    assert found == place_of(place)


@pytest.mark.parametrize(
    "place", ["", "x", "1:2:3", "host:", "host:65536", "host:-1", "http://x:80", "::1:80"], ids=str
)
def test_what_is_no_place_is_bad_input(place: str) -> None:
    """One sentence with the way to write it."""
    with pytest.raises(InvalidInput, match="is no HOST:PORT"):
        place_of(place)


async def test_a_place_that_is_taken_is_bad_input(server: HealthServer) -> None:
    """With the place, before anything is begun."""
    with pytest.raises(InvalidInput, match=f"cannot listen on 127.0.0.1:{server.port}"):
        await HealthServer(str(server.port), {}).start()


# What a host says of itself -----------------------------------------------------------------------------------------


class Kit:
    workspace: Workspace
    host: Host

    async def open(self, pulse: Any = None) -> Kit:
        self.clock = FixedClock()
        self.workspace = Workspace.memory(clock=self.clock, entropy=seeded_entropy(1))
        await self.workspace.found(["gate:style"])
        role = ScriptedGate("style", prior="g")
        self.content: bytes | None = await roster_of(self.workspace)
        self.seconds = 0.0
        self.book = RosterBook(self.workspace.trust, clock=self.clock, monotonic=lambda: self.seconds)

        async def read() -> bytes | None:
            return self.content

        parts = HostParts(
            bus=LocalBus(),
            blobs=self.workspace.blobs,
            journal=MemoryJournal(),
            read_roster=read,
            pulse=pulse or Steady(),
        )
        self.host = Host(
            parts,
            {"style": role},
            records={"style": record_of_role(role)},
            signers={"style": self.workspace.signer("gate:style")},
            book=self.book,
            clock=self.clock,
            slots=3,
        )
        return self

    def page(self, path: str) -> Page:
        return self.host.pages[path]()


async def test_a_host_is_ready_from_its_first_fresh_roster_to_its_drain() -> None:
    """Not before, not while the roster is stale, not while it drains."""
    kit = await Kit().open()
    assert kit.page("/ready").status == 503
    await kit.host.start()
    assert kit.page("/ready") == Page()
    kit.seconds = 30.0
    stale = kit.page("/ready")
    kit.content = await roster_of(kit.workspace, number=2)
    await kit.host._watch.look()
    assert kit.page("/ready") == Page()
    await kit.host.drain(0)

    assert (503, True) == (stale.status, "stale" in stale.text)
    assert (503, "draining\n") == (kit.page("/ready").status, kit.page("/ready").text)
    await kit.host.close()


@pytest.mark.parametrize(
    ("pulse", "said"),
    [
        (Steady(since_read=None), "not reading from the bus yet"),
        (Steady(since_read=10.0), "the last successful read from the bus was 10 s ago"),
        (Steady(since_read=9.99), ""),
    ],
    ids=["never", "long-ago", "just-now"],
)
async def test_a_host_that_does_not_read_is_not_ready(pulse: Steady, said: str) -> None:
    """A process that is up and hears nothing is of no use."""
    kit = await Kit().open(pulse)
    await kit.host.start()

    assert said == kit.host.unready()
    await kit.host.close()


async def test_a_host_lives_while_its_heartbeat_does() -> None:
    """Its loop turns if it answers at all; readiness is another question."""
    alive, dead = await Kit().open(), await Kit().open(Steady(beating=False))

    assert (200, 503) == (alive.page("/live").status, dead.page("/live").status)


async def test_numbers_are_told_in_the_form_that_collectors_read() -> None:
    """Every number by its name, with large counts in full and what is not known left out."""
    kit = await Kit().open(replace(Steady(), dead_letters=12_345_678, since_read=None))
    served = kit.host._worker.served
    served.outcomes = Counter({("style", "answered"): 12_345_678, ("style", "late"): 2})
    served.answers, served.seconds = Counter({"style": 3}), {"style": 1.5}
    before = kit.page("/metrics").text
    await kit.host.start()
    page = kit.page("/metrics")
    lines = [line for line in page.text.splitlines() if not line.startswith("#")]
    await kit.host.close()

    assert page.media_type.startswith("text/plain; version=0.0.4")
    assert "squads_roster_age_seconds " not in before.replace("# HELP squads_roster_age_seconds ", "").replace(
        "# TYPE squads_roster_age_seconds ", ""
    )
    assert [
        'squads_requests_total{role="style",outcome="answered"} 12345678',
        'squads_requests_total{role="style",outcome="late"} 2',
        "squads_in_hand 0",
        "squads_slots 3",
        'squads_answer_seconds_sum{role="style"} 1.5',
        'squads_answer_seconds_count{role="style"} 3',
        "squads_roster_age_seconds 0.0",
        "squads_roster_fresh 1",
        "squads_dead_letters_total 12345678",
        "squads_late_replies_total 2",
    ] == lines
