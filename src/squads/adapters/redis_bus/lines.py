"""Connections to one server: made when they are needed, few, and dropped rather than doubted.

A command that was interrupted leaves its answer on the way. redis-py 8.1 closes a connection whose read or write did
not end (`AbstractConnection.read_response`, `send_packed_command`: on any `BaseException`), also when its task was
cancelled; here it is closed once more whatever happened, so that no other command can ever read that answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.facts import Greeting, greeting_of

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

Argument = str | bytes | int | float
Place = tuple[str, int]
"""A server: host and port, or a socket's path and 0."""


def arguments(address: BusAddress, place: Place, *, connect_seconds: float, sentinel: bool = False) -> dict[str, Any]:
    """Return what redis-py's connection to a server is made with; the same for its asynchronous and its plain one.

    RESP 2 and no `CLIENT SETINFO`: a role's user needs no right beyond its work's. No time-outs and no retries of
    redis-py's own, which would send a command eleven times: `Link` has one deadline around everything.
    """
    values: dict[str, Any] = {
        "db": address.database,
        "username": address.user or None,
        "password": address.password or None,
        "protocol": 2,
        "driver_info": None,
        "socket_timeout": None,
        "socket_connect_timeout": connect_seconds,
    }
    if address.kind == "unix":
        return values | {"path": place[0]}
    if sentinel:  # a sentinel has a password of its own, and no databases
        values |= {"db": 0, "username": None, "password": address.sentinel_password or None}
    values |= {"host": place[0], "port": place[1]}
    if address.tls:
        values |= {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": address.ca or None,
            "ssl_certfile": address.cert or None,
            "ssl_keyfile": address.key or None,
        }
    return values


def new_connection(
    address: BusAddress, place: Place, *, connect_seconds: float, sentinel: bool = False
) -> AbstractConnection:
    """Return a connection that is not connected yet."""
    from redis.asyncio import connection

    kind: type[AbstractConnection] = connection.Connection
    if address.kind == "unix":
        kind = connection.UnixDomainSocketConnection
    elif address.tls:
        kind = connection.SSLConnection
    return kind(**arguments(address, place, connect_seconds=connect_seconds, sentinel=sentinel))


async def connect(connection: Any) -> Greeting:
    """Connect, log in, and return what the server says of itself. Raises redis-py's errors, and `LinkUnfit`."""
    await connection.connect()
    await connection.send_command("HELLO", 2)
    return greeting_of(await connection.read_response())


async def ask(connection: AbstractConnection, command: Sequence[Argument]) -> Any:
    """Send one command and return its answer as it came."""
    await connection.send_packed_command(packed(command))
    return await connection.read_response()


async def ask_all(connection: AbstractConnection, commands: Sequence[Sequence[Argument]]) -> list[Any]:
    """Send commands in one go and return all answers; an error of the server stands in its command's place."""
    from redis.exceptions import ResponseError

    await connection.send_packed_command(b"".join(map(packed, commands)))
    answers: list[Any] = []
    for _ in commands:
        try:
            answers.append(await connection.read_response())
        except ResponseError as error:
            answers.append(error)
    return answers


def packed(command: Sequence[Argument]) -> bytes:
    """Return a command as it goes over the wire. redis-py's own way there takes longer than the server does."""
    parts = [b"*%d\r\n" % len(command)]
    for argument in command:
        raw = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


class Lines:
    """At most `lines_max` connections to one server, shared by all commands; a busy one is never waited on."""

    def __init__(self, new: Callable[[], AbstractConnection], *, lines_max: int) -> None:
        self._new = new
        self._room = asyncio.Semaphore(lines_max)
        self._idle: list[AbstractConnection] = []
        self._closed = False
        self.greeting: Greeting | None = None

    @asynccontextmanager
    async def line(self) -> AsyncIterator[AbstractConnection]:
        """Lend a connected line; one that something went wrong on is closed."""
        async with self._room:
            connection = self._idle.pop() if self._idle else self._new()
            sound = False
            try:
                if connection.is_connected and await connection.can_read():
                    await connection.disconnect(nowait=True)  # closed by the server, or an answer nobody asked for
                if not connection.is_connected:
                    self.greeting = await connect(connection)
                yield connection
                sound = True
            except BaseException as error:
                sound = _is_answer(error) and connection.is_connected
                raise
            finally:
                if sound and not self._closed:
                    self._idle.append(connection)
                else:
                    await connection.disconnect(nowait=True)

    async def drop(self) -> None:
        """Close the idle lines: when one was cut, the others were, too."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        """Close everything; a line that is lent is closed when it comes back."""
        self._closed = True
        await self.drop()


def _is_answer(error: BaseException) -> bool:
    from redis.exceptions import ResponseError

    return isinstance(error, ResponseError)
