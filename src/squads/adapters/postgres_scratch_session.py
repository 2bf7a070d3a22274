"""One connection to a scratch database: what the server refuses is a value, what cannot be found out is an error."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from squads.contracts.errors import ScratchUnavailable
from squads.kernel.scratch_ports import STATEMENT_SECONDS_MAX, Told

CONNECT_SECONDS_MAX: Final = 10.0
SESSION_SECONDS_MAX: Final = 60
"""How long a session may sit in an open transaction, or at all without a word, before the server ends it."""
GRACE_SECONDS: Final = 2.0
ADMIN_SEARCH_PATH: Final = "pg_catalog, pg_temp"
"""Where the admin's names are looked for. With `public` in it, an artifact's operator that fits the types of one of our
questions better than PostgreSQL's own would be called by a superuser, and so reach the machine."""
_CANCELLED = "57014"


class PostgresScratchSession:
    """One connection; see the port."""

    def __init__(self, connection: Any, role: str) -> None:
        self._connection = connection
        self.role = role
        self.pid: int = connection.get_server_pid()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, a failed one too."""
        return bool(self._connection.is_in_transaction())

    async def run(self, sql: str, *, seconds_max: float = STATEMENT_SECONDS_MAX) -> Told:
        """Run one statement, or several that stand or fall together."""

        async def go() -> Told:
            return Told(ok=True, rows=_rows(await self._connection.execute(sql)))

        return await self._told(go, seconds_max)

    async def ask(self, sql: str, *values: Any, seconds_max: float = STATEMENT_SECONDS_MAX) -> Told:
        """Run one statement and return its records."""

        async def go() -> Told:
            statement = await self._connection.prepare(sql)
            records = tuple(tuple(record) for record in await statement.fetch(*values))
            return Told(ok=True, rows=_rows(statement.get_statusmsg()), records=records)

        return await self._told(go, seconds_max)

    async def close(self) -> None:
        """End it; what was not committed is rolled back."""
        with suppress(Exception):
            await self._connection.close(timeout=GRACE_SECONDS)
        self._connection.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _told(self, go: Any, seconds_max: float) -> Told:
        import asyncpg  # type: ignore[import-untyped]

        try:
            async with asyncio.timeout(seconds_max):  # from outside: the SQL may have taken its own timeout away
                return await go()  # type: ignore[no-any-return]
        except TimeoutError:
            return Told(
                ok=False, sqlstate=_CANCELLED, message=f"the statement took longer than {seconds_max:g} seconds"
            )
        except asyncpg.PostgresError as error:
            message = str(error.args[0]) if error.args else str(error)  # without its detail, which repeats whole rows
            return Told(ok=False, sqlstate=error.sqlstate or "XX000", message=message)
        except (asyncpg.InterfaceError, OSError, ValueError, OverflowError) as error:
            raise ScratchUnavailable(f"the session of {self.role!r} cannot be used further: {error}") from None


async def connected(
    url: str,
    *,
    database: str = "",
    user: str = "",
    password: str = "",
    settings: Mapping[str, str] = MappingProxyType({}),
) -> PostgresScratchSession:
    """Return a connection to the server of `url`. Raises `ScratchUnavailable`, which never repeats the URL."""
    try:
        import asyncpg
    except ImportError:
        raise ScratchUnavailable(
            "a scratch database needs the package asyncpg; install it with `pip install 'squads[bench]'`"
        ) from None
    # An argument wins over what the URL says: the password of its user is never tried for a role.
    given = {"database": database, "user": user, "password": password}
    try:
        connection = await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS_MAX,
            statement_cache_size=0,  # the artifact changes the very tables that a kept plan was made for
            server_settings={
                "statement_timeout": f"{int(STATEMENT_SECONDS_MAX * 12)}s",
                "idle_in_transaction_session_timeout": f"{SESSION_SECONDS_MAX}s",
                "idle_session_timeout": f"{SESSION_SECONDS_MAX * 5}s",
                "jit": "off",
                "timezone": "UTC",
                **({} if user else {"search_path": ADMIN_SEARCH_PATH}),
                **settings,
            },
            **{name: value for name, value in given.items() if value},
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError, TimeoutError) as error:
        raise ScratchUnavailable(
            f"the scratch server does not let {user or 'its user'} in: {type(error).__name__}: {error!s:.200}"
        ) from None
    return PostgresScratchSession(connection, user or "admin")


def _rows(status: str | None) -> int:
    """Return the number that ends PostgreSQL's word on a statement, as in `INSERT 0 3`."""
    last = (status or "").rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
