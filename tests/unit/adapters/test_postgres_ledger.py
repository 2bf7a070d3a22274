"""What a ledger in PostgreSQL does beyond the suites: rights, versions, secrets, and what it refuses."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from squads.adapters.postgres_address import PostgresAddress
from squads.adapters.postgres_ledger import PostgresLedger
from squads.adapters.postgres_link import connect, let_go, translated
from squads.adapters.postgres_schema import STEPS, Step, init_blocking, prepare, version_of
from squads.contracts.errors import (
    BlobMissing,
    InvalidInput,
    LedgerBroken,
    LedgerTooNew,
    RollbackDetected,
    SquadsError,
    StorageUnavailable,
)
from squads.kernel.ports import Ledger, Signer
from squads.testing.conformance_leases import LeasesConformance
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, opening_entries, ticket, verified
from squads.testing.postgres_server import PostgresServer

KEY = bytes(range(32))
SECRET = "correct horse battery"
SHORTENED = (
    "SET session_replication_role = replica; DELETE FROM entry WHERE seq = 2; DELETE FROM checkpoint WHERE size = 3;"
    "UPDATE head SET next = 2, note = (SELECT note FROM checkpoint WHERE size = 2)"
)
"""What a superuser does to make a log of three receipts one of two, whole in itself."""


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.fresh_url()


@asynccontextmanager
async def opened(url: str, outside: Path | None = None, origin: str = ORIGIN) -> AsyncIterator[PostgresLedger]:
    ledger = PostgresLedger.open(url, origin, LOG_KEY, outside=outside, content_key=KEY)
    try:
        yield ledger
    finally:
        await ledger.close()


def app_role(server: PostgresServer, url: str) -> str:
    """Make an application role for the ledger at `url`, and return the URL it connects with."""
    role = f"app_{urlsplit(url).fragment}"
    init_blocking(url, app_role=role)
    server.run(f"ALTER ROLE {role} PASSWORD '{SECRET}'")
    return server.url_of(url, role, SECRET)


# Rights ---------------------------------------------------------------------------------------------------------------

DENIED = [
    *(f"{act} {table}" for table in ("ledger", "stream", "entry", "node", "checkpoint", "schema_version", "head")
      for act in ("DELETE FROM", "TRUNCATE", "DROP TABLE")),
    *(f"UPDATE {table} SET {change}" for table, change in (
        ("ledger", "value = 'x'"), ("stream", "name = 'x'"), ("entry", "leaf = ''"), ("node", "hash = ''"),
        ("checkpoint", "note = ''"), ("schema_version", "version = 2"), ("content", "sealed = ''"),
        ("step", "payload = ''"),
    )),
    "INSERT INTO schema_version (version) VALUES (2)",
    "INSERT INTO head (next, note) VALUES (0, '')",
    "ALTER TABLE entry DISABLE TRIGGER ALL",
    "DROP TRIGGER entry_stays ON entry",
    "CREATE TABLE mine (x int)",
    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "TRUNCATE account, lease, holder, subject_key",
]  # fmt: skip


async def test_the_application_role_can_only_append(postgres_server: PostgresServer, url: str) -> None:
    """No UPDATE and no DELETE on the log, no change of tables, triggers or functions: each is denied to it."""
    app = app_role(postgres_server, url)
    async with opened(app) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1, content=[b"x"])
        await ledger.append([ticket("a")], expect={}, time_ms=1)

    def denied(sql: str) -> bool:
        with pytest.raises(asyncpg.PostgresError) as error:
            postgres_server.run(sql, url=app)
        return isinstance(error.value, asyncpg.InsufficientPrivilegeError)

    assert [] == [sql for sql in DENIED if not denied(sql)]


async def test_runners_work_as_the_application_role(postgres_server: PostgresServer, url: str, tmp_path: Path) -> None:
    """Founding, appending, leases, content and erasure need nothing that it does not have."""
    app = app_role(postgres_server, url)
    async with opened(app, tmp_path / "checkpoints") as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        await ledger.leases.begin("one")
        taken = await ledger.leases.take("p1", "one")
        await ledger.append([ticket("p1")], expect={}, time_ms=1, content=[b"prose"], fence=taken)
        await ledger.leases.end("one")

        assert await ledger.erase("p1") == 1
        assert (await verified(ledger)).failed == ()


async def test_guard_rails_refuse_even_the_owner(postgres_server: PostgresServer, url: str) -> None:
    """A mistaken UPDATE, DELETE or INSERT out of turn is refused to who may do everything."""
    async with opened(url) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)

    for sql in (
        "UPDATE entry SET leaf = ''",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "UPDATE head SET next = 0",
        "DELETE FROM head",
        "INSERT INTO entry VALUES (7, 1, 7, '', '')",
        "UPDATE content SET sealed = ''",
    ):
        with pytest.raises(asyncpg.RaiseError):
            postgres_server.run(sql, url=url)


async def test_a_role_that_may_not_found_is_told_who_may(postgres_server: PostgresServer, url: str) -> None:
    """Nothing is made halfway; the sentence names the command."""
    other = app_role(postgres_server, postgres_server.fresh_url())
    nowhere = url.rpartition("#")[0]
    mine = postgres_server.url_of(url, urlsplit(other).username or "", SECRET)
    postgres_server.run(f"REVOKE CREATE ON DATABASE {urlsplit(nowhere).path[1:]} FROM PUBLIC")

    with pytest.raises(StorageUnavailable, match=r"no ledger, and this role may not make one; run `squads store init"):
        PostgresLedger.open(mine, ORIGIN, LOG_KEY, outside=None, content_key=KEY)


# Versions -------------------------------------------------------------------------------------------------------------

LATER = (*STEPS, Step(version=2, sql="CREATE TABLE later (x bigint)", append_only=("later",)))


async def test_an_older_schema_is_brought_forward_step_by_step(url: str) -> None:
    """What stood in it stays; the step's tables and guards are there; doing it again does nothing."""
    async with opened(url) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
    address = PostgresAddress.parse(url)
    connection = await connect(address)
    try:
        await prepare(connection, address, LATER)
        await prepare(connection, address, LATER)

        assert await version_of(connection, address) == 2
        assert await connection.fetchval("SELECT count(*) FROM entry") == 2
        with pytest.raises(asyncpg.RaiseError):
            await connection.execute("DELETE FROM later")
    finally:
        await let_go(connection)


