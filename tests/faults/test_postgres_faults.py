"""The ledger in PostgreSQL under kill, an immediate stop, a cut line, and a frozen writer.

Children are Python processes that print what was acknowledged; a test waits for their lines, never for time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from postgres_cut import Cut, CutLine

import quick_start
import squads
from squads.adapters.checkpoint_file import read_checkpoint_file
from squads.adapters.postgres_ledger import PostgresLedger
from squads.contracts.errors import Conflict, LedgerBroken, StorageUnavailable
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, opening_entries, ticket, verified
from squads.testing.postgres_server import PostgresServer

KEY = bytes(32)
TRAFFIC = """
import asyncio, os, sys
from pathlib import Path
from squads.adapters.postgres_ledger import PostgresLedger
from squads.contracts.errors import Conflict, LedgerBroken, StorageUnavailable
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, opening_entries, ticket
outside, name = Path(sys.argv[1]), sys.argv[2]
def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
async def main():
    ledger = PostgresLedger.open(os.environ["LEDGER"], ORIGIN, LOG_KEY, outside=outside, content_key=bytes(32))
    if (await ledger.head()).size == 0:
        try:
            await ledger.append(opening_entries(), expect={"workspace": 0}, time_ms=1)
        except Conflict:
            pass
    tell("ready")
    async def work(stream):
        while True:
            try:
                done = await ledger.append([ticket(stream), ticket(stream)], expect={}, time_ms=1, content=[b"x" * 50])
            except StorageUnavailable:
                tell("failed")
                await asyncio.sleep(0.01)
            else:
                tell(done.first_seq, done.first_seq + 1)
    await asyncio.gather(*(work(f"{name}{n}") for n in range(4)))
asyncio.run(main())
"""


class Traffic:
    """A process that appends, and what it was told was written."""

    def __init__(self, url: str, outside: Path, name: str) -> None:
        self.acknowledged: set[int] = set()
        self.failed = 0
        source = str(Path(squads.__file__).parent.parent)
        self._process = subprocess.Popen(
            [quick_start.python(), "-c", TRAFFIC, str(outside), name],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": source, "LEDGER": url},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def take(self, lines: int) -> None:
        """Read so many acknowledgements."""
        assert self._process.stdout is not None
        while lines:
            lines -= self._say(self._process.stdout.readline())

    def kill(self) -> None:
        """End it by SIGKILL; what stood in the pipe was acknowledged too, but for a torn last line."""
        self._process.kill()
        rest, _ = self._process.communicate()
        for line in rest.splitlines(keepends=True):
            self._say(line)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def _say(self, line: str) -> bool:
        if line == "failed\n":
            self.failed += 1
            return False
        if line.endswith("\n"):
            self.acknowledged.update(map(int, line.split()))
        return True


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server that is ours to stop, also where SQUADS_TEST_POSTGRES gives another."""
    with PostgresServer(own=True) as server:
        yield server


@asynccontextmanager
async def opened(url: str, outside: Path | None) -> AsyncIterator[PostgresLedger]:
    ledger = PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=outside, content_key=KEY)
    try:
        yield ledger
    finally:
        await ledger.close()


async def held_to(url: str, outside: Path, acknowledged: set[int]) -> None:
    """Gapless, verified against what this machine saw, and nothing that was acknowledged is missing."""
    async with opened(url, outside) as ledger:
        present = [seq async for seq, _, _ in ledger.scan()]
        report = await verified(ledger, outside=list(read_checkpoint_file(outside)))
    assert list(range(len(present))) == present
    assert acknowledged <= set(present)
    assert report.failed + report.unchecked == ()


