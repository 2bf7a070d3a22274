"""Scratch databases: what an artifact's SQL can do there, and what it cannot."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from squads.adapters.postgres_scratch import EXTENSIONS, GIVEN, PostgresScratch
from squads.contracts.errors import InvalidInput, ScratchUnavailable
from squads.gates.probes import catalog
from squads.gates.probes.watch import Watch
from squads.kernel.scratch_ports import APP, OWNER, READER
from squads.testing.postgres_server import PostgresServer

DENIED = "42501"


async def names(scratch: PostgresScratch) -> set[str]:
    async with scratch.database() as database:
        told = await database.admin.ask("SELECT datname::text FROM pg_database WHERE datname LIKE 'squads_scratch%'")
        return {record[0] for record in told.records} - {getattr(database, "name", "")}


async def test_a_database_is_gone_when_its_block_ends(scratch: PostgresScratch) -> None:
    """Also where the block ended by an exception, and with sessions still open."""

    async def use() -> None:
        async with scratch.database() as database:
            await (await database.session(APP)).run("BEGIN")
            raise KeyError

    with pytest.raises(KeyError):
        await use()

    assert set() == await names(scratch)


@pytest.mark.parametrize("role", [OWNER, APP, READER])
@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT lo_import('/etc/hostname')",
        "SELECT lo_export(0, '/tmp/x')",
        "CREATE TEMP TABLE t (a text); COPY t FROM '/etc/hostname'",
        "SET SESSION AUTHORIZATION squads",
        "SET ROLE squads",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "CREATE ROLE mallory SUPERUSER",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
    ],
    ids=["program", "read", "import", "export", "copy", "become", "set-role", "system", "role", "library"],
)
async def test_untrusted_sql_reaches_nothing_outside(scratch: PostgresScratch, role: str, sql: str) -> None:
    """No file, no program, no library, no other role: the server refuses it by right, not by its text."""
    async with scratch.database() as database:
        told = await (await database.session(role)).run(sql)

    assert not told.ok
    assert told.sqlstate in (DENIED, "0A000", "42704")


async def test_no_extension_beyond_the_safe_list_can_be_made(scratch: PostgresScratch) -> None:
    """What the server would let the owner of a database make is on the list, and all else it refuses."""
    async with scratch.database() as database:
        free = await database.admin.ask("SELECT name::text FROM pg_available_extension_versions WHERE trusted")
        told = await (await database.session(OWNER)).run("CREATE EXTENSION file_fdw")

    assert {record[0] for record in free.records} <= EXTENSIONS
    assert not told.ok


async def test_a_role_of_one_database_is_nobody_in_another(scratch: PostgresScratch) -> None:
    """The reader writes nothing, and the application has what it was granted: nothing."""
    async with scratch.database(roles=["auditor"]) as database:
        owner = await database.session(OWNER)
        await owner.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        said = {
            role: (await (await database.session(role)).ask("SELECT a FROM t")).sqlstate
            for role in (APP, "auditor", READER)
        }
        written = await (await database.session(READER)).run("INSERT INTO t VALUES (2)")

    assert {APP: DENIED, "auditor": DENIED, READER: ""} == said
    assert written.sqlstate == DENIED


async def test_a_statement_ends_at_its_time_whatever_the_sql_set(scratch: PostgresScratch) -> None:
    """The bound is kept from outside, and the session can be used again."""
    async with scratch.database() as database:
        owner = await database.session(OWNER)
        await owner.run("SET statement_timeout = 0")
        told = await owner.run("SELECT pg_sleep(60)", seconds_max=0.05)
        after = await owner.ask("SELECT 1")

    assert told.sqlstate == "57014"
    assert after.value == 1


async def test_what_one_database_did_to_its_role_does_not_reach_the_next(scratch: PostgresScratch) -> None:
    """A role can change its own settings for the whole server; they are taken back when it is made ready again."""
    async with scratch.database() as database:
        owner = await database.session(OWNER)
        changed = await owner.run("ALTER ROLE owner SET search_path = mallory; ALTER ROLE owner PASSWORD 'mine'")
    async with scratch.database() as database:
        path = (await (await database.session(OWNER)).ask("SHOW search_path")).value

    assert changed.ok
    assert path == '"$user", public'


async def test_several_databases_at_once_do_not_meet(scratch: PostgresScratch) -> None:
    """More than there is room for wait for one another."""

    async def one(number: int) -> int:
        async with scratch.database() as database:
            owner = await database.session(OWNER)
            await owner.run(f"CREATE TABLE t AS SELECT {number} AS a")
            value: int = (await owner.ask("SELECT sum(a)::int FROM t")).value
            return value

    assert list(range(6)) == await asyncio.gather(*map(one, range(6)))


@pytest.mark.parametrize("name", ["pg_monitor", "Owner", "x; DROP ROLE app", ""])
async def test_a_name_of_a_role_is_plain(scratch: PostgresScratch, name: str) -> None:
    """Nothing else is ever put into SQL."""
    with pytest.raises(InvalidInput, match="no name for a role"):
        async with scratch.database(roles=[name]):
            pass


def test_a_url_of_something_else_is_refused() -> None:
    """Before anything is connected to."""
    with pytest.raises(InvalidInput, match="postgresql://"):
        PostgresScratch("mysql://localhost/x")


async def test_a_given_server_serves_and_its_own_roles_are_left_alone(postgres_server: PostgresServer) -> None:
    """A role that squads did not make there is somebody's: nothing is done to it."""
    given = PostgresScratch(postgres_server.url)
    async with given.database() as database:
        assert (await (await database.session(OWNER)).ask("SELECT current_user::text")).value == OWNER
    postgres_server.run("DROP ROLE IF EXISTS somebody; CREATE ROLE somebody LOGIN")

    with pytest.raises(ScratchUnavailable, match="somebody"):
        async with given.database(roles=["somebody"]):
            pass