async def test_a_step_that_fails_leaves_the_version_before(url: str) -> None:
    """Each step is one transaction: half of one is none of it."""
    address = PostgresAddress.parse(url)
    broken = (*STEPS, Step(version=2, sql="CREATE TABLE half (x bigint); SELECT 1 / 0"))
    connection = await connect(address)
    try:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await prepare(connection, address, broken)

        assert await version_of(connection, address) == 1
        assert await connection.fetchval("SELECT to_regclass('half')") is None
    finally:
        await let_go(connection)


async def test_a_newer_schema_is_not_touched(postgres_server: PostgresServer, url: str) -> None:
    """Whoever does not know a format does not write it."""
    async with opened(url):
        pass
    postgres_server.run("INSERT INTO schema_version (version) VALUES (9)", url=url)

    with pytest.raises(LedgerTooNew, match="version 9 of the schema, this squads knows up to 1; upgrade"):
        PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=None, content_key=KEY)


async def test_two_who_found_at_once_make_one_ledger(url: str) -> None:
    """Tables are made once; both go on."""

    def begin(_: int) -> PostgresLedger:
        return PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=None, content_key=KEY)

    ledgers = await asyncio.gather(*(asyncio.to_thread(begin, n) for n in range(4)))
    try:
        await asyncio.gather(*(one.append([ticket(f"s{n}")], expect={}, time_ms=1) for n, one in enumerate(ledgers)))

        assert (await ledgers[0].head()).size == 4
        assert (await verified(ledgers[0]))["link"].ok
    finally:
        for one in ledgers:
            await one.close()


# What is refused ------------------------------------------------------------------------------------------------------


async def test_somebody_elses_schema_is_left_alone(postgres_server: PostgresServer, url: str) -> None:
    """Tables that are no ledger's are neither used nor added to."""
    schema = urlsplit(url).fragment
    postgres_server.run(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.mine (x int)")

    with pytest.raises(LedgerBroken, match="holds other tables, and no ledger of squads; name another schema"):
        PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=None, content_key=KEY)