async def test_after_kills_of_two_writers_everything_acknowledged_is_there(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """SIGKILL in the middle of appending, of one of two writers after the other, on one ledger."""
    url, outside = postgres_server.fresh_url(), tmp_path / "checkpoints"
    acknowledged: set[int] = set()
    staying = Traffic(url, outside, "staying")
    try:
        for lines in (1, 30, 71):
            killed = Traffic(url, outside, "killed")
            try:
                killed.take(lines)
            finally:
                killed.kill()
            acknowledged |= killed.acknowledged
            staying.take(10)
    finally:
        staying.kill()

    await held_to(url, outside, acknowledged | staying.acknowledged)


async def test_after_immediate_stops_everything_acknowledged_is_there(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    """The server fails in the middle of two writers' traffic, twice; they wait, read the end anew, and go on."""
    url, outside = own_postgres.fresh_url(), tmp_path / "checkpoints"
    writers = [Traffic(url, outside, "one"), Traffic(url, outside, "two")]
    try:
        for lines in (5, 40):
            for writer in writers:
                writer.take(lines)
            own_postgres.restart("immediate")
        for writer in writers:
            writer.take(5)
    finally:
        for writer in writers:
            writer.kill()

    await held_to(url, outside, writers[0].acknowledged | writers[1].acknowledged)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_line_cut_at_the_commit_forks_nothing(
    postgres_server: PostgresServer, tmp_path: Path, cut: Cut
) -> None:
    """Whether it was committed is unknown; the next append reads the end, and finds out."""
    direct, outside = postgres_server.fresh_url(), tmp_path / "checkpoints"
    parts = urlsplit(direct)
    with CutLine(parts.port or 5432) as line:
        host = parts.netloc.rpartition(":")[0]
        url = urlunsplit(parts._replace(netloc=f"{host}:{line.port}"))
        async with opened(url, outside) as ledger:
            await ledger.append(opening_entries(), expect={}, time_ms=1)
            line.cut = cut
            with pytest.raises(StorageUnavailable, match="could not be used"):
                await ledger.append([ticket("a")], expect={"a": 0}, time_ms=1)

            with suppress(Conflict):
                assert (await ledger.append([ticket("a", 1)], expect={"a": 0}, time_ms=1)).first_seq == 2
            found = await ledger.read("a")
            assert len(found) == 1
            assert (ticket("a", 0).payload == found[0].payload) is (cut == "after")
    await held_to(direct, outside, {0, 1, 2})


async def test_a_frozen_writer_does_not_stop_the_others(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """Whatever it held when it was stopped is free again before long; woken, it reads the end anew and goes on."""
    url, outside = postgres_server.fresh_url(), tmp_path / "checkpoints"
    frozen = Traffic(url, outside, "frozen")
    try:
        frozen.take(5)
        frozen.signal(signal.SIGSTOP)
        # What the server does to an idle transaction after 15 seconds, is done here at once. The other writer is as on
        # another machine: it has a checkpoint file of its own, and the server alone decides whose turn it is.
        postgres_server.ask(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'squads' AND state = 'idle in transaction'"
        )
        async with opened(url, tmp_path / "elsewhere") as ledger:
            done = await asyncio.wait_for(ledger.append([ticket("other")], expect={}, time_ms=1), 20)
        frozen.signal(signal.SIGCONT)
        frozen.take(5)
    finally:
        frozen.signal(signal.SIGCONT)
        frozen.kill()

    await held_to(url, outside, frozen.acknowledged | {done.first_seq})


async def test_a_stopped_server_acknowledges_nothing(own_postgres: PostgresServer, tmp_path: Path) -> None:
    """Neither reading nor appending hangs; the sentence says what to look at; afterwards both go on."""
    async with opened(own_postgres.fresh_url(), tmp_path / "checkpoints") as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        own_postgres.stop("immediate")
        try:
            with pytest.raises(StorageUnavailable, match="Nothing was acknowledged"):
                await ledger.append([ticket("a")], expect={}, time_ms=1)
            with pytest.raises(StorageUnavailable, match="check that the server runs"):
                await ledger.head()
        finally:
            own_postgres.restart()

        assert (await ledger.append([ticket("a")], expect={}, time_ms=1)).first_seq == 2


async def test_what_the_server_refuses_leaves_nothing_of_itself(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """All of an append or none of it: neither entry, content nor stream; and the next one goes through."""
    url = postgres_server.fresh_url()
    async with opened(url, tmp_path / "checkpoints") as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        postgres_server.run("ALTER TABLE content ADD CONSTRAINT room CHECK (length(sealed) < 1000)", url=url)
        with pytest.raises(LedgerBroken, match="check constraint"):
            await ledger.append([ticket("a")], expect={}, time_ms=1, content=[bytes(2_000)])
        postgres_server.run("ALTER TABLE content DROP CONSTRAINT room", url=url)

        assert (await ledger.append([ticket("a")], expect={"a": 0}, time_ms=1, content=[bytes(2_000)])).first_seq == 2
    await held_to(url, tmp_path / "checkpoints", {0, 1, 2})