async def test_a_server_that_is_away_is_said_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable names where it is; what is wrong names no secret."""
    monkeypatch.setenv(GIVEN, "postgresql://u:hush-hush@127.0.0.1:1/x")
    with pytest.raises(ScratchUnavailable) as caught:
        async with PostgresScratch().database():
            pass

    assert "hush" not in str(caught.value)


def test_the_own_server_never_runs_as_root_and_ends_with_its_process(tmp_path: Path) -> None:
    """Killed or not: who started it is gone, and so are the server and its folder."""
    script = tmp_path / "starts.py"
    script.write_text(
        "import os, pathlib, signal\n"
        "from squads.adapters.postgres_own import OwnPostgres\n"
        "own = OwnPostgres(otherwise='X')\n"
        "folder = own.url().partition('host=')[2].partition('&')[0]\n"
        "from urllib.parse import unquote\n"
        "pid = int(pathlib.Path(unquote(folder), 'data', 'postmaster.pid').read_text().split()[0])\n"
        "print(unquote(folder), pid, os.stat(f'/proc/{pid}').st_uid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    folder, pid, user = ran.stdout.split()

    assert user != "0"
    fifo = Path(f"/proc/{pid}")
    for _ in range(2_000):
        if not fifo.exists() and not Path(folder).exists():
            break
        os.sched_yield()
        subprocess.run(["true"], check=True)
    assert not fifo.exists()
    assert not Path(folder).exists()


async def test_no_operator_of_an_artifact_is_called_by_the_admin(scratch: PostgresScratch) -> None:
    """One that fits the types of our questions better than PostgreSQL's own would run as a superuser."""
    async with scratch.database() as database:
        owner = await database.session(OWNER)
        traps = [
            "CREATE TABLE public.t (a int)",
            "CREATE TABLE public.caught (who text)",
            "CREATE FUNCTION public.trap(name, name) RETURNS boolean LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO public.caught VALUES (current_user); RETURN true; END $$",
            *(
                f"CREATE OPERATOR public.{sign} (LEFTARG = name, RIGHTARG = name, FUNCTION = public.trap)"
                for sign in ("!~", "!~~")
            ),
        ]
        assert [""] * len(traps) == [(await owner.run(sql)).message for sql in traps]
        await Watch(database.admin, owner).begin()
        found = await catalog.read(database.admin)

        assert {"t", "caught"} == {table.name for table in found.values()}
        assert 0 == (await owner.ask("SELECT count(*) FROM public.caught")).value


async def test_a_view_in_the_admins_own_schema_is_no_table(scratch: PostgresScratch) -> None:
    """A schema that is called like the superuser stands first in what PostgreSQL searches by itself."""
    async with scratch.database() as database:
        owner = await database.session(OWNER)
        me = (await database.admin.ask("SELECT current_user::text")).value
        traps = [
            "CREATE TABLE public.t (a int)",
            "CREATE TABLE public.caught (who text)",
            f'CREATE SCHEMA "{me}"',
            "CREATE FUNCTION public.trap() RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO public.caught VALUES (current_user); RETURN 1; END $$",
            f'CREATE VIEW "{me}".t AS SELECT public.trap() AS a OFFSET 0',
            f'GRANT ALL ON SCHEMA "{me}" TO PUBLIC',
        ]
        assert [""] * len(traps) == [(await owner.run(sql)).message for sql in traps]
        await Watch(database.admin, owner).begin()

        assert 0 == (await owner.ask("SELECT count(*) FROM public.caught WHERE who <> 'owner'")).value