async def test_another_log_is_not_written_to(url: str) -> None:
    """Neither under another origin nor with another key."""
    async with opened(url):
        pass

    with pytest.raises(LedgerBroken, match=r"is the ledger 'example\.com/squads/conformance/0', not"):
        PostgresLedger.open(url, "example.com/squads/other/0", LOG_KEY, outside=None, content_key=KEY)


async def test_a_shorter_log_than_was_known_is_a_rollback(
    postgres_server: PostgresServer, url: str, tmp_path: Path
) -> None:
    """An old copy that is whole in itself is caught by the checkpoint file beside the keys, when it is opened."""
    async with opened(url, tmp_path / "checkpoints") as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        await ledger.append([ticket("a")], expect={}, time_ms=1)
    postgres_server.run(SHORTENED, url=url)

    with pytest.raises(RollbackDetected, match="ends after 2 receipts, but a checkpoint outside it covers 3"):
        PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=tmp_path / "checkpoints", content_key=KEY)


async def test_a_machine_remembers_what_it_saw_though_it_never_wrote(
    postgres_server: PostgresServer, url: str, tmp_path: Path
) -> None:
    """The end of the log that it opened stands in its own checkpoint file, so that an older one is noticed there."""
    async with opened(url, tmp_path / "here") as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        await ledger.append([ticket("a")], expect={}, time_ms=1)
    async with opened(url, tmp_path / "there"):
        pass
    postgres_server.run(SHORTENED, url=url)

    with pytest.raises(RollbackDetected, match="covers 3"):
        PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=tmp_path / "there", content_key=KEY)


async def test_a_changed_receipt_is_found_before_the_next_is_signed(
    postgres_server: PostgresServer, url: str, tmp_path: Path
) -> None:
    """Another process that moved the head makes this one read the end again, and what it reads must have its root."""
    async with opened(url, tmp_path / "checkpoints") as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        async with opened(url, tmp_path / "checkpoints") as other:
            await other.append([ticket("a")], expect={}, time_ms=1)
        postgres_server.run(
            "SET session_replication_role = replica; UPDATE node SET hash = sha256(hash) WHERE level = 1", url=url
        )

        with pytest.raises(LedgerBroken, match="do not have the root that the newest checkpoint signed"):
            await ledger.append([ticket("a")], expect={}, time_ms=1)


@pytest.mark.parametrize(
    "setting", ["fsync=off", "full_page_writes=off"], ids=["fsync", "full_page_writes"]
)  # fmt: skip
def test_a_server_that_forgets_is_refused(setting: str) -> None:
    """What it says is written could be gone after the next failure: nothing is kept there."""
    name, _, value = setting.partition("=")
    with (
        PostgresServer(config={name: value}) as server,
        pytest.raises(StorageUnavailable, match=f"runs with {setting}"),
    ):
        PostgresLedger.open(server.fresh_url(), ORIGIN, LOG_KEY, outside=None, content_key=KEY)


async def test_commits_are_synchronous_whatever_the_role_is_set_to(postgres_server: PostgresServer, url: str) -> None:
    """A default of the role does not make an acknowledgement a lie."""
    app = app_role(postgres_server, url)
    postgres_server.run(f"ALTER ROLE {urlsplit(app).username} SET synchronous_commit = off")
    connection = await connect(PostgresAddress.parse(app))
    try:
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
    finally:
        await let_go(connection)


async def test_a_server_that_only_reads_says_so(postgres_server: PostgresServer, url: str) -> None:
    """Nothing is acknowledged, and the next append on a server that writes again goes through."""
    app = app_role(postgres_server, url)
    role = urlsplit(app).username
    async with opened(app) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=1)
        postgres_server.run(f"ALTER ROLE {role} SET default_transaction_read_only = on")
        _cut(postgres_server, role)

        with pytest.raises(StorageUnavailable, match="only be read"):
            await ledger.append([ticket("a")], expect={}, time_ms=1)
        postgres_server.run(f"ALTER ROLE {role} RESET default_transaction_read_only")
        assert (await ledger.append([ticket("a")], expect={"a": 1}, time_ms=1)).first_seq == 1


