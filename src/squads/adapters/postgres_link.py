"""Connections to PostgreSQL: how they are opened, what must be true of the server, and what its errors mean here.

The driver is imported when the first connection is opened. No error of this file ever says a password, and nothing
waits without end: connecting, statements, locks and open transactions are all bounded, on both sides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, Protocol

from squads.adapters.postgres_address import PostgresAddress
from squads.contracts.errors import (
    InvalidInput,
    LedgerBroken,
    LedgerError,
    SquadsError,
    StorageUnavailable,
)


class Connection(Protocol):
    """What is used of the driver's connection."""

    async def execute(self, sql: str, *values: Any) -> str:
        """Run a statement, or a script where there are no values, and return its tag."""
        ...

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of values."""
        ...

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows."""
        ...

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None."""
        ...

    async def fetchval(self, sql: str, *values: Any) -> Any:
        """Return the first row's first value, or None."""
        ...

    def transaction(self, *, isolation: str | None = None, readonly: bool = False) -> AbstractAsyncContextManager[Any]:
        """Return a block that is one transaction."""
        ...

    def cursor(self, sql: str, *values: Any) -> Any:
        """Return what becomes a cursor of the server when it is awaited."""
        ...

    def is_closed(self) -> bool:
        """Say whether the session is known to have ended."""
        ...

    async def close(self, *, timeout: float | None = None) -> None:
        """End the session in good order."""
        ...

    def terminate(self) -> None:
        """End it without a word."""
        ...

    def get_server_version(self) -> Any:
        """Return the server's version: `major`, `minor`."""
        ...


CONNECT_SECONDS: Final = 10.0
COMMAND_SECONDS: Final = 60.0
"""How long the client waits for one answer; the server gives up earlier."""
SERVER_MIN: Final = (14, 0)

_SETTINGS: Final[Mapping[str, str]] = {
    "application_name": "squads",
    "synchronous_commit": "on",
    "statement_timeout": "45s",
    "lock_timeout": "30s",
    # A process that is stopped inside a transaction must not stop all others: its session ends, and it reads anew.
    "idle_in_transaction_session_timeout": "15s",
    # A machine that went without a word is noticed, so that what it held is free again.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "default_transaction_isolation": "read committed",
    "TimeZone": "UTC",
}
_LOST: Final = ("08", "57P01", "57P02", "57P03", "25P03", "57P05")
"""SQLSTATEs, or their classes, after which the session is gone."""

_ADVICE: Final[tuple[tuple[str, str], ...]] = (
    ("28", "the server did not let this user in; check user and password (PGPASSWORD, PGPASSFILE), and pg_hba.conf"),
    ("3D000", "there is no such database; create it, or name another one"),
    ("42501", "this role may not do it; `squads store init URL --app-role NAME`, as the owner, gives what it needs"),
    ("53100", "the server's disk is full; free some space there"),
    ("53200", "the server has not enough memory"),
    ("53300", "the server has no connection left; raise max_connections, or end some"),
    ("25006", "it can only be read: a standby, or set up as read-only; name the primary server"),
    ("55P03", "another process holds it locked; find it in pg_stat_activity, and end it if it hangs"),
    ("57014", "it took longer than it may; look for what holds it in pg_stat_activity"),
    ("25P03", "this process was stopped for longer than a transaction may stay open"),
    ("57P01", "the server was stopped, or ended this session"),
    ("57P02", "the server failed and is coming up again"),
    ("57P03", "the server is starting, stopping or recovering"),
    ("08", "the connection was lost"),
    ("40", "the server undid it for another transaction's sake"),
    ("0A000", "the server is too old, or lacks a feature"),
)
_BROKEN: Final = ("23", "42P01", "42703", "3F000", "42P07", "XX001", "XX002", "P0001", "22")


