"""A real PostgreSQL server for tests: on a free port of this machine, in a folder of its own, gone afterwards.

    with PostgresServer() as server:
        url = server.fresh_url()           # a schema that nobody has used yet
        server.stop("immediate")           # as a machine that fails
        server.restart()                   # with the data it had

It has a password of its own, commits durably, and never runs as root: a test run of root starts it as `nobody`. No
server outlives the process that started it, however that ends: `squads.adapters.postgres_programs` sees to it.
A server given by SQUADS_TEST_POSTGRES, with a user who may create schemas and roles, is used instead where it is set;
that one is never stopped.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Thread
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from squads.adapters.postgres_programs import ANSWERS_WITHIN_SECONDS, begun, let_go, made
from squads.contracts.errors import ScratchUnavailable

GIVEN = "SQUADS_TEST_POSTGRES"
"""The variable with the URL of a server to use instead of an own one."""
Stop = Literal["smart", "fast", "immediate"]

_T = TypeVar("_T")
_SIGNALS: dict[Stop, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
# Below the ports that systems give to clients, so that no client is given the port of a server that is down.
_PORTS = range(20_000, 32_000)
_SETTINGS: dict[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "scram_iterations": "1",
    "log_min_messages": "warning",
    "logging_collector": "off",
}


class PostgresUnavailable(RuntimeError):
    """There is no such server here, or it does not start; the message says what to do."""


class PostgresServer:
    """One server. It runs inside the `with` block, or from `start` to `close`."""

    def __init__(self, *, own: bool = False, config: dict[str, str] | None = None) -> None:
        """Start nothing yet.

        Args:
            own: Never use the server that was given: the test stops it, or sets it up.
            config: Settings of the server, over the ones for tests.
        """
        self._given = "" if own or config else os.environ.get(GIVEN, "")
        self._config = _SETTINGS | (config or {})
        self._password = token_hex(16)
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.pid = 0
        """The server's process; 0 where it was given or is not running."""
        self.port = 0
        self.host = "127.0.0.1"

    # Addresses --------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The URL of the owner's database, with the password and without a schema."""
        if self._given:
            return self._given
        return f"postgresql://squads:{self._password}@{self.host}:{self.port}/postgres"

    def fresh_url(self, name: str = "t") -> str:
        """Return the URL of a schema that is not there yet: a ledger of its own for each test."""
        return f"{self.url}#{name}_{token_hex(8)}"

    def url_of(self, url: str, user: str, password: str) -> str:
        """Return `url` as another user's."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"))

    @property
    def folder(self) -> Path:
        """Where it keeps its data and its log. An own server only."""
        if self._folder is None:
            raise PostgresUnavailable("a server that was given, or was not started, has no folder here")
        return self._folder

    @property
    def data(self) -> Path:
        """The data directory of an own server: what somebody who can read the disk reads."""
        return self.folder / "data"

    # Life -------------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Make the data directory, start the server, and return when it answers."""
        if self._given:
            return self
        self._folder = Path(tempfile.mkdtemp(prefix="squads-pg-"))
        try:
            with _translated():
                made(self._folder, self._password, self._config, otherwise=GIVEN)
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def stop(self, how: Stop = "fast") -> None:
        """Stop it and keep its data; `immediate` is what a power cut does to it."""
        self._mine()
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None and self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, _SIGNALS[how])
        let_go(process)
        self.pid = 0

    def kill(self) -> None:
        """End its main process by SIGKILL; the others notice and end."""
        self._mine()
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            let_go(process)
            self.pid = 0

    def restart(self, how: Stop = "fast") -> Self:
        """Stop it where it runs, and start it on the same port, with the data it had."""
        self.stop(how)
        self._begin()
        return self

    def close(self) -> None:
        """End it and remove its folder, unless it was given. Closing twice is no error."""
        if self._given:
            return
        if self._process is not None:
            self.stop("immediate")
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Asking -----------------------------------------------------------------------------------------------------------

    def ask(self, sql: str, *values: Any, url: str = "") -> list[tuple[Any, ...]]:
        """Return the rows of one statement, asked as the owner, or as whom `url` names, in the schema it names."""
        rows: list[tuple[Any, ...]] = self.asked(lambda connection: connection.fetch(sql, *values), url=url)
        return rows

    def run(self, script: str, *, url: str = "") -> None:
        """Run a script of statements, as the owner or as whom `url` names."""
        self.asked(lambda connection: connection.execute(script), url=url)

    def asked(self, work: Callable[[Any], Awaitable[_T]], *, url: str = "") -> Any:
        """Return what a coroutine gets from an asyncpg connection of its own; also inside a running loop."""
        parts = urlsplit(url or self.url)
        settings = {"search_path": f'"{parts.fragment}"'} if parts.fragment else {}

        async def go() -> Any:
            import asyncpg  # type: ignore[import-untyped]

            dsn = urlunsplit(parts._replace(fragment=""))
            connection = await asyncpg.connect(dsn, server_settings=settings, timeout=ANSWERS_WITHIN_SECONDS)
            try:
                found = await work(connection)
                return [tuple(row) for row in found] if isinstance(found, list) else found
            finally:
                await connection.close()

        return in_own_loop(go())

    # How --------------------------------------------------------------------------------------------------------------

    def _mine(self) -> None:
        if self._given:
            raise PostgresUnavailable(f"the server of {GIVEN} is not ours to stop; ask for PostgresServer(own=True)")

    def _begin(self) -> None:
        if not self.port:
            self.port = _free_port()
        listens = ("-c", f"listen_addresses={self.host}", "-c", f"unix_socket_directories={self.folder}")
        with _translated():
            self._process, self.pid = begun(self.folder, ("-p", str(self.port), *listens), otherwise=GIVEN)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ScratchUnavailable as error:
        raise PostgresUnavailable(str(error)) from None


def in_own_loop(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine returns, run in a thread and a loop of its own, so that a running loop does not mind."""
    found: list[Any] = []

    def go() -> None:
        try:
            found.append((True, asyncio.run(coroutine)))
        except BaseException as error:
            found.append((False, error))

    thread = Thread(target=go)
    thread.start()
    thread.join()
    good, value = found[0]
    if not good:
        raise value
    return value  # type: ignore[no-any-return]


def _free_port() -> int:
    for port in random.Random().sample(_PORTS, 200):  # noqa: S311
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise PostgresUnavailable(f"none of 200 ports between {_PORTS[0]} and {_PORTS[-1]} is free")