async def test_a_session_that_died_unused_is_replaced(postgres_server: PostgresServer, url: str) -> None:
    """The server may have been started again at night; whoever reads or appends in the morning does not notice."""
    app = app_role(postgres_server, url)
    async with opened(app) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=1)
        await ledger.head()
        _cut(postgres_server, urlsplit(app).username)

        assert (await ledger.append([ticket("a")], expect={"a": 1}, time_ms=1)).first_seq == 1
        assert (await ledger.head()).size == 2


def _cut(server: PostgresServer, role: str | None) -> None:
    server.ask("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", role)


# Secrets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        "postgresql://u:{}@127.0.0.1:1/db",
        "postgresql://u:{}@127.0.0.1:port/db",
        "postgresql://u:{}@127.0.0.1/db?password=x",
        "postgresql://u:{}@127.0.0.1/db#Bad-Name",
        "postgresql://u:{}@127.0.0.1/db#pg_mine",
        "http://u:{}@127.0.0.1/db",
        "postgresql://u:{}@[::1/db",
        "postgresql://u:12#{}@127.0.0.1/db",
        "postgresql://u:12?{}@127.0.0.1/db",
    ],
    ids=["unreachable", "port", "option", "schema", "reserved", "scheme", "host", "hash", "mark"],
)
def test_no_error_says_the_password(bad: str) -> None:
    """Neither the sentence nor what it was caused by."""
    with pytest.raises((StorageUnavailable, InvalidInput)) as error:
        PostgresLedger.open(bad.format(SECRET.replace(" ", "%20")), ORIGIN, LOG_KEY, outside=None, content_key=KEY)

    shown: list[str] = []
    found: BaseException | None = error.value
    while found is not None:
        shown += [str(found), repr(found)]
        found = found.__cause__
    assert not [text for text in shown if "horse" in text]


def test_a_wrong_password_is_said_without_it(postgres_server: PostgresServer, url: str) -> None:
    """The server's word is passed on, with where to look."""
    wrong = postgres_server.url_of(url, "nobody_here", SECRET)

    with pytest.raises(StorageUnavailable, match="check user and password") as error:
        PostgresLedger.open(wrong, ORIGIN, LOG_KEY, outside=None, content_key=KEY)
    assert "horse" not in str(error.value)


async def test_the_password_may_come_from_the_environment(
    postgres_server: PostgresServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPASSWORD does what it does for every program of PostgreSQL; the URL that is shown leads here again."""
    parts = urlsplit(url)
    monkeypatch.setenv("PGPASSWORD", parts.password or "")
    shown = PostgresAddress.parse(url).shown

    async with opened(shown) as ledger:
        assert parts.password not in shown + repr(ledger) + repr(PostgresAddress.parse(url))
        assert (await ledger.head()).size == 0


def test_every_error_of_the_driver_is_translated() -> None:
    """A walk over what asyncpg can raise: each becomes one of ours, with the ledger's name."""
    import asyncpg.exceptions as vendor

    kinds = [
        kind for _, kind in inspect.getmembers(vendor, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning)
    ]  # fmt: skip
    assert len(kinds) > 200
    for kind in kinds:
        meant = translated(kind("words"), "postgresql://host/db#squads")

        assert isinstance(meant, (StorageUnavailable, LedgerBroken)), kind
        assert "postgresql://host/db#squads" in str(meant)


@pytest.mark.parametrize(
    "error", [OSError(111, "refused"), TimeoutError(), ValueError("x")], ids=["os", "time", "else"]
)
def test_other_errors_are_translated_too(error: Exception) -> None:
    """What is not the driver's does not escape either."""
    assert isinstance(translated(error, "postgresql://host/db#squads"), SquadsError)


# Content --------------------------------------------------------------------------------------------------------------


async def test_content_stands_nowhere_in_the_clear(tmp_path: Path) -> None:
    """Not in a table, not in the write-ahead log: what a copy of the data directory holds is sealed."""
    prose = b"the customer's own words, seventy times"
    with PostgresServer(own=True) as server:
        async with opened(server.fresh_url()) as ledger:
            await ledger.append([ticket("a")], expect={}, time_ms=1, content=[prose])
        server.stop("fast")

        assert [] == [path for path in server.data.rglob("*") if path.is_file() and prose in path.read_bytes()]


async def test_erased_content_leaves_its_tables_and_their_files(postgres_server: PostgresServer, url: str) -> None:
    """Key, content and steps are gone from every table, and the old wrapped key from the file of its table."""
    async with opened(url) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"one", b"two"])
        digest = await ledger.blobs.put(b"three", subject="a")
        ((before,),) = postgres_server.ask("SELECT pg_relation_filepath('subject_key')", url=url)

        assert await ledger.erase("a") == 3
        with pytest.raises(BlobMissing):
            await ledger.blobs.get(digest)
        assert postgres_server.ask("SELECT wrapped FROM subject_key WHERE subject = 'a'", url=url) == [(None,)]
        assert postgres_server.ask("SELECT count(*) FROM content", url=url) == [(0,)]
        ((after,),) = postgres_server.ask("SELECT pg_relation_filepath('subject_key')", url=url)
        assert before != after