async def connect(address: PostgresAddress) -> Connection:
    """Return a connection that sees only the log's schema and commits durably.

    Raises `StorageUnavailable` and `LedgerError`s with what to do.
    """
    try:
        import asyncpg  # type: ignore[import-untyped]
    except ImportError:
        raise StorageUnavailable(
            "a ledger in PostgreSQL needs the package asyncpg; install it with `pip install 'squads[postgres]'`"
        ) from None
    try:
        connection: Connection = await asyncpg.connect(
            address.dsn,
            password=address.password,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            # pg_temp last: a temporary table must not stand before the log's.
            server_settings={**_SETTINGS, "search_path": f'"{address.schema}", pg_temp'},
        )
    except Exception as error:
        raise translated(error, address.name) from without_secrets(error)
    try:
        await _check_server(connection, address)
    except BaseException as error:
        await let_go(connection)
        if isinstance(error, Exception):
            raise translated(error, address.name) from error
        raise
    return connection


async def _check_server(connection: Connection, address: PostgresAddress) -> None:
    """What is durable here must be durable there: a server that forgets is refused."""
    version = connection.get_server_version()
    if (version.major, version.minor) < SERVER_MIN:
        raise StorageUnavailable(
            f"{address.name} is PostgreSQL {version.major}; a ledger needs {SERVER_MIN[0]} or newer"
        )
    row = await connection.fetchrow(
        "SELECT current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync, "
        "current_setting('full_page_writes') AS full_page_writes"
    )
    assert row is not None
    for name, good in (
        ("synchronous_commit", ("on", "remote_apply")),
        ("fsync", ("on",)),
        ("full_page_writes", ("on",)),
    ):
        if row[name] not in good:
            raise StorageUnavailable(
                f"{address.name} runs with {name}={row[name]}: what it says is written could be lost with the next "
                f"failure; set {name}=on, or name another server"
            )


async def let_go(connection: Connection) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(Exception):
        if connection.is_closed():
            return
        try:
            await connection.close(timeout=2)
        except BaseException:
            connection.terminate()
            raise


def is_lost(error: BaseException) -> bool:
    """Say whether an error means that the session is gone, so that a new one may find everything well."""
    state = _state_of(error)
    if state:
        return state.startswith(_LOST)
    return isinstance(error, OSError | EOFError) or type(error).__name__ in (
        "InterfaceError",
        "ConnectionDoesNotExistError",
        "InternalClientError",
    )


def translated(error: Exception, name: str) -> SquadsError:
    """Return what an error of the driver or the server means to a caller, with what to do about it."""
    if isinstance(error, SquadsError):
        return error
    state, said = _state_of(error), _said(error)
    if state.startswith(_BROKEN):
        return LedgerBroken(
            f"{name} does not have the rows or tables that it must have ({said}); run `squads verify`, and restore it "
            "from a copy that verifies"
        )
    advice = next((words for start, words in _ADVICE if state.startswith(start)), "") if state else ""
    if not advice:
        if isinstance(error, TimeoutError | asyncio.TimeoutError):
            advice = "it did not answer in time; check the server and the network"
        elif isinstance(error, OSError):
            advice = "it cannot be reached; check that the server runs, its address and the network"
        else:
            advice = "check the server's log, its disk and its rights"
    return StorageUnavailable(
        f"the ledger {name} could not be used ({said}): {advice}. Nothing was acknowledged; retry"
    )


def without_secrets(error: Exception) -> Exception | None:
    """Return the cause that may be shown: what the server said, and nothing that quotes an address."""
    return error if _state_of(error) or isinstance(error, LedgerError | InvalidInput) else None


def _state_of(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _said(error: BaseException) -> str:
    message: Any = getattr(error, "message", None)
    if _state_of(error) and isinstance(message, str):
        return message.splitlines()[0][:200] if message else type(error).__name__
    if isinstance(error, OSError) and error.strerror and error.errno:
        return error.strerror[:200].partition(" to ")[0]
    return type(error).__name__
