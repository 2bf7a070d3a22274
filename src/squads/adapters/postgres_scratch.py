"""Scratch databases on PostgreSQL: copied from a template, attacked, dropped.

What an artifact's SQL may do there: what the owner of a database may, who is no superuser. It reads and writes no file
of the server, runs no program, loads no library, and makes no extension but those of `EXTENSIONS`; statements end at
their time, sessions at theirs.

What it does not protect from: a hole in PostgreSQL; SQL that fills the server's memory or disk within its time, for
PostgreSQL bounds neither; and artifacts that are attacked at the same time on the same server, which share the roles:
the owner of one database may drop another, so that neither is found out about. Attack the work of strangers on a server
that holds nothing else, on a machine that nobody misses.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import hmac
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from secrets import token_hex
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from squads.adapters.postgres_own import OwnPostgres
from squads.adapters.postgres_scratch_session import PostgresScratchSession, connected
from squads.contracts.errors import InvalidInput, ScratchUnavailable
from squads.kernel.scratch_ports import APP, OWNER, READER, ScratchSession

GIVEN: Final = "SQUADS_SCRATCH_POSTGRES"
"""The variable with the URL of a server for scratch databases, as its superuser; nothing else lives on that server."""
EXTENSIONS: Final = frozenset(
    {
        *("plpgsql", "btree_gin", "btree_gist", "citext", "cube", "dict_int", "fuzzystrmatch", "hstore", "intarray"),
        *("isn", "lo", "ltree", "pg_trgm", "pgcrypto", "seg", "tablefunc", "tcn", "tsm_system_rows"),
        *("tsm_system_time", "unaccent", "uuid-ossp"),
    }
)
"""Extensions that reach neither files nor the network; a server that gives others to everybody is refused."""
SCHEMA: Final = "squads_probe"
"""Where oracles keep what they saw, beside the artifact's own schemas; only the admin may look."""
DATABASES_MAX: Final = 4
"""How many databases there are at once, of one object."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ROLES_LOCK = 7277263517
_MARK = "squads scratch"
_TEMPLATE_SQL = f"""
CREATE SCHEMA {SCHEMA};
REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC;
CREATE TABLE {SCHEMA}.steps (name text, ok boolean, sqlstate text, message text, rows bigint, value text);
CREATE TABLE {SCHEMA}.locks (file text, statement integer, sql text, relation text, mode text);
CREATE TABLE {SCHEMA}.scans (file text, statement integer, sql text, relation text);
CREATE TABLE {SCHEMA}.rewrites (file text, relation text);
CREATE TABLE {SCHEMA}.lost (relation text, rows_before bigint, rows_after bigint, columns_lost text);
"""


class PostgresScratchDatabase:
    """One database; see the port."""

    def __init__(self, scratch: PostgresScratch, name: str, admin: PostgresScratchSession) -> None:
        self._scratch = scratch
        self.name = name
        self.admin: ScratchSession = admin
        self.sessions: list[PostgresScratchSession] = [admin]

    async def session(self, role: str, settings: Mapping[str, str] = MappingProxyType({})) -> ScratchSession:
        """Return a new connection as `role`."""
        made = await connected(
            self._scratch.url,
            database=self.name,
            user=_checked(role),
            password=self._scratch.password,
            settings=settings,
        )
        self.sessions.append(made)
        return made


class PostgresScratch:
    """The port `Scratch` on PostgreSQL: on a server that is given, or on one of its own."""

    def __init__(self, url: str | None = None) -> None:
        """Connect to nothing yet, and start nothing.

        Args:
            url: `postgresql://user:password@host:port/database`, of a superuser of a server that holds nothing
                else: databases and roles are made there. Without it, `SQUADS_SCRATCH_POSTGRES` says
                where; where that is not set either, an own server is started at the first question, and ends with
                `close` or with this process.
        """
        if url is not None and urlsplit(url).scheme not in ("postgresql", "postgres"):
            raise InvalidInput("the URL of a scratch server begins with postgresql://, and names host and database")
        given = os.environ.get(GIVEN, "") if url is None else url
        self._own = None if given else OwnPostgres(otherwise=GIVEN)
        self.url = self.password = self._template = ""
        self._roles: set[str] = set()
        self._note(given)
        self._rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @asynccontextmanager
    async def database(self, *, roles: Sequence[str] = ()) -> AsyncIterator[PostgresScratchDatabase]:
        """Return a new database, dropped when the block ends."""
        wanted = dict.fromkeys((OWNER, APP, READER, *(_checked(role) for role in roles)))
        async with self._rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(DATABASES_MAX)):
            if self._own is not None:
                self._note(await asyncio.to_thread(self._own.url))
            name = f"squads_scratch_{token_hex(8)}"
            async with await self._prepare(wanted) as maker:
                # Copied as files it is made five times as quickly where nothing has to outlive a crash.
                how = " STRATEGY FILE_COPY" if self._own is not None else ""
                await _must(maker, f'CREATE DATABASE "{name}" OWNER "{OWNER}" TEMPLATE "{self._template}"{how}')
            made: PostgresScratchDatabase | None = None
            try:
                made = PostgresScratchDatabase(self, name, await connected(self.url, database=name))
                yield made
            finally:
                await asyncio.shield(self._drop(name, made.sessions if made else (), wanted))

    async def close(self) -> None:
        """End the own server, where there is one."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """As `close`, where no loop runs."""
        if self._own is not None:
            self._own.close()

    def _note(self, url: str) -> None:
        """Note where the server is; one that was started anew knows no roles yet."""
        if url != self.url:
            self.url = url
            # The same for every process that is given this server, for they share the roles; known to nobody else.
            self.password = hmac.new(url.encode(), b"squads scratch roles", hashlib.sha256).hexdigest()
            self._template, self._roles = "", set()

    async def _prepare(self, roles: Iterable[str]) -> PostgresScratchSession:
        """Return a connection to the server, on which roles and template are there."""
        maker = await connected(self.url)
        try:
            for role in roles:
                if role not in self._roles:
                    await self._make_role(maker, role)
                    self._roles.add(role)
            if not self._template:
                self._template = await self._make_template(maker)
        except BaseException:
            await maker.close()
            raise
        return maker

    async def _make_role(self, maker: PostgresScratchSession, role: str) -> None:
        # One after the other over all processes: two that make the same role at once would both fail.
        await _must(maker, f"BEGIN; SELECT pg_advisory_xact_lock({_ROLES_LOCK})")
        try:
            there = await maker.ask("SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = $1", role)
            if there.records and there.value != _MARK:
                raise ScratchUnavailable(
                    f"the scratch server has a role {role!r} that is not squads' own, and it is left alone; give "
                    f"{GIVEN} a server that holds nothing else"
                )
            if not there.records:
                await _must(maker, f'CREATE ROLE "{role}"; COMMENT ON ROLE "{role}" IS \'{_MARK}\'')
            await _must(maker, self._role_as_made(role))
            if role == READER:
                await _must(maker, f'GRANT pg_read_all_data TO "{READER}"')
        finally:
            await maker.run("COMMIT")

    def _role_as_made(self, role: str) -> str:
        """Return SQL that gives a role what it was made with. It may change its password and its settings itself."""
        bypass = "BYPASSRLS" if role == READER else "NOBYPASSRLS"
        return (
            f'ALTER ROLE "{role}" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {bypass} LOGIN '
            f"PASSWORD '{self.password}'; ALTER ROLE \"{role}\" RESET ALL"
        )

    async def _make_template(self, maker: PostgresScratchSession) -> str:
        free = await maker.ask("SELECT DISTINCT name FROM pg_available_extension_versions WHERE trusted ORDER BY 1")
        if odd := sorted({r[0] for r in free.records} - EXTENSIONS):
            raise ScratchUnavailable(
                f"the scratch server lets every owner of a database make the extension {odd[0]!r}, which is not on the "
                "list of safe ones; give it a server without that"
            )
        name = f"squads_template_{hashlib.sha256(_TEMPLATE_SQL.encode()).hexdigest()[:12]}"
        await _must(maker, "SELECT pg_advisory_lock(7277263518)")
        try:
            there = await maker.ask("SELECT datistemplate FROM pg_database WHERE datname = $1", name)
            if there.value is True:
                return name
            if there.records:  # half made, by a process that was killed
                await _must(maker, f'DROP DATABASE "{name}" WITH (FORCE)')
            await _must(maker, f'CREATE DATABASE "{name}" TEMPLATE template0')
            async with await connected(self.url, database=name) as inside:
                await _must(inside, _TEMPLATE_SQL)
            await _must(maker, f'ALTER DATABASE "{name}" IS_TEMPLATE true ALLOW_CONNECTIONS false')
            return name
        finally:
            await maker.run("SELECT pg_advisory_unlock(7277263518)")

    async def _drop(self, name: str, sessions: Iterable[PostgresScratchSession], roles: Iterable[str]) -> None:
        for session in sessions:
            await session.close()
        with suppress(ScratchUnavailable):  # a server that has gone has dropped it in its own way
            async with await connected(self.url) as maker:
                await maker.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                # What its SQL did to a role would reach the next one's database.
                made = "; ".join(map(self._role_as_made, roles))
                if not (await maker.run(f"BEGIN; SELECT pg_advisory_xact_lock({_ROLES_LOCK}); {made}; COMMIT")).ok:
                    self._roles.clear()  # made ready anew at the next question


@cache
def shared_scratch() -> PostgresScratch:
    """Return the scratch of this process, for cards: its server is started at the first question, and ends with us."""
    made = PostgresScratch()
    atexit.register(made.close_now)
    return made


async def _must(session: PostgresScratchSession, sql: str) -> None:
    told = await session.run(sql, seconds_max=30.0)
    if not told.ok:
        raise ScratchUnavailable(
            f"the scratch server refused what a scratch database needs: {told.message} ({told.sqlstate}); its user "
            "must be a superuser of a server that holds nothing else"
        )


def _checked(role: str) -> str:
    if not _NAME.fullmatch(role) or role.startswith("pg_"):
        raise InvalidInput(f"{role!r:.80} is no name for a role: lower-case letters, digits and _, and not pg_...")
    return role