async def test_a_content_key_of_another_workspace_opens_nothing(url: str) -> None:
    """It is said that the key is the wrong one, not that content is missing."""
    async with opened(url) as ledger:
        digest = await ledger.blobs.put(b"x")
    other = PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=None, content_key=bytes(32))
    try:
        with pytest.raises(SquadsError, match="was not wrapped with the key that is here"):
            await other.blobs.get(digest)
    finally:
        await other.close()


# Several at once ------------------------------------------------------------------------------------------------------


async def test_one_ledger_serves_several_event_loops(url: str) -> None:
    """Threads with loops of their own append and read through the same object."""
    async with opened(url) as ledger:
        done: list[Any] = []

        def elsewhere(number: int) -> None:
            async def go() -> None:
                await ledger.append([ticket(f"s{number}")], expect={}, time_ms=1)
                done.append(len(await ledger.read(f"s{number}")))

            asyncio.run(go())

        threads = [threading.Thread(target=elsewhere, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)

        assert done == [1, 1, 1, 1]


async def test_two_writers_take_turns(url: str, tmp_path: Path) -> None:
    """Each follows what the other wrote, and the checkpoint file they share has every checkpoint in order."""
    async with opened(url, tmp_path / "checkpoints") as one, opened(url, tmp_path / "checkpoints") as two:
        await one.append(opening_entries(), expect={}, time_ms=1)
        for number in range(10):
            await asyncio.gather(
                one.append([ticket("one", number)], expect={"one": number}, time_ms=1),
                two.append([ticket("two", number)], expect={"two": number}, time_ms=1),
            )

        assert (await two.head()).size == 22
        notes = await two.checkpoints()
        assert (await verified(one, outside=notes)).failed == ()


class TestLeasesOfTheApplicationRole(LeasesConformance):
    """The suite once more, without any right that runners do not have."""

    @pytest.fixture(autouse=True)
    def _served(self, postgres_server: PostgresServer, url: str) -> None:
        self.url = app_role(postgres_server, url)

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return PostgresLedger.open(self.url, origin, log_signer, outside=None, content_key=KEY)


async def test_who_ends_without_a_word_is_gone(postgres_server: PostgresServer, url: str) -> None:
    """The session of a holder is its life: no other machine has to wait for its beat."""
    app = app_role(postgres_server, url)
    async with opened(app) as dead, opened(url) as other:
        await dead.leases.begin("one")
        lease = await dead.leases.take("p1", "one")
        assert await other.leases.gone("one") is False
        dead.leases._held.clear()  # as a process that does not come back for its lock
        _cut(postgres_server, urlsplit(app).username)

        assert await other.leases.gone("one") is True
        await other.leases.begin("two")
        taken = await other.leases.take("p1", "two", over=lease)
        assert taken is not None
        assert (taken.holder, taken.token) == ("two", 2)


async def test_after_a_start_of_the_server_nobody_is_gone_for_certain() -> None:
    """Every lock is free then, also of those who live: their beat decides until they have said that they live."""
    with PostgresServer(own=True) as server:
        url = server.fresh_url()
        async with opened(url) as one, opened(url) as two:
            await one.leases.begin("one")
            server.restart("immediate")

            assert await two.leases.gone("one") is False
            await one.leases.beat("one")
            assert await two.leases.gone("one") is False
            await one.leases.end("one")
            assert await two.leases.gone("one") is True
